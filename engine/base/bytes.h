/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_BYTES_H
#define TDM_BASE_BYTES_H

/*
 * Bounded big-endian reader and writer with sticky failure. Past the end a read gives zeros and
 * clears `ok`; a write does nothing and clears `ok`. A parser reads every field straight down and
 * tests `ok` once, so there is no length check to forget.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct tdm_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool ok;
};

static inline struct tdm_reader tdm_reader_of(const uint8_t *data, size_t size)
{
    return (struct tdm_reader){.at = data, .end = size ? data + size : data, .ok = true};
}

static inline size_t tdm_reader_left(const struct tdm_reader *r)
{
    return (size_t)(r->end - r->at);
}

/** Borrows `size` bytes and steps over them; NULL (and ok = false) when there are fewer. */
static inline const uint8_t *tdm_read_bytes(struct tdm_reader *r, size_t size)
{
    if (!r->ok || tdm_reader_left(r) < size) {
        r->ok = false;
        r->at = r->end;
        return NULL;
    }
    const uint8_t *bytes = r->at;

    if (size)
        r->at += size;
    return bytes;
}

static inline void tdm_read_skip(struct tdm_reader *r, size_t size)
{
    (void)tdm_read_bytes(r, size);
}

static inline uint64_t tdm_read_uint(struct tdm_reader *r, size_t size)
{
    const uint8_t *bytes = tdm_read_bytes(r, size);
    uint64_t value = 0;

    for (size_t i = 0; bytes && i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static inline uint8_t tdm_read_u8(struct tdm_reader *r)
{
    return (uint8_t)tdm_read_uint(r, 1);
}

static inline uint16_t tdm_read_u16(struct tdm_reader *r)
{
    return (uint16_t)tdm_read_uint(r, 2);
}

static inline uint32_t tdm_read_u24(struct tdm_reader *r)
{
    return (uint32_t)tdm_read_uint(r, 3);
}

static inline uint32_t tdm_read_u32(struct tdm_reader *r)
{
    return (uint32_t)tdm_read_uint(r, 4);
}

static inline uint64_t tdm_read_u64(struct tdm_reader *r)
{
    return tdm_read_uint(r, 8);
}

/** A reader over the next `size` bytes, which the outer one steps over. */
static inline struct tdm_reader tdm_read_sub(struct tdm_reader *r, size_t size)
{
    const uint8_t *bytes = tdm_read_bytes(r, size);
    struct tdm_reader sub = tdm_reader_of(bytes, bytes ? size : 0);

    sub.ok = r->ok;
    return sub;
}

struct tdm_writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool ok;
};

static inline struct tdm_writer tdm_writer_of(uint8_t *data, size_t size)
{
    return (struct tdm_writer){
        .start = data, .at = data, .end = size ? data + size : data, .ok = true};
}

static inline size_t tdm_writer_left(const struct tdm_writer *w)
{
    return (size_t)(w->end - w->at);
}

/** Bytes written so far. */
static inline size_t tdm_writer_size(const struct tdm_writer *w)
{
    return (size_t)(w->at - w->start);
}

/** Room for `size` bytes, to be filled by the caller; NULL (and ok = false) when there is less. */
static inline uint8_t *tdm_write_reserve(struct tdm_writer *w, size_t size)
{
    if (!w->ok || tdm_writer_left(w) < size) {
        w->ok = false;
        return NULL;
    }
    uint8_t *bytes = w->at;

    if (size)
        w->at += size;
    return bytes;
}

static inline void tdm_write_bytes(struct tdm_writer *w, const void *data, size_t size)
{
    uint8_t *bytes = tdm_write_reserve(w, size);

    if (bytes && size)
        memcpy(bytes, data, size);
}

static inline void tdm_write_uint(struct tdm_writer *w, uint64_t value, size_t size)
{
    uint8_t *bytes = tdm_write_reserve(w, size);

    for (size_t i = 0; bytes && i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

static inline void tdm_write_u8(struct tdm_writer *w, uint8_t value)
{
    tdm_write_uint(w, value, 1);
}

static inline void tdm_write_u16(struct tdm_writer *w, uint16_t value)
{
    tdm_write_uint(w, value, 2);
}

static inline void tdm_write_u24(struct tdm_writer *w, uint32_t value)
{
    tdm_write_uint(w, value, 3);
}

static inline void tdm_write_u32(struct tdm_writer *w, uint32_t value)
{
    tdm_write_uint(w, value, 4);
}

static inline void tdm_write_u64(struct tdm_writer *w, uint64_t value)
{
    tdm_write_uint(w, value, 8);
}

#endif
