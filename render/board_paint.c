/* SPDX-License-Identifier: MIT */
#include "render/board_paint.h"

#include "render/board_draw.h"
#include "render/board_tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT ((double)TDM_FIGURE_UNIT)

static void copy_tile(const struct tdm_board_camera *camera, int64_t x, int64_t y,
                      cairo_surface_t *tile, uint8_t *target, int stride)
{
    const uint8_t *from = cairo_image_surface_get_data(tile);
    int from_stride = cairo_image_surface_get_stride(tile);
    struct tdm_rect on = {(int)(x - camera->x), (int)(y - camera->y), TDM_BOARD_TILE,
                          TDM_BOARD_TILE};
    struct tdm_rect r = tdm_rect_both(on, (struct tdm_rect){0, 0, camera->width, camera->height});

    for (int row = r.y; row < r.y + r.height; row++)
        memcpy(target + (ptrdiff_t)row * stride + 4 * (ptrdiff_t)r.x,
               from + (ptrdiff_t)(row - on.y) * from_stride + 4 * (ptrdiff_t)(r.x - on.x),
               4 * (size_t)r.width);
}

void tdm_board_paint_pixels(struct tdm_board_scene *scene, const struct tdm_board_camera *camera,
                            uint8_t *target, int stride)
{
    const struct tdm_board_look look = {camera->scale, camera->theme, camera->without_ground,
                                        camera->without_pattern};
    const struct tdm_rect all = {0, 0, TDM_BOARD_TILE, TDM_BOARD_TILE};
    cairo_surface_t *tile =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, TDM_BOARD_TILE, TDM_BOARD_TILE);

    if (cairo_surface_status(tile) == CAIRO_STATUS_SUCCESS)
        for (int64_t y = tdm_board_tile_at(camera->y); y < camera->y + camera->height;
             y += TDM_BOARD_TILE)
            for (int64_t x = tdm_board_tile_at(camera->x); x < camera->x + camera->width;
                 x += TDM_BOARD_TILE) {
                tdm_board_tile_paint(scene, &look, x, y, tile, all);
                copy_tile(camera, x, y, tile, target, stride);
            }
    cairo_surface_destroy(tile);
}

void tdm_board_paint_vector(struct tdm_board_scene *scene, cairo_t *cr,
                            const struct tdm_figure_box *box, const struct tdm_board_camera *camera)
{
    struct tdm_board_brush brush = {.cr = cr,
                                    .scene = scene,
                                    .path = &scene->path,
                                    .theme = camera->theme,
                                    .scale = 1,
                                    .seen = *box,
                                    .vector = true};

    if (!camera->without_ground)
        tdm_board_draw_ground(&brush, &scene->ground, camera->without_pattern);
    for (size_t i = 0; (i = tdm_board_scene_touching(scene, box, i)) < scene->count; i++)
        tdm_board_draw(&brush, scene->order[i]);
}

static int by_id(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

void tdm_board_paint_chosen(struct tdm_board_scene *scene, cairo_t *cr, const uint64_t *ids,
                            size_t count, enum tdm_board_theme theme)
{
    const double far = TDM_BOARD_FAR;
    const struct tdm_board_brush brush = {.cr = cr,
                                          .scene = scene,
                                          .path = &scene->path,
                                          .theme = theme,
                                          .scale = 1,
                                          .seen = {-far, -far, far, far},
                                          .vector = true};

    for (size_t i = 0; i < scene->count; i++)
        if (bsearch(&scene->order[i]->f.id, ids, count, sizeof *ids, by_id))
            tdm_board_draw(&brush, scene->order[i]);
}

static struct tdm_board_brush over(cairo_t *cr, const struct tdm_board_camera *camera,
                                   struct tdm_board_scene *scene, struct tdm_board_path *path)
{
    return (struct tdm_board_brush){.cr = cr,
                                    .scene = scene,
                                    .path = path,
                                    .theme = camera->theme,
                                    .scale = camera->scale,
                                    .x = (double)camera->x,
                                    .y = (double)camera->y,
                                    .seen = {0, 0, camera->width, camera->height}};
}

void tdm_board_paint_figure(cairo_t *cr, const struct tdm_board_camera *camera,
                            struct tdm_board_scene *scene, const struct tdm_board_figure *figure)
{
    struct tdm_board_entry *e = tdm_board_entry_create(scene->letters, figure);
    struct tdm_board_brush brush = over(cr, camera, scene, &scene->path);

    if (e)
        tdm_board_draw(&brush, e);
    tdm_board_entry_destroy(e);
}

struct tdm_rect tdm_board_paint_prediction(cairo_t *cr, const struct tdm_board_camera *camera,
                                           const struct tdm_board_figure *figure, double ahead_ms)
{
    const struct tdm_rect none = {0, 0, 0, 0};
    struct tdm_board_point next;
    struct tdm_figure_box box;

    if (figure->sealed || figure->angle != 0 ||
        !tdm_board_ink_predict(figure->points, figure->point_count, ahead_ms, &next))
        return none;
    const struct tdm_board_point *last = &figure->points[figure->point_count - 1];
    double sx = figure->scale_x ? figure->scale_x / 65536.0 : 1;
    double sy = figure->scale_y ? figure->scale_y / 65536.0 : 1;
    double x[2] = {(figure->x + last->x * sx) / UNIT, (figure->x + next.x * sx) / UNIT};
    double y[2] = {(figure->y + last->y * sy) / UNIT, (figure->y + next.y * sy) / UNIT};
    struct tdm_board_path path = {0};
    struct tdm_board_brush brush = over(cr, camera, NULL, &path);
    /* A little thinner: it has no pressure of its own yet. */
    struct tdm_board_dashing line = {.width = figure->width / UNIT * camera->scale * 0.8};

    for (int i = 0; i < 2; i++) {
        tdm_board_camera_to_window(camera, x[i], y[i], &x[i], &y[i]);
        (i == 0 ? tdm_board_path_move : tdm_board_path_line)(&path, x[i], y[i]);
    }
    if (cr && figure->type == TDM_BOARD_PEN) {
        tdm_board_set_colour(&brush, figure->colour, figure->opacity / 255.0);
        tdm_board_path_stroke(&path, cr, &brush.seen, &line);
    }
    tdm_board_path_free(&path);
    if (figure->type != TDM_BOARD_PEN) /* Of a marker the overlap would be seen. */
        return none;
    double by = line.width + 1;

    box = (struct tdm_figure_box){
        (double)camera->x + fmin(x[0], x[1]) - by, (double)camera->y + fmin(y[0], y[1]) - by,
        (double)camera->x + fmax(x[0], x[1]) + by, (double)camera->y + fmax(y[0], y[1]) + by};
    box.left /= camera->scale;
    box.top /= camera->scale;
    box.right /= camera->scale;
    box.bottom /= camera->scale;
    return tdm_board_camera_rect(camera, &box);
}
