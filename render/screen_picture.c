/* SPDX-License-Identifier: MIT */
#include "render/screen_window.h"

#include <cairo.h>

enum tdm_err tdm_screen_picture_save(const struct tdm_share_picture *picture, const char *path,
                                     struct tdm_cause *cause)
{
    /* cairo only reads from it; the fourth byte of RGB24 does not count. */
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (unsigned char *)(uintptr_t)picture->pixels, CAIRO_FORMAT_RGB24, picture->surface.width,
        picture->surface.height, (int)picture->stride);
    cairo_status_t status = cairo_surface_write_to_png(surface, path);

    cairo_surface_destroy(surface);
    return status == CAIRO_STATUS_SUCCESS
               ? TDM_OK
               : tdm_fail(cause, TDM_E_SYSTEM, "cannot write %.150s: %.60s", path,
                          cairo_status_to_string(status));
}
