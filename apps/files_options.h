/* SPDX-License-Identifier: MIT */
#ifndef APPS_FILES_OPTIONS_H
#define APPS_FILES_OPTIONS_H

/* The options of `send` and `get`. */

#include "apps/folders.h"
#include "tandem/files.h"

#include <stdbool.h>
#include <stdio.h>

#define FILES_RULES_MAX 1024

struct files_options {
    bool sending;
    struct tandem_config engine;
    struct folders_self self;
    struct tandem_files_config files;
    char rules[FILES_RULES_MAX]; /* Backs files.accept. */
    const char *who;             /* send: to whom. */
    char **paths;                /* send. */
    int path_count;
    double retry_s; /* send: how long to try again after a break. */
    bool once;      /* get: until the first caller is gone. */
    bool json, quiet, help;
};

/** Fills `o` from the arguments behind the verb; prints what is wrong and returns false. */
bool files_options_parse(struct files_options *o, bool sending, int argc, char **argv);
void files_options_help(FILE *to, bool sending);

#endif
