/* SPDX-License-Identifier: MIT */
#include "engine/sdp_fragment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char offer[] =
    "v=0\r\na=group:BUNDLE 0 1\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:old\r\n"
    "a=ice-pwd:oldpassword\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n"
    "a=mid:0\r\na=sendrecv\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:old\r\n"
    "a=ice-pwd:oldpassword\r\na=end-of-candidates\r\na=mid:1\r\n";

static void test_apply(void **state)
{
    static const char fragment[] = "a=ice-ufrag:new\r\na=ice-pwd:newpassword\r\nm=audio 9 x 0\n"
                                   "a=mid:0\na=candidate:2 1 udp 1 192.0.2.2 6 typ host\n"
                                   "a=end-of-candidates";
    static const char expected[] =
        "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:new\r\n"
        "a=ice-pwd:newpassword\r\na=mid:0\r\na=candidate:2 1 udp 1 192.0.2.2 6 typ host\r\n"
        "a=end-of-candidates\r\na=sendrecv\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
        "a=ice-ufrag:new\r\na=ice-pwd:newpassword\r\na=mid:1\r\n";
    char text[1000];
    size_t size;

    (void)state;
    assert_int_equal(tdm_sdp_fragment_apply(offer, strlen(offer), fragment, strlen(fragment), text,
                                            sizeof text, &size),
                     TDM_OK);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(text, expected, size);
    assert_int_equal(tdm_sdp_fragment_apply(offer, strlen(offer), fragment, strlen(fragment), text,
                                            size - 1, &size),
                     TDM_E_SPACE);
    assert_int_equal(tdm_sdp_fragment_apply(offer, strlen(offer), "a=ice-ufrag:x\r\n", 15, text,
                                            sizeof text, &size),
                     TDM_E_MALFORMED);
    assert_int_equal(tdm_sdp_fragment_apply(offer, strlen(offer), "", 0, text, sizeof text, &size),
                     TDM_E_MALFORMED);
}

static void test_of(void **state)
{
    static const char expected[] =
        "a=ice-ufrag:old\r\na=ice-pwd:oldpassword\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
        "a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\na=mid:0\r\n";
    char text[1000];
    size_t size;

    (void)state;
    assert_int_equal(tdm_sdp_fragment_of(offer, strlen(offer), text, sizeof text, &size), TDM_OK);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(text, expected, size);
    assert_int_equal(tdm_sdp_fragment_of(offer, strlen(offer), text, 20, &size), TDM_E_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_apply), cmocka_unit_test(test_of)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
