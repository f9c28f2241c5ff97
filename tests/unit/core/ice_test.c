/* SPDX-License-Identifier: MIT */

/* One ICE agent against messages made by hand; whole sessions are in tests/sim. */

#include "engine/core/ice.h"
#include "engine/wire/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THEIR_UFRAG "theirufrag"
#define THEIR_PWD   "their-password-of-24-chars"
#define TOLD_KEPT   32

struct rig {
    struct tdm_ice *ice;
    struct tdm_ice_config config;
    tdm_time now;
    struct tdm_ice_out out; /* Of the last step. */
    struct tdm_address ours, theirs, server;
    unsigned told_count; /* Since the start. */
    struct tdm_ice_told told[TOLD_KEPT];
};

static struct tdm_address v4(const char *host, uint16_t port)
{
    struct tdm_address a;

    assert_int_equal(tdm_address_parse(&a, host, port), TDM_OK);
    return a;
}

static void step(struct rig *r, const struct tdm_ice_in *in)
{
    tdm_ice_step(r->ice, r->now, in, &r->out);
    assert_true(r->out.wake_at >= r->now);
    for (unsigned i = 0; i < r->out.told_count; i++)
        r->told[r->told_count++ % TOLD_KEPT] = r->out.told[i];
}

static void input(struct rig *r, enum tdm_ice_input kind, const struct tdm_address *address)
{
    struct tdm_ice_in in = {.kind = kind};

    if (address)
        in.address = *address;
    step(r, &in);
}

static void describe(struct rig *r, bool lite)
{
    step(r, &(struct tdm_ice_in){
                .kind = TDM_ICE_REMOTE, .ufrag = THEIR_UFRAG, .pwd = THEIR_PWD, .lite = lite});
}

static void offer(struct rig *r, const struct tdm_address *address)
{
    struct tdm_ice_in in = {.kind = TDM_ICE_CANDIDATE};

    in.candidate.address = *address;
    in.candidate.priority = 126u << 24 | 65535u << 8 | 255u;
    step(r, &in);
}

/* The next check to leave, within five seconds; NULL: none does. */
static const struct tdm_ice_send *next_check(struct rig *r, struct tdm_stun *m)
{
    for (tdm_time end = r->now + 5 * TDM_S; r->now < end;) {
        for (unsigned i = 0; i < r->out.send_count; i++)
            if (tdm_stun_parse(m, r->out.sends[i].data, r->out.sends[i].size) == TDM_OK &&
                m->kind == TDM_STUN_REQUEST && m->username.data)
                return &r->out.sends[i];
        r->now = tdm_time_min(end, tdm_time_max(r->now + TDM_US, r->out.wake_at));
        step(r, NULL);
    }
    return NULL;
}

static void come(struct rig *r, const struct tdm_address *from, const uint8_t *data, size_t size)
{
    step(r,
         &(struct tdm_ice_in){
             .kind = TDM_ICE_DATAGRAM, .from = *from, .to = r->ours, .data = data, .size = size});
}

static void answer(struct rig *r, const struct tdm_stun *m, const struct tdm_address *from,
                   const char *password)
{
    uint8_t data[256];
    struct tdm_writer w = tdm_stun_begin_answer(data, sizeof data, TDM_STUN_SUCCESS, m);

    tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &r->ours);
    tdm_stun_write_integrity(&w, password, strlen(password));
    tdm_stun_write_fingerprint(&w);
    come(r, from, data, tdm_stun_end(&w));
}

struct request {
    const char *user, *password; /* NULL: ours; password "": no integrity. */
    bool no_priority, use_candidate, controlling, unknown;
    uint64_t tie_breaker;
};

/* A check of theirs; the size of it. */
static size_t request(struct rig *r, const struct request *q)
{
    static const uint8_t id[TDM_STUN_ID_BYTES] = "transaction";
    const char *password = q->password ? q->password : r->config.pwd;
    char user[64] = "";
    uint8_t data[256];
    struct tdm_writer w = tdm_stun_begin(data, sizeof data, TDM_STUN_REQUEST, TDM_STUN_BINDING, id);

    (void)snprintf(user, sizeof user, "%s:%s", r->config.ufrag, THEIR_UFRAG);
    tdm_stun_write_text(&w, TDM_STUN_USERNAME, q->user ? q->user : user);
    if (!q->no_priority)
        tdm_stun_write_u32(&w, TDM_STUN_PRIORITY, 110u << 24 | 255u);
    tdm_stun_write_u64(&w, q->controlling ? TDM_STUN_ICE_CONTROLLING : TDM_STUN_ICE_CONTROLLED,
                       q->tie_breaker);
    if (q->use_candidate)
        tdm_stun_write_flag(&w, TDM_STUN_USE_CANDIDATE);
    if (q->unknown)
        tdm_stun_write_u32(&w, (enum tdm_stun_attribute)0x7abc, 1);
    if (password[0])
        tdm_stun_write_integrity(&w, password, strlen(password));
    tdm_stun_write_fingerprint(&w);
    size_t size = tdm_stun_end(&w);

    come(r, &r->theirs, data, size);
    return size;
}

/* What the agent answered in the last step; false: nothing. */
static bool answered(struct rig *r, struct tdm_stun *m)
{
    for (unsigned i = 0; i < r->out.send_count; i++)
        if (tdm_stun_parse(m, r->out.sends[i].data, r->out.sends[i].size) == TDM_OK &&
            m->kind != TDM_STUN_REQUEST && tdm_address_equal(&r->out.sends[i].to, &r->theirs))
            return true;
    return false;
}

static unsigned refused(const struct rig *r)
{
    struct tdm_ice_stats stats;

    tdm_ice_stats(r->ice, &stats);
    return stats.refused;
}

static bool has_path(const struct rig *r, struct tdm_ice_path *path)
{
    tdm_ice_path(r->ice, path);
    return path->valid;
}

static void start(struct rig *r, bool controlling, bool with_server)
{
    r->now = 1000 * TDM_S;
    r->told_count = 0;
    r->ours = v4("192.0.2.1", 5000);
    r->theirs = v4("192.0.2.2", 6000);
    r->server = v4("198.51.100.1", 3478);
    r->config = (struct tdm_ice_config){.controlling = controlling, .seed = 7};
    tdm_ice_credentials(1, 2, 3, r->config.ufrag, r->config.pwd);
    if (with_server) {
        r->config.server_count = 1;
        r->config.servers[0] = (struct tdm_ice_server){.address = r->server};
    }
    r->ice = tdm_ice_init(r->ice, &r->config, r->now);
    input(r, TDM_ICE_ADDRESS, &r->ours);
}

static void credentials_are_text_and_differ(void **state)
{
    char ufrag[2][33], pwd[2][65];

    (void)state;
    tdm_ice_credentials(1, 2, 3, ufrag[0], pwd[0]);
    tdm_ice_credentials(1, 2, UINT64_C(3) << 63, ufrag[1], pwd[1]);
    assert_int_equal(strlen(ufrag[0]), 8);
    assert_int_equal(strlen(pwd[0]), 24);
    assert_string_not_equal(pwd[0], pwd[1]);
    for (const char *at = pwd[0]; *at; at++)
        assert_non_null(
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", *at));
}

static void candidates_are_told_with_priorities_and_foundations(void **state)
{
    struct rig *r = *state;
    struct tdm_address v6 = v4("2001:db8::1", 5000), second = v4("10.0.0.1", 5000);
    struct tdm_ice_in mapped = {.kind = TDM_ICE_MAPPED, .base = second};

    start(r, true, false);
    input(r, TDM_ICE_ADDRESS, &v6);
    input(r, TDM_ICE_ADDRESS, &second);
    input(r, TDM_ICE_ADDRESS, &second); /* Redundant. */
    mapped.address = v4("203.0.113.9", 40000);
    step(r, &mapped);
    input(r, TDM_ICE_ADDRESSES_END, NULL);
    assert_int_equal(r->told_count, 5);
    const struct tdm_ice_candidate *first = &r->told[0].candidate, *six = &r->told[1].candidate,
                                   *other = &r->told[2].candidate, *map = &r->told[3].candidate;

    assert_int_equal(r->told[4].kind, TDM_ICE_TOLD_GATHERED);
    assert_int_equal(first->priority >> 24, 126);
    assert_int_equal(first->priority & 255, 255);
    assert_true(six->priority > first->priority && first->priority > other->priority);
    assert_int_equal(map->type, TDM_ICE_SRFLX);
    assert_true(map->mapped && map->priority >> 24 == 100);
    assert_true(tdm_address_equal(&map->base, &second));
    assert_string_not_equal(first->foundation, other->foundation);
    assert_string_not_equal(map->foundation, other->foundation);
}

static void a_server_gives_a_reflexive_candidate(void **state)
{
    struct rig *r = *state;
    struct tdm_address seen = v4("203.0.113.7", 41000);
    struct tdm_stun m;
    uint8_t data[128];

    start(r, true, true);
    assert_int_equal(r->out.send_count, 1);
    assert_int_equal(tdm_stun_parse(&m, r->out.sends[0].data, r->out.sends[0].size), TDM_OK);
    assert_true(tdm_address_equal(&r->out.sends[0].to, &r->server));
    struct tdm_writer w = tdm_stun_begin_answer(data, sizeof data, TDM_STUN_SUCCESS, &m);

    tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &seen);
    size_t size = tdm_stun_end(&w);

    come(r, &r->theirs, data, size); /* Not the server. */
    assert_int_equal(r->told_count, 1);
    come(r, &r->server, data, size);
    assert_int_equal(r->told_count, 2);
    assert_int_equal(r->told[1].candidate.type, TDM_ICE_SRFLX);
    assert_true(tdm_address_equal(&r->told[1].candidate.address, &seen));
}

/* A net thread that runs before it was given the addresses: an answer then would be to no known
 * address, and no reflexive candidate (seen behind real NATs, a call of four). */
static void nothing_is_allocated_before_there_is_an_address(void **state)
{
    struct rig *r = *state;
    struct tdm_stun m;

    start(r, true, true);
    r->config.servers[0].kind = TDM_ICE_TURN;
    r->ice = tdm_ice_init(r->ice, &r->config, r->now);
    step(r, NULL);
    assert_int_equal(r->out.send_count, 0);
    input(r, TDM_ICE_ADDRESS, &r->ours);
    assert_int_equal(r->out.send_count, 1);
    assert_int_equal(tdm_stun_parse(&m, r->out.sends[0].data, r->out.sends[0].size), TDM_OK);
    assert_int_equal(m.method, TDM_STUN_ALLOCATE);
}

static void a_dead_server_is_told_and_does_not_hold_up(void **state)
{
    struct rig *r = *state;
    unsigned gathered = 0, failed = 0;

    start(r, true, true);
    input(r, TDM_ICE_ADDRESSES_END, NULL);
    for (tdm_time end = r->now + 60 * TDM_S; r->out.wake_at < end;) {
        r->now = r->out.wake_at;
        step(r, NULL);
        for (unsigned i = 0; i < r->out.told_count; i++) {
            gathered += r->out.told[i].kind == TDM_ICE_TOLD_GATHERED;
            failed += r->out.told[i].kind == TDM_ICE_TOLD_SERVER_FAILED;
            assert_true(failed == 0 || gathered == 1);
            assert_true(gathered == 0 || r->now < 1002 * TDM_S || failed == 1);
        }
    }
    assert_int_equal(gathered, 1);
    assert_int_equal(failed, 1);
}

static void checks_without_integrity_are_refused(void **state)
{
    struct rig *r = *state;
    static const struct {
        struct request q;
        uint16_t code;
    } cases[] = {
        {{.password = ""}, TDM_STUN_BAD_REQUEST},
        {{.password = "not the password"}, TDM_STUN_UNAUTHENTICATED},
        {{.user = "somebody:" THEIR_UFRAG}, TDM_STUN_UNAUTHENTICATED},
        {{.no_priority = true}, TDM_STUN_BAD_REQUEST},
        {{.unknown = true}, TDM_STUN_UNKNOWN_ATTRIBUTE},
    };

    start(r, true, false);
    describe(r, false);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tdm_stun m;
        size_t size = request(r, &cases[i].q);

        assert_true(answered(r, &m));
        assert_int_equal(m.error_code, cases[i].code);
        assert_true(m.size <= size);
        assert_int_equal(refused(r), i + 1);
    }
    struct tdm_stun m;

    assert_null(next_check(r, &m)); /* Nothing was learnt of an address. */
}

static void a_check_is_answered_and_checked_back(void **state)
{
    struct rig *r = *state;
    struct tdm_stun m;
    struct tdm_ice_path path;
    const struct tdm_ice_send *send;

    start(r, true, false);
    describe(r, false);
    size_t size = request(r, &(struct request){0});

    assert_true(answered(r, &m));
    assert_int_equal(m.kind, TDM_STUN_SUCCESS);
    assert_true(m.size <= size && tdm_address_equal(&m.mapped, &r->theirs));
    assert_int_equal(tdm_stun_check(&m, r->config.pwd, strlen(r->config.pwd)), TDM_OK);
    send = next_check(r, &m); /* Of a candidate that nobody described. */
    assert_non_null(send);
    assert_true(tdm_address_equal(&send->to, &r->theirs));
    assert_int_equal(tdm_stun_check(&m, THEIR_PWD, strlen(THEIR_PWD)), TDM_OK);
    assert_true(m.has_controlling && m.has_priority && m.priority >> 24 == 110);
    answer(r, &m, &r->theirs, THEIR_PWD);
    assert_true(has_path(r, &path));
    assert_int_equal(path.remote.type, TDM_ICE_PRFLX);
    assert_true(tdm_address_equal(&path.to, &r->theirs));
    assert_true(tdm_address_equal(&path.from, &r->ours));
}

static void a_check_before_the_description_is_remembered(void **state)
{
    struct rig *r = *state;
    struct tdm_stun m;

    start(r, false, false);
    (void)request(r, &(struct request){.controlling = true, .use_candidate = true});
    assert_true(answered(r, &m) && m.kind == TDM_STUN_SUCCESS);
    assert_null(next_check(r, &m));
    r->out.send_count = 0;
    describe(r, false);
    assert_non_null(next_check(r, &m));
    answer(r, &m, &r->theirs, THEIR_PWD);
    struct tdm_ice_path path;

    assert_true(has_path(r, &path));
    assert_true(path.nominated); /* As the early check asked. */
}

static void forged_answers_make_no_path(void **state)
{
    struct rig *r = *state;
    struct tdm_address elsewhere = v4("192.0.2.66", 6000);
    struct tdm_ice_path path;
    struct tdm_stun m;

    start(r, true, false);
    describe(r, false);
    offer(r, &r->theirs);
    assert_non_null(next_check(r, &m));
    answer(r, &m, &r->theirs, "not the password at all");
    assert_false(has_path(r, &path));
    assert_int_equal(refused(r), 1);
    answer(r, &m, &elsewhere, THEIR_PWD);
    assert_false(has_path(r, &path));
    r->out.send_count = 0;
    assert_null(next_check(r, &m)); /* RFC 8445 section 7.2.5.2.1: the pair has failed. */
}

static void a_role_conflict_is_settled(void **state)
{
    struct rig *r = *state;
    struct tdm_stun m;

    start(r, true, false);
    describe(r, false);
    (void)request(r, &(struct request){.controlling = true, .tie_breaker = 0});
    assert_true(answered(r, &m) && m.error_code == TDM_STUN_ROLE_CONFLICT);
    (void)request(r, &(struct request){.controlling = true, .tie_breaker = UINT64_MAX});
    assert_true(answered(r, &m) && m.kind == TDM_STUN_SUCCESS);
    assert_non_null(next_check(r, &m));
    assert_true(m.has_controlled && !m.has_controlling);

    start(r, true, false); /* And told so by the other side. */
    describe(r, false);
    offer(r, &r->theirs);
    assert_non_null(next_check(r, &m));
    uint8_t data[128];
    struct tdm_writer w = tdm_stun_begin_answer(data, sizeof data, TDM_STUN_ERROR, &m);

    tdm_stun_write_error(&w, TDM_STUN_ROLE_CONFLICT, NULL);
    tdm_stun_write_integrity(&w, THEIR_PWD, strlen(THEIR_PWD));
    tdm_stun_write_fingerprint(&w);
    come(r, &r->theirs, data, tdm_stun_end(&w));
    assert_non_null(next_check(r, &m));
    assert_true(m.has_controlled);
}

static void a_lite_peer_is_controlled_and_nominated_at_once(void **state)
{
    struct rig *r = *state;
    struct tdm_address worse = v4("192.0.2.3", 6000);
    struct tdm_ice_path path;
    struct tdm_stun m;

    start(r, false, false);
    describe(r, true);
    offer(r, &r->theirs);
    assert_non_null(next_check(r, &m));
    assert_true(m.has_controlling && !m.use_candidate);
    struct tdm_stun first = m; /* Its id; the bytes go with the next step. */

    offer(r, &worse); /* Not answered: nobody waits for it. */
    answer(r, &first, &r->theirs, THEIR_PWD);
    for (unsigned i = 0; i < 8 && !m.use_candidate; i++) {
        assert_non_null(next_check(r, &m));
        r->out.send_count = 0;
    }
    assert_true(m.use_candidate);
    answer(r, &m, &r->theirs, THEIR_PWD);
    assert_true(has_path(r, &path) && path.nominated);
}

static void bytes_are_taken_only_with_consent(void **state)
{
    static const uint8_t media[] = {0x80, 96, 1, 2, 3};
    struct rig *r = *state;
    struct tdm_ice_stats stats;

    start(r, true, false);
    describe(r, false);
    offer(r, &r->theirs);
    come(r, &r->theirs, media, sizeof media);
    assert_false(r->out.app);
    (void)request(r, &(struct request){0});
    come(r, &r->theirs, media, sizeof media);
    assert_true(r->out.app && r->out.app_data == media && r->out.app_size == sizeof media);
    tdm_ice_stats(r->ice, &stats);
    assert_int_equal(stats.dropped, 1);
}

static void an_address_that_goes_takes_its_path_along(void **state)
{
    struct rig *r = *state;
    struct tdm_ice_path path;
    struct tdm_stun m;
    uint8_t data[TDM_ICE_WRAP_MAX + 16];
    size_t size = 8;

    start(r, true, false);
    describe(r, false);
    offer(r, &r->theirs);
    assert_non_null(next_check(r, &m));
    answer(r, &m, &r->theirs, THEIR_PWD);
    assert_true(has_path(r, &path));
    assert_ptr_equal(tdm_ice_wrap(r->ice, r->now, data + TDM_ICE_WRAP_MAX, &size),
                     data + TDM_ICE_WRAP_MAX);
    input(r, TDM_ICE_ADDRESS_GONE, &r->ours);
    assert_false(has_path(r, &path));
    assert_null(tdm_ice_wrap(r->ice, r->now, data + TDM_ICE_WRAP_MAX, &size));
    r->ours = v4("192.0.2.44", 5000);
    input(r, TDM_ICE_ADDRESS, &r->ours);
    assert_non_null(next_check(r, &m)); /* At once, from the new one. */
    answer(r, &m, &r->theirs, THEIR_PWD);
    assert_true(has_path(r, &path));
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    if (!r)
        return -1;
    r->ice = malloc(tdm_ice_bytes());
    *state = r;
    return r->ice ? 0 : -1;
}

static int tear_down(void **state)
{
    struct rig *r = *state;

    free(r->ice);
    free(r);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_text_and_differ),
        cmocka_unit_test(candidates_are_told_with_priorities_and_foundations),
        cmocka_unit_test(a_server_gives_a_reflexive_candidate),
        cmocka_unit_test(nothing_is_allocated_before_there_is_an_address),
        cmocka_unit_test(a_dead_server_is_told_and_does_not_hold_up),
        cmocka_unit_test(checks_without_integrity_are_refused),
        cmocka_unit_test(a_check_is_answered_and_checked_back),
        cmocka_unit_test(a_check_before_the_description_is_remembered),
        cmocka_unit_test(forged_answers_make_no_path),
        cmocka_unit_test(a_role_conflict_is_settled),
        cmocka_unit_test(a_lite_peer_is_controlled_and_nominated_at_once),
        cmocka_unit_test(bytes_are_taken_only_with_consent),
        cmocka_unit_test(an_address_that_goes_takes_its_path_along),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
