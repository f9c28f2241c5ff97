/* SPDX-License-Identifier: MIT */

/* The screen source on a private Xvfb, whose root window the test paints. */

#include "capture/source.h"

#include "engine/io/clock.h"
#include "tests/unit/x_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <xcb/xcb.h>
/* After the four headers that it needs. */
#include <cmocka.h>

static const struct tdm_video_source_ops *screen_ops(void)
{
    const char *rest;

    return tdm_video_source_find("screen", &rest, NULL);
}

static enum tdm_err open_screen(const char *argument, struct tdm_video_source **source,
                                struct tdm_cause *cause)
{
    const struct tdm_video_source_config config = {
        .argument = argument, .width = 320, .height = 240, .fps = 50, .wake_fd = -1};

    return screen_ops()->create(&config, source, cause);
}

static void paint(xcb_connection_t *c, uint32_t colour)
{
    const xcb_screen_t *screen = xcb_setup_roots_iterator(xcb_get_setup(c)).data;
    const xcb_rectangle_t all = {0, 0, screen->width_in_pixels, screen->height_in_pixels};
    xcb_gcontext_t gc = xcb_generate_id(c);

    xcb_create_gc(c, gc, screen->root, XCB_GC_FOREGROUND, &colour);
    xcb_poly_fill_rectangle(c, screen->root, gc, 1, &all);
    free(xcb_get_input_focus_reply(c, xcb_get_input_focus(c), NULL)); /* Has drawn. */
}

static void the_screen_is_seen_until_it_goes(void **state)
{
    (void)state;
    struct x_server server;

    if (!x_server_start(&server, "640x360x24"))
        skip();
    struct tdm_video_source *source = NULL;
    struct tdm_picture pic;
    struct tdm_cause cause = {""};
    xcb_connection_t *c = xcb_connect(server.display, NULL);
    const struct {
        uint32_t rgb;
        int y, u, v;
    } colours[] = {
        {0xff0000, 81, 90, 240},   {0x00ff00, 145, 54, 34}, {0x0000ff, 41, 240, 110},
        {0xffffff, 235, 128, 128}, {0, 16, 128, 128},
    };

    assert_int_equal(open_screen(server.display, &source, NULL), TDM_OK);
    for (uint32_t i = 0; i < 5; i++) {
        paint(c, colours[i].rgb);
        assert_int_equal(screen_ops()->next(source, &pic, &cause), TDM_OK);
        assert_int_equal(pic.frame_id, i);
        assert_true(pic.captured <= tdm_clock_now());
        assert_in_range(pic.planes[0][120 * 320 + 160] + 2, colours[i].y, colours[i].y + 4);
        assert_in_range(pic.planes[1][60 * 160 + 80] + 2, colours[i].u, colours[i].u + 4);
        assert_in_range(pic.planes[2][60 * 160 + 80] + 2, colours[i].v, colours[i].v + 4);
        assert_int_equal(pic.planes[0][10 * 320 + 160], 16); /* 180 high, bars of 30. */
    }
    xcb_disconnect(c);
    x_server_stop(&server);
    enum tdm_err err = TDM_OK;

    for (int i = 0; i < 100 && !err; i++)
        err = screen_ops()->next(source, &pic, &cause);
    assert_int_equal(err, TDM_E_GONE);
    assert_non_null(strstr(cause.text, "has closed"));
    screen_ops()->destroy(source);
}

static void no_display_is_explained(void **state)
{
    (void)state;
    struct tdm_video_source *source = NULL;
    struct tdm_cause cause;

    (void)unsetenv("DISPLAY");
    assert_int_equal(open_screen("", &source, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "set DISPLAY"));
    assert_int_equal(open_screen(":987654", &source, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "cannot open display \":987654\""));
    assert_int_equal(open_screen("nonsense", &source, &cause), TDM_E_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_screen_is_seen_until_it_goes),
        cmocka_unit_test(no_display_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
