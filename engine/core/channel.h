/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_CHANNEL_H
#define TDM_CORE_CHANNEL_H

/*
 * The data channel: many streams over one ordered, encrypted byte stream, each at its class of
 * priority. Pure: bytes that arrived go in, records to write come out, one a step. It decides which
 * stream may send next and how much (strict priority with a small floor, credit of each stream, and
 * a window for the whole connection that follows what the other side says it has consumed), and
 * what a broken connection takes up again. It keeps no data of the streams: it pulls from them at
 * the moment when the bytes may leave, so that what is sent is never stale; a stream keeps what has
 * not been acknowledged until `acked` says so, and produces it again after `rewind`.
 *
 * It knows no TLS, socket or SDP, and not what a stream carries. docs/channel.md describes it all.
 *
 * The driver's loop, for any input and for `wake_at`:
 *
 *     step(in); write out.write; handle out.event;    again with in = NULL while out.wake_at <= now
 *
 * TDM_CHANNEL_EV_PULL is answered by DATA as the very next step. BYTES is repeated with the rest
 * until `consumed` has covered all; a step may consume nothing because an event had to go first.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"
#include "engine/wire/channel_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_CHANNEL_STREAMS_EACH 31 /* That one side may have open. */
#define TDM_CHANNEL_STREAMS_MAX  (1 + 2 * TDM_CHANNEL_STREAMS_EACH)
#define TDM_CHANNEL_VERSION      1
/* A pull asks for at least so much, unless the stream's credit is less, or its class is 6 and a
 * budget is set: a value of class 2 and an event of class 1 that are no longer always fit. */
#define TDM_CHANNEL_CHUNK_MIN 1400

/** Priorities, 0 first. */
enum tdm_channel_class {
    TDM_CLASS_CONTROL = 0, /* Stream 0 alone: consent, revoke. Never blocked. */
    TDM_CLASS_INPUT = 1,   /* Keys, pointer, clipboard announcements. */
    TDM_CLASS_LATEST = 2,  /* Cursor, laser pointer: each DATA is one whole value, only the newest
                              counts; neither credit nor rewind. */
    TDM_CLASS_SCREEN = 3,
    TDM_CLASS_BOARD = 4, /* Board operations, chat, typing. */
    TDM_CLASS_REFINE = 5,
    TDM_CLASS_BULK = 6, /* Files, images, clipboard contents. */
    TDM_CLASS_COUNT = 7,
};

/** What a stream carries; told to the other side when it opens. Others may come from newer peers:
 *  reset what you do not know. */
enum tdm_channel_kind {
    TDM_KIND_CONTROL = 1, /* Stream 0, always open. */
    TDM_KIND_CHAT = 2,
    TDM_KIND_FILES = 3,     /* Offers, answers, progress of transfers. */
    TDM_KIND_FILE_DATA = 4, /* One transfer's bytes. */
    TDM_KIND_SCREEN = 5,
    TDM_KIND_INPUT = 6,
    TDM_KIND_BOARD = 7,
};

struct tdm_channel_config {
    bool opener; /* Opened the connection (TLS client): its streams are odd, the other's even. The
                    same for the whole session, whoever connects again. */
    uint64_t seed;
    uint8_t token[TDM_CHANNEL_TOKEN_BYTES]; /* Of this session, from entropy: proves a reconnect. */
    uint32_t stream_window_bytes;           /* Credit that a stream starts with. [256 KiB] */
    uint32_t stream_window_max_bytes;       /* As far as it grows while the stream is consumed as
                                               fast as it comes. [8 MiB] */
    bool grease;                            /* Send records that nobody knows. Test builds. */
};

enum tdm_channel_input {
    TDM_CHANNEL_CONNECTED,    /* A byte stream stands (the first, or one that takes up again). */
    TDM_CHANNEL_DISCONNECTED, /* It broke; streams keep what is not acknowledged. */
    TDM_CHANNEL_BYTES,        /* data, size: arrived; call until `consumed` covers all. */
    TDM_CHANNEL_WRITABLE,     /* room_bytes: what the connection takes now, in all; replaces what
                                 was said before. What is written in between is subtracted. */
    TDM_CHANNEL_OPEN,     /* kind_of, cls (1 to 6): out.stream is the new one, 0: no more room. */
    TDM_CHANNEL_READY,    /* stream: has something to send. Stays until it says it has not. */
    TDM_CHANNEL_DATA,     /* stream, data, size, more, fin: the answer to a pull; nothing at all
                             when the stream has changed its mind. */
    TDM_CHANNEL_CONSUMED, /* stream, size: the application took so much of what arrived. */
    TDM_CHANNEL_RESET,    /* stream: give it up, both ways. */
    TDM_CHANNEL_BUDGET,   /* rate_bps of the call's rate control: classes 3 to 6 together stay
                             below it, class 6 keeps its queue short; 0 = no call. */
};

struct tdm_channel_in {
    enum tdm_channel_input kind;
    uint32_t stream;
    const uint8_t *data; /* Borrowed for the step. */
    size_t size;
    bool more; /* DATA: the stream has more after this. */
    bool fin;  /* DATA: these are its last bytes. A stream is over, and its place free, when both
                  sides have said so. */
    enum tdm_channel_class cls;
    uint32_t kind_of; /* enum tdm_channel_kind */
    uint32_t room_bytes;
    uint64_t rate_bps;
};

enum tdm_channel_event {
    TDM_CHANNEL_EV_NONE,
    TDM_CHANNEL_EV_UP,     /* Versions agreed: streams flow. resumed: they went on. */
    TDM_CHANNEL_EV_OPENED, /* stream, kind_of, cls: the other side opened it. */
    TDM_CHANNEL_EV_RECORD, /* stream, data, size, fin: arrived in order. Borrows from the input or
                              from the channel, until the next step. */
    TDM_CHANNEL_EV_PULL,   /* stream, max_bytes: answer with DATA before any other input. */
    TDM_CHANNEL_EV_ACKED,  /* stream, offset: the other side has everything below; fin: and knows
                              that it is the end. */
    TDM_CHANNEL_EV_REWIND, /* stream, offset: after a reconnect, produce from here again. */
    TDM_CHANNEL_EV_RESET,  /* stream: the other side gave it up. */
    TDM_CHANNEL_EV_LOST,   /* Nothing comes any more: close the connection, say DISCONNECTED. */
    TDM_CHANNEL_EV_FAILED, /* why: the other side breaks the protocol, or cannot resume. Close; all
                              further input is ignored. */
};

struct tdm_channel_out {
    uint32_t write_size; /* Bytes to write to the connection, in order; 0: none. */
    uint8_t write[TDM_CHANNEL_RECORD_MAX];
    size_t consumed; /* Of BYTES. */
    uint32_t stream;
    enum tdm_channel_event event;
    uint32_t kind_of; /* enum tdm_channel_kind, or a number from a newer peer. */
    enum tdm_channel_class cls;
    const uint8_t *data;
    size_t size;
    bool fin, resumed;
    uint32_t max_bytes;
    uint64_t offset;
    const char *why;
    uint32_t lowat_bytes; /* For TCP_NOTSENT_LOWAT. */
    tdm_time wake_at;     /* <= now: step again, there is more. */
    const char *wake_why;
};

struct tdm_channel_stats {
    uint64_t bytes_sent, bytes_received, records_sent, records_received, unknown_skipped;
    tdm_time rtt, rtt_min;
    uint64_t rate_bps; /* Estimated of the connection. */
    uint32_t in_flight_bytes, window_bytes;
    uint32_t reconnects;
};

struct tdm_channel;

size_t tdm_channel_bytes(void);
/** `storage`: tdm_channel_bytes() bytes, aligned as malloc aligns. */
struct tdm_channel *tdm_channel_init(void *storage, const struct tdm_channel_config *config,
                                     tdm_time now);
void tdm_channel_step(struct tdm_channel *c, tdm_time now, const struct tdm_channel_in *in,
                      struct tdm_channel_out *out);
void tdm_channel_stats(const struct tdm_channel *c, struct tdm_channel_stats *stats);

#endif
