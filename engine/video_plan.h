/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_VIDEO_PLAN_H
#define TDM_ENGINE_VIDEO_PLAN_H

/*
 * How pictures are coded in a call: which codecs a plan offers, in which order, and with which
 * encoder, preset, size and number of threads what was agreed is then sent. With "auto" all of that
 * follows from what each encoder costs on this machine (measure/cost_table.h) and from the rate.
 */

#include "engine/media_plan.h"

#define TDM_VIDEO_AUTO "auto"

/** The part of tdm_media_plan_of that is about video codecs; the numbers of `plan` are filled in
 *  before. The first "auto" on a machine measures for a few seconds. */
enum tdm_err tdm_video_plan_of(struct tdm_media_plan *plan, const struct tandem_media *media,
                               struct tdm_cause *cause);

/** With what the pictures of an agreed codec are encoded. */
struct tdm_video_choice {
    const struct tdm_video_encoder_ops *encoder; /* NULL: this build has none. */
    const char *preset;                          /* "" = the encoder's own choice. */
    unsigned threads;
    int width, height;
};

/** `bps`: what the stream may send, as both sides allow it. */
struct tdm_video_choice tdm_video_plan_choose(const struct tdm_media_plan *plan,
                                              enum tdm_codec_id codec, uint32_t bps);

/** Of the agreed codecs the one whose encoder here has the most chains of references
 *  (struct tdm_reference_reach), where those are more than of the one that is sent; NULL: none, or
 *  a user named the order. */
const struct tdm_video_encoder_ops *
tdm_video_plan_further(const struct tdm_media_plan *plan,
                       const struct tdm_negotiated_media *agreed);

/** A codec of the plan goes before the others. */
void tdm_video_plan_prefer(struct tdm_media_plan *plan, enum tdm_codec_id codec);

/** The video codecs that this build can send, in their default order, as in "h264,vp8". */
void tdm_video_codec_names(char *names, size_t capacity);

#endif
