/* SPDX-License-Identifier: MIT */
/*
 * Who watches whom (RFC 6665, RFC 3856, RFC 3857): one subscription is one dialog, and one NOTIFY
 * of it is under way at a time, so that what changes meanwhile is told once. Who waits for a
 * decision and who is blocked politely see somebody who is there and offline.
 */
#include "signalling/rendezvous_state.h"

#include <stdio.h>

#define EXPIRES_DEFAULT 3600

static struct tdm_rdv_key key_of(const struct tdm_rdv *r, struct tdm_text call_id,
                                 struct tdm_text remote_tag)
{
    struct tdm_rdv_key key = tdm_rdv_key_begin(r->hash_key);

    tdm_rdv_key_add(&key, call_id);
    tdm_rdv_key_add(&key, remote_tag);
    return key;
}

static uint32_t find(const struct tdm_rdv *r, struct tdm_rdv_key key)
{
    uint32_t i = tdm_rdv_hash_first(&r->by_dialog, key.a);

    while (i != TDM_RDV_NONE && !tdm_rdv_key_equal(r->subscriptions[i].key, key))
        i = tdm_rdv_hash_next(&r->by_dialog, i);
    return i;
}

static void enqueue(struct tdm_rdv *r, uint32_t index)
{
    struct tdm_rdv_subscription *s = &r->subscriptions[index];

    s->dirty = true;
    if (s->queued || s->under_way)
        return;
    s->queued = true;
    s->dirty_next = TDM_RDV_NONE;
    if (r->dirty_last == TDM_RDV_NONE)
        r->dirty_first = index;
    else
        r->subscriptions[r->dirty_last].dirty_next = index;
    r->dirty_last = index;
}

static void tell(struct tdm_rdv *r, uint32_t account, enum tdm_rdv_package package)
{
    for (uint32_t i = r->accounts[account].subscriptions; i != TDM_RDV_NONE;
         i = r->subscriptions[i].next)
        if (r->subscriptions[i].package == package)
            enqueue(r, i);
}

void tdm_rdv_tell_watchers(struct tdm_rdv *r, uint32_t account)
{
    if (r->composed_for == account)
        r->composed_for = TDM_RDV_NONE;
    tell(r, account, TDM_RDV_PRESENCE);
}

void tdm_rdv_tell_of_watchers(struct tdm_rdv *r, uint32_t account)
{
    tell(r, account, TDM_RDV_WINFO);
}

/* Not one that stands in the queue or has a NOTIFY under way. */
static void release(struct tdm_rdv *r, uint32_t index)
{
    struct tdm_rdv_subscription *s = &r->subscriptions[index];
    uint32_t *link = &r->accounts[s->account].subscriptions;

    while (*link != TDM_RDV_NONE && *link != index)
        link = &r->subscriptions[*link].next;
    if (*link != TDM_RDV_NONE)
        *link = s->next;
    tdm_rdv_hash_remove(&r->by_dialog, s->key.a, index);
    r->accounts[s->watcher].watching_count--;
    enum tdm_rdv_package package = s->package;
    uint32_t account = s->account;

    s->watcher = TDM_RDV_NONE;
    tdm_rdv_give_item(r, TDM_RDV_OF_SUBSCRIPTION, index);
    if (package == TDM_RDV_PRESENCE)
        tdm_rdv_tell_of_watchers(r, account);
}

static uint32_t add(struct tdm_rdv *r, const struct tdm_rdv_subscription *s)
{
    uint32_t index = tdm_rdv_take_item(r, TDM_RDV_OF_SUBSCRIPTION);

    if (index == TDM_RDV_NONE)
        return index;
    r->subscriptions[index] = *s;
    r->subscriptions[index].next = r->accounts[s->account].subscriptions;
    r->accounts[s->account].subscriptions = index;
    r->accounts[s->watcher].watching_count++;
    tdm_rdv_hash_add(&r->by_dialog, s->key.a, index);
    return index;
}

/* --- The record ------------------------------------------------------------------------------- */

static size_t write_record(const struct tdm_rdv *r, const struct tdm_rdv_subscription *s,
                           uint8_t *data, size_t room)
{
    struct tdm_writer w = tdm_writer_of(data, room);

    tdm_write_u8(&w, 1);
    tdm_rdv_put_string(&w, r->accounts[s->account].user);
    tdm_rdv_put_string(&w, r->accounts[s->watcher].user);
    tdm_write_u8(&w, (uint8_t)s->package);
    tdm_rdv_put_string(&w, s->call_id);
    tdm_rdv_put_string(&w, s->local_tag);
    tdm_rdv_put_string(&w, s->remote_tag);
    tdm_rdv_put_string(&w, s->target);
    tdm_rdv_put_string(&w, s->event_id);
    tdm_write_u32(&w, s->remote_cseq);
    tdm_rdv_put_flow(&w, &s->flow);
    return w.ok ? tdm_writer_size(&w) : 0;
}

void tdm_rdv_load_subscription(struct tdm_rdv *r, const struct tdm_rdv_in *in)
{
    struct tdm_reader data = tdm_reader_of(in->data, in->size);
    struct tdm_rdv_subscription *s = &r->pending.subscribed;
    char user[TDM_RDV_USER_MAX], watcher[TDM_RDV_USER_MAX];
    int64_t left_s = in->expires_s - tdm_rdv_wall(r);
    bool known = tdm_read_u8(&data) == 1;

    *s = (struct tdm_rdv_subscription){.version = 0};
    (void)tdm_rdv_get_string(&data, user, sizeof user);
    (void)tdm_rdv_get_string(&data, watcher, sizeof watcher);
    uint8_t package = tdm_read_u8(&data);

    (void)tdm_rdv_get_string(&data, s->call_id, sizeof s->call_id);
    (void)tdm_rdv_get_string(&data, s->local_tag, sizeof s->local_tag);
    (void)tdm_rdv_get_string(&data, s->remote_tag, sizeof s->remote_tag);
    (void)tdm_rdv_get_string(&data, s->target, sizeof s->target);
    (void)tdm_rdv_get_string(&data, s->event_id, sizeof s->event_id);
    s->remote_cseq = tdm_read_u32(&data);
    tdm_rdv_get_flow(&data, &s->flow);
    if (!data.ok || !known || left_s <= 0 || left_s > r->config.expires_max_s ||
        package > TDM_RDV_WINFO)
        return;
    s->package = (enum tdm_rdv_package)package;
    s->account = tdm_rdv_account_of(r, tdm_text_of_string(user));
    s->watcher = tdm_rdv_account_of(r, tdm_text_of_string(watcher));
    if (s->account == TDM_RDV_NONE || s->watcher == TDM_RDV_NONE)
        return;
    s->key = key_of(r, tdm_text_of_string(s->call_id), tdm_text_of_string(s->remote_tag));
    s->cseq = (uint32_t)tdm_rdv_wall(r) & 0x7fffffff; /* Above what was said before the restart. */
    s->expires = r->now + left_s * TDM_S;
    uint32_t index = add(r, s);

    if (index == TDM_RDV_NONE)
        return;
    tdm_rdv_wake_item(r, TDM_RDV_OF_SUBSCRIPTION, index, s->expires);
    if (s->flow.transport == TDM_RDV_UDP)
        enqueue(r, index);
}

/* --- SUBSCRIBE -------------------------------------------------------------------------------- */

static bool read_contact(const struct tdm_sip_message *m, char *target, size_t capacity)
{
    struct tdm_text list = tdm_sip_value(m, TDM_SIP_H_CONTACT), item, uri;
    struct tdm_sip_address a;

    return tdm_sip_next_item(&list, &item) && tdm_sip_read_name_address(item, &uri, NULL) &&
           tdm_sip_read_uri(uri, &a) && tdm_text_copy(uri, target, capacity);
}

/* 0, or a code to refuse with; r->pending.subscribed is what it will be. */
static uint16_t read_subscribe(struct tdm_rdv *r, const struct tdm_sip_message *m,
                               const struct tdm_rdv_flow *flow, uint32_t watcher)
{
    struct tdm_rdv_subscription *s = &r->pending.subscribed;
    struct tdm_text event = tdm_sip_value(m, TDM_SIP_H_EVENT), id;
    struct tdm_text expires = tdm_sip_value(m, TDM_SIP_H_EXPIRES);
    struct tdm_rdv_key key = key_of(r, m->call_id, m->from_tag);
    uint32_t old = find(r, key);
    uint64_t seconds = EXPIRES_DEFAULT;
    struct tdm_sip_address uri;

    if (old != TDM_RDV_NONE)
        *s = r->subscriptions[old];
    else
        *s = (struct tdm_rdv_subscription){.key = key, .watcher = watcher};
    if (m->to_tag.at < m->to_tag.end && (old == TDM_RDV_NONE || s->watcher != watcher))
        return 481;
    if (old != TDM_RDV_NONE && !r->accounts[s->account].exists)
        return 404;
    if (old == TDM_RDV_NONE) {
        s->account =
            tdm_sip_read_uri(m->uri, &uri) ? tdm_rdv_account_of(r, uri.user) : TDM_RDV_NONE;
        if (s->account == TDM_RDV_NONE)
            return 404;
        bool winfo = tdm_text_equals(tdm_sip_trim(tdm_text_until(&event, ';')), "presence.winfo");

        s->package = winfo ? TDM_RDV_WINFO : TDM_RDV_PRESENCE;
        s->cseq = (uint32_t)tdm_rdv_wall(r) & 0x7fffffff;
        tdm_rdv_tag(r, m, s->local_tag);
        if (winfo && s->account != watcher)
            return 403;
        if (tdm_rdv_policy_for(r, s->account, r->accounts[watcher].user) == TDM_RDV_BLOCK)
            return 403;
    }
    event = tdm_sip_value(m, TDM_SIP_H_EVENT);
    if (tdm_sip_param(event, "id", &id) && !tdm_text_copy(id, s->event_id, sizeof s->event_id))
        return 400;
    if (old != TDM_RDV_NONE && m->cseq <= s->remote_cseq)
        return 500;
    if (expires.at < expires.end && !tdm_text_number(&expires, UINT32_MAX, &seconds))
        return 400;
    if (seconds && seconds < r->config.expires_min_s)
        return 423;
    if (seconds > r->config.expires_max_s)
        seconds = r->config.expires_max_s;
    s->remote_cseq = m->cseq;
    s->flow = *flow;
    s->expires = r->now + (tdm_time)seconds * TDM_S;
    r->pending.expires_s = (int64_t)seconds;
    r->pending.subscription = old;
    return read_contact(m, s->target, sizeof s->target) &&
                   tdm_text_copy(m->call_id, s->call_id, sizeof s->call_id) &&
                   tdm_text_copy(m->from_tag, s->remote_tag, sizeof s->remote_tag)
               ? 0
               : 400;
}

static uint16_t check_room(const struct tdm_rdv *r, uint32_t watcher)
{
    if (r->pending.subscription != TDM_RDV_NONE)
        return 0;
    if (r->accounts[watcher].watching_count >= r->config.user_subscriptions)
        return 403;
    return r->pools[TDM_RDV_OF_SUBSCRIPTION].used < r->pools[TDM_RDV_OF_SUBSCRIPTION].count ? 0
                                                                                            : 503;
}

void tdm_rdv_subscribe(struct tdm_rdv *r, const struct tdm_sip_message *m,
                       const struct tdm_rdv_flow *flow, uint32_t watcher, struct tdm_rdv_out *out)
{
    uint16_t code = read_subscribe(r, m, flow, watcher);
    struct tdm_rdv_pending *p = &r->pending;
    char line[48];

    r->stats.subscribes++;
    if (!code)
        code = check_room(r, watcher);
    if (code) {
        r->stats.full += code == 503;
        (void)snprintf(line, sizeof line, "Min-Expires: %u\r\n", r->config.expires_min_s);
        tdm_rdv_answer(r, m, flow,
                       &(struct tdm_rdv_answer){.code = code, .headers = code == 423 ? line : NULL},
                       out);
        return;
    }
    p->kind = TDM_RDV_PENDING_SUBSCRIBE;
    out->store.kind = p->expires_s ? TDM_RDV_STORE_RECORD : TDM_RDV_STORE_REMOVE;
    char *key = out->store.key;
    struct tdm_writer w = tdm_writer_of((uint8_t *)key, sizeof out->store.key - 1);
    uint8_t digest[TDM_SHA1_BYTES];
    char named[TDM_RDV_CALL_ID_MAX + TDM_RDV_TAG_MAX + 2];
    int size =
        snprintf(named, sizeof named, "%s %s", p->subscribed.call_id, p->subscribed.remote_tag);

    tdm_sha1(named, (size_t)size, digest); /* Not the keyed hash: it is another after a restart. */
    tdm_sip_put(&w, "s/");
    tdm_sip_put_hex(&w, digest, sizeof digest);
    key[tdm_writer_size(&w)] = '\0';
    out->store.data = out->record;
    out->store.size = write_record(r, &p->subscribed, out->record, sizeof out->record);
    out->store.expires_s = tdm_rdv_wall(r) + p->expires_s;
}

static void put_contact(const struct tdm_rdv *r, const struct tdm_rdv_subscription *s, char *line,
                        size_t capacity)
{
    static const char *const params[] = {
        [TDM_RDV_UDP] = "", [TDM_RDV_TCP] = ";transport=tcp", [TDM_RDV_TLS] = ";transport=tls"};
    struct tdm_address local = s->flow.local;
    char host[TDM_ADDRESS_TEXT_MAX];

    local.port = s->flow.transport == TDM_RDV_TLS ? r->config.tls_port : r->config.udp_port;
    tdm_address_text(&local, host);
    (void)snprintf(line, capacity, "Contact: <sip:%s@%s%s>\r\n", r->accounts[s->account].user, host,
                   params[s->flow.transport]);
}

void tdm_rdv_subscribed(struct tdm_rdv *r, const struct tdm_sip_message *m,
                        const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    struct tdm_rdv_pending *p = &r->pending;
    uint32_t index = p->subscription;
    char headers[400];
    size_t used;

    if (index == TDM_RDV_NONE) {
        index = add(r, &p->subscribed);
    } else { /* What the lists and the queue know of it stays. */
        struct tdm_rdv_subscription *s = &r->subscriptions[index];

        s->remote_cseq = p->subscribed.remote_cseq;
        s->flow = p->subscribed.flow;
        s->expires = p->subscribed.expires;
        memcpy(s->target, p->subscribed.target, sizeof s->target);
    }
    if (index == TDM_RDV_NONE) {
        tdm_rdv_refuse(r, m, flow, 503, out);
        return;
    }
    struct tdm_rdv_subscription *s = &r->subscriptions[index];

    s->ended = !p->expires_s;
    s->why = s->ended ? "timeout" : NULL;
    put_contact(r, s, headers, sizeof headers);
    used = strlen(headers);
    (void)snprintf(headers + used, sizeof headers - used, "Expires: %lld\r\n",
                   (long long)p->expires_s);
    tdm_rdv_answer(r, m, flow, &(struct tdm_rdv_answer){.code = 200, .headers = headers}, out);
    if (s->ended)
        tdm_rdv_sleep_item(r, TDM_RDV_OF_SUBSCRIPTION, index);
    else
        tdm_rdv_wake_item(r, TDM_RDV_OF_SUBSCRIPTION, index, s->expires);
    enqueue(r, index);
    if (s->package == TDM_RDV_PRESENCE)
        tdm_rdv_tell_of_watchers(r, s->account);
}

void tdm_rdv_subscription_due(struct tdm_rdv *r, uint32_t index)
{
    r->subscriptions[index].ended = true;
    r->subscriptions[index].why = "timeout";
    enqueue(r, index);
}

void tdm_rdv_end_subscriptions(struct tdm_rdv *r, uint32_t account)
{
    for (uint32_t i = 0; i < r->pools[TDM_RDV_OF_SUBSCRIPTION].fresh; i++) {
        struct tdm_rdv_subscription *s = &r->subscriptions[i];

        if (s->watcher == TDM_RDV_NONE || s->ended ||
            (s->account != account && s->watcher != account))
            continue;
        s->ended = true;
        s->why = s->account == account ? "noresource" : "rejected";
        tdm_rdv_sleep_item(r, TDM_RDV_OF_SUBSCRIPTION, i);
        enqueue(r, i);
    }
}

/* --- NOTIFY ----------------------------------------------------------------------------------- */

static void put(struct tdm_writer *w, const char *text)
{
    tdm_sip_put(w, text);
}

static const char *watcher_state(struct tdm_rdv *r, const struct tdm_rdv_subscription *s)
{
    enum tdm_rdv_policy policy = tdm_rdv_policy_for(r, s->account, r->accounts[s->watcher].user);

    return policy == TDM_RDV_ASK ? "pending" : "active";
}

/* RFC 3858: all who watch now. */
static size_t write_winfo(struct tdm_rdv *r, struct tdm_rdv_subscription *of)
{
    struct tdm_writer w = tdm_writer_of((uint8_t *)r->composed, sizeof r->composed);
    const struct tdm_rdv_account *a = &r->accounts[of->account];
    char line[400];

    r->composed_for = TDM_RDV_NONE;
    (void)snprintf(line, sizeof line,
                   "<?xml version=\"1.0\"?>\n<watcherinfo "
                   "xmlns=\"urn:ietf:params:xml:ns:watcherinfo\" version=\"%u\" state=\"full\">\n"
                   "<watcher-list resource=\"sip:%s@%s\" package=\"presence\">\n",
                   of->version++, a->user, r->config.domain);
    put(&w, line);
    for (uint32_t i = a->subscriptions; i != TDM_RDV_NONE; i = r->subscriptions[i].next) {
        struct tdm_rdv_subscription *s = &r->subscriptions[i];

        if (s->package != TDM_RDV_PRESENCE || s->ended || tdm_writer_left(&w) < 600)
            continue;
        (void)snprintf(line, sizeof line,
                       "<watcher id=\"w%u\" event=\"subscribe\" status=\"%s\">sip:%s@%s"
                       "</watcher>\n",
                       i, watcher_state(r, s), r->accounts[s->watcher].user, r->config.domain);
        put(&w, line);
    }
    put(&w, "</watcher-list>\n</watcherinfo>\n");
    return w.ok ? tdm_writer_size(&w) : 0;
}

struct told {
    const char *state; /* "active", "pending", "terminated" */
    const char *reason;
    const char *type;
    size_t size; /* Of r->composed. */
};

static void compose(struct tdm_rdv *r, struct tdm_rdv_subscription *s, struct told *told)
{
    enum tdm_rdv_policy policy = tdm_rdv_policy_for(r, s->account, r->accounts[s->watcher].user);

    *told = (struct told){.state = policy == TDM_RDV_ASK ? "pending" : "active"};
    if (policy == TDM_RDV_BLOCK && !s->ended) {
        s->ended = true;
        s->why = "rejected";
    }
    if (s->ended)
        *told = (struct told){.state = "terminated", .reason = s->why ? s->why : "noresource"};
    if (policy == TDM_RDV_BLOCK || !r->accounts[s->watcher].exists)
        return;
    if (s->package == TDM_RDV_WINFO) {
        told->type = "application/watcherinfo+xml";
        told->size = write_winfo(r, s);
        return;
    }
    tdm_rdv_compose(r, s->account, policy != TDM_RDV_ALLOW);
    told->type = TDM_PIDF_TYPE;
    told->size = r->composed_size;
}

static size_t write_notify(struct tdm_rdv *r, struct tdm_rdv_subscription *s, const char *branch)
{
    struct tdm_writer w = tdm_writer_of(r->made, sizeof r->made);
    struct tdm_address local = s->flow.local;
    char text[1800], host[TDM_ADDRESS_TEXT_MAX], contact[200];
    struct told told;
    tdm_time left = tdm_time_max(s->expires - r->now, 0) / TDM_S;

    compose(r, s, &told);
    put_contact(r, s, contact, sizeof contact);
    local.port = s->flow.transport == TDM_RDV_TLS ? r->config.tls_port : r->config.udp_port;
    tdm_address_text(&local, host);
    (void)snprintf(text, sizeof text,
                   "NOTIFY %s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch=%s\r\n"
                   "Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>;tag=%s\r\n"
                   "Call-ID: %s\r\nCSeq: %u NOTIFY\r\n%sEvent: %s%s%s\r\n",
                   s->target, tdm_rdv_transport_name(s->flow.transport), host, branch,
                   r->accounts[s->account].user, r->config.domain, s->local_tag,
                   r->accounts[s->watcher].user, r->config.domain, s->remote_tag, s->call_id,
                   ++s->cseq, contact, s->package == TDM_RDV_WINFO ? "presence.winfo" : "presence",
                   s->event_id[0] ? ";id=" : "", s->event_id);
    put(&w, text);
    if (s->ended)
        (void)snprintf(text, sizeof text, "Subscription-State: terminated;reason=%s\r\n",
                       told.reason);
    else
        (void)snprintf(text, sizeof text, "Subscription-State: %s;expires=%lld\r\n", told.state,
                       (long long)left);
    put(&w, text);
    if (told.size) {
        put(&w, "Content-Type: ");
        put(&w, told.type);
        put(&w, "\r\n");
    }
    put(&w, "Content-Length: ");
    tdm_sip_put_number(&w, told.size);
    put(&w, "\r\n\r\n");
    tdm_write_bytes(&w, r->composed, told.size);
    return w.ok ? tdm_writer_size(&w) : 0;
}

static bool send_notify(struct tdm_rdv *r, uint32_t index, struct tdm_rdv_out *out)
{
    struct tdm_rdv_subscription *s = &r->subscriptions[index];
    uint32_t tx = tdm_rdv_open_tx(r, TDM_RDV_TX_NOTIFY, NULL, &s->flow);
    char id[48];

    if (tx == TDM_RDV_NONE)
        return false;
    r->txs[tx].method = TDM_SIP_NOTIFY;
    r->txs[tx].subscription = index;
    uint32_t branch = tdm_rdv_open_branch(r, tx, &s->flow);

    if (branch != TDM_RDV_NONE) {
        tdm_rdv_write_branch_id(r, branch, 0, id);
        if (tdm_rdv_start_branch(r, branch, r->made, write_notify(r, s, id), out))
            return true;
    }
    tdm_rdv_close_tx(r, tx);
    return false;
}

void tdm_rdv_notify_one(struct tdm_rdv *r, struct tdm_rdv_out *out)
{
    uint32_t index = r->dirty_first;
    struct tdm_rdv_subscription *s = &r->subscriptions[index];

    r->dirty_first = s->dirty_next;
    if (r->dirty_first == TDM_RDV_NONE)
        r->dirty_last = TDM_RDV_NONE;
    s->queued = s->dirty = false;
    s->under_way = send_notify(r, index, out);
    r->stats.notifies += s->under_way;
    if (!s->under_way && s->ended)
        release(r, index);
}

void tdm_rdv_notified(struct tdm_rdv *r, uint32_t tx, uint16_t status)
{
    uint32_t index = r->txs[tx].subscription;
    struct tdm_rdv_subscription *s = &r->subscriptions[index];

    s->under_way = false;
    /* Who does not answer or does not know of it is not told again (RFC 6665 section 4.2.2). */
    if (s->ended || status >= 300)
        release(r, index);
    else if (s->dirty)
        enqueue(r, index);
}
