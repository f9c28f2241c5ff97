/* SPDX-License-Identifier: MIT */
/*
 * Limits by address, and digest (RFC 8760) with nonces that need no memory until somebody has
 * proven himself with one. Then a window over its counters refuses what was sent before; when the
 * table of nonces is full, the oldest goes and everything as old as that is stale from then on. A
 * nonce is for the host that asked for it.
 *
 * Wrong passwords: a host that guesses waits, and an account that is guessed at from many hosts
 * takes no more tries from any of them. Where its owner proved himself before, he has tries of his
 * own, so that nobody can lock him out from elsewhere.
 */
#include "signalling/rendezvous_state.h"

#include <stdio.h>

#define SOURCES        4096
#define WAYS           4
#define NONCES         16384
#define NONCE_S        300
#define FAILURES_RESET (300 * TDM_S)

/* An IPv6 host has all of its /64. */
static struct tdm_address host_of(const struct tdm_address *a)
{
    struct tdm_address host = *a;

    host.port = 0;
    if (host.family == TDM_IPV6)
        memset(host.bytes + 8, 0, 8);
    return host;
}

static struct tdm_rdv_source *source_of(struct tdm_rdv *r, const struct tdm_address *from)
{
    struct tdm_address host = host_of(from);
    struct tdm_rdv_key key = tdm_rdv_key_begin(r->hash_key);

    tdm_rdv_key_add_bytes(&key, host.bytes, sizeof host.bytes);
    struct tdm_rdv_source *set = &r->sources[key.a % (SOURCES / WAYS) * WAYS];
    struct tdm_rdv_source *old = set;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].host.family && tdm_address_equal(&set[i].host, &host))
            return &set[i];
        /* Who guessed passwords is forgotten last. */
        if (!set[i].host.family || set[i].failures.count < old->failures.count ||
            (set[i].failures.count == old->failures.count && set[i].filled < old->filled))
            old = &set[i];
    }
    *old = (struct tdm_rdv_source){.host = host, .filled = r->now, .tokens = r->config.source_rate};
    return old;
}

static bool take_token(struct tdm_rdv_source *s, uint32_t rate, tdm_time now)
{
    double gained = (double)(now - s->filled) / (double)TDM_S * rate;

    s->tokens = s->tokens + gained > rate ? rate : s->tokens + gained;
    s->filled = now;
    if (s->tokens < 1)
        return false;
    s->tokens -= 1;
    return true;
}

bool tdm_rdv_admit(struct tdm_rdv *r, const struct tdm_rdv_flow *flow)
{
    if (!take_token(source_of(r, &flow->remote), r->config.source_rate, r->now)) {
        r->stats.limited_source++;
        return false;
    }
    if (!take_token(&r->total, r->config.total_rate, r->now)) {
        r->stats.limited_total++;
        return false;
    }
    return true;
}

/* --- Wrong passwords -------------------------------------------------------------------------- */

static uint32_t failures_of(const struct tdm_rdv_failures *f, tdm_time now)
{
    return now - f->since > FAILURES_RESET ? 0 : f->count;
}

static void add_failure(struct tdm_rdv_failures *f, tdm_time now)
{
    f->count = failures_of(f, now);
    if (!f->count++)
        f->since = now;
}

static struct tdm_rdv_proven *find_proven(struct tdm_rdv_account *a, const struct tdm_address *host)
{
    for (int i = 0; a && i < TDM_RDV_PROVEN_MAX; i++)
        if (a->proven[i].host.family && tdm_address_equal(&a->proven[i].host, host))
            return &a->proven[i];
    return NULL;
}

void tdm_rdv_remember_host(struct tdm_rdv *r, uint32_t account, const struct tdm_rdv_flow *flow)
{
    struct tdm_rdv_account *a = &r->accounts[account];
    struct tdm_address host = host_of(&flow->remote);
    struct tdm_rdv_proven *p = find_proven(a, &host);

    if (!p) {
        p = &a->proven[0];
        for (int i = 1; i < TDM_RDV_PROVEN_MAX && p->host.family; i++)
            if (!a->proven[i].host.family || a->proven[i].seen < p->seen)
                p = &a->proven[i];
        *p = (struct tdm_rdv_proven){.host = host};
    }
    p->seen = r->now;
}

/* `a` NULL: nobody of that name. */
static bool must_wait(struct tdm_rdv *r, struct tdm_rdv_account *a, const struct tdm_rdv_flow *flow)
{
    struct tdm_address host = host_of(&flow->remote);
    const struct tdm_rdv_proven *p = find_proven(a, &host);

    if (p)
        return failures_of(&p->failures, r->now) >= r->config.source_failures;
    return failures_of(&source_of(r, &flow->remote)->failures, r->now) >=
               r->config.source_failures ||
           (a && failures_of(&a->failures, r->now) >= r->config.user_failures);
}

static void count_failure(struct tdm_rdv *r, struct tdm_rdv_account *a,
                          const struct tdm_rdv_flow *flow)
{
    struct tdm_address host = host_of(&flow->remote);
    struct tdm_rdv_proven *p = find_proven(a, &host);

    r->stats.wrong_passwords++;
    if (p) {
        add_failure(&p->failures, r->now);
        return;
    }
    add_failure(&source_of(r, &flow->remote)->failures, r->now);
    if (a)
        add_failure(&a->failures, r->now);
}

/* --- Nonces ----------------------------------------------------------------------------------- */

static uint64_t nonce_key(const struct tdm_rdv *r, const char *nonce)
{
    struct tdm_rdv_key key = tdm_rdv_key_begin(r->hash_key);

    tdm_rdv_key_add(&key, tdm_text_of_string(nonce));
    return key.a | 1; /* 0: no entry. */
}

static struct tdm_rdv_nonce *find_nonce(struct tdm_rdv *r, uint64_t key)
{
    for (uint32_t i = tdm_rdv_hash_first(&r->by_nonce, key); i != TDM_RDV_NONE;
         i = tdm_rdv_hash_next(&r->by_nonce, i))
        if (r->nonces[i].key == key)
            return &r->nonces[i];
    return NULL;
}

static struct tdm_rdv_nonce *add_nonce(struct tdm_rdv *r, uint64_t key)
{
    uint32_t index = r->nonce_next++ % NONCES;
    struct tdm_rdv_nonce *n = &r->nonces[index];

    if (n->key) {
        tdm_rdv_hash_remove(&r->by_nonce, n->key, index);
        r->nonce_floor = n->seen;
    }
    *n = (struct tdm_rdv_nonce){.key = key, .seen = r->now};
    tdm_rdv_hash_add(&r->by_nonce, key, index);
    return n;
}

/* Each counter once, also when they overtake each other on the way. */
static bool count_use(struct tdm_rdv_nonce *n, uint32_t nc)
{
    if (nc > n->highest) {
        uint32_t ahead = nc - n->highest;

        n->window = ahead < 64 ? n->window << ahead | 1 : 1;
        n->highest = nc;
        return true;
    }
    uint32_t behind = n->highest - nc;

    if (behind >= 64 || n->window >> behind & 1)
        return false;
    n->window |= (uint64_t)1 << behind;
    return true;
}

static uint32_t seconds(const struct tdm_rdv *r, tdm_time at)
{
    return (uint32_t)((at - r->started) / TDM_S) + 1;
}

void tdm_rdv_nonce_key(const struct tdm_rdv *r, const struct tdm_rdv_flow *flow,
                       uint8_t key[TDM_SHA256_BYTES])
{
    struct tdm_address host = host_of(&flow->remote);

    tdm_hmac_sha256(r->config.key, sizeof r->config.key, host.bytes, sizeof host.bytes, key);
}

static bool is_fresh(const struct tdm_rdv *r, const struct tdm_rdv_flow *flow, const char *nonce)
{
    uint8_t key[TDM_SHA256_BYTES];

    tdm_time age = r->now - r->nonce_floor;
    uint32_t floor_s = (uint32_t)(age / TDM_S);
    uint32_t younger = floor_s ? floor_s - 1 : 0;
    uint32_t age_max = younger < NONCE_S ? younger : NONCE_S;

    tdm_rdv_nonce_key(r, flow, key);
    return tdm_digest_look_at_nonce(key, seconds(r, r->now), age_max, nonce) == TDM_OK;
}

/* --- Challenges and their answers ------------------------------------------------------------- */

/* libre 1.x gives up at the first challenge whose algorithm it does not know, wherever it stands.
 */
static bool knows_md5_alone(const struct tdm_sip_message *m)
{
    struct tdm_text agent = tdm_sip_value(m, TDM_SIP_H_USER_AGENT);

    agent = tdm_text_word(&agent);
    return agent.at == agent.end || tdm_text_equals(agent, "baresip");
}

static void challenge(struct tdm_rdv *r, const struct tdm_sip_message *m,
                      const struct tdm_rdv_flow *flow, bool proxy, bool stale,
                      struct tdm_rdv_out *out)
{
    static const enum tdm_digest_algorithm order[] = {TDM_DIGEST_SHA256, TDM_DIGEST_MD5};
    struct tdm_digest_challenge c = {.qop_auth = true, .stale = stale};
    uint8_t key[TDM_SHA256_BYTES];
    char headers[1600];
    size_t used = 0;

    r->stats.challenged++;
    (void)snprintf(c.realm, sizeof c.realm, "%s", r->realm);
    tdm_rdv_nonce_key(r, flow, key);
    tdm_digest_make_nonce(key, seconds(r, r->now), tdm_rdv_random(r), c.nonce);
    for (int i = knows_md5_alone(m); i < 2; i++) {
        char value[700];

        c.algorithm = order[i];
        if (tdm_digest_write_challenge(&c, value, sizeof value) == TDM_OK)
            used += (size_t)snprintf(headers + used, sizeof headers - used, "%s: %s\r\n",
                                     proxy ? "Proxy-Authenticate" : "WWW-Authenticate", value);
    }
    tdm_rdv_answer_once(
        r, m, flow, &(struct tdm_rdv_answer){.code = proxy ? 407 : 401, .headers = headers}, out);
}

/* The credentials for our realm. */
static bool find_credentials(const struct tdm_rdv *r, const struct tdm_sip_message *m,
                             struct tdm_digest_credentials *c)
{
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct tdm_sip_header *h = &m->headers[i];

        if ((h->kind == TDM_SIP_H_AUTHORIZATION || h->kind == TDM_SIP_H_PROXY_AUTHORIZATION) &&
            tdm_digest_parse_credentials(h->value.at, tdm_text_size(h->value), c) == TDM_OK &&
            strcmp(c->realm, r->realm) == 0)
            return true;
    }
    return false;
}

static void refuse(struct tdm_rdv *r, const struct tdm_sip_message *m,
                   const struct tdm_rdv_flow *flow, const char *why, struct tdm_rdv_out *out)
{
    tdm_rdv_answer_once(r, m, flow, &(struct tdm_rdv_answer){.code = 403, .reason = why}, out);
}

/* 503, as it passes: a client asks again then, and does not take it for a wrong password. */
static void refuse_for_now(struct tdm_rdv *r, const struct tdm_sip_message *m,
                           const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    char headers[40];

    (void)snprintf(headers, sizeof headers, "Retry-After: %d\r\n", (int)(FAILURES_RESET / TDM_S));
    tdm_rdv_answer_once(
        r, m, flow,
        &(struct tdm_rdv_answer){.code = 503,
                                 .reason = "Too many wrong passwords: wait five minutes",
                                 .headers = headers},
        out);
}

/* "paul" of "paul" and "paul@example.org". */
static uint32_t user_of(const struct tdm_rdv *r, const char *text)
{
    struct tdm_text user = tdm_text_of_string(text);

    return tdm_rdv_account_of(r, tdm_text_until(&user, '@'));
}

static bool fits(const struct tdm_sip_message *m, const struct tdm_digest_credentials *c,
                 const struct tdm_rdv_account *a)
{
    char method[32];

    return a && c->qop_auth && tdm_text_copy(m->method_text, method, sizeof method) &&
           tdm_digest_check(c, method, a->ha1[c->algorithm]);
}

uint32_t tdm_rdv_authenticate(struct tdm_rdv *r, const struct tdm_sip_message *m,
                              const struct tdm_rdv_flow *flow, bool proxy, struct tdm_rdv_out *out)
{
    struct tdm_digest_credentials c;

    if (!find_credentials(r, m, &c)) {
        challenge(r, m, flow, proxy, false, out);
        return TDM_RDV_NONE;
    }
    uint32_t index = user_of(r, c.user);
    struct tdm_rdv_account *a = index == TDM_RDV_NONE ? NULL : &r->accounts[index];

    if (must_wait(r, a, flow)) {
        r->stats.limited_failures++;
        refuse_for_now(r, m, flow, out);
        return TDM_RDV_NONE;
    }
    /* Before the password is looked at: whoever has no nonce of ours, like one who sends in
     * another's name, can neither try one nor use up the tries of others. */
    if (!is_fresh(r, flow, c.nonce)) {
        challenge(r, m, flow, proxy, true, out);
        return TDM_RDV_NONE;
    }
    if (!fits(m, &c, a)) {
        count_failure(r, a, flow);
        challenge(r, m, flow, proxy, false, out);
        return TDM_RDV_NONE;
    }
    if (a->locked) {
        refuse(r, m, flow, "This account is locked", out);
        return TDM_RDV_NONE;
    }
    uint64_t key = nonce_key(r, c.nonce);
    struct tdm_rdv_nonce *n = find_nonce(r, key);

    if (!n)
        n = add_nonce(r, key);
    if (!count_use(n, c.nc)) {
        r->stats.replayed++;
        challenge(r, m, flow, proxy, true, out);
        return TDM_RDV_NONE;
    }
    tdm_rdv_remember_host(r, index, flow);
    return index;
}
