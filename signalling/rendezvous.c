/* SPDX-License-Identifier: MIT */
#include "signalling/rendezvous_state.h"

#include "engine/base/rng.h"

#include <stdio.h>

#define SOURCES 4096
#define NONCES  16384
#define DUE_MAX 64 /* Timers in one step. */

static uint32_t or_default(uint32_t value, uint32_t other)
{
    return value ? value : other;
}

static struct tdm_rdv_config with_defaults(const struct tdm_rdv_config *config)
{
    struct tdm_rdv_config c = *config;

    c.domain = c.domain ? c.domain : "tandem";
    c.udp_port = (uint16_t)or_default(c.udp_port, 5060);
    c.accounts = or_default(c.accounts, 16384);
    c.bindings = or_default(c.bindings, 16384);
    c.user_bindings = or_default(c.user_bindings, 10);
    if (c.user_bindings > TDM_RDV_BINDINGS_MAX)
        c.user_bindings = TDM_RDV_BINDINGS_MAX;
    c.transactions = or_default(c.transactions, 32768);
    c.branches = or_default(c.branches, 32768);
    c.subscriptions = or_default(c.subscriptions, 16384);
    c.user_subscriptions = or_default(c.user_subscriptions, 200);
    c.publications = or_default(c.publications, 4096);
    c.user_publications = or_default(c.user_publications, 10);
    c.store_bytes = or_default(c.store_bytes, 64u << 20);
    c.offline_count = or_default(c.offline_count, 200);
    c.offline_bytes = or_default(c.offline_bytes, 1u << 20);
    c.source_rate = or_default(c.source_rate, 200);
    c.total_rate = or_default(c.total_rate, 20000);
    c.source_failures = or_default(c.source_failures, 20);
    c.user_failures = or_default(c.user_failures, 50);
    c.expires_min_s = or_default(c.expires_min_s, 60);
    c.expires_max_s = or_default(c.expires_max_s, 7200);
    c.ring_s = or_default(c.ring_s, 180);
    return c;
}

/* Cuts arrays out of the storage, or only counts when there is none. */
struct cutter {
    uint8_t *base;
    size_t used;
};

static void *cut(struct cutter *c, size_t count, size_t size)
{
    void *at = c->base ? c->base + c->used : NULL;

    c->used += (count * size + 63) & ~(size_t)63;
    return at;
}

static void cut_pool(struct cutter *c, struct tdm_rdv_pool *p, uint32_t count)
{
    *p = (struct tdm_rdv_pool){.next = cut(c, count, sizeof *p->next), .count = count};
}

static void cut_hash(struct cutter *c, struct tdm_rdv_hash *h, uint32_t count)
{
    uint32_t heads = 64;

    while (heads < count)
        heads *= 2;
    *h = (struct tdm_rdv_hash){.heads = cut(c, heads, sizeof *h->heads),
                               .next = cut(c, count, sizeof *h->next),
                               .mask = heads - 1};
}

static void lay_out(struct tdm_rdv *r, struct cutter *c)
{
    const struct tdm_rdv_config *g = &r->config;
    const uint32_t counts[TDM_RDV_OF_COUNT] = {g->transactions,  g->branches,     g->bindings,
                                               g->subscriptions, g->publications, g->accounts};
    uint32_t timers = 0, blocks = g->store_bytes / TDM_RDV_BLOCK_BYTES;

    r->accounts = cut(c, g->accounts, sizeof *r->accounts);
    r->bindings = cut(c, g->bindings, sizeof *r->bindings);
    r->txs = cut(c, g->transactions, sizeof *r->txs);
    r->branches = cut(c, g->branches, sizeof *r->branches);
    r->subscriptions = cut(c, g->subscriptions, sizeof *r->subscriptions);
    r->publications = cut(c, g->publications, sizeof *r->publications);
    r->sources = cut(c, SOURCES, sizeof *r->sources);
    r->nonces = cut(c, NONCES, sizeof *r->nonces);
    for (int i = 0; i < TDM_RDV_OF_COUNT; i++) {
        cut_pool(c, &r->pools[i], counts[i]);
        r->timer_base[i] = timers;
        timers += counts[i];
    }
    cut_hash(c, &r->by_user, g->accounts);
    cut_hash(c, &r->by_tx, g->transactions);
    cut_hash(c, &r->by_dialog, g->subscriptions);
    cut_hash(c, &r->by_link, g->bindings);
    cut_hash(c, &r->by_nonce, NONCES);
    cut_pool(c, &r->blocks.pool, blocks);
    r->blocks.following = cut(c, blocks, sizeof *r->blocks.following);
    r->blocks.bytes = cut(c, blocks, TDM_RDV_BLOCK_BYTES);
    r->timers = (struct tdm_rdv_timers){.at = cut(c, timers, sizeof *r->timers.at),
                                        .heap = cut(c, timers, sizeof *r->timers.heap),
                                        .place = cut(c, timers, sizeof *r->timers.place),
                                        .count = timers};
}

size_t tdm_rdv_bytes(const struct tdm_rdv_config *config)
{
    struct tdm_rdv plan = {.config = with_defaults(config)};
    struct cutter c = {.used = (sizeof plan + 63) & ~(size_t)63};

    lay_out(&plan, &c);
    return c.used;
}

struct tdm_rdv *tdm_rdv_init(void *storage, const struct tdm_rdv_config *config, tdm_time now)
{
    struct tdm_rdv *r = storage;
    struct cutter c = {.base = storage, .used = (sizeof *r + 63) & ~(size_t)63};

    r->config = with_defaults(config);
    lay_out(r, &c);
    r->now = r->started = r->wall_at = now;
    r->wall_s = config->wall_s;
    memcpy(r->hash_key, config->key, sizeof r->hash_key);
    r->random = config->seed;
    r->oldest = r->newest = r->dirty_first = r->dirty_last = r->composed_for = TDM_RDV_NONE;
    r->nonce_floor = now - 3600 * TDM_S;
    r->serial = (uint32_t)tdm_rdv_random(r);
    r->total = (struct tdm_rdv_source){.filled = now, .tokens = r->config.total_rate};
    (void)tdm_text_copy(tdm_text_of_string(r->config.domain), r->realm, sizeof r->realm);
    return r;
}

const struct tdm_rdv_stats *tdm_rdv_stats_of(const struct tdm_rdv *r)
{
    return &r->stats;
}

/* --- What everybody uses ---------------------------------------------------------------------- */

int64_t tdm_rdv_wall(const struct tdm_rdv *r)
{
    return r->wall_s + (r->now - r->wall_at) / TDM_S;
}

uint64_t tdm_rdv_random(struct tdm_rdv *r)
{
    struct tdm_rng rng = tdm_rng_of(r->random);
    uint64_t value = tdm_rng_u64(&rng);

    r->random = rng.state;
    return value;
}

static bool host_address(struct tdm_text host, struct tdm_address *a)
{
    char text[TDM_ADDRESS_TEXT_MAX];

    return tdm_text_copy(host, text, sizeof text) && tdm_address_parse(a, text, 0) == TDM_OK;
}

bool tdm_rdv_is_our_host(const struct tdm_rdv *r, const struct tdm_sip_address *a)
{
    struct tdm_address host;

    if (tdm_text_equals(a->host, r->config.domain))
        return true;
    if (!host_address(a->host, &host))
        return false;
    if (tdm_address_is_loopback(&host))
        return true;
    for (uint32_t i = 0; i < r->config.own_count; i++)
        if (tdm_address_same_host(&host, &r->config.own[i]))
            return true;
    return false;
}

bool tdm_rdv_is_our_address(const struct tdm_rdv *r, const struct tdm_sip_address *a,
                            const struct tdm_rdv_flow *flow)
{
    struct tdm_address host;
    uint16_t port = a->port ? a->port : 5060;

    if (port != r->config.udp_port && port != r->config.tls_port)
        return false;
    return tdm_rdv_is_our_host(r, a) ||
           (host_address(a->host, &host) && tdm_address_same_host(&host, &flow->local));
}

void tdm_rdv_wake_item(struct tdm_rdv *r, enum tdm_rdv_timed what, uint32_t index, tdm_time at)
{
    tdm_rdv_timer_set(&r->timers, r->timer_base[what] + index, at);
}

void tdm_rdv_sleep_item(struct tdm_rdv *r, enum tdm_rdv_timed what, uint32_t index)
{
    tdm_rdv_timer_off(&r->timers, r->timer_base[what] + index);
}

uint32_t tdm_rdv_take_item(struct tdm_rdv *r, enum tdm_rdv_timed what)
{
    return tdm_rdv_pool_take(&r->pools[what]);
}

void tdm_rdv_give_item(struct tdm_rdv *r, enum tdm_rdv_timed what, uint32_t index)
{
    tdm_rdv_sleep_item(r, what, index);
    tdm_rdv_pool_give(&r->pools[what], index);
}

const char *tdm_rdv_transport_name(uint8_t transport)
{
    static const char *const names[] = {
        [TDM_RDV_UDP] = "UDP", [TDM_RDV_TCP] = "TCP", [TDM_RDV_TLS] = "TLS"};

    return names[transport];
}

/* --- Requests --------------------------------------------------------------------------------- */

/* To this server itself: "sip:example.org". */
static void own_options(struct tdm_rdv *r, const struct tdm_sip_message *m,
                        const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    tdm_rdv_answer_once(
        r, m, flow,
        &(struct tdm_rdv_answer){.code = 200,
                                 .headers = "Allow: REGISTER, INVITE, ACK, CANCEL, BYE, OPTIONS, "
                                            "MESSAGE, SUBSCRIBE, NOTIFY, PUBLISH, REFER, INFO, "
                                            "UPDATE, PRACK\r\n"
                                            "Allow-Events: presence, presence.winfo\r\n"},
        out);
}

static bool passes_checks(struct tdm_rdv *r, const struct tdm_sip_message *m,
                          const struct tdm_rdv_flow *flow, struct tdm_sip_address *uri,
                          struct tdm_rdv_out *out)
{
    struct tdm_text wanted = tdm_sip_value(m, TDM_SIP_H_PROXY_REQUIRE);

    if (!tdm_sip_read_uri(m->uri, uri)) {
        tdm_rdv_refuse(r, m, flow, 416, out);
        return false;
    }
    if (!m->max_forwards) {
        tdm_rdv_refuse(r, m, flow, 483, out);
        return false;
    }
    if (tdm_rdv_loops(r, m)) {
        r->stats.loops++;
        tdm_rdv_refuse(r, m, flow, 482, out);
        return false;
    }
    if (wanted.at < wanted.end) {
        char line[160];

        (void)snprintf(line, sizeof line, "Unsupported: %.*s\r\n",
                       (int)(tdm_text_size(wanted) < 100 ? tdm_text_size(wanted) : 100), wanted.at);
        tdm_rdv_answer_once(r, m, flow, &(struct tdm_rdv_answer){.code = 420, .headers = line},
                            out);
        return false;
    }
    return true;
}

static bool is_event(const struct tdm_sip_message *m, const char *package)
{
    struct tdm_text event = tdm_sip_value(m, TDM_SIP_H_EVENT);

    return tdm_text_equals(tdm_sip_trim(tdm_text_until(&event, ';')), package);
}

static bool is_for_directory(const struct tdm_sip_message *m, const struct tdm_sip_address *uri)
{
    return m->method == TDM_SIP_OPTIONS && tdm_text_equals(uri->user, "directory");
}

/* From somebody who is known by now. */
static void serve(struct tdm_rdv *r, const struct tdm_sip_message *m,
                  const struct tdm_rdv_flow *flow, const struct tdm_sip_address *uri,
                  uint32_t account, struct tdm_rdv_out *out)
{
    bool ours = tdm_rdv_is_our_host(r, uri);

    if (m->method == TDM_SIP_REGISTER)
        tdm_rdv_register(r, m, flow, account, out);
    else if (m->method == TDM_SIP_PUBLISH && ours)
        tdm_rdv_publish(r, m, flow, account, out);
    else if (m->method == TDM_SIP_SUBSCRIBE && ours &&
             (is_event(m, "presence") || is_event(m, "presence.winfo")))
        tdm_rdv_subscribe(r, m, flow, account, out);
    else if (is_for_directory(m, uri) && ours)
        tdm_rdv_directory(r, m, flow, out);
    else if (!ours && !uri->tel)
        tdm_rdv_refuse(r, m, flow, 403, out);
    else if (m->to_tag.at < m->to_tag.end)
        tdm_rdv_refuse(r, m, flow, 481, out);
    else
        tdm_rdv_forward(r, m, flow, account, out);
}

static void request(struct tdm_rdv *r, const struct tdm_sip_message *m,
                    const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    struct tdm_sip_address uri;
    uint32_t tx = tdm_rdv_find_tx(r, tdm_rdv_tx_key(r, m));

    r->stats.requests++;
    if (m->method == TDM_SIP_CANCEL) {
        tdm_rdv_cancel(r, m, flow, out);
        return;
    }
    if (tx != TDM_RDV_NONE && (m->method == TDM_SIP_ACK || r->txs[tx].method == m->method)) {
        r->stats.absorbed++;
        tdm_rdv_copy_of_request(r, tx, m, out);
        return;
    }
    if (m->method == TDM_SIP_ACK) { /* Of a 2xx: on its route. To an answer of ours: for nobody. */
        if (tdm_sip_read_uri(m->uri, &uri) && m->max_forwards)
            (void)tdm_rdv_follow_routes(r, m, flow, out);
        return;
    }
    if (!passes_checks(r, m, flow, &uri, out))
        return;
    if (m->method == TDM_SIP_OPTIONS && uri.user.at == uri.user.end) {
        own_options(r, m, flow, out);
        return;
    }
    if (tdm_rdv_follow_routes(r, m, flow, out))
        return;
    bool proxy = m->method != TDM_SIP_REGISTER && m->method != TDM_SIP_PUBLISH &&
                 m->method != TDM_SIP_SUBSCRIBE;
    uint32_t account = tdm_rdv_authenticate(r, m, flow, proxy, out);

    if (account == TDM_RDV_NONE)
        return;
    const struct tdm_sip_address *who =
        m->method == TDM_SIP_REGISTER ? &m->to_address : &m->from_address;

    if (tdm_rdv_account_of(r, who->user) != account || !tdm_rdv_is_our_host(r, who)) {
        r->stats.spoofed++;
        tdm_rdv_answer_once(
            r, m, flow,
            &(struct tdm_rdv_answer){.code = 403, .reason = "Only in your own name, not another's"},
            out);
        return;
    }
    serve(r, m, flow, &uri, account, out);
}

static bool is_keep_alive(const struct tdm_rdv_in *in)
{
    for (size_t i = 0; i < in->size; i++)
        if (in->data[i] != '\r' && in->data[i] != '\n' && in->data[i] != 0)
            return false;
    return true;
}

static void message(struct tdm_rdv *r, const struct tdm_rdv_in *in, struct tdm_rdv_out *out)
{
    struct tdm_sip_message *m = &r->message;
    bool answerable;
    const char *fault;

    if (is_keep_alive(in)) {
        if (in->flow.link && in->size == 4)
            (void)tdm_rdv_emit(out, &in->flow, (const uint8_t *)"\r\n", 2);
        return;
    }
    if (!tdm_rdv_admit(r, &in->flow))
        return;
    enum tdm_err err = tdm_sip_read(m, in->data, in->size, &answerable, &fault);

    if (err == TDM_OK && in->size > TDM_RDV_MESSAGE_MAX) {
        if (m->request && m->method != TDM_SIP_ACK)
            tdm_rdv_refuse(r, m, &in->flow, 513, out);
        return;
    }
    if (err != TDM_OK) {
        r->stats.malformed++;
        if (answerable)
            tdm_rdv_answer_once(r, m, &in->flow,
                                &(struct tdm_rdv_answer){.code = 400, .reason = fault}, out);
        if (!answerable && in->flow.link)
            out->close_link = in->flow.link;
        return;
    }
    if (m->request)
        request(r, m, &in->flow, out);
    else
        tdm_rdv_response(r, m, &in->flow, out);
}

/* --- The store's side --------------------------------------------------------------------------
 */

/* "b/USER", "p/USER/NUMBER", "r/USER", "s/KEY" */
static void record(struct tdm_rdv *r, const struct tdm_rdv_in *in)
{
    struct tdm_text key = tdm_text_of_string(in->key);
    struct tdm_text kind = tdm_text_until(&key, '/');
    uint32_t index = tdm_rdv_account_of(r, tdm_text_until(&key, '/'));

    if (tdm_text_equals(kind, "s"))
        tdm_rdv_load_subscription(r, in);
    else if (index == TDM_RDV_NONE)
        return;
    else if (tdm_text_equals(kind, "b"))
        tdm_rdv_load_bindings(r, index, in->data, in->size);
    else if (tdm_text_equals(kind, "p"))
        tdm_rdv_load_publication(r, index, in);
    else if (tdm_text_equals(kind, "r"))
        tdm_rdv_load_rules(r, index, in->data, in->size);
}

static void stored(struct tdm_rdv *r, const struct tdm_rdv_in *in, struct tdm_rdv_out *out)
{
    enum tdm_rdv_pending_kind kind = r->pending.kind;
    struct tdm_sip_message *m = &r->message;
    bool answerable;
    const char *fault;

    r->pending.kind = TDM_RDV_PENDING_NOTHING;
    r->stats.store_failures += in->kind == TDM_RDV_NOT_STORED;
    if (kind == TDM_RDV_PENDING_KEEP_LATER || kind == TDM_RDV_PENDING_DELIVERED) {
        r->pending.kind = kind;
        tdm_rdv_kept(r, in->kind == TDM_RDV_STORED, m, &in->flow, out);
        return;
    }
    if (kind == TDM_RDV_PENDING_NOTHING || kind == TDM_RDV_PENDING_SILENT ||
        tdm_sip_read(m, in->data, in->size, &answerable, &fault) != TDM_OK)
        return;
    if (in->kind == TDM_RDV_NOT_STORED) {
        tdm_rdv_answer_once(r, m, &in->flow,
                            &(struct tdm_rdv_answer){
                                .code = 500,
                                .reason = "This server cannot write its store, nothing changed",
                                .headers = "Retry-After: 60\r\n"},
                            out);
        return;
    }
    r->pending.kind = kind;
    if (kind == TDM_RDV_PENDING_REGISTER)
        tdm_rdv_registered(r, m, &in->flow, out);
    else if (kind == TDM_RDV_PENDING_PUBLISH)
        tdm_rdv_published(r, m, &in->flow, out);
    else if (kind == TDM_RDV_PENDING_RULES)
        tdm_rdv_ruled(r, m, &in->flow, out);
    else if (kind == TDM_RDV_PENDING_SUBSCRIBE)
        tdm_rdv_subscribed(r, m, &in->flow, out);
    else
        tdm_rdv_kept(r, true, m, &in->flow, out);
    r->pending.kind = TDM_RDV_PENDING_NOTHING;
}

static void waiting(struct tdm_rdv *r, const struct tdm_rdv_in *in)
{
    uint32_t index = tdm_rdv_account_of(r, tdm_text_of_string(in->user));

    if (index == TDM_RDV_NONE)
        return;
    r->accounts[index].kept_count = in->count;
    r->accounts[index].kept_bytes = in->size;
    tdm_rdv_deliver_in(r, index, TDM_S);
}

/* --- Time ------------------------------------------------------------------------------------- */

static void due(struct tdm_rdv *r, uint32_t timer, struct tdm_rdv_out *out)
{
    uint32_t what = TDM_RDV_OF_COUNT - 1;

    while (timer < r->timer_base[what])
        what--;
    uint32_t index = timer - r->timer_base[what];

    switch ((enum tdm_rdv_timed)what) {
    case TDM_RDV_OF_TX:
        tdm_rdv_tx_due(r, index, out);
        break;
    case TDM_RDV_OF_BRANCH:
        tdm_rdv_branch_due(r, index, out);
        break;
    case TDM_RDV_OF_BINDING:
        tdm_rdv_unbind(r, index);
        break;
    case TDM_RDV_OF_SUBSCRIPTION:
        tdm_rdv_subscription_due(r, index);
        break;
    case TDM_RDV_OF_PUBLICATION:
        tdm_rdv_unpublish(r, index);
        break;
    case TDM_RDV_OF_ACCOUNT:
        tdm_rdv_deliver(r, index, out);
        break;
    case TDM_RDV_OF_COUNT:
        break;
    }
}

static bool has_room(const struct tdm_rdv_out *out)
{
    return out->store.kind == TDM_RDV_STORE_NOTHING && !out->fetch &&
           out->send_count + 2 < TDM_RDV_SENDS_MAX &&
           TDM_RDV_OUT_BYTES - out->used > TDM_RDV_MESSAGE_MAX + 4096;
}

static void time_passed(struct tdm_rdv *r, struct tdm_rdv_out *out)
{
    uint32_t timer;

    for (int i = 0; i < DUE_MAX && has_room(out); i++) {
        if (tdm_rdv_timer_first(&r->timers, &timer) > r->now)
            break;
        tdm_rdv_timer_off(&r->timers, timer);
        due(r, timer, out);
    }
    for (int i = 0; i < DUE_MAX && has_room(out) && r->dirty_first != TDM_RDV_NONE; i++)
        tdm_rdv_notify_one(r, out);
}

static void finish(struct tdm_rdv *r, struct tdm_rdv_out *out)
{
    uint32_t timer;

    out->wake_at = tdm_rdv_timer_first(&r->timers, &timer);
    out->wake_why = "a deadline";
    if (r->dirty_first != TDM_RDV_NONE) {
        out->wake_at = r->now;
        out->wake_why = "watchers to be told";
    }
    r->stats.bindings = r->pools[TDM_RDV_OF_BINDING].used;
    r->stats.transactions = r->pools[TDM_RDV_OF_TX].used;
    r->stats.branches = r->pools[TDM_RDV_OF_BRANCH].used;
    r->stats.subscriptions = r->pools[TDM_RDV_OF_SUBSCRIPTION].used;
    r->stats.publications = r->pools[TDM_RDV_OF_PUBLICATION].used;
    r->stats.store_blocks = r->blocks.pool.count;
    r->stats.store_blocks_free = r->blocks.pool.count - r->blocks.pool.used;
}

void tdm_rdv_step(struct tdm_rdv *r, tdm_time now, const struct tdm_rdv_in *in,
                  struct tdm_rdv_out *out)
{
    r->now = now;
    out->send_count = 0;
    out->used = 0;
    out->store.kind = TDM_RDV_STORE_NOTHING;
    out->fetch = false;
    out->close_link = 0;
    if (!in) {
        time_passed(r, out);
        finish(r, out);
        return;
    }
    switch (in->kind) {
    case TDM_RDV_MESSAGE:
        message(r, in, out);
        break;
    case TDM_RDV_LINK_DOWN:
        tdm_rdv_link_down(r, in->flow.link);
        break;
    case TDM_RDV_STORED:
    case TDM_RDV_NOT_STORED:
        stored(r, in, out);
        break;
    case TDM_RDV_ACCOUNT:
        tdm_rdv_put_person(r, in);
        break;
    case TDM_RDV_ACCOUNTS_END:
        tdm_rdv_drop_others(r);
        break;
    case TDM_RDV_RECORD:
        record(r, in);
        break;
    case TDM_RDV_WAITING:
        waiting(r, in);
        break;
    case TDM_RDV_KEPT:
        tdm_rdv_hand_over(r, in, out);
        break;
    case TDM_RDV_WALL:
        r->wall_s = in->wall_s;
        r->wall_at = now;
        break;
    }
    finish(r, out);
}
