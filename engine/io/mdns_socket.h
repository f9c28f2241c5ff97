/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_MDNS_SOCKET_H
#define TDM_IO_MDNS_SOCKET_H

/*
 * One socket of multicast DNS for each interface and kind of address that it has (224.0.0.251 and
 * FF02::FB, port 5353, shared with other programs of this machine). It receives what comes to the
 * group over its interface, and nothing else, so that nobody outside of the network is answered.
 */

#include "engine/base/address.h"
#include "engine/core/mdns.h"

#define TDM_MDNS_SOCKETS_MAX 16

struct tdm_mdns_socket {
    int fd;
    int family; /* AF_INET or AF_INET6. */
    unsigned interface;
    struct tdm_address addresses[TDM_MDNS_ADDRESSES_MAX]; /* Of its interface, IPv4 first. */
    uint32_t address_count;
};

/** Opens them on each interface that runs and can multicast; `loopback` too when that is asked for.
 *  @return how many; 0: there is none, or the port is somebody's alone. */
uint32_t tdm_mdns_sockets_open(struct tdm_mdns_socket sockets[TDM_MDNS_SOCKETS_MAX], bool loopback);
void tdm_mdns_sockets_close(struct tdm_mdns_socket *sockets, uint32_t count);

/** TDM_E_AGAIN: nothing waits. One that is too large comes with size 0. */
enum tdm_err tdm_mdns_socket_receive(const struct tdm_mdns_socket *socket, uint8_t *data,
                                     size_t capacity, size_t *size, struct tdm_address *from);
/** What the kernel does not take is lost. */
void tdm_mdns_socket_send(const struct tdm_mdns_socket *socket, const struct tdm_mdns_out *out);

#endif
