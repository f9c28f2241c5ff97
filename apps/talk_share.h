/* SPDX-License-Identifier: MIT */
#ifndef APPS_TALK_SHARE_H
#define APPS_TALK_SHARE_H

/* A screen beside the sound and picture of `call` and `answer`: --share shows ours, --assist shows
 * theirs in a window of its own. */

#include "apps/options.h"
#include "apps/terminal.h"
#include "tandem/share.h"

struct talk_share {
    struct tandem_share *share; /* NULL: neither option was given. */
    struct terminal *terminal;
    const struct options *o;
    unsigned asked, allowed; /* asked: a question that waits for a key. */
};

/** Names it in `o->media`; before the engine is asked for a call. */
enum tandem_status talk_share_open(struct talk_share *s, struct options *o,
                                   struct terminal *terminal, struct tandem_cause *cause);
/** After the engine is gone. */
void talk_share_close(struct talk_share *s);

/** Readable when talk_share_run has something to do; -1: never. */
int talk_share_fd(const struct talk_share *s);
void talk_share_run(struct talk_share *s);

/** Answers the question that waits; false: none does. */
bool talk_share_answer(struct talk_share *s, bool yes);
/** Asks for control, with --assist; with --share takes it back. */
void talk_share_control(struct talk_share *s);

#endif
