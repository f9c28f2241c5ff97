/* SPDX-License-Identifier: MIT */
#include "engine/core/ice_state.h"

#include <string.h>

/* Sends what was written as the answer to `m`, unless it is larger than that: nobody can use us to
 * send more to somebody than was sent to us. */
static void answer(struct tdm_ice *ice, int local, const struct tdm_address *from,
                   const struct tdm_stun *m, size_t size, struct tdm_ice_out *out)
{
    struct tdm_ice_send *send = &out->sends[out->send_count];

    if (size <= m->size && tdm_ice_send_from(ice, local, from, send, size))
        out->send_count++;
}

struct refusal {
    uint16_t code;
    const char *key; /* NULL: no integrity, since we do not know that it is they. */
};

static void refuse(struct tdm_ice *ice, int local, const struct tdm_address *from,
                   const struct tdm_stun *m, struct refusal refusal, struct tdm_ice_out *out)
{
    struct tdm_ice_send *send = tdm_ice_new_send(out);

    if (!send)
        return;
    struct tdm_writer w =
        tdm_stun_begin_answer(send->data, sizeof send->data - TDM_ICE_WRAP_MAX, TDM_STUN_ERROR, m);

    tdm_stun_write_error(&w, refusal.code, "");
    if (refusal.code == TDM_STUN_UNKNOWN_ATTRIBUTE)
        tdm_stun_write_unknown(&w, m);
    if (refusal.key)
        tdm_stun_write_integrity(&w, refusal.key, strlen(refusal.key));
    tdm_stun_write_fingerprint(&w);
    answer(ice, local, from, m, tdm_stun_end(&w), out);
}

static void accept(struct tdm_ice *ice, int local, const struct tdm_address *from,
                   const struct tdm_stun *m, const struct tdm_ice_gen *g, struct tdm_ice_out *out)
{
    struct tdm_ice_send *send = tdm_ice_new_send(out);

    if (!send)
        return;
    struct tdm_writer w = tdm_stun_begin_answer(send->data, sizeof send->data - TDM_ICE_WRAP_MAX,
                                                TDM_STUN_SUCCESS, m);

    tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, from);
    tdm_stun_write_integrity(&w, g->pwd, strlen(g->pwd));
    tdm_stun_write_fingerprint(&w);
    answer(ice, local, from, m, tdm_stun_end(&w), out);
}

/* The generation that a check's USERNAME ("ours:theirs") belongs to; -1: none. */
static int generation_of(const struct tdm_ice *ice, const struct tdm_stun *m)
{
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t gen = i ? ice->gen ^ 1 : ice->gen;
        size_t size = strlen(ice->gens[gen].ufrag);

        if (size && m->username.size > size && m->username.data[size] == ':' &&
            memcmp(m->username.data, ice->gens[gen].ufrag, size) == 0)
            return gen;
    }
    return -1;
}

/* RFC 8445 section 7.3.1.1. Whether the check goes on; otherwise the other side must switch. */
static bool settle_role(struct tdm_ice *ice, const struct tdm_stun *m)
{
    bool wins = ice->tie_breaker >= m->tie_breaker;

    if (ice->controlling && m->has_controlling) {
        if (wins)
            return false;
        tdm_ice_set_role(ice, false);
    } else if (!ice->controlling && m->has_controlled) {
        if (!wins)
            return false;
        tdm_ice_set_role(ice, true);
    }
    return true;
}

/* A check of the other side: the address is theirs, and now is the time to check it. */
static void learn(struct tdm_ice *ice, tdm_time now, const struct tdm_ice_early *e)
{
    struct tdm_ice_candidate c = {
        .type = TDM_ICE_PRFLX, .address = e->from, .priority = e->priority, .foundation = "prflx"};
    int remote = tdm_ice_find_remote(ice, ice->gen, &e->from);

    if (remote < 0) {
        c.type = e->priority >> 24 ? TDM_ICE_PRFLX : TDM_ICE_RELAY;
        remote = tdm_ice_add_remote(ice, &c);
        tdm_ice_pair_up(ice, now);
    }
    if (remote < 0)
        return;
    ice->remotes[remote].seen = true;
    int index = tdm_ice_find_pair(ice, ice->gen, e->local, remote);

    if (index < 0)
        return;
    struct tdm_ice_pair *pair = &ice->pairs[index];

    tdm_ice_trigger_back(ice, now, pair);
    if (!e->nominating || ice->controlling)
        return;
    pair->nominating = true;
    if (pair->state == TDM_ICE_PAIR_VALID)
        tdm_ice_nominated(ice, pair);
}

static void remember(struct tdm_ice *ice, const struct tdm_ice_early *e)
{
    for (unsigned i = 0; i < ice->early_count; i++)
        if (ice->early[i].local == e->local && tdm_address_equal(&ice->early[i].from, &e->from)) {
            ice->early[i].nominating |= e->nominating;
            return;
        }
    if (ice->early_count < TDM_ICE_EARLY_MAX)
        ice->early[ice->early_count++] = *e;
}

void tdm_ice_take_early(struct tdm_ice *ice, tdm_time now)
{
    for (unsigned i = 0; i < ice->early_count; i++)
        if (ice->early[i].local >= 0)
            learn(ice, now, &ice->early[i]);
    ice->early_count = 0;
}

void tdm_ice_take_request(struct tdm_ice *ice, tdm_time now, int local,
                          const struct tdm_address *from, const struct tdm_stun *m,
                          struct tdm_ice_out *out)
{
    int gen = generation_of(ice, m);
    const struct tdm_ice_gen *g = gen < 0 ? NULL : &ice->gens[gen];

    if (ice->lost || (ice->config.relay_only && ice->locals[local].c.type != TDM_ICE_RELAY))
        return;
    if (!g || tdm_stun_check(m, g->pwd, strlen(g->pwd)) != TDM_OK) {
        bool malformed = m->username.data == NULL || m->integrity_at + m->integrity_sha256_at == 0;

        ice->stats.refused++;
        refuse(ice, local, from, m,
               (struct refusal){malformed ? TDM_STUN_BAD_REQUEST : TDM_STUN_UNAUTHENTICATED, NULL},
               out);
        return;
    }
    if (m->unknown_count || !m->has_priority) {
        uint16_t code = m->unknown_count ? TDM_STUN_UNKNOWN_ATTRIBUTE : TDM_STUN_BAD_REQUEST;

        ice->stats.refused++;
        refuse(ice, local, from, m, (struct refusal){code, g->pwd}, out);
        return;
    }
    if (!settle_role(ice, m)) {
        refuse(ice, local, from, m, (struct refusal){TDM_STUN_ROLE_CONFLICT, g->pwd}, out);
        return;
    }
    accept(ice, local, from, m, g, out);
    struct tdm_ice_early early = {.local = (int8_t)local,
                                  .from = *from,
                                  .priority = m->priority,
                                  .nominating = m->use_candidate};

    if (gen == ice->gen && g->known)
        learn(ice, now, &early);
    else if (gen == ice->gen)
        remember(ice, &early);
}
