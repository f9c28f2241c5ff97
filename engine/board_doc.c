/* SPDX-License-Identifier: MIT */
#include "engine/board_doc_state.h"

#include "collab/board_op.h"
#include "engine/io/entropy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK          ((size_t)1 << 20)
#define GIVEN_MAX      ((size_t)1 << 30) /* No board needs more memory. */
#define PIECE_BYTES    2048 /* Of operations in a record at least: what a spoiled byte may cost. */
#define WAITING_MAX    (TDM_JOURNAL_RECORD_MAX / 2) /* Bytes that a full disk keeps waiting. */
#define SNAPSHOT_MAX   (TDM_JOURNAL_RECORD_MAX / 2)
#define SNAPSHOT_LEAST ((size_t)128 << 10) /* Operations that are worth one. */
#define DOUBLED_MAX    8
#define JOURNAL_EVERY  (100 * TDM_MS)
#define AGAIN_EVERY    TDM_S /* After an error of the disk. */

/* Memory -------------------------------------------------------------------------------------- */

static uint32_t new_actor(void)
{
    uint32_t actor = 0;

    while (actor == 0)
        tdm_entropy(&actor, sizeof actor);
    return actor;
}

enum tdm_err tdm_doc_create(struct tdm_board_doc **doc, struct tdm_cause *cause)
{
    struct tdm_board_doc *d = calloc(1, sizeof *d);

    if (d)
        d->storage = aligned_alloc(16, (tdm_board_bytes_needed() + 15) / 16 * 16);
    if (!d || !d->storage) {
        free(d);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for a board");
    }
    d->board = tdm_board_init(d->storage, new_actor());
    d->since = TDM_NEVER;
    *doc = d;
    return TDM_OK;
}

enum tdm_err tdm_board_doc_room(struct tdm_board_doc *d, size_t bytes)
{
    while (tdm_board_room(d->board) < bytes) {
        /* Larger ones for larger boards, so that there are not many. */
        size_t size = BLOCK + d->given_bytes / 8 / BLOCK * BLOCK;

        if (d->given_bytes + size > GIVEN_MAX)
            return TDM_E_SPACE;
        void **longer = realloc(d->blocks, (d->block_count + 1) * sizeof *longer);

        if (!longer)
            return TDM_E_SPACE;
        d->blocks = longer;
        void *block = aligned_alloc(16, size);

        if (!block)
            return TDM_E_SPACE;
        d->blocks[d->block_count++] = block;
        d->given_bytes += size;
        tdm_board_give(d->board, block, size);
    }
    return TDM_OK;
}

void tdm_board_doc_watch(struct tdm_board_doc *d, void (*taking)(void *arg), void *arg)
{
    d->taking = taking;
    d->taking_arg = arg;
}

struct tdm_board *tdm_board_doc_board(struct tdm_board_doc *d)
{
    return d->board;
}

void tdm_board_doc_id(const struct tdm_board_doc *d, uint8_t id[16])
{
    memcpy(id, d->id, sizeof d->id);
}

/* Operations ---------------------------------------------------------------------------------- */

enum tdm_err tdm_doc_take(struct tdm_board_doc *d, const uint8_t *ops, size_t size,
                          struct tdm_board_applied *applied)
{
    enum tdm_err err;

    while ((err = tdm_board_apply(d->board, ops, size, applied)) == TDM_E_SPACE) {
        size_t room = tdm_board_room(d->board);

        if (tdm_board_doc_room(d, room + TDM_BOARD_ROOM) != TDM_OK)
            break;
    }
    return err;
}

static bool journals(const struct tdm_board_doc *d)
{
    return d->file && !d->read_only;
}

/* Behind what waits. When that is too much, a snapshot will say it all. */
static void keep(struct tdm_board_doc *d, const uint8_t *records, size_t size)
{
    if (d->left_out || size == 0)
        return;
    if (d->waiting_size + size > d->waiting_room) {
        size_t room = 2 * (d->waiting_size + size);
        uint8_t *longer = d->waiting_size + size > WAITING_MAX ? NULL : realloc(d->waiting, room);

        if (!longer) {
            d->left_out = true;
            d->waiting_size = 0;
            return;
        }
        d->waiting = longer;
        d->waiting_room = room;
    }
    memcpy(d->waiting + d->waiting_size, records, size);
    d->waiting_size += size;
}

/* Own edits come into the journal before what others do with them. */
static void keep_fresh(struct tdm_board_doc *d)
{
    size_t size;
    const uint8_t *records = tdm_board_fresh(d->board, &size);

    if (size > d->fresh_kept && journals(d))
        keep(d, records + d->fresh_kept, size - d->fresh_kept);
    d->fresh_kept = size;
}

/* Whether there is more than operations in it: what stands for many, and up to where it goes. */
static bool says_much(const uint8_t *records, size_t size)
{
    struct tdm_reader r = tdm_reader_of(records, size);

    while (r.at < r.end) {
        struct tdm_reader record = tdm_read_sub(&r, tdm_read_u16(&r));

        if (tdm_read_u8(&record) != BOARD_RECORD_OPS)
            return r.ok;
    }
    return false;
}

enum tdm_err tdm_board_doc_apply(struct tdm_board_doc *d, const uint8_t *ops, size_t size)
{
    struct tdm_board_applied applied = {0};

    keep_fresh(d);
    enum tdm_err err = tdm_doc_take(d, ops, size, &applied);

    if (journals(d) && (applied.fresh || applied.held || says_much(ops, size)))
        keep(d, ops, size);
    if (tdm_board_doubled(d->board)) {
        enum tdm_err become = tdm_board_become(d->board, new_actor());

        err = err == TDM_OK ? become : err;
        /* Once by accident: a copy of us went on elsewhere. */
        if (++d->doubled_count > DOUBLED_MAX)
            err = TDM_E_DENIED;
    }
    return err;
}

/* Images that `other` shows and `d` has not. What is missing there, or cannot be kept here, stays
 * missing. */
static enum tdm_err merge_blobs(struct tdm_board_doc *d, struct tdm_board_doc *other,
                                struct tdm_cause *cause)
{
    struct tdm_board_view view;
    uint8_t *data, hash[TDM_SHA256_BYTES];
    enum tdm_err err = TDM_OK;
    size_t size;

    for (const struct tdm_board_object *o = tdm_board_first(other->board); o && err == TDM_OK;
         o = tdm_board_next(o)) {
        tdm_board_read(other->board, o, &view);
        if (!view.image || tdm_board_doc_blob_has(d, view.image) ||
            tdm_board_doc_blob_get(other, view.image, &data, &size, NULL) != TDM_OK)
            continue;
        err = tdm_board_doc_blob_put(d, data, size, hash, cause);
        free(data);
    }
    return err;
}

enum tdm_err tdm_board_doc_merge(struct tdm_board_doc *d, struct tdm_board_doc *other,
                                 struct tdm_cause *cause)
{
    struct tdm_board_since *since = calloc(1, sizeof *since);
    struct tdm_board_version *known = calloc(TDM_BOARD_ACTORS_MAX, sizeof *known);
    uint8_t *room = malloc(TDM_BOARD_SINCE_MIN);
    enum tdm_err err = TDM_OK;

    if (!since || !known || !room) {
        err = tdm_fail(cause, TDM_E_SYSTEM, "no memory to merge boards");
    } else {
        tdm_board_listen(d->board);
        since->known = known;
        since->known_count = tdm_board_versions(d->board, known, TDM_BOARD_ACTORS_MAX);
        while (!since->done && err == TDM_OK) {
            size_t size = tdm_board_since(other->board, since, room, TDM_BOARD_SINCE_MIN);

            err = tdm_board_doc_apply(d, room, size);
        }
        if (err != TDM_OK)
            err = tdm_fail(cause, err, "the two boards together are larger than a board may be");
    }
    free(since);
    free(known);
    free(room);
    return err == TDM_OK ? merge_blobs(d, other, cause) : err;
}

/* The journal --------------------------------------------------------------------------------- */

/* All of the board, to be freed; NULL: no memory, or more than a record holds. */
static uint8_t *make_snapshot(struct tdm_board_doc *d, size_t *size)
{
    struct tdm_board_since *since = calloc(1, sizeof *since);
    uint8_t *all = NULL;
    size_t room = 0;

    *size = 0;
    while (since && !since->done) {
        if (room - *size < TDM_BOARD_SINCE_MIN) {
            room = 2 * room + 2 * TDM_BOARD_SINCE_MIN;
            uint8_t *longer = room > 2 * SNAPSHOT_MAX ? NULL : realloc(all, room);

            if (!longer) {
                free(all);
                free(since);
                return NULL;
            }
            all = longer;
        }
        *size += tdm_board_since(d->board, since, all + *size, room - *size);
    }
    free(since);
    return all;
}

static enum tdm_err append(struct tdm_board_doc *d, enum tdm_journal_kind kind, const uint8_t *data,
                           size_t size)
{
    const struct tdm_journal_record record = {
        .kind = kind, .wall_ms = tdm_board_file_wall_ms(), .data = data, .size = size};

    d->err = tdm_board_file_append(d->file, &record, &d->cause);
    return d->err;
}

/* The first record of ours says who draws. */
static enum tdm_err begin_session(struct tdm_board_doc *d)
{
    uint8_t data[TDM_JOURNAL_SESSION_BYTES];

    if (d->session)
        return TDM_OK;
    tdm_journal_session_write(
        data, &(struct tdm_journal_session){.actor = tdm_board_actor(d->board),
                                            .place = tdm_board_file_place(d->file)});
    enum tdm_err err = append(d, TDM_JOURNAL_SESSION, data, sizeof data);

    d->session = err == TDM_OK;
    return err;
}

static enum tdm_err append_snapshot(struct tdm_board_doc *d)
{
    size_t size;
    uint8_t *all = make_snapshot(d, &size);

    if (!all) {
        d->err = tdm_fail(&d->cause, TDM_E_SPACE, "no memory to write the board down");
        return d->err;
    }
    enum tdm_err err = append(d, TDM_JOURNAL_SNAPSHOT, all, size);

    free(all);
    if (err != TDM_OK)
        return err;
    d->grown = 0;
    d->snapshot_size = size;
    d->left_out = false;
    return TDM_OK;
}

/* Where the next record of the journal ends, of what waits from `at` on. A snapshot stays whole. */
static size_t piece_end(const struct tdm_board_doc *d, size_t at, bool whole)
{
    struct tdm_reader r = tdm_reader_of(d->waiting + at, d->waiting_size - at);

    while (!whole && r.ok && r.at < r.end && (size_t)(r.at - d->waiting) - at < PIECE_BYTES)
        tdm_read_skip(&r, tdm_read_u16(&r));
    return whole || !r.ok ? d->waiting_size : (size_t)(r.at - d->waiting);
}

/* What found no room waits on. */
static enum tdm_err append_waiting(struct tdm_board_doc *d)
{
    bool whole = says_much(d->waiting, d->waiting_size);
    enum tdm_err err = TDM_OK;
    size_t at = 0;

    while (err == TDM_OK && at < d->waiting_size) {
        size_t end = piece_end(d, at, whole);

        err = append(d, TDM_JOURNAL_OPS, d->waiting + at, end - at);
        if (err == TDM_OK)
            at = end;
    }
    d->grown += at;
    d->waiting_size -= at;
    memmove(d->waiting, d->waiting + at, d->waiting_size);
    return err;
}

/* Everything that waits into the journal; after an error it waits on. */
static enum tdm_err flush(struct tdm_board_doc *d)
{
    if (d->taking)
        d->taking(d->taking_arg);
    keep_fresh(d);
    tdm_board_fresh_done(d->board);
    d->fresh_kept = 0;
    d->since = TDM_NEVER;
    if (!journals(d) || (!d->waiting_size && !d->left_out))
        return TDM_OK;
    enum tdm_err err = begin_session(d);

    if (err == TDM_OK)
        err = d->left_out ? append_snapshot(d) : append_waiting(d);
    if (err != TDM_OK)
        return err;
    d->waiting_size = 0;
    /* So that a hole in the middle loses nothing, and opening stays quick. */
    if (d->grown > SNAPSHOT_LEAST + 4 * d->snapshot_size && append_snapshot(d) != TDM_OK) {
        d->grown = 0; /* It was for comfort only. */
        d->err = TDM_OK;
    }
    return TDM_OK;
}

tdm_time tdm_board_doc_step(struct tdm_board_doc *d, tdm_time now)
{
    if (!tdm_board_fresh_size(d->board) && !d->waiting_size && !d->left_out)
        return TDM_NEVER;
    if (d->since == TDM_NEVER)
        d->since = now;
    if (now >= d->since + (d->err == TDM_OK ? JOURNAL_EVERY : AGAIN_EVERY)) {
        if (flush(d) == TDM_OK)
            return TDM_NEVER;
        d->since = now;
    }
    return d->since + (d->err == TDM_OK ? JOURNAL_EVERY : AGAIN_EVERY);
}

enum tdm_err tdm_board_doc_save(struct tdm_board_doc *d, struct tdm_cause *cause)
{
    enum tdm_err err = flush(d);

    if (err != TDM_OK)
        return tdm_fail(cause, err, "%s", d->cause.text);
    return d->file ? tdm_board_file_sync(d->file, cause) : TDM_OK;
}

enum tdm_err tdm_board_doc_state(const struct tdm_board_doc *d, struct tdm_cause *cause)
{
    if (d->err != TDM_OK)
        return tdm_fail(cause, d->err, "%s", d->cause.text);
    return d->file ? tdm_board_file_state(d->file, cause) : TDM_OK;
}

enum tdm_err tdm_board_doc_compact(struct tdm_board_doc *d, struct tdm_cause *cause)
{
    uint8_t session[TDM_JOURNAL_SESSION_BYTES];
    size_t size;

    if (!journals(d))
        return tdm_fail(cause, TDM_E_DENIED, "a board that is only looked at stays as it is");
    enum tdm_err err = tdm_board_doc_save(d, cause);

    if (err != TDM_OK)
        return err;
    uint8_t *all = make_snapshot(d, &size);

    if (!all)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to write the board down");
    int64_t now = tdm_board_file_wall_ms();

    tdm_journal_session_write(
        session, &(struct tdm_journal_session){.actor = tdm_board_actor(d->board),
                                               .place = tdm_board_file_place(d->file)});
    const struct tdm_journal_record records[] = {
        {.kind = TDM_JOURNAL_COMPACTED, .wall_ms = now},
        {.kind = TDM_JOURNAL_SNAPSHOT, .wall_ms = now, .data = all, .size = size},
        {.kind = TDM_JOURNAL_SESSION, .wall_ms = now, .data = session, .size = sizeof session},
    };

    if (d->damaged)
        err = tdm_board_file_keep(d->file, cause);
    if (err == TDM_OK)
        err = tdm_board_file_replace(d->file, records, sizeof records / sizeof *records, cause);
    free(all);
    if (err != TDM_OK)
        return err;
    d->damaged = false;
    d->session = true;
    d->grown = 0;
    d->snapshot_size = size;
    tdm_doc_blobs_sweep(d);
    return TDM_OK;
}

void tdm_board_doc_close(struct tdm_board_doc *d)
{
    if (!d)
        return;
    /* What the disk does not take now is lost; state and save have said so before. */
    if (flush(d) == TDM_OK && d->session)
        (void)append(d, TDM_JOURNAL_CLOSED, NULL, 0);
    tdm_board_file_close(d->file);
    tdm_doc_blobs_free(d);
    for (size_t i = 0; i < d->block_count; i++)
        free(d->blocks[i]);
    free(d->blocks);
    free(d->waiting);
    free(d->storage);
    free(d);
}
