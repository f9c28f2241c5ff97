/* SPDX-License-Identifier: MIT */

/* The NATs that ICE is tried against do what RFC 4787 says of their kind; and what watches an agent
 * sees what it should. */

#include "engine/wire/stun.h"
#include "sim/ice_watch.h"
#include "sim/internet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_address at(const char *host, uint16_t port)
{
    struct tdm_address a;

    assert_int_equal(tdm_address_parse(&a, host, port), TDM_OK);
    return a;
}

static void start(struct tdm_sim_nat *nat, enum tdm_sim_nat_kind kind)
{
    struct tdm_sim_nat_config config = tdm_sim_nat_of(kind);

    config.outside = at("203.0.113.1", 0);
    tdm_sim_nat_init(nat, &config);
}

static void each_kind_maps_and_filters_as_its_name_says(void **state)
{
    static const struct {
        enum tdm_sim_nat_kind kind;
        bool out, same_mapping, from_anybody, from_other_port, from_peer;
    } cases[] = {
        {TDM_SIM_NAT_FULL_CONE, true, true, true, true, true},
        {TDM_SIM_NAT_RESTRICTED, true, true, false, true, true},
        {TDM_SIM_NAT_PORT_RESTRICTED, true, true, false, false, true},
        {TDM_SIM_NAT_SYMMETRIC, true, false, false, false, true},
        {TDM_SIM_NAT_NO_UDP, false, false, false, false, false},
    };
    struct tdm_address inner = at("10.0.0.2", 5000), peer = at("198.51.100.9", 9000);
    struct tdm_address other_port = at("198.51.100.9", 9001), stranger = at("198.51.100.10", 9000);

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tdm_sim_nat nat;
        struct tdm_address first = inner, second = inner, to;

        start(&nat, cases[i].kind);
        assert_int_equal(tdm_sim_nat_out(&nat, 0, &first, &peer), cases[i].out);
        to = first;
        assert_int_equal(tdm_sim_nat_in(&nat, 1, &peer, &to), cases[i].from_peer);
        assert_true(!cases[i].from_peer || tdm_address_equal(&to, &inner));
        to = first;
        assert_int_equal(tdm_sim_nat_in(&nat, 1, &stranger, &to), cases[i].from_anybody);
        to = first;
        assert_int_equal(tdm_sim_nat_in(&nat, 1, &other_port, &to), cases[i].from_other_port);
        if (!cases[i].out)
            continue;
        assert_true(tdm_sim_nat_out(&nat, 2, &second, &stranger));
        assert_int_equal(tdm_address_equal(&first, &second), cases[i].same_mapping);
        to = first; /* Forgotten after the timeout. */
        assert_false(tdm_sim_nat_in(&nat, 1000 * TDM_S, &peer, &to));
    }
}

static void an_opened_port_lets_all_in_and_outlives_a_restart(void **state)
{
    struct tdm_address inner = at("10.0.0.2", 5000), anybody = at("198.51.100.9", 9000);
    struct tdm_sim_nat nat;

    (void)state;
    start(&nat, TDM_SIM_NAT_SYMMETRIC);
    struct tdm_address outer = tdm_sim_nat_open(&nat, &inner), to = outer, from = inner;

    assert_true(tdm_sim_nat_in(&nat, 0, &anybody, &to) && tdm_address_equal(&to, &inner));
    assert_true(tdm_sim_nat_out(&nat, 0, &from, &anybody) && tdm_address_equal(&from, &outer));
    tdm_sim_nat_forget(&nat);
    to = outer;
    assert_true(tdm_sim_nat_in(&nat, 0, &anybody, &to));
}

/* Two hosts behind one gateway, and one on the Internet. */
static void datagrams_find_their_way(void **state)
{
    struct tdm_sim_internet net = {0};
    struct tdm_sim_nat_config config = tdm_sim_nat_of(TDM_SIM_NAT_FULL_CONE);
    struct tdm_address a = at("10.0.0.2", 5000), b = at("10.0.0.3", 5000),
                       c = at("198.51.100.9", 5000), from, to, outer;

    (void)state;
    config.outside = at("203.0.113.1", 0);
    int first = tdm_sim_internet_add(
        &net, &(struct tdm_sim_interface){
                  .up = true, .host = 0, .network = 1, .firewall = -1, .address = a});
    int second = tdm_sim_internet_add(
        &net, &(struct tdm_sim_interface){
                  .up = true, .host = 1, .network = 1, .firewall = -1, .address = b});
    int third = tdm_sim_internet_add(
        &net, &(struct tdm_sim_interface){
                  .up = true, .host = 2, .network = 0, .firewall = -1, .address = c});
    int gateway = tdm_sim_internet_join(&net, 1, 0, &config);

    from = a, to = b;
    assert_int_equal(tdm_sim_internet_carry(&net, 0, first, &from, &to), second);
    assert_true(tdm_address_equal(&from, &a));
    from = a, to = c;
    assert_int_equal(tdm_sim_internet_carry(&net, 0, first, &from, &to), third);
    assert_true(tdm_address_same_host(&from, &config.outside));
    outer = from;
    from = c, to = outer;
    assert_int_equal(tdm_sim_internet_carry(&net, 0, third, &from, &to), first);
    from = b, to = outer; /* By its outer address, which is hairpinning. */
    assert_int_equal(tdm_sim_internet_carry(&net, 0, second, &from, &to), -1);
    net.gateways[gateway].nat.config.hairpin = true;
    from = b, to = outer;
    assert_int_equal(tdm_sim_internet_carry(&net, 0, second, &from, &to), first);
    assert_true(tdm_address_same_host(&from, &config.outside));
    from = c, to = at("192.168.9.9", 1);
    assert_int_equal(tdm_sim_internet_carry(&net, 0, third, &from, &to), -1);
}

static void add_message(struct tdm_ice_out *out, enum tdm_stun_class kind, unsigned filling)
{
    static const uint8_t id[TDM_STUN_ID_BYTES] = {1}, bytes[200];
    struct tdm_ice_send *send = &out->sends[out->send_count++];
    struct tdm_writer w = tdm_stun_begin(send->data, sizeof send->data, kind, TDM_STUN_BINDING, id);

    tdm_stun_write_text(&w, TDM_STUN_USERNAME, "a:b");
    tdm_stun_write_bytes(&w, TDM_STUN_SOFTWARE, bytes, filling);
    send->link = 0;
    send->to = at("192.0.2.2", 6000);
    send->size = (uint16_t)tdm_stun_end(&w);
}

static void the_watch_sees_each_fault(void **state)
{
    static struct tdm_ice_out out;
    struct tdm_ice_in asked = {
        .kind = TDM_ICE_DATAGRAM, .from = at("192.0.2.2", 6000), .size = 100};
    struct tdm_sim_ice_watch w;

    (void)state;
    for (unsigned fault = 0; fault < 7; fault++) {
        const struct tdm_ice_in *in = NULL;

        tdm_sim_ice_watch_init(&w);
        memset(&out, 0, sizeof out);
        out.wake_at = 2 * TDM_S;
        if (fault == 1)
            out.wake_at = TDM_S - 1;
        if (fault == 2)
            add_message(&out, TDM_STUN_SUCCESS, 4);
        if (fault >= 3)
            in = &asked;
        if (fault == 3)
            add_message(&out, TDM_STUN_ERROR, 100);
        if (fault >= 4) {
            tdm_sim_ice_watch_step(&w, TDM_S, in, &out, true);
            out.told_count = 1;
            out.told[0].kind = TDM_ICE_TOLD_LOST;
            tdm_sim_ice_watch_step(&w, TDM_S, in, &out, false);
            out.told_count = 0;
        }
        if (fault == 4)
            add_message(&out, TDM_STUN_REQUEST, 4);
        if (fault == 5)
            add_message(&out, TDM_STUN_SUCCESS, 4);
        out.app = fault == 6;
        tdm_sim_ice_watch_step(&w, TDM_S, in, &out, false);
        assert_int_equal(w.violations > 0, fault > 0);
    }
    memset(&out, 0, sizeof out);
    tdm_sim_ice_watch_init(&w);
    for (unsigned i = 0; i <= TDM_SIM_ICE_CHECKS_MAX; i++) {
        assert_int_equal(w.violations, 0);
        out.send_count = 0;
        add_message(&out, TDM_STUN_REQUEST, 4);
        out.wake_at = TDM_S + i * TDM_MS;
        tdm_sim_ice_watch_step(&w, TDM_S + i * TDM_MS, NULL, &out, false);
    }
    assert_int_equal(w.violations, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_maps_and_filters_as_its_name_says),
        cmocka_unit_test(an_opened_port_lets_all_in_and_outlives_a_restart),
        cmocka_unit_test(datagrams_find_their_way),
        cmocka_unit_test(the_watch_sees_each_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
