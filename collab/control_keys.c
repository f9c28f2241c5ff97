/* SPDX-License-Identifier: MIT */
#include "collab/control_keys.h"

#include <string.h>

/* Usages from `usage` on and the evdev codes of the keys in those places (HID Usage Tables 1.4
 * section 10, linux/input-event-codes.h). */
static const struct {
    uint8_t usage, count;
    uint8_t codes[48];
} runs[] = {
    /* Letters a to z, digits 1 to 0, and what stands around them. */
    {0x04, 26, {30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50,
                49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44}},
    {0x1e, 10, {2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
    {0x28, 17, {28, 1, 14, 15, 57, 12, 13, 26, 27, 43, 0, 39, 40, 41, 51, 52, 53}},
    /* Caps lock, F1 to F12, the block of six, arrows. */
    {0x39, 13, {58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 87, 88}},
    {0x46, 13, {99, 70, 119, 110, 102, 104, 111, 107, 109, 106, 105, 108, 103}},
    /* The keypad, the key beside the left shift, menu. */
    {0x53, 20, {69, 98, 55, 74, 78, 96, 79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 83, 86, 127, 116}},
    /* Keypad equals, F13 to F24. */
    {0x67, 13, {117, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194}},
    /* Help, undo, cut, copy, paste, find, mute, louder, softer. */
    {0x74, 14, {134, 138, 130, 132, 128, 129, 131, 137, 133, 135, 136, 113, 115, 114}},
    /* Keypad comma; the keys of Japanese and Korean keyboards. */
    {0x85, 1, {121}},
    {0x87, 6, {89, 93, 124, 92, 94, 95}},
    {0x90, 5, {122, 123, 90, 91, 85}},
    /* Modifiers: left control, shift, alt, super, then the right ones. */
    {0xe0, 8, {29, 42, 56, 125, 97, 54, 100, 126}},
};

uint16_t tdm_key_usage_of_evdev(uint16_t evdev)
{
    if (evdev == 0 || evdev >= TDM_USAGE_EVDEV)
        return 0;
    for (size_t i = 0; evdev <= 0xff && i < sizeof runs / sizeof *runs; i++)
        for (uint8_t k = 0; k < runs[i].count; k++)
            if (runs[i].codes[k] == evdev)
                return (uint16_t)(runs[i].usage + k);
    return (uint16_t)(TDM_USAGE_EVDEV | evdev);
}

uint16_t tdm_key_evdev_of_usage(uint16_t usage)
{
    if (usage & TDM_USAGE_EVDEV)
        return (uint16_t)(usage & ~TDM_USAGE_EVDEV);
    if (usage == 0x32) /* The key beside the left shift's like, left of Return: same place. */
        return 43;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (usage >= runs[i].usage && usage < runs[i].usage + runs[i].count)
            return runs[i].codes[usage - runs[i].usage];
    return 0;
}

uint32_t tdm_keysym_of_ucs(uint32_t ucs)
{
    if ((ucs >= 0x20 && ucs < 0x7f) || (ucs >= 0xa0 && ucs <= 0xff))
        return ucs;
    switch (ucs) {
    case '\n':
    case '\r':
        return 0xff0d;
    case '\t':
    case '\b':
    case 0x1b:
        return 0xff00 | ucs;
    default:
        return ucs < 0xa0 || ucs > 0x10ffff ? 0 : 0x01000000 | ucs;
    }
}

uint16_t tdm_key_mod_of_keysym(uint32_t keysym)
{
    switch (keysym) {
    case 0xffe1: /* Shift_L, Shift_R */
    case 0xffe2:
        return TDM_MOD_SHIFT;
    case 0xffe3: /* Control_L, Control_R */
    case 0xffe4:
        return TDM_MOD_CTRL;
    case 0xffe5: /* Caps_Lock */
        return TDM_MOD_CAPS;
    case 0xff7f: /* Num_Lock */
        return TDM_MOD_NUM;
    case 0xffe7: /* Meta_L, Meta_R, Alt_L, Alt_R */
    case 0xffe8:
    case 0xffe9:
    case 0xffea:
        return TDM_MOD_ALT;
    case 0xffeb: /* Super_L, Super_R */
    case 0xffec:
        return TDM_MOD_SUPER;
    case 0xfe03: /* ISO_Level3_Shift, Mode_switch */
    case 0xff7e:
        return TDM_MOD_ALTGR;
    default:
        return 0;
    }
}

/* Modifiers that may be pressed or lifted for a moment to reach a symbol. Locks may not, and with
 * control, alt or super it would be another command. */
#define TDM_MODS_FREE (TDM_MOD_SHIFT | TDM_MOD_ALTGR)

static int changes(const struct tdm_keymap_entry *e, uint16_t mods)
{
    unsigned wrong = (mods ^ e->want) & e->mask;

    return wrong & ~(unsigned)TDM_MODS_FREE ? -1 : __builtin_popcount(wrong);
}

const struct tdm_keymap_entry *tdm_keymap_find(const struct tdm_keymap *map, uint32_t keysym,
                                               uint32_t ucs, uint16_t mods)
{
    const struct tdm_keymap_entry *best = NULL;
    int best_cost = 0;

    for (uint32_t i = 0; i < map->entry_count; i++) {
        const struct tdm_keymap_entry *e = &map->entries[i];
        bool same = keysym && e->keysym == keysym;
        int cost = same || (ucs && e->ucs == ucs) ? changes(e, mods) : -1;

        /* What has the symbol itself goes before what only types the same character. */
        if (cost >= 0 && !same)
            cost += 4;
        if (cost >= 0 && (!best || cost < best_cost)) {
            best = e;
            best_cost = cost;
        }
    }
    return best;
}

const struct tdm_keymap_entry *tdm_keymap_at(const struct tdm_keymap *map, uint8_t code,
                                             uint16_t mods)
{
    for (uint32_t i = 0; i < map->entry_count; i++) {
        const struct tdm_keymap_entry *e = &map->entries[i];

        if (e->code == code && ((mods ^ e->want) & e->mask) == 0)
            return e;
    }
    return NULL;
}
