/* SPDX-License-Identifier: MIT */
/*
 * tls_bench [ROUNDS]: bytes a second from one thread to another over TCP on loopback, for several
 * sizes of what is written at once: plain, as the kernel takes it, and through TLS 1.3 as the data
 * channel has it, in the same run.
 */
#include "engine/io/clock.h"
#include "engine/io/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES      ((size_t)512 * 1024 * 1024)
#define PIECE_MAX  ((size_t)256 * 1024)
#define ROUNDS_MAX 99

struct side {
    int fd;
    struct tdm_tls *tls; /* NULL: plain. */
    size_t piece;
};

static void die(const char *what)
{
    fprintf(stderr, "tls_bench: %s (%s)\n", what, strerror(errno));
    exit(2);
}

static void connect_pair(int fds[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (listener < 0 || bind(listener, (struct sockaddr *)&at, size) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&at, &size) != 0)
        die("no listener");
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fds[0], (struct sockaddr *)&at, size) != 0)
        die("no connection");
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    (void)close(listener);
    for (int i = 0; i < 2; i++)
        if (setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
            fcntl(fds[i], F_SETFL, O_NONBLOCK) != 0)
            die("socket options");
}

static void wait_for(const struct side *s, short events)
{
    struct pollfd p = {.fd = s->fd, .events = events};

    if (poll(&p, 1, -1) < 0)
        die("poll");
}

static size_t put(const struct side *s, const uint8_t *data, size_t size)
{
    if (s->tls) {
        enum tdm_err err = tdm_tls_write(s->tls, data, &size);

        if (err != TDM_OK && err != TDM_E_AGAIN)
            die("tdm_tls_write");
        return size;
    }
    ssize_t sent = send(s->fd, data, size, MSG_NOSIGNAL);

    if (sent < 0 && errno != EAGAIN)
        die("send");
    return sent < 0 ? 0 : (size_t)sent;
}

static size_t get(const struct side *s, uint8_t *data, size_t size)
{
    if (s->tls) {
        enum tdm_err err = tdm_tls_read(s->tls, data, &size);

        if (err != TDM_OK && err != TDM_E_AGAIN)
            die("tdm_tls_read");
        return size;
    }
    ssize_t got = recv(s->fd, data, size, 0);

    if (got < 0 && errno != EAGAIN)
        die("recv");
    return got < 0 ? 0 : (size_t)got;
}

static void *write_all(void *arg)
{
    const struct side *s = arg;
    static uint8_t bytes[PIECE_MAX];
    size_t sent = 0, offset = 0;

    while (sent < BYTES) {
        size_t taken = put(s, bytes + offset, s->piece - offset);

        sent += taken;
        offset = (offset + taken) % s->piece;
        if (taken == 0)
            wait_for(s, POLLOUT);
    }
    return NULL;
}

static void read_all(const struct side *s)
{
    static uint8_t bytes[PIECE_MAX];
    size_t got = 0;

    while (got < BYTES) {
        size_t size = get(s, bytes, sizeof bytes);

        got += size;
        if (size == 0)
            wait_for(s, POLLIN);
    }
}

static void open_tls(struct side sides[2], struct tdm_identity *const ids[2])
{
    struct tdm_cause cause;
    enum tdm_err results[2] = {TDM_E_AGAIN, TDM_E_AGAIN};

    for (int i = 0; i < 2; i++) {
        struct tdm_tls_config config = {
            .fd = sides[i].fd, .client = i == 0, .identity = ids[i], .fingerprint_count = 1};

        config.fingerprints[0] =
            (struct tdm_fingerprint_desc){.hash = "sha-256", .size = TDM_FINGERPRINT_BYTES};
        memcpy(config.fingerprints[0].bytes, tdm_identity_fingerprint(ids[!i]),
               TDM_FINGERPRINT_BYTES);
        if (tdm_tls_create(&sides[i].tls, &config, &cause) != TDM_OK)
            die(cause.text);
    }
    while (results[0] == TDM_E_AGAIN || results[1] == TDM_E_AGAIN)
        for (int i = 0; i < 2; i++)
            results[i] = tdm_tls_handshake(sides[i].tls, &cause);
    if (results[0] != TDM_OK || results[1] != TDM_OK)
        die(cause.text);
}

static double run(size_t piece, struct tdm_identity *const ids[2])
{
    struct side sides[2] = {{.piece = piece}, {.piece = piece}};
    int fds[2];
    pthread_t writer;

    connect_pair(fds);
    sides[0].fd = fds[0];
    sides[1].fd = fds[1];
    if (ids)
        open_tls(sides, ids);
    tdm_time start = tdm_clock_now();

    if (pthread_create(&writer, NULL, write_all, &sides[0]) != 0)
        die("no thread");
    read_all(&sides[1]);
    tdm_time spent = tdm_clock_now() - start;

    (void)pthread_join(writer, NULL);
    for (int i = 0; i < 2; i++) {
        tdm_tls_destroy(sides[i].tls);
        if (!ids)
            (void)close(fds[i]);
    }
    return (double)BYTES / (double)spent;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static const size_t pieces[] = {4096, 16384, 65536, PIECE_MAX};
    enum { PIECES = sizeof pieces / sizeof *pieces };
    static double speed[PIECES][2][ROUNDS_MAX];
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 5;
    struct tdm_identity *ids[2];
    struct tdm_cause cause;

    if (rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    for (int i = 0; i < 2; i++)
        if (tdm_identity_load(NULL, &ids[i], &cause) != TDM_OK)
            die(cause.text);
    for (long r = 0; r < rounds; r++)
        for (size_t p = 0; p < PIECES; p++)
            for (int way = 0; way < 2; way++)
                speed[p][way][r] = run(pieces[p], way ? ids : NULL);
    printf("loopback, GB/s         min  median     max\n");
    for (size_t p = 0; p < PIECES; p++)
        for (int way = 0; way < 2; way++) {
            double *v = speed[p][way];

            qsort(v, (size_t)rounds, sizeof *v, by_value);
            printf("%-5s %6zu bytes %8.2f%8.2f%8.2f\n", way ? "TLS" : "plain", pieces[p], v[0],
                   v[rounds / 2], v[rounds - 1]);
        }
    tdm_identity_free(ids[0]);
    tdm_identity_free(ids[1]);
    return 0;
}
