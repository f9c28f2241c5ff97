/* SPDX-License-Identifier: MIT */
#include "signalling/rendezvous_tables.h"

#include <assert.h>

uint32_t tdm_rdv_pool_take(struct tdm_rdv_pool *p)
{
    uint32_t index;

    if (p->free_first) {
        index = p->free_first - 1;
        p->free_first = p->next[index];
    } else if (p->fresh < p->count) {
        index = p->fresh++;
    } else {
        return TDM_RDV_NONE;
    }
    p->used++;
    return index;
}

void tdm_rdv_pool_give(struct tdm_rdv_pool *p, uint32_t index)
{
    assert(index < p->fresh && p->used);
    p->next[index] = p->free_first;
    p->free_first = index + 1;
    p->used--;
}

struct tdm_rdv_key tdm_rdv_key_begin(const uint64_t secret[2])
{
    return (struct tdm_rdv_key){secret[0], secret[1]};
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

void tdm_rdv_key_add_bytes(struct tdm_rdv_key *key, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t word = 0;

    for (size_t left = size; left; left -= left < 8 ? left : 8) {
        word = 0;
        memcpy(&word, at + (size - left), left < 8 ? left : 8);
        key->a = mix(key->a, word);
        key->b = mix(key->b, word ^ key->a);
    }
    key->a = mix(key->a, size); /* So that two texts in a row are not one. */
    key->b = mix(key->b, size ^ key->a);
}

void tdm_rdv_key_add(struct tdm_rdv_key *key, struct tdm_text text)
{
    tdm_rdv_key_add_bytes(key, text.at, tdm_text_size(text));
}

void tdm_rdv_hash_add(struct tdm_rdv_hash *h, uint64_t hash, uint32_t index)
{
    h->next[index] = h->heads[hash & h->mask];
    h->heads[hash & h->mask] = index + 1;
}

void tdm_rdv_hash_remove(struct tdm_rdv_hash *h, uint64_t hash, uint32_t index)
{
    uint32_t *link = &h->heads[hash & h->mask];

    while (*link && *link != index + 1)
        link = &h->next[*link - 1];
    if (*link)
        *link = h->next[index];
}

void tdm_rdv_chain_drop(struct tdm_rdv_blocks *b, struct tdm_rdv_chain *chain)
{
    for (uint32_t at = chain->first; at;) {
        uint32_t following = b->following[at - 1];

        tdm_rdv_pool_give(&b->pool, at - 1);
        at = following;
    }
    *chain = (struct tdm_rdv_chain){0, 0};
}

bool tdm_rdv_chain_set(struct tdm_rdv_blocks *b, struct tdm_rdv_chain *chain, const void *data,
                       size_t size)
{
    struct tdm_rdv_chain made = {0, (uint32_t)size};
    uint32_t *link = &made.first;
    const uint8_t *at = data;

    for (size_t done = 0; done < size; done += TDM_RDV_BLOCK_BYTES) {
        uint32_t block = tdm_rdv_pool_take(&b->pool);
        size_t part = size - done < TDM_RDV_BLOCK_BYTES ? size - done : TDM_RDV_BLOCK_BYTES;

        if (block == TDM_RDV_NONE) {
            *link = 0;
            tdm_rdv_chain_drop(b, &made);
            return false;
        }
        memcpy(b->bytes + (size_t)block * TDM_RDV_BLOCK_BYTES, at + done, part);
        *link = block + 1;
        link = &b->following[block];
    }
    *link = 0;
    tdm_rdv_chain_drop(b, chain);
    *chain = made;
    return true;
}

size_t tdm_rdv_chain_copy(const struct tdm_rdv_blocks *b, const struct tdm_rdv_chain *chain,
                          void *to, size_t room)
{
    uint8_t *out = to;
    size_t done = 0;

    if (chain->size > room)
        return 0;
    for (uint32_t at = chain->first; at && done < chain->size; at = b->following[at - 1]) {
        size_t left = chain->size - done;
        size_t part = left < TDM_RDV_BLOCK_BYTES ? left : TDM_RDV_BLOCK_BYTES;

        memcpy(out + done, b->bytes + (size_t)(at - 1) * TDM_RDV_BLOCK_BYTES, part);
        done += part;
    }
    return done;
}

static void put(struct tdm_rdv_timers *t, uint32_t slot, uint32_t timer)
{
    t->heap[slot] = timer;
    t->place[timer] = slot + 1;
}

static void sink(struct tdm_rdv_timers *t, uint32_t slot, uint32_t timer)
{
    for (;;) {
        uint32_t child = 2 * slot + 1;

        if (child + 1 < t->running && t->at[t->heap[child + 1]] < t->at[t->heap[child]])
            child++;
        if (child >= t->running || t->at[t->heap[child]] >= t->at[timer])
            break;
        put(t, slot, t->heap[child]);
        slot = child;
    }
    put(t, slot, timer);
}

static void rise(struct tdm_rdv_timers *t, uint32_t slot, uint32_t timer)
{
    while (slot) {
        uint32_t parent = (slot - 1) / 2;

        if (t->at[t->heap[parent]] <= t->at[timer])
            break;
        put(t, slot, t->heap[parent]);
        slot = parent;
    }
    put(t, slot, timer);
}

static void settle(struct tdm_rdv_timers *t, uint32_t slot, uint32_t timer)
{
    if (slot && t->at[t->heap[(slot - 1) / 2]] > t->at[timer])
        rise(t, slot, timer);
    else
        sink(t, slot, timer);
}

void tdm_rdv_timer_set(struct tdm_rdv_timers *t, uint32_t timer, tdm_time at)
{
    assert(timer < t->count);
    t->at[timer] = at;
    if (t->place[timer])
        settle(t, t->place[timer] - 1, timer);
    else
        rise(t, t->running++, timer);
}

void tdm_rdv_timer_off(struct tdm_rdv_timers *t, uint32_t timer)
{
    uint32_t slot = t->place[timer];

    if (!slot)
        return;
    t->place[timer] = 0;
    uint32_t last = t->heap[--t->running];

    if (last != timer)
        settle(t, slot - 1, last);
}

tdm_time tdm_rdv_timer_first(const struct tdm_rdv_timers *t, uint32_t *timer)
{
    *timer = t->running ? t->heap[0] : TDM_RDV_NONE;
    return t->running ? t->at[t->heap[0]] : TDM_NEVER;
}
