/* SPDX-License-Identifier: MIT */
#include "engine/audio_in.h"

#include "capture/source.h"
#include "codecs/codec.h"
#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "engine/worker.h"

#include <stdlib.h>
#include <string.h>

struct tdm_audio_in {
    struct tdm_audio_in_config config;
    struct tdm_worker worker;
    const struct tdm_audio_source_ops *ops;
    struct tdm_audio_source *source;
    const struct tdm_audio_encoder_ops *encoder_ops;
    struct tdm_audio_encoder *encoder;
    uint32_t block_samples, block_rtp; /* The block in samples and on the RTP clock. */
    uint32_t blocks;                   /* That wait in `pcm` to be encoded as one. */
    tdm_time block, lookahead;
    tdm_time next_silence; /* Pace of the silence that stands in for a source that is gone. */
    bool gone;
    _Atomic bool mute;
    int16_t pcm[2 * TDM_AUDIO_FRAME_SAMPLES_MAX];
};

static void tell_gone(struct tdm_audio_in *in, const struct tdm_cause *cause)
{
    in->gone = true;
    in->next_silence = tdm_clock_now() + in->block;
    tdm_worker_tell(&in->worker, cause);
}

/* Where the next block goes. */
static int16_t *block_at(struct tdm_audio_in *in)
{
    return in->pcm + (size_t)in->blocks * in->block_samples * in->config.format.channels;
}

static void silence_block(struct tdm_audio_in *in)
{
    memset(block_at(in), 0, sizeof in->pcm[0] * in->block_samples * in->config.format.channels);
}

/* One block from the source, or paced silence without one. */
static enum tdm_err read_block(struct tdm_audio_in *in, tdm_time *captured)
{
    struct tdm_cause cause = {{0}};

    if (in->source && !in->gone) {
        enum tdm_err err = in->ops->read(in->source, block_at(in), captured, &cause);

        if (err == TDM_OK || err == TDM_E_AGAIN)
            return err;
        tell_gone(in, &cause);
    }
    if (tdm_wait_until(in->next_silence, in->worker.wake, -1) == TDM_WAIT_WAKE)
        return TDM_E_AGAIN;
    silence_block(in);
    *captured = in->next_silence;
    in->next_silence += in->block;
    return TDM_OK;
}

/* Blocks that wait for one more. */
static uint32_t joined(const struct tdm_audio_in *in)
{
    return in->config.format.joins &&
           atomic_load_explicit(&in->config.link->audio_joined, memory_order_relaxed);
}

static void encode_blocks(struct tdm_audio_in *in, tdm_time captured)
{
    struct tdm_link *link = in->config.link;
    struct tdm_link_audio_tx head = {
        .samples_rtp = in->blocks * in->block_rtp,
        /* When the first sample that decoding gives was taken: the codec delays by its lookahead.
         */
        .captured = captured - in->blocks * in->block - in->lookahead,
        .encode_start = tdm_clock_now(),
    };
    uint8_t payload[TDM_AUDIO_PAYLOAD_MAX];
    size_t size = 0;

    if (in->encoder_ops->set_loss)
        in->encoder_ops->set_loss(
            in->encoder,
            atomic_load_explicit(&link->audio_loss_q16, memory_order_relaxed) / 65536.0);
    if (in->encoder_ops->encode(in->encoder, in->pcm, in->blocks * in->block_samples, payload,
                                sizeof payload, &size) != TDM_OK)
        return;
    head.encode_end = tdm_clock_now();
    uint8_t *record = tdm_record_ring_reserve(&link->tx_audio, (uint32_t)(sizeof head + size));

    if (!record)
        return;
    memcpy(record, &head, sizeof head);
    memcpy(record + sizeof head, payload, size);
    tdm_record_ring_commit(&link->tx_audio);
    tdm_wake_signal(link->net_wake);
}

static void *run(void *arg)
{
    struct tdm_audio_in *in = arg;
    tdm_time captured;

    in->blocks = 0;
    tdm_rt_enter();
    while (read_block(in, &captured) == TDM_OK) {
        if (atomic_load_explicit(&in->mute, memory_order_relaxed))
            silence_block(in);
        in->blocks++;
        if (in->blocks > joined(in)) {
            encode_blocks(in, captured);
            in->blocks = 0;
        }
    }
    tdm_rt_leave();
    return NULL;
}

static enum tdm_err open_source(struct tdm_audio_in *in, const char *spec,
                                const struct tdm_audio_source_ops **ops,
                                struct tdm_audio_source **source, struct tdm_cause *cause)
{
    struct tdm_audio_source_config config = {
        .sample_hz = in->config.format.sample_hz,
        .channels = in->config.format.channels,
        .block_samples = in->block_samples,
        .wake_fd = in->worker.wake,
    };

    *ops = NULL;
    *source = NULL;
    if (strcmp(spec, "off") == 0)
        return TDM_OK;
    *ops = tdm_audio_source_find(spec, &config.argument, cause);
    return *ops ? (*ops)->create(&config, source, cause) : TDM_E_UNSUPPORTED;
}

static enum tdm_err start(struct tdm_audio_in *in, struct tdm_cause *cause)
{
    in->gone = false;
    in->next_silence = tdm_clock_now() + in->block;
    return tdm_worker_start(&in->worker, "tdm-audio-in", TDM_PRIORITY_AUDIO, run, in, cause);
}

static enum tdm_err open_all(struct tdm_audio_in *in, struct tdm_cause *cause)
{
    struct tdm_audio_encoder_config config = {
        .sample_hz = in->config.format.sample_hz,
        .channels = in->config.format.channels,
        .bitrate_bps = in->config.format.bitrate_bps,
        .frame_us = in->config.format.frame_us,
        .music = in->config.music,
    };
    enum tdm_err err;

    if (in->config.fmtp) {
        size_t size = strnlen(in->config.fmtp, sizeof config.fmtp - 1);

        memcpy(config.fmtp, in->config.fmtp, size);
    }
    err = tdm_worker_open(&in->worker, in->config.control_wake, cause);
    if (err != TDM_OK)
        return err;
    in->encoder_ops = tdm_audio_encoder_find(in->config.codec);
    if (!in->encoder_ops)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "this build has no encoder for that audio codec");
    err = in->encoder_ops->create(&config, &in->encoder, cause);
    if (err != TDM_OK)
        return err;
    uint32_t clock_hz = in->encoder_ops->rtp_clock_hz;

    in->block_rtp =
        clock_hz ? (uint32_t)((uint64_t)in->block_samples * clock_hz / in->config.format.sample_hz)
                 : in->block_samples;
    if (in->encoder_ops->lookahead_samples)
        in->lookahead = tdm_time_of_units(in->encoder_ops->lookahead_samples(in->encoder), 48000);
    err = open_source(in, in->config.source, &in->ops, &in->source, cause);
    return err == TDM_OK ? start(in, cause) : err;
}

enum tdm_err tdm_audio_in_create(const struct tdm_audio_in_config *config,
                                 struct tdm_audio_in **out, struct tdm_cause *cause)
{
    struct tdm_audio_in *in = calloc(1, sizeof *in);
    enum tdm_err err;

    if (!in)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for sound");
    in->config = *config;
    in->block_samples =
        (uint32_t)((uint64_t)config->format.sample_hz * config->format.frame_us / 1000000);
    in->block = tdm_time_of_units(in->block_samples, config->format.sample_hz);
    err = open_all(in, cause);
    in->config.source = in->config.fmtp = NULL;
    if (err != TDM_OK)
        tdm_audio_in_destroy(in);
    else
        *out = in;
    return err;
}

void tdm_audio_in_destroy(struct tdm_audio_in *in)
{
    if (!in)
        return;
    tdm_worker_stop(&in->worker);
    if (in->source)
        in->ops->destroy(in->source);
    if (in->encoder)
        in->encoder_ops->destroy(in->encoder);
    tdm_worker_close(&in->worker);
    free(in);
}

enum tdm_err tdm_audio_in_set_source(struct tdm_audio_in *in, const char *spec,
                                     struct tdm_cause *cause)
{
    const struct tdm_audio_source_ops *ops;
    struct tdm_audio_source *source;
    enum tdm_err err = open_source(in, spec, &ops, &source, cause);

    if (err != TDM_OK)
        return err;
    tdm_worker_stop(&in->worker);
    if (in->source)
        in->ops->destroy(in->source);
    in->ops = ops;
    in->source = source;
    return start(in, cause);
}

void tdm_audio_in_mute(struct tdm_audio_in *in, bool on)
{
    atomic_store_explicit(&in->mute, on, memory_order_relaxed);
}

bool tdm_audio_in_notice(struct tdm_audio_in *in, struct tdm_cause *notice)
{
    return tdm_worker_notice(&in->worker, notice);
}
