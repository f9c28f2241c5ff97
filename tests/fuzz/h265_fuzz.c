/* SPDX-License-Identifier: MIT */
/* The input as payloads, each behind a byte of its size, to peek and join. */

#include "engine/wire/h265_payload.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void join_one(struct tdm_h265_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                     size_t size)
{
    size_t before = tdm_writer_size(w);
    bool was_ok = w->ok, was_in_fragment = j->in_fragment;
    struct tdm_h265_peek peek;
    enum tdm_err peeked = tdm_h265_peek(&peek, payload, size);
    enum tdm_err err = tdm_h265_join(j, w, payload, size);
    size_t added = tdm_writer_size(w) - before;

    if (err) {
        assert(!added && !j->in_fragment);
        assert(err != TDM_E_SPACE || !w->ok);
    } else {
        /* The smallest unit of an AP has two bytes and two of size, and gets four. */
        assert(was_ok && peeked == TDM_OK && added <= size * 2 + 4);
        assert(peek.starts_nal != was_in_fragment);
        assert(j->in_fragment == !peek.ends_nal);
        assert(!peek.starts_nal || (added > 5 && memcmp(w->start + before, "\0\0\0\1", 4) == 0));
    }
    assert(!peeked || err);
    assert(!(peek.has_irap || peek.has_vps || peek.has_sps || peek.first_slice) ||
           peek.starts_nal || peeked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t stream[2048];
    struct tdm_writer w = tdm_writer_of(stream, sizeof stream);
    struct tdm_h265_joiner j = {0};
    struct tdm_reader r = tdm_reader_of(data, size);

    join_one(&j, &w, data, size);
    j.in_fragment = false;
    while (tdm_reader_left(&r)) {
        size_t payload_size = tdm_read_u8(&r);

        if (payload_size > tdm_reader_left(&r))
            payload_size = tdm_reader_left(&r);
        join_one(&j, &w, tdm_read_bytes(&r, payload_size), payload_size);
    }
    return 0;
}
