/* SPDX-License-Identifier: MIT */
/*
 * What is shared goes away or changes: a window that closes, a monitor that gets another size, a
 * display that ends. It is said at both sides, and the call goes on.
 */
#include "tests/live/sharer.h"
#include "tests/unit/x_server.h"

#include <X11/Xlib.h>
#include <X11/extensions/Xrandr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct x_server x;
static Display *display;
static char desktop[32];

static int start_display(void **state)
{
    (void)state;
    if (!x_server_start(&x, "640x480x24")) {
        printf("SKIP: needs Xvfb\n");
        exit(77);
    }
    (void)XInitThreads(); /* The engine has threads of its own with Xlib. */
    display = XOpenDisplay(x.display);
    (void)snprintf(desktop, sizeof desktop, "x11%s", x.display);
    return display ? 0 : -1;
}

static int stop_display(void **state)
{
    (void)state;
    if (display)
        (void)XCloseDisplay(display);
    x_server_stop(&x);
    return 0;
}

static void notice(struct sharer *s, const char *part)
{
    const struct tandem_share_event *e;

    do
        e = sharer_next(s, TANDEM_SHARE_NOTICE);
    while (!strstr(e->text, part));
}

/* The viewer's newest picture has this size and, if a colour is named, is all of it. */
static void until_shown(int width, int height, int64_t colour)
{
    static struct tandem_share_picture picture;
    int64_t until = sharer_now_ms() + 30000;
    bool good = false;

    while (!good) {
        if (tandem_share_picture(viewer.share, 0, &picture) == TANDEM_OK) {
            good = picture.width == width && picture.height == height && picture.exact;
            if (good && colour >= 0)
                good = picture.pixels[0] == (uint32_t)colour &&
                       picture.pixels[picture.stride / 4 * 20 + 20] == (uint32_t)colour;
            tandem_share_picture_done(viewer.share);
        }
        if (!good && sharer_now_ms() > until)
            fail_msg("no picture of %dx%d", width, height);
        if (!good)
            sharers_wait();
    }
}

static Window make_window(unsigned long colour)
{
    Window w =
        XCreateSimpleWindow(display, DefaultRootWindow(display), 40, 60, 200, 150, 0, 0, colour);

    (void)XMapWindow(display, w);
    (void)XSync(display, False);
    return w;
}

static void test_window_closes(void **state)
{
    Window w = make_window(0x3060a0);
    char what[32];

    (void)state;
    (void)snprintf(what, sizeof what, "window:%lu", w);
    sharers_start(desktop, &(struct tandem_share_offer){.what = what, .unasked_view = true});
    (void)sharer_next(&viewer, TANDEM_SHARE_SHOWN);
    until_shown(200, 150, 0x3060a0);
    (void)XDestroyWindow(display, w);
    (void)XSync(display, False);
    notice(&host, "not there any more");
    assert_int_equal(side_count(&sharers.a, TANDEM_EVENT_ENDED), 0);
    tandem_share_end(host.share);
    (void)sharer_next(&viewer, TANDEM_SHARE_HIDDEN);
    /* Something else can be shown in the same call. */
    w = make_window(0xa06030);
    (void)snprintf(what, sizeof what, "window:%lu", w);
    assert_int_equal(
        tandem_share_give(host.share,
                          &(struct tandem_share_offer){.what = what, .unasked_view = true}, NULL),
        TANDEM_OK);
    until_shown(200, 150, 0xa06030);
    sharers_stop();
}

/* Waits until the viewer has so many monitors, one of them of this size. */
static void until_monitors(int count, int width, int height)
{
    struct tandem_share_surface list[TANDEM_SHARE_SURFACES_MAX];
    int64_t until = sharer_now_ms() + 30000;

    for (;;) {
        int seen = tandem_share_surfaces(viewer.share, list);
        bool found = false;

        for (int i = 0; i < seen; i++)
            found |= list[i].width == width && list[i].height == height;
        if (seen == count && found)
            return;
        if (sharer_now_ms() > until)
            fail_msg("%d monitors, not %d with one of %dx%d", seen, count, width, height);
        sharers_wait();
    }
}

/* A monitor comes, goes, and comes again with another size. */
static void test_monitors(void **state)
{
    Window root = DefaultRootWindow(display);
    XRRMonitorInfo monitor = {.name = XInternAtom(display, "RIGHT", False),
                              .x = 300,
                              .y = 40,
                              .width = 320,
                              .height = 400,
                              .mwidth = 100,
                              .mheight = 100};

    (void)state;
    sharers_start(desktop, &(struct tandem_share_offer){.unasked_view = true});
    until_shown(640, 480, -1);
    XRRSetMonitor(display, root, &monitor);
    (void)XSync(display, False);
    until_monitors(2, 320, 400);
    XRRDeleteMonitor(display, root, monitor.name);
    (void)XSync(display, False);
    until_monitors(1, 640, 480);
    monitor.width = 200;
    XRRSetMonitor(display, root, &monitor);
    (void)XSync(display, False);
    until_monitors(2, 200, 400);
    XRRDeleteMonitor(display, root, monitor.name);
    (void)XSync(display, False);
    until_monitors(1, 640, 480);
    (void)make_window(0x208040); /* Something new to see on what is left. */
    until_shown(640, 480, -1);
    assert_int_equal(side_count(&sharers.a, TANDEM_EVENT_ENDED), 0);
    sharers_stop();
}

static void test_display_ends(void **state)
{
    (void)state;
    sharers_start(desktop, &(struct tandem_share_offer){.unasked_view = true});
    (void)sharer_next(&viewer, TANDEM_SHARE_SHOWN);
    until_shown(640, 480, -1);
    (void)XCloseDisplay(display);
    display = NULL;
    x_server_stop(&x);
    (void)sharer_next(&viewer, TANDEM_SHARE_HIDDEN);
    notice(&host, "display");
    assert_int_equal(side_count(&sharers.a, TANDEM_EVENT_ENDED), 0);
    assert_int_equal(side_count(&sharers.b, TANDEM_EVENT_ENDED), 0);
    sharers_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_window_closes, start_display, stop_display),
        cmocka_unit_test_setup_teardown(test_monitors, start_display, stop_display),
        cmocka_unit_test_setup_teardown(test_display_ends, start_display, stop_display),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
