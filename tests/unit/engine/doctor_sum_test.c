/* SPDX-License-Identifier: MIT */
#include "engine/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A machine at which nothing is wrong, behind an ordinary NAT. */
static struct tdm_doctor_facts healthy(void)
{
    struct tdm_doctor_facts f = {
        .address = TDM_DOCTOR_YES,
        .sip_port = TDM_DOCTOR_YES,
        .channel_port = TDM_DOCTOR_YES,
        .microphone = TDM_DOCTOR_YES,
        .speaker = TDM_DOCTOR_YES,
        .camera = TDM_DOCTOR_YES,
        .stun = TDM_DOCTOR_YES,
        .clock = TDM_DOCTOR_YES,
    };

    f.nat.udp = f.nat.behind = f.nat.medium = TDM_NAT_YES;
    f.nat.mapping = TDM_NAT_INDEPENDENT;
    return f;
}

static struct tandem_service_state state;

static void is(const struct tdm_doctor_facts *f, enum tandem_service service,
               enum tandem_verdict verdict, const char *path, const char *advice)
{
    memset(&state, 0, sizeof state);
    tdm_doctor_sum(f, service, &state);
    if (state.verdict != verdict || !strstr(state.path, path) || !strstr(state.advice, advice))
        print_message("%s: %d \"%s\"; \"%s\"\n", state.name, (int)state.verdict, state.path,
                      state.advice);
    assert_int_equal(state.verdict, verdict);
    assert_non_null(strstr(state.path, path));
    assert_non_null(strstr(state.advice, advice));
}

static void test_media_goes_the_best_way_there_is(void **state_)
{
    struct tdm_doctor_facts f = healthy();

    (void)state_;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_WORKS, "direct through the NAT", "");
    f.nat.mapping = TDM_NAT_ADDRESS_PORT;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_HINDERED, "direct only to sides", "name a relay");
    f.relay[TDM_WAY_UDP] = TDM_DOCTOR_YES;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_WORKS, "else relayed", "");
    f.mapped = TDM_DOCTOR_YES;
    is(&f, TANDEM_SERVICE_VIDEO, TANDEM_WORKS, "the gateway opens a port", "");
    f.nat.medium = TDM_NAT_NO;
    is(&f, TANDEM_SERVICE_VIDEO, TANDEM_BROKEN, "full packets are lost", "MTU");
    f.nat.udp = TDM_NAT_NO;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_BROKEN, "UDP is blocked", "turns:");
    f.relay[TDM_WAY_TLS] = TDM_DOCTOR_YES;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_HINDERED, "relayed over TCP", "allow UDP");
    f.relay[TDM_WAY_TLS] = TDM_DOCTOR_UNASKED;
    f.relay[TDM_WAY_TCP] = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_UNTESTED, "does not answer in any way", "check its name");
    f.address = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_HINDERED, "only on this machine", "network");
}

static void test_devices(void **state_)
{
    struct tdm_doctor_facts f = healthy();

    (void)state_;
    f.camera = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_WORKS, "", "");
    is(&f, TANDEM_SERVICE_VIDEO, TANDEM_HINDERED, "direct", "no camera");
    f.microphone = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_HINDERED, "direct", "nobody hears you");
    f.speaker = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_HINDERED, "direct", "neither microphone nor loudspeaker");
    f.microphone = TDM_DOCTOR_YES;
    is(&f, TANDEM_SERVICE_VOICE, TANDEM_HINDERED, "direct", "no loudspeaker");
}

static void test_sign_in(void **state_)
{
    struct tdm_doctor_facts f = healthy();

    (void)state_;
    is(&f, TANDEM_SERVICE_SIGN_IN, TANDEM_UNTESTED, "no host was named", "tandem doctor HOST");
    f.named = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_SIGN_IN, TANDEM_BROKEN, "name is unknown", "written");
    is(&f, TANDEM_SERVICE_CHANNEL, TANDEM_BROKEN, "name is unknown", "written");
    f.named = TDM_DOCTOR_YES;
    f.sip_port = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_SIGN_IN, TANDEM_HINDERED, "in use here", "another port");
    f.host[0] = f.host[1] = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_SIGN_IN, TANDEM_BROKEN, "neither over UDP nor over TCP", "firewall");
    f.host[1] = TDM_DOCTOR_YES;
    is(&f, TANDEM_SERVICE_SIGN_IN, TANDEM_WORKS, "SIP over TCP", "");
    f.host[0] = TDM_DOCTOR_YES;
    is(&f, TANDEM_SERVICE_SIGN_IN, TANDEM_WORKS, "SIP over UDP and TCP", "");
    f.clock = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_SIGN_IN, TANDEM_BROKEN, "clock", "date");
}

static void test_channel(void **state_)
{
    struct tdm_doctor_facts f = healthy();

    (void)state_;
    is(&f, TANDEM_SERVICE_CHANNEL, TANDEM_UNTESTED, "no host", "HOST");
    f.host_channel = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_CHANNEL, TANDEM_HINDERED, "with the call's media packets", "one side");
    f.mapped_tcp.family = TDM_IPV4;
    is(&f, TANDEM_SERVICE_CHANNEL, TANDEM_WORKS, "from there to here", "");
    f.channel_port = TDM_DOCTOR_NO;
    is(&f, TANDEM_SERVICE_CHANNEL, TANDEM_HINDERED, "", "");
    f.host_channel = TDM_DOCTOR_YES;
    is(&f, TANDEM_SERVICE_CHANNEL, TANDEM_WORKS, "from here to there", "");
    f.channel_port = TDM_DOCTOR_YES;
    is(&f, TANDEM_SERVICE_CHANNEL, TANDEM_WORKS, "both ways", "");
}

static void test_relay(void **state_)
{
    struct tdm_doctor_facts f = healthy();

    (void)state_;
    is(&f, TANDEM_SERVICE_RELAY, TANDEM_UNTESTED, "no relay", "--turn");
    f.relay[TDM_WAY_UDP] = TDM_DOCTOR_NO;
    (void)snprintf(f.relay_why[TDM_WAY_UDP], sizeof f.relay_why[TDM_WAY_UDP], "wrong password");
    is(&f, TANDEM_SERVICE_RELAY, TANDEM_BROKEN, "wrong password", "password");
    f.relay[TDM_WAY_TCP] = f.relay[TDM_WAY_TLS] = TDM_DOCTOR_YES;
    is(&f, TANDEM_SERVICE_RELAY, TANDEM_WORKS, "relay over TCP, TLS", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_media_goes_the_best_way_there_is),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_sign_in),
        cmocka_unit_test(test_channel),
        cmocka_unit_test(test_relay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
