/* SPDX-License-Identifier: MIT */
/*
 * Left arrives left and right arrives right: a file with one tone on each side goes through calls
 * of every channel count, codec and frame length, and what the other side's WAV holds is measured.
 */
#include "tests/live/pair.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI       3.14159265358979323846
#define HZ       48000
#define SECONDS  3
#define LEFT_HZ  440.0
#define RIGHT_HZ 1000.0
#define LEVEL    8000.0
#define PIECE    2400 /* Samples, 50 ms: whole periods of both tones. */
#define PIECES   10
#define THERE    0.5  /* Of the level sent. */
#define NOT      0.05 /* Of it: 20 dB down. */
#define HEADER   44

static void put_le(uint8_t *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* PCM of 16 bits and 48 kHz: the left tone, and with two channels the right one. */
static void write_tones(const char *path, uint16_t channels)
{
    static uint8_t bytes[HEADER + HZ * SECONDS * 2 * 2];
    uint32_t frame = channels * 2u, size = HZ * SECONDS * frame;

    memcpy(bytes, "RIFF", 4);
    put_le(bytes + 4, HEADER - 8 + size, 4);
    memcpy(bytes + 8, "WAVEfmt ", 8);
    put_le(bytes + 16, 16, 4);
    put_le(bytes + 20, 1, 2);
    put_le(bytes + 22, channels, 2);
    put_le(bytes + 24, HZ, 4);
    put_le(bytes + 28, HZ * frame, 4);
    put_le(bytes + 32, frame, 2);
    put_le(bytes + 34, 16, 2);
    memcpy(bytes + 36, "data", 4);
    put_le(bytes + 40, size, 4);
    for (uint32_t i = 0; i < HZ * SECONDS; i++)
        for (uint32_t c = 0; c < channels; c++) {
            double hz = c ? RIGHT_HZ : LEFT_HZ;
            long value = lrint(LEVEL * sin(2 * PI * hz * i / HZ));

            put_le(bytes + HEADER + i * frame + c * 2, (uint32_t)value, 2);
        }
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, HEADER + size, file), HEADER + size);
    assert_int_equal(fclose(file), 0);
}

struct heard {
    uint16_t channels;
    double left_hz[2], right_hz[2]; /* Level of each tone on each channel, of the level sent. */
};

static int16_t sample_at(const uint8_t *bytes, size_t index)
{
    return (int16_t)(bytes[2 * index] | bytes[2 * index + 1] << 8);
}

static double level_of_piece(const uint8_t *bytes, uint32_t channels, double hz)
{
    double cosine = 0, sine = 0;

    for (uint32_t i = 0; i < PIECE; i++) {
        double value = sample_at(bytes, (size_t)i * channels);

        cosine += value * cos(2 * PI * hz * i / HZ);
        sine += value * sin(2 * PI * hz * i / HZ);
    }
    return hypot(cosine, sine) * 2 / PIECE / LEVEL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The middle one of all pieces: on a busy machine the playout cuts and stretches some. */
static double level_of(const uint8_t *bytes, uint32_t channels, uint32_t channel, double hz)
{
    double levels[PIECES];

    for (uint32_t i = 0; i < PIECES; i++)
        levels[i] =
            level_of_piece(bytes + ((size_t)i * PIECE * channels + channel) * 2, channels, hz);
    qsort(levels, PIECES, sizeof *levels, compare);
    return levels[PIECES / 2];
}

/* The last half second but a quarter, in which the call ended. */
static struct heard listen(const char *path)
{
    struct heard heard = {0};
    FILE *file = fopen(path, "rb");
    uint8_t header[HEADER];

    assert_non_null(file);
    assert_int_equal(fread(header, 1, HEADER, file), HEADER);
    heard.channels = header[22];
    assert_in_range(heard.channels, 1, 2);
    size_t frame = heard.channels * 2u, size = PIECE * PIECES * frame;
    uint8_t *bytes = malloc(size);

    assert_non_null(bytes);
    assert_int_equal(fseek(file, -(long)(size + HZ / 4 * frame), SEEK_END), 0);
    assert_int_equal(fread(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    for (uint32_t c = 0; c < heard.channels; c++) {
        heard.left_hz[c] = level_of(bytes, heard.channels, c, LEFT_HZ);
        heard.right_hz[c] = level_of(bytes, heard.channels, c, RIGHT_HZ);
        print_message("  channel %u: %.0f Hz %.2f, %.0f Hz %.2f\n", c, LEFT_HZ, heard.left_hz[c],
                      RIGHT_HZ, heard.right_hz[c]);
    }
    free(bytes);
    return heard;
}

struct way {
    const char *codec;
    uint16_t frame_us;
    uint16_t source, sent, received; /* Channels of the file, the sender and the receiver. */
    bool music;
    const char *agreed;             /* As the UP event says it. */
    double left_hz[2], right_hz[2]; /* What is to be heard, 0 or about the level given. */
};

static const struct way ways[] = {
    {"opus", 10000, 2, 2, 2, false, "opus stereo both ways (10 ms", {1, 0}, {0, 1}},
    {"opus", 2500, 2, 2, 2, true, "opus stereo both ways (2.5 ms", {1, 0}, {0, 1}},
    {"opus", 60000, 2, 2, 2, true, "opus stereo both ways (60 ms", {1, 0}, {0, 1}},
    {"opus", 5000, 2, 2, 1, false, "opus both ways (5 ms", {0.5}, {0.5}},
    {"opus", 20000, 1, 1, 2, false, "opus both ways (20 ms", {1, 1}, {0, 0}},
    {"l16", 10000, 2, 2, 2, false, "l16 stereo both ways (5 ms", {1, 0}, {0, 1}},
    {"l16", 10000, 2, 2, 1, false, "l16 stereo both ways (5 ms", {0.5}, {0.5}},
    {"l16", 2500, 1, 1, 2, false, "l16 both ways (2.5 ms", {1, 1}, {0, 0}},
    {"g722", 40000, 2, 2, 2, false, "g722 both ways (40 ms", {0.5, 0.5}, {0.5, 0.5}},
    {"g722", 2500, 1, 1, 1, false, "g722 both ways (2.5 ms", {1}, {0}},
    {"pcmu", 60000, 1, 1, 2, false, "pcmu both ways (60 ms", {1, 1}, {0, 0}},
};

static void check_level(double heard, double expected)
{
    if (expected > 0)
        assert_true(heard > expected * THERE && heard < expected * 1.5);
    else
        assert_true(heard < NOT);
}

static void check_way(const struct way *way)
{
    struct tandem_media a = pair_media, b = pair_media;
    char tones[256], spec[270], wav[256], sink[270];
    struct pair p;

    print_message("%s, %g ms%s, %u channels of a file sent as %u to %u\n", way->codec,
                  way->frame_us / 1000.0, way->music ? ", music" : "", way->source, way->sent,
                  way->received);
    write_tones(pair_file("tones.wav", tones, sizeof tones), way->source);
    (void)pair_file("heard.wav", wav, sizeof wav);
    (void)snprintf(spec, sizeof spec, "file:%s", tones);
    (void)snprintf(sink, sizeof sink, "wav:%s", wav);
    a.video_source = a.video_sink = b.video_source = b.video_sink = "off";
    a.audio_codecs = b.audio_codecs = way->codec;
    a.audio_frame_us = b.audio_frame_us = way->frame_us;
    a.audio_source = spec;
    a.audio_channels = way->sent;
    a.audio_music = way->music;
    b.audio_sink = sink;
    b.audio_channels = way->received;
    pair_open(&p);
    pair_call(&p, &a, &b);
    (void)side_until(&p.b, audio_received_at_least, 1500000 / way->frame_us, "sound");
    pair_hang_up(&p);
    struct tandem_stats stats = side_stats(&p.b);
    const char *up = "";

    print_message("  stretched %llu, shrunk %llu, concealed %llu samples\n",
                  (unsigned long long)stats.samples_stretched,
                  (unsigned long long)stats.samples_shrunk,
                  (unsigned long long)stats.samples_concealed);
    for (uint32_t i = 0; i < p.a.log_count; i++)
        if (p.a.log[i].kind == TANDEM_EVENT_UP)
            up = p.a.log[i].text;
    if (!strstr(up, way->agreed))
        fail_msg("\"%s\" does not say \"%s\"", up, way->agreed);
    pair_close(&p);
    struct heard heard = listen(wav);

    assert_int_equal(heard.channels, way->received);
    for (int c = 0; c < heard.channels; c++) {
        check_level(heard.left_hz[c], way->left_hz[c]);
        check_level(heard.right_hz[c], way->right_hz[c]);
    }
}

static void tones_arrive(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        check_way(&ways[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tones_arrive),
    };

    return cmocka_run_group_tests(tests, NULL, pair_files_remove);
}
