/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_SCREEN_WINDOW_H
#define TDM_RENDER_SCREEN_WINDOW_H

/*
 * The window in which somebody's screen is seen, with a thread of its own: pictures with what
 * changed in them, the pointer and the word "exact" go in, keys and the pointer's acts come out. It
 * knows neither channel nor consent: whatever is done in it is told, and who gets it decides.
 */

#include "collab/control_view.h"
#include "collab/screen.h"
#include "engine/base/err.h"
#include "engine/base/rect.h"
#include "engine/base/time.h"
#include "render/ink_sheet.h"

#define TDM_SHARE_DAMAGE_MAX 64

/** What there is to see of a surface. Borrowed until it is given back. */
struct tdm_share_picture {
    struct tdm_screen_surface surface;
    const uint8_t *pixels; /* BGRX. */
    ptrdiff_t stride;
    uint64_t number;
    bool exact;
    tdm_time captured_at; /* By the host's clock. */
    uint32_t damage_count;
    struct tdm_rect damage[TDM_SHARE_DAMAGE_MAX]; /* Since it was taken last. */
};

struct tdm_share_pointer {
    struct tdm_screen_pointer at;
    struct tdm_screen_cursor shape; /* Width 0: not known yet. */
    uint32_t number;                /* Of the shape. */
};

#define TDM_SHARE_SHAPE_BYTES (TDM_SCREEN_CURSOR_SIDE_MAX * TDM_SCREEN_CURSOR_SIDE_MAX * 4)

/** Where the window gets what it shows and says what was done in it. Called on its thread. */
struct tdm_screen_window_source {
    void *arg;
    int fd; /* Readable when there is something new: the window clears it (engine/io/wake.h). */
    uint32_t (*surfaces)(void *arg, struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX]);
    /** False: nothing new, and nothing to give back. `again`: all of it, new or not. While it is
     *  out, newer frames wait. */
    bool (*take)(void *arg, uint8_t surface, bool again, struct tdm_share_picture *picture);
    void (*give_back)(void *arg);
    /** False: as before. */
    bool (*pointer)(void *arg, struct tdm_share_pointer *pointer,
                    uint8_t pixels[TDM_SHARE_SHAPE_BYTES]);
    /** Keys, motion, buttons, wheel, focus. */
    void (*input)(void *arg, const struct tdm_control_view_in *in);
    /** For control, if it is not allowed yet. */
    void (*ask)(void *arg);
    void (*closed)(void *arg);

    /* Annotations; all NULL: there are none. */
    /** What is drawn over a surface; as `take`, to be given back by ink_done. */
    bool (*ink)(void *arg, uint8_t surface, bool again, struct tdm_ink_pixels *pixels);
    void (*ink_done)(void *arg);
    /** The hand draws, at pixels / 16 of a surface. */
    void (*hand)(void *arg, enum tdm_ink_act act, enum tdm_ink_tool tool, uint8_t surface,
                 int32_t x, int32_t y);
    /** "ask" (for permission to draw), "undo", "clear", "freeze". */
    void (*ink_do)(void *arg, const char *what);
};

struct tdm_screen_window;

/** `display` NULL: as DISPLAY says. TDM_E_GONE without one. */
enum tdm_err tdm_screen_window_open(struct tdm_screen_window **window, const char *display,
                                    const char *title,
                                    const struct tdm_screen_window_source *source,
                                    struct tdm_cause *cause);
void tdm_screen_window_close(struct tdm_screen_window *window);

/** A line in the title and the bar: what is allowed, and for how long. `acts`: our pointer is the
 *  host's, and has its shape. Any thread. */
void tdm_screen_window_say(struct tdm_screen_window *window, const char *text, bool acts);

/** Writes a picture as PNG; its sides are those of the surface. */
enum tdm_err tdm_screen_picture_save(const struct tdm_share_picture *picture, const char *path,
                                     struct tdm_cause *cause);

#endif
