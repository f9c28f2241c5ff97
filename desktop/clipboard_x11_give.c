/* SPDX-License-Identifier: MIT */

/*
 * What the other side offers, to programs here that paste: the clipboard is ours then. A program
 * that asks for a format waits until the content has come, which it does once; large content goes
 * piece by piece (ICCCM section 2.7.2).
 */

#include "desktop/clipboard_x11_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool offers(const struct tdm_desk_clipboard *c, uint8_t format)
{
    for (uint8_t i = 0; i < c->format_count; i++)
        if (c->formats[i].format == format)
            return true;
    return false;
}

static void notify(struct tdm_desk_clipboard *c, const struct tdm_x11_asker *a, bool good)
{
    xcb_selection_notify_event_t event = {
        .response_type = XCB_SELECTION_NOTIFY,
        .time = a->time,
        .requestor = a->window,
        .selection = c->atoms[TDM_ATOM_CLIPBOARD],
        .target = a->target,
        .property = good ? a->property : XCB_NONE,
    };
    char bytes[32] = {0};

    memcpy(bytes, &event, sizeof event);
    (void)xcb_send_event(c->connection, 0, a->window, XCB_EVENT_MASK_NO_EVENT, bytes);
}

static void put(struct tdm_desk_clipboard *c, const struct tdm_x11_asker *a, xcb_atom_t type,
                uint8_t bits, uint32_t count, const void *data)
{
    (void)xcb_change_property(c->connection, XCB_PROP_MODE_REPLACE, a->window, a->property, type,
                              bits, count, data);
}

static void forget(struct tdm_x11_asker *a)
{
    tdm_x11_blob_unref(&a->blob);
    memset(a, 0, sizeof *a);
}

static void refuse(struct tdm_desk_clipboard *c, struct tdm_x11_asker *a)
{
    notify(c, a, false);
    forget(a);
}

/* Gives an asker what has come: at once, or the announcement that it comes in pieces. */
static void give(struct tdm_desk_clipboard *c, struct tdm_x11_asker *a, tdm_time now)
{
    struct tdm_x11_blob *blob = c->have[a->format];
    uint32_t mask = XCB_EVENT_MASK_PROPERTY_CHANGE;

    if (blob->size <= TDM_X11_CLIP_PIECE) {
        put(c, a, a->target, 8, blob->size, blob->data);
        notify(c, a, true);
        forget(a);
        return;
    }
    blob->refs++;
    a->blob = blob;
    a->offset = 0;
    a->since = now;
    (void)xcb_change_window_attributes(c->connection, a->window, XCB_CW_EVENT_MASK, &mask);
    put(c, a, c->atoms[TDM_ATOM_INCR], 32, 1, &blob->size);
    notify(c, a, true);
}

/* The next format that somebody waits for is wished from the other side. */
static void wish_next(struct tdm_desk_clipboard *c)
{
    for (int i = 0; !c->wishing && i < TDM_X11_CLIP_ASKERS_MAX; i++)
        if (c->askers[i].window && !c->askers[i].blob) {
            c->wishing = c->told_wish = true;
            c->wish_format = c->askers[i].format;
        }
}

static void refuse_waiting(struct tdm_desk_clipboard *c, uint8_t format)
{
    for (int i = 0; i < TDM_X11_CLIP_ASKERS_MAX; i++)
        if (c->askers[i].window && !c->askers[i].blob &&
            (format == TDM_X11_CLIP_FORMATS || c->askers[i].format == format))
            refuse(c, &c->askers[i]);
}

void tdm_x11_give_offer(struct tdm_desk_clipboard *c, const struct tdm_clipboard_out *out)
{
    for (int f = 0; f < TDM_X11_CLIP_FORMATS; f++)
        tdm_x11_blob_unref(&c->have[f]);
    refuse_waiting(c, TDM_X11_CLIP_FORMATS);
    tdm_x11_blob_unref(&c->coming);
    c->wishing = c->told_wish = false;
    c->origin = out->origin;
    c->format_count = out->format_count;
    memcpy(c->formats, out->formats, sizeof c->formats);
    if (c->format_count || c->owner)
        (void)xcb_set_selection_owner(c->connection, c->format_count ? c->window : XCB_NONE,
                                      c->atoms[TDM_ATOM_CLIPBOARD], XCB_CURRENT_TIME);
    c->owner = c->format_count > 0;
}

void tdm_x11_give_never(struct tdm_desk_clipboard *c, uint8_t format)
{
    tdm_x11_blob_unref(&c->coming);
    if (c->wishing && c->wish_format == format)
        c->wishing = c->told_wish = false;
    refuse_waiting(c, format);
    wish_next(c);
}

void tdm_x11_give_piece(struct tdm_desk_clipboard *c, tdm_time now,
                        const struct tdm_clipboard_out *out)
{
    if (!c->wishing || out->format != c->wish_format ||
        (c->coming ? c->coming->size : 0) != out->offset)
        return;
    if (!tdm_x11_blob_add(&c->coming, out->data, out->size, c->bytes_max)) {
        tdm_x11_give_never(c, out->format);
        return;
    }
    if (!out->fin)
        return;
    tdm_x11_blob_unref(&c->have[out->format]);
    c->have[out->format] = c->coming;
    c->coming = NULL;
    c->wishing = false;
    for (int i = 0; i < TDM_X11_CLIP_ASKERS_MAX; i++)
        if (c->askers[i].window && !c->askers[i].blob && c->askers[i].format == out->format)
            give(c, &c->askers[i], now);
    wish_next(c);
}

static void give_targets(struct tdm_desk_clipboard *c, const struct tdm_x11_asker *a)
{
    xcb_atom_t targets[TDM_ATOM_COUNT];
    uint32_t count = 0;

    targets[count++] = c->atoms[TDM_ATOM_TARGETS];
    targets[count++] = c->atoms[TDM_ATOM_ORIGIN];
    for (int i = TDM_ATOM_UTF8; i < TDM_ATOM_COUNT; i++)
        if (offers(c, tdm_x11_clip_format_of(c, c->atoms[i])))
            targets[count++] = c->atoms[i];
    put(c, a, XCB_ATOM_ATOM, 32, count, targets);
    notify(c, a, true);
}

static void give_origin(struct tdm_desk_clipboard *c, const struct tdm_x11_asker *a)
{
    char text[20];
    int size = snprintf(text, sizeof text, "%" PRIx64, c->origin);

    put(c, a, a->target, 8, (uint32_t)size, text);
    notify(c, a, true);
}

static struct tdm_x11_asker *free_place(struct tdm_desk_clipboard *c)
{
    for (int i = 0; i < TDM_X11_CLIP_ASKERS_MAX; i++)
        if (!c->askers[i].window)
            return &c->askers[i];
    return NULL;
}

void tdm_x11_give_request(struct tdm_desk_clipboard *c, tdm_time now,
                          const xcb_selection_request_event_t *event)
{
    struct tdm_x11_asker asker = {
        .window = event->requestor,
        .target = event->target,
        .property = event->property ? event->property : event->target, /* Old clients. */
        .time = event->time,
        .format = tdm_x11_clip_format_of(c, event->target),
        .since = now,
    };
    struct tdm_x11_asker *place = free_place(c);

    bool ours = c->owner && event->selection == c->atoms[TDM_ATOM_CLIPBOARD];

    if (ours && event->target == c->atoms[TDM_ATOM_TARGETS]) {
        give_targets(c, &asker);
    } else if (ours && event->target == c->atoms[TDM_ATOM_ORIGIN]) {
        give_origin(c, &asker);
    } else if (!ours || !place || !offers(c, asker.format)) {
        notify(c, &asker, false);
    } else {
        *place = asker;
        if (c->have[asker.format])
            give(c, place, now);
        else
            wish_next(c);
    }
}

/* An asker took a piece away, and so asks for the next; one of no bytes is the end. */
void tdm_x11_give_property(struct tdm_desk_clipboard *c, tdm_time now,
                           const xcb_property_notify_event_t *event)
{
    uint32_t none = XCB_EVENT_MASK_NO_EVENT;

    if (event->state != XCB_PROPERTY_DELETE)
        return;
    for (int i = 0; i < TDM_X11_CLIP_ASKERS_MAX; i++) {
        struct tdm_x11_asker *a = &c->askers[i];

        if (a->window != event->window || a->property != event->atom || !a->blob)
            continue;
        uint32_t left = a->blob->size - a->offset;
        uint32_t size = left < TDM_X11_CLIP_PIECE ? left : TDM_X11_CLIP_PIECE;

        put(c, a, a->target, 8, size, a->blob->data + a->offset);
        a->offset += size;
        a->since = now;
        if (size == 0) {
            (void)xcb_change_window_attributes(c->connection, a->window, XCB_CW_EVENT_MASK, &none);
            forget(a);
        }
        return;
    }
}

void tdm_x11_give_time(struct tdm_desk_clipboard *c, tdm_time now)
{
    for (int i = 0; i < TDM_X11_CLIP_ASKERS_MAX; i++)
        if (c->askers[i].blob && now - c->askers[i].since >= TDM_X11_CLIP_PATIENCE)
            forget(&c->askers[i]);
}

void tdm_x11_give_end(struct tdm_desk_clipboard *c)
{
    for (int i = 0; i < TDM_X11_CLIP_ASKERS_MAX; i++)
        forget(&c->askers[i]);
    for (int f = 0; f < TDM_X11_CLIP_FORMATS; f++)
        tdm_x11_blob_unref(&c->have[f]);
    tdm_x11_blob_unref(&c->coming);
}
