/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_LIPSYNC_H
#define TDM_CORE_LIPSYNC_H

/*
 * Keeps sound from running ahead of the picture. Sound that is early is noticed from about 45 ms,
 * late sound only from about 125 ms (ITU-R BT.1359), and delay is what we least want: so the sound
 * is held back just enough to be at most a little early, the picture never. It decides one number,
 * the least playout delay that the audio side is asked for.
 */

#include "engine/base/time.h"

#include <stdbool.h>

#define TDM_LIPSYNC_EARLY_MAX (20 * TDM_MS) /* Sound may be early by this. */
#define TDM_LIPSYNC_STEP_MAX  (40 * TDM_MS) /* Of the ask, per period. */
#define TDM_LIPSYNC_PERIOD    (500 * TDM_MS)
#define TDM_LIPSYNC_ASK_MAX   (600 * TDM_MS)

struct tdm_lipsync_in {
    tdm_time audio_latency; /* Capture to play; TDM_NEVER = not known now. */
    tdm_time video_latency; /* Capture to present; TDM_NEVER = no picture now. */
    tdm_time playout_delay; /* The part of audio_latency that the playout adds now. */
};

/** Owned by the session. */
struct tdm_lipsync {
    bool known;
    double skew_ns; /* Audio less video latency, smoothed over about a second. */
    tdm_time sampled_at, decided_at;
    tdm_time ask; /* Least playout delay; 0 = do not care. */
};

void tdm_lipsync_init(struct tdm_lipsync *l, tdm_time now);

/**
 * One measurement, as often as there are any. Returns the least playout delay to ask for; it
 * changes at most once in a period.
 */
tdm_time tdm_lipsync_step(struct tdm_lipsync *l, tdm_time now, const struct tdm_lipsync_in *in);

#endif
