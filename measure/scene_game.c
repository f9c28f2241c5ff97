/* SPDX-License-Identifier: MIT */
/*
 * A game: a fast ride over a textured plain under a sky, the camera turning as it goes, posts that
 * rush past, and a steady display of numbers on top. Everything moves, differently everywhere.
 */
#include "engine/base/rng.h"
#include "measure/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTURE     256 /* Samples a side; a power of two. */
#define POSTS       40
#define WORLD       64.0 /* Length after which the posts repeat. */
#define HORIZON     0.42
#define CAMERA_HIGH 1.1
#define VIEW        1.2 /* Width of the view at distance 1. */
#define SPEED       9.0 /* Units a second. */

struct post {
    double x, z, width, height;
    uint32_t colour;
};

struct game {
    uint32_t ground[TEXTURE * TEXTURE];
    struct post posts[POSTS];
};

static uint32_t shade(uint32_t colour, double light)
{
    uint32_t level = (uint32_t)(fmax(0, fmin(1, light)) * 256);

    return ((colour >> 16 & 255) * level >> 8) << 16 | ((colour >> 8 & 255) * level >> 8) << 8 |
           (colour & 255) * level >> 8;
}

static void make_ground(struct game *g, struct tdm_rng *rng)
{
    for (int y = 0; y < TEXTURE; y++)
        for (int x = 0; x < TEXTURE; x++) {
            bool road = x > 96 && x<160, mark = x> 124 && x < 132 && (y & 63) < 32;
            bool stone = ((x >> 4) ^ (y >> 4)) & 1;
            uint32_t base = mark ? 0xf0f0e0 : road ? 0x606468 : stone ? 0x5c8a3a : 0x7a9a48;

            g->ground[y * TEXTURE + x] = shade(base, 0.75 + 0.25 * tdm_rng_unit(rng));
        }
}

static void *create(struct tdm_canvas *canvas)
{
    static const uint32_t colours[] = {0xd03030, 0xe0a020, 0x3060c0, 0xf0f0f0, 0x8040a0};
    struct game *g = calloc(1, sizeof *g);
    struct tdm_rng rng = tdm_rng_of(9);

    (void)canvas;
    if (!g)
        return NULL;
    make_ground(g, &rng);
    for (int i = 0; i < POSTS; i++) {
        double side = i % 2 ? 1 : -1;

        g->posts[i] = (struct post){.x = side * (1.6 + 6 * tdm_rng_unit(&rng)),
                                    .z = WORLD * i / POSTS,
                                    .width = 0.25 + 0.5 * tdm_rng_unit(&rng),
                                    .height = 1 + 2.5 * tdm_rng_unit(&rng),
                                    .colour = colours[tdm_rng_below(&rng, 5)]};
    }
    return g;
}

/* The camera: where it is, and where it looks. */
struct view {
    double x, z, sine, cosine;
    int horizon;
};

static struct view view_at(const struct tdm_canvas *canvas, double t)
{
    double turn = 0.18 * sin(t * 1.3);

    return (struct view){
        .x = 0.8 * sin(t * 0.9),
        .z = SPEED * t,
        .sine = sin(turn),
        .cosine = cos(turn),
        .horizon = (int)(canvas->height * (HORIZON + 0.02 * sin(t * 5))),
    };
}

static void draw_sky(const struct tdm_canvas *canvas, uint32_t *pixels, int stride,
                     const struct view *view)
{
    for (int y = 0; y < view->horizon; y++) {
        double high = 1 - (double)y / view->horizon;
        uint32_t colour = (uint32_t)(200 - 130 * high) << 16 | (uint32_t)(215 - 80 * high) << 8 |
                          (uint32_t)(235 - 20 * high);
        uint32_t *row = pixels + (ptrdiff_t)y * stride;

        for (int x = 0; x < canvas->width; x++)
            row[x] = colour;
    }
}

/* Each row of the ground is a line through the texture. */
static void draw_ground(const struct game *g, const struct tdm_canvas *canvas, uint32_t *pixels,
                        int stride, const struct view *view)
{
    double scale = TEXTURE / 4.0;

    for (int y = view->horizon; y < canvas->height; y++) {
        double far = CAMERA_HIGH * canvas->height / (y - view->horizon + 0.7);
        double left = -VIEW * far / 2, step = VIEW * far / canvas->width;
        double x0 = view->x + left * view->cosine + far * view->sine + 2;
        double z0 = view->z - left * view->sine + far * view->cosine;
        uint32_t level = (uint32_t)(256 * (0.35 + 0.65 * exp(-far / 40)));
        int64_t u = (int64_t)(x0 * scale * 65536), v = (int64_t)(z0 * scale * 65536);
        int64_t du = (int64_t)(step * view->cosine * scale * 65536);
        int64_t dv = (int64_t)(-step * view->sine * scale * 65536);
        uint32_t *row = pixels + (ptrdiff_t)y * stride;

        for (int x = 0; x < canvas->width; x++, u += du, v += dv) {
            uint32_t c = g->ground[(v >> 16 & (TEXTURE - 1)) * TEXTURE + (u >> 16 & (TEXTURE - 1))];

            row[x] =
                ((c & 0xff00ff) * level >> 8 & 0xff00ff) | ((c & 0xff00) * level >> 8 & 0xff00);
        }
    }
}

static void draw_post(struct tdm_canvas *canvas, const struct post *post, const struct view *view,
                      double ahead)
{
    double x = post->x - view->x;
    double far = ahead * view->cosine + x * view->sine,
           side = x * view->cosine - ahead * view->sine;
    double unit = canvas->width / (VIEW * far), light = 0.4 + 0.6 * exp(-far / 30);
    double left = canvas->width / 2.0 + (side - post->width / 2) * unit;
    double bottom = view->horizon + CAMERA_HIGH * canvas->height / far, tall = post->height * unit;

    tdm_pen_box(&canvas->pen, left, bottom - tall, post->width * unit, tall,
                shade(post->colour, light));
    for (int band = 0; band < 3; band++)
        tdm_pen_box(&canvas->pen, left, bottom - tall * (0.25 + 0.25 * band), post->width * unit,
                    tall * 0.06, shade(0x202020, light));
}

static void draw_posts(const struct game *g, struct tdm_canvas *canvas, const struct view *view)
{
    int first = 0;
    double nearest = WORLD;

    for (int i = 0; i < POSTS; i++) {
        double ahead = fmod(g->posts[i].z - fmod(view->z, WORLD) + WORLD, WORLD);

        if (ahead < nearest) {
            nearest = ahead;
            first = i;
        }
    }
    for (int i = POSTS - 1; i >= 0; i--) { /* The far ones first. */
        const struct post *post = &g->posts[(first + i) % POSTS];
        double ahead = fmod(post->z - fmod(view->z, WORLD) + WORLD, WORLD);

        if (ahead > 0.8)
            draw_post(canvas, post, view, ahead);
    }
}

static void draw_display(struct tdm_canvas *canvas, double t)
{
    const struct tdm_style style = {TDM_FACE_BOLD, canvas->height / 24, 0xffffff};
    char text[64];
    int size = snprintf(text, sizeof text, "%03d km/h   LAP 2/5   %05.2f", 180 + (int)(20 * sin(t)),
                        31.4 + t);

    tdm_pen_box(&canvas->pen, 16, 16, canvas->width * 0.5, canvas->height / 14.0, 0x101820);
    (void)tdm_pen_text(&canvas->pen, 28, 18, &style, text, size);
    tdm_pen_box(&canvas->pen, canvas->width * 0.78, canvas->height * 0.9, canvas->width * 0.2, 12,
                0x303030);
    tdm_pen_box(&canvas->pen, canvas->width * 0.78, canvas->height * 0.9,
                canvas->width * (0.12 + 0.05 * sin(t * 3)), 12, 0x30d060);
}

static void destroy(void *scene)
{
    free(scene);
}

static void draw(void *scene, struct tdm_canvas *canvas, uint32_t index)
{
    const struct game *g = scene;
    double t = (double)index / canvas->fps;
    struct view view = view_at(canvas, t);

    cairo_surface_flush(canvas->surface);
    uint32_t *pixels = (void *)cairo_image_surface_get_data(canvas->surface);
    int stride = cairo_image_surface_get_stride(canvas->surface) / 4;

    draw_sky(canvas, pixels, stride, &view);
    draw_ground(g, canvas, pixels, stride, &view);
    cairo_surface_mark_dirty(canvas->surface);
    draw_posts(g, canvas, &view);
    draw_display(canvas, t);
}

const struct tdm_scene_ops tdm_scene_game = {.create = create, .destroy = destroy, .draw = draw};
