/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_VIDEO_CODER_H
#define TDM_ENGINE_VIDEO_CODER_H

/*
 * An encoder and the scaling of pictures to its size. Made and destroyed by the control thread,
 * used by one encode thread; another size is another one of these.
 */

#include "capture/fit.h"
#include "codecs/codec.h"

struct tdm_video_coder {
    const struct tdm_video_encoder_ops *ops;
    struct tdm_video_encoder *encoder;
    int width, height;
    uint8_t *storage;
    struct tdm_picture scaled; /* Over the storage. */
    struct tdm_fit fit;
};

/** `config` is borrowed for the call; its sides are the coder's. The cause says what to do. */
enum tdm_err tdm_video_coder_create(const struct tdm_video_encoder_ops *ops,
                                    const struct tdm_video_encoder_config *config,
                                    struct tdm_video_coder **coder, struct tdm_cause *cause);
void tdm_video_coder_destroy(struct tdm_video_coder *coder);

/** The picture at the coder's size: `pic` itself where it has it, else valid until the next call.
 *  NULL where it cannot be scaled. */
const struct tdm_picture *tdm_video_coder_fit(struct tdm_video_coder *coder,
                                              const struct tdm_picture *pic);

#endif
