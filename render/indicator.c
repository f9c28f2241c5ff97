/* SPDX-License-Identifier: MIT */
#include "render/indicator.h"

#include "render/x_errors.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/Xrandr.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FONT      "DejaVu Sans, Sans Bold 13px"
#define PADDING_X 14
#define PADDING_Y 6
#define TEXT_MAX  256
#define HAND      25 /* Sides of the ghost hand's mark. */
/* Two that want to be on top raise each other no more often than this. */
#define RAISE_EVERY (50 * TDM_MS)

struct tdm_indicator {
    Display *display;
    Window root, bar, hand;
    int randr_event;       /* The first of its events, or -1. */
    struct tdm_rect place; /* Of the monitor that the bar is on. */
    bool shown, strong, covered, broken, gone;
    tdm_time raised_at, hand_until;
    struct tdm_rect area;
    char text[TEXT_MAX];
};

static void on_lost(Display *display, void *arg)
{
    struct tdm_indicator *i = arg;

    (void)display;
    i->broken = true;
}

static Window make_window(struct tdm_indicator *i, int width, int height, unsigned long colour,
                          long events)
{
    XSetWindowAttributes attributes = {
        .override_redirect = True, .background_pixel = colour, .event_mask = events};

    return XCreateWindow(i->display, i->root, 0, 0, (unsigned)width, (unsigned)height, 0,
                         CopyFromParent, InputOutput, CopyFromParent,
                         CWOverrideRedirect | CWBackPixel | CWEventMask, &attributes);
}

/* The primary monitor, else the first, else all there is. */
static void find_place(struct tdm_indicator *i)
{
    int count = 0, chosen = 0;
    XRRMonitorInfo *monitors =
        i->randr_event >= 0 ? XRRGetMonitors(i->display, i->root, True, &count) : NULL;
    XWindowAttributes all;

    for (int k = count - 1; k >= 0; k--)
        chosen = monitors[k].primary ? k : chosen;
    if (count > 0) {
        const XRRMonitorInfo *m = &monitors[chosen];

        i->place = (struct tdm_rect){m->x, m->y, m->width, m->height};
    } else if (XGetWindowAttributes(i->display, i->root, &all)) {
        i->place = (struct tdm_rect){0, 0, all.width, all.height};
    }
    if (monitors)
        XRRFreeMonitors(monitors);
}

static void watch_monitors(struct tdm_indicator *i)
{
    int error, major, minor;

    XSelectInput(i->display, i->root, StructureNotifyMask);
    if (!XRRQueryExtension(i->display, &i->randr_event, &error) ||
        !XRRQueryVersion(i->display, &major, &minor) || (major == 1 && minor < 5))
        i->randr_event = -1;
    else
        XRRSelectInput(i->display, i->root,
                       RRScreenChangeNotifyMask | RRCrtcChangeNotifyMask |
                           RROutputChangeNotifyMask);
    find_place(i);
}

enum tdm_err tdm_indicator_create(struct tdm_indicator **indicator, const char *display,
                                  struct tdm_cause *cause)
{
    struct tdm_indicator *i = calloc(1, sizeof *i);

    *indicator = NULL;
    if (!i)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the indicator");
    i->display = XOpenDisplay(display);
    if (!i->display) {
        free(i);
        return tdm_fail(cause, TDM_E_GONE, "cannot open display \"%.60s\": set DISPLAY",
                        display ? display : "");
    }
    tdm_x_errors_catch(i->display, on_lost, i);
    i->root = DefaultRootWindow(i->display);
    i->hand_until = TDM_NEVER;
    watch_monitors(i);
    i->bar = make_window(
        i, 1, 1, 0, ExposureMask | ButtonPressMask | VisibilityChangeMask | StructureNotifyMask);
    i->hand = make_window(i, HAND, HAND, 0xff2a00, 0);
    XStoreName(i->display, i->bar, "Tandem: your screen is seen");
    *indicator = i;
    return TDM_OK;
}

void tdm_indicator_destroy(struct tdm_indicator *i)
{
    if (!i)
        return;
    if (!i->broken)
        (void)XCloseDisplay(i->display);
    free(i); /* Of a dead connection libX11's own part stays: closing it would end the process. */
}

int tdm_indicator_fd(const struct tdm_indicator *i)
{
    return i->broken ? -1 : ConnectionNumber(i->display);
}

/* In more than one line where the screen is narrow. */
static PangoLayout *lay_out(cairo_t *cr, const char *text, int width_max)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string(FONT);

    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    pango_layout_set_width(layout, (width_max - 2 * PADDING_X) * PANGO_SCALE);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_font_description_free(font);
    return layout;
}

static cairo_surface_t *paint(const struct tdm_indicator *i, int width_max)
{
    cairo_surface_t *probe = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 8, 8);
    cairo_t *cr = cairo_create(probe);
    PangoLayout *layout = lay_out(cr, i->text, width_max);
    int width, height;

    pango_layout_get_pixel_size(layout, &width, &height);
    g_object_unref(layout);
    cairo_destroy(cr);
    cairo_surface_destroy(probe);
    width += 2 * PADDING_X;
    cairo_surface_t *surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, width < width_max ? width : width_max, height + 2 * PADDING_Y);

    cr = cairo_create(surface);
    if (i->strong)
        cairo_set_source_rgb(cr, 0.75, 0.1, 0.05);
    else
        cairo_set_source_rgb(cr, 0.05, 0.25, 0.6);
    cairo_paint(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, PADDING_X, PADDING_Y);
    layout = lay_out(cr, i->text, width_max);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    return surface;
}

/* To the middle of the monitor's top, as large as its text. */
static void draw(struct tdm_indicator *i)
{
    int screen = DefaultScreen(i->display);
    cairo_surface_t *surface = paint(i, i->place.width);
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    XImage *image = XCreateImage(i->display, DefaultVisual(i->display, screen),
                                 (unsigned)DefaultDepth(i->display, screen), ZPixmap, 0,
                                 (char *)cairo_image_surface_get_data(surface), (unsigned)width,
                                 (unsigned)height, 32, cairo_image_surface_get_stride(surface));

    i->area =
        (struct tdm_rect){i->place.x + (i->place.width - width) / 2, i->place.y, width, height};
    XMoveResizeWindow(i->display, i->bar, i->area.x, i->area.y, (unsigned)width, (unsigned)height);
    XMapRaised(i->display, i->bar);
    if (image && image->bits_per_pixel == 32) {
        Pixmap pixmap = XCreatePixmap(i->display, i->bar, (unsigned)width, (unsigned)height,
                                      (unsigned)image->depth);
        GC gc = XCreateGC(i->display, pixmap, 0, NULL);

        XPutImage(i->display, pixmap, gc, image, 0, 0, 0, 0, (unsigned)width, (unsigned)height);
        /* As its background the server draws it, however busy we are. */
        XSetWindowBackgroundPixmap(i->display, i->bar, pixmap);
        XClearWindow(i->display, i->bar);
        XFreeGC(i->display, gc);
        XFreePixmap(i->display, pixmap);
    }
    if (image) {
        image->data = NULL; /* The surface's. */
        XDestroyImage(image);
    }
    cairo_surface_destroy(surface);
}

void tdm_indicator_show(struct tdm_indicator *i, const char *text, bool strong)
{
    if (i->broken || (strcmp(text, i->text) == 0 && strong == i->strong))
        return;
    (void)snprintf(i->text, sizeof i->text, "%s", text);
    i->strong = strong;
    i->shown = *text;
    if (i->shown) {
        draw(i);
    } else {
        i->area = (struct tdm_rect){0, 0, 0, 0};
        XUnmapWindow(i->display, i->bar);
    }
    XFlush(i->display);
}

void tdm_indicator_point(struct tdm_indicator *i, int x, int y, tdm_time until)
{
    if (i->broken)
        return;
    i->hand_until = until;
    XMoveWindow(i->display, i->hand, x + 2,
                y + 2); /* Beside it, so that a click still gets there. */
    XMapRaised(i->display, i->hand);
    XFlush(i->display);
}

static bool is_of_monitors(const struct tdm_indicator *i, const XEvent *event)
{
    return (event->type == ConfigureNotify && event->xconfigure.window == i->root) ||
           (i->randr_event >= 0 && (event->type == i->randr_event + RRScreenChangeNotify ||
                                    event->type == i->randr_event + RRNotify));
}

static void rise(struct tdm_indicator *i, tdm_time now)
{
    if (!i->shown || !i->covered || now < i->raised_at + RAISE_EVERY)
        return;
    i->covered = false;
    i->raised_at = now;
    XRaiseWindow(i->display, i->bar);
}

enum tdm_indicator_said tdm_indicator_step(struct tdm_indicator *i, tdm_time now)
{
    enum tdm_indicator_said said = TDM_INDICATOR_NOTHING;
    bool moved = false;
    XEvent event;

    while (!i->broken && XPending(i->display)) {
        XNextEvent(i->display, &event);
        if (event.type == ButtonPress)
            said = TDM_INDICATOR_CLICK;
        else if (event.type == VisibilityNotify)
            i->covered = event.xvisibility.state != VisibilityUnobscured;
        else if (event.type == DestroyNotify)
            i->gone = true;
        else if (is_of_monitors(i, &event))
            moved = true;
    }
    if (i->broken || i->gone || tdm_x_errors_take(TDM_X_WINDOW_GONE))
        return TDM_INDICATOR_GONE;
    if (moved) {
        find_place(i);
        if (i->shown)
            draw(i);
    }
    rise(i, now);
    if (now >= i->hand_until) {
        i->hand_until = TDM_NEVER;
        XUnmapWindow(i->display, i->hand);
    }
    XFlush(i->display);
    return said;
}

tdm_time tdm_indicator_wake(const struct tdm_indicator *i)
{
    return i->shown && i->covered ? tdm_time_min(i->hand_until, i->raised_at + RAISE_EVERY)
                                  : i->hand_until;
}

struct tdm_rect tdm_indicator_area(const struct tdm_indicator *i)
{
    return i->area;
}
