/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_TILE_H
#define TDM_RENDER_BOARD_TILE_H

/*
 * One tile of the scaled board, the unit in which pixels are painted. Whatever shows a board in
 * pixels does it by tiles at the same places, so that all of them show the same.
 */

#include "render/board_camera.h"
#include "render/board_scene_state.h"

#define TDM_BOARD_TILE 256 /* Pixels of a side. */

struct tdm_board_look {
    double scale;
    enum tdm_board_theme theme;
    bool without_ground, without_pattern;
};

/** Paints `part` of the tile whose corner is at (x, y) of the scaled board onto `surface`, an
 *  ARGB32 image of a tile's size. */
void tdm_board_tile_paint(struct tdm_board_scene *scene, const struct tdm_board_look *look,
                          int64_t x, int64_t y, cairo_surface_t *surface, struct tdm_rect part);

/** The place of the tile in which a pixel of the scaled board is. */
static inline int64_t tdm_board_tile_at(int64_t pixel)
{
    int64_t rest = pixel % TDM_BOARD_TILE;

    return pixel - (rest < 0 ? rest + TDM_BOARD_TILE : rest);
}

#endif
