/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_TCP_H
#define TDM_IO_TCP_H

/*
 * TCP sockets for the data channel: listeners on a port of a range, connections that are begun and
 * never waited for, and the options that keep a connection's own queue short. Everything is
 * non-blocking; errors are told in words where the caller has none of its own.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"

#define TDM_TCP_CHANNEL_PORT 1503 /* Where the data channel listens if nobody says otherwise. */

/** What the kernel says of a connection. */
struct tdm_tcp_info {
    tdm_time rtt, rtt_min;      /* 0: not measured. */
    uint64_t delivery_rate_bps; /* 0: not known. */
    uint32_t retransmitted;     /* Segments, in all. */
    uint32_t unsent_bytes;      /* In the socket, not yet sent for the first time. */
};

/** Listens on `address` (numeric; NULL: all, IPv4 and IPv6), on the first free port from port_min
 * to port_max; both 0: any. TDM_E_SYSTEM with a cause. */
enum tdm_err tdm_tcp_listen(const char *address, uint16_t port_min, uint16_t port_max, int *fd,
                            uint16_t *port, struct tdm_cause *cause);

/** A connection that waits at a listener; -1: none. */
int tdm_tcp_accept(int listener, struct tdm_address *from);

/** Begins a connection; poll it for writing. TDM_E_GONE: there is no way to that address. */
enum tdm_err tdm_tcp_connect(const struct tdm_address *to, int *fd, struct tdm_cause *cause);
/** Whether it stands: TDM_E_AGAIN: not yet; TDM_E_GONE: refused or no answer, with the cause. */
enum tdm_err tdm_tcp_connected(int fd, struct tdm_cause *cause);

/** No Nagle; keepalive; `congestion` (NULL: "cubic"), because without a pacing queue BBR holds
 *  seconds of data in front of the bottleneck. What a kernel does not have stays as it was. */
void tdm_tcp_tune(int fd, const char *congestion);

/** Writable only while fewer bytes than that have not been sent for the first time. */
void tdm_tcp_set_lowat(int fd, uint32_t bytes);

/** False when it is no TCP connection. */
bool tdm_tcp_info(int fd, struct tdm_tcp_info *info);
/** Of these, the one that is asked for often. */
uint32_t tdm_tcp_unsent(int fd);

#endif
