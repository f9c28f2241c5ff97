/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_REFERENCES_H
#define TDM_CORE_REFERENCES_H

/*
 * What the next picture refers to: the one before it, or the one `chains` before (repair_plan.h);
 * when that waits for something that the other side told to lack, or the plan says so, the newest
 * one that it told to have; when it has none, nothing: a keyframe. Carrying it out is the
 * encoder's (codecs/codec.h), which may take an older one than it was asked for and says so.
 *
 * Owned by the encode thread. What is told comes from bytes of the other side: pictures that were
 * never sent are not believed, and a lie costs its own picture alone.
 *
 *   for each picture:   tdm_references_told(r, &report);        when there is a new one
 *                       tdm_references_step(r, plan, &out);     then the encoder codes it
 *                       tdm_references_coded(r, number, refers);
 */

#include "engine/core/repair_plan.h"
#include "engine/wire/reference_mark.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_REFERENCES_PICTURES 64 /* That are remembered; a power of two. */

enum tdm_reference_fate { TDM_REFERENCE_UNTOLD, TDM_REFERENCE_LACKED, TDM_REFERENCE_HAD };

struct tdm_references_picture {
    uint32_t number;
    int64_t refers; /* Count of the picture; -1: a keyframe. */
    enum tdm_reference_fate fate;
};

struct tdm_references {
    uint8_t reach, chains; /* Of the encoder: struct tdm_reference_reach of codecs/codec.h. */
    int64_t next;          /* Pictures coded so far: the count of the next one. */
    int64_t first;         /* Of the last keyframe. */
    int64_t head;          /* Newest that refers to one that was known to be there. */
    bool begins;           /* The next one does. */
    bool told;
    uint32_t told_newest;
    struct tdm_references_picture pictures[TDM_REFERENCES_PICTURES];
};

struct tdm_references_out {
    bool keyframe;         /* Nothing is left to refer to. */
    uint8_t wanted, known; /* As in struct tdm_reference; 0: nothing to say. */
};

/** For an encoder that begins anew from up to `reach` pictures before, and has up to `chains`. */
void tdm_references_init(struct tdm_references *r, uint8_t reach, uint8_t chains);

void tdm_references_told(struct tdm_references *r, const struct tdm_reference_report *report);

/** Of the plan `chains` and `known_every` are gone by. */
void tdm_references_step(struct tdm_references *r, const struct tdm_repair_plan *plan,
                         struct tdm_references_out *out);

/** A picture was coded and refers to the one so many before; 0: to none. Numbers ascend. */
void tdm_references_coded(struct tdm_references *r, uint32_t number, uint8_t refers);

/** What a picture's mark says (struct tdm_reference_mark): `number` less the number of the picture
 *  `refers` before; it is not coded() yet. */
uint8_t tdm_references_distance(const struct tdm_references *r, uint32_t number, uint8_t refers);

#endif
