/* SPDX-License-Identifier: MIT */
#include "collab/file_delta.h"

#include <string.h>

#define VAIN_MAX  2048 /* Sums of one block that were confirmed in vain. */
#define CHAIN_MAX 16

uint32_t tdm_delta_chunk_bytes(uint64_t old_size)
{
    uint32_t chunk = TDM_DELTA_CHUNK_MIN;

    while (chunk <= TDM_DELTA_CHUNK_MAX && old_size / chunk > TDM_DELTA_CHUNKS_MAX)
        chunk *= 2;
    return old_size < TDM_DELTA_CHUNK_MIN || chunk > TDM_DELTA_CHUNK_MAX ? 0 : chunk;
}

uint32_t tdm_delta_chunk_count(uint64_t old_size)
{
    uint32_t chunk = tdm_delta_chunk_bytes(old_size);

    return chunk ? (uint32_t)(old_size / chunk) : 0;
}

/* Two sums of 16 bits, of the bytes and of the sums so far, as Fletcher's; a window moves on by one
 * byte in two additions. */
struct sum {
    uint32_t a, b;
};

static struct sum sum_of(const uint8_t *data, uint32_t size)
{
    struct sum s = {0, 0};

    for (uint32_t i = 0; i < size; i++) {
        s.a += data[i];
        s.b += s.a;
    }
    return s;
}

static void sum_roll(struct sum *s, uint32_t size, uint8_t leaves, uint8_t enters)
{
    s->a += (uint32_t)enters - leaves;
    s->b += s->a - size * leaves;
}

static uint32_t sum_value(const struct sum *s)
{
    return (s->a & 0xffff) | s->b << 16;
}

void tdm_delta_sign(const uint8_t *chunk, uint32_t size,
                    uint8_t signature[TDM_DELTA_SIGNATURE_BYTES])
{
    struct tdm_writer w = tdm_writer_of(signature, TDM_DELTA_SIGNATURE_BYTES);
    struct sum s = sum_of(chunk, size);
    uint8_t digest[TDM_SHA256_BYTES];

    tdm_sha256(chunk, size, digest);
    tdm_write_u32(&w, sum_value(&s));
    tdm_write_bytes(&w, digest, 8);
}

static uint32_t bucket_of(uint32_t sum)
{
    return (sum * 0x9e3779b1u >> 16) % TDM_DELTA_CHUNKS_MAX;
}

enum tdm_err tdm_delta_init(struct tdm_delta *d, uint32_t chunk_bytes)
{
    if (chunk_bytes < TDM_DELTA_CHUNK_MIN || chunk_bytes > TDM_DELTA_CHUNK_MAX ||
        (chunk_bytes & (chunk_bytes - 1)))
        return TDM_E_MALFORMED;
    d->chunk_bytes = chunk_bytes;
    d->count = 0;
    memset(d->heads, 0, sizeof d->heads);
    return TDM_OK;
}

enum tdm_err tdm_delta_learn(struct tdm_delta *d,
                             const uint8_t signature[TDM_DELTA_SIGNATURE_BYTES])
{
    struct tdm_reader r = tdm_reader_of(signature, TDM_DELTA_SIGNATURE_BYTES);
    uint32_t i = d->count;

    if (i == TDM_DELTA_CHUNKS_MAX)
        return TDM_E_SPACE;
    d->count++;
    d->sums[i] = tdm_read_u32(&r);
    memcpy(d->strong[i], r.at, sizeof d->strong[i]);

    uint32_t *head = &d->heads[bucket_of(d->sums[i])];
    int length = 0;

    /* The same chunk twice, or a bucket that a stranger fills: the first ones will do. */
    for (uint32_t at = *head; at; at = d->next[at - 1])
        if (++length == CHAIN_MAX ||
            (d->sums[at - 1] == d->sums[i] && memcmp(d->strong[at - 1], d->strong[i], 8) == 0))
            return TDM_OK;
    d->next[i] = *head;
    *head = i + 1;
    return TDM_OK;
}

/* The chunk that stands at `data`, + 1; 0: none. */
static uint32_t find(const struct tdm_delta *d, uint32_t sum, const uint8_t *data, int *vain)
{
    uint8_t digest[TDM_SHA256_BYTES];
    bool hashed = false;

    for (uint32_t at = d->heads[bucket_of(sum)]; at; at = d->next[at - 1]) {
        if (d->sums[at - 1] != sum || *vain >= VAIN_MAX)
            continue;
        if (!hashed)
            tdm_sha256(data, d->chunk_bytes, digest);
        hashed = true;
        if (memcmp(d->strong[at - 1], digest, 8) == 0)
            return at;
        ++*vain;
    }
    return 0;
}

/* Instructions: 'C' size:u24 offset:u48, or 'L' size:u24 bytes. Sizes are not zero. */
static void write_literal(struct tdm_writer *w, const uint8_t *data, uint32_t size)
{
    if (!size)
        return;
    tdm_write_u8(w, 'L');
    tdm_write_u24(w, size);
    tdm_write_bytes(w, data, size);
}

static void write_copy(struct tdm_writer *w, const struct tdm_delta_op *copy)
{
    if (!copy->size)
        return;
    tdm_write_u8(w, 'C');
    tdm_write_u24(w, copy->size);
    tdm_write_uint(w, copy->old_offset, 6);
}

/* What of the chunk at `at` lies in the block, behind what is done; joined to the copy before. */
static void take_chunk(const struct tdm_delta_view *v, struct tdm_delta_op *copy, uint32_t *done,
                       struct tdm_writer *w, uint32_t at, struct tdm_delta_op chunk)
{
    uint32_t start = at > *done ? at : *done;
    uint32_t end = at + chunk.size;

    if (end > v->before + v->size)
        end = v->before + v->size;
    if (start >= end)
        return;
    uint64_t offset = chunk.old_offset + (start - at);

    if (!copy->size || start != *done || copy->old_offset + copy->size != offset) {
        write_copy(w, copy);
        write_literal(w, v->data + *done, start - *done);
        *copy = (struct tdm_delta_op){.copy = true, .old_offset = offset};
    }
    copy->size += end - start;
    *done = end;
}

enum tdm_err tdm_delta_make(const struct tdm_delta *d, const struct tdm_delta_view *view,
                            struct tdm_writer *w)
{
    uint32_t chunk = d->chunk_bytes, total = view->before + view->size + view->after;
    uint32_t done = view->before, at = 0;
    struct tdm_delta_op copy = {0};
    struct sum s = {0, 0};
    bool summed = false, found = false;
    int vain = 0;

    while (d->count && at + chunk <= total && at < view->before + view->size && w->ok) {
        if (!summed)
            s = sum_of(view->data + at, chunk);
        summed = true;
        uint32_t hit = find(d, sum_value(&s), view->data + at, &vain);

        if (hit) {
            struct tdm_delta_op op = {.size = chunk, .old_offset = (uint64_t)(hit - 1) * chunk};

            take_chunk(view, &copy, &done, w, at, op);
            found = true;
            at += chunk;
            summed = false;
        } else if (at + chunk < total) {
            sum_roll(&s, chunk, view->data[at], view->data[at + chunk]);
            at++;
        } else {
            break;
        }
    }
    write_copy(w, &copy);
    write_literal(w, view->data + done, view->before + view->size - done);
    return w->ok && found ? TDM_OK : TDM_E_SPACE;
}

enum tdm_err tdm_delta_next(struct tdm_reader *r, uint32_t room, struct tdm_delta_op *op)
{
    if (!tdm_reader_left(r))
        return r->ok ? TDM_E_GONE : TDM_E_MALFORMED;
    uint8_t kind = tdm_read_u8(r);

    *op = (struct tdm_delta_op){.copy = kind == 'C', .size = tdm_read_u24(r)};
    if (op->copy)
        op->old_offset = tdm_read_uint(r, 6);
    else
        op->literal = tdm_read_bytes(r, op->size);
    return r->ok && (op->copy || kind == 'L') && op->size && op->size <= room ? TDM_OK
                                                                              : TDM_E_MALFORMED;
}
