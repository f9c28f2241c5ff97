/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_PAYLOAD_FORMAT_H
#define TDM_CORE_PAYLOAD_FORMAT_H

/*
 * The video payload formats of engine/wire behind one table, for the assembly (what a payload
 * begins, joining) and the sender (cutting). Which payloads make a frame is not decided here.
 */

#include "engine/base/codec_id.h"
#include "engine/wire/av1_payload.h"
#include "engine/wire/h264_payload.h"
#include "engine/wire/h265_payload.h"
#include "engine/wire/vp8_payload.h"
#include "engine/wire/vp9_payload.h"

/** Whether one can begin to decode at a payload. */
struct tdm_payload_start {
    bool keyframe; /* A keyframe begins here, or the parameter sets in front of one. */
    bool bare;     /* A keyframe's first slice without parameter sets, as far as this payload. */
    bool begins;   /* A picture begins here, and `picture` numbers it. */
    uint16_t picture, pictures; /* It goes up by one with each, modulo `pictures`; 0: no number. */
};

/** Between the payloads of one frame; zero before the first. */
struct tdm_payload_joiner {
    bool begun;
    union {
        struct tdm_vp9_joiner vp9;
        struct tdm_av1_joiner av1;
        struct tdm_h264_joiner h264;
        struct tdm_h265_joiner h265;
    };
};

/** Cuts a slice (codecs/codec.h says what that is for each codec). */
union tdm_payload_cutter {
    struct tdm_vp8_packetizer vp8;
    struct tdm_vp9_packetizer vp9;
    struct tdm_av1_packetizer av1;
    struct tdm_h264_packetizer h264;
};

struct tdm_payload_format {
    enum tdm_codec_id codec;

    /** `start` is zero before. False when the payload is none of this format. */
    bool (*look)(struct tdm_payload_start *start, const uint8_t *payload, size_t size);

    /** Appends the next payload of a frame, of which all are there; `w` tells when it is full.
     *  False when it does not go on from what was joined. */
    bool (*join)(struct tdm_payload_joiner *j, struct tdm_writer *w, const uint8_t *payload,
                 size_t size);

    /** Ends the frame after what was joined; false when it may not end there, or `w` is full. NULL:
     *  always true. */
    bool (*end)(const struct tdm_payload_joiner *j, struct tdm_writer *w);

    /** NULL for a format that is only received. */
    void (*cut)(union tdm_payload_cutter *c, const uint8_t *slice, size_t size, uint16_t picture_id,
                size_t payload_max);
    enum tdm_err (*next)(union tdm_payload_cutter *c, uint8_t *out, size_t capacity,
                         size_t *out_size, bool *last);
};

/** NULL for a codec that has none: audio, or unknown. */
const struct tdm_payload_format *tdm_payload_format_of(enum tdm_codec_id codec);

#endif
