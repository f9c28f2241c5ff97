/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_TOOLS_H
#define TDM_COLLAB_BOARD_TOOLS_H

/*
 * What the hand does on a board: pointer, wheel, keys, text and commands go in, edits of the
 * document (collab/board.h) and the state of the view come out. Pure: it knows no window, and what
 * needs fonts or painted shapes it asks through struct tdm_board_sight.
 *
 * A gesture writes into the document while it lasts, so that the other side sees it grow: points of
 * a stroke as they come, sizes and places at most once in TDM_BOARD_TOOLS_BEAT. One gesture is one
 * step of undo; Escape takes back a gesture that has not ended.
 *
 * Places of the window are pixels of its canvas as the user counts them (at scale 1); places of the
 * board are px here, and 1/16 px in the document.
 */

#include "collab/board.h"
#include "collab/board_canvas.h"
#include "collab/board_tools_keys.h"
#include "collab/board_wire.h"
#include "engine/base/err.h"
#include "engine/base/time.h"

#define TDM_BOARD_CHOSEN_MAX  16384
#define TDM_BOARD_TRAIL_MAX   256
#define TDM_BOARD_GUIDES_MAX  2
#define TDM_BOARD_NEAR_MAX    256 /* Objects that are snapped to. */
#define TDM_BOARD_COMPOSE_MAX 256
#define TDM_BOARD_TOOLS_BEAT  (16 * TDM_MS)
#define TDM_BOARD_LASER_LIFE  (1000 * TDM_MS)
#define TDM_BOARD_HANDLE_GAP  5.0 /* Pixels of the window between the selection and its handles. */
#define TDM_BOARD_GRID_STEP   20  /* px */

enum tdm_board_device {
    TDM_DEVICE_MOUSE,
    TDM_DEVICE_PEN,
    TDM_DEVICE_RUBBER, /* The other end of a pen. */
    TDM_DEVICE_TOUCH,
};

enum tdm_board_in_kind {
    TDM_BOARD_IN_TIME,    /* Only time has passed. */
    TDM_BOARD_IN_DOWN,    /* x, y, button, device, pressure, touch, mods, clicks */
    TDM_BOARD_IN_MOVE,    /* the same */
    TDM_BOARD_IN_UP,      /* the same */
    TDM_BOARD_IN_LEAVE,   /* The pointer is not over the canvas any more. */
    TDM_BOARD_IN_CANCEL,  /* The device took it back (palm, grab): as Escape. */
    TDM_BOARD_IN_WHEEL,   /* x, y, dx, dy in notches, mods */
    TDM_BOARD_IN_PINCH,   /* x, y, dx, dy in pixels, scale: since the last one */
    TDM_BOARD_IN_KEY,     /* key, mods; presses and repeats */
    TDM_BOARD_IN_TEXT,    /* text, size: typed, composed or pasted */
    TDM_BOARD_IN_COMPOSE, /* text, size: what an input method has not committed; none: nothing */
    TDM_BOARD_IN_COMMAND, /* command, value */
    TDM_BOARD_IN_RESIZE,  /* x, y: the canvas is so large */
    TDM_BOARD_IN_IMAGE,  /* hash, width, height in px; x, y in the window, or below 0: its middle */
    TDM_BOARD_IN_CLIP,   /* text, size: what tdm_board_tools_copy() wrote */
    TDM_BOARD_IN_VIEW,   /* area, page: what the other side sees, if we follow it */
    TDM_BOARD_IN_COPIED, /* What was asked for is on the clipboard: after a cut it goes. */
    TDM_BOARD_IN_REMOTE, /* The document was changed by somebody else. */
};

/** One input. Numbers may be anything; text is UTF-8, and repaired where it is not. */
struct tdm_board_in {
    enum tdm_board_in_kind kind;
    enum tdm_board_device device;
    double x, y, dx, dy, scale;
    uint16_t pressure; /* 0 to 65535; mice say 32768. */
    uint8_t button;    /* 1 left or tip, 2 middle, 3 right. */
    uint8_t clicks;    /* 2: a double click. */
    uint32_t touch;    /* Which finger. */
    uint32_t mods;     /* enum tdm_board_mods */
    uint32_t key;      /* enum tdm_board_key, or a small letter or sign */
    const char *text;
    size_t size;
    enum tdm_board_command command;
    uint32_t value;
    uint32_t width, height;
    uint8_t hash[32];
    struct tdm_board_area area;
    struct tdm_board_id page;
};

/** What a step asks of its caller. Bits. */
enum tdm_board_ask {
    TDM_BOARD_ASK_VIEW = 1 << 0,    /* The view moved, or the page is another: draw all. */
    TDM_BOARD_ASK_MARKS = 1 << 1,   /* Selection, band, guides, caret, laser: draw them. */
    TDM_BOARD_ASK_BARS = 1 << 2,    /* Tool, style, pages: draw the bars. */
    TDM_BOARD_ASK_EDITED = 1 << 3,  /* The document was: draw it, pass its operations on. */
    TDM_BOARD_ASK_LIVE = 1 << 4,    /* tdm_board_tools_live() says something else. */
    TDM_BOARD_ASK_COPY = 1 << 5,    /* Take tdm_board_tools_copy() to the clipboard. */
    TDM_BOARD_ASK_PASTE = 1 << 6,   /* Bring the clipboard as CLIP, IMAGE or TEXT. */
    TDM_BOARD_ASK_IMAGE = 1 << 7,   /* Let a file be chosen, bring it as IMAGE. */
    TDM_BOARD_ASK_COMMAND = 1 << 8, /* `command` is the window's. */
    TDM_BOARD_ASK_SAY = 1 << 9,     /* Show `say`. */
    TDM_BOARD_ASK_ROOM = 1 << 10,   /* The board had no room, and an edit was dropped. */
};

struct tdm_board_out {
    uint32_t asked; /* enum tdm_board_ask */
    enum tdm_board_command command;
    const char *say; /* A sentence for the user; static. */
    tdm_time wake_at;
};

enum tdm_board_text_move {
    TDM_BOARD_TEXT_LEFT, /* As the eye sees it. */
    TDM_BOARD_TEXT_RIGHT,
    TDM_BOARD_TEXT_UP,
    TDM_BOARD_TEXT_DOWN,
    TDM_BOARD_TEXT_LINE_START,
    TDM_BOARD_TEXT_LINE_END,
    TDM_BOARD_TEXT_WORD_LEFT,
    TDM_BOARD_TEXT_WORD_RIGHT,
    TDM_BOARD_TEXT_BACK, /* What Backspace and Delete take away. */
    TDM_BOARD_TEXT_FORWARD,
};

/** Unturned, px of the board. */
struct tdm_board_frame {
    double left, top, right, bottom;
};

/**
 * What the tools ask somebody who knows fonts and painted shapes (render/board_window_sight.c does,
 * with render/board_scene.h). Answers are about the page at hand and the document as it is in the
 * moment of the question, also within a step. None but `room` may
 * change anything.
 */
struct tdm_board_sight {
    void *arg;
    /** Another page is looked at. */
    void (*page)(void *arg, struct tdm_board_id page);
    /** The topmost object within `reach` px of a point. */
    bool (*hit)(void *arg, double x, double y, double reach, struct tdm_board_id *id);
    /** All that a segment touches. @return how many, up to `max`. */
    size_t (*crossed)(void *arg, const double from[2], const double to[2], double reach,
                      struct tdm_board_id *ids, size_t max);
    /** All that lie within a box; `touched`: or partly. */
    size_t (*within)(void *arg, const struct tdm_board_frame *box, bool touched,
                     struct tdm_board_id *ids, size_t max);
    /** What handles stand around: text as it is laid out, ink around its points. */
    bool (*frame)(void *arg, struct tdm_board_id id, struct tdm_board_frame *frame);
    /** Text; places relative to the object's frame, unturned; `at` in bytes. */
    uint32_t (*text_at)(void *arg, struct tdm_board_id id, double x, double y);
    uint32_t (*text_move)(void *arg, struct tdm_board_id id, uint32_t at,
                          enum tdm_board_text_move move, double x);
    double (*text_x)(void *arg, struct tdm_board_id id, uint32_t at);
    void (*text_word)(void *arg, struct tdm_board_id id, uint32_t at, uint32_t *from, uint32_t *to);
    /** The document said TDM_E_SPACE or TDM_E_AGAIN: give it blocks, take what is fresh. False:
     *  that is not possible, and the edit is dropped. */
    bool (*room)(void *arg);
};

/** What the next object gets. */
struct tdm_board_style {
    uint32_t colour, fill, note_fill, marker_colour; /* As the properties. */
    int32_t width, marker_width;                     /* 1/16 px */
    uint8_t dash, opacity, font, align;
    int32_t font_size, corner; /* 1/16 px */
};

/** Clockwise from the left upper corner; a line has its two ends instead. */
enum tdm_board_handle {
    TDM_BOARD_HANDLE_NONE,
    TDM_BOARD_HANDLE_NW,
    TDM_BOARD_HANDLE_N,
    TDM_BOARD_HANDLE_NE,
    TDM_BOARD_HANDLE_E,
    TDM_BOARD_HANDLE_SE,
    TDM_BOARD_HANDLE_S,
    TDM_BOARD_HANDLE_SW,
    TDM_BOARD_HANDLE_W,
    TDM_BOARD_HANDLE_TURN,
    TDM_BOARD_HANDLE_BEGIN,
    TDM_BOARD_HANDLE_END,
    TDM_BOARD_HANDLES
};

/** Around the selection: turned about its middle when it is one object, else upright. */
struct tdm_board_box {
    double x, y, w, h; /* px of the board; of a line: its begin and the way to its end. */
    double angle;      /* Radians, clockwise. */
    bool line;
};

enum tdm_board_gesture {
    TDM_BOARD_IDLE,
    TDM_BOARD_PANS,
    TDM_BOARD_DRAWS,  /* A stroke. */
    TDM_BOARD_SHAPES, /* Line, arrow, rectangle, ellipse, note, text of a width. */
    TDM_BOARD_ERASES,
    TDM_BOARD_BANDS, /* A rubber band. */
    TDM_BOARD_MOVES,
    TDM_BOARD_RESIZES,
    TDM_BOARD_TURNS,
    TDM_BOARD_POINTS,     /* The laser. */
    TDM_BOARD_MARKS_TEXT, /* Selects letters. */
};

struct tdm_board_trail {
    double x, y; /* px of the board */
    tdm_time at;
};

#define TDM_BOARD_FINGERS    2
#define TDM_BOARD_SEEN_MAX   32                   /* Pages whose view is remembered. */
#define TDM_BOARD_EDIT_BYTES ((size_t)256 * 1024) /* Longer texts are cut off for the caret. */
#define TDM_BOARD_WAIT_MAX   TDM_BOARD_INK_MAX

/** How an object stood when a gesture began. */
struct tdm_board_start {
    struct tdm_board_id id;
    struct tdm_board_frame frame;
    int32_t x, y, w, h, scale_x, scale_y, font_size;
    uint16_t angle;
};

/** Owner: the thread of the document. Callers read, and change by steps only. */
struct tdm_board_tools {
    struct tdm_board *board;
    struct tdm_board_sight sight;

    struct tdm_board_id page;
    struct tdm_board_canvas canvas;
    enum tdm_board_tool tool;
    bool tool_stays, snap;
    double grid;  /* The page's step, px; 0: it has none. */
    bool follows; /* Our view is the other side's. */
    bool leads;   /* We ask the other side to follow. */
    struct tdm_board_style style;

    uint32_t selected_count;
    struct tdm_board_id selected[TDM_BOARD_CHOSEN_MAX];
    bool has_box;
    struct tdm_board_box box;
    struct tdm_board_id hover;  /* What a click would select; none. */
    enum tdm_board_handle over; /* Which handle the pointer is over, */
    bool over_box;              /* or the selection. */

    /* The pointer. */
    bool inside;
    double at_x, at_y;     /* Window. */
    double here_x, here_y; /* Board, px. */
    uint32_t mods;

    /* The gesture under way. */
    enum tdm_board_gesture gesture;
    enum tdm_board_device device;
    uint8_t button;
    bool step_open;    /* Of undo, */
    uint32_t step_seq; /* after so many operations of ours. */
    bool moved;        /* Beyond a click. */
    bool dirty;        /* There is something to write at the next beat. */
    tdm_time begun_at, beat_at;
    double from_x, from_y;    /* Board, where it began. */
    double from_wx, from_wy;  /* Window. */
    double last_x, last_y;    /* Board, the point before. */
    struct tdm_board_id made; /* The object that it makes. */
    enum tdm_board_handle handle;
    struct tdm_board_box box_before;
    double move_x, move_y, scale_x, scale_y, turn; /* Since then. */
    bool handle_widens;          /* Text wraps at another width, and is not enlarged. */
    bool add;                    /* With shift: to the selection. */
    struct tdm_board_id pressed; /* What was under it when it began. */
    uint32_t start_count;
    struct tdm_board_start starts[TDM_BOARD_CHOSEN_MAX];
    struct tdm_board_frame band; /* Of BANDS. */
    uint32_t guide_count;
    struct tdm_board_frame guides[TDM_BOARD_GUIDES_MAX]; /* Lines that it snapped to. */
    uint32_t near_count;
    struct tdm_board_frame near[TDM_BOARD_NEAR_MAX];

    /* Ink that the document does not have yet. */
    uint32_t ink_count;
    struct tdm_board_point ink[TDM_BOARD_WAIT_MAX];
    tdm_time ink_at;  /* When the last point came, */
    tdm_time ink_put; /* and when some were written last. */
    uint32_t finger_count;
    uint32_t fingers[TDM_BOARD_FINGERS];
    double finger_x[TDM_BOARD_FINGERS], finger_y[TDM_BOARD_FINGERS];
    bool fingers_left; /* There were two: the last one draws nothing. */

    uint32_t laser_count;
    struct tdm_board_trail laser[TDM_BOARD_TRAIL_MAX];

    /* Text under the caret. */
    struct tdm_board_id editing;        /* None: no. */
    bool fresh_text;                    /* Made by this editing: goes when it stays empty. */
    struct tdm_board_caret caret, mark; /* The selection lies between them. */
    double wish_x;                      /* For up and down; NAN: where the caret is. */
    tdm_time typed_at;
    uint32_t compose_size;
    char compose[TDM_BOARD_COMPOSE_MAX];
    uint32_t text_size;
    char text[TDM_BOARD_EDIT_BYTES];

    bool cuts;            /* What is copied is to go. */
    uint32_t paste_count; /* How often the same was pasted: each a little farther. */
    uint16_t laser_stroke;

    uint32_t found_count;
    struct tdm_board_id found[TDM_BOARD_CHOSEN_MAX]; /* Of a question under way. */

    /* Where pages were looked at. */
    uint32_t seen_count;
    struct tdm_board_seen {
        struct tdm_board_id page;
        double x, y, zoom;
    } seen[TDM_BOARD_SEEN_MAX];

    /* Of the step under way: what it will say. */
    tdm_time now;
    uint32_t asked;
    enum tdm_board_command command;
    const char *say;
};

/** `board` and what `sight` names are borrowed until the tools are forgotten. */
void tdm_board_tools_init(struct tdm_board_tools *t, struct tdm_board *board,
                          const struct tdm_board_sight *sight);

void tdm_board_tools_step(struct tdm_board_tools *t, tdm_time now, const struct tdm_board_in *in,
                          struct tdm_board_out *out);

/** What the other side is shown of us, but for the name and the colour, which are left alone. */
void tdm_board_tools_live(const struct tdm_board_tools *t, struct tdm_board_live *live);

/**
 * The selection as bytes for the clipboard.
 *
 * @return its size; 0: nothing is selected, or it does not fit.
 */
size_t tdm_board_tools_copy(const struct tdm_board_tools *t, uint8_t *room, size_t max);
/** Likewise as plain text: that of its texts and notes, or the letters that are marked. */
size_t tdm_board_tools_copy_text(const struct tdm_board_tools *t, char *room, size_t max);

/** The style of the selection, or of what comes next: what bars show. */
void tdm_board_tools_style(const struct tdm_board_tools *t, struct tdm_board_style *style);
/** The text under the caret: both ends of what is marked, in bytes; `caret` is one of them. */
void tdm_board_tools_marked(const struct tdm_board_tools *t, uint32_t *from, uint32_t *to,
                            uint32_t *caret);
/** Where a handle of the selection stands, px of the board; false: the selection has none such. */
bool tdm_board_tools_handle(const struct tdm_board_tools *t, enum tdm_board_handle handle,
                            double *x, double *y);
/** Which page it is, from 0, and of how many. */
uint32_t tdm_board_tools_page(const struct tdm_board_tools *t, uint32_t *count);

#endif
