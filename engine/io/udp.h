/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_UDP_H
#define TDM_IO_UDP_H

/*
 * UDP sockets for media: non-blocking, received in batches with the kernel's receive time, sent in
 * batches. Owned by the net thread after they are opened on the control thread.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define TDM_UDP_BATCH          32
#define TDM_UDP_DATAGRAM_BYTES 2048

/** One batch's storage. A datagram that does not fit comes with size 0, which no parser takes. */
struct tdm_udp_batch {
    uint32_t count;
    struct {
        uint32_t size;
        tdm_time received; /* Local clock. */
    } datagrams[TDM_UDP_BATCH];
    uint8_t bytes[TDM_UDP_BATCH][TDM_UDP_DATAGRAM_BYTES];
};

struct tdm_udp_piece {
    const void *data;
    size_t size;
};

/** Opens an RTP socket and, on the next port up, its RTCP socket (RFC 3550 section 11: even, odd),
 *  both in [port_min, port_max] or any free pair when both are 0. TDM_E_SYSTEM with a cause. */
enum tdm_err tdm_udp_open_pair(const char *address, uint16_t port_min, uint16_t port_max,
                               int fds[2], uint16_t *port, struct tdm_cause *cause);

/** Numeric address and port to a socket address. TDM_E_MALFORMED for a name. */
enum tdm_err tdm_udp_address(const char *address, uint16_t port, struct sockaddr_storage *to,
                             socklen_t *to_size);

/** Receives what waits, up to a batch. TDM_E_AGAIN when nothing waits. ICMP errors are skipped. */
enum tdm_err tdm_udp_receive(int fd, tdm_time now, struct tdm_udp_batch *batch);

/** Sends each piece as a datagram; what the kernel does not take at once is lost, as on any link.
 *  @return how many were taken. */
uint32_t tdm_udp_send(int fd, const struct sockaddr_storage *to, socklen_t to_size,
                      const struct tdm_udp_piece *pieces, uint32_t count);

/** The local address from which `remote` is reached: what to write into an SDP. */
enum tdm_err tdm_udp_local_address(const char *remote, char *local, size_t capacity,
                                   struct tdm_cause *cause);

#endif
