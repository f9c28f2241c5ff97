/* SPDX-License-Identifier: MIT */
/* What parses writes back as it was, but for the reserved bit and what follows the first event. */

#include "engine/wire/dtmf.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t again[TDM_DTMF_BYTES];
    struct tdm_dtmf dtmf;
    enum tdm_err err = tdm_dtmf_parse(&dtmf, data, size);

    assert((err == TDM_OK) == (size >= TDM_DTMF_BYTES));
    if (err)
        return 0;
    tdm_dtmf_write(again, &dtmf);
    assert(again[0] == data[0] && again[1] == (data[1] & 0xbf));
    assert(again[2] == data[2] && again[3] == data[3]);
    char digit = tdm_dtmf_digit_of(dtmf.event);

    assert(digit == '?' ? dtmf.event > 15 : tdm_dtmf_event_of(digit) == dtmf.event);
    return 0;
}
