/* SPDX-License-Identifier: MIT */
#include "engine/io/server_link.h"

#include "engine/base/rt.h"
#include "engine/io/udp.h"
#include "engine/wire/stun.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int tdm_server_link_connect(const struct tdm_address *server)
{
    struct sockaddr_storage to;
    socklen_t size;
    int on = 1;

    if (!tdm_udp_sockaddr(server, server->family, &to, &size))
        return -1;
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&to, size) == 0 || errno == EINPROGRESS)
        return fd;
    (void)close(fd);
    return -1;
}

void tdm_server_link_init(struct tdm_server_link *link)
{
    link->fd = -1;
    link->tls = NULL;
    link->up = link->broken = false;
    link->dropped = 0;
    link->in_size = link->in_taken = link->out_size = 0;
}

void tdm_server_link_open(struct tdm_server_link *link, int fd, struct tdm_tls *tls)
{
    tdm_server_link_close(link);
    link->fd = fd;
    link->tls = tls;
    link->broken = fd < 0;
}

void tdm_server_link_close(struct tdm_server_link *link)
{
    tdm_rt_foreign_enter();
    if (link->tls)
        tdm_tls_destroy(link->tls);
    else if (link->fd >= 0)
        (void)close(link->fd);
    tdm_rt_foreign_leave();
    tdm_server_link_init(link);
}

short tdm_server_link_events(const struct tdm_server_link *link)
{
    if (link->tls)
        return (short)(tdm_tls_events(link->tls) | (link->up && link->out_size ? POLLOUT : 0));
    return (short)(POLLIN | (!link->up || link->out_size ? POLLOUT : 0));
}

static enum tdm_err connect_on(struct tdm_server_link *link)
{
    struct pollfd fd = {.fd = link->fd, .events = POLLOUT};
    int failed = 0;
    socklen_t size = sizeof failed;

    if (poll(&fd, 1, 0) <= 0)
        return TDM_E_AGAIN;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0 || failed)
        return TDM_E_GONE;
    if (!link->tls)
        return TDM_OK;
    return tdm_tls_handshake(link->tls, NULL);
}

/* @return TDM_OK with *size as taken; TDM_E_AGAIN: later. */
static enum tdm_err put(struct tdm_server_link *link, const uint8_t *data, size_t *size)
{
    if (!link->tls) {
        ssize_t sent = send(link->fd, data, *size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0)
            return errno == EAGAIN || errno == EINTR ? TDM_E_AGAIN : TDM_E_GONE;
        *size = (size_t)sent;
        return TDM_OK;
    }
    return tdm_tls_write(link->tls, data, size);
}

static enum tdm_err get(struct tdm_server_link *link, uint8_t *data, size_t *size)
{
    if (!link->tls) {
        ssize_t got = recv(link->fd, data, *size, MSG_DONTWAIT);

        if (got <= 0)
            return got < 0 && (errno == EAGAIN || errno == EINTR) ? TDM_E_AGAIN : TDM_E_GONE;
        *size = (size_t)got;
        return TDM_OK;
    }
    return tdm_tls_read(link->tls, data, size);
}

static void flush(struct tdm_server_link *link)
{
    while (link->out_size) {
        size_t size = link->out_size;
        enum tdm_err err = put(link, link->out, &size);

        if (err != TDM_OK || !size) {
            link->broken |= err != TDM_OK && err != TDM_E_AGAIN;
            return;
        }
        link->out_size -= size;
        memmove(link->out, link->out + size, link->out_size);
    }
}

void tdm_server_link_run(struct tdm_server_link *link)
{
    if (link->fd < 0 || link->broken)
        return;
    if (!link->up) {
        enum tdm_err err = connect_on(link);

        link->up = err == TDM_OK;
        link->broken = err != TDM_OK && err != TDM_E_AGAIN;
    }
    if (link->up)
        flush(link);
}

bool tdm_server_link_read(struct tdm_server_link *link, uint8_t **data, size_t *size)
{
    if (!link->up || link->broken)
        return false;
    for (;;) {
        size_t frame;
        size_t room = sizeof link->in - link->in_size;
        enum tdm_err err =
            tdm_turn_frame_size(link->in + link->in_taken, link->in_size - link->in_taken, &frame);

        if (err == TDM_OK) {
            *data = link->in + link->in_taken;
            *size = frame;
            link->in_taken += frame;
            return true;
        }
        if (link->in_taken) {
            link->in_size -= link->in_taken;
            memmove(link->in, link->in + link->in_taken, link->in_size);
            link->in_taken = 0;
            continue;
        }
        if (err != TDM_E_AGAIN || frame > sizeof link->in)
            link->broken = true; /* No TURN server speaks so. */
        else if ((err = get(link, link->in + link->in_size, &room)) == TDM_OK)
            link->in_size += room;
        else
            link->broken = err != TDM_E_AGAIN;
        if (link->broken || err != TDM_OK)
            return false;
    }
}

void tdm_server_link_write(struct tdm_server_link *link, const void *data, size_t size)
{
    if (!link->up || link->broken)
        return;
    if (link->out_size + size > sizeof link->out) {
        link->dropped++;
        return;
    }
    memcpy(link->out + link->out_size, data, size);
    link->out_size += size;
    flush(link);
}
