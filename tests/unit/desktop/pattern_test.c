/* SPDX-License-Identifier: MIT */

/* The synthetic desktop, and how desktops and parts of them are named. */

#include "desktop/desktop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define WIDTH  640
#define HEIGHT 360

static uint32_t frame[WIDTH * HEIGHT], whole[WIDTH * HEIGHT];

static const struct tdm_desktop_ops *
open_pattern(const char *spec, const struct tdm_desktop_rule *rule, struct tdm_desktop **desktop)
{
    struct tdm_desktop_config config = {.never = rule, .never_count = rule ? 1 : 0};
    struct tdm_cause cause = {""};
    const struct tdm_desktop_ops *ops = tdm_desktop_find(spec, &config.argument, &cause);

    assert_non_null(ops);
    assert_int_equal(ops->open(&config, desktop, &cause), TDM_OK);
    return ops;
}

static void grab(const struct tdm_desktop_ops *ops, struct tdm_desktop *d, struct tdm_rect rect,
                 uint32_t *into)
{
    const struct tdm_desktop_surface *surface;

    assert_int_equal(ops->surfaces(d, &surface), 1);
    assert_int_equal(ops->grab(d, surface, rect, (uint8_t *)into, (ptrdiff_t)WIDTH * 4, NULL),
                     TDM_OK);
}

static void what_is_told_is_exact(void **state)
{
    static const char *const scripts[] = {"pattern:still", "pattern:typing", "pattern:scroll",
                                          "pattern:drag",  "pattern:movie",  "pattern"};
    const struct tdm_rect all = {0, 0, WIDTH, HEIGHT};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct tdm_desktop *d;
        const struct tdm_desktop_ops *ops = open_pattern(scripts[i], NULL, &d);
        struct tdm_desktop_out out = {.wake_at = TDM_S};
        size_t changes = 0;

        memset(frame, 0x55, sizeof frame);
        for (int turn = 0; turn < 100 && out.wake_at != TDM_NEVER; turn++) {
            assert_int_equal(ops->step(d, out.wake_at, &out, NULL), TDM_OK);
            for (size_t k = 0; k < out.dirty_count; k++)
                grab(ops, d, out.dirty[k].rect, frame);
            changes += out.dirty_count;
            grab(ops, d, all, whole);
            assert_memory_equal(frame, whole, sizeof frame);
        }
        assert_true(changes >= (i == 0 ? 1 : 60));
        ops->close(d);
    }
}

static void rules_and_picks_work(void **state)
{
    const struct tdm_desktop_rule rule = {.title_part = "notes"};
    struct tdm_desktop *d;
    struct tdm_desktop_out out;
    struct tdm_desktop_pick pick = {.what = TDM_DESKTOP_WINDOW, .window = 1};
    const struct tdm_desktop_ops *ops = open_pattern("pattern:still", &rule, &d);

    (void)state;
    assert_int_equal(ops->step(d, TDM_S, &out, NULL), TDM_OK);
    grab(ops, d, (struct tdm_rect){0, 0, WIDTH, HEIGHT}, frame);
    assert_int_equal(frame[100 * WIDTH + 150], TDM_DESKTOP_GREY);
    assert_true(frame[10 * WIDTH + 10] != TDM_DESKTOP_GREY);
    assert_int_equal(ops->never(d, NULL, 0, NULL), TDM_OK);
    assert_int_equal(ops->select(d, &pick, NULL), TDM_OK);
    assert_int_equal(ops->step(d, TDM_S, &out, NULL), TDM_OK);
    assert_true(out.told & TDM_DESKTOP_TOLD_SURFACES);
    assert_true(tdm_rect_equal(out.dirty[0].rect, (struct tdm_rect){0, 0, 200, 120}));
    pick.window = 2;
    assert_int_equal(ops->select(d, &pick, NULL), TDM_E_GONE);
    ops->close(d);
}

static void parts_are_named(void **state)
{
    static const struct {
        const char *text;
        struct tdm_desktop_pick pick;
    } rows[] = {
        {"all", {.what = TDM_DESKTOP_ALL}},
        {"1", {.what = TDM_DESKTOP_OUTPUT, .number = 1}},
        {"16", {.what = TDM_DESKTOP_OUTPUT, .number = 16}},
        {"window:0x1a00003", {.what = TDM_DESKTOP_WINDOW, .window = 0x1a00003}},
        {"window", {.what = TDM_DESKTOP_WINDOW}},
        {"window:7", {.what = TDM_DESKTOP_WINDOW, .window = 7}},
        {"640x480+10+20", {.what = TDM_DESKTOP_RECT, .rect = {10, 20, 640, 480}}},
    };
    static const char *const wrong[] = {"",
                                        "none",
                                        "0",
                                        "17",
                                        "-1",
                                        "window:",
                                        "window:x",
                                        "window:0",
                                        "640x480",
                                        "640x480+1",
                                        "640x480+1+",
                                        "0x5+1+1",
                                        "640x0+1+1",
                                        "640x4+1+1x",
                                        "1 ",
                                        "9999999x9+0+0",
                                        "window:99999999999"};
    struct tdm_desktop_pick pick;
    struct tdm_cause cause;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(tdm_desktop_pick_parse(rows[i].text, &pick, &cause), TDM_OK);
        assert_int_equal(pick.what, rows[i].pick.what);
        assert_int_equal(pick.number, rows[i].pick.number);
        assert_int_equal(pick.window, rows[i].pick.window);
        assert_true(tdm_rect_equal(pick.rect, rows[i].pick.rect));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(tdm_desktop_pick_parse(wrong[i], &pick, &cause), TDM_E_MALFORMED);
}

static void what_is_not_possible_is_said(void **state)
{
    const char *rest;
    struct tdm_cause cause;

    (void)state;
    (void)setenv("DISPLAY", ":0", 1);
    (void)unsetenv("WAYLAND_DISPLAY");
    assert_string_equal(tdm_desktop_find("", &rest, &cause)->kind, "x11");
    (void)setenv("WAYLAND_DISPLAY", "wayland-0", 1);
    assert_null(tdm_desktop_find("", &rest, &cause));
    assert_non_null(strstr(cause.text, "Wayland"));
    assert_string_equal(tdm_desktop_find("x11:3", &rest, &cause)->kind, "x11");
    assert_string_equal(rest, "3");
    (void)unsetenv("WAYLAND_DISPLAY");
    (void)unsetenv("DISPLAY");
    assert_null(tdm_desktop_find("", &rest, &cause));
    assert_non_null(strstr(cause.text, "set DISPLAY"));
    assert_null(tdm_desktop_find("kms", &rest, &cause));
    assert_non_null(strstr(cause.text, "x11[:DISPLAY]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_is_exact),
        cmocka_unit_test(rules_and_picks_work),
        cmocka_unit_test(parts_are_named),
        cmocka_unit_test(what_is_not_possible_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
