/* SPDX-License-Identifier: MIT */
#include "sim/catalog.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct tdm_catalog_family *const families[] = {
    &tdm_catalog_rate,   &tdm_catalog_call,    &tdm_catalog_ice,
    &tdm_catalog_repair, &tdm_catalog_playout,
};

#define FAMILIES (sizeof families / sizeof *families)

struct tandem_sim {
    void *storage[FAMILIES]; /* Of those of which something was run. */
};

/* The family that an index over all of them falls into, and the index in there. */
static size_t family_of(uint32_t *index)
{
    size_t f = 0;

    while (f < FAMILIES && *index >= families[f]->count())
        *index -= families[f++]->count();
    return f;
}

uint32_t tandem_sim_count(void)
{
    uint32_t count = 0;

    for (size_t f = 0; f < FAMILIES; f++)
        count += families[f]->count();
    return count;
}

bool tandem_sim_scenario(uint32_t index, struct tandem_sim_scenario *scenario)
{
    size_t f = family_of(&index);

    if (f == FAMILIES)
        return false;
    memset(scenario, 0, sizeof *scenario);
    families[f]->describe(index, scenario);
    scenario->family = families[f]->name;
    return true;
}

uint32_t tandem_sim_find(const char *name)
{
    struct tandem_sim_scenario s;
    uint32_t index = 0;

    while (tandem_sim_scenario(index, &s) && strcmp(s.name, name) != 0)
        index++;
    return index;
}

enum tandem_status tandem_sim_create(struct tandem_sim **sim, struct tandem_cause *cause)
{
    *sim = calloc(1, sizeof **sim);
    if (!*sim && cause)
        (void)snprintf(cause->text, sizeof cause->text, "no memory for a simulation");
    return *sim ? TANDEM_OK : TANDEM_FAILED;
}

void tandem_sim_destroy(struct tandem_sim *sim)
{
    if (!sim)
        return;
    for (size_t f = 0; f < FAMILIES; f++)
        if (sim->storage[f])
            families[f]->destroy(sim->storage[f]);
    free(sim);
}

static enum tandem_status give_up(struct tandem_cause *cause, enum tandem_status status,
                                  const char *name, const char *why, const char *what)
{
    if (cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s %s%s", name, why, what);
    return status;
}

enum tandem_status tandem_sim_run(struct tandem_sim *sim, const struct tandem_sim_run *run,
                                  struct tandem_sim_score *score, struct tandem_cause *cause)
{
    struct tandem_sim_scenario s;
    uint32_t index = run->scenario;
    size_t f = family_of(&index);
    enum tdm_err err = TDM_E_SYSTEM;

    if (!tandem_sim_scenario(run->scenario, &s))
        return give_up(cause, TANDEM_INVALID, "there", "is no scenario of that number", "");
    if (run->contender >= s.contender_count)
        return give_up(cause, TANDEM_INVALID, s.name, "has no contender of that number", "");
    if (run->trace && !s.trace)
        return give_up(cause, TANDEM_INVALID, s.name, "takes no trace: leave it out", "");
    memset(score, 0, sizeof *score);
    for (int i = 0; i < TANDEM_SIM_FIGURES; i++)
        score->figures[i] = NAN;
    if (!sim->storage[f])
        sim->storage[f] = families[f]->create();
    if (sim->storage[f])
        err = families[f]->run(sim->storage[f], index, run, score);
    if (err == TDM_E_MALFORMED || err == TDM_E_SPACE)
        return give_up(cause, TANDEM_INVALID, s.name, "cannot read that trace: it wants ", s.trace);
    if (err != TDM_OK)
        return give_up(cause, TANDEM_FAILED, s.name, "has no memory to run in", "");
    return TANDEM_OK;
}
