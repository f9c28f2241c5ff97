/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_CELLS_H
#define TDM_COLLAB_SCREEN_CELLS_H

/*
 * A set of cells of 8x8 pixels of a surface, a mask of 64 for each tile, and its parting into few
 * rectangles. Coordinates are cells.
 *
 *     +--------+--------+     bit 8 * row + column of a tile's mask
 *     |..##....|........|
 *     |..######|####....|     is one rectangle of 10 x 2 with 6 cells too many when that is
 * allowed,
 *     +--------+--------+     two when not
 */

#include "collab/screen.h"

struct tdm_screen_cells {
    uint64_t *masks; /* Borrowed; of tiles_x * tiles_y tiles, row by row. */
    int tiles_x, tiles_y;
    int columns, rows; /* Cells. */
};

struct tdm_screen_cells tdm_screen_cells_of(uint64_t *masks, int width, int height);

/** The cells that a tile has: fewer at the edges. */
uint64_t tdm_screen_cells_whole(const struct tdm_screen_cells *cells, int tile);

void tdm_screen_cells_set(struct tdm_screen_cells *cells, const struct tdm_screen_rect *rect);
void tdm_screen_cells_clear(struct tdm_screen_cells *cells, const struct tdm_screen_rect *rect);
bool tdm_screen_cells_any(const struct tdm_screen_cells *cells);

/** Takes the first cells, in the order of tiles from `*tile` on, as a rectangle of at most
 *  `area_max` cells within one row of tiles, for a coder: it may have a few cells that are not in
 *  the set, if that saves a rectangle. False: there are none from there on. */
bool tdm_screen_cells_take(struct tdm_screen_cells *cells, int *tile, int area_max,
                           struct tdm_screen_rect *rect);

/** Finds a rectangle around the first cell, in the order of tiles from `*tile` on, that is in both
 *  sets: large, of cells of `within` only, so that it may take in what need not be but lies
 * between. False: there is none from there on. */
bool tdm_screen_cells_find_within(const struct tdm_screen_cells *cells,
                                  const struct tdm_screen_cells *within, int *tile,
                                  struct tdm_screen_rect *rect);

/** How many cells of the rectangle are in the set. */
int tdm_screen_cells_count(const struct tdm_screen_cells *cells,
                           const struct tdm_screen_rect *rect);

#endif
