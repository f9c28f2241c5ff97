/* SPDX-License-Identifier: MIT */
#include "render/stream_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (text), sizeof(text) - 1

/* What is found in a picture; NULL: nothing. */
static const struct {
    const char *what;
    enum tdm_codec_id codec;
    const char *data;
    size_t size;
    const char *header;
    size_t header_size;
} rows[] = {
    {"h264: both sets, start codes of 3 and 4 bytes", TDM_CODEC_H264,
     BYTES("\0\0\1\x67qq\0\0\0\1\x68pp\0\0\1\x65slice"), BYTES("\0\0\0\1\x67qq\0\0\0\1\x68pp")},
    {"h264: an SEI between", TDM_CODEC_H264, BYTES("\0\0\1\x67q\0\0\1\6sei\0\0\1\x68p"),
     BYTES("\0\0\0\1\x67q\0\0\0\1\x68p")},
    {"h264: one set alone", TDM_CODEC_H264, BYTES("\0\0\1\x67qq\0\0\1\x65slice"), NULL, 0},
    {"h264: nothing", TDM_CODEC_H264, BYTES("\0\0\1"), NULL, 0},
    {"h265: all three", TDM_CODEC_H265,
     BYTES("\0\0\1\x40\1v\0\0\0\1\x42\1s\0\0\1\x44\1p\0\0\1\x26\1slice"),
     BYTES("\0\0\0\1\x40\1v\0\0\0\1\x42\1s\0\0\0\1\x44\1p")},
    {"h265: no VPS", TDM_CODEC_H265, BYTES("\0\0\1\x42\1s\0\0\1\x44\1p"), NULL, 0},
    {"av1: behind a delimiter", TDM_CODEC_AV1, BYTES("\x12\0\x0a\3abc\x32\4fram"),
     BYTES("\x0a\3abc")},
    {"av1: with an extension, a size of two bytes", TDM_CODEC_AV1,
     BYTES("\x16\0\0\x0e\x08\x83\0abc\x32\1f"), BYTES("\x0e\x08\x83\0abc")},
    {"av1: none in a delta frame", TDM_CODEC_AV1, BYTES("\x12\0\x32\4fram"), NULL, 0},
    {"av1: cut", TDM_CODEC_AV1, BYTES("\x0a\4abc"), NULL, 0},
    {"av1: without a size", TDM_CODEC_AV1,
     BYTES("\x08"
           "abc"),
     NULL, 0},
    {"av1: a size without an end", TDM_CODEC_AV1, BYTES("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
     NULL, 0},
    {"av1: a huge size", TDM_CODEC_AV1, BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\x7f"), NULL, 0},
    {"vp9: nothing to keep", TDM_CODEC_VP9, BYTES("\x82\x49\x83\x42"), NULL, 0},
};

static void finds_what_a_file_keeps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t out[64];
        size_t size = tdm_stream_header_find(rows[i].codec, (const uint8_t *)rows[i].data,
                                             rows[i].size, out, sizeof out);

        if (size != rows[i].header_size || (size && memcmp(out, rows[i].header, size) != 0))
            fail_msg("%s: %zu bytes", rows[i].what, size);
    }
}

/* Half a header would be worse than none. */
static void keeps_to_the_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t room = 0; room < rows[i].header_size; room++) {
            uint8_t out[64];

            memset(out, 0xee, sizeof out);
            assert_int_equal(tdm_stream_header_find(rows[i].codec, (const uint8_t *)rows[i].data,
                                                    rows[i].size, out, room),
                             0);
            assert_int_equal(out[room], 0xee);
        }
}

static void needed(void **state)
{
    (void)state;
    assert_true(tdm_stream_header_needed(TDM_CODEC_H264));
    assert_true(tdm_stream_header_needed(TDM_CODEC_H265));
    assert_true(tdm_stream_header_needed(TDM_CODEC_AV1));
    assert_false(tdm_stream_header_needed(TDM_CODEC_VP8));
    assert_false(tdm_stream_header_needed(TDM_CODEC_VP9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_file_keeps),
        cmocka_unit_test(keeps_to_the_room),
        cmocka_unit_test(needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
