/* SPDX-License-Identifier: MIT */
/*
 * What is copied, as a picture for programs that know no boards. Shapes are written when it is
 * copied; pixels, which cost more, when somebody asks for them, from what was recorded then.
 */
#include "render/board_window_state.h"

#include <cairo-svg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AROUND      16.0
#define SCALE       2.0
#define SIDE_MOST   8192.0
#define AREA_MOST   16e6 /* Pixels. */
#define SHAPES_MOST 4096 /* Of more there is no SVG: a copy should not take long. */
#define BYTES_MOST  ((size_t)32 << 20)

struct bytes {
    uint8_t *data;
    size_t size, room;
};

static cairo_status_t put(void *arg, const unsigned char *data, unsigned size)
{
    struct bytes *b = arg;

    if (b->size + size > BYTES_MOST)
        return CAIRO_STATUS_WRITE_ERROR;
    if (b->size + size > b->room) {
        size_t room = 2 * b->room + size;
        uint8_t *grown = realloc(b->data, room);

        if (!grown)
            return CAIRO_STATUS_NO_MEMORY;
        b->data = grown;
        b->room = room;
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return CAIRO_STATUS_SUCCESS;
}

static int by_id(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

void tdm_board_window_forget_picture(struct tdm_board_window *w)
{
    if (w->clip_picture)
        cairo_surface_destroy(w->clip_picture);
    w->clip_picture = NULL;
    free(w->clip_svg);
    w->clip_svg = NULL;
    w->clip_svg_size = 0;
}

/* Around all of them; false: they have no looks. */
static bool box_of(struct tdm_board_window *w, uint32_t count, struct tdm_figure_box *box)
{
    const double far = TDM_BOARD_FAR;
    struct tdm_figure_box one;

    *box = (struct tdm_figure_box){far, far, -far, -far};
    for (uint32_t i = 0; i < count; i++) {
        if (!tdm_board_scene_box(w->scene, w->figures[i], &one))
            continue;
        box->left = fmin(box->left, one.left);
        box->top = fmin(box->top, one.top);
        box->right = fmax(box->right, one.right);
        box->bottom = fmax(box->bottom, one.bottom);
    }
    return box->left < box->right && box->top < box->bottom;
}

/* A recording is not made into SVG: cairo 1.16 loses memory then. */
static void write_svg(struct tdm_board_window *w, uint32_t count)
{
    const struct tdm_figure_box *box = &w->clip_box;
    struct bytes bytes = {.size = 0};
    cairo_surface_t *s = cairo_svg_surface_create_for_stream(
        put, &bytes, box->right - box->left + 2 * AROUND, box->bottom - box->top + 2 * AROUND);

    cairo_svg_surface_set_document_unit(s, CAIRO_SVG_UNIT_PX);
    cairo_t *cr = cairo_create(s);

    cairo_translate(cr, AROUND - box->left, AROUND - box->top);
    tdm_board_paint_chosen(w->scene, cr, w->figures, count, TDM_THEME_LIGHT);
    cairo_destroy(cr);
    cairo_surface_finish(s);
    if (cairo_surface_status(s) == CAIRO_STATUS_SUCCESS) {
        w->clip_svg = bytes.data;
        w->clip_svg_size = bytes.size;
    } else {
        free(bytes.data);
    }
    cairo_surface_destroy(s);
}

void tdm_board_window_record(struct tdm_board_window *w)
{
    uint32_t count = w->tools->selected_count;
    struct tdm_figure_box *box = &w->clip_box;

    tdm_board_window_forget_picture(w);
    tdm_board_window_feed(w);
    for (uint32_t i = 0; i < count; i++)
        w->figures[i] = tdm_board_figure_id(w->tools->selected[i]);
    qsort(w->figures, count, sizeof *w->figures, by_id);
    if (!box_of(w, count, box))
        return;
    w->clip_picture = cairo_recording_surface_create(
        CAIRO_CONTENT_COLOR_ALPHA,
        &(cairo_rectangle_t){0, 0, box->right - box->left, box->bottom - box->top});
    cairo_t *cr = cairo_create(w->clip_picture);

    /* Other programs' paper is white. */
    cairo_translate(cr, -box->left, -box->top);
    tdm_board_paint_chosen(w->scene, cr, w->figures, count, TDM_THEME_LIGHT);
    cairo_destroy(cr);
    if (count <= SHAPES_MOST)
        write_svg(w, count);
}

uint8_t *tdm_board_window_png(struct tdm_board_window *w, size_t *size)
{
    double wide = w->clip_box.right - w->clip_box.left + 2 * AROUND;
    double high = w->clip_box.bottom - w->clip_box.top + 2 * AROUND;
    double scale = fmin(fmin(SCALE, SIDE_MOST / fmax(wide, high)), sqrt(AREA_MOST / wide / high));
    struct bytes bytes = {.size = 0};

    *size = 0;
    if (!w->clip_picture)
        return NULL;
    cairo_surface_t *s = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, (int)fmax(ceil(wide * scale), 1), (int)fmax(ceil(high * scale), 1));
    cairo_t *cr = cairo_create(s);

    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, scale, scale);
    cairo_set_source_surface(cr, w->clip_picture, AROUND, AROUND);
    cairo_paint(cr);
    cairo_destroy(cr);
    bool good = cairo_surface_write_to_png_stream(s, put, &bytes) == CAIRO_STATUS_SUCCESS;

    cairo_surface_destroy(s);
    if (!good) {
        free(bytes.data);
        return NULL;
    }
    *size = bytes.size;
    return bytes.data;
}
