/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_PLAYOUT_STORE_H
#define TDM_CORE_PLAYOUT_STORE_H

/*
 * The packets that wait to be played, by extended sequence number. It sorts and refuses
 * duplicates; what is late or lost, the playout decides.
 */

#include "engine/core/playout.h"

/** One waiting packet; owned by the playout that holds the store. */
struct tdm_playout_slot {
    int64_t seq;
    int64_t pos;       /* Media position of the first sample, at sample_hz. */
    tdm_time captured; /* Or TDM_NEVER. */
    uint32_t samples;  /* 0 = not known. */
    uint16_t size;
    bool heals; /* It also carries the packet before it. */
    bool used;
};

struct tdm_playout_store {
    struct tdm_playout_slot slots[TDM_PLAYOUT_PACKETS]; /* seq at seq modulo the size. */
    int64_t next;    /* Everything below has been played or given up. */
    int64_t highest; /* Highest seq waiting; below `next` when nothing waits. */
    uint32_t count;
};

/** Empties the store; it expects `next` from now on. */
void tdm_playout_store_reset(struct tdm_playout_store *s, int64_t next);

/** The slot of a waiting packet, or NULL. */
struct tdm_playout_slot *tdm_playout_store_at(struct tdm_playout_store *s, int64_t seq);

/** The waiting packet with the lowest seq, or NULL. */
struct tdm_playout_slot *tdm_playout_store_first(struct tdm_playout_store *s);

/**
 * A free slot for `seq`, marked as waiting, for the caller to fill; NULL for a duplicate. Packets
 * too old to fit beside it are given up and counted in `dropped`. seq must not be below next.
 */
struct tdm_playout_slot *tdm_playout_store_put(struct tdm_playout_store *s, int64_t seq,
                                               uint32_t *dropped);

/** Expects an earlier packet after all, if it fits beside those that wait. */
void tdm_playout_store_rewind(struct tdm_playout_store *s, int64_t next);

/** Moves on to `next`: what lies below is freed. */
void tdm_playout_store_advance(struct tdm_playout_store *s, int64_t next);

#endif
