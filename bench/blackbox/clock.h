/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BLACKBOX_CLOCK_H
#define BENCH_BLACKBOX_CLOCK_H

#include "engine/base/time.h"

#include <time.h>

/* The clock that source and sampler share, whatever program stands between them. */
static inline tdm_time clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (tdm_time)now.tv_sec * TDM_S + now.tv_nsec;
}

static inline void clock_sleep_until(tdm_time at)
{
    struct timespec until = {.tv_sec = at / TDM_S, .tv_nsec = at % TDM_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
        ;
}

#endif
