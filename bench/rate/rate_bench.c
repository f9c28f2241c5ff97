/* SPDX-License-Identifier: MIT */

/*
 * rate_bench: controllers of the sent rate over the scenarios of sim/rate_scenario.h, ours beside
 * the models of others, a row each; docs/rate.md says how to read it.
 *
 *   rate_bench --list
 *   rate_bench [SCENARIO|all] [--seeds A..B] [--peer NAME] [--trace FILE] [--json]
 */

#include "sim/rate_scenario.h"
#include "sim/rate_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX       1000
#define TRACE_BYTES_MAX (8u << 20)

struct options {
    const char *scenario, *peer, *trace;
    uint64_t first, last;
    bool json, list;
};

struct row {
    const struct tdm_rate_scenario *scenario;
    const char *peer;
    double mean[TDM_RATE_FIGURES], worst[TDM_RATE_FIGURES];
};

static bool parse_seeds(const char *text, struct options *o)
{
    char *end;

    o->first = o->last = strtoull(text, &end, 10);
    if (end == text)
        return false;
    if (strncmp(end, "..", 2) == 0) {
        const char *from = end + 2;

        o->last = strtoull(from, &end, 10);
        if (end == from)
            return false;
    }
    return !*end && o->last >= o->first && o->last - o->first < SEEDS_MAX;
}

static bool parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){.scenario = "all", .first = 11, .last = 15};
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;

        if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (strcmp(argv[i], "--list") == 0)
            o->list = true;
        else if (strcmp(argv[i], "--peer") == 0 && more)
            o->peer = argv[++i];
        else if (strcmp(argv[i], "--trace") == 0 && more)
            o->trace = argv[++i];
        else if (strcmp(argv[i], "--seeds") == 0 && more && parse_seeds(argv[i + 1], o))
            i++;
        else if (argv[i][0] != '-')
            o->scenario = argv[i];
        else
            return false;
    }
    return true;
}

/* The trace of a file, or NULL after saying why not. */
static uint32_t *read_trace(const char *path, uint32_t *count)
{
    char *text = malloc(TRACE_BYTES_MAX);
    uint32_t *trace = malloc(TDM_RATE_TRACE_MAX * sizeof *trace);
    FILE *file = fopen(path, "r");
    size_t size = file && text ? fread(text, 1, TRACE_BYTES_MAX, file) : 0;
    bool ok = file && trace &&
              tdm_rate_trace_parse(text, size, trace, TDM_RATE_TRACE_MAX, count) == TDM_OK;

    if (file)
        (void)fclose(file);
    free(text);
    if (ok)
        return trace;
    fprintf(stderr, "rate_bench: %s is no trace of ascending milliseconds, a line each\n", path);
    free(trace);
    return NULL;
}

static bool is_better_high(int figure)
{
    return figure == TDM_RATE_UTIL || figure == TDM_RATE_JAIN || figure == TDM_RATE_SHARE;
}

static struct row run(void *storage, const struct tdm_rate_scenario *scenario,
                      const struct tdm_rate_peer *peer, const struct options *o,
                      const uint32_t *trace, uint32_t trace_count)
{
    struct row row = {.scenario = scenario, .peer = peer->name};
    double count = (double)(o->last - o->first + 1);

    for (uint64_t seed = o->first; seed <= o->last; seed++) {
        struct tdm_rate_score score;

        (void)tdm_rate_run(storage, scenario, peer, seed, trace, trace_count, &score);
        for (int i = 0; i < TDM_RATE_FIGURES; i++) {
            double value = score.figures[i];
            bool worse = is_better_high(i) ? value < row.worst[i] : value > row.worst[i];

            row.mean[i] += value / count;
            if (seed == o->first || worse)
                row.worst[i] = value;
        }
    }
    return row;
}

/* A goal is met when the mean over the seeds meets it. */
static const char *verdict(const struct row *row)
{
    struct tdm_rate_score score;
    bool any = false, met = true;

    memcpy(score.figures, row->mean, sizeof score.figures);
    for (int i = 0; i < 4; i++) {
        const struct tandem_sim_goal *goal = &row->scenario->goals[i];

        if (goal->value <= 0)
            continue;
        any = true;
        met &= tdm_rate_goal_met(goal, &score);
    }
    return !any ? "" : met ? "met" : "not met";
}

static void print_head(void)
{
    printf("%-4s %-10s %-12s", "", "scenario", "controller");
    for (int i = 0; i < TDM_RATE_FIGURES; i++)
        printf(" %12s", tdm_rate_figure_names[i]);
    puts("  goal");
}

static void print_row(const struct row *row)
{
    printf("%-4s %-10s %-12s", row->scenario->id, row->scenario->name, row->peer);
    for (int i = 0; i < TDM_RATE_FIGURES; i++)
        if (row->mean[i] < 0)
            printf(" %12s", "-");
        else
            printf(" %12.2f", row->mean[i]);
    printf("  %s\n", verdict(row));
    (void)fflush(stdout);
}

static void print_json(const struct row *row, bool first)
{
    printf("%s\n {\"id\": \"%s\", \"scenario\": \"%s\", \"controller\": \"%s\", \"goal\": \"%s\"",
           first ? "" : ",", row->scenario->id, row->scenario->name, row->peer, verdict(row));
    for (int i = 0; i < TDM_RATE_FIGURES; i++)
        if (row->mean[i] >= 0)
            printf(", \"%s\": {\"mean\": %.4g, \"worst\": %.4g}", tdm_rate_figure_names[i],
                   row->mean[i], row->worst[i]);
    putchar('}');
}

static void run_all(const struct options *o, void *storage, const uint32_t *trace, uint32_t count)
{
    bool first = true;

    if (o->json)
        printf("{\"seeds\": [%" PRIu64 ", %" PRIu64 "], \"rows\": [", o->first, o->last);
    else
        print_head();
    for (uint32_t i = 0; i < tdm_rate_scenario_count(); i++) {
        const struct tdm_rate_scenario *s = tdm_rate_scenario_at(i);

        if (strcmp(o->scenario, "all") != 0 && strcmp(o->scenario, s->name) != 0)
            continue;
        for (int p = 0; p < TDM_RATE_PEERS; p++) {
            if (o->peer && strcmp(o->peer, tdm_rate_peers[p]->name) != 0)
                continue;
            struct row row = run(storage, s, tdm_rate_peers[p], o, trace, count);

            if (o->json)
                print_json(&row, first);
            else
                print_row(&row);
            first = false;
        }
    }
    if (o->json)
        puts("\n]}");
}

static void list(void)
{
    for (uint32_t i = 0; i < tdm_rate_scenario_count(); i++) {
        const struct tdm_rate_scenario *s = tdm_rate_scenario_at(i);

        printf("%-10s %-4s %s\n", s->name, s->id, s->title);
    }
}

int main(int argc, char **argv)
{
    struct options o;
    uint32_t *trace = NULL, count = 0;

    if (!parse(&o, argc, argv) ||
        (strcmp(o.scenario, "all") != 0 && !tdm_rate_scenario_named(o.scenario))) {
        fputs("rate_bench: --list, or [SCENARIO|all] [--seeds A..B] [--peer NAME] "
              "[--trace FILE] [--json]; --list names the scenarios\n",
              stderr);
        return 2;
    }
    if (o.list) {
        list();
        return 0;
    }
    if (o.trace && !(trace = read_trace(o.trace, &count)))
        return 2;
    void *storage = malloc(tdm_rate_run_bytes());

    if (storage)
        run_all(&o, storage, trace, count);
    free(storage);
    free(trace);
    return storage ? 0 : 1;
}
