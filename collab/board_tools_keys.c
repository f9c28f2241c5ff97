/* SPDX-License-Identifier: MIT */
#include "collab/board_tools_keys.h"

#define SHIFT TDM_BOARD_SHIFT
#define CTRL  TDM_BOARD_CTRL
#define ALT   TDM_BOARD_ALT

#define TOOL(name, key, keys, words)                                                               \
    {                                                                                              \
        TDM_BOARD_DO_TOOL, TDM_BOARD_TOOL_##name, key, 0, keys, words                              \
    }
#define DO(name, key, mods, keys, words)                                                           \
    {                                                                                              \
        TDM_BOARD_DO_##name, 0, key, mods, keys, words                                             \
    }

/* Where Excalidraw has a key for the same, it is the same key. */
static const struct tdm_board_shortcut table[] = {
    TOOL(SELECT, 'v', "V or 1", "Select"),
    TOOL(SELECT, '1', NULL, "Select"),
    TOOL(HAND, 'h', "H", "Move the page"),
    TOOL(RECTANGLE, 'r', "R or 2", "Rectangle"),
    TOOL(RECTANGLE, '2', NULL, "Rectangle"),
    TOOL(ELLIPSE, 'o', "O or 4", "Ellipse"),
    TOOL(ELLIPSE, '4', NULL, "Ellipse"),
    TOOL(ARROW, 'a', "A or 5", "Arrow"),
    TOOL(ARROW, '5', NULL, "Arrow"),
    TOOL(LINE, 'l', "L or 6", "Line"),
    TOOL(LINE, '6', NULL, "Line"),
    TOOL(PEN, 'p', "P or 7", "Pen"),
    TOOL(PEN, '7', NULL, "Pen"),
    TOOL(PEN, 'x', NULL, "Pen"),
    TOOL(MARKER, 'm', "M", "Marker"),
    TOOL(TEXT, 't', "T or 8", "Text"),
    TOOL(TEXT, '8', NULL, "Text"),
    TOOL(IMAGE, '9', "9", "Image"),
    TOOL(NOTE, 'n', "N or 3", "Sticky note"),
    TOOL(NOTE, '3', NULL, "Sticky note"),
    TOOL(ERASER, 'e', "E or 0", "Eraser"),
    TOOL(ERASER, '0', NULL, "Eraser"),
    TOOL(LASER, 'k', "K", "Laser pointer"),
    DO(TOOL_LOCK, 'q', 0, "Q", "Keep the tool"),

    DO(UNDO, 'z', CTRL, "Ctrl Z", "Undo"),
    DO(REDO, 'z', CTRL | SHIFT, "Ctrl Shift Z", "Redo"),
    DO(REDO, 'y', CTRL, NULL, "Redo"),
    DO(CUT, 'x', CTRL, "Ctrl X", "Cut"),
    DO(COPY, 'c', CTRL, "Ctrl C", "Copy"),
    DO(PASTE, 'v', CTRL, "Ctrl V", "Paste"),
    DO(DUPLICATE, 'd', CTRL, "Ctrl D", "Duplicate"),
    DO(DELETE, TDM_BOARD_KEY_DELETE, 0, "Delete", "Delete"),
    DO(DELETE, TDM_BOARD_KEY_BACKSPACE, 0, NULL, "Delete"),
    DO(SELECT_ALL, 'a', CTRL, "Ctrl A", "Select all"),
    DO(SELECT_NONE, TDM_BOARD_KEY_ESCAPE, 0, "Esc", "Select nothing, end"),
    DO(GROUP, 'g', CTRL, "Ctrl G", "Group"),
    DO(UNGROUP, 'g', CTRL | SHIFT, "Ctrl Shift G", "Ungroup"),
    DO(FORWARD, ']', CTRL, "Ctrl ]", "Forward"),
    DO(BACKWARD, '[', CTRL, "Ctrl [", "Backward"),
    DO(FRONT, ']', CTRL | SHIFT, "Ctrl Shift ]", "To the front"),
    DO(FRONT, '}', CTRL | SHIFT, NULL, "To the front"),
    DO(BACK, '[', CTRL | SHIFT, "Ctrl Shift [", "To the back"),
    DO(BACK, '{', CTRL | SHIFT, NULL, "To the back"),
    DO(LOCK, 'l', CTRL | SHIFT, "Ctrl Shift L", "Lock"),
    DO(UNLOCK_ALL, 'l', CTRL | SHIFT | ALT, "Ctrl Alt Shift L", "Unlock all"),
    DO(FONT_LARGER, '.', CTRL | SHIFT, "Ctrl Shift >", "Larger text"),
    DO(FONT_LARGER, '>', CTRL | SHIFT, NULL, "Larger text"),
    DO(FONT_SMALLER, ',', CTRL | SHIFT, "Ctrl Shift <", "Smaller text"),
    DO(FONT_SMALLER, '<', CTRL | SHIFT, NULL, "Smaller text"),

    DO(GRID, '\'', CTRL, "Ctrl '", "Grid"),
    DO(SNAP, 's', ALT, "Alt S", "Snap to objects"),
    DO(PAGE_NEXT, TDM_BOARD_KEY_PAGE_DOWN, 0, "Page Down", "Next page"),
    DO(PAGE_PREVIOUS, TDM_BOARD_KEY_PAGE_UP, 0, "Page Up", "Previous page"),
    DO(PAGE_NEW, TDM_BOARD_KEY_PAGE_DOWN, CTRL, "Ctrl Page Down", "New page"),
    DO(PAGE_DELETE, TDM_BOARD_KEY_PAGE_UP, CTRL | SHIFT, "Ctrl Shift Page Up", "Delete page"),
    DO(ZOOM_IN, '=', CTRL, "Ctrl +", "Zoom in"),
    DO(ZOOM_IN, '+', CTRL, NULL, "Zoom in"),
    DO(ZOOM_IN, '+', CTRL | SHIFT, NULL, "Zoom in"),
    DO(ZOOM_OUT, '-', CTRL, "Ctrl -", "Zoom out"),
    DO(ZOOM_WHOLE, '0', CTRL, "Ctrl 0", "100 %"),
    DO(ZOOM_ALL, '1', SHIFT, "Shift 1", "See everything"),
    DO(ZOOM_ALL, '!', SHIFT, NULL, "See everything"),
    DO(ZOOM_SELECTION, '2', SHIFT, "Shift 2", "See the selection"),
    DO(ZOOM_SELECTION, '@', SHIFT, NULL, "See the selection"),
    DO(FOLLOW, 'f', 0, "F", "Follow the other's view"),
    DO(FOLLOW_ME, 'f', SHIFT, "Shift F", "Ask to be followed"),
    DO(THEME, 'd', ALT | SHIFT, "Alt Shift D", "Light or dark"),
    DO(FULL_SCREEN, TDM_BOARD_KEY_F11, 0, "F11", "Full screen"),
    DO(EXPORT, 'e', CTRL | SHIFT, "Ctrl Shift E", "Export"),
    DO(HELP, '?', SHIFT, "?", "This help"),
    DO(HELP, '?', 0, NULL, "This help"),
    DO(HELP, TDM_BOARD_KEY_F1, 0, NULL, "This help"),
};

static const size_t table_count = sizeof table / sizeof *table;

const struct tdm_board_shortcut *tdm_board_shortcut_of(uint32_t key, uint32_t mods)
{
    mods &= SHIFT | CTRL | ALT;
    for (size_t i = 0; i < table_count; i++)
        if (table[i].key == key && table[i].mods == mods)
            return &table[i];
    return NULL;
}

const struct tdm_board_shortcut *tdm_board_shortcuts(size_t *count)
{
    *count = table_count;
    return table;
}

const struct tdm_board_shortcut *tdm_board_shortcut_for(enum tdm_board_command command,
                                                        uint32_t value)
{
    for (size_t i = 0; i < table_count; i++)
        if (table[i].command == command && table[i].value == value && table[i].keys)
            return &table[i];
    return NULL;
}
