/* SPDX-License-Identifier: MIT */
#include "engine/board_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS 16.0
#define TURN  65536.0

static const struct {
    const char *name;
    enum tdm_board_type type;
} types[] = {
    {"page", TDM_BOARD_PAGE},       {"pen", TDM_BOARD_PEN},
    {"marker", TDM_BOARD_MARKER},   {"line", TDM_BOARD_LINE},
    {"arrow", TDM_BOARD_ARROW},     {"rectangle", TDM_BOARD_RECTANGLE},
    {"ellipse", TDM_BOARD_ELLIPSE}, {"diamond", TDM_BOARD_DIAMOND},
    {"text", TDM_BOARD_TEXT},       {"note", TDM_BOARD_NOTE},
    {"image", TDM_BOARD_IMAGE},     {"group", TDM_BOARD_GROUP},
};

enum shape { LENGTH, DEGREES, COLOUR, FLAG, FRACTION, CHOICE, REF, TEXT, HASH, SCALE };

static const char *const dashes[] = {"solid", "dashed", "dotted", NULL};
static const char *const fonts[] = {"sans", "serif", "mono", "hand", NULL};
static const char *const aligns[] = {"start", "centre", "end", NULL};
static const char *const heads[] = {"none", "arrow", "triangle", "dot", "bar", NULL};

static const struct word {
    const char *name;
    enum tdm_board_prop prop;
    enum shape shape;
    const char *const *choices;
} words[] = {
    {"page", TDM_PROP_PAGE, REF, NULL},
    {"group", TDM_PROP_PARENT, REF, NULL},
    {"deleted", TDM_PROP_DELETED, FLAG, NULL},
    {"locked", TDM_PROP_LOCKED, FLAG, NULL},
    {"x", TDM_PROP_X, LENGTH, NULL},
    {"y", TDM_PROP_Y, LENGTH, NULL},
    {"w", TDM_PROP_W, LENGTH, NULL},
    {"h", TDM_PROP_H, LENGTH, NULL},
    {"angle", TDM_PROP_ANGLE, DEGREES, NULL},
    {"colour", TDM_PROP_COLOUR, COLOUR, NULL},
    {"fill", TDM_PROP_FILL, COLOUR, NULL},
    {"width", TDM_PROP_WIDTH, LENGTH, NULL},
    {"dash", TDM_PROP_DASH, CHOICE, dashes},
    {"opacity", TDM_PROP_OPACITY, FRACTION, NULL},
    {"font", TDM_PROP_FONT, CHOICE, fonts},
    {"font_size", TDM_PROP_FONT_SIZE, LENGTH, NULL},
    {"align", TDM_PROP_ALIGN, CHOICE, aligns},
    {"corner", TDM_PROP_CORNER, LENGTH, NULL},
    {"head_start", TDM_PROP_HEAD_START, CHOICE, heads},
    {"head_end", TDM_PROP_HEAD_END, CHOICE, heads},
    {"image", TDM_PROP_IMAGE, HASH, NULL},
    {"name", TDM_PROP_NAME, TEXT, NULL},
    {"background", TDM_PROP_BACKGROUND, COLOUR, NULL},
    {"grid", TDM_PROP_GRID, LENGTH, NULL},
    {"link", TDM_PROP_LINK, TEXT, NULL},
    {"scale_x", TDM_PROP_SCALE_X, SCALE, NULL},
    {"scale_y", TDM_PROP_SCALE_Y, SCALE, NULL},
};

double tdm_board_px(int32_t units)
{
    return units / UNITS;
}

/* Within what a document knows; NAN is 0. */
static int64_t scaled(double value, double by)
{
    double most = TDM_BOARD_FAR, result = value * by;

    if (!(result > -most))
        return isnan(result) ? 0 : -TDM_BOARD_FAR;
    return result < most ? llround(result) : TDM_BOARD_FAR;
}

int32_t tdm_board_units(double px)
{
    return (int32_t)scaled(px, UNITS);
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool tdm_board_hash_parse(const char *text, uint8_t hash[TDM_BOARD_HASH_BYTES])
{
    if (strlen(text) != (size_t)2 * TDM_BOARD_HASH_BYTES)
        return false;
    for (size_t i = 0; i < TDM_BOARD_HASH_BYTES; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        hash[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void tdm_board_hash_text(const uint8_t hash[TDM_BOARD_HASH_BYTES], char text[TDM_BOARD_HASH_TEXT])
{
    for (size_t i = 0; i < TDM_BOARD_HASH_BYTES; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

void tdm_board_id_text(struct tdm_board_id id, char text[TDM_BOARD_ID_TEXT])
{
    (void)snprintf(text, TDM_BOARD_ID_TEXT, "%x.%u", id.actor, id.seq);
}

bool tdm_board_id_parse(const char *text, struct tdm_board_id *id)
{
    char *dot, *end;
    unsigned long actor, seq;

    if (strlen(text) >= TDM_BOARD_ID_TEXT || strspn(text, "0123456789abcdef.") != strlen(text))
        return false;
    actor = strtoul(text, &dot, 16);
    if (dot == text || *dot != '.' || strspn(dot + 1, "0123456789") != strlen(dot + 1))
        return false;
    seq = strtoul(dot + 1, &end, 10);
    if (end == dot + 1 || actor > UINT32_MAX || seq == 0 || seq > TDM_BOARD_SEQ_MAX ||
        (actor == 0 && seq != TDM_BOARD_FIRST_PAGE.seq))
        return false;
    *id = (struct tdm_board_id){(uint32_t)actor, (uint32_t)seq};
    return true;
}

const char *tdm_board_type_text(uint32_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return types[i].name;
    return "other";
}

enum tdm_board_type tdm_board_type_parse(const char *text)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, text) == 0)
            return types[i].type;
    return 0;
}

/* "#rrggbb" or "#rrggbbaa"; "none". */
static bool parse_colour(const char *text, int64_t *number)
{
    size_t size = strlen(text);
    char *end;

    *number = 0;
    if (strcmp(text, "none") == 0)
        return true;
    if (text[0] != '#' || (size != 7 && size != 9) ||
        strspn(text + 1, "0123456789abcdefABCDEF") != size - 1)
        return false;
    unsigned long value = strtoul(text + 1, &end, 16);

    *number = (int64_t)(size == 7 ? value << 8 | 0xff : value);
    return true;
}

static bool parse_choice(const char *const *choices, const char *text, int64_t *number)
{
    for (*number = 0; choices[*number]; ++*number)
        if (strcmp(choices[*number], text) == 0)
            return true;
    return false;
}

static bool parse_number(const struct word *w, const json_t *item, int64_t *number)
{
    double value = json_number_value(item);

    if (!json_is_number(item))
        return false;
    if (w->shape == DEGREES)
        *number = (int64_t)llround(fmod(fmod(value, 360) + 360, 360) / 360 * TURN) % (int64_t)TURN;
    else if (w->shape == FRACTION)
        *number = llround((value < 0 ? 0 : value > 1 ? 1 : value) * 255);
    else
        *number = scaled(value, w->shape == SCALE ? TURN : UNITS);
    return true;
}

static bool parse_value(const struct word *w, const json_t *item, struct tdm_board_values *values,
                        struct tdm_board_value *v)
{
    const char *text = json_string_value(item);
    struct tdm_board_id id = TDM_BOARD_NONE;
    int64_t number = 0;
    bool good;

    switch (w->shape) {
    case REF:
        good = json_is_null(item) || (text && tdm_board_id_parse(text, &id));
        *v = tdm_board_ref(w->prop, id);
        return good;
    case TEXT:
        good = text && json_string_length(item) <= TDM_BOARD_VALUE_MAX;
        *v = tdm_board_bytes(w->prop, good ? text : "", good ? json_string_length(item) : 0);
        return good;
    case HASH:
        *v = tdm_board_bytes(w->prop, values->image, sizeof values->image);
        return text && tdm_board_hash_parse(text, values->image);
    case FLAG:
        *v = tdm_board_int(w->prop, json_is_true(item));
        return json_is_boolean(item);
    case COLOUR:
        good = text && parse_colour(text, &number);
        break;
    case CHOICE:
        good = text && parse_choice(w->choices, text, &number);
        break;
    default:
        good = parse_number(w, item, &number);
        break;
    }
    *v = tdm_board_int(w->prop, number);
    return good;
}

/* {"surface": n, "generation": n, "x": px, "y": px} */
static bool parse_anchor(const json_t *item, struct tdm_board_values *values,
                         struct tdm_board_value *v)
{
    const json_t *surface = json_object_get(item, "surface");
    const json_t *generation = json_object_get(item, "generation");
    const json_t *x = json_object_get(item, "x"), *y = json_object_get(item, "y");

    if (!json_is_integer(surface) || !json_is_integer(generation) || !json_is_number(x) ||
        !json_is_number(y))
        return false;
    const struct tdm_board_anchor anchor = {.surface = (uint32_t)json_integer_value(surface),
                                            .generation = (uint32_t)json_integer_value(generation),
                                            .x = tdm_board_units(json_number_value(x)),
                                            .y = tdm_board_units(json_number_value(y))};

    tdm_board_anchor_write(&anchor, values->anchor);
    *v = tdm_board_bytes(TDM_PROP_ANCHOR, values->anchor, sizeof values->anchor);
    return true;
}

/* Whether a request may have it: a value, or what else makes an object. */
static bool is_known(const char *name)
{
    static const char *const others[] = {"do",   "tag",    "type",   "object", "text",
                                         "done", "points", "anchor", "surface"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(name, words[i].name) == 0)
            return true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i]) == 0)
            return true;
    return false;
}

bool tdm_board_values_parse(const json_t *object, struct tdm_board_values *values, const char **bad)
{
    const char *name;
    json_t *member;

    json_object_foreach((json_t *)(uintptr_t)object, name, member) if (!is_known(name))
    {
        *bad = name;
        return false;
    }
    values->count = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const json_t *item = json_object_get(object, words[i].name);

        if (!item)
            continue;
        if (!parse_value(&words[i], item, values, &values->list[values->count++])) {
            *bad = words[i].name;
            return false;
        }
    }
    const json_t *anchor = json_object_get(object, "anchor");

    if (anchor && !parse_anchor(anchor, values, &values->list[values->count++])) {
        *bad = "anchor";
        return false;
    }
    return true;
}

bool tdm_board_point_parse(const json_t *item, struct tdm_board_point *point)
{
    const json_t *x = json_array_get(item, 0), *y = json_array_get(item, 1);
    const json_t *pressure = json_array_get(item, 2), *ms = json_array_get(item, 3);
    double press = pressure ? json_number_value(pressure) : 128 / 255.0;
    double time = ms ? json_number_value(ms) : 0;

    if (!json_is_number(x) || !json_is_number(y))
        return false;
    *point = (struct tdm_board_point){.x = tdm_board_units(json_number_value(x)),
                                      .y = tdm_board_units(json_number_value(y)),
                                      .pressure = (uint8_t)lround((press < 0   ? 0
                                                                   : press > 1 ? 1
                                                                               : press) *
                                                                  255),
                                      .dt_ms = (uint16_t)(time < 0            ? 0
                                                          : time > UINT16_MAX ? UINT16_MAX
                                                                              : time)};
    return true;
}

static void put(json_t *to, const char *name, json_t *value)
{
    (void)json_object_set_new(to, name, value);
}

static void put_id(json_t *to, const char *name, struct tdm_board_id id)
{
    char text[TDM_BOARD_ID_TEXT];

    tdm_board_id_text(id, text);
    if (!tdm_board_same(id, TDM_BOARD_NONE))
        put(to, name, json_string(text));
}

static void put_px(json_t *to, const char *name, int32_t units)
{
    put(to, name, json_real(tdm_board_px(units)));
}

static void put_colour(json_t *to, const char *name, uint32_t colour)
{
    char text[16];

    (void)snprintf(text, sizeof text, "#%08x", colour);
    put(to, name, json_string(colour ? text : "none"));
}

static void put_choice(json_t *to, const char *name, const char *const *choices, unsigned value)
{
    unsigned at = 0;

    while (at < value && choices[at + 1])
        at++;
    put(to, name, json_string(choices[at]));
}

static void put_text(json_t *to, const char *name, const char *text, size_t size)
{
    json_t *value = size ? json_stringn(text, size) : NULL;

    if (value) /* Else it is no UTF-8. */
        put(to, name, value);
}

static void put_points(json_t *to, const struct tdm_board_object *o)
{
    struct tdm_board_points points = tdm_board_points(o);
    struct tdm_board_point p;
    json_t *list = json_array();

    while (tdm_board_point_next(&points, &p))
        (void)json_array_append_new(list,
                                    json_pack("[f,f,f,i]", tdm_board_px(p.x), tdm_board_px(p.y),
                                              p.pressure / 255.0, (int)p.dt_ms));
    put(to, "points", list);
}

static void put_whole_text(json_t *to, const struct tdm_board_object *o, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return;
    put_text(to, "text", text, tdm_board_text(o, text, size));
    free(text);
}

static void put_style(json_t *to, const struct tdm_board_view *v)
{
    put_colour(to, "colour", v->colour);
    put_colour(to, "fill", v->fill);
    put_px(to, "width", v->width);
    put_choice(to, "dash", dashes, v->dash);
    put(to, "opacity", json_real(v->opacity / 255.0));
    if (v->characters) {
        put_choice(to, "font", fonts, v->font);
        put_px(to, "font_size", v->font_size);
        put_choice(to, "align", aligns, v->align);
    }
    if (v->corner)
        put_px(to, "corner", v->corner);
    if (v->head_start)
        put_choice(to, "head_start", heads, v->head_start);
    if (v->head_end)
        put_choice(to, "head_end", heads, v->head_end);
}

json_t *tdm_board_object_json(const struct tdm_board *b, const struct tdm_board_object *o,
                              bool whole)
{
    struct tdm_board_view v;
    char hex[TDM_BOARD_HASH_TEXT];
    json_t *to = json_object();

    tdm_board_read(b, o, &v);
    put_id(to, "object", v.id);
    put(to, "type", json_string(tdm_board_type_text(v.type)));
    put_id(to, "page", v.page);
    put_id(to, "group", v.group);
    put_text(to, "name", v.name, v.name_size);
    put_text(to, "link", v.link, v.link_size);
    if (v.deleted)
        put(to, "deleted", json_true());
    if (v.locked)
        put(to, "locked", json_true());
    if (v.type == TDM_BOARD_PAGE) {
        put_colour(to, "background", v.background);
        put_px(to, "grid", v.grid);
        return to;
    }
    put_px(to, "x", v.x);
    put_px(to, "y", v.y);
    put_px(to, "w", v.w);
    put_px(to, "h", v.h);
    if (v.angle)
        put(to, "angle", json_real(v.angle / TURN * 360));
    put_style(to, &v);
    if (v.image) {
        tdm_board_hash_text(v.image, hex);
        put(to, "image", json_string(hex));
    }
    if (v.anchored)
        put(to, "anchor",
            json_pack("{s:I,s:I,s:f,s:f}", "surface", (json_int_t)v.anchor.surface, "generation",
                      (json_int_t)v.anchor.generation, "x", tdm_board_px(v.anchor.x), "y",
                      tdm_board_px(v.anchor.y)));
    if (v.points) {
        put(to, "point_count", json_integer(v.points));
        if (v.type == TDM_BOARD_PEN || v.type == TDM_BOARD_MARKER)
            put(to, "done", json_boolean(v.sealed));
    }
    if (whole && v.points)
        put_points(to, o);
    if (whole && v.text_bytes)
        put_whole_text(to, o, v.text_bytes);
    return to;
}
