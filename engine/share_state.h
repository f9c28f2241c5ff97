/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_STATE_H
#define TDM_ENGINE_SHARE_STATE_H

/* The inside of engine/share.h, shared by its files. */

#include "engine/base/ring.h"
#include "engine/share.h"
#include "engine/share_give.h"
#include "engine/share_hand.h"
#include "engine/share_ink.h"
#include "engine/share_media.h"
#include "engine/share_watch.h"
#include "render/screen_window.h"

#include <pthread.h>

#define TDM_SHARE_EVENTS  64
#define TDM_SHARE_RELINKS 8 /* After breaches of the protocol, in one call. */
#define TDM_SHARE_NEVER   32

/* Streams that we open, as tags, and where they are kept. */
enum {
    TDM_SHARE_SCREEN,  /* Class 3: frames; the viewer's answers come back on it. */
    TDM_SHARE_REFINE,  /* Class 5. */
    TDM_SHARE_LATEST,  /* Class 2: the pointer. */
    TDM_SHARE_INK,     /* Class 4: annotations; the viewer's come back on it. */
    TDM_SHARE_CONTROL, /* Class 1, opened by the viewer: consent, input; answers come back. */
    TDM_SHARE_CLIPS,   /* Class 6: contents of the clipboard. */
    TDM_SHARE_STREAMS,
};

/*
 * `lock` guards all of it and is held for no longer than bytes are moved; who holds it may take the
 * lock of a part (give, watch, hand), never the other way round.
 */
struct tandem_share {
    pthread_mutex_t lock;
    pthread_mutex_t give_lock; /* Held, before `lock`, by who waits for what gives, or ends it. */
    char *desktop, *never, *log_path, *revoke_key;
    struct tdm_share_media media; /* Moving regions by RTP. */
    struct tdm_share_give *give;  /* NULL: nothing is given. */
    struct tdm_share_hand *host;  /* With it. */
    struct tdm_share_watch *watch;
    struct tdm_share_hand *view;
    struct tdm_share_ink *host_ink, *view_ink; /* As long as the share. */
    bool asked_ink, may_annotate;              /* Of the screen that is given. */
    struct tandem_board *board;                /* Where frozen frames go; NULL: nowhere. */
    struct tdm_screen_window *window;
    unsigned allowed;       /* To us, at the viewer; as it was told last. */
    tdm_time allowed_until; /* TDM_NEVER: as long as it is given. */
    char peer[256];
    bool known; /* Whose certificate is no new one. */

    struct tdm_rider_seat *seat; /* NULL: no channel. */
    bool up;
    uint64_t epoch;                    /* Of our streams of the screen, as their tag. */
    uint32_t ours[TDM_SHARE_STREAMS];  /* Streams that we opened; 0: not open. */
    uint32_t their[TDM_SHARE_STREAMS]; /* And those of the other side. */
    bool asked_screen, asked_control;  /* Are being opened. */
    bool pointer_news;
    bool ended; /* The streams are of what was given before. */
    uint32_t relinks, ink_relinks;
    uint16_t wish; /* What to ask for when the channel stands. */
    bool shown;    /* The program was told of pictures. */

    int event_fd, picture_fd;
    struct tdm_ring events;
    struct tandem_share_event event_slots[TDM_SHARE_EVENTS];
    uint32_t cursor_number; /* That the program has. */
};

/** The lock is held. */
void tdm_share_tell(struct tandem_share *share, enum tandem_share_event_kind kind, unsigned scopes,
                    uint32_t seconds, const char *text);
/** Wakes the channel; the lock is not held. `arg` is the share. */
void tdm_share_wake(void *arg);
void tdm_share_hear(void *arg, const struct tdm_hand_event *event);

#endif
