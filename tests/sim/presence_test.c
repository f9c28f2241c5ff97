/* SPDX-License-Identifier: MIT */
/*
 * presence_test FIRST COUNT: the cores of accounts, publications and subscriptions of four people
 * against the core of the server, in virtual time, over a network that loses, delays and copies;
 * the disk of the server fails now and then, and the server itself is killed between any two steps
 * and starts again from its store. All four change what they say of themselves, and each watches
 * the next one.
 *
 * For each seed, once the network is good again: everybody is registered, and sees what the one
 * that he watches said last; what he says then is seen within two seconds. When all have left:
 * nothing of anybody is at the server. A seed that fails is printed.
 */
#include "engine/base/rng.h"
#include "signalling/account.h"
#include "signalling/digest_auth.h"
#include "signalling/pidf.h"
#include "signalling/presence_publish.h"
#include "signalling/presence_watch.h"
#include "signalling/rendezvous.h"
#include "signalling/sip_message.h"

#include <stdio.h>
#include <stdlib.h>

#define PEOPLE     4
#define PACKETS    512
#define RECORDS    128
#define BYTES      4096
#define BUSY_TIME  (240 * TDM_S) /* In which things change and fail. */
#define QUIET_TIME (480 * TDM_S) /* By then all must be seen. */
#define ALL_TIME   (620 * TDM_S) /* By then all that was left behind has run out. */
#define DOMAIN     "sim.example"
#define WALL_S     1700000000

enum line_kind { REGISTER, PUBLISH, SUBSCRIBE, LINES };

static const char *const methods[] = {"REGISTER", "PUBLISH", "SUBSCRIBE"};

/* One request that is out, with its copies. */
struct line {
    bool out, answered; /* Answered: with credentials, which were refused once. */
    char call_id[32], to_tag[64], branch[40], text[BYTES];
    uint32_t cseq, attempt, expires_s;
    tdm_time again, interval, until;
    enum tdm_publish_what say;
    char etag[TDM_PUBLISH_ETAG_MAX];
};

struct person {
    struct tdm_account account;
    struct tdm_publish publish;
    struct tdm_watch watch;
    tdm_time account_wakes, publish_wakes, watch_wakes, change_at;
    struct line lines[LINES];
    struct tdm_digest_challenge challenge;
    uint32_t nc, said, serial; /* said: the number in the note. */
    bool stopped;
    uint32_t seen, seen_cseq; /* Of the one that is watched: the note; 0: none. */
    char seen_in[32];         /* The dialog of seen_cseq. */
};

struct packet {
    tdm_time at;
    bool to_server;
    uint32_t person;
    size_t size;
    uint8_t data[BYTES];
};

struct record {
    char key[TDM_RDV_KEY_MAX];
    size_t size;
    int64_t expires_s;
    uint8_t data[TDM_RDV_RECORD_BYTES];
};

struct world {
    struct tdm_rng rng;
    tdm_time now, restart_at;
    double loss;
    bool crashes;
    uint32_t standing; /* Turns of the loop without a moment passing. */
    uint32_t crash_count, packet_count, record_count;
    struct packet *packets[PACKETS];
    struct record *records[RECORDS];
    struct person people[PEOPLE];
    struct tdm_rdv_config config;
    struct tdm_rdv *core; /* NULL: it is dead. */
    struct tdm_rdv_out *out;
    void *storage;
    size_t storage_size;
    const char *failed;
};

static struct tdm_address address_of(uint32_t person)
{
    return (struct tdm_address){
        .family = TDM_IPV4, .bytes = {10, 0, 0, (uint8_t)(10 + person)}, .port = 5060};
}

static const struct tdm_address server_address = {
    .family = TDM_IPV4, .bytes = {10, 0, 0, 1}, .port = 5060};

static bool busy(const struct world *w)
{
    return w->now < BUSY_TIME;
}

static bool chance(struct world *w, double p)
{
    return busy(w) && tdm_rng_chance(&w->rng, p);
}

static void post(struct world *w, bool to_server, uint32_t person, const void *data, size_t size)
{
    int copies = chance(w, w->loss) ? 0 : chance(w, 0.02) ? 2 : 1;

    for (int i = 0; i < copies && w->packet_count < PACKETS && size <= BYTES; i++) {
        struct packet *p = malloc(sizeof *p);

        if (!p)
            abort();
        *p = (struct packet){.at = w->now + (1 + tdm_rng_below(&w->rng, 40)) * TDM_MS,
                             .to_server = to_server,
                             .person = person,
                             .size = size};
        memcpy(p->data, data, size);
        w->packets[w->packet_count++] = p;
    }
}

/* --- The server's driver, which may die ------------------------------------------------------- */

static bool dies(struct world *w)
{
    if (!w->crashes || !chance(w, 0.01))
        return false;
    w->core = NULL;
    w->crash_count++;
    w->restart_at = w->now + TDM_S + tdm_rng_below(&w->rng, 3000) * TDM_MS;
    return true;
}

static void write_record(struct world *w, const struct tdm_rdv_store *s)
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

static void step(struct world *w, const struct tdm_rdv_in *first)
{
    tdm_rdv_step(w->core, w->now, first, w->out);
    for (;;) {
        for (uint32_t i = 0; i < w->out->send_count; i++) {
            if (dies(w))
                return;
            post(w, false, w->out->send[i].flow.remote.bytes[3] - 10u, w->out->send[i].data,
                 w->out->send[i].size);
        }
        if (w->out->store.kind == TDM_RDV_STORE_NOTHING)
            return;
        bool good = !chance(w, 0.02); /* A full disk. */
        struct tdm_rdv_in in = first ? *first : (struct tdm_rdv_in){.kind = TDM_RDV_MESSAGE};

        if (dies(w))
            return;
        if (good)
            write_record(w, &w->out->store);
        if (dies(w))
            return;
        in.kind = good ? TDM_RDV_STORED : TDM_RDV_NOT_STORED;
        tdm_rdv_step(w->core, w->now, &in, w->out);
    }
}

static void start_server(struct world *w)
{
    char user[8], md5[TDM_DIGEST_HEX_MAX], sha256[TDM_DIGEST_HEX_MAX];
    bool crashes = w->crashes;

    memset(w->storage, 0, w->storage_size);
    for (int i = 0; i < 32; i++)
        w->config.key[i] = (uint8_t)tdm_rng_u32(&w->rng);
    w->config.seed = tdm_rng_u64(&w->rng);
    w->config.wall_s = WALL_S + w->now / TDM_S;
    w->core = tdm_rdv_init(w->storage, &w->config, w->now);
    w->crashes = false; /* Not while it reads its store. */
    for (uint32_t i = 0; i < PEOPLE; i++) {
        (void)snprintf(user, sizeof user, "p%u", i);
        tdm_digest_ha1(TDM_DIGEST_MD5, user, DOMAIN, "password", md5);
        tdm_digest_ha1(TDM_DIGEST_SHA256, user, DOMAIN, "password", sha256);
        step(w, &(struct tdm_rdv_in){
                    .kind = TDM_RDV_ACCOUNT, .user = user, .ha1_md5 = md5, .ha1_sha256 = sha256});
    }
    for (uint32_t i = 0; i < w->record_count; i++)
        if (w->records[i]->expires_s > w->config.wall_s)
            step(w, &(struct tdm_rdv_in){.kind = TDM_RDV_RECORD,
                                         .key = w->records[i]->key,
                                         .data = w->records[i]->data,
                                         .size = w->records[i]->size,
                                         .expires_s = w->records[i]->expires_s});
    w->crashes = crashes;
}

/* --- Requests of people ------------------------------------------------------------------------
 */

static void put_credentials(struct person *p, uint32_t me, const char *method, const char *uri,
                            char *line, size_t room)
{
    char user[8], value[1000];

    line[0] = '\0';
    if (!p->challenge.nonce[0])
        return;
    (void)snprintf(user, sizeof user, "p%u", me);
    const struct tdm_digest_request r = {.user = user,
                                         .password = "password",
                                         .method = method,
                                         .uri = uri,
                                         .cnonce = "cn",
                                         .nc = ++p->nc};

    if (tdm_digest_answer(&p->challenge, &r, value, sizeof value) == TDM_OK)
        (void)snprintf(line, room, "Authorization: %s\r\n", value);
}

/* What device `me` says of its user. */
static void put_document(const struct world *w, uint32_t me, char *body, size_t room)
{
    static struct tdm_pidf pidf;
    size_t size;

    memset(&pidf, 0, sizeof pidf);
    (void)snprintf(pidf.entity, sizeof pidf.entity, "sip:p%u@" DOMAIN, me);
    pidf.tuple_count = 1;
    pidf.tuples[0] =
        (struct tdm_presence_tuple){.open = true, .timestamp_s = WALL_S + w->now / TDM_S};
    (void)snprintf(pidf.tuples[0].id, sizeof pidf.tuples[0].id, "desk");
    (void)snprintf(pidf.tuples[0].note, sizeof pidf.tuples[0].note, "%u", w->people[me].said);
    if (tdm_pidf_write(&pidf, body, room, &size) != TDM_OK)
        abort();
}

static void send_line(struct world *w, uint32_t me, enum line_kind kind)
{
    struct person *p = &w->people[me];
    struct line *l = &p->lines[kind];
    uint32_t about = kind == SUBSCRIBE ? (me + 1) % PEOPLE : me;
    char uri[64], credentials[1200], body[2048] = "", more[300] = "", to_tag[80] = "";
    char text[BYTES];

    if (kind == REGISTER)
        (void)snprintf(uri, sizeof uri, "sip:" DOMAIN);
    else
        (void)snprintf(uri, sizeof uri, "sip:p%u@" DOMAIN, about);
    put_credentials(p, me, methods[kind], uri, credentials, sizeof credentials);
    if (kind == SUBSCRIBE)
        (void)snprintf(more, sizeof more, "Event: presence\r\n");
    if (kind == SUBSCRIBE && l->to_tag[0])
        (void)snprintf(to_tag, sizeof to_tag, ";tag=%s", l->to_tag);
    if (kind == PUBLISH)
        (void)snprintf(more, sizeof more, "Event: presence\r\n%s%s%s%s",
                       l->etag[0] ? "SIP-If-Match: " : "", l->etag, l->etag[0] ? "\r\n" : "",
                       l->say == TDM_PUBLISH_SAY ? "Content-Type: " TDM_PIDF_TYPE "\r\n" : "");
    if (kind == PUBLISH && l->say == TDM_PUBLISH_SAY)
        put_document(w, me, body, sizeof body);
    (void)snprintf(l->branch, sizeof l->branch, "z9hG4bKp%u-%u", me, ++p->serial);
    (void)snprintf(text, sizeof text,
                   "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.%u:5060;rport;branch=%s\r\n"
                   "Max-Forwards: 70\r\nFrom: <sip:p%u@" DOMAIN ">;tag=f%u\r\nTo: <sip:p%u@" DOMAIN
                   ">%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:p%u@10.0.0.%u:5060>\r\n"
                   "Expires: %u\r\n%s%sContent-Length: %zu\r\n\r\n%s",
                   methods[kind], uri, 10 + me, l->branch, me, me, about, to_tag, l->call_id,
                   ++l->cseq, methods[kind], me, 10 + me, l->expires_s, more, credentials,
                   strlen(body), body);
    memcpy(l->text, text, sizeof l->text);
    l->out = true;
    l->interval = 500 * TDM_MS;
    l->again = w->now + l->interval;
    post(w, true, me, l->text, strlen(l->text));
}

/* A request, and not the same one with credentials. */
static void begin_line(struct world *w, uint32_t me, enum line_kind kind, bool dialog)
{
    struct person *p = &w->people[me];
    struct line *l = &p->lines[kind];

    if (!dialog) {
        (void)snprintf(l->call_id, sizeof l->call_id, "c%u-%u", me, ++p->serial);
        l->to_tag[0] = '\0';
    }
    l->answered = false;
    l->until = w->now + 32 * TDM_S;
    send_line(w, me, kind);
}

/* --- The cores ---------------------------------------------------------------------------------
 */

static void step_account(struct world *w, uint32_t me, const struct tdm_account_in *in)
{
    struct person *p = &w->people[me];
    struct tdm_account_out out;

    tdm_account_step(&p->account, w->now, in, &out);
    while (out.action == TDM_ACCOUNT_DO_LOOK_UP)
        tdm_account_step(&p->account, w->now,
                         &(struct tdm_account_in){.kind = TDM_ACCOUNT_LOOKED_UP,
                                                  .attempt = out.attempt,
                                                  .address_count = 1},
                         &out);
    p->account_wakes = out.wake_at;
    if (out.action != TDM_ACCOUNT_DO_SEND)
        return;
    p->lines[REGISTER].attempt = out.attempt;
    p->lines[REGISTER].expires_s = out.expires_s;
    begin_line(w, me, REGISTER, p->lines[REGISTER].call_id[0] != '\0');
}

static void step_publish(struct world *w, uint32_t me, const struct tdm_publish_in *in)
{
    struct person *p = &w->people[me];
    struct line *l = &p->lines[PUBLISH];
    struct tdm_publish_out out;

    tdm_publish_step(&p->publish, w->now, in, &out);
    p->publish_wakes = out.wake_at;
    if (out.what == TDM_PUBLISH_NOTHING)
        return;
    l->say = out.what;
    l->expires_s = out.expires_s;
    memcpy(l->etag, out.etag, sizeof l->etag);
    begin_line(w, me, PUBLISH, false);
}

static void step_watch(struct world *w, uint32_t me, const struct tdm_watch_in *in)
{
    struct person *p = &w->people[me];
    struct tdm_watch_out out;

    tdm_watch_step(&p->watch, w->now, in, &out);
    p->watch_wakes = out.wake_at;
    if (out.what == TDM_WATCH_NOTHING)
        return;
    p->lines[SUBSCRIBE].expires_s = out.expires_s;
    begin_line(w, me, SUBSCRIBE, out.what != TDM_WATCH_SUBSCRIBE);
}

static uint32_t number_in(const struct tdm_sip_message *m, enum tdm_sip_header_kind kind)
{
    struct tdm_text value = tdm_sip_value(m, kind);
    uint64_t number = 0;

    return tdm_text_number(&value, UINT32_MAX, &number) ? (uint32_t)number : 0;
}

/* Over: an answer, or (m NULL) none. */
static void end_line(struct world *w, uint32_t me, enum line_kind kind,
                     const struct tdm_sip_message *m, enum tdm_account_challenge challenge)
{
    struct line *l = &w->people[me].lines[kind];
    uint16_t code = m ? m->status : 0;
    uint32_t expires_s = m ? number_in(m, TDM_SIP_H_EXPIRES) : 0;
    uint32_t retry_after_s = m ? number_in(m, TDM_SIP_H_RETRY_AFTER) : 0;
    char etag[TDM_PUBLISH_ETAG_MAX] = "";

    l->out = false;
    if (kind == REGISTER) {
        step_account(w, me,
                     &(struct tdm_account_in){.kind = m ? TDM_ACCOUNT_ANSWERED : TDM_ACCOUNT_FAILED,
                                              .attempt = l->attempt,
                                              .code = code,
                                              .challenge = challenge,
                                              .expires_s = l->expires_s < 120 ? l->expires_s : 120,
                                              .retry_after_s = retry_after_s});
    } else if (kind == PUBLISH) {
        if (m)
            (void)tdm_text_copy(tdm_sip_value(m, TDM_SIP_H_ETAG), etag, sizeof etag);
        step_publish(w, me,
                     &(struct tdm_publish_in){.kind = TDM_PUBLISH_DONE,
                                              .code = code,
                                              .etag = etag[0] ? etag : NULL,
                                              .expires_s = expires_s,
                                              .retry_after_s = retry_after_s});
    } else {
        if (m && code < 300)
            (void)tdm_text_copy(m->to_tag, l->to_tag, sizeof l->to_tag);
        step_watch(w, me,
                   &(struct tdm_watch_in){.kind = TDM_WATCH_ANSWERED,
                                          .code = code,
                                          .expires_s = expires_s,
                                          .retry_after_s = retry_after_s});
    }
}

static bool take_challenge(struct person *p, struct line *l, const struct tdm_sip_message *m)
{
    for (uint32_t i = 0; i < m->header_count; i++) {
        struct tdm_digest_challenge c;
        struct tdm_text v = m->headers[i].value;

        if (m->headers[i].kind != TDM_SIP_H_OTHER ||
            tdm_digest_parse_challenge(v.at, tdm_text_size(v), &c) != TDM_OK)
            continue;
        if (l->answered && !c.stale)
            return false;
        l->answered = true;
        p->challenge = c;
        p->nc = 0;
        return true;
    }
    return false;
}

static void take_answer(struct world *w, uint32_t me, const struct tdm_sip_message *m)
{
    struct person *p = &w->people[me];

    for (int kind = 0; kind < LINES; kind++) {
        struct line *l = &p->lines[kind];
        bool asked = m->status == 401 || m->status == 407;

        if (!l->out || m->status < 200 || !tdm_text_equals(m->via.branch, l->branch))
            continue;
        bool can = asked && take_challenge(p, l, m);

        if (asked && !can)
            w->failed = "a right password was refused";
        if (can && kind != REGISTER) /* The account's core sends again by itself. */
            send_line(w, me, (enum line_kind)kind);
        else
            end_line(w, me, (enum line_kind)kind, m,
                     can ? TDM_ACCOUNT_CAN_ANSWER : TDM_ACCOUNT_WRONG_PASSWORD);
        return;
    }
}

/* --- NOTIFY ------------------------------------------------------------------------------------
 */

static void reply(struct world *w, uint32_t me, const struct tdm_sip_message *m, uint16_t code)
{
    uint8_t data[BYTES];
    struct tdm_writer out = tdm_writer_of(data, sizeof data);

    tdm_sip_put(&out, "SIP/2.0 ");
    tdm_sip_put_number(&out, code);
    tdm_sip_put(&out, " X\r\n");
    for (uint32_t i = 0; i < m->header_count; i++)
        if (m->headers[i].kind >= TDM_SIP_H_VIA && m->headers[i].kind <= TDM_SIP_H_CSEQ)
            tdm_sip_put_text(&out, m->headers[i].line);
    tdm_sip_put(&out, "Content-Length: 0\r\n\r\n");
    post(w, true, me, data, tdm_writer_size(&out));
}

static struct tdm_text header_named(const struct tdm_sip_message *m, const char *name)
{
    for (uint32_t i = 0; i < m->header_count; i++) {
        struct tdm_text line = m->headers[i].line;

        if (tdm_text_equals(tdm_sip_trim(tdm_text_until(&line, ':')), name))
            return m->headers[i].value;
    }
    return tdm_text_of_string("");
}

static void take_notify(struct world *w, uint32_t me, const struct tdm_sip_message *m)
{
    static struct tdm_pidf pidf;
    struct person *p = &w->people[me];
    struct tdm_text state = header_named(m, "Subscription-State"), reason;
    struct tdm_watch_in in = {.kind = TDM_WATCH_NOTIFIED, .state = TDM_WATCH_IS_PENDING};
    char text[32] = "";

    if (!tdm_text_equals(m->call_id, p->lines[SUBSCRIBE].call_id)) {
        reply(w, me, m, 481);
        return;
    }
    reply(w, me, m, 200);
    bool same = tdm_text_equals(m->call_id, p->seen_in);

    if (same && m->cseq <= p->seen_cseq)
        return; /* A copy, or one that was overtaken. */
    (void)tdm_text_copy(m->call_id, p->seen_in, sizeof p->seen_in);
    p->seen_cseq = m->cseq;
    if (tdm_sip_param(state, "reason", &reason) && tdm_text_copy(reason, text, sizeof text))
        in.reason = tdm_watch_reason_of(text);
    struct tdm_text word = tdm_sip_trim(tdm_text_until(&state, ';'));

    if (tdm_text_equals(word, "active"))
        in.state = TDM_WATCH_IS_ACTIVE;
    else if (tdm_text_equals(word, "terminated"))
        in.state = TDM_WATCH_IS_TERMINATED;
    in.expires_s = 120;
    p->seen = 0;
    if (tdm_pidf_parse(&pidf, m->body.at, tdm_text_size(m->body)) == TDM_OK && pidf.tuple_count &&
        pidf.tuples[0].open)
        p->seen = (uint32_t)strtoul(pidf.tuples[0].note, NULL, 10);
    step_watch(w, me, &in);
}

/* --- Time --------------------------------------------------------------------------------------
 */

static void person_due(struct world *w, uint32_t me)
{
    struct person *p = &w->people[me];

    if (p->change_at <= w->now) {
        p->said++;
        p->change_at = busy(w) ? w->now + (1 + tdm_rng_below(&w->rng, 30000)) * TDM_MS : TDM_NEVER;
        step_publish(w, me, &(struct tdm_publish_in){.kind = TDM_PUBLISH_CHANGED});
    }
    if (p->account_wakes <= w->now)
        step_account(w, me, NULL);
    if (p->publish_wakes <= w->now)
        step_publish(w, me, NULL);
    if (p->watch_wakes <= w->now)
        step_watch(w, me, NULL);
    for (int kind = 0; kind < LINES; kind++) {
        struct line *l = &p->lines[kind];

        if (l->out && l->until <= w->now) {
            end_line(w, me, (enum line_kind)kind, NULL, TDM_ACCOUNT_NO_CHALLENGE);
        } else if (l->out && l->again <= w->now) {
            l->interval = tdm_time_min(2 * l->interval, 4 * TDM_S);
            l->again = w->now + l->interval;
            post(w, true, me, l->text, strlen(l->text));
        }
    }
}

static tdm_time person_wakes(const struct person *p)
{
    tdm_time at = tdm_time_min(tdm_time_min(p->account_wakes, p->publish_wakes),
                               tdm_time_min(p->watch_wakes, p->change_at));

    for (int kind = 0; kind < LINES; kind++)
        if (p->lines[kind].out)
            at = tdm_time_min(at, tdm_time_min(p->lines[kind].again, p->lines[kind].until));
    return at;
}

static void deliver(struct world *w, uint32_t index)
{
    static struct tdm_sip_message m;
    struct packet *p = w->packets[index];
    bool answerable;
    const char *fault;

    w->packets[index] = w->packets[--w->packet_count];
    if (p->to_server && w->core)
        step(w, &(struct tdm_rdv_in){
                    .kind = TDM_RDV_MESSAGE,
                    .flow = {.remote = address_of(p->person), .local = server_address},
                    .data = p->data,
                    .size = p->size});
    else if (!p->to_server && tdm_sip_read(&m, p->data, p->size, &answerable, &fault) != TDM_OK)
        w->failed = "the server sent what cannot be read";
    else if (!p->to_server && m.request)
        take_notify(w, p->person, &m);
    else if (!p->to_server)
        take_answer(w, p->person, &m);
    free(p);
}

static void run_until(struct world *w, tdm_time end)
{
    while (w->now < end && !w->failed) {
        tdm_time next = end;
        uint32_t packet = PACKETS;

        for (uint32_t i = 0; i < w->packet_count; i++)
            if (w->packets[i]->at < next) {
                next = w->packets[i]->at;
                packet = i;
            }
        for (uint32_t i = 0; i < PEOPLE; i++)
            next = tdm_time_min(next, person_wakes(&w->people[i]));
        next = tdm_time_min(next, w->core ? w->out->wake_at : w->restart_at);
        w->standing = next > w->now ? 0 : w->standing + 1;
        if (w->standing > 10000)
            w->failed = "time stands still";
        w->now = tdm_time_max(next, w->now);
        if (!w->core && w->restart_at <= w->now)
            start_server(w);
        if (w->core && w->out->wake_at <= w->now)
            step(w, NULL);
        if (packet < PACKETS && w->packets[packet]->at <= w->now)
            deliver(w, packet);
        for (uint32_t i = 0; i < PEOPLE; i++)
            if (person_wakes(&w->people[i]) <= w->now)
                person_due(w, i);
    }
}

static void check_seen(struct world *w)
{
    const struct tdm_rdv_stats *s = tdm_rdv_stats_of(w->core);

    for (uint32_t i = 0; i < PEOPLE && !w->failed; i++) {
        const struct person *p = &w->people[i], *watched = &w->people[(i + 1) % PEOPLE];

        if (p->account.state != TDM_SIG_ACCOUNT_REGISTERED)
            w->failed = "somebody is not registered";
        else if (p->publish.dirty ||
                 (p->publish.phase != TDM_PUBLISH_STANDS && p->publish.asked == TDM_PUBLISH_SAY))
            w->failed = "what somebody said is not published";
        else if (p->watch.phase != TDM_WATCH_ACTIVE)
            w->failed = "somebody does not watch";
        else if (p->seen != watched->said)
            w->failed = "somebody sees what is old";
    }
    if (!w->failed && (s->bindings != PEOPLE || s->publications != PEOPLE))
        w->failed = "devices or documents were left";
}

/* On a good network a change is told at once, not with the next refresh. */
static void check_told(struct world *w)
{
    for (uint32_t i = 0; i < PEOPLE; i++) {
        w->people[i].said++;
        step_publish(w, i, &(struct tdm_publish_in){.kind = TDM_PUBLISH_CHANGED});
    }
    run_until(w, QUIET_TIME + 2 * TDM_S);
    if (!w->failed)
        check_seen(w);
}

static void check_empty(struct world *w)
{
    const struct tdm_rdv_stats *s = tdm_rdv_stats_of(w->core);

    if (!w->failed && (s->bindings || s->publications || s->subscriptions))
        w->failed = "something of somebody was left";
    if (!w->failed && (s->transactions || s->branches || s->store_blocks_free != s->store_blocks))
        w->failed = "memory was left";
    for (uint32_t i = 0; i < PEOPLE && !w->failed; i++)
        if (w->people[i].account.state != TDM_SIG_ACCOUNT_OFF)
            w->failed = "somebody did not leave";
}

static void come(struct world *w)
{
    for (uint32_t i = 0; i < PEOPLE; i++) {
        struct person *p = &w->people[i];

        p->said = 1;
        p->change_at = (1 + tdm_rng_below(&w->rng, 20000)) * TDM_MS;
        tdm_account_init(&p->account, &(struct tdm_account_config){.seed = tdm_rng_u64(&w->rng)});
        tdm_publish_init(&p->publish, tdm_rng_u64(&w->rng));
        tdm_watch_init(&p->watch, tdm_rng_u64(&w->rng));
        step_account(w, i, &(struct tdm_account_in){.kind = TDM_ACCOUNT_START});
        step_publish(w, i, &(struct tdm_publish_in){.kind = TDM_PUBLISH_START});
        step_watch(w, i, &(struct tdm_watch_in){.kind = TDM_WATCH_START});
    }
}

static void leave(struct world *w)
{
    for (uint32_t i = 0; i < PEOPLE; i++) {
        step_watch(w, i, &(struct tdm_watch_in){.kind = TDM_WATCH_STOP});
        step_publish(w, i, &(struct tdm_publish_in){.kind = TDM_PUBLISH_STOP});
        step_account(w, i, &(struct tdm_account_in){.kind = TDM_ACCOUNT_STOP});
    }
}

static bool run_seed(uint64_t seed)
{
    static struct tdm_rdv_out out;
    struct world *w = calloc(1, sizeof *w);

    if (!w)
        abort();
    w->rng = tdm_rng_of(seed);
    w->loss = seed % 3 == 0 ? 0 : 0.03 * (double)(seed % 6);
    w->crashes = seed % 2;
    w->out = &out;
    w->config = (struct tdm_rdv_config){.domain = DOMAIN,
                                        .own_count = 1,
                                        .own = {server_address},
                                        .accounts = 8,
                                        .bindings = 32,
                                        .transactions = 512,
                                        .branches = 512,
                                        .subscriptions = 64,
                                        .publications = 64,
                                        .user_publications = 30,
                                        .source_rate = 100000,
                                        .total_rate = 100000,
                                        .expires_max_s = 120,
                                        .store_bytes = 1u << 20};
    w->storage_size = tdm_rdv_bytes(&w->config);
    w->storage = malloc(w->storage_size);
    start_server(w);
    come(w);
    run_until(w, QUIET_TIME);
    if (!w->failed)
        check_seen(w);
    if (!w->failed)
        check_told(w);
    if (!w->failed)
        leave(w);
    run_until(w, ALL_TIME);
    check_empty(w);
    if (w->failed)
        printf("seed %llu: %s (%u crashes, at %lld ms)\n", (unsigned long long)seed, w->failed,
               w->crash_count, (long long)(w->now / TDM_MS));
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
