/* SPDX-License-Identifier: MIT */
#include "board/number.h"
#include "board/svg.h"
#include "board/svg_gradient.h"
#include "board/svg_shape.h"

#include <ctype.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX      200
#define ELEMENTS_MAX   1000000
#define TEXT_MAX_BYTES ((size_t)64 << 10) /* Of one text element; more is cut off. */
#define WHOLE          1000.0             /* px, of which percents are where nothing says it. */

/* What an element hands on to those within. */
struct level {
    struct tdm_svg_matrix matrix;
    struct tdm_svg_style style;
    uint32_t group;
    double width, height; /* Of the viewport in its own coordinates, for percents. */
    bool text;            /* A text element, or within one. */
};

struct reading {
    XML_Parser parser;
    struct tdm_drawing *d;
    struct level levels[DEPTH_MAX];
    uint32_t depth, elements;
    uint32_t
        skip; /* The depth of an element that is passed over with all that is in it; 0: none. */
    bool any, full; /* There was an svg; no room is left. */
    double text_x, text_y;
    struct level text_level;
    struct tdm_svg_gradients gradients;
    char *text;
    size_t text_size;
};

static const char *attribute(const char **attributes, const char *name)
{
    for (const char **a = attributes; *a; a += 2)
        if (strcmp(*a, name) == 0)
            return a[1];
    return NULL;
}

static double length(const struct level *l, const char **attributes, const char *name, double whole,
                     double other)
{
    const char *text = attribute(attributes, name);
    double px;

    return text && tdm_svg_length(text, l->style.font_size, whole, &px) ? px : other;
}

static double across(const struct level *l, const char **attributes, const char *name)
{
    return length(l, attributes, name, l->width, 0);
}

static double down(const struct level *l, const char **attributes, const char *name)
{
    return length(l, attributes, name, l->height, 0);
}

/* --- Elements --------------------------------------------------------------------------------- */

/* SVG 1.1 sections 7.7 and 7.8: the middle of the viewBox into the middle of the viewport. */
static void take_viewport(struct reading *r, struct level *l, const char **attributes)
{
    const char *text = attribute(attributes, "viewBox"),
               *keep = attribute(attributes, "preserveAspectRatio"), *end;
    double n[4], x = 0, y = 0, w, h;
    int count = 0;

    if (r->any) { /* One within another has a place. */
        x = across(l, attributes, "x");
        y = down(l, attributes, "y");
    }
    w = length(l, attributes, "width", l->width, 0);
    h = length(l, attributes, "height", l->height, 0);
    for (end = text ? text + strlen(text) : NULL; text && count < 4; count++) {
        tdm_number_gap(&text, end);
        if (!tdm_number_take(&text, end, &n[count]))
            break;
    }
    l->matrix = tdm_svg_times(l->matrix, (struct tdm_svg_matrix){1, 0, 0, 1, x, y});
    if (count == 4 && n[2] > 0 && n[3] > 0) {
        double sx = w > 0 ? w / n[2] : 1, sy = h > 0 ? h / n[3] : w > 0 ? sx : 1;

        if (!(w > 0) && h > 0)
            sx = sy;
        if (!keep || strncmp(keep, "none", 4) != 0)
            sx = sy = fmin(sx, sy);
        x = w > 0 ? (w - n[2] * sx) / 2 : 0;
        y = h > 0 ? (h - n[3] * sy) / 2 : 0;
        l->matrix = tdm_svg_times(
            l->matrix, (struct tdm_svg_matrix){sx, 0, 0, sy, x - n[0] * sx, y - n[1] * sy});
        w = n[2];
        h = n[3];
    }
    l->width = w > 0 ? w : l->width;
    l->height = h > 0 ? h : l->height;
    r->any = true;
}

static bool draw_rectangle(const struct tdm_svg_brush *b, const struct level *l, const char **a)
{
    struct tdm_svg_box box = {across(l, a, "x"), down(l, a, "y"), across(l, a, "width"),
                              down(l, a, "height")};
    double radius = fmax(across(l, a, "rx"), down(l, a, "ry"));

    if (!(box.w > 0) || !(box.h > 0))
        return true;
    return tdm_svg_rectangle(b, box, fmin(radius, fmin(box.w, box.h) / 2));
}

static bool draw_ellipse(const struct tdm_svg_brush *b, const struct level *l, const char **a)
{
    double cx = across(l, a, "cx"), cy = down(l, a, "cy");
    double r = length(l, a, "r", l->width, 0);
    double rx = length(l, a, "rx", l->width, r), ry = length(l, a, "ry", l->height, r);

    if (!(rx > 0) || !(ry > 0))
        return true;
    return tdm_svg_ellipse(b, (struct tdm_svg_box){cx - rx, cy - ry, 2 * rx, 2 * ry});
}

static bool draw_line(const struct tdm_svg_brush *b, const struct level *l, const char **a)
{
    return tdm_svg_line(b, (struct tdm_svg_point){across(l, a, "x1"), down(l, a, "y1")},
                        (struct tdm_svg_point){across(l, a, "x2"), down(l, a, "y2")});
}

static bool draw_polyline(const struct tdm_svg_brush *b, const struct level *l, const char **a)
{
    (void)l;
    return !attribute(a, "points") || tdm_svg_polygon(b, attribute(a, "points"), false);
}

static bool draw_polygon(const struct tdm_svg_brush *b, const struct level *l, const char **a)
{
    (void)l;
    return !attribute(a, "points") || tdm_svg_polygon(b, attribute(a, "points"), true);
}

static bool draw_path(const struct tdm_svg_brush *b, const struct level *l, const char **a)
{
    (void)l;
    return !attribute(a, "d") || tdm_svg_path_shape(b, attribute(a, "d"));
}

static bool draw_image(const struct tdm_svg_brush *b, const struct level *l, const char **a)
{
    const char *uri = attribute(a, "href");
    struct tdm_svg_box box = {across(l, a, "x"), down(l, a, "y"), across(l, a, "width"),
                              down(l, a, "height")};

    uri = uri ? uri : attribute(a, "xlink:href");
    return tdm_svg_image(b, box, uri ? uri : "");
}

static const struct shape {
    const char *name;
    bool (*draw)(const struct tdm_svg_brush *brush, const struct level *level,
                 const char **attributes);
} shapes[] = {
    {"rect", draw_rectangle}, {"circle", draw_ellipse},    {"ellipse", draw_ellipse},
    {"line", draw_line},      {"polyline", draw_polyline}, {"polygon", draw_polygon},
    {"path", draw_path},      {"image", draw_image},
};

static bool one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

/* --- Text ------------------------------------------------------------------------------------- */

static void put_text(struct reading *r)
{
    struct tdm_svg_brush brush = {.drawing = r->d,
                                  .matrix = r->text_level.matrix,
                                  .style = r->text_level.style,
                                  .group = r->text_level.group};

    while (r->text_size && isspace((unsigned char)r->text[r->text_size - 1]))
        r->text_size--;
    if (r->text_size && !r->text_level.style.hidden)
        r->full |= !tdm_svg_text(&brush, r->text_x, r->text_y, r->text, r->text_size);
    r->text_size = 0;
}

/* A tspan with a place of its own goes on in the next line, as other programs break their texts. */
static void begin_text(struct reading *r, const struct level *l, const char *name, const char **a)
{
    bool piece = strcmp(name, "tspan") == 0;
    double dy = down(l, a, "dy");

    if (piece && r->text_size && (attribute(a, "y") || dy > 0)) {
        while (r->text_size && r->text[r->text_size - 1] == ' ')
            r->text_size--;
        if (r->text_size < TEXT_MAX_BYTES)
            r->text[r->text_size++] = '\n';
        return;
    }
    if (r->text_size)
        return;
    r->text_level = *l;
    if (!piece || attribute(a, "x"))
        r->text_x = across(l, a, "x") + across(l, a, "dx");
    if (!piece || attribute(a, "y"))
        r->text_y = down(l, a, "y");
    r->text_y += dy;
}

static void XMLCALL take_characters(void *arg, const XML_Char *text, int size)
{
    struct reading *r = arg;

    if (r->skip || !r->depth || r->depth > DEPTH_MAX || !r->levels[r->depth - 1].text)
        return;
    for (int i = 0; i < size && r->text_size < TEXT_MAX_BYTES; i++) {
        bool space = isspace((unsigned char)text[i]);
        char last = r->text_size ? r->text[r->text_size - 1] : ' ';

        if (!space || (last != ' ' && last != '\n'))
            r->text[r->text_size++] = space ? ' ' : text[i];
    }
}

/* --- The tree --------------------------------------------------------------------------------- */

static void draw(struct reading *r, const struct level *l, const char *name, const char **a)
{
    static const char *const without[] = {"title",          "desc",           "metadata", "defs",
                                          "linearGradient", "radialGradient", NULL};
    struct tdm_svg_brush brush = {
        .drawing = r->d, .matrix = l->matrix, .style = l->style, .group = l->group};

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strcmp(name, shapes[i].name) != 0)
            continue;
        if (l->style.gradient)
            tdm_drawing_skip(r->d, "gradient");
        if (!l->style.hidden)
            r->full |= !shapes[i].draw(&brush, l, a);
        return;
    }
    r->skip = r->depth;
    if (!one_of(name, without) && !strchr(name, ':'))
        tdm_drawing_skip(r->d, name);
}

static void XMLCALL begin_element(void *arg, const XML_Char *full_name, const XML_Char **attributes)
{
    static const char *const containers[] = {"g", "a", "switch", NULL}, *const texts[] = {
                                                                            "text", "tspan", NULL};
    struct reading *r = arg;
    const char *name = strncmp(full_name, "svg:", 4) == 0 ? full_name + 4 : full_name;
    struct level *l;

    if (++r->elements > ELEMENTS_MAX || r->depth == DEPTH_MAX || r->full) {
        r->full = true;
        (void)XML_StopParser(r->parser, XML_FALSE);
        return;
    }
    l = &r->levels[r->depth++];
    tdm_svg_gradient_take(&r->gradients, name, attributes);
    if (r->skip)
        return;
    if (r->depth > 1)
        *l = l[-1];
    else if (strcmp(name, "svg") != 0) {
        (void)XML_StopParser(r->parser, XML_FALSE);
        return;
    }
    const char **a = attributes, *transform = attribute(a, "transform");

    tdm_svg_style_take(&l->style, a);
    if (transform)
        l->matrix = tdm_svg_times(l->matrix, tdm_svg_transform(transform, strlen(transform)));
    if (strcmp(name, "svg") == 0) {
        take_viewport(r, l, a);
    } else if (one_of(name, containers)) {
        if (strcmp(name, "g") == 0)
            l->group = tdm_drawing_group(r->d, l->group);
    } else if (one_of(name, texts) && (l->text || strcmp(name, "text") == 0)) {
        begin_text(r, l, name, a);
        l->text = true;
    } else {
        draw(r, l, name, a);
    }
}

static void XMLCALL end_element(void *arg, const XML_Char *name)
{
    struct reading *r = arg;

    (void)name;
    if (!r->depth)
        return;
    if (!r->skip && r->levels[r->depth - 1].text &&
        (r->depth == 1 || !r->levels[r->depth - 2].text))
        put_text(r);
    if (r->skip == r->depth)
        r->skip = 0;
    r->depth--;
}

/* No entities: those that files name are there to do harm, or to name other files. */
static void XMLCALL refuse_entity(void *arg, const XML_Char *name, int is_parameter,
                                  const XML_Char *value, int value_size, const XML_Char *base,
                                  const XML_Char *system, const XML_Char *public,
                                  const XML_Char *notation)
{
    struct reading *r = arg;

    (void)name, (void)is_parameter, (void)value, (void)value_size;
    (void)base, (void)system, (void)public, (void)notation;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static enum tdm_err parse(struct reading *r, const char *text, size_t size, struct tdm_cause *cause)
{
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, begin_element, end_element);
    XML_SetCharacterDataHandler(r->parser, take_characters);
    XML_SetEntityDeclHandler(r->parser, refuse_entity);
    bool good = XML_Parse(r->parser, text, (int)size, XML_TRUE) == XML_STATUS_OK;

    if (r->full)
        return tdm_fail(cause, TDM_E_SPACE, "this SVG is too large for a board");
    if (!r->any)
        return tdm_fail(cause, TDM_E_MALFORMED, "this is no SVG");
    enum XML_Error error = XML_GetErrorCode(r->parser);

    /* A file that was cut is shown as far as it goes; what was refused is not. */
    if (!good && error != XML_ERROR_ABORTED && r->d->count > 1) {
        char missing[64];

        (void)snprintf(missing, sizeof missing, "all behind line %lu, where it is broken",
                       (unsigned long)XML_GetCurrentLineNumber(r->parser));
        tdm_drawing_skip(r->d, missing);
    } else if (!good) {
        return tdm_fail(cause, TDM_E_MALFORMED, "this SVG is broken at line %lu: %s",
                        (unsigned long)XML_GetCurrentLineNumber(r->parser), XML_ErrorString(error));
    }
    return TDM_OK;
}

enum tdm_err tdm_svg_read(struct tdm_drawing *drawing, const char *text, size_t size,
                          struct tdm_cause *cause)
{
    struct reading *r = calloc(1, sizeof *r);
    enum tdm_err err = TDM_E_SYSTEM;

    tdm_drawing_init(drawing);
    if (size > TDM_SVG_MAX) {
        free(r);
        return tdm_fail(cause, TDM_E_SPACE, "this SVG is larger than %zu MB", TDM_SVG_MAX >> 20);
    }
    if (r) {
        r->d = drawing;
        r->parser = XML_ParserCreate(NULL);
        r->text = malloc(TEXT_MAX_BYTES);
        r->levels[0] = (struct level){.matrix = TDM_SVG_IDENTITY,
                                      .style = tdm_svg_style_first(),
                                      .width = WHOLE,
                                      .height = WHOLE};
        r->levels[0].style.gradients = &r->gradients;
    }
    if (r && r->parser && r->text && tdm_drawing_add(drawing, TDM_BOARD_PAGE))
        err = parse(r, text, size, cause);
    else
        (void)tdm_fail(cause, err, "no memory for an SVG");
    if (r && r->parser)
        XML_ParserFree(r->parser);
    if (r)
        free(r->text);
    free(r);
    return err;
}
