/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_FEED_H
#define TDM_RENDER_BOARD_FEED_H

/*
 * Keeps a scene equal to a page of a document. It remembers up to which mark of the document the
 * scene has all; ink that grows and objects that move go the short way, what comes, goes or changes
 * its place in the order makes it read the page anew. It does not own scene or document.
 */

#include "collab/board.h"
#include "render/board_scene.h"

struct tdm_board_feed {
    struct tdm_board_scene *scene;
    struct tdm_board_id page;
    uint64_t mark;
    bool fed;
    struct tdm_board_point *points; /* Room, grown as needed. */
    size_t point_room;
    char *text;
    size_t text_room;
};

void tdm_board_feed_init(struct tdm_board_feed *feed, struct tdm_board_scene *scene);
void tdm_board_feed_free(struct tdm_board_feed *feed);

/** Brings the scene up to date with the page of `board`; cheap when nothing has changed.
 *  TDM_E_SYSTEM: no memory; the scene lacks something, ask again. */
enum tdm_err tdm_board_feed(struct tdm_board_feed *feed, const struct tdm_board *board,
                            struct tdm_board_id page);

/** The figure of one object. Points and text are the feed's, until the next call. */
enum tdm_err tdm_board_feed_figure(struct tdm_board_feed *feed, const struct tdm_board *board,
                                   const struct tdm_board_object *object,
                                   struct tdm_board_figure *figure);

#endif
