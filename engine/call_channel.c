/* SPDX-License-Identifier: MIT */
#include "engine/call_channel.h"

#include "engine/board.h"
#include "engine/call.h"
#include "engine/chat.h"
#include "engine/engine.h"
#include "engine/files.h"
#include "engine/io/port_map.h"
#include "engine/io/tcp.h"
#include "engine/share.h"

#include <stdio.h>
#include <string.h>

#define PORTS      16 /* From the default one on, when the program names none. */
#define RATE_OVER  (400 * TDM_MS)
#define BYE_WITHIN (500 * TDM_MS) /* Of the channel that closed with it. */
/* Of a reflexive candidate, which is the only one (RFC 8445 section 5.1.2.1). */
#define MAPPED_PRIORITY ((UINT32_C(100) << 24) + (UINT32_C(0xffff) << 8) + 255)

enum tdm_err tdm_call_channel_open(struct tandem_call *call, struct tdm_cause *cause)
{
    const struct tandem_config *config = &call->engine->config;
    uint16_t port = config->channel_port_min ? config->channel_port_min : TDM_TCP_CHANNEL_PORT;
    struct tdm_channel_link_config link = {
        .identity = call->engine->reach.identity,
        .address = config->bind_address,
        .port_min = port,
        .port_max = config->channel_port_max   ? config->channel_port_max
                    : config->channel_port_min ? port
                                               : (uint16_t)(port + PORTS - 1),
        .control_wake = call->engine->wake,
        .media = call->media_open ? &call->link : NULL,
    };
    /* It opens before the invitation leaves, which is when the machine learns whom it calls. */
    const char *peer = call->machine.peer[0] ? call->machine.peer : call->path.dial_to;
    struct tdm_cause why = {""};

    if (!call->plan.channel || call->channel.link)
        return TDM_OK;
    enum tdm_err err = tdm_channel_link_create(&call->channel.link, &link, &why);

    if (err == TDM_OK && call->plan.files) {
        tdm_files_meet(call->plan.files, peer);
        err = tdm_channel_link_attach(call->channel.link, &tdm_files_rider, call->plan.files);
    }
    if (err == TDM_OK && call->plan.share && tdm_share_meet(call->plan.share, peer))
        err = tdm_channel_link_attach(call->channel.link, &tdm_share_rider, call->plan.share);
    if (err == TDM_OK && call->plan.board && tdm_board_meet(call->plan.board, peer))
        err = tdm_channel_link_attach(call->channel.link, &tdm_board_rider,
                                      tdm_board_seat_of(call->plan.board));
    if (err == TDM_OK && call->plan.chat && tdm_chat_meet(call->plan.chat, peer)) {
        err = tdm_channel_link_attach(call->channel.link, &tdm_chat_rider, call->plan.chat);
        call->channel.chats = err == TDM_OK;
    }
    if (err == TDM_OK)
        err = tdm_channel_link_start(call->channel.link, &why);
    if (err != TDM_OK) {
        tdm_call_channel_close(call);
        return tdm_fail(cause, err, "%s", why.text);
    }
    if (why.text[0])
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                        "%s; the other side has to be reachable", why.text);
    call->channel.mapped_port = tdm_channel_link_port(call->channel.link);
    if (call->engine->reach.ports && !call->engine->reach.relay_only && call->channel.mapped_port)
        tdm_port_map_want(call->engine->reach.ports, call->channel.mapped_port, true);
    else
        call->channel.mapped_port = 0;
    return TDM_OK;
}

void tdm_call_channel_close(struct tandem_call *call)
{
    if (call->channel.mapped_port)
        tdm_port_map_drop(call->engine->reach.ports, call->channel.mapped_port, true);
    call->channel.mapped_port = 0;
    tdm_channel_link_destroy(call->channel.link);
    call->channel.link = NULL;
    call->channel.agreed = call->channel.chats = call->channel.known = false;
    memset(&call->channel.media, 0, sizeof call->channel.media);
    call->channel.told[0] = 0;
    call->channel.status.state = TDM_CHANNEL_WAITING;
}

/* How the gateway shows the listener, when it does: another place to connect to (RFC 6544). */
static void add_mapped(const struct tandem_call *call, struct tdm_transport_desc *transport)
{
    struct tdm_candidate_desc *c = &transport->candidates[0];
    struct tdm_address external;
    char host[TDM_ADDRESS_TEXT_MAX];

    if (!call->channel.mapped_port ||
        !tdm_port_map_of(call->engine->reach.ports, call->channel.mapped_port, true, &external))
        return;
    *c = (struct tdm_candidate_desc){.foundation = "1",
                                     .component = 1,
                                     .tcp = true,
                                     .tcp_type = TDM_TCP_PASSIVE,
                                     .priority = MAPPED_PRIORITY,
                                     .type = TDM_CANDIDATE_SRFLX,
                                     .port = external.port,
                                     .related_port = call->channel.mapped_port};
    tdm_address_host_text(&external, host);
    (void)snprintf(c->host, sizeof c->host, "%s", host);
    (void)snprintf(c->related_host, sizeof c->related_host, "%s", call->local_address);
    transport->candidate_count = 1;
}

void tdm_call_channel_capability(const struct tandem_call *call, struct tdm_capability *capability)
{
    struct tdm_channel_capability *c = &capability->channel;
    struct tdm_fingerprint_desc *f = &c->transport.fingerprints[0];

    memset(c, 0, sizeof *c);
    /* Before the program has said what it wants, an invitation for a channel alone is no reason to
     * refuse. */
    c->wanted = call->plan.channel || call->plan.channel_if_asked || !call->planned;
    c->if_asked = !call->plan.channel && call->planned;
    if (call->channel.link)
        c->port = tdm_channel_link_port(call->channel.link);
    c->transport.fingerprint_count = 1;
    (void)snprintf(f->hash, sizeof f->hash, "sha-256");
    f->size = TDM_FINGERPRINT_BYTES;
    memcpy(f->bytes, tdm_identity_fingerprint(call->engine->reach.identity), TDM_FINGERPRINT_BYTES);
    add_mapped(call, &c->transport);
    c->transport.connection_existing = call->channel.status.state == TDM_CHANNEL_UP;
}

static void add_target(struct tdm_channel_terms *terms, const char *host, uint16_t port)
{
    struct tdm_address *a = &terms->targets[terms->target_count];

    /* Port 9 stands for nowhere (RFC 4145 section 4.1). */
    if (port == 0 || port == 9 || terms->target_count == TDM_CHANNEL_TARGETS_MAX ||
        tdm_address_parse(a, host, port) != TDM_OK)
        return;
    for (uint8_t i = 0; i < terms->target_count; i++)
        if (tdm_address_equal(a, &terms->targets[i]))
            return;
    terms->target_count++;
}

static void terms_of(const struct tdm_negotiated_channel *agreed, struct tdm_channel_terms *terms)
{
    memset(terms, 0, sizeof *terms);
    terms->setup = agreed->setup;
    add_target(terms, agreed->remote_address, agreed->remote_port);
    for (uint8_t i = 0; i < agreed->remote.candidate_count; i++)
        if (agreed->remote.candidates[i].tcp)
            add_target(terms, agreed->remote.candidates[i].host, agreed->remote.candidates[i].port);
    terms->fingerprint_count = agreed->remote.fingerprint_count;
    memcpy(terms->fingerprints, agreed->remote.fingerprints, sizeof terms->fingerprints);
}

static bool same_terms(const struct tdm_channel_terms *a, const struct tdm_channel_terms *b)
{
    if (a->setup != b->setup || a->target_count != b->target_count ||
        a->fingerprint_count != b->fingerprint_count)
        return false;
    for (uint8_t i = 0; i < a->target_count; i++)
        if (!tdm_address_equal(&a->targets[i], &b->targets[i]))
            return false;
    return memcmp(a->fingerprints, b->fingerprints, sizeof a->fingerprints) == 0;
}

enum tdm_err tdm_call_channel_follow(struct tandem_call *call, struct tdm_cause *cause)
{
    const struct tdm_negotiated_channel *agreed = &call->machine.negotiated.channel;
    struct tdm_channel_terms terms;

    /* Whoever asked for it: it is part of the call until somebody drops it. */
    if (call->plan.channel_if_asked)
        call->plan.channel = agreed->active;
    if (!agreed->active) {
        if (call->channel.agreed)
            tdm_engine_tell(call->engine, call, TANDEM_EVENT_CHANNEL, TANDEM_CHANNEL_NONE,
                            "the data channel is closed");
        else if (call->channel.link)
            tdm_engine_tell(call->engine, call, TANDEM_EVENT_CHANNEL, TANDEM_CHANNEL_NONE,
                            "no data channel: the other side does not take part in it");
        tdm_call_channel_close(call);
        return TDM_OK;
    }
    enum tdm_err err = tdm_call_channel_open(call, cause);

    if (err != TDM_OK || !call->channel.link)
        return err;
    terms_of(agreed, &terms);
    terms.caller = call->path.outgoing;
    if (!call->channel.agreed || !same_terms(&terms, &call->channel.terms)) {
        call->channel.terms = terms;
        call->channel.agreed = true;
        tdm_channel_link_agree(call->channel.link, &terms);
    }
    tdm_call_channel_share(call);
    return TDM_OK;
}

static bool sends_media(const struct tandem_call *call)
{
    return call->machine.negotiated.media[TDM_AUDIO].active ||
           call->machine.negotiated.media[TDM_VIDEO].active;
}

/* Bits a second since `then`, over at least RATE_OVER. */
static void measure_rates(struct tandem_call *call)
{
    struct tdm_call_channel *c = &call->channel;
    const struct tdm_net_status *net = &call->status;
    uint64_t media_bytes = net->streams[TDM_STREAM_AUDIO].bytes_sent +
                           net->streams[TDM_STREAM_VIDEO].bytes_sent +
                           net->streams[TDM_STREAM_REGION].bytes_sent;
    tdm_time passed = net->at - c->rates.since;

    if (c->rates.since && passed < RATE_OVER)
        return;
    if (c->rates.since && passed < TDM_S) {
        double bits = 8e9 / (double)passed;

        c->rates.media_bps = (uint64_t)((double)(media_bytes - c->rates.media_bytes) * bits);
        c->rates.used_bps =
            (uint64_t)((double)(c->status.stats.bytes_sent - c->rates.channel_bytes) * bits);
    }
    c->rates.since = net->at;
    c->rates.media_bytes = media_bytes;
    c->rates.channel_bytes = c->status.stats.bytes_sent;
}

void tdm_call_channel_share(struct tandem_call *call)
{
    const struct tdm_net_status *net = &call->status;
    struct tdm_share_out out;

    if (!call->channel.link)
        return;
    measure_rates(call);
    double lost[] = {net->streams[TDM_STREAM_AUDIO].remote_loss,
                     net->streams[TDM_STREAM_VIDEO].remote_loss};

    tdm_share_step(
        &call->channel.share, net->at,
        &(struct tdm_share_in){
            .media = sends_media(call),
            .media_bps = call->channel.rates.media_bps,
            .used_bps = call->channel.rates.used_bps,
            .known_bps = call->channel.status.stats.rate_bps,
            .capacity_bps = net->rate.mode == TDM_SESSION_RATE_NORMAL ? net->rate.capacity_bps : 0,
            .pictures_bps = net->rate.mode > TDM_SESSION_RATE_START ? net->rate.target_bps : 0,
            .rtt = net->rtt,
            .loss = lost[0] > lost[1] ? lost[0] : lost[1],
        },
        &out);
    atomic_store_explicit(&call->link.channel_bps, call->channel.rates.used_bps,
                          memory_order_relaxed);
    tdm_channel_link_budget(call->channel.link, out.budget_bps);
}

static enum tandem_channel_state public_state(const struct tandem_call *call)
{
    static const enum tandem_channel_state states[] = {
        [TDM_CHANNEL_WAITING] = TANDEM_CHANNEL_CONNECTING,
        [TDM_CHANNEL_UP] = TANDEM_CHANNEL_UP,
        [TDM_CHANNEL_BROKEN] = TANDEM_CHANNEL_INTERRUPTED,
        [TDM_CHANNEL_FAILED] = TANDEM_CHANNEL_FAILED,
    };

    return call->channel.agreed ? states[call->channel.status.state] : TANDEM_CHANNEL_NONE;
}

/* Whether the words of the call vouch for the channel, too: both are of the same certificate. */
static const char *covered(struct tandem_call *call)
{
    const struct tdm_channel_link_status *s = &call->channel.status;

    if (s->state != TDM_CHANNEL_UP || !s->peer_checked)
        return "";
    if (!call->path.peer_checked)
        tdm_call_path_check(call, s->peer);
    return memcmp(call->path.peer, s->peer, sizeof s->peer) == 0
               ? ""
               : "; its certificate is not that of the call, whose words do not vouch for it";
}

void tdm_call_channel_vouch(struct tandem_call *call)
{
    const struct tdm_channel_link_status *s = &call->channel.status;
    const struct tdm_call_path *p = &call->path;
    bool same = memcmp(p->peer, s->peer, sizeof s->peer) == 0;

    if (!call->channel.chats || s->state != TDM_CHANNEL_UP || !s->peer_checked || !p->peer_checked)
        return;
    tdm_chat_vouch(call->plan.chat, s->peer,
                   !same                                  ? TDM_CHAT_HOLDS
                   : p->trusted                           ? TDM_CHAT_TRUSTED
                   : p->contact == TANDEM_CONTACT_CHANGED ? TDM_CHAT_HOLDS
                                                          : TDM_CHAT_MAY);
}

/* Who was in a call before, under the same certificate, is no stranger to the person who shares. */
static void tell_known(struct tandem_call *call)
{
    const struct tdm_channel_link_status *s = &call->channel.status;
    const struct tdm_call_path *p = &call->path;

    if (call->channel.known || !call->plan.share || s->state != TDM_CHANNEL_UP ||
        !s->peer_checked || !p->peer_checked || memcmp(p->peer, s->peer, sizeof s->peer) != 0 ||
        (!p->trusted && p->contact != TANDEM_CONTACT_KNOWN))
        return;
    call->channel.known = true;
    tdm_share_known(call->plan.share);
}

/* The media's association, when all that there are have the same other end. */
static void tell_media(struct tandem_call *call)
{
    struct tdm_call_channel *c = &call->channel;
    struct tdm_channel_media media = {.ready = false};
    bool same = true;

    for (int way = 0; way < TDM_NET_WAYS; way++) {
        const struct tdm_transport_status *s = &call->status.transports[way];

        if (!s->ready || s->proto != TDM_PROTO_DTLS || !s->peer_known)
            continue;
        same &= !media.ready || memcmp(media.peer, s->peer, sizeof s->peer) == 0;
        media.ready = true;
        memcpy(media.peer, s->peer, sizeof s->peer);
    }
    media.ready &= same;
    if (memcmp(&media, &c->media, sizeof media) == 0)
        return;
    c->media = media;
    tdm_channel_link_media(c->link, &media);
}

static void tell(struct tandem_call *call, enum tandem_channel_state state, const char *text)
{
    struct tdm_call_channel *c = &call->channel;

    if (!text[0] || strcmp(text, c->told) == 0)
        return;
    (void)snprintf(c->told, sizeof c->told, "%s", text);
    tdm_engine_tell(call->engine, call, TANDEM_EVENT_CHANNEL, (int)state, "%s", text);
}

/* The other side's good-bye closes the channel and comes by another way, so an interruption is told
 * when none has followed, or when what came next is told. */
static void tell_broken(struct tandem_call *call, tdm_time now)
{
    struct tdm_call_channel *c = &call->channel;
    bool still = c->status.state == TDM_CHANNEL_BROKEN;

    if (!c->broke_at || (still && now - c->broke_at < BYE_WITHIN) ||
        call->machine.state != TDM_CALL_UP)
        return;
    c->broke_at = 0;
    tell(call, TANDEM_CHANNEL_INTERRUPTED, c->broke);
}

void tdm_call_channel_run(struct tandem_call *call, tdm_time now)
{
    struct tdm_call_channel *c = &call->channel;
    char text[sizeof c->told];

    if (c->link && c->agreed)
        tell_media(call);
    while (c->link && tdm_channel_link_status(c->link, &c->status)) {
        (void)snprintf(text, sizeof text, "%s%s", c->status.text, covered(call));
        tdm_call_channel_vouch(call);
        if (c->status.state != TDM_CHANNEL_BROKEN) {
            tell_broken(call, now);
            tell(call, public_state(call), text);
        } else if (!c->broke_at && strcmp(text, c->told) != 0) {
            c->broke_at = now;
            (void)snprintf(c->broke, sizeof c->broke, "%s", text);
        }
    }
    tell_known(call);
    tell_broken(call, now);
}

void tdm_call_channel_stats(const struct tandem_call *call, struct tandem_channel_stats *stats)
{
    const struct tdm_call_channel *c = &call->channel;
    const struct tdm_channel_link_status *s = &c->status;

    *stats = (struct tandem_channel_stats){
        .state = public_state(call),
        .port = c->link ? tdm_channel_link_port(c->link) : 0,
        .dialed = s->way == TDM_CHANNEL_DIALED,
        .over_media = s->way == TDM_CHANNEL_OVER_MEDIA,
        .peer_checked = s->peer_checked,
        .refused = s->refused,
        .reconnects = s->stats.reconnects,
        .bytes_sent = s->stats.bytes_sent,
        .bytes_received = s->stats.bytes_received,
        .rtt_ms = (double)s->stats.rtt / 1e6,
        .rate_bps = (double)s->stats.rate_bps,
    };
    (void)snprintf(stats->text, sizeof stats->text, "%s", c->told);
    if (s->way == TDM_CHANNEL_DIALED || s->way == TDM_CHANNEL_ACCEPTED)
        tdm_address_text(&s->remote, stats->remote);
}
