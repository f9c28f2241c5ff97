/* SPDX-License-Identifier: MIT */
/*
 * Another video codec, encoder or preset while a call stands: from each encoder of the build to
 * each other one. What is shown then is known by the time code in its pixels.
 */
#include "tests/live/pair.h"

#include "codecs/codec.h"
#include "engine/call.h"

#include <stdio.h>
#include <string.h>

#define ENCODERS_MAX 16

struct expected {
    const char *codec;
    uint64_t read; /* Time codes, at least. */
};

static const struct expected *wanted; /* Of the wait that runs; side_until passes one number. */

static bool in_codec(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return strcmp(s->video.send_codec, wanted->codec) == 0 &&
           strcmp(s->video.receive_codec, wanted->codec) == 0 &&
           s->pixel_latency.count >= wanted->read;
}

static void shows_in(struct side *s, const char *codec)
{
    struct expected expected = {.codec = codec};
    struct tandem_stats now;

    wanted = &expected;
    now = side_until(s, in_codec, 0, codec);
    expected.read = now.pixel_latency.count + 3;
    (void)side_until(s, in_codec, 0, "pictures in it");
}

static void change_to(struct pair *p, const struct tdm_video_encoder_ops *ops)
{
    const char *codec = tdm_codec_short_name(ops->id);
    struct tandem_cause cause = {""};

    if (tandem_set_video_codecs(p->a.call, ops->name, NULL, &cause) != TANDEM_OK)
        fail_msg("%s: %s", ops->name, cause.text);
    shows_in(&p->a, codec);
    shows_in(&p->b, codec);
    assert_ptr_equal(p->a.call->video_in_encoder, ops);
}

static void check_clean(struct side *s)
{
    struct tandem_stats stats = side_stats(s);

    print_message("  %s: %d shown, %d errors, %d freezes, trace and pixels %.3f ms apart\n",
                  s->name, (int)stats.frames_shown, (int)stats.decode_errors, (int)stats.freezes,
                  stats.trace_minus_pixels.p99);
    assert_int_equal(stats.decode_errors, 0);
    assert_true(stats.trace_minus_pixels.p99 <= 2);
}

static void each_to_each(void **state)
{
    const struct tdm_video_encoder_ops *all[ENCODERS_MAX], *ops;
    struct tandem_media media = pair_media;
    size_t count = 0;
    struct pair p;

    (void)state;
    while (count < ENCODERS_MAX && (ops = tdm_video_encoder_at(count)))
        all[count++] = ops;
    pair_start(&p, &media, &media);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            change_to(&p, all[i]);
            change_to(&p, all[j]);
        }
    pair_hang_up(&p);
    check_clean(&p.a);
    check_clean(&p.b);
    pair_close(&p);
}

/* The other side is not asked, and its own encoder goes on. */
static void another_preset(void **state)
{
    struct tandem_media media = pair_media;
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    media.video_codecs = "vp8";
    pair_start(&p, &media, &media);
    shows_in(&p.b, "vp8");
    uint32_t changes = side_count(&p.b, TANDEM_EVENT_CHANGED);

    assert_int_equal(tandem_set_video_codecs(p.a.call, "vp8", "12", &cause), TANDEM_OK);
    assert_string_equal(p.a.call->video_in_preset, "12");
    shows_in(&p.b, "vp8");
    assert_int_equal(tandem_set_video_codecs(p.a.call, "vp8", "none", &cause), TANDEM_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "preset"));
    assert_string_equal(p.a.call->video_in_preset, "12");
    shows_in(&p.b, "vp8");
    assert_int_equal(side_count(&p.b, TANDEM_EVENT_CHANGED), changes);
    pair_hang_up(&p);
    check_clean(&p.b);
    pair_close(&p);
}

/* What the other side does not have leaves the call without a picture, and comes back. */
static void what_the_other_has_not(void **state)
{
    struct tandem_media a = pair_media, b = pair_media;
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    if (!tdm_video_encoder_find(TDM_CODEC_H264))
        skip();
    b.video_codecs = "vp8";
    pair_start(&p, &a, &b);
    shows_in(&p.a, "vp8");
    assert_int_equal(tandem_set_video_codecs(p.a.call, "mpeg1", NULL, &cause), TANDEM_UNSUPPORTED);
    assert_int_equal(tandem_set_video_codecs(p.a.call, "h264", NULL, &cause), TANDEM_OK);
    (void)side_until(&p.b, audio_received_at_least, side_stats(&p.b).audio.packets_received + 50,
                     "sound goes on");
    assert_int_equal(tandem_set_video_codecs(p.a.call, NULL, NULL, &cause), TANDEM_OK);
    shows_in(&p.a, "vp8");
    shows_in(&p.b, "vp8");
    pair_hang_up(&p);
    pair_close(&p);
}

/* The smallest picture that a call may ask for, and one that is no multiple of any block. */
static void odd_sizes(void **state)
{
    static const uint16_t sizes[][2] = {{16, 16}, {98, 50}};
    const struct tdm_video_encoder_ops *ops;

    (void)state;
    for (size_t i = 0; (ops = tdm_video_encoder_at(i)); i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            struct tandem_media media = pair_media;
            struct pair p;

            print_message("  %s %ux%u\n", ops->name, sizes[k][0], sizes[k][1]);
            media.video_codecs = ops->name;
            media.width = sizes[k][0];
            media.height = sizes[k][1];
            pair_start(&p, &media, &media);
            (void)side_until(&p.a, shown_at_least, 5, "pictures at a");
            struct tandem_stats stats = side_until(&p.b, shown_at_least, 5, "pictures at b");

            assert_int_equal(stats.decode_errors, 0);
            assert_int_equal(stats.width, sizes[k][0]);
            assert_int_equal(stats.height, sizes[k][1]);
            pair_hang_up(&p);
            pair_close(&p);
        }
}

/* Coded pictures that ffprobe decodes from a recording; -1: it is not installed. */
static int frames_in(const char *path, const char *codec)
{
    char command[400], line[64] = "", name[16] = "";
    int frames = 0;

    (void)snprintf(command, sizeof command,
                   "ffprobe -v error -count_frames -select_streams v -show_entries "
                   "stream=codec_name,nb_read_frames -of csv=p=0 %s 2>&1",
                   path);
    FILE *probe = popen(command, "r");

    assert_non_null(probe);
    if (!fgets(line, sizeof line, probe))
        line[0] = 0;
    (void)pclose(probe);
    if (strstr(line, "not found"))
        return -1;
    if (sscanf(line, "%15[^,],%d", name, &frames) != 2 || strcmp(name, codec) != 0)
        fail_msg("%s: ffprobe says \"%s\"", codec, line);
    return frames;
}

/* What each encoder of the build made, recorded at the other side. */
static void recordings(void **state)
{
    const struct tdm_video_encoder_ops *ops;

    (void)state;
    for (size_t i = 0; (ops = tdm_video_encoder_at(i)); i++) {
        struct tandem_media a = pair_media, b = pair_media;
        char path[256];
        struct pair p;

        a.video_codecs = ops->name;
        b.record_path = pair_file("codec.mkv", path, sizeof path);
        pair_start(&p, &a, &b);
        shows_in(&p.b, tdm_codec_short_name(ops->id));
        pair_run(&p, 1000);
        pair_hang_up(&p);
        pair_close(&p); /* The file is whole then. */
        int frames = frames_in(path, tdm_codec_short_name(ops->id));

        print_message("  %s: %d frames\n", ops->name, frames);
        assert_true(frames >= 15 || frames == -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_to_each),
        cmocka_unit_test(another_preset),
        cmocka_unit_test(what_the_other_has_not),
        cmocka_unit_test(odd_sizes),
        cmocka_unit_test(recordings),
    };

    return cmocka_run_group_tests(tests, NULL, pair_files_remove);
}
