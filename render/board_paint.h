/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_PAINT_H
#define TDM_RENDER_BOARD_PAINT_H

/*
 * Paints a scene: on a screen through a cache of tiles, and for export. Whole pixels of a screen
 * are the same however they came about: tiles stand at places of the scaled board that do not
 * depend on the window, and a part of a tile that was painted again equals the tile painted whole.
 *
 *     scaled board (board px * scale)            window
 *     +----+----+----+----+
 *     |    |    |    |    |   (x, y) of the
 *     +----+--#############   view is the        #: what the window shows
 *     |    |  #    |    | #   window's corner
 *     +----+--#----+----+-#
 *     |    |  #    |    | #
 *             #############
 *
 * What belongs to the window alone (selection, cursors, handles) is not painted here: paint it over
 * the pixels, by tdm_board_camera_to_window(); tdm_board_paint_figure() paints previews there.
 */

#include "render/board_camera.h"
#include "render/board_scene.h"

#include <cairo.h>

/** The paper of a ground in a theme. */
uint32_t tdm_board_theme_paper(enum tdm_board_theme theme, const struct tdm_board_ground *ground);

struct tdm_board_cache;

/** @param bytes_max  Of tiles; the least recently seen go. 0: 96 MiB. */
enum tdm_err tdm_board_cache_create(struct tdm_board_cache **cache, struct tdm_board_scene *scene,
                                    size_t bytes_max, struct tdm_cause *cause);
void tdm_board_cache_destroy(struct tdm_board_cache *cache);

struct tdm_board_cache_report {
    int painted;       /* Tiles, whole. */
    int mended;        /* Tiles, in part. */
    int missing;       /* Tiles that are not yet sharp: draw again soon. */
    size_t rect_count; /* What of the target is another than the last time, */
    struct tdm_rect rects[TDM_BOARD_DAMAGE_MAX]; /* when the view is the same; else all of it. */
};

/**
 * Brings `target` (32 bits a pixel 0xAARRGGBB, camera->width x camera->height, kept by the caller
 * from one call to the next) up to date with scene and view. Reads the scene's damage.
 *
 * @param tiles_max  At most so many tiles are painted anew; others show what another scale or
 *                   nothing had there, until the next call. 0: all.
 */
void tdm_board_cache_draw(struct tdm_board_cache *cache, const struct tdm_board_camera *camera,
                          uint8_t *target, int stride, int tiles_max,
                          struct tdm_board_cache_report *report);
/** One frame of a window: the same with so few tiles that it stays short, and a few where the view
 *  goes. @return whether all is sharp; if not, call it again soon. */
bool tdm_board_cache_frame(struct tdm_board_cache *cache, const struct tdm_board_camera *camera,
                           uint8_t *target, int stride, struct tdm_board_cache_report *report);
/** Paints up to `tiles_max` tiles around what is seen, towards (dx, dy), the way the view moves;
 *  for when there is time. @return how many were painted: 0 when there is nothing to do. */
int tdm_board_cache_ahead(struct tdm_board_cache *cache, const struct tdm_board_camera *camera,
                          int dx, int dy, int tiles_max);

/** The view's pixels without any cache, the same as the cache's. */
void tdm_board_paint_pixels(struct tdm_board_scene *scene, const struct tdm_board_camera *camera,
                            uint8_t *target, int stride);
/** Through whatever surface `cr` is of (PDF, SVG), in px of the board, all figures that `box`
 *  touches, in the camera's theme. Text stays text where the surface knows it. */
void tdm_board_paint_vector(struct tdm_board_scene *scene, cairo_t *cr,
                            const struct tdm_figure_box *box,
                            const struct tdm_board_camera *camera);

/** Of the scene only these (ids in rising order), on nothing, in px of the board. */
void tdm_board_paint_chosen(struct tdm_board_scene *scene, cairo_t *cr, const uint64_t *ids,
                            size_t count, enum tdm_board_theme theme);

/** One figure that is not in the scene, over the window's pixels: a preview. `cr` is in pixels of
 *  the window; letters and pictures are the scene's. */
void tdm_board_paint_figure(cairo_t *cr, const struct tdm_board_camera *camera,
                            struct tdm_board_scene *scene, const struct tdm_board_figure *figure);
/** The ink that is not there yet: from the end of a growing stroke to where the hand will be
 *  `ahead_ms` later (tdm_board_ink_predict). Over the window's pixels, each frame anew.
 *  `cr` NULL: nothing is painted.
 *  @return the window's pixels that are painted, to be put back before the next one. */
struct tdm_rect tdm_board_paint_prediction(cairo_t *cr, const struct tdm_board_camera *camera,
                                           const struct tdm_board_figure *figure, double ahead_ms);

#endif
