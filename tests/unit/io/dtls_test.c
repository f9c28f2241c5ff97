/* SPDX-License-Identifier: MIT */
#include "engine/io/dtls.h"

#include "tests/unit/io/dtls_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

static const struct tdm_identity *ids[2];

static int make_ids(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tdm_identity *id;
        struct tdm_cause cause;

        if (tdm_identity_load(NULL, &id, &cause) != TDM_OK)
            return -1;
        ids[i] = id;
    }
    return 0;
}

static int free_ids(void **state)
{
    (void)state;
    tdm_identity_free((struct tdm_identity *)(uintptr_t)ids[0]);
    tdm_identity_free((struct tdm_identity *)(uintptr_t)ids[1]);
    return 0;
}

static void check_up(struct dtls_pair *p)
{
    struct tdm_srtp_keys keys[2];
    uint8_t peer[TDM_FINGERPRINT_BYTES];

    for (int i = 0; i < 2; i++) {
        assert_int_equal(tdm_dtls_state(p->sides[i].dtls), TDM_DTLS_UP);
        assert_true(tdm_dtls_keys(p->sides[i].dtls, &keys[i]) == TDM_OK);
        assert_true(tdm_dtls_peer(p->sides[i].dtls, peer) == TDM_OK);
        assert_memory_equal(peer, tdm_identity_fingerprint(ids[!i]), sizeof peer);
        assert_true(tdm_dtls_wake_at(p->sides[i].dtls) == TDM_NEVER);
        assert_in_range(p->sides[i].largest, 1, TDM_DTLS_DATAGRAM);
    }
    assert_int_equal(keys[0].profile, TDM_SRTP_AEAD_AES_128_GCM);
    assert_int_equal(keys[0].size, 28);
    assert_memory_equal(keys[0].local, keys[1].remote, 28);
    assert_memory_equal(keys[0].remote, keys[1].local, 28);
    assert_memory_not_equal(keys[0].local, keys[0].remote, 28);
}

static void check_app(struct dtls_pair *p)
{
    uint8_t data[TDM_DTLS_DATAGRAM];

    memset(data, 'x', sizeof data);
    for (int i = 0; i < 2; i++) {
        assert_true(tdm_dtls_send(p->sides[i].dtls, data, sizeof data) == TDM_OK);
        while (pair_deliver(p, tdm_clock_now()))
            ;
        assert_int_equal(p->sides[!i].app_size, sizeof data);
        assert_memory_equal(p->sides[!i].app, data, sizeof data);
        assert_true(tdm_dtls_send(p->sides[i].dtls, data, sizeof data + 1) == TDM_E_SPACE);
    }
}

static void test_handshake(void **state)
{
    static struct dtls_pair p;
    struct tdm_srtp_keys keys;
    uint8_t peer[TDM_FINGERPRINT_BYTES];

    (void)state;
    assert_true(pair_open(&p, 1, ids));
    assert_true(tdm_dtls_keys(p.sides[0].dtls, &keys) == TDM_E_AGAIN);
    assert_true(tdm_dtls_peer(p.sides[0].dtls, peer) == TDM_E_AGAIN);
    assert_true(tdm_dtls_send(p.sides[0].dtls, peer, 1) == TDM_E_AGAIN);
    assert_int_equal(pairs_run(&p, 1, 5 * TDM_S), 1);
    check_up(&p);
    check_app(&p);
    pair_close(&p);
}

/* Lost, doubled and reordered, everything arrives in the end; nothing is answered twice. */
static void test_bad_links(void **state)
{
    enum { PAIRS = 150 };
    struct dtls_pair *pairs = calloc(PAIRS, sizeof *pairs);

    (void)state;
    assert_non_null(pairs);
    for (uint32_t i = 0; i < PAIRS; i++) {
        assert_true(pair_open(&pairs[i], i, ids));
        pairs[i].lose_percent = i % 3 * 15;
        pairs[i].double_percent = i % 4 * 10;
        pairs[i].reorder = i % 5 > 0;
    }
    assert_int_equal(pairs_run(pairs, PAIRS, 60 * TDM_S), PAIRS);
    for (uint32_t i = 0; i < PAIRS; i++) {
        check_up(&pairs[i]);
        pairs[i].lose_percent = pairs[i].double_percent = 0;
        check_app(&pairs[i]);
        pair_close(&pairs[i]);
    }
    free(pairs);
}

/* The certificate that its description does not name: both sides end, and say why. */
static void test_wrong_fingerprint(void **state)
{
    static struct dtls_pair p;
    struct tdm_srtp_keys keys;

    (void)state;
    for (uint8_t wrong = 0; wrong < 2; wrong++) {
        struct tdm_fingerprint_desc other = fingerprint_of(ids[!wrong]);

        assert_true(pair_open(&p, 1, ids));
        tdm_dtls_destroy(p.sides[wrong].dtls);
        other.bytes[31] ^= 1;
        assert_true(side_open(&p, wrong, ids[wrong], &other) == TDM_OK);
        assert_int_equal(pairs_run(&p, 1, 5 * TDM_S), 1);
        assert_int_equal(tdm_dtls_state(p.sides[wrong].dtls), TDM_DTLS_FAILED);
        assert_non_null(strstr(tdm_dtls_reason(p.sides[wrong].dtls), "somebody may sit between"));
        assert_int_equal(tdm_dtls_state(p.sides[!wrong].dtls), TDM_DTLS_FAILED);
        assert_non_null(strstr(tdm_dtls_reason(p.sides[!wrong].dtls), "refused our certificate"));
        assert_true(tdm_dtls_keys(p.sides[0].dtls, &keys) == TDM_E_AGAIN);
        assert_true(tdm_dtls_keys(p.sides[1].dtls, &keys) == TDM_E_AGAIN);
        pair_close(&p);
    }
}

/* Several may be named, by several hashes; one that is forbidden or unknown never fits. */
static void test_fingerprint_kinds(void **state)
{
    struct tdm_fingerprint_desc good = fingerprint_of(ids[1]), bad = good;
    struct tdm_dtls_config config = {.identity = ids[0], .client = true, .send = link_send};
    struct tdm_cause cause;
    static struct dtls_pair p;
    struct tdm_dtls *dtls;

    (void)state;
    assert_true(tdm_dtls_create(&dtls, &config, &cause) == TDM_E_DENIED);
    assert_null(dtls);
    assert_true(pair_open(&p, 1, ids));
    tdm_dtls_destroy(p.sides[0].dtls);
    memcpy(bad.hash, "md5", sizeof "md5");
    config.arg = &p.sides[0];
    config.fingerprint_count = 2;
    config.fingerprints[0] = bad;
    config.fingerprints[1] = good;
    assert_true(tdm_dtls_create(&p.sides[0].dtls, &config, &cause) == TDM_OK);
    assert_int_equal(pairs_run(&p, 1, 5 * TDM_S), 1);
    check_up(&p);
    pair_close(&p);
    assert_true(pair_open(&p, 1, ids));
    tdm_dtls_destroy(p.sides[0].dtls);
    config.fingerprints[1] = bad;
    assert_true(tdm_dtls_create(&p.sides[0].dtls, &config, &cause) == TDM_OK);
    assert_int_equal(pairs_run(&p, 1, 5 * TDM_S), 1);
    assert_int_equal(tdm_dtls_state(p.sides[0].dtls), TDM_DTLS_FAILED);
    pair_close(&p);
}

/* An association that stands ignores what was seen before, what is not in order and what is
 * forged; closing reaches the other side. */
static void test_hostile_records(void **state)
{
    static struct dtls_pair p;
    struct link_datagram old;
    uint8_t app[sizeof p.sides[0].app];
    struct tdm_rng rng = tdm_rng_of(7);
    size_t size;

    (void)state;
    assert_true(pair_open(&p, 1, ids));
    assert_int_equal(pairs_run(&p, 1, 5 * TDM_S), 1);
    assert_true(tdm_dtls_send(p.sides[0].dtls, (const uint8_t *)"once", 4) == TDM_OK);
    assert_int_equal(p.waiting, 1);
    old = p.link[0];
    assert_true(pair_deliver(&p, tdm_clock_now()));
    assert_int_equal(p.sides[1].app_size, 4);
    tdm_dtls_receive(p.sides[1].dtls, tdm_clock_now(), old.bytes, old.size, app, &size);
    assert_int_equal(size, 0);
    /* Sealed, and too short for a seal. */
    for (uint16_t length = 0; length < old.size - 13; length++) {
        struct link_datagram forged = old;

        forged.bytes[5] ^= 0x80; /* Its number, so that it is none of those that were seen. */
        forged.bytes[11] = 0;
        forged.bytes[12] = (uint8_t)length;
        tdm_dtls_receive(p.sides[1].dtls, tdm_clock_now(), forged.bytes, 13 + length, app, &size);
        assert_int_equal(size, 0);
    }
    for (int i = 0; i < 20000; i++) {
        struct link_datagram forged = old;

        for (uint32_t n = tdm_rng_below(&rng, 4); n < 4; n++)
            forged.bytes[tdm_rng_below(&rng, forged.size)] ^=
                (uint8_t)(1 + tdm_rng_below(&rng, 255));
        forged.size = (uint16_t)(1 + tdm_rng_below(&rng, forged.size));
        tdm_dtls_receive(p.sides[1].dtls, tdm_clock_now(), forged.bytes, forged.size, app, &size);
        assert_int_equal(size, 0);
    }
    check_up(&p);
    check_app(&p);
    tdm_dtls_destroy(p.sides[0].dtls);
    p.sides[0].dtls = NULL;
    while (p.waiting) {
        old = p.link[--p.waiting];
        tdm_dtls_receive(p.sides[1].dtls, tdm_clock_now(), old.bytes, old.size, app, &size);
    }
    assert_int_equal(tdm_dtls_state(p.sides[1].dtls), TDM_DTLS_CLOSED);
    pair_close(&p);
}

/* A side that hears nothing repeats itself less and less often, and gives up by our time. */
static void test_silence(void **state)
{
    static struct dtls_pair p;
    struct dtls_side *client = &p.sides[0];
    tdm_time now = tdm_clock_now();

    (void)state;
    assert_true(pair_open(&p, 1, ids));
    p.dead = true;
    assert_true(tdm_dtls_wake_at(client->dtls) == TDM_NEVER);
    assert_int_equal(pairs_run(&p, 1, 900 * TDM_MS), 0);
    assert_in_range(client->sent, 3, 4); /* At 0, 100, 300 and 700 ms. */
    assert_true(tdm_dtls_wake_at(client->dtls) > now);
    tdm_dtls_tick(client->dtls, now + 40 * TDM_S);
    assert_int_equal(tdm_dtls_state(client->dtls), TDM_DTLS_FAILED);
    assert_non_null(strstr(tdm_dtls_reason(client->dtls), "did not finish"));
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),         cmocka_unit_test(test_bad_links),
        cmocka_unit_test(test_wrong_fingerprint), cmocka_unit_test(test_fingerprint_kinds),
        cmocka_unit_test(test_hostile_records),   cmocka_unit_test(test_silence),
    };

    return cmocka_run_group_tests(tests, make_ids, free_ids);
}
