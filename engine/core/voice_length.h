/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_VOICE_LENGTH_H
#define TDM_CORE_VOICE_LENGTH_H

/*
 * How long the packets of a voice should be. Those of 10 ms are heard soonest, but their headers
 * take 36 kb/s and more; where little is left beside the voice, two blocks share a packet. It
 * decides nothing about what codec and other side allow (engine/audio_plan.h).
 *
 * Owned by the net thread.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_VOICE_LENGTH_LONG_BPS  60000 /* Below: long packets, at once. */
#define TDM_VOICE_LENGTH_SHORT_BPS 90000 /* Above, for so long: short ones again. */
#define TDM_VOICE_LENGTH_SETTLED   (5 * TDM_S)

struct tdm_voice_length {
    bool doubled;
    tdm_time short_since; /* 0: it is not enough for short ones. */
};

/**
 * @param left_bps  What the path has beside the voice; 0: not known, then nothing changes.
 *
 * @return Whether two blocks should share a packet.
 */
bool tdm_voice_length_step(struct tdm_voice_length *v, tdm_time now, uint64_t left_bps);

#endif
