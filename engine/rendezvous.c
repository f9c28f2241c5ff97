/* SPDX-License-Identifier: MIT */
#include "engine/rendezvous.h"

#include "engine/base/ring.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/http.h"
#include "engine/io/interfaces.h"
#include "engine/io/lan_announce.h"
#include "engine/io/server_store.h"
#include "engine/io/sip_sockets.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "engine/rendezvous_report.h"
#include "signalling/rendezvous.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOOK_EVERY (1 * TDM_S) /* At what others changed, at least. */
#define WALL_EVERY (60 * TDM_S)
#define AT_ONCE    256 /* Messages; then it is looked around. */
#define LINKS      8192
#define HOST_LINKS 1024

struct tdm_rendezvous {
    struct tdm_rdv_config core_config;
    char domain[128], address[TDM_ADDRESS_TEXT_MAX];
    struct tdm_sip_sockets *sockets;
    struct tdm_server_store *store;
    struct tdm_http *http;             /* NULL: not wanted. */
    struct tdm_lan_announce *announce; /* NULL: not wanted, or not possible. */
    struct tdm_rdv *core;              /* Under the lock, with its figures. */
    size_t core_bytes;
    uint32_t links; /* A copy, under the lock. */
    struct tdm_rdv_out out;
    tdm_time wall_told;
    int wake;
    bool accounts_old; /* The store has others than the core knows. */
    bool started;
    atomic_bool stopping;
    pthread_t thread;
    pthread_mutex_t lock;
};

static int64_t wall_s(tdm_time now)
{
    return (now + tdm_clock_wall_offset()) / TDM_S;
}

/* --- What the core asks for ---------------------------------------------------------------------
 */

static bool keep(struct tdm_rendezvous *s, const struct tdm_rdv_store *ask)
{
    switch (ask->kind) {
    case TDM_RDV_STORE_RECORD:
        return tdm_server_store_put(s->store, ask->key, ask->data, ask->size, ask->expires_s,
                                    NULL) == TDM_OK;
    case TDM_RDV_STORE_REMOVE:
        return tdm_server_store_remove(s->store, ask->key, NULL) == TDM_OK;
    case TDM_RDV_STORE_KEEP:
        return tdm_server_store_keep(s->store,
                                     &(struct tdm_server_message){.user = ask->user,
                                                                  .from = ask->from,
                                                                  .type = ask->type,
                                                                  .id = ask->id,
                                                                  .sent_s = ask->sent_s,
                                                                  .data = ask->data,
                                                                  .size = ask->size},
                                     NULL) == TDM_OK;
    case TDM_RDV_STORE_DELIVERED:
        return tdm_server_store_delivered(s->store, ask->user, ask->id, NULL) == TDM_OK;
    case TDM_RDV_STORE_NOTHING:
        break;
    }
    return true;
}

/* The oldest message kept for out.fetch_user, as an input. */
static struct tdm_rdv_in fetch(struct tdm_rendezvous *s, char user[TDM_RDV_USER_MAX])
{
    struct tdm_server_message m;
    struct tdm_rdv_in in = {.kind = TDM_RDV_KEPT, .user = user};

    memcpy(user, s->out.fetch_user, TDM_RDV_USER_MAX);
    if (tdm_server_store_oldest(s->store, user, &m) != TDM_OK)
        return in;
    in.id = m.id;
    in.key = m.from;
    in.type = m.type;
    in.data = m.data;
    in.size = m.size;
    in.sent_s = m.sent_s;
    return in;
}

static void send_all(struct tdm_rendezvous *s)
{
    for (uint32_t i = 0; i < s->out.send_count; i++) {
        const struct tdm_rdv_send *send = &s->out.send[i];

        if (send->flow.transport == TDM_RDV_UDP || send->flow.link)
            tdm_sip_sockets_send(s->sockets, send->flow.link, &send->flow.local, &send->flow.remote,
                                 send->data, send->size);
    }
}

/* One input and all that follows from it. */
static void step(struct tdm_rendezvous *s, tdm_time now, const struct tdm_rdv_in *first)
{
    struct tdm_rdv_in in;
    char user[TDM_RDV_USER_MAX];

    (void)pthread_mutex_lock(&s->lock);
    tdm_rdv_step(s->core, now, first, &s->out);
    for (;;) {
        send_all(s);
        if (s->out.store.kind != TDM_RDV_STORE_NOTHING) {
            bool kept = keep(s, &s->out.store);

            in = first ? *first : (struct tdm_rdv_in){.kind = TDM_RDV_MESSAGE};
            in.kind = kept ? TDM_RDV_STORED : TDM_RDV_NOT_STORED;
        } else if (s->out.fetch) {
            in = fetch(s, user);
        } else if (s->out.close_link) {
            in =
                (struct tdm_rdv_in){.kind = TDM_RDV_LINK_DOWN, .flow = {.link = s->out.close_link}};
            tdm_sip_sockets_close_link(s->sockets, s->out.close_link);
        } else {
            break;
        }
        tdm_rdv_step(s->core, now, &in, &s->out);
    }
    s->links = tdm_sip_sockets_links(s->sockets);
    (void)pthread_mutex_unlock(&s->lock);
}

/* --- The thread
 * ----------------------------------------------------------------------------------- */

static void take(struct tdm_rendezvous *s, tdm_time now, const struct tdm_sip_arrival *a)
{
    static const uint8_t transports[] = {[TDM_SIP_OVER_UDP] = TDM_RDV_UDP,
                                         [TDM_SIP_OVER_TCP] = TDM_RDV_TCP,
                                         [TDM_SIP_OVER_TLS] = TDM_RDV_TLS};

    step(s, now,
         &(struct tdm_rdv_in){.kind = a->down ? TDM_RDV_LINK_DOWN : TDM_RDV_MESSAGE,
                              .flow = {.transport = transports[a->over],
                                       .link = a->link,
                                       .remote = a->from,
                                       .local = a->to},
                              .data = a->data,
                              .size = a->size});
}

static enum tdm_err load_accounts(struct tdm_rendezvous *s, tdm_time now, struct tdm_cause *cause)
{
    struct tdm_server_row row;
    enum tdm_err err = tdm_server_store_list(s->store, TDM_SERVER_ACCOUNTS, 0, cause);

    while (err == TDM_OK && (err = tdm_server_store_next(s->store, &row)) == TDM_OK)
        if (strcmp(row.account.realm, s->domain) == 0)
            step(s, now,
                 &(struct tdm_rdv_in){.kind = TDM_RDV_ACCOUNT,
                                      .user = row.account.user,
                                      .name = row.account.name,
                                      .ha1_md5 = row.account.ha1_md5,
                                      .ha1_sha256 = row.account.ha1_sha256,
                                      .locked = row.account.locked});
    if (err != TDM_E_GONE) /* Not the end of the list: nobody is taken for deleted. */
        return tdm_fail(cause, err, "the server's accounts cannot be read");
    step(s, now, &(struct tdm_rdv_in){.kind = TDM_RDV_ACCOUNTS_END});
    return TDM_OK;
}

static enum tdm_err load(struct tdm_rendezvous *s, tdm_time now, struct tdm_cause *cause)
{
    struct tdm_server_row row;
    enum tdm_err err = load_accounts(s, now, cause);

    if (err == TDM_OK)
        err = tdm_server_store_list(s->store, TDM_SERVER_RECORDS, wall_s(now), cause);
    while (err == TDM_OK && tdm_server_store_next(s->store, &row) == TDM_OK)
        step(s, now,
             &(struct tdm_rdv_in){.kind = TDM_RDV_RECORD,
                                  .key = row.key,
                                  .data = row.data,
                                  .size = row.size,
                                  .expires_s = row.expires_s});
    if (err == TDM_OK)
        err = tdm_server_store_list(s->store, TDM_SERVER_WAITING, 0, cause);
    while (err == TDM_OK && tdm_server_store_next(s->store, &row) == TDM_OK)
        step(s, now,
             &(struct tdm_rdv_in){
                 .kind = TDM_RDV_WAITING, .user = row.user, .count = row.count, .size = row.size});
    return err;
}

static void look_around(struct tdm_rendezvous *s, tdm_time now)
{
    const struct tdm_http_request *request;

    s->accounts_old |= tdm_server_store_changed(s->store);
    if (s->accounts_old)
        s->accounts_old = load_accounts(s, now, NULL) != TDM_OK;
    if (now >= s->wall_told + WALL_EVERY) {
        s->wall_told = now;
        step(s, now, &(struct tdm_rdv_in){.kind = TDM_RDV_WALL, .wall_s = wall_s(now)});
    }
    while (s->http && tdm_http_next(s->http, &request) == TDM_OK)
        tdm_rendezvous_report(s->http, request, s->core, s->domain, s->links);
}

static void *run(void *arg)
{
    struct tdm_rendezvous *s = arg;

    while (!atomic_load_explicit(&s->stopping, memory_order_acquire)) {
        struct tdm_sip_arrival arrival;
        tdm_time now = tdm_clock_now();
        int taken = 0;

        /* First, so that who got an account just now may sign in. */
        look_around(s, now);
        while (taken < AT_ONCE && tdm_sip_sockets_next(s->sockets, now, &arrival) == TDM_OK) {
            take(s, now, &arrival);
            now = tdm_clock_now();
            taken++;
        }
        do
            step(s, now, NULL);
        while (s->out.wake_at <= now);
        if (taken < AT_ONCE)
            tdm_sip_sockets_wait(s->sockets, tdm_time_min(s->out.wake_at, now + LOOK_EVERY));
    }
    return NULL;
}

/* --- Setting up
 * ----------------------------------------------------------------------------------- */

static enum tdm_err add_listens(struct tdm_sip_sockets_config *sockets,
                                const struct tandem_server_config *config,
                                const struct tdm_address *host, uint16_t port)
{
    static const enum tdm_sip_over kinds[] = {TDM_SIP_OVER_UDP, TDM_SIP_OVER_TCP, TDM_SIP_OVER_TLS};

    for (int i = 0; i < 3; i++) {
        struct tdm_sip_listen *l = &sockets->listens[sockets->listen_count];

        if (kinds[i] == TDM_SIP_OVER_TLS && !config->sips_port)
            continue;
        if (sockets->listen_count == TDM_SIP_LISTEN_MAX)
            return TDM_E_MALFORMED;
        *l = (struct tdm_sip_listen){.over = kinds[i], .address = *host};
        l->address.port = kinds[i] == TDM_SIP_OVER_TLS ? config->sips_port : port;
        sockets->listen_count++;
    }
    return TDM_OK;
}

static bool is_all(const struct tdm_address *a)
{
    static const uint8_t zeros[16];

    return memcmp(a->bytes, zeros, sizeof zeros) == 0;
}

static enum tdm_err open_sockets(struct tdm_rendezvous *s,
                                 const struct tandem_server_config *config,
                                 const struct tdm_identity *identity, struct tdm_cause *cause)
{
    struct tdm_sip_sockets_config sockets = {
        .identity = identity, .links = LINKS, .host_links = HOST_LINKS};
    const char *list = config->listen ? config->listen : "::";
    struct tdm_address first = {.family = TDM_ADDRESS_NONE};
    char item[64];

    while (*list) {
        size_t size = strcspn(list, ",");
        struct tdm_address host;

        (void)snprintf(item, sizeof item, "%.*s", (int)size, list);
        if (tdm_address_parse(&host, item, 0) != TDM_OK ||
            add_listens(&sockets, config, &host, s->core_config.udp_port) != TDM_OK)
            return tdm_fail(cause, TDM_E_MALFORMED,
                            "\"%s\": up to five numeric addresses to listen on", item);
        if (first.family == TDM_ADDRESS_NONE)
            first = host;
        list += size;
        list += *list == ',';
    }
    if (is_all(&first))
        first = s->core_config.own_count ? s->core_config.own[0] : first;
    for (uint32_t i = 0; i < s->core_config.own_count && !config->listen; i++)
        if (s->core_config.own[i].family == TDM_IPV4) {
            first = s->core_config.own[i];
            break;
        }
    first.port = s->core_config.udp_port;
    tdm_address_text(&first, s->address);
    return tdm_sip_sockets_create(&s->sockets, &sockets, cause);
}

static void choose_domain(struct tdm_rendezvous *s, const struct tandem_server_config *config)
{
    if (config->domain)
        (void)snprintf(s->domain, sizeof s->domain, "%s", config->domain);
    else if (tdm_server_store_realm(s->store, s->domain, sizeof s->domain) != TDM_OK)
        (void)snprintf(s->domain, sizeof s->domain, "tandem");
}

static enum tdm_err make_core(struct tdm_rendezvous *s, const struct tandem_server_config *config,
                              struct tdm_cause *cause)
{
    struct tdm_rdv_config *c = &s->core_config;
    tdm_time now = tdm_clock_now();

    *c = (struct tdm_rdv_config){.domain = s->domain,
                                 .udp_port = config->sip_port ? config->sip_port : 5060,
                                 .tls_port = config->sips_port,
                                 .bindings = config->devices,
                                 .source_rate = config->source_rate,
                                 .total_rate = config->total_rate,
                                 .wall_s = wall_s(now),
                                 .seed = tdm_entropy_u64()};
    c->own_count = (uint8_t)tdm_interfaces_list(c->own, TDM_INTERFACES_MAX);
    tdm_entropy(c->key, sizeof c->key);
    s->core_bytes = tdm_rdv_bytes(c);
    /* Pages that are never touched cost nothing. */
    void *storage = mmap(NULL, s->core_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (storage == MAP_FAILED)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for so many devices");
    s->core = tdm_rdv_init(storage, c, now);
    return TDM_OK;
}

static enum tdm_err open_http(struct tdm_rendezvous *s, const struct tandem_server_config *config,
                              struct tdm_cause *cause)
{
    if (!config->http_port)
        return TDM_OK;
    enum tdm_err err =
        tdm_http_open(&s->http, &(struct tdm_http_config){.port = config->http_port}, cause);

    return err == TDM_OK ? tdm_sip_sockets_watch(s->sockets, tdm_http_fd(s->http), cause) : err;
}

static enum tdm_err open_store(struct tdm_rendezvous *s, const struct tandem_server_config *config,
                               struct tdm_cause *cause)
{
    char path[512];

    if (!config->store_path && !tdm_server_state_path("serve.db", path, sizeof path))
        return tdm_fail(cause, TDM_E_SYSTEM, "no home folder: name a file for the accounts");
    return tdm_server_store_open(&s->store, config->store_path ? config->store_path : path, cause);
}

/* Tells the network; who cannot be told, signs in by the address. */
static void announce(struct tdm_rendezvous *s, const struct tandem_server_config *config,
                     const struct tdm_identity *identity)
{
    struct tdm_address only[TDM_LAN_ONLY_MAX];
    char fingerprint[2 * TDM_FINGERPRINT_BYTES + 1] = "", item[64];
    const char *list = config->listen ? config->listen : "";
    struct tdm_lan_announce_config c = {.domain = s->domain,
                                        .fingerprint = fingerprint,
                                        .udp_port = s->core_config.udp_port,
                                        .tcp_port = s->core_config.udp_port,
                                        .tls_port = identity ? config->sips_port : 0,
                                        .only = only};

    while (*list && c.only_count < TDM_LAN_ONLY_MAX) {
        size_t size = strcspn(list, ",");

        (void)snprintf(item, sizeof item, "%.*s", (int)size, list);
        if (tdm_address_parse(&only[c.only_count], item, 0) == TDM_OK &&
            !is_all(&only[c.only_count]))
            c.only_count++;
        list += size;
        list += *list == ',';
    }
    for (size_t i = 0; identity && i < TDM_FINGERPRINT_BYTES; i++)
        (void)snprintf(fingerprint + 2 * i, 3, "%02X", tdm_identity_fingerprint(identity)[i]);
    (void)tdm_lan_announce_start(&s->announce, &c, NULL);
}

static enum tdm_err start(struct tdm_rendezvous *s, const struct tandem_server_config *config,
                          const struct tdm_identity *identity, struct tdm_cause *cause)
{
    enum tdm_err err = open_store(s, config, cause);

    if (err != TDM_OK)
        return err;
    choose_domain(s, config);
    err = make_core(s, config, cause);
    if (err == TDM_OK)
        err = open_sockets(s, config, identity, cause);
    s->wake = tdm_wake_open(cause);
    if (err == TDM_OK && s->wake < 0)
        err = TDM_E_SYSTEM;
    if (err == TDM_OK)
        err = tdm_sip_sockets_watch(s->sockets, s->wake, cause);
    if (err == TDM_OK)
        err = open_http(s, config, cause);
    if (err == TDM_OK)
        err = load(s, tdm_clock_now(), cause);
    if (err == TDM_OK)
        err = tdm_thread_start(&s->thread, "tdm-rendezvous", TDM_PRIORITY_NORMAL, run, s, NULL,
                               cause);
    s->started = err == TDM_OK;
    if (s->started && !config->no_announcement)
        announce(s, config, identity);
    return err;
}

enum tdm_err tdm_rendezvous_create(struct tdm_rendezvous **rendezvous,
                                   const struct tandem_server_config *config,
                                   const struct tdm_identity *identity, struct tdm_cause *cause)
{
    struct tdm_rendezvous *s = calloc(1, sizeof *s);

    *rendezvous = NULL;
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for a server");
    s->wake = -1;
    (void)pthread_mutex_init(&s->lock, NULL);
    enum tdm_err err = start(s, config, identity, cause);

    if (err == TDM_OK)
        *rendezvous = s;
    else
        tdm_rendezvous_destroy(s);
    return err;
}

void tdm_rendezvous_destroy(struct tdm_rendezvous *s)
{
    if (!s)
        return;
    tdm_lan_announce_stop(s->announce);
    if (s->started) {
        atomic_store_explicit(&s->stopping, true, memory_order_release);
        tdm_wake_signal(s->wake);
        (void)pthread_join(s->thread, NULL);
    }
    if (s->http)
        tdm_http_close(s->http);
    tdm_sip_sockets_destroy(s->sockets);
    tdm_server_store_close(s->store);
    if (s->wake >= 0)
        (void)close(s->wake);
    if (s->core)
        (void)munmap(s->core, s->core_bytes);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

void tdm_rendezvous_stats(struct tdm_rendezvous *s, struct tandem_server_stats *stats)
{
    (void)pthread_mutex_lock(&s->lock);
    struct tdm_rdv_stats c = *tdm_rdv_stats_of(s->core);
    uint32_t links = s->links;

    (void)pthread_mutex_unlock(&s->lock);
    (void)snprintf(stats->domain, sizeof stats->domain, "%s", s->domain);
    (void)snprintf(stats->sip_address, sizeof stats->sip_address, "%s", s->address);
    stats->http_port = s->http ? tdm_http_port(s->http) : 0;
    stats->announced = s->announce != NULL;
    stats->accounts = c.accounts;
    stats->devices = c.bindings;
    stats->subscriptions = c.subscriptions;
    stats->transactions = c.transactions;
    stats->connections = links;
    stats->requests = c.requests;
    stats->registers = c.registers;
    stats->calls = c.calls;
    stats->calls_answered = c.calls_answered;
    stats->messages = c.messages;
    stats->messages_kept = c.messages_kept;
    stats->refused_passwords = c.wrong_passwords;
    stats->limited = c.limited_source + c.limited_total + c.limited_failures + c.full;
    stats->store_failures = c.store_failures;
}
