/* SPDX-License-Identifier: MIT */

/*
 * transport_cost [RUNS [SECONDS]]: what the transport of one side of a call costs: the session with
 * its log of what left, rate, pacing, repairs and feedback. Prints a table of the CPU time of a
 * simulated call (sim/media_rig.h), per side and as a part of a core; the simulated link is in it,
 * encryption, sockets and codecs are not.
 */

#include "sim/media_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS_MAX    99
#define SECONDS_MAX 100000
#define SIDES       2

static double cpu_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct tdm_sim_rig_config call(uint64_t seed, bool video)
{
    struct tdm_sim_rig_config c = {
        .seed = seed,
        .voice_bps = 32000,
        .video_bps = video ? 2500000 : 0,
        .fps = 30,
        .camera = video,
        .parity = video,
        .fill = 0.95,
        .sigma = 0.05,
    };

    c.way[0] = c.way[1] = (struct tdm_sim_link_config){.seed = seed, .delay = 25 * TDM_MS};
    c.way[0].rate_bps = 4000000;
    c.way[0].loss = 0.01;
    return c;
}

/* Per cent of a core, of one side. */
static double cost(uint64_t seed, bool video, int seconds)
{
    struct tdm_sim_rig_config c = call(seed, video);
    struct tdm_sim_rig *rig = tdm_sim_rig_create(&c);

    if (!rig)
        exit(1);
    double before = cpu_now();

    tdm_sim_rig_run(rig, seconds * TDM_S);
    double spent = cpu_now() - before;

    tdm_sim_rig_destroy(rig);
    return spent / seconds / SIDES * 100;
}

int main(int argc, char **argv)
{
    long runs = argc > 1 ? strtol(argv[1], NULL, 10) : 5;
    long seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 300;
    double costs[RUNS_MAX];

    if (runs < 1 || runs > RUNS_MAX || seconds < 1 || seconds > SECONDS_MAX) {
        (void)fprintf(stderr, "usage: transport_cost [RUNS [SECONDS]], 1 to %d runs\n", RUNS_MAX);
        return 2;
    }
    printf("%% of a core, per side      min   median      max\n");
    for (int video = 0; video < 2; video++) {
        for (int i = 0; i < runs; i++)
            costs[i] = cost((uint64_t)i + 1, video, (int)seconds);
        qsort(costs, (size_t)runs, sizeof *costs, by_size);
        printf("%-22s %7.4f  %7.4f  %7.4f\n", video ? "voice and 2.5 Mb/s" : "voice", costs[0],
               costs[runs / 2], costs[runs - 1]);
    }
    return 0;
}
