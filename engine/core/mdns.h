/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_MDNS_H
#define TDM_CORE_MDNS_H

/*
 * Who tells a network of his services, and who looks for them, by multicast DNS (RFC 6762, 6763):
 * two step machines, one of each on one interface. The announcer makes sure that its name is free,
 * tells of itself, answers, and says goodbye; the finder asks, with growing pauses, and keeps what
 * it hears until it expires. Sockets are not their business, nor which datagrams come from this
 * network: the driver gives them no others.
 *
 * The host's own name has 64 random bits, so conflicts are looked for in names of instances alone.
 */

#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/wire/dns_sd.h"

#define TDM_MDNS_SERVICES_MAX  3
#define TDM_MDNS_ADDRESSES_MAX 6
#define TDM_MDNS_TEXT_MAX      400
#define TDM_MDNS_FOUND_MAX     32
#define TDM_MDNS_SENDS_MAX     2
#define TDM_MDNS_RECORDS_MAX   (4 * TDM_MDNS_SERVICES_MAX + TDM_MDNS_ADDRESSES_MAX)

struct tdm_mdns_in {
    const uint8_t *data; /* A datagram; NULL: none. */
    size_t size;
    struct tdm_address from;
    bool leave; /* Announcer: say goodbye; nothing follows. */
};

struct tdm_mdns_send {
    struct tdm_address to; /* Family NONE: everybody, the group. */
    size_t size;
    uint8_t data[TDM_DNS_MESSAGE_MAX];
};

struct tdm_mdns_out {
    uint32_t send_count;
    struct tdm_mdns_send sends[TDM_MDNS_SENDS_MAX];
    bool changed; /* Finder: what was found. Announcer: its name or state. */
    tdm_time wake_at;
};

/* --- The announcer ---------------------------------------------------------------------------- */

struct tdm_mdns_announcer_config {
    const char *instance; /* What people read; "NAME (2)" when another one has it. */
    struct {
        const char *type; /* "_sip._udp" */
        uint16_t port;
    } services[TDM_MDNS_SERVICES_MAX];
    uint32_t service_count;
    struct tdm_address addresses[TDM_MDNS_ADDRESSES_MAX]; /* Of this interface. */
    uint32_t address_count;
    uint8_t text[TDM_MDNS_TEXT_MAX]; /* Of all services: tdm_dns_text_add. */
    uint16_t text_size;
    uint64_t seed;
};

enum tdm_mdns_state { TDM_MDNS_PROBING, TDM_MDNS_ANNOUNCING, TDM_MDNS_ANNOUNCED, TDM_MDNS_LEFT };

/** Owner: the thread that announces (or a test). Does not borrow. */
struct tdm_mdns_announcer {
    enum tdm_mdns_state state;
    struct tdm_rng rng;
    char base[TDM_DNS_LABEL_MAX + 1], instance[TDM_DNS_LABEL_MAX + 1];
    uint32_t number; /* Of the instance's name, from 1. */
    uint32_t service_count, address_count;
    uint16_t ports[TDM_MDNS_SERVICES_MAX];
    struct tdm_dns_name types[TDM_MDNS_SERVICES_MAX], names[TDM_MDNS_SERVICES_MAX], host, all;
    struct tdm_address addresses[TDM_MDNS_ADDRESSES_MAX];
    uint8_t text[TDM_MDNS_TEXT_MAX];
    uint16_t text_size;
    uint32_t sent;       /* Probes or announcements. */
    uint32_t conflicts;  /* Ever. */
    tdm_time at;         /* The next of those. */
    uint32_t pending;    /* Records that are owed to all, as bits, */
    tdm_time pending_at; /* and when. */
    uint32_t defended;   /* Those that may go sooner: somebody probes for them. */
    tdm_time told_at[TDM_MDNS_RECORDS_MAX]; /* Each to all. */
    tdm_time ration_at; /* Answers to single askers are rationed by the second. */
    uint32_t rationed;
};

/** TDM_E_MALFORMED: a name or the text is too long. */
enum tdm_err tdm_mdns_announcer_init(struct tdm_mdns_announcer *a,
                                     const struct tdm_mdns_announcer_config *config, tdm_time now);
void tdm_mdns_announcer_step(struct tdm_mdns_announcer *a, tdm_time now,
                             const struct tdm_mdns_in *in, struct tdm_mdns_out *out);

/* --- The finder ------------------------------------------------------------------------------- */

/** One instance of one service. */
struct tdm_mdns_found {
    uint32_t service; /* Index in the config. */
    struct tdm_dns_name instance, host;
    tdm_time heard, expires;
    bool has_place, has_text;
    uint16_t priority, port;
    uint8_t text[TDM_MDNS_TEXT_MAX]; /* What was longer is not kept. */
    uint16_t text_size;
    uint32_t address_count;
    struct tdm_address addresses[TDM_MDNS_ADDRESSES_MAX]; /* With the port. */
};

struct tdm_mdns_finder {
    struct tdm_rng rng;
    uint32_t service_count, found_count;
    struct tdm_dns_name types[TDM_MDNS_SERVICES_MAX];
    struct tdm_mdns_found found[TDM_MDNS_FOUND_MAX];
    tdm_time ask_at, pause;
    tdm_time resolve_at, resolve_pause; /* For what is not whole yet. */
};

/** `types` like "_sip._udp". TDM_E_MALFORMED: one is no name. */
enum tdm_err tdm_mdns_finder_init(struct tdm_mdns_finder *f, const char *const *types,
                                  uint32_t count, uint64_t seed, tdm_time now);
void tdm_mdns_finder_step(struct tdm_mdns_finder *f, tdm_time now, const struct tdm_mdns_in *in,
                          struct tdm_mdns_out *out);
/** Whether a place, a text and an address are known: what a client needs. */
bool tdm_mdns_found_whole(const struct tdm_mdns_found *found);

#endif
