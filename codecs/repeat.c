/* SPDX-License-Identifier: MIT */
#include "codecs/repeat.h"

#include <assert.h>
#include <string.h>

/* The period is searched in steps of 1/8000 s: exact enough for voice and cheap at any rate. */
#define SEARCH_HZ 8000
#define LAG_MIN   20  /* 2.5 ms: 400 Hz. */
#define LAG_MAX   120 /* 15 ms: 67 Hz. */
#define WINDOW    40  /* 5 ms that must match. */
#define HOLD_MS   10  /* At full level. */
#define SILENT_MS 60
#define RETURN_MS 5
#define GAIN_ONE  32768

static uint32_t samples_of(const struct tdm_repeat *r, uint32_t ms)
{
    return r->sample_hz * ms / 1000;
}

static uint32_t history_size(const struct tdm_repeat *r)
{
    return r->sample_hz / 50;
}

void tdm_repeat_init(struct tdm_repeat *repeat, uint32_t sample_hz, uint32_t channels)
{
    assert(sample_hz >= SEARCH_HZ && sample_hz <= TDM_REPEAT_HZ_MAX);
    assert(channels >= 1 && channels <= TDM_REPEAT_CHANNELS_MAX);
    memset(repeat, 0, sizeof *repeat);
    repeat->sample_hz = sample_hz;
    repeat->channels = channels;
}

/* How alike the last WINDOW and the one `lag` before it are, over all channels, since they are
 * repeated together: correlation, normalised by the energy of the earlier one. Negative correlation
 * counts as none. */
static double likeness(const struct tdm_repeat *r, uint32_t lag, uint32_t step)
{
    uint32_t end = history_size(r);
    double product = 0, energy = 1;

    for (uint32_t i = 1; i <= WINDOW; i++) {
        const int16_t *now = &r->history[(size_t)(end - i * step) * r->channels];
        const int16_t *then = &r->history[(size_t)(end - (i + lag) * step) * r->channels];

        for (uint32_t c = 0; c < r->channels; c++) {
            product += (double)now[c] * then[c];
            energy += (double)then[c] * then[c];
        }
    }
    return product > 0 ? product * product / energy : 0;
}

static uint32_t find_period(const struct tdm_repeat *r)
{
    uint32_t step = r->sample_hz / SEARCH_HZ, best = LAG_MAX;
    double most = 0;

    for (uint32_t lag = LAG_MIN; lag <= LAG_MAX; lag++) {
        double like = likeness(r, lag, step);

        if (like > most) {
            most = like;
            best = lag;
        }
    }
    return best * step;
}

/* Of GAIN_ONE, after `lost` samples. */
static int32_t gain_after(const struct tdm_repeat *r, uint32_t lost)
{
    uint32_t hold = samples_of(r, HOLD_MS), silent = samples_of(r, SILENT_MS);

    if (lost <= hold)
        return GAIN_ONE;
    return lost >= silent ? 0 : (int32_t)((uint64_t)GAIN_ONE * (silent - lost) / (silent - hold));
}

/* The repetition's next sample of all channels. */
static void next_frame(struct tdm_repeat *r, int16_t *frame)
{
    uint32_t at = history_size(r) - r->period + r->lost % r->period;
    int32_t gain = gain_after(r, r->lost);

    for (uint32_t c = 0; c < r->channels; c++)
        frame[c] = (int16_t)(r->history[(size_t)at * r->channels + c] * gain / GAIN_ONE);
    if (r->lost < UINT32_MAX)
        r->lost++;
}

void tdm_repeat_conceal(struct tdm_repeat *repeat, int16_t *pcm, uint32_t samples)
{
    if (repeat->period == 0)
        repeat->period = find_period(repeat);
    for (uint32_t i = 0; i < samples; i++)
        next_frame(repeat, pcm + (size_t)i * repeat->channels);
}

static void mix_return(struct tdm_repeat *r, int16_t *pcm, uint32_t samples)
{
    uint32_t length = samples_of(r, RETURN_MS);

    if (length > samples)
        length = samples;
    for (uint32_t i = 0; i < length; i++) {
        int16_t frame[TDM_REPEAT_CHANNELS_MAX];
        int32_t weight = (int32_t)(i + 1), all = (int32_t)length;

        next_frame(r, frame);
        for (uint32_t c = 0; c < r->channels; c++) {
            int16_t *sample = pcm + (size_t)i * r->channels + c;

            *sample = (int16_t)((*sample * weight + frame[c] * (all - weight)) / all);
        }
    }
    r->period = 0;
    r->lost = 0;
}

void tdm_repeat_hear(struct tdm_repeat *repeat, int16_t *pcm, uint32_t samples)
{
    uint32_t size = history_size(repeat);

    if (repeat->period)
        mix_return(repeat, pcm, samples);
    uint32_t fresh = samples < size ? samples : size;
    size_t kept = (size_t)(size - fresh) * repeat->channels;
    size_t added = (size_t)fresh * repeat->channels;

    memmove(repeat->history, repeat->history + added, kept * sizeof *repeat->history);
    memcpy(repeat->history + kept, pcm + (size_t)(samples - fresh) * repeat->channels,
           added * sizeof *pcm);
}
