/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_WAKE_H
#define TDM_IO_WAKE_H

/*
 * Waking and waiting: an eventfd that any thread may signal, and a wait until a point in time that
 * such a signal (or a device's fd) ends early. No sleep-polling anywhere else in the engine.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>

/** A non-blocking eventfd, or -1 with a cause. The caller closes it. */
int tdm_wake_open(struct tdm_cause *cause);

/** Makes the fd readable; safe from real-time threads. */
void tdm_wake_signal(int fd);

/** Makes it unreadable again. */
void tdm_wake_clear(int fd);

/** An fd that is readable while one of two is (b may be -1), or -1 with a cause. The caller closes
 *  it. */
int tdm_wake_join(int a, int b, struct tdm_cause *cause);

enum tdm_wait { TDM_WAIT_TIME, TDM_WAIT_WAKE, TDM_WAIT_DEVICE };

/** Blocks until `deadline` (TDM_NEVER: no limit), `wake_fd` or `device_fd` (-1: none) is readable.
 *  Precise to the kernel's timer slack; a passed deadline returns TDM_WAIT_TIME at once, but a
 *  readable wake_fd wins. */
enum tdm_wait tdm_wait_until(tdm_time deadline, int wake_fd, int device_fd);

#endif
