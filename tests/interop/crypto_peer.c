/* SPDX-License-Identifier: MIT */
/*
 * crypto_peer dtls|tls client|server PORT IDENTITY FINGERPRINT: our DTLS or TLS over a socket on
 * loopback, with another program at the other end. FINGERPRINT: 64 hexadecimal digits. Prints what
 * was agreed (of DTLS: "keys PROFILE LOCAL REMOTE"), then each line that comes, and sends it back
 * with "echo " before it. Ends with the other side, with 1 when the handshake fails.
 */
#include "engine/io/clock.h"
#include "engine/io/dtls.h"
#include "engine/io/tcp.h"
#include "engine/io/tls.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE (5 * TDM_S)

static void die(const char *why)
{
    printf("failed: %s\n", why);
    exit(1);
}

static void print_hex(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
}

static void send_datagram(void *arg, const uint8_t *data, size_t size)
{
    (void)send(*(int *)arg, data, size, 0);
}

/* Connected both ways: a server waits for its first datagram to learn from whom. */
static int open_udp(bool client, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char first;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || (!client && bind(fd, (struct sockaddr *)&at, size) != 0))
        die("no socket");
    if (!client) {
        printf("listening\n");
        if (recvfrom(fd, &first, 1, MSG_PEEK | MSG_TRUNC, (struct sockaddr *)&at, &size) < 0)
            die("nobody came");
    }
    if (connect(fd, (struct sockaddr *)&at, size) != 0)
        die("connect");
    return fd;
}

static void tell_keys(const struct tdm_dtls *dtls)
{
    static const char *const names[] = {[TDM_SRTP_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
                                        [TDM_SRTP_AEAD_AES_256_GCM] = "AEAD_AES_256_GCM",
                                        [TDM_SRTP_AES_CM_128_HMAC_SHA1_80] = "AES128_CM_SHA1_80"};
    struct tdm_srtp_keys keys;

    if (tdm_dtls_keys(dtls, &keys) != TDM_OK)
        die("no keys");
    printf("keys %s ", names[keys.profile]);
    print_hex(keys.local, keys.size);
    printf(" ");
    print_hex(keys.remote, keys.size);
    printf("\n");
}

static void echo_datagram(struct tdm_dtls *dtls, const uint8_t *app, size_t size)
{
    uint8_t back[TDM_DTLS_DATAGRAM] = "echo ";

    printf("got %.*s", (int)size, (const char *)app);
    if (size > sizeof back - 5)
        return;
    memcpy(back + 5, app, size);
    if (tdm_dtls_send(dtls, back, size + 5) != TDM_OK)
        die("cannot send");
}

static void talk_dtls(bool client, uint16_t port, struct tdm_dtls_config *config)
{
    struct tdm_dtls *dtls;
    struct tdm_cause cause;
    int fd = open_udp(client, port);
    tdm_time end = tdm_clock_now() + PATIENCE;
    bool told = false;

    config->client = client;
    config->send = send_datagram;
    config->arg = &fd;
    if (tdm_dtls_create(&dtls, config, &cause) != TDM_OK)
        die(cause.text);
    tdm_dtls_start(dtls, tdm_clock_now());
    while (tdm_clock_now() < end && tdm_dtls_state(dtls) < TDM_DTLS_FAILED) {
        tdm_time wake = tdm_time_min(tdm_dtls_wake_at(dtls), end) - tdm_clock_now();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        uint8_t data[2048], app[TDM_DTLS_DATAGRAM + 100];
        size_t app_size = 0;

        if (poll(&p, 1, wake > 0 ? (int)(wake / TDM_MS) + 1 : 0) == 1) {
            ssize_t got = recv(fd, data, sizeof data, 0);

            if (got > 0)
                tdm_dtls_receive(dtls, tdm_clock_now(), data, (size_t)got, app, &app_size);
        }
        tdm_dtls_tick(dtls, tdm_clock_now());
        if (!told && tdm_dtls_state(dtls) == TDM_DTLS_UP) {
            tell_keys(dtls);
            told = true;
        }
        if (app_size)
            echo_datagram(dtls, app, app_size);
    }
    if (!told)
        die(tdm_dtls_reason(dtls));
    printf("closed\n");
    tdm_dtls_destroy(dtls);
    (void)close(fd);
}

static int open_tcp(bool client, uint16_t port)
{
    struct tdm_address at;
    struct tdm_cause cause;
    struct pollfd p = {.events = client ? POLLOUT : POLLIN};
    int fd = -1;

    if (tdm_address_parse(&at, "127.0.0.1", port) != TDM_OK ||
        (client ? tdm_tcp_connect(&at, &p.fd, &cause)
                : tdm_tcp_listen("127.0.0.1", port, port, &p.fd, &port, &cause)) != TDM_OK)
        die(cause.text);
    printf("listening\n");
    (void)poll(&p, 1, PATIENCE / TDM_MS);
    fd = client ? p.fd : tdm_tcp_accept(p.fd, &at);
    if (fd < 0)
        die("nobody came");
    return fd;
}

static void talk_tls(bool client, uint16_t port, struct tdm_tls_config *config)
{
    struct tdm_tls *tls;
    struct tdm_cause cause = {""};
    char line[1024] = "echo ";
    enum tdm_err err = TDM_E_AGAIN;
    bool up = false, begun = false;

    config->client = client;
    config->fd = open_tcp(client, port);
    if (tdm_tls_create(&tls, config, &cause) != TDM_OK)
        die(cause.text);
    while (err == TDM_OK || err == TDM_E_AGAIN) {
        struct pollfd p = {.fd = tdm_tls_fd(tls), .events = tdm_tls_events(tls)};
        size_t size = sizeof line - 5;

        if (begun && err == TDM_E_AGAIN && poll(&p, 1, PATIENCE / TDM_MS) != 1)
            die("nothing came");
        begun = true;
        if (!up) {
            err = tdm_tls_handshake(tls, &cause);
            up = err == TDM_OK;
            if (up)
                printf("up\n");
            continue;
        }
        err = tdm_tls_read(tls, line + 5, &size);
        if (err != TDM_OK)
            continue;
        printf("got %.*s", (int)size, line + 5);
        size += 5;
        err = tdm_tls_write(tls, line, &size);
    }
    if (!up)
        die(cause.text);
    printf("closed\n");
    tdm_tls_destroy(tls);
}

static void read_fingerprint(struct tdm_fingerprint_desc *f, const char *text)
{
    *f = (struct tdm_fingerprint_desc){.hash = "sha-256", .size = TDM_FINGERPRINT_BYTES};
    for (size_t i = 0; i < TDM_FINGERPRINT_BYTES && strlen(text) == 64; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], 0};

        f->bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

int main(int argc, char **argv)
{
    struct tdm_identity *id;
    struct tdm_cause cause;

    (void)setvbuf(stdout, NULL, _IONBF, 0);
    if (argc != 6) {
        fprintf(stderr, "usage: crypto_peer dtls|tls client|server PORT IDENTITY FINGERPRINT\n");
        return 2;
    }
    bool client = strcmp(argv[2], "client") == 0;
    uint16_t port = (uint16_t)strtoul(argv[3], NULL, 10);

    if (tdm_identity_load(argv[4], &id, &cause) != TDM_OK)
        die(cause.text);
    if (strcmp(argv[1], "dtls") == 0) {
        struct tdm_dtls_config config = {.identity = id, .fingerprint_count = 1};

        read_fingerprint(&config.fingerprints[0], argv[5]);
        talk_dtls(client, port, &config);
    } else {
        struct tdm_tls_config config = {.identity = id, .fingerprint_count = 1};

        read_fingerprint(&config.fingerprints[0], argv[5]);
        talk_tls(client, port, &config);
    }
    tdm_identity_free(id);
    return 0;
}
