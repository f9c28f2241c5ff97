/* SPDX-License-Identifier: MIT */
/*
 * What became of a request (RFC 3261 sections 16.7 and 17): copies until somebody answers, the best
 * of several answers, CANCEL for the others with the reason that another device took the call.
 */
#include "signalling/rendezvous_state.h"

#include <stdio.h>

#define LOST_AFTER (12 * TDM_S)

enum cancel_reason { CANCEL_BY_CALLER, CANCEL_ANSWERED, CANCEL_DECLINED, CANCEL_TIMEOUT };

uint32_t tdm_rdv_open_branch(struct tdm_rdv *r, uint32_t tx, const struct tdm_rdv_flow *flow)
{
    uint32_t index = tdm_rdv_take_item(r, TDM_RDV_OF_BRANCH);

    if (index == TDM_RDV_NONE) {
        r->stats.full++;
        return TDM_RDV_NONE;
    }
    r->branches[index] = (struct tdm_rdv_branch){.tx = tx,
                                                 .next = r->txs[tx].branches,
                                                 .serial = (uint32_t)tdm_rdv_random(r) | 1,
                                                 .flow = *flow,
                                                 .resend_at = TDM_NEVER,
                                                 .cancel_at = TDM_NEVER};
    r->txs[tx].branches = index;
    r->txs[tx].live++;
    return index;
}

static void set_timer(struct tdm_rdv *r, uint32_t index)
{
    const struct tdm_rdv_branch *b = &r->branches[index];
    tdm_time at = TDM_NEVER;

    if (b->state != TDM_RDV_BRANCH_DONE)
        at = b->unsent ? r->now : tdm_time_min(b->until, b->resend_at);
    at = tdm_time_min(at, b->cancel_at);
    if (at == TDM_NEVER)
        tdm_rdv_sleep_item(r, TDM_RDV_OF_BRANCH, index);
    else
        tdm_rdv_wake_item(r, TDM_RDV_OF_BRANCH, index, at);
}

/* Makes room by forgetting what is over. */
static bool keep_request(struct tdm_rdv *r, struct tdm_rdv_chain *chain, const uint8_t *data,
                         size_t size)
{
    for (int tries = 0; tries < 8; tries++) {
        if (tdm_rdv_chain_set(&r->blocks, chain, data, size))
            return true;
        if (r->oldest == TDM_RDV_NONE)
            break;
        r->stats.evicted++;
        tdm_rdv_close_tx(r, r->oldest);
    }
    r->stats.full++;
    return false;
}

bool tdm_rdv_start_branch(struct tdm_rdv *r, uint32_t index, const uint8_t *request, size_t size,
                          struct tdm_rdv_out *out)
{
    struct tdm_rdv_branch *b = &r->branches[index];
    bool udp = b->flow.transport == TDM_RDV_UDP;

    if (!size || !keep_request(r, &b->request, request, size)) {
        struct tdm_rdv_tx *tx = &r->txs[b->tx];

        assert(tx->branches == index);
        tx->branches = b->next;
        tx->live--;
        b->serial = 0;
        tdm_rdv_give_item(r, TDM_RDV_OF_BRANCH, index);
        return false;
    }
    b->unsent = !tdm_rdv_emit(out, &b->flow, request, size);
    b->interval = TDM_RDV_T1;
    b->resend_at = udp ? r->now + b->interval : TDM_NEVER;
    /* Sooner than the sender gives up, so that he hears that it was kept. */
    b->until = r->now + (r->txs[b->tx].keep_if_lost ? LOST_AFTER : TDM_RDV_64_T1);
    set_timer(r, index);
    return true;
}

/* --- What is made of the stored request --------------------------------------------------------
 */

static bool reread(struct tdm_rdv *r, const struct tdm_rdv_branch *b)
{
    size_t size = tdm_rdv_chain_copy(&r->blocks, &b->request, r->scratch, sizeof r->scratch);
    bool answerable;
    const char *fault;

    return size && tdm_sip_read(&r->again, r->scratch, size, &answerable, &fault) == TDM_OK;
}

/* ACK or CANCEL for it: same URI, Via, From, Call-ID, number (sections 9.1, 17.1.1.3). */
static void send_beside(struct tdm_rdv *r, const struct tdm_rdv_branch *b, const char *method,
                        struct tdm_text to, const char *headers, struct tdm_rdv_out *out)
{
    struct tdm_writer w = tdm_writer_of(r->made, sizeof r->made);
    const struct tdm_sip_message *m = &r->again;

    tdm_sip_put(&w, method);
    tdm_sip_put(&w, " ");
    tdm_sip_put_text(&w, m->uri);
    tdm_sip_put(&w, " SIP/2.0\r\nVia: ");
    tdm_sip_put_text(&w, m->via.all);
    for (uint32_t i = 0; i < m->header_count; i++)
        if (m->headers[i].kind == TDM_SIP_H_ROUTE) {
            tdm_sip_put(&w, "\r\n");
            tdm_sip_put_text(&w, tdm_sip_trim(m->headers[i].line));
        }
    tdm_sip_put(&w, "\r\nMax-Forwards: 70\r\nFrom: ");
    tdm_sip_put_text(&w, m->from);
    tdm_sip_put(&w, "\r\nTo: ");
    tdm_sip_put_text(&w, to);
    tdm_sip_put(&w, "\r\nCall-ID: ");
    tdm_sip_put_text(&w, m->call_id);
    tdm_sip_put(&w, "\r\nCSeq: ");
    tdm_sip_put_number(&w, m->cseq);
    tdm_sip_put(&w, " ");
    tdm_sip_put(&w, method);
    tdm_sip_put(&w, "\r\n");
    tdm_sip_put(&w, headers);
    tdm_sip_put(&w, "Content-Length: 0\r\n\r\n");
    if (w.ok)
        (void)tdm_rdv_emit(out, &b->flow, r->made, tdm_writer_size(&w));
}

static void send_ack(struct tdm_rdv *r, const struct tdm_rdv_branch *b,
                     const struct tdm_sip_message *response, struct tdm_rdv_out *out)
{
    if (reread(r, b))
        send_beside(r, b, "ACK", response->to, "", out);
}

static void send_cancel(struct tdm_rdv *r, struct tdm_rdv_branch *b, struct tdm_rdv_out *out)
{
    static const char *const reasons[] = {
        [CANCEL_BY_CALLER] = "",
        [CANCEL_ANSWERED] = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n",
        [CANCEL_DECLINED] = "Reason: SIP;cause=603;text=\"Declined elsewhere\"\r\n",
        [CANCEL_TIMEOUT] = "Reason: SIP;cause=408;text=\"Nobody answered\"\r\n",
    };

    if (reread(r, b))
        send_beside(r, b, "CANCEL", r->again.to, reasons[b->cancel_reason], out);
}

static void conclude(struct tdm_rdv *r, uint32_t tx, struct tdm_rdv_out *out);

static void begin_cancel(struct tdm_rdv *r, uint32_t index, struct tdm_rdv_out *out)
{
    struct tdm_rdv_branch *b = &r->branches[index];

    b->cancelling = true;
    b->cancel_wanted = false;
    b->resend_at = TDM_NEVER;
    b->cancel_interval = TDM_RDV_T1;
    b->cancel_at = b->flow.transport == TDM_RDV_UDP ? r->now + TDM_RDV_T1 : TDM_NEVER;
    b->cancel_until = b->until = r->now + TDM_RDV_64_T1;
    send_cancel(r, b, out);
    set_timer(r, index);
}

static void cancel_branch(struct tdm_rdv *r, uint32_t index, enum cancel_reason reason,
                          struct tdm_rdv_out *out)
{
    struct tdm_rdv_branch *b = &r->branches[index];

    if (b->state == TDM_RDV_BRANCH_DONE || b->cancelling || r->txs[b->tx].method != TDM_SIP_INVITE)
        return;
    b->cancel_reason = (uint8_t)reason;
    if (b->unsent) {
        b->unsent = false;
        b->state = TDM_RDV_BRANCH_DONE;
        r->txs[b->tx].live--;
        set_timer(r, index);
    } else if (b->state == TDM_RDV_BRANCH_PROCEEDING) {
        begin_cancel(r, index, out);
    } else {
        b->cancel_wanted = true; /* Only once it said something (section 9.1). */
    }
}

static void cancel_others(struct tdm_rdv *r, uint32_t tx, uint32_t but, enum cancel_reason reason,
                          struct tdm_rdv_out *out)
{
    for (uint32_t i = r->txs[tx].branches; i != TDM_RDV_NONE; i = r->branches[i].next)
        if (i != but)
            cancel_branch(r, i, reason, out);
}

void tdm_rdv_cancel(struct tdm_rdv *r, const struct tdm_sip_message *m,
                    const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    uint32_t tx = tdm_rdv_find_tx(r, tdm_rdv_tx_key(r, m));

    if (tx == TDM_RDV_NONE || r->txs[tx].method != TDM_SIP_INVITE) {
        tdm_rdv_refuse(r, m, flow, 481, out);
        return;
    }
    tdm_rdv_refuse(r, m, flow, 200, out);
    if (r->txs[tx].state != TDM_RDV_TX_PROCEEDING)
        return;
    r->txs[tx].cancelled = true;
    cancel_others(r, tx, TDM_RDV_NONE, CANCEL_BY_CALLER, out);
    if (!r->txs[tx].live)
        conclude(r, tx, out);
}

/* --- Answers ---------------------------------------------------------------------------------- */

/* As it goes on to who asked: without our Via. */
static size_t write_response(struct tdm_rdv *r, const struct tdm_sip_message *m)
{
    struct tdm_writer w = tdm_writer_of(r->made, sizeof r->made);
    bool first = true;

    tdm_sip_put(&w, "SIP/2.0 ");
    tdm_sip_put_number(&w, m->status);
    tdm_sip_put(&w, " ");
    tdm_sip_put_text(&w, m->reason);
    tdm_sip_put(&w, "\r\n");
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct tdm_sip_header *h = &m->headers[i];
        struct tdm_text list = h->value, item;

        while (h->kind == TDM_SIP_H_VIA && tdm_sip_next_item(&list, &item)) {
            if (!first) {
                tdm_sip_put(&w, "Via: ");
                tdm_sip_put_text(&w, item);
                tdm_sip_put(&w, "\r\n");
            }
            first = false;
        }
        if (h->kind == TDM_SIP_H_VIA || h->kind == TDM_SIP_H_CONTENT_LENGTH)
            continue;
        tdm_sip_put_text(&w, tdm_sip_trim(h->line));
        tdm_sip_put(&w, "\r\n");
    }
    tdm_sip_put(&w, "Content-Length: ");
    tdm_sip_put_number(&w, tdm_text_size(m->body));
    tdm_sip_put(&w, "\r\n\r\n");
    tdm_sip_put_text(&w, m->body);
    return w.ok ? tdm_writer_size(&w) : 0;
}

/* The lower, the more it says to a person (section 16.7, step 6). */
static int rank(uint16_t status)
{
    if (status >= 600)
        return 0;
    if (status == 401 || status == 407)
        return 1;
    if (status == 486)
        return 2;
    if (status >= 300 && status < 400)
        return 3;
    if (status == 487)
        return 8;
    if (status == 408)
        return 7;
    if (status == 480 || status == 430)
        return 6;
    return status < 500 ? 4 : 5;
}

static void drop_branches(struct tdm_rdv *r, uint32_t index)
{
    struct tdm_rdv_tx *tx = &r->txs[index];

    while (tx->branches != TDM_RDV_NONE) {
        uint32_t branch = tx->branches;

        tx->branches = r->branches[branch].next;
        tdm_rdv_chain_drop(&r->blocks, &r->branches[branch].request);
        r->branches[branch].serial = 0;
        tdm_rdv_give_item(r, TDM_RDV_OF_BRANCH, branch);
    }
    tx->live = 0;
}

/* r->made[size] went to who asked, and is the end of it. */
static void complete(struct tdm_rdv *r, uint32_t index, size_t size)
{
    struct tdm_rdv_tx *tx = &r->txs[index];
    bool udp = tx->flow.transport == TDM_RDV_UDP;

    tx->state = TDM_RDV_TX_COMPLETED;
    if (udp || tx->method == TDM_SIP_INVITE)
        (void)tdm_rdv_chain_set(&r->blocks, &tx->answer, r->made, size);
    tdm_rdv_chain_drop(&r->blocks, &tx->best);
    if (tx->method == TDM_SIP_INVITE) {
        tx->interval = udp ? TDM_RDV_T1 : 0;
        tdm_rdv_retire_tx(r, index, TDM_RDV_64_T1);
        return;
    }
    drop_branches(r, index);
    tdm_rdv_retire_tx(r, index, udp ? TDM_RDV_64_T1 : 0);
}

void tdm_rdv_answer_forwarded(struct tdm_rdv *r, uint32_t tx, uint16_t code, const char *headers,
                              struct tdm_rdv_out *out)
{
    uint32_t branch = r->txs[tx].branches;

    if (branch == TDM_RDV_NONE || !reread(r, &r->branches[branch])) {
        tdm_rdv_close_tx(r, tx);
        return;
    }
    size_t size = tdm_rdv_write_answer(
        r, &r->again, &r->txs[tx].flow,
        &(struct tdm_rdv_answer){.code = code, .headers = headers, .skip_via = true});

    (void)tdm_rdv_emit(out, &r->txs[tx].flow, r->made, size);
    complete(r, tx, size);
}

/* Whether it means that the devices are not there, rather than that they do not want it. */
static bool is_lost(uint16_t status)
{
    return status == 404 || status == 408 || status == 410 || status == 430 || status == 480 ||
           status == 481 || status >= 500;
}

static void conclude(struct tdm_rdv *r, uint32_t index, struct tdm_rdv_out *out)
{
    struct tdm_rdv_tx *tx = &r->txs[index];
    uint16_t status = tx->cancelled && tx->best_status != 487 ? 487 : tx->best_status;

    if (tx->state != TDM_RDV_TX_PROCEEDING)
        return;
    if (tx->keep_if_lost && is_lost(status) && status < 600 && tdm_rdv_keep_later(r, index, out))
        return;
    size_t size = status == tx->best_status
                      ? tdm_rdv_chain_copy(&r->blocks, &tx->best, r->made, sizeof r->made)
                      : 0;

    if (!size || status == 503) { /* 503 is of that server, and no reason to leave this one. */
        tdm_rdv_answer_forwarded(r, index, status == 503 ? 500 : status ? status : 408, NULL, out);
        return;
    }
    (void)tdm_rdv_emit(out, &tx->flow, r->made, size);
    complete(r, index, size);
}

/* A branch is over without success; `m` NULL: nobody answered. */
static void branch_failed(struct tdm_rdv *r, uint32_t index, uint16_t status,
                          const struct tdm_sip_message *m, struct tdm_rdv_out *out)
{
    struct tdm_rdv_branch *b = &r->branches[index];
    uint32_t at = b->tx;
    struct tdm_rdv_tx *tx = &r->txs[at];

    b->state = TDM_RDV_BRANCH_DONE;
    b->resend_at = b->cancel_at = TDM_NEVER;
    tx->live--;
    set_timer(r, index);
    if (tx->kind == TDM_RDV_TX_NOTIFY) {
        tdm_rdv_notified(r, at, status);
        tdm_rdv_close_tx(r, at);
        return;
    }
    if (tx->kind == TDM_RDV_TX_KEPT) {
        tdm_rdv_handed_over(r, at, status, out);
        tdm_rdv_close_tx(r, at);
        return;
    }
    if (tx->state != TDM_RDV_TX_PROCEEDING)
        return;
    if (!tx->best_status || rank(status) < rank(tx->best_status)) {
        size_t size = m ? write_response(r, m) : 0;

        tdm_rdv_chain_drop(&r->blocks, &tx->best);
        tx->best_status = status;
        if (size)
            (void)tdm_rdv_chain_set(&r->blocks, &tx->best, r->made, size);
    }
    if (status >= 600)
        cancel_others(r, at, index, CANCEL_DECLINED, out);
    if (!tx->live)
        conclude(r, at, out);
}

static void branch_succeeded(struct tdm_rdv *r, uint32_t index, const struct tdm_sip_message *m,
                             struct tdm_rdv_out *out)
{
    struct tdm_rdv_branch *b = &r->branches[index];
    uint32_t at = b->tx;
    struct tdm_rdv_tx *tx = &r->txs[at];
    size_t size = write_response(r, m);
    bool first = b->state != TDM_RDV_BRANCH_DONE;

    if (first) {
        b->state = TDM_RDV_BRANCH_DONE;
        b->resend_at = b->cancel_at = TDM_NEVER;
        tx->live--;
        set_timer(r, index);
    }
    if (tx->kind == TDM_RDV_TX_NOTIFY || tx->kind == TDM_RDV_TX_KEPT) {
        if (tx->kind == TDM_RDV_TX_NOTIFY)
            tdm_rdv_notified(r, at, m->status);
        else
            tdm_rdv_handed_over(r, at, m->status, out);
        tdm_rdv_close_tx(r, at);
        return;
    }
    if (tx->method != TDM_SIP_INVITE) {
        if (tx->state != TDM_RDV_TX_PROCEEDING)
            return;
        r->stats.messages_delivered += tx->method == TDM_SIP_MESSAGE;
        (void)tdm_rdv_emit(out, &tx->flow, r->made, size);
        complete(r, at, size);
        return;
    }
    /* Each 2xx and each copy of it passes: its ACK goes from end to end. */
    (void)tdm_rdv_emit(out, &tx->flow, r->made, size);
    if (tx->state != TDM_RDV_TX_PROCEEDING)
        return;
    r->stats.calls_answered++;
    tx->state = TDM_RDV_TX_ACCEPTED;
    tdm_rdv_chain_drop(&r->blocks, &tx->answer);
    tdm_rdv_retire_tx(r, at, TDM_RDV_64_T1);
    cancel_others(r, at, index, CANCEL_ANSWERED, out);
}

static void branch_goes_on(struct tdm_rdv *r, uint32_t index, const struct tdm_sip_message *m,
                           struct tdm_rdv_out *out)
{
    struct tdm_rdv_branch *b = &r->branches[index];
    struct tdm_rdv_tx *tx = &r->txs[b->tx];

    if (b->state == TDM_RDV_BRANCH_DONE) {
        if (b->given_up) /* It rings, after all, and nobody waits any more. */
            send_cancel(r, b, out);
        return;
    }
    b->state = TDM_RDV_BRANCH_PROCEEDING;
    if (tx->method != TDM_SIP_INVITE) {
        b->interval = TDM_RDV_T2;
        return;
    }
    b->resend_at = TDM_NEVER;
    if (b->cancelling)
        return;
    b->until = r->now + r->config.ring_s * TDM_S;
    set_timer(r, index);
    if (m->status > 100 && tx->state == TDM_RDV_TX_PROCEEDING && !tx->cancelled) {
        size_t size = write_response(r, m);

        (void)tdm_rdv_emit(out, &tx->flow, r->made, size);
        (void)tdm_rdv_chain_set(&r->blocks, &tx->answer, r->made, size);
    }
    if (b->cancel_wanted)
        begin_cancel(r, index, out);
}

/* The branch that a Via of ours names. */
static uint32_t branch_of(const struct tdm_rdv *r, struct tdm_text id)
{
    char text[48];
    unsigned index, serial;

    if (!tdm_text_copy(id, text, sizeof text) ||
        sscanf(text, "z9hG4bKt%8x%8x", &index, &serial) != 2 || !serial ||
        index >= r->pools[TDM_RDV_OF_BRANCH].fresh || r->branches[index].serial != serial)
        return TDM_RDV_NONE;
    return index;
}

void tdm_rdv_response(struct tdm_rdv *r, const struct tdm_sip_message *m,
                      const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    uint32_t index = branch_of(r, m->via.branch);

    (void)flow;
    r->stats.responses++;
    if (index == TDM_RDV_NONE)
        return;
    struct tdm_rdv_branch *b = &r->branches[index];
    bool invite = r->txs[b->tx].method == TDM_SIP_INVITE;

    if (m->method == TDM_SIP_CANCEL) {
        if (m->status >= 200) {
            b->cancel_at = TDM_NEVER;
            set_timer(r, index);
        }
        return;
    }
    if (m->status < 200) {
        branch_goes_on(r, index, m, out);
    } else if (m->status < 300) {
        branch_succeeded(r, index, m, out);
    } else {
        if (invite)
            send_ack(r, b, m, out);
        if (b->state != TDM_RDV_BRANCH_DONE)
            branch_failed(r, index, m->status, m, out);
    }
}

/* --- Time ------------------------------------------------------------------------------------- */

static void resend(struct tdm_rdv *r, uint32_t index, struct tdm_rdv_out *out)
{
    struct tdm_rdv_branch *b = &r->branches[index];
    bool invite = r->txs[b->tx].method == TDM_SIP_INVITE;

    r->stats.retransmitted += !b->unsent;
    if (!tdm_rdv_emit_chain(r, out, &b->flow, &b->request))
        return;
    if (b->unsent) {
        b->unsent = false;
        return;
    }
    b->interval = invite ? b->interval * 2 : tdm_time_min(b->interval * 2, TDM_RDV_T2);
    b->resend_at = r->now + b->interval;
}

void tdm_rdv_branch_due(struct tdm_rdv *r, uint32_t index, struct tdm_rdv_out *out)
{
    struct tdm_rdv_branch *b = &r->branches[index];
    bool waits = b->state != TDM_RDV_BRANCH_DONE;

    if (b->cancel_at <= r->now) {
        b->cancel_interval = tdm_time_min(b->cancel_interval * 2, TDM_RDV_T2);
        b->cancel_at =
            r->now + b->cancel_interval < b->cancel_until ? r->now + b->cancel_interval : TDM_NEVER;
        send_cancel(r, b, out);
    }
    if (waits && !b->unsent && b->until <= r->now) {
        bool rang = r->txs[b->tx].method == TDM_SIP_INVITE &&
                    b->state == TDM_RDV_BRANCH_PROCEEDING && !b->cancelling;

        if (!rang) {
            b->given_up = r->txs[b->tx].method == TDM_SIP_INVITE;
            b->cancel_reason = CANCEL_TIMEOUT;
            branch_failed(r, index, 408, NULL, out);
            return;
        }
        cancel_branch(r, index, CANCEL_TIMEOUT, out);
        return;
    }
    if (waits && (b->unsent || b->resend_at <= r->now))
        resend(r, index, out);
    set_timer(r, index);
}

void tdm_rdv_tx_due(struct tdm_rdv *r, uint32_t index, struct tdm_rdv_out *out)
{
    struct tdm_rdv_tx *tx = &r->txs[index];

    if (tx->until <= r->now) {
        tdm_rdv_close_tx(r, index);
        return;
    }
    r->stats.retransmitted++;
    (void)tdm_rdv_emit_chain(r, out, &tx->flow, &tx->answer);
    tx->interval = tdm_time_min(tx->interval * 2, TDM_RDV_T2);
    tdm_rdv_wake_item(r, TDM_RDV_OF_TX, index,
                      tx->interval ? tdm_time_min(tx->until, r->now + tx->interval) : tx->until);
}

void tdm_rdv_copy_of_request(struct tdm_rdv *r, uint32_t index, const struct tdm_sip_message *m,
                             struct tdm_rdv_out *out)
{
    struct tdm_rdv_tx *tx = &r->txs[index];

    if (m->method == TDM_SIP_ACK) {
        if (tx->state == TDM_RDV_TX_ACCEPTED) {
            (void)tdm_rdv_follow_routes(r, m, &tx->flow, out);
        } else if (tx->state == TDM_RDV_TX_COMPLETED && tx->method == TDM_SIP_INVITE) {
            tx->state = TDM_RDV_TX_CONFIRMED;
            tx->interval = 0;
            tdm_rdv_retire_tx(r, index, TDM_RDV_T4);
        }
        return;
    }
    if (tx->answer.size && tx->state != TDM_RDV_TX_CONFIRMED)
        (void)tdm_rdv_emit_chain(r, out, &tx->flow, &tx->answer);
    else if (tx->method == TDM_SIP_INVITE && tx->state == TDM_RDV_TX_PROCEEDING)
        tdm_rdv_refuse(r, m, &tx->flow, 100, out);
}
