/* SPDX-License-Identifier: MIT */
#include "sim/rate_world.h"

#include "sim/due_heap.h"
#include "sim/network.h"
#include "sim/rate_tcp.h"

#include <string.h>

#define EVENTS_MAX     262144
#define LOG_PACKETS    65536 /* A power of two. */
#define FRAMES         512   /* A power of two. */
#define WAITING_MAX    16384
#define PACKET_BYTES   1200
#define FRAME_EVERY    ((tdm_time)33333333) /* 30 a second. */
#define FEEDBACK_BYTES 80
#define LATE           (200 * TDM_MS)
#define LOST_AFTER     3 /* Packets behind it that came. */
#define RESEND_WITHIN  (400 * TDM_MS)
#define ACKS_MAX       4096
#define TCP_BYTES      1500
#define TCP_ACK_BYTES  52
#define FRAME_GIVEN_UP (2 * TDM_S)
#define VOICE_EVERY    (10 * TDM_MS)
#define ALIVE_EVERY    (500 * TDM_MS) /* So often something leaves, however full the window. */
#define RATE_EVERY     (500 * TDM_MS)
#define SLOW_BPS       1000000
#define SLOWEST_BPS    300000
#define VOICE_BYTES    80 /* 32 kb/s of Opus with its headers. */

enum event_kind {
    FRAME,   /* A picture is captured. */
    VOICE,   /* A piece of sound is. */
    PACE,    /* The pacer may send. */
    AT_LINK, /* A packet reaches the bottleneck. */
    AT_END,  /* A packet reaches the receiver of its flow. */
    TELL,    /* The receiver tells. */
    START,   /* A TCP transfer begins. */
    TCP_TIMEOUT
};

struct event {
    struct tdm_sim_due due;
    enum event_kind kind;
    struct tdm_rate_packet packet;
};

struct logged {
    tdm_time sent, arrival;
    uint32_t bytes, frame;
    bool told, lost, ce, padding, voice, resent;
};

struct frame {
    uint32_t id, left;
    tdm_time captured;
    bool done;
};

struct waiting {
    uint32_t bytes, frame;
    bool padding, again;
};

struct flow {
    struct tdm_rate_flow_config config;
    struct tdm_rate_flow_result result;
    struct tdm_rng rng;
    _Alignas(16) uint8_t state[TDM_RATE_PEER_STATE_MAX];
    struct tdm_congestion_out out;
    int64_t next, told, highest; /* Numbers: to be sent; settled below; arrived. */
    uint64_t inflight;
    struct logged log[LOG_PACKETS];
    uint32_t frame_id;
    struct frame frames[FRAMES];
    uint32_t waiting_head, waiting_count;
    uint64_t waiting_bytes;
    struct waiting waiting[WAITING_MAX];
    tdm_time free_at; /* The pacer's. */
    bool pacing;
    bool telling;
    tdm_time sent_at; /* By the pacer, last. */
    tdm_time told_at, rate_since;
    uint64_t came_bytes;
    double came_bps;
    struct tdm_rate_tcp tcp;
};

struct tdm_rate_world {
    struct tdm_rate_world_config config;
    tdm_time now;
    struct tdm_rate_link links[2];
    struct flow flows[TDM_RATE_FLOWS];
    struct tdm_sim_due_heap due;
    struct event events[EVENTS_MAX];
    struct tdm_ack acks[ACKS_MAX];
};

size_t tdm_rate_world_bytes(void)
{
    return sizeof(struct tdm_rate_world);
}

static void push(struct tdm_rate_world *w, tdm_time at, enum event_kind kind,
                 struct tdm_rate_packet packet)
{
    const struct event e = {.due.at = at, .kind = kind, .packet = packet};

    assert(w->due.count < EVENTS_MAX);
    tdm_sim_due_heap_push(&w->due, &e);
}

static tdm_time way_of(const struct flow *f, tdm_time now)
{
    return f->config.reroute_at && now >= f->config.reroute_at ? f->config.rerouted
                                                               : f->config.delay;
}

static struct tdm_rate_packet of_flow(const struct tdm_rate_world *w, const struct flow *f)
{
    return (struct tdm_rate_packet){.flow = (uint8_t)(f - w->flows)};
}

static struct logged *log_at(struct flow *f, int64_t number)
{
    return &f->log[(uint64_t)number & (LOG_PACKETS - 1)];
}

static void send(struct tdm_rate_world *w, struct flow *f, uint32_t bytes, uint32_t frame,
                 bool padding, bool again)
{
    struct tdm_rate_packet p = of_flow(w, f);

    *log_at(f, f->next) = (struct logged){.sent = w->now,
                                          .arrival = TDM_NEVER,
                                          .bytes = bytes,
                                          .frame = frame,
                                          .padding = padding,
                                          .resent = again};
    p.number = f->next++;
    p.bytes = bytes;
    p.ect1 = f->config.ect1;
    p.sent = w->now;
    f->inflight += bytes;
    f->result.sent += w->now >= w->config.measure_from;
    push(w, w->now, AT_LINK, p);
}

static void step(struct tdm_rate_world *w, struct flow *f, const struct tdm_congestion_in *in)
{
    f->out.probe_bytes = 0;
    f->config.peer->step(f->state, w->now, in, &f->out);
}

static void queue_packet(struct flow *f, struct waiting packet, bool first)
{
    if (f->waiting_count == WAITING_MAX)
        return;
    if (first)
        f->waiting_head = (f->waiting_head + WAITING_MAX - 1) % WAITING_MAX;
    f->waiting[(f->waiting_head + (first ? 0 : f->waiting_count)) % WAITING_MAX] = packet;
    f->waiting_count++;
    f->waiting_bytes += packet.bytes;
}

static void wake_pacer(struct tdm_rate_world *w, struct flow *f)
{
    if (f->pacing || !f->waiting_count)
        return;
    f->pacing = true;
    push(w, tdm_time_max(w->now, f->free_at), PACE, of_flow(w, f));
}

static void pace(struct tdm_rate_world *w, struct flow *f)
{
    f->pacing = false;
    /* A window that is full is asked again when feedback comes. */
    if (!f->waiting_count ||
        (f->inflight && f->inflight >= f->out.window_bytes && w->now - f->sent_at < ALIVE_EVERY))
        return;
    f->sent_at = w->now;
    struct waiting packet = f->waiting[f->waiting_head];

    f->waiting_head = (f->waiting_head + 1) % WAITING_MAX;
    f->waiting_count--;
    f->waiting_bytes -= packet.bytes;
    uint64_t bps = packet.padding && f->out.probe_bps ? f->out.probe_bps : f->out.pace_bps;

    send(w, f, packet.bytes, packet.frame, packet.padding, packet.again);
    step(w, f, &(struct tdm_congestion_in){.kind = TDM_CONGESTION_SENT, .bytes = packet.bytes});
    f->free_at = w->now + (tdm_time)(packet.bytes * 8e9 / (double)(bps > 20000 ? bps : 20000));
    wake_pacer(w, f);
}

static void pad(struct tdm_rate_world *w, struct flow *f)
{
    for (uint32_t left = f->out.probe_bytes; left >= PACKET_BYTES / 2;) {
        uint32_t bytes = left < PACKET_BYTES ? left : PACKET_BYTES;

        queue_packet(f, (struct waiting){.bytes = bytes, .padding = true}, false);
        left -= bytes;
    }
    f->out.probe_bytes = 0;
    wake_pacer(w, f);
}

static void settle_frame(struct tdm_rate_world *w, struct flow *f, struct frame *frame, tdm_time at)
{
    tdm_time took = at - frame->captured - way_of(f, at);

    if (!frame->id || frame->done)
        return;
    frame->done = true;
    if (frame->captured < w->config.measure_from)
        return;
    f->result.frames++;
    f->result.late += took > LATE;
    tdm_histogram_add(&f->result.frame, took);
    f->result.worst_frame = tdm_time_max(f->result.worst_frame, took);
}

/* Leaves at once, and the controller knows nothing of it, as in calls: the pacer and what is told
 * are for pictures. What is lost of it is not sent again. */
static void speak(struct tdm_rate_world *w, struct flow *f)
{
    if (w->now + VOICE_EVERY < f->config.to)
        push(w, w->now + VOICE_EVERY, VOICE, of_flow(w, f));
    send(w, f, VOICE_BYTES, 0, false, false);
    struct logged *log = log_at(f, f->next - 1);

    log->voice = log->told = true;
    f->inflight -= VOICE_BYTES;
    f->result.voice_sent += w->now >= w->config.measure_from;
}

static void hear(struct tdm_rate_world *w, struct flow *f, const struct logged *log)
{
    if (log->sent < w->config.measure_from)
        return;
    f->result.voice_here++;
    tdm_histogram_add(&f->result.voice, w->now - log->sent - way_of(f, w->now));
}

static bool rests(const struct flow *f, tdm_time now)
{
    return now >= f->config.pause_from && now < f->config.pause_to;
}

static void capture(struct tdm_rate_world *w, struct flow *f)
{
    struct frame *frame;
    double spread = f->config.sigma > 0 ? f->config.sigma : 0.03;

    if (w->now + FRAME_EVERY < f->config.to)
        push(w, w->now + FRAME_EVERY, FRAME, of_flow(w, f));
    if (rests(f, w->now))
        return;
    step(w, f,
         &(struct tdm_congestion_in){.kind = TDM_CONGESTION_FRAME,
                                     .bytes = (uint32_t)f->waiting_bytes});
    double fill = f->config.fill > 0 ? f->config.fill : 0.97;
    double budget = f->out.frame_bytes, size = budget * (fill + spread * tdm_sim_normal(&f->rng));
    double most = budget * (f->config.sigma > 0.05 ? 2.0 : 1.05);
    uint32_t left = (uint32_t)(size < 150 ? 150 : size > most ? most : size);

    if (budget <= 0)
        left = 0; /* Dropped before the encoder. */
    if (left) {
        frame = &f->frames[++f->frame_id & (FRAMES - 1)];
        settle_frame(w, f, frame, frame->captured + way_of(f, w->now) + FRAME_GIVEN_UP);
        *frame = (struct frame){.id = f->frame_id, .left = left, .captured = w->now};
    }
    /* Equal packets, two at least, so that every frame measures the way. */
    for (uint32_t count = left > 2 * PACKET_BYTES   ? (left + PACKET_BYTES - 1) / PACKET_BYTES
                          : left > PACKET_BYTES / 4 ? 2
                                                    : 1;
         left; count--) {
        uint32_t bytes = (left + count - 1) / count;

        queue_packet(f, (struct waiting){.bytes = bytes, .frame = f->frame_id}, false);
        left -= bytes;
    }
    pad(w, f);
}

/* `waits`: whether its queue counts; the voice, which goes on where pictures pause, has a figure of
 * its own. */
static void note(struct tdm_rate_world *w, struct flow *f, const struct tdm_rate_packet *p,
                 bool waits)
{
    tdm_time queue = w->now - p->sent - way_of(f, w->now);
    size_t tenth = (size_t)(w->now / (100 * TDM_MS));

    if (tenth < TDM_RATE_TENTHS) {
        float ms = (float)queue * 1e-6f;

        f->result.bytes_ms100[tenth] += p->bytes;
        if (waits && ms > f->result.queue_ms100[tenth])
            f->result.queue_ms100[tenth] = ms;
    }
    if (waits && w->now >= w->config.measure_from)
        tdm_histogram_add(&f->result.queue, queue);
}

/* Ours as in engine/core/arrivals.c: less often where messages would be a large part of the rate,
 * and at once what comes after a pause. */
static tdm_time tells_at(const struct tdm_rate_world *w, struct flow *f)
{
    tdm_time every = f->config.peer->feedback_every, passed = w->now - f->rate_since;

    if (!f->config.peer->tells_at_once)
        return w->now + every;
    if (passed >= RATE_EVERY) {
        f->came_bps = (double)f->came_bytes * 8e9 / (double)passed;
        f->came_bytes = 0;
        f->rate_since = w->now;
    }
    if (f->came_bps < SLOW_BPS)
        every *= f->came_bps < SLOWEST_BPS ? 4 : 2;
    return f->told_at + every;
}

static void receive_media(struct tdm_rate_world *w, struct flow *f, const struct tdm_rate_packet *p)
{
    struct logged *log = log_at(f, p->number);
    struct frame *frame = &f->frames[log->frame & (FRAMES - 1)];

    note(w, f, p, !log->voice);
    log->arrival = w->now;
    f->came_bytes += log->bytes;
    log->ce = p->ce;
    if (log->voice)
        hear(w, f, log);
    f->highest = p->number > f->highest ? p->number : f->highest;
    if (!log->padding && !log->voice && frame->id == log->frame && !frame->done) {
        frame->left -= log->bytes < frame->left ? log->bytes : frame->left;
        if (!frame->left)
            settle_frame(w, f, frame, w->now);
    }
    if (f->telling)
        return;
    f->telling = true;
    push(w, tdm_time_max(w->now, tells_at(w, f)), TELL, of_flow(w, f));
}

static void tell(struct tdm_rate_world *w, struct flow *f)
{
    struct tdm_rate_packet p = of_flow(w, f);

    f->telling = false;
    f->told_at = w->now;
    p.feedback = true;
    p.number = f->highest;
    p.sent = w->now;
    p.bytes = FEEDBACK_BYTES;
    push(w, w->now, AT_LINK, p);
}

static void resend(struct tdm_rate_world *w, struct flow *f, struct logged *log)
{
    struct frame *frame = &f->frames[log->frame & (FRAMES - 1)];

    if (!log->padding && !log->voice && !log->resent && frame->id == log->frame && !frame->done &&
        w->now - frame->captured < RESEND_WITHIN)
        queue_packet(f, (struct waiting){.bytes = log->bytes, .frame = log->frame, .again = true},
                     true);
}

/* What the message that left the receiver at `when` says of packet `i`; false: nothing new. */
static bool settle(struct tdm_rate_world *w, struct flow *f, int64_t i, int64_t highest,
                   tdm_time when, struct tdm_ack *ack)
{
    struct logged *log = log_at(f, i);
    tdm_time tick = f->config.peer->arrival_tick;
    bool came = log->arrival <= when;

    if (log->told || (!came && (log->lost || i > highest - LOST_AFTER)))
        return false;
    *ack =
        (struct tdm_ack){.sent = log->sent,
                         .arrival = came ? when - (when - log->arrival) / tick * tick : TDM_NEVER,
                         .bytes = log->bytes,
                         .ce = came && log->ce,
                         .again = log->lost};
    if (!log->lost)
        f->inflight -= log->bytes;
    log->told = came;
    log->lost = !came;
    if (!came) {
        f->result.lost += w->now >= w->config.measure_from;
        resend(w, f, log);
    }
    return true;
}

static void take_told(struct tdm_rate_world *w, struct flow *f, const struct tdm_rate_packet *p)
{
    uint32_t count = 0;
    int64_t from = p->number - 256 < f->told ? p->number - 256 : f->told;

    from = from < f->next - LOG_PACKETS / 2 ? f->next - LOG_PACKETS / 2 : from;
    for (int64_t i = from < 0 ? 0 : from; i <= p->number && count < ACKS_MAX; i++) {
        count += settle(w, f, i, p->number, p->sent, &w->acks[count]);
        f->told = i > f->told ? i : f->told;
    }
    step(w, f,
         &(struct tdm_congestion_in){
             .kind = TDM_CONGESTION_ACKS, .acks = w->acks, .ack_count = count});
    pad(w, f);
}

/* What TCP wants to send now, and when its timer is to ring. */
static void run_tcp(struct tdm_rate_world *w, struct flow *f)
{
    tdm_time at = TDM_NEVER;

    while (w->now < f->config.to && tdm_rate_tcp_sends(&f->tcp, w->now, &at)) {
        struct tdm_rate_packet p = of_flow(w, f);

        p.number = tdm_rate_tcp_sent(&f->tcp, w->now);
        p.bytes = TCP_BYTES;
        p.sent = w->now;
        push(w, w->now, AT_LINK, p);
    }
    if (at > w->now && at < f->tcp.timer) {
        f->tcp.timer = at;
        push(w, at, TCP_TIMEOUT, of_flow(w, f));
    }
}

static void receive_tcp(struct tdm_rate_world *w, struct flow *f, const struct tdm_rate_packet *p)
{
    struct tdm_rate_packet ack = *p;

    note(w, f, p, true);
    ack.feedback = true;
    ack.bytes = TCP_ACK_BYTES;
    push(w, w->now, AT_LINK, ack);
}

static void take_tcp_ack(struct tdm_rate_world *w, struct flow *f, const struct tdm_rate_packet *p)
{
    if (tdm_rate_tcp_acked(&f->tcp, w->now, p->number, p->sent) && w->now < f->config.to) {
        tdm_time pause =
            (tdm_time)((double)f->config.transfer_pause * tdm_sim_exponential(&f->rng));

        push(w, w->now + pause, START, of_flow(w, f));
    }
    run_tcp(w, f);
}

static void start_tcp(struct tdm_rate_world *w, struct flow *f)
{
    uint64_t bytes = f->config.transfer_bytes;

    if (bytes) /* RFC 8867 section 5.7: sizes are drawn. */
        bytes = (uint64_t)((double)bytes * (0.3 + 0.7 * tdm_sim_exponential(&f->rng)));
    tdm_rate_tcp_start(&f->tcp, w->now, f->config.kind == TDM_RATE_BBR, bytes / TCP_BYTES);
    run_tcp(w, f);
}

static void arrive(struct tdm_rate_world *w, struct flow *f, const struct tdm_rate_packet *p)
{
    bool media = f->config.kind == TDM_RATE_MEDIA;

    if (media && p->feedback)
        take_told(w, f, p);
    else if (media)
        receive_media(w, f, p);
    else if (p->feedback)
        take_tcp_ack(w, f, p);
    else
        receive_tcp(w, f, p);
}

static void run_event(struct tdm_rate_world *w, const struct event *e)
{
    struct flow *f = &w->flows[e->packet.flow];

    switch (e->kind) {
    case FRAME:
        capture(w, f);
        break;
    case VOICE:
        speak(w, f);
        break;
    case PACE:
        pace(w, f);
        break;
    case AT_LINK:
        (void)tdm_rate_link_push(&w->links[f->config.way ^ e->packet.feedback], w->now, &e->packet);
        break;
    case AT_END:
        arrive(w, f, &e->packet);
        break;
    case TELL:
        tell(w, f);
        break;
    case START:
        start_tcp(w, f);
        break;
    case TCP_TIMEOUT:
        if (w->now >= f->tcp.timer)
            f->tcp.timer = TDM_NEVER;
        tdm_rate_tcp_tick(&f->tcp, w->now);
        run_tcp(w, f);
        break;
    }
}

struct tdm_rate_world *tdm_rate_world_init(void *storage,
                                           const struct tdm_rate_world_config *config)
{
    struct tdm_rate_world *w = storage;

    memset(w, 0, sizeof *w);
    w->due = tdm_sim_due_heap_of(w->events, sizeof w->events[0]);
    w->config = *config;
    for (int i = 0; i < 2; i++)
        tdm_rate_link_init(&w->links[i], &config->links[i]);
    struct tdm_rng rng = tdm_rng_of(config->seed);

    for (uint8_t i = 0; i < config->flow_count; i++) {
        struct flow *f = &w->flows[i];
        tdm_time at = config->flows[i].from;

        f->config = config->flows[i];
        f->rng = tdm_rng_of(tdm_rng_u64(&rng));
        f->highest = f->told = -1;
        tdm_histogram_init(&f->result.queue);
        tdm_histogram_init(&f->result.frame);
        tdm_histogram_init(&f->result.voice);
        f->tcp.timer = TDM_NEVER;
        if (f->config.kind == TDM_RATE_MEDIA) {
            assert(f->config.peer->bytes <= TDM_RATE_PEER_STATE_MAX);
            f->config.peer->init(f->state, at, f->config.start_bps, f->config.limit_bps);
            at += (tdm_time)(tdm_rng_unit(&f->rng) * (double)FRAME_EVERY);
            if (f->config.voice)
                push(w, at, VOICE, of_flow(w, f));
        }
        push(w, at, f->config.kind == TDM_RATE_MEDIA ? FRAME : START, of_flow(w, f));
    }
    return w;
}

void tdm_rate_world_run(struct tdm_rate_world *w)
{
    for (;;) {
        tdm_time link = tdm_time_min(w->links[0].done, w->links[1].done);
        tdm_time event = tdm_sim_due_heap_at(&w->due);

        w->now = tdm_time_min(link, event);
        if (w->now >= w->config.length)
            return;
        if (link <= event) {
            int way = w->links[0].done == link ? 0 : 1;
            struct tdm_rate_packet p = tdm_rate_link_pop(&w->links[way]);

            push(w,
                 w->now + way_of(&w->flows[p.flow], w->now) + tdm_rate_link_holds(&w->links[way]),
                 AT_END, p);
        } else {
            struct event e;

            tdm_sim_due_heap_pop(&w->due, &e);
            run_event(w, &e);
        }
    }
}

const struct tdm_rate_flow_result *tdm_rate_world_result(const struct tdm_rate_world *world,
                                                         uint8_t flow)
{
    return &world->flows[flow].result;
}

const struct tdm_rate_link *tdm_rate_world_link(const struct tdm_rate_world *world, uint8_t way)
{
    return &world->links[way];
}

double tdm_rate_flow_bps(const struct tdm_rate_flow_result *result, tdm_time from, tdm_time to)
{
    double bytes = 0;

    for (tdm_time at = from; at < to; at += 100 * TDM_MS) {
        tdm_time tenth = at / (100 * TDM_MS);

        bytes += result->bytes_ms100[tenth];
    }
    return to > from ? bytes * 8e9 / (double)(to - from) : 0;
}
