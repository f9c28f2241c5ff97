/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_CODEC_MATCH_H
#define TDM_SIGNALLING_CODEC_MATCH_H

/* Whether two payload types mean the same coding, and what an answer says about it. Pure. */

#include "engine/core/media_desc.h"

#include <stddef.h>

/**
 * Same codec, clock, channels where they matter, and what the two sides may not choose apart:
 *
 * - H.264 (RFC 6184 section 8.2.2): packetization-mode and profile; baseline and constrained
 *   baseline count as one, since encoders in the field make the constrained one under either name.
 * - VP9 (RFC 9628 section 6): profile-id.
 * - H.265 (RFC 7798 section 7.2.2): profile-space, profile-id and how the stream is laid out
 *   (tx-mode, sprop-max-don-diff).
 * - AV1 (AOM, section 7.2): nothing; each side says what it can receive, and profile 0, which is
 *   what we send, is in every profile.
 */
bool tdm_codec_match(const struct tdm_codec_desc *a, const struct tdm_codec_desc *b);

/** The fmtp of our answer: ours, but H.264 with the offered profile and a level that both keep, and
 *  H.265 with the offered tier and level as far as ours goes. */
void tdm_codec_answer_fmtp(const struct tdm_codec_desc *ours, const struct tdm_codec_desc *offered,
                           char *fmtp, size_t capacity);

/** false for telephone-event and unknown names, which carry no media by themselves. */
bool tdm_codec_is_media(const struct tdm_codec_desc *codec);

#endif
