/* SPDX-License-Identifier: MIT */
#include "engine/audio_plan.h"
#include "signalling/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_media_plan plan_of(const struct tandem_media *media)
{
    struct tdm_media_plan plan;

    assert_int_equal(tdm_media_plan_of(&plan, media, NULL), TDM_OK);
    return plan;
}

static struct tdm_capability offer_of(const struct tandem_media *media)
{
    struct tdm_media_plan plan = plan_of(media);
    struct tdm_capability c;

    tdm_media_plan_capability(&plan, "192.0.2.1", 4000, 4002, &c);
    return c;
}

static void test_sample_rates(void **state)
{
    (void)state;
    assert_int_equal(tdm_audio_sample_hz(TDM_CODEC_OPUS, 48000), 48000);
    assert_int_equal(tdm_audio_sample_hz(TDM_CODEC_PCMU, 8000), 8000);
    assert_int_equal(tdm_audio_sample_hz(TDM_CODEC_G722, 8000), 16000);
    assert_int_equal(tdm_audio_sample_hz(TDM_CODEC_L16, 44100), 44100);
}

struct agreement {
    uint16_t planned_us;
    enum tdm_codec_id id;
    uint32_t clock_hz;
    uint8_t channels;
    const char *fmtp;
    uint16_t ptime_ms, max_ptime_ms;
    uint16_t frame_us;
};

static void check_length(const struct agreement *a)
{
    struct tdm_media_plan plan = plan_of(&(struct tandem_media){.audio_frame_us = a->planned_us});
    struct tdm_negotiated_media agreed = {
        .ptime_ms = a->ptime_ms,
        .max_ptime_ms = a->max_ptime_ms,
        .send = {.id = a->id, .clock_hz = a->clock_hz, .channels = a->channels},
    };

    (void)snprintf(agreed.send.fmtp, sizeof agreed.send.fmtp, "%s", a->fmtp);
    struct tdm_audio_format format = tdm_audio_format_of(&plan, &agreed);

    if (format.frame_us != a->frame_us)
        fail_msg("codec %d, %u us planned, ptime %u, maxptime %u, \"%s\": %u us, not %u",
                 (int)a->id, a->planned_us, a->ptime_ms, a->max_ptime_ms, a->fmtp, format.frame_us,
                 a->frame_us);
}

static void test_frame_lengths(void **state)
{
    static const struct agreement cases[] = {
        /* Opus takes the plan's, whatever the other side would like, */
        {2500, TDM_CODEC_OPUS, 48000, 2, "", 0, 0, 2500},
        {2500, TDM_CODEC_OPUS, 48000, 2, "", 20, 0, 2500},
        {10000, TDM_CODEC_OPUS, 48000, 2, "", 20, 0, 10000},
        {60000, TDM_CODEC_OPUS, 48000, 2, "", 20, 0, 60000},
        /* but not beyond what it can take: whole milliseconds, rounded up. */
        {60000, TDM_CODEC_OPUS, 48000, 2, "", 20, 40, 40000},
        {60000, TDM_CODEC_OPUS, 48000, 2, "", 20, 59, 40000},
        {5000, TDM_CODEC_OPUS, 48000, 2, "", 0, 3, 2500},
        {5000, TDM_CODEC_OPUS, 48000, 2, "", 0, 1, 2500},
        {2500, TDM_CODEC_OPUS, 48000, 2, "minptime=3", 0, 0, 2500},
        {2500, TDM_CODEC_OPUS, 48000, 2, "minptime=10;useinbandfec=1", 20, 0, 10000},
        {5000, TDM_CODEC_OPUS, 48000, 2, "useinbandfec=1; minptime=20", 20, 0, 20000},
        {2500, TDM_CODEC_OPUS, 48000, 2, "minptime=120", 0, 0, 60000},
        {2500, TDM_CODEC_OPUS, 48000, 2, "minptime=20", 0, 10, 10000},
        {2500, TDM_CODEC_OPUS, 48000, 2, "minptime=ten", 0, 0, 2500},
        /* Telephone codecs have 20 ms unless the other side names our length. */
        {10000, TDM_CODEC_PCMU, 8000, 1, "", 0, 0, 20000},
        {10000, TDM_CODEC_PCMA, 8000, 1, "", 20, 0, 20000},
        {10000, TDM_CODEC_G722, 8000, 1, "", 10, 0, 10000},
        {2500, TDM_CODEC_G722, 8000, 1, "", 3, 0, 2500},
        {60000, TDM_CODEC_PCMU, 8000, 1, "", 60, 0, 60000},
        {60000, TDM_CODEC_PCMU, 8000, 1, "", 0, 0, 20000},
        {20000, TDM_CODEC_PCMU, 8000, 1, "", 10, 10, 10000},
        {10000, TDM_CODEC_PCMU, 8000, 1, "minptime=40", 0, 0, 20000},
        /* L16 has to fit into a packet. */
        {10000, TDM_CODEC_L16, 48000, 1, "", 0, 0, 10000},
        {60000, TDM_CODEC_L16, 48000, 1, "", 60, 0, 10000},
        {10000, TDM_CODEC_L16, 48000, 2, "", 0, 0, 5000},
        {10000, TDM_CODEC_L16, 44100, 1, "", 0, 0, 10000},
        {20000, TDM_CODEC_L16, 44100, 2, "", 0, 0, 5000},
        {2500, TDM_CODEC_L16, 44100, 2, "", 0, 0, 2500},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_length(&cases[i]);
}

static void test_channels(void **state)
{
    static const struct {
        uint16_t planned;
        enum tdm_codec_id id;
        uint8_t agreed;
        const char *fmtp;
        uint8_t channels;
    } cases[] = {
        {1, TDM_CODEC_OPUS, 2, "stereo=1", 1},
        {2, TDM_CODEC_OPUS, 2, "stereo=1", 2},
        {2, TDM_CODEC_OPUS, 2, "", 1},
        {2, TDM_CODEC_OPUS, 2, "stereo=0", 1},
        {2, TDM_CODEC_OPUS, 2, "sprop-stereo=1", 1}, /* What it sends, not what it wants. */
        {2, TDM_CODEC_G722, 1, "stereo=1", 1},
        {1, TDM_CODEC_L16, 2, "", 2},
        {2, TDM_CODEC_L16, 1, "", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_media_plan plan =
            plan_of(&(struct tandem_media){.audio_channels = cases[i].planned});
        struct tdm_negotiated_media agreed = {
            .send = {.id = cases[i].id, .clock_hz = 48000, .channels = cases[i].agreed}};

        (void)snprintf(agreed.send.fmtp, sizeof agreed.send.fmtp, "%s", cases[i].fmtp);
        struct tdm_audio_format format = tdm_audio_format_of(&plan, &agreed);

        assert_int_equal(format.channels, cases[i].channels);
        assert_int_equal(format.bitrate_bps, 48000 * cases[i].channels);
        plan = plan_of(&(struct tandem_media){.audio_channels = 2, .audio_bps = 70000});
        assert_int_equal(tdm_audio_format_of(&plan, &agreed).bitrate_bps, 70000);
    }
}

static const struct tdm_codec_desc *find(const struct tdm_capability *c, enum tdm_codec_id id)
{
    for (unsigned i = 0; i < c->media[TDM_AUDIO].codec_count; i++)
        if (c->media[TDM_AUDIO].codecs[i].id == id)
            return &c->media[TDM_AUDIO].codecs[i];
    fail_msg("codec %d is not offered", (int)id);
    return NULL;
}

/* RFC 7587 section 6.1: stereo= is what we want, sprop-stereo= what we are about to send. */
static void test_opus_parameters(void **state)
{
    static const struct {
        struct tandem_media media;
        const char *fmtp;
        uint16_t ptime_ms;
    } cases[] = {
        {{.audio_frame_us = 2500}, "useinbandfec=1", 3},
        {{.audio_channels = 1}, "useinbandfec=1", 10},
        {{.audio_channels = 2, .audio_frame_us = 60000},
         "useinbandfec=1;stereo=1;sprop-stereo=1",
         60},
        {{.audio_channels = 2, .audio_source = "off"}, "useinbandfec=1;stereo=1", 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_capability c = offer_of(&cases[i].media);

        assert_string_equal(find(&c, TDM_CODEC_OPUS)->fmtp, cases[i].fmtp);
        assert_int_equal(c.media[TDM_AUDIO].ptime_ms, cases[i].ptime_ms);
    }
}

static void test_l16_order(void **state)
{
    (void)state;
    for (uint16_t channels = 1; channels <= 2; channels++) {
        struct tdm_capability c = offer_of(
            &(struct tandem_media){.audio_channels = channels, .audio_codecs = "opus,l16,pcmu"});
        const struct tdm_codec_desc *codecs = c.media[TDM_AUDIO].codecs;

        assert_int_equal(codecs[0].id, TDM_CODEC_OPUS);
        for (unsigned i = 1; i <= 4; i++) {
            assert_int_equal(codecs[i].id, TDM_CODEC_L16);
            assert_int_equal(codecs[i].channels, i <= 2 ? channels : 3 - channels);
            assert_int_equal(codecs[i].clock_hz, i % 2 ? 48000 : 44100);
            /* RFC 3551 section 6: 10 is stereo, 11 mono. */
            if (codecs[i].clock_hz == 44100)
                assert_int_equal(codecs[i].payload_type, codecs[i].channels == 2 ? 10 : 11);
        }
        assert_int_equal(codecs[5].id, TDM_CODEC_PCMU);
    }
}

static void test_g722_is_static(void **state)
{
    struct tdm_capability c = offer_of(&(struct tandem_media){.audio_codecs = "g722"});
    struct tdm_codec_desc named = {.payload_type = 9};

    (void)state;
    assert_int_equal(find(&c, TDM_CODEC_G722)->payload_type, 9);
    assert_int_equal(find(&c, TDM_CODEC_G722)->clock_hz, 8000);
    assert_string_equal(find(&c, TDM_CODEC_G722)->name, "G722");
    assert_true(tdm_sdp_static_codec(TDM_AUDIO, &named));
    assert_int_equal(named.id, TDM_CODEC_G722);
}

static void test_rates(void **state)
{
    (void)state;
    assert_int_equal(plan_of(NULL).audio_bps, 48000);
    assert_int_equal(plan_of(&(struct tandem_media){.audio_channels = 2}).audio_bps, 96000);
    assert_int_equal(
        plan_of(&(struct tandem_media){.audio_channels = 2, .audio_music = true}).audio_bps,
        128000);
    assert_int_equal(
        plan_of(&(struct tandem_media){.audio_music = true, .audio_bps = 32000}).audio_bps, 32000);
}

/* Two blocks may share a packet where nobody asked for a length and the other side takes it; a
 * voice of few bits has long packets from the start. */
static void test_long_packets(void **state)
{
    static const struct {
        uint16_t asked_us, max_ptime_ms;
        uint32_t bps;
        enum tdm_codec_id id;
        uint16_t frame_us;
        bool joins;
    } cases[] = {
        {0, 0, 0, TDM_CODEC_OPUS, 10000, true},       {10000, 0, 0, TDM_CODEC_OPUS, 10000, false},
        {0, 10, 0, TDM_CODEC_OPUS, 10000, false},     {0, 20, 0, TDM_CODEC_OPUS, 10000, true},
        {0, 0, 16000, TDM_CODEC_OPUS, 20000, false},  {0, 0, 24000, TDM_CODEC_OPUS, 10000, true},
        {0, 10, 16000, TDM_CODEC_OPUS, 10000, false}, {5000, 0, 16000, TDM_CODEC_OPUS, 5000, false},
        {0, 0, 0, TDM_CODEC_PCMU, 20000, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_media_plan plan = plan_of(
            &(struct tandem_media){.audio_frame_us = cases[i].asked_us, .audio_bps = cases[i].bps});
        struct tdm_negotiated_media agreed = {
            .ptime_ms = 20,
            .max_ptime_ms = cases[i].max_ptime_ms,
            .send = {.id = cases[i].id,
                     .clock_hz = cases[i].id == TDM_CODEC_OPUS ? 48000 : 8000,
                     .channels = 1},
        };
        struct tdm_audio_format format = tdm_audio_format_of(&plan, &agreed);

        assert_int_equal(format.frame_us, cases[i].frame_us);
        assert_int_equal(format.joins, cases[i].joins);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_rates),    cmocka_unit_test(test_long_packets),
        cmocka_unit_test(test_frame_lengths),   cmocka_unit_test(test_channels),
        cmocka_unit_test(test_opus_parameters), cmocka_unit_test(test_l16_order),
        cmocka_unit_test(test_g722_is_static),  cmocka_unit_test(test_rates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
