/* SPDX-License-Identifier: MIT */
#include "engine/core/send_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT 16

struct rig {
    struct tdm_send_store s;
    struct tdm_send_packet packets[COUNT];
};

static void rig_init(struct rig *r, uint16_t first_seq)
{
    tdm_send_store_init(&r->s, r->packets, COUNT, first_seq);
}

static bool add(struct rig *r)
{
    struct tdm_send_packet *p = tdm_send_store_reserve(&r->s);

    if (p)
        tdm_send_store_commit(&r->s);
    return p != NULL;
}

/* Sends what is next; its low 16 bits of sequence, or -1. */
static int send(struct rig *r, tdm_time now, bool *repair)
{
    struct tdm_send_packet *p = tdm_send_store_peek(&r->s, repair);

    if (!p)
        return -1;
    assert_true(p >= r->packets && p < r->packets + COUNT);
    int seq = (int)(p->seq & 0xffff);

    tdm_send_store_sent(&r->s, now, *repair);
    return seq;
}

static void test_in_order_over_the_wrap(void **state)
{
    struct rig r;
    bool repair;

    (void)state;
    rig_init(&r, 65500);
    for (int i = 0; i < 100; i++) {
        assert_true(add(&r));
        assert_int_equal(send(&r, 0, &repair), (65500 + i) & 0xffff);
        assert_false(repair);
        assert_int_equal(send(&r, 0, &repair), -1);
    }
    /* Over the wrap back, a NACK finds what is still there, and no more. */
    assert_true(tdm_send_store_ask(&r.s, 0, (65500 + 99) & 0xffff, 0));
    assert_true(tdm_send_store_ask(&r.s, 0, (65500 + 84) & 0xffff, 0));
    assert_false(tdm_send_store_ask(&r.s, 0, (65500 + 83) & 0xffff, 0));
    assert_false(tdm_send_store_ask(&r.s, 0, (65500 + 100) & 0xffff, 0));
}

static void test_full(void **state)
{
    struct rig r;
    bool repair;

    (void)state;
    rig_init(&r, 0);
    for (int i = 0; i < COUNT / 2; i++)
        assert_true(add(&r));
    assert_false(add(&r)); /* Half of the ring is for what was sent. */
    assert_int_equal(tdm_send_store_waiting(&r.s), COUNT / 2);
    assert_int_equal(send(&r, 0, &repair), 0);
    assert_true(add(&r));
}

/* The last packet of an open frame stays until the frame ends. */
static void test_open_frame(void **state)
{
    struct rig r;
    bool repair;

    (void)state;
    rig_init(&r, 5);
    r.s.open = true;
    assert_int_equal(tdm_send_store_waiting(&r.s), 0);
    add(&r);
    assert_int_equal(send(&r, 0, &repair), -1);
    add(&r);
    assert_int_equal(send(&r, 0, &repair), 5);
    assert_int_equal(send(&r, 0, &repair), -1);
    assert_false(tdm_send_store_ask(&r.s, 0, 6, 0)); /* Not sent yet: no repair. */
    r.s.open = false;
    assert_int_equal(send(&r, 0, &repair), 6);
}

static void test_hole_on_purpose(void **state)
{
    struct rig r;
    bool repair;

    (void)state;
    rig_init(&r, 65535);
    add(&r);
    tdm_send_store_skip(&r.s); /* Behind a packet that waits. */
    add(&r);
    assert_int_equal(send(&r, 0, &repair), 65535);
    assert_int_equal(send(&r, 0, &repair), 1);
    tdm_send_store_skip(&r.s); /* With nothing waiting. */
    assert_int_equal(tdm_send_store_waiting(&r.s), 0);
    assert_int_equal(send(&r, 0, &repair), -1);
    add(&r);
    assert_int_equal(send(&r, 0, &repair), 3);
    assert_false(tdm_send_store_ask(&r.s, 0, 0, 0));
    assert_false(tdm_send_store_ask(&r.s, 0, 2, 0));
}

static void test_repairs(void **state)
{
    struct rig r;
    bool repair;

    (void)state;
    rig_init(&r, 100);
    for (int i = 0; i < 6; i++) {
        add(&r);
        send(&r, 0, &repair);
    }
    add(&r);
    assert_true(tdm_send_store_ask(&r.s, TDM_MS, 103, 10 * TDM_MS));
    assert_true(tdm_send_store_ask(&r.s, TDM_MS, 101, 10 * TDM_MS));
    assert_false(tdm_send_store_ask(&r.s, TDM_MS, 103, 10 * TDM_MS)); /* Waits already. */
    assert_int_equal(send(&r, TDM_MS, &repair), 103);
    assert_true(repair);
    assert_int_equal(send(&r, TDM_MS, &repair), 101);
    assert_int_equal(send(&r, TDM_MS, &repair), 106);
    assert_false(repair);
    /* Sent again a moment ago: not yet once more. */
    assert_false(tdm_send_store_ask(&r.s, 10 * TDM_MS, 103, 10 * TDM_MS));
    assert_true(tdm_send_store_ask(&r.s, 11 * TDM_MS, 103, 10 * TDM_MS));
}

/* Asked for, then overwritten before its turn: it is passed over. */
static void test_overwritten(void **state)
{
    struct rig r;
    bool repair;

    (void)state;
    rig_init(&r, 0);
    add(&r);
    send(&r, 0, &repair);
    assert_true(tdm_send_store_ask(&r.s, 0, 0, 0));
    for (int i = 0; i < COUNT; i++) {
        add(&r);
        tdm_send_store_sent(&r.s, 0, false);
    }
    assert_int_equal(send(&r, 0, &repair), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order_over_the_wrap),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_open_frame),
        cmocka_unit_test(test_hole_on_purpose),
        cmocka_unit_test(test_repairs),
        cmocka_unit_test(test_overwritten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
