/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_RED_PLAN_H
#define TDM_CORE_RED_PLAN_H

/*
 * Which earlier frames a voice packet repeats (RFC 2198), from what is known of the loss: none on
 * a clean path; one copy, as far back as the bursts are long, once something is lost; a second one
 * where the first would be lost with the packet too often. A copy far back outlives a burst, but
 * who lost the packet waits for it: the reach is bounded. It keeps the frames and builds the
 * payload; when a packet leaves is the session's business.
 *
 * Loss comes as a report now and then, or, better, packet by packet, which shows the bursts.
 *
 * Owned by the net thread (engine/core/session_send.c), one for each voice that is sent.
 */

#include "engine/base/bytes.h"
#include "engine/base/time.h"

#include <stdbool.h>

#define TDM_RED_PLAN_FRAMES     16  /* A power of two. */
#define TDM_RED_PLAN_FRAME_MAX  400 /* Bytes; a larger frame is not repeated. */
#define TDM_RED_PLAN_COPIES_MAX 2
#define TDM_RED_PLAN_TOLD       128 /* A power of two. */

struct tdm_red_plan_frame {
    int64_t rtp_time;
    uint16_t size; /* 0: none. */
    uint8_t data[TDM_RED_PLAN_FRAME_MAX];
};

struct tdm_red_plan {
    double loss; /* Share, slowly following. */
    double stay; /* Chance that the packet after a lost one is lost; below 0: not known. */
    bool last_lost, fated;
    uint16_t told_next;              /* Number whose fate comes next, */
    uint8_t told[TDM_RED_PLAN_TOLD]; /* and what is known from there on. */
    uint8_t copies, distance; /* In use: the first copy is so many frames back, the next twice. */
    uint64_t count;           /* Frames seen. */
    struct tdm_red_plan_frame frames[TDM_RED_PLAN_FRAMES];
};

void tdm_red_plan_init(struct tdm_red_plan *p);

/** The other side reports this share of what was sent as lost. */
void tdm_red_plan_report(struct tdm_red_plan *p, double loss);

/** One packet's fate, in the order of sending. From then on reports count for nothing. */
void tdm_red_plan_fate(struct tdm_red_plan *p, bool lost);

/** The same by RTP sequence number, in about that order: it is put into order first. */
void tdm_red_plan_told(struct tdm_red_plan *p, uint16_t seq, bool lost);

/** Decides anew for frames of this length, and for what copies may cost together. */
void tdm_red_plan_decide(struct tdm_red_plan *p, tdm_time frame, uint32_t frame_bps,
                         uint32_t spare_bps);

/**
 * The payload of the next frame: with the copies that were decided on, or with none. Remembers it.
 *
 * @param rtp_time   Extended, of the frame.
 * @param frame_rtp  Its length in RTP units: copies are only of frames without a pause between.
 * @param room       Bytes that the payload may have.
 *
 * @return Bytes in `payload`; 0 when the frame does not fit.
 */
size_t tdm_red_plan_payload(struct tdm_red_plan *p, int64_t rtp_time, uint32_t frame_rtp,
                            uint8_t payload_type, const uint8_t *data, size_t size,
                            uint8_t *payload, size_t room);

#endif
