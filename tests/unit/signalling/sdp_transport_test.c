/* SPDX-License-Identifier: MIT */
/* What SDP says of ICE, fingerprints, roles, keys and bundles, and what liars say. */
#include "signalling/sdp.h"
#include "signalling/sdp_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD  "v=0\r\no=- 1 2 IN IP4 10.0.0.7\r\ns=-\r\nc=IN IP4 10.0.0.7\r\nt=0 0\r\n"
#define AUDIO "m=audio 7000 UDP/TLS/RTP/SAVPF 0\r\n"
#define HEX31                                                                                      \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE"
#define KEY30 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

static struct tdm_media_desc parsed(const char *text)
{
    struct tdm_media_desc desc;
    struct tdm_cause cause = {""};

    if (tdm_sdp_parse(text, strlen(text), &desc, &cause))
        fail_msg("%s", cause.text);
    return desc;
}

static void writes_what_it_reads(void **state)
{
    static const char golden[] = HEAD
        "a=group:BUNDLE v a\r\na=ice-lite\r\na=ice-options:ice2 trickle\r\n"
        "a=fingerprint:sha-256 " HEX31 ":FF\r\n"
        "m=audio 7000 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\na=rtcp-mux\r\n"
        "a=rtcp-mux-only\r\na=mid:a\r\na=sendrecv\r\n"
        "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=setup:actpass\r\n"
        "a=candidate:1 1 UDP 2130706431 10.0.1.1 7000 typ host\r\n"
        "a=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 7000\r\n"
        "a=candidate:3 1 UDP 9 2001:db8::5 1 typ relay raddr 192.0.2.3 rport 9\r\n"
        "a=candidate:4 1 UDP 8 0f0f0f0f-1234-4321-8888-0f0f0f0f0f0f.local 5 typ host\r\n"
        "a=end-of-candidates\r\n"
        "m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\na=rtpmap:96 VP8/90000\r\n"
        "a=rtcp-fb:96 transport-cc\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
        "a=mid:v\r\na=bundle-only\r\na=recvonly\r\n"
        "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=setup:actpass\r\n"
        "m=application 1503 TCP/TLS/tandem *\r\na=setup:passive\r\n"
        "a=candidate:1 1 TCP 2130706431 10.0.1.1 9 typ host tcptype active\r\n"
        "a=connection:existing\r\na=mid:c\r\n";
    struct tdm_media_desc d = parsed(golden);
    char text[8192];
    size_t size;

    (void)state;
    d.media[2].transport.ice_lite = d.media[2].transport.ice_trickle = false;
    assert_int_equal(tdm_sdp_write(&d, text, sizeof text - 1, &size), TDM_OK);
    text[size] = '\0';
    assert_string_equal(text, golden);
}

static void writes_keys_and_each_lines_own_fingerprint(void **state)
{
    static const char golden[] =
        HEAD "m=audio 7000 RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
             "a=crypto:1 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCw==\r\n"
             "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n"
             "m=application 9 TCP/TLS/tandem *\r\na=fingerprint:sha-256 " HEX31 ":FF\r\n"
             "a=setup:active\r\na=connection:new\r\n";
    struct tdm_media_desc d = parsed(golden);
    char text[2048];
    size_t size;

    (void)state;
    assert_int_equal(d.media[0].transport.cryptos[0].key_size, 28);
    assert_int_equal(d.media[0].transport.cryptos[0].key[27], 11);
    assert_int_equal(d.media[0].transport.cryptos[1].key[0], 'Y');
    assert_int_equal(tdm_sdp_write(&d, text, sizeof text - 1, &size), TDM_OK);
    text[size] = '\0';
    assert_string_equal(text, golden);
}

static void lines_inherit_what_the_session_says(void **state)
{
    struct tdm_media_desc d =
        parsed(HEAD "a=ice-ufrag:sess\r\na=ice-pwd:0123456789abcdefghijkl\r\na=setup:actpass\r\n"
                    "a=ice-options:trickle\r\na=fingerprint:SHA-256 " HEX31 ":01\r\n" AUDIO
                    "m=audio 7002 UDP/TLS/RTP/SAVP 0\r\na=ice-ufrag:line\r\n"
                    "a=ice-pwd:lineline0123456789abcd\r\na=setup:passive\r\n"
                    "a=fingerprint:sha-256 " HEX31 ":02\r\n"
                    "m=audio 7004 RTP/AVPF 0\r\na=ice-ufrag:alone\r\n");

    (void)state;
    assert_string_equal(d.media[0].transport.ice_ufrag, "sess");
    assert_int_equal(d.media[0].transport.setup, TDM_SETUP_ACTPASS);
    assert_int_equal(d.media[0].transport.fingerprints[0].bytes[31], 1);
    assert_string_equal(d.media[1].transport.ice_ufrag, "line");
    assert_int_equal(d.media[1].transport.setup, TDM_SETUP_PASSIVE);
    assert_int_equal(d.media[1].transport.fingerprint_count, 1);
    assert_int_equal(d.media[1].transport.fingerprints[0].bytes[31], 2);
    assert_false(d.media[1].avpf);
    assert_true(d.media[2].avpf && d.media[2].proto == TDM_PROTO_RTP);
    assert_string_equal(d.media[2].transport.ice_ufrag, ""); /* A ufrag without its password. */
}

/* What a liar says is as if it had not been said. */
static void leaves_out_what_it_cannot_use(void **state)
{
    static const char *const attributes[] = {
        "a=ice-ufrag:abc\r\na=ice-pwd:0123456789abcdefghijkl\r\n", /* Too short. */
        "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijk\r\n",
        "a=ice-ufrag:ab d\r\na=ice-pwd:0123456789abcdefghijkl\r\n",
        "a=candidate:1 0 UDP 1 1.2.3.4 1 typ host\r\n",
        "a=candidate:1 3 UDP 1 1.2.3.4 1 typ host\r\n",
        "a=candidate:1 1 SCTP 1 1.2.3.4 1 typ host\r\n",
        "a=candidate:1 1 TCP 1 1.2.3.4 1 typ host tcptype so\r\n",
        "a=candidate:1 1 UDP 0 1.2.3.4 1 typ host\r\n",
        "a=candidate:1 1 UDP 4294967296 1.2.3.4 1 typ host\r\n",
        "a=candidate:1 1 UDP 1 example.org 1 typ host\r\n",
        "a=candidate:1 1 UDP 1 ../x.local 1 typ host\r\n",
        "a=candidate:1 1 UDP 1 .local 1 typ host\r\n",
        "a=candidate:1 1 UDP 1 fe80::1%eth0 1 typ host\r\n",
        "a=candidate:1 1 UDP 1 1.2.3.4 0 typ host\r\n",
        "a=candidate:1 1 UDP 1 1.2.3.4 65536 typ host\r\n",
        "a=candidate:1 1 UDP 1 1.2.3.4 1 typ best\r\n",
        "a=candidate:1 1 UDP 1 1.2.3.4 1 type host\r\n",
        "a=candidate:123456789012345678901234567890123 1 UDP 1 1.2.3.4 1 typ host\r\n",
        "a=candidate:1 1 UDP 1\r\n",
        "a=candidate:\r\n",
        "a=fingerprint:sha-256 " HEX31 "\r\n",
        "a=fingerprint:sha-256 " HEX31 ":0G\r\n",
        "a=fingerprint:sha-256 " HEX31 ".00\r\n",
        "a=fingerprint:sha-256 " HEX31 ":00:11\r\n",
        "a=fingerprint:md5 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n",
        "a=fingerprint:sha-256\r\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "=\r\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\r\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 prefix:" KEY30 "\r\n",
        "a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n",
        "a=crypto:1 NULL_HMAC_SHA1_80 inline:" KEY30 "\r\n",
        "a=crypto:1 AEAD_AES_128_GCM inline:" KEY30 "\r\n",
        "a=crypto:1 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCx==\r\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " UNAUTHENTICATED_SRTP\r\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " KDR=1\r\n",
        "a=setup:both\r\n",
        "a=setup\r\n",
    };
    struct tdm_media_desc plain = parsed(HEAD AUDIO);

    (void)state;
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        char text[1024];

        (void)snprintf(text, sizeof text, HEAD AUDIO "%s", attributes[i]);
        struct tdm_media_desc d = parsed(text);

        assert_memory_equal(&d, &plain, sizeof d);
    }
}

static void refuses_what_contradicts_itself(void **state)
{
    static const struct {
        const char *lines, *cause;
    } rows[] = {
        {AUDIO "a=setup:active\r\na=setup:passive\r\n", "contradicts"},
        {AUDIO "a=ice-ufrag:abcd\r\na=ice-ufrag:efgh\r\n", "contradicts"},
        {"a=ice-pwd:0123456789abcdefghijkl\r\na=ice-pwd:0123456789abcdefghijkm\r\n", "contradicts"},
        {AUDIO "a=mid:1\r\n" AUDIO "a=mid:1\r\n", "same a=mid"},
        {AUDIO "a=mid:1\r\nm=application 9 UDP/DTLS/SCTP x\r\na=mid:1\r\n", "same a=mid"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_media_desc d;
        struct tdm_cause cause = {""};
        char text[1024];

        (void)snprintf(text, sizeof text, HEAD "%s", rows[i].lines);
        assert_int_equal(tdm_sdp_parse(text, strlen(text), &d, &cause), TDM_E_MALFORMED);
        if (!strstr(cause.text, rows[i].cause))
            fail_msg("row %zu: %s", i, cause.text);
    }
}

static void stays_within_its_bounds(void **state)
{
    char text[TDM_SDP_MAX];
    size_t at = (size_t)snprintf(text, sizeof text,
                                 HEAD "a=group:BUNDLE 1 1 x 2 1 2\r\n" AUDIO "a=mid:1\r\n");
    struct tdm_media_desc d;

    (void)state;
    for (int i = 0; i < 100; i++)
        at +=
            (size_t)snprintf(text + at, sizeof text - at,
                             "a=candidate:%d 1 UDP %d 10.0.%d.1 7 typ host\r\n", i, i + 1, i % 90);
    for (int i = 0; i < 9; i++)
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "a=fingerprint:sha-256 " HEX31 ":%02d\r\n"
                               "a=crypto:%d AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n",
                               i, i / 2);
    (void)snprintf(text + at, sizeof text - at, AUDIO "a=mid:2\r\n");
    d = parsed(text);
    assert_int_equal(d.media[0].transport.candidate_count, TDM_DESC_CANDIDATES_MAX);
    assert_string_equal(d.media[0].transport.candidates[31].host, "10.0.31.1");
    assert_int_equal(d.media[0].transport.fingerprint_count, TDM_DESC_FINGERPRINTS_MAX);
    assert_int_equal(d.media[0].transport.crypto_count, 4); /* One of each tag. */
    assert_int_equal(d.media[0].transport.cryptos[3].tag, 3);
    assert_int_equal(d.media[0].bundle, 1);
    assert_int_equal(d.media[1].bundle, 2);
    assert_int_equal(d.media[1].transport.candidate_count, 0);
}

/* As many payload types as browsers offer: those that we know stay, RTX goes to its codec. */
static void keeps_the_codecs_that_it_knows(void **state)
{
    char text[TDM_SDP_MAX];
    size_t at = (size_t)snprintf(text, sizeof text, HEAD "m=video 7 UDP/TLS/RTP/SAVPF");
    struct tdm_media_desc d;

    (void)state;
    for (int type = 30; type < 90; type++)
        at += (size_t)snprintf(text + at, sizeof text - at, " %d", type);
    at += (size_t)snprintf(text + at, sizeof text - at, "\r\n");
    for (int type = 30; type < 70; type++)
        at +=
            (size_t)snprintf(text + at, sizeof text - at, "a=rtpmap:%d x-%d/90000\r\n", type, type);
    for (int type = 70; type < 80; type++)
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "a=rtpmap:%d VP8/90000\r\na=rtpmap:%d rtx/90000\r\n"
                               "a=fmtp:%d apt=%d\r\n",
                               type, type + 10, type + 10, type);
    d = parsed(text);
    assert_int_equal(d.media[0].codec_count, TDM_DESC_CODECS_MAX);
    for (int i = 0; i < 10; i++) {
        const struct tdm_codec_desc *codec = &d.media[0].codecs[TDM_DESC_CODECS_MAX - 10 + i];

        assert_int_equal(codec->id, TDM_CODEC_VP8);
        assert_int_equal(codec->payload_type, 70 + i);
        assert_int_equal(codec->rtx_type, 80 + i);
    }
    d = parsed(HEAD "m=video 7 RTP/AVP 96 97 98\r\na=rtpmap:96 VP8/90000\r\n"
                    "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=97\r\na=rtpmap:98 rtx/90000\r\n");
    assert_int_equal(d.media[0].codec_count, 1);
    assert_int_equal(d.media[0].codecs[0].rtx_type, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(writes_keys_and_each_lines_own_fingerprint),
        cmocka_unit_test(lines_inherit_what_the_session_says),
        cmocka_unit_test(leaves_out_what_it_cannot_use),
        cmocka_unit_test(refuses_what_contradicts_itself),
        cmocka_unit_test(stays_within_its_bounds),
        cmocka_unit_test(keeps_the_codecs_that_it_knows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
