/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_GIVE_H
#define TDM_ENGINE_SHARE_GIVE_H

/*
 * The host's side of a screen: the thread `tdm-share`, which owns the desktop (desktop/desktop.h)
 * and the host core (collab/screen.h). It waits for the desktop and for room in the channel; when
 * both are there it takes the pixels that changed and has the core make a frame of them. Nothing is
 * made before the channel could send it, so what is sent is never older than the way to the socket.
 *
 * The rider (engine/share.c) says with each pull that comes in vain that there is room, and takes
 * the bytes with the next. Bytes of both streams leave in the order in which the core made them,
 * whichever stream asks.
 *
 * Any thread may call what is here; each holds the lock for no longer than a copy takes.
 */

#include "collab/control_host.h"
#include "collab/screen.h"
#include "desktop/desktop.h"
#include "engine/base/histogram.h"
#include "engine/share_ink.h"
#include "engine/share_media.h"

struct tdm_share_give;

enum tdm_share_news {
    TDM_SHARE_NEWS_BYTES = 1 << 0,    /* Something to pull, or taken. */
    TDM_SHARE_NEWS_POINTER = 1 << 1,  /* The pointer's value changed. */
    TDM_SHARE_NEWS_SURFACES = 1 << 2, /* tdm_share_give_areas */
    TDM_SHARE_NEWS_STATE = 1 << 3,    /* tdm_share_give_state */
    TDM_SHARE_NEWS_FAILED = 1 << 4,   /* The viewer breaks the protocol: new streams. */
};

struct tdm_share_give_config {
    const struct tdm_desktop_ops *ops;
    struct tdm_desktop_config desktop; /* What it borrows is borrowed for create. */
    struct tdm_share_media *media;     /* By which a region may go; NULL: the channel alone. */
    struct tdm_share_ink *ink;         /* What is drawn over the screen; NULL: nothing. */
    void (*wake)(void *arg);           /* There is news; on the thread, without the lock. */
    void *arg;
};

struct tdm_share_give_figures {
    struct tdm_screen_host_stats core;
    uint64_t units, unit_bytes; /* Pictures of moving regions that were sent as video; */
    uint64_t rtp_units;         /* those of them that went by RTP. */
    struct tdm_histogram capture, encode, answer;
    bool exact;
};

/** Opens the desktop; its causes. Nothing is captured before `run`. */
enum tdm_err tdm_share_give_create(struct tdm_share_give **give,
                                   const struct tdm_share_give_config *config,
                                   struct tdm_cause *cause);
void tdm_share_give_destroy(struct tdm_share_give *give);

/** What there is to look at since the last call; enum tdm_share_news. */
uint32_t tdm_share_give_news(struct tdm_share_give *give);

/** New streams stand: the viewer knows nothing, or tells what it knows. */
void tdm_share_give_restart(struct tdm_share_give *give);
/** There are no streams: nothing is captured. */
void tdm_share_give_stop(struct tdm_share_give *give);

/** As tdm_rider_ops.pull; 0: now it is known that there is room. */
size_t tdm_share_give_pull(struct tdm_share_give *give, bool refine, uint8_t *room, size_t max,
                           bool *more);
/** Which streams have something: bit 0 screen, bit 1 refinement. */
uint32_t tdm_share_give_ready(struct tdm_share_give *give);
/** The viewer's answers. False: no memory. */
bool tdm_share_give_answer(struct tdm_share_give *give, const uint8_t *data, size_t size);
/** How much of them was taken since the last call. */
size_t tdm_share_give_consumed(struct tdm_share_give *give);
/** The channel's measured rate and round trip. */
void tdm_share_give_link(struct tdm_share_give *give, uint64_t rate_bps, tdm_time rtt);

/** A rectangle of the desktop is to be captured again. */
void tdm_share_give_again(struct tdm_share_give *give, struct tdm_rect rect);
/** Writes the first surface as it was captured last as PNG, without ink. Waits for the thread.
 *  TDM_E_AGAIN: nothing was captured yet. */
enum tdm_err tdm_share_give_save(struct tdm_share_give *give, const char *path,
                                 struct tdm_cause *cause);

/** The pointer as it is now; bytes written. */
size_t tdm_share_give_pointer(struct tdm_share_give *give, uint8_t value[TDM_SCREEN_POINTER_BYTES]);
void tdm_share_give_areas(struct tdm_share_give *give,
                          struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX]);
/** `lost`: the display went away; why. */
enum tdm_desktop_state tdm_share_give_state(struct tdm_share_give *give, bool *lost,
                                            struct tdm_cause *why);
void tdm_share_give_figures(struct tdm_share_give *give, struct tdm_share_give_figures *figures);

#endif
