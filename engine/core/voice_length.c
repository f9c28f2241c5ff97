/* SPDX-License-Identifier: MIT */
#include "engine/core/voice_length.h"

bool tdm_voice_length_step(struct tdm_voice_length *v, tdm_time now, uint64_t left_bps)
{
    if (left_bps == 0)
        return v->doubled;
    if (left_bps <= TDM_VOICE_LENGTH_SHORT_BPS)
        v->short_since = 0;
    else if (!v->short_since)
        v->short_since = now;
    if (left_bps < TDM_VOICE_LENGTH_LONG_BPS)
        v->doubled = true;
    else if (v->short_since && now - v->short_since >= TDM_VOICE_LENGTH_SETTLED)
        v->doubled = false;
    return v->doubled;
}
