/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_CHECKER_H
#define TDM_SIM_CHECKER_H

/*
 * What must hold in every simulated call, judged from outside: from the datagrams on the wire, from
 * what reaches ears and eyes, and from the scenario's own truth about when it was made. It never
 * looks into a core. A violation is counted and the first few are kept in words.
 *
 * Direction d is the media that side d sends; the receiver is side 1 - d.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_SIM_STREAMS        2 /* 0 audio, 1 video; also the channel = 2 * stream + rtcp. */
#define TDM_SIM_VIOLATIONS_MAX 8

enum { TDM_SIM_AUDIO, TDM_SIM_VIDEO };

/** One sent sequence number's fate. */
struct tdm_sim_seq_fate {
    tdm_time first_nack; /* 0: never asked for. */
    uint8_t nacks;       /* Sent by the receiver. */
    uint8_t asked;       /* Times that it may still leave for requests that reached the sender. */
    bool sent, delivered;
};

struct tdm_sim_stream_watch {
    bool started;
    uint32_t ssrc;
    int64_t highest;     /* Extended sequence number sent last for the first time, */
    tdm_time highest_at; /* and when it left last. */
    uint64_t sent, resent, gaps;
    uint64_t delivered, delivered_again, resent_delivered;
    uint64_t nacked, repaired; /* Packets. */
    uint64_t rtcp_sent, rtcp_delivered, plis;
    struct tdm_sim_seq_fate fates[65536];
    /* What reached the person. */
    int64_t last_frame; /* -1: none. */
    uint64_t frames, corrupt, missing_reference;
    tdm_time last_frame_at; /* TDM_NEVER: none, or not expected at present. */
    tdm_time latency;       /* Of the latest frame, from capture to ear or eye. */
    tdm_time latency_max, gap_max;
    tdm_time frozen;         /* Sum of the gaps that one sees as a freeze; */
    tdm_time frozen_settled; /* of those after the first ten seconds. */
    uint64_t parity;         /* Packets of repairs sent; they are none of the numbers above. */
};

#define TDM_SIM_SKEWS 256

struct tdm_sim_checker {
    uint64_t violations;
    uint32_t kept;
    struct {
        tdm_time at;
        char text[160];
    } kept_violations[TDM_SIM_VIOLATIONS_MAX];
    /* Shown pictures after the first ten seconds by how many milliseconds they were apart from the
     * sound, of either sign; the last counts what is more. */
    uint32_t skews[2][TDM_SIM_SKEWS];
    bool steady; /* The network gives no reason for skew, loss or freezes. */
    tdm_time gap_allowed[TDM_SIM_STREAMS]; /* Longest that a frame which is due may be missing. */
    tdm_time
        latency_allowed[TDM_SIM_STREAMS]; /* From capture to ear and eye: bounds every queue. */
    bool may_corrupt;                     /* The link flips bits on purpose. */
    struct tdm_sim_stream_watch streams[2][TDM_SIM_STREAMS]; /* [direction][stream] */
};

/** A large struct: keep it in the session's storage. */
void tdm_sim_checker_init(struct tdm_sim_checker *c, bool steady, bool may_corrupt);

/** Records a violation in words. */
void tdm_sim_checker_fail(struct tdm_sim_checker *c, tdm_time now, const char *format, ...)
    TDM_PRINTF(3, 4);

/** A datagram of side `from` goes onto the wire, and comes off it at the other side, whose engine
 *  takes it or (not up yet, on hold) turns it away. */
void tdm_sim_checker_sent(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint16_t channel,
                          const uint8_t *data, size_t size);
void tdm_sim_checker_delivered(struct tdm_sim_checker *c, tdm_time now, uint8_t from,
                               uint16_t channel, const uint8_t *data, size_t size, bool taken);

/** A frame's payload came out of the receiver's core and went to the decoder, which said `err`.
 *  `captured` and `presented`: true virtual times. */
void tdm_sim_checker_frame(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint8_t stream,
                           enum tdm_err err, uint32_t frame, tdm_time captured, tdm_time presented);

/** From now on frames are due (or not) in this direction: freezes are measured between. */
void tdm_sim_checker_expect(struct tdm_sim_checker *c, tdm_time now, uint8_t from, uint8_t stream,
                            bool expected);

/** At the end: what was asked for and never settled. */
void tdm_sim_checker_finish(struct tdm_sim_checker *c, tdm_time now);

/** How far apart eye and ear were, in either direction, for this part of the pictures that a side
 *  sent; to a millisecond. */
tdm_time tdm_sim_checker_skew(const struct tdm_sim_checker *c, uint8_t from, double part);

#endif
