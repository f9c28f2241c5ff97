/* SPDX-License-Identifier: MIT */
#include "measure/recommend.h"

#include <stdio.h>

#define DROPPED_SHARE 20 /* At most one picture of so many dropped. */

static bool keeps_up(const struct tdm_candidate *c)
{
    return c->figures->fits && c->cell->dropped * DROPPED_SHARE <= c->cell->spec.frames;
}

static double quality(const struct tdm_candidate *c)
{
    return tdm_quality_psnr_db(&c->cell->quality, TDM_QUALITY_ALL);
}

static double latency(const struct tdm_candidate *c)
{
    return c->figures->latency.total;
}

/* The one with the most quality of those that keep up, or of all when `any`; count when none. */
static size_t best_quality(const struct tdm_candidate *candidates, size_t count, bool any)
{
    size_t best = count;

    for (size_t i = 0; i < count; i++)
        if ((any || keeps_up(&candidates[i])) &&
            (best == count || quality(&candidates[i]) > quality(&candidates[best])))
            best = i;
    return best;
}

static size_t lowest_latency(const struct tdm_candidate *candidates, size_t count, bool any,
                             double floor_db)
{
    size_t low = count;

    for (size_t i = 0; i < count; i++) {
        const struct tdm_candidate *c = &candidates[i];

        if ((any || keeps_up(c)) && quality(c) >= floor_db &&
            (low == count || latency(c) < latency(&candidates[low])))
            low = i;
    }
    return low;
}

static void name(char *text, size_t capacity, const struct tdm_candidate *c)
{
    const struct tdm_video_spec *spec = &c->cell->spec;

    (void)snprintf(text, capacity, "%s%s%s", spec->ops->name, spec->preset[0] ? " " : "",
                   spec->preset);
}

size_t tdm_recommend(const struct tdm_candidate *candidates, size_t count, char *why,
                     size_t capacity)
{
    size_t best = best_quality(candidates, count, false);
    bool none_fits = best == count;

    if (none_fits)
        best = best_quality(candidates, count, true);
    size_t chosen =
        lowest_latency(candidates, count, none_fits, quality(&candidates[best]) - TDM_RECOMMEND_DB);
    const struct tdm_candidate *c = &candidates[chosen], *b = &candidates[best];
    char other[48];

    name(other, sizeof other, b);
    if (none_fits)
        (void)snprintf(why, capacity,
                       "None keeps up with %u frames a second here: this one comes nearest, with "
                       "%.1f ms and %.1f dB. Use a smaller picture.",
                       c->cell->spec.fps, latency(c), quality(c));
    else if (chosen == best)
        (void)snprintf(why, capacity,
                       "The best picture (%.1f dB), and none within %.0f dB of it is faster than "
                       "its %.1f ms.",
                       quality(c), TDM_RECOMMEND_DB, latency(c));
    else
        (void)snprintf(why, capacity,
                       "The lowest latency (%.1f ms) within %.0f dB of the best picture: %.1f dB, "
                       "against %.1f dB and %.1f ms of %s.",
                       latency(c), TDM_RECOMMEND_DB, quality(c), quality(b), latency(b), other);
    return chosen;
}
