/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_PRESENCE_FILE_H
#define TDM_SIGNALLING_PRESENCE_FILE_H

/*
 * Own presence as text that people edit: what was set by hand, the schedule of this device, and who
 * may see us. Pure. Comments and keys that are not known here stay, above what is.
 *
 *     device = t5f0c2a
 *     state = away                            set by hand; no line: nothing is
 *     note = at lunch
 *     since = 2026-11-23T12:00:00Z
 *     until = 2026-11-23T14:00:00Z
 *     schedule = mon-fri 08:00-18:00 available
 *     watcher = eve@example.org polite
 */

#include "signalling/presence_self.h"
#include "signalling/presence_watcher.h"

#define TDM_DECISIONS_MAX 256

struct tdm_decision {
    char who[200]; /* "user@host", without scheme. */
    enum tdm_watch_policy policy;
};

struct tdm_presence_file {
    struct tdm_presence_self self; /* Without calls and idle. */
    uint32_t decision_count;
    struct tdm_decision decisions[TDM_DECISIONS_MAX];
};

/** Lines that mean nothing are left out. */
void tdm_presence_file_read(struct tdm_presence_file *file, const char *text, size_t size);
/** TDM_E_SPACE when it does not fit. */
enum tdm_err tdm_presence_file_write(const struct tdm_presence_file *file, const char *text,
                                     size_t size, char *out, size_t capacity, size_t *out_size);

/** Decides; TDM_E_SPACE when there are too many. TDM_POLICY_ASK: undecided again. */
enum tdm_err tdm_presence_file_decide(struct tdm_presence_file *file, const char *who,
                                      enum tdm_watch_policy policy);
/** NULL: nobody has decided about `who`. */
const struct tdm_decision *tdm_presence_file_find(const struct tdm_presence_file *file,
                                                  const char *who);

#endif
