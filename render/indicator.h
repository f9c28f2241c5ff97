/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_INDICATOR_H
#define TDM_RENDER_INDICATOR_H

/*
 * The sign at the host that somebody sees the screen: a bar at the top of its primary monitor that
 * no window manager places and that comes to the front again whenever something covers it; a click
 * on it ends it all. It shows what it is told and tells of the click; it knows no consent, and
 * cannot tell a click that was injected: that is the matter of who injects.
 *
 * One thread, that which created it. It waits for nothing but the display server.
 */

#include "engine/base/err.h"
#include "engine/base/rect.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

struct tdm_indicator;

enum tdm_indicator_said {
    TDM_INDICATOR_NOTHING,
    TDM_INDICATOR_CLICK,
    TDM_INDICATOR_GONE, /* The display is no longer there, or somebody destroyed the bar. */
};

/** `display` NULL: that of DISPLAY. TDM_E_GONE without one. */
enum tdm_err tdm_indicator_create(struct tdm_indicator **indicator, const char *display,
                                  struct tdm_cause *cause);
void tdm_indicator_destroy(struct tdm_indicator *indicator);

/** Readable when step has something to do. */
int tdm_indicator_fd(const struct tdm_indicator *indicator);

/** @return what the person did since the last step. */
enum tdm_indicator_said tdm_indicator_step(struct tdm_indicator *indicator, tdm_time now);
/** When to step again without fd. */
tdm_time tdm_indicator_wake(const struct tdm_indicator *indicator);

/** Shows `text`, one line, or nothing at all with "". `strong`: somebody may do more than look. */
void tdm_indicator_show(struct tdm_indicator *indicator, const char *text, bool strong);

/** Points out a place of the desktop, in its coordinates, until `until`: the ghost hand. */
void tdm_indicator_point(struct tdm_indicator *indicator, int x, int y, tdm_time until);

/** Where the bar is, in desktop coordinates; empty when it is not shown. */
struct tdm_rect tdm_indicator_area(const struct tdm_indicator *indicator);

#endif
