/* SPDX-License-Identifier: MIT */

/*
 * The eye in front of the screen: looks at the time code on a display 500 times a second and says,
 * in one JSON object on stdout, how old each picture was when it first appeared, how old what is on
 * the glass is at any moment, and how many pictures a second were shown.
 */

#include "bench/blackbox/clock.h"
#include "bench/blackbox/options.h"
#include "bench/blackbox/series.h"
#include "bench/blackbox/strip.h"
#include "bench/blackbox/x_picture.h"

#include <stdio.h>
#include <sys/prctl.h>

struct sampler {
    struct tdm_x_picture picture;
    struct tdm_strip strip;
    int origin[2];
    double rate_hz;
};

struct result {
    struct tdm_series fresh_ms; /* Age of a picture when it first appeared. */
    struct tdm_series age_ms;   /* Age of what was shown at each sample. */
    double freeze_ms;           /* Longest time without a new picture. */
    size_t samples, unreadable, backwards;
    tdm_time began, ended;
};

static bool look(struct sampler *s, tdm_time *code)
{
    if (!XShmGetImage(s->picture.display, DefaultRootWindow(s->picture.display), s->picture.image,
                      s->origin[0], s->origin[1], AllPlanes))
        return false;
    return tdm_strip_read(&s->strip, (const uint8_t *)s->picture.image->data,
                          (size_t)s->picture.image->bytes_per_line, code);
}

/* True when a time code appeared and the warm-up after it has passed. */
static bool wait_for_picture(struct sampler *s, double wait_s, double warmup_s)
{
    tdm_time until = clock_now() + (tdm_time)(wait_s * (double)TDM_S);
    tdm_time code;

    for (tdm_time at = clock_now(); at < until; at += 20 * TDM_MS) {
        clock_sleep_until(at);
        if (look(s, &code)) {
            clock_sleep_until(clock_now() + (tdm_time)(warmup_s * (double)TDM_S));
            return true;
        }
    }
    return false;
}

static void take_sample(struct sampler *s, struct result *r, tdm_time *shown, tdm_time *shown_at)
{
    tdm_time code = 0;
    bool readable = look(s, &code);
    tdm_time now = clock_now();

    r->samples++;
    if (!readable) {
        r->unreadable++;
        return;
    }
    double age_ms = (double)(now - code) / (double)TDM_MS;
    tdm_series_push(&r->age_ms, age_ms);
    if (code == *shown)
        return;
    if (code < *shown)
        r->backwards++;
    if (*shown != 0) { /* The first one was on the glass before this run began. */
        tdm_series_push(&r->fresh_ms, age_ms);
        double gap_ms = (double)(now - *shown_at) / (double)TDM_MS;
        if (gap_ms > r->freeze_ms)
            r->freeze_ms = gap_ms;
    }
    *shown = code;
    *shown_at = now;
}

static bool measure(struct sampler *s, struct result *r, double seconds)
{
    size_t count = (size_t)(seconds * s->rate_hz);
    tdm_time shown = 0, shown_at = 0;

    if (!tdm_series_init(&r->fresh_ms, count) || !tdm_series_init(&r->age_ms, count))
        return false;
    r->began = shown_at = clock_now();
    for (size_t n = 0; n < count; n++) {
        tdm_time at = r->began + (tdm_time)((double)n * (double)TDM_S / s->rate_hz);
        if (clock_now() > at + 20 * TDM_MS)
            continue; /* The machine was away; do not sample in a burst afterwards. */
        clock_sleep_until(at);
        take_sample(s, r, &shown, &shown_at);
    }
    r->ended = clock_now();
    double last_gap_ms = (double)(r->ended - shown_at) / (double)TDM_MS;
    if (last_gap_ms > r->freeze_ms)
        r->freeze_ms = last_gap_ms;
    tdm_series_sort(&r->fresh_ms);
    tdm_series_sort(&r->age_ms);
    return true;
}

static void print(const struct result *r)
{
    double seconds = (double)(r->ended - r->began) / (double)TDM_S;

    printf("{\"pictures\": %zu, \"fps\": %.2f, \"p50_ms\": %.2f, \"p95_ms\": %.2f, "
           "\"p99_ms\": %.2f, \"max_ms\": %.2f, \"age_p50_ms\": %.2f, \"age_p95_ms\": %.2f, "
           "\"freeze_max_ms\": %.1f, \"samples\": %zu, \"unreadable\": %zu, \"backwards\": %zu}\n",
           r->fresh_ms.count, (double)r->fresh_ms.count / seconds, tdm_series_at(&r->fresh_ms, 0.5),
           tdm_series_at(&r->fresh_ms, 0.95), tdm_series_at(&r->fresh_ms, 0.99),
           tdm_series_at(&r->fresh_ms, 1), tdm_series_at(&r->age_ms, 0.5),
           tdm_series_at(&r->age_ms, 0.95), r->freeze_ms, r->samples, r->unreadable, r->backwards);
}

int main(int argc, char **argv)
{
    const char *name = NULL;
    int width_height[2] = {1280, 720};
    double wait_s = 10, warmup_s = 3, seconds = 12;
    struct sampler sampler = {.rate_hz = 500};
    const struct tdm_option options[] = {
        {"--display", "X display; else $DISPLAY", .text = &name},
        {"--origin", "where the picture begins on it, 0,0", .pair = sampler.origin},
        {"--size", "of the picture in pixels, 1280x720", .pair = width_height},
        {"--rate", "looks a second, 500", .number = &sampler.rate_hz},
        {"--wait", "seconds to wait for a first picture, 10", .number = &wait_s},
        {"--warmup", "seconds to let pass after it, 3", .number = &warmup_s},
        {"--seconds", "to measure, 12", .number = &seconds},
        {0},
    };
    tdm_options_read(argc, argv, options);

    struct result result = {0};
    Display *display = XOpenDisplay(name);
    if (!display) {
        fprintf(stderr, "glass_sampler: cannot open the display %s.\n", XDisplayName(name));
        return 1;
    }
    if (!tdm_strip_init(&sampler.strip, width_height[0])) {
        fprintf(stderr, "glass_sampler: no time code fits in a width of %d.\n", width_height[0]);
        return 1;
    }
    if (!tdm_x_picture_init(&sampler.picture, display, (uint32_t)sampler.strip.width,
                            (uint32_t)sampler.strip.rows))
        return 1;
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    if (!wait_for_picture(&sampler, wait_s, warmup_s)) {
        fprintf(stderr, "glass_sampler: no time code appeared in %.0f s.\n", wait_s);
        return 1;
    }
    if (!measure(&sampler, &result, seconds))
        return 1;
    print(&result);
    tdm_series_fini(&result.fresh_ms);
    tdm_series_fini(&result.age_ms);
    tdm_x_picture_fini(&sampler.picture);
    tdm_strip_fini(&sampler.strip);
    XCloseDisplay(display);
    return result.fresh_ms.count > 0 ? 0 : 1;
}
