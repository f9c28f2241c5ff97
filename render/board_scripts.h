/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_SCRIPTS_H
#define TDM_RENDER_BOARD_SCRIPTS_H

#include <stddef.h>

/** Names, with commas between, of widespread scripts whose letters none of this machine's fonts
 *  has: they are shown as boxes. "": none is known to be lacking. Any thread. */
void tdm_board_scripts_lacking(char *names, size_t capacity);

#endif
