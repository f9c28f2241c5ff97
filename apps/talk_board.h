/* SPDX-License-Identifier: MIT */
#ifndef APPS_TALK_BOARD_H
#define APPS_TALK_BOARD_H

/*
 * A board beside the sound and picture of `call` and `answer`: --board opens it with the call, the
 * key b at any time. Who opens none hears of the other side's, and is asked. It is the board of the
 * two, whatever verb opens it.
 */

#include "apps/folders.h"
#include "apps/options.h"
#include "apps/terminal.h"
#include "tandem/board.h"

struct talk_board {
    struct tandem_board *board; /* NULL: there cannot be one. */
    struct terminal *terminal;
    const struct options *o;
    struct tandem_call *call; /* That is up; NULL: none is. */
    bool asked;               /* A question that waits for a key. */
    bool wanted;              /* Our user has opened it in this call. */
    bool met, shown;          /* Both have drawn in this call; there is a window, or will be. */
    char folder[FOLDERS_PATH_MAX];
};

/** Names it in `o->media`; before the engine is asked for a call. */
void talk_board_open(struct talk_board *b, struct options *o, struct terminal *terminal);
/** After the engine is gone. */
void talk_board_close(struct talk_board *b);

/** Readable when talk_board_run has something to do; -1: never. */
int talk_board_fd(const struct talk_board *b);
void talk_board_run(struct talk_board *b);

/** A call to `to` begins: with --board, what the two drew before is shown at once. */
void talk_board_dialed(struct talk_board *b, const char *to);
/** A call is up; `chosen`: by our user, and not by --auto. */
void talk_board_up(struct talk_board *b, struct tandem_call *call, bool chosen);
/** What became of the data channel: one of enum tandem_channel_state. */
void talk_board_channel(struct talk_board *b, int state, const char *text);
/** The call is over. */
void talk_board_over(struct talk_board *b);

/** Answers the question that waits: y, n, a (always) or x (never again); false: none does. */
bool talk_board_answer(struct talk_board *b, int key);
/** Opens the board, or shows it, or takes its window away. */
void talk_board_key(struct talk_board *b);

#endif
