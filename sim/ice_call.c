/* SPDX-License-Identifier: MIT */
#include "sim/ice_call.h"

#include "engine/wire/stun.h"
#include "sim/ice_watch.h"
#include "sim/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNALS_MAX  512
#define MEDIA_EVERY  (20 * TDM_MS)
#define MEDIA_BYTES  120
#define STREAM_TURNS 2 /* Ways to and fro until a stream stands: TCP, and one more for TLS. */

enum source { NET, SIGNAL, EVENT, AGENT_0, AGENT_1, MEDIA_0, MEDIA_1, LINK_0, LINK_1, SOURCES };

/* What one side tells the other by signalling. */
enum signal_kind { OFFER, ANSWER, CANDIDATE, CANDIDATES_END };

struct signal {
    enum signal_kind kind;
    uint8_t to;
    bool restart;
    tdm_time due; /* TDM_NEVER: held back until the description may leave. */
    char ufrag[33], pwd[65];
    struct tdm_ice_candidate candidate;
};

struct media {
    uint8_t first; /* As RTP has it. */
    uint8_t side;
    uint64_t number;
    tdm_time path_since;
    uint8_t filling[MEDIA_BYTES - 32];
};

struct side {
    struct tdm_ice *ice;
    struct tdm_sim_ice_watch watch;
    struct tdm_sim_ice_side_result *result;
    bool started, described, sending, restart_wanted;
    bool holding; /* Its description waits for the end of gathering. */
    tdm_time path_since, last_heard;
    char ufrag[33], pwd[65]; /* Ours. */
    char their_ufrag[33];
    uint8_t link_wanted;
    uint64_t number;
};

struct tdm_sim_ice_call {
    const struct tdm_sim_ice_scenario *scenario;
    struct tdm_sim_ice_result *result;
    struct tdm_sim_ice_net net;
    struct tdm_sim_scheduler scheduler;
    struct tdm_rng rng;
    struct side sides[2];
    bool event_past;
    uint32_t signal_count, signal_done;
    struct signal signals[SIGNALS_MAX];
    struct tdm_ice_out out;
    void *ice[2];
};

struct tdm_sim_ice_call *tdm_sim_ice_call_create(void)
{
    struct tdm_sim_ice_call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    for (unsigned i = 0; i < 2; i++)
        call->ice[i] = malloc(tdm_ice_bytes());
    if (!call->ice[0] || !call->ice[1]) {
        tdm_sim_ice_call_destroy(call);
        return NULL;
    }
    return call;
}

void tdm_sim_ice_call_destroy(struct tdm_sim_ice_call *call)
{
    if (!call)
        return;
    free(call->ice[0]);
    free(call->ice[1]);
    free(call);
}

static void mix(struct tdm_sim_ice_call *call, uint64_t value)
{
    call->result->hash = (call->result->hash ^ value) * UINT64_C(0x100000001b3);
}

static void new_credentials(struct tdm_sim_ice_call *call, struct side *s)
{
    uint64_t a = tdm_rng_u64(&call->rng), b = tdm_rng_u64(&call->rng), c = tdm_rng_u64(&call->rng);

    tdm_ice_credentials(a, b, c, s->ufrag, s->pwd);
}

static void schedule_signals(struct tdm_sim_ice_call *call)
{
    tdm_time due = TDM_NEVER;

    for (uint32_t i = call->signal_done; i < call->signal_count; i++)
        due = tdm_time_min(due, call->signals[i].due);
    tdm_sim_scheduler_set(&call->scheduler, SIGNAL, due);
}

static void signal_to(struct tdm_sim_ice_call *call, struct side *from, struct signal signal)
{
    if (call->signal_count == SIGNALS_MAX)
        return;
    signal.to = from == &call->sides[0];
    signal.due = from->holding ? TDM_NEVER : call->scheduler.now + call->scenario->signal_delay;
    memcpy(signal.ufrag, from->ufrag, sizeof signal.ufrag);
    memcpy(signal.pwd, from->pwd, sizeof signal.pwd);
    call->signals[call->signal_count++] = signal;
    schedule_signals(call);
}

/* Gathering is over: what was held back leaves. */
static void release(struct tdm_sim_ice_call *call, struct side *s)
{
    uint8_t to = s == &call->sides[0];

    s->holding = false;
    for (uint32_t i = call->signal_done; i < call->signal_count; i++)
        if (call->signals[i].to == to && call->signals[i].due == TDM_NEVER)
            call->signals[i].due = call->scheduler.now + call->scenario->signal_delay;
    schedule_signals(call);
}

static bool is_relayed(const struct tdm_ice_path *path)
{
    return path->local.type == TDM_ICE_RELAY || path->remote.type == TDM_ICE_RELAY;
}

static void told(struct tdm_sim_ice_call *call, struct side *s, const struct tdm_ice_told *t)
{
    tdm_time now = call->scheduler.now;
    unsigned index = (unsigned)(s - call->sides);

    mix(call, (uint64_t)now + t->kind);
    switch (t->kind) {
    case TDM_ICE_TOLD_CANDIDATE:
        signal_to(call, s, (struct signal){.kind = CANDIDATE, .candidate = t->candidate});
        break;
    case TDM_ICE_TOLD_GATHERED:
        signal_to(call, s, (struct signal){.kind = CANDIDATES_END});
        release(call, s);
        break;
    case TDM_ICE_TOLD_PATH:
        tdm_ice_path(s->ice, &s->result->path);
        s->path_since = now;
        if (!s->result->path.valid)
            break;
        s->result->path_at = tdm_time_min(s->result->path_at, now);
        s->result->was_direct |= !is_relayed(&s->result->path);
        if (!s->sending)
            tdm_sim_scheduler_set(&call->scheduler, MEDIA_0 + index, now);
        s->sending = true;
        break;
    case TDM_ICE_TOLD_SILENT:
        s->result->silent = true;
        s->restart_wanted = call->scenario->restart_when_silent;
        break;
    case TDM_ICE_TOLD_LOST:
        s->result->lost = true;
        s->result->lost_at = tdm_time_min(s->result->lost_at, now);
        break;
    case TDM_ICE_TOLD_LINK:
        s->link_wanted = t->link;
        tdm_sim_scheduler_set(&call->scheduler, LINK_0 + index,
                              now + (tdm_time)STREAM_TURNS * 2 * call->scenario->net.delay[index]);
        break;
    case TDM_ICE_TOLD_SERVER_FAILED:
        break;
    }
}

static void heard(struct tdm_sim_ice_call *call, struct side *s, const uint8_t *data, size_t size)
{
    struct tdm_sim_ice_side_result *r = s->result;
    tdm_time now = call->scheduler.now;
    tdm_time *gap = call->event_past ? &r->gap_after : &r->gap;
    struct media media;

    if (size != sizeof media)
        return;
    memcpy(&media, data, sizeof media);
    mix(call, (uint64_t)now ^ media.number);
    if (r->heard++ == 0)
        r->heard_at = now;
    else
        *gap = tdm_time_max(*gap, now - s->last_heard);
    s->last_heard = now;
    if (call->event_past && media.path_since >= call->scenario->event_at)
        r->back_at = tdm_time_min(r->back_at, now);
}

static void step(struct tdm_sim_ice_call *call, struct side *s, const struct tdm_ice_in *in);

/* Somebody on the way answers a check as the other side would, but has not its password. */
static void forge(struct tdm_sim_ice_call *call, struct side *s, const struct tdm_ice_send *send)
{
    static const char wrong[] = "somebody-else's-password";
    uint8_t data[256];
    struct tdm_stun m;

    if (send->link || send->from.family == TDM_ADDRESS_NONE ||
        tdm_stun_parse(&m, send->data, send->size) != TDM_OK || m.kind != TDM_STUN_REQUEST ||
        !m.username.data)
        return;
    struct tdm_writer w = tdm_stun_begin_answer(data, sizeof data, TDM_STUN_SUCCESS, &m);

    tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &send->from);
    tdm_stun_write_integrity(&w, wrong, sizeof wrong - 1);
    tdm_stun_write_fingerprint(&w);
    struct tdm_ice_in in = {.kind = TDM_ICE_DATAGRAM,
                            .from = send->to,
                            .to = send->from,
                            .data = data,
                            .size = tdm_stun_end(&w)};

    step(call, s, &in);
}

static void step(struct tdm_sim_ice_call *call, struct side *s, const struct tdm_ice_in *in)
{
    unsigned index = (unsigned)(s - call->sides);
    struct tdm_ice_out *out = &call->out;
    struct tdm_ice_send forged = {0};
    struct tdm_ice_path path;

    tdm_ice_step(s->ice, call->scheduler.now, in, out);
    tdm_ice_path(s->ice, &path);
    tdm_sim_ice_watch_step(&s->watch, call->scheduler.now, in, out, path.valid);
    tdm_sim_scheduler_set(&call->scheduler, AGENT_0 + index, out->wake_at);
    for (unsigned i = 0; i < out->send_count; i++) {
        const struct tdm_ice_send *send = &out->sends[i];

        mix(call, (uint64_t)call->scheduler.now * send->size);
        if (send->link)
            tdm_sim_ice_net_send_stream(&call->net, call->scheduler.now, (uint8_t)index, send->link,
                                        send->data, send->size);
        else
            tdm_sim_ice_net_send(&call->net, call->scheduler.now, (uint8_t)index, &send->from,
                                 &send->to, send->data, send->size);
        forged = *send;
    }
    for (unsigned i = 0; i < out->told_count; i++)
        told(call, s, &out->told[i]);
    if (out->app)
        heard(call, s, out->app_data, out->app_size);
    tdm_sim_scheduler_set(&call->scheduler, NET, tdm_sim_ice_net_due(&call->net));
    if (call->event_past && call->scenario->event == TDM_SIM_ICE_FORGED && forged.size)
        forge(call, s, &forged);
}

static void start(struct tdm_sim_ice_call *call, unsigned index, enum signal_kind kind)
{
    const struct tdm_sim_ice_agent *agent = &call->scenario->agents[index];
    struct side *s = &call->sides[index];
    struct tdm_ice_config config = {.controlling = agent->controlling,
                                    .relay_only = agent->relay_only,
                                    .seed = tdm_rng_u64(&call->rng)};
    struct tdm_ice_server server = {
        .address = tdm_sim_ice_server(agent->server_ipv6 ? TDM_IPV6 : TDM_IPV4)};
    struct tdm_ice_in in = {.kind = TDM_ICE_ADDRESS};

    new_credentials(call, s);
    memcpy(config.ufrag, s->ufrag, sizeof config.ufrag);
    memcpy(config.pwd, s->pwd, sizeof config.pwd);
    if (agent->stun)
        config.servers[config.server_count++] = server;
    if (agent->turn) {
        server.kind = TDM_ICE_TURN;
        server.link = agent->turn_link;
        (void)snprintf(server.user, sizeof server.user, "tandem");
        (void)snprintf(server.password, sizeof server.password, "secret");
        config.servers[config.server_count++] = server;
    }
    s->ice = tdm_ice_init(call->ice[index], &config, call->scheduler.now);
    s->started = true;
    s->holding = !call->scenario->trickle;
    signal_to(call, s, (struct signal){.kind = kind});
    for (int i = 0; i < call->net.internet.interface_count; i++) {
        const struct tdm_sim_interface *f = &call->net.internet.interfaces[i];

        in.address = f->address;
        if (f->up && f->host == index)
            step(call, s, &in);
    }
    in.address = tdm_sim_ice_net_open(&call->net, (uint8_t)index);
    if (in.address.family != TDM_ADDRESS_NONE) {
        in.kind = TDM_ICE_MAPPED;
        in.base = call->net.internet.interfaces[call->net.fixed[index]].address;
        step(call, s, &in);
    }
    in.kind = TDM_ICE_ADDRESSES_END;
    step(call, s, &in);
}

/* Addresses that lead nowhere, of the kind that other programs offer: VPNs, bridges. */
static void add_dead(struct tdm_sim_ice_call *call, struct side *s, unsigned count)
{
    struct tdm_ice_in in = {.kind = TDM_ICE_CANDIDATE};

    for (unsigned i = 0; i < count; i++) {
        in.candidate.type = TDM_ICE_HOST;
        in.candidate.priority = (126u << 24) + ((65535 - i) << 8) + 255;
        in.candidate.address = (struct tdm_address){
            .family = TDM_IPV4, .bytes = {10, 200, (uint8_t)i, 7}, .port = 9000};
        (void)snprintf(in.candidate.foundation, sizeof in.candidate.foundation, "dead%u", i);
        step(call, s, &in);
    }
}

static void describe(struct tdm_sim_ice_call *call, struct side *s, const struct signal *signal)
{
    struct tdm_ice_in in = {.kind = TDM_ICE_REMOTE, .ufrag = signal->ufrag, .pwd = signal->pwd};
    unsigned other = s == &call->sides[0];

    memcpy(s->their_ufrag, signal->ufrag, sizeof s->their_ufrag);
    if (!s->described)
        s->result->described_at = call->scheduler.now;
    s->described = true;
    step(call, s, &in);
    add_dead(call, s, call->scenario->agents[other].dead);
}

static void restart(struct tdm_sim_ice_call *call, struct side *s, enum signal_kind kind)
{
    struct tdm_ice_in in = {.kind = TDM_ICE_RESTART, .ufrag = s->ufrag, .pwd = s->pwd};

    new_credentials(call, s);
    signal_to(call, s, (struct signal){.kind = kind, .restart = true});
    step(call, s, &in);
}

static void take_signal(struct tdm_sim_ice_call *call, const struct signal *signal)
{
    unsigned index = signal->to;
    struct side *s = &call->sides[index];
    struct tdm_ice_in in = {.kind = TDM_ICE_CANDIDATE, .candidate = signal->candidate};

    switch (signal->kind) {
    case OFFER:
        if (signal->restart) {
            restart(call, s, ANSWER);
        } else if (!s->started) {
            start(call, index, ANSWER);
        }
        describe(call, s, signal);
        break;
    case ANSWER:
        describe(call, s, signal);
        break;
    case CANDIDATE:
    case CANDIDATES_END: /* Of which description? RFC 8838 section 9. */
        if (signal->kind == CANDIDATES_END)
            in.kind = TDM_ICE_CANDIDATES_END;
        if (s->described && strcmp(signal->ufrag, s->their_ufrag) == 0)
            step(call, s, &in);
        break;
    }
}

static void take_signals(struct tdm_sim_ice_call *call)
{
    while (call->signal_done < call->signal_count) {
        uint32_t first = call->signal_count;

        for (uint32_t i = call->signal_done; i < call->signal_count; i++)
            if (call->signals[i].due <= call->scheduler.now) {
                first = i;
                break;
            }
        if (first == call->signal_count)
            break;
        struct signal signal = call->signals[first];

        call->signal_count--;
        memmove(&call->signals[first], &call->signals[first + 1],
                (call->signal_count - first) * sizeof signal);
        take_signal(call, &signal);
    }
    schedule_signals(call);
}

static void send_media(struct tdm_sim_ice_call *call, unsigned index)
{
    struct side *s = &call->sides[index];
    struct media media = {
        .first = 0x80, .side = (uint8_t)index, .number = s->number++, .path_since = s->path_since};
    uint8_t room[TDM_ICE_WRAP_MAX + sizeof media + 3];
    size_t size = sizeof media;
    struct tdm_ice_path path;
    const uint8_t *data;

    tdm_sim_scheduler_set(&call->scheduler, MEDIA_0 + index, call->scheduler.now + MEDIA_EVERY);
    tdm_ice_path(s->ice, &path);
    memcpy(room + TDM_ICE_WRAP_MAX, &media, sizeof media);
    data = tdm_ice_wrap(s->ice, call->scheduler.now, room + TDM_ICE_WRAP_MAX, &size);
    if (!data)
        return;
    s->result->sent++;
    if (s->watch.lost)
        s->watch.violations++;
    if (path.link)
        tdm_sim_ice_net_send_stream(&call->net, call->scheduler.now, (uint8_t)index, path.link,
                                    data, size);
    else
        tdm_sim_ice_net_send(&call->net, call->scheduler.now, (uint8_t)index, &path.from, &path.to,
                             data, size);
    tdm_sim_scheduler_set(&call->scheduler, NET, tdm_sim_ice_net_due(&call->net));
}

static void happen(struct tdm_sim_ice_call *call)
{
    const struct tdm_sim_ice_scenario *c = call->scenario;
    struct side *s = &call->sides[c->event_side];
    struct tdm_ice_in in = {.kind = TDM_ICE_ADDRESS_GONE};
    struct tdm_address come;

    call->event_past = true;
    switch (c->event) {
    case TDM_SIM_ICE_MOVE:
        tdm_sim_ice_net_move(&call->net, c->event_side, &in.address, &come);
        step(call, s, &in);
        in.kind = TDM_ICE_ADDRESS;
        in.address = come;
        step(call, s, &in);
        in.kind = TDM_ICE_ADDRESSES_END;
        step(call, s, &in);
        break;
    case TDM_SIM_ICE_REBIND:
        if (call->net.outer[c->event_side] >= 0)
            tdm_sim_nat_forget(&call->net.internet.gateways[call->net.outer[c->event_side]].nat);
        break;
    case TDM_SIM_ICE_NO_DIRECT:
        call->net.cut_direct = true;
        break;
    case TDM_SIM_ICE_DEAD:
    case TDM_SIM_ICE_FORGED:
        call->net.cut[0] = call->net.cut[1] = true;
        break;
    case TDM_SIM_ICE_RESTART:
    case TDM_SIM_ICE_NOTHING:
        break;
    }
    if (c->event == TDM_SIM_ICE_RESTART || c->event_restart)
        restart(call, s, OFFER);
}

static void take_arrivals(struct tdm_sim_ice_call *call)
{
    struct tdm_sim_ice_arrival a;

    while (tdm_sim_ice_net_step(&call->net, call->scheduler.now, &a)) {
        struct side *s = &call->sides[a.side];

        struct tdm_ice_in in = {.kind = TDM_ICE_DATAGRAM,
                                .link = a.link,
                                .from = a.from,
                                .to = a.to,
                                .data = a.data,
                                .size = a.size};

        if (s->started)
            step(call, s, &in);
    }
    tdm_sim_scheduler_set(&call->scheduler, NET, tdm_sim_ice_net_due(&call->net));
}

/* As a program would; when both are silent, the offerer does. */
static void restart_if_silent(struct tdm_sim_ice_call *call, struct side *s)
{
    if (s->restart_wanted && s == &call->sides[0])
        restart(call, s, OFFER);
    s->restart_wanted = false;
}

static void dispatch(struct tdm_sim_ice_call *call, enum source source)
{
    struct tdm_ice_in up = {.kind = TDM_ICE_LINK_UP};

    switch (source) {
    case NET:
        take_arrivals(call);
        break;
    case SIGNAL:
        take_signals(call);
        break;
    case EVENT:
        happen(call);
        break;
    case AGENT_0:
    case AGENT_1:
        step(call, &call->sides[source - AGENT_0], NULL);
        restart_if_silent(call, &call->sides[source - AGENT_0]);
        break;
    case MEDIA_0:
    case MEDIA_1:
        send_media(call, source - MEDIA_0);
        break;
    case LINK_0:
    case LINK_1:
        up.link = call->sides[source - LINK_0].link_wanted;
        step(call, &call->sides[source - LINK_0], &up);
        break;
    case SOURCES:
        break;
    }
}

static void finish(struct tdm_sim_ice_call *call)
{
    struct tdm_sim_ice_result *result = call->result;

    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &call->sides[i];

        if (!s->started)
            continue;
        tdm_ice_path(s->ice, &s->result->path);
        tdm_ice_stats(s->ice, &s->result->stats);
        s->result->connected = s->result->path.valid;
        s->result->relayed = is_relayed(&s->result->path);
        if (s->result->heard) {
            tdm_time *gap = call->event_past ? &s->result->gap_after : &s->result->gap;

            *gap = tdm_time_max(*gap, call->scheduler.now - s->last_heard);
        }
        if (s->watch.violations)
            (void)snprintf(result->words[i], sizeof result->words[i], "side %u: %.100s", i,
                           s->watch.words);
        result->violations += s->watch.violations;
    }
    if (call->scheduler.past_wakes)
        (void)snprintf(result->words[2], sizeof result->words[2], "source %u wakes in the past",
                       call->scheduler.last_past_wake);
    result->violations += (uint32_t)call->scheduler.past_wakes;
}

enum tdm_err tdm_sim_ice_call_run(struct tdm_sim_ice_call *call,
                                  const struct tdm_sim_ice_scenario *scenario,
                                  struct tdm_sim_ice_result *result)
{
    uint32_t source;

    memset(result, 0, sizeof *result);
    memset(call->sides, 0, sizeof call->sides);
    call->scenario = scenario;
    call->result = result;
    call->event_past = false;
    call->signal_count = call->signal_done = 0;
    call->rng = tdm_rng_of(scenario->net.seed ^ UINT64_C(0x1ce));
    if (!tdm_sim_ice_net_create(&call->net, &scenario->net))
        return TDM_E_SPACE;
    tdm_sim_scheduler_init(&call->scheduler, 0, SOURCES);
    for (unsigned i = 0; i < 2; i++) {
        call->sides[i].result = &result->sides[i];
        tdm_sim_ice_watch_init(&call->sides[i].watch);
        result->sides[i].described_at = result->sides[i].path_at = TDM_NEVER;
        result->sides[i].heard_at = result->sides[i].lost_at = TDM_NEVER;
        result->sides[i].back_at = TDM_NEVER;
    }
    for (unsigned i = 0; i < (scenario->both_offer ? 2u : 1u); i++)
        start(call, i, OFFER);
    if (scenario->event != TDM_SIM_ICE_NOTHING)
        tdm_sim_scheduler_set(&call->scheduler, EVENT, scenario->event_at);
    while (tdm_sim_scheduler_next(&call->scheduler, scenario->duration, &source))
        dispatch(call, (enum source)source);
    finish(call);
    tdm_sim_ice_net_destroy(&call->net);
    return TDM_OK;
}
