/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_LIPSYNC_H
#define TDM_CORE_LIPSYNC_H

/*
 * Keeps eye and ear within 20 ms of each other. Who is ahead waits just enough to be at most a
 * little ahead, as delay is what we least want: the sound by the least playout delay that the audio
 * side is asked for; a picture, whose sound comes later because the playout holds against jitter
 * what pictures do not, by the age at which it is shown.
 */

#include "engine/base/time.h"

#include <stdbool.h>

#define TDM_LIPSYNC_EARLY_MAX (20 * TDM_MS)  /* Sound may be early by this. */
#define TDM_LIPSYNC_LATE_AIM  (20 * TDM_MS)  /* Pictures wait until it is late by this; */
#define TDM_LIPSYNC_HOLD_MAX  (150 * TDM_MS) /* so long at most. */
#define TDM_LIPSYNC_STEP_MAX  (40 * TDM_MS)  /* Of the ask, per period. */
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
    tdm_time low, low_before,
        low_since;  /* Least audio latency of this piece of time and the last. */
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

/** Capture to present, at least, of pictures from now on; 0: they are shown as they come. */
tdm_time tdm_lipsync_picture_age(const struct tdm_lipsync *l);

/** Until when a picture that can be shown from `now` on waits, with `age` as above. `captured`: on
 *  our clock; when that is in the future or not known (TDM_NEVER), it does not. */
tdm_time tdm_lipsync_show_at(tdm_time age, tdm_time captured, tdm_time now);

#endif
