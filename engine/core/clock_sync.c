/* SPDX-License-Identifier: MIT */
#include "engine/core/clock_sync.h"

#include <string.h>

#define UNIX_TO_NTP_S  ((tdm_time)2208988800)
#define SAMPLE_AGE_MAX (30 * TDM_S)
#define RTT_MAX        (20 * TDM_S)
#define DRIFT_MAX_PPM  200 /* Of one crystal against another, with room. */

void tdm_clock_sync_init(struct tdm_clock_sync *c, tdm_time wall_offset)
{
    memset(c, 0, sizeof *c);
    c->wall_offset = wall_offset + UNIX_TO_NTP_S * TDM_S;
}

tdm_time tdm_clock_sync_ntp_ns(const struct tdm_clock_sync *c, tdm_time t)
{
    return t + c->wall_offset;
}

uint64_t tdm_clock_sync_ntp(const struct tdm_clock_sync *c, tdm_time t)
{
    uint64_t ns = (uint64_t)(t + c->wall_offset);
    uint64_t s = ns / (uint64_t)TDM_S;
    uint64_t rest = ns % (uint64_t)TDM_S;

    return s << 32 | (rest << 32) / (uint64_t)TDM_S;
}

tdm_time tdm_ntp_to_ns(uint64_t ntp)
{
    uint64_t s = ntp >> 32;
    uint64_t fraction = ntp & 0xffffffffu;

    return (tdm_time)(s * (uint64_t)TDM_S + (fraction * (uint64_t)TDM_S >> 32));
}

static tdm_time short_to_ns(int64_t units_65536)
{
    return units_65536 * TDM_S / 65536;
}

/* How far a sample's offset may be off: its path was lopsided, or the clocks drifted since. */
static tdm_time doubt(const struct tdm_clock_sample *s, tdm_time now)
{
    return s->rtt / 2 + (now - s->at) / (1000000 / DRIFT_MAX_PPM);
}

/* The least doubtful among the fresh samples gives the offset. */
static void choose(struct tdm_clock_sync *c, tdm_time now)
{
    const struct tdm_clock_sample *best = NULL;

    for (uint8_t i = 0; i < c->count; i++) {
        const struct tdm_clock_sample *s = &c->samples[i];

        if (now - s->at <= SAMPLE_AGE_MAX && (!best || doubt(s, now) < doubt(best, now)))
            best = s;
    }
    if (best) {
        c->known = true;
        c->offset = best->offset;
        c->rtt_min = best->rtt;
    }
}

void tdm_clock_sync_report(struct tdm_clock_sync *c, tdm_time now, uint32_t last, uint32_t delay,
                           uint64_t peer_ntp)
{
    uint32_t now_short = (uint32_t)(tdm_clock_sync_ntp(c, now) >> 16);
    tdm_time since = short_to_ns((int64_t)(uint32_t)(now_short - last));
    tdm_time held = short_to_ns((int64_t)delay);
    tdm_time rtt = since - held;

    if (last == 0 || since > RTT_MAX)
        return;
    /* 1/65536 s units can make a short round trip slightly negative. */
    if (rtt < -TDM_MS)
        return;
    rtt = tdm_time_max(rtt, 0);
    c->rtt = rtt;
    if (!peer_ntp)
        return;
    /* With t2 = t3 - held: offset = (t3 - held - t1 + t3 - t4) / 2 = t3 - t4 + rtt / 2. */
    tdm_time offset = tdm_ntp_to_ns(peer_ntp) - tdm_clock_sync_ntp_ns(c, now) + rtt / 2;

    c->samples[c->next] = (struct tdm_clock_sample){.at = now, .rtt = rtt, .offset = offset};
    c->next = (uint8_t)((c->next + 1) % TDM_CLOCK_SYNC_SAMPLES);
    if (c->count < TDM_CLOCK_SYNC_SAMPLES)
        c->count++;
    choose(c, now);
}

tdm_time tdm_clock_sync_local(const struct tdm_clock_sync *c, tdm_time peer_ntp_ns)
{
    return c->known ? peer_ntp_ns - c->offset - c->wall_offset : TDM_NEVER;
}
