/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_SCREEN_WINDOW_STATE_H
#define TDM_RENDER_SCREEN_WINDOW_STATE_H

/* What the files of render/screen_window.h share. All of it is the window thread's, but for what
 * the lock guards. */

#include "render/screen_viewport.h"
#include "render/screen_window.h"
#include "render/x_pixels.h"

#include <X11/Xlib.h>
#include <cairo.h>
#include <pthread.h>
#include <stdatomic.h>

#define TDM_SCREEN_BAR_HEIGHT 24
#define TDM_SCREEN_TEXT_MAX   160
#define TDM_SCREEN_AREAS_MAX  64

/** A surface's picture at the X server, so that it is sent there once, however it is shown. */
struct tdm_screen_copy {
    bool known;
    struct tdm_screen_surface surface;
    bool exact;
    Pixmap pixmap;
    cairo_surface_t *picture; /* NULL: too large to be copied. */
    cairo_surface_t *ink;     /* What is drawn over it; NULL: nothing was yet. */
    struct tdm_rect ink_extent;
};

struct tdm_screen_window {
    struct tdm_screen_window_source source;
    pthread_t thread;
    _Atomic bool stop;
    int wake;

    Display *display;
    Window window;
    GC gc;
    struct tdm_x_pixels pixels; /* On their way to the copies. */
    Atom wm_delete, wm_state, wm_full_screen, wm_check;
    cairo_surface_t *canvas; /* The window. */
    bool broken;             /* The connection; nothing of it may be used any more. */
    bool gone;               /* The window. */
    bool told_closed;

    struct tdm_viewport viewport;
    int width, height; /* Of the window, with its bar. */
    bool full_screen, sized;
    struct tdm_rect before_full; /* Without a window manager: where it stood. */
    int chosen; /* The one that is looked at, by its place in the list; -1: all of them. */
    int count;
    struct tdm_screen_copy copies[TDM_SCREEN_SURFACES_MAX];

    /* The host's pointer. */
    struct tdm_share_pointer pointer;
    uint8_t pointer_pixels[TDM_SHARE_SHAPE_BYTES]; /* Premultiplied. */
    struct tdm_rect pointer_drawn;                 /* In the window; empty: it is not. */
    Cursor cursor;                                 /* The same shape for our own pointer. */
    uint32_t cursor_number;
    bool inside; /* Our pointer is. */
    int at_x, at_y;
    bool local_keys; /* Ctrl and Alt are held for a command of the window's own. */
    bool ghost;
    bool draws; /* The pointer draws, and keys choose how. */
    enum tdm_ink_tool tool;
    bool hand_down;
    uint8_t hand_surface;

    /* Of the window, to be drawn. */
    uint32_t area_count;
    struct tdm_rect areas[TDM_SCREEN_AREAS_MAX];

    pthread_mutex_t lock; /* Of what follows. */
    bool text_news, acts, acts_news;
    char title[TDM_SCREEN_TEXT_MAX], text[TDM_SCREEN_TEXT_MAX];
};

/** Another event of the X server: keys and the pointer's acts are told, commands of the window's
 *  own are followed. */
void tdm_screen_window_take(struct tdm_screen_window *w, XEvent *event);

/** A part of the window is to be drawn again; all of it. */
void tdm_screen_window_dirty(struct tdm_screen_window *w, struct tdm_rect area);
void tdm_screen_window_dirty_all(struct tdm_screen_window *w);

/** Where it says what is known of the picture: below it, or in a corner of a full screen. */
struct tdm_rect tdm_screen_window_bar(const struct tdm_screen_window *w);

/** What is looked at or how has changed. */
void tdm_screen_window_arrange(struct tdm_screen_window *w);
void tdm_screen_window_set_full(struct tdm_screen_window *w, bool full_screen);

/* screen_window_ink.c */
/** Takes what was drawn over a surface. */
void tdm_screen_window_take_ink(struct tdm_screen_window *w, struct tdm_screen_copy *c);
/** Begins or ends drawing. */
void tdm_screen_window_draw(struct tdm_screen_window *w, bool draws);
/** What the pointer or a key means while one draws, or on the bar. False: nothing; it is the
 *  host's. */
bool tdm_screen_window_ink_button(struct tdm_screen_window *w, const XButtonEvent *event);
bool tdm_screen_window_ink_motion(struct tdm_screen_window *w, int x, int y);
bool tdm_screen_window_ink_key(struct tdm_screen_window *w, XKeyEvent *event);
/** The buttons of the bar, from the right. @return where the leftmost begins. */
int tdm_screen_window_paint_buttons(struct tdm_screen_window *w, cairo_t *cr);
/** Where there is ink in the window. */
struct tdm_rect tdm_screen_window_ink_area(const struct tdm_screen_window *w,
                                           const struct tdm_screen_copy *c);

/** Draws what is dirty. `acts`: our pointer is the host's. */
void tdm_screen_window_paint(struct tdm_screen_window *w, bool acts, const char *text);

#endif
