/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_WAY_H
#define TDM_RENDER_BOARD_WAY_H

/*
 * The way of a line or an arrow: straight from place to place, or, where its corners are round
 * (`corner`), the curve of Catmull and Rom through all of them, in short straight pieces.
 */

#include "render/board_scene_state.h"

/** The corners of the way, `i` of them in px from the figure's (x, y); at least two. */
size_t tdm_board_way_count(const struct tdm_board_entry *e);
struct tdm_path_spot tdm_board_way_at(const struct tdm_board_entry *e, size_t i);

/** A line that ends where it began: what is in it is filled. */
bool tdm_board_way_closed(const struct tdm_board_entry *e);

/** How far beyond the frame, which is around the places, the curve goes at most, px. */
double tdm_board_way_beyond(const struct tdm_board_entry *e);

/** Whether a point is within, by the non-zero rule, as it is painted. */
bool tdm_board_way_inside(const struct tdm_board_entry *e, double x, double y);

#endif
