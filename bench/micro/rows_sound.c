/* SPDX-License-Identifier: MIT */
/* engine/core and engine/base on sound: pieces of 10 ms as a device pulls them. The references are
 * the same sums in double, straight from the filters' tables. */
#include "bench/micro/micro.h"
#include "engine/base/chirp.h"
#include "engine/base/cpu.h"
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

/* --- Up to 48 kHz. --- */

struct raising {
    struct tdm_upsample u;
    const int16_t *in;
    uint32_t samples;
};

static bool upsample_make(struct micro_case *c)
{
    static const uint32_t rates[] = {48000, 44100, 24000, 16000, 8000};
    struct raising *r = c->state = micro_take(c, sizeof *r, 0);
    uint32_t rate = rates[micro_between(c, 0, 4)];
    uint32_t channels = c->timed ? 1 : micro_between(c, 1, TDM_UPSAMPLE_CHANNELS_MAX);

    r->samples = micro_between(c, 1, 80);
    r->in = voice(c, r->samples, channels);
    tdm_upsample_init(&r->u, rate, 48000, channels);
    out_of(c, (r->samples * r->u.phases / r->u.step + 1) * (size_t)channels * 2);
    return true;
}

static void upsample_prepare(struct micro_case *c, size_t variant)
{
    struct raising *r = c->state;

    (void)variant;
    r->u.phase = 0;
    memset(r->u.history, 0, sizeof r->u.history);
}

/* Sample `at` of one channel of the input, at a distance of `phase` behind it. */
static double raised(const struct raising *r, uint32_t at, uint32_t phase, uint32_t channel)
{
    double sum = 0;

    for (uint32_t tap = 0; tap < TDM_UPSAMPLE_TAPS && tap <= at; tap++)
        sum += (double)r->u.taps[phase][TDM_UPSAMPLE_TAPS - 1 - tap] *
               r->in[(at - tap) * r->u.channels + channel];
    return sum;
}

static void upsample_run(struct micro_case *c, size_t variant)
{
    struct raising *r = c->state;
    int16_t *out = (int16_t *)(void *)c->out;
    uint32_t channels = r->u.channels;

    if (variant) {
        (void)tdm_upsample_run(&r->u, r->in, r->samples, out);
        return;
    }
    for (uint32_t k = 0; k * r->u.step / r->u.phases < r->samples; k++) {
        uint32_t at = k * r->u.step;

        for (uint32_t i = 0; i < channels; i++)
            out[k * channels + i] = rounded(raised(r, at / r->u.phases, at % r->u.phases, i));
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

static bool resample_variant(size_t at, struct micro_variant *variant)
{
    if (at == 0)
        *variant = (struct micro_variant){"plain double", true};
    else if (at <= tdm_resample_variant_count)
        *variant = (struct micro_variant){tdm_resample_variants[at - 1].name,
                                          tdm_cpu_has(tdm_resample_variants[at - 1].needs)};
    else
        *variant = (struct micro_variant){"engine", true};
    return at <= tdm_resample_variant_count + 1;
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
    for (uint32_t i = 0; i < b->count && variant && variant <= tdm_resample_variant_count; i++) {
        double at = b->first + i * b->ratio;
        uint32_t whole = (uint32_t)at;

        tdm_resample_variants[variant - 1].interpolate(
            &b->r, b->line + whole * b->channels, at - whole, out + i * b->channels, b->channels);
    }
    if (variant > tdm_resample_variant_count)
        (void)tdm_resample_run(&b->r, b->line, out, b->count, b->ratio, b->channels);
    if (variant)
        return;
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
     .variant = resample_variant,
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
