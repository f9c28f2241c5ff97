/* SPDX-License-Identifier: MIT */
#ifndef APPS_CONTACTS_H
#define APPS_CONTACTS_H

/* The verb `contacts`, and the address book as other verbs use it. */

#include "tandem/contacts.h"

int contacts_run(int argc, char **argv);

/** The user's address book; NULL: there is nowhere to keep one, or it cannot be read (then it was
 *  said). The caller closes it. */
struct tandem_contacts *contacts_open(const char *verb);

/** Whom `who` means by the address book, "paul" or an address; false: it was said what is wrong. */
bool contacts_resolve(const char *verb, const char *who, char address[256]);

#endif
