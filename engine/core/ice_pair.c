/* SPDX-License-Identifier: MIT */
#include "engine/core/ice_state.h"

#include <string.h>

bool tdm_ice_is_relayed(const struct tdm_ice *ice, const struct tdm_ice_pair *pair)
{
    return ice->locals[pair->local].c.type == TDM_ICE_RELAY ||
           ice->remotes[pair->remote].c.type == TDM_ICE_RELAY;
}

/* RFC 8445 section 6.1.2.3. */
static uint64_t priority_of(const struct tdm_ice *ice, const struct tdm_ice_pair *pair)
{
    uint64_t ours = ice->locals[pair->local].c.priority;
    uint64_t theirs = ice->remotes[pair->remote].c.priority;
    uint64_t g = ice->controlling ? ours : theirs;
    uint64_t d = ice->controlling ? theirs : ours;

    return ((g < d ? g : d) << 32) + 2 * (g > d ? g : d) + (g > d);
}

void tdm_ice_set_role(struct tdm_ice *ice, bool controlling)
{
    bool changed = ice->controlling != controlling;

    ice->controlling = controlling;
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        struct tdm_ice_pair *p = &ice->pairs[i];

        if (!p->used || p->gen != ice->gen)
            continue;
        p->priority = priority_of(ice, p);
        if (changed)
            p->nominating = p->nominated = false;
    }
}

int tdm_ice_find_pair(const struct tdm_ice *ice, uint8_t gen, int local, int remote)
{
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (ice->pairs[i].used && ice->pairs[i].gen == gen && ice->pairs[i].local == local &&
            ice->pairs[i].remote == remote)
            return i;
    return -1;
}

void tdm_ice_drop_pair(struct tdm_ice *ice, int pair)
{
    ice->pairs[pair].used = false;
    ice->pairs_dropped = true;
    if (ice->path == pair) {
        ice->path = -1;
        ice->path_gone = true;
    }
}

void tdm_ice_drop_base(struct tdm_ice *ice, int local)
{
    const struct tdm_address base = ice->locals[local].c.address;

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (ice->pairs[i].used && ice->pairs[i].local == local)
            tdm_ice_drop_pair(ice, i);
    for (unsigned i = 0; i < ice->early_count; i++)
        if (ice->early[i].local == local)
            ice->early[i].local = -1;
    ice->locals[local].used = false;
    for (int i = 0; i < TDM_ICE_LOCAL_MAX; i++)
        if (ice->locals[i].c.type == TDM_ICE_SRFLX &&
            tdm_address_equal(&ice->locals[i].c.base, &base))
            ice->locals[i].used = false;
}

void tdm_ice_drop_remote(struct tdm_ice *ice, int remote)
{
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (ice->pairs[i].used && ice->pairs[i].remote == remote)
            tdm_ice_drop_pair(ice, i);
    ice->remotes[remote].used = false;
}

void tdm_ice_drop_former(struct tdm_ice *ice)
{
    uint8_t former = ice->gen ^ 1;

    for (int i = 0; i < TDM_ICE_REMOTE_MAX; i++)
        if (ice->remotes[i].used && ice->remotes[i].gen == former)
            tdm_ice_drop_remote(ice, i);
    memset(&ice->gens[former], 0, sizeof ice->gens[former]);
}

void tdm_ice_new_generation(struct tdm_ice *ice)
{
    tdm_ice_drop_former(ice);
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (ice->pairs[i].used && ice->pairs[i].state != TDM_ICE_PAIR_VALID)
            tdm_ice_drop_pair(ice, i);
    ice->gen ^= 1;
    ice->early_count = 0;
    ice->was_connected = ice->path >= 0;
    ice->lost = ice->told_silent = false;
    ice->stats.state = ice->path >= 0 ? TDM_ICE_CONNECTED : TDM_ICE_CHECKING;
}

/* A loopback or link-local address reaches only its like. */
static bool fit(const struct tdm_address *a, const struct tdm_address *b)
{
    return a->family == b->family && tdm_address_is_loopback(a) == tdm_address_is_loopback(b) &&
           (a->family == TDM_IPV4 || tdm_address_is_link_local(a) == tdm_address_is_link_local(b));
}

/* A free place; else that of the weakest pair which failed; else -1. */
static int place_for_pair(const struct tdm_ice *ice)
{
    int place = -1;

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        const struct tdm_ice_pair *p = &ice->pairs[i];

        if (!p->used)
            return i;
        if (p->state == TDM_ICE_PAIR_FAILED &&
            (place < 0 || p->priority < ice->pairs[place].priority))
            place = i;
    }
    return place;
}

static void add_pair(struct tdm_ice *ice, tdm_time now, int local, int remote)
{
    int place = place_for_pair(ice);

    if (place < 0) {
        ice->stats.not_taken++;
        return;
    }
    struct tdm_ice_pair *p = &ice->pairs[place];

    *p = (struct tdm_ice_pair){
        .used = true,
        .gen = ice->gen,
        .local = (int8_t)local,
        .remote = (int8_t)remote,
        .added_at = now,
        .due = now,
        .sent_at = now - TDM_S,
        .rtt = TDM_NEVER,
        .valid_since = TDM_NEVER,
        .answered_at = TDM_NEVER,
    };
    p->priority = priority_of(ice, p);
    for (unsigned i = 0; i < TDM_ICE_PENDING_MAX; i++)
        p->pending[i].sent_at = TDM_NEVER;
    ice->changed_at = now;
}

/* Server-reflexive candidates make no pairs: what they would send leaves from their base
 * (RFC 8445 section 6.1.2.4). With one component nothing is frozen. */
void tdm_ice_pair_up(struct tdm_ice *ice, tdm_time now)
{
    for (int l = 0; l < TDM_ICE_LOCAL_MAX; l++) {
        const struct tdm_ice_local *local = &ice->locals[l];

        if (!tdm_ice_is_base(local) || (ice->config.relay_only && local->c.type != TDM_ICE_RELAY))
            continue;
        for (int r = 0; r < TDM_ICE_REMOTE_MAX; r++) {
            const struct tdm_ice_remote *remote = &ice->remotes[r];

            if (remote->used && remote->gen == ice->gen &&
                fit(&local->c.address, &remote->c.address) &&
                tdm_ice_find_pair(ice, ice->gen, l, r) < 0)
                add_pair(ice, now, l, r);
        }
    }
}
