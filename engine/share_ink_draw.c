/* SPDX-License-Identifier: MIT */
/* What is drawn here: by a hand in a window, or by requests. */
#include "engine/share_ink_state.h"

#include "engine/board_request.h"
#include "engine/board_words.h"
#include "engine/io/wake.h"

#include <math.h>
#include <string.h>

#define RED       "#e03131ff" /* The viewer's, and */
#define BLUE      "#1971c2ff" /* the host's, where a request names no colour. */
#define RED_BITS  0xe03131ffu
#define BLUE_BITS 0x1971c2ffu
#define WIDTH     4 /* Pixels. */
#define UNIT      16

static struct tdm_board_desk desk_of(struct tdm_share_ink *k)
{
    return (struct tdm_board_desk){
        .board = tdm_board_doc_board(k->doc), .relieve = tdm_ink_relieve, .arg = k};
}

static double number(const json_t *object, const char *name)
{
    double value = json_number_value(json_object_get(object, name));

    return isfinite(value) ? value : 0;
}

/* What an annotation hangs on: where a pen begins, what an arrow points at, the middle of a shape.
 */
static void hang_on(const json_t *request, double *x, double *y)
{
    const char *type = json_string_value(json_object_get(request, "type"));
    const json_t *points = json_object_get(request, "points");
    const json_t *point = json_array_get(points, 0);
    double part = !type || strcmp(type, "text") == 0 || strcmp(type, "note") == 0 ? 0 : 0.5;

    *x = number(request, "x");
    *y = number(request, "y");
    if (type && strcmp(type, "arrow") == 0) {
        point = json_array_get(points, json_array_size(points) - 1);
        part = 1;
    }
    if (point) {
        *x += json_number_value(json_array_get(point, 0));
        *y += json_number_value(json_array_get(point, 1));
    } else {
        *x += part * number(request, "w");
        *y += part * number(request, "h");
    }
}

static void set_default(json_t *request, const char *name, json_t *value)
{
    if (json_object_get(request, name))
        json_decref(value);
    else
        (void)json_object_set_new(request, name, value);
}

static bool has_surface(const struct tdm_share_ink *k, json_int_t id)
{
    for (uint32_t i = 0; i < k->surface_count; i++)
        if (k->surfaces[i].id == id)
            return true;
    return false;
}

/* {"do": "annotate"}: an object of the board like any other, but for what it hangs on. */
static enum tdm_err annotate(struct tdm_share_ink *k, const json_t *request, json_t **answer,
                             struct tdm_cause *cause)
{
    const struct tdm_board_desk desk = desk_of(k);
    const json_t *surface = json_object_get(request, "surface");
    json_int_t id = surface ? json_integer_value(surface)
                            : (k->surface_count ? (json_int_t)k->surfaces[0].id : 0);
    json_t *add = json_copy((json_t *)(uintptr_t)request);
    double x, y;

    if (!add || !has_surface(k, id)) {
        json_decref(add);
        return tdm_fail(cause, TDM_E_GONE, "there is no surface %lld", (long long)id);
    }
    hang_on(request, &x, &y);
    (void)json_object_set_new(add, "do", json_string("add"));
    (void)json_object_del(add, "surface");
    (void)json_object_del(add, "page");
    (void)json_object_set_new(add, "x", json_real(number(request, "x") - x));
    (void)json_object_set_new(add, "y", json_real(number(request, "y") - y));
    (void)json_object_set_new(add, "anchor",
                              json_pack("{s:I,s:I,s:f,s:f}", "surface", id, "generation",
                                        (json_int_t)k->frame, "x", x, "y", y));
    set_default(add, "colour", json_string(k->config.host ? BLUE : RED));
    set_default(add, "width", json_integer(WIDTH));
    enum tdm_err err = tdm_board_request_do(&desk, add, answer, cause);

    json_decref(add);
    return err;
}

/* What is there, at its place now. */
static json_t *annotation(struct tdm_share_ink *k, const struct tdm_ink_item *item)
{
    const struct tdm_board *b = tdm_board_doc_board(k->doc);
    const struct tdm_board_object *o = tdm_board_find(b, item->id);
    json_t *object = tdm_board_object_json(b, o, true);

    (void)json_object_set_new(object, "x",
                              json_real(number(object, "x") + (double)item->place.x / UNIT));
    (void)json_object_set_new(object, "y",
                              json_real(number(object, "y") + (double)item->place.y / UNIT));
    (void)json_object_set_new(object, "surface", json_integer(item->place.surface));
    (void)json_object_set_new(object, "away", json_boolean(item->place.away));
    (void)json_object_set_new(object, "mine", json_boolean(item->id.actor == tdm_board_actor(b)));
    (void)json_object_del(object, "page");
    return object;
}

static json_t *list(struct tdm_share_ink *k)
{
    json_t *all = json_array();

    for (uint32_t i = 0; i < k->item_count; i++)
        (void)json_array_append_new(all, annotation(k, &k->items[i]));
    return json_pack("{s:I,s:o}", "frame", (json_int_t)k->frame, "annotations", all);
}

/* Takes away what was drawn here, or everything; one step of undo. */
static enum tdm_err clear(struct tdm_share_ink *k, bool all, json_t **answer,
                          struct tdm_cause *cause)
{
    struct tdm_board *b = tdm_board_doc_board(k->doc);
    enum tdm_err err = TDM_OK;
    json_int_t count = 0;

    tdm_board_begin(b);
    for (uint32_t i = 0; i < k->item_count && err == TDM_OK; i++) {
        if (!all && k->items[i].id.actor != tdm_board_actor(b))
            continue;
        do
            err = tdm_board_delete(b, k->items[i].id);
        while ((err == TDM_E_SPACE || err == TDM_E_AGAIN) && tdm_ink_relieve(k, err));
        count++;
    }
    tdm_board_end(b);
    if (err == TDM_OK)
        *answer = json_pack("{s:I}", "cleared", count);
    return err == TDM_OK ? err : tdm_fail(cause, err, "the annotations could not be taken away");
}

static bool reads(const char *verb)
{
    return strcmp(verb, "annotations") == 0 || strcmp(verb, "get") == 0 ||
           strcmp(verb, "list") == 0;
}

/* The host's new anchors are steps, too, that nobody means: undo goes on until something is seen.
 */
static enum tdm_err undo(struct tdm_share_ink *k, const json_t *request, json_t **answer,
                         struct tdm_cause *cause)
{
    const struct tdm_board_desk desk = desk_of(k);
    uint32_t before = k->item_count;
    enum tdm_err err;

    do {
        json_decref(*answer);
        *answer = NULL;
        err = tdm_board_request_do(&desk, request, answer, cause);
        tdm_ink_follow(k);
    } while (err == TDM_OK && k->config.host && k->item_count == before);
    return err;
}

static enum tdm_err perform(struct tdm_share_ink *k, const char *verb, const json_t *request,
                            json_t **answer, struct tdm_cause *cause)
{
    static const char *const known[] = {"ink", "delete", "get", "list", "text"};
    const struct tdm_board_desk desk = desk_of(k);

    if (strcmp(verb, "annotate") == 0)
        return annotate(k, request, answer, cause);
    if (strcmp(verb, "clear") == 0)
        return clear(k, json_is_true(json_object_get(request, "all")), answer, cause);
    if (strcmp(verb, "annotations") == 0) {
        *answer = list(k);
        return TDM_OK;
    }
    if (strcmp(verb, "undo") == 0 || strcmp(verb, "redo") == 0)
        return undo(k, request, answer, cause);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(verb, known[i]) == 0)
            return tdm_board_request_do(&desk, request, answer, cause);
    return tdm_fail(cause, TDM_E_UNSUPPORTED,
                    "\"%.40s\" is no request about annotations; see docs/annotations.md", verb);
}

enum tdm_err tdm_share_ink_request(struct tdm_share_ink *k, const json_t *request, json_t **answer,
                                   struct tdm_cause *cause)
{
    const char *verb = json_string_value(json_object_get(request, "do"));
    enum tdm_err err;

    *answer = NULL;
    if (!verb)
        return tdm_fail(cause, TDM_E_MALFORMED, "a request is an object with \"do\"");
    pthread_mutex_lock(&k->lock);
    tdm_ink_catch_up(k);
    if (!reads(verb) && !tdm_ink_may(k))
        err = tdm_fail(cause, TDM_E_DENIED,
                       "drawing on this screen is not allowed: ask for \"annotate\"");
    else if (!k->doc || !k->surface_count)
        err = tdm_fail(cause, TDM_E_AGAIN, "no screen is seen or given yet");
    else
        err = perform(k, verb, request, answer, cause);
    if (err != TDM_OK) {
        json_decref(*answer);
        *answer = NULL;
    }
    pthread_mutex_unlock(&k->lock);
    tdm_wake_signal(k->wake);
    return err;
}

/* The hand. */

static const enum tdm_board_type tool_types[] = {
    [TDM_INK_PEN] = TDM_BOARD_PEN,
    [TDM_INK_ARROW] = TDM_BOARD_ARROW,
    [TDM_INK_BOX] = TDM_BOARD_RECTANGLE,
};

static bool again(struct tdm_share_ink *k, enum tdm_err err)
{
    return (err == TDM_E_SPACE || err == TDM_E_AGAIN) && tdm_ink_relieve(k, err);
}

static void hand_down(struct tdm_share_ink *k, enum tdm_ink_tool tool, uint8_t surface, int32_t x,
                      int32_t y)
{
    const struct tdm_board_anchor anchor = {surface, k->frame, x, y};
    struct tdm_board *b = tdm_board_doc_board(k->doc);
    const struct tdm_board_point point = {0, 0, 128, 0};
    uint8_t bytes[TDM_BOARD_ANCHOR_BYTES];
    enum tdm_err err;

    tdm_board_anchor_write(&anchor, bytes);
    const struct tdm_board_value values[] = {
        tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
        tdm_board_int(TDM_PROP_X, 0),
        tdm_board_int(TDM_PROP_Y, 0),
        tdm_board_int(TDM_PROP_COLOUR, k->config.host ? BLUE_BITS : RED_BITS),
        tdm_board_int(TDM_PROP_WIDTH, (int64_t)WIDTH * UNIT),
        tdm_board_bytes(TDM_PROP_ANCHOR, bytes, sizeof bytes),
    };

    do
        err = tdm_board_add(b, tool_types[tool], values, sizeof values / sizeof *values, &k->hand);
    while (again(k, err));
    if (err != TDM_OK)
        k->hand = TDM_BOARD_NONE;
    else if (tool == TDM_INK_PEN)
        (void)!tdm_board_ink(b, k->hand, &point, 1);
    k->hand_tool = tool;
    k->hand_x = x;
    k->hand_y = y;
}

/* Of an arrow and a box, while they are drawn: from where the hand began. */
static void stretch(struct tdm_share_ink *k, int32_t x, int32_t y)
{
    const struct tdm_board_value values[] = {tdm_board_int(TDM_PROP_W, x - k->hand_x),
                                             tdm_board_int(TDM_PROP_H, y - k->hand_y)};
    enum tdm_err err;

    do
        err = tdm_board_set(tdm_board_doc_board(k->doc), k->hand, values, 2);
    while (again(k, err));
}

static void hand_move(struct tdm_share_ink *k, int32_t x, int32_t y)
{
    const struct tdm_board_point point = {x - k->hand_x, y - k->hand_y, 128, 8};
    enum tdm_err err;

    if (k->hand_tool != TDM_INK_PEN) {
        stretch(k, x, y);
        return;
    }
    do
        err = tdm_board_ink(tdm_board_doc_board(k->doc), k->hand, &point, 1);
    while (again(k, err));
}

/* What is finished hangs on what it shows: an arrow on its head, a box on its middle. */
static void hand_up(struct tdm_share_ink *k, int32_t x, int32_t y)
{
    struct tdm_board *b = tdm_board_doc_board(k->doc);
    const struct tdm_anchor_place *place = tdm_ink_place(k, k->hand);
    int32_t w = x - k->hand_x, h = y - k->hand_y;
    uint8_t bytes[TDM_BOARD_ANCHOR_BYTES];
    enum tdm_err err;

    if (k->hand_tool == TDM_INK_PEN || !place) {
        do
            err = tdm_board_seal(b, k->hand);
        while (again(k, err));
        return;
    }
    if (k->hand_tool == TDM_INK_BOX) {
        w /= 2;
        h /= 2;
    }
    struct tdm_board_anchor anchor = tdm_anchor_of(place, k->frame);

    anchor.x += w;
    anchor.y += h;
    tdm_board_anchor_write(&anchor, bytes);
    const struct tdm_board_value values[] = {tdm_board_int(TDM_PROP_X, -w),
                                             tdm_board_int(TDM_PROP_Y, -h),
                                             tdm_board_bytes(TDM_PROP_ANCHOR, bytes, sizeof bytes)};

    do
        err = tdm_board_set(b, k->hand, values, 3);
    while (again(k, err));
}

/* All of a gesture is one step of undo. */
static void end_gesture(struct tdm_share_ink *k)
{
    if (k->hand_begun)
        tdm_board_end(tdm_board_doc_board(k->doc));
    k->hand_begun = false;
    k->hand = TDM_BOARD_NONE;
}

static void act_of_hand(struct tdm_share_ink *k, enum tdm_ink_act act, enum tdm_ink_tool tool,
                        uint8_t surface, int32_t x, int32_t y)
{
    if (act == TDM_INK_DOWN) {
        end_gesture(k);
        tdm_board_begin(tdm_board_doc_board(k->doc));
        k->hand_begun = true;
        hand_down(k, tool, surface, x, y);
        return;
    }
    if (k->hand.seq) {
        hand_move(k, x, y);
        tdm_ink_follow(k);
    }
    if (act == TDM_INK_UP && k->hand.seq)
        hand_up(k, x, y);
    if (act == TDM_INK_UP)
        end_gesture(k);
}

void tdm_share_ink_hand(struct tdm_share_ink *k, enum tdm_ink_act act, enum tdm_ink_tool tool,
                        uint8_t surface, int32_t x, int32_t y)
{
    pthread_mutex_lock(&k->lock);
    tdm_ink_catch_up(k);
    if (k->doc && tdm_ink_may(k) && has_surface(k, surface))
        act_of_hand(k, act, tool, surface, x, y);
    pthread_mutex_unlock(&k->lock);
    tdm_wake_signal(k->wake);
}
