/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_FRAME_TIMING_H
#define TDM_WIRE_FRAME_TIMING_H

/*
 * Our own header extension that carries the sender's half of a frame's trace: 16 bytes, so that it
 * fits the one-byte form, on the last packet of a frame (where all stages are known) and on each
 * audio packet. Negotiated by a=extmap with the URI below; others never see it.
 *
 *   bytes 0-5    capture time: the sender's NTP clock (as in its RTCP SR) in microseconds, mod 2^48
 *   bytes 6-7    frame id, mod 2^16
 *   bytes 8-15   four times u16: capture to encode start, encode end, first sent, last sent,
 *                in units of 16 us, 0xfffe = that or more, 0xffff = not known
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_FRAME_TIMING_URI   "urn:tandem:timing"
#define TDM_FRAME_TIMING_BYTES 16

struct tdm_frame_timing {
    int64_t captured_us; /* Sender's NTP clock, mod 2^48. */
    uint16_t frame_id;
    tdm_time encode_start, encode_end, first_sent,
        last_sent; /* After capture; TDM_NEVER = not known. */
};

void tdm_frame_timing_write(uint8_t bytes[TDM_FRAME_TIMING_BYTES],
                            const struct tdm_frame_timing *timing);
enum tdm_err tdm_frame_timing_parse(struct tdm_frame_timing *timing, const uint8_t *data,
                                    size_t size);

/** Full microseconds nearest to `near_us` that equal `us_mod_2_48` mod 2^48. */
int64_t tdm_frame_timing_extend(int64_t near_us, int64_t us_mod_2_48);

#endif
