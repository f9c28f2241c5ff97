/* SPDX-License-Identifier: MIT */
/*
 * Requests on their way (RFC 3261 section 16): to all devices of a person at once, or along a route
 * that this server recorded. A recorded route carries the way to that side and a seal over it and
 * the Call-ID, so that whoever was let into a call may go on in it, and nobody else may send
 * anything anywhere by way of this server.
 */
#include "signalling/rendezvous_state.h"

#include <stdio.h>

#define SEAL_BYTES  8
#define TOKEN_BYTES (1 + 1 + 16 + 2 + 4 + SEAL_BYTES)
#define BRANCH      "z9hG4bKt"
#define STRAY       "z9hG4bKk" /* Of an ACK that passes without state. */

/* --- Transactions ----------------------------------------------------------------------------- */

struct tdm_rdv_key tdm_rdv_tx_key(const struct tdm_rdv *r, const struct tdm_sip_message *m)
{
    struct tdm_rdv_key key = tdm_rdv_key_begin(r->hash_key);

    tdm_rdv_key_add(&key, m->via.branch);
    tdm_rdv_key_add(&key, m->via.host);
    tdm_rdv_key_add_bytes(&key, &m->via.port, sizeof m->via.port);
    tdm_rdv_key_add(&key, m->call_id);
    tdm_rdv_key_add(&key, m->from_tag);
    tdm_rdv_key_add_bytes(&key, &m->cseq, sizeof m->cseq);
    return key;
}

uint32_t tdm_rdv_find_tx(const struct tdm_rdv *r, struct tdm_rdv_key key)
{
    uint32_t i = tdm_rdv_hash_first(&r->by_tx, key.a);

    while (i != TDM_RDV_NONE && !tdm_rdv_key_equal(r->txs[i].key, key))
        i = tdm_rdv_hash_next(&r->by_tx, i);
    return i;
}

static void unlist(struct tdm_rdv *r, uint32_t index)
{
    struct tdm_rdv_tx *tx = &r->txs[index];

    if (r->oldest == index)
        r->oldest = tx->newer;
    else if (tx->older != TDM_RDV_NONE)
        r->txs[tx->older].newer = tx->newer;
    if (r->newest == index)
        r->newest = tx->older;
    else if (tx->newer != TDM_RDV_NONE)
        r->txs[tx->newer].older = tx->older;
    tx->older = tx->newer = TDM_RDV_NONE;
}

uint32_t tdm_rdv_open_tx(struct tdm_rdv *r, enum tdm_rdv_tx_kind kind,
                         const struct tdm_sip_message *m, const struct tdm_rdv_flow *flow)
{
    uint32_t index = tdm_rdv_take_item(r, TDM_RDV_OF_TX);

    if (index == TDM_RDV_NONE && r->oldest != TDM_RDV_NONE) {
        r->stats.evicted++;
        tdm_rdv_close_tx(r, r->oldest);
        index = tdm_rdv_take_item(r, TDM_RDV_OF_TX);
    }
    if (index == TDM_RDV_NONE) {
        r->stats.full++;
        return TDM_RDV_NONE;
    }
    r->txs[index] = (struct tdm_rdv_tx){.kind = kind,
                                        .method = m ? m->method : TDM_SIP_OTHER,
                                        .flow = *flow,
                                        .branches = TDM_RDV_NONE,
                                        .account = TDM_RDV_NONE,
                                        .subscription = TDM_RDV_NONE,
                                        .older = TDM_RDV_NONE,
                                        .newer = TDM_RDV_NONE};
    if (m) {
        r->txs[index].key = tdm_rdv_tx_key(r, m);
        tdm_rdv_hash_add(&r->by_tx, r->txs[index].key.a, index);
    }
    return index;
}

void tdm_rdv_close_tx(struct tdm_rdv *r, uint32_t index)
{
    struct tdm_rdv_tx *tx = &r->txs[index];

    while (tx->branches != TDM_RDV_NONE) {
        uint32_t branch = tx->branches;

        tx->branches = r->branches[branch].next;
        tdm_rdv_chain_drop(&r->blocks, &r->branches[branch].request);
        r->branches[branch].serial = 0;
        tdm_rdv_give_item(r, TDM_RDV_OF_BRANCH, branch);
    }
    tdm_rdv_chain_drop(&r->blocks, &tx->answer);
    tdm_rdv_chain_drop(&r->blocks, &tx->best);
    if (tx->kind == TDM_RDV_TX_LOCAL || tx->kind == TDM_RDV_TX_PROXY)
        tdm_rdv_hash_remove(&r->by_tx, tx->key.a, index);
    unlist(r, index);
    tdm_rdv_give_item(r, TDM_RDV_OF_TX, index);
}

void tdm_rdv_retire_tx(struct tdm_rdv *r, uint32_t index, tdm_time stay)
{
    struct tdm_rdv_tx *tx = &r->txs[index];

    if (!stay) {
        tdm_rdv_close_tx(r, index);
        return;
    }
    unlist(r, index);
    tx->older = r->newest;
    if (r->newest != TDM_RDV_NONE)
        r->txs[r->newest].newer = index;
    r->newest = index;
    if (r->oldest == TDM_RDV_NONE)
        r->oldest = index;
    tx->until = r->now + stay;
    tdm_rdv_wake_item(r, TDM_RDV_OF_TX, index,
                      tx->interval ? tdm_time_min(tx->until, r->now + tx->interval) : tx->until);
}

/* --- Loops ------------------------------------------------------------------------------------ */

uint32_t tdm_rdv_loop_mark(const struct tdm_rdv *r, const struct tdm_sip_message *m)
{
    struct tdm_rdv_key key = tdm_rdv_key_begin(r->hash_key);

    tdm_rdv_key_add(&key, m->uri);
    tdm_rdv_key_add(&key, m->from_tag);
    tdm_rdv_key_add(&key, m->to_tag);
    tdm_rdv_key_add(&key, m->call_id);
    tdm_rdv_key_add_bytes(&key, &m->cseq, sizeof m->cseq);
    tdm_rdv_key_add(&key, tdm_sip_value(m, TDM_SIP_H_ROUTE));
    return (uint32_t)(key.b >> 32);
}

void tdm_rdv_write_branch_id(const struct tdm_rdv *r, uint32_t branch, uint32_t loop, char text[48])
{
    (void)snprintf(text, 48, BRANCH "%08x%08x%08x", branch, r->branches[branch].serial, loop);
}

bool tdm_rdv_loops(const struct tdm_rdv *r, const struct tdm_sip_message *m)
{
    char mark[12];

    (void)snprintf(mark, sizeof mark, "%08x", tdm_rdv_loop_mark(r, m));
    for (uint32_t i = 0; i < m->header_count; i++) {
        struct tdm_text list = m->headers[i].value, item, branch;

        while (m->headers[i].kind == TDM_SIP_H_VIA && tdm_sip_next_item(&list, &item))
            if (tdm_sip_param(item, "branch", &branch) &&
                tdm_text_size(branch) == sizeof BRANCH - 1 + 24 &&
                memcmp(branch.at, BRANCH, sizeof BRANCH - 1) == 0 &&
                memcmp(branch.end - 8, mark, 8) == 0)
                return true;
    }
    return false;
}

/* --- Tokens ----------------------------------------------------------------------------------- */

static uint64_t seal(const struct tdm_rdv *r, const struct tdm_sip_message *m, const uint8_t *bytes,
                     size_t size)
{
    uint8_t input[TOKEN_BYTES + 16], mac[TDM_SHA256_BYTES];
    struct tdm_rdv_key key = tdm_rdv_key_begin(r->hash_key);
    uint64_t value;

    tdm_rdv_key_add(&key, m->call_id);
    memcpy(input, &key, sizeof key);
    memcpy(input + sizeof key, bytes, size);
    tdm_hmac_sha256(r->config.key, sizeof r->config.key, input, sizeof key + size, mac);
    memcpy(&value, mac, sizeof value);
    return value;
}

static size_t write_token(const struct tdm_rdv *r, const struct tdm_sip_message *m,
                          const struct tdm_rdv_flow *flow, uint8_t token[TOKEN_BYTES])
{
    struct tdm_writer w = tdm_writer_of(token, TOKEN_BYTES);

    tdm_write_u8(&w, flow->transport);
    tdm_write_u8(&w, flow->remote.family);
    tdm_write_bytes(&w, flow->remote.bytes, flow->remote.family == TDM_IPV6 ? 16 : 4);
    tdm_write_u16(&w, flow->remote.port);
    tdm_write_u32(&w, flow->link);
    uint64_t value = seal(r, m, token, tdm_writer_size(&w));

    tdm_write_bytes(&w, &value, sizeof value);
    return tdm_writer_size(&w);
}

static int hex_digit(char c)
{
    c = tdm_text_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_token(const struct tdm_rdv *r, const struct tdm_sip_message *m,
                       struct tdm_text text, struct tdm_rdv_flow *flow)
{
    uint8_t token[TOKEN_BYTES];
    size_t size = tdm_text_size(text) / 2;

    if (tdm_text_size(text) % 2 || size > sizeof token || size <= SEAL_BYTES)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text.at[2 * i]), low = hex_digit(text.at[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        token[i] = (uint8_t)(high << 4 | low);
    }
    uint64_t value = seal(r, m, token, size - SEAL_BYTES);

    if (!tdm_equal_in_constant_time(&value, token + size - SEAL_BYTES, SEAL_BYTES))
        return false;
    struct tdm_reader in = tdm_reader_of(token, size - SEAL_BYTES);

    flow->transport = tdm_read_u8(&in);
    flow->remote = (struct tdm_address){.family = tdm_read_u8(&in)};
    size_t host = flow->remote.family == TDM_IPV6 ? 16 : 4;
    const uint8_t *bytes = tdm_read_bytes(&in, host);

    if (bytes)
        memcpy(flow->remote.bytes, bytes, host);
    flow->remote.port = tdm_read_u16(&in);
    flow->link = tdm_read_u32(&in);
    return in.ok;
}

/* --- Routes ----------------------------------------------------------------------------------- */

struct routes {
    uint32_t own; /* How many of ours stand first. */
    bool sealed;  /* A token of ours was in one. */
    struct tdm_rdv_flow flow;
};

static void read_routes(const struct tdm_rdv *r, const struct tdm_sip_message *m,
                        const struct tdm_rdv_flow *from, struct routes *routes)
{
    bool ours = true;

    *routes = (struct routes){.own = 0};
    for (uint32_t i = 0; i < m->header_count && ours; i++) {
        struct tdm_text list = m->headers[i].value, item, uri, token;
        struct tdm_sip_address a;

        while (ours && m->headers[i].kind == TDM_SIP_H_ROUTE && tdm_sip_next_item(&list, &item)) {
            ours = tdm_sip_read_name_address(item, &uri, NULL) && tdm_sip_read_uri(uri, &a) &&
                   tdm_rdv_is_our_address(r, &a, from);
            if (!ours)
                break;
            routes->own++;
            if (!tdm_sip_param(a.params, "t", &token) || !read_token(r, m, token, &routes->flow))
                continue;
            routes->sealed = true;
            char host[TDM_ADDRESS_TEXT_MAX];

            if (!tdm_text_copy(a.host, host, sizeof host) ||
                tdm_address_parse(&routes->flow.local, host, a.port ? a.port : 5060) != TDM_OK)
                routes->flow.local = from->local;
        }
    }
}

/* --- Writing ---------------------------------------------------------------------------------- */

struct forward {
    const struct tdm_sip_message *m;
    const struct tdm_rdv_flow *from, *to;
    struct tdm_text uri;
    const char *branch;
    bool record_route;
    uint32_t skip_routes;
};

static uint16_t port_of(const struct tdm_rdv *r, const struct tdm_rdv_flow *flow)
{
    return flow->transport == TDM_RDV_TLS ? r->config.tls_port : r->config.udp_port;
}

static void put_local(const struct tdm_rdv *r, struct tdm_writer *w,
                      const struct tdm_rdv_flow *flow)
{
    struct tdm_address local = flow->local;

    local.port = port_of(r, flow);
    tdm_sip_put_address(w, &local);
}

static void put_record_route(const struct tdm_rdv *r, struct tdm_writer *w,
                             const struct tdm_sip_message *m, const struct tdm_rdv_flow *flow)
{
    static const char *const params[] = {
        [TDM_RDV_UDP] = "", [TDM_RDV_TCP] = ";transport=tcp", [TDM_RDV_TLS] = ";transport=tls"};
    uint8_t token[TOKEN_BYTES];
    size_t size = write_token(r, m, flow, token);

    tdm_sip_put(w, "Record-Route: <sip:");
    put_local(r, w, flow);
    tdm_sip_put(w, params[flow->transport]);
    tdm_sip_put(w, ";lr;t=");
    tdm_sip_put_hex(w, token, size);
    tdm_sip_put(w, ">\r\n");
}

static bool is_for_us(const struct tdm_rdv *r, const struct tdm_sip_header *h)
{
    struct tdm_digest_credentials c;

    return (h->kind == TDM_SIP_H_PROXY_AUTHORIZATION || h->kind == TDM_SIP_H_AUTHORIZATION) &&
           tdm_digest_parse_credentials(h->value.at, tdm_text_size(h->value), &c) == TDM_OK &&
           strcmp(c.realm, r->realm) == 0;
}

static void put_routes(struct tdm_writer *w, const struct tdm_sip_header *h, uint32_t *skip)
{
    struct tdm_text list = h->value, item;

    while (tdm_sip_next_item(&list, &item)) {
        if (*skip) {
            (*skip)--;
            continue;
        }
        tdm_sip_put(w, "Route: ");
        tdm_sip_put_text(w, item);
        tdm_sip_put(w, "\r\n");
    }
}

static void put_vias(struct tdm_writer *w, const struct forward *f)
{
    bool first = true;

    for (uint32_t i = 0; i < f->m->header_count; i++) {
        struct tdm_text list = f->m->headers[i].value, item;

        while (f->m->headers[i].kind == TDM_SIP_H_VIA && tdm_sip_next_item(&list, &item)) {
            if (first) {
                tdm_rdv_put_via(w, f->m, f->from);
            } else {
                tdm_sip_put(w, "Via: ");
                tdm_sip_put_text(w, item);
                tdm_sip_put(w, "\r\n");
            }
            first = false;
        }
    }
}

/* Into r->made. @return its size; 0: too large. */
static size_t write_forwarded(struct tdm_rdv *r, const struct forward *f)
{
    struct tdm_writer w = tdm_writer_of(r->made, sizeof r->made);
    const struct tdm_sip_message *m = f->m;
    uint32_t skip = f->skip_routes;

    tdm_sip_put_text(&w, m->method_text);
    tdm_sip_put(&w, " ");
    tdm_sip_put_text(&w, f->uri);
    tdm_sip_put(&w, " SIP/2.0\r\nVia: SIP/2.0/");
    tdm_sip_put(&w, tdm_rdv_transport_name(f->to->transport));
    tdm_sip_put(&w, " ");
    put_local(r, &w, f->to);
    tdm_sip_put(&w, ";rport;branch=");
    tdm_sip_put(&w, f->branch);
    tdm_sip_put(&w, "\r\n");
    put_vias(&w, f);
    if (f->record_route) {
        put_record_route(r, &w, m, f->to);
        put_record_route(r, &w, m, f->from);
    }
    tdm_sip_put(&w, "Max-Forwards: ");
    tdm_sip_put_number(&w, m->max_forwards - 1);
    tdm_sip_put(&w, "\r\n");
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct tdm_sip_header *h = &m->headers[i];

        if (h->kind == TDM_SIP_H_ROUTE) {
            put_routes(&w, h, &skip);
        } else if (h->kind != TDM_SIP_H_VIA && h->kind != TDM_SIP_H_MAX_FORWARDS &&
                   h->kind != TDM_SIP_H_CONTENT_LENGTH && !is_for_us(r, h)) {
            tdm_sip_put_text(&w, tdm_sip_trim(h->line));
            tdm_sip_put(&w, "\r\n");
        }
    }
    tdm_sip_put(&w, "Content-Length: ");
    tdm_sip_put_number(&w, tdm_text_size(m->body));
    tdm_sip_put(&w, "\r\n\r\n");
    tdm_sip_put_text(&w, m->body);
    return w.ok ? tdm_writer_size(&w) : 0;
}

/* --- Forwarding ------------------------------------------------------------------------------- */

static void busy(struct tdm_rdv *r, const struct tdm_sip_message *m,
                 const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    tdm_rdv_answer_once(
        r, m, flow, &(struct tdm_rdv_answer){.code = 503, .headers = "Retry-After: 10\r\n"}, out);
}

static void send_trying(struct tdm_rdv *r, const struct tdm_sip_message *m,
                        const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    if (m->method == TDM_SIP_INVITE)
        tdm_rdv_refuse(r, m, flow, 100, out);
}

static bool add_branch(struct tdm_rdv *r, uint32_t tx, struct forward *f, struct tdm_rdv_out *out)
{
    uint32_t branch = tdm_rdv_open_branch(r, tx, f->to);
    char id[48];

    if (branch == TDM_RDV_NONE)
        return false;
    tdm_rdv_write_branch_id(r, branch, tdm_rdv_loop_mark(r, f->m), id);
    f->branch = id;
    size_t size = write_forwarded(r, f);

    f->branch = NULL;
    return tdm_rdv_start_branch(r, branch, r->made, size, out);
}

bool tdm_rdv_follow_routes(struct tdm_rdv *r, const struct tdm_sip_message *m,
                           const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    struct routes routes;

    read_routes(r, m, flow, &routes);
    if (!routes.sealed || m->to_tag.at == m->to_tag.end)
        return false;
    struct forward f = {
        .m = m, .from = flow, .to = &routes.flow, .uri = m->uri, .skip_routes = routes.own};

    if (m->method == TDM_SIP_ACK) {
        char id[48];

        (void)snprintf(id, sizeof id, STRAY "%016llx", (unsigned long long)tdm_rdv_tx_key(r, m).a);
        f.branch = id;
        size_t size = write_forwarded(r, &f);

        if (size)
            (void)tdm_rdv_emit(out, &routes.flow, r->made, size);
        return true;
    }
    uint32_t tx = tdm_rdv_open_tx(r, TDM_RDV_TX_PROXY, m, flow);

    if (tx == TDM_RDV_NONE) {
        busy(r, m, flow, out);
        return true;
    }
    send_trying(r, m, flow, out);
    if (!add_branch(r, tx, &f, out)) {
        tdm_rdv_close_tx(r, tx);
        busy(r, m, flow, out);
    }
    return true;
}

static bool same_flow(const struct tdm_rdv_flow *a, const struct tdm_rdv_flow *b)
{
    return a->transport == b->transport && a->link == b->link &&
           tdm_address_equal(&a->remote, &b->remote);
}

static bool forms_dialog(enum tdm_sip_method method)
{
    return method == TDM_SIP_INVITE || method == TDM_SIP_SUBSCRIBE || method == TDM_SIP_REFER;
}

/* Whether a device is to hear of this request. */
static bool is_target(struct tdm_rdv *r, const struct tdm_sip_message *m,
                      const struct tdm_rdv_flow *flow, uint32_t from,
                      const struct tdm_rdv_binding *b)
{
    if (b->gone || b->expires <= r->now)
        return false;
    if (b->account == from && same_flow(&b->flow, flow)) /* The device that asks. */
        return false;
    return m->method != TDM_SIP_INVITE || tdm_rdv_takes_calls(r, b->account, b);
}

static uint32_t add_branches(struct tdm_rdv *r, const struct tdm_sip_message *m,
                             const struct tdm_rdv_flow *flow, uint32_t from, uint32_t tx,
                             struct tdm_rdv_out *out)
{
    struct routes routes;
    uint32_t count = 0;

    read_routes(r, m, flow, &routes);
    for (uint32_t i = r->accounts[r->txs[tx].account].bindings; i != TDM_RDV_NONE;
         i = r->bindings[i].next) {
        struct tdm_rdv_binding *b = &r->bindings[i];
        struct forward f = {.m = m,
                            .from = flow,
                            .to = &b->flow,
                            .uri = tdm_text_of_string(b->contact),
                            .record_route = forms_dialog(m->method),
                            .skip_routes = routes.own};

        if (is_target(r, m, flow, from, b))
            count += add_branch(r, tx, &f, out);
    }
    return count;
}

static bool anybody(struct tdm_rdv *r, const struct tdm_sip_message *m,
                    const struct tdm_rdv_flow *flow, uint32_t from, uint32_t account)
{
    for (uint32_t i = r->accounts[account].bindings; i != TDM_RDV_NONE; i = r->bindings[i].next)
        if (is_target(r, m, flow, from, &r->bindings[i]))
            return true;
    return false;
}

void tdm_rdv_forward(struct tdm_rdv *r, const struct tdm_sip_message *m,
                     const struct tdm_rdv_flow *flow, uint32_t from, struct tdm_rdv_out *out)
{
    struct tdm_sip_address uri;
    uint32_t account =
        tdm_sip_read_uri(m->uri, &uri) ? tdm_rdv_account_of(r, uri.user) : TDM_RDV_NONE;
    bool is_message = m->method == TDM_SIP_MESSAGE;

    if (account == TDM_RDV_NONE) {
        tdm_rdv_refuse(r, m, flow, 404, out);
        return;
    }
    r->stats.calls += m->method == TDM_SIP_INVITE;
    r->stats.messages += is_message;
    if (!anybody(r, m, flow, from, account)) {
        if (is_message)
            tdm_rdv_keep(r, m, flow, account, out);
        else
            tdm_rdv_refuse(r, m, flow, 480, out);
        return;
    }
    uint32_t tx = tdm_rdv_open_tx(r, TDM_RDV_TX_PROXY, m, flow);

    if (tx == TDM_RDV_NONE) {
        busy(r, m, flow, out);
        return;
    }
    r->txs[tx].account = account;
    r->txs[tx].keep_if_lost = is_message;
    (void)snprintf(r->txs[tx].user, sizeof r->txs[tx].user, "%s", r->accounts[from].user);
    send_trying(r, m, flow, out);
    if (add_branches(r, m, flow, from, tx, out))
        return;
    tdm_rdv_close_tx(r, tx);
    busy(r, m, flow, out);
}
