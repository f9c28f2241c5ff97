/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_WINDOW_H
#define TDM_RENDER_BOARD_WINDOW_H

/*
 * The window of one board. It has no thread: the document's own thread creates it, waits for
 * tdm_board_window_fd() beside its other descriptors, steps it, and takes what happened in it as
 * values. In a step the user's input becomes edits of the document (collab/board_tools.h), what
 * has changed in the document by anybody's hand is painted (render/board_paint.h), and no more
 * than that is presented.
 *
 * It has an X connection of its own, so that any number of boards, the window of the call and that
 * of a shared screen live in one process (docs/decisions/033-board-window-on-x.md).
 */

#include "collab/board_tools.h"
#include "render/board_camera.h"
#include "render/board_scene.h"

/** How things stand with the other side, shown at the top. */
enum tdm_board_window_peer {
    TDM_BOARD_PEER_NONE, /* A board by itself. */
    TDM_BOARD_PEER_AWAY, /* "Paul is offline: your work is kept". */
    TDM_BOARD_PEER_JOINING,
    TDM_BOARD_PEER_HERE,
};

struct tdm_board_window_config {
    const char *display; /* NULL: as DISPLAY says. */
    const char *title;
    const char *peer; /* The other side's name; NULL: a board by itself. */
    enum tdm_board_theme theme;
    double scale;            /* Of the display; 0: as its resources say (Xft.dpi). */
    int width, height;       /* Pixels at scale 1; 0: 1280 x 800. */
    struct tdm_board *board; /* Borrowed until destroy. */
    /** The document said TDM_E_SPACE or TDM_E_AGAIN in a step: give it a block, take what is fresh.
     *  False: not possible, and the edit is dropped. Holds no lock that the window would need. */
    bool (*room)(void *arg);
    void *arg;
};

enum tdm_board_window_event_kind {
    TDM_BOARD_WINDOW_CLOSED,  /* By its user, or with the display: destroy it. */
    TDM_BOARD_WINDOW_EDITED,  /* The document has new operations of ours. */
    TDM_BOARD_WINDOW_LIVE,    /* live: to the other side; the newest replaces older ones. */
    TDM_BOARD_WINDOW_IMAGE,   /* data, size: an image was pasted or dropped. Store it, and call
                                 tdm_board_window_place() with x, y. Or a drawing (SVG,
                                 .excalidraw): page, board_x, board_y. */
    TDM_BOARD_WINDOW_FILE,    /* text: a path that was dropped or chosen, to be read; x, y; page,
                                 board_x, board_y: the same place on the board, 1/16 px. */
    TDM_BOARD_WINDOW_WANT,    /* hash: an image is to be seen: tdm_board_window_picture(), when it
                                 is here; asked once. */
    TDM_BOARD_WINDOW_EXPORT,  /* text: the path of a file to be written, whose name's ending says
                                 what; page. */
    TDM_BOARD_WINDOW_NO_ROOM, /* `room` gave none and an edit was dropped. */
};

/** Pointers borrow until the next call that is given the window. */
struct tdm_board_window_event {
    enum tdm_board_window_event_kind kind;
    struct tdm_board_live live;
    const uint8_t *data;
    size_t size;
    const char *text;
    uint8_t hash[TDM_BOARD_HASH_BYTES];
    double x, y; /* In the canvas. */
    struct tdm_board_id page;
    int32_t board_x, board_y;
};

struct tdm_board_window;

/** TDM_E_GONE without a display. All functions: on the document's thread. */
enum tdm_err tdm_board_window_create(struct tdm_board_window **window,
                                     const struct tdm_board_window_config *config, tdm_time now,
                                     struct tdm_cause *cause);
void tdm_board_window_destroy(struct tdm_board_window *window);

/** Readable: step it. Step it also once at the time that the last step returned, and after
 *  anybody else has changed the document. */
int tdm_board_window_fd(const struct tdm_board_window *window);

/** Takes input, edits, paints. Returns when it wants to be stepped if nothing happens. */
tdm_time tdm_board_window_step(struct tdm_board_window *window, tdm_time now);

/** What has happened, oldest first; false: nothing more. */
bool tdm_board_window_take(struct tdm_board_window *window, struct tdm_board_window_event *event);

/** The other side's live values; drawn with its name by the next step. NULL: it is not there. */
void tdm_board_window_show(struct tdm_board_window *window, tdm_time now,
                           const struct tdm_board_live *live);

/** Who is here, at the top. `name` NULL: as before. */
void tdm_board_window_peer(struct tdm_board_window *window, enum tdm_board_window_peer peer,
                           const char *name);

/** A notice that goes by itself. */
void tdm_board_window_say(struct tdm_board_window *window, tdm_time now, const char *text);

/** Puts an image on the page, its middle at x, y of the canvas (below 0: the canvas' middle). */
void tdm_board_window_place(struct tdm_board_window *window, tdm_time now,
                            const uint8_t hash[TDM_BOARD_HASH_BYTES], uint32_t width,
                            uint32_t height, double x, double y);

/** The pixels of an image, decoded; copied. */
void tdm_board_window_picture(struct tdm_board_window *window,
                              const struct tdm_board_picture *picture);

/** As if the user had done it: commands of the control interface, tests. */
void tdm_board_window_order(struct tdm_board_window *window, tdm_time now,
                            enum tdm_board_command command, uint32_t value);

#endif
