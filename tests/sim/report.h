/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_SIM_REPORT_H
#define TDM_TESTS_SIM_REPORT_H

/* Words for people about a simulated call. */

#include "sim/call.h"

/** One line a side, and the violations. */
void report_call(const struct tdm_sim_scenario *scenario, const struct tdm_sim_result *result);

/** Only the violations. */
void report_violations(const struct tdm_sim_result *result);

/** The whole log, a line an event. */
void report_log(const struct tdm_sim_log *log);

#endif
