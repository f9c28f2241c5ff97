/* SPDX-License-Identifier: MIT */

/*
 * A media file as a camera: looped, in real time. The pass that is running and the place in it
 * follow from the monotonic clock alone (clock modulo the file's length), so the picture and the
 * sound of one file agree with nothing shared between them. The next picture is decoded before its
 * time, so that a picture comes out at its due instant.
 */

#include "capture/fit.h"
#include "capture/media_file.h"
#include "capture/pace.h"
#include "capture/registry.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <stdlib.h>

#define CATCH_UP_MAX                                                                               \
    TDM_S /* Decoding that cannot keep up shows a late picture at least so often. */

struct tdm_video_source {
    struct tdm_media_file file;
    struct tdm_fit fit;
    struct tdm_picture pic;
    uint8_t *storage;
    struct tdm_pace pace;
    tdm_time pass_start; /* Monotonic time of pass time 0. */
    tdm_time due;        /* Of the prepared picture. */
    tdm_time ready;      /* When it was prepared. */
    uint32_t frame_id;
    int wake_fd;
    bool started, prepared;
};

static void destroy(struct tdm_video_source *s)
{
    if (!s)
        return;
    tdm_media_file_close(&s->file);
    tdm_fit_close(&s->fit);
    free(s->storage);
    free(s);
}

static enum tdm_err create(const struct tdm_video_source_config *config,
                           struct tdm_video_source **source, struct tdm_cause *cause)
{
    struct tdm_video_source *s = calloc(1, sizeof *s);

    assert(config->fps > 0);
    if (s)
        s->storage = malloc(tdm_picture_bytes(config->width, config->height));
    if (!s || !s->storage || !tdm_fit_open(&s->fit, config->width, config->height)) {
        destroy(s);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the file's pictures: use a smaller -s");
    }
    enum tdm_err err = tdm_media_file_open(&s->file, config->argument, AVMEDIA_TYPE_VIDEO, cause);

    if (err) {
        destroy(s);
        return err;
    }
    tdm_picture_over(&s->pic, s->storage, config->width, config->height);
    s->pace.period = TDM_S / config->fps;
    s->wake_fd = config->wake_fd;
    *source = s;
    return TDM_OK;
}

/* Begins the pass that should be running now. */
static enum tdm_err start(struct tdm_video_source *s, struct tdm_cause *cause)
{
    tdm_time now = tdm_clock_now();
    tdm_time phase = s->file.loop ? now % s->file.loop : 0;

    s->started = true;
    s->pass_start = now - phase;
    return tdm_media_file_seek(&s->file, phase, cause);
}

static enum tdm_err next_pass(struct tdm_video_source *s, struct tdm_cause *cause)
{
    tdm_time length = s->file.loop ? s->file.loop : tdm_time_max(s->file.last_end, TDM_MS);

    s->pass_start += length;
    if (tdm_clock_now() - s->pass_start > length)
        return start(s, cause); /* Far behind, e.g. stopped in a debugger. */
    return tdm_media_file_seek(&s->file, 0, cause);
}

/* Decodes up to the next picture worth showing. */
static enum tdm_err prepare(struct tdm_video_source *s, struct tdm_cause *cause)
{
    tdm_time began = tdm_clock_now();
    tdm_time at;

    for (;;) {
        if (tdm_wait_until(0, s->wake_fd, -1) == TDM_WAIT_WAKE)
            return TDM_E_AGAIN;
        enum tdm_err err = tdm_media_file_next(&s->file, &at, cause);

        if (err == TDM_E_AGAIN)
            err = next_pass(s, cause);
        else if (!err) {
            tdm_time now = tdm_clock_now();

            s->due = s->pass_start + at;
            bool late = s->due + s->pace.period < now && now - began < CATCH_UP_MAX;

            if (!late && tdm_pace_admits(&s->pace, s->due))
                break;
        }
        if (err)
            return err;
    }
    struct tdm_raw_picture raw = tdm_raw_of_frame(s->file.frame);

    if (tdm_fit_into(&s->fit, &raw, &s->pic))
        return tdm_fail(cause, TDM_E_GONE, "\"%s\" has pictures that cannot be converted",
                        s->file.name);
    s->ready = tdm_clock_now();
    s->prepared = true;
    return TDM_OK;
}

static enum tdm_err next(struct tdm_video_source *s, struct tdm_picture *pic,
                         struct tdm_cause *cause)
{
    enum tdm_err err = s->started ? TDM_OK : start(s, cause);

    if (!err && !s->prepared)
        err = prepare(s, cause);
    if (err)
        return err;
    if (tdm_wait_until(s->due, s->wake_fd, -1) == TDM_WAIT_WAKE)
        return TDM_E_AGAIN;
    s->prepared = false;
    s->pic.captured = tdm_time_max(s->due, s->ready);
    s->pic.frame_id = s->frame_id++;
    *pic = s->pic;
    return TDM_OK;
}

const struct tdm_video_source_ops tdm_file_video_source = {
    .kind = "file",
    .create = create,
    .destroy = destroy,
    .next = next,
};
