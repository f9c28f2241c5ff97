/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_STUN_H
#define TDM_WIRE_STUN_H

/*
 * STUN messages (RFC 8489) with the attributes of ICE (RFC 8445), TURN (RFC 8656, the constants of
 * RFC 6062) and NAT behaviour discovery (RFC 5780), and ChannelData, which shares their stream.
 *
 * A message is read once into a struct that borrows from the bytes; a wrong FINGERPRINT is refused
 * there. Whether MESSAGE-INTEGRITY is right is asked afterwards, with the key that the caller finds
 * by what it read (tdm_stun_check). A message is written from tdm_stun_begin to tdm_stun_end with
 * attributes between, then integrity, then fingerprint.
 */

#include "engine/base/address.h"
#include "engine/base/bytes.h"
#include "engine/base/digest.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_STUN_HEADER_BYTES 20
#define TDM_STUN_ID_BYTES     12
#define TDM_STUN_COOKIE       0x2112a442u
#define TDM_STUN_PEERS_MAX    8 /* Further XOR-PEER-ADDRESS are dropped. */
#define TDM_STUN_UNKNOWN_MAX  8
#define TDM_STUN_USERNAME_MAX 513 /* RFC 8489 section 14.3: fewer than this many bytes. */
#define TDM_STUN_TEXT_MAX     763 /* REALM, NONCE, SOFTWARE: at most so many bytes. */
#define TDM_STUN_KEY_BYTES    TDM_MD5_BYTES
#define TDM_STUN_PORT         3478
#define TDM_STUN_TLS_PORT     5349

#define TDM_TURN_CHANNEL_MIN        0x4000
#define TDM_TURN_CHANNEL_MAX        0x4fff
#define TDM_TURN_CHANNEL_OLD_MAX    0x7ffe /* Clients after RFC 5766 use these, too. */
#define TDM_TURN_CHANNEL_HEAD_BYTES 4
#define TDM_TURN_TRANSPORT_UDP      17 /* Of REQUESTED-TRANSPORT: IP protocol numbers. */
#define TDM_TURN_TRANSPORT_TCP      6

enum tdm_stun_class {
    TDM_STUN_REQUEST = 0,
    TDM_STUN_INDICATION = 1,
    TDM_STUN_SUCCESS = 2,
    TDM_STUN_ERROR = 3,
};

enum tdm_stun_method {
    TDM_STUN_BINDING = 0x001,
    TDM_STUN_ALLOCATE = 0x003,
    TDM_STUN_REFRESH = 0x004,
    TDM_STUN_SEND = 0x006,
    TDM_STUN_DATA = 0x007,
    TDM_STUN_CREATE_PERMISSION = 0x008,
    TDM_STUN_CHANNEL_BIND = 0x009,
    TDM_STUN_CONNECT = 0x00a, /* RFC 6062, as the two below. */
    TDM_STUN_CONNECTION_BIND = 0x00b,
    TDM_STUN_CONNECTION_ATTEMPT = 0x00c,
};

/** Types below 0x8000 must be understood by who gets a request with them. */
enum tdm_stun_attribute {
    TDM_STUN_MAPPED_ADDRESS = 0x0001,
    TDM_STUN_CHANGE_REQUEST = 0x0003,
    TDM_STUN_USERNAME = 0x0006,
    TDM_STUN_MESSAGE_INTEGRITY = 0x0008,
    TDM_STUN_ERROR_CODE = 0x0009,
    TDM_STUN_UNKNOWN_ATTRIBUTES = 0x000a,
    TDM_STUN_CHANNEL_NUMBER = 0x000c,
    TDM_STUN_LIFETIME = 0x000d,
    TDM_STUN_XOR_PEER_ADDRESS = 0x0012,
    TDM_STUN_DATA_ATTRIBUTE = 0x0013,
    TDM_STUN_REALM = 0x0014,
    TDM_STUN_NONCE = 0x0015,
    TDM_STUN_XOR_RELAYED_ADDRESS = 0x0016,
    TDM_STUN_REQUESTED_FAMILY = 0x0017,
    TDM_STUN_EVEN_PORT = 0x0018,
    TDM_STUN_REQUESTED_TRANSPORT = 0x0019,
    TDM_STUN_DONT_FRAGMENT = 0x001a,
    TDM_STUN_MESSAGE_INTEGRITY_SHA256 = 0x001c,
    TDM_STUN_PASSWORD_ALGORITHM = 0x001d,
    TDM_STUN_USERHASH = 0x001e,
    TDM_STUN_XOR_MAPPED_ADDRESS = 0x0020,
    TDM_STUN_RESERVATION_TOKEN = 0x0022,
    TDM_STUN_PRIORITY = 0x0024,
    TDM_STUN_USE_CANDIDATE = 0x0025,
    TDM_STUN_RESPONSE_PORT = 0x0027,
    TDM_STUN_CONNECTION_ID = 0x002a,
    TDM_STUN_ADDITIONAL_FAMILY = 0x8000,
    TDM_STUN_ADDRESS_ERROR_CODE = 0x8001,
    TDM_STUN_PASSWORD_ALGORITHMS = 0x8002,
    TDM_STUN_ALTERNATE_DOMAIN = 0x8003,
    TDM_STUN_SOFTWARE = 0x8022,
    TDM_STUN_ALTERNATE_SERVER = 0x8023,
    TDM_STUN_FINGERPRINT = 0x8028,
    TDM_STUN_ICE_CONTROLLED = 0x8029,
    TDM_STUN_ICE_CONTROLLING = 0x802a,
    TDM_STUN_RESPONSE_ORIGIN = 0x802b,
    TDM_STUN_OTHER_ADDRESS = 0x802c,
};

enum tdm_stun_error_code {
    TDM_STUN_TRY_ALTERNATE = 300,
    TDM_STUN_BAD_REQUEST = 400,
    TDM_STUN_UNAUTHENTICATED = 401,
    TDM_STUN_FORBIDDEN = 403,
    TDM_STUN_UNKNOWN_ATTRIBUTE = 420,
    TDM_STUN_ALLOCATION_MISMATCH = 437,
    TDM_STUN_STALE_NONCE = 438,
    TDM_STUN_FAMILY_NOT_SUPPORTED = 440,
    TDM_STUN_WRONG_CREDENTIALS = 441,
    TDM_STUN_TRANSPORT_NOT_SUPPORTED = 442,
    TDM_STUN_PEER_FAMILY_MISMATCH = 443,
    TDM_STUN_QUOTA_REACHED = 486,
    TDM_STUN_ROLE_CONFLICT = 487,
    TDM_STUN_SERVER_ERROR = 500,
    TDM_STUN_INSUFFICIENT_CAPACITY = 508,
};

/** Bits of CHANGE-REQUEST (RFC 5780 section 7.2). */
#define TDM_STUN_CHANGE_IP   4u
#define TDM_STUN_CHANGE_PORT 2u

/** Bytes of an attribute, borrowed from the message; data NULL: it is not there. */
struct tdm_stun_span {
    const uint8_t *data;
    uint16_t size;
};

/** A message as read. Of an attribute that comes twice the first counts, but for peer addresses
 *  and relayed addresses, of which there may be more. */
struct tdm_stun {
    enum tdm_stun_class kind;
    uint16_t method; /* enum tdm_stun_method, or one that we do not know. */
    uint8_t id[TDM_STUN_ID_BYTES];

    /* Addresses; family TDM_ADDRESS_NONE: not there. */
    struct tdm_address mapped; /* XOR-MAPPED-ADDRESS, or else MAPPED-ADDRESS. */
    bool mapped_is_xored;
    struct tdm_address relayed[2];
    struct tdm_address alternate_server, response_origin, other_address;
    uint8_t peer_count;
    struct tdm_address peers[TDM_STUN_PEERS_MAX];

    struct tdm_stun_span username, realm, nonce, software, data;
    uint16_t error_code; /* 300-699; 0: not there. */
    struct tdm_stun_span reason;

    bool has_priority, use_candidate, has_controlling, has_controlled;
    uint32_t priority;
    uint64_t tie_breaker; /* Of whichever of ICE-CONTROLLING and ICE-CONTROLLED came. */

    bool has_lifetime, has_channel, has_transport, has_even_port, dont_fragment, has_token;
    bool has_change, has_connection_id;
    uint32_t lifetime_s;
    uint16_t channel;
    uint8_t transport;    /* REQUESTED-TRANSPORT */
    bool reserve_next;    /* EVEN-PORT, its R bit. */
    uint64_t token;       /* RESERVATION-TOKEN */
    uint32_t change;      /* TDM_STUN_CHANGE_* */
    uint8_t family;       /* REQUESTED-ADDRESS-FAMILY: TDM_IPV4, TDM_IPV6; NONE: not there, 0xff:
                             one that nobody knows. */
    uint8_t extra_family; /* ADDITIONAL-ADDRESS-FAMILY, likewise. */
    uint16_t address_error_code; /* ADDRESS-ERROR-CODE (RFC 8656 section 18.12); 0: not there. */
    uint32_t connection_id;

    /* Attributes that must be understood and are not: answered with 420. */
    uint8_t unknown_count;
    uint16_t unknown[TDM_STUN_UNKNOWN_MAX];

    bool has_fingerprint;  /* It is right, or the message was refused. */
    uint16_t integrity_at; /* Where MESSAGE-INTEGRITY starts in the message; 0: not there. */
    uint16_t integrity_sha256_at;
    uint8_t integrity_sha256_size;

    const uint8_t *bytes; /* The whole message, as it came. */
    size_t size;
};

/** Whether it is worth parsing as STUN: the first bits and the cookie (RFC 7983 knows it by the
 *  first byte, 0-3). */
bool tdm_stun_is(const uint8_t *data, size_t size);

/** Reads one whole message. What follows MESSAGE-INTEGRITY is not believed (RFC 8489 section
 *  14.5). TDM_E_MALFORMED: not STUN, sizes that do not fit, a wrong FINGERPRINT. */
enum tdm_err tdm_stun_parse(struct tdm_stun *m, const uint8_t *data, size_t size);

/** Whether the message was made by somebody with the key: ICE's password (short-term), or
 *  tdm_stun_long_term_key. MESSAGE-INTEGRITY-SHA256 decides if it is there. TDM_E_DENIED: it is
 *  wrong; TDM_E_GONE: it has none. */
enum tdm_err tdm_stun_check(const struct tdm_stun *m, const void *key, size_t key_size);

/** MD5 of user:realm:password (RFC 8489 section 9.2.2); the texts are UTF-8, already prepared. */
void tdm_stun_long_term_key(struct tdm_stun_span user, struct tdm_stun_span realm,
                            const char *password, uint8_t key[TDM_STUN_KEY_BYTES]);

struct tdm_stun_span tdm_stun_span_of(const char *text);
bool tdm_stun_span_equal(struct tdm_stun_span a, struct tdm_stun_span b);
/** Printable text for people and logs, cut to `capacity` with its terminator. */
void tdm_stun_span_text(struct tdm_stun_span span, char *text, size_t capacity);

/** A transaction id out of random numbers. */
void tdm_stun_make_id(uint8_t id[TDM_STUN_ID_BYTES], uint64_t a, uint32_t b);

/** Starts a message in `data`. Whatever does not fit makes tdm_stun_end give 0. */
struct tdm_writer tdm_stun_begin(uint8_t *data, size_t capacity, enum tdm_stun_class kind,
                                 uint16_t method, const uint8_t id[TDM_STUN_ID_BYTES]);
/** An answer to `request`: the same method and transaction. */
struct tdm_writer tdm_stun_begin_answer(uint8_t *data, size_t capacity, enum tdm_stun_class kind,
                                        const struct tdm_stun *request);

void tdm_stun_write_flag(struct tdm_writer *w, enum tdm_stun_attribute type);
/** The value in the first of four bytes: REQUESTED-TRANSPORT. */
void tdm_stun_write_u8(struct tdm_writer *w, enum tdm_stun_attribute type, uint8_t value);
/** The value in the first two of four bytes: CHANNEL-NUMBER. */
void tdm_stun_write_u16(struct tdm_writer *w, enum tdm_stun_attribute type, uint16_t value);
void tdm_stun_write_u32(struct tdm_writer *w, enum tdm_stun_attribute type, uint32_t value);
void tdm_stun_write_u64(struct tdm_writer *w, enum tdm_stun_attribute type, uint64_t value);
void tdm_stun_write_even_port(struct tdm_writer *w, bool reserve_next);
/** TDM_IPV4 or TDM_IPV6, for REQUESTED- and ADDITIONAL-ADDRESS-FAMILY. */
void tdm_stun_write_family(struct tdm_writer *w, enum tdm_stun_attribute type, uint8_t family);
void tdm_stun_write_bytes(struct tdm_writer *w, enum tdm_stun_attribute type, const void *data,
                          size_t size);
void tdm_stun_write_span(struct tdm_writer *w, enum tdm_stun_attribute type,
                         struct tdm_stun_span span);
void tdm_stun_write_text(struct tdm_writer *w, enum tdm_stun_attribute type, const char *text);
/** XORed for the types whose names say so, plain for the others. */
void tdm_stun_write_address(struct tdm_writer *w, enum tdm_stun_attribute type,
                            const struct tdm_address *address);
/** `reason` NULL: the usual words for the code. */
void tdm_stun_write_error(struct tdm_writer *w, uint16_t code, const char *reason);
void tdm_stun_write_address_error(struct tdm_writer *w, uint8_t family, uint16_t code);
void tdm_stun_write_unknown(struct tdm_writer *w, const struct tdm_stun *request);
/** MESSAGE-INTEGRITY over all before it; only FINGERPRINT may follow. */
void tdm_stun_write_integrity(struct tdm_writer *w, const void *key, size_t key_size);
void tdm_stun_write_integrity_sha256(struct tdm_writer *w, const void *key, size_t key_size);
void tdm_stun_write_fingerprint(struct tdm_writer *w);
/** Size of the finished message; 0: it did not fit. */
size_t tdm_stun_end(struct tdm_writer *w);

/** The usual words for an error code; "Error" for one that we do not know. */
const char *tdm_stun_reason(uint16_t code);

/** ChannelData (RFC 8656 section 12.4) as read; `data` borrows. */
struct tdm_turn_channel_data {
    uint16_t channel;
    uint16_t size;
    const uint8_t *data;
};

/** Whether the first byte says ChannelData: 64-79 where other protocols share the socket (RFC
 *  7983), or also the numbers of RFC 5766 where there is TURN alone. */
bool tdm_turn_is_channel_data(const uint8_t *data, size_t size);
bool tdm_turn_is_old_channel_data(const uint8_t *data, size_t size);
/** Padding behind the data is stepped over. */
enum tdm_err tdm_turn_channel_data_parse(struct tdm_turn_channel_data *c, const uint8_t *data,
                                         size_t size);
/** The four bytes before `size` bytes of data; over a stream the data is then padded to a multiple
 *  of four bytes (tdm_turn_padding). */
void tdm_turn_channel_data_head(uint8_t head[TDM_TURN_CHANNEL_HEAD_BYTES], uint16_t channel,
                                uint16_t size);
size_t tdm_turn_padding(size_t size);

#define TDM_TURN_INDICATION_HEAD_MAX 48
#define TDM_TURN_DATA_MAX            65000 /* Bytes of a peer in one message. */

/** What stands before `size` bytes of data in a Send or Data indication (`method`); the data is
 * then padded to a multiple of four bytes. @return the head's size. */
size_t tdm_turn_indication_head(uint8_t head[TDM_TURN_INDICATION_HEAD_MAX], uint16_t method,
                                const uint8_t id[TDM_STUN_ID_BYTES], const struct tdm_address *peer,
                                uint16_t size);

/** Cuts the first STUN or ChannelData message out of a TCP or TLS stream: *frame_size is what it
 *  takes with its padding. TDM_E_AGAIN: it is not whole yet; *frame_size is then how many bytes
 *  must be there before asking again. TDM_E_MALFORMED: this stream is lost, close it. */
enum tdm_err tdm_turn_frame_size(const uint8_t *data, size_t size, size_t *frame_size);

#endif
