/* SPDX-License-Identifier: MIT */
#ifndef TDM_DESKTOP_REGION_H
#define TDM_DESKTOP_REGION_H

/*
 * A bounded set of rectangles. Two uses: what is masked, which is exact until there is no more
 * room and then covers more; and what may have changed, where a little too much is cheaper than
 * many rectangles. Neither ever loses a pixel that was added.
 */

#include "engine/base/rect.h"

#include <stddef.h>

#define TDM_REGION_MAX 64

struct tdm_region {
    struct tdm_rect rects[TDM_REGION_MAX];
    size_t count;
};

/** Adds a rectangle; an empty one adds nothing. When full, the one for which the rectangle around
 *  both wastes the least grows. */
void tdm_region_add(struct tdm_region *region, struct tdm_rect rect);

/** The same, and joins what is joined without much waste: for changes, not for masks. */
void tdm_region_add_near(struct tdm_region *region, struct tdm_rect rect);

/** Takes a rectangle out, leaving up to four pieces of each that it cuts. When there is no room
 *  for the pieces, a rectangle stays whole: the set is then too large, never too small. */
void tdm_region_subtract(struct tdm_region *region, struct tdm_rect rect);

/** Same rectangles in the same order. */
bool tdm_region_same(const struct tdm_region *a, const struct tdm_region *b);

#endif
