/* SPDX-License-Identifier: MIT */
#include "engine/io/clock.h"

#include <sys/resource.h>
#include <time.h>

static tdm_time read_clock(clockid_t id)
{
    struct timespec t = {0};

    (void)clock_gettime(id, &t);
    return (tdm_time)t.tv_sec * TDM_S + t.tv_nsec;
}

tdm_time tdm_clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

tdm_time tdm_clock_wall_offset(void)
{
    return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
}

tdm_time tdm_clock_process_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

tdm_time tdm_clock_thread_cpu(tdm_time *user)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_THREAD, &usage);
    *user = (tdm_time)usage.ru_utime.tv_sec * TDM_S + usage.ru_utime.tv_usec * TDM_US;
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
