/* SPDX-License-Identifier: MIT */
#include "engine/core/xor_plan.h"

#include <math.h>

#define LOSS_MAX     0.5
#define ROWS_MAX     8  /* Of losses in one block; more are all but impossible, or hopeless. */
#define BLOCK_MAX    3  /* Pictures. */
#define REPAIRS_MAX  16 /* Of a picture. */
#define TELL_TIME    (10 * TDM_MS)
#define HALF_REPAIRS 2    /* Steps between one repair a picture and two. */
#define NO_LOSS      1e-4 /* Not worth a repair. */
#define WORTH        0.75 /* Of the stalls may be left by what costs more. */

static double pictures_in(tdm_time time, tdm_time interval)
{
    return ceil((double)time / (double)interval);
}

/* Chance that `packets` and their `repairs` lose no more than can be mended. Rows begin at random
 * and have geometric lengths; one is mended when it is no longer than there are repairs, several
 * when no two of their losses are in one repair. */
static double chance_mended(const struct tdm_repair_path *path, double packets, double repairs)
{
    double burst = path->burst < 1 ? 1 : path->burst;
    double rows = path->loss * (packets + repairs) / burst, chance = exp(-rows), all = chance;
    double fits = 1 - pow(1 - 1 / burst, repairs);

    for (int n = 1; n <= ROWS_MAX && repairs >= 1; n++) {
        double others = fmin((n - 1) * burst * burst / repairs, 1);

        chance *= rows / n * fits * (1 - others);
        all += chance;
    }
    return all;
}

/* `repairs` a picture, perhaps less than one. */
static void judge(struct tdm_xor_plan *plan, double repairs, const struct tdm_repair_path *path,
                  const struct tdm_repair_means *m)
{
    double pictures = repairs > 0 && repairs < 1 ? round(1 / repairs) : 1;
    double least = floor(repairs * pictures + 1e-9), more = repairs * pictures - least;
    double packets = m->packets * pictures;
    double mended = chance_mended(path, packets, least) * (1 - more) +
                    chance_mended(path, packets, least + 1) * more;
    double broken = (1 - mended) / pictures; /* Of a picture. */
    double asked = pictures_in(path->rtt + m->interval / 2, m->interval);
    double keyed = pictures_in(path->rtt + TELL_TIME + m->interval, m->interval);
    double stall = pictures_in(m->patience, m->interval);
    double hit = 1 - chance_mended(path, m->packets, 0);

    plan->part = repairs / m->packets;
    plan->late = broken * (m->ask ? asked : keyed) + hit * (pictures - 1) / 2;
    if (!m->ask)
        plan->stalls = broken * keyed;
    else if (asked >= stall)
        plan->stalls = broken * (asked + 1);
    else
        plan->stalls = broken * (1 - pow(1 - path->loss, path->burst)) * (2 * asked + 1);
    plan->cost = plan->part + (m->ask ? broken * path->burst / m->packets : 0);
}

static bool is_good(const struct tdm_xor_plan *plan, const struct tdm_repair_means *m)
{
    return plan->stalls <= m->stalls && plan->late <= m->late;
}

static void consider(struct tdm_xor_plan *best, double repairs, const struct tdm_repair_path *path,
                     const struct tdm_repair_means *m)
{
    struct tdm_xor_plan plan;

    judge(&plan, repairs, path, m);
    if (!is_good(best, m) && plan.cost <= m->most && plan.stalls < best->stalls)
        *best = plan;
}

void tdm_xor_plan_make(struct tdm_xor_plan *plan, const struct tdm_repair_path *path,
                       const struct tdm_repair_means *means)
{
    struct tdm_repair_path p = *path;
    struct tdm_xor_plan none;

    p.loss = p.loss > LOSS_MAX ? LOSS_MAX : p.loss;
    judge(&none, 0, &p, means);
    *plan = none;
    if (p.loss < NO_LOSS || means->packets < 1)
        return;
    for (int pictures = BLOCK_MAX; pictures > 1; pictures--)
        consider(plan, 1.0 / pictures, &p, means);
    for (int half = HALF_REPAIRS; half <= HALF_REPAIRS * REPAIRS_MAX; half++)
        consider(plan, (double)half / HALF_REPAIRS, &p, means);
    if (!is_good(plan, means) && plan->stalls > none.stalls * WORTH)
        *plan = none;
}
