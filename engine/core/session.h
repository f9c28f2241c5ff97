/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_SESSION_H
#define TDM_CORE_SESSION_H

/*
 * One call's media as a step core: everything between coded frames and datagrams, for all streams
 * of the call. Decides when each packet leaves, what is asked for again, which frame is whole, how
 * the clocks stand, and what each video stream may cost. Does not code, play, show, open a socket
 * or know SIP.
 *
 * Owned by the net thread (engine/net.c), or by sim/call.c in virtual time: the same code.
 *
 *   for each event:   tdm_session_step(s, now, &in, &out); perform(out);
 *                     while (out.wake_at <= now) { tdm_session_step(s, now, NULL, &out);
 * perform(out); }
 */

#include "engine/base/codec_id.h"
#include "engine/base/time.h"
#include "engine/base/trace.h"
#include "engine/wire/ccfb.h"
#include "engine/wire/reference_mark.h"
#include "engine/wire/region_mark.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_SESSION_STREAMS   4
#define TDM_SESSION_SENDS_MAX 64
#define TDM_SESSION_PTS_MAX   24

/** One payload type that may come in. */
struct tdm_receive_codec {
    uint8_t payload_type;
    enum tdm_codec_id id;
    uint32_t rtp_hz;
    uint8_t channels; /* As in a=rtpmap: two for every Opus. */
    uint8_t red_type; /* The payload type of itself with copies (RFC 2198); 0 = none. */
};

/** A payload type of repairs (RFC 4588), and whose packets they wrap. */
struct tdm_receive_rtx {
    uint8_t payload_type;
    uint8_t of; /* A payload type of receive_codecs. */
};

/** What negotiation settled for one stream. Reconfiguring a running stream keeps its SSRC and
 *  sequence; changing the sent codec or the received codec restarts only that direction's media. */
struct tdm_stream_config {
    enum tdm_media_kind kind;
    bool send, receive;
    enum tdm_codec_id send_codec;
    uint8_t send_payload_type;
    uint32_t send_hz; /* RTP clock. */
    uint8_t receive_count;
    struct tdm_receive_codec receive_codecs[TDM_SESSION_PTS_MAX];
    uint8_t dtmf_payload_type; /* To send RFC 4733 events with; 0 = none agreed. */
    uint32_t dtmf_hz;
    bool nack, pli, fir; /* Feedback that both sides agreed on. */
    bool tmmbr;          /* Either side may say what the other may send (RFC 5104). */
    bool remb;           /* We tell what may be sent to us, unless transport_cc is better. */
    bool transport_cc;   /* Transport-wide feedback, both ways. */
    bool ccfb;           /* Feedback by RFC 8888, both ways; transport_cc is not agreed then. */
    uint8_t send_parity_type, receive_parity_type; /* Repairs over a window; 0 = not agreed. */
    /* Generic repairs (RFC 5109) and what wraps them and the pictures meanwhile (RFC 2198); both or
     * none, and none where repairs over a window are agreed. */
    uint8_t send_ulpfec_type, send_ulpfec_red_type;
    uint8_t receive_ulpfec_type, receive_ulpfec_red_type;
    bool reduced_rtcp;           /* Feedback may stand alone (RFC 5506). */
    bool ecn;                    /* With ccfb: packets may leave marked ECT(1) (RFC 9331). */
    uint8_t timing_ext_id;       /* Our frame timing extension, 0 = not agreed. */
    uint8_t transport_cc_ext_id; /* 0 = not agreed. */
    uint8_t mid_ext_id;          /* RFC 8843 section 15; 0 = not agreed. */
    char mid[17];                /* Of its m= line; longer ones are not sent. */
    bool bundled; /* Shares one transport with the other bundled streams: a datagram that comes in
                     for one of them may be any one's (RFC 8843 section 9.2). */
    uint8_t line; /* Streams of the same line share its transport; 0: it has one of its own. */
    uint8_t mark_ext_id; /* Packets carry engine/wire/region_mark.h, and of its line those that do
                            are this stream's; 0: they do not. */
    uint8_t reference_ext_id; /* Pictures are marked by engine/wire/reference_mark.h, and what came
                                 of them is told; 0 = not agreed. */
    uint8_t refer_reach, refer_chains; /* What our encoder can do: struct tdm_reference_reach. */
    uint8_t refer_elsewhere;           /* Chains of another agreed codec's encoder; 0: none. */
    uint8_t send_red_payload_type; /* Voice may go out with copies (RFC 2198); 0 = it may not. */
    uint8_t send_rtx_payload_type; /* Repairs are wrapped (RFC 4588); 0 = sent as they were. */
    uint8_t receive_rtx_count;
    struct tdm_receive_rtx receive_rtx[TDM_SESSION_PTS_MAX];
    uint32_t receive_limit_bps; /* Most that we tell by REMB; 0 = 8 Mbit/s. */
    uint8_t h264_mode;          /* packetization-mode we may send: 0 or 1. */
    uint32_t limit_bps;         /* Most that this stream may send. */
    uint32_t fps;
};

enum tdm_session_in_kind {
    TDM_SESSION_CONFIGURE,
    TDM_SESSION_DATAGRAM,
    TDM_SESSION_AUDIO_FRAME,
    TDM_SESSION_VIDEO_SLICE,
    TDM_SESSION_DTMF,
    TDM_SESSION_DECODE_FAILED,
    TDM_SESSION_BESIDE,  /* What else of the call goes the way of the pictures. */
    TDM_SESSION_LATENCY, /* The call's latency budget: pictures bear a shorter queue. */
    TDM_SESSION_BYE,
};

struct tdm_session_in {
    enum tdm_session_in_kind kind;
    uint8_t stream;
    union {
        const struct tdm_stream_config *configure; /* NULL: the stream is gone. */
        struct {
            const uint8_t *data;
            size_t size;
            tdm_time received; /* Kernel receive time, local clock. */
            enum tdm_ecn ecn;  /* As it came. */
        } datagram;
        struct {
            const uint8_t *payload;
            size_t size;
            uint32_t samples_rtp; /* Duration in RTP units. */
            tdm_time captured;    /* Of its first sample. */
            tdm_time encode_start, encode_end;
        } audio;
        struct {
            const uint8_t *data; /* As in struct tdm_slice; may be empty when `last`. */
            size_t size;
            bool first, last, keyframe;
            uint32_t frame_id;
            struct tdm_region_mark mark; /* Where mark_ext_id says so. */
            bool has_reference;          /* The encoder says what the picture refers to: */
            uint8_t refers;              /* as in struct tdm_reference_mark, by frame_id. */
            tdm_time captured, encode_start;
            tdm_time encode_end; /* On the last slice. */
        } slice;
        struct {
            char digit;
            tdm_time duration;
        } dtmf;
        uint64_t beside_bps;     /* Of the data channel, as sent lately. */
        tdm_time latency_budget; /* 0: none. */
    };
};

struct tdm_session_send {
    uint8_t stream;
    bool rtcp;
    uint16_t size;
    const uint8_t *data; /* Valid until the next step. */
};

enum tdm_session_unit { TDM_UNIT_NONE, TDM_UNIT_AUDIO, TDM_UNIT_VIDEO, TDM_UNIT_DTMF };

struct tdm_session_audio {
    enum tdm_codec_id codec;
    uint32_t rtp_hz;
    uint8_t channels;           /* Of the payload type. */
    int64_t seq, rtp_time;      /* Extended. */
    bool restarted;             /* A new source or sequence: the playout starts anew. */
    tdm_time arrival, captured; /* Local clock; captured TDM_NEVER while not known. */
    tdm_time encode_end;        /* Sender's, on the local clock, or TDM_NEVER. */
    bool red;                   /* The payload is engine/wire/red.h's. */
    const uint8_t *payload;
    uint16_t size;
};

struct tdm_session_video {
    enum tdm_codec_id codec;
    const uint8_t *data;
    size_t size;
    bool keyframe;
    int64_t rtp_time;
    bool marked;
    struct tdm_region_mark mark;
    struct tdm_frame_trace trace; /* Sender's stages mapped to the local clock where known. */
};

struct tdm_session_out {
    uint32_t send_count;
    struct tdm_session_send sends[TDM_SESSION_SENDS_MAX];

    enum tdm_session_unit unit; /* At most one received unit a step. */
    uint8_t unit_stream;
    union {
        struct tdm_session_audio audio;
        struct tdm_session_video video;
        char digit;
    };

    uint8_t keyframe_wanted; /* Bit per stream: the other side needs a keyframe of ours. */
    uint8_t
        frame_dropped; /* Bit per stream: the slice did not fit the send store (next frame: key). */
    bool bye;          /* The other side left (RTCP BYE). */
    tdm_time wake_at;
    const char *wake_why;
};

/** Running totals of a stream. Video counts frames where audio counts packets. */
struct tdm_stream_stats {
    uint64_t packets_sent, bytes_sent, packets_resent, frames_sent;
    uint64_t frames_cut; /* Coded and not sent whole: there was no room to keep them. */
    uint64_t packets_received, bytes_received, frames_received, keyframes_received;
    uint64_t packets_refused; /* Wrong payload type, malformed, or from nowhere. */
    int64_t packets_lost;     /* As we receive. */
    uint64_t nacks_sent, nacks_received, plis_sent, plis_received, repaired;
    uint64_t parity_sent, parity_bytes, parity_received; /* Packets, bytes, packets. */
    uint64_t frames_jumped;       /* Pictures that could be had in spite of a hole before them. */
    uint64_t mended, mended_late; /* Packets that parity gave back; of these, of no use any more. */
    uint64_t frames_dropped;      /* Received whole but useless, or given up. */
    double jitter_ms;
    double remote_loss;              /* Fraction that the other side reports of what we send. */
    enum tdm_codec_id receive_codec; /* Of the last packet; TDM_CODEC_NONE: none yet. */
    tdm_time last_received;          /* TDM_NEVER: never. */
    tdm_time last_reported; /* When the other side said what it has of ours; TDM_NEVER: never. */
    uint64_t target_bps;    /* What it may send, in the mean; */
    uint64_t limit_bps; /* and what a picture's share is reckoned from: the most that it may send
                           where tdm_session_frame_bytes says more, else the same. */
    uint32_t packets_waiting; /* For the pacer: over a frame's worth, the next frame should be
                                 skipped. */
};

struct tdm_session_config {
    tdm_time wall_offset; /* Wall clock (Unix) minus monotonic, at the start. */
    uint64_t seed;        /* For SSRCs, sequence starts and RTCP intervals. */
    char cname[32];
};

struct tdm_session;

size_t tdm_session_bytes(void);
struct tdm_session *tdm_session_init(void *storage, const struct tdm_session_config *config,
                                     tdm_time now);

/** `in` NULL: only time has passed. `out` is overwritten. */
void tdm_session_step(struct tdm_session *s, tdm_time now, const struct tdm_session_in *in,
                      struct tdm_session_out *out);

void tdm_session_stats(const struct tdm_session *s, uint8_t stream, struct tdm_stream_stats *stats);

/** By what the pictures of a sent stream refer to others (references.h). */
struct tdm_session_references {
    bool agreed; /* With the other side; the encoder can do it. */
    bool told;
    struct tdm_reference_report report;
    uint8_t chains, known_every; /* Of the plan. */
    bool better_elsewhere; /* With `refer_elsewhere` chains pictures would have stood still for
                              less time, by more than it costs to change. */
};

void tdm_session_references(const struct tdm_session *s, uint8_t stream,
                            struct tdm_session_references *references);

/** Packets of a stream that wait for the pacer. */
uint32_t tdm_session_waiting(const struct tdm_session *s, uint8_t stream);

/** The stream sends so many pictures a second from now on; 0: as it was. */
void tdm_session_follow_fps(struct tdm_session *s, uint8_t stream, uint32_t fps);

/** What a picture of a stream that is coded now may cost, without headers; 0: it is better not
 *  coded. UINT32_MAX: go by target_bps. */
uint32_t tdm_session_frame_bytes(const struct tdm_session *s, uint8_t stream, tdm_time now);

/** The part of what all pictures may have that a stream's may: a region of a screen comes before
 *  the camera, which has what is left, and a quarter at least. */
double tdm_session_picture_part(const struct tdm_session *s, uint8_t stream, tdm_time now);

/** By what the rate of the pictures is found. */
enum tdm_session_rate_mode {
    TDM_SESSION_RATE_REPORTS, /* Receiver reports; of the way nothing more is known. */
    TDM_SESSION_RATE_START,   /* Feedback on each packet; the way's capacity is not known yet. */
    TDM_SESSION_RATE_NORMAL,
    TDM_SESSION_RATE_CROWD,   /* Among others that give way, too. */
    TDM_SESSION_RATE_COEXIST, /* Somebody else keeps the queue full. */
};

/** What is known of the way (docs/rate.md). */
struct tdm_session_rate {
    enum tdm_session_rate_mode mode;
    uint64_t target_bps, limit_bps;
    uint64_t capacity_bps;   /* What the bottleneck lets pass of pictures; 0: not known. */
    uint64_t acked_bps;      /* What arrives. */
    tdm_time queue, rtt_min; /* rtt_min TDM_NEVER: not known. */
    uint64_t inflight_bytes; /* Under way, */
    uint32_t window_bytes;   /* of so many at most. */
    bool ecn;                /* Packets should leave marked ECT(1). */
    uint64_t marked;         /* That came marked. */
};

void tdm_session_rate_of(const struct tdm_session *s, struct tdm_session_rate *rate);

/** Round trip now, shortest round trip, and the other side's clock minus ours; false while unknown.
 */
bool tdm_session_clock(const struct tdm_session *s, tdm_time *rtt, tdm_time *rtt_min,
                       tdm_time *offset);

#endif
