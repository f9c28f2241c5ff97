/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BLACKBOX_OPTIONS_H
#define BENCH_BLACKBOX_OPTIONS_H

/*
 * "--name value" pairs, as every program here takes them. A wrong name or value ends the program
 * with one sentence and status 2: these are tools run by a script, not by hand.
 */

struct tdm_option {
    const char *name; /* With the dashes. */
    const char *help;
    const char **text; /* One of these three is set. */
    double *number;
    int *pair; /* Two numbers: 1280x720 or 0,0. */
};

/* `options` ends with a NULL name. */
void tdm_options_read(int argc, char **argv, const struct tdm_option *options);

#endif
