/* SPDX-License-Identifier: MIT */
#include "engine/share_freeze.h"

#include "engine/io/clock.h"
#include "engine/share_state.h"
#include "tandem/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One freezing under way. */
struct freeze {
    struct tandem_share *share;
    struct tandem_board *board;
    uint8_t surface;
    int width;        /* Of the picture; 0: not known. */
    char picture[64]; /* Its file; "": none. */
    char page[32];
    double x, y, scale; /* Where the picture stands on the page. */
    struct tdm_cause *cause;
};

static enum tdm_err open_picture(struct freeze *f)
{
    (void)snprintf(f->picture, sizeof f->picture, "/tmp/tandem-frame-XXXXXX");
    int fd = mkstemp(f->picture);

    if (fd < 0) {
        *f->picture = '\0';
        return tdm_fail(f->cause, TDM_E_SYSTEM, "cannot write a picture into /tmp");
    }
    (void)close(fd);
    return TDM_OK;
}

/* Of the screen that is given, else of the one that is seen. */
static enum tdm_err take_picture(struct freeze *f)
{
    struct tandem_share *s = f->share;
    struct tdm_share_picture picture;
    enum tdm_err err = TDM_E_AGAIN;

    pthread_mutex_lock(&s->give_lock);
    pthread_mutex_lock(&s->lock);
    struct tdm_share_give *give = s->give;

    pthread_mutex_unlock(&s->lock);
    if (give) {
        struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX];

        tdm_share_give_areas(give, areas);
        f->width = (int)areas[0].width;
        err = tdm_share_give_save(give, f->picture, f->cause);
    }
    pthread_mutex_unlock(&s->give_lock);
    if (give)
        return err;
    if (!tdm_share_watch_lock(s->watch, f->surface, true, &picture))
        return tdm_fail(f->cause, TDM_E_AGAIN, "there is no picture yet");
    f->width = picture.surface.width;
    err = tdm_screen_picture_save(&picture, f->picture, f->cause);
    tdm_share_watch_unlock(s->watch);
    return err;
}

/* Asks the board. NULL: it does not want to; the cause says why. */
static json_t *ask(struct freeze *f, json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT), *answer = NULL;
    struct tandem_cause why = {"no memory for a frozen frame"};
    enum tandem_status status = TANDEM_FAILED;
    json_t *parsed = NULL;

    json_decref(request);
    if (text)
        status = tandem_board_request(f->board, text, &answer, &why);
    if (status == TANDEM_OK && answer)
        parsed = json_loads(answer, 0, NULL);
    if (!parsed)
        (void)tdm_fail(f->cause, TDM_E_SYSTEM, "%s", why.text);
    free(text);
    tandem_free(answer);
    return parsed;
}

/* The page that the picture came to: the last one. */
static bool find_page(struct freeze *f)
{
    json_t *pages = ask(f, json_pack("{s:s}", "do", "pages"));
    const json_t *list = json_object_get(pages, "objects");
    const char *id = json_string_value(
        json_object_get(json_array_get(list, json_array_size(list) - 1), "object"));

    (void)snprintf(f->page, sizeof f->page, "%s", id ? id : "");
    json_decref(pages);
    return *f->page;
}

/* Large pictures are shown smaller. */
static bool find_image(struct freeze *f)
{
    json_t *all = ask(f, json_pack("{s:s,s:s}", "do", "list", "page", f->page));
    const json_t *object;
    size_t i;
    bool found = false;

    json_array_foreach(json_object_get(all, "objects"), i, object)
    {
        const char *type = json_string_value(json_object_get(object, "type"));

        if (!type || strcmp(type, "image") != 0)
            continue;
        f->x = json_number_value(json_object_get(object, "x"));
        f->y = json_number_value(json_object_get(object, "y"));
        f->scale = f->width ? json_number_value(json_object_get(object, "w")) / f->width : 1;
        found = true;
    }
    json_decref(all);
    return found;
}

static void scale_by(const struct freeze *f, json_t *add, const char *name, double from)
{
    double value = json_number_value(json_object_get(add, name));

    if (json_object_get(add, name))
        (void)json_object_set_new(add, name, json_real(from + value * f->scale));
}

/* An annotation as an object of the page. */
static json_t *object_of(const struct freeze *f, const json_t *annotation)
{
    static const char *const ours[] = {"object", "anchor", "surface",     "away",
                                       "mine",   "locked", "point_count", "done"};
    json_t *add = json_copy((json_t *)(uintptr_t)annotation);

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        (void)json_object_del(add, ours[i]);
    (void)json_object_set_new(add, "do", json_string("add"));
    (void)json_object_set_new(add, "page", json_string(f->page));
    scale_by(f, add, "x", f->x);
    scale_by(f, add, "y", f->y);
    scale_by(f, add, "w", 0);
    scale_by(f, add, "h", 0);
    scale_by(f, add, "font_size", 0);
    if (json_object_get(add, "points") && f->scale != 1) {
        (void)json_object_set_new(add, "scale_x", json_real(f->scale));
        (void)json_object_set_new(add, "scale_y", json_real(f->scale));
    }
    return add;
}

static enum tdm_err put_annotations(struct freeze *f, const json_t *list, json_int_t *count)
{
    const json_t *annotation;
    size_t i;

    json_array_foreach(list, i, annotation)
    {
        if (json_is_true(json_object_get(annotation, "away")) ||
            json_integer_value(json_object_get(annotation, "surface")) != f->surface)
            continue;
        json_t *added = ask(f, object_of(f, annotation));

        if (!added)
            return TDM_E_SYSTEM;
        json_decref(added);
        ++*count;
    }
    return TDM_OK;
}

static enum tdm_err make_page(struct freeze *f, const json_t *annotations, json_t **answer)
{
    char name[64];
    time_t now = (time_t)((tdm_clock_now() + tdm_clock_wall_offset()) / TDM_S);
    struct tm local;
    json_int_t count = 0;

    (void)strftime(name, sizeof name, "Screen, %F %H:%M:%S", localtime_r(&now, &local));
    json_t *done = ask(f, json_pack("{s:s,s:s}", "do", "import", "path", f->picture));

    if (!done)
        return TDM_E_SYSTEM;
    json_decref(done);
    if (!find_page(f) || !find_image(f))
        return tdm_fail(f->cause, TDM_E_SYSTEM, "the frame did not come onto the board");
    json_decref(ask(f, json_pack("{s:s,s:s,s:s}", "do", "set", "object", f->page, "name", name)));
    enum tdm_err err = put_annotations(f, annotations, &count);

    if (err == TDM_OK)
        *answer = json_pack("{s:s,s:s,s:I}", "page", f->page, "name", name, "annotations", count);
    return err;
}

/* The board that a request names by its file, else the one that was given. */
static enum tdm_err open_board(struct freeze *f, const json_t *request, struct tandem_board **own)
{
    const char *file = json_string_value(json_object_get(request, "file"));
    struct tandem_cause why = {""};

    *own = NULL;
    if (file &&
        tandem_board_create(&(struct tandem_board_config){.file = file}, own, &why) != TANDEM_OK)
        return tdm_fail(f->cause, TDM_E_SYSTEM, "%s", why.text);
    pthread_mutex_lock(&f->share->lock);
    f->board = *own ? *own : f->share->board;
    pthread_mutex_unlock(&f->share->lock);
    return f->board ? TDM_OK
                    : tdm_fail(f->cause, TDM_E_GONE,
                               "there is no board for it: name a \"file\", or start with --board");
}

static enum tdm_err freeze(struct tandem_share *s, struct tdm_share_ink *ink, const json_t *request,
                           json_t **answer, struct tdm_cause *cause)
{
    struct freeze f = {.share = s,
                       .surface =
                           (uint8_t)(json_integer_value(json_object_get(request, "surface")) %
                                     TDM_SCREEN_SURFACES_MAX),
                       .cause = cause};
    json_t *look = json_pack("{s:s}", "do", "annotations"), *annotations = NULL;
    struct tandem_board *own = NULL;
    enum tdm_err err = tdm_share_ink_request(ink, look, &annotations, cause);

    if (err == TDM_OK)
        err = open_board(&f, request, &own);
    if (err == TDM_OK)
        err = open_picture(&f);
    if (err == TDM_OK)
        err = take_picture(&f);
    if (err == TDM_OK)
        err = make_page(&f, json_object_get(annotations, "annotations"), answer);
    if (*f.picture)
        (void)unlink(f.picture);
    if (own)
        tandem_board_destroy(own);
    json_decref(annotations);
    json_decref(look);
    return err;
}

enum tdm_err tdm_share_ask_ink(struct tandem_share *s, const json_t *request, json_t **answer,
                               struct tdm_cause *cause)
{
    const char *verb = json_string_value(json_object_get(request, "do"));

    uint32_t seconds;

    pthread_mutex_lock(&s->lock);
    struct tdm_share_ink *ink = s->give ? s->host_ink : s->view_ink;

    tdm_share_ink_allow(s->view_ink, tdm_share_hand_scopes(s->view, &seconds) & TDM_SCOPE_ANNOTATE);
    pthread_mutex_unlock(&s->lock);
    return verb && strcmp(verb, "freeze") == 0 ? freeze(s, ink, request, answer, cause)
                                               : tdm_share_ink_request(ink, request, answer, cause);
}
