/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/codec_units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_units(TDM_CODEC_VP9, data, size);
    return 0;
}
