/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_CALL_BODY_H
#define TDM_SIGNALLING_CALL_BODY_H

/* The bodies of a call machine's messages: offers and answers as hold and earlier refusals leave
 * them, and what follows from an agreement. Part of call.h. Pure. */

#include "signalling/call.h"

/** Our offer goes into out->body, and is outstanding from now on. */
enum tdm_err tdm_call_make_offer(struct tdm_call_machine *m, struct tdm_call_out *out,
                                 struct tdm_cause *cause);
/** The answer to it; an empty one is an error. */
enum tdm_err tdm_call_take_answer(struct tdm_call_machine *m, const char *text, size_t size,
                                  struct tdm_call_out *out, struct tdm_cause *cause);
/** Agreed when it succeeds: the answer is in out->body. */
enum tdm_err tdm_call_answer_offer(struct tdm_call_machine *m, const char *text, size_t size,
                                   struct tdm_call_out *out, struct tdm_cause *cause);

#endif
