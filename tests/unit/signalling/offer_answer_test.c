/* SPDX-License-Identifier: MIT */
#include "signalling/codec_match.h"
#include "signalling/offer_answer.h"
#include "signalling/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
#define H264 "profile-level-id=42e01f;packetization-mode=1"

static struct tdm_media_desc parsed(const char *text)
{
    struct tdm_media_desc desc;
    struct tdm_cause cause = {""};

    if (tdm_sdp_parse(text, strlen(text), &desc, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return desc;
}

static struct tdm_capability capability(void)
{
    struct tdm_capability c;

    memset(&c, 0, sizeof c);
    (void)snprintf(c.address, sizeof c.address, "10.0.0.7");
    c.plain = true;
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_OPUS, 96, 48000, 2, "useinbandfec=1");
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_PCMU, 0, 8000, 1, NULL);
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_TELEPHONE_EVENT, 101, 48000, 1, "0-16");
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_TELEPHONE_EVENT, 102, 8000, 1, "0-16");
    tdm_capability_add(&c, TDM_VIDEO, TDM_CODEC_H264, 97, 90000, 1, H264);
    tdm_capability_add(&c, TDM_VIDEO, TDM_CODEC_VP8, 98, 90000, 1, NULL);
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        c.media[kind].wanted = c.media[kind].rtcp_mux = true;
        c.media[kind].direction = TDM_SENDRECV;
        c.media[kind].port = (uint16_t)(7000 + 2 * kind);
        c.media[kind].ext_count = 1;
        c.media[kind].exts[0].id = 3;
        (void)snprintf(c.media[kind].exts[0].uri, sizeof c.media[kind].exts[0].uri, "urn:t");
    }
    return c;
}

struct answered {
    struct tdm_offer_answer oa;
    struct tdm_media_desc answer;
    struct tdm_negotiated n;
    enum tdm_err err;
    struct tdm_cause cause;
};

static void answer_to(struct answered *a, const struct tdm_capability *c, const char *text)
{
    struct tdm_media_desc offer = parsed(text);

    a->cause.text[0] = '\0';
    a->err = tdm_answer_make(&a->oa, c, &offer, &a->answer, &a->n, &a->cause);
}

static struct answered fresh_answer(const struct tdm_capability *c, const char *text)
{
    struct answered a;

    memset(&a, 0, sizeof a);
    tdm_offer_answer_init(&a.oa, 77);
    answer_to(&a, c, text);
    return a;
}

static void keeps_the_offerers_types_and_order(void **state)
{
    struct tdm_capability c = capability();
    struct answered a = fresh_answer(
        &c, HEAD "m=video 9002 RTP/AVPF 120 121\r\nb=TIAS:800000\r\na=rtpmap:120 VP8/90000\r\n"
                 "a=rtpmap:121 H264/90000\r\n"
                 "a=fmtp:121 packetization-mode=1;profile-level-id=42E016\r\n"
                 "a=rtcp-fb:120 nack pli\r\na=rtcp-fb:121 ccm fir\r\na=framerate:25\r\n"
                 "a=extmap:9 urn:t\r\na=extmap:3 urn:other\r\na=mid:v\r\na=rtcp-mux\r\n"
                 "m=application 9 UDP/DTLS/SCTP x\r\n"
                 "m=audio 9000 RTP/AVP 0 111 126 9\r\na=rtpmap:111 opus/48000/2\r\n"
                 "a=fmtp:111 stereo=1\r\na=rtpmap:126 telephone-event/48000\r\na=rtcp:9100\r\n");
    const struct tdm_negotiated_media *audio = &a.n.media[TDM_AUDIO];
    const struct tdm_negotiated_media *video = &a.n.media[TDM_VIDEO];

    (void)state;
    assert_int_equal(a.err, TDM_OK);
    assert_int_equal(a.answer.media_count, 3);
    assert_int_equal(a.answer.media[0].kind, TDM_VIDEO);
    assert_true(a.answer.media[0].avpf);
    assert_string_equal(a.answer.media[0].mid, "v");
    assert_int_equal(a.answer.media[0].codecs[0].payload_type, 120);
    assert_string_equal(a.answer.media[0].codecs[1].fmtp,
                        "profile-level-id=42e016;packetization-mode=1");
    assert_true(a.answer.media[1].other && !a.answer.media[1].port);
    assert_int_equal(video->send.id, TDM_CODEC_VP8);
    assert_int_equal(video->send.payload_type, 120);
    assert_int_equal(video->receive_count, 2);
    assert_true(video->pli && !video->fir && !video->nack && video->rtcp_mux);
    assert_int_equal(video->remote_rtcp_port, 9002);
    assert_int_equal(video->max_bitrate_bps, 800000);
    assert_int_equal(video->framerate, 25);
    assert_int_equal(video->ext_count, 1);
    assert_int_equal(video->exts[0].id, 9);
    assert_int_equal(audio->line_index, 2);
    assert_int_equal(audio->send.id, TDM_CODEC_PCMU);
    assert_int_equal(audio->receive_count, 2);
    assert_int_equal(audio->receive[1].payload_type, 111);
    assert_string_equal(audio->receive[1].fmtp, "useinbandfec=1");
    assert_int_equal(audio->dtmf_send_type, 126);
    assert_false(audio->rtcp_mux);
    assert_int_equal(audio->remote_rtcp_port, 9100);
    assert_string_equal(audio->remote_address, "10.0.0.9");
}

static void answers_directions_and_hold(void **state)
{
    static const struct {
        const char *offered;
        enum tdm_direction ours, agreed;
        bool held;
    } rows[] = {
        {"a=sendrecv\r\n", TDM_SENDRECV, TDM_SENDRECV, false},
        {"a=sendonly\r\n", TDM_SENDRECV, TDM_RECVONLY, true},
        {"a=recvonly\r\n", TDM_SENDRECV, TDM_SENDONLY, false},
        {"a=inactive\r\n", TDM_SENDRECV, TDM_INACTIVE, true},
        {"a=sendrecv\r\n", TDM_SENDONLY, TDM_SENDONLY, false},
        {"a=sendonly\r\n", TDM_SENDONLY, TDM_INACTIVE, true},
        {"c=IN IP4 0.0.0.0\r\n", TDM_SENDRECV, TDM_RECVONLY, true},
        {"c=IN IP4 0.0.0.0\r\na=inactive\r\n", TDM_SENDRECV, TDM_INACTIVE, true},
        {"c=IN IP6 ::\r\n", TDM_SENDRECV, TDM_RECVONLY, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_capability c = capability();
        char text[512];

        c.media[TDM_AUDIO].direction = rows[i].ours;
        (void)snprintf(text, sizeof text, HEAD "m=audio 9000 RTP/AVP 0\r\n%s", rows[i].offered);
        struct answered a = fresh_answer(&c, text);

        assert_int_equal(a.err, TDM_OK);
        assert_int_equal(a.answer.media[0].direction, rows[i].agreed);
        assert_int_equal(a.n.media[TDM_AUDIO].direction, rows[i].agreed);
        assert_int_equal(a.n.media[TDM_AUDIO].held_by_remote, rows[i].held);
        assert_true(a.n.media[TDM_AUDIO].active);
    }
}

static void refuses_without_a_common_codec(void **state)
{
    static const struct {
        const char *lines, *cause;
    } rows[] = {
        {"m=audio 9000 RTP/AVP 9 101\r\na=rtpmap:101 telephone-event/8000\r\n",
         "no common audio codec: the other side has G722, this side has opus, PCMU"},
        {"m=audio 9000 RTP/AVP 99\r\n", "none that has a name"},
        {"m=audio 9000 TCP/RTP/AVP 0\r\n", "no common media"},
        {"m=audio 0 RTP/AVP 0\r\n", "no common media"},
        {"", "no common media"},
        {"m=video 9000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
         "a=fmtp:96 profile-level-id=42e01f\r\n",
         "no common video codec"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_capability c = capability();
        char text[512];

        (void)snprintf(text, sizeof text, HEAD "%s", rows[i].lines);
        struct answered a = fresh_answer(&c, text);

        if (a.err != TDM_E_UNSUPPORTED || !strstr(a.cause.text, rows[i].cause))
            fail_msg("row %zu: %s \"%s\"", i, tdm_err_name(a.err), a.cause.text);
        assert_false(a.oa.agreed);
    }
}

static void matches_h264_by_mode_and_profile(void **state)
{
    static const struct {
        const char *a, *b;
        bool match;
    } rows[] = {
        {H264, "packetization-mode=1;profile-level-id=42001f", true},
        {H264, "profile-level-id=42e01f", false},
        {H264, "packetization-mode=1;profile-level-id=640028", false},
        {H264, "packetization-mode=1;profile-level-id=4de01f", true},
        {H264, "packetization-mode=1;profile-level-id=4d001f", false},
        {H264, "packetization-mode=1", true},
        {"", "packetization-mode=0", true},
        {H264, "packetization-mode=1;profile-level-id=zz", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_codec_desc a = {.id = TDM_CODEC_H264, .clock_hz = 90000}, b = a;

        (void)snprintf(a.fmtp, sizeof a.fmtp, "%s", rows[i].a);
        (void)snprintf(b.fmtp, sizeof b.fmtp, "%s", rows[i].b);
        if (tdm_codec_match(&a, &b) != rows[i].match || tdm_codec_match(&b, &a) != rows[i].match)
            fail_msg("row %zu", i);
    }
}

static void matches_the_other_codecs_by_their_parameters(void **state)
{
    static const struct {
        enum tdm_codec_id id;
        const char *a, *b;
        bool match;
    } rows[] = {
        {TDM_CODEC_VP9, "profile-id=0", "", true},
        {TDM_CODEC_VP9, "", "max-fs=3600;max-fr=30", true},
        {TDM_CODEC_VP9, "profile-id=0", "profile-id=2", false},
        {TDM_CODEC_VP9, "", "max-fr=30; profile-id=1", false},
        {TDM_CODEC_VP9, "profile-id=2", "profile-id=2", true},
        {TDM_CODEC_VP9, "profile-id=0", "profile-id=x", true},
        {TDM_CODEC_AV1, "profile=0;level-idx=5;tier=0", "", true},
        {TDM_CODEC_AV1, "profile=0;level-idx=5;tier=0", "profile=1;level-idx=8;tier=1", true},
        {TDM_CODEC_H265, "profile-id=1;level-id=153", "", true},
        {TDM_CODEC_H265, "profile-id=1", "profile-id=1;tier-flag=1;level-id=186", true},
        {TDM_CODEC_H265, "", "profile-id=2", false},
        {TDM_CODEC_H265, "", "profile-space=1", false},
        {TDM_CODEC_H265, "", "tx-mode=SRST", true},
        {TDM_CODEC_H265, "", "tx-mode=MRST", false},
        {TDM_CODEC_H265, "", "sprop-max-don-diff=2", false},
        {TDM_CODEC_H265, "", "sprop-max-don-diff=0", true},
        {TDM_CODEC_H265, "", "profile-id=-1;level-id=99999999999", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_codec_desc a = {.id = rows[i].id, .clock_hz = 90000}, b = a;

        (void)snprintf(a.fmtp, sizeof a.fmtp, "%s", rows[i].a);
        (void)snprintf(b.fmtp, sizeof b.fmtp, "%s", rows[i].b);
        if (tdm_codec_match(&a, &b) != rows[i].match || tdm_codec_match(&b, &a) != rows[i].match)
            fail_msg("row %zu", i);
        b.id = TDM_CODEC_VP8;
        assert_false(tdm_codec_match(&a, &b));
    }
}

static void answers_with_its_own_or_the_offered_parameters(void **state)
{
    static const struct {
        enum tdm_codec_id id;
        const char *ours, *offered, *answer;
    } rows[] = {
        {TDM_CODEC_VP9, "profile-id=0", "profile-id=0;max-fs=1200", "profile-id=0"},
        {TDM_CODEC_AV1, "profile=0;level-idx=5;tier=0", "profile=2;level-idx=8;tier=1",
         "profile=0;level-idx=5;tier=0"},
        {TDM_CODEC_H265, "profile-id=1;level-id=153", "", "profile-id=1;tier-flag=0;level-id=93"},
        {TDM_CODEC_H265, "profile-id=1;level-id=153", "level-id=186;tier-flag=1",
         "profile-id=1;tier-flag=1;level-id=153"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_codec_desc ours = {.id = rows[i].id, .clock_hz = 90000}, offered = ours;
        char fmtp[192];

        (void)snprintf(ours.fmtp, sizeof ours.fmtp, "%s", rows[i].ours);
        (void)snprintf(offered.fmtp, sizeof offered.fmtp, "%s", rows[i].offered);
        tdm_codec_answer_fmtp(&ours, &offered, fmtp, sizeof fmtp);
        assert_string_equal(fmtp, rows[i].answer);
    }
}

/* All new codecs, the last of which is only decoded. */
static struct tdm_capability capability_with_all(void)
{
    struct tdm_capability c = capability();
    struct tdm_media_capability *video = &c.media[TDM_VIDEO];

    tdm_capability_add(&c, TDM_VIDEO, TDM_CODEC_VP9, 100, 90000, 1, "profile-id=0");
    tdm_capability_add(&c, TDM_VIDEO, TDM_CODEC_AV1, 45, 90000, 1, NULL);
    tdm_capability_add(&c, TDM_VIDEO, TDM_CODEC_H265, 49, 90000, 1, "level-id=153");
    video->codecs[video->codec_count - 1].decode_only = true;
    return c;
}

static void takes_but_never_sends_what_it_only_decodes(void **state)
{
    static const struct {
        const char *formats; /* Of the offered line. */
        const char *direction;
        enum tdm_direction answered;
        enum tdm_codec_id send;
        uint8_t receive_count;
    } rows[] = {
        {"121 120", "sendrecv", TDM_SENDRECV, TDM_CODEC_VP9, 2},
        {"120 121", "sendrecv", TDM_SENDRECV, TDM_CODEC_VP9, 2},
        {"121", "sendrecv", TDM_RECVONLY, TDM_CODEC_NONE, 1},
        {"121", "sendonly", TDM_RECVONLY, TDM_CODEC_NONE, 1},
        {"121", "recvonly", TDM_INACTIVE, TDM_CODEC_NONE, 1},
        {"121 122", "sendrecv", TDM_SENDRECV, TDM_CODEC_AV1, 2},
        {"120", "sendrecv", TDM_SENDRECV, TDM_CODEC_VP9, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_capability c = capability_with_all();
        char text[512];

        (void)snprintf(text, sizeof text,
                       HEAD "m=video 9002 RTP/AVPF %s\r\na=rtpmap:120 VP9/90000\r\n"
                            "a=rtpmap:121 H265/90000\r\na=fmtp:121 level-id=120\r\n"
                            "a=rtcp-fb:* nack pli\r\n"
                            "a=rtpmap:122 AV1/90000\r\na=%s\r\n",
                       rows[i].formats, rows[i].direction);
        struct answered a = fresh_answer(&c, text);
        const struct tdm_negotiated_media *video = &a.n.media[TDM_VIDEO];

        if (a.err != TDM_OK || a.answer.media[0].direction != rows[i].answered ||
            video->direction != rows[i].answered || video->send.id != rows[i].send ||
            video->receive_count != rows[i].receive_count)
            fail_msg("row %zu: \"%s\" answered %d, sends %d, receives %u", i, a.cause.text,
                     (int)a.answer.media[0].direction, (int)video->send.id, video->receive_count);
        assert_true(video->active && video->pli && !video->fir);
        assert_int_equal(a.answer.media[0].codec_count, rows[i].receive_count);
        for (unsigned k = 0; k < a.answer.media[0].codec_count; k++)
            if (a.answer.media[0].codecs[k].id == TDM_CODEC_H265)
                assert_string_equal(a.answer.media[0].codecs[k].fmtp,
                                    "profile-id=1;tier-flag=0;level-id=120");
    }
}

static bool line_has(const struct tdm_media_line *line, enum tdm_codec_id id)
{
    for (unsigned i = 0; i < line->codec_count; i++)
        if (line->codecs[i].id == id)
            return true;
    return false;
}

static void never_offers_what_it_only_decodes(void **state)
{
    struct tdm_capability c = capability_with_all();
    struct tdm_offer_answer oa;
    struct tdm_media_desc offer, answer;
    struct tdm_negotiated n;
    struct tdm_cause cause = {""};

    (void)state;
    tdm_offer_answer_init(&oa, 5);
    assert_int_equal(tdm_offer_make(&oa, &c, &offer, &cause), TDM_OK);
    assert_true(line_has(&offer.media[TDM_VIDEO], TDM_CODEC_AV1));
    assert_false(line_has(&offer.media[TDM_VIDEO], TDM_CODEC_H265));

    /* Who answers with it all the same has not understood: nothing is shared. */
    answer = parsed(HEAD "m=audio 0 RTP/AVP 0\r\nm=video 9002 RTP/AVP 49\r\n"
                         "a=rtpmap:49 H265/90000\r\n");
    assert_int_equal(tdm_answer_apply(&oa, &offer, &answer, &n, &cause), TDM_E_UNSUPPORTED);
}

/* Our hold in a call that uses it must not throw the picture out. */
static void offers_again_what_is_in_use(void **state)
{
    static const struct {
        const char *formats;
        enum tdm_direction direction;
    } rows[] = {{"121", TDM_RECVONLY}, {"121 120", TDM_SENDRECV}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_capability c = capability_with_all();
        struct tdm_media_desc offer, answer;
        struct tdm_negotiated n;
        char text[512];

        (void)snprintf(text, sizeof text,
                       HEAD "m=video 9002 RTP/AVP %s\r\na=rtpmap:121 H265/90000\r\n"
                            "a=rtpmap:120 VP9/90000\r\n",
                       rows[i].formats);
        struct answered a = fresh_answer(&c, text);

        c.media[TDM_AUDIO].wanted = false;
        assert_int_equal(tdm_offer_make(&a.oa, &c, &offer, &a.cause), TDM_OK);
        assert_true(line_has(&offer.media[0], TDM_CODEC_H265));
        assert_int_equal(offer.media[0].direction, rows[i].direction);
        answer = parsed(text);
        assert_int_equal(tdm_answer_apply(&a.oa, &offer, &answer, &n, &a.cause), TDM_OK);
        assert_true(n.media[TDM_VIDEO].active);
        assert_int_equal(n.media[TDM_VIDEO].direction, rows[i].direction);
        assert_int_equal(n.media[TDM_VIDEO].receive[0].payload_type,
                         n.media[TDM_VIDEO].receive[0].id == TDM_CODEC_H265 ? 121 : 120);
    }
}

static void offers_and_takes_the_answer(void **state)
{
    struct tdm_capability c = capability();
    struct tdm_offer_answer oa;
    struct tdm_media_desc offer, answer;
    struct tdm_negotiated n;
    struct tdm_cause cause;

    (void)state;
    tdm_offer_answer_init(&oa, 5);
    assert_int_equal(tdm_offer_make(&oa, &c, &offer, &cause), TDM_OK);
    assert_int_equal(offer.media_count, 2);
    assert_int_equal(offer.session_version, 1);

    /* The answerer may number its payload types as it likes, and refuse the video. */
    answer = parsed(HEAD "m=audio 9000 RTP/AVP 110 0\r\na=rtpmap:110 opus/48000/2\r\n"
                         "m=video 0 RTP/AVP 98\r\na=rtpmap:98 VP8/90000\r\n");
    assert_int_equal(tdm_answer_apply(&oa, &offer, &answer, &n, &cause), TDM_OK);
    assert_int_equal(n.media[TDM_AUDIO].send.payload_type, 110);
    assert_int_equal(n.media[TDM_AUDIO].receive[0].payload_type, 96);
    assert_int_equal(n.media[TDM_AUDIO].dtmf_send_type, 0);
    assert_false(n.media[TDM_VIDEO].active);

    /* The same again: same slots and types. The refused video is offered in its old slot. */
    assert_int_equal(tdm_offer_make(&oa, &c, &offer, &cause), TDM_OK);
    assert_int_equal(offer.media_count, 2);
    assert_int_equal(offer.session_version, 1);
    assert_int_equal(offer.media[1].port, 7002);
    c.media[TDM_AUDIO].direction = TDM_SENDONLY;
    c.media[TDM_VIDEO].wanted = false;
    assert_int_equal(tdm_offer_make(&oa, &c, &offer, &cause), TDM_OK);
    assert_int_equal(offer.session_version, 2);
    assert_int_equal(offer.media_count, 2);
    assert_int_equal(offer.media[1].port, 0);
    assert_int_equal(offer.media[0].codecs[0].payload_type, 96);
}

static void refuses_strange_answers(void **state)
{
    static const struct {
        const char *lines;
        enum tdm_err err;
    } rows[] = {
        {"m=audio 9000 RTP/AVP 9\r\nm=video 0 RTP/AVP 98\r\n", TDM_E_UNSUPPORTED},
        {"m=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 98\r\n", TDM_E_UNSUPPORTED},
        {"m=audio 9000 RTP/AVP 0\r\nm=video 0 RTP/AVP 98\r\nm=audio 1 RTP/AVP 0\r\n",
         TDM_E_MALFORMED},
        {"m=video 9000 RTP/AVP 0\r\nm=audio 0 RTP/AVP 98\r\n", TDM_E_UNSUPPORTED},
        {"", TDM_E_UNSUPPORTED},
        {"m=audio 9000 RTP/AVP 0\r\n", TDM_OK}, /* A line short: taken as refused. */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_capability c = capability();
        struct tdm_offer_answer oa;
        struct tdm_media_desc offer, answer;
        struct tdm_negotiated n;
        struct tdm_cause cause = {""};
        char text[512];

        tdm_offer_answer_init(&oa, 5);
        assert_int_equal(tdm_offer_make(&oa, &c, &offer, &cause), TDM_OK);
        (void)snprintf(text, sizeof text, HEAD "%s", rows[i].lines);
        answer = parsed(text);
        enum tdm_err err = tdm_answer_apply(&oa, &offer, &answer, &n, &cause);

        if (err != rows[i].err)
            fail_msg("row %zu: %s %s", i, tdm_err_name(err), cause.text);
        assert_int_equal(oa.agreed, err == TDM_OK);
    }
}

/* RFC 3264 section 8.3.2: a payload type keeps its meaning when the roles change. */
static void keeps_types_when_the_roles_change(void **state)
{
    struct tdm_capability c = capability();
    struct answered a =
        fresh_answer(&c, HEAD "m=audio 9000 RTP/AVP 97 96\r\na=rtpmap:97 opus/48000/2\r\n"
                              "a=rtpmap:96 telephone-event/48000\r\n"
                              "m=video 0 RTP/AVP 98\r\na=rtpmap:98 H263/90000\r\n");
    struct tdm_media_desc offer;
    const struct tdm_media_line *audio = &offer.media[0];

    (void)state;
    assert_int_equal(a.err, TDM_OK);
    assert_int_equal(tdm_offer_make(&a.oa, &c, &offer, NULL), TDM_OK);
    assert_int_equal(audio->codecs[0].id, TDM_CODEC_OPUS);
    assert_int_equal(audio->codecs[0].payload_type, 97);
    for (unsigned i = 0; i < audio->codec_count; i++) {
        if (audio->codecs[i].id == TDM_CODEC_TELEPHONE_EVENT && audio->codecs[i].clock_hz == 48000)
            assert_int_equal(audio->codecs[i].payload_type, 96);
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(audio->codecs[i].payload_type, audio->codecs[j].payload_type);
    }
    assert_int_equal(offer.media_count, 2);
    assert_int_equal(offer.media[1].port, 7002); /* The dead video slot lives again. */
    assert_int_equal(a.answer.session_version + 1, offer.session_version);
    assert_int_equal(a.answer.session_id, offer.session_id);
}

static void reuses_the_slot_of_a_dropped_line(void **state)
{
    struct tdm_capability c = capability();
    struct answered a =
        fresh_answer(&c, HEAD "m=audio 9000 RTP/AVP 0\r\nm=video 9002 RTP/AVP 98\r\n"
                              "a=rtpmap:98 VP8/90000\r\n");

    (void)state;
    assert_true(a.n.media[TDM_VIDEO].active);
    struct tdm_negotiated_media audio = a.n.media[TDM_AUDIO];

    answer_to(&a, &c, HEAD "m=audio 9000 RTP/AVP 0\r\nm=video 0 RTP/AVP 98\r\n");
    assert_int_equal(a.err, TDM_OK);
    assert_false(a.n.media[TDM_VIDEO].active);
    assert_memory_equal(&audio, &a.n.media[TDM_AUDIO], sizeof audio);
    assert_int_equal(a.answer.session_version, 2);
    answer_to(&a, &c, HEAD "m=audio 9000 RTP/AVP 0\r\nm=video 0 RTP/AVP 98\r\n");
    assert_int_equal(a.answer.session_version, 2);
    answer_to(&a, &c,
              HEAD "m=audio 9000 RTP/AVP 0\r\nm=video 9004 RTP/AVP 99\r\n"
                   "a=rtpmap:99 H264/90000\r\na=fmtp:99 " H264 "\r\n");
    assert_int_equal(a.answer.session_version, 3);
    assert_int_equal(a.n.media[TDM_VIDEO].send.payload_type, 99);
    assert_int_equal(a.n.media[TDM_VIDEO].line_index, 1);
    answer_to(&a, &c, HEAD "m=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 98\r\n");
    assert_int_equal(a.err, TDM_OK); /* All dropped, but the call stands. */
    assert_false(a.n.media[TDM_AUDIO].active);
}

/* Repairs over a window: by the type that each side receives with, and only if both have them. */
static void agrees_on_repairs(void **state)
{
    static const char offer[] = HEAD "m=video 9002 RTP/AVP 98 77\r\na=rtpmap:98 VP8/90000\r\n"
                                     "a=rtpmap:77 tandem-window/90000\r\n";
    struct tdm_capability c = capability();
    struct answered a = fresh_answer(&c, offer);
    char text[TDM_SDP_MAX];
    struct tdm_media_desc made, answer;
    size_t size;

    (void)state;
    assert_int_equal(a.n.media[TDM_VIDEO].send_parity_type, 0);
    assert_int_equal(a.answer.media[0].parity_type, 0);
    assert_int_equal(a.answer.media[0].codec_count, 1);
    c.media[TDM_VIDEO].parity_type = 119;
    a = fresh_answer(&c, offer);
    assert_int_equal(a.n.media[TDM_VIDEO].send_parity_type, 77);
    assert_int_equal(a.n.media[TDM_VIDEO].receive_parity_type, 77);

    struct tdm_offer_answer oa;
    struct tdm_negotiated n;
    struct tdm_cause cause;

    tdm_offer_answer_init(&oa, 77);
    assert_int_equal(tdm_offer_make(&oa, &c, &made, &cause), TDM_OK);
    assert_int_equal(tdm_sdp_write(&made, text, sizeof text - 1, &size), TDM_OK);
    text[size] = '\0';
    assert_non_null(strstr(text, "a=rtpmap:119 tandem-window/90000\r\n"));
    assert_int_equal(parsed(text).media[1].parity_type, 119);
    answer = parsed(HEAD "m=audio 9000 RTP/AVP 0\r\nm=video 9002 RTP/AVP 98 78\r\n"
                         "a=rtpmap:98 VP8/90000\r\na=rtpmap:78 tandem-window/90000\r\n");
    assert_int_equal(tdm_answer_apply(&oa, &made, &answer, &n, &cause), TDM_OK);
    assert_int_equal(n.media[TDM_VIDEO].send_parity_type, 78);
    assert_int_equal(n.media[TDM_VIDEO].receive_parity_type, 119);
    /* A line of repairs alone has no codec. */
    made = parsed(HEAD "m=video 9002 RTP/AVP 77\r\na=rtpmap:77 tandem-window/90000\r\n");
    assert_int_equal(made.media[0].parity_type, 0);
}

/* Generic repairs: taken when a browser offers them, RED's repetitions too where those of the codec
 * are agreed; not beside repairs over a window; and kept in our own offers. */
static void agrees_on_generic_repairs(void **state)
{
    static const char browser[] =
        HEAD "m=video 9002 RTP/AVP 98 99 114 115 116\r\na=rtpmap:98 VP8/90000\r\n"
             "a=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\na=rtpmap:114 red/90000\r\n"
             "a=rtpmap:115 rtx/90000\r\na=fmtp:115 apt=114\r\na=rtpmap:116 ulpfec/90000\r\n";
    static const char half[] = HEAD "m=video 9002 RTP/AVP 98 114\r\na=rtpmap:98 VP8/90000\r\n"
                                    "a=rtpmap:114 red/90000\r\n";
    static const char both[] =
        HEAD "m=video 9002 RTP/AVP 98 77 114 116\r\na=rtpmap:98 VP8/90000\r\n"
             "a=rtpmap:77 tandem-window/90000\r\na=rtpmap:114 red/90000\r\n"
             "a=rtpmap:116 ulpfec/90000\r\n";
    struct tdm_capability c = capability();
    struct answered a = fresh_answer(&c, browser);
    const struct tdm_negotiated_media *video = &a.n.media[TDM_VIDEO];
    char text[TDM_SDP_MAX];
    struct tdm_media_desc made;
    struct tdm_cause cause;
    size_t size;

    (void)state;
    assert_int_equal(video->send_ulpfec_type, 0);
    assert_int_equal(a.answer.media[0].codec_count, 1);
    c.media[TDM_VIDEO].ulpfec = true;
    a = fresh_answer(&c, browser);
    assert_int_equal(video->send_ulpfec_type, 116);
    assert_int_equal(video->send_ulpfec_red_type, 114);
    assert_int_equal(video->receive_ulpfec_type, 116);
    assert_int_equal(video->receive_ulpfec_red_type, 114);
    assert_int_equal(video->receive_ulpfec_rtx_type, 0); /* We have no RTX here. */
    for (unsigned i = 0; i < c.media[TDM_VIDEO].codec_count; i++)
        c.media[TDM_VIDEO].codecs[i].rtx_type = (uint8_t)(120 + i);
    a = fresh_answer(&c, browser);
    assert_int_equal(video->receive_ulpfec_rtx_type, 115);
    assert_int_equal(tdm_sdp_write(&a.answer, text, sizeof text - 1, &size), TDM_OK);
    text[size] = '\0';
    assert_non_null(strstr(text, "RTP/AVP 98 99 114 116 115\r\n"));
    assert_non_null(strstr(text, "a=rtpmap:114 red/90000\r\na=rtpmap:116 ulpfec/90000\r\n"
                                 "a=rtpmap:115 rtx/90000\r\na=fmtp:115 apt=114\r\n"));
    assert_int_equal(parsed(text).media[0].ulpfec_rtx_type, 115);
    /* The same call, now by our offer. */
    assert_int_equal(tdm_offer_make(&a.oa, &c, &made, &cause), TDM_OK);
    assert_int_equal(made.media[0].ulpfec_type, 116);
    assert_int_equal(made.media[0].ulpfec_red_type, 114);
    a = fresh_answer(&c, half);
    assert_int_equal(video->send_ulpfec_type | video->send_ulpfec_red_type, 0);
    a = fresh_answer(&c, both);
    assert_int_equal(video->send_ulpfec_type, 116);
    c.media[TDM_VIDEO].parity_type = 119;
    a = fresh_answer(&c, both);
    assert_int_equal(video->send_ulpfec_type, 0);
    assert_int_equal(video->send_parity_type, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_offerers_types_and_order),
        cmocka_unit_test(answers_directions_and_hold),
        cmocka_unit_test(refuses_without_a_common_codec),
        cmocka_unit_test(matches_h264_by_mode_and_profile),
        cmocka_unit_test(matches_the_other_codecs_by_their_parameters),
        cmocka_unit_test(answers_with_its_own_or_the_offered_parameters),
        cmocka_unit_test(takes_but_never_sends_what_it_only_decodes),
        cmocka_unit_test(never_offers_what_it_only_decodes),
        cmocka_unit_test(offers_again_what_is_in_use),
        cmocka_unit_test(offers_and_takes_the_answer),
        cmocka_unit_test(refuses_strange_answers),
        cmocka_unit_test(keeps_types_when_the_roles_change),
        cmocka_unit_test(reuses_the_slot_of_a_dropped_line),
        cmocka_unit_test(agrees_on_repairs),
        cmocka_unit_test(agrees_on_generic_repairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
