/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_NAL_H
#define TDM_CODECS_NAL_H

/*
 * The byte stream and the bits of NAL units, which H.264 (Annex B, sections 7.2 and 9.1) and H.265
 * (the same in its own numbering) share. What the units mean is their readers' business.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bits of a NAL unit behind its header, emulation prevention removed on the way. Sticky like
 *  tdm_reader: past the end it gives zeros and clears `ok`. */
struct tdm_nal_bits {
    const uint8_t *at, *end;
    uint8_t byte;
    unsigned left;  /* Unread bits of `byte`. */
    unsigned zeros; /* Zero bytes in a row before `at`. */
    bool ok;
};

/** Borrows `data`. */
struct tdm_nal_bits tdm_nal_bits_of(const uint8_t *data, size_t size);

unsigned tdm_nal_bit(struct tdm_nal_bits *b);

/** u(n); the last 32 of more. */
uint32_t tdm_nal_bits(struct tdm_nal_bits *b, unsigned count);

/** ue(v), at most 2^32 - 2. */
uint32_t tdm_nal_golomb(struct tdm_nal_bits *b);

/** se(v). */
int32_t tdm_nal_golomb_signed(struct tdm_nal_bits *b);

/** The next 00 00 01 at or after `at`, or `end`. */
const uint8_t *tdm_nal_start_code(const uint8_t *at, const uint8_t *end);

/** The unit behind the start code at `*at`, without the zeros that end it; `*at` moves on to the
 *  next start code or `end`. */
const uint8_t *tdm_nal_take(const uint8_t **at, const uint8_t *end, size_t *size);

#endif
