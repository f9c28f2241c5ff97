/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_TIMER_AUDIO_H
#define TDM_RENDER_TIMER_AUDIO_H

/* A sound device made of a timer: a thread that pulls one period at absolute deadlines, so that
 * over any time exactly sample_hz samples a second are pulled. */

#include "render/sink.h"

#include <pthread.h>
#include <stdatomic.h>

struct tdm_timer_audio {
    struct tdm_audio_sink_config config;
    uint32_t period_samples;
    int16_t *pcm;
    int wake_fd;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    /* What to do with a period that was pulled; on the timer's thread; may be NULL. */
    void (*heard)(void *arg, const int16_t *pcm, uint32_t samples);
    void *heard_arg;
};

/** Set `heard` before; stop also after a failure. */
enum tdm_err tdm_timer_audio_start(struct tdm_timer_audio *t,
                                   const struct tdm_audio_sink_config *config, uint32_t period_ms,
                                   struct tdm_cause *cause);
void tdm_timer_audio_stop(struct tdm_timer_audio *t);

#endif
