/* SPDX-License-Identifier: MIT */
#include "engine/io/http.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define CONNECTIONS_A_PEER 16
#define IDLE_S             10          /* Between two requests of a connection. */
#define LOOK_EVERY_MS      250         /* At who is too slow. */
#define HEAD_BYTES         (16 * 1024) /* Of one request, with the library's own needs. */

enum slot_state {
    FREE,
    COMING,   /* Its bytes come. */
    WHOLE,    /* tdm_http_next may give it. */
    WAITING,  /* Its owner has it. */
    ANSWERED, /* The answer leaves. */
};

struct slot {
    enum slot_state state;
    bool queued; /* The library has the answer. */
    uint64_t order;
    struct MHD_Connection *connection;
    struct MHD_Response *response;
    uint16_t status;
    struct tdm_http_request request;
};

/* A connection, from its start; when its next request must be whole. */
struct client {
    struct MHD_Connection *connection;
    tdm_time due;
};

struct tdm_http {
    struct MHD_Daemon *daemon;
    int fd, timer, wake;
    uint16_t port;
    uint32_t next_id;
    uint64_t next_order;
    struct slot slots[TDM_HTTP_CONNECTIONS_MAX];
    struct client clients[TDM_HTTP_CONNECTIONS_MAX];
};

static const struct {
    const char *name;
    enum tdm_http_method method;
} methods[] = {
    {"GET", TDM_HTTP_GET},     {"HEAD", TDM_HTTP_HEAD},     {"POST", TDM_HTTP_POST},
    {"PATCH", TDM_HTTP_PATCH}, {"DELETE", TDM_HTTP_DELETE}, {"OPTIONS", TDM_HTTP_OPTIONS},
};

static enum tdm_http_method method_of(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].method;
    return TDM_HTTP_OTHER;
}

static bool copy_text(char *to, size_t capacity, const char *from)
{
    size_t size = from ? strlen(from) : 0;
    bool fits = size < capacity;

    if (!fits)
        size = capacity - 1;
    if (size)
        memcpy(to, from, size);
    to[size] = 0;
    return fits;
}

static bool copy_header(struct slot *slot, char *to, size_t capacity, const char *name)
{
    return copy_text(to, capacity,
                     MHD_lookup_connection_value(slot->connection, MHD_HEADER_KIND, name));
}

/* "Application/SDP; charset=utf-8" is application/sdp. */
static void plain_type(char *type)
{
    size_t size = strcspn(type, "; \t");

    type[size] = 0;
    for (size_t i = 0; i < size; i++)
        type[i] = (char)tolower((unsigned char)type[i]);
}

static void copy_peer(struct MHD_Connection *connection, char *to, size_t capacity)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;

    to[0] = 0;
    if (address && address->sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, to,
                        (socklen_t)capacity);
    else if (address && address->sa_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                        to, (socklen_t)capacity);
}

static struct client *client_of(struct tdm_http *http, const struct MHD_Connection *connection)
{
    for (int i = 0; i < TDM_HTTP_CONNECTIONS_MAX; i++)
        if (http->clients[i].connection == connection)
            return &http->clients[i];
    return NULL;
}

static void set_due(struct tdm_http *http, const struct MHD_Connection *connection, tdm_time due)
{
    struct client *client = client_of(http, connection);

    if (client)
        client->due = due;
}

static struct slot *begin(struct tdm_http *http, struct MHD_Connection *connection, const char *url,
                          const char *method)
{
    struct slot *slot = http->slots;

    while (slot < http->slots + TDM_HTTP_CONNECTIONS_MAX && slot->state != FREE)
        slot++;
    if (slot == http->slots + TDM_HTTP_CONNECTIONS_MAX)
        return NULL; /* The library keeps the number of connections below that. */
    struct tdm_http_request *r = &slot->request;

    slot->state = COMING;
    slot->queued = false;
    slot->connection = connection;
    slot->response = NULL;
    r->id = ++http->next_id;
    r->method = method_of(method);
    r->body_size = 0;
    r->body_too_long = false;
    const struct {
        char *to;
        size_t capacity;
        const char *name;
    } headers[] = {
        {r->content_type, sizeof r->content_type, "Content-Type"},
        {r->authorization, sizeof r->authorization, "Authorization"},
        {r->if_match, sizeof r->if_match, "If-Match"},
        {r->host, sizeof r->host, "Host"},
        {r->origin, sizeof r->origin, "Origin"},
    };
    bool fits = copy_text(r->path, sizeof r->path, url);

    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        fits = copy_header(slot, headers[i].to, headers[i].capacity, headers[i].name) && fits;
    r->head_too_long = !fits;
    plain_type(r->content_type);
    copy_peer(connection, r->peer, sizeof r->peer);
    return slot;
}

/* Too long is told at once, without the rest of the body, whose size the head may say. */
static bool announces_too_much(struct MHD_Connection *connection)
{
    const char *text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

    return text && strtoull(text, NULL, 10) > TDM_HTTP_BODY_MAX;
}

static void make_whole(struct tdm_http *http, struct slot *slot)
{
    slot->state = WHOLE;
    slot->order = http->next_order++;
    set_due(http, slot->connection, TDM_NEVER);
    MHD_suspend_connection(slot->connection);
}

static enum MHD_Result take_body(struct slot *slot, const char *data, size_t size)
{
    struct tdm_http_request *r = &slot->request;

    if (r->body_too_long || size > sizeof r->body - r->body_size) {
        if (r->body_too_long)
            return MHD_NO; /* It was told, or never ends. */
        r->body_too_long = true;
        return MHD_YES;
    }
    memcpy(r->body + r->body_size, data, size);
    r->body_size += size;
    return MHD_YES;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    struct tdm_http *http = arg;
    struct slot *slot = *state;

    (void)version;
    if (!slot) {
        *state = slot = begin(http, connection, url, method);
        if (!slot)
            return MHD_NO;
        if (!announces_too_much(connection))
            return MHD_YES;
        slot->request.body_too_long = true;
        make_whole(http, slot);
        return MHD_YES;
    }
    if (slot->state == ANSWERED && !slot->queued) {
        slot->queued = true;
        return MHD_queue_response(connection, slot->status, slot->response);
    }
    if (slot->state != COMING)
        return MHD_YES;
    if (*size) {
        enum MHD_Result result = take_body(slot, data, *size);

        *size = 0;
        return result;
    }
    make_whole(http, slot);
    return MHD_YES;
}

/* The request is over, answered or not. */
static void completed(void *arg, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode how)
{
    struct slot *slot = *state;

    (void)how;
    if (slot) {
        if (slot->response)
            MHD_destroy_response(slot->response);
        slot->state = FREE;
    }
    *state = NULL;
    set_due(arg, connection, tdm_clock_now() + TDM_HTTP_REQUEST_TIME);
}

static void connected(void *arg, struct MHD_Connection *connection, void **state,
                      enum MHD_ConnectionNotificationCode what)
{
    struct tdm_http *http = arg;
    struct client *client =
        client_of(http, what == MHD_CONNECTION_NOTIFY_STARTED ? NULL : connection);

    (void)state;
    if (!client)
        return;
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *client = (struct client){connection, tdm_clock_now() + TDM_HTTP_REQUEST_TIME};
    else
        client->connection = NULL;
}

/* The library's own timeout begins anew with every byte; one byte now and then would do. */
static void drop_the_slow(struct tdm_http *http)
{
    tdm_time now = tdm_clock_now();

    for (int i = 0; i < TDM_HTTP_CONNECTIONS_MAX; i++) {
        struct client *client = &http->clients[i];
        const union MHD_ConnectionInfo *info =
            client->connection && now >= client->due
                ? MHD_get_connection_info(client->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                : NULL;

        if (!info)
            continue;
        client->due = TDM_NEVER;
        (void)shutdown(info->connect_fd, SHUT_RDWR);
    }
}

static enum tdm_err watch(struct tdm_http *http, struct tdm_cause *cause)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct itimerspec every = {.it_interval.tv_nsec = LOOK_EVERY_MS * TDM_MS,
                               .it_value.tv_nsec = LOOK_EVERY_MS * TDM_MS};
    int fds[3];

    http->wake = tdm_wake_open(cause);
    http->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    http->fd = epoll_create1(EPOLL_CLOEXEC);
    fds[0] = info ? info->epoll_fd : -1;
    fds[1] = http->timer;
    fds[2] = http->wake;
    bool done = timerfd_settime(http->timer, 0, &every, NULL) == 0;

    for (int i = 0; i < 3; i++)
        done = done && epoll_ctl(http->fd, EPOLL_CTL_ADD, fds[i],
                                 &(struct epoll_event){.events = EPOLLIN, .data.fd = fds[i]}) == 0;
    return done ? TDM_OK
                : tdm_fail(cause, TDM_E_SYSTEM,
                           "cannot watch the HTTP server's sockets (%s): raise the open file limit "
                           "(ulimit -n)",
                           strerrordesc_np(errno));
}

static bool address_of(const struct tdm_http_config *config, struct sockaddr_storage *to)
{
    const char *text = config->address ? config->address : "127.0.0.1";
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)to;

    memset(to, 0, sizeof *to);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(config->port);
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(config->port);
    return true;
}

static enum tdm_err start(struct tdm_http *http, const struct tdm_http_config *config,
                          struct tdm_cause *cause)
{
    struct sockaddr_storage address;
    bool secure = config->certificate && config->key;
    struct MHD_OptionItem options[4] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;

    if (!address_of(config, &address))
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "\"%s\" is no address to listen on: give a number, "
                        "like 127.0.0.1",
                        config->address);
    if (address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    if (secure) {
        flags |= MHD_USE_TLS;
        options[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                             (void *)(uintptr_t)config->certificate};
        options[1] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)config->key};
        options[2] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    http->daemon = MHD_start_daemon(
        flags, config->port, NULL, NULL, handle, http, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)TDM_HTTP_CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_A_PEER,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_BYTES, MHD_OPTION_NOTIFY_COMPLETED, completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, connected, http, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (!http->daemon)
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot listen for HTTP on port %u%s: choose another",
                        config->port,
                        secure ? ", or the certificate and key do not fit each other" : "");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);

    http->port = info ? info->port : config->port;
    return watch(http, cause);
}

enum tdm_err tdm_http_open(struct tdm_http **out, const struct tdm_http_config *config,
                           struct tdm_cause *cause)
{
    struct tdm_http *http = calloc(1, sizeof *http);

    if (!http)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for the HTTP server");
    http->fd = http->timer = http->wake = -1;
    enum tdm_err err = start(http, config, cause);

    if (err == TDM_OK)
        *out = http;
    else
        tdm_http_close(http);
    return err;
}

/* A suspended connection must be resumed before the end. */
static void resume_all(struct tdm_http *http)
{
    static const struct tdm_http_response over = {.status = MHD_HTTP_SERVICE_UNAVAILABLE};

    for (int i = 0; i < TDM_HTTP_CONNECTIONS_MAX; i++)
        if (http->slots[i].state == WHOLE || http->slots[i].state == WAITING) {
            http->slots[i].state = WAITING;
            (void)tdm_http_answer(http, http->slots[i].request.id, &over);
        }
    (void)MHD_run(http->daemon);
}

void tdm_http_close(struct tdm_http *http)
{
    if (!http)
        return;
    if (http->daemon) {
        resume_all(http);
        MHD_stop_daemon(http->daemon);
    }
    if (http->fd >= 0)
        (void)close(http->fd);
    if (http->timer >= 0)
        (void)close(http->timer);
    if (http->wake >= 0)
        (void)close(http->wake);
    free(http);
}

uint16_t tdm_http_port(const struct tdm_http *http)
{
    return http->port;
}

int tdm_http_fd(const struct tdm_http *http)
{
    return http->fd;
}

void tdm_http_poke(struct tdm_http *http)
{
    tdm_wake_signal(http->wake);
}

static struct slot *oldest(struct tdm_http *http)
{
    struct slot *found = NULL;

    for (int i = 0; i < TDM_HTTP_CONNECTIONS_MAX; i++)
        if (http->slots[i].state == WHOLE && (!found || http->slots[i].order < found->order))
            found = &http->slots[i];
    return found;
}

enum tdm_err tdm_http_next(struct tdm_http *http, const struct tdm_http_request **request)
{
    uint64_t ticks;

    tdm_wake_clear(http->wake);
    if (read(http->timer, &ticks, sizeof ticks) == (ssize_t)sizeof ticks)
        drop_the_slow(http);
    (void)MHD_run(http->daemon);
    struct slot *slot = oldest(http);

    if (!slot)
        return TDM_E_AGAIN;
    slot->state = WAITING;
    *request = &slot->request;
    return TDM_OK;
}

static struct slot *waiting(struct tdm_http *http, uint32_t id)
{
    for (int i = 0; i < TDM_HTTP_CONNECTIONS_MAX; i++)
        if (http->slots[i].state == WAITING && http->slots[i].request.id == id)
            return &http->slots[i];
    return NULL;
}

enum tdm_err tdm_http_answer(struct tdm_http *http, uint32_t id,
                             const struct tdm_http_response *response)
{
    struct slot *slot = waiting(http, id);

    if (!slot)
        return TDM_E_GONE;
    slot->status = response->status;
    slot->response = MHD_create_response_from_buffer(
        response->body_size, (void *)(uintptr_t)response->body,
        response->body_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
    if (slot->response && response->content_type)
        (void)MHD_add_response_header(slot->response, "Content-Type", response->content_type);
    for (uint8_t i = 0; slot->response && i < response->header_count; i++)
        (void)MHD_add_response_header(slot->response, response->headers[i].name,
                                      response->headers[i].value);
    slot->state = ANSWERED;
    MHD_resume_connection(slot->connection);
    tdm_wake_signal(http->wake);
    return slot->response ? TDM_OK : TDM_E_SYSTEM;
}
