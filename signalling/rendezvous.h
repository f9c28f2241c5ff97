/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_RENDEZVOUS_H
#define TDM_SIGNALLING_RENDEZVOUS_H

/*
 * The server at which the people of one network find each other: registrar, forking proxy that
 * stays in the way of a call's messages (RFC 3261 sections 10 and 16), presence server (RFC 3903,
 * RFC 6665, RFC 3856) and keeper of messages for who is away (RFC 3428). It decides who is
 * believed, who is rung, who is told and what is kept. It opens no socket and no file: messages
 * come in whole with where they came from, and leave with where they go; what must outlive the
 * process is handed out as records, and nothing that depends on a record is answered before the
 * driver says that the record is safe.
 *
 * All memory is sized by the limits of the config. What is full is refused with words or, where
 * that loses nothing but an absorbed retransmission, the oldest goes. Nothing is kept for anybody
 * who has not proven who he is.
 *
 * Not here: several domains, a chain of registrars, gateways (docs/server.md says what to use
 * then).
 */

#include "engine/base/address.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_RDV_MESSAGE_MAX  32768 /* Of a SIP message; a longer one is refused with 513. */
#define TDM_RDV_SENDS_MAX    16
#define TDM_RDV_OUT_BYTES    ((size_t)4 * TDM_RDV_MESSAGE_MAX)
#define TDM_RDV_USER_MAX     64
#define TDM_RDV_OWN_MAX      32
#define TDM_RDV_KEY_MAX      160
#define TDM_RDV_RECORD_BYTES 20000

enum tdm_rdv_transport { TDM_RDV_UDP, TDM_RDV_TCP, TDM_RDV_TLS };

/** A way to a client and back: UDP between two addresses, or a connection. */
struct tdm_rdv_flow {
    uint8_t transport; /* enum tdm_rdv_transport */
    uint32_t link;     /* Of a connection; never used again for another. 0: UDP, or to be made. */
    struct tdm_address remote, local;
};

/** Zero means the default in brackets. Texts are borrowed for init. */
struct tdm_rdv_config {
    const char *domain;                      /* "example.org": people are user@domain. ["tandem"] */
    uint8_t own_count;                       /* Addresses of this machine, which also stand for */
    struct tdm_address own[TDM_RDV_OWN_MAX]; /* the domain; ports aside. */
    uint16_t udp_port, tls_port; /* What is listened on: UDP and TCP, TLS. [5060, none] */

    uint32_t accounts;      /* [16384] */
    uint32_t bindings;      /* Registered devices, in all. [16384] */
    uint32_t user_bindings; /* Of one account. [10] */
    uint32_t transactions;  /* Requests being handled or remembered for their copies. [32768] */
    uint32_t branches;      /* Requests sent by us and not settled. [32768] */
    uint32_t subscriptions; /* [16384] */
    uint32_t user_subscriptions; /* By one account. [200] */
    uint32_t publications;       /* [4096] */
    uint32_t user_publications;  /* [10] */
    uint32_t store_bytes;        /* For messages that are being handled, and presence. [64 MiB] */
    uint32_t offline_count;      /* Messages kept for one person. [200] */
    uint32_t offline_bytes;      /* [1 MiB] */
    uint32_t source_rate;        /* Requests a second from one address, [200] */
    uint32_t total_rate;         /* and from all. [20000] */
    uint32_t
        source_failures; /* Wrong passwords of one address in five minutes, before it waits. [20] */
    uint32_t user_failures;                /* And for one account, of those who never signed in
                                            * over it from there. [50] */
    uint32_t expires_min_s, expires_max_s; /* [60, 7200] */
    uint32_t ring_s;                       /* How long a call rings (timer C). [180] */

    int64_t wall_s;  /* Unix time at init. */
    uint64_t seed;   /* Tags and branches. */
    uint8_t key[32]; /* Of nonces and tokens: from entropy, or the simulation. */
};

enum tdm_rdv_input {
    TDM_RDV_MESSAGE,   /* flow, data */
    TDM_RDV_LINK_DOWN, /* flow.link */
    TDM_RDV_STORED, /* What `out.store` asked for is safe; data and flow as in the step before. */
    TDM_RDV_NOT_STORED,   /* It is not, and will not be found after a restart. */
    TDM_RDV_ACCOUNT,      /* At the start or later: user, ha1_md5, ha1_sha256, locked, name */
    TDM_RDV_ACCOUNTS_END, /* That was each one: who was not named since the last END is gone. */
    TDM_RDV_RECORD,       /* At the start: key, data, expires_s */
    TDM_RDV_WAITING, /* At the start: user has `count` messages of `size` bytes in the store. */
    TDM_RDV_KEPT,    /* Answers out.fetch: id, key (from), type, data, sent_s; id 0: none left. */
    TDM_RDV_WALL,    /* wall_s: the clock was set. */
};

struct tdm_rdv_in {
    enum tdm_rdv_input kind;
    struct tdm_rdv_flow flow;
    const uint8_t *data;
    size_t size;
    const char *user, *name, *ha1_md5, *ha1_sha256;
    bool locked;
    const char *key, *type;
    int64_t expires_s, wall_s, sent_s;
    uint64_t id;
    uint32_t count;
};

struct tdm_rdv_send {
    struct tdm_rdv_flow flow;
    const uint8_t *data; /* In `out`. */
    size_t size;
};

enum tdm_rdv_store_kind {
    TDM_RDV_STORE_NOTHING,
    TDM_RDV_STORE_RECORD, /* key, data, expires_s: put, or replace. */
    TDM_RDV_STORE_REMOVE, /* key (a last '*': all that begin so) */
    TDM_RDV_STORE_KEEP,   /* A message: user, from, type, data, sent_s; once for the same `id`. */
    TDM_RDV_STORE_DELIVERED, /* user, id: forget that message. */
};

/** One record; borrowed from `out` and the input until the next step. */
struct tdm_rdv_store {
    enum tdm_rdv_store_kind kind;
    char user[TDM_RDV_USER_MAX];
    char key[TDM_RDV_KEY_MAX];
    char from[TDM_RDV_KEY_MAX], type[64];
    int64_t expires_s, sent_s;
    uint64_t id;
    const uint8_t *data;
    size_t size;
};

struct tdm_rdv_out {
    uint32_t send_count;
    struct tdm_rdv_send send[TDM_RDV_SENDS_MAX];
    /* Not NOTHING: do this first, and step with STORED or NOT_STORED before anything else. */
    struct tdm_rdv_store store;
    bool fetch; /* The oldest message kept for fetch_user: step with KEPT, before anything else. */
    char fetch_user[TDM_RDV_USER_MAX];
    uint32_t close_link; /* Not 0: that connection talks nonsense. */
    tdm_time wake_at;
    const char *wake_why;
    size_t used;
    uint8_t bytes[TDM_RDV_OUT_BYTES];
    uint8_t record[TDM_RDV_RECORD_BYTES];
};

struct tdm_rdv_stats {
    uint32_t accounts, bindings, registered, transactions, branches, subscriptions, publications;
    uint32_t store_blocks, store_blocks_free;
    uint64_t requests, responses, malformed, challenged, wrong_passwords, spoofed, replayed;
    uint64_t limited_source, limited_total, limited_failures, full, evicted;
    uint64_t registers, calls, calls_answered, messages, messages_delivered, messages_kept;
    uint64_t messages_handed_over, notifies, publishes, subscribes, loops, store_failures;
    uint64_t retransmitted, absorbed;
};

struct tdm_rdv;

size_t tdm_rdv_bytes(const struct tdm_rdv_config *config);
/** `storage` of so many bytes that are zero, for as long as the server lives. */
struct tdm_rdv *tdm_rdv_init(void *storage, const struct tdm_rdv_config *config, tdm_time now);

/** `in` NULL: only time has passed; call again at once while wake_at <= now. */
void tdm_rdv_step(struct tdm_rdv *r, tdm_time now, const struct tdm_rdv_in *in,
                  struct tdm_rdv_out *out);

const struct tdm_rdv_stats *tdm_rdv_stats_of(const struct tdm_rdv *r);

/** For lists: the account after `*at` (start with 0) that exists; false at the end. */
struct tdm_rdv_person {
    const char *user, *name;
    bool locked;
    uint32_t bindings, kept;
};
bool tdm_rdv_next_person(const struct tdm_rdv *r, uint32_t *at, struct tdm_rdv_person *person);

#endif
