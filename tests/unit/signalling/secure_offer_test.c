/* SPDX-License-Identifier: MIT */
/* What protects and reaches each line: two sides that exchange texts, and answers by an attacker.
 */
#include "signalling/offer_answer.h"
#include "signalling/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
#define FINGERPRINT                                                                                \
    "a=fingerprint:sha-256 01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:"  \
    "18:19:1A:1B:1C:1D:1E:1F:20\r\n"
#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* 30 bytes */

enum { DTLS = 1, SDES = 2, PLAIN = 4 };

struct side {
    struct tdm_capability c;
    struct tdm_offer_answer oa;
    struct tdm_negotiated n;
    struct tdm_media_desc said; /* Our last offer or answer. */
    char text[TDM_SDP_MAX + 1];
};

struct pair {
    struct side a, b;
    struct tdm_cause cause;
};

static void add_candidate(struct tdm_transport_desc *t, const char *host, uint16_t port, bool tcp)
{
    struct tdm_candidate_desc *c = &t->candidates[t->candidate_count++];

    (void)snprintf(c->foundation, sizeof c->foundation, "f%u", t->candidate_count);
    (void)snprintf(c->host, sizeof c->host, "%s", host);
    c->component = 1;
    c->port = port;
    c->priority = 2130706431u - t->candidate_count;
    c->tcp = tcp;
    c->tcp_type = tcp ? TDM_TCP_PASSIVE : TDM_TCP_ACTIVE;
}

static void set_credentials(struct tdm_transport_desc *t, const char *name)
{
    (void)snprintf(t->ice_ufrag, sizeof t->ice_ufrag, "uf%s", name);
    (void)snprintf(t->ice_pwd, sizeof t->ice_pwd, "password0123456789abcd%s", name);
}

static void fill_transport(struct tdm_transport_desc *t, unsigned security, uint8_t seed)
{
    if (security & DTLS) {
        t->fingerprint_count = 1;
        t->fingerprints[0].size = 32;
        (void)snprintf(t->fingerprints[0].hash, sizeof t->fingerprints[0].hash, "sha-256");
        memset(t->fingerprints[0].bytes, seed, 32);
    }
    if (security & SDES) {
        t->crypto_count = 2;
        t->cryptos[0].profile = TDM_SRTP_AEAD_AES_128_GCM;
        t->cryptos[0].key_size = 28;
        memset(t->cryptos[0].key, seed + 1, 28);
        t->cryptos[1].profile = TDM_SRTP_AES_CM_128_HMAC_SHA1_80;
        t->cryptos[1].key_size = 30;
        memset(t->cryptos[1].key, seed + 2, 30);
    }
}

static void fill_side(struct side *s, const char *address, unsigned security, uint8_t seed)
{
    struct tdm_capability *c = &s->c;

    memset(s, 0, sizeof *s);
    (void)snprintf(c->address, sizeof c->address, "%s", address);
    c->dtls = security & DTLS;
    c->sdes = security & SDES;
    c->plain = security & PLAIN;
    tdm_capability_add(c, TDM_AUDIO, TDM_CODEC_OPUS, 111, 48000, 2, NULL);
    tdm_capability_add(c, TDM_VIDEO, TDM_CODEC_VP8, 96, 90000, 1, NULL);
    c->media[TDM_VIDEO].codecs[0].rtx_type = 97;
    c->media[TDM_VIDEO].codecs[0].transport_cc = true;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        struct tdm_media_capability *media = &c->media[kind];

        media->wanted = media->rtcp_mux = true;
        media->direction = TDM_SENDRECV;
        media->port = (uint16_t)(7000 + 100 * seed + 2 * kind);
        fill_transport(&media->transport, security, seed);
    }
    fill_transport(&c->channel.transport, DTLS, seed);
    c->channel.port = 1503;
    tdm_offer_answer_init(&s->oa, seed);
}

static struct pair *pair_of(unsigned a, unsigned b)
{
    struct pair *p = malloc(sizeof *p);

    assert_non_null(p);
    p->cause.text[0] = '\0';
    fill_side(&p->a, "10.0.0.1", a, 10);
    fill_side(&p->b, "10.0.0.2", b, 20);
    return p;
}

static void with_ice(struct side *s, const char *name)
{
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        struct tdm_media_capability *media = &s->c.media[kind];
        char full[16];

        (void)snprintf(full, sizeof full, "%s%d", name, kind);
        set_credentials(&media->transport, full);
        add_candidate(&media->transport, s->c.address, media->port, false);
        (void)snprintf(media->spare.ufrag, sizeof media->spare.ufrag, "sp%s", full);
        (void)snprintf(media->spare.pwd, sizeof media->spare.pwd, "sparepassword012345678%s", full);
    }
}

/* Through text, as on the wire. */
static struct tdm_media_desc carried(struct side *s)
{
    struct tdm_media_desc desc;
    struct tdm_cause cause = {""};
    size_t size = 0;

    assert_int_equal(tdm_sdp_write(&s->said, s->text, sizeof s->text - 1, &size), TDM_OK);
    s->text[size] = '\0';
    if (tdm_sdp_parse(s->text, size, &desc, &cause))
        fail_msg("%s in:\n%s", cause.text, s->text);
    return desc;
}

/* `from` offers, `to` answers. */
static enum tdm_err exchange(struct pair *p, struct side *from, struct side *to)
{
    enum tdm_err err = tdm_offer_make(&from->oa, &from->c, &from->said, &p->cause);

    if (err)
        return err;

    struct tdm_media_desc offer = carried(from);

    err = tdm_answer_make(&to->oa, &to->c, &offer, &to->said, &to->n, &p->cause);
    if (err)
        return err;

    struct tdm_media_desc answer = carried(to);

    return tdm_answer_apply(&from->oa, &from->said, &answer, &from->n, &p->cause);
}

static void must_exchange(struct pair *p, struct side *from, struct side *to)
{
    if (exchange(p, from, to) != TDM_OK)
        fail_msg("%s\n%s\n%s", p->cause.text, from->text, to->text);
}

/* Neither side has anything to say that the other does not know; what one of them refused or
 * dropped is not asked for again. */
static void is_settled(struct pair *p)
{
    struct side *sides[] = {&p->a, &p->b};

    for (int i = 0; i < 2; i++) {
        struct tdm_media_desc offer;
        struct tdm_capability c = sides[i]->c;

        for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++)
            c.media[kind].wanted &= sides[i]->n.media[kind].active;
        c.channel.wanted &= sides[i]->n.channel.active;
        assert_int_equal(tdm_offer_make(&sides[i]->oa, &c, &offer, NULL), TDM_OK);
        if (!tdm_offer_is_agreed(&sides[i]->oa, &offer)) {
            char before[TDM_SDP_MAX + 1] = "", now[TDM_SDP_MAX + 1] = "";
            size_t size;

            assert_int_equal(tdm_sdp_write(&sides[i]->oa.local, before, TDM_SDP_MAX, &size), 0);
            assert_int_equal(tdm_sdp_write(&offer, now, TDM_SDP_MAX, &size), 0);
            print_error("agreed:\n%s", before);
            print_error("offer:\n%s", now);
            fail_msg("side %d would offer again", i);
        }
    }
}

static void takes_the_best_that_both_allow(void **state)
{
    static const struct {
        unsigned a, b;
        enum tdm_proto proto; /* TDM_PROTO_CHANNEL: none. */
        const char *cause;
    } rows[] = {
        {DTLS, DTLS, TDM_PROTO_DTLS, NULL},
        {DTLS, PLAIN, TDM_PROTO_CHANNEL, "no certificate"},
        {PLAIN, DTLS, TDM_PROTO_CHANNEL, "--plain"},
        {DTLS | PLAIN, DTLS | PLAIN, TDM_PROTO_DTLS, NULL},
        {DTLS | PLAIN, DTLS, TDM_PROTO_DTLS, NULL},
        {DTLS, DTLS | PLAIN, TDM_PROTO_DTLS, NULL},
        {DTLS | PLAIN, PLAIN, TDM_PROTO_RTP, NULL},
        {PLAIN, DTLS | PLAIN, TDM_PROTO_RTP, NULL},
        {SDES, SDES, TDM_PROTO_SDES, NULL},
        {SDES, DTLS, TDM_PROTO_CHANNEL, "--sdes"},
        {SDES | PLAIN, DTLS | SDES, TDM_PROTO_SDES, NULL},
        {DTLS | SDES | PLAIN, SDES, TDM_PROTO_SDES, NULL},
        {DTLS | SDES | PLAIN, DTLS | SDES, TDM_PROTO_DTLS, NULL},
        {DTLS | SDES, DTLS | SDES, TDM_PROTO_DTLS, NULL},
        {DTLS | SDES, SDES, TDM_PROTO_CHANNEL, "no certificate"},
        {0, DTLS, TDM_PROTO_CHANNEL, "neither a certificate nor a key"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair *p = pair_of(rows[i].a, rows[i].b);
        enum tdm_err err = exchange(p, &p->a, &p->b);
        bool fails = rows[i].proto == TDM_PROTO_CHANNEL;

        if (fails && (err != TDM_E_DENIED || !strstr(p->cause.text, rows[i].cause)))
            fail_msg("row %zu: %s \"%s\"", i, tdm_err_name(err), p->cause.text);
        if (fails) {
            free(p);
            continue;
        }
        if (err)
            fail_msg("row %zu: %s\n%s", i, p->cause.text, p->a.text);
        for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
            struct tdm_negotiated_transport *a = &p->a.n.media[kind].transport;
            struct tdm_negotiated_transport *b = &p->b.n.media[kind].transport;

            assert_int_equal(a->proto, rows[i].proto);
            assert_int_equal(b->proto, rows[i].proto);
            assert_memory_equal(&a->send_key, &b->receive_key, sizeof a->send_key);
            assert_memory_equal(&b->send_key, &a->receive_key, sizeof a->send_key);
            assert_int_equal(a->send_key.profile != TDM_SRTP_NONE, a->proto == TDM_PROTO_SDES);
            if (a->proto != TDM_PROTO_DTLS)
                continue;
            assert_int_equal(a->setup, TDM_SETUP_PASSIVE);
            assert_int_equal(b->setup, TDM_SETUP_ACTIVE);
            assert_int_equal(a->remote.fingerprints[0].bytes[5], 20);
            assert_int_equal(b->remote.fingerprints[0].bytes[5], 10);
        }
        is_settled(p);
        /* Whoever offers next, it stays as it is. */
        must_exchange(p, &p->b, &p->a);
        assert_int_equal(p->a.n.media[TDM_AUDIO].transport.proto, rows[i].proto);
        if (rows[i].proto == TDM_PROTO_DTLS)
            assert_int_equal(p->a.n.media[TDM_AUDIO].transport.setup, TDM_SETUP_PASSIVE);
        is_settled(p);
        free(p);
    }
}

static const char *replaced(const char *text, const char *from, const char *to)
{
    static char out[2 * TDM_SDP_MAX];
    const char *at = strstr(text, from);

    assert_non_null(at);
    (void)snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

static enum tdm_err apply_text(struct side *s, const char *text, struct tdm_cause *cause)
{
    struct tdm_media_desc answer;
    enum tdm_err err = tdm_sdp_parse(text, strlen(text), &answer, cause);

    return err ? err : tdm_answer_apply(&s->oa, &s->said, &answer, &s->n, cause);
}

static void no_answer_takes_the_protection_away(void **state)
{
    static const struct {
        unsigned offered;
        const char *answer;
        enum tdm_err err; /* OK: it must do, so that the other rows mean something. */
    } rows[] = {
        {DTLS, "UDP/TLS/RTP/SAVPF 111\r\na=setup:active\r\n" FINGERPRINT, TDM_OK},
        {DTLS, "UDP/TLS/RTP/SAVPF 111\r\n" FINGERPRINT, TDM_OK}, /* RFC 4145: passive. */
        {DTLS, "RTP/AVP 111\r\n", TDM_E_DENIED},
        {DTLS, "RTP/AVPF 111\r\na=setup:active\r\n" FINGERPRINT, TDM_E_DENIED},
        {DTLS, "RTP/SAVP 111\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
         TDM_E_DENIED},
        {DTLS, "UDP/TLS/RTP/SAVPF 111\r\na=setup:active\r\n", TDM_E_DENIED},
        {DTLS,
         "UDP/TLS/RTP/SAVPF 111\r\na=setup:active\r\na=fingerprint:sha-1 "
         "01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14\r\n",
         TDM_E_DENIED},
        {DTLS, "UDP/TLS/RTP/SAVPF 111\r\na=setup:active\r\na=fingerprint:sha-256 01:02\r\n",
         TDM_E_DENIED},
        {DTLS, "UDP/TLS/RTP/SAVPF 111\r\na=setup:actpass\r\n" FINGERPRINT, TDM_E_MALFORMED},
        {DTLS, "UDP/TLS/RTP/SAVPF 111\r\na=setup:holdconn\r\n" FINGERPRINT, TDM_E_MALFORMED},
        {DTLS, "UDP/TLS/RTP/SAVPF 111\r\na=setup:active\r\na=setup:passive\r\n" FINGERPRINT,
         TDM_E_MALFORMED},
        {SDES, "RTP/SAVP 111\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^31\r\n",
         TDM_OK},
        {SDES, "RTP/SAVP 111\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
         TDM_E_MALFORMED}, /* Offered under 1: GCM. */
        {SDES, "RTP/SAVP 111\r\na=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
         TDM_E_MALFORMED},
        {SDES, "RTP/SAVP 111\r\na=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n",
         TDM_E_MALFORMED},
        {SDES, "RTP/SAVP 111\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY "AA\r\n",
         TDM_E_DENIED},
        {SDES, "RTP/SAVP 111\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:WVNf*X19z\r\n",
         TDM_E_DENIED},
        {SDES,
         "RTP/SAVP 111\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTP\r\n",
         TDM_E_DENIED},
        {SDES, "RTP/SAVP 111\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4\r\n",
         TDM_E_DENIED},
        {SDES, "RTP/AVP 111\r\n", TDM_E_DENIED},
        {SDES, "RTP/SAVP 111\r\n", TDM_E_DENIED},
        {DTLS | PLAIN, "RTP/AVP 111\r\n", TDM_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair *p = pair_of(rows[i].offered, DTLS);
        char text[2048];
        enum tdm_err err;

        p->a.c.media[TDM_VIDEO].wanted = false;
        assert_int_equal(tdm_offer_make(&p->a.oa, &p->a.c, &p->a.said, NULL), TDM_OK);
        (void)snprintf(text, sizeof text, HEAD "m=audio 9000 %sa=rtpmap:111 opus/48000/2\r\n",
                       rows[i].answer);
        err = apply_text(&p->a, text, &p->cause);
        if (err != rows[i].err || (err && !p->cause.text[0]))
            fail_msg("row %zu: %s \"%s\"", i, tdm_err_name(err), p->cause.text);
        assert_int_equal(p->a.oa.agreed, !err);
        free(p);
    }
}

static void a_running_call_gets_no_weaker(void **state)
{
    struct pair *p = pair_of(DTLS | SDES | PLAIN, DTLS | SDES | PLAIN);
    struct side stranger; /* The same call, taken over by something that only knows less. */

    (void)state;
    must_exchange(p, &p->a, &p->b);
    assert_int_equal(p->b.n.media[TDM_AUDIO].transport.proto, TDM_PROTO_DTLS);
    for (unsigned security = SDES; security <= PLAIN; security *= 2) {
        struct tdm_media_desc offer;
        struct tdm_offer_answer before = p->b.oa;

        fill_side(&stranger, "10.0.0.3", security, 30);
        assert_int_equal(tdm_offer_make(&stranger.oa, &stranger.c, &stranger.said, NULL), TDM_OK);
        offer = carried(&stranger);
        assert_int_equal(tdm_answer_make(&p->b.oa, &p->b.c, &offer, &p->b.said, &p->b.n, &p->cause),
                         TDM_E_DENIED);
        assert_non_null(strstr(p->cause.text, "in a running call"));
        assert_memory_equal(&before, &p->b.oa, sizeof before);

        /* Nor by an answer to our own change. */
        p->a.c.media[TDM_VIDEO].wanted = false;
        assert_int_equal(tdm_offer_make(&p->a.oa, &p->a.c, &p->a.said, NULL), TDM_OK);
        assert_null(strstr((carried(&p->a), p->a.text), "a=crypto"));
        assert_int_equal(apply_text(&p->a,
                                    HEAD "m=audio 9000 RTP/AVP 111\r\n"
                                         "a=rtpmap:111 opus/48000/2\r\nm=video 0 RTP/AVP 96",
                                    &p->cause),
                         TDM_E_DENIED);
        p->a.c.media[TDM_VIDEO].wanted = true;
    }
    free(p);
}

static void lines_share_a_transport_or_do_not(void **state)
{
    (void)state;
    for (int bundles = 0; bundles < 4; bundles++) {
        struct pair *p = pair_of(DTLS, DTLS);
        bool both = bundles == 3;

        p->a.c.bundle = bundles & 1;
        p->b.c.bundle = bundles & 2;
        with_ice(&p->a, "A");
        with_ice(&p->b, "B");
        must_exchange(p, &p->a, &p->b);
        is_settled(p);
        for (int i = 0; i < 3; i++) {
            const struct tdm_negotiated_media *a = &p->a.n.media[TDM_VIDEO];
            const struct tdm_negotiated_media *b = &p->b.n.media[TDM_VIDEO];

            assert_true(a->active && b->active && a->rtcp_mux && b->rtcp_mux);
            assert_int_equal(a->bundled, both);
            assert_int_equal(a->transport_kind, both ? TDM_AUDIO : TDM_VIDEO);
            assert_int_equal(b->transport_kind, both ? TDM_AUDIO : TDM_VIDEO);
            assert_int_equal(a->local_port, both ? 8000 : 8002);
            assert_int_equal(a->remote_port, both ? 9000 : 9002);
            assert_int_equal(b->remote_port, both ? 8000 : 8002);
            assert_string_equal(a->transport.remote.ice_ufrag, both ? "ufB0" : "ufB1");
            assert_string_equal(b->transport.remote.ice_ufrag, both ? "ufA0" : "ufA1");
            assert_int_equal(a->transport.remote.candidate_count, 1);
            assert_int_equal(b->transport.remote.candidates[0].port, both ? 8000 : 8002);
            assert_int_equal(a->send.rtx_type, 97);
            assert_true(a->transport_cc && b->transport_cc);
            assert_true(p->a.n.media[TDM_AUDIO].transport.ice_controlling);
            assert_true(a->transport.ice_controlling && !b->transport.ice_controlling);
            must_exchange(p, i & 1 ? &p->a : &p->b, i & 1 ? &p->b : &p->a);
            is_settled(p);
        }
        free(p);
    }
}

/* The bundle goes on over the same socket when the line that lent it goes, and video that comes
 * later joins it. */
static void a_bundle_outlives_its_first_line(void **state)
{
    struct pair *p = pair_of(DTLS, DTLS);

    (void)state;
    p->a.c.bundle = p->b.c.bundle = true;
    with_ice(&p->a, "A");
    with_ice(&p->b, "B");
    must_exchange(p, &p->a, &p->b);
    p->b.c.media[TDM_AUDIO].wanted = false;
    must_exchange(p, &p->b, &p->a);
    assert_false(p->a.n.media[TDM_AUDIO].active);
    assert_int_equal(p->a.n.media[TDM_VIDEO].transport_kind, TDM_AUDIO);
    assert_int_equal(p->b.n.media[TDM_VIDEO].local_port, 9000);
    assert_string_equal(p->a.n.media[TDM_VIDEO].transport.remote.ice_ufrag, "ufB0");
    assert_int_equal(p->a.n.media[TDM_VIDEO].transport.remote.candidate_count, 1);
    is_settled(p);
    p->b.c.media[TDM_AUDIO].wanted = true;
    must_exchange(p, &p->b, &p->a);
    assert_true(p->a.n.media[TDM_AUDIO].active);
    assert_int_equal(p->a.n.media[TDM_AUDIO].transport_kind, TDM_AUDIO);
    assert_int_equal(p->a.n.media[TDM_AUDIO].local_port, 8000);
    is_settled(p);
    free(p);
}

static void video_joins_later(void **state)
{
    struct pair *p = pair_of(DTLS, DTLS);

    (void)state;
    p->a.c.bundle = p->b.c.bundle = true;
    p->a.c.media[TDM_VIDEO].wanted = false;
    must_exchange(p, &p->a, &p->b);
    assert_null(strstr(p->a.text, "BUNDLE"));
    p->a.c.media[TDM_VIDEO].wanted = true;
    must_exchange(p, &p->a, &p->b);
    assert_non_null(strstr(p->a.text, "a=group:BUNDLE 0 1\r\n"));
    assert_int_equal(p->b.n.media[TDM_VIDEO].transport_kind, TDM_AUDIO);
    is_settled(p);
    free(p);
}

#define BROWSER_AUDIO                                                                              \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n"                  \
    "a=ice-pwd:0123456789abcdefghijkl\r\n" FINGERPRINT "a=setup:actpass\r\na=mid:0\r\n"            \
    "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
#define BROWSER_VIDEO                                                                              \
    "m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=bundle-only\r\n"        \
    "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"

static void takes_lines_that_are_for_a_bundle_only(void **state)
{
    static const struct {
        const char *text;
        bool bundle, audio_wanted;
        bool audio, video;
    } rows[] = {
        {HEAD "a=group:BUNDLE 0 1\r\n" BROWSER_AUDIO BROWSER_VIDEO, true, true, true, true},
        {HEAD "a=group:BUNDLE 0 1\r\n" BROWSER_AUDIO BROWSER_VIDEO, false, true, true, false},
        {HEAD "a=group:BUNDLE 0 7\r\n" BROWSER_AUDIO BROWSER_VIDEO, true, true, true, false},
        {HEAD BROWSER_AUDIO BROWSER_VIDEO, true, true, true, false},
        {HEAD "a=group:BUNDLE 0 1\r\n" BROWSER_VIDEO BROWSER_AUDIO, true, true, true, true},
        {HEAD "a=group:BUNDLE 0 1\r\n" BROWSER_AUDIO BROWSER_VIDEO, true, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair *p = pair_of(DTLS, DTLS);
        struct side *b = &p->b;
        struct tdm_media_desc offer;
        enum tdm_err err;

        b->c.bundle = rows[i].bundle;
        b->c.media[TDM_AUDIO].wanted = rows[i].audio_wanted;
        with_ice(b, "B");
        assert_int_equal(tdm_sdp_parse(rows[i].text, strlen(rows[i].text), &offer, NULL), TDM_OK);
        err = tdm_answer_make(&b->oa, &b->c, &offer, &b->said, &b->n, &p->cause);
        assert_int_equal(err == TDM_OK, rows[i].audio || rows[i].video);
        if (!err) {
            (void)carried(b);
            assert_int_equal(b->n.media[TDM_AUDIO].active, rows[i].audio);
            assert_int_equal(b->n.media[TDM_VIDEO].active, rows[i].video);
            assert_int_equal(b->n.media[TDM_AUDIO].direction, TDM_SENDRECV);
            if (rows[i].video) {
                assert_int_equal(b->n.media[TDM_VIDEO].transport_kind, TDM_AUDIO);
                assert_string_equal(b->n.media[TDM_VIDEO].transport.remote.ice_ufrag, "abcd");
                assert_int_equal(b->n.media[TDM_VIDEO].send.rtx_type, 97);
                assert_non_null(strstr(b->text, "a=group:BUNDLE 0 1\r\n"));
            }
        }
        free(p);
    }
}

static void a_restart_brings_new_credentials(void **state)
{
    struct pair *p = pair_of(DTLS, DTLS);
    struct tdm_negotiated_transport *a = &p->a.n.media[TDM_AUDIO].transport;
    struct tdm_negotiated_transport *b = &p->b.n.media[TDM_AUDIO].transport;

    (void)state;
    p->a.c.media[TDM_VIDEO].wanted = p->b.c.media[TDM_VIDEO].wanted = false;
    with_ice(&p->a, "A");
    with_ice(&p->b, "B");
    must_exchange(p, &p->a, &p->b);
    assert_true(a->ice && b->ice && a->ice_controlling && !b->ice_controlling);

    /* More candidates are no restart. */
    add_candidate(&p->a.c.media[TDM_AUDIO].transport, "2001:db8::7", 7000, false);
    must_exchange(p, &p->a, &p->b);
    assert_int_equal(b->remote.candidate_count, 2);
    assert_string_equal(b->remote.candidates[1].host, "2001:db8::7");
    assert_string_equal(b->local.ice_ufrag, "ufB0");

    set_credentials(&p->a.c.media[TDM_AUDIO].transport, "new0");
    must_exchange(p, &p->a, &p->b);
    assert_string_equal(b->remote.ice_ufrag, "ufnew0");
    assert_string_equal(b->local.ice_ufrag, "spB0");
    assert_string_equal(a->remote.ice_ufrag, "spB0");
    assert_int_equal(b->setup, TDM_SETUP_ACTIVE);

    /* What was said stays said until the next restart, and the one who began goes on controlling.
     */
    must_exchange(p, &p->a, &p->b);
    assert_string_equal(b->local.ice_ufrag, "spB0");
    set_credentials(&p->b.c.media[TDM_AUDIO].transport, "own0");
    must_exchange(p, &p->b, &p->a);
    assert_string_equal(a->remote.ice_ufrag, "ufown0");
    assert_string_equal(a->local.ice_ufrag, "spA0");
    assert_true(a->ice_controlling && !b->ice_controlling);
    free(p);
}

static void a_lite_peer_is_controlled(void **state)
{
    struct pair *p = pair_of(DTLS, DTLS);

    (void)state;
    with_ice(&p->a, "A");
    with_ice(&p->b, "B");
    p->a.c.media[TDM_AUDIO].transport.ice_lite = p->a.c.media[TDM_VIDEO].transport.ice_lite = true;
    must_exchange(p, &p->a, &p->b);
    assert_true(p->b.n.media[TDM_AUDIO].transport.remote.ice_lite);
    assert_true(p->b.n.media[TDM_AUDIO].transport.ice_controlling);
    assert_false(p->a.n.media[TDM_AUDIO].transport.ice_controlling);
    free(p);
}

static void who_connects_the_channel(void **state)
{
    enum {
        NONE = TDM_SETUP_NONE,
        ACT = TDM_SETUP_ACTIVE,
        PAS = TDM_SETUP_PASSIVE,
        HOLD = TDM_SETUP_HOLDCONN
    };
    static const struct {
        int a, b; /* What each prefers. */
        uint16_t a_port, b_port;
        int a_is, b_is; /* NONE: no channel. */
    } rows[] = {
        {NONE, NONE, 1503, 1503, PAS, ACT},   {NONE, PAS, 1503, 1503, ACT, PAS},
        {NONE, ACT, 1503, 1503, PAS, ACT},    {ACT, NONE, 1503, 1503, ACT, PAS},
        {ACT, ACT, 1503, 1503, ACT, PAS},     {PAS, NONE, 1503, 1503, PAS, ACT},
        {PAS, PAS, 1503, 1503, PAS, ACT},     {HOLD, NONE, 1503, 1503, HOLD, HOLD},
        {NONE, HOLD, 1503, 1503, HOLD, HOLD}, {NONE, NONE, 0, 1503, ACT, PAS},
        {NONE, NONE, 1503, 0, PAS, ACT},      {NONE, PAS, 1503, 0, PAS, ACT},
        {NONE, NONE, 0, 0, HOLD, HOLD},       {PAS, NONE, 0, 1503, ACT, PAS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair *p = pair_of(DTLS, DTLS);
        struct tdm_negotiated_channel *a = &p->a.n.channel, *b = &p->b.n.channel;

        p->a.c.channel.wanted = p->b.c.channel.wanted = true;
        p->a.c.channel.transport.setup = (enum tdm_setup)rows[i].a;
        p->b.c.channel.transport.setup = (enum tdm_setup)rows[i].b;
        p->a.c.channel.port = rows[i].a_port;
        p->b.c.channel.port = rows[i].b_port;
        add_candidate(&p->a.c.channel.transport, "10.0.0.1", 1503, true);
        must_exchange(p, &p->a, &p->b);
        if ((int)a->setup != rows[i].a_is || (int)b->setup != rows[i].b_is)
            fail_msg("row %zu: %d and %d\n%s\n%s", i, a->setup, b->setup, p->a.text, p->b.text);
        assert_true(a->active && b->active && !a->existing && !b->existing);
        assert_int_equal(a->remote_port, rows[i].b_port ? 1503 : 9);
        assert_string_equal(b->remote_address, "10.0.0.1");
        assert_int_equal(b->remote.fingerprints[0].bytes[0], 10);
        assert_int_equal(b->remote.candidate_count, 1);
        assert_int_equal(b->remote.candidates[0].tcp_type, TDM_TCP_PASSIVE);
        is_settled(p);
        free(p);
    }
}

static void the_channel_comes_and_goes(void **state)
{
    struct pair *p = pair_of(DTLS, DTLS);
    struct side *a = &p->a, *b = &p->b;

    (void)state;
    /* Nothing but files: no line for voice or picture at all. */
    a->c.media[TDM_AUDIO].wanted = a->c.media[TDM_VIDEO].wanted = false;
    a->c.channel.wanted = b->c.channel.wanted = true;
    must_exchange(p, a, b);
    assert_int_equal(a->said.media_count, 1);
    assert_true(a->n.channel.active && b->n.channel.active);
    assert_false(a->n.media[TDM_AUDIO].active || b->n.media[TDM_AUDIO].active);
    is_settled(p);

    /* Then a call beside it, whose offers keep the connection. */
    a->c.media[TDM_AUDIO].wanted = true;
    a->c.channel.transport.connection_existing = b->c.channel.transport.connection_existing = true;
    must_exchange(p, a, b);
    assert_true(a->n.channel.existing && b->n.channel.existing && b->n.media[TDM_AUDIO].active);
    assert_int_equal(a->n.media[TDM_AUDIO].line_index, 1);

    /* One side lost the connection: then it must be a new one. */
    b->c.channel.transport.connection_existing = false;
    must_exchange(p, a, b);
    assert_false(a->n.channel.existing || b->n.channel.existing);

    a->c.channel.wanted = false;
    must_exchange(p, a, b);
    assert_false(a->n.channel.active || b->n.channel.active);
    assert_true(a->n.media[TDM_AUDIO].active);
    is_settled(p);

    /* It takes its own slot again, and a peer that refuses it keeps the call. */
    a->c.channel.wanted = true;
    must_exchange(p, a, b);
    assert_int_equal(a->n.channel.line_index, 0);
    b->c.channel.wanted = false;
    must_exchange(p, b, a);
    assert_false(a->n.channel.active || b->n.channel.active);
    must_exchange(p, a, b);
    assert_false(a->n.channel.active || b->n.channel.active);
    assert_true(b->n.media[TDM_AUDIO].active);
    free(p);
}

static void the_channel_must_be_known_by_a_fingerprint(void **state)
{
    struct pair *p = pair_of(DTLS, DTLS);
    char text[TDM_SDP_MAX];

    (void)state;
    p->a.c.media[TDM_AUDIO].wanted = p->a.c.media[TDM_VIDEO].wanted = false;
    p->a.c.channel.wanted = true;
    assert_int_equal(tdm_offer_make(&p->a.oa, &p->a.c, &p->a.said, NULL), TDM_OK);
    assert_int_equal(apply_text(&p->a,
                                HEAD "m=application 1503 TCP/TLS/tandem *\r\na=setup:active\r\n",
                                &p->cause),
                     TDM_E_DENIED);
    (void)snprintf(text, sizeof text,
                   HEAD "m=application 1503 TCP/TLS/tandem *\r\na=setup:actpass\r\n" FINGERPRINT);
    assert_int_equal(apply_text(&p->a, text, &p->cause), TDM_E_MALFORMED);
    assert_int_equal(apply_text(&p->a, replaced(text, "actpass", "passive"), &p->cause), TDM_OK);
    assert_int_equal(p->a.n.channel.setup, TDM_SETUP_ACTIVE);
    free(p);
}

static void payload_types_differ_within_a_bundle(void **state)
{
    struct pair *p = pair_of(DTLS, DTLS);

    (void)state;
    p->a.c.bundle = true;
    p->a.c.media[TDM_AUDIO].codecs[0].payload_type = 97; /* Video's RTX has that too. */
    assert_int_equal(tdm_offer_make(&p->a.oa, &p->a.c, &p->a.said, NULL), TDM_OK);
    assert_int_equal(p->a.said.media[0].codecs[0].payload_type, 97);
    assert_int_equal(p->a.said.media[1].codecs[0].payload_type, 96);
    assert_int_equal(p->a.said.media[1].codecs[0].rtx_type, 98);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_best_that_both_allow),
        cmocka_unit_test(no_answer_takes_the_protection_away),
        cmocka_unit_test(a_running_call_gets_no_weaker),
        cmocka_unit_test(lines_share_a_transport_or_do_not),
        cmocka_unit_test(a_bundle_outlives_its_first_line),
        cmocka_unit_test(video_joins_later),
        cmocka_unit_test(takes_lines_that_are_for_a_bundle_only),
        cmocka_unit_test(a_restart_brings_new_credentials),
        cmocka_unit_test(a_lite_peer_is_controlled),
        cmocka_unit_test(who_connects_the_channel),
        cmocka_unit_test(the_channel_comes_and_goes),
        cmocka_unit_test(the_channel_must_be_known_by_a_fingerprint),
        cmocka_unit_test(payload_types_differ_within_a_bundle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
