/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_CODERS_H
#define TDM_COLLAB_SCREEN_CODERS_H

/*
 * The pixel coders of one side, with what they have learnt, behind one face: a group of rectangles
 * is coded by one of them into bytes that know their size. Which one is the caller's decision.
 */

#include "collab/screen_pixels.h"

#define TDM_SCREEN_GROUP_RECTS 128

enum tdm_screen_coder {
    TDM_SCREEN_RAW = 0,
    TDM_SCREEN_ZSTD = 1,
    TDM_SCREEN_CONTEXT = 2,
    TDM_SCREEN_PHOTO = 3,
    TDM_SCREEN_RESIDUAL = 4,
    TDM_SCREEN_CODERS,
};

/** Rectangles of pixels, each within the image. */
struct tdm_screen_group {
    enum tdm_screen_coder coder;
    int count, quality; /* quality: of PHOTO, when encoding. */
    struct tdm_screen_rect rects[TDM_SCREEN_GROUP_RECTS];
};

struct tdm_screen_coders;

size_t tdm_screen_coders_bytes(bool encodes);
struct tdm_screen_coders *tdm_screen_coders_init(void *storage, bool encodes);
/** As at the beginning: nothing is learnt. */
void tdm_screen_coders_reset(struct tdm_screen_coders *c);

/** Of a rectangle that is to be coded: what CONTEXT would do with it. */
struct tdm_screen_look {
    int miss_percent;
    uint32_t bytes;
};
struct tdm_screen_look tdm_screen_coders_look(const struct tdm_screen_coders *c,
                                              const struct tdm_screen_image *next,
                                              const struct tdm_screen_rect *rect);
/** The quality of PHOTO that gives about so many bytes. */
int tdm_screen_coders_quality(const struct tdm_screen_image *next,
                              const struct tdm_screen_rect *rect, size_t bytes);

/** Writes the group's bytes and makes `seen` what the viewer will have. False: there was no room;
 *  `seen` is undefined in the rectangles, and the coders must be reset on both sides. */
bool tdm_screen_coders_encode(struct tdm_screen_coders *c, const struct tdm_screen_group *group,
                              const struct tdm_screen_image *seen,
                              const struct tdm_screen_image *next, struct tdm_writer *w);

/** All of `data` is the group's. */
enum tdm_err tdm_screen_coders_decode(struct tdm_screen_coders *c,
                                      const struct tdm_screen_group *group,
                                      const struct tdm_screen_image *seen, const uint8_t *data,
                                      size_t size);

#endif
