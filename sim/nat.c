/* SPDX-License-Identifier: MIT */
#include "sim/nat.h"

#include <string.h>

struct tdm_sim_nat_config tdm_sim_nat_of(enum tdm_sim_nat_kind kind)
{
    struct tdm_sim_nat_config c = {.timeout = 120 * TDM_S, .first_port = 20000};

    if (kind == TDM_SIM_NAT_RESTRICTED)
        c.filter = TDM_SIM_NAT_ADDRESS;
    if (kind == TDM_SIM_NAT_PORT_RESTRICTED || kind == TDM_SIM_NAT_SYMMETRIC)
        c.filter = TDM_SIM_NAT_PORT;
    if (kind == TDM_SIM_NAT_SYMMETRIC)
        c.mapping = TDM_SIM_NAT_PORT;
    c.no_udp = kind == TDM_SIM_NAT_NO_UDP;
    return c;
}

const char *tdm_sim_nat_name(enum tdm_sim_nat_kind kind)
{
    static const char *const names[TDM_SIM_NAT_KINDS] = {
        [TDM_SIM_NAT_NONE] = "open",
        [TDM_SIM_NAT_FULL_CONE] = "full-cone",
        [TDM_SIM_NAT_RESTRICTED] = "restricted",
        [TDM_SIM_NAT_PORT_RESTRICTED] = "port-restricted",
        [TDM_SIM_NAT_SYMMETRIC] = "symmetric",
        [TDM_SIM_NAT_NO_UDP] = "no-udp",
    };

    return kind < TDM_SIM_NAT_KINDS ? names[kind] : "?";
}

void tdm_sim_nat_init(struct tdm_sim_nat *nat, const struct tdm_sim_nat_config *config)
{
    memset(nat, 0, sizeof *nat);
    nat->config = *config;
    nat->next_port = config->first_port;
}

static bool same_by(enum tdm_sim_nat_rule rule, const struct tdm_address *a,
                    const struct tdm_address *b)
{
    if (rule == TDM_SIM_NAT_ANY)
        return true;
    return rule == TDM_SIM_NAT_ADDRESS ? tdm_address_same_host(a, b) : tdm_address_equal(a, b);
}

static bool is_alive(const struct tdm_sim_nat *nat, tdm_time now,
                     const struct tdm_sim_nat_mapping *m)
{
    return m->used && (m->fixed || now - m->used_at < nat->config.timeout);
}

static struct tdm_sim_nat_mapping *free_mapping(struct tdm_sim_nat *nat, tdm_time now)
{
    struct tdm_sim_nat_mapping *oldest = NULL;

    for (unsigned i = 0; i < TDM_SIM_NAT_MAPPINGS; i++) {
        struct tdm_sim_nat_mapping *m = &nat->mappings[i];

        if (!is_alive(nat, now, m))
            return m;
        if (!m->fixed && (!oldest || m->used_at < oldest->used_at))
            oldest = m;
    }
    return oldest;
}

static struct tdm_sim_nat_mapping *map(struct tdm_sim_nat *nat, tdm_time now,
                                       const struct tdm_address *inner,
                                       const struct tdm_address *peer)
{
    struct tdm_sim_nat_mapping *m;

    for (unsigned i = 0; i < TDM_SIM_NAT_MAPPINGS; i++) {
        m = &nat->mappings[i];
        if (is_alive(nat, now, m) && tdm_address_equal(&m->inner, inner) &&
            (m->fixed || same_by(nat->config.mapping, &m->peer, peer)))
            return m;
    }
    m = free_mapping(nat, now);
    if (!m)
        return NULL;
    *m = (struct tdm_sim_nat_mapping){
        .used = true, .inner = *inner, .outer = nat->config.outside, .peer = *peer};
    m->outer.port = nat->next_port++;
    if (nat->config.firewall)
        m->outer = *inner;
    return m;
}

static void remember(struct tdm_sim_nat_mapping *m, const struct tdm_address *peer)
{
    for (unsigned i = 0; i < m->peer_count && i < TDM_SIM_NAT_PEERS; i++)
        if (tdm_address_equal(&m->peers[i], peer))
            return;
    m->peers[m->peer_count++ % TDM_SIM_NAT_PEERS] = *peer;
}

bool tdm_sim_nat_out(struct tdm_sim_nat *nat, tdm_time now, struct tdm_address *from,
                     const struct tdm_address *to)
{
    struct tdm_sim_nat_mapping *m = nat->config.no_udp ? NULL : map(nat, now, from, to);

    if (!m)
        return false;
    m->used_at = now;
    remember(m, to);
    *from = m->outer;
    return true;
}

static bool lets_in(const struct tdm_sim_nat *nat, const struct tdm_sim_nat_mapping *m,
                    const struct tdm_address *from)
{
    if (m->fixed || nat->config.filter == TDM_SIM_NAT_ANY)
        return true;
    for (unsigned i = 0; i < m->peer_count && i < TDM_SIM_NAT_PEERS; i++)
        if (same_by(nat->config.filter, &m->peers[i], from))
            return true;
    return false;
}

bool tdm_sim_nat_in(struct tdm_sim_nat *nat, tdm_time now, const struct tdm_address *from,
                    struct tdm_address *to)
{
    if (nat->config.no_udp)
        return false;
    for (unsigned i = 0; i < TDM_SIM_NAT_MAPPINGS; i++) {
        const struct tdm_sim_nat_mapping *m = &nat->mappings[i];

        if (!is_alive(nat, now, m) || !tdm_address_equal(&m->outer, to) || !lets_in(nat, m, from))
            continue;
        *to = m->inner;
        return true;
    }
    return false;
}

struct tdm_address tdm_sim_nat_open(struct tdm_sim_nat *nat, const struct tdm_address *inner)
{
    struct tdm_sim_nat_mapping *m = &nat->mappings[0];

    while (m->used)
        m++;
    *m = (struct tdm_sim_nat_mapping){
        .used = true, .fixed = true, .inner = *inner, .outer = nat->config.outside};
    m->outer.port = nat->next_port++;
    return m->outer;
}

void tdm_sim_nat_forget(struct tdm_sim_nat *nat)
{
    for (unsigned i = 0; i < TDM_SIM_NAT_MAPPINGS; i++)
        nat->mappings[i].used = nat->mappings[i].fixed;
}
