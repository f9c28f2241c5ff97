/* SPDX-License-Identifier: MIT */
#include "collab/control_host.h"

#include "collab/control_inject.h"

#include <string.h>

#define EVENTS_PER_SECOND 1000
#define BURST             INT64_C(500000) /* Thousandths of events. */
#define NOTCH             120             /* Of a wheel. */
#define NOTCHES_MAX       16              /* Of one event. */
#define YIELD_TOLD        (250 * TDM_MS)

void tdm_control_host_init(struct tdm_control_host *h, const struct tdm_control_host_config *config,
                           tdm_time now)
{
    memset(h, 0, sizeof *h);
    h->config = *config;
    if (!h->config.events_per_second)
        h->config.events_per_second = EVENTS_PER_SECOND;
    if (h->config.revoke_count > TDM_CONTROL_REVOKES_MAX)
        h->config.revoke_count = TDM_CONTROL_REVOKES_MAX;
    tdm_consent_init(&h->consent, &h->config.consent);
    h->tokens = BURST;
    h->tokens_at = h->heard = now;
}

static void tell(struct tdm_control_host_out *out, struct tdm_control_record rec)
{
    if (out->tell_count < sizeof out->tell / sizeof *out->tell)
        out->tell[out->tell_count++] = rec;
}

static bool holds_any(const struct tdm_control_host *h)
{
    return h->held_count || h->buttons;
}

static bool has_repeating(const struct tdm_control_host *h)
{
    for (uint32_t i = 0; i < h->held_count; i++)
        if (!h->keymap.code_mod[h->held[i].code])
            return true;
    return false;
}

static void let_go(struct tdm_control_host *h, struct tdm_control_host_out *out)
{
    tdm_inject_let_go(h, true, out);
    if (h->ghost)
        tdm_inject(out, (struct tdm_control_action){.act = TDM_ACT_GHOST_GONE});
    h->ghost = false;
}

/* Runs the consent, with what of the input is for it. Whenever its number changes, everything that
 * was made under the old one ends. */
static void step_consent(struct tdm_control_host *h, tdm_time now,
                         const struct tdm_control_host_in *in, struct tdm_control_host_out *out)
{
    struct tdm_consent_in act;
    const struct tdm_consent_in *say = NULL;
    uint32_t seq = h->consent.seq;

    if (in && in->kind == TDM_HOST_CONSENT) {
        say = &in->consent;
    } else if (in && in->kind == TDM_HOST_RECORD &&
               (in->record->kind == TDM_CONTROL_ASK || in->record->kind == TDM_CONTROL_LEAVE)) {
        act = (struct tdm_consent_in){
            .kind = in->record->kind == TDM_CONTROL_ASK ? TDM_CONSENT_IN_ASK : TDM_CONSENT_IN_LEAVE,
            .scopes = in->record->scopes,
            .seconds = in->record->seconds};
        say = &act;
    }
    tdm_consent_step(&h->consent, now, say, &out->consent);
    if (h->consent.seq != seq)
        let_go(h, out);
    if (out->consent.count) {
        struct tdm_control_record rec;

        tdm_consent_tell(&h->consent, now, &rec);
        tell(out, rec);
    }
}

static bool take_tokens(struct tdm_control_host *h, tdm_time now, uint32_t events)
{
    int64_t rate = h->config.events_per_second;
    tdm_time since = tdm_time_min(now - h->tokens_at, TDM_S);

    if (since > 0) {
        h->tokens += since * rate / TDM_MS;
        h->tokens_at = now;
    }
    if (h->tokens > BURST)
        h->tokens = BURST;
    if (h->tokens < (int64_t)events * 1000) {
        h->dropped[TDM_DROP_RATE]++;
        return false;
    }
    h->tokens -= (int64_t)events * 1000;
    return true;
}

/* Pixel of a position; false: there is no such surface. */
static bool place(struct tdm_control_host *h, const struct tdm_control_record *rec, int32_t *x,
                  int32_t *y)
{
    for (int i = 0; i < TDM_CONTROL_SURFACES_MAX; i++) {
        const struct tdm_control_surface *s = &h->surfaces[i];

        if (s->width == 0 || s->height == 0 || s->id != rec->surface)
            continue;
        *x = s->x + (int32_t)(((uint64_t)rec->x * (s->width - 1) + 32767) / 65535);
        *y = s->y + (int32_t)(((uint64_t)rec->y * (s->height - 1) + 32767) / 65535);
        return true;
    }
    h->dropped[TDM_DROP_NO_WAY]++;
    return false;
}

static bool move(struct tdm_control_host *h, const struct tdm_control_record *rec,
                 struct tdm_control_host_out *out)
{
    int32_t x, y;

    if (!place(h, rec, &x, &y))
        return false;
    tdm_inject(out, (struct tdm_control_action){.act = TDM_ACT_MOVE, .x = x, .y = y});
    return true;
}

/* Whole notches of what the wheel turned; the rest waits for more, unless it turns back. */
static void wheel(int32_t *turned, int16_t by, uint8_t back, uint8_t forth,
                  struct tdm_control_host_out *out)
{
    if ((*turned < 0) != (by < 0))
        *turned = 0;
    *turned += by;
    int32_t notches = *turned / NOTCH;
    uint8_t code = notches < 0 ? back : forth;

    *turned -= notches * NOTCH;
    if (notches < 0)
        notches = -notches;
    for (int32_t i = 0; i < notches && i < NOTCHES_MAX; i++) {
        tdm_inject(out,
                   (struct tdm_control_action){.act = TDM_ACT_BUTTON, .code = code, .down = true});
        tdm_inject(out, (struct tdm_control_action){.act = TDM_ACT_BUTTON, .code = code});
    }
}

/* X11 has no way to inject touches: the first one is the pointer. */
static void touch(struct tdm_control_host *h, const struct tdm_control_record *rec,
                  struct tdm_control_host_out *out)
{
    if (rec->phase == TDM_TOUCH_BEGIN && h->touching == 0) {
        h->touching = 1;
        h->first_touch = rec->touch;
    }
    if (h->touching == 0 || rec->touch != h->first_touch) {
        h->dropped[TDM_DROP_NO_WAY]++;
        return;
    }
    (void)move(h, rec, out);
    if (rec->phase == TDM_TOUCH_BEGIN)
        tdm_inject_button(h, 1, true, out);
}

static void point(struct tdm_control_host *h, const struct tdm_control_record *rec,
                  struct tdm_control_host_out *out)
{
    int32_t x, y;

    if (!place(h, rec, &x, &y))
        return;
    h->ghost = true;
    tdm_inject(out, (struct tdm_control_action){
                        .act = TDM_ACT_GHOST, .code = rec->button, .x = x, .y = y});
}

/* What only ends something is done whoever says it under whatever grant. */
static bool is_letting_go(const struct tdm_control_record *rec)
{
    if (rec->kind == TDM_CONTROL_TOUCH)
        return rec->phase == TDM_TOUCH_END;
    return (rec->kind == TDM_CONTROL_KEY || rec->kind == TDM_CONTROL_BUTTON ||
            rec->kind == TDM_CONTROL_FOCUS) &&
           rec->press == TDM_PRESS_UP;
}

static void end_something(struct tdm_control_host *h, tdm_time now,
                          const struct tdm_control_record *rec, struct tdm_control_host_out *out)
{
    if (rec->kind == TDM_CONTROL_KEY) {
        tdm_inject_key_up(h, rec->usage, out);
        tdm_inject_agree(h, rec->mods, false, out);
    } else if (rec->kind == TDM_CONTROL_FOCUS) {
        let_go(h, out);
    } else if (h->buttons) {
        /* Where it was let go decides what a drag has moved. */
        if (tdm_consent_allows(&h->consent, now, TDM_SCOPE_POINTER, rec->seq))
            (void)move(h, rec, out);
        if (rec->kind == TDM_CONTROL_BUTTON) {
            tdm_inject_button(h, rec->button, false, out);
        } else if (h->touching && h->first_touch == rec->touch) {
            tdm_inject_button(h, 1, false, out);
            h->touching = 0;
        }
    }
}

static void perform(struct tdm_control_host *h, tdm_time now, const struct tdm_control_record *rec,
                    struct tdm_control_host_out *out)
{
    switch (rec->kind) {
    case TDM_CONTROL_KEY:
        tdm_inject_key(h, now, rec, out);
        break;
    case TDM_CONTROL_TEXT:
        tdm_inject_agree(h, 0, false, out); /* Or it would be commands. */
        tdm_inject_text(h, rec->data, rec->size);
        break;
    case TDM_CONTROL_MOVE:
        (void)move(h, rec, out);
        break;
    case TDM_CONTROL_NUDGE:
        tdm_inject(out,
                   (struct tdm_control_action){.act = TDM_ACT_NUDGE, .x = rec->dx, .y = rec->dy});
        break;
    case TDM_CONTROL_BUTTON:
        tdm_inject_agree(h, rec->mods,
                         tdm_consent_allows(&h->consent, now, TDM_SCOPE_KEYBOARD, rec->seq), out);
        if (move(h, rec, out))
            tdm_inject_button(h, rec->button, true, out);
        break;
    case TDM_CONTROL_WHEEL:
        wheel(&h->wheel_y, rec->dy, 4, 5, out);
        wheel(&h->wheel_x, rec->dx, 6, 7, out);
        break;
    case TDM_CONTROL_TOUCH:
        touch(h, rec, out);
        break;
    case TDM_CONTROL_POINT:
        point(h, rec, out);
        break;
    default:
        break;
    }
}

/* Records that ask for an effect: whether it may happen now. */
static bool may(struct tdm_control_host *h, tdm_time now, const struct tdm_control_record *rec)
{
    uint16_t scope = tdm_control_scope(rec);
    uint32_t events = rec->kind == TDM_CONTROL_TEXT ? 1 + rec->size / 8 : 1;

    if (!scope || scope & ~(TDM_SCOPE_POINT | TDM_SCOPE_POINTER | TDM_SCOPE_KEYBOARD))
        return false;
    if (!tdm_consent_allows(&h->consent, now, scope, rec->seq)) {
        h->dropped[rec->seq == h->consent.seq ? TDM_DROP_SCOPE : TDM_DROP_STALE]++;
        return false;
    }
    if (now < h->yield_until && scope != TDM_SCOPE_POINT) {
        h->dropped[TDM_DROP_YIELD]++;
        return false;
    }
    return take_tokens(h, now, events);
}

static void take_record(struct tdm_control_host *h, tdm_time now,
                        const struct tdm_control_record *rec, struct tdm_control_host_out *out)
{
    h->heard = now;
    if (rec->kind == TDM_CONTROL_HELLO) {
        if (rec->size)
            memcpy(h->helper_layout, rec->data, rec->size);
        h->helper_layout[rec->size] = '\0';
        h->helper_known = true;
        tell(out, (struct tdm_control_record){.kind = TDM_CONTROL_LOCKS, .mods = h->locks});
    } else if (rec->kind == TDM_CONTROL_BEAT) {
        tdm_inject_agree(h, rec->mods, false, out);
        if (take_tokens(h, now, 1))
            tell(out, (struct tdm_control_record){.kind = TDM_CONTROL_ECHO, .stamp = rec->stamp});
    } else if (is_letting_go(rec)) {
        end_something(h, now, rec, out);
    } else if (rec->kind == TDM_CONTROL_FOCUS) {
        tdm_inject_agree(h, rec->mods, false, out);
    } else if (may(h, now, rec)) {
        perform(h, now, rec, out);
    }
}

/* The person at the machine acts: the helper waits. */
static void yield_to_person(struct tdm_control_host *h, tdm_time now,
                            struct tdm_control_host_out *out)
{
    h->yield_until = now + TDM_CONTROL_YIELD_TIME;
    tdm_inject_let_go(h, true, out);
    if (now < h->told_yield && h->told_yield - now <= YIELD_TOLD)
        return;
    h->told_yield = now + YIELD_TOLD;
    if (tdm_consent_scopes(&h->consent, now) & TDM_SCOPES_CONTROL)
        tell(out, (struct tdm_control_record){.kind = TDM_CONTROL_YIELD,
                                              .milliseconds =
                                                  (uint32_t)(TDM_CONTROL_YIELD_TIME / TDM_MS)});
}

/* Spare keys that the new layout has as well keep the symbols that we gave them. */
static void take_keymap(struct tdm_control_host *h, const struct tdm_keymap *map)
{
    bool same = h->spare_count == map->spare_count;

    assert(map->spare_count <= TDM_KEYMAP_SPARES && map->entry_count <= TDM_KEYMAP_ENTRIES);
    for (uint32_t i = 0; same && i < map->spare_count; i++)
        same = h->spares[i].code == map->spares[i];
    h->keymap = *map;
    if (same)
        return;
    memset(h->spares, 0, sizeof h->spares);
    h->spare_count = map->spare_count;
    for (uint32_t i = 0; i < map->spare_count; i++)
        h->spares[i].code = map->spares[i];
}

static void take_input(struct tdm_control_host *h, tdm_time now,
                       const struct tdm_control_host_in *in, struct tdm_control_host_out *out)
{
    switch (in->kind) {
    case TDM_HOST_RECORD:
        take_record(h, now, in->record, out);
        break;
    case TDM_HOST_CONSENT:
        break; /* Done. */
    case TDM_HOST_KEYMAP:
        take_keymap(h, in->keymap);
        break;
    case TDM_HOST_SURFACES:
        memcpy(h->surfaces, in->surfaces, sizeof h->surfaces);
        break;
    case TDM_HOST_LOCKS:
        if (h->locks != (in->mods & TDM_MODS_LOCKS))
            tell(out, (struct tdm_control_record){.kind = TDM_CONTROL_LOCKS,
                                                  .mods = in->mods & TDM_MODS_LOCKS});
        h->locks = in->mods & TDM_MODS_LOCKS;
        break;
    case TDM_HOST_LOCAL:
        yield_to_person(h, now, out);
        break;
    }
}

void tdm_control_host_step(struct tdm_control_host *h, tdm_time now,
                           const struct tdm_control_host_in *in, struct tdm_control_host_out *out)
{
    out->count = 0;
    out->tell_count = 0;
    step_consent(h, now, in, out);
    bool heard_now = in && in->kind == TDM_HOST_RECORD;

    /* While text is typed the caller gives no records: that is no silence. */
    if (!heard_now && !h->queue_count) {
        if (holds_any(h) && now - h->heard >= TDM_CONTROL_SILENCE)
            let_go(h, out);
        else if (has_repeating(h) && now - h->heard >= TDM_CONTROL_SILENCE_KEY)
            tdm_inject_let_go(h, false, out);
    }
    if (in)
        take_input(h, now, in, out);
    bool typed = h->queue_count > 0;

    out->wake_at = tdm_inject_pump(h, now, out);
    out->busy = h->queue_count > 0;
    if (typed && !out->busy)
        h->heard = now;
    out->wake_at = tdm_time_min(out->wake_at, out->consent.wake_at);
    if (holds_any(h))
        out->wake_at = tdm_time_min(out->wake_at, h->heard + TDM_CONTROL_SILENCE);
    if (has_repeating(h))
        out->wake_at = tdm_time_min(out->wake_at, h->heard + TDM_CONTROL_SILENCE_KEY);
    h->done += out->count;
}

uint32_t tdm_control_host_held(const struct tdm_control_host *h)
{
    return h->held_count + (uint32_t)__builtin_popcount(h->buttons);
}

void tdm_control_host_hello(const struct tdm_control_host *h, struct tdm_control_record *rec)
{
    *rec = (struct tdm_control_record){.kind = TDM_CONTROL_HELLO,
                                       .version = TDM_CONTROL_VERSION,
                                       .data = (const uint8_t *)h->keymap.name,
                                       .size = (uint32_t)strlen(h->keymap.name)};
}
