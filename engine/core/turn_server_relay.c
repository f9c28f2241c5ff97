/* SPDX-License-Identifier: MIT */
/* RFC 8656 sections 9 to 12: permissions, channels, and the data both ways. */

#include "engine/core/turn_server_state.h"

#define PERMIT_LIFE  (300 * TDM_S)
#define CHANNEL_LIFE (600 * TDM_S)

/* Room for the host's permission: its own, or one that ran out; NULL: none. */
static struct turn_permit *permit_slot(struct turn_allocation *a, tdm_time now,
                                       const struct tdm_address *peer)
{
    struct turn_permit *slot = tdm_turn_permit_of(a, now, peer);

    for (size_t i = 0; i < TURN_PERMITS_MAX && !slot; i++)
        if (a->permits[i].expires_at <= now || a->permits[i].peer.family == TDM_ADDRESS_NONE)
            slot = &a->permits[i];
    return slot;
}

static uint16_t check_peer(struct tdm_turn_server *s, const struct turn_allocation *a,
                           const struct tdm_address *peer)
{
    if (a->relays[tdm_turn_family_index(peer->family)].state != TURN_RELAY_LIVE)
        return TDM_STUN_PEER_FAMILY_MISMATCH;
    if (tdm_turn_peer_is_allowed(s, peer))
        return 0;
    s->stats.forbidden_peers++;
    return TDM_STUN_FORBIDDEN;
}

static bool permit(struct turn_allocation *a, tdm_time now, const struct tdm_address *peer)
{
    struct turn_permit *slot = permit_slot(a, now, peer);

    if (slot)
        *slot = (struct turn_permit){.peer = *peer, .expires_at = now + PERMIT_LIFE};
    return slot != NULL;
}

static void answer_plainly(struct tdm_turn_server *s, tdm_time now, const struct turn_request *r,
                           uint16_t code, struct tdm_turn_server_out *out)
{
    if (code) {
        tdm_turn_answer_error(s, now, r, code, out);
        return;
    }
    struct tdm_writer w = tdm_turn_answer_begin(r, TDM_STUN_SUCCESS, out);

    tdm_turn_answer_end(s, now, r, &w, out);
}

void tdm_turn_create_permission(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                                struct tdm_turn_server_out *out)
{
    struct turn_allocation *a = r->allocation;
    uint16_t code = 0;

    if (!a || a->state != TURN_LIVE)
        code = TDM_STUN_ALLOCATION_MISMATCH;
    else if (!r->m.peer_count)
        code = TDM_STUN_BAD_REQUEST;
    for (uint8_t i = 0; i < r->m.peer_count && !code; i++)
        code = check_peer(s, a, &r->m.peers[i]);
    for (uint8_t i = 0; i < r->m.peer_count && !code; i++)
        if (!permit(a, now, &r->m.peers[i]))
            code = TDM_STUN_INSUFFICIENT_CAPACITY;
    answer_plainly(s, now, r, code, out);
}

/* The slot for this pair of number and peer; *conflict: either is taken with another. */
static struct turn_channel *channel_slot(struct turn_allocation *a, tdm_time now, uint16_t number,
                                         const struct tdm_address *peer, bool *conflict)
{
    struct turn_channel *slot = NULL;

    *conflict = false;
    for (size_t i = 0; i < TURN_CHANNELS_MAX; i++) {
        struct turn_channel *channel = &a->channels[i];
        bool live = channel->number && channel->expires_at > now;
        bool same_number = channel->number == number;
        bool same_peer = tdm_address_equal(&channel->peer, peer);

        if (live && same_number && same_peer)
            return channel;
        if (live && (same_number || same_peer))
            *conflict = true;
        if (!live && !slot)
            slot = channel;
    }
    return *conflict ? NULL : slot;
}

static uint16_t bind_channel(struct tdm_turn_server *s, tdm_time now, struct turn_request *r)
{
    struct turn_allocation *a = r->allocation;
    const struct tdm_address *peer = &r->m.peers[0];
    bool conflict;

    if (!a || a->state != TURN_LIVE)
        return TDM_STUN_ALLOCATION_MISMATCH;
    if (!r->m.has_channel || r->m.peer_count != 1 || r->m.channel < TDM_TURN_CHANNEL_MIN ||
        r->m.channel > TDM_TURN_CHANNEL_OLD_MAX || !peer->port)
        return TDM_STUN_BAD_REQUEST;
    uint16_t code = check_peer(s, a, peer);

    if (code)
        return code;
    struct turn_channel *slot = channel_slot(a, now, r->m.channel, peer, &conflict);

    if (conflict)
        return TDM_STUN_BAD_REQUEST;
    if (!slot || !permit(a, now, peer))
        return TDM_STUN_INSUFFICIENT_CAPACITY;
    *slot = (struct turn_channel){
        .number = r->m.channel, .peer = *peer, .expires_at = now + CHANNEL_LIFE};
    return 0;
}

void tdm_turn_channel_bind(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                           struct tdm_turn_server_out *out)
{
    answer_plainly(s, now, r, bind_channel(s, now, r), out);
}

static bool within_rate(struct tdm_turn_server *s, tdm_time now, struct turn_allocation *a,
                        size_t size)
{
    uint64_t one = s->config.allocation_bytes_per_s, all = s->config.total_bytes_per_s;

    if (tdm_turn_bucket_take(&a->rate, now, one, size, one) &&
        tdm_turn_bucket_take(&s->rate, now, all, size, all)) {
        s->stats.relayed_packets++;
        s->stats.relayed_bytes += size;
        return true;
    }
    s->stats.over_rate++;
    return false;
}

static void to_peer(struct tdm_turn_server *s, tdm_time now, struct turn_allocation *a,
                    const struct tdm_address *peer, struct tdm_stun_span data,
                    struct tdm_turn_server_out *out)
{
    size_t f = tdm_turn_family_index(peer->family);

    if (!tdm_turn_permit_of(a, now, peer) || a->relays[f].state != TURN_RELAY_LIVE ||
        !tdm_turn_target_is_allowed(s, peer)) {
        s->stats.unpermitted++;
        return;
    }
    if (!within_rate(s, now, a, data.size))
        return;
    a->bytes_out += data.size;
    out->peer = (struct tdm_turn_server_to_peer){.relay = tdm_turn_relay_number(s, a, f),
                                                 .to = *peer,
                                                 .payload = data.data,
                                                 .payload_size = data.size};
}

/* DONT-FRAGMENT cannot be kept: such a datagram is dropped (RFC 8656 section 11.3). */
void tdm_turn_take_send(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                        struct tdm_turn_server_out *out)
{
    if (r->allocation && r->allocation->state == TURN_LIVE && r->m.peer_count == 1 &&
        r->m.data.data && !r->m.dont_fragment)
        to_peer(s, now, r->allocation, &r->m.peers[0], r->m.data, out);
    else
        s->stats.malformed++;
}

void tdm_turn_take_channel_data(struct tdm_turn_server *s, tdm_time now,
                                const struct tdm_turn_server_in *in,
                                struct tdm_turn_server_out *out)
{
    struct turn_allocation *a = tdm_turn_find(s, in->link, &in->from, &in->to);
    struct tdm_turn_channel_data c;

    if (!a || a->state != TURN_LIVE ||
        tdm_turn_channel_data_parse(&c, in->data, in->size) != TDM_OK) {
        s->stats.malformed++;
        out->close_link = in->link != 0; /* HTTP's "GET" starts like ChannelData. */
        return;
    }
    for (size_t i = 0; i < TURN_CHANNELS_MAX; i++)
        if (a->channels[i].number == c.channel && a->channels[i].expires_at > now) {
            to_peer(s, now, a, &a->channels[i].peer,
                    (struct tdm_stun_span){.data = c.data, .size = c.size}, out);
            return;
        }
    s->stats.unpermitted++;
}

static const struct turn_channel *channel_of(const struct turn_allocation *a, tdm_time now,
                                             const struct tdm_address *peer)
{
    for (size_t i = 0; i < TURN_CHANNELS_MAX; i++)
        if (a->channels[i].number && a->channels[i].expires_at > now &&
            tdm_address_equal(&a->channels[i].peer, peer))
            return &a->channels[i];
    return NULL;
}

static size_t write_indication(struct tdm_turn_server *s, const struct tdm_address *peer,
                               uint8_t *head, size_t size)
{
    uint8_t id[TDM_STUN_ID_BYTES];

    tdm_stun_make_id(id, tdm_rng_u64(&s->rng), tdm_rng_u32(&s->rng));
    return tdm_turn_indication_head(head, TDM_STUN_DATA, id, peer, (uint16_t)size);
}

void tdm_turn_take_peer_data(struct tdm_turn_server *s, tdm_time now,
                             const struct tdm_turn_server_in *in, struct tdm_turn_server_out *out)
{
    struct turn_relay *its;
    struct turn_allocation *a = tdm_turn_of_relay(s, in->relay, &its);

    if (!a || a->state != TURN_LIVE || its->state != TURN_RELAY_LIVE)
        return;
    if (in->from.family != its->address.family || !tdm_turn_permit_of(a, now, &in->from) ||
        in->size > TDM_TURN_DATA_MAX) {
        s->stats.unpermitted++;
        return;
    }
    if (!within_rate(s, now, a, in->size))
        return;
    const struct turn_channel *channel = channel_of(a, now, &in->from);
    struct tdm_turn_server_to_client *c = &out->client;

    a->bytes_in += in->size;
    c->link = a->link;
    c->from = a->local;
    c->to = a->client;
    c->payload = in->data;
    c->payload_size = in->size;
    c->padding = channel && !a->link ? 0 : (uint8_t)tdm_turn_padding(in->size);
    if (channel) {
        tdm_turn_channel_data_head(c->data, channel->number, (uint16_t)in->size);
        c->size = TDM_TURN_CHANNEL_HEAD_BYTES;
    } else {
        c->size = (uint16_t)write_indication(s, &in->from, c->data, in->size);
    }
}
