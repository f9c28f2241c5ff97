/* SPDX-License-Identifier: MIT */
#include "engine/core/mdns.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MDNS_PORT      5353
#define PROBES         3
#define PROBE_EVERY    (250 * TDM_MS) /* RFC 6762 section 8.1 */
#define ANNOUNCEMENTS  2
#define ANNOUNCE_EVERY TDM_S          /* Section 8.3; and no record oftener, section 6. */
#define DEFEND_EVERY   (250 * TDM_MS) /* Section 6. */
#define LOST_WAIT      TDM_S          /* Section 8.2. */
#define CONFLICTS_MAX  15             /* Then slowly, section 8.1. */
#define SLOWLY         (5 * TDM_S)
#define SHARED_TTL_S   4500 /* Section 10. */
#define HOST_TTL_S     120
#define LEGACY_TTL_S   10 /* Section 6.7. */
#define RATION         20 /* Answers a second to single askers. */
#define QUESTIONS_MAX  32
#define RECORDS_MAX    128 /* Of a message that are looked at. */

enum part { PART_ALL, PART_POINTER, PART_PLACE, PART_TEXT, PARTS };

static uint32_t record_count(const struct tdm_mdns_announcer *a)
{
    return PARTS * a->service_count + a->address_count;
}

static uint32_t all_records(const struct tdm_mdns_announcer *a)
{
    return (1u << record_count(a)) - 1;
}

/* One of ours; its text borrows from `a`. */
static void record_of(const struct tdm_mdns_announcer *a, uint32_t index, struct tdm_dns_record *r)
{
    uint32_t service = index / PARTS;

    *r = (struct tdm_dns_record){.ttl_s = HOST_TTL_S, .flush = true};
    if (service >= a->service_count) {
        r->name = a->host;
        r->address = a->addresses[index - PARTS * a->service_count];
        r->type = r->address.family == TDM_IPV4 ? TDM_DNS_A : TDM_DNS_AAAA;
        return;
    }
    r->name = a->names[service];
    switch ((enum part)(index % PARTS)) {
    case PART_ALL: /* RFC 6763 section 9. */
    case PART_POINTER:
        r->name = index % PARTS == PART_ALL ? a->all : a->types[service];
        r->target = index % PARTS == PART_ALL ? a->types[service] : a->names[service];
        r->type = TDM_DNS_PTR;
        r->ttl_s = SHARED_TTL_S;
        r->flush = false;
        break;
    case PART_PLACE:
        r->type = TDM_DNS_SRV;
        r->port = a->ports[service];
        r->target = a->host;
        break;
    case PART_TEXT:
    case PARTS:
        r->type = TDM_DNS_TXT;
        r->text = a->text;
        r->text_size = a->text_size;
        r->ttl_s = SHARED_TTL_S;
        break;
    }
}

static bool is_shared(const struct tdm_mdns_announcer *a, uint32_t index)
{
    return index / PARTS < a->service_count && index % PARTS <= PART_POINTER;
}

static enum tdm_err choose_name(struct tdm_mdns_announcer *a)
{
    char tail[16] = "";

    if (a->number > 1)
        (void)snprintf(tail, sizeof tail, " (%u)", (unsigned)a->number);
    (void)snprintf(a->instance, sizeof a->instance, "%.*s%s",
                   (int)(TDM_DNS_LABEL_MAX - strlen(tail)), a->base, tail);
    for (uint32_t i = 0; i < a->service_count; i++)
        if (tdm_dns_name_under(&a->names[i], a->instance, &a->types[i]) != TDM_OK)
            return TDM_E_MALFORMED;
    return TDM_OK;
}

static void start_probing(struct tdm_mdns_announcer *a, tdm_time at)
{
    a->state = TDM_MDNS_PROBING;
    a->sent = 0;
    a->at = at;
    a->pending = 0;
}

static tdm_time draw(struct tdm_mdns_announcer *a, uint32_t from_ms, uint32_t to_ms)
{
    return (tdm_time)(from_ms + tdm_rng_below(&a->rng, to_ms - from_ms + 1)) * TDM_MS;
}

enum tdm_err tdm_mdns_announcer_init(struct tdm_mdns_announcer *a,
                                     const struct tdm_mdns_announcer_config *config, tdm_time now)
{
    char text[80];
    enum tdm_err err;

    *a = (struct tdm_mdns_announcer){.rng = tdm_rng_of(config->seed),
                                     .number = 1,
                                     .service_count = config->service_count,
                                     .address_count = config->address_count,
                                     .text_size = config->text_size};
    assert(a->service_count <= TDM_MDNS_SERVICES_MAX && a->address_count <= TDM_MDNS_ADDRESSES_MAX);
    (void)snprintf(a->base, sizeof a->base, "%s", config->instance);
    (void)snprintf(text, sizeof text, "tandem-%016llx.local",
                   (unsigned long long)tdm_rng_u64(&a->rng));
    memcpy(a->addresses, config->addresses, sizeof a->addresses);
    memcpy(a->text, config->text, sizeof a->text);
    err = tdm_dns_name_of(&a->host, text);
    if (err == TDM_OK)
        err = tdm_dns_name_of(&a->all, "_services._dns-sd._udp.local");
    for (uint32_t i = 0; i < a->service_count && err == TDM_OK; i++) {
        a->ports[i] = config->services[i].port;
        (void)snprintf(text, sizeof text, "%s.local", config->services[i].type);
        err = tdm_dns_name_of(&a->types[i], text);
    }
    for (uint32_t i = 0; i < TDM_MDNS_RECORDS_MAX; i++)
        a->told_at[i] = now - 3600 * TDM_S;
    a->ration_at = now;
    start_probing(a, now + draw(a, 0, 250));
    return err == TDM_OK ? choose_name(a) : err;
}

/* --- What it says ----------------------------------------------------------------------------- */

static struct tdm_mdns_send *next_send(struct tdm_mdns_out *out)
{
    struct tdm_mdns_send *send = &out->sends[out->send_count++];

    assert(out->send_count <= TDM_MDNS_SENDS_MAX);
    send->to = (struct tdm_address){.family = TDM_ADDRESS_NONE};
    return send;
}

/* What a record makes useful (RFC 6763 section 12). */
static uint32_t beside(const struct tdm_mdns_announcer *a, uint32_t records)
{
    uint32_t addresses = all_records(a) & ~((1u << PARTS * a->service_count) - 1);
    uint32_t more = 0;

    for (uint32_t i = 0; i < PARTS * a->service_count; i++) {
        uint32_t first = i - i % PARTS;

        if (!(records >> i & 1))
            continue;
        if (i % PARTS == PART_POINTER)
            more |= 1u << (first + PART_PLACE) | 1u << (first + PART_TEXT) | addresses;
        else if (i % PARTS == PART_PLACE)
            more |= addresses;
    }
    return more & ~records;
}

struct writing {
    enum tdm_dns_section section;
    uint32_t ttl_max_s;
    bool flush;
};

/* @return those that were written. */
static uint32_t write_records(const struct tdm_mdns_announcer *a, struct tdm_dns_writer *w,
                              uint32_t records, const struct writing *how)
{
    uint32_t written = 0;

    for (uint32_t i = 0; i < record_count(a); i++) {
        struct tdm_dns_record r;

        if (!(records >> i & 1))
            continue;
        record_of(a, i, &r);
        r.section = how->section;
        r.ttl_s = r.ttl_s < how->ttl_max_s ? r.ttl_s : how->ttl_max_s;
        r.flush = r.flush && how->flush;
        if (tdm_dns_write_record(w, &r) != TDM_OK)
            break;
        written |= 1u << i;
    }
    return written;
}

static void send_probe(const struct tdm_mdns_announcer *a, struct tdm_mdns_out *out)
{
    const struct writing how = {TDM_DNS_AUTHORITY, UINT32_MAX, false};
    struct tdm_mdns_send *send = next_send(out);
    struct tdm_dns_writer w;
    uint32_t proposed = 0;

    tdm_dns_write(&w, send->data, sizeof send->data, 0, false);
    for (uint32_t i = 0; i < a->service_count; i++) {
        struct tdm_dns_question q = {.name = a->names[i], .type = TDM_DNS_ANY};

        (void)tdm_dns_write_question(&w, &q);
        proposed |= 1u << (PARTS * i + PART_PLACE) | 1u << (PARTS * i + PART_TEXT);
    }
    (void)write_records(a, &w, proposed, &how);
    send->size = tdm_dns_write_end(&w);
}

static void send_goodbye(const struct tdm_mdns_announcer *a, struct tdm_mdns_out *out)
{
    const struct writing how = {TDM_DNS_ANSWER, 0, true};
    struct tdm_mdns_send *send = next_send(out);
    struct tdm_dns_writer w;
    uint32_t records = 0;

    for (uint32_t i = 0; i < a->service_count; i++)
        records |= 1u << (PARTS * i + PART_POINTER) | 1u << (PARTS * i + PART_PLACE);
    tdm_dns_write(&w, send->data, sizeof send->data, 0, true);
    (void)write_records(a, &w, records, &how);
    send->size = tdm_dns_write_end(&w);
}

/* What is owed and may be said now; the rest waits for its second. */
static void send_pending(struct tdm_mdns_announcer *a, tdm_time now, struct tdm_mdns_out *out)
{
    const struct writing how = {TDM_DNS_ANSWER, UINT32_MAX, true};
    const struct writing more = {TDM_DNS_ADDITIONAL, UINT32_MAX, true};
    struct tdm_mdns_send *send;
    struct tdm_dns_writer w;
    uint32_t ready = 0, written;
    tdm_time later = TDM_NEVER;

    for (uint32_t i = 0; i < record_count(a); i++) {
        tdm_time at = a->told_at[i] + (a->defended >> i & 1 ? DEFEND_EVERY : ANNOUNCE_EVERY);

        if (!(a->pending >> i & 1))
            continue;
        if (at <= now)
            ready |= 1u << i;
        else
            later = tdm_time_min(later, at);
    }
    a->pending_at = later;
    if (!ready)
        return;
    send = next_send(out);
    tdm_dns_write(&w, send->data, sizeof send->data, 0, true);
    written = write_records(a, &w, ready, &how);
    if (written == ready)
        written |= write_records(a, &w, beside(a, ready) & ~a->pending, &more);
    else
        a->pending_at = now; /* In the next message. */
    send->size = tdm_dns_write_end(&w);
    for (uint32_t i = 0; i < record_count(a); i++)
        if (written >> i & 1)
            a->told_at[i] = now;
    a->pending &= ~written;
    a->defended &= ~written;
}

static void advance(struct tdm_mdns_announcer *a, tdm_time now, struct tdm_mdns_out *out)
{
    if (a->state == TDM_MDNS_PROBING && now >= a->at) {
        if (a->sent < PROBES) {
            send_probe(a, out);
            a->sent++;
            a->at = now + PROBE_EVERY;
        } else {
            a->state = TDM_MDNS_ANNOUNCING;
            a->sent = 0;
            out->changed = true;
        }
    }
    if (a->state == TDM_MDNS_ANNOUNCING && now >= a->at) {
        a->pending |= all_records(a);
        a->pending_at = now;
        a->at = now + ANNOUNCE_EVERY;
        if (++a->sent == ANNOUNCEMENTS) {
            a->state = TDM_MDNS_ANNOUNCED;
            out->changed = true;
        }
    }
    if (a->pending && now >= a->pending_at)
        send_pending(a, now, out);
}

/* --- What it hears ---------------------------------------------------------------------------- */

static void conflict(struct tdm_mdns_announcer *a, tdm_time now, struct tdm_mdns_out *out)
{
    a->conflicts++;
    if (a->state == TDM_MDNS_PROBING) { /* He has it: another one. Else it is asked for again. */
        a->number = a->number < 9999 ? a->number + 1 : 2;
        (void)choose_name(a);
    }
    start_probing(a, now + (a->conflicts > CONFLICTS_MAX ? SLOWLY : draw(a, 0, 250)));
    out->changed = true;
}

/* The one of ours that says the same; record_count: none. */
static uint32_t same_as(const struct tdm_mdns_announcer *a, const struct tdm_dns_record *r)
{
    struct tdm_dns_record ours;
    uint32_t i = 0;

    for (; i < record_count(a); i++) {
        record_of(a, i, &ours);
        if (tdm_dns_record_equal(&ours, r))
            break;
    }
    return i;
}

/* Somebody else's answer: one that we owe, too, or one that contradicts. */
static void hear_answer(struct tdm_mdns_announcer *a, tdm_time now, const struct tdm_dns_record *r,
                        struct tdm_mdns_out *out)
{
    uint32_t same = same_as(a, r);
    struct tdm_dns_record ours;

    if (same < record_count(a)) {
        record_of(a, same, &ours);
        if (r->ttl_s >= ours.ttl_s / 2 && a->state == TDM_MDNS_ANNOUNCED)
            a->pending &= ~(1u << same); /* RFC 6762 section 7.4. */
        return;
    }
    if ((r->type != TDM_DNS_SRV && r->type != TDM_DNS_TXT) || r->ttl_s == 0)
        return;
    for (uint32_t i = 0; i < a->service_count; i++)
        if (tdm_dns_name_equal(&r->name, &a->names[i])) {
            conflict(a, now, out);
            return;
        }
}

static int compare_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    size_t size = a_size < b_size ? a_size : b_size;
    int order = size ? memcmp(a, b, size) : 0;

    return order ? order : a_size < b_size ? -1 : a_size > b_size;
}

static size_t place_bytes(const struct tdm_dns_record *r, uint8_t bytes[6 + TDM_DNS_NAME_MAX])
{
    struct tdm_writer w = tdm_writer_of(bytes, 6 + TDM_DNS_NAME_MAX);

    tdm_write_u16(&w, r->priority);
    tdm_write_u16(&w, r->weight);
    tdm_write_u16(&w, r->port);
    tdm_write_bytes(&w, r->target.bytes, r->target.size);
    return tdm_writer_size(&w);
}

/* Two probe for one name: the later record wins (RFC 6762 section 8.2). < 0: ours is earlier. */
static int compare_proposal(const struct tdm_mdns_announcer *a, const struct tdm_dns_record *theirs)
{
    uint8_t bytes[2][6 + TDM_DNS_NAME_MAX];
    struct tdm_dns_record ours;

    if (theirs->type == TDM_DNS_TXT)
        return compare_bytes(a->text, a->text_size, theirs->text, theirs->text_size);
    for (uint32_t i = 0; i < a->service_count; i++) {
        record_of(a, PARTS * i + PART_PLACE, &ours);
        if (tdm_dns_name_equal(&ours.name, &theirs->name))
            return compare_bytes(bytes[0], place_bytes(&ours, bytes[0]), bytes[1],
                                 place_bytes(theirs, bytes[1]));
    }
    return 0;
}

static bool has_name(const struct tdm_mdns_announcer *a, const struct tdm_dns_name *name)
{
    for (uint32_t i = 0; i < a->service_count; i++)
        if (tdm_dns_name_equal(&a->names[i], name))
            return true;
    return false;
}

struct asked {
    uint32_t records, single;      /* Bits; `single`: those that the asker wants for itself. */
    struct tdm_dns_question first; /* That we answer; for who knows no multicast. */
    bool probed;
};

static void hear_question(const struct tdm_mdns_announcer *a, const struct tdm_dns_question *q,
                          struct asked *asked)
{
    for (uint32_t i = 0; i < record_count(a); i++) {
        struct tdm_dns_record r;

        record_of(a, i, &r);
        if ((q->type != r.type && q->type != TDM_DNS_ANY) || !tdm_dns_name_equal(&q->name, &r.name))
            continue;
        if (!asked->records)
            asked->first = *q;
        asked->records |= 1u << i;
        if (q->unicast)
            asked->single |= 1u << i;
    }
}

/* Known answers and proposals of a query. */
static void hear_rest(struct tdm_mdns_announcer *a, tdm_time now, struct tdm_dns_reader *reader,
                      struct asked *asked)
{
    struct tdm_dns_record r, ours;
    int order = 0, text_order = 0;

    for (int n = 0; n < RECORDS_MAX && tdm_dns_read_record(reader, &r) == TDM_OK; n++) {
        uint32_t same = r.section == TDM_DNS_ANSWER ? same_as(a, &r) : record_count(a);

        if (same < record_count(a)) {
            record_of(a, same, &ours);
            if (r.ttl_s >= ours.ttl_s / 2) /* RFC 6762 section 7.1. */
                asked->records &= ~(1u << same);
        }
        if (r.section != TDM_DNS_AUTHORITY || !has_name(a, &r.name))
            continue;
        asked->probed = true;
        if (r.type == TDM_DNS_TXT && !text_order)
            text_order = compare_proposal(a, &r);
        else if (r.type == TDM_DNS_SRV && !order)
            order = compare_proposal(a, &r);
    }
    if (a->state == TDM_MDNS_PROBING && (text_order ? text_order : order) < 0)
        start_probing(a, now + LOST_WAIT);
}

static bool take_ration(struct tdm_mdns_announcer *a, tdm_time now)
{
    if (now >= a->ration_at + TDM_S) {
        a->ration_at = now;
        a->rationed = 0;
    }
    return a->rationed++ < RATION;
}

/* To the asker alone; one who knows no multicast DNS gets what he would of a plain server. */
static void answer_single(struct tdm_mdns_announcer *a, const struct tdm_address *to,
                          const struct asked *asked, uint32_t records, uint16_t id,
                          struct tdm_mdns_out *out)
{
    bool legacy = to->port != MDNS_PORT;
    const struct writing how = {TDM_DNS_ANSWER, legacy ? LEGACY_TTL_S : UINT32_MAX, !legacy};
    const struct writing more = {TDM_DNS_ADDITIONAL, how.ttl_max_s, how.flush};
    struct tdm_mdns_send *send = next_send(out);
    struct tdm_dns_question q = asked->first;
    struct tdm_dns_writer w;

    send->to = *to;
    q.unicast = false;
    tdm_dns_write(&w, send->data, sizeof send->data, legacy ? id : 0, true);
    if (legacy)
        (void)tdm_dns_write_question(&w, &q);
    if (write_records(a, &w, records, &how) == records)
        (void)write_records(a, &w, beside(a, records), &more);
    send->size = tdm_dns_write_end(&w);
}

static void hear_query(struct tdm_mdns_announcer *a, tdm_time now, const struct tdm_mdns_in *in,
                       struct tdm_dns_reader *reader, struct tdm_mdns_out *out)
{
    struct asked asked = {.records = 0};
    struct tdm_dns_question q;
    bool shared = false, legacy = in->from.port != MDNS_PORT;
    uint32_t single = 0;

    for (int n = 0; n < QUESTIONS_MAX && tdm_dns_read_question(reader, &q) == TDM_OK; n++)
        hear_question(a, &q, &asked);
    hear_rest(a, now, reader, &asked);
    if (a->state == TDM_MDNS_PROBING || !asked.records)
        return;
    for (uint32_t i = 0; i < record_count(a); i++) {
        struct tdm_dns_record r;

        record_of(a, i, &r);
        shared |= (asked.records >> i & 1) && is_shared(a, i);
        /* Unless all have it to be reminded of (RFC 6762 section 5.4). */
        if (legacy || ((asked.single >> i & 1) && now < a->told_at[i] + r.ttl_s * TDM_S / 4))
            single |= asked.records & 1u << i;
    }
    if (single && !take_ration(a, now))
        return;
    if (single)
        answer_single(a, &in->from, &asked, single, reader->id, out);
    asked.records &= ~single;
    if (!asked.records)
        return;
    tdm_time at = now + (reader->truncated ? draw(a, 400, 500) : shared ? draw(a, 20, 120) : 0);

    a->pending_at = a->pending ? tdm_time_min(a->pending_at, at) : at;
    a->pending |= asked.records;
    a->defended |= asked.probed ? asked.records : 0;
}

static void hear(struct tdm_mdns_announcer *a, tdm_time now, const struct tdm_mdns_in *in,
                 struct tdm_mdns_out *out)
{
    struct tdm_dns_reader reader;
    struct tdm_dns_record r;
    uint32_t conflicts = a->conflicts;

    if (tdm_dns_read(&reader, in->data, in->size) != TDM_OK)
        return;
    if (!reader.response) {
        hear_query(a, now, in, &reader, out);
        return;
    }
    if (in->from.port != MDNS_PORT) /* RFC 6762 section 6. */
        return;
    for (int n = 0; n < RECORDS_MAX && tdm_dns_read_record(&reader, &r) == TDM_OK; n++)
        if (conflicts == a->conflicts)
            hear_answer(a, now, &r, out);
}

void tdm_mdns_announcer_step(struct tdm_mdns_announcer *a, tdm_time now,
                             const struct tdm_mdns_in *in, struct tdm_mdns_out *out)
{
    out->send_count = 0;
    out->changed = false;
    if (in && in->leave) {
        if (a->state == TDM_MDNS_ANNOUNCING || a->state == TDM_MDNS_ANNOUNCED)
            send_goodbye(a, out);
        a->state = TDM_MDNS_LEFT;
        a->pending = 0;
    }
    out->wake_at = TDM_NEVER;
    if (a->state == TDM_MDNS_LEFT)
        return;
    if (in && in->data)
        hear(a, now, in, out);
    advance(a, now, out);
    if (a->state != TDM_MDNS_ANNOUNCED)
        out->wake_at = a->at;
    if (a->pending)
        out->wake_at = tdm_time_min(out->wake_at, a->pending_at);
}
