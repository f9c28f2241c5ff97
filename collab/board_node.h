/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_NODE_H
#define TDM_COLLAB_BOARD_NODE_H

/*
 * Ordered trees of nodes that live inside other structs: treaps, balanced by a random weight of
 * each node. The caller walks down from the root by its own order and says where the node goes.
 */

#include <stddef.h>
#include <stdint.h>

struct board_node {
    struct board_node *low, *high, *up;
    uint32_t weight;
};

#define BOARD_OF(node, type, member) ((type *)(void *)((uint8_t *)(node)-offsetof(type, member)))

/** Hangs `n` (weight set) at `*link`, which is NULL and belongs to `up`, and restores balance. */
void board_node_hang(struct board_node **root, struct board_node *up, struct board_node **link,
                     struct board_node *n);
void board_node_remove(struct board_node **root, struct board_node *n);

struct board_node *board_node_lowest(struct board_node *root);
struct board_node *board_node_highest(struct board_node *root);
struct board_node *board_node_next(const struct board_node *n);
struct board_node *board_node_before(const struct board_node *n);

#endif
