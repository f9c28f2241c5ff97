/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_SERVER_LINK_H
#define TDM_IO_SERVER_LINK_H

/*
 * A stream connection (TCP, or TLS over it) to a TURN server, cut into the messages of STUN and
 * ChannelData that it carries (RFC 8656 section 12.5). Never waits: what the kernel does not take
 * is kept while there is room, then dropped whole, as a relay over UDP would.
 *
 * Made on the control thread, then the net thread's; nothing here allocates but the TLS library.
 */

#include "engine/base/address.h"
#include "engine/io/tls.h"

#include <poll.h>

#define TDM_SERVER_LINK_IN  4096 /* The largest message that is taken. */
#define TDM_SERVER_LINK_OUT 65536

struct tdm_server_link {
    int fd;              /* -1: closed. */
    struct tdm_tls *tls; /* NULL: plain TCP. */
    bool up, broken;
    uint64_t dropped; /* Messages that did not fit. */
    size_t in_size, in_taken, out_size;
    uint8_t in[TDM_SERVER_LINK_IN];
    uint8_t out[TDM_SERVER_LINK_OUT];
};

/** A socket whose connection to a server has begun; -1: there is no way. */
int tdm_server_link_connect(const struct tdm_address *server);

void tdm_server_link_init(struct tdm_server_link *link);
/** A socket whose connection has begun; with `tls` it belongs to that. */
void tdm_server_link_open(struct tdm_server_link *link, int fd, struct tdm_tls *tls);
void tdm_server_link_close(struct tdm_server_link *link);

/** What to poll `fd` for. */
short tdm_server_link_events(const struct tdm_server_link *link);

/** Goes on with the connection: handshake, what waits to be written. Afterwards `up` or `broken`
 *  may have changed. */
void tdm_server_link_run(struct tdm_server_link *link);

/** The next whole message that came, valid until the next call; false: none. */
bool tdm_server_link_read(struct tdm_server_link *link, uint8_t **data, size_t *size);

/** One message, whole or not at all. */
void tdm_server_link_write(struct tdm_server_link *link, const void *data, size_t size);

#endif
