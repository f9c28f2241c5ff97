/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_INDICATOR_H
#define TDM_RENDER_INDICATOR_H

/*
 * The sign at the host that somebody sees the screen: a bar at its top that no window manager
 * places and that comes to the front again whenever something covers it; and a key that ends it
 * all, taken from the whole keyboard. It shows what it is told and tells what the person at the
 * machine did; it knows no consent. That what is injected from afar can neither press it nor the
 * key is the matter of who injects (tdm_indicator_area).
 *
 * One thread, that which created it. It waits for nothing but the display server.
 */

#include "engine/base/err.h"
#include "engine/base/rect.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_INDICATOR_KEY "Ctrl+Alt+End"

/* As X knows them: what an injected event must not be. */
#define TDM_INDICATOR_KEYSYM    0xff57u /* End */
#define TDM_INDICATOR_MODIFIERS 0x0cu   /* Control and the first modifier, Alt. */

struct tdm_indicator;

enum tdm_indicator_said {
    TDM_INDICATOR_NOTHING,
    TDM_INDICATOR_END,  /* The key, or a click on the bar. */
    TDM_INDICATOR_GONE, /* The display is no longer there. */
};

/** `display` "" : that of DISPLAY. TDM_E_GONE without one. When another program has the key the
 *  click alone is left, and *key_taken says so. */
enum tdm_err tdm_indicator_create(struct tdm_indicator **indicator, const char *display,
                                  bool *key_taken, struct tdm_cause *cause);
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
