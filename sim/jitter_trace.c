/* SPDX-License-Identifier: MIT */
#include "sim/jitter_trace.h"

#include "engine/base/bytes.h"
#include "engine/wire/rtp.h"
#include "sim/network.h"

#include <stdlib.h>
#include <string.h>

#define ACCESS_PACKET_S 0.012 /* 1500 bytes at 1 Mb/s, */
#define ACCESS_VOICE_S  0.0008
#define ACCESS_GAP_S    0.060 /* and one of them so often. */
#define OPPORTUNITY     1500  /* Bytes; sim/rate_trace.h. */
#define VIDEO_BYTES     1200
#define VOICE_BYTES     160

/* The state of one path; times in seconds. */
struct path {
    struct tdm_rng rng;
    double free_at; /* Nothing passes before. */
    double event_at;
    double shift_ms;
};

static double later(double a, double b)
{
    return a > b ? a : b;
}

static double size_of(double x)
{
    return x < 0 ? -x : x;
}

static double access_ms(struct path *p, double at)
{
    while (p->event_at < at) { /* Another one waits only for what is in front of it. */
        double start = later(p->free_at, p->event_at), end = start + ACCESS_PACKET_S;
        double most = p->event_at + ACCESS_PACKET_S + 0.001;

        p->free_at = end < most ? end : most;
        p->event_at += tdm_sim_exponential(&p->rng) * ACCESS_GAP_S;
    }
    double wait = later(p->free_at - at, 0);

    p->free_at = at + wait + ACCESS_VOICE_S;
    return (wait + ACCESS_VOICE_S) * 1e3;
}

/* What is sent while nothing passes comes out at the end. */
static double stall_ms(struct path *p, double at, double every_s, double length_ms, bool random)
{
    if (at >= p->event_at) {
        if (p->event_at > 0)
            p->free_at = at + length_ms * 1e-3;
        p->event_at =
            at + every_s * (random ? tdm_sim_exponential(&p->rng) : 0.5 + tdm_rng_unit(&p->rng));
    }
    return later(p->free_at - at, 0) * 1e3;
}

static double gauss_ms(struct path *p, double at)
{
    if (at >= p->event_at) {
        p->shift_ms = tdm_rng_unit(&p->rng) * 32;
        p->event_at = at + 20 + 20 * tdm_rng_unit(&p->rng);
    }
    return later(60 + p->shift_ms + 12 * tdm_sim_normal(&p->rng), 10);
}

static double delay_ms(struct path *p, enum tdm_jitter_kind kind, double at)
{
    double noise = size_of(tdm_sim_normal(&p->rng)), length;

    switch (kind) {
    case TDM_JITTER_LAN:
        return 0.3 + noise * 0.5;
    case TDM_JITTER_ACCESS:
        return 10 + access_ms(p, at);
    case TDM_JITTER_GAUSS:
        return gauss_ms(p, at);
    case TDM_JITTER_WIFI:
    case TDM_JITTER_WIFI_RANDOM:
        length = 30 + 40 * tdm_sim_exponential(&p->rng);
        return 2 + noise +
               stall_ms(p, at, 4, length < 250 ? length : 250, kind == TDM_JITTER_WIFI_RANDOM);
    case TDM_JITTER_SPIKES:
    case TDM_JITTER_SPIKES_RANDOM:
        length = 100 + 300 * tdm_rng_unit(&p->rng);
        return 20 + 2 * noise + stall_ms(p, at, 15, length, kind == TDM_JITTER_SPIKES_RANDOM);
    case TDM_JITTER_KINDS:
        break;
    }
    return 0;
}

void tdm_jitter_draw(enum tdm_jitter_kind kind, uint64_t seed, tdm_time frame,
                     struct tdm_jitter_packet *packets, uint32_t count)
{
    struct path path = {.rng = tdm_rng_of(seed)};
    tdm_time last = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct tdm_jitter_packet *k = &packets[i];
        tdm_time sent = (tdm_time)i * frame;
        tdm_time comes = sent + (tdm_time)(delay_ms(&path, kind, (double)sent * 1e-9) * 1e6);

        last = tdm_time_max(comes, last);
        *k = (struct tdm_jitter_packet){.seq = i, .sent = sent, .arrival = last};
    }
}

void tdm_jitter_lose(const struct tdm_jitter_loss *loss, uint64_t seed,
                     struct tdm_jitter_packet *packets, uint32_t count)
{
    struct tdm_rng rng = tdm_rng_of(seed ^ 0x6c6f7373);
    double stay = loss->burst > 1 ? 1 - 1 / loss->burst : loss->share;
    double begin = loss->burst > 1 ? loss->share / (1 - loss->share) / loss->burst : loss->share;
    bool losing = false;

    for (uint32_t i = 0; i < count; i++) {
        losing = tdm_rng_chance(&rng, losing ? stay : begin);
        packets[i].lost |= losing;
    }
}

/* The queue: bytes that wait, served by opportunities of the trace over and over. */
struct queue {
    const uint32_t *trace_ms;
    uint32_t count, next;
    tdm_time round; /* When the trace began this time. */
    double left;    /* Bytes of the opportunity that is being used, */
    tdm_time at;    /* and when it came. */
};

static tdm_time serve(struct queue *q, tdm_time sent, double bytes)
{
    while (q->at < sent || bytes > q->left) {
        bytes -= q->at < sent ? 0 : q->left;
        q->at = q->round + (tdm_time)q->trace_ms[q->next] * TDM_MS;
        q->left = OPPORTUNITY;
        if (++q->next == q->count) {
            q->next = 0;
            q->round += (tdm_time)q->trace_ms[q->count - 1] * TDM_MS;
        }
    }
    q->left -= bytes;
    return q->at;
}

void tdm_jitter_behind(const uint32_t *trace_ms, uint32_t trace_count, double share, tdm_time frame,
                       struct tdm_jitter_packet *packets, uint32_t count)
{
    struct queue q = {.trace_ms = trace_ms, .count = trace_count, .at = -1};
    double per_ms = (double)trace_count * OPPORTUNITY / trace_ms[trace_count - 1] * share;
    tdm_time every = (tdm_time)(VIDEO_BYTES / per_ms * 1e6), video = 0;

    for (uint32_t i = 0; i < count; i++) {
        tdm_time sent = (tdm_time)i * frame;

        for (; video <= sent; video += every)
            (void)serve(&q, video, VIDEO_BYTES);
        packets[i] = (struct tdm_jitter_packet){
            .seq = i, .sent = sent, .arrival = serve(&q, sent, VOICE_BYTES) + TDM_MS};
    }
}

/* One record of the recording. */
struct record {
    uint32_t ms;
    struct tdm_rtp rtp;
};

static bool next_record(struct tdm_reader *r, struct record *record)
{
    while (tdm_reader_left(r) > 0) {
        uint16_t length = tdm_read_u16(r), packet = tdm_read_u16(r);
        uint32_t ms = tdm_read_u32(r);

        if (length < 8)
            return false;
        const uint8_t *bytes = tdm_read_bytes(r, length - 8u);

        if (!r->ok)
            return false;
        record->ms = ms;
        if (packet && tdm_rtp_parse(&record->rtp, bytes, length - 8u) == TDM_OK)
            return true;
    }
    return false;
}

static uint32_t clock_of(double ticks, double ms)
{
    static const uint32_t usual[] = {8000, 16000, 32000, 48000};
    uint32_t best = usual[0];

    for (size_t i = 1; i < sizeof usual / sizeof *usual; i++)
        if (size_of(ticks * 1e3 / usual[i] - ms) < size_of(ticks * 1e3 / best - ms))
            best = usual[i];
    return best;
}

enum tdm_err tdm_jitter_read(const uint8_t *data, size_t size, struct tdm_jitter_packet *packets,
                             uint32_t capacity, uint32_t *count, tdm_time *frame)
{
    static const char magic[] = "#!rtpplay1.0";
    const uint8_t *line = size > sizeof magic ? memchr(data, '\n', size) : NULL;
    int64_t first_seq = 0, first_ticks = 0, seq = 0, ticks = 0, last_seq = 0, last_ticks = 0;
    uint32_t first_ms = 0, ms = 0;
    struct record record;

    *count = 0;
    if (!line || memcmp(data, magic, sizeof magic - 1) != 0)
        return TDM_E_MALFORMED;
    struct tdm_reader r = tdm_reader_of(line + 1, size - (size_t)(line + 1 - data));

    (void)tdm_read_bytes(&r, 16); /* When and where it was recorded. */
    memset(packets, 0, capacity * sizeof *packets);
    for (uint32_t i = 0; next_record(&r, &record); i++) {
        seq = i ? tdm_seq_extend(seq, record.rtp.seq) : record.rtp.seq;
        ticks = i ? tdm_rtp_time_extend(ticks, record.rtp.timestamp) : record.rtp.timestamp;
        ms = record.ms;
        if (!i) {
            first_seq = last_seq = seq;
            first_ticks = last_ticks = ticks;
            first_ms = ms;
        }
        int64_t index = seq - first_seq;

        if (index < 0)
            continue; /* It overtook the first. */
        if (index >= capacity)
            return TDM_E_SPACE;
        packets[index] = (struct tdm_jitter_packet){
            .seq = index + 1, .sent = ticks - first_ticks, .arrival = (tdm_time)ms * TDM_MS};
        if (seq > last_seq) {
            last_seq = seq;
            last_ticks = ticks;
        }
    }
    if (last_seq == first_seq || last_ticks <= first_ticks)
        return TDM_E_MALFORMED;
    *count = (uint32_t)(last_seq - first_seq) + 1;
    uint32_t hz = clock_of((double)(last_ticks - first_ticks), (double)ms - first_ms);

    *frame = tdm_time_of_units(last_ticks - first_ticks, hz) / (*count - 1);
    for (uint32_t i = 0; i < *count; i++) {
        packets[i].lost = packets[i].seq == 0;
        packets[i].sent = (tdm_time)i * *frame;
        packets[i].seq = i;
    }
    return TDM_OK;
}

static int by_arrival(const void *a, const void *b)
{
    const struct tdm_jitter_packet *x = a, *y = b;

    if (x->lost != y->lost)
        return x->lost - y->lost;
    if (x->arrival != y->arrival)
        return x->arrival < y->arrival ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void tdm_jitter_sort(struct tdm_jitter_packet *packets, uint32_t count)
{
    qsort(packets, count, sizeof *packets, by_arrival);
}

tdm_time tdm_jitter_least(const struct tdm_jitter_packet *packets, uint32_t count)
{
    tdm_time least = TDM_NEVER;

    for (uint32_t i = 0; i < count; i++)
        if (!packets[i].lost)
            least = tdm_time_min(least, packets[i].arrival - packets[i].sent);
    return least;
}
