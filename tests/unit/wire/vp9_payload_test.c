/* SPDX-License-Identifier: MIT */
#include "engine/wire/vp9_payload.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_MAX 5000

/* A profile 0 key frame's header, 352 x 288: marker, sync code, BT.709, sizes less one. */
#define KEY_352_288 0x82, 0x49, 0x83, 0x42, 0x40, 0x15, 0xf0, 0x11, 0xf0
#define INTER       0x86

/* Refused when cut anywhere before `size`; each cut in storage of its own, for the sanitizers. */
static void refuses_cuts(const uint8_t *payload, size_t size)
{
    for (size_t cut = 0; cut < size; cut++) {
        struct tdm_vp9_descriptor d;
        uint8_t *bytes = malloc(cut ? cut : 1);

        assert_non_null(bytes);
        memcpy(bytes, payload, cut);
        assert_int_equal(tdm_vp9_parse(&d, bytes, cut), TDM_E_MALFORMED);
        free(bytes);
    }
}

/* RFC 9628 section 4.2, flexible mode with everything: I P L F B V Z; M and picture id 0x1234;
 * TID 5, U, SID 7, D; P_DIFF 1, 63 and 127; two layers' sizes; two pictures of a group, of one and
 * two references. */
static void test_flexible_with_everything(void **state)
{
    static const uint8_t payload[] = {0xfb, 0x92, 0x34, 0xbf, 0x03, 0x7f, 0xfe,  0x38,
                                      0x02, 0x80, 0x01, 0x68, 0x05, 0x00, 0x02,  0xd0,
                                      0x02, 0x04, 0x18, 0x38, 0x07, 0x09, INTER, 0xaa};
    struct tdm_vp9_descriptor d;

    (void)state;
    assert_int_equal(tdm_vp9_parse(&d, payload, sizeof payload), TDM_OK);
    assert_true(d.inter_picture && d.flexible && d.start && !d.end && d.not_upward);
    assert_true(d.has_picture_id && d.picture_id_wide && d.has_layers && !d.has_tl0);
    assert_int_equal(d.picture_id, 0x1234);
    assert_int_equal(d.tid, 5);
    assert_int_equal(d.sid, 7);
    assert_true(d.switching_up && d.inter_layer);
    assert_int_equal(d.reference_count, 3);
    assert_memory_equal(d.references, ((uint8_t[]){1, 63, 127}), 3);
    assert_true(d.has_structure && d.structure.has_sizes && d.structure.has_group);
    assert_int_equal(d.structure.layer_count, 2);
    assert_int_equal(d.structure.width[0], 640);
    assert_int_equal(d.structure.height[0], 360);
    assert_int_equal(d.structure.width[1], 1280);
    assert_int_equal(d.structure.height[1], 720);
    assert_int_equal(d.structure.group_count, 2);
    assert_ptr_equal(d.data, payload + 22);
    assert_int_equal(d.size, 2);
    assert_false(d.keyframe);
    refuses_cuts(payload, 23);
}

/* The same without F: TL0PICIDX behind the layers, and no references though P is set. */
static void test_not_flexible_with_layers(void **state)
{
    static const uint8_t payload[] = {0xec, 0x11, 0x42, 0x77, INTER, 1, 2};
    struct tdm_vp9_descriptor d;

    (void)state;
    assert_int_equal(tdm_vp9_parse(&d, payload, sizeof payload), TDM_OK);
    assert_true(d.has_picture_id && !d.picture_id_wide && d.has_layers && d.has_tl0);
    assert_int_equal(d.picture_id, 0x11);
    assert_int_equal(d.tid, 2);
    assert_int_equal(d.sid, 1);
    assert_false(d.switching_up || d.inter_layer);
    assert_int_equal(d.tl0_pic_idx, 0x77);
    assert_int_equal(d.reference_count, 0);
    assert_true(d.start && d.end && !d.not_upward && !d.flexible);
    assert_int_equal(d.size, 3);
    refuses_cuts(payload, 5);
}

struct vp9_case {
    const char *what;
    enum tdm_err err;
    size_t size, header_bytes;
    bool keyframe;
    uint8_t bytes[24];
};

static void test_descriptors(void **state)
{
    static const struct vp9_case cases[] = {
        {"nothing but B and E", TDM_OK, 3, 1, false, {0x0c, INTER, 1}},
        {"amid a frame", TDM_OK, 2, 1, false, {0x00, 0x82}},
        {"7-bit id", TDM_OK, 3, 2, false, {0x80, 0x7f, 1}},
        {"key frame", TDM_OK, 10, 1, true, {0x0c, KEY_352_288}},
        {"key frame whatever P says", TDM_OK, 10, 1, true, {0x4c, KEY_352_288}},
        {"key header amid a frame", TDM_OK, 10, 1, false, {0x04, KEY_352_288}},
        {"intra only is no key frame", TDM_OK, 10, 1, false, {0x08, 0x84, 0x49, 0x83, 0x42}},
        {"key frame, size cut off", TDM_OK, 9, 1, false, {0x08, KEY_352_288}},
        {"key frame, wrong sync code", TDM_OK, 10, 1, false, {0x08, 0x82, 0x49, 0x83, 0x43}},
        {"key frame of an upper layer", TDM_OK, 12, 3, false, {0x28, 0x02, 0x00, KEY_352_288}},
        {"key frame of layer 0", TDM_OK, 12, 3, true, {0x28, 0x00, 0x00, KEY_352_288}},
        {"one reference", TDM_OK, 4, 3, false, {0xd0, 0x01, 0x02, 9}},
        {"flexible without P has no reference", TDM_OK, 3, 2, false, {0x90, 0x01, 0x03}},
        {"four references", TDM_E_MALFORMED, 8, 0, false, {0xd0, 1, 3, 3, 3, 2, 9, 9}},
        {"structure without anything", TDM_OK, 3, 2, false, {0x02, 0x00, 1}},
        {"group of no picture", TDM_OK, 4, 3, false, {0x02, 0x08, 0x00, 1}},
        {"group cut short", TDM_E_MALFORMED, 5, 0, false, {0x02, 0x08, 0x02, 0x04, 1}},
        {"group of 255, cut short", TDM_E_MALFORMED, 4, 0, false, {0x02, 0x08, 0xff, 0x0c}},
        {"eight sizes, cut short", TDM_E_MALFORMED, 24, 0, false, {0x02, 0xf0, 1, 1}},
        {"no data", TDM_E_MALFORMED, 1, 0, false, {0x0c}},
        {"nothing", TDM_E_MALFORMED, 0, 0, false, {0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct vp9_case *c = &cases[i];
        struct tdm_vp9_descriptor d;

        if (tdm_vp9_parse(&d, c->bytes, c->size) != c->err)
            fail_msg("%s: error", c->what);
        if (c->err)
            continue;
        if (d.data != c->bytes + c->header_bytes || d.size != c->size - c->header_bytes)
            fail_msg("%s: header of %zu bytes", c->what, (size_t)(d.data - c->bytes));
        if (d.keyframe != c->keyframe)
            fail_msg("%s: keyframe %d", c->what, d.keyframe);
    }
}

/* Writes single bits, the highest first. */
struct bit_writer {
    uint8_t bytes[32];
    unsigned at;
};

static void put_bits(struct bit_writer *w, unsigned value, unsigned count)
{
    while (count--) {
        if (value >> count & 1)
            w->bytes[w->at / 8] |= (uint8_t)(0x80 >> w->at % 8);
        w->at++;
    }
}

/* VP9 bitstream specification, sections 6.2 and 7.2: the header of every profile and color space.
 */
static void test_frame_headers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * 2 * 4; i++) {
        unsigned profile = i & 3, color_space = i & 4 ? 7 : 2;
        unsigned width = i & 8 ? 65535 : 65536, height = i & 16 ? 1080 : 65536;
        struct bit_writer w = {.at = 0};
        struct tdm_vp9_frame f;

        put_bits(&w, 2, 2);
        put_bits(&w, profile & 1, 1);
        put_bits(&w, profile >> 1, 1);
        put_bits(&w, 0, profile == 3 ? 1 : 0);
        put_bits(&w, 0, 2); /* show_existing_frame, frame_type */
        put_bits(&w, 3, 2);
        put_bits(&w, 0x498342, 24);
        put_bits(&w, 1, profile >= 2 ? 1 : 0);
        put_bits(&w, color_space, 3);
        if (color_space != 7)
            put_bits(&w, 0, profile & 1 ? 4 : 1);
        else
            put_bits(&w, 0, profile & 1 ? 1 : 0);
        put_bits(&w, width - 1, 16);
        put_bits(&w, height - 1, 16);
        assert_int_equal(tdm_vp9_frame_parse(&f, w.bytes, (w.at + 7) / 8), TDM_OK);
        assert_true(f.keyframe);
        assert_int_equal(f.width, width == 65536 ? 0 : width);
        assert_int_equal(f.height, height == 65536 ? 0 : height);
        for (size_t size = 1; size < (w.at + 7) / 8; size++)
            assert_int_equal(tdm_vp9_frame_parse(&f, w.bytes, size), TDM_E_MALFORMED);
    }
}

static void test_frame_headers_that_are_none(void **state)
{
    static const struct {
        uint8_t first;
        enum tdm_err err;
    } cases[] = {
        {0x86, TDM_OK},          {0x88, TDM_OK},          /* Inter; shows an existing one. */
        {0xb4, TDM_OK},          {0xb8, TDM_E_MALFORMED}, /* Profile 3, then its reserved bit. */
        {0x42, TDM_E_MALFORMED}, {0x02, TDM_E_MALFORMED}, {0xc2, TDM_E_MALFORMED},
    };
    struct tdm_vp9_frame f;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(tdm_vp9_frame_parse(&f, &cases[i].first, 1), cases[i].err);
        assert_false(f.keyframe);
    }
    assert_int_equal(tdm_vp9_frame_parse(&f, NULL, 0), TDM_E_MALFORMED);
}

struct cut {
    const uint8_t *frame;
    size_t size, payload_max;
    uint16_t picture_id;
    bool keyframe; /* 352 x 288 */
};

static void check_first(const struct tdm_vp9_descriptor *d, const struct cut *cut)
{
    assert_int_equal(d->keyframe, cut->keyframe && d->size >= 9);
    assert_int_equal(d->has_structure, cut->keyframe);
    if (!cut->keyframe)
        return;
    assert_int_equal(d->structure.layer_count, 1);
    assert_true(d->structure.has_sizes && !d->structure.has_group);
    assert_int_equal(d->structure.width[0], 352);
    assert_int_equal(d->structure.height[0], 288);
}

static size_t cut_and_join(const struct cut *cut, struct tdm_writer *joined)
{
    struct tdm_vp9_packetizer p;
    struct tdm_vp9_joiner j = {0};
    uint8_t out[FRAME_MAX];
    size_t out_size, least = SIZE_MAX, most = 0, count = 0;
    size_t start = tdm_writer_size(joined), extra = cut->keyframe ? 5 : 0;
    bool last = false;

    tdm_vp9_packetizer_init(&p, cut->frame, cut->size, cut->picture_id, cut->payload_max);
    while (tdm_vp9_packetizer_next(&p, out, cut->payload_max, &out_size, &last) == TDM_OK) {
        struct tdm_vp9_descriptor d;

        assert_in_range(out_size, 4, cut->payload_max);
        assert_int_equal(tdm_vp9_parse(&d, out, out_size), TDM_OK);
        assert_true(d.has_picture_id && d.picture_id_wide && !d.flexible && !d.has_layers);
        assert_int_equal(d.picture_id, cut->picture_id & 0x7fff);
        assert_int_equal(d.start, count == 0);
        assert_int_equal(d.inter_picture, !cut->keyframe);
        if (d.start)
            check_first(&d, cut);
        else
            assert_false(d.has_structure);
        assert_int_equal(tdm_vp9_join(&j, joined, out, out_size), TDM_OK);
        assert_int_equal(last, tdm_writer_size(joined) - start == cut->size);
        assert_int_equal(d.end, last);
        assert_int_equal(j.in_frame, !last);
        least = out_size < least ? out_size : least;
        most = out_size > most ? out_size : most;
        count++;
    }
    assert_int_equal(tdm_vp9_packetizer_next(&p, out, cut->payload_max, &out_size, &last),
                     TDM_E_AGAIN);
    /* As few as can be, and nearly equal. */
    assert_int_equal(count, (cut->size + extra + cut->payload_max - 4) / (cut->payload_max - 3));
    assert_true(!count || most - least < count);
    return count;
}

static void test_cut_and_join(void **state)
{
    static const uint8_t key[] = {KEY_352_288};
    static uint8_t frame[FRAME_MAX], joined[FRAME_MAX];
    struct tdm_rng rng = tdm_rng_of(9628);

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct cut cut = {
            .frame = frame,
            .size = 1 + tdm_rng_below(&rng, FRAME_MAX - 1),
            .payload_max = TDM_VP9_PAYLOAD_MIN + tdm_rng_below(&rng, i % 2 ? 20 : 1500),
            .picture_id = (uint16_t)tdm_rng_u32(&rng),
            .keyframe = i % 3 == 0,
        };
        struct tdm_writer w = tdm_writer_of(joined, sizeof joined);

        for (size_t at = 0; at < cut.size; at++)
            frame[at] = (uint8_t)tdm_rng_u32(&rng);
        frame[0] = i % 5 ? INTER : 0; /* Or no VP9 at all. */
        if (cut.keyframe) {
            cut.size = cut.size < sizeof key ? sizeof key : cut.size;
            memcpy(frame, key, sizeof key);
        }
        cut_and_join(&cut, &w);
        assert_int_equal(tdm_writer_size(&w), cut.size);
        assert_memory_equal(joined, frame, cut.size);
    }
}

static void test_nothing_to_cut(void **state)
{
    struct tdm_vp9_packetizer p;
    uint8_t out[32];
    size_t size;
    bool last;

    (void)state;
    tdm_vp9_packetizer_init(&p, NULL, 0, 1, 32);
    assert_int_equal(tdm_vp9_packetizer_next(&p, out, sizeof out, &size, &last), TDM_E_AGAIN);
    tdm_vp9_packetizer_init(&p,
                            (const uint8_t *)"\x86"
                                             "123456789",
                            10, 1, 16);
    assert_int_equal(tdm_vp9_packetizer_next(&p, out, 12, &size, &last), TDM_E_SPACE);
    assert_int_equal(tdm_vp9_packetizer_next(&p, out, 13, &size, &last), TDM_OK);
    assert_int_equal(size, 13);
    assert_true(last);
}

/* Two layers of a picture, one of them in two packets, as an SVC sender has them. */
static void test_joins_layers(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t size;
    } packets[] = {
        {{0xa8, 5, 0x00, 1, 0x82, 1}, 6},
        {{0xa4, 5, 0x00, 1, 2}, 5},
        {{0xac, 5, 0x03, 1, 0x86, 3, 4}, 7},
    };
    struct tdm_vp9_joiner j = {0};
    static const uint8_t superframe[] = {0x82, 1, 2, 0x86, 3, 4, 0xd9, 3,
                                         0,    0, 0, 3,    0, 0, 0,    0xd9};
    uint8_t out[16], ninth[] = {0xac, 5, 0x03, 1, 0x86};
    struct tdm_writer w = tdm_writer_of(out, sizeof out);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(tdm_vp9_join(&j, &w, packets[i].bytes, packets[i].size), TDM_OK);
    assert_false(j.in_frame);
    assert_int_equal(tdm_writer_size(&w), 6);
    assert_int_equal(tdm_vp9_join_end(&j, &w), TDM_OK);
    assert_int_equal(tdm_writer_size(&w), sizeof superframe);
    assert_memory_equal(out, superframe, sizeof superframe);
    /* No room for the index; and more layers than a superframe has. */
    w = tdm_writer_of(out, 9);
    assert_int_equal(tdm_vp9_join_end(&j, &w), TDM_E_SPACE);
    w = tdm_writer_of(out, sizeof out);
    for (int i = 2; i < TDM_VP9_LAYERS_MAX; i++)
        assert_int_equal(tdm_vp9_join(&j, &w, ninth, sizeof ninth), TDM_OK);
    assert_int_equal(tdm_vp9_join(&j, &w, ninth, sizeof ninth), TDM_E_MALFORMED);
}

static void test_join_watches_the_frames(void **state)
{
    static const uint8_t start[] = {0x08, INTER}, end[] = {0x04, 1}, whole[] = {0x0c, INTER};
    struct tdm_vp9_joiner j = {0};
    uint8_t out[4];
    struct tdm_writer w = tdm_writer_of(out, sizeof out);

    (void)state;
    assert_int_equal(tdm_vp9_join(&j, &w, end, 2), TDM_E_MALFORMED);
    assert_int_equal(tdm_vp9_join(&j, &w, start, 2), TDM_OK);
    assert_int_equal(tdm_vp9_join(&j, &w, whole, 2), TDM_E_MALFORMED);
    assert_int_equal(tdm_vp9_join(&j, &w, start, 2), TDM_OK);
    assert_int_equal(tdm_vp9_join(&j, &w, start, 1), TDM_E_MALFORMED);
    assert_int_equal(tdm_writer_size(&w), 2);
    assert_int_equal(tdm_vp9_join(&j, &w, whole, 2), TDM_OK);
    assert_int_equal(tdm_vp9_join(&j, &w, whole, 2), TDM_OK);
    assert_int_equal(tdm_vp9_join(&j, &w, whole, 2), TDM_E_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flexible_with_everything),
        cmocka_unit_test(test_not_flexible_with_layers),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_frame_headers),
        cmocka_unit_test(test_frame_headers_that_are_none),
        cmocka_unit_test(test_cut_and_join),
        cmocka_unit_test(test_nothing_to_cut),
        cmocka_unit_test(test_joins_layers),
        cmocka_unit_test(test_join_watches_the_frames),
    };

    return cmocka_run_group_tests_name("vp9_payload", tests, NULL, NULL);
}
