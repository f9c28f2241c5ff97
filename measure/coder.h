/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_CODER_H
#define TDM_MEASURE_CODER_H

/*
 * One video encoder and its decoder, joined without a network: a picture goes in, its slices are
 * collected into one unit and timed, and the unit is decoded. Set up as a call sets them up.
 */

#include "codecs/codec.h"
#include "engine/base/time.h"

#include <stddef.h>

#define TDM_CODER_SLICES_MAX 1024

struct tdm_coder_config {
    const struct tdm_video_encoder_ops *ops;
    struct tdm_video_encoder_config encoder;
};

struct tdm_coder {
    const struct tdm_video_encoder_ops *encoder_ops;
    const struct tdm_video_decoder_ops *decoder_ops;
    struct tdm_video_encoder *encoder;
    struct tdm_video_decoder *decoder;
    tdm_time started;
    uint16_t picture_id;
    /* The last picture that was encoded. */
    uint8_t *unit; /* As the decoder takes it. */
    size_t unit_size, capacity;
    size_t payload_bytes; /* Without start codes: what the budget is for. */
    struct {
        size_t at, size;
    } slices[TDM_CODER_SLICES_MAX];
    size_t slice_count;
    tdm_time first_slice; /* After the start of encoding. */
    bool keyframe, overflow;
};

/** Destroy after a success only. */
enum tdm_err tdm_coder_create(struct tdm_coder *coder, const struct tdm_coder_config *config,
                              struct tdm_cause *cause);
void tdm_coder_destroy(struct tdm_coder *coder);

/** `took` is how long the encoder worked, NULL when nobody asks. Errors as the encoder's;
 * TDM_E_SPACE for a unit larger than any that makes sense. */
enum tdm_err tdm_coder_encode(struct tdm_coder *coder, const struct tdm_picture *pic,
                              uint32_t budget_bytes, bool keyframe, tdm_time *took);

/** Cuts the unit into RTP payloads, as the session does; how long that took, or a negative time for
 *  a codec without a payload format here. */
tdm_time tdm_coder_packetise(struct tdm_coder *coder);

/** Decodes the unit. `pic` is valid until the next call. */
enum tdm_err tdm_coder_decode(struct tdm_coder *coder, struct tdm_picture *pic, tdm_time *took);

#endif
