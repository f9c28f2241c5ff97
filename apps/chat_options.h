/* SPDX-License-Identifier: MIT */
#ifndef APPS_CHAT_OPTIONS_H
#define APPS_CHAT_OPTIONS_H

/* The options of `chat`. */

#include "apps/folders.h"
#include "tandem/tandem.h"

#include <stdbool.h>
#include <stdio.h>

struct chat_options {
    struct tandem_config engine;
    const char *who;  /* NULL: whoever comes. */
    const char *text; /* To be said, and then it is over. NULL: what is typed. */
    const char *words, *folder;
    const char *on_message, *on_call; /* Commands; NULL: none. */
    const char *accounts;             /* The file of accounts; NULL: this user's. */
    char address[256];                /* Of `who`, by the address book. */
    uint16_t limit;
    bool history, messages, no_accounts, json, help;
    struct folders_self self;
    char kept[300]; /* The file of the history; "" = nowhere. */
};

/** Fills `o` from the arguments behind the verb; prints what is wrong and returns false. */
bool chat_options_parse(struct chat_options *o, int argc, char **argv);
void chat_options_help(FILE *to);

#endif
