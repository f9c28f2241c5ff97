/* SPDX-License-Identifier: MIT */
#ifndef APPS_PRESENCE_SHOW_H
#define APPS_PRESENCE_SHOW_H

/* Presence as people read it: "paul   available", "eve   away since 12:10 until 14:00: at lunch".
 */

#include "tandem/presence.h"

#include <jansson.h>

/** One line without its end, to be freed; colours where `colour`. NULL: no memory. */
char *presence_show_line(const struct tandem_presence_event *event, bool colour);

/** One event as an object. */
json_t *presence_show_object(const struct tandem_presence_event *event);

/** "14:00", "2026-11-24 08:00", "2h", "90m", an RFC 3339 date: Unix time after now; 0: it is none.
 */
int64_t presence_show_time_of(const char *text);

#endif
