/* SPDX-License-Identifier: MIT */
/*
 * srtp_bench [--json FILE] [--rounds N]: packets a second of one core (by the CPU time of the
 * thread, so that a busy machine counts less), protected and sent as the net thread does it, beside
 * what bounds it, in the same run: the kernel alone (sendmmsg, and one send of many segments by
 * UDP_SEGMENT) and libsrtp2 alone. And the way in. Packets go through loopback to a socket that
 * nobody reads while sending is timed, so the kernel's part holds its receive path up to the full
 * buffer, too. All rows take turns in each round.
 */
#include "engine/io/clock.h"
#include "engine/io/srtp.h"
#include "engine/io/udp.h"

#include <errno.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH      TDM_UDP_BATCH
#define SLOT       1280
#define ROUNDS_MAX 99
#define HEADER     12

struct bench {
    struct tdm_udp out, in;
    struct tdm_address to, from; /* from: the kernel's choice. */
    struct sockaddr_storage kernel_to;
    socklen_t kernel_to_size;
    size_t size;
    uint16_t seq, heard_seq, library_seq;
    struct tdm_srtp *srtp;         /* What is sent away, */
    struct tdm_srtp *heard, *peer; /* and what is also opened. */
    srtp_t library;
    uint8_t plain[BATCH][SLOT], packets[BATCH][SLOT], together[BATCH * SLOT];
    struct tdm_udp_batch batch;
};

struct row {
    const char *name;
    void (*run)(struct bench *b, tdm_time *spent); /* One batch. */
    double kpps[ROUNDS_MAX];
};

static void die(const char *what)
{
    fprintf(stderr, "srtp_bench: %s (%s)\n", what, strerror(errno));
    exit(2);
}

static tdm_time cpu_now(void)
{
    tdm_time user;

    return tdm_clock_thread_cpu(&user);
}

static void number(struct bench *b, uint16_t *seq)
{
    for (int i = 0; i < BATCH; i++, ++*seq) {
        b->plain[i][2] = (uint8_t)(*seq >> 8);
        b->plain[i][3] = (uint8_t)*seq;
    }
}

/* As it was before the kernel could cut: one message a datagram. */
static void send_each(struct bench *b, size_t size)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];

    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){b->packets[i], size};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &b->kernel_to,
                                                   .msg_namelen = b->kernel_to_size,
                                                   .msg_iov = &parts[i],
                                                   .msg_iovlen = 1}};
    }
    if (sendmmsg(b->out.fd, messages, BATCH, 0) != BATCH)
        die("the kernel took too few datagrams");
}

static void send_all(struct bench *b, size_t size)
{
    struct tdm_udp_piece pieces[BATCH];

    for (int i = 0; i < BATCH; i++)
        pieces[i] = (struct tdm_udp_piece){b->packets[i], size};
    if (tdm_udp_send(&b->out, &b->from, &b->to, pieces, BATCH) != BATCH)
        die("the kernel took too few datagrams");
}

/* One call, one address look-up and one way through the stack for many datagrams of one size. */
static void send_segments(struct bench *b, size_t size)
{
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr align;
    } control = {0};
    size_t most = 65000 / size < BATCH ? 65000 / size : BATCH;

    for (size_t first = 0; first < BATCH; first += most) {
        size_t count = BATCH - first < most ? BATCH - first : most;
        struct iovec piece = {b->together + first * size, count * size};
        struct msghdr message = {.msg_name = &b->kernel_to,
                                 .msg_namelen = b->kernel_to_size,
                                 .msg_iov = &piece,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof control.bytes};
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        uint16_t segment = (uint16_t)size;

        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof segment);
        memcpy(CMSG_DATA(c), &segment, sizeof segment);
        if (sendmsg(b->out.fd, &message, 0) < 0)
            die("UDP_SEGMENT");
    }
}

static void kernel_alone(struct bench *b, tdm_time *spent)
{
    tdm_time start = cpu_now();

    send_each(b, b->size + 16);
    *spent += cpu_now() - start;
}

static void kernel_segments(struct bench *b, tdm_time *spent)
{
    tdm_time start = cpu_now();

    send_segments(b, b->size + 16);
    *spent += cpu_now() - start;
}

static void library_alone(struct bench *b, tdm_time *spent)
{
    number(b, &b->library_seq);
    tdm_time start = cpu_now();

    for (int i = 0; i < BATCH; i++) {
        int size = (int)b->size;

        memcpy(b->packets[i], b->plain[i], b->size);
        if (srtp_protect(b->library, b->packets[i], &size) != srtp_err_status_ok)
            die("srtp_protect");
    }
    *spent += cpu_now() - start;
}

static void protect_into(const struct bench *b, struct tdm_srtp *srtp, uint8_t *packets,
                         size_t stride)
{
    for (size_t i = 0; i < BATCH; i++) {
        size_t size = b->size;

        memcpy(packets + i * stride, b->plain[i], size);
        if (tdm_srtp_protect(srtp, false, packets + i * stride, &size) != TDM_OK)
            die("tdm_srtp_protect");
    }
}

static void ours_alone(struct bench *b, tdm_time *spent)
{
    number(b, &b->seq);
    tdm_time start = cpu_now();

    protect_into(b, b->srtp, b->packets[0], SLOT);
    *spent += cpu_now() - start;
}

static void ours_sent(struct bench *b, tdm_time *spent)
{
    number(b, &b->seq);
    tdm_time start = cpu_now();

    protect_into(b, b->srtp, b->packets[0], SLOT);
    send_all(b, b->size + 16);
    *spent += cpu_now() - start;
}

static void ours_sent_each(struct bench *b, tdm_time *spent)
{
    number(b, &b->seq);
    tdm_time start = cpu_now();

    protect_into(b, b->srtp, b->packets[0], SLOT);
    send_each(b, b->size + 16);
    *spent += cpu_now() - start;
}

static void empty(struct bench *b)
{
    while (tdm_udp_receive(&b->in, tdm_clock_now(), &b->batch) == TDM_OK)
        ;
}

static void kernel_receives(struct bench *b, tdm_time *spent)
{
    empty(b);
    send_all(b, b->size + 16);
    tdm_time start = cpu_now();

    if (tdm_udp_receive(&b->in, tdm_clock_now(), &b->batch) != TDM_OK || b->batch.count != BATCH)
        die("loopback lost a datagram");
    *spent += cpu_now() - start;
}

static void ours_receives(struct bench *b, tdm_time *spent)
{
    empty(b);
    number(b, &b->heard_seq);
    protect_into(b, b->heard, b->packets[0], SLOT);
    send_all(b, b->size + 16);
    tdm_time start = cpu_now();

    if (tdm_udp_receive(&b->in, tdm_clock_now(), &b->batch) != TDM_OK || b->batch.count != BATCH)
        die("loopback lost a datagram");
    for (int i = 0; i < BATCH; i++) {
        size_t size = b->batch.datagrams[i].size;

        if (tdm_srtp_unprotect(b->peer, false, b->batch.bytes[i], &size) != TDM_OK ||
            memcmp(b->batch.bytes[i], b->plain[i], b->size) != 0)
            die("tdm_srtp_unprotect");
    }
    *spent += cpu_now() - start;
}

static struct row rows[] = {
    {.name = "kernel: sendmmsg", .run = kernel_alone},
    {.name = "kernel: UDP_SEGMENT", .run = kernel_segments},
    {.name = "libsrtp2: protect", .run = library_alone},
    {.name = "engine: protect", .run = ours_alone},
    {.name = "engine: protect, one by one", .run = ours_sent_each},
    {.name = "engine: protect and send", .run = ours_sent},
    {.name = "kernel: recvmmsg", .run = kernel_receives},
    {.name = "engine: recvmmsg, unprotect", .run = ours_receives},
};
#define ROWS (sizeof rows / sizeof *rows)

static void open_crypto(struct bench *b)
{
    struct tdm_srtp_keys keys = {.profile = TDM_SRTP_AEAD_AES_128_GCM, .size = 28}, other = keys;
    srtp_policy_t policy = {.ssrc = {ssrc_any_outbound, 0}, .key = keys.local, .window_size = 1024};
    struct tdm_cause cause;

    for (uint8_t i = 0; i < keys.size; i++)
        keys.local[i] = other.remote[i] = i;
    if (tdm_srtp_create(&b->srtp, &keys, &cause) != TDM_OK ||
        tdm_srtp_create(&b->heard, &keys, &cause) != TDM_OK ||
        tdm_srtp_create(&b->peer, &other, &cause) != TDM_OK)
        die(cause.text);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    if (srtp_create(&b->library, &policy) != srtp_err_status_ok)
        die("srtp_create");
}

static void open_sockets(struct bench *b)
{
    struct tdm_udp ours[2], theirs[2];
    struct tdm_cause cause;

    if (tdm_udp_open_pair("127.0.0.1", 0, 0, ours, &cause) != TDM_OK ||
        tdm_udp_open_pair("127.0.0.1", 0, 0, theirs, &cause) != TDM_OK ||
        tdm_address_parse(&b->to, "127.0.0.1", theirs[0].port) != TDM_OK ||
        !tdm_udp_sockaddr(&b->to, ours[0].family, &b->kernel_to, &b->kernel_to_size))
        die(cause.text);
    b->out = ours[0];
    b->in = theirs[0];
    tdm_udp_close(&ours[1]);
    tdm_udp_close(&theirs[1]);
}

static void write_packets(struct bench *b, size_t size)
{
    b->size = size;
    for (size_t i = 0; i < BATCH; i++) {
        const uint8_t head[HEADER] = {0x80, 96, 0, 0, 0, 0, 9, 9, 0x12, 0x34, 0xab, 0xcd};

        memcpy(b->plain[i], head, HEADER);
        for (size_t k = HEADER; k < size; k++)
            b->plain[i][k] = (uint8_t)(k * 13 + i);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(FILE *json, size_t size, int rounds, bool first)
{
    printf("\n%zu-byte packets, AEAD_AES_128_GCM, batches of %d: thousand packets a second\n", size,
           BATCH);
    printf("  %-30s %8s %8s %8s\n", "", "min", "median", "max");
    for (size_t r = 0; r < ROWS; r++) {
        double *v = rows[r].kpps;

        qsort(v, (size_t)rounds, sizeof *v, by_value);
        printf("  %-30s %8.0f %8.0f %8.0f\n", rows[r].name, v[0], v[rounds / 2], v[rounds - 1]);
        if (json)
            (void)fprintf(json,
                          "%s\n    {\"bytes\": %zu, \"row\": \"%s\", \"min_kpps\": %.1f, "
                          "\"median_kpps\": %.1f, \"max_kpps\": %.1f}",
                          first && r == 0 ? "" : ",", size, rows[r].name, v[0], v[rounds / 2],
                          v[rounds - 1]);
    }
}

static void measure(struct bench *b, int rounds, int batches)
{
    for (int round = 0; round < rounds; round++)
        for (size_t r = 0; r < ROWS; r++) {
            tdm_time spent = 0;

            for (int i = 0; i < batches; i++)
                rows[r].run(b, &spent);
            rows[r].kpps[round] = (double)batches * BATCH / ((double)spent / 1e6);
        }
}

int main(int argc, char **argv)
{
    static struct bench b;
    const size_t sizes[] = {1200, 172};
    int rounds = 15;
    FILE *json = NULL;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rounds") == 0)
            rounds = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--json") == 0)
            json = fopen(argv[i + 1], "w");
    }
    if (rounds < 1 || rounds > ROUNDS_MAX || argc % 2 == 0) {
        fprintf(stderr, "usage: srtp_bench [--rounds 1-%d] [--json FILE]\n", ROUNDS_MAX);
        return 2;
    }
    open_crypto(&b);
    open_sockets(&b);
    if (json)
        (void)fprintf(json, "{\"bench\": \"srtp\", \"rounds\": %d, \"rows\": [", rounds);
    for (size_t s = 0; s < 2; s++) {
        write_packets(&b, sizes[s]);
        measure(&b, rounds, 600);
        report(json, sizes[s], rounds, s == 0);
    }
    if (json && (fprintf(json, "\n]}\n") < 0 || fclose(json) != 0))
        die("cannot write the report");
    tdm_srtp_destroy(b.srtp);
    tdm_srtp_destroy(b.heard);
    tdm_srtp_destroy(b.peer);
    (void)srtp_dealloc(b.library);
    return 0;
}
