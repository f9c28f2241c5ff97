/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_SCREEN_VIEWPORT_H
#define TDM_RENDER_SCREEN_VIEWPORT_H

/*
 * Which part of somebody's desktop a window shows, and how large. The world is what is looked at: a
 * monitor, or all of them in their places, in the host's pixels. Pure geometry: it decides scale
 * and offset, and turns places of the window into places of the world and back.
 *
 *     world                          window
 *     +------------------------+     +-----------+
 *     |      +---------+       |     | (0,0)     |
 *     |      | shown   |       | --> |  scale s  |
 *     |      +---------+       |     |           |
 *     +------------------------+     +-----------+
 */

#include "engine/base/rect.h"

#include <stdbool.h>

struct tdm_viewport {
    struct tdm_rect world; /* In the host's desktop. */
    int width, height;     /* Of the window, without its bar. */
    bool fits;             /* The scale follows the window: all of the world, never enlarged. */
    double scale;          /* Pixels of the window for one of the world. */
    double left, top;      /* The window's corner in the world; may be outside where the world is
                              smaller than the window, which centres it. */
};

/** Fits, once it has a world and a window. */
void tdm_viewport_init(struct tdm_viewport *v);

/** Another world: the middle of what was seen stays when it is the same size, else it fits. */
void tdm_viewport_set_world(struct tdm_viewport *v, struct tdm_rect world);
void tdm_viewport_set_window(struct tdm_viewport *v, int width, int height);

void tdm_viewport_fit(struct tdm_viewport *v);
/** A scale of one's own, 1/8 to 8; the place of the world under (x, y) of the window stays there.
 */
void tdm_viewport_zoom(struct tdm_viewport *v, double scale, int x, int y);
/** The next round scale up or down: 1/8, 1/4, 1/2, 3/4, 1, 1.5, 2, 3, 4, 6, 8. */
double tdm_viewport_step(const struct tdm_viewport *v, bool up);

/** Moves what is seen by so many pixels of the window. */
void tdm_viewport_pan(struct tdm_viewport *v, int dx, int dy);
/** A pointer near an edge pushes towards what lies behind it. @return whether that moved it. */
bool tdm_viewport_push(struct tdm_viewport *v, int x, int y);

/** The pixel of the world under a place of the window; the nearest one when there is none. */
void tdm_viewport_to_world(const struct tdm_viewport *v, int x, int y, int *world_x, int *world_y);
/** The pixels of the window that a rectangle of the world touches, as far as they are visible. */
struct tdm_rect tdm_viewport_to_window(const struct tdm_viewport *v, struct tdm_rect r);

#endif
