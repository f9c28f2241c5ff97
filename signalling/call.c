/* SPDX-License-Identifier: MIT */
#include "signalling/call.h"

#include "signalling/call_body.h"
#include "signalling/protection.h"

#include <stdio.h>
#include <string.h>

#define RETRIES_MAX 10 /* Of one offer that met glare. */

static bool offers_channel(const struct tdm_call_machine *m)
{
    return m->capability.channel.wanted && !m->capability.channel.if_asked;
}

void tdm_call_init(struct tdm_call_machine *m, const struct tdm_capability *capability,
                   uint64_t seed)
{
    memset(m, 0, sizeof *m);
    m->rng = tdm_rng_of(seed);
    m->capability = *capability;
    m->no_answer_after = 60 * TDM_S;
    m->reoffer_after = 40 * TDM_S;
    m->ending_after = 5 * TDM_S;
    m->ask_back_after = 4 * TDM_S;
    m->deadline = m->offer_at = m->ask_back_at = TDM_NEVER;
    m->agreed_channel = capability->channel.wanted;
    m->offer_channel = offers_channel(m);
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++)
        m->offer_media[kind] = m->agreed_wanted[kind] = capability->media[kind].wanted;
    tdm_offer_answer_init(&m->oa, tdm_rng_u64(&m->rng));
}

const char *tdm_call_state_name(enum tdm_call_state state)
{
    static const char *const names[] = {
        [TDM_CALL_IDLE] = "idle",
        [TDM_CALL_DIALING] = "dialing",
        [TDM_CALL_RINGING_OUT] = "ringing",
        [TDM_CALL_INCOMING] = "incoming",
        [TDM_CALL_CONNECTING] = "connecting",
        [TDM_CALL_UP] = "up",
        [TDM_CALL_ENDING] = "ending",
        [TDM_CALL_ENDED] = "ended",
    };

    return (unsigned)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

static void enter(struct tdm_call_machine *m, enum tdm_call_state state, tdm_time deadline,
                  struct tdm_call_out *out)
{
    out->state_changed |= m->state != state;
    m->state = state;
    m->deadline = deadline;
}

static void set_reoffering(struct tdm_call_machine *m, bool reoffering, struct tdm_call_out *out)
{
    out->state_changed |= m->reoffering != reoffering;
    m->reoffering = reoffering;
}

static void set_reason(struct tdm_call_machine *m, const char *words)
{
    (void)snprintf(m->reason, sizeof m->reason, "%s", words);
}

/* The first reason stays: what follows is only its consequence. */
static void note_end(struct tdm_call_machine *m, enum tdm_call_end end, uint16_t code,
                     const char *words)
{
    if (m->end != TDM_END_NONE)
        return;
    m->end = end;
    m->end_code = code;
    set_reason(m, words);
}

static void finish(struct tdm_call_machine *m, struct tdm_call_out *out)
{
    enter(m, TDM_CALL_ENDED, TDM_NEVER, out);
    set_reoffering(m, false, out);
    m->offer_at = m->ask_back_at = TDM_NEVER;
    m->offer_due = false;
}

/* Takes the call down from our side. */
static void take_down(struct tdm_call_machine *m, tdm_time now, enum tdm_call_end end,
                      uint16_t code, const char *words, struct tdm_call_out *out)
{
    out->command = m->state == TDM_CALL_INCOMING ? TDM_CALL_DO_REJECT : TDM_CALL_DO_HANGUP;
    out->code = code;
    note_end(m, end, out->command == TDM_CALL_DO_REJECT ? code : 0, words);
    m->offer_at = m->ask_back_at = TDM_NEVER;
    m->offer_due = false;
    set_reoffering(m, false, out);
    enter(m, TDM_CALL_ENDING, now + m->ending_after, out);
}

static uint16_t code_of(enum tdm_err err)
{
    return err == TDM_E_MALFORMED ? 400 : 488;
}

static enum tdm_call_end end_of_err(enum tdm_err err)
{
    if (err == TDM_E_DENIED)
        return TDM_END_NOT_SECURE;
    return err == TDM_E_UNSUPPORTED ? TDM_END_NO_COMMON_CODEC : TDM_END_FAILED;
}

static void send_offer(struct tdm_call_machine *m, tdm_time now, struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err = tdm_call_make_offer(m, out, &cause);

    m->offer_due = false;
    m->offer_at = TDM_NEVER;
    if (err || tdm_offer_is_agreed(&m->oa, &m->offer)) {
        out->body_size = 0; /* Nothing that the other side does not know. */
        out->refused = err != TDM_OK;
        if (err)
            set_reason(m, cause.text);
        return;
    }
    out->command = TDM_CALL_DO_OFFER;
    set_reoffering(m, true, out);
    m->deadline = now + m->reoffer_after;
}

static bool offers_dtls_alone(const struct tdm_media_desc *offer)
{
    bool any = false, plain = false;

    for (unsigned i = 0; i < offer->media_count; i++) {
        any |= offer->media[i].proto == TDM_PROTO_DTLS;
        plain |= offer->media[i].proto == TDM_PROTO_RTP;
    }
    return any && !plain;
}

/* Our invitation, by `command`. False when there is nothing to offer: then the call is over. */
static bool invite(struct tdm_call_machine *m, enum tdm_call_command command,
                   struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err = tdm_call_make_offer(m, out, &cause);

    if (err) {
        out->body_size = 0;
        note_end(m, err == TDM_E_DENIED ? TDM_END_NOT_SECURE : TDM_END_FAILED, 0, cause.text);
        return false;
    }
    m->offered_dtls = offers_dtls_alone(&m->offer);
    out->command = command;
    return true;
}

/* The other side cannot be reached: let it reach us. */
static void ask_back(struct tdm_call_machine *m, struct tdm_call_out *out)
{
    m->back = TDM_BACK_ASKED;
    m->ask_back_at = TDM_NEVER;
    tdm_offer_answer_init(&m->oa, tdm_rng_u64(&m->rng)); /* What we offered is void. */
    out->command = TDM_CALL_DO_INVITE_BACK;
}

static void dial(struct tdm_call_machine *m, tdm_time now, const struct tdm_call_in *in,
                 struct tdm_call_out *out)
{
    m->outgoing = true;
    (void)snprintf(m->peer, sizeof m->peer, "%s", in->uri);
    if (in->service && in->callback) {
        m->back = TDM_BACK_POSSIBLE;
        (void)snprintf(m->service, sizeof m->service, "%s", in->service);
        (void)snprintf(m->back_target, sizeof m->back_target, "sip:back-%016llx@%s",
                       (unsigned long long)tdm_rng_u64(&m->rng), in->callback);
        m->ask_back_at = now + m->ask_back_after;
    }
    if (m->back == TDM_BACK_POSSIBLE && m->ask_back_after <= 0) {
        enter(m, TDM_CALL_DIALING, now + m->no_answer_after, out);
        ask_back(m, out);
        return;
    }
    if (invite(m, TDM_CALL_DO_CALL, out))
        enter(m, TDM_CALL_DIALING, now + m->no_answer_after, out);
    else
        finish(m, out);
}

/* We were asked to call, and the user agrees. */
static void call_back(struct tdm_call_machine *m, tdm_time now, struct tdm_call_out *out)
{
    if (!invite(m, TDM_CALL_DO_CALL_BACK, out)) {
        take_down(m, now, m->end, 488, m->reason, out);
        return;
    }
    m->back = TDM_BACK_DIALED;
    enter(m, TDM_CALL_CONNECTING, now + m->reoffer_after, out);
}

static void accept_call(struct tdm_call_machine *m, tdm_time now, struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err;

    if (m->back == TDM_BACK_WANTED) {
        call_back(m, now, out);
        return;
    }
    err = m->late_offer
              ? tdm_call_make_offer(m, out, &cause)
              : tdm_call_answer_offer(m, m->remote_offer, m->remote_offer_size, out, &cause);

    if (err) {
        out->body_size = 0;
        take_down(m, now, end_of_err(err), code_of(err), cause.text, out);
        return;
    }
    out->command = TDM_CALL_DO_ACCEPT;
    enter(m, TDM_CALL_CONNECTING, now + m->reoffer_after, out);
}

/* Ports, transports and spares of another capability; what is said of media stays. */
static void take_transports(struct tdm_call_machine *m, const struct tdm_capability *from)
{
    memcpy(m->capability.address, from->address, sizeof m->capability.address);
    m->capability.channel.port = from->channel.port;
    m->capability.channel.transport = from->channel.transport;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        m->capability.media[kind].port = from->media[kind].port;
        m->capability.media[kind].rtcp_port = from->media[kind].rtcp_port;
        m->capability.media[kind].transport = from->media[kind].transport;
        m->capability.media[kind].spare = from->media[kind].spare;
    }
}

static void change_media(struct tdm_call_machine *m, tdm_time now, const struct tdm_call_in *in,
                         struct tdm_call_out *out)
{
    switch (in->kind) {
    case TDM_CALL_HOLD:
    case TDM_CALL_RESUME:
        if (m->held_local == (in->kind == TDM_CALL_HOLD))
            return;
        m->held_local = in->kind == TDM_CALL_HOLD;
        out->state_changed = true;
        break;
    case TDM_CALL_MEDIA_ON:
    case TDM_CALL_MEDIA_OFF:
        m->capability.media[in->media].wanted = in->kind == TDM_CALL_MEDIA_ON;
        m->offer_media[in->media] = in->kind == TDM_CALL_MEDIA_ON;
        break;
    case TDM_CALL_CHANNEL_ON:
    case TDM_CALL_CHANNEL_OFF:
        m->capability.channel.wanted = m->offer_channel = in->kind == TDM_CALL_CHANNEL_ON;
        break;
    case TDM_CALL_SET_TRANSPORT:
        take_transports(m, in->capability);
        break;
    case TDM_CALL_SET_ANSWER:
        m->capability.media[in->media] = in->capability->media[in->media];
        return;
    default:
        m->capability = *in->capability;
        m->offer_channel = offers_channel(m);
        for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++)
            m->offer_media[kind] = m->capability.media[kind].wanted;
    }
    if (m->state == TDM_CALL_UP || m->state == TDM_CALL_CONNECTING ||
        m->state == TDM_CALL_DIALING || m->state == TDM_CALL_RINGING_OUT) {
        m->offer_due = true;
        m->offer_at = tdm_time_max(now, m->offer_at == TDM_NEVER ? now : m->offer_at);
    }
}

static void user_input(struct tdm_call_machine *m, tdm_time now, const struct tdm_call_in *in,
                       struct tdm_call_out *out)
{
    bool alive = m->state != TDM_CALL_ENDING && m->state != TDM_CALL_ENDED;

    switch (in->kind) {
    case TDM_CALL_DIAL:
        if (m->state == TDM_CALL_IDLE)
            dial(m, now, in, out);
        break;
    case TDM_CALL_ACCEPT:
        if (m->state == TDM_CALL_INCOMING)
            accept_call(m, now, out);
        break;
    case TDM_CALL_REJECT:
    case TDM_CALL_HANG_UP:
        if (m->state == TDM_CALL_IDLE) {
            note_end(m, TDM_END_LOCAL, 0, "ended here");
            finish(m, out);
        } else if (alive && (in->kind == TDM_CALL_HANG_UP || m->state == TDM_CALL_INCOMING)) {
            take_down(m, now, TDM_END_LOCAL, in->code >= 300 ? in->code : 603,
                      m->state == TDM_CALL_INCOMING ? "declined here" : "ended here", out);
        }
        break;
    case TDM_CALL_DTMF_INFO:
        if (m->state == TDM_CALL_UP) {
            out->command = TDM_CALL_DO_DTMF_INFO;
            out->digit = in->digit;
        }
        break;
    default:
        if (alive)
            change_media(m, now, in, out);
    }
}

static void call_in(struct tdm_call_machine *m, tdm_time now, const struct tdm_sig_event *event,
                    struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err = TDM_OK;

    m->id = event->id;
    (void)snprintf(m->peer, sizeof m->peer, "%s", event->from);
    (void)snprintf(m->peer_name, sizeof m->peer_name, "%s", event->from_name);
    m->late_offer = event->body_size == 0;
    m->remote_offer_size = event->body_size;
    memcpy(m->remote_offer, event->body, event->body_size);
    enter(m, TDM_CALL_INCOMING, now + m->no_answer_after, out);
    if (!m->late_offer) {
        /* A trial, so that nobody is rung for a call that cannot be; then all is as it was. */
        err = tdm_call_answer_offer(m, m->remote_offer, m->remote_offer_size, out, &cause);
        tdm_offer_answer_init(&m->oa, tdm_rng_u64(&m->rng));
        memset(&m->negotiated, 0, sizeof m->negotiated);
        out->body_size = 0;
        out->media_changed = m->held_remote = false;
        m->offer_channel = offers_channel(m);
        for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++)
            m->offer_media[kind] = m->capability.media[kind].wanted;
    }
    if (err)
        take_down(m, now, end_of_err(err), code_of(err), cause.text, out);
    else
        out->command = TDM_CALL_DO_RING;
}

bool tdm_call_expects(const struct tdm_call_machine *m, const struct tdm_sig_event *event)
{
    size_t size = strcspn(m->back_target, "@");

    return event->kind == TDM_SIG_CALL_IN && m->back == TDM_BACK_ASKED &&
           (m->state == TDM_CALL_DIALING || m->state == TDM_CALL_RINGING_OUT) &&
           strncmp(event->to, m->back_target, size) == 0 &&
           (event->to[size] == '@' || !event->to[size]);
}

/* The call that we asked for: it is ours, so it is taken at once. */
static void called_back(struct tdm_call_machine *m, tdm_time now, const struct tdm_sig_event *event,
                        struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err;

    m->id = event->id;
    m->back = TDM_BACK_DIALED;
    (void)snprintf(m->peer_name, sizeof m->peer_name, "%s", event->from_name);
    m->late_offer = event->body_size == 0;
    err = m->late_offer
              ? tdm_call_make_offer(m, out, &cause)
              : tdm_call_answer_offer(m, (const char *)event->body, event->body_size, out, &cause);
    if (!err) {
        out->command = TDM_CALL_DO_ACCEPT;
        enter(m, TDM_CALL_CONNECTING, now + m->reoffer_after, out);
        return;
    }
    out->body_size = 0;
    take_down(m, now, end_of_err(err), code_of(err), cause.text, out);
    out->command = TDM_CALL_DO_REJECT;
    out->code = code_of(err);
}

static void invited_back(struct tdm_call_machine *m, tdm_time now,
                         const struct tdm_sig_event *event, struct tdm_call_out *out)
{
    m->id = event->id;
    m->back = TDM_BACK_WANTED;
    (void)snprintf(m->peer, sizeof m->peer, "%s", event->from);
    (void)snprintf(m->peer_name, sizeof m->peer_name, "%s", event->from_name);
    (void)snprintf(m->back_target, sizeof m->back_target, "%s", event->to);
    enter(m, TDM_CALL_INCOMING, now + m->no_answer_after, out);
}

static enum tdm_call_end end_of_code(uint16_t code)
{
    switch (code) {
    case 486:
    case 600:
        return TDM_END_BUSY;
    case 603:
    case 403:
        return TDM_END_DECLINED;
    case 408:
    case 480:
        return TDM_END_NO_ANSWER;
    case 415:
    case 488:
    case 606:
        return TDM_END_NO_COMMON_CODEC;
    case 404:
    case 410:
    case 484:
    case 604:
        return TDM_END_NOT_FOUND;
    default:
        return TDM_END_FAILED;
    }
}

/* Refused for what was offered, not for who we are. */
static bool refuses_media(const struct tdm_sig_event *event)
{
    return event->kind == TDM_SIG_REFUSED &&
           (event->code == 415 || event->code == 488 || event->code == 606);
}

/* Another way to the same person, when the call did not come about: true when it is tried. */
static bool try_again(struct tdm_call_machine *m, const struct tdm_sig_event *event,
                      struct tdm_call_out *out)
{
    bool dialing = m->state == TDM_CALL_DIALING || m->state == TDM_CALL_RINGING_OUT;

    if (!dialing)
        return false;
    if (event->kind == TDM_SIG_FAILED && m->back == TDM_BACK_POSSIBLE) {
        ask_back(m, out);
        return true;
    }
    if (!refuses_media(event) || !m->offered_dtls || m->without_dtls || !m->capability.sdes)
        return false;
    m->without_dtls = true;
    m->early = false;
    tdm_offer_answer_init(&m->oa, tdm_rng_u64(&m->rng));
    m->id = 0;
    return invite(m, TDM_CALL_DO_CALL, out);
}

/* What was offered was not taken. Who knows media in clear alone says it in the same way as who
 * lacks our codecs, so the words name both. */
static void note_nothing_taken(struct tdm_call_machine *m, uint16_t code, const char *reason)
{
    char words[TDM_SIG_REASON_MAX];

    (void)snprintf(words, sizeof words,
                   "%.60s (it was offered encrypted media alone: if it is too old for "
                   "that, " TDM_PLAIN_OPTION " offers media in clear)",
                   reason);
    note_end(m, TDM_END_NO_COMMON_CODEC, code, m->capability.plain ? reason : words);
}

static void note_refusal(struct tdm_call_machine *m, const struct tdm_sig_event *event)
{
    if (m->back == TDM_BACK_ASKED && (event->code == 405 || event->code == 501))
        note_end(m, TDM_END_UNREACHABLE, event->code,
                 "the other side cannot be called from here, and does not call who asks for it");
    else if (refuses_media(event) && m->state != TDM_CALL_UP)
        note_nothing_taken(m, event->code, event->reason);
    else
        note_end(m, end_of_code(event->code), event->code, event->reason);
}

static void call_over(struct tdm_call_machine *m, const struct tdm_sig_event *event,
                      struct tdm_call_out *out)
{
    if (try_again(m, event, out))
        return;
    if (event->kind == TDM_SIG_REFUSED)
        note_refusal(m, event);
    else if (event->kind == TDM_SIG_FAILED)
        note_end(m, m->state == TDM_CALL_DIALING ? TDM_END_UNREACHABLE : TDM_END_FAILED,
                 event->code, event->reason);
    else if (m->state == TDM_CALL_INCOMING || m->state == TDM_CALL_CONNECTING)
        note_end(m, TDM_END_CANCELLED, 0, "the caller hung up before the call was up");
    else
        note_end(m, TDM_END_REMOTE, 0, event->reason[0] ? event->reason : "the other side hung up");
    finish(m, out);
}

static bool is_early_answer(const struct tdm_call_machine *m, const struct tdm_sig_event *event)
{
    uint8_t digest[TDM_SHA256_BYTES];

    tdm_sha256(event->body, event->body_size, digest);
    return event->body_size == m->early_size && memcmp(digest, m->early_digest, sizeof digest) == 0;
}

/* As if it had never come; what we offered stands. */
static void forget_early(struct tdm_call_machine *m)
{
    m->early = false;
    m->oa = m->oa_before_early;
    memset(&m->negotiated, 0, sizeof m->negotiated);
}

static void call_accepted(struct tdm_call_machine *m, tdm_time now,
                          const struct tdm_sig_event *event, struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err;

    if (m->early && (!event->body_size || is_early_answer(m, event))) {
        m->early = false;
        enter(m, TDM_CALL_UP, TDM_NEVER, out);
        return;
    }
    if (m->early) /* Somebody else answered than who sounded before. */
        forget_early(m);
    err = tdm_call_take_answer(m, (const char *)event->body, event->body_size, out, &cause);
    if (err == TDM_E_UNSUPPORTED)
        note_nothing_taken(m, 0, cause.text);
    if (err)
        take_down(m, now, end_of_err(err), 0, cause.text, out);
    else
        enter(m, TDM_CALL_UP, TDM_NEVER, out);
}

/* 183 with an answer: announcements and ringing tones of telephone networks are heard before
 * anybody answers (RFC 3960). One that cannot be used is no reason to end the call. */
static void early_answer(struct tdm_call_machine *m, const struct tdm_sig_event *event,
                         struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};

    if (m->early || m->back == TDM_BACK_ASKED || m->back == TDM_BACK_DIALED)
        return;
    m->oa_before_early = m->oa;
    m->early = true;
    m->early_size = event->body_size;
    tdm_sha256(event->body, event->body_size, m->early_digest);
    if (tdm_call_take_answer(m, (const char *)event->body, event->body_size, out, &cause) == TDM_OK)
        return;
    forget_early(m);
    out->media_changed = false;
}

static void call_confirmed(struct tdm_call_machine *m, tdm_time now,
                           const struct tdm_sig_event *event, struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err = TDM_OK;

    if (m->late_offer)
        err = tdm_call_take_answer(m, (const char *)event->body, event->body_size, out, &cause);
    m->late_offer = false;
    if (err)
        take_down(m, now, end_of_err(err), 0, cause.text, out);
    else
        enter(m, TDM_CALL_UP, TDM_NEVER, out);
}

static void remote_offer(struct tdm_call_machine *m, tdm_time now,
                         const struct tdm_sig_event *event, struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err;

    out->command = TDM_CALL_DO_ANSWER;
    if (m->reoffering) { /* Glare: ours is out, RFC 3261 section 14.2. */
        out->code = 491;
        return;
    }
    if (!event->body_size) {
        err = tdm_call_make_offer(m, out, &cause);
        m->late_offer = !err;
        m->deadline = err ? m->deadline : now + m->reoffer_after;
        set_reoffering(m, !err, out);
    } else {
        err = tdm_call_answer_offer(m, (const char *)event->body, event->body_size, out, &cause);
    }
    if (!err)
        return;
    out->body_size = 0;
    out->code = code_of(err);
    out->refused = true;
    set_reason(m, cause.text);
}

static void offer_answered(struct tdm_call_machine *m, tdm_time now,
                           const struct tdm_sig_event *event, struct tdm_call_out *out)
{
    struct tdm_cause cause = {""};
    enum tdm_err err;

    if (!m->reoffering)
        return;
    set_reoffering(m, false, out);
    m->late_offer = false;
    m->deadline = TDM_NEVER;
    err = tdm_call_take_answer(m, (const char *)event->body, event->body_size, out, &cause);
    if (err)
        take_down(m, now, end_of_err(err), 0, cause.text, out);
}

/* RFC 3261 section 14.1: the caller waits 2.1-4 s after glare, the called side up to 2 s. */
static tdm_time glare_wait(struct tdm_call_machine *m)
{
    bool dialed = m->outgoing != (m->back == TDM_BACK_DIALED);
    uint32_t steps = dialed ? 210 + tdm_rng_below(&m->rng, 191) : tdm_rng_below(&m->rng, 201);

    return (tdm_time)steps * 10 * TDM_MS;
}

static void offer_refused(struct tdm_call_machine *m, tdm_time now,
                          const struct tdm_sig_event *event, struct tdm_call_out *out)
{
    if (!m->reoffering)
        return;
    set_reoffering(m, false, out);
    m->late_offer = false;
    m->deadline = TDM_NEVER;
    /* 500 comes when the other side still waits for our ACK (RFC 3261 section 14.2). */
    if ((event->code == 491 || event->code == 500) && m->retries++ < RETRIES_MAX) {
        m->offer_due = true;
        m->offer_at = now + glare_wait(m);
        return;
    }
    if (event->code == 408 || event->code == 481) { /* RFC 3261 section 12.2.1.2. */
        bool gone = event->code == 481;             /* Its BYE is on the way, or was lost. */

        take_down(m, now, gone ? TDM_END_REMOTE : TDM_END_FAILED, 0,
                  gone ? "the other side hung up" : "the other side no longer answers", out);
        return;
    }
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        m->capability.media[kind].wanted = m->agreed_wanted[kind];
        m->offer_media[kind] = m->agreed_wanted[kind] && m->negotiated.media[kind].active;
    }
    m->capability.channel.wanted = m->agreed_channel;
    m->offer_channel = m->agreed_channel && m->negotiated.channel.active;
    out->state_changed |= m->held_local != m->agreed_held;
    m->held_local = m->agreed_held;
    m->offer_due = false;
    m->offer_at = TDM_NEVER;
    m->retries = 0;
    out->refused = true;
    set_reason(m, event->reason[0] ? event->reason : "the other side refused the change");
}

static bool is_over(enum tdm_sig_kind kind)
{
    return kind == TDM_SIG_REFUSED || kind == TDM_SIG_ENDED || kind == TDM_SIG_FAILED ||
           kind == TDM_SIG_BACKEND_FAILED;
}

static void backend_event(struct tdm_call_machine *m, tdm_time now,
                          const struct tdm_sig_event *event, struct tdm_call_out *out)
{
    bool back = m->back == TDM_BACK_DIALED && m->state == TDM_CALL_CONNECTING;
    bool ringing = m->state == TDM_CALL_DIALING || m->state == TDM_CALL_RINGING_OUT;

    if (m->state == TDM_CALL_ENDED)
        return;
    if (tdm_call_expects(m, event)) {
        called_back(m, now, event, out);
        return;
    }
    if (m->id && event->id && event->id != m->id)
        return; /* Of an attempt that we gave up. */
    if (is_over(event->kind)) {
        call_over(m, event, out);
        return;
    }
    switch (event->kind) {
    case TDM_SIG_CALL_IN:
        if (m->state == TDM_CALL_IDLE)
            call_in(m, now, event, out);
        break;
    case TDM_SIG_INVITED_BACK:
        if (m->state == TDM_CALL_IDLE)
            invited_back(m, now, event, out);
        break;
    case TDM_SIG_BACK_AGREED:
        m->id = 0;
        if (m->state == TDM_CALL_DIALING)
            enter(m, TDM_CALL_RINGING_OUT, now + m->no_answer_after, out);
        break;
    case TDM_SIG_RINGING:
        m->ask_back_at = TDM_NEVER;
        if (m->state == TDM_CALL_DIALING)
            enter(m, TDM_CALL_RINGING_OUT, m->deadline, out);
        if (m->state == TDM_CALL_RINGING_OUT && event->body_size)
            early_answer(m, event, out);
        break;
    case TDM_SIG_ACCEPTED:
        if (ringing || back)
            call_accepted(m, now, event, out);
        break;
    case TDM_SIG_CONFIRMED:
        if (m->state == TDM_CALL_CONNECTING)
            call_confirmed(m, now, event, out);
        break;
    case TDM_SIG_OFFER:
        if (m->state == TDM_CALL_UP)
            remote_offer(m, now, event, out);
        break;
    case TDM_SIG_ANSWER:
        if (m->state == TDM_CALL_UP)
            offer_answered(m, now, event, out);
        break;
    case TDM_SIG_OFFER_REFUSED:
        if (m->state == TDM_CALL_UP)
            offer_refused(m, now, event, out);
        break;
    default:
        break;
    }
}

static void time_passed(struct tdm_call_machine *m, tdm_time now, struct tdm_call_out *out)
{
    char words[TDM_SIG_REASON_MAX];

    if (now >= m->deadline) {
        switch (m->state) {
        case TDM_CALL_DIALING:
        case TDM_CALL_RINGING_OUT:
        case TDM_CALL_INCOMING:
            (void)snprintf(words, sizeof words, "no answer within %lld s",
                           (long long)(m->no_answer_after / TDM_S));
            take_down(m, now, TDM_END_NO_ANSWER, 480, words, out);
            break;
        case TDM_CALL_CONNECTING:
        case TDM_CALL_UP:
            take_down(m, now, TDM_END_FAILED, 0, "the other side no longer answers", out);
            break;
        default:
            finish(m, out);
        }
        return;
    }
    if (m->state == TDM_CALL_UP && !m->reoffering && m->offer_due && now >= m->offer_at)
        send_offer(m, now, out);
    if (m->state == TDM_CALL_DIALING && m->back == TDM_BACK_POSSIBLE && now >= m->ask_back_at)
        ask_back(m, out);
}

void tdm_call_step(struct tdm_call_machine *m, tdm_time now, const struct tdm_call_in *in,
                   struct tdm_call_out *out)
{
    out->command = TDM_CALL_DO_NOTHING;
    out->code = 0;
    out->digit = 0;
    out->body_size = 0;
    out->state_changed = out->media_changed = out->refused = false;
    if (in && in->kind == TDM_CALL_EVENT)
        backend_event(m, now, in->event, out);
    else if (in)
        user_input(m, now, in, out);
    if (out->command == TDM_CALL_DO_NOTHING)
        time_passed(m, now, out);

    if (m->state != TDM_CALL_DIALING)
        m->ask_back_at = TDM_NEVER;

    bool may_offer = m->state == TDM_CALL_UP && !m->reoffering && m->offer_due;

    out->wake_at = tdm_time_min(m->deadline, may_offer ? m->offer_at : TDM_NEVER);
    out->wake_at = tdm_time_min(out->wake_at, m->ask_back_at);
    out->wake_why = out->wake_at == TDM_NEVER        ? "nothing"
                    : out->wake_at == m->deadline    ? "deadline of the state"
                    : out->wake_at == m->ask_back_at ? "no answer: ask to be called"
                                                     : "offer due";
}
