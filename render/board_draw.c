/* SPDX-License-Identifier: MIT */
#include "render/board_draw.h"

#include <math.h>

#define UNIT ((double)TDM_FIGURE_UNIT)

void tdm_board_set_colour(const struct tdm_board_brush *b, uint32_t colour, double opacity)
{
    uint32_t c = tdm_board_theme_colour(b->theme, colour);

    cairo_set_source_rgba(b->cr, (c >> 24) / 255.0, (c >> 16 & 255) / 255.0, (c >> 8 & 255) / 255.0,
                          (c & 255) / 255.0 * opacity);
}

struct tdm_board_dashing tdm_board_dashing_of(const struct tdm_board_brush *b,
                                              const struct tdm_board_figure *f)
{
    double width = f->width / UNIT;
    struct tdm_board_dashing d = {.width = width * b->scale};

    if (f->dash == TDM_DASH_DASHED) {
        d.on = (4 + 2.5 * width) * b->scale;
        d.off = (4 + 2.5 * width) * b->scale;
    } else if (f->dash == TDM_DASH_DOTTED) {
        d.off = (2 + 2 * width) * b->scale;
    }
    if (!b->vector && d.on + d.off < 2) /* A pattern that nobody sees is an even line. */
        d.on = d.off = 0;
    return d;
}

void tdm_board_layer_begin(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                           double opacity)
{
    cairo_save(b->cr);
    if (opacity >= 1)
        return;
    double left = fmax(floor(e->box.left * b->scale - b->x), floor(b->seen.left));
    double top = fmax(floor(e->box.top * b->scale - b->y), floor(b->seen.top));
    double right = fmin(ceil(e->box.right * b->scale - b->x), ceil(b->seen.right));
    double bottom = fmin(ceil(e->box.bottom * b->scale - b->y), ceil(b->seen.bottom));

    cairo_rectangle(b->cr, left, top, fmax(right - left, 0), fmax(bottom - top, 0));
    cairo_clip(b->cr);
    cairo_push_group(b->cr);
}

void tdm_board_layer_end(const struct tdm_board_brush *b, double opacity)
{
    if (opacity < 1) {
        cairo_pop_group_to_source(b->cr);
        cairo_paint_with_alpha(b->cr, opacity);
    }
    cairo_restore(b->cr);
}

static void diamond(struct tdm_board_path *p, const struct tdm_figure_box *f)
{
    double x = (f->left + f->right) / 2, y = (f->top + f->bottom) / 2;

    tdm_board_path_move(p, x, f->top);
    tdm_board_path_line(p, f->right, y);
    tdm_board_path_line(p, x, f->bottom);
    tdm_board_path_line(p, f->left, y);
    tdm_board_path_close(p);
}

static void draw_shape(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                       const cairo_matrix_t *m)
{
    const struct tdm_board_figure *f = &e->f;
    bool fills = (f->fill & 255) != 0, lines = f->width > 0 && (f->colour & 255) != 0;
    double opacity = f->opacity / 255.0, layer = fills && lines ? opacity : 1;
    struct tdm_board_dashing dashing = tdm_board_dashing_of(b, f);

    tdm_board_path_clear(b->path);
    if (f->type == TDM_BOARD_ELLIPSE)
        tdm_board_path_ellipse(b->path, &e->frame);
    else if (f->type == TDM_BOARD_DIAMOND)
        diamond(b->path, &e->frame);
    else
        tdm_board_path_rectangle(b->path, &e->frame, f->corner / UNIT);
    tdm_board_path_turn(b->path, m);
    tdm_board_layer_begin(b, e, layer);
    if (fills) {
        tdm_board_set_colour(b, f->fill, fills && lines ? 1 : opacity);
        tdm_board_path_fill(b->path, b->cr, &b->seen);
    }
    if (lines) {
        tdm_board_set_colour(b, f->colour, fills && lines ? 1 : opacity);
        tdm_board_path_stroke(b->path, b->cr, &b->seen, &dashing);
    }
    tdm_board_layer_end(b, layer);
}

/* Where an image will be: a sheet with hills and a sun. */
static void draw_missing(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                         const cairo_matrix_t *m)
{
    const struct tdm_figure_box *f = &e->frame;
    double side = fmin(fmin(f->right - f->left, f->bottom - f->top) / 3, 48);
    double x = (f->left + f->right) / 2, y = (f->top + f->bottom) / 2;
    struct tdm_figure_box sun = {x + side * 0.15, y - side * 0.45, x + side * 0.45,
                                 y - side * 0.15};

    tdm_board_path_clear(b->path);
    tdm_board_path_rectangle(b->path, f, 4);
    tdm_board_path_turn(b->path, m);
    tdm_board_set_colour(b, 0x86909c30, e->f.opacity / 255.0);
    tdm_board_path_fill(b->path, b->cr, &b->seen);
    tdm_board_path_clear(b->path);
    tdm_board_path_move(b->path, x - side * 0.6, y + side * 0.4);
    tdm_board_path_line(b->path, x - side * 0.2, y - side * 0.2);
    tdm_board_path_line(b->path, x + side * 0.05, y + side * 0.15);
    tdm_board_path_line(b->path, x + side * 0.25, y - side * 0.05);
    tdm_board_path_line(b->path, x + side * 0.6, y + side * 0.4);
    tdm_board_path_close(b->path);
    tdm_board_path_ellipse(b->path, &sun);
    tdm_board_path_turn(b->path, m);
    tdm_board_set_colour(b, 0x86909c90, e->f.opacity / 255.0);
    tdm_board_path_fill(b->path, b->cr, &b->seen);
}

static void draw_image(const struct tdm_board_brush *b, const struct tdm_board_entry *e,
                       const cairo_matrix_t *m)
{
    const struct tdm_board_image *image =
        e->f.image && b->scene ? tdm_board_images_find(&b->scene->images, e->hash) : NULL;
    double opacity = e->f.opacity / 255.0;

    if (!image) {
        draw_missing(b, e, m);
        return;
    }
    tdm_board_layer_begin(b, e, opacity);
    cairo_transform(b->cr, m);
    /* Paper is looked at closely: all pixels go there. */
    tdm_board_image_paint(image, b->cr, &e->frame, e->f.crop, b->vector ? 1e6 : b->scale);
    tdm_board_layer_end(b, opacity);
}

void tdm_board_draw(const struct tdm_board_brush *b, struct tdm_board_entry *e)
{
    cairo_matrix_t m, to_cr = {b->scale, 0, 0, b->scale, -b->x, -b->y};

    if (e->f.opacity == 0)
        return;
    tdm_board_entry_matrix(e, &m);
    cairo_matrix_multiply(&m, &m, &to_cr);
    switch (e->f.type) {
    case TDM_BOARD_PEN:
    case TDM_BOARD_MARKER:
        tdm_board_draw_ink(b, e, &m);
        break;
    case TDM_BOARD_LINE:
    case TDM_BOARD_ARROW:
        tdm_board_draw_line(b, e, &m);
        break;
    case TDM_BOARD_RECTANGLE:
    case TDM_BOARD_ELLIPSE:
    case TDM_BOARD_DIAMOND:
        draw_shape(b, e, &m);
        break;
    case TDM_BOARD_TEXT:
        tdm_board_draw_text(b, e, &m);
        break;
    case TDM_BOARD_NOTE:
        tdm_board_draw_note(b, e, &m);
        break;
    case TDM_BOARD_IMAGE:
        draw_image(b, e, &m);
        break;
    default: /* A newer peer's, a page or a group. */
        break;
    }
}
