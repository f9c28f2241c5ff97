/* SPDX-License-Identifier: MIT */
#include "engine/wire/reference_mark.h"

#include "engine/base/bytes.h"

void tdm_reference_mark_write(uint8_t bytes[TDM_REFERENCE_MARK_BYTES],
                              const struct tdm_reference_mark *mark)
{
    struct tdm_writer w = tdm_writer_of(bytes, TDM_REFERENCE_MARK_BYTES);

    tdm_write_u16(&w, mark->number);
    tdm_write_u8(&w, mark->refers);
    tdm_write_u16(&w, mark->index);
}

enum tdm_err tdm_reference_mark_parse(struct tdm_reference_mark *mark, const uint8_t *data,
                                      size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    mark->number = tdm_read_u16(&r);
    mark->refers = tdm_read_u8(&r);
    mark->index = tdm_read_u16(&r);
    return r.ok && !tdm_reader_left(&r) ? TDM_OK : TDM_E_MALFORMED;
}
