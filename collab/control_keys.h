/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CONTROL_KEYS_H
#define TDM_COLLAB_CONTROL_KEYS_H

/*
 * Keys by their place: USB HID usages of page 7 (what the wire carries) and Linux's evdev codes
 * (what X keycodes are, plus 8). And a keyboard layout as a table, so that the host's core can find
 * how a symbol is typed. Pure; who fills the table is desktop/.
 */

#include "collab/control_wire.h"

#define TDM_USAGE_EVDEV  0x8000u /* Keys without a usage: this and the evdev code. */
#define TDM_X_FROM_EVDEV 8

/** @return 0 when there is no such key. */
uint16_t tdm_key_usage_of_evdev(uint16_t evdev);
uint16_t tdm_key_evdev_of_usage(uint16_t usage);

/** The modifier or lock that a symbol makes (Shift_L: TDM_MOD_SHIFT), 0 for others. */
uint16_t tdm_key_mod_of_keysym(uint32_t keysym);

/** The symbol of a character in X11's numbers (X protocol, appendix A); 0: it has none, as a
 *  control character. */
uint32_t tdm_keysym_of_ucs(uint32_t ucs);

#define TDM_CONTROL_HELD_MAX 32 /* Keys down at once, of one helper. */

#define TDM_KEYMAP_ENTRIES 6144
#define TDM_KEYMAP_SPARES  32

/** A symbol that a key makes: when `mods & mask == want`. */
struct tdm_keymap_entry {
    uint32_t keysym;
    uint32_t ucs; /* The character that it types, 0: none. */
    uint8_t code; /* X keycode. */
    uint8_t mask; /* enum tdm_mod that matter to this key, CAPS and NUM among them. */
    uint8_t want;
};

/** One group of a layout, as it holds now. */
struct tdm_keymap {
    char name[TDM_CONTROL_LAYOUT_MAX]; /* As in HELLO: "de", "us(intl)". */
    uint32_t entry_count;
    struct tdm_keymap_entry entries[TDM_KEYMAP_ENTRIES]; /* The more natural ones first. */
    uint8_t mod_code[8];   /* The key to press for modifier 1 << i, 0: the layout has none. */
    uint8_t code_mod[256]; /* The modifier that a keycode makes (enum tdm_mod), 0: none. */
    uint32_t spare_count;
    uint8_t spares[TDM_KEYMAP_SPARES]; /* Keycodes without any symbol. */
};

/** How a symbol is typed when `mods` are on: the entry that needs the fewest changes of them.
 *  NULL: the layout has no such symbol. ucs 0: by keysym alone. */
const struct tdm_keymap_entry *tdm_keymap_find(const struct tdm_keymap *map, uint32_t keysym,
                                               uint32_t ucs, uint16_t mods);
/** The symbol that a key makes while `mods` are on; NULL: none. */
const struct tdm_keymap_entry *tdm_keymap_at(const struct tdm_keymap *map, uint8_t code,
                                             uint16_t mods);

#endif
