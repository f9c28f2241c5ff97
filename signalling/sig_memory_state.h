/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SIG_MEMORY_STATE_H
#define TDM_SIGNALLING_SIG_MEMORY_STATE_H

/* What the files of the in-memory backend share, and nobody else includes. */

#include "engine/base/rng.h"
#include "signalling/sig_memory.h"
#include "signalling/sig_queue.h"

#define TDM_MEMORY_T1            (500 * TDM_MS) /* RFC 3261 section 17.1.1.1. */
#define TDM_MEMORY_TIMEOUT       (64 * TDM_MEMORY_T1)
#define TDM_MEMORY_ENDPOINTS_MAX 16
#define TDM_MEMORY_CALLS_MAX     32

enum tdm_memory_method {
    TDM_MEMORY_INVITE,
    TDM_MEMORY_ACK,
    TDM_MEMORY_CANCEL,
    TDM_MEMORY_BYE,
    TDM_MEMORY_INFO,
    TDM_MEMORY_OPTIONS,
    TDM_MEMORY_MESSAGE,
    TDM_MEMORY_REFER
};

/* One message on its way. A response has a code and its request's method and sequence. */
struct tdm_memory_message {
    struct tdm_memory_message *next;
    tdm_time due;
    uint32_t from, to; /* Endpoint indexes. */
    uint64_t call;     /* Unique on the wire, as a Call-ID is. */
    enum tdm_memory_method method;
    uint32_t seq;
    uint16_t code; /* 0: a request. */
    char digit;
    uint16_t duration_ms;
    char name[64];                    /* Of who asks. */
    uint32_t service;                 /* Index + 1 of the endpoint it goes through; 0: straight. */
    bool relayed;                     /* By the service, already. */
    char target[TDM_SIG_ADDRESS_MAX]; /* REFER: whom to call; INVITE: who is called, when it is such
                                         a target. */
    char content_type[64];            /* MESSAGE */
    uint32_t size;
    uint8_t body[];
};

/* A message that is sent again until something stops it. */
struct tdm_memory_repeat {
    struct tdm_memory_message *message; /* NULL: not running. */
    tdm_time next, interval, deadline;
    bool capped; /* Interval stops growing at T2. */
};

enum tdm_memory_phase {
    TDM_MEMORY_INVITING,
    TDM_MEMORY_RINGING,
    TDM_MEMORY_ACCEPTED,
    TDM_MEMORY_UP,
    TDM_MEMORY_LEAVING,
    TDM_MEMORY_GONE
};

struct tdm_memory_call {
    bool used, over, outgoing, provisional, bye_due;
    tdm_sig_id id;
    enum tdm_memory_phase phase;
    uint64_t token;
    uint32_t peer;
    uint32_t seq;                    /* Of our last request. */
    struct tdm_memory_repeat invite; /* Our INVITE or re-INVITE. */
    bool inviting;                   /* It has no final response yet. */
    uint32_t invite_seq;
    tdm_time invite_deadline;         /* Once cancelled. */
    struct tdm_memory_repeat request; /* Our CANCEL, BYE, INFO, OPTIONS, MESSAGE or REFER. */
    struct tdm_memory_repeat final;   /* Our final response to their INVITE, until the ACK. */
    uint32_t their_seq;               /* Of their last INVITE. */
    uint16_t their_code;              /* What we answered it last; 0 = nothing final. */
    bool their_pending;               /* It waits for our answer. */
    bool their_offerless;
    uint32_t info_seq; /* Of their last INFO. */
    uint32_t service;  /* As in the messages. */
    char target[TDM_SIG_ADDRESS_MAX];
    bool asked; /* Their REFER, not a call. */
    tdm_time answer_by;
    bool acked;
    uint32_t ack_seq;
    tdm_time forget_at;
};

struct tdm_sig {
    struct tdm_sig_wire *wire;
    uint32_t index;
    char name[64];
    uint32_t calls_max;
    bool may_be_asked_back, no_messages;
    bool closed;     /* Hears only those whom it talked to... */
    uint32_t talked; /* ... by their indexes. */
    struct tdm_sig_queue queue;
    tdm_sig_id last_id;
    struct tdm_memory_call calls[TDM_MEMORY_CALLS_MAX];
};

struct tdm_sig_wire {
    struct tdm_sig_wire_config config;
    struct tdm_rng rng;
    tdm_time now;
    uint64_t last_token;
    uint32_t in_flight;
    struct tdm_memory_message *flight; /* Sorted by due time. */
    struct tdm_sig *endpoints[TDM_MEMORY_ENDPOINTS_MAX];
    struct tdm_sig_wire_stats stats;
};

/* --- sig_memory_wire.c ------------------------------------------------------------------------ */

/** A copy leaves, and may be lost or doubled. */
void tdm_memory_transmit(struct tdm_sig_wire *wire, const struct tdm_memory_message *message);
/** Sends it now and again until stopped; `capped`: the interval stops growing at T2. */
void tdm_memory_repeat_start(struct tdm_sig_wire *wire, struct tdm_memory_repeat *repeat,
                             const struct tdm_memory_message *message, bool capped);
void tdm_memory_repeat_stop(struct tdm_memory_repeat *repeat);
/** True when it has just run out. */
bool tdm_memory_repeat_step(struct tdm_sig_wire *wire, struct tdm_memory_repeat *repeat);
tdm_time tdm_memory_repeat_wake(const struct tdm_memory_repeat *repeat);
/** -1: none. */
int tdm_memory_endpoint_named(const struct tdm_sig_wire *wire, const char *name);
struct tdm_memory_message *tdm_memory_copy(const struct tdm_memory_message *message);

/* --- sig_memory_calls.c ----------------------------------------------------------------------- */

struct tdm_memory_message *tdm_memory_message_new(const struct tdm_memory_call *call, uint32_t from,
                                                  enum tdm_memory_method method, uint32_t seq,
                                                  uint16_t code, const struct tdm_sig_body *body);
void tdm_memory_send_once(struct tdm_sig *sig, const struct tdm_memory_call *call,
                          enum tdm_memory_method method, uint32_t seq, uint16_t code,
                          const struct tdm_sig_body *body);
void tdm_memory_send_repeating(struct tdm_sig *sig, struct tdm_memory_call *call,
                               struct tdm_memory_repeat *repeat, enum tdm_memory_method method,
                               uint32_t seq, uint16_t code, const struct tdm_sig_body *body);
void tdm_memory_emit(struct tdm_sig *sig, const struct tdm_memory_call *call,
                     enum tdm_sig_kind kind, uint16_t code, const char *reason,
                     const struct tdm_memory_message *message);
/** The event that ends it, once. */
void tdm_memory_emit_end(struct tdm_sig *sig, struct tdm_memory_call *call, enum tdm_sig_kind kind,
                         uint16_t code, const char *reason);
void tdm_memory_stop_all(struct tdm_memory_call *call);
/** Over, but known for a while. */
void tdm_memory_go(struct tdm_sig *sig, struct tdm_memory_call *call);
/** NULL when there is no room. */
struct tdm_memory_call *tdm_memory_call_new(struct tdm_sig *sig, enum tdm_memory_phase phase,
                                            uint64_t token, uint32_t peer);
/** NULL when there is none, or it is over. */
struct tdm_memory_call *tdm_memory_call_by_id(struct tdm_sig *sig, tdm_sig_id id);
/** Final answer to their INVITE or re-INVITE, repeated until the ACK. */
void tdm_memory_answer_invite(struct tdm_sig *sig, struct tdm_memory_call *call, uint16_t code,
                              const struct tdm_sig_body *body);
/** What becomes of their REFER. */
void tdm_memory_answer_asked(struct tdm_sig *sig, struct tdm_memory_call *call, uint16_t code);
/** Leaves in order, whatever is on the wire; `code` refuses. */
void tdm_memory_leave(struct tdm_sig *sig, struct tdm_memory_call *call, uint16_t code);
/** What arrived at an endpoint. */
void tdm_memory_deliver(struct tdm_sig *sig, const struct tdm_memory_message *m);
void tdm_memory_call_step(struct tdm_sig *sig, struct tdm_memory_call *call);
tdm_time tdm_memory_call_wake(const struct tdm_memory_call *call);

#endif
