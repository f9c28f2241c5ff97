/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_LATE_SYNC_H
#define TDM_IO_LATE_SYNC_H

/*
 * Brings what is appended to a file to the disk, half a second later and all at once, on a thread
 * of its own: whoever appends never waits for a disk that is slow. One thread calls.
 */

#include "engine/base/err.h"

struct tdm_late_sync;

/** `fd` is borrowed. TDM_E_SYSTEM when there is no thread. */
enum tdm_err tdm_late_sync_start(struct tdm_late_sync **sync, int fd, struct tdm_cause *cause);
/** Ends the thread; what waits does so no longer, and is not synced. NULL does nothing. */
void tdm_late_sync_stop(struct tdm_late_sync *sync);

/** Something was appended. */
void tdm_late_sync_dirty(struct tdm_late_sync *sync);
/** From now on this file, also borrowed; the old one may be closed afterwards. */
void tdm_late_sync_switch(struct tdm_late_sync *sync, int fd);
/** The errno of the first sync that failed since the last switch; 0: none did. */
int tdm_late_sync_error(const struct tdm_late_sync *sync);

#endif
