/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_INK_H
#define TDM_RENDER_BOARD_INK_H

/*
 * The outline of a stroke of ink. Points of the hand (1/16 px,
 * relative to the stroke's place) are smoothed by a filter that follows them
 * ("streamline"), each gets a width by its pressure, or by the speed where the device has none, and
 * the outline runs along both sides with round caps; ends taper. Decides geometry only: it paints
 * nothing, keeps nothing, allocates nothing, and the same points give the same outline.
 *
 *           left side ->
 *         .-----------------.
 *     cap (  o---o----o---o  ) cap         o: smoothed points
 *         '-----------------'
 *           <- right side
 *
 * The outline is one closed polygon, to be filled by the non-zero rule, meant to be drawn as
 * quadratic curves through the middles of its edges (tdm_board_ink_outline's points are their
 * control points).
 */

#include "collab/board_object.h"

struct tdm_board_ink_style {
    double width;            /* px, at half of the pressure, and of a marker. */
    double thinning;         /* 0: one width (marker) .. 1: down to nothing without pressure. */
    double taper;            /* px of tapering at an end; 0: none. */
    bool closed;             /* The stroke is finished: its end tapers too. */
    double scale_x, scale_y; /* Of the points, e.g. of a stroke that was resized; 0 counts as 1. */
};

struct tdm_board_ink_vertex {
    double x, y; /* px, relative to the stroke's place. */
};

/** Room of an outline of so many points; more is never needed. */
#define TDM_BOARD_INK_OUTLINE_MAX(points) (10 * (size_t)(points) + 64)

/** The pen's usual style; `marker`: broad, of one width. `width` in px. */
struct tdm_board_ink_style tdm_board_ink_style_of(double width, bool marker, bool sealed);

/**
 * The outline of `count` points. One point is a dot.
 *
 * @param room  Vertices that fit into `outline`; with too little room for all of them there are
 * none.
 *
 * @return how many vertices there are; 0 without points. All are finite.
 */
size_t tdm_board_ink_outline(const struct tdm_board_point *points, size_t count,
                             const struct tdm_board_ink_style *style,
                             struct tdm_board_ink_vertex *outline, size_t room);

/**
 * Where the hand will be `ahead_ms` after the last point, at its speed and bend of late; for the
 * eye only, never for the document. Steps are never longer than the last ones.
 *
 * @return false where it is not worth it: too few points, or a hand at rest.
 */
bool tdm_board_ink_predict(const struct tdm_board_point *points, size_t count, double ahead_ms,
                           struct tdm_board_point *next);

#endif
