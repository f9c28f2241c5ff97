/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIM_DESKTOP_H
#define TDM_SIM_DESKTOP_H

/*
 * A model of a desktop: a wallpaper, windows with text, a photograph and a moving picture in them,
 * and somebody who types, scrolls, drags and switches. Pixels are a function of the seed and of
 * what was done, so that a run repeats. Damage is told as a real server does: rectangles, some too
 * large.
 */

#include "collab/screen.h"
#include "engine/base/rng.h"

#define TDM_DESKTOP_WINDOWS 4
#define TDM_DESKTOP_DAMAGE  16

enum tdm_desktop_action {
    TDM_DESKTOP_TYPE,    /* A letter, in the window on top. */
    TDM_DESKTOP_SCROLL,  /* The window on top, `amount` pixels up. */
    TDM_DESKTOP_DRAG,    /* The window on top, somewhere near. */
    TDM_DESKTOP_SWITCH,  /* The window at the bottom comes to the top. */
    TDM_DESKTOP_PHOTO,   /* Another photograph in the window on top. */
    TDM_DESKTOP_VIDEO,   /* The next picture of the moving one, in the window on top. */
    TDM_DESKTOP_PAGE,    /* New text all over the window on top. */
    TDM_DESKTOP_PRETEND, /* Damage, and nothing has changed. */
    TDM_DESKTOP_ACTIONS,
};

struct tdm_desktop;

/** NULL without memory. */
struct tdm_desktop *tdm_desktop_create(int width, int height, uint64_t seed);
void tdm_desktop_destroy(struct tdm_desktop *d);
void tdm_desktop_do(struct tdm_desktop *d, enum tdm_desktop_action action, int amount);
/** BGRX with noise in X; stride is width * 4. */
const uint8_t *tdm_desktop_pixels(const struct tdm_desktop *d);
/** Since it was asked last. @return how many. */
uint32_t tdm_desktop_damage(struct tdm_desktop *d,
                            struct tdm_screen_rect rects[TDM_DESKTOP_DAMAGE]);

#endif
