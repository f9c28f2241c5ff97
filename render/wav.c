/* SPDX-License-Identifier: MIT */

/*
 * A sound sink that is heard later: wav:PATH. It pulls by timer; a writer thread puts what was
 * pulled into the file, so a slow disk never delays a pull. The header's sizes are renewed every
 * second, so that the file opens even when the program is killed.
 */

#include "engine/base/ring.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "render/registry.h"
#include "render/timer_audio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PERIOD_MS    10
#define RING_PERIODS 256
#define HEADER_BYTES 44
#define DATA_MAX     (UINT32_MAX - 65536)

struct tdm_audio_sink {
    struct tdm_timer_audio timer;
    struct tdm_ring ring;
    uint8_t *storage;
    pthread_t writer;
    bool writing;
    int fd, wake_fd;
    uint32_t sample_hz, data_bytes, header_at;
    uint8_t channels;
    atomic_bool stop;
};

static void put_le(uint8_t *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static bool write_all(int fd, const void *data, size_t size)
{
    const uint8_t *at = data;

    while (size) {
        ssize_t done = write(fd, at, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

/* RIFF WAVE, PCM of 16 bits. */
static void write_header(struct tdm_audio_sink *s)
{
    uint8_t h[HEADER_BYTES] = {0};
    uint32_t frame = s->channels * 2u;

    memcpy(h, "RIFF", 4);
    put_le(h + 4, HEADER_BYTES - 8 + s->data_bytes, 4);
    memcpy(h + 8, "WAVEfmt ", 8);
    put_le(h + 16, 16, 4);
    put_le(h + 20, 1, 2);
    put_le(h + 22, s->channels, 2);
    put_le(h + 24, s->sample_hz, 4);
    put_le(h + 28, s->sample_hz * frame, 4);
    put_le(h + 32, frame, 2);
    put_le(h + 34, 16, 2);
    memcpy(h + 36, "data", 4);
    put_le(h + 40, s->data_bytes, 4);
    ssize_t done = pwrite(s->fd, h, sizeof h, 0);

    (void)done; /* A full disk: the sizes of the last header stand. */
    s->header_at = s->data_bytes;
}

static void drain(struct tdm_audio_sink *s)
{
    const void *slot;

    while ((slot = tdm_ring_peek(&s->ring))) {
        bool written = s->data_bytes < DATA_MAX && write_all(s->fd, slot, s->ring.slot_bytes);

        s->data_bytes += written ? s->ring.slot_bytes : 0;
        tdm_ring_release(&s->ring);
    }
    if (s->data_bytes - s->header_at >= s->sample_hz * s->channels * 2)
        write_header(s);
}

static void *run(void *arg)
{
    struct tdm_audio_sink *s = arg;

    while (!atomic_load_explicit(&s->stop, memory_order_acquire)) {
        (void)tdm_wait_until(TDM_NEVER, s->wake_fd, -1);
        tdm_wake_clear(s->wake_fd);
        drain(s);
    }
    return NULL;
}

static void heard(void *arg, const int16_t *pcm, uint32_t samples)
{
    struct tdm_audio_sink *s = arg;

    (void)samples;
    if (!tdm_ring_push(&s->ring, pcm))
        tdm_wake_signal(s->wake_fd);
}

static void destroy(struct tdm_audio_sink *s)
{
    if (!s)
        return;
    tdm_timer_audio_stop(&s->timer);
    if (s->writing) {
        atomic_store_explicit(&s->stop, true, memory_order_release);
        tdm_wake_signal(s->wake_fd);
        (void)pthread_join(s->writer, NULL);
        drain(s);
        write_header(s);
    }
    if (s->fd >= 0)
        (void)close(s->fd);
    if (s->wake_fd >= 0)
        (void)close(s->wake_fd);
    free(s->storage);
    free(s);
}

static enum tdm_err prepare(struct tdm_audio_sink *s, const struct tdm_audio_sink_config *config,
                            struct tdm_cause *cause)
{
    uint32_t period_bytes = config->sample_hz * PERIOD_MS / 1000 * config->channels * 2;

    s->fd = open(config->argument, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (s->fd < 0)
        return tdm_fail(cause, errno == EACCES ? TDM_E_DENIED : TDM_E_GONE,
                        "cannot write \"%.120s\": %s", config->argument,
                        errno == ENOENT   ? "there is no such folder"
                        : errno == EACCES ? "you may not write there"
                                          : "choose another path for wav:PATH");
    s->wake_fd = tdm_wake_open(cause);
    s->storage = malloc((size_t)period_bytes * RING_PERIODS);
    if (s->wake_fd < 0)
        return TDM_E_SYSTEM;
    if (!s->storage)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the audio sink");
    tdm_ring_init(&s->ring, s->storage, period_bytes, RING_PERIODS);
    s->sample_hz = config->sample_hz;
    s->channels = config->channels;
    write_header(s);
    if (lseek(s->fd, HEADER_BYTES, SEEK_SET) < 0)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "\"%.120s\" is not an ordinary file: a WAV needs one", config->argument);
    return tdm_thread_start(&s->writer, "wav-writer", TDM_PRIORITY_NORMAL, run, s, NULL, cause);
}

static enum tdm_err create(const struct tdm_audio_sink_config *config, struct tdm_audio_sink **sink,
                           struct tdm_cause *cause)
{
    struct tdm_audio_sink *s = calloc(1, sizeof *s);

    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the audio sink");
    s->fd = s->wake_fd = s->timer.wake_fd = -1;
    atomic_init(&s->stop, false);
    enum tdm_err err = *config->argument
                           ? prepare(s, config, cause)
                           : tdm_fail(cause, TDM_E_GONE, "no file named: use wav:PATH");

    s->writing = !err;
    s->timer.heard = heard;
    s->timer.heard_arg = s;
    if (!err)
        err = tdm_timer_audio_start(&s->timer, config, PERIOD_MS, cause);
    if (err) {
        destroy(s);
        return err;
    }
    *sink = s;
    return TDM_OK;
}

const struct tdm_audio_sink_ops tdm_wav_sink = {
    .kind = "wav",
    .create = create,
    .destroy = destroy,
};
