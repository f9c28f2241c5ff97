/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_CLOCK_H
#define TDM_IO_CLOCK_H

/* The only clock of the engine. Drivers read it once per event and pass the value down. */

#include "engine/base/time.h"

/** CLOCK_MONOTONIC: the same on all processes of one machine. */
tdm_time tdm_clock_now(void);

/** Wall clock minus monotonic clock, now: for RTCP sender reports and file names only. */
tdm_time tdm_clock_wall_offset(void);

/** CPU time that this process has used. */
tdm_time tdm_clock_process_cpu(void);

/** CPU time that the calling thread has used; `user`: the part of it outside the kernel. */
tdm_time tdm_clock_thread_cpu(tdm_time *user);

#endif
