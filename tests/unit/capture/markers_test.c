/* SPDX-License-Identifier: MIT */

/* The time code and the chirp through real codecs at low rates (through libavcodec). */

#include "capture/source.h"

#include "engine/base/chirp.h"
#include "engine/base/time_code.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define PICTURES 40

static AVCodecContext *open_codec(const AVCodec *codec, void (*fill)(AVCodecContext *c))
{
    AVCodecContext *c = avcodec_alloc_context3(codec);

    assert_non_null(codec);
    c->thread_count = 1;
    fill(c);
    assert_int_equal(avcodec_open2(c, codec, NULL), 0);
    return c;
}

static void fill_video(AVCodecContext *c)
{
    c->width = 640;
    c->height = 360;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->time_base = (AVRational){1, 30};
    c->framerate = (AVRational){30, 1};
    c->bit_rate = 200000;
    c->rc_max_rate = 200000;
    c->rc_buffer_size = 200000;
    c->max_b_frames = 0;
    c->gop_size = 1000;
    (void)av_opt_set(c->priv_data, "preset", "ultrafast", 0);
    (void)av_opt_set(c->priv_data, "tune", "zerolatency", 0);
    (void)av_opt_set(c->priv_data, "deadline", "realtime", 0);
    (void)av_opt_set_int(c->priv_data, "lag-in-frames", 0, 0);
}

static void fill_nothing(AVCodecContext *c)
{
    (void)c;
}

static struct tdm_picture picture_of(const AVFrame *f)
{
    return (struct tdm_picture){.planes = {f->data[0], f->data[1], f->data[2]},
                                .strides = {f->linesize[0], f->linesize[1], f->linesize[2]},
                                .width = f->width,
                                .height = f->height};
}

/* Reads every picture's code after a codec at 200 kb/s, the pattern moving under it. */
static void run_video(const char *encoder_name, enum AVCodecID id)
{
    const struct tdm_video_source_config config = {
        .argument = "", .width = 640, .height = 360, .fps = 200, .wake_fd = -1};
    const char *rest;
    const struct tdm_video_source_ops *ops = tdm_video_source_find("pattern", &rest, NULL);
    struct tdm_video_source *source = NULL;
    AVCodecContext *encoder = open_codec(avcodec_find_encoder_by_name(encoder_name), fill_video);
    AVCodecContext *decoder = open_codec(avcodec_find_decoder(id), fill_nothing);
    AVFrame *in = av_frame_alloc(), *out = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    tdm_time sent[PICTURES] = {0};
    int64_t bytes = 0;
    int read = 0;

    assert_int_equal(ops->create(&config, &source, NULL), TDM_OK);
    in->width = 640;
    in->height = 360;
    in->format = AV_PIX_FMT_YUV420P;
    assert_int_equal(av_frame_get_buffer(in, 0), 0);
    for (int i = 0; i < PICTURES; i++) {
        struct tdm_picture pic, to;

        assert_int_equal(ops->next(source, &pic, NULL), TDM_OK);
        sent[i] = pic.captured / TDM_US * TDM_US;
        assert_int_equal(av_frame_make_writable(in), 0);
        to = picture_of(in);
        tdm_picture_copy(&to, &pic);
        in->pts = i;
        assert_int_equal(avcodec_send_frame(encoder, in), 0);
        while (avcodec_receive_packet(encoder, packet) == 0) {
            bytes += packet->size;
            (void)avcodec_send_packet(decoder, packet);
            av_packet_unref(packet);
        }
        while (avcodec_receive_frame(decoder, out) == 0) {
            tdm_time t = 0;
            struct tdm_picture got = picture_of(out);

            assert_true(tdm_time_code_read(&got, &t));
            assert_int_equal(t, sent[read]);
            read++;
        }
    }
    assert_true(read >= PICTURES - 2);
    print_message("%s: %d pictures in %d kb\n", encoder_name, read, (int)(bytes * 8 / 1000));
    ops->destroy(source);
    avcodec_free_context(&encoder);
    avcodec_free_context(&decoder);
    av_frame_free(&in);
    av_frame_free(&out);
    av_packet_free(&packet);
}

static void the_time_code_survives_h264(void **state)
{
    (void)state;
    run_video("libx264", AV_CODEC_ID_H264);
}

static void the_time_code_survives_vp8(void **state)
{
    (void)state;
    run_video("libvpx", AV_CODEC_ID_VP8);
}

static void fill_opus(AVCodecContext *c)
{
    c->sample_rate = 48000;
    c->sample_fmt = AV_SAMPLE_FMT_S16;
    c->bit_rate = 32000;
    av_channel_layout_default(&c->ch_layout, 1);
    (void)av_opt_set(c->priv_data, "application", "voip", 0);
    (void)av_opt_set(c->priv_data, "frame_duration", "10", 0);
}

static void fill_opus_decoder(AVCodecContext *c)
{
    c->sample_rate = 48000;
    av_channel_layout_default(&c->ch_layout, 1);
}

/* Chirps through Opus at 32 kb/s arrive at the codec's delay, within 0.2 ms. */
static void the_chirp_survives_opus(void **state)
{
    (void)state;
    AVCodecContext *encoder = open_codec(avcodec_find_encoder_by_name("libopus"), fill_opus);
    AVCodecContext *decoder =
        open_codec(avcodec_find_decoder_by_name("libopus"), fill_opus_decoder);
    AVFrame *in = av_frame_alloc(), *out = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    struct tdm_chirp_detector detector;
    double arrival;
    int found = 0;

    tdm_chirp_detector_init(&detector);
    in->nb_samples = 480;
    in->format = AV_SAMPLE_FMT_S16;
    in->sample_rate = 48000;
    av_channel_layout_default(&in->ch_layout, 1);
    assert_int_equal(av_frame_get_buffer(in, 0), 0);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(av_frame_make_writable(in), 0);
        for (int n = 0; n < 480; n++) {
            uint32_t at = (uint32_t)(i * 480 + n) % 24000;

            ((int16_t *)in->data[0])[n] =
                (int16_t)(10000 * tdm_chirp_sample(at, 48000) +
                          600 * sin((i * 480 + n) * 2 * 3.14159265 * 440 / 48000));
        }
        in->pts = i * 480;
        assert_int_equal(avcodec_send_frame(encoder, in), 0);
        while (avcodec_receive_packet(encoder, packet) == 0) {
            (void)avcodec_send_packet(decoder, packet);
            av_packet_unref(packet);
        }
        while (avcodec_receive_frame(decoder, out) == 0) {
            for (int n = 0; n < out->nb_samples; n++) {
                float x = out->format == AV_SAMPLE_FMT_S16 ? (float)((int16_t *)out->data[0])[n]
                                                           : ((float *)out->data[0])[n] * 32768;

                if (!tdm_chirp_detector_push(&detector, x, &arrival))
                    continue;
                double off =
                    fmod(arrival - encoder->initial_padding + 24000 + 12000, 24000) - 12000;

                assert_true(fabs(off) < 9.6);
                found++;
            }
        }
    }
    assert_in_range(found, 9, 10);
    avcodec_free_context(&encoder);
    avcodec_free_context(&decoder);
    av_frame_free(&in);
    av_frame_free(&out);
    av_packet_free(&packet);
}

int main(void)
{
    av_log_set_level(AV_LOG_QUIET);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_code_survives_h264),
        cmocka_unit_test(the_time_code_survives_vp8),
        cmocka_unit_test(the_chirp_survives_opus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
