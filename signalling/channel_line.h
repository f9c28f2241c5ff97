/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_CHANNEL_LINE_H
#define TDM_SIGNALLING_CHANNEL_LINE_H

/*
 * The data channel's m=application line (RFC 4145, RFC 8122): who connects, who listens, and by
 * which fingerprints they know each other. Part of offer_answer.h. Pure.
 */

#include "signalling/offer_answer.h"

/** RFC 4145 section 4.1: the port of who only connects. */
#define TDM_DISCARD_PORT 9

bool tdm_channel_can_offer(const struct tdm_capability *capability);
void tdm_channel_offer(struct tdm_media_line *line, const struct tdm_capability *capability);

bool tdm_channel_acceptable(const struct tdm_media_line *offered,
                            const struct tdm_capability *capability);
void tdm_channel_answer(struct tdm_media_line *line, const struct tdm_media_line *offered,
                        const struct tdm_capability *capability);

/** TDM_E_DENIED when the answer has no fingerprint, TDM_E_MALFORMED when its role contradicts. */
enum tdm_err tdm_channel_agree(struct tdm_negotiated_channel *channel,
                               const struct tdm_media_line *local,
                               const struct tdm_media_line *remote, bool offered_here,
                               unsigned line_index, struct tdm_cause *cause);

#endif
