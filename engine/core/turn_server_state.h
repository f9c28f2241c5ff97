/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_TURN_SERVER_STATE_H
#define TDM_CORE_TURN_SERVER_STATE_H

/* What the files of the TURN server share; nobody else includes it. */

#include "engine/base/rng.h"
#include "engine/core/turn_server.h"
#include "engine/wire/stun.h"

#define TURN_PERMITS_MAX      32 /* Of one allocation. */
#define TURN_CHANNELS_MAX     16
#define TURN_SOURCES_MAX      256
#define TURN_RESERVATIONS_MAX 16
#define TURN_NONE             UINT32_MAX

/** Bytes that may still pass; it fills with time. */
struct turn_bucket {
    int64_t bytes;
    tdm_time filled_at;
};

struct turn_permit {
    struct tdm_address peer; /* Its host; family NONE: free. */
    tdm_time expires_at;
};

struct turn_channel {
    uint16_t number; /* 0: free. */
    struct tdm_address peer;
    tdm_time expires_at;
};

enum turn_relay_state { TURN_RELAY_NONE, TURN_RELAY_WANTED, TURN_RELAY_OPENING, TURN_RELAY_LIVE };

struct turn_relay {
    enum turn_relay_state state;
    uint8_t tries;
    uint16_t code; /* Why there is none: for ADDRESS-ERROR-CODE; 0: not asked for. */
    struct tdm_address address;
};

enum turn_allocation_state { TURN_FREE, TURN_OPENING, TURN_LIVE };

struct turn_allocation {
    enum turn_allocation_state state;
    uint32_t bucket, next; /* Heads of the hash's chains, and their links: TURN_NONE ends one. */
    uint32_t link;
    struct tdm_address client, local;
    char user[TDM_TURN_USER_MAX];
    uint8_t key[TDM_STUN_KEY_BYTES];
    uint8_t id[TDM_STUN_ID_BYTES]; /* Of the Allocate, which may come again. */
    bool fingerprint, even, reserve, has_token;
    uint16_t wanted_port; /* By a reservation; 0: any. */
    uint64_t token;
    uint32_t lifetime_s;
    tdm_time expires_at;
    struct turn_relay relays[2];
    struct turn_bucket rate;
    uint64_t bytes_out, bytes_in;
    struct turn_permit permits[TURN_PERMITS_MAX];
    struct turn_channel channels[TURN_CHANNELS_MAX];
};

/** A host that is answered without being authenticated. */
struct turn_source {
    struct tdm_address host; /* Family NONE: free. IPv6: its /64. */
    struct turn_bucket ration;
};

struct turn_reservation {
    tdm_time expires_at; /* At or before now: free. */
    uint64_t token;
    uint8_t family;
    uint16_t port;
};

struct tdm_turn_server {
    struct tdm_turn_server_config config; /* Its texts are the copies below. */
    char realm[128];
    char secrets[TDM_TURN_SERVER_SECRETS_MAX][TDM_TURN_USER_MAX];
    struct {
        char user[TDM_TURN_USER_MAX], password[TDM_TURN_USER_MAX];
    } users[TDM_TURN_SERVER_USERS_MAX];
    tdm_time started, wall_at; /* wall_s is the Unix time at wall_at. */
    int64_t wall_s;
    struct tdm_rng rng;
    struct tdm_turn_server_stats stats;
    struct turn_bucket ration, rate; /* Of all together. */
    struct turn_source sources[TURN_SOURCES_MAX];
    struct turn_reservation reservations[TURN_RESERVATIONS_MAX];
    tdm_time next_expiry; /* No allocation ends before. */
    struct turn_allocation allocations[];
};

/** One request of a client with what is known of who sends it. */
struct turn_request {
    const struct tdm_turn_server_in *in;
    struct tdm_stun m;
    struct turn_allocation *allocation; /* Of the five-tuple; NULL: none. */
    bool authenticated;
    char user[TDM_TURN_USER_MAX];
    uint8_t key[TDM_STUN_KEY_BYTES];
};

/* turn_server.c: answers. */

/** Starts an answer in out->client; tdm_turn_answer_end signs it, if the request was authenticated.
 */
struct tdm_writer tdm_turn_answer_begin(const struct turn_request *r, enum tdm_stun_class kind,
                                        struct tdm_turn_server_out *out);
void tdm_turn_answer_end(struct tdm_turn_server *s, tdm_time now, const struct turn_request *r,
                         struct tdm_writer *w, struct tdm_turn_server_out *out);
void tdm_turn_answer_error(struct tdm_turn_server *s, tdm_time now, const struct turn_request *r,
                           uint16_t code, struct tdm_turn_server_out *out);

/* turn_server_guard.c: who and with whom. */

/** 0, or the error code to answer with. Fills user and key. */
uint16_t tdm_turn_authenticate(struct tdm_turn_server *s, tdm_time now, struct turn_request *r);
/** REALM and a new NONCE for the client. */
void tdm_turn_write_challenge(struct tdm_turn_server *s, tdm_time now, const struct turn_request *r,
                              struct tdm_writer *w);
/** Whether `answer` bytes may go to somebody unknown who sent `asked` bytes. */
bool tdm_turn_ration(struct tdm_turn_server *s, tdm_time now, const struct tdm_address *to,
                     size_t asked, size_t answer);
/** Whether permissions for this host may be given at all. */
bool tdm_turn_peer_is_allowed(const struct tdm_turn_server *s, const struct tdm_address *peer);
/** Whether a datagram may go there: on our own hosts to relays alone. */
bool tdm_turn_target_is_allowed(const struct tdm_turn_server *s, const struct tdm_address *peer);
/** Takes `bytes` out; false: there are too few. `bytes_per_s` 0: no limit. */
bool tdm_turn_bucket_take(struct turn_bucket *b, tdm_time now, uint64_t bytes_per_s, uint64_t bytes,
                          uint64_t burst);

/* turn_server_table.c: the allocations. */

void tdm_turn_table_init(struct tdm_turn_server *s);
struct turn_allocation *tdm_turn_find(struct tdm_turn_server *s, uint32_t link,
                                      const struct tdm_address *client,
                                      const struct tdm_address *local);
/** A free slot, in the table under its five-tuple; NULL: full. */
struct turn_allocation *tdm_turn_add(struct tdm_turn_server *s,
                                     const struct tdm_turn_server_in *in);
/** Takes it out, with its relays to close and what to tell of it. */
void tdm_turn_end(struct tdm_turn_server *s, struct turn_allocation *a, const char *why,
                  struct tdm_turn_server_out *out);
struct turn_allocation *tdm_turn_of_relay(struct tdm_turn_server *s, uint32_t relay,
                                          struct turn_relay **its);
uint32_t tdm_turn_relay_number(const struct tdm_turn_server *s, const struct turn_allocation *a,
                               size_t family_index);
/** Whether this is the address of a relay, or will be in a moment. */
bool tdm_turn_is_relay(const struct tdm_turn_server *s, const struct tdm_address *address);
uint32_t tdm_turn_count_user(const struct tdm_turn_server *s, const char *user);
uint32_t tdm_turn_count_host(const struct tdm_turn_server *s, const struct tdm_address *client);
size_t tdm_turn_family_index(uint8_t family);
/** The permission for the host; NULL: none that lives. */
struct turn_permit *tdm_turn_permit_of(struct turn_allocation *a, tdm_time now,
                                       const struct tdm_address *peer);

/* turn_server_allocate.c */

void tdm_turn_allocate(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                       struct tdm_turn_server_out *out);
void tdm_turn_relay_opened(struct tdm_turn_server *s, tdm_time now, uint32_t relay, bool opened,
                           struct tdm_turn_server_out *out);
void tdm_turn_refresh(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                      struct tdm_turn_server_out *out);

/* turn_server_relay.c */

void tdm_turn_create_permission(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                                struct tdm_turn_server_out *out);
void tdm_turn_channel_bind(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                           struct tdm_turn_server_out *out);
void tdm_turn_take_send(struct tdm_turn_server *s, tdm_time now, struct turn_request *r,
                        struct tdm_turn_server_out *out);
void tdm_turn_take_channel_data(struct tdm_turn_server *s, tdm_time now,
                                const struct tdm_turn_server_in *in,
                                struct tdm_turn_server_out *out);
void tdm_turn_take_peer_data(struct tdm_turn_server *s, tdm_time now,
                             const struct tdm_turn_server_in *in, struct tdm_turn_server_out *out);

#endif
