/* SPDX-License-Identifier: MIT */
/* Two SIP backends in one process on loopback, and a hand-written peer on a plain socket. Waits
 * are for events and bounded; nothing is measured. */
#include "engine/base/rng.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "signalling/call_perform.h"
#include "signalling/signalling.h"
#include "signalling/sip_uri.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT (20 * TDM_S)

static const struct tdm_sig_ops *const sip = &tdm_sig_libre;
static const struct tdm_sig_body offer_body = {.data = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n",
                                               .size = 31};
static const struct tdm_sig_body answer_body = {.data = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\n",
                                                .size = 31};

static struct tdm_sig *open_sip(unsigned transports, uint32_t calls_max)
{
    struct tdm_sig *sig = NULL;
    struct tdm_cause cause = {""};
    struct tdm_sig_config config = {.bind_address = "127.0.0.1",
                                    .port = (uint16_t)(20000 + tdm_entropy_u64() % 10000 * 2),
                                    .port_may_change = true,
                                    .transports = transports,
                                    .calls_max = calls_max};

    if (sip->open(&sig, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return sig;
}

/* The next event, which must be of this kind. */
static struct tdm_sig_event expect(struct tdm_sig *sig, enum tdm_sig_kind kind)
{
    tdm_time deadline = tdm_clock_now() + WAIT;
    struct tdm_sig_event event;

    for (;;) {
        if (sip->next(sig, &event) == TDM_OK) {
            if (event.kind != kind)
                fail_msg("event %d (\"%s\") instead of %d", (int)event.kind, event.reason,
                         (int)kind);
            return event;
        }
        if (tdm_wait_until(deadline, sip->fd(sig), -1) == TDM_WAIT_TIME)
            fail_msg("no event %d came", (int)kind);
    }
}

static void expect_nothing(struct tdm_sig *sig)
{
    struct tdm_sig_event event;

    assert_int_equal(sip->next(sig, &event), TDM_E_AGAIN);
}

static void assert_body(const struct tdm_sig_event *event, const struct tdm_sig_body *body)
{
    assert_int_equal(event->body_size, body->size);
    assert_memory_equal(event->body, body->data, body->size);
}

static tdm_sig_id call(struct tdm_sig *from, uint16_t port, const char *transport,
                       const struct tdm_sig_body *offer)
{
    struct tdm_cause cause = {""};
    char uri[80];
    tdm_sig_id id = 0;

    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u%s", port, transport);
    if (sip->call(from, 0, uri, offer, &id, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return id;
}

struct pair {
    struct tdm_sig *a, *b;
    tdm_sig_id ida, idb;
};

static void pair_up(struct pair *p, const char *transport)
{
    p->a = open_sip(0, 0);
    p->b = open_sip(0, 0);
    p->ida = call(p->a, sip->port(p->b), transport, &offer_body);

    struct tdm_sig_event in = expect(p->b, TDM_SIG_CALL_IN);

    p->idb = in.id;
    assert_body(&in, &offer_body);
    assert_non_null(strstr(in.from, "sip:tandem@127.0.0.1"));
    assert_non_null(strstr(in.to, "sip:bob@127.0.0.1"));
    assert_string_equal(in.peer_address, "127.0.0.1");
    assert_int_equal(sip->ring(p->b, p->idb), TDM_OK);
    assert_int_equal(expect(p->a, TDM_SIG_RINGING).code, 180);
    assert_int_equal(sip->accept(p->b, p->idb, &answer_body), TDM_OK);

    struct tdm_sig_event accepted = expect(p->a, TDM_SIG_ACCEPTED);

    assert_body(&accepted, &answer_body);
    (void)expect(p->b, TDM_SIG_CONFIRMED);
}

static void pair_close(struct pair *p)
{
    sip->close(p->a);
    sip->close(p->b);
}

static void calls_over(const char *transport)
{
    struct pair p;

    pair_up(&p, transport);
    /* Re-INVITE both ways, taken and refused. */
    assert_int_equal(sip->offer(p.a, p.ida, &answer_body), TDM_OK);
    struct tdm_sig_event event = expect(p.b, TDM_SIG_OFFER);
    assert_body(&event, &answer_body);
    assert_int_equal(sip->answer(p.b, p.idb, &offer_body, 0), TDM_OK);
    event = expect(p.a, TDM_SIG_ANSWER);
    assert_body(&event, &offer_body);
    for (;;) { /* The ACK may still be on its way: then it is glare here too. */
        assert_int_equal(sip->offer(p.b, p.idb, &offer_body), TDM_OK);
        (void)tdm_wait_until(tdm_clock_now() + WAIT, sip->fd(p.b), sip->fd(p.a));
        if (sip->next(p.b, &event) == TDM_E_AGAIN)
            break;
        assert_int_equal(event.kind, TDM_SIG_OFFER_REFUSED);
        assert_int_equal(event.code, 491);
    }
    (void)expect(p.a, TDM_SIG_OFFER);
    assert_int_equal(sip->answer(p.a, p.ida, NULL, 488), TDM_OK);
    assert_int_equal(expect(p.b, TDM_SIG_OFFER_REFUSED).code, 488);
    /* A digit by INFO. */
    assert_int_equal(sip->dtmf_info(p.a, p.ida, '#', 120), TDM_OK);
    event = expect(p.b, TDM_SIG_DTMF_INFO);
    assert_int_equal(event.digit, '#');
    assert_int_equal(event.duration_ms, 120);
    assert_int_equal(sip->dtmf_info(p.a, p.ida, 'x', 120), TDM_E_UNSUPPORTED);
    /* BYE from the called side. */
    assert_int_equal(sip->hangup(p.b, p.idb, NULL), TDM_OK);
    (void)expect(p.b, TDM_SIG_ENDED);
    event = expect(p.a, TDM_SIG_ENDED);
    assert_int_equal(event.id, p.ida);
    assert_non_null(strstr(event.reason, "other side hung up"));
    expect_nothing(p.a);
    pair_close(&p);
}

static void calls_over_udp(void **state)
{
    (void)state;
    calls_over("");
    calls_over(";transport=udp");
}

static void calls_over_tcp(void **state)
{
    (void)state;
    calls_over(";transport=tcp");
}

static void closing_says_bye(void **state)
{
    struct pair p;

    (void)state;
    pair_up(&p, "");
    sip->close(p.a);
    (void)expect(p.b, TDM_SIG_ENDED);
    sip->close(p.b);
}

static void rejects_and_cancels(void **state)
{
    static const uint16_t codes[] = {486, 603, 480, 488};
    struct tdm_sig *a = open_sip(0, 0), *b = open_sip(0, 0);

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        (void)call(a, sip->port(b), i % 2 ? ";transport=tcp" : "", &offer_body);
        struct tdm_sig_event in = expect(b, TDM_SIG_CALL_IN);

        assert_int_equal(sip->reject(b, in.id, codes[i]), TDM_OK);
        (void)expect(b, TDM_SIG_ENDED);
        struct tdm_sig_event refused = expect(a, TDM_SIG_REFUSED);

        assert_int_equal(refused.code, codes[i]);
        assert_true(refused.reason[0]);
    }

    tdm_sig_id id = call(a, sip->port(b), "", &offer_body);

    (void)expect(b, TDM_SIG_CALL_IN);
    assert_int_equal(sip->hangup(a, id, NULL), TDM_OK);
    (void)expect(a, TDM_SIG_ENDED);
    assert_non_null(strstr(expect(b, TDM_SIG_ENDED).reason, "gave up"));
    sip->close(a);
    sip->close(b);
}

static void busy_beyond_its_limit(void **state)
{
    struct tdm_sig *a = open_sip(0, 0), *b = open_sip(0, 1);

    (void)state;
    (void)call(a, sip->port(b), "", &offer_body);
    (void)expect(b, TDM_SIG_CALL_IN);
    (void)call(a, sip->port(b), "", &offer_body);
    assert_int_equal(expect(a, TDM_SIG_REFUSED).code, 486);
    expect_nothing(b);
    sip->close(a);
    sip->close(b);
}

static void says_why_nobody_can_be_reached(void **state)
{
    struct tdm_sig *a = open_sip(0, 0), *b = open_sip(0, 0);
    uint16_t dead = sip->port(b);
    struct tdm_cause cause = {""};
    struct tdm_sig_event event;
    tdm_sig_id id;

    (void)state;
    sip->close(b);
    (void)call(a, dead, "", &offer_body);
    event = expect(a, TDM_SIG_FAILED);
    assert_non_null(strstr(event.reason, "nothing listens at 127.0.0.1"));
    assert_non_null(strstr(event.reason, "is Tandem running there"));
    (void)call(a, dead, ";transport=tcp", &offer_body);
    event = expect(a, TDM_SIG_FAILED);
    assert_non_null(strstr(event.reason, "nothing listens at 127.0.0.1"));
    assert_int_equal(sip->call(a, 0, "nosuchhost.invalid", &offer_body, &id, &cause), TDM_OK);
    event = expect(a, TDM_SIG_FAILED);
    assert_int_equal(event.id, id);
    assert_non_null(strstr(event.reason, "\"nosuchhost.invalid\" is unknown"));
    assert_int_equal(sip->call(a, 0, "a b", &offer_body, &id, &cause), TDM_E_MALFORMED);
    assert_int_equal(sip->call(a, 0, "sip:a@b;transport=sctp", &offer_body, &id, &cause),
                     TDM_E_UNSUPPORTED);
    sip->close(a);
}

/* The name of this machine's loopback; its number where no file or server knows the name. */
static const char *loopback_name(void)
{
    struct addrinfo hints = {.ai_family = AF_INET}, *found = NULL;

    if (getaddrinfo("localhost", NULL, &hints, &found) != 0)
        return "127.0.0.1";
    freeaddrinfo(found);
    return "localhost";
}

static void finds_hosts_by_name(void **state)
{
    struct tdm_sig *a = open_sip(0, 0), *b = open_sip(0, 0);
    struct tdm_cause cause = {""};
    char uri[64];
    tdm_sig_id id;

    (void)state;
    (void)snprintf(uri, sizeof uri, "%s:%u", loopback_name(), sip->port(b));
    assert_int_equal(sip->call(a, 0, uri, &offer_body, &id, &cause), TDM_OK);
    (void)expect(b, TDM_SIG_CALL_IN);
    assert_int_equal(sip->options(b, 0, "127.0.0.1:1", NULL, &id, &cause), TDM_OK);
    (void)expect(b, TDM_SIG_FAILED);
    (void)snprintf(uri, sizeof uri, "sip:127.0.0.1:%u", sip->port(b));
    assert_int_equal(sip->options(a, 0, uri, NULL, &id, &cause), TDM_OK);

    struct tdm_sig_event event = expect(a, TDM_SIG_OPTIONS_ANSWERED);

    assert_int_equal(event.id, id);
    assert_int_equal(event.code, 200);
    assert_string_equal(event.reason, "Tandem");
    sip->close(a);
    sip->close(b);
}

static void listens_everywhere_by_default(void **state)
{
    struct tdm_sig *a = NULL, *b = NULL, *c = NULL;
    struct tdm_cause cause = {""};
    struct tdm_sig_config config = {.port = (uint16_t)(42000 + tdm_entropy_u64() % 5000),
                                    .port_may_change = true};
    char uri[64];
    tdm_sig_id id;

    (void)state;
    if (sip->open(&a, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    config.port = sip->port(a);
    if (sip->open(&b, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    assert_int_not_equal(sip->port(a), sip->port(b));
    config.port_may_change = false;
    assert_int_equal(sip->open(&c, &config, &cause), TDM_E_SYSTEM);
    assert_non_null(strstr(cause.text, "is in use (by another SIP program?): choose another"));

    (void)snprintf(uri, sizeof uri, "127.0.0.1:%u", sip->port(b));
    assert_int_equal(sip->call(a, 0, uri, &offer_body, &id, &cause), TDM_OK);

    struct tdm_sig_event in = expect(b, TDM_SIG_CALL_IN);

    assert_non_null(strstr(in.from, "@127.0.0.1"));
    assert_int_equal(sip->accept(b, in.id, &answer_body), TDM_OK);
    (void)expect(a, TDM_SIG_ACCEPTED);
    (void)expect(b, TDM_SIG_CONFIRMED);
    assert_int_equal(sip->hangup(b, in.id, NULL), TDM_OK); /* Goes to Contact, not to From. */
    (void)expect(b, TDM_SIG_ENDED);
    (void)expect(a, TDM_SIG_ENDED);

    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int probe = socket(AF_INET6, SOCK_DGRAM, 0);

    if (probe >= 0 && bind(probe, (struct sockaddr *)&v6, sizeof v6) == 0) {
        (void)snprintf(uri, sizeof uri, "[::1]:%u", sip->port(b));
        assert_int_equal(sip->call(a, 0, uri, &offer_body, &id, &cause), TDM_OK);
        in = expect(b, TDM_SIG_CALL_IN);
        assert_string_equal(in.peer_address, "::1");
    }
    if (probe >= 0)
        (void)close(probe);
    sip->close(a);
    sip->close(b);
}

/* --- A peer written by hand ------------------------------------------------------------------- */

struct raw {
    int fd;
    uint16_t port;
    struct sockaddr_in to;
    char text[4096];
};

static void raw_open(struct raw *raw, uint16_t to_port)
{
    struct sockaddr_in local = {.sin_family = AF_INET};
    socklen_t size = sizeof local;

    memset(raw, 0, sizeof *raw);
    raw->to.sin_family = AF_INET;
    raw->to.sin_addr.s_addr = local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    raw->to.sin_port = htons(to_port);
    raw->fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(raw->fd >= 0);
    assert_int_equal(bind(raw->fd, (struct sockaddr *)&local, sizeof local), 0);
    assert_int_equal(getsockname(raw->fd, (struct sockaddr *)&local, &size), 0);
    raw->port = ntohs(local.sin_port);
}

static void raw_send(struct raw *raw, const void *data, size_t size)
{
    (void)sendto(raw->fd, data, size, 0, (struct sockaddr *)&raw->to, sizeof raw->to);
}

/* A request of one call "raw-call"; `to_tag` "" before the dialog. */
static size_t raw_request(struct raw *raw, char *text, size_t capacity, const char *method,
                          unsigned seq, unsigned branch, const char *to_tag, const char *extra,
                          const char *body)
{
    int size = snprintf(text, capacity,
                        "%s sip:tandem@127.0.0.1:%u SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKraw%u;rport\r\n"
                        "Max-Forwards: 70\r\nFrom: <sip:raw@127.0.0.1:%u>;tag=rawtag\r\n"
                        "To: <sip:tandem@127.0.0.1:%u>%s%s\r\nCall-ID: raw-call\r\n"
                        "CSeq: %u %s\r\nContact: <sip:raw@127.0.0.1:%u>\r\n%s"
                        "Content-Length: %zu\r\n\r\n%s",
                        method, ntohs(raw->to.sin_port), raw->port, branch, raw->port,
                        ntohs(raw->to.sin_port), to_tag[0] ? ";tag=" : "", to_tag, seq, method,
                        raw->port, extra, strlen(body), body);

    assert_true(size > 0 && (size_t)size < capacity);
    return (size_t)size;
}

static void raw_say(struct raw *raw, const char *method, unsigned seq, unsigned branch,
                    const char *to_tag, const char *extra, const char *body)
{
    char text[4096];

    raw_send(raw, text,
             raw_request(raw, text, sizeof text, method, seq, branch, to_tag, extra, body));
}

/* The next response whose first line says `code`; others are passed over. */
static void raw_expect(struct raw *raw, const char *code)
{
    tdm_time deadline = tdm_clock_now() + WAIT;

    while (tdm_clock_now() < deadline) {
        struct pollfd fd = {.fd = raw->fd, .events = POLLIN};

        if (poll(&fd, 1, 1000) <= 0)
            continue;
        ssize_t size = recv(raw->fd, raw->text, sizeof raw->text - 1, 0);

        raw->text[size > 0 ? size : 0] = '\0';
        if (strncmp(raw->text, "SIP/2.0 ", 8) == 0 && strncmp(raw->text + 8, code, 3) == 0)
            return;
    }
    fail_msg("no %s came", code);
}

static void raw_to_tag(const struct raw *raw, char tag[64])
{
    const char *to = strstr(raw->text, "\r\nTo:");
    const char *at = to ? strstr(to, ";tag=") : NULL;

    assert_non_null(at);
    (void)sscanf(at + 5, "%63[0-9a-f]", tag);
}

#define SDP_TYPE "Content-Type: application/sdp\r\n"

/* INVITE without SDP, a lost ACK, re-INVITE without SDP, INFO, BYE. */
static void takes_late_offers_and_lost_acks(void **state)
{
    struct tdm_sig *b = open_sip(0, 0);
    struct tdm_sig_event event;
    struct raw raw;
    char tag[64] = "";

    (void)state;
    raw_open(&raw, sip->port(b));
    raw_say(&raw, "INVITE", 1, 1, "", "", "");
    raw_say(&raw, "INVITE", 1, 1, "", "", ""); /* Sent again: the same call. */
    event = expect(b, TDM_SIG_CALL_IN);
    assert_int_equal(event.body_size, 0);
    assert_int_equal(sip->accept(b, event.id, &offer_body), TDM_OK);
    raw_expect(&raw, "200");
    raw_to_tag(&raw, tag);
    assert_non_null(strstr(raw.text, offer_body.data));
    assert_non_null(strstr(raw.text, "\r\nContact: <sip:tandem@127.0.0.1:"));
    raw_expect(&raw, "200"); /* No ACK yet: the 200 comes again. */
    raw_say(&raw, "ACK", 1, 2, tag, SDP_TYPE, answer_body.data);
    event = expect(b, TDM_SIG_CONFIRMED);
    assert_body(&event, &answer_body);
    raw_say(&raw, "ACK", 1, 2, tag, SDP_TYPE, answer_body.data); /* Doubled: no second event. */

    raw_say(&raw, "INVITE", 2, 3, tag, "", "");
    event = expect(b, TDM_SIG_OFFER);
    assert_int_equal(event.body_size, 0);
    assert_int_equal(sip->answer(b, event.id, &offer_body, 0), TDM_OK);
    raw_expect(&raw, "200");
    raw_say(&raw, "ACK", 2, 4, tag, SDP_TYPE, answer_body.data);
    event = expect(b, TDM_SIG_ANSWER);
    assert_body(&event, &answer_body);

    raw_say(&raw, "INFO", 3, 5, tag, "Content-Type: application/dtmf\r\n", "5");
    raw_expect(&raw, "200");
    event = expect(b, TDM_SIG_DTMF_INFO);
    assert_int_equal(event.digit, '5');
    raw_say(&raw, "INFO", 4, 6, tag, "Content-Type: text/plain\r\n", "5");
    raw_expect(&raw, "415");
    raw_say(&raw, "UPDATE", 5, 7, tag, "", "");
    raw_expect(&raw, "405");
    raw_say(&raw, "BYE", 6, 8, tag, "", "");
    raw_expect(&raw, "200");
    (void)expect(b, TDM_SIG_ENDED);
    raw_say(&raw, "BYE", 7, 9, tag, "", "");
    raw_expect(&raw, "481");
    (void)close(raw.fd);
    sip->close(b);
}

static void glare_is_refused_with_491(void **state)
{
    struct tdm_sig *b = open_sip(0, 0);
    struct tdm_sig_event event;
    struct raw raw;
    char tag[64] = "";

    (void)state;
    raw_open(&raw, sip->port(b));
    raw_say(&raw, "INVITE", 1, 1, "", SDP_TYPE, offer_body.data);
    event = expect(b, TDM_SIG_CALL_IN);
    assert_int_equal(sip->accept(b, event.id, &answer_body), TDM_OK);
    raw_expect(&raw, "200");
    raw_to_tag(&raw, tag);
    raw_say(&raw, "ACK", 1, 2, tag, "", "");
    (void)expect(b, TDM_SIG_CONFIRMED);
    assert_int_equal(sip->offer(b, event.id, &offer_body), TDM_OK);
    raw_say(&raw, "OPTIONS", 2, 3, tag, "", ""); /* The commands before it have run. */
    raw_expect(&raw, "200");
    raw_say(&raw, "INVITE", 3, 4, tag, SDP_TYPE, offer_body.data);
    raw_expect(&raw, "491");
    expect_nothing(b);
    (void)close(raw.fd);
    sip->close(b);
}

static void refuses_bad_messages(void **state)
{
    static const struct {
        const char *text, *code;
    } rows[] = {
        {"OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n",
         "200"},
        {"OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK2;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
         "400"},
        {"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK3;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
         "Contact: <sip:a@b>\r\nContent-Type: application/sdp\r\nContent-Length: 9999\r\n\r\nv=0",
         "400"},
        {"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK4;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
         "Contact: <sip:a@b>\r\nContent-Length: -5\r\n\r\n",
         "400"},
        {"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK5;rport\r\n"
         "From: <sip:a@b>\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
         "Contact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n",
         "400"},
        {"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK6;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
         "Content-Length: 0\r\n\r\n",
         "400"},
        {"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK7;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
         "Contact: <sip:a@b>\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc",
         "415"},
        {"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK8;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
         "Require: 100rel\r\nContact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n",
         "420"},
        {"MESSAGE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK9;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n"
         "Content-Length: 0\r\n\r\n",
         "400"}, /* It says nothing. */
        {"MESSAGE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK10;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 2 MESSAGE\r\n"
         "Content-Length: 2\r\n\r\nhi",
         "415"},
        {"REFER sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK11;rport\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 3 REFER\r\n"
         "Refer-To: <sip:c@d>\r\nContent-Length: 0\r\n\r\n",
         "405"}, /* Nobody allowed it. */
    };
    struct tdm_sig *b = open_sip(0, 0);
    struct raw raw;

    (void)state;
    raw_open(&raw, sip->port(b));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        raw_send(&raw, rows[i].text, strlen(rows[i].text));
        raw_expect(&raw, rows[i].code);
    }
    assert_non_null(strstr(raw.text, "\r\nAllow: INVITE, ACK"));
    expect_nothing(b);
    (void)close(raw.fd);
    sip->close(b);
}

/* Thousands of mutated and truncated datagrams: the backend lives, answers, stays small and says
 * nothing. */
static void survives_a_blast(void **state)
{
    static const char *const methods[] = {"INVITE", "ACK", "BYE", "CANCEL", "INFO", "OPTIONS"};
    struct tdm_sig *b = open_sip(0, 4), *a = open_sip(0, 0);
    struct tdm_rng rng = tdm_rng_of(7);
    struct rusage before, after;
    struct tdm_sig_event event;
    struct raw raw;
    FILE *said = tmpfile();
    int saved = dup(STDERR_FILENO);

    (void)state;
    raw_open(&raw, sip->port(b));
    assert_non_null(said);
    assert_true(dup2(fileno(said), STDERR_FILENO) >= 0);
    (void)getrusage(RUSAGE_SELF, &before);
    for (unsigned i = 0; i < 4000; i++) {
        char text[4096];
        size_t size = raw_request(&raw, text, sizeof text, methods[tdm_rng_below(&rng, 6)],
                                  tdm_rng_below(&rng, 4), tdm_rng_below(&rng, 1000),
                                  tdm_rng_below(&rng, 2) ? "" : "1234", SDP_TYPE, offer_body.data);
        uint32_t edits = 1 + tdm_rng_below(&rng, 6);

        for (uint32_t j = 0; j < edits; j++) {
            size_t at = tdm_rng_below(&rng, (uint32_t)size);

            text[at] = tdm_rng_below(&rng, 3) ? (char)tdm_rng_u32(&rng) : "\r\n:;=<>\"@ "[at % 10];
        }
        if (tdm_rng_below(&rng, 4) == 0)
            size = tdm_rng_below(&rng, (uint32_t)size);
        raw_send(&raw, text, size);
        while (recv(raw.fd, raw.text, sizeof raw.text, MSG_DONTWAIT) > 0)
            continue;
        while (sip->next(b, &event) == TDM_OK)
            if (event.kind == TDM_SIG_CALL_IN)
                (void)sip->reject(b, event.id, 486);
        if (i % 50 == 0)
            (void)poll(NULL, 0, 1);
    }
    (void)getrusage(RUSAGE_SELF, &after);

    struct tdm_cause cause = {""};
    char uri[64];
    tdm_sig_id id;

    (void)snprintf(uri, sizeof uri, "127.0.0.1:%u", sip->port(b));
    assert_int_equal(sip->options(a, 0, uri, NULL, &id, &cause), TDM_OK);
    assert_int_equal(expect(a, TDM_SIG_OPTIONS_ANSWERED).code, 200);
    sip->close(a);
    sip->close(b);
    (void)fflush(stderr);
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    (void)close(raw.fd);
    assert_true(after.ru_maxrss - before.ru_maxrss < 64 * 1024); /* KiB */
    assert_int_equal(lseek(fileno(said), 0, SEEK_END), 0); /* A peer cannot fill our terminal. */
    (void)fclose(said);
}

static void reads_addresses_as_typed(void **state)
{
    static const struct {
        const char *text, *written; /* NULL: refused. */
    } rows[] = {
        {"10.0.0.7", "sip:10.0.0.7"},
        {"10.0.0.7:5070", "sip:10.0.0.7:5070"},
        {"user@host", "sip:user@host"},
        {"sip:user@host;transport=tcp", "sip:user@host;transport=tcp"},
        {"sip:user@host:1;lr;transport=UDP?x=y", "sip:user@host:1;transport=udp"},
        {"[::1]", "sip:[::1]"},
        {"::1", "sip:[::1]"},
        {"bob@[2001:db8::1]:5070", "sip:bob@[2001:db8::1]:5070"},
        {"<sip:a@b>", "sip:a@b"},
        {" a.b-c ", "sip:a.b-c"},
        {"", NULL},
        {"sip:", NULL},
        {"@host", NULL},
        {"user@", NULL},
        {"host:0", NULL},
        {"host:70000", NULL},
        {"host:", NULL},
        {"[::1", NULL},
        {"[::g]", NULL},
        {"a b", NULL},
        {"host\r\nVia: x", NULL},
        {"a@b@c", NULL},
        {"host;transport=tls", "sip:host;transport=tls"},
        {"sips:a@b", "sip:a@b;transport=tls"},
        {"sips:a@b;transport=tcp", "sip:a@b;transport=tls"},
        {"sips:a@b;transport=udp", NULL},
        {"host;transport=sctp", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_sip_uri uri;
        struct tdm_cause cause = {""};
        char text[256] = "";
        enum tdm_err err = tdm_sip_uri_parse(rows[i].text, &uri, &cause);

        if ((err == TDM_OK) != (rows[i].written != NULL))
            fail_msg("\"%s\": %s %s", rows[i].text, tdm_err_name(err), cause.text);
        if (err) {
            assert_true(cause.text[0]);
            continue;
        }
        assert_true(tdm_sip_uri_write(&uri, text, sizeof text));
        assert_string_equal(text, rows[i].written);
    }

    char local[64];
    struct tdm_cause cause = {""};

    assert_int_equal(tdm_sig_local_address("127.0.0.1:99", local, sizeof local, &cause), TDM_OK);
    assert_string_equal(local, "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_addresses_as_typed),
        cmocka_unit_test(calls_over_udp),
        cmocka_unit_test(calls_over_tcp),
        cmocka_unit_test(closing_says_bye),
        cmocka_unit_test(rejects_and_cancels),
        cmocka_unit_test(busy_beyond_its_limit),
        cmocka_unit_test(says_why_nobody_can_be_reached),
        cmocka_unit_test(finds_hosts_by_name),
        cmocka_unit_test(listens_everywhere_by_default),
        cmocka_unit_test(takes_late_offers_and_lost_acks),
        cmocka_unit_test(glare_is_refused_with_491),
        cmocka_unit_test(refuses_bad_messages),
        cmocka_unit_test(survives_a_blast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
