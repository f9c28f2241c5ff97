/* SPDX-License-Identifier: MIT */
#ifndef APPS_TALK_CHAT_H
#define APPS_TALK_CHAT_H

/* Texts beside a call: those of others are printed, and `c` begins a line to say. */

#include "apps/line.h"
#include "apps/options.h"
#include "apps/terminal.h"
#include "tandem/chat.h"

struct talk_chat {
    struct tandem_chat *chat; /* NULL: the history cannot be used. */
    struct line line;
    bool typing;
    char kept[300]; /* The history; "" = it ends with the program. */
};

/** Before the engine: makes the chat and names it in the options. */
void talk_chat_open(struct talk_chat *c, struct options *o, struct terminal *terminal);
/** After the engine. */
void talk_chat_close(struct talk_chat *c);

/** To be polled; -1: nothing. */
int talk_chat_fd(const struct talk_chat *c);

/** Prints what came. */
void talk_chat_run(struct talk_chat *c, struct terminal *terminal);

/** A key while `typing`; the text is for `to`. */
void talk_chat_key(struct talk_chat *c, struct terminal *terminal, struct tandem *engine,
                   const char *to, int key);

#endif
