/* SPDX-License-Identifier: MIT */
#include "engine/core/playout.h"

#include "engine/core/playout_line.h"
#include "engine/core/playout_store.h"
#include "engine/core/playout_timing.h"
#include "engine/core/resample.h"
#include "engine/core/stretch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define EXPAND_MS       120 /* Waiting for a late packet under concealment; then silence. */
#define EXCESS_MS       500 /* Further behind than this is not caught up with but skipped. */
#define GROW_BELOW_MS   2.0 /* Off the target by so much: stretch, */
#define SHRINK_ABOVE_MS 4.0 /* or shrink; what is nearer is left to the resampler. */
#define MARGIN_MS       0.5 /* Above the target, so that its own rounding is never heard. */
#define START_MARGIN_MS 3.0 /* Above that for the first packet, which knows of no jitter. */
#define STEER_REST_MS   0.3
#define STEER_PPM_MS    60.0  /* Per ms above the target, */
#define STEER_LACK_MS   600.0 /* and below it, */
#define STEER_PPM_MAX   250.0
#define LAST_MS         30.0 /* When a gap looms and no more than this is left, stretch harder. */
#define RESEMBLANCE     0.85f
#define RESEMBLANCE_LOW 0.6f
#define DTX_BYTES       2 /* An Opus packet this short says that the sender fell silent. */
#define EXTENDED_MAX    ((int64_t)1 << 60) /* Numbers beyond it come from no network. */
#define CAPTURED_MAX    ((int64_t)1 << 61)
#define RTP_JUMP_MAX    ((int64_t)1 << 40)
#define SEQ_JUMP_MAX    3000 /* RFC 3550 appendix A.1: MAX_DROPOUT. */

enum wish { LEAVE, GROW, SHRINK };
enum pending { NO_PCM, DECODED_PCM, GAP_PCM, EXTRA_PCM };

/* What the driver was asked for. */
struct request {
    enum pending kind;
    uint32_t samples;
    int64_t pos;
    uint32_t length; /* Expected, for a payload that does not decode. */
};

struct tdm_playout {
    struct tdm_playout_config config;
    struct tdm_playout_stats stats;
    struct tdm_playout_store store;
    struct tdm_playout_timing timing;
    struct tdm_playout_line line;
    struct tdm_resample resample;
    struct tdm_stretch stretch;
    uint8_t *payloads; /* TDM_PLAYOUT_PACKETS * TDM_PLAYOUT_PAYLOAD_MAX */
    int16_t *block;    /* TDM_PLAYOUT_PULL_MAX * channels, NULL when dry. */
    tdm_time now;

    bool started;                      /* A packet has come. */
    int64_t rtp_base;                  /* RTP time of media position 0. */
    struct tdm_playout_packet suspect; /* The last implausible packet; size 1 when there is one. */
    tdm_time captured;                 /* Of media position captured_pos, or TDM_NEVER. */
    int64_t captured_pos;

    bool idle;         /* Silent until a packet comes. */
    bool fresh;        /* Idle since the start of the stream. */
    bool dtx;          /* The sender announced its silence. */
    bool concealing;   /* In a conceal event. */
    uint32_t lead;     /* Silence to play before the waiting packet. */
    uint32_t expanded; /* Extra samples concealed since the last packet. */
    uint32_t length;   /* Samples of the last packet, 0 = none yet. */
    struct request request;
    uint32_t want; /* Samples of the pull under way. */
    tdm_time play_at;
    enum wish wish;
    float resemblance;
    uint32_t lag_limit;
    bool looming;        /* The next packet is later than usual. */
    uint32_t pause_lags; /* Lags to play between two splices: 3 is a quarter of the speed. */
    uint32_t cooldown;   /* Samples to play before the next splice. */
    uint32_t dry_splices;
    double steer_ppm;
};

/* ---- storage ---- */

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

static uint32_t samples_of_ms(const struct tdm_playout *p, double ms)
{
    return (uint32_t)(ms * 1e-3 * p->config.sample_hz);
}

/* The playout delay at the read position, in samples on the lateness' origin. */
static double delay_now(const struct tdm_playout *p)
{
    return p->timing.clock - (double)tdm_playout_line_media(&p->line) - p->resample.fraction;
}

/* ---- packets ---- */

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
    tdm_playout_store_reset(&p->store, packet->seq);
    tdm_playout_timing_restart(&p->timing);
}

static bool within(int64_t x, int64_t reach)
{
    return x > -reach && x < reach;
}

/* Does the packet continue the stream that is playing? */
static bool plausible(const struct tdm_playout *p, const struct tdm_playout_packet *packet)
{
    int64_t seqs = packet->seq - p->store.next;
    double reach = p->timing.max_delay + 2.0 * p->config.sample_hz;

    if (!within(packet->rtp_time - p->rtp_base, RTP_JUMP_MAX) || !within(seqs, SEQ_JUMP_MAX))
        return false;
    double late = tdm_playout_timing_late(&p->timing, position_of(p, packet->rtp_time));
    return fabs(late - p->timing.last_late) < reach;
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

static void packet_step(struct tdm_playout *p, const struct tdm_playout_packet *packet)
{
    uint32_t dropped = 0;

    if (packet->size > TDM_PLAYOUT_PAYLOAD_MAX || packet->samples > TDM_PLAYOUT_FRAME_MAX ||
        !within(packet->seq, EXTENDED_MAX) || !within(packet->rtp_time, EXTENDED_MAX)) {
        p->stats.dropped_packets++;
        return;
    }
    tdm_playout_timing_keep(&p->timing, p->now);
    if (!p->started) {
        begin_stream(p, packet);
    } else if (plausible(p, packet)) {
        p->suspect.size = 0;
    } else if (restarts(p, packet)) {
        begin_stream(p, packet);
    } else {
        p->stats.dropped_packets++;
        return;
    }
    int64_t pos = position_of(p, packet->rtp_time);
    uint32_t length = packet->samples ? packet->samples : p->length;
    length = length ? length : samples_of_ms(p, 20);
    p->stats.packets++;
    if (p->fresh && packet->seq < p->store.next)
        tdm_playout_store_rewind(&p->store, packet->seq);
    if (packet->seq < p->store.next) {
        p->stats.late_packets++;
        tdm_playout_timing_arrive(&p->timing, p->now, packet->arrival, pos, length);
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
    slot->size = packet->payload ? packet->size : 0;
    if (slot->size)
        memcpy(p->payloads + (size_t)(slot - p->store.slots) * TDM_PLAYOUT_PAYLOAD_MAX,
               packet->payload, slot->size);
    tdm_playout_timing_arrive(&p->timing, p->now, packet->arrival, pos, length);
}

/* ---- filling the line ---- */

static const uint8_t *payload_of(const struct tdm_playout *p, const struct tdm_playout_slot *slot)
{
    return p->payloads + (size_t)(slot - p->store.slots) * TDM_PLAYOUT_PAYLOAD_MAX;
}

static uint32_t length_of(const struct tdm_playout *p, const struct tdm_playout_slot *slot)
{
    return slot->samples ? slot->samples : p->length;
}

static void add_silence(struct tdm_playout *p, uint32_t count, bool passes)
{
    if (p->line.silent.to != p->line.end)
        p->line.join = true;
    tdm_playout_line_append(&p->line, TDM_PLAYOUT_SILENT, NULL, count, passes);
    p->stats.silent_samples += count;
}

static void ask_concealment(struct tdm_playout *p, struct tdm_playout_out *out, uint32_t samples,
                            enum pending kind, const struct tdm_playout_slot *behind)
{
    samples = samples < TDM_PLAYOUT_FRAME_MAX ? samples : TDM_PLAYOUT_FRAME_MAX;
    p->request = (struct request){.kind = kind, .samples = samples};
    out->action = TDM_PLAYOUT_CONCEAL;
    out->samples = samples;
    out->payload = behind ? payload_of(p, behind) : NULL;
    out->payload_size = behind ? behind->size : 0;
    if (!p->concealing)
        p->stats.conceal_events++;
    p->concealing = true;
}

/* Concealment comes in steps of 2.5 ms, which every codec can make. */
static uint32_t whole_steps(const struct tdm_playout *p, uint32_t samples)
{
    uint32_t step = p->config.sample_hz / 400;

    return (samples + step - 1) / step * step;
}

/* Nothing waits: conceal for a while in the hope of a late packet, then fall silent. */
static bool starve(struct tdm_playout *p, struct tdm_playout_out *out, uint32_t missing)
{
    uint32_t limit = samples_of_ms(p, EXPAND_MS);

    if (!p->idle && !p->dtx && p->expanded < limit) {
        ask_concealment(p, out, whole_steps(p, missing), EXTRA_PCM, NULL);
        return true;
    }
    p->idle = true;
    p->lead = 0;
    add_silence(p, missing, false);
    return false;
}

static void give_up(struct tdm_playout *p, const struct tdm_playout_slot *slot)
{
    p->stats.dropped_packets++;
    tdm_playout_store_advance(&p->store, slot->seq + 1);
}

/* A packet after silence: play it at once, or when the target delay is reached. */
static void resume(struct tdm_playout *p)
{
    struct tdm_playout_slot *slot = tdm_playout_store_first(&p->store);
    double line_end = p->timing.clock + tdm_playout_line_unread(&p->line);
    double target = tdm_playout_timing_target(&p->timing) +
                    samples_of_ms(p, MARGIN_MS + (p->fresh ? START_MARGIN_MS : 0));

    while (p->fresh && p->store.count > 1 &&
           line_end - (double)slot->pos > target + length_of(p, slot)) {
        give_up(p, slot); /* They came before the device began to pull. */
        slot = tdm_playout_store_first(&p->store);
    }
    double wait = target - (line_end - (double)slot->pos);
    p->lead = wait > 0 ? (uint32_t)fmin(wait, p->timing.max_delay) : 0;
    tdm_playout_line_jump(&p->line, slot->pos - p->lead);
    p->idle = p->fresh = p->dtx = false;
    p->expanded = 0;
}

/* The waiting packet lies `gap` samples behind the end of the line. */
static bool bridge(struct tdm_playout *p, struct tdm_playout_out *out,
                   const struct tdm_playout_slot *slot, uint32_t gap, uint32_t missing)
{
    uint32_t length = length_of(p, slot);

    if (p->expanded) { /* Already concealed while waiting for what is lost. */
        uint32_t used = gap < p->expanded ? gap : p->expanded;

        p->expanded -= used;
        tdm_playout_line_jump(&p->line, p->line.media_end + used);
        return false;
    }
    if (slot->seq == p->store.next) { /* The sender paused; a trifle is its clock's rounding. */
        if (gap <= samples_of_ms(p, 2.5))
            tdm_playout_line_jump(&p->line, slot->pos);
        else
            add_silence(p, gap < missing ? gap : missing, true);
        return false;
    }
    if (length && gap > length) {
        uint32_t part = whole_steps(p, missing);

        ask_concealment(p, out, part < gap - length ? part : gap - length, GAP_PCM, NULL);
    } else {
        ask_concealment(p, out, gap, GAP_PCM, slot);
    }
    return true;
}

static void ask_decode(struct tdm_playout *p, struct tdm_playout_out *out,
                       const struct tdm_playout_slot *slot)
{
    p->request =
        (struct request){.kind = DECODED_PCM, .pos = slot->pos, .length = length_of(p, slot)};
    out->action = TDM_PLAYOUT_DECODE;
    out->payload = payload_of(p, slot);
    out->payload_size = slot->size;
    out->samples = slot->samples;
    if (slot->captured != TDM_NEVER) {
        p->captured = slot->captured;
        p->captured_pos = slot->pos;
    }
    p->dtx = slot->size > 0 && slot->size <= DTX_BYTES;
    tdm_playout_store_advance(&p->store, slot->seq + 1);
}

/* One step towards `missing` more samples; true when the driver must answer first. */
static bool fill_step(struct tdm_playout *p, struct tdm_playout_out *out, uint32_t missing)
{
    struct tdm_playout_slot *slot = tdm_playout_store_first(&p->store);

    if (!slot)
        return starve(p, out, missing);
    if (p->idle) {
        resume(p);
        return false;
    }
    if (p->lead) {
        uint32_t count = p->lead < missing ? p->lead : missing;

        p->lead -= count;
        add_silence(p, count, true);
        return false;
    }
    int64_t gap = slot->pos - p->line.media_end;
    if (gap > 0) {
        int64_t most = TDM_PLAYOUT_PULL_MAX + 2 * TDM_PLAYOUT_FRAME_MAX;

        return bridge(p, out, slot, (uint32_t)(gap < most ? gap : most), missing);
    }
    if (length_of(p, slot) && -gap >= length_of(p, slot)) {
        p->stats.late_packets++;
        tdm_playout_store_advance(&p->store, slot->seq + 1);
        return false;
    }
    ask_decode(p, out, slot);
    return true;
}

/* The driver's answer goes onto the line. Returns true when it must answer again. */
static bool pcm_step(struct tdm_playout *p, const struct tdm_playout_in *in,
                     struct tdm_playout_out *out)
{
    struct request asked = p->request;
    uint32_t count =
        in->pcm.samples < TDM_PLAYOUT_FRAME_MAX ? in->pcm.samples : TDM_PLAYOUT_FRAME_MAX;
    const int16_t *data = p->config.dry ? NULL : in->pcm.data;

    p->request.kind = NO_PCM;
    if (asked.kind == DECODED_PCM && (in->pcm.failed || !count)) {
        uint32_t length = asked.length ? asked.length : samples_of_ms(p, 10);

        if (asked.pos + length > p->line.media_end) {
            uint32_t left = (uint32_t)(asked.pos + length - p->line.media_end);

            ask_concealment(p, out, left, GAP_PCM, NULL);
            return true;
        }
        return false;
    }
    if (asked.kind == DECODED_PCM) {
        int64_t over = p->line.media_end - asked.pos;
        uint32_t trim = over > 0 ? (uint32_t)(over < count ? over : count) : 0;

        p->line.join = p->line.join || trim || p->concealing || p->line.silent.to == p->line.end;
        p->length = count;
        p->expanded = 0;
        p->concealing = false;
        tdm_playout_line_append(&p->line, TDM_PLAYOUT_DECODED,
                                data ? data + (size_t)trim * p->config.channels : NULL,
                                count - trim, true);
        p->stats.played_samples += count - trim;
        return false;
    }
    /* Concealment: exactly what was asked for, padded with silence if need be. */
    uint32_t made = count < asked.samples ? count : asked.samples;
    bool passes = asked.kind == GAP_PCM;

    tdm_playout_line_append(&p->line, TDM_PLAYOUT_CONCEALED, data, made, passes);
    tdm_playout_line_append(&p->line, TDM_PLAYOUT_CONCEALED, NULL, asked.samples - made, passes);
    p->stats.concealed_samples += asked.samples;
    if (!passes)
        p->expanded += asked.samples;
    return false;
}

/* ---- pulls ---- */

/* Is the next packet later than usual while there is still something to play? Then what there is
 * has to last longer. */
static bool gap_looms(struct tdm_playout *p)
{
    const struct tdm_playout_slot *newest = tdm_playout_store_at(&p->store, p->store.highest);
    int64_t next = newest ? newest->pos + length_of(p, newest) : p->line.media_end;
    double late = tdm_playout_timing_late(&p->timing, next) + p->want;
    tdm_time usual = tdm_lateness_recent(&p->timing.lateness, TDM_LATENESS_USUAL);
    double left = (double)(next - tdm_playout_line_media(&p->line)) - p->want;

    if (p->dtx || p->expanded ||
        late < (double)(usual + TDM_LATENESS_WARNING) * 1e-9 * p->config.sample_hz)
        return false;
    p->looming = true;
    p->pause_lags = left < samples_of_ms(p, LAST_MS) ? 1 : 3;
    return true;
}

/* Far behind: skips whole packets until the target is near. */
static double skip(struct tdm_playout *p, double excess)
{
    struct tdm_playout_slot *slot = tdm_playout_store_first(&p->store);
    int64_t media = p->line.media_end;

    while (slot && p->store.count > 1 && excess > length_of(p, slot) + samples_of_ms(p, 10)) {
        give_up(p, slot);
        slot = tdm_playout_store_first(&p->store);
        excess -= (double)(slot->pos - media);
        media = slot->pos;
    }
    if (media > p->line.media_end)
        tdm_playout_line_jump(&p->line, media);
    return excess;
}

static void limit_lag(struct tdm_playout *p, double most)
{
    p->lag_limit = most < p->lag_limit ? (uint32_t)most : p->lag_limit;
}

/* Compares the delay with the target and decides what to do about it in this pull. */
static void control(struct tdm_playout *p)
{
    p->wish = LEAVE;
    p->pause_lags = 3;
    p->looming = false;
    p->steer_ppm = 0;
    p->resemblance = RESEMBLANCE;
    p->lag_limit = p->stretch.lag_max;
    if (p->idle || p->lead || !p->timing.lateness.count)
        return;
    double excess =
        delay_now(p) - tdm_playout_timing_target(&p->timing) - samples_of_ms(p, MARGIN_MS);
    if (excess > samples_of_ms(p, EXCESS_MS))
        excess = skip(p, excess);
    double off_ms = tdm_playout_timing_ms(&p->timing, excess);

    if (fabs(off_ms) > STEER_REST_MS)
        p->steer_ppm =
            fmin(fmax(off_ms * (off_ms < 0 ? STEER_LACK_MS : STEER_PPM_MS), -STEER_PPM_MAX),
                 STEER_PPM_MAX);
    if (gap_looms(p)) {
        p->wish = GROW;
        p->resemblance = RESEMBLANCE_LOW;
    } else if (off_ms < -GROW_BELOW_MS) {
        p->wish = GROW;
        limit_lag(p, -excess + samples_of_ms(p, 2));
    } else if (off_ms > SHRINK_ABOVE_MS) {
        p->wish = SHRINK;
        limit_lag(p, excess + samples_of_ms(p, 1));
        p->resemblance = off_ms > 100 ? RESEMBLANCE_LOW : RESEMBLANCE;
    }
}

static double ratio_of(const struct tdm_playout *p)
{
    return 1 + (p->timing.drift_ppm + p->steer_ppm) * 1e-6;
}

/* Samples that must be unread on the line to play `count`. */
static uint32_t need_of(const struct tdm_playout *p, uint32_t count)
{
    return tdm_resample_span(&p->resample, count, ratio_of(p)) + TDM_RESAMPLE_AFTER;
}

/* Could a packet be decoded at the end of the line right now? */
static bool can_decode(struct tdm_playout *p)
{
    const struct tdm_playout_slot *slot = tdm_playout_store_first(&p->store);

    return slot && !p->idle && !p->lead && slot->pos <= p->line.media_end;
}

/* Fills the line as far as the pull needs; true when the driver must answer first. */
static bool fill(struct tdm_playout *p, struct tdm_playout_out *out)
{
    uint32_t need = need_of(p, p->want), spare = p->stretch.lag_max + p->stretch.window;

    for (;;) {
        uint32_t unread = tdm_playout_line_unread(&p->line);

        if (unread >= need && p->wish != LEAVE && unread < need + spare && can_decode(p)) {
            if (fill_step(p, out, need + spare - unread))
                return true;
            continue;
        }
        if (unread >= need)
            return false;
        if (fill_step(p, out, need - unread))
            return true;
    }
}

/* Moves the read position by one period, if that is wished and the signal allows it; `count` more
 * samples are to be played in this pull. */
static void splice(struct tdm_playout *p, uint32_t count)
{
    struct tdm_playout_line *l = &p->line;
    struct tdm_stretch s = p->stretch;
    uint32_t unread = tdm_playout_line_unread(l), need = need_of(p, count), lag = 0;
    int16_t *at = l->pcm ? l->pcm + (size_t)l->read * l->channels : NULL;

    if (p->wish == LEAVE || p->cooldown || p->idle)
        return;
    s.lag_max = p->lag_limit > s.lag_min ? p->lag_limit : s.lag_min;
    /* Dry, three seams of four are found, at 5 ms. */
    uint32_t plain = s.lag_max < samples_of_ms(p, 5) ? s.lag_max : samples_of_ms(p, 5);
    plain = !at && p->dry_splices++ % 4 == 3 ? 0 : plain;
    if (p->wish == GROW) {
        uint32_t before = l->read - TDM_RESAMPLE_BEFORE;

        if (unread >= s.window && before >= s.lag_max)
            lag =
                at ? tdm_stretch_grow(&s, at, before, unread, l->channels, p->resemblance) : plain;
        l->read -= lag;
        p->stats.stretched_samples += lag;
    } else if (unread >= need + s.lag_max + s.window) {
        lag = at ? tdm_stretch_shrink(&s, at, unread, l->channels, p->resemblance) : plain;
        l->read += lag;
        p->stats.shrunk_samples += lag;
    }
    p->cooldown = lag ? p->pause_lags * lag : samples_of_ms(p, 2.5);
    if (lag && !p->looming)
        p->wish = LEAVE;
    if (lag && at) /* What the resampler looks back at is what was heard. */
        memmove(l->pcm + (size_t)(l->read - TDM_RESAMPLE_BEFORE) * l->channels,
                at - (size_t)TDM_RESAMPLE_BEFORE * l->channels,
                (size_t)TDM_RESAMPLE_BEFORE * l->channels * sizeof *at);
}

static void report(struct tdm_playout *p, double delay)
{
    const struct tdm_playout_timing *t = &p->timing;
    double unit = 1e9 / p->config.sample_hz;

    if (!t->lateness.count)
        return;
    p->stats.delay = p->idle ? 0 : (tdm_time)((delay - t->fastest) * unit);
    p->stats.target_delay = (tdm_time)((tdm_playout_timing_target(t) - t->fastest) * unit);
    p->stats.jitter_p95 = (tdm_time)(t->jitter * unit);
    p->stats.drift_ppm = t->drift_ppm;
}

/* Plays the pull from the line in parts of 5 ms, with a splice where one is due. */
static void produce(struct tdm_playout *p, struct tdm_playout_out *out)
{
    struct tdm_playout_line *l = &p->line;
    uint32_t from = l->read, step = p->config.sample_hz / 200, channels = l->channels;
    double ratio = ratio_of(p), delay = delay_now(p);
    double past = (double)(tdm_playout_line_media(l) - p->captured_pos) + p->resample.fraction;

    for (uint32_t made = 0; made < p->want;) {
        uint32_t part = p->want - made < step ? p->want - made : step;

        splice(p, p->want - made);
        int16_t *at = l->pcm ? l->pcm + (size_t)l->read * channels : NULL;
        int16_t *to = l->pcm ? p->block + (size_t)made * channels : NULL;
        uint32_t span = tdm_resample_run(&p->resample, at, to, part, ratio, channels);
        l->read += span;
        made += part;
        p->stats.resampled_samples += (int64_t)part - span;
        p->cooldown = p->cooldown > span ? p->cooldown - span : 0;
    }
    out->action = TDM_PLAYOUT_READY;
    out->samples = p->want;
    out->pcm = p->block;
    out->silent = l->silent.from <= from && l->silent.to >= l->read;
    out->concealed = tdm_playout_range_meets(l->concealed, from, l->read);
    if (p->captured != TDM_NEVER && !out->silent)
        out->captured = p->captured + (tdm_time)(past * 1e9 / p->config.sample_hz);
    p->stats.buffered_samples = tdm_playout_line_unread(l);
    tdm_playout_timing_pull(&p->timing, p->now, p->play_at, p->want);
    report(p, delay);
}

void tdm_playout_step(struct tdm_playout *p, tdm_time now, const struct tdm_playout_in *in,
                      struct tdm_playout_out *out)
{
    *out = (struct tdm_playout_out){.captured = TDM_NEVER};
    p->now = tdm_time_max(now, p->now);
    switch (in->kind) {
    case TDM_PLAYOUT_PACKET:
        packet_step(p, &in->packet);
        return;
    case TDM_PLAYOUT_MIN_DELAY:
        p->timing.ask = (double)tdm_time_max(in->min_delay, 0) * 1e-9 * p->config.sample_hz;
        return;
    case TDM_PLAYOUT_PULL:
        p->request.kind = NO_PCM;
        p->want = in->pull.samples < TDM_PLAYOUT_PULL_MAX ? in->pull.samples : TDM_PLAYOUT_PULL_MAX;
        tdm_playout_timing_keep(&p->timing, p->now);
        p->play_at = in->pull.play_at;
        tdm_playout_line_compact(&p->line);
        control(p);
        break;
    case TDM_PLAYOUT_PCM:
        if (p->request.kind == NO_PCM)
            return;
        if (pcm_step(p, in, out))
            return;
        break;
    }
    if (!fill(p, out))
        produce(p, out);
}
