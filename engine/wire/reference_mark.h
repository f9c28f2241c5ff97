/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_REFERENCE_MARK_H
#define TDM_WIRE_REFERENCE_MARK_H

/*
 * Our own header extension that says what a picture refers to, so that a receiver decodes it
 * without those between the two (docs/repair.md). It stands on the last packet of each slice, and
 * so on a picture's last one. Negotiated by a=extmap with the URI below, which also says that
 * RPSI messages (struct tdm_reference_report) come back.
 *
 *   bytes 0-1    number of the picture, mod 2^16; numbers may be left out
 *   byte 2       so many numbers before it is the one that it refers to; 0: it refers to none
 *   bytes 3-4    packets of the picture that are before this one
 */

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_REFERENCE_MARK_URI   "urn:tandem:refs"
#define TDM_REFERENCE_MARK_BYTES 5

struct tdm_reference_mark {
    uint16_t number;
    uint8_t refers;
    uint16_t index;
};

void tdm_reference_mark_write(uint8_t bytes[TDM_REFERENCE_MARK_BYTES],
                              const struct tdm_reference_mark *mark);
enum tdm_err tdm_reference_mark_parse(struct tdm_reference_mark *mark, const uint8_t *data,
                                      size_t size);

/** What RPSI (RFC 4585 section 6.3.3) carries here: the newest picture that is known to have been
 *  sent, and which of it and those before were decoded. */
#define TDM_REFERENCE_REPORT_PICTURES 48

struct tdm_reference_report {
    uint16_t newest;
    uint64_t decoded; /* Bit i: number newest - i was. */
};

#endif
