/* SPDX-License-Identifier: MIT */
#include "render/recorder.h"

#include "engine/base/record_ring.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "render/stream_header.h"

#include <errno.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VIDEO_RING_BYTES (4u << 20)
#define AUDIO_RING_BYTES (512u << 10)
#define CLUSTER_MS       "1000"
#define JUMP_MAX         (40 * TDM_MS) /* Sound that is off by more starts anew. */
#define EXTRADATA_MAX    4096

/* Before the payload in a ring's record. */
struct item {
    tdm_time time;
    uint32_t size;
    bool keyframe;
};

enum state { WRITING, FAILED, FAILED_TOLD };

struct tdm_recorder {
    /* Shared. */
    struct tdm_record_ring video_ring, audio_ring;
    uint8_t *video_bytes, *audio_bytes;
    int wake_fd;
    atomic_bool stop;
    _Atomic enum state state;
    _Atomic uint32_t dropped;
    _Atomic uint64_t video_frames, audio_samples;
    struct tdm_cause cause; /* Written before `state` says FAILED. */

    struct tdm_recorder_config config;
    pthread_t thread;

    /* The worker's own. */
    AVFormatContext *format;
    AVStream *video, *audio;
    AVPacket *packet;
    bool started;   /* The header is written. */
    tdm_time start; /* Time 0 of the file. */
    int64_t last_video_ms;
    tdm_time
        sound_at; /* Where the next block should be by the sample count; TDM_NEVER: none yet. */
    char path[200];
};

static void fail(struct tdm_recorder *rec, int av_error)
{
    const char *why = av_error == AVERROR(ENOSPC)   ? "the disk is full"
                      : av_error == AVERROR(EFBIG)  ? "the file may not grow any more"
                      : av_error == AVERROR(EDQUOT) ? "your disk quota is used up"
                                                    : "the disk does not take it";

    (void)tdm_fail(&rec->cause, TDM_E_SYSTEM,
                   "recording to \"%.120s\" stopped: %s. What was recorded until now opens",
                   rec->path, why);
    atomic_store_explicit(&rec->state, FAILED, memory_order_release);
}

static bool failed(const struct tdm_recorder *rec)
{
    return atomic_load_explicit(&rec->state, memory_order_relaxed) != WRITING;
}

static enum AVCodecID av_codec_of(enum tdm_codec_id codec)
{
    switch (codec) {
    case TDM_CODEC_H264:
        return AV_CODEC_ID_H264;
    case TDM_CODEC_H265:
        return AV_CODEC_ID_HEVC;
    case TDM_CODEC_VP8:
        return AV_CODEC_ID_VP8;
    case TDM_CODEC_VP9:
        return AV_CODEC_ID_VP9;
    case TDM_CODEC_AV1:
        return AV_CODEC_ID_AV1;
    default:
        return AV_CODEC_ID_NONE;
    }
}

static void describe_video(struct tdm_recorder *rec)
{
    AVCodecParameters *par = rec->video->codecpar;

    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->codec_id = av_codec_of(rec->config.video);
    par->width = rec->config.width;
    par->height = rec->config.height;
    rec->video->time_base = (AVRational){1, 1000};
}

static void describe_audio(struct tdm_recorder *rec)
{
    AVCodecParameters *par = rec->audio->codecpar;

    par->codec_type = AVMEDIA_TYPE_AUDIO;
    par->codec_id = AV_CODEC_ID_PCM_S16LE;
    par->format = AV_SAMPLE_FMT_S16;
    par->sample_rate = (int)rec->config.sample_hz;
    par->bits_per_coded_sample = 16;
    par->block_align = 2 * rec->config.channels;
    av_channel_layout_default(&par->ch_layout, rec->config.channels);
    rec->audio->time_base = (AVRational){1, (int)rec->config.sample_hz};
}

/* Writes the header once the first key frame is here. False: not yet, or failed. */
static bool begin(struct tdm_recorder *rec, tdm_time time, const uint8_t *data, size_t size)
{
    AVDictionary *options = NULL;

    if (tdm_stream_header_needed(rec->config.video)) {
        assert(rec->video);
        AVCodecParameters *par = rec->video->codecpar;
        uint8_t *sets = av_mallocz(EXTRADATA_MAX + AV_INPUT_BUFFER_PADDING_SIZE);
        size_t used =
            sets ? tdm_stream_header_find(rec->config.video, data, size, sets, EXTRADATA_MAX) : 0;

        if (!used) {
            av_free(sets);
            return false;
        }
        par->extradata = sets;
        par->extradata_size = (int)used;
    }
    (void)av_dict_set(&options, "cluster_time_limit", CLUSTER_MS, 0);
    int done = avformat_write_header(rec->format, &options);

    av_dict_free(&options);
    if (done < 0) {
        fail(rec, done);
        return false;
    }
    rec->started = true;
    rec->start = time;
    return true;
}

static bool write_packet(struct tdm_recorder *rec, const AVStream *stream, const uint8_t *data,
                         size_t size, int64_t pts_ms, int64_t duration_ms, bool keyframe)
{
    AVPacket *p = rec->packet;
    const AVRational ms = {1, 1000};

    if (av_new_packet(p, (int)size) < 0) {
        fail(rec, AVERROR(ENOMEM));
        return false;
    }
    memcpy(p->data, data, size);
    p->stream_index = stream->index;
    p->pts = p->dts = av_rescale_q(pts_ms, ms, stream->time_base);
    p->duration = av_rescale_q(duration_ms, ms, stream->time_base);
    p->flags = keyframe ? AV_PKT_FLAG_KEY : 0;
    int done = av_interleaved_write_frame(rec->format, p);

    if (done >= 0 && rec->format->pb->error)
        done = rec->format->pb->error;
    if (done < 0)
        fail(rec, done);
    return done >= 0;
}

static void write_video(struct tdm_recorder *rec, const struct item *item, const uint8_t *data)
{
    if (!rec->started && (!item->keyframe || !begin(rec, item->time, data, item->size)))
        return;
    int64_t pts_ms = (item->time - rec->start) / TDM_MS;

    if (pts_ms <= rec->last_video_ms)
        pts_ms = rec->last_video_ms + 1;
    if (!write_packet(rec, rec->video, data, item->size, pts_ms, 0, item->keyframe))
        return;
    rec->last_video_ms = pts_ms;
    atomic_fetch_add_explicit(&rec->video_frames, 1, memory_order_relaxed);
}

static void write_audio(struct tdm_recorder *rec, const struct item *item, const uint8_t *data)
{
    uint32_t samples = item->size / (2u * rec->config.channels);
    tdm_time duration = tdm_time_of_units(samples, rec->config.sample_hz);

    if (!rec->started && (rec->video || !begin(rec, item->time, NULL, 0)))
        return;
    if (item->time < rec->start)
        return; /* Before the first picture. */
    tdm_time off = rec->sound_at == TDM_NEVER ? JUMP_MAX : item->time - rec->sound_at;
    tdm_time at = off >= JUMP_MAX || off < -JUMP_MAX ? item->time : rec->sound_at + off / 32;

    rec->sound_at = at + duration;
    if (write_packet(rec, rec->audio, data, item->size, (at - rec->start + TDM_MS / 2) / TDM_MS,
                     duration / TDM_MS, true))
        atomic_fetch_add_explicit(&rec->audio_samples, samples, memory_order_relaxed);
}

/* Writes what is queued; both rings in the order of time, as far as both have something. */
static void drain(struct tdm_recorder *rec)
{
    for (;;) {
        uint32_t size;
        const struct item *video = tdm_record_ring_peek(&rec->video_ring, &size);
        const struct item *audio = tdm_record_ring_peek(&rec->audio_ring, &size);
        bool take_video = video && (!audio || video->time <= audio->time);
        const struct item *item = take_video ? video : audio;

        if (!item)
            return;
        if (failed(rec))
            atomic_fetch_add_explicit(&rec->dropped, 1, memory_order_relaxed);
        else if (take_video)
            write_video(rec, item, (const uint8_t *)(item + 1));
        else
            write_audio(rec, item, (const uint8_t *)(item + 1));
        tdm_record_ring_release(take_video ? &rec->video_ring : &rec->audio_ring);
    }
}

static void *run(void *arg)
{
    struct tdm_recorder *rec = arg;

    while (!atomic_load_explicit(&rec->stop, memory_order_acquire)) {
        (void)tdm_wait_until(TDM_NEVER, rec->wake_fd, -1);
        tdm_wake_clear(rec->wake_fd);
        drain(rec);
    }
    drain(rec);
    if (rec->started && !failed(rec)) {
        int done = av_write_trailer(rec->format);

        if (done < 0)
            fail(rec, done);
    }
    return NULL;
}

static void release(struct tdm_recorder *rec)
{
    if (rec->format)
        (void)avio_closep(&rec->format->pb);
    avformat_free_context(rec->format);
    av_packet_free(&rec->packet);
    if (rec->wake_fd >= 0)
        (void)close(rec->wake_fd);
    free(rec->video_bytes);
    free(rec->audio_bytes);
    free(rec);
}

static enum tdm_err open_file(struct tdm_recorder *rec, const char *path, struct tdm_cause *cause)
{
    char url[4096];

    av_log_set_level(AV_LOG_QUIET); /* Our causes tell what matters. */
    if (snprintf(url, sizeof url, "file:%s", path) >= (int)sizeof url)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "the recording's path is too long");
    if (avformat_alloc_output_context2(&rec->format, NULL, "matroska", url) < 0)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the recording");
    int done = avio_open(&rec->format->pb, url, AVIO_FLAG_WRITE);

    if (done < 0)
        return tdm_fail(cause, done == AVERROR(EACCES) ? TDM_E_DENIED : TDM_E_GONE,
                        "cannot record to \"%.120s\": %s", path,
                        done == AVERROR(EACCES)   ? "you may not write there"
                        : done == AVERROR(ENOENT) ? "there is no such folder"
                                                  : "choose another path");
    rec->format->flags |= AVFMT_FLAG_FLUSH_PACKETS;
    rec->format->max_interleave_delta = 500000;
    rec->packet = av_packet_alloc();
    rec->video = rec->config.video ? avformat_new_stream(rec->format, NULL) : NULL;
    rec->audio = rec->config.sample_hz ? avformat_new_stream(rec->format, NULL) : NULL;
    if (!rec->packet || (rec->config.video && !rec->video) ||
        (rec->config.sample_hz && !rec->audio))
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the recording");
    if (rec->video)
        describe_video(rec);
    if (rec->audio)
        describe_audio(rec);
    return TDM_OK;
}

static enum tdm_err open_rings(struct tdm_recorder *rec, struct tdm_cause *cause)
{
    rec->wake_fd = tdm_wake_open(cause);
    rec->video_bytes = aligned_alloc(TDM_RECORD_ALIGN, VIDEO_RING_BYTES);
    rec->audio_bytes = aligned_alloc(TDM_RECORD_ALIGN, AUDIO_RING_BYTES);
    if (rec->wake_fd < 0)
        return TDM_E_SYSTEM;
    if (!rec->video_bytes || !rec->audio_bytes)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the recording");
    tdm_record_ring_init(&rec->video_ring, rec->video_bytes, VIDEO_RING_BYTES);
    tdm_record_ring_init(&rec->audio_ring, rec->audio_bytes, AUDIO_RING_BYTES);
    return TDM_OK;
}

enum tdm_err tdm_recorder_create(const char *path, const struct tdm_recorder_config *config,
                                 struct tdm_recorder **recorder, struct tdm_cause *cause)
{
    assert(av_codec_of(config->video) != AV_CODEC_ID_NONE ||
           (config->video == TDM_CODEC_NONE && config->sample_hz));
    struct tdm_recorder *rec = aligned_alloc(64, (sizeof *rec + 63) / 64 * 64);

    if (!rec)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the recording");
    memset(rec, 0, sizeof *rec);
    rec->config = *config;
    rec->wake_fd = -1;
    rec->last_video_ms = -1;
    rec->sound_at = TDM_NEVER;
    (void)snprintf(rec->path, sizeof rec->path, "%s", path);
    enum tdm_err err = open_file(rec, path, cause);

    if (!err)
        err = open_rings(rec, cause);
    if (!err)
        err =
            tdm_thread_start(&rec->thread, "recorder", TDM_PRIORITY_NORMAL, run, rec, NULL, cause);
    if (err) {
        release(rec);
        return err;
    }
    *recorder = rec;
    return TDM_OK;
}

static void push(struct tdm_recorder *rec, struct tdm_record_ring *ring, const void *data,
                 size_t size, bool keyframe, tdm_time time)
{
    struct item *item = size <= VIDEO_RING_BYTES
                            ? tdm_record_ring_reserve(ring, (uint32_t)(sizeof *item + size))
                            : NULL;

    if (!item) {
        atomic_fetch_add_explicit(&rec->dropped, 1, memory_order_relaxed);
        return;
    }
    *item = (struct item){.time = time, .size = (uint32_t)size, .keyframe = keyframe};
    if (size)
        memcpy(item + 1, data, size);
    tdm_record_ring_commit(ring);
    tdm_wake_signal(rec->wake_fd);
}

void tdm_recorder_video(struct tdm_recorder *rec, const uint8_t *data, size_t size, bool keyframe,
                        tdm_time time)
{
    assert(rec->config.video);
    push(rec, &rec->video_ring, data, size, keyframe, time);
}

void tdm_recorder_audio(struct tdm_recorder *rec, const int16_t *pcm, uint32_t samples,
                        tdm_time time)
{
    assert(rec->config.sample_hz);
    push(rec, &rec->audio_ring, pcm, (size_t)samples * rec->config.channels * sizeof *pcm, true,
         time);
}

enum tdm_err tdm_recorder_error(struct tdm_recorder *rec, struct tdm_cause *cause)
{
    enum state failed_now = FAILED;

    if (!atomic_compare_exchange_strong(&rec->state, &failed_now, FAILED_TOLD))
        return TDM_OK;
    return tdm_fail(cause, TDM_E_SYSTEM, "%s", rec->cause.text);
}

struct tdm_recorder_stats tdm_recorder_stats(const struct tdm_recorder *rec)
{
    return (struct tdm_recorder_stats){
        .video_frames = atomic_load_explicit(&rec->video_frames, memory_order_relaxed),
        .audio_samples = atomic_load_explicit(&rec->audio_samples, memory_order_relaxed),
        .dropped = atomic_load_explicit(&rec->dropped, memory_order_relaxed),
    };
}

void tdm_recorder_destroy(struct tdm_recorder *rec)
{
    if (!rec)
        return;
    atomic_store_explicit(&rec->stop, true, memory_order_release);
    tdm_wake_signal(rec->wake_fd);
    (void)pthread_join(rec->thread, NULL);
    release(rec);
}
