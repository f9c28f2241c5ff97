/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_MODEL_CODEC_H
#define TDM_SIM_MODEL_CODEC_H

/*
 * Codecs for simulation: frames of the right sizes and shapes whose every byte the receiver can
 * check. Video frames look enough like VP8 (RFC 6386 section 9.1), VP9 (its uncompressed header),
 * AV1 (a temporal unit of OBUs) or H.264 (NAL units with SPS, PPS and slice headers) for the real
 * packetisers and assemblers; audio looks like Opus (a TOC
 * byte, RFC 6716 section 3.1). The rest of a payload is a header that names the frame and its
 * reference, and a body that follows from those numbers, so that the decoder makes it again and
 * compares. No byte of it is below 0x80, which also rules out H.264 start codes inside a NAL unit.
 *
 * A video decoder here is stricter than a real one: a frame whose reference it has not decoded is
 * refused and counted, where a real one would show rubbish.
 */

#include "codecs/codec.h"
#include "engine/base/codec_id.h"
#include "engine/base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_MODEL_BODY_MAX   (128 * 1024)
#define TDM_MODEL_FRAME_MAX  (2 * TDM_MODEL_BODY_MAX)
#define TDM_MODEL_SLICES_MAX 8
#define TDM_MODEL_NO_FRAME   UINT32_MAX

struct tdm_model_video_config {
    uint64_t seed;
    enum tdm_codec_id codec; /* TDM_CODEC_VP8, _VP9, _AV1 or _H264. */
    uint32_t stream_id;      /* Any number below 2^28; tells streams apart. */
    uint16_t width, height;
    double fill;           /* Mean size as a part of the budget, e.g. 0.85. */
    double sigma;          /* Of the logarithm of the sizes, e.g. 0.2. */
    double keyframe_ratio; /* Size of a keyframe against a usual one, e.g. 4. */
    uint8_t slices;        /* H.264: slices of a frame, 1 to TDM_MODEL_SLICES_MAX. */
};

#define TDM_MODEL_REFERENCES 16 /* Frames that both keep: a power of two. */

struct tdm_model_video_encoder {
    struct tdm_model_video_config config;
    struct tdm_rng rng;
    uint32_t last_frame;
    uint8_t referred; /* The frame at hand; 0: to none. */
    uint8_t refers;   /* The next one, to the frame so many before; 0: to the last. */
    uint32_t kept[TDM_MODEL_REFERENCES]; /* The last ones, by `frames`. */
    uint64_t frames, keyframes, bytes, since_keyframe;
    uint8_t nal[TDM_MODEL_FRAME_MAX];
};

/** A large struct: keep it in the session's storage. */
void tdm_model_video_encoder_init(struct tdm_model_video_encoder *enc,
                                  const struct tdm_model_video_config *config);

/** Makes frame `frame_id` (not TDM_MODEL_NO_FRAME) under a byte budget; emits its slices as an
 *  encoder of codecs/codec.h does. The first frame is a keyframe whatever is asked. */
void tdm_model_video_encode(struct tdm_model_video_encoder *enc, uint32_t frame_id,
                            uint32_t budget_bytes, bool keyframe, tdm_slice_fn *emit,
                            void *emit_arg);

/** Before tdm_model_video_encode: the next frame refers to the one so many before, as far as these
 *  are kept and none is before the last keyframe; else to the oldest. */
void tdm_model_video_refer(struct tdm_model_video_encoder *enc, uint8_t before);

/** Goes on in another codec, with a keyframe. */
void tdm_model_video_change(struct tdm_model_video_encoder *enc, enum tdm_codec_id codec);

struct tdm_model_video_decoder {
    enum tdm_codec_id codec;
    uint32_t stream_id;
    uint32_t last_frame;   /* Decoded last, TDM_MODEL_NO_FRAME before the first. */
    bool has_sps, has_pps; /* H.264, AV1's sequence header: kept from the first time on. */
    uint32_t kept[TDM_MODEL_REFERENCES];
    uint64_t since_keyframe;
    uint64_t frames, corrupt, missing_reference;
};

void tdm_model_video_decoder_init(struct tdm_model_video_decoder *dec, enum tdm_codec_id codec,
                                  uint32_t stream_id);

/** What comes is in this codec; when it was not, only a keyframe can be decoded. */
void tdm_model_video_follow(struct tdm_model_video_decoder *dec, enum tdm_codec_id codec);

/** Decodes and checks a whole frame (VP8, VP9), temporal unit (AV1) or Annex B access unit (H.264).
 *  @return TDM_OK; TDM_E_MALFORMED when a byte is not what the encoder wrote; TDM_E_AGAIN when the
 *  frame is intact but its reference, or parameter sets, never came. *frame_id is set in the first
 * and last case.
 */
enum tdm_err tdm_model_video_decode(struct tdm_model_video_decoder *dec, const uint8_t *data,
                                    size_t size, uint32_t *frame_id, bool *keyframe);

struct tdm_model_audio_config {
    uint32_t stream_id;     /* Below 2^28. */
    uint16_t frame_ms;      /* 10 or 20. */
    uint16_t payload_bytes; /* At least TDM_MODEL_AUDIO_MIN. */
};

#define TDM_MODEL_AUDIO_MIN 16
#define TDM_MODEL_AUDIO_MAX 1500

/** Writes payload number `frame`; returns its size, or 0 when `capacity` is too small. */
size_t tdm_model_audio_encode(const struct tdm_model_audio_config *config, uint32_t frame,
                              uint8_t *payload, size_t capacity);

/** Checks every byte. TDM_OK with *frame and *samples (at 48 kHz), or TDM_E_MALFORMED. */
enum tdm_err tdm_model_audio_decode(uint32_t stream_id, const uint8_t *payload, size_t size,
                                    uint32_t *frame, uint32_t *samples);

#endif
