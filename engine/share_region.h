/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_REGION_H
#define TDM_ENGINE_SHARE_REGION_H

/*
 * Moving regions at the host: the thread `tdm-region`, which codes their pictures with a video
 * codec, so that no keystroke waits for one. It holds one picture of a region: the next is taken
 * when what became of this one has left, so that what is coded is what was captured last.
 *
 * One thread calls what is here (`tdm-share`); nothing blocks, but for a lock around a few words.
 */

#include "collab/screen.h"
#include "engine/base/codec_id.h"
#include "engine/share_media.h"

struct tdm_share_region;

#define TDM_SHARE_REGION_ALL UINT32_MAX

/** With which codec regions are coded in this build. */
enum tdm_codec_id tdm_share_region_codec(void);

/** `wake` is signalled when a picture is coded, or cannot be. */
enum tdm_err tdm_share_region_create(struct tdm_share_region **region, int wake,
                                     struct tdm_cause *cause);
void tdm_share_region_destroy(struct tdm_share_region *region);

/** These are all that there are now; what was coded for others is dropped. */
void tdm_share_region_set(struct tdm_share_region *region, const struct tdm_screen_video *videos,
                          uint32_t count);

/** Copies a picture of a region, whose first pixel is at `pixels`, for at most `budget_bytes` of
 *  the link. False: the one before is still there, or there is no such region. */
bool tdm_share_region_give(struct tdm_share_region *region, uint8_t stream, const uint8_t *pixels,
                           ptrdiff_t stride, uint32_t budget_bytes);

/** The next picture of a region decodes by itself. */
void tdm_share_region_key(struct tdm_share_region *region, uint8_t stream);

/** What is told of a coded picture beside its unit. */
struct tdm_share_coded {
    bool keyframe;
    struct tdm_share_unit_times times;
};

/** A coded picture of one of `streams` (bits), borrowed until `taken`; `coded` may be NULL. */
bool tdm_share_region_take(struct tdm_share_region *region, uint32_t streams,
                           struct tdm_screen_unit *unit, struct tdm_share_coded *coded);
void tdm_share_region_taken(struct tdm_share_region *region, uint8_t stream);

/** Streams, as bits, that cannot be coded, since the last call. */
uint32_t tdm_share_region_failed(struct tdm_share_region *region);

#endif
