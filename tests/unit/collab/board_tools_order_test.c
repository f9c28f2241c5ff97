/* SPDX-License-Identifier: MIT */
/* Commands and their keys: order, style, clipboard, pages, the view, following. */
#include "tests/unit/board_hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define PX   TDM_BOARD_UNIT
#define CLIP 65536

static struct hand h;

/* Three boxes over one another's edges, nothing selected. */
static int set_up(void **state)
{
    (void)state;
    hand_open(&h, 7);
    hand_do(&h, TDM_BOARD_DO_SNAP, 0);
    for (int i = 0; i < 3; i++) {
        hand_key(&h, 'r', 0);
        hand_drag(&h, 100 + 200 * i, 100, 200 + 200 * i, 160, 0);
        hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hand_close(&h);
    return 0;
}

static int left_of(int which)
{
    return hand_object(&h, which).x / PX;
}

static void order_is(int first, int second, int third)
{
    assert_int_equal(left_of(0), first);
    assert_int_equal(left_of(1), second);
    assert_int_equal(left_of(2), third);
}

static void test_order(void **state)
{
    (void)state;
    order_is(100, 300, 500);
    hand_click(&h, 150, 130, 0);
    hand_key(&h, ']', TDM_BOARD_CTRL);
    order_is(300, 100, 500);
    hand_key(&h, ']', TDM_BOARD_CTRL);
    hand_key(&h, ']', TDM_BOARD_CTRL);
    order_is(300, 500, 100);
    hand_key(&h, '[', TDM_BOARD_CTRL);
    order_is(300, 100, 500);
    hand_key(&h, '[', TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    order_is(100, 300, 500);
    hand_key(&h, ']', TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    order_is(300, 500, 100);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    order_is(100, 300, 500);
    /* Two together keep their own order. */
    hand_click(&h, 350, 130, TDM_BOARD_SHIFT);
    hand_key(&h, ']', TDM_BOARD_CTRL);
    order_is(500, 100, 300);
    hand_key(&h, '[', TDM_BOARD_CTRL);
    order_is(100, 300, 500);
}

static void test_style(void **state)
{
    struct tdm_board_style style;

    (void)state;
    hand_click(&h, 150, 130, 0);
    hand_do(&h, TDM_BOARD_DO_COLOUR, 0xe03131ff);
    hand_do(&h, TDM_BOARD_DO_FILL, 0xffc9c9ff);
    hand_do(&h, TDM_BOARD_DO_WIDTH, 6 * PX);
    hand_do(&h, TDM_BOARD_DO_DASH, TDM_DASH_DOTTED);
    hand_do(&h, TDM_BOARD_DO_OPACITY, 128);
    hand_do(&h, TDM_BOARD_DO_CORNER, 0);
    hand_do(&h, TDM_BOARD_DO_FONT_SIZE, 36 * PX); /* Not of a rectangle. */
    struct tdm_board_view v = hand_object(&h, 0);

    assert_int_equal(v.colour, 0xe03131ff);
    assert_int_equal(v.fill, 0xffc9c9ff);
    assert_int_equal(v.width, 6 * PX);
    assert_int_equal(v.dash, TDM_DASH_DOTTED);
    assert_int_equal(v.opacity, 128);
    assert_int_equal(v.corner, 0);
    assert_int_not_equal(v.font_size, 36 * PX);
    assert_int_not_equal(hand_object(&h, 1).colour, 0xe03131ff);
    /* What is drawn next is like it. */
    hand_key(&h, 'o', 0);
    hand_drag(&h, 300, 300, 400, 400, 0);
    v = hand_object(&h, 3);
    assert_int_equal(v.colour, 0xe03131ff);
    assert_int_equal(v.opacity, 128);
    tdm_board_tools_style(&h.tools, &style);
    assert_int_equal(style.width, 6 * PX);
    hand_key(&h, 't', 0);
    hand_click(&h, 300, 500, 0);
    hand_type(&h, "a");
    int32_t size = hand_object(&h, 4).font_size;

    hand_key(&h, '>', TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    assert_true(hand_object(&h, 4).font_size > size);
    hand_key(&h, '<', TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    assert_int_equal(hand_object(&h, 4).font_size, size);
}

static void test_clipboard(void **state)
{
    static uint8_t clip[CLIP];
    char text[64];

    (void)state;
    hand_key(&h, 'p', 0);
    hand_drag(&h, 100, 300, 200, 400, 0);
    hand_key(&h, 'n', 0);
    hand_click(&h, 500, 500, 0);
    hand_type(&h, "m\xc3\xb6re");
    hand_key(&h, TDM_BOARD_KEY_ESCAPE, 0);
    hand_key(&h, 'a', TDM_BOARD_CTRL);
    hand_key(&h, 'g', TDM_BOARD_CTRL);
    h.asked = 0;
    hand_key(&h, 'c', TDM_BOARD_CTRL);
    assert_true(h.asked & TDM_BOARD_ASK_COPY);
    size_t size = tdm_board_tools_copy(&h.tools, clip, sizeof clip);

    assert_true(size > 0);
    assert_int_equal(tdm_board_tools_copy_text(&h.tools, text, sizeof text), 5);
    assert_memory_equal(text, "m\xc3\xb6re", 5);
    hand_step(&h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_COPIED});
    assert_int_equal(hand_count(&h), 5);
    /* On another page: all of it, a group again, the pointer in its middle. */
    hand_do(&h, TDM_BOARD_DO_PAGE_NEW, 0);
    hand_pointer(&h, TDM_BOARD_IN_MOVE, 400, 300, 0);
    h.asked = 0;
    hand_key(&h, 'v', TDM_BOARD_CTRL);
    assert_true(h.asked & TDM_BOARD_ASK_PASTE);
    const struct tdm_board_in paste = {
        .kind = TDM_BOARD_IN_CLIP, .text = (const char *)clip, .size = size};

    hand_step(&h, &paste);
    assert_int_equal(hand_count(&h), 5);
    assert_int_equal(h.tools.selected_count, 5);
    assert_in_range((int)(h.tools.box.x + h.tools.box.w / 2), 399, 401);
    struct tdm_board_view pen = hand_object(&h, 3), note = hand_object(&h, 4);

    assert_int_equal(pen.points, 5);
    assert_true(pen.sealed && !pen.broken);
    assert_int_equal(note.characters, 4);
    assert_int_not_equal(note.group.seq, 0);
    assert_true(tdm_board_same(note.group, pen.group));
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    assert_int_equal(hand_count(&h), 0);
    /* Bytes that are cut off anywhere, or are something else, break nothing. */
    for (size_t cut = 0; cut < size; cut += 7) {
        struct tdm_board_in part = paste;

        part.size = cut;
        hand_step(&h, &part);
        for (size_t i = 9; i < 40; i++)
            clip[i + cut % 100] ^= (uint8_t)(cut * 31 + i);
    }
}

static void test_cut_and_delete(void **state)
{
    static uint8_t clip[CLIP];

    (void)state;
    hand_click(&h, 150, 130, 0);
    hand_key(&h, 'x', TDM_BOARD_CTRL);
    assert_int_equal(hand_count(&h), 3); /* Until it is on the clipboard. */
    assert_true(tdm_board_tools_copy(&h.tools, clip, sizeof clip) > 0);
    assert_int_equal(tdm_board_tools_copy(&h.tools, clip, 20), 0);
    hand_step(&h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_COPIED});
    assert_int_equal(hand_count(&h), 2);
    hand_click(&h, 350, 130, 0);
    hand_key(&h, TDM_BOARD_KEY_BACKSPACE, 0);
    assert_int_equal(hand_count(&h), 1);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    assert_int_equal(hand_count(&h), 3);
    hand_key(&h, 'y', TDM_BOARD_CTRL);
    assert_int_equal(hand_count(&h), 2);
}

static void test_pages(void **state)
{
    uint32_t count;

    (void)state;
    assert_int_equal(tdm_board_tools_page(&h.tools, &count), 0);
    assert_int_equal(count, 1);
    hand_key(&h, TDM_BOARD_KEY_PAGE_UP, TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    assert_true(h.asked & TDM_BOARD_ASK_SAY); /* The last one stays. */
    hand_key(&h, TDM_BOARD_KEY_PAGE_DOWN, TDM_BOARD_CTRL);
    assert_int_equal(tdm_board_tools_page(&h.tools, &count), 1);
    assert_int_equal(count, 2);
    assert_int_equal(hand_count(&h), 0);
    hand_key(&h, TDM_BOARD_KEY_PAGE_DOWN, 0); /* There is none. */
    assert_int_equal(tdm_board_tools_page(&h.tools, &count), 1);
    hand_key(&h, 'r', 0);
    hand_drag(&h, 100, 100, 200, 200, 0);
    hand_key(&h, TDM_BOARD_KEY_PAGE_UP, 0);
    assert_int_equal(hand_count(&h), 3);
    assert_int_equal(h.tools.selected_count, 0);
    hand_do(&h, TDM_BOARD_DO_PAGE_NEW, 0); /* Between the two. */
    assert_int_equal(tdm_board_tools_page(&h.tools, &count), 1);
    assert_int_equal(count, 3);
    hand_do(&h, TDM_BOARD_DO_PAGE, 2);
    assert_int_equal(hand_count(&h), 1);
    hand_key(&h, TDM_BOARD_KEY_PAGE_UP, TDM_BOARD_CTRL | TDM_BOARD_SHIFT);
    (void)tdm_board_tools_page(&h.tools, &count);
    assert_int_equal(count, 2);
    hand_key(&h, 'z', TDM_BOARD_CTRL);
    (void)tdm_board_tools_page(&h.tools, &count);
    assert_int_equal(count, 3);
    /* The page at hand goes by another's hand. */
    assert_int_equal(tdm_board_delete(h.board, h.tools.page), TDM_OK);
    hand_step(&h, &(struct tdm_board_in){.kind = TDM_BOARD_IN_REMOTE});
    assert_int_equal(tdm_board_tools_page(&h.tools, &count), 0);
    assert_int_equal(count, 2);
}

static void wheel(double dx, double dy, uint32_t mods)
{
    hand_step(
        &h, &(struct tdm_board_in){
                .kind = TDM_BOARD_IN_WHEEL, .x = 500, .y = 400, .dx = dx, .dy = dy, .mods = mods});
}

static void test_view(void **state)
{
    struct tdm_board_canvas *c = &h.tools.canvas;

    (void)state;
    wheel(0, 1, 0);
    assert_true(c->y > 0 && c->x == 0);
    wheel(0, 1, TDM_BOARD_SHIFT);
    assert_true(c->x > 0);
    hand_drag(&h, 300, 300, 300 + c->x, 300 + c->y, TDM_BOARD_SPACE);
    assert_true(fabs(c->x) < 0.01 && fabs(c->y) < 0.01);
    hand_key(&h, 'h', 0);
    hand_drag(&h, 300, 300, 200, 300, 0);
    assert_true(fabs(c->x - 100) < 0.01);
    assert_int_equal(hand_count(&h), 3);
    /* What is under the pointer stays there. */
    double x = tdm_board_canvas_x(c, 500), y = tdm_board_canvas_y(c, 400);

    wheel(0, -3, TDM_BOARD_CTRL);
    assert_true(c->zoom > 1.4);
    assert_true(fabs(tdm_board_canvas_x(c, 500) - x) < 1);
    assert_true(fabs(tdm_board_canvas_y(c, 400) - y) < 1);
    for (int i = 0; i < 200; i++)
        wheel(0, -3, TDM_BOARD_CTRL);
    assert_true(c->zoom <= TDM_BOARD_ZOOM_MAX);
    for (int i = 0; i < 200; i++)
        wheel(0, 3, TDM_BOARD_CTRL);
    assert_true(c->zoom >= TDM_BOARD_ZOOM_MIN);
    hand_key(&h, '0', TDM_BOARD_CTRL);
    assert_true(c->zoom == 1);
    hand_key(&h, '=', TDM_BOARD_CTRL);
    assert_true(c->zoom == 1.25);
    hand_key(&h, '-', TDM_BOARD_CTRL);
    assert_true(c->zoom == 1);
    hand_key(&h, '1', TDM_BOARD_SHIFT);
    assert_true(c->x < 100 && c->x + 1000 / c->zoom > 600);
    hand_key(&h, 'v', 0);
    hand_click(&h, (150 - c->x) * c->zoom, (130 - c->y) * c->zoom, 0);
    assert_int_equal(h.tools.selected_count, 1);
    hand_key(&h, '2', TDM_BOARD_SHIFT);
    assert_true(c->zoom > 2);
}

static void finger(enum tdm_board_in_kind kind, uint32_t which, double x, double y)
{
    hand_step(&h, &(struct tdm_board_in){.kind = kind,
                                         .device = TDM_DEVICE_TOUCH,
                                         .touch = which,
                                         .x = x,
                                         .y = y,
                                         .button = 1,
                                         .clicks = 1});
}

/* One finger draws; a second one takes that back, and both move and zoom. */
static void test_fingers(void **state)
{
    (void)state;
    hand_key(&h, 'p', 0);
    finger(TDM_BOARD_IN_DOWN, 4, 400, 400);
    finger(TDM_BOARD_IN_MOVE, 4, 420, 400);
    assert_int_equal(hand_count(&h), 4);
    finger(TDM_BOARD_IN_DOWN, 5, 600, 400);
    assert_int_equal(hand_count(&h), 3);
    finger(TDM_BOARD_IN_MOVE, 5, 780, 400);
    assert_true(fabs(h.tools.canvas.zoom - 2) < 0.01);
    finger(TDM_BOARD_IN_UP, 4, 420, 400);
    finger(TDM_BOARD_IN_MOVE, 5, 700, 500); /* The one that is left draws nothing. */
    finger(TDM_BOARD_IN_UP, 5, 700, 500);
    assert_int_equal(hand_count(&h), 3);
    finger(TDM_BOARD_IN_DOWN, 6, 400, 400);
    finger(TDM_BOARD_IN_UP, 6, 400, 400);
    assert_int_equal(hand_count(&h), 4);
}

static void test_follow(void **state)
{
    const struct tdm_board_in theirs = {.kind = TDM_BOARD_IN_VIEW,
                                        .page = h.tools.page,
                                        .area = {1000 * PX, 2000 * PX, 500 * PX, 400 * PX}};
    struct tdm_board_live live;

    (void)state;
    memset(&live, 0, sizeof live);
    hand_step(&h, &theirs);
    assert_true(h.tools.canvas.x == 0);
    hand_key(&h, 'f', 0);
    hand_step(&h, &theirs);
    assert_true(fabs(h.tools.canvas.zoom - 2) < 0.01);
    assert_true(fabs(h.tools.canvas.x - 1000) < 1);
    assert_true(h.tools.follows);
    wheel(0, 1, 0); /* Moving oneself ends it. */
    assert_false(h.tools.follows);
    hand_key(&h, 'f', TDM_BOARD_SHIFT);
    tdm_board_tools_live(&h.tools, &live);
    assert_true(live.presenting);
    assert_in_range(abs(live.view_w - 500 * PX), 0, 2 * PX);
}

/* Each key of the table does its command, and no two rows are the same key. */
static void test_table(void **state)
{
    size_t count;
    const struct tdm_board_shortcut *s = tdm_board_shortcuts(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct tdm_board_shortcut *found = tdm_board_shortcut_of(s[i].key, s[i].mods);

        assert_ptr_equal(found, &s[i]);
        assert_non_null(s[i].name);
        hand_key(&h, s[i].key, s[i].mods);
        if (s[i].command >= TDM_BOARD_DO_HELP) {
            assert_true(h.out.asked & TDM_BOARD_ASK_COMMAND);
            assert_int_equal(h.out.command, s[i].command);
        } else if (s[i].command == TDM_BOARD_DO_TOOL && s[i].value != TDM_BOARD_TOOL_IMAGE) {
            assert_int_equal(h.tools.tool, s[i].value);
        }
    }
    assert_null(tdm_board_shortcut_of('r', TDM_BOARD_ALT));
    assert_non_null(tdm_board_shortcut_for(TDM_BOARD_DO_TOOL, TDM_BOARD_TOOL_PEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_style, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clipboard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut_and_delete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_view, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fingers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_follow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
