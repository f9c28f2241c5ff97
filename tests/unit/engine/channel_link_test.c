/* SPDX-License-Identifier: MIT */
/*
 * Two ends of a data channel on loopback, with a rider that sends a stream of known bytes each way:
 * both roles, both at once, strangers, wrong certificates, broken connections. What is waited for
 * is an event, never a time.
 */
#include "engine/channel_link.h"

#include "engine/io/clock.h"
#include "engine/io/tcp.h"
#include "engine/io/tls.h"
#include "engine/io/wake.h"
#include "engine/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE (60 * TDM_S) /* ThreadSanitizer on a loaded machine is slow. */

static struct tdm_identity *ids[3]; /* The third is a stranger's. */

struct rider {
    struct tdm_rider_seat *seat;
    uint64_t total; /* To send on a stream of its own. */
    uint32_t own, theirs;
    uint64_t sent, received;
    _Atomic uint64_t received_now;
    _Atomic uint32_t ups, resumes, downs, resets;
    _Atomic bool done, wrong; /* Everything arrived there; something else arrived here. */
    int wake;
};

struct end {
    struct tdm_channel_link *link;
    struct rider rider;
    struct tdm_channel_link_status status;
    struct tdm_link *media; /* NULL: none. */
};

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 9) + (offset >> 17));
}

static void attach(void *rider, struct tdm_rider_seat *seat)
{
    ((struct rider *)rider)->seat = seat;
}

static void up(void *rider, tdm_time now, bool resumed)
{
    struct rider *r = rider;

    (void)now;
    r->ups++;
    r->resumes += resumed;
    if (!resumed && r->total && !tdm_rider_open(r->seat, TDM_KIND_FILE_DATA, TDM_CLASS_BULK, 77))
        r->wrong = true;
}

static void down(void *rider, tdm_time now)
{
    (void)now;
    ((struct rider *)rider)->downs++;
}

static void opened(void *rider, tdm_time now, const struct tdm_rider_stream *stream)
{
    struct rider *r = rider;

    (void)now;
    if (stream->tag == 77)
        r->own = stream->id;
    else
        r->theirs = stream->id;
    if (stream->id == 0 || stream->kind != TDM_KIND_FILE_DATA || stream->cls != TDM_CLASS_BULK)
        r->wrong = true;
    if (stream->tag == 77)
        (void)tdm_rider_ready(r->seat, stream->id);
}

static void record(void *rider, tdm_time now, uint32_t stream, const uint8_t *data, size_t size,
                   bool fin)
{
    struct rider *r = rider;

    (void)now;
    if (stream != r->theirs)
        return; /* The end of our own. */
    for (size_t i = 0; i < size; i++)
        if (data[i] != byte_at(r->received + i))
            r->wrong = true;
    r->received += size;
    r->received_now = r->received;
    if (!tdm_rider_consumed(r->seat, stream, size) || (fin && !tdm_rider_ready(r->seat, stream)))
        r->wrong = true;
    tdm_wake_signal(r->wake);
}

static size_t pull(void *rider, tdm_time now, uint32_t stream, uint8_t *room, size_t max,
                   bool *more, bool *fin)
{
    struct rider *r = rider;
    uint64_t left = r->total - r->sent;
    size_t size = left < max ? (size_t)left : max;

    (void)now;
    if (stream == r->theirs) {
        *fin = true; /* We say nothing on it. */
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        room[i] = byte_at(r->sent + i);
    r->sent += size;
    *more = *fin = false;
    *more = r->sent < r->total;
    *fin = !*more;
    return size;
}

static void acked(void *rider, tdm_time now, uint32_t stream, uint64_t offset, bool fin)
{
    struct rider *r = rider;

    (void)now;
    if (stream == r->own && fin && offset == r->total)
        r->done = true;
    tdm_wake_signal(r->wake);
}

static void rewind_to(void *rider, tdm_time now, uint32_t stream, uint64_t offset)
{
    struct rider *r = rider;

    (void)now;
    if (stream == r->own && offset > r->sent)
        r->wrong = true;
    if (stream == r->own)
        r->sent = offset;
}

static void reset(void *rider, tdm_time now, uint32_t stream)
{
    (void)now;
    (void)stream;
    ((struct rider *)rider)->resets++;
}

static const enum tdm_channel_kind kinds[] = {TDM_KIND_FILE_DATA, 0};
static const struct tdm_rider_ops ops = {.name = "test",
                                         .kinds = kinds,
                                         .attach = attach,
                                         .up = up,
                                         .down = down,
                                         .opened = opened,
                                         .record = record,
                                         .pull = pull,
                                         .acked = acked,
                                         .rewind = rewind_to,
                                         .reset = reset};

static void open_end_with(struct end *e, int who, uint64_t total, struct tdm_link *media)
{
    struct tdm_cause cause = {""};

    memset(e, 0, sizeof *e);
    e->media = media;
    e->rider.wake = tdm_wake_open(&cause);
    assert_true(e->rider.wake >= 0);
    e->rider.total = total;
    const struct tdm_channel_link_config config = {.identity = ids[who],
                                                   .address = "127.0.0.1",
                                                   .control_wake = e->rider.wake,
                                                   .media = media};

    assert_true(tdm_channel_link_create(&e->link, &config, &cause) == TDM_OK);
    assert_true(tdm_channel_link_port(e->link) != 0);
    assert_true(tdm_channel_link_attach(e->link, &ops, &e->rider) == TDM_OK);
    assert_true(tdm_channel_link_start(e->link, &cause) == TDM_OK);
}

static void open_end(struct end *e, int who, uint64_t total)
{
    open_end_with(e, who, total, NULL);
}

static void close_end(struct end *e)
{
    tdm_channel_link_destroy(e->link);
    (void)close(e->rider.wake);
}

static struct tdm_channel_terms terms_of(enum tdm_setup setup, uint16_t port, int trusted)
{
    struct tdm_channel_terms t = {.setup = setup, .fingerprint_count = 1};

    if (port) {
        t.target_count = 1;
        assert_true(tdm_address_parse(&t.targets[0], "127.0.0.1", port) == TDM_OK);
    }
    t.fingerprints[0] =
        (struct tdm_fingerprint_desc){.hash = "sha-256", .size = TDM_FINGERPRINT_BYTES};
    memcpy(t.fingerprints[0].bytes, tdm_identity_fingerprint(ids[trusted]), TDM_FINGERPRINT_BYTES);
    return t;
}

static void agree(struct end *e, enum tdm_setup setup, uint16_t port, int trusted)
{
    struct tdm_channel_terms t = terms_of(setup, port, trusted);

    tdm_channel_link_agree(e->link, &t);
}

static bool in_state(struct end *e, enum tdm_channel_link_state state)
{
    while (tdm_channel_link_status(e->link, &e->status))
        if (e->status.state == state)
            return true;
    return e->status.state == state;
}

/* Waits until `what` holds of both; what happens wakes us, not a clock. */
#define WAIT_UNTIL(ends, what)                                                                     \
    do {                                                                                           \
        tdm_time end_ = tdm_clock_now() + PATIENCE;                                                \
        bool held_;                                                                                \
        while (!(held_ = (what)) && tdm_clock_now() < end_) {                                      \
            (void)tdm_wait_until(end_, (ends)[0].rider.wake, (ends)[1].rider.wake);                \
            tdm_wake_clear((ends)[0].rider.wake);                                                  \
            tdm_wake_clear((ends)[1].rider.wake);                                                  \
        }                                                                                          \
        assert_true(held_);                                                                        \
    } while (0)

static void check_done(struct end e[2])
{
    for (int i = 0; i < 2; i++) {
        assert_false(e[i].rider.wrong);
        assert_int_equal(e[i].rider.received_now, e[!i].rider.total);
        for (int k = 0; k < 200 && !in_state(&e[i], TDM_CHANNEL_UP); k++)
            (void)tdm_wait_until(tdm_clock_now() + 20 * TDM_MS, -1,
                                 -1); /* It is told a little later. */
        assert_int_equal(e[i].status.state, TDM_CHANNEL_UP);
        assert_true(e[i].status.peer_checked);
        assert_memory_equal(e[i].status.peer, tdm_identity_fingerprint(ids[!i]),
                            TDM_FINGERPRINT_BYTES);
    }
}

static bool both_done(const struct end e[2])
{
    return e[0].rider.done && e[1].rider.done;
}

/* Either may be the one that can be reached, and either or both may dial. */
static void test_ways(void **state)
{
    static const struct {
        enum tdm_setup setup;     /* Of the first. */
        bool reaches[2];          /* Whether it knows where the other one listens. */
        enum tdm_channel_way way; /* Of the first; NONE: either. */
    } rows[] = {
        {TDM_SETUP_ACTIVE, {true, false}, TDM_CHANNEL_DIALED},
        {TDM_SETUP_PASSIVE, {false, true}, TDM_CHANNEL_ACCEPTED},
        {TDM_SETUP_ACTIVE, {false, true}, TDM_CHANNEL_ACCEPTED}, /* The passive one helps. */
        {TDM_SETUP_PASSIVE, {true, false}, TDM_CHANNEL_DIALED},
        {TDM_SETUP_ACTIVE, {true, true}, TDM_CHANNEL_WAY_NONE},
        {TDM_SETUP_PASSIVE, {true, true}, TDM_CHANNEL_WAY_NONE},
    };

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        static struct end e[2];
        enum tdm_setup other =
            rows[r].setup == TDM_SETUP_ACTIVE ? TDM_SETUP_PASSIVE : TDM_SETUP_ACTIVE;

        open_end(&e[0], 0, 3000000);
        open_end(&e[1], 1, 1000000);
        agree(&e[0], rows[r].setup, rows[r].reaches[0] ? tdm_channel_link_port(e[1].link) : 0, 1);
        agree(&e[1], other, rows[r].reaches[1] ? tdm_channel_link_port(e[0].link) : 0, 0);
        WAIT_UNTIL(e, both_done(e));
        check_done(e);
        if (rows[r].way)
            assert_int_equal(e[0].status.way, rows[r].way);
        assert_true(e[0].status.way != e[1].status.way);
        assert_int_equal(e[0].rider.ups, 1);
        close_end(&e[0]);
        close_end(&e[1]);
    }
}

/* Both dial at the same time, over and over: one connection, the same for both. */
static void test_race(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        static struct end e[2];

        open_end(&e[0], 0, 100000);
        open_end(&e[1], 1, 100000);
        /* Who takes himself for the opener dials at once; the second one's turn is brought forward
         * by telling it last time's terms again. */
        agree(&e[i & 1], TDM_SETUP_ACTIVE, tdm_channel_link_port(e[!(i & 1)].link), !(i & 1));
        agree(&e[!(i & 1)], TDM_SETUP_PASSIVE, tdm_channel_link_port(e[i & 1].link), i & 1);
        WAIT_UNTIL(e, both_done(e));
        check_done(e);
        assert_int_equal(e[0].rider.ups + e[1].rider.ups, 2);
        close_end(&e[0]);
        close_end(&e[1]);
    }
}

static void test_wrong_certificate(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        static struct end e[2];

        open_end(&e[0], 0, 1000);
        open_end(&e[1], wrong ? 2 : 1, 1000); /* A stranger at the other end; or with our terms. */
        agree(&e[0], TDM_SETUP_ACTIVE, tdm_channel_link_port(e[1].link), wrong ? 1 : 2);
        agree(&e[1], TDM_SETUP_PASSIVE, 0, 0);
        WAIT_UNTIL(e, in_state(&e[0], TDM_CHANNEL_WAITING) &&
                          strstr(e[0].status.text, "somebody may sit between"));
        assert_int_equal(e[0].rider.ups + e[1].rider.ups, 0);
        close_end(&e[0]);
        close_end(&e[1]);
    }
}

static int connect_to(uint16_t port)
{
    struct tdm_address to;
    int fd = -1;

    assert_true(tdm_address_parse(&to, "127.0.0.1", port) == TDM_OK);
    assert_true(tdm_tcp_connect(&to, &fd, NULL) == TDM_OK);
    return fd;
}

/* Strangers that say nothing, that talk nonsense, or that have a certificate of their own do not
 * keep the right one out. */
static void test_strangers(void **state)
{
    static struct end e[2];
    int silent[12];

    (void)state;
    open_end(&e[0], 0, 200000);
    open_end(&e[1], 1, 200000);
    agree(&e[1], TDM_SETUP_PASSIVE, tdm_channel_link_port(e[0].link), 0);
    for (int i = 0; i < 12; i++) {
        silent[i] = connect_to(tdm_channel_link_port(e[1].link));
        if (i % 3 == 0)
            (void)send(silent[i], "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
    }
    WAIT_UNTIL(e, in_state(&e[1], TDM_CHANNEL_WAITING) && e[1].status.refused >= 8);
    agree(&e[0], TDM_SETUP_ACTIVE, tdm_channel_link_port(e[1].link), 1);
    WAIT_UNTIL(e, both_done(e));
    check_done(e);
    for (int i = 0; i < 12; i++)
        (void)close(silent[i]);
    close_end(&e[0]);
    close_end(&e[1]);
}

/* Ends every connection of this process with that port, as a firewall that forgets would. */
static void cut(uint16_t port)
{
    for (int fd = 3; fd < 1024; fd++) {
        struct sockaddr_in at[2] = {{0}};
        socklen_t sizes[2] = {sizeof at[0], sizeof at[1]};

        if (getsockname(fd, (struct sockaddr *)&at[0], &sizes[0]) != 0 ||
            getpeername(fd, (struct sockaddr *)&at[1], &sizes[1]) != 0 ||
            at[0].sin_family != AF_INET)
            continue;
        if (ntohs(at[0].sin_port) == port || ntohs(at[1].sin_port) == port)
            (void)shutdown(fd, SHUT_RDWR);
    }
}

/* Cut while it is busy, again and again: every byte arrives once. */
static void test_broken(void **state)
{
    static struct end e[2];
    uint64_t next = 1000000;

    (void)state;
    open_end(&e[0], 0, 80000000);
    open_end(&e[1], 1, 40000000);
    agree(&e[0], TDM_SETUP_ACTIVE, tdm_channel_link_port(e[1].link), 1);
    agree(&e[1], TDM_SETUP_PASSIVE, tdm_channel_link_port(e[0].link), 0);
    for (int i = 0; i < 5; i++) {
        uint32_t resumes = e[0].rider.resumes;

        WAIT_UNTIL(e, e[1].rider.received_now >= next);
        next = e[1].rider.received_now + 5000000;
        cut(tdm_channel_link_port(e[0].link));
        cut(tdm_channel_link_port(e[1].link));
        WAIT_UNTIL(e, e[0].rider.resumes > resumes || both_done(e));
    }
    WAIT_UNTIL(e, both_done(e));
    check_done(e);
    assert_true(e[0].rider.resumes >= 1);
    assert_int_equal(e[0].rider.ups, e[0].rider.resumes + 1);
    close_end(&e[0]);
    close_end(&e[1]);
}

/* The port is one of the range; when all are taken it only connects. */
static void test_ports(void **state)
{
    static struct end e[2];
    struct tdm_channel_link *link;
    struct tdm_cause cause = {""};

    (void)state;
    open_end(&e[0], 0, 1000);
    open_end(&e[1], 1, 1000);
    uint16_t taken = tdm_channel_link_port(e[0].link);
    struct tdm_channel_link_config config = {.identity = ids[0],
                                             .address = "127.0.0.1",
                                             .port_min = taken,
                                             .port_max = taken,
                                             .control_wake = e[0].rider.wake};

    assert_true(tdm_channel_link_create(&link, &config, &cause) == TDM_OK);
    assert_int_equal(tdm_channel_link_port(link), 0);
    assert_non_null(strstr(cause.text, "name others"));
    tdm_channel_link_destroy(link);
    config.port_max = (uint16_t)(taken + 20);
    assert_true(tdm_channel_link_create(&link, &config, &cause) == TDM_OK);
    assert_in_range(tdm_channel_link_port(link), taken + 1, taken + 20);
    tdm_channel_link_destroy(link);
    close_end(&e[0]);
    close_end(&e[1]);
}

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        if (tdm_identity_load(NULL, &ids[i], NULL) != TDM_OK)
            return -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        tdm_identity_free(ids[i]);
    return 0;
}

/* Two net threads and the way between them, in one thread: it loses and swaps datagrams. */
struct path {
    struct tdm_link links[2];
    pthread_t thread;
    _Atomic bool stopping, cut;
    _Atomic uint32_t carried;
    uint32_t count;
};

static void carry(struct path *p, int from)
{
    struct tdm_record_ring *in = &p->links[from].tx_data, *out = &p->links[!from].rx_data;
    const void *data;
    uint32_t size;

    while ((data = tdm_record_ring_peek(in, &size))) {
        void *record = p->cut || ++p->count % 23 == 0 ? NULL : tdm_record_ring_reserve(out, size);

        if (record) {
            memcpy(record, data, size);
            tdm_record_ring_commit(out);
            p->carried++;
        }
        tdm_record_ring_release(in);
        tdm_wake_signal(p->links[!from].data_wake);
    }
}

static void *carry_all(void *arg)
{
    struct path *p = arg;

    while (!p->stopping) {
        (void)tdm_wait_until(tdm_clock_now() + TDM_S, p->links[0].net_wake, p->links[1].net_wake);
        for (int i = 0; i < 2; i++) {
            tdm_wake_clear(p->links[i].net_wake);
            carry(p, i);
        }
    }
    return NULL;
}

static void open_path(struct path *p)
{
    memset(p, 0, sizeof *p);
    for (int i = 0; i < 2; i++)
        assert_true(tdm_link_init(&p->links[i], NULL) == TDM_OK);
    assert_int_equal(pthread_create(&p->thread, NULL, carry_all, p), 0);
}

static void close_path(struct path *p)
{
    p->stopping = true;
    tdm_wake_signal(p->links[0].net_wake);
    (void)pthread_join(p->thread, NULL);
    for (int i = 0; i < 2; i++)
        tdm_link_free(&p->links[i]);
}

/* The media of that end is protected, with a peer of that certificate. */
static void media_stands(struct end *e, int peer)
{
    struct tdm_channel_media media = {.ready = true};

    memcpy(media.peer, tdm_identity_fingerprint(ids[peer]), sizeof media.peer);
    tdm_channel_link_media(e->link, &media);
}

/* A port where nobody listens. */
static uint16_t dead_port(void)
{
    int fd = -1;
    uint16_t port = 0;

    assert_true(tdm_tcp_listen("127.0.0.1", 0, 0, &fd, &port, NULL) == TDM_OK);
    (void)close(fd);
    return port;
}

/* Nobody can be reached by TCP: by the terms (at once), or as attempts show. */
static void test_over_media(void **state)
{
    static const struct {
        enum tdm_setup setup[2];
        bool caller[2], dials;
    } rows[] = {
        {{TDM_SETUP_HOLDCONN, TDM_SETUP_HOLDCONN}, {true, false}, false},
        {{TDM_SETUP_HOLDCONN, TDM_SETUP_HOLDCONN}, {false, true}, false},
        {{TDM_SETUP_ACTIVE, TDM_SETUP_PASSIVE}, {false, true}, true},
        {{TDM_SETUP_PASSIVE, TDM_SETUP_ACTIVE}, {false, true}, true},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        static struct path p;
        static struct end e[2];

        open_path(&p);
        for (int i = 0; i < 2; i++) {
            struct tdm_channel_terms t =
                terms_of(rows[row].setup[i], rows[row].dials ? dead_port() : 0, !i);

            t.caller = rows[row].caller[i];
            open_end_with(&e[i], i, i ? 300000 : 900000, &p.links[i]);
            media_stands(&e[i], !i);
            tdm_channel_link_agree(e[i].link, &t);
        }
        WAIT_UNTIL(e, both_done(e));
        check_done(e);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(e[i].status.way, TDM_CHANNEL_OVER_MEDIA);
            assert_non_null(strstr(e[i].status.text, "over the media path"));
            close_end(&e[i]);
        }
        close_path(&p);
    }
}

/* The media path is gone for a while: it is taken up again, and every byte arrives once. */
static void test_media_broken(void **state)
{
    static struct path p;
    static struct end e[2];

    (void)state;
    open_path(&p);
    for (int i = 0; i < 2; i++) {
        open_end_with(&e[i], i, 4000000, &p.links[i]);
        media_stands(&e[i], !i);
        agree(&e[i], i ? TDM_SETUP_PASSIVE : TDM_SETUP_ACTIVE, i ? dead_port() : 0, !i);
    }
    WAIT_UNTIL(e, e[0].rider.received_now > 100000 && e[1].rider.received_now > 100000);
    p.cut = true;
    WAIT_UNTIL(e, in_state(&e[0], TDM_CHANNEL_BROKEN));
    WAIT_UNTIL(e, in_state(&e[1], TDM_CHANNEL_BROKEN));
    p.cut = false;
    WAIT_UNTIL(e, both_done(e));
    check_done(e);
    assert_true(e[0].rider.resumes >= 1);
    assert_int_equal(e[0].rider.ups, e[0].rider.resumes + 1);
    for (int i = 0; i < 2; i++)
        close_end(&e[i]);
    close_path(&p);
}

/* TCP that passes is taken, and the media path is not touched. */
static void test_media_not_needed(void **state)
{
    static struct path p;
    static struct end e[2];

    (void)state;
    open_path(&p);
    for (int i = 0; i < 2; i++) {
        open_end_with(&e[i], i, 100000, &p.links[i]);
        media_stands(&e[i], !i);
    }
    agree(&e[0], TDM_SETUP_ACTIVE, tdm_channel_link_port(e[1].link), 1);
    agree(&e[1], TDM_SETUP_PASSIVE, 0, 0);
    WAIT_UNTIL(e, both_done(e));
    check_done(e);
    assert_int_equal(e[0].status.way, TDM_CHANNEL_DIALED);
    assert_int_equal(p.carried, 0);
    for (int i = 0; i < 2; i++)
        close_end(&e[i]);
    close_path(&p);
}

/* An association with somebody else than the channel's description names carries nothing. */
static void test_media_of_a_stranger(void **state)
{
    static struct path p;
    static struct end e[2];

    (void)state;
    open_path(&p);
    for (int i = 0; i < 2; i++) {
        open_end_with(&e[i], i, 1000, &p.links[i]);
        media_stands(&e[i], i ? 0 : 2); /* The second one would take part. */
        agree(&e[i], i ? TDM_SETUP_PASSIVE : TDM_SETUP_ACTIVE, dead_port(), !i);
    }
    WAIT_UNTIL(e, in_state(&e[0], TDM_CHANNEL_WAITING) && e[0].status.text[0]);
    tdm_wait_until(tdm_clock_now() + 4 * TDM_S, -1, -1); /* The time at which it would begin. */
    assert_int_equal(p.carried, 0);
    assert_int_equal(e[0].rider.ups + e[1].rider.ups, 0);
    for (int i = 0; i < 2; i++)
        close_end(&e[i]);
    close_path(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),         cmocka_unit_test(test_race),
        cmocka_unit_test(test_strangers),    cmocka_unit_test(test_wrong_certificate),
        cmocka_unit_test(test_broken),       cmocka_unit_test(test_ports),
        cmocka_unit_test(test_over_media),   cmocka_unit_test(test_media_not_needed),
        cmocka_unit_test(test_media_broken), cmocka_unit_test(test_media_of_a_stranger),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
