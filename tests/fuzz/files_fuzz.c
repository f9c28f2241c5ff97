/* SPDX-License-Identifier: MIT */
/*
 * Two streams of bytes from a stranger, a disk that answers as the input says, and a user's wishes
 * into one transfer core. Checked: what it consumes and fills is within bounds, jobs are for slots
 * that exist, no transfer has done more than its size, and steps come to an end.
 */
#include "collab/files.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define JOBS 256

struct world {
    struct tdm_files *core;
    struct tdm_files_job jobs[JOBS];
    uint32_t job_count, last, links;
};

static void step(struct world *w, const struct tdm_files_in *in, struct tdm_files_out *out)
{
    struct tdm_files_out more;

    for (int turn = 0;; turn++) {
        struct tdm_files_out *o = turn ? &more : out;

        tdm_files_step(w->core, 0, turn ? NULL : in, o);
        assert(turn < 1000);
        if (o->event)
            assert(o->transfer);
        if (o->transfer > w->last)
            w->last = o->transfer;
        if (o->job.kind) {
            assert(w->job_count < JOBS && o->job.transfer);
            assert(!o->job.data || o->job.slot < 2 * TDM_FILES_SLOTS);
            w->jobs[w->job_count++] = o->job;
        }
        if (o->wake_at != 0)
            return;
    }
}

static void answer(struct world *w, uint8_t how)
{
    struct tdm_files_done done = {0};
    struct tdm_files_in in = {.kind = TDM_FILES_DONE, .done = &done};
    struct tdm_files_out out;

    if (!w->job_count)
        return;
    struct tdm_files_job job = w->jobs[0];

    memmove(w->jobs, w->jobs + 1, --w->job_count * sizeof job);
    if (job.kind == TDM_FILES_JOB_CLOSE)
        return;
    done = (struct tdm_files_done){.kind = job.kind,
                                   .transfer = job.transfer,
                                   .slot = job.slot,
                                   .frame = job.frame,
                                   .result = how & 0x40 ? (how & 7) % 7 : 0,
                                   .index = job.index,
                                   .count = how & 0x20 ? 0 : job.count,
                                   .blocks = job.kind == TDM_FILES_JOB_WRITE,
                                   .chunk_count = job.kind == TDM_FILES_JOB_OPEN ? how & 0x10 : 0};
    if (job.kind == TDM_FILES_JOB_READ || job.kind == TDM_FILES_JOB_SIGN)
        done.frame.size = how & 0xf;
    if (job.kind == TDM_FILES_JOB_SIGN || job.kind == TDM_FILES_JOB_LEARN)
        done.count = how & 0xf;
    step(w, &in, &out);
}

static void bytes(struct world *w, enum tdm_files_input kind, const uint8_t *data, size_t size)
{
    static const uint8_t peers[2][TDM_FILES_PEER_BYTES] = {"one", "another"};
    struct tdm_files_in in = {
        .kind = kind, .data = data, .size = size, .peer = peers[w->links / 4 % 2]};
    struct tdm_files_out out;

    w->links += kind == TDM_FILES_LINK_UP;
    step(w, &in, &out);
    assert(out.consumed <= size);
}

static void pull(struct world *w, enum tdm_files_input kind, size_t size)
{
    uint8_t room[256];
    struct tdm_files_in in = {.kind = kind, .room = room, .size = size};
    struct tdm_files_out out;

    step(w, &in, &out);
    assert(out.filled <= size);
}

static void check(const struct world *w)
{
    struct tdm_files_progress p;

    for (uint32_t i = 1; i <= w->last; i++)
        if (tdm_files_progress(w->core, i, &p))
            assert(p.done_bytes <= p.desc->size && p.desc->size <= TDM_FILE_SIZE_MAX);
}

static void wish(struct world *w, uint8_t op)
{
    static const struct tdm_file_desc desc = {.size = 1000000, .name = "ours"};
    struct tdm_files_in in = {.kind = (enum tdm_files_input)(TDM_FILES_OFFER + op % 6),
                              .transfer = 1 + (op >> 3 & 7),
                              .keep = op & 1,
                              .desc = &desc};
    struct tdm_files_out out;

    step(w, &in, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    static void *storage;
    struct tdm_reader r = tdm_reader_of(data, size);

    if (!storage)
        storage = malloc(tdm_files_bytes());
    if (!storage)
        abort();
    w = (struct world){.core = tdm_files_init(
                           storage, &(struct tdm_files_config){.seed = 1, .size_max = 1 << 30})};
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);
        size_t length = op & 0x1f ? (size_t)(op & 0x1f) * 4 : tdm_read_u8(&r);

        length = length < tdm_reader_left(&r) ? length : tdm_reader_left(&r);
        switch (op >> 5) {
        case 0:
            bytes(&w, TDM_FILES_CONTROL, r.at, length);
            tdm_read_skip(&r, length);
            break;
        case 1:
            bytes(&w, TDM_FILES_DATA, r.at, length);
            tdm_read_skip(&r, length);
            break;
        case 2:
            pull(&w, TDM_FILES_PULL_CONTROL, length);
            break;
        case 3:
            pull(&w, TDM_FILES_PULL_DATA, length);
            break;
        case 4:
        case 5:
            answer(&w, tdm_read_u8(&r));
            break;
        case 6:
            wish(&w, tdm_read_u8(&r));
            break;
        default:
            bytes(&w, op & 1 ? TDM_FILES_LINK_UP : TDM_FILES_LINK_DOWN, NULL, 0);
            break;
        }
    }
    check(&w);
    return 0;
}
