/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_AUDIO_PLAN_H
#define TDM_ENGINE_AUDIO_PLAN_H

/*
 * How sound is coded in a call: what a plan offers of it, and which sample rate, channels and frame
 * length follow from what was agreed. Pure. The RTP clock is not the sample rate: G.722 has 16000
 * samples a second and a clock of 8000 (RFC 3551 section 4.5.2).
 */

#include "engine/media_plan.h"

#define TDM_AUDIO_PAYLOAD_MAX 1100 /* Bytes; with every header a packet stays under 1200. */

struct tdm_audio_format {
    uint32_t sample_hz;
    uint16_t frame_us; /* A rate of 44100 gives the whole samples in it. */
    uint8_t channels;  /* That are captured and given to the encoder. */
    uint32_t bitrate_bps;
    bool joins; /* Where the path has little room, two frames' worth may be one. */
};

/** Samples a second of a codec with this RTP clock. */
uint32_t tdm_audio_sample_hz(enum tdm_codec_id id, uint32_t clock_hz);

/** Whether `frame_us` is one of 2500, 5000, 10000, 20000, 40000 and 60000. */
bool tdm_audio_frame_known(uint32_t frame_us);

/** 48000 a channel, 64000 for music. */
uint32_t tdm_audio_bps(uint16_t channels, bool music);

/** Finishes the sound of a capability that lists its codecs: what Opus is asked for, the channel
 *  count that L16 starts with, the frame length. */
void tdm_audio_capability(const struct tdm_media_plan *plan, struct tdm_media_capability *audio);

/**
 * What is captured and encoded for `agreed->send`.
 *
 * The length is the plan's wherever the codec and the other side take it: a frame of L16 must fit
 * into a packet; G.711 and G.722 have 20 ms unless the other side names the plan's length as its
 * a=ptime (RFC 3551 section 4.2); a=maxptime and Opus' minptime bound it. Both are whole
 * milliseconds, rounded up, so 3 stands for 2.5 (RFC 7587 section 6.1). Opus has
 * 20 ms where nobody asked for a length and rate and headers stay under 60 kb/s only so. It goes
 * out in stereo only to who asks for it (stereo=1).
 */
struct tdm_audio_format tdm_audio_format_of(const struct tdm_media_plan *plan,
                                            const struct tdm_negotiated_media *agreed);

#endif
