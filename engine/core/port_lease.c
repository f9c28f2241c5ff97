/* SPDX-License-Identifier: MIT */
#include "engine/core/port_lease.h"

#include "engine/base/rng.h"

#include <string.h>

/* RFC 6886 section 3.3 recommends two hours; ours refresh. */
#define LIFETIME        (3600 * TDM_S)
#define REFRESH_MIN     (30 * TDM_S)
#define REFRESH_ENDLESS (1200 * TDM_S) /* A gateway that forgets when it restarts. */
#define MAP_RETRY       (5 * TDM_S)
#define MAP_RETRY_MAX   (300 * TDM_S)
#define FIND_RETRY      (60 * TDM_S)
#define FIND_RETRY_MAX  (900 * TDM_S)
#define FAILURES_LOST   3 /* Answers missing in a row: the gateway is another one now, or gone. */
#define PORTS_TRIED_MAX 6

void tdm_port_lease_init(struct tdm_port_lease *l, uint64_t seed, tdm_time now)
{
    memset(l, 0, sizeof *l);
    l->seed = seed;
    l->find_at = now;
}

static tdm_time doubled(tdm_time pause, uint8_t times, tdm_time most)
{
    for (; times > 1 && pause < most; times--)
        pause *= 2;
    return tdm_time_min(pause, most);
}

static struct tdm_port_lease_entry *entry_of(struct tdm_port_lease *l, uint16_t port, bool tcp)
{
    for (int i = 0; i < TDM_PORT_LEASES_MAX; i++)
        if (l->entries[i].state != TDM_PORT_FREE && l->entries[i].port == port &&
            l->entries[i].tcp == tcp)
            return &l->entries[i];
    return NULL;
}

static void want(struct tdm_port_lease *l, tdm_time now, uint16_t port, bool tcp)
{
    struct tdm_port_lease_entry *e = entry_of(l, port, tcp);

    for (int i = 0; !e && i < TDM_PORT_LEASES_MAX; i++)
        if (l->entries[i].state == TDM_PORT_FREE)
            e = &l->entries[i];
    if (!e || l->stopping || e->state == TDM_PORT_WANTED || e->state == TDM_PORT_HELD)
        return;
    *e = (struct tdm_port_lease_entry){
        .state = TDM_PORT_WANTED, .port = port, .external_port = port, .tcp = tcp, .due = now};
}

/* An entry that the gateway may hold is removed there; one that it never had is forgotten. */
static void leave(struct tdm_port_lease *l, tdm_time now, struct tdm_port_lease_entry *e)
{
    bool in_flight = l->asked == TDM_PORT_DO_MAP && e == &l->entries[l->asked_index];

    if (e->state == TDM_PORT_HELD || in_flight) {
        e->state = TDM_PORT_LEAVING;
        e->due = now;
    } else if (e->state == TDM_PORT_WANTED) {
        e->state = TDM_PORT_FREE;
    }
}

/* What was mapped elsewhere is worth nothing here, and cannot be removed from here either. */
static void forget_gateway(struct tdm_port_lease *l, tdm_time now)
{
    l->found = false;
    for (int i = 0; i < TDM_PORT_LEASES_MAX; i++) {
        struct tdm_port_lease_entry *e = &l->entries[i];

        if (e->state == TDM_PORT_LEAVING)
            e->state = TDM_PORT_FREE;
        else if (e->state == TDM_PORT_HELD)
            e->state = TDM_PORT_WANTED;
        e->due = now;
        e->failures = 0;
    }
}

static void not_found(struct tdm_port_lease *l, tdm_time now)
{
    forget_gateway(l, now);
    l->find_failures = (uint8_t)(l->find_failures + (l->find_failures < UINT8_MAX));
    l->find_at = now + doubled(FIND_RETRY, l->find_failures, FIND_RETRY_MAX);
}

static void mapped(struct tdm_port_lease_entry *e, tdm_time now, const struct tdm_port_lease_in *in)
{
    tdm_time half =
        in->lifetime > 0 ? tdm_time_max(in->lifetime / 2, REFRESH_MIN) : REFRESH_ENDLESS;

    e->external = in->external;
    e->external_port = in->external.port;
    e->failures = e->attempts = 0;
    e->due = now + half;
    e->expires = in->lifetime > 0 ? now + in->lifetime : TDM_NEVER;
    if (e->state == TDM_PORT_LEAVING)
        e->due = now; /* Dropped while the answer was on its way. */
    else
        e->state = TDM_PORT_HELD;
}

/* The next port is a random one above 1023, which a gateway rarely has given away already. */
static void taken(struct tdm_port_lease *l, struct tdm_port_lease_entry *e, tdm_time now)
{
    struct tdm_rng rng = tdm_rng_of(l->seed++);

    e->state = e->state == TDM_PORT_LEAVING ? TDM_PORT_FREE : TDM_PORT_WANTED;
    e->external_port = (uint16_t)(1024 + tdm_rng_below(&rng, 65536 - 1024));
    e->due = ++e->attempts < PORTS_TRIED_MAX ? now : now + MAP_RETRY_MAX;
    if (e->attempts >= PORTS_TRIED_MAX)
        e->attempts = 0;
}

static void failed(struct tdm_port_lease *l, struct tdm_port_lease_entry *e, tdm_time now)
{
    if (e->state == TDM_PORT_LEAVING) {
        e->state = TDM_PORT_FREE;
        return;
    }
    e->failures = (uint8_t)(e->failures + (e->failures < UINT8_MAX));
    e->due = now + doubled(MAP_RETRY, e->failures, MAP_RETRY_MAX);
    if (e->failures == FAILURES_LOST) {
        forget_gateway(l, now);
        l->find_at = now;
        e->failures = FAILURES_LOST; /* One that always refuses is not looked for at once again. */
        e->due = now + doubled(MAP_RETRY, e->failures, MAP_RETRY_MAX);
    }
}

static void take_answer(struct tdm_port_lease *l, tdm_time now, const struct tdm_port_lease_in *in)
{
    struct tdm_port_lease_entry *e = &l->entries[l->asked_index];
    enum tdm_port_lease_action asked = l->asked;

    if (asked != TDM_PORT_DO_FIND && !l->found) {
        /* The network changed in between: what that gateway said is worth nothing. */
    } else if (asked == TDM_PORT_DO_FIND && in->kind == TDM_PORT_FOUND) {
        l->found = true;
        l->find_failures = 0;
    } else if (asked == TDM_PORT_DO_FIND && in->kind == TDM_PORT_NOT_FOUND) {
        not_found(l, now);
    } else if (asked == TDM_PORT_DO_MAP && in->kind == TDM_PORT_MAPPED) {
        mapped(e, now, in);
    } else if (asked == TDM_PORT_DO_MAP && in->kind == TDM_PORT_TAKEN) {
        taken(l, e, now);
    } else if (asked == TDM_PORT_DO_MAP && in->kind == TDM_PORT_FAILED) {
        failed(l, e, now);
    } else if (asked == TDM_PORT_DO_UNMAP && in->kind == TDM_PORT_UNMAPPED) {
        e->state = TDM_PORT_FREE;
    } else {
        return;
    }
    l->asked = TDM_PORT_DO_NOTHING;
}

static void take(struct tdm_port_lease *l, tdm_time now, const struct tdm_port_lease_in *in)
{
    struct tdm_port_lease_entry *e;

    switch (in->kind) {
    case TDM_PORT_WANT:
        want(l, now, in->port, in->tcp);
        break;
    case TDM_PORT_DROP:
        e = entry_of(l, in->port, in->tcp);
        if (e)
            leave(l, now, e);
        break;
    case TDM_PORT_NETWORK:
        forget_gateway(l, now);
        l->find_at = now;
        l->find_failures = 0;
        break;
    case TDM_PORT_STOP:
        l->stopping = true;
        for (int i = 0; i < TDM_PORT_LEASES_MAX; i++)
            leave(l, now, &l->entries[i]);
        break;
    default:
        take_answer(l, now, in);
        break;
    }
}

/* Old leases are over whether or not the gateway says so. */
static bool expire(struct tdm_port_lease *l, tdm_time now)
{
    bool any = false;

    for (int i = 0; i < TDM_PORT_LEASES_MAX; i++) {
        struct tdm_port_lease_entry *e = &l->entries[i];

        if (e->state == TDM_PORT_HELD && e->expires <= now) {
            e->state = TDM_PORT_WANTED;
            any = true;
        }
    }
    return any;
}

static void ask(struct tdm_port_lease *l, tdm_time now, struct tdm_port_lease_out *out)
{
    uint8_t next = 0;
    bool any = false;

    for (uint8_t i = 0; i < TDM_PORT_LEASES_MAX; i++) {
        if (l->entries[i].state == TDM_PORT_FREE)
            continue;
        if (!any || l->entries[i].due < l->entries[next].due)
            next = i;
        any = true;
    }
    out->done = l->stopping && !any && l->asked == TDM_PORT_DO_NOTHING;
    if (l->asked != TDM_PORT_DO_NOTHING || l->stopping > any)
        return;
    const struct tdm_port_lease_entry *e = &l->entries[next];
    tdm_time due = l->found ? (any ? e->due : TDM_NEVER) : l->find_at;

    if (due > now) {
        out->wake_at = tdm_time_min(out->wake_at, due);
        return;
    }
    out->action = l->found ? e->state == TDM_PORT_LEAVING ? TDM_PORT_DO_UNMAP : TDM_PORT_DO_MAP
                           : TDM_PORT_DO_FIND;
    out->port = e->port;
    out->external_port = e->external_port;
    out->tcp = e->tcp;
    out->lifetime = LIFETIME;
    l->asked = out->action;
    l->asked_index = next;
}

static uint64_t print_of(const struct tdm_port_lease *l)
{
    uint64_t print = 0;

    for (int i = 0; i < TDM_PORT_LEASES_MAX; i++)
        if (l->entries[i].state == TDM_PORT_HELD)
            print = print * 31 + (uint64_t)i * 65537 + l->entries[i].external_port +
                    ((uint64_t)l->entries[i].external.bytes[3] << 20) + 1;
    return print;
}

void tdm_port_lease_step(struct tdm_port_lease *l, tdm_time now, const struct tdm_port_lease_in *in,
                         struct tdm_port_lease_out *out)
{
    uint64_t before = print_of(l);

    *out = (struct tdm_port_lease_out){.wake_at = TDM_NEVER};
    if (in)
        take(l, now, in);
    out->changed = expire(l, now);
    for (int i = 0; i < TDM_PORT_LEASES_MAX; i++)
        if (l->entries[i].state == TDM_PORT_HELD)
            out->wake_at = tdm_time_min(out->wake_at, l->entries[i].expires);
    ask(l, now, out);
    out->changed |= print_of(l) != before;
}

bool tdm_port_lease_of(const struct tdm_port_lease *l, uint16_t port, bool tcp,
                       struct tdm_address *external)
{
    for (int i = 0; i < TDM_PORT_LEASES_MAX; i++) {
        const struct tdm_port_lease_entry *e = &l->entries[i];

        if (e->state == TDM_PORT_HELD && e->port == port && e->tcp == tcp) {
            *external = e->external;
            return true;
        }
    }
    return false;
}
