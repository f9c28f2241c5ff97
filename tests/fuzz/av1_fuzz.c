/* SPDX-License-Identifier: MIT */
/* The input as payloads (each behind a byte of its size) to peek and join, and as a temporal unit
 * to cut and join: joined it is cut and joined to the same bytes again. */

#include "engine/wire/av1_payload.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum tdm_err join_one(struct tdm_av1_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                             size_t size)
{
    bool was_in_obu = j->in_obu;
    struct tdm_av1_peek peek;
    enum tdm_err peeked = tdm_av1_peek(&peek, payload, size);
    enum tdm_err err = tdm_av1_join(j, w, payload, size);

    assert(!(peek.has_key_frame && peek.has_other_frame));
    assert(w->at >= w->start && w->at <= w->end);
    if (err) {
        assert(!j->in_obu);
        assert(err != TDM_E_SPACE || !w->ok);
    } else {
        assert(peeked == TDM_OK && peek.starts_obu == !was_in_obu && peek.ends_obu == !j->in_obu);
        assert(!j->in_obu || j->obu_at < tdm_writer_size(w));
    }
    assert(!peeked || err);
    return err;
}

/* Cuts a unit and joins it; false when it is none. */
static bool recut(const uint8_t *unit, size_t size, size_t payload_max, struct tdm_writer *w)
{
    struct tdm_av1_packetizer p;
    struct tdm_av1_joiner j = {0};
    uint8_t out[TDM_AV1_PAYLOAD_MIN + 255];
    size_t out_size;
    bool last = true;
    enum tdm_err err;

    tdm_av1_packetizer_init(&p, unit, size, payload_max);
    while ((err = tdm_av1_packetizer_next(&p, out, sizeof out, &out_size, &last)) == TDM_OK) {
        assert(out_size > 1 && out_size <= payload_max);
        enum tdm_err joined = tdm_av1_join(&j, w, out, out_size);

        assert(joined == TDM_OK && (!last || !j.in_obu));
    }
    assert(err == TDM_E_MALFORMED || (err == TDM_E_AGAIN && last));
    return err == TDM_E_AGAIN;
}

/* Whatever was joined to whole OBUs is a unit that can be cut. */
static void check_payloads(const uint8_t *data, size_t size)
{
    uint8_t unit[2048], again[2048];
    struct tdm_writer w = tdm_writer_of(unit, sizeof unit);
    struct tdm_writer w2 = tdm_writer_of(again, sizeof again);
    struct tdm_av1_joiner j = {0};
    struct tdm_reader r = tdm_reader_of(data, size);

    while (tdm_reader_left(&r)) {
        size_t payload_size = tdm_read_u8(&r);

        if (payload_size > tdm_reader_left(&r))
            payload_size = tdm_reader_left(&r);
        if (join_one(&j, &w, tdm_read_bytes(&r, payload_size), payload_size) != TDM_OK)
            return;
        if (j.in_obu)
            continue;
        w2 = tdm_writer_of(again, sizeof again);
        bool good = recut(unit, tdm_writer_size(&w), TDM_AV1_PAYLOAD_MIN + 7, &w2);

        assert(good);
    }
}

/* The first byte says how to cut the rest. */
static void check_cutting(const uint8_t *data, size_t size)
{
    size_t room = 2 * size + 16;
    uint8_t *joined = malloc(room), *again = malloc(room);
    struct tdm_writer w = tdm_writer_of(joined, room), w2 = tdm_writer_of(again, room);

    assert(joined && again);
    if (recut(data + 1, size - 1, TDM_AV1_PAYLOAD_MIN + data[0], &w)) {
        bool good = recut(joined, tdm_writer_size(&w), TDM_AV1_PAYLOAD_MIN + data[0] / 2, &w2);

        assert(good && tdm_writer_size(&w2) == tdm_writer_size(&w));
        assert(memcmp(joined, again, tdm_writer_size(&w)) == 0);
    }
    free(joined);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_payloads(data, size);
    if (size >= 1)
        check_cutting(data, size);
    return 0;
}
