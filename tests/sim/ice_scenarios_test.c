/* SPDX-License-Identifier: MIT */

/*
 * Two ICE agents in named situations, in virtual time: each pair of NAT kinds, dead candidates,
 * relays alone, role conflicts, paths that change, die, come back, and consent. The figures are
 * those of docs/ice.md and are printed.
 */

#include "sim/ice_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RTT      (50 * TDM_MS)
#define EVENT_AT (3 * TDM_S)

static struct tdm_sim_ice_call *call;

static double ms(tdm_time t)
{
    return t == TDM_NEVER ? -1 : (double)t / 1e6;
}

static void run(const struct tdm_sim_ice_scenario *s, struct tdm_sim_ice_result *r)
{
    assert_int_equal(tdm_sim_ice_call_run(call, s, r), TDM_OK);
    for (unsigned i = 0; i < TDM_SIM_ICE_WORDS_MAX; i++)
        if (r->words[i][0])
            print_message("%s\n", r->words[i]);
    assert_int_equal(r->violations, 0);
}

/* Also asserts that what can connect did. */
static void run_well(const struct tdm_sim_ice_scenario *s, struct tdm_sim_ice_result *r)
{
    char words[160] = "";

    run(s, r);
    if (tdm_sim_ice_differs(s, r, words)) {
        char text[256];

        tdm_sim_ice_describe(s, text);
        print_message("%s: %s\n", words, text);
    }
    assert_string_equal(words, "");
}

static void all_pairs_of_nats_connect(void **state)
{
    (void)state;
    print_message("ms until both heard the other, round trip 50 ms\n%-16s", "");
    for (unsigned b = 0; b < TDM_SIM_NAT_KINDS; b++)
        print_message("%16s", tdm_sim_nat_name((enum tdm_sim_nat_kind)b));
    for (unsigned a = 0; a < TDM_SIM_NAT_KINDS; a++) {
        print_message("\n%-16s", tdm_sim_nat_name((enum tdm_sim_nat_kind)a));
        for (unsigned b = 0; b < TDM_SIM_NAT_KINDS; b++) {
            struct tdm_sim_ice_scenario s;
            struct tdm_sim_ice_result r;

            tdm_sim_ice_plain(&s, (enum tdm_sim_nat_kind)a, (enum tdm_sim_nat_kind)b);
            run_well(&s, &r);
            print_message("%9.0f%7s", ms(tdm_sim_ice_time_to_media(&r)),
                          tdm_sim_ice_verdict_name(tdm_sim_ice_verdict_of(&s)));
            /* The answerer learns its addresses one round trip to the server after the offer, a
             * relay by TCP three or four; the offerer needs a check and its answer, the answerer
             * the media. */
            tdm_time most =
                tdm_sim_ice_verdict_of(&s) == TDM_SIM_ICE_DIRECT ? 5 * RTT / 2 : 4 * RTT;

            assert_true(tdm_sim_ice_time_to_media(&r) <= most + 30 * TDM_MS);
        }
    }
    print_message("\n");
}

static tdm_time open_with_dead(unsigned dead)
{
    struct tdm_sim_ice_scenario s;
    struct tdm_sim_ice_result r;

    tdm_sim_ice_plain(&s, TDM_SIM_NAT_NONE, TDM_SIM_NAT_NONE);
    s.agents[0].turn = s.agents[1].turn = false;
    s.agents[0].dead = s.agents[1].dead = (uint8_t)dead;
    run_well(&s, &r);
    return tdm_sim_ice_time_to_media(&r);
}

static void direct_takes_round_trips_and_dead_candidates_little(void **state)
{
    tdm_time none = open_with_dead(0), three = open_with_dead(3), ten = open_with_dead(10);

    (void)state;
    print_message("direct %.1f ms, with 3 dead candidates %.1f, with 10 %.1f\n", ms(none),
                  ms(three), ms(ten));
    assert_true(none <= RTT + RTT / 2 + 30 * TDM_MS);
    assert_true(three <= none + 50 * TDM_MS && ten <= none + 50 * TDM_MS);
}

static void relays_alone_are_quick(void **state)
{
    (void)state;
    for (unsigned link = TDM_ICE_OVER_UDP; link <= TDM_ICE_OVER_TLS; link++) {
        struct tdm_sim_ice_scenario s;
        struct tdm_sim_ice_result r;

        tdm_sim_ice_plain(&s, TDM_SIM_NAT_PORT_RESTRICTED, TDM_SIM_NAT_SYMMETRIC);
        for (unsigned i = 0; i < 2; i++) {
            s.agents[i].relay_only = true;
            s.agents[i].turn_link = (enum tdm_ice_server_link)link;
            s.net.delay[i] = 50 * TDM_US;
        }
        s.signal_delay = TDM_MS;
        run_well(&s, &r);
        print_message("relays alone on loopback, link %u: %.1f ms\n", link,
                      ms(tdm_sim_ice_time_to_media(&r)));
        assert_true(tdm_sim_ice_time_to_media(&r) <= 150 * TDM_MS);
        assert_int_equal(r.sides[0].path.local.type, TDM_ICE_RELAY);
    }
}

static void a_hundred_candidates_are_borne(void **state)
{
    struct tdm_sim_ice_scenario s;
    struct tdm_sim_ice_result r;

    (void)state;
    tdm_sim_ice_plain(&s, TDM_SIM_NAT_NONE, TDM_SIM_NAT_SYMMETRIC);
    s.agents[0].dead = s.agents[1].dead = 100;
    run(&s, &r); /* A relay at least; the direct address may be beyond what there is room for. */
    assert_true(r.sides[0].connected && r.sides[1].connected && r.sides[1].heard);
    assert_true(r.sides[0].stats.not_taken > 0 && r.sides[1].stats.not_taken > 0);
    print_message("100 dead candidates each: %.1f ms\n", ms(tdm_sim_ice_time_to_media(&r)));
}

static void roles_settle(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct tdm_sim_ice_scenario s;
        struct tdm_sim_ice_result r;

        tdm_sim_ice_plain(&s, TDM_SIM_NAT_RESTRICTED, TDM_SIM_NAT_PORT_RESTRICTED);
        s.agents[0].controlling = s.agents[1].controlling = i & 1;
        s.both_offer = i & 2;
        s.trickle = i & 2;
        run_well(&s, &r);
        assert_true(r.sides[0].path.nominated && r.sides[1].path.nominated);
        assert_int_equal(r.sides[0].path.local.type, r.sides[1].path.remote.type);
    }
}

struct change {
    const char *name;
    enum tdm_sim_ice_event event;
    bool restart;
    uint8_t turn; /* A bit for each side. */
    enum tdm_sim_nat_kind a, b;
    tdm_time gap; /* At most, without media. */
};

static void paths_that_change_are_replaced(void **state)
{
    static const struct change changes[] = {
        {"restart, nothing else", TDM_SIM_ICE_RESTART, true, 3, TDM_SIM_NAT_PORT_RESTRICTED,
         TDM_SIM_NAT_RESTRICTED, 20 * TDM_MS},
        {"restart, relayed", TDM_SIM_ICE_RESTART, true, 3, TDM_SIM_NAT_SYMMETRIC,
         TDM_SIM_NAT_SYMMETRIC, 25 * TDM_MS},
        {"new address and restart", TDM_SIM_ICE_MOVE, true, 0, TDM_SIM_NAT_NONE, TDM_SIM_NAT_NONE,
         300 * TDM_MS},
        {"the same behind NATs", TDM_SIM_ICE_MOVE, true, 3, TDM_SIM_NAT_PORT_RESTRICTED,
         TDM_SIM_NAT_PORT_RESTRICTED, 300 * TDM_MS},
        {"the same between symmetric ones", TDM_SIM_ICE_MOVE, true, 3, TDM_SIM_NAT_SYMMETRIC,
         TDM_SIM_NAT_SYMMETRIC, 300 * TDM_MS},
        {"new address, no signalling", TDM_SIM_ICE_MOVE, false, 0, TDM_SIM_NAT_NONE,
         TDM_SIM_NAT_NONE, 300 * TDM_MS},
        {"new address, no signalling, NATs", TDM_SIM_ICE_MOVE, false, 3,
         TDM_SIM_NAT_PORT_RESTRICTED, TDM_SIM_NAT_PORT_RESTRICTED, 300 * TDM_MS},
        {"gateway forgets, no relay: restart", TDM_SIM_ICE_REBIND, false, 0,
         TDM_SIM_NAT_PORT_RESTRICTED, TDM_SIM_NAT_PORT_RESTRICTED, 1000 * TDM_MS},
        {"gateway forgets, relays", TDM_SIM_ICE_REBIND, false, 3, TDM_SIM_NAT_PORT_RESTRICTED,
         TDM_SIM_NAT_PORT_RESTRICTED, 300 * TDM_MS},
        {"gateway forgets, open peer", TDM_SIM_ICE_REBIND, false, 3, TDM_SIM_NAT_PORT_RESTRICTED,
         TDM_SIM_NAT_NONE, 300 * TDM_MS},
        {"direct path dies, relay takes over", TDM_SIM_ICE_NO_DIRECT, false, 3,
         TDM_SIM_NAT_PORT_RESTRICTED, TDM_SIM_NAT_PORT_RESTRICTED, 300 * TDM_MS},
        {"gateway forgets the only relay", TDM_SIM_ICE_REBIND, false, 1, TDM_SIM_NAT_SYMMETRIC,
         TDM_SIM_NAT_SYMMETRIC, 1000 * TDM_MS},
    };

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof changes / sizeof changes[0]; i++) {
        const struct change *c = &changes[i / 2];
        struct tdm_sim_ice_scenario s;
        struct tdm_sim_ice_result r;

        tdm_sim_ice_plain(&s, c->a, c->b);
        s.agents[0].turn = c->turn & 1;
        s.agents[1].turn = c->turn & 2;
        s.event = c->event;
        s.event_at = EVENT_AT;
        s.event_side = i & 1;
        s.event_restart = c->restart;
        s.restart_when_silent = true;
        s.duration = EVENT_AT + 5 * TDM_S;
        run(&s, &r);
        print_message("%-36s by side %u: without media for %.0f and %.0f ms\n", c->name, i & 1,
                      ms(r.sides[0].gap_after), ms(r.sides[1].gap_after));
        for (unsigned k = 0; k < 2; k++) {
            assert_true(r.sides[k].connected && !r.sides[k].lost);
            assert_true(r.sides[k].gap_after <= c->gap);
        }
    }
}

static void consent_ends(void **state)
{
    static const enum tdm_sim_ice_event events[] = {TDM_SIM_ICE_DEAD, TDM_SIM_ICE_FORGED};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct tdm_sim_ice_scenario s;
        struct tdm_sim_ice_result r;

        tdm_sim_ice_plain(&s, TDM_SIM_NAT_PORT_RESTRICTED, TDM_SIM_NAT_FULL_CONE);
        s.agents[0].turn = s.agents[1].turn = i & 1;
        s.event = events[i / 2];
        s.event_at = 7 * TDM_S;
        s.duration = 40 * TDM_S;
        run(&s, &r); /* The watch sees what is sent after. */
        for (unsigned k = 0; k < 2; k++) {
            assert_true(r.sides[k].lost && !r.sides[k].connected && r.sides[k].silent);
            assert_int_equal(r.sides[k].stats.state, TDM_ICE_FAILED);
            /* Of 15 s the check every 4 to 6 s may have used up some. */
            assert_true(r.sides[k].lost_at >= s.event_at + 9 * TDM_S);
            assert_true(r.sides[k].lost_at <= s.event_at + 15 * TDM_S + RTT);
            assert_true(events[i / 2] != TDM_SIM_ICE_FORGED || r.sides[k].stats.refused > 0);
        }
    }
}

/* Set-ups that once went wrong: checks that triggered each other for ever; permissions used up by
 * dead candidates; a failure that was never told; a server that is STUN and TURN at one address. */
static void what_was_found_stays_found(void **state)
{
    static const uint64_t seeds[] = {31,   48,   77,   123,  167,  939,   983,   2359,
                                     3459, 6570, 7637, 8157, 8677, 13106, 14295, 14328};

    (void)state;
    for (unsigned i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        struct tdm_sim_ice_scenario s;
        struct tdm_sim_ice_result r;

        tdm_sim_ice_draw(&s, seeds[i]);
        run_well(&s, &r);
        assert_true(r.sides[0].stats.checks_sent < 1000);
    }
}

static void a_seed_means_the_same_twice(void **state)
{
    struct tdm_sim_ice_scenario s;
    struct tdm_sim_ice_result first, second;

    (void)state;
    tdm_sim_ice_draw(&s, 4711);
    run(&s, &first);
    run(&s, &second);
    assert_true(first.hash == second.hash);
    s.net.seed++;
    run(&s, &second);
    assert_true(first.hash != second.hash);
}

static int set_up(void **state)
{
    (void)state;
    call = tdm_sim_ice_call_create();
    return call ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tdm_sim_ice_call_destroy(call);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pairs_of_nats_connect),
        cmocka_unit_test(direct_takes_round_trips_and_dead_candidates_little),
        cmocka_unit_test(relays_alone_are_quick),
        cmocka_unit_test(a_hundred_candidates_are_borne),
        cmocka_unit_test(roles_settle),
        cmocka_unit_test(paths_that_change_are_replaced),
        cmocka_unit_test(consent_ends),
        cmocka_unit_test(what_was_found_stays_found),
        cmocka_unit_test(a_seed_means_the_same_twice),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
