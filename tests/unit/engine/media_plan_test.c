/* SPDX-License-Identifier: MIT */
#include "engine/video_plan.h"

#include "engine/wire/frame_timing.h"
#include "signalling/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void defaults(void **state)
{
    struct tdm_media_plan plan;

    (void)state;
    assert_int_equal(tdm_media_plan_of(&plan, NULL, NULL), TDM_OK);
    assert_string_equal(plan.video_source, "cam");
    assert_string_equal(plan.audio_source, "mic");
    assert_string_equal(plan.video_sink, "window");
    assert_string_equal(plan.audio_sink, "speaker");
    assert_string_equal(plan.record_path, "");
    assert_int_equal(plan.width, 1280);
    assert_int_equal(plan.height, 720);
    assert_int_equal(plan.fps, 30);
    assert_int_equal(plan.audio_frame_us, 10000);
    assert_int_equal(plan.ring_seconds, 60);
    assert_int_equal(plan.audio_channels, 1);
    assert_int_equal(plan.audio_codec_count, 4);
    assert_int_equal(plan.audio_codecs[0], TDM_CODEC_OPUS);
    assert_int_equal(plan.video_threads, 0);
    assert_string_equal(plan.video_preset, "");
}

/* Every codec that the build can decode, those that it can send first and as they are named. */
static void default_video_codecs(void **state)
{
    struct tdm_media_plan plan;
    struct tdm_capability c;
    char names[128] = "";
    int received_only = 0;

    (void)state;
    assert_int_equal(tdm_media_plan_of(&plan, NULL, NULL), TDM_OK);
    for (uint8_t i = 0; i < plan.video_codec_count; i++) {
        size_t used = strlen(names);

        assert_non_null(tdm_video_decoder_find(plan.video_codecs[i]));
        assert_ptr_equal(plan.video_encoders[i], tdm_video_encoder_find(plan.video_codecs[i]));
        if (plan.video_encoders[i])
            (void)snprintf(names + used, sizeof names - used, "%s%s", used ? "," : "",
                           tdm_codec_short_name(plan.video_codecs[i]));
    }
    assert_string_equal(names, tandem_video_codecs());
    assert_non_null(strstr(names, "vp8"));
    tdm_media_plan_capability(&plan, "192.0.2.1", 4000, 4002, &c);
    for (uint8_t i = 0; i < c.media[TDM_VIDEO].codec_count; i++) {
        const struct tdm_codec_desc *codec = &c.media[TDM_VIDEO].codecs[i];

        assert_int_equal(codec->decode_only, tdm_video_encoder_find(codec->id) == NULL);
        assert_string_not_equal(codec->name, "");
        received_only += codec->decode_only && codec->id == TDM_CODEC_H265;
        for (uint8_t j = 0; j < i; j++)
            assert_int_not_equal(codec->payload_type, c.media[TDM_VIDEO].codecs[j].payload_type);
    }
    assert_int_equal(received_only, tdm_video_decoder_find(TDM_CODEC_H265) ? 1 : 0);
}

/* An INVITE over UDP must fit into one packet of an Ethernet, and is well advised to stay near the
 * 1300 bytes of RFC 3261 section 18.1.1; some 450 are not SDP. */
static void the_default_offer_fits_a_datagram(void **state)
{
    struct tdm_media_plan plan;
    struct tdm_capability c;
    struct tdm_offer_answer oa;
    struct tdm_media_desc offer;
    char text[TDM_SDP_MAX];
    size_t size;

    (void)state;
    assert_int_equal(tdm_media_plan_of(&plan, NULL, NULL), TDM_OK);
    tdm_media_plan_capability(&plan, "192.168.100.100", 54000, 54002, &c);
    tdm_offer_answer_init(&oa, UINT64_MAX);
    assert_int_equal(tdm_offer_make(&oa, &c, &offer, NULL), TDM_OK);
    assert_int_equal(tdm_sdp_write(&offer, text, sizeof text, &size), TDM_OK);
    print_message("  %zu bytes\n", size);
    assert_true(size < 1010); /* With them 1460, and 1472 pass in one piece. */
}

/* Each encoder of the build, by its own name and by that of its codec. */
static void encoders_by_name(void **state)
{
    const struct tdm_video_encoder_ops *ops;

    (void)state;
    for (size_t i = 0; (ops = tdm_video_encoder_at(i)); i++) {
        struct tdm_media_plan plan;
        struct tdm_cause cause = {""};
        char list[64];

        (void)snprintf(list, sizeof list, "%s,%s", ops->name, tdm_codec_short_name(ops->id));
        if (tdm_media_plan_of(&plan, &(struct tandem_media){.video_codecs = list}, &cause) !=
            TDM_OK)
            fail_msg("%s: %s", list, cause.text);
        assert_int_equal(plan.video_codec_count, 1);
        assert_int_equal(plan.video_codecs[0], ops->id);
        assert_ptr_equal(plan.video_encoders[0], ops);
        assert_ptr_equal(tdm_video_plan_choose(&plan, ops->id, 1500000).encoder, ops);
        assert_int_equal(
            tdm_media_plan_of(&plan,
                              &(struct tandem_media){.video_codecs = tdm_codec_short_name(ops->id)},
                              &cause),
            TDM_OK);
        assert_ptr_equal(plan.video_encoders[0], tdm_video_encoder_find(ops->id));
    }
}

static void video_lists(void **state)
{
    static const struct {
        const char *list, *cause;
    } lists[] = {
        {"mpeg1", "vp8"}, {"", "empty"},   {"vp8,", NULL},
        {"vp8,,", "use"}, {"opus", "use"}, {"h265", "unknown or can only be received"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct tdm_media_plan plan;
        struct tdm_cause cause = {""};
        enum tdm_err err =
            tdm_media_plan_of(&plan, &(struct tandem_media){.video_codecs = lists[i].list}, &cause);
        const char *wanted = lists[i].cause;

        if (strcmp(lists[i].list, "h265") == 0)
            wanted = tdm_video_decoder_find(TDM_CODEC_H265) ? "received" : "unknown";
        if ((err == TDM_OK) != !wanted || (wanted && !strstr(cause.text, wanted)))
            fail_msg("\"%s\": %d \"%s\"", lists[i].list, (int)err, cause.text);
    }
}

static void presets_and_threads(void **state)
{
    const struct tdm_video_encoder_ops *ops;
    struct tdm_media_plan plan;
    struct tdm_cause cause = {""};

    (void)state;
    for (size_t i = 0; (ops = tdm_video_encoder_at(i)); i++) {
        struct tandem_media media = {.video_codecs = ops->name, .video_threads = 2};

        for (size_t k = 0; ops->presets && ops->presets[k]; k++) {
            media.video_preset = ops->presets[k];
            assert_int_equal(tdm_media_plan_of(&plan, &media, NULL), TDM_OK);
            assert_string_equal(tdm_video_plan_choose(&plan, ops->id, 1500000).preset,
                                ops->presets[k]);
            assert_int_equal(tdm_video_plan_choose(&plan, ops->id, 1500000).threads, 2);
        }
        media.video_preset = "no-such-preset";
        assert_int_equal(tdm_media_plan_of(&plan, &media, &cause), TDM_E_UNSUPPORTED);
        const char *first = ops->presets ? ops->presets[0] : NULL;

        assert_non_null(strstr(cause.text, first ? ops->name : "no presets"));
        if (first)
            assert_non_null(strstr(cause.text, first));
    }
    assert_int_equal(tdm_media_plan_of(&plan, &(struct tandem_media){.video_threads = 65}, &cause),
                     TDM_E_MALFORMED);
    assert_non_null(strstr(cause.text, "threads"));
}

/* A preset goes to the encoder that has it, and to no other. */
static void preset_of_one_of_two(void **state)
{
    struct tdm_media_plan plan;
    const struct tandem_media media = {.video_codecs = "x264,vp8", .video_preset = "superfast"};

    (void)state;
    if (!tdm_video_encoder_named("x264"))
        skip();
    assert_int_equal(tdm_media_plan_of(&plan, &media, NULL), TDM_OK);
    assert_string_equal(tdm_video_plan_choose(&plan, TDM_CODEC_H264, 1500000).preset, "superfast");
    assert_string_equal(tdm_video_plan_choose(&plan, TDM_CODEC_VP8, 1500000).preset, "");
}

static void codec_lists(void **state)
{
    static const struct {
        const char *audio;
        enum tdm_err err;
        uint8_t count;
        enum tdm_codec_id first;
    } lists[] = {
        {"opus", TDM_OK, 1, TDM_CODEC_OPUS},
        {"PCMA,opus", TDM_OK, 2, TDM_CODEC_PCMA},
        {"l16,pcmu,pcma,opus", TDM_OK, 4, TDM_CODEC_L16},
        {"", TDM_E_MALFORMED, 0, TDM_CODEC_NONE},
        {",", TDM_E_UNSUPPORTED, 0, TDM_CODEC_NONE},
        {"opus,,pcmu", TDM_E_UNSUPPORTED, 0, TDM_CODEC_NONE},
        {"opus ", TDM_E_UNSUPPORTED, 0, TDM_CODEC_NONE},
        {"opu", TDM_E_UNSUPPORTED, 0, TDM_CODEC_NONE},
        {"opusx", TDM_E_UNSUPPORTED, 0, TDM_CODEC_NONE},
        {"vp8", TDM_E_UNSUPPORTED, 0, TDM_CODEC_NONE}, /* Of the other medium. */
    };

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct tdm_media_plan plan;
        struct tdm_cause cause = {""};
        enum tdm_err err = tdm_media_plan_of(
            &plan, &(struct tandem_media){.audio_codecs = lists[i].audio}, &cause);

        if (err != lists[i].err)
            fail_msg("\"%s\": %d", lists[i].audio, (int)err);
        if (err != TDM_OK) {
            assert_string_not_equal(cause.text, "");
            continue;
        }
        assert_int_equal(plan.audio_codec_count, lists[i].count);
        assert_int_equal(plan.audio_codecs[0], lists[i].first);
    }
}

/* A list longer than any table ends, whatever is in it. */
static void long_lists(void **state)
{
    struct tdm_media_plan plan;
    struct tdm_cause cause = {""};
    char text[2048] = "";

    (void)state;
    for (size_t i = 0; i < 100; i++)
        memcpy(text + 5 * i, "opus,", 6);
    assert_int_equal(tdm_media_plan_of(&plan, &(struct tandem_media){.audio_codecs = text}, &cause),
                     TDM_OK);
    assert_int_equal(plan.audio_codec_count, TDM_CODECS_MAX);
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(tdm_media_plan_of(&plan, &(struct tandem_media){.video_source = text}, &cause),
                     TDM_E_MALFORMED);
    assert_true(strlen(cause.text) < sizeof cause.text);
}

static void numbers(void **state)
{
    static const struct {
        struct tandem_media media;
        bool good;
    } cases[] = {
        {{.width = 16, .height = 16}, true},
        {{.width = 4096, .height = 4096}, true},
        {{.width = 4098}, false},
        {{.width = 15}, false},
        {{.height = 721}, false},
        {{.fps = 120}, true},
        {{.fps = 121}, false},
        {{.video_bps = 32000}, true},
        {{.video_bps = 31999}, false},
        {{.video_bps = 100000001}, false},
        {{.audio_frame_us = 2500}, true},
        {{.audio_frame_us = 60000}, true},
        {{.audio_frame_us = 15000}, false},
        {{.audio_frame_us = 65535}, false},
        {{.audio_channels = 2}, true},
        {{.audio_channels = 3}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_media_plan plan;
        struct tdm_cause cause = {""};
        enum tdm_err err = tdm_media_plan_of(&plan, &cases[i].media, &cause);

        if (err != (cases[i].good ? TDM_OK : TDM_E_MALFORMED))
            fail_msg("case %zu: %d \"%s\"", i, (int)err, cause.text);
    }
}

static void capability(void **state)
{
    static const struct {
        const char *source, *sink;
        enum tdm_direction direction;
    } ways[] = {
        {"pattern", "null", TDM_SENDRECV},
        {"pattern", "off", TDM_SENDONLY},
        {"off", "null", TDM_RECVONLY},
        {"off", "off", TDM_INACTIVE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct tdm_media_plan plan;
        struct tdm_capability c;
        const struct tandem_media media = {.video_source = ways[i].source,
                                           .video_sink = ways[i].sink,
                                           .video_codecs = "vp8",
                                           .fps = 25};

        assert_int_equal(tdm_media_plan_of(&plan, &media, NULL), TDM_OK);
        tdm_media_plan_capability(&plan, "192.0.2.1", 4000, 4002, &c);
        assert_string_equal(c.address, "192.0.2.1");
        assert_int_equal(c.media[TDM_AUDIO].port, 4000);
        assert_int_equal(c.media[TDM_VIDEO].port, 4002);
        assert_int_equal(c.media[TDM_VIDEO].direction, ways[i].direction);
        assert_int_equal(c.media[TDM_VIDEO].wanted, ways[i].direction != TDM_INACTIVE);
        assert_true(c.media[TDM_AUDIO].wanted);
        assert_int_equal(c.media[TDM_VIDEO].framerate, 25);
    }
}

static struct tdm_negotiated_media agreed_video(void)
{
    struct tdm_negotiated_media agreed = {
        .active = true,
        .direction = TDM_SENDRECV,
        .receive_count = 1,
        .nack = true,
        .pli = true,
        .ext_count = 1,
    };

    agreed.send.id = TDM_CODEC_H264;
    agreed.send.payload_type = 102;
    agreed.send.clock_hz = 90000;
    (void)snprintf(agreed.send.fmtp, sizeof agreed.send.fmtp, "packetization-mode=1");
    agreed.receive[0] = agreed.send;
    agreed.receive[0].payload_type = 97;
    agreed.exts[0].id = 3;
    (void)snprintf(agreed.exts[0].uri, sizeof agreed.exts[0].uri, "%s", TDM_FRAME_TIMING_URI);
    return agreed;
}

static void stream(void **state)
{
    struct tdm_negotiated_media agreed = agreed_video();
    struct tdm_stream_config config;
    struct tdm_media_plan plan;

    (void)state;
    assert_int_equal(tdm_media_plan_of(&plan, NULL, NULL), TDM_OK);
    tdm_media_plan_stream(&plan, &agreed, TDM_VIDEO, false, &config);
    assert_true(config.send && config.receive && config.nack && config.pli && !config.fir);
    assert_int_equal(config.send_payload_type, 102);
    assert_int_equal(config.receive_codecs[0].payload_type, 97);
    assert_int_equal(config.timing_ext_id, 3);
    assert_int_equal(config.h264_mode, 1);
    assert_int_equal(config.limit_bps, plan.video_bps);

    tdm_media_plan_stream(&plan, &agreed, TDM_VIDEO, true, &config);
    assert_false(config.send); /* Who holds sends nothing. */
    agreed.direction = TDM_RECVONLY;
    agreed.max_bitrate_bps = 100000;
    agreed.send.fmtp[0] = 0;
    agreed.ext_count = 0;
    tdm_media_plan_stream(&plan, &agreed, TDM_VIDEO, false, &config);
    assert_false(config.send);
    assert_true(config.receive);
    assert_int_equal(config.limit_bps, 100000);
    assert_int_equal(config.h264_mode, 0);
    assert_int_equal(config.timing_ext_id, 0);
    agreed.max_bitrate_bps = 1000000000; /* More than we want to send is no reason to. */
    tdm_media_plan_stream(&plan, &agreed, TDM_VIDEO, false, &config);
    assert_int_equal(config.limit_bps, plan.video_bps);
    assert_int_equal(tdm_media_plan_codec(&agreed), TDM_CODEC_H264);
}

/* What can only be received has nothing to send with. */
static void stream_received_only(void **state)
{
    struct tdm_negotiated_media agreed = agreed_video();
    struct tdm_stream_config config;
    struct tdm_media_plan plan;

    (void)state;
    memset(&agreed.send, 0, sizeof agreed.send);
    agreed.direction = TDM_RECVONLY;
    agreed.receive[0].id = TDM_CODEC_H265;
    assert_int_equal(tdm_media_plan_of(&plan, NULL, NULL), TDM_OK);
    tdm_media_plan_stream(&plan, &agreed, TDM_VIDEO, false, &config);
    assert_true(config.receive && !config.send);
    assert_int_equal(config.receive_codecs[0].id, TDM_CODEC_H265);
    assert_int_equal(tdm_media_plan_codec(&agreed), TDM_CODEC_H265);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(tdm_codec_short_name(TDM_CODEC_OPUS), "opus");
    assert_string_equal(tdm_codec_short_name(TDM_CODEC_VP8), "vp8");
    assert_string_equal(tdm_codec_short_name(TDM_CODEC_H265), "h265");
    assert_string_equal(tdm_codec_short_name(TDM_CODEC_NONE), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(default_video_codecs),
        cmocka_unit_test(the_default_offer_fits_a_datagram),
        cmocka_unit_test(encoders_by_name),
        cmocka_unit_test(video_lists),
        cmocka_unit_test(presets_and_threads),
        cmocka_unit_test(preset_of_one_of_two),
        cmocka_unit_test(codec_lists),
        cmocka_unit_test(long_lists),
        cmocka_unit_test(numbers),
        cmocka_unit_test(capability),
        cmocka_unit_test(stream),
        cmocka_unit_test(stream_received_only),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
