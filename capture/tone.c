/* SPDX-License-Identifier: MIT */

/*
 * A test sound on the sample timeline of the monotonic clock: sample n is taken at n / sample_hz
 * seconds of that clock, on every machine thread alike, with no state to share.
 *
 *   tone         a quiet 440 Hz sine and a chirp each second
 *   tone:chirp   chirps only
 *   tone:HZ      a sine only
 *
 * A chirp's FIRST sample is the sample whose capture time is a whole second of the monotonic
 * clock. So a listener on the same machine that hears it start at time t knows its latency:
 * t modulo one second.
 */

#include "capture/registry.h"
#include "engine/base/chirp.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI          3.14159265358979323846
#define QUIET_LEVEL 600.0f   /* About -35 dBFS. */
#define CHIRP_LEVEL 10000.0f /* About -10 dBFS. */
#define SINE_LEVEL  3000.0f
#define BEHIND_MAX  (200 * TDM_MS) /* Later than that: skip, do not catch up. */

struct tdm_audio_source {
    int64_t at; /* Timeline index of the next sample. */
    uint32_t sample_hz, block_samples;
    uint8_t channels;
    int wake_fd;
    float sine_hz, sine_level, chirp_level;
    uint32_t chirp_samples;
    float *chirp;
};

static void destroy(struct tdm_audio_source *s)
{
    if (s)
        free(s->chirp);
    free(s);
}

static enum tdm_err parse(struct tdm_audio_source *s, const char *argument, struct tdm_cause *cause)
{
    char *end;

    s->sine_hz = 440;
    s->sine_level = QUIET_LEVEL;
    s->chirp_level = CHIRP_LEVEL;
    if (!*argument)
        return TDM_OK;
    if (!strcmp(argument, "chirp")) {
        s->sine_level = 0;
        return TDM_OK;
    }
    s->sine_hz = strtof(argument, &end);
    s->sine_level = SINE_LEVEL;
    s->chirp_level = 0;
    if (*end || !(s->sine_hz >= 20 && s->sine_hz <= (float)s->sample_hz / 2))
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "unknown tone \"%.60s\": use tone, tone:chirp or tone:HZ with 20 to %u Hz",
                        argument, s->sample_hz / 2);
    return TDM_OK;
}

static enum tdm_err create(const struct tdm_audio_source_config *config,
                           struct tdm_audio_source **source, struct tdm_cause *cause)
{
    struct tdm_audio_source *s = calloc(1, sizeof *s);

    assert(config->sample_hz && config->block_samples && config->channels);
    if (s) {
        s->chirp_samples = tdm_chirp_samples(config->sample_hz);
        s->chirp = malloc(s->chirp_samples * sizeof *s->chirp);
    }
    if (!s || !s->chirp) {
        destroy(s);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the tone source");
    }
    s->sample_hz = config->sample_hz;
    s->block_samples = config->block_samples;
    s->channels = config->channels;
    s->wake_fd = config->wake_fd;
    for (uint32_t i = 0; i < s->chirp_samples; i++)
        s->chirp[i] = tdm_chirp_sample(i, s->sample_hz);
    enum tdm_err err = parse(s, config->argument, cause);

    if (err) {
        destroy(s);
        return err;
    }
    s->at = tdm_units_of_time(tdm_clock_now(), s->sample_hz);
    *source = s;
    return TDM_OK;
}

static int16_t sample_at(const struct tdm_audio_source *s, int64_t index)
{
    uint32_t in_second = (uint32_t)(index % s->sample_hz);
    float value = 0;

    if (s->sine_level > 0) {
        /* The phase restarts each second for a whole number of hertz anyway. */
        double turns = (double)s->sine_hz * (double)in_second / s->sample_hz;

        value = s->sine_level * (float)sin(2 * PI * (turns - floor(turns)));
    }
    if (in_second < s->chirp_samples)
        value += s->chirp_level * s->chirp[in_second];
    return (int16_t)lrintf(value);
}

static enum tdm_err read_block(struct tdm_audio_source *s, int16_t *pcm, tdm_time *captured,
                               struct tdm_cause *cause)
{
    (void)cause;
    int64_t end = s->at + s->block_samples;
    tdm_time due = tdm_time_of_units(end, s->sample_hz);

    if (tdm_wait_until(due, s->wake_fd, -1) == TDM_WAIT_WAKE)
        return TDM_E_AGAIN;
    if (tdm_clock_now() - due > BEHIND_MAX) {
        end = tdm_units_of_time(tdm_clock_now(), s->sample_hz);
        s->at = end - s->block_samples;
    }
    for (uint32_t i = 0; i < s->block_samples; i++) {
        int16_t value = sample_at(s, s->at + i);

        for (uint8_t channel = 0; channel < s->channels; channel++)
            *pcm++ = value;
    }
    s->at = end;
    *captured = tdm_time_of_units(end - 1, s->sample_hz);
    return TDM_OK;
}

const struct tdm_audio_source_ops tdm_tone_source = {
    .kind = "tone",
    .create = create,
    .destroy = destroy,
    .read = read_block,
};
