/* SPDX-License-Identifier: MIT */
#include "engine/video_coder.h"

#include <stdlib.h>

enum tdm_err tdm_video_coder_create(const struct tdm_video_encoder_ops *ops,
                                    const struct tdm_video_encoder_config *config,
                                    struct tdm_video_coder **result, struct tdm_cause *cause)
{
    struct tdm_video_coder *coder = calloc(1, sizeof *coder);
    struct tdm_cause why = {""};

    if (!coder)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for video");
    *coder = (struct tdm_video_coder){.ops = ops, .width = config->width, .height = config->height};
    coder->storage = malloc(tdm_picture_bytes(config->width, config->height));
    if (!coder->storage || !tdm_fit_open(&coder->fit, config->width, config->height)) {
        tdm_video_coder_destroy(coder);
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for video");
    }
    tdm_picture_over(&coder->scaled, coder->storage, config->width, config->height);
    enum tdm_err err = ops->create(config, &coder->encoder, &why);

    if (err != TDM_OK) {
        tdm_video_coder_destroy(coder);
        return tdm_fail(cause, err,
                        "the video encoder %s does not open (%.120s): use another codec, size or "
                        "preset",
                        ops->name, why.text);
    }
    *result = coder;
    return TDM_OK;
}

void tdm_video_coder_destroy(struct tdm_video_coder *coder)
{
    if (!coder)
        return;
    if (coder->encoder)
        coder->ops->destroy(coder->encoder);
    tdm_fit_close(&coder->fit);
    free(coder->storage);
    free(coder);
}

const struct tdm_picture *tdm_video_coder_fit(struct tdm_video_coder *coder,
                                              const struct tdm_picture *pic)
{
    const struct tdm_raw_picture raw = {
        .data = {pic->planes[0], pic->planes[1], pic->planes[2]},
        .strides = {pic->strides[0], pic->strides[1], pic->strides[2]},
        .width = pic->width,
        .height = pic->height,
        .format = AV_PIX_FMT_YUV420P,
    };

    if (pic->width == coder->width && pic->height == coder->height)
        return pic;
    if (tdm_fit_into(&coder->fit, &raw, &coder->scaled) != TDM_OK)
        return NULL;
    coder->scaled.captured = pic->captured;
    coder->scaled.frame_id = pic->frame_id;
    return &coder->scaled;
}
