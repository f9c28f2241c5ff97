/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_ICONS_H
#define TDM_RENDER_BOARD_ICONS_H

/*
 * The small pictures on the board's buttons: lines of one width on a square of 24 x 24, drawn by
 * cairo at any scale and in any colour.
 */

#include <cairo.h>

enum tdm_board_icon {
    TDM_ICON_NONE,
    TDM_ICON_SELECT,
    TDM_ICON_HAND,
    TDM_ICON_PEN,
    TDM_ICON_MARKER,
    TDM_ICON_ERASER,
    TDM_ICON_LINE,
    TDM_ICON_ARROW,
    TDM_ICON_RECTANGLE,
    TDM_ICON_ELLIPSE,
    TDM_ICON_TEXT,
    TDM_ICON_NOTE,
    TDM_ICON_IMAGE,
    TDM_ICON_LASER,
    TDM_ICON_LOCK,
    TDM_ICON_UNLOCK,
    TDM_ICON_UNDO,
    TDM_ICON_REDO,
    TDM_ICON_PLUS,
    TDM_ICON_MINUS,
    TDM_ICON_HELP,
    TDM_ICON_SUN,
    TDM_ICON_MOON,
    TDM_ICON_GRID,
    TDM_ICON_MAGNET,
    TDM_ICON_EXPORT,
    TDM_ICON_EYE,
    TDM_ICON_LEAD,
    TDM_ICON_PREVIOUS,
    TDM_ICON_NEXT,
    TDM_ICON_DELETE,
    TDM_ICON_COPY,
    TDM_ICON_GROUP,
    TDM_ICON_UNGROUP,
    TDM_ICON_FRONT,
    TDM_ICON_FORWARD,
    TDM_ICON_BACKWARD,
    TDM_ICON_BACK,
    TDM_ICON_SOLID,
    TDM_ICON_DASHED,
    TDM_ICON_DOTTED,
    TDM_ICON_THIN,
    TDM_ICON_MEDIUM,
    TDM_ICON_THICK,
    TDM_ICON_HUGE,
    TDM_ICON_SHARP,
    TDM_ICON_ROUND,
    TDM_ICON_START,
    TDM_ICON_CENTRE,
    TDM_ICON_END,
    TDM_ICON_SANS,
    TDM_ICON_SERIF,
    TDM_ICON_MONO,
    TDM_ICON_SCRIPT,
    TDM_ICON_FIT,
    TDM_ICON_FULL,
    TDM_ICON_FOLDER,
    TDM_ICON_FILE,
    TDM_ICON_HOME,
    TDM_ICON_UP,
    TDM_ICON_CLOSE,
    TDM_ICONS
};

/** In the square whose left upper corner is (x, y), in the source of `cr`. */
void tdm_board_icon_draw(cairo_t *cr, enum tdm_board_icon icon, double x, double y, double side);

#endif
