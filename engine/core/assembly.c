/* SPDX-License-Identifier: MIT */
#include "engine/core/assembly.h"

#include "engine/core/payload_format.h"

#include <string.h>

#define RTT_START              (60 * TDM_MS)
#define REORDER_HOLD           (40 * TDM_MS) /* How long a hole waits when nobody repairs. */
#define REPAIR_HOLD_MAX        (600 * TDM_MS)
#define KEYFRAME_ASK_EVERY     (250 * TDM_MS) /* Doubled with each vain request, so that */
#define KEYFRAME_ASK_DOUBLINGS 3              /* keyframes do not fill the queue that loses them. */
#define KEYFRAME_ASKS_MAX      6 /* Then decode what there is: the sender makes none. */

#define STUCK_AFTER (500 * TDM_MS) /* And three round trips: what is told back does not help. */
#define FAR_FOR     32             /* Pictures. */

#define MASK (TDM_ASSEMBLY_PACKETS - 1)

struct slot {
    int64_t seq; /* -1 = empty. */
    int64_t rtp_time;
    tdm_time arrival;
    uint16_t size;
    bool marker, has_timing, marked, has_reference;
    struct tdm_payload_start start;
    uint8_t timing[TDM_FRAME_TIMING_BYTES];
    struct tdm_region_mark mark;
    struct tdm_reference_mark reference;
};

/* By numbers of pictures, extended. */
struct came_out {
    bool any;         /* The sender marks its pictures. */
    int64_t newest;   /* That is known to have been sent. */
    uint64_t decoded; /* Bit i: newest - i came out. */
    tdm_time at;      /* The last one. */
    uint8_t far;      /* So many more pictures may be jumped to. */
};

struct tdm_assembly {
    struct tdm_assembly_config config;
    const struct tdm_payload_format *format;
    bool started, need_keyframe;
    bool heard;           /* A packet came since the last request for a keyframe. */
    bool parameters_seen; /* The decoder has had a keyframe that was not bare. */
    bool gave_up;
    int64_t gave_up_time;            /* RTP time of the frame whose hole was given up. */
    int64_t base;                    /* First packet of the next frame to come out. */
    struct tdm_payload_start before; /* What the frame before base began with. */
    int64_t highest;                 /* Highest packet seen. */
    tdm_time rtt, hole_since, ask_at;
    uint8_t asks;
    struct came_out came_out;
    struct tdm_assembly_stats stats;
    struct slot slots[TDM_ASSEMBLY_PACKETS];
    uint8_t payloads[TDM_ASSEMBLY_PACKETS][TDM_DATAGRAM_MAX];
    uint8_t frame[TDM_ASSEMBLY_FRAME_MAX];
};

size_t tdm_assembly_bytes(void)
{
    return sizeof(struct tdm_assembly);
}

struct tdm_assembly *tdm_assembly_init(void *storage, const struct tdm_assembly_config *config,
                                       tdm_time now)
{
    struct tdm_assembly *a = storage;

    a->config = *config;
    a->format = tdm_payload_format_of(config->codec);
    assert(a->format);
    a->started = a->heard = a->parameters_seen = a->gave_up = false;
    a->gave_up_time = 0;
    a->before = (struct tdm_payload_start){0};
    a->need_keyframe = true;
    a->base = a->highest = 0;
    a->rtt = RTT_START;
    a->hole_since = TDM_NEVER;
    a->ask_at = now + KEYFRAME_ASK_EVERY;
    a->asks = 0;
    a->came_out = (struct came_out){.at = now};
    memset(&a->stats, 0, sizeof a->stats);
    for (int i = 0; i < TDM_ASSEMBLY_PACKETS; i++)
        a->slots[i].seq = -1;
    return a;
}

static struct slot *slot_of(struct tdm_assembly *a, int64_t seq)
{
    struct slot *s = &a->slots[seq & MASK];

    return s->seq == seq ? s : NULL;
}

static void drop_range(struct tdm_assembly *a, int64_t from, int64_t to)
{
    for (int64_t seq = from; seq < to; seq++) {
        struct slot *s = slot_of(a, seq);

        if (s) {
            a->stats.abandoned_packets++;
            s->seq = -1;
        }
    }
}

static void want_keyframe(struct tdm_assembly *a)
{
    if (!a->need_keyframe) {
        a->need_keyframe = true;
        a->asks = 0;
        a->ask_at = 0;
    }
}

/* A sender that is told what came out goes on from that. */
static void lose_reference(struct tdm_assembly *a)
{
    if (!a->came_out.any)
        want_keyframe(a);
}

/* Marks. */

static int64_t number_of(const struct tdm_assembly *a, uint16_t number)
{
    const struct came_out *c = &a->came_out;

    return c->any ? c->newest + (int16_t)(uint16_t)(number - (uint16_t)c->newest) : number;
}

static void note_sent(struct came_out *c, int64_t number)
{
    int64_t more = number - c->newest;

    if (c->any && more <= 0)
        return;
    c->decoded = c->any && more < 64 ? c->decoded << more : 0;
    c->any = true;
    c->newest = number;
}

static void note_came_out(struct tdm_assembly *a, const struct slot *end, bool keyframe,
                          tdm_time now)
{
    struct came_out *c = &a->came_out;
    int64_t number = number_of(a, end->reference.number);

    /* Nothing before a keyframe is referred to; its numbers may begin anew. */
    if (keyframe && !end->reference.refers) {
        int64_t ahead = c->newest - number;

        c->decoded = 0;
        if (ahead >= 64 || ahead < 0)
            c->newest = number;
    }
    note_sent(c, number);
    if (c->newest - number < 64)
        c->decoded |= UINT64_C(1) << (c->newest - number);
    c->at = now;
    if (end->reference.refers > 1)
        c->far = FAR_FOR;
    else
        c->far = (uint8_t)(c->far - (c->far > 0));
}

static bool came_out(const struct tdm_assembly *a, int64_t number)
{
    int64_t age = a->came_out.newest - number;

    return age >= 0 && age < 64 && a->came_out.decoded >> age & 1;
}

/* Whether what this packet's picture refers to came out. */
static bool is_decodable(const struct tdm_assembly *a, const struct slot *s)
{
    return !s->reference.refers ||
           (a->came_out.any &&
            came_out(a, number_of(a, s->reference.number) - s->reference.refers));
}

/* The ring must hold every packet from base on; a packet too far ahead pushes base along. */
static void make_room(struct tdm_assembly *a, int64_t seq)
{
    if (seq - a->base < TDM_ASSEMBLY_PACKETS)
        return;
    int64_t base = seq - TDM_ASSEMBLY_PACKETS / 2;

    drop_range(a, a->base, tdm_time_min(base, a->base + TDM_ASSEMBLY_PACKETS));
    a->base = base;
    a->before.pictures = 0;
    a->hole_since = TDM_NEVER;
    a->stats.holes_given_up++;
    lose_reference(a);
}

static void insert(struct tdm_assembly *a, const struct tdm_assembly_packet *p)
{
    struct slot seen = {
        .seq = p->seq,
        .rtp_time = p->rtp_time,
        .arrival = p->arrival,
        .size = p->size,
        .marker = p->marker,
        .has_timing = p->timing != NULL,
        .marked = p->marked,
        .mark = p->mark,
        .has_reference = p->has_reference,
        .reference = p->reference,
    };

    if (!p->size && !a->started)
        return;
    a->heard |= p->size > 0;
    if (p->size > TDM_DATAGRAM_MAX ||
        (p->size && !a->format->look(&seen.start, p->payload, p->size))) {
        a->stats.malformed_packets++;
        return;
    }
    if (!a->started) {
        a->started = true;
        a->base = a->highest = p->seq;
    }
    if (p->seq < a->base) {
        a->stats.late_packets++;
        return;
    }
    make_room(a, p->seq);
    if (slot_of(a, p->seq)) {
        a->stats.duplicate_packets++;
        return;
    }
    if (p->timing)
        memcpy(seen.timing, p->timing, sizeof seen.timing);
    a->slots[p->seq & MASK] = seen;
    if (p->size)
        memcpy(a->payloads[p->seq & MASK], p->payload, p->size);
    if (p->seq > a->highest)
        a->highest = p->seq;
    if (p->has_reference && a->came_out.any)
        note_sent(&a->came_out, number_of(a, p->reference.number));
}

/* Steps over packets of padding alone, which are of no frame but have numbers. */
static void skip_padding(struct tdm_assembly *a)
{
    struct slot *s;

    while ((s = slot_of(a, a->base)) && !s->size) {
        s->seq = -1;
        a->base++;
        a->hole_since = TDM_NEVER;
    }
}

/* Steps over what is missing between the last frame and the next one, if that is the next by its
 * own number. */
static void skip_empty(struct tdm_assembly *a)
{
    int64_t seq = a->base;

    if (!a->config.empty_between || !a->before.pictures || slot_of(a, seq))
        return;
    while (seq <= a->highest && (!slot_of(a, seq) || !slot_of(a, seq)->size))
        seq++;
    const struct slot *s = slot_of(a, seq);

    if (!s || !s->start.begins || s->start.pictures != a->before.pictures ||
        s->start.picture != (a->before.picture + 1) % a->before.pictures)
        return;
    for (int64_t empty = a->base; empty < seq; empty++)
        a->slots[empty & MASK].seq = -1;
    a->base = seq;
    a->hole_since = TDM_NEVER;
}

/* Last packet of the whole frame that starts at `first`, or -1. */
static int64_t frame_end(struct tdm_assembly *a, int64_t first)
{
    const struct slot *start = slot_of(a, first);

    if (!start)
        return -1;
    for (int64_t seq = first;; seq++) {
        const struct slot *s = slot_of(a, seq);

        if (!s)
            return -1;
        if (!s->size)
            continue;
        if (s->rtp_time != start->rtp_time)
            return seq - 1; /* A sender that does not set the marker. */
        if (s->marker)
            return seq;
    }
}

/* Whether a keyframe can be decoded from this packet on: not from a slice whose parameter sets
 * are on their way, or were never seen. */
static bool may_start_at(struct tdm_assembly *a, int64_t seq)
{
    const struct slot *s = slot_of(a, seq);
    const struct slot *before = slot_of(a, seq - 1);

    if (!s || !s->start.keyframe)
        return false;
    return !s->start.bare || (a->parameters_seen && before && before->rtp_time != s->rtp_time);
}

/* The first whole keyframe of what waits; one look at each packet. */
static bool keyframe_behind(struct tdm_assembly *a, int64_t *first, int64_t *last)
{
    bool found = false;
    int64_t rtp_time = 0;

    for (int64_t seq = a->base; seq <= a->highest; seq++) {
        const struct slot *s = slot_of(a, seq);

        *last = seq - 1;
        if (s && !s->size)
            continue;
        if (found && s && s->rtp_time != rtp_time)
            return true; /* A sender that does not set the marker. */
        if (!s) {
            found = false;
        } else if (!found && may_start_at(a, seq)) {
            found = true;
            rtp_time = s->rtp_time;
            *first = seq;
        }
        *last = seq;
        if (found && s->marker)
            return true;
    }
    return false;
}

/* The first whole picture of what waits that does not need what is missing; one look at each
 * packet, whatever the marks say. */
static bool picture_behind(struct tdm_assembly *a, int64_t *first, int64_t *last)
{
    int64_t run = a->base; /* First of the packets of one time, without a hole, up to this one. */
    int64_t rtp_time = 0;

    if (!a->came_out.any)
        return false;
    for (int64_t seq = a->base; seq <= a->highest; seq++) {
        const struct slot *s = slot_of(a, seq);

        if (!s) {
            run = seq + 1;
            continue;
        }
        if (s->rtp_time != rtp_time)
            run = seq;
        rtp_time = s->rtp_time;
        if (s->marker && s->has_reference && s->reference.refers &&
            seq - s->reference.index >= run && is_decodable(a, s)) {
            *first = seq - s->reference.index;
            *last = seq;
            return true;
        }
    }
    return false;
}

/* Joins the payloads; false when they do not make a frame. */
static bool join(struct tdm_assembly *a, int64_t first, int64_t last, size_t *size)
{
    struct tdm_writer w = tdm_writer_of(a->frame, sizeof a->frame);
    struct tdm_payload_joiner joiner = {0};

    for (int64_t seq = first; seq <= last; seq++) {
        uint16_t bytes = a->slots[seq & MASK].size;

        if (bytes && (!a->format->join(&joiner, &w, a->payloads[seq & MASK], bytes) || !w.ok))
            return false;
    }
    if (a->format->end && !a->format->end(&joiner, &w))
        return false;
    *size = tdm_writer_size(&w);
    return *size > 0;
}

static void fill_frame(struct tdm_assembly *a, int64_t first, int64_t last,
                       struct tdm_assembly_frame *f)
{
    const struct slot *end = slot_of(a, last);

    f->data = a->frame;
    f->keyframe = false;
    f->rtp_time = slot_of(a, first)->rtp_time;
    f->first_seq = first;
    f->last_seq = last;
    f->first_arrival = TDM_NEVER;
    f->last_arrival = 0;
    f->has_timing = end->has_timing;
    f->marked = end->marked;
    f->mark = end->mark;
    memcpy(f->timing, end->timing, sizeof f->timing);
    for (int64_t seq = first; seq <= last; seq++) {
        const struct slot *s = slot_of(a, seq);

        f->first_arrival = tdm_time_min(f->first_arrival, s->arrival);
        f->last_arrival = tdm_time_max(f->last_arrival, s->arrival);
        f->keyframe |= s->start.keyframe && (!s->start.bare || a->parameters_seen);
        a->parameters_seen |= s->start.keyframe && !s->start.bare;
    }
}

/* Whether the frame first..last is of use: by its mark, or in the ordinary way. */
static bool is_wanted(struct tdm_assembly *a, int64_t first, int64_t last, bool keyframe)
{
    const struct slot *end = &a->slots[last & MASK];

    if (end->has_reference && (a->came_out.any || keyframe))
        return (keyframe || is_decodable(a, end)) && last - first >= end->reference.index;
    if (a->came_out.any && !keyframe) /* What it needs may have been jumped over. */
        want_keyframe(a);
    return keyframe || (!a->came_out.any && (!a->need_keyframe || a->asks >= KEYFRAME_ASKS_MAX));
}

/* Takes the frame base..last out of the ring; true when it is one to decode. */
static bool take_frame(struct tdm_assembly *a, tdm_time now, int64_t last,
                       struct tdm_assembly_frame *f)
{
    const struct slot end = a->slots[last & MASK];
    int64_t first = a->base;
    size_t size = 0;
    bool joined = join(a, first, last, &size);

    fill_frame(a, first, last, f);
    f->size = size;
    bool wanted = is_wanted(a, first, last, f->keyframe);

    a->before = slot_of(a, first)->start;
    if (!a->before.begins)
        a->before.pictures = 0;
    for (int64_t seq = first; seq <= last; seq++)
        a->slots[seq & MASK].seq = -1;
    a->base = last + 1;
    a->hole_since = TDM_NEVER;
    /* What is left of a frame that was given up is not a frame, though it ends like one. */
    if (!joined || (a->gave_up && f->rtp_time == a->gave_up_time)) {
        a->stats.dropped_frames++;
        lose_reference(a);
        return false;
    }
    if (!wanted) {
        a->stats.dropped_frames++;
        return false;
    }
    if (end.has_reference)
        note_came_out(a, &end, f->keyframe, now);
    else
        a->came_out.any = false;
    a->need_keyframe = false;
    a->asks = 0;
    a->stats.frames++;
    a->stats.keyframes += f->keyframe;
    return true;
}

static tdm_time hole_deadline(const struct tdm_assembly *a)
{
    tdm_time hold = a->config.can_repair
                        ? tdm_time_min(2 * a->rtt + a->rtt / 2 + REORDER_HOLD, REPAIR_HOLD_MAX)
                        : REORDER_HOLD;

    return a->hole_since + hold;
}

/* Whether decoding may go on at this packet, in the midst of what is given up: at parameter sets,
 * or at an IDR slice right behind the hole whose own parameter sets nobody misses. */
static bool resumes_at(const struct tdm_assembly *a, const struct slot *s, int64_t first)
{
    if (!s->start.keyframe || s->seq == a->base)
        return false;
    return !s->start.bare || (a->parameters_seen && s->seq == first);
}

/* Drops the damaged frame, as far as it came. `hole_since` is cleared: there was progress. */
static void give_up(struct tdm_assembly *a)
{
    int64_t seq = a->base;

    a->stats.holes_given_up++;
    lose_reference(a);
    while (seq <= a->highest && !slot_of(a, seq))
        seq++;
    int64_t first = seq;

    a->gave_up = first <= a->highest;
    a->gave_up_time = a->gave_up ? slot_of(a, first)->rtp_time : 0;
    for (; seq <= a->highest; seq++) {
        const struct slot *s = slot_of(a, seq);

        if (s && resumes_at(a, s, first)) {
            a->gave_up = false;
            break;
        }
        if (s && s->rtp_time != a->gave_up_time)
            break;
        if (s && s->marker) {
            seq++;
            break;
        }
    }
    drop_range(a, a->base, seq);
    a->base = seq;
    a->before.pictures = 0;
    a->hole_since = TDM_NEVER;
}

/* Frames from base on, then a keyframe behind a hole, else the hole's clock. */
static bool advance(struct tdm_assembly *a, tdm_time now, struct tdm_assembly_out *out)
{
    int64_t first;
    int64_t last;
    bool hole = false;

    for (;;) {
        skip_padding(a);
        skip_empty(a);
        if ((last = frame_end(a, a->base)) < 0) {
            bool jumps = picture_behind(a, &first, &last);

            if (!jumps && !keyframe_behind(a, &first, &last))
                break;
            a->stats.jumped_holes += jumps;
            drop_range(a, a->base, first);
            a->base = first;
            a->gave_up = false;
        }
        if (take_frame(a, now, last, &out->frame))
            return true;
    }

    for (int64_t seq = a->base; seq < a->highest && !hole; seq++)
        hole = !slot_of(a, seq);
    if (!hole)
        a->hole_since = TDM_NEVER;
    else if (a->hole_since == TDM_NEVER)
        a->hole_since = now;
    if (hole && now >= hole_deadline(a))
        give_up(a);
    return false;
}

/* What the decoder had is not to be relied on. */
static void break_off(struct tdm_assembly *a)
{
    a->came_out.decoded = 0;
    want_keyframe(a);
}

static void ask_for_keyframe(struct tdm_assembly *a, tdm_time now, struct tdm_assembly_out *out)
{
    if (!a->need_keyframe || !a->started || now < a->ask_at)
        return;
    out->keyframe_wanted = true;
    if (a->asks < KEYFRAME_ASKS_MAX && a->heard)
        a->asks++;
    a->heard = false;
    int doublings = a->asks > KEYFRAME_ASK_DOUBLINGS ? KEYFRAME_ASK_DOUBLINGS : a->asks - 1;

    a->ask_at = now + tdm_time_max(KEYFRAME_ASK_EVERY << (doublings > 0 ? doublings : 0),
                                   a->rtt + a->rtt / 2);
}

void tdm_assembly_step(struct tdm_assembly *a, tdm_time now, const struct tdm_assembly_in *in,
                       struct tdm_assembly_out *out)
{
    out->keyframe_wanted = false;
    out->wake_at = TDM_NEVER;
    if (in && in->kind == TDM_ASSEMBLY_PACKET)
        insert(a, &in->packet);
    else if (in && in->kind == TDM_ASSEMBLY_RTT)
        a->rtt = in->rtt;
    else if (in && in->kind == TDM_ASSEMBLY_BROKEN)
        break_off(a);
    else if (in && a->hole_since != TDM_NEVER)
        give_up(a);
    out->has_frame = a->started && advance(a, now, out);
    if (a->came_out.any && a->heard && now - a->came_out.at > STUCK_AFTER + 3 * a->rtt)
        want_keyframe(a);
    ask_for_keyframe(a, now, out);
    out->forget_before = a->base;
    if (out->has_frame && a->highest >= a->base)
        out->wake_at = now;
    if (a->hole_since != TDM_NEVER)
        out->wake_at = tdm_time_min(out->wake_at, tdm_time_max(hole_deadline(a), now));
    if (a->need_keyframe && a->started)
        out->wake_at = tdm_time_min(out->wake_at, tdm_time_max(a->ask_at, now));
}

bool tdm_assembly_report(const struct tdm_assembly *a, struct tdm_reference_report *report)
{
    const struct came_out *c = &a->came_out;

    *report = (struct tdm_reference_report){
        .newest = (uint16_t)c->newest,
        .decoded = c->decoded & ((UINT64_C(1) << TDM_REFERENCE_REPORT_PICTURES) - 1),
    };
    return c->any;
}

bool tdm_assembly_may_jump(const struct tdm_assembly *a)
{
    return a->came_out.any && a->came_out.far > 0;
}

const struct tdm_assembly_stats *tdm_assembly_stats_of(const struct tdm_assembly *a)
{
    return &a->stats;
}
