/* SPDX-License-Identifier: MIT */
#include "render/board_tile.h"

#include "render/board_draw.h"

static cairo_t *open_tile(cairo_surface_t *surface, struct tdm_rect part)
{
    cairo_t *cr = cairo_create(surface);

    cairo_rectangle(cr, part.x, part.y, part.width, part.height);
    cairo_clip(cr);
    return cr;
}

void tdm_board_tile_paint(struct tdm_board_scene *scene, const struct tdm_board_look *look,
                          int64_t x, int64_t y, cairo_surface_t *surface, struct tdm_rect part)
{
    struct tdm_board_brush brush = {.cr = open_tile(surface, part),
                                    .scene = scene,
                                    .path = &scene->path,
                                    .theme = look->theme,
                                    .scale = look->scale,
                                    .x = (double)x,
                                    .y = (double)y,
                                    .seen = {0, 0, TDM_BOARD_TILE, TDM_BOARD_TILE}};
    const struct tdm_figure_box box = {((double)x + part.x - 1) / look->scale,
                                       ((double)y + part.y - 1) / look->scale,
                                       ((double)x + part.x + part.width + 1) / look->scale,
                                       ((double)y + part.y + part.height + 1) / look->scale};

    cairo_set_operator(brush.cr, CAIRO_OPERATOR_CLEAR);
    cairo_paint(brush.cr);
    cairo_set_operator(brush.cr, CAIRO_OPERATOR_OVER);
    if (!look->without_ground)
        tdm_board_draw_ground(&brush, &scene->ground, look->without_pattern);
    for (size_t i = 0; (i = tdm_board_scene_touching(scene, &box, i)) < scene->count; i++) {
        tdm_board_draw(&brush, scene->order[i]);
        /* What cairo does not take ends a context: the next figure gets another one. */
        if (cairo_status(brush.cr) != CAIRO_STATUS_SUCCESS) {
            cairo_destroy(brush.cr);
            brush.cr = open_tile(surface, part);
        }
    }
    cairo_destroy(brush.cr);
    cairo_surface_flush(surface);
}
