/* SPDX-License-Identifier: MIT */

/*
 * An X11 display as a desktop: x11, or x11:DISPLAY. What the parts do is x11.h.
 *
 * Masks hold although windows move while pixels are taken: the server sends events in the order in
 * which things happened, so that whatever moved before the pixels were taken is known once they are
 * here. What is masked before or after is grey.
 */

#include "desktop/x11.h"
#include "desktop/registry.h"
#include "engine/base/bgrx.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xcb/screensaver.h>
#include <xcb/xfixes.h>
#include <xcb/xinput.h>

#define POINTER_EVERY (4 * TDM_MS) /* A fast mouse moves 1000 times a second. */

void x11_dirty(struct tdm_desktop *d, struct tdm_rect rect)
{
    if (d->dirty.count == 0)
        d->dirty_at = tdm_clock_now();
    tdm_region_add_near(&d->dirty, rect);
}

static void on_damage(struct tdm_desktop *d, const xcb_damage_notify_event_t *e)
{
    const struct tdm_rect rect = {e->area.x, e->area.y, e->area.width, e->area.height};

    if (d->heard.count == 0)
        d->heard_at = tdm_clock_now();
    tdm_region_add_near(&d->heard, rect);
    x11_look_hinted(d, rect);
    tdm_look_hinted(&d->look, d->heard_at);
}

static void on_event(struct tdm_desktop *d, const xcb_generic_event_t *event)
{
    const struct x11_link *link = &d->link;
    uint8_t type = event->response_type & 0x7f;

    if (link->damage && type == link->damage_event)
        on_damage(d, (const void *)event);
    else if (x11_windows_event(d, event))
        return;
    else if (link->has_fixes && type == link->fixes_event)
        d->cursor_changed = true;
    else if (link->has_randr && (type == link->randr_event + XCB_RANDR_SCREEN_CHANGE_NOTIFY ||
                                 type == link->randr_event + XCB_RANDR_NOTIFY))
        d->monitors_changed = true;
    else if (link->has_saver && type == link->saver_event)
        d->saver_on =
            ((const xcb_screensaver_notify_event_t *)event)->state == XCB_SCREENSAVER_STATE_ON;
    else if (type == XCB_GE_GENERIC && link->has_input &&
             ((const xcb_ge_generic_event_t *)event)->extension == link->input_opcode)
        d->pointer_changed = true;
}

enum where { QUEUED, ANYWHERE };

static xcb_generic_event_t *next_event(struct tdm_desktop *d, enum where where)
{
    xcb_generic_event_t *event = d->held;

    d->held = NULL;
    if (event)
        return event;
    return where == QUEUED ? xcb_poll_for_queued_event(d->link.connection)
                           : xcb_poll_for_event(d->link.connection);
}

static void take_events(struct tdm_desktop *d, enum where where)
{
    xcb_generic_event_t *event;

    while ((event = next_event(d, where))) {
        on_event(d, event);
        free(event);
    }
}

void x11_events_before(struct tdm_desktop *d, const struct x11_pixels *pixels)
{
    xcb_generic_event_t *event;

    while ((event = next_event(d, QUEUED))) {
        if ((int32_t)(event->full_sequence - pixels->sequence) >= 0) {
            d->held = event;
            return;
        }
        on_event(d, event);
        free(event);
    }
}

static bool has_more(const struct tdm_desktop *d)
{
    return d->heard.count > 0 || d->dirty.count > 0 || d->windows_changed || d->monitors_changed ||
           d->cursor_changed || d->told != 0;
}

/* Events that came with an answer do not make the connection readable any more. A pointer that was
 * known to have moved waits for its time. */
static void tell_early_events(struct tdm_desktop *d)
{
    bool pointer_known = d->pointer_changed;

    take_events(d, QUEUED);
    if (has_more(d) || d->pointer_changed != pointer_known)
        tdm_wake_signal(d->wake_fd);
}

/* What was heard of may be told from here on: a draw that comes later is told again. */
static void subtract_damage(struct tdm_desktop *d)
{
    if (d->heard.count == 0)
        return;
    (void)xcb_damage_subtract(d->link.connection, d->link.damage, XCB_NONE, XCB_NONE);
    (void)xcb_flush(d->link.connection);
    for (size_t i = 0; i < d->heard.count; i++)
        x11_dirty(d, d->heard.rects[i]);
    d->dirty_at = tdm_time_min(d->dirty_at, d->heard_at);
    d->heard.count = 0;
}

static void change_masks(struct tdm_desktop *d)
{
    struct tdm_region before = d->masks;

    d->windows_changed = false;
    x11_windows_read(d);
    x11_rules_apply(d);
    x11_masks_compute(d, &d->masks);
    if (x11_windows_list(d))
        d->told |= TDM_DESKTOP_TOLD_WINDOWS;
    if (tdm_region_same(&before, &d->masks))
        return;
    for (size_t i = 0; i < before.count; i++)
        x11_dirty(d, before.rects[i]);
    for (size_t i = 0; i < d->masks.count; i++)
        x11_dirty(d, d->masks.rects[i]);
}

static void change_surfaces(struct tdm_desktop *d, tdm_time now)
{
    struct tdm_cause unused;

    if (d->monitors_changed)
        x11_surfaces_read_monitors(d);
    enum tdm_err err = x11_surfaces_update(d, &unused); /* The state says that there is none. */

    if (d->told & TDM_DESKTOP_TOLD_SURFACES) {
        err = x11_look_start(d, now, &unused); /* Without memory for it hints must do. */
        d->pointer_changed = true;
    }
    (void)err;
}

static enum tdm_desktop_state state_of(struct tdm_desktop *d)
{
    if (d->surface_count == 0)
        return TDM_DESKTOP_NOTHING;
    if (d->pick.what == TDM_DESKTOP_WINDOW) {
        const struct x11_top *top = x11_windows_find(d, d->pick.window);

        if (top && !top->mapped)
            return TDM_DESKTOP_HIDDEN;
    }
    if (x11_is_lock(d))
        return TDM_DESKTOP_LOCKED;
    return d->saver_on ? TDM_DESKTOP_ASLEEP : TDM_DESKTOP_SHOWN;
}

/* Brings everything up to date with the events, and those events that come meanwhile. */
static void follow(struct tdm_desktop *d, tdm_time now)
{
    bool windows = d->windows_changed;

    if (windows)
        change_masks(d);
    if (d->monitors_changed || (windows && d->pick.what == TDM_DESKTOP_WINDOW))
        change_surfaces(d, now);
    if (d->cursor_changed)
        x11_cursor_read(d);
    if (d->pointer_changed && now - d->pointer_at >= POINTER_EVERY) {
        d->pointer_at = now;
        x11_pointer_read(d);
    }
}

/* The dirty parts of one surface; the last takes what has no room, up to `limit` in `out`. */
static void put_dirty(const struct tdm_desktop *d, const struct tdm_desktop_surface *surface,
                      size_t limit, struct tdm_desktop_out *out)
{
    size_t first = out->dirty_count;

    for (size_t i = 0; i < d->dirty.count; i++) {
        struct tdm_rect rect = tdm_rect_both(d->dirty.rects[i], surface->area);

        if (tdm_rect_empty(rect))
            continue;
        rect.x -= surface->area.x;
        rect.y -= surface->area.y;
        if (out->dirty_count < limit || out->dirty_count == first) {
            out->dirty[out->dirty_count++] =
                (struct tdm_desktop_dirty){.surface = surface->id, .rect = rect};
        } else {
            struct tdm_rect *last = &out->dirty[out->dirty_count - 1].rect;

            *last = tdm_rect_around(*last, rect);
        }
    }
}

static void put_out(struct tdm_desktop *d, struct tdm_desktop_out *out)
{
    for (size_t i = 0; i < d->surface_count; i++)
        put_dirty(d, &d->surfaces[i], TDM_DESKTOP_DIRTY_MAX - (d->surface_count - 1 - i), out);
    if (out->dirty_count > 0)
        out->dirty_at = d->dirty_at;
    d->dirty.count = 0;
    enum tdm_desktop_state state = state_of(d);

    if (state != d->state)
        d->told |= TDM_DESKTOP_TOLD_STATE;
    d->state = out->state = state;
    out->told = d->told;
    d->told = 0;
    out->hints = d->look.trusted;
    out->wake_at = d->look.due;
    if (d->pointer_changed)
        out->wake_at = tdm_time_min(out->wake_at, d->pointer_at + POINTER_EVERY);
}

static enum tdm_err step(struct tdm_desktop *d, tdm_time now, struct tdm_desktop_out *out,
                         struct tdm_cause *cause)
{
    *out = (struct tdm_desktop_out){.dirty_at = TDM_NEVER};
    tdm_wake_clear(d->wake_fd);
    take_events(d, ANYWHERE);
    subtract_damage(d);
    follow(d, now);
    x11_look(d, now);
    if (x11_link_gone(&d->link))
        return x11_link_lost(&d->link, cause);
    put_out(d, out);
    tell_early_events(d);
    return TDM_OK;
}

static void fill(uint8_t *pixels, ptrdiff_t stride, struct tdm_rect rect)
{
    for (int y = rect.y; y < rect.y + rect.height; y++) {
        uint32_t *row = (uint32_t *)(void *)(pixels + y * stride) + rect.x;

        for (int x = 0; x < rect.width; x++)
            row[x] = TDM_DESKTOP_GREY;
    }
}

static void copy(uint8_t *pixels, ptrdiff_t stride, struct tdm_rect rect,
                 const struct x11_pixels *from)
{
    for (int y = 0; y < rect.height; y++)
        tdm_bgrx_copy(pixels + (rect.y + y) * stride + (ptrdiff_t)4 * rect.x,
                      from->data + y * from->stride, (size_t)rect.width);
}

static struct tdm_rect moved(struct tdm_rect rect, int x, int y)
{
    return (struct tdm_rect){rect.x + x, rect.y + y, rect.width, rect.height};
}

static void grey(const struct tdm_region *masks, const struct tdm_desktop_surface *surface,
                 struct tdm_rect rect, uint8_t *pixels, ptrdiff_t stride)
{
    for (size_t i = 0; i < masks->count; i++) {
        struct tdm_rect mask = moved(masks->rects[i], -surface->area.x, -surface->area.y);

        mask = tdm_rect_both(mask, rect);
        if (!tdm_rect_empty(mask))
            fill(pixels, stride, mask);
    }
}

/* As many rows as one answer holds. */
static enum tdm_err grab_rows(struct tdm_desktop *d, const struct tdm_desktop_surface *surface,
                              struct tdm_rect rect, uint8_t *pixels, ptrdiff_t stride)
{
    const struct tdm_rect root = {0, 0, d->link.width, d->link.height};
    struct tdm_rect there = tdm_rect_both(moved(rect, surface->area.x, surface->area.y), root);
    struct tdm_rect here = moved(there, -surface->area.x, -surface->area.y);
    struct tdm_region before = d->masks;
    struct x11_pixels from;

    if (!tdm_rect_equal(here, rect))
        fill(pixels, stride, rect); /* A window that hangs over the screen's edge. */
    if (tdm_rect_empty(there))
        return TDM_OK;
    enum tdm_err err = x11_link_grab(&d->link, there, &from);

    if (err)
        return err;
    x11_events_before(d, &from);
    if (d->windows_changed) {
        bool moved_away = d->pick.what == TDM_DESKTOP_WINDOW;

        change_masks(d);
        if (moved_away) {
            const struct x11_top *top = x11_windows_find(d, d->pick.window);

            moved_away = !top || !tdm_rect_equal(top->area, surface->area);
            d->windows_changed = true; /* The surfaces follow in the next step. */
        }
        if (moved_away) {
            x11_link_release(&from);
            return TDM_E_AGAIN;
        }
    }
    copy(pixels, stride, here, &from);
    x11_link_release(&from);
    grey(&before, surface, rect, pixels, stride);
    grey(&d->masks, surface, rect, pixels, stride);
    return d->monitors_changed ? TDM_E_AGAIN : TDM_OK;
}

static enum tdm_err grab(struct tdm_desktop *d, const struct tdm_desktop_surface *surface,
                         struct tdm_rect rect, uint8_t *pixels, ptrdiff_t stride,
                         struct tdm_cause *cause)
{
    const struct tdm_rect sides = {0, 0, surface->area.width, surface->area.height};
    int rows = x11_link_rows(&d->link, rect.width);
    enum tdm_err err = x11_surface_is_there(d, surface) ? TDM_OK : TDM_E_AGAIN;

    assert(!tdm_rect_empty(rect) && tdm_rect_equal(tdm_rect_both(rect, sides), rect));
    for (int y = 0; !err && y < rect.height; y += rows) {
        struct tdm_rect part = {rect.x, rect.y + y, rect.width,
                                rect.height - y < rows ? rect.height - y : rows};

        err = grab_rows(d, surface, part, pixels, stride);
    }
    if (x11_link_gone(&d->link))
        return x11_link_lost(&d->link, cause);
    tell_early_events(d);
    return err;
}

static void close_desktop(struct tdm_desktop *d)
{
    if (!d)
        return;
    x11_link_close(&d->link);
    free(d->held);
    if (d->fd >= 0)
        (void)close(d->fd);
    if (d->wake_fd >= 0)
        (void)close(d->wake_fd);
    free(d->tile_hashes);
    free(d);
}

static void read_saver(struct tdm_desktop *d)
{
    xcb_screensaver_query_info_reply_t *reply = NULL;

    if (d->link.has_saver)
        reply = xcb_screensaver_query_info_reply(
            d->link.connection, xcb_screensaver_query_info(d->link.connection, d->link.root), NULL);
    d->saver_on = reply && reply->state == XCB_SCREENSAVER_STATE_ON;
    free(reply);
}

static enum tdm_err start(struct tdm_desktop *d, const struct tdm_desktop_config *config,
                          struct tdm_cause *cause)
{
    enum tdm_err err = x11_link_open(&d->link, config->argument, !config->distrust_hints, cause);

    if (err)
        return err;
    d->wake_fd = tdm_wake_open(cause);
    if (d->wake_fd >= 0)
        d->fd = tdm_wake_join(d->wake_fd, xcb_get_file_descriptor(d->link.connection), cause);
    if (d->fd < 0)
        return TDM_E_SYSTEM;
    x11_windows_start(d);
    x11_cursor_start(d);
    read_saver(d);
    x11_surfaces_read_scale(d);
    x11_surfaces_read_monitors(d);
    change_masks(d);
    err = x11_surfaces_update(d, cause);
    if (!err)
        err = x11_look_start(d, tdm_clock_now(), cause);
    if (!err && x11_link_gone(&d->link))
        err = x11_link_lost(&d->link, cause);
    tell_early_events(d);
    return err;
}

static enum tdm_err open_desktop(const struct tdm_desktop_config *config,
                                 struct tdm_desktop **desktop, struct tdm_cause *cause)
{
    struct tdm_desktop *d = calloc(1, sizeof *d);

    assert(config->never_count <= TDM_DESKTOP_RULES_MAX);
    if (!d)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the desktop: close some programs");
    d->wake_fd = d->fd = -1;
    d->pick = config->pick;
    d->rule_count = config->never_count;
    for (size_t i = 0; i < d->rule_count; i++)
        d->rules[i] = config->never[i];
    enum tdm_err err = start(d, config, cause);

    if (err) {
        close_desktop(d);
        return err;
    }
    *desktop = d;
    return TDM_OK;
}

static int desktop_fd(const struct tdm_desktop *d)
{
    return d->fd;
}

static size_t surfaces(const struct tdm_desktop *d, const struct tdm_desktop_surface **list)
{
    *list = d->surfaces;
    return d->surface_count;
}

static void cursor(const struct tdm_desktop *d, struct tdm_desktop_cursor *out)
{
    *out = d->cursor;
}

static void pointer(const struct tdm_desktop *d, struct tdm_desktop_pointer *out)
{
    *out = d->pointer;
}

static size_t windows(const struct tdm_desktop *d, const struct tdm_desktop_window **list)
{
    *list = d->windows;
    return d->window_count;
}

static enum tdm_err select_pick(struct tdm_desktop *d, const struct tdm_desktop_pick *pick,
                                struct tdm_cause *cause)
{
    struct tdm_desktop_pick before = d->pick;

    d->pick = *pick;
    enum tdm_err err = x11_surfaces_update(d, cause);

    if (err) {
        d->pick = before;
        (void)x11_surfaces_update(d, NULL);
        return err;
    }
    /* Even with the same sides it is another picture. */
    for (size_t i = 0; i < d->surface_count; i++) {
        d->surfaces[i].generation = ++d->generation;
        x11_dirty(d, d->surfaces[i].area);
    }
    d->told |= TDM_DESKTOP_TOLD_SURFACES;
    err = x11_look_start(d, tdm_clock_now(), cause);
    change_masks(d);
    d->pointer_changed = true;
    tell_early_events(d);
    return err;
}

static enum tdm_err never(struct tdm_desktop *d, const struct tdm_desktop_rule *rules, size_t count,
                          struct tdm_cause *cause)
{
    if (count > TDM_DESKTOP_RULES_MAX)
        return tdm_fail(cause, TDM_E_SPACE, "at most %d rules for windows that are never shown",
                        TDM_DESKTOP_RULES_MAX);
    for (size_t i = 0; i < count; i++)
        d->rules[i] = rules[i];
    d->rule_count = count;
    change_masks(d);
    tell_early_events(d);
    return TDM_OK;
}

const struct tdm_desktop_ops tdm_x11_desktop = {
    .kind = "x11",
    .choose = x11_choose,
    .open = open_desktop,
    .close = close_desktop,
    .fd = desktop_fd,
    .step = step,
    .surfaces = surfaces,
    .grab = grab,
    .cursor = cursor,
    .pointer = pointer,
    .windows = windows,
    .select = select_pick,
    .never = never,
};
