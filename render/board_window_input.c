/* SPDX-License-Identifier: MIT */
/* What a user does at the window: on a bar, or on the board, which the tools are told. */
#include "render/board_window_state.h"

#include <X11/Xutil.h>
#include <X11/extensions/XInput2.h>
#include <X11/keysym.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLE_CLICK_MS 400
#define DOUBLE_CLICK_PX 5.0
#define WHEEL_FIRST     4
#define WHEEL_LAST      7
#define PRESSURE_WHOLE  65535.0
#define PRESSURE_MOUSE  32768
#define TEXT_ROOM       256

/* Devices ---------------------------------------------------------------------------------------
 */

static bool has_word(const char *name, const char *word)
{
    size_t size = strlen(word);

    for (; *name; name++) {
        size_t i = 0;

        while (i < size && tolower((unsigned char)name[i]) == word[i])
            i++;
        if (i == size)
            return true;
    }
    return false;
}

static void look_at(struct tdm_board_window *w, const XIDeviceInfo *info, Atom pressure)
{
    struct tdm_board_pointer_device *d = &w->devices[w->device_count];

    *d = (struct tdm_board_pointer_device){.id = info->deviceid, .pressure_axis = -1};
    for (int i = 0; i < info->num_classes; i++) {
        const XIValuatorClassInfo *axis = (const XIValuatorClassInfo *)info->classes[i];

        if (info->classes[i]->type != XIValuatorClass || axis->label != pressure ||
            !(axis->max > axis->min))
            continue;
        d->pressure_axis = axis->number;
        d->pressure_min = axis->min;
        d->pressure_max = axis->max;
        d->kind = TDM_DEVICE_PEN;
    }
    if (d->kind == TDM_DEVICE_PEN && has_word(info->name, "eraser"))
        d->kind = TDM_DEVICE_RUBBER;
    w->device_count++;
}

void tdm_board_window_find_devices(struct tdm_board_window *w)
{
    Atom pressure = XInternAtom(w->display, "Abs Pressure", False);
    int count = 0;
    XIDeviceInfo *list = XIQueryDevice(w->display, XIAllDevices, &count);

    w->device_count = 0;
    for (int i = 0; list && i < count && w->device_count < TDM_BOARD_DEVICES_MAX; i++)
        if (list[i].use == XISlavePointer)
            look_at(w, &list[i], pressure);
    if (list)
        XIFreeDeviceInfo(list);
}

/* The device that an event came from, and how hard it was pressed. */
static enum tdm_board_device device_of(const struct tdm_board_window *w, const XIDeviceEvent *e,
                                       uint16_t *pressure)
{
    *pressure = PRESSURE_MOUSE;
    for (int i = 0; i < w->device_count; i++) {
        const struct tdm_board_pointer_device *d = &w->devices[i];
        const double *value = e->valuators.values;

        if (d->id != e->sourceid)
            continue;
        for (int axis = 0; d->pressure_axis >= 0 && axis < e->valuators.mask_len * 8; axis++) {
            if (!XIMaskIsSet(e->valuators.mask, axis))
                continue;
            if (axis == d->pressure_axis) {
                double part = (*value - d->pressure_min) / (d->pressure_max - d->pressure_min);

                *pressure = (uint16_t)(fmin(fmax(part, 0), 1) * PRESSURE_WHOLE);
            }
            value++;
        }
        return d->kind;
    }
    return TDM_DEVICE_MOUSE;
}

static uint32_t mods_of(const struct tdm_board_window *w, unsigned state)
{
    return (state & ShiftMask ? TDM_BOARD_SHIFT : 0u) |
           (state & ControlMask ? TDM_BOARD_CTRL : 0u) | (state & Mod1Mask ? TDM_BOARD_ALT : 0u) |
           (w->space ? TDM_BOARD_SPACE : 0u);
}

/* Bars ------------------------------------------------------------------------------------------
 */

/* A slider goes where the pointer is; other widgets do what they are for. */
static void press(struct tdm_board_window *w, tdm_time now, int which)
{
    const struct tdm_board_widget *widget = &w->widgets[which];

    if (widget->off)
        return;
    if (widget->act) {
        tdm_board_window_files_press(w, widget);
        return;
    }
    if (widget->kind == TDM_WIDGET_SLIDER) {
        double part = (w->at_x - widget->x) / widget->w;

        tdm_board_window_do(w, now, widget->command, (uint32_t)lrint(fmin(fmax(part, 0), 1) * 255));
        return;
    }
    tdm_board_window_do(w, now, widget->command, widget->value);
}

static void look_under(struct tdm_board_window *w, tdm_time now)
{
    bool on_bar;
    int hot = tdm_board_window_widget_at(w, w->at_x, w->at_y, &on_bar);

    w->on_bar = on_bar;
    if (hot == w->hot)
        return;
    w->hot = hot;
    w->hot_at = now;
    w->tip_shown = false;
    w->bars_dirty = true;
}

/* A press beside a panel in the middle takes it away, and does no more. */
static bool goes_away(struct tdm_board_window *w)
{
    const struct tdm_board_panel *f = &w->panels[TDM_BAR_FILES];
    bool beside =
        w->at_x < f->x || w->at_y < f->y || w->at_x >= f->x + f->w || w->at_y >= f->y + f->h;

    if (w->files.use && f->there && beside)
        tdm_board_window_close_files(w);
    else if (w->help_shown && !w->on_bar)
        w->help_shown = false;
    else
        return false;
    return true;
}

/* The rest of a frame that was begun on a bar is the bar's. @return whether it was. */
static bool bar_takes(struct tdm_board_window *w, tdm_time now, enum tdm_board_in_kind kind,
                      uint8_t button)
{
    bool busy = w->tools->gesture != TDM_BOARD_IDLE;

    if (!busy)
        look_under(w, now);
    if (kind == TDM_BOARD_IN_MOVE) {
        if (w->held >= 0 && w->widgets[w->held].kind == TDM_WIDGET_SLIDER)
            press(w, now, w->held);
        return w->held >= 0 || (w->on_bar && !busy);
    }
    if (kind == TDM_BOARD_IN_UP) {
        bool was = w->held >= 0 || w->bar_pressed;

        if (w->held >= 0 && w->held == w->hot && w->widgets[w->held].kind != TDM_WIDGET_SLIDER)
            press(w, now, w->held);
        w->held = -1;
        w->bar_pressed = false;
        w->bars_dirty = true;
        return was;
    }
    if (busy)
        return false;
    if (goes_away(w)) {
        w->bar_pressed = w->bars_dirty = true;
        return true;
    }
    if (!w->on_bar)
        return false;
    w->bar_pressed = true;
    w->held = button == 1 ? w->hot : -1;
    w->tip_shown = false;
    if (w->held >= 0 && w->widgets[w->held].kind == TDM_WIDGET_SLIDER)
        press(w, now, w->held);
    w->bars_dirty = true;
    return true;
}

/* The pointer ------------------------------------------------------------------------------------
 */

static uint8_t count_clicks(struct tdm_board_window *w, uint8_t button, Time at)
{
    bool again = button == w->click_button && at - w->click_time < DOUBLE_CLICK_MS &&
                 hypot(w->at_x - w->click_x, w->at_y - w->click_y) < DOUBLE_CLICK_PX;

    w->click_count = again ? w->click_count + 1 : 1;
    w->click_button = button;
    w->click_time = at;
    w->click_x = w->at_x;
    w->click_y = w->at_y;
    return (uint8_t)(w->click_count > 3 ? 3 : w->click_count);
}

static void wheel(struct tdm_board_window *w, tdm_time now, unsigned button, uint32_t mods)
{
    double step = button == WHEEL_FIRST || button == WHEEL_LAST - 1 ? -1 : 1;
    bool across = button > WHEEL_FIRST + 1;

    if (w->files.use) {
        tdm_board_window_files_scroll(w, (int)step * 3);
        return;
    }
    if (w->help_shown) {
        w->help_scroll += step * 48;
        w->bars_dirty = true;
        return;
    }
    tdm_board_window_input(w, now,
                           &(struct tdm_board_in){.kind = TDM_BOARD_IN_WHEEL,
                                                  .x = w->at_x,
                                                  .y = w->at_y,
                                                  .dx = across ? step : 0,
                                                  .dy = across ? 0 : step,
                                                  .mods = mods});
}

struct act {
    enum tdm_board_in_kind kind;
    enum tdm_board_device device;
    unsigned button;
    unsigned state;
    uint16_t pressure;
    uint32_t touch;
    double x, y; /* Pixels of the window. */
    Time time;
};

static void pointer(struct tdm_board_window *w, tdm_time now, const struct act *e)
{
    uint32_t mods = mods_of(w, e->state);

    w->at_x = e->x / w->scale;
    w->at_y = e->y / w->scale;
    w->inside = true;
    w->mods = mods;
    if (e->button >= WHEEL_FIRST && e->button <= WHEEL_LAST) {
        if (e->kind == TDM_BOARD_IN_DOWN)
            wheel(w, now, e->button, mods);
        return;
    }
    if (bar_takes(w, now, e->kind, (uint8_t)e->button))
        return;
    uint8_t clicks =
        e->kind == TDM_BOARD_IN_DOWN ? count_clicks(w, (uint8_t)e->button, e->time) : 1;

    tdm_board_window_input(w, now,
                           &(struct tdm_board_in){.kind = e->kind,
                                                  .device = e->device,
                                                  .x = w->at_x,
                                                  .y = w->at_y,
                                                  .button = (uint8_t)e->button,
                                                  .clicks = clicks,
                                                  .pressure = e->pressure,
                                                  .touch = e->touch,
                                                  .mods = mods});
}

static enum tdm_board_in_kind kind_of(int type)
{
    return type == XI_Motion || type == XI_TouchUpdate       ? TDM_BOARD_IN_MOVE
           : type == XI_ButtonPress || type == XI_TouchBegin ? TDM_BOARD_IN_DOWN
                                                             : TDM_BOARD_IN_UP;
}

static void device_event(struct tdm_board_window *w, tdm_time now, const XIDeviceEvent *e)
{
    bool touch =
        e->evtype == XI_TouchBegin || e->evtype == XI_TouchUpdate || e->evtype == XI_TouchEnd;
    struct act down = {.kind = kind_of(e->evtype),
                       .state = (unsigned)e->mods.effective,
                       .x = e->event_x,
                       .y = e->event_y,
                       .time = e->time};

    /* The pointer that a finger moves beside its touches. */
    if (!touch && (e->flags & XIPointerEmulated) && e->detail <= 3)
        return;
    down.device = device_of(w, e, &down.pressure);
    if (touch) {
        down.device = TDM_DEVICE_TOUCH;
        down.button = 1;
        down.touch = (uint32_t)e->detail;
    } else if (e->evtype != XI_Motion) {
        down.button = (unsigned)e->detail;
    }
    pointer(w, now, &down);
}

static void core_pointer(struct tdm_board_window *w, tdm_time now, const XEvent *event)
{
    struct act down = {.pressure = PRESSURE_MOUSE};

    if (event->type == MotionNotify) {
        down.kind = TDM_BOARD_IN_MOVE;
        down.state = event->xmotion.state;
        down.x = event->xmotion.x;
        down.y = event->xmotion.y;
    } else {
        down.kind = event->type == ButtonPress ? TDM_BOARD_IN_DOWN : TDM_BOARD_IN_UP;
        down.state = event->xbutton.state;
        down.x = event->xbutton.x;
        down.y = event->xbutton.y;
        down.button = event->xbutton.button;
        down.time = event->xbutton.time;
    }
    pointer(w, now, &down);
}

/* Keys -------------------------------------------------------------------------------------------
 */

static uint32_t key_of(KeySym symbol)
{
    static const struct {
        KeySym symbol;
        uint32_t key;
    } table[] = {{XK_Escape, TDM_BOARD_KEY_ESCAPE},
                 {XK_Return, TDM_BOARD_KEY_ENTER},
                 {XK_KP_Enter, TDM_BOARD_KEY_ENTER},
                 {XK_Tab, TDM_BOARD_KEY_TAB},
                 {XK_BackSpace, TDM_BOARD_KEY_BACKSPACE},
                 {XK_Delete, TDM_BOARD_KEY_DELETE},
                 {XK_KP_Delete, TDM_BOARD_KEY_DELETE},
                 {XK_Left, TDM_BOARD_KEY_LEFT},
                 {XK_Right, TDM_BOARD_KEY_RIGHT},
                 {XK_Up, TDM_BOARD_KEY_UP},
                 {XK_Down, TDM_BOARD_KEY_DOWN},
                 {XK_Home, TDM_BOARD_KEY_HOME},
                 {XK_End, TDM_BOARD_KEY_END},
                 {XK_Page_Up, TDM_BOARD_KEY_PAGE_UP},
                 {XK_Page_Down, TDM_BOARD_KEY_PAGE_DOWN},
                 {XK_F1, TDM_BOARD_KEY_F1},
                 {XK_F11, TDM_BOARD_KEY_F11},
                 {XK_KP_Add, '+'},
                 {XK_KP_Subtract, '-'}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].symbol == symbol)
            return table[i].key;
    if (symbol >= XK_KP_0 && symbol <= XK_KP_9)
        return (uint32_t)(symbol - XK_KP_0) + '0';
    if (symbol >= 'A' && symbol <= 'Z')
        return (uint32_t)symbol - 'A' + 'a';
    return symbol < 0x100 ? (uint32_t)symbol : 0;
}

/* The sign on the key whatever shift says, so that Shift 1 is that on every layout. */
static uint32_t plain_key(XKeyEvent *e)
{
    KeySym symbol = XLookupKeysym(e, 0);

    return symbol == NoSymbol ? 0 : key_of(symbol);
}

static size_t text_of(struct tdm_board_window *w, XKeyEvent *e, char room[TEXT_ROOM],
                      KeySym *symbol)
{
    Status status = XLookupNone;
    int size = 0;

    *symbol = NoSymbol;
    if (w->ic) {
        size = Xutf8LookupString(w->ic, e, room, TEXT_ROOM, symbol, &status);
        if (status == XBufferOverflow || status == XLookupNone || status == XLookupKeySym)
            size = 0;
    } else {
        char latin[TEXT_ROOM / 2];
        int count = XLookupString(e, latin, sizeof latin, symbol, NULL);

        for (int i = 0; i < count; i++) {
            unsigned char c = (unsigned char)latin[i];

            if (c >= 0x80)
                room[size++] = (char)(0xc0 | c >> 6);
            room[size++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
        }
    }
    /* Enter, Backspace and the like are keys, no text. */
    return size > 0 && (unsigned char)room[0] >= ' ' && room[0] != 127 ? (size_t)size : 0;
}

/* The panel of files takes letters, a path that is pasted, and keys that make no letter. */
static void files_key(struct tdm_board_window *w, uint32_t mods, uint32_t key, const char *text,
                      size_t size)
{
    if (mods & (TDM_BOARD_CTRL | TDM_BOARD_ALT)) {
        if (key == 'v')
            tdm_board_window_paste(w);
    } else if (size) {
        tdm_board_window_files_type(w, text, size);
    } else {
        tdm_board_window_files_key(w, key);
    }
}

static void key_press(struct tdm_board_window *w, tdm_time now, XKeyEvent *e)
{
    char text[TEXT_ROOM];
    KeySym symbol;
    uint32_t mods = mods_of(w, e->state);
    bool edits = w->tools->editing.seq != 0;
    size_t size = text_of(w, e, text, &symbol);
    uint32_t key = key_of(symbol);

    w->mods = mods;
    w->caret_at = now;
    if (w->files.use) {
        files_key(w, mods, key, text, size);
        return;
    }
    if (symbol == XK_space && !edits) {
        w->space = true;
        return;
    }
    if (w->help_shown && key == TDM_BOARD_KEY_ESCAPE) {
        w->help_shown = false;
        w->bars_dirty = true;
        return;
    }
    if (!tdm_board_shortcut_of(key, mods) && tdm_board_shortcut_of(plain_key(e), mods))
        key = plain_key(e);
    if (key)
        tdm_board_window_input(
            w, now, &(struct tdm_board_in){.kind = TDM_BOARD_IN_KEY, .key = key, .mods = mods});
    if (size && edits && !(mods & (TDM_BOARD_CTRL | TDM_BOARD_ALT)))
        tdm_board_window_input(
            w, now, &(struct tdm_board_in){.kind = TDM_BOARD_IN_TEXT, .text = text, .size = size});
}

static void configure(struct tdm_board_window *w, tdm_time now, const XConfigureEvent *e)
{
    if (e->width == w->width && e->height == w->height)
        return;
    if (!tdm_board_window_resize(w, e->width, e->height)) {
        w->gone = true;
        return;
    }
    tdm_board_window_input(w, now,
                           &(struct tdm_board_in){.kind = TDM_BOARD_IN_RESIZE,
                                                  .x = w->width / w->scale,
                                                  .y = w->height / w->scale});
    w->bars_dirty = true;
}

static void client_message(struct tdm_board_window *w, const XClientMessageEvent *e)
{
    if (e->format == 32 && (Atom)e->data.l[0] == w->atoms.wm_delete && !w->told_closed) {
        w->told_closed = true;
        tdm_board_window_tell(w, &(struct tdm_board_window_event){.kind = TDM_BOARD_WINDOW_CLOSED});
    } else {
        tdm_board_window_drag(w, e);
    }
}

static void leave(struct tdm_board_window *w, tdm_time now)
{
    w->inside = false;
    w->hot = -1;
    w->on_bar = false;
    w->bars_dirty = true;
    tdm_board_window_input(w, now, &(struct tdm_board_in){.kind = TDM_BOARD_IN_LEAVE});
}

void tdm_board_window_event(struct tdm_board_window *w, tdm_time now, XEvent *event)
{
    if (XFilterEvent(event, None))
        return;
    if (event->type == GenericEvent && w->xi && event->xcookie.extension == w->xi) {
        if (!XGetEventData(w->display, &event->xcookie))
            return;
        if (event->xcookie.evtype == XI_DeviceChanged)
            tdm_board_window_find_devices(w);
        else
            device_event(w, now, event->xcookie.data);
        XFreeEventData(w->display, &event->xcookie);
        return;
    }
    switch (event->type) {
    case MotionNotify:
    case ButtonPress:
    case ButtonRelease:
        core_pointer(w, now, event);
        break;
    case KeyPress:
        key_press(w, now, &event->xkey);
        break;
    case KeyRelease:
        if (XLookupKeysym(&event->xkey, 0) == XK_space)
            w->space = false;
        break;
    case LeaveNotify:
        if (event->xcrossing.mode == NotifyNormal)
            leave(w, now);
        break;
    case FocusOut:
        w->space = false;
        break;
    case Expose:
        tdm_board_window_dirty(w, (struct tdm_rect){event->xexpose.x, event->xexpose.y,
                                                    event->xexpose.width, event->xexpose.height});
        break;
    case ConfigureNotify:
        configure(w, now, &event->xconfigure);
        break;
    case DestroyNotify:
        w->gone = true;
        break;
    case ClientMessage:
        client_message(w, &event->xclient);
        break;
    case MappingNotify:
        (void)XRefreshKeyboardMapping(&event->xmapping);
        break;
    default:
        tdm_board_window_selection(w, now, event);
        break;
    }
}
