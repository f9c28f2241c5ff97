/* SPDX-License-Identifier: MIT */

/*
 * sim_hour [RUNS [SECONDS]]: how fast a simulated call runs on one core. Prints a table and JSON of
 * CPU time for an audio and video call on a quiet network, and on each kind of drawn network.
 */

#include "sim/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS_MAX 99

struct row {
    const char *name;
    double times_s[RUNS_MAX];
    uint64_t events;
};

static double cpu_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(struct row *row, struct tdm_sim_call *call, struct tdm_sim_scenario *scenario,
                    int network, int runs, int64_t seconds)
{
    struct tdm_sim_result result;

    row->name = network < 0 ? "quiet" : tdm_sim_network_name((enum tdm_sim_network)network);
    for (int i = 0; i < runs; i++) {
        uint64_t seed = (uint64_t)i * TDM_SIM_NETWORK_COUNT;
        double start;

        if (network < 0)
            tdm_sim_scenario_plain(scenario, seed, seconds * TDM_S);
        else
            tdm_sim_scenario_mixed(scenario, seed + (uint64_t)network, seconds * TDM_S);
        start = cpu_now();
        if (tdm_sim_call_run(call, scenario, &result) != TDM_OK)
            exit(2);
        row->times_s[i] = cpu_now() - start;
        row->events = result.events;
    }
    qsort(row->times_s, (size_t)runs, sizeof(row->times_s[0]), by_time);
}

int main(int argc, char **argv)
{
    int runs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 5;
    int64_t seconds = argc > 2 ? strtoll(argv[2], NULL, 10) : 3600;
    struct tdm_sim_scenario *scenario = malloc(sizeof(*scenario));
    struct tdm_sim_call *call = tdm_sim_call_create(0);
    struct row row;

    if (!scenario || !call || runs < 1 || runs > RUNS_MAX || seconds < 20) {
        fprintf(stderr, "usage: sim_hour [RUNS (1 to %d) [SECONDS (20 or more)]]\n", RUNS_MAX);
        tdm_sim_call_destroy(call);
        free(scenario);
        return 2;
    }
    fprintf(stderr, "%-12s %8s %8s %8s   x real time\n", "network", "min s", "median s", "max s");
    printf("{\"bench\": \"sim_hour\", \"virtual_seconds\": %" PRId64 ", \"rows\": [", seconds);
    for (int network = -1; network < TDM_SIM_NETWORK_COUNT; network++) {
        double median;

        measure(&row, call, scenario, network, runs, seconds);
        median = row.times_s[runs / 2];
        fprintf(stderr, "%-12s %8.2f %8.2f %8.2f   %.0f\n", row.name, row.times_s[0], median,
                row.times_s[runs - 1], (double)seconds / median);
        printf("%s\n  {\"network\": \"%s\", \"cpu_min_s\": %.3f, \"cpu_median_s\": %.3f, "
               "\"cpu_max_s\": %.3f, \"real_time_factor\": %.0f, \"events\": %" PRIu64 "}",
               network < 0 ? "" : ",", row.name, row.times_s[0], median, row.times_s[runs - 1],
               (double)seconds / median, row.events);
    }
    printf("\n]}\n");
    tdm_sim_call_destroy(call);
    free(scenario);
    return 0;
}
