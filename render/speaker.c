/* SPDX-License-Identifier: MIT */

/*
 * The loudspeaker: speaker, or speaker:DEVICE where DEVICE is a part of the device's name.
 * PortAudio's callback pulls straight from the playout; nothing is queued in between.
 */

#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/sound.h"
#include "render/registry.h"

#include <stdlib.h>

#define DELAY_MAX (500 * TDM_MS) /* A device that says more is not believed. */

struct tdm_audio_sink {
    struct tdm_audio_sink_config config;
    struct tdm_sound sound;
    uint8_t device_channels;
    int16_t pcm[TDM_SOUND_PERIOD_SAMPLES * 2]; /* Where the device's channel count is not ours. */
};

static void destroy(struct tdm_audio_sink *s)
{
    if (!s)
        return;
    tdm_sound_close(&s->sound);
    free(s);
}

static void spread(const struct tdm_audio_sink *s, int16_t *out, uint32_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        if (s->device_channels == 2)
            out[2 * i] = out[2 * i + 1] = s->pcm[i];
        else
            out[i] = (int16_t)((s->pcm[2 * i] + s->pcm[2 * i + 1]) / 2);
    }
}

static int on_period(const void *input, void *output, unsigned long samples,
                     const PaStreamCallbackTimeInfo *times, PaStreamCallbackFlags flags, void *arg)
{
    struct tdm_audio_sink *s = arg;
    tdm_time now = tdm_clock_now();
    double delay_s = times->outputBufferDacTime - times->currentTime;
    tdm_time delay = delay_s > 0 ? (tdm_time)(delay_s * 1e9) : 0;

    (void)input, (void)flags;
    tdm_rt_enter();
    bool same = s->device_channels == s->config.channels;
    int16_t *to = same ? output : s->pcm;

    assert(samples <= TDM_SOUND_PERIOD_SAMPLES);
    s->config.pull(s->config.arg, to, (uint32_t)samples, now, now + tdm_time_min(delay, DELAY_MAX));
    if (!same)
        spread(s, output, (uint32_t)samples);
    tdm_rt_leave();
    return paContinue;
}

static PaError open_stream(struct tdm_audio_sink *s, PaDeviceIndex device)
{
    PaError failed = paInvalidDevice;

    for (int attempt = 0; attempt < 2; attempt++) {
        s->device_channels = attempt ? (uint8_t)(3 - s->config.channels) : s->config.channels;
        const PaStreamParameters output = {
            .device = device,
            .channelCount = s->device_channels,
            .sampleFormat = paInt16,
            .suggestedLatency = TDM_SOUND_LATENCY_S,
        };

        failed = Pa_OpenStream(&s->sound.stream, NULL, &output, s->config.sample_hz,
                               TDM_SOUND_PERIOD_SAMPLES, paNoFlag, on_period, s);
        if (!failed)
            break;
        s->sound.stream = NULL;
    }
    return failed;
}

static enum tdm_err start(struct tdm_audio_sink *s, const char *wanted, struct tdm_cause *cause)
{
    enum tdm_err err = tdm_sound_init(&s->sound, cause);

    if (err)
        return err;
    PaDeviceIndex device = tdm_sound_find(TDM_SOUND_OUT, wanted);

    if (device == paNoDevice && *wanted)
        return tdm_fail(cause, TDM_E_GONE,
                        "no speaker \"%.60s\": use speaker alone for the default one", wanted);
    if (device == paNoDevice)
        return tdm_fail(cause, TDM_E_GONE,
                        "no speaker found: plug one in, or use --speaker wav:PATH or null");
    PaError failed = open_stream(s, device);

    if (!failed) {
        tdm_sound_raise_priority(&s->sound, device);
        failed = Pa_StartStream(s->sound.stream);
    }
    if (failed)
        return tdm_fail(cause, TDM_E_GONE,
                        "the speaker does not open (%s): close other programs that use it, or use "
                        "--speaker wav:PATH or null",
                        Pa_GetErrorText(failed));
    return TDM_OK;
}

static enum tdm_err create(const struct tdm_audio_sink_config *config, struct tdm_audio_sink **sink,
                           struct tdm_cause *cause)
{
    struct tdm_audio_sink *s = calloc(1, sizeof *s);

    assert(config->channels == 1 || config->channels == 2);
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the speaker");
    s->config = *config;
    enum tdm_err err = start(s, config->argument, cause);

    if (err) {
        destroy(s);
        return err;
    }
    *sink = s;
    return TDM_OK;
}

const struct tdm_audio_sink_ops tdm_speaker_sink = {
    .kind = "speaker",
    .create = create,
    .destroy = destroy,
};
