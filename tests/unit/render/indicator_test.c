/* SPDX-License-Identifier: MIT */
#include "render/indicator.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "tests/unit/x_server.h"

#include <X11/Xlib.h>
#include <X11/extensions/Xrandr.h>
#include <setjmp.h>
#include <stdarg.h>
/* After the four headers that it needs. */
#include <cmocka.h>

/* The libraries below are not built with the thread sanitizer. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libfontconfig\nrace:libglib\nrace:libpango\nmutex:libX11\n";
}

/* What they keep until the process ends, and what a lost display leaves. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libpango\nleak:libX11\n";
}

#define PATIENCE (30 * TDM_S)

static struct x_server server;
static struct tdm_indicator *indicator;
static Display *display;

/* The window that lies on top at a point of the screen. */
static Window top_at(int x, int y)
{
    Window root = DefaultRootWindow(display), child = None;
    int unused;

    (void)XTranslateCoordinates(display, root, root, x, y, &unused, &unused, &child);
    return child;
}

/* Until somebody (None: nobody) lies there; the indicator has a connection of its own. */
static void wait_for_top(int x, int y, bool nobody)
{
    tdm_time end = tdm_clock_now() + PATIENCE;

    while ((top_at(x, y) == None) != nobody)
        assert_true(tdm_clock_now() < end);
}

static enum tdm_indicator_said step_for(tdm_time most)
{
    tdm_time end = tdm_clock_now() + most;
    enum tdm_indicator_said said = TDM_INDICATOR_NOTHING;

    while (said == TDM_INDICATOR_NOTHING && tdm_clock_now() < end) {
        tdm_time wake = tdm_time_min(end, tdm_indicator_wake(indicator));

        (void)tdm_wait_until(tdm_time_min(wake, tdm_clock_now() + 20 * TDM_MS), -1,
                             tdm_indicator_fd(indicator));
        said = tdm_indicator_step(indicator, tdm_clock_now());
    }
    return said;
}

static int start(void **state)
{
    struct tdm_cause cause;

    (void)state;
    if (!x_server_start(&server, "640x480x24")) {
        printf("SKIP: needs Xvfb\n");
        exit(77);
    }
    assert_int_equal(tdm_indicator_create(&indicator, server.display, &cause), TDM_OK);
    display = XOpenDisplay(server.display);
    assert_non_null(display);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    (void)XCloseDisplay(display);
    tdm_indicator_destroy(indicator);
    x_server_stop(&server);
    return 0;
}

/* All of a long text is there: how it is ended stands last. */
static void test_long(void **state)
{
    (void)state;
    tdm_indicator_show(indicator, "Paul", true);
    int height = tdm_indicator_area(indicator).height;

    tdm_indicator_show(indicator,
                       "Paul sees your screen and may use: pointer, keyboard, clipboard-in, "
                       "clipboard-out, files, 14:59 left  |  click here or Ctrl+Alt+End ends it",
                       true);
    struct tdm_rect area = tdm_indicator_area(indicator);

    assert_true(area.height > height + 10);
    assert_true(area.x >= 0 && area.x + area.width <= 640);
    tdm_indicator_show(indicator, "", false);
    wait_for_top(area.x + 5, 5, true);
}

static void step_until_middle_is(int x, int y)
{
    tdm_time end = tdm_clock_now() + PATIENCE;
    struct tdm_rect area = tdm_indicator_area(indicator);

    while (abs(2 * area.x + area.width - 2 * x) > 1 || area.y != y) {
        assert_true(tdm_clock_now() < end);
        (void)step_for(20 * TDM_MS);
        area = tdm_indicator_area(indicator);
    }
    wait_for_top(x, y + 5, false);
}

/* Where the person works, also when that becomes another monitor. */
static void test_follows_the_primary_monitor(void **state)
{
    Window root = DefaultRootWindow(display);
    XRRMonitorInfo monitor = {.name = XInternAtom(display, "RIGHT", False),
                              .primary = True,
                              .x = 300,
                              .y = 40,
                              .width = 320,
                              .height = 400,
                              .mwidth = 100,
                              .mheight = 100};

    (void)state;
    tdm_indicator_show(indicator, "Paul sees your screen", false);
    step_until_middle_is(320, 0);
    XRRSetMonitor(display, root, &monitor);
    XSync(display, False);
    step_until_middle_is(460, 40);
    XRRDeleteMonitor(display, root, monitor.name);
    XSync(display, False);
    step_until_middle_is(320, 0);
    tdm_indicator_show(indicator, "", false);
    wait_for_top(320, 5, true);
}

/* Whatever is put over it: it comes to the front again. */
static void test_uncoverable(void **state)
{
    XSetWindowAttributes attributes = {.override_redirect = True};

    (void)state;
    assert_int_equal(top_at(320, 5), None);
    tdm_indicator_show(indicator, "Paul sees your screen", false);
    struct tdm_rect area = tdm_indicator_area(indicator);

    assert_true(area.width > 50 && area.height > 10 && area.y == 0);
    wait_for_top(area.x + 5, 5, false);
    Window bar = top_at(area.x + 5, 5);
    Window cover =
        XCreateWindow(display, DefaultRootWindow(display), 0, 0, 640, 100, 0, CopyFromParent,
                      InputOutput, CopyFromParent, CWOverrideRedirect, &attributes);

    for (int i = 0; i < 3; i++) {
        tdm_time end = tdm_clock_now() + PATIENCE;

        XMapRaised(display, cover);
        XSync(display, False);
        while (top_at(area.x + 5, 5) != bar) {
            assert_true(tdm_clock_now() < end);
            (void)step_for(20 * TDM_MS);
        }
    }
    XDestroyWindow(display, cover);
    tdm_indicator_show(indicator, "", false);
    wait_for_top(area.x + 5, 5, true);
    assert_int_equal(tdm_indicator_area(indicator).width, 0);
}

static void test_click(void **state)
{
    (void)state;
    tdm_indicator_show(indicator, "Paul may use: pointer, keyboard", true);
    struct tdm_rect area = tdm_indicator_area(indicator);

    assert_int_equal(step_for(50 * TDM_MS), TDM_INDICATOR_NOTHING);
    wait_for_top(area.x + 5, area.y + 5, false);
    Window bar = top_at(area.x + 5, area.y + 5);
    XEvent press = {.xbutton = {.type = ButtonPress,
                                .window = bar,
                                .root = DefaultRootWindow(display),
                                .button = 1,
                                .same_screen = True}};

    assert_int_not_equal(XSendEvent(display, bar, False, ButtonPressMask, &press), 0);
    XSync(display, False);
    assert_int_equal(step_for(PATIENCE), TDM_INDICATOR_CLICK);
}

static void test_points(void **state)
{
    tdm_time now = tdm_clock_now();

    (void)state;
    tdm_indicator_point(indicator, 300, 200, now + TDM_S);
    wait_for_top(310, 210, false);
    assert_int_equal(tdm_indicator_step(indicator, now + TDM_S), TDM_INDICATOR_NOTHING);
    wait_for_top(310, 210, true);
}

/* Without its sign nothing may be seen: who destroys it ends it all. */
static void test_destroyed(void **state)
{
    struct tdm_indicator *other = indicator;
    struct tdm_cause cause;

    (void)state;
    tdm_indicator_show(other, "", false);
    assert_int_equal(tdm_indicator_create(&indicator, server.display, &cause), TDM_OK);
    tdm_indicator_show(indicator, "Paul sees your screen", false);
    struct tdm_rect area = tdm_indicator_area(indicator);

    wait_for_top(area.x + 5, 5, false);
    XDestroyWindow(display, top_at(area.x + 5, 5));
    XSync(display, False);
    assert_int_equal(step_for(PATIENCE), TDM_INDICATOR_GONE);
    tdm_indicator_show(indicator, "Paul still sees your screen", true);
    assert_int_equal(step_for(PATIENCE), TDM_INDICATOR_GONE);
    tdm_indicator_destroy(indicator);
    indicator = other;
}

static void test_the_display_goes(void **state)
{
    (void)state;
    tdm_indicator_show(indicator, "Paul sees your screen", false);
    (void)XCloseDisplay(display);
    x_server_stop(&server);
    assert_int_equal(step_for(PATIENCE), TDM_INDICATOR_GONE);
    assert_true(x_server_start(&server, "640x480x24"));
    display = XOpenDisplay(server.display);
    assert_non_null(display);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_uncoverable),
        cmocka_unit_test(test_follows_the_primary_monitor),
        cmocka_unit_test(test_click),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_destroyed),
        cmocka_unit_test(test_the_display_goes),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
