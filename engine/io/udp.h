/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_UDP_H
#define TDM_IO_UDP_H

/*
 * UDP sockets for media: non-blocking, received in batches with the kernel's receive time and both
 * addresses of each datagram, sent in batches. Owned by the net thread after they are opened on the
 * control thread. A socket for all addresses is one for IPv4 and IPv6 where the machine has both;
 * the local address of a datagram then tells by which way it came, and the next one leaves by it.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define TDM_UDP_BATCH          32
#define TDM_UDP_DATAGRAM_BYTES 2048

struct tdm_udp {
    int fd;         /* -1: closed. */
    uint8_t family; /* enum tdm_address_family; TDM_IPV6 for all addresses takes IPv4, too. */
    uint16_t port;
};

/** One batch's storage. A datagram that does not fit comes with size 0, which no parser takes. */
struct tdm_udp_batch {
    uint32_t count;
    struct {
        uint32_t size;
        tdm_time received; /* Local clock. */
        uint8_t ecn;       /* The field of the IP header (RFC 3168), as in enum tdm_ecn. */
        struct tdm_address from, to;
    } datagrams[TDM_UDP_BATCH];
    uint8_t bytes[TDM_UDP_BATCH][TDM_UDP_DATAGRAM_BYTES];
};

struct tdm_udp_piece {
    const void *data;
    size_t size;
};

/** Opens an RTP socket and, on the next port up, its RTCP socket (RFC 3550 section 11: even, odd),
 *  both in [port_min, port_max] or any free pair when both are 0. `address` numeric; NULL: all.
 *  TDM_E_SYSTEM with a cause. */
enum tdm_err tdm_udp_open_pair(const char *address, uint16_t port_min, uint16_t port_max,
                               struct tdm_udp pair[2], struct tdm_cause *cause);

/** Opens one socket at `address`, with its port; a host of zeros: all of that family (IPv6: both).
 *  TDM_E_SYSTEM with a cause. */
enum tdm_err tdm_udp_open(const struct tdm_address *address, struct tdm_udp *udp,
                          struct tdm_cause *cause);

void tdm_udp_close(struct tdm_udp *udp);

/** What is sent from now on is marked ECT(1) (RFC 9331), or not; the class (DSCP) stays. */
void tdm_udp_mark(const struct tdm_udp *udp, bool ect1);

/** Receives what waits, up to a batch. TDM_E_AGAIN when nothing waits. ICMP errors are skipped. */
enum tdm_err tdm_udp_receive(const struct tdm_udp *udp, tdm_time now, struct tdm_udp_batch *batch);

/** Receives one datagram of up to *size bytes, for who expects larger ones than media has. One that
 *  does not fit comes with size 0. */
enum tdm_err tdm_udp_receive_one(const struct tdm_udp *udp, tdm_time now, uint8_t *data,
                                 size_t *size, struct tdm_address *from, struct tdm_address *to);

/** Sends each piece as a datagram; what the kernel does not take at once is lost, as on any link.
 *  @param from  Local address to send from; family NONE: the kernel chooses.
 *  @return how many were taken. */
uint32_t tdm_udp_send(const struct tdm_udp *udp, const struct tdm_address *from,
                      const struct tdm_address *to, const struct tdm_udp_piece *pieces,
                      uint32_t count);

/** For the kernel, and back. An IPv4 address for a socket of IPv6 becomes a mapped one, and a
 *  mapped one becomes IPv4. False: that socket cannot reach it. */
bool tdm_udp_sockaddr(const struct tdm_address *a, uint8_t socket_family,
                      struct sockaddr_storage *to, socklen_t *to_size);
void tdm_udp_address_of(const struct sockaddr_storage *from, struct tdm_address *a);

/** The local address from which `remote` is reached: what to write into an SDP. */
enum tdm_err tdm_udp_local_address(const char *remote, char *local, size_t capacity,
                                   struct tdm_cause *cause);

#endif
