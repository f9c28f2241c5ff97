/* SPDX-License-Identifier: MIT */
/* A recording that opens has packets in the order of their numbers, at least two, a frame apart. */

#include "sim/jitter_trace.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tdm_jitter_packet packets[300];
    uint32_t count;
    tdm_time frame;

    if (tdm_jitter_read(data, size, packets, 300, &count, &frame) != TDM_OK)
        return 0;
    assert(count >= 2 && count <= 300 && frame >= 0);
    assert(!packets[0].lost && !packets[count - 1].lost);
    for (uint32_t i = 0; i < count; i++)
        assert(packets[i].seq == i && packets[i].sent == (tdm_time)i * frame);
    return 0;
}
