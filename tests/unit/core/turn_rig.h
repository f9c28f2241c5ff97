/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_UNIT_CORE_TURN_RIG_H
#define TDM_TESTS_UNIT_CORE_TURN_RIG_H

/* A TURN server core with a driver that opens every relay at once, and requests to put into it. */

#include "engine/core/turn_server.h"
#include "engine/wire/stun.h"

#include <assert.h>
#include <stdlib.h>

#define RIG_START (1000 * TDM_S)
#define RIG_WALL  1700000000

struct turn_rig {
    tdm_time now;
    struct tdm_turn_server *server;
    struct tdm_turn_server_out out;     /* Of the last step that the test asked for. */
    uint32_t open_count, opens, closes; /* Relays now; ever. */
    struct tdm_address relays[1024];    /* By number; family NONE: closed. */
    bool refuse_ports;
    uint8_t last_id;
};

static inline struct tdm_address rig_address(const char *host, uint16_t port)
{
    struct tdm_address a = {.family = TDM_ADDRESS_NONE};
    enum tdm_err err = tdm_address_parse(&a, host, port);

    assert(err == TDM_OK);
    return a;
}

static inline struct tdm_turn_server_config rig_config(void)
{
    return (struct tdm_turn_server_config){
        .realm = "test",
        .secrets = {"north"},
        .users = {{"ann", "apple"}, {"bob", "berry"}},
        .relay = {rig_address("198.51.100.1", 0), rig_address("2001:db8:1::1", 0)},
        .own_count = 2,
        .own = {rig_address("198.51.100.1", 0), rig_address("198.51.100.2", 0)},
        .wall_s = RIG_WALL,
        .seed = 7,
        .nonce_key = "fifteen letters",
    };
}

static inline void rig_start(struct turn_rig *rig, const struct tdm_turn_server_config *config)
{
    void *storage = malloc(tdm_turn_server_bytes(config));

    assert(storage);
    *rig = (struct turn_rig){.now = RIG_START};
    rig->server = tdm_turn_server_init(storage, config, rig->now);
    assert(tdm_turn_server_relays(rig->server) <= sizeof rig->relays / sizeof *rig->relays);
    tdm_turn_server_step(rig->server, rig->now, NULL, &rig->out);
}

static inline void rig_stop(struct turn_rig *rig)
{
    free(rig->server);
    rig->server = NULL;
}

static inline void rig_close(struct turn_rig *rig, const struct tdm_turn_server_out *out)
{
    for (uint32_t i = 0; i < out->close_count; i++) {
        assert(rig->relays[out->close[i]].family != TDM_ADDRESS_NONE);
        rig->relays[out->close[i]].family = TDM_ADDRESS_NONE;
        rig->open_count--;
        rig->closes++;
    }
}

/* What the driver does with `out`: closes, opens, and says what became of it. */
static inline void rig_drive(struct turn_rig *rig, struct tdm_turn_server_out *out)
{
    rig_close(rig, out);
    while (out->open != TDM_TURN_SERVER_NO_RELAY) {
        struct tdm_turn_server_in in = {.kind = rig->refuse_ports ? TDM_TURN_SERVER_RELAY_FAILED
                                                                  : TDM_TURN_SERVER_RELAY_OPENED,
                                        .relay = out->open};

        if (!rig->refuse_ports) {
            assert(rig->relays[out->open].family == TDM_ADDRESS_NONE);
            rig->relays[out->open] = out->open_address;
            rig->open_count++;
            rig->opens++;
        }
        tdm_turn_server_step(rig->server, rig->now, &in, out);
        rig_close(rig, out);
    }
}

static inline void rig_step(struct turn_rig *rig, const struct tdm_turn_server_in *in)
{
    tdm_turn_server_step(rig->server, rig->now, in, &rig->out);
    rig_drive(rig, &rig->out);
}

/* Lets time pass, with every step that the server asks for. */
static inline void rig_wait(struct turn_rig *rig, tdm_time how_long)
{
    tdm_time end = rig->now + how_long;

    rig_step(rig, NULL);
    while (rig->out.wake_at <= end) {
        rig->now = tdm_time_max(rig->now, rig->out.wake_at);
        rig_step(rig, NULL);
    }
    rig->now = end;
}

/* A client's side of a five-tuple, with what the last challenge said. */
struct rig_client {
    struct tdm_address address, server;
    uint32_t link;
    const char *user, *password;
    char realm[64], nonce[64];
    bool sha256;
};

static inline struct rig_client rig_client(const char *host, uint16_t port, const char *user,
                                           const char *password)
{
    return (struct rig_client){.address = rig_address(host, port),
                               .server = rig_address("198.51.100.1", TDM_STUN_PORT),
                               .user = user,
                               .password = password};
}

static inline void rig_message(struct turn_rig *rig, const struct rig_client *c,
                               const uint8_t *data, size_t size)
{
    struct tdm_turn_server_in in = {.kind = TDM_TURN_SERVER_MESSAGE,
                                    .link = c->link,
                                    .from = c->address,
                                    .to = c->server,
                                    .data = data,
                                    .size = size};

    rig_step(rig, &in);
}

/* A request being built; the id is new for each. */
struct rig_request {
    uint8_t bytes[1024];
    struct tdm_writer w;
};

static inline void rig_begin(struct turn_rig *rig, struct rig_request *r, uint16_t method)
{
    uint8_t id[TDM_STUN_ID_BYTES] = {0x5e, ++rig->last_id};

    r->w = tdm_stun_begin(r->bytes, sizeof r->bytes, TDM_STUN_REQUEST, method, id);
}

static inline void rig_sign(struct rig_request *r, const struct rig_client *c)
{
    uint8_t key[TDM_STUN_KEY_BYTES];

    if (!c->realm[0])
        return;
    tdm_stun_write_text(&r->w, TDM_STUN_USERNAME, c->user);
    tdm_stun_write_text(&r->w, TDM_STUN_REALM, c->realm);
    tdm_stun_write_text(&r->w, TDM_STUN_NONCE, c->nonce);
    tdm_stun_long_term_key(tdm_stun_span_of(c->user), tdm_stun_span_of(c->realm), c->password, key);
    if (c->sha256)
        tdm_stun_write_integrity_sha256(&r->w, key, sizeof key);
    else
        tdm_stun_write_integrity(&r->w, key, sizeof key);
}

/* Sends it; gives the answer's error code, 0 for success, -1 for no answer. */
static inline int rig_send(struct turn_rig *rig, struct rig_request *r, struct rig_client *c,
                           struct tdm_stun *answer)
{
    rig_sign(r, c);
    size_t size = tdm_stun_end(&r->w);

    assert(size);
    rig_message(rig, c, r->bytes, size);
    if (!rig->out.client.size)
        return -1;
    enum tdm_err err = tdm_stun_parse(answer, rig->out.client.data, rig->out.client.size);

    assert(err == TDM_OK && tdm_address_equal(&rig->out.client.to, &c->address));
    if (answer->nonce.data) {
        tdm_stun_span_text(answer->realm, c->realm, sizeof c->realm);
        tdm_stun_span_text(answer->nonce, c->nonce, sizeof c->nonce);
    }
    return answer->error_code;
}

static inline int rig_allocate_once(struct turn_rig *rig, struct rig_client *c,
                                    struct tdm_stun *answer)
{
    struct rig_request r;

    rig_begin(rig, &r, TDM_STUN_ALLOCATE);
    tdm_stun_write_u8(&r.w, TDM_STUN_REQUESTED_TRANSPORT, TDM_TURN_TRANSPORT_UDP);
    return rig_send(rig, &r, c, answer);
}

/* With the challenge before it. */
static inline int rig_allocate(struct turn_rig *rig, struct rig_client *c, struct tdm_stun *answer)
{
    int code = rig_allocate_once(rig, c, answer);

    return code == TDM_STUN_UNAUTHENTICATED ? rig_allocate_once(rig, c, answer) : code;
}

static inline int rig_permit(struct turn_rig *rig, struct rig_client *c,
                             const struct tdm_address *peer)
{
    struct rig_request r;
    struct tdm_stun answer;

    rig_begin(rig, &r, TDM_STUN_CREATE_PERMISSION);
    tdm_stun_write_address(&r.w, TDM_STUN_XOR_PEER_ADDRESS, peer);
    return rig_send(rig, &r, c, &answer);
}

static inline int rig_bind(struct turn_rig *rig, struct rig_client *c, uint16_t channel,
                           const struct tdm_address *peer)
{
    struct rig_request r;
    struct tdm_stun answer;

    rig_begin(rig, &r, TDM_STUN_CHANNEL_BIND);
    tdm_stun_write_u16(&r.w, TDM_STUN_CHANNEL_NUMBER, channel);
    tdm_stun_write_address(&r.w, TDM_STUN_XOR_PEER_ADDRESS, peer);
    return rig_send(rig, &r, c, &answer);
}

static inline int rig_refresh(struct turn_rig *rig, struct rig_client *c, uint32_t lifetime_s)
{
    struct rig_request r;
    struct tdm_stun answer;

    rig_begin(rig, &r, TDM_STUN_REFRESH);
    tdm_stun_write_u32(&r.w, TDM_STUN_LIFETIME, lifetime_s);
    return rig_send(rig, &r, c, &answer);
}

/* A Send indication; whether the server passes it on. */
static inline bool rig_indicate(struct turn_rig *rig, const struct rig_client *c,
                                const struct tdm_address *peer, const char *text)
{
    uint8_t bytes[512], id[TDM_STUN_ID_BYTES] = {1};
    struct tdm_writer w =
        tdm_stun_begin(bytes, sizeof bytes, TDM_STUN_INDICATION, TDM_STUN_SEND, id);

    tdm_stun_write_address(&w, TDM_STUN_XOR_PEER_ADDRESS, peer);
    tdm_stun_write_text(&w, TDM_STUN_DATA_ATTRIBUTE, text);
    rig_message(rig, c, bytes, tdm_stun_end(&w));
    return rig->out.peer.relay != TDM_TURN_SERVER_NO_RELAY;
}

/* A peer sends to relay `relay`; whether the client gets something. */
static inline bool rig_peer_sends(struct turn_rig *rig, uint32_t relay,
                                  const struct tdm_address *peer, const char *text)
{
    struct tdm_turn_server_in in = {.kind = TDM_TURN_SERVER_RELAY_DATA,
                                    .relay = relay,
                                    .from = *peer,
                                    .data = (const uint8_t *)text,
                                    .size = strlen(text)};

    rig_step(rig, &in);
    return rig->out.client.size != 0;
}

#endif
