/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_AGREEMENT_H
#define TDM_SIGNALLING_AGREEMENT_H

/* What an offer and its answer mean together, for the engine. Part of offer_answer.h. Pure. */

#include "signalling/offer_answer.h"

/** The two descriptions, and which of their lines are in use. */
struct tdm_agreement {
    bool offered_here;
    int8_t line_of[TDM_MEDIA_KINDS], channel_line; /* -1: none. */
    struct tdm_media_desc *local;
    const struct tdm_media_desc *remote;
};

/** Whose socket serves a kind as agreed so far, and would serve a new line of that kind. */
enum tdm_media_kind tdm_transport_kind(const struct tdm_offer_answer *oa, enum tdm_media_kind kind);

/** How the transport of `kind` was agreed on; NULL: it was not. */
const struct tdm_negotiated_transport *tdm_transport_before(const struct tdm_offer_answer *oa,
                                                            enum tdm_media_kind kind);

/** Fills `negotiated` or fails as tdm_protection_agree does. `oa` is as before the agreement. */
enum tdm_err tdm_agree(const struct tdm_offer_answer *oa, const struct tdm_agreement *agreement,
                       struct tdm_negotiated *negotiated, struct tdm_cause *cause);

/** Makes our lines say what is in use now, as the next offer would: keys that were not chosen and
 *  transports that a bundle made needless go. */
void tdm_agreement_settle(const struct tdm_agreement *agreement,
                          const struct tdm_negotiated *negotiated);

#endif
