/* SPDX-License-Identifier: MIT */
/*
 * Bytes are moves of frames with any numbers. Checked: a place that follows each frame as it comes
 * is where one is that follows all of them at once, and stays on the board.
 */

#include "collab/board_anchor.h"
#include "engine/base/bytes.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAMES_MAX 64

static int number(struct tdm_reader *r)
{
    uint8_t first = tdm_read_u8(r);

    /* Mostly such as a screen has. */
    return first == 0xff ? (int)tdm_read_u32(r) : (int)(first & 0x7f) * (first & 0x80 ? -8 : 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tdm_anchors a;
    struct tdm_reader r = tdm_reader_of(data, size);

    tdm_anchors_init(&a);
    tdm_anchors_size(&a, 0, number(&r), number(&r));
    const struct tdm_board_anchor anchor = {tdm_read_u8(&r), tdm_read_u32(&r),
                                            (int32_t)((uint32_t)number(&r) * 16),
                                            (int32_t)((uint32_t)number(&r) * 16)};
    struct tdm_anchor_place steps = tdm_anchor_place_of(&anchor), whole = steps;
    uint32_t frame = anchor.generation;

    for (int i = 0; r.ok && i < FRAMES_MAX; i++) {
        struct tdm_screen_move moves[8];
        uint8_t head = tdm_read_u8(&r);
        uint32_t count = 1 + (head & 7);

        frame += head >> 6;
        for (uint32_t k = 0; k < count; k++)
            moves[k] =
                (struct tdm_screen_move){.frame_id = frame,
                                         .surface = head >> 3 & 1,
                                         .dx = number(&r),
                                         .dy = number(&r),
                                         .to = {number(&r), number(&r), number(&r), number(&r)}};
        if (head >> 6 == 0 && i) /* Of the same frame: each frame comes once. */
            frame++;
        for (uint32_t k = 0; k < count; k++)
            moves[k].frame_id = frame;
        tdm_anchors_moved(&a, moves, count);
        (void)tdm_anchor_follow(&a, &steps);
        assert(steps.x <= TDM_BOARD_FAR && steps.x >= -TDM_BOARD_FAR);
    }
    (void)tdm_anchor_follow(&a, &whole);
    assert(whole.x == steps.x && whole.y == steps.y && whole.away == steps.away);
    return 0;
}
