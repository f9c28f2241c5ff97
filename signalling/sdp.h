/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SDP_H
#define TDM_SIGNALLING_SDP_H

/*
 * SDP text (RFC 8866) to a media description and back. Pure: it decides what the text says, not
 * what to answer (offer_answer.h). Tolerant where real peers are sloppy (LF line ends, no t= or
 * s=, no rtpmap for static payload types, no c= beside o=); bounded everywhere.
 */

#include "engine/base/err.h"
#include "engine/core/media_desc.h"

#include <stddef.h>

#define TDM_SDP_MAX 16384 /* Bytes; larger texts are refused. Browsers need half of it. */

/**
 * Fills `desc`. Lines that are neither audio nor video over RTP/AVP or AVPF are kept in place with
 * `other` set. Codecs, extensions and parameters beyond the bounds of media_desc.h are dropped;
 * a parameter list (fmtp) loses whole parameters at its end.
 *
 * @return TDM_E_MALFORMED with a cause that names the line; TDM_E_UNSUPPORTED when there are more
 *         m= lines than TDM_DESC_MEDIA_MAX. `desc` is then zeroed.
 */
enum tdm_err tdm_sdp_parse(const char *text, size_t size, struct tdm_media_desc *desc,
                           struct tdm_cause *cause);

/** Writes CRLF text without a terminator. TDM_E_SPACE when it does not fit; TDM_SDP_MAX bytes hold
 *  what offer_answer.h makes. */
enum tdm_err tdm_sdp_write(const struct tdm_media_desc *desc, char *text, size_t capacity,
                           size_t *size);

/** Which codec of ours a=rtpmap names; TDM_CODEC_NONE when there is none, or its clock is odd. */
enum tdm_codec_id tdm_sdp_codec_id(enum tdm_media_kind kind, const char *name, uint32_t clock_hz);

/** The name for a=rtpmap, "" for TDM_CODEC_NONE. */
const char *tdm_sdp_codec_name(enum tdm_codec_id id);

/** Fills name, clock and channels of a static payload type (RFC 3551 section 6); false: dynamic. */
bool tdm_sdp_static_codec(enum tdm_media_kind kind, struct tdm_codec_desc *codec);

/** The value of one parameter of an fmtp text ("a=1;b=2"), case-insensitive name, without spaces;
 *  false when it is not there (or does not fit). A parameter without '=' has the value "". */
bool tdm_sdp_fmtp_value(const char *fmtp, const char *name, char *value, size_t capacity);

#endif
