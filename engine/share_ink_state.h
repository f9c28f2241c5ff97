/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_INK_STATE_H
#define TDM_ENGINE_SHARE_INK_STATE_H

/* The inside of engine/share_ink.h, shared by its files: share_ink.c (the thread and the stream),
 * share_ink_draw.c (requests and the hand), share_ink_show.c (places and pixels). */

#include "collab/board_anchor.h"
#include "collab/board_link.h"
#include "engine/board_doc.h"
#include "engine/share_bytes.h"
#include "engine/share_ink.h"
#include "render/board_feed.h"
#include "render/ink_overlay.h"

#include <pthread.h>
#include <stdatomic.h>

#define TDM_INK_ITEMS_MAX 1024 /* Annotations that are followed and shown. */
#define TDM_INK_MOVES_MAX 4096 /* That wait for the thread. */

/** An annotation that is followed. */
struct tdm_ink_item {
    struct tdm_board_id id;
    struct tdm_board_anchor anchor; /* As it was read. */
    struct tdm_anchor_place place;
};

struct tdm_share_ink {
    struct tdm_share_ink_config config;
    pthread_t thread;
    bool running;
    _Atomic bool stopping;
    int wake;

    pthread_mutex_t lock;      /* Of what follows. */
    struct tdm_board_doc *doc; /* NULL: there is no screen. */
    void *link_storage;
    struct tdm_board_link *link; /* NULL: no stream. */
    uint64_t link_pulled;
    size_t fresh_put;
    bool failed; /* The stream is of no use any more. */
    uint64_t told_mark;
    struct tdm_anchors anchors;
    uint32_t frame;    /* The newest. */
    tdm_time still_at; /* Host: when new anchors are due; TDM_NEVER. */
    uint32_t item_count;
    struct tdm_ink_item items[TDM_INK_ITEMS_MAX], before[TDM_INK_ITEMS_MAX];
    uint32_t surface_count;
    struct tdm_screen_surface surfaces[TDM_SCREEN_SURFACES_MAX];
    struct tdm_ink_sheet *sheets[TDM_SCREEN_SURFACES_MAX]; /* By id. */
    struct tdm_rect changed[TDM_SCREEN_SURFACES_MAX];      /* Since they were taken. */
    struct tdm_board_feed feed;
    uint64_t painted_mark;
    bool moved; /* Something is elsewhere than it was painted. */
    /* The hand's gesture. */
    bool hand_begun;
    struct tdm_board_id hand; /* None: there is none. */
    enum tdm_ink_tool hand_tool;
    int32_t hand_x, hand_y; /* Where it began. */
    /* Host's, of the thread alone. */
    struct tdm_ink_overlay *overlay;
    char display[64];
    uint32_t window;
    bool no_display, overlay_failed, overlay_stale; /* stale: it is of another display or window. */
    struct tdm_share_bytes now;

    pthread_mutex_t pipe_lock; /* Of what follows; held for a copy. */
    struct tdm_share_bytes in, out;
    size_t consumed;
    bool link_news, link_up, begin_news, end_news, broken, may;
    struct tdm_screen_move moves[TDM_INK_MOVES_MAX];
    uint32_t move_count, frame_news;
    bool surface_news;
    uint32_t list_count;
    struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX];

    pthread_mutex_t veil_lock; /* Of where ink may be on the screen. */
    size_t veil_count;
    struct tdm_ink_span *veil; /* Room for twice TDM_INK_SPANS_MAX. */
    uint32_t *below;           /* While something is captured: what was there before. */
    size_t below_count, below_room;
    struct tdm_rect shown; /* Around what was shown last; the thread's. */
};

/** What may be done on the board; `lock` is held. */
bool tdm_ink_relieve(void *arg, enum tdm_err err);
/** Takes the frames that came, so that what is drawn now hangs on what is seen now. */
void tdm_ink_catch_up(struct tdm_share_ink *ink);
/** Whether it may be drawn here. */
bool tdm_ink_may(struct tdm_share_ink *ink);

/* share_ink_show.c; `lock` is held. */
/** Reads what is new in the board and follows what moved. */
void tdm_ink_follow(struct tdm_share_ink *ink);
/** Where an annotation is; NULL: it is not followed. */
const struct tdm_anchor_place *tdm_ink_place(const struct tdm_share_ink *ink,
                                             struct tdm_board_id id);
/** Paints what is to be painted again. @return whether anything was. */
bool tdm_ink_paint(struct tdm_share_ink *ink);
void tdm_ink_forget_sheets(struct tdm_share_ink *ink);
/** Host: brings the screen up to date; the thread alone. *again: what it no longer covers. */
void tdm_ink_show(struct tdm_share_ink *ink, struct tdm_rect *again);
/** Host: new anchors for all that moved. */
void tdm_ink_settle(struct tdm_share_ink *ink);

#endif
