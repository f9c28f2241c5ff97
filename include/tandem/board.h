/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_BOARD_H
#define TANDEM_BOARD_H

/*
 * A board that two people draw on, each on a copy of its own: in a call over its data channel, and
 * without one, when what both did is merged as soon as they meet again. Every stroke is in a
 * journal on disk before long, so that neither a crash nor a lost connection loses work.
 * docs/board-use.md says how it is used, docs/board.md how it works.
 *
 * One `struct tandem_board` is one place for a board: a file, or that of the contact with whom the
 * call is, which is there again in the next call.
 *
 *     struct tandem_board *board;
 *     tandem_board_create(&(struct tandem_board_config){.folder = "boards"}, &board, &cause);
 *     tandem_board_invite(board);
 *     media.channel = true;
 *     media.board = board;
 *     tandem_dial(t, "10.0.0.7", &media, &call, &cause);
 *     tandem_board_request(board, "{\"do\": \"add\", \"type\": \"rectangle\", \"x\": 10, ...}",
 *                          &answer, &cause);
 *     ... poll tandem_board_event_fd, tandem_board_next_event ...
 *
 * Threads: each function may be called from any one, also while another runs, but for
 * tandem_board_destroy; none waits for the other side. Those that read or write files (create,
 * export, import, merge, compact, travel, and their requests) wait for the disk, in which time
 * what is drawn waits, too: not from a thread that must not. Strings are UTF-8, copied when they
 * are given, and the caller's when they are returned (tandem_free); a cause may be NULL and says in
 * one sentence what is wrong whenever the status is not TANDEM_OK. A board in a call must outlive
 * it.
 */

#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tandem_board_config {
    const char *file;   /* The board; made when it is not there. NULL: the contact's, out of */
    const char *folder; /* this folder, which exists; each lies there under the fingerprint of its
                           contact's certificate. NULL, too: kept in memory alone, and lost. */
    const char *name;   /* What stands beside our cursor there. [the contact's, as called] */
    bool read_only;     /* A file is looked at, neither locked nor written. */
    int64_t at_ms;      /* With read_only: as it was at that Unix time; 0: as it is. */
};

/** Opens the file, if one is named: TANDEM_INVALID when another program has it open, TANDEM_FAILED
 *  when it cannot be read. A broken one is opened as far as it is good; a NOTICE says what is lost.
 *  `config` NULL: all defaults. *board is set on TANDEM_OK alone. */
TANDEM_API enum tandem_status tandem_board_create(const struct tandem_board_config *config,
                                                  struct tandem_board **board,
                                                  struct tandem_cause *cause);

/** After every call that named it has ended and was released, and no other thread is in a function
 *  with it. All is on disk then; a window is closed. NULL is no board, and left alone. */
TANDEM_API void tandem_board_destroy(struct tandem_board *board);

/* With somebody. */

/** Asks whom the call is with, now or as soon as there is one, to draw on it together: JOINED or
 *  REFUSED follows. The call needs a data channel (tandem_set_channel). It holds until the call
 * ends or somebody leaves, also over a connection that breaks and comes again. */
TANDEM_API void tandem_board_invite(struct tandem_board *board);

/** Answers TANDEM_BOARD_ASKED. `always`: this contact, known by its certificate, need not ask again
 *  (a yes), or is not even heard (a no); kept in the folder. TANDEM_INVALID: nobody asks. */
TANDEM_API enum tandem_status tandem_board_answer(struct tandem_board *board, bool yes, bool always,
                                                  struct tandem_cause *cause);

/** Ends it with the other side, or takes the invitation back: LEFT follows when both had joined.
 * The board stays open here. */
TANDEM_API void tandem_board_leave(struct tandem_board *board);

/** Opens the board of a contact out of the folder before there is a call: `who` as it was called
 *  when it was last drawn on together. TANDEM_INVALID: there is none yet. */
TANDEM_API enum tandem_status tandem_board_open_contact(struct tandem_board *board, const char *who,
                                                        struct tandem_cause *cause);

/** A window of the engine's own, with tools, until it is closed; TANDEM_BOARD_CLOSED when the user
 *  closes it. Before a board is open it appears with it. TANDEM_FAILED without a display. `title`
 *  NULL: "Board". */
TANDEM_API enum tandem_status
tandem_board_open_window(struct tandem_board *board, const char *title, struct tandem_cause *cause);
/** The board stays open, and joined. Without a window nothing happens. */
TANDEM_API void tandem_board_close_window(struct tandem_board *board);

/* By a program: the same requests that `tandem board --json` takes, a line each. */

/**
 * Does one request, an object like {"do": "add", "type": "note", "x": 10, "y": 20, "text": "hi"};
 * docs/board-json.md lists them. It is done whole or not at all, and at once; the other side has it
 * a moment later.
 *
 * @param answer  An object, {"ok": true, ...} or {"ok": false, "why": "..."}, to be freed with
 *                tandem_free; may be NULL.
 *
 * TANDEM_INVALID: no such request, or it names what is not there; the cause says which.
 * TANDEM_AGAIN: no board is open yet.
 */
TANDEM_API enum tandem_status tandem_board_request(struct tandem_board *board, const char *request,
                                                   char **answer, struct tandem_cause *cause);

enum tandem_board_event_kind {
    TANDEM_BOARD_ASKED,   /* text = who wants to draw together; tandem_board_answer. */
    TANDEM_BOARD_OPENED,  /* A board is open; text = its file, "" in memory. */
    TANDEM_BOARD_JOINED,  /* The other side's copy and ours are being merged, and stay so. */
    TANDEM_BOARD_SYNCED,  /* Both have all that the other had when they met. */
    TANDEM_BOARD_LEFT,    /* No longer: text = why. Drawing goes on here. */
    TANDEM_BOARD_REFUSED, /* By the other side: text = why. */
    TANDEM_BOARD_CHANGED, /* object = what: look it up. "": too much to say, list all again. */
    TANDEM_BOARD_CURSOR,  /* The other side's pointer is at x, y of the page; text = its name;
                             object = its page; on: it is there at all. */
    TANDEM_BOARD_LASER,   /* Likewise its laser pointer. */
    TANDEM_BOARD_VIEW,    /* It looks at x, y, width, height of the page `object`. */
    TANDEM_BOARD_NOTICE,  /* text = something to know. */
    TANDEM_BOARD_CLOSED,  /* The user closed the window. */
};

struct tandem_board_event {
    enum tandem_board_event_kind kind;
    bool on;
    bool theirs;     /* CHANGED: by the other side. */
    char object[24]; /* "1a2b3c4d.17" */
    double x, y;     /* Pixels of the page, */
    double width, height;
    char text[512];
};

/** Readable when there may be events: poll it, and take all of them. It belongs to the board. */
TANDEM_API int tandem_board_event_fd(struct tandem_board *board);
/** Takes the oldest event; TANDEM_AGAIN when there is none. Of a program that takes none for long
 *  CHANGED, CURSOR, LASER and VIEW are left out, and one CHANGED of everything stands for them. */
TANDEM_API enum tandem_status tandem_board_next_event(struct tandem_board *board,
                                                      struct tandem_board_event *event);

struct tandem_board_stats {
    bool open, linked, window;
    char peer[256];  /* With whom; "" = nobody. */
    char file[512];  /* "" = in memory. */
    char digest[65]; /* Of all that is in it: the same at both sides when they have the same. */
    uint32_t pages, objects, actors;
    uint64_t operations;                 /* Of both, since it was made. */
    uint64_t bytes_sent, bytes_received; /* Of this link: operations, live values, pictures. */
    uint64_t waiting_bytes;              /* Of operations that the other side has not confirmed. */
    struct tandem_distribution paint_ms; /* From bytes of the other side to pixels here. */
};

/** Always TANDEM_OK. The digest goes over everything: not for each frame. */
TANDEM_API enum tandem_status tandem_board_stats(struct tandem_board *board,
                                                 struct tandem_board_stats *stats);

/* Files. */

/** Writes a page (0: the first), or with -1 all of them (pdf, excalidraw), by the ending of `path`:
 *  .png, .svg, .pdf, .excalidraw. TANDEM_UNSUPPORTED for another one. TANDEM_AGAIN: no board is
 * open yet; so for all of these. */
TANDEM_API enum tandem_status tandem_board_export(struct tandem_board *board, const char *path,
                                                  int page, struct tandem_cause *cause);

/** Adds what is in a file, by its ending: .excalidraw, .svg, .pdf (a page each), .png, .jpg, .webp.
 *  What of it is not understood is left out, and a NOTICE says so. */
TANDEM_API enum tandem_status tandem_board_import(struct tandem_board *board, const char *path,
                                                  struct tandem_cause *cause);

/** Adds what another board's file has, as if its authors had met. */
TANDEM_API enum tandem_status tandem_board_merge(struct tandem_board *board, const char *path,
                                                 struct tandem_cause *cause);

/** Gives up the history: the file holds what stands now and can no longer be seen as it was before,
 *  and images that nothing shows are gone, also for an undo. TANDEM_INVALID: it is in no file.
 *  Without it a file grows with what is drawn; docs/board.md says how much. */
TANDEM_API enum tandem_status tandem_board_compact(struct tandem_board *board,
                                                   struct tandem_cause *cause);

/** With read_only: shows it as it was at that Unix time, earlier or later; 0: as it is. Objects and
 *  pages are to be listed again. TANDEM_INVALID: not opened so. */
TANDEM_API enum tandem_status tandem_board_travel(struct tandem_board *board, int64_t at_ms,
                                                  struct tandem_cause *cause);

/** When work was done on it: the first and the last operation's Unix time; false: none was. */
TANDEM_API bool tandem_board_times(struct tandem_board *board, int64_t *first_ms, int64_t *last_ms);

#ifdef __cplusplus
}
#endif

#endif
