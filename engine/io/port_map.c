/* SPDX-License-Identifier: MIT */
#include "engine/io/port_map.h"

#include "engine/base/ring.h"
#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS 64

static const struct tdm_gateway_ops *const kinds[TDM_PORT_MAP_KINDS] = {
    [TDM_PORT_MAP_NATPMP] = &tdm_gateway_natpmp,
    [TDM_PORT_MAP_UPNP] = &tdm_gateway_upnp,
};

/* One protocol's thread. It outlives the map when its gateway keeps it waiting at the end; whoever
 * comes second frees it. */
struct mapper {
    const struct tdm_gateway_ops *ops;
    struct tdm_gateway *gateway; /* The thread's, like the lease. */
    struct tdm_port_lease lease;
    int wake, stop_wake, changed_wake; /* Commands; the end, which also cuts a search short. */
    pthread_t thread;
    atomic_bool left; /* By one of the two. */
    struct tdm_ring commands;
    struct tdm_port_lease_in command_slots[COMMANDS];

    pthread_mutex_t lock; /* Of what follows; never held while a gateway is asked. */
    struct tdm_port_lease_entry told[TDM_PORT_LEASES_MAX];
    struct tdm_port_map_report report;
};

struct tdm_port_map {
    struct mapper *mappers[TDM_PORT_MAP_KINDS];
};

static void free_mapper(struct mapper *m)
{
    if (m->gateway)
        m->ops->destroy(m->gateway);
    if (m->wake > 0)
        (void)close(m->wake);
    if (m->stop_wake > 0)
        (void)close(m->stop_wake);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

static void publish(struct mapper *m, bool looked, const struct tdm_gateway_facts *facts)
{
    uint32_t held = 0;

    for (int i = 0; i < TDM_PORT_LEASES_MAX; i++)
        held += m->lease.entries[i].state == TDM_PORT_HELD;
    (void)pthread_mutex_lock(&m->lock);
    memcpy(m->told, m->lease.entries, sizeof m->told);
    m->report.looked |= looked;
    m->report.found = m->gateway != NULL;
    m->report.mappings = held;
    m->report.facts = *facts;
    (void)pthread_mutex_unlock(&m->lock);
    if (m->changed_wake >= 0 && !atomic_load(&m->left))
        tdm_wake_signal(m->changed_wake);
}

static struct tdm_port_lease_in perform(struct mapper *m, const struct tdm_port_lease_out *ask,
                                        struct tdm_gateway_facts *facts)
{
    if (ask->action == TDM_PORT_DO_FIND) {
        if (m->gateway)
            m->ops->destroy(m->gateway);
        m->gateway = m->ops->find(m->stop_wake, facts);
        return (struct tdm_port_lease_in){.kind = m->gateway ? TDM_PORT_FOUND : TDM_PORT_NOT_FOUND};
    }
    if (ask->action == TDM_PORT_DO_MAP)
        return m->ops->map(m->gateway, ask, facts);
    m->ops->unmap(m->gateway, ask);
    return (struct tdm_port_lease_in){.kind = TDM_PORT_UNMAPPED};
}

static void *run(void *arg)
{
    struct mapper *m = arg;
    struct tdm_gateway_facts facts = {.words = "still looking"};
    struct tdm_port_lease_out out;
    struct tdm_port_lease_in in;

    tdm_port_lease_step(&m->lease, tdm_clock_now(), NULL, &out);
    while (!out.done) {
        bool answered = out.action != TDM_PORT_DO_NOTHING;
        bool looked = out.action == TDM_PORT_DO_FIND;
        bool any = true;

        if (answered)
            in = perform(m, &out, &facts);
        else if ((any = tdm_ring_pop(&m->commands, &in) == TDM_OK) == false) {
            (void)tdm_wait_until(out.wake_at, m->wake, -1);
            tdm_wake_clear(m->wake);
            any = tdm_ring_pop(&m->commands, &in) == TDM_OK;
        }
        tdm_port_lease_step(&m->lease, tdm_clock_now(), any ? &in : NULL, &out);
        if (out.changed || answered)
            publish(m, looked, &facts);
    }
    if (atomic_exchange(&m->left, true))
        free_mapper(m);
    return NULL;
}

static struct mapper *start(const struct tdm_gateway_ops *ops,
                            const struct tdm_port_map_config *config, struct tdm_cause *cause)
{
    struct mapper *m = calloc(1, sizeof *m);

    if (!m) {
        (void)tdm_fail(cause, TDM_E_SYSTEM, "out of memory for port mappings");
        return NULL;
    }
    m->ops = ops;
    m->changed_wake = config->changed_wake;
    (void)pthread_mutex_init(&m->lock, NULL);
    tdm_ring_init(&m->commands, m->command_slots, sizeof *m->command_slots, COMMANDS);
    tdm_port_lease_init(&m->lease, config->seed, tdm_clock_now());
    m->wake = tdm_wake_open(cause);
    m->stop_wake = tdm_wake_open(cause);
    if (m->wake < 0 || m->stop_wake < 0 ||
        tdm_thread_start(&m->thread, "port-map", TDM_PRIORITY_NORMAL, run, m, NULL, cause) !=
            TDM_OK) {
        free_mapper(m);
        return NULL;
    }
    return m;
}

enum tdm_err tdm_port_map_create(struct tdm_port_map **out,
                                 const struct tdm_port_map_config *config, struct tdm_cause *cause)
{
    struct tdm_port_map *map = calloc(1, sizeof *map);

    if (!map)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for port mappings");
    for (int i = 0; i < TDM_PORT_MAP_KINDS; i++) {
        map->mappers[i] = start(kinds[i], config, cause);
        if (!map->mappers[i]) {
            tdm_port_map_destroy(map, TDM_S);
            return TDM_E_SYSTEM;
        }
    }
    *out = map;
    return TDM_OK;
}

static void command(struct tdm_port_map *map, const struct tdm_port_lease_in *in)
{
    for (int i = 0; i < TDM_PORT_MAP_KINDS; i++) {
        if (!map->mappers[i])
            continue;
        (void)tdm_ring_push(&map->mappers[i]->commands, in);
        tdm_wake_signal(map->mappers[i]->wake);
    }
}

void tdm_port_map_want(struct tdm_port_map *map, uint16_t port, bool tcp)
{
    command(map, &(struct tdm_port_lease_in){.kind = TDM_PORT_WANT, .port = port, .tcp = tcp});
}

void tdm_port_map_drop(struct tdm_port_map *map, uint16_t port, bool tcp)
{
    command(map, &(struct tdm_port_lease_in){.kind = TDM_PORT_DROP, .port = port, .tcp = tcp});
}

void tdm_port_map_network_changed(struct tdm_port_map *map)
{
    command(map, &(struct tdm_port_lease_in){.kind = TDM_PORT_NETWORK});
}

static bool ended(struct mapper *m, tdm_time deadline)
{
    struct timespec at = {.tv_sec = deadline / TDM_S, .tv_nsec = deadline % TDM_S};

    return pthread_clockjoin_np(m->thread, NULL, CLOCK_MONOTONIC, &at) == 0;
}

void tdm_port_map_destroy(struct tdm_port_map *map, tdm_time patience)
{
    tdm_time now = tdm_clock_now();

    for (int i = 0; i < TDM_PORT_MAP_KINDS; i++)
        if (map->mappers[i])
            tdm_wake_signal(map->mappers[i]->stop_wake);
    command(map, &(struct tdm_port_lease_in){.kind = TDM_PORT_STOP});
    for (int i = 0; i < TDM_PORT_MAP_KINDS; i++) {
        struct mapper *m = map->mappers[i];

        if (!m)
            continue;
        (void)pthread_mutex_lock(&m->lock);
        bool holds = m->report.found; /* Or is just being given something. */
        (void)pthread_mutex_unlock(&m->lock);
        bool joined = ended(m, now + (holds ? patience : 0));

        if (!joined)
            (void)pthread_detach(m->thread);
        if (atomic_exchange(&m->left, true))
            free_mapper(m);
    }
    free(map);
}

bool tdm_port_map_of(struct tdm_port_map *map, uint16_t port, bool tcp,
                     struct tdm_address *external)
{
    bool found = false;

    for (int i = 0; i < TDM_PORT_MAP_KINDS && !found; i++) {
        struct mapper *m = map->mappers[i];

        (void)pthread_mutex_lock(&m->lock);
        for (int k = 0; k < TDM_PORT_LEASES_MAX && !found; k++) {
            const struct tdm_port_lease_entry *e = &m->told[k];

            found = e->state == TDM_PORT_HELD && e->port == port && e->tcp == tcp;
            if (found)
                *external = e->external;
        }
        (void)pthread_mutex_unlock(&m->lock);
    }
    return found;
}

bool tdm_port_map_found(struct tdm_port_map *map)
{
    struct tdm_port_map_report report;
    bool found = false;

    for (int i = 0; i < TDM_PORT_MAP_KINDS; i++) {
        tdm_port_map_report(map, (enum tdm_port_map_kind)i, &report);
        found |= report.found;
    }
    return found;
}

void tdm_port_map_report(struct tdm_port_map *map, enum tdm_port_map_kind kind,
                         struct tdm_port_map_report *report)
{
    struct mapper *m = map->mappers[kind];

    (void)pthread_mutex_lock(&m->lock);
    *report = m->report;
    (void)pthread_mutex_unlock(&m->lock);
}
