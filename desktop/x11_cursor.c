/* SPDX-License-Identifier: MIT */

/* The pointer: how it looks (XFixes) and where it is (told by XInput, which does not poll). */

#include "desktop/x11.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/xfixes.h>
#include <xcb/xinput.h>

void x11_cursor_start(struct tdm_desktop *d)
{
    const struct {
        xcb_input_event_mask_t head;
        uint32_t mask;
    } motion = {{XCB_INPUT_DEVICE_ALL_MASTER, 1}, XCB_INPUT_XI_EVENT_MASK_RAW_MOTION};

    if (d->link.has_fixes)
        (void)xcb_xfixes_select_cursor_input(d->link.connection, d->link.root,
                                             XCB_XFIXES_CURSOR_NOTIFY_MASK_DISPLAY_CURSOR);
    if (d->link.has_input)
        (void)xcb_input_xi_select_events(d->link.connection, d->link.root, 1, &motion.head);
    d->cursor_changed = d->pointer_changed = true;
}

static uint64_t mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint64_t hash_of(const struct tdm_desktop_cursor *c)
{
    uint64_t h = mix(mix(c->visible, (uint64_t)c->width << 16 | c->height),
                     (uint64_t)c->hot_x << 16 | c->hot_y);

    for (size_t i = 0; i < (size_t)c->width * c->height; i++)
        h = mix(h, c->argb[i]);
    return h;
}

static uint16_t at_most(uint16_t value, uint16_t limit)
{
    return value < limit ? value : limit;
}

void x11_cursor_read(struct tdm_desktop *d)
{
    xcb_xfixes_get_cursor_image_reply_t *reply = NULL;
    uint64_t before = d->cursor.hash;

    d->cursor_changed = false;
    if (d->link.has_fixes)
        reply = xcb_xfixes_get_cursor_image_reply(
            d->link.connection, xcb_xfixes_get_cursor_image(d->link.connection), NULL);
    d->cursor = (struct tdm_desktop_cursor){.argb = d->cursor_pixels};
    if (reply) {
        const uint32_t *from = xcb_xfixes_get_cursor_image_cursor_image(reply);
        uint32_t seen = 0;

        d->cursor.width = at_most(reply->width, TDM_DESKTOP_CURSOR_MAX);
        d->cursor.height = at_most(reply->height, TDM_DESKTOP_CURSOR_MAX);
        d->cursor.hot_x = reply->xhot;
        d->cursor.hot_y = reply->yhot;
        for (size_t y = 0; y < d->cursor.height; y++)
            memcpy(d->cursor_pixels + y * d->cursor.width, from + y * reply->width,
                   (size_t)d->cursor.width * 4);
        for (size_t i = 0; i < (size_t)d->cursor.width * d->cursor.height; i++)
            seen |= d->cursor_pixels[i];
        d->cursor.visible = seen >> 24 != 0;
    }
    free(reply);
    d->cursor.hash = hash_of(&d->cursor);
    if (d->cursor.hash != before)
        d->told |= TDM_DESKTOP_TOLD_SHAPE;
}

static void place(struct tdm_desktop *d, int x, int y)
{
    struct tdm_desktop_pointer pointer = {.x = x, .y = y};

    for (size_t i = 0; i < d->surface_count && pointer.surface == 0; i++) {
        const struct tdm_rect *area = &d->surfaces[i].area;

        if (tdm_rect_empty(tdm_rect_both(*area, (struct tdm_rect){x, y, 1, 1})))
            continue;
        pointer.surface = d->surfaces[i].id;
        pointer.surface_x = x - area->x;
        pointer.surface_y = y - area->y;
    }
    if (x != d->pointer.x || y != d->pointer.y || pointer.surface != d->pointer.surface ||
        pointer.surface_x != d->pointer.surface_x || pointer.surface_y != d->pointer.surface_y)
        d->told |= TDM_DESKTOP_TOLD_POINTER;
    d->pointer = pointer;
}

void x11_pointer_read(struct tdm_desktop *d)
{
    xcb_query_pointer_reply_t *reply = xcb_query_pointer_reply(
        d->link.connection, xcb_query_pointer(d->link.connection, d->link.root), NULL);

    d->pointer_changed = false;
    if (reply)
        place(d, reply->root_x, reply->root_y);
    free(reply);
}
