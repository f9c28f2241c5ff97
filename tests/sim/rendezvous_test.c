/* SPDX-License-Identifier: MIT */
/*
 * rendezvous_test FIRST COUNT: the server's core among devices that come and go, over a network
 * that loses, delays and copies, in virtual time; the server is killed between any two of its steps
 * and starts again from its store. For each seed: whoever was told that his message was taken finds
 * it delivered at the end, once (twice only where an answer of the device was lost or the server
 * died); every call gets a final answer, and no device goes on ringing; the store and the tables
 * are empty when all is over. A seed that fails is printed.
 */
#include "engine/base/rng.h"
#include "signalling/digest_auth.h"
#include "signalling/rendezvous.h"
#include "signalling/sip_message.h"

#include <stdio.h>
#include <stdlib.h>

#define USERS     3
#define DEVICES   6 /* Two for each user. */
#define PACKETS   4096
#define RECORDS   64
#define KEPT      256
#define TEXTS     64
#define ASKS      8
#define BYTES     4096
#define SEEN      256
#define BUSY_TIME (90 * TDM_S)  /* In which things are begun; */
#define ALL_TIME  (420 * TDM_S) /* and until everything must be settled. */
#define DOMAIN    "sim.example"

struct packet {
    tdm_time at;
    bool to_server;
    uint32_t device;
    size_t size;
    uint8_t data[BYTES];
};

struct record {
    char key[TDM_RDV_KEY_MAX];
    size_t size;
    int64_t expires_s;
    uint8_t data[TDM_RDV_RECORD_BYTES];
};

struct kept {
    char user[64], from[64], type[64];
    uint64_t id;
    size_t size;
    uint8_t data[64];
};

enum ask_kind { ASK_NOTHING, ASK_REGISTER, ASK_MESSAGE, ASK_CALL, ASK_BYE };

/* A request of a device that waits for its answer. */
struct ask {
    enum ask_kind kind;
    uint32_t cseq, number, to;
    char call_id[40], branch[40], authorization[1200];
    bool cancelled, provisional;
    uint32_t expires, tries;
    tdm_time again, interval, until, cancel_at;
};

struct device {
    uint32_t user;
    bool on;
    tdm_time next;
    uint32_t cseq;
    struct ask asks[ASKS];
    bool ringing;
    char ringing_id[40], ended_id[40];
    uint8_t invite[BYTES];
    size_t invite_size;
    tdm_time answer_at;
    uint32_t seen_count;
    char seen[SEEN][48]; /* Call-IDs of messages that it took. */
};

struct text {
    bool acked, twice;
    bool by[DEVICES];
    uint32_t received;
};

struct world {
    struct tdm_rng rng;
    tdm_time now;
    double loss;
    bool crashes;
    uint32_t crash_count, serial, text_count, calls, finals, record_count, kept_count;
    struct packet *packets[PACKETS];
    uint32_t packet_count;
    struct device devices[DEVICES];
    struct text texts[TEXTS];
    struct record *records[RECORDS];
    struct kept kept[KEPT];
    struct tdm_rdv_config config;
    void *storage;
    size_t storage_size;
    struct tdm_rdv *core; /* NULL: it is dead. */
    tdm_time restart_at;
    struct tdm_rdv_out *out;
    const char *failed;
};

static const char *const users[USERS] = {"ann", "ben", "cat"};

static struct tdm_address address_of(uint32_t device)
{
    return (struct tdm_address){
        .family = TDM_IPV4, .bytes = {10, 0, 0, (uint8_t)(10 + device)}, .port = 5060};
}

static const struct tdm_address server_address = {
    .family = TDM_IPV4, .bytes = {10, 0, 0, 1}, .port = 5060};

static int64_t wall(const struct world *w)
{
    return 1700000000 + w->now / TDM_S;
}

static bool chance(struct world *w, double p)
{
    return tdm_rng_chance(&w->rng, p);
}

/* --- Network
 * -------------------------------------------------------------------------------------- */

static void post(struct world *w, bool to_server, uint32_t device, const void *data, size_t size)
{
    int copies = chance(w, w->loss) ? 0 : chance(w, 0.02) ? 2 : 1;

    for (int i = 0; i < copies && w->packet_count < PACKETS && size <= BYTES; i++) {
        struct packet *p = malloc(sizeof *p);

        if (!p)
            abort();
        *p = (struct packet){.at = w->now + (1 + tdm_rng_below(&w->rng, 40)) * TDM_MS,
                             .to_server = to_server,
                             .device = device,
                             .size = size};
        memcpy(p->data, data, size);
        w->packets[w->packet_count++] = p;
    }
}

/* --- The server's driver, which may die
 * ------------------------------------------------------------- */

static void crash(struct world *w)
{
    w->core = NULL;
    w->crash_count++;
    w->restart_at = w->now + TDM_S + tdm_rng_below(&w->rng, 3000) * TDM_MS;
}

static void put_record(struct world *w, const struct tdm_rdv_store *s)
{
    uint32_t i = 0;

    while (i < w->record_count && strcmp(w->records[i]->key, s->key) != 0)
        i++;
    if (s->kind == TDM_RDV_STORE_REMOVE) {
        if (i < w->record_count) {
            free(w->records[i]);
            w->records[i] = w->records[--w->record_count];
        }
        return;
    }
    if (i == RECORDS)
        abort();
    if (i == w->record_count)
        w->records[w->record_count++] = malloc(sizeof *w->records[0]);
    memcpy(w->records[i]->key, s->key, sizeof s->key);
    memcpy(w->records[i]->data, s->data, s->size);
    w->records[i]->size = s->size;
    w->records[i]->expires_s = s->expires_s;
}

static void keep(struct world *w, const struct tdm_rdv_store *s)
{
    for (uint32_t i = 0; i < w->kept_count; i++)
        if (w->kept[i].id == s->id && strcmp(w->kept[i].user, s->user) == 0) {
            if (s->kind == TDM_RDV_STORE_DELIVERED) {
                memmove(&w->kept[i], &w->kept[i + 1], (--w->kept_count - i) * sizeof *w->kept);
            }
            return;
        }
    if (s->kind == TDM_RDV_STORE_DELIVERED)
        return;
    struct kept *k = &w->kept[w->kept_count++];

    if (w->kept_count >= KEPT || s->size > sizeof k->data)
        abort();
    *k = (struct kept){.id = s->id, .size = s->size};
    (void)snprintf(k->user, sizeof k->user, "%s", s->user);
    (void)snprintf(k->from, sizeof k->from, "%.63s", s->from);
    (void)snprintf(k->type, sizeof k->type, "%s", s->type);
    memcpy(k->data, s->data, s->size);
}

static void fetch(const struct world *w, struct tdm_rdv_in *in, char user[TDM_RDV_USER_MAX])
{
    memcpy(user, w->out->fetch_user, TDM_RDV_USER_MAX);
    *in = (struct tdm_rdv_in){.kind = TDM_RDV_KEPT, .user = user};
    for (uint32_t i = 0; i < w->kept_count; i++) {
        const struct kept *k = &w->kept[i];

        if (strcmp(k->user, user) != 0)
            continue;
        in->id = k->id;
        in->key = k->from;
        in->type = k->type;
        in->data = k->data;
        in->size = k->size;
        return;
    }
}

static bool dies(struct world *w)
{
    if (!w->crashes || w->now > BUSY_TIME || !chance(w, 0.01))
        return false;
    crash(w);
    return true;
}

static void step(struct world *w, const struct tdm_rdv_in *first)
{
    struct tdm_rdv_in in;
    char user[TDM_RDV_USER_MAX];

    tdm_rdv_step(w->core, w->now, first, w->out);
    for (;;) {
        for (uint32_t i = 0; i < w->out->send_count; i++) {
            const struct tdm_rdv_send *s = &w->out->send[i];

            if (dies(w))
                return;
            post(w, false, s->flow.remote.bytes[3] - 10u, s->data, s->size);
        }
        if (w->out->store.kind != TDM_RDV_STORE_NOTHING) {
            bool good = !chance(w, 0.02); /* A full disk. */

            if (dies(w))
                return;
            if (good && w->out->store.kind <= TDM_RDV_STORE_REMOVE)
                put_record(w, &w->out->store);
            else if (good)
                keep(w, &w->out->store);
            if (dies(w))
                return;
            in = first ? *first : (struct tdm_rdv_in){.kind = TDM_RDV_MESSAGE};
            in.kind = good ? TDM_RDV_STORED : TDM_RDV_NOT_STORED;
        } else if (w->out->fetch) {
            fetch(w, &in, user);
        } else {
            return;
        }
        tdm_rdv_step(w->core, w->now, &in, w->out);
    }
}

static void load(struct world *w)
{
    char md5[TDM_DIGEST_HEX_MAX], sha256[TDM_DIGEST_HEX_MAX];

    for (int i = 0; i < USERS; i++) {
        uint32_t count = 0;

        tdm_digest_ha1(TDM_DIGEST_MD5, users[i], DOMAIN, "password", md5);
        tdm_digest_ha1(TDM_DIGEST_SHA256, users[i], DOMAIN, "password", sha256);
        step(w,
             &(struct tdm_rdv_in){
                 .kind = TDM_RDV_ACCOUNT, .user = users[i], .ha1_md5 = md5, .ha1_sha256 = sha256});
        for (uint32_t k = 0; k < w->kept_count; k++)
            count += strcmp(w->kept[k].user, users[i]) == 0;
        if (count)
            step(w, &(struct tdm_rdv_in){
                        .kind = TDM_RDV_WAITING, .user = users[i], .count = count, .size = 1});
    }
    for (uint32_t i = 0; i < w->record_count; i++)
        if (w->records[i]->expires_s > wall(w))
            step(w, &(struct tdm_rdv_in){.kind = TDM_RDV_RECORD,
                                         .key = w->records[i]->key,
                                         .data = w->records[i]->data,
                                         .size = w->records[i]->size,
                                         .expires_s = w->records[i]->expires_s});
}

static void start_server(struct world *w)
{
    bool crashes = w->crashes;

    memset(w->storage, 0, w->storage_size);
    for (int i = 0; i < 32; i++)
        w->config.key[i] = (uint8_t)tdm_rng_u32(&w->rng);
    w->config.seed = tdm_rng_u64(&w->rng);
    w->config.wall_s = wall(w);
    w->core = tdm_rdv_init(w->storage, &w->config, w->now);
    w->crashes = false; /* Not while it reads its store. */
    load(w);
    w->crashes = crashes;
}

/* --- Devices
 * ----------------------------------------------------------------------------------------- */

static void send_text(struct world *w, uint32_t device, const char *text)
{
    post(w, true, device, text, strlen(text));
}

static void send_ask(struct world *w, uint32_t at, struct ask *a)
{
    static const char *const methods[] = {
        [ASK_REGISTER] = "REGISTER", [ASK_MESSAGE] = "MESSAGE", [ASK_CALL] = "INVITE"};
    const struct device *d = &w->devices[at];
    const char *method = methods[a->kind], *me = users[d->user];
    const char *to = a->kind == ASK_REGISTER ? me : users[a->to];
    char text[BYTES], uri[64], body[32] = "", extra[64] = "";

    (void)snprintf(uri, sizeof uri, a->kind == ASK_REGISTER ? "sip:" DOMAIN : "sip:%s@" DOMAIN, to);
    if (a->kind == ASK_MESSAGE) {
        (void)snprintf(body, sizeof body, "text %u", a->number);
        (void)snprintf(extra, sizeof extra, "Content-Type: text/plain\r\n");
    } else if (a->kind == ASK_REGISTER) {
        (void)snprintf(extra, sizeof extra, "Expires: %u\r\n", a->expires);
    }
    (void)snprintf(text, sizeof text,
                   "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.%u:5060;rport;branch=%s\r\n"
                   "Max-Forwards: 70\r\nFrom: <sip:%s@" DOMAIN ">;tag=f%u\r\nTo: <sip:%s@" DOMAIN
                   ">\r\nCall-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:%s@10.0.0.%u:5060>\r\n%s%s"
                   "Content-Length: %zu\r\n\r\n%s",
                   method, uri, 10 + at, a->branch, me, at, to, a->call_id, a->cseq, method, me,
                   10 + at, extra, a->authorization, strlen(body), body);
    send_text(w, at, text);
}

static void begin_ask(struct world *w, uint32_t at, struct ask *a)
{
    a->cseq = ++w->devices[at].cseq;
    (void)snprintf(a->branch, sizeof a->branch, "z9hG4bKd%u-%u", at, ++w->serial);
    a->interval = 500 * TDM_MS;
    a->again = w->now + a->interval;
    a->until = w->now + 32 * TDM_S;
    a->provisional = false;
    send_ask(w, at, a);
}

static struct ask *new_ask(struct world *w, uint32_t at, enum ask_kind kind)
{
    for (int i = 0; i < ASKS; i++) {
        struct ask *a = &w->devices[at].asks[i];

        if (a->kind != ASK_NOTHING)
            continue;
        *a = (struct ask){.kind = kind, .cancel_at = TDM_NEVER};
        (void)snprintf(a->call_id, sizeof a->call_id, "c%u-%u", at, ++w->serial);
        return a;
    }
    return NULL;
}

static void register_device(struct world *w, uint32_t at, uint32_t expires)
{
    struct ask *a = new_ask(w, at, ASK_REGISTER);

    if (!a)
        return;
    a->expires = expires;
    begin_ask(w, at, a);
}

/* What a person does next with this device. */
static void act(struct world *w, uint32_t at)
{
    struct device *d = &w->devices[at];
    uint32_t what = tdm_rng_below(&w->rng, 10);
    struct ask *a;

    d->next = w->now + (1 + tdm_rng_below(&w->rng, 12000)) * TDM_MS;
    if (w->now > BUSY_TIME) {
        /* At the end all devices are there, so that all that was kept can be handed over. */
        d->on = true;
        d->next = w->now > BUSY_TIME + 200 * TDM_S ? TDM_NEVER : w->now + 70 * TDM_S;
        register_device(w, at, 300);
        return;
    }
    if (what < 3) {
        d->on = chance(w, 0.6);
        d->ringing = d->ringing && d->on;
        register_device(w, at, d->on ? 120 : 0);
    } else if (what < 8 && w->text_count < TEXTS) {
        a = new_ask(w, at, ASK_MESSAGE);
        if (!a)
            return;
        a->to = tdm_rng_below(&w->rng, USERS);
        a->number = w->text_count++;
        begin_ask(w, at, a);
    } else {
        a = new_ask(w, at, ASK_CALL);
        if (!a)
            return;
        a->to = (d->user + 1) % USERS;
        w->calls++;
        begin_ask(w, at, a);
        a->cancel_at = w->now + (2 + tdm_rng_below(&w->rng, 20)) * TDM_S;
    }
}

static void end_ask(struct world *w, struct ask *a, uint16_t status)
{
    if (a->kind == ASK_MESSAGE && status >= 200 && status < 300)
        w->texts[a->number].acked = true;
    if (a->kind == ASK_CALL)
        w->finals++;
    a->kind = ASK_NOTHING;
}

/* ACK or CANCEL beside an INVITE. */
static void send_beside(struct world *w, uint32_t at, const struct ask *a, const char *method,
                        struct tdm_text to)
{
    char text[BYTES];

    (void)snprintf(text, sizeof text,
                   "%s sip:%s@" DOMAIN " SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.%u:5060;rport;"
                   "branch=%s\r\nMax-Forwards: 70\r\nFrom: <sip:%s@" DOMAIN
                   ">;tag=f%u\r\nTo: %.*s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
                   "Content-Length: 0\r\n\r\n",
                   method, users[a->to], 10 + at, a->branch, users[w->devices[at].user], at,
                   (int)tdm_text_size(to), to.at, a->call_id, a->cseq, method);
    send_text(w, at, text);
}

static void authorize(struct world *w, uint32_t at, struct ask *a, const struct tdm_sip_message *m)
{
    static const char *const methods[] = {
        [ASK_REGISTER] = "REGISTER", [ASK_MESSAGE] = "MESSAGE", [ASK_CALL] = "INVITE"};
    const char *me = users[w->devices[at].user];

    for (uint32_t i = 0; i < m->header_count; i++) {
        struct tdm_text v = m->headers[i].value;
        struct tdm_digest_challenge c;
        char value[1000], uri[64];

        if (tdm_digest_parse_challenge(v.at, tdm_text_size(v), &c) != TDM_OK)
            continue;
        (void)snprintf(uri, sizeof uri, a->kind == ASK_REGISTER ? "sip:" DOMAIN : "sip:%s@" DOMAIN,
                       users[a->to]);
        const struct tdm_digest_request r = {.user = me,
                                             .password = "password",
                                             .method = methods[a->kind],
                                             .uri = uri,
                                             .cnonce = "cn",
                                             .nc = 1};

        if (tdm_digest_answer(&c, &r, value, sizeof value) != TDM_OK)
            abort();
        (void)snprintf(a->authorization, sizeof a->authorization, "%sAuthorization: %s\r\n",
                       m->status == 407 ? "Proxy-" : "", value);
        return;
    }
}

static void take_answer(struct world *w, uint32_t at, const struct tdm_sip_message *m)
{
    struct ask *a = w->devices[at].asks;
    struct ask *end = a + ASKS;

    while (a < end && !(a->kind != ASK_NOTHING && tdm_text_equals(m->call_id, a->call_id)))
        a++;
    if (a == end || !tdm_text_equals(m->via.branch, a->branch) || m->method == TDM_SIP_CANCEL)
        return;
    if (m->status < 200) {
        a->provisional = true;
        a->until = w->now + 250 * TDM_S;
        return;
    }
    if (a->kind == ASK_CALL && m->status >= 300)
        send_beside(w, at, a, "ACK", m->to);
    if ((m->status == 401 || m->status == 407) && a->tries++ < 5) {
        authorize(w, at, a, m);
        begin_ask(w, at, a);
        return;
    }
    if (m->status == 500 && a->tries++ < 5) { /* Its store could not be written: again. */
        begin_ask(w, at, a);
        return;
    }
    end_ask(w, a, m->status);
}

static void reply(struct world *w, uint32_t at, const uint8_t *request, size_t size, uint16_t code)
{
    static struct tdm_sip_message m;
    struct tdm_writer out;
    uint8_t data[BYTES];
    bool answerable;
    const char *fault;

    if (tdm_sip_read(&m, request, size, &answerable, &fault) != TDM_OK)
        return;
    out = tdm_writer_of(data, sizeof data);
    tdm_sip_put(&out, "SIP/2.0 ");
    tdm_sip_put_number(&out, code);
    tdm_sip_put(&out, " X\r\n");
    for (uint32_t i = 0; i < m.header_count; i++)
        if (m.headers[i].kind == TDM_SIP_H_VIA || m.headers[i].kind == TDM_SIP_H_RECORD_ROUTE)
            tdm_sip_put_text(&out, m.headers[i].line);
    tdm_sip_put(&out, "From: ");
    tdm_sip_put_text(&out, m.from);
    tdm_sip_put(&out, "\r\nTo: ");
    tdm_sip_put_text(&out, m.to);
    tdm_sip_put(&out, ";tag=d");
    tdm_sip_put_number(&out, at);
    tdm_sip_put(&out, "\r\nCall-ID: ");
    tdm_sip_put_text(&out, m.call_id);
    tdm_sip_put(&out, "\r\nCSeq: ");
    tdm_sip_put_text(&out, tdm_sip_value(&m, TDM_SIP_H_CSEQ));
    tdm_sip_put(&out, "\r\nContent-Length: 0\r\n\r\n");
    post(w, true, at, data, tdm_writer_size(&out));
}

/* A device remembers what it took, by its branch, Call-ID or the text itself. */
static void take_message(struct world *w, uint32_t at, const struct packet *p,
                         const struct tdm_sip_message *m)
{
    char body[32] = "";
    unsigned number;
    struct device *d = &w->devices[at];
    char id[48];

    (void)tdm_text_copy(m->body, body, sizeof body);
    (void)snprintf(id, sizeof id, "%.*s", (int)tdm_text_size(m->call_id), m->call_id.at);
    bool known = false;

    for (uint32_t i = 0; i < d->seen_count && i < SEEN; i++)
        known = known || strcmp(d->seen[i], id) == 0;
    reply(w, at, p->data, p->size, 200);
    if (known || sscanf(body, "text %u", &number) != 1 || number >= TEXTS)
        return;
    memcpy(d->seen[d->seen_count++ % SEEN], id, sizeof id);
    w->texts[number].received++;
    w->texts[number].twice = w->texts[number].twice || w->texts[number].by[at];
    w->texts[number].by[at] = true;
}

static void take_request(struct world *w, uint32_t at, const struct packet *p,
                         const struct tdm_sip_message *m)
{
    struct device *d = &w->devices[at];

    if (m->method == TDM_SIP_MESSAGE) {
        take_message(w, at, p, m);
    } else if (m->method == TDM_SIP_INVITE) {
        if (d->ringing) {
            if (tdm_text_equals(m->call_id, d->ringing_id))
                reply(w, at, p->data, p->size, 180);
            else
                reply(w, at, p->data, p->size, 486);
            return;
        }
        if (tdm_text_equals(m->call_id, d->ended_id))
            return; /* A late copy. */
        d->ringing = true;
        (void)tdm_text_copy(m->call_id, d->ringing_id, sizeof d->ringing_id);
        memcpy(d->ended_id, d->ringing_id, sizeof d->ended_id);
        memcpy(d->invite, p->data, p->size);
        d->invite_size = p->size;
        d->answer_at = chance(w, 0.5) ? w->now + tdm_rng_below(&w->rng, 8000) * TDM_MS : TDM_NEVER;
        reply(w, at, p->data, p->size, 180);
    } else if (m->method == TDM_SIP_CANCEL) {
        reply(w, at, p->data, p->size, 200);
        if (d->ringing && tdm_text_equals(m->call_id, d->ringing_id)) {
            d->ringing = false;
            reply(w, at, d->invite, d->invite_size, 487);
        }
    } else if (m->method != TDM_SIP_ACK) {
        reply(w, at, p->data, p->size, 200);
    }
}

static void device_due(struct world *w, uint32_t at)
{
    struct device *d = &w->devices[at];

    if (d->next <= w->now)
        act(w, at);
    if (d->ringing && d->answer_at <= w->now) {
        d->ringing = false;
        d->answer_at = TDM_NEVER;
        reply(w, at, d->invite, d->invite_size, chance(w, 0.7) ? 200 : 486);
    }
    for (int i = 0; i < ASKS; i++) {
        struct ask *a = &d->asks[i];

        if (a->kind == ASK_NOTHING)
            continue;
        if (a->until <= w->now) {
            end_ask(w, a, 408);
        } else if (a->cancel_at <= w->now && a->provisional) {
            send_beside(w, at, a, "CANCEL", tdm_text_of_string("<sip:x@" DOMAIN ">"));
            a->cancel_at = w->now + 2 * TDM_S; /* Again, if it is lost. */
        } else if (a->again <= w->now && !(a->kind == ASK_CALL && a->provisional)) {
            a->interval *= 2;
            a->again = w->now + a->interval;
            send_ask(w, at, a);
        }
    }
}

static tdm_time device_wakes(const struct device *d)
{
    tdm_time at = d->next;

    if (d->ringing)
        at = tdm_time_min(at, d->answer_at);
    for (int i = 0; i < ASKS; i++) {
        const struct ask *a = &d->asks[i];

        if (a->kind == ASK_NOTHING)
            continue;
        at = tdm_time_min(at, a->until);
        if (a->provisional)
            at = tdm_time_min(at, a->cancel_at);
        if (!(a->kind == ASK_CALL && a->provisional))
            at = tdm_time_min(at, a->again);
    }
    return at;
}

/* --- The run
 * ------------------------------------------------------------------------------------------- */

static void deliver(struct world *w, uint32_t index)
{
    static struct tdm_sip_message m;
    struct packet *p = w->packets[index];
    bool answerable;
    const char *fault;

    w->packets[index] = w->packets[--w->packet_count];
    if (p->to_server && w->core) {
        step(w, &(struct tdm_rdv_in){
                    .kind = TDM_RDV_MESSAGE,
                    .flow = {.remote = address_of(p->device), .local = server_address},
                    .data = p->data,
                    .size = p->size});
    } else if (!p->to_server && p->device < DEVICES && w->devices[p->device].on) {
        if (tdm_sip_read(&m, p->data, p->size, &answerable, &fault) != TDM_OK)
            w->failed = "the server sent what cannot be read";
        else if (m.request)
            take_request(w, p->device, p, &m);
        else
            take_answer(w, p->device, &m);
    } else if (!p->to_server && p->device < DEVICES &&
               tdm_sip_read(&m, p->data, p->size, &answerable, &fault) == TDM_OK && !m.request) {
        take_answer(w, p->device, &m); /* Signed off, and still there for its own requests. */
    }
    free(p);
}

static void run(struct world *w)
{
    while (w->now < ALL_TIME && !w->failed) {
        tdm_time next = ALL_TIME;
        uint32_t packet = PACKETS;

        for (uint32_t i = 0; i < w->packet_count; i++)
            if (w->packets[i]->at < next) {
                next = w->packets[i]->at;
                packet = i;
            }
        for (uint32_t i = 0; i < DEVICES; i++)
            next = tdm_time_min(next, device_wakes(&w->devices[i]));
        next = tdm_time_min(next, w->core ? w->out->wake_at : w->restart_at);
        w->now = tdm_time_max(next, w->now);
        if (!w->core && w->restart_at <= w->now)
            start_server(w);
        if (w->core && w->out->wake_at <= w->now)
            step(w, NULL);
        if (packet < PACKETS && w->packets[packet]->at <= w->now)
            deliver(w, packet);
        for (uint32_t i = 0; i < DEVICES; i++)
            if (device_wakes(&w->devices[i]) <= w->now)
                device_due(w, i);
    }
}

static void check(struct world *w)
{
    const struct tdm_rdv_stats *s = tdm_rdv_stats_of(w->core);

    for (uint32_t i = 0; i < w->text_count && !w->failed; i++) {
        if (w->texts[i].acked && !w->texts[i].received)
            w->failed = "a message that was taken never came";
        if (w->texts[i].twice && !w->crash_count && w->loss == 0)
            w->failed = "a message came twice to a device";
    }
    if (!w->failed && w->kept_count)
        w->failed = "a message is still kept although everybody is there";
    if (!w->failed && w->finals != w->calls)
        w->failed = "a call without a final answer";
    if (!w->failed && !w->crash_count)
        for (uint32_t i = 0; i < DEVICES; i++)
            if (w->devices[i].ringing && w->devices[i].answer_at == TDM_NEVER)
                w->failed = "a device rings for ever";
    if (!w->failed && (s->transactions || s->branches))
        w->failed = "a transaction was left";
    if (!w->failed && s->store_blocks_free != s->store_blocks)
        w->failed = "a block of memory was left";
}

static bool run_seed(uint64_t seed)
{
    static struct tdm_rdv_out out;
    struct world *w = calloc(1, sizeof *w);

    if (!w)
        abort();
    w->rng = tdm_rng_of(seed);
    w->loss = seed % 3 == 0 ? 0 : 0.02 * (double)(seed % 6);
    w->crashes = seed % 2;
    w->out = &out;
    w->config = (struct tdm_rdv_config){.domain = DOMAIN,
                                        .own_count = 1,
                                        .own = {server_address},
                                        .accounts = 8,
                                        .bindings = 32,
                                        .transactions = 512,
                                        .branches = 512,
                                        .subscriptions = 32,
                                        .publications = 16,
                                        .source_rate = 100000,
                                        .total_rate = 100000,
                                        .store_bytes = 1u << 20};
    w->storage_size = tdm_rdv_bytes(&w->config);
    w->storage = malloc(w->storage_size);
    for (uint32_t i = 0; i < DEVICES; i++)
        w->devices[i] = (struct device){.user = i % USERS, .answer_at = TDM_NEVER};
    start_server(w);
    run(w);
    if (!w->core)
        start_server(w);
    check(w);
    if (w->failed)
        printf("seed %llu: %s (crashes %u, texts %u, calls %u, final %u)\n",
               (unsigned long long)seed, w->failed, w->crash_count, w->text_count, w->calls,
               w->finals);
    bool good = !w->failed;

    while (w->packet_count)
        free(w->packets[--w->packet_count]);
    while (w->record_count)
        free(w->records[--w->record_count]);
    free(w->storage);
    free(w);
    return good;
}

int main(int argc, char **argv)
{
    unsigned long first = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    unsigned long failures = 0;

    for (unsigned long seed = first; seed < first + count; seed++)
        failures += !run_seed(seed);
    printf("%lu seeds, %lu failed\n", count, failures);
    return failures != 0;
}
