/* SPDX-License-Identifier: MIT */
#include "render/board_ink.h"

#include <math.h>
#include <string.h>

#define UNITS       16.0
#define FOLLOW      0.575 /* Of the way from the smoothed point to the hand, each point. */
#define CAP_STEPS   8     /* Vertices of half a circle, beside its ends. */
#define JOIN_STEPS  3     /* Vertices of the outer side of a sharp bend, beside its ends. */
#define DOT_STEPS   24
#define TAPER_LEAST 0.3  /* Of the width, at a tapered end. */
#define SAMPLE_MS   8.0  /* Of devices that say no times. */
#define SPEED_ROOM  14.0 /* px in SAMPLE_MS that a thin pen goes before it is at its thinnest. */
#define SPEED_RATE  0.25 /* How fast the width follows the speed. */
#define PI          3.14159265358979323846

#define PREDICT_MS     40.0 /* How far back the hand's speed is looked for. */
#define PREDICT_POINTS 8
#define PREDICT_LEAST  2.0 /* Units a sample: slower is a hand at rest. */
#define PREDICT_TURN   0.5 /* Of the bend of late is believed. */

struct vec {
    double x, y;
};

/* A point of the smoothed middle line. */
struct sample {
    struct vec at;
    double run; /* From the stroke's start. */
    double pressure;
};

/* Goes along the points and smooths them: what it says of a point depends on the ones before. */
struct follower {
    const struct tdm_board_point *points;
    size_t count, next;
    struct vec scale;
    double width;
    bool by_speed;
    struct sample last;
};

/* The outline as it grows: the left side from the room's start, the right side from its end. */
struct sides {
    struct tdm_board_ink_vertex *room;
    size_t left, right, size;
    double spacing; /* Vertices of a side are not closer than this. */
};

static struct vec minus(struct vec a, struct vec b)
{
    return (struct vec){a.x - b.x, a.y - b.y};
}

static double length(struct vec a)
{
    return sqrt(a.x * a.x + a.y * a.y);
}

static struct vec unit(struct vec a, struct vec otherwise)
{
    double l = length(a);

    return l > 1e-9 ? (struct vec){a.x / l, a.y / l} : otherwise;
}

static struct vec along(struct vec at, struct vec way, double by)
{
    return (struct vec){at.x + way.x * by, at.y + way.y * by};
}

static struct vec left_of(struct vec way)
{
    return (struct vec){way.y, -way.x};
}

static struct vec turned(struct vec a, double angle)
{
    double c = cos(angle), s = sin(angle);

    return (struct vec){a.x * c - a.y * s, a.x * s + a.y * c};
}

static double held(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

struct tdm_board_ink_style tdm_board_ink_style_of(double width, bool marker, bool sealed)
{
    return (struct tdm_board_ink_style){.width = width,
                                        .thinning = marker ? 0 : 0.5,
                                        .taper = marker ? 0 : 3 * width,
                                        .closed = sealed,
                                        .scale_x = 1,
                                        .scale_y = 1};
}

static bool one_pressure(const struct tdm_board_point *points, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (points[i].pressure != points[0].pressure)
            return false;
    return true;
}

static struct vec place(const struct follower *f, size_t i)
{
    return (struct vec){f->points[i].x / UNITS * f->scale.x, f->points[i].y / UNITS * f->scale.y};
}

static void follow_from_start(struct follower *f)
{
    f->next = 1;
    f->last = (struct sample){.at = place(f, 0),
                              .pressure = f->by_speed ? 0.5 : f->points[0].pressure / 255.0};
}

/* The width goes after the hand's speed as a pen's does: slow and broad, fast and thin. */
static double pressure_by_speed(const struct follower *f, size_t i, double way)
{
    double ms = f->points[i].dt_ms > 0 ? f->points[i].dt_ms : SAMPLE_MS;
    double speed = fmin(1, way * SAMPLE_MS / ms / (SPEED_ROOM + f->width));

    return f->last.pressure + (1 - speed - f->last.pressure) * speed * SPEED_RATE;
}

/* The next smoothed point; the stroke's last one is where the hand is. */
static bool follow(struct follower *f)
{
    if (f->next >= f->count)
        return false;
    size_t i = f->next++;
    struct vec hand = place(f, i);
    double part = i + 1 == f->count ? 1 : FOLLOW;
    struct vec at = along(f->last.at, minus(hand, f->last.at), part);
    double way = length(minus(at, f->last.at));
    double pressure = f->points[i].pressure / 255.0;

    if (f->by_speed)
        pressure = pressure_by_speed(f, i, way);
    else
        pressure = f->last.pressure + (pressure - f->last.pressure) * FOLLOW;
    f->last = (struct sample){.at = at, .run = f->last.run + way, .pressure = pressure};
    return true;
}

static double radius_of(const struct tdm_board_ink_style *style, const struct sample *s,
                        double total)
{
    double radius = style->width * (0.5 - style->thinning * (0.5 - s->pressure));
    double taper = fmin(style->taper, total / 3), grown = 1;

    if (taper > 0) {
        double left = fmin(s->run, style->closed ? total - s->run : s->run) / taper;

        left = held(left, 0, 1);
        grown = TAPER_LEAST + (1 - TAPER_LEAST) * left * (2 - left);
    }
    return fmax(radius, 0) * grown;
}

static void put_left(struct sides *s, struct vec at)
{
    s->room[s->left++] = (struct tdm_board_ink_vertex){at.x, at.y};
}

static void put_right(struct sides *s, struct vec at)
{
    s->room[--s->right] = (struct tdm_board_ink_vertex){at.x, at.y};
}

static bool near(struct tdm_board_ink_vertex a, struct vec b, double spacing)
{
    return length((struct vec){a.x - b.x, a.y - b.y}) < spacing;
}

/* Around the outer side of a sharp bend, and through the middle on the inner one. */
static void put_bend(struct sides *s, struct vec at, struct vec in, struct vec out, double radius)
{
    double cross = in.x * out.y - in.y * out.x;
    double angle = acos(held(in.x * out.x + in.y * out.y, -1, 1));
    bool outer_left = cross > 0; /* y runs down: a turn to the right. */
    double sign = outer_left ? 1 : -1;
    struct vec side = left_of(in);

    for (int i = 0; i <= JOIN_STEPS + 1; i++) {
        struct vec way = turned(side, sign * angle * i / (JOIN_STEPS + 1));

        if (outer_left)
            put_left(s, along(at, way, radius));
        else
            put_right(s, along(at, way, -radius));
    }
    if (outer_left) {
        put_right(s, along(at, left_of(in), -radius));
        put_right(s, at);
        put_right(s, along(at, left_of(out), -radius));
    } else {
        put_left(s, along(at, left_of(in), radius));
        put_left(s, at);
        put_left(s, along(at, left_of(out), radius));
    }
}

static void put_sides(struct sides *s, struct vec at, struct vec in, struct vec out, double radius)
{
    if (in.x * out.x + in.y * out.y < 0) {
        put_bend(s, at, in, out, radius);
        return;
    }
    struct vec side = left_of(unit((struct vec){in.x + out.x, in.y + out.y}, in));
    struct vec left = along(at, side, radius), right = along(at, side, -radius);

    if (!near(s->room[s->left - 1], left, s->spacing))
        put_left(s, left);
    if (!near(s->room[s->right], right, s->spacing))
        put_right(s, right);
}

/* Half a circle against the way at the start, which goes to the left side; half a one along it at
 * the end. */
static void put_start(struct sides *s, struct vec at, struct vec way, double radius)
{
    struct vec right = along((struct vec){0, 0}, left_of(way), -1);

    put_right(s, along(at, right, radius));
    for (int i = 1; i <= CAP_STEPS + 1; i++)
        put_left(s, along(at, turned(right, PI * i / (CAP_STEPS + 1)), radius));
}

static void put_end(struct sides *s, struct vec at, struct vec way, double radius)
{
    struct vec left = left_of(way);

    for (int i = 0; i <= CAP_STEPS; i++)
        put_left(s, along(at, turned(left, PI * i / (CAP_STEPS + 1)), radius));
    put_right(s, along(at, left, -radius));
}

static size_t dot(struct vec at, double radius, struct tdm_board_ink_vertex *outline)
{
    for (int i = 0; i < DOT_STEPS; i++) {
        struct vec v = along(at, turned((struct vec){1, 0}, 2 * PI * i / DOT_STEPS), radius);

        outline[i] = (struct tdm_board_ink_vertex){v.x, v.y};
    }
    return DOT_STEPS;
}

static double total_run(struct follower f)
{
    follow_from_start(&f);
    while (follow(&f))
        ;
    return f.last.run;
}

/* The middle line in steps of at least a little way: a hand that rests makes no corners. */
static bool step(struct follower *f, struct sample *s, double least)
{
    double from = f->last.run;
    bool any = false;

    while (f->last.run - from < least && follow(f))
        any = true;
    *s = f->last;
    return any;
}

static void walk(struct follower *f, const struct tdm_board_ink_style *style, double total,
                 struct sides *s)
{
    const double least = fmin(0.25, style->width / 8);
    struct sample now = f->last, next;
    struct vec in = {1, 0};

    for (bool first = true; step(f, &next, least); first = false) {
        struct vec out = unit(minus(next.at, now.at), in);
        double radius = radius_of(style, &now, total);

        if (first)
            put_start(s, now.at, out, radius);
        else
            put_sides(s, now.at, in, out, radius);
        in = out;
        now = next;
    }
    put_end(s, now.at, in, radius_of(style, &now, total));
}

static double scale_or_one(double scale)
{
    return isfinite(scale) && scale != 0 ? held(scale, -1e6, 1e6) : 1;
}

size_t tdm_board_ink_outline(const struct tdm_board_point *points, size_t count,
                             const struct tdm_board_ink_style *style,
                             struct tdm_board_ink_vertex *outline, size_t room)
{
    if (count == 0 || room < TDM_BOARD_INK_OUTLINE_MAX(count) || !(style->width > 0))
        return 0;
    struct follower f = {.points = points,
                         .count = count,
                         .scale = {scale_or_one(style->scale_x), scale_or_one(style->scale_y)},
                         .width = style->width,
                         .by_speed = one_pressure(points, count)};
    double total = total_run(f);

    follow_from_start(&f);
    if (total < 0.05)
        return dot(f.last.at, fmax(style->width / 2, 0.05), outline);
    struct sides s = {.room = outline,
                      .right = TDM_BOARD_INK_OUTLINE_MAX(count),
                      .size = TDM_BOARD_INK_OUTLINE_MAX(count),
                      .spacing = style->width / 3};

    walk(&f, style, total, &s);
    memmove(outline + s.left, outline + s.right, (s.size - s.right) * sizeof *outline);
    return s.left + s.size - s.right;
}

static double ms_of(const struct tdm_board_point *p)
{
    return p->dt_ms > 0 ? p->dt_ms : SAMPLE_MS;
}

bool tdm_board_ink_predict(const struct tdm_board_point *points, size_t count, double ahead_ms,
                           struct tdm_board_point *next)
{
    if (count < 3 || !(ahead_ms > 0))
        return false;
    const struct tdm_board_point *last = &points[count - 1];
    size_t back = count - 1;
    double ms = 0;

    while (back > 0 && count - 1 - back < PREDICT_POINTS && ms < PREDICT_MS)
        ms += ms_of(&points[back--]);
    size_t middle = (back + count - 1) / 2;
    struct vec way = {last->x - points[middle].x, last->y - points[middle].y};
    struct vec before = {points[middle].x - points[back].x, points[middle].y - points[back].y};
    double way_ms = 0;

    for (size_t i = middle + 1; i < count; i++)
        way_ms += ms_of(&points[i]);
    if (length(way) < PREDICT_LEAST * way_ms / SAMPLE_MS || length(before) < 1)
        return false;
    double ahead = fmin(ahead_ms, way_ms) / way_ms;
    double bend = atan2(before.x * way.y - before.y * way.x, before.x * way.x + before.y * way.y);
    struct vec by = turned(way, bend * PREDICT_TURN * ahead);
    double brake = fmin(1, length(way) / length(before)); /* A hand that slows down stops. */

    *next = *last;
    next->x = (int32_t)held(last->x + by.x * ahead * brake, -0x40000000, 0x40000000);
    next->y = (int32_t)held(last->y + by.y * ahead * brake, -0x40000000, 0x40000000);
    next->dt_ms = (uint16_t)held(ahead_ms, 0, 65535);
    return true;
}
