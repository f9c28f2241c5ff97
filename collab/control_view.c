/* SPDX-License-Identifier: MIT */
#include "collab/control_view.h"

#include "collab/control_host.h"
#include "engine/base/utf8.h"

#include <string.h>

#define BEAT_IDLE TDM_S /* Between beats while nothing is down: they measure the way. */

void tdm_control_view_init(struct tdm_control_view *v, const char *layout, tdm_time now)
{
    memset(v, 0, sizeof *v);
    strncpy(v->layout, layout, sizeof v->layout - 1);
    v->until = TDM_NEVER;
    v->motion_at = v->beat_at = now;
}

static struct tdm_control_record *add(struct tdm_control_view *v, enum tdm_control_kind kind,
                                      struct tdm_control_view_out *out)
{
    assert(out->count < TDM_VIEW_RECORDS_MAX);
    struct tdm_control_record *rec = &out->records[out->count++];

    *rec = (struct tdm_control_record){.kind = kind, .seq = v->seq, .mods = v->mods};
    return rec;
}

static bool may(const struct tdm_control_view *v, tdm_time now, uint16_t scope)
{
    return v->scopes & scope && now < v->until;
}

/* Whether the pointer only shows and suggests. */
static bool only_points(const struct tdm_control_view *v, tdm_time now)
{
    return v->ghost || !may(v, now, TDM_SCOPE_POINTER);
}

static void send_motion(struct tdm_control_view *v, tdm_time now, struct tdm_control_view_out *out)
{
    bool points = only_points(v, now);

    v->motion_waits = false;
    v->motion_at = now + TDM_VIEW_MOTION;
    if (points && !(v->scopes & TDM_SCOPE_POINT))
        return;
    struct tdm_control_record *rec = add(v, points ? TDM_CONTROL_POINT : TDM_CONTROL_MOVE, out);

    rec->surface = v->surface;
    rec->x = v->x;
    rec->y = v->y;
}

static void place_pointer(struct tdm_control_view *v, const struct tdm_control_record *rec)
{
    v->surface = rec->surface;
    v->x = rec->x;
    v->y = rec->y;
}

static void button(struct tdm_control_view *v, tdm_time now, const struct tdm_control_record *from,
                   struct tdm_control_view_out *out)
{
    bool down = from->press != TDM_PRESS_UP, points = only_points(v, now);
    uint32_t bit = 1u << (from->button & 31);

    place_pointer(v, from);
    v->motion_waits = false; /* The button says where. */
    if (points && !(down && v->scopes & TDM_SCOPE_POINT))
        return;
    if (!points && down == !!(v->buttons & bit))
        return;
    struct tdm_control_record *rec = add(v, points ? TDM_CONTROL_POINT : TDM_CONTROL_BUTTON, out);

    rec->surface = v->surface;
    rec->x = v->x;
    rec->y = v->y;
    rec->button = from->button;
    rec->press = down ? TDM_PRESS_DOWN : TDM_PRESS_UP;
    if (!points)
        v->buttons ^= bit;
}

/* Whether the key is down; with `set`, makes it so or not. */
static bool pressed(struct tdm_control_view *v, uint16_t usage, enum tdm_press set)
{
    for (uint32_t i = 0; i < v->pressed_count; i++)
        if (v->pressed[i] == usage) {
            if (set == TDM_PRESS_UP)
                v->pressed[i] = v->pressed[--v->pressed_count];
            return true;
        }
    if (set == TDM_PRESS_DOWN && v->pressed_count < TDM_CONTROL_HELD_MAX)
        v->pressed[v->pressed_count++] = usage;
    return false;
}

static bool same_layouts(const struct tdm_control_view *v)
{
    return v->host_known && *v->layout && strcmp(v->layout, v->host_layout) == 0;
}

static void text(struct tdm_control_view *v, const uint8_t *bytes, size_t size,
                 struct tdm_control_view_out *out)
{
    if (size > TDM_VIEW_TEXT_MAX)
        size = TDM_VIEW_TEXT_MAX;
    for (size_t at = 0; at < size;) {
        size_t piece = 0, step;
        uint32_t ucs;

        while (at + piece < size &&
               (step = tdm_utf8_take(bytes + at + piece, size - at - piece, &ucs)) != 0 &&
               piece + step <= TDM_CONTROL_TEXT_MAX)
            piece += step;
        if (piece == 0)
            return; /* Cut within a character, or none. */
        struct tdm_control_record *rec = add(v, TDM_CONTROL_TEXT, out);

        rec->data = bytes + at;
        rec->size = (uint32_t)piece;
        at += piece;
    }
}

/* A sequence of dead keys is composed here and goes as text, unless the host has the same layout
 * and composes it itself. */
static bool compose(struct tdm_control_view *v, const struct tdm_view_key *key,
                    struct tdm_control_view_out *out)
{
    bool was = v->composing;

    if (same_layouts(v) || key->press == TDM_PRESS_UP || tdm_key_mod_of_keysym(key->keysym))
        return false;
    v->composing = key->composing;
    if (v->composing)
        return true;
    if (!was || key->size == 0)
        return false;
    text(v, (const uint8_t *)key->text, key->size, out);
    return true;
}

static void take_key(struct tdm_control_view *v, tdm_time now, const struct tdm_view_key *key,
                     struct tdm_control_view_out *out)
{
    uint16_t usage = tdm_key_usage_of_evdev(key->evdev);

    v->mods = key->mods;
    if (v->motion_waits)
        send_motion(v, now, out);
    if (key->press != TDM_PRESS_UP && (v->ghost || !may(v, now, TDM_SCOPE_KEYBOARD)))
        return;
    if (compose(v, key, out))
        return;
    bool was = pressed(v, usage, key->press);

    if (key->press != TDM_PRESS_DOWN && !was)
        return; /* Its press never went. */
    struct tdm_control_record *rec = add(v, TDM_CONTROL_KEY, out);

    rec->usage = usage;
    rec->press = key->press;
    rec->keysym = key->keysym;
    if (key->size <= TDM_CONTROL_KEY_TEXT_MAX &&
        tdm_utf8_valid((const uint8_t *)key->text, key->size)) {
        rec->data = (const uint8_t *)key->text;
        rec->size = key->size;
    }
}

/* Nothing is down any more; the host is told once, whatever it was. */
static void let_go(struct tdm_control_view *v, struct tdm_control_view_out *out)
{
    v->pressed_count = 0;
    v->buttons = 0;
    v->mods &= TDM_MODS_LOCKS;
    v->composing = v->motion_waits = false;
    add(v, TDM_CONTROL_FOCUS, out)->press = TDM_PRESS_UP;
}

static void take_grant(struct tdm_control_view *v, tdm_time now,
                       const struct tdm_control_record *rec, struct tdm_control_view_out *out)
{
    if (rec->seq != v->seq) { /* The host has let go. */
        v->pressed_count = 0;
        v->buttons = 0;
        v->composing = v->motion_waits = false;
    }
    v->seq = rec->seq;
    v->state = rec->state;
    v->scopes = rec->scopes;
    v->cause = rec->cause < TDM_CAUSE_COUNT ? (enum tdm_consent_cause)rec->cause : TDM_CAUSE_NONE;
    v->until = rec->scopes & TDM_SCOPES_CONTROL ? now + rec->seconds * TDM_S : TDM_NEVER;
    out->changed = true;
}

static void take_record(struct tdm_control_view *v, tdm_time now,
                        const struct tdm_control_record *rec, struct tdm_control_view_out *out)
{
    switch (rec->kind) {
    case TDM_CONTROL_HELLO:
        if (rec->size)
            memcpy(v->host_layout, rec->data, rec->size);
        v->host_layout[rec->size] = '\0';
        v->host_known = true;
        break;
    case TDM_CONTROL_GRANT:
        take_grant(v, now, rec, out);
        break;
    case TDM_CONTROL_ECHO:
        if (v->stamp - rec->stamp < TDM_VIEW_BEATS)
            v->echo = now - v->beats[rec->stamp % TDM_VIEW_BEATS];
        break;
    case TDM_CONTROL_LOCKS:
        out->changed |= v->host_locks != rec->mods;
        v->host_locks = rec->mods;
        break;
    case TDM_CONTROL_YIELD:
        v->yield_until = now + (rec->milliseconds < 10000 ? rec->milliseconds : 10000) * TDM_MS;
        v->pressed_count = 0;
        v->buttons = 0;
        out->changed = true;
        break;
    default:
        break;
    }
}

static void pass(struct tdm_control_view *v, tdm_time now, enum tdm_control_kind kind,
                 const struct tdm_control_record *from, struct tdm_control_view_out *out)
{
    if (v->motion_waits)
        send_motion(v, now, out);
    if (v->ghost || !may(v, now, TDM_SCOPE_POINTER))
        return;
    struct tdm_control_record *rec = add(v, kind, out);
    uint16_t mods = rec->mods;
    uint32_t seq = rec->seq;

    *rec = *from;
    rec->kind = kind;
    rec->seq = seq;
    rec->mods = mods;
}

static void take_focus(struct tdm_control_view *v, const struct tdm_control_record *rec,
                       struct tdm_control_view_out *out)
{
    bool focus = rec->press != TDM_PRESS_UP;

    if (focus == v->focus)
        return;
    v->focus = focus;
    if (!focus) {
        let_go(v, out);
        return;
    }
    v->mods = rec->mods;
    add(v, TDM_CONTROL_FOCUS, out)->press = TDM_PRESS_DOWN;
}

static void take_input(struct tdm_control_view *v, tdm_time now,
                       const struct tdm_control_view_in *in, struct tdm_control_view_out *out)
{
    const struct tdm_control_record *rec = &in->record;

    switch (in->kind) {
    case TDM_VIEW_RECORD:
        take_record(v, now, rec, out);
        break;
    case TDM_VIEW_ASK:
        *add(v, TDM_CONTROL_ASK, out) = (struct tdm_control_record){
            .kind = TDM_CONTROL_ASK, .scopes = rec->scopes, .seconds = rec->seconds};
        break;
    case TDM_VIEW_LEAVE:
        (void)add(v, TDM_CONTROL_LEAVE, out);
        break;
    case TDM_VIEW_KEY:
        take_key(v, now, &in->key, out);
        break;
    case TDM_VIEW_TEXT:
        if (!v->ghost && may(v, now, TDM_SCOPE_KEYBOARD))
            text(v, rec->data, rec->size, out);
        break;
    case TDM_VIEW_MOVE:
        place_pointer(v, rec);
        v->motion_waits = true;
        break;
    case TDM_VIEW_NUDGE:
        pass(v, now, TDM_CONTROL_NUDGE, rec, out);
        break;
    case TDM_VIEW_BUTTON:
        button(v, now, rec, out);
        break;
    case TDM_VIEW_WHEEL:
        pass(v, now, TDM_CONTROL_WHEEL, rec, out);
        break;
    case TDM_VIEW_TOUCH:
        pass(v, now, TDM_CONTROL_TOUCH, rec, out);
        break;
    case TDM_VIEW_FOCUS:
        take_focus(v, rec, out);
        break;
    case TDM_VIEW_GHOST:
        if (v->pressed_count || v->buttons || v->ghost)
            let_go(v, out);
        v->ghost = rec->press != TDM_PRESS_UP;
        break;
    case TDM_VIEW_DOWN:
        v->pressed_count = 0;
        v->buttons = 0;
        v->composing = v->motion_waits = false;
        v->scopes = 0;
        v->state = TDM_CONSENT_NONE;
        v->cause = TDM_CAUSE_DISCONNECTED;
        v->until = TDM_NEVER;
        out->changed = true;
        break;
    }
}

/* Beats go quickly while something is down, else as often as the way shall be measured. */
static tdm_time beat(struct tdm_control_view *v, tdm_time now, struct tdm_control_view_out *out)
{
    bool down = v->pressed_count || v->buttons;

    if (!down && !(v->focus && v->scopes & TDM_SCOPES_CONTROL))
        return TDM_NEVER;
    tdm_time due = v->beat_at + (down ? TDM_CONTROL_BEAT_PERIOD : BEAT_IDLE);

    if (now >= due) {
        v->beats[++v->stamp % TDM_VIEW_BEATS] = v->beat_at = now;
        add(v, TDM_CONTROL_BEAT, out)->stamp = v->stamp;
        due = now + (down ? TDM_CONTROL_BEAT_PERIOD : BEAT_IDLE);
    }
    return due;
}

void tdm_control_view_step(struct tdm_control_view *v, tdm_time now,
                           const struct tdm_control_view_in *in, struct tdm_control_view_out *out)
{
    out->count = 0;
    out->changed = false;
    if (v->until <= now && v->scopes & TDM_SCOPES_CONTROL) {
        v->scopes &= TDM_SCOPES_SEEN; /* The host says so as well, later. */
        v->until = TDM_NEVER;
        out->changed = true;
    }
    if (in)
        take_input(v, now, in, out);
    if (v->motion_waits && now >= v->motion_at)
        send_motion(v, now, out);
    out->wake_at = beat(v, now, out);
    if (v->motion_waits)
        out->wake_at = tdm_time_min(out->wake_at, v->motion_at);
    out->wake_at = tdm_time_min(out->wake_at, v->until);
}

void tdm_control_view_hello(const struct tdm_control_view *v, struct tdm_control_record *rec)
{
    *rec = (struct tdm_control_record){.kind = TDM_CONTROL_HELLO,
                                       .version = TDM_CONTROL_VERSION,
                                       .data = (const uint8_t *)v->layout,
                                       .size = (uint32_t)strlen(v->layout)};
}
