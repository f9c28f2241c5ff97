/* SPDX-License-Identifier: MIT */
#ifndef APPS_SERVE_ACCOUNTS_H
#define APPS_SERVE_ACCOUNTS_H

#include <stdbool.h>

/** Whether `word` is one of the verbs below `tandem serve` that manage accounts. */
bool serve_accounts_is_verb(const char *word);

/** adduser, deluser, lock, unlock, users: argv[0] is that word. @return the exit code. */
int serve_accounts_run(int argc, char **argv);

#endif
