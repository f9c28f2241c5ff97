/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_SIP_SOCKETS_H
#define TDM_IO_SIP_SOCKETS_H

/*
 * The sockets of a SIP server: UDP, TCP and TLS, with connections cut into messages. What comes is
 * pulled, whole; what it means is decided elsewhere (signalling/rendezvous.h). A connection that
 * sends a message too slowly, or nothing for too long, is closed. One thread.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"
#include "engine/io/identity.h"

#define TDM_SIP_LISTEN_MAX     16
#define TDM_SIP_DATAGRAM_BYTES 65536
#define TDM_SIP_STREAM_MAX     65536 /* Of one message over a connection. */

enum tdm_sip_over { TDM_SIP_OVER_UDP, TDM_SIP_OVER_TCP, TDM_SIP_OVER_TLS };

struct tdm_sip_listen {
    enum tdm_sip_over over;
    struct tdm_address address; /* A host of zeros: all. */
};

struct tdm_sip_sockets_config {
    uint32_t listen_count;
    struct tdm_sip_listen listens[TDM_SIP_LISTEN_MAX];
    const struct tdm_identity *identity; /* For TLS; outlives the sockets. */
    uint32_t links;                      /* Connections at once, up to 16384. */
    uint32_t host_links;                 /* Of one host. */
};

struct tdm_sip_arrival {
    bool down; /* Of a connection: it ended, and nothing else is said. */
    enum tdm_sip_over over;
    uint32_t link; /* 0: UDP. No other connection ever has the same number. */
    struct tdm_address from, to;
    const uint8_t *data; /* Until the next one is asked for. */
    size_t size;
};

struct tdm_sip_sockets;

enum tdm_err tdm_sip_sockets_create(struct tdm_sip_sockets **sockets,
                                    const struct tdm_sip_sockets_config *config,
                                    struct tdm_cause *cause);
void tdm_sip_sockets_destroy(struct tdm_sip_sockets *sockets);

/** Another descriptor that ends the wait. */
enum tdm_err tdm_sip_sockets_watch(struct tdm_sip_sockets *sockets, int fd,
                                   struct tdm_cause *cause);
/** Blocks until something came or the deadline passed. */
void tdm_sip_sockets_wait(struct tdm_sip_sockets *sockets, tdm_time deadline);

/** TDM_E_AGAIN: wait. */
enum tdm_err tdm_sip_sockets_next(struct tdm_sip_sockets *sockets, tdm_time now,
                                  struct tdm_sip_arrival *arrival);

/** Over UDP from `local`; over the connection `link`. What cannot be sent is lost, as on any way.
 */
void tdm_sip_sockets_send(struct tdm_sip_sockets *sockets, uint32_t link,
                          const struct tdm_address *local, const struct tdm_address *to,
                          const uint8_t *data, size_t size);
void tdm_sip_sockets_close_link(struct tdm_sip_sockets *sockets, uint32_t link);
uint32_t tdm_sip_sockets_links(const struct tdm_sip_sockets *sockets);

#endif
