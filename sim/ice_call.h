/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_ICE_CALL_H
#define TDM_SIM_ICE_CALL_H

/*
 * Two ICE agents find each other across simulated NATs and send media, in virtual time: offer,
 * answer and trickled candidates go by a signalling path with a delay of its own; from the first
 * valid path on each side sends a datagram every 20 ms. Says when the other side first heard one
 * and how long it ever heard nothing, and checks the agents from outside (sim/ice_watch.h).
 */

#include "engine/core/ice.h"
#include "sim/ice_net.h"

#define TDM_SIM_ICE_WORDS_MAX 8

enum tdm_sim_ice_event {
    TDM_SIM_ICE_NOTHING,
    TDM_SIM_ICE_RESTART,   /* `side` restarts, and nothing else happens. */
    TDM_SIM_ICE_MOVE,      /* `side` has another address from now on, and restarts if asked to. */
    TDM_SIM_ICE_REBIND,    /* The gateway of `side` forgets its mappings. */
    TDM_SIM_ICE_NO_DIRECT, /* Only what passes the server arrives. */
    TDM_SIM_ICE_DEAD,      /* Nothing arrives any more. */
    TDM_SIM_ICE_FORGED,    /* As DEAD, but somebody without the password answers for both. */
};

struct tdm_sim_ice_agent {
    bool controlling;
    bool relay_only;
    uint8_t dead; /* Candidates that it also offers and that lead nowhere. */
    bool stun, turn;
    enum tdm_ice_server_link turn_link;
    bool server_ipv6; /* It knows its servers by IPv6. */
};

struct tdm_sim_ice_scenario {
    struct tdm_sim_ice_net_config net;
    struct tdm_sim_ice_agent agents[2];
    bool both_offer; /* At the same time, and both start. */
    bool trickle;
    tdm_time signal_delay;
    tdm_time duration;
    enum tdm_sim_ice_event event;
    uint8_t event_side;
    bool restart_when_silent;
    bool event_restart;
    tdm_time event_at;
};

struct tdm_sim_ice_side_result {
    bool connected;        /* Has a path at the end. */
    bool lost;             /* Was told so, ever. */
    bool silent;           /* Likewise. */
    bool relayed;          /* The path at the end passes the server. */
    bool was_direct;       /* A path ever did not. */
    tdm_time described_at; /* It knew the other side's credentials; TDM_NEVER: not. */
    tdm_time path_at;      /* Its first path. */
    tdm_time heard_at;     /* Media of the other side, first. */
    tdm_time lost_at;
    tdm_time gap, gap_after; /* Longest without media, before and after the event. */
    tdm_time back_at;        /* After the event, the first media over a path chosen after it. */
    uint32_t heard, sent;
    struct tdm_ice_stats stats;
    struct tdm_ice_path path;
};

struct tdm_sim_ice_result {
    struct tdm_sim_ice_side_result sides[2];
    uint32_t violations;
    char words[TDM_SIM_ICE_WORDS_MAX][120];
    uint64_t hash; /* Of all that happened. */
};

struct tdm_sim_ice_call;

/** NULL: no memory. One call runs many scenarios, one after the other. */
struct tdm_sim_ice_call *tdm_sim_ice_call_create(void);
void tdm_sim_ice_call_destroy(struct tdm_sim_ice_call *call);

/** TDM_E_SPACE: no memory for the network. */
enum tdm_err tdm_sim_ice_call_run(struct tdm_sim_ice_call *call,
                                  const struct tdm_sim_ice_scenario *scenario,
                                  struct tdm_sim_ice_result *result);

#endif
