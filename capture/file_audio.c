/* SPDX-License-Identifier: MIT */

/*
 * A media file as a microphone: looped, in real time, resampled. Which sample is due follows from
 * the monotonic clock modulo the file's length, as in file_video.c, so both agree. Samples are
 * counted, not stamped: within a pass the sound never skips by rounding.
 */

#include "capture/media_file.h"
#include "capture/registry.h"
#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <stdlib.h>
#include <string.h>

#define FIFO_S     4
#define BEHIND_MAX (200 * TDM_MS) /* Later than that: skip, do not catch up. */

struct tdm_audio_source {
    struct tdm_media_file file;
    SwrContext *swr;
    int in_hz, in_format, in_channels; /* What `swr` was made for. */
    uint32_t hz, block_samples;
    uint8_t channels;
    int wake_fd;
    int16_t *fifo; /* Samples to come, in order, across passes. */
    uint32_t fifo_at, fifo_count, fifo_max;
    int64_t pass_at;      /* Pass position, in samples, of the fifo's end. */
    int64_t pass_samples; /* 0: not known, a pass ends where its sound does. */
    bool exact;           /* The next frame is placed by its stamp to the sample. */
    bool ended;           /* Only silence is left in this pass. */
    tdm_time origin;      /* Capture time of sample 0. */
    int64_t sent;         /* Samples since origin. */
    bool started;
};

static void destroy(struct tdm_audio_source *s)
{
    if (!s)
        return;
    tdm_media_file_close(&s->file);
    swr_free(&s->swr);
    free(s->fifo);
    free(s);
}

static enum tdm_err create(const struct tdm_audio_source_config *config,
                           struct tdm_audio_source **source, struct tdm_cause *cause)
{
    struct tdm_audio_source *s = calloc(1, sizeof *s);

    assert(config->channels == 1 || config->channels == 2);
    assert(config->block_samples && config->block_samples <= config->sample_hz);
    if (s) {
        s->fifo_max = config->sample_hz * FIFO_S;
        s->fifo = malloc((size_t)s->fifo_max * config->channels * sizeof *s->fifo);
    }
    if (!s || !s->fifo) {
        destroy(s);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the file's sound");
    }
    enum tdm_err err = tdm_media_file_open(&s->file, config->argument, AVMEDIA_TYPE_AUDIO, cause);

    if (err) {
        destroy(s);
        return err;
    }
    s->hz = config->sample_hz;
    s->block_samples = config->block_samples;
    s->channels = config->channels;
    s->wake_fd = config->wake_fd;
    s->pass_samples = tdm_units_of_time(s->file.loop, s->hz);
    *source = s;
    return TDM_OK;
}

static enum tdm_err start(struct tdm_audio_source *s, struct tdm_cause *cause)
{
    tdm_time now = tdm_clock_now();

    s->started = true;
    s->pass_at = s->file.loop ? tdm_units_of_time(now % s->file.loop, s->hz) : 0;
    s->exact = true;
    /* Sample pass_at is the one of `now`, rounded down to the sample grid of the loop. */
    s->origin =
        s->file.loop ? now - now % s->file.loop + tdm_time_of_units(s->pass_at, s->hz) : now;
    return tdm_media_file_seek(&s->file, tdm_time_of_units(s->pass_at, s->hz), cause);
}

static uint32_t fifo_room(struct tdm_audio_source *s)
{
    size_t sample_bytes = s->channels * sizeof *s->fifo;

    if (s->fifo_at) {
        memmove(s->fifo, s->fifo + (size_t)s->fifo_at * s->channels, s->fifo_count * sample_bytes);
        s->fifo_at = 0;
    }
    return s->fifo_max - s->fifo_count;
}

static void append_silence(struct tdm_audio_source *s, int64_t samples)
{
    uint32_t room = fifo_room(s);
    uint32_t count = samples < room ? (uint32_t)samples : room;

    memset(s->fifo + (size_t)s->fifo_count * s->channels, 0,
           (size_t)count * s->channels * sizeof *s->fifo);
    s->fifo_count += count;
    s->pass_at += count;
}

static bool make_resampler(struct tdm_audio_source *s, const AVFrame *frame)
{
    AVChannelLayout out, in;

    if (s->swr && s->in_hz == frame->sample_rate && s->in_format == frame->format &&
        s->in_channels == frame->ch_layout.nb_channels)
        return true;
    swr_free(&s->swr);
    av_channel_layout_default(&out, s->channels);
    av_channel_layout_default(&in, frame->ch_layout.nb_channels);
    s->in_hz = frame->sample_rate;
    s->in_format = frame->format;
    s->in_channels = frame->ch_layout.nb_channels;
    if (swr_alloc_set_opts2(&s->swr, &out, AV_SAMPLE_FMT_S16, (int)s->hz, &in,
                            (enum AVSampleFormat)frame->format, frame->sample_rate, 0, NULL) < 0)
        return false;
    /* Mono goes to both sides at its own level, not 3 dB lower. */
    if (s->in_channels == 1 && s->channels == 2 && swr_set_matrix(s->swr, (double[]){1, 1}, 1) < 0)
        return false;
    return swr_init(s->swr) >= 0;
}

/* Converts the frame to the fifo's end; leaves out what is before pass_at and beyond the pass. */
static void append_frame(struct tdm_audio_source *s, tdm_time at)
{
    const AVFrame *frame = s->file.frame;
    int64_t gap = tdm_units_of_time(at, s->hz) - s->pass_at;
    int64_t tolerance = s->exact ? 0 : s->hz / 50;

    if (gap > tolerance)
        append_silence(s, s->pass_samples && gap > s->pass_samples - s->pass_at
                              ? s->pass_samples - s->pass_at
                              : gap);
    uint32_t room = fifo_room(s);

    if (!make_resampler(s, frame) || swr_get_out_samples(s->swr, frame->nb_samples) > (int)room)
        return;
    int16_t *end = s->fifo + (size_t)s->fifo_count * s->channels;
    uint8_t *to[1] = {(uint8_t *)end};
    int got = swr_convert(s->swr, to, (int)room, (const uint8_t **)frame->extended_data,
                          frame->nb_samples);
    int64_t skip = gap < -tolerance ? -gap : 0;

    if (got <= skip)
        return;
    int64_t keep = got - skip;

    s->exact = false;
    memmove(end, end + skip * s->channels, (size_t)keep * s->channels * sizeof *end);
    if (s->pass_samples && keep > s->pass_samples - s->pass_at)
        keep = s->pass_samples - s->pass_at;
    s->fifo_count += (uint32_t)keep;
    s->pass_at += keep;
}

/* Makes the fifo longer: by a decoded frame, or silence to the pass's end and then the next pass.
 */
static enum tdm_err extend(struct tdm_audio_source *s, struct tdm_cause *cause)
{
    tdm_time at;

    if (!s->ended) {
        enum tdm_err err = tdm_media_file_next(&s->file, &at, cause);

        if (!err) {
            tdm_rt_foreign_enter();
            append_frame(s, at);
            tdm_rt_foreign_leave();
            return TDM_OK;
        }
        if (err != TDM_E_AGAIN)
            return err;
        s->ended = true;
    }
    if (s->pass_at < s->pass_samples) {
        append_silence(s, s->pass_samples - s->pass_at);
        return TDM_OK;
    }
    if (!s->pass_at)
        return tdm_fail(cause, TDM_E_GONE, "the sound of \"%s\" cannot be converted", s->file.name);
    s->ended = false;
    s->pass_at = 0;
    return tdm_media_file_seek(&s->file, 0, cause);
}

static enum tdm_err read_block(struct tdm_audio_source *s, int16_t *pcm, tdm_time *captured,
                               struct tdm_cause *cause)
{
    enum tdm_err err = s->started ? TDM_OK : start(s, cause);

    for (;;) {
        while (!err && s->fifo_count < s->block_samples) {
            err = extend(s, cause);
            if (tdm_wait_until(0, s->wake_fd, -1) == TDM_WAIT_WAKE)
                return err ? err : TDM_E_AGAIN;
        }
        if (err)
            return err;
        tdm_time due = s->origin + tdm_time_of_units(s->sent + s->block_samples, s->hz);

        if (tdm_wait_until(due, s->wake_fd, -1) == TDM_WAIT_WAKE)
            return TDM_E_AGAIN;
        memcpy(pcm, s->fifo + (size_t)s->fifo_at * s->channels,
               (size_t)s->block_samples * s->channels * sizeof *pcm);
        s->fifo_at += s->block_samples;
        s->fifo_count -= s->block_samples;
        s->sent += s->block_samples;
        *captured = due;
        if (tdm_clock_now() - due < BEHIND_MAX)
            return TDM_OK;
    }
}

const struct tdm_audio_source_ops tdm_file_audio_source = {
    .kind = "file",
    .create = create,
    .destroy = destroy,
    .read = read_block,
};
