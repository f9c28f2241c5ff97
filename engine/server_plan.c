/* SPDX-License-Identifier: MIT */
#include "engine/server.h"

#include "engine/wire/stun.h"

#include <stdio.h>
#include <string.h>

#define LIST_ADDRESSES_MAX 6

static bool is_all(const struct tdm_address *a)
{
    static const uint8_t none[16];

    return memcmp(a->bytes, none, sizeof none) == 0;
}

/* Cuts the next item off a list; false: there is none. */
static bool next_item(const char **list, char *item, size_t capacity, bool *fits)
{
    size_t size = *list ? strcspn(*list, ",") : 0;

    *fits = size > 0 && size < capacity;
    if (!*list || !**list)
        return false;
    (void)snprintf(item, capacity, "%.*s", (int)size, *list);
    *list += size;
    *list += **list == ',';
    return true;
}

static enum tdm_err addresses_of(const char *list, const char *what, struct tdm_address *addresses,
                                 uint32_t *count, struct tdm_cause *cause)
{
    char item[64];
    bool fits;

    *count = 0;
    while (next_item(&list, item, sizeof item, &fits)) {
        if (*count == LIST_ADDRESSES_MAX)
            return tdm_fail(cause, TDM_E_MALFORMED, "%s: at most %d addresses", what,
                            LIST_ADDRESSES_MAX);
        if (!fits || tdm_address_parse(&addresses[*count], item, 0) != TDM_OK)
            return tdm_fail(cause, TDM_E_MALFORMED, "%s: \"%s\" is no numeric address", what, item);
        (*count)++;
    }
    return TDM_OK;
}

static void add_listen(struct tdm_server_plan *plan, enum tdm_turn_transport transport,
                       struct tdm_address address, uint16_t port)
{
    struct tdm_turn_sockets_config *s = &plan->sockets;

    address.port = port;
    assert(s->listen_count < TDM_TURN_LISTEN_MAX);
    s->listens[s->listen_count++] =
        (struct tdm_turn_listen){.transport = transport, .address = address};
}

static void plan_listens(struct tdm_server_plan *plan, const struct tandem_server_config *config,
                         const struct tdm_address *addresses, uint32_t count)
{
    uint16_t port = config->port ? config->port : TDM_STUN_PORT;

    for (uint32_t i = 0; i < count; i++) {
        add_listen(plan, TDM_TURN_OVER_UDP, addresses[i], port);
        add_listen(plan, TDM_TURN_OVER_TCP, addresses[i], port);
        if (config->tls_port && i < 2)
            add_listen(plan, TDM_TURN_OVER_TLS, addresses[i], config->tls_port);
    }
    plan->core.nat_ports[0] = port;
    plan->core.nat_ports[1] = (uint16_t)(port + 1);
}

/* RFC 5780 needs two addresses with two ports each. */
static enum tdm_err plan_discovery(struct tdm_server_plan *plan, const char *other,
                                   const struct tdm_address *addresses, uint32_t count,
                                   struct tdm_cause *cause)
{
    struct tdm_address *hosts = plan->core.nat_hosts;
    uint32_t others;
    struct tdm_address list[LIST_ADDRESSES_MAX];
    enum tdm_err err = addresses_of(other, "the other address", list, &others, cause);

    if (err != TDM_OK || !others)
        return err;
    if (others != 1 || count != 1 || is_all(&addresses[0]) ||
        list[0].family != addresses[0].family || tdm_address_same_host(&list[0], &addresses[0]) ||
        plan->core.nat_ports[0] == UINT16_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "a second address needs one address to listen on, of the same family and "
                        "not the same");
    hosts[0] = addresses[0];
    hosts[1] = list[0];
    add_listen(plan, TDM_TURN_OVER_UDP, hosts[0], plan->core.nat_ports[1]);
    add_listen(plan, TDM_TURN_OVER_UDP, hosts[1], plan->core.nat_ports[0]);
    add_listen(plan, TDM_TURN_OVER_UDP, hosts[1], plan->core.nat_ports[1]);
    return TDM_OK;
}

static bool holds(const struct tdm_address *list, uint32_t count, const struct tdm_address *a)
{
    for (uint32_t i = 0; i < count; i++)
        if (tdm_address_same_host(&list[i], a))
            return true;
    return false;
}

/* The first of each family that peers could send to. */
static void choose_relays(struct tdm_server_plan *plan, const struct tdm_address *from,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct tdm_address *relay = &plan->core.relay[from[i].family == TDM_IPV6];

        if (relay->family == TDM_ADDRESS_NONE && !is_all(&from[i]))
            *relay = from[i];
    }
}

static enum tdm_err plan_relays(struct tdm_server_plan *plan,
                                const struct tandem_server_config *config,
                                const struct tdm_address *listens, uint32_t listen_count,
                                struct tdm_cause *cause)
{
    struct tdm_address list[LIST_ADDRESSES_MAX];
    struct tdm_turn_server_config *core = &plan->core;
    uint32_t count;
    enum tdm_err err =
        addresses_of(config->relay_address, "the relay address", list, &count, cause);

    if (err != TDM_OK)
        return err;
    if (count > 2 || (count == 2 && list[0].family == list[1].family))
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "the relay address: one of IPv4 and one of IPv6 at most");
    choose_relays(plan, list, count);
    if (!count)
        choose_relays(plan, listens, listen_count);
    if (!count && is_all(&listens[0]))
        choose_relays(plan, core->own, core->own_count);
    for (size_t f = 0; f < 2; f++) {
        plan->relay_bind[f] = core->relay[f];
        /* A gateway's address is not ours to bind to. */
        if (!holds(core->own, core->own_count, &core->relay[f]) &&
            !holds(listens, listen_count, &core->relay[f]) &&
            !tdm_address_is_loopback(&core->relay[f]))
            memset(plan->relay_bind[f].bytes, 0, sizeof plan->relay_bind[f].bytes);
    }
    return TDM_OK;
}

static enum tdm_err plan_users(struct tdm_server_plan *plan, const char *list,
                               struct tdm_cause *cause)
{
    char item[2 * TDM_TURN_USER_MAX];
    uint32_t count = 0;
    bool fits;

    while (next_item(&list, item, sizeof item, &fits)) {
        char *colon = strchr(item, ':');

        if (!fits || !colon || colon == item || !colon[1] ||
            (size_t)(colon - item) >= TDM_TURN_USER_MAX || strlen(colon + 1) >= TDM_TURN_USER_MAX)
            return tdm_fail(cause, TDM_E_MALFORMED,
                            "a user is NAME:PASSWORD, each up to %d characters",
                            TDM_TURN_USER_MAX - 1);
        if (count == TDM_TURN_SERVER_USERS_MAX)
            return tdm_fail(cause, TDM_E_MALFORMED,
                            "at most %d users: give the others credentials that expire",
                            TDM_TURN_SERVER_USERS_MAX);
        *colon = '\0';
        memcpy(plan->texts[count][0], item, strlen(item) + 1);
        memcpy(plan->texts[count][1], colon + 1, strlen(colon + 1) + 1);
        plan->core.users[count] =
            (struct tdm_turn_server_user){plan->texts[count][0], plan->texts[count][1]};
        count++;
    }
    return TDM_OK;
}

static enum tdm_err check_numbers(const struct tandem_server_config *c, struct tdm_cause *cause)
{
    if (c->relay_port_max && c->relay_port_min > c->relay_port_max)
        return tdm_fail(cause, TDM_E_MALFORMED, "the relays' ports: %u is above %u",
                        c->relay_port_min, c->relay_port_max);
    if (c->allocations > TDM_TURN_SERVER_ALLOCATIONS_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED, "at most %d relays",
                        TDM_TURN_SERVER_ALLOCATIONS_MAX);
    if ((c->tls_port || (c->sip && c->sips_port)) && !c->identity_path)
        return tdm_fail(cause, TDM_E_MALFORMED, "TLS needs a file for its key and certificate");
    if (c->secret && strlen(c->secret) >= TDM_TURN_USER_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED, "a secret has up to %d characters",
                        TDM_TURN_USER_MAX - 1);
    return TDM_OK;
}

static void copy_numbers(struct tdm_turn_server_config *core,
                         const struct tandem_server_config *config)
{
    core->realm = config->realm;
    core->secrets[0] = config->secret;
    core->secrets[1] = config->old_secret;
    core->port_min = config->relay_port_min;
    core->port_max = config->relay_port_max;
    core->allow_private = config->allow_private;
    core->allow_loopback = config->allow_loopback;
    core->allow_own = config->allow_own;
    core->allocations = config->allocations;
    core->user_allocations = config->user_allocations;
    core->host_allocations = config->host_allocations;
    core->allocation_bytes_per_s = config->allocation_bps / 8;
    core->total_bytes_per_s = config->total_bps / 8;
}

enum tdm_err tdm_server_plan_make(struct tdm_server_plan *plan,
                                  const struct tandem_server_config *config,
                                  const struct tdm_address *own, uint32_t own_count,
                                  struct tdm_cause *cause)
{
    struct tdm_address listens[LIST_ADDRESSES_MAX];
    uint32_t count;
    enum tdm_err err = check_numbers(config, cause);

    *plan = (struct tdm_server_plan){.core = {.realm = NULL}};
    copy_numbers(&plan->core, config);
    if (own_count > TDM_TURN_SERVER_OWN_MAX)
        own_count = TDM_TURN_SERVER_OWN_MAX;
    memcpy(plan->core.own, own, own_count * sizeof *own);
    plan->core.own_count = (uint8_t)own_count;
    if (err == TDM_OK)
        err = addresses_of(config->listen, "the address to listen on", listens, &count, cause);
    if (err != TDM_OK)
        return err;
    if (!count)
        listens[count++] = (struct tdm_address){.family = TDM_IPV6};
    plan_listens(plan, config, listens, count);
    err = plan_discovery(plan, config->other_address, listens, count, cause);
    if (err == TDM_OK)
        err = plan_relays(plan, config, listens, count, cause);
    if (err == TDM_OK)
        err = plan_users(plan, config->users, cause);
    plan->advertised = !is_all(&listens[0])              ? listens[0]
                       : plan->core.relay[0].family != 0 ? plan->core.relay[0]
                                                         : plan->core.relay[1];
    plan->advertised.port = plan->core.nat_ports[0];
    return err;
}
