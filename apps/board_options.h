/* SPDX-License-Identifier: MIT */
#ifndef APPS_BOARD_OPTIONS_H
#define APPS_BOARD_OPTIONS_H

/* The words and options of `tandem board`. */

#include "apps/folders.h"
#include "tandem/board.h"

#include <stdbool.h>
#include <stdio.h>

#define BOARD_WORDS_MAX 4

struct board_options {
    const char *words[BOARD_WORDS_MAX]; /* WHO, or what to do and with which files. */
    int count;
    struct tandem_config engine;
    const char *file, *name;
    double seconds; /* End after so long together (with a file: from the start); 0: never. */
    double scale;
    int64_t at_ms;
    int page;  /* From 1; 0: the format's usual ones. */
    int steps; /* Of a replay. */
    bool yes, no_window, once, no_accounts, json, help;
};

bool board_options_parse(struct board_options *o, int argc, char **argv);
void board_options_help(FILE *to);

#endif
