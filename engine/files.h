/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_FILES_H
#define TDM_ENGINE_FILES_H

/*
 * Files as a rider of the data channel (engine/channel_rider.h) and as the program sees them
 * (include/tandem/files.h). The transfer core and its disk stay when the channel goes; each side
 * opens a stream for messages and one for content, and opens both anew whenever the channel was
 * broken: the core takes up again by itself, so nothing need be produced twice.
 */

#include "engine/channel_rider.h"
#include "tandem/files.h"

extern const struct tdm_rider_ops tdm_files_rider; /* Its rider is a struct tandem_files. */

/** Before it is attached: with whom. */
void tdm_files_meet(struct tandem_files *files, const char *peer);

#endif
