/* SPDX-License-Identifier: MIT */
#ifndef APPS_SHARE_OPTIONS_H
#define APPS_SHARE_OPTIONS_H

/* The options of `tandem share` and `tandem assist`. */

#include "tandem/share.h"

#include <stdbool.h>
#include <stdio.h>

struct share_options {
    bool giving; /* share; else assist. */
    struct tandem_config engine;
    struct tandem_share_config share;
    struct tandem_share_offer offer;
    unsigned ask;         /* assist: scopes beside sight, at once. */
    const char *who;      /* NULL: wait for whoever calls. */
    const char *snapshot; /* assist: PNG, written when an exact picture is there, and at the end. */
    const char *board;    /* A file: for frozen frames. */
    const char *audio, *speaker; /* With voice. */
    double seconds;              /* End after so long; 0: never. */
    bool no_window, voice, sound, json, quiet, once, help;
    bool no_accounts;
    char identity[300], known[300];
};

bool share_options_parse(struct share_options *o, bool giving, int argc, char **argv);
void share_options_help(FILE *to, bool giving);

/** Before a screen is given as `what`: says when that waits for a click. */
void share_tell_choice(const char *what);

/** "pointer,keyboard" as bits; false for a name that there is not. */
bool share_scopes_parse(const char *text, unsigned *scopes);
/** The other way round: "pointer, keyboard"; "nothing". @return text */
const char *share_scopes_text(unsigned scopes, char *text, size_t capacity);

#endif
