/* SPDX-License-Identifier: MIT */
/*
 * Bytes are a file of Excalidraw. Checked: what is read lies within its bounds; written and read
 * again there are as many things, each of its type; and that goes on so.
 */

#include "board/excalidraw.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tdm_drawing *d)
{
    for (uint32_t i = 0; i < d->count; i++) {
        const struct tdm_drawing_item *item = &d->items[i];

        assert(item->x >= -TDM_BOARD_FAR && item->x <= TDM_BOARD_FAR);
        assert(item->group <= d->group_count && item->image < (int32_t)d->image_count);
        assert(i > 0 || item->type == TDM_BOARD_PAGE);
        for (uint32_t p = 0; p < item->point_count; p++)
            assert(item->points[p].y >= -TDM_BOARD_FAR && item->points[p].y <= TDM_BOARD_FAR);
    }
    for (uint32_t g = 1; g <= d->group_count; g++)
        assert(d->parents[g] < g);
}

static char *write_text(const struct tdm_drawing *d, size_t *size)
{
    struct tdm_cause cause;
    char *text;
    enum tdm_err err = tdm_excalidraw_write(d, &text, size, &cause);

    assert(err == TDM_OK);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_drawing first, second, third;
    struct tdm_cause cause;
    size_t once_size, twice_size;

    if (tdm_excalidraw_read(&first, (const char *)data, size, &cause) == TDM_OK) {
        check(&first);
        char *once = write_text(&first, &once_size);
        enum tdm_err err = tdm_excalidraw_read(&second, once, once_size, &cause);

        assert(err == TDM_OK && second.count == first.count);
        for (uint32_t i = 0; i < first.count; i++)
            assert(first.items[i].type == second.items[i].type);
        /* What was cut off at the edge of the world is so the first time only. */
        char *twice = write_text(&second, &twice_size);

        err = tdm_excalidraw_read(&third, twice, twice_size, &cause);
        assert(err == TDM_OK && third.count == second.count);
        tdm_drawing_free(&second);
        tdm_drawing_free(&third);
        free(once);
        free(twice);
    }
    tdm_drawing_free(&first);
    return 0;
}
