/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_VP9_HEADER_H
#define TDM_CODECS_VP9_HEADER_H

/* What the VP9 decoder must know of a coded frame before libvpx sees it: whether it can be the
 * start, and how large a picture it would have libvpx allocate. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_VP9_FRAMES_MAX 8 /* In a superframe. */

/** The uncompressed header of one frame. */
struct tdm_vp9_header {
    unsigned profile; /* 0: 8 bit 4:2:0. */
    bool show_existing, keyframe, shown;
    int width, height; /* 0: those of an earlier frame. */
};

/** The frames of a superframe, or the one frame that the data is. Borrowed from the data. */
struct tdm_vp9_frames {
    const uint8_t *data[TDM_VP9_FRAMES_MAX];
    size_t size[TDM_VP9_FRAMES_MAX];
    int count;
};

/** VP9 bitstream specification, annex B. False when the index contradicts the data. */
bool tdm_vp9_split(struct tdm_vp9_frames *frames, const uint8_t *data, size_t size);

/** VP9 bitstream specification, section 6.2, as far as the size. False when it is none. */
bool tdm_vp9_header_parse(struct tdm_vp9_header *header, const uint8_t *data, size_t size);

#endif
