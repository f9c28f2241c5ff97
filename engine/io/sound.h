/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_SOUND_H
#define TDM_IO_SOUND_H

/*
 * What a microphone and a loudspeaker over PortAudio have in common: starting it without noise on
 * stderr, finding a device by a part of its name, ending it. Opening the stream, and what flows
 * through it, is the device's.
 *
 * PortAudio counts its initialisations itself but is not thread-safe there: sound devices are
 * created and destroyed by one thread at a time.
 */

#include "engine/base/err.h"

#include <portaudio.h>
#include <stdbool.h>

#define TDM_SOUND_PERIOD_SAMPLES 128 /* The least without dropouts on the sound servers tried. */
#define TDM_SOUND_LATENCY_S      0.005

/* Owned by the device. Zero-init. */
struct tdm_sound {
    PaStream *stream; /* NULL until the device opens it. */
    bool initialized;
};

enum tdm_sound_direction { TDM_SOUND_IN, TDM_SOUND_OUT };

/** TDM_E_SYSTEM with a cause when there is no sound system. */
enum tdm_err tdm_sound_init(struct tdm_sound *sound, struct tdm_cause *cause);

/** The first device of the direction with `wanted` in its name, the default one for ""; or
 *  paNoDevice. */
PaDeviceIndex tdm_sound_find(enum tdm_sound_direction direction, const char *wanted);

/** The open stream's thread gets a real-time priority where the system allows one. */
void tdm_sound_raise_priority(struct tdm_sound *sound, PaDeviceIndex device);

/** Stops and closes what there is. No callback runs afterwards. */
void tdm_sound_close(struct tdm_sound *sound);

#endif
