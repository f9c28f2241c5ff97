/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_SCREEN_PAIR_H
#define TDM_SIM_SCREEN_PAIR_H

/*
 * The two cores of a shared screen over a modelled link in virtual time, a desktop at the host, and
 * checkers outside of both: at every closed frame the viewer has what the host believes it has, a
 * frame that says "exact" is the desktop's pixels, and nothing is older than the link makes it.
 */

#include "collab/screen.h"
#include "sim/desktop.h"

struct tdm_screen_pair_config {
    int width, height;
    uint64_t seed;
    uint64_t rate_bps;
    tdm_time delay; /* One way. */
    bool video;     /* The host may send regions as video. */
    bool photo_exact;
    uint32_t cache_tiles;
};

struct tdm_screen_pair_stats {
    uint64_t bytes, frames; /* That arrived. */
    uint64_t exact_frames;
    tdm_time worst_age;   /* Of a frame that arrived: since its pixels were captured. */
    tdm_time since_exact; /* Now; 0: the viewer's picture is exact and says so. */
    bool videos;          /* There was one. */
    struct tdm_screen_host_stats host;
    struct tdm_screen_view_stats view;
};

struct tdm_screen_pair;

struct tdm_screen_pair *tdm_screen_pair_create(const struct tdm_screen_pair_config *config);
void tdm_screen_pair_destroy(struct tdm_screen_pair *p);
/** What somebody does at the host, now. */
void tdm_screen_pair_do(struct tdm_screen_pair *p, enum tdm_desktop_action action, int amount);
void tdm_screen_pair_run(struct tdm_screen_pair *p, tdm_time duration);
/** The connection breaks: what is under way is lost. */
void tdm_screen_pair_cut(struct tdm_screen_pair *p);
void tdm_screen_pair_connect(struct tdm_screen_pair *p);
/** One byte of what arrives next is another. */
void tdm_screen_pair_spoil(struct tdm_screen_pair *p);
/** The monitor gets other sides. */
bool tdm_screen_pair_resize(struct tdm_screen_pair *p, int width, int height);
/** NULL while all is as it should be; else what went wrong. */
const char *tdm_screen_pair_failed(const struct tdm_screen_pair *p);
void tdm_screen_pair_stats(const struct tdm_screen_pair *p, struct tdm_screen_pair_stats *stats);

#endif
