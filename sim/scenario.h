/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_SCENARIO_H
#define TDM_SIM_SCENARIO_H

/*
 * What a simulated call goes through: its two networks, its media, its clocks and what the two
 * people do. A plain value without pointers to elsewhere, so that a scenario can be printed, copied
 * and changed by one field. tdm_sim_scenario_mixed draws one from a seed.
 *
 * Side 0 calls side 1. Times are virtual, counted from the start of the scenario.
 */

#include "engine/base/codec_id.h"
#include "engine/base/time.h"
#include "sim/network.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_SIM_ACTIONS_MAX 24
#define TDM_SIM_WINDOWS_MAX 8
#define TDM_SIM_TRACE_MAX   16384
#define TDM_SIM_PARITY_TYPE 119 /* Of repairs over a window. */

enum tdm_sim_action_kind {
    TDM_SIM_HOLD,
    TDM_SIM_RESUME,
    TDM_SIM_MUTE, /* The microphone goes on, its frames are silence. */
    TDM_SIM_UNMUTE,
    TDM_SIM_VIDEO_ADD,
    TDM_SIM_VIDEO_DROP,
    TDM_SIM_DIGIT, /* `digit` by RFC 4733. */
    TDM_SIM_HANGUP,
    TDM_SIM_VANISH, /* The side's process dies: it neither sends nor hears any more. */
};

struct tdm_sim_action {
    tdm_time at;
    uint8_t side;
    enum tdm_sim_action_kind kind;
    char digit;
};

/** One direction of the network; `link` says all but the arrays, which lie here. */
struct tdm_sim_path {
    struct tdm_sim_link_config link;
    uint32_t window_count, rate_step_count, trace_count;
    struct tdm_sim_window windows[TDM_SIM_WINDOWS_MAX];
    struct tdm_sim_rate_step rate_steps[TDM_SIM_WINDOWS_MAX];
    uint32_t trace_ms[TDM_SIM_TRACE_MAX];
};

struct tdm_sim_side {
    int32_t microphone_ppm, speaker_ppm;
    tdm_time device_jitter; /* Of both. */
    double xrun;            /* Chance for each of the speaker's pulls. */
    tdm_time clock_offset;  /* This side's monotonic clock minus virtual time. */
    tdm_time wall_offset;   /* Its wall clock minus its monotonic clock. */
    tdm_time rings;         /* How long side 1 rings before it accepts. */
};

/** Faults for the tests of the checkers: each makes a healthy engine look like a broken one. */
enum tdm_sim_fault {
    TDM_SIM_FAULT_NONE,
    TDM_SIM_FAULT_CORRUPT_MEDIA, /* Payload bytes change behind the link's back. */
    TDM_SIM_FAULT_LEAK,          /* Packets vanish behind the link's back. */
    TDM_SIM_FAULT_SWAP_SHOWN,    /* Every 50th frame is reported as shown twice. */
    TDM_SIM_FAULT_STALE_AUDIO,   /* Every 100th audio payload is decoded twice. */
    TDM_SIM_FAULT_PAST_WAKE,     /* A core asks for a time that is gone. */
    TDM_SIM_FAULT_BUSY,          /* A core asks for `now` for ever. */
    TDM_SIM_FAULT_SKEW,          /* Pictures are shown 200 ms late. */
    TDM_SIM_FAULT_OLD,           /* Pictures are shown a second late. */
    TDM_SIM_FAULT_NO_REFERENCE,  /* Every 40th picture never reaches the decoder. */
    TDM_SIM_FAULT_UNASKED,       /* Packets are sent twice. */
    TDM_SIM_FAULT_FREEZE,        /* No picture is shown from 10 s to 20 s. */
    TDM_SIM_FAULT_DEAF,          /* Side 1 never hears signalling after the call is up. */
};

struct tdm_sim_scenario {
    char name[48];
    uint64_t seed;
    tdm_time duration;           /* The whole run; side 0 hangs up 8 s before its end. */
    struct tdm_sim_path path[2]; /* Media from side 0, and from side 1. */
    tdm_time signalling_delay;   /* One way. */
    double signalling_loss;
    struct tdm_sim_side side[2];
    bool video; /* Both sides offer it from the start. */
    enum tdm_codec_id video_codec;
    uint16_t width, height;
    uint32_t fps, video_bps;
    bool parity;                       /* Repairs over a window are agreed on (docs/repair.md). */
    uint8_t refer_reach, refer_chains; /* The encoders take references (struct
                                          tdm_reference_reach), and that is agreed on; 0: not. */
    uint8_t refer_elsewhere;           /* Chains of VP9, which a call may change to. */
    bool reports_only;                 /* No feedback on each packet (RFC 8888) is agreed on. */
    uint16_t audio_frame_ms;
    double keyframe_ratio;
    double encoder_fill, encoder_sigma; /* Of its budget (model_codec.h); 0: a middling one's. */
    uint32_t action_count;
    struct tdm_sim_action actions[TDM_SIM_ACTIONS_MAX]; /* Ascending. */
    bool steady; /* Nothing on the network gives reason for freezes or skew: check it closely. */
    enum tdm_sim_fault fault;
};

/** The networks that mixed scenarios are drawn from. */
enum tdm_sim_network {
    TDM_SIM_LAN,
    TDM_SIM_WIFI,   /* Jitter, stalls of up to 250 ms, some loss. */
    TDM_SIM_LTE,    /* A wandering delivery trace with a deep queue. */
    TDM_SIM_LOSS,   /* 1 to 5 % at random. */
    TDM_SIM_BURSTS, /* Gilbert-Elliott. */
    TDM_SIM_REORDER,
    TDM_SIM_DUPLICATE,
    TDM_SIM_BLACKOUT,   /* Cuts of up to 3 s. */
    TDM_SIM_RATE_STEPS, /* 300 kb/s to 5 Mb/s. */
    TDM_SIM_EVERYTHING, /* A bit of most of the above. */
    TDM_SIM_NETWORK_COUNT
};

const char *tdm_sim_network_name(enum tdm_sim_network network);

/** A quiet audio and video call on a perfect network of 10 ms each way. */
void tdm_sim_scenario_plain(struct tdm_sim_scenario *s, uint64_t seed, tdm_time duration);

/** Draws networks, clocks, codecs and actions from the seed; seed % TDM_SIM_NETWORK_COUNT is the
 *  kind of network. */
void tdm_sim_scenario_mixed(struct tdm_sim_scenario *s, uint64_t seed, tdm_time duration);

/** Replaces a path by one of a kind. */
void tdm_sim_path_draw(struct tdm_sim_path *path, enum tdm_sim_network network, struct tdm_rng *rng,
                       tdm_time duration);

/** The link's config with its arrays in `path`, which must outlive the link. */
struct tdm_sim_link_config tdm_sim_path_config(const struct tdm_sim_path *path);

/** The longest time for which the windows of both paths together hold a call's media up: what is
 *  sent, or what is asked for. Windows less than 1.5 s apart count as one. */
tdm_time tdm_sim_scenario_outage(const struct tdm_sim_scenario *s);

/** Appends an action; they must come in order of time. */
void tdm_sim_scenario_act(struct tdm_sim_scenario *s, struct tdm_sim_action action);

#endif
