/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_CATALOG_H
#define TDM_SIM_CATALOG_H

/*
 * Everything that `tandem sim` can run (include/tandem/sim.h), as a list of families. A family is a
 * `static const` table in a file sim/catalog_NAME.c and one line in sim/catalog.c; all scenarios of
 * a family have the same figures and the same contenders.
 *
 * Contract of a table. One thread at a time for each storage. A run depends on nothing but its
 * arguments, is bounded in time, and leaves nothing behind in the storage that a later run sees.
 */

#include "engine/base/err.h"
#include "tandem/sim.h"

struct tdm_catalog_family {
    const char *name; /* "rate", "call", "ice", "repair", "playout". */

    uint32_t (*count)(void);

    /** Fills in everything but `family`; index < count(). Names are unique over all families. */
    void (*describe)(uint32_t index, struct tandem_sim_scenario *scenario);

    /** Storage for runs, made when the first scenario of the family is run; NULL: no memory. */
    void *(*create)(void);
    void (*destroy)(void *storage);

    /**
     * Runs scenario `index` (of this family) with one contender from one seed.
     *
     * @param run    `seed`, `contender` (< contender_count) and, where describe() says so, `trace`.
     * @param score  all figures NAN, no curves, no violation: fill in what applies. Curves lie in
     *               the storage.
     *
     * @return TDM_OK; TDM_E_MALFORMED or TDM_E_SPACE when the trace cannot be read or is too long;
     *         TDM_E_SYSTEM when there is no memory.
     */
    enum tdm_err (*run)(void *storage, uint32_t index, const struct tandem_sim_run *run,
                        struct tandem_sim_score *score);
};

extern const struct tdm_catalog_family tdm_catalog_rate, tdm_catalog_call, tdm_catalog_ice,
    tdm_catalog_repair, tdm_catalog_playout;

#endif
