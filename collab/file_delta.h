/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILE_DELTA_H
#define TDM_COLLAB_FILE_DELTA_H

/*
 * A new version of a file told by an old one that the receiver has. The receiver sends a signature
 * for each chunk of the old file; the sender finds these chunks anywhere in its blocks (a rolling
 * sum first, eight bytes of SHA-256 to confirm) and sends a block as "copy from there" and literal
 * bytes. Nothing is believed: the block that results is checked against the tree like any other,
 * and asked for whole when it is wrong. Memory and work are bounded by TDM_DELTA_CHUNKS_MAX and by
 * how often a stranger's sums may be confirmed in vain.
 */

#include "collab/file_tree.h"
#include "engine/base/bytes.h"
#include "engine/base/err.h"

#define TDM_DELTA_CHUNKS_MAX      65536
#define TDM_DELTA_CHUNK_MIN       1024
#define TDM_DELTA_CHUNK_MAX       131072
#define TDM_DELTA_SIGNATURE_BYTES 12

/** Bytes of a chunk for an old file of that size; 0: too small or too big for a delta. */
uint32_t tdm_delta_chunk_bytes(uint64_t old_size);
/** Whole chunks of it; what is left at its end has no signature. */
uint32_t tdm_delta_chunk_count(uint64_t old_size);

void tdm_delta_sign(const uint8_t *chunk, uint32_t size,
                    uint8_t signature[TDM_DELTA_SIGNATURE_BYTES]);

/** What the sender knows of the old file. Storage of the caller: about 1.3 MB. */
struct tdm_delta {
    uint32_t chunk_bytes, count;
    uint32_t sums[TDM_DELTA_CHUNKS_MAX];
    uint8_t strong[TDM_DELTA_CHUNKS_MAX][8];
    uint32_t next[TDM_DELTA_CHUNKS_MAX];  /* Of the same bucket, + 1. */
    uint32_t heads[TDM_DELTA_CHUNKS_MAX]; /* Buckets, + 1. */
};

/** TDM_E_MALFORMED: no chunk size that tdm_delta_chunk_bytes gives. */
enum tdm_err tdm_delta_init(struct tdm_delta *d, uint32_t chunk_bytes);
/** The signature of the next chunk. TDM_E_SPACE when there are too many. */
enum tdm_err tdm_delta_learn(struct tdm_delta *d,
                             const uint8_t signature[TDM_DELTA_SIGNATURE_BYTES]);

/** A block within its surroundings: `data` begins `before` bytes in front of it and ends `after`
 *  bytes behind; a chunk's length of each is of use. */
struct tdm_delta_view {
    const uint8_t *data;
    uint32_t before, size, after;
};

/** Writes instructions for the block. TDM_E_SPACE: they do not fit in what `w` has, or nothing of
 *  the old file was found. */
enum tdm_err tdm_delta_make(const struct tdm_delta *d, const struct tdm_delta_view *view,
                            struct tdm_writer *w);

struct tdm_delta_op {
    bool copy;
    uint32_t size;
    uint64_t old_offset;    /* copy. */
    const uint8_t *literal; /* Else: borrows from the instructions. */
};

/** The next instruction that fits in `room` bytes of a block. TDM_E_GONE at the end;
 *  TDM_E_MALFORMED. */
enum tdm_err tdm_delta_next(struct tdm_reader *r, uint32_t room, struct tdm_delta_op *op);

#endif
