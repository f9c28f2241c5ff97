/* SPDX-License-Identifier: MIT */
/* The input as a payload to parse, and as a frame to cut and join. */

#include "engine/wire/vp8_payload.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_descriptor(const uint8_t *data, size_t size)
{
    struct tdm_vp8_descriptor d;

    if (tdm_vp8_parse(&d, data, size))
        return;
    assert(d.size && d.size < size && d.data + d.size == data + size);
    assert(d.size + 6 >= size); /* The longest descriptor. */
    assert(d.partition < 8 && d.tid < 4 && d.key_idx < 32);
    assert(d.picture_id < (d.picture_id_wide ? 0x8000 : 0x80));
    assert(!d.keyframe || d.start);
    assert(!d.start || !d.partition);
}

/* The first two bytes say how to cut the rest. */
static void check_cutting(const uint8_t *data, size_t size)
{
    size_t payload_max = 5u + data[0];
    uint16_t picture_id = (uint16_t)(data[1] * 257);
    const uint8_t *frame = data + 2;
    size_t frame_size = size - 2, at = 0, out_size;
    struct tdm_vp8_packetizer p;
    uint8_t out[5 + 255];
    bool last = false;

    tdm_vp8_packetizer_init(&p, frame, frame_size, picture_id, payload_max);
    while (tdm_vp8_packetizer_next(&p, out, sizeof out, &out_size, &last) == TDM_OK) {
        struct tdm_vp8_descriptor d;

        assert(out_size <= payload_max && tdm_vp8_parse(&d, out, out_size) == TDM_OK);
        assert(d.start == (at == 0) && d.picture_id == (picture_id & 0x7fff));
        assert(d.size <= frame_size - at && memcmp(frame + at, d.data, d.size) == 0);
        at += d.size;
        assert(last == (at == frame_size));
    }
    assert(at == frame_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_descriptor(data, size);
    if (size >= 2)
        check_cutting(data, size);
    return 0;
}
