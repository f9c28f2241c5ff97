/* SPDX-License-Identifier: MIT */
/* A transport: whom it hears before there are keys, and ICE that is agreed on later. */
#include "engine/transport.h"

#include "engine/io/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_transport *transport;
static struct tdm_identity *identity;
static struct tdm_cause cause;
static struct tdm_address signalled, stranger, ours;

static int start(void **state)
{
    struct tdm_udp pair[2];
    struct tdm_dtls_config config = {
        .client = true, .fingerprint_count = 1, .send = tdm_transport_send_dtls};
    struct tdm_transport_setup setup = {.proto = TDM_PROTO_DTLS};
    tdm_time now = tdm_clock_now();

    (void)state;
    transport = calloc(1, sizeof *transport);
    if (!transport || tdm_identity_load(NULL, &identity, &cause) != TDM_OK ||
        tdm_udp_open_pair("127.0.0.1", 0, 0, pair, &cause) != TDM_OK ||
        tdm_address_parse(&signalled, "127.0.0.9", 40000) != TDM_OK ||
        tdm_address_parse(&stranger, "127.0.0.5", 40000) != TDM_OK ||
        tdm_address_parse(&ours, "127.0.0.1", pair[0].port) != TDM_OK ||
        tdm_transport_init(transport, &pair[0], NULL, now, &cause) != TDM_OK)
        return -1;
    tdm_udp_close(&pair[1]);
    config.identity = identity;
    config.arg = transport;
    config.fingerprints[0] = (struct tdm_fingerprint_desc){"sha-256", {1}, 32};
    setup.remote = signalled;
    setup.local = ours;
    if (tdm_dtls_create(&setup.dtls, &config, &cause) != TDM_OK)
        return -1;
    tdm_transport_agree(transport, now, &setup);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tdm_transport_free(transport);
    free(transport);
    tdm_identity_free(identity);
    return 0;
}

static void come(const struct tdm_address *from, uint8_t first)
{
    uint8_t data[64] = {first, 254, 253};
    struct tdm_transport_media media;

    assert_false(
        tdm_transport_receive(transport, tdm_clock_now(), from, &ours, data, sizeof data, &media));
}

/* A byte of anybody's moved the handshake there, 1512 bytes for one. */
static void a_stranger_does_not_move_the_handshake(void **state)
{
    (void)state;
    assert_true(tdm_address_equal(&transport->dtls_to, &signalled));
    for (unsigned first = 20; first < 64; first++)
        come(&stranger, (uint8_t)first);
    assert_true(tdm_address_equal(&transport->dtls_to, &signalled));
    assert_true(tdm_address_same_host(&transport->local, &ours));
    assert_int_equal(transport->status.refused, 44);
    assert_false(transport->failed);
}

static void a_gateway_may_have_changed_the_port(void **state)
{
    struct tdm_address other = signalled;

    (void)state;
    other.port++;
    come(&other, 22);
    assert_true(tdm_address_equal(&transport->dtls_to, &other));
    assert_int_equal(transport->status.refused, 0);
}

static const char PWD[] = "0123456789abcdef01234567";
static struct tdm_transport *two[2];
static struct tdm_udp_batch *batch;

static int start_two(void **state)
{
    tdm_time now = tdm_clock_now();

    (void)state;
    batch = calloc(1, sizeof *batch);
    for (int i = 0; i < 2; i++) {
        struct tdm_ice_in in = {.kind = TDM_ICE_ADDRESS};
        struct tdm_ice_config config = {.controlling = i == 0, .seed = (uint64_t)i};
        struct tdm_udp pair[2];

        (void)snprintf(config.ufrag, sizeof config.ufrag, "user%d", i);
        (void)snprintf(config.pwd, sizeof config.pwd, "%s", PWD);
        two[i] = calloc(1, sizeof *two[i]);
        if (!batch || !two[i] || tdm_udp_open_pair("127.0.0.1", 0, 0, pair, &cause) != TDM_OK ||
            tdm_transport_init(two[i], &pair[0], &config, now, &cause) != TDM_OK ||
            tdm_address_parse(&in.address, "127.0.0.1", pair[0].port) != TDM_OK)
            return -1;
        tdm_udp_close(&pair[1]);
        tdm_transport_ice(two[i], now, &in);
        tdm_transport_ice(two[i], now, &(struct tdm_ice_in){.kind = TDM_ICE_ADDRESSES_END});
    }
    return 0;
}

static int end_two(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        tdm_transport_free(two[i]);
        free(two[i]);
    }
    free(batch);
    return 0;
}

/* What both say of themselves, each to the other. */
static void agree(bool ice)
{
    for (int i = 0; i < 2; i++) {
        struct tdm_transport_setup setup = {
            .proto = TDM_PROTO_RTP, .ice = ice, .end_of_candidates = true};

        if (ice) {
            (void)snprintf(setup.ufrag, sizeof setup.ufrag, "%s", two[!i]->ice_config.ufrag);
            (void)snprintf(setup.pwd, sizeof setup.pwd, "%s", PWD);
            setup.candidate_count = 1;
            setup.candidates[0].priority = 1;
            setup.candidates[0].address = two[!i]->addresses[0];
        } else {
            setup.remote = two[!i]->addresses[0];
        }
        tdm_transport_agree(two[i], tdm_clock_now(), &setup);
    }
}

/* Whether a packet of the one comes out at the other, within two seconds. */
static bool passes(int from)
{
    static const uint8_t packet[40] = {0x80, 96};
    tdm_time until = tdm_clock_now() + 2 * TDM_S;

    for (tdm_time now; (now = tdm_clock_now()) < until;) {
        tdm_transport_send(two[from], now, false, &(struct tdm_udp_piece){packet, sizeof packet},
                           1);
        for (int i = 0; i < 2; i++) {
            struct tdm_transport_media media;

            tdm_transport_tick(two[i], now);
            if (tdm_udp_receive(&two[i]->udp, now, batch) != TDM_OK)
                continue;
            for (uint32_t k = 0; k < batch->count; k++)
                if (tdm_transport_receive(two[i], now, &batch->datagrams[k].from,
                                          &batch->datagrams[k].to, batch->bytes[k],
                                          batch->datagrams[k].size, &media) &&
                    i != from && media.size == sizeof packet)
                    return true;
        }
    }
    return false;
}

/* A re-INVITE that got past who had stripped ICE from the first one: nothing was sent any more. */
static void ice_may_be_agreed_on_later(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        bool ice = round == 1;

        agree(ice);
        assert_true(passes(0));
        assert_true(passes(1));
        assert_true(two[0]->status.ice == ice && two[1]->status.ice == ice);
    }
}

/* So does a component that was bundled with another and has a way of its own again; by new
 * credentials, and not by an address that went meanwhile. */
static void what_rested_comes_back(void **state)
{
    struct tdm_ice_in in = {.kind = TDM_ICE_ADDRESS};

    (void)state;
    agree(true);
    assert_true(passes(0));
    assert_int_equal(tdm_address_parse(&in.address, "127.0.0.9", 5), TDM_OK);
    tdm_transport_ice(two[0], tdm_clock_now(), &in);
    for (int i = 0; i < 2; i++)
        tdm_transport_rest(two[i]);
    in.kind = TDM_ICE_ADDRESS_GONE;
    tdm_transport_ice(two[0], tdm_clock_now(), &in);
    assert_int_equal(two[0]->address_count, 1);
    tdm_transport_ice(
        two[0], tdm_clock_now(),
        &(struct tdm_ice_in){.kind = TDM_ICE_RESTART, .ufrag = "another", .pwd = PWD});
    agree(true);
    assert_true(passes(0));
    assert_true(passes(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stranger_does_not_move_the_handshake, start, end),
        cmocka_unit_test_setup_teardown(a_gateway_may_have_changed_the_port, start, end),
        cmocka_unit_test_setup_teardown(ice_may_be_agreed_on_later, start_two, end_two),
        cmocka_unit_test_setup_teardown(what_rested_comes_back, start_two, end_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
