/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_ULPFEC_H
#define TDM_WIRE_ULPFEC_H

/*
 * The payload of generic repairs (RFC 5109), one level: the exclusive or of some packets of the
 * source, as they are without RED around them. What of them enters is said in
 * engine/core/xor_code.h, where they are combined; this is the layout alone.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#define TDM_ULPFEC_COVER_MAX  48 /* Packets that a mask reaches over. */
#define TDM_ULPFEC_HEAD_SHORT 14 /* In front of the combined bytes: with a mask of 16 packets, */
#define TDM_ULPFEC_HEAD_LONG  18 /* of 48. */

struct tdm_ulpfec {
    uint8_t flags;      /* P, X and CC of the RTP headers, combined: six bits. */
    uint8_t type;       /* M and PT. */
    uint32_t timestamp; /* Timestamps. */
    uint16_t length;    /* What follows the first twelve bytes, sizes combined. */
    uint16_t base;      /* Sequence number of bit 0, */
    uint64_t mask;      /* bit i: packet base + i is in it. Not 0. */
    uint16_t size;      /* Of each packet so much behind its first twelve bytes is covered. */
    const uint8_t *data;
};

/** TDM_E_MALFORMED: cut short, or no packet is covered; TDM_E_UNSUPPORTED: an extension that nobody
 *  has defined. Further levels are passed over. `data` borrows. */
enum tdm_err tdm_ulpfec_parse(struct tdm_ulpfec *fec, const uint8_t *payload, size_t size);

/** Writes a mask as short as it can be; `w->ok` says whether all fitted. */
void tdm_ulpfec_write(struct tdm_writer *w, const struct tdm_ulpfec *fec);

#endif
