/* SPDX-License-Identifier: MIT */
#include "desktop/region.h"

#include <stdint.h>

static int64_t area_of(struct tdm_rect r)
{
    return (int64_t)r.width * r.height;
}

static bool contains(struct tdm_rect outer, struct tdm_rect inner)
{
    return tdm_rect_equal(tdm_rect_both(outer, inner), inner);
}

/* Pixels that the rectangle around both covers and neither of them does, at least. */
static int64_t waste_of(struct tdm_rect a, struct tdm_rect b)
{
    return area_of(tdm_rect_around(a, b)) - area_of(a) - area_of(b) + area_of(tdm_rect_both(a, b));
}

static void remove_at(struct tdm_region *region, size_t index)
{
    region->rects[index] = region->rects[--region->count];
}

static size_t least_waste(const struct tdm_region *region, struct tdm_rect rect)
{
    size_t best = 0;
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < region->count; i++) {
        int64_t waste = waste_of(region->rects[i], rect);

        if (waste < least) {
            least = waste;
            best = i;
        }
    }
    return best;
}

void tdm_region_add(struct tdm_region *region, struct tdm_rect rect)
{
    if (tdm_rect_empty(rect))
        return;
    for (size_t i = 0; i < region->count;) {
        if (contains(region->rects[i], rect))
            return;
        if (contains(rect, region->rects[i]))
            remove_at(region, i);
        else
            i++;
    }
    if (region->count < TDM_REGION_MAX) {
        region->rects[region->count++] = rect;
        return;
    }
    size_t best = least_waste(region, rect);

    region->rects[best] = tdm_rect_around(region->rects[best], rect);
}

void tdm_region_add_near(struct tdm_region *region, struct tdm_rect rect)
{
    if (tdm_rect_empty(rect))
        return;
    /* A joined rectangle may now be near to another. Each turn takes one out, so this ends. */
    while (region->count > 0) {
        size_t best = least_waste(region, rect);
        struct tdm_rect near = region->rects[best];

        /* A request to the server costs about as much as 4000 pixels. */
        if (waste_of(near, rect) > 4096 + (area_of(near) + area_of(rect)) / 8)
            break;
        remove_at(region, best);
        rect = tdm_rect_around(near, rect);
    }
    tdm_region_add(region, rect);
}

/* What of `from` lies outside `hole`, which it touches: above, below, left and right of it. */
static size_t cut(struct tdm_rect from, struct tdm_rect hole, struct tdm_rect pieces[4])
{
    struct tdm_rect both = tdm_rect_both(from, hole);
    int right = both.x + both.width, bottom = both.y + both.height;
    const struct tdm_rect sides[4] = {
        {from.x, from.y, from.width, both.y - from.y},
        {from.x, bottom, from.width, from.y + from.height - bottom},
        {from.x, both.y, both.x - from.x, both.height},
        {right, both.y, from.x + from.width - right, both.height},
    };
    size_t count = 0;

    for (int i = 0; i < 4; i++)
        if (!tdm_rect_empty(sides[i]))
            pieces[count++] = sides[i];
    return count;
}

void tdm_region_subtract(struct tdm_region *region, struct tdm_rect rect)
{
    for (size_t i = region->count; i-- > 0;) {
        struct tdm_rect pieces[4];

        if (tdm_rect_empty(tdm_rect_both(region->rects[i], rect)))
            continue;
        size_t count = cut(region->rects[i], rect, pieces);

        if (region->count - 1 + count > TDM_REGION_MAX)
            continue;
        remove_at(region, i);
        for (size_t p = 0; p < count; p++)
            region->rects[region->count++] = pieces[p];
    }
}

bool tdm_region_same(const struct tdm_region *a, const struct tdm_region *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!tdm_rect_equal(a->rects[i], b->rects[i]))
            return false;
    return true;
}
