/* SPDX-License-Identifier: MIT */
/*
 * Files between two sides in a world of bad luck, by seed: the link breaks, either side dies, a
 * disk is full, blocks come wrong, files change while they are sent, users pause. Checked from
 * outside: nothing stands under its final name that is not what was offered, no file comes twice,
 * and when the bad luck ends every file arrives. `sim.files FIRST COUNT` prints the seeds that
 * failed.
 */
#include "tests/sim/file_disk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES  300000
#define CALM_STEPS   200000
#define VERSIONS_MAX 64

static const uint8_t peers[2][TDM_FILES_PEER_BYTES] = {"ann", "bob"};

struct queue {
    uint8_t bytes[QUEUE_BYTES];
    size_t size;
};

struct side {
    struct disk *disk;
    struct tdm_files *core;
    void *storage;
    struct queue control, data; /* On their way to this side. */
    int source_count;
    bool sent[DISK_FILES];
    uint32_t transfer_of[DISK_FILES];
    uint64_t runs;
    bool control_ready, data_ready;
};

struct world {
    struct tdm_rng rng;
    tdm_time now;
    struct side side[2];
    bool up;
    uint32_t links, crashes, changes, wrongs, fulls, pauses;
    struct tdm_file_desc versions[VERSIONS_MAX]; /* All that was ever offered. */
    int version_count;
    const char *failure;
};

static uint32_t below(struct world *w, uint32_t bound)
{
    return tdm_rng_below(&w->rng, bound);
}

static bool chance(struct world *w, double p)
{
    return tdm_rng_chance(&w->rng, p);
}

static void step(struct world *w, int who, const struct tdm_files_in *in,
                 struct tdm_files_out *out);

static void wish(struct world *w, int who, enum tdm_files_input kind, uint32_t transfer)
{
    struct tdm_files_in in = {.kind = kind, .transfer = transfer};
    struct tdm_files_out out;

    step(w, who, &in, &out);
}

static void offer(struct world *w, int who, int i)
{
    struct side *s = &w->side[who];
    struct tdm_files_in in = {.kind = TDM_FILES_OFFER, .desc = &s->disk->sources[i].desc};
    struct tdm_files_out out;

    if (w->version_count < VERSIONS_MAX)
        w->versions[w->version_count++] = s->disk->sources[i].desc;
    step(w, who, &in, &out);
    s->transfer_of[i] = out.transfer;
    if (!out.transfer)
        w->failure = "an offer found no place";
}

static void on_ended(struct world *w, int who, const struct tdm_files_out *out)
{
    struct side *s = &w->side[who];

    for (int i = 0; i < s->source_count; i++) {
        if (s->transfer_of[i] != out->transfer || s->sent[i])
            continue;
        s->transfer_of[i] = 0;
        if (out->end == TDM_FILE_END_DONE) {
            s->sent[i] = true;
        } else if (out->end == TDM_FILE_END_CHANGED) {
            struct disk_source *source = &s->disk->sources[i];
            char name[TDM_FILE_NAME_MAX];

            memcpy(name, source->desc.name, sizeof name);
            disk_set_source(s->disk, i, name, source->data, source->desc.size);
            offer(w, who, i);
        } else if (out->end == TDM_FILE_END_WRONG) {
            /* Too much bad luck in a row looks like a liar; the user tries again. */
            offer(w, who, i);
        } else {
            w->failure = tdm_file_end_name(out->end);
        }
    }
}

static void step(struct world *w, int who, const struct tdm_files_in *in, struct tdm_files_out *out)
{
    struct side *s = &w->side[who];
    struct tdm_files_out more;

    tdm_files_step(s->core, w->now, in, out);
    if (out->failed && !w->failure)
        w->failure = out->why;
    s->control_ready = out->control_ready;
    s->data_ready = out->data_ready;
    if (out->job.kind)
        disk_queue(s->disk, &out->job);
    if (out->event == TDM_FILES_EV_OFFERED)
        wish(w, who, TDM_FILES_ACCEPT, out->transfer);
    if (out->event == TDM_FILES_EV_ENDED)
        on_ended(w, who, out);
    if (out->wake_at <= w->now)
        step(w, who, NULL, &more);
}

static void link_to(struct world *w, int who, const uint8_t *peer)
{
    struct tdm_files_in in = {.kind = peer ? TDM_FILES_LINK_UP : TDM_FILES_LINK_DOWN, .peer = peer};
    struct tdm_files_out out;

    step(w, who, &in, &out);
}

static void link_set(struct world *w, bool up)
{
    w->up = up;
    for (int i = 0; i < 2; i++) {
        w->side[i].control.size = w->side[i].data.size = 0;
        link_to(w, i, up ? peers[!i] : NULL);
    }
}

static void pull(struct world *w, int who, bool data)
{
    struct queue *q = data ? &w->side[!who].data : &w->side[!who].control;
    size_t room = QUEUE_BYTES - q->size;
    size_t most = 1 + below(w, chance(w, 0.2) ? 40 : 65536);
    struct tdm_files_in in = {.kind = data ? TDM_FILES_PULL_DATA : TDM_FILES_PULL_CONTROL,
                              .room = q->bytes + q->size,
                              .size = most < room ? most : room};
    struct tdm_files_out out;

    step(w, who, &in, &out);
    if (w->up)
        q->size += out.filled;
}

static void deliver(struct world *w, int who, bool data)
{
    struct queue *q = data ? &w->side[who].data : &w->side[who].control;
    size_t most = 1 + below(w, chance(w, 0.2) ? 40 : 65536);
    struct tdm_files_in in = {.kind = data ? TDM_FILES_DATA : TDM_FILES_CONTROL,
                              .data = q->bytes,
                              .size = most < q->size ? most : q->size};
    struct tdm_files_out out;

    if (!q->size)
        return;
    step(w, who, &in, &out);
    if (!w->up)
        return;
    q->size -= out.consumed;
    memmove(q->bytes, q->bytes + out.consumed, q->size);
}

static void disk_turn(struct world *w, int who, bool lucky)
{
    struct side *s = &w->side[who];
    struct tdm_files_done done;
    struct tdm_files_in in = {.kind = TDM_FILES_DONE, .done = &done};
    struct tdm_files_out out;

    if (!s->disk->job_count)
        return;
    struct tdm_files_job *job = &s->disk->jobs[0];

    if (!lucky && job->kind == TDM_FILES_JOB_WRITE && chance(w, 0.05)) {
        size_t body = tdm_file_frame_body(&job->frame);

        if (body)
            job->data[below(w, (uint32_t)body)] ^= (uint8_t)(1 + below(w, 255));
        w->wrongs += body > 0;
    }
    if (disk_do(s->disk, &done))
        step(w, who, &in, &out);
}

static void start(struct world *w, int who)
{
    struct side *s = &w->side[who];
    struct tdm_files_config config = {.seed = tdm_rng_u64(&w->rng)};

    s->core = tdm_files_init(s->storage, &config);
    s->runs++;
    for (int i = 0; i < s->source_count; i++)
        if (!s->sent[i])
            offer(w, who, i);
}

static void crash(struct world *w, int who)
{
    link_set(w, false);
    disk_crash(w->side[who].disk, &w->rng);
    w->crashes++;
    start(w, who);
}

/* What a program that died before it heard of the change finds: the file as it is now. */
static void change(struct world *w, int who)
{
    struct side *s = &w->side[who];
    int i = s->source_count ? (int)below(w, (uint32_t)s->source_count) : 0;
    struct disk_source *source = &s->disk->sources[i];

    if (!s->source_count || s->sent[i] || !source->desc.size || w->changes > 5)
        return;
    disk_change_source(s->disk, i, below(w, (uint32_t)source->desc.size));
    w->changes++;
}

static void bad_luck(struct world *w)
{
    uint32_t kind = below(w, 1000);
    int who = (int)below(w, 2);
    struct side *s = &w->side[who];
    uint32_t transfer = 1 + below(w, 12);

    if (kind < 5) {
        link_set(w, !w->up);
        w->links++;
    } else if (kind < 7) {
        crash(w, who);
    } else if (kind < 9) {
        s->disk->full = !s->disk->full;
        w->fulls++;
    } else if (kind < 10) {
        change(w, who);
    } else if (kind < 14) {
        wish(w, who, TDM_FILES_PAUSE, transfer);
        w->pauses++;
    } else if (kind < 30) {
        wish(w, who, TDM_FILES_RESUME, transfer);
    }
}

/* Independent of the core: what stands on a disk must be something that was offered, whole. */
static void check_finals(struct world *w, bool end)
{
    for (int who = 0; who < 2; who++) {
        struct disk *d = w->side[who].disk;

        for (int i = 0; i < 4 * DISK_FILES; i++) {
            struct disk_final *f = &d->finals[i];
            tdm_file_hash leaf, root;
            struct tdm_file_root r;
            bool known = !f->data || strncmp(f->name, "old", 3) == 0;

            if (known)
                continue;
            tdm_file_root_init(&r);
            for (uint32_t b = 0; b < tdm_file_block_count(f->size); b++) {
                tdm_file_leaf(f->data + (size_t)b * TDM_FILE_BLOCK_BYTES,
                              tdm_file_block_size(f->size, b), leaf);
                tdm_file_root_add(&r, leaf);
            }
            tdm_file_root_final(&r, root);
            for (int v = 0; v < w->version_count; v++)
                known |= memcmp(w->versions[v].root, root, sizeof root) == 0;
            if (!known)
                w->failure = "a file under its final name is none that was offered";
        }
        for (int i = 0; end && i < w->side[!who].source_count; i++) {
            struct disk_source *source = &w->side[!who].disk->sources[i];
            int copies = 0;

            for (int k = 0; k < 4 * DISK_FILES; k++)
                copies += d->finals[k].data && d->finals[k].size == source->desc.size &&
                          strncmp(d->finals[k].name, source->desc.name,
                                  strcspn(source->desc.name, ".")) == 0 &&
                          memcmp(d->finals[k].data, source->data, source->desc.size) == 0;
            /* A file that changed in the last moment may have arrived as it was. */
            if (copies != 1 && !(w->changes && copies == 0))
                w->failure = copies ? "a file arrived twice" : "a file did not arrive";
        }
    }
}

static uint8_t *content(struct world *w, uint64_t size, int kind)
{
    uint8_t *data = malloc(size + 1);

    if (!data)
        abort();
    for (uint64_t i = 0; i < size; i++)
        data[i] = kind == 1   ? 0
                  : kind == 2 ? (uint8_t)("resume "[i % 7] + (i % 1000 == 0))
                  : kind == 3 ? (uint8_t)(i / 300000 % 2 ? i * 2654435761u >> 13 : 0)
                              : (uint8_t)tdm_rng_u32(&w->rng);
    return data;
}

static void make_sources(struct world *w, int who)
{
    static const uint64_t sizes[] = {0,      1,      1000,    262143,  262144,
                                     262145, 700000, 1048576, 1500000, 3000000};
    struct side *s = &w->side[who];

    s->source_count = (int)below(w, 4) + !who;
    for (int i = 0; i < s->source_count; i++) {
        uint64_t size = sizes[below(w, sizeof sizes / sizeof *sizes)];
        uint8_t *data = content(w, size, (int)below(w, 5));
        char name[TDM_FILE_NAME_MAX];

        /* The root tells files apart on this disk, so each needs its own. */
        if (size)
            data[0] = (uint8_t)(1 + i + 10 * who);
        (void)snprintf(name, sizeof name, "file %d%d.bin", who, i);
        if (size > 2000 && chance(w, 0.3)) {
            uint8_t *old = content(w, 0, 0);

            free(old);
            old = malloc(size);
            if (!old)
                abort();
            memcpy(old, data + 500, size - 500);
            memcpy(old + size - 500, data, 500);
            disk_add_final(w->side[!who].disk, name, old, size);
            w->versions[w->version_count] = (struct tdm_file_desc){.size = size};
            disk_set_source(s->disk, DISK_FILES - 1, name, old, size);
            w->versions[w->version_count++] = s->disk->sources[DISK_FILES - 1].desc;
        }
        disk_set_source(s->disk, i, name, data, size);
    }
    /* Two files of no bytes are the same file: one of them is enough. */
    for (int i = 0; i < s->source_count; i++)
        for (int k = i + 1; k < s->source_count; k++)
            if (!s->disk->sources[i].desc.size && !s->disk->sources[k].desc.size)
                s->source_count = k;
}

static bool all_sent(const struct world *w)
{
    for (int who = 0; who < 2; who++)
        for (int i = 0; i < w->side[who].source_count; i++)
            if (!w->side[who].sent[i])
                return false;
    return true;
}

static void turn(struct world *w, bool lucky)
{
    int who = (int)below(w, 2);

    w->now += TDM_MS;
    switch (below(w, 5)) {
    case 0:
        pull(w, who, false);
        break;
    case 1:
        pull(w, who, true);
        break;
    case 2:
        deliver(w, who, false);
        break;
    case 3:
        deliver(w, who, true);
        break;
    default:
        disk_turn(w, who, lucky);
        break;
    }
}

static void calm_down(struct world *w)
{
    if (!w->up)
        link_set(w, true);
    for (int who = 0; who < 2; who++) {
        w->side[who].disk->full = false;
        for (uint32_t t = 1; t < 4096; t++) {
            struct tdm_files_progress p;

            if (tdm_files_progress(w->side[who].core, t, &p) && p.paused_here &&
                p.pause == TDM_FILE_PAUSE_USER)
                wish(w, who, TDM_FILES_RESUME, t);
        }
    }
}

static void run(struct world *w, uint64_t seed)
{
    w->rng = tdm_rng_of(seed);
    for (int i = 0; i < 2; i++) {
        w->side[i].disk = disk_create();
        w->side[i].storage = malloc(tdm_files_bytes());
        if (!w->side[i].storage)
            abort();
    }
    make_sources(w, 0);
    make_sources(w, 1);
    start(w, 0);
    start(w, 1);
    link_set(w, true);
    uint32_t unlucky = below(w, 4000);

    for (uint32_t i = 0; i < unlucky && !w->failure && !all_sent(w); i++) {
        turn(w, false);
        bad_luck(w);
        if (i % 256 == 0)
            check_finals(w, false);
    }
    for (uint32_t i = 0; i < CALM_STEPS && !w->failure && !all_sent(w); i++) {
        if (i % 500 == 0)
            calm_down(w);
        turn(w, true);
    }
    if (!w->failure && !all_sent(w))
        w->failure = "not every file was sent";
    if (!w->failure)
        check_finals(w, true);
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t failed = 0, links = 0, crashes = 0, changes = 0, wrongs = 0, deltas = 0, zeros = 0,
             packed = 0, written = 0, fulls = 0;

    for (uint64_t seed = first; seed < first + count; seed++) {
        struct world *w = calloc(1, sizeof *w);

        if (!w)
            abort();
        run(w, seed);
        if (w->failure) {
            printf("sim.files %llu 1: %s\n", (unsigned long long)seed, w->failure);
            failed++;
        }
        links += w->links;
        crashes += w->crashes;
        changes += w->changes;
        wrongs += w->wrongs;
        fulls += w->fulls;
        for (int i = 0; i < 2; i++) {
            deltas += w->side[i].disk->deltas;
            zeros += w->side[i].disk->zero_runs;
            packed += w->side[i].disk->packed;
            written += w->side[i].disk->blocks_written;
            disk_destroy(w->side[i].disk);
            free(w->side[i].storage);
        }
        free(w);
    }
    printf("%llu seeds, %llu failed: %llu links, %llu crashes, %llu full disks, %llu changes, "
           "%llu wrong blocks, %llu deltas, %llu runs of zeros, %llu packed, %llu blocks\n",
           (unsigned long long)count, (unsigned long long)failed, (unsigned long long)links,
           (unsigned long long)crashes, (unsigned long long)fulls, (unsigned long long)changes,
           (unsigned long long)wrongs, (unsigned long long)deltas, (unsigned long long)zeros,
           (unsigned long long)packed, (unsigned long long)written);
    /* Luck that is never bad tests nothing. */
    return failed || (count >= 100 && (!links || !crashes || !changes || !wrongs || !deltas ||
                                       !zeros || !packed || !fulls));
}
