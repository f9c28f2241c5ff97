/* SPDX-License-Identifier: MIT */
#include "capture/media_file.h"

#include "engine/base/rt.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOP_STEP     (10 * TDM_MS) /* A whole number of samples at every audio rate. */
#define ERRORS_MAX    100
#define PIXELS_MAX    (1 << 24)
#define JUMP_MAX      (10 * TDM_S) /* Time stamps that jump further are not believed. */
#define CUT_MIN       (200 * TDM_MS)
#define URL_BYTES_MAX 4096

static const AVRational nanosecond = {1, 1000000000};

static enum tdm_err open_format(struct tdm_media_file *f, const char *path, struct tdm_cause *cause)
{
    char url[URL_BYTES_MAX];
    AVDictionary *options = NULL;
    struct stat st;

    if (!*path)
        return tdm_fail(cause, TDM_E_GONE, "no file named: use file:PATH");
    if (stat(path, &st) || access(path, R_OK))
        return tdm_fail(cause, errno == EACCES ? TDM_E_DENIED : TDM_E_GONE,
                        "cannot open \"%.120s\": %s", path,
                        errno == EACCES ? "you may not read it" : "there is no such file");
    if (S_ISDIR(st.st_mode))
        return tdm_fail(cause, TDM_E_GONE, "cannot open \"%.120s\": it is a folder", path);
    if (snprintf(url, sizeof url, "file:%s", path) >= (int)sizeof url)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "the file's path is too long");
    av_log_set_level(AV_LOG_QUIET); /* Our causes tell what matters. */
    (void)av_dict_set(&options, "protocol_whitelist", "file", 0);
    int failed = avformat_open_input(&f->format, url, NULL, &options);

    av_dict_free(&options);
    if (failed || avformat_find_stream_info(f->format, NULL) < 0)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "cannot play \"%s\": it is not a media file that this build knows, or it "
                        "is damaged",
                        f->name);
    return TDM_OK;
}

static enum tdm_err open_decoder(struct tdm_media_file *f, enum AVMediaType kind,
                                 struct tdm_cause *cause)
{
    const char *what = kind == AVMEDIA_TYPE_VIDEO ? "picture" : "sound";
    const AVCodec *codec = NULL;

    f->stream = av_find_best_stream(f->format, kind, -1, -1, &codec, 0);
    if (f->stream < 0)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "there is no %s that can be played in \"%s\"",
                        what, f->name);
    f->decoder = avcodec_alloc_context3(codec);
    f->packet = av_packet_alloc();
    f->frame = av_frame_alloc();
    if (!f->decoder || !f->packet || !f->frame)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to decode \"%s\"", f->name);
    const AVStream *stream = f->format->streams[f->stream];

    f->decoder->thread_count = 1;
    f->decoder->max_pixels = PIXELS_MAX;
    f->decoder->pkt_timebase = stream->time_base;
    if (avcodec_parameters_to_context(f->decoder, stream->codecpar) < 0 ||
        avcodec_open2(f->decoder, codec, NULL) < 0)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "cannot decode the %s of \"%s\" (%s)", what,
                        f->name, codec->name);
    return TDM_OK;
}

enum tdm_err tdm_media_file_open(struct tdm_media_file *f, const char *path, enum AVMediaType kind,
                                 struct tdm_cause *cause)
{
    const char *slash = strrchr(path, '/');

    (void)snprintf(f->name, sizeof f->name, "%s", slash ? slash + 1 : path);
    enum tdm_err err = open_format(f, path, cause);

    if (!err)
        err = open_decoder(f, kind, cause);
    if (err)
        return err;
    const AVFormatContext *format = f->format;

    f->start = format->start_time == AV_NOPTS_VALUE ? 0 : format->start_time * TDM_US;
    if (format->duration > 0 && format->duration < INT64_MAX / TDM_US - LOOP_STEP)
        f->loop = (format->duration * TDM_US + LOOP_STEP - 1) / LOOP_STEP * LOOP_STEP;
    /* A length guessed from the bit rate says nothing about what should be there. */
    if (format->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE)
        f->promised = f->loop;
    return TDM_OK;
}

void tdm_media_file_close(struct tdm_media_file *f)
{
    av_frame_free(&f->frame);
    av_packet_free(&f->packet);
    avcodec_free_context(&f->decoder);
    avformat_close_input(&f->format);
}

enum tdm_err tdm_media_file_seek(struct tdm_media_file *f, tdm_time at, struct tdm_cause *cause)
{
    const AVStream *stream = f->format->streams[f->stream];
    int64_t target = av_rescale_q(f->start + at, nanosecond, stream->time_base);

    tdm_rt_foreign_enter();
    int failed = av_seek_frame(f->format, f->stream, target, AVSEEK_FLAG_BACKWARD);

    /* Before the first key frame, or no index: from the first byte. */
    if (failed < 0)
        failed = av_seek_frame(f->format, f->stream, 0, AVSEEK_FLAG_BYTE);
    if (failed < 0)
        failed = av_seek_frame(f->format, -1, 0, AVSEEK_FLAG_BACKWARD | AVSEEK_FLAG_ANY);
    avcodec_flush_buffers(f->decoder);
    tdm_rt_foreign_leave();
    f->draining = false;
    f->partial_pass = at > 0;
    f->pass_frames = 0;
    f->last_end = f->file_end = 0;
    if (failed < 0)
        return tdm_fail(cause, TDM_E_GONE, "\"%s\" cannot be played again from its start", f->name);
    return TDM_OK;
}

static tdm_time frame_duration(const struct tdm_media_file *f)
{
    const AVStream *stream = f->format->streams[f->stream];

    if (f->frame->nb_samples > 0 && f->frame->sample_rate > 0)
        return tdm_time_of_units(f->frame->nb_samples, (uint32_t)f->frame->sample_rate);
    if (f->frame->pkt_duration > 0)
        return tdm_time_min(av_rescale_q(f->frame->pkt_duration, stream->time_base, nanosecond),
                            JUMP_MAX);
    if (stream->avg_frame_rate.num > 0 && stream->avg_frame_rate.den > 0)
        return av_rescale_q(1, av_inv_q(stream->avg_frame_rate), nanosecond);
    return 40 * TDM_MS;
}

static void stamp(struct tdm_media_file *f, tdm_time *at)
{
    const AVStream *stream = f->format->streams[f->stream];
    int64_t pts = f->frame->best_effort_timestamp;

    *at = f->last_end;
    if (pts != AV_NOPTS_VALUE) {
        tdm_time said = av_rescale_q(pts, stream->time_base, nanosecond) - f->start;
        bool first = !f->pass_frames && f->partial_pass;

        said = tdm_time_max(said, 0);
        if (first || (said < f->last_end + JUMP_MAX && said > f->last_end - JUMP_MAX))
            *at = said;
    }
    f->last_end = *at + frame_duration(f);
    f->pass_frames++;
    f->errors_in_row = 0;
}

/* How far the file's packets reach, of whatever stream: so a file that was cut off is told from a
 * stream that is shorter than its file. */
static void note_end(struct tdm_media_file *f)
{
    const AVPacket *packet = f->packet;
    const AVStream *stream = f->format->streams[packet->stream_index];

    if (packet->pts != AV_NOPTS_VALUE) {
        int64_t end = packet->pts + (packet->duration > 0 ? packet->duration : 0);

        f->file_end =
            tdm_time_max(f->file_end, av_rescale_q(end, stream->time_base, nanosecond) - f->start);
    }
}

/* Feeds one packet, or the drain. */
static enum tdm_err feed(struct tdm_media_file *f, struct tdm_cause *cause)
{
    int got = av_read_frame(f->format, f->packet);

    if (got == AVERROR_EOF) {
        f->draining = true;
        (void)avcodec_send_packet(f->decoder, NULL);
        return TDM_OK;
    }
    if (got < 0)
        return tdm_fail(cause, TDM_E_GONE, "\"%s\" is damaged after %.1f s: %s", f->name,
                        (double)f->last_end / 1e9,
                        f->format->pb && f->format->pb->error
                            ? "the disk cannot read it"
                            : "its bytes do not follow its format");
    note_end(f);
    if (f->packet->stream_index == f->stream && avcodec_send_packet(f->decoder, f->packet) < 0)
        f->errors_in_row++; /* A bad frame is skipped; many in a row are told. */
    av_packet_unref(f->packet);
    if (f->errors_in_row > ERRORS_MAX)
        return tdm_fail(cause, TDM_E_GONE, "\"%s\" is damaged after %.1f s: nothing decodes",
                        f->name, (double)f->last_end / 1e9);
    return TDM_OK;
}

static enum tdm_err end_pass(const struct tdm_media_file *f, struct tdm_cause *cause)
{
    if (!f->pass_frames && !f->partial_pass)
        return tdm_fail(cause, TDM_E_GONE, "there is nothing to play in \"%s\": it is damaged",
                        f->name);
    if (f->file_end && f->file_end + CUT_MIN < f->promised / 10 * 9)
        return tdm_fail(cause, TDM_E_GONE, "\"%s\" is cut off: %.1f s of %.1f s are there", f->name,
                        (double)f->file_end / 1e9, (double)f->promised / 1e9);
    return TDM_E_AGAIN;
}

enum tdm_err tdm_media_file_next(struct tdm_media_file *f, tdm_time *at, struct tdm_cause *cause)
{
    enum tdm_err err = TDM_OK;

    tdm_rt_foreign_enter();
    while (!err) {
        int got = avcodec_receive_frame(f->decoder, f->frame);

        if (got == 0) {
            stamp(f, at);
            break;
        }
        if (f->draining)
            err = end_pass(f, cause);
        else
            err = feed(f, cause);
    }
    tdm_rt_foreign_leave();
    return err;
}
