/* SPDX-License-Identifier: MIT */
#include "engine/io/turn_stream.h"

#include "engine/io/tls.h"
#include "engine/wire/stun.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_BYTES (64 * 1024)

struct tdm_turn_stream {
    int fd;
    struct tdm_tls *tls; /* NULL: plain TCP. It owns the socket. */
    size_t in_size, in_taken, out_size;
    uint8_t in[TDM_TURN_STREAM_MESSAGE_MAX];
    uint8_t out[OUT_BYTES];
};

enum tdm_err tdm_turn_stream_create(struct tdm_turn_stream **stream, int fd,
                                    const struct tdm_identity *identity, struct tdm_cause *cause)
{
    struct tdm_turn_stream *s = malloc(sizeof *s);
    int on = 1;

    *stream = NULL;
    if (!s) {
        (void)close(fd);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for a connection");
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s->fd = fd;
    s->tls = NULL;
    s->in_size = s->in_taken = s->out_size = 0;
    if (identity) {
        const struct tdm_tls_config config = {.fd = fd, .identity = identity};
        enum tdm_err err = tdm_tls_create(&s->tls, &config, cause);

        if (err != TDM_OK) {
            free(s);
            return err;
        }
    }
    *stream = s;
    return TDM_OK;
}

void tdm_turn_stream_destroy(struct tdm_turn_stream *stream)
{
    if (!stream)
        return;
    if (stream->tls)
        tdm_tls_destroy(stream->tls);
    else
        (void)close(stream->fd);
    free(stream);
}

static enum tdm_err read_some(struct tdm_turn_stream *s)
{
    size_t room = sizeof s->in - s->in_size;

    if (s->tls) {
        enum tdm_err err = tdm_tls_handshake(s->tls, NULL);

        if (err == TDM_OK)
            err = tdm_tls_read(s->tls, s->in + s->in_size, &room);
        if (err == TDM_OK)
            s->in_size += room;
        return err == TDM_E_DENIED ? TDM_E_GONE : err;
    }
    ssize_t got = recv(s->fd, s->in + s->in_size, room, MSG_DONTWAIT);

    if (got > 0)
        s->in_size += (size_t)got;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return TDM_E_AGAIN;
    return got > 0 ? TDM_OK : TDM_E_GONE;
}

enum tdm_err tdm_turn_stream_next(struct tdm_turn_stream *stream, const uint8_t **data,
                                  size_t *size)
{
    struct tdm_turn_stream *s = stream;
    enum tdm_err err;

    while ((err = tdm_turn_frame_size(s->in + s->in_taken, s->in_size - s->in_taken, size)) ==
           TDM_E_AGAIN) {
        if (*size > sizeof s->in)
            return TDM_E_MALFORMED;
        memmove(s->in, s->in + s->in_taken, s->in_size - s->in_taken);
        s->in_size -= s->in_taken;
        s->in_taken = 0;
        err = read_some(s);
        if (err != TDM_OK)
            return err;
    }
    *data = s->in + s->in_taken;
    s->in_taken += err == TDM_OK ? *size : 0;
    return err;
}

/* *size becomes what was taken. */
static enum tdm_err write_some(struct tdm_turn_stream *s, const uint8_t *data, size_t *size)
{
    if (s->tls)
        return tdm_tls_write(s->tls, data, size);
    ssize_t sent = send(s->fd, data, *size, MSG_DONTWAIT | MSG_NOSIGNAL);

    *size = sent > 0 ? (size_t)sent : 0;
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return TDM_E_AGAIN;
    return sent < 0 ? TDM_E_GONE : TDM_OK;
}

enum tdm_err tdm_turn_stream_flush(struct tdm_turn_stream *stream)
{
    size_t sent = stream->out_size;
    enum tdm_err err;

    if (!sent)
        return TDM_OK;
    err = write_some(stream, stream->out, &sent);
    memmove(stream->out, stream->out + sent, stream->out_size - sent);
    stream->out_size -= sent;
    return err == TDM_E_GONE ? TDM_E_GONE : TDM_OK;
}

enum tdm_err tdm_turn_stream_send(struct tdm_turn_stream *stream, const uint8_t *data, size_t size)
{
    if (size > sizeof stream->out - stream->out_size)
        return TDM_E_SPACE;
    memcpy(stream->out + stream->out_size, data, size);
    stream->out_size += size;
    return tdm_turn_stream_flush(stream);
}

short tdm_turn_stream_events(const struct tdm_turn_stream *stream)
{
    short events = stream->tls ? tdm_tls_events(stream->tls) : POLLIN;

    return (short)(events | (stream->out_size ? POLLOUT : 0));
}

int tdm_turn_stream_fd(const struct tdm_turn_stream *stream)
{
    return stream->fd;
}
