/* SPDX-License-Identifier: MIT */
/*
 * What the encoder is told, with an encoder of the test's own: preset, threads, content; and what
 * becomes of one that refuses.
 */
#include "engine/video_in.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "tests/unit/x_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct tdm_video_encoder {
    int width;
    int count; /* Of pictures. */
};

/* What the fake encoders saw. One test at a time. */
static struct {
    struct tdm_video_encoder_config config;
    bool refuse;
    int created, destroyed;
    _Atomic int pictures, keyframes;
} seen;

static enum tdm_err fake_create(const struct tdm_video_encoder_config *config,
                                struct tdm_video_encoder **enc, struct tdm_cause *cause)
{
    seen.config = *config;
    if (seen.refuse)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "no room on the chip");
    seen.created++;
    *enc = calloc(1, sizeof **enc);
    if (!*enc)
        return TDM_E_SYSTEM;
    (*enc)->width = config->width;
    return TDM_OK;
}

static void fake_destroy(struct tdm_video_encoder *enc)
{
    seen.destroyed++;
    free(enc);
}

static enum tdm_err fake_encode(struct tdm_video_encoder *enc, const struct tdm_picture *pic,
                                uint32_t budget_bytes, bool keyframe, tdm_slice_fn *emit, void *arg)
{
    struct tdm_slice slice = {.data = (const uint8_t *)"frame",
                              .size = 5,
                              .first = true,
                              .last = true,
                              .keyframe = keyframe || !enc->count};

    assert(pic->width == enc->width && budget_bytes > 0);
    enc->count++;
    atomic_fetch_add(&seen.pictures, 1);
    atomic_fetch_add(&seen.keyframes, slice.keyframe);
    emit(arg, &slice);
    return TDM_OK;
}

static const struct tdm_video_encoder_ops fake = {
    .id = TDM_CODEC_VP9,
    .name = "fake",
    .create = fake_create,
    .destroy = fake_destroy,
    .encode = fake_encode,
};

struct bench {
    struct tdm_link link;
    int control_wake;
};

static void bench_open(struct bench *b)
{
    memset(&seen, 0, sizeof seen);
    assert_int_equal(tdm_link_init(&b->link, NULL), TDM_OK);
    atomic_store(&b->link.video_bps, 1000000);
    b->control_wake = tdm_wake_open(NULL);
}

static void bench_close(struct bench *b)
{
    tdm_link_free(&b->link);
    (void)close(b->control_wake);
    assert_int_equal(seen.created, seen.destroyed);
}

static enum tdm_err video_in(struct bench *b, const char *source,
                             const struct tdm_video_encoder_ops *ops, struct tdm_video_in **in,
                             struct tdm_cause *cause)
{
    return tdm_video_in_create(
        &(struct tdm_video_in_config){
            .link = &b->link,
            .control_wake = b->control_wake,
            .source = source,
            .encoder = ops,
            .preset = "brisk",
            .threads = 3,
            .width = 320,
            .height = 180,
            .fps = 60,
            .bitrate_bps = 1000000,
            .slice_bytes_max = 1100,
            .fmtp = "profile-id=0",
        },
        in, cause);
}

/* Waits for pictures and takes what they left in the ring. */
static void wait_for_pictures(struct bench *b, int count)
{
    uint32_t size;
    int wanted = atomic_load(&seen.pictures) + count;

    for (int i = 0; i < 500 && atomic_load(&seen.pictures) < wanted; i++) {
        (void)tdm_wait_until(tdm_clock_now() + 10 * TDM_MS, -1, -1);
        while (tdm_record_ring_peek(&b->link.tx_video, &size))
            tdm_record_ring_release(&b->link.tx_video);
    }
    assert_true(atomic_load(&seen.pictures) >= wanted);
}

static void tells_the_encoder_everything(void **state)
{
    struct tdm_video_in *in;
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(video_in(&b, "pattern", &fake, &in, NULL), TDM_OK);
    assert_string_equal(seen.config.preset, "brisk");
    assert_string_equal(seen.config.fmtp, "profile-id=0");
    assert_int_equal(seen.config.threads, 3);
    assert_int_equal(seen.config.slice_bytes_max, 1100);
    assert_int_equal(seen.config.content, TDM_CONTENT_CAMERA);
    wait_for_pictures(&b, 3);

    /* Another source of the same kind goes on with the same encoder. */
    assert_int_equal(tdm_video_in_set_source(in, "off", NULL), TDM_OK);
    assert_int_equal(tdm_video_in_set_source(in, "pattern", NULL), TDM_OK);
    wait_for_pictures(&b, 3);
    assert_int_equal(seen.created, 1);
    assert_int_equal(atomic_load(&seen.keyframes), 1);
    tdm_video_in_destroy(in);
    bench_close(&b);
}

static void a_refusal_is_explained(void **state)
{
    struct tdm_video_in *in;
    struct tdm_cause cause = {""};
    struct bench b;

    (void)state;
    bench_open(&b);
    seen.refuse = true;
    assert_int_equal(video_in(&b, "pattern", &fake, &in, &cause), TDM_E_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "encoder fake"));
    assert_non_null(strstr(cause.text, "no room on the chip"));
    assert_non_null(strstr(cause.text, "use another codec"));
    assert_int_equal(video_in(&b, "pattern", NULL, &in, &cause), TDM_E_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "no encoder"));
    bench_close(&b);
}

/* A screen is other content than a camera: the encoder is opened anew, and begins anew. */
static void a_screen_is_another_content(void **state)
{
    struct x_server server = {0};
    struct tdm_video_in *in;
    struct tdm_cause cause = {""};
    struct bench b;
    char screen[64];

    (void)state;
    if (!x_server_start(&server, "320x240x24"))
        skip();
    (void)snprintf(screen, sizeof screen, "screen:%s", server.display);
    bench_open(&b);
    assert_int_equal(video_in(&b, "pattern", &fake, &in, NULL), TDM_OK);
    wait_for_pictures(&b, 2);

    seen.refuse = true; /* Then all stays as it was. */
    assert_int_equal(tdm_video_in_set_source(in, screen, &cause), TDM_E_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "no room on the chip"));
    wait_for_pictures(&b, 2);
    seen.refuse = false;
    assert_int_equal(tdm_video_in_set_source(in, screen, &cause), TDM_OK);
    assert_int_equal(seen.config.content, TDM_CONTENT_SCREEN);
    assert_int_equal(seen.created, 2);
    assert_int_equal(seen.destroyed, 1);
    wait_for_pictures(&b, 2);
    assert_int_equal(atomic_load(&seen.keyframes), 2);
    assert_int_equal(tdm_video_in_set_source(in, "pattern", &cause), TDM_OK);
    assert_int_equal(seen.config.content, TDM_CONTENT_CAMERA);
    wait_for_pictures(&b, 2);
    tdm_video_in_destroy(in);

    assert_int_equal(video_in(&b, screen, &fake, &in, NULL), TDM_OK);
    assert_int_equal(seen.config.content, TDM_CONTENT_SCREEN);
    tdm_video_in_destroy(in);
    bench_close(&b);
    x_server_stop(&server);
}

/* A way that gives little makes pictures smaller, by another encoder, and when it gives much again
 * the first size comes back. */
static void the_size_follows_the_way(void **state)
{
    struct tdm_video_in_stats stats;
    struct tdm_video_in *in;
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(video_in(&b, "pattern", &fake, &in, NULL), TDM_OK);
    wait_for_pictures(&b, 2);
    for (int way = 0; way < 2; way++) {
        int width = way == 0 ? 240 : 320;

        atomic_store(&b.link.video_frame_bytes, way == 0 ? 10 : 100000);
        for (int i = 0; i < 100; i++) { /* An ascent waits for some seconds. */
            wait_for_pictures(&b, 3);
            tdm_video_in_follow(in);
            tdm_video_in_stats_of(in, &stats);
            if (stats.width == width)
                break;
        }
        assert_int_equal(stats.width, width);
        assert_int_equal(stats.why, way == 0 ? TDM_PICTURE_BY_RATE : TDM_PICTURE_WHOLE);
        wait_for_pictures(&b, 2);
        assert_int_equal(seen.created, way + 2);
        assert_int_equal(atomic_load(&seen.keyframes), way + 2);
    }
    assert_int_equal(stats.cut, 0);
    tdm_video_in_destroy(in);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_encoder_everything),
        cmocka_unit_test(a_refusal_is_explained),
        cmocka_unit_test(a_screen_is_another_content),
        cmocka_unit_test(the_size_follows_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
