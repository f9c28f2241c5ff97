/* SPDX-License-Identifier: MIT */
/*
 * What people publish (RFC 3903), who may see it, and what it comes to together with who is
 * registered. Rules are published like presence, Event: tandem-rules, a line each:
 *
 *     allow ann | polite bob | block carol | default ask
 */
#include "signalling/rendezvous_state.h"

#include <stdio.h>

#define RULES_MAX       4096
#define RULES_EXPIRES   0x7fffffff /* Seconds: never. */
#define EXPIRES_DEFAULT 3600

/* --- Rules ------------------------------------------------------------------------------------ */

static bool is_policy(struct tdm_text word, enum tdm_rdv_policy *policy)
{
    static const char *const names[] = {[TDM_RDV_ALLOW] = "allow",
                                        [TDM_RDV_ASK] = "ask",
                                        [TDM_RDV_POLITE] = "polite",
                                        [TDM_RDV_BLOCK] = "block"};

    for (int i = 0; i < 4; i++)
        if (tdm_text_equals(word, names[i])) {
            *policy = (enum tdm_rdv_policy)i;
            return true;
        }
    return false;
}

/* One line: a policy for `*user`, or the default with an empty one. False: it says nothing. */
static bool read_rule(struct tdm_text line, enum tdm_rdv_policy *policy, struct tdm_text *user)
{
    struct tdm_text first = tdm_text_word(&line), second = tdm_sip_trim(tdm_text_word(&line));

    *user = second;
    if (tdm_text_equals(first, "default")) {
        user->end = user->at;
        return is_policy(second, policy);
    }
    second = tdm_text_until(user, '@');
    *user = second;
    return is_policy(first, policy) && user->at < user->end;
}

static bool are_rules(struct tdm_text text)
{
    enum tdm_rdv_policy policy;
    struct tdm_text user;

    while (text.at < text.end) {
        struct tdm_text line = tdm_sip_trim(tdm_text_until(&text, '\n'));

        if (line.at < line.end && !read_rule(line, &policy, &user))
            return false;
    }
    return true;
}

enum tdm_rdv_policy tdm_rdv_policy_for(struct tdm_rdv *r, uint32_t account, const char *watcher)
{
    char text[RULES_MAX];
    size_t size = tdm_rdv_chain_copy(&r->blocks, &r->accounts[account].rules, text, sizeof text);
    struct tdm_text rest = tdm_text_of(text, size), user;
    enum tdm_rdv_policy policy, general = TDM_RDV_ALLOW;

    if (strcmp(r->accounts[account].user, watcher) == 0)
        return TDM_RDV_ALLOW;
    while (rest.at < rest.end) {
        if (!read_rule(tdm_sip_trim(tdm_text_until(&rest, '\n')), &policy, &user))
            continue;
        if (user.at == user.end)
            general = policy;
        else if (tdm_text_size(user) == strlen(watcher) &&
                 memcmp(user.at, watcher, strlen(watcher)) == 0)
            return policy;
    }
    return general;
}

void tdm_rdv_load_rules(struct tdm_rdv *r, uint32_t account, const uint8_t *data, size_t size)
{
    if (size <= RULES_MAX)
        (void)tdm_rdv_chain_set(&r->blocks, &r->accounts[account].rules, data, size);
}

static void answer_publish(struct tdm_rdv *r, const struct tdm_sip_message *m,
                           const struct tdm_rdv_flow *flow, int64_t expires_s,
                           struct tdm_rdv_out *out)
{
    char headers[96];

    (void)snprintf(headers, sizeof headers, "SIP-ETag: %x.%x\r\nExpires: %lld\r\n",
                   r->pending.number, r->pending.version, (long long)expires_s);
    tdm_rdv_answer(r, m, flow, &(struct tdm_rdv_answer){.code = 200, .headers = headers}, out);
}

static void publish_rules(struct tdm_rdv *r, const struct tdm_sip_message *m,
                          const struct tdm_rdv_flow *flow, uint32_t account,
                          struct tdm_rdv_out *out)
{
    size_t size = tdm_text_size(m->body);

    if (!size) { /* Refreshed, or its device leaves: they stand until others come. */
        r->pending.number = r->pending.version = 0;
        answer_publish(r, m, flow, RULES_EXPIRES, out);
        return;
    }
    if (size > RULES_MAX || !are_rules(m->body)) {
        tdm_rdv_answer(r, m, flow,
                       &(struct tdm_rdv_answer){
                           .code = size > RULES_MAX ? 413 : 400,
                           .reason = size > RULES_MAX ? NULL : "No rules that can be read"},
                       out);
        return;
    }
    r->pending.kind = TDM_RDV_PENDING_RULES;
    r->pending.account = account;
    out->store.kind = TDM_RDV_STORE_RECORD;
    (void)snprintf(out->store.key, sizeof out->store.key, "r/%s", r->accounts[account].user);
    memcpy(out->record, m->body.at, size);
    out->store.data = out->record;
    out->store.size = size;
    out->store.expires_s = INT64_MAX;
}

void tdm_rdv_ruled(struct tdm_rdv *r, const struct tdm_sip_message *m,
                   const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    uint32_t account = r->pending.account;

    tdm_rdv_load_rules(r, account, (const uint8_t *)m->body.at, tdm_text_size(m->body));
    r->pending.number = r->pending.version = 0;
    answer_publish(r, m, flow, RULES_EXPIRES, out);
    tdm_rdv_tell_watchers(r, account);
}

/* --- Documents -------------------------------------------------------------------------------- */

static size_t write_record(uint8_t *data, size_t room, uint32_t number, uint32_t version,
                           const void *document, size_t size)
{
    struct tdm_writer w = tdm_writer_of(data, room);

    tdm_write_u8(&w, 1);
    tdm_write_u32(&w, number);
    tdm_write_u32(&w, version);
    tdm_write_bytes(&w, document, size);
    return w.ok ? tdm_writer_size(&w) : 0;
}

static uint32_t add_publication(struct tdm_rdv *r, uint32_t account, uint32_t number)
{
    uint32_t index = tdm_rdv_take_item(r, TDM_RDV_OF_PUBLICATION);
    struct tdm_rdv_account *a = &r->accounts[account];

    if (index == TDM_RDV_NONE)
        return index;
    r->publications[index] =
        (struct tdm_rdv_publication){.account = account, .next = a->publications, .number = number};
    a->publications = index;
    a->publication_count++;
    return index;
}

void tdm_rdv_unpublish(struct tdm_rdv *r, uint32_t index)
{
    struct tdm_rdv_publication *p = &r->publications[index];
    struct tdm_rdv_account *a = &r->accounts[p->account];
    uint32_t *link = &a->publications;

    while (*link != TDM_RDV_NONE && *link != index)
        link = &r->publications[*link].next;
    if (*link == TDM_RDV_NONE)
        return;
    *link = p->next;
    a->publication_count--;
    tdm_rdv_chain_drop(&r->blocks, &p->document);
    tdm_rdv_give_item(r, TDM_RDV_OF_PUBLICATION, index);
    tdm_rdv_tell_watchers(r, p->account);
}

void tdm_rdv_load_publication(struct tdm_rdv *r, uint32_t account, const struct tdm_rdv_in *in)
{
    struct tdm_reader data = tdm_reader_of(in->data, in->size);
    bool known = tdm_read_u8(&data) == 1;
    uint32_t number = tdm_read_u32(&data), version = tdm_read_u32(&data);
    int64_t left_s = in->expires_s - tdm_rdv_wall(r);
    size_t size = tdm_reader_left(&data);

    if (!data.ok || !known || left_s <= 0 || left_s > r->config.expires_max_s || !size ||
        size > TDM_PIDF_MAX)
        return;
    uint32_t index = add_publication(r, account, number);

    if (index == TDM_RDV_NONE)
        return;
    r->publications[index].version = version;
    r->publications[index].expires = r->now + left_s * TDM_S;
    tdm_rdv_wake_item(r, TDM_RDV_OF_PUBLICATION, index, r->publications[index].expires);
    if (!tdm_rdv_chain_set(&r->blocks, &r->publications[index].document, data.at, size))
        tdm_rdv_unpublish(r, index);
}

/* The publication that If-Match names; NONE when there is no such. */
static uint32_t matched(const struct tdm_rdv *r, uint32_t account, struct tdm_text etag)
{
    char text[32];
    unsigned number, version;

    if (!tdm_text_copy(etag, text, sizeof text) || sscanf(text, "%8x.%8x", &number, &version) != 2)
        return TDM_RDV_NONE;
    for (uint32_t i = r->accounts[account].publications; i != TDM_RDV_NONE;
         i = r->publications[i].next)
        if (r->publications[i].number == number && r->publications[i].version == version)
            return i;
    return TDM_RDV_NONE;
}

/* 0, or a code to refuse with. */
static uint16_t read_publish(struct tdm_rdv *r, const struct tdm_sip_message *m, uint32_t account)
{
    struct tdm_rdv_pending *p = &r->pending;
    struct tdm_text etag = tdm_sip_value(m, TDM_SIP_H_IF_MATCH);
    struct tdm_text expires = tdm_sip_value(m, TDM_SIP_H_EXPIRES);
    uint64_t seconds = EXPIRES_DEFAULT;
    size_t size = tdm_text_size(m->body);

    if (expires.at < expires.end && !tdm_text_number(&expires, UINT32_MAX, &seconds))
        return 400;
    if (seconds && seconds < r->config.expires_min_s)
        return 423;
    p->account = account;
    p->publication = TDM_RDV_NONE;
    p->expires_s = (int64_t)(seconds > r->config.expires_max_s ? r->config.expires_max_s : seconds);
    if (etag.at < etag.end) {
        p->publication = matched(r, account, etag);
        if (p->publication == TDM_RDV_NONE)
            return 412;
    } else if (!size || !seconds) {
        return 400;
    }
    if (size > TDM_PIDF_MAX)
        return 413;
    if (size && tdm_pidf_parse(&r->one_pidf, m->body.at, size) != TDM_OK)
        return 400;
    if (p->publication != TDM_RDV_NONE)
        return 0;
    if (r->accounts[account].publication_count >= r->config.user_publications)
        return 403;
    return r->pools[TDM_RDV_OF_PUBLICATION].used < r->pools[TDM_RDV_OF_PUBLICATION].count ? 0 : 503;
}

static bool is_of_package(const struct tdm_sip_message *m, const char *package)
{
    struct tdm_text event = tdm_sip_value(m, TDM_SIP_H_EVENT);

    return tdm_text_equals(tdm_sip_trim(tdm_text_until(&event, ';')), package);
}

/* What is written is the new document, or again the one that stands. */
static void store_publication(struct tdm_rdv *r, const struct tdm_sip_message *m,
                              struct tdm_rdv_out *out)
{
    struct tdm_rdv_pending *p = &r->pending;
    const void *document = m->body.at;
    size_t size = tdm_text_size(m->body);

    p->number = (uint32_t)tdm_rdv_random(r);
    p->version = 1;
    if (p->publication != TDM_RDV_NONE) {
        const struct tdm_rdv_publication *old = &r->publications[p->publication];

        p->number = old->number;
        p->version = old->version + 1;
        if (!size) {
            size = tdm_rdv_chain_copy(&r->blocks, &old->document, r->scratch, sizeof r->scratch);
            document = r->scratch;
        }
    }
    (void)snprintf(out->store.key, sizeof out->store.key, "p/%s/%08x", r->accounts[p->account].user,
                   p->number);
    out->store.kind = p->expires_s ? TDM_RDV_STORE_RECORD : TDM_RDV_STORE_REMOVE;
    out->store.data = out->record;
    out->store.size =
        write_record(out->record, sizeof out->record, p->number, p->version, document, size);
    out->store.expires_s = tdm_rdv_wall(r) + p->expires_s;
}

void tdm_rdv_publish(struct tdm_rdv *r, const struct tdm_sip_message *m,
                     const struct tdm_rdv_flow *flow, uint32_t account, struct tdm_rdv_out *out)
{
    struct tdm_sip_address uri;
    char line[48];

    r->stats.publishes++;
    if (!tdm_sip_read_uri(m->uri, &uri) || tdm_rdv_account_of(r, uri.user) != account) {
        tdm_rdv_refuse(r, m, flow, 403, out);
        return;
    }
    if (is_of_package(m, "tandem-rules")) {
        publish_rules(r, m, flow, account, out);
        return;
    }
    uint16_t code = is_of_package(m, "presence") ? read_publish(r, m, account) : 489;

    if (code) {
        r->stats.full += code == 503;
        (void)snprintf(line, sizeof line, "Min-Expires: %u\r\n", r->config.expires_min_s);
        tdm_rdv_answer(r, m, flow,
                       &(struct tdm_rdv_answer){.code = code, .headers = code == 423 ? line : NULL},
                       out);
        return;
    }
    store_publication(r, m, out);
    r->pending.kind = TDM_RDV_PENDING_PUBLISH;
}

void tdm_rdv_published(struct tdm_rdv *r, const struct tdm_sip_message *m,
                       const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    struct tdm_rdv_pending *p = &r->pending;
    uint32_t index = p->publication;
    size_t size = tdm_text_size(m->body);

    if (!p->expires_s) {
        tdm_rdv_unpublish(r, index);
        answer_publish(r, m, flow, 0, out);
        return;
    }
    if (index == TDM_RDV_NONE)
        index = add_publication(r, p->account, p->number);
    if (index == TDM_RDV_NONE ||
        (size &&
         !tdm_rdv_chain_set(&r->blocks, &r->publications[index].document, m->body.at, size))) {
        if (index != TDM_RDV_NONE)
            tdm_rdv_unpublish(r, index);
        r->stats.full++;
        tdm_rdv_refuse(r, m, flow, 503, out);
        return;
    }
    r->publications[index].version = p->version;
    r->publications[index].expires = r->now + p->expires_s * TDM_S;
    tdm_rdv_wake_item(r, TDM_RDV_OF_PUBLICATION, index, r->publications[index].expires);
    answer_publish(r, m, flow, p->expires_s, out);
    if (size)
        tdm_rdv_tell_watchers(r, p->account);
}

/* --- Together --------------------------------------------------------------------------------- */

static bool read_document(struct tdm_rdv *r, const struct tdm_rdv_publication *p)
{
    size_t size = tdm_rdv_chain_copy(&r->blocks, &p->document, r->scratch, sizeof r->scratch);

    return size && tdm_pidf_parse(&r->one_pidf, r->scratch, size) == TDM_OK;
}

void tdm_rdv_compose(struct tdm_rdv *r, uint32_t account, bool hidden)
{
    const struct tdm_rdv_account *a = &r->accounts[account];
    bool reachable = !hidden && tdm_rdv_is_reachable(r, account);
    struct tdm_pidf *all = &r->pidf;

    if (r->composed_for == account && !hidden)
        return;
    memset(all, 0, sizeof *all);
    for (uint32_t i = a->publications; i != TDM_RDV_NONE && !hidden; i = r->publications[i].next)
        if (read_document(r, &r->publications[i]))
            tdm_pidf_merge(all, &r->one_pidf);
    (void)snprintf(all->entity, sizeof all->entity, "sip:%s@%s", a->user, r->config.domain);
    if (!all->tuple_count) {
        all->tuple_count = 1;
        all->tuples[0] = (struct tdm_presence_tuple){.id = "server", .open = reachable};
    }
    for (uint32_t i = 0; i < all->tuple_count && !reachable; i++) {
        all->tuples[i].open = false;
        all->tuples[i].timed_count = 0;
    }
    if (tdm_pidf_write(all, r->composed, sizeof r->composed, &r->composed_size) != TDM_OK)
        r->composed_size = 0;
    r->composed_for = hidden ? TDM_RDV_NONE : account;
}

static bool contains(const char *text, const char *part)
{
    return *part && strstr(text, part) != NULL;
}

/* Whether a tuple is of that device: the same contact, or its id in the instance. */
static bool is_tuple_of(const struct tdm_presence_tuple *t, const struct tdm_rdv_binding *b)
{
    struct tdm_sip_address said, bound;

    if (contains(b->instance, t->id))
        return true;
    return t->contact[0] && tdm_sip_read_uri(tdm_text_of_string(t->contact), &said) &&
           tdm_sip_read_uri(tdm_text_of_string(b->contact), &bound) &&
           tdm_sip_same_place(&said, &bound);
}

bool tdm_rdv_takes_calls(struct tdm_rdv *r, uint32_t account, const struct tdm_rdv_binding *b)
{
    for (uint32_t i = r->accounts[account].publications; i != TDM_RDV_NONE;
         i = r->publications[i].next) {
        if (!read_document(r, &r->publications[i]))
            continue;
        for (uint32_t t = 0; t < r->one_pidf.tuple_count; t++)
            if (is_tuple_of(&r->one_pidf.tuples[t], b) &&
                !tdm_presence_tuple_open(&r->one_pidf.tuples[t], tdm_rdv_wall(r)))
                return false;
    }
    return true;
}
