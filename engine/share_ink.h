/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_INK_H
#define TDM_ENGINE_SHARE_INK_H

/*
 * Annotations on a shared screen, of either side (docs/annotations.md): the thread `tdm-ink`, which
 * owns a board in memory for them (engine/board_doc.h), follows where they are after each frame
 * (collab/board_anchor.h), paints them (render/ink_sheet.h), and at the host shows them over the
 * desktop (render/ink_overlay.h).
 *
 * The host's board is the one that counts. The viewer's is a copy that begins empty with each
 * stream; what it draws goes to the host, which takes it as long as it is allowed and else gives up
 * the stream. Both work out the places by themselves; the host writes down new anchors when what
 * moved stands still.
 *
 * Any thread may call what is here, and none waits for longer than it takes to paint.
 */

#include "collab/board.h"
#include "collab/screen.h"
#include "engine/base/rect.h"
#include "render/ink_sheet.h"

#include <jansson.h>

struct tdm_share_ink;

struct tdm_share_ink_config {
    bool host;
    /* Without a lock: there are bytes to send, or the stream is to be given up. */
    void (*wake)(void *arg);
    /* Likewise: the other side has changed something; so many annotations there are. */
    void (*drawn)(void *arg, uint32_t count);
    /* Host, likewise: this part of the desktop is to be captured again. */
    void (*again)(void *arg, struct tdm_rect rect);
    /* Viewer, likewise: the pixels of tdm_share_ink_lock are others. */
    void (*painted)(void *arg);
    void *arg;
};

enum tdm_err tdm_share_ink_create(struct tdm_share_ink **ink,
                                  const struct tdm_share_ink_config *config,
                                  struct tdm_cause *cause);
void tdm_share_ink_destroy(struct tdm_share_ink *ink);

/** Host: a screen is given, and ink is shown on `display` (`none`: nowhere), over everything or
 * over one window of X. Begins empty. */
void tdm_share_ink_begin(struct tdm_share_ink *ink, const char *display, bool none,
                         uint32_t window);
/** Nothing is given or seen any more; all is forgotten. */
void tdm_share_ink_end(struct tdm_share_ink *ink);

/* The stream; called by the rider. */

/** A new stream stands; or there is none. */
void tdm_share_ink_link(struct tdm_share_ink *ink, bool up);
/** False: no memory. */
bool tdm_share_ink_bytes(struct tdm_share_ink *ink, const uint8_t *data, size_t size);
size_t tdm_share_ink_consumed(struct tdm_share_ink *ink);
size_t tdm_share_ink_pull(struct tdm_share_ink *ink, uint8_t *room, size_t max, bool *more);
bool tdm_share_ink_ready(struct tdm_share_ink *ink);
/** Whether the viewer may draw. Host: what comes while it may not breaks the stream. */
void tdm_share_ink_allow(struct tdm_share_ink *ink, bool may);
/** The other side breaks the rules: give the stream up. Once for each link. */
bool tdm_share_ink_broken(struct tdm_share_ink *ink);

/* The screen; called by whoever gives or watches it. */

void tdm_share_ink_surfaces(struct tdm_share_ink *ink, const struct tdm_screen_surface *list,
                            uint32_t count);
/** A frame is made, or shown, that moved this. */
void tdm_share_ink_frame(struct tdm_share_ink *ink, uint32_t frame,
                         const struct tdm_screen_move *moves, uint32_t count);
/** Host: around a capture of `rect` of a surface whose corner is at (x, y) of the desktop, so that
 *  ink is not in it: where ink is, the pixels stay what they were. Between the two the screen's ink
 *  does not change. */
void tdm_share_ink_lift(struct tdm_share_ink *ink, int x, int y, struct tdm_rect rect,
                        const uint8_t *pixels, ptrdiff_t stride);
/** Whether there is ink on the screen. */
bool tdm_share_ink_shows(struct tdm_share_ink *ink);
void tdm_share_ink_lifted(struct tdm_share_ink *ink, int x, int y, struct tdm_rect rect,
                          uint8_t *pixels, ptrdiff_t stride);

/* Who draws. */

/** A request (docs/annotations.md), all but "freeze". *answer: a new reference, set on TDM_OK.
 *  TDM_E_AGAIN: there is no screen. TDM_E_DENIED: it is not allowed. Else as
 *  engine/board_request.h. */
enum tdm_err tdm_share_ink_request(struct tdm_share_ink *ink, const json_t *request,
                                   json_t **answer, struct tdm_cause *cause);

/** What a hand does, in pixels / 16 of a surface. */
void tdm_share_ink_hand(struct tdm_share_ink *ink, enum tdm_ink_act act, enum tdm_ink_tool tool,
                        uint8_t surface, int32_t x, int32_t y);

/** Pixels over a surface.
 *
 * Locks them. False: there is no ink, nothing to show and nothing was locked; or nothing is new,
 *  unless `again`. */
bool tdm_share_ink_lock(struct tdm_share_ink *ink, uint8_t surface, bool again,
                        struct tdm_ink_pixels *pixels);
void tdm_share_ink_unlock(struct tdm_share_ink *ink);

#endif
