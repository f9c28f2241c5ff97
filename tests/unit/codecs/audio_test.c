/* SPDX-License-Identifier: MIT */
#include "codecs/codec.h"
#include "codecs/fmtp.h"
#include "tests/unit/codecs/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND              48000
#define OPUS_LOOKAHEAD_MOST 312 /* Samples at 48 kHz. */

struct voice {
    const struct tdm_audio_encoder_ops *enc_ops;
    const struct tdm_audio_decoder_ops *dec_ops;
    struct tdm_audio_encoder *enc;
    struct tdm_audio_decoder *dec;
    uint32_t frame; /* Samples per channel. */
};

static struct tdm_audio_encoder_config
audio_config(uint32_t hz, uint8_t channels, uint16_t frame_us, uint32_t bps, const char *fmtp)
{
    struct tdm_audio_encoder_config config = {
        .sample_hz = hz, .channels = channels, .bitrate_bps = bps, .frame_us = frame_us};

    (void)snprintf(config.fmtp, sizeof config.fmtp, "%s", fmtp);
    return config;
}

static struct voice voice_of(enum tdm_codec_id id, const struct tdm_audio_encoder_config *config)
{
    struct voice v = {.enc_ops = tdm_audio_encoder_find(id), .dec_ops = tdm_audio_decoder_find(id)};

    assert_int_equal(v.enc_ops->create(config, &v.enc, NULL), TDM_OK);
    assert_int_equal(v.dec_ops->create(config->sample_hz, config->channels, &v.dec, NULL), TDM_OK);
    v.frame = (uint32_t)((uint64_t)config->sample_hz * config->frame_us / 1000000);
    return v;
}

static void voice_close(struct voice *v)
{
    v->enc_ops->destroy(v->enc);
    v->dec_ops->destroy(v->dec);
}

/* One second through encoder and decoder; every frame in gives a frame out at once. Returns the
 * payload bytes. */
static size_t pass(struct voice *v, const int16_t *in, int16_t *out, uint8_t channels,
                   uint32_t total)
{
    size_t bytes = 0;

    for (uint32_t at = 0; at + v->frame <= total; at += v->frame) {
        uint8_t payload[8000];
        size_t size;
        uint32_t samples;

        assert_int_equal(v->enc_ops->encode(v->enc, in + (size_t)at * channels, v->frame, payload,
                                            sizeof payload, &size),
                         TDM_OK);
        assert_true(size > 0);
        assert_int_equal(v->dec_ops->payload_samples(v->dec, payload, size), v->frame);
        assert_int_equal(v->dec_ops->decode(v->dec, payload, size, out + (size_t)at * channels,
                                            v->frame, &samples),
                         TDM_OK);
        assert_int_equal(samples, v->frame);
        bytes += size;
    }
    return bytes;
}

static void fill_voice(int16_t *pcm, uint32_t count, uint8_t channels, uint32_t hz)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint8_t c = 0; c < channels; c++)
            pcm[i * channels + c] = voice_at(i + 40u * c, hz);
}

static void test_g711_values(void **state)
{
    static const struct {
        enum tdm_codec_id id;
        int16_t in;
        uint8_t code;
        int16_t out;
    } cases[] = {
        /* ITU-T G.711 tables 1a, 2a: zero, the decision ends and their output values (times 4
         * for the mu law's 14 bits, times 8 for the A law's 13 bits), on the wire's polarity. */
        {TDM_CODEC_PCMU, 0, 0xff, 0},           {TDM_CODEC_PCMU, 32767, 0x80, 32124},
        {TDM_CODEC_PCMU, -32768, 0x00, -32124}, {TDM_CODEC_PCMU, 8031 * 4, 0x80, 32124},
        {TDM_CODEC_PCMU, 1000, 0xce, 988},      {TDM_CODEC_PCMA, 0, 0xd5, 8},
        {TDM_CODEC_PCMA, 32767, 0xaa, 32256},   {TDM_CODEC_PCMA, -32768, 0x2a, -32256},
        {TDM_CODEC_PCMA, -1, 0x55, -8},         {TDM_CODEC_PCMA, 1000, 0xfa, 1008},
    };
    struct tdm_audio_encoder_config config = audio_config(8000, 1, 20000, 64000, "");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct voice v = voice_of(cases[i].id, &config);
        uint8_t code;
        size_t size;
        int16_t out;
        uint32_t samples;

        assert_int_equal(v.enc_ops->encode(v.enc, &cases[i].in, 1, &code, 1, &size), TDM_OK);
        assert_int_equal(code, cases[i].code);
        assert_int_equal(v.dec_ops->decode(v.dec, &code, 1, &out, 1, &samples), TDM_OK);
        assert_int_equal(out, cases[i].out);
        voice_close(&v);
    }
}

/* Every code survives a round trip (the two zeros of the mu law are one value), and every sample
 * comes back within half a step of its segment. */
static void test_g711_all(void **state)
{
    static const enum tdm_codec_id ids[] = {TDM_CODEC_PCMU, TDM_CODEC_PCMA};
    struct tdm_audio_encoder_config config = audio_config(8000, 1, 20000, 64000, "");

    (void)state;
    for (int k = 0; k < 2; k++) {
        struct voice v = voice_of(ids[k], &config);
        uint32_t samples;
        size_t size;

        for (int code = 0; code < 256; code++) {
            uint8_t in = (uint8_t)code, back;
            int16_t sample;

            assert_int_equal(v.dec_ops->decode(v.dec, &in, 1, &sample, 1, &samples), TDM_OK);
            assert_int_equal(v.enc_ops->encode(v.enc, &sample, 1, &back, 1, &size), TDM_OK);
            assert_int_equal(back, k == 0 && code == 0x7f ? 0xff : code);
        }
        for (int in = -32768; in < 32768; in++) {
            int16_t sample = (int16_t)in, out;
            uint8_t code;

            assert_int_equal(v.enc_ops->encode(v.enc, &sample, 1, &code, 1, &size), TDM_OK);
            assert_int_equal(v.dec_ops->decode(v.dec, &code, 1, &out, 1, &samples), TDM_OK);
            assert_true(abs(out - in) <= 8 + abs(in) / 31);
        }
        voice_close(&v);
    }
}

static void test_quality(void **state)
{
    static const struct {
        enum tdm_codec_id id;
        uint32_t hz;
        uint8_t channels;
        uint16_t frame_us;
        double snr;
    } cases[] = {
        {TDM_CODEC_PCMU, 8000, 1, 20000, 34},  {TDM_CODEC_PCMA, 8000, 1, 10000, 34},
        {TDM_CODEC_PCMU, 8000, 2, 20000, 34},  {TDM_CODEC_PCMU, 8000, 1, 2500, 34},
        {TDM_CODEC_G722, 16000, 1, 20000, 22}, {TDM_CODEC_G722, 16000, 1, 2500, 22},
        {TDM_CODEC_G722, 16000, 1, 60000, 22}, {TDM_CODEC_L16, 48000, 2, 10000, 150},
        {TDM_CODEC_L16, 44100, 1, 20000, 150}, {TDM_CODEC_OPUS, 48000, 1, 2500, 15},
        {TDM_CODEC_OPUS, 48000, 1, 5000, 20},  {TDM_CODEC_OPUS, 48000, 1, 10000, 20},
        {TDM_CODEC_OPUS, 48000, 1, 20000, 20}, {TDM_CODEC_OPUS, 48000, 1, 40000, 20},
        {TDM_CODEC_OPUS, 48000, 1, 60000, 20}, {TDM_CODEC_OPUS, 48000, 2, 2500, 15},
        {TDM_CODEC_OPUS, 48000, 2, 20000, 20}, {TDM_CODEC_OPUS, 48000, 2, 60000, 20},
    };
    static int16_t in[SECOND * 2], out[SECOND * 2];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t hz = cases[i].hz;
        uint8_t channels = cases[i].channels;
        struct tdm_audio_encoder_config config =
            audio_config(hz, channels, cases[i].frame_us, 64000u * channels, "stereo=1");
        struct voice v = voice_of(cases[i].id, &config);
        uint32_t delay = v.enc_ops->lookahead_samples(v.enc) * hz / 48000;

        /* No frame is held: Opus looks 6.5 ms ahead at most, G.722's filters take 22 samples, and
         * the others take nothing. */
        assert_true(delay <= (cases[i].id == TDM_CODEC_OPUS   ? OPUS_LOOKAHEAD_MOST
                              : cases[i].id == TDM_CODEC_G722 ? 22
                                                              : 0));
        fill_voice(in, hz, channels, hz);
        memset(out, 0, sizeof out);
        size_t bytes = pass(&v, in, out, channels, hz);
        uint32_t from = hz / 10, count = hz * 8 / 10;
        double snr = sound_snr(in + (size_t)from * channels,
                               out + (size_t)(from + delay) * channels, (size_t)count * channels);

        printf("codec %d %u Hz %u channels %u us: %.1f dB, delay %u, %zu kb/s\n", (int)cases[i].id,
               hz, channels, cases[i].frame_us, snr, delay, bytes * 8 / 1000);
        assert_true(snr > cases[i].snr);
        voice_close(&v);
    }
}

/* 160 samples of a shaken triangle. The bytes are what another implementation (spandsp 0.0.6) makes
 * of them at 64 kbit/s, and so is what it hears
 * in them. */
static void test_g722_values(void **state)
{
    static const uint8_t expected[80] = {
        0x98, 0x25, 0x84, 0x22, 0x8a, 0x20, 0x23, 0xa5, 0x25, 0x67, 0xa8, 0x29, 0x6c, 0xb0,
        0x33, 0x78, 0xbc, 0x3e, 0x5c, 0x99, 0x16, 0x54, 0x92, 0x11, 0x90, 0x93, 0x19, 0x5c,
        0x9e, 0x3d, 0x7b, 0xb9, 0x36, 0x74, 0xb0, 0x2e, 0x6f, 0xaf, 0x34, 0x78, 0xb9, 0x7c,
        0xff, 0x9f, 0x5d, 0xd9, 0x96, 0x15, 0x53, 0xd4, 0x51, 0x57, 0x9f, 0x3f, 0x7e, 0xff,
        0x3b, 0x79, 0xf4, 0x71, 0x71, 0xae, 0x6f, 0xf0, 0xb4, 0x3a, 0x7d, 0xfc, 0x7d, 0x5e,
        0x9c, 0x57, 0xd6, 0x95, 0x12, 0x52, 0xd2, 0x5b, 0x7e, 0x9d};
    struct tdm_audio_encoder_config config = audio_config(16000, 1, 5000, 64000, "");
    struct voice v = voice_of(TDM_CODEC_G722, &config);
    int16_t in[160], out[160];
    static const int16_t heard[] = {-22, 217, 76, -355, -169, 594, 1122, 1174};
    int level = 0, step = 700;

    (void)state;
    for (int i = 0; i < 160; i++) {
        level += step;
        if (level > 9000 || level < -9000)
            step = -step;
        in[i] = (int16_t)(level + (i % 3 == 0 ? 3000 : -1500));
    }
    for (int at = 0; at < 160; at += 80) {
        uint8_t payload[40];
        size_t size;
        uint32_t samples;

        assert_int_equal(v.enc_ops->encode(v.enc, in + at, 80, payload, 39, &size), TDM_E_SPACE);
        assert_int_equal(v.enc_ops->encode(v.enc, in + at, 80, payload, 40, &size), TDM_OK);
        assert_int_equal(size, 40);
        assert_memory_equal(payload, expected + at / 2, 40);
        assert_int_equal(v.dec_ops->decode(v.dec, payload, 40, out + at, 80, &samples), TDM_OK);
    }
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++)
        assert_in_range(out[16 + i] + 20000, heard[i] + 19998, heard[i] + 20002);
    voice_close(&v);
}

static void test_l16_order(void **state)
{
    struct tdm_audio_encoder_config config = audio_config(44100, 2, 10000, 0, "");
    struct voice v = voice_of(TDM_CODEC_L16, &config);
    const int16_t pcm[] = {0x0102, -2};
    uint8_t payload[4];
    size_t size;

    (void)state;
    assert_int_equal(v.enc_ops->encode(v.enc, pcm, 1, payload, 4, &size), TDM_OK);
    assert_int_equal(size, 4);
    assert_memory_equal(payload, ((uint8_t[]){1, 2, 0xff, 0xfe}), 4);
    assert_int_equal(v.enc_ops->encode(v.enc, pcm, 1, payload, 3, &size), TDM_E_SPACE);
    voice_close(&v);
}

/* 20 ms lost: concealment keeps the tone's level, then fades to silence, and the return is
 * without a click. */
static void test_repeat_conceals(void **state)
{
    static const struct {
        enum tdm_codec_id id;
        uint32_t hz;
        uint8_t channels;
        uint32_t delay;
    } cases[] = {{TDM_CODEC_PCMU, 8000, 1, 0},
                 {TDM_CODEC_PCMA, 8000, 2, 0},
                 {TDM_CODEC_G722, 16000, 1, 22},
                 {TDM_CODEC_L16, 48000, 2, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t hz = cases[i].hz, frame = hz / 50;
        uint8_t channels = cases[i].channels;
        struct tdm_audio_encoder_config config = audio_config(hz, channels, 20000, 0, "");
        struct voice v = voice_of(cases[i].id, &config);
        static int16_t in[SECOND * 2], out[SECOND * 2];
        uint32_t samples;

        for (uint32_t s = 0; s < hz; s++)
            for (uint8_t c = 0; c < channels; c++)
                in[s * channels + c] = sine_at(s, hz, 200);
        (void)pass(&v, in, out, channels, frame * 5);
        v.dec_ops->conceal(v.dec, NULL, 0, out, frame / 2);
        /* The tone goes on in phase. */
        assert_true(sound_snr(in + (size_t)(frame * 5 - cases[i].delay) * channels, out,
                              (size_t)frame / 2 * channels) > 15);
        v.dec_ops->conceal(v.dec, NULL, 0, out, frame / 2);
        double level = sound_rms(out, (size_t)frame / 2 * channels);

        assert_true(level > 4000 && level < 7071); /* 10000 / sqrt 2, fading. */
        for (int lost = 0; lost < 3; lost++)
            v.dec_ops->conceal(v.dec, NULL, 0, out, frame);
        assert_true(sound_rms(out, (size_t)frame * channels) == 0);

        uint8_t payload[8000];
        size_t size;

        assert_int_equal(v.enc_ops->encode(v.enc, in + (size_t)frame * 9 * channels + channels,
                                           frame, payload, sizeof payload, &size),
                         TDM_OK);
        assert_int_equal(v.dec_ops->decode(v.dec, payload, size, out, frame, &samples), TDM_OK);
        for (uint32_t s = 1; s < frame * channels; s++)
            assert_true(s < channels || abs(out[s] - out[s - channels]) < 2200);
        assert_true(abs(out[0]) < 300);
        voice_close(&v);
    }
}

/* What one lost frame costs, with redundancy in the next one and without. */
static double lost_frame_snr(const char *fmtp, double loss, bool show_next)
{
    struct tdm_audio_encoder_config config = audio_config(48000, 1, 20000, 32000, fmtp);
    struct voice v = voice_of(TDM_CODEC_OPUS, &config);
    static int16_t in[SECOND], whole[SECOND], part[SECOND];
    static uint8_t payloads[50][1500];
    size_t sizes[50];
    uint32_t samples;
    struct tdm_audio_decoder *clean;
    double sum = 0;

    assert_int_equal(v.dec_ops->create(48000, 1, &clean, NULL), TDM_OK);
    v.enc_ops->set_loss(v.enc, loss);
    fill_voice(in, SECOND, 1, SECOND);
    for (int i = 0; i < 50; i++) {
        int16_t *at = whole + (size_t)i * 960;

        assert_int_equal(v.enc_ops->encode(v.enc, in + (size_t)i * 960, 960, payloads[i],
                                           sizeof *payloads, &sizes[i]),
                         TDM_OK);
        assert_int_equal(v.dec_ops->decode(clean, payloads[i], sizes[i], at, 960, &samples),
                         TDM_OK);
    }
    for (int i = 0; i < 50; i++) {
        int16_t *at = part + (size_t)i * 960;

        if (i % 7 == 6) {
            v.dec_ops->conceal(v.dec, show_next ? payloads[i + 1] : NULL,
                               show_next ? sizes[i + 1] : 0, at, 960);
            sum += sound_rms(at, 960) > 0 ? sound_snr(whole + (size_t)i * 960, at, 960) : -20;
        } else {
            assert_int_equal(v.dec_ops->decode(v.dec, payloads[i], sizes[i], at, 960, &samples),
                             TDM_OK);
        }
    }
    v.dec_ops->destroy(clean);
    voice_close(&v);
    return sum / 7;
}

static void test_opus_redundancy(void **state)
{
    double without = lost_frame_snr("useinbandfec=1", 0.2, false);
    double with = lost_frame_snr("useinbandfec=1", 0.2, true);
    double unasked = lost_frame_snr("", 0.2, true);

    (void)state;
    printf("a lost Opus frame: %.1f dB concealed, %.1f dB by redundancy, %.1f dB not asked for\n",
           without, with, unasked);
    assert_true(with > without + 3);
    assert_true(with > unasked + 3);
}

/* How many of 50 packets of a voice say that they carry the one before. */
static uint32_t healing(const char *fmtp, uint32_t bps, uint16_t frame_us)
{
    struct tdm_audio_encoder_config config = audio_config(48000, 1, frame_us, bps, fmtp);
    struct voice v = voice_of(TDM_CODEC_OPUS, &config);
    static int16_t in[3 * SECOND];
    uint32_t frame = 48u * frame_us / 1000, count = 0;

    v.enc_ops->set_loss(v.enc, 0.2);
    fill_voice(in, 3 * SECOND, 1, SECOND);
    for (uint32_t i = 0; i < 50; i++) {
        uint8_t payload[1500];
        size_t size;

        assert_int_equal(
            v.enc_ops->encode(v.enc, in + (size_t)i * frame, frame, payload, sizeof payload, &size),
            TDM_OK);
        count += v.dec_ops->heals(payload, size);
    }
    voice_close(&v);
    return count;
}

static void test_opus_says_what_it_carries(void **state)
{
    static const uint8_t odd[][2] = {{0x08, 0x40}, {0x08, 0x80}, {0x88, 0x40}, {0x0b, 0x40}};

    (void)state;
    assert_true(healing("useinbandfec=1", 32000, 20000) > 30);
    assert_true(healing("useinbandfec=1", 32000, 60000) > 30);
    assert_int_equal(healing("", 32000, 20000), 0);
    assert_int_equal(healing("useinbandfec=1", 64000, 20000), 0); /* The other way of coding. */
    const struct tdm_audio_decoder_ops *ops = tdm_audio_decoder_find(TDM_CODEC_OPUS);
    assert_true(ops->heals(odd[0], 2));
    assert_false(ops->heals(odd[1], 2)); /* Active, not redundant. */
    assert_false(ops->heals(odd[2], 2));
    assert_false(ops->heals(odd[3], 2)); /* A count of frames that is not there. */
    assert_false(ops->heals(odd[0], 1));
    assert_false(ops->heals(odd[0], 0));
}

/* Any length, also none that Opus knows, and on a decoder that has heard nothing. */
static void test_opus_conceals_any_length(void **state)
{
    static const uint32_t lengths[] = {1, 119, 120, 121, 479, 480, 1000, 5760, 5761, 20000};
    const struct tdm_audio_decoder_ops *ops = tdm_audio_decoder_find(TDM_CODEC_OPUS);

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (uint8_t channels = 1; channels <= 2; channels++) {
            struct tdm_audio_decoder *dec;
            size_t count = (size_t)lengths[i] * channels;
            int16_t *pcm = malloc((count + 1) * sizeof *pcm);

            assert_non_null(pcm);
            assert_int_equal(ops->create(48000, channels, &dec, NULL), TDM_OK);
            memset(pcm, 0x55, (count + 1) * sizeof *pcm);
            ops->conceal(dec, NULL, 0, pcm, lengths[i]);
            for (size_t s = 0; s < count; s++)
                assert_int_equal(pcm[s], 0);
            assert_int_equal(pcm[count], 0x5555);
            ops->conceal(dec, (const uint8_t *)"\xff", 1, pcm, lengths[i]);
            ops->destroy(dec);
            free(pcm);
        }
}

static uint32_t opus_lookahead(uint32_t bps, uint16_t frame_us, const char *fmtp)
{
    struct tdm_audio_encoder_config config = audio_config(48000, 1, frame_us, bps, fmtp);
    struct voice v = voice_of(TDM_CODEC_OPUS, &config);
    uint32_t lookahead = v.enc_ops->lookahead_samples(v.enc);

    voice_close(&v);
    return lookahead;
}

/* Samples at the codec's rate from a click into the codec to the same click out of it. */
static uint32_t click_delay(enum tdm_codec_id id, const struct tdm_audio_encoder_config *config)
{
    static int16_t in[SECOND], out[SECOND];
    struct voice v = voice_of(id, config);
    uint32_t at = config->sample_hz / 2, most = at - 100;

    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    in[at] = 30000;
    (void)pass(&v, in, out, 1, config->sample_hz);
    for (uint32_t i = at - 100; i < at + config->sample_hz / 20; i++)
        most = abs(out[i]) > abs(out[most]) ? i : most;
    voice_close(&v);
    return most - at;
}

/* The delay that a codec says is that of a click that goes through it. */
static void test_delays(void **state)
{
    static const struct {
        enum tdm_codec_id id;
        uint32_t hz;
        uint16_t frame_us;
        uint32_t bps;
        const char *fmtp;
        bool music;
        uint32_t delay; /* At 48 kHz. */
    } cases[] = {
        {TDM_CODEC_PCMU, 8000, 20000, 64000, "", false, 0},
        {TDM_CODEC_L16, 48000, 10000, 0, "", false, 0},
        {TDM_CODEC_G722, 16000, 20000, 64000, "", false, 66},
        {TDM_CODEC_OPUS, 48000, 2500, 64000, "", false, 120},
        {TDM_CODEC_OPUS, 48000, 5000, 64000, "", false, 120},
        {TDM_CODEC_OPUS, 48000, 10000, 64000, "", false, 120},
        {TDM_CODEC_OPUS, 48000, 20000, 64000, "", false, 120},
        {TDM_CODEC_OPUS, 48000, 40000, 64000, "", false, 120},
        {TDM_CODEC_OPUS, 48000, 60000, 64000, "", false, 120},
        {TDM_CODEC_OPUS, 48000, 10000, 32000, "useinbandfec=1", false, 312},
        {TDM_CODEC_OPUS, 48000, 5000, 64000, "", true, 120},
        {TDM_CODEC_OPUS, 48000, 10000, 64000, "", true, 312},
        {TDM_CODEC_OPUS, 48000, 60000, 64000, "", true, 312},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_audio_encoder_config config =
            audio_config(cases[i].hz, 1, cases[i].frame_us, cases[i].bps, cases[i].fmtp);

        config.music = cases[i].music;
        struct voice v = voice_of(cases[i].id, &config);
        uint32_t said = v.enc_ops->lookahead_samples(v.enc);

        voice_close(&v);
        uint32_t heard = click_delay(cases[i].id, &config) * (48000 / cases[i].hz);

        printf("codec %d, frames of %u us, \"%s\"%s: %u samples of 48 kHz, said %u\n",
               (int)cases[i].id, cases[i].frame_us, cases[i].fmtp, cases[i].music ? ", music" : "",
               heard, said);
        assert_int_equal(said, cases[i].delay);
        assert_in_range(heard + 8, said, said + 16);
    }
}

static size_t opus_bytes(uint8_t channels, uint32_t bps, const char *fmtp)
{
    static int16_t in[SECOND * 2], out[SECOND * 2];
    struct tdm_audio_encoder_config config = audio_config(48000, channels, 20000, bps, fmtp);
    struct voice v = voice_of(TDM_CODEC_OPUS, &config);

    fill_voice(in, SECOND, channels, SECOND);
    size_t bytes = pass(&v, in, out, channels, SECOND);

    voice_close(&v);
    return bytes;
}

static void test_opus_fmtp(void **state)
{
    (void)state;
    /* Low delay unless voice modes are wanted and useful. */
    assert_int_equal(opus_lookahead(32000, 10000, "useinbandfec=1"), 312);
    assert_int_equal(opus_lookahead(32000, 10000, ""), 120);
    assert_int_equal(opus_lookahead(96000, 10000, "useinbandfec=1"), 120);
    assert_int_equal(opus_lookahead(32000, 5000, "useinbandfec=1"), 120);
    assert_int_equal(opus_lookahead(32000, 2500, "useinbandfec=1"), 120);
    assert_int_equal(opus_lookahead(32000, 60000, "useinbandfec=1"), 312);
    assert_int_equal(opus_lookahead(96000, 10000, "useinbandfec=1;maxaveragebitrate=24000"), 312);

    size_t free_rate = opus_bytes(1, 64000, "");
    size_t capped = opus_bytes(1, 64000, "maxaveragebitrate=20000");

    assert_true(free_rate > 6000 && free_rate < 10000);
    assert_true(capped < 3200);
    /* Constant rate: 50 frames of 160 bytes. */
    assert_int_equal(opus_bytes(1, 64000, "cbr=1"), 8000);
    assert_true(opus_bytes(2, 64000, "stereo=1") > 0);
}

static void test_opus_dtx(void **state)
{
    struct tdm_audio_encoder_config config =
        audio_config(48000, 1, 20000, 24000, "usedtx=1;useinbandfec=1");
    struct voice v = voice_of(TDM_CODEC_OPUS, &config);
    int16_t silence[960] = {0};
    int unsent = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        uint8_t payload[1500];
        size_t size;

        assert_int_equal(v.enc_ops->encode(v.enc, silence, 960, payload, sizeof payload, &size),
                         TDM_OK);
        unsent += size == 0;
    }
    assert_true(unsent > 50);
    voice_close(&v);
}

/* Stereo input to a receiver that did not ask for stereo goes out as one channel. */
static void test_opus_stereo_asked(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        struct tdm_audio_encoder_config config =
            audio_config(48000, 2, 20000, 64000, asked ? "stereo=1" : "");
        struct voice v = voice_of(TDM_CODEC_OPUS, &config);
        static int16_t in[960 * 2];
        uint8_t payload[1500];
        size_t size;

        for (uint32_t i = 0; i < 960; i++) {
            in[2 * i] = sine_at(i, 48000, 300);
            in[2 * i + 1] = sine_at(i, 48000, 1100);
        }
        for (int i = 0; i < 5; i++)
            assert_int_equal(v.enc_ops->encode(v.enc, in, 960, payload, sizeof payload, &size),
                             TDM_OK);
        assert_int_equal(payload[0] >> 2 & 1, asked); /* RFC 6716 section 3.1: the stereo bit. */
        voice_close(&v);
    }
}

static void test_bad_payloads(void **state)
{
    static const struct {
        enum tdm_codec_id id;
        uint32_t hz;
        uint8_t channels;
    } cases[] = {{TDM_CODEC_OPUS, 48000, 1}, {TDM_CODEC_OPUS, 48000, 2}, {TDM_CODEC_PCMU, 8000, 2},
                 {TDM_CODEC_PCMA, 8000, 1},  {TDM_CODEC_G722, 16000, 1}, {TDM_CODEC_L16, 48000, 2}};
    static int16_t pcm[TDM_AUDIO_FRAME_SAMPLES_MAX * 2];
    static uint8_t payload[65536];
    struct tdm_rng rng = tdm_rng_of(3);

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const struct tdm_audio_decoder_ops *ops = tdm_audio_decoder_find(cases[k].id);
        struct tdm_audio_decoder *dec;
        uint32_t samples = 1;

        assert_int_equal(ops->create(cases[k].hz, cases[k].channels, &dec, NULL), TDM_OK);
        assert_int_equal(ops->decode(dec, payload, 0, pcm, 5760, &samples), TDM_E_MALFORMED);
        assert_int_equal(samples, 0);
        assert_int_equal(ops->decode(dec, payload, sizeof payload, pcm, 5760, &samples),
                         TDM_E_MALFORMED);
        for (int i = 0; i < 3000; i++) {
            size_t size = tdm_rng_below(&rng, 200);

            for (size_t b = 0; b < size; b++)
                payload[b] = (uint8_t)tdm_rng_u32(&rng);
            uint32_t said = ops->payload_samples(dec, payload, size);
            enum tdm_err err = ops->decode(dec, payload, size, pcm, 5760, &samples);

            assert_true(err == TDM_OK || err == TDM_E_MALFORMED);
            assert_int_equal(samples, err == TDM_OK ? said : 0);
            if (said > 1) /* No room: refused, nothing written beyond. */
                assert_int_equal(ops->decode(dec, payload, size, pcm, said - 1, &samples),
                                 TDM_E_MALFORMED);
            ops->conceal(dec, payload, size, pcm, tdm_rng_below(&rng, 961));
        }
        ops->destroy(dec);
        memset(payload, 0, sizeof payload);
    }
}

static void test_refused_formats(void **state)
{
    struct tdm_audio_encoder_config wideband = audio_config(16000, 1, 20000, 64000, "");
    struct tdm_audio_encoder_config odd = audio_config(44100, 1, 20000, 64000, "");
    struct tdm_audio_encoder *enc;
    struct tdm_audio_decoder *dec;
    struct tdm_cause cause = {{0}};

    (void)state;
    assert_int_equal(tdm_audio_encoder_find(TDM_CODEC_PCMU)->create(&wideband, &enc, &cause),
                     TDM_E_UNSUPPORTED);
    assert_true(strlen(cause.text) > 0);
    assert_int_equal(tdm_audio_encoder_find(TDM_CODEC_OPUS)->create(&odd, &enc, &cause),
                     TDM_E_UNSUPPORTED);
    assert_int_equal(tdm_audio_encoder_find(TDM_CODEC_G722)->create(&odd, &enc, &cause),
                     TDM_E_UNSUPPORTED);
    assert_int_equal(tdm_audio_decoder_find(TDM_CODEC_G722)->create(16000, 2, &dec, &cause),
                     TDM_E_UNSUPPORTED);
    assert_int_equal(tdm_audio_decoder_find(TDM_CODEC_L16)->create(96000, 2, &dec, &cause),
                     TDM_E_UNSUPPORTED);
    assert_int_equal(tdm_audio_decoder_find(TDM_CODEC_OPUS)->create(48000, 3, &dec, &cause),
                     TDM_E_UNSUPPORTED);
    assert_null(tdm_audio_encoder_find(TDM_CODEC_VP8));
    assert_null(tdm_video_encoder_find(TDM_CODEC_OPUS));
    assert_null(tdm_audio_decoder_find(TDM_CODEC_TELEPHONE_EVENT));
}

static void test_fmtp(void **state)
{
    static const struct {
        const char *text, *key;
        int base;
        uint32_t value;
    } cases[] = {
        {"", "a", 10, 9},
        {"a=1", "a", 10, 1},
        {"aa=1;a=2", "a", 10, 2},
        {"ba=1; A = 3 ;c=4", "a", 10, 3},
        {"x;a=5", "a", 10, 5},
        {"a", "a", 10, 9},
        {"a=", "a", 10, 9},
        {"a=-1", "a", 10, 9},
        {"a=5x", "a", 10, 9},
        {"a=99999999999", "a", 10, 9},
        {"profile-level-id=42e01F", "profile-level-id", 16, 0x42e01f},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(tdm_fmtp_number(cases[i].text, cases[i].key, cases[i].base, 9),
                         cases[i].value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fmtp),
        cmocka_unit_test(test_g711_values),
        cmocka_unit_test(test_g711_all),
        cmocka_unit_test(test_g722_values),
        cmocka_unit_test(test_delays),
        cmocka_unit_test(test_l16_order),
        cmocka_unit_test(test_quality),
        cmocka_unit_test(test_repeat_conceals),
        cmocka_unit_test(test_opus_redundancy),
        cmocka_unit_test(test_opus_says_what_it_carries),
        cmocka_unit_test(test_opus_conceals_any_length),
        cmocka_unit_test(test_opus_fmtp),
        cmocka_unit_test(test_opus_dtx),
        cmocka_unit_test(test_opus_stereo_asked),
        cmocka_unit_test(test_bad_payloads),
        cmocka_unit_test(test_refused_formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
