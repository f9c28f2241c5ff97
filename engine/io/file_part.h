/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_FILE_PART_H
#define TDM_IO_FILE_PART_H

/*
 * A file or folder on its way in: "NAME.HASH.part" with "NAME.HASH.part.map" beside it (and
 * "NAME.HASH.part.list", the manifest of a folder), in the chosen folder. Bytes are written before
 * the map says so, and are hashed anew when a part is taken up, so that no crash can make a wrong
 * block count. At the end everything is flushed, the hashes in the map must give the root that was
 * offered, and the part gets a name that is free. For a worker thread.
 */

#include "collab/file_block.h"
#include "collab/file_map.h"
#include "collab/files.h"

struct tdm_file_part;

struct tdm_file_part_config {
    int dir;                          /* Of the chosen folder; borrowed. */
    const char *origin;               /* For user.xdg.origin.url; NULL: none. Borrowed for open. */
    const struct tdm_file_desc *desc; /* Borrowed for open. */
};

/** Takes up what is there, or begins. *part is set on TDM_FILES_OK. */
enum tdm_files_result tdm_file_part_open(struct tdm_file_part **part,
                                         const struct tdm_file_part_config *config,
                                         struct tdm_cause *cause);
/** `keep`: what was written stays for another day. */
void tdm_file_part_close(struct tdm_file_part *part, bool keep);

uint32_t tdm_file_part_blocks(const struct tdm_file_part *part);
/** An older version stands under the name: how many signatures it has. */
uint32_t tdm_file_part_chunks(const struct tdm_file_part *part);

/** The first run of blocks from `from` on that are missing and may come now. */
uint32_t tdm_file_part_missing(struct tdm_file_part *part, uint32_t from, uint32_t most,
                               uint32_t *first);
/** Unpacks, verifies and writes what came; *fresh: blocks that were missing. */
enum tdm_files_result tdm_file_part_write(struct tdm_file_part *part, struct tdm_file_packer *p,
                                          const struct tdm_file_frame *frame, const uint8_t *data,
                                          uint32_t *fresh);
/** Signatures of the old file from chunk `first` on, behind the size of a chunk; returns how many,
 *  and 0 when it cannot be read. */
uint32_t tdm_file_part_sign(struct tdm_file_part *part, uint32_t first, uint8_t *data,
                            uint32_t *size);
/** Gives it its name, which goes to `name`. */
enum tdm_files_result tdm_file_part_finish(struct tdm_file_part *part, char *name, size_t room,
                                           struct tdm_cause *cause);

#endif
