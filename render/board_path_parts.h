/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_PATH_PARTS_H
#define TDM_RENDER_BOARD_PATH_PARTS_H

/* What a path is made of: between board_path.c, which makes one, and board_path_draw.c. */

#include "render/board_path.h"

enum tdm_path_verb { TDM_PATH_MOVE, TDM_PATH_LINE, TDM_PATH_CURVE, TDM_PATH_CLOSE };

struct tdm_path_part {
    enum tdm_path_verb verb;
    struct tdm_path_spot to[3]; /* The last one is where it ends. */
};

#endif
