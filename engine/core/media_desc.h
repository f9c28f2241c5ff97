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

/** One payload type: a=rtpmap, a=fmtp, a=rtcp-fb. */
struct tdm_codec_desc {
    uint8_t payload_type;
    enum tdm_codec_id id; /* TDM_CODEC_NONE: named by the other side, not known to us. */
    char name[24];        /* As in a=rtpmap. */
    uint32_t clock_hz;
    uint8_t channels;
    char fmtp[192];            /* Text after the payload type, "" when there is none. */
    bool nack, pli, fir, remb; /* a=rtcp-fb nack; nack pli; ccm fir; goog-remb. */
    bool decode_only;          /* Of ours: we have no encoder. Not in SDP. */
};

/** a=extmap: id 1-14 for the one-byte form (RFC 8285). */
struct tdm_ext_desc {
    uint8_t id;
    char uri[80];
};

struct tdm_media_line {
    enum tdm_media_kind kind;
    bool other; /* Neither audio nor video, or not RTP/AVP or AVPF: refused, kept in place. */
    char other_text[64]; /* Then: the media and proto and formats of the m= line as they came. */
    uint16_t port;       /* RTP; 0 = refused or removed. */
    uint16_t rtcp_port;  /* a=rtcp, else port + 1. */
    bool rtcp_mux;       /* RFC 5761 */
    char address[64];    /* c= of the line or the session; numeric IPv4 or IPv6, or a host name. */
    enum tdm_direction direction;
    bool avpf; /* RTP/AVPF in the m= line. */
    uint8_t codec_count;
    struct tdm_codec_desc codecs[TDM_DESC_CODECS_MAX]; /* In order of preference. */
    uint8_t ext_count;
    struct tdm_ext_desc exts[TDM_DESC_EXT_MAX];
    uint16_t ptime_ms;      /* a=ptime, at most max_ptime_ms; 0 = not said. */
    uint16_t max_ptime_ms;  /* a=maxptime; 0 = not said. */
    uint16_t framerate;     /* a=framerate, 0 = not said. */
    uint32_t bandwidth_bps; /* b=TIAS or b=AS, 0 = not said. */
    char mid[16];
};

struct tdm_media_desc {
    uint64_t session_id, session_version; /* o= */
    char address[64];                     /* o= and session c= */
    uint8_t media_count;
    struct tdm_media_line
        media[TDM_DESC_MEDIA_MAX]; /* In m= line order, which offer/answer keeps. */
};

#endif
