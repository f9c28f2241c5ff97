/* SPDX-License-Identifier: MIT */
#include "signalling/account.h"

#include <stdio.h>
#include <string.h>

#define EXPIRES_DEFAULT_S  600
#define EXPIRES_MAX_S      86400
#define ATTEMPT            (16 * TDM_S) /* A transaction lives 32 s; who is there answers sooner. */
#define ATTEMPT_OF_SEVERAL (6 * TDM_S)  /* With another address to go to. */
#define LOOK_UP            (30 * TDM_S)
#define UNREGISTER         (2 * TDM_S)
#define BACK_OFF_FIRST_S   4u
#define BACK_OFF_MAX_S     900
#define RETRY_AFTER_MAX_S  3600
#define LOST_WAIT_MS       500
#define TRIES_MAX          6 /* Challenges, 423 and moved contacts of one registration. */

void tdm_account_init(struct tdm_account *account, const struct tdm_account_config *config)
{
    *account = (struct tdm_account){
        .config = *config,
        .rng = tdm_rng_of(config->seed),
        .expires_s = config->expires_s ? config->expires_s : EXPIRES_DEFAULT_S,
        .registered_until = TDM_NEVER,
        .deadline = TDM_NEVER,
        .due = TDM_NEVER,
        .keepalive_due = TDM_NEVER,
    };
}

const char *tdm_account_state_name(enum tdm_sig_registration state)
{
    static const char *const names[] = {
        [TDM_SIG_ACCOUNT_OFF] = "off",
        [TDM_SIG_ACCOUNT_REGISTERING] = "registering",
        [TDM_SIG_ACCOUNT_REGISTERED] = "registered",
        [TDM_SIG_ACCOUNT_BACKING_OFF] = "waiting to try again",
        [TDM_SIG_ACCOUNT_REFUSED] = "refused",
        [TDM_SIG_ACCOUNT_UNREGISTERING] = "unregistering",
    };

    return names[state];
}

static void become(struct tdm_account *a, struct tdm_account_out *out,
                   enum tdm_sig_registration state, uint16_t code, const char *reason)
{
    out->changed |= a->state != state || a->code != code || strcmp(a->reason, reason) != 0;
    a->state = state;
    a->code = code;
    if (a->reason != reason)
        (void)snprintf(a->reason, sizeof a->reason, "%s", reason);
}

/* Between 3/4 of it and all of it, so that a server's clients do not come at once. */
static tdm_time jittered(struct tdm_account *a, uint32_t seconds)
{
    tdm_time whole = seconds * TDM_S;

    return whole - whole / 4000 * tdm_rng_below(&a->rng, 1000);
}

static void stop_all(struct tdm_account *a)
{
    a->attempt++; /* What is out is forgotten. */
    a->sending = a->looking_up = false;
    a->deadline = a->due = a->keepalive_due = TDM_NEVER;
}

static void look_up(struct tdm_account *a, tdm_time now, struct tdm_account_out *out)
{
    stop_all(a);
    a->looking_up = true;
    a->deadline = now + LOOK_UP;
    a->retry_after_s = 0;
    out->action = TDM_ACCOUNT_DO_LOOK_UP;
}

/* `again`: another try of the same registration at the same address. */
static void send(struct tdm_account *a, tdm_time now, struct tdm_account_out *out, bool again)
{
    bool leaving = a->state == TDM_SIG_ACCOUNT_UNREGISTERING;

    if (!again)
        a->tries = 0;
    a->attempt++;
    a->sending = true;
    a->due = TDM_NEVER;
    a->known_there = true;
    if (!leaving || !again)
        a->deadline = now + (leaving                ? UNREGISTER
                             : a->address_count > 1 ? ATTEMPT_OF_SEVERAL
                                                    : ATTEMPT);
    out->action = TDM_ACCOUNT_DO_SEND;
    out->expires_s = leaving ? 0 : a->expires_s;
}

static void be_off(struct tdm_account *a, struct tdm_account_out *out)
{
    stop_all(a);
    a->known_there = false;
    a->registered_until = TDM_NEVER;
    become(a, out, TDM_SIG_ACCOUNT_OFF, 0, "");
}

static void refuse(struct tdm_account *a, struct tdm_account_out *out, uint16_t code,
                   const char *reason)
{
    stop_all(a);
    a->known_there = false;
    a->registered_until = TDM_NEVER;
    become(a, out, TDM_SIG_ACCOUNT_REFUSED, code, reason);
}

/* All addresses failed: RFC 5626 section 4.5, with a shorter first wait. */
static void back_off(struct tdm_account *a, tdm_time now, struct tdm_account_out *out,
                     uint16_t code, const char *reason)
{
    uint32_t doublings = a->failures < 10 ? a->failures : 10;
    uint32_t wait_s = BACK_OFF_FIRST_S << doublings;

    if (wait_s > BACK_OFF_MAX_S)
        wait_s = BACK_OFF_MAX_S;
    stop_all(a);
    a->failures++;
    a->due = now + jittered(a, wait_s);
    if (a->retry_after_s) /* Not before it, and not all clients right at it. */
        a->due =
            tdm_time_max(a->due, now + a->retry_after_s * TDM_S + jittered(a, BACK_OFF_FIRST_S));
    become(a, out, TDM_SIG_ACCOUNT_BACKING_OFF, code, reason);
}

static void next_address(struct tdm_account *a, tdm_time now, struct tdm_account_out *out,
                         uint16_t code, const char *reason)
{
    if (a->state == TDM_SIG_ACCOUNT_UNREGISTERING) {
        be_off(a, out);
        return;
    }
    a->sending = false;
    if (a->registered_until == TDM_NEVER)
        a->known_there = false;
    if (++a->address_index >= a->address_count) {
        back_off(a, now, out, code, reason);
        return;
    }
    become(a, out, TDM_SIG_ACCOUNT_REGISTERING, code, reason);
    send(a, now, out, false);
}

static void registered(struct tdm_account *a, tdm_time now, const struct tdm_account_in *in,
                       struct tdm_account_out *out)
{
    uint32_t granted_s = in->expires_s < EXPIRES_MAX_S ? in->expires_s : EXPIRES_MAX_S;

    if (a->state == TDM_SIG_ACCOUNT_UNREGISTERING) {
        be_off(a, out);
        return;
    }
    if (a->config.probe)
        granted_s = a->expires_s;
    if (!granted_s) {
        next_address(a, now, out, in->code, "the server does not keep the registration");
        return;
    }
    if (in->contact_moved && ++a->tries < TRIES_MAX) {
        send(a, now, out, true);
        return;
    }
    a->sending = false;
    a->deadline = TDM_NEVER;
    a->failures = a->retry_after_s = 0;
    a->granted_s = granted_s;
    a->registered_until = now + granted_s * TDM_S;
    /* Early enough for a second try, but a grant of a few seconds is no reason for a storm. */
    a->due = now + tdm_time_max(jittered(a, granted_s) * 85 / 100, TDM_S);
    if (a->config.keepalive_s && a->keepalive_due == TDM_NEVER)
        a->keepalive_due = now + jittered(a, a->config.keepalive_s);
    become(a, out, TDM_SIG_ACCOUNT_REGISTERED, in->code, "");
}

static void challenged(struct tdm_account *a, tdm_time now, const struct tdm_account_in *in,
                       struct tdm_account_out *out)
{
    switch (in->challenge) {
    case TDM_ACCOUNT_CAN_ANSWER:
        if (++a->tries < TRIES_MAX)
            send(a, now, out, true);
        else
            next_address(a, now, out, in->code,
                         "the server asks for the password again and again: is its clock or its "
                         "cluster broken?");
        return;
    case TDM_ACCOUNT_NO_PASSWORD:
        refuse(a, out, in->code, "the server asks for a password, and the account has none");
        return;
    case TDM_ACCOUNT_CANNOT_ANSWER:
        refuse(a, out, in->code,
               "the server asks for the password in a way that is not known here (only Digest with "
               "MD5 or SHA-256 is)");
        return;
    default:
        refuse(a, out, in->code, "the password or the user name is wrong");
    }
}

/* What another try, or another address of the same service, will not change. */
static const char *final_words(uint16_t code)
{
    switch (code) {
    case 403:
        return "the server does not allow it: is the account locked, or the user name wrong?";
    case 404:
    case 410:
    case 604:
        return "the server does not know this user: check the address";
    case 405:
    case 501:
        return "this server registers nobody: is it the right one?";
    default:
        return code >= 600 || (code >= 300 && code < 400) || code == 400 || code == 416 ||
                       code == 420 || code == 484
                   ? "the server refuses to register this account"
                   : NULL;
    }
}

static void answered(struct tdm_account *a, tdm_time now, const struct tdm_account_in *in,
                     struct tdm_account_out *out)
{
    const char *final = final_words(in->code);
    uint32_t after_s =
        in->retry_after_s < RETRY_AFTER_MAX_S ? in->retry_after_s : RETRY_AFTER_MAX_S;

    if (in->code < 200)
        return;
    if (in->code == 401 || in->code == 407) {
        challenged(a, now, in, out);
    } else if (in->code < 300 || (a->config.probe && in->code < 500)) {
        registered(a, now, in, out);
    } else if (in->code == 423 && in->min_expires_s > a->expires_s &&
               in->min_expires_s <= EXPIRES_MAX_S && ++a->tries < TRIES_MAX) {
        a->expires_s = in->min_expires_s;
        send(a, now, out, true);
    } else if (final && a->state != TDM_SIG_ACCOUNT_UNREGISTERING &&
               a->registered_until == TDM_NEVER) {
        refuse(a, out, in->code, final);
    } else {
        if (after_s > a->retry_after_s)
            a->retry_after_s = after_s;
        next_address(a, now, out, in->code,
                     final ? final : "the server is overloaded or out of order");
    }
}

static void start(struct tdm_account *a, tdm_time now, struct tdm_account_out *out)
{
    become(a, out, TDM_SIG_ACCOUNT_REGISTERING, 0, "");
    look_up(a, now, out);
}

static void stop(struct tdm_account *a, tdm_time now, struct tdm_account_out *out)
{
    if (a->state == TDM_SIG_ACCOUNT_OFF || a->state == TDM_SIG_ACCOUNT_UNREGISTERING)
        return;
    if (!a->known_there || a->address_index >= a->address_count || a->config.probe) {
        be_off(a, out);
        return;
    }
    stop_all(a);
    become(a, out, TDM_SIG_ACCOUNT_UNREGISTERING, 0, "");
    send(a, now, out, false);
}

static void lost(struct tdm_account *a, tdm_time now, struct tdm_account_out *out,
                 const char *reason)
{
    if (a->state != TDM_SIG_ACCOUNT_REGISTERED)
        return;
    a->keepalive_due = TDM_NEVER;
    if (!a->sending)
        a->due = now + TDM_MS * (1 + tdm_rng_below(&a->rng, LOST_WAIT_MS));
    become(a, out, TDM_SIG_ACCOUNT_REGISTERING, 0,
           reason ? reason : "the connection to the server broke");
}

static void looked_up(struct tdm_account *a, tdm_time now, const struct tdm_account_in *in,
                      struct tdm_account_out *out)
{
    a->looking_up = false;
    a->address_index = 0;
    a->address_count = in->address_count < TDM_ACCOUNT_ADDRESSES_MAX ? in->address_count
                                                                     : TDM_ACCOUNT_ADDRESSES_MAX;
    if (a->address_count)
        send(a, now, out, false);
    else
        back_off(a, now, out, 0, in->reason ? in->reason : "the server's name is unknown");
}

static void take(struct tdm_account *a, tdm_time now, const struct tdm_account_in *in,
                 struct tdm_account_out *out)
{
    bool running = a->state != TDM_SIG_ACCOUNT_OFF && a->state != TDM_SIG_ACCOUNT_UNREGISTERING;
    bool current = in->attempt == a->attempt;

    switch (in->kind) {
    case TDM_ACCOUNT_START:
        if (!running)
            start(a, now, out);
        break;
    case TDM_ACCOUNT_STOP:
        stop(a, now, out);
        break;
    case TDM_ACCOUNT_RETRY:
        a->failures = 0;
        if (running)
            start(a, now, out);
        break;
    case TDM_ACCOUNT_LOOKED_UP:
        if (a->looking_up && current)
            looked_up(a, now, in, out);
        break;
    case TDM_ACCOUNT_ANSWERED:
        if (a->sending && current)
            answered(a, now, in, out);
        break;
    case TDM_ACCOUNT_FAILED:
        if (a->sending && current && in->hopeless)
            refuse(a, out, 0, in->reason);
        else if (a->sending && current)
            next_address(a, now, out, 0, in->reason ? in->reason : "the server does not answer");
        break;
    case TDM_ACCOUNT_LOST:
        lost(a, now, out, in->reason);
        break;
    }
}

static void time_passed(struct tdm_account *a, tdm_time now, struct tdm_account_out *out)
{
    if (now >= a->registered_until)
        a->registered_until = TDM_NEVER;
    if (now >= a->deadline && a->looking_up)
        back_off(a, now, out, 0, "the server's name cannot be looked up: is the network there?");
    else if (now >= a->deadline && a->sending)
        next_address(a, now, out, 0, "the server does not answer");
    else if (now >= a->due && a->state == TDM_SIG_ACCOUNT_BACKING_OFF)
        start(a, now, out);
    else if (now >= a->due)
        send(a, now, out, false);
    if (out->action == TDM_ACCOUNT_DO_NOTHING && now >= a->keepalive_due) {
        a->keepalive_due = now + jittered(a, a->config.keepalive_s);
        out->action = TDM_ACCOUNT_DO_KEEP_ALIVE;
    }
}

static void wake(struct tdm_account_out *out, tdm_time now, tdm_time at, const char *why)
{
    if (at < out->wake_at) { /* It may be due already: one thing a step. */
        out->wake_at = tdm_time_max(at, now);
        out->wake_why = why;
    }
}

void tdm_account_step(struct tdm_account *a, tdm_time now, const struct tdm_account_in *in,
                      struct tdm_account_out *out)
{
    *out = (struct tdm_account_out){.wake_at = TDM_NEVER, .wake_why = "never"};
    if (in)
        take(a, now, in, out);
    if (out->action == TDM_ACCOUNT_DO_NOTHING)
        time_passed(a, now, out);
    out->attempt = a->attempt;
    out->address_index = a->address_index;
    wake(out, now, a->deadline, "an answer is overdue");
    wake(out, now, a->due, "register");
    wake(out, now, a->keepalive_due, "keep the way open");
}
