/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_INK_OVERLAY_H
#define TDM_RENDER_INK_OVERLAY_H

/*
 * Annotations over the desktop of the one who shows it: a window over everything that has the shape
 * of the ink (pixels that are at least half opaque), so that all else is seen beside it, and no
 * input, so that clicks go through. It shows what it is given and knows no board.
 *
 * The ink covers pixels of the desktop, which a capture then cannot see. So whoever captures asks
 * where it is: tdm_ink_overlay_spans says what was on the screen before a change and what is after
 * it, as rows.
 *
 * One thread, that which created it.
 */

#include "engine/base/err.h"
#include "engine/base/rect.h"
#include "render/ink_sheet.h"

#include <stdbool.h>

struct tdm_ink_overlay;

/** `display` NULL: that of DISPLAY. `window`: it belongs to that one, which alone is shown, like
 * its menus (desktop/x11_masks.c); 0: all is. TDM_E_GONE without a display. */
enum tdm_err tdm_ink_overlay_create(struct tdm_ink_overlay **overlay, const char *display,
                                    uint32_t window, struct tdm_cause *cause);
void tdm_ink_overlay_destroy(struct tdm_ink_overlay *overlay);

/** Readable when step has something to do. */
int tdm_ink_overlay_fd(const struct tdm_ink_overlay *overlay);
/** False: the display is no longer there, or somebody destroyed the window. */
bool tdm_ink_overlay_step(struct tdm_ink_overlay *overlay);

/** A row of ink, in pixels of the desktop. */
struct tdm_ink_span {
    int16_t x, y;
    uint16_t width;
};
#define TDM_INK_SPANS_MAX 65536

/** The rows of a sheet whose surface's corner is at (x, y) of the desktop. @return how many; what
 *  does not fit is left out, and is not shown. */
size_t tdm_ink_spans(const struct tdm_ink_sheet *sheet, int x, int y, struct tdm_ink_span *spans,
                     size_t max);

/** Shows a sheet. When it returns the screen is so: what is not among `spans` is no longer covered.
 *  Of several sheets each has its part: begin, put each, end. */
void tdm_ink_overlay_begin(struct tdm_ink_overlay *overlay);
void tdm_ink_overlay_put(struct tdm_ink_overlay *overlay, const struct tdm_ink_sheet *sheet, int x,
                         int y, const struct tdm_ink_span *spans, size_t count);
void tdm_ink_overlay_end(struct tdm_ink_overlay *overlay);

#endif
