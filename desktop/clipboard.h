/* SPDX-License-Identifier: MIT */
#ifndef TDM_DESKTOP_CLIPBOARD_H
#define TDM_DESKTOP_CLIPBOARD_H

/*
 * The clipboard of an X11 desktop: the CLIPBOARD selection, both ways, with INCR for what is large.
 * PRIMARY (what is merely marked) is left alone. It knows formats of collab/clipboard.h and the
 * target names for them; what may pass is decided there.
 *
 * Threading: everything on the one thread that owns the desktop. It holds at most one content that
 * it read and one that it gives; it never blocks.
 */

#include "collab/clipboard.h"

struct tdm_desk_clipboard;

enum tdm_desk_clipboard_event {
    TDM_DESK_CLIPBOARD_NOTHING,
    TDM_DESK_CLIPBOARD_CHANGED, /* in: as TDM_CLIPBOARD_CHANGED */
    TDM_DESK_CLIPBOARD_WISH,    /* in: as TDM_CLIPBOARD_WISH */
    TDM_DESK_CLIPBOARD_CONTENT, /* in: as TDM_CLIPBOARD_CONTENT */
    TDM_DESK_CLIPBOARD_GONE,    /* The display went away. */
};

/** `bytes_max`: of one content; what is larger counts as none. */
enum tdm_err tdm_desk_clipboard_create(const char *display, uint32_t bytes_max,
                                       struct tdm_desk_clipboard **clipboard,
                                       struct tdm_cause *cause);
void tdm_desk_clipboard_destroy(struct tdm_desk_clipboard *c);

/** Readable when `next` has something to say. */
int tdm_desk_clipboard_fd(struct tdm_desk_clipboard *c);
/** What happened, as the core's input; NOTHING when that is all: call until then. Also after a
 *  while without input (`now`), so that programs that stop answering are given up. */
enum tdm_desk_clipboard_event tdm_desk_clipboard_next(struct tdm_desk_clipboard *c, tdm_time now,
                                                      struct tdm_clipboard_in *in);
/** Does what the core said (`out->desk`). */
void tdm_desk_clipboard_perform(struct tdm_desk_clipboard *c, tdm_time now,
                                const struct tdm_clipboard_out *out);

#endif
