/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BLACKBOX_X_PICTURE_H
#define BENCH_BLACKBOX_X_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <X11/Xlib.h>
#include <X11/extensions/XShm.h>

/* A 32-bit picture in memory shared with the X server, for both ways of copying. */
struct tdm_x_picture {
    Display *display;
    XImage *image;
    XShmSegmentInfo shm;
};

/* False, with a sentence on stderr, when the display has no shared memory or not 24-bit colour. */
bool tdm_x_picture_init(struct tdm_x_picture *picture, Display *display, uint32_t width,
                        uint32_t height);

void tdm_x_picture_fini(struct tdm_x_picture *picture);

#endif
