/* SPDX-License-Identifier: MIT */
/* Sixteen bytes parse and write back as they were; any other size is refused. */

#include "engine/wire/frame_timing.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t again[TDM_FRAME_TIMING_BYTES];
    struct tdm_frame_timing timing;
    enum tdm_err err = tdm_frame_timing_parse(&timing, data, size);

    assert((err == TDM_OK) == (size == TDM_FRAME_TIMING_BYTES));
    if (err)
        return 0;
    assert(timing.captured_us >= 0 && timing.captured_us >> 48 == 0);
    assert(timing.encode_start >= 0 && timing.encode_end >= 0);
    assert(timing.first_sent >= 0 && timing.last_sent >= 0);
    tdm_frame_timing_write(again, &timing);
    assert(memcmp(again, data, sizeof again) == 0);

    /* The input's own bytes as the clock that the stamp is brought near to. */
    int64_t near_us;

    memcpy(&near_us, data + 8, sizeof near_us);
    int64_t full = tdm_frame_timing_extend(near_us, timing.captured_us);

    assert((((uint64_t)full - (uint64_t)timing.captured_us) & ((UINT64_C(1) << 48) - 1)) == 0);
    assert((uint64_t)full - (uint64_t)near_us + (UINT64_C(1) << 47) < UINT64_C(1) << 48);
    return 0;
}
