/* SPDX-License-Identifier: MIT */
#include "engine/wire/region_mark.h"

#include "engine/base/bytes.h"

void tdm_region_mark_write(uint8_t bytes[TDM_REGION_MARK_BYTES], const struct tdm_region_mark *mark)
{
    struct tdm_writer w = tdm_writer_of(bytes, TDM_REGION_MARK_BYTES);

    tdm_write_u8(&w, mark->stream);
    tdm_write_u32(&w, mark->frame_id);
}

enum tdm_err tdm_region_mark_parse(struct tdm_region_mark *mark, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    mark->stream = tdm_read_u8(&r);
    mark->frame_id = tdm_read_u32(&r);
    return r.ok && !tdm_reader_left(&r) ? TDM_OK : TDM_E_MALFORMED;
}
