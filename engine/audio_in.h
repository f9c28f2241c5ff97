/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_AUDIO_IN_H
#define TDM_ENGINE_AUDIO_IN_H

/*
 * The audio-in thread of one call: source, mute, encoder, ring to the net thread. When its source
 * is gone it goes on with silence and says so once.
 */

#include "engine/audio_plan.h"
#include "engine/link.h"

struct tdm_audio_in_config {
    struct tdm_link *link;
    int control_wake;   /* Signalled when a notice waits. */
    const char *source; /* Spec. Borrowed for create. */
    enum tdm_codec_id codec;
    struct tdm_audio_format format;
    bool music;
    const char *fmtp; /* What the other side asked for. Borrowed for create. */
};

struct tdm_audio_in;

enum tdm_err tdm_audio_in_create(const struct tdm_audio_in_config *config, struct tdm_audio_in **in,
                                 struct tdm_cause *cause);
void tdm_audio_in_destroy(struct tdm_audio_in *in);

/** Swaps the source; on failure the old one goes on. */
enum tdm_err tdm_audio_in_set_source(struct tdm_audio_in *in, const char *spec,
                                     struct tdm_cause *cause);

void tdm_audio_in_mute(struct tdm_audio_in *in, bool on);

/** Why the source went away, once; false when there is nothing to say. */
bool tdm_audio_in_notice(struct tdm_audio_in *in, struct tdm_cause *notice);

#endif
