/* SPDX-License-Identifier: MIT */
#include "render/timer_audio.h"

#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <stdlib.h>
#include <unistd.h>

#define BEHIND_MAX (500 * TDM_MS) /* A stall longer than that is skipped, not caught up with. */

static void *run(void *arg)
{
    struct tdm_timer_audio *t = arg;
    tdm_time period = tdm_time_of_units(t->period_samples, t->config.sample_hz);
    tdm_time due = tdm_clock_now();

    tdm_rt_enter();
    while (!atomic_load_explicit(&t->stop, memory_order_acquire)) {
        if (tdm_wait_until(due, t->wake_fd, -1) == TDM_WAIT_WAKE)
            continue; /* Only stop signals it. */
        tdm_time now = tdm_clock_now();

        /* The period is heard from its deadline on, as a device would that was asked in time. */
        t->config.pull(t->config.arg, t->pcm, t->period_samples, now, due);
        if (t->heard)
            t->heard(t->heard_arg, t->pcm, t->period_samples);
        due = now - due > BEHIND_MAX ? now + period : due + period;
    }
    tdm_rt_leave();
    return NULL;
}

enum tdm_err tdm_timer_audio_start(struct tdm_timer_audio *t,
                                   const struct tdm_audio_sink_config *config, uint32_t period_ms,
                                   struct tdm_cause *cause)
{
    assert(config->sample_hz && (config->channels == 1 || config->channels == 2));
    t->config = *config;
    t->period_samples = config->sample_hz * period_ms / 1000;
    atomic_init(&t->stop, false);
    t->wake_fd = tdm_wake_open(cause);
    if (t->wake_fd < 0)
        return TDM_E_SYSTEM;
    t->pcm = calloc((size_t)t->period_samples * config->channels, sizeof *t->pcm);
    if (!t->pcm)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the audio sink");
    enum tdm_err err =
        tdm_thread_start(&t->thread, "audio-timer", TDM_PRIORITY_AUDIO, run, t, NULL, cause);

    t->running = !err;
    return err;
}

void tdm_timer_audio_stop(struct tdm_timer_audio *t)
{
    if (t->running) {
        atomic_store_explicit(&t->stop, true, memory_order_release);
        tdm_wake_signal(t->wake_fd);
        (void)pthread_join(t->thread, NULL);
    }
    t->running = false;
    if (t->wake_fd >= 0)
        (void)close(t->wake_fd);
    t->wake_fd = -1;
    free(t->pcm);
    t->pcm = NULL;
}
