/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_TURN_SERVER_H
#define TDM_CORE_TURN_SERVER_H

/*
 * A STUN and TURN server (RFC 8489, RFC 8656, RFC 5780): answers Binding to anybody, relays for
 * those who know a password or a time-limited credential. It decides who may have an allocation,
 * with whom an allocation may speak, how much, and how long; it opens no socket: the driver carries
 * messages of clients (UDP: link 0; each stream connection: a link of its own) and datagrams of
 * relays, and opens the relays that it asks for.
 *
 * What it refuses by itself: peers on loopback, link-local, multicast and (unless configured)
 * private and own addresses; answers to those who are not authenticated beyond a ration of bytes
 * for each host (docs/turn.md), so that nobody is flooded by way of it.
 *
 * Not here: registrar and presence, TCP relays (RFC 6062), mobility (RFC 8016).
 */

#include "engine/base/address.h"
#include "engine/base/time.h"
#include "engine/core/turn_credentials.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_TURN_SERVER_USERS_MAX       8
#define TDM_TURN_SERVER_SECRETS_MAX     2 /* The one in use and the one before it. */
#define TDM_TURN_SERVER_OWN_MAX         32
#define TDM_TURN_SERVER_ALLOCATIONS_MAX 65536
#define TDM_TURN_SERVER_ANSWER_MAX      512
#define TDM_TURN_SERVER_NO_RELAY        UINT32_MAX

struct tdm_turn_server_user {
    const char *user, *password;
};

/** Texts are borrowed for init. Zero means the default in brackets. */
struct tdm_turn_server_config {
    const char *realm;                                /* ["tandem"] */
    const char *secrets[TDM_TURN_SERVER_SECRETS_MAX]; /* Of time-limited credentials; NULL: none. */
    struct tdm_turn_server_user users[TDM_TURN_SERVER_USERS_MAX]; /* user NULL: none. */

    struct tdm_address
        relay[2]; /* IPv4, IPv6: where peers find the relays; NONE: no such relays. */
    uint16_t port_min, port_max; /* Of relays. [49152, 65535] */

    /* NAT behaviour discovery (RFC 5780): two hosts with two ports each, all four listened on;
     * nat_hosts[1] NONE: not offered. */
    struct tdm_address nat_hosts[2];
    uint16_t nat_ports[2];

    uint8_t own_count; /* Hosts of this machine: no peers, except relays on them. */
    struct tdm_address own[TDM_TURN_SERVER_OWN_MAX];
    bool allow_loopback, allow_private, allow_own; /* As peers. */

    uint32_t allocations;                               /* At once. [256] */
    uint32_t user_allocations;                          /* Of one user at once. [16] */
    uint32_t host_allocations;                          /* From one host at once. [64] */
    uint64_t allocation_bytes_per_s, total_bytes_per_s; /* Both ways together. [no limit] */
    uint32_t lifetime_max_s;                            /* [3600] */
    uint32_t nonce_s;                                   /* Until a nonce is stale. [600] */

    int64_t wall_s;        /* Unix time at init, for expiring credentials. */
    uint64_t seed;         /* Ports, tokens. */
    uint8_t nonce_key[16]; /* From entropy; or the simulation. */
};

enum tdm_turn_server_input {
    TDM_TURN_SERVER_MESSAGE,      /* link, from, to (the local address), data. */
    TDM_TURN_SERVER_LINK_DOWN,    /* link: a stream connection ended. */
    TDM_TURN_SERVER_RELAY_OPENED, /* relay: the socket is there. */
    TDM_TURN_SERVER_RELAY_FAILED, /* relay: the port could not be had. */
    TDM_TURN_SERVER_RELAY_DATA,   /* relay, from, data: a peer sent. */
    TDM_TURN_SERVER_WALL,         /* wall_s: Unix time now; the clock was set. */
};

struct tdm_turn_server_in {
    enum tdm_turn_server_input kind;
    uint32_t link, relay;
    struct tdm_address from, to;
    const uint8_t *data;
    size_t size;
    int64_t wall_s;
};

enum tdm_turn_server_told {
    TDM_TURN_SERVER_TOLD_NOTHING,
    TDM_TURN_SERVER_TOLD_ALLOCATED,
    TDM_TURN_SERVER_TOLD_REFUSED, /* code: an allocation was not given. */
    TDM_TURN_SERVER_TOLD_ENDED,   /* why */
};

/** For the client on `link`: `data`, then `payload`, then `padding` zero bytes, as one datagram. */
struct tdm_turn_server_to_client {
    uint32_t link;
    struct tdm_address from, to;
    uint16_t size; /* 0: nothing to send. */
    uint8_t data[TDM_TURN_SERVER_ANSWER_MAX];
    const uint8_t *payload; /* Borrowed from the input. */
    size_t payload_size;
    uint8_t padding;
};

/** One datagram out of a relay; it borrows from the input. */
struct tdm_turn_server_to_peer {
    uint32_t relay; /* TDM_TURN_SERVER_NO_RELAY: nothing to send. */
    struct tdm_address to;
    const uint8_t *payload;
    size_t payload_size;
};

struct tdm_turn_server_out {
    struct tdm_turn_server_to_client client;
    struct tdm_turn_server_to_peer peer;
    uint32_t close_count; /* Relays to close, before `open` is looked at. */
    uint32_t close[2];
    uint32_t open; /* Relay to open at open_address, or TDM_TURN_SERVER_NO_RELAY. */
    struct tdm_address open_address;
    bool close_link; /* The stream that the message came from makes no sense. */

    enum tdm_turn_server_told told;
    uint16_t code;
    const char *why;
    char user[TDM_TURN_USER_MAX];
    struct tdm_address client_address, relayed[2];
    uint64_t bytes_out, bytes_in; /* ENDED: to and from peers. */

    tdm_time wake_at;
    const char *wake_why;
};

struct tdm_turn_server_stats {
    uint32_t allocations;
    uint64_t allocated, bindings, challenged;
    uint64_t wrong_credentials, over_quota, forbidden_peers, malformed;
    uint64_t rationed; /* Answers not given, lest somebody be flooded. */
    uint64_t unpermitted, over_rate;
    uint64_t relayed_packets, relayed_bytes;
};

struct tdm_turn_server;

size_t tdm_turn_server_bytes(const struct tdm_turn_server_config *config);
struct tdm_turn_server *
tdm_turn_server_init(void *storage, const struct tdm_turn_server_config *config, tdm_time now);

/** Relay numbers are below this, for the driver's table of sockets. */
uint32_t tdm_turn_server_relays(const struct tdm_turn_server *s);

/** `in` NULL: only time has passed; call again at once while wake_at <= now. */
void tdm_turn_server_step(struct tdm_turn_server *s, tdm_time now,
                          const struct tdm_turn_server_in *in, struct tdm_turn_server_out *out);

const struct tdm_turn_server_stats *tdm_turn_server_stats_of(const struct tdm_turn_server *s);

#endif
