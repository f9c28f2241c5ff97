/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_ICE_H
#define TDM_CORE_ICE_H

/*
 * One ICE agent: finds, for one component of one stream (or one bundle), a pair of addresses over
 * which datagrams pass both ways, and keeps proving that they still do. RFC 8445 with regular
 * nomination, trickle (RFC 8838), restart, consent (RFC 7675), peer-reflexive candidates and lite
 * peers; STUN (RFC 8489) and TURN (RFC 8656) servers as its ways out. It opens no socket, resolves
 * no name and knows no SDP: the driver owns one UDP socket (link 0) and, for TURN over TCP or TLS,
 * one stream connection a server (link 1 + server index).
 *
 * Media may start at the first valid pair: `path` changes to a better one later without a gap,
 * since both stay open for what arrives. Other valid pairs are kept warm; when the path falls
 * silent they take over, and the driver is told when only a restart can help (docs/ice.md).
 *
 * Not decided here: which interfaces count (the driver says), name resolution of ".local"
 * candidates (the driver resolves and adds), what the bytes of the application are.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"

#define TDM_ICE_LOCAL_MAX   16 /* Candidates of ours. */
#define TDM_ICE_REMOTE_MAX  64
#define TDM_ICE_SERVERS_MAX 4
#define TDM_ICE_SENDS_MAX   8
#define TDM_ICE_TOLD_MAX    4
#define TDM_ICE_BYTES_MAX   1500
#define TDM_ICE_WRAP_MAX    64 /* That tdm_ice_wrap puts before a datagram at most, +3 behind. */
#define TDM_ICE_UFRAG_MAX   256

enum tdm_ice_type { TDM_ICE_HOST, TDM_ICE_SRFLX, TDM_ICE_PRFLX, TDM_ICE_RELAY };

struct tdm_ice_candidate {
    enum tdm_ice_type type;
    struct tdm_address address; /* Where the other side sends to. */
    /* Ours: the local address that it belongs to; for a relayed one what its server saw of us.
     * Remote: raddr. In both cases what SDP calls the related address. */
    struct tdm_address base;
    uint32_t priority;
    char foundation[33];
    bool mapped; /* Server-reflexive by a port mapping rather than by STUN. */
};

enum tdm_ice_server_kind { TDM_ICE_STUN, TDM_ICE_TURN };
enum tdm_ice_server_link { TDM_ICE_OVER_UDP, TDM_ICE_OVER_TCP, TDM_ICE_OVER_TLS };

struct tdm_ice_server {
    enum tdm_ice_server_kind kind;
    enum tdm_ice_server_link link;
    struct tdm_address address;
    char user[128], password[128]; /* TURN, long-term credentials. */
};

struct tdm_ice_config {
    bool controlling;        /* The offerer is; a role conflict is settled by the tie-breaker. */
    bool relay_only;         /* Offer and use relayed candidates alone. */
    uint8_t component;       /* 1 or 2, for priorities. */
    uint64_t seed;           /* Tie-breaker, transaction ids; from entropy, or the simulation. */
    char ufrag[33], pwd[65]; /* Ours, made by the caller (tdm_ice_credentials). */
    uint8_t server_count;
    struct tdm_ice_server servers[TDM_ICE_SERVERS_MAX];
};

enum tdm_ice_input {
    /* address: of an interface, with the socket's port. A host candidate; the first to be added is
     * preferred. In a running call it is checked at once, without a restart. */
    TDM_ICE_ADDRESS,
    TDM_ICE_ADDRESS_GONE,  /* address: the interface lost it; pairs on it fail now. */
    TDM_ICE_MAPPED,        /* address: how a gateway maps `base` from outside. */
    TDM_ICE_ADDRESSES_END, /* No more for now: gathering may end once the servers answered. */
    TDM_ICE_REMOTE,        /* remote: the other side's credentials. New ones restart. */
    TDM_ICE_CANDIDATE,     /* candidate: of the other side. */
    TDM_ICE_CANDIDATES_END,
    /* ufrag, pwd: our new ones, given before the new REMOTE when the other side restarts. Our
     * candidates stay as they are; the path stays until a new one is valid. */
    TDM_ICE_RESTART,
    TDM_ICE_DATAGRAM,  /* link, from, to (the local address it came to; may be NONE), data. */
    TDM_ICE_LINK_UP,   /* link: the stream connection to a server stands. */
    TDM_ICE_LINK_DOWN, /* link */
    TDM_ICE_CLOSE,     /* It is over: relays are given back. The last input. */
};

struct tdm_ice_in {
    enum tdm_ice_input kind;
    uint8_t link;
    struct tdm_address address, base; /* ADDRESS*, MAPPED */
    struct tdm_address from, to;      /* DATAGRAM */
    const uint8_t *data;              /* DATAGRAM: for a stream link one whole STUN or ChannelData
                                         message, cut by tdm_turn_frame_size. */
    size_t size;
    struct tdm_ice_candidate candidate;
    const char *ufrag, *pwd; /* REMOTE, RESTART */
    bool lite;               /* REMOTE */
};

/** A datagram (link 0) or message (other links) that must leave now. */
struct tdm_ice_send {
    uint8_t link;
    struct tdm_address from; /* Local address to send from; NONE: the kernel chooses. */
    struct tdm_address to;
    uint16_t size;
    uint8_t data[TDM_ICE_BYTES_MAX];
};

enum tdm_ice_told_kind {
    TDM_ICE_TOLD_CANDIDATE, /* candidate: a new one of ours, for the offer or to trickle. */
    TDM_ICE_TOLD_GATHERED,  /* No more candidates of ours will come. */
    TDM_ICE_TOLD_PATH,      /* The path to send by is new or changed: tdm_ice_path. */
    TDM_ICE_TOLD_SILENT,    /* The path answers no more and no other pair does; it may come
                               back. A restart through signalling helps if addresses changed. */
    TDM_ICE_TOLD_LOST,      /* Every pair failed, or consent ran out; in that case not a byte leaves
                                         before a restart. */
    TDM_ICE_TOLD_LINK,      /* Please connect link `link` to its server. */
    TDM_ICE_TOLD_SERVER_FAILED, /* link of a server; `why` for people. */
};

struct tdm_ice_told {
    enum tdm_ice_told_kind kind;
    uint8_t link;
    struct tdm_ice_candidate candidate;
    const char *why; /* Static text. */
};

struct tdm_ice_out {
    uint8_t send_count;
    struct tdm_ice_send sends[TDM_ICE_SENDS_MAX];
    uint8_t told_count;
    struct tdm_ice_told told[TDM_ICE_TOLD_MAX];
    /* What a DATAGRAM was: taken (STUN, TURN control) or, with `app`, the application's bytes,
     * unwrapped from a relay, from a peer whose consent we have. They borrow from the input. */
    bool app;
    const uint8_t *app_data;
    size_t app_size;
    tdm_time wake_at;
    const char *wake_why;
};

/** How datagrams of the application leave now. */
struct tdm_ice_path {
    bool valid;
    bool nominated;
    uint8_t link;
    struct tdm_address from, to; /* Of what leaves the socket: the relay's address when relayed. */
    struct tdm_ice_candidate local, remote;
    tdm_time rtt; /* Of the last check; TDM_NEVER: unknown. */
};

enum tdm_ice_state {
    TDM_ICE_NEW,
    TDM_ICE_CHECKING,
    TDM_ICE_CONNECTED,
    TDM_ICE_COMPLETED,
    TDM_ICE_FAILED
};

/** For people and for doctor. */
struct tdm_ice_stats {
    enum tdm_ice_state state;
    uint32_t pairs, checks_sent, checks_answered;
    uint32_t refused;   /* STUN with wrong or no integrity, or malformed. */
    uint32_t dropped;   /* Bytes for the application from addresses without consent. */
    uint32_t not_taken; /* Candidates beyond what there is room for. */
    uint32_t path_changes;
    tdm_time started;     /* Both sides' credentials were known. */
    tdm_time first_valid; /* TDM_NEVER, both: not yet. */
};

struct tdm_ice;

size_t tdm_ice_bytes(void);

/** Lays an agent over `storage` (aligned as by malloc) and copies the configuration. */
struct tdm_ice *tdm_ice_init(void *storage, const struct tdm_ice_config *config, tdm_time now);

/** `in` NULL: only time has passed; call again at once while wake_at <= now (more to send). A
 *  datagram of the application on the path costs little: give all to it. */
void tdm_ice_step(struct tdm_ice *ice, tdm_time now, const struct tdm_ice_in *in,
                  struct tdm_ice_out *out);

void tdm_ice_path(const struct tdm_ice *ice, struct tdm_ice_path *path);
void tdm_ice_stats(const struct tdm_ice *ice, struct tdm_ice_stats *stats);

/** Wraps a datagram of the application for the path when that is relayed (ChannelData or a Send
 *  indication), in place: `data` has TDM_ICE_WRAP_MAX bytes of room before and 3 behind. Returns
 *  the start, and the new size in *size; NULL while there is no path. For a direct path both stay
 *  as they are. Also the sign that the application sends, which keeps bindings alive. */
uint8_t *tdm_ice_wrap(struct tdm_ice *ice, tdm_time now, uint8_t *data, size_t *size);

/** Random ufrag (8 characters) and pwd (24) of RFC 8445 section 5.3 from two random words. */
void tdm_ice_credentials(uint64_t a, uint64_t b, uint64_t c, char ufrag[33], char pwd[65]);

#endif
