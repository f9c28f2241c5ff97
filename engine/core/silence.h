/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_SILENCE_H
#define TDM_CORE_SILENCE_H

/*
 * When the other side counts as gone. SIP does not say that a machine died; the silence of its RTP
 * and RTCP does. First the silence is worth a word, later it is the end of the call. RTCP goes on
 * during hold, but an old peer may send none: a held call has more patience, and when it is resumed
 * the count begins anew.
 */

#include "engine/base/time.h"

#include <stdbool.h>

#define TDM_SILENCE_NOTICE        (5 * TDM_S)  /* What a program asks for that has no other wish. */
#define TDM_SILENCE_END           (30 * TDM_S) /* Likewise. */
#define TDM_SILENCE_HELD_PATIENCE 4            /* The end is so many times further away. */

struct tdm_silence_in {
    bool up, held;          /* The call; held by either side. */
    tdm_time last_received; /* RTP or RTCP; TDM_NEVER: nothing yet. */
    tdm_time notice, end;   /* The lengths of silence that matter. */
};

struct tdm_silence_out {
    bool tell;        /* Now is the moment to speak of it; once in a silence. */
    bool over;        /* The peer is gone. */
    tdm_time quiet;   /* How long nothing came; 0 while the call is not up. */
    tdm_time wake_at; /* The next limit, later than now; TDM_NEVER: none is ahead. */
};

/** Owned by the call. All zero: a call that is not up yet. */
struct tdm_silence {
    bool up, held, told;
    tdm_time since; /* No silence counts from before this. */
};

void tdm_silence_step(struct tdm_silence *s, tdm_time now, const struct tdm_silence_in *in,
                      struct tdm_silence_out *out);

#endif
