/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_NET_H
#define TDM_ENGINE_NET_H

/*
 * The net thread of one call: owns its sockets and its session core, and is the driver that the
 * session's header describes. It decides nothing about media; it moves bytes between sockets, the
 * session and the rings of the link.
 */

#include "engine/core/session.h"
#include "engine/link.h"

/** Something the control thread should know. */
enum tdm_net_event_kind { TDM_NET_DIGIT, TDM_NET_BYE };

struct tdm_net_event {
    enum tdm_net_event_kind kind;
    char digit;
};

/** What the net thread publishes about ten times a second. */
struct tdm_net_status {
    struct tdm_stream_stats streams[TDM_SESSION_STREAMS];
    tdm_time at;
    tdm_time rtt, rtt_min, clock_offset;
    bool clock_known;
    tdm_time cpu, cpu_user; /* Of the net thread; the part outside the kernel. */
    tdm_time last_received; /* Any RTP; TDM_NEVER: none yet. */
};

struct tdm_net_config {
    tdm_time wall_offset;
    uint64_t seed;
    char cname[32];
    const char *bind_address; /* Borrowed for create. */
    uint16_t port_min, port_max;
    struct tdm_link *link; /* Outlives the net. */
    int control_wake;      /* Signalled when an event or a status waits. */
};

struct tdm_net;

/** Opens the sockets of all streams and starts the thread. Control thread, like all below. */
enum tdm_err tdm_net_create(const struct tdm_net_config *config, struct tdm_net **net,
                            bool *real_time, struct tdm_cause *cause);

/** Sends RTCP BYE, ends the thread, closes the sockets. */
void tdm_net_destroy(struct tdm_net *net);

/** Local RTP port of a stream; RTCP is the next one up. */
uint16_t tdm_net_port(const struct tdm_net *net, uint8_t stream);

/** Configures a stream and where it sends to; config NULL: the stream is gone. */
enum tdm_err tdm_net_configure(struct tdm_net *net, uint8_t stream,
                               const struct tdm_stream_config *config, const char *address,
                               uint16_t rtp_port, uint16_t rtcp_port, bool rtcp_mux,
                               struct tdm_cause *cause);

/** TDM_E_SPACE when too much waits. */
enum tdm_err tdm_net_dtmf(struct tdm_net *net, uint8_t stream, char digit, tdm_time duration);

/** The next event, TDM_E_AGAIN when there is none. */
enum tdm_err tdm_net_next_event(struct tdm_net *net, struct tdm_net_event *event);

/** Asks for a status now, rather than at the next tenth of a second. */
void tdm_net_refresh(struct tdm_net *net);

/** The newest status; false while nothing new came since the last call. */
bool tdm_net_status(struct tdm_net *net, struct tdm_net_status *status);

#endif
