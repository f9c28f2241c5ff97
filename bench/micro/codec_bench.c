/* SPDX-License-Identifier: MIT */
/*
 * Times the video codecs and checks what they promise in the same loop: sizes against the budget
 * of each frame, and the picture that comes out.
 *
 *     codec_bench ENCODER[:PRESET][:screen] WIDTH HEIGHT BITRATE,... THREADS SLICE_BYTES
 * [FILE.i420]
 *
 * ENCODER is a name of the table, e.g. x264, vp8, vp9 or aom. Without a file the test scene of the
 * unit tests is coded. 150 frames at 30 a second, an equal part of them at each BITRATE; "/4" in
 * place of the second one is a quarter of the first. bench/spend makes the table of target E1. With
 * CODEC_BENCH_STREAM=FILE in the environment the stream is kept there, for other decoders: H.264
 * with start codes, the others in an IVF file.
 */
#include "codecs/codec.h"
#include "tests/unit/codecs/signals.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FRAMES    150
#define RATES_MAX 5
#define UNIT_MAX  (4 << 20)

struct run {
    const struct tdm_video_encoder_ops *enc_ops;
    int width, height;
    uint32_t bps[RATES_MAX];
    int rates;
    FILE *file, *stream;
    uint8_t *unit;
    size_t size, payload;
    double start, first_ms;
    double offered, spent; /* Bytes of all budgets and of all pictures. */
    int over_105, over_120;
    /* One value for each coded frame. */
    double encode_ms[FRAMES], first_slice_ms[FRAMES], decode_ms[FRAMES], share[FRAMES],
        psnr[FRAMES];
    double alone_ms[FRAMES]; /* Decoding once more, with no encoder in between. */
    uint8_t *units[FRAMES];  /* As the decoder takes them. */
    size_t unit_sizes[FRAMES];
    int coded, dropped;
};

static double now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void take(void *arg, const struct tdm_slice *slice)
{
    struct run *run = arg;

    if (slice->first)
        run->first_ms = now_ms() - run->start;
    run->payload += slice->size;
    assert(run->size + slice->size + 4 + TDM_DECODER_PADDING <= UNIT_MAX);
    if (run->enc_ops->id == TDM_CODEC_H264) {
        memcpy(run->unit + run->size, "\0\0\0\1", 4);
        run->size += 4;
    }
    memcpy(run->unit + run->size, slice->data, slice->size);
    run->size += slice->size;
}

static void put_little(FILE *file, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        (void)putc((int)(value >> 8 * i & 255), file);
}

/* The header of an IVF file: magic, its own size, codec, sides, time base. */
static void begin_stream(const struct run *run)
{
    static const char *const names[TDM_CODEC_COUNT] = {
        [TDM_CODEC_VP8] = "VP80", [TDM_CODEC_VP9] = "VP90", [TDM_CODEC_AV1] = "AV01"};

    if (!run->stream || !names[run->enc_ops->id])
        return;
    fprintf(run->stream, "DKIF");
    put_little(run->stream, 32 << 16, 4);
    fprintf(run->stream, "%s", names[run->enc_ops->id]);
    put_little(run->stream, (uint64_t)run->width | (uint64_t)run->height << 16, 4);
    put_little(run->stream, 30, 4);
    put_little(run->stream, 1, 4);
    put_little(run->stream, 0, 8);
}

static void keep_unit(struct run *run)
{
    size_t delimiter = run->enc_ops->id == TDM_CODEC_AV1 ? 2 : 0;
    uint8_t *copy = calloc(1, run->size + TDM_DECODER_PADDING);

    assert(copy);
    memcpy(copy, run->unit, run->size);
    run->units[run->coded] = copy;
    run->unit_sizes[run->coded] = run->size;
    if (!run->stream)
        return;
    if (run->enc_ops->id != TDM_CODEC_H264) {
        put_little(run->stream, run->size + delimiter, 4);
        put_little(run->stream, (uint64_t)run->coded, 8);
        put_little(run->stream, 0x12, (int)delimiter);
    }
    (void)fwrite(run->unit, run->size, 1, run->stream);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(const char *name, double *values, int count)
{
    double sum = 0;

    for (int i = 0; i < count; i++)
        sum += values[i];
    qsort(values, (size_t)count, sizeof *values, by_value);
    printf("  \"%s\": {\"min\": %.3f, \"p50\": %.3f, \"p95\": %.3f, \"max\": %.3f, "
           "\"mean\": %.3f},\n",
           name, values[0], values[count / 2], values[count * 95 / 100], values[count - 1],
           sum / count);
}

static bool next_picture(struct run *run, struct canvas *canvas, int frame)
{
    size_t bytes = tdm_picture_bytes(run->width, run->height);

    if (run->file)
        return fread(canvas->storage, 1, bytes, run->file) == bytes;
    draw_scene(&canvas->pic, frame, 0);
    return true;
}

static bool code_one(struct run *run, struct tdm_video_encoder *enc,
                     const struct tdm_video_decoder_ops *dec_ops, struct tdm_video_decoder *dec,
                     const struct tdm_picture *pic, uint32_t budget)
{
    struct tdm_picture out;
    int at = run->coded;

    run->size = run->payload = 0;
    run->offered += budget;
    run->start = now_ms();
    enum tdm_err err = run->enc_ops->encode(enc, pic, budget, false, take, run);

    if (err == TDM_E_AGAIN) {
        run->dropped++;
        return true;
    }
    run->encode_ms[at] = now_ms() - run->start;
    keep_unit(run);
    memset(run->unit + run->size, 0, TDM_DECODER_PADDING);
    double start = now_ms();

    if (err != TDM_OK || dec_ops->decode(dec, run->unit, run->size, &out) != TDM_OK)
        return false;
    run->decode_ms[at] = now_ms() - start;
    run->first_slice_ms[at] = run->first_ms;
    run->share[at] = (double)run->payload / budget;
    run->spent += (double)run->payload;
    run->over_105 += run->share[at] > 1.05;
    run->over_120 += run->share[at] > 1.2;
    run->psnr[at] = picture_psnr(pic, &out);
    run->coded++;
    return true;
}

/* Decodes all again, as a program that only decodes does: the encoder leaves nothing of the decoder
 * in the processor's caches, which costs it up to a quarter. */
static bool decode_alone(struct run *run, const struct tdm_video_decoder_ops *ops)
{
    struct tdm_video_decoder *dec;
    struct tdm_picture out;
    bool ok = ops->create(&dec, NULL) == TDM_OK;

    for (int i = 0; ok && i < run->coded; i++) {
        double start = now_ms();

        ok = ops->decode(dec, run->units[i], run->unit_sizes[i], &out) == TDM_OK;
        run->alone_ms[i] = now_ms() - start;
    }
    ops->destroy(dec);
    for (int i = 0; i < run->coded; i++)
        free(run->units[i]);
    return ok;
}

static int run_all(struct run *run, const struct tdm_video_encoder_config *config)
{
    const struct tdm_video_encoder_ops *enc_ops = run->enc_ops;
    const struct tdm_video_decoder_ops *dec_ops = tdm_video_decoder_find(enc_ops->id);
    struct canvas canvas = canvas_of(run->width, run->height);
    struct tdm_video_encoder *enc;
    struct tdm_video_decoder *dec;
    struct tdm_cause cause = {{0}};
    bool ok = true;

    if (!dec_ops || enc_ops->create(config, &enc, &cause) != TDM_OK ||
        dec_ops->create(&dec, &cause) != TDM_OK) {
        fprintf(stderr, "no codec: %s\n", cause.text);
        return 1;
    }
    for (int i = 0; ok && i < FRAMES && next_picture(run, &canvas, i); i++)
        ok = code_one(run, enc, dec_ops, dec, &canvas.pic, run->bps[i * run->rates / FRAMES] / 240);
    enc_ops->destroy(enc);
    dec_ops->destroy(dec);
    free(canvas.storage);
    ok = ok && decode_alone(run, dec_ops);
    if (!ok || run->coded == 0) {
        fprintf(stderr, "failed after %d frames\n", run->coded);
        return 1;
    }
    printf("{\n");
    report("encode_ms", run->encode_ms, run->coded);
    report("first_slice_ms", run->first_slice_ms, run->coded);
    report("decode_ms", run->decode_ms, run->coded);
    report("decode_alone_ms", run->alone_ms, run->coded);
    report("size_to_budget", run->share, run->coded);
    report("psnr_db", run->psnr, run->coded);
    printf("  \"spent\": %.3f, \"over_105\": %d, \"over_120\": %d, \"dropped\": %d\n}\n",
           run->spent / run->offered, run->over_105, run->over_120, run->dropped);
    return 0;
}

/* The number that a text begins with, up to 100 million; -1 where there is none. */
static int number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    return end != text && value >= 0 && value <= 100000000 ? (int)value : -1;
}

/* Takes NAME[:PRESET][:screen] apart. NULL for a name that no encoder has. */
static const struct tdm_video_encoder_ops *encoder_of(char *text,
                                                      struct tdm_video_encoder_config *config)
{
    char *rest, *name = strtok_r(text, ":", &rest), *word;

    while (name && (word = strtok_r(NULL, ":", &rest)))
        if (strcmp(word, "screen") == 0)
            config->content = TDM_CONTENT_SCREEN;
        else
            (void)snprintf(config->preset, sizeof config->preset, "%s", word);
    return name ? tdm_video_encoder_named(name) : NULL;
}

/* Takes BITRATE,BITRATE,... or BITRATE/4 apart; false where one is no number. */
static bool take_rates(struct run *run, char *text)
{
    char *rest, *word = strtok_r(text, ",", &rest);
    bool quarter = strstr(text, "/4") != NULL;

    for (run->rates = 0; word && run->rates < RATES_MAX; word = strtok_r(NULL, ",", &rest)) {
        int bps = number(word);

        if (bps < 1)
            return false;
        run->bps[run->rates++] = (uint32_t)bps;
    }
    if (quarter)
        run->bps[run->rates++] = run->bps[0] / 4;
    return run->rates > 0 && !word;
}

int main(int argc, char **argv)
{
    static struct run run;
    int values[7] = {0}; /* At the places of their arguments. */
    bool good = argc >= 7 && take_rates(&run, argv[4]);

    for (int i = 2; good && i < 7; i++) {
        values[i] = i == 4 ? (int)run.bps[0] : number(argv[i]);
        good = values[i] >= (i == 6 ? 0 : 1); /* A slice may be without limit. */
    }
    if (!good) {
        fprintf(stderr,
                "usage: %s ENCODER[:PRESET][:screen] WIDTH HEIGHT BITRATE,... THREADS SLICE_BYTES "
                "[FILE]\n",
                argv[0]);
        return 2;
    }
    struct tdm_video_encoder_config config = {
        .width = values[2],
        .height = values[3],
        .fps = 30,
        .bitrate_bps = (uint32_t)values[4],
        .threads = (unsigned)values[5],
        .slice_bytes_max = (uint32_t)values[6],
    };

    run.enc_ops = encoder_of(argv[1], &config);
    run.width = config.width;
    run.height = config.height;
    if (!run.enc_ops) {
        fprintf(stderr, "no encoder is called %s\n", argv[1]);
        return 1;
    }
    run.unit = malloc(UNIT_MAX);
    run.file = argc > 7 ? fopen(argv[7], "rb") : NULL;
    if (getenv("CODEC_BENCH_STREAM"))
        run.stream = fopen(getenv("CODEC_BENCH_STREAM"), "wb");
    begin_stream(&run);
    if (!run.unit || (argc > 7 && !run.file)) {
        fprintf(stderr, "cannot read %s\n", argc > 7 ? argv[7] : "memory");
        return 1;
    }
    int code = run_all(&run, &config);

    if (run.file)
        (void)fclose(run.file);
    if (run.stream)
        (void)fclose(run.stream);
    free(run.unit);
    return code;
}
