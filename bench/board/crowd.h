/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BOARD_CROWD_H
#define BENCH_BOARD_CROWD_H

/* Boards to be measured, and one with a lot on it. Every function ends the run when it fails. */

#include "engine/board_doc.h"

#include <stdio.h>
#include <stdlib.h>

#define CROWD_WIDTH  1920
#define CROWD_HEIGHT 1080

extern const uint8_t crowd_document[16];

static inline void demand(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

double seconds(void);

/** NULL: in memory alone. */
struct tdm_board_doc *open_board(const char *path, bool replay);
/** An edit that found no room, or whose operations should be taken first, is to be done again. */
bool again(struct tdm_board_doc *doc, enum tdm_err err);
struct tdm_board_id add(struct tdm_board_doc *doc, enum tdm_board_type type,
                        const struct tdm_board_value *values, size_t count);
/** Shapes, strokes and texts over 20 x 10 screens, as on a board that was used a lot. */
void crowd(struct tdm_board_doc *doc, int objects);

#endif
