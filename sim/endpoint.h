/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_ENDPOINT_H
#define TDM_SIM_ENDPOINT_H

/*
 * One side's media engine in virtual time: the session and playout cores of the product between
 * model devices and model codecs. It is what engine/net.c and the media threads are in the real
 * program: it turns events into core steps and performs what the cores say. Signalling is beside
 * it, in call.h, and tells it what was agreed.
 *
 * Its owner feeds it events at the times it names in `due`, and carries its datagrams.
 */

#include "engine/core/frame_budget.h"
#include "engine/core/lipsync.h"
#include "engine/core/playout.h"
#include "engine/core/references.h"
#include "engine/core/session.h"
#include "sim/checker.h"
#include "sim/device.h"
#include "sim/event_log.h"
#include "sim/model_codec.h"
#include "sim/network.h"
#include "sim/scenario.h"

/** What a side waits for. */
enum tdm_sim_due {
    TDM_SIM_DUE_SESSION,
    TDM_SIM_DUE_MICROPHONE,
    TDM_SIM_DUE_SPEAKER,
    TDM_SIM_DUE_CAMERA,
    TDM_SIM_DUE_ENCODED, /* The picture that is being coded is done. */
    TDM_SIM_DUE_COUNT
};

/** What happened, in the event log: `a` and `b` are as said here. */
enum tdm_sim_event_kind {
    TDM_SIM_EVENT_SENT = 1,  /* a: size; b: hash of the datagram. */
    TDM_SIM_EVENT_DELIVERED, /* a: size; b: hash. */
    TDM_SIM_EVENT_HEARD,     /* a: audio frame, b: enum tdm_err of the decoder. */
    TDM_SIM_EVENT_CONCEALED, /* a: samples. */
    TDM_SIM_EVENT_SHOWN,     /* a: video frame, b: enum tdm_err of the decoder. */
    TDM_SIM_EVENT_KEYFRAME_WANTED,
    TDM_SIM_EVENT_DIGIT,      /* a: the character. */
    TDM_SIM_EVENT_CONFIGURED, /* a: direction, b: codec. */
    TDM_SIM_EVENT_ACTION,     /* a: enum tdm_sim_action_kind, b: the digit. */
    TDM_SIM_EVENT_STATE,      /* a: the call's state. */
    TDM_SIM_EVENT_BYE,        /* RTCP BYE of the other side. */
};

struct tdm_sim_endpoint;

/** What an endpoint acts upon; one of each for a call, owned by it. */
struct tdm_sim_world {
    const struct tdm_sim_scenario *scenario;
    struct tdm_sim_checker checker;
    struct tdm_sim_log log;
    struct tdm_sim_link *links[2]; /* From side 0, from side 1. */
    struct tdm_sim_endpoint *ends[2];
};

struct tdm_sim_endpoint {
    struct tdm_sim_world *world;
    uint8_t side;
    bool running, vanished, muted;
    tdm_time due[TDM_SIM_DUE_COUNT]; /* True virtual times. */

    struct tdm_session *session;
    struct tdm_session_out out;
    struct tdm_stream_config streams[TDM_SIM_STREAMS];
    bool active[TDM_SIM_STREAMS];

    struct tdm_playout_config playout_config;
    struct tdm_playout *playout;
    struct tdm_lipsync lipsync;
    tdm_time lipsync_ask;             /* As the playout knows it. */
    tdm_time video_latency, shown_at; /* Of the latest picture, as this side knows it. */

    struct tdm_sim_device microphone, speaker, camera;
    struct tdm_model_audio_config audio;
    struct tdm_model_video_encoder *encoder;
    struct tdm_model_video_decoder decoder;
    bool keyframe_due;
    struct tdm_frame_budget budget;
    struct {
        uint32_t frame_id;
        struct tdm_frame_budget_out plan;
        tdm_time captured;
        uint8_t refers, referred; /* As it was asked for, and as it was done. */
    } coding;
    struct tdm_references references;
    double reference_cost; /* Of all pictures, as a part of one (repair_plan.h). */
    uint64_t pictures_coded;
    uint32_t next_frame_id;
    tdm_time *camera_times; /* True capture times of the latest frames, by frame_id. */

    /* What the owner looks at. */
    uint64_t stuck_steps; /* Core steps beyond every bound. */
    uint64_t past_wakes;
    uint64_t frames_dropped; /* By the session's sender. */
    uint64_t frames_skipped; /* Not coded, because the pacer was behind. */
    /* The playout's totals as they stood before each new start. */
    uint64_t heard_packets, unheard_packets, played_samples, concealed_samples, restarts;
    tdm_time last_datagram;              /* When one arrived last. */
    uint64_t datagrams[TDM_SIM_STREAMS]; /* RTP handed to the session while the stream was up. */
    char digits[32];                     /* Received. */
    uint8_t digit_count;
    bool bye;
    uint64_t steps;
    uint64_t pictures; /* Handed out by the session; for a planted fault. */
};

size_t tdm_sim_endpoint_bytes(void);

/** Lays one over `storage` (aligned as by malloc); `world` and its scenario outlive it. */
struct tdm_sim_endpoint *tdm_sim_endpoint_init(void *storage, struct tdm_sim_world *world,
                                               uint8_t side, tdm_time now);

/** What was agreed for a stream; NULL: the stream is gone. The first one starts the devices. */
void tdm_sim_endpoint_configure(struct tdm_sim_endpoint *e, tdm_time now, uint8_t stream,
                                const struct tdm_stream_config *config);

/** The event that was due has come. */
void tdm_sim_endpoint_run(struct tdm_sim_endpoint *e, tdm_time now, enum tdm_sim_due due);

/** A datagram has arrived. */
void tdm_sim_endpoint_receive(struct tdm_sim_endpoint *e, tdm_time now,
                              const struct tdm_sim_packet *packet);

void tdm_sim_endpoint_digit(struct tdm_sim_endpoint *e, tdm_time now, char digit);

/** Says goodbye by RTCP and stops; or just stops, as a process that dies. */
void tdm_sim_endpoint_stop(struct tdm_sim_endpoint *e, tdm_time now, bool bye);

#endif
