/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_VP9_PAYLOAD_H
#define TDM_WIRE_VP9_PAYLOAD_H

/*
 * The VP9 RTP payload format (RFC 9628): descriptor, cutting and joining of pictures. What a frame
 * begins with is read from its own uncompressed header, as far as its size. A picture of several
 * spatial layers becomes a superframe of the layers' frames (VP9 bitstream specification, annex B).
 * Layers are never chosen or dropped here.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_VP9_REFERENCES_MAX 3 /* Of one picture, RFC 9628 section 4.2. */
#define TDM_VP9_LAYERS_MAX     8
#define TDM_VP9_PAYLOAD_MIN    16 /* The least that a packetizer may be given. */

/** Scalability structure (section 4.2.1). */
struct tdm_vp9_structure {
    uint8_t layer_count; /* N_S + 1; 1 to TDM_VP9_LAYERS_MAX. */
    bool has_sizes;      /* Y */
    uint16_t width[TDM_VP9_LAYERS_MAX], height[TDM_VP9_LAYERS_MAX];
    bool has_group;      /* G */
    uint8_t group_count; /* N_G; its pictures are stepped over. */
};

struct tdm_vp9_descriptor {
    bool inter_picture; /* P */
    bool flexible;      /* F */
    bool start, end;    /* B and E: first and last packet of a frame, i.e. of one layer. */
    bool not_upward;    /* Z: no upper spatial layer refers to this frame. */
    bool has_picture_id;
    bool picture_id_wide;
    uint16_t picture_id; /* 15 bits when `picture_id_wide`, else 7. */
    bool has_layers;
    uint8_t tid, sid;
    bool switching_up; /* U */
    bool inter_layer;  /* D */
    bool has_tl0;
    uint8_t tl0_pic_idx;
    uint8_t reference_count;
    uint8_t references[TDM_VP9_REFERENCES_MAX]; /* P_DIFF */
    bool has_structure;
    struct tdm_vp9_structure structure;
    bool keyframe;       /* A key frame of the lowest layer starts here, by its own header. */
    const uint8_t *data; /* What follows the descriptor; borrows. */
    size_t size;
};

/** TDM_E_MALFORMED when the descriptor is cut short or has too many references, or no data follow
 *  it. A field that contradicts another is no reason to refuse: nothing depends on it. */
enum tdm_err tdm_vp9_parse(struct tdm_vp9_descriptor *d, const uint8_t *payload, size_t size);

/** What a frame's uncompressed header says (VP9 bitstream specification, section 6.2). */
struct tdm_vp9_frame {
    bool keyframe;
    uint16_t width, height; /* Of a key frame, else 0. */
};

/** TDM_E_MALFORMED when it is no VP9 frame, or a key frame whose header is cut short. */
enum tdm_err tdm_vp9_frame_parse(struct tdm_vp9_frame *f, const uint8_t *frame, size_t size);

/** Cuts a frame into payloads of at most `payload_max` bytes, nearly equal in size, in the
 *  non-flexible mode with one layer. Init once a frame, then next until TDM_E_AGAIN. */
struct tdm_vp9_packetizer {
    const uint8_t *data;
    size_t size, at, part_bytes;
    uint16_t picture_id;
    bool inter_picture;
    uint16_t width, height; /* In the first payload's scalability structure, unless 0. */
};

/** `payload_max` is at least TDM_VP9_PAYLOAD_MIN. A frame that is not VP9 goes out all the same, as
 *  an inter picture. */
void tdm_vp9_packetizer_init(struct tdm_vp9_packetizer *p, const uint8_t *frame, size_t size,
                             uint16_t picture_id, size_t payload_max);

/** Writes the next payload to `out`: descriptor with 15-bit picture id, on a key frame's first with
 *  its size, then data.
 *  @return TDM_OK with *out_size and *last; TDM_E_AGAIN when the frame is done; TDM_E_SPACE. */
enum tdm_err tdm_vp9_packetizer_next(struct tdm_vp9_packetizer *p, uint8_t *out, size_t capacity,
                                     size_t *out_size, bool *last);

#define TDM_VP9_LAYERS_MAX 8

/** Appends payloads of one picture, which come in sequence order. Zero at a picture's start. */
struct tdm_vp9_joiner {
    bool in_frame; /* A frame was begun and has not ended. */
    uint8_t frame_count;
    uint32_t frame_bytes[TDM_VP9_LAYERS_MAX];
};

/** A refused payload adds nothing.
 *  @return TDM_OK; TDM_E_MALFORMED (also a start inside a frame, data outside one, a ninth layer);
 *  TDM_E_SPACE. */
enum tdm_err tdm_vp9_join(struct tdm_vp9_joiner *j, struct tdm_writer *picture,
                          const uint8_t *payload, size_t size);

/** After the last payload: the index of a superframe, where there are several frames. TDM_E_SPACE.
 */
enum tdm_err tdm_vp9_join_end(const struct tdm_vp9_joiner *j, struct tdm_writer *picture);

#endif
