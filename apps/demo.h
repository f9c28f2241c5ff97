/* SPDX-License-Identifier: MIT */
#ifndef APPS_DEMO_H
#define APPS_DEMO_H

/* The verb `demo`: a call between two processes on this machine, with what it takes to judge it. */

#include "apps/options.h"

/** `self`: path of this program, to start its two ends. */
int demo_run(struct options *o, const char *self);

#endif
