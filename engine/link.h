/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_LINK_H
#define TDM_ENGINE_LINK_H

/*
 * What the media threads of one call share with its net thread: one ring each way per medium, wake
 * fds, and a few single-word settings. Storage is made before the threads start and freed after
 * they ended; nothing here allocates or locks.
 *
 *   audio in  --tx_audio-->  net  --rx_audio-->  audio out (pulls; needs no wake)
 *   video in  --tx_video-->  net  --rx_video-->  video out
 *   channel   --tx_data-->   net  --rx_data-->   channel (datagrams over the media's DTLS)
 *   share     --tx_region--> net  --rx_region--> watch (moving regions, engine/share_media.h)
 */

#include "engine/base/record_ring.h"
#include "engine/base/ring.h"
#include "engine/core/session.h"

#include <stdatomic.h>
#include <stdbool.h>

#define TDM_STREAM_AUDIO  0 /* Indexes of the session's streams. */
#define TDM_STREAM_VIDEO  1
#define TDM_STREAM_REGION 2 /* On the video's line. */

/** tx_audio: this head, then the payload. */
struct tdm_link_audio_tx {
    uint32_t samples_rtp;
    tdm_time captured, encode_start, encode_end;
};

/** tx_video, tx_region: this head, then the slice. */
struct tdm_link_slice_tx {
    enum tdm_codec_id codec; /* Net drops what is left of a codec that is no longer sent. */
    bool first, last, keyframe;
    bool has_reference; /* The two as in struct tdm_session_in. */
    uint8_t refers;
    uint32_t frame_id;
    struct tdm_region_mark mark; /* Of tx_region's. */
    tdm_time captured, encode_start, encode_end;
};

/** rx_audio: this head (its payload pointer is not set), then the payload. */
struct tdm_link_audio_rx {
    struct tdm_session_audio audio;
};

/** rx_video, rx_region: this head (its data pointer is not set), then the frame and
 * TDM_LINK_PADDING zeros. */
struct tdm_link_video_rx {
    struct tdm_session_video video;
};

#define TDM_LINK_PADDING 64

struct tdm_link {
    struct tdm_record_ring tx_audio, tx_video, rx_audio, rx_video;
    struct tdm_record_ring tx_region, rx_region;
    struct tdm_record_ring tx_data, rx_data; /* Datagrams of engine/core/reliable.h. */
    int net_wake;                            /* The net thread has something to take. */
    int video_wake;                          /* The video-out thread has. */
    int data_wake;                           /* The data channel's thread has. */
    _Atomic bool keyframe_wanted;            /* Set by net, taken by video in. */
    _Atomic bool decode_failed;              /* Set by video out, taken by net. */
    _Atomic uint64_t video_bps;              /* Set by net for video in; */
    _Atomic uint64_t video_limit_bps;        /* no more than this. 0: any. */
    _Atomic uint32_t video_frame_bytes;      /* And for the next picture no more than this. */
    _Atomic uint64_t video_told;             /* What the other side has: newest, 48 bits. */
    _Atomic uint32_t video_chains;           /* By the plan; in the next byte known_every. */
    _Atomic uint32_t video_waiting;          /* Packets that wait for the pacer. */
    _Atomic uint32_t video_fps;              /* Set by video in for net. 0: as agreed. */
    _Atomic int region_wake;                 /* Signalled for rx_region; -1: nobody takes it. */
    _Atomic bool region_keyframe_wanted;     /* As the three above, for tx_region. */
    _Atomic bool region_failed;
    _Atomic uint64_t region_bps;
    _Atomic uint32_t region_waiting; /* Or the way is full: the next picture is not coded now. */
    _Atomic tdm_time latency_budget; /* Of the call, 0: none. Set by control for net, as is */
    _Atomic uint64_t channel_bps;    /* What the data channel sends; set by control for net. */
    _Atomic uint32_t audio_loss_q16; /* What the other side loses of our audio, /65536. */
    _Atomic bool audio_joined;       /* Set by net for audio in: two blocks a packet. */
    void *storage;
};

enum tdm_err tdm_link_init(struct tdm_link *link, struct tdm_cause *cause);
void tdm_link_free(struct tdm_link *link);

#endif
