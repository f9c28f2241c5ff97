/* SPDX-License-Identifier: MIT */
#ifndef APPS_TALK_H
#define APPS_TALK_H

/* The verbs `call` and `answer`: one person's side of a call, with keys, line and report. */

#include "apps/options.h"

int talk_call(struct options *o);
int talk_answer(struct options *o);

#endif
