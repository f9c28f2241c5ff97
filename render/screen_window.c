/* SPDX-License-Identifier: MIT */
/* The window's life: its thread, what is taken from the source, how it is arranged. */
#include "render/screen_window.h"

#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"
#include "render/screen_window_state.h"
#include "render/x_errors.h"

#include <X11/Xcursor/Xcursor.h>
#include <X11/Xutil.h>
#include <cairo-xlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_WIDTH  1024
#define FIRST_HEIGHT (640 + TDM_SCREEN_BAR_HEIGHT)
#define ROOM_SHARE   0.9 /* Of our own screen, for a window that is as large as what it shows. */
/* Of all surfaces: what the other side names may not fill the display's memory. Eight of 4K fit. */
#define COPIED_PIXELS_MAX (64u << 20)
#define SHARED_BYTES      ((size_t)8 << 20) /* With the display: a picture of 1920x1080. */

static void on_lost(Display *display, void *arg)
{
    struct tdm_screen_window *w = arg;

    (void)display;
    w->broken = true;
}

/* Of everything, or of the chosen one. */
static struct tdm_rect world_of(const struct tdm_screen_window *w)
{
    struct tdm_rect world = {0, 0, 0, 0};

    for (int i = 0; i < w->count; i++) {
        const struct tdm_screen_surface *s = &w->copies[i].surface;

        if (w->chosen < 0 || w->chosen == i)
            world = tdm_rect_around(world, (struct tdm_rect){s->x, s->y, s->width, s->height});
    }
    return world;
}

void tdm_screen_window_arrange(struct tdm_screen_window *w)
{
    int bar = w->full_screen ? 0 : TDM_SCREEN_BAR_HEIGHT;

    if (w->chosen >= w->count || w->count == 1)
        w->chosen = w->count > 1 ? -1 : 0;
    cairo_xlib_surface_set_size(w->canvas, w->width, w->height);
    tdm_viewport_set_window(&w->viewport, w->width, w->height > bar ? w->height - bar : 1);
    tdm_viewport_set_world(&w->viewport, world_of(w));
    tdm_screen_window_dirty_all(w);
}

static bool has_manager(struct tdm_screen_window *w)
{
    Atom type;
    int format;
    unsigned long items = 0, rest;
    unsigned char *data = NULL;

    (void)XGetWindowProperty(w->display, DefaultRootWindow(w->display), w->wm_check, 0, 1, False,
                             AnyPropertyType, &type, &format, &items, &rest, &data);
    if (data)
        (void)XFree(data);
    return items > 0;
}

/* EWMH: the root is asked for it. Without a window manager nobody would answer. */
void tdm_screen_window_set_full(struct tdm_screen_window *w, bool full_screen)
{
    int screen = DefaultScreen(w->display);

    w->full_screen = full_screen;
    if (has_manager(w)) {
        XEvent event = {.xclient = {.type = ClientMessage,
                                    .window = w->window,
                                    .message_type = w->wm_state,
                                    .format = 32,
                                    .data.l = {full_screen, (long)w->wm_full_screen, 0, 1}}};

        (void)XSendEvent(w->display, DefaultRootWindow(w->display), False,
                         SubstructureRedirectMask | SubstructureNotifyMask, &event);
    } else if (full_screen) {
        XWindowAttributes now;

        (void)XGetWindowAttributes(w->display, w->window, &now);
        w->before_full = (struct tdm_rect){now.x, now.y, now.width, now.height};
        (void)XMoveResizeWindow(w->display, w->window, 0, 0,
                                (unsigned)DisplayWidth(w->display, screen),
                                (unsigned)DisplayHeight(w->display, screen));
        (void)XRaiseWindow(w->display, w->window);
    } else {
        (void)XMoveResizeWindow(w->display, w->window, w->before_full.x, w->before_full.y,
                                (unsigned)w->before_full.width, (unsigned)w->before_full.height);
    }
    tdm_screen_window_arrange(w);
}

static void forget_copy(struct tdm_screen_window *w, struct tdm_screen_copy *c)
{
    if (c->picture)
        cairo_surface_destroy(c->picture);
    if (c->ink)
        cairo_surface_destroy(c->ink);
    if (c->pixmap)
        (void)XFreePixmap(w->display, c->pixmap);
    *c = (struct tdm_screen_copy){0};
}

static uint64_t pixels_of(const struct tdm_screen_copy *c)
{
    return (uint64_t)c->surface.width * c->surface.height;
}

/* Stays without one when it is too large, for us or for the display. */
static void make_copy(struct tdm_screen_window *w, struct tdm_screen_copy *c)
{
    int screen = DefaultScreen(w->display);
    uint64_t pixels = pixels_of(c);

    for (int i = 0; i < w->count; i++)
        pixels += w->copies[i].picture ? pixels_of(&w->copies[i]) : 0;
    if (pixels > COPIED_PIXELS_MAX)
        return;
    (void)tdm_x_errors_take(TDM_X_NO_ROOM);
    c->pixmap = XCreatePixmap(w->display, w->window, c->surface.width, c->surface.height,
                              (unsigned)DefaultDepth(w->display, screen));
    (void)XSync(w->display, False);
    if (tdm_x_errors_take(TDM_X_NO_ROOM)) {
        c->pixmap = None;
        return;
    }
    c->picture = cairo_xlib_surface_create(w->display, c->pixmap, DefaultVisual(w->display, screen),
                                           c->surface.width, c->surface.height);
}

/* As large as what it shows, if our screen has room. */
static void size_to(struct tdm_screen_window *w)
{
    int screen = DefaultScreen(w->display);
    struct tdm_rect world = world_of(w);
    double most_wide = DisplayWidth(w->display, screen) * ROOM_SHARE;
    double most_high = DisplayHeight(w->display, screen) * ROOM_SHARE - TDM_SCREEN_BAR_HEIGHT;
    double scale = 1;

    scale = world.width > most_wide ? most_wide / world.width : scale;
    scale = world.height * scale > most_high ? most_high / world.height : scale;
    w->sized = true;
    (void)XResizeWindow(w->display, w->window, (unsigned)(world.width * scale),
                        (unsigned)(world.height * scale) + TDM_SCREEN_BAR_HEIGHT);
}

/* The list of surfaces as it is now. */
static void look_at_surfaces(struct tdm_screen_window *w)
{
    struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX];
    int count = (int)w->source.surfaces(w->source.arg, list);
    bool news = count != w->count;

    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++) {
        struct tdm_screen_copy *c = &w->copies[i];
        bool same = i < count && c->surface.id == list[i].id && c->surface.width == list[i].width &&
                    c->surface.height == list[i].height;

        news = news ||
               (i < count && (!same || c->surface.x != list[i].x || c->surface.y != list[i].y));
        if (!same)
            forget_copy(w, c);
        if (i < count)
            c->surface = list[i];
    }
    w->count = count;
    if (!news)
        return;
    /* Also those that had no room before. */
    for (int i = 0; i < count; i++)
        if (!w->copies[i].picture)
            make_copy(w, &w->copies[i]);
    tdm_screen_window_arrange(w);
    if (count && !w->sized)
        size_to(w);
}

static void put(struct tdm_screen_window *w, const struct tdm_screen_copy *c,
                const struct tdm_share_picture *picture, struct tdm_rect r)
{
    tdm_x_pixels_put(&w->pixels, c->pixmap, picture->pixels, picture->stride, r);
    r.x += c->surface.x;
    r.y += c->surface.y;
    tdm_screen_window_dirty(w, tdm_viewport_to_window(&w->viewport, r));
}

static void take_picture(struct tdm_screen_window *w, struct tdm_screen_copy *c)
{
    struct tdm_share_picture picture;

    if (!c->picture || !w->source.take(w->source.arg, c->surface.id, !c->known, &picture))
        return;
    if (picture.surface.width == c->surface.width && picture.surface.height == c->surface.height) {
        cairo_surface_flush(c->picture);
        if (!c->known)
            put(w, c, &picture,
                (struct tdm_rect){0, 0, picture.surface.width, picture.surface.height});
        for (uint32_t i = 0; c->known && i < picture.damage_count; i++)
            put(w, c, &picture, picture.damage[i]);
        cairo_surface_mark_dirty(c->picture);
        if (picture.exact != c->exact || !c->known)
            tdm_screen_window_dirty(w, tdm_screen_window_bar(w));
        c->known = true;
        c->exact = picture.exact;
    }
    w->source.give_back(w->source.arg);
}

static void multiply_alpha(uint8_t *pixels, size_t count)
{
    for (size_t i = 0; i < count; i++, pixels += 4)
        for (int k = 0; k < 3; k++)
            pixels[k] = (uint8_t)((pixels[k] * pixels[3] + 127) / 255);
}

static void take_pointer(struct tdm_screen_window *w)
{
    struct tdm_share_pointer pointer;
    uint8_t pixels[TDM_SHARE_SHAPE_BYTES];

    if (!w->source.pointer(w->source.arg, &pointer, pixels))
        return;
    if (pointer.number != w->pointer.number && pointer.shape.width) {
        size_t count = (size_t)pointer.shape.width * pointer.shape.height;

        memcpy(w->pointer_pixels, pixels, count * 4);
        multiply_alpha(w->pointer_pixels, count);
        tdm_screen_window_dirty(w, w->pointer_drawn);
    }
    w->pointer = pointer;
}

/* Where our pointer acts it has the shape of the host's, so that it follows the hand at once. */
static void take_shape(struct tdm_screen_window *w, bool acts)
{
    uint32_t wanted = acts && !w->ghost && w->pointer.shape.width ? w->pointer.number : 0;

    if (wanted == w->cursor_number)
        return;
    Cursor before = w->cursor;

    w->cursor_number = wanted;
    w->cursor = None;
    if (wanted) {
        const struct tdm_screen_cursor *shape = &w->pointer.shape;
        XcursorImage *image = XcursorImageCreate(shape->width, shape->height);

        if (image) {
            image->xhot = shape->hot_x;
            image->yhot = shape->hot_y;
            memcpy(image->pixels, w->pointer_pixels, (size_t)shape->width * shape->height * 4);
            w->cursor = XcursorImageLoadCursor(w->display, image);
            XcursorImageDestroy(image);
        }
    }
    (void)XDefineCursor(w->display, w->window, w->cursor);
    if (before)
        (void)XFreeCursor(w->display, before);
}

static void refresh(struct tdm_screen_window *w)
{
    char title[2 * TDM_SCREEN_TEXT_MAX + 8] = "", text[TDM_SCREEN_TEXT_MAX];

    pthread_mutex_lock(&w->lock);
    if (w->text_news)
        (void)snprintf(title, sizeof title, "%s%s%s", w->title, *w->text ? " - " : "", w->text);
    memcpy(text, w->text, sizeof text);
    bool acts = w->acts, news = w->text_news || w->acts_news;

    w->text_news = w->acts_news = false;
    pthread_mutex_unlock(&w->lock);
    if (*title)
        (void)XStoreName(w->display, w->window, title);
    if (news)
        tdm_screen_window_dirty_all(w);
    look_at_surfaces(w);
    for (int i = 0; i < w->count; i++)
        take_picture(w, &w->copies[i]);
    for (int i = 0; w->source.ink && i < w->count; i++)
        tdm_screen_window_take_ink(w, &w->copies[i]);
    take_pointer(w);
    take_shape(w, acts);
    tdm_screen_window_paint(w, acts, text);
    tdm_x_pixels_settle(&w->pixels);
}

static void *run(void *arg)
{
    struct tdm_screen_window *w = arg;
    XEvent event;

    while (!atomic_load(&w->stop)) {
        while (!w->broken && !w->gone && XPending(w->display)) {
            (void)XNextEvent(w->display, &event);
            tdm_screen_window_take(w, &event);
        }
        tdm_wake_clear(w->source.fd);
        if (!w->broken && !w->gone)
            refresh(w);
        w->gone = w->gone || tdm_x_errors_take(TDM_X_WINDOW_GONE);
        if ((w->broken || w->gone) && !w->told_closed) {
            w->told_closed = true;
            w->source.closed(w->source.arg);
        }
        if (w->broken || w->gone)
            (void)tdm_wait_until(TDM_NEVER, w->wake, -1);
        else if (!XPending(w->display))
            (void)tdm_wait_until(TDM_NEVER, w->source.fd, ConnectionNumber(w->display));
    }
    return NULL;
}

static void make_window(struct tdm_screen_window *w)
{
    int screen = DefaultScreen(w->display);

    w->width = FIRST_WIDTH;
    w->height = FIRST_HEIGHT;
    w->window = XCreateSimpleWindow(w->display, DefaultRootWindow(w->display), 0, 0, FIRST_WIDTH,
                                    FIRST_HEIGHT, 0, 0, 0);
    /* Whatever is uncovered is drawn by us: no flash of a background before it. */
    (void)XSetWindowBackgroundPixmap(w->display, w->window, None);
    (void)XSelectInput(w->display, w->window,
                       KeyPressMask | KeyReleaseMask | ButtonPressMask | ButtonReleaseMask |
                           PointerMotionMask | EnterWindowMask | LeaveWindowMask | FocusChangeMask |
                           ExposureMask | StructureNotifyMask);
    w->gc = XCreateGC(w->display, w->window, GCGraphicsExposures,
                      &(XGCValues){.graphics_exposures = False});
    tdm_x_pixels_open(&w->pixels, w->display, w->gc, SHARED_BYTES);
    w->wm_delete = XInternAtom(w->display, "WM_DELETE_WINDOW", False);
    w->wm_state = XInternAtom(w->display, "_NET_WM_STATE", False);
    w->wm_full_screen = XInternAtom(w->display, "_NET_WM_STATE_FULLSCREEN", False);
    w->wm_check = XInternAtom(w->display, "_NET_SUPPORTING_WM_CHECK", False);
    (void)XSetWMProtocols(w->display, w->window, &w->wm_delete, 1);
    w->canvas = cairo_xlib_surface_create(w->display, w->window, DefaultVisual(w->display, screen),
                                          FIRST_WIDTH, FIRST_HEIGHT);
    tdm_viewport_init(&w->viewport);
    w->chosen = -1;
    (void)XMapWindow(w->display, w->window);
    (void)XFlush(w->display);
}

static void free_window(struct tdm_screen_window *w)
{
    if (w->display && !w->broken) {
        for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
            forget_copy(w, &w->copies[i]);
        if (w->canvas)
            cairo_surface_destroy(w->canvas);
        tdm_x_pixels_close(&w->pixels);
        (void)XCloseDisplay(w->display);
    }
    tdm_x_pixels_forget(&w->pixels);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

enum tdm_err tdm_screen_window_open(struct tdm_screen_window **window, const char *display,
                                    const char *title,
                                    const struct tdm_screen_window_source *source,
                                    struct tdm_cause *cause)
{
    struct tdm_screen_window *w = calloc(1, sizeof *w);

    *window = NULL;
    if (!w)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for a window");
    w->source = *source;
    w->text_news = true;
    (void)snprintf(w->title, sizeof w->title, "%s", title);
    (void)pthread_mutex_init(&w->lock, NULL);
    w->wake = source->fd;
    w->display = XOpenDisplay(display);
    enum tdm_err err = TDM_OK;

    if (!w->display)
        err = tdm_fail(cause, TDM_E_GONE,
                       "cannot open a window on display \"%.60s\": set DISPLAY to one that runs",
                       XDisplayName(display));
    if (err == TDM_OK) {
        tdm_x_errors_catch(w->display, on_lost, w);
        make_window(w);
        err =
            tdm_thread_start(&w->thread, "screen-window", TDM_PRIORITY_NORMAL, run, w, NULL, cause);
    }
    if (err != TDM_OK) {
        free_window(w);
        return err;
    }
    *window = w;
    return TDM_OK;
}

void tdm_screen_window_close(struct tdm_screen_window *w)
{
    if (!w)
        return;
    atomic_store(&w->stop, true);
    tdm_wake_signal(w->wake);
    (void)pthread_join(w->thread, NULL);
    free_window(w);
}

void tdm_screen_window_say(struct tdm_screen_window *w, const char *text, bool acts)
{
    pthread_mutex_lock(&w->lock);
    (void)snprintf(w->text, sizeof w->text, "%s", text);
    w->text_news = true;
    w->acts_news = w->acts_news || w->acts != acts;
    w->acts = acts;
    pthread_mutex_unlock(&w->lock);
    tdm_wake_signal(w->wake);
}
