/* SPDX-License-Identifier: MIT */
#ifndef APPS_CONTACTS_SHOW_H
#define APPS_CONTACTS_SHOW_H

#include "tandem/contacts.h"

/** Prints the address book, or a group of it; with `presence`, who is there: it asks, and waits a
 *  moment. @return an exit code. */
int contacts_show(struct tandem_contacts *contacts, const char *group, bool json, bool presence);

#endif
