/* SPDX-License-Identifier: MIT */
#include "tests/sim/file_disk.h"

#include "collab/file_map.h"

#include <stdlib.h>
#include <string.h>

static void *need(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (!p)
        abort();
    return p;
}

struct disk *disk_create(void)
{
    struct disk *d = need(sizeof *d);

    d->packer_storage = need(tdm_file_packer_bytes());
    d->packer = tdm_file_packer_init(d->packer_storage);
    return d;
}

static void forget_handles(struct disk *d)
{
    for (size_t i = 0; i < sizeof d->handles / sizeof *d->handles; i++)
        free(d->handles[i].delta);
    memset(d->handles, 0, sizeof d->handles);
}

void disk_destroy(struct disk *d)
{
    forget_handles(d);
    for (int i = 0; i < DISK_FILES; i++) {
        free(d->sources[i].data);
        free(d->sources[i].nodes);
        free(d->parts[i].data);
        free(d->parts[i].leaves);
    }
    for (int i = 0; i < 4 * DISK_FILES; i++)
        free(d->finals[i].data);
    free(d->packer_storage);
    free(d);
}

void disk_set_source(struct disk *d, int i, const char *name, uint8_t *data, uint64_t size)
{
    struct disk_source *s = &d->sources[i];
    uint32_t blocks = tdm_file_block_count(size);

    if (s->data != data)
        free(s->data);
    free(s->nodes);
    *s = (struct disk_source){.data = data, .desc = {.size = size, .date_s = 1700000000}};
    (void)strncpy(s->desc.name, name, sizeof s->desc.name - 1);
    s->nodes = need(tdm_file_tree_nodes(blocks) * sizeof *s->nodes);
    for (uint32_t b = 0; b < blocks; b++)
        tdm_file_leaf(data + (size_t)b * TDM_FILE_BLOCK_BYTES, tdm_file_block_size(size, b),
                      s->nodes[b]);
    tdm_file_tree_build(s->nodes, blocks, s->desc.root);
}

void disk_change_source(struct disk *d, int i, uint64_t at)
{
    d->sources[i].data[at] ^= 0x55;
}

void disk_add_final(struct disk *d, const char *name, const uint8_t *data, uint64_t size)
{
    char numbered[TDM_FILE_NAME_MAX + 16];
    int place = 0;

    (void)strncpy(numbered, name, sizeof numbered - 1);
    for (unsigned n = 2; place < 4 * DISK_FILES && d->finals[place].data; place++)
        if (strcmp(d->finals[place].name, numbered) == 0) {
            tdm_file_name_numbered(numbered, sizeof numbered, name, n++);
            place = -1;
        }
    if (place == 4 * DISK_FILES)
        abort();
    struct disk_final *f = &d->finals[place];

    f->data = need(size);
    f->size = size;
    memcpy(f->data, data, size);
    memcpy(f->name, numbered, strnlen(numbered, sizeof f->name - 1));
}

void disk_queue(struct disk *d, const struct tdm_files_job *job)
{
    if (d->job_count == DISK_JOBS)
        abort();
    d->jobs[d->job_count++] = *job;
}

static uint32_t verify_part(struct disk_part *p)
{
    uint32_t have = 0;

    for (uint32_t b = 0; b < tdm_file_block_count(p->desc.size); b++) {
        tdm_file_hash leaf;

        if (!tdm_file_map_has(p->leaves[b]))
            continue;
        tdm_file_leaf(p->data + (size_t)b * TDM_FILE_BLOCK_BYTES,
                      tdm_file_block_size(p->desc.size, b), leaf);
        if (memcmp(leaf, p->leaves[b], sizeof leaf) == 0)
            have++;
        else
            memset(p->leaves[b], 0, sizeof leaf);
    }
    return have;
}

static void root_of(const uint8_t *data, uint64_t size, tdm_file_hash root)
{
    struct tdm_file_root r;
    tdm_file_hash leaf;

    tdm_file_root_init(&r);
    for (uint32_t b = 0; b < tdm_file_block_count(size); b++) {
        tdm_file_leaf(data + (size_t)b * TDM_FILE_BLOCK_BYTES, tdm_file_block_size(size, b), leaf);
        tdm_file_root_add(&r, leaf);
    }
    tdm_file_root_final(&r, root);
}

/* The same name, or a numbered one of it. */
static bool is_named(const struct disk_final *f, const char *name)
{
    return f->data && strncmp(f->name, name, strcspn(name, ".")) == 0;
}

static void open_part(struct disk *d, const struct tdm_files_job *job, struct tdm_files_done *done)
{
    struct disk_handle *h = &d->handles[job->transfer];
    uint32_t blocks = tdm_file_block_count(job->desc->size);
    struct disk_part *p = NULL;

    for (int i = 0; i < 4 * DISK_FILES; i++) {
        struct disk_final *f = &d->finals[i];
        tdm_file_hash root;

        if (!is_named(f, job->desc->name))
            continue;
        root_of(f->data, f->size, root);
        if (f->size == job->desc->size && memcmp(root, job->desc->root, sizeof root) == 0)
            h->whole = f;
        else
            h->old = f;
    }
    done->blocks = blocks;
    if (h->whole)
        return;
    for (int i = 0; i < DISK_FILES && !p; i++)
        if (d->parts[i].used && tdm_file_map_fits(&d->parts[i].desc, job->desc))
            p = &d->parts[i];
    for (int i = 0; i < DISK_FILES && !p; i++)
        if (!d->parts[i].used) {
            p = &d->parts[i];
            *p = (struct disk_part){.used = true, .desc = *job->desc};
            p->data = need(job->desc->size);
            p->leaves = need(blocks * sizeof *p->leaves);
        }
    if (!p)
        abort();
    h->part = p;
    done->blocks = verify_part(p);
    if (h->old) {
        h->chunk_bytes = tdm_delta_chunk_bytes(h->old->size);
        done->chunk_count = tdm_delta_chunk_count(h->old->size);
    }
}

static void plan(struct disk *d, const struct tdm_files_job *job, struct tdm_files_done *done)
{
    struct disk_part *p = d->handles[job->transfer].part;
    uint32_t blocks = tdm_file_block_count(job->desc->size), at = job->index;

    while (p && at < blocks && tdm_file_map_has(p->leaves[at]))
        at++;
    done->index = at;
    while (p && at < blocks && at - done->index < job->count && !tdm_file_map_has(p->leaves[at]))
        at++;
    done->count = at - done->index;
}

static void sign(struct disk *d, const struct tdm_files_job *job, struct tdm_files_done *done)
{
    struct disk_handle *h = &d->handles[job->transfer];
    struct tdm_writer w = tdm_writer_of(job->data, TDM_FILE_BLOCK_BYTES);
    uint32_t count = tdm_delta_chunk_count(h->old->size);

    tdm_write_u32(&w, h->chunk_bytes);
    for (uint32_t i = job->frame.index; i < count && tdm_writer_left(&w) >= 12; i++) {
        tdm_delta_sign(h->old->data + (size_t)i * h->chunk_bytes, h->chunk_bytes,
                       tdm_write_reserve(&w, TDM_DELTA_SIGNATURE_BYTES));
        done->count++;
    }
    done->frame.size = (uint32_t)tdm_writer_size(&w);
}

static void learn(struct disk *d, const struct tdm_files_job *job, struct tdm_files_done *done)
{
    struct disk_handle *h = &d->handles[job->transfer];
    struct tdm_reader r = tdm_reader_of(job->data, job->frame.size);
    uint32_t chunk = tdm_read_u32(&r);

    if (!h->delta)
        h->delta = need(sizeof *h->delta);
    if (job->frame.index == 0 && tdm_delta_init(h->delta, chunk) != TDM_OK)
        done->result = TDM_FILES_WRONG_BYTES;
    while (tdm_reader_left(&r) >= TDM_DELTA_SIGNATURE_BYTES && done->result == TDM_FILES_OK) {
        done->count++;
        if (tdm_delta_learn(h->delta, tdm_read_bytes(&r, TDM_DELTA_SIGNATURE_BYTES)) != TDM_OK)
            done->result = TDM_FILES_WRONG_BYTES;
    }
}

static struct disk_source *source_of(struct disk *d, const struct tdm_files_job *job)
{
    for (int i = 0; i < DISK_FILES; i++)
        if (d->sources[i].data &&
            memcmp(d->sources[i].desc.root, job->desc->root, TDM_FILE_HASH_BYTES) == 0)
            return &d->sources[i];
    return NULL;
}

static void read_block(struct disk *d, const struct tdm_files_job *job, struct tdm_files_done *done)
{
    struct disk_source *s = source_of(d, job);
    struct disk_handle *h = &d->handles[job->transfer];
    uint32_t i = job->frame.index;
    tdm_file_hash leaf, zeros;

    if (!s) {
        done->result = TDM_FILES_FILE_CHANGED;
        return;
    }
    uint64_t size = s->desc.size, start = (uint64_t)i * TDM_FILE_BLOCK_BYTES;
    uint32_t length = tdm_file_block_size(size, i), leaves = tdm_file_block_count(size);
    uint64_t end = start + length, chunk = job->plain || !h->delta ? 0 : h->delta->chunk_bytes;
    uint64_t before = start < chunk ? start : chunk,
             after = size - end < chunk ? size - end : chunk;
    struct tdm_delta_view view = {s->data + start - before, (uint32_t)before, length,
                                  (uint32_t)after};
    struct tdm_file_packing how = {.zstd = true, .delta = chunk ? h->delta : NULL};

    tdm_file_leaf(s->data + start, length, leaf);
    if (memcmp(leaf, s->nodes[i], sizeof leaf) != 0) {
        done->result = TDM_FILES_FILE_CHANGED;
        return;
    }
    struct tdm_file_place place = {.index = i, .leaves = leaves};

    tdm_file_zeros(0, zeros);
    while (memcmp(leaf, zeros, sizeof zeros) == 0 && place.height < 5) {
        uint32_t covers = 2u << place.height;
        bool all = i % covers == 0 && covers <= job->count;

        for (uint32_t k = i; all && k < i + covers; k++)
            all = memcmp(s->nodes[k], zeros, sizeof zeros) == 0;
        if (!all)
            break;
        place.height++;
    }
    uint8_t body[TDM_FILE_BLOCK_BYTES];
    struct tdm_file_packed packed = tdm_file_pack(d->packer, &view, &how, body);

    done->frame.proof_count =
        tdm_file_tree_proof(s->nodes, &place, (tdm_file_hash *)(void *)job->data);
    done->frame.height = place.height;
    done->frame.encoding = packed.encoding;
    done->frame.size = packed.size;
    memcpy(job->data + (size_t)done->frame.proof_count * TDM_FILE_HASH_BYTES, body, packed.size);
    d->deltas += packed.encoding & TDM_FILE_DELTA ? 1 : 0;
    d->packed += packed.encoding == TDM_FILE_ZSTD;
    d->zero_runs += place.height > 0;
}

static bool follow_delta(const struct disk_final *old, struct tdm_reader r, uint8_t *out,
                         uint32_t size)
{
    struct tdm_delta_op op;
    uint32_t at = 0;
    enum tdm_err err;

    while ((err = tdm_delta_next(&r, size - at, &op)) == TDM_OK) {
        if (op.copy && (!old || op.old_offset + op.size > old->size))
            return false;
        memcpy(out + at, op.copy ? old->data + op.old_offset : op.literal, op.size);
        at += op.size;
    }
    return err == TDM_E_GONE && at == size;
}

static void write_block(struct disk *d, const struct tdm_files_job *job,
                        struct tdm_files_done *done)
{
    static uint8_t plain[TDM_FILE_BLOCK_BYTES];
    struct disk_handle *h = &d->handles[job->transfer];
    const struct tdm_file_frame *f = &job->frame;
    uint64_t size = job->desc->size;
    uint32_t length = tdm_file_block_size(size, f->index), unpacked = length;
    struct tdm_file_packed packed = {f->encoding, f->size};
    struct tdm_file_proof proof = {job->data, f->proof_count};
    struct tdm_file_place place = {f->index, tdm_file_block_count(size), f->height,
                                   job->desc->root};
    const uint8_t *bytes = tdm_file_unpack(
        d->packer, &packed, job->data + (size_t)f->proof_count * TDM_FILE_HASH_BYTES, &unpacked);
    tdm_file_hash leaf, node;

    done->result = TDM_FILES_WRONG_BYTES;
    if (!bytes || !h->part)
        return;
    if (f->encoding & TDM_FILE_DELTA) {
        if (!follow_delta(h->old, tdm_reader_of(bytes, unpacked), plain, length))
            return;
        bytes = plain;
    }
    tdm_file_leaf(bytes, length, leaf);
    memcpy(node, leaf, sizeof node);
    if (f->height)
        tdm_file_zeros(f->height, node);
    if (!tdm_file_tree_proves(&place, node, &proof))
        return;
    if (d->full) {
        done->result = TDM_FILES_DISK_FULL;
        return;
    }
    done->result = TDM_FILES_OK;
    for (uint32_t i = f->index; i < f->index + (1u << f->height); i++) {
        done->blocks += !tdm_file_map_has(h->part->leaves[i]);
        memcpy(h->part->data + (size_t)i * TDM_FILE_BLOCK_BYTES, bytes,
               tdm_file_block_size(size, i));
        memcpy(h->part->leaves[i], leaf, sizeof leaf);
        d->blocks_written++;
    }
}

static void finish(struct disk *d, const struct tdm_files_job *job, struct tdm_files_done *done)
{
    struct disk_handle *h = &d->handles[job->transfer];
    struct tdm_file_root r;
    tdm_file_hash root;

    if (h->whole)
        return;
    tdm_file_root_init(&r);
    for (uint32_t b = 0; b < tdm_file_block_count(job->desc->size); b++)
        tdm_file_root_add(&r, h->part->leaves[b]);
    tdm_file_root_final(&r, root);
    if (memcmp(root, job->desc->root, sizeof root) != 0) {
        done->result = TDM_FILES_WRONG_BYTES;
        return;
    }
    disk_add_final(d, job->desc->name, h->part->data, job->desc->size);
    free(h->part->data);
    free(h->part->leaves);
    *h->part = (struct disk_part){0};
    h->part = NULL;
}

static void close_handle(struct disk *d, const struct tdm_files_job *job)
{
    struct disk_handle *h = &d->handles[job->transfer];

    if (h->part && !job->keep) {
        free(h->part->data);
        free(h->part->leaves);
        *h->part = (struct disk_part){0};
    }
    free(h->delta);
    *h = (struct disk_handle){0};
}

bool disk_do(struct disk *d, struct tdm_files_done *done)
{
    struct tdm_files_job job = d->jobs[0];

    d->job_count--;
    memmove(d->jobs, d->jobs + 1, d->job_count * sizeof job);
    *done = (struct tdm_files_done){
        .kind = job.kind, .transfer = job.transfer, .slot = job.slot, .frame = job.frame};
    switch (job.kind) {
    case TDM_FILES_JOB_OPEN:
        open_part(d, &job, done);
        break;
    case TDM_FILES_JOB_PLAN:
        plan(d, &job, done);
        break;
    case TDM_FILES_JOB_SIGN:
        sign(d, &job, done);
        break;
    case TDM_FILES_JOB_WRITE:
        write_block(d, &job, done);
        break;
    case TDM_FILES_JOB_FINISH:
        finish(d, &job, done);
        break;
    case TDM_FILES_JOB_READ:
        read_block(d, &job, done);
        break;
    case TDM_FILES_JOB_SPACE:
        done->result = d->full ? TDM_FILES_DISK_FULL : TDM_FILES_OK;
        break;
    case TDM_FILES_JOB_LEARN:
        learn(d, &job, done);
        break;
    default:
        close_handle(d, &job);
        return false;
    }
    return true;
}

/* The map may know of a block that did not reach the disk, or the disk hold one that the map has
 * lost; what was finished stays. */
void disk_crash(struct disk *d, struct tdm_rng *rng)
{
    d->job_count = 0;
    forget_handles(d);
    for (int i = 0; i < DISK_FILES; i++) {
        struct disk_part *p = &d->parts[i];

        for (uint32_t b = 0; p->used && b < tdm_file_block_count(p->desc.size); b++) {
            if (tdm_rng_chance(rng, 0.05))
                p->data[(size_t)b * TDM_FILE_BLOCK_BYTES] ^= 1;
            if (tdm_rng_chance(rng, 0.05))
                memset(p->leaves[b], 0, sizeof p->leaves[b]);
        }
    }
}
