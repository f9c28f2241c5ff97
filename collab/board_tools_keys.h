/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_TOOLS_KEYS_H
#define TDM_COLLAB_BOARD_TOOLS_KEYS_H

/*
 * What can be ordered on a board, and by which keys: one table, from which keys are looked up and
 * help, menus and tips take their words.
 */

#include <stddef.h>
#include <stdint.h>

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
    TDM_BOARD_TOOL_IMAGE, /* Asks for a file. */
    TDM_BOARD_TOOL_LASER,
    TDM_BOARD_TOOLS
};

/** Those with a value say which. */
enum tdm_board_command {
    TDM_BOARD_DO_NOTHING,
    TDM_BOARD_DO_TOOL,      /* enum tdm_board_tool */
    TDM_BOARD_DO_TOOL_LOCK, /* The tool stays after it has made something. */
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
    TDM_BOARD_DO_LOCK, /* Locked objects are seen and not touched; again: unlocks. */
    TDM_BOARD_DO_UNLOCK_ALL,
    TDM_BOARD_DO_COLOUR,    /* As the property, of the selection and of what comes. */
    TDM_BOARD_DO_FILL,      /* As the property; 0: none */
    TDM_BOARD_DO_WIDTH,     /* 1/16 px */
    TDM_BOARD_DO_DASH,      /* As the property */
    TDM_BOARD_DO_OPACITY,   /* As the property */
    TDM_BOARD_DO_FONT,      /* As the property */
    TDM_BOARD_DO_FONT_SIZE, /* 1/16 px */
    TDM_BOARD_DO_FONT_LARGER,
    TDM_BOARD_DO_FONT_SMALLER,
    TDM_BOARD_DO_ALIGN,  /* As the property */
    TDM_BOARD_DO_CORNER, /* 1/16 px of radius */
    TDM_BOARD_DO_GRID,
    TDM_BOARD_DO_SNAP,
    TDM_BOARD_DO_PAGE_NEW,
    TDM_BOARD_DO_PAGE_NEXT,
    TDM_BOARD_DO_PAGE_PREVIOUS,
    TDM_BOARD_DO_PAGE_DELETE,
    TDM_BOARD_DO_PAGE, /* Which, from 0. */
    TDM_BOARD_DO_ZOOM_IN,
    TDM_BOARD_DO_ZOOM_OUT,
    TDM_BOARD_DO_ZOOM_WHOLE, /* 100 % */
    TDM_BOARD_DO_ZOOM_ALL,
    TDM_BOARD_DO_ZOOM_SELECTION,
    TDM_BOARD_DO_FOLLOW,    /* Our view is the other side's, until we move it. */
    TDM_BOARD_DO_FOLLOW_ME, /* The other side is asked to follow ours. */
    /* The window's; the tools hand them on. */
    TDM_BOARD_DO_HELP,
    TDM_BOARD_DO_THEME,
    TDM_BOARD_DO_FULL_SCREEN,
    TDM_BOARD_DO_EXPORT,
    TDM_BOARD_COMMANDS
};

enum tdm_board_mods {
    TDM_BOARD_SHIFT = 1,
    TDM_BOARD_CTRL = 2,
    TDM_BOARD_ALT = 4,
    TDM_BOARD_SPACE = 8, /* Held: the pointer pans. */
};

/** A key that makes a letter or sign is that sign, small; these make none. */
enum tdm_board_key {
    TDM_BOARD_KEY_BACKSPACE = 8,
    TDM_BOARD_KEY_TAB = 9,
    TDM_BOARD_KEY_ENTER = 13,
    TDM_BOARD_KEY_ESCAPE = 27,
    TDM_BOARD_KEY_DELETE = 127,
    TDM_BOARD_KEY_LEFT = 0x110000,
    TDM_BOARD_KEY_RIGHT,
    TDM_BOARD_KEY_UP,
    TDM_BOARD_KEY_DOWN,
    TDM_BOARD_KEY_HOME,
    TDM_BOARD_KEY_END,
    TDM_BOARD_KEY_PAGE_UP,
    TDM_BOARD_KEY_PAGE_DOWN,
    TDM_BOARD_KEY_F1,
    TDM_BOARD_KEY_F11,
};

struct tdm_board_shortcut {
    enum tdm_board_command command;
    uint32_t value;
    uint32_t key, mods;
    const char *keys; /* As shown; NULL: another way to the same, not shown. */
    const char *name; /* As shown: what it does. */
};

/** The command of a key; NULL: none. */
const struct tdm_board_shortcut *tdm_board_shortcut_of(uint32_t key, uint32_t mods);
/** All of them, tools first. */
const struct tdm_board_shortcut *tdm_board_shortcuts(size_t *count);
/** Of a command, with the value; NULL: none is shown. */
const struct tdm_board_shortcut *tdm_board_shortcut_for(enum tdm_board_command command,
                                                        uint32_t value);

#endif
