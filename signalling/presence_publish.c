/* SPDX-License-Identifier: MIT */
#include "signalling/presence_publish.h"

#include "engine/base/err.h"

#include <stdio.h>
#include <string.h>

#define WAIT_FIRST    4u           /* Seconds after the first failure; doubled from then on, */
#define WAIT_MAX      600u         /* and never longer. */
#define EXPIRES_LEAST 30u          /* What a server may shorten it to. */
#define EXPIRES_MOST  (7u * 86400) /* Nor does it lengthen it further. */

void tdm_publish_init(struct tdm_publish *p, uint64_t seed)
{
    *p = (struct tdm_publish){
        .expires_s = TDM_PUBLISH_EXPIRES, .due = TDM_NEVER, .rng = tdm_rng_of(seed)};
}

/* Something between three quarters and all of it. */
static tdm_time jittered(struct tdm_publish *p, uint32_t seconds)
{
    tdm_time whole = seconds * TDM_S;

    return whole - (tdm_time)tdm_rng_below(&p->rng, (uint32_t)(whole / TDM_MS / 4) + 1) * TDM_MS;
}

static void wait(struct tdm_publish *p, tdm_time now, uint32_t retry_after_s)
{
    uint32_t seconds = WAIT_FIRST << (p->failures < 8 ? p->failures : 8);

    p->failures++;
    p->phase = TDM_PUBLISH_WAITS;
    if (seconds > WAIT_MAX)
        seconds = WAIT_MAX;
    p->due = now + (retry_after_s ? retry_after_s * TDM_S + jittered(p, 1) : jittered(p, seconds));
}

static void taken(struct tdm_publish *p, tdm_time now, const struct tdm_publish_in *in)
{
    uint32_t expires = in->expires_s ? in->expires_s : p->expires_s;

    p->failures = 0;
    if (p->asked == TDM_PUBLISH_REMOVE) {
        p->etag[0] = '\0';
        p->phase = TDM_PUBLISH_OFF;
        p->due = p->on ? now : TDM_NEVER; /* Switched on again meanwhile. */
        return;
    }
    if (in->etag)
        (void)snprintf(p->etag, sizeof p->etag, "%s", in->etag);
    if (expires < EXPIRES_LEAST)
        expires = EXPIRES_LEAST;
    p->phase = TDM_PUBLISH_STANDS;
    p->due = now + jittered(p, expires * 4 / 5);
}

static void refused(struct tdm_publish *p, tdm_time now, const struct tdm_publish_in *in)
{
    switch (in->code) {
    case 412: /* The server forgot it, with a restart for one: said anew, at once the first time. */
        p->etag[0] = '\0';
        if (p->failures++ == 0) {
            p->phase = TDM_PUBLISH_WAITS;
            p->due = now;
        } else {
            wait(p, now, in->retry_after_s);
        }
        break;
    case 423:
        if (in->min_expires_s > p->expires_s && in->min_expires_s < EXPIRES_MOST) {
            p->expires_s = in->min_expires_s;
            p->phase = TDM_PUBLISH_WAITS;
            p->due = now;
        } else {
            wait(p, now, 0);
        }
        break;
    case 401:
    case 403:
    case 404:
    case 405:
    case 407:
    case 415:
    case 489:
    case 501: /* Nothing that is worth asking again. */
        p->phase = TDM_PUBLISH_REFUSED;
        p->etag[0] = '\0';
        p->due = TDM_NEVER;
        break;
    default:
        wait(p, now, in->retry_after_s);
    }
}

static void done(struct tdm_publish *p, tdm_time now, const struct tdm_publish_in *in)
{
    if (p->phase != TDM_PUBLISH_ASKED)
        return;
    if (in->code / 100 == 2) {
        taken(p, now, in);
    } else if (p->asked == TDM_PUBLISH_REMOVE) { /* It runs out by itself. */
        p->etag[0] = '\0';
        p->phase = TDM_PUBLISH_OFF;
        p->due = p->on ? now : TDM_NEVER;
    } else {
        p->dirty |= p->asked == TDM_PUBLISH_SAY;
        refused(p, now, in);
    }
}

static void take(struct tdm_publish *p, tdm_time now, const struct tdm_publish_in *in)
{
    switch (in->kind) {
    case TDM_PUBLISH_TIME:
        break;
    case TDM_PUBLISH_START:
        p->on = p->dirty = true;
        p->failures = 0;
        if (p->phase != TDM_PUBLISH_ASKED) {
            p->phase = p->etag[0] ? TDM_PUBLISH_STANDS : TDM_PUBLISH_OFF;
            p->due = now;
        }
        break;
    case TDM_PUBLISH_CHANGED:
        p->dirty = true;
        break;
    case TDM_PUBLISH_STOP:
        p->on = false;
        break;
    case TDM_PUBLISH_RETRY:
        p->failures = 0;
        if (p->on && p->phase == TDM_PUBLISH_WAITS)
            p->due = now;
        break;
    case TDM_PUBLISH_DONE:
        done(p, now, in);
        break;
    }
}

static enum tdm_publish_what next(struct tdm_publish *p, tdm_time now)
{
    if (p->phase == TDM_PUBLISH_ASKED)
        return TDM_PUBLISH_NOTHING;
    if (!p->on) {
        if (p->etag[0])
            return TDM_PUBLISH_REMOVE;
        p->phase = TDM_PUBLISH_OFF;
        p->due = TDM_NEVER;
        return TDM_PUBLISH_NOTHING;
    }
    if (p->phase == TDM_PUBLISH_REFUSED)
        return TDM_PUBLISH_NOTHING;
    if (p->phase == TDM_PUBLISH_STANDS && p->dirty)
        return TDM_PUBLISH_SAY;
    if (now < p->due)
        return TDM_PUBLISH_NOTHING;
    return p->etag[0] && !p->dirty ? TDM_PUBLISH_REFRESH : TDM_PUBLISH_SAY;
}

void tdm_publish_step(struct tdm_publish *p, tdm_time now, const struct tdm_publish_in *in,
                      struct tdm_publish_out *out)
{
    if (in)
        take(p, now, in);
    *out = (struct tdm_publish_out){.what = next(p, now)};
    if (out->what != TDM_PUBLISH_NOTHING) {
        memcpy(out->etag, p->etag, sizeof out->etag);
        out->expires_s = out->what == TDM_PUBLISH_REMOVE ? 0 : p->expires_s;
        p->asked = out->what;
        p->phase = TDM_PUBLISH_ASKED;
        p->due = TDM_NEVER;
        if (out->what == TDM_PUBLISH_SAY)
            p->dirty = false;
    }
    out->wake_at = p->due;
}
