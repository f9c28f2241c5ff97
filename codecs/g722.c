/* SPDX-License-Identifier: MIT */
/*
 * ITU-T G.722 at 64 kbit/s by libavcodec, as RFC 3551 section 4.5.2 sends it: two samples of 16 kHz
 * in a byte, mono. Its RTP clock is 8000 by an old mistake that the RFC keeps.
 *
 * Nothing is held back: a frame in is its bytes out, at once. The two filters that split and join
 * the halves of the band delay the signal by 22 samples.
 */
#include "codecs/registry.h"
#include "codecs/repeat.h"
#include "engine/base/rt.h"

#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>

#define SAMPLE_HZ       16000
#define CLOCK_HZ        8000
#define DELAY_SAMPLES   22
#define A_BYTE          2 /* Samples in a byte. */
#define FRAME_BYTES_MAX (TDM_AUDIO_FRAME_SAMPLES_MAX / A_BYTE)

struct g722_encoder {
    AVCodecContext *context;
    AVFrame *frame;
    AVPacket *packet;
};

struct g722_decoder {
    AVCodecContext *context;
    AVFrame *frame;
    AVPacket *packet; /* Owns FRAME_BYTES_MAX bytes; each payload is copied there. */
    struct tdm_repeat repeat;
};

/* One thread, 16 kHz, mono; NULL when there is no such codec or no memory. */
static AVCodecContext *open_context(const AVCodec *codec)
{
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;

    if (!c)
        return NULL;
    c->thread_count = 1;
    c->sample_rate = SAMPLE_HZ;
    c->sample_fmt = AV_SAMPLE_FMT_S16;
    c->bit_rate = 64000;
    av_channel_layout_default(&c->ch_layout, 1);
    if (avcodec_open2(c, codec, NULL) < 0)
        avcodec_free_context(&c);
    return c;
}

static void encoder_destroy(struct tdm_audio_encoder *enc)
{
    struct g722_encoder *e = (struct g722_encoder *)enc;

    if (!e)
        return;
    avcodec_free_context(&e->context);
    av_frame_free(&e->frame);
    av_packet_free(&e->packet);
    free(e);
}

static enum tdm_err check(uint32_t sample_hz, uint8_t channels, struct tdm_cause *cause)
{
    if (sample_hz != SAMPLE_HZ || channels != 1)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "G.722 has 16000 samples a second and one channel, not %u and %u.",
                        sample_hz, channels);
    return TDM_OK;
}

static enum tdm_err encoder_create(const struct tdm_audio_encoder_config *config,
                                   struct tdm_audio_encoder **enc, struct tdm_cause *cause)
{
    enum tdm_err err = check(config->sample_hz, config->channels, cause);

    if (err != TDM_OK)
        return err;
    struct g722_encoder *e = calloc(1, sizeof *e);

    if (e) {
        e->context = open_context(avcodec_find_encoder(AV_CODEC_ID_ADPCM_G722));
        e->frame = av_frame_alloc();
        e->packet = av_packet_alloc();
    }
    if (!e || !e->context || !e->frame || !e->packet) {
        encoder_destroy((struct tdm_audio_encoder *)e);
        return tdm_fail(cause, TDM_E_SYSTEM, "libavcodec gave no G.722 encoder.");
    }
    *enc = (struct tdm_audio_encoder *)e;
    return TDM_OK;
}

/* libavcodec wants every frame but the last to be as long as it was told; any even length is fine
 * with the coder itself, whose state knows no frames. */
static bool run_encoder(struct g722_encoder *e, const int16_t *pcm, uint32_t frame_samples)
{
    e->context->frame_size = (int)frame_samples;
    e->frame->nb_samples = (int)frame_samples;
    e->frame->format = AV_SAMPLE_FMT_S16;
    e->frame->sample_rate = SAMPLE_HZ;
    av_channel_layout_default(&e->frame->ch_layout, 1);
    e->frame->data[0] = (uint8_t *)(uintptr_t)pcm; /* Borrowed: libavcodec copies it. */
    e->frame->linesize[0] = (int)(frame_samples * sizeof *pcm);
    e->frame->extended_data = e->frame->data;
    return avcodec_send_frame(e->context, e->frame) >= 0 &&
           avcodec_receive_packet(e->context, e->packet) >= 0;
}

static enum tdm_err encode(struct tdm_audio_encoder *enc, const int16_t *pcm,
                           uint32_t frame_samples, uint8_t *payload, size_t capacity, size_t *size)
{
    struct g722_encoder *e = (struct g722_encoder *)enc;

    *size = 0;
    if (frame_samples % A_BYTE != 0 || frame_samples > TDM_AUDIO_FRAME_SAMPLES_MAX)
        return TDM_E_SYSTEM;
    if (frame_samples / A_BYTE > capacity)
        return TDM_E_SPACE;
    tdm_rt_foreign_enter();
    bool done = run_encoder(e, pcm, frame_samples);

    if (done && (size_t)e->packet->size <= capacity) {
        *size = (size_t)e->packet->size;
        memcpy(payload, e->packet->data, *size);
    }
    av_packet_unref(e->packet);
    tdm_rt_foreign_leave();
    return done && *size == frame_samples / A_BYTE ? TDM_OK : TDM_E_SYSTEM;
}

static uint32_t lookahead_samples(const struct tdm_audio_encoder *enc)
{
    (void)enc;
    return DELAY_SAMPLES * (48000 / SAMPLE_HZ);
}

static void decoder_destroy(struct tdm_audio_decoder *dec)
{
    struct g722_decoder *d = (struct g722_decoder *)dec;

    if (!d)
        return;
    avcodec_free_context(&d->context);
    av_frame_free(&d->frame);
    av_packet_free(&d->packet);
    free(d);
}

static enum tdm_err decoder_create(uint32_t sample_hz, uint8_t channels,
                                   struct tdm_audio_decoder **dec, struct tdm_cause *cause)
{
    enum tdm_err err = check(sample_hz, channels, cause);

    if (err != TDM_OK)
        return err;
    struct g722_decoder *d = calloc(1, sizeof *d);

    if (d) {
        d->context = open_context(avcodec_find_decoder(AV_CODEC_ID_ADPCM_G722));
        d->frame = av_frame_alloc();
        d->packet = av_packet_alloc();
    }
    if (!d || !d->context || !d->frame || !d->packet ||
        av_new_packet(d->packet, FRAME_BYTES_MAX) < 0) {
        decoder_destroy((struct tdm_audio_decoder *)d);
        return tdm_fail(cause, TDM_E_SYSTEM, "libavcodec gave no G.722 decoder.");
    }
    tdm_repeat_init(&d->repeat, SAMPLE_HZ, 1);
    *dec = (struct tdm_audio_decoder *)d;
    return TDM_OK;
}

static uint32_t payload_samples(const struct tdm_audio_decoder *dec, const uint8_t *payload,
                                size_t size)
{
    (void)dec;
    (void)payload;
    return size <= FRAME_BYTES_MAX ? (uint32_t)size * A_BYTE : 0;
}

static enum tdm_err decode(struct tdm_audio_decoder *dec, const uint8_t *payload, size_t size,
                           int16_t *pcm, uint32_t capacity, uint32_t *samples)
{
    struct g722_decoder *d = (struct g722_decoder *)dec;
    uint32_t expected = payload_samples(dec, payload, size);

    *samples = 0;
    if (expected == 0 || expected > capacity)
        return TDM_E_MALFORMED;
    memcpy(d->packet->data, payload, size);
    memset(d->packet->data + size, 0, AV_INPUT_BUFFER_PADDING_SIZE);
    d->packet->size = (int)size;
    tdm_rt_foreign_enter();
    bool done = avcodec_send_packet(d->context, d->packet) >= 0 &&
                avcodec_receive_frame(d->context, d->frame) >= 0 &&
                (uint32_t)d->frame->nb_samples == expected;

    if (done)
        memcpy(pcm, d->frame->data[0], expected * sizeof *pcm);
    av_frame_unref(d->frame);
    tdm_rt_foreign_leave();
    if (!done)
        return TDM_E_MALFORMED;
    *samples = expected;
    tdm_repeat_hear(&d->repeat, pcm, expected);
    return TDM_OK;
}

static void conceal(struct tdm_audio_decoder *dec, const uint8_t *next, size_t next_size,
                    int16_t *pcm, uint32_t samples)
{
    struct g722_decoder *d = (struct g722_decoder *)dec;

    (void)next;
    (void)next_size;
    tdm_repeat_conceal(&d->repeat, pcm, samples);
}

const struct tdm_audio_encoder_ops tdm_g722_encoder = {
    .id = TDM_CODEC_G722,
    .rtp_name = "G722",
    .rtp_clock_hz = CLOCK_HZ,
    .create = encoder_create,
    .destroy = encoder_destroy,
    .encode = encode,
    .lookahead_samples = lookahead_samples,
};

const struct tdm_audio_decoder_ops tdm_g722_decoder = {
    .id = TDM_CODEC_G722,
    .create = decoder_create,
    .destroy = decoder_destroy,
    .decode = decode,
    .conceal = conceal,
    .payload_samples = payload_samples,
};
