/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_RECT_H
#define TDM_BASE_RECT_H

/* A rectangle of pixels: x to the right and y down from whatever the user of it says. Empty when
 * a side is not positive. */

#include <stdbool.h>

struct tdm_rect {
    int x, y, width, height;
};

static inline bool tdm_rect_empty(struct tdm_rect r)
{
    return r.width <= 0 || r.height <= 0;
}

/** What both cover; {0, 0, 0, 0} when nothing. */
static inline struct tdm_rect tdm_rect_both(struct tdm_rect a, struct tdm_rect b)
{
    int left = a.x > b.x ? a.x : b.x, top = a.y > b.y ? a.y : b.y;
    int right = a.x + a.width < b.x + b.width ? a.x + a.width : b.x + b.width;
    int bottom = a.y + a.height < b.y + b.height ? a.y + a.height : b.y + b.height;

    if (right <= left || bottom <= top)
        return (struct tdm_rect){0, 0, 0, 0};
    return (struct tdm_rect){left, top, right - left, bottom - top};
}

/** The smallest that covers both; the other one when one is empty. */
static inline struct tdm_rect tdm_rect_around(struct tdm_rect a, struct tdm_rect b)
{
    if (tdm_rect_empty(a))
        return b;
    if (tdm_rect_empty(b))
        return a;
    int left = a.x < b.x ? a.x : b.x, top = a.y < b.y ? a.y : b.y;
    int right = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;
    int bottom = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;

    return (struct tdm_rect){left, top, right - left, bottom - top};
}

static inline bool tdm_rect_equal(struct tdm_rect a, struct tdm_rect b)
{
    return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height;
}

#endif
