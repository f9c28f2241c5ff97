/* SPDX-License-Identifier: MIT */
/* The first byte chooses the codec. What is found stays in its room and is found in itself. */

#include "render/stream_header.h"

#include <assert.h>
#include <string.h>

#define ROOM 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum tdm_codec_id codecs[] = {TDM_CODEC_H264, TDM_CODEC_H265, TDM_CODEC_AV1};
    uint8_t header[ROOM + 1], again[ROOM];

    if (!size)
        return 0;
    enum tdm_codec_id codec = codecs[data[0] % (sizeof codecs / sizeof *codecs)];

    memset(header, 0xee, sizeof header);
    size_t found = tdm_stream_header_find(codec, data + 1, size - 1, header, ROOM);

    assert(found <= ROOM && header[ROOM] == 0xee);
    if (!found)
        return 0;
    assert(tdm_stream_header_find(codec, header, found, again, found) == found);
    assert(memcmp(header, again, found) == 0);
    return 0;
}
