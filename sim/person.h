/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_PERSON_H
#define TDM_SIM_PERSON_H

/*
 * One side's call control in virtual time: the call machine over the in-memory signalling backend,
 * the user's actions, and the media endpoint told of what was agreed. It is what engine/call
 * control is in the product, with the same core for a peer that is gone.
 */

#include "engine/core/silence.h"
#include "signalling/call.h"
#include "sim/endpoint.h"

struct tdm_sim_person {
    struct tdm_sim_world *world;
    uint8_t side;
    const struct tdm_sig_ops *ops;
    struct tdm_sig *sig; /* NULL: not open, or vanished. */
    struct tdm_call_machine machine;
    struct tdm_call_out out;
    struct tdm_sig_event event;
    struct tdm_silence silence;
    tdm_time wake_at, accept_at, watch_at; /* TDM_NEVER: not waiting. */
    tdm_time up_at, ended_at;
    bool further; /* The codec whose encoder refers further back was asked for. */
};

/** `sig` is open and stays the owner's. */
void tdm_sim_person_init(struct tdm_sim_person *p, struct tdm_sim_world *world, uint8_t side,
                         const struct tdm_sig_ops *ops, struct tdm_sig *sig, tdm_time now);

void tdm_sim_person_dial(struct tdm_sim_person *p, tdm_time now, const char *uri);

void tdm_sim_person_act(struct tdm_sim_person *p, tdm_time now,
                        const struct tdm_sim_action *action);

/** Takes the backend's events. */
void tdm_sim_person_hear(struct tdm_sim_person *p, tdm_time now);

/** When tdm_sim_person_run is due. */
tdm_time tdm_sim_person_due(const struct tdm_sim_person *p);
void tdm_sim_person_run(struct tdm_sim_person *p, tdm_time now);

#endif
