/* SPDX-License-Identifier: MIT */

/*
 * What a program here copied: first which formats it has, whether a password manager marked it, and
 * whose copy it was at first; the content only when it is asked for. One conversion at a time.
 */

#include "desktop/clipboard_x11_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_MAX 4096 /* Of lists of targets and marks. */

static void convert(struct tdm_desk_clipboard *c, tdm_time now, enum tdm_x11_reading what,
                    xcb_atom_t target)
{
    tdm_x11_blob_unref(&c->read);
    c->reading = what;
    c->incremental = false;
    c->read_since = now;
    (void)xcb_delete_property(c->connection, c->window, c->atoms[TDM_ATOM_PROPERTY]);
    (void)xcb_convert_selection(c->connection, c->window, c->atoms[TDM_ATOM_CLIPBOARD], target,
                                c->atoms[TDM_ATOM_PROPERTY], XCB_CURRENT_TIME);
}

void tdm_x11_read_start(struct tdm_desk_clipboard *c, tdm_time now)
{
    if (c->reading != TDM_READ_NOTHING || c->told_content || c->content_good)
        return; /* One after the other. */
    if (c->look) {
        c->look = c->has_origin = c->has_secret = false;
        memset(c->targets, 0, sizeof c->targets);
        memset(&c->changed, 0, sizeof c->changed);
        c->changed.kind = TDM_CLIPBOARD_CHANGED;
        convert(c, now, TDM_READ_TARGETS, c->atoms[TDM_ATOM_TARGETS]);
    } else if (c->fetch) {
        c->fetch = false;
        if (!c->owner && c->targets[c->fetch_format])
            convert(c, now, TDM_READ_CONTENT, c->targets[c->fetch_format]);
        else
            c->told_content = true; /* There is none. */
    }
}

/* Better targets of one format come first in the table of atoms. */
static void take_targets(struct tdm_desk_clipboard *c)
{
    size_t count = c->read ? c->read->size / sizeof(xcb_atom_t) : 0;

    for (size_t i = 0; i < count; i++) {
        xcb_atom_t target;

        memcpy(&target, c->read->data + i * sizeof target, sizeof target);
        c->has_origin |= target == c->atoms[TDM_ATOM_ORIGIN];
        c->has_secret |= target == c->atoms[TDM_ATOM_SECRET];
        for (int a = TDM_ATOM_UTF8; a < TDM_ATOM_COUNT; a++) {
            uint8_t format = tdm_x11_clip_format_of(c, c->atoms[a]);

            if (target != c->atoms[a])
                continue;
            xcb_atom_t *best = &c->targets[format];

            for (int b = TDM_ATOM_UTF8; b <= a; b++)
                if (b == a || *best == c->atoms[b]) {
                    *best = c->atoms[b];
                    break;
                }
        }
    }
    for (uint8_t f = 0; f < TDM_X11_CLIP_FORMATS; f++)
        if (c->targets[f])
            c->changed.formats[c->changed.format_count++] =
                (struct tdm_clip_entry){.format = f, .size = TDM_CLIP_SIZE_UNKNOWN};
}

/* A conversion has ended; what is known then leads to the next, or is told. */
static void finish(struct tdm_desk_clipboard *c, tdm_time now, bool good)
{
    enum tdm_x11_reading was = c->reading;
    char text[24] = "";

    c->reading = TDM_READ_NOTHING;
    if (!good)
        tdm_x11_blob_unref(&c->read);
    if (was == TDM_READ_CONTENT) {
        c->content_good = good;
        c->told_content = true;
        if (good && !c->read)
            c->content_good = tdm_x11_blob_add(&c->read, "", 0, c->bytes_max);
        return;
    }
    if (c->read && was != TDM_READ_TARGETS)
        (void)snprintf(text, sizeof text, "%.*s", (int)c->read->size, (const char *)c->read->data);
    if (was == TDM_READ_TARGETS)
        take_targets(c);
    else if (was == TDM_READ_SECRET)
        c->changed.secret = strncmp(text, "secret", 6) == 0;
    else
        c->changed.origin = strtoull(text, NULL, 16);
    tdm_x11_blob_unref(&c->read);
    if (was == TDM_READ_TARGETS && c->has_secret)
        convert(c, now, TDM_READ_SECRET, c->atoms[TDM_ATOM_SECRET]);
    else if (was < TDM_READ_ORIGIN && c->has_origin)
        convert(c, now, TDM_READ_ORIGIN, c->atoms[TDM_ATOM_ORIGIN]);
    else
        c->told_changed = true;
}

/* Takes what is in our property, and away from it. @return its type, 0: there is no property */
static xcb_atom_t take_property(struct tdm_desk_clipboard *c, uint32_t max, uint32_t *size,
                                bool *good)
{
    xcb_get_property_reply_t *reply = xcb_get_property_reply(
        c->connection,
        xcb_get_property(c->connection, 1, c->window, c->atoms[TDM_ATOM_PROPERTY], XCB_ATOM_ANY, 0,
                         max / 4 + 1),
        NULL);
    xcb_atom_t type = reply ? reply->type : 0;

    *size = 0;
    *good = reply && reply->bytes_after == 0;
    if (*good && type && type != c->atoms[TDM_ATOM_INCR]) {
        *size = (uint32_t)xcb_get_property_value_length(reply);
        *good = tdm_x11_blob_add(&c->read, xcb_get_property_value(reply), *size, max);
    }
    free(reply);
    return type;
}

static uint32_t limit(const struct tdm_desk_clipboard *c)
{
    return c->reading == TDM_READ_CONTENT ? c->bytes_max : SMALL_MAX;
}

void tdm_x11_read_notify(struct tdm_desk_clipboard *c, tdm_time now,
                         const xcb_selection_notify_event_t *event)
{
    uint32_t size;
    bool good;

    if (c->reading == TDM_READ_NOTHING || event->requestor != c->window)
        return;
    if (event->property == XCB_NONE) {
        finish(c, now, false);
        return;
    }
    xcb_atom_t type = take_property(c, limit(c), &size, &good);

    c->read_since = now;
    if (type == c->atoms[TDM_ATOM_INCR])
        c->incremental = true; /* Taking the property away asked for the first piece. */
    else
        finish(c, now, good && type);
}

void tdm_x11_read_property(struct tdm_desk_clipboard *c, tdm_time now,
                           const xcb_property_notify_event_t *event)
{
    uint32_t size;
    bool good;

    if (!c->incremental || c->reading == TDM_READ_NOTHING ||
        event->state != XCB_PROPERTY_NEW_VALUE || event->atom != c->atoms[TDM_ATOM_PROPERTY])
        return;
    xcb_atom_t type = take_property(c, limit(c), &size, &good);

    c->read_since = now;
    if (!good || (type && size == 0))
        finish(c, now, good);
}

void tdm_x11_read_time(struct tdm_desk_clipboard *c, tdm_time now)
{
    if (c->reading != TDM_READ_NOTHING && now - c->read_since >= TDM_X11_CLIP_PATIENCE)
        finish(c, now, false);
    tdm_x11_read_start(c, now);
}
