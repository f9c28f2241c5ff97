/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILE_TREE_H
#define TDM_COLLAB_FILE_TREE_H

/*
 * The hash of a file as a tree over blocks of 256 KiB: the Merkle tree of RFC 9162 section 2.1 with
 * SHA-256. The root names the content; each block can be proved to belong to it with one hash a
 * level, so that a block is checked when it arrives and a wrong one is fetched again alone. A file
 * of no bytes has no leaf, and the hash of nothing as its root.
 */

#include "engine/base/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_FILE_BLOCK_BYTES 262144
#define TDM_FILE_HASH_BYTES  TDM_SHA256_BYTES
#define TDM_FILE_PROOF_MAX   32
/* Blocks are counted in 32 bits. */
#define TDM_FILE_SIZE_MAX ((uint64_t)TDM_FILE_BLOCK_BYTES * UINT32_MAX)

typedef uint8_t tdm_file_hash[TDM_FILE_HASH_BYTES];

/** `size` up to TDM_FILE_SIZE_MAX. */
uint32_t tdm_file_block_count(uint64_t size);
/** Bytes of block `index` of a file of `size` bytes; 0 behind its end. */
uint32_t tdm_file_block_size(uint64_t size, uint32_t index);

void tdm_file_leaf(const void *data, size_t size, tdm_file_hash leaf);

/** Nodes of the tree over so many leaves, the leaves with them. */
size_t tdm_file_tree_nodes(uint32_t leaves);
/** `nodes` begins with the leaves; fills the others and gives the root. */
void tdm_file_tree_build(tdm_file_hash *nodes, uint32_t leaves, tdm_file_hash root);
struct tdm_file_proof {
    const uint8_t *hashes; /* `count` times TDM_FILE_HASH_BYTES. */
    uint8_t count;
};

/** Where a node stands: `height` 0 is a leaf; above, it covers 2^height whole leaves from `index`
 *  on, which is a multiple of as many. */
struct tdm_file_place {
    uint32_t index, leaves;
    uint8_t height;
    const uint8_t *root;
};

/** The hashes that prove the node, lowest first; returns how many. */
uint8_t tdm_file_tree_proof(tdm_file_hash *nodes, const struct tdm_file_place *place,
                            tdm_file_hash proof[TDM_FILE_PROOF_MAX]);

bool tdm_file_tree_proves(const struct tdm_file_place *place, const tdm_file_hash hash,
                          const struct tdm_file_proof *proof);

/** The node over 2^height blocks that are all zeros. */
void tdm_file_zeros(uint8_t height, tdm_file_hash hash);

/** The root of leaves that come one after the other, without keeping them. */
struct tdm_file_root {
    tdm_file_hash level[TDM_FILE_PROOF_MAX + 1];
    uint32_t count;
};

void tdm_file_root_init(struct tdm_file_root *r);
void tdm_file_root_add(struct tdm_file_root *r, const tdm_file_hash leaf);
void tdm_file_root_final(const struct tdm_file_root *r, tdm_file_hash root);

#endif
