/* SPDX-License-Identifier: MIT */

/* A video sink that shows nothing, at once: a thread takes each picture, closes its trace and
 * tells, as a window would. */

#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "render/picture_slot.h"
#include "render/registry.h"

#include <stdlib.h>
#include <unistd.h>

#define PIXELS_MAX (4096u * 2304u)

struct tdm_video_sink {
    struct tdm_picture_slot slot;
    struct tdm_video_sink_events events;
    pthread_t thread;
    int wake_fd;
    atomic_bool stop;
};

static void *run(void *arg)
{
    struct tdm_video_sink *s = arg;
    struct tdm_frame_trace trace;

    tdm_rt_enter();
    while (!atomic_load_explicit(&s->stop, memory_order_acquire)) {
        (void)tdm_wait_until(TDM_NEVER, s->wake_fd, -1);
        tdm_wake_clear(s->wake_fd);
        const struct tdm_picture *pic = tdm_picture_slot_take(&s->slot, &trace);

        if (!pic)
            continue;
        trace.at[TDM_STAGE_PRESENTED] = tdm_clock_now();
        if (s->events.presented)
            s->events.presented(s->events.arg, &trace, pic);
    }
    tdm_rt_leave();
    return NULL;
}

static void release(struct tdm_video_sink *s)
{
    if (s->wake_fd >= 0)
        (void)close(s->wake_fd);
    tdm_picture_slot_free(&s->slot);
    free(s);
}

static enum tdm_err create(const struct tdm_video_sink_config *config, struct tdm_video_sink **sink,
                           struct tdm_cause *cause)
{
    struct tdm_video_sink *s = calloc(1, sizeof *s);

    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the video sink");
    s->events = config->events;
    atomic_init(&s->stop, false);
    s->wake_fd = tdm_wake_open(cause);
    enum tdm_err err = s->wake_fd < 0 ? TDM_E_SYSTEM : TDM_OK;

    if (!err)
        err = tdm_picture_slot_init(&s->slot, PIXELS_MAX, cause);
    if (!err)
        err = tdm_thread_start(&s->thread, "video-null", TDM_PRIORITY_DECODE, run, s, NULL, cause);
    if (err) {
        release(s);
        return err;
    }
    *sink = s;
    return TDM_OK;
}

static void destroy(struct tdm_video_sink *s)
{
    if (!s)
        return;
    atomic_store_explicit(&s->stop, true, memory_order_release);
    tdm_wake_signal(s->wake_fd);
    (void)pthread_join(s->thread, NULL);
    release(s);
}

static void show(struct tdm_video_sink *s, const struct tdm_picture *pic,
                 const struct tdm_frame_trace *trace)
{
    if (tdm_picture_slot_put(&s->slot, pic, 1, trace))
        tdm_wake_signal(s->wake_fd);
}

const struct tdm_video_sink_ops tdm_null_video_sink = {
    .kind = "null",
    .create = create,
    .destroy = destroy,
    .show = show,
};
