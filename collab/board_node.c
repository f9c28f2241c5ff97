/* SPDX-License-Identifier: MIT */
#include "collab/board_node.h"

static void replace(struct board_node **root, struct board_node *old, struct board_node *with)
{
    if (!old->up)
        *root = with;
    else if (old->up->low == old)
        old->up->low = with;
    else
        old->up->high = with;
    if (with)
        with->up = old->up;
}

/* `n` changes places with the node above it. */
static void rotate_up(struct board_node **root, struct board_node *n)
{
    struct board_node *up = n->up;

    replace(root, up, n);
    if (up->low == n) {
        up->low = n->high;
        if (n->high)
            n->high->up = up;
        n->high = up;
    } else {
        up->high = n->low;
        if (n->low)
            n->low->up = up;
        n->low = up;
    }
    up->up = n;
}

void board_node_hang(struct board_node **root, struct board_node *up, struct board_node **link,
                     struct board_node *n)
{
    n->low = n->high = NULL;
    n->up = up;
    *link = n;
    while (n->up && n->up->weight < n->weight)
        rotate_up(root, n);
}

void board_node_remove(struct board_node **root, struct board_node *n)
{
    while (n->low && n->high)
        rotate_up(root, n->low->weight > n->high->weight ? n->low : n->high);
    replace(root, n, n->low ? n->low : n->high);
    n->low = n->high = n->up = NULL;
}

struct board_node *board_node_lowest(struct board_node *root)
{
    while (root && root->low)
        root = root->low;
    return root;
}

struct board_node *board_node_highest(struct board_node *root)
{
    while (root && root->high)
        root = root->high;
    return root;
}

struct board_node *board_node_next(const struct board_node *n)
{
    if (n->high)
        return board_node_lowest(n->high);
    while (n->up && n->up->high == n)
        n = n->up;
    return n->up;
}

struct board_node *board_node_before(const struct board_node *n)
{
    if (n->low)
        return board_node_highest(n->low);
    while (n->up && n->up->low == n)
        n = n->up;
    return n->up;
}
