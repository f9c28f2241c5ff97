/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_H
#define TDM_ENGINE_BOARD_H

/*
 * The board as a rider of the data channel (engine/channel_rider.h) and as the program sees it
 * (include/tandem/board.h). The rider never touches the document: it moves bytes between the
 * channel and two pipes (engine/board_pipe.h); the thread `tdm-board` (engine/board_run.c) owns the
 * document, its link (collab/board_link.h), tools and window.
 *
 * Streams, three each way, each opened by the side that sends on it: operations in class 4, live
 * values in class 2, blobs in class 6. Opening the first one is the invitation, and opening one's
 * own is the answer to it: until both are there nothing is sent but the preface, which names the
 * document. So nobody's board is told anything before its user has agreed.
 */

#include "engine/channel_rider.h"
#include "tandem/board.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const struct tdm_rider_ops tdm_board_rider; /* Its rider is a struct tandem_board. */

/** Before it is attached: with whom ("sip:..."). False: it is in another call. */
bool tdm_board_meet(struct tandem_board *board, const char *peer);

#define TDM_BOARD_ID_BYTES 16

/** The document of two contacts: both sides compute the same from the fingerprints of both
 *  certificates, in either order. */
void tdm_board_contact_id(const uint8_t one[TDM_FINGERPRINT_BYTES],
                          const uint8_t other[TDM_FINGERPRINT_BYTES],
                          uint8_t id[TDM_BOARD_ID_BYTES]);

#endif
