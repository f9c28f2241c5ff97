/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_SCENE_H
#define TDM_RENDER_BOARD_SCENE_H

/*
 * The figures of one page as they are painted: copies of the figures in their order, with what is
 * worked out of them once (outlines of ink, lines of text, boxes) and an index by place. It says
 * what is at a point and which rectangles of the board have changed; it paints nothing
 * (render/board_paint.h does) and knows no document (render/board_feed.h does). One thread.
 */

#include "engine/base/err.h"
#include "render/board_figure.h"

struct tdm_board_scene;
struct tdm_board_letters; /* render/board_text.h */

enum tdm_board_ground_pattern {
    TDM_GROUND_PLAIN,
    TDM_GROUND_DOTS,
    TDM_GROUND_GRID,
    TDM_GROUND_RULED
};

/** What lies behind the figures. */
struct tdm_board_ground {
    uint32_t colour; /* 0xRRGGBBAA; alpha 0: the theme's own paper. */
    enum tdm_board_ground_pattern pattern;
    int32_t step; /* Of the pattern, 1/16 px; 0: 20 px. */
};

/** Decoded pixels of an image; the scene copies them, and keeps smaller versions beside them. */
struct tdm_board_picture {
    const uint8_t *hash;   /* TDM_BOARD_HASH_BYTES */
    int width, height;     /* 1 to 16384 */
    int stride;            /* Bytes. */
    const uint8_t *pixels; /* 32 bits each in native order, 0xAARRGGBB, colours times alpha. */
};

enum tdm_err tdm_board_scene_create(struct tdm_board_scene **scene, struct tdm_cause *cause);
void tdm_board_scene_destroy(struct tdm_board_scene *scene);

/**
 * All figures of the page anew: begin, each one by `put` from the bottom to the top, end. Those
 * that were there with the same id and version keep what was worked out, and what is not put is
 * gone at the end. Damage comes out of the difference. A `put` that fails leaves its figure out;
 * `end` is called all the same, and nothing else between the two.
 */
void tdm_board_scene_begin(struct tdm_board_scene *scene);
enum tdm_err tdm_board_scene_put(struct tdm_board_scene *scene,
                                 const struct tdm_board_figure *figure);
void tdm_board_scene_end(struct tdm_board_scene *scene);
/** One figure that is there, at the place in the order that it has: the short way for ink that
 *  grows and for what is dragged. @return TDM_E_GONE when it is not there: put all anew. */
enum tdm_err tdm_board_scene_change(struct tdm_board_scene *scene,
                                    const struct tdm_board_figure *figure);

void tdm_board_scene_ground(struct tdm_board_scene *scene, const struct tdm_board_ground *ground);
/** Gives the pixels of an image; figures that wait for it are damaged. The same hash again:
 *  replaced (a better version). @return TDM_E_SPACE when the scene holds 1 GiB of pixels. */
enum tdm_err tdm_board_scene_picture(struct tdm_board_scene *scene,
                                     const struct tdm_board_picture *picture);
bool tdm_board_scene_has_picture(const struct tdm_board_scene *scene, const uint8_t *hash);

/** For measuring text; the scene's own. */
struct tdm_board_letters *tdm_board_scene_letters(struct tdm_board_scene *scene);

size_t tdm_board_scene_count(const struct tdm_board_scene *scene);
/** From the bottom; NULL behind the top. Its points and text are the scene's, until it changes. */
const struct tdm_board_figure *tdm_board_scene_at(const struct tdm_board_scene *scene, size_t i);
const struct tdm_board_figure *tdm_board_scene_find(const struct tdm_board_scene *scene,
                                                    uint64_t id);

/** Its place in the order, from the bottom. False when it is not there. */
bool tdm_board_scene_rank(const struct tdm_board_scene *scene, uint64_t id, size_t *rank);

/** All that the figure may paint on, with border and shadow. False when it is not there. */
bool tdm_board_scene_box(struct tdm_board_scene *scene, uint64_t id, struct tdm_figure_box *box);
/** Its frame, unturned, without border: what selection handles stand at, and what it is turned
 *  around the middle of. Text: as it is laid out; points: around them. */
bool tdm_board_scene_frame(struct tdm_board_scene *scene, uint64_t id,
                           struct tdm_figure_box *frame);
/** Around all figures; false when nothing is painted. */
bool tdm_board_scene_extent(struct tdm_board_scene *scene, struct tdm_figure_box *box);

/** The topmost figure within `reach` px of a point of the board, in px; 0: none. Figures without
 *  fill are hit at their border and letters only. */
uint64_t tdm_board_scene_hit(struct tdm_board_scene *scene, double x, double y, double reach);
/** All that a segment touches (the eraser), from the top. @return how many there are. */
size_t tdm_board_scene_crossed(struct tdm_board_scene *scene, const double from[2],
                               const double to[2], double reach, uint64_t *ids, size_t max);
/** All that lie in `box` as a whole, or also those that it touches, from the bottom. */
size_t tdm_board_scene_within(struct tdm_board_scene *scene, const struct tdm_figure_box *box,
                              bool touched, uint64_t *ids, size_t max);
/** Tests one figure that need not be in a scene. */
bool tdm_board_figure_hit(const struct tdm_board_figure *figure, double x, double y, double reach);

#define TDM_BOARD_DAMAGE_MAX 16

/** What changed since the last time this was asked; many boxes are merged into few. `all`: the
 *  ground is another. Caches (render/board_paint.h) ask this; ask it only where there is none. */
struct tdm_board_damage {
    bool all;
    size_t count;
    struct tdm_figure_box boxes[TDM_BOARD_DAMAGE_MAX];
};
void tdm_board_scene_damage(struct tdm_board_scene *scene, struct tdm_board_damage *damage);

#endif
