/* SPDX-License-Identifier: MIT */
#include "collab/file_tree.h"

#include <assert.h>
#include <string.h>

uint32_t tdm_file_block_count(uint64_t size)
{
    assert(size <= TDM_FILE_SIZE_MAX);
    return (uint32_t)((size + TDM_FILE_BLOCK_BYTES - 1) / TDM_FILE_BLOCK_BYTES);
}

uint32_t tdm_file_block_size(uint64_t size, uint32_t index)
{
    uint64_t start = (uint64_t)index * TDM_FILE_BLOCK_BYTES;

    if (start >= size)
        return 0;
    return size - start < TDM_FILE_BLOCK_BYTES ? (uint32_t)(size - start) : TDM_FILE_BLOCK_BYTES;
}

/* RFC 9162 section 2.1.1: leaves and nodes are told apart by their first byte. */
void tdm_file_leaf(const void *data, size_t size, tdm_file_hash leaf)
{
    struct tdm_sha256_stream s;

    tdm_sha256_init(&s);
    tdm_sha256_update(&s, "\0", 1);
    tdm_sha256_update(&s, data, size);
    tdm_sha256_final(&s, leaf);
}

static void node(const tdm_file_hash left, const tdm_file_hash right, tdm_file_hash out)
{
    uint8_t both[1 + 2 * TDM_FILE_HASH_BYTES] = {1};

    memcpy(both + 1, left, TDM_FILE_HASH_BYTES);
    memcpy(both + 1 + TDM_FILE_HASH_BYTES, right, TDM_FILE_HASH_BYTES);
    tdm_sha256(both, sizeof both, out);
}

/*
 * Level by level: a node without a neighbour rises as it is, which is the tree of the RFC.
 *
 *   width 5   a b c d e
 *   width 3   ab  cd  e
 *   width 2   abcd    e
 *   width 1   abcde
 */
static uint32_t width_above(uint32_t width)
{
    return width / 2 + width % 2;
}

size_t tdm_file_tree_nodes(uint32_t leaves)
{
    size_t nodes = leaves;

    for (uint32_t width = leaves; width > 1;) {
        width = width_above(width);
        nodes += width;
    }
    return nodes;
}

void tdm_file_tree_build(tdm_file_hash *nodes, uint32_t leaves, tdm_file_hash root)
{
    if (leaves == 0) {
        tdm_sha256("", 0, root);
        return;
    }
    for (uint32_t width = leaves; width > 1;) {
        tdm_file_hash *above = nodes + width;

        for (uint32_t i = 0; i + 1 < width; i += 2)
            node(nodes[i], nodes[i + 1], above[i / 2]);
        if (width % 2)
            memcpy(above[width / 2], nodes[width - 1], TDM_FILE_HASH_BYTES);
        nodes = above;
        width = width_above(width);
    }
    memcpy(root, nodes[0], TDM_FILE_HASH_BYTES);
}

uint8_t tdm_file_tree_proof(tdm_file_hash *nodes, const struct tdm_file_place *place,
                            tdm_file_hash proof[TDM_FILE_PROOF_MAX])
{
    uint32_t index = place->index;
    uint8_t count = 0, level = 0;

    assert(index < place->leaves);
    for (uint32_t width = place->leaves; width > 1; width = width_above(width)) {
        if (level >= place->height && (index ^ 1) < width)
            memcpy(proof[count++], nodes[index ^ 1], TDM_FILE_HASH_BYTES);
        nodes += width;
        index /= 2;
        level++;
    }
    return count;
}

/* RFC 9162 section 2.1.3.2. */
bool tdm_file_tree_proves(const struct tdm_file_place *place, const tdm_file_hash hash,
                          const struct tdm_file_proof *proof)
{
    tdm_file_hash so_far;
    uint64_t covers = (uint64_t)1 << place->height;
    uint32_t index = place->index;
    uint8_t used = 0, level = 0;

    if (place->height >= 32 || index % covers || index + covers > place->leaves)
        return false;
    memcpy(so_far, hash, sizeof so_far);
    for (uint32_t width = place->leaves; width > 1; width = width_above(width)) {
        if (level++ >= place->height && (index ^ 1) < width) {
            if (used == proof->count)
                return false;
            const uint8_t *other = proof->hashes + (size_t)used++ * TDM_FILE_HASH_BYTES;

            if (index & 1)
                node(other, so_far, so_far);
            else
                node(so_far, other, so_far);
        }
        index /= 2;
    }
    return used == proof->count && memcmp(so_far, place->root, sizeof so_far) == 0;
}

void tdm_file_zeros(uint8_t height, tdm_file_hash hash)
{
    static const uint8_t zeros[4096];
    struct tdm_sha256_stream s;

    tdm_sha256_init(&s);
    tdm_sha256_update(&s, zeros, 1);
    for (size_t done = 0; done < TDM_FILE_BLOCK_BYTES; done += sizeof zeros)
        tdm_sha256_update(&s, zeros, sizeof zeros);
    tdm_sha256_final(&s, hash);
    for (uint8_t i = 0; i < height; i++)
        node(hash, hash, hash);
}

void tdm_file_root_init(struct tdm_file_root *r)
{
    r->count = 0;
}

/* level[k] holds the root of 2^k leaves wherever bit k of the count is set. */
void tdm_file_root_add(struct tdm_file_root *r, const tdm_file_hash leaf)
{
    tdm_file_hash carry;
    int k = 0;

    memcpy(carry, leaf, sizeof carry);
    for (; r->count >> k & 1; k++)
        node(r->level[k], carry, carry);
    memcpy(r->level[k], carry, sizeof carry);
    r->count++;
}

void tdm_file_root_final(const struct tdm_file_root *r, tdm_file_hash root)
{
    bool first = true;

    tdm_sha256("", 0, root);
    for (int k = 0; k < 32; k++) {
        if (!(r->count >> k & 1))
            continue;
        if (first)
            memcpy(root, r->level[k], TDM_FILE_HASH_BYTES);
        else
            node(r->level[k], root, root);
        first = false;
    }
}
