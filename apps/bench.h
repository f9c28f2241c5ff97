/* SPDX-License-Identifier: MIT */
#ifndef APPS_BENCH_H
#define APPS_BENCH_H

/* The verb `bench`: what codecs and calls cost on this machine. */

#include "tandem/bench.h"

#include <jansson.h>
#include <stdio.h>

struct bench_options {
    struct tandem_bench_config config;
    const char *what;    /* codec, call, costs, screen, channel or connect. */
    const char *json;    /* Where the report goes; "-": stdout, and no table. */
    const char *html;    /* Where the page goes. */
    const char *compare; /* An older report. */
    const char *from;    /* A stored report, in place of measuring. */
    const char *against; /* call: other programs. */
    bool again, quiet, help;
};

/** The arguments behind `tandem`, from "bench" on. Gives the exit code. */
int bench_run(int argc, char **argv);

/** Fills `o` from the arguments behind the verb; prints what is wrong and returns false. */
bool bench_options_parse(struct bench_options *o, int argc, char **argv);
void bench_options_help(FILE *to);

/** Become bench/call, bench/channel or bench/connect of this installation or build tree; an exit
 * code when that cannot be. */
int bench_call(const struct bench_options *o);
int bench_channel(const struct bench_options *o);
int bench_connect(const struct bench_options *o);

/** What each encoder costs here, as "auto" uses it. */
int bench_costs(const struct bench_options *o);

/** Before a call that lets the machine decide: measures once, and says so unless `quiet`. */
void bench_costs_prepare(const char *video_codecs, bool quiet);

/** The report's figures and recommendations, and what changed, for people. */
void bench_table_print(FILE *to, const json_t *report);
void bench_recommendations_print(FILE *to, const json_t *report);
void bench_changes_print(FILE *to, const json_t *changes);

#endif
