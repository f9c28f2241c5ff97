/* SPDX-License-Identifier: MIT */
#include "engine/core/turn_server_state.h"

#include <stdio.h>

size_t tdm_turn_family_index(uint8_t family)
{
    return family == TDM_IPV6 ? 1 : 0;
}

void tdm_turn_table_init(struct tdm_turn_server *s)
{
    for (uint32_t i = 0; i < s->config.allocations; i++)
        s->allocations[i].bucket = s->allocations[i].next = TURN_NONE;
}

/* Only who is authenticated is in the table, so a plain hash is good enough. */
static uint32_t *bucket_of(struct tdm_turn_server *s, uint32_t link,
                           const struct tdm_address *client, const struct tdm_address *local)
{
    uint64_t words[4];
    struct tdm_rng mix;

    memcpy(words, client->bytes, 16);
    memcpy(words + 2, local->bytes, 16);
    mix.state = (uint64_t)link << 32 | (uint32_t)client->port << 16 | local->port;
    for (size_t i = 0; i < 4; i++)
        mix.state = tdm_rng_u64(&mix) ^ words[i];
    return &s->allocations[tdm_rng_below(&mix, s->config.allocations)].bucket;
}

struct turn_allocation *tdm_turn_find(struct tdm_turn_server *s, uint32_t link,
                                      const struct tdm_address *client,
                                      const struct tdm_address *local)
{
    for (uint32_t i = *bucket_of(s, link, client, local); i != TURN_NONE;
         i = s->allocations[i].next) {
        struct turn_allocation *a = &s->allocations[i];

        if (a->link == link && tdm_address_equal(&a->client, client) &&
            tdm_address_equal(&a->local, local))
            return a;
    }
    return NULL;
}

struct turn_allocation *tdm_turn_add(struct tdm_turn_server *s, const struct tdm_turn_server_in *in)
{
    uint32_t *head = bucket_of(s, in->link, &in->from, &in->to);

    for (uint32_t i = 0; i < s->config.allocations; i++) {
        struct turn_allocation *a = &s->allocations[i];

        if (a->state != TURN_FREE)
            continue;
        *a = (struct turn_allocation){.state = TURN_OPENING,
                                      .bucket = a->bucket,
                                      .link = in->link,
                                      .client = in->from,
                                      .local = in->to};
        a->next = *head;
        *head = i;
        s->stats.allocations++;
        return a;
    }
    return NULL;
}

uint32_t tdm_turn_relay_number(const struct tdm_turn_server *s, const struct turn_allocation *a,
                               size_t family_index)
{
    return (uint32_t)(a - s->allocations) * 2 + (uint32_t)family_index;
}

struct turn_allocation *tdm_turn_of_relay(struct tdm_turn_server *s, uint32_t relay,
                                          struct turn_relay **its)
{
    if (relay / 2 >= s->config.allocations)
        return NULL;
    struct turn_allocation *a = &s->allocations[relay / 2];

    *its = &a->relays[relay % 2];
    return a->state == TURN_FREE || (*its)->state == TURN_RELAY_NONE ? NULL : a;
}

bool tdm_turn_is_relay(const struct tdm_turn_server *s, const struct tdm_address *address)
{
    size_t f = tdm_turn_family_index(address->family);

    for (uint32_t i = 0; i < s->config.allocations; i++)
        if (s->allocations[i].relays[f].state >= TURN_RELAY_OPENING &&
            tdm_address_equal(&s->allocations[i].relays[f].address, address))
            return true;
    return false;
}

void tdm_turn_end(struct tdm_turn_server *s, struct turn_allocation *a, const char *why,
                  struct tdm_turn_server_out *out)
{
    uint32_t *link = bucket_of(s, a->link, &a->client, &a->local);
    uint32_t self = (uint32_t)(a - s->allocations);

    while (*link != self)
        link = &s->allocations[*link].next;
    *link = a->next;
    for (size_t f = 0; f < 2; f++)
        if (a->relays[f].state == TURN_RELAY_LIVE || a->relays[f].state == TURN_RELAY_OPENING)
            out->close[out->close_count++] = tdm_turn_relay_number(s, a, f);
    if (a->state == TURN_LIVE) {
        out->told = TDM_TURN_SERVER_TOLD_ENDED;
        out->why = why;
        out->client_address = a->client;
        out->bytes_out = a->bytes_out;
        out->bytes_in = a->bytes_in;
        (void)snprintf(out->user, sizeof out->user, "%s", a->user);
        for (size_t f = 0; f < 2; f++)
            out->relayed[f] = a->relays[f].address;
    }
    *a = (struct turn_allocation){.bucket = a->bucket, .next = TURN_NONE};
    s->stats.allocations--;
}

uint32_t tdm_turn_count_user(const struct tdm_turn_server *s, const char *user)
{
    const char *name = tdm_turn_rest_name(user);
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->config.allocations; i++)
        count += s->allocations[i].state != TURN_FREE &&
                 strcmp(tdm_turn_rest_name(s->allocations[i].user), name) == 0;
    return count;
}

uint32_t tdm_turn_count_host(const struct tdm_turn_server *s, const struct tdm_address *client)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->config.allocations; i++)
        count += s->allocations[i].state != TURN_FREE &&
                 tdm_address_same_host(&s->allocations[i].client, client);
    return count;
}

struct turn_permit *tdm_turn_permit_of(struct turn_allocation *a, tdm_time now,
                                       const struct tdm_address *peer)
{
    for (size_t i = 0; i < TURN_PERMITS_MAX; i++)
        if (tdm_address_same_host(&a->permits[i].peer, peer) && a->permits[i].expires_at > now)
            return &a->permits[i];
    return NULL;
}
