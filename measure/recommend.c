/* SPDX-License-Identifier: MIT */
#include "measure/recommend.h"

#include <stdio.h>
#include <string.h>

#define DROPPED_SHARE 20   /* At most one picture of so many dropped. */
#define POOR_DB       30.0 /* Below it a picture looks poor. */

static bool drops(const struct tdm_candidate *c)
{
    return (uint64_t)c->cell->dropped * DROPPED_SHARE > c->cell->spec.frames;
}

static bool keeps_up(const struct tdm_candidate *c)
{
    return c->figures->fits && !drops(c);
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

static void append(char *text, size_t capacity, const char *more)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, capacity - used, "%s", more);
}

/* " openh264 low is faster but dropped 2 of 30." */
static void append_left_out(char *why, size_t capacity, const struct tdm_candidate *c,
                            const char *what)
{
    const struct tdm_video_spec *spec = &c->cell->spec;
    char who[48], text[160];

    name(who, sizeof who, c);
    if (drops(c))
        (void)snprintf(text, sizeof text, " %s is %s but dropped %u of %u.", who, what,
                       c->cell->dropped, spec->frames);
    else
        (void)snprintf(text, sizeof text, " %s is %s but does not keep up with %u frames a second.",
                       who, what, spec->fps);
    append(why, capacity, text);
}

/* Of those that do not keep up, the fastest and the best that beat what was taken; one may be both.
 */
static void tell_left_out(const struct tdm_candidate *candidates, size_t count, size_t chosen,
                          char *why, size_t capacity)
{
    size_t fast = chosen, good = chosen;

    for (size_t i = 0; i < count; i++) {
        if (keeps_up(&candidates[i]))
            continue;
        if (latency(&candidates[i]) < latency(&candidates[fast]))
            fast = i;
        if (quality(&candidates[i]) > quality(&candidates[good]))
            good = i;
    }
    if (fast != chosen)
        append_left_out(why, capacity, &candidates[fast],
                        fast == good ? "faster and better" : "faster");
    if (good != chosen && good != fast)
        append_left_out(why, capacity, &candidates[good], "better");
}

static void warn_of_poor(const struct tdm_candidate *candidates, size_t count, size_t chosen,
                         char *why, size_t capacity)
{
    bool all = quality(&candidates[best_quality(candidates, count, true)]) < POOR_DB;

    if (quality(&candidates[chosen]) < POOR_DB)
        append(why, capacity,
               all ? " All look poor at this rate." : " It looks poor at this rate.");
}

/* What speaks for `c`; `b` has the best picture. */
static void argue(const struct tdm_candidate *c, const struct tdm_candidate *b, char *why,
                  size_t capacity)
{
    char other[48];

    name(other, sizeof other, b);
    if (c == b)
        (void)snprintf(
            why, capacity,
            "Of those that keep up the best picture (%.1f dB), and none within %.0f dB of "
            "it is faster than its %.1f ms.",
            quality(c), TDM_RECOMMEND_DB, latency(c));
    else
        (void)snprintf(
            why, capacity,
            "Of those that keep up the lowest latency (%.1f ms) within %.0f dB of the best "
            "picture: %.1f dB, against %.1f dB and %.1f ms of %s.",
            latency(c), TDM_RECOMMEND_DB, quality(c), quality(b), latency(b), other);
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
    const struct tdm_candidate *c = &candidates[chosen];

    if (none_fits) {
        (void)snprintf(why, capacity,
                       "None keeps up with %u frames a second here: this one comes nearest, with "
                       "%.1f ms and %.1f dB. Use a smaller picture.",
                       c->cell->spec.fps, latency(c), quality(c));
    } else {
        argue(c, &candidates[best], why, capacity);
        tell_left_out(candidates, count, chosen, why, capacity);
    }
    warn_of_poor(candidates, count, chosen, why, capacity);
    return chosen;
}
