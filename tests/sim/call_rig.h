/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_SIM_CALL_RIG_H
#define TDM_TESTS_SIM_CALL_RIG_H

/* One scenario and the call that runs it, for cmocka: call_rig_set_up and call_rig_tear_down are a
 * test's fixture. */

#include "sim/call.h"

#define CALL_RIG_LOG ((size_t)1 << 19) /* Events that are kept. */

struct call_rig {
    struct tdm_sim_scenario s;
    struct tdm_sim_call *call;
    struct tdm_sim_result result;
};

int call_rig_set_up(void **state);
int call_rig_tear_down(void **state);

/** Whatever the scenario, nothing may be violated: the test fails, and says what was. */
const struct tdm_sim_result *call_rig_run(struct call_rig *rig);

#endif
