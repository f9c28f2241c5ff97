/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_SHARE_H
#define TDM_CORE_SHARE_H

/*
 * How much of a link the data channel may use beside a call: what sound and picture leave, less a
 * part of it that keeps the queue empty. The size of the link is known where feedback on each
 * packet lets pictures measure it (call_rate.h), and found otherwise. While
 * the channel uses what it was given, the share grows, fast until the first sign of a queue and
 * slowly later; the sign is that the call's round trip is longer than it can be, or that the other
 * side reports loss. Then what sound, picture and channel sent together is what the link carries,
 * and the share drops below what is left of that, holds, and after a while looks for more.
 *
 * It knows neither how media finds its rate (engine/core/rate.h; that yields to a far longer queue,
 * so that the channel always yields first) nor which stream of the channel sends
 * (engine/core/channel.h, to which the share goes as TDM_CHANNEL_BUDGET).
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_SHARE_MIN_BPS   64000 /* The channel never stands still, */
#define TDM_SHARE_SMALL_BPS 16000 /* not where pictures have a few times this, either. */
#define TDM_SHARE_MAX_BPS   10000000000

struct tdm_share_in {
    bool media;         /* Sound or picture runs. */
    uint64_t media_bps; /* What they send now. */
    uint64_t used_bps;  /* What the channel sends now. */
    uint64_t
        known_bps; /* What it has found the link to carry; counts when media starts. 0: none. */
    uint64_t capacity_bps; /* What pictures found the link to let pass; 0: not known. */
    uint64_t pictures_bps; /* What they may have now, by what they found; 0: not known. */
    tdm_time rtt;          /* The call's newest; 0: none yet. The same again is no news. */
    double loss;           /* Of what media sends, as the other side reports it; 0 to 1. */
};

struct tdm_share_out {
    uint64_t budget_bps; /* 0: no media runs, no limit is known. */
};

/** Owned by the call. All zero: media has not run yet. */
struct tdm_share {
    bool media, searching, probing; /* searching: no queue has been seen yet. */
    uint64_t media_bps;             /* Its peak of the last seconds. */
    uint64_t pictures_bps;          /* What they may have now; 0: not known. */
    uint64_t budget_bps;            /* What the channel may send. */
    uint64_t link_bps;              /* What the link carried when its queue grew; 0: not known. */
    tdm_time rtt, rtt_before;       /* The two newest round trips. */
    tdm_time rtt_min, rtt_next; /* The shortest of this stretch and of the last; of this alone. */
    tdm_time stretch_at, stepped_at, cut_at;
};

/** About ten times a second, and when media starts or ends. */
void tdm_share_step(struct tdm_share *s, tdm_time now, const struct tdm_share_in *in,
                    struct tdm_share_out *out);

#endif
