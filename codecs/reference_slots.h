/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_REFERENCE_SLOTS_H
#define TDM_CODECS_REFERENCE_SLOTS_H

/*
 * Which of a codec's buffers the next picture refers to, and which one it writes: for encoders with
 * enough of them that all pictures of late are kept. The newest one that the other side has, and
 * the one referred to, are never written over, so that an attempt can be repeated.
 */

#include "codecs/codec.h"

#define TDM_REFERENCE_SLOTS_MAX 8

/** Owned by one encoder; only the functions below touch it. */
struct tdm_reference_slots {
    uint8_t count;
    int64_t next;                          /* Count of the next picture. */
    int64_t held[TDM_REFERENCE_SLOTS_MAX]; /* Count of the picture in each; -1: none. */
    struct tdm_reference wish;             /* For the next picture. */
    int read, write;                       /* Of the picture at hand. */
};

void tdm_reference_slots_init(struct tdm_reference_slots *s, uint8_t count);

/** For the next picture, as codec.h says. */
void tdm_reference_slots_wish(struct tdm_reference_slots *s, const struct tdm_reference *wish);

/** Begins a picture: sets `read` and `write`; false when nothing is held that it could refer to. */
bool tdm_reference_slots_begin(struct tdm_reference_slots *s);

/** It was coded; gives how many pictures before is the one it refers to. A keyframe is in all
 *  slots, and refers to 0. */
uint8_t tdm_reference_slots_coded(struct tdm_reference_slots *s, bool keyframe);

#endif
