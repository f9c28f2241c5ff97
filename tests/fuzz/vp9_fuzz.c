/* SPDX-License-Identifier: MIT */
/* The input as payloads (each behind a byte of its size) to parse and join, and as a frame to cut
 * and join. */

#include "engine/wire/vp9_payload.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool check_descriptor(const uint8_t *data, size_t size, struct tdm_vp9_descriptor *d)
{
    if (tdm_vp9_parse(d, data, size))
        return false;
    assert(d->size && d->size < size && d->data + d->size == data + size);
    assert(d->picture_id < (d->picture_id_wide ? 0x8000 : 0x80));
    assert(d->tid < 8 && d->sid < TDM_VP9_LAYERS_MAX);
    assert(d->reference_count <= TDM_VP9_REFERENCES_MAX);
    assert((d->reference_count > 0) == (d->flexible && d->inter_picture));
    assert(!d->has_structure ||
           (d->structure.layer_count >= 1 && d->structure.layer_count <= TDM_VP9_LAYERS_MAX));
    assert(!d->keyframe || (d->start && !d->sid));
    return true;
}

static void join_one(struct tdm_vp9_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                     size_t size)
{
    size_t before = tdm_writer_size(w);
    bool was_in_frame = j->in_frame;
    struct tdm_vp9_descriptor d;
    bool good = check_descriptor(payload, size, &d);
    enum tdm_err err = tdm_vp9_join(j, w, payload, size);

    if (err) {
        assert(tdm_writer_size(w) == before && !j->in_frame);
        assert(err != TDM_E_SPACE || !w->ok);
    } else {
        assert(good && d.start != was_in_frame && j->in_frame == !d.end);
        assert(tdm_writer_size(w) == before + d.size);
    }
}

static void check_payloads(const uint8_t *data, size_t size)
{
    uint8_t picture[2048];
    struct tdm_writer w = tdm_writer_of(picture, sizeof picture);
    struct tdm_vp9_joiner j = {0};
    struct tdm_reader r = tdm_reader_of(data, size);

    while (tdm_reader_left(&r)) {
        size_t payload_size = tdm_read_u8(&r);

        if (payload_size > tdm_reader_left(&r))
            payload_size = tdm_reader_left(&r);
        join_one(&j, &w, tdm_read_bytes(&r, payload_size), payload_size);
    }
    if (j.frame_count)
        assert(tdm_vp9_join_end(&j, &w) == (w.ok ? TDM_OK : TDM_E_SPACE) || j.frame_count == 1);
}

/* The first two bytes say how to cut the rest. */
static void check_cutting(const uint8_t *data, size_t size)
{
    size_t payload_max = TDM_VP9_PAYLOAD_MIN + data[0], frame_size = size - 2, out_size, count = 0;
    uint16_t picture_id = (uint16_t)(data[1] * 257);
    uint8_t *joined = malloc(frame_size + 1), out[TDM_VP9_PAYLOAD_MIN + 255];
    struct tdm_writer w = tdm_writer_of(joined, frame_size);
    struct tdm_vp9_packetizer p;
    struct tdm_vp9_joiner j = {0};
    struct tdm_vp9_frame frame;
    bool last = false;
    bool key = tdm_vp9_frame_parse(&frame, data + 2, frame_size) == TDM_OK && frame.keyframe;

    assert(joined);
    tdm_vp9_packetizer_init(&p, data + 2, frame_size, picture_id, payload_max);
    for (; tdm_vp9_packetizer_next(&p, out, sizeof out, &out_size, &last) == TDM_OK; count++) {
        struct tdm_vp9_descriptor d;

        assert(out_size <= payload_max && check_descriptor(out, out_size, &d));
        assert(d.start == !count && d.end == last && d.inter_picture == !key);
        assert(d.picture_id == (picture_id & 0x7fff));
        assert(!d.has_structure || (d.start && key && d.structure.width[0] == frame.width));
        assert(tdm_vp9_join(&j, &w, out, out_size) == TDM_OK);
    }
    assert(last == (frame_size > 0) && tdm_writer_size(&w) == frame_size);
    assert(!frame_size || memcmp(joined, data + 2, frame_size) == 0);
    free(joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_vp9_descriptor d;

    check_descriptor(data, size, &d);
    check_payloads(data, size);
    if (size >= 2)
        check_cutting(data, size);
    return 0;
}
