/* SPDX-License-Identifier: MIT */
#include "render/board_draw.h"
#include "render/board_paint.h"
#include "render/board_tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_USUAL ((size_t)96 << 20)
#define TILE_BYTES  ((size_t)TDM_BOARD_TILE * TDM_BOARD_TILE * 4)
#define TILES_LEAST 64
#define AHEAD       2 /* Tiles beyond the edge that the view moves to. */
#define FRAME_TILES 4 /* Painted in a frame, so that it is short, */
#define FRAME_AHEAD 2 /* and where the view goes, of these. */

struct tile {
    cairo_surface_t *surface; /* NULL: not yet. */
    int64_t x, y;
    bool painted;
    struct tdm_rect dirty; /* To be painted again; empty: nothing. */
    uint64_t seen;         /* The call that needed it last. */
    uint64_t shown;        /* The camera under which the target has it. */
};

struct tdm_board_cache {
    struct tdm_board_scene *scene;
    struct tile *tiles; /* All of one look. */
    size_t tile_count, tile_max;
    struct tdm_board_look look;
    uint64_t call, camera_count;
    struct tdm_board_camera camera; /* Of the target as it is. */
    const uint8_t *target;
    bool complete;              /* The target has no tile missing. */
    bool moved;                 /* This call's camera is another one than the last call's. */
    cairo_surface_t *backdrop;  /* The last complete target before the scale changed, */
    struct tdm_board_camera at; /* and its camera. */
};

enum tdm_err tdm_board_cache_create(struct tdm_board_cache **cache, struct tdm_board_scene *scene,
                                    size_t bytes_max, struct tdm_cause *cause)
{
    struct tdm_board_cache *c = calloc(1, sizeof *c);

    *cache = NULL;
    if (c) {
        c->tile_max = (bytes_max ? bytes_max : BYTES_USUAL) / TILE_BYTES;
        if (c->tile_max < TILES_LEAST)
            c->tile_max = TILES_LEAST;
        c->tiles = calloc(c->tile_max, sizeof *c->tiles);
        c->scene = scene;
    }
    if (!c || !c->tiles) {
        free(c);
        return tdm_fail(cause, TDM_E_SYSTEM, "There is no memory for the board's picture.");
    }
    *cache = c;
    return TDM_OK;
}

void tdm_board_cache_destroy(struct tdm_board_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->tile_count; i++)
        cairo_surface_destroy(c->tiles[i].surface);
    cairo_surface_destroy(c->backdrop);
    free(c->tiles);
    free(c);
}

static const struct tdm_rect whole = {0, 0, TDM_BOARD_TILE, TDM_BOARD_TILE};

static bool same_look(const struct tdm_board_look *a, const struct tdm_board_look *b)
{
    return a->scale == b->scale && a->theme == b->theme && a->without_ground == b->without_ground &&
           a->without_pattern == b->without_pattern;
}

static void forget(struct tdm_board_cache *c)
{
    for (size_t i = 0; i < c->tile_count; i++) {
        c->tiles[i].painted = false;
        c->tiles[i].shown = 0;
        c->tiles[i].seen = 0;
    }
}

/* The tile's pixels that a box of the board touches. */
static struct tdm_rect touched(const struct tdm_board_look *look, const struct tile *t,
                               const struct tdm_figure_box *box)
{
    struct tdm_board_camera camera = {.scale = look->scale,
                                      .x = t->x,
                                      .y = t->y,
                                      .width = TDM_BOARD_TILE,
                                      .height = TDM_BOARD_TILE};

    return tdm_board_camera_rect(&camera, box);
}

static void take_damage(struct tdm_board_cache *c)
{
    struct tdm_board_damage damage;

    tdm_board_scene_damage(c->scene, &damage);
    for (size_t i = 0; i < c->tile_count; i++) {
        struct tile *t = &c->tiles[i];

        if (damage.all)
            t->dirty = whole;
        for (size_t k = 0; k < damage.count; k++) {
            struct tdm_rect r = touched(&c->look, t, &damage.boxes[k]);

            if (!tdm_rect_empty(r))
                t->dirty = tdm_rect_around(t->dirty, r);
        }
    }
}

static struct tile *find(struct tdm_board_cache *c, int64_t x, int64_t y)
{
    for (size_t i = 0; i < c->tile_count; i++)
        if (c->tiles[i].x == x && c->tiles[i].y == y && c->tiles[i].surface)
            return &c->tiles[i];
    return NULL;
}

/* The tile there, or another one's room: of the one that was not needed for longest. NULL where
 * this call needs all of them. */
static struct tile *claim(struct tdm_board_cache *c, int64_t x, int64_t y)
{
    struct tile *t = find(c, x, y);

    if (!t && c->tile_count < c->tile_max) {
        t = &c->tiles[c->tile_count];
        *t = (struct tile){0};
        t->surface =
            cairo_image_surface_create(CAIRO_FORMAT_ARGB32, TDM_BOARD_TILE, TDM_BOARD_TILE);
        if (cairo_surface_status(t->surface) == CAIRO_STATUS_SUCCESS) {
            c->tile_count++;
        } else {
            cairo_surface_destroy(t->surface);
            t->surface = NULL;
            t = NULL;
        }
    } else if (!t) {
        t = &c->tiles[0];
        for (size_t i = 1; i < c->tile_count; i++)
            if (c->tiles[i].seen < t->seen)
                t = &c->tiles[i];
        if (t->seen == c->call)
            return NULL;
    }
    if (t && (t->x != x || t->y != y || !t->painted))
        *t = (struct tile){.surface = t->surface, .x = x, .y = y};
    return t;
}

static void paint(struct tdm_board_cache *c, struct tile *t)
{
    /* Always the whole tile: cairo's edges differ by a shade where a clip cuts them. */
    tdm_board_tile_paint(c->scene, &c->look, t->x, t->y, t->surface, whole);
    t->painted = true;
    t->dirty = (struct tdm_rect){0, 0, 0, 0};
}

/* One drawing's work. */
struct drawing {
    struct tdm_board_cache *c;
    const struct tdm_board_camera *camera;
    uint8_t *target;
    int stride, left; /* Tiles that may still be painted. */
    struct tdm_board_cache_report *report;
};

static void report_rect(struct tdm_board_cache_report *report, struct tdm_rect r)
{
    if (tdm_rect_empty(r))
        return;
    if (report->rect_count < TDM_BOARD_DAMAGE_MAX) {
        report->rects[report->rect_count++] = r;
        return;
    }
    for (size_t i = 1; i < report->rect_count; i++)
        report->rects[0] = tdm_rect_around(report->rects[0], report->rects[i]);
    report->rects[0] = tdm_rect_around(report->rects[0], r);
    report->rect_count = 1;
}

/* Where a part of a tile is on the target. */
static struct tdm_rect placed(const struct drawing *d, int64_t x, int64_t y, struct tdm_rect part)
{
    struct tdm_rect on = {(int)(x - d->camera->x) + part.x, (int)(y - d->camera->y) + part.y,
                          part.width, part.height};

    return tdm_rect_both(on, (struct tdm_rect){0, 0, d->camera->width, d->camera->height});
}

static void show(const struct drawing *d, const struct tile *t, struct tdm_rect part)
{
    struct tdm_rect r = placed(d, t->x, t->y, part);
    int x = (int)(t->x - d->camera->x), y = (int)(t->y - d->camera->y);
    ptrdiff_t stride = cairo_image_surface_get_stride(t->surface);
    const uint8_t *from = cairo_image_surface_get_data(t->surface);

    for (int row = r.y; row < r.y + r.height; row++)
        memcpy(d->target + (ptrdiff_t)row * d->stride + 4 * (ptrdiff_t)r.x,
               from + (row - y) * stride + 4 * (ptrdiff_t)(r.x - x), 4 * (size_t)r.width);
    report_rect(d->report, r);
}

/* What was there before at another scale, blown up or shrunk, until the tile comes. */
static void show_backdrop(const struct drawing *d, int64_t x, int64_t y)
{
    struct tdm_board_cache *c = d->c;
    struct tdm_rect r = placed(d, x, y, whole);
    uint32_t paper = tdm_board_theme_paper(d->camera->theme, &c->scene->ground);
    cairo_surface_t *s = cairo_image_surface_create_for_data(
        d->target, CAIRO_FORMAT_ARGB32, d->camera->width, d->camera->height, d->stride);
    cairo_t *cr = cairo_create(s);

    cairo_rectangle(cr, r.x, r.y, r.width, r.height);
    cairo_clip(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
    cairo_set_source_rgba(cr, (paper >> 24) / 255.0, (paper >> 16 & 255) / 255.0,
                          (paper >> 8 & 255) / 255.0, d->camera->without_ground ? 0 : 1);
    cairo_paint(cr);
    if (c->backdrop) {
        double by = d->camera->scale / c->at.scale;

        cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
        cairo_translate(cr, (double)c->at.x * by - (double)d->camera->x,
                        (double)c->at.y * by - (double)d->camera->y);
        cairo_scale(cr, by, by);
        cairo_set_source_surface(cr, c->backdrop, 0, 0);
        cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
        cairo_paint(cr);
    }
    cairo_destroy(cr);
    cairo_surface_destroy(s);
    report_rect(d->report, r);
}

static void draw_missing(const struct drawing *d, int64_t x, int64_t y)
{
    if (d->c->moved)
        show_backdrop(d, x, y);
    d->report->missing++;
}

static void draw_tile(struct drawing *d, int64_t x, int64_t y)
{
    struct tdm_board_cache *c = d->c;
    struct tile *t = find(c, x, y);
    bool sharp = t && t->painted;

    if (!sharp)
        t = d->left > 0 ? claim(c, x, y) : NULL;
    if (!t) {
        draw_missing(d, x, y);
        return;
    }
    struct tdm_rect part = t->shown == c->camera_count ? t->dirty : whole;

    t->seen = c->call;
    if (!sharp || !tdm_rect_empty(t->dirty)) {
        d->report->painted += !sharp;
        d->report->mended += sharp;
        d->left -= !sharp;
        paint(c, t);
    }
    if (!sharp)
        part = whole;
    if (!tdm_rect_empty(part))
        show(d, t, part);
    t->shown = c->camera_count;
}

/* The last sharp picture stays, to be shown while tiles of the new scale come. */
static void keep_backdrop(struct tdm_board_cache *c, const uint8_t *target, int stride)
{
    int width = c->camera.width, height = c->camera.height;

    if (!c->backdrop || cairo_image_surface_get_width(c->backdrop) != width ||
        cairo_image_surface_get_height(c->backdrop) != height) {
        cairo_surface_destroy(c->backdrop);
        c->backdrop = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
        if (cairo_surface_status(c->backdrop) != CAIRO_STATUS_SUCCESS) {
            cairo_surface_destroy(c->backdrop);
            c->backdrop = NULL;
            return;
        }
    }
    uint8_t *to = cairo_image_surface_get_data(c->backdrop);
    ptrdiff_t to_stride = cairo_image_surface_get_stride(c->backdrop);

    for (int y = 0; y < height; y++)
        memcpy(to + y * to_stride, target + (ptrdiff_t)y * stride, 4 * (size_t)width);
    cairo_surface_mark_dirty(c->backdrop);
    c->at = c->camera;
}

static bool same_camera(const struct tdm_board_camera *a, const struct tdm_board_camera *b)
{
    return a->scale == b->scale && a->x == b->x && a->y == b->y && a->width == b->width &&
           a->height == b->height && a->theme == b->theme &&
           a->without_ground == b->without_ground && a->without_pattern == b->without_pattern;
}

static void look_from(struct tdm_board_cache *c, const struct tdm_board_camera *camera,
                      const uint8_t *target, int stride, int tiles_max)
{
    struct tdm_board_look look = {camera->scale, camera->theme, camera->without_ground,
                                  camera->without_pattern};

    c->moved = target != c->target || !same_camera(camera, &c->camera);
    if (!c->moved)
        return;
    if (!same_look(&look, &c->look)) {
        if (tiles_max > 0 && c->complete && target == c->target && look.scale != c->look.scale &&
            camera->width == c->camera.width && camera->height == c->camera.height)
            keep_backdrop(c, target, stride);
        else if (look.theme != c->look.theme || camera->width != c->camera.width) {
            cairo_surface_destroy(c->backdrop);
            c->backdrop = NULL;
        }
        forget(c);
        c->look = look;
    }
    c->camera_count++;
    c->camera = *camera;
    c->target = target;
}

/* What is seen at once has room, however large the window is. */
static void make_room(struct tdm_board_cache *c, size_t needed)
{
    if (needed <= c->tile_max)
        return;
    struct tile *tiles = realloc(c->tiles, needed * sizeof *tiles);

    if (!tiles)
        return;
    c->tiles = tiles;
    c->tile_max = needed;
}

/* From the middle outwards, where the eye is. */
static void draw_rings(struct drawing *d)
{
    int64_t left = tdm_board_tile_at(d->camera->x), top = tdm_board_tile_at(d->camera->y);
    int columns =
        (int)((tdm_board_tile_at(d->camera->x + d->camera->width - 1) - left) / TDM_BOARD_TILE) + 1;
    int rows =
        (int)((tdm_board_tile_at(d->camera->y + d->camera->height - 1) - top) / TDM_BOARD_TILE) + 1;
    int rings = (columns > rows ? columns : rows) / 2 + 1;

    make_room(d->c, (size_t)(columns + 2 * AHEAD) * (size_t)(rows + 2 * AHEAD));
    for (int ring = 0; ring <= rings; ring++)
        for (int y = rows / 2 - ring; y <= rows / 2 + ring; y++)
            for (int x = columns / 2 - ring; x <= columns / 2 + ring; x++) {
                bool edge = abs(y - rows / 2) == ring || abs(x - columns / 2) == ring;

                if (edge && x >= 0 && y >= 0 && x < columns && y < rows)
                    draw_tile(d, left + (int64_t)x * TDM_BOARD_TILE,
                              top + (int64_t)y * TDM_BOARD_TILE);
            }
}

void tdm_board_cache_draw(struct tdm_board_cache *c, const struct tdm_board_camera *camera,
                          uint8_t *target, int stride, int tiles_max,
                          struct tdm_board_cache_report *report)
{
    struct drawing d = {.c = c,
                        .camera = camera,
                        .target = target,
                        .stride = stride,
                        .left = tiles_max > 0 ? tiles_max : INT32_MAX,
                        .report = report};

    *report = (struct tdm_board_cache_report){0};
    if (camera->width <= 0 || camera->height <= 0)
        return;
    c->call++;
    look_from(c, camera, target, stride, tiles_max);
    take_damage(c);
    draw_rings(&d);
    c->complete = report->missing == 0;
}

int tdm_board_cache_ahead(struct tdm_board_cache *c, const struct tdm_board_camera *camera, int dx,
                          int dy, int tiles_max)
{
    int64_t left = tdm_board_tile_at(camera->x), top = tdm_board_tile_at(camera->y);
    int64_t right = tdm_board_tile_at(camera->x + camera->width - 1);
    int64_t bottom = tdm_board_tile_at(camera->y + camera->height - 1);
    int painted = 0;

    if (camera->scale != c->look.scale || camera->theme != c->look.theme)
        return 0;
    left -= (int64_t)(dx < 0 ? AHEAD : dx == 0) * TDM_BOARD_TILE;
    right += (int64_t)(dx > 0 ? AHEAD : dx == 0) * TDM_BOARD_TILE;
    top -= (int64_t)(dy < 0 ? AHEAD : dy == 0) * TDM_BOARD_TILE;
    bottom += (int64_t)(dy > 0 ? AHEAD : dy == 0) * TDM_BOARD_TILE;
    for (int64_t y = top; y <= bottom; y += TDM_BOARD_TILE)
        for (int64_t x = left; x <= right && painted < tiles_max; x += TDM_BOARD_TILE) {
            struct tile *t = find(c, x, y);

            if (t && t->painted && tdm_rect_empty(t->dirty)) {
                t->seen = c->call;
                continue;
            }
            t = t ? t : claim(c, x, y);
            if (!t)
                return painted;
            paint(c, t);
            t->seen = c->call;
            painted++;
        }
    return painted;
}

static int direction(int64_t from, int64_t to)
{
    return (to > from) - (to < from);
}

bool tdm_board_cache_frame(struct tdm_board_cache *c, const struct tdm_board_camera *camera,
                           uint8_t *target, int stride, struct tdm_board_cache_report *report)
{
    struct tdm_board_camera before = c->camera;
    bool along = c->complete && before.scale == camera->scale && !same_camera(&before, camera);
    int left;

    /* With another scale there is a backdrop to be drawn. */
    tdm_board_cache_draw(c, camera, target, stride, before.scale == camera->scale ? FRAME_TILES : 1,
                         report);
    left = FRAME_TILES - report->painted;
    if (along && left > 0)
        (void)tdm_board_cache_ahead(c, camera, direction(before.x, camera->x),
                                    direction(before.y, camera->y),
                                    left < FRAME_AHEAD ? left : FRAME_AHEAD);
    return report->missing == 0;
}
