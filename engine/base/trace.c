/* SPDX-License-Identifier: MIT */
#include "engine/base/trace.h"

const char *tdm_stage_name(enum tdm_stage stage)
{
    static const char *const names[TDM_STAGE_COUNT] = {
        "captured",     "encode_start",   "encode_end",    "first_sent",
        "last_sent",    "first_received", "last_received", "decodable",
        "decode_start", "decode_end",     "presented",
    };

    return (unsigned)stage < TDM_STAGE_COUNT ? names[stage] : "unknown";
}
