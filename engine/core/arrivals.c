/* SPDX-License-Identifier: MIT */
#include "engine/core/arrivals.h"

#include "engine/wire/rtp.h"

#define EVERY_FAST    (10 * TDM_MS)
#define EVERY_SLOW    (20 * TDM_MS) /* Below this rate messages would be a large part of it. */
#define EVERY_SLOWEST (40 * TDM_MS)
#define SLOWEST_BPS   300000
#define SLOW_BPS      1000000
#define RATE_EVERY    (500 * TDM_MS)
#define AGAIN_AFTER   (50 * TDM_MS)
#define AGAIN_PACKETS 128
#define REPORTS_MAX   TDM_ARRIVALS_PACKETS

static struct tdm_ccfb_arrival *packet_at(struct tdm_arrivals_source *s, int64_t seq)
{
    return &s->packets[(uint64_t)seq & (TDM_ARRIVALS_PACKETS - 1)];
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The first number that is remembered. */
static int64_t oldest_of(const struct tdm_arrivals_source *s)
{
    return s->highest - TDM_ARRIVALS_PACKETS + 1;
}

/* What comes late may be from before `seq`: nothing in the slots is of these numbers. */
static void start(struct tdm_arrivals_source *s, int64_t seq)
{
    s->first = s->next = s->before = seq;
    s->highest = seq - 1;
    for (int i = 0; i < TDM_ARRIVALS_PACKETS; i++)
        s->packets[i] = (struct tdm_ccfb_arrival){.at = TDM_NEVER};
}

void tdm_arrivals_init(struct tdm_arrivals *a)
{
    a->count = 0;
    a->due = TDM_NEVER;
    a->since = TDM_NEVER;
    a->bytes = 0;
    a->every = EVERY_SLOW;
    a->told = 0;
    for (int i = 0; i < TDM_ARRIVALS_SOURCES; i++) {
        a->sources[i].ssrc = 0;
        a->sources[i].heard = 0;
        start(&a->sources[i], 0);
    }
}

static struct tdm_arrivals_source *source_of(struct tdm_arrivals *a, uint32_t ssrc, uint16_t seq)
{
    struct tdm_arrivals_source *quietest = &a->sources[0];

    for (uint8_t i = 0; i < a->count; i++) {
        if (a->sources[i].ssrc == ssrc)
            return &a->sources[i];
        if (a->sources[i].heard < quietest->heard)
            quietest = &a->sources[i];
    }
    if (a->count < TDM_ARRIVALS_SOURCES)
        quietest = &a->sources[a->count++];
    quietest->ssrc = ssrc;
    start(quietest, 65536 + (int64_t)seq);
    return quietest;
}

static void count_rate(struct tdm_arrivals *a, tdm_time now, size_t size)
{
    if (a->since == TDM_NEVER || now < a->since)
        a->since = now;
    a->bytes += size;
    if (now - a->since < RATE_EVERY)
        return;
    double bps = (double)a->bytes * 8e9 / (double)(now - a->since);

    a->every = bps < SLOWEST_BPS ? EVERY_SLOWEST : bps < SLOW_BPS ? EVERY_SLOW : EVERY_FAST;
    a->bytes = 0;
    a->since = now;
}

/* A packet that came before, after a while in which nothing was told: the sender waits for word,
 * and what we said did not reach it. */
static void tell_again(struct tdm_arrivals *a, struct tdm_arrivals_source *s, tdm_time now,
                       int64_t seq)
{
    int64_t from = larger(seq - AGAIN_PACKETS, larger(s->first, oldest_of(s)));

    if (a->due != TDM_NEVER || now - a->told < AGAIN_AFTER)
        return;
    s->before = from < s->before ? from : s->before;
    s->next = seq < s->next ? seq : s->next;
    a->due = now;
}

void tdm_arrivals_packet(struct tdm_arrivals *a, tdm_time now, uint32_t ssrc, uint16_t seq,
                         size_t size, enum tdm_ecn ecn, tdm_time arrival)
{
    struct tdm_arrivals_source *s = source_of(a, ssrc, seq);
    int64_t extended = tdm_seq_extend(s->highest, seq);

    count_rate(a, now, size);
    s->heard = now;
    if (extended - s->highest > TDM_ARRIVALS_PACKETS || extended < s->highest - 32767)
        start(s, extended);
    if (extended <= s->highest - TDM_ARRIVALS_PACKETS)
        return; /* Too late to be of use. */
    while (s->highest < extended)
        packet_at(s, ++s->highest)->at = TDM_NEVER;
    struct tdm_ccfb_arrival *p = packet_at(s, extended);

    s->next = larger(s->next, oldest_of(s));
    s->before = larger(s->before, oldest_of(s));
    if (p->at != TDM_NEVER) { /* Came before: section 3.1 wants the mark, if either has it. */
        if (ecn == TDM_ECN_CE)
            p->ecn = ecn;
        tell_again(a, s, now, extended);
        return;
    }
    *p = (struct tdm_ccfb_arrival){.at = arrival, .ecn = ecn};
    if (extended < s->next)
        s->next = extended; /* Told as missing; told anew. */
    if (extended < s->before)
        s->before = extended;
    if (extended < s->first)
        s->first = extended;
    if (a->due == TDM_NEVER)
        a->due = tdm_time_max(now, a->told + a->every); /* At once what comes after a pause. */
}

/* What the message says of one source; false when there is nothing, or no room. */
static bool describe(struct tdm_arrivals_source *s, size_t room, struct tdm_ccfb_arrival *arrivals,
                     struct tdm_ccfb_source *to)
{
    size_t most = room < 12 ? 0 : (room - 8) / 4 * 2;
    int64_t from = s->before, count = s->highest - from + 1;

    if (s->next > s->highest || !most)
        return false;
    if (count > (int64_t)most) { /* What was told before gives way. */
        from = s->next;
        count = s->highest - from + 1;
        count = count < (int64_t)most ? count : (int64_t)most;
    }
    for (int64_t i = 0; i < count; i++)
        arrivals[i] = *packet_at(s, from + i);
    *to = (struct tdm_ccfb_source){.ssrc = s->ssrc,
                                   .begin_seq = (uint16_t)from,
                                   .count = (uint16_t)count,
                                   .arrivals = arrivals};
    s->before = s->next;
    s->next = from + count;
    return true;
}

void tdm_arrivals_write(struct tdm_arrivals *a, tdm_time now, uint64_t ntp, uint32_t sender_ssrc,
                        size_t size_max, struct tdm_writer *w)
{
    struct tdm_ccfb_arrival arrivals[TDM_ARRIVALS_SOURCES * REPORTS_MAX];
    struct tdm_ccfb_source sources[TDM_ARRIVALS_SOURCES];
    uint8_t count = 0;
    size_t used = TDM_CCFB_HEAD_BYTES, reports = 0;
    bool more = false;

    for (uint8_t i = 0; i < a->count; i++) {
        struct tdm_arrivals_source *s = &a->sources[i];

        if (used < size_max && describe(s, size_max - used, arrivals + reports, &sources[count])) {
            used += tdm_ccfb_source_bytes(sources[count].count);
            reports += sources[count++].count;
        }
        more |= s->next <= s->highest;
    }
    if (count)
        tdm_ccfb_write(w, sender_ssrc, now, ntp, sources, count);
    a->told = now;
    a->due = more && count ? now : TDM_NEVER;
}
