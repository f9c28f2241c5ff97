/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_X_PIXELS_H
#define TDM_RENDER_X_PIXELS_H

/*
 * Pixels of ours on their way to the X server: through memory that it shares with us where it runs
 * on the same machine, else through the connection. What is put may be changed at once. Of one
 * thread, and of a display that tdm_x_errors_catch knows.
 */

#include "engine/base/rect.h"

#include <X11/Xlib.h>
#include <X11/extensions/XShm.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_x_pixels {
    Display *display;
    GC gc;
    XShmSegmentInfo segment; /* shmaddr NULL: nothing is shared. */
    size_t size, used;       /* Of the segment, filled from its front. */
};

/** `size`: bytes of memory to share, at least; 0 shares none. */
void tdm_x_pixels_open(struct tdm_x_pixels *p, Display *display, GC gc, size_t size);
/** The display is still there. */
void tdm_x_pixels_close(struct tdm_x_pixels *p);
/** It is not. */
void tdm_x_pixels_forget(struct tdm_x_pixels *p);

/** The part `rect` of a picture of BGRX pixels to the same place of `to`. It goes out with the
 *  display's next flush. */
void tdm_x_pixels_put(struct tdm_x_pixels *p, Drawable to, const uint8_t *pixels, ptrdiff_t stride,
                      struct tdm_rect rect);
/** Flushes, and waits until the server has taken what was put: the next ones have the room, which
 * is in the caches of both. */
void tdm_x_pixels_settle(struct tdm_x_pixels *p);

#endif
