/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_TURN_CLIENT_H
#define TDM_CORE_TURN_CLIENT_H

/*
 * One allocation at one TURN server (RFC 8656) with long-term credentials (RFC 8489 section 9.2):
 * asks for it, keeps it, its permissions and its channels alive, and wraps and unwraps what passes.
 * Over UDP it sends again after RFC 8489 section 6.2.1; over a stream (TCP, TLS) it only waits. It
 * opens no socket: whoever embeds it (an ICE agent, doctor) carries its messages.
 *
 *     init -> step(NULL) gives the first Allocate -> step(MESSAGE) ... -> told ALLOCATED
 *          -> step(PERMIT, peer) -> told PERMITTED -> tdm_turn_client_wrap sends by indication
 *          -> step(BIND, peer)   -> told BOUND     -> tdm_turn_client_wrap sends by channel
 *
 * It does not decide which peers are worth a channel, and never believes the server about who
 * spoke: data of a peer that was not permitted is dropped.
 */

#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/wire/stun.h"

#define TDM_TURN_PERMITS_MAX  32 /* Hosts. */
#define TDM_TURN_CHANNELS_MAX 16
#define TDM_TURN_TEXT_MAX     256 /* User, password, realm, nonce with their terminators. */
#define TDM_TURN_REQUEST_MAX  1200
#define TDM_TURN_WRAP_MAX     48 /* Before a datagram; up to 3 behind it over a stream. */
#define TDM_TURN_DATAGRAM_MAX TDM_TURN_DATA_MAX

/** Texts are borrowed for init. */
struct tdm_turn_client_config {
    struct tdm_address server;
    bool stream; /* TCP or TLS: nothing is sent before LINK_UP. */
    const char *user, *password;
    bool want_ipv4, want_ipv6; /* Of the relayed address; neither: IPv4. */
    uint32_t lifetime_s;       /* To ask for; 0: the server's choice. */
    uint64_t seed;             /* Transaction ids; from entropy, or the simulation. */
};

enum tdm_turn_client_state {
    TDM_TURN_WAITING, /* For the link. */
    TDM_TURN_ALLOCATING,
    TDM_TURN_ALLOCATED,
    TDM_TURN_CLOSING,
    TDM_TURN_CLOSED,
    TDM_TURN_FAILED, /* For good; `why` says so in words. */
};

enum tdm_turn_client_input {
    TDM_TURN_MESSAGE,   /* from, data, size: one datagram, or one message cut by
                           tdm_turn_frame_size. */
    TDM_TURN_LINK_UP,   /* The stream stands. */
    TDM_TURN_LINK_DOWN, /* It broke, and with it the allocation: FAILED. */
    TDM_TURN_PERMIT,    /* peer: let its host send to us, from now until FORGET. */
    TDM_TURN_BIND,      /* peer: a channel for it, and the permission. */
    TDM_TURN_FORGET,    /* peer: renew neither any more. */
    TDM_TURN_CLOSE,     /* Give the allocation back. */
};

struct tdm_turn_client_in {
    enum tdm_turn_client_input kind;
    struct tdm_address from, peer;
    const uint8_t *data;
    size_t size;
};

enum tdm_turn_client_told {
    TDM_TURN_TOLD_NOTHING,
    TDM_TURN_TOLD_ALLOCATED, /* relayed and mapped are known. */
    TDM_TURN_TOLD_PERMITTED, /* peer: its host (port as first asked). */
    TDM_TURN_TOLD_BOUND,     /* peer */
    TDM_TURN_TOLD_REFUSED,   /* peer, error_code (0: no answer): no permission or channel. */
    TDM_TURN_TOLD_MOVED,     /* Stream: connect to tdm_turn_client.server instead, then LINK_UP. */
    TDM_TURN_TOLD_FAILED,
    TDM_TURN_TOLD_CLOSED,
};

struct tdm_turn_client_out {
    /* A message for tdm_turn_client.server; size 0: none. */
    uint16_t size;
    uint8_t data[TDM_TURN_REQUEST_MAX];

    enum tdm_turn_client_told told;
    struct tdm_address peer;
    uint16_t error_code;

    /* What a MESSAGE carried: bytes of a peer, borrowed from the input; NULL: none. */
    const uint8_t *payload;
    size_t payload_size;
    struct tdm_address payload_from;

    tdm_time wake_at; /* At or before now: there is more to send, step again at once. */
    const char *wake_why;
};

/** One transaction at a time, or the plan of the next one. */
struct tdm_turn_request {
    bool open;
    uint8_t tries, challenges; /* Sent; answered with 401 or 438. */
    uint8_t id[TDM_STUN_ID_BYTES];
    tdm_time sent_at;
    tdm_time due; /* Open: send again or give up. Else: start the next. TDM_NEVER: nothing. */
};

struct tdm_turn_permit {
    struct tdm_address peer; /* Family NONE: the slot is free. */
    bool granted;
    struct tdm_turn_request request;
};

struct tdm_turn_channel {
    struct tdm_address peer; /* Family NONE: the slot is free. */
    uint16_t number;
    bool wanted, bound;
    tdm_time free_at; /* When the number and the peer may be used anew. */
    struct tdm_turn_request request;
};

struct tdm_turn_client {
    enum tdm_turn_client_state state;
    struct tdm_address server;
    struct tdm_address relayed[2]; /* IPv4, IPv6; family NONE: not given. */
    struct tdm_address mapped;     /* Ours, as the server sees it. */
    uint16_t error_code;           /* Of the failure; 0: no answer, or it made no sense. */
    char why[256];                 /* FAILED: one sentence for people. */
    tdm_time rtt;                  /* Of the last answer; TDM_NEVER: none yet. */
    uint64_t refused;              /* Messages that were not for us or not true. */

    bool stream, want_ipv4, want_ipv6, has_key;
    uint8_t moves;          /* Times that the server sent us elsewhere. */
    bool clearing, cleared; /* An allocation that was there before, by the same address. */
    char user[TDM_TURN_TEXT_MAX], password[TDM_TURN_TEXT_MAX];
    struct {
        uint16_t size;
        uint8_t bytes[TDM_TURN_TEXT_MAX];
    } realm, nonce;
    uint8_t key[TDM_STUN_KEY_BYTES];
    struct tdm_rng rng;
    uint32_t lifetime_s;
    tdm_time expires_at;
    uint16_t next_channel;
    struct tdm_turn_request session; /* Allocate, then Refresh. */
    struct tdm_turn_permit permits[TDM_TURN_PERMITS_MAX];
    struct tdm_turn_channel channels[TDM_TURN_CHANNELS_MAX];
};

void tdm_turn_client_init(struct tdm_turn_client *c, const struct tdm_turn_client_config *config,
                          tdm_time now);

/** `in` NULL: only time has passed. */
void tdm_turn_client_step(struct tdm_turn_client *c, tdm_time now,
                          const struct tdm_turn_client_in *in, struct tdm_turn_client_out *out);

/** Wraps a datagram for `peer` as ChannelData once its channel is bound, else as a Send
 *  indication, in place: `data` has TDM_TURN_WRAP_MAX bytes of room before and 3 behind. Returns
 *  the start, and the new size in *size; NULL while there is no allocation for the peer's family,
 *  or for more than TDM_TURN_DATAGRAM_MAX bytes. */
uint8_t *tdm_turn_client_wrap(struct tdm_turn_client *c, const struct tdm_address *peer,
                              uint8_t *data, size_t *size);

/** The relayed address of a family (TDM_IPV4, TDM_IPV6); NULL: none. */
const struct tdm_address *tdm_turn_client_relayed(const struct tdm_turn_client *c, uint8_t family);

#endif
