/* SPDX-License-Identifier: MIT */
/* What real programs offer, read and answered. */
#include "signalling/offer_answer.h"
#include "signalling/sdp.h"
#include "tests/unit/signalling/peer_offers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The lines as they came. */
static const char *joined(const char *const *lines)
{
    static char text[TDM_SDP_MAX];
    size_t used = 0;

    for (; *lines; lines++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\r\n", *lines);
    assert_true(used < sizeof text);
    return text;
}

static struct tdm_media_desc parsed(const char *text)
{
    struct tdm_media_desc desc;
    struct tdm_cause cause = {""};

    if (tdm_sdp_parse(text, strlen(text), &desc, &cause))
        fail_msg("%s", cause.text);
    return desc;
}

static void fill(struct tdm_capability *c, bool sdes)
{
    memset(c, 0, sizeof *c);
    (void)snprintf(c->address, sizeof c->address, "10.0.0.7");
    c->dtls = c->bundle = true;
    c->sdes = sdes;
    tdm_capability_add(c, TDM_AUDIO, TDM_CODEC_OPUS, 111, 48000, 2, NULL);
    tdm_capability_add(c, TDM_VIDEO, TDM_CODEC_VP8, 96, 90000, 1, NULL);
    c->media[TDM_AUDIO].codecs[0].red_type = 120;
    c->media[TDM_VIDEO].codecs[0].rtx_type = 97;
    c->media[TDM_VIDEO].codecs[0].transport_cc = true;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        struct tdm_media_capability *media = &c->media[kind];
        struct tdm_transport_desc *t = &media->transport;

        media->wanted = media->rtcp_mux = true;
        media->direction = TDM_SENDRECV;
        media->port = (uint16_t)(7000 + 2 * kind);
        t->fingerprint_count = t->crypto_count = t->candidate_count = 1;
        t->fingerprints[0] = (struct tdm_fingerprint_desc){"sha-256", {9}, 32};
        t->cryptos[0] =
            (struct tdm_crypto_desc){.profile = TDM_SRTP_AES_CM_128_HMAC_SHA1_80, .key_size = 30};
        t->candidates[0] = (struct tdm_candidate_desc){.foundation = "1",
                                                       .component = 1,
                                                       .priority = 9,
                                                       .host = "10.0.0.7",
                                                       .port = media->port};
        (void)snprintf(t->ice_ufrag, sizeof t->ice_ufrag, "ours");
        (void)snprintf(t->ice_pwd, sizeof t->ice_pwd, "0123456789abcdefghijkl");
    }
}

struct answered {
    struct tdm_offer_answer oa;
    struct tdm_media_desc answer;
    struct tdm_negotiated n;
    char text[TDM_SDP_MAX + 1];
    enum tdm_err err;
};

static struct answered *answer_to(const char *text, bool sdes)
{
    struct answered *a = calloc(1, sizeof *a);
    struct tdm_media_desc offer = parsed(text);
    struct tdm_capability c;
    size_t size;

    assert_non_null(a);
    fill(&c, sdes);
    tdm_offer_answer_init(&a->oa, 5);
    a->err = tdm_answer_make(&a->oa, &c, &offer, &a->answer, &a->n, NULL);
    if (!a->err) {
        assert_int_equal(tdm_sdp_write(&a->answer, a->text, TDM_SDP_MAX, &size), TDM_OK);
        (void)parsed(a->text);
    }
    return a;
}

static void a_browser_is_read_and_answered(void **state)
{
    struct tdm_media_desc d = parsed(joined(CHROMIUM_OFFER));
    struct answered *a = answer_to(joined(CHROMIUM_OFFER), false);
    const struct tdm_negotiated_media *audio = &a->n.media[TDM_AUDIO];
    const struct tdm_negotiated_media *video = &a->n.media[TDM_VIDEO];

    (void)state;
    assert_int_equal(d.media_count, 3);
    assert_int_equal(d.media[0].proto, TDM_PROTO_DTLS);
    assert_int_equal(d.media[1].bundle, 2);
    assert_true(d.media[2].other && d.media[2].bundle == 3);
    assert_string_equal(d.media[0].transport.ice_ufrag, "0fHT");
    assert_int_equal(d.media[0].transport.candidate_count, 2); /* The TCP ones are not for us. */
    assert_string_equal(d.media[0].transport.candidates[1].host, "fd00::2");
    assert_int_equal(d.media[0].transport.setup, TDM_SETUP_ACTPASS);
    assert_int_equal(d.media[0].transport.fingerprints[0].bytes[0], 0xff);
    assert_true(d.media[0].transport.ice_trickle);
    for (unsigned i = 0; i < d.media[1].codec_count; i++)
        assert_string_not_equal(d.media[1].codecs[i].name, "rtx");

    assert_int_equal(a->err, TDM_OK);
    assert_int_equal(audio->transport.proto, TDM_PROTO_DTLS);
    assert_int_equal(audio->transport.setup, TDM_SETUP_ACTIVE);
    assert_int_equal(video->transport_kind, TDM_AUDIO);
    assert_int_equal(audio->send.red_type, 63);
    assert_int_equal(audio->receive[0].red_type, 63);
    assert_non_null(strstr(a->text, "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"));
    assert_int_equal(video->send.rtx_type, 97);
    assert_true(video->transport_cc && video->remb && video->rtcp_mux && video->transport.ice);
    assert_false(video->transport.ice_controlling);
    assert_string_equal(video->mid, "1");
    assert_non_null(strstr(a->text, "a=group:BUNDLE 0 1\r\n"));
    assert_non_null(strstr(a->text, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    free(a);

    d = parsed(joined(CHROMIUM_ANSWER));
    assert_int_equal(d.media[0].transport.setup, TDM_SETUP_ACTIVE);
    assert_int_equal(d.media[1].codecs[0].rtx_type, 97);
}

static void baresip_is_read_and_answered(void **state)
{
    static const struct {
        const char *const *lines;
        bool sdes;
        enum tdm_err err;
        enum tdm_proto proto;
    } rows[] = {
        {BARESIP_DTLS, false, TDM_OK, TDM_PROTO_DTLS},
        {BARESIP_SDES, true, TDM_OK, TDM_PROTO_SDES},
        {BARESIP_SDES, false, TDM_E_DENIED, TDM_PROTO_SDES},
        {BARESIP_OPPORTUNISTIC, true, TDM_OK, TDM_PROTO_SDES},
        {BARESIP_OPPORTUNISTIC, false, TDM_E_DENIED, TDM_PROTO_SDES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answered *a = answer_to(joined(rows[i].lines), rows[i].sdes);
        const struct tdm_negotiated_media *audio = &a->n.media[TDM_AUDIO];

        assert_int_equal(a->err, rows[i].err);
        if (!a->err) {
            assert_int_equal(audio->transport.proto, rows[i].proto);
            assert_true(audio->transport.ice && !audio->rtcp_mux);
            assert_int_equal(audio->transport.remote.candidate_count, 2);
            assert_int_equal(audio->transport.remote.candidates[1].component, 2);
            assert_int_equal(audio->transport_kind, TDM_AUDIO);
            assert_int_equal(a->n.media[TDM_VIDEO].transport_kind, TDM_VIDEO);
            if (rows[i].proto == TDM_PROTO_SDES) {
                assert_int_equal(audio->transport.send_key.tag, 1);
                assert_int_equal(audio->transport.receive_key.key_size, 30);
            }
        }
        free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_browser_is_read_and_answered),
        cmocka_unit_test(baresip_is_read_and_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
