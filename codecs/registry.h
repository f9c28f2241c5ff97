/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_REGISTRY_H
#define TDM_CODECS_REGISTRY_H

/* Every table that a codec file of this folder defines. Used by registry.c and the codec files
 * only; the floors above ask the find functions of codecs/codec.h. */

#include "codecs/codec.h"

extern const struct tdm_video_encoder_ops tdm_x264_encoder;     /* x264.c, when built with it. */
extern const struct tdm_video_encoder_ops tdm_openh264_encoder; /* openh264.c, likewise. */
extern const struct tdm_video_encoder_ops tdm_vp8_encoder;      /* vp8_encoder.c */
extern const struct tdm_video_decoder_ops tdm_vp8_decoder;      /* vp8_decoder.c */
extern const struct tdm_video_decoder_ops tdm_avc_decoder;      /* avc_decoder.c */
extern const struct tdm_video_encoder_ops tdm_vp9_encoder;      /* vp9_encoder.c */
extern const struct tdm_video_decoder_ops tdm_vp9_decoder;      /* vp9_decoder.c */
extern const struct tdm_video_encoder_ops tdm_aom_encoder; /* av1_encoder.c, when built with it. */
extern const struct tdm_video_decoder_ops tdm_av1_decoder; /* av1_decoder.c, when built with it. */

extern const struct tdm_audio_encoder_ops tdm_opus_encoder; /* opus.c */
extern const struct tdm_audio_decoder_ops tdm_opus_decoder;
extern const struct tdm_audio_encoder_ops tdm_g722_encoder; /* g722.c */
extern const struct tdm_audio_decoder_ops tdm_g722_decoder;
extern const struct tdm_audio_encoder_ops tdm_pcmu_encoder; /* g711.c */
extern const struct tdm_audio_decoder_ops tdm_pcmu_decoder;
extern const struct tdm_audio_encoder_ops tdm_pcma_encoder;
extern const struct tdm_audio_decoder_ops tdm_pcma_decoder;
extern const struct tdm_audio_encoder_ops tdm_l16_encoder; /* l16.c */
extern const struct tdm_audio_decoder_ops tdm_l16_decoder;

#endif
