/* SPDX-License-Identifier: MIT */
#include "measure/video_probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HELD_STILL   2 /* Pictures before the marked one. */
#define HELD_MAX     90
#define STEP_SHARE   4   /* What the budget is divided by. */
#define OVER         1.1 /* Of the budget: what still counts as kept. */
#define RECOVERY_MAX 60
#define MARK_PART    4 /* The mark is a square of a quarter of the height. */
#define DARK         60
#define BRIGHT       200

static double mark_luma(const struct tdm_picture *pic)
{
    int side = pic->height / MARK_PART;
    uint64_t sum = 0;

    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            sum += pic->planes[0][(ptrdiff_t)y * pic->strides[0] + x];
    return (double)sum / ((double)side * side);
}

static void draw_mark(struct tdm_picture *pic, uint8_t luma)
{
    int side = pic->height / MARK_PART;

    for (int y = 0; y < side; y++)
        memset(pic->planes[0] + (ptrdiff_t)y * pic->strides[0], luma, (size_t)side);
}

static enum tdm_err find_mark(struct tdm_coder *coder, struct tdm_picture *pic, uint32_t budget,
                              uint32_t *held)
{
    for (uint32_t i = 0; i < HELD_STILL + HELD_MAX; i++) {
        struct tdm_picture out;

        draw_mark(pic, i == HELD_STILL ? BRIGHT : DARK);
        enum tdm_err err = tdm_coder_encode(coder, pic, budget, false, NULL);

        if (err == TDM_OK && coder->unit_size > 0)
            err = tdm_coder_decode(coder, &out, NULL);
        else if (err == TDM_OK)
            err = TDM_E_AGAIN; /* Held back by the encoder. */
        if (err == TDM_OK && mark_luma(&out) > (DARK + BRIGHT) / 2.0) {
            *held = i - HELD_STILL;
            return TDM_OK;
        }
        if (err && err != TDM_E_AGAIN)
            return err;
    }
    return TDM_E_GONE;
}

enum tdm_err tdm_probe_held(const struct tdm_video_spec *spec, uint32_t *held,
                            struct tdm_cause *cause)
{
    struct tdm_coder_config config = tdm_video_coder_config(spec);
    struct tdm_coder coder;
    struct tdm_picture pic;
    /* The mark must not be lost to a small budget: it has room to be coded. */
    uint32_t budget = (uint32_t)(tdm_picture_bytes(spec->width, spec->height) / 8);
    uint8_t *storage = malloc(tdm_picture_bytes(spec->width, spec->height));

    if (!storage)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for a picture");
    config.encoder.bitrate_bps = budget * 8 * spec->fps;
    enum tdm_err err = tdm_coder_create(&coder, &config, cause);

    if (!err) {
        tdm_picture_over(&pic, storage, spec->width, spec->height);
        tdm_picture_fill(&pic, DARK, 128, 128);
        err = find_mark(&coder, &pic, budget, held);
        if (err)
            err = tdm_fail(cause, err, "%s does not give back a marked picture (%s)",
                           spec->ops->name, tdm_err_name(err));
        tdm_coder_destroy(&coder);
    }
    free(storage);
    return err;
}

/* Encodes the clip's next picture. */
static enum tdm_err encode_next(struct tdm_probe *probe, uint32_t budget, bool keyframe)
{
    struct tdm_picture pic;

    tdm_clip_picture(probe->clip, probe->next++, &pic);
    return tdm_coder_encode(probe->coder, &pic, budget, keyframe, NULL);
}

enum tdm_err tdm_probe_step(struct tdm_probe *probe, uint32_t frames,
                            struct tdm_step_response *step)
{
    uint32_t budget = tdm_video_budget_bytes(probe->spec) / STEP_SHARE;
    struct tdm_picture out;

    *step = (struct tdm_step_response){0};
    for (uint32_t i = 0; i < frames; i++) {
        enum tdm_err err = encode_next(probe, budget, false);
        double share = (double)probe->coder->payload_bytes / budget;

        if (err == TDM_E_AGAIN)
            continue;
        if (!err)
            err = tdm_coder_decode(probe->coder, &out, NULL); /* Keeps the decoder in step. */
        if (err && err != TDM_E_AGAIN)
            return err;
        step->worst_share = fmax(step->worst_share, share);
        if (share > OVER) {
            step->frames_over++;
            step->settled_after = i + 1;
        }
    }
    return TDM_OK;
}

static bool same_pixels(const struct tdm_picture *a, const struct tdm_picture *b)
{
    for (int plane = 0; plane < 3; plane++) {
        int width = plane ? a->width / 2 : a->width, height = plane ? a->height / 2 : a->height;

        for (int y = 0; y < height; y++)
            if (memcmp(a->planes[plane] + (ptrdiff_t)y * a->strides[plane],
                       b->planes[plane] + (ptrdiff_t)y * b->strides[plane], (size_t)width) != 0)
                return false;
    }
    return a->width == b->width && a->height == b->height;
}

/* The coder's own decoder hears everything and shows what is right; the other one lost a picture.
 */
static enum tdm_err recover(struct tdm_probe *probe, struct tdm_video_decoder *other,
                            struct tdm_loss_recovery *loss)
{
    struct tdm_coder *coder = probe->coder;
    uint32_t budget = tdm_video_budget_bytes(probe->spec);
    bool asked = true;
    bool right = false;

    for (loss->frames = 1; !right && loss->frames <= RECOVERY_MAX; loss->frames += !right) {
        struct tdm_picture clean, shown;
        enum tdm_err err = encode_next(probe, budget, asked);

        if (err == TDM_E_AGAIN)
            continue;
        if (!err)
            err = tdm_coder_decode(coder, &clean, NULL);
        if (err)
            return err;
        asked = false;
        loss->bytes += coder->payload_bytes;
        right =
            coder->decoder_ops->decode(other, coder->unit, coder->unit_size, &shown) == TDM_OK &&
            same_pixels(&clean, &shown);
    }
    return right ? TDM_OK : TDM_E_GONE;
}

/* Encodes one picture that both decoders hear, or only ours. Pictures that the encoder drops do not
 * count. */
static enum tdm_err feed(struct tdm_probe *probe, struct tdm_video_decoder *other, bool keyframe)
{
    struct tdm_coder *coder = probe->coder;
    struct tdm_picture pic;
    enum tdm_err err = TDM_E_AGAIN;

    for (int tries = 0; err == TDM_E_AGAIN && tries < RECOVERY_MAX; tries++)
        err = encode_next(probe, tdm_video_budget_bytes(probe->spec), keyframe);
    if (!err)
        err = tdm_coder_decode(coder, &pic, NULL);
    if (!err && other)
        err = coder->decoder_ops->decode(other, coder->unit, coder->unit_size, &pic);
    return err;
}

enum tdm_err tdm_probe_loss(struct tdm_probe *probe, struct tdm_loss_recovery *loss)
{
    struct tdm_video_decoder *other;
    enum tdm_err err = probe->coder->decoder_ops->create(&other, NULL);

    *loss = (struct tdm_loss_recovery){0};
    if (err)
        return err;
    err = feed(probe, other, true);
    for (int i = 0; !err && i < 3; i++)
        err = feed(probe, other, false);
    if (!err)
        err = feed(probe, NULL, false); /* The lost one. */
    if (!err)
        err = recover(probe, other, loss);
    probe->coder->decoder_ops->destroy(other);
    return err;
}
