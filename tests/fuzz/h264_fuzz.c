/* SPDX-License-Identifier: MIT */
/* The input as payloads (each behind a byte of its size) to peek and join, and as a NAL unit to
 * cut and join. */

#include "engine/wire/h264_payload.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes that a payload adds at most: a STAP-A unit of one byte has two of size, and gets four. */
static size_t joined_max(size_t payload_size)
{
    return payload_size * 2 + 4;
}

static void join_one(struct tdm_h264_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                     size_t size)
{
    size_t before = tdm_writer_size(w);
    bool was_ok = w->ok, was_in_fragment = j->in_fragment;
    struct tdm_h264_peek peek;
    enum tdm_err peeked = tdm_h264_peek(&peek, payload, size);
    enum tdm_err err = tdm_h264_join(j, w, payload, size);
    size_t added = tdm_writer_size(w) - before;

    if (err) {
        assert(!added && !j->in_fragment);
        assert(err != TDM_E_SPACE || !w->ok);
    } else {
        assert(was_ok && peeked == TDM_OK && added <= joined_max(size));
        assert(peek.starts_nal != was_in_fragment);
        assert(j->in_fragment == !peek.ends_nal);
        assert(!peek.starts_nal || (added > 4 && memcmp(w->start + before, "\0\0\0\1", 4) == 0));
    }
    /* What peek refuses join refuses. */
    assert(!peeked || err);
    assert(!(peek.has_idr || peek.has_sps || peek.first_slice) || peek.starts_nal || peeked);
}

static void check_payloads(const uint8_t *data, size_t size)
{
    uint8_t stream[2048];
    struct tdm_writer w = tdm_writer_of(stream, sizeof stream);
    struct tdm_h264_joiner j = {0};
    struct tdm_reader r = tdm_reader_of(data, size);

    while (tdm_reader_left(&r)) {
        size_t payload_size = tdm_read_u8(&r);

        if (payload_size > tdm_reader_left(&r))
            payload_size = tdm_reader_left(&r);
        join_one(&j, &w, tdm_read_bytes(&r, payload_size), payload_size);
    }
}

/* The first byte says how to cut the rest. */
static void check_cutting(const uint8_t *data, size_t size)
{
    size_t payload_max = 3u + data[0], nal_size = size - 1, out_size;
    uint8_t *joined = malloc(nal_size + 4), out[3 + 255];
    struct tdm_writer w = tdm_writer_of(joined, nal_size + 4);
    struct tdm_h264_packetizer p;
    struct tdm_h264_joiner j = {0};
    bool last = false;

    assert(joined);
    tdm_h264_packetizer_init(&p, data + 1, nal_size, payload_max);
    while (tdm_h264_packetizer_next(&p, out, sizeof out, &out_size, &last) == TDM_OK) {
        assert(out_size <= payload_max);
        assert(tdm_h264_join(&j, &w, out, out_size) == TDM_OK && j.in_fragment == !last);
    }
    assert(last && tdm_writer_size(&w) == nal_size + 4);
    assert(memcmp(joined + 4, data + 1, nal_size) == 0);
    free(joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_h264_peek peek;

    if (tdm_h264_peek(&peek, data, size) == TDM_OK)
        assert(peek.starts_nal || !peek.has_idr);
    check_payloads(data, size);
    if (size >= 2 && (data[1] & 0x1f) >= 1 && (data[1] & 0x1f) <= 23)
        check_cutting(data, size);
    return 0;
}
