/* SPDX-License-Identifier: MIT */
#include "engine/io/turn_sockets.h"

#include "engine/io/clock.h"
#include "engine/io/turn_stream.h"
#include "engine/io/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READY_MAX     64
#define MESSAGES_TURN 64             /* Of one connection before others have theirs. */
#define FIRST_WAIT    (30 * TDM_S)   /* For the first message of a connection. */
#define IDLE_WAIT     (3700 * TDM_S) /* An allocation must be renewed within an hour. */
#define SWEEP_EVERY   (5 * TDM_S)

enum source { SOURCE_WAKE, SOURCE_LISTEN, SOURCE_LINK, SOURCE_RELAY };

struct link_slot {
    struct tdm_turn_stream *stream; /* NULL: free. */
    struct tdm_address from, to;
    tdm_time idle_at;
    short events;
    bool again; /* It was left with messages. */
};

struct tdm_turn_sockets {
    int epoll, spare; /* A descriptor to give up when there are no more. */
    uint32_t listen_count;
    struct tdm_turn_listen listens[TDM_TURN_LISTEN_MAX];
    struct tdm_udp listeners[TDM_TURN_LISTEN_MAX]; /* TCP has its descriptor here, too. */
    const struct tdm_identity *identity;
    struct link_slot links[TDM_TURN_LINKS_MAX]; /* Link number less 1. */
    tdm_time swept_at;

    /* Where the reading is: ready sources, one's batch, one's stream. */
    uint32_t ready_count, ready_at, batch_at, link, messages;
    uint64_t ready[READY_MAX + TDM_TURN_LINKS_MAX];
    bool batch_is_relay;
    uint32_t batch_source;
    struct tdm_udp_batch batch;

    uint32_t relay_count;
    struct tdm_udp relays[];
};

static uint64_t key_of(enum source source, uint32_t number)
{
    return (uint64_t)source << 32 | number;
}

static enum tdm_err add_fd(struct tdm_turn_sockets *s, int fd, uint64_t key,
                           struct tdm_cause *cause)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = key};

    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return TDM_OK;
    return tdm_fail(cause, TDM_E_SYSTEM, "cannot wait for a socket (%s)", strerrordesc_np(errno));
}

static enum tdm_err open_tcp(const struct tdm_address *address, struct tdm_udp *to,
                             struct tdm_cause *cause)
{
    struct sockaddr_storage local;
    socklen_t size;
    int on = 1, off = 0;
    char text[TDM_ADDRESS_TEXT_MAX];

    (void)tdm_udp_sockaddr(address, address->family, &local, &size);
    int fd = socket(local.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *to = (struct tdm_udp){.fd = fd, .family = address->family, .port = address->port};
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd >= 0 && address->family == TDM_IPV6) /* All of IPv6 is all of IPv4, too. */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&local, size) == 0 && listen(fd, 64) == 0)
        return TDM_OK;
    tdm_address_text(address, text);
    return tdm_fail(cause, TDM_E_SYSTEM,
                    "cannot listen on TCP %s (%s): choose another port or end what uses it", text,
                    strerrordesc_np(errno));
}

static enum tdm_err open_listeners(struct tdm_turn_sockets *s, struct tdm_cause *cause)
{
    for (uint32_t i = 0; i < s->listen_count; i++) {
        const struct tdm_turn_listen *listen = &s->listens[i];
        enum tdm_err err = listen->transport == TDM_TURN_OVER_UDP
                               ? tdm_udp_open(&listen->address, &s->listeners[i], cause)
                               : open_tcp(&listen->address, &s->listeners[i], cause);

        if (err == TDM_OK)
            err = add_fd(s, s->listeners[i].fd, key_of(SOURCE_LISTEN, i), cause);
        if (err != TDM_OK)
            return err;
    }
    return TDM_OK;
}

enum tdm_err tdm_turn_sockets_create(struct tdm_turn_sockets **sockets,
                                     const struct tdm_turn_sockets_config *config,
                                     struct tdm_cause *cause)
{
    struct tdm_turn_sockets *s = calloc(1, sizeof *s + config->relays * sizeof *s->relays);

    assert(config->listen_count <= TDM_TURN_LISTEN_MAX);
    *sockets = NULL;
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the sockets of a server");
    s->listen_count = config->listen_count;
    memcpy(s->listens, config->listens, sizeof s->listens);
    s->identity = config->identity;
    s->relay_count = config->relays;
    for (uint32_t i = 0; i < TDM_TURN_LISTEN_MAX; i++)
        s->listeners[i].fd = -1;
    for (uint32_t i = 0; i < s->relay_count; i++)
        s->relays[i].fd = -1;
    s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    enum tdm_err err = s->epoll >= 0 ? open_listeners(s, cause)
                                     : tdm_fail(cause, TDM_E_SYSTEM, "cannot make an epoll (%s)",
                                                strerrordesc_np(errno));

    if (err == TDM_OK)
        *sockets = s;
    else
        tdm_turn_sockets_destroy(s);
    return err;
}

void tdm_turn_sockets_destroy(struct tdm_turn_sockets *sockets)
{
    struct tdm_turn_sockets *s = sockets;

    if (!s)
        return;
    for (uint32_t i = 0; i < TDM_TURN_LINKS_MAX; i++)
        tdm_turn_stream_destroy(s->links[i].stream);
    for (uint32_t i = 0; i < TDM_TURN_LISTEN_MAX; i++)
        tdm_udp_close(&s->listeners[i]);
    for (uint32_t i = 0; i < s->relay_count; i++)
        tdm_udp_close(&s->relays[i]);
    if (s->spare >= 0)
        (void)close(s->spare);
    if (s->epoll >= 0)
        (void)close(s->epoll);
    free(s);
}

enum tdm_err tdm_turn_sockets_watch(struct tdm_turn_sockets *sockets, int wake_fd,
                                    struct tdm_cause *cause)
{
    return add_fd(sockets, wake_fd, key_of(SOURCE_WAKE, 0), cause);
}

void tdm_turn_sockets_wait(struct tdm_turn_sockets *sockets, tdm_time deadline)
{
    struct tdm_turn_sockets *s = sockets;
    struct epoll_event events[READY_MAX];
    tdm_time until = tdm_time_min(deadline, s->swept_at + SWEEP_EVERY);
    tdm_time left = tdm_time_max(until - tdm_clock_now(), 0);

    s->ready_count = s->ready_at = 0;
    for (uint32_t i = 0; i < TDM_TURN_LINKS_MAX; i++)
        if (s->links[i].again)
            s->ready[s->ready_count++] = key_of(SOURCE_LINK, i);
    int count = epoll_wait(s->epoll, events, READY_MAX,
                           s->ready_count ? 0 : (int)((left + TDM_MS - 1) / TDM_MS));

    for (int i = 0; i < count; i++)
        s->ready[s->ready_count++] = events[i].data.u64;
}

/* Its stream waits for other things now. */
static void set_events(struct tdm_turn_sockets *s, uint32_t index)
{
    struct link_slot *slot = &s->links[index];
    short events = tdm_turn_stream_events(slot->stream);

    if (events == slot->events)
        return;
    struct epoll_event event = {.events = (uint32_t)events, .data.u64 = key_of(SOURCE_LINK, index)};

    (void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, tdm_turn_stream_fd(slot->stream), &event);
    slot->events = events;
}

static uint32_t links_of_host(const struct tdm_turn_sockets *s, const struct tdm_address *host)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < TDM_TURN_LINKS_MAX; i++)
        count += s->links[i].stream && tdm_address_same_host(&s->links[i].from, host);
    return count;
}

static struct link_slot *free_slot(struct tdm_turn_sockets *s, const struct tdm_address *from)
{
    if (links_of_host(s, from) >= TDM_TURN_HOST_LINKS)
        return NULL;
    for (uint32_t i = 0; i < TDM_TURN_LINKS_MAX; i++)
        if (!s->links[i].stream)
            return &s->links[i];
    return NULL;
}

/* Without descriptors left the connection would wait for ever, and the listener be readable: it is
 * taken with the spare one and closed. */
static void refuse_one(struct tdm_turn_sockets *s, uint32_t listener)
{
    if (s->spare >= 0)
        (void)close(s->spare);
    int fd = accept4(s->listeners[listener].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0)
        (void)close(fd);
    s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* One connection each time: epoll comes back for the rest. */
static void accept_one(struct tdm_turn_sockets *s, uint32_t listener, tdm_time now)
{
    struct sockaddr_storage from, to;
    socklen_t from_size = sizeof from, to_size = sizeof to;
    int fd = accept4(s->listeners[listener].fd, (struct sockaddr *)&from, &from_size,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct tdm_address address;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            refuse_one(s, listener);
        return;
    }
    tdm_udp_address_of(&from, &address);
    struct link_slot *slot = free_slot(s, &address);
    bool tls = s->listens[listener].transport == TDM_TURN_OVER_TLS;

    if (!slot || getsockname(fd, (struct sockaddr *)&to, &to_size) != 0) {
        (void)close(fd);
        return;
    }
    uint32_t index = (uint32_t)(slot - s->links);

    *slot = (struct link_slot){.from = address, .idle_at = now + FIRST_WAIT, .events = EPOLLIN};
    tdm_udp_address_of(&to, &slot->to);
    if (tdm_turn_stream_create(&slot->stream, fd, tls ? s->identity : NULL, NULL) == TDM_OK &&
        add_fd(s, fd, key_of(SOURCE_LINK, index), NULL) != TDM_OK)
        tdm_turn_sockets_close_link(s, index + 1);
}

void tdm_turn_sockets_close_link(struct tdm_turn_sockets *sockets, uint32_t link)
{
    assert(link && link <= TDM_TURN_LINKS_MAX);
    tdm_turn_stream_destroy(sockets->links[link - 1].stream);
    sockets->links[link - 1] = (struct link_slot){.stream = NULL};
    if (sockets->link == link)
        sockets->link = 0;
}

static void link_down(struct tdm_turn_sockets *s, uint32_t link, struct tdm_turn_event *event)
{
    tdm_turn_sockets_close_link(s, link);
    *event = (struct tdm_turn_event){.kind = TDM_TURN_EVENT_LINK_DOWN, .link = link};
}

/* The next message of the connection that is being read; false: none for now. */
static bool next_of_link(struct tdm_turn_sockets *s, tdm_time now, struct tdm_turn_event *event)
{
    uint32_t link = s->link;
    struct link_slot *slot = &s->links[link - 1];

    slot->again = s->messages++ >= MESSAGES_TURN;
    if (slot->again) {
        s->link = 0;
        return false;
    }
    *event = (struct tdm_turn_event){
        .kind = TDM_TURN_EVENT_CLIENT, .link = link, .from = slot->from, .to = slot->to};
    enum tdm_err err = tdm_turn_stream_next(slot->stream, &event->data, &event->size);

    if (err == TDM_OK) {
        slot->idle_at = now + IDLE_WAIT;
        return true;
    }
    if (err == TDM_E_AGAIN) {
        set_events(s, link - 1);
        s->link = 0;
        return false;
    }
    link_down(s, link, event);
    return true;
}

static bool next_of_batch(struct tdm_turn_sockets *s, struct tdm_turn_event *event)
{
    if (s->batch_at >= s->batch.count)
        return false;
    uint32_t at = s->batch_at++;

    *event = (struct tdm_turn_event){.kind = s->batch_is_relay ? TDM_TURN_EVENT_RELAY
                                                               : TDM_TURN_EVENT_CLIENT,
                                     .relay = s->batch_source,
                                     .from = s->batch.datagrams[at].from,
                                     .to = s->batch.datagrams[at].to,
                                     .data = s->batch.bytes[at],
                                     .size = s->batch.datagrams[at].size};
    return true;
}

static void read_batch(struct tdm_turn_sockets *s, const struct tdm_udp *udp, bool is_relay,
                       uint32_t number, tdm_time now)
{
    s->batch_at = 0;
    s->batch_is_relay = is_relay;
    s->batch_source = number;
    if (udp->fd < 0 || tdm_udp_receive(udp, now, &s->batch) != TDM_OK)
        s->batch.count = 0;
}

/* Starts to read a source that is ready. */
static void turn_to(struct tdm_turn_sockets *s, uint64_t key, tdm_time now)
{
    uint32_t number = (uint32_t)key;

    switch ((enum source)(key >> 32)) {
    case SOURCE_LISTEN:
        if (s->listens[number].transport == TDM_TURN_OVER_UDP)
            read_batch(s, &s->listeners[number], false, number, now);
        else
            accept_one(s, number, now);
        break;
    case SOURCE_LINK:
        if (!s->links[number].stream)
            break;
        s->messages = 0;
        s->link = number + 1;
        (void)tdm_turn_stream_flush(s->links[number].stream);
        break;
    case SOURCE_RELAY:
        read_batch(s, &s->relays[number], true, number, now);
        break;
    case SOURCE_WAKE:
        break;
    }
}

/* One connection that has been silent for too long. */
static bool sweep(struct tdm_turn_sockets *s, tdm_time now, struct tdm_turn_event *event)
{
    if (now < s->swept_at + SWEEP_EVERY)
        return false;
    for (uint32_t i = 0; i < TDM_TURN_LINKS_MAX; i++)
        if (s->links[i].stream && s->links[i].idle_at <= now) {
            link_down(s, i + 1, event);
            return true;
        }
    s->swept_at = now;
    return false;
}

enum tdm_err tdm_turn_sockets_next(struct tdm_turn_sockets *sockets, tdm_time now,
                                   struct tdm_turn_event *event)
{
    struct tdm_turn_sockets *s = sockets;

    for (;;) {
        if (next_of_batch(s, event) || (s->link && next_of_link(s, now, event)))
            return TDM_OK;
        if (s->ready_at < s->ready_count)
            turn_to(s, s->ready[s->ready_at++], now);
        else
            return sweep(s, now, event) ? TDM_OK : TDM_E_AGAIN;
    }
}

static bool is_all(const struct tdm_address *a)
{
    static const uint8_t none[16];

    return memcmp(a->bytes, none, sizeof none) == 0;
}

/* The UDP socket that is bound to this local address, or to all. */
static const struct tdm_udp *listener_of(const struct tdm_turn_sockets *s,
                                         const struct tdm_address *local)
{
    const struct tdm_udp *fallback = NULL;

    for (uint32_t i = 0; i < s->listen_count; i++) {
        const struct tdm_address *at = &s->listens[i].address;

        if (s->listens[i].transport != TDM_TURN_OVER_UDP || at->port != local->port)
            continue;
        if (tdm_address_same_host(at, local))
            return &s->listeners[i];
        if (is_all(at) && (at->family == local->family || at->family == TDM_IPV6))
            fallback = &s->listeners[i];
    }
    return fallback;
}

void tdm_turn_sockets_answer(struct tdm_turn_sockets *sockets, uint32_t link,
                             const struct tdm_address *from, const struct tdm_address *to,
                             const uint8_t *data, size_t size)
{
    const struct tdm_udp_piece piece = {.data = data, .size = size};

    if (link) {
        struct tdm_turn_stream *stream = sockets->links[link - 1].stream;

        /* What the client does not take is lost, as on any link; an end is seen by reading. */
        if (stream && tdm_turn_stream_send(stream, data, size) == TDM_OK)
            set_events(sockets, link - 1);
        return;
    }
    const struct tdm_udp *udp = listener_of(sockets, from);

    if (udp)
        (void)tdm_udp_send(udp, from, to, &piece, 1);
}

enum tdm_err tdm_turn_sockets_open_relay(struct tdm_turn_sockets *sockets, uint32_t relay,
                                         const struct tdm_address *address, struct tdm_cause *cause)
{
    struct tdm_udp *udp = &sockets->relays[relay];

    assert(relay < sockets->relay_count && udp->fd < 0);
    enum tdm_err err = tdm_udp_open(address, udp, cause);

    if (err == TDM_OK)
        err = add_fd(sockets, udp->fd, key_of(SOURCE_RELAY, relay), cause);
    if (err != TDM_OK)
        tdm_udp_close(udp);
    return err;
}

void tdm_turn_sockets_close_relay(struct tdm_turn_sockets *sockets, uint32_t relay)
{
    assert(relay < sockets->relay_count);
    tdm_udp_close(&sockets->relays[relay]);
    if (sockets->batch_is_relay && sockets->batch_source == relay)
        sockets->batch_at = sockets->batch.count; /* It is somebody else's number soon. */
}

void tdm_turn_sockets_relay(struct tdm_turn_sockets *sockets, uint32_t relay,
                            const struct tdm_address *to, const uint8_t *data, size_t size)
{
    static const struct tdm_address any = {.family = TDM_ADDRESS_NONE};
    const struct tdm_udp_piece piece = {.data = data, .size = size};

    (void)tdm_udp_send(&sockets->relays[relay], &any, to, &piece, 1);
}
