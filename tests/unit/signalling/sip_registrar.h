/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_SIP_REGISTRAR_H
#define TDM_TESTS_SIP_REGISTRAR_H

/*
 * A hand-written SIP server for tests, on a plain UDP socket: it answers one request at a time as
 * the test says, checks passwords by the digest module, and forgets everything else.
 */

#include "engine/base/time.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "signalling/digest_auth.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define REGISTRAR_WAIT (20 * TDM_S)

struct registrar {
    int fd;
    uint16_t port;
    struct sockaddr_storage from; /* Of the last request. */
    socklen_t from_size;
    char request[8192];
    uint32_t nonce_count;
};

static void registrar_open(struct registrar *r)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    memset(r, 0, sizeof *r);
    r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(r->fd >= 0);
    assert_int_equal(bind(r->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(r->fd, (struct sockaddr *)&address, &size), 0);
    r->port = ntohs(address.sin_port);
}

static void registrar_close(struct registrar *r)
{
    (void)close(r->fd);
}

/* The next message; keep-alives are stepped over. */
static void registrar_take(struct registrar *r)
{
    tdm_time deadline = tdm_clock_now() + REGISTRAR_WAIT;

    for (;;) {
        ssize_t size;

        if (tdm_wait_until(deadline, r->fd, -1) == TDM_WAIT_TIME)
            fail_msg("no request came");
        r->from_size = sizeof r->from;
        size = recvfrom(r->fd, r->request, sizeof r->request - 1, 0, (struct sockaddr *)&r->from,
                        &r->from_size);
        if (size <= 4)
            continue;
        r->request[size] = '\0';
        return;
    }
}

/* A whole line "Name: value\r\n" of the request, or "". */
static const char *registrar_line(const struct registrar *r, const char *name)
{
    static char lines[8][2048];
    static int next;
    char *line = lines[next++ % 8];
    char start[64];
    const char *at;
    size_t size;

    (void)snprintf(start, sizeof start, "\r\n%s: ", name);
    at = strstr(r->request, start);
    line[0] = '\0';
    if (!at)
        return line;
    at += 2;
    size = (size_t)(strstr(at, "\r\n") - at) + 2;
    assert_true(size < sizeof lines[0]);
    memcpy(line, at, size);
    line[size] = '\0';
    return line;
}

/* Answers the last request; `more`: whole header lines. */
static void registrar_answer(struct registrar *r, int code, const char *more)
{
    char text[8192];
    char to[2048];
    int size;

    (void)snprintf(to, sizeof to, "%s", registrar_line(r, "To"));
    if (!strstr(to, ";tag="))
        (void)snprintf(to + strlen(to) - 2, sizeof to - strlen(to), ";tag=server\r\n");
    size = snprintf(text, sizeof text, "SIP/2.0 %d Said\r\n%s%s%s%s%s%sContent-Length: 0\r\n\r\n",
                    code, registrar_line(r, "Via"), registrar_line(r, "From"), to,
                    registrar_line(r, "Call-ID"), registrar_line(r, "CSeq"), more);
    assert_true(size > 0 && (size_t)size < sizeof text);
    assert_int_equal(
        sendto(r->fd, text, (size_t)size, 0, (struct sockaddr *)&r->from, r->from_size), size);
}

static void registrar_challenge(struct registrar *r, int code, enum tdm_digest_algorithm algorithm,
                                bool stale)
{
    struct tdm_digest_challenge challenge = {.algorithm = algorithm, .stale = stale};
    char value[TDM_DIGEST_HEADER_MAX], more[TDM_DIGEST_HEADER_MAX + 64];

    (void)snprintf(challenge.realm, sizeof challenge.realm, "reskit");
    (void)snprintf(challenge.nonce, sizeof challenge.nonce, "nonce%u", ++r->nonce_count);
    assert_int_equal(tdm_digest_write_challenge(&challenge, value, sizeof value), TDM_OK);
    (void)snprintf(more, sizeof more, "%s: %s\r\n",
                   code == 407 ? "Proxy-Authenticate" : "WWW-Authenticate", value);
    registrar_answer(r, code, more);
}

/* Whether the last request proves that its sender knows the password, for the last nonce. */
static bool registrar_knows(const struct registrar *r, const char *header, const char *method,
                            const char *user, const char *password)
{
    struct tdm_digest_credentials credentials;
    const char *line = registrar_line(r, header);
    char ha1[TDM_DIGEST_HEX_MAX], nonce[32];

    if (!line[0])
        return false;
    line += strlen(header) + 2;
    assert_int_equal(tdm_digest_parse_credentials(line, strlen(line) - 2, &credentials), TDM_OK);
    (void)snprintf(nonce, sizeof nonce, "nonce%u", r->nonce_count);
    tdm_digest_ha1(credentials.algorithm, user, "reskit", password, ha1);
    return strcmp(credentials.user, user) == 0 && strcmp(credentials.nonce, nonce) == 0 &&
           tdm_digest_check(&credentials, method, ha1);
}

#endif
