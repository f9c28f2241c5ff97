/* SPDX-License-Identifier: MIT */
#ifndef TDM_DESKTOP_X11_KEYMAP_H
#define TDM_DESKTOP_X11_KEYMAP_H

/*
 * The keyboard layout of an X11 display as the table of collab/control_keys.h, its modifiers and
 * locks as they are now. For desktop/input_x11.c.
 */

#include "collab/control_keys.h"

#include <xcb/xcb.h>

struct tdm_x11_keys;

enum tdm_x11_keys_news {
    TDM_X11_KEYS_OTHER,
    TDM_X11_KEYS_MAP,   /* Symbols of keys changed: first, count; count 0: of any. */
    TDM_X11_KEYS_GROUP, /* Another layout of those that are set up. */
    TDM_X11_KEYS_STATE, /* Modifiers or locks. */
};

/** Borrows the connection. NULL: the display has no XKB. @param event  Number of XKB's events. */
struct tdm_x11_keys *tdm_x11_keys_create(xcb_connection_t *connection, uint8_t *event);
void tdm_x11_keys_destroy(struct tdm_x11_keys *k);
/** Follows an XKB event. */
enum tdm_x11_keys_news tdm_x11_keys_event(struct tdm_x11_keys *k, const xcb_generic_event_t *event,
                                          uint8_t *first, uint8_t *count);
/** The layout as it is now, asked of the server. Spare keys stay spare, whatever is on them. */
bool tdm_x11_keys_load(struct tdm_x11_keys *k, struct tdm_keymap *map);
bool tdm_x11_keys_is_spare(const struct tdm_x11_keys *k, uint8_t code);
/** Keycodes that have a symbol on any level, as last loaded. @return how many */
uint32_t tdm_x11_keys_codes(const struct tdm_x11_keys *k, uint32_t keysym, uint8_t *codes,
                            uint32_t max);
/** TDM_MOD_CAPS and _NUM. */
uint16_t tdm_x11_keys_locks(const struct tdm_x11_keys *k);
/** Modifiers that are on, asked of the server. */
uint16_t tdm_x11_keys_mods(const struct tdm_x11_keys *k);
/** "de(neo)", with the options that the user set: "us;ctrl:nocaps". */
bool tdm_x11_keys_name(const struct tdm_x11_keys *k, char name[TDM_CONTROL_LAYOUT_MAX]);

#endif
