/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_WHIP_H
#define TDM_ENGINE_WHIP_H

/*
 * Browsers call: WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) as another signalling backend. A
 * POST with an offer rings like an invitation; its answer is what the call accepts with; DELETE
 * hangs up. GET / gives a page that does all that (engine/call_page.html).
 *
 *     POST    /whip, /whep      offer -> 201, answer, Location   4xx, 503: why, in words
 *     PATCH   the Location      candidates that came later       204
 *                               If-Match "*": ICE restarts       200, our credentials
 *     DELETE  the Location                                       200
 *     OPTIONS any of them       what may be sent, and by whom    204
 *
 * Who may: with a token, whoever shows it, from any page. Without one, only pages from here: a page
 * from elsewhere in the same browser must not be able to switch this side's camera on
 * (docs/decisions/017-who-may-call-over-http.md).
 *
 * It never calls anybody, and cannot ask a browser anew (hold, other codecs): that is answered with
 * OFFER_REFUSED. Body bytes are looked at as SDP only to say what is wrong with them; what they
 * mean is offer_answer.h.
 *
 * Threads: unlike other backends, all commands on the thread that pulls events.
 */

#include "signalling/signalling.h"

#define TDM_WHIP_PORT 8080

extern const struct tdm_sig_ops tdm_sig_whip;

#endif
