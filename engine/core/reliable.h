/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_RELIABLE_H
#define TDM_CORE_RELIABLE_H

/*
 * An ordered stream of bytes both ways over datagrams that may be lost, doubled and overtaken: the
 * data channel's last resort, where no TCP passes but media does. The opener begins; the other end
 * answers and never speaks first. Every datagram, docs/reliable.md:
 *
 *   flags 1 | id 4 | time 4 | echo 4 | delay 4 | offset 6 | acked 6 | window 4 | ranges 1 |
 *   ranges x (begin 4, size 4), from `acked` on | bytes to the end
 *
 * It gives way: a queue of more than 20 ms at the bottleneck makes the window smaller (as LEDBAT,
 * RFC 6817), and the rate that it is told is never exceeded. It neither encrypts nor knows whom it
 * talks to: what carries it does.
 *
 * Owned by one thread.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_RELIABLE_DATAGRAM 1150
#define TDM_RELIABLE_BUFFER   ((size_t)256 * 1024) /* Of bytes, each way. */

struct tdm_reliable;

enum tdm_reliable_state {
    TDM_RELIABLE_IDLE,    /* The answering end: nobody has opened. */
    TDM_RELIABLE_OPENING, /* The opener: no answer yet. */
    TDM_RELIABLE_UP,
    TDM_RELIABLE_CLOSED, /* The other side has closed it. */
    TDM_RELIABLE_LOST,   /* Nothing was heard for too long. */
};

struct tdm_reliable_config {
    bool opener;
    uint32_t id; /* The opener's: later than that of any stream before, modulo 2^32. */
};

enum tdm_reliable_input { TDM_RELIABLE_RECEIVED, TDM_RELIABLE_RATE, TDM_RELIABLE_CLOSE };

struct tdm_reliable_in {
    enum tdm_reliable_input kind;
    const uint8_t *data; /* RECEIVED: one datagram. */
    size_t size;
    uint64_t rate_bps; /* RATE: of all datagrams together; 0: no limit. */
};

struct tdm_reliable_out {
    size_t size; /* Of a datagram that must leave now; 0: none. */
    uint8_t data[TDM_RELIABLE_DATAGRAM];
    bool begun;       /* The answering end: a new stream; what was of the old one is gone. */
    tdm_time wake_at; /* Now, when more can leave at once. */
};

struct tdm_reliable_stats {
    tdm_time rtt; /* Smoothed; 0: unknown. */
    tdm_time queue_delay;
    uint32_t window_bytes; /* That may be under way. */
    uint64_t datagrams_sent, datagrams_again, datagrams_received, refused;
};

/** Bytes of storage, aligned as by malloc. */
size_t tdm_reliable_bytes(void);
struct tdm_reliable *tdm_reliable_init(void *storage, const struct tdm_reliable_config *config,
                                       tdm_time now);

/** One input, or NULL when only time has passed or after a write or read. */
void tdm_reliable_step(struct tdm_reliable *r, tdm_time now, const struct tdm_reliable_in *in,
                       struct tdm_reliable_out *out);

/** @return how many bytes were taken. They leave with the steps that follow. */
size_t tdm_reliable_write(struct tdm_reliable *r, const uint8_t *data, size_t size);
/** @return how many bytes were there, up to `size`. */
size_t tdm_reliable_read(struct tdm_reliable *r, uint8_t *data, size_t size);

/** Bytes that were written and never sent yet. */
size_t tdm_reliable_unsent(const struct tdm_reliable *r);
/** How many bytes a write would take. */
size_t tdm_reliable_room(const struct tdm_reliable *r);
/** How many bytes a read would give. */
size_t tdm_reliable_readable(const struct tdm_reliable *r);

enum tdm_reliable_state tdm_reliable_state_of(const struct tdm_reliable *r);
void tdm_reliable_stats_of(const struct tdm_reliable *r, struct tdm_reliable_stats *stats);

#endif
