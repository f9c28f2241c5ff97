/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_CHANNEL_RECORD_H
#define TDM_WIRE_CHANNEL_RECORD_H

/*
 * Records of the data channel, version 1 (docs/channel.md):
 *
 *     record := type:u8  flags:u8  stream:varint  size:varint  body
 *
 * Varints are those of QUIC (RFC 9000 section 16) in their shortest form only. A record's head says
 * how long it is whatever its type, so that a reader can step over what it does not know.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#define TDM_CHANNEL_BODY_MAX    16384 /* Of one record. */
#define TDM_CHANNEL_HEAD_MAX    14
#define TDM_CHANNEL_RECORD_MAX  (TDM_CHANNEL_BODY_MAX + TDM_CHANNEL_HEAD_MAX)
#define TDM_CHANNEL_TOKEN_BYTES 32
#define TDM_CHANNEL_MAGIC       0x54444d43u /* "TDMC" */
#define TDM_CHANNEL_RESUMES_MAX 64

enum tdm_record_type {
    TDM_RECORD_PREFACE = 1, /* First on every connection, from both sides. */
    TDM_RECORD_RESUME = 2,  /* Second, where the prefaces say that a session goes on. */
    TDM_RECORD_OPEN = 3,    /* kind, class. */
    TDM_RECORD_DATA = 4,    /* FIN, RST and EPHEMERAL belong to it. */
    TDM_RECORD_CREDIT = 5,  /* What of the stream has arrived, and how far it may go. */
    TDM_RECORD_ACK = 6,     /* What the application has taken of the whole connection. */
    TDM_RECORD_PING = 7,    /* Empty; asks for an ACK. */
};

/* Types that no version will use; receivers must skip them as they skip all that they do not know.
 */
#define TDM_RECORD_GREASE(n) ((uint8_t)(0x1d + 0x20 * ((n)&7)))

enum tdm_record_flag {
    TDM_RECORD_FIN = 0x01,             /* DATA: the stream's last; CREDIT: the last has arrived. */
    TDM_RECORD_RST = 0x02,             /* DATA: the stream is given up, both ways. */
    TDM_RECORD_EPHEMERAL = 0x04,       /* DATA: one whole value that replaces the one before. */
    TDM_RECORD_MUST_UNDERSTAND = 0x80, /* Who does not know the type gives up. */
};

struct tdm_record_head {
    uint8_t type, flags;
    uint32_t stream;
    uint32_t body_size;
};

/** Bytes that a varint takes: 1, 2, 4 or 8. value < 2^62. */
size_t tdm_varint_size(uint64_t value);
void tdm_varint_write(struct tdm_writer *w, uint64_t value);
/** Clears `r->ok` past the end and when a shorter form would have done. */
uint64_t tdm_varint_read(struct tdm_reader *r);

/**
 * Reads the head of the record that starts at `data`.
 *
 * @return TDM_OK, `*head_size` bytes; TDM_E_AGAIN: more bytes are needed to tell; TDM_E_MALFORMED:
 * a stream over 2^32, a body over TDM_CHANNEL_BODY_MAX, or a varint longer than it need be.
 */
enum tdm_err tdm_record_head_parse(struct tdm_record_head *head, size_t *head_size,
                                   const uint8_t *data, size_t size);
void tdm_record_head_write(struct tdm_writer *w, const struct tdm_record_head *head);
size_t tdm_record_head_size(const struct tdm_record_head *head);

struct tdm_preface {
    uint8_t version_min, version_max;
    uint8_t token[TDM_CHANNEL_TOKEN_BYTES]; /* Of the sender's session. */
    bool resumes;
    uint8_t resume_token[TDM_CHANNEL_TOKEN_BYTES]; /* Of the receiver's session, if it is known. */
    uint64_t stream_window_bytes;                  /* Capability 1: credit of a new stream. */
};

/** Unknown capabilities are stepped over. */
enum tdm_err tdm_preface_parse(struct tdm_preface *p, const uint8_t *body, size_t size);
void tdm_preface_write(struct tdm_writer *w, const struct tdm_preface *p);

struct tdm_open {
    uint32_t kind;
    uint8_t cls;
};

enum tdm_err tdm_open_parse(struct tdm_open *o, const uint8_t *body, size_t size);
void tdm_open_write(struct tdm_writer *w, const struct tdm_open *o);

struct tdm_credit {
    uint64_t received; /* Of the stream, in order. */
    uint64_t limit;    /* The stream may be sent up to here. */
};

enum tdm_err tdm_credit_parse(struct tdm_credit *c, const uint8_t *body, size_t size);
void tdm_credit_write(struct tdm_writer *w, const struct tdm_credit *c);

struct tdm_ack {
    uint64_t consumed;   /* Bytes of this connection's records, all but ACKs. */
    uint64_t arrived_us; /* When the newest of them arrived, on the receiver's clock. */
    uint64_t hold_us;    /* How long ago that is. */
};

enum tdm_err tdm_ack_parse(struct tdm_ack *a, const uint8_t *body, size_t size);
void tdm_ack_write(struct tdm_writer *w, const struct tdm_ack *a);

/** One stream as its receiver knows it after a break. */
struct tdm_resume_entry {
    uint32_t stream;
    bool fin; /* Its last bytes have arrived. */
    uint64_t received;
};

struct tdm_resume {
    uint32_t highest; /* Of the streams that the other side opened, the newest that arrived. */
    uint16_t count;
    struct tdm_resume_entry entries[TDM_CHANNEL_RESUMES_MAX];
};

enum tdm_err tdm_resume_parse(struct tdm_resume *r, const uint8_t *body, size_t size);
void tdm_resume_write(struct tdm_writer *w, const struct tdm_resume *r);

#endif
