/* SPDX-License-Identifier: MIT */
#include "render/screen_window.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "tests/unit/x_server.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
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
    return "race:libfontconfig\nrace:libglib\nrace:libpango\nrace:libcairo\nmutex:libX11\n"
           "deadlock:libcairo\n"; /* The window is closed after its thread has ended. */
}

/* What they keep until the process ends; cairo's share of a display whose server is gone is freed
 * by closing it, which Xlib does not survive then. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libpango\nleak:libX11\nleak:libcairo\n";
}

#define PATIENCE (30 * TDM_S)
#define SIDE     64
#define TITLE    "what a stranger shows"
#define GREY     0x808080

/* A host that shows a small surface, and some of sizes that no display can hold. */
static const struct tdm_screen_surface shown[] = {
    {.id = 1, .width = SIDE, .height = SIDE, .name = "small"},
    {.id = 2, .y = SIDE, .width = 16384, .height = 16384, .name = "beyond what is copied"},
    {.id = 3, .y = SIDE + 16384, .width = 40000, .height = 16, .name = "beyond what X allows"},
};

static atomic_int taken[4], closed;
static uint8_t pixels[SIDE * SIDE * 4];
static int fd;

static uint32_t surfaces(void *arg, struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX])
{
    (void)arg;
    memcpy(list, shown, sizeof shown);
    return sizeof shown / sizeof *shown;
}

static bool take(void *arg, uint8_t surface, bool again, struct tdm_share_picture *picture)
{
    (void)arg;
    atomic_fetch_add(&taken[surface], 1);
    if (surface != 1 || !again)
        return false;
    *picture = (struct tdm_share_picture){
        .surface = shown[0], .pixels = pixels, .stride = (ptrdiff_t)SIDE * 4, .exact = true};
    return true;
}

static void give_back(void *arg)
{
    (void)arg;
}

static bool pointer(void *arg, struct tdm_share_pointer *at, uint8_t shape[TDM_SHARE_SHAPE_BYTES])
{
    (void)arg;
    (void)at;
    (void)shape;
    return false;
}

static void input(void *arg, const struct tdm_control_view_in *in)
{
    (void)arg;
    (void)in;
}

static void on_closed(void *arg)
{
    (void)arg;
    atomic_fetch_add(&closed, 1);
}

static Window find(Display *display)
{
    Window root = DefaultRootWindow(display), parent, *children = NULL, found = None;
    unsigned count = 0;

    assert_int_not_equal(XQueryTree(display, root, &root, &parent, &children, &count), 0);
    for (unsigned i = 0; i < count && !found; i++) {
        char *name = NULL;

        if (XFetchName(display, children[i], &name) && strcmp(name, TITLE) == 0)
            found = children[i];
        (void)XFree(name);
    }
    (void)XFree(children);
    return found;
}

/* The colour of a point of the screen, as 0xRRGGBB. */
static unsigned long colour_at(Display *display, int x, int y)
{
    XImage *image = XGetImage(display, DefaultRootWindow(display), x, y, 1, 1, AllPlanes, ZPixmap);

    assert_non_null(image);
    unsigned long colour = XGetPixel(image, 0, 0) & 0xffffff;

    (void)XDestroyImage(image);
    return colour;
}

/* A stranger's surfaces may have any size: what is too large is grey and is not copied; the others
 * are shown. A window that somebody else destroys is a closed one. Neither ends the process. */
static void test_lives_on(void **state)
{
    struct x_server server;
    struct tdm_screen_window *window;
    struct tdm_cause cause;

    (void)state;
    if (!x_server_start(&server, "640x480x24")) {
        printf("SKIP: needs Xvfb\n");
        exit(77);
    }
    fd = tdm_wake_open(&cause);
    assert_true(fd >= 0);
    const struct tdm_screen_window_source source = {.fd = fd,
                                                    .surfaces = surfaces,
                                                    .take = take,
                                                    .give_back = give_back,
                                                    .pointer = pointer,
                                                    .input = input,
                                                    .closed = on_closed};

    assert_int_equal(tdm_screen_window_open(&window, server.display, TITLE, &source, &cause),
                     TDM_OK);
    Display *display = XOpenDisplay(server.display);
    tdm_time end = tdm_clock_now() + PATIENCE;

    assert_non_null(display);
    /* Low in what is fitted to the window: in the second surface, beside its sentence. */
    while (colour_at(display, 60, 200) != GREY)
        assert_true(tdm_clock_now() < end);
    assert_true(atomic_load(&taken[1]) > 0);
    assert_int_equal(atomic_load(&taken[2]), 0);
    assert_int_equal(atomic_load(&taken[3]), 0);
    assert_int_equal(atomic_load(&closed), 0);
    Window found = find(display);

    assert_int_not_equal(found, None);
    (void)XDestroyWindow(display, found);
    (void)XSync(display, False);
    while (!atomic_load(&closed)) {
        assert_true(tdm_clock_now() < end);
        tdm_screen_window_say(window, "drawn again", false);
    }
    tdm_screen_window_say(window, "and again", false);
    tdm_screen_window_close(window);
    assert_int_equal(atomic_load(&closed), 1);
    (void)XCloseDisplay(display);
    (void)close(fd);
    x_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lives_on)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
