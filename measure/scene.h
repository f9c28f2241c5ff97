/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_SCENE_H
#define TDM_MEASURE_SCENE_H

/* One drawn desktop as a table, in measure/scene_NAME.c. The surface keeps what was drawn before,
 * so a scene draws only what changes. One thread. */

#include "measure/pen.h"

#include <stdint.h>

struct tdm_canvas {
    cairo_surface_t *surface; /* CAIRO_FORMAT_RGB24. */
    struct tdm_pen pen;
    int width, height;
    uint32_t fps;
    int text_pixels; /* Of ordinary text. */
};

struct tdm_scene_ops {
    /** The scene's own state, or NULL when there is no memory. */
    void *(*create)(struct tdm_canvas *canvas);
    void (*destroy)(void *scene);

    /** Draws the `index`-th picture; indices count up from 0. */
    void (*draw)(void *scene, struct tdm_canvas *canvas, uint32_t index);
};

extern const struct tdm_scene_ops tdm_scene_text;
extern const struct tdm_scene_ops tdm_scene_scroll;
extern const struct tdm_scene_ops tdm_scene_slides;
extern const struct tdm_scene_ops tdm_scene_game;

#endif
