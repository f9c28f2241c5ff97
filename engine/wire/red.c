/* SPDX-License-Identifier: MIT */
#include "engine/wire/red.h"

#define MORE 0x80 /* Another header follows. */

/* RFC 2198 section 3: headers of four bytes, one of one byte for the newest, then the blocks. */
enum tdm_err tdm_red_parse(struct tdm_red *red, const uint8_t *data, size_t size)
{
    struct tdm_reader headers = tdm_reader_of(data, size), blocks = headers;
    size_t head = 1;

    *red = (struct tdm_red){0};
    while (tdm_reader_left(&blocks) && *blocks.at & MORE) {
        tdm_read_skip(&blocks, 4);
        head += 4;
    }
    tdm_read_skip(&blocks, 1);
    if (!blocks.ok)
        return TDM_E_MALFORMED;
    for (; head > 1; head -= 4) {
        uint8_t type = tdm_read_u8(&headers) & 0x7f;
        uint32_t rest = tdm_read_u24(&headers);
        uint16_t length = (uint16_t)(rest & TDM_RED_COPY_MAX);
        const uint8_t *bytes = tdm_read_bytes(&blocks, length);

        if (red->count < TDM_RED_BLOCKS_MAX - 1)
            red->blocks[red->count++] = (struct tdm_red_block){
                .payload_type = type,
                .offset = (uint16_t)(rest >> 10),
                .size = length,
                .data = bytes,
            };
    }
    uint8_t type = tdm_read_u8(&headers);
    size_t left = tdm_reader_left(&blocks);

    red->blocks[red->count++] =
        (struct tdm_red_block){.payload_type = type, .size = (uint16_t)left, .data = blocks.at};
    return blocks.ok && left <= UINT16_MAX ? TDM_OK : TDM_E_MALFORMED;
}

void tdm_red_write(struct tdm_writer *w, const struct tdm_red *red)
{
    for (uint8_t i = 0; i < red->count; i++) {
        const struct tdm_red_block *b = &red->blocks[i];

        if (i + 1 == red->count) {
            tdm_write_u8(w, b->payload_type & 0x7f);
            continue;
        }
        w->ok = w->ok && b->size <= TDM_RED_COPY_MAX && b->offset <= TDM_RED_OFFSET_MAX;
        tdm_write_u8(w, b->payload_type | MORE);
        tdm_write_u24(w, (uint32_t)b->offset << 10 | b->size);
    }
    for (uint8_t i = 0; i < red->count; i++)
        tdm_write_bytes(w, red->blocks[i].data, red->blocks[i].size);
}
