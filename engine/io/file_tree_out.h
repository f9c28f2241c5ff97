/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_FILE_TREE_OUT_H
#define TDM_IO_FILE_TREE_OUT_H

/*
 * Where the bytes of a content lie on the disk while it is received: in one file, or, of a folder,
 * first in the file of its manifest and then in the files that this lists. Paths come cleaned from
 * the manifest; two that have become the same are told apart by a number, the same one every time.
 */

#include "collab/file_manifest.h"

struct tdm_file_out_member {
    char *path;
    uint64_t start, size;
    int64_t date_s;
    bool folder;
};

struct tdm_file_out {
    int file; /* The one file, or the folder. */
    int list; /* The manifest's file; -1: no folder. */
    bool listed;
    struct tdm_file_out_member *members;
    uint32_t member_count;
    int open_fd; /* Of member `open_index`. */
    uint32_t open_index;
    uint64_t contents; /* Where they begin. */
};

struct tdm_file_out_config {
    int dir;
    const char *part_name, *list_name;
    const struct tdm_file_desc *desc;
};

/** One that may be closed. */
void tdm_file_out_init(struct tdm_file_out *o);
/** 0, or -1 with errno, as of the next ones. */
int tdm_file_out_open(struct tdm_file_out *o, const struct tdm_file_out_config *config);
void tdm_file_out_close(struct tdm_file_out *o);

int tdm_file_out_read(struct tdm_file_out *o, uint8_t *data, uint32_t size, uint64_t offset);
int tdm_file_out_write(struct tdm_file_out *o, const uint8_t *data, uint32_t size, uint64_t offset);

/** The manifest is there whole: reads it. TDM_E_MALFORMED. */
enum tdm_err tdm_file_out_take_list(struct tdm_file_out *o, const struct tdm_file_desc *desc);
/** Makes what has no bytes, sets lengths and dates, and flushes all to the disk. */
int tdm_file_out_finish(struct tdm_file_out *o, const struct tdm_file_desc *desc);

#endif
