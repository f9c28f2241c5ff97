/* SPDX-License-Identifier: MIT */
/*
 * Bytes are an SVG. Checked: what is read lies within its bounds, and is what a board can hold.
 */

#include "board/svg.h"
#include "collab/board.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tdm_drawing *d)
{
    for (uint32_t i = 0; i < d->count; i++) {
        const struct tdm_drawing_item *item = &d->items[i];
        struct tdm_drawing_box box = tdm_drawing_box_of(item);

        assert(item->type >= TDM_BOARD_PAGE && item->type < TDM_BOARD_GROUP);
        assert(item->x >= -TDM_BOARD_FAR && item->x <= TDM_BOARD_FAR);
        assert(item->w >= -TDM_BOARD_FAR && item->w <= TDM_BOARD_FAR);
        assert(box.w >= 0 && box.h >= 0);
        assert(item->width >= 0 && item->font_size >= 0 && item->corner >= 0);
        assert(item->group <= d->group_count && item->image < (int32_t)d->image_count);
        assert(item->point_count <= TDM_BOARD_POINTS_MAX);
    }
    for (uint32_t g = 1; g <= d->group_count; g++)
        assert(d->parents[g] < g);
    assert(strlen(d->missing) < sizeof d->missing && (d->skipped > 0) == (d->missing[0] != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_drawing drawing;
    struct tdm_cause cause = {""};
    enum tdm_err err = tdm_svg_read(&drawing, (const char *)data, size, &cause);

    assert(err == TDM_OK || cause.text[0]);
    check(&drawing);
    tdm_drawing_free(&drawing);
    return 0;
}
