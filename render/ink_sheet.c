/* SPDX-License-Identifier: MIT */
#include "render/ink_sheet.h"

#include "render/board_paint.h"

#include <math.h>
#include <stdlib.h>

struct tdm_ink_sheet {
    int width, height;
    struct tdm_board_scene *scene;
    cairo_surface_t *surface;
    cairo_t *cr;
};

enum tdm_err tdm_ink_sheet_create(struct tdm_ink_sheet **sheet, int width, int height,
                                  struct tdm_cause *cause)
{
    struct tdm_ink_sheet *s = calloc(1, sizeof *s);

    *sheet = NULL;
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for annotations");
    s->width = width;
    s->height = height;
    s->surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    s->cr = cairo_create(s->surface);
    enum tdm_err err = cairo_status(s->cr) == CAIRO_STATUS_SUCCESS
                           ? tdm_board_scene_create(&s->scene, cause)
                           : tdm_fail(cause, TDM_E_SYSTEM, "no memory for annotations");

    if (err != TDM_OK)
        tdm_ink_sheet_destroy(s);
    else
        *sheet = s;
    return err;
}

void tdm_ink_sheet_destroy(struct tdm_ink_sheet *s)
{
    if (!s)
        return;
    cairo_destroy(s->cr);
    cairo_surface_destroy(s->surface);
    tdm_board_scene_destroy(s->scene);
    free(s);
}

void tdm_ink_sheet_begin(struct tdm_ink_sheet *s)
{
    tdm_board_scene_begin(s->scene);
}

void tdm_ink_sheet_put(struct tdm_ink_sheet *s, const struct tdm_board_figure *figure)
{
    (void)!tdm_board_scene_put(s->scene, figure);
}

static struct tdm_rect pixels_of(const struct tdm_ink_sheet *s, const struct tdm_figure_box *box)
{
    double left = fmax(floor(box->left) - 1, 0), top = fmax(floor(box->top) - 1, 0);
    double right = fmin(ceil(box->right) + 1, s->width);
    double bottom = fmin(ceil(box->bottom) + 1, s->height);

    return right > left && bottom > top
               ? (struct tdm_rect){(int)left, (int)top, (int)(right - left), (int)(bottom - top)}
               : (struct tdm_rect){0, 0, 0, 0};
}

static void paint(struct tdm_ink_sheet *s, struct tdm_rect r)
{
    const struct tdm_board_camera camera = {
        .scale = 1, .width = s->width, .height = s->height, .without_ground = true};
    const struct tdm_figure_box box = {r.x, r.y, r.x + r.width, r.y + r.height};

    cairo_save(s->cr);
    cairo_rectangle(s->cr, r.x, r.y, r.width, r.height);
    cairo_clip(s->cr);
    cairo_set_operator(s->cr, CAIRO_OPERATOR_CLEAR);
    cairo_paint(s->cr);
    cairo_set_operator(s->cr, CAIRO_OPERATOR_OVER);
    tdm_board_paint_vector(s->scene, s->cr, &box, &camera);
    cairo_restore(s->cr);
}

size_t tdm_ink_sheet_end(struct tdm_ink_sheet *s, struct tdm_rect rects[TDM_INK_RECTS_MAX])
{
    struct tdm_board_damage damage;
    size_t count = 0;

    tdm_board_scene_end(s->scene);
    tdm_board_scene_damage(s->scene, &damage);
    if (damage.all) {
        damage.count = 1;
        damage.boxes[0] = (struct tdm_figure_box){0, 0, s->width, s->height};
    }
    for (size_t i = 0; i < damage.count && count < TDM_INK_RECTS_MAX; i++) {
        struct tdm_rect r = pixels_of(s, &damage.boxes[i]);

        if (tdm_rect_empty(r))
            continue;
        paint(s, r);
        rects[count++] = r;
    }
    cairo_surface_flush(s->surface);
    return count;
}

int tdm_ink_sheet_width(const struct tdm_ink_sheet *s)
{
    return s->width;
}

int tdm_ink_sheet_height(const struct tdm_ink_sheet *s)
{
    return s->height;
}

const uint8_t *tdm_ink_sheet_pixels(const struct tdm_ink_sheet *s, int *stride)
{
    *stride = cairo_image_surface_get_stride(s->surface);
    return cairo_image_surface_get_data(s->surface);
}

struct tdm_rect tdm_ink_sheet_extent(const struct tdm_ink_sheet *s)
{
    struct tdm_figure_box box;

    return tdm_board_scene_extent(s->scene, &box) ? pixels_of(s, &box)
                                                  : (struct tdm_rect){0, 0, 0, 0};
}
