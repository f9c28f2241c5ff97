/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_MOVES_H
#define TDM_COLLAB_SCREEN_MOVES_H

/*
 * Finds by which vectors parts of a picture have moved, any number of pixels both ways. Places
 * whose surroundings have a certain hash are anchors, about ten a tile, the same ones wherever the
 * content is; anchors that both pictures have, once each, vote for a vector.
 *
 * The surroundings are three columns of 16 pixels, 0, 5 and 11 to the right, up from the anchor,
 * all within one tile, so that a tile's anchors depend on nothing else and are looked for again
 * only when it changes. Flat surroundings are none. Votes prove nothing: the caller compares
 * pixels.
 */

#include "collab/screen_pixels.h"

#define TDM_SCREEN_ANCHORS_MAX 20 /* Of a tile. */

struct tdm_screen_anchor {
    uint32_t hash;
    uint8_t x, y; /* In the tile. */
};

struct tdm_screen_anchors {
    uint8_t count;
    struct tdm_screen_anchor list[TDM_SCREEN_ANCHORS_MAX];
};

/** Of a tile that begins at `pixels`; sides up to 64. */
void tdm_screen_anchors_find(struct tdm_screen_anchors *anchors, const uint8_t *pixels,
                             ptrdiff_t stride, int width, int height);

/** One way to compute it (engine/base/cpu.h). */
struct tdm_screen_anchors_variant {
    const char *name;
    uint32_t needs;
    void (*find)(struct tdm_screen_anchors *anchors, const uint8_t *pixels, ptrdiff_t stride,
                 int width, int height);
};
extern const struct tdm_screen_anchors_variant tdm_screen_anchors_variants[];
extern const size_t tdm_screen_anchors_variant_count;

struct tdm_screen_vector {
    int dx, dy; /* From where it was to where it is. */
    uint32_t votes;
};

/** Memory of a search in a picture of so many tiles. */
struct tdm_screen_moves;

size_t tdm_screen_moves_bytes(int tiles);
struct tdm_screen_moves *tdm_screen_moves_init(void *storage, int tiles);
/** Begins a search. */
void tdm_screen_moves_begin(struct tdm_screen_moves *m);
/** Anchors of the old picture, of the tile whose corner is there; all of them before the first
 *  vote. */
void tdm_screen_moves_old(struct tdm_screen_moves *m, const struct tdm_screen_anchors *anchors,
                          int x, int y);
/** Anchors of the new picture, of tiles that changed. */
void tdm_screen_moves_vote(struct tdm_screen_moves *m, const struct tdm_screen_anchors *anchors,
                           int x, int y);
/** Vectors with most votes first, none with few. @return how many. */
int tdm_screen_moves_best(const struct tdm_screen_moves *m, struct tdm_screen_vector *vectors,
                          int max);

#endif
