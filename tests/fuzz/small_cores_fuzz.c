/* SPDX-License-Identifier: MIT */
/*
 * Bytes become inputs and steps of time (backwards, too) of the small cores: rate, frame budget,
 * pacer, lip sync, clock sync, reception statistics, silence, share, latency budget, TMMBR.
 * Checked: what comes out is bounded and a number, no wake lies in the past, and what the cores
 * count adds up.
 */

#include "engine/base/bytes.h"
#include "engine/core/clock_sync.h"
#include "engine/core/frame_budget.h"
#include "engine/core/latency_budget.h"
#include "engine/core/lipsync.h"
#include "engine/core/pacer.h"
#include "engine/core/rate.h"
#include "engine/core/rx_stats.h"
#include "engine/core/share.h"
#include "engine/core/silence.h"
#include "engine/core/tmmbr.h"

#include <assert.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TARGET_MIN_BPS 64000
#define BPS_MAX        (UINT64_C(1) << 34) /* What a caller may ask for, with room. */

struct world {
    tdm_time now;
    uint64_t limit_bps;
    struct tdm_rate rate;
    struct tdm_rate_out target;
    struct tdm_frame_budget budget;
    struct tdm_pacer pacer;
    struct tdm_lipsync lipsync;
    struct tdm_clock_sync clock;
    struct tdm_rx_stats rx;
    struct tdm_silence silence;
    struct tdm_share share;
    struct tdm_latency_budget latency;
    struct tdm_tmmbr tmmbr;
    uint64_t packets; /* Taken by rx since it last started. */
    tdm_time keyframe_at;
};

/* Any size of number: a byte of exponent, a byte of digits. */
static int64_t wide(struct tdm_reader *r)
{
    uint8_t shift = tdm_read_u8(r) & 63;

    return (int64_t)((uint64_t)(tdm_read_u8(r) + 1) << shift >> 1);
}

static void step_rate(struct world *w, struct tdm_reader *r)
{
    struct tdm_rate_in in = {.kind = tdm_read_u8(r) % 3};

    in.fraction_lost = tdm_read_u8(r);
    in.rtt = wide(r);
    in.bps = (uint64_t)wide(r) % BPS_MAX;
    if (in.kind == TDM_RATE_LIMIT)
        w->limit_bps = in.bps;
    uint64_t before = w->target.target_bps;

    tdm_rate_step(&w->rate, w->now, &in, &w->target);
    uint64_t most = w->limit_bps > TARGET_MIN_BPS ? w->limit_bps : TARGET_MIN_BPS;

    assert(w->target.target_bps >= TARGET_MIN_BPS && w->target.target_bps <= most);
    /* Only a report raises it, and by no more than a fifth. */
    assert(w->target.target_bps <= before + (in.kind == TDM_RATE_REPORT ? before / 5 + 1 : 0) ||
           w->target.target_bps == TARGET_MIN_BPS);
}

static void step_budget(struct world *w, struct tdm_reader *r)
{
    uint8_t how = tdm_read_u8(r);
    struct tdm_frame_budget_in in = {.target_bps = w->target.target_bps,
                                     .packets_waiting = tdm_read_u8(r),
                                     .frame_bytes = UINT32_MAX,
                                     .keyframe_wanted = how & 1};
    struct tdm_frame_budget_out out;
    double share = (double)in.target_bps / 8 / w->budget.fps;

    if (how & 8) /* Nothing, or as much as a way may hold. */
        in.frame_bytes = how & 16 ? 0 : (uint32_t)wide(r);
    if (how & 2)
        tdm_frame_budget_owe_keyframe(&w->budget);
    tdm_frame_budget_step(&w->budget, w->now, &in, &out);
    assert(isfinite(w->budget.carry_bytes));
    assert(out.budget_bytes >= 300 && out.budget_bytes <= 4 * (1.25 * share + 300));
    assert(!(out.skip && out.keyframe));
    assert(out.budget_bytes <= in.frame_bytes || out.budget_bytes == 300);
    assert(!out.skip || in.packets_waiting || !in.frame_bytes);
    assert(out.skip || in.frame_bytes);
    if (out.keyframe) {
        assert(w->now >= w->keyframe_at && !w->budget.keyframe_owed);
        w->keyframe_at = w->now + 100 * TDM_MS; /* Spaced, unless the encoder dropped it. */
    } else if (how & 3) {
        assert(w->budget.keyframe_owed);
    }
    if (out.skip)
        return;
    if (how & 4) {
        tdm_frame_budget_dropped(&w->budget, &out);
        assert(!out.keyframe || w->budget.keyframe_owed);
        w->keyframe_at = out.keyframe ? INT64_MIN : w->keyframe_at;
    } else {
        tdm_frame_budget_encoded(&w->budget, &out, (size_t)(wide(r) & 0xffffffff));
    }
}

static void step_pacer(struct world *w, struct tdm_reader *r)
{
    uint8_t how = tdm_read_u8(r);

    if (w->pacer.at > w->now) { /* Behind a clock that went back it lets through or waits. */
        assert(tdm_pacer_when(&w->pacer, w->now) >= w->now);
        return;
    }
    if (how & 1)
        tdm_pacer_set(&w->pacer, w->target.target_bps, how >> 2);
    for (int i = 0; i < (how >> 4); i++) {
        tdm_time when = tdm_pacer_when(&w->pacer, w->now);

        assert(when >= w->now);
        assert(w->pacer.tokens_bytes <= w->pacer.burst_bytes);
        /* One packet beyond its tokens takes 1.5 KB: soon made good at the least rate. */
        assert(when - w->now <= 30 * TDM_MS);
        assert(when == w->now || w->pacer.tokens_bytes <= 0);
        if (when > w->now && (how & 2))
            break;
        w->now = when; /* Whoever waits as told may send, soon. */
        for (int turns = 0; (when = tdm_pacer_when(&w->pacer, w->now)) > w->now; turns++) {
            assert(turns < 4);
            w->now = when;
        }
        tdm_pacer_sent(&w->pacer, 1500);
    }
}

static void step_lipsync(struct world *w, struct tdm_reader *r)
{
    uint8_t how = tdm_read_u8(r);
    struct tdm_lipsync_in in = {.audio_latency = how & 1 ? TDM_NEVER : wide(r),
                                .video_latency = how & 2 ? TDM_NEVER : wide(r),
                                .playout_delay = wide(r)};
    tdm_time before = w->lipsync.ask;

    if (how & 4)
        in.audio_latency = -in.audio_latency;
    tdm_time ask = tdm_lipsync_step(&w->lipsync, w->now, &in);

    assert(ask >= 0 && ask <= TDM_LIPSYNC_ASK_MAX && ask == w->lipsync.ask);
    assert(ask - before <= TDM_LIPSYNC_STEP_MAX && before - ask <= TDM_LIPSYNC_STEP_MAX);
    assert(!isnan(w->lipsync.skew_ns) && fabs(w->lipsync.skew_ns) <= 20.0 * TDM_S);
}

static void step_clock(struct world *w, struct tdm_reader *r)
{
    uint8_t how = tdm_read_u8(r);
    uint64_t ntp = tdm_clock_sync_ntp(&w->clock, w->now);
    uint32_t delay = (uint32_t)wide(r);
    uint32_t last = how & 1 ? (uint32_t)wide(r) : (uint32_t)(ntp >> 16) - delay - (how >> 3) + 8;
    uint64_t peer = how & 2 ? 0 : how & 4 ? (uint64_t)wide(r) : ntp + ((uint64_t)how << 24);
    tdm_time err = tdm_ntp_to_ns(ntp) - tdm_clock_sync_ntp_ns(&w->clock, w->now);

    assert(err <= 1 && err >= -1);
    tdm_clock_sync_report(&w->clock, w->now, last, delay, peer);
    assert(w->clock.rtt >= 0 && w->clock.rtt <= 20 * TDM_S);
    assert(w->clock.rtt_min >= 0 && w->clock.rtt_min <= 20 * TDM_S);
    assert(w->clock.count <= TDM_CLOCK_SYNC_SAMPLES && w->clock.next < TDM_CLOCK_SYNC_SAMPLES);
    tdm_time there = tdm_clock_sync_ntp_ns(&w->clock, w->now) + w->clock.offset;

    assert(tdm_clock_sync_local(&w->clock, there) == (w->clock.known ? w->now : TDM_NEVER));
}

static void step_rx(struct world *w, struct tdm_reader *r)
{
    static const uint32_t clocks[] = {0, 8000, 48000, 90000};
    uint8_t how = tdm_read_u8(r);
    uint16_t seq = how & 128 ? tdm_read_u16(r) : (uint16_t)(w->rx.highest_seq + how % 16 - 4);
    struct tdm_rtcp_report report = {0};
    int64_t seq_ext = 0, rtp_time = 0;
    bool started = w->rx.started;
    uint32_t hz = clocks[how >> 4 & 3];
    enum tdm_rx_verdict verdict =
        tdm_rx_stats_packet(&w->rx, w->now, seq, (uint32_t)wide(r), hz, how, &seq_ext, &rtp_time);

    assert(started || verdict == TDM_RX_RESTARTED);
    if (verdict != TDM_RX_REFUSED) {
        w->packets = verdict == TDM_RX_RESTARTED ? 1 : w->packets + 1;
        assert((uint16_t)seq_ext == seq && seq_ext > 0 && seq_ext <= w->rx.highest_seq);
    }
    assert(w->rx.received == w->packets);
    assert(isfinite(w->rx.jitter_s) && w->rx.jitter_s >= 0);
    assert(tdm_rx_stats_lost(&w->rx) ==
           w->rx.highest_seq - w->rx.base_seq + 1 - (int64_t)w->rx.received);
    if (how & 64) {
        tdm_rx_stats_report(&w->rx, 8000, &report);
        assert(report.cumulative_lost >= -0x800000 && report.cumulative_lost <= 0x7fffff);
        assert((uint16_t)report.highest_seq == (uint16_t)w->rx.highest_seq);
        tdm_rx_stats_report(&w->rx, 8000, &report); /* An interval without packets. */
        assert(report.fraction_lost == 0);
    }
}

static void step_silence(struct world *w, struct tdm_reader *r)
{
    uint8_t how = tdm_read_u8(r);
    struct tdm_silence_in in = {.up = how & 7,
                                .held = how & 8,
                                .last_received = how & 16 ? TDM_NEVER : w->now - wide(r) % TDM_S,
                                .notice = 5 * TDM_S,
                                .end = 30 * TDM_S};
    struct tdm_silence_out out;
    bool was_up = w->silence.up;

    tdm_silence_step(&w->silence, w->now, &in, &out);
    assert(out.wake_at > w->now && out.quiet >= 0);
    assert(in.up || (!out.tell && !out.over && out.wake_at == TDM_NEVER));
    assert(was_up || (!out.tell && !out.over));
    assert(!out.tell || out.quiet >= in.notice);
    assert(out.over == (in.up && out.quiet >= in.end * (in.held ? 4 : 1)));
    assert((out.wake_at == TDM_NEVER) == (!in.up || out.over));
}

static void step_share(struct world *w, struct tdm_reader *r)
{
    uint8_t how = tdm_read_u8(r);
    struct tdm_share_in in = {.media = how & 7,
                              .media_bps = (uint64_t)wide(r) % BPS_MAX,
                              .pictures_bps = how & 64 ? (uint64_t)wide(r) : 0,
                              .used_bps = how & 8 ? w->share.budget_bps : (uint64_t)wide(r),
                              .capacity_bps = how & 64 ? (uint64_t)wide(r) : 0,
                              .rtt = how & 16 ? 0 : wide(r) % (20 * TDM_S),
                              .loss = how & 32 ? tdm_read_u8(r) / 255.0 : 0};
    uint64_t before = w->share.media ? w->share.budget_bps : TDM_SHARE_MAX_BPS;
    struct tdm_share_out out;

    tdm_share_step(&w->share, w->now, &in, &out);
    assert((out.budget_bps == 0) == !in.media);
    assert(!in.media || out.budget_bps >= TDM_SHARE_SMALL_BPS);
    /* By half at once, or to its part of what was measured to be there. */
    assert(out.budget_bps <= before + before / 2 || out.budget_bps <= TDM_SHARE_MIN_BPS ||
           out.budget_bps <= in.capacity_bps / 2);
    assert(out.budget_bps <= TDM_SHARE_MAX_BPS && w->share.rtt_min <= w->share.rtt);
}

static void step_latency(struct world *w, struct tdm_reader *r)
{
    struct tdm_latency_budget_in in = {.kind = tdm_read_u8(r) & 1};
    struct tdm_latency_budget_line *line = &w->latency.lines[in.kind];
    struct tdm_latency_budget_out out;
    bool broken = line->broken;

    for (int i = 0; i < TDM_BUDGET_STAGES; i++)
        in.stages[i] =
            (int8_t)tdm_read_u8(r) * 4 * TDM_MS; /* Clocks err: less than nothing, too. */
    tdm_latency_budget_step(&w->latency, w->now, &in, &out);
    assert(out.broken == (line->broken && !broken) && out.held == (!line->broken && broken));
    assert(line->over >= 0 && line->over <= 1 && line->over_time >= 0);
    assert(line->stage < TDM_BUDGET_STAGES);
    for (int i = 0; i < TDM_BUDGET_STAGES; i++)
        assert(line->stage_times[i] <= line->over_time);
}

static void step_tmmbr(struct world *w, struct tdm_reader *r)
{
    uint8_t how = tdm_read_u8(r);
    struct tdm_tmmbr_in in = {.kind = how & 3,
                              .ssrc = how >> 5,
                              .bps = how & 4 ? UINT64_MAX : (uint64_t)wide(r),
                              .overhead = how,
                              .bytes = 1200};
    struct tdm_rtcp_tmmbr entries[TDM_TMMBR_OWNERS];

    tdm_tmmbr_step(&w->tmmbr, w->now, how & 8 ? NULL : &in);
    uint8_t count = tdm_tmmbr_bounding(&w->tmmbr, entries);
    uint64_t limit = tdm_tmmbr_limit(&w->tmmbr, 1100);

    assert(count <= TDM_TMMBR_OWNERS && isfinite(w->tmmbr.tokens_bytes));
    assert((limit == UINT64_MAX) == (count == 0));
    assert(count || tdm_tmmbr_may(&w->tmmbr, w->now));
    for (uint8_t i = 0; i < count; i++)
        assert(entries[i].bps != UINT64_MAX && limit <= entries[i].bps + entries[i].bps / 1000 + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const steps[])(struct world *, struct tdm_reader *) = {
        step_rate, step_budget, step_pacer, step_lipsync, step_clock, step_rx, step_silence,
    };
    struct tdm_reader r = tdm_reader_of(data, size);
    struct world w = {.now = 1000 * TDM_S, .limit_bps = 2000000, .keyframe_at = INT64_MIN};

    tdm_rate_init(&w.rate, w.now, w.limit_bps);
    w.target.target_bps = w.limit_bps;
    tdm_frame_budget_init(&w.budget, tdm_read_u8(&r));
    tdm_pacer_init(&w.pacer, w.now);
    tdm_lipsync_init(&w.lipsync, w.now);
    tdm_clock_sync_init(&w.clock, 1700000000 * TDM_S);
    tdm_rx_stats_init(&w.rx);
    tdm_latency_budget_init(&w.latency, 120 * TDM_MS);
    tdm_tmmbr_init(&w.tmmbr, w.now);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);

        if (op % 8 < 7)
            steps[op % 8](&w, &r);
        else if (op >> 3 == 28)
            step_latency(&w, &r);
        else if (op >> 3 == 29)
            step_tmmbr(&w, &r);
        else if (op >> 3 == 30)
            step_share(&w, &r);
        else if (op >> 3 == 31) /* A clock that goes back does no harm. */
            w.now -= 100 * TDM_MS;
        else
            w.now += ((tdm_time)(op >> 3) + 1) * ((op >> 3) & 16 ? TDM_S : 3 * TDM_MS);
    }
    return 0;
}
