/* SPDX-License-Identifier: MIT */
#include "collab/consent.h"

#include <stdio.h>
#include <string.h>

#define QUESTIONS_MAX 3 /* In a row without a yes. */

void tdm_consent_init(struct tdm_consent *c, const struct tdm_consent_config *config)
{
    *c = (struct tdm_consent){.config = *config,
                              .seq = config->seq,
                              .down_until = TDM_NEVER,
                              .until = TDM_NEVER,
                              .answer_from = TDM_NEVER,
                              .answer_until = TDM_NEVER};
    if (!c->config.pause_seconds)
        c->config.pause_seconds = 10;
    if (!c->config.answer_seconds)
        c->config.answer_seconds = 120;
}

static enum tdm_consent_state state_of(const struct tdm_consent *c)
{
    if (c->asked)
        return TDM_CONSENT_ASKED;
    if (c->scopes & TDM_SCOPES_CONTROL)
        return TDM_CONSENT_GRANTED;
    return c->scopes & TDM_SCOPE_VIEW ? TDM_CONSENT_VIEW : TDM_CONSENT_NONE;
}

/* The one place where scopes and state change, and what makes the line of the log. */
static void change(struct tdm_consent *c, tdm_time now, enum tdm_consent_cause cause,
                   uint16_t scopes, struct tdm_consent_out *out)
{
    struct tdm_consent_entry *e = &out->entries[out->count];
    bool bare = !(scopes & TDM_SCOPE_VIEW);

    assert(out->count < TDM_CONSENT_ENTRIES_MAX);
    *e = (struct tdm_consent_entry){
        .at = now, .from = c->state, .cause = cause, .scopes_before = c->scopes, .asked = c->asked};
    if (scopes != c->scopes || cause == TDM_CAUSE_DISCONNECTED || cause == TDM_CAUSE_RECONNECTED)
        c->seq++;
    c->scopes = bare ? 0 : scopes;
    if (!(c->scopes & TDM_SCOPES_CONTROL))
        c->until = TDM_NEVER;
    if (!c->asked)
        c->answer_from = c->answer_until = TDM_NEVER;
    c->state = cause == TDM_CAUSE_HOST_ENDED ? TDM_CONSENT_REVOKED : state_of(c);
    c->cause = cause;
    e->to = c->state;
    e->scopes_after = c->scopes;
    e->seq = c->seq;
    e->until = c->until;
    out->count++;
}

static tdm_time end_of(tdm_time now, uint32_t seconds)
{
    if (!seconds)
        seconds = TDM_CONSENT_SECONDS_DEFAULT;
    if (seconds > TDM_CONSENT_SECONDS_MAX)
        seconds = TDM_CONSENT_SECONDS_MAX;
    return now + seconds * TDM_S;
}

static void withdraw(struct tdm_consent *c)
{
    c->asked = 0;
    c->asked_seconds = 0;
}

/* A question ended without a yes. */
static void no(struct tdm_consent *c, tdm_time now, enum tdm_consent_cause cause,
               struct tdm_consent_out *out)
{
    uint16_t asked = c->asked;

    if (c->asked_count >= QUESTIONS_MAX) {
        c->rest_until = now + TDM_CONSENT_REST;
        c->rest_told = false;
        c->asked_count = 0;
    }
    withdraw(c);
    change(c, now, cause, c->scopes, out);
    out->entries[out->count - 1].asked = asked;
}

static bool offer(struct tdm_consent *c, tdm_time now, const struct tdm_consent_in *in,
                  struct tdm_consent_out *out)
{
    uint16_t scopes = c->scopes | ((in->scopes & TDM_SCOPES_SEEN) | TDM_SCOPE_VIEW);

    if (scopes == c->scopes && c->state != TDM_CONSENT_REVOKED)
        return false;
    c->asked_count = 0;
    c->rest_until = 0;
    change(c, now, TDM_CAUSE_HOST_OFFERED, scopes, out);
    return true;
}

static bool ask(struct tdm_consent *c, tdm_time now, const struct tdm_consent_in *in,
                struct tdm_consent_out *out)
{
    uint16_t want = in->scopes & TDM_SCOPES_ALL;

    if (c->config.never_control)
        want &= TDM_SCOPES_SEEN;
    if (want)
        want = (want | TDM_SCOPE_VIEW) & (uint16_t)~c->scopes;
    if (!want || c->asked || c->down || c->state == TDM_CONSENT_REVOKED)
        return false;
    if (now < c->rest_until) {
        if (!c->rest_told)
            change(c, now, TDM_CAUSE_TOO_OFTEN, c->scopes, out);
        c->rest_told = true;
        return false;
    }
    c->asked_count++;
    c->asked = want;
    c->asked_seconds = in->seconds;
    c->answer_from = now;
    if (!c->config.known && want & TDM_SCOPES_CONTROL)
        c->answer_from += c->config.pause_seconds * TDM_S;
    c->answer_until = now + c->config.answer_seconds * TDM_S;
    change(c, now, TDM_CAUSE_HELPER_ASKED, c->scopes, out);
    return true;
}

static bool allow(struct tdm_consent *c, tdm_time now, const struct tdm_consent_in *in,
                  struct tdm_consent_out *out)
{
    uint16_t given = c->asked & (in->scopes ? in->scopes : TDM_SCOPES_ALL);
    uint16_t scopes = c->scopes | given;
    uint32_t seconds = in->seconds;

    if (!given || !(scopes & TDM_SCOPE_VIEW) || c->down)
        return false;
    if (given & TDM_SCOPES_CONTROL) {
        if (now < c->answer_from)
            return false;
        if (!seconds && c->asked_seconds < TDM_CONSENT_SECONDS_DEFAULT)
            seconds = c->asked_seconds;
        c->until = end_of(now, seconds);
        c->config.known = true;
    }
    c->asked_count = 0;
    withdraw(c);
    change(c, now, TDM_CAUSE_HOST_ALLOWED, scopes, out);
    return true;
}

static bool take_back(struct tdm_consent *c, tdm_time now, uint16_t scopes,
                      struct tdm_consent_out *out)
{
    if (!(c->scopes & scopes))
        return false;
    change(c, now, TDM_CAUSE_HOST_TOOK_BACK, c->scopes & (uint16_t)~scopes, out);
    return true;
}

static bool leave(struct tdm_consent *c, tdm_time now, struct tdm_consent_out *out)
{
    if (!c->asked && !(c->scopes & TDM_SCOPES_CONTROL))
        return false;
    withdraw(c);
    change(c, now, TDM_CAUSE_HELPER_LEFT, c->scopes & TDM_SCOPES_SEEN, out);
    return true;
}

static bool down(struct tdm_consent *c, tdm_time now, struct tdm_consent_out *out)
{
    bool told = c->scopes || c->asked;

    if (c->down)
        return false;
    c->down = true;
    c->down_until = now + TDM_CONSENT_DOWN;
    withdraw(c);
    if (told)
        change(c, now, TDM_CAUSE_DISCONNECTED, c->scopes, out);
    return true;
}

static bool up(struct tdm_consent *c, tdm_time now, struct tdm_consent_out *out)
{
    if (!c->down)
        return false;
    c->down = false;
    c->down_until = TDM_NEVER;
    if (c->scopes)
        change(c, now, TDM_CAUSE_RECONNECTED, c->scopes, out);
    return true;
}

static bool act(struct tdm_consent *c, tdm_time now, const struct tdm_consent_in *in,
                struct tdm_consent_out *out)
{
    switch (in->kind) {
    case TDM_CONSENT_IN_OFFER:
        return offer(c, now, in, out);
    case TDM_CONSENT_IN_ASK:
        return ask(c, now, in, out);
    case TDM_CONSENT_IN_ALLOW:
        return allow(c, now, in, out);
    case TDM_CONSENT_IN_DENY:
        if (!c->asked)
            return false;
        no(c, now, TDM_CAUSE_HOST_DENIED, out);
        return true;
    case TDM_CONSENT_IN_TAKE_BACK:
        return take_back(c, now, in->scopes ? in->scopes : TDM_SCOPES_CONTROL, out);
    case TDM_CONSENT_IN_EXTEND:
        if (!(c->scopes & TDM_SCOPES_CONTROL))
            return false;
        c->until = end_of(now, in->seconds);
        change(c, now, TDM_CAUSE_HOST_ALLOWED, c->scopes, out);
        return true;
    case TDM_CONSENT_IN_END:
        if (c->state == TDM_CONSENT_REVOKED)
            return false;
        withdraw(c);
        change(c, now, TDM_CAUSE_HOST_ENDED, 0, out);
        return true;
    case TDM_CONSENT_IN_LEAVE:
        return leave(c, now, out);
    case TDM_CONSENT_IN_DOWN:
        return down(c, now, out);
    case TDM_CONSENT_IN_UP:
        return up(c, now, out);
    case TDM_CONSENT_IN_KNOWN:
        c->config.known = true;
        c->answer_from = tdm_time_min(c->answer_from, now);
        return true;
    }
    return false;
}

void tdm_consent_step(struct tdm_consent *c, tdm_time now, const struct tdm_consent_in *in,
                      struct tdm_consent_out *out)
{
    out->count = 0;
    out->refused = false;
    if (c->asked && now >= c->answer_until)
        no(c, now, TDM_CAUSE_UNANSWERED, out);
    if (c->scopes & TDM_SCOPES_CONTROL && now >= c->until)
        change(c, now, TDM_CAUSE_EXPIRED, c->scopes & TDM_SCOPES_SEEN, out);
    if (now >= c->down_until && c->scopes & TDM_SCOPES_CONTROL)
        change(c, now, TDM_CAUSE_DISCONNECTED, c->scopes & TDM_SCOPES_SEEN, out);
    if (in)
        out->refused = !act(c, now, in, out);
    out->wake_at = tdm_time_min(c->until, c->answer_until);
    if (c->scopes & TDM_SCOPES_CONTROL)
        out->wake_at = tdm_time_min(out->wake_at, c->down_until);
}

uint16_t tdm_consent_scopes(const struct tdm_consent *c, tdm_time now)
{
    if (c->down)
        return 0;
    return now >= c->until ? c->scopes & TDM_SCOPES_SEEN : c->scopes;
}

bool tdm_consent_allows(const struct tdm_consent *c, tdm_time now, uint16_t scope, uint32_t seq)
{
    return seq == c->seq && scope && (tdm_consent_scopes(c, now) & scope) == scope;
}

void tdm_consent_tell(const struct tdm_consent *c, tdm_time now, struct tdm_control_record *rec)
{
    tdm_time left = c->until == TDM_NEVER || c->until <= now ? 0 : c->until - now;

    *rec = (struct tdm_control_record){.kind = TDM_CONTROL_GRANT,
                                       .seq = c->seq,
                                       .state = c->state,
                                       .scopes = tdm_consent_scopes(c, now),
                                       .cause = (uint16_t)c->cause,
                                       .seconds = (uint32_t)((left + TDM_S - 1) / TDM_S)};
}

const char *tdm_consent_warning(const struct tdm_consent *c)
{
    if (!(c->asked & TDM_SCOPES_CONTROL))
        return "This person will see everything that is on the screen, also messages that pop up. "
               "Close what is private first.";
    if (!(c->asked & TDM_SCOPES_CONTROL & ~(unsigned)TDM_SCOPE_ANNOTATE))
        return "This person will see everything that is on the screen, also messages that pop up, "
               "and can draw over it. Close what is private first.";
    if (c->config.known)
        return "This person will be able to act on this computer as you can. Stay here and watch; "
               "one key ends it.";
    return "This person has never helped you on this computer. Whoever controls it can read your "
           "mail, pay with your money and change your passwords. No bank, no authority and no "
           "computer company calls people and asks for this: if somebody did, say no and hang up. "
           "Say yes only to somebody whom you know and whom you asked for help.";
}

const char *tdm_consent_state_name(enum tdm_consent_state state)
{
    static const char *const names[] = {
        [TDM_CONSENT_NONE] = "none",       [TDM_CONSENT_VIEW] = "view",
        [TDM_CONSENT_ASKED] = "asked",     [TDM_CONSENT_GRANTED] = "granted",
        [TDM_CONSENT_REVOKED] = "revoked",
    };

    return names[state];
}

const char *tdm_consent_cause_name(enum tdm_consent_cause cause)
{
    static const char *const names[TDM_CAUSE_COUNT] = {
        [TDM_CAUSE_NONE] = "none",
        [TDM_CAUSE_HOST_OFFERED] = "host-offered",
        [TDM_CAUSE_HELPER_ASKED] = "helper-asked",
        [TDM_CAUSE_HOST_ALLOWED] = "host-allowed",
        [TDM_CAUSE_HOST_DENIED] = "host-denied",
        [TDM_CAUSE_HOST_TOOK_BACK] = "host-took-back",
        [TDM_CAUSE_HOST_ENDED] = "host-ended",
        [TDM_CAUSE_EXPIRED] = "expired",
        [TDM_CAUSE_HELPER_LEFT] = "helper-left",
        [TDM_CAUSE_DISCONNECTED] = "disconnected",
        [TDM_CAUSE_RECONNECTED] = "reconnected",
        [TDM_CAUSE_UNANSWERED] = "unanswered",
        [TDM_CAUSE_TOO_OFTEN] = "too-often",
    };

    return cause < TDM_CAUSE_COUNT ? names[cause] : "unknown";
}

const char *tdm_scope_name(enum tdm_scope scope)
{
    switch (scope) {
    case TDM_SCOPE_VIEW:
        return "view";
    case TDM_SCOPE_POINT:
        return "point";
    case TDM_SCOPE_POINTER:
        return "pointer";
    case TDM_SCOPE_KEYBOARD:
        return "keyboard";
    case TDM_SCOPE_CLIPBOARD_IN:
        return "clipboard-in";
    case TDM_SCOPE_CLIPBOARD_OUT:
        return "clipboard-out";
    case TDM_SCOPE_ANNOTATE:
        return "annotate";
    case TDM_SCOPE_FILES:
        return "files";
    }
    return "unknown";
}

const char *tdm_scopes_text(uint16_t scopes, char *text, size_t capacity)
{
    size_t used = 0;

    (void)snprintf(text, capacity, "nothing");
    for (unsigned bit = 1; bit <= TDM_SCOPE_ANNOTATE && used < capacity; bit *= 2)
        if (scopes & bit) {
            int size = snprintf(text + used, capacity - used, "%s%s", used ? ", " : "",
                                tdm_scope_name((enum tdm_scope)bit));

            used += size > 0 ? (size_t)size : 0;
        }
    return text;
}
