/* SPDX-License-Identifier: MIT */
/*
 * Who can be reached where (RFC 3261 section 10.3). A device is told apart by its +sip.instance
 * (RFC 5626), else by its Contact; what it says replaces what it said. All devices of a person are
 * one record, "b/USER". Requests to a device go back the way its registration came.
 */
#include "signalling/rendezvous_state.h"

#include <stdio.h>

#define EXPIRES_DEFAULT 3600

static uint64_t link_hash(uint32_t link)
{
    return link * 0x9e3779b97f4a7c15u >> 20;
}

static bool flow_is_dead(const struct tdm_rdv_binding *b)
{
    return b->gone || b->flow.remote.family == TDM_ADDRESS_NONE;
}

bool tdm_rdv_is_reachable(const struct tdm_rdv *r, uint32_t account)
{
    for (uint32_t i = r->accounts[account].bindings; i != TDM_RDV_NONE; i = r->bindings[i].next)
        if (!flow_is_dead(&r->bindings[i]))
            return true;
    return false;
}

static void free_binding(struct tdm_rdv *r, uint32_t index)
{
    if (r->bindings[index].flow.link)
        tdm_rdv_hash_remove(&r->by_link, link_hash(r->bindings[index].flow.link), index);
    tdm_rdv_give_item(r, TDM_RDV_OF_BINDING, index);
}

void tdm_rdv_unbind(struct tdm_rdv *r, uint32_t binding)
{
    uint32_t account = r->bindings[binding].account;
    uint32_t *link = &r->accounts[account].bindings;

    while (*link != TDM_RDV_NONE && *link != binding)
        link = &r->bindings[*link].next;
    if (*link == TDM_RDV_NONE)
        return;
    *link = r->bindings[binding].next;
    r->accounts[account].binding_count--;
    free_binding(r, binding);
    tdm_rdv_tell_watchers(r, account);
}

/* The account's devices are these from now on. */
static void replace(struct tdm_rdv *r, uint32_t account, const struct tdm_rdv_binding *bindings,
                    uint32_t count)
{
    struct tdm_rdv_account *a = &r->accounts[account];
    bool before = tdm_rdv_is_reachable(r, account);

    while (a->bindings != TDM_RDV_NONE) {
        uint32_t index = a->bindings;

        a->bindings = r->bindings[index].next;
        free_binding(r, index);
    }
    a->binding_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = tdm_rdv_take_item(r, TDM_RDV_OF_BINDING);

        if (index == TDM_RDV_NONE) /* Loading a store that is larger than this server. */
            break;
        r->bindings[index] = bindings[i];
        r->bindings[index].account = account;
        r->bindings[index].next = a->bindings;
        a->bindings = index;
        a->binding_count++;
        if (bindings[i].flow.link)
            tdm_rdv_hash_add(&r->by_link, link_hash(bindings[i].flow.link), index);
        tdm_rdv_wake_item(r, TDM_RDV_OF_BINDING, index, bindings[i].expires);
    }
    if (tdm_rdv_is_reachable(r, account) != before ||
        r->accounts[account].publications == TDM_RDV_NONE)
        tdm_rdv_tell_watchers(r, account);
    if (tdm_rdv_is_reachable(r, account))
        tdm_rdv_deliver_in(r, account, 0);
}

void tdm_rdv_link_down(struct tdm_rdv *r, uint32_t link)
{
    uint32_t index = tdm_rdv_hash_first(&r->by_link, link_hash(link));

    while (index != TDM_RDV_NONE) {
        struct tdm_rdv_binding *b = &r->bindings[index];
        uint32_t next = tdm_rdv_hash_next(&r->by_link, index);

        if (b->flow.link == link) {
            tdm_rdv_hash_remove(&r->by_link, link_hash(link), index);
            b->flow.link = 0;
            b->gone = true;
            tdm_rdv_tell_watchers(r, b->account);
        }
        index = next;
    }
}

void tdm_rdv_unbind_all(struct tdm_rdv *r, uint32_t account)
{
    replace(r, account, NULL, 0);
}

/* --- The record ------------------------------------------------------------------------------- */

static size_t write_bindings(const struct tdm_rdv *r, const struct tdm_rdv_binding *list,
                             uint32_t count, uint8_t *data, size_t room)
{
    struct tdm_writer w = tdm_writer_of(data, room);

    tdm_write_u8(&w, 1);
    tdm_write_u8(&w, (uint8_t)count);
    for (uint32_t i = 0; i < count; i++) {
        tdm_rdv_put_string(&w, list[i].contact);
        tdm_rdv_put_string(&w, list[i].instance);
        tdm_rdv_put_string(&w, list[i].call_id);
        tdm_write_u32(&w, list[i].cseq);
        tdm_write_u16(&w, list[i].q);
        tdm_write_u64(&w, (uint64_t)(tdm_rdv_wall(r) + (list[i].expires - r->now) / TDM_S));
        tdm_rdv_put_flow(&w, &list[i].flow);
    }
    return w.ok ? tdm_writer_size(&w) : 0;
}

void tdm_rdv_load_bindings(struct tdm_rdv *r, uint32_t account, const uint8_t *data, size_t size)
{
    struct tdm_reader in = tdm_reader_of(data, size);
    struct tdm_rdv_binding *list = r->pending.bindings;
    uint32_t count = 0;
    bool known = tdm_read_u8(&in) == 1;

    for (uint32_t left = tdm_read_u8(&in); known && left && count < TDM_RDV_BINDINGS_MAX; left--) {
        struct tdm_rdv_binding *b = &list[count];

        *b = (struct tdm_rdv_binding){.account = account};
        (void)tdm_rdv_get_string(&in, b->contact, sizeof b->contact);
        (void)tdm_rdv_get_string(&in, b->instance, sizeof b->instance);
        (void)tdm_rdv_get_string(&in, b->call_id, sizeof b->call_id);
        b->cseq = tdm_read_u32(&in);
        b->q = tdm_read_u16(&in);
        int64_t left_s = (int64_t)tdm_read_u64(&in) - tdm_rdv_wall(r);

        tdm_rdv_get_flow(&in, &b->flow);
        if (left_s <= 0 || left_s > r->config.expires_max_s)
            continue;
        b->expires = r->now + left_s * TDM_S;
        /* Its connection ended with the process that had it. */
        b->gone = b->flow.transport != TDM_RDV_UDP;
        count += in.ok;
    }
    if (!in.ok || !known)
        return;
    replace(r, account, list, count);
    for (uint32_t i = 0; i < count; i++)
        tdm_rdv_remember_host(r, account, &list[i].flow);
}

/* --- REGISTER --------------------------------------------------------------------------------- */

static uint32_t copy_bindings(const struct tdm_rdv *r, uint32_t account,
                              struct tdm_rdv_binding *list)
{
    uint32_t count = 0;

    for (uint32_t i = r->accounts[account].bindings;
         i != TDM_RDV_NONE && count < TDM_RDV_BINDINGS_MAX; i = r->bindings[i].next)
        if (r->bindings[i].expires > r->now)
            list[count++] = r->bindings[i];
    return count;
}

struct asked {
    struct tdm_text uri, instance;
    uint32_t expires_s;
    uint16_t q;
};

static bool read_seconds(struct tdm_text text, uint32_t *seconds)
{
    uint64_t number;

    if (!tdm_text_number(&text, UINT32_MAX, &number) || text.at != text.end)
        return false;
    *seconds = (uint32_t)number;
    return true;
}

static uint16_t read_q(struct tdm_text text)
{
    uint64_t whole = 0;
    uint16_t q = 0, unit = 100;

    if (!tdm_text_number(&text, 1, &whole) || whole)
        return 1000;
    for (text.at += text.at < text.end; text.at < text.end && unit; text.at++, unit /= 10)
        if (*text.at >= '0' && *text.at <= '9')
            q = (uint16_t)(q + unit * (uint16_t)(*text.at - '0'));
    return q;
}

/* 0, or a code to refuse with. */
static uint16_t read_contact(const struct tdm_rdv *r, const struct tdm_sip_message *m,
                             struct tdm_text item, struct asked *asked)
{
    struct tdm_text params, value;
    struct tdm_sip_address address;
    struct tdm_text header = tdm_sip_value(m, TDM_SIP_H_EXPIRES);

    *asked = (struct asked){.expires_s = EXPIRES_DEFAULT, .q = 1000};
    if (header.at < header.end && !read_seconds(header, &asked->expires_s))
        asked->expires_s = EXPIRES_DEFAULT;
    if (!tdm_sip_read_name_address(item, &asked->uri, &params) ||
        !tdm_sip_read_uri(asked->uri, &address) || address.tel ||
        tdm_text_size(asked->uri) >= TDM_RDV_CONTACT_MAX)
        return 400;
    if (tdm_sip_param(params, "expires", &value) && !read_seconds(value, &asked->expires_s))
        return 400;
    if (tdm_sip_param(params, "q", &value))
        asked->q = read_q(value);
    asked->instance = (struct tdm_text){params.end, params.end};
    (void)tdm_sip_param(params, "+sip.instance", &asked->instance);
    if (tdm_text_size(asked->instance) >= TDM_RDV_INSTANCE_MAX)
        return 400;
    if (asked->expires_s && asked->expires_s < r->config.expires_min_s)
        return 423;
    if (asked->expires_s > r->config.expires_max_s)
        asked->expires_s = r->config.expires_max_s;
    return 0;
}

static bool is_text(struct tdm_text a, const char *b)
{
    return tdm_text_size(a) == strlen(b) && memcmp(a.at, b, strlen(b)) == 0;
}

static bool is_of(const struct tdm_rdv_binding *b, const struct asked *asked)
{
    struct tdm_sip_address mine, theirs;

    if (asked->instance.at < asked->instance.end && b->instance[0])
        return is_text(asked->instance, b->instance);
    return tdm_sip_read_uri(tdm_text_of_string(b->contact), &mine) &&
           tdm_sip_read_uri(asked->uri, &theirs) && tdm_sip_same_place(&mine, &theirs);
}

/* 0, or a code to refuse with. */
static uint16_t put_contact(struct tdm_rdv *r, const struct tdm_sip_message *m,
                            const struct tdm_rdv_flow *flow, const struct asked *asked)
{
    struct tdm_rdv_pending *p = &r->pending;
    uint32_t at = 0;

    while (at < p->binding_count && !is_of(&p->bindings[at], asked))
        at++;
    if (at < p->binding_count && is_text(m->call_id, p->bindings[at].call_id) &&
        m->cseq <= p->bindings[at].cseq)
        return 500; /* Out of order (RFC 3261 section 10.3, step 7). */
    if (!asked->expires_s) {
        if (at < p->binding_count)
            p->bindings[at] = p->bindings[--p->binding_count];
        return 0;
    }
    if (at == p->binding_count && p->binding_count >= r->config.user_bindings)
        return 403;
    if (at == p->binding_count)
        p->binding_count++;
    struct tdm_rdv_binding *b = &p->bindings[at];

    *b = (struct tdm_rdv_binding){.cseq = m->cseq,
                                  .q = asked->q,
                                  .expires = r->now + asked->expires_s * TDM_S,
                                  .flow = *flow};
    return tdm_text_copy(asked->uri, b->contact, sizeof b->contact) &&
                   tdm_text_copy(asked->instance, b->instance, sizeof b->instance) &&
                   tdm_text_copy(m->call_id, b->call_id, sizeof b->call_id)
               ? 0
               : 400;
}

static uint16_t put_contacts(struct tdm_rdv *r, const struct tdm_sip_message *m,
                             const struct tdm_rdv_flow *flow, bool *changed)
{
    uint32_t seconds;

    for (uint32_t i = 0; i < m->header_count; i++) {
        struct tdm_text list = m->headers[i].value, item;

        while (m->headers[i].kind == TDM_SIP_H_CONTACT && tdm_sip_next_item(&list, &item)) {
            struct asked asked;

            *changed = true;
            if (tdm_text_equals(item, "*")) {
                if (!read_seconds(tdm_sip_value(m, TDM_SIP_H_EXPIRES), &seconds) || seconds)
                    return 400;
                r->pending.binding_count = 0;
                continue;
            }
            uint16_t code = read_contact(r, m, item, &asked);

            if (!code)
                code = put_contact(r, m, flow, &asked);
            if (code)
                return code;
        }
    }
    return 0;
}

static void answer(struct tdm_rdv *r, const struct tdm_sip_message *m,
                   const struct tdm_rdv_flow *flow, uint32_t account, struct tdm_rdv_out *out)
{
    char headers[TDM_RDV_BINDINGS_MAX * 420];
    size_t used = 0;

    headers[0] = '\0';
    for (uint32_t i = r->accounts[account].bindings; i != TDM_RDV_NONE; i = r->bindings[i].next) {
        const struct tdm_rdv_binding *b = &r->bindings[i];
        int more = snprintf(
            headers + used, sizeof headers - used, "Contact: <%s>;expires=%lld%s%s%s\r\n",
            b->contact, (long long)((b->expires - r->now) / TDM_S),
            b->instance[0] ? ";+sip.instance=\"" : "", b->instance, b->instance[0] ? "\"" : "");

        if (more < 0 || (size_t)more >= sizeof headers - used)
            break;
        used += (size_t)more;
    }
    headers[used] = '\0';
    tdm_rdv_answer(r, m, flow, &(struct tdm_rdv_answer){.code = 200, .headers = headers}, out);
}

static uint16_t check_room(const struct tdm_rdv *r, uint32_t account)
{
    const struct tdm_rdv_pool *pool = &r->pools[TDM_RDV_OF_BINDING];
    uint32_t more = r->pending.binding_count > r->accounts[account].binding_count
                        ? r->pending.binding_count - r->accounts[account].binding_count
                        : 0;

    return more > pool->count - pool->used ? 503 : 0;
}

void tdm_rdv_register(struct tdm_rdv *r, const struct tdm_sip_message *m,
                      const struct tdm_rdv_flow *flow, uint32_t account, struct tdm_rdv_out *out)
{
    struct tdm_rdv_pending *p = &r->pending;
    bool changed = false;
    char line[32];

    r->stats.registers++;
    p->account = account;
    p->binding_count = copy_bindings(r, account, p->bindings);
    uint16_t code = put_contacts(r, m, flow, &changed);

    if (!code)
        code = check_room(r, account);
    if (code) {
        r->stats.full += code == 503;
        (void)snprintf(line, sizeof line, "Min-Expires: %u\r\n", r->config.expires_min_s);
        tdm_rdv_answer(r, m, flow,
                       &(struct tdm_rdv_answer){
                           .code = code,
                           .reason = code == 403 ? "Too many devices are registered" : NULL,
                           .headers = code == 423 ? line : NULL},
                       out);
        return;
    }
    if (!changed) {
        answer(r, m, flow, account, out);
        return;
    }
    tdm_time last = r->now;

    for (uint32_t i = 0; i < p->binding_count; i++)
        last = tdm_time_max(last, p->bindings[i].expires);
    p->kind = TDM_RDV_PENDING_REGISTER;
    out->store.kind = p->binding_count ? TDM_RDV_STORE_RECORD : TDM_RDV_STORE_REMOVE;
    (void)snprintf(out->store.key, sizeof out->store.key, "b/%s", r->accounts[account].user);
    out->store.data = out->record;
    out->store.size =
        write_bindings(r, p->bindings, p->binding_count, out->record, sizeof out->record);
    out->store.expires_s = tdm_rdv_wall(r) + (last - r->now) / TDM_S + 1;
}

void tdm_rdv_registered(struct tdm_rdv *r, const struct tdm_sip_message *m,
                        const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    replace(r, r->pending.account, r->pending.bindings, r->pending.binding_count);
    answer(r, m, flow, r->pending.account, out);
}
