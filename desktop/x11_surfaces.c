/* SPDX-License-Identifier: MIT */

/* What is shown of an X11 display: monitors, one of them, a window or a rectangle, as surfaces. */

#include "desktop/x11.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCALE_MIN 50
#define SCALE_MAX 800

/* Xft.dpi of the X resources, where desktops keep what the user chose: 96 is 100 %. */
static uint16_t scale_of_resources(const char *text, size_t size)
{
    static const char key[] = "Xft.dpi:";
    const char *found = memmem(text, size, key, sizeof key - 1);
    size_t at = found ? (size_t)(found - text) + sizeof key - 1 : size;
    unsigned dpi = 0;

    while (at < size && (text[at] == ' ' || text[at] == '\t'))
        at++;
    for (; at < size && text[at] >= '0' && text[at] <= '9' && dpi < 10000; at++)
        dpi = dpi * 10 + (unsigned)(text[at] - '0');
    unsigned percent = (dpi * 100 + 48) / 96;

    return percent >= SCALE_MIN && percent <= SCALE_MAX ? (uint16_t)percent : 100;
}

void x11_surfaces_read_scale(struct tdm_desktop *d)
{
    xcb_get_property_reply_t *reply = xcb_get_property_reply(
        d->link.connection,
        xcb_get_property(d->link.connection, 0, d->link.root, XCB_ATOM_RESOURCE_MANAGER,
                         XCB_ATOM_STRING, 0, 16384),
        NULL);

    d->scale_percent = 100;
    if (reply)
        d->scale_percent = scale_of_resources(xcb_get_property_value(reply),
                                              (size_t)xcb_get_property_value_length(reply));
    free(reply);
}

static bool is_before(const struct x11_monitor *a, const struct x11_monitor *b)
{
    return a->area.x != b->area.x ? a->area.x < b->area.x : a->area.y < b->area.y;
}

/* Keeps them from left to right, then down. One that mirrors another is the same to see. */
static void add_monitor(struct tdm_desktop *d, const struct x11_monitor *monitor)
{
    size_t at = d->monitor_count;

    if (at == X11_MONITORS_MAX || tdm_rect_empty(monitor->area))
        return;
    for (size_t i = 0; i < d->monitor_count; i++)
        if (tdm_rect_equal(d->monitors[i].area, monitor->area))
            return;
    for (; at > 0 && is_before(monitor, &d->monitors[at - 1]); at--)
        d->monitors[at] = d->monitors[at - 1];
    d->monitors[at] = *monitor;
    d->monitor_count++;
}

void x11_surfaces_read_monitors(struct tdm_desktop *d)
{
    const struct tdm_rect root = {0, 0, d->link.width, d->link.height};
    xcb_randr_get_monitors_reply_t *reply = NULL;

    d->monitors_changed = false;
    d->monitor_count = 0;
    if (d->link.has_randr)
        reply = xcb_randr_get_monitors_reply(
            d->link.connection, xcb_randr_get_monitors(d->link.connection, d->link.root, 1), NULL);
    if (reply)
        for (xcb_randr_monitor_info_iterator_t it = xcb_randr_get_monitors_monitors_iterator(reply);
             it.rem; xcb_randr_monitor_info_next(&it)) {
            struct tdm_rect area = {it.data->x, it.data->y, it.data->width, it.data->height};

            add_monitor(d, &(struct x11_monitor){.name = it.data->name,
                                                 .area = tdm_rect_both(area, root),
                                                 .primary = it.data->primary});
        }
    free(reply);
    if (d->monitor_count == 0)
        add_monitor(d, &(struct x11_monitor){.area = root, .primary = true});
}

static bool is_plugged_in(const struct tdm_desktop *d, xcb_atom_t name)
{
    for (size_t i = 0; i < d->monitor_count; i++)
        if (d->monitors[i].name == name)
            return true;
    return false;
}

/* The id that a monitor of this name had before, a free one, or that of one that went. */
static uint16_t id_of_name(struct tdm_desktop *d, xcb_atom_t name, bool taken[X11_MONITORS_MAX])
{
    size_t at = X11_MONITORS_MAX;

    for (size_t i = X11_MONITORS_MAX; i-- > 0;)
        if (d->id_names[i] == name && name != XCB_ATOM_NONE)
            at = i;
    for (size_t i = X11_MONITORS_MAX; at == X11_MONITORS_MAX && i-- > 0;)
        if (d->id_names[i] == XCB_ATOM_NONE && !taken[i] &&
            (i == 0 || d->id_names[i - 1] != XCB_ATOM_NONE || taken[i - 1]))
            at = i;
    for (size_t i = X11_MONITORS_MAX; at == X11_MONITORS_MAX && i-- > 0;)
        if (!taken[i] && !is_plugged_in(d, d->id_names[i]))
            at = i;
    assert(at < X11_MONITORS_MAX); /* As many ids as monitors. */
    taken[at] = true;
    d->id_names[at] = name;
    return (uint16_t)(at + 1);
}

static void name_of_atom(struct tdm_desktop *d, xcb_atom_t atom, char name[64])
{
    xcb_get_atom_name_reply_t *reply = NULL;

    if (atom != XCB_ATOM_NONE)
        reply = xcb_get_atom_name_reply(d->link.connection,
                                        xcb_get_atom_name(d->link.connection, atom), NULL);
    if (reply)
        (void)snprintf(name, 64, "%.*s", xcb_get_atom_name_name_length(reply),
                       xcb_get_atom_name_name(reply));
    else
        (void)snprintf(name, 64, "screen");
    free(reply);
}

static void add_surface(struct tdm_desktop *d, const struct tdm_desktop_surface *surface)
{
    if (d->surface_count < TDM_DESKTOP_SURFACES_MAX && !tdm_rect_empty(surface->area))
        d->surfaces[d->surface_count++] = *surface;
}

static void add_monitors(struct tdm_desktop *d)
{
    bool taken[X11_MONITORS_MAX] = {false};

    for (size_t i = 0; i < d->monitor_count; i++) {
        const struct x11_monitor *m = &d->monitors[i];

        if (d->pick.what == TDM_DESKTOP_OUTPUT && (size_t)d->pick.number != i + 1)
            continue;
        struct tdm_desktop_surface surface = {
            .id = id_of_name(d, m->name, taken), .area = m->area, .primary = m->primary};

        name_of_atom(d, m->name, surface.name);
        add_surface(d, &surface);
    }
}

static int at_most(int side)
{
    return side < TDM_DESKTOP_SIDE_MAX ? side : TDM_DESKTOP_SIDE_MAX;
}

static void add_window(struct tdm_desktop *d)
{
    const struct x11_top *top = x11_windows_find(d, d->pick.window);

    if (!top)
        return;
    struct tdm_desktop_surface surface = {.id = 1, .area = top->area, .primary = true};

    surface.area.width = at_most(surface.area.width);
    surface.area.height = at_most(surface.area.height);
    (void)snprintf(surface.name, sizeof surface.name, "%.63s",
                   *top->title ? top->title : top->class_name);
    add_surface(d, &surface);
}

static void add_rect(struct tdm_desktop *d)
{
    const struct tdm_rect root = {0, 0, d->link.width, d->link.height};
    struct tdm_desktop_surface surface = {
        .id = 1, .area = tdm_rect_both(d->pick.rect, root), .primary = true};

    (void)snprintf(surface.name, sizeof surface.name, "%dx%d+%d+%d", surface.area.width,
                   surface.area.height, surface.area.x, surface.area.y);
    add_surface(d, &surface);
}

static const struct tdm_desktop_surface *same_id(const struct tdm_desktop_surface *list,
                                                 size_t count, uint16_t id)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].id == id)
            return &list[i];
    return NULL;
}

static bool same_surface(const struct tdm_desktop_surface *a, const struct tdm_desktop_surface *b)
{
    return tdm_rect_equal(a->area, b->area) && a->generation == b->generation &&
           a->scale_percent == b->scale_percent && a->primary == b->primary &&
           strcmp(a->name, b->name) == 0;
}

/* Generations, what is dirty and what is told, by what was there before. */
static void compare(struct tdm_desktop *d, const struct tdm_desktop_surface *before, size_t count)
{
    bool changed = count != d->surface_count;

    for (size_t i = 0; i < d->surface_count; i++) {
        struct tdm_desktop_surface *now = &d->surfaces[i];
        const struct tdm_desktop_surface *was = same_id(before, count, now->id);

        now->scale_percent = d->scale_percent;
        if (was && was->area.width == now->area.width && was->area.height == now->area.height)
            now->generation = was->generation;
        else
            now->generation = ++d->generation;
        if (!was || !tdm_rect_equal(was->area, now->area))
            x11_dirty(d, now->area);
        changed = changed || !was || !same_surface(was, now);
    }
    if (changed)
        d->told |= TDM_DESKTOP_TOLD_SURFACES;
}

static enum tdm_err nothing(const struct tdm_desktop *d, struct tdm_cause *cause)
{
    if (d->pick.what == TDM_DESKTOP_WINDOW)
        return tdm_fail(cause, TDM_E_GONE,
                        "there is no window 0x%x: it may have closed; choose another",
                        d->pick.window);
    if (d->pick.what == TDM_DESKTOP_OUTPUT)
        return tdm_fail(cause, TDM_E_GONE, "there is no monitor %d: display \"%s\" has %zu",
                        d->pick.number, d->link.display, d->monitor_count);
    return tdm_fail(cause, TDM_E_GONE, "the rectangle %dx%d+%d+%d is outside of the screen (%dx%d)",
                    d->pick.rect.width, d->pick.rect.height, d->pick.rect.x, d->pick.rect.y,
                    d->link.width, d->link.height);
}

enum tdm_err x11_surfaces_update(struct tdm_desktop *d, struct tdm_cause *cause)
{
    struct tdm_desktop_surface before[TDM_DESKTOP_SURFACES_MAX];
    size_t count = d->surface_count;

    memcpy(before, d->surfaces, sizeof before);
    memset(d->surfaces, 0, sizeof d->surfaces);
    d->surface_count = 0;
    switch (d->pick.what) {
    case TDM_DESKTOP_ALL:
    case TDM_DESKTOP_OUTPUT:
        add_monitors(d);
        break;
    case TDM_DESKTOP_WINDOW:
        add_window(d);
        break;
    case TDM_DESKTOP_RECT:
        add_rect(d);
        break;
    }
    compare(d, before, count);
    return d->surface_count > 0 ? TDM_OK : nothing(d, cause);
}

bool x11_surface_is_there(const struct tdm_desktop *d, const struct tdm_desktop_surface *surface)
{
    const struct tdm_desktop_surface *now = same_id(d->surfaces, d->surface_count, surface->id);

    return now && !d->monitors_changed && now->generation == surface->generation &&
           tdm_rect_equal(now->area, surface->area);
}
