/* SPDX-License-Identifier: MIT */
#include "measure/sound.h"

#include "capture/media_file.h"
#include "engine/base/rng.h"
#include "measure/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASE_HZ 48000
#define TAPS    96 /* Of the filter before samples are left out, on each side. */
#define PI      3.14159265358979323846

/* Spoken words, one voice, 48 kHz: alsa-utils. */
static const char *const speech_clips[] = {
    "/usr/share/sounds/alsa/Front_Center.wav", "/usr/share/sounds/alsa/Front_Left.wav",
    "/usr/share/sounds/alsa/Front_Right.wav",  "/usr/share/sounds/alsa/Rear_Center.wav",
    "/usr/share/sounds/alsa/Rear_Left.wav",    "/usr/share/sounds/alsa/Rear_Right.wav",
    "/usr/share/sounds/alsa/Side_Left.wav",    "/usr/share/sounds/alsa/Side_Right.wav",
};

static int16_t to_sample(double value)
{
    return (int16_t)lrint(fmax(-32767, fmin(32767, value)));
}

/* Appends a mono 16-bit file's samples; false when it is something else. */
static bool append_file(struct tdm_sound *sound, const char *path, uint32_t capacity)
{
    struct tdm_media_file file = {0};
    tdm_time at;
    bool good = !tdm_media_file_open(&file, path, AVMEDIA_TYPE_AUDIO, NULL);

    while (good && sound->samples < capacity && !tdm_media_file_next(&file, &at, NULL)) {
        const AVFrame *frame = file.frame;
        uint32_t count = (uint32_t)frame->nb_samples;

        good = frame->format == AV_SAMPLE_FMT_S16 && frame->ch_layout.nb_channels == 1 &&
               frame->sample_rate == BASE_HZ;
        if (!good)
            break;
        if (count > capacity - sound->samples)
            count = capacity - sound->samples;
        memcpy(sound->pcm + sound->samples, frame->data[0], count * sizeof *sound->pcm);
        sound->samples += count;
    }
    tdm_media_file_close(&file);
    return good;
}

static bool read_speech(struct tdm_sound *sound, uint32_t capacity)
{
    for (size_t i = 0; i < sizeof speech_clips / sizeof *speech_clips; i++)
        if (access(speech_clips[i], R_OK) || !append_file(sound, speech_clips[i], capacity)) {
            sound->samples = 0;
            return false;
        }
    (void)snprintf(sound->source, sizeof sound->source, "alsa-utils, %u files",
                   (unsigned)(sizeof speech_clips / sizeof *speech_clips));
    return true;
}

/* A voice by formula: pulses of a gliding pitch and, between them, breath, through three
 * resonances that wander as those of a mouth do; a pause after each word. */
static void make_speech(struct tdm_sound *sound, uint32_t capacity)
{
    struct tdm_rng rng = tdm_rng_of(11);
    double state[3][2] = {{0}}, phase = 0;

    sound->generated = true;
    (void)snprintf(sound->source, sizeof sound->source, "made by tandem; no recording installed");
    for (; sound->samples < capacity; sound->samples++) {
        double t = (double)sound->samples / BASE_HZ, word = fmod(t, 0.62);
        double loud = word < 0.45 ? sin(PI * word / 0.45) : 0;
        const double formants[3] = {500 + 250 * sin(5.1 * t), 1500 + 600 * sin(7.3 * t + 1),
                                    2500 + 200 * sin(3.7 * t)};
        double value = 0, source = (tdm_rng_unit(&rng) - 0.5) * 0.06;

        phase += (125 + 25 * sin(2.3 * t)) / BASE_HZ;
        if (phase >= 1) {
            phase -= 1;
            source += 1;
        }
        for (int i = 0; i < 3; i++) {
            double pole = exp(-PI * (60 + 40 * i) / BASE_HZ);
            double next = source + 2 * pole * cos(2 * PI * formants[i] / BASE_HZ) * state[i][0] -
                          pole * pole * state[i][1];

            state[i][1] = state[i][0];
            state[i][0] = next;
            value += next / (1 + i);
        }
        sound->pcm[sound->samples] = to_sample(value * loud * 900);
    }
}

/* Four plucked strings at a time, a new chord each half second, each string at its own place
 * between left and right. */
static void make_music(struct tdm_sound *sound, uint32_t capacity)
{
    static const double chords[4][4] = {{110.0, 220.0, 277.18, 329.63},
                                        {92.5, 185.0, 277.18, 369.99},
                                        {146.83, 220.0, 293.66, 369.99},
                                        {164.81, 246.94, 329.63, 415.3}};

    sound->generated = true;
    (void)snprintf(sound->source, sizeof sound->source, "made by tandem");
    for (; sound->samples < capacity; sound->samples++) {
        double t = (double)sound->samples / BASE_HZ, since = fmod(t, 0.5);
        const double *chord = chords[(int)(t / 0.5) % 4];
        double left = 0, right = 0;

        for (int string = 0; string < 4; string++) {
            double age = since - 0.04 * string, value = 0;

            for (int partial = 1; age > 0 && partial <= 8; partial++)
                value += sin(2 * PI * chord[string] * partial * age) / partial *
                         exp(-age * (2 + partial));
            left += value * (0.2 + 0.2 * string);
            right += value * (0.8 - 0.2 * string);
        }
        sound->pcm[2 * (size_t)sound->samples] = to_sample(left * 6500);
        sound->pcm[2 * (size_t)sound->samples + 1] = to_sample(right * 6500);
    }
}

/* Every `step`-th sample of a mono sound, what the new rate cannot carry filtered out before. */
static bool decimate(struct tdm_sound *sound, uint32_t step)
{
    double filter[2 * TAPS + 1], sum = 0;
    uint32_t count = sound->samples / step;
    int16_t *thinned = malloc((count + 1) * sizeof *thinned);

    if (!thinned)
        return false;
    for (int i = -TAPS; i <= TAPS; i++) {
        double x = 0.92 * i / step;

        filter[i + TAPS] =
            (i ? sin(PI * x) / (PI * x) : 1) * (0.5 + 0.5 * cos(PI * i / (TAPS + 1)));
        sum += filter[i + TAPS];
    }
    for (uint32_t n = 0; n < count; n++) {
        double value = 0;

        for (int i = -TAPS; i <= TAPS; i++) {
            int64_t at = (int64_t)n * step + i;

            if (at >= 0 && at < sound->samples)
                value += filter[i + TAPS] * sound->pcm[at];
        }
        thinned[n] = to_sample(value / sum);
    }
    free(sound->pcm);
    sound->pcm = thinned;
    sound->samples = count;
    sound->sample_hz /= step;
    return true;
}

static enum tdm_err name_by_hash(struct tdm_sound *sound, struct tdm_cause *cause)
{
    struct tdm_hash hash;

    if (!tdm_hash_create(&hash))
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory");
    tdm_hash_add(&hash, sound->pcm, (size_t)sound->samples * sound->channels * sizeof *sound->pcm);
    tdm_hash_finish(&hash, sound->sha256);
    tdm_hash_destroy(&hash);
    return TDM_OK;
}

enum tdm_err tdm_sound_load(struct tdm_sound *sound, const struct tdm_sound_request *request,
                            struct tdm_cause *cause)
{
    uint32_t capacity = request->seconds * BASE_HZ;

    assert(BASE_HZ % request->sample_hz == 0);
    assert(request->channels == 1 || request->sample_hz == BASE_HZ);
    *sound = (struct tdm_sound){.sample_hz = BASE_HZ, .channels = request->channels};
    sound->pcm = malloc((size_t)capacity * request->channels * sizeof *sound->pcm);
    if (!sound->pcm)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for %u s of sound", request->seconds);
    if (request->channels == 2)
        make_music(sound, capacity);
    else if (!read_speech(sound, capacity))
        make_speech(sound, capacity);
    if (request->sample_hz < BASE_HZ && !decimate(sound, BASE_HZ / request->sample_hz))
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to resample sound");
    return name_by_hash(sound, cause);
}

void tdm_sound_free(struct tdm_sound *sound)
{
    free(sound->pcm);
    *sound = (struct tdm_sound){0};
}
