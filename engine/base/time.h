/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_TIME_H
#define TDM_BASE_TIME_H

/*
 * The one time type of the engine: nanoseconds of a monotonic clock, always passed in as a value.
 * Who reads the clock is engine/io alone; wall clock and RTP time are other types (rtp_time.h).
 */

#include <assert.h>
#include <stdint.h>

/** Nanoseconds of a monotonic clock. Differences are plain subtractions. */
typedef int64_t tdm_time;

#define TDM_NEVER INT64_MAX
#define TDM_US    ((tdm_time)1000)
#define TDM_MS    ((tdm_time)1000000)
#define TDM_S     ((tdm_time)1000000000)

static inline tdm_time tdm_time_min(tdm_time a, tdm_time b)
{
    return a < b ? a : b;
}

static inline tdm_time tdm_time_max(tdm_time a, tdm_time b)
{
    return a > b ? a : b;
}

/** Duration of `count` units at `hz` units a second, rounded down. hz > 0. */
static inline tdm_time tdm_time_of_units(int64_t count, uint32_t hz)
{
    int64_t rate = (int64_t)hz;

    assert(hz > 0);
    return count / rate * TDM_S + count % rate * TDM_S / rate;
}

/** Units at `hz` in the duration `t`, rounded down. hz > 0. */
static inline int64_t tdm_units_of_time(tdm_time t, uint32_t hz)
{
    int64_t rate = (int64_t)hz;

    return t / TDM_S * rate + t % TDM_S * rate / TDM_S;
}

#endif
