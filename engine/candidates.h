/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CANDIDATES_H
#define TDM_ENGINE_CANDIDATES_H

/* Candidates as the ICE agent has them, and as a session description says them. Pure. */

#include "engine/core/ice.h"
#include "engine/core/media_desc.h"

void tdm_candidate_describe(const struct tdm_ice_candidate *candidate, uint8_t component,
                            struct tdm_candidate_desc *desc);

/** TDM_E_UNSUPPORTED for TCP, TDM_E_AGAIN for a name, which must be looked up first. */
enum tdm_err tdm_candidate_of(const struct tdm_candidate_desc *desc,
                              struct tdm_ice_candidate *candidate);

/** The same with the address that its name was found to have. */
void tdm_candidate_at(const struct tdm_candidate_desc *desc, const struct tdm_address *address,
                      struct tdm_ice_candidate *candidate);

#endif
