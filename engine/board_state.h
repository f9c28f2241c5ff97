/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_STATE_H
#define TDM_ENGINE_BOARD_STATE_H

/*
 * The inside of engine/board.h, shared by its files: board_run.c (the thread and what it moves),
 * board_open.c (which document is open, and who may draw on it), board_pane.c (the window),
 * board_api.c and board_events.c (the program's side).
 */

#include "collab/board_door.h"
#include "collab/board_link.h"
#include "engine/base/histogram.h"
#include "engine/board.h"
#include "engine/board_doc.h"
#include "engine/board_image_link.h"
#include "engine/board_people.h"
#include "engine/board_seat.h"

#define TDM_BOARD_EVENTS 256

struct tdm_board_window;

enum tdm_board_order {
    TDM_BOARD_ORDER_INVITE = 1 << 0,
    TDM_BOARD_ORDER_LEAVE = 1 << 1,
    TDM_BOARD_ORDER_WINDOW = 1 << 2,       /* Open one, or */
    TDM_BOARD_ORDER_CLOSE_WINDOW = 1 << 3, /* close it. */
};

/*
 * `lock` guards all of it but the seat, which has its own, and the events. The thread holds it
 * while it works and frees it while it waits; who asks something of it from outside does it within
 * the lock and wakes the thread, which sends and paints.
 */
struct tandem_board {
    pthread_mutex_t lock;
    pthread_cond_t done; /* The thread has followed orders. */
    pthread_t thread;
    bool running, stopping;
    int wake;

    char *file, *folder, *name;
    bool read_only;
    int64_t at_ms;

    struct tdm_board_seat seat;
    bool seated;                 /* A call has named it. */
    char peer[256];              /* "sip:..." of whom the call is with, */
    char who[TDM_BOARD_WHO_MAX]; /* "user@host", */
    bool peer_known;             /* and its certificate, */
    uint8_t print[TDM_FINGERPRINT_BYTES];
    struct tdm_board_door door;
    uint32_t orders;

    struct tdm_board_doc *doc; /* NULL: none is open. */
    struct tdm_board_doc_found found;
    char path[TDM_BOARD_PATH_MAX]; /* "" in memory. */
    void *link_storage;
    struct tdm_board_link *link; /* In it, as long as a document is open. */
    bool linked;                 /* Joined, and the channel stands. */
    bool failed;                 /* The link is broken for this time. */
    uint64_t link_pulled;        /* Bytes of its stream that the seat has. */
    size_t fresh_put;            /* Of what is fresh in the document, given to the link. */
    bool disk_trouble;           /* It was told that the disk does not take what is drawn. */
    uint64_t told_mark;          /* Changes up to there were told. */
    struct tdm_share_bytes now[TDM_BOARD_LANES];
    struct tdm_board_image_link images;
    bool more_images;                         /* Are missing than `images` asks for at a time: */
    const struct tdm_board_object *images_at; /* up to this object all were asked for. */
    struct tdm_board_live live, their_live;
    bool live_changed, they_are_live;

    struct tdm_board_window *window;
    char *title;
    struct tdm_cause window_cause;
    enum tdm_err window_err;
    tdm_time window_wake, doc_wake;
    bool dirty; /* The window has to look at the document. */
    tdm_time arrived_at;
    struct tdm_histogram paint;

    pthread_mutex_t event_lock; /* Of these. */
    int event_fd;
    uint32_t event_first, event_count;
    bool event_lost;
    struct tandem_board_event events[TDM_BOARD_EVENTS];
};

/* board_run.c: `lock` is held for all of these. */
void tdm_board_wake(struct tandem_board *board);
/** What edits have made goes to the other side and to the journal. */
void tdm_board_send_fresh(struct tandem_board *board);
/** For tdm_board_doc_watch; `arg` is the board. */
void tdm_board_fresh_goes(void *arg);
/** Objects that changed since the last call are told. */
void tdm_board_tell_changes(struct tandem_board *board, bool theirs);
/** For struct tdm_board_desk: `arg` is the board. */
bool tdm_board_relieve(void *arg, enum tdm_err err);

/* board_open.c: likewise. */
enum tdm_err tdm_board_open_document(struct tandem_board *board, const char *path,
                                     struct tdm_cause *cause);
void tdm_board_close_document(struct tandem_board *board);
/** A step of the door, and what it wants done. @return bytes that it consumed. */
size_t tdm_board_at_door(struct tandem_board *board, const struct tdm_door_in *in);
/** Orders of the program. */
void tdm_board_follow_orders(struct tandem_board *board);

/* board_pane.c: the window, if there is one; on the thread. */
void tdm_board_pane_open(struct tandem_board *board);
void tdm_board_pane_close(struct tandem_board *board);
/** What the disk has. */
void tdm_board_pane_kept(struct tandem_board *board);
/** The document is being closed; the window comes again with the next one. */
void tdm_board_pane_gone(struct tandem_board *board);
/** Takes what its user did, paints what changed. */
void tdm_board_pane_step(struct tandem_board *board, tdm_time now);
/** The other side's hand, from their_live; none when they are not live. */
void tdm_board_pane_show(struct tandem_board *board, tdm_time now);
/** Whether the other side is there. */
void tdm_board_pane_peer(struct tandem_board *board);
/** Readable: step; -1: there is no window. */
int tdm_board_pane_fd(const struct tandem_board *board);
/** An image came. */
void tdm_board_pane_image(struct tandem_board *board, const uint8_t hash[TDM_BOARD_HASH_BYTES]);

/* board_api.c: `lock` is held. */
/** What needs an open document: TDM_E_AGAIN. */
enum tdm_err tdm_board_with_document(struct tandem_board *board, struct tdm_cause *cause);
/** And one that may be drawn on: TDM_E_DENIED, too. */
enum tdm_err tdm_board_to_draw(struct tandem_board *board, struct tdm_cause *cause);

/* board_api_request.c: likewise, and a document is open. */
enum tdm_err tdm_board_merge_file(struct tandem_board *board, const char *path,
                                  struct tdm_cause *cause);
enum tdm_err tdm_board_compact_document(struct tandem_board *board, struct tdm_cause *cause);

/* board_events.c: any thread. */
void tdm_board_tell(struct tandem_board *board, enum tandem_board_event_kind kind,
                    const char *text);
void tdm_board_tell_event(struct tandem_board *board, const struct tandem_board_event *event);

#endif
