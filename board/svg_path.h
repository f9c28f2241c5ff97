/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_SVG_PATH_H
#define TDM_BOARD_SVG_PATH_H

/* Path data (SVG 1.1 section 8.3) as lines: curves and arcs become short pieces. */

#include "board/svg_matrix.h"

/** Takes the next point of the path, in its own coordinates; false: enough. */
typedef bool tdm_svg_point_fn(void *arg, double x, double y);
/** A subpath has all its points. */
typedef void tdm_svg_end_fn(void *arg, bool closed);

struct tdm_svg_path_sink {
    tdm_svg_point_fn *point;
    tdm_svg_end_fn *end;
    void *arg;
    double fineness; /* Pieces of curves are about this long, in the path's coordinates. */
};

/** Up to the first mistake, as the standard wants it. */
void tdm_svg_path(const char *text, size_t size, const struct tdm_svg_path_sink *sink);

#endif
