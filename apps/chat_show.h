/* SPDX-License-Identifier: MIT */
#ifndef APPS_CHAT_SHOW_H
#define APPS_CHAT_SHOW_H

/* Texts as people read them. What others wrote comes cleaned from the library; here lines of it are
 * set in, so that none looks like a line of somebody else. */

#include "tandem/chat.h"

#include <jansson.h>

/** "14:03  paul@10.0.0.7: text", to be freed; `mark` stands behind the name. */
char *chat_show_text(int64_t sent_ms, const char *name, const char *mark, const char *text,
                     bool cut);

/** Prints the JSON of tandem_chat_history for people, on stdout. */
void chat_show_history(const char *json);

/** One event as an object; NULL for one that says nothing. */
json_t *chat_show_event(const struct tandem_chat_event *event);

/** Prints and frees an object as one line of stdout. */
void chat_show_object(json_t *object);

#endif
