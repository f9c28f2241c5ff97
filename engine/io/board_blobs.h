/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_BOARD_BLOBS_H
#define TDM_IO_BOARD_BLOBS_H

/*
 * A board's images, in the folder "BOARD.blobs" beside its journal: a file each, whose name is the
 * SHA-256 of what it holds. Written beside and renamed, so that there are no half ones; every
 * reading verifies. Any thread; blocks on the disk.
 */

#include "engine/base/digest.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_BLOB_MAX ((size_t)64 << 20)

struct tdm_board_blobs {
    char folder[480]; /* Made with the first blob. */
};

/** TDM_E_SYSTEM: the path is too long. */
enum tdm_err tdm_board_blobs_init(struct tdm_board_blobs *blobs, const char *board,
                                  struct tdm_cause *cause);
/** TDM_E_SPACE: larger than TDM_BLOB_MAX, or the disk is full; TDM_E_SYSTEM. */
enum tdm_err tdm_board_blobs_put(const struct tdm_board_blobs *blobs, const void *data, size_t size,
                                 uint8_t hash[TDM_SHA256_BYTES], struct tdm_cause *cause);
/** All of it, to be freed. TDM_E_GONE: not there; TDM_E_MALFORMED: not what its name says, and
 *  taken away, so that it is asked for anew. */
enum tdm_err tdm_board_blobs_get(const struct tdm_board_blobs *blobs,
                                 const uint8_t hash[TDM_SHA256_BYTES], uint8_t **data, size_t *size,
                                 struct tdm_cause *cause);
bool tdm_board_blobs_has(const struct tdm_board_blobs *blobs, const uint8_t hash[TDM_SHA256_BYTES]);
/** Takes every blob away that `wanted` does not want; returns how many. */
uint32_t tdm_board_blobs_sweep(const struct tdm_board_blobs *blobs,
                               bool (*wanted)(void *arg, const uint8_t hash[TDM_SHA256_BYTES]),
                               void *arg);

#endif
