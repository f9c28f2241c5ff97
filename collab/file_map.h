/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILE_MAP_H
#define TDM_COLLAB_FILE_MAP_H

/*
 * The file beside a file that is not yet whole: what it shall become, and the hash of every block
 * that was written (zeros: not yet). A transfer that was broken off, days ago or by kill -9, goes
 * on from it: a block counts only if what the disk holds still has the hash in the map, and the
 * file becomes whole only if all these hashes give the root that was offered.
 */

#include "collab/file_wire.h"

#define TDM_FILE_MAP_HEAD 512

/** The head; the hash of block i stands at TDM_FILE_MAP_HEAD + i * TDM_FILE_HASH_BYTES. */
void tdm_file_map_write(const struct tdm_file_desc *desc, uint8_t head[TDM_FILE_MAP_HEAD]);
/** TDM_E_MALFORMED for anything but a whole head of this version. */
enum tdm_err tdm_file_map_parse(struct tdm_file_desc *desc, const uint8_t head[TDM_FILE_MAP_HEAD]);

/** Whether what the map describes is what is offered now. */
bool tdm_file_map_fits(const struct tdm_file_desc *map, const struct tdm_file_desc *offer);

bool tdm_file_map_has(const tdm_file_hash leaf);

#endif
