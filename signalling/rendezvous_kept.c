/* SPDX-License-Identifier: MIT */
/*
 * Messages for who is away. The sender hears 202 once one is in the store; the first device that
 * returns gets them, oldest first, one at a time; each leaves the store when that device took it.
 * One that was taken just before the server died comes again with the same Call-ID and CSeq.
 */
#include "signalling/rendezvous_state.h"

#include <stdio.h>
#include <time.h>

#define KEEP_MAX    16384
#define AGAIN_AFTER (60 * TDM_S)

/* The same for the same message, also after a restart or a new challenge (another CSeq). */
static uint64_t id_of(const struct tdm_sip_message *m, const char *from, const char *to)
{
    static const uint64_t fixed[2] = {1, 2};
    struct tdm_rdv_key key = tdm_rdv_key_begin(fixed);

    tdm_rdv_key_add(&key, tdm_text_of_string(from));
    tdm_rdv_key_add(&key, tdm_text_of_string(to));
    tdm_rdv_key_add(&key, m->call_id);
    tdm_rdv_key_add(&key, m->from_tag);
    tdm_rdv_key_add(&key, m->body);
    return (key.a >> 1) | 1;
}

static bool can_keep(const struct tdm_rdv *r, const struct tdm_rdv_account *a,
                     const struct tdm_sip_message *m)
{
    struct tdm_text type = tdm_sip_value(m, TDM_SIP_H_CONTENT_TYPE);
    size_t size = tdm_text_size(m->body);

    /* "is typing" is old news when somebody returns. */
    return !tdm_text_equals(tdm_sip_trim(tdm_text_until(&type, ';')),
                            "application/im-iscomposing+xml") &&
           a->exists && size && size <= KEEP_MAX && a->kept_count < r->config.offline_count &&
           a->kept_bytes + size <= r->config.offline_bytes;
}

static void fill(struct tdm_rdv *r, const struct tdm_sip_message *m, const char *from,
                 uint32_t account, struct tdm_rdv_out *out)
{
    struct tdm_rdv_store *s = &out->store;

    s->kind = TDM_RDV_STORE_KEEP;
    (void)snprintf(s->user, sizeof s->user, "%s", r->accounts[account].user);
    (void)snprintf(s->from, sizeof s->from, "%s", from);
    if (!tdm_text_copy(tdm_sip_value(m, TDM_SIP_H_CONTENT_TYPE), s->type, sizeof s->type) ||
        !s->type[0])
        (void)snprintf(s->type, sizeof s->type, "text/plain");
    s->id = id_of(m, from, r->accounts[account].user);
    s->sent_s = tdm_rdv_wall(r);
    s->size = tdm_text_size(m->body);
    memcpy(out->record, m->body.at, s->size);
    s->data = out->record;
    r->pending.account = account;
    r->pending.size = s->size;
}

void tdm_rdv_keep(struct tdm_rdv *r, const struct tdm_sip_message *m,
                  const struct tdm_rdv_flow *flow, uint32_t account, struct tdm_rdv_out *out)
{
    char from[TDM_RDV_USER_MAX];

    if (!can_keep(r, &r->accounts[account], m) ||
        !tdm_text_copy(m->from_address.user, from, sizeof from)) {
        tdm_rdv_answer(r, m, flow,
                       &(struct tdm_rdv_answer){.code = 480, .reason = "Away, and not kept"}, out);
        return;
    }
    fill(r, m, from, account, out);
    r->pending.kind = TDM_RDV_PENDING_KEEP;
}

bool tdm_rdv_keep_later(struct tdm_rdv *r, uint32_t index, struct tdm_rdv_out *out)
{
    struct tdm_rdv_tx *tx = &r->txs[index];
    bool answerable;
    const char *fault;

    if (tx->branches == TDM_RDV_NONE || out->store.kind != TDM_RDV_STORE_NOTHING)
        return false;
    size_t size = tdm_rdv_chain_copy(&r->blocks, &r->branches[tx->branches].request, r->scratch,
                                     sizeof r->scratch);

    if (!size || tdm_sip_read(&r->again, r->scratch, size, &answerable, &fault) != TDM_OK ||
        !can_keep(r, &r->accounts[tx->account], &r->again))
        return false;
    fill(r, &r->again, tx->user, tx->account, out);
    r->pending.kind = TDM_RDV_PENDING_KEEP_LATER;
    r->pending.tx = index;
    return true;
}

static void count_kept(struct tdm_rdv *r)
{
    struct tdm_rdv_account *a = &r->accounts[r->pending.account];

    a->kept_count++;
    a->kept_bytes += r->pending.size;
    r->stats.messages_kept++;
}

void tdm_rdv_kept(struct tdm_rdv *r, bool stored, const struct tdm_sip_message *m,
                  const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    enum tdm_rdv_pending_kind kind = r->pending.kind;
    struct tdm_rdv_account *a = &r->accounts[r->pending.account];

    r->pending.kind = TDM_RDV_PENDING_NOTHING;
    if (kind == TDM_RDV_PENDING_DELIVERED) {
        if (stored) {
            a->done_id = 0;
            a->kept_count -= a->kept_count > 0;
        }
        tdm_rdv_deliver_in(r, r->pending.account, stored ? 0 : AGAIN_AFTER);
        return;
    }
    if (stored)
        count_kept(r);
    if (kind == TDM_RDV_PENDING_KEEP_LATER) {
        tdm_rdv_answer_forwarded(r, r->pending.tx, stored ? 202 : 500,
                                 stored ? NULL : "Retry-After: 60\r\n", out);
        tdm_rdv_deliver_in(r, r->pending.account, AGAIN_AFTER); /* Devices are there, but mute. */
        return;
    }
    tdm_rdv_answer(r, m, flow, &(struct tdm_rdv_answer){.code = 202}, out);
}

/* --- Handing over ----------------------------------------------------------------------------- */

void tdm_rdv_deliver_in(struct tdm_rdv *r, uint32_t account, tdm_time delay)
{
    if (r->accounts[account].kept_count && !r->accounts[account].delivering)
        tdm_rdv_wake_item(r, TDM_RDV_OF_ACCOUNT, account, r->now + delay);
}

void tdm_rdv_deliver(struct tdm_rdv *r, uint32_t account, struct tdm_rdv_out *out)
{
    const struct tdm_rdv_account *a = &r->accounts[account];

    if (!a->kept_count || a->delivering || !tdm_rdv_is_reachable(r, account))
        return;
    out->fetch = true;
    (void)snprintf(out->fetch_user, sizeof out->fetch_user, "%s", a->user);
}

static void forget(struct tdm_rdv *r, uint32_t account, uint64_t id, struct tdm_rdv_out *out)
{
    out->store.kind = TDM_RDV_STORE_DELIVERED;
    out->store.id = id;
    (void)snprintf(out->store.user, sizeof out->store.user, "%s", r->accounts[account].user);
    r->accounts[account].done_id = id;
    r->pending.kind = TDM_RDV_PENDING_DELIVERED;
    r->pending.account = account;
}

static uint32_t first_reachable(const struct tdm_rdv *r, uint32_t account)
{
    uint32_t i = r->accounts[account].bindings;

    while (i != TDM_RDV_NONE && r->bindings[i].gone)
        i = r->bindings[i].next;
    return i;
}

static size_t write_kept(struct tdm_rdv *r, const struct tdm_rdv_in *in,
                         const struct tdm_rdv_binding *b, const char *branch)
{
    struct tdm_rdv_flow flow = b->flow;
    struct tdm_address local = flow.local;
    char text[1200], date[40] = "", host[TDM_ADDRESS_TEXT_MAX];
    struct tm t;
    time_t sent = (time_t)in->sent_s;

    local.port = flow.transport == TDM_RDV_TLS ? r->config.tls_port : r->config.udp_port;
    tdm_address_text(&local, host);
    if (gmtime_r(&sent, &t))
        (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &t);
    int size = snprintf(text, sizeof text,
                        "MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch=%s\r\n"
                        "Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=k%llx\r\nTo: <sip:%s@%s>\r\n"
                        "Call-ID: kept-%llx@%s\r\nCSeq: 1 MESSAGE\r\nDate: %s\r\n"
                        "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                        b->contact, tdm_rdv_transport_name(flow.transport), host, branch, in->key,
                        r->config.domain, (unsigned long long)in->id, r->accounts[b->account].user,
                        r->config.domain, (unsigned long long)in->id, r->config.domain, date,
                        in->type, in->size);
    struct tdm_writer w = tdm_writer_of(r->made, sizeof r->made);

    if (size < 0 || (size_t)size >= sizeof text)
        return 0;
    tdm_write_bytes(&w, text, (size_t)size);
    tdm_write_bytes(&w, in->data, in->size);
    return w.ok ? tdm_writer_size(&w) : 0;
}

static bool send_kept(struct tdm_rdv *r, const struct tdm_rdv_in *in, uint32_t account,
                      struct tdm_rdv_out *out)
{
    uint32_t binding = first_reachable(r, account);
    char id[48];

    if (binding == TDM_RDV_NONE)
        return false;
    const struct tdm_rdv_binding *b = &r->bindings[binding];
    uint32_t tx = tdm_rdv_open_tx(r, TDM_RDV_TX_KEPT, NULL, &b->flow);

    if (tx == TDM_RDV_NONE)
        return false;
    r->txs[tx].account = account;
    r->txs[tx].method = TDM_SIP_MESSAGE;
    r->txs[tx].kept_id = in->id;
    uint32_t branch = tdm_rdv_open_branch(r, tx, &b->flow);

    if (branch != TDM_RDV_NONE) {
        tdm_rdv_write_branch_id(r, branch, 0, id);
        if (tdm_rdv_start_branch(r, branch, r->made, write_kept(r, in, b, id), out))
            return true;
    }
    tdm_rdv_close_tx(r, tx);
    return false;
}

void tdm_rdv_hand_over(struct tdm_rdv *r, const struct tdm_rdv_in *in, struct tdm_rdv_out *out)
{
    uint32_t account = tdm_rdv_account_of(r, tdm_text_of_string(in->user));

    if (account == TDM_RDV_NONE)
        return;
    struct tdm_rdv_account *a = &r->accounts[account];

    if (!in->id) {
        a->kept_count = 0;
        a->kept_bytes = 0;
        return;
    }
    if (in->id == a->done_id) {
        forget(r, account, in->id, out);
        return;
    }
    a->delivering = send_kept(r, in, account, out);
    if (!a->delivering)
        tdm_rdv_deliver_in(r, account, AGAIN_AFTER);
}

void tdm_rdv_handed_over(struct tdm_rdv *r, uint32_t tx, uint16_t status, struct tdm_rdv_out *out)
{
    uint32_t account = r->txs[tx].account;
    struct tdm_rdv_account *a = &r->accounts[account];
    /* A device that does not want it will not want it later, either. */
    bool settled = status < 300 || status >= 600 ||
                   (status < 500 && status != 404 && status != 408 && status != 410 &&
                    status != 430 && status != 480 && status != 481);

    a->delivering = false;
    if (!settled || out->store.kind != TDM_RDV_STORE_NOTHING) {
        tdm_rdv_deliver_in(r, account, AGAIN_AFTER);
        return;
    }
    r->stats.messages_handed_over++;
    forget(r, account, r->txs[tx].kept_id, out);
}
