/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_CONTEXT_H
#define TDM_COLLAB_SCREEN_CONTEXT_H

/*
 * The coder for interface content: text, widgets, lines, flat areas; exact. A pixel is guessed from
 * the pixels around it that both sides have, through tables that remember which colour followed the
 * same surroundings before. The tables live as long as the session, so that a letter seen once is
 * nearly free afterwards, wherever it appears. What was not guessed is one of the neighbours, one of
 * the colours used lately, or a literal. Photographs are what it is bad at: many misses tell of one.
 *
 * Integers only: the same bytes on every machine. The decoder's work is bounded by the area, its
 * writes by the rectangle, whatever the bytes are.
 */

#include "collab/screen_pixels.h"
#include "collab/screen_range.h"

/** What both sides learnt, about 0.7 MB of plain data without pointers. To try a coding and take it
 *  back, copy it before. */
struct tdm_screen_context;

/** Of one rectangle, or summed over several: every call adds. */
struct tdm_screen_context_stats {
    uint64_t pixels;
    uint64_t runs;     /* Pixels within flat runs. */
    uint64_t misses;   /* Pixels that no table guessed. */
    uint64_t literals; /* Of these, pixels that were spelt out. */
};

void tdm_screen_context_init(struct tdm_screen_context *model);

/** Codes the rectangle and brings `seen` up to date. `stats` may be NULL. */
void tdm_screen_context_encode(struct tdm_screen_context *model, struct tdm_screen_encoder *coder,
                               const struct tdm_screen_image *seen,
                               const struct tdm_screen_rect *rect,
                               const struct tdm_screen_source *source,
                               struct tdm_screen_context_stats *stats);

/** The rectangle must fit. */
void tdm_screen_context_decode(struct tdm_screen_context *model, struct tdm_screen_decoder *coder,
                               const struct tdm_screen_image *seen,
                               const struct tdm_screen_rect *rect);

/** What coding the rectangle would need, without touching model or image, from a sample of its rows:
 *  a cheap look that tells interface from photograph and gives an idea of the bytes. */
struct tdm_screen_context_guess {
    int miss_percent; /* Of pixels: interface has 0 to 30, photographs around 90. */
    uint32_t bytes;   /* About. */
};
struct tdm_screen_context_guess
tdm_screen_context_look(const struct tdm_screen_context *model, const struct tdm_screen_image *seen,
                        const struct tdm_screen_rect *rect, const struct tdm_screen_source *source);

#endif
