/* SPDX-License-Identifier: MIT */
#ifndef TDM_DESKTOP_LOOK_H
#define TDM_DESKTOP_LOOK_H

/*
 * Whether the display server's hints of changes are trusted, and when to look at pixels without
 * one. It does not look itself: the desktop cuts the screen into strips, looks at those that are
 * planned and says which of them had changed, and whether a hint had told of it.
 *
 * Trusted: one strip now and then, in turn, to find a server that does not tell of a draw.
 * Not trusted, or no hints at all: every strip, at a rate between LOOK_FAST and LOOK_SLOW that
 * follows what happens and what a look costs.
 *
 * One draw that nobody told of ends the trust; it comes back when the hints have told of every
 * change for a while.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>

#define TDM_LOOK_STRIPS_MAX 1024
#define TDM_LOOK_FAST       (16 * TDM_MS)
#define TDM_LOOK_SLOW       (250 * TDM_MS)
#define TDM_LOOK_COST_SHARE 6 /* A look takes at most one part in so many of the time. */
#define TDM_LOOK_AUDIT      (100 * TDM_MS)
#define TDM_LOOK_AUDIT_IDLE (500 * TDM_MS)
#define TDM_LOOK_IDLE_AFTER (5 * TDM_S)
#define TDM_LOOK_PROBATION  (10 * TDM_S)
#define TDM_LOOK_PROOFS     20 /* Looks with changes, all told of, before trust comes back. */

struct tdm_look {
    bool hints, trusted;
    size_t strip_count, next_strip;
    tdm_time due, interval;
    tdm_time hint_at; /* The last hint. */
    tdm_time lie_at;  /* The last change without one. */
    unsigned proofs;
    bool first_round; /* Nothing to compare with yet: strips follow each other quickly. */
};

struct tdm_look_plan {
    size_t first, count; /* Strips. */
};

struct tdm_look_seen {
    tdm_time began, ended;
    size_t changed;  /* Strips that had changed since they were last looked at, */
    size_t unhinted; /* and those of them in which no hint had told of anything. */
};

/** Starts again, as for a screen with other sides. `hints`: whether there are any. */
void tdm_look_init(struct tdm_look *look, size_t strip_count, bool hints, tdm_time now);

/** A hint came. */
void tdm_look_hinted(struct tdm_look *look, tdm_time now);

/** What to look at now; none before look->due. */
struct tdm_look_plan tdm_look_plan(const struct tdm_look *look, tdm_time now);

/** What a look at the plan has shown. */
void tdm_look_done(struct tdm_look *look, const struct tdm_look_plan *plan,
                   const struct tdm_look_seen *seen);

#endif
