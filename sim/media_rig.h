/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_MEDIA_RIG_H
#define TDM_SIM_MEDIA_RIG_H

/*
 * All that one side of a call sends, over one bottleneck: voice, a camera, a moving region of a
 * screen, repairs, and the data channel by its share; and what comes back. Two session cores with
 * nothing between them but a seeded link each way, so that what each kind got of the link, and how
 * long it waited, can be told apart. There is no SDP, no device and no decoder here: whole calls
 * are sim/call.h's.
 *
 * Side 0 sends; side 1 has a voice of its own and tells what came. Both have one clock.
 */

#include "engine/base/histogram.h"
#include "engine/core/frame_budget.h"
#include "engine/core/latency_budget.h"
#include "engine/core/session.h"
#include "engine/core/share.h"
#include "sim/network.h"

enum tdm_sim_kind {
    TDM_SIM_KIND_VOICE,
    TDM_SIM_KIND_CAMERA,
    TDM_SIM_KIND_REGION,
    TDM_SIM_KIND_PARITY,
    TDM_SIM_KIND_CHANNEL,
    TDM_SIM_KIND_RTCP,
    TDM_SIM_KINDS
};

#define TDM_SIM_RIG_FRAMES 16384  /* A power of two; of each picture stream. */
#define TDM_SIM_RIG_FRAME  100000 /* Bytes; a larger one is cut to that. */

struct tdm_sim_rig_config {
    uint64_t seed;
    struct tdm_sim_link_config way[2]; /* From side 0, and back. */
    uint32_t voice_bps;                /* Without heads; in frames of 10 ms. 0: no voice. */
    uint32_t video_bps, fps;           /* The user's limit of all pictures. */
    bool camera, region, parity, channel, ecn, reports_only;
    double fill, sigma; /* What an encoder makes of its budget. */
};

/** What one kind of packets came to, since the figures began. */
struct tdm_sim_rig_figures {
    uint64_t sent, came;       /* Bytes with IP and UDP. */
    struct tdm_histogram wait; /* On the link, less its delay. */
};

struct tdm_sim_rig_pictures {
    struct tdm_frame_budget budget;
    bool keyframe_due;
    uint32_t most_bytes; /* What there is to show needs no more; 0: no bound. */
    uint32_t count;      /* Coded. */
    uint64_t skipped, shown;
    tdm_time due, encoded_at; /* encoded_at TDM_NEVER: none is being coded. */
    struct tdm_frame_budget_out plan;
    tdm_time captured, shown_at, gap_max; /* shown_at: the last at side 1. */
    tdm_time captures[TDM_SIM_RIG_FRAMES];
    struct tdm_histogram age; /* From capture to the whole frame at side 1. */
};

struct tdm_sim_rig {
    struct tdm_sim_rig_config config;
    struct tdm_rng rng;
    tdm_time now, figures_since;
    struct tdm_session *sessions[2];
    struct tdm_sim_link *links[2];
    struct tdm_session_out out;
    tdm_time wake[2], voice_due;
    struct tdm_sim_rig_pictures pictures[2]; /* Camera, region. */
    struct tdm_sim_rig_figures figures[TDM_SIM_KINDS];
    struct tdm_share share;
    struct tdm_share_out share_out;
    tdm_time share_due, channel_at;
    double channel_tokens;
    uint64_t channel_wants; /* Bytes a second that it has to send; UINT64_MAX: a file. */
    uint64_t media_bytes, channel_bytes, media_seen, channel_seen;
    uint64_t steps, past_wakes;
    uint8_t frame[TDM_SIM_RIG_FRAME]; /* That is being encoded. */
    struct tdm_latency_budget budget; /* 0 at first; judged by what side 1 shows. */
    double lies;                      /* The part of side 1's RTCP that a byte is wrong in. */
    bool feedback_lost;               /* Nothing of side 1 arrives. */
    uint64_t inflight_max;            /* On the link from side 0, bytes. */
};

/** Heap; NULL without memory. The config's arrays are borrowed. */
struct tdm_sim_rig *tdm_sim_rig_create(const struct tdm_sim_rig_config *config);
void tdm_sim_rig_destroy(struct tdm_sim_rig *rig);

void tdm_sim_rig_run(struct tdm_sim_rig *rig, tdm_time until);

/** Figures begin anew. */
void tdm_sim_rig_measure(struct tdm_sim_rig *rig);

/** What came since then, of all kinds or of one, bits a second. */
double tdm_sim_rig_bps(const struct tdm_sim_rig *rig, enum tdm_sim_kind kind);
double tdm_sim_rig_sent_bps(const struct tdm_sim_rig *rig, enum tdm_sim_kind kind);

/** The wait on the link that a part `q` of that kind's packets stayed below, ms. */
double tdm_sim_rig_wait_ms(const struct tdm_sim_rig *rig, enum tdm_sim_kind kind, double q);

#endif
