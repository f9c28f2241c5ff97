/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_PROTECTION_H
#define TDM_SIGNALLING_PROTECTION_H

/*
 * What protects a media line and how it is reached: what we offer, which of the other side's offers
 * will do, and whether an answer keeps what was offered. DTLS-SRTP before keys in the description
 * before nothing; never less than the capability allows, nor than was agreed before. Part of
 * offer_answer.h. Pure. Why: docs/decisions/016-offers-are-encrypted.md.
 */

#include "signalling/offer_answer.h"

/** The command's options that allow what is refused by default, as causes name them. */
#define TDM_PLAIN_OPTION "--plain"
#define TDM_SDES_OPTION  "--sdes"

/** Fills proto and transport of a line that we offer over the transport of `kind`. `before`: how
 *  that transport was agreed on, with the line's proto as it was, or NULL. TDM_E_DENIED with a
 *  cause when the capability allows nothing. */
enum tdm_err tdm_protection_offer(struct tdm_media_line *line,
                                  const struct tdm_capability *capability, enum tdm_media_kind kind,
                                  const struct tdm_negotiated_transport *before,
                                  struct tdm_cause *cause);

/** What would protect an offered line: the best that both can. TDM_E_DENIED with a cause. */
enum tdm_err tdm_protection_choose(enum tdm_proto *chosen, const struct tdm_media_line *offered,
                                   const struct tdm_capability *capability,
                                   enum tdm_media_kind kind,
                                   const struct tdm_negotiated_transport *before,
                                   struct tdm_cause *cause);

/** Fills the transport of our answer to `offered`, protected as chosen. */
void tdm_protection_answer(struct tdm_media_line *line, const struct tdm_media_line *offered,
                           const struct tdm_capability *capability, enum tdm_media_kind kind,
                           const struct tdm_negotiated_transport *before, enum tdm_proto chosen);

/** What two lines agree on. `offered_here`: `local` is the offer, `remote` the answer. TDM_E_DENIED
 *  with a cause when the answer is weaker than the offer or than `before`, TDM_E_MALFORMED when it
 *  contradicts the offer. */
enum tdm_err tdm_protection_agree(struct tdm_negotiated_transport *t,
                                  const struct tdm_media_line *local,
                                  const struct tdm_media_line *remote, bool offered_here,
                                  const struct tdm_negotiated_transport *before,
                                  struct tdm_cause *cause);

/** What a line says that shares the transport of another: all but the candidates. */
void tdm_transport_without_candidates(struct tdm_transport_desc *t);

/** The role that a=setup of the other side leaves to us; NONE: it contradicts `ours`. For an offer
 *  `ours` is what we prefer (NONE: active), for an answer what we offered. */
enum tdm_setup tdm_setup_answer(enum tdm_setup offered, enum tdm_setup ours);
enum tdm_setup tdm_setup_agree(enum tdm_setup offered, enum tdm_setup answered);

#endif
