/* SPDX-License-Identifier: MIT */
/* The wire: messages on their way, who hears whom, what is sent again, and time. */
#include "signalling/sig_memory_state.h"

#include <stdlib.h>
#include <string.h>

#define T2         (4 * TDM_S) /* RFC 3261 section 17.1.2.1. */
#define FLIGHT_MAX 4096

struct tdm_memory_message *tdm_memory_copy(const struct tdm_memory_message *message)
{
    struct tdm_memory_message *copy = malloc(sizeof *copy + message->size);

    if (copy)
        memcpy(copy, message, sizeof *message + message->size);
    return copy;
}

static void put_in_flight(struct tdm_sig_wire *wire, const struct tdm_memory_message *message)
{
    struct tdm_memory_message **at = &wire->flight;
    uint32_t spread = (uint32_t)((wire->config.delay_max - wire->config.delay_min) / TDM_US);
    struct tdm_memory_message *copy =
        wire->in_flight < FLIGHT_MAX ? tdm_memory_copy(message) : NULL;

    if (!copy)
        return;
    copy->due = wire->now + wire->config.delay_min +
                (tdm_time)tdm_rng_below(&wire->rng, spread + 1) * TDM_US;
    while (*at && (*at)->due <= copy->due)
        at = &(*at)->next;
    copy->next = *at;
    *at = copy;
    wire->in_flight++;
}

/* Where a message comes from and goes to, on the stretch that it is on. */
static uint32_t hop_from(const struct tdm_memory_message *m)
{
    return m->service && m->relayed ? m->service - 1 : m->from;
}

static uint32_t hop_to(const struct tdm_memory_message *m)
{
    return m->service && !m->relayed ? m->service - 1 : m->to;
}

void tdm_memory_transmit(struct tdm_sig_wire *wire, const struct tdm_memory_message *message)
{
    struct tdm_sig *sender = wire->endpoints[hop_from(message)];

    if (sender)
        sender->talked |= UINT32_C(1) << hop_to(message);
    wire->stats.sent++;
    if (tdm_rng_chance(&wire->rng, wire->config.loss)) {
        wire->stats.lost++;
        return;
    }
    put_in_flight(wire, message);
    if (tdm_rng_chance(&wire->rng, wire->config.duplicate)) {
        wire->stats.duplicated++;
        put_in_flight(wire, message);
    }
}

void tdm_memory_repeat_stop(struct tdm_memory_repeat *repeat)
{
    free(repeat->message);
    repeat->message = NULL;
}

void tdm_memory_repeat_start(struct tdm_sig_wire *wire, struct tdm_memory_repeat *repeat,
                             const struct tdm_memory_message *message, bool capped)
{
    tdm_memory_repeat_stop(repeat);
    tdm_memory_transmit(wire, message);
    repeat->message = tdm_memory_copy(message);
    repeat->interval = TDM_MEMORY_T1;
    repeat->next = wire->now + TDM_MEMORY_T1;
    repeat->deadline = wire->now + TDM_MEMORY_TIMEOUT;
    repeat->capped = capped;
}

bool tdm_memory_repeat_step(struct tdm_sig_wire *wire, struct tdm_memory_repeat *repeat)
{
    if (!repeat->message)
        return false;
    if (wire->now >= repeat->deadline) {
        tdm_memory_repeat_stop(repeat);
        return true;
    }
    if (wire->now >= repeat->next) {
        tdm_memory_transmit(wire, repeat->message);
        repeat->interval *= 2;
        if (repeat->capped)
            repeat->interval = tdm_time_min(repeat->interval, T2);
        repeat->next = wire->now + repeat->interval;
    }
    return false;
}

tdm_time tdm_memory_repeat_wake(const struct tdm_memory_repeat *repeat)
{
    return repeat->message ? tdm_time_min(repeat->next, repeat->deadline) : TDM_NEVER;
}

static tdm_time wire_wake(const struct tdm_sig_wire *wire)
{
    tdm_time wake = wire->flight ? wire->flight->due : TDM_NEVER;

    for (uint32_t i = 0; i < TDM_MEMORY_ENDPOINTS_MAX; i++)
        for (uint32_t j = 0; wire->endpoints[i] && j < TDM_MEMORY_CALLS_MAX; j++)
            if (wire->endpoints[i]->calls[j].used)
                wake = tdm_time_min(wake, tdm_memory_call_wake(&wire->endpoints[i]->calls[j]));
    return wake;
}

static void relay(struct tdm_sig_wire *wire, const struct tdm_memory_message *m)
{
    struct tdm_memory_message *next = tdm_memory_copy(m);

    if (!next)
        return;
    next->relayed = true;
    tdm_memory_transmit(wire, next);
    free(next);
}

/* At the service, which passes it on, or where it goes to, if that lets it in. */
static void arrive(struct tdm_sig_wire *wire, const struct tdm_memory_message *m)
{
    struct tdm_sig *sig = wire->endpoints[hop_to(m)];

    if (!sig || (sig->closed && !(sig->talked >> hop_from(m) & 1)))
        return;
    wire->stats.delivered++;
    if (m->service && !m->relayed)
        relay(wire, m);
    else
        tdm_memory_deliver(sig, m);
}

/* All that is due at one instant. */
static void run_instant(struct tdm_sig_wire *wire)
{
    while (wire->flight && wire->flight->due <= wire->now) {
        struct tdm_memory_message *message = wire->flight;

        wire->flight = message->next;
        wire->in_flight--;
        arrive(wire, message);
        free(message);
    }
    for (uint32_t i = 0; i < TDM_MEMORY_ENDPOINTS_MAX; i++)
        for (uint32_t j = 0; wire->endpoints[i] && j < TDM_MEMORY_CALLS_MAX; j++)
            if (wire->endpoints[i]->calls[j].used)
                tdm_memory_call_step(wire->endpoints[i], &wire->endpoints[i]->calls[j]);
}

tdm_time tdm_sig_wire_step(struct tdm_sig_wire *wire, tdm_time now)
{
    for (;;) {
        tdm_time wake = wire_wake(wire);

        if (wake > now)
            break;
        wire->now = tdm_time_max(wake, wire->now);
        run_instant(wire);
    }
    wire->now = now;
    return wire_wake(wire);
}

struct tdm_sig_wire *tdm_sig_wire_create(const struct tdm_sig_wire_config *config)
{
    struct tdm_sig_wire *wire = calloc(1, sizeof *wire);

    if (!wire)
        return NULL;
    assert(config->delay_max >= config->delay_min && config->delay_min >= 0);
    wire->config = *config;
    wire->rng = tdm_rng_of(config->seed);
    return wire;
}

void tdm_sig_wire_destroy(struct tdm_sig_wire *wire)
{
    while (wire->flight) {
        struct tdm_memory_message *next = wire->flight->next;

        free(wire->flight);
        wire->flight = next;
    }
    free(wire);
}

void tdm_sig_wire_set_loss(struct tdm_sig_wire *wire, double loss, double duplicate)
{
    wire->config.loss = loss;
    wire->config.duplicate = duplicate;
}

int tdm_memory_endpoint_named(const struct tdm_sig_wire *wire, const char *name)
{
    for (int i = 0; i < TDM_MEMORY_ENDPOINTS_MAX; i++)
        if (wire->endpoints[i] && strcmp(wire->endpoints[i]->name, name) == 0)
            return i;
    return -1;
}

void tdm_sig_wire_close_side(struct tdm_sig_wire *wire, const char *name, const char *service)
{
    int index = tdm_memory_endpoint_named(wire, name),
        open = tdm_memory_endpoint_named(wire, service);

    assert(index >= 0 && open >= 0);
    wire->endpoints[index]->closed = true;
    wire->endpoints[index]->talked |= UINT32_C(1) << open;
}

struct tdm_sig_wire_stats tdm_sig_wire_stats_of(const struct tdm_sig_wire *wire)
{
    return wire->stats;
}
