/* SPDX-License-Identifier: MIT */
#include "engine/core/lipsync.h"

#define SMOOTH      TDM_S
#define LOW_PIECE   (80 * TDM_MS)
#define AIM_EARLY   (10 * TDM_MS) /* Where a correction ends: sound early by this. */
#define LATENCY_MAX (10 * TDM_S)  /* A measurement beyond this is none. */

void tdm_lipsync_init(struct tdm_lipsync *l, tdm_time now)
{
    *l = (struct tdm_lipsync){.sampled_at = now,
                              .decided_at = now,
                              .low = TDM_NEVER,
                              .low_before = TDM_NEVER,
                              .low_since = now};
}

static bool measured(tdm_time latency)
{
    return latency > -LATENCY_MAX && latency < LATENCY_MAX;
}

static void smooth(struct tdm_lipsync *l, tdm_time now, double skew)
{
    tdm_time since = tdm_time_max(now - l->sampled_at, 0);
    double share = (double)since / (double)(since + SMOOTH);

    l->skew_ns += l->known ? share * (skew - l->skew_ns) : skew - l->skew_ns;
    l->known = true;
    l->sampled_at = now;
}

/* What is late for a moment, after a gap or a stall of the device, is nothing to wait for. */
static void note_low(struct tdm_lipsync *l, tdm_time now, tdm_time audio_latency)
{
    if (now - l->low_since >= LOW_PIECE) {
        l->low_before = l->low;
        l->low = TDM_NEVER;
        l->low_since = now;
    }
    l->low = tdm_time_min(l->low, audio_latency);
}

/* The ask that would bring the sound to the edge of what is allowed, from where it is now. */
static tdm_time wanted(const struct tdm_lipsync *l, tdm_time playout_delay)
{
    tdm_time skew = (tdm_time)l->skew_ns;

    if (skew >= -TDM_LIPSYNC_EARLY_MAX && skew <= 0)
        return l->ask;
    if (skew > 0 && l->ask == 0)
        return 0; /* Late on its own account: nothing to take back. */
    return playout_delay - skew - AIM_EARLY;
}

tdm_time tdm_lipsync_step(struct tdm_lipsync *l, tdm_time now, const struct tdm_lipsync_in *in)
{
    bool both =
        measured(in->audio_latency) && measured(in->video_latency) && measured(in->playout_delay);

    if (both) {
        smooth(l, now, (double)(in->audio_latency - in->video_latency));
        note_low(l, now, in->audio_latency);
    } else {
        l->known = false;
        l->low = l->low_before = TDM_NEVER;
    }
    if (now - l->decided_at < TDM_LIPSYNC_PERIOD)
        return l->ask;
    l->decided_at = now;

    tdm_time ask = l->known ? wanted(l, in->playout_delay) : 0;
    ask = tdm_time_min(tdm_time_max(ask, 0), TDM_LIPSYNC_ASK_MAX);
    ask = tdm_time_min(ask, l->ask + TDM_LIPSYNC_STEP_MAX);
    l->ask = tdm_time_max(ask, l->ask - TDM_LIPSYNC_STEP_MAX);
    return l->ask;
}

tdm_time tdm_lipsync_picture_age(const struct tdm_lipsync *l)
{
    if (!l->known || l->low_before == TDM_NEVER)
        return 0;
    return tdm_time_max(tdm_time_min(l->low, l->low_before) - TDM_LIPSYNC_LATE_AIM, 0);
}

tdm_time tdm_lipsync_show_at(tdm_time age, tdm_time captured, tdm_time now)
{
    if (captured > now)
        return now;
    return tdm_time_max(now, tdm_time_min(captured + age, now + TDM_LIPSYNC_HOLD_MAX));
}
