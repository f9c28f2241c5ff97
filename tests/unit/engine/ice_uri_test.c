/* SPDX-License-Identifier: MIT */
#include "engine/ice_uri.h"

#include "engine/candidates.h"
#include "engine/reach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void uris_that_are_right(void **state)
{
    static const struct {
        const char *text, *host, *user, *password;
        uint16_t port;
        enum tdm_ice_server_kind kind;
        enum tdm_ice_server_link link;
        uint8_t family;
    } rows[] = {
        {"stun:10.0.0.1", "10.0.0.1", "", "", 3478, TDM_ICE_STUN, TDM_ICE_OVER_UDP, TDM_IPV4},
        {"STUN:stun.example.org:99", "stun.example.org", "", "", 99, TDM_ICE_STUN, TDM_ICE_OVER_UDP,
         TDM_ADDRESS_NONE},
        {"stun:[2001:db8::1]:5", "2001:db8::1", "", "", 5, TDM_ICE_STUN, TDM_ICE_OVER_UDP,
         TDM_IPV6},
        {"stun:2001:db8::1", "2001:db8::1", "", "", 3478, TDM_ICE_STUN, TDM_ICE_OVER_UDP, TDM_IPV6},
        {"turn:ann:s3cret@10.0.0.1", "10.0.0.1", "ann", "s3cret", 3478, TDM_ICE_TURN,
         TDM_ICE_OVER_UDP, TDM_IPV4},
        {"turn:1700000000:ann:a+b/c=@relay:1?transport=udp", "relay", "1700000000:ann", "a+b/c=", 1,
         TDM_ICE_TURN, TDM_ICE_OVER_UDP, TDM_ADDRESS_NONE},
        {"turn:ann:p@ss@relay?transport=tcp", "relay", "ann", "p@ss", 3478, TDM_ICE_TURN,
         TDM_ICE_OVER_TCP, TDM_ADDRESS_NONE},
        {"turns:ann:p@relay", "relay", "ann", "p", 5349, TDM_ICE_TURN, TDM_ICE_OVER_TLS,
         TDM_ADDRESS_NONE},
        {"turns:ann:p@relay?transport=tcp", "relay", "ann", "p", 5349, TDM_ICE_TURN,
         TDM_ICE_OVER_TLS, TDM_ADDRESS_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_ice_uri list[TDM_ICE_SERVERS_MAX];
        struct tdm_cause cause = {""};
        uint8_t count;

        if (tdm_ice_uris_parse(rows[i].text, list, &count, &cause) != TDM_OK)
            fail_msg("%s: %s", rows[i].text, cause.text);
        assert_int_equal(count, 1);
        assert_string_equal(list[0].host, rows[i].host);
        assert_string_equal(list[0].server.user, rows[i].user);
        assert_string_equal(list[0].server.password, rows[i].password);
        assert_int_equal(list[0].port, rows[i].port);
        assert_int_equal(list[0].server.kind, rows[i].kind);
        assert_int_equal(list[0].server.link, rows[i].link);
        assert_int_equal(list[0].server.address.family, rows[i].family);
        if (rows[i].family)
            assert_int_equal(list[0].server.address.port, rows[i].port);
    }
}

static void uris_that_are_wrong(void **state)
{
    static const char *const rows[] = {
        "stun",
        "stun:",
        "http://x",
        "stun:x:0",
        "stun:x:y",
        "stun:x:70000",
        "stun:[::1",
        "stun:[::1]x",
        "turn:relay",
        "turn:ann@relay",
        "turn::secret@relay",
        "stun:x?transport=tcp",
        "turn:a:b@",
        "turns:a:b@x?transport=udp",
        "turn:a:b@x?transport=sctp",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_ice_uri list[TDM_ICE_SERVERS_MAX];
        struct tdm_cause cause = {""};
        uint8_t count;

        if (tdm_ice_uris_parse(rows[i], list, &count, &cause) != TDM_E_MALFORMED)
            fail_msg("%s was taken", rows[i]);
        assert_true(cause.text[0] != 0);
    }
}

static void lists(void **state)
{
    struct tdm_ice_uri list[TDM_ICE_SERVERS_MAX];
    uint8_t count;

    (void)state;
    assert_int_equal(tdm_ice_uris_parse(NULL, list, &count, NULL), TDM_OK);
    assert_int_equal(count, 0);
    assert_int_equal(tdm_ice_uris_parse(" stun:a, stun:b ,,stun:c", list, &count, NULL), TDM_OK);
    assert_int_equal(count, 3);
    assert_string_equal(list[2].host, "c");
    assert_int_equal(tdm_ice_uris_parse("stun:a,stun:b,stun:c,stun:d,stun:e", list, &count, NULL),
                     TDM_E_SPACE);
}

/* There and back: what the agent has is what the other side's agent gets. */
static void candidates(void **state)
{
    static const enum tdm_ice_type types[] = {TDM_ICE_HOST, TDM_ICE_SRFLX, TDM_ICE_PRFLX,
                                              TDM_ICE_RELAY};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct tdm_ice_candidate from = {.type = types[i], .priority = 77, .foundation = "f1"};
        struct tdm_ice_candidate to;
        struct tdm_candidate_desc desc;

        assert_int_equal(tdm_address_parse(&from.address, "2001:db8::7", 5004), TDM_OK);
        assert_int_equal(tdm_address_parse(&from.base, "10.0.0.7", 5006), TDM_OK);
        tdm_candidate_describe(&from, 2, &desc);
        assert_int_equal(desc.component, 2);
        assert_int_equal(tdm_candidate_of(&desc, &to), TDM_OK);
        assert_int_equal(to.type, types[i]);
        assert_int_equal(to.priority, 77);
        assert_string_equal(to.foundation, "f1");
        assert_true(tdm_address_equal(&to.address, &from.address));
        if (types[i] == TDM_ICE_HOST) /* It says nothing of our inside. */
            assert_int_equal(to.base.family, TDM_ADDRESS_NONE);
        else
            assert_true(tdm_address_equal(&to.base, &from.base));
        desc.tcp = true;
        assert_int_equal(tdm_candidate_of(&desc, &to), TDM_E_UNSUPPORTED);
        desc.tcp = false;
        memcpy(desc.host, "a1b2.local", sizeof "a1b2.local");
        assert_int_equal(tdm_candidate_of(&desc, &to), TDM_E_AGAIN);
    }
}

static void contacts(void **state)
{
    static const char *const rows[][2] = {
        {"sip:Ann@Example.org", "ann@example.org"},
        {"sips:ann@example.org:5061;transport=tls", "ann@example.org"},
        {"10.0.0.7:5070", "10.0.0.7"},
        {"sip:[2001:DB8::1]:5060", "[2001:db8::1]"},
        {"ann@[::1]", "ann@[::1]"},
        {"sip:ann@host?subject=x", "ann@host"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[32];

        tdm_reach_contact(rows[i][0], name, sizeof name);
        assert_string_equal(name, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_that_are_right),
        cmocka_unit_test(uris_that_are_wrong),
        cmocka_unit_test(lists),
        cmocka_unit_test(candidates),
        cmocka_unit_test(contacts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
