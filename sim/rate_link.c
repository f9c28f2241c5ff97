/* SPDX-License-Identifier: MIT */
#include "sim/rate_link.h"

#include <string.h>

#define OPPORTUNITY_BYTES 1500
#define PI_EVERY          (16 * TDM_MS) /* RFC 9332 appendix A.1. */
#define PI_TARGET_S       0.015
#define PI_ALPHA          0.16
#define PI_BETA           3.2
#define COUPLING          2.0
#define RAMP_FROM         (800 * TDM_US)
#define RAMP_TO           (1200 * TDM_US)
#define CLASSIC_WEIGHT    0.1
#define CAPACITY_TICK     (100 * TDM_MS)

void tdm_rate_link_init(struct tdm_rate_link *link, const struct tdm_rate_link_config *config)
{
    memset(link, 0, sizeof *link);
    link->config = *config;
    link->rng = tdm_rng_of(config->seed);
    link->done = TDM_NEVER;
    link->policer_tokens = config->policer_bytes;
}

uint64_t tdm_rate_link_bps(const struct tdm_rate_link *link, tdm_time now)
{
    uint64_t bps = 0;

    for (uint32_t i = 0; i < link->config.step_count && link->config.steps[i].at <= now; i++)
        bps = link->config.steps[i].bps;
    return bps;
}

/* When opportunity `n` is, counted over all periods. */
static tdm_time opportunity(const struct tdm_rate_link_config *c, int64_t n)
{
    int64_t count = c->trace_count;
    int64_t period = c->trace_ms[count - 1];

    return (n / count * period + c->trace_ms[n % count]) * TDM_MS;
}

static int64_t first_opportunity(const struct tdm_rate_link_config *c, tdm_time now)
{
    int64_t count = c->trace_count;
    int64_t period = c->trace_ms[count - 1];
    int64_t turn = now / TDM_MS / period, low = turn * count, high = low + count;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (opportunity(c, middle) < now)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static tdm_time trace_finish(struct tdm_rate_link *link, tdm_time now, uint32_t bytes)
{
    uint32_t left = bytes;
    tdm_time at = now;

    if (link->trace_credit && link->trace_time == now / TDM_MS) {
        uint32_t used = left < link->trace_credit ? left : link->trace_credit;

        left -= used;
        link->trace_credit -= used;
    }
    while (left) {
        int64_t n = first_opportunity(&link->config, at);
        uint32_t used = left < OPPORTUNITY_BYTES ? left : OPPORTUNITY_BYTES;

        n = n > link->trace_at ? n : link->trace_at; /* What an idle link let pass is gone. */
        at = tdm_time_max(opportunity(&link->config, n), at);
        link->trace_at = n + 1;
        link->trace_credit = OPPORTUNITY_BYTES - used;
        link->trace_time = at / TDM_MS;
        left -= used;
    }
    return at;
}

static tdm_time step_finish(const struct tdm_rate_link *link, tdm_time now, uint32_t bytes)
{
    const struct tdm_rate_link_config *c = &link->config;
    double bits = bytes * 8.0;
    tdm_time at = now;

    for (uint32_t i = 0; i < c->step_count; i++) {
        tdm_time end = i + 1 < c->step_count ? c->steps[i + 1].at : TDM_NEVER;

        if (end <= at)
            continue;
        double rate = (double)c->steps[i].bps;
        double needs = rate > 0 ? bits / rate * 1e9 : 1e18;

        if (end == TDM_NEVER || needs <= (double)(end - at))
            return at + (tdm_time)needs;
        bits -= rate * (double)(end - at) * 1e-9;
        at = end;
    }
    return at;
}

static bool put(struct tdm_rate_queue *q, const struct tdm_rate_packet *p)
{
    if (q->count == TDM_RATE_LINK_PACKETS)
        return false;
    q->packets[(q->head + q->count++) & (TDM_RATE_LINK_PACKETS - 1)] = *p;
    q->bytes += p->bytes;
    return true;
}

static struct tdm_rate_packet take(struct tdm_rate_queue *q)
{
    struct tdm_rate_packet p = q->packets[q->head];

    q->head = (q->head + 1) & (TDM_RATE_LINK_PACKETS - 1);
    q->count--;
    q->bytes -= p.bytes;
    return p;
}

static tdm_time age(const struct tdm_rate_queue *q, tdm_time now)
{
    return q->count ? now - q->packets[q->head].queued : 0;
}

static void update_pi(struct tdm_rate_link *link, tdm_time now)
{
    if (now - link->pi_at < PI_EVERY)
        return;
    double delay = (double)tdm_time_max(age(&link->classic, now), age(&link->scalable, now)) * 1e-9;

    link->drop_chance += (PI_ALPHA * (delay - PI_TARGET_S) + PI_BETA * (delay - link->last_delay)) *
                         (double)PI_EVERY * 1e-9 / 0.016;
    link->drop_chance = link->drop_chance < 0 ? 0 : link->drop_chance > 1 ? 1 : link->drop_chance;
    link->last_delay = delay;
    link->pi_at = now;
}

static void mark(struct tdm_rate_link *link, struct tdm_rate_packet *p, tdm_time now)
{
    tdm_time waited = now - p->queued;
    double own = waited <= RAMP_FROM ? 0
                 : waited >= RAMP_TO ? 1
                                     : (double)(waited - RAMP_FROM) / (double)(RAMP_TO - RAMP_FROM);
    double coupled = link->drop_chance * COUPLING;

    p->ce |= tdm_rng_chance(&link->rng, own > coupled ? own : coupled);
}

static void serve(struct tdm_rate_link *link, tdm_time now)
{
    struct tdm_rate_queue *q = &link->classic;

    link->done = TDM_NEVER;
    link->busy = link->classic.count || link->scalable.count;
    if (!link->busy)
        return;
    if (link->scalable.count && (!link->classic.count || link->share < 1 - CLASSIC_WEIGHT))
        q = &link->scalable;
    link->share += (q == &link->scalable ? 0.05 : 0.0) - 0.05 * link->share;
    link->serving = take(q);
    if (q == &link->scalable)
        mark(link, &link->serving, now);
    link->done = link->config.trace_count ? trace_finish(link, now, link->serving.bytes)
                                          : step_finish(link, now, link->serving.bytes);
}

/* Bytes that may wait. */
static double room(const struct tdm_rate_link *link, tdm_time now)
{
    const struct tdm_rate_link_config *c = &link->config;

    if (!c->queue_delay || c->trace_count)
        return c->queue_bytes;
    double bytes = (double)tdm_rate_link_bps(link, now) / 8e9 * (double)c->queue_delay;

    return bytes > 3000 ? bytes : 3000;
}

static bool policed(struct tdm_rate_link *link, tdm_time now, uint32_t bytes)
{
    const struct tdm_rate_link_config *c = &link->config;

    if (!c->policer_bps)
        return false;
    link->policer_tokens += (double)(now - link->policer_at) * (double)c->policer_bps / 8e9;
    link->policer_at = now;
    if (link->policer_tokens > c->policer_bytes)
        link->policer_tokens = c->policer_bytes;
    if (link->policer_tokens < bytes)
        return true;
    link->policer_tokens -= bytes;
    return false;
}

bool tdm_rate_link_push(struct tdm_rate_link *link, tdm_time now,
                        const struct tdm_rate_packet *packet)
{
    struct tdm_rate_packet p = *packet;
    bool scalable = link->config.dual && p.ect1;

    p.queued = now;
    update_pi(link, now);
    bool lost = (link->config.loss > 0 && tdm_rng_chance(&link->rng, link->config.loss)) ||
                policed(link, now, p.bytes) ||
                (double)(link->classic.bytes + link->scalable.bytes + p.bytes) > room(link, now);

    if (link->config.dual && !scalable)
        lost |= tdm_rng_chance(&link->rng, link->drop_chance * link->drop_chance);
    if (lost || !put(scalable ? &link->scalable : &link->classic, &p)) {
        link->dropped++;
        return false;
    }
    if (!link->busy)
        serve(link, now);
    return true;
}

struct tdm_rate_packet tdm_rate_link_pop(struct tdm_rate_link *link)
{
    struct tdm_rate_packet p = link->serving;

    link->carried_bytes += p.bytes;
    serve(link, link->done);
    return p;
}

static double trace_bytes(const struct tdm_rate_link *link, tdm_time from, tdm_time to)
{
    return (double)(first_opportunity(&link->config, to) - first_opportunity(&link->config, from)) *
           OPPORTUNITY_BYTES;
}

tdm_time tdm_rate_link_holds(struct tdm_rate_link *link)
{
    bool held = link->config.reorder > 0 && tdm_rng_chance(&link->rng, link->config.reorder);

    return held ? link->config.reorder_for : 0;
}

double tdm_rate_link_capacity(const struct tdm_rate_link *link, tdm_time from, tdm_time to,
                              uint64_t limit_bps)
{
    double bytes = 0;

    for (tdm_time at = from; at < to; at += CAPACITY_TICK) {
        tdm_time end = tdm_time_min(at + CAPACITY_TICK, to);
        double most = (double)limit_bps / 8e9 * (double)(end - at);
        double can = link->config.trace_count
                         ? trace_bytes(link, at, end)
                         : (double)tdm_rate_link_bps(link, at) / 8e9 * (double)(end - at);

        if (link->config.policer_bps) {
            double let = (double)link->config.policer_bps / 8e9 * (double)(end - at);

            can = can < let ? can : let;
        }
        bytes += can < most ? can : most;
    }
    return bytes; /* Random loss is before the link. */
}
