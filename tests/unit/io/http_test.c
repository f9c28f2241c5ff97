/* SPDX-License-Identifier: MIT */
/* A client of bytes on loopback, and the server run by hand. */
#include "engine/io/http.h"

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

static struct tdm_http *http;

static int setup(void **state)
{
    struct tdm_cause cause = {""};

    (void)state;
    if (tdm_http_open(&http, &(struct tdm_http_config){0}, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tdm_http_close(http);
    return 0;
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(tdm_http_port(http))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const char *text, size_t size)
{
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
}

/* Runs the server until it has a request; NULL after `patience`. */
static const struct tdm_http_request *next(tdm_time patience)
{
    const struct tdm_http_request *request = NULL;
    tdm_time end = tdm_clock_now() + patience;

    while (tdm_http_next(http, &request) != TDM_OK)
        if (tdm_wait_until(end, tdm_http_fd(http), -1) == TDM_WAIT_TIME)
            return NULL;
    return request;
}

/* What the client gets until the server closes or `until` stands in it. */
static size_t hear(int fd, char *text, size_t capacity, const char *until)
{
    const struct tdm_http_request *request;
    size_t size = 0;
    tdm_time end = tdm_clock_now() + 15 * TDM_S;

    for (;;) {
        ssize_t got = recv(fd, text + size, capacity - 1 - size, MSG_DONTWAIT);

        if (got == 0)
            break;
        if (got > 0)
            size += (size_t)got;
        text[size] = 0;
        if (until && strstr(text, until))
            break;
        assert_true(tdm_clock_now() < end);
        while (tdm_http_next(http, &request) == TDM_OK)
            fail_msg("another request: %s", request->path);
        (void)tdm_wait_until(tdm_clock_now() + 5 * TDM_MS, tdm_http_fd(http), -1);
    }
    text[size] = 0;
    return size;
}

static void test_one_request(void **state)
{
    static const char post[] = "POST /whip/a?b=c HTTP/1.1\r\nHost: x\r\n"
                               "Content-Type: Application/SDP; charset=x\r\n"
                               "Authorization: Bearer secret\r\nIf-Match: \"e\"\r\n"
                               "Origin: http://o\r\nContent-Length: 5\r\n\r\nv=0\r\n";
    char text[1000];
    int fd = dial();

    (void)state;
    say(fd, post, sizeof post - 1);
    const struct tdm_http_request *r = next(TDM_S);

    assert_non_null(r);
    assert_int_equal(r->method, TDM_HTTP_POST);
    assert_string_equal(r->path, "/whip/a");
    assert_string_equal(r->content_type, "application/sdp");
    assert_string_equal(r->authorization, "Bearer secret");
    assert_string_equal(r->if_match, "\"e\"");
    assert_string_equal(r->origin, "http://o");
    assert_string_equal(r->host, "x");
    assert_string_equal(r->peer, "127.0.0.1");
    assert_int_equal(r->body_size, 5);
    assert_memory_equal(r->body, "v=0\r\n", 5);
    assert_false(r->head_too_long || r->body_too_long);
    uint32_t id = r->id;

    assert_null(next(20 * TDM_MS)); /* Given once. */
    struct tdm_http_response answer = {
        .status = 201,
        .content_type = "application/sdp",
        .body = "answer",
        .body_size = 6,
        .header_count = 1,
        .headers = {{"Location", "/whip/7"}},
    };

    assert_int_equal(tdm_http_answer(http, id + 1, &answer), TDM_E_GONE);
    assert_int_equal(tdm_http_answer(http, id, &answer), TDM_OK);
    assert_int_equal(tdm_http_answer(http, id, &answer), TDM_E_GONE);
    (void)hear(fd, text, sizeof text, "answer");
    assert_non_null(strstr(text, "HTTP/1.1 201 "));
    assert_non_null(strstr(text, "Location: /whip/7\r\n"));
    assert_non_null(strstr(text, "Content-Type: application/sdp\r\n"));

    /* The connection serves another one. */
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    r = next(TDM_S);
    assert_non_null(r);
    assert_int_equal(r->method, TDM_HTTP_GET);
    assert_string_equal(r->content_type, "");
    (void)close(fd);
}

static void test_methods(void **state)
{
    static const struct {
        const char *name;
        enum tdm_http_method method;
    } rows[] = {{"OPTIONS", TDM_HTTP_OPTIONS},
                {"DELETE", TDM_HTTP_DELETE},
                {"PATCH", TDM_HTTP_PATCH},
                {"HEAD", TDM_HTTP_HEAD},
                {"BREW", TDM_HTTP_OTHER}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        int fd = dial();
        int size = snprintf(text, sizeof text,
                            "%s /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", rows[i].name);

        say(fd, text, (size_t)size);
        const struct tdm_http_request *r = next(TDM_S);

        assert_non_null(r);
        assert_int_equal(r->method, rows[i].method);
        (void)close(fd);
        assert_int_equal(tdm_http_answer(http, r->id, &(struct tdm_http_response){.status = 204}),
                         TDM_OK);
    }
}

/* Told at once when the head says it, else when it happens; nothing is kept of what is too much. */
static void test_too_long(void **state)
{
    static const char said[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n";
    static const char chunked[] =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    static char more[1 << 20];
    char text[1000], head[2000];
    int fd = dial();

    (void)state;
    say(fd, said, sizeof said - 1);
    const struct tdm_http_request *r = next(TDM_S);

    assert_non_null(r);
    assert_true(r->body_too_long);
    assert_int_equal(tdm_http_answer(http, r->id, &(struct tdm_http_response){.status = 413}),
                     TDM_OK);
    (void)hear(fd, text, sizeof text, "\r\n\r\n");
    assert_non_null(strstr(text, "HTTP/1.1 413 "));
    (void)close(fd);

    fd = dial();
    say(fd, chunked, sizeof chunked - 1);
    memset(more, 'x', sizeof more);
    memcpy(more, "fffff\r\n", 7);
    assert_true(send(fd, more, sizeof more, MSG_NOSIGNAL | MSG_DONTWAIT) > 0);
    assert_int_equal(hear(fd, text, sizeof text, NULL), 0); /* Closed. */
    (void)close(fd);

    memset(more, 'a', 1000);
    more[1000] = 0;
    int size =
        snprintf(head, sizeof head,
                 "GET /%.300s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", more, more);

    fd = dial();
    say(fd, head, (size_t)size);
    r = next(TDM_S);
    assert_non_null(r);
    assert_true(r->head_too_long);
    (void)close(fd);
}

/* One byte now and then does not keep a connection. */
static void test_slow(void **state)
{
    char text[200];
    int fd = dial();
    tdm_time began = tdm_clock_now();
    size_t got = 1;

    (void)state;
    for (int i = 0; got && i < 40; i++) {
        ssize_t sent = send(fd, "G", 1, MSG_NOSIGNAL);
        tdm_time end = tdm_clock_now() + 500 * TDM_MS;

        (void)sent;
        while (tdm_clock_now() < end)
            assert_null(next(50 * TDM_MS));
        if (recv(fd, text, sizeof text, MSG_DONTWAIT) == 0)
            got = 0;
    }
    assert_int_equal(got, 0);
    assert_true(tdm_clock_now() - began >= TDM_HTTP_REQUEST_TIME);
    (void)close(fd);
}

/* More connections than one peer may have are turned away, and those there are go on. */
static void test_many(void **state)
{
    int fds[60];
    char text[300];
    int refused = 0;

    (void)state;
    for (int i = 0; i < 60; i++) {
        fds[i] = dial();
        assert_null(next(2 * TDM_MS));
    }
    for (int i = 0; i < 60; i++)
        refused += recv(fds[i], text, sizeof text, MSG_DONTWAIT) == 0;
    assert_in_range(refused, 40, 59);
    say(fds[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    assert_non_null(next(TDM_S));
    for (int i = 0; i < 60; i++)
        (void)close(fds[i]);
}

/* A request that is never answered, and one whose client left, do no harm at the end. */
static void test_closed_in_between(void **state)
{
    const struct tdm_http_request *r;
    int fd = dial(), other = dial();

    (void)state;
    say(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 28);
    assert_non_null(next(TDM_S));
    say(other, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n", 28);
    r = next(TDM_S);
    assert_non_null(r);
    (void)close(other);
    assert_int_equal(
        tdm_http_answer(http, r->id,
                        &(struct tdm_http_response){.status = 200, .body = "x", .body_size = 1}),
        TDM_OK);
    assert_null(next(20 * TDM_MS));
    (void)close(fd);
}

static void test_what_cannot_be(void **state)
{
    struct tdm_http *other;
    struct tdm_cause cause = {""};

    (void)state;
    assert_int_equal(tdm_http_open(&other, &(struct tdm_http_config){.address = "nowhere"}, &cause),
                     TDM_E_MALFORMED);
    assert_non_null(strstr(cause.text, "nowhere"));
    assert_int_equal(
        tdm_http_open(&other, &(struct tdm_http_config){.port = tdm_http_port(http)}, &cause),
        TDM_E_SYSTEM);
    assert_non_null(strstr(cause.text, "choose another"));
    assert_int_equal(
        tdm_http_open(&other, &(struct tdm_http_config){.certificate = "no", .key = "no"}, &cause),
        TDM_E_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closed_in_between, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
