/* SPDX-License-Identifier: MIT */
#ifndef APPS_SERVE_OPTIONS_H
#define APPS_SERVE_OPTIONS_H

#include "tandem/server.h"

#include <stdio.h>

struct serve_options {
    struct tandem_server_config config;
    const char *secret_file, *old_secret_file;
    const char *credential; /* Make one for this name, and do not serve. */
    uint32_t hours;         /* That it lives. */
    bool no_secret, no_sip, json, quiet, help;
    char identity[512]; /* Backs config.identity_path. */
    char users[1200];   /* Backs config.users. */
    char secret[TANDEM_SECRET_BYTES], old_secret[TANDEM_SECRET_BYTES]; /* Likewise. */
};

/** Fills `o`; prints what is wrong and returns false. */
bool serve_options_parse(struct serve_options *o, int argc, char **argv);
void serve_options_help(FILE *to);

#endif
