/* SPDX-License-Identifier: MIT */
/* A document out of its journal. */
#include "engine/board_doc_state.h"

#include "engine/io/entropy.h"

#include <string.h>

#define OWN_ACTORS 256 /* Names of authors that are kept for us and for who comes back. */

/* What the first look at a journal tells, before anything is applied. */
struct survey {
    struct tdm_journal_scan from; /* The last snapshot, or the begin. */
    bool has_snapshot, open;
    uint64_t holes_at_snapshot;
};

static bool is_work(const struct tdm_journal_record *r)
{
    return r->kind == TDM_JOURNAL_OPS || r->kind == TDM_JOURNAL_SNAPSHOT;
}

/* A crash while a session was written down took no work. */
static bool tore_work(const struct tdm_journal_scan *s)
{
    size_t left = s->size - s->good_size;

    return s->torn && !(left > 1 && (s->data[s->good_size + 1] == TDM_JOURNAL_SESSION ||
                                     s->data[s->good_size + 1] == TDM_JOURNAL_CLOSED));
}

static void look_over(struct tdm_journal_scan scan, int64_t until_ms, struct survey *s,
                      struct tdm_board_doc_found *found, struct tdm_journal_scan *end)
{
    struct tdm_journal_record r;

    *s = (struct survey){.from = scan};
    for (struct tdm_journal_scan before = scan; tdm_journal_scan_next(&scan, &r); before = scan) {
        if (r.kind == TDM_JOURNAL_SESSION)
            s->open = true;
        if (r.kind == TDM_JOURNAL_CLOSED)
            s->open = false;
        if (!is_work(&r))
            continue;
        if (!found->first_ms)
            found->first_ms = r.wall_ms;
        found->last_ms = r.wall_ms;
        if (r.kind != TDM_JOURNAL_SNAPSHOT || (until_ms && r.wall_ms > until_ms))
            continue;
        s->from = before;
        s->has_snapshot = true;
        s->holes_at_snapshot = scan.holes;
    }
    found->records = scan.records;
    found->holes = scan.holes;
    found->lost = scan.lost;
    found->lost_content =
        tore_work(&scan) || (s->has_snapshot ? scan.holes > s->holes_at_snapshot : scan.holes > 0);
    *end = scan;
}

static void take(struct tdm_board_doc *d, const struct tdm_journal_record *r,
                 struct tdm_board_doc_found *found)
{
    struct tdm_board_applied applied = {0};

    if (r->kind == TDM_JOURNAL_SNAPSHOT)
        tdm_board_listen(d->board);
    enum tdm_err err = tdm_doc_take(d, r->data, r->size, &applied);

    found->refused += err != TDM_OK || applied.refused > 0;
    if (r->kind == TDM_JOURNAL_SNAPSHOT) {
        d->grown = 0;
        d->snapshot_size = r->size;
    } else {
        d->grown += r->size;
    }
}

static enum tdm_err read_journal(struct tdm_board_doc *d, const struct tdm_board_doc_config *c,
                                 struct tdm_board_doc_found *found, struct tdm_cause *cause)
{
    struct tdm_journal_scan scan = tdm_board_file_scan(d->file), end;
    struct tdm_board_figures figures;
    struct tdm_journal_record r;
    struct survey s;

    look_over(scan, c->until_ms, &s, found, &end);
    found->was_open = s.open;
    d->damaged = found->lost_content;
    if (c->replay) {
        d->scan = scan;
        return TDM_OK;
    }
    scan = s.from;
    while (tdm_journal_scan_next(&scan, &r))
        if (is_work(&r) && (!c->until_ms || r.wall_ms <= c->until_ms))
            take(d, &r, found);
    tdm_board_figures(d->board, &figures);
    found->ops = figures.operations;
    enum tdm_err err = TDM_OK;

    if (end.torn && !d->read_only)
        err = tdm_board_file_cut(d->file, end.good_size, cause);
    tdm_board_file_forget(d->file);
    return err;
}

static enum tdm_err open_file(struct tdm_board_doc *d, const struct tdm_board_doc_config *c,
                              struct tdm_board_doc_found *found, struct tdm_cause *cause)
{
    struct tdm_board_file_config config = {.path = c->path,
                                           .read_only = d->read_only,
                                           .create = c->create && !d->read_only,
                                           .drop = c->drop,
                                           .head = {.begun_ms = tdm_board_file_wall_ms()}};
    enum tdm_err err;

    memcpy(config.head.document, d->id, sizeof config.head.document);
    err = tdm_board_blobs_init(&d->blobs, c->path, cause);
    if (err == TDM_OK)
        err = tdm_board_file_open(&d->file, &config, cause);
    if (err != TDM_OK) {
        d->file = NULL;
        return err;
    }
    const struct tdm_journal_head *head = tdm_board_file_head(d->file);

    found->begun_ms = head->begun_ms;
    found->created = tdm_board_file_size(d->file) == TDM_JOURNAL_HEAD_BYTES &&
                     head->begun_ms == config.head.begun_ms &&
                     memcmp(head->document, d->id, sizeof d->id) == 0;
    memcpy(d->id, head->document, sizeof d->id);
    return read_journal(d, c, found, cause);
}

enum tdm_err tdm_board_doc_open(struct tdm_board_doc **doc, const struct tdm_board_doc_config *c,
                                struct tdm_board_doc_found *found, struct tdm_cause *cause)
{
    struct tdm_board_doc_found unasked;
    struct tdm_board_doc *d;
    enum tdm_err err = tdm_doc_create(&d, cause);

    if (err != TDM_OK)
        return err;
    found = found ? found : &unasked;
    *found = (struct tdm_board_doc_found){.created = !c->path};
    d->read_only = c->read_only || c->replay || c->until_ms;
    d->replay = c->replay;
    if (c->document)
        memcpy(d->id, c->document, sizeof d->id);
    else
        tdm_entropy(d->id, sizeof d->id);
    err = tdm_board_doc_room(d, TDM_BOARD_ROOM);
    if (err != TDM_OK)
        err = tdm_fail(cause, TDM_E_SYSTEM, "no memory for a board");
    if (err == TDM_OK && c->path)
        err = open_file(d, c, found, cause);
    if (!c->replay)
        tdm_board_reserve(d->board, OWN_ACTORS);
    if (err != TDM_OK) {
        tdm_board_doc_close(d);
        return err;
    }
    *doc = d;
    return TDM_OK;
}

bool tdm_board_doc_replay(struct tdm_board_doc *d, int64_t *wall_ms)
{
    struct tdm_board_doc_found found = {0};
    struct tdm_journal_record r;

    while (d->replay && tdm_journal_scan_next(&d->scan, &r)) {
        if (!is_work(&r))
            continue;
        take(d, &r, &found);
        *wall_ms = r.wall_ms;
        return true;
    }
    return false;
}
