/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_ICE_STATE_H
#define TDM_CORE_ICE_STATE_H

/*
 * What the agent's files share. Private to ice*.c.
 *
 *   ice.c            the step: inputs to their files, what is told, when to wake
 *   ice_candidate.c  candidates of both sides, priorities, foundations, credentials
 *   ice_pair.c       pairs: formed, found, dropped, and the two generations of a restart
 *   ice_check.c      which check leaves next, and the answer to it
 *   ice_request.c    checks of the other side: refused, answered, triggering ours
 *   ice_path.c       nomination, the path, its health and consent
 *   ice_gather.c     what STUN servers see of us, and when gathering is over
 *   ice_relay.c      allocations at TURN servers, as bases
 *
 * Candidates and pairs are named by their index; -1 is none.
 */

#include "engine/core/ice.h"
#include "engine/core/turn_client.h"
#include "engine/wire/stun.h"

#define TDM_ICE_PAIRS_MAX   192
#define TDM_ICE_EARLY_MAX   8
#define TDM_ICE_QUERIES_MAX 16
#define TDM_ICE_PENDING_MAX 8 /* Checks of a pair that may still be answered. */

/* Between two checks of ours, whatever their pair (RFC 8445 section 14.2: at least 5 ms). */
#define TDM_ICE_PACE (5 * TDM_MS)
/* RFC 7675 section 5.1 allows 30 s; a call that is dead for 15 s is over. */
#define TDM_ICE_CONSENT (15 * TDM_S)

struct tdm_ice_local {
    bool used, told;
    int8_t server; /* That gave it; -1: a host candidate or a mapped one. */
    struct tdm_ice_candidate c;
};

struct tdm_ice_remote {
    bool used;
    bool seen; /* It sent us something that only the other side can: its datagrams are taken. */
    uint8_t gen;
    struct tdm_ice_candidate c;
};

enum tdm_ice_pair_state {
    TDM_ICE_PAIR_WAITING, /* Not checked yet. */
    TDM_ICE_PAIR_CHECKING,
    TDM_ICE_PAIR_VALID,
    TDM_ICE_PAIR_FAILED,
};

/* Each check sent is a transaction of its own, so that its answer gives a round trip. */
struct tdm_ice_pending {
    uint8_t id[TDM_STUN_ID_BYTES];
    tdm_time sent_at; /* TDM_NEVER: none. */
    bool nominating, controlling;
};

struct tdm_ice_pair {
    bool used;
    uint8_t gen;
    int8_t local, remote; /* The local one is a base: a host candidate or a relayed one. */
    enum tdm_ice_pair_state state;
    uint64_t priority;
    uint32_t triggered; /* Order in which pairs asked to be checked before their turn; 0: no. */
    bool nominating;    /* Ours: checks carry USE-CANDIDATE. Theirs: nominated once valid. */
    bool nominated;
    bool bind_asked; /* A channel for it, at its relay. */
    bool suspect;    /* Others answered when it did not. */
    uint8_t tries;   /* Checks since the last answer. */
    uint8_t next_pending;
    struct tdm_ice_pending pending[TDM_ICE_PENDING_MAX];
    tdm_time added_at;
    tdm_time sent_at;     /* Of the last check. */
    tdm_time due;         /* Of the next check without being triggered. */
    tdm_time valid_since; /* First answer. */
    tdm_time answered_at; /* Last answer. */
    tdm_time rtt;
    struct tdm_address mapped; /* How the other side sees us on it. */
};

/* The credentials between two restarts. */
struct tdm_ice_gen {
    char ufrag[33], pwd[65];
    char remote_ufrag[TDM_ICE_UFRAG_MAX + 1], remote_pwd[TDM_ICE_UFRAG_MAX + 1];
    bool known; /* The remote ones are. */
    bool lite;
    bool remote_end; /* No more remote candidates will come. */
};

/* A good check that came before the other side's description. */
struct tdm_ice_early {
    int8_t local;
    struct tdm_address from;
    uint32_t priority;
    bool nominating;
};

/* One of our servers: a TURN allocation, or binding requests from each base. */
struct tdm_ice_server_state {
    struct tdm_turn_client turn;
    tdm_time turn_wake, started_at, retry_at;
    int8_t via; /* The host candidate that it is reached by, as far as known; -1. */
    uint8_t attempts;
    bool settled; /* It gave what it has, or will not soon. */
    bool failed, tell_link, tell_failed;
    bool in_doubt; /* Does it still know our allocation? */
    const char *why;
};

/* A binding request to a server from a base. */
struct tdm_ice_query {
    bool used, answered;
    uint8_t server, tries;
    int8_t local;
    uint8_t id[TDM_STUN_ID_BYTES];
    tdm_time due;
};

struct tdm_ice {
    struct tdm_ice_config config;
    bool controlling;
    uint64_t tie_breaker;
    uint64_t random_count;
    struct tdm_ice_local locals[TDM_ICE_LOCAL_MAX];
    struct tdm_ice_remote remotes[TDM_ICE_REMOTE_MAX];
    struct tdm_ice_pair pairs[TDM_ICE_PAIRS_MAX];
    uint8_t gen; /* The current one of the two; the other is the former. */
    struct tdm_ice_gen gens[2];
    uint8_t early_count;
    struct tdm_ice_early early[TDM_ICE_EARLY_MAX];
    bool addresses_end, gathered;
    bool pairs_dropped; /* Permissions at relays may be idle. */
    struct tdm_ice_server_state servers[TDM_ICE_SERVERS_MAX];
    struct tdm_ice_query queries[TDM_ICE_QUERIES_MAX];
    struct tdm_turn_client_out turn_out;

    tdm_time pace_at; /* Before this no check leaves. */
    uint32_t checks_turn, trigger_order;
    tdm_time changed_at; /* Something new last came that could lead to a path. */

    int16_t path;       /* Pair. */
    bool was_connected; /* Since the last restart, which a path may have outlived. */
    bool lost;          /* Consent ran out: not a byte leaves before a restart. */
    bool path_gone;     /* The path's pair was dropped. */
    bool told_silent;
    tdm_time heard_at;     /* The application's last datagram on the path. */
    tdm_time heard_gap;    /* The longest gap between those, falling slowly. */
    bool heard_armed;      /* Silence would be news. */
    tdm_time probe_since;  /* The path is in doubt; TDM_NEVER: it is not. */
    tdm_time former_until; /* When the pairs from before a restart go; TDM_NEVER: none. */

    bool tell_path, tell_silent, tell_lost, tell_gathered;
    tdm_time wake_at;
    const char *wake_why;
    struct tdm_ice_stats stats;
};

/* ice_candidate.c */
void tdm_ice_random(struct tdm_ice *ice, uint8_t *bytes, size_t size);
/* Index, or -1 when it is redundant (RFC 8445 section 5.1.3) or there is no room. */
int tdm_ice_add_local(struct tdm_ice *ice, const struct tdm_ice_candidate *c, int server,
                      unsigned preference);
int tdm_ice_find_base(const struct tdm_ice *ice, const struct tdm_address *address);
/* The base that a datagram from `from` came to when the driver does not say. */
int tdm_ice_guess_base(const struct tdm_ice *ice, const struct tdm_address *from);
bool tdm_ice_is_base(const struct tdm_ice_local *local);
uint32_t tdm_ice_priority(enum tdm_ice_type type, unsigned preference, uint8_t component);
int tdm_ice_find_remote(const struct tdm_ice *ice, uint8_t gen, const struct tdm_address *from);
/* Index, or -1: there is no room for it. */
int tdm_ice_add_remote(struct tdm_ice *ice, const struct tdm_ice_candidate *c);

/* ice_pair.c */
void tdm_ice_pair_up(struct tdm_ice *ice, tdm_time now);
int tdm_ice_find_pair(const struct tdm_ice *ice, uint8_t gen, int local, int remote);
void tdm_ice_drop_pair(struct tdm_ice *ice, int pair);
void tdm_ice_drop_base(struct tdm_ice *ice, int local);
void tdm_ice_drop_remote(struct tdm_ice *ice, int remote);
void tdm_ice_drop_former(struct tdm_ice *ice);
void tdm_ice_new_generation(struct tdm_ice *ice);
void tdm_ice_set_role(struct tdm_ice *ice, bool controlling);
bool tdm_ice_is_relayed(const struct tdm_ice *ice, const struct tdm_ice_pair *pair);

/* ice_check.c */
/* A check of the other side came on the pair: check it before its turn, if that is of use. */
void tdm_ice_trigger_back(struct tdm_ice *ice, tdm_time now, struct tdm_ice_pair *pair);
void tdm_ice_trigger(struct tdm_ice *ice, struct tdm_ice_pair *pair);
void tdm_ice_run_checks(struct tdm_ice *ice, tdm_time now, struct tdm_ice_out *out);
void tdm_ice_take_answer(struct tdm_ice *ice, tdm_time now, int local,
                         const struct tdm_address *from, const struct tdm_stun *m);
/* Addresses the `size` bytes at `send->data` from a base to `to`. False: they cannot go. */
bool tdm_ice_send_from(struct tdm_ice *ice, int local, const struct tdm_address *to,
                       struct tdm_ice_send *send, size_t size);

/* ice_request.c */
void tdm_ice_take_request(struct tdm_ice *ice, tdm_time now, int local,
                          const struct tdm_address *from, const struct tdm_stun *m,
                          struct tdm_ice_out *out);
void tdm_ice_take_early(struct tdm_ice *ice, tdm_time now);

/* ice_path.c */
void tdm_ice_heard(struct tdm_ice *ice, tdm_time now);
void tdm_ice_nominated(struct tdm_ice *ice, struct tdm_ice_pair *pair);
void tdm_ice_run_path(struct tdm_ice *ice, tdm_time now);

/* ice_gather.c */
void tdm_ice_gather_init(struct tdm_ice *ice, tdm_time now);
void tdm_ice_gather_from(struct tdm_ice *ice, tdm_time now, int local);
/* Asks the servers anew, as a restart needs: mappings may have changed. */
void tdm_ice_gather_again(struct tdm_ice *ice, tdm_time now);
void tdm_ice_gather_lost(struct tdm_ice *ice, tdm_time now, int local);
/* Whether the message was a server's answer to a query of ours. */
bool tdm_ice_take_mapped(struct tdm_ice *ice, tdm_time now, int local,
                         const struct tdm_address *from, const struct tdm_stun *m);
void tdm_ice_run_gather(struct tdm_ice *ice, tdm_time now, struct tdm_ice_out *out);

/* ice_relay.c */
void tdm_ice_relay_init(struct tdm_ice *ice, int server, tdm_time now);
/* A path died or a restart came: perhaps because a gateway forgot, and then so did the servers. */
void tdm_ice_doubt_relays(struct tdm_ice *ice);
void tdm_ice_relay_drop(struct tdm_ice *ice, int server);
/* The server that a datagram is from; -1: none of ours. */
int tdm_ice_relay_of(const struct tdm_ice *ice, uint8_t link, const struct tdm_address *from);
/* What a server sent: its business, or in ice->turn_out the bytes of a peer. */
void tdm_ice_relay_step(struct tdm_ice *ice, tdm_time now, int server,
                        const struct tdm_turn_client_in *in, struct tdm_ice_out *out);
void tdm_ice_relay_link(struct tdm_ice *ice, tdm_time now, int server, bool up,
                        struct tdm_ice_out *out);
void tdm_ice_run_relays(struct tdm_ice *ice, tdm_time now, struct tdm_ice_out *out);
bool tdm_ice_relay_wrap(struct tdm_ice *ice, int server, const struct tdm_address *to,
                        struct tdm_ice_send *send, size_t size);
/* Whether the pair's relay, if it has one, was asked to let the other side in. */
bool tdm_ice_is_permitted(const struct tdm_ice *ice, const struct tdm_ice_pair *pair);

static inline void tdm_ice_wake(struct tdm_ice *ice, tdm_time at, const char *why)
{
    if (at < ice->wake_at) {
        ice->wake_at = at;
        ice->wake_why = why;
    }
}

/* The next free place for something to send; NULL: the step's output is full. */
static inline struct tdm_ice_send *tdm_ice_new_send(struct tdm_ice_out *out)
{
    return out->send_count < TDM_ICE_SENDS_MAX ? &out->sends[out->send_count] : NULL;
}

#endif
