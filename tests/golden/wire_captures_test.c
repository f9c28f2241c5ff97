/* SPDX-License-Identifier: MIT */
/* Packets of other programs, read by engine/wire and compared with what tshark read in them. */

#include "engine/wire/dtmf.h"
#include "engine/wire/h264_payload.h"
#include "engine/wire/h265_payload.h"
#include "engine/wire/rtcp.h"
#include "engine/wire/rtp.h"
#include "engine/wire/vp8_payload.h"
#include "engine/wire/vp9_payload.h"
#include "tests/golden/hex.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_rtp_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof captured_rtp / sizeof *captured_rtp; i++) {
        const struct captured_rtp *want = &captured_rtp[i];
        uint8_t bytes[CAPTURE_BYTES_MAX], again[CAPTURE_BYTES_MAX];
        size_t size = bytes_of_hex(bytes, want->hex);
        struct tdm_writer w = tdm_writer_of(again, sizeof again);
        struct tdm_rtp rtp;

        assert_int_equal(tdm_rtp_parse(&rtp, bytes, size), TDM_OK);
        if (rtp.marker != want->marker || rtp.payload_type != want->payload_type ||
            rtp.seq != want->seq || rtp.timestamp != want->timestamp || rtp.ssrc != want->ssrc ||
            rtp.payload_size != want->payload_size || rtp.ext_count != (want->ext_id ? 1 : 0))
            fail_msg("%s", want->name);
        if (want->ext_id)
            assert_int_equal(tdm_rtp_ext_find(&rtp, want->ext_id)->size, want->ext_size);

        /* None of them has CSRCs or padding, so writing gives the sender's very bytes, but for the
         * extension that holds padding alone. */
        if (bytes[0] & 0x10 && !rtp.ext_count)
            continue;
        tdm_rtp_write(&w, &rtp);
        assert_int_equal(tdm_writer_size(&w), size);
        assert_memory_equal(again, bytes, size);
    }
}

static struct tdm_rtp rtp_of(uint8_t bytes[CAPTURE_BYTES_MAX], const char *name)
{
    struct tdm_rtp rtp;

    assert_int_equal(tdm_rtp_parse(&rtp, bytes, bytes_of_capture(bytes, name)), TDM_OK);
    return rtp;
}

struct vp8_want {
    const char *name;
    bool start, keyframe;
    uint16_t picture_id;
    size_t header_bytes;
};

static void test_vp8(void **state)
{
    static const struct vp8_want wants[] = {
        {"gst_vp8_key", true, true, 13446, 4},       {"gst_vp8_inter_0", true, false, 13447, 4},
        {"gst_vp8_inter_1", false, false, 13447, 4}, {"gst_vp8_inter_2", false, false, 13447, 4},
        {"gst_vp8_inter_3", false, false, 13447, 4}, {"ffmpeg_vp8", true, false, 1, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        uint8_t bytes[CAPTURE_BYTES_MAX];
        struct tdm_rtp rtp = rtp_of(bytes, wants[i].name);
        struct tdm_vp8_descriptor d;

        assert_int_equal(tdm_vp8_parse(&d, rtp.payload, rtp.payload_size), TDM_OK);
        if (d.start != wants[i].start || d.keyframe != wants[i].keyframe || !d.has_picture_id ||
            d.picture_id != wants[i].picture_id || d.has_tid || d.has_tl0 || d.has_key_idx ||
            d.size + wants[i].header_bytes != rtp.payload_size)
            fail_msg("%s", wants[i].name);
    }
}

struct vp9_want {
    const char *name;
    bool start, end, keyframe, inter_picture;
    int picture_id;         /* -1: none. */
    uint16_t width, height; /* 0: no scalability structure. */
    size_t header_bytes;
};

/* GStreamer's source gave its encoder 12 bits a sample, so its key frame is of profile 3; ffmpeg
 * never sets P, and knows no picture id. */
static void test_vp9(void **state)
{
    static const struct vp9_want wants[] = {
        {"gst_vp9_key_0", true, false, true, false, 14431, 64, 48, 11},
        {"gst_vp9_key_1", false, false, false, false, 14431, 0, 0, 3},
        {"gst_vp9_key_6", false, true, false, false, 14431, 0, 0, 3},
        {"gst_vp9_inter_0", true, false, false, true, 14433, 0, 0, 3},
        {"gst_vp9_inter_1", false, true, false, true, 14433, 0, 0, 3},
        {"gst_vp9_7bit_0", true, false, false, true, 73, 0, 0, 2},
        {"gst_vp9_7bit_1", false, true, false, true, 73, 0, 0, 2},
        {"ffmpeg_vp9_key_0", true, false, true, false, -1, 0, 0, 1},
        {"ffmpeg_vp9_inter_0", true, false, false, false, -1, 0, 0, 1},
        {"ffmpeg_vp9_inter_1", false, true, false, false, -1, 0, 0, 1},
        {"ffmpeg_vp9_whole", true, true, false, false, -1, 0, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        const struct vp9_want *want = &wants[i];
        uint8_t bytes[CAPTURE_BYTES_MAX];
        struct tdm_rtp rtp = rtp_of(bytes, want->name);
        struct tdm_vp9_descriptor d;

        assert_int_equal(tdm_vp9_parse(&d, rtp.payload, rtp.payload_size), TDM_OK);
        if (d.start != want->start || d.end != want->end || d.keyframe != want->keyframe ||
            d.inter_picture != want->inter_picture || d.flexible || d.has_layers ||
            (d.has_picture_id ? d.picture_id : -1) != want->picture_id ||
            d.has_structure != (want->width > 0) || d.structure.width[0] != want->width ||
            d.structure.height[0] != want->height ||
            d.size + want->header_bytes != rtp.payload_size || rtp.marker != want->end)
            fail_msg("%s", want->name);
    }
}

struct h265_want {
    const char *name;
    struct tdm_h265_peek peek; /* Starts, ends, VPS, SPS, IRAP, first slice. */
    size_t joined_bytes;       /* With its start codes. */
};

static void test_h265(void **state)
{
    static const struct h265_want wants[] = {
        {"gst_h265_ap", {true, true, true, true, false, false}, 87 - 2 - 3 * 2 + 3 * 4},
        {"gst_h265_idr_0", {true, false, false, false, true, true}, 188 - 3 + 6},
        {"gst_h265_idr_1", {false, false, false, false, false, false}, 188 - 3},
        {"gst_h265_idr_13", {false, true, false, false, false, false}, 163 - 3},
        {"gst_h265_slice_0", {true, false, false, false, false, true}, 188 - 3 + 6},
        {"gst_h265_slice_1", {false, false, false, false, false, false}, 188 - 3},
        {"gst_h265_slice_2", {false, true, false, false, false, false}, 147 - 3},
        {"ffmpeg_h265_single", {true, true, false, false, false, true}, 191 + 4},
    };
    static uint8_t stream[4000];
    struct tdm_writer w = tdm_writer_of(stream, sizeof stream);
    struct tdm_h265_joiner j = {0};

    (void)state;
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        uint8_t bytes[CAPTURE_BYTES_MAX];
        struct tdm_rtp rtp = rtp_of(bytes, wants[i].name);
        const struct tdm_h265_peek *want = &wants[i].peek;
        size_t before = tdm_writer_size(&w);
        struct tdm_h265_peek peek;

        assert_int_equal(tdm_h265_peek(&peek, rtp.payload, rtp.payload_size), TDM_OK);
        if (peek.starts_nal != want->starts_nal || peek.ends_nal != want->ends_nal ||
            peek.has_vps != want->has_vps || peek.has_sps != want->has_sps ||
            peek.has_irap != want->has_irap || peek.first_slice != want->first_slice)
            fail_msg("%s", wants[i].name);
        assert_int_equal(tdm_h265_join(&j, &w, rtp.payload, rtp.payload_size), TDM_OK);
        assert_int_equal(tdm_writer_size(&w) - before, wants[i].joined_bytes);
    }
}

struct h264_want {
    const char *name;
    struct tdm_h264_peek peek;
    const char *nals; /* Types that the joined stream has by then. */
};

/* The types of the NAL units in an Annex B stream, as text. */
static void list_nals(const struct tdm_writer *w, char text[64])
{
    size_t size = tdm_writer_size(w);

    text[0] = '\0';
    for (size_t i = 0; i + 4 < size; i++) {
        if (memcmp(w->start + i, "\0\0\0\1", 4) == 0)
            (void)snprintf(text + strlen(text), 64 - strlen(text), "%d ", w->start[i + 4] & 0x1f);
    }
}

static void test_h264(void **state)
{
    static const struct h264_want wants[] = {
        {"gst_h264_stap", {true, true, true, false, false}, "7 8 "},
        {"gst_h264_aud", {true, true, false, false, false}, "7 8 9 "},
        {"gst_h264_slice_0", {true, false, false, false, true}, "7 8 9 1 "},
        {"gst_h264_slice_1", {false, false, false, false, false}, "7 8 9 1 "},
        {"gst_h264_slice_2", {false, true, false, false, false}, "7 8 9 1 "},
        {"ffmpeg_h264_stap", {true, true, false, false, true}, "7 8 9 1 1 1 "},
        {"ffmpeg_h264_single", {true, true, false, false, true}, "7 8 9 1 1 1 1 "},
        {"gst_h264_idr_start", {true, false, false, true, true}, "7 8 9 1 1 1 1 5 "},
    };
    static uint8_t stream[2000];
    struct tdm_writer w = tdm_writer_of(stream, sizeof stream);
    struct tdm_h264_joiner j = {0};

    (void)state;
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        uint8_t bytes[CAPTURE_BYTES_MAX];
        struct tdm_rtp rtp = rtp_of(bytes, wants[i].name);
        const struct tdm_h264_peek *want = &wants[i].peek;
        struct tdm_h264_peek peek;
        char nals[64];

        assert_int_equal(tdm_h264_peek(&peek, rtp.payload, rtp.payload_size), TDM_OK);
        if (peek.starts_nal != want->starts_nal || peek.ends_nal != want->ends_nal ||
            peek.has_sps != want->has_sps || peek.has_idr != want->has_idr ||
            peek.first_slice != want->first_slice)
            fail_msg("%s", wants[i].name);
        assert_int_equal(tdm_h264_join(&j, &w, rtp.payload, rtp.payload_size), TDM_OK);
        list_nals(&w, nals);
        assert_string_equal(nals, wants[i].nals);
    }
}

static void test_telephone_event(void **state)
{
    uint8_t bytes[CAPTURE_BYTES_MAX];
    struct tdm_rtp rtp = rtp_of(bytes, "sipp_dtmf_first");
    struct tdm_dtmf dtmf;

    (void)state;
    assert_int_equal(tdm_dtmf_parse(&dtmf, rtp.payload, rtp.payload_size), TDM_OK);
    assert_int_equal(tdm_dtmf_digit_of(dtmf.event), '5');
    assert_false(dtmf.end);
    assert_int_equal(dtmf.volume_dbm0, 10);
    assert_int_equal(dtmf.duration, 0);
    rtp = rtp_of(bytes, "sipp_dtmf_end");
    assert_int_equal(tdm_dtmf_parse(&dtmf, rtp.payload, rtp.payload_size), TDM_OK);
    assert_true(dtmf.end);
    assert_int_equal(dtmf.duration, 2240);
}

/* One item in words: its kind, then its SSRCs and numbers as tshark names them. */
static void describe(const struct tdm_rtcp_item *item, char *text, size_t size)
{
    const struct tdm_rtcp_sr *sr = &item->sr;

    switch (item->kind) {
    case TDM_RTCP_SR:
        (void)snprintf(text, size, "sr %08x %016" PRIx64 " %u %u %u", item->sender_ssrc, sr->ntp,
                       sr->rtp_timestamp, sr->packet_count, sr->octet_count);
        return;
    case TDM_RTCP_RR:
        (void)snprintf(text, size, "rr %08x", item->sender_ssrc);
        return;
    case TDM_RTCP_SDES:
        (void)snprintf(text, size, "sdes %08x %s", item->sender_ssrc, item->text);
        return;
    case TDM_RTCP_BYE:
        (void)snprintf(text, size, "bye %08x%s", item->sender_ssrc, item->text);
        return;
    case TDM_RTCP_NACK:
        assert_int_equal(item->nack.count, 1);
        (void)snprintf(text, size, "nack %08x %08x %u+%04x", item->sender_ssrc, item->media_ssrc,
                       item->nack.entries[0].pid, item->nack.entries[0].blp);
        return;
    case TDM_RTCP_PLI:
        (void)snprintf(text, size, "pli %08x %08x", item->sender_ssrc, item->media_ssrc);
        return;
    case TDM_RTCP_FIR:
        (void)snprintf(text, size, "fir %08x %08x %u", item->sender_ssrc, item->media_ssrc,
                       item->fir_seq);
        return;
    default:
        fail_msg("an item that no capture has");
    }
}

static void describe_report(const struct tdm_rtcp_report *r, char *text, size_t size)
{
    (void)snprintf(text, size, " [%08x lost %u/%d high %u jitter %u lsr %08x dlsr %u]", r->ssrc,
                   r->fraction_lost, r->cumulative_lost, r->highest_seq, r->jitter, r->last_sr,
                   r->delay_since_last_sr);
}

static void test_rtcp(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof captured_rtcp / sizeof *captured_rtcp; i++) {
        uint8_t bytes[CAPTURE_BYTES_MAX];
        size_t size = bytes_of_hex(bytes, captured_rtcp[i].hex);
        struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(bytes, size);
        struct tdm_rtcp_item item;
        enum tdm_err err;
        char text[1000] = "";

        assert_true(tdm_rtp_is_rtcp(bytes, size));
        while ((err = tdm_rtcp_next(&reader, &item)) == TDM_OK) {
            size_t used = strlen(text);
            size_t gap = used ? 1 : 0;

            memset(text + used, ' ', gap);
            describe(&item, text + used + gap, sizeof text - used - gap);
            for (uint8_t k = 0; k < item.report_count; k++)
                describe_report(&item.reports[k], text + strlen(text), sizeof text - strlen(text));
        }
        assert_int_equal(err, TDM_E_AGAIN);
        assert_string_equal(text, captured_rtcp[i].items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rtp_headers), cmocka_unit_test(test_vp8),
        cmocka_unit_test(test_vp9),         cmocka_unit_test(test_h265),
        cmocka_unit_test(test_h264),        cmocka_unit_test(test_telephone_event),
        cmocka_unit_test(test_rtcp),
    };

    return cmocka_run_group_tests_name("wire_captures", tests, NULL, NULL);
}
