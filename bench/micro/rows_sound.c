/* SPDX-License-Identifier: MIT */
/* engine/core and engine/base on sound: pieces of 10 ms as a device pulls them. The references are
 * the same sums in double, straight from the filters' tables. */
#include "bench/micro/micro.h"
#include "engine/base/chirp.h"
#include "engine/core/resample.h"
#include "engine/core/stretch.h"
#include "engine/core/upsample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

static bool two_variants(size_t at, struct micro_variant *variant)
{
    *variant = (struct micro_variant){at ? "engine" : "plain", true};
    return at < 2;
}

/* Something voiced: a pitch with harmonics, and noise. */
static int16_t *voice(struct micro_case *c, uint32_t samples, uint32_t channels)
{
    int16_t *line = micro_take(c, (size_t)samples * channels * sizeof *line, 0);
    double pitch_hz = 90 + 250 * tdm_rng_unit(&c->rng);

    for (uint32_t i = 0; i < samples * channels; i++) {
        uint32_t sample = i / channels;
        double t = sample / 48000.0, value = 0;

        for (int k = 1; k < 6; k++)
            value += 4000.0 / k * sin(2 * PI * pitch_hz * k * t + i % channels);
        line[i] = (int16_t)(value + 200 * tdm_rng_unit(&c->rng));
    }
    return line;
}

static void out_of(struct micro_case *c, size_t bytes)
{
    c->out_size = bytes;
    c->out = micro_take(c, bytes, 0);
    c->items = 1;
}

/* Samples may differ by one from the reference: it rounds once, in double. */
static bool samples_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    (void)variant;
    for (size_t i = 0; i < c->out_size; i += 2) {
        int16_t a, b;

        memcpy(&a, c->out + i, 2);
        memcpy(&b, reference + i, 2);
        if (abs(a - b) > 1)
            return false;
    }
    return true;
}

static int16_t rounded(double value)
{
    return (int16_t)lrint(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
}

#define DEVICE_HZ 48000u

/* --- 8, 16 and 24 kHz to 48 kHz. --- */

struct raising {
    struct tdm_upsample u;
    const int16_t *in;
    uint32_t samples;
};

static bool upsample_make(struct micro_case *c)
{
    struct raising *r = c->state = micro_take(c, sizeof *r, 0);
    uint32_t factor = 6 / micro_between(c, 1, 3); /* From 8, 16 and 24 kHz. */

    r->samples = micro_between(c, 1, 80);
    r->in = voice(c, r->samples, 1);
    tdm_upsample_init(&r->u, DEVICE_HZ / factor, DEVICE_HZ, 1);
    out_of(c, (size_t)r->samples * factor * 2);
    return true;
}

static void upsample_prepare(struct micro_case *c, size_t variant)
{
    struct raising *r = c->state;

    (void)variant;
    memset(r->u.history, 0, sizeof r->u.history);
    r->u.phase = 0;
}

static void upsample_run(struct micro_case *c, size_t variant)
{
    struct raising *r = c->state;
    int16_t *out = (int16_t *)(void *)c->out;

    if (variant) {
        tdm_upsample_run(&r->u, r->in, r->samples, out);
        return;
    }
    for (uint32_t i = 0; i < r->samples; i++) {
        for (uint32_t phase = 0; phase < r->u.phases; phase++) {
            double sum = 0;

            for (int tap = 0; tap < TDM_UPSAMPLE_TAPS; tap++) {
                int64_t at = (int64_t)i + tap - (TDM_UPSAMPLE_TAPS - 1);

                sum += at < 0 ? 0 : (double)r->u.taps[phase][tap] * r->in[at];
            }
            out[i * r->u.phases + phase] = rounded(sum);
        }
    }
}

/* --- A clock that differs a little. --- */

struct bending {
    struct tdm_resample r;
    const int16_t *line;
    uint32_t count, channels;
    double ratio, first;
};

static bool resample_make(struct micro_case *c)
{
    struct bending *b = c->state = micro_take(c, sizeof *b, 0);
    uint32_t lead = TDM_RESAMPLE_BEFORE, behind = 40;

    b->count = micro_between(c, 1, 480);
    b->channels = micro_between(c, 1, 2);
    b->ratio = 1 + (c->timed ? 1e-4 : 0.01 * (tdm_rng_unit(&c->rng) - 0.5));
    b->first = c->timed ? 0.3 : tdm_rng_unit(&c->rng);
    b->line = voice(c, lead + b->count + behind, b->channels) + (size_t)lead * b->channels;
    tdm_resample_init(&b->r);
    out_of(c, (size_t)b->count * b->channels * 2);
    return true;
}

static double tap_between(const struct tdm_resample *r, double fraction, int k)
{
    double scaled = fraction * TDM_RESAMPLE_PHASES;
    int phase = (int)scaled;
    double weight = scaled - phase;

    if (phase == TDM_RESAMPLE_PHASES)
        return (double)r->taps[phase][k];
    return (1 - weight) * (double)r->taps[phase][k] + weight * (double)r->taps[phase + 1][k];
}

static void resample_run(struct micro_case *c, size_t variant)
{
    struct bending *b = c->state;
    int16_t *out = (int16_t *)(void *)c->out;

    b->r.fraction = b->first;
    if (variant) {
        (void)tdm_resample_run(&b->r, b->line, out, b->count, b->ratio, b->channels);
        return;
    }
    for (uint32_t i = 0; i < b->count * b->channels; i++) {
        uint32_t sample = i / b->channels;
        double at = b->first + sample * b->ratio, sum = 0;
        ptrdiff_t first = (ptrdiff_t)at - TDM_RESAMPLE_BEFORE;

        for (int k = 0; k < TDM_RESAMPLE_TAPS; k++)
            sum += tap_between(&b->r, at - floor(at), k) *
                   b->line[(first + k) * (ptrdiff_t)b->channels + i % b->channels];
        out[i] = rounded(sum);
    }
}

/* --- A pitch period taken out. --- */

struct shrinking {
    struct tdm_stretch s;
    const int16_t *first;
    int16_t *line;
    uint32_t samples, channels;
};

static bool stretch_make(struct micro_case *c)
{
    struct shrinking *s = c->state = micro_take(c, sizeof *s, 0);

    s->s = tdm_stretch_of(48000);
    s->channels = micro_between(c, 1, 2);
    s->samples = s->s.lag_max + s->s.window;
    s->first = voice(c, s->samples, s->channels);
    s->line = micro_take(c, (size_t)s->samples * s->channels * 2, 0);
    out_of(c, sizeof(double));
    return true;
}

/* How the window at the start resembles the one that is `lag` behind it. */
static double resemblance(const struct shrinking *s, uint32_t lag)
{
    double ab = 0, aa = 1, bb = 1;

    for (uint32_t i = 0; i < s->s.window; i++) {
        double x = 0, y = 0;

        for (uint32_t k = 0; k < s->channels; k++) {
            x += s->first[i * s->channels + k];
            y += s->first[(i + lag) * s->channels + k];
        }
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return ab / sqrt(aa * bb);
}

/* What comes out is how good the seam is. */
static void stretch_run(struct micro_case *c, size_t variant)
{
    struct shrinking *s = c->state;
    double best = -1;
    uint32_t lag = 0;

    if (variant) {
        memcpy(s->line, s->first, (size_t)s->samples * s->channels * 2);
        lag = tdm_stretch_shrink(&s->s, s->line, s->samples, s->channels, 0.5f);
        best = lag; /* Told apart from a resemblance by its size; `right` looks it up. */
    } else {
        for (lag = s->s.lag_min; lag <= s->s.lag_max; lag++)
            best = fmax(best, resemblance(s, lag));
    }
    memcpy(c->out, &best, sizeof best);
}

static bool stretch_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    double got, best;

    memcpy(&got, c->out, sizeof got);
    memcpy(&best, reference, sizeof best);
    if (variant == 0)
        return true;
    return got >= 1 ? resemblance(c->state, (uint32_t)got) > best - 0.05 : best < 0.6;
}

/* --- The marker that is heard back. --- */

struct listening {
    struct tdm_chirp_detector d;
    float *sound;
    uint32_t samples, first;
};

static bool chirp_make(struct micro_case *c)
{
    struct listening *l = c->state = micro_take(c, sizeof *l, 0);
    uint32_t size = tdm_chirp_samples(TDM_CHIRP_DETECTOR_HZ);

    l->samples = 4800;
    l->first = micro_between(c, 100, 1500);
    l->sound = micro_take(c, l->samples * sizeof *l->sound, 0);
    for (uint32_t i = 0; i < l->samples; i++)
        l->sound[i] = (float)(200 * (tdm_rng_unit(&c->rng) - 0.5));
    for (uint32_t i = 0; i < size; i++)
        l->sound[l->first + i] += 8000 * tdm_chirp_sample(i, TDM_CHIRP_DETECTOR_HZ);
    out_of(c, sizeof(double));
    c->items = 10;
    tdm_chirp_detector_init(&l->d);
    return true;
}

static void chirp_prepare(struct micro_case *c, size_t variant)
{
    struct listening *l = c->state;

    (void)variant;
    tdm_chirp_detector_init(&l->d);
}

static void chirp_run(struct micro_case *c, size_t variant)
{
    struct listening *l = c->state;
    double arrival = variant ? -1.0 : (double)l->first;

    for (uint32_t i = 0; variant && i < l->samples; i++) {
        double heard;

        if (tdm_chirp_detector_push(&l->d, l->sound[i], &heard))
            arrival = heard;
    }
    memcpy(c->out, &arrival, sizeof arrival);
}

static bool chirp_variant(size_t at, struct micro_variant *variant)
{
    *variant = (struct micro_variant){at ? "engine" : "put there", true};
    return at < 2;
}

static bool chirp_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    double heard, put;

    (void)variant;
    memcpy(&heard, c->out, sizeof heard);
    memcpy(&put, reference, sizeof put);
    return fabs(heard - put) < 5;
}

static const struct micro_routine rows[] = {
    {.name = "sound.upsample",
     .shape = "10 ms, 8 to 48 kHz",
     .variant = two_variants,
     .make = upsample_make,
     .prepare = upsample_prepare,
     .run = upsample_run,
     .right = samples_right},
    {.name = "sound.resample",
     .shape = "10 ms, 48 kHz stereo",
     .variant = two_variants,
     .make = resample_make,
     .run = resample_run,
     .right = samples_right},
    {.name = "sound.stretch",
     .shape = "one seam looked for, 48 kHz stereo",
     .variant = two_variants,
     .make = stretch_make,
     .run = stretch_run,
     .right = stretch_right},
    {.name = "sound.chirp",
     .shape = "100 ms, 48 kHz",
     .variant = chirp_variant,
     .make = chirp_make,
     .prepare = chirp_prepare,
     .run = chirp_run,
     .right = chirp_right},
};
const struct micro_list micro_sound = {rows, sizeof rows / sizeof *rows};
