/* SPDX-License-Identifier: MIT */

/* The window in a private Xvfb: what is on the screen is read back and compared. Without Xvfb the
 * dummy driver and the failures remain. */

#include "render/sink.h"

#include "engine/base/time_code.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "tests/unit/x_server.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
/* After the four headers that it needs. */
#include <cmocka.h>

/* The libraries below are not built with the thread sanitizer. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libfontconfig\nrace:libglib\nrace:libpango\nrace:libdbus\n";
}

/* What they keep until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libSDL2\nleak:libfontconfig\nleak:libdbus\nleak:libpango\nleak:libX11\n";
}

#define WIDTH  640
#define HEIGHT 360

struct seen {
    atomic_int presented, keys, last_key, closed;
    _Atomic int64_t coded;
    int fd;
};

static struct x_server server;
static bool have_x;

static void on_presented(void *arg, const struct tdm_frame_trace *trace,
                         const struct tdm_picture *pic)
{
    struct seen *seen = arg;
    tdm_time coded = -1;

    (void)tdm_time_code_read(pic, &coded);
    if (trace->at[TDM_STAGE_PRESENTED] > tdm_clock_now())
        coded = -2;
    atomic_store(&seen->coded, coded);
    atomic_fetch_add(&seen->presented, 1);
    tdm_wake_signal(seen->fd);
}

static void on_key(void *arg, int key)
{
    struct seen *seen = arg;

    atomic_store(&seen->last_key, key);
    atomic_fetch_add(&seen->keys, 1);
    tdm_wake_signal(seen->fd);
}

static void on_closed(void *arg)
{
    struct seen *seen = arg;

    atomic_fetch_add(&seen->closed, 1);
    tdm_wake_signal(seen->fd);
}

/* Waits, event by event, until the count is there. */
static void wait_count(struct seen *seen, atomic_int *count, int wanted)
{
    tdm_time deadline = tdm_clock_now() + 10 * TDM_S;

    while (atomic_load(count) < wanted) {
        assert_int_not_equal(tdm_wait_until(deadline, seen->fd, -1), TDM_WAIT_TIME);
        tdm_wake_clear(seen->fd);
    }
}

static const struct tdm_video_sink_ops *window_ops(void)
{
    const char *rest;

    return tdm_video_sink_find("window", &rest, NULL);
}

static enum tdm_err open_window(struct seen *seen, struct tdm_video_sink **sink,
                                struct tdm_cause *cause)
{
    const struct tdm_video_sink_config config = {
        .argument = "Test",
        .width = WIDTH,
        .height = HEIGHT,
        .events = {.arg = seen, .presented = on_presented, .key = on_key, .closed = on_closed},
    };

    return window_ops()->create(&config, sink, cause);
}

static void show(struct tdm_video_sink *sink, int width, int height, uint8_t y, uint8_t u,
                 uint8_t v, tdm_time t)
{
    uint8_t *storage = malloc(tdm_picture_bytes(width, height));
    struct tdm_picture pic;
    struct tdm_frame_trace trace = tdm_frame_trace_none();

    tdm_picture_over(&pic, storage, width, height);
    tdm_picture_fill(&pic, y, u, v);
    if (t)
        tdm_time_code_draw(&pic, t);
    window_ops()->show(sink, &pic, &trace);
    free(storage);
}

static XImage *grab(Display *display, Window window)
{
    XWindowAttributes a;

    XGetWindowAttributes(display, window, &a);
    return XGetImage(display, window, 0, 0, (unsigned)a.width, (unsigned)a.height, AllPlanes,
                     ZPixmap);
}

static Window find_window(Display *display)
{
    Window root, parent, *children = NULL, found = 0;
    unsigned count = 0;

    XQueryTree(display, DefaultRootWindow(display), &root, &parent, &children, &count);
    for (unsigned i = 0; i < count; i++) {
        char *name = NULL;

        if (XFetchName(display, children[i], &name) && name && !strcmp(name, "Test"))
            found = children[i];
        if (name)
            XFree(name);
    }
    if (children)
        XFree(children);
    return found;
}

static void assert_colour(XImage *image, int x, int y, int r, int g, int b)
{
    unsigned long pixel = XGetPixel(image, x, y);

    assert_in_range((pixel >> 16 & 255) + 12, r, r + 24);
    assert_in_range((pixel >> 8 & 255) + 12, g, g + 24);
    assert_in_range((pixel & 255) + 12, b, b + 24);
}

static tdm_time read_code(XImage *image)
{
    struct tdm_picture pic;
    static uint8_t storage[WIDTH * HEIGHT * 3 / 2];
    tdm_time t = -1;

    tdm_picture_over(&pic, storage, WIDTH, HEIGHT);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            storage[y * WIDTH + x] = (uint8_t)(XGetPixel(image, x, y) >> 8 & 255);
    (void)tdm_time_code_read(&pic, &t);
    return t;
}

/* A window, and the eyes on its screen. */
struct view {
    struct seen seen;
    struct tdm_video_sink *sink;
    Display *display;
};

static void open_view(struct view *v)
{
    *v = (struct view){.seen = {.fd = tdm_wake_open(NULL)}, .display = XOpenDisplay(NULL)};
    assert_non_null(v->display);
    assert_int_equal(open_window(&v->seen, &v->sink, NULL), TDM_OK);
}

static void close_view(struct view *v)
{
    window_ops()->destroy(v->sink);
    XCloseDisplay(v->display);
    (void)close(v->seen.fd);
}

static void pictures_reach_the_screen(void **state)
{
    (void)state;
    if (!have_x)
        skip();
    struct view v;

    open_view(&v);
    for (int i = 1; i <= 20; i++) {
        show(v.sink, WIDTH, HEIGHT, 81, 90, 240, i * TDM_S); /* Red. */
        wait_count(&v.seen, &v.seen.presented, i);
        assert_int_equal(atomic_load(&v.seen.coded), i * TDM_S);
        /* At once: what `presented` said is on the server's screen. */
        XImage *image = grab(v.display, find_window(v.display));

        assert_int_equal(read_code(image), i * TDM_S);
        assert_colour(image, 320, 200, 254, 0, 0);
        XDestroyImage(image);
    }
    close_view(&v);
}

static void keeps_aspect_own_picture_and_overlay(void **state)
{
    (void)state;
    if (!have_x)
        skip();
    struct view v;
    uint8_t *storage = malloc(tdm_picture_bytes(320, 240));
    struct tdm_picture self;

    open_view(&v);
    tdm_picture_over(&self, storage, 320, 240);
    tdm_picture_fill(&self, 41, 240, 110); /* Blue. */
    window_ops()->show_self(v.sink, &self);
    window_ops()->set_overlay(v.sink, "rtt 12 ms\nloss 0 %\nvideo 1.2 Mb/s, audio 32 kb/s");
    show(v.sink, 360, 360, 145, 54, 34, 0); /* Green, square: bars of 140 at the sides. */
    wait_count(&v.seen, &v.seen.presented, 1);
    show(v.sink, 360, 360, 145, 54, 34, 0);
    wait_count(&v.seen, &v.seen.presented, 2);
    XImage *image = grab(v.display, find_window(v.display));

    assert_colour(image, 10, 100, 0, 0, 0);
    assert_colour(image, 135, 100, 0, 0, 0);
    assert_colour(image, 145, 100, 0, 254, 0);
    assert_colour(image, 495, 100, 0, 254, 0);
    assert_colour(image, 630, 100, 0, 0, 0);
    assert_colour(image, 640 - 12 - 20, 360 - 12 - 20, 0, 0, 254); /* Own picture, 160x120. */
    int bright = 0, dimmed = 0;

    for (int y = 280; y < 348; y++)
        for (int x = 12; x < 180; x++) {
            unsigned long green = XGetPixel(image, x, y) >> 8 & 255;

            bright += green > 230 && (XGetPixel(image, x, y) & 255) > 200;
            dimmed += x > 145 && green > 60 && green < 140;
        }
    assert_in_range(bright, 80, 6000);   /* Letters. */
    assert_in_range(dimmed, 300, 20000); /* Green through the box. */
    XDestroyImage(image);
    window_ops()->set_overlay(v.sink, "");
    show(v.sink, 1280, 720, 145, 54, 34, 0);
    wait_count(&v.seen, &v.seen.presented, 3);
    image = grab(v.display, find_window(v.display));
    assert_colour(image, 20, 340, 0, 254, 0);
    XDestroyImage(image);
    close_view(&v);
    free(storage);
}

static void send_key(Display *display, Window window, KeySym sym)
{
    XEvent event = {0};

    event.xkey = (XKeyEvent){.type = KeyPress,
                             .display = display,
                             .window = window,
                             .root = DefaultRootWindow(display),
                             .keycode = XKeysymToKeycode(display, sym),
                             .same_screen = True};
    XSendEvent(display, window, True, KeyPressMask, &event);
    event.xkey.type = KeyRelease;
    XSendEvent(display, window, True, KeyReleaseMask, &event);
    XFlush(display);
}

static void keys_resize_and_close_are_told(void **state)
{
    (void)state;
    if (!have_x)
        skip();
    struct view v;

    open_view(&v);
    show(v.sink, WIDTH, HEIGHT, 81, 90, 240, 0);
    wait_count(&v.seen, &v.seen.presented, 1);
    Window window = find_window(v.display);

    send_key(v.display, window, XK_Escape);
    wait_count(&v.seen, &v.seen.keys, 1);
    assert_int_equal(atomic_load(&v.seen.last_key), TDM_KEY_ESCAPE);
    send_key(v.display, window, XK_F11);
    wait_count(&v.seen, &v.seen.keys, 2);
    assert_int_equal(atomic_load(&v.seen.last_key), TDM_KEY_F11);
    send_key(v.display, window, XK_s);
    wait_count(&v.seen, &v.seen.keys, 3);
    assert_int_equal(atomic_load(&v.seen.last_key), 's');

    XResizeWindow(v.display, window, 700, 560);
    XSync(v.display, False);
    for (int i = 2; i < 8; i++) {
        show(v.sink, WIDTH, HEIGHT, 81, 90, 240, 0);
        wait_count(&v.seen, &v.seen.presented, i);
    }
    XImage *image = grab(v.display, window);

    assert_int_equal(image->width, 700);
    assert_colour(image, 400, 20, 0, 0, 0);
    assert_colour(image, 350, 300, 254, 0, 0);
    assert_colour(image, 690, 300, 254, 0, 0);
    XDestroyImage(image);

    window_ops()->set_fullscreen(v.sink, true);
    show(v.sink, WIDTH, HEIGHT, 81, 90, 240, 0);
    wait_count(&v.seen, &v.seen.presented, 8);

    XEvent event = {0};

    event.xclient =
        (XClientMessageEvent){.type = ClientMessage,
                              .window = window,
                              .message_type = XInternAtom(v.display, "WM_PROTOCOLS", False),
                              .format = 32};
    event.xclient.data.l[0] = (long)XInternAtom(v.display, "WM_DELETE_WINDOW", False);
    XSendEvent(v.display, window, False, NoEventMask, &event);
    XFlush(v.display);
    wait_count(&v.seen, &v.seen.closed, 1);
    close_view(&v);
}

static void one_window_at_a_time(void **state)
{
    (void)state;
    if (!have_x)
        skip();
    struct seen seen = {.fd = tdm_wake_open(NULL)};
    struct tdm_video_sink *sink = NULL, *second = NULL;
    struct tdm_cause cause;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(open_window(&seen, &sink, NULL), TDM_OK);
        assert_int_equal(open_window(&seen, &second, &cause), TDM_E_UNSUPPORTED);
        assert_non_null(strstr(cause.text, "has a window already"));
        window_ops()->destroy(sink);
    }
    (void)close(seen.fd);
}

static void no_display_is_explained(void **state)
{
    (void)state;
    struct seen seen = {.fd = -1};
    struct tdm_video_sink *sink = NULL;
    struct tdm_cause cause;
    const char *display = getenv("DISPLAY");
    char kept[64];

    (void)snprintf(kept, sizeof kept, "%s", display ? display : "");
    (void)unsetenv("DISPLAY");
    assert_int_equal(open_window(&seen, &sink, &cause), TDM_E_GONE);
    assert_string_equal(cause.text, "no display: set DISPLAY, or use --sink off");
    (void)setenv("DISPLAY", ":987654", 1);
    assert_int_equal(open_window(&seen, &sink, &cause), TDM_E_GONE);
    assert_string_equal(cause.text,
                        "cannot open display \":987654\": check DISPLAY, or use --sink off");
    if (*kept)
        (void)setenv("DISPLAY", kept, 1);
    else
        (void)unsetenv("DISPLAY");
}

static void the_dummy_driver_presents(void **state)
{
    (void)state;
    struct seen seen = {.fd = tdm_wake_open(NULL)};
    struct tdm_video_sink *sink = NULL;

    (void)setenv("SDL_VIDEODRIVER", "dummy", 1);
    assert_int_equal(open_window(&seen, &sink, NULL), TDM_OK);
    window_ops()->set_overlay(sink, "text");
    window_ops()->set_fullscreen(sink, true);
    for (int i = 1; i < 5; i++) {
        show(sink, WIDTH, HEIGHT, 81, 90, 240, i * TDM_S);
        wait_count(&seen, &seen.presented, i);
        assert_int_equal(atomic_load(&seen.coded), i * TDM_S);
    }
    window_ops()->destroy(sink);
    (void)unsetenv("SDL_VIDEODRIVER");
    (void)close(seen.fd);
}

/* Runs last: it takes the X server away. */
static void a_display_that_goes_away_is_told(void **state)
{
    (void)state;
    if (!have_x)
        skip();
    struct seen seen = {.fd = tdm_wake_open(NULL)};
    struct tdm_video_sink *sink = NULL;

    assert_int_equal(open_window(&seen, &sink, NULL), TDM_OK);
    show(sink, WIDTH, HEIGHT, 81, 90, 240, 0);
    wait_count(&seen, &seen.presented, 1);
    x_server_stop(&server);
    wait_count(&seen, &seen.closed, 1);
    show(sink, WIDTH, HEIGHT, 81, 90, 240, 0);
    window_ops()->destroy(sink);
    (void)close(seen.fd);
}

static int set_up(void **state)
{
    (void)state;
    have_x = x_server_start(&server, "1280x800x24");
    if (have_x)
        (void)setenv("DISPLAY", server.display, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    x_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_reach_the_screen),
        cmocka_unit_test(keeps_aspect_own_picture_and_overlay),
        cmocka_unit_test(keys_resize_and_close_are_told),
        cmocka_unit_test(one_window_at_a_time),
        cmocka_unit_test(no_display_is_explained),
        cmocka_unit_test(the_dummy_driver_presents),
        cmocka_unit_test(a_display_that_goes_away_is_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
