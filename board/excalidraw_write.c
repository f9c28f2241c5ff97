/* SPDX-License-Identifier: MIT */
#include "board/base64.h"
#include "board/colour.h"
#include "board/excalidraw.h"
#include "board/excalidraw_words.h"
#include "board/image.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_GAP   200.0 /* px between the frames of two pages. */
#define FRAME_EDGE  40.0  /* px around what is on a page. */
#define LINE_HEIGHT 1.25
#define LETTER      0.6 /* Of the font's size: a guess that Excalidraw mends when it edits. */
#define ID_ROOM     24

/* A page's place among the others. */
struct writing {
    const struct tdm_drawing *d;
    json_t *elements;
    bool framed;
    char frame[ID_ROOM];
    double dx, dy, right; /* Added to what is on the page; where the next frame may begin. */
    uint32_t number;      /* Of the element. */
};

/* Whole numbers without a point, as other programs write them. */
static json_t *number(double value)
{
    return value == floor(value) && fabs(value) < 1e15 ? json_integer((json_int_t)value)
                                                       : json_real(value);
}

static json_t *colour(uint32_t value)
{
    char text[TDM_COLOUR_TEXT];

    tdm_colour_write(value, text);
    return json_string(value & 0xff ? text : "transparent");
}

static json_t *word_or_null(const struct tdm_excalidraw_word *words, int value)
{
    const char *word = tdm_excalidraw_word(words, value);

    return word ? json_string(word) : json_null();
}

static void set(json_t *element, const char *key, json_t *value)
{
    (void)json_object_set_new(element, key, value);
}

/* The key of a position: a letter that says how many digits of base 62 follow. */
static json_t *index_of(uint32_t position)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char key[8] = {0};
    uint32_t span = 62;
    int count = 1;

    for (; position >= span; span *= 62, count++)
        position -= span;
    key[0] = (char)('a' + count - 1);
    for (int i = count; i > 0; i--, position /= 62)
        key[i] = digits[position % 62];
    return json_string(key);
}

/* Which of our things it is, where Excalidraw has no word for it. */
static void set_ours(json_t *element, const char *key, json_t *value)
{
    set(element, "customData", json_pack("{s{so}}", TDM_EXCALIDRAW_OURS, key, value));
}

/* --- What all elements have ------------------------------------------------------------------- */

static json_t *groups_of(const struct tdm_drawing *d, uint32_t group)
{
    json_t *list = json_array();

    for (; group; group = d->parents[group]) {
        char name[ID_ROOM];

        (void)snprintf(name, sizeof name, "group-%u", group);
        (void)json_array_append_new(list, json_string(name));
    }
    return list;
}

static void name_of(uint32_t number_of_it, char id[ID_ROOM])
{
    (void)snprintf(id, ID_ROOM, "tandem-%u", number_of_it);
}

/* The same drawing gives the same text: its seeds are made of the number. */
static json_t *make(struct writing *w, const char *type, struct tdm_drawing_box box)
{
    json_t *e = json_object();
    uint32_t n = w->number++;
    char id[ID_ROOM];

    name_of(n, id);
    set(e, "id", json_string(id));
    set(e, "type", json_string(type));
    set(e, "x", number(tdm_drawing_pixels(box.x) + w->dx));
    set(e, "y", number(tdm_drawing_pixels(box.y) + w->dy));
    set(e, "width", number(tdm_drawing_pixels(box.w)));
    set(e, "height", number(tdm_drawing_pixels(box.h)));
    set(e, "angle", json_integer(0));
    set(e, "strokeColor", json_string("#1e1e1e"));
    set(e, "backgroundColor", json_string("transparent"));
    set(e, "fillStyle", json_string("solid"));
    set(e, "strokeWidth", json_integer(2));
    set(e, "strokeStyle", json_string("solid"));
    set(e, "roughness", json_integer(0));
    set(e, "opacity", json_integer(100));
    set(e, "groupIds", json_array());
    set(e, "frameId", w->framed ? json_string(w->frame) : json_null());
    set(e, "index", index_of(n));
    set(e, "roundness", json_null());
    set(e, "seed", json_integer(1 + (json_int_t)(n * 2654435761u >> 1)));
    set(e, "version", json_integer(1));
    set(e, "versionNonce", json_integer(1 + (json_int_t)((n + 7) * 2246822519u >> 1)));
    set(e, "isDeleted", json_false());
    set(e, "boundElements", json_array());
    set(e, "updated", json_integer(1));
    set(e, "link", json_null());
    set(e, "locked", json_false());
    (void)json_array_append_new(w->elements, e);
    return e;
}

static json_t *make_item(struct writing *w, const struct tdm_drawing_item *item)
{
    json_t *e = make(w, tdm_excalidraw_word(tdm_excalidraw_types, (int)item->type),
                     tdm_drawing_box_of(item));

    set(e, "angle", number(tdm_drawing_radians(item->angle)));
    set(e, "strokeColor", colour(item->colour));
    set(e, "backgroundColor", colour(item->fill));
    set(e, "strokeWidth", number(tdm_drawing_pixels(item->width)));
    set(e, "strokeStyle", word_or_null(tdm_excalidraw_dashes, (int)item->dash));
    set(e, "opacity", number(round(item->opacity / 2.55)));
    set(e, "groupIds", groups_of(w->d, item->group));
    set(e, "locked", json_boolean(item->locked));
    if (item->link)
        set(e, "link", json_string(item->link));
    return e;
}

/* --- What the types have of their own --------------------------------------------------------- */

static json_t *point(int32_t x, int32_t y)
{
    return json_pack("[oo]", number(tdm_drawing_pixels(x)), number(tdm_drawing_pixels(y)));
}

/* Excalidraw's points begin at 0, 0, where the element is. */
static void put_points(const struct writing *w, json_t *e, const struct tdm_drawing_item *item)
{
    const struct tdm_board_point ends[2] = {{.x = 0}, {.x = item->w, .y = item->h}};
    const struct tdm_board_point *points = item->point_count ? item->points : ends;
    uint32_t count = item->point_count ? item->point_count : 2;
    bool pressed = false;
    json_t *list = json_array(), *pressures = json_array();

    set(e, "x", number(tdm_drawing_pixels(item->x + points[0].x) + w->dx));
    set(e, "y", number(tdm_drawing_pixels(item->y + points[0].y) + w->dy));
    for (uint32_t i = 0; i < count; i++) {
        (void)json_array_append_new(list,
                                    point(points[i].x - points[0].x, points[i].y - points[0].y));
        (void)json_array_append_new(pressures,
                                    json_real(round(points[i].pressure / 255.0 * 1000) / 1000));
        pressed |= points[i].pressure != 128;
    }
    set(e, "points", list);
    if (item->type == TDM_BOARD_PEN || item->type == TDM_BOARD_MARKER) {
        set(e, "simulatePressure", json_boolean(!pressed));
        set(e, "pressures", pressed ? json_incref(pressures) : json_array());
        set(e, "strokeWidth", number(tdm_drawing_pixels(item->width) / TDM_EXCALIDRAW_PEN));
    }
    json_decref(pressures);
}

static void put_line(const struct writing *w, json_t *e, const struct tdm_drawing_item *item)
{
    const struct tdm_board_point *last =
        item->point_count > 2 ? &item->points[item->point_count - 1] : NULL;

    put_points(w, e, item);
    set(e, "startArrowhead", word_or_null(tdm_excalidraw_heads, (int)item->head_start));
    set(e, "endArrowhead", word_or_null(tdm_excalidraw_heads, (int)item->head_end));
    set(e, "startBinding", json_null());
    set(e, "endBinding", json_null());
    if (item->corner)
        set(e, "roundness", json_pack("{si}", "type", 2));
    if (item->type == TDM_BOARD_ARROW)
        set(e, "elbowed", json_false());
    else
        set(e, "polygon",
            json_boolean(last && last->x == item->points[0].x && last->y == item->points[0].y));
}

static void put_text(json_t *e, const struct tdm_drawing_item *item, const char *container)
{
    const char *text = item->text ? item->text : "", *line = text;
    double size = tdm_drawing_pixels(item->font_size);
    size_t widest = 0, lines = 1;

    for (const char *at = text;; at++) {
        size_t letters = 0;

        if (*at && *at != '\n')
            continue;
        for (; line < at; line++)
            letters += ((unsigned char)*line & 0xc0) != 0x80;
        widest = letters > widest ? letters : widest;
        line = at + 1;
        if (!*at)
            break;
        lines++;
    }
    if (item->w <= 0)
        set(e, "width", number(ceil((double)widest * size * LETTER)));
    if (item->h <= 0 || container)
        set(e, "height", number((double)lines * size * LINE_HEIGHT));
    set(e, "text", json_string(text));
    set(e, "originalText", json_string(text));
    set(e, "fontSize", number(size));
    set(e, "fontFamily", json_integer(tdm_excalidraw_family(item->font)));
    set(e, "textAlign", word_or_null(tdm_excalidraw_aligns, (int)item->align));
    set(e, "verticalAlign", json_string("top"));
    set(e, "containerId", container ? json_string(container) : json_null());
    set(e, "autoResize", json_boolean(!container && item->w <= 0));
    set(e, "lineHeight", json_real(LINE_HEIGHT));
    if (item->font == TDM_FONT_SERIF)
        set_ours(e, "font", json_string("serif"));
}

/* A rectangle with a text that is bound to it. */
static void put_note(struct writing *w, json_t *e, const struct tdm_drawing_item *item)
{
    const char *id = json_string_value(json_object_get(e, "id"));
    struct tdm_drawing_box box = tdm_drawing_box_of(item);
    json_t *text;

    set_ours(e, "type", json_string("note"));
    if (!item->text || !*item->text)
        return;
    text = make(w, "text", box);
    set(text, "strokeColor", colour(item->colour));
    set(text, "groupIds", groups_of(w->d, item->group));
    put_text(text, item, id);
    set(e, "boundElements",
        json_pack("[{sssO}]", "type", "text", "id", json_object_get(text, "id")));
}

static json_t *hash_name(const uint8_t hash[TDM_SHA256_BYTES])
{
    char text[41];

    for (size_t i = 0; i < 20; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return json_string(text);
}

static void put_image(const struct writing *w, json_t *e, const struct tdm_drawing_item *item)
{
    const struct tdm_drawing_image *image = item->image >= 0 ? &w->d->images[item->image] : NULL;
    struct tdm_image_info info;

    set(e, "fileId", image ? hash_name(image->hash) : json_null());
    set(e, "status", json_string("saved"));
    set(e, "scale", json_pack("[ii]", item->flipped_x ? -1 : 1, item->flipped_y ? -1 : 1));
    set(e, "crop", json_null());
    if (!image || !image->data || tdm_image_look(&info, image->data, image->size) != TDM_OK ||
        !(item->crop[0] | item->crop[1] | item->crop[2] | item->crop[3]))
        return;
    double x = item->crop[0] / 65535.0 * info.width, y = item->crop[1] / 65535.0 * info.height;
    double right = item->crop[2] / 65535.0 * info.width,
           bottom = item->crop[3] / 65535.0 * info.height;

    set(e, "crop",
        json_pack("{sfsfsfsfsisi}", "x", x, "y", y, "width", info.width - x - right, "height",
                  info.height - y - bottom, "naturalWidth", (int)info.width, "naturalHeight",
                  (int)info.height));
}

static void put_item(struct writing *w, const struct tdm_drawing_item *item)
{
    json_t *e = make_item(w, item);

    switch (item->type) {
    case TDM_BOARD_PEN:
    case TDM_BOARD_MARKER:
        put_points(w, e, item);
        if (item->type == TDM_BOARD_MARKER)
            set_ours(e, "type", json_string("marker"));
        break;
    case TDM_BOARD_LINE:
    case TDM_BOARD_ARROW:
        put_line(w, e, item);
        break;
    case TDM_BOARD_TEXT:
        put_text(e, item, NULL);
        break;
    case TDM_BOARD_IMAGE:
        put_image(w, e, item);
        break;
    default:
        if (item->corner)
            set(e, "roundness",
                json_pack("{sisf}", "type", 3, "value", tdm_drawing_pixels(item->corner)));
        if (item->type == TDM_BOARD_NOTE)
            put_note(w, e, item);
        break;
    }
}

/* --- Pages and files -------------------------------------------------------------------------- */

/* Around everything from item `from` to the next page. */
static struct tdm_drawing_box extent_of(const struct tdm_drawing *d, uint32_t from)
{
    struct tdm_drawing_box all = {.w = 0};
    bool any = false;

    for (uint32_t i = from; i < d->count && d->items[i].type != TDM_BOARD_PAGE; i++) {
        struct tdm_drawing_box box = tdm_drawing_box_of(&d->items[i]);
        int32_t right = all.x + all.w, bottom = all.y + all.h;

        if (!any) {
            all = box;
            any = true;
            continue;
        }
        right = box.x + box.w > right ? box.x + box.w : right;
        bottom = box.y + box.h > bottom ? box.y + box.h : bottom;
        all.x = box.x < all.x ? box.x : all.x;
        all.y = box.y < all.y ? box.y : all.y;
        all.w = right - all.x;
        all.h = bottom - all.y;
    }
    return all;
}

/* A frame behind the last one; what is on the page is moved into it. */
static void put_frame(struct writing *w, uint32_t page)
{
    const struct tdm_drawing_item *item = &w->d->items[page];
    struct tdm_drawing_box box = extent_of(w->d, page + 1);
    double width = tdm_drawing_pixels(box.w) + 2 * FRAME_EDGE;

    w->framed = false;
    w->dx = w->right + FRAME_EDGE - tdm_drawing_pixels(box.x);
    w->dy = FRAME_EDGE - tdm_drawing_pixels(box.y);
    name_of(w->number, w->frame);
    json_t *e = make(w, "frame", box);

    set(e, "x", number(w->right));
    set(e, "y", json_integer(0));
    set(e, "width", number(width));
    set(e, "height", number(tdm_drawing_pixels(box.h) + 2 * FRAME_EDGE));
    set(e, "name", item->text ? json_string(item->text) : json_null());
    set_ours(e, "origin", json_pack("[oo]", number(w->dx), number(w->dy)));
    w->right += width + FRAME_GAP;
    w->framed = true;
}

static json_t *file_of(const struct tdm_drawing_image *image)
{
    struct tdm_image_info info;

    if (!image->data || tdm_image_look(&info, image->data, image->size) != TDM_OK)
        return NULL;
    const char *mime = tdm_image_mime(info.format);
    size_t head = strlen("data:;base64,") + strlen(mime);
    char *uri = malloc(head + tdm_base64_room(image->size));

    if (!uri)
        return NULL;
    (void)snprintf(uri, head + 1, "data:%s;base64,", mime);
    tdm_base64_write(image->data, image->size, uri + head);
    json_t *file = json_pack("{sssosssisi}", "mimeType", mime, "id", hash_name(image->hash),
                             "dataURL", uri, "created", 1, "lastRetrieved", 1);

    free(uri);
    return file;
}

static json_t *files_of(const struct tdm_drawing *d)
{
    json_t *files = json_object();

    for (uint32_t i = 0; i < d->image_count; i++) {
        json_t *file = file_of(&d->images[i]);

        if (file)
            (void)json_object_set_new(files, json_string_value(json_object_get(file, "id")), file);
    }
    return files;
}

static uint32_t pages_of(const struct tdm_drawing *d)
{
    uint32_t pages = 0;

    for (uint32_t i = 0; i < d->count; i++)
        pages += d->items[i].type == TDM_BOARD_PAGE;
    return pages;
}

enum tdm_err tdm_excalidraw_write(const struct tdm_drawing *d, char **text, size_t *size,
                                  struct tdm_cause *cause)
{
    struct writing w = {.d = d, .elements = json_array()};
    uint32_t paper = 0;
    bool frames = pages_of(d) > 1;

    for (uint32_t i = 0; i < d->count; i++) {
        const struct tdm_drawing_item *item = &d->items[i];

        if (item->type != TDM_BOARD_PAGE) {
            put_item(&w, item);
            continue;
        }
        paper = paper ? paper : item->background;
        if (frames || (item->text && *item->text))
            put_frame(&w, i);
    }
    json_t *root =
        json_pack("{sssisssos{soso}so}", "type", "excalidraw", "version", 2, "source", "tandem",
                  "elements", w.elements, "appState", "gridSize", json_null(),
                  "viewBackgroundColor", colour(paper ? paper : 0xffffffff), "files", files_of(d));

    *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(root);
    *size = *text ? strlen(*text) : 0;
    return *text ? TDM_OK : tdm_fail(cause, TDM_E_SYSTEM, "no memory for the drawing");
}
