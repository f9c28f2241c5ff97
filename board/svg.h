/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_SVG_H
#define TDM_BOARD_SVG_H

/*
 * A subset of SVG 1.1 as objects: svg, g, rect, circle, ellipse, line, polyline, polygon, path,
 * text and image with data: URIs, with transform, viewBox and the presentation attributes (also in
 * style="") for fill, stroke, widths, dashes, opacities and fonts. No scripts, no style sheets, no
 * references to other files, no entities; what is not known is skipped and counted.
 */

#include "board/drawing.h"

#define TDM_SVG_MAX ((size_t)64 << 20)

/** TDM_E_MALFORMED: not XML, or no svg; TDM_E_SPACE: too large. The drawing is initialised and to
 * be freed in any case. */
enum tdm_err tdm_svg_read(struct tdm_drawing *drawing, const char *text, size_t size,
                          struct tdm_cause *cause);

#endif
