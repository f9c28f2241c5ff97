/* SPDX-License-Identifier: MIT */
/*
 * The thread that drives the TURN core over sockets. The lock is held around each step, so that
 * statistics are whole; nobody holds it for longer.
 */
#include "engine/server.h"

#include "engine/base/ring.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/interfaces.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "engine/rendezvous.h"
#include "engine/wire/stun.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS     256
#define WALL_EVERY (60 * TDM_S)
#define ROOM       (TDM_TURN_SERVER_ANSWER_MAX + 16384 + 4)

struct tandem_server {
    struct tdm_server_plan plan;
    struct tdm_identity *identity;
    struct tdm_rendezvous *rendezvous; /* NULL: without SIP. */
    struct tdm_turn_sockets *sockets;
    struct tdm_turn_server *core; /* Under the lock. */
    struct tdm_turn_server_out out;
    int wake, event_fd;
    bool started;
    atomic_bool stopping;
    pthread_t thread;
    pthread_mutex_t lock;
    tdm_time wall_told;
    struct tdm_ring events; /* Taken under the lock, since any thread may. */
    struct tandem_server_event slots[EVENTS];
    uint8_t message[ROOM];
};

static void address_text(const struct tdm_address *a, char text[TDM_ADDRESS_TEXT_MAX])
{
    text[0] = '\0';
    if (a->family != TDM_ADDRESS_NONE)
        tdm_address_text(a, text);
}

static void tell(struct tandem_server *s, const struct tdm_turn_server_out *out)
{
    static const enum tandem_server_event_kind kinds[] = {
        [TDM_TURN_SERVER_TOLD_ALLOCATED] = TANDEM_SERVER_ALLOCATED,
        [TDM_TURN_SERVER_TOLD_REFUSED] = TANDEM_SERVER_REFUSED,
        [TDM_TURN_SERVER_TOLD_ENDED] = TANDEM_SERVER_ENDED,
    };
    struct tandem_server_event event = {.kind = kinds[out->told],
                                        .code = out->code,
                                        .bytes_out = out->bytes_out,
                                        .bytes_in = out->bytes_in};
    const struct tdm_address *relay =
        &out->relayed[out->relayed[0].family == TDM_ADDRESS_NONE ? 1 : 0];

    (void)snprintf(event.user, sizeof event.user, "%s", out->user);
    (void)snprintf(event.text, sizeof event.text, "%s",
                   out->why    ? out->why
                   : out->code ? tdm_stun_reason(out->code)
                               : "");
    address_text(&out->client_address, event.client);
    address_text(relay, event.relay);
    if (tdm_ring_push(&s->events, &event) == TDM_OK)
        tdm_wake_signal(s->event_fd);
}

/* Head, payload and padding in one piece, as sockets want them. */
static void send_to_client(struct tandem_server *s, const struct tdm_turn_server_to_client *c)
{
    size_t size = c->size + c->payload_size + c->padding;

    if (size > sizeof s->message)
        return;
    memcpy(s->message, c->data, c->size);
    if (c->payload_size)
        memcpy(s->message + c->size, c->payload, c->payload_size);
    memset(s->message + c->size + c->payload_size, 0, c->padding);
    tdm_turn_sockets_answer(s->sockets, c->link, &c->from, &c->to, s->message, size);
}

/* What the core wants done; true: it has to hear what became of a relay. */
static bool perform(struct tandem_server *s, struct tdm_turn_server_in *next)
{
    const struct tdm_turn_server_out *out = &s->out;

    for (uint32_t i = 0; i < out->close_count; i++)
        tdm_turn_sockets_close_relay(s->sockets, out->close[i]);
    if (out->peer.relay != TDM_TURN_SERVER_NO_RELAY)
        tdm_turn_sockets_relay(s->sockets, out->peer.relay, &out->peer.to, out->peer.payload,
                               out->peer.payload_size);
    if (out->client.size)
        send_to_client(s, &out->client);
    if (out->told != TDM_TURN_SERVER_TOLD_NOTHING)
        tell(s, out);
    if (out->open == TDM_TURN_SERVER_NO_RELAY)
        return false;
    struct tdm_address at = s->plan.relay_bind[out->open_address.family == TDM_IPV6];

    at.port = out->open_address.port;
    bool opened = tdm_turn_sockets_open_relay(s->sockets, out->open, &at, NULL) == TDM_OK;

    *next = (struct tdm_turn_server_in){.kind = opened ? TDM_TURN_SERVER_RELAY_OPENED
                                                       : TDM_TURN_SERVER_RELAY_FAILED,
                                        .relay = out->open};
    return true;
}

static void step(struct tandem_server *s, tdm_time now, const struct tdm_turn_server_in *in)
{
    struct tdm_turn_server_in next;
    uint32_t link = in && in->kind == TDM_TURN_SERVER_MESSAGE ? in->link : 0;

    (void)pthread_mutex_lock(&s->lock);
    tdm_turn_server_step(s->core, now, in, &s->out);
    bool close_link = s->out.close_link;

    while (perform(s, &next))
        tdm_turn_server_step(s->core, now, &next, &s->out);
    (void)pthread_mutex_unlock(&s->lock);
    if (close_link && link) {
        tdm_turn_sockets_close_link(s->sockets, link);
        step(s, now, &(struct tdm_turn_server_in){.kind = TDM_TURN_SERVER_LINK_DOWN, .link = link});
    }
}

static int64_t wall_s(tdm_time now)
{
    return (now + tdm_clock_wall_offset()) / TDM_S;
}

static void take(struct tandem_server *s, tdm_time now, const struct tdm_turn_event *event)
{
    static const enum tdm_turn_server_input kinds[] = {
        [TDM_TURN_EVENT_CLIENT] = TDM_TURN_SERVER_MESSAGE,
        [TDM_TURN_EVENT_LINK_DOWN] = TDM_TURN_SERVER_LINK_DOWN,
        [TDM_TURN_EVENT_RELAY] = TDM_TURN_SERVER_RELAY_DATA,
    };

    step(s, now,
         &(struct tdm_turn_server_in){.kind = kinds[event->kind],
                                      .link = event->link,
                                      .relay = event->relay,
                                      .from = event->from,
                                      .to = event->to,
                                      .data = event->data,
                                      .size = event->size});
}

static void *run(void *arg)
{
    struct tandem_server *s = arg;

    while (!atomic_load_explicit(&s->stopping, memory_order_acquire)) {
        struct tdm_turn_event event;
        tdm_time now = tdm_clock_now();

        while (tdm_turn_sockets_next(s->sockets, now, &event) == TDM_OK) {
            take(s, now, &event);
            now = tdm_clock_now();
        }
        if (now >= s->wall_told + WALL_EVERY) {
            s->wall_told = now;
            step(s, now,
                 &(struct tdm_turn_server_in){.kind = TDM_TURN_SERVER_WALL, .wall_s = wall_s(now)});
        }
        do
            step(s, now, NULL);
        while (s->out.wake_at <= now);
        tdm_turn_sockets_wait(s->sockets, tdm_time_min(s->out.wake_at, s->wall_told + WALL_EVERY));
    }
    return NULL;
}

static enum tdm_err start(struct tandem_server *s, const struct tandem_server_config *config,
                          struct tdm_cause *cause)
{
    struct tdm_address own[TDM_INTERFACES_MAX];
    uint32_t own_count = tdm_interfaces_list(own, TDM_INTERFACES_MAX);
    enum tdm_err err = tdm_server_plan_make(&s->plan, config, own, own_count, cause);

    if (err == TDM_OK && (config->tls_port || (config->sip && config->sips_port)))
        err = tdm_identity_load(config->identity_path, &s->identity, cause);
    if (err != TDM_OK)
        return err;
    struct tdm_turn_server_config *core = &s->plan.core;
    tdm_time now = tdm_clock_now();

    core->wall_s = wall_s(now);
    core->seed = tdm_entropy_u64();
    tdm_entropy(core->nonce_key, sizeof core->nonce_key);
    s->core = malloc(tdm_turn_server_bytes(core));
    if (!s->core)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for so many relays");
    s->core = tdm_turn_server_init(s->core, core, now);
    s->plan.sockets.identity = s->identity;
    s->plan.sockets.relays = tdm_turn_server_relays(s->core);
    err = tdm_turn_sockets_create(&s->sockets, &s->plan.sockets, cause);
    s->wake = tdm_wake_open(cause);
    s->event_fd = tdm_wake_open(cause);
    if (err == TDM_OK && (s->wake < 0 || s->event_fd < 0))
        err = TDM_E_SYSTEM;
    if (err == TDM_OK)
        err = tdm_turn_sockets_watch(s->sockets, s->wake, cause);
    if (err == TDM_OK && config->sip)
        err = tdm_rendezvous_create(&s->rendezvous, config, s->identity, cause);
    if (err == TDM_OK)
        err = tdm_thread_start(&s->thread, "tdm-server", TDM_PRIORITY_NORMAL, run, s, NULL, cause);
    s->started = err == TDM_OK;
    return err;
}

static enum tandem_status status_of(enum tdm_err err, const struct tdm_cause *why,
                                    struct tandem_cause *cause)
{
    if (err != TDM_OK && cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", why->text);
    return err == TDM_OK ? TANDEM_OK : err == TDM_E_MALFORMED ? TANDEM_INVALID : TANDEM_FAILED;
}

enum tandem_status tandem_server_create(const struct tandem_server_config *config,
                                        struct tandem_server **server, struct tandem_cause *cause)
{
    struct tandem_server *s = calloc(1, sizeof *s);
    struct tdm_cause why = {""};

    *server = NULL;
    if (!s)
        return status_of(tdm_fail(&why, TDM_E_SYSTEM, "no memory for a server"), &why, cause);
    s->wake = s->event_fd = -1;
    (void)pthread_mutex_init(&s->lock, NULL);
    tdm_ring_init(&s->events, s->slots, sizeof *s->slots, EVENTS);
    enum tdm_err err = start(s, config, &why);

    if (err == TDM_OK)
        *server = s;
    else
        tandem_server_destroy(s);
    return status_of(err, &why, cause);
}

void tandem_server_destroy(struct tandem_server *server)
{
    struct tandem_server *s = server;

    if (!s)
        return;
    if (s->started) {
        atomic_store_explicit(&s->stopping, true, memory_order_release);
        tdm_wake_signal(s->wake);
        (void)pthread_join(s->thread, NULL);
    }
    tdm_rendezvous_destroy(s->rendezvous);
    tdm_turn_sockets_destroy(s->sockets);
    tdm_identity_free(s->identity);
    if (s->wake >= 0)
        (void)close(s->wake);
    if (s->event_fd >= 0)
        (void)close(s->event_fd);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->core);
    free(s);
}

enum tandem_status tandem_server_next_event(struct tandem_server *server,
                                            struct tandem_server_event *event)
{
    (void)pthread_mutex_lock(&server->lock);
    enum tdm_err err = tdm_ring_pop(&server->events, event);

    if (err != TDM_OK) /* Events are pushed under the lock: none can have come between. */
        tdm_wake_clear(server->event_fd);
    (void)pthread_mutex_unlock(&server->lock);
    return err == TDM_OK ? TANDEM_OK : TANDEM_AGAIN;
}

enum tandem_status tandem_server_wait_event(struct tandem_server *server, int timeout_ms,
                                            struct tandem_server_event *event)
{
    tdm_time until = timeout_ms < 0 ? TDM_NEVER : tdm_clock_now() + timeout_ms * TDM_MS;
    enum tandem_status status;

    while ((status = tandem_server_next_event(server, event)) == TANDEM_AGAIN)
        if (tdm_wait_until(until, server->event_fd, -1) == TDM_WAIT_TIME)
            return TANDEM_AGAIN;
    return status;
}

int tandem_server_event_fd(struct tandem_server *server)
{
    return server->event_fd;
}

static void relay_text(const struct tdm_address *relay, char text[TDM_ADDRESS_TEXT_MAX])
{
    text[0] = '\0';
    if (relay->family != TDM_ADDRESS_NONE)
        tdm_address_host_text(relay, text);
}

static void fingerprint_text(const uint8_t *bytes, char text[100])
{
    for (int i = 0; i < TDM_FINGERPRINT_BYTES; i++)
        (void)snprintf(text + (ptrdiff_t)3 * i, 4, "%02X%s", bytes[i],
                       i + 1 < TDM_FINGERPRINT_BYTES ? ":" : "");
}

void tandem_server_stats(struct tandem_server *server, struct tandem_server_stats *stats)
{
    const struct tdm_address *relay = server->plan.core.relay;

    (void)pthread_mutex_lock(&server->lock);
    struct tdm_turn_server_stats s = *tdm_turn_server_stats_of(server->core);

    (void)pthread_mutex_unlock(&server->lock);
    *stats = (struct tandem_server_stats){.relay_is_private = tdm_address_is_private(&relay[0]),
                                          .relays = s.allocations,
                                          .relays_given = s.allocated,
                                          .bindings = s.bindings,
                                          .challenges = s.challenged,
                                          .wrong_credentials = s.wrong_credentials,
                                          .over_quota = s.over_quota,
                                          .forbidden_peers = s.forbidden_peers,
                                          .malformed = s.malformed,
                                          .rationed = s.rationed,
                                          .unpermitted = s.unpermitted,
                                          .over_rate = s.over_rate,
                                          .relayed_packets = s.relayed_packets,
                                          .relayed_bytes = s.relayed_bytes};
    address_text(&server->plan.advertised, stats->address);
    relay_text(&relay[0], stats->relay4);
    relay_text(&relay[1], stats->relay6);
    if (server->identity)
        fingerprint_text(tdm_identity_fingerprint(server->identity), stats->fingerprint);
    if (server->rendezvous)
        tdm_rendezvous_stats(server->rendezvous, stats);
}
