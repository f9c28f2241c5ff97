/* SPDX-License-Identifier: MIT */
#include "tests/live/between.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void between_replace(char *text, size_t capacity, const char *from, const char *to)
{
    char rest[BETWEEN_MESSAGE_MAX];

    for (char *at = strstr(text, from); at; at = strstr(at + strlen(to), from)) {
        size_t size = strlen(at + strlen(from)) + 1;

        assert((size_t)(at - text) + strlen(to) + size <= capacity);
        memcpy(rest, at + strlen(from), size);
        memcpy(at, to, strlen(to));
        memcpy(at + strlen(to), rest, size);
    }
}

void between_drop_lines(char *text, const char *start)
{
    for (char *at = strstr(text, start); at; at = strstr(at, start)) {
        char *end = strchr(at, '\n');

        memmove(at, end ? end + 1 : at + strlen(at), strlen(end ? end + 1 : "") + 1);
    }
}

/* What comes later in the dialog passes here, too. */
static size_t keep_between(const struct between *m, char *message)
{
    char *contact = strstr(message, "\r\nContact:");
    char *line_end = contact ? strstr(contact + 2, "\r\n") : NULL;
    char *port = contact ? strstr(contact, "@127.0.0.1:") : NULL;
    char said[32], own[32];

    if (port && port < line_end) {
        (void)snprintf(said, sizeof said, "@127.0.0.1:%ld", strtol(port + 11, NULL, 10));
        (void)snprintf(own, sizeof own, "@127.0.0.1:%u", m->port);
        between_replace(contact, BETWEEN_MESSAGE_MAX - (size_t)(contact - message), said, own);
    }
    return strlen(message);
}

static size_t forward(struct between *m, char *message, size_t size, bool from_a)
{
    char head[2000], body[BETWEEN_MESSAGE_MAX];
    char *split;

    message[size] = 0;
    split = strstr(message, "\r\n\r\n");
    if (!split || !split[4])
        return size;
    memcpy(body, split + 4, strlen(split + 4) + 1);
    m->change(body, sizeof body, from_a);
    if (strcmp(body, split + 4) == 0)
        return size;
    atomic_fetch_add(&m->changed, 1);
    split[2] = 0;
    assert(strlen(message) < sizeof head);
    memcpy(head, message, strlen(message) + 1);
    between_drop_lines(head, "Content-Length:");
    int head_size = snprintf(message, BETWEEN_MESSAGE_MAX, "%.2000sContent-Length: %zu\r\n\r\n",
                             head, strlen(body));

    assert(head_size > 0 && (size_t)head_size + strlen(body) < BETWEEN_MESSAGE_MAX);
    memcpy(message + head_size, body, strlen(body) + 1);
    return (size_t)head_size + strlen(body);
}

static void *pass_on(void *arg)
{
    struct between *m = arg;

    while (!atomic_load(&m->stop)) {
        struct pollfd fd = {.fd = m->fd, .events = POLLIN};
        struct sockaddr_in from = {0}, to;
        socklen_t from_size = sizeof from;
        char *message = m->message;

        if (poll(&fd, 1, 20) <= 0)
            continue;
        ssize_t got = recvfrom(m->fd, message, BETWEEN_MESSAGE_MAX - 64, 0,
                               (struct sockaddr *)&from, &from_size);

        if (got <= 0)
            continue;
        bool from_a = ntohs(from.sin_port) != m->b_port;

        message[got] = 0;
        if (from_a && strstr(message, "SIP/2.0")) /* Not a keep-alive from another port. */
            m->a = from;
        to = m->a;
        if (from_a)
            to.sin_port = htons(m->b_port);
        size_t size = forward(m, message, keep_between(m, message), from_a);

        (void)sendto(m->fd, message, size, 0, (struct sockaddr *)&to, sizeof to);
    }
    return NULL;
}

void between_open(struct between *m, uint16_t b_port, between_fn *change)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof local;

    memset(m, 0, sizeof *m);
    m->change = change;
    m->b_port = b_port;
    m->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (m->fd < 0 || bind(m->fd, (struct sockaddr *)&local, sizeof local) != 0 ||
        getsockname(m->fd, (struct sockaddr *)&local, &size) != 0)
        abort();
    m->port = ntohs(local.sin_port);
    if (pthread_create(&m->thread, NULL, pass_on, m) != 0)
        abort();
}

void between_close(struct between *m)
{
    atomic_store(&m->stop, true);
    (void)pthread_join(m->thread, NULL);
    (void)close(m->fd);
}
