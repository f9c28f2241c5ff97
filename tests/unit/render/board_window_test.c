/* SPDX-License-Identifier: MIT */
/* The board's window on a display of its own: what a hand does at it comes into the document, and
 * what is in the document is on the screen. */
#include "render/board_window.h"

#include "engine/io/clock.h"
#include "tests/unit/x_server.h"

#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xcb/xcb.h>
#include <xcb/xtest.h>
/* After the four headers that it needs. */
#include <cmocka.h>

/* The libraries below are not built with the thread sanitizer. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libfontconfig\nrace:libglib\nrace:libpango\nrace:libcairo\nmutex:libX11\n";
}

/* What they keep until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libpango\nleak:libX11\n";
}

#define PATIENCE   (30 * TDM_S)
#define WIDTH      900
#define HEIGHT     640
#define BLOCKS_MAX 16
#define BLOCK      ((size_t)1 << 20)
#define PX         TDM_BOARD_UNIT
#define PAPER      0xffffffu

/* A document with its window. */
struct desk {
    struct tdm_board *board;
    struct tdm_board_window *window;
    void *storage, *blocks[BLOCKS_MAX];
    int block_count;
    bool closed, edited;
    struct tdm_board_live live;
    int wanted;
    char file[256]; /* That was dropped, chosen, or is to be written. */
    int32_t file_x;
    size_t image_size; /* That was pasted. */
};

static struct x_server server;
static Display *display;
static xcb_connection_t *hand;
static struct desk desks[2];

static bool room(void *arg)
{
    struct desk *d = arg;

    tdm_board_fresh_done(d->board);
    if (d->block_count == BLOCKS_MAX)
        return false;
    void *block = aligned_alloc(16, BLOCK);

    assert_non_null(block);
    d->blocks[d->block_count++] = block;
    tdm_board_give(d->board, block, BLOCK);
    return true;
}

static void open_desk(struct desk *d, uint32_t actor, const char *peer)
{
    struct tdm_cause cause;

    memset(d, 0, sizeof *d);
    d->storage = aligned_alloc(16, (tdm_board_bytes_needed() + 15) / 16 * 16);
    assert_non_null(d->storage);
    d->board = tdm_board_init(d->storage, actor);
    assert_true(room(d));
    const struct tdm_board_window_config config = {.display = server.display,
                                                   .title = "board",
                                                   .peer = peer,
                                                   .scale = 1,
                                                   .width = WIDTH,
                                                   .height = HEIGHT,
                                                   .board = d->board,
                                                   .room = room,
                                                   .arg = d};

    assert_int_equal(tdm_board_window_create(&d->window, &config, tdm_clock_now(), &cause), TDM_OK);
}

static void close_desk(struct desk *d)
{
    tdm_board_window_destroy(d->window);
    for (int i = 0; i < d->block_count; i++)
        free(d->blocks[i]);
    free(d->storage);
    memset(d, 0, sizeof *d);
}

static void step(struct desk *d)
{
    struct tdm_board_window_event event;

    (void)tdm_board_window_step(d->window, tdm_clock_now());
    while (tdm_board_window_take(d->window, &event)) {
        d->closed = d->closed || event.kind == TDM_BOARD_WINDOW_CLOSED;
        d->edited = d->edited || event.kind == TDM_BOARD_WINDOW_EDITED;
        d->wanted += event.kind == TDM_BOARD_WINDOW_WANT;
        if (event.kind == TDM_BOARD_WINDOW_LIVE)
            d->live = event.live;
        if (event.kind == TDM_BOARD_WINDOW_FILE || event.kind == TDM_BOARD_WINDOW_EXPORT)
            (void)snprintf(d->file, sizeof d->file, "%s", event.text);
        if (event.kind == TDM_BOARD_WINDOW_FILE)
            d->file_x = event.board_x;
        if (event.kind == TDM_BOARD_WINDOW_IMAGE)
            d->image_size = event.size;
    }
    tdm_board_fresh_done(d->board);
}

/* Steps the windows until something is so. */
#define UNTIL(what)                                                                                \
    do {                                                                                           \
        tdm_time end_ = tdm_clock_now() + PATIENCE;                                                \
        while (!(what)) {                                                                          \
            assert_true(tdm_clock_now() < end_);                                                   \
            step_all();                                                                            \
        }                                                                                          \
    } while (0)

static void step_all(void)
{
    struct pollfd fds[2];
    nfds_t count = 0;

    for (int i = 0; i < 2; i++)
        if (desks[i].window && !desks[i].closed) {
            step(&desks[i]);
            fds[count++] = (struct pollfd){tdm_board_window_fd(desks[i].window), POLLIN, 0};
        }
    (void)poll(fds, count, 5);
}

static struct tdm_board_view object(const struct desk *d, int which)
{
    struct tdm_board_view v;

    memset(&v, 0, sizeof v);
    for (const struct tdm_board_object *o = tdm_board_lowest(d->board, TDM_BOARD_FIRST_PAGE); o;
         o = tdm_board_above(o))
        if (which-- == 0) {
            tdm_board_read(d->board, o, &v);
            break;
        }
    return v;
}

/* The colour of a point of the screen, as 0xRRGGBB. */
static unsigned long colour_at(int x, int y)
{
    XImage *image = XGetImage(display, DefaultRootWindow(display), x, y, 1, 1, AllPlanes, ZPixmap);

    assert_non_null(image);
    unsigned long colour = XGetPixel(image, 0, 0) & 0xffffff;

    (void)XDestroyImage(image);
    return colour;
}

/* The hand ----------------------------------------------------------------------------------------
 */

static void fake(uint8_t type, uint8_t detail, int x, int y)
{
    (void)xcb_test_fake_input(hand, type, detail, XCB_CURRENT_TIME, XCB_NONE, (int16_t)x,
                              (int16_t)y, 0);
    (void)xcb_flush(hand);
}

static void drag(int x0, int y0, int x1, int y1)
{
    fake(XCB_MOTION_NOTIFY, 0, x0, y0);
    fake(XCB_BUTTON_PRESS, 1, 0, 0);
    fake(XCB_MOTION_NOTIFY, 0, (x0 + x1) / 2, (y0 + y1) / 2);
    fake(XCB_MOTION_NOTIFY, 0, x1, y1);
    fake(XCB_BUTTON_RELEASE, 1, 0, 0);
}

static void key(KeySym symbol)
{
    KeyCode code = XKeysymToKeycode(display, symbol);

    fake(XCB_KEY_PRESS, code, 0, 0);
    fake(XCB_KEY_RELEASE, code, 0, 0);
}

static int start(void **state)
{
    (void)state;
    if (!x_server_start(&server, "900x640x24")) {
        printf("SKIP: needs Xvfb\n");
        exit(77);
    }
    display = XOpenDisplay(server.display);
    hand = xcb_connect(server.display, NULL);
    assert_non_null(display);
    assert_false(xcb_connection_has_error(hand));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        if (desks[i].window)
            close_desk(&desks[i]);
    xcb_disconnect(hand);
    x_server_stop(&server);
    return 0;
}

/* Key, drag, pixels; a bar takes what is done on it. */
static void test_hand_to_screen(void **state)
{
    struct desk *d = &desks[0];

    (void)state;
    open_desk(d, 7, NULL);
    UNTIL(colour_at(450, 300) == PAPER);
    fake(XCB_MOTION_NOTIFY, 0, 450, 300);
    key(XK_r);
    drag(400, 250, 600, 400);
    UNTIL(object(d, 0).w == 200 * PX && d->live.selected_count == 1);
    assert_true(d->edited);
    struct tdm_board_view v = object(d, 0);

    assert_int_equal(v.type, TDM_BOARD_RECTANGLE);
    assert_int_equal(v.x, 400 * PX);
    assert_int_equal(v.h, 150 * PX);
    key(XK_Escape);
    UNTIL(d->live.selected_count == 0);
    UNTIL(colour_at(500, 250) == 0x1e1e1e);
    assert_int_equal(colour_at(500, 320), PAPER);
    /* The zoom's plus, at the left below. */
    int32_t seen = d->live.view_w;

    drag(207, HEIGHT - 34, 207, HEIGHT - 34);
    UNTIL(d->live.view_w < seen);
    assert_int_equal(object(d, 1).type, 0);
    tdm_board_window_order(d->window, tdm_clock_now(), TDM_BOARD_DO_ZOOM_WHOLE, 0);
    /* Text by keys. */
    tdm_board_window_order(d->window, tdm_clock_now(), TDM_BOARD_DO_TOOL, TDM_BOARD_TOOL_TEXT);
    drag(420, 320, 420, 320);
    UNTIL(d->live.caret_object.seq != 0);
    key(XK_h);
    key(XK_i);
    UNTIL(object(d, 1).characters == 2);
    key(XK_Escape);
    UNTIL(d->live.caret_object.seq == 0);
    close_desk(d);
}

/* What another does, its cursor, and the theme. */
static void test_other_side(void **state)
{
    struct desk *d = &desks[0];
    struct tdm_board_live live = {
        .name = "Paul", .colour = 0x1971c2ff, .cursor = true, .x = 700 * PX, .y = 500 * PX};
    const struct tdm_board_value values[] = {
        tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
        tdm_board_int(TDM_PROP_X, 450 * PX),
        tdm_board_int(TDM_PROP_Y, 300 * PX),
        tdm_board_int(TDM_PROP_W, 100 * PX),
        tdm_board_int(TDM_PROP_H, 100 * PX),
        tdm_board_int(TDM_PROP_FILL, 0x2f9e44ff),
    };
    struct tdm_board_id id;

    (void)state;
    open_desk(d, 7, "Paul");
    tdm_board_window_peer(d->window, TDM_BOARD_PEER_HERE, NULL);
    UNTIL(colour_at(500, 350) == PAPER);
    assert_int_equal(
        tdm_board_add(d->board, TDM_BOARD_RECTANGLE, values, sizeof values / sizeof *values, &id),
        TDM_OK);
    UNTIL(colour_at(500, 350) == 0x2f9e44);
    live.page = TDM_BOARD_FIRST_PAGE;
    tdm_board_window_show(d->window, tdm_clock_now(), &live);
    UNTIL(colour_at(705, 505) == 0x1971c2);
    tdm_board_window_show(d->window, tdm_clock_now(), NULL);
    UNTIL(colour_at(705, 505) == PAPER);
    tdm_board_window_order(d->window, tdm_clock_now(), TDM_BOARD_DO_THEME, 0);
    UNTIL(colour_at(705, 505) != PAPER);
    close_desk(d);
}

/* An image that is not here is asked for once, and shown when it comes. */
static void test_image(void **state)
{
    struct desk *d = &desks[0];
    static uint32_t pixels[64 * 64];
    uint8_t hash[TDM_BOARD_HASH_BYTES] = {1, 2, 3};
    const struct tdm_board_picture picture = {.hash = hash,
                                              .width = 64,
                                              .height = 64,
                                              .stride = 64 * 4,
                                              .pixels = (const uint8_t *)pixels};

    (void)state;
    for (int i = 0; i < 64 * 64; i++)
        pixels[i] = 0xffcc2211;
    open_desk(d, 7, NULL);
    UNTIL(colour_at(450, 320) == PAPER);
    tdm_board_window_place(d->window, tdm_clock_now(), hash, 64, 64, 450, 320);
    UNTIL(d->wanted);
    tdm_board_window_picture(d->window, &picture);
    UNTIL(colour_at(450, 330) == 0xcc2211);
    assert_int_equal(d->wanted, 1);
    close_desk(d);
}

/* Two windows of one process: what one copies the other pastes. */
static void test_clipboard(void **state)
{
    (void)state;
    open_desk(&desks[0], 7, NULL);
    open_desk(&desks[1], 9, NULL);
    fake(XCB_MOTION_NOTIFY, 0, 450, 300);
    UNTIL(colour_at(450, 300) == PAPER);
    uint8_t hash[TDM_BOARD_HASH_BYTES] = {9};

    tdm_board_window_place(desks[0].window, tdm_clock_now(), hash, 64, 64, 450, 320);
    tdm_board_window_order(desks[0].window, tdm_clock_now(), TDM_BOARD_DO_COPY, 0);
    tdm_board_window_order(desks[1].window, tdm_clock_now(), TDM_BOARD_DO_PASTE, 0);
    UNTIL(object(&desks[1], 0).type == TDM_BOARD_IMAGE);
    assert_memory_equal(object(&desks[1], 0).image, hash, sizeof hash);
    close_desk(&desks[0]);
    close_desk(&desks[1]);
}

/* What the clipboard's owner gives another program. */
static size_t ask_clipboard(Window asker, const char *target, char *room, size_t max)
{
    Atom property = XInternAtom(display, "ANSWER", False), type;
    XEvent event = {.type = 0};
    unsigned long count = 0, rest;
    unsigned char *data = NULL;
    int format;

    (void)XConvertSelection(display, XInternAtom(display, "CLIPBOARD", False),
                            XInternAtom(display, target, False), property, asker, CurrentTime);
    (void)XFlush(display);
    UNTIL(XCheckTypedWindowEvent(display, asker, SelectionNotify, &event));
    if (event.xselection.property == None)
        return 0;
    assert_int_equal(XGetWindowProperty(display, asker, property, 0, (long)(max / 4), True,
                                        AnyPropertyType, &type, &format, &count, &rest, &data),
                     Success);
    assert_int_equal(format, 8);
    memcpy(room, data, count);
    (void)XFree(data);
    return count;
}

/* Other programs get pixels and shapes, and what they copied as shapes becomes objects. */
static void test_pictures_of_the_clipboard(void **state)
{
    static const char svg[] = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    Window other = XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0, 1, 1, 0, 0, 0);
    struct desk *d = &desks[0];
    static char bytes[1 << 16];
    XEvent event = {.type = 0};

    (void)state;
    (void)XSync(display, False);
    open_desk(d, 7, NULL);
    UNTIL(colour_at(450, 300) == PAPER);
    fake(XCB_MOTION_NOTIFY, 0, 450, 300);
    key(XK_r);
    drag(400, 250, 600, 400);
    UNTIL(object(d, 0).w == 200 * PX && d->live.selected_count == 1);
    tdm_board_window_order(d->window, tdm_clock_now(), TDM_BOARD_DO_COPY, 0);
    UNTIL(XGetSelectionOwner(display, XInternAtom(display, "CLIPBOARD", False)) != None);
    assert_true(ask_clipboard(other, "image/png", bytes, sizeof bytes) > 100);
    assert_memory_equal(bytes, "\x89PNG", 4);
    size_t size = ask_clipboard(other, "image/svg+xml", bytes, sizeof bytes - 1);

    bytes[size] = 0;
    assert_non_null(strstr(bytes, "<path"));
    assert_int_equal(ask_clipboard(other, "text/uri-list", bytes, sizeof bytes), 0);
    /* The other way. */
    (void)XSetSelectionOwner(display, XInternAtom(display, "CLIPBOARD", False), other, CurrentTime);
    (void)XSync(display, False);
    tdm_board_window_order(d->window, tdm_clock_now(), TDM_BOARD_DO_PASTE, 0);
    for (int i = 0; i < 2; i++) {
        UNTIL(XCheckTypedWindowEvent(display, other, SelectionRequest, &event));
        const XSelectionRequestEvent *ask = &event.xselectionrequest;
        Atom utf8 = XInternAtom(display, "UTF8_STRING", False);
        XEvent reply = {.xselection = {.type = SelectionNotify,
                                       .requestor = ask->requestor,
                                       .selection = ask->selection,
                                       .target = ask->target,
                                       .property = ask->property,
                                       .time = ask->time}};

        if (i == 0)
            (void)XChangeProperty(display, ask->requestor, ask->property, XA_ATOM, 32,
                                  PropModeReplace, (const unsigned char *)&utf8, 1);
        else
            (void)XChangeProperty(display, ask->requestor, ask->property, utf8, 8, PropModeReplace,
                                  (const unsigned char *)svg, sizeof svg - 1);
        (void)XSendEvent(display, ask->requestor, False, NoEventMask, &reply);
        (void)XFlush(display);
    }
    UNTIL(d->image_size);
    assert_int_equal(d->image_size, sizeof svg - 1);
    (void)XDestroyWindow(display, other);
    close_desk(d);
}

static Window newest_window(void)
{
    Window root = DefaultRootWindow(display), parent, *children = NULL, found;
    unsigned count = 0;

    assert_int_not_equal(XQueryTree(display, root, &root, &parent, &children, &count), 0);
    assert_true(count > 0);
    found = children[count - 1];
    (void)XFree(children);
    return found;
}

static void drop_message(Window to, const char *name, Window from, const long data[4])
{
    XEvent event = {.xclient = {.type = ClientMessage,
                                .window = to,
                                .message_type = XInternAtom(display, name, False),
                                .format = 32,
                                .data.l = {(long)from, data[0], data[1], data[2], data[3]}}};

    (void)XSendEvent(display, to, False, NoEventMask, &event);
    (void)XFlush(display);
}

/* A file manager: gives what is dropped, until it is told that it was taken. */
static bool give_dropped(const char *uris)
{
    XEvent event;

    while (XPending(display)) {
        (void)XNextEvent(display, &event);
        if (event.type == ClientMessage &&
            event.xclient.message_type == XInternAtom(display, "XdndFinished", False))
            return true;
        if (event.type != SelectionRequest)
            continue;
        const XSelectionRequestEvent *ask = &event.xselectionrequest;
        XEvent reply = {.xselection = {.type = SelectionNotify,
                                       .requestor = ask->requestor,
                                       .selection = ask->selection,
                                       .target = ask->target,
                                       .property = ask->property,
                                       .time = ask->time}};

        (void)XChangeProperty(display, ask->requestor, ask->property, ask->target, 8,
                              PropModeReplace, (const unsigned char *)uris, (int)strlen(uris));
        (void)XSendEvent(display, ask->requestor, False, NoEventMask, &reply);
        (void)XFlush(display);
    }
    return false;
}

static void test_drop(void **state)
{
    Atom uri_list = XInternAtom(display, "text/uri-list", False);
    Window from = XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0, 1, 1, 0, 0, 0);

    (void)state;
    (void)XSync(display, False); /* It is older than the board's. */
    open_desk(&desks[0], 7, NULL);
    UNTIL(colour_at(450, 300) == PAPER);
    Window to = newest_window();

    (void)XSetSelectionOwner(display, XInternAtom(display, "XdndSelection", False), from,
                             CurrentTime);
    drop_message(to, "XdndEnter", from, (const long[4]){5L << 24, (long)uri_list});
    drop_message(to, "XdndPosition", from, (const long[4]){0, 450L << 16 | 300});
    drop_message(to, "XdndDrop", from, (const long[4]){0});
    UNTIL(give_dropped("# a comment\r\nfile://machine/tmp/a%20b.png\r\n"));
    UNTIL(*desks[0].file);
    assert_string_equal(desks[0].file, "/tmp/a b.png");
    (void)XDestroyWindow(display, from);
    close_desk(&desks[0]);
}

static void type(const char *letters)
{
    for (; *letters; letters++)
        key((KeySym)*letters);
}

/* By keys: what is in a folder is found by a part of its name; a name for what is written. */
static void test_files(void **state)
{
    char folder[32], path[64], written[64];
    struct desk *d = &desks[0];

    (void)state;
    /* Of letters that need no Shift. */
    (void)snprintf(folder, sizeof folder, "/tmp/board-window-%d", (int)getpid());
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/one two.png", folder);
    (void)snprintf(written, sizeof written, "%s/plan.pdf", folder);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    open_desk(d, 7, NULL);
    UNTIL(colour_at(450, 300) == PAPER);
    fake(XCB_MOTION_NOTIFY, 0, 450, 300);
    type("9");
    type(folder);
    key(XK_Return);
    type("two");
    key(XK_Return);
    UNTIL(*d->file);
    assert_string_equal(d->file, path);
    assert_int_equal(d->file_x, WIDTH / 2 * PX);
    *d->file = 0;
    /* Where it was, and what the keys do is not the board's. */
    tdm_board_window_order(d->window, tdm_clock_now(), TDM_BOARD_DO_EXPORT, 0);
    for (int i = 0; i < 5; i++)
        key(XK_BackSpace);
    type("plan");
    key(XK_Tab);
    key(XK_Tab);
    key(XK_Return);
    UNTIL(*d->file);
    assert_string_equal(d->file, written);
    assert_int_equal(object(d, 0).type, 0);
    assert_int_equal(unlink(path) + rmdir(folder), 0);
    close_desk(d);
}

/* By its user, by somebody else, and with the display: it says so, and the process lives on. */
static void test_closes(void **state)
{
    (void)state;
    open_desk(&desks[0], 7, NULL);
    UNTIL(colour_at(450, 300) == PAPER);
    XEvent event = {.xclient = {.type = ClientMessage,
                                .window = newest_window(),
                                .message_type = XInternAtom(display, "WM_PROTOCOLS", False),
                                .format = 32,
                                .data.l = {(long)XInternAtom(display, "WM_DELETE_WINDOW", False)}}};

    (void)XSendEvent(display, event.xclient.window, False, NoEventMask, &event);
    (void)XFlush(display);
    UNTIL(desks[0].closed);
    close_desk(&desks[0]);
    open_desk(&desks[0], 7, NULL);
    open_desk(&desks[1], 9, NULL);
    (void)XCloseDisplay(display);
    x_server_stop(&server);
    UNTIL(desks[0].closed && desks[1].closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hand_to_screen),
        cmocka_unit_test(test_other_side),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_clipboard),
        cmocka_unit_test(test_pictures_of_the_clipboard),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_closes),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
