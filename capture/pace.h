/* SPDX-License-Identifier: MIT */
#ifndef TDM_CAPTURE_PACE_H
#define TDM_CAPTURE_PACE_H

/* Thins a source that is faster than the asked rate: one picture a period, with a quarter of a
 * period of jitter allowed. Zero-init, then set `period`. */

#include "engine/base/time.h"

#include <stdbool.h>

struct tdm_pace {
    tdm_time period;
    tdm_time slot; /* When the next picture is wanted. */
};

/** Whether a picture of the time `at` is wanted; takes its place when it is. */
static inline bool tdm_pace_admits(struct tdm_pace *pace, tdm_time at)
{
    if (at < pace->slot - pace->period / 4)
        return false;
    bool in_step = at < pace->slot + pace->period;

    pace->slot = (in_step ? pace->slot : at) + pace->period;
    return true;
}

#endif
