/* SPDX-License-Identifier: MIT */
#include "signalling/rendezvous_state.h"

#include <stdio.h>

bool tdm_rdv_emit(struct tdm_rdv_out *out, const struct tdm_rdv_flow *flow, const uint8_t *data,
                  size_t size)
{
    if (out->send_count == TDM_RDV_SENDS_MAX || size > TDM_RDV_OUT_BYTES - out->used)
        return false;
    memcpy(out->bytes + out->used, data, size);
    out->send[out->send_count++] =
        (struct tdm_rdv_send){.flow = *flow, .data = out->bytes + out->used, .size = size};
    out->used += size;
    return true;
}

bool tdm_rdv_emit_chain(struct tdm_rdv *r, struct tdm_rdv_out *out, const struct tdm_rdv_flow *flow,
                        const struct tdm_rdv_chain *chain)
{
    uint8_t *at = out->bytes + out->used;

    if (out->send_count == TDM_RDV_SENDS_MAX ||
        !tdm_rdv_chain_copy(&r->blocks, chain, at, TDM_RDV_OUT_BYTES - out->used))
        return false;
    out->send[out->send_count++] =
        (struct tdm_rdv_send){.flow = *flow, .data = at, .size = chain->size};
    out->used += chain->size;
    return true;
}

const char *tdm_rdv_phrase(uint16_t code)
{
    static const struct {
        uint16_t code;
        const char *phrase;
    } phrases[] = {
        {100, "Trying"},
        {200, "OK"},
        {202, "Accepted"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {412, "Conditional Request Failed"},
        {413, "Request Entity Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Unsupported URI Scheme"},
        {420, "Bad Extension"},
        {423, "Interval Too Brief"},
        {430, "Flow Failed"},
        {480, "Temporarily Unavailable"},
        {481, "Call/Transaction Does Not Exist"},
        {482, "Loop Detected"},
        {483, "Too Many Hops"},
        {487, "Request Terminated"},
        {489, "Bad Event"},
        {500, "Server Internal Error"},
        {503, "Service Unavailable"},
        {513, "Message Too Large"},
    };

    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].code == code)
            return phrases[i].phrase;
    return "Refused";
}

void tdm_rdv_tag(const struct tdm_rdv *r, const struct tdm_sip_message *m,
                 char tag[TDM_RDV_TAG_MAX])
{
    struct tdm_rdv_key key = tdm_rdv_key_begin(r->hash_key);

    tdm_rdv_key_add(&key, m->call_id);
    tdm_rdv_key_add(&key, m->from_tag);
    (void)snprintf(tag, TDM_RDV_TAG_MAX, "s%016llx", (unsigned long long)key.b);
}

void tdm_rdv_put_via(struct tdm_writer *w, const struct tdm_sip_message *m,
                     const struct tdm_rdv_flow *flow)
{
    struct tdm_text rest = m->via.all;
    char host[TDM_ADDRESS_TEXT_MAX];
    const char *at = rest.at;

    /* Any received or rport of theirs goes: ours say where it came from. */
    tdm_sip_put(w, "Via: ");
    while (at < rest.end && *at != ';')
        at++;
    tdm_sip_put_text(w, tdm_sip_trim((struct tdm_text){rest.at, at}));
    for (rest.at = at; rest.at < rest.end;) {
        struct tdm_text one = {rest.at, rest.at + 1}, value;
        bool quoted = false;

        for (; one.end < rest.end && (quoted || *one.end != ';'); one.end++)
            quoted ^= *one.end == '"';
        rest.at = one.end;
        if (!tdm_sip_param(one, "received", &value) && !tdm_sip_param(one, "rport", &value))
            tdm_sip_put_text(w, tdm_sip_trim(one));
    }
    tdm_address_host_text(&flow->remote, host);
    tdm_sip_put(w, ";received=");
    tdm_sip_put(w, host);
    if (m->via.rport) {
        tdm_sip_put(w, ";rport=");
        tdm_sip_put_number(w, flow->remote.port);
    }
    tdm_sip_put(w, "\r\n");
}

/* All Vias; the first as the asker must see it again. */
static void put_vias(struct tdm_writer *w, const struct tdm_sip_message *m,
                     const struct tdm_rdv_flow *flow, bool skip)
{
    bool first = true;

    for (uint32_t i = 0; i < m->header_count; i++) {
        struct tdm_text list = m->headers[i].value, item;

        if (m->headers[i].kind != TDM_SIP_H_VIA)
            continue;
        while (tdm_sip_next_item(&list, &item)) {
            if (first && !skip) {
                tdm_rdv_put_via(w, m, flow);
            } else if (!first) {
                tdm_sip_put(w, "Via: ");
                tdm_sip_put_text(w, item);
                tdm_sip_put(w, "\r\n");
            }
            first = false;
        }
    }
}

static void put_to(const struct tdm_rdv *r, struct tdm_writer *w, const struct tdm_sip_message *m,
                   uint16_t code)
{
    char tag[TDM_RDV_TAG_MAX];

    tdm_sip_put(w, "\r\nTo: ");
    tdm_sip_put_text(w, m->to);
    if (m->to_tag.at == m->to_tag.end && code > 100) {
        tdm_rdv_tag(r, m, tag);
        tdm_sip_put(w, ";tag=");
        tdm_sip_put(w, tag);
    }
}

size_t tdm_rdv_write_answer(struct tdm_rdv *r, const struct tdm_sip_message *m,
                            const struct tdm_rdv_flow *flow, const struct tdm_rdv_answer *answer)
{
    struct tdm_writer w = tdm_writer_of(r->made, sizeof r->made);

    tdm_sip_put(&w, "SIP/2.0 ");
    tdm_sip_put_number(&w, answer->code);
    tdm_sip_put(&w, " ");
    tdm_sip_put(&w, answer->reason ? answer->reason : tdm_rdv_phrase(answer->code));
    tdm_sip_put(&w, "\r\n");
    put_vias(&w, m, flow, answer->skip_via);
    tdm_sip_put(&w, "From: ");
    tdm_sip_put_text(&w, m->from);
    put_to(r, &w, m, answer->code);
    tdm_sip_put(&w, "\r\nCall-ID: ");
    tdm_sip_put_text(&w, m->call_id);
    tdm_sip_put(&w, "\r\nCSeq: ");
    tdm_sip_put_text(&w, tdm_sip_value(m, TDM_SIP_H_CSEQ));
    tdm_sip_put(&w, "\r\n");
    if (answer->headers)
        tdm_sip_put(&w, answer->headers);
    tdm_sip_put(&w, "Server: tandem\r\n");
    if (answer->body_size) {
        tdm_sip_put(&w, "Content-Type: ");
        tdm_sip_put(&w, answer->type);
        tdm_sip_put(&w, "\r\n");
    }
    tdm_sip_put(&w, "Content-Length: ");
    tdm_sip_put_number(&w, answer->body_size);
    tdm_sip_put(&w, "\r\n\r\n");
    if (answer->body_size)
        tdm_write_bytes(&w, answer->body, answer->body_size);
    return w.ok ? tdm_writer_size(&w) : 0;
}

void tdm_rdv_answer_once(struct tdm_rdv *r, const struct tdm_sip_message *m,
                         const struct tdm_rdv_flow *flow, const struct tdm_rdv_answer *answer,
                         struct tdm_rdv_out *out)
{
    size_t size = tdm_rdv_write_answer(r, m, flow, answer);

    if (size)
        (void)tdm_rdv_emit(out, flow, r->made, size);
}

void tdm_rdv_answer(struct tdm_rdv *r, const struct tdm_sip_message *m,
                    const struct tdm_rdv_flow *flow, const struct tdm_rdv_answer *answer,
                    struct tdm_rdv_out *out)
{
    size_t size = tdm_rdv_write_answer(r, m, flow, answer);
    /* Over a connection there are no copies. */
    uint32_t tx = flow->link ? TDM_RDV_NONE : tdm_rdv_open_tx(r, TDM_RDV_TX_LOCAL, m, flow);

    if (!size)
        return;
    if (tx != TDM_RDV_NONE) {
        (void)tdm_rdv_chain_set(&r->blocks, &r->txs[tx].answer, r->made, size);
        r->txs[tx].state = TDM_RDV_TX_COMPLETED;
        tdm_rdv_retire_tx(r, tx, TDM_RDV_64_T1);
    }
    (void)tdm_rdv_emit(out, flow, r->made, size);
}

void tdm_rdv_refuse(struct tdm_rdv *r, const struct tdm_sip_message *m,
                    const struct tdm_rdv_flow *flow, uint16_t code, struct tdm_rdv_out *out)
{
    tdm_rdv_answer_once(r, m, flow, &(struct tdm_rdv_answer){.code = code}, out);
}
