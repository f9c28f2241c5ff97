/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_SERVER_H
#define TANDEM_SERVER_H

/*
 * A server that helps two people to reach each other: SIP, at which they sign in, see, write to and
 * call each other; STUN, which tells a program how it looks from outside; and TURN, which relays
 * for those who can be reached no other way. Beyond one machine's worth of people and calls,
 * Kamailio and coturn do the same for the same clients.
 *
 * Threads: every function may be called from any thread; the server runs on one of its own. Events
 * are pulled. Errors and causes as in tandem/tandem.h.
 *
 *     struct tandem_server *s;
 *     tandem_server_create(&config, &s, &cause);
 *     while (tandem_server_wait_event(s, -1, &event) == TANDEM_OK)
 *         ...
 *     tandem_server_destroy(s);
 */

#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Strings are borrowed for create; lists are separated by commas. Zero and NULL mean the default
 * in brackets. Without a secret and without users it is a STUN server alone. */
struct tandem_server_config {
    const char *listen;        /* Numeric addresses. [all of this machine] */
    uint16_t port;             /* UDP and TCP. [3478] */
    uint16_t tls_port;         /* TLS over TCP; needs an identity. [none] */
    const char *identity_path; /* Key and certificate for TLS, made when it is not there. */
    const char *realm;         /* ["tandem"] */
    const char *secret;        /* Of credentials that expire: tandem_server_credential. */
    const char *old_secret;    /* The one before it, while its credentials live. */
    const char *users;         /* "NAME:PASSWORD", up to 8, that do not expire. */
    const char *relay_address; /* One IPv4 and one IPv6 address at most at which peers find the
                                  relays: the public ones, when a gateway maps them one to one. [the
                                  first of `listen` or of this machine] */
    uint16_t relay_port_min, relay_port_max; /* [49152, 65535] */
    const char *other_address; /* A second address of this machine, for clients that want to know
                                  their NAT's behaviour (RFC 5780); both are then listened on with
                                  `port` and the one above it. [none] */

    bool allow_private;  /* Relay to private addresses, as a server for one network must. */
    bool allow_loopback; /* Relay to this machine's loopback: for tests. */
    bool allow_own;      /* Relay to services on this machine's addresses. */

    uint32_t allocations;      /* Relays at once. [256] */
    uint32_t user_allocations; /* Of one user. [16] */
    uint32_t host_allocations; /* From one address. [64] */
    uint64_t allocation_bps;   /* Of one relay, both ways together. [no limit] */
    uint64_t total_bps;        /* Of all. [no limit] */

    /* Where people sign in (docs/server.md). */
    bool sip;               /* Is it offered at all? The fields below are for it alone. */
    const char *domain;     /* People are NAME@domain. [what accounts were made for; "tandem"] */
    const char *store_path; /* SQLite file of accounts and what must be remembered; made. */
    uint16_t sip_port;      /* UDP and TCP. [5060] */
    uint16_t sips_port;     /* TLS, with the certificate of identity_path. [none] */
    uint16_t http_port;     /* On 127.0.0.1: /status and /metrics. [none] */
    uint32_t devices;       /* Registered at once. [16384] */
    uint32_t source_rate;   /* Messages a second from one address, [200] */
    uint32_t total_rate;    /* and from all. [20000] */
    bool no_announcement;   /* Do not tell the networks of this machine of it (DNS-SD). */
};

struct tandem_server;

/** Listens when it returns TANDEM_OK. TANDEM_INVALID for what the config says wrongly,
 * TANDEM_FAILED when a port is taken. */
TANDEM_API enum tandem_status tandem_server_create(const struct tandem_server_config *config,
                                                   struct tandem_server **server,
                                                   struct tandem_cause *cause);
/** Ends every relay and frees. */
TANDEM_API void tandem_server_destroy(struct tandem_server *server);

enum tandem_server_event_kind {
    TANDEM_SERVER_ALLOCATED, /* user, client, relay */
    TANDEM_SERVER_REFUSED,   /* user, client, code: a relay was not given. text says why. */
    TANDEM_SERVER_ENDED,     /* user, client, relay, bytes_out, bytes_in. text says why. */
};

struct tandem_server_event {
    enum tandem_server_event_kind kind;
    char user[128], client[56], relay[56];
    uint16_t code;                /* As STUN counts errors (RFC 8489). */
    uint64_t bytes_out, bytes_in; /* To and from peers. */
    char text[64];
};

/** Takes the next event; TANDEM_AGAIN when there is none. When a program does not look, events are
 *  lost, never relays. */
TANDEM_API enum tandem_status tandem_server_next_event(struct tandem_server *server,
                                                       struct tandem_server_event *event);
/** Waits for one for so many milliseconds; -1: for ever. TANDEM_AGAIN when the time is over. */
TANDEM_API enum tandem_status tandem_server_wait_event(struct tandem_server *server, int timeout_ms,
                                                       struct tandem_server_event *event);
/** Readable while there are events. */
TANDEM_API int tandem_server_event_fd(struct tandem_server *server);

struct tandem_server_stats {
    char address[56];            /* What to tell to clients: "10.0.0.7:3478". */
    char relay4[56], relay6[56]; /* Where peers find the relays; "" = none of this family. */
    bool relay_is_private;       /* Only peers of the same network reach it. */
    uint32_t relays;             /* Now. */
    uint64_t relays_given, bindings, challenges;
    uint64_t wrong_credentials, over_quota, forbidden_peers, malformed;
    uint64_t rationed;    /* Answers to the unauthenticated that were spared, lest somebody else be
                             flooded with them. */
    uint64_t unpermitted; /* Datagrams of or for peers without permission. */
    uint64_t over_rate;
    uint64_t relayed_packets, relayed_bytes;

    char domain[128];
    char sip_address[56];  /* "" without SIP. */
    char fingerprint[100]; /* SHA-256 of the certificate, for clients that pin it; "" = no TLS. */
    uint16_t http_port;
    bool announced; /* To the networks of this machine. */
    uint32_t accounts, devices, subscriptions, transactions, connections;
    uint64_t requests, registers, calls, calls_answered, messages, messages_kept, refused_passwords,
        limited, store_failures;
};

TANDEM_API void tandem_server_stats(struct tandem_server *server,
                                    struct tandem_server_stats *stats);

/** A user name and a password for a TURN server that knows the secret, good until they expire. */
struct tandem_credential {
    char user[128], password[32];
};

/** Makes one that lives `seconds` from now, for a person or call `name` (may be ""). TANDEM_INVALID
 *  for a name that is too long. */
TANDEM_API enum tandem_status tandem_server_credential(const char *secret, const char *name,
                                                       uint32_t seconds,
                                                       struct tandem_credential *credential,
                                                       struct tandem_cause *cause);

/* Accounts, in the file of `store_path`. NULL: "serve.db" in $XDG_STATE_HOME/tandem (or
 * ~/.local/state/tandem). A server that runs sees changes within a second. */

struct tandem_server_account {
    const char *user;     /* Letters, digits and . _ - + */
    const char *password; /* Kept as hashes only. */
    const char *name;     /* As people call them; NULL: none. */
    const char *domain;   /* NULL: of the accounts that are there, or "tandem". */
};

/** Makes one, or changes it. TANDEM_INVALID: the name or password cannot be used. */
TANDEM_API enum tandem_status tandem_server_put_account(const char *store_path,
                                                        const struct tandem_server_account *account,
                                                        struct tandem_cause *cause);
/** With what is kept for it. TANDEM_INVALID: there is none. */
TANDEM_API enum tandem_status tandem_server_drop_account(const char *store_path, const char *user,
                                                         struct tandem_cause *cause);
/** Who is locked may not sign in, call or write. TANDEM_INVALID: there is none. */
TANDEM_API enum tandem_status tandem_server_lock_account(const char *store_path, const char *user,
                                                         bool locked, struct tandem_cause *cause);

struct tandem_server_person {
    char user[64], name[64], domain[128];
    bool locked;
};

/** The account number `index` from 0; TANDEM_AGAIN: there are no more. */
TANDEM_API enum tandem_status tandem_server_list_account(const char *store_path, uint32_t index,
                                                         struct tandem_server_person *person,
                                                         struct tandem_cause *cause);

#define TANDEM_SECRET_BYTES 128

/** The first line of the file `path`; when there is no such file, it is made with a random secret
 *  and mode 0600. `path` NULL: "serve-secret" in $XDG_STATE_HOME/tandem (or ~/.local/state/tandem).
 *  TANDEM_FAILED when others may read it, or it cannot be had. */
TANDEM_API enum tandem_status tandem_server_secret(const char *path,
                                                   char secret[TANDEM_SECRET_BYTES],
                                                   struct tandem_cause *cause);

#ifdef __cplusplus
}
#endif

#endif
