/* SPDX-License-Identifier: MIT */
#include "render/screen_window.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "tests/unit/x_server.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <pthread.h>
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

/* Somebody's screen of one colour, of which a part changes, with a pointer on it. */
#define WIDE 200
#define HIGH 120
#define PALE 0xc0c0c0
#define RED  0xff0000
#define BLUE 0x0000ff

static struct {
    pthread_mutex_t lock;
    uint32_t pixels[WIDE * HIGH];
    struct tdm_rect damage; /* Empty: nothing is new. */
    struct tdm_share_pointer pointer;
    bool pointer_news;
} screen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const struct tdm_screen_surface plain = {
    .id = 0, .width = WIDE, .height = HIGH, .name = "plain"};

static uint32_t one_surface(void *arg, struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX])
{
    (void)arg;
    list[0] = plain;
    return 1;
}

static bool take_screen(void *arg, uint8_t surface, bool again, struct tdm_share_picture *picture)
{
    (void)arg;
    (void)surface;
    pthread_mutex_lock(&screen.lock);
    if (!again && tdm_rect_empty(screen.damage)) {
        pthread_mutex_unlock(&screen.lock);
        return false;
    }
    *picture = (struct tdm_share_picture){.surface = plain,
                                          .pixels = (const uint8_t *)screen.pixels,
                                          .stride = (ptrdiff_t)WIDE * 4,
                                          .exact = true,
                                          .damage_count = 1,
                                          .damage = {screen.damage}};
    screen.damage = (struct tdm_rect){0, 0, 0, 0};
    return true;
}

static void give_screen_back(void *arg)
{
    (void)arg;
    pthread_mutex_unlock(&screen.lock);
}

static bool screen_pointer(void *arg, struct tdm_share_pointer *at,
                           uint8_t shape[TDM_SHARE_SHAPE_BYTES])
{
    (void)arg;
    pthread_mutex_lock(&screen.lock);
    bool news = screen.pointer_news;

    *at = screen.pointer;
    for (size_t i = 0; i < 64; i++) /* Blue, and nothing shines through. */
        memcpy(shape + 4 * i, &(uint32_t){BLUE | 0xff000000}, 4);
    screen.pointer_news = false;
    pthread_mutex_unlock(&screen.lock);
    return news;
}

static void draw(struct tdm_rect r, uint32_t colour)
{
    pthread_mutex_lock(&screen.lock);
    for (int i = 0; i < r.width * r.height; i++)
        screen.pixels[(r.y + i / r.width) * WIDE + r.x + i % r.width] = colour;
    screen.damage = tdm_rect_around(screen.damage, r);
    pthread_mutex_unlock(&screen.lock);
    tdm_wake_signal(fd);
}

static void point(int16_t x, int16_t y)
{
    pthread_mutex_lock(&screen.lock);
    screen.pointer =
        (struct tdm_share_pointer){.at = {.surface = 0, .visible = true, .x = x, .y = y},
                                   .number = 1,
                                   .shape = {.width = 8, .height = 8}};
    screen.pointer_news = true;
    pthread_mutex_unlock(&screen.lock);
    tdm_wake_signal(fd);
}

static void wait_for_colour(Display *display, int x, int y, uint32_t colour)
{
    tdm_time end = tdm_clock_now() + PATIENCE;

    while (colour_at(display, x, y) != colour)
        assert_true(tdm_clock_now() < end);
}

/* What changes is seen in its place and nothing else is touched by it: the pointer stays above it,
 * and where the pointer was there is the screen. Without a window manager the window stands in the
 * corner, as large as the screen that it shows. */
static void test_shows_what_changes(void **state)
{
    struct x_server server;
    struct tdm_screen_window *window;
    struct tdm_cause cause;

    (void)state;
    assert_true(x_server_start(&server, "640x480x24"));
    fd = tdm_wake_open(&cause);
    assert_true(fd >= 0);
    const struct tdm_screen_window_source source = {.fd = fd,
                                                    .surfaces = one_surface,
                                                    .take = take_screen,
                                                    .give_back = give_screen_back,
                                                    .pointer = screen_pointer,
                                                    .input = input,
                                                    .closed = on_closed};

    draw((struct tdm_rect){0, 0, WIDE, HIGH}, PALE);
    assert_int_equal(tdm_screen_window_open(&window, server.display, TITLE, &source, &cause),
                     TDM_OK);
    Display *display = XOpenDisplay(server.display);

    assert_non_null(display);
    wait_for_colour(display, WIDE - 1, HIGH - 1, PALE);
    draw((struct tdm_rect){10, 20, 30, 5}, RED);
    wait_for_colour(display, 39, 24, RED);
    assert_int_equal(colour_at(display, 10, 20), RED);
    assert_int_equal(colour_at(display, 9, 20), PALE);
    assert_int_equal(colour_at(display, 40, 24), PALE);
    assert_int_equal(colour_at(display, 39, 25), PALE);
    point(20, 18);
    wait_for_colour(display, 27, 25, BLUE);
    assert_int_equal(colour_at(display, 28, 24), RED);
    /* Under the pointer and beside it, then away from under it. */
    draw((struct tdm_rect){0, 0, 100, 60}, RED);
    wait_for_colour(display, 99, 59, RED);
    assert_int_equal(colour_at(display, 27, 25), BLUE);
    point(150, 100);
    wait_for_colour(display, 157, 107, BLUE);
    assert_int_equal(colour_at(display, 27, 25), RED);
    draw((struct tdm_rect){0, 0, WIDE, HIGH}, PALE);
    wait_for_colour(display, 0, 0, PALE);
    assert_int_equal(colour_at(display, 157, 107), BLUE);
    tdm_screen_window_close(window);
    (void)XCloseDisplay(display);
    (void)close(fd);
    x_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lives_on),
                                       cmocka_unit_test(test_shows_what_changes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
