/* SPDX-License-Identifier: MIT */
#include "render/board_scene_state.h"
#include "render/board_way.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT       ((double)TDM_FIGURE_UNIT)
#define WIDTH_MOST ((int64_t)1024 * TDM_FIGURE_UNIT)
#define SCALE_MOST ((int64_t)64 * TDM_BOARD_SCALE_ONE)
#define SHADOW     18.0 /* px around a note. */
#define PI         3.14159265358979323846

static int32_t held(int64_t value, int64_t least, int64_t most)
{
    return (int32_t)(value < least ? least : value > most ? most : value);
}

static int32_t near(int32_t value)
{
    return held(value, -TDM_BOARD_FAR, TDM_BOARD_FAR);
}

static bool is_ink(uint32_t type)
{
    return type == TDM_BOARD_PEN || type == TDM_BOARD_MARKER;
}

static bool is_line(uint32_t type)
{
    return type == TDM_BOARD_LINE || type == TDM_BOARD_ARROW;
}

static bool is_drawn(uint32_t type)
{
    return type >= TDM_BOARD_PEN && type <= TDM_BOARD_IMAGE;
}

bool tdm_board_entry_drawn(const struct tdm_board_entry *e)
{
    return is_drawn(e->f.type);
}

static double scale_of(int32_t scale)
{
    return scale == 0 ? 1 : scale / 65536.0;
}

double tdm_board_entry_head(const struct tdm_board_figure *f)
{
    return 8 + 3.2 * f->width / UNIT;
}

size_t tdm_board_entry_spots(const struct tdm_board_entry *e)
{
    return e->f.point_count >= 2 ? e->f.point_count : 2;
}

struct tdm_path_spot tdm_board_entry_spot(const struct tdm_board_entry *e, size_t i)
{
    if (e->f.point_count < 2 && !e->is_ink)
        return i == 0 ? (struct tdm_path_spot){0, 0}
                      : (struct tdm_path_spot){e->f.w / UNIT, e->f.h / UNIT};
    return (struct tdm_path_spot){e->f.points[i].x / UNIT * scale_of(e->f.scale_x),
                                  e->f.points[i].y / UNIT * scale_of(e->f.scale_y)};
}

static struct tdm_figure_box around_spots(const struct tdm_board_entry *e, size_t count)
{
    struct tdm_path_spot s = tdm_board_entry_spot(e, 0);
    struct tdm_figure_box box = {s.x, s.y, s.x, s.y};

    for (size_t i = 1; i < count; i++) {
        s = tdm_board_entry_spot(e, i);
        box.left = fmin(box.left, s.x);
        box.top = fmin(box.top, s.y);
        box.right = fmax(box.right, s.x);
        box.bottom = fmax(box.bottom, s.y);
    }
    return box;
}

static struct tdm_figure_box frame_of(const struct tdm_board_entry *e)
{
    const struct tdm_board_figure *f = &e->f;
    double w = f->w / UNIT, h = f->h / UNIT;

    if (is_line(f->type))
        return around_spots(e, tdm_board_entry_spots(e));
    if (is_ink(f->type))
        return around_spots(e, f->point_count);
    if (f->type == TDM_BOARD_TEXT)
        return (struct tdm_figure_box){0, 0, e->lines.width, e->lines.height};
    return (struct tdm_figure_box){fmin(0, w), fmin(0, h), fmax(0, w), fmax(0, h)};
}

/* How far beyond its frame a figure paints. */
static double beyond(const struct tdm_board_entry *e)
{
    const struct tdm_board_figure *f = &e->f;
    double width = f->width / UNIT;

    switch (f->type) {
    case TDM_BOARD_PEN:
    case TDM_BOARD_MARKER:
        return width + 1;
    case TDM_BOARD_LINE:
    case TDM_BOARD_ARROW:
        return width + tdm_board_entry_head(f) + tdm_board_way_beyond(e);
    case TDM_BOARD_TEXT: /* Accents, tails, slanted letters. */
        return e->lines.size;
    case TDM_BOARD_NOTE:
        return SHADOW;
    default:
        return width / 2 + 1;
    }
}

void tdm_board_entry_matrix(const struct tdm_board_entry *e, cairo_matrix_t *m)
{
    cairo_matrix_init_translate(m, e->f.x / UNIT, e->f.y / UNIT);
    if (e->f.angle == 0)
        return;
    double x = (e->frame.left + e->frame.right) / 2, y = (e->frame.top + e->frame.bottom) / 2;

    cairo_matrix_translate(m, x, y);
    cairo_matrix_rotate(m, e->f.angle * 2 * PI / 65536);
    cairo_matrix_translate(m, -x, -y);
}

static struct tdm_figure_box box_of(const struct tdm_board_entry *e)
{
    if (!is_drawn(e->f.type))
        return (struct tdm_figure_box){0, 0, 0, 0};
    double by = beyond(e);
    double xs[2] = {e->frame.left - by, e->frame.right + by};
    double ys[2] = {e->frame.top - by, e->frame.bottom + by};
    struct tdm_figure_box box = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    cairo_matrix_t m;

    tdm_board_entry_matrix(e, &m);
    for (int i = 0; i < 4; i++) {
        double x = xs[i & 1], y = ys[i >> 1];

        cairo_matrix_transform_point(&m, &x, &y);
        box.left = fmin(box.left, x);
        box.top = fmin(box.top, y);
        box.right = fmax(box.right, x);
        box.bottom = fmax(box.bottom, y);
    }
    return box;
}

static bool copy_points(struct tdm_board_entry *e, const struct tdm_board_figure *f)
{
    if (f->point_count == 0)
        return true;
    struct tdm_board_point *points = malloc(f->point_count * sizeof *points);

    if (!points)
        return false;
    memcpy(points, f->points, f->point_count * sizeof *points);
    for (size_t i = 0; i < f->point_count; i++) {
        points[i].x = near(points[i].x);
        points[i].y = near(points[i].y);
    }
    e->f.points = points;
    e->f.point_count = f->point_count;
    return true;
}

static bool copy_text(struct tdm_board_entry *e, const struct tdm_board_figure *f)
{
    if (f->text_size == 0 || !e->has_text)
        return true;
    size_t size = f->text_size < TDM_BOARD_LINES_BYTES ? f->text_size : TDM_BOARD_LINES_BYTES;
    char *text = malloc(size);

    if (!text)
        return false;
    memcpy(text, f->text, size);
    e->f.text = text;
    e->f.text_size = (uint32_t)size;
    return true;
}

/* Values that nobody means are brought back, so that all below may count on them. */
static void clamp(struct tdm_board_figure *f)
{
    f->x = near(f->x);
    f->y = near(f->y);
    f->w = near(f->w);
    f->h = near(f->h);
    f->width = held(f->width, 0, WIDTH_MOST);
    f->corner = held(f->corner, 0, TDM_BOARD_FAR);
    f->scale_x = held(f->scale_x, -SCALE_MOST, SCALE_MOST);
    f->scale_y = held(f->scale_y, -SCALE_MOST, SCALE_MOST);
}

struct tdm_board_entry *tdm_board_entry_create(struct tdm_board_letters *letters,
                                               const struct tdm_board_figure *figure)
{
    struct tdm_board_entry *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->f = *figure;
    e->f.points = NULL;
    e->f.point_count = 0;
    e->f.text = NULL;
    e->f.text_size = 0;
    clamp(&e->f);
    if (figure->image) {
        memcpy(e->hash, figure->image, sizeof e->hash);
        e->f.image = e->hash;
    }
    e->is_ink = is_ink(figure->type);
    e->has_text = figure->type == TDM_BOARD_TEXT || figure->type == TDM_BOARD_NOTE;
    if (!copy_points(e, figure) || !copy_text(e, figure)) {
        tdm_board_entry_destroy(e);
        return NULL;
    }
    if (figure->type == TDM_BOARD_TEXT)
        tdm_board_entry_lines(letters, e);
    if (!e->is_ink || e->f.point_count > 0)
        e->frame = frame_of(e);
    e->box = box_of(e);
    return e;
}

void tdm_board_entry_destroy(struct tdm_board_entry *e)
{
    if (!e)
        return;
    free((void *)(uintptr_t)e->f.points);
    free((void *)(uintptr_t)e->f.text);
    free(e->outline);
    tdm_board_lines_free(&e->lines);
    free(e);
}

void tdm_board_entry_lines(struct tdm_board_letters *letters, struct tdm_board_entry *e)
{
    if (!e->lines.layout && letters)
        tdm_board_lines_make(letters, &e->f, &e->lines);
}

static bool ink_room(struct tdm_board_scene *scene, size_t needed)
{
    if (needed <= scene->ink_room)
        return true;
    struct tdm_board_ink_vertex *ink = realloc(scene->ink, needed * sizeof *ink);

    if (!ink)
        return false;
    scene->ink = ink;
    scene->ink_room = needed;
    return true;
}

void tdm_board_entry_outline(struct tdm_board_scene *scene, struct tdm_board_entry *e)
{
    size_t room = TDM_BOARD_INK_OUTLINE_MAX(e->f.point_count);

    if (e->outline || !e->is_ink || !ink_room(scene, room))
        return;
    struct tdm_board_ink_style style =
        tdm_board_ink_style_of(e->f.width / UNIT, e->f.type == TDM_BOARD_MARKER, e->f.sealed);

    style.scale_x = scale_of(e->f.scale_x);
    style.scale_y = scale_of(e->f.scale_y);
    size_t count = tdm_board_ink_outline(e->f.points, e->f.point_count, &style, scene->ink, room);

    e->outline = malloc((count ? count : 1) * sizeof *e->outline);
    if (!e->outline)
        return;
    e->corner_count = count;
    for (size_t i = 0; i < count; i++)
        e->outline[i] = (struct tdm_board_corner){(float)scene->ink[i].x, (float)scene->ink[i].y};
}
