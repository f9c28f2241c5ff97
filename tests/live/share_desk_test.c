/* SPDX-License-Identifier: MIT */
/*
 * A real display shared between two engines: the picture is the display's, pixel by pixel; keys
 * reach a terminal there when they are allowed, and only then, whatever a hostile viewer sends; a
 * broken connection goes on by what the viewer has.
 */
#include "collab/control_keys.h"
#include "engine/share_hand_state.h"
#include "engine/share_state.h"
#include "tandem/share.h"
#include "tests/live/pair.h"
#include "tests/unit/x_server.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#define CONTROL     (TANDEM_SHARE_POINTER | TANDEM_SHARE_KEYBOARD)
#define PATIENCE_MS 30000

static const struct tandem_media alone = {.video_source = "off",
                                          .video_sink = "off",
                                          .audio_source = "off",
                                          .audio_sink = "off",
                                          .channel = true};
static struct pair p;
static struct tandem_share *host, *viewer; /* A gives, B looks. */
static unsigned allowed;                   /* As the viewer heard last. */
static bool asked;                         /* The host was. */
static struct x_server x;
static Display *display;
static pid_t terminal;
static char typed[256];

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
        asked |= event.kind == TANDEM_SHARE_ASKED;
    while (tandem_share_next_event(viewer, &event) == TANDEM_OK)
        if (event.kind == TANDEM_SHARE_ALLOWED || event.kind == TANDEM_SHARE_REVOKED)
            allowed = event.scopes;
}

static void until(bool (*ready)(void), const char *what)
{
    int64_t end = now_ms() + PATIENCE_MS;

    while (!ready()) {
        if (now_ms() > end)
            fail_msg("waited in vain: %s", what);
        turn();
    }
}

/* The viewer's picture against what the display has now. */
static bool is_equal(void)
{
    static struct tandem_share_picture picture;
    static uint32_t copy[1024 * 768];
    static int width, height;

    if (tandem_share_picture(viewer, 0, &picture) == TANDEM_OK) {
        width = picture.width;
        height = picture.height;
        for (int y = 0; y < height; y++)
            memcpy(copy + (size_t)y * (size_t)width,
                   (const uint8_t *)picture.pixels + (size_t)y * picture.stride, (size_t)width * 4);
        tandem_share_picture_done(viewer);
    }
    if (!width)
        return false;
    XImage *image = XGetImage(display, DefaultRootWindow(display), 0, 0, (unsigned)width,
                              (unsigned)height, AllPlanes, ZPixmap);
    bool equal = image != NULL;

    for (int y = 0; equal && y < height; y++)
        for (int at = 0; equal && at < width; at++)
            equal = ((copy[y * width + at] ^
                      ((uint32_t *)(void *)(image->data + y * image->bytes_per_line))[at]) &
                     0xffffff) == 0;
    if (image)
        XDestroyImage(image);
    return equal;
}

static bool terminal_is_there(void)
{
    struct stat s;

    return stat(typed, &s) == 0;
}

static void start_terminal(void)
{
    char command[320];

    (void)pair_file("typed", typed, sizeof typed);
    (void)snprintf(command, sizeof command, "cat >'%s'", typed);
    terminal = fork();
    if (terminal == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)setenv("DISPLAY", x.display, 1);
        (void)execlp("xterm", "xterm", "-geometry", "60x16+20+60", "-e", "sh", "-c", command,
                     (char *)NULL);
        _exit(127);
    }
}

static int start(void **state)
{
    const struct tandem_share_offer offer = {.unasked_view = true};
    struct tandem_media a = alone, b = alone;
    struct tandem_cause cause = {""};
    char desktop[32];

    (void)state;
    if (access("/usr/bin/xterm", X_OK) != 0 || !x_server_start(&x, "800x600x24")) {
        printf("SKIP: needs Xvfb and xterm\n");
        exit(77);
    }
    (void)snprintf(desktop, sizeof desktop, "x11%s", x.display);
    display = XOpenDisplay(x.display);
    assert_non_null(display);
    start_terminal();
    (void)unsetenv("DISPLAY"); /* The viewer's clipboard is not the host's. */
    assert_int_equal(
        tandem_share_create(&(struct tandem_share_config){.desktop = desktop}, &host, &cause),
        TANDEM_OK);
    assert_int_equal(tandem_share_create(NULL, &viewer, &cause), TANDEM_OK);
    if (tandem_share_give(host, &offer, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
    host->host->config.consent.pause_seconds = 1; /* A stranger's question: not ten. */
    a.share = host;
    b.share = viewer;
    pair_start(&p, &a, &b);
    return 0;
}

static int stop(void **state)
{
    pair_hang_up(&p);
    pair_close(&p);
    tandem_share_destroy(host);
    tandem_share_destroy(viewer);
    (void)kill(terminal, SIGTERM);
    (void)waitpid(terminal, NULL, 0);
    (void)XCloseDisplay(display);
    x_server_stop(&x);
    return pair_files_remove(state);
}

static void test_equal(void **state)
{
    (void)state;
    until(terminal_is_there, "a terminal");
    until(is_equal, "the picture of the display");
    XFillRectangle(display, DefaultRootWindow(display), DefaultGC(display, 0), 500, 300, 77, 33);
    XSync(display, False);
    until(is_equal, "the picture after something was drawn");
}

static void input(struct tandem_share_input in)
{
    (void)tandem_share_input(viewer, &in);
}

static void type(const char *text)
{
    static const uint16_t usages[26] = {4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                                        17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29};

    for (; *text; text++) {
        struct tandem_share_input in = {.kind = TANDEM_SHARE_KEY,
                                        .code = *text == '\n' ? 40 : usages[*text - 'a'],
                                        .symbol = *text == '\n' ? XK_Return : (uint32_t)*text,
                                        .down = true};

        if (*text != '\n')
            in.text[0] = *text;
        input(in);
        in.down = false;
        in.text[0] = 0;
        input(in);
    }
}

static const char *expected;

static bool is_typed(void)
{
    char text[64] = "";
    FILE *file = fopen(typed, "r");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;

    if (file)
        (void)fclose(file);
    text[size] = 0;
    return strcmp(text, expected) == 0;
}

static bool is_allowed(void)
{
    return (allowed & CONTROL) == CONTROL;
}

static bool is_not_allowed(void)
{
    return (allowed & CONTROL) == 0;
}

static bool was_asked(void)
{
    return asked;
}

/* As a viewer does who does not keep to what it was told: a record, under whatever grant. */
static void forge(uint32_t seq)
{
    struct tdm_share_hand *hand = viewer->view;
    const struct tdm_control_record forged = {
        .kind = TDM_CONTROL_TEXT, .seq = seq, .data = (const uint8_t *)"evil\n", .size = 5};

    pthread_mutex_lock(&hand->lock);
    assert_int_equal(tdm_control_pipe_put(&hand->out[0], &forged), TDM_OK);
    pthread_mutex_unlock(&hand->lock);
    tdm_share_wake(viewer);
}

static uint64_t refused_before;

static bool is_refused(void)
{
    struct tandem_share_stats stats;

    (void)tandem_share_stats(host, &stats);
    return stats.input_refused > refused_before;
}

static void forge_in_vain(uint32_t seq)
{
    struct tandem_share_stats stats;

    (void)tandem_share_stats(host, &stats);
    refused_before = stats.input_refused;
    forge(seq);
    until(is_refused, "a forged record to be refused");
}

static void allow_control(void)
{
    struct tandem_cause cause = {""};

    asked = false;
    assert_int_equal(tandem_share_ask(viewer, TANDEM_SHARE_VIEW | CONTROL), TANDEM_OK);
    until(was_asked, "the question");
    /* A stranger's question cannot be answered with yes at once. */
    while (!is_allowed()) {
        assert_int_equal(tandem_share_answer(host, TANDEM_SHARE_VIEW | CONTROL, 60, &cause),
                         TANDEM_OK);
        for (int i = 0; i < 25 && !is_allowed(); i++)
            turn();
    }
}

static void test_control(void **state)
{
    (void)state;
    until(is_equal, "the picture");
    input((struct tandem_share_input){.kind = TANDEM_SHARE_FOCUS, .down = true});
    type("no\n");
    forge_in_vain(0);
    allow_control();
    input((struct tandem_share_input){.kind = TANDEM_SHARE_FOCUS, .down = true});
    input((struct tandem_share_input){.kind = TANDEM_SHARE_MOVE, .x = 100, .y = 150});
    type("hello\n");
    expected = "hello\n";
    until(is_typed, "what was typed");
    until(is_equal, "the terminal with what was typed");
    uint32_t seq = viewer->view->view.seq;

    assert_int_equal(tandem_share_answer(host, TANDEM_SHARE_VIEW, 0, NULL), TANDEM_OK);
    until(is_not_allowed, "control to be taken back");
    type("more\n");
    forge_in_vain(seq);
    forge_in_vain(seq + 1);
    assert_true(is_typed());
}

/* Breaks the TCP connections of a local port, as a cut cable would in the end. */
static int break_connections(uint16_t port)
{
    int broken = 0;

    for (int fd = 3; fd < 1024; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof peer;

        if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == port)
            broken += shutdown(fd, SHUT_RDWR) == 0;
    }
    return broken;
}

static bool is_up_again(void)
{
    return side_stats(&p.a).channel.reconnects > 0 &&
           side_stats(&p.a).channel.state == TANDEM_CHANNEL_UP;
}

/* What the viewer has is not sent again. */
static void test_break(void **state)
{
    struct tandem_share_stats before, after;
    struct tandem_stats a = side_stats(&p.a), b = side_stats(&p.b);
    uint16_t port = a.channel.dialed ? b.channel.port : a.channel.port;

    (void)state;
    until(is_equal, "the picture");
    (void)tandem_share_stats(host, &before);
    assert_true(break_connections(port) > 0);
    XFillRectangle(display, DefaultRootWindow(display), DefaultGC(display, 0), 600, 400, 70, 70);
    XSync(display, False);
    until(is_up_again, "the channel");
    until(is_equal, "the picture after the break");
    (void)tandem_share_stats(host, &after);
    print_message("%d bytes after the break, of %d\n", (int)(after.bytes - before.bytes),
                  (int)before.bytes);
    assert_true(after.bytes - before.bytes < before.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_break),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
