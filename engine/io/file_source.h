/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_FILE_SOURCE_H
#define TDM_IO_FILE_SOURCE_H

/*
 * A file or folder that is offered: described and hashed block by block, then read for whoever
 * wants it. A folder reads as one content: its manifest, filled up to whole blocks, and its files
 * one after the other. Links and devices in it are left out. What is no longer what was hashed is
 * found by its size and time, and by its hash when a block is asked for again. For a worker thread.
 */

#include "collab/file_manifest.h"
#include "engine/base/err.h"

struct tdm_file_source;

/** Opens and lists; nothing is hashed yet. TDM_E_GONE (also what a folder in it holds cannot be
 *  read), TDM_E_UNSUPPORTED (no file and no folder) or
 *  TDM_E_SPACE (too many files) with a cause. */
enum tdm_err tdm_file_source_open(struct tdm_file_source **source, const char *path,
                                  struct tdm_cause *cause);
void tdm_file_source_close(struct tdm_file_source *source);

/** Hashes up to `blocks` more. TDM_E_AGAIN: there are more; TDM_OK: the description is whole;
 *  TDM_E_GONE with a cause. */
enum tdm_err tdm_file_source_hash(struct tdm_file_source *source, uint32_t blocks,
                                  struct tdm_cause *cause);

const struct tdm_file_desc *tdm_file_source_desc(const struct tdm_file_source *source);
/** How much in the folder is no file and no folder, and so is left out. */
uint32_t tdm_file_source_skipped(const struct tdm_file_source *source);
uint64_t tdm_file_source_hashed(const struct tdm_file_source *source);

/** Any bytes of the content. TDM_E_GONE: they cannot be read, or are not those that were hashed. */
enum tdm_err tdm_file_source_read(struct tdm_file_source *source, uint8_t *data, uint32_t size,
                                  uint64_t offset);
/** Whether bytes of block `index` are what was hashed. */
bool tdm_file_source_knows(const struct tdm_file_source *source, uint32_t index,
                           const uint8_t *data);
/** Proof of a block; of the run of zeros that begins there and has up to `most` blocks
 *  (place.height > 0) when there is one. */
uint8_t tdm_file_source_prove(struct tdm_file_source *source, uint32_t most,
                              struct tdm_file_place *place,
                              tdm_file_hash proof[TDM_FILE_PROOF_MAX]);

#endif
