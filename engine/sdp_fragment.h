/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SDP_FRAGMENT_H
#define TDM_ENGINE_SDP_FRAGMENT_H

/*
 * ICE restarts without a new description (RFC 9725 section 4.3.3): a fragment (RFC 8840 section 9)
 * says the new credentials and candidates. Put into the offer that stood, it is the offer that the
 * other side would have made; and of our answer to that, a fragment is what goes back. Pure text.
 */

#include "engine/base/err.h"

#include <stddef.h>

/** `offer` with the fragment's credentials on every line, and its candidates on the first.
 *
 *  @return TDM_E_MALFORMED when the fragment has no credentials, TDM_E_SPACE when it does not fit.
 */
enum tdm_err tdm_sdp_fragment_apply(const char *offer, size_t offer_size, const char *fragment,
                                    size_t fragment_size, char *to, size_t capacity, size_t *size);

/** The credentials and candidates of the first line of `sdp`. TDM_E_SPACE when they do not fit. */
enum tdm_err tdm_sdp_fragment_of(const char *sdp, size_t sdp_size, char *to, size_t capacity,
                                 size_t *size);

#endif
