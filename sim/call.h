/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_CALL_H
#define TDM_SIM_CALL_H

/*
 * A whole call between two whole engines in virtual time: on each side the call machine, SDP text,
 * the session and playout cores, model codecs and model devices; between them the in-memory
 * signalling wire and one seeded link each way. The same cores as in the product, another driver.
 *
 * A call's storage is made once and may run one scenario after the other.
 */

#include "signalling/call.h"
#include "sim/endpoint.h"
#include "sim/scenario.h"

/** What one side came to. Direction counts are of what this side sent. */
struct tdm_sim_side_result {
    enum tdm_call_state state;
    enum tdm_call_end end;
    tdm_time up_at, ended_at;              /* TDM_NEVER: it never was. */
    uint64_t audio_frames, video_frames;   /* Heard and seen at the other side. */
    tdm_time audio_gap_max, video_gap_max; /* There, while frames were due. */
    tdm_time audio_latency_max, video_latency_max, audio_latency, video_latency;
    enum tdm_codec_id video_codec; /* Received last. */
    uint64_t nacked, repaired, keyframes_wanted, missing_reference;
    uint64_t packets_sent, packets_resent, parity_sent;
    uint64_t video_sent, video_resent;           /* Packets of pictures alone. */
    tdm_time video_frozen, video_frozen_settled; /* The second after the first ten seconds. */
    tdm_time skew_p95;     /* Eye against ear, of either sign, after the first ten seconds. */
    double reference_cost; /* Per picture: what referring far back costs (repair_plan.h). */
    uint64_t played_samples, concealed_samples; /* By this side's speaker. */
    char digits[32];                            /* Heard by this side. */
    bool rtcp_bye;                              /* Heard by this side. */
};

struct tdm_sim_result {
    uint64_t violations;
    uint64_t hash; /* Of all events. */
    uint64_t events, steps;
    struct tdm_sim_side_result side[2];
    uint32_t kept;
    struct {
        tdm_time at;
        char text[160];
    } kept_violations[TDM_SIM_VIOLATIONS_MAX];
};

struct tdm_sim_call;

/** `log_max`: how many of the latest events to keep for tdm_sim_call_log. NULL: no memory. */
struct tdm_sim_call *tdm_sim_call_create(size_t log_max);
void tdm_sim_call_destroy(struct tdm_sim_call *call);

/** Runs a scenario from start to end. TDM_E_SYSTEM when there is no memory for the wire. */
enum tdm_err tdm_sim_call_run(struct tdm_sim_call *call, const struct tdm_sim_scenario *scenario,
                              struct tdm_sim_result *result);

/** The log of the last run. */
const struct tdm_sim_log *tdm_sim_call_log(const struct tdm_sim_call *call);

#endif
