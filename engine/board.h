/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_H
#define TDM_ENGINE_BOARD_H

/*
 * The board as a rider of the data channel (engine/channel_rider.h) and as the program sees it
 * (include/tandem/board.h). The rider never touches the document: it moves bytes between the
 * channel and its pipes (engine/board_seat.h); the thread `tdm-board` (engine/board_run.c) owns the
 * document, its link (collab/board_link.h), tools and window.
 *
 * Streams, three each way, each opened by the side that sends on it: operations in class 4, live
 * values in class 2, blobs in class 6. Opening the first one is the invitation, and opening one's
 * own is the answer to it: until both are there nothing is sent but the preface, which names the
 * document (collab/board_door.h). So nobody's board is told anything before its user has agreed.
 */

#include "engine/board_seat.h"
#include "tandem/board.h"

#include <stdbool.h>

/** Before its seat is attached (tdm_board_rider): with whom ("sip:..."). False: it is in another
 *  call. */
bool tdm_board_meet(struct tandem_board *board, const char *peer);
struct tdm_board_seat *tdm_board_seat_of(struct tandem_board *board);

/** The thread; `arg` is the board. */
void *tdm_board_run(void *arg);

#endif
