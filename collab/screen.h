/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_H
#define TDM_COLLAB_SCREEN_H

/*
 * A desktop shown to another side, exactly: two cores, the host's and the viewer's. Pure: damage,
 * bytes and time go in; bytes, rectangles to present and what to do next come out.
 *
 * The host core decides what of the screen is sent, when, and how each part is coded: it keeps the
 * frame as the viewer has it, compares, finds what moved, what was shown before, what is one colour
 * and what must be coded, what is better shown roughly first and made exact later, and what moves
 * so much that a video codec should show it. The viewer core draws that, refuses what is malformed,
 * and proves each frame by a hash. Neither captures, shows, or knows the channel.
 *
 * Streams (docs/screen-wire.md). The host opens two streams of kind TDM_KIND_SCREEN, one of class 3
 * and one of class 5. Both carry parts of ONE sequence of bytes, in the order in which they were
 * pulled, which is the order in which the channel delivers them: the viewer feeds records of either
 * stream to the core as they come. The second stream only gives refinement its lower priority. The
 * viewer's answers go the other way on the first. The pointer's position is a value of a stream of
 * class 2 (tdm_screen_pointer_write).
 *
 * After a break the bytes that were not acknowledged are of no use to anybody. On `up` with
 * resumed, or `rewind`, the host's driver resets its streams, opens new ones and says
 * TDM_SCREEN_HOST_RESTART when they are open; the viewer's driver says TDM_SCREEN_VIEW_RESTART when
 * it is told of the new stream of class 3. The viewer then tells the hashes of its tiles (4 KB at
 * 1080p), and only tiles that differ are sent. The first start is the same, with nothing to tell.
 */

#include "collab/screen_pixels.h"
#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_SCREEN_SURFACES_MAX    16
#define TDM_SCREEN_TILE            64 /* Pixels, both ways. */
#define TDM_SCREEN_CELL            8
#define TDM_SCREEN_NAME_MAX        32
#define TDM_SCREEN_RECTS_MAX       64 /* Told of one frame; more are merged. */
#define TDM_SCREEN_VIDEOS_MAX      4  /* Moving regions of all surfaces. */
#define TDM_SCREEN_CURSOR_SIDE_MAX 128
#define TDM_SCREEN_CURSOR_SLOTS    32
#define TDM_SCREEN_CACHE_TILES     4096 /* 64 MB at the viewer, when all are used. */
#define TDM_SCREEN_POINTER_BYTES   16   /* At most, of a value on class 2. */
#define TDM_SCREEN_UNIT_HEAD_MAX   16   /* Bytes before those of a unit. */
#define TDM_SCREEN_UNIT_MAX        ((size_t)256 * 1024)

/** A monitor, a window or a rectangle that is shared. */
struct tdm_screen_surface {
    uint8_t id; /* 0 to 15, chosen by the host; stays with the monitor. */
    bool primary;
    uint16_t width, height; /* 1 to TDM_SCREEN_SIDE_MAX. */
    int32_t x, y;           /* Of its corner in the host's desktop. */
    char name[TDM_SCREEN_NAME_MAX];
};

/** The pointer as the host sees it: small enough to be sent whole each time. */
struct tdm_screen_pointer {
    uint8_t surface;
    bool visible;
    uint8_t shape; /* A slot that a cursor shape was sent for, or will be. */
    int32_t x, y;  /* Its hot spot, in the surface. */
};

/** A cursor's shape: BGRA, alpha not yet multiplied in. */
struct tdm_screen_cursor {
    uint8_t slot; /* Below TDM_SCREEN_CURSOR_SLOTS. */
    uint16_t width, height, hot_x, hot_y;
    const uint8_t *pixels; /* width * height * 4 bytes; borrowed. */
};

/** Something that moves like a video: sent by the driver with a video codec, in 4:2:0 or 4:4:4. */
struct tdm_screen_video {
    uint8_t stream;              /* 0 to TDM_SCREEN_VIDEOS_MAX - 1. */
    uint8_t surface;             /* Its number. */
    struct tdm_screen_rect rect; /* Sides are multiples of 8 but at the surface's edges. */
    uint32_t frame_id; /* The screen frame that told of it; later changes are the video's. */
};

/** How a moving region is coded. */
enum tdm_screen_video_codec {
    TDM_SCREEN_VIDEO_H264 = 1, /* Annex B. */
    TDM_SCREEN_VIDEO_VP8 = 2,
};

/** A coded picture of a moving region: its rectangle's size, sides rounded down to even numbers.
 * The first one of a region decodes by itself. */
struct tdm_screen_unit {
    uint8_t stream;
    uint8_t codec;     /* enum tdm_screen_video_codec; others may come. */
    uint32_t frame_id; /* Of the region, struct tdm_screen_video. */
    const uint8_t *data;
    size_t size; /* Up to TDM_SCREEN_UNIT_MAX. */
};

/** A rectangle that a frame took from elsewhere on the same surface: what was at `to` less (dx, dy)
 *  before the frame is at `to` after it. The same list, in the same order, at both sides. */
struct tdm_screen_move {
    uint32_t frame_id;
    uint8_t surface;
    int dx, dy;
    struct tdm_screen_rect to;
};
#define TDM_SCREEN_MOVES_MAX 400 /* Of a frame. */

/** The record of a unit but for its data, which follows. @return bytes written. */
size_t tdm_screen_unit_write_head(const struct tdm_screen_unit *unit,
                                  uint8_t head[TDM_SCREEN_UNIT_HEAD_MAX]);

/** Bytes written, up to TDM_SCREEN_POINTER_BYTES. */
size_t tdm_screen_pointer_write(const struct tdm_screen_pointer *pointer,
                                uint8_t value[TDM_SCREEN_POINTER_BYTES]);
enum tdm_err tdm_screen_pointer_parse(struct tdm_screen_pointer *pointer, const uint8_t *value,
                                      size_t size);

/* ---- Host ---- */

struct tdm_screen_host_config {
    uint8_t secret[32];   /* Of this session, from entropy: keys of the hashes. */
    uint32_t cache_tiles; /* At most; the viewer may offer fewer. [TDM_SCREEN_CACHE_TILES] */
    bool photo_exact;     /* Never lossy first. */
    bool video;           /* The driver can send moving regions. Else they are coded as pictures. */
};

/** A surface with the caller's memory. Both stay where they are until the next SURFACES. */
struct tdm_screen_shared {
    struct tdm_screen_surface surface;
    const uint8_t *pixels; /* The next frame: BGRX (the fourth byte is ignored), captured into by
                              the caller, on this core's thread, and told by DAMAGE. */
    ptrdiff_t stride;
    void *storage; /* tdm_screen_host_surface_bytes(), aligned as malloc aligns. */
};

enum tdm_screen_host_input {
    TDM_SCREEN_HOST_SURFACES, /* shared, count: all that are shared now. One with the id, size and
                                 storage of before goes on; others begin anew. */
    TDM_SCREEN_HOST_DAMAGE,   /* surface, rects, count: these pixels were captured again. A hint:
                                 may be too much, never too little. Clipped to the surface. */
    TDM_SCREEN_HOST_POINTER,  /* pointer: where the eye is. */
    TDM_SCREEN_HOST_CURSOR,   /* cursor: a new shape for a slot. */
    TDM_SCREEN_HOST_LINK,     /* rate_bps (0: not known yet), rtt. */
    TDM_SCREEN_HOST_RESTART,  /* New streams stand. */
    TDM_SCREEN_HOST_ANSWER,   /* data, size: from the viewer; out.consumed is all of it. */
    TDM_SCREEN_HOST_PULL,     /* room, size: of the stream of class 3; out.filled. */
    TDM_SCREEN_HOST_PULL_REFINE, /* The same of the stream of class 5. */
    TDM_SCREEN_HOST_VIDEO_GONE,  /* video.stream: the driver gave it up: code it again. */
};

struct tdm_screen_host_in {
    enum tdm_screen_host_input kind;
    const struct tdm_screen_shared *shared;
    uint8_t surface;
    const struct tdm_screen_rect *rects;
    uint32_t count; /* Of shared, rects. */
    const struct tdm_screen_pointer *pointer;
    const struct tdm_screen_cursor *cursor;
    uint64_t rate_bps;
    tdm_time rtt;
    const uint8_t *data;
    uint8_t *room;
    size_t size;
    uint8_t video; /* Stream. */
};

struct tdm_screen_host_out {
    size_t consumed, filled;
    bool more;         /* PULL: that stream has more at once. */
    bool screen_ready; /* Say ready for the stream of class 3. Before the pull is answered, capture
                          what is damaged: the frame is made of what is there then. */
    bool refine_ready; /* The same of class 5. */
    bool exact;        /* What the viewer has, or has on its way, is what was captured last. */
    bool videos_changed; /* Ask tdm_screen_host_videos. */
    bool between;        /* No record is cut and no frame open: the driver may put a unit of a video
                            behind what it has pulled. */
    bool failed;         /* The viewer breaks the protocol: reset the streams. */
    const char *why;
    bool acked; /* These of the viewer's answer: */
    uint32_t frame_id;
    uint32_t decode_us;                  /* What decoding cost. */
    tdm_time present_time;               /* By the viewer's clock. */
    tdm_time capture_time;               /* As the frame's. */
    const struct tdm_screen_move *moves; /* PULL: what the frames that were begun have moved. */
    uint32_t move_count;
    tdm_time wake_at; /* Step with NULL then: refinement falls due, a video may be over. */
};

struct tdm_screen_host_stats {
    uint64_t frames, refinements, bytes, resyncs, wiped_tiles, hash_mismatches;
    uint64_t pixels_moved, pixels_cached, pixels_filled, pixels_context, pixels_zstd, pixels_raw,
        pixels_photo, pixels_refined;
    uint64_t bytes_copy, bytes_cache, bytes_context, bytes_zstd, bytes_raw, bytes_photo,
        bytes_refine;
    uint32_t tiles_dirty, tiles_owed, tiles_video;
    uint32_t frame_id, frame_id_acked;
};

struct tdm_screen_host;

size_t tdm_screen_host_bytes(const struct tdm_screen_host_config *config);
size_t tdm_screen_host_surface_bytes(uint16_t width, uint16_t height);
/** `storage`: tdm_screen_host_bytes() bytes, aligned as malloc aligns. */
struct tdm_screen_host *
tdm_screen_host_init(void *storage, const struct tdm_screen_host_config *config, tdm_time now);
/** `in` NULL: time has passed. */
void tdm_screen_host_step(struct tdm_screen_host *h, tdm_time now,
                          const struct tdm_screen_host_in *in, struct tdm_screen_host_out *out);
/** The regions that the driver shall send as video. @return how many. */
uint32_t tdm_screen_host_videos(const struct tdm_screen_host *h,
                                struct tdm_screen_video videos[TDM_SCREEN_VIDEOS_MAX]);
void tdm_screen_host_stats(const struct tdm_screen_host *h, struct tdm_screen_host_stats *stats);

/* ---- Viewer ---- */

struct tdm_screen_view_config {
    uint32_t cache_tiles; /* Offered to the host. [TDM_SCREEN_CACHE_TILES] */
    uint64_t pixels_max;  /* Of all surfaces together; a host that wants more fails. */
};

enum tdm_screen_view_input {
    TDM_SCREEN_VIEW_RESTART, /* New streams stand. */
    TDM_SCREEN_VIEW_BYTES,   /* data, size: of either stream, in the order of arrival; repeat with
                                the rest until `consumed` has covered all. */
    TDM_SCREEN_VIEW_STORAGE, /* surface, storage: tdm_screen_view_surface_bytes(). The answer to
                                EV_SURFACES for each `fresh` one, before more BYTES. Frees the one
                                before. NULL: not wanted (memory is short): fails. */
    TDM_SCREEN_VIEW_SHOWN,   /* frame_id, decode_us, time: every EV_FRAME is answered by it. */
    TDM_SCREEN_VIEW_PULL,    /* room, size: answers for the host; out.filled. */
};

struct tdm_screen_view_in {
    enum tdm_screen_view_input kind;
    const uint8_t *data;
    uint8_t *room;
    size_t size;
    uint8_t surface;
    void *storage;
    uint32_t frame_id;
    uint32_t decode_us;
    tdm_time time; /* Of presentation. */
};

enum tdm_screen_view_event {
    TDM_SCREEN_VIEW_EV_NONE,
    TDM_SCREEN_VIEW_EV_SURFACES, /* The list is a new one: tdm_screen_view_surfaces. */
    TDM_SCREEN_VIEW_EV_FRAME,    /* A frame is complete and proved: present rects. */
    TDM_SCREEN_VIEW_EV_CURSOR,   /* cursor: borrowed until the next step. */
    TDM_SCREEN_VIEW_EV_UNIT,     /* unit: of a region that there is; borrowed until the next step.
                                    What it holds was not looked at. */
    TDM_SCREEN_VIEW_EV_RESYNC,   /* A frame did not prove: the host is asked for what differs. The
                                    picture stays as it is until then. */
    TDM_SCREEN_VIEW_EV_FAILED,   /* why: the host breaks the protocol. Reset the streams; only
                                    RESTART is heard from now on. */
};

struct tdm_screen_view_out {
    size_t consumed, filled;
    bool more;         /* PULL: there is more at once. */
    bool answer_ready; /* Say ready for the stream of class 3: there is an answer to pull. */
    enum tdm_screen_view_event event;
    uint8_t surface;
    uint32_t frame_id;
    bool exact;      /* FRAME: the surface is the host's as it was captured last, to the pixel. */
    bool refinement; /* FRAME: only made better what was there. */
    bool videos_changed;   /* FRAME: ask tdm_screen_view_videos. */
    tdm_time capture_time; /* FRAME: by the host's clock. */
    uint32_t rect_count;
    struct tdm_screen_rect rects[TDM_SCREEN_RECTS_MAX];
    const struct tdm_screen_move *moves; /* FRAME: what it moved; until the next step. */
    uint32_t move_count;
    struct tdm_screen_cursor cursor;
    struct tdm_screen_unit unit;
    uint64_t work_pixels; /* That this step wrote. */
    const char *why;
};

/** A surface as the viewer has it. */
struct tdm_screen_view_surface {
    struct tdm_screen_surface surface;
    bool fresh;            /* Waits for STORAGE. */
    const uint8_t *pixels; /* BGRX (the fourth byte 0 or 255); NULL while fresh. */
    ptrdiff_t stride;
};

struct tdm_screen_view_stats {
    uint64_t frames, bytes, resyncs;
    uint32_t frame_id;
};

struct tdm_screen_view;

size_t tdm_screen_view_bytes(const struct tdm_screen_view_config *config);
size_t tdm_screen_view_surface_bytes(uint16_t width, uint16_t height);
struct tdm_screen_view *tdm_screen_view_init(void *storage,
                                             const struct tdm_screen_view_config *config);
void tdm_screen_view_step(struct tdm_screen_view *v, const struct tdm_screen_view_in *in,
                          struct tdm_screen_view_out *out);
/** @return how many. */
uint32_t tdm_screen_view_surfaces(const struct tdm_screen_view *v,
                                  struct tdm_screen_view_surface surfaces[TDM_SCREEN_SURFACES_MAX]);
/** The regions that a video covers, to be drawn over the pixels. @return how many. */
uint32_t tdm_screen_view_videos(const struct tdm_screen_view *v,
                                struct tdm_screen_video videos[TDM_SCREEN_VIDEOS_MAX]);
void tdm_screen_view_stats(const struct tdm_screen_view *v, struct tdm_screen_view_stats *stats);

#endif
