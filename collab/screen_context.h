/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_CONTEXT_H
#define TDM_COLLAB_SCREEN_CONTEXT_H

/*
 * The coder for interface content: text, widgets, lines, flat areas; exact. A pixel is guessed from
 * the pixels around it that both sides have, through tables that remember which colour followed the
 * same surroundings before. The tables live as long as the session, so that a letter seen once is
 * nearly free afterwards, wherever it appears. What was not guessed is one of the neighbours, one
 * of the colours used lately, or a literal. Photographs are what it is bad at: many misses tell of
 * one.
 *
 * Integers only: the same bytes on every machine. The decoder's work is bounded by the area, its
 * writes by the rectangle, whatever the bytes are.
 */

#include "collab/screen_pixels.h"
#include "collab/screen_range.h"

/** What both sides learnt, about 2.6 MB of plain data without pointers. To try a coding and take it
 *  back, copy it before. */
#define TDM_SCREEN_CONTEXT_FAR_BITS    16
#define TDM_SCREEN_CONTEXT_WIDE_BITS   18
#define TDM_SCREEN_CONTEXT_NEAR_BITS   14
#define TDM_SCREEN_CONTEXT_RECENT_BITS 6
#define TDM_SCREEN_CONTEXT_RECENT      (1 << TDM_SCREEN_CONTEXT_RECENT_BITS)
struct tdm_screen_context_bits {
    tdm_screen_bit whole[16][4];       /* Flat runs that end where they must. */
    tdm_screen_bit far[2][16][16][4];  /* Is it the guess of the far table? */
    tdm_screen_bit pair[2][16][16][4]; /* Else: the first one of the wide table? */
    tdm_screen_bit other[16][16];      /* Else: its second? */
    tdm_screen_bit near[16][16][2];    /* Else: that of the near table? */
    tdm_screen_bit neighbour[4][64];   /* Else: this neighbour? */
    tdm_screen_bit is_recent[64], recent[TDM_SCREEN_CONTEXT_RECENT];
    tdm_screen_bit green[7][256], shade[16], red_blue[2][2][7][256];
};
struct tdm_screen_context {
    uint32_t far[1 << TDM_SCREEN_CONTEXT_FAR_BITS];      /* Guesses from eleven neighbours, */
    uint32_t wide[1 << TDM_SCREEN_CONTEXT_WIDE_BITS][2]; /* from six, */
    uint32_t near[1 << TDM_SCREEN_CONTEXT_NEAR_BITS];    /* and from three. */
    uint32_t recent[TDM_SCREEN_CONTEXT_RECENT];
    uint32_t shades[256]; /* The last colour of each green. */
    uint32_t literal;     /* The last one of all. */
    uint32_t line_error, parallel_error;
    struct tdm_screen_context_bits bits;
    struct tdm_screen_number run[16];            /* How long the other runs are. */
    uint32_t last_whole, history, shade_history; /* The last few decisions, a bit each. */
};

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

/** What coding the rectangle would need, from a sample of its rows that touches nothing: a cheap
 * look that tells interface from photograph and gives an idea of the bytes. */
struct tdm_screen_context_guess {
    int miss_percent; /* Of pixels: up to 10 in an interface, 25 to 100 in a photograph. */
    uint32_t bytes;   /* About. */
};
struct tdm_screen_context_guess tdm_screen_context_look(const struct tdm_screen_context *model,
                                                        const struct tdm_screen_rect *rect,
                                                        const struct tdm_screen_source *source);

#endif
