/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_ARRIVALS_H
#define TDM_CORE_ARRIVALS_H

/*
 * The receiver's half of RFC 8888: remembers which packets came, when and with which ECN mark, and
 * says when the sender is told. Each packet is told of twice, in two messages, so that one lost
 * message costs nothing.
 *
 * One a transport; in a bundle all streams share it.
 */

#include "engine/base/time.h"
#include "engine/wire/ccfb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_ARRIVALS_SOURCES 8
#define TDM_ARRIVALS_PACKETS 512 /* A power of two; of each source. */

struct tdm_arrivals_source {
    uint32_t ssrc;
    int64_t first;   /* Before it nothing is known. */
    int64_t highest; /* Extended; behind it nothing came. */
    int64_t next;    /* First number that no message has told. */
    int64_t before;  /* First number of the last message. */
    tdm_time heard;
    struct tdm_ccfb_arrival packets[TDM_ARRIVALS_PACKETS];
};

struct tdm_arrivals {
    uint8_t count;
    tdm_time due;   /* When to tell; TDM_NEVER: nothing to tell. */
    tdm_time since; /* The rate is counted from here on. */
    uint64_t bytes;
    tdm_time every;
    tdm_time told; /* When it was told last. */
    struct tdm_arrivals_source sources[TDM_ARRIVALS_SOURCES];
};

void tdm_arrivals_init(struct tdm_arrivals *a);

/** A packet came, of `size` bytes, at the kernel's time `arrival`; told at a->due. The source that
 *  was silent longest gives way to a ninth. */
void tdm_arrivals_packet(struct tdm_arrivals *a, tdm_time now, uint32_t ssrc, uint16_t seq,
                         size_t size, enum tdm_ecn ecn, tdm_time arrival);

/** Writes one message of at most `size_max` bytes, which is `ntp` on our clock of sender reports;
 *  due again at once when there is more. */
void tdm_arrivals_write(struct tdm_arrivals *a, tdm_time now, uint64_t ntp, uint32_t sender_ssrc,
                        size_t size_max, struct tdm_writer *w);

#endif
