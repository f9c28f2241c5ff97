/* SPDX-License-Identifier: MIT */
/* What the host does with the helper's records and the person's acts. On the thread `tdm-hand`. */
#include "engine/share_hand_state.h"

#include "engine/io/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define REVOKE_KEY "Ctrl+Alt+End"
#define HAND_SHOWN (2 * TDM_S)
/* A click on the indicator so soon after a button was injected may be the helper's. */
#define DOUBTFUL (400 * TDM_MS)

uint16_t tdm_hand_host_scopes(const struct tdm_share_hand *h, tdm_time now)
{
    return h->up ? tdm_consent_scopes(&h->host.consent, now) : 0;
}

static void write_log(struct tdm_share_hand *h, const struct tdm_consent_entry *e)
{
    char before[128], after[128], when[32];
    FILE *file = h->log_path ? fopen(h->log_path, "ae") : NULL;

    if (!file)
        return;
    time_t wall = (time_t)((e->at + tdm_clock_wall_offset()) / TDM_S);
    struct tm utc;

    (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&wall, &utc));
    (void)fprintf(file, "%s %s: %s -> %s, %s, from \"%s\" to \"%s\"\n", when, h->peer,
                  tdm_consent_state_name(e->from), tdm_consent_state_name(e->to),
                  tdm_consent_cause_name(e->cause),
                  tdm_scopes_text(e->scopes_before, before, sizeof before),
                  tdm_scopes_text(e->scopes_after, after, sizeof after));
    (void)fclose(file);
}

static uint32_t seconds_left(tdm_time now, tdm_time until)
{
    return until == TDM_NEVER || until <= now ? 0 : (uint32_t)((until - now + TDM_S - 1) / TDM_S);
}

static const char *end_key(const struct tdm_share_hand *h)
{
    return h->config.revoke_key ? h->config.revoke_key : REVOKE_KEY;
}

/* Who sees, what they may do, and for how long. */
static void show_state(struct tdm_share_hand *h, tdm_time now)
{
    char text[256] = "", scopes[128] = "", left[32] = "";
    const struct tdm_consent *c = &h->host.consent;
    uint16_t held = tdm_hand_host_scopes(h, now);
    uint32_t seconds = seconds_left(now, c->until);

    h->indicator_wake = TDM_NEVER;
    if (!h->indicator)
        return;
    if (held & TDM_SCOPES_CONTROL && seconds) {
        (void)snprintf(left, sizeof left, ", %u:%02u left", seconds / 60, seconds % 60);
        h->indicator_wake = now + TDM_S;
    }
    if (held & TDM_SCOPES_CONTROL)
        (void)snprintf(text, sizeof text,
                       "%.60s sees your screen and may use: %s%s  |  click here or %s ends it",
                       h->peer, tdm_scopes_text(held & TDM_SCOPES_CONTROL, scopes, sizeof scopes),
                       left, end_key(h));
    else if (held & TDM_SCOPE_VIEW)
        (void)snprintf(text, sizeof text, "%.60s sees your screen  |  click here or %s ends it",
                       h->peer, end_key(h));
    tdm_indicator_show(h->indicator, text, held & TDM_SCOPES_CONTROL);
}

/* What was allowed beforehand, until its time is over. That time begins once, however often the
 * other side calls or asks. */
static uint16_t wish_of(const struct tdm_share_hand *h, tdm_time now)
{
    return h->config.offer | (now < h->wish_until ? h->config.allow : 0);
}

static void tell_change(struct tdm_share_hand *h, tdm_time now, const struct tdm_consent_entry *e)
{
    const char *cause = tdm_consent_cause_name(e->cause);
    uint16_t held = tdm_hand_host_scopes(h, now);
    tdm_time from = tdm_consent_answer_from(&h->host.consent);

    write_log(h, e);
    if (e->to == TDM_CONSENT_ASKED && !(e->asked & ~wish_of(h, now)))
        return; /* It has its answer: nobody is asked. */
    if (e->to == TDM_CONSENT_ASKED)
        tdm_hand_tell(h, TDM_HAND_ASKED, e->asked, seconds_left(now, from),
                      tdm_consent_warning(&h->host.consent));
    else if (e->scopes_before & ~e->scopes_after)
        tdm_hand_tell(h, TDM_HAND_REVOKED, held, 0, cause);
    else
        tdm_hand_tell(h, TDM_HAND_ALLOWED, held, seconds_left(now, e->until), cause);
}

/* Under the indicator nothing is pressed from afar. */
static bool is_kept_off(const struct tdm_share_hand *h, const struct tdm_control_action *a)
{
    struct tdm_rect area = h->indicator ? tdm_indicator_area(h->indicator) : (struct tdm_rect){0};

    return a->act == TDM_ACT_BUTTON && a->down &&
           !tdm_rect_empty(
               tdm_rect_both(area, (struct tdm_rect){h->injected_x, h->injected_y, 1, 1}));
}

static void perform(struct tdm_share_hand *h, tdm_time now)
{
    struct tdm_control_host_out *out = &h->host_out;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < out->count; i++) {
        const struct tdm_control_action *a = &out->actions[i];

        if (a->act == TDM_ACT_GHOST) {
            struct tdm_hand_event event = {
                .kind = TDM_HAND_POINTED, .x = a->x, .y = a->y, .value = a->code};

            if (h->indicator)
                tdm_indicator_point(h->indicator, a->x, a->y, now + HAND_SHOWN);
            h->config.tell(h->config.arg, &event);
        }
        if (a->act == TDM_ACT_BUTTON && a->down)
            h->pressed_at = now;
        if (a->act == TDM_ACT_MOVE) {
            h->injected_x = a->x;
            h->injected_y = a->y;
        }
        if (!is_kept_off(h, a))
            out->actions[kept++] = *a;
    }
    if (kept && h->input && h->input_ops->perform(h->input, out->actions, kept) != TDM_OK)
        tdm_hand_tell(h, TDM_HAND_NOTICE, 0, 0, "the display takes no input any more");
}

static void step(struct tdm_share_hand *h, tdm_time now, const struct tdm_control_host_in *in)
{
    tdm_control_host_step(&h->host, now, in, &h->host_out);
    h->host_wake = h->host_out.wake_at;
    tdm_hand_publish(h, tdm_hand_host_scopes(h, now), h->host.consent.until);
    perform(h, now);
    for (uint32_t i = 0; h->up && i < h->host_out.tell_count; i++)
        tdm_hand_send(h, &h->host_out.tell[i]);
    for (uint32_t i = 0; i < h->host_out.consent.count; i++)
        tell_change(h, now, &h->host_out.consent.entries[i]);
    if (h->host_out.consent.count) {
        show_state(h, now);
        tdm_hand_clipboard(h, now, NULL);
    }
    uint64_t refused = 0;

    for (int i = 0; i < TDM_DROP_COUNT; i++)
        refused += h->host.dropped[i];
    pthread_mutex_lock(&h->lock);
    h->figures.done = h->host.done;
    h->figures.refused = refused;
    pthread_mutex_unlock(&h->lock);
}

static void consent(struct tdm_share_hand *h, tdm_time now, const struct tdm_consent_in *act)
{
    step(h, now, &(struct tdm_control_host_in){.kind = TDM_HOST_CONSENT, .consent = *act});
}

static void allow_by_wish(struct tdm_share_hand *h, tdm_time now)
{
    uint32_t seconds = TDM_CONSENT_SECONDS_MAX;

    if (h->config.allow_s) {
        h->wish_until = tdm_time_min(h->wish_until, now + h->config.allow_s * TDM_S);
        seconds = seconds_left(now, h->wish_until);
    }
    consent(h, now,
            &(struct tdm_consent_in){
                .kind = TDM_CONSENT_IN_ALLOW, .scopes = h->host.consent.asked, .seconds = seconds});
}

/* What was allowed beforehand needs no person. */
static void answer_by_wish(struct tdm_share_hand *h, tdm_time now)
{
    const struct tdm_consent *c = &h->host.consent;

    if (c->state == TDM_CONSENT_ASKED && !(c->asked & ~wish_of(h, now)))
        allow_by_wish(h, now);
}

/* Nor a question: it holds from when the other side may see. */
static void give_wish(struct tdm_share_hand *h, tdm_time now)
{
    uint16_t held = tdm_hand_host_scopes(h, now), more = wish_of(h, now) & (uint16_t)~held;

    if (!(held & TDM_SCOPE_VIEW) || !more || h->host.consent.asked)
        return;
    consent(h, now, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_ASK, .scopes = more});
    answer_by_wish(h, now);
}

/* The person thought otherwise: from now on he is asked. */
static void end_wish(struct tdm_share_hand *h, uint16_t left)
{
    h->config.offer &= left;
    h->config.allow &= left;
}

void tdm_hand_host_record(struct tdm_share_hand *h, tdm_time now,
                          const struct tdm_control_record *rec)
{
    if (h->locked && tdm_control_scope(rec))
        return;
    step(h, now, &(struct tdm_control_host_in){.kind = TDM_HOST_RECORD, .record = rec});
    answer_by_wish(h, now);
}

void tdm_hand_host_act(struct tdm_share_hand *h, tdm_time now, const struct tdm_hand_act *act)
{
    const struct tdm_consent *c = &h->host.consent;
    struct tdm_consent_in in = act->act;

    if (!act->answer) {
        consent(h, now, &in);
        return;
    }
    bool asked = c->state == TDM_CONSENT_ASKED;
    uint16_t held = tdm_hand_host_scopes(h, now), lost = held & (uint16_t)~in.scopes;

    if (asked) {
        in.scopes &= c->asked;
        in.kind = in.scopes ? TDM_CONSENT_IN_ALLOW : TDM_CONSENT_IN_DENY;
    } else if (lost) {
        in.scopes = lost;
        in.kind = TDM_CONSENT_IN_TAKE_BACK;
        end_wish(h, (uint16_t)~lost);
    } else if (in.seconds) {
        in.kind = TDM_CONSENT_IN_EXTEND;
    } else {
        return;
    }
    consent(h, now, &in);
    if (h->host_out.consent.refused)
        tdm_hand_tell(h, TDM_HAND_NOTICE, held, seconds_left(now, c->answer_from),
                      "a yes counts in a moment: look at what is asked for first");
    else if (in.kind == TDM_CONSENT_IN_ALLOW)
        give_wish(h, now);
}

void tdm_hand_host_areas(struct tdm_share_hand *h, tdm_time now,
                         const struct tdm_control_surface *areas)
{
    step(h, now, &(struct tdm_control_host_in){.kind = TDM_HOST_SURFACES, .surfaces = areas});
}

/* Nothing of before counts for who is there now, whoever it is. */
static void begin(struct tdm_share_hand *h, tdm_time now)
{
    struct tdm_control_host_config config = {.consent = h->config.consent};
    struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX];
    uint16_t locks = h->host.locks;

    config.consent.seq = h->host.consent.seq + 1;
    memcpy(areas, h->host.surfaces, sizeof areas);
    if (h->input)
        config.revoke_count = h->input_ops->revoke_codes(h->input, config.revoke_codes);
    tdm_control_host_init(&h->host, &config, now);
    step(h, now, &(struct tdm_control_host_in){.kind = TDM_HOST_SURFACES, .surfaces = areas});
    step(h, now, &(struct tdm_control_host_in){.kind = TDM_HOST_LOCKS, .mods = locks});
    step(h, now, &(struct tdm_control_host_in){.kind = TDM_HOST_KEYMAP, .keymap = &h->keymap});
}

void tdm_hand_host_link(struct tdm_share_hand *h, tdm_time now, bool resumed)
{
    struct tdm_control_record hello;

    if (!h->up) {
        consent(h, now, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_DOWN});
        show_state(h, now);
        tdm_hand_publish(h, 0, TDM_NEVER);
        return;
    }
    if (resumed) {
        consent(h, now, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_UP});
    } else {
        begin(h, now);
        tdm_control_host_hello(&h->host, &hello);
        tdm_hand_send(h, &hello);
    }
    if (h->config.offer && h->host.consent.state == TDM_CONSENT_NONE)
        consent(h, now,
                &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_OFFER, .scopes = h->config.offer});
    else {
        tdm_consent_tell(&h->host.consent, now, &hello);
        tdm_hand_send(h, &hello);
    }
    if (!resumed)
        give_wish(h, now);
    show_state(h, now);
}

static void take_keymap(struct tdm_share_hand *h, tdm_time now)
{
    if (h->input_ops->keymap(h->input, &h->keymap) == TDM_OK)
        step(h, now, &(struct tdm_control_host_in){.kind = TDM_HOST_KEYMAP, .keymap = &h->keymap});
}

static void end_by(struct tdm_share_hand *h, tdm_time now, const char *how)
{
    tdm_hand_tell(h, TDM_HAND_NOTICE, 0, 0, how);
    end_wish(h, 0);
    consent(h, now, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_END});
}

/* What the person at the machine does. */
static void take_local(struct tdm_share_hand *h, tdm_time now)
{
    uint16_t mods = 0;

    for (;;) {
        enum tdm_input_event event =
            h->input ? h->input_ops->next(h->input, &mods) : TDM_INPUT_NOTHING;

        switch (event) {
        case TDM_INPUT_KEYMAP:
            take_keymap(h, now);
            break;
        case TDM_INPUT_LOCKS:
            step(h, now, &(struct tdm_control_host_in){.kind = TDM_HOST_LOCKS, .mods = mods});
            break;
        case TDM_INPUT_LOCAL:
            step(h, now, &(struct tdm_control_host_in){.kind = TDM_HOST_LOCAL});
            break;
        case TDM_INPUT_REVOKE:
            end_by(h, now, "ended by the key");
            break;
        case TDM_INPUT_GONE:
            h->input_ops->destroy(h->input);
            h->input = NULL;
            end_by(h, now, "the display is gone");
            return;
        default:
            return;
        }
    }
}

static void take_indicator(struct tdm_share_hand *h, tdm_time now)
{
    if (!h->indicator)
        return;
    switch (tdm_indicator_step(h->indicator, now)) {
    case TDM_INDICATOR_CLICK:
        if (now - h->pressed_at > DOUBTFUL)
            end_by(h, now, "ended by a click on the bar");
        break;
    case TDM_INDICATOR_GONE:
        tdm_indicator_destroy(h->indicator);
        h->indicator = NULL;
        end_by(h, now, "the display or the bar on it is gone");
        break;
    default:
        break;
    }
}

tdm_time tdm_hand_host_run(struct tdm_share_hand *h, tdm_time now)
{
    take_local(h, now);
    take_indicator(h, now);
    if (now >= h->host_wake)
        step(h, now, NULL);
    if (now >= h->indicator_wake)
        show_state(h, now);
    tdm_time wake = tdm_time_min(h->host_wake, h->indicator_wake);

    return h->indicator ? tdm_time_min(wake, tdm_indicator_wake(h->indicator)) : wake;
}

enum tdm_err tdm_hand_host_open(struct tdm_share_hand *h, struct tdm_cause *cause)
{
    const struct tdm_input_config input = {.display = h->config.display, .revoke_key = end_key(h)};
    struct tdm_control_host_config core = {.consent = h->config.consent};
    enum tdm_err err = TDM_OK;

    h->pressed_at = -TDM_S;
    h->wish_until = TDM_NEVER;
    h->input_ops = h->config.no_display ? &tdm_list_input : &tdm_x11_input;
    err = h->input_ops->create(&input, &h->input, cause);
    if (err != TDM_OK)
        return err;
    if (!h->config.no_display)
        err = tdm_indicator_create(&h->indicator, h->config.display, cause);
    if (err != TDM_OK)
        return err;
    tdm_control_host_init(&h->host, &core, tdm_clock_now());
    take_keymap(h, tdm_clock_now());
    return TDM_OK;
}

void tdm_hand_host_close(struct tdm_share_hand *h)
{
    struct tdm_consent_in end = {.kind = TDM_CONSENT_IN_END};

    /* What is held down is let go of. */
    if (h->running)
        consent(h, tdm_clock_now(), &end);
    if (h->input)
        h->input_ops->destroy(h->input);
    tdm_indicator_destroy(h->indicator);
}
