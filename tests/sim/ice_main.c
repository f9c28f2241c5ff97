/* SPDX-License-Identifier: MIT */

/*
 * sim.ice [--seeds FIRST..LAST]: drawn set-ups of two ICE agents over all pairs of NAT kinds. Each
 * that differs from the table of what can connect is printed with the command line that runs it
 * again; then how long it took until both heard the other, by pair of kinds, over and above
 * whole round trips. One seed alone is told in detail.
 */

#include "sim/ice_draw.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS       TDM_SIM_NAT_KINDS
#define SAMPLES_MAX 4096

struct cell {
    uint32_t count;
    double ms[SAMPLES_MAX];
};

struct totals {
    uint64_t runs, failed, verdicts[3];
    struct cell cells[KINDS][KINDS], direct, relayed, lossy;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void add(struct cell *c, double ms)
{
    if (c->count < SAMPLES_MAX)
        c->ms[c->count++] = ms;
}

static void print_cell(const char *a, const char *b, struct cell *c)
{
    if (!c->count)
        return;
    qsort(c->ms, c->count, sizeof c->ms[0], by_value);
    printf("%-16s %-16s %6u %8.0f %8.0f %8.0f\n", a, b, c->count, c->ms[c->count / 2],
           c->ms[c->count * 95 / 100], c->ms[c->count - 1]);
}

static void print_table(struct totals *t)
{
    printf("%-16s %-16s %6s %8s %8s %8s   ms until both heard the other\n", "", "", "runs", "p50",
           "p95", "max");
    for (unsigned a = 0; a < KINDS; a++)
        for (unsigned b = 0; b < KINDS; b++)
            print_cell(tdm_sim_nat_name((enum tdm_sim_nat_kind)a),
                       tdm_sim_nat_name((enum tdm_sim_nat_kind)b), &t->cells[a][b]);
    print_cell("direct", "without loss", &t->direct);
    print_cell("relayed", "without loss", &t->relayed);
    print_cell("any", "with loss", &t->lossy);
    printf("%" PRIu64 " set-ups: %" PRIu64 " direct, %" PRIu64 " relayed, %" PRIu64
           " without a way; %" PRIu64 " wrong\n",
           t->runs, t->verdicts[TDM_SIM_ICE_DIRECT], t->verdicts[TDM_SIM_ICE_RELAYED],
           t->verdicts[TDM_SIM_ICE_NO_WAY], t->failed);
}

static double ms(tdm_time t)
{
    return t == TDM_NEVER ? -1 : (double)t / 1e6;
}

static void print_sides(const struct tdm_sim_ice_result *r)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct tdm_sim_ice_side_result *s = &r->sides[i];

        printf("  side %u: %s%s%s; described %.0f, path %.0f, heard %.0f ms, %u datagrams, "
               "longest gap %.0f ms; %u pairs, %u checks, %u answered, %u refused, %u paths\n",
               i, s->connected ? "connected" : "not connected", s->relayed ? ", relayed" : "",
               s->lost ? ", lost" : "", ms(s->described_at), ms(s->path_at), ms(s->heard_at),
               s->heard, ms(s->gap), s->stats.pairs, s->stats.checks_sent, s->stats.checks_answered,
               s->stats.refused, s->stats.path_changes);
    }
}

static bool run_one(struct tdm_sim_ice_call *call, uint64_t seed, struct totals *t, bool tell)
{
    struct tdm_sim_ice_scenario scenario;
    struct tdm_sim_ice_result result;
    char words[160] = "", text[256];
    bool wrong;

    tdm_sim_ice_draw(&scenario, seed);
    if (tdm_sim_ice_call_run(call, &scenario, &result) != TDM_OK)
        return false;
    enum tdm_sim_ice_verdict verdict = tdm_sim_ice_verdict_of(&scenario);
    tdm_time time = tdm_sim_ice_time_to_media(&result);

    wrong = tdm_sim_ice_differs(&scenario, &result, words);
    if (wrong || tell) {
        tdm_sim_ice_describe(&scenario, text);
        printf("seed %" PRIu64 " %s: %s\n", seed, wrong ? words : "is well", text);
        print_sides(&result);
    }
    t->runs++;
    t->failed += wrong;
    t->verdicts[verdict]++;
    if (time == TDM_NEVER)
        return true;
    if (scenario.net.loss > 0) {
        add(&t->lossy, ms(time));
        return true;
    }
    add(verdict == TDM_SIM_ICE_DIRECT ? &t->direct : &t->relayed, ms(time));
    add(&t->cells[scenario.net.access[0].nat][scenario.net.access[1].nat], ms(time));
    return true;
}

int main(int argc, char **argv)
{
    struct totals *totals = calloc(1, sizeof(*totals));
    struct tdm_sim_ice_call *call = tdm_sim_ice_call_create();
    uint64_t first = 0, last = 999;
    int status = 2;

    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        char *end;

        first = last = strtoull(argv[2], &end, 10);
        if (strncmp(end, "..", 2) == 0)
            last = strtoull(end + 2, NULL, 10);
    } else if (argc != 1) {
        fprintf(stderr, "usage: sim.ice [--seeds FIRST..LAST]\n");
        last = 0;
        first = 1;
    }
    if (totals && call && first <= last) {
        status = 0;
        for (uint64_t seed = first; seed <= last && status == 0; seed++)
            status = run_one(call, seed, totals, first == last) ? 0 : 2;
        if (first != last)
            print_table(totals);
        if (totals->failed)
            status = 1;
    }
    tdm_sim_ice_call_destroy(call);
    free(totals);
    return status;
}
