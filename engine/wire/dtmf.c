/* SPDX-License-Identifier: MIT */
#include "engine/wire/dtmf.h"

#include "engine/base/bytes.h"

static const char digits[] = "0123456789*#ABCD";

enum tdm_err tdm_dtmf_parse(struct tdm_dtmf *dtmf, const uint8_t *payload, size_t size)
{
    struct tdm_reader r = tdm_reader_of(payload, size);

    dtmf->event = tdm_read_u8(&r);
    uint8_t flags = tdm_read_u8(&r);

    dtmf->end = flags >> 7;
    dtmf->volume_dbm0 = flags & 0x3f; /* The bit between is reserved and to be ignored. */
    dtmf->duration = tdm_read_u16(&r);
    return r.ok ? TDM_OK : TDM_E_MALFORMED;
}

void tdm_dtmf_write(uint8_t payload[TDM_DTMF_BYTES], const struct tdm_dtmf *dtmf)
{
    struct tdm_writer w = tdm_writer_of(payload, TDM_DTMF_BYTES);

    assert(dtmf->volume_dbm0 <= 63);
    tdm_write_u8(&w, dtmf->event);
    tdm_write_u8(&w, (uint8_t)((dtmf->end ? 0x80 : 0) | dtmf->volume_dbm0));
    tdm_write_u16(&w, dtmf->duration);
}

int tdm_dtmf_event_of(char digit)
{
    for (int event = 0; digits[event]; event++) {
        if (digits[event] == digit)
            return event;
    }
    return -1;
}

char tdm_dtmf_digit_of(uint8_t event)
{
    return event < sizeof digits - 1 ? digits[event] : '?';
}
