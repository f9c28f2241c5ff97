/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_SESSION_STATE_H
#define TDM_CORE_SESSION_STATE_H

/* What the session's files share: its state, and the parts of one step. Private to session*.c. */

#include "engine/base/rng.h"
#include "engine/core/assembly.h"
#include "engine/core/clock_sync.h"
#include "engine/core/nack.h"
#include "engine/core/pacer.h"
#include "engine/core/rate.h"
#include "engine/core/rx_stats.h"
#include "engine/core/send_store.h"
#include "engine/core/session.h"
#include "engine/core/transport_cc.h"
#include "engine/wire/rtp.h"

#define STORE_PACKETS  512
#define FRAME_RECORDS  64 /* A power of two; frames whose packets may still be in the store. */
#define DTMF_QUEUE     32
#define RTCP_BYTES_MAX 1200
#define TRANSPORTS     (TDM_SESSION_STREAMS + 1) /* One each, and the bundle's. */
#define RTX_HEAD_BYTES 2                         /* The original sequence number. */

/** The sender's half of a frame's trace, until its last packet left. */
struct frame_record {
    uint32_t frame_id;
    tdm_time captured, encode_start, encode_end, first_sent;
    struct tdm_region_mark mark;
};

struct dtmf_sender {
    bool active;
    int event;
    uint32_t timestamp;
    tdm_time start, until, next_at;
    uint8_t ends_sent;
    uint8_t queued;
    char queue[DTMF_QUEUE];
    tdm_time queue_durations[DTMF_QUEUE];
};

struct stream_sender {
    uint32_t ssrc;
    uint32_t rtx_ssrc;
    uint16_t rtx_seq;
    uint32_t rtp_base; /* Random start of the timestamps. */
    int64_t rtp_next;  /* Audio: timestamp of the next frame, without the base. */
    int64_t rtp_last;  /* Last frame's; audio: the one captured at last_captured. */
    bool rtp_started;
    tdm_time capture_error; /* Audio: capture clock less sample clock, slowly following. */
    tdm_time last_captured;
    bool talking; /* Audio: the last packet belonged to this spurt (marker rule). */
    bool cut_off; /* Video: the rest of this frame is dropped. */
    int64_t
        repair_from; /* Video: first packet of the latest keyframe; nothing before it is of use. */
    uint16_t picture_id;
    uint16_t frame_slot;
    struct frame_record frames[FRAME_RECORDS];
    struct dtmf_sender dtmf;
    struct tdm_send_store store;
    uint32_t packets_rtcp, octets_rtcp; /* As in SR: since the SSRC began. */
    uint64_t packets, bytes, resent, frame_count;
    uint64_t nacks_received, plis_received;
    double remote_loss;
    tdm_time reported_at;
};

struct stream_receiver {
    bool has_source;
    uint32_t ssrc;
    uint32_t other_ssrc; /* A source that would take over when it sends a second packet. */
    uint8_t other_count;
    bool has_rtx_source;
    uint32_t rtx_ssrc;
    uint8_t payload_type;
    uint8_t channels;
    enum tdm_codec_id codec;
    uint32_t hz;
    bool fresh;   /* The next unit is the first of its source. */
    bool resting; /* On hold, or anew: what comes next is a new start. */
    struct tdm_rx_stats stats;
    struct tdm_nack nack;
    struct tdm_rate allowed;                /* What we let the other side send: REMB. */
    int64_t allowed_expected, allowed_lost; /* When it was looked at last. */
    tdm_time nack_wake, assembly_wake;
    bool gave_up; /* The nack core abandoned a packet; the assembly is not told yet. */
    struct tdm_assembly *assembly; /* Video; laid out when the codec is known. */
    void *assembly_storage;
    uint64_t sr_ntp; /* Last SR's stamp, 0 = none. */
    tdm_time sr_arrival;
    int64_t sr_rtp_time; /* Extended. */
    bool sr_maps;        /* The SR is of the running media's RTP clock. */
    uint64_t rrtr_ntp;   /* Last RRTR's stamp, 0 = none to answer; and whose. */
    uint32_t rrtr_ssrc;
    tdm_time rrtr_arrival;
    bool dtmf_seen;
    uint32_t dtmf_timestamp;
    uint64_t packets, bytes, refused, nacks_sent, plis_sent, frames, keyframes;
    tdm_time last_received;
};

/** RTCP that waits to leave with the next compound packet of the stream. */
struct stream_rtcp {
    tdm_time due;
    uint8_t sent_count; /* Of the quick ones at the start. */
    bool pli;
    uint8_t fir_seq;
    bool bye;
    uint16_t nack_count;
    uint16_t nacks[TDM_NACK_MISSING_MAX];
    uint8_t bytes[RTCP_BYTES_MAX];
};

struct tdm_stream {
    bool active;
    struct tdm_stream_stats past; /* Totals of the streams that had this place before. */
    struct tdm_stream_config config;
    struct stream_sender tx;
    struct stream_receiver rx;
    struct stream_rtcp rtcp;
    struct tdm_send_packet packets[STORE_PACKETS];
};

/** What the packets of one transport share. */
struct tdm_transport {
    struct tdm_transport_cc_in in;
    struct tdm_transport_cc_out out;
    uint8_t bytes[RTCP_BYTES_MAX];
};

struct tdm_session {
    struct tdm_session_config config;
    struct tdm_rng rng;
    struct tdm_rng
        web_rng; /* For what browsers need beside, so that calls without it stay as seeded. */
    struct tdm_clock_sync clock;
    struct tdm_rate rate;
    uint64_t video_bps;
    struct tdm_pacer pacer;
    struct tdm_stream streams[TDM_SESSION_STREAMS];
    struct tdm_transport transports[TRANSPORTS];
    uint8_t rtx[TDM_SESSION_SENDS_MAX][TDM_RTP_PACKET_MAX]; /* Wrapped repairs of this step. */
};

/* session_send.c: coded media to packets, and packets out. */
void tdm_session_take_audio(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            const struct tdm_session_in *in);
void tdm_session_take_slice(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            const struct tdm_session_in *in, struct tdm_session_out *out);
/* The RTP time that belongs to `now`, so that a receiver can map RTP to NTP time. */
int64_t tdm_session_rtp_now(const struct tdm_stream *st, tdm_time now);
void tdm_session_take_dtmf(struct tdm_stream *st, tdm_time now, const struct tdm_session_in *in);
void tdm_session_run_dtmf(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          struct tdm_session_out *out);
void tdm_session_flush(struct tdm_session *s, tdm_time now, struct tdm_session_out *out);

/* session_receive.c: packets in, units out. */
void tdm_session_take_rtp(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          const struct tdm_session_in *in, const struct tdm_rtp *rtp,
                          struct tdm_session_out *out);
bool tdm_session_is_repair(const struct tdm_stream *st, uint8_t payload_type);
bool tdm_session_knows_type(const struct tdm_stream *st, uint8_t payload_type);
void tdm_session_run_receiver(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                              const struct tdm_assembly_in *in, struct tdm_session_out *out);
void tdm_session_run_receiver_timers(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                                     struct tdm_session_out *out);

/* session_rtcp.c */
void tdm_session_take_rtcp(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                           const struct tdm_session_in *in, struct tdm_session_out *out);
void tdm_session_follow_rate(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                             const struct tdm_rate_in *in);
void tdm_session_run_rtcp(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          struct tdm_session_out *out);

/* session_transport.c: which stream a packet is for, and transport-wide numbers and feedback. */
void tdm_session_take_datagram(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                               const struct tdm_session_in *in, struct tdm_session_out *out);
void tdm_session_take_transport_cc(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                                   const struct tdm_twcc_reader *feedback);
void tdm_session_run_transports(struct tdm_session *s, tdm_time now, struct tdm_session_out *out);
/* Gives the packet its transport-wide number, at `at` in `bytes`. */
void tdm_session_number(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                        uint8_t *bytes, uint16_t size, uint16_t at);

/* The first of the streams that share a line names its transport. */
static inline struct tdm_transport *tdm_transport_of(struct tdm_session *s,
                                                     const struct tdm_stream *st)
{
    const struct tdm_stream *first = s->streams;

    if (st->config.bundled)
        return &s->transports[TDM_SESSION_STREAMS];
    while (st->config.line && first < st &&
           !(first->active && first->config.line == st->config.line))
        first++;
    return &s->transports[(st->config.line ? first : st) - s->streams];
}

static inline uint8_t tdm_stream_index(const struct tdm_session *s, const struct tdm_stream *st)
{
    return (uint8_t)(st - s->streams);
}

static inline void tdm_session_wake(struct tdm_session_out *out, tdm_time at, const char *why)
{
    if (at < out->wake_at) {
        out->wake_at = at;
        out->wake_why = why;
    }
}

#endif
