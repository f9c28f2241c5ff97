/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_AV1_PAYLOAD_H
#define TDM_WIRE_AV1_PAYLOAD_H

/*
 * The AV1 RTP payload format (AOM, "RTP Payload Format For AV1", version 1.0, section 4): cutting a
 * temporal unit into payloads and joining them again. A temporal unit here is OBUs of which each
 * has its size, without temporal delimiter; on the wire the OBUs have none of their own. The
 * dependency descriptor extension is not read: all layers of a temporal unit stay together.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tdm_av1_obu {
    TDM_AV1_SEQUENCE_HEADER = 1,
    TDM_AV1_TEMPORAL_DELIMITER = 2,
    TDM_AV1_FRAME_HEADER = 3,
    TDM_AV1_TILE_GROUP = 4,
    TDM_AV1_METADATA = 5,
    TDM_AV1_FRAME = 6,
    TDM_AV1_TILE_LIST = 8,
    TDM_AV1_PADDING = 15
};

#define TDM_AV1_PAYLOAD_MIN 16 /* The least that a packetizer may be given. */

/** Where a packetizer is: an OBU that goes on the wire, and what follows it. */
struct tdm_av1_cursor {
    const uint8_t *next, *end;
    uint8_t header[2]; /* As on the wire. */
    uint8_t header_bytes;
    const uint8_t *body;
    size_t body_bytes;
    size_t done; /* Of header and body. */
    bool at_end;
};

/** Cuts a temporal unit into payloads of at most `payload_max` bytes, as few as can be and nearly
 *  equal in size. Init once a temporal unit, then next until TDM_E_AGAIN. */
struct tdm_av1_packetizer {
    struct tdm_av1_cursor at;
    size_t payload_max;
    bool malformed;
    bool new_sequence; /* N, on the first payload: a sequence header and a key frame begin it. */
};

/** `payload_max` is at least TDM_AV1_PAYLOAD_MIN. Temporal delimiters, tile lists and padding are
 *  left out. The last OBU may lack a size. */
void tdm_av1_packetizer_init(struct tdm_av1_packetizer *p, const uint8_t *unit, size_t size,
                             size_t payload_max);

/** @return TDM_OK with *out_size and *last; TDM_E_AGAIN when the unit is done; TDM_E_SPACE;
 *  TDM_E_MALFORMED when it is no sequence of OBUs (from the first call on). */
enum tdm_err tdm_av1_packetizer_next(struct tdm_av1_packetizer *p, uint8_t *out, size_t capacity,
                                     size_t *out_size, bool *last);

/** What one payload holds, seen without joining it. */
struct tdm_av1_peek {
    bool starts_obu;   /* Z clear: its first byte begins an OBU. */
    bool ends_obu;     /* Y clear: its last byte ends one. */
    bool new_sequence; /* N: first packet of a coded video sequence. */
    bool has_sequence_header;
    bool has_key_frame, has_other_frame; /* Of the first frame header that begins in it. */
};

enum tdm_err tdm_av1_peek(struct tdm_av1_peek *peek, const uint8_t *payload, size_t size);

/** Appends payloads of one temporal unit, which come in sequence order, and gives each OBU its
 *  size. Zero at a unit's start; the unit is whole when `in_obu` is false after the last. */
struct tdm_av1_joiner {
    bool in_obu;   /* The OBU at `obu_at` goes on in the next payload. */
    size_t obu_at; /* Offset in the unit. */
};

/** After an error the unit is of no use.
 *  @return TDM_OK; TDM_E_MALFORMED (also a fragment without its start); TDM_E_SPACE. */
enum tdm_err tdm_av1_join(struct tdm_av1_joiner *j, struct tdm_writer *unit, const uint8_t *payload,
                          size_t size);

#endif
