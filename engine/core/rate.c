/* SPDX-License-Identifier: MIT */
#include "engine/core/rate.h"

#define TARGET_MIN_BPS  64000
#define LOSS_HIGH       26 /* /256, 10 % */
#define LOSS_LOW        5  /* 2 % */
#define QUEUE_HIGH      (120 * TDM_MS)
#define RTT_MIN_AGE     (30 * TDM_S)
#define CUT_EVERY       (300 * TDM_MS)
#define GROWTH_A_SECOND 0.15

void tdm_rate_init(struct tdm_rate *r, tdm_time now, uint64_t limit_bps)
{
    *r = (struct tdm_rate){
        .limit_bps = limit_bps,
        .remb_bps = UINT64_MAX,
        .target_bps = limit_bps,
        .rtt_min = TDM_NEVER,
        .last_report = now,
        .last_cut = now,
    };
}

static void cut(struct tdm_rate *r, tdm_time now, double factor)
{
    if (now - r->last_cut < CUT_EVERY)
        return;
    r->last_cut = now;
    r->target_bps = (uint64_t)((double)r->target_bps * factor);
}

static void take_report(struct tdm_rate *r, tdm_time now, const struct tdm_rate_in *in)
{
    tdm_time passed = tdm_time_max(tdm_time_min(now - r->last_report, TDM_S), 0);

    r->last_report = now;
    if (in->rtt > 0 && (in->rtt < r->rtt_min || now - r->rtt_min_at > RTT_MIN_AGE)) {
        r->rtt_min = in->rtt;
        r->rtt_min_at = now;
    }
    if (in->fraction_lost > LOSS_HIGH)
        cut(r, now, 1 - 0.5 * in->fraction_lost / 256.0);
    else if (in->rtt > 0 && in->rtt - r->rtt_min > QUEUE_HIGH)
        cut(r, now, 0.85);
    else if (in->fraction_lost <= LOSS_LOW)
        r->target_bps +=
            (uint64_t)((double)r->target_bps * GROWTH_A_SECOND * (double)passed * 1e-9);
}

void tdm_rate_step(struct tdm_rate *r, tdm_time now, const struct tdm_rate_in *in,
                   struct tdm_rate_out *out)
{
    if (in && in->kind == TDM_RATE_REPORT)
        take_report(r, now, in);
    else if (in && in->kind == TDM_RATE_REMB)
        r->remb_bps = in->bps;
    else if (in)
        r->limit_bps = in->bps;
    uint64_t most = r->limit_bps < r->remb_bps ? r->limit_bps : r->remb_bps;

    if (r->target_bps > most)
        r->target_bps = most;
    if (r->target_bps < TARGET_MIN_BPS)
        r->target_bps = TARGET_MIN_BPS;
    out->target_bps = r->target_bps;
}
