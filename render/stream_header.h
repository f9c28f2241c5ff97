/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_STREAM_HEADER_H
#define TDM_RENDER_STREAM_HEADER_H

/*
 * What a file keeps of a coded stream once, beside its frames: the parameter sets of H.264 and
 * H.265, the sequence header of AV1. They are copied as they stand in a key frame; nothing in
 * them is understood here.
 */

#include "engine/base/codec_id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** VP8 and VP9 say everything in each key frame. */
bool tdm_stream_header_needed(enum tdm_codec_id codec);

/**
 * Copies the header out of a coded picture as codecs/codec.h describes it to decoders: H.264 SPS
 * and PPS, H.265 VPS, SPS and PPS, each with a start code of four bytes; AV1 the first sequence
 * header OBU with its size.
 *
 * @return its bytes; 0 when the picture does not hold all of it, or it does not fit.
 */
size_t tdm_stream_header_find(enum tdm_codec_id codec, const uint8_t *data, size_t size,
                              uint8_t *out, size_t out_max);

#endif
