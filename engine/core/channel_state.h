/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_CHANNEL_STATE_H
#define TDM_CORE_CHANNEL_STATE_H

/*
 * What the files of the channel core share: channel.c (one step), channel_send.c (what to send
 * next), channel_receive.c (a record that arrived), channel_resume.c (preface, and what goes on
 * after a break), channel_streams.c (the table of streams). Nobody else includes it.
 */

#include "engine/base/rng.h"
#include "engine/core/channel.h"
#include "engine/core/channel_window.h"

#define TDM_CHANNEL_REFUSED_MAX 8
#define TDM_CHANNEL_LOST_AFTER  (12 * TDM_S) /* Without a byte. */
#define TDM_CHANNEL_ACK_BYTES   8192         /* Acknowledged together at most, unless much comes. */

struct tdm_channel_stream {
    bool used, ours;
    uint32_t id, kind;
    enum tdm_channel_class cls;
    /* What we send. */
    bool open_due; /* OPEN has to go first. */
    bool ready, fin_sent, fin_acked;
    uint64_t sent, acked, limit;
    /* What we receive. */
    bool fin_received, fin_reported;
    uint64_t received, consumed;
    uint64_t window, granted, reported; /* Credit; what the last CREDIT said had arrived. */
    tdm_time credit_due, credit_at;     /* When the next CREDIT goes, and when the last went. */
    /* Giving up. */
    bool reset_due, reset_sent, reset_received;
    /* Events that wait for a step of their own. */
    bool tell_acked, tell_rewind, tell_reset;
};

struct tdm_channel {
    struct tdm_channel_config config;
    struct tdm_rng rng;
    const char *failed;
    bool failed_told;

    /* The session, over all its connections. */
    bool peer_known;
    uint8_t peer_token[TDM_CHANNEL_TOKEN_BYTES];
    uint64_t peer_window_bytes; /* Credit that the other side gives a new stream. */
    struct tdm_channel_stream streams[TDM_CHANNEL_STREAMS_MAX]; /* [0] is stream 0. */
    uint32_t next_id, highest_peer_id;
    uint32_t refused[TDM_CHANNEL_REFUSED_MAX]; /* Opened where there is no place: to be reset. */
    uint8_t refused_count;

    /* This connection. */
    bool connected, preface_sent, preface_received, resume_sent, resume_received, resumed;
    bool up, up_due, lost_told;
    uint32_t room_bytes;
    tdm_time heard_at, pinged_at;
    bool grease_due;
    uint8_t partial[TDM_CHANNEL_RECORD_MAX]; /* Of a record whose rest has not arrived. */
    size_t partial_size;
    struct {
        uint64_t counted, told;     /* Bytes that arrived; of these acknowledged. */
        tdm_time since, arrived_at; /* The oldest that is not acknowledged; the newest. */
        tdm_time period_at;
        uint64_t period_bytes, every_bytes; /* How many bytes one ACK is for. */
    } inbound;

    /* What goes next. */
    struct tdm_channel_window window;
    uint64_t floor_x16; /* What classes that wait have earned, times 16. */
    bool others_wait, floors_turn;
    bool file_alone;
    tdm_time others_at;                      /* When a class before the last one sent. */
    uint64_t turns, served[TDM_CLASS_COUNT]; /* When a class was last served, in turns. */
    uint8_t last_of_class[TDM_CLASS_COUNT];  /* Streams of one class take turns. */
    struct tdm_channel_stream *pulling;      /* The next input is its DATA. */
    uint32_t pull_max;
    struct {
        uint64_t rate_bps; /* 0: no call. */
        double tokens_bytes;
        tdm_time at;
    } budget;

    struct tdm_channel_stats stats;
};

/* channel.c */
/** The first reason stays. */
void tdm_channel_fail(struct tdm_channel *c, const char *why);

/* channel_streams.c */
struct tdm_channel_stream *tdm_channel_find(struct tdm_channel *c, uint32_t id);
/** NULL: `ours` (or the other side) has as many as it may. */
struct tdm_channel_stream *tdm_channel_add(struct tdm_channel *c, bool ours, uint32_t id);
/** Frees the stream's place when both sides are through with it and its owner has been told. */
void tdm_channel_free_if_over(struct tdm_channel_stream *s);
bool tdm_channel_is_ours(const struct tdm_channel *c, uint32_t id);
/** Classes 0 and 2 neither need credit nor give it. */
static inline bool tdm_channel_by_credit(const struct tdm_channel_stream *s)
{
    return s->cls != TDM_CLASS_CONTROL && s->cls != TDM_CLASS_LATEST;
}
/** More has arrived or been consumed: when does the other side have to know? */
void tdm_channel_plan_credit(struct tdm_channel_stream *s, tdm_time now);
/** As the CREDIT that is about to go says it; grows the window of a stream that is consumed as fast
 *  as it comes. */
struct tdm_credit tdm_channel_credit_of(struct tdm_channel *c, struct tdm_channel_stream *s,
                                        tdm_time now);

/* channel_send.c */
/** Writes a control record, or pulls, or leaves `out` as it is. */
void tdm_channel_send_next(struct tdm_channel *c, tdm_time now, bool may_pull,
                           struct tdm_channel_out *out);
void tdm_channel_send_data(struct tdm_channel *c, tdm_time now, const struct tdm_channel_in *in,
                           struct tdm_channel_out *out);
/** Records the one that `out` holds as written. */
void tdm_channel_wrote(struct tdm_channel *c, tdm_time now, uint8_t type,
                       const struct tdm_channel_out *out);
/** Writes one record of `body` into `out` and accounts for it. */
void tdm_channel_write(struct tdm_channel *c, tdm_time now, const struct tdm_record_head *head,
                       const void *body, struct tdm_channel_out *out);
void tdm_channel_plan_wake(const struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out);
bool tdm_channel_ack_due(const struct tdm_channel *c, tdm_time now);

/* channel_receive.c */
/** Takes bytes up to the end of one record. */
void tdm_channel_receive(struct tdm_channel *c, tdm_time now, const struct tdm_channel_in *in,
                         struct tdm_channel_out *out);

/* channel_resume.c */
void tdm_channel_connected(struct tdm_channel *c, tdm_time now);
void tdm_channel_disconnected(struct tdm_channel *c);
void tdm_channel_take_preface(struct tdm_channel *c, const uint8_t *body, size_t size);
void tdm_channel_take_resume(struct tdm_channel *c, tdm_time now, const uint8_t *body, size_t size);
/** Writes PREFACE or RESUME, if it is their turn. */
void tdm_channel_greet(struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out);

#endif
