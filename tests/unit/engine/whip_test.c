/* SPDX-License-Identifier: MIT */
/* A client of bytes on loopback, and the backend run by hand. */
#include "engine/whip.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SDP(direction)                                                                             \
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"       \
    "c=IN IP4 0.0.0.0\r\na=rtpmap:111 opus/48000/2\r\na=" direction "\r\n"
#define OFFER   SDP("sendrecv")
#define WATCHES SDP("recvonly")

static const struct tdm_sig_ops *ops = &tdm_sig_whip;
static struct tdm_sig *sig;
static struct tdm_sig_event events[32];
static int event_count;
static char said[40000]; /* The last response. */

static void start(const char *token)
{
    struct tdm_cause cause = {""};
    struct tdm_sig_config config = {
        .port = 1, .port_may_change = true, .calls_max = 3, .token = token};

    event_count = 0;
    config.port = 0;
    if (ops->open(&sig, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
}

static void turn(tdm_time duration)
{
    tdm_time end = tdm_clock_now() + duration;

    do {
        while (event_count < 32 && ops->next(sig, &events[event_count]) == TDM_OK)
            event_count++;
    } while (tdm_wait_until(end, ops->fd(sig), -1) != TDM_WAIT_TIME);
}

static int ask(const char *method, const char *path, const char *headers, const char *body)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ops->port(sig))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    static char text[40000];
    bool has_host = strstr(headers, "Host:") != NULL;
    int size =
        snprintf(text, sizeof text, "%s %s HTTP/1.1\r\n%s%sContent-Length: %zu\r\n\r\n%s", method,
                 path, has_host ? "" : "Host: 127.0.0.1:1\r\n", headers, strlen(body), body);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, text, (size_t)size, MSG_NOSIGNAL), size);
    return fd;
}

/* The status of the response that came, 0 while there is none; its text in `said`. */
static int hear(int fd)
{
    size_t size = 0;
    int status = 0;

    for (int i = 0; i < 1000; i++) {
        ssize_t got = recv(fd, said + size, sizeof said - 1 - size, MSG_DONTWAIT);

        size += got > 0 ? (size_t)got : 0;
        said[size] = 0;
        if (size && got <= 0)
            break;
        turn(3 * TDM_MS);
    }
    if (sscanf(said, "HTTP/1.1 %d", &status) != 1)
        return 0;
    (void)close(fd);
    return status;
}

static int exchange(const char *method, const char *path, const char *headers, const char *body)
{
    said[0] = 0;
    return hear(ask(method, path, headers, body));
}

#define TYPE_SDP  "Content-Type: application/sdp\r\n"
#define TYPE_FRAG "Content-Type: application/trickle-ice-sdpfrag\r\n"

static void header_of(const char *name, char *value, size_t capacity)
{
    const char *at = strstr(said, name);

    assert_non_null(at);
    at += strlen(name) + 2;
    size_t size = strcspn(at, "\r\n");

    assert_true(size < capacity);
    memcpy(value, at, size);
    value[size] = 0;
}

/* Calls and is answered; Location and ETag. */
static tdm_sig_id call(const char *path, const char *headers, const char *offer, char location[100],
                       char tag[100])
{
    int before = event_count;

    said[0] = 0;
    int fd = ask("POST", path, headers, offer);

    turn(20 * TDM_MS);
    assert_int_equal(event_count, before + 1);
    struct tdm_sig_event *in = &events[before];

    assert_int_equal(in->kind, TDM_SIG_CALL_IN);
    assert_int_equal(in->body_size, strlen(offer));
    assert_memory_equal(in->body, offer, strlen(offer));
    assert_string_equal(in->content_type, "application/sdp");
    assert_string_equal(in->peer_address, "127.0.0.1");
    assert_int_equal(ops->accept(sig, in->id, &(struct tdm_sig_body){.data = "answer", .size = 6}),
                     TDM_OK);
    assert_int_equal(hear(fd), 201);
    assert_string_equal(strstr(said, "\r\n\r\n") + 4, "answer");
    assert_non_null(strstr(said, "Content-Type: application/sdp\r\n"));
    header_of("Location", location, 100);
    header_of("ETag", tag, 100);
    assert_int_equal(events[before + 1].kind, TDM_SIG_CONFIRMED);
    assert_int_equal(events[before + 1].id, in->id);
    return in->id;
}

static void test_a_call(void **state)
{
    char location[100], tag[100], headers[300];
    tdm_sig_id id;

    (void)state;
    start(NULL);
    id = call("/whip", TYPE_SDP, OFFER, location, tag);
    assert_int_equal(strncmp(location, "/whip/", 6), 0);
    assert_int_equal(strlen(location), 6 + 32);

    (void)snprintf(headers, sizeof headers, TYPE_FRAG "If-Match: %s\r\n", tag);
    assert_int_equal(exchange("PATCH", location, headers, "a=mid:0\r\na=end-of-candidates\r\n"),
                     204);
    assert_int_equal(events[2].kind, TDM_SIG_CANDIDATES);
    assert_int_equal(events[2].id, id);
    assert_int_equal(events[2].body_size, 30);
    assert_int_equal(exchange("DELETE", location, "", ""), 200);
    assert_int_equal(events[3].kind, TDM_SIG_ENDED);
    assert_int_equal(events[3].id, id);
    assert_int_equal(exchange("DELETE", location, "", ""), 404);
    assert_int_equal(exchange("PATCH", location, headers, ""), 404);
    assert_int_equal(event_count, 4);
    ops->close(sig);
}

static void test_watching(void **state)
{
    char location[100], tag[100], as_whip[100];

    (void)state;
    start(NULL);
    assert_int_equal(exchange("POST", "/whep", TYPE_SDP, OFFER), 422);
    (void)call("/whep", TYPE_SDP, WATCHES, location, tag);
    assert_int_equal(strncmp(location, "/whep/", 6), 0);
    (void)snprintf(as_whip, sizeof as_whip, "/whip/%s", location + 6);
    assert_int_equal(exchange("DELETE", as_whip, "", ""), 404);
    assert_int_equal(exchange("DELETE", location, "", ""), 200);
    ops->close(sig);
}

/* What is wrong is said with the status that RFC 9725 or HTTP has for it, and rings nowhere. */
static void test_refused(void **state)
{
    static const struct {
        const char *method, *path, *headers, *body;
        int status;
        const char *says;
    } rows[] = {
        {"POST", "/whip", "", OFFER, 415, "Accept-Post: application/sdp"},
        {"POST", "/whip", "Content-Type: text/plain\r\n", OFFER, 415, "application/sdp"},
        {"POST", "/whip", TYPE_SDP, "", 400, "cannot be read"},
        {"POST", "/whip", TYPE_SDP, "hello", 400, "cannot be read"},
        {"GET", "/whip", "", "", 405, "Allow: POST"},
        {"PUT", "/whep", "", "", 405, "Allow: POST"},
        {"DELETE", "/whip", "", "", 405, "Allow: POST"},
        {"POST", "/", TYPE_SDP, OFFER, 405, "Allow: GET"},
        {"GET", "/etc/passwd", "", "", 404, ""},
        {"DELETE", "/whip/", "", "", 404, ""},
        {"DELETE", "/whip/00000000000000000000000000000000", "", "", 404, ""},
        {"POST", "/whip", TYPE_SDP "Origin: http://elsewhere.test\r\n", OFFER, 403, "elsewhere"},
        {"POST", "/whip", TYPE_SDP "Origin: null\r\n", OFFER, 403, "elsewhere"},
        {"POST", "/whip",
         TYPE_SDP "Host: rebound.test:8080\r\nOrigin: http://rebound.test:8080\r\n", OFFER, 403,
         "elsewhere"},
        {"OPTIONS", "/whip", "Origin: http://elsewhere.test\r\n", "", 204, "Accept-Post"},
    };

    (void)state;
    start(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int status = exchange(rows[i].method, rows[i].path, rows[i].headers, rows[i].body);

        if (status != rows[i].status || !strstr(said, rows[i].says))
            fail_msg("%s %s (row %zu): %d\n%s", rows[i].method, rows[i].path, i, status, said);
        assert_null(strstr(said, "Access-Control-Allow-Origin"));
    }
    assert_int_equal(event_count, 0);
    ops->close(sig);
}

static void test_from_here(void **state)
{
    static const char *const headers[] = {
        TYPE_SDP "Host: localhost:8080\r\nOrigin: http://localhost:8080\r\n",
        TYPE_SDP "Host: 192.0.2.7:8080\r\nOrigin: http://192.0.2.7:8080\r\n",
        TYPE_SDP "Host: [::1]:8080\r\nOrigin: https://[::1]:8080\r\n",
    };
    char location[100], tag[100];

    (void)state;
    start(NULL);
    for (int i = 0; i < 3; i++)
        (void)call("/whip", headers[i], OFFER, location, tag);
    ops->close(sig);
}

static void test_token(void **state)
{
    static const char right[] =
        TYPE_SDP "Authorization: Bearer s3cret\r\nOrigin: https://elsewhere.test\r\n";
    char location[100], tag[100];

    (void)state;
    start("s3cret");
    assert_int_equal(exchange("POST", "/whip", TYPE_SDP, OFFER), 401);
    assert_non_null(strstr(said, "WWW-Authenticate: Bearer"));
    assert_int_equal(exchange("POST", "/whip", TYPE_SDP "Authorization: Bearer s3cres\r\n", OFFER),
                     401);
    assert_int_equal(exchange("POST", "/whip", TYPE_SDP "Authorization: Bearer s3cret2\r\n", OFFER),
                     401);
    assert_int_equal(event_count, 0);
    assert_int_equal(exchange("OPTIONS", "/whip", "Origin: https://elsewhere.test\r\n", ""), 204);
    assert_non_null(strstr(said, "Access-Control-Allow-Origin: *"));
    assert_non_null(strstr(said, "Access-Control-Allow-Headers: Authorization, Content-Type"));
    (void)call("/whip", right, OFFER, location, tag);
    assert_non_null(strstr(said, "Access-Control-Expose-Headers: Location, ETag"));
    assert_int_equal(exchange("DELETE", location, "", ""), 401);
    assert_int_equal(exchange("DELETE", location, right, ""), 200);
    ops->close(sig);
}

static void test_candidates(void **state)
{
    char location[100], tag[100], headers[300];

    (void)state;
    start(NULL);
    (void)call("/whip", TYPE_SDP, OFFER, location, tag);
    int before = event_count;

    assert_int_equal(exchange("PATCH", location, TYPE_SDP, "a=x"), 415);
    assert_non_null(strstr(said, "Accept-Patch: application/trickle-ice-sdpfrag"));
    assert_int_equal(exchange("PATCH", location, TYPE_FRAG, "a=x"), 428);
    assert_int_equal(exchange("PATCH", location, TYPE_FRAG "If-Match: \"other\"\r\n", "a=x"), 412);
    assert_int_equal(exchange("PATCH", location, TYPE_FRAG "If-Match: *\r\n", "a=x"), 400);
    assert_int_equal(exchange("POST", location, TYPE_SDP, OFFER), 405);
    assert_int_equal(event_count, before);
    (void)snprintf(headers, sizeof headers, TYPE_FRAG "If-Match: %s\r\n", tag);
    static char large[20000];

    memset(large, 'a', sizeof large - 1);
    assert_int_equal(exchange("PATCH", location, headers, large), 413);
    assert_int_equal(event_count, before);
    ops->close(sig);
}

/* An ICE restart is an offer to the call, and its answer's credentials go back. */
static void test_restart(void **state)
{
    static const char fragment[] = "a=ice-ufrag:newone\r\na=ice-pwd:newpassword\r\n";
    static const char reply[] = "v=0\r\nm=audio 9 x 0\r\na=ice-ufrag:ours\r\na=ice-pwd:ourword\r\n";
    static const char with_ice[] =
        SDP("sendrecv") "a=ice-ufrag:oldone\r\na=ice-pwd:oldpassword\r\n";
    char location[100], tag[100], new_tag[100];

    (void)state;
    start(NULL);
    tdm_sig_id id = call("/whip", TYPE_SDP, with_ice, location, tag);

    for (int taken = 1; taken >= 0; taken--) {
        int before = event_count;

        said[0] = 0;
        int fd = ask("PATCH", location, TYPE_FRAG "If-Match: *\r\n", fragment);

        turn(20 * TDM_MS);
        assert_int_equal(event_count, before + 1);
        assert_int_equal(events[before].kind, TDM_SIG_OFFER);
        assert_int_equal(events[before].id, id);
        assert_non_null(strstr((const char *)events[before].body, "a=ice-ufrag:newone\r\n"));
        assert_null(strstr((const char *)events[before].body, "oldone"));
        struct tdm_sig_body body = {.data = reply, .size = sizeof reply - 1};

        assert_int_equal(ops->answer(sig, id, taken ? &body : NULL, taken ? 0 : 488), TDM_OK);
        assert_int_equal(hear(fd), taken ? 200 : 422);
        if (!taken)
            continue;
        assert_non_null(strstr(said, "a=ice-ufrag:ours\r\na=ice-pwd:ourword\r\n"));
        header_of("ETag", new_tag, sizeof new_tag);
        assert_string_not_equal(tag, new_tag);
    }
    /* One that is not answered when the call ends. */
    said[0] = 0;
    int fd = ask("PATCH", location, TYPE_FRAG "If-Match: *\r\n", fragment);

    turn(20 * TDM_MS);
    assert_int_equal(ops->hangup(sig, id, "bye"), TDM_OK);
    assert_int_equal(hear(fd), 404);
    ops->close(sig);
}

static void test_limits(void **state)
{
    static char large[20000];
    char location[100], tag[100];
    int refused = 0;

    (void)state;
    start(NULL);
    memset(large, 'a', sizeof large - 1);
    assert_int_equal(exchange("POST", "/whip", TYPE_SDP, large), 413);
    for (int i = 0; i < 3; i++)
        (void)call("/whip", TYPE_SDP, OFFER, location, tag);
    assert_int_equal(exchange("POST", "/whip", TYPE_SDP, OFFER), 503); /* calls_max is 3. */
    assert_non_null(strstr(said, "Retry-After"));
    for (int i = 0; i < 10; i++)
        refused += exchange("POST", "/whip", TYPE_SDP, OFFER) == 429;
    assert_in_range(refused, 3, 10);
    assert_int_equal(exchange("DELETE", location, "", ""), 200); /* That goes on. */
    ops->close(sig);
}

/* What this side decides, and how the browser hears of it. */
static void test_not_taken(void **state)
{
    static const struct {
        uint16_t code;
        int status;
    } rows[] = {{488, 422}, {486, 503}, {603, 403}, {0, 503}};
    char location[100], tag[100];

    (void)state;
    start(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        said[0] = 0;
        event_count = 0;
        int fd = ask("POST", "/whip", TYPE_SDP, OFFER);

        turn(20 * TDM_MS);
        assert_int_equal(event_count, 1);
        if (rows[i].code)
            assert_int_equal(ops->reject(sig, events[0].id, rows[i].code), TDM_OK);
        else
            assert_int_equal(ops->hangup(sig, events[0].id, NULL), TDM_OK);
        assert_int_equal(hear(fd), rows[i].status);
        assert_int_equal(events[1].kind, TDM_SIG_ENDED);
    }
    event_count = 0;
    tdm_sig_id id = call("/whip", TYPE_SDP, OFFER, location, tag);

    event_count = 0;
    assert_int_equal(ops->offer(sig, id, &(struct tdm_sig_body){.data = "x", .size = 1}), TDM_OK);
    turn(5 * TDM_MS);
    assert_int_equal(events[0].kind, TDM_SIG_OFFER_REFUSED);
    assert_int_equal(ops->hangup(sig, id, "bye"), TDM_OK);
    turn(5 * TDM_MS);
    assert_int_equal(events[1].kind, TDM_SIG_ENDED);
    assert_int_equal(exchange("DELETE", location, "", ""), 404);
    assert_int_equal(ops->hangup(sig, id, "bye"), TDM_OK); /* Over is over. */
    turn(5 * TDM_MS);
    assert_int_equal(event_count, 2);
    /* One that is asked when the backend closes. */
    int fd = ask("POST", "/whip", TYPE_SDP, OFFER);

    turn(20 * TDM_MS);
    ops->close(sig);
    (void)close(fd);
}

static void test_page(void **state)
{
    (void)state;
    start("a token is not needed to see the page");
    assert_int_equal(exchange("GET", "/", "", ""), 200);
    assert_non_null(strstr(said, "Content-Type: text/html"));
    assert_non_null(strstr(said, "Content-Security-Policy: default-src 'self'"));
    assert_non_null(strstr(said, "RTCPeerConnection"));
    assert_int_equal(exchange("HEAD", "/", "", ""), 200);
    assert_null(strstr(said, "RTCPeerConnection"));
    ops->close(sig);
}

static void test_calling_out(void **state)
{
    struct tdm_cause cause = {""};
    tdm_sig_id id;

    (void)state;
    start(NULL);
    assert_int_equal(
        ops->call(sig, 0, "sip:x", &(struct tdm_sig_body){.data = "x", .size = 1}, &id, &cause),
        TDM_E_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "browser"));
    assert_int_equal(ops->options(sig, 0, "sip:x", NULL, &id, &cause), TDM_E_UNSUPPORTED);
    ops->close(sig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call),      cmocka_unit_test(test_watching),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_from_here),
        cmocka_unit_test(test_token),       cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_restart),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_not_taken),   cmocka_unit_test(test_page),
        cmocka_unit_test(test_calling_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
