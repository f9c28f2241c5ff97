/* SPDX-License-Identifier: MIT */

/*
 * What the desktop plays: desktop, or desktop:SINK. PulseAudio (and PipeWire in its place) gives
 * every sink a monitor, whose sound its own thread puts into a ring, as a microphone's callback
 * does. A desktop that plays nothing is silent, not gone: when no sound comes, silence does, in
 * time with the clock.
 */

#include "capture/registry.h"
#include "engine/base/ring.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <pulse/pulseaudio.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RING_PERIODS   256
#define PERIOD_SAMPLES 480
#define FRAGMENT_MS    5
#define QUIET_AFTER    (60 * TDM_MS) /* Without sound for so long: silence. */
#define FIFO_S         1

struct period {
    tdm_time at; /* When its last sample had come. */
    uint32_t samples;
    int16_t pcm[PERIOD_SAMPLES * 2];
};

struct tdm_audio_source {
    pa_threaded_mainloop *loop;
    pa_context *context;
    pa_stream *stream;
    uint32_t hz, block_samples;
    uint8_t channels;
    struct tdm_ring ring;
    struct period *periods;
    int ring_fd, wake_fd;
    atomic_bool gone;
    int16_t *fifo;
    uint32_t fifo_count, fifo_max;
    tdm_time fifo_end; /* Capture time of the fifo's last sample. */
    char sink[128];
};

static void destroy(struct tdm_audio_source *s)
{
    if (!s)
        return;
    if (s->loop)
        pa_threaded_mainloop_stop(s->loop);
    if (s->stream) {
        (void)pa_stream_disconnect(s->stream);
        pa_stream_unref(s->stream);
    }
    if (s->context) {
        pa_context_disconnect(s->context);
        pa_context_unref(s->context);
    }
    if (s->loop)
        pa_threaded_mainloop_free(s->loop);
    if (s->ring_fd >= 0)
        (void)close(s->ring_fd);
    free(s->periods);
    free(s->fifo);
    free(s);
}

/* From here to `on_stream_state`: PulseAudio's thread. */

/* `data` NULL: a hole in the sound. */
static void push(struct tdm_audio_source *s, const int16_t *data, uint32_t samples, tdm_time at)
{
    for (uint32_t done = 0; done < samples;) {
        uint32_t count = samples - done < PERIOD_SAMPLES ? samples - done : PERIOD_SAMPLES;
        size_t bytes = (size_t)count * s->channels * sizeof *data;
        struct period *p = tdm_ring_reserve(&s->ring);

        if (!p)
            break;
        done += count;
        p->samples = count;
        p->at = at - tdm_time_of_units(samples - done, s->hz);
        if (data)
            memcpy(p->pcm, data + (size_t)(done - count) * s->channels, bytes);
        else
            memset(p->pcm, 0, bytes);
        tdm_ring_commit(&s->ring);
    }
    tdm_wake_signal(s->ring_fd);
}

static void on_sound(pa_stream *stream, size_t available, void *arg)
{
    struct tdm_audio_source *s = arg;
    size_t frame_bytes = s->channels * sizeof(int16_t);
    tdm_time now = tdm_clock_now();

    (void)available;
    while (pa_stream_readable_size(stream) > 0) {
        const void *data;
        size_t bytes;

        if (pa_stream_peek(stream, &data, &bytes) < 0 || bytes == 0)
            break;
        push(s, data, (uint32_t)(bytes / frame_bytes), now);
        (void)pa_stream_drop(stream);
    }
}

static void on_context_state(pa_context *context, void *arg)
{
    struct tdm_audio_source *s = arg;

    if (!PA_CONTEXT_IS_GOOD(pa_context_get_state(context))) {
        atomic_store(&s->gone, true);
        tdm_wake_signal(s->ring_fd);
    }
    pa_threaded_mainloop_signal(s->loop, 0);
}

static void on_stream_state(pa_stream *stream, void *arg)
{
    struct tdm_audio_source *s = arg;

    if (!PA_STREAM_IS_GOOD(pa_stream_get_state(stream))) {
        atomic_store(&s->gone, true);
        tdm_wake_signal(s->ring_fd);
    }
    pa_threaded_mainloop_signal(s->loop, 0);
}

/* With the loop's lock. PulseAudio gives up by itself when the server does not answer. */
static bool connect_context(struct tdm_audio_source *s)
{
    s->context = pa_context_new(pa_threaded_mainloop_get_api(s->loop), "Tandem");
    if (!s->context)
        return false;
    pa_context_set_state_callback(s->context, on_context_state, s);
    if (pa_context_connect(s->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
        return false;
    while (pa_context_get_state(s->context) != PA_CONTEXT_READY) {
        if (!PA_CONTEXT_IS_GOOD(pa_context_get_state(s->context)))
            return false;
        pa_threaded_mainloop_wait(s->loop);
    }
    return true;
}

static bool connect_stream(struct tdm_audio_source *s)
{
    const pa_sample_spec spec = {PA_SAMPLE_S16LE, s->hz, s->channels};
    size_t fragment = pa_usec_to_bytes((pa_usec_t)FRAGMENT_MS * PA_USEC_PER_MSEC, &spec);
    const pa_buffer_attr buffer = {.maxlength = (uint32_t)-1, .fragsize = (uint32_t)fragment};
    char monitor[sizeof s->sink + 16];

    (void)snprintf(monitor, sizeof monitor, "%s.monitor", s->sink);
    s->stream = pa_stream_new(s->context, "sound of the shared desktop", &spec, NULL);
    if (!s->stream)
        return false;
    pa_stream_set_state_callback(s->stream, on_stream_state, s);
    pa_stream_set_read_callback(s->stream, on_sound, s);
    if (pa_stream_connect_record(s->stream, *s->sink ? monitor : "@DEFAULT_MONITOR@", &buffer,
                                 PA_STREAM_ADJUST_LATENCY) < 0)
        return false;
    while (pa_stream_get_state(s->stream) != PA_STREAM_READY) {
        if (!PA_STREAM_IS_GOOD(pa_stream_get_state(s->stream)))
            return false;
        pa_threaded_mainloop_wait(s->loop);
    }
    return true;
}

static enum tdm_err start(struct tdm_audio_source *s, struct tdm_cause *cause)
{
    s->loop = pa_threaded_mainloop_new();
    if (!s->loop || pa_threaded_mainloop_start(s->loop) < 0)
        return tdm_fail(cause, TDM_E_SYSTEM, "no thread for the desktop's sound");
    pa_threaded_mainloop_lock(s->loop);
    bool connected = connect_context(s);
    bool playing = connected && connect_stream(s);

    pa_threaded_mainloop_unlock(s->loop);
    if (!connected)
        return tdm_fail(cause, TDM_E_GONE,
                        "the desktop's sound cannot be had: PulseAudio or PipeWire does not run "
                        "for this user; start it, or share without sound");
    if (!playing)
        return tdm_fail(cause, TDM_E_GONE,
                        "there is no sink \"%.60s\" to listen to: \"pactl list short sinks\" has "
                        "their names, desktop alone is the default one",
                        *s->sink ? s->sink : "default");
    s->fifo_end = tdm_clock_now();
    return TDM_OK;
}

static enum tdm_err create(const struct tdm_audio_source_config *config,
                           struct tdm_audio_source **source, struct tdm_cause *cause)
{
    struct tdm_audio_source *s = calloc(1, sizeof *s);

    assert(config->channels == 1 || config->channels == 2);
    assert(config->block_samples && config->block_samples <= config->sample_hz / 2);
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the desktop's sound");
    s->hz = config->sample_hz;
    s->channels = config->channels;
    s->block_samples = config->block_samples;
    s->wake_fd = config->wake_fd;
    (void)snprintf(s->sink, sizeof s->sink, "%s", config->argument);
    s->ring_fd = tdm_wake_open(cause);
    s->fifo_max = s->hz * FIFO_S;
    s->fifo = malloc((size_t)s->fifo_max * s->channels * sizeof *s->fifo);
    s->periods = malloc(RING_PERIODS * sizeof *s->periods);
    if (!s->fifo || !s->periods || s->ring_fd < 0) {
        destroy(s);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the desktop's sound");
    }
    tdm_ring_init(&s->ring, s->periods, sizeof *s->periods, RING_PERIODS);
    enum tdm_err err = start(s, cause);

    if (err) {
        destroy(s);
        return err;
    }
    *source = s;
    return TDM_OK;
}

/* Makes room for `samples` at the fifo's end by dropping the oldest. */
static int16_t *fifo_end(struct tdm_audio_source *s, uint32_t samples)
{
    if (s->fifo_count + samples > s->fifo_max) {
        uint32_t excess = s->fifo_count + samples - s->fifo_max;

        s->fifo_count -= excess;
        memmove(s->fifo, s->fifo + (size_t)excess * s->channels,
                (size_t)s->fifo_count * s->channels * sizeof *s->fifo);
    }
    int16_t *end = s->fifo + (size_t)s->fifo_count * s->channels;

    s->fifo_count += samples;
    return end;
}

/* Moves one period into the fifo; false when the ring is empty. */
static bool take_period(struct tdm_audio_source *s)
{
    const struct period *p = tdm_ring_peek(&s->ring);

    if (!p)
        return false;
    memcpy(fifo_end(s, p->samples), p->pcm, (size_t)p->samples * s->channels * sizeof *s->fifo);
    s->fifo_end = tdm_time_max(p->at, s->fifo_end + TDM_US);
    tdm_ring_release(&s->ring);
    return true;
}

static void put_silence(struct tdm_audio_source *s)
{
    size_t bytes = (size_t)s->block_samples * s->channels * sizeof *s->fifo;

    memset(fifo_end(s, s->block_samples), 0, bytes);
    s->fifo_end += tdm_time_of_units(s->block_samples, s->hz);
}

static enum tdm_err wait_period(struct tdm_audio_source *s, struct tdm_cause *cause)
{
    enum tdm_wait why =
        tdm_wait_until(s->fifo_end + tdm_time_of_units(s->block_samples, s->hz) + QUIET_AFTER,
                       s->wake_fd, s->ring_fd);

    if (why == TDM_WAIT_WAKE)
        return TDM_E_AGAIN;
    if (why == TDM_WAIT_DEVICE)
        tdm_wake_clear(s->ring_fd);
    if (atomic_load(&s->gone))
        return tdm_fail(cause, TDM_E_GONE,
                        "the desktop's sound is gone: the sound server or the sink was closed");
    if (why == TDM_WAIT_TIME)
        put_silence(s);
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
    *captured = s->fifo_end - tdm_time_of_units(left, s->hz);
    return TDM_OK;
}

const struct tdm_audio_source_ops tdm_desktop_sound_source = {
    .kind = "desktop",
    .create = create,
    .destroy = destroy,
    .read = read_block,
};
