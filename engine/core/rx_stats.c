/* SPDX-License-Identifier: MIT */
#include "engine/core/rx_stats.h"

#include "engine/wire/rtp.h"

#include <math.h>

/* RFC 3550 A.1 names these MAX_DROPOUT and MAX_MISORDER. */
#define JUMP_AHEAD_MAX  3000
#define JUMP_BEHIND_MAX 1000

void tdm_rx_stats_init(struct tdm_rx_stats *s)
{
    *s = (struct tdm_rx_stats){.jump_seq = -1};
}

static void start_at(struct tdm_rx_stats *s, uint16_t seq, uint32_t timestamp)
{
    /* One whole cycle up, so that a packet reordered before the first one has a positive number. */
    *s = (struct tdm_rx_stats){
        .started = true,
        .base_seq = 65536 + seq,
        .highest_seq = 65536 + seq,
        .jump_seq = -1,
        .last_rtp_time = ((int64_t)1 << 32) + timestamp,
    };
}

/* Interarrival jitter, RFC 3550 A.8, in seconds so that it survives a codec with another clock; the
 * transit times of two clocks are not compared. */
static void add_jitter(struct tdm_rx_stats *s, tdm_time arrival, uint32_t hz)
{
    double transit = (double)arrival * 1e-9 - (double)s->last_rtp_time / hz;

    if (s->transit_hz == hz)
        s->jitter_s += (fabs(transit - s->last_transit_s) - s->jitter_s) / 16;
    s->last_transit_s = transit;
    s->transit_hz = hz;
}

enum tdm_rx_verdict tdm_rx_stats_packet(struct tdm_rx_stats *s, tdm_time arrival, uint16_t seq,
                                        uint32_t timestamp, uint32_t hz, size_t payload_bytes,
                                        int64_t *seq_ext, int64_t *rtp_time)
{
    enum tdm_rx_verdict verdict = TDM_RX_OK;
    int64_t extended = tdm_seq_extend(s->highest_seq, seq);
    int64_t step = extended - s->highest_seq;

    if (!s->started) {
        start_at(s, seq, timestamp);
        verdict = TDM_RX_RESTARTED;
    } else if (step > JUMP_AHEAD_MAX || step < -JUMP_BEHIND_MAX) {
        if (s->jump_seq != seq) {
            s->jump_seq = (uint16_t)(seq + 1);
            return TDM_RX_REFUSED;
        }
        start_at(s, seq, timestamp);
        verdict = TDM_RX_RESTARTED;
    }
    extended = tdm_seq_extend(s->highest_seq, seq);
    if (extended > s->highest_seq)
        s->highest_seq = extended;
    s->jump_seq = -1;
    s->received++;
    s->bytes += payload_bytes;
    if (hz) {
        s->last_rtp_time = tdm_rtp_time_extend(s->last_rtp_time, timestamp);
        add_jitter(s, arrival, hz);
    }
    *seq_ext = extended;
    *rtp_time = s->last_rtp_time;
    return verdict;
}

static uint64_t expected(const struct tdm_rx_stats *s)
{
    return s->started ? (uint64_t)(s->highest_seq - s->base_seq + 1) : 0;
}

int64_t tdm_rx_stats_lost(const struct tdm_rx_stats *s)
{
    return (int64_t)expected(s) - (int64_t)s->received;
}

void tdm_rx_stats_report(struct tdm_rx_stats *s, uint32_t hz, struct tdm_rtcp_report *report)
{
    uint64_t expected_now = expected(s);
    int64_t expected_interval = (int64_t)(expected_now - s->expected_prior);
    int64_t lost_interval = expected_interval - (int64_t)(s->received - s->received_prior);
    int64_t lost = tdm_rx_stats_lost(s);

    s->expected_prior = expected_now;
    s->received_prior = s->received;
    report->fraction_lost = 0;
    if (expected_interval > 0 && lost_interval > 0) {
        int64_t fraction = lost_interval * 256 / expected_interval;

        report->fraction_lost = (uint8_t)(fraction > 255 ? 255 : fraction);
    }
    report->cumulative_lost = (int32_t)(lost > 0x7fffff    ? 0x7fffff
                                        : lost < -0x800000 ? -0x800000
                                                           : lost);
    report->highest_seq = (uint32_t)(s->highest_seq - 65536);
    report->jitter = (uint32_t)(s->jitter_s * hz);
}
