/* SPDX-License-Identifier: MIT */
#include "engine/core/repair_plan.h"

#include <math.h>
#include <string.h>

#define COST_A_PICTURE 0.07 /* Of distance. */
#define TELL_TIME      (10 * TDM_MS)
#define MISSING_MAX    48 /* Packets; more count as so many. */
#define STEPS_MAX      12 /* Pictures that are looked ahead. */
#define WINDOW         8  /* Pictures; a repair over more mends no more in time. */
#define PARITY_STEP    0.01
#define PARITY_MAX     0.6
#define LOSS_MAX       0.5
#define NEGLIGIBLE     1e-9
#define KNOWN_PARITY   0.02 /* Steps of parity beside references, */
#define KNOWN_PARITIES 10   /* and how many. */
#define ROWS           2    /* Packets lost in a row, from which on it is a burst. */

/* What was lost of one picture after another, as the planner sees it. */
struct outlook {
    double hit;                   /* Part of the pictures that lose a packet; */
    double hit_again;             /* of those behind one that did. */
    double lost[MISSING_MAX + 1]; /* Chance of so many packets in one; */
    int lost_most;                /* more are all but impossible. */
    uint32_t stall;               /* Pictures in a row whose lack is a stall. */
    uint32_t told_after;          /* Pictures until one refers to what is known now. */
    uint32_t asked_after;         /* Pictures until what is asked for is there. */
    double asked_lost;            /* Chance that it is not. */
};

double tdm_repair_reference_cost(uint32_t distance)
{
    return distance > 1 ? COST_A_PICTURE * (distance - 1) : 0;
}

static uint32_t pictures_in(tdm_time time, tdm_time interval)
{
    return (uint32_t)((time + interval - 1) / interval);
}

/* Rows begin at random and their lengths are geometric: Polya and Aeppli's distribution, by its
 * recursion. */
static void draw_lost(struct outlook *o, double rows, double burst)
{
    double q = 1 - 1 / burst, p = 1 - q, sum = 0;

    o->lost[0] = exp(-rows);
    o->lost[1] = rows * p * o->lost[0];
    for (int n = 1; n < MISSING_MAX; n++)
        o->lost[n + 1] =
            ((2 * q * n + rows * p) * o->lost[n] - q * q * (n - 1) * o->lost[n - 1]) / (n + 1);
    for (int n = 0; n < MISSING_MAX; n++)
        sum += o->lost[n] = o->lost[n] < 0 ? 0 : o->lost[n];
    o->lost[MISSING_MAX] = sum < 1 ? 1 - sum : 0;
    for (double rest = 0; o->lost_most < MISSING_MAX && rest < 1 - NEGLIGIBLE; o->lost_most++)
        rest += o->lost[o->lost_most];
}

static struct outlook look(const struct tdm_repair_path *path, const struct tdm_repair_means *m)
{
    struct outlook o = {0};
    double burst = path->burst < 1 ? 1 : path->burst;
    double begins = path->loss / burst / (1 - path->loss);
    double lasting =
        burst > 1 && path->burst_time ? exp(-(double)m->interval / (double)path->burst_time) : 0;

    begins = begins > 1 ? 1 : begins;
    o.hit = path->loss + (1 - path->loss) * (1 - pow(1 - begins, m->packets - 1));
    o.hit_again = o.hit + (1 - o.hit) * lasting;
    draw_lost(&o, path->loss * m->packets / burst, burst);
    o.stall = pictures_in(m->patience, m->interval);
    o.told_after = pictures_in(path->rtt + TELL_TIME + m->interval / 4, m->interval);
    o.asked_after = pictures_in(path->rtt + m->interval / 2, m->interval);
    o.asked_lost = 1 - pow(1 - path->loss, burst);
    return o;
}

/* One picture is lost in part, and `part` of the time one more repair comes. */
static void pass_queue(double next[MISSING_MAX + 1], const struct outlook *o, int had,
                       double chance, double part)
{
    for (int lost = 0; lost <= o->lost_most; lost++) {
        int left = had + lost > MISSING_MAX ? MISSING_MAX : had + lost;

        if (left > 0)
            next[left] += chance * o->lost[lost] * (1 - part);
        if (left > 1)
            next[left - 1] += chance * o->lost[lost] * part;
    }
}

/* Each picture refers to the last, with so many repairs on average: how many packets are missing
 * runs like a queue, and nothing can be shown until it is empty. */
static void judge_parity(struct tdm_repair_plan *plan, const struct outlook *o,
                         const struct tdm_repair_path *path, const struct tdm_repair_means *m)
{
    double repairs = plan->parity * m->packets * (1 - path->loss);
    double part = repairs - floor(repairs);
    int least = (int)repairs;
    double waiting[MISSING_MAX + 1] = {1}, next[MISSING_MAX + 1];
    double mass = 1, stalled = 0;

    plan->late = 0;
    for (uint32_t step = 1; step <= STEPS_MAX && mass > NEGLIGIBLE; step++) {
        memset(next, 0, sizeof next);
        for (int have = 0; have <= MISSING_MAX; have++)
            if (waiting[have] > NEGLIGIBLE)
                pass_queue(next, o, have - least, waiting[have], part);
        mass = 0;
        for (int have = 1; have <= MISSING_MAX; have++) {
            if (plan->ask && step == o->asked_after)
                next[have] *= o->asked_lost;
            mass += waiting[have] = next[have];
        }
        waiting[0] = 0; /* What is shown is not late any more. */
        plan->late += mass;
        if (step == o->stall - 1)
            stalled = mass;
    }
    plan->stalls = stalled * (o->stall + 1);
    plan->cost = plan->parity + (plan->ask ? path->loss : 0) +
                 stalled * tdm_repair_reference_cost(o->told_after);
}

/* One picture more: what is not hit and not broken; hit; not hit but of a broken group. */
struct group {
    double clean, hit, broken;
};

static void pass_picture(struct group *g, const struct outlook *o, bool head)
{
    struct group was = *g;
    double unhit = was.hit * (1 - o->hit_again) + was.broken * (1 - o->hit);

    g->hit = was.hit * o->hit_again + (was.broken + was.clean) * o->hit;
    g->clean = was.clean * (1 - o->hit) + (head ? unhit : 0);
    g->broken = head ? 0 : unhit;
}

/* A picture's own repairs, so many on average, mend those hits that take no more than they are. */
static void mend_hits(struct outlook *o, double repairs)
{
    double part = repairs - floor(repairs), lost = 1;

    for (int n = 0; n <= (int)repairs && n <= MISSING_MAX; n++)
        lost -= o->lost[n];
    if ((int)repairs + 1 <= MISSING_MAX)
        lost -= o->lost[(int)repairs + 1] * part;
    lost = fmin(fmax(lost / (1 - o->lost[0] + NEGLIGIBLE), 0), 1); /* Of those that are hit. */
    o->hit *= lost;
    o->hit_again *= lost;
}

/* A group is as good as its first pictures; what was before it does not matter. The chance that so
 * many in a row are not shown, over where in a group this begins. */
static void judge_known(struct tdm_repair_plan *plan, const struct outlook *all,
                        const struct tdm_repair_path *path, const struct tdm_repair_means *m)
{
    double more = tdm_repair_reference_cost(all->told_after) / plan->known_every;
    struct outlook own = *all, *o = &own;
    double sum = 0;

    mend_hits(o, plan->parity * m->packets * (1 + more) * (1 - path->loss));

    for (uint32_t phase = 0; phase < plan->known_every; phase++) {
        struct group g = {.clean = 1};

        for (uint32_t i = 0; i < phase + o->stall; i++) {
            pass_picture(&g, o, i % plan->known_every == 0);
            if (i >= phase)
                g.clean = 0;
        }
        sum += g.hit + g.broken;
    }
    plan->stalls = sum / plan->known_every * (o->stall + 1);
    plan->late = 0;
    plan->cost = more + plan->parity * (1 + more);
}

/* A chain is broken from a hit until its next picture refers to what is known. A stall begins when
 * the last whole one breaks. */
static void judge_chains(struct tdm_repair_plan *plan, const struct outlook *o)
{
    double pictures = (double)o->told_after / plan->chains + 0.5;
    double broken = 1 - pow(1 - o->hit, pictures);

    plan->stalls = o->hit * pow(broken, plan->chains - 1) * (o->stall + 1);
    plan->late = 0;
    double chained = tdm_repair_reference_cost(plan->chains);
    double anew = tdm_repair_reference_cost(o->told_after);

    plan->cost = chained + o->hit * (anew > chained ? anew - chained : 0);
}

static bool is_good(const struct tdm_repair_plan *plan, const struct tdm_repair_means *m)
{
    return plan->stalls <= m->stalls && plan->late <= m->late && plan->cost <= m->most;
}

/* Whether `a` is the better plan. */
static bool is_better(const struct tdm_repair_plan *a, const struct tdm_repair_plan *b,
                      const struct tdm_repair_means *m)
{
    bool a_good = is_good(a, m), b_good = is_good(b, m);

    if (a_good || b_good)
        return a_good && (!b_good || a->cost < b->cost);
    if (a->cost > m->most || b->cost > m->most)
        return a->cost < b->cost;
    return a->stalls < b->stalls || (a->stalls <= b->stalls && a->late < b->late);
}

static void consider(struct tdm_repair_plan *best, const struct tdm_repair_plan *plan,
                     const struct tdm_repair_means *m)
{
    if (is_better(plan, best, m))
        *best = *plan;
}

static void consider_references(struct tdm_repair_plan *best, const struct outlook *o,
                                const struct tdm_repair_path *path,
                                const struct tdm_repair_means *m)
{
    /* Each picture that is told of must still be there when the news comes. */
    uint8_t known = m->chains > o->told_after ? 2 : 0;

    /* Against single losses parity alone is cheaper. */
    int steps = m->code && path->burst >= ROWS ? KNOWN_PARITIES : 0;

    for (uint8_t n = 1; n <= known; n++)
        for (int step = 0; step <= steps; step++) {
            struct tdm_repair_plan plan = {
                .window = WINDOW, .chains = 1, .known_every = n, .parity = step * KNOWN_PARITY};

            judge_known(&plan, o, path, m);
            consider(best, &plan, m);
        }
    for (uint8_t n = 2; n <= TDM_REPAIR_CHAINS_MAX && n <= m->chains; n++) {
        struct tdm_repair_plan plan = {.window = WINDOW, .chains = n};

        judge_chains(&plan, o);
        consider(best, &plan, m);
    }
}

/* More parity is never worse: the least that is good enough, or else the most that is paid for. */
static void consider_parity(struct tdm_repair_plan *best, const struct outlook *o,
                            const struct tdm_repair_path *path, const struct tdm_repair_means *m,
                            bool ask)
{
    struct tdm_repair_plan plan = {.ask = ask, .window = WINDOW, .chains = 1}, found;
    double most = m->code ? fmin(m->most - (ask ? path->loss : 0), PARITY_MAX) : 0;
    int low = 0, high = most > 0 ? (int)(most / PARITY_STEP) : 0;

    do {
        plan.parity = high * PARITY_STEP;
        judge_parity(&plan, o, path, m);
    } while (plan.cost > m->most && high-- > 0);
    high = high < 0 ? 0 : high;
    found = plan;
    if (found.stalls > m->stalls || found.late > m->late)
        low = high;
    while (low < high) {
        int middle = (low + high) / 2;

        plan.parity = middle * PARITY_STEP;
        judge_parity(&plan, o, path, m);
        if (plan.stalls <= m->stalls && plan.late <= m->late) {
            high = middle;
            found = plan;
        } else {
            low = middle + 1;
        }
    }
    consider(best, &found, m);
}

void tdm_repair_plan_make(struct tdm_repair_plan *plan, const struct tdm_repair_path *path,
                          const struct tdm_repair_means *means)
{
    struct tdm_repair_path p = *path;
    struct tdm_repair_plan next = {.window = WINDOW, .chains = 1};

    if (p.loss > LOSS_MAX)
        p.loss = LOSS_MAX;
    struct outlook o = look(&p, means);

    *plan = next;
    judge_parity(plan, &o, &p, means);
    if (means->reach)
        consider_references(plan, &o, &p, means);
    for (int ask = 0; ask <= means->ask; ask++)
        consider_parity(plan, &o, &p, means, ask);
}
