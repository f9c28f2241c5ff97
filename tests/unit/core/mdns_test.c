/* SPDX-License-Identifier: MIT */
/*
 * Announcers and finders on a link that loses, delays and copies, in virtual time: names come to be
 * different, everything is found, everything that left is forgotten, and nobody says anything
 * oftener than he may.
 */
#include "engine/core/mdns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SERVERS 3
#define FLYING  256
#define SEEDS   150

struct flying {
    tdm_time at;
    uint32_t from;
    size_t size;
    uint8_t data[TDM_DNS_MESSAGE_MAX];
};

static const char *const types[] = {"_sip._udp", "_sip._tcp", "_sips._tcp"};

static struct {
    struct tdm_rng rng;
    tdm_time now;
    double loss;
    struct tdm_mdns_announcer servers[SERVERS];
    bool here[SERVERS];
    tdm_time wake_at[SERVERS + 1];
    struct tdm_mdns_finder finder;
    struct flying flying[FLYING];
    uint32_t flying_count;
    uint32_t said[SERVERS]; /* Messages to all, */
    tdm_time said_at[SERVERS];
    struct tdm_mdns_out out;
} wire;

static struct tdm_address address_of(uint32_t station)
{
    return (struct tdm_address){
        .family = TDM_IPV4, .bytes = {10, 0, 0, (uint8_t)(station + 1)}, .port = 5353};
}

static void make_server(struct tdm_mdns_announcer *a, const char *name, uint64_t seed, uint32_t i)
{
    struct tdm_mdns_announcer_config config = {
        .instance = name, .service_count = 3, .address_count = 1, .seed = seed};

    config.addresses[0] = address_of(i);
    for (uint32_t k = 0; k < 3; k++) {
        config.services[k].type = types[k];
        config.services[k].port = (uint16_t)(5060 + i);
    }
    assert_int_equal(
        tdm_dns_text_add(config.text, sizeof config.text, &config.text_size, "domain", name),
        TDM_OK);
    assert_int_equal(tdm_mdns_announcer_init(a, &config, wire.now), TDM_OK);
}

static void throw_all(uint32_t from, const struct tdm_mdns_send *send)
{
    uint32_t copies = tdm_rng_chance(&wire.rng, 0.05) ? 2 : 1;

    assert_true(send->size >= 12 && send->size <= TDM_DNS_MESSAGE_MAX);
    for (uint32_t i = 0; i < copies; i++) {
        struct flying *f = &wire.flying[wire.flying_count];

        if (tdm_rng_chance(&wire.rng, wire.loss))
            continue;
        assert_true(wire.flying_count < FLYING);
        wire.flying_count++;
        f->from = from;
        f->at = wire.now + tdm_rng_below(&wire.rng, 5) * TDM_MS;
        f->size = send->size;
        memcpy(f->data, send->data, send->size);
    }
}

static void step(uint32_t station, const struct tdm_mdns_in *in)
{
    if (station == SERVERS)
        tdm_mdns_finder_step(&wire.finder, wire.now, in, &wire.out);
    else
        tdm_mdns_announcer_step(&wire.servers[station], wire.now, in, &wire.out);
    assert_true(wire.out.send_count <= TDM_MDNS_SENDS_MAX);
    wire.wake_at[station] = wire.out.wake_at;
    for (uint32_t i = 0; i < wire.out.send_count; i++) {
        throw_all(station, &wire.out.sends[i]);
        if (station < SERVERS)
            wire.said[station]++;
    }
}

static void deliver(uint32_t index)
{
    struct flying f = wire.flying[index];

    wire.flying[index] = wire.flying[--wire.flying_count];
    for (uint32_t i = 0; i <= SERVERS; i++) /* To the sender, too, as sockets do. */
        if (i == SERVERS || wire.here[i])
            step(i,
                 &(struct tdm_mdns_in){.data = f.data, .size = f.size, .from = address_of(f.from)});
}

static void run_until(tdm_time end)
{
    for (int n = 0; n < 100000; n++) {
        uint32_t who = 0, what = UINT32_MAX;
        tdm_time at = TDM_NEVER;

        for (uint32_t i = 0; i <= SERVERS; i++)
            if ((i == SERVERS || wire.here[i]) && wire.wake_at[i] < at) {
                at = wire.wake_at[i];
                who = i;
            }
        for (uint32_t i = 0; i < wire.flying_count; i++)
            if (wire.flying[i].at <= at) {
                at = wire.flying[i].at;
                what = i;
            }
        if (at > end) {
            wire.now = end;
            return;
        }
        assert_true(at >= wire.now); /* Nobody wakes in the past. */
        wire.now = at;
        if (what != UINT32_MAX)
            deliver(what);
        else
            step(who, NULL);
    }
    fail_msg("they never come to rest");
}

static void start(uint64_t seed, double loss, const char *const names[SERVERS])
{
    memset(&wire, 0, sizeof wire);
    wire.rng = tdm_rng_of(seed);
    wire.loss = loss;
    wire.now = TDM_S;
    for (uint32_t i = 0; i < SERVERS; i++) {
        make_server(&wire.servers[i], names[i], tdm_rng_u64(&wire.rng), i);
        wire.here[i] = true;
        wire.wake_at[i] = wire.now + tdm_rng_below(&wire.rng, 2) * 400 * TDM_MS;
    }
    assert_int_equal(tdm_mdns_finder_init(&wire.finder, types, 3, tdm_rng_u64(&wire.rng), wire.now),
                     TDM_OK);
    wire.wake_at[SERVERS] = wire.now;
}

static uint32_t whole_of(uint32_t server)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < wire.finder.found_count; i++)
        count += tdm_mdns_found_whole(&wire.finder.found[i]) &&
                 wire.finder.found[i].port == 5060 + server;
    return count;
}

/* All want one name; in three of four seeds 10 to 30 % of what is said is lost. */
static void names_differ_and_all_are_found(void **state)
{
    static const char *const names[SERVERS] = {"lan.test", "lan.test", "LAN.test"};

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double loss = (double)(seed % 4) * 0.1;

        start(seed, loss, names);
        run_until(wire.now + 300 * TDM_S);
        for (uint32_t i = 0; i < SERVERS; i++) {
            if (wire.servers[i].state != TDM_MDNS_ANNOUNCED || (loss == 0 && whole_of(i) != 3))
                fail_msg("seed %u: server %u state %d found %u", (unsigned)seed, (unsigned)i,
                         (int)wire.servers[i].state, (unsigned)whole_of(i));
            assert_true(wire.said[i] < 100);
        }
        for (uint32_t i = 0; i < SERVERS && loss == 0; i++)
            for (uint32_t k = 0; k < i; k++)
                assert_false(
                    tdm_dns_name_equal(&wire.servers[i].names[0], &wire.servers[k].names[0]));
    }
}

static void found_over_a_bad_link_and_forgotten(void **state)
{
    static const char *const names[SERVERS] = {"one.test", "two.test", "three.test"};

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        start(seed, 0.3, names);
        run_until(wire.now + 400 * TDM_S);
        for (uint32_t i = 0; i < SERVERS; i++)
            if (whole_of(i) != 3)
                fail_msg("seed %u: %u of server %u", (unsigned)seed, (unsigned)whole_of(i),
                         (unsigned)i);
        wire.loss = 0;
        step(0, &(struct tdm_mdns_in){.leave = true}); /* One says goodbye, */
        wire.here[0] = false;
        wire.here[1] = false; /* one is gone without a word. */
        run_until(wire.now + 2 * TDM_S);
        assert_int_equal(whole_of(0), 0);
        assert_int_equal(whole_of(1), 3);
        run_until(wire.now + 9000 * TDM_S);
        assert_int_equal(whole_of(1), 0);
        assert_int_equal(whole_of(2), 3); /* Asked for again before it expired. */
    }
}

/* --- By hand ---------------------------------------------------------------------------------- */

static size_t ask(uint8_t data[TDM_DNS_MESSAGE_MAX], const struct tdm_dns_record *known,
                  bool unicast)
{
    struct tdm_dns_question q = {.type = TDM_DNS_PTR, .unicast = unicast};
    struct tdm_dns_writer w;

    assert_int_equal(tdm_dns_name_of(&q.name, "_sip._udp.local"), TDM_OK);
    tdm_dns_write(&w, data, TDM_DNS_MESSAGE_MAX, 77, false);
    assert_int_equal(tdm_dns_write_question(&w, &q), TDM_OK);
    if (known)
        assert_int_equal(tdm_dns_write_record(&w, known), TDM_OK);
    return tdm_dns_write_end(&w);
}

static struct tdm_mdns_announcer *announced(void)
{
    struct tdm_mdns_announcer *a = &wire.servers[0];

    memset(&wire, 0, sizeof wire);
    make_server(a, "lan.test", 5, 0);
    for (wire.now = 0; a->state != TDM_MDNS_ANNOUNCED || a->pending; wire.now = wire.out.wake_at) {
        assert_true(wire.now < 10 * TDM_S);
        tdm_mdns_announcer_step(a, wire.now, NULL, &wire.out);
    }
    assert_int_equal(wire.out.wake_at, TDM_NEVER);
    wire.now = 20 * TDM_S;
    return a;
}

static void answers_late_to_all_and_once_a_second(void **state)
{
    struct tdm_mdns_announcer *a = announced();
    uint8_t data[TDM_DNS_MESSAGE_MAX];
    struct tdm_mdns_in in = {.data = data, .size = ask(data, NULL, false), .from = address_of(8)};
    struct tdm_dns_record known = {.type = TDM_DNS_PTR, .ttl_s = 4500};

    (void)state;
    tdm_mdns_announcer_step(a, wire.now, &in, &wire.out);
    assert_int_equal(wire.out.send_count, 0);
    assert_in_range(wire.out.wake_at - wire.now, 20 * TDM_MS, 120 * TDM_MS);
    wire.now = wire.out.wake_at;
    tdm_mdns_announcer_step(a, wire.now, NULL, &wire.out);
    assert_int_equal(wire.out.send_count, 1);
    assert_int_equal(wire.out.sends[0].to.family, TDM_ADDRESS_NONE);
    tdm_mdns_announcer_step(a, wire.now + 100 * TDM_MS, &in, &wire.out); /* Asked again. */
    tdm_mdns_announcer_step(a, wire.now + 300 * TDM_MS, NULL, &wire.out);
    assert_int_equal(wire.out.send_count, 0);
    assert_int_equal(wire.out.wake_at, wire.now + TDM_S);
    tdm_mdns_announcer_step(a, wire.now + TDM_S, NULL, &wire.out);
    assert_int_equal(wire.out.send_count, 1);
    wire.now += 30 * TDM_S;
    known.name = a->types[0]; /* Who knows it is not told. */
    known.target = a->names[0];
    in.size = ask(data, &known, false);
    tdm_mdns_announcer_step(a, wire.now, &in, &wire.out);
    assert_int_equal(wire.out.wake_at, TDM_NEVER);
    known.ttl_s = 2000; /* Unless that is soon over. */
    in.size = ask(data, &known, false);
    tdm_mdns_announcer_step(a, wire.now, &in, &wire.out);
    assert_true(wire.out.wake_at < TDM_NEVER);
}

static void answers_single_askers_with_measure(void **state)
{
    struct tdm_mdns_announcer *a = announced();
    uint8_t data[TDM_DNS_MESSAGE_MAX];
    struct tdm_mdns_in in = {.data = data, .size = ask(data, NULL, true), .from = address_of(8)};
    struct tdm_dns_reader r;
    struct tdm_dns_record record;
    uint32_t count = 0;

    (void)state;
    tdm_mdns_announcer_step(a, wire.now, &in, &wire.out);
    assert_int_equal(wire.out.send_count, 1);
    assert_true(tdm_address_equal(&wire.out.sends[0].to, &in.from));
    in.from.port = 40000; /* One that knows no multicast DNS. */
    tdm_mdns_announcer_step(a, wire.now, &in, &wire.out);
    assert_int_equal(wire.out.send_count, 1);
    assert_int_equal(tdm_dns_read(&r, wire.out.sends[0].data, wire.out.sends[0].size), TDM_OK);
    assert_int_equal(r.id, 77);
    assert_int_equal(r.questions, 1);
    while (tdm_dns_read_record(&r, &record) == TDM_OK) {
        assert_true(record.ttl_s <= 10 && !record.flush);
        count++;
    }
    assert_int_equal(count, 4); /* PTR, SRV, TXT, A. */
    count = 0;
    for (int i = 0; i < 100; i++) {
        tdm_mdns_announcer_step(a, wire.now, &in, &wire.out);
        count += wire.out.send_count;
    }
    assert_true(count < 20);
}

static void goodbye(void **state)
{
    struct tdm_mdns_announcer *a = announced();
    struct tdm_dns_reader r;
    struct tdm_dns_record record;
    uint32_t count = 0;

    (void)state;
    tdm_mdns_announcer_step(a, wire.now, &(struct tdm_mdns_in){.leave = true}, &wire.out);
    assert_int_equal(wire.out.send_count, 1);
    assert_int_equal(wire.out.wake_at, TDM_NEVER);
    assert_int_equal(tdm_dns_read(&r, wire.out.sends[0].data, wire.out.sends[0].size), TDM_OK);
    for (; tdm_dns_read_record(&r, &record) == TDM_OK; count++)
        assert_int_equal(record.ttl_s, 0);
    assert_int_equal(count, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_differ_and_all_are_found),
        cmocka_unit_test(found_over_a_bad_link_and_forgotten),
        cmocka_unit_test(answers_late_to_all_and_once_a_second),
        cmocka_unit_test(answers_single_askers_with_measure),
        cmocka_unit_test(goodbye),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
