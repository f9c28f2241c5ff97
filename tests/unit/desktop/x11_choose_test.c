/* SPDX-License-Identifier: MIT */

/* A window chosen by a click on a private Xvfb: the test is the hand. */

#include "desktop/registry.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "tests/unit/x_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <xcb/xtest.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define LIMIT       (30 * TDM_S)
#define ESCAPE_CODE 9 /* Of every evdev and pc105 map. */

static struct x_server server;
static xcb_connection_t *c;
static xcb_window_t root, window;

struct asked {
    pthread_t thread;
    enum tdm_err err;
    uint32_t window;
};

static void *ask(void *arg)
{
    struct asked *asked = arg;
    struct tdm_cause cause;

    asked->err = tdm_x11_desktop.choose(server.display, &asked->window, &cause);
    return NULL;
}

static void act(uint8_t type, uint8_t detail, int16_t x, int16_t y)
{
    (void)xcb_test_fake_input(c, type, detail, XCB_CURRENT_TIME, root, x, y, 0);
    free(xcb_get_input_focus_reply(c, xcb_get_input_focus(c), NULL));
}

/* Until the keyboard, the second of the two, belongs to who chooses. */
static void start(struct asked *asked)
{
    tdm_time end = tdm_clock_now() + LIMIT;
    bool taken = false;

    assert_int_equal(pthread_create(&asked->thread, NULL, ask, asked), 0);
    while (!taken) {
        xcb_grab_keyboard_reply_t *reply =
            xcb_grab_keyboard_reply(c,
                                    xcb_grab_keyboard(c, 0, window, XCB_CURRENT_TIME,
                                                      XCB_GRAB_MODE_ASYNC, XCB_GRAB_MODE_ASYNC),
                                    NULL);

        assert_non_null(reply);
        taken = reply->status == XCB_GRAB_STATUS_ALREADY_GRABBED;
        free(reply);
        (void)xcb_ungrab_keyboard(c, XCB_CURRENT_TIME);
        (void)xcb_flush(c);
        (void)tdm_wait_until(tdm_clock_now() + 10 * TDM_MS, -1, -1);
        assert_true(tdm_clock_now() < end);
    }
}

static void test_click(void **state)
{
    struct asked asked = {0};

    (void)state;
    start(&asked);
    /* Beside every window first: that chooses none. */
    act(XCB_MOTION_NOTIFY, 0, 500, 400);
    act(XCB_BUTTON_PRESS, 1, 0, 0);
    act(XCB_BUTTON_RELEASE, 1, 0, 0);
    act(XCB_MOTION_NOTIFY, 0, 60, 70);
    act(XCB_BUTTON_PRESS, 1, 0, 0);
    act(XCB_BUTTON_RELEASE, 1, 0, 0);
    (void)pthread_join(asked.thread, NULL);
    assert_int_equal(asked.err, TDM_OK);
    assert_int_equal(asked.window, window);
    xcb_generic_event_t *event;

    while ((event = xcb_poll_for_event(c))) { /* The click did not come to the window. */
        assert_int_not_equal(event->response_type & 0x7f, XCB_BUTTON_PRESS);
        free(event);
    }
}

static void test_cancelled(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct asked asked = {0};
        bool key = i == 0;

        start(&asked);
        act(XCB_MOTION_NOTIFY, 0, 60, 70);
        act(key ? XCB_KEY_PRESS : XCB_BUTTON_PRESS, key ? ESCAPE_CODE : 3, 0, 0);
        act(key ? XCB_KEY_RELEASE : XCB_BUTTON_RELEASE, key ? ESCAPE_CODE : 3, 0, 0);
        (void)pthread_join(asked.thread, NULL);
        assert_int_equal(asked.err, TDM_E_GONE);
        assert_int_equal(asked.window, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_click),
                                       cmocka_unit_test(test_cancelled)};
    const uint32_t events[] = {XCB_EVENT_MASK_BUTTON_PRESS};

    if (!x_server_start(&server, "640x480x24")) {
        printf("SKIP: needs Xvfb\n");
        return 77;
    }
    c = xcb_connect(server.display, NULL);
    root = xcb_setup_roots_iterator(xcb_get_setup(c)).data->root;
    window = xcb_generate_id(c);
    (void)xcb_create_window(c, XCB_COPY_FROM_PARENT, window, root, 20, 30, 200, 100, 0,
                            XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT, XCB_CW_EVENT_MASK,
                            events);
    (void)xcb_map_window(c, window);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    xcb_disconnect(c);
    x_server_stop(&server);
    return failed;
}
