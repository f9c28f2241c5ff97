/* SPDX-License-Identifier: MIT */
#include "signalling/line_match.h"

#include "signalling/codec_match.h"

#include <string.h>

enum tdm_direction tdm_line_reversed(enum tdm_direction direction)
{
    return (enum tdm_direction)((direction & TDM_SENDONLY ? TDM_RECVONLY : 0) |
                                (direction & TDM_RECVONLY ? TDM_SENDONLY : 0));
}

/* What the describer does: RFC 2543's hold by c=0.0.0.0 means that it does not receive. */
enum tdm_direction tdm_line_direction(const struct tdm_media_line *line)
{
    bool elsewhere = line->transport.ice_ufrag[0] || line->bundle; /* Its address says nothing. */
    bool old_hold =
        !elsewhere && (strcmp(line->address, "0.0.0.0") == 0 || strcmp(line->address, "::") == 0);

    return old_hold ? (enum tdm_direction)(line->direction & TDM_SENDONLY) : line->direction;
}

const struct tdm_codec_desc *tdm_line_find(const struct tdm_codec_desc *codec,
                                           const struct tdm_codec_desc *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (tdm_codec_match(codec, &list[i]))
            return &list[i];
    return NULL;
}

/* The first of the other side's codecs that `ours` has too; with `to_send`, and an encoder for. */
const struct tdm_codec_desc *tdm_line_first_shared(const struct tdm_media_line *theirs,
                                                   const struct tdm_codec_desc *ours,
                                                   unsigned count, bool to_send)
{
    for (unsigned i = 0; i < theirs->codec_count; i++) {
        const struct tdm_codec_desc *match = tdm_codec_is_media(&theirs->codecs[i])
                                                 ? tdm_line_find(&theirs->codecs[i], ours, count)
                                                 : NULL;

        if (match && !(to_send && match->decode_only))
            return &theirs->codecs[i];
    }
    return NULL;
}

/* `direction` without sending when all that is shared with `theirs` we can only decode. */
enum tdm_direction tdm_line_within_codecs(enum tdm_direction direction,
                                          const struct tdm_media_line *theirs,
                                          const struct tdm_codec_desc *ours, unsigned count)
{
    return tdm_line_first_shared(theirs, ours, count, true)
               ? direction
               : (enum tdm_direction)(direction & TDM_RECVONLY);
}
