/* SPDX-License-Identifier: MIT */
#include "board/svg_shape.h"

#include "board/base64.h"
#include "board/image.h"

#include <stdlib.h>
#include <string.h>

#define ROUND_SIDES 48
#define LETTER      0.55 /* Of the font's size: about how wide a letter is. */
#define ASCENT      0.95 /* From the top of a line to its baseline. */
#define LINE_HEIGHT 1.25
#define STRAIGHT    1e-3 /* How far from a right angle is still one. */

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

/* --- Boxes ------------------------------------------------------------------------------------ */

bool tdm_svg_rectangle(const struct tdm_svg_brush *b, struct tdm_svg_box box, double radius)
{
    if (!tdm_svg_brush_shows(b))
        return true;
    struct tdm_drawing_item *item = tdm_drawing_add(b->drawing, TDM_BOARD_RECTANGLE);

    if (!item)
        return false;
    tdm_svg_brush_paint(b, item);
    item->corner = tdm_drawing_unit(radius * tdm_svg_stretch(b->matrix));
    if (place(b->matrix, box, item))
        return true;
    b->drawing->count--;
    const struct tdm_svg_point corners[] = {{box.x, box.y},
                                            {box.x + box.w, box.y},
                                            {box.x + box.w, box.y + box.h},
                                            {box.x, box.y + box.h}};

    return tdm_svg_corners(b, corners, 4);
}

bool tdm_svg_ellipse(const struct tdm_svg_brush *b, struct tdm_svg_box box)
{
    if (!tdm_svg_brush_shows(b))
        return true;
    struct tdm_drawing_item *item = tdm_drawing_add(b->drawing, TDM_BOARD_ELLIPSE);

    if (!item)
        return false;
    tdm_svg_brush_paint(b, item);
    if (place(b->matrix, box, item))
        return true;
    b->drawing->count--;
    struct tdm_svg_point round[ROUND_SIDES];

    for (int i = 0; i < ROUND_SIDES; i++)
        round[i] =
            (struct tdm_svg_point){box.x + box.w / 2 * (1 + cos(2 * M_PI * i / ROUND_SIDES)),
                                   box.y + box.h / 2 * (1 + sin(2 * M_PI * i / ROUND_SIDES))};
    return tdm_svg_corners(b, round, ROUND_SIDES);
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
        tdm_svg_brush_paint(b, item);
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
    tdm_svg_brush_paint(b, item);
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
