/* SPDX-License-Identifier: MIT */
/*
 * The clipboard and what is dropped: objects of a board, images and text. Whatever another program
 * gives is bounded, and handed on as bytes that nobody has believed yet.
 */
#include "render/board_window_state.h"

#include <X11/Xatom.h>
#include <stdlib.h>
#include <string.h>

#define BROUGHT_MAX    ((size_t)64 << 20)
#define PIECE_LONGS    (1L << 20)
#define TARGETS_MAX    64
#define TEXT_MAX       ((size_t)1 << 20)
#define URI_MAX        4096
#define PROPERTY_WORDS 64 /* What a request has beside its bytes, and more. */

/* Out -------------------------------------------------------------------------------------------
 */

void tdm_board_window_copy(struct tdm_board_window *w, tdm_time now)
{
    if (!w->clip)
        w->clip = malloc(TDM_BOARD_CLIP_MAX);
    if (!w->clip_text)
        w->clip_text = malloc(TEXT_MAX);
    if (!w->clip || !w->clip_text)
        return;
    size_t size = tdm_board_tools_copy(w->tools, w->clip, TDM_BOARD_CLIP_MAX);
    size_t text_size = tdm_board_tools_copy_text(w->tools, w->clip_text, TEXT_MAX);

    if (!size && !text_size)
        return;
    w->clip_size = size;
    w->clip_text_size = text_size;
    if (size)
        tdm_board_window_record(w);
    else
        tdm_board_window_forget_picture(w);
    (void)XSetSelectionOwner(w->display, w->atoms.clipboard, w->window, CurrentTime);
    tdm_board_window_input(w, now, &(struct tdm_board_in){.kind = TDM_BOARD_IN_COPIED});
}

/* Who asks gets bytes, as far as one property holds them. */
static bool give(struct tdm_board_window *w, const XSelectionRequestEvent *e, Atom property,
                 const void *data, size_t size)
{
    long most = XExtendedMaxRequestSize(w->display);

    most = most ? most : XMaxRequestSize(w->display);
    if (!size || size / 4 + PROPERTY_WORDS > (size_t)most)
        return false;
    (void)XChangeProperty(w->display, e->requestor, property, e->target, 8, PropModeReplace, data,
                          (int)size);
    return true;
}

static bool give_png(struct tdm_board_window *w, const XSelectionRequestEvent *e, Atom property)
{
    size_t size;
    uint8_t *data = tdm_board_window_png(w, &size);
    bool given = data && give(w, e, property, data, size);

    free(data);
    return given;
}

static bool give_list(struct tdm_board_window *w, const XSelectionRequestEvent *e, Atom property)
{
    const struct tdm_board_atoms *a = &w->atoms;
    Atom list[6] = {a->targets};
    int count = 1;

    if (w->clip_size)
        list[count++] = a->board;
    if (w->clip_picture)
        list[count++] = a->png;
    if (w->clip_svg)
        list[count++] = a->svg;
    if (w->clip_text_size) {
        list[count++] = a->utf8;
        list[count++] = a->text_utf8;
    }
    (void)XChangeProperty(w->display, e->requestor, property, XA_ATOM, 32, PropModeReplace,
                          (const unsigned char *)list, count);
    return true;
}

static void answer(struct tdm_board_window *w, const XSelectionRequestEvent *e)
{
    const struct tdm_board_atoms *a = &w->atoms;
    Atom property = e->property ? e->property : e->target;
    bool text = e->target == a->utf8 || e->target == a->text_utf8, given = false;

    if (e->target == a->targets)
        given = give_list(w, e, property);
    else if (e->target == a->board)
        given = give(w, e, property, w->clip, w->clip_size);
    else if (e->target == a->png)
        given = give_png(w, e, property);
    else if (e->target == a->svg)
        given = give(w, e, property, w->clip_svg, w->clip_svg_size);
    else if (text)
        given = give(w, e, property, w->clip_text, w->clip_text_size);
    XEvent reply = {.xselection = {.type = SelectionNotify,
                                   .requestor = e->requestor,
                                   .selection = e->selection,
                                   .target = e->target,
                                   .property = given ? property : None,
                                   .time = e->time}};

    (void)XSendEvent(w->display, e->requestor, False, NoEventMask, &reply);
}

/* In --------------------------------------------------------------------------------------------
 */

static void forget(struct tdm_board_window *w)
{
    free(w->bringing.data);
    w->bringing = (struct tdm_board_bringing){0};
}

static void ask(struct tdm_board_window *w, Atom selection, Atom target)
{
    w->bringing.selection = selection;
    w->bringing.target = target;
    (void)XDeleteProperty(w->display, w->window, w->atoms.mine);
    (void)XConvertSelection(w->display, selection, target, w->atoms.mine, w->window, CurrentTime);
}

void tdm_board_window_paste(struct tdm_board_window *w)
{
    forget(w);
    w->bringing.x = w->inside ? w->at_x : -1;
    w->bringing.y = w->inside ? w->at_y : -1;
    /* What this window copied itself is here. */
    if (XGetSelectionOwner(w->display, w->atoms.clipboard) == w->window) {
        ask(w, w->atoms.clipboard,
            w->tools->editing.seq || w->files.use || !w->clip_size ? w->atoms.utf8
                                                                   : w->atoms.board);
        return;
    }
    ask(w, w->atoms.clipboard, w->atoms.targets);
}

/* The best of what is offered: whole objects, then pictures, then files, then text. */
static Atom choose(const struct tdm_board_window *w, const Atom *offered, unsigned long count)
{
    const struct tdm_board_atoms *a = &w->atoms;
    const Atom wanted[] = {a->board,    a->svg,  a->png,       a->jpeg,  a->webp,
                           a->uri_list, a->utf8, a->text_utf8, XA_STRING};
    size_t first = w->tools->editing.seq || w->files.use ? 6 : 0; /* Into text goes text. */

    for (size_t i = first; i < sizeof wanted / sizeof *wanted; i++)
        for (unsigned long k = 0; k < count; k++)
            if (offered[k] == wanted[i])
                return wanted[i];
    return None;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* "file:///a%20b" as a path; false: no file of this machine. */
static bool path_of(const char *uri, size_t size, char path[URI_MAX])
{
    static const char scheme[] = "file://";
    size_t at = sizeof scheme - 1, n = 0;

    if (size < at || memcmp(uri, scheme, at) != 0)
        return false;
    while (at < size && uri[at] != '/')
        at++; /* The machine's name. */
    for (; at < size && n + 1 < URI_MAX; at++) {
        bool coded =
            uri[at] == '%' && at + 2 < size && hex(uri[at + 1]) >= 0 && hex(uri[at + 2]) >= 0;
        char c = uri[at];

        if (coded) {
            c = (char)(hex(uri[at + 1]) << 4 | hex(uri[at + 2]));
            at += 2;
        }
        if ((unsigned char)c < ' ')
            return false;
        path[n++] = c;
    }
    path[n] = 0;
    return n > 1 && at == size;
}

static void bring_files(struct tdm_board_window *w, const char *text, size_t size)
{
    char path[URI_MAX];

    for (size_t at = 0; at < size;) {
        size_t end = at;

        while (end < size && text[end] != '\r' && text[end] != '\n')
            end++;
        if (path_of(text + at, end - at, path))
            tdm_board_window_tell_file(
                w, &(struct tdm_board_window_event){.kind = TDM_BOARD_WINDOW_FILE,
                                                    .data = (const uint8_t *)path,
                                                    .size = strlen(path) + 1,
                                                    .x = w->bringing.x,
                                                    .y = w->bringing.y});
        at = end + 1;
    }
}

/* Pixels or shapes; also as text, as Excalidraw and editors of SVG copy them. */
static bool is_picture(const struct tdm_board_window *w, const char *data, size_t size)
{
    static const char *const begins[] = {"{\"type\":\"excalidraw", "<svg ", "<?xml "};
    const struct tdm_board_atoms *a = &w->atoms;
    Atom target = w->bringing.target;

    if (target == a->png || target == a->jpeg || target == a->webp || target == a->svg)
        return true;
    if (target == a->board || target == a->uri_list || w->tools->editing.seq || w->files.use)
        return false;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (size > strlen(begins[i]) && memcmp(data, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

/* All of it is here. */
static void brought(struct tdm_board_window *w, tdm_time now)
{
    struct tdm_board_bringing *b = &w->bringing;
    const struct tdm_board_atoms *a = &w->atoms;
    const char *text = (const char *)b->data;

    if (!b->size) {
        forget(w);
        return;
    }
    if (is_picture(w, text, b->size))
        tdm_board_window_tell_file(w,
                                   &(struct tdm_board_window_event){.kind = TDM_BOARD_WINDOW_IMAGE,
                                                                    .data = b->data,
                                                                    .size = b->size,
                                                                    .x = b->x,
                                                                    .y = b->y});
    else if (b->target == a->uri_list)
        bring_files(w, text, b->size);
    else if (w->files.use)
        tdm_board_window_files_type(w, text, b->size);
    else
        tdm_board_window_input(w, now,
                               &(struct tdm_board_in){.kind = b->target == a->board
                                                                  ? TDM_BOARD_IN_CLIP
                                                                  : TDM_BOARD_IN_TEXT,
                                                      .text = text,
                                                      .size = b->size});
    forget(w);
}

/* Adds what stands in our property. @return its size; 0: nothing, or too much. */
static size_t take_property(struct tdm_board_window *w, Atom *type)
{
    struct tdm_board_bringing *b = &w->bringing;
    size_t before = b->size;
    unsigned long count = 0, rest = 0;
    unsigned char *data = NULL;
    int format = 0;
    long at = 0;

    do {
        if (XGetWindowProperty(w->display, w->window, w->atoms.mine, at, PIECE_LONGS, False,
                               AnyPropertyType, type, &format, &count, &rest, &data) != Success)
            break;
        size_t size = format == 8 ? count : 0;

        if (b->size + size > BROUGHT_MAX) {
            (void)XFree(data);
            forget(w);
            return 0;
        }
        uint8_t *grown = size ? realloc(b->data, b->size + size + 1) : b->data;

        if (grown && size) {
            b->data = grown;
            memcpy(b->data + b->size, data, size);
            b->size += size;
            b->data[b->size] = 0;
        }
        (void)XFree(data);
        data = NULL;
        at += (long)(size / 4);
        if (!size)
            break;
    } while (rest);
    (void)XDeleteProperty(w->display, w->window, w->atoms.mine);
    return b->size - before;
}

static void take_targets(struct tdm_board_window *w)
{
    unsigned long count = 0, rest;
    unsigned char *data = NULL;
    Atom type, chosen = None;
    int format = 0;

    if (XGetWindowProperty(w->display, w->window, w->atoms.mine, 0, TARGETS_MAX, True, XA_ATOM,
                           &type, &format, &count, &rest, &data) == Success &&
        format == 32)
        chosen = choose(w, (const Atom *)(const void *)data, count);
    if (data)
        (void)XFree(data);
    if (chosen)
        ask(w, w->bringing.selection, chosen);
    else
        forget(w);
}

static void finish_drop(struct tdm_board_window *w)
{
    XEvent event = {.xclient = {.type = ClientMessage,
                                .window = w->drag_from,
                                .message_type = w->atoms.finished,
                                .format = 32,
                                .data.l = {(long)w->window, 1, (long)w->atoms.copy_action}}};

    if (w->drag_from)
        (void)XSendEvent(w->display, w->drag_from, False, NoEventMask, &event);
    w->drag_from = None;
}

static void notified(struct tdm_board_window *w, tdm_time now, const XSelectionEvent *e)
{
    unsigned long count, rest;
    unsigned char *data = NULL;
    Atom type = None;
    int format;

    if (!w->bringing.target || e->property == None) {
        forget(w);
        return;
    }
    if (e->target == w->atoms.targets) {
        take_targets(w);
        return;
    }
    (void)XGetWindowProperty(w->display, w->window, w->atoms.mine, 0, 0, False, AnyPropertyType,
                             &type, &format, &count, &rest, &data);
    if (data)
        (void)XFree(data);
    if (type == w->atoms.incr) {
        /* In pieces: each comes when the one before was deleted. */
        w->bringing.pieces = true;
        (void)XDeleteProperty(w->display, w->window, w->atoms.mine);
        return;
    }
    bool dropped = w->bringing.dropped;

    (void)take_property(w, &type);
    brought(w, now);
    if (dropped)
        finish_drop(w);
}

void tdm_board_window_selection(struct tdm_board_window *w, tdm_time now, XEvent *event)
{
    Atom type;

    switch (event->type) {
    case SelectionRequest:
        answer(w, &event->xselectionrequest);
        break;
    case SelectionClear:
        w->clip_size = w->clip_text_size = 0;
        tdm_board_window_forget_picture(w);
        break;
    case SelectionNotify:
        notified(w, now, &event->xselection);
        break;
    case PropertyNotify:
        if (!w->bringing.pieces || event->xproperty.atom != w->atoms.mine ||
            event->xproperty.state != PropertyNewValue)
            break;
        bool dropped = w->bringing.dropped;

        if (!take_property(w, &type)) {
            brought(w, now);
            if (dropped)
                finish_drop(w);
        }
        break;
    default:
        break;
    }
}

/* Drag and drop (XDND 5) ------------------------------------------------------------------------
 */

static void drag_enter(struct tdm_board_window *w, const XClientMessageEvent *e)
{
    Atom three[3] = {(Atom)e->data.l[2], (Atom)e->data.l[3], (Atom)e->data.l[4]};

    w->drag_from = (Window)e->data.l[0];
    w->drag_target = choose(w, three, 3);
    if (e->data.l[1] & 1) {
        unsigned long count = 0, rest;
        unsigned char *data = NULL;
        Atom type;
        int format;

        if (XGetWindowProperty(w->display, w->drag_from, w->atoms.type_list, 0, TARGETS_MAX, False,
                               XA_ATOM, &type, &format, &count, &rest, &data) == Success &&
            data)
            w->drag_target = choose(w, (const Atom *)(const void *)data, count);
        if (data)
            (void)XFree(data);
    }
}

static void drag_over(struct tdm_board_window *w, const XClientMessageEvent *e)
{
    XEvent reply = {
        .xclient = {.type = ClientMessage,
                    .window = w->drag_from,
                    .message_type = w->atoms.status,
                    .format = 32,
                    .data.l = {(long)w->window, w->drag_target != None, 0, 0,
                               w->drag_target ? (long)w->atoms.copy_action : (long)None}}};
    int x = 0, y = 0;
    Window child;

    (void)XTranslateCoordinates(w->display, DefaultRootWindow(w->display), w->window,
                                (int)(e->data.l[2] >> 16 & 0xffff), (int)(e->data.l[2] & 0xffff),
                                &x, &y, &child);
    w->at_x = x / w->scale;
    w->at_y = y / w->scale;
    (void)XSendEvent(w->display, w->drag_from, False, NoEventMask, &reply);
}

void tdm_board_window_drag(struct tdm_board_window *w, const XClientMessageEvent *e)
{
    if (e->format != 32)
        return;
    if (e->message_type == w->atoms.enter) {
        drag_enter(w, e);
    } else if (e->message_type == w->atoms.position && (Window)e->data.l[0] == w->drag_from) {
        drag_over(w, e);
    } else if (e->message_type == w->atoms.leave) {
        w->drag_from = None;
    } else if (e->message_type == w->atoms.drop_now && w->drag_from) {
        forget(w);
        if (!w->drag_target) {
            finish_drop(w);
            return;
        }
        w->bringing.dropped = true;
        w->bringing.x = w->at_x;
        w->bringing.y = w->at_y;
        ask(w, w->atoms.drop, w->drag_target);
    }
}
