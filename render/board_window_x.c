/* SPDX-License-Identifier: MIT */
/* The window at the X server: its connection, its pixels, its pointer. */
#include "render/board_window_state.h"
#include "render/x_errors.h"

#include <X11/Xatom.h>
#include <X11/Xcursor/Xcursor.h>
#include <X11/Xutil.h>
#include <X11/cursorfont.h>
#include <X11/extensions/XInput2.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define FIRST_WIDTH  1280
#define FIRST_HEIGHT 800
#define ROOM_SHARE   0.92
#define DPI_WHOLE    96.0
#define SCALE_MIN    0.5
#define SCALE_MAX    4.0
#define DND_VERSION  5
#define LEAST_WIDTH  480
#define LEAST_HEIGHT 360
#define PI           3.14159265358979323846

static void on_lost(Display *display, void *arg)
{
    struct tdm_board_window *w = arg;

    (void)display;
    w->broken = true;
}

static double scale_of(Display *display)
{
    const char *dpi = XGetDefault(display, "Xft", "dpi");
    double scale = dpi ? strtod(dpi, NULL) / DPI_WHOLE : 1;

    return !(scale >= SCALE_MIN) ? 1 : scale > SCALE_MAX ? SCALE_MAX : scale;
}

static void find_atoms(struct tdm_board_window *w)
{
    const struct {
        Atom *atom;
        const char *name;
    } names[] = {{&w->atoms.wm_delete, "WM_DELETE_WINDOW"},
                 {&w->atoms.wm_state, "_NET_WM_STATE"},
                 {&w->atoms.wm_full_screen, "_NET_WM_STATE_FULLSCREEN"},
                 {&w->atoms.utf8, "UTF8_STRING"},
                 {&w->atoms.net_name, "_NET_WM_NAME"},
                 {&w->atoms.clipboard, "CLIPBOARD"},
                 {&w->atoms.targets, "TARGETS"},
                 {&w->atoms.incr, "INCR"},
                 {&w->atoms.board, "application/x-tandem-board"},
                 {&w->atoms.png, "image/png"},
                 {&w->atoms.jpeg, "image/jpeg"},
                 {&w->atoms.webp, "image/webp"},
                 {&w->atoms.svg, "image/svg+xml"},
                 {&w->atoms.uri_list, "text/uri-list"},
                 {&w->atoms.text_utf8, "text/plain;charset=utf-8"},
                 {&w->atoms.mine, "TANDEM_BOARD"},
                 {&w->atoms.drop, "XdndSelection"},
                 {&w->atoms.enter, "XdndEnter"},
                 {&w->atoms.position, "XdndPosition"},
                 {&w->atoms.status, "XdndStatus"},
                 {&w->atoms.leave, "XdndLeave"},
                 {&w->atoms.drop_now, "XdndDrop"},
                 {&w->atoms.finished, "XdndFinished"},
                 {&w->atoms.copy_action, "XdndActionCopy"},
                 {&w->atoms.type_list, "XdndTypeList"},
                 {&w->atoms.aware, "XdndAware"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        *names[i].atom = XInternAtom(w->display, names[i].name, False);
}

/* Pens and fingers come by the input extension; without it there is the pointer alone. */
static void choose_events(struct tdm_board_window *w)
{
    unsigned char bits[XIMaskLen(XI_LASTEVENT)] = {0};
    XIEventMask mask = {.deviceid = XIAllMasterDevices, .mask_len = sizeof bits, .mask = bits};
    int first_event, first_error, major = 2, minor = 2;
    long core = KeyPressMask | KeyReleaseMask | FocusChangeMask | ExposureMask |
                StructureNotifyMask | PropertyChangeMask | LeaveWindowMask;

    if (!XQueryExtension(w->display, "XInputExtension", &w->xi, &first_event, &first_error) ||
        XIQueryVersion(w->display, &major, &minor) != Success)
        w->xi = 0;
    if (!w->xi) {
        (void)XSelectInput(w->display, w->window,
                           core | ButtonPressMask | ButtonReleaseMask | PointerMotionMask);
        return;
    }
    XISetMask(bits, XI_Motion);
    XISetMask(bits, XI_ButtonPress);
    XISetMask(bits, XI_ButtonRelease);
    XISetMask(bits, XI_TouchBegin);
    XISetMask(bits, XI_TouchUpdate);
    XISetMask(bits, XI_TouchEnd);
    XISetMask(bits, XI_DeviceChanged);
    (void)XISelectEvents(w->display, w->window, &mask, 1);
    (void)XSelectInput(w->display, w->window, core);
    tdm_board_window_find_devices(w);
}

/* What composes letters: dead keys, and input methods where one runs. */
static void open_input_method(struct tdm_board_window *w)
{
    (void)XSetLocaleModifiers("");
    w->im = XOpenIM(w->display, NULL, NULL, NULL);
    if (!w->im) {
        /* The one that the environment names does not run: dead keys work without. */
        (void)XSetLocaleModifiers("@im=none");
        w->im = XOpenIM(w->display, NULL, NULL, NULL);
    }
    if (w->im)
        w->ic = XCreateIC(w->im, XNInputStyle, (XIMStyle)(XIMPreeditNothing | XIMStatusNothing),
                          XNClientWindow, w->window, XNFocusWindow, w->window, (void *)NULL);
}

/* In the order of enum tdm_board_cursor. */
static void make_cursors(struct tdm_board_window *w)
{
    static const struct {
        const char *name;
        unsigned shape;
    } table[] = {{"left_ptr", XC_left_ptr},
                 {"crosshair", XC_crosshair},
                 {"fleur", XC_fleur},
                 {"hand1", XC_hand1},
                 {"xterm", XC_xterm},
                 {"grab", XC_hand2},
                 {"exchange", XC_exchange},
                 {"grabbing", XC_fleur},
                 {"ns-resize", XC_sb_v_double_arrow},
                 {"nesw-resize", XC_bottom_left_corner},
                 {"ew-resize", XC_sb_h_double_arrow},
                 {"nwse-resize", XC_bottom_right_corner}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        w->cursors[i] = XcursorLibraryLoadCursor(w->display, table[i].name);
        if (!w->cursors[i])
            w->cursors[i] = XCreateFontCursor(w->display, table[i].shape);
    }
    /* What is drawn instead of it is enough. */
    Pixmap none = XCreateBitmapFromData(w->display, w->window, (const char[]){0}, 1, 1);
    XColor black = {.pixel = 0};

    w->cursors[TDM_CURSOR_NONE] = XCreatePixmapCursor(w->display, none, none, &black, &black, 0, 0);
    (void)XFreePixmap(w->display, none);
}

static void make_window(struct tdm_board_window *w)
{
    int screen = DefaultScreen(w->display);
    double width = (w->config.width > 0 ? w->config.width : FIRST_WIDTH) * w->scale;
    double height = (w->config.height > 0 ? w->config.height : FIRST_HEIGHT) * w->scale;
    double most_wide = DisplayWidth(w->display, screen) * ROOM_SHARE;
    double most_high = DisplayHeight(w->display, screen) * ROOM_SHARE;
    long version = DND_VERSION;
    XClassHint class = {.res_name = (char[]){"tandem-board"}, .res_class = (char[]){"Tandem"}};

    if (w->config.width <= 0 && width > most_wide)
        width = most_wide;
    if (w->config.height <= 0 && height > most_high)
        height = most_high;
    w->width = (int)width;
    w->height = (int)height;
    w->window = XCreateSimpleWindow(w->display, DefaultRootWindow(w->display), 0, 0,
                                    (unsigned)w->width, (unsigned)w->height, 0, 0, 0);
    /* Whatever is uncovered is drawn by us: no flash of a background before it. */
    (void)XSetWindowBackgroundPixmap(w->display, w->window, None);
    w->gc = XCreateGC(w->display, w->window, 0, NULL);
    (void)XStoreName(w->display, w->window, w->title);
    (void)XChangeProperty(w->display, w->window, w->atoms.net_name, w->atoms.utf8, 8,
                          PropModeReplace, (const unsigned char *)w->title, (int)strlen(w->title));
    (void)XChangeProperty(w->display, w->window, w->atoms.aware, XA_ATOM, 32, PropModeReplace,
                          (const unsigned char *)&version, 1);
    (void)XSetClassHint(w->display, w->window, &class);
    XSizeHints least = {.flags = PMinSize,
                        .min_width = (int)(LEAST_WIDTH * w->scale),
                        .min_height = (int)(LEAST_HEIGHT * w->scale)};

    XSetWMNormalHints(w->display, w->window, &least);
    (void)XSetWMProtocols(w->display, w->window, &w->atoms.wm_delete, 1);
}

/* Pixels ----------------------------------------------------------------------------------------
 */

static void forget_pixels(struct tdm_board_window *w)
{
    if (w->shown)
        cairo_surface_destroy(w->shown);
    w->shown = NULL;
    if (w->image && w->shm_used) {
        if (!w->broken)
            (void)XShmDetach(w->display, &w->shm);
        (void)shmdt(w->shm.shmaddr);
        w->image->data = NULL;
    } else if (w->image) {
        free(w->image->data);
        w->image->data = NULL;
    }
    if (w->image)
        (void)XDestroyImage(w->image);
    w->image = NULL;
    w->shm_used = false;
    free(w->base);
    w->base = NULL;
}

/* Shared with the server, where that is on this machine. */
static bool share_image(struct tdm_board_window *w, Visual *visual, unsigned depth)
{
    if (!XShmQueryExtension(w->display))
        return false;
    w->image = XShmCreateImage(w->display, visual, depth, ZPixmap, NULL, &w->shm,
                               (unsigned)w->width, (unsigned)w->height);
    if (!w->image)
        return false;
    w->shm.shmid =
        shmget(IPC_PRIVATE, (size_t)w->image->bytes_per_line * (size_t)w->height, IPC_CREAT | 0600);
    w->shm.shmaddr = w->shm.shmid < 0 ? NULL : shmat(w->shm.shmid, NULL, 0);
    if (!w->shm.shmaddr || w->shm.shmaddr == (void *)-1) { /* NOLINT: as shmat says it. */
        if (w->shm.shmid >= 0)
            (void)shmctl(w->shm.shmid, IPC_RMID, NULL);
        (void)XDestroyImage(w->image);
        w->image = NULL;
        return false;
    }
    w->shm.readOnly = False;
    w->image->data = w->shm.shmaddr;
    (void)tdm_x_errors_take(TDM_X_NO_ROOM | TDM_X_DENIED);
    (void)XShmAttach(w->display, &w->shm);
    (void)XSync(w->display, False);
    /* It stays until both sides have let go of it. */
    (void)shmctl(w->shm.shmid, IPC_RMID, NULL);
    if (tdm_x_errors_take(TDM_X_NO_ROOM | TDM_X_DENIED)) {
        (void)shmdt(w->shm.shmaddr);
        w->image->data = NULL;
        (void)XDestroyImage(w->image);
        w->image = NULL;
        return false;
    }
    w->shm_used = true;
    return true;
}

static bool plain_image(struct tdm_board_window *w, Visual *visual, unsigned depth)
{
    char *data = calloc((size_t)w->width * (size_t)w->height, 4);

    if (!data)
        return false;
    w->image = XCreateImage(w->display, visual, depth, ZPixmap, 0, data, (unsigned)w->width,
                            (unsigned)w->height, 32, w->width * 4);
    if (!w->image)
        free(data);
    return w->image; /* NOLINT(clang-analyzer-unix.Malloc): the image has them. */
}

bool tdm_board_window_resize(struct tdm_board_window *w, int width, int height)
{
    int screen = DefaultScreen(w->display);
    Visual *visual = DefaultVisual(w->display, screen);
    unsigned depth = (unsigned)DefaultDepth(w->display, screen);

    forget_pixels(w);
    w->width = width < 1 ? 1 : width;
    w->height = height < 1 ? 1 : height;
    w->base = calloc((size_t)w->width * (size_t)w->height, 4);
    if (!w->base || (!share_image(w, visual, depth) && !plain_image(w, visual, depth)))
        return false;
    w->shown =
        cairo_image_surface_create_for_data((unsigned char *)w->image->data, CAIRO_FORMAT_RGB24,
                                            w->width, w->height, w->image->bytes_per_line);
    w->all_dirty = true;
    return cairo_surface_status(w->shown) == CAIRO_STATUS_SUCCESS;
}

void tdm_board_window_present(struct tdm_board_window *w, const struct tdm_rect *rects, int count)
{
    cairo_surface_flush(w->shown);
    for (int i = 0; i < count; i++) {
        struct tdm_rect r = rects[i];

        if (w->shm_used)
            (void)XShmPutImage(w->display, w->window, w->gc, w->image, r.x, r.y, r.x, r.y,
                               (unsigned)r.width, (unsigned)r.height, False);
        else
            (void)XPutImage(w->display, w->window, w->gc, w->image, r.x, r.y, r.x, r.y,
                            (unsigned)r.width, (unsigned)r.height);
    }
    /* The next frame may write into these pixels when the server has read them. */
    (void)XSync(w->display, False);
}

/* Life ------------------------------------------------------------------------------------------
 */

enum tdm_err tdm_board_window_open(struct tdm_board_window *w, struct tdm_cause *cause)
{
    w->display = XOpenDisplay(w->config.display);
    if (!w->display)
        return tdm_fail(cause, TDM_E_GONE,
                        "cannot open a window on display \"%.60s\": set DISPLAY to one that runs",
                        XDisplayName(w->config.display));
    int screen = DefaultScreen(w->display);

    tdm_x_errors_catch(w->display, on_lost, w);
    if (DefaultDepth(w->display, screen) < 24)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "the display has %d bits a pixel, a board needs 24: use another one",
                        DefaultDepth(w->display, screen));
    w->scale = w->config.scale > 0 ? w->config.scale : scale_of(w->display);
    w->scale = w->scale < SCALE_MIN ? SCALE_MIN : w->scale > SCALE_MAX ? SCALE_MAX : w->scale;
    find_atoms(w);
    make_window(w);
    choose_events(w);
    open_input_method(w);
    make_cursors(w);
    if (!tdm_board_window_resize(w, w->width, w->height))
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for a window of %d x %d pixels", w->width,
                        w->height);
    (void)XMapWindow(w->display, w->window);
    (void)XFlush(w->display);
    return TDM_OK;
}

void tdm_board_window_close(struct tdm_board_window *w)
{
    if (!w->display)
        return;
    forget_pixels(w);
    if (w->broken)
        return; /* Closing a dead connection ends the process. */
    if (w->ic)
        XDestroyIC(w->ic);
    if (w->im)
        (void)XCloseIM(w->im);
    for (size_t i = 0; i < sizeof w->cursors / sizeof *w->cursors; i++)
        if (w->cursors[i])
            (void)XFreeCursor(w->display, w->cursors[i]);
    if (w->gc)
        (void)XFreeGC(w->display, w->gc);
    (void)XCloseDisplay(w->display);
}

/* By the way in which the handle points, as it stands turned: up, and on clockwise. */
static int sizes_of(const struct tdm_board_tools *t)
{
    static const int steps[TDM_BOARD_HANDLES] = {
        [TDM_BOARD_HANDLE_N] = 0,  [TDM_BOARD_HANDLE_NE] = 1, [TDM_BOARD_HANDLE_E] = 2,
        [TDM_BOARD_HANDLE_SE] = 3, [TDM_BOARD_HANDLE_S] = 4,  [TDM_BOARD_HANDLE_SW] = 5,
        [TDM_BOARD_HANDLE_W] = 6,  [TDM_BOARD_HANDLE_NW] = 7};

    if (t->over >= TDM_BOARD_HANDLE_BEGIN)
        return TDM_CURSOR_CROSS;
    return TDM_CURSOR_SIZES + (int)(lround(t->box.angle / (PI / 4)) + steps[t->over] + 64) % 4;
}

static int wanted_cursor(const struct tdm_board_window *w)
{
    const struct tdm_board_tools *t = w->tools;

    if (w->on_bar)
        return w->hot >= 0 ? TDM_CURSOR_POINTS : TDM_CURSOR_ARROW;
    if (t->gesture == TDM_BOARD_PANS)
        return TDM_CURSOR_HOLDS;
    if (t->gesture == TDM_BOARD_ERASES || t->tool == TDM_BOARD_TOOL_ERASER)
        return TDM_CURSOR_NONE;
    if (w->space || t->tool == TDM_BOARD_TOOL_HAND)
        return TDM_CURSOR_GRABS;
    if (t->editing.seq && t->tool <= TDM_BOARD_TOOL_SELECT)
        return TDM_CURSOR_TEXT;
    if (t->tool == TDM_BOARD_TOOL_TEXT)
        return TDM_CURSOR_TEXT;
    if (t->tool != TDM_BOARD_TOOL_SELECT)
        return TDM_CURSOR_CROSS;
    if (t->over == TDM_BOARD_HANDLE_TURN)
        return TDM_CURSOR_TURNS;
    if (t->over != TDM_BOARD_HANDLE_NONE)
        return sizes_of(t);
    return t->over_box || t->gesture == TDM_BOARD_MOVES ? TDM_CURSOR_MOVE : TDM_CURSOR_ARROW;
}

void tdm_board_window_set_cursor(struct tdm_board_window *w)
{
    int wanted = wanted_cursor(w);

    if (wanted == w->cursor)
        return;
    w->cursor = wanted;
    (void)XDefineCursor(w->display, w->window, w->cursors[wanted]);
}

void tdm_board_window_set_full(struct tdm_board_window *w, bool full_screen)
{
    XEvent event = {.xclient = {.type = ClientMessage,
                                .window = w->window,
                                .message_type = w->atoms.wm_state,
                                .format = 32,
                                .data.l = {full_screen, (long)w->atoms.wm_full_screen, 0, 1}}};

    w->full_screen = full_screen;
    (void)XSendEvent(w->display, DefaultRootWindow(w->display), False,
                     SubstructureRedirectMask | SubstructureNotifyMask, &event);
}
