/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_SESSION_STATE_H
#define TDM_CORE_SESSION_STATE_H

/* What the session's files share: its state, and the parts of one step. Private to session*.c. */

#include "engine/base/rng.h"
#include "engine/core/arrivals.h"
#include "engine/core/assembly.h"
#include "engine/core/call_rate.h"
#include "engine/core/clock_sync.h"
#include "engine/core/loss_pattern.h"
#include "engine/core/nack.h"
#include "engine/core/pacer.h"
#include "engine/core/rate.h"
#include "engine/core/red_plan.h"
#include "engine/core/repair_plan.h"
#include "engine/core/repeat_plan.h"
#include "engine/core/rx_stats.h"
#include "engine/core/send_store.h"
#include "engine/core/sent_log.h"
#include "engine/core/session.h"
#include "engine/core/tmmbr.h"
#include "engine/core/transport_cc.h"
#include "engine/core/window_code.h"
#include "engine/core/xor_code.h"
#include "engine/core/xor_plan.h"
#include "engine/wire/rtcp.h"
#include "engine/wire/rtp.h"

#define STORE_PACKETS  512
#define FRAME_RECORDS  64 /* A power of two; frames whose packets may still be in the store. */
#define DTMF_QUEUE     32
#define RTCP_BYTES_MAX 1200
#define TRANSPORTS     (TDM_SESSION_STREAMS + 1) /* One each, and the bundle's. */
#define RTX_HEAD_BYTES 2                         /* The original sequence number. */
#define REPEATS_MAX    64
#define PARITY_WINDOW  8 /* Frames, at most. */
#define RTP_HEAD_BYTES 12
/* What a repair is longer than the longest packet it covers. */
#define PARITY_EXTRA_BYTES (RTP_HEAD_BYTES + TDM_WINDOW_HEAD_BYTES + 2)
#define ULPFEC_EXTRA_BYTES (1 + TDM_ULPFEC_HEAD_LONG) /* Behind RED's byte. */

/** The sender's half of a frame's trace, until its last packet left. */
struct frame_record {
    uint32_t frame_id;
    tdm_time captured, encode_start, encode_end, first_sent;
    struct tdm_region_mark mark;
    bool has_reference;
    uint8_t refers;
    uint16_t packets; /* So far. */
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

/** A packet that was asked for and leaves so many times more. */
struct session_repeat {
    uint16_t seq;
    uint8_t left;
    tdm_time due, gap;
};

struct session_repeats {
    struct tdm_repeat_budget budget;
    uint16_t count;
    struct session_repeat entries[REPEATS_MAX];
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
    bool talking;       /* Audio: the last packet belonged to this spurt (marker rule). */
    bool cut_off;       /* Video: the rest of this frame is dropped. */
    bool wrap;          /* Video: this picture's packets are in RED. */
    uint64_t cut_count; /* Frames of which not all was sent. */
    int64_t
        repair_from; /* Video: first packet of the latest keyframe; nothing before it is of use. */
    uint16_t picture_id;
    uint16_t frame_slot;
    struct frame_record frames[FRAME_RECORDS];
    struct dtmf_sender dtmf;
    struct tdm_red_plan red;
    struct tdm_send_store store;
    uint32_t waiting_bytes;             /* In the store, not sent yet. */
    tdm_time frame_at;                  /* When the last picture began to leave, or should have. */
    tdm_time coded_at;                  /* When one began to leave. */
    uint32_t packets_rtcp, octets_rtcp; /* As in SR: since the SSRC began. */
    uint64_t packets, bytes, resent, frame_count;
    uint64_t use_bytes, recent_bps; /* With heads: at use_at, and lately. */
    uint64_t nacks_received, plis_received;
    struct tdm_tmmbr tmmbr; /* Video: what the other side lets it send. */
    bool references_told;
    struct tdm_reference_report references;
    double remote_loss;
    tdm_time reported_at;
    uint32_t told_seq; /* As in the last report, */
    int32_t told_lost;
    double told_loss; /* and the part that was lost by that: slow mean. */
    struct session_repeats repeats;
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
    bool red; /* The last packet's payload is with copies. */
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
    bool tmmbn;          /* What bounds our rate is to be told. */
    uint64_t tmmbr_told; /* What we let the other side send, as it knows; 0: it does not. */
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

/** What is counted of the repairs of one code. */
struct session_repairs {
    uint64_t sent, sent_bytes;
    uint64_t received, mended;
    uint64_t mended_late; /* Of the packets that they gave back: of no use any more. */
    bool heard;
    tdm_time heard_at;
};

/** Repairs over a window of the packets of one sent and one received stream: the first of each that
 *  agreed to them. */
struct session_parity {
    /* Sent. */
    uint32_t ssrc;
    uint16_t seq;
    struct tdm_loss_pattern pattern;
    struct tdm_repair_plan plan;
    tdm_time saved; /* Of stalls, had another encoder coded since the start. */
    tdm_time planned_at;
    double packets; /* Of a frame, slow mean. */
    double credit;  /* Repairs that are owed, in part. */
    uint16_t
        frame_packets[PARITY_WINDOW]; /* Of the last frames; the current one's is at `frame`. */
    uint8_t frame;
    uint16_t due; /* Repairs of the last frame that are still to leave, */
    tdm_time next_at, gap;
    uint8_t bytes[TDM_RTP_PACKET_MAX];
    struct tdm_window_encoder encoder;
    /* Received. */
    uint16_t waiting_count;
    int64_t waiting[TDM_WINDOW_ROWS]; /* Packets that came back and are not looked at yet. */
    struct tdm_window_decoder decoder;
    struct session_repairs repairs;
};

/** Generic repairs of the first sent and the first received stream that agreed to them. */
struct session_ulpfec {
    /* Sent. */
    struct tdm_xor_plan plan;
    tdm_time planned_at;
    double packets;                   /* Of a picture, slow mean. */
    double credit;                    /* Repairs that are owed, in part. */
    int64_t picture_from, block_from; /* First packets; block_from -1: none is open. */
    uint8_t block_pictures;
    /* Received. */
    uint8_t waiting_count;
    int64_t waiting[TDM_XOR_ROWS];
    struct tdm_xor_decoder decoder;
    struct session_repairs repairs;
};

/** What the packets of one transport share. */
struct tdm_transport {
    struct tdm_transport_cc_in in;
    struct tdm_arrivals arrivals;
    uint16_t next_number; /* Transport-wide. */
    uint8_t bytes[RTCP_BYTES_MAX];
};

struct tdm_session {
    struct tdm_session_config config;
    struct tdm_rng rng;
    struct tdm_rng
        web_rng; /* For what browsers need beside, so that calls without it stay as seeded. */
    struct tdm_clock_sync clock;
    struct tdm_call_rate rate;
    struct tdm_call_rate_out rate_out;
    struct tdm_sent_log sent_log;
    uint64_t marked;      /* Packets that came marked. */
    bool marks_fail;      /* Since packets were marked nothing came: somebody drops them. */
    tdm_time tail_at;     /* When the last packet was sent once more, as nothing was told, */
    tdm_time probe_at;    /* When the way was measured with repairs, last. */
    tdm_time use_at;      /* When what each stream sends was looked at last. */
    uint64_t channel_bps; /* What the data channel sends. */
    uint8_t tail_count;   /* and how often since something was. */
    struct tdm_pacer pacer;
    struct session_parity parity;
    struct session_ulpfec ulpfec;
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
size_t tdm_session_payload_max(const struct tdm_stream *st);
/* Header and extensions, those that tell of the sending still empty, in front of the payload of a
 * reserved packet, which is then committed. */
void tdm_session_finish_packet(struct tdm_stream *st, struct tdm_send_packet *p,
                               uint8_t payload_type, uint32_t timestamp, const uint8_t *payload,
                               size_t payload_size, bool timed);
void tdm_session_flush(struct tdm_session *s, tdm_time now, struct tdm_session_out *out);

/* session_receive.c: packets in, units out. */
void tdm_session_take_rtp(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          const struct tdm_session_in *in, const struct tdm_rtp *rtp,
                          struct tdm_session_out *out);
bool tdm_session_is_repair(const struct tdm_stream *st, uint8_t payload_type);
/* A packet of the running source that came another way than by itself. */
void tdm_session_take_again(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            const struct tdm_session_in *in, const struct tdm_rtp *rtp, int64_t seq,
                            struct tdm_session_out *out);
/* A packet that repairs gave back; it must be the one that its number says, or somebody errs. */
void tdm_session_take_mended(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                             const uint8_t *data, uint16_t size, int64_t seq,
                             struct session_repairs *repairs, struct tdm_session_out *out);
/* A packet of the source that is of no picture, but has a number. */
void tdm_session_take_empty(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            const struct tdm_session_in *in, const struct tdm_rtp *rtp, int64_t seq,
                            int64_t rtp_time, struct tdm_session_out *out);
bool tdm_session_knows_type(const struct tdm_stream *st, uint8_t payload_type);
void tdm_session_run_receiver(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                              const struct tdm_assembly_in *in, struct tdm_session_out *out);
void tdm_session_run_receiver_timers(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                                     struct tdm_session_out *out);

/* session_parity.c: repairs over a window of packets (docs/repair.md). */
void tdm_session_parity_init(struct tdm_session *s, tdm_time now);
bool tdm_session_is_parity(const struct tdm_stream *st, uint8_t payload_type);
/* The part of what pictures may cost that repairs take. */
double tdm_session_parity_part(const struct tdm_session *s, const struct tdm_stream *st);
void tdm_session_parity_acks(struct tdm_session *s, const struct tdm_ack *acks, uint32_t count);
/* A packet left for the first time. */
void tdm_session_parity_sent(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                             const struct tdm_send_packet *p);
/* So many repairs at once, as a burst to measure the way with; false: there are none to be had. */
bool tdm_session_parity_probe(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                              uint16_t count);
/* Sends what is due; false when the pacer or `out` has no room. */
bool tdm_session_flush_parity(struct tdm_session *s, tdm_time now, struct tdm_session_out *out);
/* A packet of media came; `restarted`: those before it are of another source. */
void tdm_session_parity_came(struct tdm_session *s, const struct tdm_stream *st,
                             const struct tdm_session_in *in, int64_t seq, bool restarted);
void tdm_session_take_parity(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                             const struct tdm_session_in *in, const struct tdm_rtp *rtp);
/* Looks at the packets that came back, as far as `out` has room for a unit. */
void tdm_session_run_parity(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            struct tdm_session_out *out);
bool tdm_session_sends_parity(const struct tdm_session *s, const struct tdm_stream *st);
bool tdm_session_takes_parity(const struct tdm_session *s, const struct tdm_stream *st);

/* session_repairs.c: what both codes of repairs have in common. */
/* A gap of so much more than a frame is a stall. */
#define REPAIR_PATIENCE (150 * TDM_MS)
bool tdm_session_may_mend(const struct tdm_stream *st);
tdm_time tdm_session_frame_interval(const struct tdm_stream *st);
void tdm_session_repair_came(struct session_repairs *repairs, tdm_time now);
/* How long the first request for a packet waits for what may make it unneeded. */
void tdm_session_hold_requests(struct tdm_session *s, struct tdm_stream *st, tdm_time now);
void tdm_session_repairs_stats(const struct tdm_session *s, const struct tdm_stream *st,
                               struct tdm_stream_stats *stats);

/* session_repeat.c: what the way does to a stream, and repetitions that leave more than once. */
void tdm_session_take_losses(struct tdm_stream *st, const struct tdm_rtcp_report *report);
void tdm_session_path(const struct tdm_session *s, const struct tdm_stream *st,
                      struct tdm_repair_path *path);
/* A packet was asked for and will leave again; the first of its repetitions is in the store. */
void tdm_session_repeat(struct tdm_session *s, struct tdm_stream *st, tdm_time now, uint16_t seq);
void tdm_session_run_repeats(struct tdm_stream *st, tdm_time now, struct tdm_session_out *out);

/* session_ulpfec.c: generic repairs, for those who do not speak of windows (docs/repair.md). */
void tdm_session_ulpfec_init(struct tdm_session *s, tdm_time now);
bool tdm_session_is_ulpfec(const struct tdm_stream *st, uint8_t payload_type);
bool tdm_session_is_ulpfec_red(const struct tdm_stream *st, uint8_t payload_type);
/* The part of what pictures may cost that repairs take. */
double tdm_session_ulpfec_part(const struct tdm_session *s, const struct tdm_stream *st);
/* A picture begins; whether its packets are to be wrapped. */
bool tdm_session_ulpfec_begin(struct tdm_session *s, const struct tdm_stream *st, tdm_time now);
/* It ended: repairs behind it, when its block is full. */
void tdm_session_ulpfec_end(struct tdm_session *s, struct tdm_stream *st);
/* A packet of media came, out of RED or without. */
void tdm_session_ulpfec_came(struct tdm_session *s, const struct tdm_stream *st,
                             const struct tdm_session_in *in, const struct tdm_rtp *rtp,
                             int64_t seq, bool restarted);
/* A repair of the running source. */
void tdm_session_take_ulpfec(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                             const struct tdm_rtp *rtp, int64_t seq);
/* Looks at the packets that came back, as far as `out` has room for a unit. */
void tdm_session_run_ulpfec(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            struct tdm_session_out *out);
bool tdm_session_sends_ulpfec(const struct tdm_session *s, const struct tdm_stream *st);
bool tdm_session_takes_ulpfec(const struct tdm_session *s, const struct tdm_stream *st);

/* session_rtcp.c */
void tdm_session_take_rtcp(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                           const struct tdm_session_in *in, struct tdm_session_out *out);
void tdm_session_run_rtcp(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          struct tdm_session_out *out);

/* What came of the other side's pictures, if it marks them. */
void tdm_session_write_references(struct tdm_stream *st, struct tdm_writer *w);
#define REFERENCES_BYTES 24

/* session_rate.c: what pictures may cost, and what is told of their packets. */
void tdm_session_limit_rate(struct tdm_session *s, const struct tdm_stream *st, tdm_time now);
void tdm_session_follow_rate(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                             const struct tdm_call_rate_in *in);
/* A packet leaves for the first time, or wrapped anew; `number` transport-wide or
 * TDM_SENT_LOG_NONE. */
void tdm_session_log_packet(struct tdm_session *s, const struct tdm_stream *st, tdm_time now,
                            const uint8_t *bytes, uint16_t size, int32_t number);
/* The same bytes leave again. */
void tdm_session_log_again(struct tdm_session *s, const struct tdm_stream *st,
                           const struct tdm_send_packet *p);
void tdm_session_take_ccfb(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                           const struct tdm_ccfb_reader *feedback);
void tdm_session_take_transport_cc(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                                   const struct tdm_twcc_reader *feedback);
/* When the next packet of pictures may leave: by the pacer, and by what is under way. */
tdm_time tdm_session_when(struct tdm_session *s, tdm_time now);
/* A picture begins to leave. */
void tdm_session_begin_picture(struct tdm_session *s, struct tdm_stream *st, tdm_time now);
/* Once for all streams. */
void tdm_session_follow_use(struct tdm_session *s, tdm_time now);
/* Those that were not coded count, too. */
void tdm_session_run_rate(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                          struct tdm_session_out *out);

/* session_transport.c: which stream a packet is for, and transport-wide numbers and feedback. */
void tdm_session_take_datagram(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                               const struct tdm_session_in *in, struct tdm_session_out *out);
void tdm_session_run_transports(struct tdm_session *s, tdm_time now, struct tdm_session_out *out);
/* Gives the packet its transport-wide number, at `at` in `bytes`; TDM_SENT_LOG_NONE: it has none.
 */
int32_t tdm_session_number(struct tdm_session *s, const struct tdm_stream *st, uint8_t *bytes,
                           uint16_t at);

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
