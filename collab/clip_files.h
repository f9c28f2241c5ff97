/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CLIP_FILES_H
#define TDM_COLLAB_CLIP_FILES_H

/*
 * Files on a shared clipboard: as the programs of a desktop name them (text/uri-list, RFC 2483
 * section 5) and as they travel (the content of TDM_CLIP_FILES, one after the other with their
 * names). Pure; it opens nothing. Names that come are made safe (collab/file_name.h) before anybody
 * else sees them.
 *
 *   content := file*     file := size of the name: u8, name, size of the file: u32, its bytes
 */

#include "collab/file_name.h"

#include <stdint.h>

#define TDM_CLIP_FILES_MAX     64   /* On one clipboard. */
#define TDM_CLIP_FILES_HEAD    260  /* At most, in front of a file's bytes. */
#define TDM_CLIP_FILE_PATH_MAX 1024 /* With the terminator. */

/** The path of the next file of a list, from *at on: comments, other schemes and other hosts are
 *  passed over. False: there is none any more. */
bool tdm_clip_files_next_path(const uint8_t *list, size_t size, size_t *at,
                              char path[TDM_CLIP_FILE_PATH_MAX]);

/** A file's line of such a list, with its line end. @return bytes; 0: it does not fit. */
size_t tdm_clip_files_write_uri(const char *path, char *to, size_t room);

/** What stands in front of a file's bytes. `name` is the last component alone. @return bytes. */
size_t tdm_clip_files_write_head(const char *name, uint32_t size,
                                 uint8_t head[TDM_CLIP_FILES_HEAD]);

struct tdm_clip_file {
    char name[TDM_FILE_NAME_MAX]; /* Safe. */
    const uint8_t *data;          /* Borrows from the content. */
    uint32_t size;
};

/** The next file of a content, from *at on. TDM_E_AGAIN behind the last. */
enum tdm_err tdm_clip_files_next(const uint8_t *content, size_t size, size_t *at,
                                 struct tdm_clip_file *file);

#endif
