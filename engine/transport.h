/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_TRANSPORT_H
#define TDM_ENGINE_TRANSPORT_H

/*
 * One component's way to the other side: a UDP socket, the ICE agent that finds paths over it, the
 * stream connections to TURN servers, DTLS and SRTP. It tells the kinds of datagrams on the socket
 * apart by their first byte (RFC 7983) and gives its owner RTP and RTCP in clear; what the owner
 * sends leaves protected, over the path that is best now.
 *
 * What may be sent, and when:
 *
 *   at first          only checks of ICE: nothing of the application
 *   agreed, no keys   DTLS, once ICE has a valid pair (without ICE: to the agreed address)
 *   ready             RTP and RTCP, until consent is lost
 *
 * Without ICE the agreed address is where media goes; it moves only to where bytes came from that
 * SRTP or the finished handshake has authenticated. Media in clear never moves.
 *
 * Owned by the net thread once it runs; made and freed on the control thread. Nothing of ours
 * allocates or locks after that; DTLS, TLS and SRTP libraries do, inside marked calls.
 */

#include "engine/base/record_ring.h"
#include "engine/core/ice.h"
#include "engine/io/server_link.h"
#include "engine/io/srtp.h"
#include "engine/io/udp.h"

#define TDM_TRANSPORT_TOLD_MAX 24
#define TDM_TRANSPORT_PACKET   1600

enum tdm_transport_told_kind {
    TDM_TRANSPORT_CANDIDATE,     /* candidate: a new one of ours. */
    TDM_TRANSPORT_GATHERED,      /* No more will come by themselves. */
    TDM_TRANSPORT_READY,         /* Media passes from now on. */
    TDM_TRANSPORT_SILENT,        /* The path answers no more; a restart may find another. */
    TDM_TRANSPORT_LOST,          /* No path any more: ICE must restart. */
    TDM_TRANSPORT_FAILED,        /* why: this call cannot be safe. */
    TDM_TRANSPORT_LINK,          /* Please connect to server link - 1 (tdm_transport_link). */
    TDM_TRANSPORT_SERVER_FAILED, /* link, why */
};

struct tdm_transport_told {
    enum tdm_transport_told_kind kind;
    uint8_t link;
    struct tdm_ice_candidate candidate;
    char why[160];
};

/** What was agreed. */
struct tdm_transport_setup {
    enum tdm_proto proto;
    bool ice;
    bool lite, end_of_candidates;  /* Of the other side. */
    char ufrag[257], pwd[257];     /* Of the other side. */
    struct tdm_address remote;     /* Without ICE; and */
    struct tdm_address local;      /* whence it is sent. */
    struct tdm_dtls *dtls;         /* A new association; NULL: the one there is goes on. */
    struct tdm_srtp *srtp;         /* SDES: new keys; NULL: those there are. */
    enum tdm_srtp_profile profile; /* Of `srtp`. */
    uint8_t candidate_count;
    struct tdm_ice_candidate candidates[TDM_ICE_REMOTE_MAX];
};

/** For people and for the control thread. */
struct tdm_transport_status {
    bool agreed, ready, ice;
    enum tdm_proto proto;
    enum tdm_srtp_profile profile;  /* NONE: no keys yet, or none needed. */
    struct tdm_ice_path path;       /* With ICE. */
    struct tdm_address remote;      /* Without. */
    struct tdm_ice_stats ice_stats; /* With ICE. */
    bool peer_known;
    uint8_t peer[TDM_FINGERPRINT_BYTES];             /* Of the other side's certificate. */
    tdm_time agreed_at, path_at, ready_at, media_at; /* First ones; TDM_NEVER: not yet. */
    uint64_t refused; /* Datagrams of no kind that was agreed, or from nowhere. */
    uint64_t denied;  /* SRTP with a wrong tag, or replayed. */
    uint64_t unsent;  /* Packets that had no way yet, or lost it. */
};

struct tdm_transport {
    struct tdm_udp udp;
    struct tdm_ice *ice; /* NULL: resting, or not wanted. */
    void *ice_storage;
    struct tdm_ice_config ice_config; /* This and the addresses: for an agent that begins later. */
    uint8_t address_count;
    struct tdm_address addresses[TDM_ICE_LOCAL_MAX];
    struct tdm_ice_out ice_out;
    struct tdm_ice_path path;
    uint8_t link_count; /* How many of these were ever opened. */
    struct tdm_server_link links[TDM_ICE_SERVERS_MAX];
    struct tdm_dtls *dtls;
    struct tdm_record_ring *data; /* Takes datagrams of DTLS' application; NULL: nobody does. */
    int data_wake;                /* Signalled then. */
    /* Without ICE: as agreed; where DTLS goes, which is whence it last came; our own side of it. */
    struct tdm_address signalled, dtls_to, local;
    struct tdm_srtp *srtp, *srtp_before; /* The other side may use old keys for a moment. */
    struct tdm_transport_status status;
    tdm_time ice_wake, dtls_wake, now;
    bool failed, keyed;  /* keyed: this association's keys are in use. */
    uint16_t early_size; /* A DTLS datagram that came before there was anybody to take it, */
    struct tdm_address early_from; /* from there; NONE: from whom ICE knows. */
    uint8_t early[TDM_TRANSPORT_PACKET];
    uint8_t told_count;
    struct tdm_transport_told told[TDM_TRANSPORT_TOLD_MAX];
    uint8_t dtls_packet[TDM_ICE_WRAP_MAX + TDM_TRANSPORT_PACKET];
    uint8_t packets[TDM_UDP_BATCH][TDM_ICE_WRAP_MAX + TDM_TRANSPORT_PACKET];
};

/** Takes the socket over. `ice` NULL: none. TDM_E_SYSTEM when there is no memory. */
enum tdm_err tdm_transport_init(struct tdm_transport *t, const struct tdm_udp *udp,
                                const struct tdm_ice_config *ice, tdm_time now,
                                struct tdm_cause *cause);
void tdm_transport_free(struct tdm_transport *t);

/** For struct tdm_dtls_config; `arg` is the transport. */
void tdm_transport_send_dtls(void *arg, const uint8_t *data, size_t size);

/** An input for the ICE agent: addresses, candidates, a restart. */
void tdm_transport_ice(struct tdm_transport *t, tdm_time now, const struct tdm_ice_in *in);

/** What was agreed holds from now on. dtls and srtp belong to the transport then. */
void tdm_transport_agree(struct tdm_transport *t, tdm_time now,
                         const struct tdm_transport_setup *setup);

/** This component is not needed (it is bundled with another): nothing is sent or kept alive. */
void tdm_transport_rest(struct tdm_transport *t);

/** A stream connection to a server, as asked for by LINK; `tls` NULL: `fd` itself. Both belong to
 *  the transport then. fd -1: there is none. */
void tdm_transport_link(struct tdm_transport *t, tdm_time now, uint8_t link, int fd,
                        struct tdm_tls *tls);

/** RTP or RTCP in clear, which lies in the datagram's own bytes. */
struct tdm_transport_media {
    uint8_t *data;
    size_t size;
    bool rtcp;
};

/** One datagram from the socket. @return whether it was media. */
bool tdm_transport_receive(struct tdm_transport *t, tdm_time now, const struct tdm_address *from,
                           const struct tdm_address *to, uint8_t *data, size_t size,
                           struct tdm_transport_media *media);

/** The next message that waits on a stream link, if it was media: call until it returns false. */
bool tdm_transport_read_links(struct tdm_transport *t, tdm_time now,
                              struct tdm_transport_media *media);

/** Packets that leave now, in clear here. */
void tdm_transport_send(struct tdm_transport *t, tdm_time now, bool rtcp,
                        const struct tdm_udp_piece *pieces, uint32_t count);

/** One datagram of the data channel over the media's association. TDM_E_AGAIN: it is not up here,
 *  or the way is gone. */
enum tdm_err tdm_transport_send_data(struct tdm_transport *t, tdm_time now, const uint8_t *data,
                                     size_t size);

void tdm_transport_tick(struct tdm_transport *t, tdm_time now);
tdm_time tdm_transport_wake_at(const struct tdm_transport *t);

void tdm_transport_status_of(struct tdm_transport *t, struct tdm_transport_status *status);

/** What happened since the last look, oldest first; false: nothing. */
bool tdm_transport_take_told(struct tdm_transport *t, struct tdm_transport_told *told);

#endif
