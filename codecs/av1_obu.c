/* SPDX-License-Identifier: MIT */
#include "codecs/av1_obu.h"

#define HAS_EXTENSION  0x04
#define HAS_SIZE       0x02
#define SIZE_BYTES_MAX 4 /* The specification allows eight; no unit of ours is that large. */

/* leb128(): seven bits a byte, least significant first. */
static size_t read_size(struct tdm_reader *r)
{
    size_t value = 0;

    for (int i = 0; i < SIZE_BYTES_MAX; i++) {
        uint8_t byte = tdm_read_u8(r);

        value |= (size_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80)
            return value;
    }
    r->ok = false;
    return 0;
}

bool tdm_av1_obu_next(struct tdm_reader *r, struct tdm_av1_obu *obu)
{
    const uint8_t *start = r->at;

    if (!r->ok || tdm_reader_left(r) == 0)
        return false;
    uint8_t header = tdm_read_u8(r);

    if (header & HAS_EXTENSION)
        tdm_read_skip(r, 1);
    if (header & 0x80 || !(header & HAS_SIZE)) {
        r->ok = false;
        return false;
    }
    size_t payload_size = read_size(r);

    *obu = (struct tdm_av1_obu){.type = header >> 3 & 15u, .data = start};
    obu->payload = tdm_read_bytes(r, payload_size);
    obu->payload_size = payload_size;
    obu->size = (size_t)(r->at - start);
    return r->ok;
}

bool tdm_av1_frame_header_parse(struct tdm_av1_frame_header *header, const struct tdm_av1_obu *obu)
{
    if (obu->payload_size == 0)
        return false;
    uint8_t first = obu->payload[0]; /* show_existing_frame, frame_type (2 bits), show_frame. */

    *header = (struct tdm_av1_frame_header){.show_existing = first >> 7 != 0};
    if (!header->show_existing) {
        header->keyframe = (first >> 5 & 3) == 0;
        header->shown = (first >> 4 & 1) != 0;
    }
    return true;
}
