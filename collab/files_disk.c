/* SPDX-License-Identifier: MIT */
/* What the disk is asked to do next, and what its answers mean. */
#include "collab/files_state.h"

#include <string.h>

/* Blocks that are wanted and have not come. */
static uint32_t out_blocks(const struct tdm_transfer *t)
{
    uint32_t blocks = 0;

    for (uint32_t i = 0; i < t->out_count; i++)
        blocks += t->out[i].count;
    return blocks;
}

static bool may_run(const struct tdm_transfer *t)
{
    return t->state == TDM_FILES_RUNNING && t->linked && !t->pause_here && !t->pause_there;
}

/* What was wrong is wanted again, alone, before anything new. */
static void want_again(struct tdm_transfer *t)
{
    while (t->retry_count && t->out_count < TDM_FILES_RANGES)
        t->out[t->out_count++] = (struct tdm_file_range){t->retries[--t->retry_count], 1, true};
}

static void begin_job(struct tdm_transfer *t, struct tdm_files_job *job,
                      enum tdm_files_job_kind kind)
{
    job->kind = kind;
    job->transfer = t->number;
    job->desc = &t->desc;
    job->keep = t->keep;
    job->sending = t->sending;
    if (kind != TDM_FILES_JOB_CLOSE)
        t->jobs++;
}

static void give_slot(struct tdm_files *f, struct tdm_slot *slot, struct tdm_files_job *job)
{
    bool tx = slot >= f->tx && slot < f->tx + TDM_FILES_SLOTS;

    slot->state = TDM_SLOT_DISK;
    slot->transfer = job->transfer;
    job->slot = tx ? (uint32_t)(slot - f->tx) : TDM_FILES_SLOTS + (uint32_t)(slot - f->rx);
    job->data = slot->data;
    job->frame = slot->frame;
}

/* Blocks and signatures that came, oldest first. */
static bool job_for_arrived(struct tdm_files *f, struct tdm_files_job *job)
{
    struct tdm_slot *oldest = NULL;
    struct tdm_transfer *t;

    for (int i = 0; i < TDM_FILES_SLOTS; i++) {
        struct tdm_slot *slot = &f->rx[i];

        if (slot->state != TDM_SLOT_READY)
            continue;
        t = tdm_files_find(f, slot->transfer);
        if (!t || t->state == TDM_FILES_ENDED)
            slot->state = TDM_SLOT_FREE;
        else if (!oldest || (int32_t)(slot->order - oldest->order) < 0)
            oldest = slot;
    }
    if (!oldest)
        return false;
    t = tdm_files_find(f, oldest->transfer);
    begin_job(t, job, t->sending ? TDM_FILES_JOB_LEARN : TDM_FILES_JOB_WRITE);
    give_slot(f, oldest, job);
    return true;
}

static bool job_to_read(struct tdm_files *f, struct tdm_transfer *t, struct tdm_files_job *job)
{
    struct tdm_slot *slot = tdm_files_free_slot(f->tx);

    if (!may_run(t) || !t->want_count || t->chunks_learned < t->chunks_due || !slot || t->reading)
        return false;
    struct tdm_file_range *range = &t->wants[0];

    begin_job(t, job, TDM_FILES_JOB_READ);
    slot->stale = false;
    slot->order = f->order++;
    slot->frame =
        (struct tdm_file_frame){.kind = TDM_FILE_BLOCK, .id = t->id, .index = range->first};
    job->count = range->count;
    job->plain = range->plain;
    give_slot(f, slot, job);
    t->reading = true;
    return true;
}

static bool job_to_sign(struct tdm_files *f, struct tdm_transfer *t, struct tdm_files_job *job)
{
    struct tdm_slot *slot = tdm_files_free_slot(f->tx);

    if (!t->open || !may_run(t) || t->signing || t->say_accept || !slot ||
        t->chunks_said >= t->chunk_count)
        return false;
    begin_job(t, job, TDM_FILES_JOB_SIGN);
    slot->stale = false;
    slot->order = f->order++;
    slot->frame =
        (struct tdm_file_frame){.kind = TDM_FILE_SIGNATURES, .id = t->id, .index = t->chunks_said};
    give_slot(f, slot, job);
    t->signing = true;
    return true;
}

static bool job_to_plan(struct tdm_transfer *t, struct tdm_files_job *job)
{
    if (!t->open || !may_run(t) || t->planning || t->round_over ||
        t->out_count + 1 >= TDM_FILES_RANGES || out_blocks(t) >= TDM_FILES_WANT_BLOCKS)
        return false;
    begin_job(t, job, TDM_FILES_JOB_PLAN);
    job->index = t->cursor;
    job->count = TDM_FILES_WANT_RUN;
    t->planning = true;
    return true;
}

static bool job_of(struct tdm_files *f, struct tdm_transfer *t, struct tdm_files_job *job)
{
    if (!t->number)
        return false;
    if (t->ask_close) {
        if (t->jobs)
            return false;
        t->ask_close = t->open = false;
        begin_job(t, job, TDM_FILES_JOB_CLOSE);
    } else if (t->ask_open) {
        t->ask_open = false;
        begin_job(t, job, TDM_FILES_JOB_OPEN);
    } else if (t->ask_space) {
        t->ask_space = false;
        begin_job(t, job, TDM_FILES_JOB_SPACE);
    } else if (t->ask_finish && !t->jobs) {
        t->ask_finish = false;
        begin_job(t, job, TDM_FILES_JOB_FINISH);
    } else if (t->sending) {
        return job_to_read(f, t, job);
    } else {
        want_again(t);
        return job_to_sign(f, t, job) || job_to_plan(t, job);
    }
    return true;
}

void tdm_files_next_job(struct tdm_files *f, struct tdm_files_job *job)
{
    if (job_for_arrived(f, job))
        return;
    for (uint32_t i = 0; i < TDM_FILES_TRANSFERS_MAX; i++) {
        uint32_t at = (f->turn + i) % TDM_FILES_TRANSFERS_MAX;

        if (job_of(f, &f->transfers[at], job)) {
            f->turn = at + 1;
            return;
        }
    }
}

static void opened(struct tdm_transfer *t, const struct tdm_files_done *done)
{
    if (done->result == TDM_FILES_DISK_FULL) {
        tdm_files_set_pause(t, TDM_FILE_PAUSE_DISK_FULL, false);
        return;
    }
    if (done->result != TDM_FILES_OK) {
        tdm_files_end(
            t, done->result == TDM_FILES_OVER_LIMIT ? TDM_FILE_END_TOO_BIG : TDM_FILE_END_DISK,
            false);
        return;
    }
    t->open = true;
    t->state = TDM_FILES_RUNNING;
    t->have_blocks = t->resumed_blocks = done->blocks;
    t->chunk_count = done->chunk_count;
    t->say_accept = true;
}

static void planned(struct tdm_transfer *t, const struct tdm_files_done *done)
{
    t->planning = false;
    if (t->plan_stale || !t->linked || t->state != TDM_FILES_RUNNING) {
        t->plan_stale = false;
        return;
    }
    if (done->count == 0) {
        t->round_over = true;
        return;
    }
    t->cursor = done->index + done->count;
    t->out[t->out_count++] = (struct tdm_file_range){done->index, done->count, false};
}

static void written(struct tdm_transfer *t, const struct tdm_files_done *done)
{
    t->writing--;
    t->have_blocks += done->blocks;
    switch (done->result) {
    case TDM_FILES_OK:
        t->wrong_row = 0;
        t->round_fresh = t->round_fresh || done->blocks;
        break;
    case TDM_FILES_WRONG_BYTES:
        t->wrong_blocks++;
        /* A delta is wrong when the old file changed under it, which is nobody's lie. */
        t->wrong_row += !(done->frame.encoding & TDM_FILE_DELTA);
        if (t->retry_count < TDM_FILES_RETRIES && t->linked)
            t->retries[t->retry_count++] = done->frame.index;
        if (t->wrong_row >= TDM_FILES_WRONG_ROW)
            tdm_files_end(t, TDM_FILE_END_WRONG, false);
        break;
    case TDM_FILES_DISK_FULL:
        tdm_files_set_pause(t, TDM_FILE_PAUSE_DISK_FULL, false);
        break;
    case TDM_FILES_BAD_MANIFEST:
        tdm_files_end(t, TDM_FILE_END_MANIFEST, false);
        break;
    case TDM_FILES_OVER_LIMIT:
        tdm_files_end(t, TDM_FILE_END_TOO_BIG, false);
        break;
    default:
        tdm_files_end(t, TDM_FILE_END_DISK, false);
        break;
    }
}

static void finished(struct tdm_transfer *t, const struct tdm_files_done *done)
{
    if (done->result == TDM_FILES_DISK_FULL) {
        tdm_files_set_pause(t, TDM_FILE_PAUSE_DISK_FULL, false);
        return;
    }
    t->open = t->open && done->result != TDM_FILES_OK;
    tdm_files_end(t,
                  done->result == TDM_FILES_OK            ? TDM_FILE_END_DONE
                  : done->result == TDM_FILES_WRONG_BYTES ? TDM_FILE_END_WRONG
                                                          : TDM_FILE_END_DISK,
                  false);
}

/* The disk has read what the receiver wants next. */
static void was_read(struct tdm_transfer *t, struct tdm_slot *slot,
                     const struct tdm_files_done *done)
{
    struct tdm_file_range *range = &t->wants[0];
    uint32_t covers = (uint32_t)1 << done->frame.height;

    t->reading = false;
    if (done->result != TDM_FILES_OK) {
        tdm_files_end(t,
                      done->result == TDM_FILES_FILE_CHANGED ? TDM_FILE_END_CHANGED
                                                             : TDM_FILE_END_UNREADABLE,
                      false);
        return;
    }
    if (slot->stale || !t->want_count || t->state == TDM_FILES_ENDED)
        return;
    range->first += covers;
    range->count -= covers;
    if (range->count == 0) {
        t->want_count--;
        memmove(range, range + 1, t->want_count * sizeof *range);
    }
    slot->frame = done->frame;
    slot->state = TDM_SLOT_READY;
}

static void was_signed(struct tdm_transfer *t, struct tdm_slot *slot,
                       const struct tdm_files_done *done)
{
    t->signing = false;
    if (slot->stale || t->state == TDM_FILES_ENDED)
        return;
    slot->frame = done->frame;
    slot->state = TDM_SLOT_READY;
    t->chunks_said += done->count;
    if (done->count)
        return;
    /* The old file cannot be read any more: the sender shall not wait for the rest. */
    t->chunk_count = t->chunks_said;
    t->say_accept = true;
}

static void learned(struct tdm_transfer *t, const struct tdm_files_done *done)
{
    if (done->result != TDM_FILES_OK)
        tdm_files_end(t, TDM_FILE_END_PROTOCOL, false);
    else
        t->chunks_learned += done->count;
}

static void looked(struct tdm_transfer *t, const struct tdm_files_done *done)
{
    t->trying = false;
    if (done->result == TDM_FILES_OK && t->pause_here == TDM_FILE_PAUSE_DISK_FULL)
        tdm_files_resume(t);
}

void tdm_files_job_done(struct tdm_files *f, const struct tdm_files_done *done)
{
    struct tdm_transfer *t = tdm_files_find(f, done->transfer);
    struct tdm_slot *slot =
        done->slot < TDM_FILES_SLOTS ? &f->tx[done->slot] : &f->rx[done->slot - TDM_FILES_SLOTS];
    bool has_slot = done->kind == TDM_FILES_JOB_WRITE || done->kind == TDM_FILES_JOB_LEARN ||
                    done->kind == TDM_FILES_JOB_READ || done->kind == TDM_FILES_JOB_SIGN;

    assert(t && t->jobs && done->slot < 2 * TDM_FILES_SLOTS);
    t->jobs--;
    if (has_slot) {
        assert(slot->state == TDM_SLOT_DISK);
        slot->state = TDM_SLOT_FREE;
    }
    if (done->kind == TDM_FILES_JOB_SPACE)
        looked(t, done);
    else if (done->kind == TDM_FILES_JOB_READ)
        was_read(t, slot, done);
    else if (done->kind == TDM_FILES_JOB_SIGN)
        was_signed(t, slot, done);
    else if (t->state == TDM_FILES_ENDED)
        t->open = t->open || (done->kind == TDM_FILES_JOB_OPEN && done->result == TDM_FILES_OK);
    else if (done->kind == TDM_FILES_JOB_OPEN)
        opened(t, done);
    else if (done->kind == TDM_FILES_JOB_PLAN)
        planned(t, done);
    else if (done->kind == TDM_FILES_JOB_WRITE)
        written(t, done);
    else if (done->kind == TDM_FILES_JOB_FINISH)
        finished(t, done);
    else if (done->kind == TDM_FILES_JOB_LEARN)
        learned(t, done);
    if (slot->state == TDM_SLOT_FREE)
        slot->stale = false;
}
