/* SPDX-License-Identifier: MIT */
#include "engine/core/playout_parts.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define EXTENDED_MAX ((int64_t)1 << 60) /* Numbers beyond it come from no network. */
#define CAPTURED_MAX ((int64_t)1 << 61)
#define RTP_JUMP_MAX ((int64_t)1 << 40)
#define SEQ_JUMP_MAX 3000 /* RFC 3550 appendix A.1: MAX_DROPOUT. */
#define UNLIKE_MS    100  /* A packet that arrives so far off its neighbours has to fit them, */
#define LOSS_PACKETS 1000 /* Memory of the loss, and before so many it is not believed whole. */
#define LOSS_UNSURE  100
#define NEIGHBOURS   64 /* which are so near in sequence. */

static size_t aligned(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

size_t tdm_playout_bytes(const struct tdm_playout_config *config)
{
    size_t bytes = aligned(sizeof(struct tdm_playout)) +
                   aligned((size_t)TDM_PLAYOUT_PACKETS * TDM_PLAYOUT_PAYLOAD_MAX);

    if (!config->dry)
        bytes += ((size_t)TDM_PLAYOUT_LINE_SAMPLES + TDM_PLAYOUT_PULL_MAX) * config->channels *
                 sizeof(int16_t);
    return bytes;
}

struct tdm_playout *tdm_playout_init(void *storage, const struct tdm_playout_config *config,
                                     tdm_time now)
{
    struct tdm_playout *p = storage;
    uint8_t *after = (uint8_t *)storage + aligned(sizeof *p);
    int16_t *pcm = NULL;

    assert(config->channels == 1 || config->channels == 2);
    assert(config->sample_hz >= 8000 && config->sample_hz <= 48000 && config->rtp_hz);
    memset(p, 0, sizeof *p);
    p->config = *config;
    p->payloads = after;
    if (!config->dry) {
        pcm = (int16_t *)(void *)(after +
                                  aligned((size_t)TDM_PLAYOUT_PACKETS * TDM_PLAYOUT_PAYLOAD_MAX));
        p->block = pcm + (size_t)TDM_PLAYOUT_LINE_SAMPLES * config->channels;
    }
    p->now = now;
    p->captured = TDM_NEVER;
    p->idle = p->fresh = true;
    tdm_playout_timing_init(&p->timing, config->sample_hz, now);
    p->timing.min_delay = (double)config->min_delay * 1e-9 * config->sample_hz;
    p->timing.max_delay = (double)config->max_delay * 1e-9 * config->sample_hz;
    tdm_playout_line_init(&p->line, pcm, config->channels);
    tdm_resample_init(&p->resample);
    p->stretch = tdm_stretch_of(config->sample_hz);
    return p;
}

const struct tdm_playout_stats *tdm_playout_stats_of(const struct tdm_playout *p)
{
    return &p->stats;
}

static int64_t position_of(const struct tdm_playout *p, int64_t rtp_time)
{
    int64_t ticks = rtp_time - p->rtp_base, hz = p->config.rtp_hz;

    return ticks / hz * p->config.sample_hz + ticks % hz * p->config.sample_hz / hz;
}

static void begin_stream(struct tdm_playout *p, const struct tdm_playout_packet *packet)
{
    p->started = true;
    p->rtp_base = packet->rtp_time;
    p->captured = TDM_NEVER;
    p->idle = p->fresh = true;
    p->dtx = false;
    p->expanded = p->lead = 0;
    p->suspect.size = 0;
    p->expected = p->came = 0;
    p->newest_seq = packet->seq - 1;
    for (int i = 0; i < TDM_PLAYOUT_PACKETS; i++)
        p->seen[i] = INT64_MIN;
    tdm_playout_store_reset(&p->store, packet->seq);
    tdm_playout_timing_restart(&p->timing);
}

static bool within(int64_t x, int64_t reach)
{
    return x > -reach && x < reach;
}

/* Do the packet's numbers go together? The RTP time goes with the sequence number, or, after a
 * pause of the sender, with the arrival, and is then ahead of it; one that goes with neither, or a
 * sequence number that runs ahead of the time, was damaged on the way. */
static bool consistent(const struct tdm_playout *p, const struct tdm_playout_packet *packet,
                       double off_arrival)
{
    int64_t seqs = packet->seq - p->heard_seq;
    double ticks = (double)(packet->rtp_time - p->heard_rtp_time);
    double ahead = ticks * p->config.sample_hz / p->config.rtp_hz - (double)seqs * p->length;
    double unlike = tdm_playout_samples(p, UNLIKE_MS);

    if (!p->length)
        return true;
    if (seqs > 0 && ahead < -unlike)
        return false;
    return off_arrival < unlike || !within(seqs, NEIGHBOURS) || fabs(ahead) < unlike;
}

/* Does the packet continue the stream that is playing? */
static bool plausible(const struct tdm_playout *p, const struct tdm_playout_packet *packet)
{
    int64_t seqs = packet->seq - p->store.next;
    double reach = p->timing.max_delay + 2.0 * p->config.sample_hz;

    if (!within(packet->rtp_time - p->rtp_base, RTP_JUMP_MAX) || !within(seqs, SEQ_JUMP_MAX))
        return false;
    double late = tdm_playout_timing_late(&p->timing, position_of(p, packet->rtp_time));
    double off = fabs(late - p->timing.last_late);

    return off < reach && consistent(p, packet, off);
}

/* Two implausible packets that fit each other are a new stream. */
static bool restarts(struct tdm_playout *p, const struct tdm_playout_packet *packet)
{
    int64_t seqs = packet->seq - p->suspect.seq;
    int64_t ticks = packet->rtp_time - p->suspect.rtp_time;
    bool fits =
        p->suspect.size && seqs > 0 && seqs < 16 && within(ticks, (int64_t)p->config.rtp_hz * 2);

    p->suspect = *packet;
    p->suspect.payload = NULL;
    p->suspect.size = 1;
    return fits;
}

/* What share of about the last thousand packets does not come at all? */
static void count_lost(struct tdm_playout *p, int64_t seq)
{
    double newer = (double)(seq - p->newest_seq);

    if (newer > 0) {
        double keep = fmax(1 - newer / LOSS_PACKETS, 0);

        p->expected = p->expected * keep + newer;
        p->came *= keep;
        p->newest_seq = seq;
    }
    p->came = fmin(p->came + 1, p->expected);
    tdm_lateness_lose(&p->timing.lateness, (p->expected - p->came) / (p->expected + LOSS_UNSURE));
}

/* Whether the packet has been here; from now on it has. */
static bool came_before(struct tdm_playout *p, const struct tdm_playout_packet *packet)
{
    int64_t *seen = &p->seen[packet->seq & (TDM_PLAYOUT_PACKETS - 1)];
    bool before = *seen == packet->seq;

    *seen = packet->seq;
    return before;
}

static void take_packet(struct tdm_playout *p, const struct tdm_playout_packet *packet)
{
    uint32_t dropped = 0;

    if (packet->size > TDM_PLAYOUT_PAYLOAD_MAX || packet->samples > TDM_PLAYOUT_FRAME_MAX ||
        !within(packet->seq, EXTENDED_MAX) || !within(packet->rtp_time, EXTENDED_MAX)) {
        p->stats.dropped_packets++;
        return;
    }
    tdm_playout_timing_keep(&p->timing, p->now);
    if (p->started && plausible(p, packet)) {
        p->suspect.size = 0;
    } else if (!p->started || restarts(p, packet)) {
        begin_stream(p, packet);
    } else {
        p->stats.packets++;
        p->stats.dropped_packets++;
        return;
    }
    bool overtaken = packet->seq < p->store.next || packet->seq < p->store.highest;

    p->heard_seq = packet->seq;
    p->heard_rtp_time = packet->rtp_time;
    if (came_before(p, packet)) {
        p->stats.packets++;
        p->stats.duplicate_packets++;
        return;
    }
    count_lost(p, packet->seq);
    tdm_lateness_heal(&p->timing.lateness, packet->heals);
    p->stats.repaired_packets += packet->repair;
    int64_t pos = position_of(p, packet->rtp_time);
    uint32_t length = packet->samples ? packet->samples : p->length;
    length = length ? length : tdm_playout_samples(p, 20);
    p->stats.packets++;
    if (p->fresh && packet->seq < p->store.next)
        tdm_playout_store_rewind(&p->store, packet->seq);
    if (packet->seq < p->store.next) {
        p->stats.late_packets++;
        tdm_playout_timing_arrive(&p->timing, p->now, packet->arrival, pos, length, overtaken);
        return;
    }
    struct tdm_playout_slot *slot = tdm_playout_store_put(&p->store, packet->seq, &dropped);
    p->stats.dropped_packets += dropped;
    if (!slot) {
        p->stats.duplicate_packets++;
        return;
    }
    slot->pos = pos;
    slot->captured = within(packet->captured, CAPTURED_MAX) ? packet->captured : TDM_NEVER;
    slot->samples = packet->samples;
    slot->heals = packet->heals;
    slot->size = packet->payload ? packet->size : 0;
    if (slot->size)
        memcpy(p->payloads + (size_t)(slot - p->store.slots) * TDM_PLAYOUT_PAYLOAD_MAX,
               packet->payload, slot->size);
    tdm_playout_timing_arrive(&p->timing, p->now, packet->arrival, pos, length, overtaken);
}

void tdm_playout_step(struct tdm_playout *p, tdm_time now, const struct tdm_playout_in *in,
                      struct tdm_playout_out *out)
{
    *out = (struct tdm_playout_out){.captured = TDM_NEVER};
    p->now = tdm_time_max(now, p->now);
    switch (in->kind) {
    case TDM_PLAYOUT_PACKET:
        take_packet(p, &in->packet);
        return;
    case TDM_PLAYOUT_MIN_DELAY:
        p->timing.ask = (double)tdm_time_max(in->min_delay, 0) * 1e-9 * p->config.sample_hz;
        return;
    case TDM_PLAYOUT_PULL:
        p->request.kind = TDM_PLAYOUT_NO_PCM;
        p->want = in->pull.samples < TDM_PLAYOUT_PULL_MAX ? in->pull.samples : TDM_PLAYOUT_PULL_MAX;
        tdm_playout_timing_keep(&p->timing, p->now);
        p->play_at = in->pull.play_at;
        tdm_playout_line_compact(&p->line);
        tdm_playout_control(p);
        break;
    case TDM_PLAYOUT_PCM:
        if (p->request.kind == TDM_PLAYOUT_NO_PCM)
            return;
        if (tdm_playout_take_pcm(p, in, out))
            return;
        break;
    }
    if (!tdm_playout_fill(p, out))
        tdm_playout_produce(p, out);
}
