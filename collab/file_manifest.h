/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILE_MANIFEST_H
#define TDM_COLLAB_FILE_MANIFEST_H

/*
 * What a folder holds: its files and empty folders, in the order in which their contents follow.
 * The manifest is the beginning of a folder's content, covered by the same tree hash, and fills
 * whole blocks. Reading cleans every path (collab/file_name.h), so that what comes out can be
 * created below a folder of ours; whether two paths have become the same is the caller's matter.
 */

#include "collab/file_wire.h"

struct tdm_manifest_entry {
    bool folder;
    bool program; /* May be executed at the sender; told, never applied. */
    uint64_t size;
    int64_t date_s;
    char path[TDM_FILE_PATH_MAX]; /* Below the folder that was sent. */
};

/** TDM_E_SPACE when it does not fit. */
enum tdm_err tdm_manifest_write(struct tdm_writer *w, const struct tdm_manifest_entry *entry);
/** The next entry. TDM_E_GONE at the end of the manifest, TDM_E_MALFORMED. */
enum tdm_err tdm_manifest_next(struct tdm_reader *r, struct tdm_manifest_entry *entry);

/** Where contents begin behind a manifest of so many bytes: the next whole block. */
uint64_t tdm_manifest_end(uint32_t manifest_bytes);

/** Reads the whole manifest of `desc` and checks that its entries and sizes are those offered. */
enum tdm_err tdm_manifest_check(const uint8_t *manifest, const struct tdm_file_desc *desc);

#endif
