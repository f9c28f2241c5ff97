/* SPDX-License-Identifier: MIT */
#ifndef APPS_BOARD_FILE_H
#define APPS_BOARD_FILE_H

/* `tandem board` on files: info, export, import, merge, replay. */

#include "apps/board_options.h"

/** Whether the first word is one of these; then *code is the exit code. */
bool board_file_run(const struct board_options *o, int *code);

#endif
