/* SPDX-License-Identifier: MIT */
#include "sim/checker.h"

#include "sim/scenario.h"

#include "engine/core/repeat_plan.h"
#include "engine/wire/rtcp.h"
#include "engine/wire/rtp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NACKS_MAX        12            /* Requests for one packet. */
#define NACK_TIME_MAX    (4 * TDM_S)   /* From the first request for a packet to the last. */
#define STEADY_SKEW_MAX  (80 * TDM_MS) /* Eye against ear. */
#define STEADY_DELAY_MAX (250 * TDM_MS)
#define MISSING_MAX      4 /* Pictures handed out that cannot be decoded; then it is a habit. */
#define TAIL_AFTER       (50 * TDM_MS)
#define GAP_MAX          3 /* Sequence numbers left out at once by a sender. */

void tdm_sim_checker_init(struct tdm_sim_checker *c, bool steady, bool may_corrupt)
{
    memset(c, 0, sizeof(*c));
    c->steady = steady;
    c->may_corrupt = may_corrupt;
    for (unsigned d = 0; d < 2; d++)
        for (unsigned i = 0; i < TDM_SIM_STREAMS; i++) {
            c->gap_allowed[i] = c->latency_allowed[i] = TDM_NEVER;
            c->streams[d][i].last_frame = -1;
            c->streams[d][i].last_frame_at = TDM_NEVER;
        }
}

void tdm_sim_checker_fail(struct tdm_sim_checker *c, tdm_time now, const char *format, ...)
{
    va_list args;

    c->violations++;
    if (c->kept == TDM_SIM_VIOLATIONS_MAX)
        return;
    c->kept_violations[c->kept].at = now;
    va_start(args, format);
    (void)vsnprintf(c->kept_violations[c->kept].text, sizeof(c->kept_violations[0].text), format,
                    args);
    va_end(args);
    c->kept++;
}

static uint32_t be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#define SETTLED (10 * TDM_S)   /* What freezes before is learning. */
#define FREEZE  (185 * TDM_MS) /* 150 ms more than a frame of 30 a second. */

static void start_source(struct tdm_sim_stream_watch *w, uint32_t ssrc, uint16_t seq)
{
    w->started = true;
    w->ssrc = ssrc;
    w->highest = 65536 + (int64_t)seq - 1;
    memset(w->fates, 0, sizeof(w->fates));
}

/* Repairs over a window are a source of their own, which nobody asks again for. */
static bool is_parity(uint16_t channel, const uint8_t *data)
{
    return channel / 2 == TDM_SIM_VIDEO && (data[1] & 0x7f) == TDM_SIM_PARITY_TYPE;
}

static void sent_rtp(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint16_t channel,
                     const uint8_t *data)
{
    struct tdm_sim_stream_watch *w = &c->streams[from][channel / 2];
    uint16_t seq = (uint16_t)(data[2] << 8 | data[3]);
    int64_t extended;

    if (!w->started || w->ssrc != be32(data + 8))
        start_source(w, be32(data + 8), seq);
    extended = tdm_seq_extend(w->highest, seq);
    if (extended > w->highest) {
        if (extended - w->highest - 1 > GAP_MAX)
            tdm_sim_checker_fail(c, now, "side %u stream %u left out %d sequence numbers", from,
                                 channel / 2u, (int)(extended - w->highest - 1));
        w->gaps += (uint64_t)(extended - w->highest - 1);
        for (int64_t i = w->highest + 1; i <= extended; i++)
            w->fates[(uint16_t)i] = (struct tdm_sim_seq_fate){0};
        w->fates[seq].sent = true;
        w->highest = extended;
        w->highest_at = now;
        w->sent++;
        return;
    }
    w->resent++;
    /* Of the last one nobody can know that it is missing. */
    if (extended == w->highest && now - w->highest_at >= TAIL_AFTER && !w->fates[seq].asked) {
        w->highest_at = now;
        w->fates[seq].asked = TDM_REPEAT_MOST - 1;
    } else if (w->fates[seq].asked == 0) {
        tdm_sim_checker_fail(c, now, "side %u stream %u sent %u again, which nobody asked for",
                             from, channel / 2u, seq);
    } else {
        w->fates[seq].asked--;
    }
}

/* The receiver `from` asks for a packet of the other direction. */
static void asked_for(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint16_t stream,
                      uint16_t seq)
{
    struct tdm_sim_stream_watch *w = &c->streams[1 - from][stream];
    struct tdm_sim_seq_fate *fate = &w->fates[seq];

    if (tdm_seq_extend(w->highest, seq) > w->highest) {
        if (!c->may_corrupt)
            tdm_sim_checker_fail(c, now, "side %u stream %u asks for %u, which was never sent",
                                 from, stream, seq);
        return;
    }
    if (fate->delivered && !c->may_corrupt)
        tdm_sim_checker_fail(c, now, "side %u stream %u asks for %u, which it has", from, stream,
                             seq);
    if (!fate->first_nack) {
        fate->first_nack = now;
        w->nacked++;
    }
    if (++fate->nacks > NACKS_MAX)
        tdm_sim_checker_fail(c, now, "side %u stream %u asks for %u more than %d times", from,
                             stream, seq, NACKS_MAX);
    if (now - fate->first_nack > NACK_TIME_MAX)
        tdm_sim_checker_fail(c, now, "side %u stream %u neither has nor abandons %u", from, stream,
                             seq);
}

typedef void nacked_fn(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint16_t stream,
                       uint16_t seq);

static void request_arrived(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint16_t stream,
                            uint16_t seq)
{
    struct tdm_sim_seq_fate *fate = &c->streams[1 - from][stream].fates[seq];

    (void)now;
    if (fate->asked <= UINT8_MAX - TDM_REPEAT_MOST) /* So many copies one request may bring. */
        fate->asked += TDM_REPEAT_MOST;
}

static void walk_rtcp(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint16_t channel,
                      const uint8_t *data, size_t size, nacked_fn *nacked)
{
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(data, size);
    struct tdm_sim_stream_watch *other = &c->streams[1 - from][channel / 2];
    struct tdm_rtcp_item item;

    while (tdm_rtcp_next(&reader, &item) == TDM_OK) {
        if (item.kind == TDM_RTCP_PLI && nacked == asked_for)
            c->streams[from][channel / 2].plis++;
        if (item.kind != TDM_RTCP_NACK || !other->started || item.media_ssrc != other->ssrc)
            continue;
        for (uint16_t i = 0; i < item.nack.count; i++) {
            uint32_t mask = (uint32_t)item.nack.entries[i].blp << 1 | 1;

            for (uint16_t bit = 0; bit <= 16; bit++)
                if (mask >> bit & 1)
                    nacked(c, now, from, channel / 2, (uint16_t)(item.nack.entries[i].pid + bit));
        }
    }
}

void tdm_sim_checker_sent(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint16_t channel,
                          const uint8_t *data, size_t size)
{
    if (size > 1500 || size < 8) {
        tdm_sim_checker_fail(c, now, "side %u sends a datagram of %zu bytes", from, size);
        return;
    }
    if (channel & 1) {
        c->streams[from][channel / 2].rtcp_sent++;
        walk_rtcp(c, now, from, channel, data, size, asked_for);
    } else if (is_parity(channel, data)) {
        c->streams[from][channel / 2].parity++;
    } else {
        sent_rtp(c, now, from, channel, data);
    }
}

void tdm_sim_checker_delivered(struct tdm_sim_checker *c, tdm_time now, uint8_t from,
                               uint16_t channel, const uint8_t *data, size_t size, bool taken)
{
    struct tdm_sim_stream_watch *w = &c->streams[from][channel / 2];
    struct tdm_sim_seq_fate *fate;

    if (channel & 1) {
        w->rtcp_delivered++;
        walk_rtcp(c, now, from, channel, data, size, request_arrived);
        return;
    }
    w->delivered++;
    if (is_parity(channel, data) || !taken || be32(data + 8) != w->ssrc)
        return;
    fate = &w->fates[(uint16_t)(data[2] << 8 | data[3])];
    w->delivered_again += fate->delivered;
    if (!fate->delivered && fate->first_nack)
        w->repaired++;
    fate->delivered = true;
}

void tdm_sim_checker_expect(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint8_t stream,
                            bool expected)
{
    struct tdm_sim_stream_watch *w = &c->streams[from][stream];

    if (expected != (w->last_frame_at != TDM_NEVER))
        w->last_frame_at = expected ? now : TDM_NEVER;
}

static const char *const stream_names[] = {"sound", "picture"};

static void check_gap(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint8_t stream)
{
    struct tdm_sim_stream_watch *w = &c->streams[from][stream];
    tdm_time gap = w->last_frame_at == TDM_NEVER ? 0 : now - w->last_frame_at;

    w->gap_max = tdm_time_max(w->gap_max, gap);
    w->frozen += gap >= FREEZE ? gap : 0;
    w->frozen_settled += gap >= FREEZE && now - gap > SETTLED ? gap : 0;
    if (gap > c->gap_allowed[stream])
        tdm_sim_checker_fail(c, now, "from side %u: no %s for %.2f s", from, stream_names[stream],
                             (double)gap / 1e9);
}

static void count_skew(struct tdm_sim_checker *c, tdm_time now, uint8_t from)
{
    const struct tdm_sim_stream_watch *audio = &c->streams[from][TDM_SIM_AUDIO];
    tdm_time skew = c->streams[from][TDM_SIM_VIDEO].latency - audio->latency;
    tdm_time ms = (skew < 0 ? -skew : skew) / TDM_MS;

    if (now > SETTLED && audio->frames)
        c->skews[from][ms < TDM_SIM_SKEWS ? ms : TDM_SIM_SKEWS - 1]++;
}

tdm_time tdm_sim_checker_skew(const struct tdm_sim_checker *c, uint8_t from, double part)
{
    double all = 0, sum = 0;

    for (int ms = 0; ms < TDM_SIM_SKEWS; ms++)
        all += c->skews[from][ms];
    for (int ms = 0; ms < TDM_SIM_SKEWS; ms++)
        if ((sum += c->skews[from][ms]) >= part * all)
            return ms * TDM_MS;
    return 0;
}

static void check_steady(struct tdm_sim_checker *c, tdm_time now, uint8_t from)
{
    const struct tdm_sim_stream_watch *audio = &c->streams[from][TDM_SIM_AUDIO];
    const struct tdm_sim_stream_watch *video = &c->streams[from][TDM_SIM_VIDEO];
    tdm_time skew = video->latency - audio->latency;

    if (audio->frames < 100 || video->frames < 30)
        return;
    if (skew > STEADY_SKEW_MAX || skew < -STEADY_SKEW_MAX)
        tdm_sim_checker_fail(c, now, "from side %u: picture %.1f ms after its sound", from,
                             (double)skew / 1e6);
    if (audio->latency > STEADY_DELAY_MAX)
        tdm_sim_checker_fail(c, now, "from side %u: sound %.1f ms late", from,
                             (double)audio->latency / 1e6);
}

void tdm_sim_checker_frame(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint8_t stream,
                           enum tdm_err err, uint32_t frame, tdm_time captured, tdm_time presented)
{
    struct tdm_sim_stream_watch *w = &c->streams[from][stream];

    if (err == TDM_E_AGAIN) {
        if (++w->missing_reference > MISSING_MAX && !c->may_corrupt)
            tdm_sim_checker_fail(c, now, "from side %u: a picture without its reference", from);
        return;
    }
    if (err != TDM_OK) {
        w->corrupt++;
        if (!c->may_corrupt)
            tdm_sim_checker_fail(c, now, "from side %u: a %s has wrong bytes", from,
                                 stream_names[stream]);
        return;
    }
    if ((int64_t)frame <= w->last_frame)
        tdm_sim_checker_fail(c, now, "from side %u: %s %u after %lld", from, stream_names[stream],
                             frame, (long long)w->last_frame);
    w->last_frame = frame;
    w->frames++;
    w->latency = presented - captured;
    w->latency_max = tdm_time_max(w->latency_max, w->latency);
    if (w->latency > c->latency_allowed[stream])
        tdm_sim_checker_fail(c, now, "from side %u: %s %u is %.2f s old", from,
                             stream_names[stream], frame, (double)w->latency / 1e9);
    if (w->latency < 0)
        tdm_sim_checker_fail(c, now, "from side %u: %s %u before it was made", from,
                             stream_names[stream], frame);
    if (w->last_frame_at != TDM_NEVER) {
        check_gap(c, now, from, stream);
        w->last_frame_at = now;
    }
    if (stream == TDM_SIM_VIDEO)
        count_skew(c, now, from);
    if (c->steady && stream == TDM_SIM_VIDEO)
        check_steady(c, now, from);
}

void tdm_sim_checker_finish(struct tdm_sim_checker *c, tdm_time now)
{
    for (unsigned d = 0; d < 2; d++)
        for (unsigned i = 0; i < TDM_SIM_STREAMS; i++) {
            struct tdm_sim_stream_watch *w = &c->streams[d][i];

            check_gap(c, now, (uint8_t)d, (uint8_t)i);
            if (w->gaps > 20 + w->sent / 20)
                tdm_sim_checker_fail(c, now, "side %u stream %u left out %llu of %llu packets", d,
                                     i, (unsigned long long)w->gaps, (unsigned long long)w->sent);
        }
}
