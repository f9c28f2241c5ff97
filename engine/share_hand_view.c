/* SPDX-License-Identifier: MIT */
/* What the viewer does with the window's input and the host's records. On the thread `tdm-hand`. */
#include "engine/share_hand_state.h"

static const char *sentence(enum tdm_consent_cause cause)
{
    static const char *const sentences[TDM_CAUSE_COUNT] = {
        [TDM_CAUSE_HOST_OFFERED] = "the other side shows its screen",
        [TDM_CAUSE_HOST_ALLOWED] = "the other side allowed it",
        [TDM_CAUSE_HOST_DENIED] = "the other side refused",
        [TDM_CAUSE_HOST_TOOK_BACK] = "the other side took it back",
        [TDM_CAUSE_HOST_ENDED] = "the other side ended it",
        [TDM_CAUSE_EXPIRED] = "the time is over: ask again",
        [TDM_CAUSE_HELPER_LEFT] = "given back",
        [TDM_CAUSE_DISCONNECTED] = "the connection broke",
        [TDM_CAUSE_RECONNECTED] = "the connection stands again",
        [TDM_CAUSE_UNANSWERED] = "nobody answered there",
        [TDM_CAUSE_TOO_OFTEN] = "asked too often: wait a minute",
    };

    return cause < TDM_CAUSE_COUNT && sentences[cause] ? sentences[cause] : "";
}

static uint32_t seconds_left(const struct tdm_control_view *v, tdm_time now)
{
    return v->until == TDM_NEVER || v->until <= now
               ? 0
               : (uint32_t)((v->until - now + TDM_S - 1) / TDM_S);
}

static void tell_change(struct tdm_share_hand *h, tdm_time now)
{
    const struct tdm_control_view *v = &h->view;
    uint16_t before = h->told_scopes;
    bool answered = h->told_state == TDM_CONSENT_ASKED && v->state != TDM_CONSENT_ASKED;
    bool refused = v->cause == TDM_CAUSE_HOST_DENIED || v->cause == TDM_CAUSE_UNANSWERED ||
                   v->cause == TDM_CAUSE_TOO_OFTEN;

    h->told_scopes = v->scopes;
    h->told_state = v->state;
    if (before & ~v->scopes)
        tdm_hand_tell(h, TDM_HAND_REVOKED, v->scopes, seconds_left(v, now), sentence(v->cause));
    else if (refused)
        tdm_hand_tell(h, TDM_HAND_REFUSED, v->scopes, 0, sentence(v->cause));
    else if (v->scopes & ~before || answered)
        tdm_hand_tell(h, TDM_HAND_ALLOWED, v->scopes, seconds_left(v, now), sentence(v->cause));
}

void tdm_hand_view_step(struct tdm_share_hand *h, tdm_time now,
                        const struct tdm_control_view_in *in)
{
    tdm_control_view_step(&h->view, now, in, &h->view_out);
    h->view_wake = h->view_out.wake_at;
    for (uint32_t i = 0; h->up && i < h->view_out.count; i++)
        tdm_hand_send(h, &h->view_out.records[i]);
    if (!h->view_out.changed)
        return;
    /* First, so that it holds for who hears of it. */
    tdm_hand_publish(h, h->view.scopes, h->view.until);
    tell_change(h, now);
    tdm_hand_clipboard(h, now, NULL);
}

void tdm_hand_view_link(struct tdm_share_hand *h, tdm_time now, bool resumed)
{
    struct tdm_control_record hello;

    if (!h->up) {
        tdm_hand_view_step(h, now, &(struct tdm_control_view_in){.kind = TDM_VIEW_DOWN});
        return;
    }
    if (resumed)
        return;
    tdm_control_view_init(&h->view, h->layout, now);
    h->told_scopes = 0;
    h->told_state = TDM_CONSENT_NONE;
    tdm_hand_publish(h, 0, TDM_NEVER);
    tdm_control_view_hello(&h->view, &hello);
    tdm_hand_send(h, &hello);
}
