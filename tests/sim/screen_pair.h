/* SPDX-License-Identifier: MIT */
#ifndef SCREEN_PAIR_H
#define SCREEN_PAIR_H

/*
 * The two cores of a shared screen over a modelled link in virtual time, a desktop at the host, and
 * checkers outside of both: at every closed frame the viewer has what the host believes it has, a
 * frame that says "exact" is the desktop's pixels, and nothing is older than the link makes it.
 */

#include "collab/board_anchor.h"
#include "collab/screen.h"
#include "tests/sim/desk.h"

struct screen_pair_config {
    int width, height;
    uint64_t seed;
    uint64_t rate_bps;
    tdm_time delay; /* One way. */
    bool video;     /* The host may send regions as video. */
    bool photo_exact;
    uint32_t cache_tiles;
};

struct screen_pair_stats {
    uint64_t bytes, frames; /* That arrived. */
    uint64_t exact_frames;
    tdm_time worst_age;   /* Of a frame that arrived: since its pixels were captured. */
    tdm_time since_exact; /* Now; 0: the viewer's picture is exact and says so. */
    bool videos;          /* There was one. */
    struct tdm_screen_host_stats host;
    struct tdm_screen_view_stats view;
};

struct screen_pair;

struct screen_pair *screen_pair_create(const struct screen_pair_config *config);
void screen_pair_destroy(struct screen_pair *p);
/** What somebody does at the host, now. */
void screen_pair_do(struct screen_pair *p, enum desk_action action, int amount);
void screen_pair_run(struct screen_pair *p, tdm_time duration);
/** The connection breaks: what is under way is lost. */
void screen_pair_cut(struct screen_pair *p);
void screen_pair_connect(struct screen_pair *p);
/** One byte of what arrives next is another. */
void screen_pair_spoil(struct screen_pair *p);
/** The monitor gets other sides. */
bool screen_pair_resize(struct screen_pair *p, int width, int height);
/** A point as it is seen now, to be followed. */
struct tdm_anchor_place screen_pair_put(const struct screen_pair *p, int x, int y);
/** Where it is after the last frame that was made at the host, or that came to the viewer. */
void screen_pair_follow(const struct screen_pair *p, bool at_host, struct tdm_anchor_place *place);
/** The host's desktop: BGRX, as wide as it is. */
const uint8_t *screen_pair_pixels(const struct screen_pair *p);
/** NULL while all is as it should be; else what went wrong. */
const char *screen_pair_failed(const struct screen_pair *p);
void screen_pair_stats(const struct screen_pair *p, struct screen_pair_stats *stats);

#endif
