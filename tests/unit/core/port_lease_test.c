/* SPDX-License-Identifier: MIT */
#include "engine/core/port_lease.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_port_lease lease;
static struct tdm_port_lease_out out;

static void step(tdm_time now, enum tdm_port_lease_input kind, uint16_t port)
{
    tdm_port_lease_step(&lease, now, &(struct tdm_port_lease_in){.kind = kind, .port = port}, &out);
}

static struct tdm_port_lease_in mapped_to(uint16_t external_port, tdm_time lifetime)
{
    struct tdm_port_lease_in in = {.kind = TDM_PORT_MAPPED, .lifetime = lifetime};

    assert_int_equal(tdm_address_parse(&in.external, "198.51.100.7", external_port), TDM_OK);
    return in;
}

/* A gateway is there and one port is wanted: the mapping is asked for next. */
static void start(void)
{
    tdm_port_lease_init(&lease, 1, 0);
    step(0, TDM_PORT_WANT, 5004);
    assert_int_equal(out.action, TDM_PORT_DO_FIND);
    step(TDM_S, TDM_PORT_FOUND, 0);
    assert_int_equal(out.action, TDM_PORT_DO_MAP);
    assert_int_equal(out.port, 5004);
    assert_int_equal(out.external_port, 5004);
}

static void test_mapped_and_refreshed_at_half_its_life(void **state)
{
    struct tdm_address external;
    struct tdm_port_lease_in in = mapped_to(5004, 600 * TDM_S);

    (void)state;
    start();
    assert_false(tdm_port_lease_of(&lease, 5004, false, &external));
    tdm_port_lease_step(&lease, TDM_S, &in, &out);
    assert_true(out.changed);
    assert_true(tdm_port_lease_of(&lease, 5004, false, &external));
    assert_false(tdm_port_lease_of(&lease, 5004, true, &external));
    assert_int_equal(external.port, 5004);
    assert_int_equal(out.action, TDM_PORT_DO_NOTHING);
    assert_int_equal(out.wake_at, 301 * TDM_S);
    tdm_port_lease_step(&lease, 301 * TDM_S, NULL, &out);
    assert_int_equal(out.action, TDM_PORT_DO_MAP);
    tdm_port_lease_step(&lease, 301 * TDM_S, &in, &out);
    assert_false(out.changed);
}

static void test_a_lease_that_is_not_refreshed_ends(void **state)
{
    struct tdm_address external;
    struct tdm_port_lease_in in = mapped_to(5004, 60 * TDM_S);

    (void)state;
    start();
    tdm_port_lease_step(&lease, 0, &in, &out);
    tdm_port_lease_step(&lease, 30 * TDM_S, NULL, &out);
    assert_int_equal(out.action, TDM_PORT_DO_MAP); /* And it never answers. */
    assert_int_equal(out.wake_at, 60 * TDM_S);
    tdm_port_lease_step(&lease, 60 * TDM_S, NULL, &out);
    assert_true(out.changed);
    assert_false(tdm_port_lease_of(&lease, 5004, false, &external));
}

static void test_a_taken_port_is_asked_for_elsewhere(void **state)
{
    uint16_t asked[6] = {5004};

    (void)state;
    start();
    for (int i = 1; i < 6; i++) {
        step(TDM_S, TDM_PORT_TAKEN, 0);
        assert_int_equal(out.action, TDM_PORT_DO_MAP);
        assert_int_equal(out.port, 5004);
        assert_int_not_equal(out.external_port, asked[i - 1]);
        assert_true(out.external_port >= 1024);
        asked[i] = out.external_port;
    }
    step(TDM_S, TDM_PORT_TAKEN, 0); /* Then there is a pause. */
    assert_int_equal(out.action, TDM_PORT_DO_NOTHING);
    assert_int_equal(out.wake_at, 301 * TDM_S);
}

static void test_a_gateway_that_refuses_is_asked_ever_less(void **state)
{
    tdm_time now = TDM_S, gaps[12];
    uint32_t finds = 0;

    (void)state;
    start();
    for (int i = 0; i < 12; i++) {
        tdm_time asked = now;

        step(now, TDM_PORT_FAILED, 0);
        while (out.action != TDM_PORT_DO_MAP) {
            if (out.action == TDM_PORT_DO_FIND) {
                finds++;
                step(now, TDM_PORT_FOUND, 0);
                continue;
            }
            assert_true(out.wake_at > now);
            now = out.wake_at;
            tdm_port_lease_step(&lease, now, NULL, &out);
        }
        gaps[i] = now - asked;
    }
    assert_int_equal(gaps[0], 5 * TDM_S);
    for (int i = 1; i < 12; i++)
        assert_true(gaps[i] >= gaps[i - 1]);
    assert_int_equal(gaps[11], 300 * TDM_S);
    assert_int_equal(finds, 1); /* It was looked for again after three failures. */
}

static void test_no_gateway_is_looked_for_ever_less(void **state)
{
    tdm_time now = 0, last = 0;

    (void)state;
    tdm_port_lease_init(&lease, 1, 0);
    tdm_port_lease_step(&lease, now, NULL, &out);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(out.action, TDM_PORT_DO_FIND);
        step(now, TDM_PORT_NOT_FOUND, 0);
        assert_int_equal(out.action, TDM_PORT_DO_NOTHING);
        assert_true(out.wake_at - now >= last);
        last = out.wake_at - now;
        now = out.wake_at;
        tdm_port_lease_step(&lease, now, NULL, &out);
    }
    assert_int_equal(last, 900 * TDM_S);
    step(now, TDM_PORT_NOT_FOUND, 0);
    step(now + 1, TDM_PORT_NETWORK, 0); /* Another network: look at once. */
    assert_int_equal(out.action, TDM_PORT_DO_FIND);
}

static void test_a_network_change_makes_an_answer_void(void **state)
{
    struct tdm_address external;
    struct tdm_port_lease_in in = mapped_to(5004, 600 * TDM_S);

    (void)state;
    start();
    step(2 * TDM_S, TDM_PORT_NETWORK, 0);
    assert_int_equal(out.action, TDM_PORT_DO_NOTHING); /* One action at a time. */
    tdm_port_lease_step(&lease, 2 * TDM_S, &in, &out);
    assert_false(tdm_port_lease_of(&lease, 5004, false, &external));
    assert_int_equal(out.action, TDM_PORT_DO_FIND);
}

static void test_answers_that_nobody_waits_for(void **state)
{
    struct tdm_address external;
    struct tdm_port_lease_in in = mapped_to(5004, 600 * TDM_S);

    (void)state;
    tdm_port_lease_init(&lease, 1, 0);
    step(0, TDM_PORT_WANT, 5004);
    tdm_port_lease_step(&lease, 0, &in, &out);
    step(0, TDM_PORT_UNMAPPED, 0);
    step(0, TDM_PORT_TAKEN, 0);
    assert_int_equal(out.action, TDM_PORT_DO_NOTHING); /* It still looks for a gateway. */
    assert_false(tdm_port_lease_of(&lease, 5004, false, &external));
    step(0, TDM_PORT_FOUND, 0);
    assert_int_equal(out.action, TDM_PORT_DO_MAP);
}

/* A gateway that takes its time, refuses, forgets and vanishes; programs that come and go. */
struct model {
    struct tdm_rng rng;
    uint16_t held[TDM_PORT_LEASES_MAX * 4]; /* External ports given to us and not given back. */
    uint32_t held_count;
    bool there, calm; /* Calm: refuses nothing. */
    struct tdm_port_lease_out asked;
    tdm_time answer_at;
};

static void give_back(struct model *m, uint16_t port)
{
    for (uint32_t i = 0; i < m->held_count; i++)
        if (m->held[i] == port)
            m->held[i--] = m->held[--m->held_count];
}

static struct tdm_port_lease_in answer(struct model *m, const struct tdm_port_lease_out *asked)
{
    if (asked->action == TDM_PORT_DO_FIND)
        return (struct tdm_port_lease_in){.kind = m->there ? TDM_PORT_FOUND : TDM_PORT_NOT_FOUND};
    if (asked->action == TDM_PORT_DO_UNMAP) {
        give_back(m, asked->external_port);
        return (struct tdm_port_lease_in){.kind = TDM_PORT_UNMAPPED};
    }
    if (!m->there || (!m->calm && tdm_rng_chance(&m->rng, 0.1)))
        return (struct tdm_port_lease_in){.kind = TDM_PORT_FAILED};
    if (!m->calm && tdm_rng_chance(&m->rng, 0.1))
        return (struct tdm_port_lease_in){.kind = TDM_PORT_TAKEN};
    give_back(m, asked->external_port);
    m->held[m->held_count++] = asked->external_port;
    return mapped_to(asked->external_port, 120 * TDM_S);
}

/* One step; what it asks for is answered in up to three seconds. */
static void go(struct model *m, tdm_time now, const struct tdm_port_lease_in *in)
{
    tdm_port_lease_step(&lease, now, in, &out);
    if (out.action == TDM_PORT_DO_NOTHING)
        return;
    assert_int_equal(m->answer_at, TDM_NEVER); /* One at a time. */
    m->asked = out;
    m->answer_at = now + tdm_rng_below(&m->rng, 3000) * TDM_MS;
}

static tdm_time let_time_pass(struct model *m, tdm_time now)
{
    struct tdm_port_lease_in in;

    if (m->answer_at != TDM_NEVER && m->answer_at <= out.wake_at) {
        now = tdm_time_max(now, m->answer_at);
        m->answer_at = TDM_NEVER;
        in = answer(m, &m->asked);
        go(m, now, &in);
        return now;
    }
    assert_true(out.wake_at > now && out.wake_at != TDM_NEVER);
    now = out.wake_at;
    go(m, now, NULL);
    return now;
}

static void run(uint64_t seed)
{
    struct model m = {.rng = tdm_rng_of(seed), .there = true, .answer_at = TDM_NEVER};
    struct tdm_address external;
    tdm_time now = 0;

    tdm_port_lease_init(&lease, seed, 0);
    go(&m, 0, &(struct tdm_port_lease_in){.kind = TDM_PORT_WANT, .port = 1503});
    for (int i = 0; i < 200; i++) {
        if (tdm_rng_chance(&m.rng, 0.2)) {
            struct tdm_port_lease_in in = {.port = (uint16_t)(1 + tdm_rng_below(&m.rng, 39))};

            m.there = tdm_rng_chance(&m.rng, 0.7);
            in.kind = tdm_rng_chance(&m.rng, 0.5) ? TDM_PORT_WANT : TDM_PORT_DROP;
            go(&m, now, &in);
        }
        now = let_time_pass(&m, now);
    }
    m.there = m.calm = true;
    for (uint16_t port = 1; port < 40; port++)
        go(&m, now, &(struct tdm_port_lease_in){.kind = TDM_PORT_DROP, .port = port});
    for (int i = 0; i < 200; i++)
        now = let_time_pass(&m, now);
    assert_true(tdm_port_lease_of(&lease, 1503, false, &external));
    go(&m, now, &(struct tdm_port_lease_in){.kind = TDM_PORT_STOP});
    for (int i = 0; i < 4 && !out.done; i++)
        now = let_time_pass(&m, now);
    assert_true(out.done);
    for (int i = 0; i < TDM_PORT_LEASES_MAX; i++)
        assert_int_equal(lease.entries[i].state, TDM_PORT_FREE);
}

static void test_any_gateway_ends_well(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++)
        run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapped_and_refreshed_at_half_its_life),
        cmocka_unit_test(test_a_lease_that_is_not_refreshed_ends),
        cmocka_unit_test(test_a_taken_port_is_asked_for_elsewhere),
        cmocka_unit_test(test_a_gateway_that_refuses_is_asked_ever_less),
        cmocka_unit_test(test_no_gateway_is_looked_for_ever_less),
        cmocka_unit_test(test_a_network_change_makes_an_answer_void),
        cmocka_unit_test(test_answers_that_nobody_waits_for),
        cmocka_unit_test(test_any_gateway_ends_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
