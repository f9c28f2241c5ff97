/* SPDX-License-Identifier: MIT */
#include "engine/wire/reliable_datagram.h"

#define VERSION 1u /* In the upper half of the first byte. */

enum tdm_err tdm_reliable_parse(struct tdm_reliable_head *head, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t first = tdm_read_u8(&r);

    head->flags = first & 15;
    head->id = tdm_read_u32(&r);
    head->time_us = tdm_read_u32(&r);
    head->echo_us = tdm_read_u32(&r);
    head->delay_us = tdm_read_u32(&r);
    head->offset = tdm_read_uint(&r, 6);
    head->acked = tdm_read_uint(&r, 6);
    head->window = tdm_read_u32(&r);
    head->range_count = tdm_read_u8(&r);
    if (!r.ok || first >> 4 != VERSION || head->range_count > TDM_RELIABLE_RANGES_MAX)
        return TDM_E_MALFORMED;
    for (uint8_t i = 0; i < head->range_count; i++) {
        head->ranges[i].begin = tdm_read_u32(&r);
        head->ranges[i].size = tdm_read_u32(&r);
    }
    head->size = tdm_reader_left(&r);
    head->data = tdm_read_bytes(&r, head->size);
    return r.ok && head->offset + head->size <= TDM_RELIABLE_OFFSET_MAX ? TDM_OK : TDM_E_MALFORMED;
}

enum tdm_err tdm_reliable_put(const struct tdm_reliable_head *head, uint8_t *data, size_t *size)
{
    struct tdm_writer w = tdm_writer_of(data, *size);

    tdm_write_u8(&w, (uint8_t)(VERSION << 4 | head->flags));
    tdm_write_u32(&w, head->id);
    tdm_write_u32(&w, head->time_us);
    tdm_write_u32(&w, head->echo_us);
    tdm_write_u32(&w, head->delay_us);
    tdm_write_uint(&w, head->offset, 6);
    tdm_write_uint(&w, head->acked, 6);
    tdm_write_u32(&w, head->window);
    tdm_write_u8(&w, head->range_count);
    for (uint8_t i = 0; i < head->range_count; i++) {
        tdm_write_u32(&w, head->ranges[i].begin);
        tdm_write_u32(&w, head->ranges[i].size);
    }
    tdm_write_bytes(&w, head->data, head->size);
    *size = tdm_writer_size(&w);
    return w.ok ? TDM_OK : TDM_E_SPACE;
}
