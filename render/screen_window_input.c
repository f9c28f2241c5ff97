/* SPDX-License-Identifier: MIT */
/* What is done in the window: for the host, or, with Ctrl and Alt, for the window itself. */
#include "render/screen_window_state.h"

#include "collab/control_keys.h"

#include <X11/Xutil.h>
#include <X11/keysym.h>

#define WHEEL_FIRST 4 /* Buttons 4 to 7 are the wheel's. */
#define WHEEL_LAST  7
#define NOTCH       120
#define PAN_STEP    64
#define LOCAL_MASK  (ControlMask | Mod1Mask)

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

static void tell_focus(struct tdm_screen_window *w, bool has, uint16_t mods)
{
    tell(w, &(struct tdm_control_view_in){
                .kind = TDM_VIEW_FOCUS,
                .record = {.press = has ? TDM_PRESS_DOWN : TDM_PRESS_UP, .mods = mods}});
}

static void zoom(struct tdm_screen_window *w, double scale)
{
    int x = w->inside ? w->at_x : w->viewport.width / 2;
    int y = w->inside ? w->at_y : w->viewport.height / 2;

    tdm_viewport_zoom(&w->viewport, scale, x, y);
    tdm_screen_window_dirty_all(w);
}

static void pan(struct tdm_screen_window *w, int dx, int dy)
{
    tdm_viewport_pan(&w->viewport, dx, dy);
    tdm_screen_window_dirty_all(w);
}

/* Each monitor, and where there are several all of them. */
static void choose_next(struct tdm_screen_window *w, int step)
{
    int choices = w->count + (w->count > 1);

    if (!choices)
        return;
    w->chosen = (w->chosen + 1 + step + (w->count > 1 ? 0 : -1) + choices) % choices;
    w->chosen -= w->count > 1;
    tdm_screen_window_arrange(w);
}

static void close_it(struct tdm_screen_window *w)
{
    if (w->told_closed)
        return;
    w->told_closed = true;
    w->source.closed(w->source.arg);
}

static bool follow_command(struct tdm_screen_window *w, KeySym symbol)
{
    switch (symbol) {
    case XK_Return:
    case XK_KP_Enter:
        tdm_screen_window_set_full(w, !w->full_screen);
        return true;
    case XK_0:
        tdm_viewport_fit(&w->viewport);
        tdm_screen_window_dirty_all(w);
        return true;
    case XK_1:
        zoom(w, 1);
        return true;
    case XK_plus:
    case XK_equal:
    case XK_KP_Add:
        zoom(w, tdm_viewport_step(&w->viewport, true));
        return true;
    case XK_minus:
    case XK_KP_Subtract:
        zoom(w, tdm_viewport_step(&w->viewport, false));
        return true;
    case XK_Left:
        pan(w, -PAN_STEP, 0);
        return true;
    case XK_Right:
        pan(w, PAN_STEP, 0);
        return true;
    case XK_Up:
        pan(w, 0, -PAN_STEP);
        return true;
    case XK_Down:
        pan(w, 0, PAN_STEP);
        return true;
    case XK_Page_Down:
        choose_next(w, 1);
        return true;
    case XK_Page_Up:
        choose_next(w, -1);
        return true;
    case XK_c:
        w->source.ask(w->source.arg);
        return true;
    case XK_g:
        w->ghost = !w->ghost;
        tell(w, &(struct tdm_control_view_in){
                    .kind = TDM_VIEW_GHOST,
                    .record = {.press = w->ghost ? TDM_PRESS_DOWN : TDM_PRESS_UP}});
        tdm_screen_window_dirty_all(w);
        return true;
    case XK_a:
        tdm_screen_window_draw(w, !w->draws);
        return true;
    case XK_q:
        close_it(w);
        return true;
    default:
        return false;
    }
}

/* A command's keys are not the host's: Ctrl and Alt, which it has heard of, are let go there. */
static bool is_local(struct tdm_screen_window *w, XKeyEvent *event)
{
    KeySym symbol = XLookupKeysym(event, 0);

    if (event->type == KeyRelease && w->local_keys) {
        w->local_keys = (event->state & LOCAL_MASK) != 0;
        return true;
    }
    if (event->type != KeyPress || (event->state & LOCAL_MASK) != LOCAL_MASK)
        return false;
    if (!w->local_keys)
        tell_focus(w, false, 0);
    bool ours = follow_command(w, symbol);

    if (!w->local_keys)
        tell_focus(w, true, ours ? 0 : mods_of(event->state));
    w->local_keys = w->local_keys || ours;
    return ours;
}

/* Latin and Unicode symbols as text; what an input method makes is for later. */
static void take_key(struct tdm_screen_window *w, XKeyEvent *event)
{
    char text[32];
    KeySym symbol = NoSymbol;
    bool down = event->type == KeyPress;

    if (is_local(w, event) || tdm_screen_window_ink_key(w, event))
        return;
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

/* How far a place of the world is from a surface, on both axes together. */
static int away(const struct tdm_screen_surface *s, int x, int y)
{
    int dx = x < s->x ? s->x - x : x >= s->x + s->width ? x - s->x - s->width + 1 : 0;
    int dy = y < s->y ? s->y - y : y >= s->y + s->height ? y - s->y - s->height + 1 : 0;

    return dx + dy;
}

/* The surface under a place of the window, or the nearest one that is looked at. */
static struct tdm_control_record place(const struct tdm_screen_window *w, int x, int y)
{
    const struct tdm_screen_surface *best = NULL;
    int world_x, world_y;

    tdm_viewport_to_world(&w->viewport, x, y, &world_x, &world_y);
    for (int i = 0; i < w->count; i++) {
        const struct tdm_screen_surface *s = &w->copies[i].surface;

        if ((w->chosen < 0 || w->chosen == i) &&
            (!best || away(s, world_x, world_y) < away(best, world_x, world_y)))
            best = s;
    }
    if (!best)
        return (struct tdm_control_record){0};
    return (struct tdm_control_record){.surface = best->id,
                                       .x = part_of(world_x - best->x, best->width),
                                       .y = part_of(world_y - best->y, best->height)};
}

static void take_button(struct tdm_screen_window *w, const XButtonEvent *event)
{
    struct tdm_control_view_in in = {.kind = TDM_VIEW_BUTTON,
                                     .record = place(w, event->x, event->y)};
    bool down = event->type == ButtonPress;

    if (tdm_screen_window_ink_button(w, event))
        return;
    if (event->button >= WHEEL_FIRST && event->button <= WHEEL_LAST) {
        if (!down)
            return;
        if ((event->state & LOCAL_MASK) == LOCAL_MASK && event->button < 6) {
            zoom(w, tdm_viewport_step(&w->viewport, event->button == 4));
            return;
        }
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

static void take_motion(struct tdm_screen_window *w, int x, int y)
{
    w->inside = true;
    w->at_x = x;
    w->at_y = y;
    if (y < w->viewport.height && tdm_viewport_push(&w->viewport, x, y))
        tdm_screen_window_dirty_all(w);
    if (tdm_screen_window_ink_motion(w, x, y))
        return;
    tell(w, &(struct tdm_control_view_in){.kind = TDM_VIEW_MOVE, .record = place(w, x, y)});
}

void tdm_screen_window_take(struct tdm_screen_window *w, XEvent *event)
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
        take_motion(w, event->xmotion.x, event->xmotion.y);
        break;
    case EnterNotify:
    case LeaveNotify:
        w->inside = event->type == EnterNotify;
        tdm_screen_window_dirty(w, w->pointer_drawn);
        break;
    case FocusIn:
    case FocusOut:
        w->local_keys = false;
        tell_focus(w, event->type == FocusIn, 0);
        break;
    case ConfigureNotify:
        if (event->xconfigure.width == w->width && event->xconfigure.height == w->height)
            break;
        w->width = event->xconfigure.width;
        w->height = event->xconfigure.height;
        tdm_screen_window_arrange(w);
        break;
    case DestroyNotify:
        w->gone = true;
        break;
    case Expose:
        tdm_screen_window_dirty(w, (struct tdm_rect){event->xexpose.x, event->xexpose.y,
                                                     event->xexpose.width, event->xexpose.height});
        break;
    case MappingNotify:
        XRefreshKeyboardMapping(&event->xmapping);
        break;
    case ClientMessage:
        if ((Atom)event->xclient.data.l[0] == w->wm_delete)
            close_it(w);
        break;
    default:
        break;
    }
}
