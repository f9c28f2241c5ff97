/* SPDX-License-Identifier: MIT */
#ifndef APPS_PRESENCE_H
#define APPS_PRESENCE_H

/* The verb `presence`. */

#include "tandem/presence.h"

int presence_run(int argc, char **argv);

/** The user's own presence, as it is kept; `contacts` may be NULL. NULL: it was said why not. */
struct tandem_presence *presence_open(const char *verb, struct tandem_contacts *contacts);

#endif
