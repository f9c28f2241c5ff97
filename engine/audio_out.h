/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_AUDIO_OUT_H
#define TDM_ENGINE_AUDIO_OUT_H

/*
 * The audio-out side of one call: the device pulls, and the pull drains the ring from the net
 * thread into the playout core, decodes what that asks for and hands over samples. All of it runs
 * on the device's thread.
 */

#include "engine/core/playout.h"
#include "engine/link.h"

/** One pulled block, for reports. Local clock; TDM_NEVER where not known. */
struct tdm_audio_trace {
    tdm_time captured;   /* Of the block's first sample, at the sender. */
    tdm_time encode_end; /* Of the packet that it came in. */
    tdm_time arrival;
    tdm_time play_at;
    uint32_t samples;
    bool concealed, silent;
    double chirp_ms; /* Latency of a chirp that was found in this block, else below 0. */
};

/** Takes what was played, interleaved; runs on the device's thread, must not block. */
typedef void tdm_played_fn(void *arg, const int16_t *pcm, uint32_t samples, tdm_time play_at);

struct tdm_audio_out_config {
    struct tdm_link *link;
    const char *sink; /* Spec; "off" pulls into nothing. Borrowed for create. */
    uint8_t channels; /* Of the sink, 1 or 2; what comes with another count is mixed or doubled. */
    bool find_chirps;
    tdm_time delay_max;    /* Of the playout; what comes later is concealed. 0: 2 s. */
    tdm_played_fn *played; /* NULL: nobody listens. */
    void *played_arg;
};

struct tdm_audio_out;

enum tdm_err tdm_audio_out_create(const struct tdm_audio_out_config *config,
                                  struct tdm_audio_out **out, struct tdm_cause *cause);
void tdm_audio_out_destroy(struct tdm_audio_out *out);

enum tdm_err tdm_audio_out_set_sink(struct tdm_audio_out *out, const char *spec,
                                    struct tdm_cause *cause);

/** Forgets what has come: the stream pauses, and what comes after it starts anew. */
void tdm_audio_out_flush(struct tdm_audio_out *out);

/** Lip sync: at least this much playout delay. */
void tdm_audio_out_min_delay(struct tdm_audio_out *out, tdm_time delay);

/** When the device pulled last, or the sink was opened. Any thread. */
tdm_time tdm_audio_out_pulled_at(const struct tdm_audio_out *out);

/** The oldest report not yet taken; false when there is none. One thread. */
bool tdm_audio_out_next_trace(struct tdm_audio_out *out, struct tdm_audio_trace *trace);

/** The newest totals; false while nothing new came. The same thread. */
bool tdm_audio_out_stats(struct tdm_audio_out *out, struct tdm_playout_stats *stats);

#endif
