/* SPDX-License-Identifier: MIT */
#include "sim/repair_world.h"

#include "engine/base/rng.h"
#include "engine/core/loss_pattern.h"
#include "engine/core/nack.h"
#include "engine/core/repeat_plan.h"
#include "engine/core/window_code.h"
#include "sim/due_heap.h"

#include <math.h>
#include <string.h>

#define INTERVAL       ((tdm_time)33333333)
#define SLOT           (1200 * TDM_US) /* A packet on the link, and a step of the loss. */
#define PACKETS_MEAN   6.6             /* Of a frame; log-normal. */
#define PACKETS_SPREAD 0.3
#define PACKETS_MAX    30
#define KEYFRAME_SIZE  3 /* Times a picture's. */
#define FRAMES         256
#define PACKETS        8192
#define EVENTS_MAX     16384
#define TELL_EVERY     (10 * TDM_MS)
#define TOLD_FRAMES    64
#define STALL          (150 * TDM_MS)
#define SETTLED        300 /* Pictures; what freezes before is learning. */
#define GAPS           30
#define BLOCK_PARITY   0.2
#define PLI_EVERY      (250 * TDM_MS)
#define STUCK_AFTER    TDM_S
#define REPLAN_EVERY   (2 * TDM_S)
#define SYMBOL_BYTES   4 /* What a packet carries here: its number. */
#define NONE           (-1)

enum event_kind {
    CAPTURE,   /* A picture is taken, coded and queued. */
    LEAVE,     /* Parity or a copy takes its place on the link. */
    MEDIA,     /* Arrives. */
    PARITY,    /* Arrives. */
    TELL,      /* The receiver tells how it stands; */
    TOLD,      /* the sender hears that; */
    ASKED,     /* or that a packet is asked for; */
    KEY_ASKED, /* or a keyframe. */
    ASK,       /* The request core's own time. */
    SHOW       /* A picture that was held is due. */
};

struct event {
    struct tdm_sim_due due;
    enum event_kind kind;
    int64_t seq;    /* Of a packet, NONE: parity; of a frame in TOLD, SHOW and PARITY of a block. */
    int64_t newest; /* TOLD: newest packet that came. */
    uint64_t told;  /* TOLD: bit i: frame seq - i was decoded. */
    uint16_t size;
    uint8_t bytes[TDM_WINDOW_HEAD_BYTES + 2 + SYMBOL_BYTES];
};

struct frame {
    int64_t id, refers; /* NONE: a keyframe. */
    int64_t first;
    uint16_t count, came, parity_came;
    tdm_time sent; /* Its last packet, without repairs. */
    bool whole, decoded;
};

struct packet {
    int64_t seq, frame;
    bool came;       /* Or was mended. */
    bool first_came; /* As it was first sent. */
    tdm_time sent, repeated;
};

/** What one direction loses. */
struct loss {
    tdm_time at;
    bool losing;
};

struct tdm_repair_world {
    struct tdm_repair_world_config config;
    struct tdm_repair_result *result;
    struct tdm_repair_plan plan;
    struct tdm_rng rng;
    tdm_time now;
    /* The link. */
    tdm_time free_at;
    struct loss there, back;
    /* The sender. */
    int64_t next_frame, next_seq;
    double credit;
    int64_t head;       /* Newest picture that refers to one that is known to be there. */
    int64_t told_frame; /* Newest that is known to have come in part; NONE at first. */
    uint64_t told;      /* Bit i: told_frame - i was decoded. */
    int64_t told_seq;   /* Up to here the pattern has been told. */
    bool keyframe_due;
    struct tdm_loss_pattern pattern;
    tdm_time planned_at;
    struct tdm_repeat_budget repeats;
    struct tdm_window_encoder encoder;
    /* The receiver. */
    int64_t shown, newest, newest_seq; /* Frames and a packet. */
    int64_t chain_decoded[TDM_REPAIR_CHAINS_MAX];
    tdm_time shown_at, ask_at, key_asked_at;
    bool key_wanted;
    double gaps[GAPS];
    uint32_t gap_count;
    struct tdm_nack nack;
    struct tdm_window_decoder decoder;
    struct frame frames[FRAMES];
    struct packet packets[PACKETS];
    struct tdm_sim_due_heap due;
    struct event events[EVENTS_MAX];
};

size_t tdm_repair_world_bytes(void)
{
    return sizeof(struct tdm_repair_world);
}

static void push(struct tdm_repair_world *w, struct event e)
{
    assert(w->due.count < EVENTS_MAX);
    tdm_sim_due_heap_push(&w->due, &e);
}

static struct frame *frame_at(struct tdm_repair_world *w, int64_t id)
{
    return &w->frames[id & (FRAMES - 1)];
}

static struct packet *packet_at(struct tdm_repair_world *w, int64_t seq)
{
    return &w->packets[seq & (PACKETS - 1)];
}

static bool by_chains(const struct tdm_repair_world *w)
{
    return w->config.policy == TDM_REPAIR_OURS || w->config.policy == TDM_REPAIR_FIXED;
}

static tdm_time way(const struct tdm_repair_world *w)
{
    return w->config.rtt / 2;
}

/* The link. */

static bool is_lost(struct tdm_repair_world *w, struct loss *l, tdm_time at)
{
    const struct tdm_repair_world_config *c = &w->config;

    if (c->burst <= 1)
        return tdm_rng_chance(&w->rng, c->loss);
    double end = 1 / c->burst;
    double begin = c->loss / (1 - c->loss) * end;

    for (; l->at < at; l->at += SLOT)
        l->losing = l->losing ? !tdm_rng_chance(&w->rng, end) : tdm_rng_chance(&w->rng, begin);
    return l->losing;
}

/* What the receiver says: one datagram. */
static bool is_heard(struct tdm_repair_world *w)
{
    return !w->config.back_loses || !is_lost(w, &w->back, w->now);
}

/* Takes the next place on the link; gives the time of that. */
static tdm_time leave(struct tdm_repair_world *w, struct event arrival)
{
    tdm_time at = tdm_time_max(w->free_at, w->now);

    w->free_at = at + SLOT;
    arrival.due.at = at + way(w);
    if (!is_lost(w, &w->there, at))
        push(w, arrival);
    return at;
}

/* The sender. */

static uint16_t draw_count(struct tdm_repair_world *w)
{
    double u = 1 - tdm_rng_unit(&w->rng), v = tdm_rng_unit(&w->rng);
    double normal = sqrt(-2 * log(u)) * cos(2 * 3.14159265358979 * v);
    double count = round(PACKETS_MEAN * exp(PACKETS_SPREAD * normal));

    return (uint16_t)(count < 1 ? 1 : count > PACKETS_MAX ? PACKETS_MAX : count);
}

static bool was_told(const struct tdm_repair_world *w, int64_t id)
{
    int64_t age = w->told_frame - id;

    return age >= 0 && age < TOLD_FRAMES && w->told >> age & 1;
}

/* Whether a picture that refers to `id` waits for one that is missing on the other side. */
static bool is_broken(struct tdm_repair_world *w, int64_t id)
{
    while (id >= 0 && id >= w->told_frame && frame_at(w, id)->id == id && !was_told(w, id))
        id = frame_at(w, id)->refers;
    return id >= 0 && !was_told(w, id);
}

static int64_t newest_told(const struct tdm_repair_world *w)
{
    for (int age = 0; age < TOLD_FRAMES && age <= w->told_frame; age++)
        if (w->told >> age & 1)
            return w->told_frame - age;
    return NONE;
}

static int64_t reference_of(struct tdm_repair_world *w, int64_t id)
{
    int64_t refers = id - (by_chains(w) ? w->plan.chains : 1);

    if (id == 0 || w->keyframe_due)
        return NONE;
    if (refers < 0)
        refers = 0;
    bool due = w->plan.known_every && id - w->head >= w->plan.known_every;

    if (!by_chains(w) || (!due && !(is_broken(w, refers))))
        return refers;
    int64_t known = newest_told(w);

    w->head = id;
    w->result->referred += known >= 0;
    return known; /* Or NONE: a keyframe. */
}

/* Media of this size for a picture, and what its reference costs beside. */
static uint16_t size_of(struct tdm_repair_world *w, const struct frame *f)
{
    uint16_t plain = draw_count(w);
    double more = 0;

    if (f->refers != NONE && f->id - f->refers > 1)
        more = plain * tdm_repair_reference_cost((uint32_t)(f->id - f->refers));
    else if (f->refers == NONE && f->id)
        more = plain * (KEYFRAME_SIZE - 1);
    uint16_t extra = (uint16_t)(more + tdm_rng_unit(&w->rng));

    w->result->packets += plain;
    w->result->costlier += extra;
    w->result->keyframes += f->refers == NONE;
    return (uint16_t)(plain + extra);
}

static void send_media(struct tdm_repair_world *w, struct frame *f)
{
    f->first = w->next_seq;
    for (uint16_t i = 0; i < f->count; i++) {
        int64_t seq = w->next_seq++;
        uint8_t symbol[SYMBOL_BYTES] = {(uint8_t)(seq >> 24), (uint8_t)(seq >> 16),
                                        (uint8_t)(seq >> 8), (uint8_t)seq};

        *packet_at(w, seq) = (struct packet){.seq = seq, .frame = f->id};
        if (by_chains(w))
            tdm_window_encoder_push(&w->encoder, seq, symbol, sizeof symbol);
        packet_at(w, seq)->sent = f->sent = leave(w, (struct event){.kind = MEDIA, .seq = seq});
        tdm_repeat_budget_sent(&w->repeats);
    }
}

/* Parity leaves evenly over the rest of the frame's time: less of it falls to one burst. */
static void send_parity(struct tdm_repair_world *w, const struct frame *f)
{
    uint16_t count;

    if (w->config.policy == TDM_REPAIR_BLOCK) {
        count = (uint16_t)ceil(f->count * BLOCK_PARITY);
    } else {
        w->credit += by_chains(w) ? f->count * w->plan.parity : 0;
        count = (uint16_t)w->credit;
        w->credit -= count;
    }
    tdm_time rest = tdm_time_max(w->now + INTERVAL - w->free_at, 0);

    for (uint16_t i = 0; i < count; i++)
        push(w, (struct event){
                    .due.at = w->free_at + (by_chains(w) ? rest * i / count : 0),
                    .kind = LEAVE,
                    .seq = NONE,
                    .newest = f->id,
                });
}

static void capture(struct tdm_repair_world *w)
{
    int64_t id = w->next_frame++;
    struct frame *f = frame_at(w, id);

    *f = (struct frame){.id = id};
    f->refers = reference_of(w, id);
    w->keyframe_due = false;
    f->count = size_of(w, f);
    w->result->frames++;
    send_media(w, f);
    send_parity(w, f);
    if (w->next_frame < w->config.frames)
        push(w, (struct event){.due.at = w->now + INTERVAL, .kind = CAPTURE});
}

static void leave_repair(struct tdm_repair_world *w, const struct event *e)
{
    struct event arrival = {.kind = MEDIA, .seq = e->seq};

    if (e->seq != NONE) {
        w->result->repeated++;
        (void)leave(w, arrival);
        return;
    }
    w->result->parity++;
    arrival.kind = PARITY;
    arrival.seq = e->newest;
    if (w->config.policy != TDM_REPAIR_BLOCK) {
        uint8_t room[TDM_WINDOW_REPAIR_MAX];
        int64_t oldest = w->next_frame - w->plan.window;

        if (w->plan.known_every && oldest < w->head)
            oldest = w->head;
        int64_t span = w->next_seq - frame_at(w, oldest < 0 ? 0 : oldest)->first;

        span = span > TDM_WINDOW_SPAN_MAX ? TDM_WINDOW_SPAN_MAX : span;
        arrival.size = (uint16_t)tdm_window_encoder_repair(&w->encoder, (uint16_t)span, room);
        assert(arrival.size <= sizeof arrival.bytes);
        memcpy(arrival.bytes, room, arrival.size);
    }
    (void)leave(w, arrival);
}

static struct tdm_repair_path path_of(const struct tdm_repair_world *w)
{
    return (struct tdm_repair_path){
        .loss = tdm_loss_pattern_loss(&w->pattern),
        .burst = tdm_loss_pattern_burst(&w->pattern),
        .burst_time = tdm_loss_pattern_burst_time(&w->pattern),
        .rtt = w->config.rtt,
    };
}

static void take_request(struct tdm_repair_world *w, int64_t seq)
{
    struct packet *p = packet_at(w, seq);
    struct tdm_repeat_plan repeat = {.times = 1};

    if (p->seq != seq || (p->repeated && w->now - p->repeated < w->config.rtt * 4 / 5))
        return;
    if (w->config.repeat && w->plan.parity <= 0) { /* Which mends what else is lost. */
        const struct tdm_repair_path path = path_of(w);

        tdm_repeat_plan_make(&repeat, &path, p->sent + INTERVAL + STALL - w->now);
        tdm_repeat_budget_spend(&w->repeats, &repeat);
    }
    p->repeated = w->now;
    for (uint8_t i = 0; i < repeat.times; i++)
        push(w, (struct event){.due.at = w->now + i * repeat.gap, .kind = LEAVE, .seq = seq});
}

static void plan(struct tdm_repair_world *w)
{
    const struct tdm_repair_path path = path_of(w);
    const struct tdm_repair_means means = {
        .ask = true,
        .code = true,
        .reach = w->config.chains ? TOLD_FRAMES : 0,
        .chains = w->config.chains,
        .interval = INTERVAL,
        .patience = STALL,
        .packets = PACKETS_MEAN,
        .most = w->config.most,
        .stalls = w->config.stalls,
        .late = 0.035,
    };

    if (w->config.policy != TDM_REPAIR_OURS || w->now < w->planned_at + REPLAN_EVERY)
        return;
    w->planned_at = w->now;
    tdm_repair_plan_make(&w->plan, &path, &means);
}

static void hear(struct tdm_repair_world *w, const struct event *e)
{
    w->told_frame = e->seq;
    w->told = e->told;
    for (; w->told_seq < e->newest; w->told_seq++) {
        const struct packet *p = packet_at(w, w->told_seq + 1);

        if (p->seq == w->told_seq + 1)
            tdm_loss_pattern_packet(&w->pattern, p->sent, !p->first_came);
    }
    plan(w);
}

/* The receiver. */

static void note_gap(struct tdm_repair_world *w)
{
    double gap = (double)(w->now - w->shown_at), mean = 0;

    for (uint32_t i = 0; i < GAPS; i++)
        mean += w->gaps[i] / GAPS;
    if (w->shown >= SETTLED && w->gap_count >= GAPS && gap >= 3 * mean &&
        gap >= mean + (double)STALL)
        w->result->frozen += w->now - w->shown_at;
    w->gaps[w->gap_count++ % GAPS] = gap;
}

static void show(struct tdm_repair_world *w, int64_t id)
{
    const struct frame *f = frame_at(w, id);

    if (id <= w->shown || f->id != id)
        return;
    if (w->shown != NONE)
        note_gap(w);
    w->shown = id;
    w->shown_at = w->now;
    w->result->shown++;
    tdm_histogram_add(&w->result->late, w->now - f->sent - way(w));
}

static void note_requests(struct tdm_repair_world *w, const struct tdm_nack_out *out)
{
    w->ask_at = out->wake_at;
    bool heard = (out->count || out->gave_up) && is_heard(w);

    if (out->gave_up && !by_chains(w)) {
        w->key_wanted = true;
        w->key_asked_at = w->now;
        if (heard)
            push(w, (struct event){.due.at = w->now + way(w), .kind = KEY_ASKED});
    }
    for (uint16_t i = 0; heard && i < out->count; i++)
        push(w, (struct event){
                    .due.at = w->now + way(w),
                    .kind = ASKED,
                    .seq = tdm_seq_extend(w->nack.highest_seq, out->seqs[i]),
                });
    if (w->ask_at != TDM_NEVER)
        push(w, (struct event){.due.at = tdm_time_max(w->ask_at, w->now), .kind = ASK});
}

static bool asks(const struct tdm_repair_world *w)
{
    return w->config.policy != TDM_REPAIR_BLOCK && (!by_chains(w) || w->plan.ask);
}

static void step_nack(struct tdm_repair_world *w, const struct tdm_nack_in *in)
{
    struct tdm_nack_out out;

    if (!asks(w))
        return;
    tdm_nack_step(&w->nack, w->now, in, &out);
    note_requests(w, &out);
}

/* Nothing before the newest decoded picture of each chain is wanted. */
static void forget(struct tdm_repair_world *w)
{
    int64_t first = INT64_MAX;

    for (int c = 0; c < (by_chains(w) ? w->plan.chains : 1); c++) {
        int64_t id = w->chain_decoded[c];
        int64_t at = id == NONE ? 0 : frame_at(w, id)->first;

        first = at < first ? at : first;
    }
    step_nack(w, &(struct tdm_nack_in){.kind = TDM_NACK_FORGET_BEFORE, .seq = first});
}

static void decode(struct tdm_repair_world *w)
{
    int64_t oldest = w->newest - FRAMES / 2, best = NONE;
    int chains = by_chains(w) ? w->plan.chains : 1;

    for (int64_t id = oldest < 0 ? 0 : oldest; id <= w->newest; id++) {
        struct frame *f = frame_at(w, id);

        if (!f->whole || f->decoded || (f->refers != NONE && !frame_at(w, f->refers)->decoded))
            continue;
        f->decoded = true;
        w->key_wanted &= f->refers != NONE;
        tdm_histogram_add(&w->result->decoded_late, w->now - f->sent - way(w));
        best = id;
        if (w->chain_decoded[id % chains] < id)
            w->chain_decoded[id % chains] = id;
    }
    if (best == NONE)
        return;
    forget(w);
    if (w->config.policy == TDM_REPAIR_ASK_HELD)
        push(w,
             (struct event){
                 .due.at = tdm_time_max(w->now, frame_at(w, best)->sent + way(w) + w->config.rtt),
                 .kind = SHOW,
                 .seq = best,
             });
    else
        show(w, best);
}

static void have(struct tdm_repair_world *w, int64_t seq)
{
    struct packet *p = packet_at(w, seq);
    struct frame *f = frame_at(w, p->frame);

    if (p->seq != seq || p->came || f->id != p->frame)
        return;
    p->came = true;
    f->came++;
    f->whole = f->came + f->parity_came >= f->count;
    if (p->frame > w->newest)
        w->newest = p->frame;
}

static void take_mended(struct tdm_repair_world *w, const struct tdm_window_out *out)
{
    for (uint16_t i = 0; i < out->count; i++) {
        const struct tdm_window_packet *p = out->packets[i];
        int64_t seq = p->bytes[0] << 24 | p->bytes[1] << 16 | p->bytes[2] << 8 | p->bytes[3];

        assert(p->size == SYMBOL_BYTES && seq == p->seq);
        w->result->recovered++;
        have(w, seq);
        step_nack(w, &(struct tdm_nack_in){.kind = TDM_NACK_REPAIR, .seq = seq});
    }
}

static void take_media(struct tdm_repair_world *w, int64_t seq)
{
    struct packet *p = packet_at(w, seq);
    uint8_t symbol[SYMBOL_BYTES] = {(uint8_t)(seq >> 24), (uint8_t)(seq >> 16), (uint8_t)(seq >> 8),
                                    (uint8_t)seq};
    struct tdm_window_out out;

    if (p->seq != seq || p->came)
        return;
    p->first_came = seq > w->newest_seq;
    if (p->first_came)
        w->newest_seq = seq;
    have(w, seq);
    step_nack(w, &(struct tdm_nack_in){.kind = TDM_NACK_PACKET, .seq = seq});
    if (by_chains(w)) {
        tdm_window_decoder_packet(&w->decoder, seq, symbol, sizeof symbol, &out);
        take_mended(w, &out);
    }
    decode(w);
}

static void take_parity(struct tdm_repair_world *w, const struct event *e)
{
    struct tdm_window_out out;
    struct frame *f = frame_at(w, e->seq);

    if (w->config.policy == TDM_REPAIR_BLOCK) {
        f->parity_came++;
        f->whole = f->came + f->parity_came >= f->count;
    } else if (tdm_window_decoder_repair(&w->decoder, e->bytes, e->size, &out) == TDM_OK) {
        take_mended(w, &out);
    }
    decode(w);
}

/* Frames come in order of sending: what is not whole when a newer one begins is lost to who does
 * not ask again; who does waits for long first. */
static void ask_keyframe(struct tdm_repair_world *w)
{
    bool lost = w->newest > w->shown + 1 || (w->shown == NONE && w->newest > 0);

    if (w->config.policy != TDM_REPAIR_BLOCK)
        lost = !by_chains(w) && w->now > tdm_time_max(w->shown_at, w->key_asked_at) + STUCK_AFTER;
    if (!lost || w->now < w->key_asked_at + PLI_EVERY)
        return;
    w->key_asked_at = w->now;
    if (is_heard(w))
        push(w, (struct event){.due.at = w->now + way(w), .kind = KEY_ASKED});
}

/* Until one is there, as a request may be lost, and the keyframe. */
static void ask_keyframe_again(struct tdm_repair_world *w)
{
    tdm_time every = tdm_time_max(PLI_EVERY, w->config.rtt * 3 / 2);

    if (!w->key_wanted || w->now < w->key_asked_at + every)
        return;
    w->key_asked_at = w->now;
    if (is_heard(w))
        push(w, (struct event){.due.at = w->now + way(w), .kind = KEY_ASKED});
}

static void tell(struct tdm_repair_world *w)
{
    struct event e = {
        .due.at = w->now + way(w), .kind = TOLD, .seq = w->newest, .newest = w->newest_seq};

    for (int age = 0; age < TOLD_FRAMES && age <= w->newest; age++)
        e.told |= (uint64_t)frame_at(w, w->newest - age)->decoded << age;
    if (is_heard(w))
        push(w, e);
    ask_keyframe(w);
    ask_keyframe_again(w);
    if (w->next_frame < w->config.frames)
        push(w, (struct event){.due.at = w->now + TELL_EVERY, .kind = TELL});
}

static void handle(struct tdm_repair_world *w, const struct event *e)
{
    switch (e->kind) {
    case CAPTURE:
        capture(w);
        break;
    case LEAVE:
        leave_repair(w, e);
        break;
    case MEDIA:
        take_media(w, e->seq);
        break;
    case PARITY:
        take_parity(w, e);
        break;
    case TELL:
        tell(w);
        break;
    case TOLD:
        hear(w, e);
        break;
    case ASKED:
        take_request(w, e->seq);
        break;
    case KEY_ASKED:
        w->keyframe_due = true;
        break;
    case ASK:
        if (w->ask_at != TDM_NEVER && w->now >= w->ask_at)
            step_nack(w, NULL);
        break;
    case SHOW:
        show(w, e->seq);
        break;
    }
}

void tdm_repair_world_run(void *storage, const struct tdm_repair_world_config *config,
                          struct tdm_repair_result *result)
{
    struct tdm_repair_world *w = storage;
    struct tdm_nack_out out;

    memset(w, 0, sizeof *w);
    w->due = tdm_sim_due_heap_of(w->events, sizeof w->events[0]);
    memset(result, 0, sizeof *result);
    tdm_histogram_init(&result->late);
    tdm_histogram_init(&result->decoded_late);
    w->config = *config;
    w->result = result;
    w->plan = config->policy == TDM_REPAIR_FIXED
                  ? config->plan
                  : (struct tdm_repair_plan){.ask = true, .window = 1, .chains = 1};
    w->rng = tdm_rng_of(config->seed);
    w->told_frame = w->shown = w->newest = NONE;
    w->newest_seq = w->told_seq = NONE;
    for (int c = 0; c < TDM_REPAIR_CHAINS_MAX; c++)
        w->chain_decoded[c] = NONE;
    w->ask_at = TDM_NEVER;
    w->key_asked_at = -PLI_EVERY;
    w->planned_at = -REPLAN_EVERY;
    tdm_loss_pattern_init(&w->pattern);
    tdm_window_encoder_init(&w->encoder);
    tdm_window_decoder_init(&w->decoder);
    tdm_nack_init(&w->nack, 0);
    tdm_nack_step(&w->nack, 0, &(struct tdm_nack_in){.kind = TDM_NACK_RTT, .rtt = config->rtt},
                  &out);
    push(w, (struct event){.kind = CAPTURE});
    push(w, (struct event){.kind = TELL});
    while (w->due.count) {
        struct event e;

        tdm_sim_due_heap_pop(&w->due, &e);
        w->now = e.due.at;
        handle(w, &e);
    }
    result->length = w->now;
    if (w->now - w->shown_at > STALL + TDM_S)
        result->frozen += w->now - w->shown_at; /* It never went on. */
    result->plan = w->plan;
}

double tdm_repair_freeze(const struct tdm_repair_result *result)
{
    return 100.0 * (double)result->frozen / (double)result->length;
}

double tdm_repair_overhead(const struct tdm_repair_result *result)
{
    return 100.0 * (double)(result->parity + result->repeated + result->costlier) /
           (double)result->packets;
}
