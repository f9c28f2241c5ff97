/* SPDX-License-Identifier: MIT */
#ifndef APPS_TALK_FILES_H
#define APPS_TALK_FILES_H

/*
 * Files beside the sound and picture of `call` and `answer`: --send offers them when the call is
 * up, --get takes what the other side offers. What is unfinished when the call ends stays and goes
 * on in the next call, or with `send` and `get`.
 */

#include "apps/options.h"
#include "apps/terminal.h"
#include "tandem/files.h"

#define TALK_OFFERS_MAX 32

struct talk_files {
    struct tandem_files *files; /* NULL: neither option was given. */
    struct terminal *terminal;
    bool receiving;
    uint32_t offers[TALK_OFFERS_MAX]; /* Wait for a key, oldest first. */
    int offer_count;
    int open_count; /* Ours that have not ended. */
};

/** Names the files in `o->media`; before the engine is asked for a call. */
enum tandem_status talk_files_open(struct talk_files *f, struct options *o,
                                   struct terminal *terminal, struct tandem_cause *cause);
/** After the engine is gone. */
void talk_files_close(struct talk_files *f);

/** Readable when talk_files_run has something to do; -1: never. */
int talk_files_fd(const struct talk_files *f);
void talk_files_run(struct talk_files *f);

/** Answers the oldest offer that waits; false: none waits. */
bool talk_files_answer(struct talk_files *f, bool yes);

/** The call is over: what of ours is unfinished. */
void talk_files_ended(struct talk_files *f);

#endif
