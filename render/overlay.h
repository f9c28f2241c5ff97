/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_OVERLAY_H
#define TDM_RENDER_OVERLAY_H

/* Lines of text as an image: light letters on a dark box that lets the picture shine through. */

#include <cairo.h>

/** A new ARGB32 image surface (straight, not premultiplied, alpha), or NULL when there is no
 *  memory. The caller destroys it. */
cairo_surface_t *tdm_overlay_draw(const char *text, int width_max, int height_max);

#endif
