/* SPDX-License-Identifier: MIT */
/*
 * What is sent arrives: pictures by the time code in their pixels, sound by its chirps; and the
 * latency that the trace sums up is what the pixels and the chirps say.
 */
#include "tests/live/pair.h"

#include "engine/call.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* Ten times as slow: as many pictures as that leaves time for, or they would be made smaller. */
#define FPS             10
#define AGREE_MS        25.0
#define MOUTH_TO_EAR_MS 1000
#else
#define FPS             15
#define AGREE_MS        2.0
#define MOUTH_TO_EAR_MS 300 /* At most, on a busy machine, too. */
#endif

struct flow {
    const char *video, *audio;
    uint16_t frame_us;
    const char *preset;
    uint16_t threads;
};

static bool flows(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->pixel_latency.count >= 20 && s->chirp_latency.count >= 2;
}

static struct tandem_media media_of(const struct flow *flow)
{
    struct tandem_media media = pair_media;

    media.video_codecs = flow->video;
    media.audio_codecs = flow->audio;
    media.audio_frame_us = flow->frame_us;
    media.video_preset = flow->preset;
    media.video_threads = flow->threads;
    media.fps = FPS;
    return media;
}

/* A frame from before the clocks were known has a total but not every stage. */
static bool is_whole(const struct tdm_frame_trace *t)
{
    for (int stage = 0; stage < TDM_STAGE_COUNT; stage++)
        if (t->at[stage] == TDM_NEVER && stage != TDM_STAGE_FIRST_SENT)
            return false;
    return true;
}

/* The stages add up to the whole way of the very frames that they are of. */
static void check_video_stages(const struct tandem_call *call, const struct tandem_stats *s)
{
    const struct tdm_latency *l = &call->latency;
    uint64_t whole = 0;
    double sum = 0, total = 0;

    assert_true(l->video_kept <= TDM_LATENCY_KEPT);
    for (uint64_t i = 0; i < l->video_kept; i++)
        if (is_whole(&l->videos[i].trace)) {
            total += (double)(l->videos[i].trace.at[TDM_STAGE_PRESENTED] -
                              l->videos[i].trace.at[TDM_STAGE_CAPTURED]) /
                     1e6;
            whole++;
        }
    assert_true(whole > 10);
    assert_true(s->video_stage_count > 0);
    for (int i = 0; i < s->video_stage_count; i++) {
        assert_int_equal(s->video_stages[i].ms.count, whole);
        sum += s->video_stages[i].ms.mean;
    }
    assert_true(fabs(sum - total / (double)whole) < 0.01);
    assert_true(s->glass_to_glass.count >= whole);
}

static void check_frames(const struct tandem_call *call)
{
    const struct tdm_latency *l = &call->latency;
    uint32_t whole = 0;

    for (uint64_t i = 0; i < l->video_kept && i < TDM_LATENCY_KEPT; i++) {
        const tdm_time *at = l->videos[i].trace.at;

        for (int stage = 1; stage < TDM_STAGE_COUNT; stage++)
            if (at[stage] == TDM_NEVER || at[0] == TDM_NEVER)
                goto next;
        /* On one machine no frame is received before it was sent, beyond the clocks' error. */
        assert_true(at[TDM_STAGE_LAST_RECEIVED] - at[TDM_STAGE_LAST_SENT] > -2 * TDM_MS);
        assert_true(at[TDM_STAGE_ENCODE_START] >= at[TDM_STAGE_CAPTURED]);
        assert_true(at[TDM_STAGE_PRESENTED] >= at[TDM_STAGE_DECODE_END]);
        whole++;
    next:;
    }
    assert_true(whole > 10);
}

#define STEADY_MS     1.0
#define STEADY_BLOCKS 8 /* From before the chirp to where its end was found. */

/* Of all calls together. */
static struct {
    uint32_t found, steady, agree;
} chirps;

static double traced_ms(const struct tdm_audio_trace *t)
{
    return (double)(t->play_at - t->captured) / 1e6;
}

/* Whether the sound ran evenly while the chirp was heard: a stretch between a chirp and the end of
 * its detection moves one of its two times and not the other. */
static bool is_steady(const struct tdm_latency *l, uint64_t at)
{
    for (uint64_t i = at < STEADY_BLOCKS ? 0 : at - STEADY_BLOCKS; i < at; i++)
        if (l->audios[i].captured == TDM_NEVER ||
            fabs(traced_ms(&l->audios[i]) - traced_ms(&l->audios[at])) > STEADY_MS)
            return false;
    return true;
}

/* Where a chirp was found, the trace of that very block says the same. A chirp comes each second,
 * so it tells the latency but for whole seconds. */
static void count_chirps(const struct tandem_call *call)
{
    const struct tdm_latency *l = &call->latency;
    uint32_t found = 0;

    for (uint64_t i = 0; i < l->audio_kept && i < TDM_LATENCY_KEPT; i++) {
        const struct tdm_audio_trace *t = &l->audios[i];

        if (t->chirp_ms < 0 || t->captured == TDM_NEVER)
            continue;
        double apart = remainder(traced_ms(t) - t->chirp_ms, 1000);

        found++;
        if (fabs(apart) > AGREE_MS)
            print_message("chirp %.2f ms, trace %.2f ms\n", t->chirp_ms, traced_ms(t));
        if (!is_steady(l, i))
            continue;
        chirps.steady++;
        chirps.agree += fabs(apart) <= AGREE_MS;
    }
    assert_true(found >= 1);
    chirps.found += found;
}

/* An encoder's name stands for its codec. */
static const char *codec_of(const char *name)
{
    const struct tdm_video_encoder_ops *ops = tdm_video_encoder_named(name);

    return ops ? tdm_codec_short_name(ops->id) : name;
}

static void check_side(struct side *s, const struct flow *flow)
{
    struct tandem_stats stats = side_stats(s);

    assert_int_equal(stats.state, TANDEM_STATE_ENDED);
    assert_string_equal(stats.video.send_codec, codec_of(flow->video));
    assert_string_equal(stats.video.receive_codec, codec_of(flow->video));
    assert_string_equal(stats.audio.send_codec, flow->audio);
    assert_string_equal(stats.audio.receive_codec, flow->audio);
    assert_int_equal(stats.width, 320);
    assert_int_equal(stats.height, 180);
    assert_int_equal(stats.decode_errors, 0);
    assert_true(stats.budget_percent > 5 && stats.budget_percent < 150);
    assert_true(stats.budget_spread_percent > 0 && stats.budget_spread_percent < 100);
    assert_true(stats.clock_known);
    assert_true(fabs(stats.clock_offset_ms) < AGREE_MS);
    assert_true(stats.trace_minus_pixels.count >= 10);
    print_message("  %s: pixels %.2f, trace %.2f, apart %.3f ms; chirp %.2f, trace %.2f ms\n",
                  s->name, stats.pixel_latency.p50, stats.glass_to_glass.p50,
                  stats.trace_minus_pixels.p99, stats.chirp_latency.p50, stats.mouth_to_ear.p50);
    /* A wrong RTP clock is heard ever later. */
    assert_true(stats.mouth_to_ear.p50 < MOUTH_TO_EAR_MS);
    assert_true(stats.trace_minus_pixels.p99 <= AGREE_MS);
    check_video_stages(s->call, &stats);
    check_frames(s->call);
    count_chirps(s->call);
}

static void call_with(const struct flow *flow)
{
    struct tandem_media media = media_of(flow);
    struct pair p;

    pair_start(&p, &media, &media);
    (void)side_until(&p.a, flows, 0, "picture and sound");
    (void)side_until(&p.b, flows, 0, "picture and sound");
    if (tdm_video_encoder_named(flow->video))
        assert_ptr_equal(p.a.call->video_in_encoder, tdm_video_encoder_named(flow->video));
    if (flow->preset)
        assert_string_equal(p.b.call->video_in_preset, flow->preset);
    pair_hang_up(&p);
    check_side(&p.a, flow);
    check_side(&p.b, flow);
    pair_close(&p);
}

/* As call_with, but for an encoder that not every build has. */
static void call_if_built(const struct flow *flow)
{
    if (!strstr(tandem_video_codecs(), flow->video) && !tdm_video_encoder_named(flow->video))
        skip();
    call_with(flow);
}

static void h264_and_opus(void **state)
{
    (void)state;
    call_with(&(struct flow){.video = "h264", .audio = "opus", .frame_us = 10000});
}

static void vp8_and_pcmu(void **state)
{
    (void)state;
    call_with(&(struct flow){.video = "vp8", .audio = "pcmu", .frame_us = 20000});
}

static void h264_and_pcma(void **state)
{
    (void)state;
    call_with(&(struct flow){.video = "h264", .audio = "pcma", .frame_us = 20000});
}

static void vp8_and_l16(void **state)
{
    (void)state;
    call_with(&(struct flow){.video = "vp8", .audio = "l16", .frame_us = 20000});
}

static void vp8_and_g722(void **state)
{
    (void)state;
    call_with(&(struct flow){.video = "vp8", .audio = "g722", .frame_us = 20000});
}

static void opus_in_2_5_ms(void **state)
{
    (void)state;
    call_with(&(struct flow){.video = "h264", .audio = "opus", .frame_us = 2500});
}

static void opus_in_60_ms(void **state)
{
    (void)state;
    call_with(&(struct flow){.video = "h264", .audio = "opus", .frame_us = 60000});
}

static void vp9_and_opus(void **state)
{
    (void)state;
    call_if_built(&(struct flow){.video = "vp9", .audio = "opus", .frame_us = 10000});
}

static void av1_and_opus(void **state)
{
    (void)state;
    call_if_built(&(struct flow){.video = "av1", .audio = "opus", .frame_us = 10000});
}

static void openh264_and_opus(void **state)
{
    (void)state;
    call_if_built(&(struct flow){.video = "openh264", .audio = "opus", .frame_us = 10000});
}

static void x264_preset_and_threads(void **state)
{
    (void)state;
    call_if_built(&(struct flow){
        .video = "x264", .audio = "opus", .frame_us = 10000, .preset = "veryfast", .threads = 2});
}

static void chirps_agree(void **state)
{
    (void)state;
    print_message("  %u of %u steady chirps agree, of %u\n", chirps.agree, chirps.steady,
                  chirps.found);
    assert_true(chirps.found >= 21);
    assert_true(chirps.steady >= 7);
    assert_true(chirps.agree * 10 >= chirps.steady * 9);
}

/* The answerer's order does not matter as long as one codec is common. */
static void first_common_codec(void **state)
{
    struct tandem_media a = pair_media, b = pair_media;
    struct pair p;

    (void)state;
    a.video_codecs = "vp8,h264";
    b.video_codecs = "h264";
    a.audio_codecs = "l16,pcma";
    b.audio_codecs = "opus,pcma";
    pair_start(&p, &a, &b);
    struct tandem_stats s = side_until(&p.b, shown_at_least, 5, "a picture");

    assert_string_equal(s.video.receive_codec, "h264");
    s = side_until(&p.a, shown_at_least, 5, "a picture");
    assert_string_equal(s.audio.send_codec, "pcma");
    pair_hang_up(&p);
    pair_close(&p);
}

static void one_way_only(void **state)
{
    struct tandem_media a = pair_media, b = pair_media;
    struct pair p;

    (void)state;
    b.video_source = b.audio_source = "off";
    pair_start(&p, &a, &b);
    (void)side_until(&p.b, flows, 0, "picture and sound");
    pair_hang_up(&p);
    struct tandem_stats s = side_stats(&p.a);

    assert_int_equal(s.video.packets_received, 0);
    assert_int_equal(s.audio.packets_received, 0);
    assert_int_equal(s.frames_shown, 0);
    pair_close(&p);
}

static void sound_only(void **state)
{
    struct tandem_media a = pair_media, b = pair_media;
    struct pair p;

    (void)state;
    a.video_source = a.video_sink = "off";
    pair_start(&p, &a, &b);
    struct tandem_stats s = side_until(&p.a, audio_received_at_least, 50, "sound");

    assert_false(s.video.active);
    s = side_until(&p.b, audio_received_at_least, 50, "sound");
    assert_false(s.video.active);
    assert_int_equal(s.video.packets_received + s.video.packets_sent, 0);
    pair_hang_up(&p);
    pair_close(&p);
}

static void report_is_json(void **state)
{
    struct pair p;

    (void)state;
    pair_start(&p, &pair_media, &pair_media);
    (void)side_until(&p.a, shown_at_least, 5, "a picture");
    char *report = tandem_call_report(p.a.call);

    assert_non_null(report);
    assert_non_null(strstr(report, "\"glass_to_glass\""));
    assert_non_null(strstr(report, "\"state\": \"up\""));
    tandem_free(report);
    pair_hang_up(&p);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h264_and_opus),
        cmocka_unit_test(vp8_and_pcmu),
        cmocka_unit_test(h264_and_pcma),
        cmocka_unit_test(vp8_and_l16),
        cmocka_unit_test(vp8_and_g722),
        cmocka_unit_test(opus_in_2_5_ms),
        cmocka_unit_test(opus_in_60_ms),
        cmocka_unit_test(vp9_and_opus),
        cmocka_unit_test(av1_and_opus),
        cmocka_unit_test(openh264_and_opus),
        cmocka_unit_test(x264_preset_and_threads),
        cmocka_unit_test(chirps_agree),
        cmocka_unit_test(first_common_codec),
        cmocka_unit_test(one_way_only),
        cmocka_unit_test(sound_only),
        cmocka_unit_test(report_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
