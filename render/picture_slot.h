/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_PICTURE_SLOT_H
#define TDM_RENDER_PICTURE_SLOT_H

/*
 * The latest picture on its way from one producer thread to a sink's thread: a mailbox with
 * storage for three pictures of at most `pixels_max` pixels. Memory that no picture reached is
 * never touched. Neither side waits; nothing is allocated after init.
 */

#include "engine/base/err.h"
#include "engine/base/mailbox.h"
#include "engine/base/picture.h"
#include "engine/base/trace.h"

#include <stdatomic.h>
#include <stdbool.h>

struct tdm_picture_slot {
    struct tdm_mailbox mailbox;
    struct tdm_picture pics[TDM_MAILBOX_SLOTS];
    struct tdm_frame_trace traces[TDM_MAILBOX_SLOTS];
    uint8_t *storage;
    size_t slot_bytes;
    _Atomic uint32_t too_large; /* Pictures beyond pixels_max, which are dropped. */
};

enum tdm_err tdm_picture_slot_init(struct tdm_picture_slot *slot, uint32_t pixels_max,
                                   struct tdm_cause *cause);
void tdm_picture_slot_free(struct tdm_picture_slot *slot);

/** Copies the picture in, `divisor` times smaller on each side (1: as it is). False when it is too
 *  large. Producer only. */
bool tdm_picture_slot_put(struct tdm_picture_slot *slot, const struct tdm_picture *pic, int divisor,
                          const struct tdm_frame_trace *trace);

/** The newest picture, the consumer's until the next take that gives one; NULL when none is new. */
const struct tdm_picture *tdm_picture_slot_take(struct tdm_picture_slot *slot,
                                                struct tdm_frame_trace *trace);

#endif
