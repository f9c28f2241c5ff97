/* SPDX-License-Identifier: MIT */
/*
 * Two draw over a shared display: what the viewer draws is seen there and is not in the picture
 * that it gets; it moves with what is scrolled, on both sides, by as much; without permission it is
 * not drawn, whatever the viewer sends; and a frozen frame is a page of a board that shows both.
 */
#include "tandem/board.h"
#include "tandem/share.h"
#include "tests/live/pair.h"
#include "tests/unit/x_server.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <cairo.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 30000
#define SEEN        (TANDEM_SHARE_VIEW | TANDEM_SHARE_ANNOTATE)
#define LEFT        100 /* The window with a page. */
#define TOP         80
#define WIDTH       600
#define HEIGHT      440
#define PAGE        1200 /* How high the page in it is. */
#define GREEN       0x20c040

static const struct tandem_media alone = {.video_source = "off",
                                          .video_sink = "off",
                                          .audio_source = "off",
                                          .audio_sink = "off",
                                          .channel = true};
static struct pair p;
static struct tandem_share *host, *viewer; /* A gives, B looks. */
static unsigned allowed;
static struct x_server x;
static Display *display;
static Window window;
static Pixmap page, visible;
static GC gc;

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void turn(void)
{
    struct pollfd fds[] = {{.fd = tandem_share_event_fd(host), .events = POLLIN},
                           {.fd = tandem_share_event_fd(viewer), .events = POLLIN}};
    struct tandem_share_event event;

    (void)poll(fds, 2, 20);
    side_drain(&p.a);
    side_drain(&p.b);
    while (tandem_share_next_event(host, &event) == TANDEM_OK)
        ;
    while (tandem_share_next_event(viewer, &event) == TANDEM_OK)
        if (event.kind == TANDEM_SHARE_ALLOWED || event.kind == TANDEM_SHARE_REVOKED)
            allowed = event.scopes;
}

static void until(bool (*ready)(int arg), int arg, const char *what)
{
    int64_t end = now_ms() + PATIENCE_MS;

    while (!ready(arg)) {
        if (now_ms() > end)
            fail_msg("waited in vain: %s", what);
        turn();
    }
}

/* A page of rows with words in them: blocks of dark on white, no two rows alike. */
static void write_page(void)
{
    uint32_t seed = 7;

    page = XCreatePixmap(display, window, WIDTH, PAGE, 24);
    visible = XCreatePixmap(display, window, WIDTH, HEIGHT, 24);
    XSetForeground(display, gc, 0xffffff);
    XFillRectangle(display, page, gc, 0, 0, WIDTH, PAGE);
    for (int y = 4; y + 12 < PAGE; y += 16)
        for (int at = 8; at + 8 < WIDTH;) {
            seed = seed * 1664525 + 1013904223;
            int width = 2 + (int)(seed >> 27);

            XSetForeground(display, gc, (seed >> 8) & 0x3f3f3f);
            XFillRectangle(display, page, gc, at, y + (int)(seed >> 20 & 3), (unsigned)width, 9);
            at += width + 3 + (int)(seed >> 12 & 7);
        }
}

/* As its background, so that the server draws what a moving overlay uncovers. */
static void show_page(int from)
{
    XCopyArea(display, page, visible, gc, 0, from, WIDTH, HEIGHT, 0, 0);
    XSetWindowBackgroundPixmap(display, window, visible);
    XClearWindow(display, window);
    XSync(display, False);
}

static bool is_red(uint32_t pixel)
{
    return (pixel >> 16 & 255) > 0xc0 && (pixel >> 8 & 255) < 0x60 && (pixel & 255) < 0x60;
}

/* Red pixels of the host's display in the box of an annotation at (180..260, y..y+60). */
static int red_at(int y)
{
    XImage *image =
        XGetImage(display, DefaultRootWindow(display), 170, y - 10, 100, 80, AllPlanes, ZPixmap);
    int count = 0;

    assert_non_null(image);
    for (int row = 0; row < 80; row++)
        for (int at = 0; at < 100; at++)
            count += is_red((uint32_t)XGetPixel(image, at, row));
    XDestroyImage(image);
    return count;
}

static bool is_red_at(int y)
{
    return red_at(y) > 200;
}

static bool is_not_red_at(int y)
{
    return red_at(y) == 0;
}

static json_t *request(struct tandem_share *share, const char *text, enum tandem_status expected)
{
    struct tandem_cause cause = {""};
    char *answer = NULL;
    enum tandem_status status = tandem_share_request(share, text, &answer, &cause);

    if (status != expected)
        fail_msg("%s: %d %s", text, (int)status, cause.text);
    json_t *parsed = json_loads(answer ? answer : "", 0, NULL);

    assert_non_null(parsed);
    tandem_free(answer);
    return parsed;
}

/* Where the first annotation's corner is; -1: there is none, -2: nor a stream of them, which begins
 * anew when rights change. */
static int place_of(struct tandem_share *share)
{
    struct tandem_cause cause;
    char *answer = NULL;
    bool there =
        tandem_share_request(share, "{\"do\":\"annotations\"}", &answer, &cause) == TANDEM_OK;
    json_t *all = json_loads(answer ? answer : "", 0, NULL);
    const json_t *first = json_array_get(json_object_get(all, "annotations"), 0);
    int y = first ? (int)json_number_value(json_object_get(first, "y")) : -1;

    json_decref(all);
    tandem_free(answer);
    return there ? y : -2;
}

static bool both_have(int count)
{
    json_t *here = request(host, "{\"do\":\"annotations\"}", TANDEM_OK);
    json_t *there = request(viewer, "{\"do\":\"annotations\"}", TANDEM_OK);
    bool have = json_array_size(json_object_get(here, "annotations")) == (size_t)count &&
                json_array_size(json_object_get(there, "annotations")) == (size_t)count;

    json_decref(here);
    json_decref(there);
    return have;
}

static bool both_are_at(int y)
{
    return place_of(host) == y && place_of(viewer) == y;
}

static bool is_allowed(int scopes)
{
    return allowed == (unsigned)scopes;
}

static int green = -1; /* Pixels of it in the viewer's picture; -1: there was none yet. */

/* The viewer's picture, as often as there is a new one: it is without ink. */
static void look(void)
{
    static struct tandem_share_picture picture;
    int red = 0;

    if (tandem_share_picture(viewer, 0, &picture) != TANDEM_OK)
        return;
    green = 0;
    for (int y = TOP; y < picture.height; y++) /* Above it is the bar. */
        for (int at = 0; at < picture.width; at++) {
            uint32_t pixel = ((const uint32_t *)(const void *)((const uint8_t *)picture.pixels +
                                                               (size_t)y * picture.stride))[at];

            red += is_red(pixel);
            green += (pixel & 0xffffff) == GREEN;
        }
    tandem_share_picture_done(viewer);
    if (red)
        fail_msg("%d pixels of ink in the picture", red);
}

static bool picture_is_there(int unused)
{
    (void)unused;
    look();
    return green >= 0;
}

static bool picture_is_green(int unused)
{
    (void)unused;
    look();
    return green > 1000;
}

static bool picture_is_not_green(int unused)
{
    (void)unused;
    look();
    return green == 0;
}

static bool draws(int unused)
{
    struct tandem_cause cause;

    (void)unused;
    return tandem_share_request(viewer, "{\"do\":\"annotations\"}", NULL, &cause) == TANDEM_OK;
}

static int start(void **state)
{
    const struct tandem_share_offer offer = {.unasked_view = true, .allow = TANDEM_SHARE_ANNOTATE};
    struct tandem_media a = alone, b = alone;
    struct tandem_cause cause = {""};
    char desktop[32];

    (void)state;
    if (!x_server_start(&x, "800x600x24")) {
        printf("SKIP: needs Xvfb\n");
        exit(77);
    }
    (void)snprintf(desktop, sizeof desktop, "x11%s", x.display);
    display = XOpenDisplay(x.display);
    assert_non_null(display);
    window = XCreateSimpleWindow(display, DefaultRootWindow(display), LEFT, TOP, WIDTH, HEIGHT, 0,
                                 0, 0xffffff);
    gc = XCreateGC(display, window, 0, NULL);
    XSetGraphicsExposures(display, gc, False);
    write_page();
    XMapWindow(display, window);
    show_page(0);
    (void)unsetenv("DISPLAY");
    assert_int_equal(
        tandem_share_create(&(struct tandem_share_config){.desktop = desktop}, &host, &cause),
        TANDEM_OK);
    assert_int_equal(tandem_share_create(NULL, &viewer, &cause), TANDEM_OK);
    if (tandem_share_give(host, &offer, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
    a.share = host;
    b.share = viewer;
    pair_start(&p, &a, &b);
    (void)tandem_share_ask(viewer, SEEN);
    return 0;
}

static int stop(void **state)
{
    pair_hang_up(&p);
    pair_close(&p);
    tandem_share_destroy(host);
    tandem_share_destroy(viewer);
    (void)XCloseDisplay(display);
    x_server_stop(&x);
    return pair_files_remove(state);
}

static void test_is_seen_at_the_host_once(void **state)
{
    (void)state;
    until(picture_is_there, 0, "the first picture");
    until(draws, 0, "annotations");
    until(is_allowed, SEEN | TANDEM_SHARE_POINT, "permission");
    json_decref(request(viewer,
                        "{\"do\":\"annotate\",\"type\":\"rectangle\",\"x\":180,\"y\":300,"
                        "\"w\":80,\"h\":60}",
                        TANDEM_OK));
    until(is_red_at, 300, "ink over the host's desktop");
    until(both_are_at, 300, "the same annotation at both sides");
    /* Something new, so that the place is captured with the ink over it. */
    XSetForeground(display, gc, GREEN);
    XFillRectangle(display, window, gc, 60, 200, 120, 120);
    XSync(display, False);
    until(picture_is_green, 0, "a picture of what is below the ink");
    show_page(0);
    until(picture_is_not_green, 0, "a picture with the page again");
}

static void test_moves_with_a_scroll(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        show_page(40 * i);
        until(both_are_at, 300 - 40 * i, "an annotation that moved");
    }
    until(is_red_at, 180, "ink at the new place");
    until(is_not_red_at, 300, "no ink at the old one");
    show_page(0);
    until(both_are_at, 300, "an annotation that came back");
    until(is_red_at, 300, "ink that came back");
    until(picture_is_there, 0, "a picture without ink");
}

static void test_the_host_draws_too_and_each_takes_away_its_own(void **state)
{
    (void)state;
    json_decref(request(host,
                        "{\"do\":\"annotate\",\"type\":\"arrow\",\"x\":600,\"y\":200,\"w\":-120,"
                        "\"h\":90}",
                        TANDEM_OK));
    until(both_have, 2, "the host's, too");
    json_t *cleared = request(host, "{\"do\":\"clear\"}", TANDEM_OK);

    assert_int_equal(json_integer_value(json_object_get(cleared, "cleared")), 1);
    json_decref(cleared);
    until(both_have, 1, "the viewer's alone");
    json_decref(request(host, "{\"do\":\"undo\"}", TANDEM_OK));
    until(both_have, 2, "what both drew");
    until(both_are_at, 300, "what the viewer drew");
}

static uint32_t pixel_of(cairo_surface_t *s, double at_x, double at_y)
{
    const uint8_t *row =
        cairo_image_surface_get_data(s) + (int)at_y * cairo_image_surface_get_stride(s);

    return ((const uint32_t *)(const void *)row)[(int)at_x];
}

/* The page as PNG has a margin; the picture is 800 x 600 in its middle. */
static void check_png(const char *path)
{
    cairo_surface_t *png = cairo_image_surface_create_from_png(path);
    int width = cairo_image_surface_get_width(png), red = 0, dark = 0;

    assert_int_equal(cairo_surface_status(png), CAIRO_STATUS_SUCCESS);
    double scale = width / 848.0;

    assert_true(scale > 0.9);
    for (int y = 0; y < 600; y++)
        for (int at = 0; at < 800; at++) {
            uint32_t pixel = pixel_of(png, (at + 24) * scale, (y + 24) * scale);

            red += is_red(pixel) && at >= 176 && at < 264 && y >= 296 && y < 364;
            dark += (pixel & 0xc0c0c0) == 0 && at >= LEFT && at < LEFT + WIDTH;
        }
    cairo_surface_destroy(png);
    assert_true(red > 400);
    assert_true(dark > 10000);
}

static void freeze_and_check(struct tandem_share *share, const char *name)
{
    char file[256], png[256], text[600];
    struct tandem_board *board;
    struct tandem_cause cause = {""};

    (void)pair_file(name, file, sizeof file);
    (void)snprintf(png, sizeof png, "%.240s.png", file);
    (void)snprintf(text, sizeof text, "{\"do\":\"freeze\",\"file\":\"%.400s\"}", file);
    json_t *frozen = request(share, text, TANDEM_OK);

    assert_int_equal(json_integer_value(json_object_get(frozen, "annotations")), 2);
    json_decref(frozen);
    assert_int_equal(
        tandem_board_create(&(struct tandem_board_config){.file = file}, &board, &cause),
        TANDEM_OK);
    if (tandem_board_export(board, png, 0, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
    tandem_board_destroy(board);
    check_png(png);
    (void)unlink(png);
}

static void test_freezes_to_a_page(void **state)
{
    (void)state;
    freeze_and_check(viewer, "viewer.board");
    freeze_and_check(host, "host.board");
}

static bool is_none(int unused)
{
    (void)unused;
    return place_of(host) == -1;
}

static void test_draws_only_when_it_may(void **state)
{
    struct tandem_cause cause;

    (void)state;
    (void)tandem_share_answer(host, TANDEM_SHARE_VIEW, 0, &cause);
    until(is_allowed, TANDEM_SHARE_VIEW, "that drawing is not allowed any more");
    json_decref(request(viewer,
                        "{\"do\":\"annotate\",\"type\":\"line\",\"x\":300,\"y\":300,\"w\":90}",
                        TANDEM_INVALID));
    until(both_are_at, 300, "the host's copy, again");
    json_decref(request(host, "{\"do\":\"clear\",\"all\":true}", TANDEM_OK));
    until(is_none, 0, "an empty screen");
    until(both_are_at, -1, "nothing at the viewer");
    until(is_not_red_at, 300, "nothing over the desktop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_seen_at_the_host_once),
        cmocka_unit_test(test_moves_with_a_scroll),
        cmocka_unit_test(test_the_host_draws_too_and_each_takes_away_its_own),
        cmocka_unit_test(test_freezes_to_a_page),
        cmocka_unit_test(test_draws_only_when_it_may),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
