/* SPDX-License-Identifier: MIT */
#include "board/svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SVG(inside)                                                                                \
    "<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"svg11.dtd\">"       \
    "<svg xmlns=\"http://www.w3.org/2000/svg\">" inside "</svg>"

static struct tdm_drawing drawing;

/* The first thing on the page. */
static const struct tdm_drawing_item *read_one(const char *text, uint32_t count)
{
    struct tdm_cause cause = {""};

    if (tdm_svg_read(&drawing, text, strlen(text), &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    assert_int_equal(drawing.count, count + 1);
    return &drawing.items[1];
}

static void assert_box(const struct tdm_drawing_item *i, double x, double y, double w, double h)
{
    assert_int_equal(i->x, tdm_drawing_unit(x));
    assert_int_equal(i->y, tdm_drawing_unit(y));
    assert_int_equal(i->w, tdm_drawing_unit(w));
    assert_int_equal(i->h, tdm_drawing_unit(h));
}

static void test_boxes(void **state)
{
    const struct tdm_drawing_item *i;

    (void)state;
    i = read_one(SVG("<rect x='1' y='2' width='30' height='40' rx='3' fill='red' fill-opacity='.5' "
                     "stroke='#00f' stroke-width='2' opacity='.4' stroke-dasharray='9 3'/>"),
                 1);
    assert_int_equal(i->type, TDM_BOARD_RECTANGLE);
    assert_box(i, 1, 2, 30, 40);
    assert_int_equal(i->corner, 48);
    assert_int_equal(i->fill, 0xff000080);
    assert_int_equal(i->colour, 0x0000ffff);
    assert_int_equal(i->width, 32);
    assert_int_equal(i->opacity, 102);
    assert_int_equal(i->dash, TDM_DASH_DASHED);
    tdm_drawing_free(&drawing);

    /* Turned about 0, 0 by a right angle: the box turns about its own middle. */
    i = read_one(SVG("<g transform='rotate(90)'><rect width='20' height='10'/></g>"), 1);
    assert_box(i, -15, 5, 20, 10);
    assert_int_equal(i->angle, 16384);
    assert_int_equal(i->width, 0); /* No stroke. */
    assert_int_equal(i->fill, 0x000000ff);
    tdm_drawing_free(&drawing);

    i = read_one(SVG("<circle transform='scale(2 3)' cx='10' cy='10' r='5' style='fill:none; "
                     "stroke : rgb(1,2,3)'/>"),
                 1);
    assert_int_equal(i->type, TDM_BOARD_ELLIPSE);
    assert_box(i, 10, 15, 20, 30);
    assert_int_equal(i->fill, 0);
    assert_int_equal(i->colour, 0x010203ff);
    tdm_drawing_free(&drawing);

    /* What is skewed is no box any more. */
    i = read_one(SVG("<rect transform='skewX(45)' width='10' height='10'/>"), 1);
    assert_int_equal(i->type, TDM_BOARD_LINE);
    assert_int_equal(i->point_count, 5);
    assert_int_equal(i->points[2].x, 320);
    assert_int_equal(i->points[2].y, 160);
    tdm_drawing_free(&drawing);
}

static void test_viewport(void **state)
{
    (void)state;
    assert_box(read_one("<svg width='200' height='100' viewBox='10 10 50 50'>"
                        "<rect x='10' y='10' width='100%' height='50%'/></svg>",
                        1),
               50, 0, 100, 50);
    tdm_drawing_free(&drawing);
    assert_box(read_one("<svg width='1in' viewBox='0 0 48 48'><rect x='1' width='2' height='1em'/>"
                        "</svg>",
                        1),
               2, 0, 4, 32);
    tdm_drawing_free(&drawing);
}

static void test_lines(void **state)
{
    const struct tdm_drawing_item *i;

    (void)state;
    i = read_one(SVG("<line x1='5' y1='6' x2='1' y2='16' stroke='black'/>"), 1);
    assert_int_equal(i->type, TDM_BOARD_LINE);
    assert_box(i, 5, 6, -4, 10);
    assert_int_equal(i->point_count, 0);
    tdm_drawing_free(&drawing);

    i = read_one(SVG("<polygon points='1,1 4,1 4,5'/>"), 1);
    assert_int_equal(i->point_count, 4);
    assert_int_equal(i->points[3].x, 0);
    assert_int_equal(i->points[2].y, 64);
    tdm_drawing_free(&drawing);

    /* Parts, relative commands, numbers without gaps, a flag that leans on the next number. */
    i = read_one(SVG("<path fill='none' stroke='red' "
                     "d='M10-5h10v.5.5z m1 1l2 0 0 2 M0 0a5 5 0 0110 0'/>"),
                 3);
    assert_int_equal(i[0].point_count, 5);
    assert_int_equal(i[0].y, -80);
    assert_int_equal(i[0].points[3].y, 16);
    assert_int_equal(i[1].x, 176);
    assert_int_equal(i[1].y, -64);
    /* Half a circle above: its highest point is at 5, -5. */
    assert_int_equal(i[2].points[i[2].point_count - 1].x, 160);
    int32_t top = 0;

    for (uint32_t p = 0; p < i[2].point_count; p++)
        top = i[2].points[p].y < top ? i[2].points[p].y : top;
    assert_in_range(-top, 78, 81);
    tdm_drawing_free(&drawing);

    /* A curve goes through where Bezier says; the smooth one goes on. */
    i = read_one(SVG("<path stroke='red' fill='none' d='M0 0C0 100 100 100 100 0S200-100 200 0q50 "
                     "50 100 0t100 0'/>"),
                 1);
    bool half = false, second = false;

    for (uint32_t p = 0; p < i->point_count; p++) {
        half |= i->points[p].x == 800 && i->points[p].y == 1200;
        second |= i->points[p].x == 2400 && i->points[p].y == -1200;
    }
    assert_true(half && second);
    assert_int_equal(i->points[i->point_count - 1].x, 6400);
    tdm_drawing_free(&drawing);
}

/* What a line is around, 1/256 square px, more where it goes round more often. */
static double area(const struct tdm_drawing_item *i)
{
    double sum = 0;

    for (uint32_t p = 1; p < i->point_count; p++)
        sum += ((double)i->points[p - 1].x * i->points[p].y -
                (double)i->points[p].x * i->points[p - 1].y) /
               2;
    return sum;
}

#define RING "d='M0 0h10v10h-10zM2 2h6v6h-6zm1 1h4v4h-4z'/>"

static void test_holes(void **state)
{
    const struct tdm_drawing_item *i;
    const double square = 256 * 100, hole = 256 * 36, island = 256 * 16;

    (void)state;
    /* All parts of what is filled are one line; each goes round as the file has it. */
    i = read_one(SVG("<path " RING), 1);
    assert_int_equal(i->point_count, 17);
    assert_int_equal(i->width, 0);
    assert_true(area(i) == square + hole + island);
    tdm_drawing_free(&drawing);
    i = read_one(SVG("<path fill-rule='evenodd' " RING), 1);
    assert_true(area(i) == square - hole + island);
    tdm_drawing_free(&drawing);

    /* With a border each part has one of its own, in a group with the fill. */
    i = read_one(SVG("<path stroke='red' style='fill-rule:evenodd' " RING), 4);
    assert_true(area(i) == square - hole + island);
    assert_int_equal(i[0].width, 0);
    assert_int_equal(i[1].fill, 0);
    assert_int_equal(i[1].width, 16);
    assert_int_equal(i[3].point_count, 5);
    assert_int_equal(i[0].group, i[3].group);
    assert_int_not_equal(i[0].group, TDM_DRAWING_NO_GROUP);
    tdm_drawing_free(&drawing);

    /* A fill goes on where its border is open. */
    i = read_one(SVG("<polyline stroke='red' points='0,0 10,0 10,10'/>"), 2);
    assert_int_equal(i[0].point_count, 4);
    assert_int_equal(i[1].point_count, 3);
    tdm_drawing_free(&drawing);

    /* What nobody sees is nothing. */
    (void)read_one(SVG("<path fill='none' " RING "<rect fill='none' width='9' height='9'/>"
                       "<line x2='9'/><circle r='9' fill-opacity='0'/>"),
                   0);
    tdm_drawing_free(&drawing);
}

static void test_text(void **state)
{
    const struct tdm_drawing_item *i;

    (void)state;
    i = read_one(
        SVG("<g font-size='20' font-family='Courier'><text x='10' y='40' fill='blue'>\n  a "
            "&lt;b&gt;\n <tspan x='10' dy='25'>zweite</tspan></text></g>"),
        1);
    assert_int_equal(i->type, TDM_BOARD_TEXT);
    assert_string_equal(i->text, "a <b>\nzweite");
    assert_int_equal(i->font, TDM_FONT_MONO);
    assert_int_equal(i->font_size, 320);
    assert_int_equal(i->colour, 0x0000ffff);
    assert_int_equal(i->x, 160);
    assert_in_range(i->y, 300, 360); /* The top, a line above the baseline. */
    tdm_drawing_free(&drawing);
    i = read_one(SVG("<text x='100' y='40' text-anchor='middle'>in the middle</text>"), 1);
    assert_int_equal(i->align, TDM_ALIGN_CENTRE);
    assert_int_equal(i->x + i->w / 2, 1600);
    tdm_drawing_free(&drawing);
}

static void test_skipped(void **state)
{
    (void)state;
    (void)read_one(SVG("<style>x{}</style><defs><rect width='1' height='1'/></defs><use href='#a'/>"
                       "<script>alert(1)</script><sodipodi:namedview/><rect width='1' height='1' "
                       "fill='url(#g)'/><rect display='none' width='1' height='1'/>"
                       "<image href='/etc/passwd' width='1' height='1'/>"),
                   1);
    assert_int_equal(drawing.skipped, 5);
    assert_string_equal(drawing.missing,
                        "style, use, script, gradient, image that is not in the file");
    tdm_drawing_free(&drawing);
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "hello",
        "<html/>",
        "<svg>",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>",
        "<!DOCTYPE svg [<!ENTITY a SYSTEM '/etc/passwd'>]><svg><text>&a;</text></svg>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tdm_cause cause = {""};

        assert_int_equal(tdm_svg_read(&drawing, texts[i], strlen(texts[i]), &cause),
                         TDM_E_MALFORMED);
        assert_true(strlen(cause.text) > 0);
        tdm_drawing_free(&drawing);
    }
}

static void test_deep_and_far(void **state)
{
    char *deep = malloc(8000);
    struct tdm_cause cause;
    size_t at = 0;

    (void)state;
    assert_non_null(deep);
    for (int i = 0; i < 300; i++, at += 5)
        memcpy(deep + at, "<svg>", 5);
    assert_int_equal(tdm_svg_read(&drawing, deep, at, &cause), TDM_E_SPACE);
    tdm_drawing_free(&drawing);
    free(deep);
    const struct tdm_drawing_item *i =
        read_one(SVG("<rect transform='scale(1e99)' x='1e99' width='1e100' height='1'/>"), 1);

    assert_int_equal(i->x, TDM_BOARD_FAR);
    tdm_drawing_free(&drawing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boxes),   cmocka_unit_test(test_viewport),
        cmocka_unit_test(test_lines),   cmocka_unit_test(test_holes),
        cmocka_unit_test(test_text),    cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_deep_and_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
