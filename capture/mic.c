/* SPDX-License-Identifier: MIT */

/*
 * A microphone: mic, or mic:DEVICE where DEVICE is a part of the device's name. PortAudio's
 * callback puts each short period with its time straight into a ring and wakes the reader, who
 * cuts blocks out of it, and converts where the device has another rate or channel count.
 */

#include "capture/registry.h"
#include "engine/base/ring.h"
#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/sound.h"
#include "engine/io/wake.h"

#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RING_PERIODS 128
#define SILENCE_MAX  (3 * TDM_S)
#define STALL        (60 * TDM_MS)  /* A device that is silent for longer has stalled; then, and */
#define SETTLE_MAX   (300 * TDM_MS) /* at the start, what comes in a burst is dropped, so long. */
#define FIFO_S       1
#define LATE_MAX     (100 * TDM_MS) /* More than that is a gap in the sound. */

struct period {
    tdm_time at; /* When its last sample had come. */
    uint32_t samples;
    int16_t pcm[TDM_SOUND_PERIOD_SAMPLES * 2];
};

struct tdm_audio_source {
    struct tdm_sound sound;
    uint32_t device_hz, hz, block_samples;
    uint8_t device_channels, channels;
    struct tdm_ring ring;
    struct period *periods;
    int ring_fd, wake_fd;
    SwrContext *swr; /* NULL: the device has what was asked. */
    int16_t *fifo;
    uint32_t fifo_count, fifo_max;
    tdm_time fifo_end;               /* Capture time of the fifo's last sample; 0: none yet. */
    tdm_time heard_at, unsettled_at; /* Last callback; since when its pace is not steady, or 0. */
    tdm_time last;                   /* Capture time of the last block. */
};

static void destroy(struct tdm_audio_source *s)
{
    if (!s)
        return;
    tdm_sound_close(&s->sound);
    if (s->ring_fd >= 0)
        (void)close(s->ring_fd);
    swr_free(&s->swr);
    free(s->periods);
    free(s->fifo);
    free(s);
}

static int on_period(const void *input, void *output, unsigned long samples,
                     const PaStreamCallbackTimeInfo *times, PaStreamCallbackFlags flags, void *arg)
{
    struct tdm_audio_source *s = arg;

    (void)output, (void)times, (void)flags;
    tdm_rt_enter();
    struct period *p = tdm_ring_reserve(&s->ring);

    if (p && input && samples <= TDM_SOUND_PERIOD_SAMPLES) {
        p->at = tdm_clock_now();
        p->samples = (uint32_t)samples;
        memcpy(p->pcm, input, samples * s->device_channels * sizeof *p->pcm);
        tdm_ring_commit(&s->ring);
        tdm_wake_signal(s->ring_fd);
    }
    tdm_rt_leave();
    return paContinue;
}

/* Opens the device as asked, or else with the other channel count or its own rate. */
static PaError open_stream(struct tdm_audio_source *s, PaDeviceIndex device)
{
    uint32_t own_hz = (uint32_t)Pa_GetDeviceInfo(device)->defaultSampleRate;
    PaError failed = paInvalidDevice;

    for (int attempt = 0; attempt < 4; attempt++) {
        s->device_channels = attempt & 1 ? (uint8_t)(3 - s->channels) : s->channels;
        s->device_hz = attempt & 2 ? own_hz : s->hz;
        const PaStreamParameters input = {
            .device = device,
            .channelCount = s->device_channels,
            .sampleFormat = paInt16,
            .suggestedLatency = TDM_SOUND_LATENCY_S,
        };

        failed = Pa_OpenStream(&s->sound.stream, &input, NULL, s->device_hz,
                               TDM_SOUND_PERIOD_SAMPLES, paNoFlag, on_period, s);
        if (!failed)
            break;
        s->sound.stream = NULL;
    }
    return failed;
}

static enum tdm_err make_converter(struct tdm_audio_source *s, struct tdm_cause *cause)
{
    AVChannelLayout in, out;

    if (s->device_hz == s->hz && s->device_channels == s->channels)
        return TDM_OK;
    av_channel_layout_default(&in, s->device_channels);
    av_channel_layout_default(&out, s->channels);
    if (swr_alloc_set_opts2(&s->swr, &out, AV_SAMPLE_FMT_S16, (int)s->hz, &in, AV_SAMPLE_FMT_S16,
                            (int)s->device_hz, 0, NULL) < 0 ||
        /* Mono goes to both sides at its own level, not 3 dB lower. */
        (s->device_channels < s->channels && swr_set_matrix(s->swr, (double[]){1, 1}, 1) < 0) ||
        swr_init(s->swr) < 0)
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot convert the microphone's %u Hz to %u Hz",
                        s->device_hz, s->hz);
    return TDM_OK;
}

static enum tdm_err start(struct tdm_audio_source *s, const char *wanted, struct tdm_cause *cause)
{
    enum tdm_err err = tdm_sound_init(&s->sound, cause);

    if (err)
        return err;
    PaDeviceIndex device = tdm_sound_find(TDM_SOUND_IN, wanted);

    if (device == paNoDevice && *wanted)
        return tdm_fail(cause, TDM_E_GONE,
                        "no microphone \"%.60s\": use mic alone for the default one", wanted);
    if (device == paNoDevice)
        return tdm_fail(cause, TDM_E_GONE,
                        "no microphone found: plug one in, or use --audio file:PATH, tone or off");
    PaError failed = open_stream(s, device);

    if (failed)
        return tdm_fail(cause, TDM_E_GONE,
                        "the microphone does not open (%s): close other programs that use it, or "
                        "use --audio file:PATH, tone or off",
                        Pa_GetErrorText(failed));
    tdm_sound_raise_priority(&s->sound, device);
    err = make_converter(s, cause);
    if (err)
        return err;
    failed = Pa_StartStream(s->sound.stream);
    if (failed)
        return tdm_fail(cause, TDM_E_GONE, "the microphone does not start: %s",
                        Pa_GetErrorText(failed));
    return TDM_OK;
}

static enum tdm_err create(const struct tdm_audio_source_config *config,
                           struct tdm_audio_source **source, struct tdm_cause *cause)
{
    struct tdm_audio_source *s = calloc(1, sizeof *s);

    assert(config->channels == 1 || config->channels == 2);
    assert(config->block_samples && config->block_samples <= config->sample_hz / 2);
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the microphone");
    s->hz = config->sample_hz;
    s->channels = config->channels;
    s->block_samples = config->block_samples;
    s->wake_fd = config->wake_fd;
    s->ring_fd = tdm_wake_open(cause);
    s->fifo_max = s->hz * FIFO_S;
    s->fifo = malloc((size_t)s->fifo_max * s->channels * sizeof *s->fifo);
    s->periods = malloc(RING_PERIODS * sizeof *s->periods);
    if (!s->fifo || !s->periods || s->ring_fd < 0) {
        destroy(s);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the microphone");
    }
    tdm_ring_init(&s->ring, s->periods, sizeof *s->periods, RING_PERIODS);
    enum tdm_err err = start(s, config->argument, cause);

    if (err) {
        destroy(s);
        return err;
    }
    *source = s;
    return TDM_OK;
}

/* A device that starts, or goes on after a stall, first hands over what it had kept, all at once.
 * Nobody wants to hear that late: sound counts again from the first callback at its proper pace. */
static bool is_steady(struct tdm_audio_source *s, tdm_time at, tdm_time duration)
{
    tdm_time gap = at - s->heard_at;

    if (!s->heard_at || gap > STALL)
        s->unsettled_at = at;
    else if (s->unsettled_at && (gap > duration / 2 || at - s->unsettled_at > SETTLE_MAX))
        s->unsettled_at = 0;
    s->heard_at = at;
    return !s->unsettled_at;
}

/* A callback comes late or, after a late one, in a burst, but never early. So the sound's time runs
 * on by the sample count, falls back to a callback that shows it ahead, and creeps after the rest.
 */
static void follow_clock(struct tdm_audio_source *s, tdm_time at, tdm_time duration)
{
    tdm_time late = at - (s->fifo_end + duration);

    if (!s->fifo_end || late < 0 || late > LATE_MAX)
        s->fifo_end = at;
    else
        s->fifo_end += duration + late / 64;
}

/* Moves one period into the fifo; false when the ring is empty. */
static bool take_period(struct tdm_audio_source *s)
{
    const struct period *p = tdm_ring_peek(&s->ring);

    if (!p)
        return false;
    tdm_time duration = tdm_time_of_units(p->samples, s->device_hz);

    if (!is_steady(s, p->at, duration)) {
        s->fifo_count = 0;
        s->fifo_end = 0;
        tdm_ring_release(&s->ring);
        return true;
    }
    uint32_t room = s->fifo_max - s->fifo_count;
    int16_t *end = s->fifo + (size_t)s->fifo_count * s->channels;
    uint32_t count = p->samples;

    if (s->swr) {
        const uint8_t *from[1] = {(const uint8_t *)p->pcm};
        uint8_t *to[1] = {(uint8_t *)end};

        tdm_rt_foreign_enter();
        int got = swr_convert(s->swr, to, (int)room, from, (int)count);

        tdm_rt_foreign_leave();
        count = got > 0 ? (uint32_t)got : 0;
    } else {
        assert(count <= room);
        memcpy(end, p->pcm, (size_t)count * s->channels * sizeof *end);
    }
    s->fifo_count += count;
    follow_clock(s, p->at, duration);
    tdm_ring_release(&s->ring);
    return true;
}

static enum tdm_err wait_period(struct tdm_audio_source *s, struct tdm_cause *cause)
{
    enum tdm_wait why = tdm_wait_until(tdm_clock_now() + SILENCE_MAX, s->wake_fd, s->ring_fd);

    if (why == TDM_WAIT_WAKE)
        return TDM_E_AGAIN;
    if (why == TDM_WAIT_TIME)
        return tdm_fail(cause, TDM_E_GONE,
                        "the microphone is gone: plug it in again, or use --audio file:PATH, tone "
                        "or off");
    tdm_wake_clear(s->ring_fd);
    return TDM_OK;
}

static enum tdm_err read_block(struct tdm_audio_source *s, int16_t *pcm, tdm_time *captured,
                               struct tdm_cause *cause)
{
    while (s->fifo_count < s->block_samples) {
        if (take_period(s))
            continue;
        enum tdm_err err = wait_period(s, cause);

        if (err)
            return err;
    }
    size_t sample_bytes = s->channels * sizeof *pcm;
    uint32_t left = s->fifo_count - s->block_samples;

    memcpy(pcm, s->fifo, s->block_samples * sample_bytes);
    memmove(s->fifo, s->fifo + (size_t)s->block_samples * s->channels, left * sample_bytes);
    s->fifo_count = left;
    s->last = tdm_time_max(s->fifo_end - tdm_time_of_units(left, s->hz), s->last + TDM_US);
    *captured = s->last;
    return TDM_OK;
}

const struct tdm_audio_source_ops tdm_mic_source = {
    .kind = "mic",
    .create = create,
    .destroy = destroy,
    .read = read_block,
};
