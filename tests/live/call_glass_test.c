/* SPDX-License-Identifier: MIT */
/*
 * The sum of the stages against pixels as they were rendered: an eye of its own connection looks at
 * the window about 500 times a second, reads the time code off the glass, and a picture's age when
 * it first appears there must be the glass-to-glass time that the report gives for it.
 */
#include "tests/live/pair.h"

#include "bench/blackbox/strip.h"
#include "bench/blackbox/x_picture.h"
#include "engine/call.h"
#include "engine/io/clock.h"
#include "tests/unit/x_server.h"

#include <X11/Xlib.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* Coding, drawing and looking take ten times as long, each on its own: no more than this machine
 * can do in time, or the pictures would be made smaller (picture_steps.h). */
#define WIDTH    640
#define HEIGHT   360
#define FPS      10
#define AGREE_MS 25.0
#else
#define WIDTH    1280
#define HEIGHT   720
#define FPS      15 /* So that no encoder is short of time here. */
#define AGREE_MS 2.0
#endif
#define TEXT_(x)  #x
#define TEXT(x)   TEXT_(x)
#define SCREEN    TEXT(WIDTH) "x" TEXT(HEIGHT) "x24" /* So the window fills it. */
#define LOOK_EACH (2 * TDM_MS)
#define WATCH     (5 * TDM_S)
#define LOOKS_MAX ((size_t)(WATCH / LOOK_EACH))
#define SEEN_MAX  512 /* Three times what the sender makes in that time. */
#define SEEN_MIN  30

struct seen {
    tdm_time code, at; /* What stood there, and when it was first there. */
};

struct eye {
    struct x_server server;
    Display *display;
    Window window;
    struct tdm_x_picture picture;
    struct tdm_strip strip;
    struct seen seen[SEEN_MAX];
    uint32_t seen_count, looks, unreadable;
    double look_ms[LOOKS_MAX]; /* From one look to the next. */
};

static bool wide_enough(Display *display, Window window)
{
    XWindowAttributes is;

    return XGetWindowAttributes(display, window, &is) && is.map_state == IsViewable &&
           is.width == WIDTH && is.height == HEIGHT;
}

/* The only window of that size: the server is private and there is no window manager. */
static Window find_window(Display *display)
{
    Window root, parent, *children = NULL, found = 0;
    unsigned count = 0;

    if (!XQueryTree(display, DefaultRootWindow(display), &root, &parent, &children, &count))
        return 0;
    for (unsigned i = 0; i < count && !found; i++)
        found = wide_enough(display, children[i]) ? children[i] : 0;
    if (children)
        (void)XFree(children);
    return found;
}

static void eye_open(struct eye *eye)
{
    eye->display = XOpenDisplay(eye->server.display);
    assert_non_null(eye->display);
    for (int i = 0; i < 500 && !eye->window; i++) {
        eye->window = find_window(eye->display);
        (void)poll(NULL, 0, 20);
    }
    assert_int_not_equal(eye->window, 0);
    assert_true(tdm_strip_init(&eye->strip, WIDTH));
    assert_true(tdm_x_picture_init(&eye->picture, eye->display, (uint32_t)eye->strip.width,
                                   (uint32_t)eye->strip.rows));
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
}

static void eye_close(struct eye *eye)
{
    tdm_x_picture_fini(&eye->picture);
    tdm_strip_fini(&eye->strip);
    (void)XCloseDisplay(eye->display);
}

/* A code counts when it is new. */
static void eye_look(struct eye *eye)
{
    struct seen now;

    assert_true(XShmGetImage(eye->display, eye->window, eye->picture.image, 0, 0, AllPlanes));
    now.at = tdm_clock_now();
    if (!tdm_strip_read(&eye->strip, (const uint8_t *)eye->picture.image->data,
                        (size_t)eye->picture.image->bytes_per_line, &now.code)) {
        eye->unreadable++;
        return;
    }
    if (eye->seen_count && eye->seen[eye->seen_count - 1].code == now.code)
        return;
    assert_true(eye->seen_count < SEEN_MAX);
    eye->seen[eye->seen_count++] = now;
}

/* For a time, not for a number of looks: a sanitizer's look takes several times as long. */
static void eye_watch(struct eye *eye)
{
    tdm_time before = tdm_clock_now(), end = before + WATCH;

    for (eye->looks = 0; eye->looks < LOOKS_MAX && before < end; eye->looks++) {
        tdm_time now = tdm_clock_now();
        struct timespec rest = {.tv_nsec = LOOK_EACH - (now - before)};

        if (now - before < LOOK_EACH)
            (void)nanosleep(&rest, NULL);
        now = tdm_clock_now();
        eye->look_ms[eye->looks] = (double)(now - before) / 1e6;
        before = now;
        eye_look(eye);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, uint32_t count)
{
    assert_true(count > 0);
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static const struct tdm_video_trace *trace_of(const struct tdm_latency *l, tdm_time code)
{
    for (uint64_t i = 0; i < l->video_kept && i < TDM_LATENCY_KEPT; i++)
        if (l->videos[i].pixel_captured == code)
            return &l->videos[i];
    return NULL;
}

/* Picture by picture, and the report's own median. The first one was there before we looked. */
static void compare(struct eye *eye, const struct tandem_call *call)
{
    static double age[SEEN_MAX], late[SEEN_MAX], summed[SEEN_MAX];
    struct tandem_stats stats;
    uint32_t count = 0;

    assert_int_equal(tandem_call_stats((struct tandem_call *)(uintptr_t)call, &stats), TANDEM_OK);
    for (uint32_t i = 1; i < eye->seen_count; i++) {
        const struct tdm_video_trace *t = trace_of(&call->latency, eye->seen[i].code);

        if (!t || t->trace.at[TDM_STAGE_CAPTURED] == TDM_NEVER)
            continue;
        age[count] = (double)(eye->seen[i].at - eye->seen[i].code) / 1e6;
        late[count] = (double)(eye->seen[i].at - t->trace.at[TDM_STAGE_PRESENTED]) / 1e6;
        summed[count] =
            (double)(t->trace.at[TDM_STAGE_PRESENTED] - t->trace.at[TDM_STAGE_CAPTURED]) / 1e6;
        count++;
    }
    double every = median(eye->look_ms, eye->looks);

    assert_true(count >= SEEN_MIN);
    double seen_age = median(age, count), reported = median(summed, count);
    double apart = median(late, count);

    print_message(
        "  %u pictures: age on the glass %.2f ms, stages' sum %.2f, report %.2f; seen %.2f"
        " ms behind \"presented\"; a look each %.2f ms\n",
        count, seen_age, reported, stats.glass_to_glass.p50, apart, every);
    assert_true(eye->unreadable * 10 < eye->looks);
    assert_true(fabs(seen_age - reported) <= AGREE_MS + every);
    assert_true(fabs(seen_age - stats.glass_to_glass.p50) <= AGREE_MS + every);
    assert_true(fabs(apart) <= AGREE_MS + every);
}

static void the_sum_is_what_the_glass_shows(const char *codec)
{
    static struct eye eye;
    struct tandem_media sends = pair_media, shows = pair_media;
    struct pair p;

    eye = (struct eye){.seen_count = 0};
    if (!x_server_start(&eye.server, SCREEN))
        skip();
    (void)setenv("DISPLAY", eye.server.display, 1);
    (void)setenv("SDL_VIDEODRIVER", "x11", 1);
    sends.width = shows.width = WIDTH; /* Of the window, too. */
    sends.height = shows.height = HEIGHT;
    sends.video_bps = 2000000;
    sends.fps = FPS;
    shows.fps = 10; /* The own picture in the corner. */
    sends.video_codecs = shows.video_codecs = codec;
    shows.video_sink = "window";
    pair_start(&p, &sends, &shows);
    (void)side_until(&p.b, shown_at_least, 30, "pictures");
    eye_open(&eye);
    eye_watch(&eye);
    pair_hang_up(&p);
    compare(&eye, p.b.call);
    eye_close(&eye);
    pair_close(&p);
    x_server_stop(&eye.server);
}

static void h264(void **state)
{
    (void)state;
    the_sum_is_what_the_glass_shows("h264");
}

static void vp8(void **state)
{
    (void)state;
    the_sum_is_what_the_glass_shows("vp8");
}

static void vp9(void **state)
{
    (void)state;
    the_sum_is_what_the_glass_shows("vp9");
}

static void av1(void **state)
{
    (void)state;
    if (!strstr(tandem_video_codecs(), "av1"))
        skip();
    the_sum_is_what_the_glass_shows("av1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h264),
        cmocka_unit_test(vp8),
        cmocka_unit_test(vp9),
        cmocka_unit_test(av1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
