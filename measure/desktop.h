/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_DESKTOP_H
#define TDM_MEASURE_DESKTOP_H

/*
 * Desktops that are drawn: an editor in which somebody types, a terminal and a page that scroll,
 * slides, a game. All text is ours and the same pictures come out each time (with the same
 * versions of cairo, pango and the fonts), so that two machines measure with equal inputs.
 */

#include "engine/base/err.h"
#include "engine/base/picture.h"
#include "measure/footage.h"

#include <stdbool.h>

struct tdm_desktop;

struct tdm_desktop_config {
    enum tdm_footage_kind kind; /* Not the camera. */
    int width, height;          /* Even, 64 or more. */
    uint32_t fps;
};

enum tdm_err tdm_desktop_create(const struct tdm_desktop_config *config,
                                struct tdm_desktop **desktop, struct tdm_cause *cause);
void tdm_desktop_destroy(struct tdm_desktop *desktop);

/** Draws the next picture, of the configured size. */
enum tdm_err tdm_desktop_next(struct tdm_desktop *desktop, struct tdm_picture *pic,
                              struct tdm_cause *cause);

/** Whether there was a font to draw text with; else words are bars. */
bool tdm_desktop_has_font(const struct tdm_desktop *desktop);

#endif
