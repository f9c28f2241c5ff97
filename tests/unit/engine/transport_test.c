/* SPDX-License-Identifier: MIT */
/* A transport without ICE: whom it hears before there are keys. */
#include "engine/transport.h"

#include "engine/io/clock.h"

#include <setjmp.h>
#include <stdarg.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stranger_does_not_move_the_handshake, start, end),
        cmocka_unit_test_setup_teardown(a_gateway_may_have_changed_the_port, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
