/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_CLIP_FILES_H
#define TDM_ENGINE_SHARE_CLIP_FILES_H

/*
 * Files of a shared clipboard on the disks of both sides (collab/clip_files.h): read when the other
 * side pastes, and written into a folder that only this user can look into, so that programs here
 * can paste them. That folder holds what was pasted last and goes with the share. Thread
 * `tdm-hand`.
 */

#include "engine/base/err.h"
#include "engine/share_bytes.h"

struct tdm_clip_folder {
    char path[64]; /* "": there is none. */
};

/** Puts the files of a list behind each other, at most `bytes_max`. Folders and what cannot be read
 *  are left out. TDM_E_SPACE: too much; TDM_E_GONE: nothing is left; with a cause for people. */
enum tdm_err tdm_clip_files_collect(const uint8_t *list, size_t size, uint32_t bytes_max,
                                    struct tdm_share_bytes *to, struct tdm_cause *cause);

/** Writes what came, in place of what came before, and fills `list` with its paths. */
enum tdm_err tdm_clip_files_keep(struct tdm_clip_folder *folder, const uint8_t *content,
                                 size_t size, struct tdm_share_bytes *list,
                                 struct tdm_cause *cause);

/** Removes the folder with all that is in it. */
void tdm_clip_folder_remove(struct tdm_clip_folder *folder);

#endif
