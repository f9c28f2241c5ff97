/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_MEDIA_DESC_H
#define TDM_CORE_MEDIA_DESC_H

/*
 * What the engine knows of a session description: streams, codecs, directions, addresses. Filled
 * from SDP text and turned into it by signalling/sdp.h; the engine itself never sees SDP. Plain
 * data: copy it freely. Directions are from the describer's point of view.
 */

#include "engine/base/codec_id.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_DESC_MEDIA_MAX  8
#define TDM_DESC_CODECS_MAX 24
#define TDM_DESC_EXT_MAX    14

enum tdm_direction {
    TDM_INACTIVE = 0,
    TDM_SENDONLY = 1,
    TDM_RECVONLY = 2,
    TDM_SENDRECV = 3, /* = SENDONLY | RECVONLY */
};

/** How the bytes of a line travel. In a description it is the proto field of the m= line, which
 *  does not yet say what protects it: RTP/AVP with a=fingerprint asks for encryption too (RFC
 * 8643), and RTP/SAVPF with one means DTLS (RFC 8829 section 5.1.2). What was agreed is in struct
 *  tdm_negotiated_transport, weakest first. */
enum tdm_proto {
    TDM_PROTO_RTP,     /* RTP/AVP or RTP/AVPF: in clear. */
    TDM_PROTO_SDES,    /* RTP/SAVP or RTP/SAVPF with a=crypto (RFC 4568). */
    TDM_PROTO_DTLS,    /* UDP/TLS/RTP/SAVP or SAVPF with a=fingerprint (RFC 5764). */
    TDM_PROTO_CHANNEL, /* TCP/TLS/tandem: the data channel (RFC 4145, RFC 8122). */
};

enum tdm_setup {
    TDM_SETUP_NONE,
    TDM_SETUP_ACTPASS,
    TDM_SETUP_ACTIVE,
    TDM_SETUP_PASSIVE,
    TDM_SETUP_HOLDCONN
};

enum tdm_candidate_type {
    TDM_CANDIDATE_HOST,
    TDM_CANDIDATE_SRFLX,
    TDM_CANDIDATE_PRFLX,
    TDM_CANDIDATE_RELAY
};

/** Who opens the connection of a TCP candidate (RFC 6544 section 4.5). */
enum tdm_tcp_type { TDM_TCP_ACTIVE, TDM_TCP_PASSIVE, TDM_TCP_SO };

/** a=candidate (RFC 8839 section 5.1). */
struct tdm_candidate_desc {
    char foundation[33];
    uint8_t component; /* 1 = RTP, 2 = RTCP. */
    bool tcp;          /* RFC 6544; kept for the channel, ignored by media. */
    enum tdm_tcp_type tcp_type;
    uint32_t priority;
    enum tdm_candidate_type type;
    char host[64]; /* Numeric, or a name that ends in ".local" (mDNS). */
    uint16_t port;
    char related_host[64]; /* raddr, "" = not said. */
    uint16_t related_port;
};

#define TDM_DESC_CANDIDATES_MAX   32
#define TDM_DESC_FINGERPRINTS_MAX 4
#define TDM_DESC_CRYPTO_MAX       4

/** a=fingerprint (RFC 8122 section 5). */
struct tdm_fingerprint_desc {
    char hash[12]; /* "sha-256", lower case. */
    uint8_t bytes[64];
    uint8_t size;
};

enum tdm_srtp_profile {
    TDM_SRTP_NONE,
    TDM_SRTP_AEAD_AES_128_GCM, /* RFC 7714 */
    TDM_SRTP_AEAD_AES_256_GCM,
    TDM_SRTP_AES_CM_128_HMAC_SHA1_80, /* RFC 3711, RFC 4568 section 6.2 */
    TDM_SRTP_AES_CM_128_HMAC_SHA1_32,
};

/** a=crypto (RFC 4568 section 4), suites that we know. */
struct tdm_crypto_desc {
    uint32_t tag;
    enum tdm_srtp_profile profile;
    uint8_t key[46]; /* Master key and salt. */
    uint8_t key_size;
};

/** How a line is reached and protected. In a bundle all lines have the first one's. */
struct tdm_transport_desc {
    char ice_ufrag[257], ice_pwd[257]; /* "" = no ICE. */
    bool ice_lite, ice_trickle, end_of_candidates;
    uint8_t candidate_count;
    struct tdm_candidate_desc candidates[TDM_DESC_CANDIDATES_MAX];
    enum tdm_setup setup;
    uint8_t fingerprint_count;
    struct tdm_fingerprint_desc fingerprints[TDM_DESC_FINGERPRINTS_MAX];
    uint8_t crypto_count;
    struct tdm_crypto_desc cryptos[TDM_DESC_CRYPTO_MAX];
    bool connection_existing; /* a=connection:existing; channel only. */
};

/** One payload type: a=rtpmap, a=fmtp, a=rtcp-fb. */
struct tdm_codec_desc {
    uint8_t payload_type;
    enum tdm_codec_id id; /* TDM_CODEC_NONE: named by the other side, not known to us. */
    char name[24];        /* As in a=rtpmap. */
    uint32_t clock_hz;
    uint8_t channels;
    char fmtp[192];            /* Text after the payload type, "" when there is none. */
    bool nack, pli, fir, remb; /* a=rtcp-fb nack; nack pli; ccm fir; goog-remb. */
    bool tmmbr;                /* a=rtcp-fb ccm tmmbr. */
    bool transport_cc;         /* a=rtcp-fb transport-cc */
    uint8_t rtx_type;          /* Payload type of its retransmissions (RFC 4588); 0 = none. */
    uint8_t red_type;          /* Of itself with copies (RFC 2198); voice only; 0 = none. */
    bool decode_only;          /* Of ours: we have no encoder. Not in SDP. */
};

/** a=extmap: id 1-14 for the one-byte form (RFC 8285). */
struct tdm_ext_desc {
    uint8_t id;
    char uri[80];
};

#define TDM_PARITY_NAME "tandem-window" /* As in a=rtpmap. */

/** One m= line. The channel's (TDM_PROTO_CHANNEL) has neither kind nor codecs. */
struct tdm_media_line {
    enum tdm_media_kind kind;
    bool other;          /* No line of ours (other media, other proto): refused, kept in place. */
    char other_text[64]; /* Then: the media and proto and formats of the m= line as they came. */
    uint16_t port;       /* RTP; 0 = refused or removed. */
    uint16_t rtcp_port;  /* a=rtcp, else port + 1. */
    bool rtcp_mux;       /* RFC 5761 */
    bool rtcp_mux_only;  /* RFC 8858: refused by who cannot. */
    char address[64];    /* c= of the line or the session; numeric IPv4 or IPv6, or a host name. */
    enum tdm_direction direction;
    enum tdm_proto proto;
    bool avpf;           /* The F of AVPF or SAVPF. */
    bool ccfb;           /* a=rtcp-fb:* ack ccfb (RFC 8888 section 6), of the whole line. */
    bool rtcp_rsize;     /* RFC 5506 section 5 */
    uint8_t parity_type; /* Payload type of repairs over a window (docs/repair.md); 0 = none. */
    /* Generic repairs (RFC 5109), RED for them and the pictures (RFC 2198), and RED's repetitions
     * (RFC 4588); the first two are both there or both 0. */
    uint8_t ulpfec_type, ulpfec_red_type, ulpfec_rtx_type;
    struct tdm_transport_desc transport;
    uint8_t codec_count;
    struct tdm_codec_desc codecs[TDM_DESC_CODECS_MAX]; /* In order of preference. */
    uint8_t ext_count;
    struct tdm_ext_desc exts[TDM_DESC_EXT_MAX];
    uint16_t ptime_ms;      /* a=ptime, at most max_ptime_ms; 0 = not said. */
    uint16_t max_ptime_ms;  /* a=maxptime; 0 = not said. */
    uint16_t framerate;     /* a=framerate, 0 = not said. */
    uint32_t bandwidth_bps; /* b=TIAS or b=AS, 0 = not said. */
    char mid[16];
    uint8_t bundle;   /* Its place, from 1, in a=group:BUNDLE (RFC 8843), whose first line that is
                         taken lends all others its transport; 0: not in it. */
    bool bundle_only; /* Port 0 means: only if bundled. */
};

struct tdm_media_desc {
    uint64_t session_id, session_version; /* o= */
    char address[64];                     /* o= and session c= */
    uint8_t media_count;
    struct tdm_media_line
        media[TDM_DESC_MEDIA_MAX]; /* In m= line order, which offer/answer keeps. */
};

#endif
