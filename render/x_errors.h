/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_X_ERRORS_H
#define TDM_RENDER_X_ERRORS_H

/*
 * libX11 ends the process for any error that a server answers with, and when a connection is lost.
 * Its handlers belong to the process, so that all of our windows share these: an error is noted
 * for the thread that read it, which is the one that its window belongs to.
 */

#include <X11/Xlib.h>

enum tdm_x_error {
    TDM_X_WINDOW_GONE = 1 << 0, /* Somebody else destroyed what was drawn on. */
    TDM_X_NO_ROOM = 1 << 1,     /* The server has no memory for it, or allows no such size. */
    TDM_X_DENIED = 1 << 2,      /* The server may not: it does not share memory with us. */
    TDM_X_OTHER = 1 << 3,
};

/** From here on nothing that happens to `display` ends the process; `lost` is called in place of
 *  that when it goes away. Then it must not be closed: that would end the process after all. */
void tdm_x_errors_catch(Display *display, void (*lost)(Display *display, void *arg), void *arg);

/** Which of `wanted` (enum tdm_x_error) this thread has met since they were last taken. */
unsigned tdm_x_errors_take(unsigned wanted);

#endif
