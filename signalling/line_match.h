/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_LINE_MATCH_H
#define TDM_SIGNALLING_LINE_MATCH_H

/* What the two sides' lines of one kind have in common: codecs and directions. Part of
 * offer_answer.h. Pure. */

#include "engine/core/media_desc.h"

/** As the other side sees it. */
enum tdm_direction tdm_line_reversed(enum tdm_direction direction);

/** What the describer does: RFC 2543's hold by c=0.0.0.0 means that it does not receive. */
enum tdm_direction tdm_line_direction(const struct tdm_media_line *line);

/** The first of a list that matches `codec`; NULL: none. */
const struct tdm_codec_desc *tdm_line_find(const struct tdm_codec_desc *codec,
                                           const struct tdm_codec_desc *list, unsigned count);

/** The first of the other side's codecs that `ours` has too; with `to_send`, and an encoder for. */
const struct tdm_codec_desc *tdm_line_first_shared(const struct tdm_media_line *theirs,
                                                   const struct tdm_codec_desc *ours,
                                                   unsigned count, bool to_send);

/** `direction` without sending when all that is shared with `theirs` we can only decode. */
enum tdm_direction tdm_line_within_codecs(enum tdm_direction direction,
                                          const struct tdm_media_line *theirs,
                                          const struct tdm_codec_desc *ours, unsigned count);

#endif
