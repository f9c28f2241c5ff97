/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_PRESENCE_H
#define TDM_ENGINE_PRESENCE_H

/*
 * Presence on the control thread: publishes at the accounts that are up, subscribes to whom the
 * program watches, tells who watches us, and follows the file. What is said when lies in the cores
 * of signalling/.
 */

#include "signalling/presence_file.h"
#include "signalling/signalling.h"
#include "tandem/presence.h"

struct tandem;

/** Does what is due. @return when to call again. */
tdm_time tdm_presence_run(struct tandem_presence *presence, struct tandem *engine, tdm_time now);
/** An event of signalling; false: it is not about presence. */
bool tdm_presence_take(struct tandem_presence *presence, struct tandem *engine,
                       const struct tdm_sig_event *event);
/** The engine ends: takes back what stands. */
void tdm_presence_stop(struct tandem_presence *presence, struct tandem *engine);

#endif
