/* SPDX-License-Identifier: MIT */
/* What lies behind the figures: paper, and dots or lines on it. */
#include "render/board_draw.h"
#include "render/board_paint.h"

#include <math.h>

#define STEP_USUAL 20.0
#define STEP_LEAST 9.0 /* px of the target: a closer pattern is shown at each so many steps. */
#define MARKS_MOST 200000

uint32_t tdm_board_theme_paper(enum tdm_board_theme theme, const struct tdm_board_ground *ground)
{
    if (ground->colour & 255)
        return tdm_board_theme_colour(theme, ground->colour | 255);
    return theme == TDM_THEME_DARK ? 0x1b1c20ff : 0xffffffff;
}

/* Marks at whole pixels of the scaled board, so that each tile has the same. */
struct pattern {
    const struct tdm_board_brush *b;
    double step;  /* Units of cr. */
    double thick; /* Of a line or a dot. */
};

static double mark_at(const struct pattern *p, double k)
{
    return p->b->vector ? k * p->step : floor(k * p->step);
}

static void columns(const struct pattern *p)
{
    const struct tdm_board_brush *b = p->b;

    for (double k = floor((b->x + b->seen.left) / p->step); mark_at(p, k) - b->x < b->seen.right;
         k++)
        cairo_rectangle(b->cr, mark_at(p, k) - b->x, b->seen.top, p->thick,
                        b->seen.bottom - b->seen.top);
}

static void rows(const struct pattern *p)
{
    const struct tdm_board_brush *b = p->b;

    for (double k = floor((b->y + b->seen.top) / p->step); mark_at(p, k) - b->y < b->seen.bottom;
         k++)
        cairo_rectangle(b->cr, b->seen.left, mark_at(p, k) - b->y, b->seen.right - b->seen.left,
                        p->thick);
}

static void dots(const struct pattern *p)
{
    const struct tdm_board_brush *b = p->b;
    double first_x = floor((b->x + b->seen.left) / p->step);

    for (double k = floor((b->y + b->seen.top) / p->step); mark_at(p, k) - b->y < b->seen.bottom;
         k++)
        for (double i = first_x; mark_at(p, i) - b->x < b->seen.right; i++)
            cairo_rectangle(b->cr, mark_at(p, i) - b->x, mark_at(p, k) - b->y, p->thick, p->thick);
}

static void set_ink(const struct tdm_board_brush *b, double strength)
{
    double tone = b->theme == TDM_THEME_DARK ? 1 : 0;

    cairo_set_source_rgba(b->cr, tone, tone, tone, strength);
}

static void draw_pattern(const struct tdm_board_brush *b, const struct tdm_board_ground *g)
{
    double step = (g->step > 0 ? g->step / (double)TDM_FIGURE_UNIT : STEP_USUAL) * b->scale;
    double factor = g->pattern == TDM_GROUND_GRID ? 5 : 2;

    while (step < STEP_LEAST && !b->vector)
        step *= factor;
    struct pattern p = {b, step, b->vector ? 0.75 : 1};
    double wide = b->seen.right - b->seen.left, high = b->seen.bottom - b->seen.top;

    if (!(wide / step * (high / step) < MARKS_MOST))
        return;
    cairo_new_path(b->cr);
    if (g->pattern == TDM_GROUND_DOTS) {
        p.thick *= b->vector ? 2 : step >= 2 * STEP_LEAST ? 2 : 1;
        set_ink(b, 0.16);
        dots(&p);
    } else {
        set_ink(b, 0.055);
        rows(&p);
        if (g->pattern == TDM_GROUND_GRID)
            columns(&p);
    }
    cairo_fill(b->cr);
    if (g->pattern == TDM_GROUND_GRID) { /* Each fifth line is stronger. */
        p.step = 5 * step;
        set_ink(b, 0.06);
        rows(&p);
        columns(&p);
        cairo_fill(b->cr);
    }
}

void tdm_board_draw_ground(const struct tdm_board_brush *b, const struct tdm_board_ground *g,
                           bool without_pattern)
{
    uint32_t paper = tdm_board_theme_paper(b->theme, g);

    cairo_save(b->cr);
    cairo_set_source_rgb(b->cr, (paper >> 24) / 255.0, (paper >> 16 & 255) / 255.0,
                         (paper >> 8 & 255) / 255.0);
    cairo_rectangle(b->cr, b->seen.left, b->seen.top, b->seen.right - b->seen.left,
                    b->seen.bottom - b->seen.top);
    cairo_fill(b->cr);
    if (g->pattern != TDM_GROUND_PLAIN && !without_pattern)
        draw_pattern(b, g);
    cairo_restore(b->cr);
}
