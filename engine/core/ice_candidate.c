/* SPDX-License-Identifier: MIT */
#include "engine/core/ice_state.h"

#include <stdio.h>
#include <string.h>

/* Bytes that an outsider cannot guess as long as the seed is entropy: a hash of it and a count. */
void tdm_ice_random(struct tdm_ice *ice, uint8_t *bytes, size_t size)
{
    uint64_t words[2] = {ice->config.seed, ice->random_count++};
    uint8_t digest[TDM_SHA256_BYTES];

    tdm_sha256(words, sizeof words, digest);
    memcpy(bytes, digest, size < sizeof digest ? size : sizeof digest);
}

void tdm_ice_credentials(uint64_t a, uint64_t b, uint64_t c, char ufrag[33], char pwd[65])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t words[3] = {a, b, c};

    for (unsigned i = 0; i < 32; i++) { /* 192 bits, six a character. */
        unsigned sextet = 0;

        for (unsigned bit = 6 * i; bit < 6 * i + 6; bit++)
            sextet = sextet << 1 | (words[bit / 64] >> bit % 64 & 1);
        *(i < 8 ? &ufrag[i] : &pwd[i - 8]) = alphabet[sextet];
    }
    ufrag[8] = pwd[24] = '\0';
}

/* RFC 8445 section 5.1.2.1 with the recommended preferences of types. */
uint32_t tdm_ice_priority(enum tdm_ice_type type, unsigned preference, uint8_t component)
{
    static const uint8_t of_type[] = {
        [TDM_ICE_HOST] = 126, [TDM_ICE_PRFLX] = 110, [TDM_ICE_SRFLX] = 100, [TDM_ICE_RELAY] = 0};

    return (uint32_t)of_type[type] << 24 | (uint32_t)(preference & 0xffff) << 8 |
           (uint32_t)(256 - component);
}

bool tdm_ice_is_base(const struct tdm_ice_local *local)
{
    return local->used && (local->c.type == TDM_ICE_HOST || local->c.type == TDM_ICE_RELAY);
}

/* Candidates of one type, base and server have one foundation (RFC 8445 section 5.1.1.3). */
static void found(struct tdm_ice *ice, struct tdm_ice_candidate *c, int server)
{
    struct tdm_address parts[2] = {c->type == TDM_ICE_RELAY ? c->address : c->base};
    uint8_t bytes[2 * 17 + 2] = {(uint8_t)c->type, c->mapped};

    if (server >= 0)
        parts[1] = ice->config.servers[server].address;
    for (size_t i = 0; i < 2; i++) {
        bytes[2 + 17 * i] = parts[i].family;
        memcpy(bytes + 3 + 17 * i, parts[i].bytes, 16);
    }
    (void)snprintf(c->foundation, sizeof c->foundation, "%08x", tdm_crc32(bytes, sizeof bytes));
}

int tdm_ice_add_local(struct tdm_ice *ice, const struct tdm_ice_candidate *c, int server,
                      unsigned preference)
{
    int free = -1;

    for (int i = TDM_ICE_LOCAL_MAX - 1; i >= 0; i--) {
        const struct tdm_ice_local *l = &ice->locals[i];

        if (!l->used)
            free = i;
        else if (tdm_address_equal(&l->c.address, &c->address) &&
                 (c->type == TDM_ICE_HOST || tdm_address_equal(&l->c.base, &c->base)))
            return -1;
    }
    if (free < 0) {
        ice->stats.not_taken++;
        return -1;
    }
    struct tdm_ice_local *l = &ice->locals[free];

    *l = (struct tdm_ice_local){.used = true, .server = (int8_t)server, .c = *c};
    l->c.priority = tdm_ice_priority(c->type, preference, ice->config.component);
    found(ice, &l->c, server);
    l->told = ice->config.relay_only && c->type != TDM_ICE_RELAY;
    return free;
}

int tdm_ice_find_base(const struct tdm_ice *ice, const struct tdm_address *address)
{
    for (int i = 0; i < TDM_ICE_LOCAL_MAX; i++)
        if (tdm_ice_is_base(&ice->locals[i]) &&
            tdm_address_equal(&ice->locals[i].c.address, address))
            return i;
    return -1;
}

int tdm_ice_guess_base(const struct tdm_ice *ice, const struct tdm_address *from)
{
    int guess = -1;

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        const struct tdm_ice_pair *p = &ice->pairs[i];

        if (p->used && ice->locals[p->local].c.type == TDM_ICE_HOST &&
            tdm_address_equal(&ice->remotes[p->remote].c.address, from) &&
            (guess < 0 || p->state == TDM_ICE_PAIR_VALID))
            guess = p->local;
    }
    for (int i = 0; i < TDM_ICE_LOCAL_MAX && guess < 0; i++)
        if (ice->locals[i].used && ice->locals[i].c.type == TDM_ICE_HOST &&
            ice->locals[i].c.address.family == from->family)
            guess = i;
    return guess;
}

int tdm_ice_find_remote(const struct tdm_ice *ice, uint8_t gen, const struct tdm_address *from)
{
    for (int i = 0; i < TDM_ICE_REMOTE_MAX; i++)
        if (ice->remotes[i].used && ice->remotes[i].gen == gen &&
            tdm_address_equal(&ice->remotes[i].c.address, from))
            return i;
    return -1;
}

static bool has_valid_pair(const struct tdm_ice *ice, int remote)
{
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (ice->pairs[i].used && ice->pairs[i].remote == remote &&
            ice->pairs[i].state == TDM_ICE_PAIR_VALID)
            return true;
    return false;
}

/* Makes room among candidates of the type that has the most, so that a hundred addresses do not
 * keep out the relayed one that works. */
static int displace(struct tdm_ice *ice, enum tdm_ice_type type)
{
    unsigned counts[TDM_ICE_RELAY + 1] = {0};
    enum tdm_ice_type most = TDM_ICE_HOST;
    int weakest = -1;

    for (int i = 0; i < TDM_ICE_REMOTE_MAX; i++)
        counts[ice->remotes[i].c.type]++;
    for (enum tdm_ice_type t = TDM_ICE_HOST; t <= TDM_ICE_RELAY; t++)
        if (counts[t] > counts[most])
            most = t;
    if (counts[type] + 1 >= counts[most])
        return -1;
    for (int i = 0; i < TDM_ICE_REMOTE_MAX; i++)
        if (ice->remotes[i].c.type == most && !has_valid_pair(ice, i) &&
            (weakest < 0 || ice->remotes[i].c.priority < ice->remotes[weakest].c.priority))
            weakest = i;
    if (weakest >= 0)
        tdm_ice_drop_remote(ice, weakest);
    return weakest;
}

/* Where nothing of ours may go: no unicast address, or none at all. */
static bool is_reachable(const struct tdm_address *a)
{
    static const uint8_t none[16];

    if (a->port == 0 || memcmp(a->bytes, none, sizeof none) == 0)
        return false;
    return a->family == TDM_IPV4 ? a->bytes[0] != 0 && a->bytes[0] < 224
                                 : a->family == TDM_IPV6 && a->bytes[0] != 0xff;
}

int tdm_ice_add_remote(struct tdm_ice *ice, const struct tdm_ice_candidate *c)
{
    int place = tdm_ice_find_remote(ice, ice->gen, &c->address);

    if (!is_reachable(&c->address) || c->type > TDM_ICE_RELAY)
        return -1;
    if (place >= 0) { /* Learnt from a check before it was described; or said twice. */
        if (ice->remotes[place].c.type == TDM_ICE_PRFLX && c->type != TDM_ICE_PRFLX) {
            ice->remotes[place].c = *c;
            tdm_ice_set_role(ice, ice->controlling);
        }
        return place;
    }
    for (int i = 0; i < TDM_ICE_REMOTE_MAX && place < 0; i++)
        if (!ice->remotes[i].used)
            place = i;
    if (place < 0)
        place = displace(ice, c->type);
    if (place < 0) {
        ice->stats.not_taken++;
        return -1;
    }
    ice->remotes[place] = (struct tdm_ice_remote){.used = true, .gen = ice->gen, .c = *c};
    return place;
}
