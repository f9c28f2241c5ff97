/* SPDX-License-Identifier: MIT */
#include "engine/io/file_store.h"

#include "engine/base/ring.h"
#include "engine/io/file_part.h"
#include "engine/io/file_source.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define QUEUE_SLOTS 512
#define SPACE_BYTES (16u << 20) /* With so much a transfer goes on, or with all that it needs. */
#define HASH_SLICE  8           /* Blocks between two jobs. */

struct request {
    bool add, stop;
    uint32_t ticket;
    char *path; /* The worker frees it. */
    struct tdm_files_job job;
    struct tdm_file_desc desc;
};

/* What the disk knows of a transfer. */
struct handle {
    uint32_t transfer; /* 0: free. */
    struct tdm_file_source *source;
    struct tdm_file_part *part;
    struct tdm_delta *delta;
};

struct adding {
    struct tdm_file_source *source;
    uint32_t ticket;
};

struct tdm_file_store {
    struct tdm_ring requests, answers;
    pthread_t thread;
    bool running;
    int wake; /* The worker's. */
    void (*answer_wake)(void *arg);
    void *answer_wake_arg;
    _Atomic uint64_t hashed, to_hash;
    _Atomic bool stopping;

    /* The worker's. */
    int dir;
    char origin[256];
    uint64_t quota_bytes, received_bytes;
    bool plain;
    struct tdm_file_source *sources[TDM_FILE_STORE_SOURCES_MAX];
    struct adding adding[TDM_FILE_STORE_SOURCES_MAX];
    uint32_t adding_count;
    struct handle handles[TDM_FILES_TRANSFERS_MAX];
    struct tdm_file_packer *packer;
    void *packer_storage;
    uint8_t window[TDM_FILE_BLOCK_BYTES + 2 * TDM_DELTA_CHUNK_MAX];
    struct request request_slots[QUEUE_SLOTS];
    struct tdm_file_store_answer answer_slots[QUEUE_SLOTS];
};

static struct handle *handle_of(struct tdm_file_store *s, uint32_t transfer)
{
    struct handle *spare = NULL;

    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++) {
        if (s->handles[i].transfer == transfer)
            return &s->handles[i];
        if (!s->handles[i].transfer)
            spare = &s->handles[i];
    }
    assert(spare);
    *spare = (struct handle){.transfer = transfer};
    return spare;
}

static void close_handle(struct tdm_file_store *s, struct handle *h, bool keep)
{
    if (h->part)
        tdm_file_part_close(h->part, keep);
    for (int i = 0; h->source && i < TDM_FILE_STORE_SOURCES_MAX; i++)
        if (s->sources[i] == h->source)
            s->sources[i] = NULL;
    if (h->source)
        tdm_file_source_close(h->source);
    free(h->delta);
    *h = (struct handle){0};
}

/* The source that was offered under this description, now this transfer's own. */
static struct tdm_file_source *source_of(struct tdm_file_store *s, struct handle *h,
                                         const struct tdm_file_desc *desc)
{
    for (int i = 0; !h->source && i < TDM_FILE_STORE_SOURCES_MAX; i++) {
        bool taken = false;

        for (int k = 0; k < TDM_FILES_TRANSFERS_MAX; k++)
            taken = taken || (s->handles[k].source && s->handles[k].source == s->sources[i]);
        if (!s->sources[i] || taken)
            continue;
        const struct tdm_file_desc *its = tdm_file_source_desc(s->sources[i]);

        if (tdm_file_map_fits(its, desc) && strcmp(its->name, desc->name) == 0)
            h->source = s->sources[i];
    }
    return h->source;
}

static void do_open(struct tdm_file_store *s, const struct request *r,
                    struct tdm_file_store_answer *a)
{
    struct handle *h = handle_of(s, r->job.transfer);
    struct tdm_file_part_config config = {
        .dir = s->dir, .origin = s->origin[0] ? s->origin : NULL, .desc = &r->desc};

    if (s->quota_bytes && r->desc.size > s->quota_bytes - s->received_bytes) {
        a->done.result = TDM_FILES_OVER_LIMIT;
        return;
    }
    a->done.result = tdm_file_part_open(&h->part, &config, &a->cause);
    if (a->done.result != TDM_FILES_OK)
        return;
    s->received_bytes += s->quota_bytes ? r->desc.size : 0;
    a->done.blocks = tdm_file_part_blocks(h->part);
    a->done.chunk_count = s->plain ? 0 : tdm_file_part_chunks(h->part);
}

/* The block and, for a delta, what stands around it. */
static bool read_window(struct tdm_file_store *s, struct handle *h, const struct tdm_files_job *job,
                        struct tdm_delta_view *view)
{
    uint64_t size = tdm_file_source_desc(h->source)->size;
    uint64_t start = (uint64_t)job->frame.index * TDM_FILE_BLOCK_BYTES;
    uint32_t length = tdm_file_block_size(size, job->frame.index);
    uint64_t chunk = h->delta && !job->plain ? h->delta->chunk_bytes : 0;
    uint64_t left = size - start - length;

    view->before = (uint32_t)(start < chunk ? start : chunk);
    view->after = (uint32_t)(left < chunk ? left : chunk);
    view->size = length;
    view->data = s->window;
    return tdm_file_source_read(h->source, s->window, view->before + length + view->after,
                                start - view->before) == TDM_OK;
}

static void do_read(struct tdm_file_store *s, const struct request *r,
                    struct tdm_file_store_answer *a)
{
    const struct tdm_files_job *job = &r->job;
    struct handle *h = handle_of(s, job->transfer);
    struct tdm_file_place place = {.index = job->frame.index};
    struct tdm_delta_view view;

    if (!source_of(s, h, &r->desc) || !read_window(s, h, job, &view) ||
        (job->plain &&
         !tdm_file_source_knows(h->source, job->frame.index, view.data + view.before))) {
        a->done.result = TDM_FILES_FILE_CHANGED;
        return;
    }
    struct tdm_file_packing how = {.zstd = !s->plain && !job->plain,
                                   .delta = job->plain ? NULL : h->delta};
    uint8_t proof_count =
        tdm_file_source_prove(h->source, job->count, &place, (tdm_file_hash *)(void *)job->data);
    struct tdm_file_packed packed = tdm_file_pack(
        s->packer, &view, &how, job->data + (size_t)proof_count * TDM_FILE_HASH_BYTES);

    a->done.frame.proof_count = proof_count;
    a->done.frame.height = place.height;
    a->done.frame.encoding = packed.encoding;
    a->done.frame.size = packed.size;
    if (place.height && packed.encoding != TDM_FILE_ZEROS)
        a->done.result = TDM_FILES_FILE_CHANGED;
}

static void do_learn(struct tdm_file_store *s, const struct request *r,
                     struct tdm_file_store_answer *a)
{
    struct handle *h = handle_of(s, r->job.transfer);
    struct tdm_reader reader = tdm_reader_of(r->job.data, r->job.frame.size);
    uint32_t chunk = tdm_read_u32(&reader);

    if (!h->delta)
        h->delta = calloc(1, sizeof *h->delta);
    a->done.result = TDM_FILES_WRONG_BYTES;
    if (!h->delta || (r->job.frame.index == 0 && tdm_delta_init(h->delta, chunk) != TDM_OK) ||
        (r->job.frame.index && h->delta->count != r->job.frame.index))
        return;
    while (tdm_reader_left(&reader) >= TDM_DELTA_SIGNATURE_BYTES) {
        if (tdm_delta_learn(h->delta, tdm_read_bytes(&reader, TDM_DELTA_SIGNATURE_BYTES)) != TDM_OK)
            return;
        a->done.count++;
    }
    a->done.result = TDM_FILES_OK;
}

static void do_part(struct tdm_file_store *s, const struct request *r,
                    struct tdm_file_store_answer *a)
{
    struct tdm_file_part *part = handle_of(s, r->job.transfer)->part;
    const struct tdm_files_job *job = &r->job;

    if (!part)
        a->done.result = TDM_FILES_DISK_FAILED;
    else if (job->kind == TDM_FILES_JOB_PLAN)
        a->done.count = tdm_file_part_missing(part, job->index, job->count, &a->done.index);
    else if (job->kind == TDM_FILES_JOB_SIGN)
        a->done.count = tdm_file_part_sign(part, job->frame.index, job->data, &a->done.frame.size);
    else if (job->kind == TDM_FILES_JOB_WRITE)
        a->done.result =
            tdm_file_part_write(part, s->packer, &job->frame, job->data, &a->done.blocks);
    else
        a->done.result = tdm_file_part_finish(part, a->name, sizeof a->name, &a->cause);
}

static void do_space(struct tdm_file_store *s, const struct request *r,
                     struct tdm_file_store_answer *a)
{
    uint64_t need = r->desc.size + TDM_FILE_BLOCK_BYTES;
    struct statvfs fs;

    if (fstatvfs(s->dir, &fs) == 0 &&
        (uint64_t)fs.f_bavail * fs.f_frsize < (need < SPACE_BYTES ? need : SPACE_BYTES))
        a->done.result = TDM_FILES_DISK_FULL;
}

static void answer(struct tdm_file_store *s, const struct tdm_file_store_answer *a)
{
    enum tdm_err err = tdm_ring_push(&s->answers, a);

    assert(err == TDM_OK);
    s->answer_wake(s->answer_wake_arg);
}

static void do_job(struct tdm_file_store *s, const struct request *r)
{
    struct tdm_file_store_answer a = {.done = {.kind = r->job.kind,
                                               .transfer = r->job.transfer,
                                               .slot = r->job.slot,
                                               .frame = r->job.frame}};

    switch (r->job.kind) {
    case TDM_FILES_JOB_CLOSE:
        if (r->job.sending)
            (void)source_of(s, handle_of(s, r->job.transfer), &r->desc);
        close_handle(s, handle_of(s, r->job.transfer), r->job.keep);
        return;
    case TDM_FILES_JOB_OPEN:
        do_open(s, r, &a);
        break;
    case TDM_FILES_JOB_SPACE:
        do_space(s, r, &a);
        break;
    case TDM_FILES_JOB_READ:
        do_read(s, r, &a);
        break;
    case TDM_FILES_JOB_LEARN:
        do_learn(s, r, &a);
        break;
    default:
        do_part(s, r, &a);
        /* What ends well is not closed by a job of its own. */
        if (r->job.kind == TDM_FILES_JOB_FINISH && a.done.result == TDM_FILES_OK)
            close_handle(s, handle_of(s, r->job.transfer), true);
        break;
    }
    answer(s, &a);
}

static void tell_skipped(const struct tdm_file_source *source, struct tdm_cause *cause)
{
    uint32_t skipped = tdm_file_source_skipped(source);

    if (skipped)
        (void)snprintf(cause->text, sizeof cause->text,
                       "%" PRIu32 " in it left out: links, devices or pipes are not sent", skipped);
}

static void added(struct tdm_file_store *s, uint32_t ticket, struct tdm_file_source *source,
                  const struct tdm_cause *cause)
{
    struct tdm_file_store_answer a = {.added = true, .ticket = ticket, .cause = *cause};

    for (int i = 0; source && !a.ok && i < TDM_FILE_STORE_SOURCES_MAX; i++)
        if (!s->sources[i]) {
            s->sources[i] = source;
            a.desc = *tdm_file_source_desc(source);
            tell_skipped(source, &a.cause);
            a.ok = true;
        }
    if (source && !a.ok) {
        tdm_file_source_close(source);
        (void)tdm_fail(&a.cause, TDM_E_SPACE, "too many files are offered at once");
    }
    answer(s, &a);
}

static void begin_adding(struct tdm_file_store *s, struct request *r)
{
    struct tdm_cause cause = {""};
    struct tdm_file_source *source = NULL;

    if (s->adding_count == TDM_FILE_STORE_SOURCES_MAX)
        (void)tdm_fail(&cause, TDM_E_SPACE, "too many files are added at once");
    else if (tdm_file_source_open(&source, r->path, &cause) == TDM_OK)
        s->adding[s->adding_count++] = (struct adding){source, r->ticket};
    if (!source)
        added(s, r->ticket, NULL, &cause);
    else
        atomic_fetch_add(&s->to_hash, tdm_file_source_desc(source)->size);
    free(r->path);
}

/* A slice of the first file that is being hashed, so that transfers go on beside it. */
static void go_on_adding(struct tdm_file_store *s)
{
    struct adding first = s->adding[0];
    struct tdm_cause cause = {""};
    uint64_t before = tdm_file_source_hashed(first.source);
    enum tdm_err err = tdm_file_source_hash(first.source, HASH_SLICE, &cause);

    atomic_fetch_add(&s->hashed, tdm_file_source_hashed(first.source) - before);
    if (err == TDM_E_AGAIN)
        return;
    s->adding_count--;
    memmove(s->adding, s->adding + 1, s->adding_count * sizeof first);
    if (err != TDM_OK)
        tdm_file_source_close(first.source);
    added(s, first.ticket, err == TDM_OK ? first.source : NULL, &cause);
}

static void *run(void *arg)
{
    struct tdm_file_store *s = arg;

    while (!atomic_load(&s->stopping)) {
        struct request *r = tdm_ring_peek(&s->requests);

        if (r && r->add)
            begin_adding(s, r);
        else if (r)
            do_job(s, r);
        if (r)
            tdm_ring_release(&s->requests);
        if (s->adding_count)
            go_on_adding(s);
        if (r || s->adding_count)
            continue;
        (void)tdm_wait_until(TDM_NEVER, s->wake, -1);
        tdm_wake_clear(s->wake);
    }
    return NULL;
}

enum tdm_err tdm_file_store_create(struct tdm_file_store **store,
                                   const struct tdm_file_store_config *config,
                                   struct tdm_cause *cause)
{
    struct tdm_file_store *s = calloc(1, sizeof *s);

    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for files");
    tdm_ring_init(&s->requests, s->request_slots, sizeof *s->request_slots, QUEUE_SLOTS);
    tdm_ring_init(&s->answers, s->answer_slots, sizeof *s->answer_slots, QUEUE_SLOTS);
    s->answer_wake = config->wake;
    s->answer_wake_arg = config->wake_arg;
    s->quota_bytes = config->quota_bytes;
    s->plain = config->plain;
    (void)snprintf(s->origin, sizeof s->origin, "%s", config->origin ? config->origin : "");
    s->wake = tdm_wake_open(cause);
    s->dir = open(config->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->packer_storage = malloc(tdm_file_packer_bytes());
    enum tdm_err err = TDM_OK;

    if (s->dir < 0)
        err = tdm_fail(cause, TDM_E_GONE, "%s is no folder that can be written: %s", config->dir,
                       strerrordesc_np(errno));
    else if (s->wake < 0 || !s->packer_storage)
        err = TDM_E_SYSTEM;
    if (err == TDM_OK) {
        s->packer = tdm_file_packer_init(s->packer_storage);
        err = tdm_thread_start(&s->thread, "tdm-files", TDM_PRIORITY_NORMAL, run, s, NULL, cause);
    }
    s->running = err == TDM_OK;
    if (err != TDM_OK)
        tdm_file_store_destroy(s);
    else
        *store = s;
    return err;
}

void tdm_file_store_destroy(struct tdm_file_store *s)
{
    struct request *r;

    atomic_store(&s->stopping, true);
    if (s->running) {
        tdm_wake_signal(s->wake);
        (void)pthread_join(s->thread, NULL);
    }
    while ((r = tdm_ring_peek(&s->requests))) {
        if (r->add)
            free(r->path);
        tdm_ring_release(&s->requests);
    }
    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++)
        close_handle(s, &s->handles[i], true);
    for (int i = 0; i < TDM_FILE_STORE_SOURCES_MAX; i++)
        if (s->sources[i])
            tdm_file_source_close(s->sources[i]);
    for (uint32_t i = 0; i < s->adding_count; i++)
        tdm_file_source_close(s->adding[i].source);
    if (s->wake >= 0)
        (void)close(s->wake);
    if (s->dir >= 0)
        (void)close(s->dir);
    free(s->packer_storage);
    free(s);
}

static enum tdm_err push(struct tdm_file_store *s, const struct request *r)
{
    enum tdm_err err = tdm_ring_push(&s->requests, r);

    tdm_wake_signal(s->wake);
    return err;
}

enum tdm_err tdm_file_store_add(struct tdm_file_store *s, uint32_t ticket, const char *path)
{
    struct request r = {.add = true, .ticket = ticket, .path = strdup(path)};
    enum tdm_err err = r.path ? push(s, &r) : TDM_E_SPACE;

    if (err != TDM_OK)
        free(r.path);
    return err;
}

void tdm_file_store_hashing(struct tdm_file_store *s, uint64_t *done, uint64_t *total)
{
    *done = atomic_load(&s->hashed);
    *total = atomic_load(&s->to_hash);
}

void tdm_file_store_push(struct tdm_file_store *s, const struct tdm_files_job *job)
{
    struct request r = {.job = *job, .desc = *job->desc};
    enum tdm_err err = push(s, &r);

    assert(err == TDM_OK);
}

bool tdm_file_store_pop(struct tdm_file_store *s, struct tdm_file_store_answer *answer)
{
    return tdm_ring_pop(&s->answers, answer) == TDM_OK;
}
