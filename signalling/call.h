/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_CALL_H
#define TDM_SIGNALLING_CALL_H

/*
 * The life of one call as a step machine: what the user wants and what the signalling backend
 * reports go in; at most one backend command and what changed come out. It decides when to offer,
 * answer, retry after glare and give up, and says in words why a call ended. Pure: time is passed
 * in, and how a command travels is the backend's business (signalling.h, call_perform.h).
 *
 *   IDLE -> DIALING -> RINGING_OUT -+
 *   IDLE -> INCOMING -> CONNECTING -+-> UP (held, reoffering) -> ENDING -> ENDED
 *
 * Every state but IDLE, UP and ENDED has a deadline, so that no call can hang.
 *
 * Asks to be called: where the other side cannot be reached and a service was named, it is asked
 * through that to call us; its invitation is known by a token and accepted at once. The other side
 * sees an INCOMING call like any other, and becomes the one who dials when it accepts.
 */

#include "engine/base/digest.h"
#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "signalling/offer_answer.h"
#include "signalling/signalling.h"

enum tdm_call_state {
    TDM_CALL_IDLE,
    TDM_CALL_DIALING,     /* Our invitation is out. */
    TDM_CALL_RINGING_OUT, /* It rings there. */
    TDM_CALL_INCOMING,    /* It rings here. */
    TDM_CALL_CONNECTING,  /* We accepted; the confirmation (ACK) is on the way. */
    TDM_CALL_UP,
    TDM_CALL_ENDING, /* Our CANCEL, BYE or refusal is out. */
    TDM_CALL_ENDED,
};

/** Why a call ended, for exit codes; the words are in `reason`. */
enum tdm_call_end {
    TDM_END_NONE,
    TDM_END_LOCAL,     /* Hung up here. */
    TDM_END_REMOTE,    /* Hung up there, after the call was up. */
    TDM_END_CANCELLED, /* The caller gave up before we answered. */
    TDM_END_BUSY,
    TDM_END_DECLINED,
    TDM_END_NO_ANSWER,
    TDM_END_NO_COMMON_CODEC,
    TDM_END_NOT_FOUND,
    TDM_END_UNREACHABLE, /* Nothing answers at the address, or its name is unknown. */
    TDM_END_FAILED,
    TDM_END_NOT_SECURE, /* Nothing that both sides allow would protect it. */
};

/** Where a call stands with being called back. */
enum tdm_call_back {
    TDM_BACK_NONE,
    TDM_BACK_POSSIBLE, /* We may ask for it. */
    TDM_BACK_ASKED,    /* We did: an invitation to back_target is ours. */
    TDM_BACK_WANTED,   /* The other side asked us. */
    TDM_BACK_DIALED,   /* One of the two happened: the called side holds the caller's end. */
};

enum tdm_call_input {
    TDM_CALL_DIAL,   /* uri; with service and callback: see "asks to be called" below. */
    TDM_CALL_ACCEPT, /* Of an incoming call. */
    TDM_CALL_REJECT, /* code, below 300 = 603. */
    TDM_CALL_HANG_UP,
    TDM_CALL_HOLD,
    TDM_CALL_RESUME,
    TDM_CALL_MEDIA_ON,   /* media: offered, and accepted when offered. */
    TDM_CALL_MEDIA_OFF,  /* media */
    TDM_CALL_CHANNEL_ON, /* The data channel: offered, and accepted when offered. */
    TDM_CALL_CHANNEL_OFF,
    TDM_CALL_SET_CAPABILITY, /* capability: replaces all of it; offered when the call is up. */
    TDM_CALL_SET_TRANSPORT,  /* capability: its transports, ports and spares alone: candidates that
                                came late, new credentials for an ICE restart. Offered when the call
                                is up and they say anything new. */
    TDM_CALL_SET_ANSWER,     /* capability: media's part of it; it counts when the other side offers
                                next, and nothing is offered for it. */
    TDM_CALL_DTMF_INFO,      /* digit; for when no dtmf_send_type was agreed. */
    TDM_CALL_EVENT,          /* event, of this call's id. */
};

struct tdm_call_in {
    enum tdm_call_input kind;
    const char *uri;
    const char *service;  /* DIAL: a SIP server both sides reach, or NULL. */
    const char *callback; /* DIAL: our "host:port" as the other side would call it, or NULL. */
    uint16_t code;
    char digit;
    enum tdm_media_kind media;
    const struct tdm_capability *capability;
    const struct tdm_sig_event *event;
};

enum tdm_call_command {
    TDM_CALL_DO_NOTHING,
    TDM_CALL_DO_CALL, /* uri, body = offer; the driver puts the new id into the machine. */
    TDM_CALL_DO_RING,
    TDM_CALL_DO_ACCEPT, /* body */
    TDM_CALL_DO_REJECT, /* code */
    TDM_CALL_DO_OFFER,  /* body */
    TDM_CALL_DO_ANSWER, /* body, or none and code. */
    TDM_CALL_DO_HANGUP,
    TDM_CALL_DO_DTMF_INFO,   /* digit */
    TDM_CALL_DO_INVITE_BACK, /* The call is given up, if any, and the other side asked to call us.
                              */
    TDM_CALL_DO_CALL_BACK,   /* We agree to call, and do. body = offer */
};

struct tdm_call_out {
    enum tdm_call_command command;
    uint16_t code;
    char digit;
    uint32_t body_size;
    char body[TDM_SIG_BODY_MAX];

    bool state_changed; /* Look at state, held_local, held_remote, reoffering. */
    bool media_changed; /* Look at negotiated. */
    bool refused;       /* The other side refused a change; `reason` says why, the call stands. */
    tdm_time wake_at;
    const char *wake_why;
};

/** Owner: the control thread (or the simulation). Fields above the line are for reading. */
struct tdm_call_machine {
    enum tdm_call_state state;
    bool held_local, held_remote, reoffering;
    bool outgoing;
    tdm_sig_id id; /* Set by the driver for an outgoing call, by CALL_IN for an incoming one. */
    struct tdm_negotiated negotiated;
    enum tdm_call_end end;
    uint16_t end_code;               /* SIP status, when one ended it. */
    char reason[TDM_SIG_REASON_MAX]; /* Why it ended, or why a change was refused. */
    char peer[TDM_SIG_ADDRESS_MAX];  /* URI of the other side. */
    char peer_name[64];

    /* Settings, after init and before the first step. */
    tdm_time no_answer_after; /* 60 s */
    tdm_time reoffer_after;   /* 40 s: give an unanswered offer up. */
    tdm_time ending_after;    /* 5 s */
    tdm_time
        ask_back_after; /* 4 s without any answer to our invitation; 0: at once, without one. */

    bool early;         /* RINGING_OUT: negotiated is what sounds before anybody answers. */
    tdm_sig_id account; /* Over which it calls; 0: straight. The driver sets it before DIAL. */

    /* --- */
    struct tdm_capability capability;
    bool offer_media[TDM_MEDIA_KINDS]; /* false once the other side dropped or refused it. */
    bool agreed_wanted[TDM_MEDIA_KINDS], agreed_held; /* To go back to after a refusal. */
    bool offer_channel, agreed_channel;               /* The same for the channel. */
    bool offered_dtls; /* Our invitation asked for DTLS-SRTP alone... */
    bool without_dtls; /* ... and was refused: now for keys in the description. */
    enum tdm_call_back back;
    char service[TDM_SIG_ADDRESS_MAX];
    char back_target[TDM_SIG_ADDRESS_MAX]; /* Whom to call back: us, or the other side. */
    tdm_time ask_back_at;
    struct tdm_offer_answer oa_before_early; /* Our offer, open, for another answer. */
    uint8_t early_digest[TDM_SHA256_BYTES];
    uint32_t early_size;
    bool offer_due;    /* Something changed that the other side has not been offered. */
    bool late_offer;   /* The invitation, or re-invitation, carried no offer: ours is out. */
    tdm_time deadline; /* Of the state. */
    tdm_time offer_at; /* When to send the due offer; TDM_NEVER: nothing due. */
    uint32_t retries;  /* Of that offer, after glare. */
    struct tdm_rng rng;
    struct tdm_offer_answer oa;
    struct tdm_media_desc offer; /* Ours, outstanding. */
    uint32_t remote_offer_size;  /* The invitation's, until it is accepted. */
    char remote_offer[TDM_SIG_BODY_MAX];
};

/** `seed` from entropy, or the simulation: for the session id and the back-off after glare. */
void tdm_call_init(struct tdm_call_machine *m, const struct tdm_capability *capability,
                   uint64_t seed);

/** `in` NULL: only time has passed. An input that the state does not allow does nothing. */
void tdm_call_step(struct tdm_call_machine *m, tdm_time now, const struct tdm_call_in *in,
                   struct tdm_call_out *out);

/** Whether an invitation (CALL_IN) is the one that this call asked for, and so its event. */
bool tdm_call_expects(const struct tdm_call_machine *m, const struct tdm_sig_event *event);

const char *tdm_call_state_name(enum tdm_call_state state);

#endif
