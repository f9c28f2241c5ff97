/* SPDX-License-Identifier: MIT */

/*
 * sim.call [--log] SEED [SECONDS]: one drawn call (sim/scenario.h), what came of it, and its
 * violations. --log prints every event instead. Exit code 1 when something was violated.
 */

#include "tests/sim/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX ((size_t)1 << 20)

/* The exit code. */
static int run(struct tdm_sim_call *call, struct tdm_sim_scenario *scenario, bool log)
{
    struct tdm_sim_result result;

    if (tdm_sim_call_run(call, scenario, &result) != TDM_OK) {
        fprintf(stderr, "no memory for the call\n");
        return 2;
    }
    if (log)
        report_log(tdm_sim_call_log(call));
    else
        report_call(scenario, &result);
    return result.violations > 0;
}

int main(int argc, char **argv)
{
    bool log = argc > 1 && strcmp(argv[1], "--log") == 0;
    struct tdm_sim_scenario *scenario = malloc(sizeof(*scenario));
    struct tdm_sim_call *call = tdm_sim_call_create(log ? LOG_MAX : 0);
    int status = 2;

    argc -= log;
    argv += log;
    if (argc < 2 || argc > 3 || !scenario || !call) {
        fprintf(stderr, "usage: sim.call [--log] SEED [SECONDS]\n");
    } else {
        tdm_sim_scenario_mixed(scenario, strtoull(argv[1], NULL, 10),
                               (argc > 2 ? strtoll(argv[2], NULL, 10) : 60) * TDM_S);
        status = run(call, scenario, log);
    }
    tdm_sim_call_destroy(call);
    free(scenario);
    return status;
}
