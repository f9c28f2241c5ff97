/* SPDX-License-Identifier: MIT */
#include "engine/core/mdns.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FIRST_PAUSE   TDM_S
#define LONGEST_PAUSE (3600 * TDM_S) /* RFC 6762 section 5.2 */
#define RESOLVE_SOON  (150 * TDM_MS) /* Who answers tells the rest unasked. */
#define GOODBYE       TDM_S          /* Section 10.1. */
#define TTL_MAX_S     4500
#define RECORDS_MAX   128

enum tdm_err tdm_mdns_finder_init(struct tdm_mdns_finder *f, const char *const *types,
                                  uint32_t count, uint64_t seed, tdm_time now)
{
    char text[80];
    enum tdm_err err = TDM_OK;

    *f = (struct tdm_mdns_finder){.rng = tdm_rng_of(seed),
                                  .service_count = count,
                                  .pause = FIRST_PAUSE,
                                  .resolve_at = TDM_NEVER};
    assert(count <= TDM_MDNS_SERVICES_MAX);
    f->ask_at = now + (tdm_time)(20 + tdm_rng_below(&f->rng, 101)) * TDM_MS;
    for (uint32_t i = 0; i < count && err == TDM_OK; i++) {
        (void)snprintf(text, sizeof text, "%s.local", types[i]);
        err = tdm_dns_name_of(&f->types[i], text);
    }
    return err;
}

bool tdm_mdns_found_whole(const struct tdm_mdns_found *found)
{
    return found->has_place && found->has_text && found->address_count > 0;
}

/* --- What it hears ---------------------------------------------------------------------------- */

static tdm_time expiry(tdm_time now, uint32_t ttl_s)
{
    return ttl_s ? now + (ttl_s < TTL_MAX_S ? ttl_s : TTL_MAX_S) * TDM_S : now + GOODBYE;
}

static bool hear_pointer(struct tdm_mdns_finder *f, tdm_time now, const struct tdm_dns_record *r)
{
    uint32_t service = 0, i = 0;

    while (service < f->service_count && !tdm_dns_name_equal(&r->name, &f->types[service]))
        service++;
    if (service == f->service_count || !tdm_dns_name_is_under(&r->target, &f->types[service]))
        return false;
    while (i < f->found_count && !tdm_dns_name_equal(&f->found[i].instance, &r->target))
        i++;
    if (i == f->found_count && (!r->ttl_s || i == TDM_MDNS_FOUND_MAX))
        return false;
    bool is_new = i == f->found_count;

    if (is_new) {
        f->found[i] = (struct tdm_mdns_found){.service = service, .instance = r->target};
        f->found_count++;
        f->resolve_at = now + RESOLVE_SOON;
        f->resolve_pause = FIRST_PAUSE;
    }
    f->found[i].heard = now;
    f->found[i].expires = expiry(now, r->ttl_s);
    return is_new;
}

static bool hear_place(struct tdm_mdns_found *found, tdm_time now, const struct tdm_dns_record *r)
{
    if (!r->ttl_s) {
        found->expires = tdm_time_min(found->expires, now + GOODBYE);
        return false;
    }
    if (found->has_place && found->port == r->port && tdm_dns_name_equal(&found->host, &r->target))
        return false;
    found->has_place = true;
    found->priority = r->priority;
    found->port = r->port;
    found->host = r->target;
    found->address_count = 0;
    return true;
}

static bool hear_text(struct tdm_mdns_found *found, const struct tdm_dns_record *r)
{
    bool same = found->has_text && found->text_size == r->text_size &&
                (!r->text_size || memcmp(found->text, r->text, r->text_size) == 0);

    if (same || r->text_size > TDM_MDNS_TEXT_MAX || !r->ttl_s)
        return false;
    found->has_text = true;
    found->text_size = r->text_size;
    if (r->text_size)
        memcpy(found->text, r->text, r->text_size);
    return true;
}

static bool hear_address(struct tdm_mdns_found *found, const struct tdm_dns_record *r)
{
    struct tdm_address address = r->address;

    if (!found->has_place || !tdm_dns_name_equal(&found->host, &r->name) || !r->ttl_s)
        return false;
    address.port = found->port;
    for (uint32_t i = 0; i < found->address_count; i++)
        if (tdm_address_equal(&found->addresses[i], &address))
            return false;
    if (found->address_count == TDM_MDNS_ADDRESSES_MAX)
        return false;
    found->addresses[found->address_count++] = address;
    return true;
}

static bool hear_record(struct tdm_mdns_finder *f, tdm_time now, const struct tdm_dns_record *r)
{
    bool changed = false;

    if (r->type == TDM_DNS_PTR)
        return hear_pointer(f, now, r);
    for (uint32_t i = 0; i < f->found_count; i++) {
        struct tdm_mdns_found *found = &f->found[i];

        if (r->type == TDM_DNS_A || r->type == TDM_DNS_AAAA)
            changed |= hear_address(found, r);
        else if (!tdm_dns_name_equal(&found->instance, &r->name))
            continue;
        else if (r->type == TDM_DNS_SRV)
            changed |= hear_place(found, now, r);
        else if (r->type == TDM_DNS_TXT)
            changed |= hear_text(found, r);
    }
    return changed;
}

/* Instances first, then their places and texts, then the addresses of those: in whatever order they
 * stand. */
static bool hear(struct tdm_mdns_finder *f, tdm_time now, const struct tdm_mdns_in *in)
{
    static const uint16_t turns[][2] = {
        {TDM_DNS_PTR, TDM_DNS_PTR}, {TDM_DNS_SRV, TDM_DNS_TXT}, {TDM_DNS_A, TDM_DNS_AAAA}};
    bool changed = false;

    for (size_t turn = 0; turn < sizeof turns / sizeof *turns; turn++) {
        struct tdm_dns_reader reader;
        struct tdm_dns_record r;

        if (tdm_dns_read(&reader, in->data, in->size) != TDM_OK || !reader.response)
            return false;
        for (int n = 0; n < RECORDS_MAX && tdm_dns_read_record(&reader, &r) == TDM_OK; n++)
            if (r.type == turns[turn][0] || r.type == turns[turn][1])
                changed |= hear_record(f, now, &r);
    }
    return changed;
}

static bool forget_expired(struct tdm_mdns_finder *f, tdm_time now)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < f->found_count; i++)
        if (f->found[i].expires > now) {
            if (kept != i)
                f->found[kept] = f->found[i];
            kept++;
        }
    bool changed = kept != f->found_count;

    f->found_count = kept;
    return changed;
}

/* --- What it asks ----------------------------------------------------------------------------- */

/* All types, and what is known for more than half of its time. */
static void ask_all(struct tdm_mdns_finder *f, tdm_time now, struct tdm_mdns_send *send)
{
    struct tdm_dns_writer w;

    tdm_dns_write(&w, send->data, sizeof send->data, 0, false);
    for (uint32_t i = 0; i < f->service_count; i++) {
        struct tdm_dns_question q = {.name = f->types[i], .type = TDM_DNS_PTR};

        (void)tdm_dns_write_question(&w, &q);
    }
    for (uint32_t i = 0; i < f->found_count; i++) {
        const struct tdm_mdns_found *found = &f->found[i];
        struct tdm_dns_record known = {.name = f->types[found->service],
                                       .type = TDM_DNS_PTR,
                                       .target = found->instance,
                                       .ttl_s = (uint32_t)((found->expires - now) / TDM_S)};

        /* What does not fit is answered once more, and does no harm. */
        if (found->expires - now > (found->expires - found->heard) / 2)
            (void)tdm_dns_write_record(&w, &known);
    }
    send->size = tdm_dns_write_end(&w);
}

/* What is missing of those that are not whole. @return whether anything is. */
static bool ask_rest(struct tdm_mdns_finder *f, struct tdm_mdns_send *send)
{
    struct tdm_dns_writer w;
    bool asked = false;

    tdm_dns_write(&w, send->data, sizeof send->data, 0, false);
    for (uint32_t i = 0; i < f->found_count; i++) {
        const struct tdm_mdns_found *found = &f->found[i];
        const uint16_t types[] = {TDM_DNS_SRV, TDM_DNS_TXT, TDM_DNS_A, TDM_DNS_AAAA};
        const bool wanted[] = {!found->has_place, !found->has_text,
                               found->has_place && !found->address_count,
                               found->has_place && !found->address_count};

        for (int k = 0; k < 4; k++) {
            struct tdm_dns_question q = {.name = k < 2 ? found->instance : found->host,
                                         .type = types[k]};

            if (wanted[k] && tdm_dns_write_question(&w, &q) == TDM_OK)
                asked = true;
        }
    }
    send->size = tdm_dns_write_end(&w);
    return asked;
}

static void ask(struct tdm_mdns_finder *f, tdm_time now, struct tdm_mdns_out *out)
{
    if (now >= f->ask_at) {
        ask_all(f, now, &out->sends[out->send_count++]);
        f->ask_at = now + f->pause;
        f->pause = tdm_time_min(2 * f->pause, LONGEST_PAUSE);
    }
    if (now >= f->resolve_at) {
        f->resolve_at = TDM_NEVER;
        if (ask_rest(f, &out->sends[out->send_count])) {
            out->send_count++;
            f->resolve_at = now + f->resolve_pause;
            f->resolve_pause = tdm_time_min(2 * f->resolve_pause, LONGEST_PAUSE);
        }
    }
}

void tdm_mdns_finder_step(struct tdm_mdns_finder *f, tdm_time now, const struct tdm_mdns_in *in,
                          struct tdm_mdns_out *out)
{
    out->send_count = 0;
    out->sends[0].to = out->sends[1].to = (struct tdm_address){.family = TDM_ADDRESS_NONE};
    out->changed = forget_expired(f, now);
    if (in && in->data)
        out->changed |= hear(f, now, in);
    ask(f, now, out);
    out->wake_at = tdm_time_min(f->ask_at, f->resolve_at);
    for (uint32_t i = 0; i < f->found_count; i++)
        out->wake_at = tdm_time_min(out->wake_at, f->found[i].expires);
}
