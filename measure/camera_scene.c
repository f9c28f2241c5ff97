/* SPDX-License-Identifier: MIT */
#include "measure/camera_scene.h"

#include "engine/base/rng.h"

#include <math.h>

/* Of the scene, in parts of the picture's height; the origin is its middle. */
struct point {
    double x, y;
};

struct colour {
    double y, u, v;
};

static struct colour mix(struct colour a, struct colour b, double part)
{
    return (struct colour){a.y + (b.y - a.y) * part, a.u + (b.u - a.u) * part,
                           a.v + (b.v - a.v) * part};
}

/* How far a point lies inside an ellipse: above 0 inside, 1 in its middle. */
static double inside(struct point at, struct point middle, double wide, double high)
{
    double x = (at.x - middle.x) / wide, y = (at.y - middle.y) / high;

    return 1 - x * x - y * y;
}

/* A wall with a shelf of books and a window's light. */
static struct colour room(struct point at)
{
    const struct colour wall = {150, 122, 134}, book = {90, 130, 120};
    double light = 40 * exp(-((at.x + 0.6) * (at.x + 0.6) + at.y * at.y) * 2);
    double spine = sin(at.x * 90 + 3 * sin(at.x * 17));
    bool shelf = at.x > 0.25 && fmod(at.y + 1, 0.25) < 0.19;
    struct colour colour = shelf ? (struct colour){book.y + 50 * spine, book.u + 20 * spine,
                                                   book.v + 25 * sin(at.x * 41)}
                                 : wall;

    colour.y += light + 4 * sin(at.x * 60) * sin(at.y * 50);
    return colour;
}

static struct colour person(struct point at, double t, struct colour behind)
{
    const struct colour skin = {165, 110, 152}, hair = {50, 125, 132}, coat = {70, 150, 118};
    struct point head = {0.05 * sin(t * 2.1), -0.05 + 0.02 * sin(t * 3.7)};
    struct point top = {head.x, head.y - 0.08};
    double face = inside(at, head, 0.16, 0.22), crown = inside(at, top, 0.18, 0.2);
    double body = inside(at, (struct point){head.x / 2, 0.6}, 0.42, 0.42);
    struct colour colour = behind;

    if (body > 0)
        colour = mix(coat, (struct colour){coat.y + 30 * sin(at.x * 70), coat.u, coat.v}, 0.5);
    if (crown > 0)
        colour = (struct colour){hair.y + 14 * sin(at.x * 160 + at.y * 40), hair.u, hair.v};
    if (face > 0 && at.y > head.y - 0.12)
        colour = (struct colour){skin.y - 30 + 40 * face, skin.u, skin.v};
    struct point mouth = {head.x, head.y + 0.11};

    if (inside(at, mouth, 0.06, 0.012 + 0.018 * (1 + sin(t * 19))) > 0)
        colour = (struct colour){70, 118, 160};
    for (int side = -1; side <= 1; side += 2)
        if (inside(at, (struct point){head.x + side * 0.06, head.y - 0.02}, 0.022, 0.013) > 0)
            colour = (struct colour){45, 128, 128};
    return colour;
}

static uint8_t sample(double value, uint32_t noise)
{
    double with = value + (double)(noise & 7) - 3.5;

    return (uint8_t)(with < 16 ? 16 : with > 235 ? 235 : with);
}

void tdm_camera_scene_draw(struct tdm_picture *pic, uint32_t index, uint32_t fps)
{
    struct tdm_rng rng = tdm_rng_of(index);
    double t = (double)index / fps, unit = 1.0 / pic->height;
    int middle_x = pic->width / 2, middle_y = pic->height / 2;

    for (int y = 0; y < pic->height; y += 2) {
        for (int x = 0; x < pic->width; x += 2) {
            struct point at = {(x - middle_x) * unit, (y - middle_y) * unit};
            struct colour colour = person(at, t, room(at));
            uint64_t noise = tdm_rng_u64(&rng);
            uint8_t *luma = pic->planes[0] + (ptrdiff_t)y * pic->strides[0] + x;

            for (int i = 0; i < 4; i++)
                luma[(i >> 1) * pic->strides[0] + (i & 1)] =
                    sample(colour.y, (uint32_t)(noise >> 3 * i));
            pic->planes[1][(ptrdiff_t)(y / 2) * pic->strides[1] + x / 2] =
                sample(colour.u, (uint32_t)(noise >> 20));
            pic->planes[2][(ptrdiff_t)(y / 2) * pic->strides[2] + x / 2] =
                sample(colour.v, (uint32_t)(noise >> 30));
        }
    }
}
