/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_NET_H
#define TDM_ENGINE_NET_H

/*
 * The net thread of one call: owns its transports and its session core, and is the driver that the
 * session's header describes. It decides nothing about media; it moves bytes between transports,
 * the session and the rings of the link.
 *
 * There is a transport for each component that may be needed, numbered by tdm_net_way; where RTP
 * and RTCP share one (rtcp-mux), or all streams do (BUNDLE), the others rest.
 */

#include "engine/core/session.h"
#include "engine/link.h"
#include "engine/transport.h"

#define TDM_NET_STREAMS 2
#define TDM_NET_WAYS    (2 * TDM_NET_STREAMS)

static inline uint8_t tdm_net_way(uint8_t stream, bool rtcp)
{
    return (uint8_t)(2 * stream + rtcp);
}

/** Something the control thread should know. */
enum tdm_net_event_kind { TDM_NET_DIGIT, TDM_NET_BYE, TDM_NET_TRANSPORT, TDM_NET_INTERFACES };

struct tdm_net_event {
    enum tdm_net_event_kind kind;
    char digit;
    uint8_t way;                    /* TRANSPORT: */
    struct tdm_transport_told told; /* what it told. */
};

/** What the net thread publishes about ten times a second. */
struct tdm_net_status {
    struct tdm_stream_stats streams[TDM_SESSION_STREAMS];
    struct tdm_transport_status transports[TDM_NET_WAYS];
    struct tdm_session_rate rate;
    tdm_time at;
    tdm_time rtt, rtt_min, clock_offset;
    bool clock_known;
    bool better_elsewhere;  /* Struct tdm_session_references, of the camera's stream. */
    tdm_time cpu, cpu_user; /* Of the net thread; the part outside the kernel. */
    tdm_time last_received; /* Any RTP; TDM_NEVER: none yet. */
};

struct tdm_net_ice {
    bool wanted, controlling, relay_only;
    char ufrag[TDM_NET_STREAMS][33], pwd[TDM_NET_STREAMS][65];
    uint8_t server_count;
    struct tdm_ice_server servers[TDM_ICE_SERVERS_MAX];
};

struct tdm_net_config {
    tdm_time wall_offset;
    uint64_t seed;
    char cname[32];
    const char *bind_address; /* Borrowed for create; NULL: all. */
    uint16_t port_min, port_max;
    struct tdm_net_ice ice;
    struct tdm_link *link; /* Outlives the net. */
    int control_wake;      /* Signalled when an event or a status waits. */
};

struct tdm_net;

/** Opens the sockets of all streams and starts the thread. Control thread, like all below. */
enum tdm_err tdm_net_create(const struct tdm_net_config *config, struct tdm_net **net,
                            bool *real_time, struct tdm_cause *cause);

/** Sends RTCP BYE, ends the thread, closes the sockets. */
void tdm_net_destroy(struct tdm_net *net);

uint16_t tdm_net_port(const struct tdm_net *net, uint8_t way);

/** Configures a stream and by which ways its RTP and RTCP go; config NULL: the stream is gone. */
enum tdm_err tdm_net_configure(struct tdm_net *net, uint8_t stream,
                               const struct tdm_stream_config *config, uint8_t rtp_way,
                               uint8_t rtcp_way);

/** Addresses of this machine, without ports: all that there are. ICE gathers from them, and drops
 *  those that were in the last list and are not in this one. */
enum tdm_err tdm_net_addresses(struct tdm_net *net, const struct tdm_address *list, uint32_t count);

/** New credentials of ours for a stream: its ways look for paths anew. */
enum tdm_err tdm_net_restart(struct tdm_net *net, uint8_t stream, const char *ufrag,
                             const char *pwd);

/** Another candidate: the other side's, or (with `mapped`) how a gateway shows `base`. */
enum tdm_err tdm_net_candidate(struct tdm_net *net, uint8_t way,
                               const struct tdm_ice_candidate *candidate);
enum tdm_err tdm_net_mapped(struct tdm_net *net, uint8_t way, const struct tdm_address *base,
                            const struct tdm_address *address);

/** A DTLS association that will send over a way, for the setup of tdm_net_agree. */
enum tdm_err tdm_net_dtls(struct tdm_net *net, uint8_t way, struct tdm_dtls_config *config,
                          struct tdm_dtls **dtls, struct tdm_cause *cause);

/** What was agreed for a way. What `setup` owns is taken, or freed on failure. */
enum tdm_err tdm_net_agree(struct tdm_net *net, uint8_t way,
                           const struct tdm_transport_setup *setup);
enum tdm_err tdm_net_rest(struct tdm_net *net, uint8_t way);

/** A connection to a server, as tdm_transport_link. */
enum tdm_err tdm_net_link(struct tdm_net *net, uint8_t way, uint8_t link, int fd,
                          struct tdm_tls *tls);

/** TDM_E_SPACE when too much waits. */
enum tdm_err tdm_net_dtmf(struct tdm_net *net, uint8_t stream, char digit, tdm_time duration);

/** The next event, TDM_E_AGAIN when there is none. */
enum tdm_err tdm_net_next_event(struct tdm_net *net, struct tdm_net_event *event);

/** Asks for a status now, rather than at the next tenth of a second. */
void tdm_net_refresh(struct tdm_net *net);

/** The newest status; false while nothing new came since the last call. */
bool tdm_net_status(struct tdm_net *net, struct tdm_net_status *status);

#endif
