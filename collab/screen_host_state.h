/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_HOST_STATE_H
#define TDM_COLLAB_SCREEN_HOST_STATE_H

/*
 * The host core's own state, for its files: screen_host.c (inputs, outputs), screen_host_frame.c
 * (what a frame consists of), screen_host_plan.c (what need not be coded), screen_host_code.c (what
 * is), screen_host_answer.c (what the viewer says), screen_host_video.c (what moves).
 */

#include "collab/screen_cache.h"
#include "collab/screen_cells.h"
#include "collab/screen_coders.h"
#include "collab/screen_moves.h"
#include "collab/screen_wire.h"

#define TDM_SCREEN_OUT_BYTES   (TDM_SCREEN_HEAD_MAX + TDM_SCREEN_RECORD_MAX)
#define TDM_SCREEN_COPIES_MAX  TDM_SCREEN_MOVES_MAX
#define TDM_SCREEN_NO_COLOUR   UINT32_MAX
#define TDM_SCREEN_STILL       (300 * TDM_MS) /* Before what was lossy is made exact. */
#define TDM_SCREEN_RATE_WINDOW (TDM_S / 2)
#define TDM_SCREEN_CURSOR_BYTES                                                                    \
    ((size_t)TDM_SCREEN_CURSOR_SIDE_MAX * TDM_SCREEN_CURSOR_SIDE_MAX * 4)

enum tdm_screen_tile_flag {
    TDM_SCREEN_TILE_DIRTY = 1,   /* What was captured may differ from what was sent. */
    TDM_SCREEN_TILE_TRIED = 2,   /* Neither moved nor cached nor solid, since it changed. */
    TDM_SCREEN_TILE_TOUCHED = 4, /* By the frame in the making. */
    TDM_SCREEN_TILE_ANCHORS = 8, /* Its anchors are those of what was sent. */
    TDM_SCREEN_TILE_FRESH = 128, /* Its anchors are those of what is being sent. */
    TDM_SCREEN_TILE_PHOTO = 16,  /* Looked like a photograph when it was coded last. */
    TDM_SCREEN_TILE_KEPT = 32,   /* The viewer said it has this. */
    TDM_SCREEN_TILE_WIPED = 64,  /* The viewer shall have black there. */
};

struct tdm_screen_host_tile {
    uint64_t seen_hash; /* Of what was captured last; 0: nothing yet. */
    uint64_t sent_hash; /* Of what the viewer has, as of the last frame that touched it. */
    tdm_time changed_at, coded_at;
    tdm_time window_at; /* Changes are counted in windows of half a second. */
    uint16_t changes, changes_before;
    uint8_t flags;
    bool cached; /* While a frame is planned: the viewer keeps what it shall have. */
};

struct tdm_screen_place {
    uint32_t tile, slot;
};

struct tdm_screen_host_surface {
    bool used, listed; /* listed: the viewer was told. */
    struct tdm_screen_surface desc;
    void *storage;
    struct tdm_screen_image next;  /* The caller's; never written. */
    struct tdm_screen_image seen;  /* What the viewer has, when it has drawn all. */
    struct tdm_screen_cells todo;  /* Of the frame in the making. */
    struct tdm_screen_cells owed;  /* Not exact yet. */
    struct tdm_screen_cells work;  /* For whoever needs a set for a while. */
    struct tdm_screen_cells video; /* A video shows them. */
    struct tdm_screen_host_tile *tiles;
    struct tdm_screen_anchors *anchors;
    struct tdm_screen_place *places;
    uint32_t *colours;     /* Of solid tiles. */
    uint32_t *cell_hashes; /* Of tiles that change often: 64 each. */
    uint64_t *moving;      /* And which of their cells have changed lately. */
    tdm_time watch_at;
    struct tdm_screen_moves *moves;
    int tile_count, dirty_count;
    int next_tile; /* Where coding goes on, so that no part of the screen waits for another. */
    bool owes, told_exact, wipes;
    tdm_time captured_at, refine_at;
};

struct tdm_screen_copy {
    struct tdm_screen_rect cells;
    int vector;
};

struct tdm_screen_host_video {
    bool used, tell;
    bool gone; /* The driver gave it up. */
    struct tdm_screen_video video;
    struct tdm_screen_rect cells;
    tdm_time moved_at;
};

struct tdm_screen_host {
    struct tdm_screen_host_config config;
    uint64_t hash_seed, second_seed;
    struct tdm_screen_host_surface surfaces[TDM_SCREEN_SURFACES_MAX]; /* By id. */
    struct tdm_screen_cache *cache;
    struct tdm_screen_coders *coders;

    uint8_t *room; /* Of one record. */
    const uint8_t *out_at;
    size_t out_left;
    bool out_is_frame, out_is_refinement;

    bool running; /* The viewer has said what it has. */
    bool hearing; /* It is saying it. */
    bool tell_start, tell_list, tell_videos;
    bool videos_news;                    /* For the driver. */
    uint64_t resyncs;                    /* Heard on these streams. */
    uint32_t cursor_filled, cursor_told; /* Sets of slots. */
    struct tdm_screen_cursor cursors[TDM_SCREEN_CURSOR_SLOTS];
    uint8_t *cursor_pixels;

    /* The frame in the making. */
    struct tdm_screen_host_surface *open; /* NULL: none. */
    uint32_t frame_id;                    /* Of it, or of the last. */
    bool first;                           /* Its first record is still to come. */
    size_t frame_bytes, photo_bytes;
    tdm_time opened_at; /* The last frame. */
    tdm_time told_time; /* As the viewer knows it, whole microseconds. */
    int last_surface;

    uint64_t rate_bps;
    tdm_time rtt;
    struct tdm_screen_pointer pointer;
    struct tdm_screen_host_video videos[TDM_SCREEN_VIDEOS_MAX];
    uint32_t photo_faults; /* Hashes that were wrong after lossy pictures. */
    bool looked_ahead;     /* At all of the frame, for photo_bytes. */
    bool photo_sent;       /* Since the last resync. */

    uint8_t answer[TDM_SCREEN_HEAD_MAX + TDM_SCREEN_ANSWER_MAX];
    size_t answer_size, answer_skip;
    const char *why; /* The viewer breaks the protocol. */

    struct tdm_screen_copy copies[TDM_SCREEN_COPIES_MAX];
    int copy_count;
    struct tdm_screen_move moved[TDM_SCREEN_MOVES_MAX]; /* The same, told in this step. */
    uint32_t moved_count;
    struct tdm_screen_host_stats stats;
};

/* screen_host.c */
struct tdm_tile;
struct tdm_tile tdm_screen_tile_of(const struct tdm_screen_image *image, int tile);

/* screen_host_frame.c: the next record into the room. False: nothing to say. */
bool tdm_screen_host_make(struct tdm_screen_host *h, tdm_time now, bool refine);
/** A frame that no longer matters is no longer made. */
void tdm_screen_host_abandon(struct tdm_screen_host *h);
void tdm_screen_host_touch(struct tdm_screen_host_surface *s, const struct tdm_screen_rect *cells);
bool tdm_screen_host_is_exact(const struct tdm_screen_host *h,
                              const struct tdm_screen_host_surface *s);

/* screen_host_plan.c: fills s->todo. @return cells. */
int tdm_screen_host_verify(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                           int *tiles);
/** Writes PUT, COPY, REF and FILL and takes their cells out of s->todo. */
void tdm_screen_host_plan(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                          tdm_time now, struct tdm_writer *w);

/* screen_host_code.c: one or a few PIXELS, up to TDM_SCREEN_GROUP_AREA. */
/** Before a frame: how many bytes its photographs would need to be exact. */
void tdm_screen_host_look_ahead(struct tdm_screen_host *h, struct tdm_screen_host_surface *s);
void tdm_screen_host_code(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                          struct tdm_writer *w);
/** Cells that are owed and still, nearest to the pointer first. */
void tdm_screen_host_refine(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                            tdm_time now, struct tdm_writer *w);

/* screen_host_answer.c */
void tdm_screen_host_answer(struct tdm_screen_host *h, tdm_time now, const uint8_t *data,
                            size_t size, struct tdm_screen_host_out *out);

/* screen_host_video.c: counts a change of a tile. */
void tdm_screen_host_changed(struct tdm_screen_host *h, struct tdm_screen_host_surface *s, int tile,
                             tdm_time now);
/** Begins and ends regions of a surface. */
void tdm_screen_host_watch(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                           tdm_time now);
void tdm_screen_host_tell_videos(struct tdm_screen_host *h, struct tdm_screen_host_surface *s,
                                 struct tdm_writer *w);
/** When the next region may be over; TDM_NEVER. */
tdm_time tdm_screen_host_video_wake(const struct tdm_screen_host *h);

#endif
