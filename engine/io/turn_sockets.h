/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_TURN_SOCKETS_H
#define TDM_IO_TURN_SOCKETS_H

/*
 * The sockets of a TURN server: those that clients come to (UDP, TCP, TLS), the clients'
 * connections, and the relays. What comes is pulled event by event; what it means is the core's
 * business (engine/core/turn_server.h), whose numbers of links and relays are used here. One
 * thread.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"
#include "engine/io/identity.h"

#define TDM_TURN_LISTEN_MAX 16
#define TDM_TURN_LINKS_MAX  512
#define TDM_TURN_HOST_LINKS 64 /* Connections of one host at once. */

enum tdm_turn_transport { TDM_TURN_OVER_UDP, TDM_TURN_OVER_TCP, TDM_TURN_OVER_TLS };

struct tdm_turn_listen {
    enum tdm_turn_transport transport;
    struct tdm_address address; /* A host of zeros: all. */
};

struct tdm_turn_sockets_config {
    uint32_t listen_count;
    struct tdm_turn_listen listens[TDM_TURN_LISTEN_MAX];
    const struct tdm_identity *identity; /* For TLS; outlives the sockets. */
    uint32_t relays;                     /* Their numbers are below this. */
};

enum tdm_turn_event_kind {
    TDM_TURN_EVENT_CLIENT,    /* link (0: UDP), from, to, data: a message. */
    TDM_TURN_EVENT_LINK_DOWN, /* link: it is closed already. */
    TDM_TURN_EVENT_RELAY,     /* relay, from, data */
};

/** The data stays until the next event is asked for. */
struct tdm_turn_event {
    enum tdm_turn_event_kind kind;
    uint32_t link, relay;
    struct tdm_address from, to;
    const uint8_t *data;
    size_t size;
};

struct tdm_turn_sockets;

/** Opens all of them. TDM_E_SYSTEM with a cause when one cannot be had. */
enum tdm_err tdm_turn_sockets_create(struct tdm_turn_sockets **sockets,
                                     const struct tdm_turn_sockets_config *config,
                                     struct tdm_cause *cause);
void tdm_turn_sockets_destroy(struct tdm_turn_sockets *sockets);

/** Blocks until something came, `wake_fd` is readable or `deadline` has passed. */
void tdm_turn_sockets_wait(struct tdm_turn_sockets *sockets, tdm_time deadline);

/** A descriptor that also ends the wait. */
enum tdm_err tdm_turn_sockets_watch(struct tdm_turn_sockets *sockets, int wake_fd,
                                    struct tdm_cause *cause);

/** The next thing that came; TDM_E_AGAIN: wait. */
enum tdm_err tdm_turn_sockets_next(struct tdm_turn_sockets *sockets, tdm_time now,
                                   struct tdm_turn_event *event);

/** To a client: over UDP from that local address, over a stream as it is. */
void tdm_turn_sockets_answer(struct tdm_turn_sockets *sockets, uint32_t link,
                             const struct tdm_address *from, const struct tdm_address *to,
                             const uint8_t *data, size_t size);
void tdm_turn_sockets_close_link(struct tdm_turn_sockets *sockets, uint32_t link);

/** Opens a relay's socket at `address`. */
enum tdm_err tdm_turn_sockets_open_relay(struct tdm_turn_sockets *sockets, uint32_t relay,
                                         const struct tdm_address *address,
                                         struct tdm_cause *cause);
void tdm_turn_sockets_close_relay(struct tdm_turn_sockets *sockets, uint32_t relay);
void tdm_turn_sockets_relay(struct tdm_turn_sockets *sockets, uint32_t relay,
                            const struct tdm_address *to, const uint8_t *data, size_t size);

#endif
