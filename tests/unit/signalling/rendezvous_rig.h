/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_SIGNALLING_RENDEZVOUS_RIG_H
#define TESTS_UNIT_SIGNALLING_RENDEZVOUS_RIG_H

/* A rendezvous server whose store never fails, and requests to it from any host, with and without
 * credentials. Include behind cmocka.h. */

#include "signalling/digest_auth.h"
#include "signalling/rendezvous.h"
#include "signalling/sip_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIG_DOMAIN   "home.test"
#define RIG_PASSWORD "a secret"
#define RIG_SENT_MAX 64
#define RIG_TEXT_MAX 4096
#define RIG_WALL_S   1700000000

struct rig {
    struct tdm_rdv_config config;
    struct tdm_rdv *core;
    struct tdm_rdv_out out;
    tdm_time now;
    uint32_t serial;
    /* What the last step sent. */
    uint32_t sent_count;
    struct tdm_rdv_flow sent_to[RIG_SENT_MAX];
    char sent[RIG_SENT_MAX][RIG_TEXT_MAX];
};

static inline struct tdm_rdv_flow rig_from(uint8_t host)
{
    return (struct tdm_rdv_flow){
        .remote = {.family = TDM_IPV4, .bytes = {10, 0, 0, host}, .port = 5060},
        .local = {.family = TDM_IPV4, .bytes = {10, 0, 0, 1}, .port = 5060}};
}

static inline void rig_step(struct rig *g, const struct tdm_rdv_in *first)
{
    struct tdm_rdv_in in;

    tdm_rdv_step(g->core, g->now, first, &g->out);
    for (;;) {
        for (uint32_t i = 0; i < g->out.send_count && g->sent_count < RIG_SENT_MAX; i++) {
            const struct tdm_rdv_send *s = &g->out.send[i];

            assert_true(s->size < RIG_TEXT_MAX);
            g->sent_to[g->sent_count] = s->flow;
            memcpy(g->sent[g->sent_count], s->data, s->size);
            g->sent[g->sent_count++][s->size] = '\0';
        }
        if (g->out.store.kind != TDM_RDV_STORE_NOTHING) {
            in = first ? *first : (struct tdm_rdv_in){.kind = TDM_RDV_MESSAGE};
            in.kind = TDM_RDV_STORED;
        } else if (g->out.fetch) {
            in = (struct tdm_rdv_in){.kind = TDM_RDV_KEPT, .user = g->out.fetch_user};
        } else {
            return;
        }
        tdm_rdv_step(g->core, g->now, &in, &g->out);
    }
}

/* Everything that is due by then; what was sent before is forgotten. */
static inline void rig_run_until(struct rig *g, tdm_time until)
{
    g->sent_count = 0;
    for (rig_step(g, NULL); g->out.wake_at <= until; rig_step(g, NULL))
        g->now = tdm_time_max(g->now, g->out.wake_at);
    g->now = until;
}

static inline void rig_account(struct rig *g, const char *user, bool locked)
{
    char md5[TDM_DIGEST_HEX_MAX], sha256[TDM_DIGEST_HEX_MAX];

    tdm_digest_ha1(TDM_DIGEST_MD5, user, RIG_DOMAIN, RIG_PASSWORD, md5);
    tdm_digest_ha1(TDM_DIGEST_SHA256, user, RIG_DOMAIN, RIG_PASSWORD, sha256);
    rig_step(g, &(struct tdm_rdv_in){.kind = TDM_RDV_ACCOUNT,
                                     .user = user,
                                     .ha1_md5 = md5,
                                     .ha1_sha256 = sha256,
                                     .locked = locked});
}

/* `config` NULL: small tables, no limit of rate. */
static inline struct rig *rig_open(const struct tdm_rdv_config *config)
{
    struct rig *g = calloc(1, sizeof *g);

    assert_non_null(g);
    g->config = config ? *config
                       : (struct tdm_rdv_config){.accounts = 8,
                                                 .bindings = 32,
                                                 .transactions = 256,
                                                 .branches = 256,
                                                 .subscriptions = 32,
                                                 .publications = 16,
                                                 .source_rate = 1000000,
                                                 .total_rate = 1000000,
                                                 .store_bytes = 1u << 20};
    g->config.domain = RIG_DOMAIN;
    g->config.own_count = 1;
    g->config.own[0] = rig_from(0).local;
    g->config.wall_s = RIG_WALL_S;
    void *storage = calloc(1, tdm_rdv_bytes(&g->config));

    assert_non_null(storage);
    g->core = tdm_rdv_init(storage, &g->config, 0);
    return g;
}

static inline void rig_close(struct rig *g)
{
    free(g->core);
    free(g);
}

static inline const struct tdm_rdv_stats *rig_stats(const struct rig *g)
{
    return tdm_rdv_stats_of(g->core);
}

/** A request of `user` from a host; NULL: none, "" : an empty one. */
struct rig_request {
    const char *method, *user, *uri, *password;
    const char *headers, *body, *to_tag;
    const char *call_id; /* NULL: a new one. */
    uint8_t host;
    uint8_t credentials_from; /* Not 0: the challenge is asked for from that host. */
};

static inline void rig_send(struct rig *g, const struct rig_request *q, uint32_t number,
                            const char *authorization)
{
    char text[RIG_TEXT_MAX], call_id[64];
    const char *body = q->body ? q->body : "";

    g->serial++;
    (void)snprintf(call_id, sizeof call_id, "c%u", number);
    int size = snprintf(
        text, sizeof text,
        "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.%u:5060;rport;branch=z9hG4bK%u\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:%s@" RIG_DOMAIN ">;tag=%u\r\nTo: <sip:%s@" RIG_DOMAIN
        ">%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nUser-Agent: rig\r\n"
        "Contact: <sip:%s@10.0.0.%u>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
        q->method, q->uri ? q->uri : "sip:" RIG_DOMAIN, q->host, g->serial, q->user, q->host,
        q->user, q->to_tag ? ";tag=" : "", q->to_tag ? q->to_tag : "",
        q->call_id ? q->call_id : call_id, g->serial, q->method, q->user, q->host,
        q->headers ? q->headers : "", authorization, strlen(body), body);

    assert_in_range(size, 1, sizeof text - 1);
    struct tdm_rdv_flow flow = rig_from(q->host);

    g->sent_count = 0;
    rig_step(g, &(struct tdm_rdv_in){.kind = TDM_RDV_MESSAGE,
                                     .flow = flow,
                                     .data = (const uint8_t *)text,
                                     .size = (size_t)size});
}

/* The status of the first message that was sent; 0: none was. */
static inline uint16_t rig_status(const struct rig *g)
{
    return g->sent_count && strncmp(g->sent[0], "SIP/2.0 ", 8) == 0
               ? (uint16_t)strtol(g->sent[0] + 8, NULL, 10)
               : 0;
}

/* The value of a header of message `at`, or "". */
static inline const char *rig_header(const struct rig *g, uint32_t at, const char *name)
{
    static char value[1024];
    char wanted[64];

    (void)snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *found = at < g->sent_count ? strstr(g->sent[at], wanted) : NULL;

    value[0] = '\0';
    if (found)
        (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(found + strlen(wanted), "\r"),
                       found + strlen(wanted));
    return value;
}

/* What answers the challenge that was sent last. */
static inline void rig_credentials(const struct rig *g, const struct rig_request *q, char *line,
                                   size_t capacity)
{
    bool proxy = rig_status(g) == 407;
    const char *text = rig_header(g, 0, proxy ? "Proxy-Authenticate" : "WWW-Authenticate");
    struct tdm_digest_challenge c;
    char value[1000];
    const struct tdm_digest_request r = {.user = q->user,
                                         .password = q->password ? q->password : RIG_PASSWORD,
                                         .method = q->method,
                                         .uri = q->uri ? q->uri : "sip:" RIG_DOMAIN,
                                         .cnonce = "c",
                                         .nc = 1};

    assert_int_equal(tdm_digest_parse_challenge(text, strlen(text), &c), TDM_OK);
    assert_int_equal(tdm_digest_answer(&c, &r, value, sizeof value), TDM_OK);
    (void)snprintf(line, capacity, "%sAuthorization: %s\r\n", proxy ? "Proxy-" : "", value);
}

/* Asks, answers the challenge. @return the status of what came then */
static inline uint16_t rig_ask(struct rig *g, const struct rig_request *q)
{
    struct rig_request first = *q;
    uint32_t number = g->serial + 1;
    char line[1200];

    if (q->credentials_from)
        first.host = q->credentials_from;
    rig_send(g, &first, number, "");
    if (rig_status(g) != 401 && rig_status(g) != 407)
        return rig_status(g);
    rig_credentials(g, q, line, sizeof line);
    rig_send(g, q, number, line);
    return rig_status(g);
}

static inline uint16_t rig_register(struct rig *g, const char *user, uint8_t host)
{
    return rig_ask(
        g, &(struct rig_request){.method = "REGISTER", .user = user, .host = host, .headers = ""});
}

#endif
