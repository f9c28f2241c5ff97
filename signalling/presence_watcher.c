/* SPDX-License-Identifier: MIT */
#include "signalling/presence_watcher.h"

#include <stddef.h>

void tdm_watcher_init(struct tdm_watcher *w)
{
    *w = (struct tdm_watcher){.lapses = TDM_NEVER};
}

static void asks(struct tdm_watcher *w, tdm_time now, const struct tdm_watcher_in *in,
                 struct tdm_watcher_out *out)
{
    uint32_t expires = in->expires_s;

    w->policy = in->policy;
    if (w->policy == TDM_POLICY_BLOCK) {
        out->code = 403;
        w->ending = w->on ? "rejected" : NULL;
        out->over = !w->on;
        return;
    }
    if (expires && expires < TDM_WATCHER_EXPIRES_MIN) {
        out->code = 423;
        out->min_expires_s = TDM_WATCHER_EXPIRES_MIN;
        out->over = !w->on;
        return;
    }
    if (expires > TDM_WATCHER_EXPIRES)
        expires = TDM_WATCHER_EXPIRES;
    out->code = w->policy == TDM_POLICY_ASK ? 202 : 200;
    out->expires_s = expires;
    w->on = w->due = true;
    w->lapses = now + expires * TDM_S;
    w->next = now;
    if (!expires)
        w->ending = "timeout"; /* Asks once, or leaves. */
    if (w->policy == TDM_POLICY_ASK && !w->asked)
        out->ask = w->asked = true;
}

static void decided(struct tdm_watcher *w, enum tdm_watch_policy policy)
{
    if (!w->on || policy == w->policy)
        return;
    w->policy = policy;
    w->due = true;
    if (policy == TDM_POLICY_BLOCK)
        w->ending = "rejected";
}

static void take(struct tdm_watcher *w, tdm_time now, const struct tdm_watcher_in *in,
                 struct tdm_watcher_out *out)
{
    switch (in->kind) {
    case TDM_WATCHER_TIME:
        break;
    case TDM_WATCHER_ASKS:
        asks(w, now, in, out);
        break;
    case TDM_WATCHER_DECIDED:
        decided(w, in->policy);
        break;
    case TDM_WATCHER_CHANGED:
        w->due |= w->on && w->policy == TDM_POLICY_ALLOW;
        break;
    case TDM_WATCHER_NOTIFIED:
        w->under_way = false;
        if (in->code / 100 != 2) /* Whoever does not hear us is forgotten (section 4.2.2). */
            out->over = true;
        break;
    case TDM_WATCHER_CLOSE:
        if (w->on && !w->ending)
            w->ending = "deactivated";
        break;
    }
}

/* What is told now: one at a time, and not in a burst unless it is the last. */
static void tell(struct tdm_watcher *w, tdm_time now, struct tdm_watcher_out *out)
{
    if (!w->on || w->under_way || (!w->due && !w->ending) || (!w->ending && now < w->next))
        return;
    out->notify = w->policy == TDM_POLICY_ALLOW ? TDM_WATCHER_REAL : TDM_WATCHER_OFFLINE;
    out->pending = w->policy == TDM_POLICY_ASK && !w->ending;
    out->terminated = w->ending != NULL;
    out->reason = w->ending;
    out->left_s = w->lapses > now ? (uint32_t)((w->lapses - now) / TDM_S) : 0;
    out->over = out->terminated;
    w->due = false;
    w->under_way = true;
    w->next = now + TDM_WATCHER_PACE;
}

void tdm_watcher_step(struct tdm_watcher *w, tdm_time now, const struct tdm_watcher_in *in,
                      struct tdm_watcher_out *out)
{
    *out = (struct tdm_watcher_out){.wake_at = TDM_NEVER};
    if (in)
        take(w, now, in, out);
    if (w->on && now >= w->lapses && !w->ending)
        w->ending = "timeout";
    if (!out->over)
        tell(w, now, out);
    if (out->over)
        w->on = false;
    if (w->on && !w->under_way)
        out->wake_at = w->due ? w->next : w->lapses;
}
