/* SPDX-License-Identifier: MIT */
#ifndef APPS_SIM_H
#define APPS_SIM_H

/* The verb `sim`: the engine's decisions in virtual time, named situations and rows of figures. */

#include "tandem/sim.h"

#include <jansson.h>
#include <stdio.h>

#define SIM_WORDS_MAX 64

struct sim_options {
    const char *words[SIM_WORDS_MAX]; /* Scenarios, families or "all". */
    int word_count;
    uint64_t first, last; /* Seeds. */
    const char *peer;     /* Only this contender. */
    const char *trace;    /* A file. */
    double fill, spread;  /* Of an encoder; 0: the model's own. */
    bool list, json, curves, check, quiet, help;
};

/** One contender over all seeds. */
struct sim_row {
    const char *contender;
    uint32_t seeds;                      /* Run. */
    uint32_t counts[TANDEM_SIM_FIGURES]; /* Of those, the ones that have the figure. */
    double sums[TANDEM_SIM_FIGURES], worst[TANDEM_SIM_FIGURES];
    uint32_t violations;
    json_t *violation_list, *curves; /* NULL: none. */
};

/** The arguments behind `tandem sim`. Gives the exit code. */
int sim_run(int argc, char **argv);

/** Fills `o` from the arguments behind the verb; prints what is wrong and returns false. */
bool sim_options_parse(struct sim_options *o, int argc, char **argv);
void sim_options_help(FILE *to);

/** Takes the score of one more seed into a row that was {0}. */
void sim_row_add(struct sim_row *row, const struct tandem_sim_scenario *s,
                 const struct tandem_sim_score *score, uint64_t seed);
/** Over the seeds that have the figure; NAN when none has. */
double sim_row_mean(const struct sim_row *row, int figure);
/** Whether the mean over the seeds meets a goal, and all of them: -1 when there are none. */
bool sim_row_meets(const struct sim_row *row, const struct tandem_sim_goal *goal);
int sim_row_meets_all(const struct sim_row *row, const struct tandem_sim_scenario *s);
void sim_row_add_curves(struct sim_row *row, const struct tandem_sim_score *score, uint64_t seed);
void sim_row_free(struct sim_row *row);

/** "settle_s <= 0.6, queue_p95_ms <= 20", or "". */
void sim_goals_text(const struct tandem_sim_scenario *s, char *text, size_t capacity);

/** A scorecard for people: only figures that any of the rows has. */
void sim_card_print(FILE *to, const struct tandem_sim_scenario *s, const struct sim_row *rows,
                    uint32_t count);
json_t *sim_row_object(const struct tandem_sim_scenario *s, const struct sim_row *row);
json_t *sim_scenario_object(const struct tandem_sim_scenario *s);

#endif
