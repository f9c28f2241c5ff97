/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_AV1_OBU_H
#define TDM_CODECS_AV1_OBU_H

/* A temporal unit of AV1 as a row of OBUs that all carry their size (AV1 bitstream specification,
 * sections 5.3 and 5.9): taken apart as far as the encoder's and the decoder's files need. */

#include "engine/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tdm_av1_obu_type {
    TDM_AV1_OBU_SEQUENCE_HEADER = 1,
    TDM_AV1_OBU_TEMPORAL_DELIMITER = 2,
    TDM_AV1_OBU_FRAME_HEADER = 3,
    TDM_AV1_OBU_FRAME = 6,
};

struct tdm_av1_obu {
    unsigned type;
    const uint8_t *data; /* From its header on; borrowed. */
    size_t size;
    const uint8_t *payload;
    size_t payload_size;
};

/** Steps over the next OBU. False at the end (`r->ok` still set) and where none follows. */
bool tdm_av1_obu_next(struct tdm_reader *r, struct tdm_av1_obu *obu);

/** The first bits of a frame header, for streams that are no still pictures. */
struct tdm_av1_frame_header {
    bool show_existing, keyframe, shown;
};

/** For OBUs of the types FRAME_HEADER and FRAME. False when it is cut short. */
bool tdm_av1_frame_header_parse(struct tdm_av1_frame_header *header, const struct tdm_av1_obu *obu);

#endif
