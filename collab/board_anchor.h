/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_ANCHOR_H
#define TDM_COLLAB_BOARD_ANCHOR_H

/*
 * Where annotations on a shared screen are now. An annotation hangs on a point of a surface as it
 * was at a frame (struct tdm_board_anchor: surface, frame, point). What a frame moved moves the
 * point. Both sides of a screen know the same frames with the same moves (struct tdm_screen_move),
 * so both work out the same place from them, each at the moment when it has the frame, and nothing
 * of it is sent. Pure; it knows neither objects nor pixels.
 *
 * A point goes with the move that has most of the square of TDM_ANCHOR_WINDOW pixels around it, if
 * that is more than half. A move that fills a pane, a scroll, takes along what it moves out of it:
 *
 *     +--------------+      the pane: where the moved rectangles came from and went to, together
 *     |######## ^    |      #: what leaves it goes on outside, unseen ("away"), moves with each
 *     |######## |    |         further move of the same pane, and is seen again when it is back
 *     |         |    |
 *     +--------------+
 *
 * A scroll that was captured in two frames, one part of the pane in each, is no leaving: what the
 * first has moved stays where it is in the second.
 *
 * Moves are kept for a while (TDM_ANCHOR_MOVES of them): a place that is older than those begins at
 * the oldest that is known. The host writes new anchors for what has moved when things are still
 * (engine/share_ink.h), so who comes late, or has lost frames, is never wrong for good.
 */

#include "collab/board_object.h"
#include "collab/screen.h"

#define TDM_ANCHOR_WINDOW 96   /* Pixels, both ways. */
#define TDM_ANCHOR_MOVES  2048 /* Rectangles that are remembered. */

struct tdm_anchors {
    uint32_t count; /* Of all that ever came; the last TDM_ANCHOR_MOVES are there. */
    struct tdm_screen_move moves[TDM_ANCHOR_MOVES];
    struct {
        int width, height; /* 0: not known. */
    } surfaces[TDM_SCREEN_SURFACES_MAX];
};

/** A point that is followed. */
struct tdm_anchor_place {
    uint8_t surface;
    uint32_t frame; /* As of this one. */
    int32_t x, y;   /* Pixels / 16 of the surface. */
    bool away;      /* It was moved out of its pane: not to be seen. */
    /* The last move of a pane that took it along, or out. */
    uint32_t moved_at;
    int dx, dy;
    struct tdm_screen_rect pane;
};

void tdm_anchors_init(struct tdm_anchors *a);
/** How large a surface is: at its edges the square is smaller. */
void tdm_anchors_size(struct tdm_anchors *a, uint8_t surface, int width, int height);
/** What a frame moved, or several; frames come in their order, each one's moves in one call. Any
 *  numbers may stand in them. */
void tdm_anchors_moved(struct tdm_anchors *a, const struct tdm_screen_move *moves, uint32_t count);

struct tdm_anchor_place tdm_anchor_place_of(const struct tdm_board_anchor *anchor);
/** Brings a place up to the newest frame that moved anything. @return whether it changed. */
bool tdm_anchor_follow(const struct tdm_anchors *a, struct tdm_anchor_place *place);
/** The anchor of a point where it is now. */
struct tdm_board_anchor tdm_anchor_of(const struct tdm_anchor_place *place, uint32_t frame);

#endif
