/* SPDX-License-Identifier: MIT */
#include "desktop/clipboard_x11_state.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/xfixes.h>

static const char *const atom_names[TDM_ATOM_COUNT] = {
    [TDM_ATOM_CLIPBOARD] = "CLIPBOARD",
    [TDM_ATOM_TARGETS] = "TARGETS",
    [TDM_ATOM_INCR] = "INCR",
    [TDM_ATOM_PROPERTY] = "TANDEM_CLIPBOARD",
    [TDM_ATOM_ORIGIN] = "application/x-tandem-origin",
    [TDM_ATOM_SECRET] = "x-kde-passwordManagerHint",
    [TDM_ATOM_UTF8] = "UTF8_STRING",
    [TDM_ATOM_PLAIN_UTF8] = "text/plain;charset=utf-8",
    [TDM_ATOM_PLAIN] = "text/plain",
    [TDM_ATOM_HTML] = "text/html",
    [TDM_ATOM_PNG] = "image/png",
    [TDM_ATOM_URIS] = "text/uri-list",
};

bool tdm_x11_blob_add(struct tdm_x11_blob **blob, const void *data, size_t size, uint32_t max)
{
    uint32_t used = *blob ? (*blob)->size : 0, room = *blob ? (*blob)->room : 0;

    if (size > max - used) {
        tdm_x11_blob_unref(blob);
        return false;
    }
    if (!*blob || size > room - used) {
        uint32_t wanted = used + (uint32_t)size;

        room = wanted > max / 2 ? max : wanted * 2;
        struct tdm_x11_blob *grown = realloc(*blob, sizeof *grown + room);

        if (!grown) {
            tdm_x11_blob_unref(blob);
            return false;
        }
        grown->refs = 1;
        grown->size = used;
        grown->room = room;
        *blob = grown;
    }
    if (size)
        memcpy((*blob)->data + used, data, size);
    (*blob)->size += (uint32_t)size;
    return true;
}

void tdm_x11_blob_unref(struct tdm_x11_blob **blob)
{
    if (*blob && --(*blob)->refs == 0)
        free(*blob);
    *blob = NULL;
}

uint8_t tdm_x11_clip_format_of(const struct tdm_desk_clipboard *c, xcb_atom_t target)
{
    static const uint8_t formats[TDM_ATOM_COUNT] = {
        [TDM_ATOM_UTF8] = TDM_CLIP_TEXT,  [TDM_ATOM_PLAIN_UTF8] = TDM_CLIP_TEXT,
        [TDM_ATOM_PLAIN] = TDM_CLIP_TEXT, [TDM_ATOM_HTML] = TDM_CLIP_HTML,
        [TDM_ATOM_PNG] = TDM_CLIP_PNG,    [TDM_ATOM_URIS] = TDM_CLIP_FILES,
    };

    for (int i = TDM_ATOM_UTF8; i < TDM_ATOM_COUNT; i++)
        if (c->atoms[i] == target)
            return formats[i];
    return TDM_X11_CLIP_FORMATS;
}

static bool intern(struct tdm_desk_clipboard *c)
{
    xcb_intern_atom_cookie_t cookies[TDM_ATOM_COUNT];
    bool good = true;

    for (int i = 0; i < TDM_ATOM_COUNT; i++)
        cookies[i] =
            xcb_intern_atom(c->connection, 0, (uint16_t)strlen(atom_names[i]), atom_names[i]);
    for (int i = 0; i < TDM_ATOM_COUNT; i++) {
        xcb_intern_atom_reply_t *reply = xcb_intern_atom_reply(c->connection, cookies[i], NULL);

        good &= reply != NULL;
        c->atoms[i] = reply ? reply->atom : 0;
        free(reply);
    }
    return good;
}

/* A window of our own that owns and receives, and word of other owners. */
static bool listen_to_owners(struct tdm_desk_clipboard *c)
{
    const xcb_query_extension_reply_t *ext = xcb_get_extension_data(c->connection, &xcb_xfixes_id);
    xcb_window_t root = xcb_setup_roots_iterator(xcb_get_setup(c->connection)).data->root;
    uint32_t mask = XCB_EVENT_MASK_PROPERTY_CHANGE;

    if (!ext || !ext->present)
        return false;
    c->fixes_event = ext->first_event;
    free(xcb_xfixes_query_version_reply(c->connection,
                                        xcb_xfixes_query_version(c->connection, 1, 0), NULL));
    c->window = xcb_generate_id(c->connection);
    (void)xcb_create_window(c->connection, XCB_COPY_FROM_PARENT, c->window, root, -1, -1, 1, 1, 0,
                            XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT, XCB_CW_EVENT_MASK,
                            &mask);
    xcb_generic_error_t *error =
        xcb_request_check(c->connection, xcb_xfixes_select_selection_input_checked(
                                             c->connection, c->window, c->atoms[TDM_ATOM_CLIPBOARD],
                                             XCB_XFIXES_SELECTION_EVENT_MASK_SET_SELECTION_OWNER));

    free(error);
    return error == NULL;
}

enum tdm_err tdm_desk_clipboard_create(const char *display, uint32_t bytes_max,
                                       struct tdm_desk_clipboard **clipboard,
                                       struct tdm_cause *cause)
{
    struct tdm_desk_clipboard *c = calloc(1, sizeof *c);

    if (!c)
        return tdm_fail(cause, TDM_E_SPACE, "out of memory: close other programs");
    c->bytes_max = bytes_max;
    c->connection = xcb_connect(display, NULL);
    if (xcb_connection_has_error(c->connection)) {
        tdm_desk_clipboard_destroy(c);
        return tdm_fail(cause, TDM_E_GONE, "cannot open display %s: set DISPLAY, or log in there",
                        display ? display : "of this session");
    }
    if (!intern(c) || !listen_to_owners(c)) {
        tdm_desk_clipboard_destroy(c);
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "this display's clipboard cannot be shared: its server has no XFIXES");
    }
    *clipboard = c;
    return TDM_OK;
}

void tdm_desk_clipboard_destroy(struct tdm_desk_clipboard *c)
{
    if (!c)
        return;
    tdm_x11_give_end(c);
    tdm_x11_blob_unref(&c->read);
    xcb_disconnect(c->connection);
    free(c);
}

int tdm_desk_clipboard_fd(struct tdm_desk_clipboard *c)
{
    return xcb_get_file_descriptor(c->connection);
}

static void take_event(struct tdm_desk_clipboard *c, tdm_time now, const xcb_generic_event_t *event)
{
    uint8_t type = event->response_type & 0x7f;

    if (type == c->fixes_event + XCB_XFIXES_SELECTION_NOTIFY) {
        const xcb_xfixes_selection_notify_event_t *n = (const void *)event;

        c->look |= n->owner != c->window;
        c->owner &= n->owner == c->window;
    } else if (type == XCB_SELECTION_REQUEST) {
        tdm_x11_give_request(c, now, (const void *)event);
    } else if (type == XCB_SELECTION_NOTIFY) {
        tdm_x11_read_notify(c, now, (const void *)event);
    } else if (type == XCB_PROPERTY_NOTIFY) {
        const xcb_property_notify_event_t *n = (const void *)event;

        if (n->window == c->window)
            tdm_x11_read_property(c, now, n);
        else
            tdm_x11_give_property(c, now, n);
    }
}

enum tdm_desk_clipboard_event tdm_desk_clipboard_next(struct tdm_desk_clipboard *c, tdm_time now,
                                                      struct tdm_clipboard_in *in)
{
    xcb_generic_event_t *event;

    memset(in, 0, sizeof *in);
    while ((event = xcb_poll_for_event(c->connection))) {
        take_event(c, now, event);
        free(event);
    }
    if (xcb_connection_has_error(c->connection))
        return TDM_DESK_CLIPBOARD_GONE;
    tdm_x11_read_time(c, now);
    tdm_x11_give_time(c, now);
    (void)xcb_flush(c->connection);
    if (c->told_changed) {
        c->told_changed = false;
        *in = c->changed;
        return TDM_DESK_CLIPBOARD_CHANGED;
    }
    if (c->told_content) {
        c->told_content = false;
        in->kind = TDM_CLIPBOARD_CONTENT;
        in->format = c->fetch_format;
        in->content = c->content_good ? c->read->data : NULL;
        in->size = c->content_good ? c->read->size : 0;
        return TDM_DESK_CLIPBOARD_CONTENT;
    }
    if (c->told_wish) {
        c->told_wish = false;
        in->kind = TDM_CLIPBOARD_WISH;
        in->format = c->wish_format;
        return TDM_DESK_CLIPBOARD_WISH;
    }
    return TDM_DESK_CLIPBOARD_NOTHING;
}

static void forget_content(struct tdm_desk_clipboard *c)
{
    c->fetch = c->told_content = c->content_good = false;
    if (c->reading == TDM_READ_CONTENT)
        c->reading = TDM_READ_NOTHING;
    if (c->reading == TDM_READ_NOTHING)
        tdm_x11_blob_unref(&c->read);
}

void tdm_desk_clipboard_perform(struct tdm_desk_clipboard *c, tdm_time now,
                                const struct tdm_clipboard_out *out)
{
    switch (out->desk) {
    case TDM_CLIPBOARD_DESK_NONE:
        return;
    case TDM_CLIPBOARD_DESK_OFFER:
        tdm_x11_give_offer(c, out);
        break;
    case TDM_CLIPBOARD_DESK_FETCH:
        forget_content(c);
        c->fetch = true;
        c->fetch_format = out->format;
        break;
    case TDM_CLIPBOARD_DESK_DONE:
        forget_content(c);
        break;
    case TDM_CLIPBOARD_DESK_PIECE:
        tdm_x11_give_piece(c, now, out);
        break;
    case TDM_CLIPBOARD_DESK_NEVER:
        tdm_x11_give_never(c, out->format);
        break;
    }
    tdm_x11_read_start(c, now);
    (void)xcb_flush(c->connection);
}
