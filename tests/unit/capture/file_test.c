/* SPDX-License-Identifier: MIT */

/* File sources, on clips that the test writes itself with libavformat: raw video whose brightness
 * tells the frame, and PCM whose value tells the time. */

#include "capture/source.h"

#include "engine/base/time.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define CLIP_FPS    25
#define CLIP_FRAMES 20 /* 0.8 s */
#define CLIP_WIDTH  64
#define CLIP_HEIGHT 64
#define CLIP_HZ     48000

static char clip[] = "/tmp/tandem-file-test-XXXXXX.mkv";

static AVCodecContext *open_encoder(AVFormatContext *format, enum AVCodecID id)
{
    const AVCodec *codec = avcodec_find_encoder(id);
    AVCodecContext *encoder = avcodec_alloc_context3(codec);
    AVStream *stream = avformat_new_stream(format, codec);

    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (codec->type == AVMEDIA_TYPE_VIDEO) {
        encoder->width = CLIP_WIDTH;
        encoder->height = CLIP_HEIGHT;
        encoder->pix_fmt = AV_PIX_FMT_YUV420P;
        encoder->time_base = (AVRational){1, CLIP_FPS};
        stream->avg_frame_rate = (AVRational){CLIP_FPS, 1};
    } else {
        av_channel_layout_default(&encoder->ch_layout, 1);
        encoder->sample_fmt = AV_SAMPLE_FMT_S16;
        encoder->sample_rate = CLIP_HZ;
        encoder->time_base = (AVRational){1, CLIP_HZ};
    }
    assert_int_equal(avcodec_open2(encoder, codec, NULL), 0);
    assert_true(avcodec_parameters_from_context(stream->codecpar, encoder) >= 0);
    stream->time_base = encoder->time_base;
    return encoder;
}

static void encode(AVFormatContext *format, AVCodecContext *encoder, int stream, AVFrame *frame)
{
    AVPacket *packet = av_packet_alloc();

    assert_int_equal(avcodec_send_frame(encoder, frame), 0);
    while (avcodec_receive_packet(encoder, packet) == 0) {
        packet->stream_index = stream;
        av_packet_rescale_ts(packet, encoder->time_base, format->streams[stream]->time_base);
        assert_true(av_interleaved_write_frame(format, packet) >= 0);
    }
    av_packet_free(&packet);
}

static int brightness_of(int frame)
{
    return 30 + 10 * frame;
}

/* Sample values climb by 1 each 2 samples over the clip: 0.8 s = 38400 samples = 0..19199. */
static void write_clip(const char *path, bool with_audio)
{
    AVFormatContext *format = NULL;

    assert_true(avformat_alloc_output_context2(&format, NULL, "matroska", path) >= 0);
    AVCodecContext *video = open_encoder(format, AV_CODEC_ID_FFV1);
    AVCodecContext *audio = with_audio ? open_encoder(format, AV_CODEC_ID_PCM_S16LE) : NULL;

    assert_true(avio_open(&format->pb, path, AVIO_FLAG_WRITE) >= 0);
    assert_true(avformat_write_header(format, NULL) >= 0);
    for (int i = 0; i < CLIP_FRAMES; i++) {
        AVFrame *frame = av_frame_alloc();

        frame->width = CLIP_WIDTH;
        frame->height = CLIP_HEIGHT;
        frame->format = AV_PIX_FMT_YUV420P;
        assert_int_equal(av_frame_get_buffer(frame, 0), 0);
        memset(frame->data[0], brightness_of(i), (size_t)frame->linesize[0] * CLIP_HEIGHT);
        memset(frame->data[1], 128, (size_t)frame->linesize[1] * CLIP_HEIGHT / 2);
        memset(frame->data[2], 128, (size_t)frame->linesize[2] * CLIP_HEIGHT / 2);
        frame->pts = i;
        encode(format, video, 0, frame);
        av_frame_free(&frame);
        if (!audio)
            continue;
        frame = av_frame_alloc();
        frame->nb_samples = CLIP_HZ / CLIP_FPS;
        frame->format = AV_SAMPLE_FMT_S16;
        frame->sample_rate = CLIP_HZ;
        av_channel_layout_default(&frame->ch_layout, 1);
        assert_int_equal(av_frame_get_buffer(frame, 0), 0);
        for (int n = 0; n < frame->nb_samples; n++)
            ((int16_t *)frame->data[0])[n] = (int16_t)((i * frame->nb_samples + n) / 2);
        frame->pts = i * frame->nb_samples;
        encode(format, audio, 1, frame);
        av_frame_free(&frame);
    }
    assert_true(av_write_trailer(format) >= 0);
    (void)avio_closep(&format->pb);
    avcodec_free_context(&video);
    avcodec_free_context(&audio);
    avformat_free_context(format);
}

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemps(clip, 4);

    assert_true(fd >= 0);
    (void)close(fd);
    write_clip(clip, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(clip);
}

static const struct tdm_video_source_ops *video_ops(void)
{
    const char *rest;

    return tdm_video_source_find("file", &rest, NULL);
}

static const struct tdm_audio_source_ops *audio_ops(void)
{
    const char *rest;

    return tdm_audio_source_find("file", &rest, NULL);
}

static enum tdm_err open_video(const char *path, int width, int height, uint32_t fps, int wake_fd,
                               struct tdm_video_source **source, struct tdm_cause *cause)
{
    const struct tdm_video_source_config config = {
        .argument = path, .width = width, .height = height, .fps = fps, .wake_fd = wake_fd};

    return video_ops()->create(&config, source, cause);
}

static enum tdm_err open_audio(const char *path, uint32_t hz, uint8_t channels, int wake_fd,
                               struct tdm_audio_source **source, struct tdm_cause *cause)
{
    const struct tdm_audio_source_config config = {.argument = path,
                                                   .sample_hz = hz,
                                                   .channels = channels,
                                                   .block_samples = hz / 100,
                                                   .wake_fd = wake_fd};

    return audio_ops()->create(&config, source, cause);
}

/* The frame number that the picture's middle shows. */
static int frame_shown(const struct tdm_picture *pic)
{
    int y = pic->planes[0][pic->height / 2 * pic->strides[0] + pic->width / 2];

    return (y - 30 + 5) / 10;
}

static void video_loops_in_real_time_at_the_clocks_phase(void **state)
{
    (void)state;
    struct tdm_video_source *source = NULL;
    int last = -1, wraps = 0;
    tdm_time first = 0, captured = 0;

    assert_int_equal(open_video(clip, 64, 64, 30, -1, &source, NULL), TDM_OK);
    for (int i = 0; i < 30; i++) {
        struct tdm_picture pic;

        assert_int_equal(video_ops()->next(source, &pic, NULL), TDM_OK);
        int shown = frame_shown(&pic);
        int expected = (int)(pic.captured % (800 * TDM_MS) / (40 * TDM_MS));

        /* A picture prepared late carries the time at which it was ready. */
        assert_true(shown == expected || (shown + 1) % CLIP_FRAMES == expected);
        assert_true(pic.captured <= tdm_clock_now());
        wraps += shown < last;
        last = shown;
        first = i ? first : pic.captured;
        captured = pic.captured;
    }
    assert_in_range(wraps, 1, 2);
    assert_true(captured - first >= 28 * 40 * TDM_MS);
    video_ops()->destroy(source);
}

static void video_rate_is_limited(void **state)
{
    (void)state;
    struct tdm_video_source *source = NULL;
    struct tdm_picture pic;
    tdm_time before = 0;

    assert_int_equal(open_video(clip, 64, 64, 10, -1, &source, NULL), TDM_OK);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(video_ops()->next(source, &pic, NULL), TDM_OK);
        if (i > 1)
            assert_true(pic.captured - before >= 70 * TDM_MS);
        before = pic.captured;
    }
    video_ops()->destroy(source);
}

static void video_keeps_aspect_with_black_bars(void **state)
{
    (void)state;
    struct tdm_video_source *source = NULL;
    struct tdm_picture pic;

    assert_int_equal(open_video(clip, 320, 180, 30, -1, &source, NULL), TDM_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(video_ops()->next(source, &pic, NULL), TDM_OK);
        assert_int_equal(pic.width, 320);
        assert_int_equal(pic.height, 180);
        for (int y = 0; y < 180; y++) {
            for (int x = 0; x < 68; x++) {
                assert_int_equal(pic.planes[0][y * pic.strides[0] + x], 16);
                assert_int_equal(pic.planes[0][y * pic.strides[0] + 319 - x], 16);
            }
            assert_in_range(pic.planes[0][y * pic.strides[0] + 100], 29, 255);
        }
    }
    video_ops()->destroy(source);
}

static void sound_and_picture_are_aligned(void **state)
{
    (void)state;
    struct tdm_audio_source *source = NULL;
    int16_t pcm[960];
    tdm_time captured = 0, before = 0;

    assert_int_equal(open_audio(clip, 48000, 2, -1, &source, NULL), TDM_OK);
    for (int i = 0; i < 120; i++) {
        assert_int_equal(audio_ops()->read(source, pcm, &captured, NULL), TDM_OK);
        tdm_time at = captured % (800 * TDM_MS);
        int expected = (int)(tdm_units_of_time(at, 48000) / 2);

        /* The last sample of the block; the loop's seam is left out. */
        if (expected > 10 && expected < 19190)
            assert_true(abs(pcm[958] - expected) <= 2);
        for (int n = 0; n < 960; n += 2)
            assert_int_equal(pcm[n], pcm[n + 1]);
        if (i)
            assert_true(captured - before > 9 * TDM_MS && captured - before < 11 * TDM_MS);
        before = captured;
    }
    audio_ops()->destroy(source);
}

static void sound_is_resampled(void **state)
{
    (void)state;
    struct tdm_audio_source *source = NULL;
    int16_t pcm[80];
    tdm_time captured = 0;

    assert_int_equal(open_audio(clip, 8000, 1, -1, &source, NULL), TDM_OK);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(audio_ops()->read(source, pcm, &captured, NULL), TDM_OK);
        tdm_time at = captured % (800 * TDM_MS);
        int expected = (int)(tdm_units_of_time(at, 48000) / 2);

        if (at > 50 * TDM_MS && at < 750 * TDM_MS)
            assert_true(abs(pcm[79] - expected) <= 300); /* The filter's delay. */
    }
    audio_ops()->destroy(source);
}

static void wake_ends_the_wait(void **state)
{
    (void)state;
    struct tdm_video_source *video = NULL;
    struct tdm_audio_source *audio = NULL;
    struct tdm_picture pic;
    int16_t pcm[480];
    tdm_time captured;
    int wake_fd = tdm_wake_open(NULL);

    assert_int_equal(open_video(clip, 64, 64, 30, wake_fd, &video, NULL), TDM_OK);
    assert_int_equal(open_audio(clip, 48000, 1, wake_fd, &audio, NULL), TDM_OK);
    tdm_wake_signal(wake_fd);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(video_ops()->next(video, &pic, NULL), TDM_E_AGAIN);
        assert_int_equal(audio_ops()->read(audio, pcm, &captured, NULL), TDM_E_AGAIN);
    }
    tdm_wake_clear(wake_fd);
    assert_int_equal(video_ops()->next(video, &pic, NULL), TDM_OK);
    assert_int_equal(audio_ops()->read(audio, pcm, &captured, NULL), TDM_OK);
    video_ops()->destroy(video);
    audio_ops()->destroy(audio);
    (void)close(wake_fd);
}

static void what_cannot_be_opened_is_explained(void **state)
{
    (void)state;
    struct tdm_video_source *video = NULL;
    struct tdm_audio_source *audio = NULL;
    struct tdm_cause cause;
    char path[] = "/tmp/tandem-file-test-XXXXXX";
    int fd = mkstemp(path);

    assert_int_equal(open_video("/nowhere/x.mp4", 64, 64, 30, -1, &video, &cause), TDM_E_GONE);
    assert_string_equal(cause.text, "cannot open \"/nowhere/x.mp4\": there is no such file");
    assert_int_equal(open_video("", 64, 64, 30, -1, &video, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "file:PATH"));
    assert_int_equal(open_audio("/tmp", 48000, 1, -1, &audio, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "folder"));
    assert_int_equal(open_video(path, 64, 64, 30, -1, &video, &cause), TDM_E_MALFORMED);
    assert_int_equal(write(fd, "this is no video at all\n", 24), 24);
    assert_int_not_equal(open_video(path, 64, 64, 30, -1, &video, &cause), TDM_OK);
    write_clip(path, false);
    assert_int_equal(open_audio(path, 48000, 1, -1, &audio, &cause), TDM_E_UNSUPPORTED);
    assert_non_null(strstr(cause.text, "no sound"));
    (void)close(fd);
    (void)unlink(path);
}

/* Cuts and overwrites the clip: it must end with TDM_E_GONE or play on, in bounded time. */
static void damaged_files_end_cleanly(void **state)
{
    (void)state;
    char path[] = "/tmp/tandem-file-test-XXXXXX";
    int fd = mkstemp(path);
    struct stat st;
    int gone = 0;

    for (int round = 0; round < 6; round++) {
        struct tdm_video_source *video = NULL;
        struct tdm_picture pic;
        struct tdm_cause cause = {""};

        write_clip(path, true);
        assert_int_equal(stat(path, &st), 0);
        if (round < 3)
            assert_int_equal(truncate(path, st.st_size * (round + 1) / 4), 0);
        else
            for (off_t at = 1000 + round; at < st.st_size; at += 50)
                assert_int_equal(pwrite(fd, "\x55\xaa\x00", 3, at), 3);
        enum tdm_err err = open_video(path, 64, 64, 30, -1, &video, &cause);

        for (int i = 0; i < 30 && !err; i++)
            err = video_ops()->next(video, &pic, &cause);
        video_ops()->destroy(video);
        if (err) {
            assert_true(err == TDM_E_GONE || err == TDM_E_MALFORMED || err == TDM_E_UNSUPPORTED);
            assert_non_null(strstr(cause.text, "tandem-file-test"));
            gone++;
        }
    }
    assert_true(gone >= 1);
    (void)close(fd);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(video_loops_in_real_time_at_the_clocks_phase),
        cmocka_unit_test(video_rate_is_limited),
        cmocka_unit_test(video_keeps_aspect_with_black_bars),
        cmocka_unit_test(sound_and_picture_are_aligned),
        cmocka_unit_test(sound_is_resampled),
        cmocka_unit_test(wake_ends_the_wait),
        cmocka_unit_test(what_cannot_be_opened_is_explained),
        cmocka_unit_test(damaged_files_end_cleanly),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
