/* SPDX-License-Identifier: MIT */

/*
 * What a window on a board with a lot on it costs: its first picture, and each frame while a hand
 * drags the page, turns the wheel, or zooms. The window is the program's own, 1920 x 1080, on a
 * private Xvfb; a frame is one step of it, from the motion that waits at its connection until its
 * pixels are given to the server: edits, tiles, marks, bars, and what is put together of them.
 *
 *   taskset -c 0 board_pan [OBJECTS]     a table on stderr, JSON on stdout
 *
 * With taskset the X server is on the same core, too.
 */

#include "bench/blackbox/series.h"
#include "bench/board/crowd.h"
#include "engine/io/clock.h"
#include "render/board_window.h"
#include "tests/unit/x_server.h"

#include <poll.h>
#include <string.h>
#include <xcb/xcb.h>
#include <xcb/xtest.h>

#define OBJECTS_MAX 100000
#define FRAMES      300
#define DRAGS       30 /* Frames of one drag, before the hand goes back. */
#define FRAME_MS    (1000 / 60.0)
#define WHEEL_UP    4
#define WHEEL_DOWN  5
#define CONTROL     37
#define STEPS_MAX   1000

static struct x_server server;
static xcb_connection_t *hand;
static struct tdm_board_doc *doc;
static struct tdm_board_window *window;

/* --- The window ------------------------------------------------------------------------------- */

static bool room(void *arg)
{
    (void)arg;
    return tdm_board_doc_save(doc, NULL) == TDM_OK &&
           tdm_board_doc_room(doc, TDM_BOARD_ROOM) == TDM_OK;
}

/* One step. @return whether it wants another one at once: not all is sharp. */
static bool step(void)
{
    struct tdm_board_window_event event;
    tdm_time now = tdm_clock_now(), wake = tdm_board_window_step(window, now);

    while (tdm_board_window_take(window, &event))
        demand(event.kind != TDM_BOARD_WINDOW_CLOSED, "the window has closed");
    return wake <= now;
}

/* Until it has nothing more to do. @return how many steps that were. */
static int settle(void)
{
    int steps = 0;

    do {
        struct pollfd fd = {.fd = tdm_board_window_fd(window), .events = POLLIN};

        while (step())
            demand(++steps < STEPS_MAX, "the window does not come to rest");
        steps++;
        if (poll(&fd, 1, 20) == 0)
            break;
    } while (steps < STEPS_MAX);
    return steps;
}

static void fake(uint8_t type, uint8_t detail, int x, int y)
{
    (void)xcb_test_fake_input(hand, type, detail, XCB_CURRENT_TIME, XCB_NONE, (int16_t)x,
                              (int16_t)y, 0);
}

static void sync_hand(void)
{
    free(xcb_get_input_focus_reply(hand, xcb_get_input_focus(hand), NULL));
}

/* The step that takes what the hand did. */
static void frame(struct tdm_series *series)
{
    sync_hand();
    double start = seconds();

    (void)step();
    tdm_series_push(series, (seconds() - start) * 1e3);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static void drag(struct tdm_series *series, int dx, int dy)
{
    for (int i = 0; i < FRAMES; i++) {
        int at = i % DRAGS;

        if (at == 0) {
            fake(XCB_MOTION_NOTIFY, 0, 1800, 200);
            fake(XCB_BUTTON_PRESS, 2, 0, 0);
            sync_hand();
            (void)step();
        }
        fake(XCB_MOTION_NOTIFY, 0, 1800 - dx * (at + 1), 200 + dy * (at + 1));
        frame(series);
        if (at == DRAGS - 1) {
            fake(XCB_BUTTON_RELEASE, 2, 0, 0);
            sync_hand();
            (void)step();
        }
    }
}

static void drag_slowly(struct tdm_series *series)
{
    drag(series, 24, 6);
}

static void drag_fast(struct tdm_series *series)
{
    drag(series, 56, 20);
}

static void wheel(struct tdm_series *series)
{
    for (int i = 0; i < FRAMES; i++) {
        uint8_t button = i % 60 < 30 ? WHEEL_DOWN : WHEEL_UP;

        fake(XCB_BUTTON_PRESS, button, 0, 0);
        fake(XCB_BUTTON_RELEASE, button, 0, 0);
        frame(series);
    }
}

/* Out and in, each step before all of the one before is sharp. */
static void zoom(struct tdm_series *series)
{
    fake(XCB_MOTION_NOTIFY, 0, 960, 540);
    fake(XCB_KEY_PRESS, CONTROL, 0, 0);
    for (int i = 0; i < FRAMES; i++) {
        uint8_t button = i % 20 < 10 ? WHEEL_DOWN : WHEEL_UP;

        fake(XCB_BUTTON_PRESS, button, 0, 0);
        fake(XCB_BUTTON_RELEASE, button, 0, 0);
        frame(series);
    }
    fake(XCB_KEY_RELEASE, CONTROL, 0, 0);
    sync_hand();
    (void)settle();
}

/* From a step of zoom until all is sharp, each step of the window a frame. */
static void sharpen(struct tdm_series *series)
{
    fake(XCB_KEY_PRESS, CONTROL, 0, 0);
    for (int i = 0; i < 20; i++) {
        uint8_t button = i % 10 < 5 ? WHEEL_DOWN : WHEEL_UP;

        fake(XCB_BUTTON_PRESS, button, 0, 0);
        fake(XCB_BUTTON_RELEASE, button, 0, 0);
        sync_hand();
        double start = seconds();

        while (step())
            ;
        tdm_series_push(series, (seconds() - start) * 1e3);
    }
    fake(XCB_KEY_RELEASE, CONTROL, 0, 0);
    sync_hand();
    (void)settle();
}

static void open_window(void)
{
    const struct tdm_board_window_config config = {.display = server.display,
                                                   .title = "board",
                                                   .scale = 1,
                                                   .width = CROWD_WIDTH,
                                                   .height = CROWD_HEIGHT,
                                                   .board = tdm_board_doc_board(doc),
                                                   .room = room};
    struct tdm_cause cause = {""};

    demand(tdm_board_window_create(&window, &config, tdm_clock_now(), &cause) == TDM_OK,
           cause.text);
}

/* From nothing until all is sharp: the scene is made of the document, too. */
static void open_anew(struct tdm_series *series)
{
    for (int i = 0; i < 5; i++) {
        tdm_board_window_destroy(window);
        double start = seconds();

        open_window();
        while (step())
            ;
        tdm_series_push(series, (seconds() - start) * 1e3);
        (void)settle();
    }
}

static const struct row {
    const char *name;
    void (*measure)(struct tdm_series *series);
    bool frames; /* Each should be there in 1/60 s. */
} rows[] = {
    {"first_picture", open_anew, false},
    {"drag_24_px_a_frame", drag_slowly, true},
    {"drag_60_px_a_frame", drag_fast, true},
    {"wheel", wheel, true},
    {"zoom", zoom, true},
    {"zoom_until_sharp", sharpen, false},
};

static void report(const struct row *row, bool first)
{
    struct tdm_series series;
    size_t in_time = 0;

    demand(tdm_series_init(&series, FRAMES), "no memory");
    row->measure(&series);
    tdm_series_sort(&series);
    while (in_time < series.count && series.values[in_time] <= FRAME_MS)
        in_time++;
    double share = (double)in_time / (double)series.count;
    double at[] = {tdm_series_at(&series, 0), tdm_series_at(&series, 0.5),
                   tdm_series_at(&series, 0.95), tdm_series_at(&series, 1)};

    fprintf(stderr, "%-20s %8.2f %8.2f %8.2f %8.2f", row->name, at[0], at[1], at[2], at[3]);
    if (row->frames)
        fprintf(stderr, "  %.1f %% within %.1f ms", 100 * share, FRAME_MS);
    fprintf(stderr, "\n");
    printf("%s\n  {\"row\": \"%s\", \"unit\": \"ms\", \"count\": %zu, \"min\": %.3f, "
           "\"median\": %.3f, \"p95\": %.3f, \"max\": %.3f, \"in_a_frame\": %.4f}",
           first ? "" : ",", row->name, series.count, at[0], at[1], at[2], at[3], share);
    tdm_series_fini(&series);
}

int main(int argc, char **argv)
{
    int objects = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 10000;

    if (objects < 0 || objects > OBJECTS_MAX) {
        fprintf(stderr, "usage: board_pan [OBJECTS (0 to %d)]\n", OBJECTS_MAX);
        return 2;
    }
    demand(x_server_start(&server, "2100x1200x24"), "Xvfb is not installed");
    hand = xcb_connect(server.display, NULL);
    demand(!xcb_connection_has_error(hand), "the display does not open");
    doc = open_board(NULL, false);
    crowd(doc, objects);
    open_window();
    (void)settle();
    fprintf(stderr, "%-20s %8s %8s %8s %8s\n", "ms", "min", "median", "p95", "max");
    printf("{\"bench\": \"board_pan\", \"objects\": %d, \"rows\": [", objects);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        report(&rows[i], i == 0);
    printf("\n]}\n");
    tdm_board_window_destroy(window);
    tdm_board_doc_close(doc);
    xcb_disconnect(hand);
    x_server_stop(&server);
    return 0;
}
