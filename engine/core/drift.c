/* SPDX-License-Identifier: MIT */
#include "engine/core/drift.h"

#include <math.h>
#include <string.h>

#define INTERVAL_MIN_S    0.5
#define INTERVAL_MAX_S    4.0
#define PRIOR_PPM         100.0 /* Sound cards: most are within 100 ppm of each other. */
#define LIMIT_PPM         500.0
#define UNKNOWN_PPM       1e6
#define STEP_MS           4.0 /* A fastest arrival this far off the line is not clock drift, */
#define STEP_INTERVALS    3   /* and this many in a row are a new path. */
#define POINTS_TO_BELIEVE 8

void tdm_drift_init(struct tdm_drift *d)
{
    memset(d, 0, sizeof *d);
    d->interval_s = INTERVAL_MIN_S;
    d->error_ppm = UNKNOWN_PPM;
}

struct line {
    double mean_s, mean_ms, slope; /* slope in ms per s. */
    double residual_ms;            /* Root mean square. */
    double spread;                 /* Sum of squared distances in time. */
    double weight;
};

/* Least squares over the points that lie within `reach_ms` of `last`; all of them when negative. */
static struct line fit(const struct tdm_drift *d, const struct line *last, double reach_ms)
{
    struct line l = {0};
    double moment = 0, square = 0;
    bool used[TDM_DRIFT_POINTS];

    for (uint32_t i = 0; i < d->count; i++) {
        const struct tdm_drift_point *p = &d->points[i];
        double guess = last->mean_ms + last->slope * (p->at_s - last->mean_s);

        used[i] = reach_ms < 0 || fabs(p->late_ms - guess) <= reach_ms;
        if (used[i]) {
            l.weight += 1;
            l.mean_s += p->at_s;
            l.mean_ms += p->late_ms;
        }
    }
    if (l.weight < 3)
        return *last;
    l.mean_s /= l.weight;
    l.mean_ms /= l.weight;
    for (uint32_t i = 0; i < d->count; i++) {
        double s = d->points[i].at_s - l.mean_s, ms = d->points[i].late_ms - l.mean_ms;

        if (used[i]) {
            l.spread += s * s;
            moment += s * ms;
        }
    }
    l.slope = l.spread > 0 ? moment / l.spread : 0;
    for (uint32_t i = 0; i < d->count; i++) {
        double s = d->points[i].at_s - l.mean_s, ms = d->points[i].late_ms - l.mean_ms;
        double off = ms - l.slope * s;

        square += used[i] ? off * off : 0;
    }
    l.residual_ms = sqrt(square / l.weight);
    return l;
}

/* Halves the number of points: of each pair the faster one stays. */
static void coarsen(struct tdm_drift *d, double slope)
{
    for (uint32_t i = 0; i < d->count / 2; i++) {
        const struct tdm_drift_point *pair = d->points + (size_t)2 * i;
        struct tdm_drift_point a = pair[0], b = pair[1];
        bool first = a.late_ms + slope * (b.at_s - a.at_s) <= b.late_ms;

        d->points[i] = first ? a : b;
    }
    d->count /= 2;
    d->interval_s *= 2;
}

static double above(const struct line *l, const struct tdm_drift_point *p)
{
    return p->late_ms - (l->mean_ms + l->slope * (p->at_s - l->mean_s));
}

/* The newest points lie off the line through the older ones, on one side: a new path. The older
 * points move over to it. `l` is fitted without the outlying points. */
static void realign(struct tdm_drift *d, const struct line *l)
{
    double off = above(l, &d->points[d->count - 1]), sum = 0;

    if (fabs(off) <= fmax(STEP_MS, 4 * l->residual_ms)) {
        d->outlying = 0;
        return;
    }
    if (d->outlying && (off > 0) != (above(l, &d->points[d->count - 2]) > 0))
        d->outlying = 0;
    if (++d->outlying < STEP_INTERVALS)
        return;
    for (uint32_t i = d->count - d->outlying; i < d->count; i++)
        sum += above(l, &d->points[i]) / d->outlying;
    for (uint32_t i = 0; i + d->outlying < d->count; i++)
        d->points[i].late_ms += sum;
    d->outlying = 0;
}

static void close_interval(struct tdm_drift *d)
{
    struct line none = {0};

    if (d->count == TDM_DRIFT_POINTS && d->interval_s < INTERVAL_MAX_S) {
        coarsen(d, -d->ppm * 1e-3);
        d->outlying = 0;
    } else if (d->count == TDM_DRIFT_POINTS) {
        memmove(d->points, d->points + 1, (TDM_DRIFT_POINTS - 1) * sizeof d->points[0]);
        d->count--;
    }
    if (d->count >= POINTS_TO_BELIEVE) {
        uint32_t count = d->count;

        d->count -= d->outlying;
        struct line before = fit(d, &none, -1);
        d->count = count;
        d->points[d->count++] = d->open;
        realign(d, &before);
    } else {
        d->points[d->count++] = d->open;
    }
    if (d->count < POINTS_TO_BELIEVE)
        return;
    struct line rough = fit(d, &none, -1);
    struct line fine = fit(d, &rough, fmax(2 * rough.residual_ms, 0.2));

    /* Late by less and less means that the sender is fast. */
    double ppm = fmin(fmax(-fine.slope * 1e3, -LIMIT_PPM), LIMIT_PPM);
    double noise = fmax(fine.residual_ms, 0.02);
    d->error_ppm = fine.spread > 0 ? 2 * noise / sqrt(fine.spread) * 1e3 : UNKNOWN_PPM;
    d->ppm = ppm * PRIOR_PPM * PRIOR_PPM / (PRIOR_PPM * PRIOR_PPM + d->error_ppm * d->error_ppm);
}

void tdm_drift_add(struct tdm_drift *d, tdm_time device, tdm_time late)
{
    struct tdm_drift_point p = {.at_s = (double)device * 1e-9, .late_ms = (double)late * 1e-6};

    if (d->is_open && p.at_s < d->open_since_s)
        d->is_open = false; /* The device's time went back: start the interval again. */
    if (d->is_open && p.at_s - d->open_since_s >= d->interval_s) {
        close_interval(d);
        d->is_open = false;
    }
    if (!d->is_open) {
        d->is_open = true;
        d->open = p;
        d->open_since_s = p.at_s;
    } else if (p.late_ms < d->open.late_ms) {
        d->open = p;
    }
}
