/* SPDX-License-Identifier: MIT */
#include "board/base64.h"
#include "board/colour.h"
#include "board/excalidraw.h"
#include "board/excalidraw_words.h"
#include "board/image.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fonts with serifs are ours alone. */
#define SERIF "serif"

struct reading {
    struct tdm_drawing *d;
    const json_t *elements, *files;
    json_t *groups;   /* Their names to our numbers. */
    json_t *frames;   /* Ids of frames to the numbers of their pages, from 1 on. */
    json_t *notes;    /* Ids of notes of ours. */
    json_t *texts;    /* Texts by the id of what they are bound to. */
    double left, top; /* Of the page, in the scene. */
    bool full;        /* Something found no room. */
};

static const char *string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static double number_of(const json_t *object, const char *key, double other)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : other;
}

static const json_t *ours_of(const json_t *element)
{
    return json_object_get(json_object_get(element, "customData"), TDM_EXCALIDRAW_OURS);
}

static bool is_frame(const json_t *element)
{
    return tdm_excalidraw_value(tdm_excalidraw_types, string_of(element, "type"), 0) ==
           TDM_BOARD_PAGE;
}

static uint32_t colour_of(const json_t *object, const char *key, uint32_t other)
{
    const json_t *value = json_object_get(object, key);
    uint32_t colour;

    return value && tdm_colour_parse(json_string_value(value) ? json_string_value(value) : "",
                                     json_string_length(value), &colour)
               ? colour
               : other;
}

/* --- Groups ----------------------------------------------------------------------------------- */

/* From the outermost to the innermost, which comes first in the list. */
static uint32_t group_of(struct reading *r, const json_t *element)
{
    const json_t *ids = json_object_get(element, "groupIds");
    uint32_t group = TDM_DRAWING_NO_GROUP;

    for (size_t i = json_array_size(ids); i-- > 0;) {
        const char *id = json_string_value(json_array_get(ids, i));
        json_t *known = id ? json_object_get(r->groups, id) : NULL;

        if (!id)
            continue;
        if (!known) {
            uint32_t made = tdm_drawing_group(r->d, group);

            known = json_integer(made);
            r->full |= !made || json_object_set_new(r->groups, id, known) != 0;
            if (r->full)
                return group;
        }
        group = (uint32_t)json_integer_value(known);
    }
    return group;
}

/* --- What the types have of their own --------------------------------------------------------- */

static uint8_t pressure_of(const json_t *pressures, size_t i)
{
    const json_t *value = json_array_get(pressures, i);
    double pressure = json_is_number(value) ? json_number_value(value) : 0.5;

    return pressure > 0 ? pressure < 1 ? (uint8_t)lround(pressure * 255) : 255 : 0;
}

static void take_points(struct reading *r, struct tdm_drawing_item *item, const json_t *element)
{
    const json_t *points = json_object_get(element, "points"),
                 *pressures = json_object_get(element, "pressures");
    size_t count = json_array_size(points);
    struct tdm_board_point *list = tdm_drawing_room(r->d, count * sizeof *list);

    if (json_is_true(json_object_get(element, "simulatePressure")))
        pressures = NULL;
    r->full |= !list;
    for (size_t i = 0; list && i < count; i++) {
        const json_t *point = json_array_get(points, i);

        list[i] = (struct tdm_board_point){
            .x = tdm_drawing_unit(json_number_value(json_array_get(point, 0))),
            .y = tdm_drawing_unit(json_number_value(json_array_get(point, 1))),
            .pressure = pressure_of(pressures, i)};
    }
    item->points = list;
    item->point_count = list ? (uint32_t)count : 0;
}

static void take_line(struct reading *r, struct tdm_drawing_item *item, const json_t *element)
{
    bool curved = json_is_object(json_object_get(element, "roundness"));

    take_points(r, item, element);
    item->corner = curved ? tdm_drawing_unit(TDM_EXCALIDRAW_CORNER) : 0;
    item->head_start = (enum tdm_board_head)tdm_excalidraw_value(
        tdm_excalidraw_heads, string_of(element, "startArrowhead"), TDM_HEAD_NONE);
    item->head_end = (enum tdm_board_head)tdm_excalidraw_value(
        tdm_excalidraw_heads, string_of(element, "endArrowhead"), TDM_HEAD_NONE);
    if (item->point_count == 2 && !item->points[0].x && !item->points[0].y) {
        item->w = item->points[1].x;
        item->h = item->points[1].y;
        item->point_count = 0;
    } else if (item->point_count) {
        item->w = item->h = 0;
    }
}

static void take_text(struct reading *r, struct tdm_drawing_item *item, const json_t *element)
{
    bool wrapped =
        json_is_false(json_object_get(element, "autoResize")) || string_of(element, "containerId");
    const json_t *text = json_object_get(element, wrapped ? "originalText" : "text");
    const char *font = string_of(ours_of(element), "font");

    if (!json_is_string(text))
        text = json_object_get(element, "text");
    if (json_is_string(text)) {
        item->text = tdm_drawing_text(r->d, json_string_value(text), json_string_length(text));
        r->full |= !item->text;
    }
    item->font_size = tdm_drawing_unit(number_of(element, "fontSize", 20));
    item->font = font && strcmp(font, SERIF) == 0
                     ? TDM_FONT_SERIF
                     : tdm_excalidraw_font((int64_t)number_of(element, "fontFamily", 5));
    item->align = (enum tdm_board_align)tdm_excalidraw_value(
        tdm_excalidraw_aligns, string_of(element, "textAlign"), TDM_ALIGN_START);
    if (!wrapped && item->align == TDM_ALIGN_START && !item->angle)
        item->w = 0; /* As wide as its lines, in whatever font there is. */
}

static uint16_t part_of(double at, double whole)
{
    double part = at / whole;

    return part > 0 ? part < 1 ? (uint16_t)lround(part * 65535) : 65535 : 0;
}

static void take_crop(struct tdm_drawing_item *item, const json_t *crop)
{
    double width = number_of(crop, "naturalWidth", 0), height = number_of(crop, "naturalHeight", 0);
    double x = number_of(crop, "x", 0), y = number_of(crop, "y", 0);

    if (!(width > 0) || !(height > 0))
        return;
    item->crop[0] = part_of(x, width);
    item->crop[1] = part_of(y, height);
    item->crop[2] = part_of(width - x - number_of(crop, "width", width), width);
    item->crop[3] = part_of(height - y - number_of(crop, "height", height), height);
}

/* The bytes of a data: URI, which must be an image that is within the limits. */
static int32_t take_data(struct reading *r, const char *uri, size_t size)
{
    const char *text = uri ? tdm_data_uri(uri, size) : NULL;
    size_t left = text ? size - (size_t)(text - uri) : 0, written;
    uint8_t *data = text ? malloc(left / 4 * 3 + 3) : NULL;
    struct tdm_image_info info;
    int32_t index = -1;

    if (data && tdm_base64_read(text, left, data, &written) &&
        tdm_image_look(&info, data, written) == TDM_OK) {
        index = tdm_drawing_image_add(r->d, data, written);
        r->full |= index < 0;
    }
    free(data);
    return index;
}

static bool take_image(struct reading *r, struct tdm_drawing_item *item, const json_t *element)
{
    const char *id = string_of(element, "fileId");
    const json_t *scale = json_object_get(element, "scale"),
                 *uri = json_object_get(id ? json_object_get(r->files, id) : NULL, "dataURL");
    int32_t index = take_data(r, json_string_value(uri), json_string_length(uri));

    item->image = index;
    item->flipped_x = json_number_value(json_array_get(scale, 0)) < 0;
    item->flipped_y = json_number_value(json_array_get(scale, 1)) < 0;
    take_crop(item, json_object_get(element, "crop"));
    return index >= 0;
}

static int32_t corner_of(const json_t *element, const struct tdm_drawing_item *item)
{
    const json_t *roundness = json_object_get(element, "roundness");
    double side = fmin(fabs(tdm_drawing_pixels(item->w)), fabs(tdm_drawing_pixels(item->h)));
    double most = number_of(roundness, "value", TDM_EXCALIDRAW_CORNER);

    if (!json_is_object(roundness))
        return 0;
    /* Type 3: a quarter of the side, but not more than the value; the others: a quarter. */
    return tdm_drawing_unit(number_of(roundness, "type", 0) == 3 && most < side / 4 ? most
                                                                                    : side / 4);
}

/* --- Elements --------------------------------------------------------------------------------- */

static void take_common(struct reading *r, struct tdm_drawing_item *item, const json_t *element)
{
    double opacity = number_of(element, "opacity", 100);
    const json_t *link = json_object_get(element, "link");

    item->group = group_of(r, element);
    item->x = tdm_drawing_unit(number_of(element, "x", 0) - r->left);
    item->y = tdm_drawing_unit(number_of(element, "y", 0) - r->top);
    item->w = tdm_drawing_unit(number_of(element, "width", 0));
    item->h = tdm_drawing_unit(number_of(element, "height", 0));
    item->angle = tdm_drawing_angle(number_of(element, "angle", 0));
    item->colour = colour_of(element, "strokeColor", 0x1e1e1eff);
    item->fill = colour_of(element, "backgroundColor", 0);
    item->width = tdm_drawing_unit(number_of(element, "strokeWidth", 2));
    item->dash = (enum tdm_board_dash)tdm_excalidraw_value(
        tdm_excalidraw_dashes, string_of(element, "strokeStyle"), TDM_DASH_SOLID);
    item->opacity = opacity > 0 ? opacity < 100 ? (uint8_t)lround(opacity * 2.55) : UINT8_MAX : 0;
    item->locked = json_is_true(json_object_get(element, "locked"));
    if (json_string_length(link)) {
        item->link = tdm_drawing_text(r->d, json_string_value(link), json_string_length(link));
        r->full |= !item->link;
    }
}

static bool is_ours(const json_t *element, const char *type)
{
    const char *word = string_of(ours_of(element), "type");

    return word && strcmp(word, type) == 0;
}

/* Its text stands in an element of its own, bound to it. */
static void take_note_text(struct reading *r, struct tdm_drawing_item *item, const json_t *element)
{
    const char *id = string_of(element, "id");
    const json_t *text = id ? json_object_get(r->texts, id) : NULL;
    int32_t w = item->w;

    if (!text)
        return;
    take_text(r, item, text);
    item->colour = colour_of(text, "strokeColor", item->colour);
    item->w = w;
}

static void take_type(struct reading *r, struct tdm_drawing_item *item, const json_t *element)
{
    switch (item->type) {
    case TDM_BOARD_LINE:
    case TDM_BOARD_ARROW:
        take_line(r, item, element);
        break;
    case TDM_BOARD_PEN:
        take_points(r, item, element);
        item->w = item->h = 0;
        item->width = tdm_drawing_unit(number_of(element, "strokeWidth", 2) * TDM_EXCALIDRAW_PEN);
        if (is_ours(element, "marker"))
            item->type = TDM_BOARD_MARKER;
        break;
    case TDM_BOARD_TEXT:
        take_text(r, item, element);
        break;
    case TDM_BOARD_IMAGE:
        if (!take_image(r, item, element)) {
            r->d->count--;
            tdm_drawing_skip(r->d, "image that is not here");
        }
        break;
    case TDM_BOARD_RECTANGLE:
        item->corner = corner_of(element, item);
        if (is_ours(element, "note")) {
            item->type = TDM_BOARD_NOTE;
            take_note_text(r, item, element);
        }
        break;
    default:
        break;
    }
}

/* A text within a note is the note's. */
static bool in_a_note(const struct reading *r, const json_t *element)
{
    const char *id = string_of(element, "containerId");

    return id && json_object_get(r->notes, id) && json_object_get(r->texts, id) == element;
}

static void take_element(struct reading *r, const json_t *element)
{
    const char *word = string_of(element, "type");
    int type = tdm_excalidraw_value(tdm_excalidraw_types, word, 0);

    if (!type) {
        tdm_drawing_skip(r->d, word ? word : "element without a type");
        return;
    }
    if (type == TDM_BOARD_TEXT && in_a_note(r, element))
        return;
    struct tdm_drawing_item *item = tdm_drawing_add(r->d, (enum tdm_board_type)type);

    r->full |= !item;
    if (!item)
        return;
    take_common(r, item, element);
    take_type(r, item, element);
}

/* --- Pages ------------------------------------------------------------------------------------ */

static bool is_there(const json_t *element)
{
    return json_is_object(element) && !json_is_true(json_object_get(element, "isDeleted"));
}

/* What other elements name by its id. */
static bool list_names(struct reading *r)
{
    bool good = true;
    json_t *element;
    size_t i;

    json_array_foreach(r->elements, i, element)
    {
        const char *id = string_of(element, "id"), *in = string_of(element, "containerId");

        if (!is_there(element))
            continue;
        if (id && is_frame(element) && !json_object_get(r->frames, id))
            good &=
                json_object_set_new(r->frames, id,
                                    json_integer((json_int_t)json_object_size(r->frames) + 1)) == 0;
        if (id && is_ours(element, "note"))
            good &= json_object_set_new(r->notes, id, json_true()) == 0;
        if (in)
            good &= json_object_set(r->texts, in, element) == 0;
    }
    return good;
}

/* The page of each element: 0 is for what stands in no frame; and for what is not there, none. */
static size_t page_of(const struct reading *r, const json_t *element)
{
    const char *in = string_of(element, "frameId");

    if (!is_there(element) || is_frame(element))
        return SIZE_MAX;
    return in ? (size_t)json_integer_value(json_object_get(r->frames, in)) : 0;
}

/* NULL: the page of what stands in no frame. */
static void take_page(struct reading *r, const json_t *frame, uint32_t background)
{
    const json_t *name = json_object_get(frame, "name"),
                 *origin = json_object_get(ours_of(frame), "origin");
    struct tdm_drawing_item *page = tdm_drawing_add(r->d, TDM_BOARD_PAGE);

    r->full |= !page;
    if (!page)
        return;
    page->background = background;
    if (json_string_length(name))
        page->text = tdm_drawing_text(r->d, json_string_value(name), json_string_length(name));
    r->left = number_of(frame, "x", 0);
    r->top = number_of(frame, "y", 0);
    if (json_array_size(origin) == 2) { /* Where the page's own 0, 0 was put. */
        r->left = json_number_value(json_array_get(origin, 0));
        r->top = json_number_value(json_array_get(origin, 1));
    }
}

/* Sorts the elements by page and takes them: starts[p] is where those of page p begin in `order`.
 */
static void take_pages(struct reading *r, const json_t **frames, size_t *starts, size_t *order,
                       uint32_t background)
{
    size_t pages = json_object_size(r->frames) + 1, at = 0, count = json_array_size(r->elements);

    for (size_t i = 0; i < count; i++) {
        const json_t *element = json_array_get(r->elements, i);
        size_t page = page_of(r, element);
        const char *id = string_of(element, "id");

        if (page < pages)
            starts[page + 1]++;
        else if (is_there(element) && id)
            frames[json_integer_value(json_object_get(r->frames, id))] = element;
    }
    for (size_t p = 1; p <= pages; p++)
        starts[p] += starts[p - 1];
    for (size_t i = 0; i < count; i++) {
        size_t page = page_of(r, json_array_get(r->elements, i));

        if (page < pages)
            order[starts[page]++] = i; /* Each start moves to its end, where the next one began. */
    }
    for (size_t p = 0; p < pages && !r->full; p++) {
        if (p || starts[0] || pages == 1)
            take_page(r, frames[p], background);
        for (; at < starts[p] && !r->full; at++)
            take_element(r, json_array_get(r->elements, order[at]));
    }
}

static void take_all(struct reading *r, const json_t *root)
{
    uint32_t paper = colour_of(json_object_get(root, "appState"), "viewBackgroundColor", 0);
    size_t count = json_array_size(r->elements);
    size_t *starts = calloc(count + 3, sizeof *starts), *order = calloc(count + 1, sizeof *order);
    const json_t **frames = calloc(count + 2, sizeof *frames);

    r->files = json_object_get(root, "files");
    r->full = !starts || !order || !frames || !list_names(r);
    if (!r->full)
        take_pages(r, frames, starts, order, paper == 0xffffffff ? 0 : paper);
    free(starts);
    free(order);
    free(frames);
}

enum tdm_err tdm_excalidraw_read(struct tdm_drawing *drawing, const char *text, size_t size,
                                 struct tdm_cause *cause)
{
    struct reading r = {.d = drawing};
    json_error_t error = {.line = 0};
    const char *type;

    tdm_drawing_init(drawing);
    if (size > TDM_EXCALIDRAW_MAX)
        return tdm_fail(cause, TDM_E_SPACE, "this drawing is larger than %zu MB",
                        TDM_EXCALIDRAW_MAX >> 20);
    json_t *root = json_loadb(text, size, JSON_ALLOW_NUL, &error);

    if (!root)
        return tdm_fail(cause, TDM_E_MALFORMED, "this is no JSON: line %d, %.120s", error.line,
                        error.text);
    type = string_of(root, "type");
    r.elements = json_object_get(root, "elements");
    if (!json_is_array(r.elements) || !type || strncmp(type, "excalidraw", 10) != 0) {
        json_decref(root);
        return tdm_fail(cause, TDM_E_MALFORMED, "this is no drawing of Excalidraw");
    }
    r.groups = json_object();
    r.frames = json_object();
    r.notes = json_object();
    r.texts = json_object();
    take_all(&r, root);
    json_decref(r.groups);
    json_decref(r.frames);
    json_decref(r.notes);
    json_decref(r.texts);
    json_decref(root);
    return r.full ? tdm_fail(cause, TDM_E_SPACE, "this drawing is too large for a board") : TDM_OK;
}
