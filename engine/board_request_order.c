/* SPDX-License-Identifier: MIT */
/* Requests about several objects at once: each is one step of undo, and done whole or not at all.
 */
#include "engine/board_request_state.h"

#include "engine/board_words.h"

#include <stdlib.h>
#include <string.h>

#define CHOSEN_MAX 4096
#define DEEP_MAX   256           /* Groups in groups. */
#define SET_BYTES  ((size_t)512) /* Memory that a value of an object takes at most. */

/* The objects that a request names, each once and there. */
struct chosen {
    struct tdm_board_id *ids;
    size_t count;
};

static enum tdm_err set(struct tdm_request_job *j, struct tdm_board_id id,
                        struct tdm_board_value value)
{
    enum tdm_err err;

    do
        err = tdm_board_set(j->desk->board, id, &value, 1);
    while (tdm_request_again(j, err));
    return tdm_request_explain(j, err);
}

static bool is_chosen(const struct chosen *c, struct tdm_board_id id)
{
    for (size_t i = 0; i < c->count; i++)
        if (tdm_board_same(c->ids[i], id))
            return true;
    return false;
}

static enum tdm_err choose_one(struct tdm_request_job *j, struct chosen *c, const char *text)
{
    struct tdm_board_id id;
    const struct tdm_board_object *o =
        text && tdm_board_id_parse(text, &id) ? tdm_board_find(j->desk->board, id) : NULL;

    if (!o)
        return tdm_fail(j->cause, TDM_E_GONE, "one of the objects is not there");
    if (!is_chosen(c, id))
        c->ids[c->count++] = id;
    return TDM_OK;
}

/* "objects" or "object", into memory that the caller frees whatever comes of it. */
static enum tdm_err choose(struct tdm_request_job *j, struct chosen *c)
{
    const json_t *list = json_object_get(j->request, "objects"), *item;
    size_t count = json_array_size(list), i;
    enum tdm_err err = TDM_OK;

    *c = (struct chosen){0};
    if ((list && !json_is_array(list)) || count > CHOSEN_MAX)
        return tdm_fail(j->cause, TDM_E_MALFORMED, "\"objects\" is a list of at most %d objects",
                        CHOSEN_MAX);
    c->ids = calloc(count + 1, sizeof *c->ids);
    if (!c->ids)
        return tdm_fail(j->cause, TDM_E_SPACE, "no memory for so many objects");
    if (!list) {
        err = tdm_request_named(j, "object", &c->ids[0]);
        return err == TDM_OK
                   ? choose_one(j, c, json_string_value(json_object_get(j->request, "object")))
                   : err;
    }
    json_array_foreach(list, i, item)
    {
        if (err == TDM_OK)
            err = choose_one(j, c, json_string_value(item));
    }
    return err == TDM_OK ? tdm_request_room(j, count * SET_BYTES) : err;
}

/* On which page they all are; none: they are pages. */
static enum tdm_err page_of(struct tdm_request_job *j, const struct chosen *c,
                            struct tdm_board_id *page)
{
    const struct tdm_board *b = j->desk->board;
    struct tdm_board_view view;

    for (size_t i = 0; i < c->count; i++) {
        tdm_board_read(b, tdm_board_find(b, c->ids[i]), &view);
        if (i == 0)
            *page = view.page;
        if (view.deleted || !tdm_board_same(view.page, *page))
            return tdm_fail(j->cause, TDM_E_MALFORMED,
                            "the objects are not all there, on one page");
    }
    return c->count ? TDM_OK : tdm_fail(j->cause, TDM_E_MALFORMED, "no object is named");
}

enum tdm_err tdm_request_delete(struct tdm_request_job *j)
{
    struct chosen c;
    enum tdm_err err = choose(j, &c);

    tdm_board_begin(j->desk->board);
    for (size_t i = 0; i < c.count && err == TDM_OK; i++)
        err = set(j, c.ids[i], tdm_board_int(TDM_PROP_DELETED, 1));
    tdm_board_end(j->desk->board);
    free(c.ids);
    return err;
}

/* Whether an object or a group around it is chosen. */
static bool belongs(const struct tdm_board *b, const struct chosen *c,
                    const struct tdm_board_object *o)
{
    struct tdm_board_view view;

    for (int deep = 0; o && deep < DEEP_MAX; o = tdm_board_find(b, view.group), deep++) {
        if (is_chosen(c, tdm_board_id_of(o)))
            return true;
        tdm_board_read(b, o, &view);
    }
    return false;
}

/* With all that is in groups among them, from the lowest up. */
static enum tdm_err spread(struct tdm_request_job *j, struct chosen *c, struct tdm_board_id page)
{
    const struct tdm_board *b = j->desk->board;
    struct chosen all = {0};
    size_t room = 0;

    for (const struct tdm_board_object *o = tdm_board_lowest(b, page); o; o = tdm_board_above(o))
        room += belongs(b, c, o);
    all.ids = calloc(room + 1, sizeof *all.ids);
    if (!all.ids)
        return tdm_fail(j->cause, TDM_E_SPACE, "no memory for so many objects");
    for (const struct tdm_board_object *o = tdm_board_lowest(b, page); o; o = tdm_board_above(o))
        if (belongs(b, c, o))
            all.ids[all.count++] = tdm_board_id_of(o);
    free(c->ids);
    *c = all;
    if (!all.count)
        return tdm_fail(j->cause, TDM_E_GONE, "the objects are on no page");
    return tdm_request_room(j, c->count * SET_BYTES);
}

static enum tdm_err put_between(struct tdm_request_job *j, struct tdm_board_id id,
                                const struct tdm_board_object *below,
                                const struct tdm_board_object *above)
{
    const struct tdm_board *b = j->desk->board;
    struct tdm_board_view low, high;
    uint8_t key[TDM_BOARD_ORDER_MAX];

    if (below)
        tdm_board_read(b, below, &low);
    if (above)
        tdm_board_read(b, above, &high);
    size_t size = tdm_board_order_between(b, below ? &low : NULL, above ? &high : NULL, key);

    return set(j, id, tdm_board_bytes(TDM_PROP_ORDER, key, size));
}

/* The next one up or down that is not chosen. */
static const struct tdm_board_object *beyond(const struct chosen *c,
                                             const struct tdm_board_object *o, bool up)
{
    do
        o = up ? tdm_board_above(o) : tdm_board_below(o);
    while (o && is_chosen(c, tdm_board_id_of(o)));
    return o;
}

/* All of them, in their order, to one side of `passed`, which is NULL at the end of the page. */
static enum tdm_err put_all(struct tdm_request_job *j, const struct chosen *c,
                            const struct tdm_board_object *passed,
                            const struct tdm_board_object *other, bool up)
{
    const struct tdm_board *b = j->desk->board;
    struct tdm_board_view view;
    enum tdm_err err = TDM_OK;

    /* Under a page that never had a place there is none: it gets one. */
    tdm_board_read(b, passed, &view);
    if (!up && !view.order_size)
        err = put_between(j, view.id, passed, tdm_board_above(passed));
    for (size_t i = 0; i < c->count && err == TDM_OK; i++) {
        struct tdm_board_id id = c->ids[up ? i : c->count - 1 - i];

        err = put_between(j, id, up ? passed : other, up ? other : passed);
        passed = tdm_board_find(b, id);
    }
    return err;
}

static enum tdm_err reorder(struct tdm_request_job *j, const struct chosen *c,
                            struct tdm_board_id page, const char *to)
{
    const struct tdm_board *b = j->desk->board;
    bool up = strcmp(to, "front") == 0 || strcmp(to, "forward") == 0;
    const struct tdm_board_object *edge, *passed;

    if (strcmp(to, "front") == 0 || strcmp(to, "back") == 0) {
        edge = up ? tdm_board_highest(b, page) : tdm_board_lowest(b, page);
        passed = edge && is_chosen(c, tdm_board_id_of(edge)) ? beyond(c, edge, !up) : edge;
        return passed ? put_all(j, c, passed, NULL, up) : TDM_OK;
    }
    if (!up && strcmp(to, "backward") != 0)
        return tdm_fail(j->cause, TDM_E_MALFORMED, "\"to\" is front, back, forward or backward");
    edge = tdm_board_find(b, c->ids[up ? c->count - 1 : 0]);
    passed = beyond(c, edge, up);
    return passed ? put_all(j, c, passed, beyond(c, passed, up), up) : TDM_OK;
}

enum tdm_err tdm_request_order(struct tdm_request_job *j)
{
    const char *to = json_string_value(json_object_get(j->request, "to"));
    struct tdm_board_id page = TDM_BOARD_NONE;
    struct chosen c;
    enum tdm_err err = choose(j, &c);

    if (err == TDM_OK)
        err = page_of(j, &c, &page);
    if (err == TDM_OK)
        err = spread(j, &c, page);
    if (err == TDM_OK) {
        tdm_board_begin(j->desk->board);
        err = reorder(j, &c, page, to ? to : "");
        tdm_board_end(j->desk->board);
    }
    free(c.ids);
    return err;
}

/* A group that holds them; those that are in one already leave it. */
static enum tdm_err put_together(struct tdm_request_job *j, const struct chosen *c,
                                 struct tdm_board_id page)
{
    const struct tdm_board_value value = tdm_board_ref(TDM_PROP_PAGE, page);
    struct tdm_board_id id;
    enum tdm_err err;

    do
        err = tdm_board_add(j->desk->board, TDM_BOARD_GROUP, &value, 1, &id);
    while (tdm_request_again(j, err));
    err = tdm_request_explain(j, err);
    for (size_t i = 0; i < c->count && err == TDM_OK; i++)
        err = set(j, c->ids[i], tdm_board_ref(TDM_PROP_PARENT, id));
    if (err == TDM_OK)
        tdm_request_answer_id(j, id);
    return err;
}

enum tdm_err tdm_request_group(struct tdm_request_job *j)
{
    struct tdm_board_id page = TDM_BOARD_NONE;
    struct chosen c;
    enum tdm_err err = choose(j, &c);

    if (err == TDM_OK)
        err = page_of(j, &c, &page);
    if (err == TDM_OK && (c.count < 2 || tdm_board_same(page, TDM_BOARD_NONE)))
        err = tdm_fail(j->cause, TDM_E_MALFORMED, "a group is of two objects of a page at least");
    if (err == TDM_OK) {
        tdm_board_begin(j->desk->board);
        err = put_together(j, &c, page);
        tdm_board_end(j->desk->board);
    }
    free(c.ids);
    return err;
}

/* Those that a group holds leave it, and it goes. */
static enum tdm_err take_apart(struct tdm_request_job *j, struct tdm_board_id group,
                               struct tdm_board_id page)
{
    const struct tdm_board *b = j->desk->board;
    enum tdm_err err = TDM_OK;
    struct tdm_board_view view;

    for (const struct tdm_board_object *o = tdm_board_lowest(b, page), *next; o && err == TDM_OK;
         o = next) {
        next = tdm_board_above(o);
        tdm_board_read(b, o, &view);
        if (!tdm_board_same(view.group, group))
            continue;
        err = tdm_request_room(j, SET_BYTES);
        if (err == TDM_OK)
            err = set(j, view.id, tdm_board_ref(TDM_PROP_PARENT, TDM_BOARD_NONE));
    }
    return err == TDM_OK ? set(j, group, tdm_board_int(TDM_PROP_DELETED, 1)) : err;
}

enum tdm_err tdm_request_ungroup(struct tdm_request_job *j)
{
    struct tdm_board_view view;
    struct tdm_board_id id;
    enum tdm_err err = tdm_request_named(j, "object", &id);
    const struct tdm_board_object *o = err == TDM_OK ? tdm_board_find(j->desk->board, id) : NULL;

    if (err != TDM_OK)
        return err;
    if (o)
        tdm_board_read(j->desk->board, o, &view);
    if (!o || view.deleted || view.type != TDM_BOARD_GROUP)
        return tdm_fail(j->cause, TDM_E_GONE, "there is no such group");
    tdm_board_begin(j->desk->board);
    err = take_apart(j, id, view.page);
    tdm_board_end(j->desk->board);
    return err;
}

static enum tdm_err move_one(struct tdm_request_job *j, struct tdm_board_id id, int32_t x,
                             int32_t y)
{
    const struct tdm_board *b = j->desk->board;
    struct tdm_board_view view;
    struct tdm_board_value values[2];
    enum tdm_err err;

    tdm_board_read(b, tdm_board_find(b, id), &view);
    values[0] = tdm_board_int(TDM_PROP_X, (int64_t)view.x + x);
    values[1] = tdm_board_int(TDM_PROP_Y, (int64_t)view.y + y);
    do
        err = tdm_board_set(j->desk->board, id, values, 2);
    while (tdm_request_again(j, err));
    return tdm_request_explain(j, err);
}

enum tdm_err tdm_request_move(struct tdm_request_job *j)
{
    const json_t *x = json_object_get(j->request, "x"), *y = json_object_get(j->request, "y");
    struct tdm_board_id page = TDM_BOARD_NONE;
    struct chosen c;
    enum tdm_err err = choose(j, &c);

    if (err == TDM_OK)
        err = page_of(j, &c, &page);
    if (err == TDM_OK)
        err = spread(j, &c, page);
    if (err == TDM_OK && (!json_is_number(x) || !json_is_number(y)))
        err = tdm_fail(j->cause, TDM_E_MALFORMED, "\"x\" and \"y\" say how far");
    tdm_board_begin(j->desk->board);
    for (size_t i = 0; i < c.count && err == TDM_OK; i++)
        err = move_one(j, c.ids[i], tdm_board_units(json_number_value(x)),
                       tdm_board_units(json_number_value(y)));
    tdm_board_end(j->desk->board);
    free(c.ids);
    return err;
}
