/* SPDX-License-Identifier: MIT */
#include "engine/core/lateness.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define BUCKET_MASK (TDM_LATENESS_BUCKETS - 1)
#define UNIT_MAX    1e9

/* One per cent of concealment is worth 70 ms of delay. */
#define CONCEAL_PRICE_MS 5700.0
#define LOSS_HEARD       0.006 /* Where so much is lost anyway, one gap more is half as bad. */
#define CONCEAL_STEP     (TDM_MS * 5 / 2)
#define SCORE_MEMORY_S   100.0
#define SCORE_START_S    15.0 /* What the first arrivals are weighed against. */
#define SWITCH_GAIN_MS   1.0  /* A better expert must be better by this much. */
#define FIRST_EXPERT     (0 * TDM_LATENESS_QUANTILES + 4)

/* How fast a playout moves by stretching, and how far off it leaves alone. */
#define STRETCH_SHARE 0.15
#define HOLD          (2 * TDM_MS)

/* What a playout holds beyond the usual lateness lasts longer by this, because it is stretched
 * when a gap looms. */
#define WARNING_GAIN 0.9

/* What the last moments before a gap gain, where enough is held: little on a clean path; more where
 * packets are lost, since what is stretched there is given back in the next loss. */
#define NEAR_GAIN       (16.0 * TDM_MS)
#define NEAR_NEEDS      (15 * TDM_MS)
#define NEAR_SHARE      0.15
#define NEAR_CLEAN_PATH 0.1

/* And before a packet that is missing, it is stretched by so much. */
#define HOLE_GAIN (8 * TDM_MS)

/* What of a lost packet's price is saved where the one behind it carries it at a lower rate. */
#define HEALED_WELL  0.7
#define HEALED_SHARE 0.01

/* A packet so much later than what is calm came in a stall; what lasts is none. */
#define STALL_LATE   (20 * TDM_MS)
#define STALL_LASTS  TDM_S
#define STALL_CALM   3   /* Quantile. */
#define STALLS_KNOWN 3   /* Before, nothing is known of their rhythm. */
#define REST_SHARE   0.9 /* Of the least time between two stalls, nothing is held. */

static const double memory_s[TDM_LATENESS_MEMORIES] = {3, 12, 48, 0.75, 12};
static const tdm_time holds[TDM_LATENESS_HOLDS] = {15 * TDM_MS, 30 * TDM_MS, 45 * TDM_MS,
                                                   65 * TDM_MS, 95 * TDM_MS, 135 * TDM_MS};
static const double quantiles[TDM_LATENESS_QUANTILES] = {0.90, 0.97,  0.98,  0.985,
                                                         0.99, 0.997, 0.9998};

void tdm_lateness_init(struct tdm_lateness *l)
{
    memset(l, 0, sizeof *l);
    for (int m = 0; m < TDM_LATENESS_MEMORIES; m++)
        l->memories[m].unit = 1;
    l->followed = FIRST_EXPERT;
}

static int64_t bucket_of(tdm_time late)
{
    return late >= 0 ? late / TDM_MS : -((-late + TDM_MS - 1) / TDM_MS);
}

/* Moves a mark to the first bucket at which the summed weight reaches its quantile. */
static void settle(const struct tdm_lateness *l, struct tdm_lateness_memory *m, int q)
{
    struct tdm_lateness_mark *mark = &m->marks[q];
    double wanted = quantiles[q] * m->total;
    int64_t highest = l->lowest + TDM_LATENESS_BUCKETS - 1;

    while (mark->bucket < highest && mark->below + m->weight[mark->bucket & BUCKET_MASK] < wanted)
        mark->below += m->weight[mark->bucket++ & BUCKET_MASK];
    while (mark->bucket > l->lowest && mark->below >= wanted)
        mark->below -= m->weight[--mark->bucket & BUCKET_MASK];
}

/* After buckets came or went: sums again, so that rounding cannot pile up either. */
static void recount(const struct tdm_lateness *l, struct tdm_lateness_memory *m)
{
    m->total = 0;
    for (int i = 0; i < TDM_LATENESS_BUCKETS; i++)
        m->total += m->weight[i];
    for (int q = 0; q < TDM_LATENESS_QUANTILES; q++) {
        m->marks[q] = (struct tdm_lateness_mark){.bucket = l->lowest};
        settle(l, m, q);
    }
}

/* Moves the represented range so that it holds `bucket`; what leaves it is forgotten. */
static void make_room(struct tdm_lateness *l, int64_t bucket)
{
    int64_t old = l->lowest, lowest = old;

    if (bucket < old)
        lowest = bucket;
    else if (bucket - old >= TDM_LATENESS_BUCKETS)
        lowest = bucket - TDM_LATENESS_BUCKETS + 1;
    if (lowest == old)
        return;
    int64_t moved = lowest > old ? lowest - old : old - lowest;
    int64_t gone = moved < TDM_LATENESS_BUCKETS ? moved : TDM_LATENESS_BUCKETS;
    int64_t first = lowest > old ? old : lowest;

    l->lowest = lowest;
    for (int m = 0; m < TDM_LATENESS_MEMORIES; m++) {
        for (int64_t i = 0; i < gone; i++)
            l->memories[m].weight[(first + i) & BUCKET_MASK] = 0;
        recount(l, &l->memories[m]);
    }
}

static void remember(struct tdm_lateness *l, int index, int64_t bucket, double seconds)
{
    struct tdm_lateness_memory *m = &l->memories[index];

    m->unit *= 1 + seconds / memory_s[index];
    if (m->unit > UNIT_MAX) {
        for (int i = 0; i < TDM_LATENESS_BUCKETS; i++)
            m->weight[i] /= m->unit;
        m->unit = 1;
        recount(l, m);
    }
    m->weight[bucket & BUCKET_MASK] += m->unit;
    m->total += m->unit;
    for (int q = 0; q < TDM_LATENESS_QUANTILES; q++) {
        if (bucket < m->marks[q].bucket)
            m->marks[q].below += m->unit;
        settle(l, m, q);
    }
}

static tdm_time mark_of(const struct tdm_lateness *l, int memory, int quantile)
{
    return (l->memories[memory].marks[quantile].bucket + 1) * TDM_MS;
}

/* Experts behind those of the quantiles hold a fixed time against stalls, or, of two, one holds it
 * only when one may come. */
static tdm_time aim_of(const struct tdm_lateness *l, int expert)
{
    int hold = expert - TDM_LATENESS_CALM * TDM_LATENESS_QUANTILES;

    if (hold < 0)
        return mark_of(l, expert / TDM_LATENESS_QUANTILES, expert % TDM_LATENESS_QUANTILES);
    tdm_time held = holds[hold / 2], calm = mark_of(l, TDM_LATENESS_CALM, STALL_CALM);
    tdm_time grows = (tdm_time)((double)held / STRETCH_SHARE);
    bool rests = hold % 2 && l->seen - l->stalls.ended < l->stalls.rest - grows;

    return rests ? calm : calm + held;
}

/* Learns when stalls come. True: the packet came in one. */
static bool in_stall(struct tdm_lateness *l, tdm_time late, tdm_time duration)
{
    struct tdm_lateness_stalls *s = &l->stalls;
    bool stalled = late > mark_of(l, TDM_LATENESS_CALM, STALL_CALM) + STALL_LATE;

    s->lasts = stalled ? s->lasts + duration : 0;
    if (stalled && !s->stalled) {
        tdm_time least = TDM_NEVER;

        s->apart[s->count++ % TDM_LATENESS_STALLS] = l->seen - s->ended;
        for (uint32_t i = 0; i < TDM_LATENESS_STALLS && i < s->count; i++)
            least = tdm_time_min(least, s->apart[i]);
        s->rest = s->count < STALLS_KNOWN ? 0 : (tdm_time)(REST_SHARE * (double)least);
    }
    s->stalled = stalled;
    if (stalled)
        s->ended = l->seen + duration;
    return stalled && s->lasts < STALL_LASTS;
}

static double gained_near(const struct tdm_lateness *l, const struct tdm_lateness_expert *e)
{
    double held = (double)(e->delay - l->least - NEAR_NEEDS) * NEAR_SHARE;

    return fmin(fmax(held, 0), NEAR_GAIN) * (NEAR_CLEAN_PATH + l->lost / (l->lost + LOSS_HEARD));
}

/* What is made up comes in whole steps. */
static tdm_time in_steps(tdm_time missing)
{
    return missing > 0 ? (missing + CONCEAL_STEP - 1) / CONCEAL_STEP * CONCEAL_STEP : 0;
}

/* One packet in the life of an expert: it moved towards its aim, then the packet was in time, or
 * was waited for under concealment. */
static void live(const struct tdm_lateness *l, struct tdm_lateness_expert *e, int index,
                 tdm_time late, tdm_time duration, bool overtaken)
{
    tdm_time aim = aim_of(l, index), origin = l->lowest * TDM_MS;
    tdm_time step = (tdm_time)((double)duration * STRETCH_SHARE);
    tdm_time usual = tdm_lateness_recent(l, TDM_LATENESS_USUAL) + TDM_LATENESS_WARNING;
    double memory = fmin((double)l->seen * 1e-9 + SCORE_START_S, SCORE_MEMORY_S);
    double concealed = 0, share = (double)duration * 1e-9 / memory;

    if (e->delay > aim + HOLD)
        e->delay = tdm_time_max(e->delay - step, aim);
    else if (e->delay < aim)
        e->delay = tdm_time_min(e->delay + step, aim);
    if (late > e->delay && overtaken) {
        tdm_time missing = late - e->delay - tdm_time_min(HOLE_GAIN, duration / 4);

        concealed = fmin((double)in_steps(missing) / (double)duration, 1);
        concealed *= 1 - l->healed * HEALED_WELL;
    } else if (late > e->delay) {
        tdm_time spare = tdm_time_max(e->delay - usual, 0);
        double gained = fmax((double)spare * WARNING_GAIN, gained_near(l, e));
        tdm_time missing = late - e->delay - (tdm_time)gained;

        concealed = (double)in_steps(missing) / (double)duration;
        e->delay = late;
    }
    double price = CONCEAL_PRICE_MS / (1 + l->lost / LOSS_HEARD);
    double now_ms = (double)(e->delay - origin) * 1e-6 + price * concealed;
    e->cost_ms += fmin(share, 1) * (now_ms - e->cost_ms);
}

static void choose(struct tdm_lateness *l)
{
    uint32_t best = l->followed;

    for (uint32_t i = 0; i < TDM_LATENESS_EXPERTS; i++)
        if (l->experts[i].cost_ms < l->experts[best].cost_ms)
            best = i;
    if (l->experts[best].cost_ms + SWITCH_GAIN_MS < l->experts[l->followed].cost_ms)
        l->followed = best;
}

void tdm_lateness_add(struct tdm_lateness *l, tdm_time late, tdm_time duration, bool overtaken)
{
    int64_t bucket = bucket_of(late);

    assert(duration > 0);
    if (l->count == 0) {
        l->lowest = bucket - TDM_LATENESS_BUCKETS / 4;
        for (int m = 0; m < TDM_LATENESS_MEMORIES; m++)
            recount(l, &l->memories[m]);
        for (int i = 0; i < TDM_LATENESS_EXPERTS; i++)
            l->experts[i].delay = late;
    }
    int64_t lowest = l->lowest;
    make_room(l, bucket);
    if (l->lowest != lowest) /* The origin of the costs moved. */
        for (int i = 0; i < TDM_LATENESS_EXPERTS; i++)
            l->experts[i].cost_ms += (double)(lowest - l->lowest);
    l->least = l->count ? tdm_time_min(late, l->least + duration / 1000) : late;
    for (int i = 0; i < TDM_LATENESS_EXPERTS; i++)
        live(l, &l->experts[i], i, late, duration, overtaken);
    bool left_out = !overtaken && l->count && in_stall(l, late, duration);
    for (int m = 0; m < TDM_LATENESS_MEMORIES; m++)
        if (m != TDM_LATENESS_CALM || !left_out)
            remember(l, m, bucket, (double)duration * 1e-9);
    choose(l);
    l->count++;
    l->seen += duration;
}

void tdm_lateness_lose(struct tdm_lateness *l, double share)
{
    l->lost = fmin(fmax(share, 0), 1);
}

void tdm_lateness_heal(struct tdm_lateness *l, bool heals)
{
    l->healed += HEALED_SHARE * ((heals ? 1 : 0) - l->healed);
}

void tdm_lateness_shift(struct tdm_lateness *l, tdm_time by)
{
    int64_t buckets = bucket_of(by);

    if (!l->count)
        return;
    for (int i = 0; i < TDM_LATENESS_EXPERTS; i++)
        l->experts[i].delay += buckets * TDM_MS;
    for (int m = 0; m < TDM_LATENESS_MEMORIES; m++) {
        double moved[TDM_LATENESS_BUCKETS];

        for (int64_t b = 0; b < TDM_LATENESS_BUCKETS; b++)
            moved[(b + buckets) & BUCKET_MASK] = l->memories[m].weight[b];
        memcpy(l->memories[m].weight, moved, sizeof moved);
    }
    l->lowest += buckets;
    l->least += buckets * TDM_MS;
    for (int m = 0; m < TDM_LATENESS_MEMORIES; m++)
        recount(l, &l->memories[m]);
}

tdm_time tdm_lateness_target(const struct tdm_lateness *l)
{
    assert(l->count);
    return aim_of(l, (int)l->followed);
}

tdm_time tdm_lateness_recent(const struct tdm_lateness *l, uint32_t index)
{
    assert(index < TDM_LATENESS_QUANTILES);
    return aim_of(l, (int)index);
}
