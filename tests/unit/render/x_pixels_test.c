/* SPDX-License-Identifier: MIT */
#include "render/x_pixels.h"

#include "render/x_errors.h"
#include "tests/unit/x_server.h"

#include <X11/Xutil.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* After the four headers that it needs. */
#include <cmocka.h>

/* What libX11 keeps until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libX11\n";
}

#define WIDTH  60
#define HEIGHT 50
#define STRIDE (4 * (WIDTH + 3))

static struct x_server server;

static void on_lost(Display *display, void *arg)
{
    (void)display;
    (void)arg;
    fail();
}

static uint32_t colour_of(int turn, int x, int y)
{
    return (uint32_t)(turn * 0x10101 + x * 0x301 + y * 0x20005) & 0xffffff;
}

static void paint(uint8_t *pixels, int turn)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            uint32_t colour = colour_of(turn, x, y) | 0xee000000;

            memcpy(pixels + y * STRIDE + 4 * x, &colour, 4);
        }
}

/* Every pixel of the rectangles has the newest colours of what was put there, whatever was done to
 * the memory after that; what lies outside has none. */
static void check(size_t size, bool shares)
{
    static const struct tdm_rect rects[] = {
        {0, 0, WIDTH, HEIGHT}, {7, 3, 1, 1}, {5, 40, 55, 10}, {59, 0, 1, 50}, {0, 20, 60, 29}};
    static uint8_t pixels[STRIDE * HEIGHT];
    int newest[HEIGHT][WIDTH] = {{0}};
    Display *display = XOpenDisplay(server.display);
    struct tdm_x_pixels p;

    assert_non_null(display);
    tdm_x_errors_catch(display, on_lost, NULL);
    int screen = DefaultScreen(display);
    Pixmap there = XCreatePixmap(display, RootWindow(display, screen), WIDTH, HEIGHT,
                                 (unsigned)DefaultDepth(display, screen));
    GC gc = XCreateGC(display, there, 0, NULL);

    tdm_x_pixels_open(&p, display, gc, size);
    assert_int_equal(p.segment.shmaddr != NULL, shares);
    for (int turn = 0; turn < 40; turn++) {
        struct tdm_rect r = rects[turn % 5];

        paint(pixels, turn);
        tdm_x_pixels_put(&p, there, pixels, STRIDE, r);
        for (int i = 0; i < r.width * r.height; i++)
            newest[r.y + i / r.width][r.x + i % r.width] = turn;
        memset(pixels, 0x55, sizeof pixels);
        if (turn % 7 == 6)
            tdm_x_pixels_settle(&p);
    }
    XImage *image = XGetImage(display, there, 0, 0, WIDTH, HEIGHT, AllPlanes, ZPixmap);

    assert_non_null(image);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            assert_int_equal(XGetPixel(image, x, y) & 0xffffff, colour_of(newest[y][x], x, y));
    (void)XDestroyImage(image);
    assert_int_equal(tdm_x_errors_take(~0u), 0);
    tdm_x_pixels_close(&p);
    (void)XFreeGC(display, gc);
    (void)XFreePixmap(display, there);
    (void)XCloseDisplay(display);
}

static void test_all_at_once(void **state)
{
    (void)state;
    check((size_t)1 << 20, true);
}

/* The memory holds two rows of the largest one: the rest has to wait for the server. */
static void test_in_parts(void **state)
{
    (void)state;
    check((size_t)WIDTH * 4 * 2 + 8, true);
}

/* Less than a row of some: these go through the connection, between the others. */
static void test_too_little(void **state)
{
    (void)state;
    check(100, true);
}

static void test_nothing_shared(void **state)
{
    (void)state;
    check(0, false);
}

static int start(void **state)
{
    (void)state;
    if (x_server_start(&server, "640x480x24"))
        return 0;
    printf("SKIP: needs Xvfb\n");
    exit(77);
}

static int stop(void **state)
{
    (void)state;
    x_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_at_once), cmocka_unit_test(test_in_parts),
        cmocka_unit_test(test_too_little), cmocka_unit_test(test_nothing_shared)};

    return cmocka_run_group_tests(tests, start, stop);
}
