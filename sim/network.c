/* SPDX-License-Identifier: MIT */
#include "sim/network.h"

#include "sim/due_heap.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define OPPORTUNITY_BYTES 1500
#define COPY_DELAY_MAX    (5 * TDM_MS)
#define CODEL_INTERVAL    (100 * TDM_MS)

/* A packet between its push and its pop. */
struct flight {
    struct tdm_sim_due due; /* First planned, first delivered. */
    tdm_time sent;
    uint64_t number;
    uint16_t channel, size;
    bool marked;
    uint32_t slot;
};

/* A packet in the queue, until its last bit leaves. */
struct departure {
    tdm_time at;
    uint32_t size;
};

struct tdm_sim_link {
    struct tdm_sim_link_config config;
    struct tdm_rng rng;
    struct tdm_sim_link_stats stats;
    bool ge_bad;
    tdm_time ge_at;    /* Slots up to here are drawn. */
    tdm_time free_at;  /* When the last bit of the queue leaves. */
    tdm_time last_due; /* Of the packets that keep their order. */
    tdm_time stall_from, stall_to;
    uint32_t window;              /* First window that has not ended. */
    uint64_t trace_index;         /* Current opportunity, counted through all repeats. */
    uint32_t trace_left;          /* Bytes left in it. */
    tdm_time over_since, mark_at; /* CoDel: since then all waited too long; when it marks next, */
    uint32_t mark_count;          /* and how often it did. */
    struct tdm_sim_due_heap flights;
    uint32_t *free_slots;
    uint32_t free_count;
    struct departure *departures; /* Ring of packets_max. */
    uint32_t departure_head, departure_count;
    uint32_t queued_bytes;
    uint8_t *slots;
};

double tdm_sim_exponential(struct tdm_rng *rng)
{
    /* J. von Neumann, "Various techniques used in connection with random digits", 1951: the length
     * of the first falling run of uniforms is odd with probability e^-first. */
    for (double whole = 0;; whole += 1) {
        double first = tdm_rng_unit(rng);
        double last = first;
        double next = tdm_rng_unit(rng);
        unsigned run = 1;

        while (next < last) {
            last = next;
            next = tdm_rng_unit(rng);
            run++;
        }
        if (run & 1)
            return whole + first;
    }
}

double tdm_sim_normal(struct tdm_rng *rng)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += tdm_rng_unit(rng);
    return sum;
}

double tdm_sim_exp(double x)
{
    /* Taylor on x / 256, then squared eight times. */
    double y = x / 256;
    double e = 1 + y * (1 + y / 2 * (1 + y / 3 * (1 + y / 4)));

    for (int i = 0; i < 8; i++)
        e *= e;
    return e;
}

static uint32_t packets_max_of(const struct tdm_sim_link_config *config)
{
    return config->packets_max ? config->packets_max : 2048;
}

static uint32_t packet_bytes_of(const struct tdm_sim_link_config *config)
{
    return config->packet_bytes_max ? config->packet_bytes_max : 1500;
}

size_t tdm_sim_link_bytes(const struct tdm_sim_link_config *config)
{
    size_t one = sizeof(struct flight) + sizeof(struct departure) + sizeof(uint32_t) +
                 packet_bytes_of(config);

    return sizeof(struct tdm_sim_link) + packets_max_of(config) * one;
}

static void plan_stall(struct tdm_sim_link *link, tdm_time after)
{
    const struct tdm_sim_link_config *c = &link->config;

    link->stall_from = link->stall_to = TDM_NEVER;
    if (c->stall_interval <= 0)
        return;
    link->stall_from =
        after + (tdm_time)(tdm_sim_exponential(&link->rng) * (double)c->stall_interval);
    link->stall_to = link->stall_from + (tdm_time)(tdm_rng_unit(&link->rng) * (double)c->stall_max);
}

struct tdm_sim_link *tdm_sim_link_init(void *storage, const struct tdm_sim_link_config *config)
{
    struct tdm_sim_link *link = storage;
    uint32_t count = packets_max_of(config);
    uint8_t *at = (uint8_t *)storage + sizeof(*link);

    assert(!config->trace_count || config->trace_ms[config->trace_count - 1] > 0);
    *link = (struct tdm_sim_link){.config = *config, .rng = tdm_rng_of(config->seed)};
    link->config.packets_max = count;
    link->config.packet_bytes_max = packet_bytes_of(config);
    link->flights = tdm_sim_due_heap_of(at, sizeof(struct flight));
    at += count * sizeof(struct flight);
    link->departures = (struct departure *)(void *)at;
    at += count * sizeof(struct departure);
    link->free_slots = (uint32_t *)(void *)at;
    link->slots = at + count * sizeof(uint32_t);
    for (uint32_t i = 0; i < count; i++)
        link->free_slots[i] = count - 1 - i;
    link->free_count = count;
    link->trace_left = OPPORTUNITY_BYTES;
    link->free_at = INT64_MIN;
    link->last_due = INT64_MIN;
    link->over_since = TDM_NEVER;
    plan_stall(link, 0);
    return link;
}

/* The time at or after `at` when the link is not held by a window or a random stall. */
static tdm_time after_stalls(struct tdm_sim_link *link, tdm_time at)
{
    const struct tdm_sim_link_config *c = &link->config;

    for (uint32_t i = link->window; i < c->window_count && c->windows[i].from <= at; i++)
        if (!c->windows[i].cut && at < c->windows[i].to)
            at = c->windows[i].to;
    while (link->stall_to <= at)
        plan_stall(link, link->stall_to);
    return link->stall_from <= at ? link->stall_to : at;
}

static bool is_cut(struct tdm_sim_link *link, tdm_time now)
{
    const struct tdm_sim_link_config *c = &link->config;

    while (link->window < c->window_count && c->windows[link->window].to <= now)
        link->window++;
    return link->window < c->window_count && c->windows[link->window].cut &&
           c->windows[link->window].from <= now;
}

static void step_loss(struct tdm_sim_link *link)
{
    const struct tdm_sim_link_config *c = &link->config;

    link->ge_bad = tdm_rng_chance(&link->rng, link->ge_bad ? 1 - c->ge_leave : c->ge_enter);
}

/* By what lasts a time, when the packet leaves the queue. */
static bool is_lost_then(struct tdm_sim_link *link, tdm_time left)
{
    const struct tdm_sim_link_config *c = &link->config;

    for (; c->ge_slot && link->ge_at < left; link->ge_at += c->ge_slot)
        step_loss(link);
    return c->ge_slot && link->ge_bad && tdm_rng_chance(&link->rng, c->ge_loss);
}

static bool is_lost(struct tdm_sim_link *link)
{
    const struct tdm_sim_link_config *c = &link->config;

    if (c->ge_enter > 0 && !c->ge_slot)
        step_loss(link);
    if (!c->ge_slot && link->ge_bad && tdm_rng_chance(&link->rng, c->ge_loss))
        return true;
    return c->loss > 0 && tdm_rng_chance(&link->rng, c->loss);
}

/* The opportunity's time; the trace repeats with the period of its last entry. */
static tdm_time opportunity_at(const struct tdm_sim_link_config *c, uint64_t index)
{
    uint64_t period = c->trace_ms[c->trace_count - 1];
    uint64_t ms = index / c->trace_count * period + c->trace_ms[index % c->trace_count];

    return (tdm_time)ms * TDM_MS;
}

/* When the last byte leaves through the trace. Moves the cursor only when `commit`. */
static tdm_time trace_departure(struct tdm_sim_link *link, tdm_time start, uint32_t size,
                                bool commit)
{
    const struct tdm_sim_link_config *c = &link->config;
    uint64_t index = link->trace_index;
    uint32_t left = link->trace_left;

    for (;;) {
        if (opportunity_at(c, index) >= start && left > 0) {
            uint32_t part = size < left ? size : left;

            size -= part;
            left -= part;
            if (size == 0)
                break;
        }
        index++;
        left = OPPORTUNITY_BYTES;
    }
    if (commit) {
        link->trace_index = index;
        link->trace_left = left;
    }
    return opportunity_at(c, index);
}

/* When the last bit leaves at the rates in force; TDM_NEVER when the link stands still for good. */
static tdm_time rate_departure(const struct tdm_sim_link_config *c, tdm_time start, uint32_t size)
{
    uint64_t rate = c->rate_bps;
    uint64_t bits = (uint64_t)size * 8;
    uint32_t next = 0;

    while (next < c->rate_step_count && c->rate_steps[next].at <= start)
        rate = c->rate_steps[next++].rate_bps;
    if (c->rate_step_count == 0 && rate == 0)
        return start;
    for (;; next++) {
        tdm_time until = next < c->rate_step_count ? c->rate_steps[next].at : TDM_NEVER;
        tdm_time need = rate ? (tdm_time)(bits * (uint64_t)TDM_S / rate) : TDM_NEVER;

        if (need != TDM_NEVER && (until == TDM_NEVER || need <= until - start))
            return start + need;
        if (until == TDM_NEVER)
            return TDM_NEVER;
        bits -= rate ? (uint64_t)((until - start) / TDM_US) * rate / 1000000u : 0;
        start = until;
        rate = c->rate_steps[next].rate_bps;
    }
}

static void drain_queue(struct tdm_sim_link *link, tdm_time now)
{
    while (link->departure_count && link->departures[link->departure_head].at <= now) {
        link->queued_bytes -= link->departures[link->departure_head].size;
        link->departure_head = (link->departure_head + 1) % link->config.packets_max;
        link->departure_count--;
    }
}

/* When the packet has left the queue; TDM_NEVER when the queue does not take it. */
static tdm_time enqueue(struct tdm_sim_link *link, tdm_time now, uint32_t size, tdm_time *waited)
{
    const struct tdm_sim_link_config *c = &link->config;
    tdm_time start = after_stalls(link, tdm_time_max(now, link->free_at));
    tdm_time out;

    *waited = start - now;
    drain_queue(link, now);
    out =
        c->trace_count ? trace_departure(link, start, size, false) : rate_departure(c, start, size);
    if (out == TDM_NEVER || link->departure_count == c->packets_max ||
        (c->queue_bytes && link->queued_bytes + size > c->queue_bytes) ||
        (c->queue_delay && start - now > c->queue_delay))
        return TDM_NEVER;
    if (c->trace_count)
        out = trace_departure(link, start, size, true);
    link->free_at = out;
    link->departures[(link->departure_head + link->departure_count++) % c->packets_max] =
        (struct departure){.at = out, .size = size};
    link->queued_bytes += size;
    if (link->queued_bytes > link->stats.queue_bytes_max)
        link->stats.queue_bytes_max = link->queued_bytes;
    link->stats.queue_delay_max = tdm_time_max(link->stats.queue_delay_max, out - now);
    return out;
}

/* Whether a packet that leaves at `out`, may be marked and waited before its own turn is. */
static bool is_marked(struct tdm_sim_link *link, tdm_time out, tdm_time waited)
{
    const struct tdm_sim_link_config *c = &link->config;

    if (!c->mark_delay || waited <= c->mark_delay) {
        link->over_since = TDM_NEVER;
        link->mark_count = 0;
        return false;
    }
    if (!c->mark_classic)
        return true;
    if (link->over_since == TDM_NEVER) {
        link->over_since = out;
        link->mark_at = out + CODEL_INTERVAL;
    }
    if (out < link->mark_at)
        return false;
    link->mark_count++;
    link->mark_at += (tdm_time)((double)CODEL_INTERVAL / sqrt(link->mark_count));
    return true;
}

static tdm_time draw_jitter(struct tdm_sim_link *link)
{
    double scale = (double)link->config.jitter;
    struct tdm_rng *rng = &link->rng;
    double deviate = 0;

    switch (link->config.jitter_kind) {
    case TDM_SIM_JITTER_NONE:
        break;
    case TDM_SIM_JITTER_UNIFORM:
        deviate = tdm_rng_unit(rng);
        break;
    case TDM_SIM_JITTER_NORMAL:
        deviate = tdm_sim_normal(rng);
        deviate = deviate < 0 ? -deviate : deviate;
        break;
    case TDM_SIM_JITTER_GAMMA:
        deviate = (tdm_sim_exponential(rng) + tdm_sim_exponential(rng)) / 2;
        break;
    }
    return (tdm_time)(deviate * scale);
}

static tdm_time delay_at(const struct tdm_sim_link_config *c, tdm_time left)
{
    tdm_time delay = c->delay;

    for (uint32_t i = 0; i < c->delay_step_count && c->delay_steps[i].at <= left; i++)
        delay = c->delay_steps[i].delay;
    return delay;
}

static tdm_time due_after(struct tdm_sim_link *link, tdm_time left)
{
    const struct tdm_sim_link_config *c = &link->config;
    tdm_time due = left + delay_at(c, left) + draw_jitter(link);

    if (!c->jitter_reorders)
        due = tdm_time_max(due, link->last_due);
    link->last_due = tdm_time_max(due, link->last_due);
    if (c->reorder > 0 && tdm_rng_chance(&link->rng, c->reorder)) {
        due += c->reorder_delay;
        link->stats.reordered++;
    }
    return due;
}

static void send_copy(struct tdm_sim_link *link, struct flight flight, const void *data)
{
    uint8_t *slot;

    if (link->free_count == 0) {
        link->stats.lost_queue++;
        return;
    }
    flight.slot = link->free_slots[--link->free_count];
    slot = link->slots + (size_t)flight.slot * link->config.packet_bytes_max;
    if (flight.size)
        memcpy(slot, data, flight.size);
    if (flight.size && link->config.corrupt > 0 &&
        tdm_rng_chance(&link->rng, link->config.corrupt)) {
        uint32_t bit = tdm_rng_below(&link->rng, flight.size * 8u);

        slot[bit / 8] ^= (uint8_t)(1u << bit % 8);
        link->stats.corrupted++;
    }
    tdm_sim_due_heap_push(&link->flights, &flight);
    link->stats.in_flight++;
}

void tdm_sim_link_push(struct tdm_sim_link *link, tdm_time now, uint16_t channel, const void *data,
                       size_t size)
{
    const struct tdm_sim_link_config *c = &link->config;
    struct flight flight = {.sent = now, .channel = channel, .size = (uint16_t)size};
    tdm_time left, waited;

    assert(size <= c->packet_bytes_max);
    flight.number = link->stats.pushed++;
    link->stats.pushed_bytes += size;
    if (is_cut(link, now)) {
        link->stats.lost_cut++;
        return;
    }
    if (is_lost(link)) {
        link->stats.lost_random++;
        return;
    }
    left = enqueue(link, now, (uint32_t)size, &waited);
    if (left == TDM_NEVER) {
        link->stats.lost_queue++;
        return;
    }
    if (is_lost_then(link, left)) {
        link->stats.lost_random++;
        return;
    }
    if ((channel & TDM_SIM_MAY_MARK) && is_marked(link, left, waited)) {
        flight.marked = true;
        link->stats.marked++;
    }
    flight.due.at = due_after(link, left);
    send_copy(link, flight, data);
    if (c->duplicate > 0 && tdm_rng_chance(&link->rng, c->duplicate)) {
        flight.due.at += (tdm_time)(tdm_rng_unit(&link->rng) * (double)COPY_DELAY_MAX);
        link->stats.copies++;
        send_copy(link, flight, data);
    }
}

tdm_time tdm_sim_link_due(const struct tdm_sim_link *link)
{
    return tdm_sim_due_heap_at(&link->flights);
}

bool tdm_sim_link_pop(struct tdm_sim_link *link, tdm_time now, struct tdm_sim_packet *packet)
{
    struct flight flight;

    if (tdm_sim_link_due(link) > now || link->flights.count == 0)
        return false;
    tdm_sim_due_heap_pop(&link->flights, &flight);
    link->free_slots[link->free_count++] = flight.slot;
    link->stats.in_flight--;
    link->stats.delivered++;
    link->stats.delivered_bytes += flight.size;
    *packet = (struct tdm_sim_packet){.channel = flight.channel,
                                      .marked = flight.marked,
                                      .size = flight.size,
                                      .number = flight.number,
                                      .sent = flight.sent,
                                      .data = link->slots +
                                              (size_t)flight.slot * link->config.packet_bytes_max};
    return true;
}

const struct tdm_sim_link_stats *tdm_sim_link_stats_of(const struct tdm_sim_link *link)
{
    return &link->stats;
}
