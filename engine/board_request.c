/* SPDX-License-Identifier: MIT */
#include "engine/board_request_state.h"

#include "engine/board_words.h"

#include <string.h>

#define NO_LETTERS  "only texts and notes have letters"
#define LIST_MAX    100000       /* Objects of one answer. */
#define POINT_BYTES ((size_t)32) /* Memory that a point takes at most, */
#define TEXT_BYTES  ((size_t)64) /* and a byte of text. */

enum tdm_err tdm_request_explain(struct tdm_request_job *j, enum tdm_err err)
{
    switch (err) {
    case TDM_OK:
        return err;
    case TDM_E_GONE:
        return tdm_fail(j->cause, err, "there is no such object");
    case TDM_E_DENIED:
        return tdm_fail(j->cause, err,
                        "the object does not allow it: another's stroke, a finished one, or full");
    case TDM_E_SPACE:
    case TDM_E_AGAIN:
        return tdm_fail(j->cause, TDM_E_SPACE, "the board is as large as boards may be");
    default:
        return tdm_fail(j->cause, err, "a value is of the wrong kind or too long");
    }
}

bool tdm_request_again(struct tdm_request_job *j, enum tdm_err err)
{
    return (err == TDM_E_SPACE || err == TDM_E_AGAIN) && j->desk->relieve(j->desk->arg, err);
}

enum tdm_err tdm_request_named(struct tdm_request_job *j, const char *member,
                               struct tdm_board_id *id)
{
    const char *text = json_string_value(json_object_get(j->request, member));

    *id = TDM_BOARD_NONE;
    if (!text || !tdm_board_id_parse(text, id))
        return tdm_fail(j->cause, TDM_E_MALFORMED,
                        "\"%s\" must name an object, like \"1a2b3c4d.17\"", member);
    return TDM_OK;
}

enum tdm_err tdm_request_room(struct tdm_request_job *j, size_t bytes)
{
    while (tdm_board_room(j->desk->board) < bytes + TDM_BOARD_ROOM)
        if (!j->desk->relieve(j->desk->arg, TDM_E_SPACE))
            return tdm_request_explain(j, TDM_E_SPACE);
    return TDM_OK;
}

static const struct tdm_board_object *existing(struct tdm_request_job *j, struct tdm_board_id id)
{
    const struct tdm_board_object *o = tdm_board_find(j->desk->board, id);

    if (!o)
        (void)tdm_request_explain(j, TDM_E_GONE);
    return o;
}

static enum tdm_err values_of(struct tdm_request_job *j, struct tdm_board_values *values)
{
    const char *bad = "";

    return tdm_board_values_parse(j->request, values, &bad)
               ? TDM_OK
               : tdm_fail(j->cause, TDM_E_MALFORMED, "\"%s\" does not fit; see docs/board-json.md",
                          bad);
}

/* The page that a request names, by id or by number from 0; the first one if it names none. */
static enum tdm_err page_of(struct tdm_request_job *j, struct tdm_board_id *page)
{
    const struct tdm_board *b = j->desk->board;
    const json_t *item = json_object_get(j->request, "page");
    const struct tdm_board_object *o = tdm_board_lowest(b, TDM_BOARD_NONE);

    if (json_is_string(item)) {
        enum tdm_err err = tdm_request_named(j, "page", page);

        if (err != TDM_OK)
            return err;
        o = tdm_board_find(b, *page);
    } else if (json_is_integer(item)) {
        for (json_int_t i = json_integer_value(item); o && i > 0; i--)
            o = tdm_board_above(o);
    } else if (item) {
        o = NULL;
    }
    if (!o)
        return tdm_fail(j->cause, TDM_E_GONE, "there is no such page");
    *page = tdm_board_id_of(o);
    return TDM_OK;
}

static bool has_letters(enum tdm_board_type type)
{
    return type == TDM_BOARD_TEXT || type == TDM_BOARD_NOTE;
}

static bool is_stroke(enum tdm_board_type type)
{
    return type == TDM_BOARD_PEN || type == TDM_BOARD_MARKER;
}

/* Whether so many points may go to a stroke, which then go all. */
static enum tdm_err takes_points(struct tdm_request_job *j, const json_t *points)
{
    struct tdm_board_point point;
    size_t i;
    const json_t *item;

    if (points && !json_is_array(points))
        return tdm_fail(j->cause, TDM_E_MALFORMED, "\"points\" is a list");
    if (json_array_size(points) > TDM_BOARD_POINTS_MAX)
        return tdm_request_explain(j, TDM_E_DENIED);
    json_array_foreach(points, i, item)
    {
        if (!tdm_board_point_parse(item, &point))
            return tdm_fail(j->cause, TDM_E_MALFORMED, "a point is [x, y, pressure, milliseconds]");
    }
    return tdm_request_room(j, json_array_size(points) * POINT_BYTES);
}

/* The same for text. */
static enum tdm_err takes_text(struct tdm_request_job *j, struct tdm_board_id id,
                               const json_t *text)
{
    const char *from = json_string_value(text);
    size_t size = json_string_length(text);
    uint32_t characters = 0;

    for (size_t i = 0; i < size; i++)
        characters += ((unsigned char)from[i] & 0xc0) != 0x80;
    return characters > tdm_board_text_left(j->desk->board, id)
               ? tdm_request_explain(j, TDM_E_DENIED)
               : tdm_request_room(j, size * TEXT_BYTES);
}

/* Points that takes_points was asked about. */
static enum tdm_err ink(struct tdm_request_job *j, struct tdm_board_id id, const json_t *points)
{
    struct tdm_board_point list[TDM_BOARD_INK_MAX];
    size_t left = json_array_size(points), at = 0;

    while (at < left) {
        size_t count = left - at < TDM_BOARD_INK_MAX ? left - at : TDM_BOARD_INK_MAX;

        for (size_t i = 0; i < count; i++)
            (void)tdm_board_point_parse(json_array_get(points, at + i), &list[i]);
        enum tdm_err err;

        do
            err = tdm_board_ink(j->desk->board, id, list, count);
        while (tdm_request_again(j, err));
        if (err != TDM_OK)
            return tdm_request_explain(j, err);
        at += count;
    }
    return TDM_OK;
}

static enum tdm_err seal(struct tdm_request_job *j, struct tdm_board_id id)
{
    enum tdm_err err;

    do
        err = tdm_board_seal(j->desk->board, id);
    while (tdm_request_again(j, err));
    return tdm_request_explain(j, err);
}

/* Bytes of whole characters, at most TDM_BOARD_TYPED_MAX. */
static size_t typed(const char *text, size_t size, uint32_t *characters)
{
    size_t end = size < TDM_BOARD_TYPED_MAX ? size : TDM_BOARD_TYPED_MAX;

    while (end < size && end && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    *characters = 0;
    for (size_t i = 0; i < end; i++)
        *characters += ((unsigned char)text[i] & 0xc0) != 0x80;
    return end;
}

static enum tdm_err insert(struct tdm_request_job *j, struct tdm_board_id id, uint32_t at,
                           const json_t *item)
{
    const char *text = json_string_value(item);
    size_t left = json_string_length(item);

    while (left) {
        uint32_t characters;
        size_t size = typed(text, left, &characters);
        enum tdm_err err;

        do
            err = tdm_board_text_insert(j->desk->board, id, at, text, size);
        while (tdm_request_again(j, err));
        if (err != TDM_OK)
            return tdm_request_explain(j, err);
        at += characters;
        text += size;
        left -= size;
    }
    return TDM_OK;
}

static enum tdm_err remove_text(struct tdm_request_job *j, struct tdm_board_id id, uint32_t at,
                                uint32_t count)
{
    enum tdm_err err;

    if (!count)
        return TDM_OK;
    do
        err = tdm_board_text_delete(j->desk->board, id, at, count);
    while (tdm_request_again(j, err));
    return tdm_request_explain(j, err);
}

void tdm_request_answer_id(struct tdm_request_job *j, struct tdm_board_id id)
{
    char text[TDM_BOARD_ID_TEXT];

    tdm_board_id_text(id, text);
    (void)json_object_set_new(j->answer, "object", json_string(text));
}

/* What an object is made of beside its values: points and text, of which is known that they fit. */
static enum tdm_err add_content(struct tdm_request_job *j, enum tdm_board_type type,
                                struct tdm_board_id id)
{
    const json_t *points = json_object_get(j->request, "points");
    const json_t *text = json_object_get(j->request, "text");
    bool done = !json_is_false(json_object_get(j->request, "done"));
    enum tdm_err err = points ? ink(j, id, points) : TDM_OK;

    if (err == TDM_OK && points && is_stroke(type) && done)
        err = seal(j, id);
    if (err == TDM_OK && text)
        err = insert(j, id, 0, text);
    return err;
}

static enum tdm_err takes_content(struct tdm_request_job *j, enum tdm_board_type type)
{
    const json_t *text = json_object_get(j->request, "text");
    enum tdm_err err = takes_points(j, json_object_get(j->request, "points"));

    if (err == TDM_OK && text && !json_is_string(text))
        return tdm_fail(j->cause, TDM_E_MALFORMED, "\"text\" is a string");
    if (err == TDM_OK && text && !has_letters(type))
        return tdm_fail(j->cause, TDM_E_MALFORMED, NO_LETTERS);
    if (err == TDM_OK && type == TDM_BOARD_IMAGE && !json_object_get(j->request, "image"))
        return tdm_fail(j->cause, TDM_E_MALFORMED,
                        "an image needs \"image\", its SHA-256; \"import\" brings a file");
    return err == TDM_OK && text ? takes_text(j, TDM_BOARD_NONE, text) : err;
}

static void complete(json_t *request, const char *name, json_t *value)
{
    if (!json_object_get(request, name))
        (void)json_object_set(request, name, value);
    json_decref(value);
}

/* Of what has an area nothing would be seen without one: as wide as one that the hand puts down. */
static void complete_area(json_t *request, enum tdm_board_type type)
{
    bool note = type == TDM_BOARD_NOTE;

    if (!note && type != TDM_BOARD_RECTANGLE && type != TDM_BOARD_ELLIPSE &&
        type != TDM_BOARD_DIAMOND)
        return;
    complete(request, "w", json_integer(200));
    complete(request, "h", json_integer(note ? 200 : 100));
    if (note)
        complete(request, "fill", json_string("#ffe58f"));
}

/* Of a request that makes something: its values, without the page, which by number is none. */
static enum tdm_err values_beside_page(struct tdm_request_job *j, enum tdm_board_type type,
                                       json_t **rest, struct tdm_board_values *values)
{
    const char *bad = "";

    *rest = json_copy((json_t *)(uintptr_t)j->request);
    (void)json_object_del(*rest, "page");
    complete_area(*rest, type);
    return tdm_board_values_parse(*rest, values, &bad)
               ? TDM_OK
               : tdm_fail(j->cause, TDM_E_MALFORMED, "\"%s\" does not fit; see docs/board-json.md",
                          bad);
}

static enum tdm_err make(struct tdm_request_job *j, enum tdm_board_type type,
                         const struct tdm_board_values *values, struct tdm_board_id *id)
{
    enum tdm_err err;

    tdm_board_begin(j->desk->board);
    do
        err = tdm_board_add(j->desk->board, type, values->list, values->count, id);
    while (tdm_request_again(j, err));
    err = err == TDM_OK ? add_content(j, type, *id) : tdm_request_explain(j, err);
    tdm_board_end(j->desk->board);
    return err;
}

static enum tdm_err add(struct tdm_request_job *j)
{
    const char *type_text = json_string_value(json_object_get(j->request, "type"));
    enum tdm_board_type type = type_text ? tdm_board_type_parse(type_text) : 0;
    struct tdm_board_values values;
    struct tdm_board_id id = TDM_BOARD_NONE, page = TDM_BOARD_NONE;
    json_t *rest;

    if (!type)
        return tdm_fail(j->cause, TDM_E_MALFORMED,
                        "\"type\" is one of page, pen, marker, line, arrow, rectangle, ellipse, "
                        "diamond, text, note, image, group");
    enum tdm_err err = values_beside_page(j, type, &rest, &values);

    if (err == TDM_OK && (type != TDM_BOARD_PAGE || json_object_get(j->request, "page")))
        err = page_of(j, &page);
    if (err == TDM_OK && type != TDM_BOARD_PAGE)
        values.list[values.count++] = tdm_board_ref(TDM_PROP_PAGE, page);
    if (err == TDM_OK)
        err = takes_content(j, type);
    if (err == TDM_OK)
        err = make(j, type, &values, &id);
    json_decref(rest);
    if (err == TDM_OK)
        tdm_request_answer_id(j, id);
    return err;
}

static enum tdm_err set(struct tdm_request_job *j)
{
    struct tdm_board_values values;
    struct tdm_board_id id;
    enum tdm_err err = tdm_request_named(j, "object", &id);

    if (err == TDM_OK)
        err = values_of(j, &values);
    if (err == TDM_OK && !values.count)
        err = tdm_fail(j->cause, TDM_E_MALFORMED, "there is nothing to set");
    if (err != TDM_OK)
        return err;
    do
        err = tdm_board_set(j->desk->board, id, values.list, values.count);
    while (tdm_request_again(j, err));
    return tdm_request_explain(j, err);
}

static enum tdm_err more_ink(struct tdm_request_job *j)
{
    const json_t *points = json_object_get(j->request, "points");
    struct tdm_board_view view;
    struct tdm_board_id id;
    enum tdm_err err = tdm_request_named(j, "object", &id);
    const struct tdm_board_object *o = err == TDM_OK ? existing(j, id) : NULL;

    if (!o)
        return err == TDM_OK ? TDM_E_GONE : err;
    tdm_board_read(j->desk->board, o, &view);
    if (id.actor != tdm_board_actor(j->desk->board) || view.sealed ||
        view.points + json_array_size(points) > TDM_BOARD_POINTS_MAX)
        return tdm_request_explain(j, TDM_E_DENIED);
    err = takes_points(j, points);
    if (err == TDM_OK && points)
        err = ink(j, id, points);
    if (err == TDM_OK && json_is_true(json_object_get(j->request, "done")))
        err = seal(j, id);
    return err;
}

/* A count of characters; 0 when it is not there. */
static bool characters(const struct tdm_request_job *j, const char *member, uint32_t *count)
{
    const json_t *item = json_object_get(j->request, member);
    json_int_t value = json_integer_value(item);

    *count = value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
    return !item || (json_is_integer(item) && value >= 0 && value <= UINT32_MAX);
}

static enum tdm_err text(struct tdm_request_job *j)
{
    const json_t *whole = json_object_get(j->request, "text");
    const json_t *piece = json_object_get(j->request, "insert");
    struct tdm_board_view view;
    struct tdm_board_id id;
    uint32_t at, count;
    enum tdm_err err = tdm_request_named(j, "object", &id);
    const struct tdm_board_object *o = err == TDM_OK ? existing(j, id) : NULL;

    if (!o)
        return err == TDM_OK ? TDM_E_GONE : err;
    if (!characters(j, "at", &at) || !characters(j, "delete", &count) ||
        (whole && !json_is_string(whole)) || (piece && !json_is_string(piece)) ||
        (!whole && !piece && !count))
        return tdm_fail(j->cause, TDM_E_MALFORMED,
                        "\"text\" puts all anew; or \"at\" with \"delete\" and \"insert\"");
    tdm_board_read(j->desk->board, o, &view);
    if (!has_letters(view.type))
        return tdm_fail(j->cause, TDM_E_MALFORMED, NO_LETTERS);
    if (whole) {
        at = 0;
        count = view.characters;
        piece = whole;
    }
    err = piece ? takes_text(j, id, piece) : tdm_request_room(j, 0);
    if (err != TDM_OK)
        return err;
    /* What comes may be refused, what goes is not: it goes behind it. */
    tdm_board_begin(j->desk->board);
    if (piece)
        err = insert(j, id, at, piece);
    if (err == TDM_OK) {
        uint32_t before = view.characters;

        tdm_board_read(j->desk->board, o, &view);
        at = at < before ? at : before;
        err = remove_text(j, id, at + (view.characters - before), count);
    }
    tdm_board_end(j->desk->board);
    return err;
}

static enum tdm_err undo_or_redo(struct tdm_request_job *j, bool redo)
{
    struct tdm_board_undone undone = {.changed = 0};
    enum tdm_err err;

    do
        err = redo ? tdm_board_redo(j->desk->board, &undone)
                   : tdm_board_undo(j->desk->board, &undone);
    while (tdm_request_again(j, err));
    if (err == TDM_E_GONE)
        return tdm_fail(j->cause, err,
                        redo ? "there is nothing to redo" : "there is nothing to undo");
    if (err != TDM_OK)
        return tdm_request_explain(j, err);
    (void)json_object_set_new(j->answer, "changed", json_integer(undone.changed));
    (void)json_object_set_new(j->answer, "kept", json_integer(undone.kept));
    return TDM_OK;
}

static enum tdm_err undo(struct tdm_request_job *j)
{
    return undo_or_redo(j, false);
}

static enum tdm_err redo(struct tdm_request_job *j)
{
    return undo_or_redo(j, true);
}

/* A page of its own, behind the last. */
static enum tdm_err page(struct tdm_request_job *j)
{
    struct tdm_board_values values;
    struct tdm_board_id id;
    enum tdm_err err = values_of(j, &values);

    if (err != TDM_OK)
        return err;
    do
        err = tdm_board_add(j->desk->board, TDM_BOARD_PAGE, values.list, values.count, &id);
    while (tdm_request_again(j, err));
    if (err == TDM_OK)
        tdm_request_answer_id(j, id);
    return tdm_request_explain(j, err);
}

static void list_page(struct tdm_request_job *j, struct tdm_board_id page_id, bool whole)
{
    const struct tdm_board *b = j->desk->board;
    json_t *list = json_array();
    size_t count = 0;

    for (const struct tdm_board_object *o = tdm_board_lowest(b, page_id); o && count < LIST_MAX;
         o = tdm_board_above(o), count++)
        (void)json_array_append_new(list, tdm_board_object_json(b, o, whole));
    (void)json_object_set_new(j->answer, "objects", list);
}

static enum tdm_err list(struct tdm_request_job *j)
{
    struct tdm_board_id id;
    enum tdm_err err = page_of(j, &id);

    if (err == TDM_OK)
        list_page(j, id, json_is_true(json_object_get(j->request, "whole")));
    return err;
}

static enum tdm_err pages(struct tdm_request_job *j)
{
    list_page(j, TDM_BOARD_NONE, false);
    return TDM_OK;
}

static enum tdm_err get(struct tdm_request_job *j)
{
    struct tdm_board_id id;
    enum tdm_err err = tdm_request_named(j, "object", &id);
    const struct tdm_board_object *o = err == TDM_OK ? existing(j, id) : NULL;
    json_t *all;

    if (!o)
        return err == TDM_OK ? TDM_E_GONE : err;
    all = tdm_board_object_json(j->desk->board, o, true);
    (void)json_object_update(j->answer, all);
    json_decref(all);
    return TDM_OK;
}

static const struct {
    const char *name;
    enum tdm_err (*perform)(struct tdm_request_job *j);
} requests[] = {
    {"add", add},
    {"set", set},
    {"ink", more_ink},
    {"text", text},
    {"delete", tdm_request_delete},
    {"undo", undo},
    {"redo", redo},
    {"page", page},
    {"order", tdm_request_order},
    {"group", tdm_request_group},
    {"ungroup", tdm_request_ungroup},
    {"move", tdm_request_move},
    {"pages", pages},
    {"list", list},
    {"get", get},
};

enum tdm_err tdm_board_request_do(const struct tdm_board_desk *desk, const json_t *request,
                                  json_t **answer, struct tdm_cause *cause)
{
    const char *name = json_string_value(json_object_get(request, "do"));
    struct tdm_cause unheard;

    if (!name)
        return tdm_fail(cause, TDM_E_MALFORMED, "a request is an object with \"do\"");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct tdm_request_job j = {
            .desk = desk, .request = request, .cause = cause ? cause : &unheard};

        if (strcmp(requests[i].name, name) != 0)
            continue;
        j.answer = json_object();
        enum tdm_err err = requests[i].perform(&j);

        if (err == TDM_OK)
            *answer = j.answer;
        else
            json_decref(j.answer);
        return err;
    }
    return tdm_fail(cause, TDM_E_UNSUPPORTED,
                    "there is no request \"%.40s\"; see docs/board-json.md", name);
}
