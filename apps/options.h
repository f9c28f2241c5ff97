/* SPDX-License-Identifier: MIT */
#ifndef APPS_OPTIONS_H
#define APPS_OPTIONS_H

/* The options that `call`, `answer` and `demo` share, named as in ffmpeg where ffmpeg has one. */

#include "apps/folders.h"
#include "tandem/tandem.h"

#include <stdbool.h>
#include <stdio.h>

#define OPTIONS_SEND_MAX 32

/** Exit codes of every verb; --help lists them. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3, /* Busy or declined. */
    EXIT_NO_ANSWER = 4,
    EXIT_UNREACHABLE = 5,
    EXIT_NO_COMMON_CODEC = 6,
    EXIT_WORSE = 7, /* A bench, compared with an older one. */
    EXIT_NOT_SECURE = 8,
};

struct options {
    struct tandem_media media;
    struct tandem_config engine;
    const char *to;                     /* Whom to call. */
    const char *on_call;                /* Command for each call that comes; NULL: none. */
    const char *account;                /* Over which; NULL: by address. */
    const char *accounts;               /* The file of accounts; NULL: this user's. */
    bool no_accounts;                   /* Straight, whatever there is. */
    const char *trace;                  /* Chrome-trace JSON, written at the end. */
    const char *report;                 /* JSON report, written at the end. */
    const char *snapshot;               /* PNG of the last picture, written before the end. */
    const char *out;                    /* demo: folder for its files. */
    const char *digits;                 /* Sent once the call is up. */
    const char *send[OPTIONS_SEND_MAX]; /* Files and folders for the other side. */
    int send_count;
    const char *share; /* What of our screen is shown; NULL: nothing. */
    bool assist;       /* Theirs is shown here, when they show one. */
    bool board;        /* One for both is opened with the call. */
    const char *get;   /* Where files go that the other side sends. */
    double seconds;    /* Hang up after this long; 0 = never. */
    bool auto_answer, keep, json, quiet, no_keys, no_port_mapping, help;
    char address[256];   /* Backs `to`, when it was a name. */
    char sink_text[300]; /* Backs --wav. */
    char rules[1024];    /* What of it is taken without asking. */
    char servers[1024];  /* Backs --stun and --turn. */
    struct folders_self self;
};

/** Fills `o` from the arguments behind the verb; prints what is wrong and returns false. */
bool options_parse(struct options *o, const char *verb, int argc, char **argv);

/** Prints the options of a verb. */
void options_help(FILE *to, const char *verb);

/** Prints the exit codes, as the last part of a help text. */
void options_help_codes(FILE *to);

#endif
