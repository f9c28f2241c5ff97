/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_PLAYOUT_LINE_H
#define TDM_CORE_PLAYOUT_LINE_H

/*
 * The line of decoded samples between the decoder and the device: appended at its end, read at a
 * position that time scaling moves to and fro over a little history. It knows which moment of the
 * sender's media each sample is, and which samples are concealment or silence. Without memory
 * (pcm NULL) it only counts.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_PLAYOUT_LINE_SAMPLES 20480
#define TDM_PLAYOUT_LINE_HISTORY 1024 /* Kept behind the read position. */

/** Samples [from, to) of the line. */
struct tdm_playout_range {
    uint32_t from, to;
};

struct tdm_playout_line {
    int16_t *pcm; /* LINE_SAMPLES * channels, or NULL. */
    uint32_t channels;
    uint32_t read, end;
    int64_t media_end; /* Media position of the sample that comes at `end`. */
    uint32_t seam;     /* Samples below it lie `seam_shift` further on than the end says. */
    int64_t seam_shift;
    struct tdm_playout_range concealed, silent; /* The latest run of each. */
    bool join; /* The next samples do not continue the last ones: bend them together. */
};

enum tdm_playout_origin { TDM_PLAYOUT_DECODED, TDM_PLAYOUT_CONCEALED, TDM_PLAYOUT_SILENT };

void tdm_playout_line_init(struct tdm_playout_line *l, int16_t *pcm, uint32_t channels);

static inline uint32_t tdm_playout_line_unread(const struct tdm_playout_line *l)
{
    return l->end - l->read;
}

/** Media position of the sample at the read position. */
int64_t tdm_playout_line_media(const struct tdm_playout_line *l);

/**
 * Appends `count` samples; NULL data are zeros.
 *
 * @param passes  Media time passes with them; else they are extra, and what follows comes later.
 */
void tdm_playout_line_append(struct tdm_playout_line *l, enum tdm_playout_origin origin,
                             const int16_t *data, uint32_t count, bool passes);

/** The next sample to come is at media position `media`. */
void tdm_playout_line_jump(struct tdm_playout_line *l, int64_t media);

/** Frees room at the end; call before each pull. */
void tdm_playout_line_compact(struct tdm_playout_line *l);

static inline bool tdm_playout_range_meets(struct tdm_playout_range r, uint32_t from, uint32_t to)
{
    return r.from < to && from < r.to;
}

#endif
