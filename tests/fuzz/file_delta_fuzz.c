/* SPDX-License-Identifier: MIT */
/*
 * Bodies of blocks that a stranger packed, and deltas. Checked: unpacking stays within a block; a
 * delta made of an old and a new content gives the new one back.
 */
#include "collab/file_block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONTENT 8192

static struct tdm_file_packer *packer;
static struct tdm_delta *delta;
static uint8_t body[TDM_FILE_BLOCK_BYTES], plain[TDM_FILE_BLOCK_BYTES];
static uint8_t old[CONTENT], new[CONTENT];

static void unpack(const uint8_t *data, size_t size)
{
    struct tdm_file_packed packed = {data[0] & 7, (uint32_t)size - 3};
    uint32_t wanted = 1 + (uint32_t)(data[1] << 8 | data[2]), length = wanted;
    const uint8_t *bytes = tdm_file_unpack(packer, &packed, data + 3, &length);
    struct tdm_delta_op op;
    uint32_t at = 0;

    if (!bytes)
        return;
    if (!(packed.encoding & TDM_FILE_DELTA)) {
        assert(length == wanted);
        memcpy(plain, bytes, length);
        return;
    }
    struct tdm_reader r = tdm_reader_of(bytes, length);

    while (tdm_delta_next(&r, wanted - at, &op) == TDM_OK) {
        if (!op.copy)
            memcpy(plain + at, op.literal, op.size);
        at += op.size;
        assert(at <= wanted);
    }
}

/* The new content is pieces of the old one and of the input, as the input says. */
static uint32_t compose(const uint8_t *data, size_t size)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < CONTENT; i++)
        old[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t i = 0; i + 3 <= size && at < CONTENT; i += 3) {
        uint32_t from = (uint32_t)(data[i] << 8 | data[i + 1]) % CONTENT;
        uint32_t length = data[i + 2] & 1 ? 1 : data[i + 2] * 16u;

        for (uint32_t k = 0; k < length && at < CONTENT; k++)
            new[at++] = data[i + 2] & 1 ? data[i] : old[(from + k) % CONTENT];
    }
    return at;
}

static void round_trip(const uint8_t *data, size_t size)
{
    uint32_t total = compose(data, size), before = total / 4, after = total / 8;
    struct tdm_delta_view view = {new, before, total - before - after, after};
    struct tdm_file_packing how = {.zstd = size & 1, .delta = delta};
    struct tdm_delta_op op;
    uint8_t signature[TDM_DELTA_SIGNATURE_BYTES];

    assert(tdm_delta_init(delta, 1024) == TDM_OK);
    for (uint32_t i = 0; i < CONTENT / 1024; i++) {
        tdm_delta_sign(old + i * 1024, 1024, signature);
        assert(tdm_delta_learn(delta, signature) == TDM_OK);
    }
    if (!view.size)
        return;
    struct tdm_file_packed packed = tdm_file_pack(packer, &view, &how, body);
    uint32_t length = view.size, at = 0;
    const uint8_t *bytes = tdm_file_unpack(packer, &packed, body, &length);

    assert(bytes);
    if (packed.encoding & TDM_FILE_DELTA) {
        struct tdm_reader r = tdm_reader_of(bytes, length);

        while (tdm_delta_next(&r, view.size - at, &op) == TDM_OK) {
            assert(!op.copy || op.old_offset + op.size <= CONTENT);
            memcpy(plain + at, op.copy ? old + op.old_offset : op.literal, op.size);
            at += op.size;
        }
        assert(at == view.size);
        bytes = plain;
    }
    assert(memcmp(bytes, new + before, view.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!packer) {
        void *storage = malloc(tdm_file_packer_bytes());

        delta = malloc(sizeof *delta);
        if (!storage || !delta)
            abort();
        packer = tdm_file_packer_init(storage);
    }
    if (size < 4 || size > 100000)
        return 0;
    if (data[0] & 0x80)
        round_trip(data + 1, size - 1);
    else
        unpack(data, size);
    return 0;
}
