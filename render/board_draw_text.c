/* SPDX-License-Identifier: MIT */
/* Letters, and the sheets of notes. */
#include "render/board_draw.h"

#include <math.h>

#define UNIT         ((double)TDM_FIGURE_UNIT)
#define LETTERS_TINY 2.6     /* px: smaller letters are shown as grey lines, */
#define LETTERS_PATH 200.0   /* larger ones as outlines, */
#define LETTERS_MOST 20000.0 /* and of even larger ones nobody sees what they are. */
#define NOTE_PAPER   0xffe28aff
#define NOTE_CORNER  3.0
#define SHADOW_STEPS 7

/* A box of the entry's own px, in units of cr. */
static bool is_seen(const struct tdm_board_brush *b, const cairo_matrix_t *m,
                    const struct tdm_figure_box *box)
{
    double xs[2] = {box->left, box->right}, ys[2] = {box->top, box->bottom};
    struct tdm_figure_box on = {INFINITY, INFINITY, -INFINITY, -INFINITY};

    for (int i = 0; i < 4; i++) {
        double x = xs[i & 1], y = ys[i >> 1];

        cairo_matrix_transform_point(m, &x, &y);
        on.left = fmin(on.left, x);
        on.top = fmin(on.top, y);
        on.right = fmax(on.right, x);
        on.bottom = fmax(on.bottom, y);
    }
    return tdm_figure_box_touch(&on, &b->seen);
}

static void draw_line(const struct tdm_board_brush *b, PangoLayoutLine *line,
                      const struct tdm_figure_box *box, double baseline, double size)
{
    if (size < LETTERS_TINY && !b->vector) {
        double high = (box->bottom - box->top);

        cairo_rectangle(b->cr, box->left, box->top + high * 0.35, box->right - box->left,
                        high * 0.35);
        cairo_fill(b->cr);
        return;
    }
    cairo_move_to(b->cr, box->left, baseline);
    if (size < LETTERS_PATH || b->vector) {
        pango_cairo_show_layout_line(b->cr, line);
        return;
    }
    pango_cairo_layout_line_path(b->cr, line);
    cairo_fill(b->cr);
}

static void draw_lines(const struct tdm_board_brush *b, const struct tdm_board_lines *lines,
                       const cairo_matrix_t *m)
{
    double size = lines->size * b->scale;
    PangoLayoutIter *iter = pango_layout_get_iter(lines->layout);

    cairo_save(b->cr);
    cairo_transform(b->cr, m);
    do {
        PangoRectangle r;

        pango_layout_iter_get_line_extents(iter, NULL, &r);
        double left = lines->x + (double)r.x / PANGO_SCALE;
        double top = lines->y + (double)r.y / PANGO_SCALE;
        double baseline = lines->y + (double)pango_layout_iter_get_baseline(iter) / PANGO_SCALE;
        struct tdm_figure_box box = {left, top, left + (double)r.width / PANGO_SCALE,
                                     top + (double)r.height / PANGO_SCALE};
        struct tdm_figure_box ink = {box.left - lines->size, box.top - lines->size,
                                     box.right + lines->size, box.bottom + lines->size};

        if (is_seen(b, m, &ink))
            draw_line(b, pango_layout_iter_get_line_readonly(iter), &box, baseline, size);
    } while (pango_layout_iter_next_line(iter));
    pango_layout_iter_free(iter);
    cairo_new_path(b->cr);
    cairo_restore(b->cr);
}

void tdm_board_draw_text(const struct tdm_board_brush *b, struct tdm_board_entry *e,
                         const cairo_matrix_t *m)
{
    tdm_board_entry_lines(b->scene ? b->scene->letters : NULL, e);
    double size = e->lines.size * b->scale;

    if (!e->lines.layout || e->f.text_size == 0 || size > LETTERS_MOST)
        return;
    double opacity = e->f.opacity / 255.0;

    /* Letters that have colours of their own know of no opacity. */
    tdm_board_layer_begin(b, e, opacity);
    tdm_board_set_colour(b, e->f.colour, size < LETTERS_TINY && !b->vector ? 0.5 : 1);
    draw_lines(b, &e->lines, m);
    tdm_board_layer_end(b, opacity);
}

static void fill_box(const struct tdm_board_brush *b, const cairo_matrix_t *m,
                     const struct tdm_figure_box *box, double radius)
{
    tdm_board_path_clear(b->path);
    tdm_board_path_rectangle(b->path, box, radius);
    tdm_board_path_turn(b->path, m);
    tdm_board_path_fill(b->path, b->cr, &b->seen);
}

/* Sheets of thin black over each other, each smaller than the one below. */
static void draw_shadow(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                        const cairo_matrix_t *m)
{
    int steps = b->scale < 0.25 && !b->vector ? 2 : SHADOW_STEPS;
    double strength = b->theme == TDM_THEME_DARK ? 0.5 : 0.22;

    for (int i = 0; i < steps; i++) {
        double by = 12 - 14.0 * (i + 0.5) / steps;
        struct tdm_figure_box box = {e->frame.left - by, e->frame.top - by + 4, e->frame.right + by,
                                     e->frame.bottom + by + 4};
        /* Rising like a bell's flank. */
        double part = 2.0 * (i + 1) / (steps * (steps + 1.0));

        cairo_set_source_rgba(b->cr, 0, 0, 0, strength * part);
        fill_box(b, m, &box, fmax(NOTE_CORNER + by, 0));
    }
}

void tdm_board_draw_note(const struct tdm_board_brush *b, struct tdm_board_entry *e,
                         const cairo_matrix_t *m)
{
    double opacity = e->f.opacity / 255.0;

    tdm_board_layer_begin(b, e, opacity);
    draw_shadow(b, e, m);
    tdm_board_set_colour(b, e->f.fill & 255 ? e->f.fill : NOTE_PAPER, 1);
    fill_box(b, m, &e->frame, NOTE_CORNER);
    if (e->f.text_size > 0)
        tdm_board_entry_lines(b->scene ? b->scene->letters : NULL, e);
    double size = e->lines.size * b->scale;

    if (e->lines.layout && size < LETTERS_MOST) {
        cairo_matrix_t at = *m;

        cairo_matrix_translate(&at, e->frame.left, e->frame.top);
        tdm_board_set_colour(b, e->f.colour, size < LETTERS_TINY && !b->vector ? 0.5 : 1);
        draw_lines(b, &e->lines, &at);
    }
    tdm_board_layer_end(b, opacity);
}
