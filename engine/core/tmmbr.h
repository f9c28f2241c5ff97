/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_TMMBR_H
#define TDM_CORE_TMMBR_H

/*
 * What the other side lets one of our streams send at most (TMMBR, RFC 5104 section 4.2.1), and
 * whether its next picture may leave. Who asked is an owner; the strictest of them counts, and each
 * is told of as bounding (TMMBN), as none of so few is worth leaving out. An owner that says
 * goodbye or is silent for OWNER_GONE in the source has no say any more.
 *
 * One a sent stream. How the rate is found below the ceiling is call_rate.h's affair.
 */

#include "engine/base/time.h"
#include "engine/wire/rtcp.h"

#define TDM_TMMBR_OWNERS 4

enum tdm_tmmbr_in_kind {
    TDM_TMMBR_ASKED,   /* `ssrc` asks for at most `bps`; UINT64_MAX: for nothing any more. */
    TDM_TMMBR_HEARD,   /* Of `ssrc`, whatever it was. */
    TDM_TMMBR_GOODBYE, /* `ssrc` left. */
    TDM_TMMBR_SENT,    /* A packet of `bytes` of RTP left. */
};

struct tdm_tmmbr_in {
    enum tdm_tmmbr_in_kind kind;
    uint32_t ssrc;
    uint64_t bps;
    uint16_t overhead, bytes;
};

struct tdm_tmmbr_owner {
    struct tdm_rtcp_tmmbr asked; /* Its `ssrc` is the owner's. */
    tdm_time heard;
};

struct tdm_tmmbr {
    uint8_t count;
    struct tdm_tmmbr_owner owners[TDM_TMMBR_OWNERS];
    double tokens_bytes; /* Below 0: too much has left. */
    tdm_time at;
};

void tdm_tmmbr_init(struct tdm_tmmbr *t, tdm_time now);

/** `in` NULL: only time has passed; who was silent for too long is forgotten. */
void tdm_tmmbr_step(struct tdm_tmmbr *t, tdm_time now, const struct tdm_tmmbr_in *in);

/** Most that RTP may cost without what owners count beside it, in packets of that many bytes;
 *  UINT64_MAX: nobody asks for less. */
uint64_t tdm_tmmbr_limit(const struct tdm_tmmbr *t, uint32_t packet_bytes);

/** Whether a picture may be coded: the last ones are paid for. */
bool tdm_tmmbr_may(const struct tdm_tmmbr *t, tdm_time now);

/** The owners that bound the rate, for TMMBN; returns how many. */
uint8_t tdm_tmmbr_bounding(const struct tdm_tmmbr *t, struct tdm_rtcp_tmmbr *entries);

#endif
