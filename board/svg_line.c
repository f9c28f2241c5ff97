/* SPDX-License-Identifier: MIT */
/* Lines, polygons and paths: what they are around is one closed line, however many parts it has,
 * so that a part inside another is a hole; their borders are a line each. */
#include "board/number.h"
#include "board/svg_path.h"
#include "board/svg_shape.h"

#include <stdlib.h>
#include <string.h>

#define POINTS_MAX 32768 /* Of one line; a longer one goes on as another. */
#define PARTS_MAX  256   /* Of one figure, whose holes are looked for. */
#define FAINTEST   1e-9

enum way {
    WAY_BORDER, /* Each part a line, filled too if it closes. */
    WAY_WITHIN, /* All parts one closed line without a border. */
};

/* Points of one line, as the board will have them. */
struct line {
    struct tdm_svg_brush brush;
    struct tdm_board_point *points;
    uint32_t count, room;
    struct tdm_svg_point origin;
    uint32_t part; /* Where this part of a figure begins. */
    uint32_t parts[PARTS_MAX][2];
    uint32_t part_count;
    enum way way;
    bool good;
};

static uint32_t fill_of(const struct tdm_svg_brush *b)
{
    return tdm_svg_paint(b->style.fill, b->style.fill_opacity);
}

static uint32_t border_of(const struct tdm_svg_brush *b)
{
    return tdm_svg_paint(b->style.stroke, b->style.stroke_opacity);
}

static bool has_fill(const struct tdm_svg_brush *b)
{
    return (fill_of(b) & 0xff) > 0;
}

static bool has_border(const struct tdm_svg_brush *b)
{
    return (border_of(b) & 0xff) > 0 && b->style.stroke_width > 0;
}

bool tdm_svg_brush_shows(const struct tdm_svg_brush *b)
{
    return has_fill(b) || has_border(b);
}

void tdm_svg_brush_paint(const struct tdm_svg_brush *b, struct tdm_drawing_item *item)
{
    item->fill = fill_of(b);
    item->colour = border_of(b);
    item->width =
        has_border(b) ? tdm_drawing_unit(b->style.stroke_width * tdm_svg_stretch(b->matrix)) : 0;
    item->dash = b->style.dash;
    item->opacity = (uint8_t)lround(b->style.opacity * 255);
    item->group = b->group;
}

/* --- Holes ------------------------------------------------------------------------------------ */

static bool within(const struct line *l, const uint32_t part[2], struct tdm_board_point p)
{
    bool in = false;

    for (uint32_t i = part[0] + 1; i < part[1]; i++) {
        const struct tdm_board_point *a = &l->points[i - 1], *b = &l->points[i];

        if ((a->y > p.y) != (b->y > p.y) &&
            p.x < (double)(b->x - a->x) * (p.y - a->y) / (b->y - a->y) + a->x)
            in = !in;
    }
    return in;
}

static double area(const struct line *l, const uint32_t part[2])
{
    double sum = 0;

    for (uint32_t i = part[0] + 1; i < part[1]; i++)
        sum += (double)l->points[i - 1].x * l->points[i].y -
               (double)l->points[i].x * l->points[i - 1].y;
    return sum;
}

static void turn_round(struct line *l, const uint32_t part[2])
{
    for (uint32_t a = part[0], b = part[1] - 1; a < b; a++, b--) {
        struct tdm_board_point kept = l->points[a];

        l->points[a] = l->points[b];
        l->points[b] = kept;
    }
}

/* A board fills by the non-zero rule: by the other one, a part in an odd number of others is a
 * hole, so it has to run the other way round. */
static void turn_holes(struct line *l)
{
    for (uint32_t i = 0; i < l->part_count; i++) {
        uint32_t around = 0;

        for (uint32_t j = 0; j < l->part_count; j++)
            around += j != i && within(l, l->parts[j], l->points[l->parts[i][0]]);
        if ((around & 1) == (area(l, l->parts[i]) > 0))
            turn_round(l, l->parts[i]);
    }
}

/* --- Lines ------------------------------------------------------------------------------------ */

static void put_point(struct line *l, uint32_t i)
{
    if (l->count < POINTS_MAX)
        l->points[l->count++] = l->points[i];
}

/* Closes a part, and goes back to where the first one began: a way there and back has no area. */
static void join_part(struct line *l)
{
    if (l->count - l->part <= 2) { /* Nothing is within. */
        l->count = l->part;
        return;
    }
    put_point(l, l->part);
    if (l->part_count < PARTS_MAX) {
        l->parts[l->part_count][0] = l->part;
        l->parts[l->part_count++][1] = l->count;
    }
    if (l->part)
        put_point(l, 0);
    l->part = l->count;
}

static void put_line(struct line *l)
{
    struct tdm_drawing_item *item;
    struct tdm_board_point *points;

    if (l->way == WAY_WITHIN && l->brush.style.even_odd)
        turn_holes(l);
    item = l->count > 1 && l->good ? tdm_drawing_add(l->brush.drawing, TDM_BOARD_LINE) : NULL;
    if (item) {
        tdm_svg_brush_paint(&l->brush, item);
        item->x = tdm_drawing_unit(l->origin.x);
        item->y = tdm_drawing_unit(l->origin.y);
        if (l->count == 2) {
            item->w = l->points[1].x;
            item->h = l->points[1].y;
        } else {
            points = tdm_drawing_room(l->brush.drawing, l->count * sizeof *points);
            l->good = points != NULL;
            if (points)
                memcpy(points, l->points, l->count * sizeof *points);
            item->points = points;
            item->point_count = points ? l->count : 0;
        }
    } else if (l->count > 1) {
        l->good = false;
    }
    l->count = l->part = l->part_count = 0;
}

static void end_line(void *arg, bool closed)
{
    struct line *l = arg;

    if (l->way == WAY_WITHIN) {
        join_part(l);
        return;
    }
    if (l->count > 2 && closed)
        put_point(l, 0);
    put_line(l);
}

static bool add_point(void *arg, double x, double y)
{
    struct line *l = arg;
    struct tdm_svg_point at = tdm_svg_map(l->brush.matrix, x, y);

    if (l->count >= POINTS_MAX - 2) { /* The last places are for closing. */
        if (l->way == WAY_WITHIN)
            join_part(l);
        put_line(l);
    }
    if (l->count + 2 >= l->room) {
        uint32_t room = l->room ? 2 * l->room : 256;
        struct tdm_board_point *points = realloc(l->points, room * sizeof *points);

        if (!points)
            return l->good = false;
        l->points = points;
        l->room = room;
    }
    if (!l->count)
        l->origin = at;
    l->points[l->count++] = (struct tdm_board_point){.x = tdm_drawing_unit(at.x - l->origin.x),
                                                     .y = tdm_drawing_unit(at.y - l->origin.y),
                                                     .pressure = 128};
    return l->good;
}

/* --- Figures ---------------------------------------------------------------------------------- */

/* Says the points of a figure into a line, and where its parts end. */
typedef void say_fn(struct line *l, const void *what);

static bool run(const struct tdm_svg_brush *b, enum way way, say_fn *say, const void *what)
{
    struct line *l = calloc(1, sizeof *l);
    bool good;

    if (!l)
        return false;
    l->brush = *b;
    l->way = way;
    l->good = true;
    say(l, what);
    if (way == WAY_WITHIN)
        put_line(l);
    good = l->good;
    free(l->points);
    free(l);
    return good;
}

/* One line where that can show all: a border that closes around the fill, or only one of both. */
static bool put_figure(const struct tdm_svg_brush *b, bool one_closed, say_fn *say,
                       const void *what)
{
    struct tdm_svg_brush inner = *b, border = *b;

    if (!has_border(b))
        return !has_fill(b) || run(b, WAY_WITHIN, say, what);
    if (!has_fill(b) || one_closed)
        return run(b, WAY_BORDER, say, what);
    inner.group = border.group = tdm_drawing_group(b->drawing, b->group);
    inner.style.stroke = border.style.fill = 0;
    return run(&inner, WAY_WITHIN, say, what) && run(&border, WAY_BORDER, say, what);
}

struct two {
    struct tdm_svg_point from, to;
};

static void say_two(struct line *l, const void *what)
{
    const struct two *two = what;

    if (add_point(l, two->from.x, two->from.y) && add_point(l, two->to.x, two->to.y))
        end_line(l, false);
}

bool tdm_svg_line(const struct tdm_svg_brush *b, struct tdm_svg_point from, struct tdm_svg_point to)
{
    return !has_border(b) || run(b, WAY_BORDER, say_two, &(struct two){from, to});
}

struct corners {
    const struct tdm_svg_point *at;
    size_t count;
};

static void say_corners(struct line *l, const void *what)
{
    const struct corners *corners = what;

    for (size_t i = 0; i < corners->count; i++)
        if (!add_point(l, corners->at[i].x, corners->at[i].y))
            return;
    end_line(l, true);
}

bool tdm_svg_corners(const struct tdm_svg_brush *b, const struct tdm_svg_point *corners,
                     size_t count)
{
    return put_figure(b, true, say_corners, &(struct corners){corners, count});
}

struct pairs {
    const char *text;
    bool closed;
};

static void say_pairs(struct line *l, const void *what)
{
    const struct pairs *pairs = what;
    const char *text = pairs->text, *end = text + strlen(text);
    double x, y;

    for (;;) {
        tdm_number_gap(&text, end);
        if (!tdm_number_take(&text, end, &x))
            break;
        tdm_number_gap(&text, end);
        if (!tdm_number_take(&text, end, &y) || !add_point(l, x, y))
            break;
    }
    end_line(l, pairs->closed);
}

bool tdm_svg_polygon(const struct tdm_svg_brush *b, const char *text, bool closed)
{
    return put_figure(b, closed, say_pairs, &(struct pairs){text, closed});
}

static void say_path(struct line *l, const void *what)
{
    double stretch = tdm_svg_stretch(l->brush.matrix);
    const struct tdm_svg_path_sink sink = {
        .point = add_point,
        .end = end_line,
        .arg = l,
        .fineness = 1 / (stretch > FAINTEST ? stretch : FAINTEST),
    };

    tdm_svg_path(what, strlen(what), &sink);
}

/* Whether a path is one part that closes, as far as its letters tell. */
static bool one_closed(const char *data)
{
    const char *first = strpbrk(data, "Mm");

    return first && !strpbrk(first + 1, "Mm") && strpbrk(first, "Zz");
}

bool tdm_svg_path_shape(const struct tdm_svg_brush *b, const char *data)
{
    return put_figure(b, one_closed(data), say_path, data);
}
