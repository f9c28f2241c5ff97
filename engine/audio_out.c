/* SPDX-License-Identifier: MIT */
#include "engine/audio_out.h"

#include "codecs/codec.h"
#include "engine/base/chirp.h"
#include "engine/base/mailbox.h"
#include "engine/base/rt.h"
#include "engine/core/upsample.h"
#include "engine/io/clock.h"
#include "engine/wire/red.h"
#include "render/sink.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_HZ     48000u
#define CHANNELS_MAX  2
#define TRACES        256
#define RECENT        256 /* Packets whose stamps are remembered; a power of two. */
#define STATS_EVERY   (100 * TDM_MS)
#define MAX_DELAY     (2 * TDM_S)
#define PULL_MAX      TDM_PLAYOUT_PULL_MAX
#define PULLS_DECODES 64 /* One pull never decodes more packets than this. */
#define ROOM          (TDM_AUDIO_FRAME_SAMPLES_MAX + 4) /* Samples; rounding of 44.1 kHz. */

/* What may come in. */
static const struct form {
    enum tdm_codec_id id;
    uint32_t rtp_hz, hz;
    uint8_t channels; /* 0: the decoder makes what the device has. */
} forms[] = {
    {TDM_CODEC_OPUS, 48000, 48000, 0}, {TDM_CODEC_PCMU, 8000, 8000, 1},
    {TDM_CODEC_PCMA, 8000, 8000, 1},   {TDM_CODEC_G722, 8000, 16000, 1},
    {TDM_CODEC_L16, 48000, 48000, 1},  {TDM_CODEC_L16, 48000, 48000, 2},
    {TDM_CODEC_L16, 44100, 44100, 1},  {TDM_CODEC_L16, 44100, 44100, 2},
};

#define FORM_COUNT (sizeof forms / sizeof *forms)

struct decoder {
    const struct form *form;
    const struct tdm_audio_decoder_ops *ops;
    struct tdm_audio_decoder *instance;
    uint8_t channels; /* Of what it decodes to. */
};

struct stamps {
    tdm_time captured, encode_end, arrival;
};

struct tdm_audio_out {
    struct tdm_audio_out_config config;
    char spec[256]; /* Of the sink that runs. */
    const struct tdm_audio_sink_ops *ops;
    struct tdm_audio_sink *sink;
    struct decoder decoders[FORM_COUNT];
    const struct decoder *decoder; /* Of the playout that runs. */
    struct tdm_upsample upsample;
    void *playout_storage;
    struct tdm_playout *playout; /* NULL until the first packet. */
    _Atomic int64_t min_delay, pulled_at;
    _Atomic bool flush;
    tdm_time min_delay_set;
    uint32_t recent_at;
    struct stamps recent[RECENT];
    struct tdm_chirp_detector chirps;
    int64_t heard_samples;
    tdm_time stats_at;
    struct tdm_playout_stats past; /* Totals of the playouts before this one. */
    struct tdm_mailbox stats_box;
    struct tdm_playout_stats stats[TDM_MAILBOX_SLOTS];
    struct tdm_ring traces;
    struct tdm_audio_trace trace_slots[TRACES];
    int16_t decoded[ROOM * CHANNELS_MAX]; /* As the codec has it, then in the device's channels, */
    int16_t wide[ROOM * CHANNELS_MAX];    /* and at the device's rate. */
};

static struct tdm_playout_config playout_config(uint32_t rtp_hz, uint8_t channels,
                                                tdm_time delay_max)
{
    return (struct tdm_playout_config){
        .sample_hz = DEVICE_HZ,
        .rtp_hz = rtp_hz,
        .channels = channels,
        .max_delay = delay_max ? delay_max : MAX_DELAY,
    };
}

static void add_totals(struct tdm_playout_stats *to, const struct tdm_playout_stats *past)
{
    to->packets += past->packets;
    to->late_packets += past->late_packets;
    to->duplicate_packets += past->duplicate_packets;
    to->dropped_packets += past->dropped_packets;
    to->played_samples += past->played_samples;
    to->concealed_samples += past->concealed_samples;
    to->stretched_samples += past->stretched_samples;
    to->shrunk_samples += past->shrunk_samples;
    to->silent_samples += past->silent_samples;
    to->cut_samples += past->cut_samples;
    to->conceal_events += past->conceal_events;
}

static void end_playout(struct tdm_audio_out *out)
{
    struct tdm_playout_stats last;

    if (!out->playout)
        return;
    last = *tdm_playout_stats_of(out->playout);
    add_totals(&last, &out->past);
    out->past = last;
    out->playout = NULL;
}

/* NULL: no such decoder here. */
static const struct decoder *decoder_of(const struct tdm_audio_out *out,
                                        const struct tdm_session_audio *audio)
{
    for (size_t i = 0; i < FORM_COUNT; i++)
        if (forms[i].id == audio->codec && forms[i].rtp_hz == audio->rtp_hz &&
            (audio->codec != TDM_CODEC_L16 || forms[i].channels == audio->channels))
            return out->decoders[i].instance ? &out->decoders[i] : NULL;
    return NULL;
}

static void restart(struct tdm_audio_out *out, const struct decoder *decoder, tdm_time now)
{
    end_playout(out);
    out->min_delay_set = 0;
    out->decoder = decoder;
    if (!decoder)
        return;
    struct tdm_playout_config config =
        playout_config(decoder->form->rtp_hz, out->config.channels, out->config.delay_max);

    out->playout = tdm_playout_init(out->playout_storage, &config, now);
    tdm_upsample_init(&out->upsample, decoder->form->hz, DEVICE_HZ, out->config.channels);
}

static void remember(struct tdm_audio_out *out, const struct tdm_session_audio *audio)
{
    out->recent[out->recent_at++ % RECENT] = (struct stamps){
        .captured = audio->captured,
        .encode_end = audio->encode_end,
        .arrival = audio->arrival,
    };
}

/* When the first sample that comes out of decoding was taken: the upsampler delays it, too. */
static tdm_time captured_as_heard(const struct tdm_session_audio *audio,
                                  const struct decoder *decoder)
{
    if (audio->captured == TDM_NEVER || decoder->form->hz == DEVICE_HZ)
        return audio->captured;
    return audio->captured - tdm_time_of_units(TDM_UPSAMPLE_TAPS / 2, decoder->form->hz);
}

/* One frame of a packet: the newest, or a copy of one so much earlier. A copy whose number cannot
 * be told, since it is not whole frames back, is left out. */
static void take_block(struct tdm_audio_out *out, const struct tdm_session_audio *audio,
                       const struct tdm_red_block *block, tdm_time came)
{
    const struct decoder *decoder = out->decoder;
    uint32_t samples = decoder->ops->payload_samples(decoder->instance, block->data, block->size);
    uint32_t frame_rtp = (uint32_t)((uint64_t)samples * decoder->form->rtp_hz / decoder->form->hz);
    tdm_time earlier = tdm_time_of_units(block->offset, decoder->form->rtp_hz);
    tdm_time captured = captured_as_heard(audio, decoder);
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PACKET};
    struct tdm_playout_out unused;

    if (block->offset && (!frame_rtp || block->offset % frame_rtp))
        return;
    in.packet = (struct tdm_playout_packet){
        .seq = audio->seq - (block->offset ? block->offset / frame_rtp : 0),
        .rtp_time = audio->rtp_time - block->offset,
        .arrival = audio->arrival,
        .captured = captured == TDM_NEVER ? captured : captured - earlier,
        .samples = (uint32_t)((uint64_t)samples * DEVICE_HZ / decoder->form->hz),
        .repair = block->offset != 0,
        .heals = decoder->ops->heals && decoder->ops->heals(block->data, block->size),
        .size = block->size,
        .payload = block->data,
    };
    tdm_playout_step(out->playout, came, &in, &unused);
}

/* RFC 2198: the copies first, so that what was lost is there before what came after it. */
static void take_blocks(struct tdm_audio_out *out, const struct tdm_session_audio *audio,
                        const uint8_t *payload, tdm_time came)
{
    struct tdm_red red;

    if (tdm_red_parse(&red, payload, audio->size) != TDM_OK)
        return;
    uint8_t type = red.blocks[red.count - 1].payload_type;

    for (uint8_t i = 0; i < red.count; i++)
        if (red.blocks[i].payload_type == type && red.blocks[i].size)
            take_block(out, audio, &red.blocks[i], came);
}

static void take_packet(struct tdm_audio_out *out, const struct tdm_link_audio_rx *rx, tdm_time now)
{
    const struct tdm_session_audio *audio = &rx->audio;
    const struct decoder *decoder = decoder_of(out, audio);
    /* It waited in the ring for this pull; to the playout it came when it came. */
    tdm_time came = tdm_time_min(audio->arrival, now);

    if (!out->playout || audio->restarted || decoder != out->decoder)
        restart(out, decoder, came);
    if (!decoder || !out->playout || audio->size > TDM_PLAYOUT_PAYLOAD_MAX)
        return;
    const uint8_t *payload = (const uint8_t *)(rx + 1);

    remember(out, audio);
    if (audio->red)
        take_blocks(out, audio, payload, came);
    else
        take_block(out, audio, &(struct tdm_red_block){.data = payload, .size = audio->size}, came);
}

static void take_packets(struct tdm_audio_out *out, tdm_time now)
{
    struct tdm_record_ring *ring = &out->config.link->rx_audio;
    const struct tdm_link_audio_rx *rx;
    uint32_t size;

    if (atomic_exchange_explicit(&out->flush, false, memory_order_relaxed))
        end_playout(out);

    while ((rx = tdm_record_ring_peek(ring, &size))) {
        take_packet(out, rx, now);
        tdm_record_ring_release(ring);
    }
    tdm_time min_delay = atomic_load_explicit(&out->min_delay, memory_order_relaxed);

    if (out->playout && min_delay != out->min_delay_set) {
        struct tdm_playout_out unused;

        out->min_delay_set = min_delay;
        tdm_playout_step(
            out->playout, now,
            &(struct tdm_playout_in){.kind = TDM_PLAYOUT_MIN_DELAY, .min_delay = min_delay},
            &unused);
    }
}

/* In place: one channel is doubled, two are mixed, where the device has another count. */
static void fit_channels(int16_t *pcm, uint32_t samples, uint8_t from, uint8_t to)
{
    if (from < to)
        for (size_t i = samples; i-- > 0;)
            pcm[2 * i] = pcm[2 * i + 1] = pcm[i];
    if (from > to)
        for (size_t i = 0; i < samples; i++)
            pcm[i] = (int16_t)((pcm[2 * i] + pcm[2 * i + 1]) / 2);
}

/* Samples at the codec's rate that make at least so many at the device's. */
static uint32_t samples_for(const struct decoder *decoder, uint32_t wanted)
{
    uint64_t units = (uint64_t)wanted * decoder->form->hz;

    return (uint32_t)(units / DEVICE_HZ) + (DEVICE_HZ % decoder->form->hz ? 2 : 0);
}

/* Does what the playout asked for; the PCM it answers with is at the device's rate. */
static struct tdm_playout_in make_pcm(struct tdm_audio_out *out, const struct tdm_playout_out *ask)
{
    const struct decoder *decoder = out->decoder;
    uint32_t hz = decoder->form->hz;
    uint32_t capacity = (uint32_t)((uint64_t)TDM_AUDIO_FRAME_SAMPLES_MAX * hz / DEVICE_HZ);
    uint32_t samples = 0;
    bool conceals = ask->action == TDM_PLAYOUT_CONCEAL;
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PCM};

    if (conceals) {
        samples = samples_for(decoder, ask->samples);
        samples = samples < capacity ? samples : capacity;
        decoder->ops->conceal(decoder->instance, ask->payload, ask->payload_size, out->decoded,
                              samples);
    } else {
        in.pcm.failed = decoder->ops->decode(decoder->instance, ask->payload, ask->payload_size,
                                             out->decoded, capacity, &samples) != TDM_OK;
    }
    fit_channels(out->decoded, samples, decoder->channels, out->config.channels);
    in.pcm.data = out->decoded;
    in.pcm.samples = samples;
    if (hz != DEVICE_HZ) {
        in.pcm.data = out->wide;
        in.pcm.samples = tdm_upsample_run(&out->upsample, out->decoded, samples, out->wide);
    }
    if (conceals && in.pcm.samples > ask->samples)
        in.pcm.samples = ask->samples;
    return in;
}

static const struct stamps *stamps_of(const struct tdm_audio_out *out, tdm_time captured)
{
    const struct stamps *best = NULL;

    for (uint32_t i = 0; i < RECENT; i++) {
        const struct stamps *s = &out->recent[i];

        if (s->captured != TDM_NEVER && s->captured && s->captured <= captured &&
            (!best || s->captured > best->captured))
            best = s;
    }
    return best;
}

/* A chirp starts with the sample that was captured on a whole second of the sender's clock, which
 * on one machine is ours: its latency is what is left of the second. */
static double find_chirp(struct tdm_audio_out *out, const int16_t *pcm, uint32_t samples,
                         tdm_time play_at)
{
    double latency_ms = -1;

    for (uint32_t i = 0; i < samples; i++) {
        double arrival;

        out->heard_samples++;
        if (!tdm_chirp_detector_push(&out->chirps, pcm[(size_t)i * out->config.channels], &arrival))
            continue;
        double back = (double)(out->heard_samples - 1) - arrival; /* Samples from the chirp to i. */
        double heard = (double)play_at + (i - back) * 1e9 / DEVICE_HZ;
        double rest_ms = fmod(heard, 1e9) / 1e6;

        latency_ms = rest_ms < 900 ? rest_ms : rest_ms - 1000;
    }
    return latency_ms;
}

static void report(struct tdm_audio_out *out, const struct tdm_playout_out *ready,
                   const int16_t *pcm, uint32_t samples, tdm_time play_at)
{
    struct tdm_audio_trace trace = {
        .captured = ready->captured,
        .encode_end = TDM_NEVER,
        .arrival = TDM_NEVER,
        .play_at = play_at,
        .samples = samples,
        .concealed = ready->concealed,
        .silent = ready->silent,
        .chirp_ms = -1,
    };
    const struct stamps *s = ready->captured == TDM_NEVER ? NULL : stamps_of(out, ready->captured);

    if (s) {
        trace.encode_end = s->encode_end;
        trace.arrival = s->arrival;
    }
    if (out->config.find_chirps)
        trace.chirp_ms = find_chirp(out, pcm, samples, play_at);
    (void)tdm_ring_push(&out->traces, &trace);
}

static void publish_stats(struct tdm_audio_out *out, tdm_time now)
{
    if (!out->playout || now < out->stats_at)
        return;
    struct tdm_playout_stats *stats = &out->stats[tdm_mailbox_back(&out->stats_box)];

    *stats = *tdm_playout_stats_of(out->playout);
    add_totals(stats, &out->past);
    tdm_mailbox_publish(&out->stats_box);
    out->stats_at = now + STATS_EVERY;
}

static void pull_block(struct tdm_audio_out *out, int16_t *pcm, uint32_t samples, tdm_time now,
                       tdm_time play_at)
{
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PULL};
    struct tdm_playout_out ask = {.silent = true, .captured = TDM_NEVER};

    in.pull.samples = samples;
    in.pull.play_at = play_at;
    for (int i = 0; out->playout && i < PULLS_DECODES; i++) {
        tdm_playout_step(out->playout, now, &in, &ask);
        if (ask.action == TDM_PLAYOUT_READY)
            break;
        in = make_pcm(out, &ask);
    }
    if (out->playout && ask.action == TDM_PLAYOUT_READY && ask.pcm)
        memcpy(pcm, ask.pcm, sizeof *pcm * samples * out->config.channels);
    else
        memset(pcm, 0, sizeof *pcm * samples * out->config.channels);
    report(out, &ask, pcm, samples, play_at);
    if (out->config.played)
        out->config.played(out->config.played_arg, pcm, samples, play_at);
}

static void pull(void *arg, int16_t *pcm, uint32_t samples, tdm_time now, tdm_time play_at)
{
    struct tdm_audio_out *out = arg;

    tdm_rt_enter();
    atomic_store_explicit(&out->pulled_at, now, memory_order_relaxed);
    take_packets(out, now);
    while (samples) {
        uint32_t block = samples < PULL_MAX ? samples : PULL_MAX;

        pull_block(out, pcm, block, now, play_at);
        pcm += (size_t)block * out->config.channels;
        play_at += tdm_time_of_units(block, DEVICE_HZ);
        samples -= block;
    }
    publish_stats(out, now);
    tdm_rt_leave();
}

static enum tdm_err open_sink(struct tdm_audio_out *out, const char *spec, struct tdm_cause *cause)
{
    struct tdm_audio_sink_config config = {
        .sample_hz = DEVICE_HZ, .channels = out->config.channels, .arg = out, .pull = pull};

    out->ops =
        tdm_audio_sink_find(strcmp(spec, "off") == 0 ? "null" : spec, &config.argument, cause);
    if (!out->ops)
        return TDM_E_UNSUPPORTED;
    enum tdm_err err = out->ops->create(&config, &out->sink, cause);

    /* Its first pull is due from now on, not since the machine started. */
    atomic_store_explicit(&out->pulled_at, tdm_clock_now(), memory_order_relaxed);
    return err;
}

static enum tdm_err open_decoders(struct tdm_audio_out *out, struct tdm_cause *cause)
{
    for (size_t i = 0; i < FORM_COUNT; i++) {
        struct decoder *d = &out->decoders[i];

        d->form = &forms[i];
        d->channels = forms[i].channels ? forms[i].channels : out->config.channels;
        d->ops = tdm_audio_decoder_find(forms[i].id);
        if (!d->ops)
            continue;
        enum tdm_err err = d->ops->create(forms[i].hz, d->channels, &d->instance, cause);

        if (err != TDM_OK)
            return err;
    }
    return TDM_OK;
}

enum tdm_err tdm_audio_out_create(const struct tdm_audio_out_config *config,
                                  struct tdm_audio_out **result, struct tdm_cause *cause)
{
    struct tdm_audio_out *out = calloc(1, sizeof *out);
    struct tdm_playout_config playout =
        playout_config(DEVICE_HZ, config->channels, config->delay_max);
    enum tdm_err err = TDM_E_SYSTEM;

    assert(config->channels == 1 || config->channels == 2);
    if (out)
        out->playout_storage = malloc(tdm_playout_bytes(&playout));
    if (!out || !out->playout_storage) {
        free(out);
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for sound");
    }
    out->config = *config;
    tdm_mailbox_init(&out->stats_box);
    tdm_ring_init(&out->traces, out->trace_slots, sizeof *out->trace_slots, TRACES);
    tdm_chirp_detector_init(&out->chirps);
    err = open_decoders(out, cause);
    if (err == TDM_OK)
        err = open_sink(out, config->sink, cause);
    (void)snprintf(out->spec, sizeof out->spec, "%s", config->sink);
    out->config.sink = NULL;
    if (err != TDM_OK)
        tdm_audio_out_destroy(out);
    else
        *result = out;
    return err;
}

void tdm_audio_out_destroy(struct tdm_audio_out *out)
{
    if (!out)
        return;
    if (out->sink)
        out->ops->destroy(out->sink);
    for (size_t i = 0; i < FORM_COUNT; i++)
        if (out->decoders[i].instance)
            out->decoders[i].ops->destroy(out->decoders[i].instance);
    free(out->playout_storage);
    free(out);
}

/* Two sinks must never pull at once, so the old one goes first and comes back on failure. */
enum tdm_err tdm_audio_out_set_sink(struct tdm_audio_out *out, const char *spec,
                                    struct tdm_cause *cause)
{
    if (out->sink)
        out->ops->destroy(out->sink);
    enum tdm_err err = open_sink(out, spec, cause);

    if (err != TDM_OK && open_sink(out, out->spec, NULL) != TDM_OK)
        (void)open_sink(out, "null", NULL);
    else if (err == TDM_OK)
        (void)snprintf(out->spec, sizeof out->spec, "%s", spec);
    return err;
}

void tdm_audio_out_flush(struct tdm_audio_out *out)
{
    atomic_store_explicit(&out->flush, true, memory_order_relaxed);
}

void tdm_audio_out_min_delay(struct tdm_audio_out *out, tdm_time delay)
{
    atomic_store_explicit(&out->min_delay, delay, memory_order_relaxed);
}

tdm_time tdm_audio_out_pulled_at(const struct tdm_audio_out *out)
{
    return atomic_load_explicit(&out->pulled_at, memory_order_relaxed);
}

bool tdm_audio_out_next_trace(struct tdm_audio_out *out, struct tdm_audio_trace *trace)
{
    return tdm_ring_pop(&out->traces, trace) == TDM_OK;
}

bool tdm_audio_out_stats(struct tdm_audio_out *out, struct tdm_playout_stats *stats)
{
    uint8_t slot;

    if (!tdm_mailbox_take(&out->stats_box, &slot))
        return false;
    *stats = out->stats[slot];
    return true;
}
