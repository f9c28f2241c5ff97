/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILE_BLOCK_H
#define TDM_COLLAB_FILE_BLOCK_H

/*
 * How the bytes of one block travel: as they are, as nothing (zeros), packed by zstd when a probe
 * of 64 KiB saves more than 5 %, as a delta against an older file, or as a packed delta. What comes
 * out of an unpacking is never longer than a block, whatever the bytes claim.
 */

#include "collab/file_delta.h"

enum tdm_file_encoding {
    TDM_FILE_RAW = 0,
    TDM_FILE_ZEROS = 1, /* No body; may stand for 2^height blocks. */
    TDM_FILE_ZSTD = 2,
    TDM_FILE_DELTA = 4,
    TDM_FILE_DELTA_ZSTD = 6,
};

/** zstd's memory and a block's scratch; storage of the caller, for one thread. */
struct tdm_file_packer;

size_t tdm_file_packer_bytes(void);
struct tdm_file_packer *tdm_file_packer_init(void *storage);

struct tdm_file_packing {
    bool zstd;                     /* Allowed. */
    const struct tdm_delta *delta; /* NULL: none. */
};

struct tdm_file_packed {
    uint8_t encoding; /* enum tdm_file_encoding. */
    uint32_t size;
};

/** Packs the block of `view` into `out`, which takes TDM_FILE_BLOCK_BYTES. */
struct tdm_file_packed tdm_file_pack(struct tdm_file_packer *p, const struct tdm_delta_view *view,
                                     const struct tdm_file_packing *how, uint8_t *out);

/** What was packed, or the instructions of a delta; in the packer's memory or in `body` until the
 *  next call. `size`: of the block as it must become. NULL for bytes that are wrong. */
const uint8_t *tdm_file_unpack(struct tdm_file_packer *p, const struct tdm_file_packed *packed,
                               const uint8_t *body, uint32_t *size);

#endif
