/* SPDX-License-Identifier: MIT */
#include "signalling/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_media_desc parsed(const char *text)
{
    struct tdm_media_desc desc;
    struct tdm_cause cause = {""};
    enum tdm_err err = tdm_sdp_parse(text, strlen(text), &desc, &cause);

    if (err)
        print_error("%s\n", cause.text);
    assert_int_equal(err, TDM_OK);
    return desc;
}

#define HEAD                                                                                       \
    "v=0\r\no=alice 2890844526 2890844527 IN IP4 10.0.0.7\r\ns=-\r\nc=IN IP4 10.0.0.7\r\nt=0 "     \
    "0\r\n"

/* RFC 3264 section 10.1, the offer of Alice, retyped. */
static void reads_the_rfc_example(void **state)
{
    struct tdm_media_desc d = parsed("v=0\r\n"
                                     "o=alice 2890844526 2890844526 IN IP4 host.anywhere.com\r\n"
                                     "s=\r\n"
                                     "c=IN IP4 host.anywhere.com\r\n"
                                     "t=0 0\r\n"
                                     "m=audio 49170 RTP/AVP 0\r\n"
                                     "a=rtpmap:0 PCMU/8000\r\n"
                                     "m=video 51372 RTP/AVP 31\r\n"
                                     "a=rtpmap:31 H261/90000\r\n"
                                     "m=video 53000 RTP/AVP 32\r\n"
                                     "a=rtpmap:32 MPV/90000\r\n");

    (void)state;
    assert_int_equal(d.session_id, 2890844526u);
    assert_string_equal(d.address, "host.anywhere.com");
    assert_int_equal(d.media_count, 3);
    assert_int_equal(d.media[0].kind, TDM_AUDIO);
    assert_int_equal(d.media[0].port, 49170);
    assert_int_equal(d.media[0].rtcp_port, 49171);
    assert_int_equal(d.media[0].codecs[0].id, TDM_CODEC_PCMU);
    assert_int_equal(d.media[0].direction, TDM_SENDRECV);
    assert_string_equal(d.media[1].address, "host.anywhere.com");
    assert_int_equal(d.media[2].codecs[0].id, TDM_CODEC_NONE);
    assert_string_equal(d.media[2].codecs[0].name, "MPV");
}

/* In the manner of baresip 1.0.0: rtcp-fb with *, both bandwidths absent, framerate, label. */
static void reads_an_offer_like_baresips(void **state)
{
    struct tdm_media_desc d =
        parsed("v=0\r\no=- 3849275013 1189 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
               "t=0 0\r\na=tool:baresip 1.0.0\r\n"
               "m=audio 10000 RTP/AVP 96 0 8 101\r\nb=AS:125\r\n"
               "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=1;sprop-stereo=1\r\n"
               "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
               "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
               "a=rtcp:10001\r\na=sendrecv\r\na=label:1\r\na=rtcp-rsize\r\na=ssrc:1 cname:x\r\n"
               "a=ptime:20\r\n"
               "m=video 10002 RTP/AVP 97 98 99\r\nb=AS:512\r\n"
               "a=rtpmap:97 VP8/90000\r\na=fmtp:97 max-fs=3600\r\n"
               "a=rtpmap:98 H264/90000\r\n"
               "a=fmtp:98 packetization-mode=0;profile-level-id=42e01f\r\n"
               "a=rtpmap:99 H264/90000\r\n"
               "a=fmtp:99 packetization-mode=1;profile-level-id=42e01f\r\n"
               "a=rtcp:10003\r\na=sendrecv\r\na=label:2\r\na=framerate:30.00\r\n"
               "a=rtcp-fb:* nack pli\r\na=content:main\r\n");
    const struct tdm_media_line *audio = &d.media[0], *video = &d.media[1];
    char value[16];

    (void)state;
    assert_int_equal(audio->codec_count, 4);
    assert_int_equal(audio->codecs[0].id, TDM_CODEC_OPUS);
    assert_int_equal(audio->codecs[0].channels, 2);
    assert_string_equal(audio->codecs[0].fmtp, "stereo=1;sprop-stereo=1");
    assert_int_equal(audio->codecs[3].id, TDM_CODEC_TELEPHONE_EVENT);
    assert_int_equal(audio->ptime_ms, 20);
    assert_int_equal(audio->bandwidth_bps, 125000);
    assert_int_equal(video->framerate, 30);
    assert_int_equal(video->rtcp_port, 10003);
    for (int i = 0; i < 3; i++) {
        assert_true(video->codecs[i].pli);
        assert_false(video->codecs[i].nack);
    }
    assert_true(tdm_sdp_fmtp_value(video->codecs[2].fmtp, "packetization-mode", value, 16));
    assert_string_equal(value, "1");
    assert_false(audio->codecs[0].pli);
}

/* In the manner of linphone 5.1: feedback and b= at session level, no rtpmap for static types. */
static void reads_an_offer_like_linphones(void **state)
{
    struct tdm_media_desc d =
        parsed("v=0\r\no=alice 3298 1742 IN IP4 10.200.0.1\r\ns=Talk\r\nc=IN IP4 10.200.0.1\r\n"
               "b=AS:380\r\nt=0 0\r\n"
               "a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\r\n"
               "a=rtcp-fb:* ccm fir\r\n"
               "m=audio 7078 RTP/AVP 96 0 8 18 101\r\n"
               "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n"
               "a=fmtp:18 annexb=yes\r\na=rtpmap:101 telephone-event/48000\r\n"
               "m=video 9078 RTP/AVPF 97\r\na=rtpmap:97 VP8/90000\r\n"
               "a=rtcp-fb:97 nack pli\r\na=rtcp-fb:97 nack sli\r\na=rtcp-fb:97 ack rpsi\r\n");

    (void)state;
    assert_int_equal(d.media[0].codecs[1].id, TDM_CODEC_PCMU);
    assert_int_equal(d.media[0].codecs[1].clock_hz, 8000);
    assert_int_equal(d.media[0].codecs[2].id, TDM_CODEC_PCMA);
    assert_string_equal(d.media[0].codecs[3].name, "G729");
    assert_int_equal(d.media[0].bandwidth_bps, 380000);
    assert_true(d.media[1].avpf);
    assert_true(d.media[1].codecs[0].pli && d.media[1].codecs[0].fir);
    assert_false(d.media[1].codecs[0].nack);
}

static void reads_what_gstreamer_and_ffmpeg_write(void **state)
{
    struct tdm_media_desc d =
        parsed("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=No Name\nc=IN IP4 127.0.0.1\nt=0 0\n"
               "a=tool:libavformat LIBAVFORMAT_VERSION\nm=video 5600 RTP/AVP 96\nb=AS:1000\n"
               "a=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1; "
               "sprop-parameter-sets=Z0LAHtkAoD2h,aMuMsg==; profile-level-id=42C01E\n\n");
    char value[32];

    (void)state;
    assert_int_equal(d.media[0].codecs[0].id, TDM_CODEC_H264);
    assert_true(tdm_sdp_fmtp_value(d.media[0].codecs[0].fmtp, "Profile-Level-Id", value, 32));
    assert_string_equal(value, "42C01E");
    assert_true(tdm_sdp_fmtp_value(d.media[0].codecs[0].fmtp, "sprop-parameter-sets", value, 32));
    assert_string_equal(value, "Z0LAHtkAoD2h,aMuMsg==");
    assert_false(tdm_sdp_fmtp_value(d.media[0].codecs[0].fmtp, "mode", value, 32));
}

static void knows_its_codecs_by_name_and_clock(void **state)
{
    static const struct {
        const char *name;
        uint32_t hz;
        enum tdm_codec_id id;
    } rows[] = {
        {"H264", 90000, TDM_CODEC_H264}, {"VP8", 90000, TDM_CODEC_VP8},
        {"VP9", 90000, TDM_CODEC_VP9},   {"vp9", 90000, TDM_CODEC_VP9},
        {"VP9", 48000, TDM_CODEC_NONE},  {"AV1", 90000, TDM_CODEC_AV1},
        {"AV1X", 90000, TDM_CODEC_NONE}, {"H265", 90000, TDM_CODEC_H265},
        {"HEVC", 90000, TDM_CODEC_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (tdm_sdp_codec_id(TDM_VIDEO, rows[i].name, rows[i].hz) != rows[i].id)
            fail_msg("%s/%u", rows[i].name, (unsigned)rows[i].hz);
        assert_int_equal(tdm_sdp_codec_id(TDM_AUDIO, rows[i].name, rows[i].hz), TDM_CODEC_NONE);
        assert_int_equal(tdm_sdp_codec_id(TDM_VIDEO, tdm_sdp_codec_name(rows[i].id), 90000),
                         rows[i].id);
    }
}

static void inherits_the_session_level(void **state)
{
    struct tdm_media_desc d =
        parsed("v=0\no=- 1 2 IN IP6 ::1\ns=-\nc=IN IP6 2001:db8::1\na=recvonly\n"
               "a=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n"
               "m=audio 5000 RTP/AVP 0\nm=video 5002/2 RTP/AVP 96\nc=IN IP4 224.2.1.1/127/3\n"
               "a=sendonly\na=rtcp-mux\na=mid:v0\na=extmap:4/sendonly urn:x a b\n"
               "a=rtcp:6000 IN IP4 10.0.0.1\nb=AS:100\nb=TIAS:90500\n");

    (void)state;
    assert_string_equal(d.address, "2001:db8::1");
    assert_string_equal(d.media[0].address, "2001:db8::1");
    assert_int_equal(d.media[0].direction, TDM_RECVONLY);
    assert_int_equal(d.media[0].ext_count, 1);
    assert_int_equal(d.media[0].exts[0].id, 3);
    assert_string_equal(d.media[1].address, "224.2.1.1");
    assert_int_equal(d.media[1].direction, TDM_SENDONLY);
    assert_true(d.media[1].rtcp_mux);
    assert_false(d.media[0].rtcp_mux);
    assert_string_equal(d.media[1].mid, "v0");
    assert_int_equal(d.media[1].ext_count, 2);
    assert_string_equal(d.media[1].exts[0].uri, "urn:x");
    assert_int_equal(d.media[1].rtcp_port, 6000);
    assert_int_equal(d.media[1].bandwidth_bps, 90500);
    assert_int_equal(d.media[1].codecs[0].id, TDM_CODEC_NONE);
}

static void keeps_unknown_lines_in_place(void **state)
{
    struct tdm_media_desc d = parsed(HEAD "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                                          "a=mid:d\r\na=sctp-port:5000\r\n"
                                          "m=audio 7000 TCP/RTP/AVP 0\r\na=crypto:1 X inline:Y\r\n"
                                          "m=audio 7002 RTP/AVP 0\r\n"
                                          "m=text 7004 RTP/AVP 98\r\n");
    char text[2048];
    size_t size;

    (void)state;
    assert_int_equal(d.media_count, 4);
    assert_true(d.media[0].other && d.media[1].other && d.media[3].other);
    assert_false(d.media[2].other);
    assert_int_equal(tdm_sdp_write(&d, text, sizeof text - 1, &size), TDM_OK);
    text[size] = '\0';
    assert_non_null(strstr(text, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n"
                                 "m=audio 0 TCP/RTP/AVP 0\r\nm=audio 7002 RTP/AVP 0\r\n"));
    assert_non_null(strstr(text, "m=text 0 RTP/AVP 98\r\n"));
}

static void limits_ptime_by_maxptime(void **state)
{
    static const struct {
        const char *attributes;
        int ptime_ms, max_ptime_ms;
    } rows[] = {
        {"", 0, 0},
        {"a=ptime:20\r\n", 20, 0},
        {"a=ptime:2.5\r\n", 3, 0},
        {"a=ptime:60\r\na=maxptime:40\r\n", 40, 40},
        {"a=maxptime:60\r\n", 0, 60},
        {"a=maxptime:10\r\n", 10, 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];

        (void)snprintf(text, sizeof text, HEAD "m=audio 7000 RTP/AVP 0\r\n%s", rows[i].attributes);
        assert_int_equal(parsed(text).media[0].ptime_ms, rows[i].ptime_ms);
        assert_int_equal(parsed(text).media[0].max_ptime_ms, rows[i].max_ptime_ms);
    }
}

static void names_the_line_that_is_wrong(void **state)
{
    static const struct {
        const char *text;
        enum tdm_err err;
        const char *cause;
    } rows[] = {
        {"", TDM_E_MALFORMED, "empty"},
        {"hello", TDM_E_MALFORMED, "line 1 (\"hello\")"},
        {"v=1\r\n", TDM_E_MALFORMED, "line 1"},
        {"v=0\r\ns=-\r\n", TDM_E_MALFORMED, "no o= line"},
        {"v=0\r\no=- x 1 IN IP4 1.2.3.4\r\n", TDM_E_MALFORMED, "line 2"},
        {"v=0\r\no=- 1 99999999999999999999 IN IP4 1.2.3.4\r\n", TDM_E_MALFORMED, "line 2"},
        {"v=0\r\no=- 1 1 IN IP9 1.2.3.4\r\n", TDM_E_MALFORMED, "line 2"},
        {HEAD "c=IN IP4\r\n", TDM_E_MALFORMED, "line 6"},
        {HEAD "c=IN IP4 a;b\r\n", TDM_E_MALFORMED, "line 6"},
        {HEAD "m=audio\r\n", TDM_E_MALFORMED, "line 6"},
        {HEAD "m=audio 70000 RTP/AVP 0\r\n", TDM_E_MALFORMED, "line 6"},
        {HEAD "m=audio 5000 RTP/AVP\r\n", TDM_E_MALFORMED, "line 6"},
        {HEAD "m=audio 5000 RTP/AVP 128\r\n", TDM_E_MALFORMED, "line 6"},
        {HEAD "m=audio 5000 RTP/AVP 0\r\no=- 1 1 IN IP4 1.2.3.4\r\n", TDM_E_MALFORMED, "line 7"},
        {HEAD "m=audio 5000 RTP/AVP 0\r\na=rtpmap:0\r\n", TDM_E_MALFORMED, "line 7"},
        {HEAD "m=audio 5000 RTP/AVP 0\r\na=rtpmap:0 PCMU/0\r\n", TDM_E_MALFORMED, "line 7"},
        {HEAD "m=audio 5000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000/x\r\n", TDM_E_MALFORMED, "line 7"},
        {HEAD "m=audio 5000 RTP/AVP 0\r\na=fmtp:x y\r\n", TDM_E_MALFORMED, "line 7"},
        {HEAD "m=audio 5000 RTP/AVP 0\r\na=rtcp-fb:x nack\r\n", TDM_E_MALFORMED, "line 7"},
        {HEAD "m=audio 5000 RTP/AVP 0\r\na=rtcp:x\r\n", TDM_E_MALFORMED, "line 7"},
        {HEAD "m=audio 5000 RTP/AVP 0\r\na=extmap:4\r\n", TDM_E_MALFORMED, "line 7"},
        {HEAD "m=audio 5000 RTP/AVP 0\r\ngarbage\r\n", TDM_E_MALFORMED, "line 7 (\"garbage\")"},
        {HEAD "a=x\x01y\r\n", TDM_E_MALFORMED, "control"},
        {HEAD "m=audio 1 RTP/AVP 0\nm=audio 1 RTP/AVP 0\nm=audio 1 RTP/AVP 0\n"
              "m=audio 1 RTP/AVP 0\nm=audio 1 RTP/AVP 0\nm=audio 1 RTP/AVP 0\n"
              "m=audio 1 RTP/AVP 0\nm=audio 1 RTP/AVP 0\nm=audio 1 RTP/AVP 0\n",
         TDM_E_UNSUPPORTED, "more than 8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_media_desc desc;
        struct tdm_cause cause = {""};
        enum tdm_err err = tdm_sdp_parse(rows[i].text, strlen(rows[i].text), &desc, &cause);

        if (err != rows[i].err || !strstr(cause.text, rows[i].cause))
            fail_msg("row %zu: %s, \"%s\"", i, tdm_err_name(err), cause.text);
        assert_int_equal(desc.media_count, 0);
    }
}

/* Feedback is said once for all codecs that have the same. */
static void writes_common_feedback_once(void **state)
{
    static const char head[] = "v=0\r\no=- 1 2 IN IP4 10.0.0.7\r\ns=-\r\nc=IN IP4 10.0.0.7\r\n"
                               "t=0 0\r\nm=video 7002 RTP/AVP 97 98\r\n";
    static const struct {
        const char *read, *written;
    } rows[] = {
        {"a=rtpmap:97 VP9/90000\r\na=rtcp-fb:97 nack pli\r\na=rtpmap:98 AV1/90000\r\n"
         "a=rtcp-fb:98 nack pli\r\n",
         "a=rtpmap:97 VP9/90000\r\na=rtpmap:98 AV1/90000\r\na=rtcp-fb:* nack pli\r\n"},
        {"a=rtpmap:97 VP9/90000\r\na=rtpmap:98 AV1/90000\r\na=rtcp-fb:98 nack pli\r\n",
         "a=rtpmap:97 VP9/90000\r\na=rtpmap:98 AV1/90000\r\na=rtcp-fb:98 nack pli\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024], wanted[1024];
        size_t size;

        (void)snprintf(text, sizeof text, "%s%sa=sendrecv\r\n", head, rows[i].read);
        (void)snprintf(wanted, sizeof wanted, "%s%sa=sendrecv\r\n", head, rows[i].written);
        struct tdm_media_desc d = parsed(text), again;

        assert_int_equal(tdm_sdp_write(&d, text, sizeof text - 1, &size), TDM_OK);
        text[size] = '\0';
        assert_string_equal(text, wanted);
        again = parsed(text);
        assert_memory_equal(&d, &again, sizeof d);
    }
}

static void stays_within_its_bounds(void **state)
{
    char text[TDM_SDP_MAX];
    int at = snprintf(text, sizeof text, HEAD "m=video 5000 RTP/AVP");
    struct tdm_media_desc d;

    (void)state;
    for (int type = 127; type >= 64; type--)
        at += snprintf(text + at, sizeof text - (size_t)at, " %d", type);
    at += snprintf(text + at, sizeof text - (size_t)at, "\r\na=fmtp:127 a=1;b=");
    for (int i = 0; i < 300; i++)
        text[at++] = 'x';
    at += snprintf(text + at, sizeof text - (size_t)at, "\r\na=rtpmap:126 %.60s/90000\r\n",
                   "averyveryveryveryveryveryverylongcodecname");
    for (int i = 1; i < 40; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "a=extmap:%d urn:%d\r\n", i, i);
    d = parsed(text);
    assert_int_equal(d.media[0].codec_count, TDM_DESC_CODECS_MAX);
    assert_string_equal(d.media[0].codecs[0].fmtp, "a=1");
    assert_string_equal(d.media[0].codecs[1].name, "averyveryveryveryveryve");
    assert_int_equal(d.media[0].codecs[1].id, TDM_CODEC_NONE);
    assert_int_equal(d.media[0].ext_count, 14);

    char small[40];
    size_t size = 7;

    assert_int_equal(tdm_sdp_write(&d, small, sizeof small, &size), TDM_E_SPACE);
    assert_int_equal(size, 0);
    memset(text, 'v', sizeof text);
    assert_int_equal(tdm_sdp_parse(text, sizeof text + 1, &d, NULL), TDM_E_MALFORMED);
}

static void writes_what_it_reads(void **state)
{
    static const char golden[] =
        "v=0\r\no=- 18446744073709551615 2 IN IP4 10.0.0.7\r\ns=-\r\nc=IN IP4 10.0.0.7\r\n"
        "t=0 0\r\n"
        "m=audio 7000 RTP/AVP 96 0 101\r\nb=AS:65\r\nb=TIAS:64001\r\n"
        "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=rtcp-mux\r\n"
        "a=extmap:1 "
        "urn:ietf:params:rtp-hdrext:sdes:mid\r\na=ptime:10\r\na=maxptime:60\r\na=mid:a\r\n"
        "a=sendrecv\r\n"
        "m=video 7002 RTP/AVPF 97\r\nc=IN IP6 ::1\r\na=rtpmap:97 H264/90000\r\n"
        "a=fmtp:97 profile-level-id=42e01f;packetization-mode=1\r\na=rtcp-fb:97 nack\r\n"
        "a=rtcp-fb:97 nack pli\r\na=rtcp-fb:97 ccm fir\r\na=rtcp-fb:97 ccm tmmbr\r\n"
        "a=rtcp-fb:97 goog-remb\r\n"
        "a=rtcp:7009\r\na=framerate:30\r\na=inactive\r\n"
        "m=video 0 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\na=sendonly\r\n";
    struct tdm_media_desc d = parsed(golden);
    char text[4096];
    size_t size;

    (void)state;
    assert_int_equal(tdm_sdp_write(&d, text, sizeof text - 1, &size), TDM_OK);
    text[size] = '\0';
    assert_string_equal(text, golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_rfc_example),
        cmocka_unit_test(reads_an_offer_like_baresips),
        cmocka_unit_test(reads_an_offer_like_linphones),
        cmocka_unit_test(reads_what_gstreamer_and_ffmpeg_write),
        cmocka_unit_test(knows_its_codecs_by_name_and_clock),
        cmocka_unit_test(inherits_the_session_level),
        cmocka_unit_test(keeps_unknown_lines_in_place),
        cmocka_unit_test(limits_ptime_by_maxptime),
        cmocka_unit_test(names_the_line_that_is_wrong),
        cmocka_unit_test(stays_within_its_bounds),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(writes_common_feedback_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
