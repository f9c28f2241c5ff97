/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_TURN_STREAM_H
#define TDM_IO_TURN_STREAM_H

/*
 * One connection of a TURN client to us, over TCP or TLS: cuts messages out of what comes, and
 * sends whole messages or, when the client does not read, none of them. Bounded both ways. One
 * thread.
 */

#include "engine/base/address.h"
#include "engine/io/identity.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_TURN_STREAM_MESSAGE_MAX 16384 /* A client that sends a longer one is cut off. */

struct tdm_turn_stream;

/** Takes the accepted socket, also on failure. `identity` NULL: plain TCP. */
enum tdm_err tdm_turn_stream_create(struct tdm_turn_stream **stream, int fd,
                                    const struct tdm_identity *identity, struct tdm_cause *cause);
void tdm_turn_stream_destroy(struct tdm_turn_stream *stream);

/** The next whole message, borrowed until the next call. TDM_E_AGAIN: wait for the socket;
 *  TDM_E_GONE: the connection ended; TDM_E_MALFORMED: what comes makes no sense. */
enum tdm_err tdm_turn_stream_next(struct tdm_turn_stream *stream, const uint8_t **data,
                                  size_t *size);

/** TDM_E_SPACE: dropped, the client does not keep up; TDM_E_GONE: the connection ended. */
enum tdm_err tdm_turn_stream_send(struct tdm_turn_stream *stream, const uint8_t *data, size_t size);

/** Sends on what waits. */
enum tdm_err tdm_turn_stream_flush(struct tdm_turn_stream *stream);

/** What to poll for: POLLIN, POLLOUT. */
short tdm_turn_stream_events(const struct tdm_turn_stream *stream);
int tdm_turn_stream_fd(const struct tdm_turn_stream *stream);

#endif
