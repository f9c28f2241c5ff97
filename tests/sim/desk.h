/* SPDX-License-Identifier: MIT */
#ifndef DESK_H
#define DESK_H

/*
 * A model of a desktop: a wallpaper, windows with text, a photograph and a moving picture in them,
 * and somebody who types, scrolls, drags and switches. Pixels are a function of the seed and of
 * what was done, so that a run repeats. Damage is told as a real server does: rectangles, some too
 * large.
 */

#include "collab/screen.h"
#include "engine/base/rng.h"

#define DESK_WINDOWS 4
#define DESK_DAMAGE  16

enum desk_action {
    DESK_TYPE,    /* A letter, in the window on top. */
    DESK_SCROLL,  /* The window on top, `amount` pixels up. */
    DESK_DRAG,    /* The window on top, somewhere near. */
    DESK_SWITCH,  /* The window at the bottom comes to the top. */
    DESK_PHOTO,   /* Another photograph in the window on top. */
    DESK_VIDEO,   /* The next picture of the moving one, in the window on top. */
    DESK_PAGE,    /* New text all over the window on top. */
    DESK_PRETEND, /* Damage, and nothing has changed. */
    DESK_ACTIONS,
};

struct desk;

/** NULL without memory. */
struct desk *desk_create(int width, int height, uint64_t seed);
void desk_destroy(struct desk *d);
void desk_do(struct desk *d, enum desk_action action, int amount);
/** BGRX with noise in X; stride is width * 4. */
const uint8_t *desk_pixels(const struct desk *d);
/** Since it was asked last. @return how many. */
uint32_t desk_damage(struct desk *d, struct tdm_screen_rect rects[DESK_DAMAGE]);

#endif
