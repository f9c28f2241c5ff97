/* SPDX-License-Identifier: MIT */
/*
 * One side of a transfer over plain loopback TCP, for tests that kill it: `file_peer send PORT
 * PATH...` connects until all files are there; `file_peer get PORT DIR` listens, and takes all that
 * is offered. A record is content:u8 size:u16 bytes.
 */
#include "engine/io/file_session.h"
#include "engine/io/wake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD 16384
#define HELD   (1 << 17)

static const uint8_t the_other[TDM_FILES_PEER_BYTES] = "whoever is at the other end";

struct peer {
    struct tdm_file_session *session;
    int listener, fd, wake;
    struct sockaddr_in to;
    bool sending, done;
    int left; /* Of ours, that have not ended. */
    int exit_code;
    uint8_t in[HELD];
    size_t in_size;
    uint8_t out[RECORD + 3];
    size_t out_size, out_at;
    bool turn; /* Whose stream is next. */
};

static void signal_wake(void *arg)
{
    tdm_wake_signal(((struct peer *)arg)->wake);
}

static void drop(struct peer *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
    p->in_size = p->out_size = p->out_at = 0;
    tdm_file_session_link(p->session, NULL);
}

static void stand(struct peer *p, int fd)
{
    if (fd < 0)
        return;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    p->fd = fd;
    tdm_file_session_link(p->session, the_other);
}

static void link_up(struct peer *p)
{
    int fd;

    if (!p->sending) {
        stand(p, accept4(p->listener, NULL, NULL, SOCK_CLOEXEC));
        return;
    }
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&p->to, sizeof p->to) == 0) {
        stand(p, fd);
        return;
    }
    (void)close(fd);
}

static void take(struct peer *p)
{
    ssize_t got =
        p->in_size == sizeof p->in ? 0 : read(p->fd, p->in + p->in_size, sizeof p->in - p->in_size);

    if (p->in_size < sizeof p->in && (got == 0 || (got < 0 && errno != EAGAIN))) {
        drop(p);
        return;
    }
    p->in_size += got > 0 ? (size_t)got : 0;
    while (p->in_size >= 3) {
        size_t size = (size_t)(p->in[1] << 8 | p->in[2]), there = p->in_size - 3;
        size_t offer = there < size ? there : size;
        size_t taken = offer ? tdm_file_session_take(p->session, p->in[0], p->in + 3, offer) : 0;

        size -= taken;
        p->in[1] = (uint8_t)(size >> 8);
        p->in[2] = (uint8_t)size;
        memmove(p->in + 3, p->in + 3 + taken, p->in_size - 3 - taken);
        p->in_size -= taken;
        if (size)
            return;
        memmove(p->in, p->in + 3, p->in_size - 3);
        p->in_size -= 3;
    }
}

static bool give(struct peer *p)
{
    if (p->out_at == p->out_size) {
        bool content = !tdm_file_session_has(p->session, false);
        size_t size = tdm_file_session_fill(p->session, content, p->out + 3, RECORD);

        if (!size)
            return false;
        p->out[0] = content;
        p->out[1] = (uint8_t)(size >> 8);
        p->out[2] = (uint8_t)size;
        p->out_at = 0;
        p->out_size = size + 3;
    }
    ssize_t put = send(p->fd, p->out + p->out_at, p->out_size - p->out_at, MSG_NOSIGNAL);

    if (put < 0 && errno != EAGAIN) {
        drop(p);
        return false;
    }
    p->out_at += put > 0 ? (size_t)put : 0;
    return put > 0;
}

static void follow(struct peer *p)
{
    struct tdm_file_session_event e;
    const char *why;

    if (!tdm_file_session_turn(p->session, &why)) {
        printf("protocol: %s\n", why);
        exit(3);
    }
    while (tdm_file_session_next(p->session, &e)) {
        if (e.kind == TDM_FILE_SESSION_OFFERED)
            tdm_file_session_wish(p->session, TDM_FILES_ACCEPT, e.transfer);
        if (e.kind != TDM_FILE_SESSION_ENDED && e.kind != TDM_FILE_SESSION_NO_FILE)
            continue;
        printf("%s: %s %s%s\n", e.kind == TDM_FILE_SESSION_ENDED ? tdm_file_end_name(e.end) : "no",
               e.desc.name, e.name, e.cause.text);
        (void)fflush(stdout);
        p->done = p->sending && --p->left == 0;
        p->exit_code |= e.end == TDM_FILE_END_DONE ? 0 : 1;
    }
}

static bool listen_on(struct peer *p)
{
    int on = 1;

    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(p->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(p->listener, (struct sockaddr *)&p->to, sizeof p->to) == 0 &&
           listen(p->listener, 4) == 0;
}

static bool add_all(struct peer *p, char **paths)
{
    for (int i = 0; i < p->left; i++)
        if (tdm_file_session_add(p->session, (uint32_t)i, paths[i]) != TDM_OK)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    struct peer *p = calloc(1, sizeof *p);
    struct tdm_cause cause = {""};

    if (argc < 4 || !p) {
        free(p);
        return 2;
    }
    p->sending = strcmp(argv[1], "send") == 0;
    p->left = argc - 3;
    p->fd = p->listener = -1;
    p->wake = tdm_wake_open(&cause);
    p->to = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct tdm_file_session_config config = {
        .store = {.dir = p->sending ? "." : argv[3],
                  .origin = "sip:paul@10.0.0.7",
                  .wake = signal_wake,
                  .wake_arg = p},
        .core = {.seed = (uint64_t)getpid()},
    };

    if ((!p->sending && !listen_on(p)) ||
        tdm_file_session_create(&p->session, &config, &cause) != TDM_OK ||
        (p->sending && !add_all(p, argv + 3))) {
        printf("%s\n", cause.text);
        free(p);
        return 2;
    }
    while (!p->done) {
        struct pollfd fds[] = {
            {.fd = p->wake, .events = POLLIN},
            {.fd = p->fd < 0 ? p->listener : p->fd,
             .events = (short)((p->in_size < sizeof p->in ? POLLIN : 0) |
                               (p->fd >= 0 && (p->out_at < p->out_size ||
                                               tdm_file_session_has(p->session, false) ||
                                               tdm_file_session_has(p->session, true))
                                    ? POLLOUT
                                    : 0))},
        };

        (void)poll(fds, 2, 10);
        tdm_wake_clear(p->wake);
        follow(p);
        if (p->fd < 0) {
            if (p->sending || fds[1].revents)
                link_up(p);
            continue;
        }
        take(p);
        for (int i = 0; i < 64 && p->fd >= 0 && give(p); i++)
            follow(p);
    }
    /* The last word, that the file is there, came from the other side; nothing is left to say. */
    tdm_file_session_destroy(p->session);
    int code = p->exit_code;

    free(p);
    return code;
}
