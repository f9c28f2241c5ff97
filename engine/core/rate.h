/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_RATE_H
#define TDM_CORE_RATE_H

/*
 * How many bits a second the video of this call may use. This version is plain: it follows the loss
 * and the round trip in the other side's receiver reports and respects REMB; the seam (one event
 * in, one target out) is the one that a window-based controller will fill.
 */

#include "engine/base/time.h"

#include <stdint.h>

enum tdm_rate_in_kind { TDM_RATE_REPORT, TDM_RATE_REMB, TDM_RATE_LIMIT };

struct tdm_rate_in {
    enum tdm_rate_in_kind kind;
    uint8_t fraction_lost; /* REPORT, /256 */
    tdm_time rtt;          /* REPORT */
    uint64_t bps;          /* REMB; LIMIT: what the user or the other side allows. */
};

struct tdm_rate_out {
    uint64_t target_bps;
};

struct tdm_rate {
    uint64_t limit_bps, remb_bps, target_bps;
    tdm_time rtt_min, rtt_min_at, last_report, last_cut;
};

void tdm_rate_init(struct tdm_rate *r, tdm_time now, uint64_t limit_bps);
void tdm_rate_step(struct tdm_rate *r, tdm_time now, const struct tdm_rate_in *in,
                   struct tdm_rate_out *out);

#endif
