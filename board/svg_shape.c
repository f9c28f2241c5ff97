/* SPDX-License-Identifier: MIT */
#include "board/svg_shape.h"

#include "board/base64.h"
#include "board/image.h"
#include "board/number.h"
#include "board/svg_path.h"

#include <stdlib.h>
#include <string.h>

#define POINTS_MAX  32768 /* Of one line; a longer one goes on as another. */
#define ROUND_SIDES 48
#define LETTER      0.55 /* Of the font's size: about how wide a letter is. */
#define ASCENT      0.95 /* From the top of a line to its baseline. */
#define LINE_HEIGHT 1.25
#define STRAIGHT    1e-3 /* How far from a right angle is still one. */
#define FAINTEST    1e-9

static void paint(const struct tdm_svg_brush *b, struct tdm_drawing_item *item)
{
    const struct tdm_svg_style *s = &b->style;
    uint32_t stroke = tdm_svg_paint(s->stroke, s->stroke_opacity);

    item->fill = tdm_svg_paint(s->fill, s->fill_opacity);
    item->colour = stroke;
    item->width =
        stroke & 0xff ? tdm_drawing_unit(s->stroke_width * tdm_svg_stretch(b->matrix)) : 0;
    item->dash = s->dash;
    item->opacity = (uint8_t)lround(s->opacity * 255);
    item->group = b->group;
}

/* The box as the matrix leaves it, if that is a box, turned about its middle. */
static bool place(struct tdm_svg_matrix m, struct tdm_svg_box box, struct tdm_drawing_item *item)
{
    double ux = m.a * box.w, uy = m.b * box.w, vx = m.c * box.h, vy = m.d * box.h;
    double w = hypot(ux, uy), h = hypot(vx, vy);
    struct tdm_svg_point middle = tdm_svg_map(m, box.x + box.w / 2, box.y + box.h / 2);

    if (fabs(ux * vx + uy * vy) > STRAIGHT * w * h)
        return false;
    item->x = tdm_drawing_unit(middle.x - w / 2);
    item->y = tdm_drawing_unit(middle.y - h / 2);
    item->w = tdm_drawing_unit(w);
    item->h = tdm_drawing_unit(h);
    item->angle = tdm_drawing_angle(w > 0 ? atan2(uy, ux) : 0);
    item->flipped_y = ux * vy - uy * vx < 0;
    return true;
}

/* --- Lines ------------------------------------------------------------------------------------ */

/* Points of one line, as the board will have them. */
struct line {
    const struct tdm_svg_brush *brush;
    struct tdm_board_point *points;
    uint32_t count, room;
    struct tdm_svg_point origin;
    uint32_t group;
    uint32_t part; /* Of a figure of several parts: where this one begins. */
    bool joined;   /* All parts become one line, so that those inside others are holes. */
    bool good;
};

/* Nobody sees where a line without a border goes, only what it is around. */
static bool borderless(const struct tdm_svg_brush *b)
{
    return tdm_svg_paint(b->style.fill, b->style.fill_opacity) & 0xff &&
           !(tdm_svg_paint(b->style.stroke, b->style.stroke_opacity) & 0xff);
}

static void put_point(struct line *l, uint32_t i)
{
    if (l->count < POINTS_MAX)
        l->points[l->count++] = l->points[i];
}

/* Closes a part, and goes back to where the first one began: a way there and back has no area. */
static void join_part(struct line *l)
{
    put_point(l, l->part);
    if (l->part)
        put_point(l, 0);
    l->part = l->count;
}

static void put_line(struct line *l)
{
    struct tdm_drawing_item *item;
    struct tdm_board_point *points;

    item = l->count > 1 && l->good ? tdm_drawing_add(l->brush->drawing, TDM_BOARD_LINE) : NULL;
    if (item) {
        paint(l->brush, item);
        item->group = l->group;
        item->x = tdm_drawing_unit(l->origin.x);
        item->y = tdm_drawing_unit(l->origin.y);
        if (l->count == 2) {
            item->w = l->points[1].x;
            item->h = l->points[1].y;
        } else {
            points = tdm_drawing_room(l->brush->drawing, l->count * sizeof *points);
            l->good = points != NULL;
            if (points)
                memcpy(points, l->points, l->count * sizeof *points);
            item->points = points;
            item->point_count = points ? l->count : 0;
        }
    } else if (l->count > 1) {
        l->good = false;
    }
    l->count = l->part = 0;
}

static void end_line(void *arg, bool closed)
{
    struct line *l = arg;

    if (l->joined) {
        join_part(l);
        return;
    }
    if (l->count > 2 && (closed || borderless(l->brush)))
        put_point(l, 0);
    put_line(l);
}

static bool add_point(void *arg, double x, double y)
{
    struct line *l = arg;
    struct tdm_svg_point at = tdm_svg_map(l->brush->matrix, x, y);

    if (l->count >= POINTS_MAX - 2) /* The last places are for closing. */
        put_line(l);
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

static struct line begin_line(const struct tdm_svg_brush *b)
{
    return (struct line){.brush = b, .group = b->group, .good = true};
}

bool tdm_svg_line(const struct tdm_svg_brush *b, struct tdm_svg_point from, struct tdm_svg_point to)
{
    struct line l = begin_line(b);

    if (add_point(&l, from.x, from.y) && add_point(&l, to.x, to.y))
        end_line(&l, false);
    free(l.points);
    return l.good;
}

bool tdm_svg_polygon(const struct tdm_svg_brush *b, const char *text, bool closed)
{
    struct line l = begin_line(b);
    const char *end = text + strlen(text);
    double x, y;

    for (;;) {
        tdm_number_gap(&text, end);
        if (!tdm_number_take(&text, end, &x))
            break;
        tdm_number_gap(&text, end);
        if (!tdm_number_take(&text, end, &y) || !add_point(&l, x, y))
            break;
    }
    end_line(&l, closed);
    free(l.points);
    return l.good;
}

/* Whether a path has a second part, as a letter has that is open inside. */
static bool several(const char *data)
{
    const char *first = strpbrk(data, "Mm");

    return first && strpbrk(first + 1, "Mm");
}

bool tdm_svg_path_shape(const struct tdm_svg_brush *b, const char *data)
{
    struct line l = begin_line(b);
    double stretch = tdm_svg_stretch(b->matrix);
    struct tdm_svg_path_sink sink = {
        .point = add_point,
        .end = end_line,
        .arg = &l,
        .fineness = 1 / (stretch > FAINTEST ? stretch : FAINTEST),
    };

    l.joined = several(data) && borderless(b);
    if (several(data) && !l.joined)
        l.group = tdm_drawing_group(b->drawing, b->group);
    tdm_svg_path(data, strlen(data), &sink);
    if (l.joined)
        put_line(&l);
    free(l.points);
    return l.good;
}

/* --- Boxes ------------------------------------------------------------------------------------ */

bool tdm_svg_rectangle(const struct tdm_svg_brush *b, struct tdm_svg_box box, double radius)
{
    struct tdm_drawing_item *item = tdm_drawing_add(b->drawing, TDM_BOARD_RECTANGLE);

    if (!item)
        return false;
    paint(b, item);
    item->corner = tdm_drawing_unit(radius * tdm_svg_stretch(b->matrix));
    if (place(b->matrix, box, item))
        return true;
    b->drawing->count--;
    struct line l = begin_line(b);

    if (add_point(&l, box.x, box.y) && add_point(&l, box.x + box.w, box.y) &&
        add_point(&l, box.x + box.w, box.y + box.h) && add_point(&l, box.x, box.y + box.h))
        end_line(&l, true);
    free(l.points);
    return l.good;
}

bool tdm_svg_ellipse(const struct tdm_svg_brush *b, struct tdm_svg_box box)
{
    struct tdm_drawing_item *item = tdm_drawing_add(b->drawing, TDM_BOARD_ELLIPSE);

    if (!item)
        return false;
    paint(b, item);
    if (place(b->matrix, box, item))
        return true;
    b->drawing->count--;
    struct line l = begin_line(b);

    for (int i = 0; i < ROUND_SIDES && l.good; i++)
        (void)add_point(&l, box.x + box.w / 2 * (1 + cos(2 * M_PI * i / ROUND_SIDES)),
                        box.y + box.h / 2 * (1 + sin(2 * M_PI * i / ROUND_SIDES)));
    end_line(&l, true);
    free(l.points);
    return l.good;
}

/* The whole image within the box, as preserveAspectRatio means it by default. */
static struct tdm_svg_box fit(struct tdm_svg_box box, const struct tdm_image_info *info)
{
    double scale = fmin(box.w / info->width, box.h / info->height);
    double w = info->width * scale, h = info->height * scale;

    return (struct tdm_svg_box){box.x + (box.w - w) / 2, box.y + (box.h - h) / 2, w, h};
}

bool tdm_svg_image(const struct tdm_svg_brush *b, struct tdm_svg_box box, const char *uri)
{
    size_t size = strlen(uri), written;
    const char *text = tdm_data_uri(uri, size);
    uint8_t *data = text ? malloc(size) : NULL;
    struct tdm_image_info info;
    struct tdm_drawing_item *item = NULL;
    bool good = true;

    if (data && tdm_base64_read(text, size - (size_t)(text - uri), data, &written) &&
        tdm_image_look(&info, data, written) == TDM_OK) {
        box = fit(box.w > 0 && box.h > 0
                      ? box
                      : (struct tdm_svg_box){box.x, box.y, info.width, info.height},
                  &info);
        item = tdm_drawing_add(b->drawing, TDM_BOARD_IMAGE);
        good = item != NULL;
    }
    if (item) {
        paint(b, item);
        item->width = 0;
        item->fill = 0;
        item->image = tdm_drawing_image_add(b->drawing, data, written);
        good = item->image >= 0;
    }
    free(data);
    if (good && (!item || !place(b->matrix, box, item))) {
        b->drawing->count -= item != NULL;
        tdm_drawing_skip(b->drawing, item ? "skewed image" : "image that is not in the file");
    }
    return good;
}

/* --- Text ------------------------------------------------------------------------------------- */

bool tdm_svg_text(const struct tdm_svg_brush *b, double x, double y, const char *text, size_t size)
{
    const struct tdm_svg_style *s = &b->style;
    struct tdm_drawing_item *item = tdm_drawing_add(b->drawing, TDM_BOARD_TEXT);
    size_t letters = 0, widest = 0, lines = 1;

    if (!item)
        return false;
    for (size_t i = 0; i < size; i++) {
        letters += (text[i] & 0xc0) != 0x80;
        lines += text[i] == '\n';
        widest = letters > widest ? letters : widest;
        letters = text[i] == '\n' ? 0 : letters;
    }
    /* Anchored text gets a box that is wide enough for any font, with the anchor in its place. */
    double width = (double)widest * s->font_size * (s->anchor == TDM_ALIGN_START ? LETTER : 1.2);
    struct tdm_svg_box box = {x, y - ASCENT * s->font_size, width,
                              (double)lines * LINE_HEIGHT * s->font_size};

    if (s->anchor != TDM_ALIGN_START)
        box.x -= s->anchor == TDM_ALIGN_CENTRE ? width / 2 : width;
    paint(b, item);
    item->colour = item->fill;
    item->fill = 0;
    item->align = s->anchor;
    item->font = s->font;
    item->font_size = tdm_drawing_unit(s->font_size * tdm_svg_stretch(b->matrix));
    item->text = tdm_drawing_text(b->drawing, text, size);
    if (!place(b->matrix, box, item)) { /* Skewed letters stand upright. */
        struct tdm_svg_point at = tdm_svg_map(b->matrix, box.x, box.y);

        item->x = tdm_drawing_unit(at.x);
        item->y = tdm_drawing_unit(at.y);
        item->w = tdm_drawing_unit(box.w);
    }
    item->flipped_y = false;
    if (s->anchor == TDM_ALIGN_START && !item->angle)
        item->w = 0;
    return item->text != NULL;
}
