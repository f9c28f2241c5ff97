/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_ICE_DRAW_H
#define TDM_SIM_ICE_DRAW_H

/*
 * Draws a set-up of two ICE agents from a seed, and says what must come of it: a table of which
 * NATs let each other through, written from the rules of the NATs and not from the agent.
 */

#include "sim/ice_call.h"

enum tdm_sim_ice_verdict { TDM_SIM_ICE_DIRECT, TDM_SIM_ICE_RELAYED, TDM_SIM_ICE_NO_WAY };

/** Two plain sites of these kinds with STUN and TURN, 50 ms of round trip, no loss. */
void tdm_sim_ice_plain(struct tdm_sim_ice_scenario *s, enum tdm_sim_nat_kind a,
                       enum tdm_sim_nat_kind b);

/** All pairs of kinds come in turn; the rest is drawn. */
void tdm_sim_ice_draw(struct tdm_sim_ice_scenario *s, uint64_t seed);

enum tdm_sim_ice_verdict tdm_sim_ice_verdict_of(const struct tdm_sim_ice_scenario *s);
const char *tdm_sim_ice_verdict_name(enum tdm_sim_ice_verdict verdict);

/** What differs from the verdict, in `words`; false: nothing does. */
bool tdm_sim_ice_differs(const struct tdm_sim_ice_scenario *s, const struct tdm_sim_ice_result *r,
                         char words[160]);

/** From both sides knowing of each other until both heard the other; TDM_NEVER: not. */
tdm_time tdm_sim_ice_time_to_media(const struct tdm_sim_ice_result *r);

/** One line about a set-up. */
void tdm_sim_ice_describe(const struct tdm_sim_ice_scenario *s, char text[256]);

#endif
