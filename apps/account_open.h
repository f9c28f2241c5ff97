/* SPDX-License-Identifier: MIT */
#ifndef APPS_ACCOUNT_OPEN_H
#define APPS_ACCOUNT_OPEN_H

/* The user's accounts in a verb that calls, answers or sends: read from their file and added to the
 * engine. */

#include "tandem/account.h"

#include <stdbool.h>

/** The file of accounts, where this user's settings lie; false: there is nowhere. */
bool account_path(char *path, size_t capacity);

/** Reads them. False with a cause. `file` NULL: account_path. */
bool account_read(const char *file, struct tandem_account accounts[TANDEM_ACCOUNTS_MAX],
                  size_t *count, struct tandem_cause *cause);

/** Adds all, to be reached over them. `count`: how many. False with a cause. */
bool account_open_all(struct tandem *engine, const char *file, size_t *count,
                      struct tandem_cause *cause);

/**
 * Adds those by which calls and messages may go out, and waits until the one that `to` needs can be
 * used. `name` NULL: by address; else that account alone. `to` NULL: nothing is waited for.
 *
 * @return Nothing needs an account, or it is ready: true. Else false with a cause; *invalid: it is
 *         the user's mistake.
 */
bool account_open_out(struct tandem *engine, const char *file, const char *name, const char *to,
                      bool *invalid, struct tandem_cause *cause);

/** Whether `to` is reached over an account that is being registered yet. */
bool account_settling(struct tandem *engine, const char *to);

#endif
