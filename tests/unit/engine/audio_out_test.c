/* SPDX-License-Identifier: MIT */
/*
 * What comes in as any payload type goes out at the device's rate and channel count: a different
 * tone on each channel is coded, put into the ring as the net thread would, pulled by the null sink
 * in real time, and found in what was played.
 */
#include "engine/audio_out.h"

#include "codecs/codec.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PI       3.14159265358979323846
#define DEVICE   48000
#define LEFT_HZ  400.0
#define RIGHT_HZ 1000.0
#define LEVEL    8000.0
#define TICKS    220 /* Of 5 ms. */
#define PIECE    480 /* Whole periods of both; shorter than from one splice to the next. */
#define PIECES   40
#define KEPT     (DEVICE * 3 / 2)

struct ear {
    struct tdm_link link;
    struct tdm_audio_out *out;
    uint8_t channels;
    uint32_t count; /* Samples per channel played. */
    int16_t *pcm;
};

struct form {
    enum tdm_codec_id id;
    uint32_t rtp_hz, hz;
    uint8_t channels;
};

struct mouth {
    struct form form;
    const struct tdm_audio_encoder_ops *ops;
    struct tdm_audio_encoder *encoder;
    uint32_t samples, at; /* Of a packet; packets sent. */
};

static void played(void *arg, const int16_t *pcm, uint32_t samples, tdm_time play_at)
{
    struct ear *ear = arg;
    uint32_t room = KEPT - ear->count, count = samples < room ? samples : room;

    (void)play_at;
    memcpy(ear->pcm + (size_t)ear->count * ear->channels, pcm,
           (size_t)count * ear->channels * sizeof *pcm);
    ear->count += count;
}

static void ear_open(struct ear *ear, uint8_t channels)
{
    struct tdm_cause cause = {""};
    struct tdm_audio_out_config config = {.link = &ear->link,
                                          .sink = "null",
                                          .channels = channels,
                                          .played = played,
                                          .played_arg = ear};

    memset(ear, 0, sizeof *ear);
    ear->channels = channels;
    ear->pcm = calloc((size_t)KEPT * channels, sizeof *ear->pcm);
    assert_non_null(ear->pcm);
    assert_int_equal(tdm_link_init(&ear->link, &cause), TDM_OK);
    assert_int_equal(tdm_audio_out_create(&config, &ear->out, &cause), TDM_OK);
}

static void ear_close(struct ear *ear)
{
    tdm_audio_out_destroy(ear->out);
    tdm_link_free(&ear->link);
    free(ear->pcm);
}

static void mouth_open(struct mouth *m, struct form form)
{
    *m = (struct mouth){.form = form, .samples = form.hz / 200};
    struct tdm_audio_encoder_config config = {.sample_hz = m->form.hz,
                                              .channels = m->form.channels,
                                              .bitrate_bps = 128000,
                                              .frame_us = 5000,
                                              .fmtp = "stereo=1"};

    m->ops = tdm_audio_encoder_find(m->form.id);
    assert_non_null(m->ops);
    assert_int_equal(m->ops->create(&config, &m->encoder, NULL), TDM_OK);
}

/* The next 5 ms, or the whole samples in them: the left tone, and where there are two channels the
 * right one. */
static void say(struct mouth *m, struct tdm_link *link)
{
    int16_t pcm[240 * 2];
    uint8_t payload[2048];
    uint32_t samples = m->samples;
    size_t size;

    for (uint32_t i = 0; i < samples; i++)
        for (uint8_t c = 0; c < m->form.channels; c++)
            pcm[i * m->form.channels + c] =
                (int16_t)lrint(LEVEL * sin(2 * PI * (c ? RIGHT_HZ : LEFT_HZ) *
                                           (double)(m->at * samples + i) / m->form.hz));
    assert_int_equal(m->ops->encode(m->encoder, pcm, samples, payload, sizeof payload, &size),
                     TDM_OK);
    struct tdm_link_audio_rx *rx =
        tdm_record_ring_reserve(&link->rx_audio, (uint32_t)(sizeof *rx + size));

    assert_non_null(rx);
    rx->audio = (struct tdm_session_audio){
        .codec = m->form.id,
        .rtp_hz = m->form.rtp_hz,
        .channels = m->form.id == TDM_CODEC_OPUS ? 2 : m->form.channels,
        .seq = m->at,
        .rtp_time = (int64_t)m->at * samples * m->form.rtp_hz / m->form.hz,
        .arrival = tdm_clock_now(),
        .captured = TDM_NEVER,
        .encode_end = TDM_NEVER,
        .size = (uint16_t)size,
    };
    memcpy(rx + 1, payload, size);
    tdm_record_ring_commit(&link->rx_audio);
    m->at++;
}

static bool is_due(const struct mouth *m, int tick)
{
    return (uint64_t)m->at * m->samples * 200 <= (uint64_t)tick * m->form.hz;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of a tone on a channel, of LEVEL: the middle one of the pieces before the end, so that neither
 * the start nor what a busy machine cuts out counts. */
static double level_of(const struct ear *ear, uint32_t channel, double hz)
{
    double levels[PIECES];
    uint32_t from = ear->count - PIECE * PIECES - DEVICE / 8;

    assert_true(ear->count > PIECE * PIECES + DEVICE / 4);
    for (uint32_t piece = 0; piece < PIECES; piece++) {
        double cosine = 0, sine = 0;

        for (uint32_t i = 0; i < PIECE; i++) {
            double value = ear->pcm[(size_t)(from + piece * PIECE + i) * ear->channels + channel];

            cosine += value * cos(2 * PI * hz * i / DEVICE);
            sine += value * sin(2 * PI * hz * i / DEVICE);
        }
        levels[piece] = hypot(cosine, sine) * 2 / PIECE / LEVEL;
    }
    qsort(levels, PIECES, sizeof *levels, compare);
    return levels[PIECES / 2];
}

static void check(const struct ear *ear, const struct mouth *m)
{
    bool mixed = m->form.channels == 2 && ear->channels == 1;

    for (uint32_t c = 0; c < ear->channels; c++) {
        double left = level_of(ear, c, LEFT_HZ), right = level_of(ear, c, RIGHT_HZ);
        bool is_right = m->form.channels == 2 && c == 1;

        print_message("codec %d at %u Hz, %u channels to %u: channel %u has %.2f and %.2f\n",
                      (int)m->form.id, m->form.hz, m->form.channels, ear->channels, c, left, right);
        assert_true(fabs(left - (mixed ? 0.5 : !is_right)) < 0.1);
        assert_true(fabs(right - (mixed ? 0.5 : is_right)) < 0.1);
    }
}

static const struct form forms[] = {
    {TDM_CODEC_OPUS, 48000, 48000, 1}, {TDM_CODEC_OPUS, 48000, 48000, 2},
    {TDM_CODEC_PCMU, 8000, 8000, 1},   {TDM_CODEC_G722, 8000, 16000, 1},
    {TDM_CODEC_L16, 48000, 48000, 1},  {TDM_CODEC_L16, 48000, 48000, 2},
    {TDM_CODEC_L16, 44100, 44100, 1},  {TDM_CODEC_L16, 44100, 44100, 2},
};

#define FORM_COUNT (sizeof forms / sizeof *forms)

/* All at once, in the real time that the null sink keeps. */
static void test_forms(void **state)
{
    static struct ear ears[2][FORM_COUNT];
    static struct mouth talk[2][FORM_COUNT];

    (void)state;
    for (uint8_t k = 0; k < 2; k++)
        for (size_t i = 0; i < FORM_COUNT; i++) {
            mouth_open(&talk[k][i], forms[i]);
            ear_open(&ears[k][i], (uint8_t)(k + 1));
        }
    tdm_time start = tdm_clock_now();

    for (int tick = 0; tick < TICKS; tick++) {
        (void)tdm_wait_until(start + tick * 5 * TDM_MS, -1, -1);
        for (int k = 0; k < 2; k++)
            for (size_t i = 0; i < FORM_COUNT; i++)
                while (is_due(&talk[k][i], tick))
                    say(&talk[k][i], &ears[k][i].link);
    }
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < FORM_COUNT; i++) {
            tdm_audio_out_destroy(ears[k][i].out);
            ears[k][i].out = NULL;
            check(&ears[k][i], &talk[k][i]);
            ear_close(&ears[k][i]);
            talk[k][i].ops->destroy(talk[k][i].encoder);
        }
}

/* One packet in ten is lost: what is concealed has the right channels and rate, and the tones are
 * there all the same. */
static void test_losses(void **state)
{
    static struct ear ears[FORM_COUNT];
    static struct mouth talk[FORM_COUNT];

    (void)state;
    for (size_t i = 0; i < FORM_COUNT; i++) {
        mouth_open(&talk[i], forms[i]);
        ear_open(&ears[i], forms[i].channels);
    }
    tdm_time start = tdm_clock_now();

    for (int tick = 0; tick < TICKS; tick++) {
        (void)tdm_wait_until(start + tick * 5 * TDM_MS, -1, -1);
        for (size_t i = 0; i < FORM_COUNT; i++)
            while (is_due(&talk[i], tick)) {
                if (talk[i].at % 10 == 9)
                    talk[i].at++;
                else
                    say(&talk[i], &ears[i].link);
            }
    }
    for (size_t i = 0; i < FORM_COUNT; i++) {
        struct tdm_playout_stats stats = {0};

        (void)tdm_audio_out_stats(ears[i].out, &stats);
        tdm_audio_out_destroy(ears[i].out);
        ears[i].out = NULL;
        assert_true(stats.concealed_samples > stats.played_samples / 20);
        check(&ears[i], &talk[i]);
        ear_close(&ears[i]);
        talk[i].ops->destroy(talk[i].encoder);
    }
}

/* Another payload type in the middle of a stream, and one that nobody knows. */
static void test_changes(void **state)
{
    struct mouth mono, stereo, odd;
    struct ear ear;

    (void)state;
    mouth_open(&mono, forms[4]);
    mouth_open(&stereo, forms[5]);
    mouth_open(&odd, forms[4]);
    odd.form.rtp_hz = 96000; /* Only its label. */
    ear_open(&ear, 2);
    tdm_time start = tdm_clock_now();

    for (int tick = 0; tick < TICKS; tick++) {
        (void)tdm_wait_until(start + tick * 5 * TDM_MS, -1, -1);
        say(tick < 20 ? &mono : tick < 40 ? &odd : &stereo, &ear.link);
    }
    tdm_audio_out_destroy(ear.out);
    ear.out = NULL;
    check(&ear, &stereo);
    ear_close(&ear);
    mono.ops->destroy(mono.encoder);
    stereo.ops->destroy(stereo.encoder);
    odd.ops->destroy(odd.encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
