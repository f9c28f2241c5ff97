/* SPDX-License-Identifier: MIT */
#ifndef APPS_CONTACTS_SEARCH_H
#define APPS_CONTACTS_SEARCH_H

#include <stdbool.h>

/** Asks the server of an account who there has all the words, and prints them. `by` NULL: the
 *  preferred account, else the first. @return an exit code. */
int contacts_search(const char *const *words, int count, const char *by, bool json);

#endif
