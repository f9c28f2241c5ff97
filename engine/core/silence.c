/* SPDX-License-Identifier: MIT */
#include "engine/core/silence.h"

static tdm_time limit_ahead(tdm_time from, tdm_time length, tdm_time now)
{
    return from + length > now ? from + length : TDM_NEVER;
}

void tdm_silence_step(struct tdm_silence *s, tdm_time now, const struct tdm_silence_in *in,
                      struct tdm_silence_out *out)
{
    bool begins = in->up && (!s->up || (s->held && !in->held));

    *out = (struct tdm_silence_out){.wake_at = TDM_NEVER};
    s->up = in->up;
    s->held = in->held;
    if (begins) {
        s->since = now;
        s->told = false;
    }
    if (!in->up)
        return;
    tdm_time from = s->since;
    tdm_time end = in->end * (in->held ? TDM_SILENCE_HELD_PATIENCE : 1);

    if (in->last_received != TDM_NEVER && in->last_received > from)
        from = in->last_received;
    out->quiet = tdm_time_max(now - from, 0);
    out->tell = out->quiet >= in->notice && !s->told;
    s->told = out->quiet >= in->notice;
    out->over = out->quiet >= end;
    out->wake_at = tdm_time_min(limit_ahead(from, in->notice, now), limit_ahead(from, end, now));
}
