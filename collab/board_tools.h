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
 * step of undo; Escape takes a gesture back that has not ended.
 *
 * Points of the window are pixels of its canvas, as the pointer says them; points of the board are
 * 1/16 px, as in the document. The view says how one becomes the other.
 */

#include "collab/board.h"
#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_BOARD_TOOLS_SELECTED_MAX 4096
#define TDM_BOARD_TOOLS_LASER_MAX    128
#define TDM_BOARD_TOOLS_INK_MAX      64  /* Points of the stroke that the document does not have. */
#define TDM_BOARD_TOOLS_GUIDES_MAX   4
#define TDM_BOARD_TOOLS_TEXT_MAX     65536 /* Bytes that are pasted at once; more are cut off. */
#define TDM_BOARD_TOOLS_BEAT         (16 * TDM_MS)
#define TDM_BOARD_TOOLS_LASER_LIFE   (1200 * TDM_MS)
#define TDM_BOARD_ZOOM_MIN           0.05
#define TDM_BOARD_ZOOM_MAX           32.0

enum tdm_board_tool {
    TDM_BOARD_TOOL_SELECT,
    TDM_BOARD_TOOL_HAND, /* Pans. */
    TDM_BOARD_TOOL_PEN,
    TDM_BOARD_TOOL_MARKER,
    TDM_BOARD_TOOL_ERASER, /* Whole objects. */
    TDM_BOARD_TOOL_LINE,
    TDM_BOARD_TOOL_ARROW,
    TDM_BOARD_TOOL_RECTANGLE,
    TDM_BOARD_TOOL_ELLIPSE,
    TDM_BOARD_TOOL_TEXT,
    TDM_BOARD_TOOL_NOTE,
    TDM_BOARD_TOOL_IMAGE, /* Asks for a file: TDM_BOARD_ASK_IMAGE. */
    TDM_BOARD_TOOL_LASER,
    TDM_BOARD_TOOLS
};

/** What keys, buttons of the toolbar and callers may order. Those with a value say which. */
enum tdm_board_command {
    TDM_BOARD_DO_NOTHING,
    TDM_BOARD_DO_TOOL, /* value: enum tdm_board_tool */
    TDM_BOARD_DO_TOOL_LOCK,
    TDM_BOARD_DO_UNDO,
    TDM_BOARD_DO_REDO,
    TDM_BOARD_DO_CUT,
    TDM_BOARD_DO_COPY,
    TDM_BOARD_DO_PASTE,
    TDM_BOARD_DO_DUPLICATE,
    TDM_BOARD_DO_DELETE,
    TDM_BOARD_DO_SELECT_ALL,
    TDM_BOARD_DO_SELECT_NONE, /* Also takes a gesture back and ends the editing of text. */
    TDM_BOARD_DO_GROUP,
    TDM_BOARD_DO_UNGROUP,
    TDM_BOARD_DO_FORWARD,
    TDM_BOARD_DO_BACKWARD,
    TDM_BOARD_DO_FRONT,
    TDM_BOARD_DO_BACK,
    TDM_BOARD_DO_LOCK, /* Locked objects are seen and not touched. */
    TDM_BOARD_DO_UNLOCK_ALL,
    TDM_BOARD_DO_COLOUR,    /* value: 0xRRGGBBAA, of the selection and of what comes */
    TDM_BOARD_DO_FILL,      /* value: 0xRRGGBBAA; 0: none */
    TDM_BOARD_DO_WIDTH,     /* value: 1/16 px */
    TDM_BOARD_DO_DASH,      /* value: as the property */
    TDM_BOARD_DO_OPACITY,   /* value: 0 to 255 */
    TDM_BOARD_DO_FONT,      /* value: as the property */
    TDM_BOARD_DO_FONT_SIZE, /* value: 1/16 px */
    TDM_BOARD_DO_ALIGN,     /* value: as the property */
    TDM_BOARD_DO_CORNER,    /* value: 1/16 px, radius */
    TDM_BOARD_DO_GRID,
    TDM_BOARD_DO_SNAP,
    TDM_BOARD_DO_PAGE_NEW,
    TDM_BOARD_DO_PAGE_NEXT,
    TDM_BOARD_DO_PAGE_PREVIOUS,
    TDM_BOARD_DO_PAGE_DELETE,
    TDM_BOARD_DO_PAGE, /* value: which, from 0 */
    TDM_BOARD_DO_ZOOM_IN,
    TDM_BOARD_DO_ZOOM_OUT,
    TDM_BOARD_DO_ZOOM_WHOLE,     /* 100 % */
    TDM_BOARD_DO_ZOOM_ALL,       /* Everything on the page. */
    TDM_BOARD_DO_ZOOM_SELECTION, /* */
    TDM_BOARD_DO_FOLLOW,         /* We follow the other side's view, until we move ours. */
    TDM_BOARD_DO_FOLLOW_ME,      /* The other side is asked to follow ours. */
    TDM_BOARD_DO_HELP,           /* These are the window's: they come out as asked. */
    TDM_BOARD_DO_THEME,
    TDM_BOARD_DO_FULL_SCREEN,
    TDM_BOARD_DO_EXPORT,
    TDM_BOARD_COMMANDS
};

enum tdm_board_device { TDM_BOARD_MOUSE, TDM_BOARD_PEN, TDM_BOARD_PEN_ERASER, TDM_BOARD_TOUCH };

enum tdm_board_mods {
    TDM_BOARD_SHIFT = 1,
    TDM_BOARD_CTRL = 2,
    TDM_BOARD_ALT = 4,
    TDM_BOARD_SPACE = 8, /* Held: the pointer pans. */
};

/** Keys that no text makes. Letters come as their lower-case ASCII. */
enum tdm_board_key {
    TDM_BOARD_KEY_ESCAPE = 27,
    TDM_BOARD_KEY_ENTER = 13,
    TDM_BOARD_KEY_TAB = 9,
    TDM_BOARD_KEY_BACKSPACE = 8,
    TDM_BOARD_KEY_DELETE = 127,
    TDM_BOARD_KEY_LEFT = 256,
    TDM_BOARD_KEY_RIGHT,
    TDM_BOARD_KEY_UP,
    TDM_BOARD_KEY_DOWN,
    TDM_BOARD_KEY_HOME,
    TDM_BOARD_KEY_END,
    TDM_BOARD_KEY_PAGE_UP,
    TDM_BOARD_KEY_PAGE_DOWN,
    TDM_BOARD_KEY_F1,
};

enum tdm_board_in_kind {
    TDM_BOARD_IN_DOWN,   /* x, y, button, device, pressure, touch, mods, clicks */
    TDM_BOARD_IN_MOVE,   /* the same */
    TDM_BOARD_IN_UP,     /* the same */
    TDM_BOARD_IN_LEAVE,  /* The pointer is not over the canvas any more. */
    TDM_BOARD_IN_CANCEL, /* The device took it back (palm, grab): as Escape. */
    TDM_BOARD_IN_WHEEL,  /* x, y, dx, dy in notches, mods */
    TDM_BOARD_IN_PINCH,  /* x, y, dx, dy in pixels, scale: since the last one */
    TDM_BOARD_IN_KEY,    /* key, mods; only presses and repeats */
    TDM_BOARD_IN_TEXT,   /* text, size: typed, composed or pasted */
    TDM_BOARD_IN_COMPOSE, /* text, size: what an input method has not committed; empty: nothing */
    TDM_BOARD_IN_COMMAND, /* command, value */
    TDM_BOARD_IN_RESIZE,  /* x, y: the canvas is so large */
    TDM_BOARD_IN_IMAGE,   /* hash, x, y in the window (below 0: the middle), width, height in px */
    TDM_BOARD_IN_CLIP,    /* text, size: objects as tdm_board_tools_clip() wrote them */
    TDM_BOARD_IN_VIEW,    /* area: what the other side sees, if we follow it; page */
};

struct tdm_board_in {
    enum tdm_board_in_kind kind;
    enum tdm_board_device device;
    double x, y, dx, dy, scale;
    uint16_t pressure; /* 0 to 65535; mice say 32768. */
    uint8_t button;    /* 1 left or tip, 2 middle, 3 right. */
    uint8_t clicks;    /* 2: a double click. */
    uint32_t touch;    /* Which finger. */
    uint32_t mods;     /* enum tdm_board_mods */
    uint32_t key;
    const char *text; /* UTF-8; broken text is repaired. */
    size_t size;
    enum tdm_board_command command;
    uint32_t value;
    uint8_t hash[32];
    uint32_t width, height;
};

/** What a step asks of the window. Bits. */
enum tdm_board_ask {
    TDM_BOARD_ASK_VIEW = 1 << 0,  /* The view moved, or the page is another: draw all. */
    TDM_BOARD_ASK_MARKS = 1 << 1, /* Selection, handles, band, guides, caret, laser: draw them. */
    TDM_BOARD_ASK_BARS = 1 << 2,  /* Tool, colours, pages: draw the bars. */
    TDM_BOARD_ASK_EDITED = 1 << 3, /* The document was: pass its new operations on. */
    TDM_BOARD_ASK_LIVE = 1 << 4,   /* tdm_board_tools_live() is another. */
    TDM_BOARD_ASK_COPY = 1 << 5,   /* Take tdm_board_tools_clip() to the clipboard. */
    TDM_BOARD_ASK_PASTE = 1 << 6,  /* Bring the clipboard as CLIP, IMAGE or TEXT. */
    TDM_BOARD_ASK_IMAGE = 1 << 7,  /* Let a file be chosen, bring it as IMAGE. */
    TDM_BOARD_ASK_COMMAND = 1 << 8, /* `command` is the window's. */
    TDM_BOARD_ASK_SAY = 1 << 9,     /* Show `say`. */
    TDM_BOARD_ASK_ROOM = 1 << 10,   /* The board had no room and the edit was dropped. */
};

struct tdm_board_out {
    uint32_t asked; /* enum tdm_board_ask */
    enum tdm_board_command command;
    const char *say; /* A sentence for the user; static. */
    tdm_time wake_at;
};

/** A rectangle of the board, 1/16 px. */
struct tdm_board_area {
    int32_t x, y, w, h;
};

/**
 * What the tools must ask somebody who knows fonts and painted shapes (render/board_paint.h).
 * Every function may be called in any step; none may change the document but `room`.
 */
struct tdm_board_sight {
    void *arg;
    /** The topmost object of the page within `reach` of the point; false: none. */
    bool (*at)(void *arg, struct tdm_board_id page, int32_t x, int32_t y, int32_t reach,
               struct tdm_board_id *id);
    /** Of the object as painted, turned and with the width of its lines. */
    bool (*bounds)(void *arg, struct tdm_board_id id, struct tdm_board_area *area);
    /** How large the text of an object wants to be; in its own, unturned, coordinates. */
    void (*text_size)(void *arg, struct tdm_board_id id, int32_t *w, int32_t *h);
    /** The caret before byte `at`: in the object's own coordinates. */
    void (*caret)(void *arg, struct tdm_board_id id, uint32_t at, struct tdm_board_area *area);
    /** The byte before which a caret nearest to the point stands. */
    uint32_t (*caret_at)(void *arg, struct tdm_board_id id, int32_t x, int32_t y);
    /** More room for the document; false: there is none, and the edit is dropped. */
    bool (*room)(void *arg);
};

/** Board = (window - offset) / zoom, in px. */
struct tdm_board_view {
    double x, y;          /* Of the window's left upper corner, px of the board. */
    double zoom;          /* Pixels of the window for one of the board. */
    double width, height; /* Of the canvas, pixels of the window. */
};

/** What the next object gets. */
struct tdm_board_style {
    uint32_t colour, fill; /* 0xRRGGBBAA */
    uint32_t note_colour, marker_colour;
    int32_t width, marker_width; /* 1/16 px */
    uint8_t dash, opacity, font, align;
    int32_t font_size, corner;
};

/** A handle of the selection: the box's corners and sides clockwise from the left upper corner, or
 *  the ends of a line. */
enum tdm_board_handle {
    TDM_BOARD_HANDLE_NONE = -1,
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

/** The selection's box, turned by `angle` (1/65536 turns) around its middle when it is one object. */
struct tdm_board_box {
    double x, y, w, h; /* px of the board */
    uint16_t angle;
    bool line; /* One line or arrow: it has ends in place of sides. */
};

enum tdm_board_gesture {
    TDM_BOARD_IDLE,
    TDM_BOARD_PANS,
    TDM_BOARD_DRAWS,   /* A stroke. */
    TDM_BOARD_SHAPES,  /* Line, arrow, rectangle, ellipse, note. */
    TDM_BOARD_ERASES,
    TDM_BOARD_BANDS,   /* A rubber band. */
    TDM_BOARD_MOVES,
    TDM_BOARD_RESIZES,
    TDM_BOARD_TURNS,
    TDM_BOARD_POINTS,  /* The laser. */
    TDM_BOARD_MARKS_TEXT,
    TDM_BOARD_PINCHES,
};

struct tdm_board_trail {
    int32_t x, y;
    tdm_time at;
};

/** What we show the other side of ourselves, never kept. */
struct tdm_board_tools_live {
    struct tdm_board_id page;
    bool inside; /* The pointer is over the canvas, at x, y. */
    int32_t x, y;
    uint8_t tool;
    bool laser;       /* It shines. */
    bool follow_me;
    struct tdm_board_area view;
    uint32_t selected_count; /* The first of them. */
    struct tdm_board_id selected[16];
    struct tdm_board_id editing; /* The text under the caret; 0: none. */
    uint32_t caret;
};

#endif
