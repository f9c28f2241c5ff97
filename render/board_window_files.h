/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_WINDOW_FILES_H
#define TDM_RENDER_BOARD_WINDOW_FILES_H

/* Between board_window_files.c, which knows what is chosen, and board_window_files_panel.c, which
 * shows it. */

#include "render/board_window_state.h"

#define TDM_FILES_FORMATS 4

/** What a board is written as. */
struct tdm_board_files_format {
    const char *name, *what;
    const char *endings[2]; /* One, and NULL. */
};

const struct tdm_board_files_format *tdm_board_files_format(uint32_t which);

/** Rows of the list: of the folder, those that fit to what was typed. */
int tdm_board_files_rows(const struct tdm_board_files *files);
const struct tdm_board_folder_entry *tdm_board_files_row(const struct tdm_board_files *files,
                                                         int row);
/** What would be written is there already. */
bool tdm_board_files_replaces(const struct tdm_board_files *files);

#endif
