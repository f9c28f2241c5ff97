/* SPDX-License-Identifier: MIT */
#ifndef APPS_HOOKS_H
#define APPS_HOOKS_H

/*
 * Commands of the user that run when something happens: without a shell, with the facts in their
 * environment (TANDEM_EVENT, TANDEM_FROM...), a few at a time and not for ever. Nothing waits for
 * them.
 */

#include <stdbool.h>
#include <stddef.h>

#define HOOKS_AT_ONCE 8
#define HOOK_SECONDS  30 /* Then it is ended. */

struct hooks {
    struct hook_process {
        int pid; /* 0: free. */
        double since;
    } processes[HOOKS_AT_ONCE];
    unsigned skipped; /* When as many ran already. */
};

struct hook_fact {
    const char *name, *value; /* "TANDEM_FROM"; a name of NULL ends the list. */
};

/** Starts `command`: words between spaces, the first is the program. NULL: nothing to do. False:
 *  it could not be started, or too many run. */
bool hooks_run(struct hooks *hooks, const char *command, const struct hook_fact *facts);

/** Now and then: takes the results of those that ended, and ends those that take too long. */
void hooks_look(struct hooks *hooks);

/** Leaves those that run alone, and forgets them. */
void hooks_close(struct hooks *hooks);

#endif
