/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_WATCH_H
#define TDM_ENGINE_SHARE_WATCH_H

/*
 * The viewer's side of a screen: the thread `tdm-watch`, which owns the viewer core
 * (collab/screen.h) and decodes there, so that the channel's thread never does; and the pictures
 * that a window or a program takes. A picture is a copy of what the core has proved, brought up to
 * date by the rectangles that changed: who takes it never sees half a frame.
 *
 * Any thread may call what is here.
 */

#include "collab/screen.h"
#include "engine/base/histogram.h"
#include "engine/share_ink.h"
#include "engine/share_media.h"
#include "render/screen_window.h"

struct tdm_share_watch;

enum tdm_share_watch_news {
    TDM_WATCH_NEWS_ANSWERS = 1 << 0,  /* Something to pull, or consumed. */
    TDM_WATCH_NEWS_SURFACES = 1 << 1, /* The list changed. */
    TDM_WATCH_NEWS_FIRST = 1 << 2,    /* The first frame is there. */
    TDM_WATCH_NEWS_FAILED = 1 << 3,   /* The host breaks the protocol: give the streams up. */
};

struct tdm_share_watch_config {
    void (*wake)(void *arg); /* There is news; on the thread, without a lock. */
    void *arg;
    int picture_fd;                /* Signalled for each new picture and pointer. */
    struct tdm_share_media *media; /* By which units may come, too; NULL: the channel alone. */
    struct tdm_share_ink *ink;     /* What is drawn over the screen; NULL: nothing. */
};

struct tdm_share_watch_figures {
    struct tdm_screen_view_stats core;
    uint64_t units;     /* Pictures of moving regions that were shown; */
    uint64_t rtp_units; /* those of them that came by RTP. */
    struct tdm_histogram decode, unit_decode;
    double exact_share;
};

enum tdm_err tdm_share_watch_create(struct tdm_share_watch **watch,
                                    const struct tdm_share_watch_config *config,
                                    struct tdm_cause *cause);
void tdm_share_watch_destroy(struct tdm_share_watch *watch);

uint32_t tdm_share_watch_news(struct tdm_share_watch *watch, char why[160]);

/** New streams stand. What was not decoded of the old ones is dropped; the pictures stay. */
void tdm_share_watch_restart(struct tdm_share_watch *watch);
/** Bytes of either stream, 0 or 1, as they arrived. False: no memory. */
bool tdm_share_watch_bytes(struct tdm_share_watch *watch, int stream, const uint8_t *data,
                           size_t size);
/** A value of the pointer's stream. */
void tdm_share_watch_pointer(struct tdm_share_watch *watch, const uint8_t *value, size_t size);
/** How much of each stream is done with since the last call. */
void tdm_share_watch_consumed(struct tdm_share_watch *watch, size_t sizes[2]);
/** The answers, as tdm_rider_ops.pull. */
size_t tdm_share_watch_pull(struct tdm_share_watch *watch, uint8_t *room, size_t max, bool *more);
bool tdm_share_watch_ready(struct tdm_share_watch *watch);

/** For units that come by RTP. */
int tdm_share_watch_wake(const struct tdm_share_watch *watch);

uint32_t tdm_share_watch_surfaces(struct tdm_share_watch *watch,
                                  struct tdm_screen_surface surfaces[TDM_SCREEN_SURFACES_MAX]);
/** Locks the picture of a surface; false: nothing new of it, and nothing is locked. `again`: even
 *  when it is not new. */
bool tdm_share_watch_lock(struct tdm_share_watch *watch, uint8_t surface, bool again,
                          struct tdm_share_picture *picture);
void tdm_share_watch_unlock(struct tdm_share_watch *watch);
/** The pointer, when it changed since the last call. `pixels`: room for its shape. */
bool tdm_share_watch_cursor(struct tdm_share_watch *watch, struct tdm_share_pointer *pointer,
                            uint8_t pixels[TDM_SHARE_SHAPE_BYTES]);
void tdm_share_watch_figures(struct tdm_share_watch *watch,
                             struct tdm_share_watch_figures *figures);

#endif
