/* SPDX-License-Identifier: MIT */
/* Permissions, channels, and the bytes that pass by them. */

#include "engine/core/turn_client_parts.h"

#define CHANNEL_QUARANTINE (900 * TDM_S) /* RFC 8656 section 12: 10 minutes, and 5 more. */

static struct tdm_turn_permit *permit_of(struct tdm_turn_client *c, const struct tdm_address *peer)
{
    for (size_t i = 0; i < TDM_TURN_PERMITS_MAX; i++)
        if (tdm_address_same_host(&c->permits[i].peer, peer))
            return &c->permits[i];
    return NULL;
}

void tdm_turn_client_take_payload(struct tdm_turn_client *c, const struct tdm_address *from,
                                  struct tdm_stun_span payload, struct tdm_turn_client_out *out)
{
    if (c->state != TDM_TURN_ALLOCATED || !payload.data || !permit_of(c, from)) {
        c->refused++;
        return;
    }
    out->payload = payload.data;
    out->payload_size = payload.size;
    out->payload_from = *from;
}

void tdm_turn_client_take_channel_data(struct tdm_turn_client *c,
                                       const struct tdm_turn_client_in *in,
                                       struct tdm_turn_client_out *out)
{
    struct tdm_turn_channel_data data;

    if (tdm_turn_channel_data_parse(&data, in->data, in->size) == TDM_OK)
        for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++)
            if (c->channels[i].number == data.channel && turn_is_set(&c->channels[i].peer)) {
                tdm_turn_client_take_payload(
                    c, &c->channels[i].peer,
                    (struct tdm_stun_span){.data = data.data, .size = data.size}, out);
                return;
            }
    c->refused++;
}

void tdm_turn_client_permit(struct tdm_turn_client *c, tdm_time now, const struct tdm_address *peer,
                            struct tdm_turn_client_out *out)
{
    struct tdm_turn_permit *slot = permit_of(c, peer);

    out->peer = *peer;
    if (slot) {
        out->told = slot->granted ? TDM_TURN_TOLD_PERMITTED : TDM_TURN_TOLD_NOTHING;
        return;
    }
    for (size_t i = 0; i < TDM_TURN_PERMITS_MAX; i++) {
        if (turn_is_set(&c->permits[i].peer))
            continue;
        c->permits[i] = (struct tdm_turn_permit){.peer = *peer};
        turn_plan(&c->permits[i].request, c->state == TDM_TURN_ALLOCATED ? now : TDM_NEVER);
        return;
    }
    out->told = TDM_TURN_TOLD_REFUSED;
    out->error_code = TDM_STUN_INSUFFICIENT_CAPACITY;
}

static uint16_t free_number(struct tdm_turn_client *c)
{
    for (;;) {
        uint16_t number = c->next_channel;
        bool used = false;

        c->next_channel =
            number < TDM_TURN_CHANNEL_MAX ? (uint16_t)(number + 1) : TDM_TURN_CHANNEL_MIN;
        for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++)
            used = used || (turn_is_set(&c->channels[i].peer) && c->channels[i].number == number);
        if (!used)
            return number;
    }
}

/* The channel that `peer` has or had, else a free one; NULL: none is free. */
static struct tdm_turn_channel *channel_for(struct tdm_turn_client *c, tdm_time now,
                                            const struct tdm_address *peer)
{
    struct tdm_turn_channel *unused = NULL;

    for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++) {
        struct tdm_turn_channel *slot = &c->channels[i];

        if (turn_is_set(&slot->peer) && !slot->wanted && slot->free_at <= now)
            slot->peer.family = TDM_ADDRESS_NONE;
        if (tdm_address_equal(&slot->peer, peer))
            return slot;
        if (!turn_is_set(&slot->peer) && !unused)
            unused = slot;
    }
    if (unused) {
        uint16_t number = free_number(c);

        *unused = (struct tdm_turn_channel){.peer = *peer, .number = number, .request = turn_idle};
    }
    return unused;
}

void tdm_turn_client_bind(struct tdm_turn_client *c, tdm_time now, const struct tdm_address *peer,
                          struct tdm_turn_client_out *out)
{
    struct tdm_turn_channel *slot = channel_for(c, now, peer);

    tdm_turn_client_permit(c, now, peer, out);
    if (out->told != TDM_TURN_TOLD_REFUSED && slot) {
        out->told = slot->wanted && slot->bound ? TDM_TURN_TOLD_BOUND : TDM_TURN_TOLD_NOTHING;
        if (!slot->wanted)
            turn_plan(&slot->request, c->state == TDM_TURN_ALLOCATED ? now : TDM_NEVER);
        slot->bound = slot->bound && slot->wanted;
        slot->wanted = true;
        return;
    }
    out->told = TDM_TURN_TOLD_REFUSED;
    out->error_code = TDM_STUN_INSUFFICIENT_CAPACITY;
}

void tdm_turn_client_forget(struct tdm_turn_client *c, tdm_time now, const struct tdm_address *peer)
{
    struct tdm_turn_permit *slot = permit_of(c, peer);
    bool host_is_wanted = false;

    for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++) {
        struct tdm_turn_channel *channel = &c->channels[i];

        if (tdm_address_equal(&channel->peer, peer) && channel->wanted) {
            channel->wanted = false;
            channel->free_at = now + CHANNEL_QUARANTINE;
            channel->request = turn_idle;
        }
        host_is_wanted =
            host_is_wanted || (channel->wanted && tdm_address_same_host(&channel->peer, peer));
    }
    if (slot && !host_is_wanted)
        *slot = (struct tdm_turn_permit){.request = turn_idle};
}

static const struct tdm_turn_channel *bound_channel(const struct tdm_turn_client *c,
                                                    const struct tdm_address *peer)
{
    for (size_t i = 0; i < TDM_TURN_CHANNELS_MAX; i++)
        if (c->channels[i].bound && c->channels[i].wanted &&
            tdm_address_equal(&c->channels[i].peer, peer))
            return &c->channels[i];
    return NULL;
}

static size_t write_indication(struct tdm_turn_client *c, const struct tdm_address *peer,
                               uint8_t head[TDM_TURN_INDICATION_HEAD_MAX], size_t size)
{
    uint8_t id[TDM_STUN_ID_BYTES];

    tdm_stun_make_id(id, tdm_rng_u64(&c->rng), tdm_rng_u32(&c->rng));
    return tdm_turn_indication_head(head, TDM_STUN_SEND, id, peer, (uint16_t)size);
}

uint8_t *tdm_turn_client_wrap(struct tdm_turn_client *c, const struct tdm_address *peer,
                              uint8_t *data, size_t *size)
{
    const struct tdm_turn_channel *channel = bound_channel(c, peer);
    size_t padding = channel && !c->stream ? 0 : tdm_turn_padding(*size);
    uint8_t head[TDM_TURN_WRAP_MAX];
    size_t head_size = TDM_TURN_CHANNEL_HEAD_BYTES;

    if (*size > TDM_TURN_DATAGRAM_MAX || !turn_is_peer(peer) ||
        !tdm_turn_client_relayed(c, peer->family))
        return NULL;
    if (channel)
        tdm_turn_channel_data_head(head, channel->number, (uint16_t)*size);
    else
        head_size = write_indication(c, peer, head, *size);
    memset(data + *size, 0, padding);
    memcpy(data - head_size, head, head_size);
    *size += head_size + padding;
    return data - head_size;
}
