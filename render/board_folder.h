/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_FOLDER_H
#define TDM_RENDER_BOARD_FOLDER_H

/* What a folder holds, for a user to choose from: folders first, then files of some kinds, each by
 * name. Hidden ones and what is neither are left out. Knows no window. */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_FOLDER_PATH_MAX 4096
#define TDM_FOLDER_NAME_MAX 256

struct tdm_board_folder_entry {
    char name[TDM_FOLDER_NAME_MAX];
    bool folder;
    uint64_t size; /* Bytes, of a file. */
};

struct tdm_board_folder {
    char path[TDM_FOLDER_PATH_MAX]; /* Absolute, without links; empty: nothing was read yet. */
    size_t count;
    struct tdm_board_folder_entry *entries;
};

/**
 * Looks into a folder; what was there before goes.
 *
 * @param path     Of a folder, or relative to the one that was read: "..", a name. "~": home.
 * @param endings  Of the files, with their dots, NULL behind the last: ".png". Case does not
 * matter.
 *
 * @return TDM_E_SYSTEM with a cause; the folder is as it was.
 */
enum tdm_err tdm_board_folder_read(struct tdm_board_folder *folder, const char *path,
                                   const char *const *endings, struct tdm_cause *cause);
void tdm_board_folder_free(struct tdm_board_folder *folder);

/** The path of something in it; false: too long. */
bool tdm_board_folder_path(const struct tdm_board_folder *folder, const char *name,
                           char path[TDM_FOLDER_PATH_MAX]);
bool tdm_board_folder_ends(const char *name, const char *ending);

#endif
