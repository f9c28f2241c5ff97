/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_DIRECTORY_H
#define TDM_ENGINE_DIRECTORY_H

/* One question to the directory of an account's server (docs/server.md), and what it said last. The
 * control thread. */

#include "signalling/signalling.h"
#include "tandem/account.h"

struct tdm_directory {
    tdm_sig_id asked; /* 0: no question is open. */
    struct tandem_directory_person people[TANDEM_DIRECTORY_MAX];
    size_t count;
};

/** Takes the answer to the open question; false: the event is something else's. */
bool tdm_directory_take(struct tandem *engine, const struct tdm_sig_event *event);

#endif
