/* SPDX-License-Identifier: MIT */

/*
 * A moving test picture with the time code in it. A texture larger than the picture is painted
 * once; each picture is a window into it that pans on a closed path, so a frame costs one copy.
 *
 *   pattern         pans (4 pixels a frame across, 2 down)
 *   pattern:still   does not; only the time code changes
 */

#include "capture/registry.h"
#include "engine/base/rng.h"
#include "engine/base/rt.h"
#include "engine/base/time_code.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <stdlib.h>
#include <string.h>

#define PAN_ACROSS 256
#define PAN_DOWN   128

struct tdm_video_source {
    struct tdm_picture texture, pic;
    uint8_t *storage;
    tdm_time period, due;
    uint32_t frame_id;
    int wake_fd;
    bool still;
};

/* A triangle wave 0..limit..0 in steps. */
static int fold(uint32_t step, int limit)
{
    int at = (int)(step % (uint32_t)(2 * limit));

    return at < limit ? at : 2 * limit - at;
}

/* Gradients, a grid of coloured tiles, and fine grain in some of them: smooth, edged and busy
 * parts, so that a codec has work of each kind. */
static void paint(struct tdm_picture *t)
{
    struct tdm_rng rng = tdm_rng_of(2026);

    for (int y = 0; y < t->height; y++) {
        uint8_t *row = t->planes[0] + (ptrdiff_t)y * t->strides[0];

        for (int x = 0; x < t->width; x++) {
            bool busy = (x / 96 + y / 96) % 4 == 0;
            bool edge = x % 96 < 3 || y % 96 < 3 || (x % 96 - y % 96) / 2 == 0;
            int smooth = 40 + fold((uint32_t)(x + 2 * y), 160);

            row[x] = (uint8_t)(edge ? 220 : busy ? smooth + (int)tdm_rng_below(&rng, 32) : smooth);
        }
    }
    for (int plane = 1; plane < 3; plane++) {
        for (int y = 0; y < t->height / 2; y++) {
            uint8_t *row = t->planes[plane] + (ptrdiff_t)y * t->strides[plane];

            for (int x = 0; x < t->width / 2; x++) {
                uint32_t tile = (uint32_t)(x / 48 * 5 + y / 48 * 3);

                row[x] = (uint8_t)(64 + tile * (plane == 1 ? 37u : 59u) % 128);
            }
        }
    }
}

static void pan(struct tdm_video_source *s)
{
    uint32_t step = s->still ? 0 : s->frame_id;
    int left = fold(step * 4, PAN_ACROSS) & ~1;
    int top = fold(step * 2, PAN_DOWN) & ~1;
    struct tdm_picture view = s->texture;

    view.planes[0] += (ptrdiff_t)top * view.strides[0] + left;
    for (int plane = 1; plane < 3; plane++)
        view.planes[plane] += (ptrdiff_t)(top / 2) * view.strides[plane] + left / 2;
    view.width = s->pic.width;
    view.height = s->pic.height;
    tdm_picture_copy(&s->pic, &view);
}

static void destroy(struct tdm_video_source *s)
{
    if (s)
        free(s->storage);
    free(s);
}

static enum tdm_err create(const struct tdm_video_source_config *config,
                           struct tdm_video_source **source, struct tdm_cause *cause)
{
    int width = config->width + PAN_ACROSS, height = config->height + PAN_DOWN;
    bool still = !strcmp(config->argument, "still");

    assert(config->fps > 0);
    if (*config->argument && !still)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "unknown pattern \"%.60s\": use pattern or pattern:still",
                        config->argument);
    if (width > TDM_PICTURE_SIDE_MAX || height > TDM_PICTURE_SIDE_MAX)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "the pattern is at most %dx%d: use a smaller -s",
                        TDM_PICTURE_SIDE_MAX - PAN_ACROSS, TDM_PICTURE_SIDE_MAX - PAN_DOWN);
    struct tdm_video_source *s = calloc(1, sizeof *s);
    size_t texture_bytes = tdm_picture_bytes(width, height);

    if (s)
        s->storage = malloc(texture_bytes + tdm_picture_bytes(config->width, config->height));
    if (!s || !s->storage) {
        destroy(s);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the pattern: use a smaller -s");
    }
    tdm_picture_over(&s->texture, s->storage, width, height);
    tdm_picture_over(&s->pic, s->storage + texture_bytes, config->width, config->height);
    paint(&s->texture);
    s->period = TDM_S / config->fps;
    s->wake_fd = config->wake_fd;
    s->still = still;
    *source = s;
    return TDM_OK;
}

static enum tdm_err next(struct tdm_video_source *s, struct tdm_picture *pic,
                         struct tdm_cause *cause)
{
    (void)cause;
    if (tdm_wait_until(s->due, s->wake_fd, -1) == TDM_WAIT_WAKE)
        return TDM_E_AGAIN;
    tdm_time now = tdm_clock_now();

    /* Late by more than a period (or the first): the old deadlines are skipped. */
    s->due = now - s->due > s->period ? now + s->period : s->due + s->period;
    pan(s);
    tdm_time_code_draw(&s->pic, now);
    s->pic.captured = now;
    s->pic.frame_id = s->frame_id++;
    *pic = s->pic;
    return TDM_OK;
}

const struct tdm_video_source_ops tdm_pattern_source = {
    .kind = "pattern",
    .create = create,
    .destroy = destroy,
    .next = next,
};
