/* SPDX-License-Identifier: MIT */
#include "engine/wire/vp8_payload.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_MAX 5000

/* RFC 7741 section 4.2 (figure 2) with everything present: X N S; I L T K; M and 15 bits of picture
 * id 0x1234; TL0PICIDX 0x56; TID 2, Y, KEYIDX 21; then an interframe's first byte (P = 1). */
static void test_reads_the_full_descriptor(void **state)
{
    static const uint8_t payload[] = {0xb0, 0xf0, 0x92, 0x34, 0x56, 0xb5, 0x31, 0xaa};
    struct tdm_vp8_descriptor d;

    (void)state;
    assert_int_equal(tdm_vp8_parse(&d, payload, sizeof payload), TDM_OK);
    assert_true(d.non_reference && d.start && d.has_picture_id && d.picture_id_wide);
    assert_int_equal(d.picture_id, 0x1234);
    assert_true(d.has_tl0 && d.has_tid && d.layer_sync && d.has_key_idx);
    assert_int_equal(d.tl0_pic_idx, 0x56);
    assert_int_equal(d.tid, 2);
    assert_int_equal(d.key_idx, 21);
    assert_false(d.keyframe);
    assert_ptr_equal(d.data, payload + 6);
    assert_int_equal(d.size, 2);
    /* Cut anywhere before the first byte of data it is refused. */
    for (size_t size = 0; size < 7; size++) {
        uint8_t *cut = malloc(size ? size : 1);

        assert_non_null(cut);
        memcpy(cut, payload, size);
        assert_int_equal(tdm_vp8_parse(&d, cut, size), TDM_E_MALFORMED);
        free(cut);
    }
}

struct vp8_case {
    const char *what;
    uint8_t bytes[6];
    struct tdm_vp8_descriptor want;
    size_t header_bytes;
};

/* The first four are the descriptors of the examples in RFC 7741 section 4.5. */
static void test_descriptors(void **state)
{
    static const struct vp8_case cases[] = {
        {"key frame, 7-bit id 17",
         {0x90, 0x80, 0x11, 0x10},
         {.start = true, .has_picture_id = true, .picture_id = 17, .keyframe = true},
         3},
        {"second partition 1, 7-bit id 17",
         {0x91, 0x80, 0x11, 0x10},
         {.partition = 1, .has_picture_id = true, .picture_id = 17},
         3},
        {"continuation of a partition",
         {0x81, 0x80, 0x11, 0x10},
         {.partition = 1, .has_picture_id = true, .picture_id = 17},
         3},
        {"15-bit id 4711",
         {0x90, 0x80, 0x92, 0x67, 0x11},
         {.start = true, .has_picture_id = true, .picture_id_wide = true, .picture_id = 4711},
         4},
        {"no extension", {0x10, 0x00}, {.start = true, .keyframe = true}, 1},
        {"not a start: P is data", {0x00, 0x00}, {0}, 1},
        {"T without K keeps no key index",
         {0x80, 0x20, 0xff, 1},
         {.has_tid = true, .tid = 3, .layer_sync = true},
         3},
        {"K without T keeps no layer",
         {0x80, 0x10, 0xff, 1},
         {.has_key_idx = true, .key_idx = 31},
         3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_vp8_descriptor d, want = cases[i].want;

        assert_int_equal(tdm_vp8_parse(&d, cases[i].bytes, sizeof cases[i].bytes), TDM_OK);
        assert_ptr_equal(d.data, cases[i].bytes + cases[i].header_bytes);
        assert_int_equal(d.size, sizeof cases[i].bytes - cases[i].header_bytes);
        if (d.start != want.start || d.partition != want.partition ||
            d.has_picture_id != want.has_picture_id || d.picture_id != want.picture_id ||
            d.picture_id_wide != want.picture_id_wide || d.has_tl0 != want.has_tl0 ||
            d.has_tid != want.has_tid || d.tid != want.tid || d.layer_sync != want.layer_sync ||
            d.has_key_idx != want.has_key_idx || d.key_idx != want.key_idx ||
            d.keyframe != want.keyframe)
            fail_msg("%s", cases[i].what);
    }
}

static size_t cut_and_join(const uint8_t *frame, size_t size, uint16_t picture_id,
                           size_t payload_max, uint8_t *joined)
{
    struct tdm_vp8_packetizer p;
    uint8_t out[FRAME_MAX];
    size_t out_size, at = 0, least = SIZE_MAX, most = 0;
    bool last = false;
    unsigned count = 0;

    tdm_vp8_packetizer_init(&p, frame, size, picture_id, payload_max);
    while (tdm_vp8_packetizer_next(&p, out, payload_max, &out_size, &last) == TDM_OK) {
        struct tdm_vp8_descriptor d;

        assert_in_range(out_size, 5, payload_max);
        assert_int_equal(tdm_vp8_parse(&d, out, out_size), TDM_OK);
        assert_true(d.has_picture_id && d.picture_id_wide);
        assert_int_equal(d.picture_id, picture_id & 0x7fff);
        assert_int_equal(d.start, at == 0);
        assert_int_equal(d.keyframe, at == 0 && !(frame[0] & 1));
        memcpy(joined + at, d.data, d.size);
        at += d.size;
        assert_int_equal(last, at == size);
        least = out_size < least ? out_size : least;
        most = out_size > most ? out_size : most;
        count++;
    }
    assert_int_equal(tdm_vp8_packetizer_next(&p, out, payload_max, &out_size, &last), TDM_E_AGAIN);
    /* As few as can be, and nearly equal. */
    assert_int_equal(count, (size + payload_max - 5) / (payload_max - 4));
    assert_true(size == 0 || most - least < count + 1);
    return at;
}

static void test_cut_and_join(void **state)
{
    struct tdm_rng rng = tdm_rng_of(7741);
    static uint8_t frame[FRAME_MAX], joined[FRAME_MAX];

    (void)state;
    for (int i = 0; i < 3000; i++) {
        size_t size = tdm_rng_below(&rng, FRAME_MAX);
        size_t payload_max = 5 + tdm_rng_below(&rng, i % 2 ? 20 : 1500);

        for (size_t at = 0; at < size; at++)
            frame[at] = (uint8_t)tdm_rng_u32(&rng);
        assert_int_equal(
            cut_and_join(frame, size, (uint16_t)tdm_rng_u32(&rng), payload_max, joined), size);
        assert_memory_equal(frame, joined, size);
    }
}

static void test_too_little_room_keeps_the_place(void **state)
{
    struct tdm_vp8_packetizer p;
    uint8_t out[20];
    size_t size;
    bool last;

    (void)state;
    tdm_vp8_packetizer_init(&p, (const uint8_t *)"0123456789", 10, 1, 14);
    assert_int_equal(tdm_vp8_packetizer_next(&p, out, 13, &size, &last), TDM_E_SPACE);
    assert_int_equal(tdm_vp8_packetizer_next(&p, out, 14, &size, &last), TDM_OK);
    assert_int_equal(size, 14);
    assert_true(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_the_full_descriptor),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_cut_and_join),
        cmocka_unit_test(test_too_little_room_keeps_the_place),
    };

    return cmocka_run_group_tests_name("vp8_payload", tests, NULL, NULL);
}
