/* SPDX-License-Identifier: MIT */
#include "collab/screen_cache.h"

#include <assert.h>
#include <string.h>

#define NONE TDM_SCREEN_NO_SLOT

struct slot {
    uint64_t first, second;
    uint32_t put_id, used_id; /* Frames. */
    uint32_t next;            /* In the bucket. */
    bool filled, recent;
};

struct tdm_screen_cache {
    uint32_t capacity, slots, hand, bucket_mask;
    struct slot *slot;
    uint32_t *buckets;
};

static uint32_t buckets_of(uint32_t slots)
{
    uint32_t count = 16;

    while (count < slots)
        count *= 2;
    return count;
}

size_t tdm_screen_cache_bytes(uint32_t slots)
{
    return sizeof(struct tdm_screen_cache) + slots * sizeof(struct slot) +
           buckets_of(slots) * sizeof(uint32_t);
}

struct tdm_screen_cache *tdm_screen_cache_init(void *storage, uint32_t slots)
{
    struct tdm_screen_cache *c = storage;

    *c = (struct tdm_screen_cache){.capacity = slots, .bucket_mask = buckets_of(slots) - 1};
    c->slot = (struct slot *)(c + 1);
    c->buckets = (uint32_t *)(c->slot + slots);
    tdm_screen_cache_limit(c, slots);
    return c;
}

void tdm_screen_cache_limit(struct tdm_screen_cache *c, uint32_t slots)
{
    c->slots = slots < c->capacity ? slots : c->capacity;
    c->hand = 0;
    memset(c->slot, 0, c->capacity * sizeof *c->slot);
    for (uint32_t i = 0; i <= c->bucket_mask; i++)
        c->buckets[i] = NONE;
}

uint32_t tdm_screen_cache_slots(const struct tdm_screen_cache *c)
{
    return c->slots;
}

static uint32_t *bucket_of(struct tdm_screen_cache *c, uint64_t first)
{
    return &c->buckets[first & c->bucket_mask];
}

bool tdm_screen_cache_may_have(const struct tdm_screen_cache *c, uint64_t first)
{
    for (uint32_t at = c->buckets[first & c->bucket_mask]; at != NONE; at = c->slot[at].next)
        if (c->slot[at].first == first)
            return true;
    return false;
}

uint32_t tdm_screen_cache_find(struct tdm_screen_cache *c, uint64_t first, uint64_t second,
                               uint32_t id)
{
    for (uint32_t at = *bucket_of(c, first); at != NONE; at = c->slot[at].next) {
        struct slot *slot = &c->slot[at];

        if (slot->first == first && slot->second == second) {
            slot->recent = true;
            slot->used_id = id;
            return at;
        }
    }
    return NONE;
}

static void empty(struct tdm_screen_cache *c, uint32_t at)
{
    uint32_t *link = bucket_of(c, c->slot[at].first);

    while (*link != at)
        link = &c->slot[*link].next;
    *link = c->slot[at].next;
    c->slot[at].filled = false;
}

uint32_t tdm_screen_cache_put(struct tdm_screen_cache *c, uint64_t first, uint64_t second,
                              uint32_t id)
{
    for (uint64_t tries = 0; tries < 2 * (uint64_t)c->slots; tries++) {
        uint32_t at = c->hand;
        struct slot *slot = &c->slot[at];

        c->hand = (at + 1) % c->slots;
        if (slot->filled && slot->used_id == id)
            continue;
        if (slot->filled && slot->recent) {
            slot->recent = false;
            continue;
        }
        if (slot->filled)
            empty(c, at);
        *slot = (struct slot){.first = first,
                              .second = second,
                              .put_id = id,
                              .used_id = id,
                              .next = *bucket_of(c, first),
                              .filled = true};
        *bucket_of(c, first) = at;
        return at;
    }
    return NONE;
}

void tdm_screen_cache_drop_after(struct tdm_screen_cache *c, uint32_t id)
{
    for (uint32_t at = 0; at < c->slots; at++)
        if (c->slot[at].filled && (int32_t)(c->slot[at].put_id - id) > 0)
            empty(c, at);
}
