/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_NET_STATE_H
#define TDM_ENGINE_NET_STATE_H

/* What the control side of the net (net.c) and its thread (net_run.c) share. */

#include "engine/base/mailbox.h"
#include "engine/core/voice_length.h"
#include "engine/net.h"

#include <pthread.h>

#define TDM_NET_COMMANDS 64
#define TDM_NET_EVENTS   128

enum tdm_net_command_kind {
    NET_CONFIGURE,
    NET_REMOVE,
    NET_ICE,
    NET_AGREE,
    NET_REST,
    NET_LINK,
    NET_DTMF,
    NET_REFRESH,
    NET_STOP,
};

struct tdm_net_command {
    enum tdm_net_command_kind kind;
    uint8_t stream;
    uint8_t way; /* TDM_NET_WAYS: all, each with its own port in the address. */
    union {
        struct {
            struct tdm_stream_config config;
            uint8_t ways[2]; /* RTP, RTCP. */
        } configure;
        struct {
            struct tdm_ice_in in; /* Its texts are those below. */
            char ufrag[33], pwd[65];
        } ice;
        struct tdm_transport_setup setup;
        struct {
            uint8_t link;
            int fd;
            struct tdm_tls *tls;
        } link;
        struct {
            char digit;
            tdm_time duration;
        } dtmf;
    };
};

struct tdm_net_stream {
    bool active;
    uint8_t ways[2]; /* RTP, RTCP. */
    struct tdm_stream_config config;
};

struct tdm_net {
    struct tdm_net_config config;
    pthread_t thread;
    int interfaces; /* Readable when an address came or went; -1: nobody watches. */
    struct tdm_address known[TDM_ICE_LOCAL_MAX]; /* Control thread: the last list. */
    uint32_t known_count;

    struct tdm_session *session;
    struct tdm_session_out out;
    tdm_time wake_at, status_at;
    bool marked[TDM_NET_WAYS]; /* Their sockets send ECT(1). */
    tdm_time planned_at;       /* When the next picture's cost was reckoned. */
    tdm_time last_received;
    uint64_t channel_bps;    /* Of the data channel, as the session knows it. */
    tdm_time latency_budget; /* Likewise. */
    uint64_t frames_sent[2]; /* By the camera and for a region, as published last; */
    tdm_time sent_at[2];     /* and when that number changed. */
    struct tdm_voice_length voice_length;
    bool stopping;
    struct tdm_net_stream streams[TDM_NET_STREAMS + 1]; /* And TDM_STREAM_REGION. */
    struct tdm_transport transports[TDM_NET_WAYS];
    struct tdm_ring commands, events;
    struct tdm_net_command command_slots[TDM_NET_COMMANDS];
    struct tdm_net_event event_slots[TDM_NET_EVENTS];
    struct tdm_mailbox status_box;
    struct tdm_net_status statuses[TDM_MAILBOX_SLOTS];
    struct tdm_udp_batch batch;
};

#define TDM_NET_STATUS_EVERY (100 * TDM_MS)

/** The thread; `arg` is the net. */
void *tdm_net_run(void *arg);

#endif
