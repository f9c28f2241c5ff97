/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_CALL_PERFORM_H
#define TDM_SIGNALLING_CALL_PERFORM_H

/* Hands what a call machine decided to a backend. */

#include "signalling/call.h"

/** Runs `out->command`, if any. When the backend cannot take it, the machine is told by a FAILED
 *  event at `now`, and `out` holds that step's outcome. */
void tdm_call_perform(struct tdm_call_machine *m, tdm_time now, const struct tdm_sig_ops *ops,
                      struct tdm_sig *sig, struct tdm_call_out *out);

#endif
