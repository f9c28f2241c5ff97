/* SPDX-License-Identifier: MIT */
/* Blocks packed and unpacked in every way, and deltas that a stranger wrote. */
#include "collab/file_block.h"
#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OLD_BYTES (5 * TDM_FILE_BLOCK_BYTES + 777)

struct rig {
    void *storage;
    struct tdm_file_packer *packer;
    struct tdm_delta delta;
    uint8_t old[OLD_BYTES], data[OLD_BYTES + 4096];
    uint8_t body[TDM_FILE_BLOCK_BYTES], plain[TDM_FILE_BLOCK_BYTES];
};

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    if (!r)
        return -1;
    r->storage = malloc(tdm_file_packer_bytes());
    if (!r->storage) {
        free(r);
        return -1;
    }
    r->packer = tdm_file_packer_init(r->storage);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *r = *state;

    free(r->storage);
    free(r);
    return 0;
}

static void noise(uint8_t *data, size_t size, uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed);

    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)tdm_rng_u32(&rng);
}

static struct tdm_file_packed there_and_back(struct rig *r, uint32_t size)
{
    struct tdm_delta_view view = {.data = r->data, .size = size};
    struct tdm_file_packing how = {.zstd = true};
    struct tdm_file_packed packed = tdm_file_pack(r->packer, &view, &how, r->body);
    uint32_t plain_size = size;
    const uint8_t *plain = tdm_file_unpack(r->packer, &packed, r->body, &plain_size);

    assert_non_null(plain);
    assert_int_equal(plain_size, size);
    assert_memory_equal(plain, r->data, size);
    return packed;
}

static void test_ways(void **state)
{
    struct rig *r = *state;
    static const uint32_t sizes[] = {1, 100, 65536, 65537, TDM_FILE_BLOCK_BYTES};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        noise(r->data, sizes[i], i + 1);
        r->data[0] |= 1;
        assert_int_equal(there_and_back(r, sizes[i]).encoding, TDM_FILE_RAW);
        memset(r->data, 0, sizes[i]);
        assert_int_equal(there_and_back(r, sizes[i]).encoding, TDM_FILE_ZEROS);
        if (sizes[i] < 1000)
            continue;
        for (uint32_t k = 0; k < sizes[i]; k++)
            r->data[k] = (uint8_t)("the quick brown fox "[k % 20] + (k % 977 == 0));
        struct tdm_file_packed packed = there_and_back(r, sizes[i]);

        assert_int_equal(packed.encoding, TDM_FILE_ZSTD);
        assert_true(packed.size < sizes[i] / 4);
    }
    /* A beginning that packs badly decides for the block: no time is lost on it. */
    noise(r->data, 65536, 9);
    memset(r->data + 65536, 0, TDM_FILE_BLOCK_BYTES - 65536);
    assert_int_equal(there_and_back(r, TDM_FILE_BLOCK_BYTES).encoding, TDM_FILE_RAW);
}

static void test_too_long(void **state)
{
    struct rig *r = *state;

    /* A bomb: what unpacks to more than the block is refused. */
    for (uint32_t k = 0; k < TDM_FILE_BLOCK_BYTES; k++)
        r->data[k] = k % 5000 == 0;
    struct tdm_file_packed packed = there_and_back(r, TDM_FILE_BLOCK_BYTES);
    uint32_t size = 1000;

    assert_int_equal(packed.encoding, TDM_FILE_ZSTD);
    assert_null(tdm_file_unpack(r->packer, &packed, r->body, &size));
    size = TDM_FILE_BLOCK_BYTES;
    packed.size /= 2;
    assert_null(tdm_file_unpack(r->packer, &packed, r->body, &size));
    packed = (struct tdm_file_packed){.encoding = TDM_FILE_RAW, .size = 10};
    assert_null(tdm_file_unpack(r->packer, &packed, r->body, &size));
    packed.encoding = 7;
    assert_null(tdm_file_unpack(r->packer, &packed, r->body, &size));
}

static void learn_old(struct rig *r)
{
    uint32_t chunk = tdm_delta_chunk_bytes(OLD_BYTES), count = tdm_delta_chunk_count(OLD_BYTES);

    assert_int_equal(tdm_delta_init(&r->delta, chunk), TDM_OK);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t signature[TDM_DELTA_SIGNATURE_BYTES];

        tdm_delta_sign(r->old + (size_t)i * chunk, chunk, signature);
        assert_int_equal(tdm_delta_learn(&r->delta, signature), TDM_OK);
    }
}

/* Follows the instructions as a receiver does. */
static void follow(struct rig *r, const uint8_t *body, uint32_t body_size, uint32_t size)
{
    struct tdm_reader reader = tdm_reader_of(body, body_size);
    struct tdm_delta_op op;
    uint32_t at = 0;
    enum tdm_err err;

    while ((err = tdm_delta_next(&reader, size - at, &op)) == TDM_OK) {
        assert_true(!op.copy || op.old_offset + op.size <= OLD_BYTES);
        memcpy(r->plain + at, op.copy ? r->old + op.old_offset : op.literal, op.size);
        at += op.size;
    }
    assert_int_equal(err, TDM_E_GONE);
    assert_int_equal(at, size);
}

static void test_delta(void **state)
{
    struct rig *r = *state;
    size_t sent = 0;

    /* 100 bytes go in at the front, 5000 are cut out of the middle, one changes. */
    noise(r->old, OLD_BYTES, 3);
    learn_old(r);
    noise(r->data, 100, 4);
    memcpy(r->data + 100, r->old, 600000);
    memcpy(r->data + 600100, r->old + 605000, OLD_BYTES - 605000);
    r->data[900000] ^= 1;
    uint32_t total = OLD_BYTES - 5000 + 100;

    for (uint32_t i = 0; i < tdm_file_block_count(total); i++) {
        uint32_t start = i * TDM_FILE_BLOCK_BYTES, size = tdm_file_block_size(total, i);
        uint32_t chunk = r->delta.chunk_bytes, before = start < chunk ? start : chunk;
        uint32_t left = total - start - size, after = left < chunk ? left : chunk;
        struct tdm_delta_view view = {r->data + start - before, before, size, after};
        struct tdm_file_packing how = {.zstd = true, .delta = &r->delta};
        struct tdm_file_packed packed = tdm_file_pack(r->packer, &view, &how, r->body);
        uint32_t plain_size = size;

        if (packed.encoding & TDM_FILE_DELTA) {
            const uint8_t *ops = tdm_file_unpack(r->packer, &packed, r->body, &plain_size);

            assert_non_null(ops);
            follow(r, ops, plain_size, size);
            assert_memory_equal(r->plain, r->data + start, size);
        }
        sent += packed.size;
    }
    assert_true(sent < 16 * 1024);
}

static void test_delta_lies(void **state)
{
    static const struct {
        uint8_t bytes[12];
        uint8_t size;
        enum tdm_err err;
    } rows[] = {
        {{0}, 0, TDM_E_GONE},
        {{'C', 0, 0, 9, 0, 0, 0, 0, 0, 0}, 10, TDM_OK},
        {{'C', 0, 0, 9, 0, 0, 0, 0, 0}, 9, TDM_E_MALFORMED},
        {{'C', 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10, TDM_E_MALFORMED},
        {{'C', 1, 0, 0, 0, 0, 0, 0, 0, 0}, 10, TDM_E_MALFORMED},
        {{'L', 0, 0, 2, 'a', 'b'}, 6, TDM_OK},
        {{'L', 0, 0, 3, 'a', 'b'}, 6, TDM_E_MALFORMED},
        {{'L', 0, 0, 0}, 4, TDM_E_MALFORMED},
        {{'X', 0, 0, 1, 'a'}, 5, TDM_E_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_reader reader = tdm_reader_of(rows[i].bytes, rows[i].size);
        struct tdm_delta_op op;

        assert_int_equal(tdm_delta_next(&reader, 1000, &op), rows[i].err);
    }
}

/* Signatures that are all alike cost a bounded amount of looking. */
static void test_delta_flood(void **state)
{
    struct rig *r = *state;
    uint8_t signature[TDM_DELTA_SIGNATURE_BYTES] = {0};

    assert_int_equal(tdm_delta_init(&r->delta, 1000), TDM_E_MALFORMED);
    assert_int_equal(tdm_delta_init(&r->delta, 1024), TDM_OK);
    for (uint32_t i = 0; i < TDM_DELTA_CHUNKS_MAX; i++) {
        memcpy(signature + 4, &i, sizeof i);
        assert_int_equal(tdm_delta_learn(&r->delta, signature), TDM_OK);
    }
    assert_int_equal(tdm_delta_learn(&r->delta, signature), TDM_E_SPACE);
    memset(r->data, 0, TDM_FILE_BLOCK_BYTES);
    r->data[TDM_FILE_BLOCK_BYTES - 1] = 1;

    struct tdm_delta_view view = {.data = r->data, .size = TDM_FILE_BLOCK_BYTES};
    struct tdm_writer w = tdm_writer_of(r->body, sizeof r->body);

    assert_int_equal(tdm_delta_make(&r->delta, &view, &w), TDM_E_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_delta, set_up, tear_down),
        cmocka_unit_test(test_delta_lies),
        cmocka_unit_test_setup_teardown(test_delta_flood, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
