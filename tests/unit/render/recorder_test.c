/* SPDX-License-Identifier: MIT */

/* Recordings are made from really coded video and read back with libavformat. */

#include "render/recorder.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
/* After the four headers that it needs. */
#include <cmocka.h>

struct coder {
    AVCodecContext *context;
    AVFrame *frame;
    AVPacket *packet;
    int64_t count;
};

static void coder_open_with(struct coder *c, const AVCodec *codec, int width, int height)
{
    assert_non_null(codec);
    av_log_set_level(AV_LOG_QUIET);
    *c = (struct coder){.context = avcodec_alloc_context3(codec),
                        .frame = av_frame_alloc(),
                        .packet = av_packet_alloc()};
    c->context->width = width;
    c->context->height = height;
    c->context->pix_fmt = AV_PIX_FMT_YUV420P;
    c->context->time_base = (AVRational){1, 25};
    c->context->gop_size = 10;
    c->context->max_b_frames = 0;
    c->context->bit_rate = 2000000;
    c->context->thread_count = 1;
    (void)av_opt_set(c->context->priv_data, "preset", "ultrafast", 0);
    (void)av_opt_set(c->context->priv_data, "usage", "realtime", 0);
    (void)av_opt_set(c->context->priv_data, "x265-params", "log-level=none", 0);
    (void)av_opt_set(c->context->priv_data, "tune", "zerolatency", 0);
    (void)av_opt_set_int(c->context->priv_data, "lag-in-frames", 0, 0);
    assert_int_equal(avcodec_open2(c->context, codec, NULL), 0);
    c->frame->width = width;
    c->frame->height = height;
    c->frame->format = AV_PIX_FMT_YUV420P;
    assert_int_equal(av_frame_get_buffer(c->frame, 0), 0);
}

static void coder_open(struct coder *c, enum AVCodecID id, int width, int height)
{
    coder_open_with(c, avcodec_find_encoder(id), width, height);
}

static void coder_close(struct coder *c)
{
    avcodec_free_context(&c->context);
    av_frame_free(&c->frame);
    av_packet_free(&c->packet);
}

/* Codes one picture with some detail and gives it to the recorder. */
static void record_picture(struct coder *c, struct tdm_recorder *rec, tdm_time time)
{
    assert_int_equal(av_frame_make_writable(c->frame), 0);
    for (int y = 0; y < c->frame->height; y++)
        for (int x = 0; x < c->frame->width; x++)
            c->frame->data[0][y * c->frame->linesize[0] + x] =
                (uint8_t)((x ^ y) * 3 + c->count * 7 + (x * y * 31 % 64));
    for (int plane = 1; plane < 3; plane++)
        memset(c->frame->data[plane], 128,
               (size_t)c->frame->linesize[plane] * (size_t)c->frame->height / 2);
    c->frame->pts = c->count++;
    assert_int_equal(avcodec_send_frame(c->context, c->frame), 0);
    assert_int_equal(avcodec_receive_packet(c->context, c->packet), 0);
    tdm_recorder_video(rec, c->packet->data, (size_t)c->packet->size,
                       c->packet->flags & AV_PKT_FLAG_KEY, time);
    av_packet_unref(c->packet);
}

static void record_sound(struct tdm_recorder *rec, uint32_t samples, tdm_time time)
{
    int16_t pcm[2 * 1920];

    for (uint32_t i = 0; i < 2 * samples; i++)
        pcm[i] = (int16_t)(i * 5);
    tdm_recorder_audio(rec, pcm, samples, time);
}

static const struct tdm_recorder_config h264_and_stereo = {
    .video = TDM_CODEC_H264, .width = 320, .height = 240, .sample_hz = 48000, .channels = 2};

/* What a recording holds. */
struct contents {
    int video_packets, pictures, audio_packets;
    int64_t audio_samples;
    enum AVCodecID codec;
    int extradata;
    double first_video, last_video, first_audio, last_audio;
    int widths[2];
    bool disordered;
};

static void decode(AVCodecContext *decoder, const AVPacket *packet, struct contents *c)
{
    AVFrame *frame = av_frame_alloc();

    if (avcodec_send_packet(decoder, packet) >= 0)
        while (avcodec_receive_frame(decoder, frame) == 0) {
            c->widths[c->pictures ? 1 : 0] = frame->width;
            c->pictures++;
        }
    av_frame_free(&frame);
}

static struct contents read_back(const char *path)
{
    struct contents c = {0};
    AVFormatContext *format = NULL;
    AVCodecContext *decoder = NULL;
    AVPacket *packet = av_packet_alloc();

    assert_int_equal(avformat_open_input(&format, path, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(format, NULL) >= 0);
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecParameters *par = format->streams[i]->codecpar;

        if (par->codec_type != AVMEDIA_TYPE_VIDEO)
            continue;
        const AVCodec *codec = avcodec_find_decoder(par->codec_id);

        c.codec = par->codec_id;
        c.extradata = par->extradata_size;
        decoder = avcodec_alloc_context3(codec);
        assert_true(avcodec_parameters_to_context(decoder, par) >= 0);
        decoder->thread_count = 1;
        assert_int_equal(avcodec_open2(decoder, codec, NULL), 0);
    }
    while (av_read_frame(format, packet) >= 0) {
        const AVStream *stream = format->streams[packet->stream_index];
        double at = (double)packet->pts * av_q2d(stream->time_base);

        if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
            c.first_video = c.video_packets ? c.first_video : at;
            c.disordered |= c.video_packets && at <= c.last_video;
            c.last_video = at;
            c.video_packets++;
            decode(decoder, packet, &c);
        } else {
            c.first_audio = c.audio_packets ? c.first_audio : at;
            c.last_audio = at;
            c.audio_packets++;
            c.audio_samples += packet->size / 4;
        }
        av_packet_unref(packet);
    }
    if (decoder) {
        decode(decoder, NULL, &c);
        avcodec_free_context(&decoder);
    }
    av_packet_free(&packet);
    avformat_close_input(&format);
    return c;
}

static void make_path(char *path)
{
    static const char pattern[] = "/tmp/tandem-rec-test-XXXXXX.mkv";

    memcpy(path, pattern, sizeof pattern);
    int fd = mkstemps(path, 4);

    assert_true(fd >= 0);
    (void)close(fd);
}

static void video_and_sound_share_a_clock(void **state)
{
    (void)state;
    char path[40];
    struct tdm_recorder *rec = NULL;
    struct coder coder;
    const tdm_time start = 1234567 * TDM_MS;

    make_path(path);
    coder_open(&coder, AV_CODEC_ID_H264, 320, 240);
    assert_int_equal(tdm_recorder_create(path, &h264_and_stereo, &rec, NULL), TDM_OK);
    /* Before the first key frame: a frame that cannot be decoded, and early sound. */
    tdm_recorder_video(rec, (const uint8_t *)"\0\0\0\1\x41zzz", 8, false, start - 100 * TDM_MS);
    record_sound(rec, 480, start - 50 * TDM_MS);
    for (int i = 0; i < 50; i++) {
        record_picture(&coder, rec, start + i * 40 * TDM_MS);
        while (i == 0 && !tdm_recorder_stats(rec).video_frames)
            (void)usleep(1000);
        if (i == 0) /* Late, and from before the first picture: left out. */
            record_sound(rec, 480, start - 30 * TDM_MS);
        for (int k = 0; k < 4; k++) /* The sound's stamps jitter by 3 ms. */
            record_sound(rec, 480, start + (i * 40 + k * 10 + k % 2 * 3) * TDM_MS);
    }
    tdm_recorder_destroy(rec);
    coder_close(&coder);
    struct contents c = read_back(path);

    assert_int_equal(c.video_packets, 50);
    assert_int_equal(c.pictures, 50);
    assert_int_equal(c.audio_samples, 50 * 1920);
    assert_false(c.disordered);
    assert_true(c.first_video > -0.001 && c.first_video < 0.001);
    assert_true(c.last_video > 1.958 && c.last_video < 1.962);
    assert_true(c.first_audio > -0.001 && c.first_audio < 0.006);
    assert_true(c.last_audio > 1.985 && c.last_audio < 1.998);
    (void)unlink(path);
}

/* Each codec, with and without what a file keeps of it once. */
static void every_codec_is_read_back(void **state)
{
    static const struct {
        const char *encoder;
        enum tdm_codec_id id;
        bool header;
    } codecs[] = {
        {"libx264", TDM_CODEC_H264, true},    {"libvpx", TDM_CODEC_VP8, false},
        {"libvpx-vp9", TDM_CODEC_VP9, false}, {"libaom-av1", TDM_CODEC_AV1, true},
        {"libx265", TDM_CODEC_H265, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        const AVCodec *codec = avcodec_find_encoder_by_name(codecs[i].encoder);
        const struct tdm_recorder_config config = {
            .video = codecs[i].id, .width = 320, .height = 240};
        struct tdm_recorder *rec = NULL;
        struct coder coder;
        char path[40];

        if (!codec) {
            print_message("  no %s here\n", codecs[i].encoder);
            continue;
        }
        make_path(path);
        coder_open_with(&coder, codec, 320, 240);
        assert_int_equal(tdm_recorder_create(path, &config, &rec, NULL), TDM_OK);
        for (int k = 0; k < 15; k++)
            record_picture(&coder, rec, k * 40 * TDM_MS);
        tdm_recorder_destroy(rec);
        coder_close(&coder);
        struct contents c = read_back(path);

        if (c.pictures != 15 || c.video_packets != 15 || c.widths[1] != 320 ||
            (c.extradata > 0) != codecs[i].header || c.codec != codec->id)
            fail_msg("%s: %d of %d pictures, %d bytes of header", codecs[i].encoder, c.pictures,
                     c.video_packets, c.extradata);
        (void)unlink(path);
    }
}

static void sound_without_video(void **state)
{
    (void)state;
    char path[40];
    struct tdm_recorder *rec = NULL;
    const struct tdm_recorder_config sound = {.sample_hz = 48000, .channels = 2};

    make_path(path);
    assert_int_equal(tdm_recorder_create(path, &sound, &rec, NULL), TDM_OK);
    for (int i = 0; i < 100; i++)
        record_sound(rec, 480, (100 + i * 10) * TDM_MS);
    tdm_recorder_destroy(rec);
    assert_int_equal(read_back(path).audio_samples, 48000);
    (void)unlink(path);
}

static void another_size_in_the_middle_decodes(void **state)
{
    (void)state;
    char path[40];
    struct tdm_recorder *rec = NULL;
    struct coder small, large;

    make_path(path);
    coder_open(&small, AV_CODEC_ID_H264, 320, 240);
    coder_open(&large, AV_CODEC_ID_H264, 640, 480);
    assert_int_equal(tdm_recorder_create(path, &h264_and_stereo, &rec, NULL), TDM_OK);
    for (int i = 0; i < 40; i++)
        record_picture(i < 20 ? &small : &large, rec, i * 40 * TDM_MS);
    tdm_recorder_destroy(rec);
    coder_close(&small);
    coder_close(&large);
    struct contents c = read_back(path);

    assert_int_equal(c.pictures, 40);
    assert_int_equal(c.widths[0], 320);
    assert_int_equal(c.widths[1], 640);
    (void)unlink(path);
}

static void what_cannot_be_written_is_explained(void **state)
{
    (void)state;
    struct tdm_recorder *rec = NULL;
    struct tdm_cause cause;

    assert_int_equal(tdm_recorder_create("/nowhere/x.mkv", &h264_and_stereo, &rec, &cause),
                     TDM_E_GONE);
    assert_string_equal(cause.text, "cannot record to \"/nowhere/x.mkv\": there is no such folder");
    assert_int_not_equal(tdm_recorder_create("/tmp", &h264_and_stereo, &rec, &cause), TDM_OK);
}

static void garbage_is_survived(void **state)
{
    (void)state;
    char path[40];
    struct tdm_recorder *rec = NULL;
    static uint8_t junk[2 * 1024 * 1024];

    make_path(path);
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (uint8_t)(i * i >> 3 & 3);
    assert_int_equal(tdm_recorder_create(path, &h264_and_stereo, &rec, NULL), TDM_OK);
    tdm_recorder_video(rec, junk, 0, true, 0);
    tdm_recorder_video(rec, junk, sizeof junk, true, 0); /* Larger than any record: dropped. */
    for (size_t size = 1; size < 2000; size += 13)
        tdm_recorder_video(rec, junk + size, size, size % 2, (tdm_time)size * TDM_MS);
    assert_int_equal(tdm_recorder_stats(rec).dropped, 1);
    tdm_recorder_destroy(rec);
    (void)unlink(path);
}

/* In a child with a file size limit: records until the recorder says that it stopped. */
static int record_until_full(const char *path)
{
    struct tdm_recorder *rec = NULL;
    struct coder coder;
    struct tdm_cause cause;
    const struct rlimit limit = {.rlim_cur = 600000, .rlim_max = 600000};

    (void)signal(SIGXFSZ, SIG_IGN);
    coder_open(&coder, AV_CODEC_ID_H264, 320, 240);
    if (setrlimit(RLIMIT_FSIZE, &limit) ||
        tdm_recorder_create(path, &h264_and_stereo, &rec, NULL) != TDM_OK)
        return 1;
    int told = 0;

    for (int i = 0; i < 3000 && !told; i++) {
        record_picture(&coder, rec, i * 40 * TDM_MS);
        for (int k = 0; k < 4; k++)
            record_sound(rec, 480, (i * 40 + k * 10) * TDM_MS);
        if (tdm_recorder_error(rec, &cause))
            told = 1;
    }
    if (!told || !strstr(cause.text, "stopped: the file may not grow"))
        return 2;
    if (tdm_recorder_error(rec, &cause) != TDM_OK)
        return 3; /* Once only. */
    record_picture(&coder, rec, 4000 * 40 * TDM_MS);
    tdm_recorder_destroy(rec);
    coder_close(&coder);
    return 0;
}

static void a_full_disk_is_told_and_leaves_a_file_that_opens(void **state)
{
    (void)state;
    char path[40];
    int status;

    make_path(path);
    pid_t pid = fork();

    if (pid == 0)
        _exit(record_until_full(path));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    struct contents c = read_back(path);

    assert_true(c.pictures > 20);
    assert_in_range(c.audio_samples, 24000, 1000000);
    (void)unlink(path);
}

static void a_killed_recording_opens(void **state)
{
    (void)state;
    char path[40];
    int ends[2], status;
    char byte;

    make_path(path);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();

    if (pid == 0) {
        struct tdm_recorder *rec = NULL;
        struct coder coder;

        coder_open(&coder, AV_CODEC_ID_H264, 320, 240);
        if (tdm_recorder_create(path, &h264_and_stereo, &rec, NULL) != TDM_OK)
            _exit(1);
        for (int i = 0; i < 200; i++) { /* 8 s of the call's time. */
            record_picture(&coder, rec, i * 40 * TDM_MS);
            for (int k = 0; k < 4; k++)
                record_sound(rec, 480, (i * 40 + k * 10) * TDM_MS);
        }
        while (tdm_recorder_stats(rec).video_frames < 200)
            (void)usleep(1000);
        (void)!write(ends[1], "x", 1);
        (void)pause();
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    struct contents c = read_back(path);

    assert_in_range(c.pictures, 150, 200); /* At most the last clusters are missing. */
    assert_true(c.audio_samples > 5 * 48000);
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(video_and_sound_share_a_clock),
        cmocka_unit_test(every_codec_is_read_back),
        cmocka_unit_test(sound_without_video),
        cmocka_unit_test(another_size_in_the_middle_decodes),
        cmocka_unit_test(what_cannot_be_written_is_explained),
        cmocka_unit_test(garbage_is_survived),
        cmocka_unit_test(a_full_disk_is_told_and_leaves_a_file_that_opens),
        cmocka_unit_test(a_killed_recording_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
