/* SPDX-License-Identifier: MIT */
#include "render/picture_slot.h"

#include <stdlib.h>

enum tdm_err tdm_picture_slot_init(struct tdm_picture_slot *slot, uint32_t pixels_max,
                                   struct tdm_cause *cause)
{
    tdm_mailbox_init(&slot->mailbox);
    atomic_init(&slot->too_large, 0);
    slot->slot_bytes = (size_t)pixels_max * 3 / 2;
    slot->storage = malloc(slot->slot_bytes * TDM_MAILBOX_SLOTS);
    if (!slot->storage)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the pictures of the video sink");
    return TDM_OK;
}

void tdm_picture_slot_free(struct tdm_picture_slot *slot)
{
    free(slot->storage);
    slot->storage = NULL;
}

/* Every pixel is the mean of the four in the middle of the block that it stands for. */
static void shrink_plane(struct tdm_picture *to, const struct tdm_picture *from, int plane,
                         int divisor)
{
    int width = plane ? to->width / 2 : to->width;
    int height = plane ? to->height / 2 : to->height;
    int stride = from->strides[plane];
    int middle = divisor / 2 - 1;

    for (int y = 0; y < height; y++) {
        uint8_t *out = to->planes[plane] + (ptrdiff_t)y * to->strides[plane];
        const uint8_t *in =
            from->planes[plane] + (ptrdiff_t)(y * divisor + middle) * stride + middle;

        for (int x = 0; x < width; x++, in += divisor)
            out[x] = (uint8_t)((in[0] + in[1] + in[stride] + in[stride + 1] + 2) / 4);
    }
}

bool tdm_picture_slot_put(struct tdm_picture_slot *slot, const struct tdm_picture *pic, int divisor,
                          const struct tdm_frame_trace *trace)
{
    uint8_t back = tdm_mailbox_back(&slot->mailbox);
    struct tdm_picture *to = &slot->pics[back];
    int width = pic->width / divisor & ~1, height = pic->height / divisor & ~1;

    assert(divisor >= 1);
    if (width < 2 || height < 2 || tdm_picture_bytes(width, height) > slot->slot_bytes) {
        atomic_fetch_add_explicit(&slot->too_large, 1, memory_order_relaxed);
        return false;
    }
    tdm_picture_over(to, slot->storage + back * slot->slot_bytes, width, height);
    if (divisor == 1) {
        tdm_picture_copy(to, pic);
    } else {
        for (int plane = 0; plane < 3; plane++)
            shrink_plane(to, pic, plane, divisor);
        to->captured = pic->captured;
        to->frame_id = pic->frame_id;
    }
    slot->traces[back] = trace ? *trace : tdm_frame_trace_none();
    tdm_mailbox_publish(&slot->mailbox);
    return true;
}

const struct tdm_picture *tdm_picture_slot_take(struct tdm_picture_slot *slot,
                                                struct tdm_frame_trace *trace)
{
    uint8_t front;

    if (!tdm_mailbox_take(&slot->mailbox, &front))
        return NULL;
    *trace = slot->traces[front];
    return &slot->pics[front];
}
