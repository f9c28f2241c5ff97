/* SPDX-License-Identifier: MIT */
#include "engine/core/playout_store.h"

#include <assert.h>
#include <string.h>

#define SLOT_MASK (TDM_PLAYOUT_PACKETS - 1)

void tdm_playout_store_reset(struct tdm_playout_store *s, int64_t next)
{
    memset(s, 0, sizeof *s);
    s->next = next;
    s->highest = next - 1;
}

struct tdm_playout_slot *tdm_playout_store_at(struct tdm_playout_store *s, int64_t seq)
{
    struct tdm_playout_slot *slot = &s->slots[seq & SLOT_MASK];

    return slot->used && slot->seq == seq ? slot : NULL;
}

struct tdm_playout_slot *tdm_playout_store_first(struct tdm_playout_store *s)
{
    if (!s->count)
        return NULL;
    for (int64_t seq = s->next; seq <= s->highest; seq++) {
        struct tdm_playout_slot *slot = tdm_playout_store_at(s, seq);

        if (slot)
            return slot;
    }
    return NULL;
}

void tdm_playout_store_rewind(struct tdm_playout_store *s, int64_t next)
{
    if (next < s->next && s->highest - next < TDM_PLAYOUT_PACKETS)
        s->next = next;
}

void tdm_playout_store_advance(struct tdm_playout_store *s, int64_t next)
{
    if (next - s->next >= TDM_PLAYOUT_PACKETS) {
        tdm_playout_store_reset(s, next);
        return;
    }
    for (int64_t seq = s->next; seq < next && s->count; seq++) {
        struct tdm_playout_slot *slot = tdm_playout_store_at(s, seq);

        if (slot) {
            slot->used = false;
            s->count--;
        }
    }
    s->next = next;
    if (s->highest < next)
        s->highest = next - 1;
}

struct tdm_playout_slot *tdm_playout_store_put(struct tdm_playout_store *s, int64_t seq,
                                               uint32_t *dropped)
{
    uint32_t before = s->count;

    assert(seq >= s->next);
    if (tdm_playout_store_at(s, seq))
        return NULL;
    if (seq - s->next >= TDM_PLAYOUT_PACKETS)
        tdm_playout_store_advance(s, seq - TDM_PLAYOUT_PACKETS + 1);
    *dropped = before - s->count;

    struct tdm_playout_slot *slot = &s->slots[seq & SLOT_MASK];
    *slot = (struct tdm_playout_slot){.seq = seq, .used = true, .captured = TDM_NEVER};
    s->count++;
    if (seq > s->highest)
        s->highest = seq;
    return slot;
}
