/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SDP_TRANSPORT_H
#define TDM_SIGNALLING_SDP_TRANSPORT_H

/*
 * The attributes of SDP that say how a line is reached and protected: ICE (RFC 8839), fingerprints
 * and roles (RFC 8122, RFC 4145), keys (RFC 4568). Part of sdp.h. Pure. What it cannot use is left
 * out, as these RFCs ask, so that offer/answer sees a line without it: never a weaker one.
 */

#include "engine/core/media_desc.h"
#include "signalling/text.h"

/** What an attribute of that name means for a transport. */
enum tdm_sdp_taken {
    TDM_SDP_NOT_MINE,
    TDM_SDP_TAKEN,       /* Or left out. */
    TDM_SDP_CONTRADICTS, /* Something that may be said once was said twice, differently. */
};

/** Takes one attribute into `t`; `channel`: of the line of the data channel, which keeps TCP
 *  candidates where media keep UDP ones. */
enum tdm_sdp_taken tdm_sdp_take_transport(struct tdm_transport_desc *t, bool channel,
                                          struct tdm_text name, struct tdm_text value);

/** What the session level says holds for a line that does not say it itself. */
void tdm_sdp_inherit_transport(struct tdm_transport_desc *line,
                               const struct tdm_transport_desc *session);

/** Room for one attribute's text, CRLF and terminator included. */
#define TDM_SDP_ATTRIBUTE_MAX 288

void tdm_sdp_candidate_text(const struct tdm_candidate_desc *candidate,
                            char text[TDM_SDP_ATTRIBUTE_MAX]);
void tdm_sdp_fingerprint_text(const struct tdm_fingerprint_desc *fingerprint,
                              char text[TDM_SDP_ATTRIBUTE_MAX]);
void tdm_sdp_crypto_text(const struct tdm_crypto_desc *crypto, char text[TDM_SDP_ATTRIBUTE_MAX]);

/** "" for NONE. */
const char *tdm_sdp_setup_name(enum tdm_setup setup);

/** Bytes of master key and salt; 0 for TDM_SRTP_NONE. */
uint8_t tdm_sdp_srtp_key_size(enum tdm_srtp_profile profile);

#endif
