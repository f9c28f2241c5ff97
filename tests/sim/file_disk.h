/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIM_FILE_DISK_H
#define TESTS_SIM_FILE_DISK_H

/*
 * A disk in memory that does the jobs of collab/files.h: what engine/io/file_store.h does, without
 * names of folders. A crash loses the jobs that wait and tears blocks that were written lately.
 */

#include "collab/files.h"
#include "engine/base/rng.h"

#define DISK_FILES 8
#define DISK_JOBS  64

struct disk_source {
    struct tdm_file_desc desc;
    uint8_t *data;
    tdm_file_hash *nodes;
};

struct disk_part {
    struct tdm_file_desc desc;
    uint8_t *data;
    tdm_file_hash *leaves; /* All zero: not written. */
    bool used;
};

struct disk_final {
    char name[TDM_FILE_NAME_MAX];
    uint8_t *data;
    uint64_t size;
};

struct disk_handle {
    struct disk_source *source;
    struct disk_part *part;
    struct disk_final *whole, *old; /* Was there already; an older version. */
    struct tdm_delta *delta;
    uint32_t chunk_bytes;
};

struct disk {
    struct disk_source sources[DISK_FILES];
    struct disk_part parts[DISK_FILES];
    struct disk_final finals[4 * DISK_FILES];
    struct disk_handle handles[4096]; /* By transfer, of this run. */
    struct tdm_files_job jobs[DISK_JOBS];
    uint32_t job_count;
    bool full;
    struct tdm_file_packer *packer;
    void *packer_storage;
    uint64_t blocks_written, deltas, zero_runs, packed;
};

struct disk *disk_create(void);
void disk_destroy(struct disk *d);

/** Takes the bytes; makes the description and the tree. */
void disk_set_source(struct disk *d, int i, const char *name, uint8_t *data, uint64_t size);
/** Another version of a file that is already offered: the tree stays as it was. */
void disk_change_source(struct disk *d, int i, uint64_t at);
void disk_add_final(struct disk *d, const char *name, const uint8_t *data, uint64_t size);

void disk_queue(struct disk *d, const struct tdm_files_job *job);
/** Does the oldest job; false when it gives no answer. */
bool disk_do(struct disk *d, struct tdm_files_done *done);
void disk_crash(struct disk *d, struct tdm_rng *rng);

#endif
