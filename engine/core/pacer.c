/* SPDX-License-Identifier: MIT */
#include "engine/core/pacer.h"

#define BURST_MIN_BYTES 24000
#define RATE_MIN_BPS    500000
#define PACE_MIN_BPS    64000
#define PACE_SLACK_MS   1 /* A timer that rings late is made good. */

void tdm_pacer_init(struct tdm_pacer *p, tdm_time now)
{
    *p = (struct tdm_pacer){.at = now};
    tdm_pacer_set(p, 0, 30);
    p->tokens_bytes = p->burst_bytes;
}

void tdm_pacer_set(struct tdm_pacer *p, uint64_t target_bps, uint32_t fps)
{
    uint64_t rate = target_bps * 5 / 2;
    int64_t frame_bytes = (int64_t)(target_bps / 8 / (fps ? fps : 30));

    p->rate_bps = rate > RATE_MIN_BPS ? rate : RATE_MIN_BPS;
    p->burst_bytes = 2 * frame_bytes > BURST_MIN_BYTES ? 2 * frame_bytes : BURST_MIN_BYTES;
    p->tokens_bytes = p->tokens_bytes < p->burst_bytes ? p->tokens_bytes : p->burst_bytes;
}

void tdm_pacer_follow(struct tdm_pacer *p, uint64_t pace_bps)
{

    p->rate_bps = pace_bps > PACE_MIN_BPS ? pace_bps : PACE_MIN_BPS;
    p->burst_bytes = (int64_t)(p->rate_bps / 8 * PACE_SLACK_MS / 1000);
    p->tokens_bytes = p->tokens_bytes < p->burst_bytes ? p->tokens_bytes : p->burst_bytes;
}

static void refill(struct tdm_pacer *p, tdm_time now)
{
    p->at = tdm_time_min(p->at, now); /* A step back counts as no time, and not against us. */
    tdm_time passed = tdm_time_min(now - p->at, TDM_S);
    int64_t bytes = (int64_t)((double)passed * (double)p->rate_bps / 8e9);

    if (bytes <= 0)
        return;
    p->tokens_bytes += bytes;
    /* Only as far as whole bytes go: what is left of the time counts in the next refill. */
    p->at = now - passed + (tdm_time)((double)bytes * 8e9 / (double)p->rate_bps);
    if (p->tokens_bytes >= p->burst_bytes) {
        p->tokens_bytes = p->burst_bytes;
        p->at = now;
    }
}

tdm_time tdm_pacer_when(struct tdm_pacer *p, tdm_time now)
{
    refill(p, now);
    if (p->tokens_bytes > 0)
        return now;
    return now + (tdm_time)((double)(1 - p->tokens_bytes) * 8e9 / (double)p->rate_bps) + 1;
}

void tdm_pacer_sent(struct tdm_pacer *p, uint32_t bytes)
{
    p->tokens_bytes -= bytes;
}
