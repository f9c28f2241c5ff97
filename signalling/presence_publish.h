/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_PRESENCE_PUBLISH_H
#define TDM_SIGNALLING_PRESENCE_PUBLISH_H

/*
 * One publication of our presence at one account's server (RFC 3903): when to say it, to refresh
 * it, to say it anew after 412, how long to leave a server alone that fails, and to take it back at
 * the end. A pure step machine; the driver sends what it asks for and tells how it went.
 */

#include "engine/base/rng.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_PUBLISH_EXPIRES  3600
#define TDM_PUBLISH_ETAG_MAX 128

enum tdm_publish_phase {
    TDM_PUBLISH_OFF,
    TDM_PUBLISH_ASKED, /* A request is on its way. */
    TDM_PUBLISH_STANDS,
    TDM_PUBLISH_WAITS,   /* It failed; later again. */
    TDM_PUBLISH_REFUSED, /* This server takes none: not before the next START. */
};

enum tdm_publish_kind {
    TDM_PUBLISH_TIME,    /* Nothing but time. */
    TDM_PUBLISH_START,   /* The account is up. */
    TDM_PUBLISH_CHANGED, /* There is something else to say. */
    TDM_PUBLISH_STOP,    /* Takes it back. */
    TDM_PUBLISH_RETRY,   /* The account is there again. */
    TDM_PUBLISH_DONE, /* code, etag, expires_s, min_expires_s, retry_after_s; code 0: no answer. */
};

struct tdm_publish_in {
    enum tdm_publish_kind kind;
    uint16_t code;
    const char *etag; /* NULL: none came. */
    uint32_t expires_s, min_expires_s, retry_after_s;
};

enum tdm_publish_what {
    TDM_PUBLISH_NOTHING,
    TDM_PUBLISH_SAY,     /* With a body; `etag` "" = anew. */
    TDM_PUBLISH_REFRESH, /* Without a body. */
    TDM_PUBLISH_REMOVE,  /* Expires 0. */
};

struct tdm_publish_out {
    enum tdm_publish_what what;
    char etag[TDM_PUBLISH_ETAG_MAX];
    uint32_t expires_s;
    tdm_time wake_at;
};

struct tdm_publish {
    enum tdm_publish_phase phase;
    enum tdm_publish_what asked;
    bool on, dirty;
    char etag[TDM_PUBLISH_ETAG_MAX]; /* "": nothing stands. */
    uint32_t expires_s, failures;
    tdm_time due;
    struct tdm_rng rng;
};

void tdm_publish_init(struct tdm_publish *publish, uint64_t seed);
/** `in` NULL: only time has passed. */
void tdm_publish_step(struct tdm_publish *publish, tdm_time now, const struct tdm_publish_in *in,
                      struct tdm_publish_out *out);

#endif
