/* SPDX-License-Identifier: MIT */
#include "bench/sip/lane.h"

#include "engine/wire/sip_frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_BYTES  (1u << 20)
#define OUT_BYTES (8u << 20)
#define BUFFER    (8 << 20)

struct lane {
    enum lane_over over;
    int fd;
    SSL_CTX *context;
    SSL *ssl;
    char place[40];
    uint8_t *in, *out;
    size_t in_from, in_to, out_from, out_to;
    char ended; /* The byte under the terminator of the message that was given out. */
    char *end;
};

void give_up(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    (void)vfprintf(stderr, format, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    exit(1);
}

static void shake_hands(struct lane *l)
{
    l->context = SSL_CTX_new(TLS_client_method());
    l->ssl = l->context ? SSL_new(l->context) : NULL;
    if (!l->ssl || SSL_set_fd(l->ssl, l->fd) != 1 || SSL_connect(l->ssl) != 1)
        give_up("no TLS with the server");
    (void)SSL_set_mode(l->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

struct lane *lane_open(enum lane_over over, const struct sockaddr_in *server)
{
    struct lane *l = calloc(1, sizeof *l);
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t size = sizeof own;
    int much = BUFFER;

    if (!l || !(l->in = malloc(IN_BYTES + 1)) || !(l->out = malloc(OUT_BYTES)))
        give_up("no memory");
    l->over = over;
    l->fd = socket(AF_INET, (over == LANE_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (over == LANE_UDP && setsockopt(l->fd, SOL_SOCKET, SO_RCVBUFFORCE, &much, sizeof much) != 0)
        (void)setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
    if (connect(l->fd, (const struct sockaddr *)server, sizeof *server) != 0)
        give_up("the server takes no connection: %s", strerror(errno));
    if (over == LANE_TLS)
        shake_hands(l);
    if (fcntl(l->fd, F_SETFL, O_NONBLOCK) != 0 ||
        getsockname(l->fd, (struct sockaddr *)&own, &size) != 0)
        give_up("a socket fails: %s", strerror(errno));
    (void)snprintf(l->place, sizeof l->place, "%s:%u", inet_ntoa(own.sin_addr),
                   ntohs(own.sin_port));
    return l;
}

void lane_close(struct lane *l)
{
    SSL_free(l->ssl);
    SSL_CTX_free(l->context);
    (void)close(l->fd);
    free(l->in);
    free(l->out);
    free(l);
}

int lane_fd(const struct lane *l)
{
    return l->fd;
}

bool lane_is_full(const struct lane *l)
{
    return l->out_from < l->out_to;
}

const char *lane_place(const struct lane *l)
{
    return l->place;
}

const char *lane_transport(const struct lane *l)
{
    static const char *const names[] = {"UDP", "TCP", "TLS"};

    return names[l->over];
}

void lane_send(struct lane *l, const char *text, size_t size)
{
    if (l->over == LANE_UDP) {
        (void)send(l->fd, text, size, 0); /* What is lost is sent again. */
        return;
    }
    if (OUT_BYTES - l->out_to < size) {
        memmove(l->out, l->out + l->out_from, l->out_to - l->out_from);
        l->out_to -= l->out_from;
        l->out_from = 0;
    }
    if (OUT_BYTES - l->out_to < size)
        give_up("the server does not read");
    memcpy(l->out + l->out_to, text, size);
    l->out_to += size;
}

static ssize_t write_some(struct lane *l, const void *data, size_t size)
{
    if (!l->ssl)
        return send(l->fd, data, size, MSG_NOSIGNAL);
    int wrote = SSL_write(l->ssl, data, (int)(size < 65536 ? size : 65536));

    errno = EAGAIN;
    return wrote > 0 ? wrote : -1;
}

void lane_flush(struct lane *l)
{
    while (l->out_from < l->out_to) {
        ssize_t wrote = write_some(l, l->out + l->out_from, l->out_to - l->out_from);

        if (wrote < 0 && errno != EAGAIN)
            give_up("the server closed the connection");
        if (wrote < 0)
            return;
        l->out_from += (size_t)wrote;
    }
    l->out_from = l->out_to = 0;
}

static ssize_t read_some(struct lane *l, void *data, size_t size)
{
    if (!l->ssl)
        return recv(l->fd, data, size, 0);
    int got = SSL_read(l->ssl, data, (int)size);

    if (got <= 0 && SSL_get_error(l->ssl, got) != SSL_ERROR_WANT_READ)
        give_up("the server ended TLS");
    errno = EAGAIN;
    return got > 0 ? got : -1;
}

/* False: nothing came. */
static bool fill(struct lane *l)
{
    if (l->in_from == l->in_to || l->over == LANE_UDP)
        l->in_from = l->in_to = 0;
    if (l->in_from) {
        memmove(l->in, l->in + l->in_from, l->in_to - l->in_from);
        l->in_to -= l->in_from;
        l->in_from = 0;
    }
    ssize_t got = read_some(l, l->in + l->in_to, IN_BYTES - l->in_to);

    if (got == 0 && l->over != LANE_UDP)
        give_up("the server closed the connection");
    if (got <= 0)
        return false;
    l->in_to += (size_t)got;
    return true;
}

char *lane_next(struct lane *l, size_t *size)
{
    if (l->end)
        *l->end = l->ended;
    l->end = NULL;
    for (;;) {
        size_t have = l->in_to - l->in_from;
        enum tdm_err err = TDM_E_AGAIN;

        *size = have;
        if (have && l->over == LANE_UDP)
            err = TDM_OK;
        else if (have)
            err = tdm_sip_frame_size(l->in + l->in_from, have, size);
        if (err == TDM_E_MALFORMED)
            give_up("the server sends what cannot be cut");
        if (err == TDM_OK) {
            char *message = (char *)l->in + l->in_from;

            l->in_from += *size;
            l->end = message + *size;
            l->ended = *l->end;
            *l->end = '\0';
            return message;
        }
        if (!fill(l))
            return NULL;
    }
}
