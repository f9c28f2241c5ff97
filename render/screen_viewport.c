/* SPDX-License-Identifier: MIT */
#include "render/screen_viewport.h"

#include <math.h>

#define SCALE_LEAST 0.125
#define SCALE_MOST  8.0
#define PUSH_EDGE   24 /* Pixels of the window. */
#define PUSH_STEP   32

static const double scales[] = {0.125, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8};
#define SCALE_COUNT ((int)(sizeof scales / sizeof *scales))

static double held(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

/* A corner on one axis: inside of the world where that is larger than the window, else so that it
 * stands in the middle. At a scale of 1 it is a whole pixel, so that letters stay sharp. */
static double corner(double at, int first, int side, int window, double scale)
{
    double seen = window / scale;

    if (seen >= side)
        at = first - floor((window - side * scale) / 2) / scale;
    else
        at = held(at, first, first + side - seen);
    return scale == 1 ? floor(at + 0.5) : at;
}

static void settle(struct tdm_viewport *v)
{
    if (tdm_rect_empty(v->world) || v->width <= 0 || v->height <= 0)
        return;
    if (v->fits) {
        double wide = (double)v->width / v->world.width;
        double high = (double)v->height / v->world.height;

        v->scale = held(wide < high ? wide : high, 1.0 / 64, 1);
    }
    v->left = corner(v->left, v->world.x, v->world.width, v->width, v->scale);
    v->top = corner(v->top, v->world.y, v->world.height, v->height, v->scale);
}

void tdm_viewport_init(struct tdm_viewport *v)
{
    *v = (struct tdm_viewport){.fits = true, .scale = 1};
}

void tdm_viewport_set_world(struct tdm_viewport *v, struct tdm_rect world)
{
    if (tdm_rect_equal(world, v->world))
        return;
    if (world.width == v->world.width && world.height == v->world.height) {
        v->left += world.x - v->world.x;
        v->top += world.y - v->world.y;
    } else {
        v->fits = true;
    }
    v->world = world;
    settle(v);
}

void tdm_viewport_set_window(struct tdm_viewport *v, int width, int height)
{
    v->width = width;
    v->height = height;
    settle(v);
}

void tdm_viewport_fit(struct tdm_viewport *v)
{
    v->fits = true;
    settle(v);
}

void tdm_viewport_zoom(struct tdm_viewport *v, double scale, int x, int y)
{
    double at_x = v->left + x / v->scale, at_y = v->top + y / v->scale;

    v->fits = false;
    v->scale = held(scale, SCALE_LEAST, SCALE_MOST);
    v->left = at_x - x / v->scale;
    v->top = at_y - y / v->scale;
    settle(v);
}

double tdm_viewport_step(const struct tdm_viewport *v, bool up)
{
    for (int i = 0; i < SCALE_COUNT; i++) {
        double next = up ? scales[i] : scales[SCALE_COUNT - 1 - i];

        if (up ? next > v->scale * 1.001 : next < v->scale * 0.999)
            return next;
    }
    return v->scale;
}

void tdm_viewport_pan(struct tdm_viewport *v, int dx, int dy)
{
    v->left += dx / v->scale;
    v->top += dy / v->scale;
    settle(v);
}

static int push(int at, int side)
{
    return at < PUSH_EDGE ? -PUSH_STEP : at >= side - PUSH_EDGE ? PUSH_STEP : 0;
}

bool tdm_viewport_push(struct tdm_viewport *v, int x, int y)
{
    double left = v->left, top = v->top;

    if (v->fits)
        return false;
    tdm_viewport_pan(v, push(x, v->width), push(y, v->height));
    return v->left != left || v->top != top;
}

void tdm_viewport_to_world(const struct tdm_viewport *v, int x, int y, int *world_x, int *world_y)
{
    double last_x = v->world.x + v->world.width - 1, last_y = v->world.y + v->world.height - 1;

    *world_x = (int)held(floor(v->left + (x + 0.5) / v->scale), v->world.x, last_x);
    *world_y = (int)held(floor(v->top + (y + 0.5) / v->scale), v->world.y, last_y);
}

struct tdm_rect tdm_viewport_to_window(const struct tdm_viewport *v, struct tdm_rect r)
{
    /* Scaled pixels are mixed of neighbours: one more on each side. */
    int more = v->scale == 1 ? 0 : 1;
    int left = (int)floor((r.x - v->left) * v->scale) - more;
    int top = (int)floor((r.y - v->top) * v->scale) - more;
    int right = (int)ceil((r.x + r.width - v->left) * v->scale) + more;
    int bottom = (int)ceil((r.y + r.height - v->top) * v->scale) + more;

    return tdm_rect_both((struct tdm_rect){left, top, right - left, bottom - top},
                         (struct tdm_rect){0, 0, v->width, v->height});
}
