/* SPDX-License-Identifier: MIT */
#include "engine/io/sip_sockets.h"

#include "engine/io/clock.h"
#include "engine/io/tcp.h"
#include "engine/io/tls.h"
#include "engine/io/udp.h"
#include "engine/wire/sip_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READY_MAX    256
#define LINKS_MAX    16384
#define LINK_BITS    14
#define OUT_MAX      ((size_t)256 * 1024) /* Bytes that wait for a client who does not read. */
#define FIRST_WAIT   (30 * TDM_S)         /* For the first message of a connection. */
#define MESSAGE_WAIT (15 * TDM_S)         /* For a message that began. */
#define IDLE_WAIT    (7300 * TDM_S)       /* A registration lasts two hours. */
#define SWEEP_EVERY  (2 * TDM_S)
#define TURN_MAX     64 /* Of one source before others have theirs. */
#define PIECE        4096

enum source { SOURCE_OTHER, SOURCE_LISTEN, SOURCE_LINK };

struct buffer {
    uint8_t *data;
    size_t size, room;
};

struct link {
    uint32_t number;
    enum tdm_sip_over over;
    int fd;
    struct tdm_tls *tls;
    struct tdm_address from, to;
    struct buffer in, out;
    size_t taken;   /* Of `in`, by the message that was given last. */
    tdm_time until; /* When it is closed if nothing more comes. */
    bool partly;    /* A message began. */
    short events;
};

struct tdm_sip_sockets {
    int epoll;
    struct tdm_sip_sockets_config config;
    struct tdm_udp listeners[TDM_SIP_LISTEN_MAX];
    struct link **links;
    uint32_t link_count, generation;
    uint32_t ready_count, ready_at, turn, again_count;
    uint64_t ready[2 * READY_MAX], again[READY_MAX]; /* again: left with things to read. */
    tdm_time swept_at;
    uint32_t sweep_next;
    uint8_t datagram[TDM_SIP_DATAGRAM_BYTES];
};

static uint64_t key_of(enum source source, uint32_t number)
{
    return (uint64_t)source << 32 | number;
}

static enum tdm_err watch(struct tdm_sip_sockets *s, int fd, uint64_t key, struct tdm_cause *cause)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = key};

    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return TDM_OK;
    return tdm_fail(cause, TDM_E_SYSTEM, "cannot wait for a socket (%s)", strerrordesc_np(errno));
}

static enum tdm_err listen_tcp(const struct tdm_address *address, struct tdm_udp *to,
                               struct tdm_cause *cause)
{
    char host[TDM_ADDRESS_TEXT_MAX];
    static const uint8_t zeros[16];
    bool all = memcmp(address->bytes, zeros, sizeof zeros) == 0;

    tdm_address_host_text(address, host);
    *to = (struct tdm_udp){.fd = -1};
    return tdm_tcp_listen(all ? NULL : host, address->port, address->port, &to->fd, &to->port,
                          cause);
}

static enum tdm_err open_all(struct tdm_sip_sockets *s, struct tdm_cause *cause)
{
    for (uint32_t i = 0; i < s->config.listen_count; i++) {
        const struct tdm_sip_listen *l = &s->config.listens[i];
        enum tdm_err err = l->over == TDM_SIP_OVER_UDP
                               ? tdm_udp_open(&l->address, &s->listeners[i], cause)
                               : listen_tcp(&l->address, &s->listeners[i], cause);

        if (err == TDM_OK)
            err = watch(s, s->listeners[i].fd, key_of(SOURCE_LISTEN, i), cause);
        if (err != TDM_OK)
            return err;
    }
    return TDM_OK;
}

enum tdm_err tdm_sip_sockets_create(struct tdm_sip_sockets **sockets,
                                    const struct tdm_sip_sockets_config *config,
                                    struct tdm_cause *cause)
{
    struct tdm_sip_sockets *s = calloc(1, sizeof *s);

    *sockets = NULL;
    assert(config->listen_count <= TDM_SIP_LISTEN_MAX && config->links <= LINKS_MAX);
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the sockets of a server");
    s->config = *config;
    for (uint32_t i = 0; i < TDM_SIP_LISTEN_MAX; i++)
        s->listeners[i].fd = -1;
    s->links = calloc(config->links, sizeof *s->links);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    enum tdm_err err = s->links && s->epoll >= 0
                           ? open_all(s, cause)
                           : tdm_fail(cause, TDM_E_SYSTEM, "cannot wait for sockets");

    if (err == TDM_OK)
        *sockets = s;
    else
        tdm_sip_sockets_destroy(s);
    return err;
}

static void free_link(struct link *l)
{
    if (l->tls)
        tdm_tls_destroy(l->tls);
    else if (l->fd >= 0)
        (void)close(l->fd);
    free(l->in.data);
    free(l->out.data);
    free(l);
}

void tdm_sip_sockets_destroy(struct tdm_sip_sockets *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; s->links && i < s->config.links; i++)
        if (s->links[i])
            free_link(s->links[i]);
    for (uint32_t i = 0; i < TDM_SIP_LISTEN_MAX; i++)
        tdm_udp_close(&s->listeners[i]);
    if (s->epoll >= 0)
        (void)close(s->epoll);
    free(s->links);
    free(s);
}

enum tdm_err tdm_sip_sockets_watch(struct tdm_sip_sockets *sockets, int fd, struct tdm_cause *cause)
{
    return watch(sockets, fd, key_of(SOURCE_OTHER, 0), cause);
}

void tdm_sip_sockets_wait(struct tdm_sip_sockets *s, tdm_time deadline)
{
    struct epoll_event events[READY_MAX];
    tdm_time until = tdm_time_min(deadline, s->swept_at + SWEEP_EVERY);
    tdm_time left = tdm_time_max(until - tdm_clock_now(), 0);
    int count = epoll_wait(s->epoll, events, READY_MAX,
                           s->again_count ? 0 : (int)((left + TDM_MS - 1) / TDM_MS));

    s->ready_at = s->ready_count = s->turn = 0;
    for (uint32_t i = 0; i < s->again_count; i++)
        s->ready[s->ready_count++] = s->again[i];
    s->again_count = 0;
    for (int i = 0; i < count; i++)
        s->ready[s->ready_count++] = events[i].data.u64;
}

/* --- Connections -------------------------------------------------------------------------------
 */

static struct link *link_of(const struct tdm_sip_sockets *s, uint32_t number)
{
    uint32_t slot = number & (LINKS_MAX - 1);
    struct link *l = slot < s->config.links ? s->links[slot] : NULL;

    return l && l->number == number ? l : NULL;
}

void tdm_sip_sockets_close_link(struct tdm_sip_sockets *s, uint32_t number)
{
    struct link *l = link_of(s, number);

    if (!l)
        return;
    s->links[number & (LINKS_MAX - 1)] = NULL;
    s->link_count--;
    free_link(l);
}

uint32_t tdm_sip_sockets_links(const struct tdm_sip_sockets *s)
{
    return s->link_count;
}

static bool find_slot(const struct tdm_sip_sockets *s, const struct tdm_address *from,
                      uint32_t *slot)
{
    uint32_t of_host = 0;
    bool found = false;

    for (uint32_t i = 0; i < s->config.links; i++) {
        const struct link *l = s->links[i];

        of_host += l && tdm_address_same_host(&l->from, from);
        if (!l && !found) {
            *slot = i;
            found = true;
        }
    }
    return found && of_host < s->config.host_links;
}

static struct link *new_link(struct tdm_sip_sockets *s, int fd, enum tdm_sip_over over)
{
    struct link *l = calloc(1, sizeof *l);
    const struct tdm_tls_config tls = {.fd = fd, .identity = s->config.identity, .older = true};

    if (!l) {
        (void)close(fd);
        return NULL;
    }
    *l = (struct link){.fd = fd, .over = over, .events = POLLIN};
    if (over != TDM_SIP_OVER_TLS || tdm_tls_create(&l->tls, &tls, NULL) == TDM_OK)
        return l;
    free(l); /* The socket was taken. */
    return NULL;
}

static void accept_one(struct tdm_sip_sockets *s, uint32_t listener, tdm_time now)
{
    struct sockaddr_storage to;
    socklen_t to_size = sizeof to;
    struct tdm_address from;
    uint32_t slot = 0;
    int fd = tdm_tcp_accept(s->listeners[listener].fd, &from);

    if (fd < 0)
        return;
    if (!find_slot(s, &from, &slot) || getsockname(fd, (struct sockaddr *)&to, &to_size) != 0) {
        (void)close(fd);
        return;
    }
    struct link *l = new_link(s, fd, s->config.listens[listener].over);

    if (!l)
        return;
    tdm_tcp_tune(fd, NULL);
    l->from = from;
    tdm_udp_address_of(&to, &l->to);
    l->until = now + FIRST_WAIT;
    l->number = ++s->generation << LINK_BITS | slot;
    s->links[slot] = l;
    s->link_count++;
    if (watch(s, fd, key_of(SOURCE_LINK, l->number), NULL) != TDM_OK)
        tdm_sip_sockets_close_link(s, l->number);
}

static bool make_room(struct buffer *b, size_t more, size_t most)
{
    size_t room = b->room ? b->room : PIECE;

    if (b->size + more <= b->room)
        return true;
    while (room < b->size + more)
        room *= 2;
    if (b->size + more > most)
        return false;
    uint8_t *data = realloc(b->data, room);

    if (!data)
        return false;
    b->data = data;
    b->room = room;
    return true;
}

/* Who is silent holds no memory. */
static void drop_front(struct buffer *b, size_t size)
{
    b->size -= size;
    if (b->size) {
        memmove(b->data, b->data + size, b->size);
        return;
    }
    free(b->data);
    *b = (struct buffer){NULL, 0, 0};
}

static enum tdm_err read_some(struct link *l)
{
    size_t size = PIECE;

    if (!make_room(&l->in, size, TDM_SIP_STREAM_MAX + 2 * PIECE))
        return TDM_E_GONE;
    if (l->tls) {
        enum tdm_err err = tdm_tls_handshake(l->tls, NULL);

        if (err == TDM_OK)
            err = tdm_tls_read(l->tls, l->in.data + l->in.size, &size);
        if (err == TDM_OK)
            l->in.size += size;
        return err == TDM_OK || err == TDM_E_AGAIN ? err : TDM_E_GONE;
    }
    ssize_t got = recv(l->fd, l->in.data + l->in.size, size, MSG_DONTWAIT);

    if (got > 0)
        l->in.size += (size_t)got;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return TDM_E_AGAIN;
    return got > 0 ? TDM_OK : TDM_E_GONE;
}

static enum tdm_err flush(struct link *l)
{
    while (l->out.size) {
        size_t size = l->out.size;
        enum tdm_err err = TDM_OK;

        if (l->tls) {
            err = tdm_tls_write(l->tls, l->out.data, &size);
        } else {
            ssize_t sent = send(l->fd, l->out.data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

            size = sent > 0 ? (size_t)sent : 0;
            if (sent < 0)
                err = errno == EAGAIN || errno == EINTR ? TDM_E_AGAIN : TDM_E_GONE;
        }
        if (err == TDM_OK && size)
            drop_front(&l->out, size);
        else
            return err == TDM_OK ? TDM_E_AGAIN : err;
    }
    return TDM_OK;
}

static void set_events(struct tdm_sip_sockets *s, struct link *l)
{
    short events =
        (short)((l->tls ? tdm_tls_events(l->tls) : POLLIN) | (l->out.size ? POLLOUT : 0));
    struct epoll_event event = {.events = (uint32_t)events,
                                .data.u64 = key_of(SOURCE_LINK, l->number)};

    if (events == l->events)
        return;
    (void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, l->tls ? tdm_tls_fd(l->tls) : l->fd, &event);
    l->events = events;
}

static bool went_down(struct tdm_sip_sockets *s, struct link *l, struct tdm_sip_arrival *a)
{
    *a = (struct tdm_sip_arrival){.down = true, .over = l->over, .link = l->number};
    tdm_sip_sockets_close_link(s, l->number);
    return true;
}

/* The next whole message of a connection; false: none for now. */
static bool next_of_link(struct tdm_sip_sockets *s, struct link *l, tdm_time now,
                         struct tdm_sip_arrival *a)
{
    size_t size;

    if (l->taken)
        drop_front(&l->in, l->taken);
    l->taken = 0;
    for (;;) {
        enum tdm_err err =
            l->in.size ? tdm_sip_frame_size(l->in.data, l->in.size, &size) : TDM_E_AGAIN;

        if (err == TDM_OK) {
            l->taken = size;
            l->partly = false;
            l->until = now + IDLE_WAIT;
            *a = (struct tdm_sip_arrival){.over = l->over,
                                          .link = l->number,
                                          .from = l->from,
                                          .to = l->to,
                                          .data = l->in.data,
                                          .size = size};
            return true;
        }
        if (err == TDM_E_MALFORMED || (l->in.size && size > TDM_SIP_STREAM_MAX))
            return went_down(s, l, a);
        err = read_some(l);
        if (err == TDM_E_AGAIN)
            break;
        if (err != TDM_OK)
            return went_down(s, l, a);
    }
    if (l->in.size && !l->partly) {
        l->partly = true;
        l->until = now + MESSAGE_WAIT;
    }
    if (!l->in.size)
        drop_front(&l->in, 0);
    set_events(s, l);
    return false;
}

static bool next_of_udp(struct tdm_sip_sockets *s, uint32_t listener, tdm_time now,
                        struct tdm_sip_arrival *a)
{
    size_t size = sizeof s->datagram;

    *a = (struct tdm_sip_arrival){.over = TDM_SIP_OVER_UDP, .data = s->datagram};
    if (tdm_udp_receive_one(&s->listeners[listener], now, s->datagram, &size, &a->from, &a->to) !=
        TDM_OK)
        return false;
    a->size = size;
    return true;
}

/* The next thing of one source; false: it has no more. */
static bool next_of(struct tdm_sip_sockets *s, uint64_t key, tdm_time now,
                    struct tdm_sip_arrival *a)
{
    uint32_t number = (uint32_t)key;
    struct link *l;

    switch ((enum source)(key >> 32)) {
    case SOURCE_LISTEN:
        if (s->config.listens[number].over == TDM_SIP_OVER_UDP)
            return next_of_udp(s, number, now, a);
        accept_one(s, number, now);
        return false;
    case SOURCE_LINK:
        l = link_of(s, number);
        if (!l)
            return false;
        if (flush(l) == TDM_E_GONE)
            return went_down(s, l, a);
        return next_of_link(s, l, now, a);
    case SOURCE_OTHER:
        break;
    }
    return false;
}

/* A connection that was silent for too long. */
static bool sweep(struct tdm_sip_sockets *s, tdm_time now, struct tdm_sip_arrival *a)
{
    if (now < s->swept_at + SWEEP_EVERY)
        return false;
    while (s->sweep_next < s->config.links) {
        struct link *l = s->links[s->sweep_next++];

        if (l && l->until <= now)
            return went_down(s, l, a);
    }
    s->sweep_next = 0;
    s->swept_at = now;
    return false;
}

enum tdm_err tdm_sip_sockets_next(struct tdm_sip_sockets *s, tdm_time now,
                                  struct tdm_sip_arrival *a)
{
    while (s->ready_at < s->ready_count) {
        if (s->turn++ < TURN_MAX && next_of(s, s->ready[s->ready_at], now, a))
            return TDM_OK;
        if (s->turn > TURN_MAX && s->again_count < READY_MAX)
            s->again[s->again_count++] = s->ready[s->ready_at];
        s->ready_at++;
        s->turn = 0;
    }
    return sweep(s, now, a) ? TDM_OK : TDM_E_AGAIN;
}

static const struct tdm_udp *udp_for(const struct tdm_sip_sockets *s,
                                     const struct tdm_address *local)
{
    static const uint8_t zeros[16];
    const struct tdm_udp *fallback = NULL;

    for (uint32_t i = 0; i < s->config.listen_count; i++) {
        const struct tdm_sip_listen *l = &s->config.listens[i];

        if (l->over != TDM_SIP_OVER_UDP)
            continue;
        if (tdm_address_same_host(&l->address, local))
            return &s->listeners[i];
        if (memcmp(l->address.bytes, zeros, sizeof zeros) == 0 &&
            (l->address.family == local->family || l->address.family == TDM_IPV6))
            fallback = &s->listeners[i];
    }
    return fallback;
}

void tdm_sip_sockets_send(struct tdm_sip_sockets *s, uint32_t link, const struct tdm_address *local,
                          const struct tdm_address *to, const uint8_t *data, size_t size)
{
    const struct tdm_udp_piece piece = {.data = data, .size = size};

    if (!link) {
        const struct tdm_udp *udp = udp_for(s, local);

        if (udp)
            (void)tdm_udp_send(udp, local, to, &piece, 1);
        return;
    }
    struct link *l = link_of(s, link);

    if (!l || !make_room(&l->out, size, OUT_MAX))
        return;
    memcpy(l->out.data + l->out.size, data, size);
    l->out.size += size;
    (void)flush(l); /* An end is seen by reading. */
    set_events(s, l);
}
