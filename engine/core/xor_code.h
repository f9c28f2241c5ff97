/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_XOR_CODE_H
#define TDM_CORE_XOR_CODE_H

/*
 * The weaker code, for those who do not speak window_code.h: a repair is the exclusive or of some
 * packets of one source (RFC 5109, engine/wire/ulpfec.h) and gives one back when the others are
 * there. Of a block's packets the i-th goes into repair i modulo their number, so that a row of as
 * many losses as there are repairs is mended, and single ones as well as any choice does.
 *
 *     packets   1 2 3 4 5 6 7          repair a: 1 3 5 7
 *     repairs                 a b      repair b: 2 4 6
 *
 * Packets enter as they are without RED around them. How many repairs a block has is xor_plan.h's,
 * and what a block is the session's.
 */

#include "engine/base/err.h"
#include "engine/wire/rtp.h"
#include "engine/wire/ulpfec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_XOR_MEMORY 128 /* Packets that the receiver keeps; a power of two. */
#define TDM_XOR_ROWS   32  /* Repairs that wait for packets. */
#define TDM_XOR_BODY   TDM_DATAGRAM_MAX

/** Packets combined. */
struct tdm_xor_sum {
    uint8_t flags, type; /* As in struct tdm_ulpfec. */
    uint32_t timestamp;
    uint16_t length, size;
    uint8_t body[TDM_XOR_BODY];
};

/** `packet`: a whole RTP packet of at most TDM_DATAGRAM_MAX bytes. The sum starts as zeros. */
void tdm_xor_add(struct tdm_xor_sum *sum, const uint8_t *packet, size_t size);

/** Which of `count` packets (48 at most) enter repair `index` of `of`. */
uint64_t tdm_xor_mask(uint8_t count, uint8_t index, uint8_t of);

struct tdm_xor_packet {
    int64_t seq; /* -1: none. */
    uint16_t size;
    uint8_t bytes[TDM_DATAGRAM_MAX];
};

/** A repair that waits. */
struct tdm_xor_row {
    bool used;
    int64_t base;
    uint64_t mask;
    struct tdm_xor_sum sum;
};

/** Of one received source. */
struct tdm_xor_decoder {
    bool started;
    int64_t highest;
    uint8_t ssrc[4]; /* As the last packet has it. */
    struct tdm_xor_packet packets[TDM_XOR_MEMORY];
    uint8_t next_row; /* The oldest, when all are used. */
    struct tdm_xor_row rows[TDM_XOR_ROWS];
    uint64_t recovered, redundant, refused; /* Packets, repairs, repairs. */
};

/** Packets that came back; borrowed until the next call. */
struct tdm_xor_out {
    uint8_t count;
    const struct tdm_xor_packet *packets[TDM_XOR_ROWS];
};

void tdm_xor_decoder_init(struct tdm_xor_decoder *d);
/** A packet that arrived, whose header says `seq`. Late and doubled ones are ignored. */
void tdm_xor_decoder_packet(struct tdm_xor_decoder *d, int64_t seq, const uint8_t *data,
                            size_t size, struct tdm_xor_out *out);
/**
 * A repair that arrived.
 *
 * @param near  A sequence number of the source, by which the repair's own are extended.
 *
 * @return as tdm_ulpfec_parse. One that came before any packet is lost.
 */
enum tdm_err tdm_xor_decoder_repair(struct tdm_xor_decoder *d, int64_t near, const uint8_t *payload,
                                    size_t size, struct tdm_xor_out *out);
/** A packet that is remembered, or NULL. */
const struct tdm_xor_packet *tdm_xor_decoder_find(const struct tdm_xor_decoder *d, int64_t seq);

#endif
