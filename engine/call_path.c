/* SPDX-License-Identifier: MIT */
#include "engine/call_path.h"

#include "engine/call.h"
#include "engine/candidates.h"
#include "engine/engine.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/interfaces.h"
#include "signalling/sdp_transport.h"

#include <stdio.h>
#include <string.h>

#define GATHER_HOST    (30 * TDM_MS)  /* Only our own net thread has to answer. */
#define GATHER_SERVERS (200 * TDM_MS) /* A server that is slower is told of later. */
#define READY_WITHIN   (20 * TDM_S)
#define RESTART_EVERY  (3 * TDM_S)
#define CALLEE_WAITS   (2 * TDM_S) /* So that both do not restart at once. */
#define SERVER_WAITS   (100 * TDM_MS)
#define SDES_GCM_BYTES 28 /* RFC 7714 section 14.2 */
#define SDES_CM_BYTES  30 /* RFC 4568 section 6.2 */

static void credentials(char ufrag[33], char pwd[65])
{
    tdm_ice_credentials(tdm_entropy_u64(), tdm_entropy_u64(), tdm_entropy_u64(), ufrag, pwd);
}

static void make_key(struct tdm_crypto_desc *c, enum tdm_srtp_profile profile, uint8_t size)
{
    *c = (struct tdm_crypto_desc){.profile = profile, .key_size = size};
    for (uint8_t i = 0; i < size; i++)
        c->key[i] = (uint8_t)tdm_entropy_u64();
}

void tdm_call_path_init(struct tandem_call *call)
{
    struct tdm_call_path *p = &call->path;

    p->gather_until = p->ready_until = p->restart_at = TDM_NEVER;
    p->crypto_count = 2;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        credentials(p->ufrag[kind], p->pwd[kind]);
        credentials(p->spare[kind].ufrag, p->spare[kind].pwd);
        make_key(&p->cryptos[kind][0], TDM_SRTP_AEAD_AES_128_GCM, SDES_GCM_BYTES);
        make_key(&p->cryptos[kind][1], TDM_SRTP_AES_CM_128_HMAC_SHA1_80, SDES_CM_BYTES);
    }
}

void tdm_call_path_close(struct tandem_call *call)
{
    struct tdm_call_path *p = &call->path;

    tdm_call_ports_close(call);
    for (int i = 0; i < TDM_CALL_LOOKUPS_MAX; i++) {
        tdm_lookup_free(p->lookups[i].lookup);
        p->lookups[i].lookup = NULL;
    }
    tdm_check_job_free(p->check);
    p->check = NULL;
    memset(p->ways, 0, sizeof p->ways);
    p->gathering = p->ready = false;
    p->pending = TDM_CALL_PENDING_NOTHING;
    p->gather_until = p->ready_until = p->restart_at = TDM_NEVER;
}

void tdm_call_path_open(struct tandem_call *call, bool outgoing, struct tdm_net_ice *ice)
{
    struct tdm_call_path *p = &call->path;
    struct tdm_reach *reach = &call->engine->reach;

    p->outgoing = outgoing;
    *ice = (struct tdm_net_ice){
        .wanted = true, .controlling = outgoing, .relay_only = reach->relay_only};
    ice->server_count = tdm_reach_servers(reach, tdm_clock_now() + SERVER_WAITS, ice->servers);
    memcpy(ice->ufrag, p->ufrag, sizeof ice->ufrag);
    memcpy(ice->pwd, p->pwd, sizeof ice->pwd);
    p->ice = *ice;
}

/* The address by which the other side is reached comes first; with an address to bind to, alone. */
static uint32_t own_addresses(const struct tandem_call *call, struct tdm_address *list)
{
    struct tdm_address others[TDM_INTERFACES_MAX];
    uint32_t count = 0;
    uint32_t other_count =
        call->engine->config.bind_address ? 0 : tdm_interfaces_list(others, TDM_INTERFACES_MAX);

    if (tdm_address_parse(&list[0], call->local_address, 0) == TDM_OK)
        count = 1;
    for (uint32_t i = 0; i < other_count; i++)
        if (!count || !tdm_address_same_host(&others[i], &list[0]))
            list[count++] = others[i];
    return count;
}

void tdm_call_path_gather(struct tandem_call *call, tdm_time now)
{
    struct tdm_call_path *p = &call->path;
    struct tdm_address list[TDM_INTERFACES_MAX + 1];
    uint32_t count = own_addresses(call, list);

    if (!p->gathering) {
        tdm_call_ports_open(call);
        p->gather_until =
            now +
            (p->ice.server_count || tdm_call_ports_pending(call) ? GATHER_SERVERS : GATHER_HOST);
    }
    p->gathering = true;
    (void)tdm_net_addresses(call->net, list, count);
}

static bool any_relay(const struct tdm_call_path *p)
{
    for (int way = 0; way < TDM_NET_WAYS; way++)
        for (uint8_t i = 0; i < p->ways[way].candidate_count; i++)
            if (p->ways[way].candidates[i].type == TDM_ICE_RELAY)
                return true;
    return false;
}

bool tdm_call_path_gathered(const struct tandem_call *call, tdm_time now)
{
    const struct tdm_call_path *p = &call->path;
    bool all = true;

    for (int way = 0; way < TDM_NET_WAYS; way++)
        all &= p->ways[way].gathered;
    if (all && !tdm_call_ports_pending(call))
        return true;
    /* Without a relay there would be nothing to offer at all: wait longer for the first. */
    tdm_time more = p->ice.relay_only && !any_relay(p) ? 10 * GATHER_SERVERS : 0;

    return now >= p->gather_until + more;
}

bool tdm_call_path_hopeless(const struct tandem_call *call)
{
    return call->path.ice.relay_only && !any_relay(&call->path);
}

static void add_candidates(const struct tdm_call_way *way, uint8_t component,
                           struct tdm_transport_desc *to)
{
    for (uint8_t i = 0; i < way->candidate_count && to->candidate_count < TDM_DESC_CANDIDATES_MAX;
         i++)
        tdm_candidate_describe(&way->candidates[i], component,
                               &to->candidates[to->candidate_count++]);
}

/* Where media should go that knows no ICE: our own address, unless only relays may be seen. */
static void default_address(const struct tandem_call *call, enum tdm_media_kind kind,
                            struct tdm_capability *capability)
{
    const struct tdm_call_path *p = &call->path;
    struct tdm_media_capability *media = &capability->media[kind];
    char text[TDM_ADDRESS_TEXT_MAX];

    media->port = media->rtcp_port = 9;
    if (!p->ice.relay_only) {
        media->port = tdm_net_port(call->net, tdm_net_way((uint8_t)kind, false));
        media->rtcp_port = tdm_net_port(call->net, tdm_net_way((uint8_t)kind, true));
        return;
    }
    (void)snprintf(capability->address, sizeof capability->address, "0.0.0.0");
    for (int rtcp = 0; rtcp < 2; rtcp++) {
        const struct tdm_call_way *way = &p->ways[tdm_net_way((uint8_t)kind, rtcp)];

        for (uint8_t i = 0; i < way->candidate_count; i++)
            if (way->candidates[i].type == TDM_ICE_RELAY) {
                tdm_address_host_text(&way->candidates[i].address, text);
                (void)snprintf(capability->address, sizeof capability->address, "%s", text);
                *(rtcp ? &media->rtcp_port : &media->port) = way->candidates[i].address.port;
                break;
            }
    }
}

void tdm_call_path_capability(const struct tandem_call *call, struct tdm_capability *capability)
{
    const struct tdm_call_path *p = &call->path;
    const struct tdm_reach *reach = &call->engine->reach;

    capability->plain = reach->plain;
    /* Keys in a description that nobody on the way can read are as good as the way. */
    capability->sdes = (reach->sdes || call->confidential) && !reach->only_plain;
    capability->dtls = !reach->only_plain;
    capability->bundle = true;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        struct tdm_transport_desc *t = &capability->media[kind].transport;
        struct tdm_fingerprint_desc *f = &t->fingerprints[0];
        bool gathered = p->gathering;

        memset(t, 0, sizeof *t);
        t->fingerprint_count = 1;
        (void)snprintf(f->hash, sizeof f->hash, "sha-256");
        f->size = TDM_FINGERPRINT_BYTES;
        memcpy(f->bytes, tdm_identity_fingerprint(reach->identity), TDM_FINGERPRINT_BYTES);
        t->crypto_count = p->crypto_count;
        memcpy(t->cryptos, p->cryptos[kind], sizeof t->cryptos);
        (void)snprintf(t->ice_ufrag, sizeof t->ice_ufrag, "%s", p->ufrag[kind]);
        (void)snprintf(t->ice_pwd, sizeof t->ice_pwd, "%s", p->pwd[kind]);
        capability->media[kind].spare = p->spare[kind];
        if (!call->net)
            continue;
        default_address(call, (enum tdm_media_kind)kind, capability);
        for (int rtcp = 0; rtcp < 2; rtcp++) {
            const struct tdm_call_way *way = &p->ways[tdm_net_way((uint8_t)kind, rtcp)];

            add_candidates(way, (uint8_t)(1 + rtcp), t);
            gathered &= way->gathered;
        }
        t->end_of_candidates = gathered;
    }
}

uint8_t tdm_call_path_way(const struct tandem_call *call, enum tdm_media_kind kind, bool rtcp)
{
    const struct tdm_negotiated_media *agreed = &call->machine.negotiated.media[kind];

    return tdm_net_way((uint8_t)agreed->transport_kind, rtcp && !agreed->rtcp_mux);
}

/* A name is looked up first; the candidate is added when it is known. */
static void start_lookup(struct tandem_call *call, uint8_t way,
                         const struct tdm_candidate_desc *desc)
{
    for (int i = 0; i < TDM_CALL_LOOKUPS_MAX; i++) {
        struct tdm_call_lookup *l = &call->path.lookups[i];

        if (l->lookup && l->way == way && strcmp(l->desc.host, desc->host) == 0)
            return;
        if (l->lookup)
            continue;
        l->way = way;
        l->desc = *desc;
        (void)tdm_lookup_start(&l->lookup, desc->host, call->engine->wake, NULL);
        return;
    }
}

static void fill_ice(struct tandem_call *call, uint8_t way,
                     const struct tdm_negotiated_transport *agreed,
                     struct tdm_transport_setup *setup)
{
    const struct tdm_transport_desc *remote = &agreed->remote;

    setup->ice = true;
    setup->lite = remote->ice_lite;
    setup->end_of_candidates = remote->end_of_candidates || !remote->ice_trickle;
    (void)snprintf(setup->ufrag, sizeof setup->ufrag, "%s", remote->ice_ufrag);
    (void)snprintf(setup->pwd, sizeof setup->pwd, "%s", remote->ice_pwd);
    for (uint8_t i = 0; i < remote->candidate_count; i++) {
        const struct tdm_candidate_desc *desc = &remote->candidates[i];
        struct tdm_ice_candidate candidate;

        if (desc->component != 1 + way % 2)
            continue;
        enum tdm_err err = tdm_candidate_of(desc, &candidate);

        if (err == TDM_OK && setup->candidate_count < TDM_ICE_REMOTE_MAX)
            setup->candidates[setup->candidate_count++] = candidate;
        else if (err == TDM_E_AGAIN)
            start_lookup(call, way, desc);
    }
}

/* Made beside everything else, from when a description first names the certificate. */
static void start_words(struct tandem_call *call, const uint8_t peer[TDM_FINGERPRINT_BYTES])
{
    struct tdm_call_path *p = &call->path;

    if ((p->check || p->words[0]) && memcmp(p->check_for, peer, sizeof p->check_for) == 0)
        return;
    tdm_check_job_free(p->check);
    p->check = NULL;
    p->words[0] = 0;
    memcpy(p->check_for, peer, sizeof p->check_for);
    (void)tdm_check_job_start(&p->check, tdm_identity_fingerprint(call->engine->reach.identity),
                              peer, call->engine->wake, NULL);
}

static bool same_identity(const struct tdm_call_way *way,
                          const struct tdm_negotiated_transport *agreed)
{
    return way->setup == agreed->setup &&
           way->fingerprint_count == agreed->remote.fingerprint_count &&
           memcmp(way->fingerprints, agreed->remote.fingerprints, sizeof way->fingerprints) == 0;
}

static enum tdm_err fill_dtls(struct tandem_call *call, uint8_t index,
                              const struct tdm_negotiated_transport *agreed,
                              struct tdm_transport_setup *setup, struct tdm_cause *cause)
{
    struct tdm_call_way *way = &call->path.ways[index];
    struct tdm_dtls_config config = {
        .identity = call->engine->reach.identity,
        .client = agreed->setup == TDM_SETUP_ACTIVE,
        .fingerprint_count = agreed->remote.fingerprint_count,
    };

    if (way->agreed && way->proto == TDM_PROTO_DTLS && same_identity(way, agreed))
        return TDM_OK;
    memcpy(config.fingerprints, agreed->remote.fingerprints, sizeof config.fingerprints);
    enum tdm_err err = tdm_net_dtls(call->net, index, &config, &setup->dtls, cause);

    if (err != TDM_OK)
        return err;
    way->setup = agreed->setup;
    way->fingerprint_count = agreed->remote.fingerprint_count;
    memcpy(way->fingerprints, agreed->remote.fingerprints, sizeof way->fingerprints);
    call->path.peer_checked = false;
    if (way->fingerprint_count == 1 && way->fingerprints[0].size == TDM_FINGERPRINT_BYTES)
        start_words(call, way->fingerprints[0].bytes);
    return TDM_OK;
}

static bool same_key(const struct tdm_crypto_desc *a, const struct tdm_crypto_desc *b)
{
    return a->profile == b->profile && a->key_size == b->key_size &&
           memcmp(a->key, b->key, sizeof a->key) == 0;
}

static enum tdm_err fill_sdes(struct tandem_call *call, uint8_t index,
                              const struct tdm_negotiated_transport *agreed,
                              struct tdm_transport_setup *setup, struct tdm_cause *cause)
{
    struct tdm_call_way *way = &call->path.ways[index];
    struct tdm_srtp_keys keys = {.profile = agreed->send_key.profile,
                                 .size = agreed->send_key.key_size};

    if (way->agreed && way->proto == TDM_PROTO_SDES &&
        same_key(&way->send_key, &agreed->send_key) &&
        same_key(&way->receive_key, &agreed->receive_key))
        return TDM_OK;
    memcpy(keys.local, agreed->send_key.key, sizeof keys.local);
    memcpy(keys.remote, agreed->receive_key.key, sizeof keys.remote);
    setup->profile = keys.profile;
    way->send_key = agreed->send_key;
    way->receive_key = agreed->receive_key;
    return tdm_srtp_create(&setup->srtp, &keys, cause);
}

static enum tdm_err agree_way(struct tandem_call *call, uint8_t index,
                              const struct tdm_negotiated_media *media, struct tdm_cause *cause)
{
    const struct tdm_negotiated_transport *agreed = &media->transport;
    struct tdm_call_way *way = &call->path.ways[index];
    struct tdm_transport_setup setup = {.proto = agreed->proto};
    enum tdm_err err = TDM_OK;

    if (agreed->ice)
        fill_ice(call, index, agreed, &setup);
    else if (tdm_address_parse(&setup.remote, media->remote_address,
                               index % 2 ? media->remote_rtcp_port : media->remote_port) != TDM_OK)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "the other side wants media at \"%s\", which is no IP address",
                        media->remote_address);
    (void)tdm_address_parse(&setup.local, call->local_address, 0);
    if (agreed->proto == TDM_PROTO_DTLS)
        err = fill_dtls(call, index, agreed, &setup, cause);
    else if (agreed->proto == TDM_PROTO_SDES)
        err = fill_sdes(call, index, agreed, &setup, cause);
    if (err != TDM_OK)
        return err;
    way->proto = agreed->proto;
    way->agreed = true;
    return tdm_net_agree(call->net, index, &setup);
}

/* Credentials of ours that the transports do not have yet: ICE restarts by them. */
static void follow_credentials(struct tandem_call *call, enum tdm_media_kind kind)
{
    struct tdm_call_path *p = &call->path;
    const struct tdm_transport_desc *local = &call->machine.negotiated.media[kind].transport.local;

    if (!local->ice_ufrag[0])
        return;
    if (strcmp(local->ice_ufrag, p->spare[kind].ufrag) == 0) {
        /* The other side restarts: these were used up. */
        memcpy(p->ufrag[kind], p->spare[kind].ufrag, sizeof p->ufrag[kind]);
        memcpy(p->pwd[kind], p->spare[kind].pwd, sizeof p->pwd[kind]);
        credentials(p->spare[kind].ufrag, p->spare[kind].pwd);
        p->spare_used = true;
    }
    if (strcmp(p->ice.ufrag[kind], p->ufrag[kind]) == 0)
        return;
    memcpy(p->ice.ufrag[kind], p->ufrag[kind], sizeof p->ice.ufrag[kind]);
    memcpy(p->ice.pwd[kind], p->pwd[kind], sizeof p->ice.pwd[kind]);
    (void)tdm_net_restart(call->net, (uint8_t)kind, p->ufrag[kind], p->pwd[kind]);
}

enum tdm_err tdm_call_path_follow(struct tandem_call *call, struct tdm_cause *cause)
{
    struct tdm_call_path *p = &call->path;
    const struct tdm_negotiated_media *media = call->machine.negotiated.media;
    const struct tdm_negotiated_media *user[TDM_NET_WAYS] = {NULL};
    enum tdm_err err = TDM_OK;

    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        if (!media[kind].active)
            continue;
        follow_credentials(call, media[kind].transport_kind);
        for (int rtcp = 0; rtcp < 2; rtcp++) {
            uint8_t way = tdm_call_path_way(call, (enum tdm_media_kind)kind, rtcp);

            if (!user[way] || (int)media[kind].transport_kind == kind)
                user[way] = &media[kind];
        }
    }
    for (uint8_t way = 0; way < TDM_NET_WAYS && err == TDM_OK; way++) {
        p->ways[way].used = user[way] != NULL;
        if (user[way])
            err = agree_way(call, way, user[way], cause);
    }
    if (p->ready_until == TDM_NEVER && !p->ready)
        p->ready_until = tdm_clock_now() + READY_WITHIN;
    return err;
}

static void open_link(struct tandem_call *call, uint8_t way, uint8_t link)
{
    const struct tdm_ice_server *server = &call->path.ice.servers[link - 1];
    struct tdm_tls *tls = NULL;
    int fd = tdm_server_link_connect(&server->address);

    if (fd >= 0 && server->link == TDM_ICE_OVER_TLS) {
        struct tdm_tls_config config = {.fd = fd, .client = true};

        for (uint8_t i = 0; i < call->engine->reach.server_count; i++)
            if (tdm_address_equal(&call->engine->reach.servers[i].server.address, &server->address))
                config.host = call->engine->reach.servers[i].host;
        if (tdm_tls_create(&tls, &config, NULL) != TDM_OK)
            fd = -1;
    }
    (void)tdm_net_link(call->net, way, link, fd, tls);
}

static void lost(struct tandem_call *call, tdm_time now)
{
    struct tdm_call_path *p = &call->path;
    tdm_time at = now + (p->outgoing ? 0 : CALLEE_WAITS);

    /* A browser cannot be told of new credentials, and would be lost with its old ones: it is for
     * its page to restart. */
    if (call->web)
        return;
    if (p->ready && p->restart_at == TDM_NEVER)
        p->restart_at = p->restarted_at ? tdm_time_max(at, p->restarted_at + RESTART_EVERY) : at;
}

static void fail(struct tandem_call *call, const char *why)
{
    if (call->path.failed)
        return;
    call->path.failed = true;
    (void)snprintf(call->path.why, sizeof call->path.why, "%s", why);
}

/* False: it is known, from an agent before this one. */
static bool note_candidate(struct tdm_call_way *way, const struct tdm_ice_candidate *candidate)
{
    for (uint8_t i = 0; i < way->candidate_count; i++)
        if (way->candidates[i].type == candidate->type &&
            tdm_address_equal(&way->candidates[i].address, &candidate->address))
            return false;
    if (way->candidate_count < TDM_ICE_LOCAL_MAX)
        way->candidates[way->candidate_count++] = *candidate;
    return true;
}

static void transport_told(struct tandem_call *call, const struct tdm_net_event *event,
                           tdm_time now)
{
    struct tdm_call_path *p = &call->path;
    struct tdm_call_way *way = &p->ways[event->way];

    switch (event->told.kind) {
    case TDM_TRANSPORT_CANDIDATE:
        if (note_candidate(way, &event->told.candidate))
            p->late |= p->pending == TDM_CALL_PENDING_NOTHING;
        break;
    case TDM_TRANSPORT_GATHERED:
        way->gathered = true;
        break;
    case TDM_TRANSPORT_READY:
        p->restart_at = TDM_NEVER;
        break;
    case TDM_TRANSPORT_SILENT:
    case TDM_TRANSPORT_LOST:
        if (way->used)
            lost(call, now);
        if (way->used && !p->ready && event->told.kind == TDM_TRANSPORT_LOST)
            fail(call, "no way to the other side passes datagrams; a relay (--turn) would help");
        break;
    case TDM_TRANSPORT_FAILED:
        p->unsafe = true;
        fail(call, event->told.why);
        break;
    case TDM_TRANSPORT_LINK:
        open_link(call, event->way, event->told.link);
        break;
    case TDM_TRANSPORT_SERVER_FAILED:
        if (event->way == 0 && event->told.link <= p->ice.server_count) /* Once is enough. */
            tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "server %u for ICE: %s",
                            event->told.link, event->told.why);
        break;
    }
}

/* The lines of one `a=mid:` for the ways that serve it. Of an ICE session that is over: not taken.
 */
static void take_fragment(struct tandem_call *call, const struct tdm_transport_desc *desc,
                          const char *mid)
{
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        const struct tdm_negotiated_media *media = &call->machine.negotiated.media[kind];
        bool named = media->active && (!mid[0] || strcmp(media->mid, mid) == 0);

        if (!named || !media->transport.ice ||
            (desc->ice_ufrag[0] && strcmp(desc->ice_ufrag, media->transport.remote.ice_ufrag) != 0))
            continue;
        for (uint8_t i = 0; i < desc->candidate_count; i++) {
            uint8_t way = tdm_call_path_way(call, (enum tdm_media_kind)kind,
                                            desc->candidates[i].component == 2);
            struct tdm_ice_candidate candidate;
            enum tdm_err err = tdm_candidate_of(&desc->candidates[i], &candidate);

            if (err == TDM_OK)
                (void)tdm_net_candidate(call->net, way, &candidate);
            else if (err == TDM_E_AGAIN)
                start_lookup(call, way, &desc->candidates[i]);
        }
        return; /* In a bundle one line speaks for all. */
    }
}

void tdm_call_path_candidates(struct tandem_call *call, const char *text, size_t size)
{
    struct tdm_text rest = tdm_text_of(text, size);
    struct tdm_transport_desc desc = {0};
    char mid[16] = "";

    while (call->net && tdm_text_size(rest)) {
        struct tdm_text line = tdm_text_until(&rest, '\n');

        if (tdm_text_size(line) && line.end[-1] == '\r')
            line.end--;
        bool attribute = tdm_text_size(line) > 2 && memcmp(line.at, "a=", 2) == 0;
        struct tdm_text value = line, name;

        value.at += attribute ? 2 : 0;
        name = tdm_text_until(&value, ':');
        if (!attribute)
            continue;
        if (tdm_text_equals(name, "mid")) {
            take_fragment(call, &desc, mid);
            desc.candidate_count = 0;
            (void)tdm_text_copy(value, mid, sizeof mid);
        } else {
            (void)tdm_sdp_take_transport(&desc, false, name, value);
        }
    }
    if (call->net)
        take_fragment(call, &desc, mid);
}

void tdm_call_path_told(struct tandem_call *call, const struct tdm_net_event *event, tdm_time now)
{
    if (event->kind == TDM_NET_TRANSPORT)
        transport_told(call, event, now);
    else if (event->kind == TDM_NET_INTERFACES && call->path.gathering && call->net)
        tdm_call_path_gather(call, now);
    if (event->kind == TDM_NET_INTERFACES && call->engine->reach.ports)
        tdm_port_map_network_changed(call->engine->reach.ports);
}

/* Whether the certificate is the one that the contact had before; and the words to compare. */
void tdm_call_path_check(struct tandem_call *call, const uint8_t peer[TDM_FINGERPRINT_BYTES])
{
    struct tdm_call_path *p = &call->path;
    const struct tdm_reach *reach = &call->engine->reach;
    struct tdm_cause cause = {""};
    enum tdm_known known;
    char contact[128];

    p->trusted = p->trusted && memcmp(p->peer, peer, sizeof p->peer) == 0;
    p->peer_checked = true;
    memcpy(p->peer, peer, sizeof p->peer);
    start_words(call, p->peer);
    p->contact = TANDEM_CONTACT_UNKNOWN;
    if (!reach->known_path[0])
        return;
    tdm_reach_contact(call->machine.peer, contact, sizeof contact);
    if (tdm_known_check(reach->known_path, contact, p->peer, &known, &cause) != TDM_OK) {
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", cause.text);
        return;
    }
    p->contact = known == TDM_KNOWN_FIRST  ? TANDEM_CONTACT_NEW
                 : known == TDM_KNOWN_SAME ? TANDEM_CONTACT_KNOWN
                                           : TANDEM_CONTACT_CHANGED;
    p->stranger = known == TDM_KNOWN_CHANGED;
}

/* @return whether all that there is to say is known. */
static bool take_words(struct tandem_call *call)
{
    struct tdm_call_path *p = &call->path;

    if (p->check && tdm_check_job_take(p->check, p->words) != TDM_OK)
        return false;
    tdm_check_job_free(p->check);
    p->check = NULL;
    if (p->stranger)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_STRANGER, 0,
                        "the certificate of %.100s is not the one that it had before: read the "
                        "words \"%s\" to each other; if they differ, hang up",
                        call->machine.peer, p->words);
    p->stranger = false;
    return true;
}

static bool channel_alone(const struct tandem_call *call)
{
    const struct tdm_negotiated *n = &call->machine.negotiated;

    return n->channel.active && !n->media[TDM_AUDIO].active && !n->media[TDM_VIDEO].active;
}

bool tdm_call_path_status(struct tandem_call *call)
{
    struct tdm_call_path *p = &call->path;
    bool any = false;
    bool all = true;

    for (int way = 0; way < TDM_NET_WAYS; way++) {
        const struct tdm_transport_status *status = &call->status.transports[way];

        if (!p->ways[way].used)
            continue;
        any = true;
        all &= status->ready;
        if (status->ready && status->peer_known && !p->peer_checked)
            tdm_call_path_check(call, status->peer);
    }
    /* A session of the data channel alone needs no path for media. */
    any |= channel_alone(call) && call->status.at;
    if (!p->ready && any && all) {
        p->ready = true;
        p->ready_until = TDM_NEVER;
    }
    return take_words(call) && p->ready && !call->announced_up;
}

static void take_lookups(struct tandem_call *call)
{
    for (int i = 0; i < TDM_CALL_LOOKUPS_MAX; i++) {
        struct tdm_call_lookup *l = &call->path.lookups[i];
        struct tdm_address list[TDM_LOOKUP_MAX];
        struct tdm_ice_candidate candidate;
        uint32_t count = 0;
        enum tdm_err err = l->lookup ? tdm_lookup_take(l->lookup, list, &count) : TDM_E_AGAIN;

        if (err == TDM_E_AGAIN)
            continue;
        for (uint32_t k = 0; k < count; k++) {
            tdm_candidate_at(&l->desc, &list[k], &candidate);
            (void)tdm_net_candidate(call->net, l->way, &candidate);
        }
        tdm_lookup_free(l->lookup);
        l->lookup = NULL;
    }
}

/* New credentials, by which both sides look for paths anew while media goes on as it can. */
static void restart(struct tandem_call *call, tdm_time now)
{
    struct tdm_call_path *p = &call->path;

    p->restart_at = TDM_NEVER;
    p->restarted_at = now;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++)
        credentials(p->ufrag[kind], p->pwd[kind]);
    for (uint8_t way = 0; way < TDM_NET_WAYS; way++)
        p->ways[way].candidate_count = 0; /* They are told again. */
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        memcpy(p->ice.ufrag[kind], p->ufrag[kind], sizeof p->ice.ufrag[kind]);
        memcpy(p->ice.pwd[kind], p->pwd[kind], sizeof p->ice.pwd[kind]);
        (void)tdm_net_restart(call->net, (uint8_t)kind, p->ufrag[kind], p->pwd[kind]);
    }
    p->late = true;
    p->gather_until = now + GATHER_HOST;
}

void tdm_call_path_run(struct tandem_call *call, tdm_time now)
{
    struct tdm_call_path *p = &call->path;

    if (!call->net || call->ended)
        return;
    take_lookups(call);
    tdm_call_ports_follow(call);
    /* A browser can be offered nothing. */
    for (int kind = 0; p->spare_used && call->web && kind < TDM_MEDIA_KINDS; kind++)
        call->machine.capability.media[kind].spare = p->spare[kind];
    if (p->spare_used && !call->web)
        tdm_call_offer_paths(call); /* Nothing new but the next spare ones: no offer leaves. */
    p->spare_used = false;
    if (now >= p->ready_until)
        fail(call, "no way to the other side within 20 s; a relay (--turn) would help");
    if (now >= p->restart_at)
        restart(call, now);
    p->late = p->late && !call->web; /* Nor of more candidates; our checks show them. */
    bool wanted = p->restarted_at || !p->ready;

    if (p->late && wanted && call->machine.state == TDM_CALL_UP && now >= p->gather_until) {
        p->late = false;
        tdm_call_offer_paths(call);
    }
}

tdm_time tdm_call_path_wake(const struct tandem_call *call)
{
    const struct tdm_call_path *p = &call->path;
    tdm_time wake = tdm_time_min(p->ready_until, p->restart_at);

    return p->late || p->pending ? tdm_time_min(wake, p->gather_until) : wake;
}

static const struct tdm_transport_status *main_way(const struct tandem_call *call)
{
    enum tdm_media_kind kind =
        call->machine.negotiated.media[TDM_AUDIO].active ? TDM_AUDIO : TDM_VIDEO;

    return &call->status.transports[tdm_call_path_way(call, kind, false)];
}

static enum tandem_path path_of(const struct tdm_transport_status *s)
{
    const struct tdm_ice_path *path = &s->path;

    if (!s->ready)
        return TANDEM_PATH_NONE;
    if (!s->ice)
        return TANDEM_PATH_DIRECT;
    if (path->local.type == TDM_ICE_RELAY || path->remote.type == TDM_ICE_RELAY)
        return TANDEM_PATH_RELAYED;
    if (path->local.mapped)
        return TANDEM_PATH_MAPPED;
    return path->local.type == TDM_ICE_HOST && path->remote.type == TDM_ICE_HOST
               ? TANDEM_PATH_DIRECT
               : TANDEM_PATH_REFLEXIVE;
}

static const char *profile_name(enum tdm_srtp_profile profile)
{
    static const char *const names[] = {
        [TDM_SRTP_NONE] = "",
        [TDM_SRTP_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
        [TDM_SRTP_AEAD_AES_256_GCM] = "AEAD_AES_256_GCM",
        [TDM_SRTP_AES_CM_128_HMAC_SHA1_80] = "AES_CM_128_HMAC_SHA1_80",
        [TDM_SRTP_AES_CM_128_HMAC_SHA1_32] = "AES_CM_128_HMAC_SHA1_32",
    };

    return names[profile];
}

void tdm_call_path_text(const struct tandem_call *call, char *text, size_t capacity)
{
    static const char *const paths[] = {"no path", "direct", "through a NAT", "port mapped",
                                        "relayed"};
    struct tandem_security s;

    tdm_call_path_stats(call, &s);
    if (channel_alone(call))
        (void)snprintf(text, capacity, "data channel alone");
    else if (s.protection == TANDEM_PROTECTION_NONE)
        (void)snprintf(text, capacity, "%s, NOT ENCRYPTED", paths[s.path]);
    else
        (void)snprintf(text, capacity, "%s, encrypted (%s %s)%s%s", paths[s.path],
                       s.protection == TANDEM_PROTECTION_DTLS ? "DTLS-SRTP" : "SDES-SRTP",
                       s.profile, s.words[0] ? ", words: " : "", s.words);
}

static double ms_between(tdm_time from, tdm_time to)
{
    return from == TDM_NEVER || to == TDM_NEVER ? 0 : (double)(to - from) / 1e6;
}

void tdm_call_path_stats(const struct tandem_call *call, struct tandem_security *security)
{
    const struct tdm_transport_status *s = main_way(call);
    const struct tdm_call_path *p = &call->path;

    *security = (struct tandem_security){
        .path = path_of(s),
        .ice = s->ice,
        .contact = p->contact,
        .path_ms = ms_between(s->agreed_at, s->path_at),
        .ready_ms = ms_between(s->agreed_at, s->ready_at),
        .media_ms = ms_between(s->agreed_at, s->media_at),
    };
    if (s->proto == TDM_PROTO_DTLS && s->agreed)
        security->protection = TANDEM_PROTECTION_DTLS;
    else if (s->proto == TDM_PROTO_SDES)
        security->protection = TANDEM_PROTECTION_SDES;
    (void)snprintf(security->profile, sizeof security->profile, "%s", profile_name(s->profile));
    if (security->protection == TANDEM_PROTECTION_DTLS || channel_alone(call))
        (void)snprintf(security->words, sizeof security->words, "%s", p->words);
    for (int way = 0; way < TDM_NET_WAYS; way++) {
        const struct tdm_transport_status *each = &call->status.transports[way];

        security->refused += each->refused + each->ice_stats.refused + each->ice_stats.dropped;
        security->denied += each->denied;
    }
    if (!s->ready)
        return;
    if (s->ice) {
        tdm_address_text(&s->path.local.address, security->local);
        tdm_address_text(&s->path.remote.address, security->remote);
    } else {
        tdm_address_text(&s->remote, security->remote);
    }
}

enum tdm_err tdm_call_path_trust(struct tandem_call *call, struct tdm_cause *cause)
{
    const struct tdm_reach *reach = &call->engine->reach;
    char contact[128];

    if (!call->path.peer_checked || !reach->known_path[0])
        return tdm_fail(cause, TDM_E_GONE,
                        "this call has no certificate to remember, or contacts are not remembered");
    tdm_reach_contact(call->machine.peer, contact, sizeof contact);
    enum tdm_err err = tdm_known_accept(reach->known_path, contact, call->path.peer, cause);

    call->path.trusted |= err == TDM_OK;
    tdm_call_channel_vouch(call);
    return err;
}
