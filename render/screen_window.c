/* SPDX-License-Identifier: MIT */
#include "render/screen_window.h"

#include "collab/control_keys.h"
#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX     128
#define WHEEL_FIRST  4 /* Buttons 4 to 7 are the wheel's. */
#define WHEEL_LAST   7
#define NOTCH        120
#define FIRST_WIDTH  1024
#define FIRST_HEIGHT 640

struct tdm_screen_window {
    struct tdm_screen_window_source source;
    pthread_t thread;
    _Atomic bool stop;
    int wake;

    Display *display;
    Window window;
    GC gc;
    Atom wm_delete;
    Cursor cursor; /* The host's, or ours. */
    XImage image;  /* A view of whatever picture is out. */
    uint8_t surface;
    struct tdm_screen_surface shown;
    bool broken, told_closed, redraw;

    pthread_mutex_t lock; /* Of what follows. */
    bool text_news;
    char title[TEXT_MAX], text[TEXT_MAX];
};

static int on_io_error(Display *display)
{
    (void)display;
    return 0;
}

static void on_lost(Display *display, void *arg)
{
    struct tdm_screen_window *w = arg;

    (void)display;
    w->broken = true;
}

static uint16_t mods_of(unsigned state)
{
    static const struct {
        unsigned x;
        uint16_t mod;
    } table[] = {{ShiftMask, TDM_MOD_SHIFT}, {ControlMask, TDM_MOD_CTRL}, {Mod1Mask, TDM_MOD_ALT},
                 {Mod4Mask, TDM_MOD_SUPER},  {Mod5Mask, TDM_MOD_ALTGR},   {LockMask, TDM_MOD_CAPS},
                 {Mod2Mask, TDM_MOD_NUM}};
    uint16_t mods = 0;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        mods |= state & table[i].x ? table[i].mod : 0;
    return mods;
}

static void tell(struct tdm_screen_window *w, const struct tdm_control_view_in *in)
{
    w->source.input(w->source.arg, in);
}

/* Latin and Unicode symbols as text; what an input method makes is for later. */
static void take_key(struct tdm_screen_window *w, XKeyEvent *event)
{
    char text[32];
    KeySym symbol = NoSymbol;
    bool down = event->type == KeyPress;
    int size = XLookupString(event, text, sizeof text, &symbol, NULL);
    uint16_t evdev = (uint16_t)(event->keycode - TDM_X_FROM_EVDEV);
    uint16_t mods = mods_of(event->state);
    uint16_t own = tdm_key_mod_of_keysym((uint32_t)symbol);

    /* X tells the state before the event. */
    if (own & TDM_MODS_HELD)
        mods = (uint16_t)(down ? mods | own : mods & ~own);
    if (own & TDM_MODS_LOCKS && down)
        mods ^= own;
    if (size < 0 || !down || (size == 1 && ((unsigned char)text[0] < ' ' || text[0] == 127)))
        size = 0;
    if (size == 1 && (unsigned char)text[0] >= 0x80) { /* XLookupString speaks Latin-1. */
        text[1] = (char)(0x80 | ((unsigned char)text[0] & 0x3f));
        text[0] = (char)(0xc0 | (unsigned char)text[0] >> 6);
        size = 2;
    }
    tell(w, &(struct tdm_control_view_in){.kind = TDM_VIEW_KEY,
                                          .key = {.evdev = evdev,
                                                  .press = down ? TDM_PRESS_DOWN : TDM_PRESS_UP,
                                                  .keysym = (uint32_t)symbol,
                                                  .mods = mods,
                                                  .text = text,
                                                  .size = (uint32_t)size}});
}

/* A pixel's middle in 65536ths of the side. */
static uint16_t part_of(int at, int side)
{
    int64_t inside = at < 0 ? 0 : at >= side ? side - 1 : at;

    return (uint16_t)((inside * 65536 + 32768) / (side ? side : 1));
}

static struct tdm_control_record place(const struct tdm_screen_window *w, int x, int y)
{
    return (struct tdm_control_record){
        .surface = w->surface, .x = part_of(x, w->shown.width), .y = part_of(y, w->shown.height)};
}

static void take_button(struct tdm_screen_window *w, const XButtonEvent *event)
{
    struct tdm_control_view_in in = {.kind = TDM_VIEW_BUTTON,
                                     .record = place(w, event->x, event->y)};
    bool down = event->type == ButtonPress;

    if (event->button >= WHEEL_FIRST && event->button <= WHEEL_LAST) {
        if (!down)
            return;
        in.kind = TDM_VIEW_WHEEL;
        in.record.dy = (int16_t)(event->button == 4 ? -NOTCH : event->button == 5 ? NOTCH : 0);
        in.record.dx = (int16_t)(event->button == 6 ? -NOTCH : event->button == 7 ? NOTCH : 0);
    } else {
        in.record.button =
            (uint8_t)(event->button > WHEEL_LAST ? event->button - 4 : event->button);
        in.record.press = down ? TDM_PRESS_DOWN : TDM_PRESS_UP;
        in.record.mods = mods_of(event->state);
    }
    tell(w, &in);
}

static void take_event(struct tdm_screen_window *w, XEvent *event)
{
    switch (event->type) {
    case KeyPress:
    case KeyRelease:
        take_key(w, &event->xkey);
        break;
    case ButtonPress:
    case ButtonRelease:
        take_button(w, &event->xbutton);
        break;
    case MotionNotify:
        tell(w, &(struct tdm_control_view_in){
                    .kind = TDM_VIEW_MOVE, .record = place(w, event->xmotion.x, event->xmotion.y)});
        break;
    case FocusIn:
    case FocusOut:
        tell(w, &(struct tdm_control_view_in){
                    .kind = TDM_VIEW_FOCUS,
                    .record = {.press = event->type == FocusIn ? TDM_PRESS_DOWN : TDM_PRESS_UP}});
        break;
    case Expose:
        w->redraw = true;
        break;
    case MappingNotify:
        XRefreshKeyboardMapping(&event->xmapping);
        break;
    case ClientMessage:
        if ((Atom)event->xclient.data.l[0] == w->wm_delete && !w->told_closed) {
            w->told_closed = true;
            w->source.closed(w->source.arg);
        }
        break;
    default:
        break;
    }
}

static void put(struct tdm_screen_window *w, const struct tdm_share_picture *picture,
                struct tdm_rect r)
{
    int screen = DefaultScreen(w->display);

    w->image = (XImage){.width = picture->surface.width,
                        .height = picture->surface.height,
                        .format = ZPixmap,
                        .data = (char *)(uintptr_t)picture->pixels,
                        .byte_order = LSBFirst,
                        .bitmap_unit = 32,
                        .bitmap_bit_order = LSBFirst,
                        .bitmap_pad = 32,
                        .depth = DefaultDepth(w->display, screen),
                        .bytes_per_line = (int)picture->stride,
                        .bits_per_pixel = 32};
    if (XInitImage(&w->image))
        XPutImage(w->display, w->window, w->gc, &w->image, r.x, r.y, r.x, r.y, (unsigned)r.width,
                  (unsigned)r.height);
}

static void draw(struct tdm_screen_window *w)
{
    struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX];
    struct tdm_share_picture picture;
    uint32_t count = w->source.surfaces(w->source.arg, list);

    if (!count)
        return;
    w->surface = list[0].id;
    if (!w->source.take(w->source.arg, w->surface, w->redraw, &picture))
        return;
    if (picture.surface.width != w->shown.width || picture.surface.height != w->shown.height)
        XResizeWindow(w->display, w->window, picture.surface.width, picture.surface.height);
    w->shown = picture.surface;
    if (w->redraw)
        put(w, &picture, (struct tdm_rect){0, 0, picture.surface.width, picture.surface.height});
    for (uint32_t i = 0; !w->redraw && i < picture.damage_count; i++)
        put(w, &picture, picture.damage[i]);
    w->redraw = false;
    w->source.give_back(w->source.arg);
}

static void show_title(struct tdm_screen_window *w)
{
    char title[2 * TEXT_MAX + 8] = "";

    pthread_mutex_lock(&w->lock);
    if (w->text_news)
        (void)snprintf(title, sizeof title, "%s%s%s", w->title, *w->text ? " - " : "", w->text);
    w->text_news = false;
    pthread_mutex_unlock(&w->lock);
    if (*title)
        XStoreName(w->display, w->window, title);
}

static void *run(void *arg)
{
    struct tdm_screen_window *w = arg;
    XEvent event;

    while (!atomic_load(&w->stop)) {
        while (!w->broken && XPending(w->display)) {
            XNextEvent(w->display, &event);
            take_event(w, &event);
        }
        tdm_wake_clear(w->source.fd);
        if (!w->broken) {
            show_title(w);
            draw(w);
            XFlush(w->display);
        } else if (!w->told_closed) {
            w->told_closed = true;
            w->source.closed(w->source.arg);
        }
        if (w->broken)
            (void)tdm_wait_until(TDM_NEVER, w->wake, -1);
        else if (!XPending(w->display))
            (void)tdm_wait_until(TDM_NEVER, w->source.fd, ConnectionNumber(w->display));
    }
    return NULL;
}

static void make_window(struct tdm_screen_window *w)
{
    w->window = XCreateSimpleWindow(w->display, DefaultRootWindow(w->display), 0, 0, FIRST_WIDTH,
                                    FIRST_HEIGHT, 0, 0, 0x202020);
    XSelectInput(w->display, w->window,
                 KeyPressMask | KeyReleaseMask | ButtonPressMask | ButtonReleaseMask |
                     PointerMotionMask | FocusChangeMask | ExposureMask | StructureNotifyMask);
    w->gc = XCreateGC(w->display, w->window, 0, NULL);
    w->wm_delete = XInternAtom(w->display, "WM_DELETE_WINDOW", False);
    (void)XSetWMProtocols(w->display, w->window, &w->wm_delete, 1);
    XMapWindow(w->display, w->window);
    XFlush(w->display);
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
    w->redraw = w->text_news = true;
    (void)snprintf(w->title, sizeof w->title, "%s", title);
    (void)pthread_mutex_init(&w->lock, NULL);
    w->wake = source->fd;
    w->display = XOpenDisplay(display);
    enum tdm_err err = TDM_OK;

    if (!w->display)
        err = tdm_fail(cause, TDM_E_GONE, "cannot open a window on display \"%.60s\": set DISPLAY",
                       display ? display : "");
    if (err == TDM_OK) {
        (void)XSetIOErrorHandler(on_io_error);
        XSetIOErrorExitHandler(w->display, on_lost, w);
        make_window(w);
        err =
            tdm_thread_start(&w->thread, "screen-window", TDM_PRIORITY_NORMAL, run, w, NULL, cause);
    }
    if (err != TDM_OK) {
        if (w->display)
            (void)XCloseDisplay(w->display);
        (void)pthread_mutex_destroy(&w->lock);
        free(w);
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
    if (!w->broken)
        (void)XCloseDisplay(w->display);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

void tdm_screen_window_say(struct tdm_screen_window *w, const char *text)
{
    pthread_mutex_lock(&w->lock);
    (void)snprintf(w->text, sizeof w->text, "%s", text);
    w->text_news = true;
    pthread_mutex_unlock(&w->lock);
    tdm_wake_signal(w->wake);
}
