/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_VIEW_STATE_H
#define TDM_COLLAB_SCREEN_VIEW_STATE_H

/*
 * The viewer core's own state, for its files: screen_view.c (inputs, records), screen_view_draw.c
 * (what a frame says), screen_view_answer.c (what the host is told).
 */

#include "collab/screen_coders.h"
#include "collab/screen_wire.h"

#define TDM_SCREEN_SHOWN_KEPT 32 /* Frames of which the capture time is known. */
#define TDM_SCREEN_TILE_BYTES ((size_t)TDM_SCREEN_TILE * TDM_SCREEN_TILE * 4)

/* Operations come in this order within a frame. */
enum tdm_screen_stage {
    TDM_SCREEN_WIPING,
    TDM_SCREEN_KEEPING,
    TDM_SCREEN_COPYING,
    TDM_SCREEN_DRAWING
};

struct tdm_screen_seen_surface {
    bool used, fresh;
    struct tdm_screen_surface desc;
    struct tdm_screen_image seen, before; /* before: where copies come from. */
    uint8_t *touched;                     /* Each tile, since a frame was told of. */
    struct tdm_screen_rect around;        /* All of that; of no width: nothing. */
    int tiles_x, tiles_y, columns, rows;
};

struct tdm_screen_shown {
    uint32_t id, decode_us;
    tdm_time present;
};

struct tdm_screen_view {
    struct tdm_screen_view_config config;
    struct tdm_screen_seen_surface surfaces[TDM_SCREEN_SURFACES_MAX]; /* By id. */
    struct tdm_screen_coders *coders;
    uint8_t *cache;  /* Pixels of config.cache_tiles tiles. */
    uint8_t *filled; /* Which of them there are. */
    uint8_t *cursor_pixels;

    uint8_t *record; /* That comes in, with its head. */
    size_t record_size;

    bool started; /* The host has, and frames follow each other since. */
    bool failed, waiting;
    const char *why;
    uint32_t faults; /* Frames that were not right, less those that were. */
    uint64_t hash_seed, cache_tiles;
    struct tdm_screen_video videos[TDM_SCREEN_VIDEOS_MAX];
    uint32_t videos_used; /* A set of streams. */

    /* The frame that comes in. */
    struct tdm_screen_seen_surface *open;
    uint32_t frame_id, good_id;
    enum tdm_screen_stage stage;
    uint64_t work, work_max; /* Pixels. */
    tdm_time capture_time;
    struct tdm_screen_video next_videos[TDM_SCREEN_VIDEOS_MAX];
    uint32_t next_videos_used;
    bool next_videos_told;
    struct tdm_screen_move moved[TDM_SCREEN_MOVES_MAX];
    uint32_t moved_count;

    tdm_time captures[TDM_SCREEN_SHOWN_KEPT]; /* By frame id. */
    struct tdm_screen_shown shown[TDM_SCREEN_SHOWN_KEPT];
    uint32_t shown_count;

    bool tell_hello, tell_hashes;
    enum tdm_screen_resync reason;
    uint64_t resyncs;            /* Asked for on these streams. */
    int hash_surface, hash_tile; /* What is told next. */
    uint8_t answer[TDM_SCREEN_HEAD_MAX + TDM_SCREEN_ANSWER_MAX];
    const uint8_t *answer_at;
    size_t answer_left;
    struct tdm_screen_view_stats stats;
};

/* screen_view_draw.c: one FRAME record. TDM_E_MALFORMED: it breaks the rules, or does not prove. */
enum tdm_err tdm_screen_view_frame(struct tdm_screen_view *v, struct tdm_reader *r,
                                   struct tdm_screen_view_out *out);

/* screen_view_answer.c */
void tdm_screen_view_ask(struct tdm_screen_view *v, enum tdm_screen_resync reason);
void tdm_screen_view_shown(struct tdm_screen_view *v, const struct tdm_screen_view_in *in);
size_t tdm_screen_view_pull(struct tdm_screen_view *v, uint8_t *room, size_t size);
bool tdm_screen_view_has_answer(const struct tdm_screen_view *v);

#endif
