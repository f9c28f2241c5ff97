/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_OFFER_ANSWER_H
#define TDM_SIGNALLING_OFFER_ANSWER_H

/*
 * Offer and answer (RFC 3264) over media descriptions. Pure: it decides which lines, codecs,
 * payload types, directions and extensions the two sides share; it neither writes SDP text (sdp.h)
 * nor knows when to offer (call.h). It also decides what protects each line and never lets that
 * become weaker by an answer or in a running session (docs/decisions/016-offers-are-encrypted.md).
 *
 * There is at most one line of each kind (audio, video) and one data channel in use; others are
 * refused in place. Lines keep their slots over the whole session; a dropped line has port 0 and
 * its slot is used again.
 */

#include "engine/base/err.h"
#include "engine/core/media_desc.h"

#define TDM_MEDIA_KINDS 2 /* TDM_AUDIO, TDM_VIDEO index the arrays below. */

/** Credentials for when the other side restarts ICE and ours must be new too (RFC 8839 section
 *  4.4.1.1.1). Once used (negotiated local credentials are these), the driver puts new ones here.
 */
struct tdm_ice_spare {
    char ufrag[33], pwd[65]; /* "": the old ones are said again. */
};

/** What this side can and wants to do with one kind of media. */
struct tdm_media_capability {
    bool wanted; /* false: not offered, and refused when offered. */
    enum tdm_direction direction;
    uint16_t port;
    uint16_t rtcp_port; /* 0: port + 1. */
    bool rtcp_mux;
    bool avpf; /* Offers say RTP/AVPF; false works with more peers, and feedback is offered anyway.
                */
    bool ccfb; /* We tell of each packet by RFC 8888, in RTCP packets that may stand alone. */
    uint8_t parity_type; /* We take repairs over a window (docs/repair.md); 0: we do not. */
    bool ulpfec; /* We take generic repairs where they are offered; offers of ours have no room. */
    uint16_t ptime_ms, framerate; /* 0: not said. */
    uint32_t bandwidth_bps;       /* What we want to receive at most; 0: not said. */
    uint8_t codec_count;
    struct tdm_codec_desc codecs[TDM_DESC_CODECS_MAX]; /* In order of preference. */
    uint8_t ext_count;
    struct tdm_ext_desc exts[TDM_DESC_EXT_MAX];

    /* Of this kind's own socket; unused while it is bundled with the other's. Credentials and
     * candidates for ICE; fingerprints for DTLS; cryptos: a key for each suite that we can, best
     * first; setup: NONE is actpass in offers and active in answers. */
    struct tdm_transport_desc transport;
    struct tdm_ice_spare spare;
};

/** The data channel: m=application over TCP/TLS (RFC 4145, RFC 8122). */
struct tdm_channel_capability {
    bool wanted;
    bool if_asked; /* Accepted when the other side offers it, but not offered by us. */
    uint16_t port; /* Where we listen; 0: nowhere, so that we are the active side. */
    /* Fingerprints and TCP candidates; setup: NONE is actpass in offers, active in answers;
     * connection_existing: a connection of this session stands and should go on. */
    struct tdm_transport_desc transport;
};

/** All false: nothing can be agreed on. */
struct tdm_capability {
    char address[64]; /* Numeric, reachable from the other side (tdm_sig_local_address). */
    bool dtls;        /* DTLS-SRTP; needs fingerprints. Preferred. */
    bool sdes;  /* Keys in the description; needs cryptos. Only where signalling is confidential, or
                   the user insists. */
    bool plain; /* Media in clear, if the other side knows nothing better: the user insists. */
    bool bundle; /* Video may share audio's transport (RFC 8843, "balanced"). */
    struct tdm_media_capability media[TDM_MEDIA_KINDS];
    struct tdm_channel_capability channel;
};

/** Appends a codec, which may be marked decode_only then; name from `id`; fmtp may be NULL. Video
 * gets nack, pli, fir, tmmbr and remb; rtx_type and transport_cc are the caller's to set. */
void tdm_capability_add(struct tdm_capability *capability, enum tdm_media_kind kind,
                        enum tdm_codec_id id, uint8_t payload_type, uint32_t clock_hz,
                        uint8_t channels, const char *fmtp);

/** How what was agreed travels. */
struct tdm_negotiated_transport {
    enum tdm_proto proto;               /* What protects it; TDM_PROTO_RTP: nothing does. */
    bool ice;                           /* Both sides do ICE; else remote_address is all. */
    bool ice_controlling;               /* RFC 8445 section 6.1.1 */
    enum tdm_setup setup;               /* Ours in DTLS: ACTIVE (client) or PASSIVE (server). */
    struct tdm_crypto_desc send_key;    /* SDES: ours. */
    struct tdm_crypto_desc receive_key; /* SDES: the other side's. */
    struct tdm_transport_desc local;    /* As we said it last. */
    struct tdm_transport_desc remote;   /* As the other side said it last. New credentials than
                                           before: it restarted ICE. */
};

/** The data channel, as agreed. */
struct tdm_negotiated_channel {
    bool active; /* Both sides want it. */
    uint8_t line_index;
    enum tdm_setup setup; /* Ours: ACTIVE (connect to remote_address and its candidates), PASSIVE
                             (listen), HOLDCONN (neither, for now). */
    bool existing;        /* The connection that stands goes on (RFC 4145 section 5). */
    char remote_address[64];
    uint16_t remote_port, local_port;
    struct tdm_transport_desc local, remote; /* Fingerprints, candidates. */
};

/** What was agreed for one kind of media. */
struct tdm_negotiated_media {
    bool active;                  /* Both ports are set and a codec is shared. */
    uint8_t line_index;           /* Of the m= line. */
    enum tdm_direction direction; /* From our point of view; hold included. */
    bool held_by_remote;          /* The other side does not want to receive. */
    struct tdm_codec_desc send;   /* First choice to send: payload type and fmtp are the
                                     receiver's. TDM_CODEC_NONE when all that is shared we can only
                                     decode. */
    uint8_t receive_count;
    struct tdm_codec_desc receive[TDM_DESC_CODECS_MAX]; /* Payload types and fmtp are ours. */
    uint8_t dtmf_send_type, dtmf_receive_type;          /* telephone-event; 0 = none. */
    uint32_t dtmf_send_hz, dtmf_receive_hz;
    char remote_address[64];
    uint16_t remote_port, remote_rtcp_port; /* Equal with rtcp_mux. */
    uint16_t local_port;
    bool rtcp_mux;
    uint8_t ext_count;
    struct tdm_ext_desc exts[TDM_DESC_EXT_MAX];     /* Same ids both ways. */
    bool nack, pli, fir, tmmbr, remb, transport_cc; /* Feedback both sides understand. */
    bool ccfb;       /* Likewise; transport_cc is false then, as one of the two is enough. */
    bool rtcp_rsize; /* Feedback may stand alone (RFC 5506). */
    uint8_t send_parity_type, receive_parity_type; /* 0: none are agreed. */
    /* Of generic repairs; likewise, and none beside those. */
    uint8_t send_ulpfec_type, send_ulpfec_red_type;
    uint8_t receive_ulpfec_type, receive_ulpfec_red_type, receive_ulpfec_rtx_type;
    uint32_t max_bitrate_bps; /* What the other side receives at most; 0: not said. */
    uint16_t framerate, ptime_ms, max_ptime_ms; /* What the other side wants; 0: not said. */
    char mid[16];                       /* "" = none; for the MID of RTP (RFC 8843 section 15). */
    bool bundled;                       /* In a bundle, perhaps alone. */
    enum tdm_media_kind transport_kind; /* Whose socket, ICE agent and keys serve it: its own, or
                                           those of the line that it is bundled with. The ports,
                                           addresses and `transport` here are that one's. */
    struct tdm_negotiated_transport transport;
};

struct tdm_negotiated {
    struct tdm_negotiated_media media[TDM_MEDIA_KINDS];
    struct tdm_negotiated_channel channel;
};

/** The session as both sides last agreed on it. Plain data; owner: the call machine. */
struct tdm_offer_answer {
    uint64_t session_id;
    bool sent_any, agreed;
    struct tdm_media_desc sent;      /* What we sent last, agreed or not: gives the o= version. */
    struct tdm_media_desc local;     /* As agreed. */
    struct tdm_media_desc remote;    /* As agreed. */
    int8_t line_of[TDM_MEDIA_KINDS]; /* -1: none. */
    int8_t channel_line;             /* -1: none. */
    bool role_known, controlling;    /* In ICE: settled by the first agreement. */
    struct tdm_negotiated negotiated;
};

/** `session_id`: random, for o=. */
void tdm_offer_answer_init(struct tdm_offer_answer *oa, uint64_t session_id);

/** Makes an offer of what `capability` wants, on the slots of the session. Nothing is agreed yet.
 *  What protects a new line is the capability's best alone, or in clear with all of it said beside
 *  (RFC 8643) when that is allowed; a line in use keeps what it has. Codecs that are decode_only
 * are left out, unless the line uses one already. Then, when nothing else is shared, the line is
 * offered as one that we only receive. TDM_E_UNSUPPORTED when nothing is wanted or there is no slot
 * left; TDM_E_DENIED when nothing that is allowed could protect a line. */
enum tdm_err tdm_offer_make(struct tdm_offer_answer *oa, const struct tdm_capability *capability,
                            struct tdm_media_desc *offer, struct tdm_cause *cause);

/** Whether `offer` says just what was agreed already, so that it need not be sent. */
bool tdm_offer_is_agreed(const struct tdm_offer_answer *oa, const struct tdm_media_desc *offer);

/** Answers `offer`; agreed at once. A line whose shared codecs are all decode_only is one that we
 *  only receive. TDM_E_UNSUPPORTED (488) with a cause when no line can be taken, TDM_E_DENIED (488)
 *  when what protects them is too weak; the session is then as before. */
enum tdm_err tdm_answer_make(struct tdm_offer_answer *oa, const struct tdm_capability *capability,
                             const struct tdm_media_desc *offer, struct tdm_media_desc *answer,
                             struct tdm_negotiated *negotiated, struct tdm_cause *cause);

/** Takes the answer to our `offer`. TDM_E_UNSUPPORTED when no codec of an accepted line is ours,
 *  TDM_E_MALFORMED when it contradicts the offer, TDM_E_DENIED when it takes away what protects a
 *  line; the session is then as before. */
enum tdm_err tdm_answer_apply(struct tdm_offer_answer *oa, const struct tdm_media_desc *offer,
                              const struct tdm_media_desc *answer,
                              struct tdm_negotiated *negotiated, struct tdm_cause *cause);

#endif
