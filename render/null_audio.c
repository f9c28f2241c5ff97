/* SPDX-License-Identifier: MIT */

/* A sound sink that nobody hears: null, or null:MS with a period of 1 to 100 ms (5 by default). */

#include "render/registry.h"
#include "render/timer_audio.h"

#include <stdlib.h>

#define PERIOD_MS     5
#define PERIOD_MS_MAX 100

struct tdm_audio_sink {
    struct tdm_timer_audio timer;
};

static void destroy(struct tdm_audio_sink *s)
{
    if (s)
        tdm_timer_audio_stop(&s->timer);
    free(s);
}

static enum tdm_err create(const struct tdm_audio_sink_config *config, struct tdm_audio_sink **sink,
                           struct tdm_cause *cause)
{
    char *end = NULL;
    long period_ms = *config->argument ? strtol(config->argument, &end, 10) : PERIOD_MS;

    if ((end && *end) || period_ms < 1 || period_ms > PERIOD_MS_MAX)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "unknown period \"%.40s\": use null or null:MS with 1 to %d ms",
                        config->argument, PERIOD_MS_MAX);
    struct tdm_audio_sink *s = calloc(1, sizeof *s);

    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the audio sink");
    enum tdm_err err = tdm_timer_audio_start(&s->timer, config, (uint32_t)period_ms, cause);

    if (err) {
        destroy(s);
        return err;
    }
    *sink = s;
    return TDM_OK;
}

const struct tdm_audio_sink_ops tdm_null_audio_sink = {
    .kind = "null",
    .create = create,
    .destroy = destroy,
};
