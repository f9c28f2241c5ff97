/* SPDX-License-Identifier: MIT */
#include "measure/cost_table.h"

#include "engine/base/picture.h"
#include "engine/base/rng.h"
#include "engine/io/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH         640
#define HEIGHT        360
#define FPS           30
#define BPS           700000 /* As dense as 720p at 1.5 Mb/s and a little more. */
#define WARM_UP       3
#define FRAMES        9
#define QUARTILE      6 /* The upper one, of so many. */
#define UNIT_MAX      (1 << 20)
#define TEXTURE_SIDE  1024 /* A power of two. */
#define PAN_PIXELS    3    /* A frame. */
#define PASSES        2 /* The better one counts: a neighbour on the same core slows the other. */
#define SECOND_THREAD 2u
#define PARALLEL_MIN  1.15 /* A smaller gain is none: the clock's noise. */

/* One encoder under the clock. */
struct trial {
    const struct tdm_video_encoder_ops *ops;
    struct tdm_video_encoder *encoder;
    const struct tdm_video_decoder_ops *decoder_ops;
    struct tdm_video_decoder *decoder;
    const uint8_t *texture;
    struct tdm_picture pic;
    uint8_t *unit;
    size_t size;
    tdm_time encode[FRAMES], decode[FRAMES]; /* CPU time of this thread. */
    tdm_time first[FRAMES];                  /* The same, until the first slice. */
    tdm_time first_at;                       /* CPU time; 0: no slice of the picture yet. */
    tdm_time wall[FRAMES];                   /* Of encoding. */
};

static int by_value(const void *a, const void *b)
{
    tdm_time x = *(const tdm_time *)a, y = *(const tdm_time *)b;

    return (x > y) - (x < y);
}

static double quantile(tdm_time *values, int index)
{
    qsort(values, FRAMES, sizeof *values, by_value);
    return (double)values[index];
}

/* CPU time: what else the machine does meanwhile is not the codec's cost. */
static tdm_time cpu_now(void)
{
    tdm_time user;

    return tdm_clock_thread_cpu(&user);
}

/* Noise over noise of double the size, four times: it has detail at every scale, as rooms do. */
static void draw_texture(uint8_t *texture)
{
    struct tdm_rng rng = tdm_rng_of(1);

    memset(texture, 64, (size_t)TEXTURE_SIDE * TEXTURE_SIDE);
    for (int cell = 64; cell >= 8; cell /= 2)
        for (int y = 0; y < TEXTURE_SIDE; y += cell)
            for (int x = 0; x < TEXTURE_SIDE; x += cell) {
                uint8_t step = (uint8_t)tdm_rng_below(&rng, (uint32_t)cell);

                for (int row = 0; row < cell; row++)
                    for (int column = 0; column < cell; column++)
                        texture[(y + row) * TEXTURE_SIDE + x + column] += step;
            }
}

/* The texture panned, with a little sensor noise. */
static void draw(struct trial *t, uint32_t frame)
{
    struct tdm_rng rng = tdm_rng_of(frame + 1);
    uint64_t noise = 0;

    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            uint32_t column = ((uint32_t)x + frame * PAN_PIXELS) & (TEXTURE_SIDE - 1);

            if (x % 16 == 0)
                noise = tdm_rng_u64(&rng);
            t->pic.planes[0][y * t->pic.strides[0] + x] =
                (uint8_t)(t->texture[y * TEXTURE_SIDE + (int)column] + (noise >> x % 16 * 4 & 3));
        }
}

static void take(void *arg, const struct tdm_slice *slice)
{
    struct trial *t = arg;
    static const uint8_t start_code[4] = {0, 0, 0, 1};
    size_t extra = t->ops->id == TDM_CODEC_H264 ? sizeof start_code : 0;

    if (!t->first_at)
        t->first_at = cpu_now();

    if (slice->size == 0 || t->size + slice->size + extra + TDM_DECODER_PADDING > UNIT_MAX)
        return;
    memcpy(t->unit + t->size, start_code, extra);
    memcpy(t->unit + t->size + extra, slice->data, slice->size);
    t->size += extra + slice->size;
}

/* One picture through both; false when a library failed. */
static bool run_one(struct trial *t, uint32_t frame)
{
    struct tdm_picture shown;

    draw(t, frame);
    t->size = 0;
    t->first_at = 0;
    tdm_time begun = tdm_clock_now(), start = cpu_now();
    enum tdm_err err = t->ops->encode(t->encoder, &t->pic, BPS / 8 / FPS, false, take, t);
    tdm_time coded = cpu_now(), done = tdm_clock_now();

    if (err != TDM_OK && err != TDM_E_AGAIN)
        return false;
    memset(t->unit + t->size, 0, TDM_DECODER_PADDING);
    if (err == TDM_OK && t->decoder_ops->decode(t->decoder, t->unit, t->size, &shown) != TDM_OK)
        return false;
    if (frame >= WARM_UP) {
        t->encode[frame - WARM_UP] = coded - start;
        t->first[frame - WARM_UP] = (t->first_at ? t->first_at : coded) - start;
        t->decode[frame - WARM_UP] = cpu_now() - coded;
        t->wall[frame - WARM_UP] = done - begun;
    }
    return true;
}

/* Times one preset; false when it does not work here. */
static bool run(struct trial *t, const char *preset, unsigned threads)
{
    struct tdm_video_encoder_config config = {
        .width = WIDTH, .height = HEIGHT, .fps = FPS, .bitrate_bps = BPS, .threads = threads};
    struct tdm_cause cause;
    bool good;

    (void)snprintf(config.preset, sizeof config.preset, "%s", preset);
    if (t->ops->create(&config, &t->encoder, &cause) != TDM_OK)
        return false;
    good = t->decoder_ops->create(&t->decoder, &cause) == TDM_OK;
    for (uint32_t i = 0; good && i < WARM_UP + FRAMES; i++)
        good = run_one(t, i);
    t->ops->destroy(t->encoder);
    if (t->decoder)
        t->decoder_ops->destroy(t->decoder);
    t->decoder = NULL;
    return good;
}

static void add_cost(struct tdm_cost_table *table, const struct trial *t, const char *preset,
                     double encode_ns, double decode_ns, double first)
{
    struct tdm_cost *cost = &table->costs[table->count++];

    *cost = (struct tdm_cost){.codec = t->ops->id, .parallel = 1, .first = first};
    (void)snprintf(cost->encoder, sizeof cost->encoder, "%s", t->ops->name);
    (void)snprintf(cost->preset, sizeof cost->preset, "%s", preset);
    cost->encode_ns = encode_ns / (WIDTH * HEIGHT);
    cost->decode_ns = decode_ns / (WIDTH * HEIGHT);
}

/* Every preset with one thread; the second thread's gain once, it is much the same for all. */
static void time_encoder(struct tdm_cost_table *table, struct trial *t)
{
    uint32_t first = table->count;
    double parallel = 1, alone = 0;

    for (size_t i = 0; t->ops->presets[i] && table->count < TDM_COSTS_MAX; i++) {
        double encode = INFINITY, decode = INFINITY, first_slice = INFINITY;
        bool good = true;

        for (int pass = 0; good && pass < PASSES; pass++) {
            good = run(t, t->ops->presets[i], 1);
            encode = fmin(encode, quantile(t->encode, QUARTILE));
            decode = fmin(decode, quantile(t->decode, QUARTILE));
            first_slice = fmin(first_slice, quantile(t->first, QUARTILE));
        }
        if (!good)
            continue;
        add_cost(table, t, t->ops->presets[i], encode, decode, fmin(first_slice / encode, 1));
        alone = quantile(t->wall, 0);
    }
    if (table->count > first && run(t, table->costs[table->count - 1].preset, SECOND_THREAD))
        parallel = alone / quantile(t->wall, 0);
    parallel = parallel < PARALLEL_MIN ? 1 : parallel > 2 ? 2 : parallel;
    for (uint32_t i = first; i < table->count; i++)
        table->costs[i].parallel = parallel;
}

enum tdm_err tdm_cost_table_measure(struct tdm_cost_table *table, struct tdm_cause *cause)
{
    uint8_t *memory =
        malloc((size_t)TEXTURE_SIDE * TEXTURE_SIDE + tdm_picture_bytes(WIDTH, HEIGHT) + UNIT_MAX);
    struct trial trial = {.texture = memory};

    table->count = 0;
    if (!memory)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory to measure the codecs");
    draw_texture(memory);
    tdm_picture_over(&trial.pic, memory + (size_t)TEXTURE_SIDE * TEXTURE_SIDE, WIDTH, HEIGHT);
    tdm_picture_fill(&trial.pic, 128, 128, 128);
    trial.unit = trial.pic.planes[0] + tdm_picture_bytes(WIDTH, HEIGHT);
    for (size_t i = 0; (trial.ops = tdm_video_encoder_at(i)); i++) {
        trial.decoder_ops = tdm_video_decoder_find(trial.ops->id);
        if (trial.decoder_ops)
            time_encoder(table, &trial);
    }
    free(memory);
    return table->count ? TDM_OK
                        : tdm_fail(cause, TDM_E_SYSTEM, "no video encoder works on this machine");
}
