/* SPDX-License-Identifier: MIT */
#ifndef APPS_OUTCOME_H
#define APPS_OUTCOME_H

/* How `call` and `answer` tell what became of them: one sentence for people, one object for --json.
 */

#include "apps/options.h"

/** The one object of --json; `call_report` NULL: no call stood. */
void outcome_print_json(const char *peer, enum exit_code code, const char *reason,
                        const char *call_report);

/** Before there is a call: one sentence, or one object, and the exit code. */
int outcome_give_up(const struct options *o, const char *verb, enum exit_code code,
                    const char *reason);

/** The same for a file that outcome_unwritable found. */
int outcome_give_up_path(const struct options *o, const char *verb, const char *path);

/** The first of the files for the end of the call that could not be written then; NULL: none. */
const char *outcome_unwritable(const struct options *o);

#endif
