/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_SEND_STORE_H
#define TDM_CORE_SEND_STORE_H

/*
 * The packets of one sent stream: those that wait for the pacer, and behind them those already
 * sent, kept for as long as the ring holds so that a NACK can be answered. Decides nothing about
 * time.
 *
 *     oldest ..... sent ..... | next ..... waiting ..... | head
 *
 * A frame that is still being coded keeps its last packet back (`open`), because only the end of
 * the frame tells which packet carries the marker.
 */

#include "engine/base/time.h"
#include "engine/wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_SEND_RESEND_MAX 256

/** One packet on its way. `timing_at`, `number_at`: offsets in `bytes` of its frame timing and its
 *  transport-wide number, 0 = none. */
struct tdm_send_packet {
    int64_t seq; /* Extended; -1 = empty. */
    uint16_t size, payload_size, timing_at, number_at;
    bool marker;
    bool parity;         /* A generic repair: no part of a picture. */
    uint8_t red_bytes;   /* In front of the payload: RED around it. */
    uint16_t frame_slot; /* Which frame record it belongs to. */
    tdm_time resent_at;
    bool asked; /* It is in the list of repairs. */
    uint8_t bytes[TDM_RTP_PACKET_MAX];
};

struct tdm_send_store {
    struct tdm_send_packet *packets; /* packet_count of them, a power of two; caller's storage. */
    uint32_t packet_count;
    int64_t next; /* Next to send for the first time. */
    int64_t head; /* Sequence number that the next new packet gets. */
    bool open;    /* The packet before head waits for its frame's end. */
    uint16_t resend_count;
    int64_t resend[TDM_SEND_RESEND_MAX]; /* Asked for again, oldest first. */
};

void tdm_send_store_init(struct tdm_send_store *s, struct tdm_send_packet *packets,
                         uint32_t packet_count, uint16_t first_seq);

/** A slot for the next packet (seq set, to be filled by the caller and then committed); NULL when
 *  half of the ring waits unsent: the caller drops the frame. */
struct tdm_send_packet *tdm_send_store_reserve(struct tdm_send_store *s);
void tdm_send_store_commit(struct tdm_send_store *s);

/** Leaves a hole of one sequence number, so that the receiver sees a cut-off frame as damaged. */
void tdm_send_store_skip(struct tdm_send_store *s);

/** Queues a sent packet for another sending; ignores one that is gone, waits already, or was sent
 *  again less than `quiet` ago. True when it was queued. */
bool tdm_send_store_ask(struct tdm_send_store *s, tdm_time now, uint16_t seq, tdm_time quiet);

/** Forgets what was asked for again: a keyframe is sooner there. */
void tdm_send_store_forget_repairs(struct tdm_send_store *s);

/** The packet to send next (repairs first), or NULL. Not removed until tdm_send_store_sent. */
struct tdm_send_packet *tdm_send_store_peek(struct tdm_send_store *s, bool *repair);
void tdm_send_store_sent(struct tdm_send_store *s, tdm_time now, bool repair);

/** Packets that wait for their first sending and may leave. */
uint32_t tdm_send_store_waiting(const struct tdm_send_store *s);

#endif
