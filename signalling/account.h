/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_ACCOUNT_H
#define TDM_SIGNALLING_ACCOUNT_H

/*
 * One account's life at its server (RFC 3261 section 10, RFC 5626): when to look its addresses up,
 * which of them to ask, when to refresh, when to try again and when not to, when to send a
 * keep-alive, and where it stands, in words. A step core: no message, socket or password is here.
 * Whoever drives it sends a REGISTER when told, and says what came of it. An account without
 * registration (a gateway) is driven the same way with OPTIONS.
 *
 * One request is out at a time. SEND means that the one before is given up; its late answer carries
 * an old `attempt` and is ignored.
 */

#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "signalling/signalling.h"

#define TDM_ACCOUNT_ADDRESSES_MAX 8

struct tdm_account_config {
    uint64_t seed;        /* Of the jitter. */
    uint32_t expires_s;   /* Asked for; 0 = 600. */
    uint32_t keepalive_s; /* Between two, before jitter; 0 = none. */
    bool probe;           /* OPTIONS: whoever answers at all is there. */
};

enum tdm_account_in_kind {
    TDM_ACCOUNT_START,
    TDM_ACCOUNT_STOP,      /* Unregister; ends in OFF. */
    TDM_ACCOUNT_RETRY,     /* The network changed, or the user wants it now. */
    TDM_ACCOUNT_LOOKED_UP, /* address_count; 0: reason. */
    TDM_ACCOUNT_ANSWERED,  /* A final response to `attempt`. */
    TDM_ACCOUNT_FAILED,    /* No response to `attempt`: reason. */
    TDM_ACCOUNT_LOST,      /* The connection that we registered over is gone. */
};

/* What a 401 or 407 means for us, as the digest's keeper says. */
enum tdm_account_challenge {
    TDM_ACCOUNT_NO_CHALLENGE,
    TDM_ACCOUNT_CAN_ANSWER,     /* A new nonce: send again. */
    TDM_ACCOUNT_WRONG_PASSWORD, /* We answered, and it asks again, and the nonce is not stale. */
    TDM_ACCOUNT_NO_PASSWORD,
    TDM_ACCOUNT_CANNOT_ANSWER, /* A scheme that we do not have. */
};

struct tdm_account_in {
    enum tdm_account_in_kind kind;
    uint32_t attempt;       /* ANSWERED, FAILED, LOOKED_UP: of the `out` that asked for it. */
    uint32_t address_count; /* LOOKED_UP: up to TDM_ACCOUNT_ADDRESSES_MAX. */
    uint16_t code;          /* ANSWERED */
    enum tdm_account_challenge challenge;
    uint32_t expires_s;     /* ANSWERED 2xx: granted to us. */
    uint32_t min_expires_s; /* ANSWERED 423 */
    uint32_t retry_after_s; /* 0: not said. */
    bool contact_moved;     /* ANSWERED 2xx: it sees us at another address than we told it. */
    bool hopeless; /* FAILED: trying again would not help (a certificate that is refused). */
    const char *reason;
};

enum tdm_account_do {
    TDM_ACCOUNT_DO_NOTHING,
    TDM_ACCOUNT_DO_LOOK_UP,
    TDM_ACCOUNT_DO_SEND, /* REGISTER with expires_s to address_index. */
    TDM_ACCOUNT_DO_KEEP_ALIVE,
};

struct tdm_account_out {
    enum tdm_account_do action;
    uint32_t attempt, address_index, expires_s;
    bool changed; /* State, code or reason: tell. */
    tdm_time wake_at;
    const char *wake_why;
};

/* Read what you like; write through the step alone. */
struct tdm_account {
    struct tdm_account_config config;
    struct tdm_rng rng;
    enum tdm_sig_registration state;
    uint16_t code; /* That brought it here; 0: none. */
    char reason[TDM_SIG_REASON_MAX];
    uint32_t expires_s; /* Asked for, after 423. */
    uint32_t granted_s;
    tdm_time registered_until; /* TDM_NEVER: not registered. */
    uint32_t attempt;
    bool looking_up, sending, known_there; /* The server may have heard of us. */
    uint32_t address_count, address_index;
    uint32_t tries;         /* Of one registration at one address: challenges, 423, contacts. */
    uint32_t failures;      /* Rounds over all addresses that failed in a row. */
    uint32_t retry_after_s; /* The longest that was asked for in this round. */
    tdm_time deadline;      /* Of what is out. */
    tdm_time due;           /* Next registration: refresh or another try. */
    tdm_time keepalive_due;
};

void tdm_account_init(struct tdm_account *account, const struct tdm_account_config *config);

/** `in` NULL: only time has passed. */
void tdm_account_step(struct tdm_account *account, tdm_time now, const struct tdm_account_in *in,
                      struct tdm_account_out *out);

/** "registered", for people. */
const char *tdm_account_state_name(enum tdm_sig_registration state);

#endif
