/* SPDX-License-Identifier: MIT */
#ifndef APPS_SIGNALS_H
#define APPS_SIGNALS_H

/* Ctrl-C and the like, as something to poll. */

#include <stdbool.h>

/** Before anything that starts a thread, so that every thread leaves them alone: SIGINT, SIGTERM
 *  and SIGHUP can be read from the descriptor that is returned; < 0: errno says why not. */
int signals_open(void);

/** One came; it is taken. */
bool signals_take(int fd);

#endif
