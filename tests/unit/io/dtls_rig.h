/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_DTLS_RIG_H
#define TDM_TESTS_DTLS_RIG_H

/*
 * Two DTLS associations and a seeded link between them that loses, doubles and reorders datagrams.
 * The library's timers run on the system's clock, so a pair is driven by the clock, too; many pairs
 * run side by side.
 */

#include "engine/base/rng.h"
#include "engine/io/clock.h"
#include "engine/io/dtls.h"
#include "engine/io/wake.h"

#include <string.h>

#define LINK_DATAGRAMS 64
#define LINK_BYTES     1400

struct link_datagram {
    uint8_t to; /* Which side. */
    uint16_t size;
    uint8_t bytes[LINK_BYTES];
};

struct dtls_pair;

struct dtls_side {
    struct dtls_pair *pair;
    uint8_t index;
    struct tdm_dtls *dtls;
    uint32_t sent, largest;
    uint8_t app[TDM_DTLS_DATAGRAM + 100];
    size_t app_size;
};

/* Side 0 is the client. */
struct dtls_pair {
    struct dtls_side sides[2];
    struct tdm_rng rng;
    uint32_t lose_percent, double_percent;
    bool reorder, dead;
    uint32_t waiting;
    struct link_datagram link[LINK_DATAGRAMS];
};

static inline void link_put(struct dtls_pair *p, uint8_t to, const uint8_t *data, size_t size)
{
    struct link_datagram *d;

    if (p->waiting == LINK_DATAGRAMS || size > LINK_BYTES)
        return;
    d = &p->link[p->waiting++];
    d->to = to;
    d->size = (uint16_t)size;
    memcpy(d->bytes, data, size);
}

static inline void link_send(void *arg, const uint8_t *data, size_t size)
{
    struct dtls_side *s = arg;
    struct dtls_pair *p = s->pair;

    s->sent++;
    if (size > s->largest)
        s->largest = (uint32_t)size;
    if (p->dead || tdm_rng_below(&p->rng, 100) < p->lose_percent)
        return;
    link_put(p, !s->index, data, size);
    if (tdm_rng_below(&p->rng, 100) < p->double_percent)
        link_put(p, !s->index, data, size);
}

static inline struct tdm_fingerprint_desc fingerprint_of(const struct tdm_identity *id)
{
    struct tdm_fingerprint_desc f = {.hash = "sha-256", .size = TDM_FINGERPRINT_BYTES};

    memcpy(f.bytes, tdm_identity_fingerprint(id), TDM_FINGERPRINT_BYTES);
    return f;
}

static inline enum tdm_err side_open(struct dtls_pair *p, uint8_t index,
                                     const struct tdm_identity *own,
                                     const struct tdm_fingerprint_desc *other)
{
    struct tdm_dtls_config config = {.identity = own,
                                     .client = index == 0,
                                     .fingerprint_count = 1,
                                     .fingerprints = {*other},
                                     .send = link_send,
                                     .arg = &p->sides[index]};
    struct tdm_cause cause;

    p->sides[index] = (struct dtls_side){.pair = p, .index = index};
    return tdm_dtls_create(&p->sides[index].dtls, &config, &cause);
}

static inline bool pair_open(struct dtls_pair *p, uint64_t seed,
                             const struct tdm_identity *const *ids)
{
    memset(p, 0, sizeof *p);
    p->rng = tdm_rng_of(seed);
    for (uint8_t i = 0; i < 2; i++) {
        struct tdm_fingerprint_desc other = fingerprint_of(ids[!i]);

        if (side_open(p, i, ids[i], &other) != TDM_OK)
            return false;
    }
    return true;
}

static inline void pair_close(struct dtls_pair *p)
{
    p->dead = true;
    tdm_dtls_destroy(p->sides[0].dtls);
    tdm_dtls_destroy(p->sides[1].dtls);
}

/* Delivers one datagram, the oldest or any; false when none waits. */
static inline bool pair_deliver(struct dtls_pair *p, tdm_time now)
{
    struct link_datagram d;
    uint32_t at = p->waiting && p->reorder ? tdm_rng_below(&p->rng, p->waiting) : 0;
    struct dtls_side *s;
    uint8_t app[sizeof s->app];
    size_t size;

    if (!p->waiting)
        return false;
    d = p->link[at];
    memmove(&p->link[at], &p->link[at + 1], (--p->waiting - at) * sizeof d);
    s = &p->sides[d.to];
    tdm_dtls_receive(s->dtls, now, d.bytes, d.size, app, &size);
    if (size) {
        memcpy(s->app, app, size);
        s->app_size = size;
    }
    return true;
}

static inline tdm_time pair_tick(struct dtls_pair *p, tdm_time now)
{
    tdm_time wake = TDM_NEVER;

    while (pair_deliver(p, now))
        ;
    for (int i = 0; i < 2; i++) {
        if (now >= tdm_dtls_wake_at(p->sides[i].dtls))
            tdm_dtls_tick(p->sides[i].dtls, now);
        wake = tdm_time_min(wake, tdm_dtls_wake_at(p->sides[i].dtls));
    }
    return p->waiting ? now : wake;
}

static inline bool pair_settled(const struct dtls_pair *p)
{
    return tdm_dtls_state(p->sides[0].dtls) != TDM_DTLS_HANDSHAKE &&
           tdm_dtls_state(p->sides[1].dtls) != TDM_DTLS_HANDSHAKE;
}

/* Until all have settled or the time is over; how many have. */
static inline uint32_t pairs_run(struct dtls_pair *pairs, uint32_t count, tdm_time duration)
{
    tdm_time end = tdm_clock_now() + duration;
    uint32_t settled = 0;

    for (uint32_t i = 0; i < count; i++)
        tdm_dtls_start(pairs[i].sides[0].dtls, tdm_clock_now());
    while (settled < count && tdm_clock_now() < end) {
        tdm_time wake = end;

        settled = 0;
        for (uint32_t i = 0; i < count; i++) {
            wake = tdm_time_min(wake, pair_tick(&pairs[i], tdm_clock_now()));
            settled += pair_settled(&pairs[i]);
        }
        if (settled < count)
            (void)tdm_wait_until(wake, -1, -1);
    }
    return settled;
}

#endif
