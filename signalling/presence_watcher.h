/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_PRESENCE_WATCHER_H
#define TDM_SIGNALLING_PRESENCE_WATCHER_H

/*
 * One who watches us without a server between (the notifier of RFC 6665): what they are told and
 * when, by what was decided about them. A pure step machine. Who is blocked politely sees somebody
 * who allowed it and is offline, so that they cannot tell.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_WATCHER_EXPIRES     3600
#define TDM_WATCHER_EXPIRES_MIN 60
#define TDM_WATCHER_PACE        (1 * TDM_S) /* Two changes are told so far apart at least. */

enum tdm_watch_policy {
    TDM_POLICY_ASK, /* Nobody has decided. */
    TDM_POLICY_ALLOW,
    TDM_POLICY_POLITE,
    TDM_POLICY_BLOCK,
};

enum tdm_watcher_kind {
    TDM_WATCHER_TIME,
    TDM_WATCHER_ASKS,     /* A SUBSCRIBE: expires_s (0: leaves). The answer is out.code. */
    TDM_WATCHER_DECIDED,  /* policy */
    TDM_WATCHER_CHANGED,  /* Our presence is another. */
    TDM_WATCHER_NOTIFIED, /* Our NOTIFY was answered: code; 0: it was not. */
    TDM_WATCHER_CLOSE,    /* We leave. */
};

struct tdm_watcher_in {
    enum tdm_watcher_kind kind;
    enum tdm_watch_policy policy; /* ASKS, DECIDED */
    uint32_t expires_s;
    uint16_t code;
};

enum tdm_watcher_shows {
    TDM_WATCHER_NOTHING,
    TDM_WATCHER_REAL,    /* What we really say. */
    TDM_WATCHER_OFFLINE, /* A device that is offline. */
};

struct tdm_watcher_out {
    uint16_t code; /* Of the answer to ASKS; 0: none due. */
    uint32_t expires_s, min_expires_s;
    enum tdm_watcher_shows notify; /* A NOTIFY is due, and with which document. */
    bool pending, terminated;      /* Its Subscription-State; neither: active. */
    const char *reason;            /* Of terminated: a constant. */
    uint32_t left_s;               /* Its expires. */
    bool ask;                      /* The user should decide. Once. */
    bool over;                     /* Forget it, after the NOTIFY. */
    tdm_time wake_at;
};

struct tdm_watcher {
    enum tdm_watch_policy policy;
    bool on, asked, due, under_way; /* due: a NOTIFY is; under_way: one waits for its answer. */
    const char *ending;             /* It is to end, with this reason; NULL: it is not. */
    tdm_time lapses, next;          /* When they are forgotten; not before when they are told. */
};

void tdm_watcher_init(struct tdm_watcher *watcher);
void tdm_watcher_step(struct tdm_watcher *watcher, tdm_time now, const struct tdm_watcher_in *in,
                      struct tdm_watcher_out *out);

#endif
