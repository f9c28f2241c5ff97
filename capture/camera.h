/* SPDX-License-Identifier: MIT */
#ifndef TDM_CAPTURE_CAMERA_H
#define TDM_CAPTURE_CAMERA_H

/* The system calls that the camera source makes, as a table, so that a test can be the camera. */

#include "capture/source.h"

#include <stddef.h>
#include <sys/types.h>

/** Each as the system call of its name: -1 (or MAP_FAILED) with errno on failure. `open` gives an
 *  fd that polls readable when a frame is there. */
struct tdm_camera_io {
    int (*open)(void *arg, const char *path);
    int (*ioctl)(void *arg, int fd, unsigned long request, void *data);
    void *(*map)(void *arg, int fd, size_t size, off_t offset);
    void (*unmap)(void *arg, void *memory, size_t size);
    void (*close)(void *arg, int fd);
    void *arg;
};

/** As create in source.h. `io` is borrowed until destroy; NULL is the real system. */
enum tdm_err tdm_camera_create(const struct tdm_video_source_config *config,
                               const struct tdm_camera_io *io, struct tdm_video_source **source,
                               struct tdm_cause *cause);

#endif
