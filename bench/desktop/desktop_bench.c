/* SPDX-License-Identifier: MIT */

/*
 * What the desktop as a device costs by itself: from another program's draw to its pixels in our
 * frame, by hints and by looking; a whole screen; the processor's time when nothing happens.
 *
 *     DISPLAY=:1 desktop_bench
 */

#include "bench/blackbox/series.h"
#include "desktop/desktop.h"
#include "engine/base/rng.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <stdio.h>
#include <stdlib.h>
#include <xcb/xcb.h>

#define TURNS 200
#define STILL (3 * TDM_S)

struct bench {
    const struct tdm_desktop_ops *ops;
    struct tdm_desktop *desktop;
    struct tdm_desktop_out out;
    xcb_connection_t *c;
    xcb_window_t root;
    xcb_gcontext_t gc;
    uint8_t *frame;
    ptrdiff_t stride;
    struct tdm_series series;
};

static void must(enum tdm_err err, const struct tdm_cause *cause)
{
    if (!err)
        return;
    (void)fprintf(stderr, "desktop_bench: %s\n", cause->text);
    exit(1);
}

static const struct tdm_desktop_surface *surface_of(struct bench *b)
{
    const struct tdm_desktop_surface *surface;

    (void)b->ops->surfaces(b->desktop, &surface);
    return surface;
}

/* One step, and what it tells is taken. */
static void follow(struct bench *b)
{
    struct tdm_cause cause = {""};

    must(b->ops->step(b->desktop, tdm_clock_now(), &b->out, &cause), &cause);
    for (size_t i = 0; i < b->out.dirty_count; i++)
        must(b->ops->grab(b->desktop, surface_of(b), b->out.dirty[i].rect, b->frame, b->stride,
                          &cause),
             &cause);
}

static void wait_and_follow(struct bench *b, tdm_time limit)
{
    (void)tdm_wait_until(tdm_time_min(b->out.wake_at, limit), -1, b->ops->fd(b->desktop));
    follow(b);
}

static void open_bench(struct bench *b, bool distrust)
{
    struct tdm_desktop_config config = {.distrust_hints = distrust};
    struct tdm_cause cause = {""};

    b->ops = tdm_desktop_find("x11", &config.argument, &cause);
    must(b->ops->open(&config, &b->desktop, &cause), &cause);
    b->stride = (ptrdiff_t)surface_of(b)->area.width * 4;
    b->frame = calloc((size_t)surface_of(b)->area.height, (size_t)b->stride);
    if (!b->frame || !tdm_series_init(&b->series, TURNS))
        exit(1);
    follow(b);
}

static void close_bench(struct bench *b)
{
    b->ops->close(b->desktop);
    free(b->frame);
    tdm_series_fini(&b->series);
}

static void print(struct bench *b, const char *what)
{
    tdm_series_sort(&b->series);
    (void)printf("{\"what\": \"%s\", \"count\": %zu, \"p50_ms\": %.3f, \"p95_ms\": %.3f, "
                 "\"max_ms\": %.3f}\n",
                 what, b->series.count, tdm_series_at(&b->series, 0.5),
                 tdm_series_at(&b->series, 0.95), tdm_series_at(&b->series, 1));
    b->series.count = 0;
}

/* A glyph's area gets another colour, which has to be seen in our frame. */
static void draw_to_pixels(struct bench *b, const char *what, int turns, uint32_t first_colour)
{
    struct tdm_rng rng = tdm_rng_of(1);

    for (int i = 0; i < turns; i++) {
        const xcb_rectangle_t cell = {(int16_t)(i % 60 * 8), (int16_t)(i / 60 * 16), 8, 16};
        const uint32_t colour = first_colour + 0x010203u * (uint32_t)(i % 50 + 1);
        tdm_time pause = tdm_clock_now() + 5 * TDM_MS + (tdm_time)(tdm_rng_unit(&rng) * 2e7);

        while (tdm_clock_now() < pause)
            wait_and_follow(b, pause);
        tdm_time drawn = tdm_clock_now();

        xcb_change_gc(b->c, b->gc, XCB_GC_FOREGROUND, &colour);
        xcb_poly_fill_rectangle(b->c, b->root, b->gc, 1, &cell);
        xcb_flush(b->c);
        const uint32_t *pixel =
            (const uint32_t *)(const void *)(b->frame + cell.y * b->stride) + cell.x;

        while (*pixel != colour && tdm_clock_now() < drawn + 5 * TDM_S)
            wait_and_follow(b, TDM_NEVER);
        tdm_series_push(&b->series, (double)(tdm_clock_now() - drawn) / 1e6);
    }
    print(b, what);
}

static void whole_screen(struct bench *b)
{
    struct tdm_rect all = surface_of(b)->area;
    struct tdm_cause cause = {""};

    all.x = all.y = 0;
    for (int i = 0; i < TURNS; i++) {
        tdm_time from = tdm_clock_now();

        must(b->ops->grab(b->desktop, surface_of(b), all, b->frame, b->stride, &cause), &cause);
        tdm_series_push(&b->series, (double)(tdm_clock_now() - from) / 1e6);
    }
    print(b, "whole screen");
}

static void idle(struct bench *b, const char *what)
{
    tdm_time user, until = tdm_clock_now() + STILL, before = tdm_clock_thread_cpu(&user);
    int wakes = 0;

    for (; tdm_clock_now() < until; wakes++)
        wait_and_follow(b, until);
    (void)printf("{\"what\": \"%s\", \"cpu_percent\": %.2f, \"wakes_s\": %.1f}\n", what,
                 (double)(tdm_clock_thread_cpu(&user) - before) * 100 / (double)STILL,
                 wakes / ((double)STILL / 1e9));
}

int main(void)
{
    struct bench b = {.c = xcb_connect(NULL, NULL)};

    if (xcb_connection_has_error(b.c)) {
        (void)fprintf(stderr, "desktop_bench: set DISPLAY\n");
        return 1;
    }
    b.root = xcb_setup_roots_iterator(xcb_get_setup(b.c)).data->root;
    b.gc = xcb_generate_id(b.c);
    xcb_create_gc(b.c, b.gc, b.root, 0, NULL);
    open_bench(&b, false);
    draw_to_pixels(&b, "draw to pixels, hints", TURNS, 0);
    whole_screen(&b);
    idle(&b, "still, hints");
    close_bench(&b);
    open_bench(&b, true);
    draw_to_pixels(&b, "draw to pixels, looking", TURNS / 2, 0x400000);
    idle(&b, "still, looking");
    close_bench(&b);
    xcb_disconnect(b.c);
    return 0;
}
