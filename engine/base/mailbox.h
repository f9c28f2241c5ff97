/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_MAILBOX_H
#define TDM_BASE_MAILBOX_H

/*
 * Latest-value mailbox between one producer and one consumer thread: three slots whose indexes
 * are swapped, so neither side ever waits and the consumer always gets the newest value whole.
 * A value that is overwritten before it was taken counts as `replaced`.
 *
 *      producer owns `back`   <->  shared `middle` (+ fresh bit)  <->  consumer owns `front`
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TDM_MAILBOX_SLOTS 3

struct tdm_mailbox {
    _Atomic uint8_t middle; /* Slot index, or-ed with TDM_MAILBOX_FRESH. */
    uint8_t back;           /* Producer's slot. */
    uint8_t front;          /* Consumer's slot. */
    _Atomic uint32_t replaced;
};

#define TDM_MAILBOX_FRESH 0x80u

static inline void tdm_mailbox_init(struct tdm_mailbox *m)
{
    m->back = 0;
    atomic_init(&m->middle, 1);
    m->front = 2;
    atomic_init(&m->replaced, 0);
}

/** Index of the slot that the producer may fill. Producer only. */
static inline uint8_t tdm_mailbox_back(const struct tdm_mailbox *m)
{
    return m->back;
}

/** Publishes the back slot and gets another to fill. Producer only. */
static inline void tdm_mailbox_publish(struct tdm_mailbox *m)
{
    uint8_t was = atomic_exchange_explicit(&m->middle, (uint8_t)(m->back | TDM_MAILBOX_FRESH),
                                           memory_order_acq_rel);

    if (was & TDM_MAILBOX_FRESH)
        atomic_fetch_add_explicit(&m->replaced, 1, memory_order_relaxed);
    m->back = was & (uint8_t)~TDM_MAILBOX_FRESH;
}

/** Swaps in the newest slot; false when nothing new came. `*slot` stays the consumer's until the
 *  next take that returns true. Consumer only. */
static inline bool tdm_mailbox_take(struct tdm_mailbox *m, uint8_t *slot)
{
    if (!(atomic_load_explicit(&m->middle, memory_order_relaxed) & TDM_MAILBOX_FRESH))
        return false;
    uint8_t was = atomic_exchange_explicit(&m->middle, m->front, memory_order_acq_rel);

    m->front = was & (uint8_t)~TDM_MAILBOX_FRESH;
    *slot = m->front;
    return true;
}

#endif
