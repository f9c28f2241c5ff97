/* SPDX-License-Identifier: MIT */
/* The probe against a NAT and a server with two addresses, modelled here: what the probe says must
 * be what the model was told to do, for every kind of mapping, filter and hairpin, also when half
 * of the packets are lost. */
#include "engine/core/nat_probe.h"

#include "engine/base/rng.h"
#include "engine/wire/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DELAY     (10 * TDM_MS)
#define FLYING    64
#define ENDPOINTS 32

struct model {
    bool nat, hairpin, blocked, two_addresses, changes;
    uint16_t most; /* Bytes of a datagram that pass. */
    enum tdm_nat_behaviour mapping, filtering;
    double loss;
    struct tdm_rng rng;
    struct {
        uint8_t socket;
        struct tdm_address to;
    } sent[ENDPOINTS];
    uint32_t sent_count;
    struct {
        tdm_time at;
        uint8_t socket;
        struct tdm_address from;
        uint16_t size;
        uint8_t data[TDM_NAT_BIG];
    } flying[FLYING];
    uint32_t flying_count;
};

static struct tdm_nat_probe probe;
static struct tdm_nat_probe_out out;

static struct tdm_address address(const char *text, uint16_t port)
{
    struct tdm_address a;

    assert_int_equal(tdm_address_parse(&a, text, port), TDM_OK);
    return a;
}

static struct tdm_address local_of(uint8_t socket)
{
    return address("192.168.1.2", (uint16_t)(5000 + socket));
}

static struct tdm_address server_of(const struct model *m, bool other_host, bool other_port)
{
    (void)m;
    return address(other_host ? "44.0.0.2" : "44.0.0.1", other_port ? 3479 : 3478);
}

static struct tdm_address mapped_of(const struct model *m, uint8_t socket,
                                    const struct tdm_address *to)
{
    struct tdm_address a = address("50.1.1.1", (uint16_t)(40000 + socket));

    if (!m->nat)
        return local_of(socket);
    if (m->mapping != TDM_NAT_INDEPENDENT)
        a.port = (uint16_t)(a.port + 10 * (to->bytes[0] + to->bytes[3]));
    if (m->mapping == TDM_NAT_ADDRESS_PORT)
        a.port = (uint16_t)(a.port + 100 * (to->port - 3477));
    return a;
}

static bool let_in(const struct model *m, uint8_t socket, const struct tdm_address *from)
{
    bool in = !m->nat;

    for (uint32_t i = 0; i < m->sent_count; i++) {
        if (m->sent[i].socket != socket)
            continue;
        in |= m->filtering == TDM_NAT_INDEPENDENT;
        in |= m->filtering == TDM_NAT_ADDRESS && tdm_address_same_host(&m->sent[i].to, from);
        in |= tdm_address_equal(&m->sent[i].to, from);
    }
    return in;
}

static void fly(struct model *m, tdm_time at, uint8_t socket, const struct tdm_address *from,
                const uint8_t *data, size_t size)
{
    if (!let_in(m, socket, from) || tdm_rng_chance(&m->rng, m->loss))
        return;
    assert_true(m->flying_count < FLYING);
    m->flying[m->flying_count].at = at;
    m->flying[m->flying_count].socket = socket;
    m->flying[m->flying_count].from = *from;
    m->flying[m->flying_count].size = (uint16_t)size;
    memcpy(m->flying[m->flying_count++].data, data, size);
}

static void serve(struct model *m, tdm_time now, const struct tdm_nat_probe_send *send)
{
    bool host = send->to.bytes[3] == 2, port = send->to.port == 3479;
    struct tdm_address other = server_of(m, !host, !port), from;
    struct tdm_stun request;
    uint8_t data[256];

    assert_int_equal(tdm_stun_parse(&request, send->data, send->size), TDM_OK);
    if (request.has_change && m->changes) {
        host ^= (request.change & TDM_STUN_CHANGE_IP) != 0;
        port ^= (request.change & TDM_STUN_CHANGE_PORT) != 0;
    }
    from = server_of(m, host, port);
    struct tdm_writer w = tdm_stun_begin_answer(data, sizeof data, TDM_STUN_SUCCESS, &request);
    struct tdm_address mapped = mapped_of(m, send->socket, &send->to);

    tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &mapped);
    if (m->two_addresses)
        tdm_stun_write_address(&w, TDM_STUN_OTHER_ADDRESS, &other);
    size_t size = tdm_stun_end(&w);

    fly(m, now + DELAY, send->socket, &from, data, size);
}

/* Behind which socket's mapping `to` leads; 0xff: none. */
static uint8_t target_of(const struct model *m, const struct tdm_address *to)
{
    for (uint32_t i = 0; i < m->sent_count; i++) {
        struct tdm_address mapped = mapped_of(m, m->sent[i].socket, &m->sent[i].to);

        if (tdm_address_equal(&mapped, to))
            return m->sent[i].socket;
    }
    return 0xff;
}

static void carry(struct model *m, tdm_time now)
{
    for (uint8_t i = 0; i < out.count; i++) {
        const struct tdm_nat_probe_send *send = &out.sends[i];
        struct tdm_address outer = mapped_of(m, send->socket, &send->to);

        assert_true(m->sent_count < ENDPOINTS * 4);
        if (m->sent_count < ENDPOINTS) {
            m->sent[m->sent_count].socket = send->socket;
            m->sent[m->sent_count++].to = send->to;
        }
        if (m->blocked || send->size > m->most || tdm_rng_chance(&m->rng, m->loss))
            continue;
        if (send->to.bytes[0] == 44)
            serve(m, now, send);
        else if (m->hairpin && target_of(m, &send->to) != 0xff)
            fly(m, now + DELAY, target_of(m, &send->to), &outer, send->data, send->size);
    }
}

/* Runs the probe to its end; the facts are in probe.facts. */
static void run(struct model *m)
{
    struct tdm_nat_probe_config config = {
        .server_count = 1, .local = {local_of(0), local_of(1)}, .seed = 7};
    tdm_time now = 0;

    config.servers[0] = server_of(m, false, false);
    if (!m->most)
        m->most = 1500;
    tdm_nat_probe_init(&probe, &config, now);
    tdm_nat_probe_step(&probe, now, NULL, &out);
    carry(m, now);
    for (int turn = 0; !probe.facts.done; turn++) {
        uint32_t next = 0;

        assert_true(turn < 500);
        for (uint32_t i = 1; i < m->flying_count; i++)
            next = m->flying[i].at < m->flying[next].at ? i : next;
        if (m->flying_count && m->flying[next].at <= out.wake_at) {
            struct tdm_nat_probe_in in = {m->flying[next].socket, m->flying[next].from,
                                          m->flying[next].data, m->flying[next].size};

            now = tdm_time_max(now, m->flying[next].at);
            tdm_nat_probe_step(&probe, now, &in, &out);
            m->flying[next] = m->flying[--m->flying_count];
        } else {
            assert_true(out.wake_at >= now && out.wake_at != TDM_NEVER);
            now = out.wake_at;
            tdm_nat_probe_step(&probe, now, NULL, &out);
        }
        carry(m, now);
    }
    assert_true(now < 8 * TDM_S);
}

static void check_kind(enum tdm_nat_behaviour mapping, enum tdm_nat_behaviour filtering,
                       bool hairpin)
{
    struct model m = {.nat = true,
                      .two_addresses = true,
                      .changes = true,
                      .mapping = mapping,
                      .filtering = filtering,
                      .hairpin = hairpin};

    run(&m);
    assert_int_equal(probe.facts.udp, TDM_NAT_YES);
    assert_int_equal(probe.facts.behind, TDM_NAT_YES);
    assert_int_equal(probe.facts.mapping, mapping);
    assert_int_equal(probe.facts.filtering, filtering);
    /* What is turned around still has to pass the filters, which knew another mapping. */
    bool passes = mapping == TDM_NAT_INDEPENDENT || filtering != TDM_NAT_ADDRESS_PORT;

    assert_int_equal(probe.facts.hairpin, hairpin && passes ? TDM_NAT_YES : TDM_NAT_NO);
    assert_int_equal(probe.facts.rtt, DELAY);
    assert_int_equal(probe.facts.big, TDM_NAT_YES);
}

static void test_every_kind(void **state)
{
    static const enum tdm_nat_behaviour kinds[] = {TDM_NAT_INDEPENDENT, TDM_NAT_ADDRESS,
                                                   TDM_NAT_ADDRESS_PORT};

    (void)state;
    for (int mapping = 0; mapping < 3; mapping++)
        for (int filtering = 0; filtering < 3; filtering++)
            for (int hairpin = 0; hairpin < 2; hairpin++)
                check_kind(kinds[mapping], kinds[filtering], hairpin);
}

static void test_no_nat(void **state)
{
    struct model m = {.two_addresses = true, .changes = true};

    (void)state;
    run(&m);
    assert_int_equal(probe.facts.behind, TDM_NAT_NO);
    assert_true(probe.facts.port_kept);
    assert_int_equal(probe.facts.filtering, TDM_NAT_INDEPENDENT);
}

static void test_blocked(void **state)
{
    struct model m = {.blocked = true};

    (void)state;
    run(&m);
    assert_int_equal(probe.facts.udp, TDM_NAT_NO);
    assert_int_equal(probe.facts.mapping, TDM_NAT_UNKNOWN);
    assert_int_equal(probe.facts.rtt, TDM_NEVER);
}

static void test_large_packets_do_not_pass(void **state)
{
    struct model m = {.nat = true,
                      .most = 1300,
                      .mapping = TDM_NAT_INDEPENDENT,
                      .filtering = TDM_NAT_INDEPENDENT};

    (void)state;
    run(&m);
    assert_int_equal(probe.facts.medium, TDM_NAT_YES);
    assert_int_equal(probe.facts.big, TDM_NAT_NO);
}

/* A server with one address, or one that ignores what it is asked, must not pass for a filter. */
static void test_a_server_that_cannot_tell(void **state)
{
    struct model plain = {
        .nat = true, .mapping = TDM_NAT_INDEPENDENT, .filtering = TDM_NAT_INDEPENDENT};
    struct model ignores = plain;

    (void)state;
    run(&plain);
    assert_int_equal(probe.facts.mapping, TDM_NAT_UNKNOWN);
    assert_int_equal(probe.facts.filtering, TDM_NAT_UNKNOWN);
    ignores.two_addresses = true;
    run(&ignores);
    assert_int_equal(probe.facts.filtering, TDM_NAT_UNKNOWN);
}

static void test_loss_does_not_mislead_about_mappings(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct model m = {.nat = true,
                          .two_addresses = true,
                          .changes = true,
                          .mapping = TDM_NAT_ADDRESS,
                          .filtering = TDM_NAT_ADDRESS,
                          .loss = 0.3};

        m.rng = tdm_rng_of(seed);
        run(&m);
        if (probe.facts.udp != TDM_NAT_YES)
            continue;
        assert_true(probe.facts.mapping == TDM_NAT_ADDRESS ||
                    probe.facts.mapping == TDM_NAT_UNKNOWN);
    }
}

static void test_strange_answers(void **state)
{
    struct tdm_nat_probe_config config = {.server_count = 1, .local = {local_of(0), local_of(1)}};
    struct tdm_address server = address("44.0.0.1", 3478);
    struct tdm_stun request;
    uint8_t data[64];

    (void)state;
    config.servers[0] = server;
    tdm_nat_probe_init(&probe, &config, 0);
    tdm_nat_probe_step(&probe, 0, NULL, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(tdm_stun_parse(&request, out.sends[0].data, out.sends[0].size), TDM_OK);
    /* An error, a request that comes back, another's transaction, no address, the other socket. */
    for (int i = 0; i < 5; i++) {
        struct tdm_stun r = request;
        struct tdm_nat_probe_in in = {.socket = i == 4, .from = server, .data = data};

        r.id[0] = (uint8_t)(r.id[0] ^ (i == 2));
        struct tdm_writer w = tdm_stun_begin(data, sizeof data,
                                             i == 0   ? TDM_STUN_ERROR
                                             : i == 1 ? TDM_STUN_REQUEST
                                                      : TDM_STUN_SUCCESS,
                                             TDM_STUN_BINDING, r.id);
        if (i != 3)
            tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &server);
        in.size = tdm_stun_end(&w);
        tdm_nat_probe_step(&probe, 0, &in, &out);
        assert_int_equal(probe.facts.udp, TDM_NAT_ASKING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_no_nat),
        cmocka_unit_test(test_blocked),
        cmocka_unit_test(test_large_packets_do_not_pass),
        cmocka_unit_test(test_a_server_that_cannot_tell),
        cmocka_unit_test(test_loss_does_not_mislead_about_mappings),
        cmocka_unit_test(test_strange_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
