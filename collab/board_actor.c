/* SPDX-License-Identifier: MIT */
#include "collab/board_state.h"

/* Finalizer of MurmurHash3: spreads every bit. */
static uint32_t spread(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x85ebca6b;
    x ^= x >> 13;
    x *= 0xc2b2ae35;
    return x ^ x >> 16;
}

/* Where the actor's number stands in the slots, or would. */
static uint32_t slot_of(const struct tdm_board *b, uint32_t name)
{
    uint32_t slot = spread(name) % BOARD_ACTOR_SLOTS;

    while (b->actor_slots[slot] && b->actors[b->actor_slots[slot] - 1].name != name)
        slot = (slot + 1) % BOARD_ACTOR_SLOTS;
    return slot;
}

uint16_t board_actor_find(const struct tdm_board *b, uint32_t name)
{
    uint16_t number = b->actor_slots[slot_of(b, name)];

    return number ? (uint16_t)(number - 1) : BOARD_NO_ACTOR;
}

uint16_t board_actor_take(struct tdm_board *b, uint32_t name)
{
    uint32_t slot = slot_of(b, name);

    if (b->actor_slots[slot])
        return (uint16_t)(b->actor_slots[slot] - 1);
    if (b->actor_count + b->reserved >= TDM_BOARD_ACTORS_MAX)
        return BOARD_NO_ACTOR;
    b->actors[b->actor_count] = (struct board_actor){.name = name};
    b->actor_slots[slot] = (uint16_t)(++b->actor_count);
    return (uint16_t)(b->actor_count - 1);
}

void board_saw(struct tdm_board *b, uint16_t actor, uint32_t seq)
{
    if (seq > b->actors[actor].seen)
        b->actors[actor].seen = seq;
}

bool board_knows(const struct tdm_board *b, struct tdm_board_id id)
{
    uint16_t number = board_actor_find(b, id.actor);

    return number != BOARD_NO_ACTOR && id.seq <= b->actors[number].seq;
}

int board_stamp_order(const struct tdm_board *b, struct board_stamp a, struct board_stamp other)
{
    if (a.lamport != other.lamport)
        return a.lamport > other.lamport ? 1 : -1;
    if (a.actor != other.actor)
        return b->actors[a.actor].name > b->actors[other.actor].name ? 1 : -1;
    return (a.seq > other.seq) - (a.seq < other.seq);
}
