/* SPDX-License-Identifier: MIT */

/*
 * The loudspeaker: speaker, or speaker:DEVICE where DEVICE is a part of the device's name.
 * PortAudio's callback pulls straight from the playout; nothing is queued in between.
 *
 * PortAudio counts its initialisations itself but is not thread-safe there: sound devices are
 * created and destroyed by one thread at a time.
 */

#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "render/registry.h"

#include <alsa/asoundlib.h>
#include <dlfcn.h>
#include <pa_linux_alsa.h>
#include <portaudio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_SAMPLES 128 /* The least that runs without dropouts on the sound servers tried. */
#define LATENCY_S      0.005
#define DELAY_MAX      (500 * TDM_MS) /* A device that says more is not believed. */

struct tdm_audio_sink {
    struct tdm_audio_sink_config config;
    PaStream *stream;
    bool initialized;
    uint8_t device_channels;
    int16_t pcm[PERIOD_SAMPLES * 2]; /* Where the device's channel count is not ours. */
};

static void ignore_alsa(const char *file, int line, const char *function, int err,
                        const char *format, ...)
{
    (void)file, (void)line, (void)function, (void)err, (void)format;
}

static void ignore_jack(const char *text)
{
    (void)text;
}

/* PortAudio's probing makes libasound and libjack tell stderr about every device that is not
 * there. libjack comes only with some builds of PortAudio, so it is looked up by name. */
static void silence_probing(void)
{
    static const char *const setters[] = {"jack_set_error_function", "jack_set_info_function"};

    (void)snd_lib_error_set_handler(ignore_alsa);
    for (size_t i = 0; i < 2; i++) {
        void (*set)(void (*)(const char *));
        void *symbol = dlsym(RTLD_DEFAULT, setters[i]);

        memcpy(&set, &symbol, sizeof set); /* ISO C has no cast between the two. */
        if (symbol)
            set(ignore_jack);
    }
}

static void destroy(struct tdm_audio_sink *s)
{
    if (!s)
        return;
    if (s->stream) {
        (void)Pa_AbortStream(s->stream);
        (void)Pa_CloseStream(s->stream);
    }
    if (s->initialized)
        (void)Pa_Terminate();
    free(s);
}

static void spread(const struct tdm_audio_sink *s, int16_t *out, uint32_t samples)
{
    for (uint32_t i = 0; i < samples; i++) {
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

    assert(samples <= PERIOD_SAMPLES);
    s->config.pull(s->config.arg, to, (uint32_t)samples, now, now + tdm_time_min(delay, DELAY_MAX));
    if (!same)
        spread(s, output, (uint32_t)samples);
    tdm_rt_leave();
    return paContinue;
}

/* Its thread gets a real-time priority where the system allows one. */
static void raise_priority(PaStream *stream, PaDeviceIndex device)
{
    const PaHostApiInfo *host = Pa_GetHostApiInfo(Pa_GetDeviceInfo(device)->hostApi);

    if (host && host->type == paALSA)
        PaAlsa_EnableRealtimeScheduling(stream, 1);
}

static PaDeviceIndex find_device(const char *wanted)
{
    if (!*wanted)
        return Pa_GetDefaultOutputDevice();
    for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);

        if (info && info->maxOutputChannels > 0 && strstr(info->name, wanted))
            return i;
    }
    return paNoDevice;
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
            .suggestedLatency = LATENCY_S,
        };

        failed = Pa_OpenStream(&s->stream, NULL, &output, s->config.sample_hz, PERIOD_SAMPLES,
                               paNoFlag, on_period, s);
        if (!failed)
            break;
        s->stream = NULL;
    }
    return failed;
}

static enum tdm_err start(struct tdm_audio_sink *s, const char *wanted, struct tdm_cause *cause)
{
    silence_probing();
    PaError failed = Pa_Initialize();

    s->initialized = !failed;
    if (failed)
        return tdm_fail(cause, TDM_E_SYSTEM, "the sound system does not start: %s",
                        Pa_GetErrorText(failed));
    PaDeviceIndex device = find_device(wanted);

    if (device == paNoDevice && *wanted)
        return tdm_fail(cause, TDM_E_GONE,
                        "no speaker \"%.60s\": use speaker alone for the default one", wanted);
    if (device == paNoDevice)
        return tdm_fail(cause, TDM_E_GONE,
                        "no speaker found: plug one in, or use --speaker wav:PATH or null");
    failed = open_stream(s, device);
    if (!failed) {
        raise_priority(s->stream, device);
        failed = Pa_StartStream(s->stream);
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
