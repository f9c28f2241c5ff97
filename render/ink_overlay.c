/* SPDX-License-Identifier: MIT */
#include "render/ink_overlay.h"

#include "render/x_errors.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/shape.h>
#include <stdlib.h>
#include <string.h>

#define HALF 128 /* Opacity from which a pixel is ink. */

struct tdm_ink_overlay {
    Display *display;
    Window root, window;
    Pixmap picture; /* The window's background: the server draws it, however busy we are. */
    GC gc;
    int width, height;
    bool mapped, broken, gone, has_shape;
    XRectangle *shape; /* Of what is being put together. */
    size_t shape_count, shape_room;
};

static void on_lost(Display *display, void *arg)
{
    struct tdm_ink_overlay *o = arg;

    (void)display;
    o->broken = true;
}

static void make_picture(struct tdm_ink_overlay *o, int width, int height)
{
    if (o->picture)
        XFreePixmap(o->display, o->picture);
    o->width = width;
    o->height = height;
    o->picture = XCreatePixmap(o->display, o->window, (unsigned)width, (unsigned)height,
                               (unsigned)DefaultDepth(o->display, DefaultScreen(o->display)));
}

static void make_window(struct tdm_ink_overlay *o)
{
    int screen = DefaultScreen(o->display);
    XSetWindowAttributes attributes = {.override_redirect = True,
                                       .event_mask = VisibilityChangeMask | StructureNotifyMask};
    XClassHint hint = {.res_name = (char[]){"tandem-ink"}, .res_class = (char[]){"Tandem"}};

    o->root = RootWindow(o->display, screen);
    o->window =
        XCreateWindow(o->display, o->root, 0, 0, (unsigned)DisplayWidth(o->display, screen),
                      (unsigned)DisplayHeight(o->display, screen), 0, CopyFromParent, InputOutput,
                      CopyFromParent, CWOverrideRedirect | CWEventMask, &attributes);
    XStoreName(o->display, o->window, "Tandem: annotations");
    XSetClassHint(o->display, o->window, &hint);
    XSelectInput(o->display, o->root, StructureNotifyMask);
    o->gc = XCreateGC(o->display, o->window, 0, NULL);
    make_picture(o, DisplayWidth(o->display, screen), DisplayHeight(o->display, screen));
    /* Nothing of it takes input, ever. */
    XShapeCombineRectangles(o->display, o->window, ShapeInput, 0, 0, NULL, 0, ShapeSet, Unsorted);
}

enum tdm_err tdm_ink_overlay_create(struct tdm_ink_overlay **overlay, const char *display,
                                    uint32_t window, struct tdm_cause *cause)
{
    struct tdm_ink_overlay *o = calloc(1, sizeof *o);
    int event, error;

    *overlay = NULL;
    if (!o)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for annotations");
    o->display = XOpenDisplay(display);
    if (!o->display) {
        free(o);
        return tdm_fail(cause, TDM_E_GONE, "cannot open display \"%.60s\": set DISPLAY",
                        display ? display : "");
    }
    tdm_x_errors_catch(o->display, on_lost, o);
    o->has_shape = XShapeQueryExtension(o->display, &event, &error);
    if (!o->has_shape) {
        tdm_ink_overlay_destroy(o);
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "the display has no shaped windows: annotations are not shown on it");
    }
    make_window(o);
    if (window)
        XSetTransientForHint(o->display, o->window, window);
    XFlush(o->display);
    *overlay = o;
    return TDM_OK;
}

void tdm_ink_overlay_destroy(struct tdm_ink_overlay *o)
{
    if (!o)
        return;
    if (!o->broken) {
        if (o->gc)
            (void)XFreeGC(o->display, o->gc);
        (void)XCloseDisplay(o->display);
    }
    free(o->shape);
    free(o); /* Of a dead connection libX11's own part stays: closing it would end the process. */
}

int tdm_ink_overlay_fd(const struct tdm_ink_overlay *o)
{
    return o->broken ? -1 : ConnectionNumber(o->display);
}

bool tdm_ink_overlay_step(struct tdm_ink_overlay *o)
{
    XEvent event;

    while (!o->broken && XPending(o->display)) {
        XNextEvent(o->display, &event);
        if (event.type == DestroyNotify && event.xdestroywindow.window == o->window) {
            o->gone = true;
        } else if (event.type == ConfigureNotify && event.xconfigure.window == o->root) {
            XResizeWindow(o->display, o->window, (unsigned)event.xconfigure.width,
                          (unsigned)event.xconfigure.height);
            make_picture(o, event.xconfigure.width, event.xconfigure.height);
        }
    }
    o->gone = o->gone || tdm_x_errors_take(TDM_X_WINDOW_GONE);
    return !o->broken && !o->gone;
}

size_t tdm_ink_spans(const struct tdm_ink_sheet *sheet, int x, int y, struct tdm_ink_span *spans,
                     size_t max)
{
    struct tdm_rect extent = tdm_ink_sheet_extent(sheet);
    int stride;
    const uint8_t *pixels = tdm_ink_sheet_pixels(sheet, &stride);
    size_t count = 0;

    for (int row = extent.y; row < extent.y + extent.height; row++) {
        const uint32_t *line = (const void *)(pixels + (ptrdiff_t)row * stride);

        for (int at = extent.x, end; at < extent.x + extent.width && count < max; at = end) {
            for (end = at; end < extent.x + extent.width && line[end] >> 24 >= HALF; end++)
                ;
            if (end > at)
                spans[count++] = (struct tdm_ink_span){(int16_t)(x + at), (int16_t)(y + row),
                                                       (uint16_t)(end - at)};
            else
                end++;
        }
    }
    return count;
}

void tdm_ink_overlay_begin(struct tdm_ink_overlay *o)
{
    o->shape_count = 0;
}

static bool shape_room(struct tdm_ink_overlay *o, size_t more)
{
    size_t room = o->shape_count + more;

    if (room <= o->shape_room)
        return true;
    XRectangle *shape = realloc(o->shape, 2 * room * sizeof *shape);

    if (!shape)
        return false;
    o->shape = shape;
    o->shape_room = 2 * room;
    return true;
}

/* Half transparent edges get their own colour. */
static uint32_t opaque(uint32_t pixel)
{
    uint32_t alpha = pixel >> 24, colour = 0;

    for (int shift = 0; alpha && shift < 24; shift += 8) {
        uint32_t part = ((pixel >> shift & 255) * 255 + alpha / 2) / alpha;

        colour |= (part > 255 ? 255 : part) << shift;
    }
    return colour;
}

static void put_pixels(struct tdm_ink_overlay *o, const struct tdm_ink_sheet *sheet, int x, int y)
{
    struct tdm_rect r = tdm_ink_sheet_extent(sheet);
    int screen = DefaultScreen(o->display), stride;
    const uint8_t *pixels = tdm_ink_sheet_pixels(sheet, &stride);
    uint32_t *copy = malloc((size_t)r.width * (size_t)r.height * sizeof *copy);
    XImage *image = copy ? XCreateImage(o->display, DefaultVisual(o->display, screen),
                                        (unsigned)DefaultDepth(o->display, screen), ZPixmap, 0,
                                        (char *)copy, (unsigned)r.width, (unsigned)r.height, 32, 0)
                         : NULL;

    for (int row = 0; image && row < r.height; row++) {
        const uint32_t *from = (const void *)(pixels + (ptrdiff_t)(r.y + row) * stride);

        for (int at = 0; at < r.width; at++)
            copy[row * r.width + at] = opaque(from[r.x + at]);
    }
    if (image && image->bits_per_pixel == 32)
        XPutImage(o->display, o->picture, o->gc, image, 0, 0, x + r.x, y + r.y, (unsigned)r.width,
                  (unsigned)r.height);
    if (image) {
        image->data = NULL;
        XDestroyImage(image);
    }
    free(copy);
}

void tdm_ink_overlay_put(struct tdm_ink_overlay *o, const struct tdm_ink_sheet *sheet, int x, int y,
                         const struct tdm_ink_span *spans, size_t count)
{
    if (o->broken || o->gone || !count || !shape_room(o, count))
        return;
    put_pixels(o, sheet, x, y);
    for (size_t i = 0; i < count; i++)
        o->shape[o->shape_count++] =
            (XRectangle){.x = spans[i].x, .y = spans[i].y, .width = spans[i].width, .height = 1};
}

void tdm_ink_overlay_end(struct tdm_ink_overlay *o)
{
    if (o->broken || o->gone)
        return;
    if (o->shape_count) {
        XSetWindowBackgroundPixmap(o->display, o->window, o->picture);
        XShapeCombineRectangles(o->display, o->window, ShapeBounding, 0, 0, o->shape,
                                (int)o->shape_count, ShapeSet, Unsorted);
        XMapRaised(o->display, o->window);
        XClearWindow(o->display, o->window);
    } else if (o->mapped) {
        XUnmapWindow(o->display, o->window);
    }
    o->mapped = o->shape_count > 0;
    XSync(o->display, False);
}
