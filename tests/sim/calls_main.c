/* SPDX-License-Identifier: MIT */

/*
 * sim.calls FIRST COUNT PROGRAM: COUNT drawn one-minute calls from seed FIRST on. Each that
 * violates something is printed with the command line (of PROGRAM, sim.call) that runs it again.
 */

#include "tests/sim/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SECONDS 60

/* What a whole shard came to, so that a test run that tests nothing shows. */
struct totals {
    uint64_t failed, audio_frames, video_frames, nacked, repaired, keyframes;
};

static void add(struct totals *t, const struct tdm_sim_result *result)
{
    t->failed += result->violations > 0;
    for (unsigned i = 0; i < 2; i++) {
        t->audio_frames += result->side[i].audio_frames;
        t->video_frames += result->side[i].video_frames;
        t->nacked += result->side[i].nacked;
        t->repaired += result->side[i].repaired;
        t->keyframes += result->side[i].keyframes_wanted;
    }
}

/* The exit code. */
static int run(struct tdm_sim_call *call, struct tdm_sim_scenario *scenario, uint64_t first,
               uint64_t count, const char *program)
{
    struct totals totals = {0};

    for (uint64_t seed = first; seed < first + count; seed++) {
        struct tdm_sim_result result;

        tdm_sim_scenario_mixed(scenario, seed, SECONDS * TDM_S);
        if (tdm_sim_call_run(call, scenario, &result) != TDM_OK) {
            fprintf(stderr, "no memory for the call\n");
            return 2;
        }
        add(&totals, &result);
        if (result.violations) {
            printf("seed %" PRIu64 " (%s) failed; again: %s %" PRIu64 " %d\n", seed, scenario->name,
                   program, seed, SECONDS);
            report_violations(&result);
        }
    }
    printf("%" PRIu64 " calls, %" PRIu64 " failed; %" PRIu64 " sound and %" PRIu64
           " picture frames, %" PRIu64 " of %" PRIu64 " packets repaired, %" PRIu64
           " keyframes asked for\n",
           count, totals.failed, totals.audio_frames, totals.video_frames, totals.repaired,
           totals.nacked, totals.keyframes);
    return totals.failed || totals.audio_frames < count * 1000 || totals.repaired == 0;
}

int main(int argc, char **argv)
{
    struct tdm_sim_scenario *scenario = malloc(sizeof(*scenario));
    struct tdm_sim_call *call = tdm_sim_call_create(0);
    int status = 2;

    if (argc != 4 || !scenario || !call)
        fprintf(stderr, "usage: sim.calls FIRST COUNT PROGRAM\n");
    else
        status =
            run(call, scenario, strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), argv[3]);
    tdm_sim_call_destroy(call);
    free(scenario);
    return status;
}
