/* SPDX-License-Identifier: MIT */
#include "measure/coder.h"

#include "engine/io/clock.h"
#include "engine/wire/h264_payload.h"
#include "engine/wire/rtp.h"
#include "engine/wire/vp8_payload.h"

#include <stdlib.h>
#include <string.h>

#define START_CODE_BYTES 4
#define PAYLOAD_MAX      (TDM_RTP_PACKET_MAX - 32) /* Header, extensions and SRTP's tag. */

/* No codec gives more than its input. */
static size_t unit_max(int width, int height)
{
    return tdm_picture_bytes(width, height) + (64u << 10);
}

enum tdm_err tdm_coder_create(struct tdm_coder *coder, const struct tdm_coder_config *config,
                              struct tdm_cause *cause)
{
    *coder = (struct tdm_coder){
        .encoder_ops = config->ops,
        .decoder_ops = tdm_video_decoder_find(config->ops->id),
        .capacity = unit_max(config->encoder.width, config->encoder.height),
    };
    if (!coder->decoder_ops)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "this build cannot decode what %s encodes",
                        config->ops->name);
    coder->unit = malloc(coder->capacity + TDM_DECODER_PADDING);
    if (!coder->unit)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for coded pictures");
    enum tdm_err err = config->ops->create(&config->encoder, &coder->encoder, cause);

    if (!err) {
        err = coder->decoder_ops->create(&coder->decoder, cause);
        if (err)
            config->ops->destroy(coder->encoder);
    }
    if (err)
        free(coder->unit);
    return err;
}

void tdm_coder_destroy(struct tdm_coder *coder)
{
    coder->encoder_ops->destroy(coder->encoder);
    coder->decoder_ops->destroy(coder->decoder);
    free(coder->unit);
}

/* Parameter sets come before the picture's work is done: they do not count as its first slice. */
static bool is_picture_data(const struct tdm_coder *coder, const struct tdm_slice *slice)
{
    if (slice->size == 0)
        return false;
    if (coder->encoder_ops->id != TDM_CODEC_H264)
        return true;
    int type = slice->data[0] & 0x1f;

    return type == TDM_H264_NAL_SLICE || type == TDM_H264_NAL_IDR;
}

/* The encoder's callback. */
static void take(void *arg, const struct tdm_slice *slice)
{
    struct tdm_coder *coder = arg;
    size_t prefix = coder->encoder_ops->id == TDM_CODEC_H264 ? START_CODE_BYTES : 0;

    if (coder->first_slice < 0 && is_picture_data(coder, slice))
        coder->first_slice = tdm_clock_now() - coder->started;
    coder->keyframe = slice->keyframe;
    if (slice->size == 0)
        return;
    if (coder->slice_count == TDM_CODER_SLICES_MAX ||
        slice->size + prefix > coder->capacity - coder->unit_size) {
        coder->overflow = true;
        return;
    }
    if (prefix)
        memcpy(coder->unit + coder->unit_size, "\0\0\0\1", prefix);
    memcpy(coder->unit + coder->unit_size + prefix, slice->data, slice->size);
    coder->slices[coder->slice_count].at = coder->unit_size + prefix;
    coder->slices[coder->slice_count].size = slice->size;
    coder->slice_count++;
    coder->unit_size += prefix + slice->size;
    coder->payload_bytes += slice->size;
}

enum tdm_err tdm_coder_encode(struct tdm_coder *coder, const struct tdm_picture *pic,
                              uint32_t budget_bytes, bool keyframe, tdm_time *took)
{
    coder->unit_size = coder->payload_bytes = coder->slice_count = 0;
    coder->keyframe = coder->overflow = false;
    coder->first_slice = -1;
    coder->started = tdm_clock_now();
    enum tdm_err err =
        coder->encoder_ops->encode(coder->encoder, pic, budget_bytes, keyframe, take, coder);

    if (took)
        *took = tdm_clock_now() - coder->started;
    if (err)
        return err;
    if (coder->overflow)
        return TDM_E_SPACE;
    memset(coder->unit + coder->unit_size, 0, TDM_DECODER_PADDING);
    return TDM_OK;
}

/* A loop of its own for each payload format: what differs is the packetizer's type. */
static void cut_h264(const struct tdm_coder *coder)
{
    uint8_t payload[PAYLOAD_MAX];
    size_t size;
    bool last;

    for (size_t i = 0; i < coder->slice_count; i++) {
        struct tdm_h264_packetizer cutter;

        tdm_h264_packetizer_init(&cutter, coder->unit + coder->slices[i].at, coder->slices[i].size,
                                 PAYLOAD_MAX);
        while (!tdm_h264_packetizer_next(&cutter, payload, sizeof payload, &size, &last))
            ;
    }
}

static void cut_vp8(const struct tdm_coder *coder)
{
    uint8_t payload[PAYLOAD_MAX];
    struct tdm_vp8_packetizer cutter;
    size_t size;
    bool last;

    tdm_vp8_packetizer_init(&cutter, coder->unit, coder->unit_size, coder->picture_id, PAYLOAD_MAX);
    while (!tdm_vp8_packetizer_next(&cutter, payload, sizeof payload, &size, &last))
        ;
}

tdm_time tdm_coder_packetise(struct tdm_coder *coder)
{
    tdm_time start = tdm_clock_now();

    coder->picture_id = (uint16_t)((coder->picture_id + 1) & 0x7fff);
    switch (coder->encoder_ops->id) {
    case TDM_CODEC_H264:
        cut_h264(coder);
        break;
    case TDM_CODEC_VP8:
        cut_vp8(coder);
        break;
    default:
        return -1;
    }
    return tdm_clock_now() - start;
}

enum tdm_err tdm_coder_decode(struct tdm_coder *coder, struct tdm_picture *pic, tdm_time *took)
{
    tdm_time start = tdm_clock_now();
    enum tdm_err err =
        coder->decoder_ops->decode(coder->decoder, coder->unit, coder->unit_size, pic);

    if (took)
        *took = tdm_clock_now() - start;
    return err;
}
