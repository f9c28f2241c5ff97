/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_PRESENCE_WATCH_H
#define TDM_SIGNALLING_PRESENCE_WATCH_H

/*
 * One subscription of ours to another's presence (RFC 6665, RFC 3856), at a server or straight at
 * the other device: when to ask, to refresh, to ask anew, and how long to leave who fails alone. A
 * pure step machine.
 */

#include "engine/base/rng.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_WATCH_EXPIRES 3600

enum tdm_watch_phase {
    TDM_WATCH_OFF,
    TDM_WATCH_ASKED,   /* A SUBSCRIBE is on its way. */
    TDM_WATCH_PENDING, /* They have not decided yet. */
    TDM_WATCH_ACTIVE,
    TDM_WATCH_WAITS,   /* Nobody there, or a failure; later again. */
    TDM_WATCH_REFUSED, /* They do not want us to; asked again after long. */
};

enum tdm_watch_kind {
    TDM_WATCH_TIME,
    TDM_WATCH_START,
    TDM_WATCH_STOP,
    TDM_WATCH_RETRY,    /* The network or the account came back, or they asked for us. */
    TDM_WATCH_ANSWERED, /* code (0: no answer), expires_s, min_expires_s, retry_after_s. */
    TDM_WATCH_NOTIFIED, /* state, expires_s; of a terminated one: reason, retry_after_s. */
};

enum tdm_watch_state { TDM_WATCH_IS_ACTIVE, TDM_WATCH_IS_PENDING, TDM_WATCH_IS_TERMINATED };

/** Why a subscription was ended by them (RFC 6665 section 4.1.3). */
enum tdm_watch_reason {
    TDM_WATCH_NO_REASON,
    TDM_WATCH_DEACTIVATED,
    TDM_WATCH_PROBATION,
    TDM_WATCH_REJECTED,
    TDM_WATCH_TIMEOUT,
    TDM_WATCH_GIVEUP,
    TDM_WATCH_NORESOURCE,
};

struct tdm_watch_in {
    enum tdm_watch_kind kind;
    uint16_t code;
    enum tdm_watch_state state;
    enum tdm_watch_reason reason;
    uint32_t expires_s, min_expires_s, retry_after_s;
};

enum tdm_watch_what {
    TDM_WATCH_NOTHING,
    TDM_WATCH_SUBSCRIBE, /* Anew, for expires_s. */
    TDM_WATCH_REFRESH,   /* In the dialog that stands. */
    TDM_WATCH_LEAVE,     /* Expires 0 in it. */
};

struct tdm_watch_out {
    enum tdm_watch_what what;
    uint32_t expires_s;
    tdm_time wake_at;
};

struct tdm_watch {
    enum tdm_watch_phase phase;
    bool on;
    bool once;           /* Set behind init: asks for one NOTIFY, and that is all. */
    bool dialog;         /* They know us. */
    bool asked, leaving; /* A request is on its way; it takes our leave. */
    uint32_t expires_s, failures;
    tdm_time due; /* When to do something. */
    struct tdm_rng rng;
};

void tdm_watch_init(struct tdm_watch *watch, uint64_t seed);
void tdm_watch_step(struct tdm_watch *watch, tdm_time now, const struct tdm_watch_in *in,
                    struct tdm_watch_out *out);

/** Of the text in Subscription-State. */
enum tdm_watch_reason tdm_watch_reason_of(const char *text);

#endif
