/* SPDX-License-Identifier: MIT */
#include "collab/control_inject.h"

#include "engine/base/utf8.h"

#include <string.h>

#define SPARE_KEEP (500 * TDM_MS) /* A program may look a symbol up late: so long it stays. */
#define SPARE_IDLE (2 * TDM_S)
/* Actions of one chord at most: every held key lifted and pressed again, and the key itself. */
#define CHORD_ACTIONS (2 * TDM_CONTROL_HELD_MAX + 8)

void tdm_inject(struct tdm_control_host_out *out, struct tdm_control_action action)
{
    assert(out->count < TDM_CONTROL_ACTIONS_MAX);
    out->actions[out->count++] = action;
}

static void key(struct tdm_control_host_out *out, uint8_t code, bool down)
{
    tdm_inject(out, (struct tdm_control_action){.act = TDM_ACT_KEY, .code = code, .down = down});
}

uint16_t tdm_inject_mods(const struct tdm_control_host *h)
{
    uint16_t mods = 0;

    for (uint32_t i = 0; i < h->held_count; i++)
        mods |= h->keymap.code_mod[h->held[i].code];
    return mods & TDM_MODS_HELD;
}

static bool is_revoke_code(const struct tdm_control_host *h, uint8_t code)
{
    for (uint32_t i = 0; i < h->config.revoke_count; i++)
        if (h->config.revoke_codes[i] == code)
            return true;
    return false;
}

/* Symbols that the X server itself obeys, or that move the pointer without its scope: switching
 * terminals and other XFree86 actions, ending grabs and the server, AccessX and mouse keys. */
static bool is_order(uint32_t keysym)
{
    return (keysym >= 0x1008fe00 && keysym <= 0x1008feff) ||
           (keysym >= 0xfe70 && keysym <= 0xfe7f) || (keysym >= 0xfed0 && keysym <= 0xfeff);
}

/* Whether a key may be pressed while `mods` are on. */
static bool may_press(struct tdm_control_host *h, uint8_t code, uint16_t mods)
{
    const struct tdm_keymap_entry *e = tdm_keymap_at(&h->keymap, code, mods);

    if (is_revoke_code(h, code))
        h->dropped[TDM_DROP_REVOKE]++;
    else if (code < 8)
        h->dropped[TDM_DROP_NO_WAY]++;
    else if (e && is_order(e->keysym))
        h->dropped[TDM_DROP_ORDER]++;
    else
        return true;
    return false;
}

static void release(struct tdm_control_host *h, uint32_t i, struct tdm_control_host_out *out)
{
    key(out, h->held[i].code, false);
    h->held[i] = h->held[--h->held_count];
}

/* Before a key is pressed again. */
static void release_code(struct tdm_control_host *h, uint8_t code, struct tdm_control_host_out *out)
{
    for (uint32_t i = 0; i < h->held_count; i++)
        if (h->held[i].code == code) {
            release(h, i, out);
            return;
        }
}

/* Presses a key and holds it for `usage` (0: a modifier that we pressed of our own accord). */
static bool hold(struct tdm_control_host *h, uint16_t usage, uint8_t code,
                 struct tdm_control_host_out *out)
{
    if (!may_press(h, code, tdm_inject_mods(h) | h->locks))
        return false;
    release_code(h, code, out);
    if (h->held_count == TDM_CONTROL_HELD_MAX) {
        h->dropped[TDM_DROP_RATE]++;
        return false;
    }
    key(out, code, true);
    h->held[h->held_count].usage = usage;
    h->held[h->held_count++].code = code;
    return true;
}

void tdm_inject_key_up(struct tdm_control_host *h, uint16_t usage, struct tdm_control_host_out *out)
{
    for (uint32_t i = 0; i < h->held_count; i++)
        if (usage && h->held[i].usage == usage) {
            release(h, i, out);
            return;
        }
}

void tdm_inject_agree(struct tdm_control_host *h, uint16_t mods, bool press,
                      struct tdm_control_host_out *out)
{
    for (uint32_t i = h->held_count; i > 0; i--)
        if (h->keymap.code_mod[h->held[i - 1].code] & TDM_MODS_HELD & ~mods)
            release(h, i - 1, out);
    uint16_t missing = press ? mods & TDM_MODS_HELD & (uint16_t)~tdm_inject_mods(h) : 0;

    for (int i = 0; i < 5; i++)
        if (missing & 1 << i && h->keymap.mod_code[i])
            (void)hold(h, 0, h->keymap.mod_code[i], out);
}

void tdm_inject_button(struct tdm_control_host *h, uint8_t button, bool down,
                       struct tdm_control_host_out *out)
{
    uint8_t code = button <= 3 ? button : button + 4; /* X has the wheel in between. */

    if (button == 0 || button > TDM_CONTROL_BUTTON_MAX || down == !!(h->buttons & 1u << code))
        return;
    h->buttons ^= 1u << code;
    tdm_inject(out, (struct tdm_control_action){.act = TDM_ACT_BUTTON, .code = code, .down = down});
}

void tdm_inject_let_go(struct tdm_control_host *h, bool all, struct tdm_control_host_out *out)
{
    for (uint32_t i = h->held_count; i > 0; i--)
        if (all || !h->keymap.code_mod[h->held[i - 1].code])
            release(h, i - 1, out);
    h->queue_count = 0;
    for (uint8_t b = 1; all && b <= TDM_CONTROL_BUTTON_MAX; b++)
        tdm_inject_button(h, b, false, out);
    if (all) {
        h->touching = 0;
        h->wheel_x = h->wheel_y = 0;
    }
}

/* Lifts or presses shift and AltGr so that `want` holds of those in `mask`, types the key, and
 * restores what was. */
static void chord(struct tdm_control_host *h, uint8_t code, uint16_t mask, uint16_t want,
                  struct tdm_control_host_out *out)
{
    release_code(h, code, out);
    uint16_t have = tdm_inject_mods(h), wrong = (have ^ want) & mask & TDM_MODS_HELD;

    if (!may_press(h, code, (have ^ wrong) | h->locks))
        return;
    for (uint32_t i = 0; i < h->held_count; i++)
        if (h->keymap.code_mod[h->held[i].code] & wrong)
            key(out, h->held[i].code, false);
    for (int i = 0; i < 5; i++)
        if (wrong & ~have & 1 << i && h->keymap.mod_code[i])
            key(out, h->keymap.mod_code[i], true);
    key(out, code, true);
    key(out, code, false);
    for (int i = 4; i >= 0; i--)
        if (wrong & ~have & 1 << i && h->keymap.mod_code[i])
            key(out, h->keymap.mod_code[i], false);
    for (uint32_t i = 0; i < h->held_count; i++)
        if (h->keymap.code_mod[h->held[i].code] & wrong)
            key(out, h->held[i].code, true);
}

/* What may be put on a spare key: characters, and keys without a character that are neither
 * modifiers nor the revoke key. */
static bool may_map(const struct tdm_control_host *h, uint32_t keysym)
{
    bool character = (keysym >= 0x20 && keysym <= 0xff) || keysym >> 24 == 1 ||
                     (keysym >= 0x100 && keysym <= 0x20ff);
    bool function = keysym >= 0xff00 && keysym <= 0xffff && !tdm_key_mod_of_keysym(keysym);

    for (uint32_t i = 0; i < h->keymap.entry_count; i++)
        if (h->keymap.entries[i].keysym == keysym && is_revoke_code(h, h->keymap.entries[i].code))
            return false;
    return character || function;
}

/* A spare key that has the symbol, or gets it now; 0: none is free before `*when`, and TDM_NEVER
 * when there is none at all. */
static uint8_t spare_for(struct tdm_control_host *h, tdm_time now, uint32_t keysym, tdm_time *when,
                         struct tdm_control_host_out *out)
{
    uint32_t oldest = 0;

    *when = TDM_NEVER;
    if (h->spare_count == 0 || !may_map(h, keysym))
        return 0;
    for (uint32_t i = 0; i < h->spare_count; i++) {
        if (h->spares[i].keysym == keysym) {
            h->spares[i].used = now;
            return h->spares[i].code;
        }
        if (h->spares[i].used < h->spares[oldest].used)
            oldest = i;
    }
    if (h->spares[oldest].keysym && now < h->spares[oldest].used + SPARE_KEEP) {
        *when = h->spares[oldest].used + SPARE_KEEP;
        return 0;
    }
    h->spares[oldest].keysym = keysym;
    h->spares[oldest].used = now;
    tdm_inject(out, (struct tdm_control_action){
                        .act = TDM_ACT_MAP, .code = h->spares[oldest].code, .keysym = keysym});
    return h->spares[oldest].code;
}

/* Types a symbol once. @return when to try again; TDM_NEVER: done, or it cannot be done. */
static tdm_time type(struct tdm_control_host *h, tdm_time now, uint32_t keysym, uint32_t ucs,
                     struct tdm_control_host_out *out)
{
    const struct tdm_keymap_entry *e =
        tdm_keymap_find(&h->keymap, keysym, ucs, tdm_inject_mods(h) | h->locks);
    tdm_time when = TDM_NEVER;

    if (e) {
        chord(h, e->code, e->mask, e->want, out);
        return TDM_NEVER;
    }
    uint8_t code = spare_for(h, now, ucs ? tdm_keysym_of_ucs(ucs) : keysym, &when, out);

    if (code)
        chord(h, code, 0, 0, out);
    else if (when == TDM_NEVER)
        h->dropped[TDM_DROP_NO_WAY]++;
    return when;
}

static bool same_layouts(const struct tdm_control_host *h)
{
    return h->helper_known && *h->keymap.name && strcmp(h->helper_layout, h->keymap.name) == 0;
}

/* Programs that type what their layout has not put it on a spare key, which is empty here. */
static bool is_empty(const struct tdm_keymap *map, uint8_t code)
{
    for (uint32_t i = 0; i < map->entry_count; i++)
        if (map->entries[i].code == code)
            return false;
    return true;
}

/* The one character that a key makes, 0: none or several, or a control character. */
static uint32_t only_character(const struct tdm_control_record *rec)
{
    uint32_t ucs = 0;

    if (rec->size == 0 || tdm_utf8_take(rec->data, rec->size, &ucs) != rec->size)
        return 0;
    return ucs < 0x20 || ucs == 0x7f ? 0 : ucs;
}

/* A modifier or lock by what it is, in its place if it is the same there. */
static void hold_modifier(struct tdm_control_host *h, uint16_t usage, uint16_t mod, uint8_t place,
                          struct tdm_control_host_out *out)
{
    uint8_t code =
        h->keymap.code_mod[place] == mod ? place : h->keymap.mod_code[__builtin_ctz((unsigned)mod)];

    if (!code) {
        h->dropped[TDM_DROP_NO_WAY]++;
        return;
    }
    if (hold(h, usage, code, out))
        h->locks ^= mod & TDM_MODS_LOCKS;
}

/* Presses lock keys until the host's locks are those of the helper. */
static void agree_locks(struct tdm_control_host *h, uint16_t mods, struct tdm_control_host_out *out)
{
    for (int i = 5; i < 7; i++)
        if ((mods ^ h->locks) & 1 << i && h->keymap.mod_code[i] &&
            may_press(h, h->keymap.mod_code[i], tdm_inject_mods(h) | h->locks)) {
            release_code(h, h->keymap.mod_code[i], out);
            key(out, h->keymap.mod_code[i], true);
            key(out, h->keymap.mod_code[i], false);
            h->locks ^= (uint16_t)(1 << i);
        }
}

void tdm_inject_key(struct tdm_control_host *h, tdm_time now, const struct tdm_control_record *rec,
                    struct tdm_control_host_out *out)
{
    uint16_t evdev = tdm_key_evdev_of_usage(rec->usage);
    uint8_t place =
        evdev && evdev <= 255 - TDM_X_FROM_EVDEV ? (uint8_t)(evdev + TDM_X_FROM_EVDEV) : 0;
    uint16_t mod = tdm_key_mod_of_keysym(rec->keysym);
    uint32_t ucs = only_character(rec);
    bool again = rec->press == TDM_PRESS_REPEAT;

    for (uint32_t i = 0; again && i < h->held_count; i++)
        if (h->held[i].usage == rec->usage)
            return; /* The X server repeats it. */
    if (mod) {
        if (!again)
            hold_modifier(h, rec->usage, mod, place, out);
        tdm_inject_agree(h, rec->mods, true, out);
        return;
    }
    tdm_inject_agree(h, rec->mods, true, out);
    tdm_inject_key_up(h, rec->usage, out);
    if (same_layouts(h) && !is_empty(&h->keymap, place)) {
        agree_locks(h, rec->mods, out);
        (void)hold(h, rec->usage, place, out);
        return;
    }
    uint16_t mods = tdm_inject_mods(h) | h->locks;
    const struct tdm_keymap_entry *e = tdm_keymap_at(&h->keymap, place, mods);

    if (!e || (e->keysym != rec->keysym && (!ucs || e->ucs != ucs)))
        e = tdm_keymap_find(&h->keymap, rec->keysym, ucs, mods);
    if (e && rec->usage && ((mods ^ e->want) & e->mask) == 0)
        (void)hold(h, rec->usage, e->code, out);
    else if (!e && rec->mods & (TDM_MOD_CTRL | TDM_MOD_ALT | TDM_MOD_SUPER))
        (void)hold(h, rec->usage, place, out); /* A command: its place says more than its letter. */
    else
        (void)type(h, now, rec->keysym, ucs, out);
}

void tdm_inject_text(struct tdm_control_host *h, const uint8_t *text, size_t size)
{
    uint32_t ucs = 0;

    for (size_t at = 0, step; at < size; at += step) {
        step = tdm_utf8_take(text + at, size - at, &ucs);
        if (step == 0)
            return;
        if (h->queue_count == TDM_CONTROL_QUEUE_MAX) {
            h->dropped[TDM_DROP_RATE]++;
            return;
        }
        h->queue[(h->queue_first + h->queue_count++) % TDM_CONTROL_QUEUE_MAX] = ucs;
    }
}

tdm_time tdm_inject_pump(struct tdm_control_host *h, tdm_time now, struct tdm_control_host_out *out)
{
    tdm_time wake_at = TDM_NEVER;

    while (h->queue_count && out->count + CHORD_ACTIONS <= TDM_CONTROL_ACTIONS_MAX) {
        uint32_t ucs = h->queue[h->queue_first];
        tdm_time when = type(h, now, tdm_keysym_of_ucs(ucs), ucs, out);

        if (when != TDM_NEVER)
            return when;
        h->queue_first = (h->queue_first + 1) % TDM_CONTROL_QUEUE_MAX;
        h->queue_count--;
    }
    if (h->queue_count)
        return now;
    for (uint32_t i = 0; i < h->spare_count; i++) {
        if (!h->spares[i].keysym)
            continue;
        if (now >= h->spares[i].used + SPARE_IDLE && out->count < TDM_CONTROL_ACTIONS_MAX) {
            h->spares[i].keysym = 0;
            h->spares[i].used = 0;
            tdm_inject(out,
                       (struct tdm_control_action){.act = TDM_ACT_MAP, .code = h->spares[i].code});
        } else {
            wake_at = tdm_time_min(wake_at, h->spares[i].used + SPARE_IDLE);
        }
    }
    return wake_at;
}
