/* SPDX-License-Identifier: MIT */
/* Requests of programs (tandem_board_request): those that a document answers by itself are in
 * engine/board_request.h; these are about its file, its connection and what is seen of us. */
#include "engine/board_state.h"

#include "engine/board_doc_formats.h"
#include "engine/board_request.h"
#include "engine/board_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum tdm_err tdm_board_merge_file(struct tandem_board *b, const char *path, struct tdm_cause *why)
{
    const struct tdm_board_doc_config config = {.path = path, .read_only = true};
    struct tdm_board_doc *other = NULL;
    enum tdm_err err = tdm_board_doc_open(&other, &config, NULL, why);

    if (err != TDM_OK)
        return err;
    err = tdm_board_doc_merge(b->doc, other, why);
    tdm_board_doc_close(other);
    return err;
}

enum tdm_err tdm_board_compact_document(struct tandem_board *b, struct tdm_cause *why)
{
    if (!b->path[0])
        return tdm_fail(why, TDM_E_MALFORMED,
                        "this board is in no file: there is nothing to compact");
    return tdm_board_doc_compact(b->doc, why);
}

static enum tdm_err cursor(struct tandem_board *b, const json_t *request, json_t *answer,
                           struct tdm_cause *why)
{
    const json_t *x = json_object_get(request, "x"), *y = json_object_get(request, "y");
    const char *page = json_string_value(json_object_get(request, "page"));
    struct tdm_board_id id = TDM_BOARD_FIRST_PAGE;
    struct tdm_board_live *l = &b->live;

    (void)answer;
    if (page && !tdm_board_id_parse(page, &id))
        return tdm_fail(why, TDM_E_MALFORMED, "\"page\" must name a page");
    if ((x && !json_is_number(x)) || (y && !json_is_number(y)))
        return tdm_fail(why, TDM_E_MALFORMED, "\"x\" and \"y\" are numbers");
    l->cursor = x && y;
    l->page = id;
    l->x = tdm_board_units(json_number_value(x));
    l->y = tdm_board_units(json_number_value(y));
    if (!l->cursor || !json_is_true(json_object_get(request, "laser"))) {
        if (l->laser_count)
            l->laser_stroke++;
        l->laser_count = 0;
    } else {
        if (l->laser_count == TDM_BOARD_LASER_MAX)
            memmove(l->laser, l->laser + 1, --l->laser_count * sizeof *l->laser);
        l->laser[l->laser_count++] = (struct tdm_board_live_point){l->x, l->y};
    }
    b->live_changed = true;
    return TDM_OK;
}

static enum tdm_err info(struct tandem_board *b, const json_t *request, json_t *answer,
                         struct tdm_cause *why)
{
    const struct tdm_board *core = tdm_board_doc_board(b->doc);
    struct tdm_board_figures figures;
    uint8_t digest[TDM_BOARD_DIGEST_BYTES];
    char text[TDM_BOARD_HASH_TEXT];

    (void)request;
    (void)why;
    tdm_board_figures(core, &figures);
    tdm_board_digest(core, digest);
    tdm_board_hash_text(digest, text);
    json_t *about = json_pack("{s:s, s:b, s:s, s:I, s:I, s:I, s:s, s:b, s:b}", "file", b->path,
                              "linked", b->linked, "peer", b->seated ? b->who : "", "objects",
                              (json_int_t)figures.objects, "actors", (json_int_t)figures.actors,
                              "operations", (json_int_t)figures.operations, "digest", text, "undo",
                              tdm_board_can_undo(core), "redo", tdm_board_can_redo(core));

    (void)json_object_update(answer, about);
    json_decref(about);
    return TDM_OK;
}

static enum tdm_err export_to(struct tandem_board *b, const json_t *request, json_t *answer,
                              struct tdm_cause *why)
{
    const char *path = json_string_value(json_object_get(request, "path"));
    const json_t *page = json_object_get(request, "page");
    const json_t *scale = json_object_get(request, "scale");
    const struct tdm_board_export_choice choice = {
        .page = json_is_integer(page) ? (int)json_integer_value(page) + 1 : 0,
        .scale = json_number_value(scale),
        .dark = json_is_true(json_object_get(request, "dark"))};

    (void)answer;
    return path ? tdm_board_doc_export(b->doc, path, &choice, why)
                : tdm_fail(why, TDM_E_MALFORMED, "\"path\" names the file to write");
}

static enum tdm_err import_from(struct tandem_board *b, const json_t *request, json_t *answer,
                                struct tdm_cause *why)
{
    const char *path = json_string_value(json_object_get(request, "path"));
    const json_t *page = json_object_get(request, "page");
    struct tdm_board_imported imported;
    struct tdm_board_view view;
    struct tdm_board_id id;

    if (!path)
        return tdm_fail(why, TDM_E_MALFORMED, "\"path\" names the file to read");
    if (page) {
        const char *text = json_string_value(page);
        const struct tdm_board_object *o = text && tdm_board_id_parse(text, &id)
                                               ? tdm_board_find(tdm_board_doc_board(b->doc), id)
                                               : NULL;

        if (o)
            tdm_board_read(tdm_board_doc_board(b->doc), o, &view);
        if (!o || view.type != TDM_BOARD_PAGE || view.deleted)
            return tdm_fail(why, TDM_E_GONE, "there is no such page");
    }
    enum tdm_err err = tdm_board_doc_import(b->doc, path, page ? &id : NULL, &imported, why);

    if (err != TDM_OK)
        return err;
    (void)json_object_set_new(answer, "objects", json_integer(imported.objects));
    (void)json_object_set_new(answer, "pages", json_integer(imported.pages));
    (void)json_object_set_new(answer, "skipped", json_integer(imported.skipped));
    (void)json_object_set_new(answer, "missing", json_string(imported.missing));
    return TDM_OK;
}

static enum tdm_err merge(struct tandem_board *b, const json_t *request, json_t *answer,
                          struct tdm_cause *why)
{
    const char *path = json_string_value(json_object_get(request, "path"));

    (void)answer;
    return path ? tdm_board_merge_file(b, path, why)
                : tdm_fail(why, TDM_E_MALFORMED, "\"path\" names the board's file");
}

static enum tdm_err compact(struct tandem_board *b, const json_t *request, json_t *answer,
                            struct tdm_cause *why)
{
    (void)request;
    (void)answer;
    return tdm_board_compact_document(b, why);
}

/* A number of pixels that may be missing: then it is 0. False: it is something else. */
static bool pixels(const json_t *request, const char *member, int32_t *units)
{
    const json_t *item = json_object_get(request, member);

    *units = tdm_board_units(json_number_value(item));
    return !item || json_is_number(item);
}

/* What of the page a window of the program's shows, for who follows. */
static enum tdm_err view(struct tandem_board *b, const json_t *request, json_t *answer,
                         struct tdm_cause *why)
{
    const char *page = json_string_value(json_object_get(request, "page"));
    struct tdm_board_id id = TDM_BOARD_FIRST_PAGE;
    struct tdm_board_live *l = &b->live;
    int32_t x, y, w, h;

    (void)answer;
    if ((page && !tdm_board_id_parse(page, &id)) || !pixels(request, "x", &x) ||
        !pixels(request, "y", &y) || !pixels(request, "width", &w) ||
        !pixels(request, "height", &h) || w < 0 || h < 0)
        return tdm_fail(why, TDM_E_MALFORMED,
                        "a view is \"page\", \"x\", \"y\", \"width\" and \"height\"");
    l->page = id;
    l->view_x = x;
    l->view_y = y;
    l->view_w = w;
    l->view_h = h;
    l->presenting = w && json_is_true(json_object_get(request, "present"));
    b->live_changed = true;
    return TDM_OK;
}

/* What the program's user has selected, as the other side is shown it. */
static enum tdm_err choose(struct tandem_board *b, const json_t *request, json_t *answer,
                           struct tdm_cause *why)
{
    const json_t *list = json_object_get(request, "objects"), *item;
    struct tdm_board_id ids[TDM_BOARD_SELECTED_MAX];
    size_t count = json_array_size(list), i;

    (void)answer;
    if (!json_is_array(list) || count > TDM_BOARD_SELECTED_MAX)
        return tdm_fail(why, TDM_E_MALFORMED, "\"objects\" is a list of at most %d objects",
                        TDM_BOARD_SELECTED_MAX);
    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);

        if (!text || !tdm_board_id_parse(text, &ids[i]) ||
            !tdm_board_find(tdm_board_doc_board(b->doc), ids[i]))
            return tdm_fail(why, TDM_E_GONE, "one of the objects is not there");
    }
    memcpy(b->live.selected, ids, count * sizeof *ids);
    b->live.selected_count = (uint8_t)count;
    b->live_changed = true;
    return TDM_OK;
}

static enum tdm_err save(struct tandem_board *b, const json_t *request, json_t *answer,
                         struct tdm_cause *why)
{
    (void)request;
    (void)answer;
    return tdm_board_doc_save(b->doc, why);
}

static const struct {
    const char *name;
    enum tdm_err (*perform)(struct tandem_board *b, const json_t *request, json_t *answer,
                            struct tdm_cause *why);
} requests[] = {
    {"cursor", cursor}, {"view", view},        {"select", choose},
    {"info", info},     {"export", export_to}, {"import", import_from},
    {"merge", merge},   {"compact", compact},  {"save", save},
};

/* Those that leave the board as it is. */
static bool only_looks(const json_t *request)
{
    static const char *const names[] = {"pages",  "list", "get",    "info", "export",
                                        "cursor", "view", "select", "save"};
    const char *name = json_string_value(json_object_get(request, "do"));

    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static enum tdm_err perform(struct tandem_board *b, const json_t *request, json_t **answer,
                            struct tdm_cause *why)
{
    const struct tdm_board_desk desk = {
        .board = tdm_board_doc_board(b->doc), .relieve = tdm_board_relieve, .arg = b};
    const char *name = json_string_value(json_object_get(request, "do"));

    for (size_t i = 0; name && i < sizeof requests / sizeof *requests; i++)
        if (strcmp(requests[i].name, name) == 0) {
            *answer = json_object();
            enum tdm_err err = requests[i].perform(b, request, *answer, why);

            if (err != TDM_OK)
                json_decref(*answer);
            return err;
        }
    return tdm_board_request_do(&desk, request, answer, why);
}

static char *answer_text(const json_t *request, json_t *answer, enum tdm_err err,
                         const struct tdm_cause *why)
{
    json_t *object = err == TDM_OK ? answer : json_pack("{s:s}", "why", why->text);
    json_t *tag = json_object_get(request, "tag");

    (void)json_object_set_new(object, "ok", json_boolean(err == TDM_OK));
    if (tag) /* Of the asker's, to know the answer by. */
        (void)json_object_set(object, "tag", tag);
    char *text = json_dumps(object, JSON_COMPACT);

    json_decref(object);
    return text;
}

enum tandem_status tandem_board_request(struct tandem_board *b, const char *text, char **answer,
                                        struct tandem_cause *cause)
{
    json_error_t error;
    json_t *request = json_loads(text, JSON_REJECT_DUPLICATES, &error), *done = NULL;
    struct tdm_cause why = {""};
    enum tdm_err err;

    if (!json_is_object(request)) {
        err = tdm_fail(&why, TDM_E_MALFORMED, "a request is one JSON object: %.100s",
                       request ? "this is something else" : error.text);
    } else {
        pthread_mutex_lock(&b->lock);
        err = only_looks(request) ? tdm_board_with_document(b, &why) : tdm_board_to_draw(b, &why);
        if (err == TDM_OK)
            err = perform(b, request, &done, &why);
        tdm_board_wake(b);
        pthread_mutex_unlock(&b->lock);
    }
    char *said = answer_text(request, done, err, &why);

    json_decref(request);
    if (answer)
        *answer = said;
    else
        free(said);
    if (err == TDM_OK)
        return TANDEM_OK;
    if (cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", why.text);
    return err == TDM_E_AGAIN                          ? TANDEM_AGAIN
           : err == TDM_E_SYSTEM || err == TDM_E_SPACE ? TANDEM_FAILED
                                                       : TANDEM_INVALID;
}
