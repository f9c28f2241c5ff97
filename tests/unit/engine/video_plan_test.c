/* SPDX-License-Identifier: MIT */
/* "auto": what a kept table of costs makes of a wish. */
#include "engine/video_plan.h"

#include "measure/cost_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[] = "/tmp/tandem-plan-XXXXXX";

/* Keeps costs of the encoders that this build has, so many times those of a usual machine. */
static void keep(double times)
{
    static const struct tdm_cost usual[] = {
        {"x264", "ultrafast", TDM_CODEC_H264, 2.9, 0.8, 1.2, 0.4},
        {"x264", "superfast", TDM_CODEC_H264, 4.2, 1.2, 1.3, 0.4},
        {"openh264", "low", TDM_CODEC_H264, 2.9, 1.1, 1, 1},
        {"vp8", "8", TDM_CODEC_VP8, 4.8, 1.5, 1.4, 1},
        {"vp9", "8", TDM_CODEC_AV1, 5.6, 1.6, 1.5, 1},
        {"aom", "10", TDM_CODEC_AV1, 13.0, 2.3, 1.6, 1},
    };
    struct tdm_cost_table table = {.count = 0};
    struct tdm_cause cause;
    char path[256];

    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (tdm_video_encoder_named(usual[i].encoder)) {
            table.costs[table.count] = usual[i];
            table.costs[table.count].encode_ns *= times;
            table.costs[table.count++].decode_ns *= times;
        }
    assert_true(tdm_cost_table_path(path, sizeof path));
    assert_int_equal(tdm_cost_table_save(&table, path, &cause), TDM_OK);
}

static struct tdm_media_plan plan_of(const struct tandem_media *media)
{
    struct tdm_media_plan plan;
    struct tdm_cause cause = {""};

    if (tdm_media_plan_of(&plan, media, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return plan;
}

static void test_usual_machine(void **state)
{
    struct tdm_media_plan plan;

    (void)state;
    keep(1);
    plan = plan_of(&(struct tandem_media){.video_codecs = "auto"});
    if (!tdm_video_encoder_named("x264"))
        skip();
    assert_int_equal(plan.video_codecs[0], TDM_CODEC_H264);
    struct tdm_video_choice c = tdm_video_plan_choose(&plan, TDM_CODEC_H264, 1500000);

    assert_string_equal(c.encoder->name, "x264");
    assert_string_equal(c.preset, "superfast");
    assert_int_equal(c.width, 1280);
    assert_int_equal(c.threads, 1);
    /* The agreed codec is kept to, whatever would be preferred. */
    c = tdm_video_plan_choose(&plan, TDM_CODEC_VP8, 1500000);
    assert_string_equal(c.encoder->name, "vp8");
}

static void test_thin_link(void **state)
{
    struct tandem_media media = {.video_codecs = "auto", .video_bps = 250000};
    struct tdm_media_plan plan;

    (void)state;
    keep(1);
    if (!tdm_video_encoder_named("aom"))
        skip();
    plan = plan_of(&media);
    assert_int_equal(plan.video_codecs[0], TDM_CODEC_AV1);
    struct tdm_video_choice c = tdm_video_plan_choose(&plan, TDM_CODEC_AV1, 250000);

    assert_true(c.width < 1280);
    /* A size that was asked for stays. */
    media.width = 1280;
    media.height = 720;
    plan = plan_of(&media);
    assert_int_equal(tdm_video_plan_choose(&plan, TDM_CODEC_AV1, 250000).width, 1280);
}

static void test_slow_machine(void **state)
{
    struct tdm_media_plan plan;

    (void)state;
    keep(20);
    plan = plan_of(&(struct tandem_media){.video_codecs = "auto"});
    assert_true(tdm_video_plan_choose(&plan, plan.video_codecs[0], 1500000).width < 1280);
}

static void test_what_is_asked_stays(void **state)
{
    struct tdm_media_plan plan;

    (void)state;
    keep(1);
    if (!tdm_video_encoder_named("x264"))
        skip();
    plan = plan_of(&(struct tandem_media){
        .video_codecs = "auto", .video_preset = "veryfast", .video_threads = 3});
    struct tdm_video_choice c = tdm_video_plan_choose(&plan, TDM_CODEC_H264, 1500000);

    assert_string_equal(c.preset, "veryfast");
    assert_int_equal(c.threads, 3);
    plan = plan_of(&(struct tandem_media){.video_codecs = "vp8,h264"});
    assert_int_equal(plan.costs.count, 0);
    assert_int_equal(plan.video_codecs[0], TDM_CODEC_VP8);
    c = tdm_video_plan_choose(&plan, TDM_CODEC_H264, 250000);
    assert_string_equal(c.preset, "");
    assert_int_equal(c.width, 1280);
}

/* Of what both sides have, and more than what is sent has. */
static void test_further_references(void **state)
{
    static const struct {
        const char *mine;
        enum tdm_codec_id sent, theirs, further;
    } cases[] = {
        {NULL, TDM_CODEC_H264, TDM_CODEC_VP9, TDM_CODEC_VP9},
        {"auto", TDM_CODEC_H264, TDM_CODEC_VP9, TDM_CODEC_VP9},
        {NULL, TDM_CODEC_VP9, TDM_CODEC_H264, TDM_CODEC_NONE},
        {NULL, TDM_CODEC_H264, TDM_CODEC_VP8, TDM_CODEC_NONE},
        {"h264,vp9", TDM_CODEC_H264, TDM_CODEC_VP9, TDM_CODEC_NONE},
    };

    (void)state;
    keep(1);
    if (!tdm_video_encoder_named("x264") || !tdm_video_encoder_named("vp9"))
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_media_plan plan = plan_of(&(struct tandem_media){.video_codecs = cases[i].mine});
        const struct tdm_negotiated_media agreed = {
            .active = true,
            .send = {.id = cases[i].sent},
            .receive_count = 2,
            .receive = {{.id = cases[i].sent}, {.id = cases[i].theirs}}};
        const struct tdm_video_encoder_ops *further = tdm_video_plan_further(&plan, &agreed);

        assert_int_equal(further ? further->id : TDM_CODEC_NONE, cases[i].further);
    }
    struct tdm_media_plan plan = plan_of(&(struct tandem_media){.video_codecs = "h264,vp8,vp9"});

    tdm_video_plan_prefer(&plan, TDM_CODEC_AV1);
    assert_int_equal(plan.video_codecs[0], TDM_CODEC_H264);
    tdm_video_plan_prefer(&plan, TDM_CODEC_VP9);
    assert_int_equal(plan.video_codec_count, 3);
    assert_int_equal(plan.video_codecs[0], TDM_CODEC_VP9);
    assert_int_equal(plan.video_codecs[1], TDM_CODEC_H264);
    assert_int_equal(plan.video_codecs[2], TDM_CODEC_VP8);
    assert_string_equal(plan.video_encoders[0]->name, "vp9");
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual_machine),      cmocka_unit_test(test_thin_link),
        cmocka_unit_test(test_slow_machine),       cmocka_unit_test(test_what_is_asked_stays),
        cmocka_unit_test(test_further_references),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
