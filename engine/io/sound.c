/* SPDX-License-Identifier: MIT */
#include "engine/io/sound.h"

#include <alsa/asoundlib.h>
#include <dlfcn.h>
#include <pa_linux_alsa.h>
#include <string.h>

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

enum tdm_err tdm_sound_init(struct tdm_sound *sound, struct tdm_cause *cause)
{
    silence_probing();
    PaError failed = Pa_Initialize();

    sound->initialized = !failed;
    if (failed)
        return tdm_fail(cause, TDM_E_SYSTEM, "the sound system does not start: %s",
                        Pa_GetErrorText(failed));
    return TDM_OK;
}

PaDeviceIndex tdm_sound_find(enum tdm_sound_direction direction, const char *wanted)
{
    bool in = direction == TDM_SOUND_IN;

    if (!*wanted)
        return in ? Pa_GetDefaultInputDevice() : Pa_GetDefaultOutputDevice();
    for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);

        if (info && (in ? info->maxInputChannels : info->maxOutputChannels) > 0 &&
            strstr(info->name, wanted))
            return i;
    }
    return paNoDevice;
}

void tdm_sound_raise_priority(struct tdm_sound *sound, PaDeviceIndex device)
{
    const PaHostApiInfo *host = Pa_GetHostApiInfo(Pa_GetDeviceInfo(device)->hostApi);

    if (host && host->type == paALSA)
        PaAlsa_EnableRealtimeScheduling(sound->stream, 1);
}

void tdm_sound_close(struct tdm_sound *sound)
{
    if (sound->stream) {
        (void)Pa_AbortStream(sound->stream);
        (void)Pa_CloseStream(sound->stream);
    }
    if (sound->initialized)
        (void)Pa_Terminate();
    *sound = (struct tdm_sound){0};
}
