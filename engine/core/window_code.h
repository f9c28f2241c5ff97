/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_WINDOW_CODE_H
#define TDM_CORE_WINDOW_CODE_H

/*
 * An erasure code over a sliding window of packets (the idea of RFC 8681, with coefficients of our
 * own): a repair packet is a linear combination over GF(256) of the packets of its window, and any
 * as many repairs as packets were lost give these back, as soon as the last of either is there.
 * A window reaches over several frames, so that a burst that takes a whole frame is mended by the
 * repairs of the next ones. How many repairs to send, and how far a window reaches, is
 * repair_plan.h; when they leave, the pacer's.
 *
 *     packets   1 2 3 | 4 5 6 | 7 8 9 |         The repair behind frame 3 covers 1 to 9; with one
 *     repairs         a       b       c         of 4, 5, 6 lost, b or c gives it back.
 *
 * The coefficient of packet s in repair r is 1 / (x + y), x = 128 + r mod 128, y = s mod 128: a
 * Cauchy matrix, of which every square part can be inverted. Repairs with equal windows are thus
 * as good as any code can be; with windows that overlap, nearly (unit test).
 *
 * A packet enters as two bytes of size and its bytes, padded with zeros. Repair payload:
 *
 *     last packet's number, low 16 bits | packets in the window | r mod 128 | combination
 */

#include "engine/base/err.h"
#include "engine/wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_WINDOW_SPAN_MAX   128 /* Packets that a repair may cover. */
#define TDM_WINDOW_MEMORY     256 /* Packets that the receiver keeps, to take repairs apart. */
#define TDM_WINDOW_ROWS       64  /* Repairs that wait for others. */
#define TDM_WINDOW_HEAD_BYTES 4
#define TDM_WINDOW_SYMBOL_MAX (2 + TDM_RTP_PACKET_MAX)
#define TDM_WINDOW_REPAIR_MAX (TDM_WINDOW_HEAD_BYTES + TDM_WINDOW_SYMBOL_MAX)

struct tdm_window_packet {
    int64_t seq; /* -1: none. */
    uint16_t size;
    uint8_t bytes[TDM_RTP_PACKET_MAX];
};

/** Of one sent stream; its owner is the thread that sends. */
struct tdm_window_encoder {
    int64_t first, next; /* Packets from first to before next can be covered. */
    uint8_t repair;      /* Number of the next repair, modulo 128. */
    struct tdm_window_packet packets[TDM_WINDOW_SPAN_MAX];
};

void tdm_window_encoder_init(struct tdm_window_encoder *e);
/** A packet that was sent: numbers go up; no window reaches over one that is missing here. One of
 *  more than TDM_RTP_PACKET_MAX bytes counts as missing. */
void tdm_window_encoder_push(struct tdm_window_encoder *e, int64_t seq, const uint8_t *data,
                             size_t size);
/**
 * A repair over the newest packets.
 *
 * @param span  How many, at most; fewer when there are no more.
 *
 * @return bytes of the payload, at most TDM_WINDOW_REPAIR_MAX; 0 when there is nothing to cover.
 */
size_t tdm_window_encoder_repair(struct tdm_window_encoder *e, uint16_t span,
                                 uint8_t room[TDM_WINDOW_REPAIR_MAX]);

/** An equation between packets that are not there. */
struct tdm_window_row {
    bool used;
    int64_t pivot; /* The one packet of these that no other row has. */
    uint16_t size; /* Of `sum`, as in the repair. */
    uint8_t factors[TDM_WINDOW_MEMORY];
    uint8_t sum[TDM_WINDOW_SYMBOL_MAX];
};

/** Of one received stream. */
struct tdm_window_decoder {
    bool started;
    int64_t highest; /* Packets from highest - TDM_WINDOW_MEMORY + 1 on are remembered. */
    struct tdm_window_packet packets[TDM_WINDOW_MEMORY];
    struct tdm_window_row rows[TDM_WINDOW_ROWS];
    uint64_t recovered, redundant, refused; /* Packets, repairs, repairs. */
};

/** Packets that came back; borrowed until the next call. */
struct tdm_window_out {
    uint16_t count;
    const struct tdm_window_packet *packets[TDM_WINDOW_ROWS];
};

void tdm_window_decoder_init(struct tdm_window_decoder *d);
/** A packet that arrived. Late and doubled ones are ignored. */
void tdm_window_decoder_packet(struct tdm_window_decoder *d, int64_t seq, const uint8_t *data,
                               size_t size, struct tdm_window_out *out);
/** A packet that is remembered, or NULL. */
const struct tdm_window_packet *tdm_window_decoder_find(const struct tdm_window_decoder *d,
                                                        int64_t seq);
/** TDM_E_MALFORMED: not a repair. One that came before any packet is lost. */
enum tdm_err tdm_window_decoder_repair(struct tdm_window_decoder *d, const uint8_t *data,
                                       size_t size, struct tdm_window_out *out);

#endif
