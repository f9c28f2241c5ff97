/* SPDX-License-Identifier: MIT */
#include "signalling/presence_watch.h"

#include <stddef.h>
#include <strings.h>

#define WAIT_FIRST    4u           /* Seconds after the first failure; doubled from then on, */
#define WAIT_MAX      600u         /* and never longer. */
#define WAIT_REFUSED  3600u        /* Who does not want us may think otherwise later. */
#define EXPIRES_LEAST 30u          /* What they may shorten it to. */
#define EXPIRES_MOST  (7u * 86400) /* What they may lengthen it to. */
#define FIRST_NOTIFY  (32 * TDM_S) /* Timer N of RFC 6665 section 4.1.2.4. */

enum tdm_watch_reason tdm_watch_reason_of(const char *text)
{
    static const struct {
        const char *text;
        enum tdm_watch_reason reason;
    } reasons[] = {
        {"deactivated", TDM_WATCH_DEACTIVATED}, {"probation", TDM_WATCH_PROBATION},
        {"rejected", TDM_WATCH_REJECTED},       {"timeout", TDM_WATCH_TIMEOUT},
        {"giveup", TDM_WATCH_GIVEUP},           {"noresource", TDM_WATCH_NORESOURCE},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcasecmp(text, reasons[i].text) == 0)
            return reasons[i].reason;
    return TDM_WATCH_NO_REASON;
}

void tdm_watch_init(struct tdm_watch *w, uint64_t seed)
{
    *w = (struct tdm_watch){
        .expires_s = TDM_WATCH_EXPIRES, .due = TDM_NEVER, .rng = tdm_rng_of(seed)};
}

/* Something between three quarters and all of it. */
static tdm_time jittered(struct tdm_watch *w, uint32_t seconds)
{
    tdm_time whole = seconds * TDM_S;

    return whole - (tdm_time)tdm_rng_below(&w->rng, (uint32_t)(whole / TDM_MS / 4) + 1) * TDM_MS;
}

/* They do not know us any more; to be asked anew at `due`. */
static void begin_at(struct tdm_watch *w, enum tdm_watch_phase phase, tdm_time due)
{
    w->dialog = false;
    w->phase = w->once ? TDM_WATCH_OFF : phase;
    w->on &= !w->once;
    w->due = w->once ? TDM_NEVER : due;
}

static void wait(struct tdm_watch *w, tdm_time now, uint32_t retry_after_s)
{
    uint32_t seconds = WAIT_FIRST << (w->failures < 8 ? w->failures : 8);

    w->failures++;
    if (seconds > WAIT_MAX)
        seconds = WAIT_MAX;
    begin_at(w, TDM_WATCH_WAITS,
             now + (retry_after_s ? retry_after_s * TDM_S + jittered(w, 1) : jittered(w, seconds)));
}

/* At once, but not twice in a row. */
static void again(struct tdm_watch *w, tdm_time now, uint32_t retry_after_s)
{
    if (w->failures) {
        wait(w, now, retry_after_s);
        return;
    }
    w->failures++;
    begin_at(w, TDM_WATCH_WAITS, now);
}

/* It stands for so long, and is refreshed before. */
static void stands(struct tdm_watch *w, tdm_time now, uint32_t expires_s)
{
    uint32_t seconds = expires_s ? expires_s : w->expires_s;

    seconds = seconds < EXPIRES_LEAST ? EXPIRES_LEAST : seconds;
    seconds = seconds > EXPIRES_MOST ? EXPIRES_MOST : seconds;
    w->due = now + jittered(w, seconds * 4 / 5);
}

static void refused(struct tdm_watch *w, tdm_time now, const struct tdm_watch_in *in)
{
    switch (in->code) {
    case 423:
        if (in->min_expires_s <= w->expires_s || in->min_expires_s > EXPIRES_MOST) {
            wait(w, now, 0);
            break;
        }
        w->expires_s = in->min_expires_s;
        begin_at(w, TDM_WATCH_WAITS, now);
        break;
    case 481: /* They forgot us. */
        again(w, now, in->retry_after_s);
        break;
    case 401:
    case 403:
    case 405:
    case 407:
    case 489:
    case 501:
    case 603:
        begin_at(w, TDM_WATCH_REFUSED, now + jittered(w, WAIT_REFUSED));
        break;
    default:
        wait(w, now, in->retry_after_s);
    }
}

static void answered(struct tdm_watch *w, tdm_time now, const struct tdm_watch_in *in)
{
    bool left = w->leaving;

    if (!w->asked)
        return;
    w->asked = w->leaving = false;
    if (left) {
        begin_at(w, TDM_WATCH_OFF, now);
    } else if (in->code / 100 != 2) {
        refused(w, now, in);
    } else if (w->phase == TDM_WATCH_ASKED) { /* A NOTIFY should follow. */
        w->dialog = true;
        w->phase = TDM_WATCH_PENDING;
        w->due = now + FIRST_NOTIFY;
    } else if (w->dialog) { /* Refreshed; or the NOTIFY came before the answer. */
        stands(w, now, in->expires_s);
    }
}

static void ended(struct tdm_watch *w, tdm_time now, const struct tdm_watch_in *in)
{
    switch (in->reason) {
    case TDM_WATCH_REJECTED:
    case TDM_WATCH_NORESOURCE:
        begin_at(w, TDM_WATCH_REFUSED, now + jittered(w, WAIT_REFUSED));
        break;
    case TDM_WATCH_DEACTIVATED: /* They moved elsewhere. */
    case TDM_WATCH_TIMEOUT:
        again(w, now, in->retry_after_s);
        break;
    default:
        wait(w, now, in->retry_after_s);
    }
}

static void notified(struct tdm_watch *w, tdm_time now, const struct tdm_watch_in *in)
{
    if (!w->on || (!w->asked && !w->dialog))
        return;
    if (in->state == TDM_WATCH_IS_TERMINATED) {
        ended(w, now, in);
        return;
    }
    w->dialog = true;
    w->failures = 0;
    w->phase = in->state == TDM_WATCH_IS_ACTIVE ? TDM_WATCH_ACTIVE : TDM_WATCH_PENDING;
    stands(w, now, in->expires_s);
}

static void take(struct tdm_watch *w, tdm_time now, const struct tdm_watch_in *in)
{
    switch (in->kind) {
    case TDM_WATCH_TIME:
        break;
    case TDM_WATCH_START:
        w->on = true;
        w->failures = 0;
        if (!w->dialog)
            w->due = now;
        break;
    case TDM_WATCH_STOP:
        w->on = false;
        break;
    case TDM_WATCH_RETRY:
        w->failures = 0;
        if (w->on && (w->phase == TDM_WATCH_WAITS || w->phase == TDM_WATCH_REFUSED))
            w->due = now;
        break;
    case TDM_WATCH_ANSWERED:
        answered(w, now, in);
        break;
    case TDM_WATCH_NOTIFIED:
        notified(w, now, in);
        break;
    }
}

static enum tdm_watch_what next(struct tdm_watch *w, tdm_time now)
{
    if (w->asked)
        return TDM_WATCH_NOTHING;
    if (!w->on) {
        if (w->dialog)
            return TDM_WATCH_LEAVE;
        w->phase = TDM_WATCH_OFF;
        w->due = TDM_NEVER;
        return TDM_WATCH_NOTHING;
    }
    if (now < w->due)
        return TDM_WATCH_NOTHING;
    /* Who took us and then said nothing has lost its mind about us: asked anew. */
    return w->dialog && w->phase == TDM_WATCH_ACTIVE ? TDM_WATCH_REFRESH : TDM_WATCH_SUBSCRIBE;
}

void tdm_watch_step(struct tdm_watch *w, tdm_time now, const struct tdm_watch_in *in,
                    struct tdm_watch_out *out)
{
    if (in)
        take(w, now, in);
    *out = (struct tdm_watch_out){.what = next(w, now)};
    if (out->what != TDM_WATCH_NOTHING) {
        out->expires_s = out->what == TDM_WATCH_LEAVE || w->once ? 0 : w->expires_s;
        w->leaving = out->what == TDM_WATCH_LEAVE;
        w->asked = true;
        w->due = TDM_NEVER;
        if (out->what == TDM_WATCH_SUBSCRIBE) {
            w->dialog = false;
            w->phase = TDM_WATCH_ASKED;
        }
    }
    out->wake_at = w->asked ? TDM_NEVER : w->due; /* They may have ended it meanwhile. */
}
