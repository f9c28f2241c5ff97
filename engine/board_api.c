/* SPDX-License-Identifier: MIT */
/* include/tandem/board.h: the program's side of a board. */
#include "engine/board_state.h"

#include "board/image.h"
#include "engine/board_doc_formats.h"
#include "engine/board_words.h"
#include "engine/engine.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "engine/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum tandem_status fail(struct tandem_cause *cause, enum tandem_status status,
                               const char *text)
{
    if (cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", text);
    return status;
}

static enum tandem_status status_with(enum tdm_err err, const struct tdm_cause *why,
                                      struct tandem_cause *cause)
{
    return err == TDM_OK ? TANDEM_OK : fail(cause, tdm_engine_status(err), why->text);
}

static struct tandem_distribution distribution(const struct tdm_histogram *h)
{
    return (struct tandem_distribution){
        .count = h->count,
        .mean = (double)tdm_histogram_mean(h) / 1e6,
        .p50 = (double)tdm_histogram_quantile(h, 0.5) / 1e6,
        .p95 = (double)tdm_histogram_quantile(h, 0.95) / 1e6,
        .p99 = (double)tdm_histogram_quantile(h, 0.99) / 1e6,
        .max = (double)h->max / 1e6,
    };
}

static bool keep(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

/* A file is open from the start, and is what others are shown. */
static enum tdm_err open_file(struct tandem_board *b, struct tdm_cause *why)
{
    struct tdm_door_preface ours = {.document = true};
    const char *name = strrchr(b->file, '/');
    enum tdm_err err = tdm_board_open_document(b, b->file, why);

    if (err != TDM_OK)
        return err;
    tdm_board_doc_id(b->doc, ours.id);
    (void)snprintf(ours.name, sizeof ours.name, "%s", name ? name + 1 : b->file);
    tdm_door_init(&b->door, &ours);
    return TDM_OK;
}

static enum tdm_err open_parts(struct tandem_board *b, const struct tandem_board_config *c,
                               struct tdm_cause *why)
{
    if (!keep(&b->file, c->file) || !keep(&b->folder, c->folder) || !keep(&b->name, c->name))
        return TDM_E_SYSTEM;
    b->read_only = c->read_only;
    b->at_ms = c->at_ms;
    b->wake = tdm_wake_open(why);
    b->event_fd = tdm_wake_open(why);
    b->link_storage = malloc(tdm_board_link_bytes_needed());
    if (b->wake < 0 || b->event_fd < 0 || !b->link_storage ||
        tdm_board_seat_open(&b->seat, b->wake) != TDM_OK)
        return TDM_E_SYSTEM;
    tdm_door_init(&b->door, NULL);
    enum tdm_err err = TDM_OK;

    if (b->file)
        err = open_file(b, why);
    else if (!b->folder)
        err = tdm_board_open_document(b, "", why);
    if (err == TDM_OK)
        err = tdm_thread_start(&b->thread, "tdm-board", TDM_PRIORITY_NORMAL, tdm_board_run, b, NULL,
                               why);
    b->running = err == TDM_OK;
    return err;
}

enum tandem_status tandem_board_create(const struct tandem_board_config *config,
                                       struct tandem_board **board, struct tandem_cause *cause)
{
    static const struct tandem_board_config defaults;
    struct tandem_board *b = calloc(1, sizeof *b);
    struct tdm_cause why = {"no memory for a board"};

    if (!b)
        return fail(cause, TANDEM_FAILED, why.text);
    (void)pthread_mutex_init(&b->lock, NULL);
    (void)pthread_mutex_init(&b->event_lock, NULL);
    (void)pthread_cond_init(&b->done, NULL);
    tdm_histogram_init(&b->paint);
    b->wake = b->event_fd = -1;
    b->arrived_at = TDM_NEVER;
    enum tdm_err err = open_parts(b, config ? config : &defaults, &why);

    if (err != TDM_OK) {
        tandem_board_destroy(b);
        return status_with(err, &why, cause);
    }
    *board = b;
    return TANDEM_OK;
}

void tandem_board_destroy(struct tandem_board *b)
{
    if (!b)
        return;
    if (b->running) {
        pthread_mutex_lock(&b->lock);
        b->stopping = true;
        tdm_board_wake(b);
        pthread_mutex_unlock(&b->lock);
        (void)pthread_join(b->thread, NULL);
    }
    tdm_board_close_document(b);
    if (b->link_storage)
        tdm_board_seat_close(&b->seat);
    for (int i = 0; i < TDM_BOARD_LANES; i++)
        tdm_share_bytes_free(&b->now[i]);
    if (b->wake >= 0)
        (void)close(b->wake);
    if (b->event_fd >= 0)
        (void)close(b->event_fd);
    (void)pthread_cond_destroy(&b->done);
    (void)pthread_mutex_destroy(&b->lock);
    (void)pthread_mutex_destroy(&b->event_lock);
    free(b->link_storage);
    free(b->file);
    free(b->folder);
    free(b->name);
    free(b->title);
    free(b);
}

bool tdm_board_meet(struct tandem_board *b, const char *peer)
{
    pthread_mutex_lock(&b->lock);
    bool is_free = !b->seated;

    if (is_free) {
        b->seated = true;
        (void)snprintf(b->peer, sizeof b->peer, "%s", peer);
        tdm_reach_contact(peer, b->who, sizeof b->who);
    }
    pthread_mutex_unlock(&b->lock);
    return is_free;
}

struct tdm_board_seat *tdm_board_seat_of(struct tandem_board *b)
{
    return &b->seat;
}

static void order(struct tandem_board *b, uint32_t what)
{
    pthread_mutex_lock(&b->lock);
    b->orders |= what;
    tdm_board_wake(b);
    pthread_mutex_unlock(&b->lock);
}

void tandem_board_invite(struct tandem_board *b)
{
    order(b, TDM_BOARD_ORDER_INVITE);
}

void tandem_board_leave(struct tandem_board *b)
{
    order(b, TDM_BOARD_ORDER_LEAVE);
}

enum tandem_status tandem_board_open_contact(struct tandem_board *b, const char *who,
                                             struct tandem_cause *cause)
{
    uint8_t peer[TDM_FINGERPRINT_BYTES];
    char path[TDM_BOARD_PATH_MAX], name[TDM_BOARD_WHO_MAX];
    struct tdm_cause why = {"there is no board with this contact yet"};
    enum tdm_err err = TDM_E_GONE;

    tdm_reach_contact(who, name, sizeof name);
    pthread_mutex_lock(&b->lock);
    if (b->file || b->doc)
        err = tdm_fail(&why, TDM_E_MALFORMED, "a board is open already");
    else if (tdm_board_person_find(b->folder, name, peer))
        err = tdm_board_person_path(b->folder, peer, NULL, path, &why);
    if (err == TDM_OK) {
        (void)snprintf(b->who, sizeof b->who, "%s", name);
        err = tdm_board_open_document(b, path, &why);
    }
    pthread_mutex_unlock(&b->lock);
    return err == TDM_OK
               ? TANDEM_OK
               : fail(cause, err == TDM_E_GONE ? TANDEM_INVALID : tdm_engine_status(err), why.text);
}

enum tandem_status tandem_board_open_window(struct tandem_board *b, const char *title,
                                            struct tandem_cause *cause)
{
    enum tandem_status status = TANDEM_OK;

    pthread_mutex_lock(&b->lock);
    free(b->title);
    b->title = strdup(title ? title : "Board");
    b->window_err = TDM_OK;
    if (b->doc) {
        b->orders |= TDM_BOARD_ORDER_WINDOW;
        tdm_board_wake(b);
        while (b->orders & TDM_BOARD_ORDER_WINDOW && !b->stopping)
            (void)pthread_cond_wait(&b->done, &b->lock);
        status = status_with(b->window_err, &b->window_cause, cause);
    }
    pthread_mutex_unlock(&b->lock);
    return status;
}

void tandem_board_close_window(struct tandem_board *b)
{
    order(b, TDM_BOARD_ORDER_CLOSE_WINDOW);
}

enum tandem_status tandem_board_stats(struct tandem_board *b, struct tandem_board_stats *stats)
{
    struct tdm_board_figures figures;
    uint8_t digest[TDM_BOARD_DIGEST_BYTES];

    memset(stats, 0, sizeof *stats);
    pthread_mutex_lock(&b->lock);
    stats->open = b->doc != NULL;
    stats->linked = b->linked;
    stats->window = b->window != NULL;
    if (b->seated)
        (void)snprintf(stats->peer, sizeof stats->peer, "%s", b->who);
    (void)snprintf(stats->file, sizeof stats->file, "%s", b->path);
    if (b->doc) {
        const struct tdm_board *core = tdm_board_doc_board(b->doc);

        tdm_board_figures(core, &figures);
        tdm_board_digest(core, digest);
        tdm_board_hash_text(digest, stats->digest);
        stats->objects = figures.objects;
        stats->actors = figures.actors;
        stats->operations = figures.operations;
        for (const struct tdm_board_object *o = tdm_board_lowest(core, TDM_BOARD_NONE); o;
             o = tdm_board_above(o))
            stats->pages++;
    }
    stats->paint_ms = distribution(&b->paint);
    pthread_mutex_unlock(&b->lock);
    tdm_board_seat_figures(&b->seat, &stats->bytes_sent, &stats->bytes_received);
    stats->waiting_bytes = tdm_board_seat_waiting(&b->seat);
    return TANDEM_OK;
}

enum tdm_err tdm_board_with_document(struct tandem_board *b, struct tdm_cause *why)
{
    return b->doc ? TDM_OK
                  : tdm_fail(why, TDM_E_AGAIN,
                             "no board is open yet: it comes with the contact, or name a file");
}

enum tdm_err tdm_board_to_draw(struct tandem_board *b, struct tdm_cause *why)
{
    enum tdm_err err = tdm_board_with_document(b, why);

    return err == TDM_OK && b->read_only
               ? tdm_fail(why, TDM_E_DENIED, "this board was opened to be looked at only")
               : err;
}

enum tandem_status tandem_board_export(struct tandem_board *b, const char *path, int page,
                                       struct tandem_cause *cause)
{
    const struct tdm_board_export_choice choice = {.page = page + 1};
    struct tdm_cause why;

    pthread_mutex_lock(&b->lock);
    enum tdm_err err = tdm_board_with_document(b, &why);

    if (err == TDM_OK)
        err = tdm_board_doc_export(b->doc, path, &choice, &why);
    pthread_mutex_unlock(&b->lock);
    return status_with(err, &why, cause);
}

enum tandem_status tandem_board_import(struct tandem_board *b, const char *path,
                                       struct tandem_cause *cause)
{
    struct tdm_board_imported imported = {.skipped = 0};
    char text[280];
    struct tdm_cause why;

    pthread_mutex_lock(&b->lock);
    enum tdm_err err = tdm_board_to_draw(b, &why);

    if (err == TDM_OK)
        err = tdm_board_doc_import(b->doc, path, NULL, &imported, &why);
    (void)snprintf(text, sizeof text, "left out, as boards have nothing like it: %s",
                   imported.missing);
    if (err == TDM_OK && imported.skipped)
        tdm_board_tell(b, TANDEM_BOARD_NOTICE, text);
    tdm_board_wake(b);
    pthread_mutex_unlock(&b->lock);
    return status_with(err, &why, cause);
}

enum tandem_status tandem_board_merge(struct tandem_board *b, const char *path,
                                      struct tandem_cause *cause)
{
    struct tdm_cause why;

    pthread_mutex_lock(&b->lock);
    enum tdm_err err = tdm_board_to_draw(b, &why);

    if (err == TDM_OK)
        err = tdm_board_merge_file(b, path, &why);
    tdm_board_wake(b);
    pthread_mutex_unlock(&b->lock);
    return status_with(err, &why, cause);
}

enum tandem_status tandem_board_compact(struct tandem_board *b, struct tandem_cause *cause)
{
    struct tdm_cause why;

    pthread_mutex_lock(&b->lock);
    enum tdm_err err = tdm_board_to_draw(b, &why);

    if (err == TDM_OK)
        err = tdm_board_compact_document(b, &why);
    pthread_mutex_unlock(&b->lock);
    return status_with(err, &why, cause);
}

enum tandem_status tandem_board_travel(struct tandem_board *b, int64_t at_ms,
                                       struct tandem_cause *cause)
{
    struct tdm_cause why = {""};
    enum tdm_err err;

    pthread_mutex_lock(&b->lock);
    if (!b->read_only || !b->file) {
        err = tdm_fail(&why, TDM_E_MALFORMED, "only a file that was opened read_only can travel");
    } else {
        b->at_ms = at_ms;
        err = tdm_board_open_document(b, b->file, &why);
    }
    pthread_mutex_unlock(&b->lock);
    return status_with(err, &why, cause);
}

bool tandem_board_times(struct tandem_board *b, int64_t *first_ms, int64_t *last_ms)
{
    pthread_mutex_lock(&b->lock);
    *first_ms = b->found.first_ms;
    *last_ms = b->found.last_ms;
    bool any = b->doc && b->found.last_ms;

    pthread_mutex_unlock(&b->lock);
    return any;
}
