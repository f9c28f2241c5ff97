/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_RENDEZVOUS_TABLES_H
#define TDM_SIGNALLING_RENDEZVOUS_TABLES_H

/*
 * Tables of fixed size in storage of the caller: pools of indices, hashes over them, texts in
 * chains of blocks, and a heap of deadlines. Storage that was never used is never touched, so that
 * a large limit costs nothing until it is needed.
 */

#include "engine/base/time.h"
#include "signalling/text.h"

#define TDM_RDV_NONE        UINT32_MAX
#define TDM_RDV_BLOCK_BYTES 512

/** Which indices below `count` are in use. `next` is zero at first. */
struct tdm_rdv_pool {
    uint32_t *next; /* Of those that are free again: the next one plus 1. */
    uint32_t count, used, fresh, free_first;
};

/** NONE when all are in use. */
uint32_t tdm_rdv_pool_take(struct tdm_rdv_pool *p);
void tdm_rdv_pool_give(struct tdm_rdv_pool *p, uint32_t index);

/** 128 bits of a keyed hash stand for what was hashed. */
struct tdm_rdv_key {
    uint64_t a, b;
};

struct tdm_rdv_key tdm_rdv_key_begin(const uint64_t secret[2]);
void tdm_rdv_key_add(struct tdm_rdv_key *key, struct tdm_text text);
void tdm_rdv_key_add_bytes(struct tdm_rdv_key *key, const void *bytes, size_t size);
static inline bool tdm_rdv_key_equal(struct tdm_rdv_key x, struct tdm_rdv_key y)
{
    return x.a == y.a && x.b == y.b;
}

/** Chains of indices by hash; `heads` and `next` hold an index plus 1, and are zero at first. */
struct tdm_rdv_hash {
    uint32_t *heads, *next;
    uint32_t mask;
};

void tdm_rdv_hash_add(struct tdm_rdv_hash *h, uint64_t hash, uint32_t index);
void tdm_rdv_hash_remove(struct tdm_rdv_hash *h, uint64_t hash, uint32_t index);
static inline uint32_t tdm_rdv_hash_first(const struct tdm_rdv_hash *h, uint64_t hash)
{
    return h->heads[hash & h->mask] - 1; /* 0 becomes NONE. */
}
static inline uint32_t tdm_rdv_hash_next(const struct tdm_rdv_hash *h, uint32_t index)
{
    return h->next[index] - 1;
}

struct tdm_rdv_blocks {
    struct tdm_rdv_pool pool;
    uint32_t *following; /* In a chain: the next block plus 1. */
    uint8_t *bytes;
};

struct tdm_rdv_chain {
    uint32_t first; /* Plus 1. */
    uint32_t size;
};

/** False, and nothing kept, when there is no room. */
bool tdm_rdv_chain_set(struct tdm_rdv_blocks *b, struct tdm_rdv_chain *chain, const void *data,
                       size_t size);
void tdm_rdv_chain_drop(struct tdm_rdv_blocks *b, struct tdm_rdv_chain *chain);
/** @return bytes copied; 0 when there is no such room. */
size_t tdm_rdv_chain_copy(const struct tdm_rdv_blocks *b, const struct tdm_rdv_chain *chain,
                          void *to, size_t room);

/** A heap: the earliest of the deadlines of `count` timers. */
struct tdm_rdv_timers {
    tdm_time *at;
    uint32_t *heap, *place; /* place: where a timer is in the heap, plus 1; 0: it is off. */
    uint32_t count, running;
};

void tdm_rdv_timer_set(struct tdm_rdv_timers *t, uint32_t timer, tdm_time at);
void tdm_rdv_timer_off(struct tdm_rdv_timers *t, uint32_t timer);
/** TDM_NEVER and NONE when all are off. */
tdm_time tdm_rdv_timer_first(const struct tdm_rdv_timers *t, uint32_t *timer);

#endif
