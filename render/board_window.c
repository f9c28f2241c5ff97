/* SPDX-License-Identifier: MIT */
/* The window's life: a step takes what happened, lets the tools work, and paints what is new. */
#include "render/board_window.h"

#include "render/board_window_state.h"
#include "render/x_errors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAY_TIME     (4 * TDM_S)
#define TIP_AFTER    (500 * TDM_MS)
#define CARET_PERIOD (530 * TDM_MS)
#define FRAME        (16 * TDM_MS)
#define ALL_IS_LESS  24 /* Rectangles; more are all. */

/* Events ----------------------------------------------------------------------------------------
 */

void tdm_board_window_tell(struct tdm_board_window *w, const struct tdm_board_window_event *event)
{
    int last = (w->event_first + w->event_count + TDM_BOARD_EVENTS_MAX - 1) % TDM_BOARD_EVENTS_MAX;
    struct tdm_board_window_event *e = &w->events[last];
    bool same = w->event_count && e->kind == event->kind;

    if (same && event->kind == TDM_BOARD_WINDOW_LIVE) {
        e->live = event->live;
        return;
    }
    if (same && event->kind == TDM_BOARD_WINDOW_EDITED)
        return;
    if (w->event_count == TDM_BOARD_EVENTS_MAX)
        return;
    e = &w->events[(w->event_first + w->event_count++) % TDM_BOARD_EVENTS_MAX];
    *e = *event;
    if (event->size) {
        uint8_t *copy = malloc(event->size);

        if (!copy) {
            w->event_count--;
            return;
        }
        memcpy(copy, event->data, event->size);
        e->data = copy;
    }
}

void tdm_board_window_tell_file(struct tdm_board_window *w,
                                const struct tdm_board_window_event *event)
{
    const struct tdm_board_canvas *c = &w->tools->canvas;
    struct tdm_board_window_event e = *event;

    e.x = e.x < 0 ? c->width / 2 : e.x;
    e.y = e.y < 0 ? c->height / 2 : e.y;
    e.page = w->tools->page;
    e.board_x = tdm_board_unit(tdm_board_canvas_x(c, e.x));
    e.board_y = tdm_board_unit(tdm_board_canvas_y(c, e.y));
    tdm_board_window_tell(w, &e);
}

bool tdm_board_window_take(struct tdm_board_window *w, struct tdm_board_window_event *event)
{
    free(w->event_data);
    w->event_data = NULL;
    if (!w->event_count)
        return false;
    *event = w->events[w->event_first];
    w->event_first = (w->event_first + 1) % TDM_BOARD_EVENTS_MAX;
    w->event_count--;
    if (event->size) {
        w->event_data = (uint8_t *)(uintptr_t)event->data;
        if (event->kind == TDM_BOARD_WINDOW_FILE || event->kind == TDM_BOARD_WINDOW_EXPORT)
            event->text = (const char *)event->data;
    }
    return true;
}

/* Input -----------------------------------------------------------------------------------------
 */

static void window_command(struct tdm_board_window *w, enum tdm_board_command command)
{
    switch (command) {
    case TDM_BOARD_DO_HELP:
        w->help_shown = !w->help_shown;
        w->help_scroll = 0;
        w->bars_dirty = true;
        break;
    case TDM_BOARD_DO_THEME:
        w->theme = w->theme == TDM_THEME_DARK ? TDM_THEME_LIGHT : TDM_THEME_DARK;
        w->all_dirty = w->bars_dirty = true;
        break;
    case TDM_BOARD_DO_FULL_SCREEN:
        tdm_board_window_set_full(w, !w->full_screen);
        break;
    default:
        tdm_board_window_open_files(w, TDM_FILES_EXPORT);
        break;
    }
}

static void tell_live(struct tdm_board_window *w)
{
    struct tdm_board_window_event event = {.kind = TDM_BOARD_WINDOW_LIVE};

    tdm_board_tools_live(w->tools, &event.live);
    tdm_board_window_tell(w, &event);
}

/* What the other side sees, for who follows it. */
static void go_along(struct tdm_board_window *w, tdm_time now)
{
    const struct tdm_board_live *live = &w->live;

    if (w->there && live->view_w)
        tdm_board_window_input(w, now,
                               &(struct tdm_board_in){.kind = TDM_BOARD_IN_VIEW,
                                                      .page = live->page,
                                                      .area = {live->view_x, live->view_y,
                                                               live->view_w, live->view_h}});
}

void tdm_board_window_input(struct tdm_board_window *w, tdm_time now, const struct tdm_board_in *in)
{
    struct tdm_board_out out;
    bool followed = w->tools->follows;

    tdm_board_tools_step(w->tools, now, in, &out);
    if (w->tools->follows && !followed)
        go_along(w, now);
    w->tools_wake = out.wake_at;
    w->marks_dirty = w->marks_dirty || (out.asked & TDM_BOARD_ASK_MARKS);
    w->bars_dirty = w->bars_dirty || (out.asked & TDM_BOARD_ASK_BARS);
    if (out.asked & TDM_BOARD_ASK_VIEW)
        w->marks_dirty = w->bars_dirty = true;
    if (out.asked & TDM_BOARD_ASK_EDITED) {
        w->mark = tdm_board_mark(w->board);
        w->caret_at = now;
        w->marks_dirty = true;
        tdm_board_window_tell(w, &(struct tdm_board_window_event){.kind = TDM_BOARD_WINDOW_EDITED});
    }
    if (out.asked & TDM_BOARD_ASK_LIVE)
        tell_live(w);
    if (out.asked & TDM_BOARD_ASK_SAY)
        tdm_board_window_say(w, now, out.say);
    if (out.asked & TDM_BOARD_ASK_IMAGE)
        tdm_board_window_open_files(w, TDM_FILES_PLACE);
    if (out.asked & TDM_BOARD_ASK_ROOM) {
        tdm_board_window_say(w, now, "The board is full: this was not done");
        tdm_board_window_tell(w,
                              &(struct tdm_board_window_event){.kind = TDM_BOARD_WINDOW_NO_ROOM});
    }
    if (out.asked & TDM_BOARD_ASK_COMMAND)
        window_command(w, out.command);
    if (out.asked & TDM_BOARD_ASK_PASTE)
        tdm_board_window_paste(w);
    if (out.asked & TDM_BOARD_ASK_COPY)
        tdm_board_window_copy(w, now);
}

void tdm_board_window_do(struct tdm_board_window *w, tdm_time now, enum tdm_board_command command,
                         uint32_t value)
{
    tdm_board_window_input(
        w, now,
        &(struct tdm_board_in){.kind = TDM_BOARD_IN_COMMAND, .command = command, .value = value});
}

/* Painting --------------------------------------------------------------------------------------
 */

void tdm_board_window_dirty(struct tdm_board_window *w, struct tdm_rect rect)
{
    rect = tdm_rect_both(rect, (struct tdm_rect){0, 0, w->width, w->height});
    if (tdm_rect_empty(rect) || w->all_dirty)
        return;
    for (int i = 0; i < w->dirty_count; i++) {
        struct tdm_rect *d = &w->dirty[i], both = tdm_rect_around(*d, rect);

        /* Together where that is no more than apart. */
        if ((int64_t)both.width * both.height <=
            (int64_t)d->width * d->height + (int64_t)rect.width * rect.height) {
            *d = both;
            return;
        }
    }
    if (w->dirty_count == ALL_IS_LESS)
        w->all_dirty = true;
    else
        w->dirty[w->dirty_count++] = rect;
}

static struct tdm_board_camera camera_of(const struct tdm_board_window *w)
{
    const struct tdm_board_canvas *c = &w->tools->canvas;
    struct tdm_board_camera camera =
        tdm_board_camera_at(c->zoom * w->scale, c->x, c->y, w->width, w->height);

    camera.theme = w->theme;
    return camera;
}

static bool same_camera(const struct tdm_board_camera *a, const struct tdm_board_camera *b)
{
    return a->scale == b->scale && a->x == b->x && a->y == b->y && a->width == b->width &&
           a->height == b->height && a->theme == b->theme;
}

/* Images that are to be seen and are not here are asked for, once. */
static void want_pictures(struct tdm_board_window *w)
{
    size_t count = tdm_board_scene_count(w->scene);

    for (size_t i = 0; i < count; i++) {
        const struct tdm_board_figure *f = tdm_board_scene_at(w->scene, i);
        bool asked = !f || !f->image || tdm_board_scene_has_picture(w->scene, f->image);

        for (uint32_t k = 0; k < w->wanted_count && !asked; k++)
            asked = memcmp(w->wanted[k], f->image, TDM_BOARD_HASH_BYTES) == 0;
        if (asked || w->wanted_count == TDM_BOARD_WANTED_MAX)
            continue;
        memcpy(w->wanted[w->wanted_count++], f->image, TDM_BOARD_HASH_BYTES);
        struct tdm_board_window_event event = {.kind = TDM_BOARD_WINDOW_WANT};

        memcpy(event.hash, f->image, TDM_BOARD_HASH_BYTES);
        tdm_board_window_tell(w, &event);
    }
}

/* The board's own pixels. @return whether there is more to be done soon. */
static bool draw_base(struct tdm_board_window *w)
{
    struct tdm_board_camera camera = camera_of(w);
    struct tdm_board_cache_report report;

    tdm_board_window_feed(w);
    if (!same_camera(&camera, &w->camera))
        w->all_dirty = true;
    w->camera = camera;
    bool sharp = tdm_board_cache_frame(w->cache, &camera, w->base, w->width * 4, &report);

    for (size_t i = 0; i < report.rect_count; i++)
        tdm_board_window_dirty(w, report.rects[i]);
    if (report.rect_count)
        want_pictures(w);
    return !sharp;
}

static void dirty_marks(struct tdm_board_window *w, tdm_time now)
{
    for (int i = 0; i < w->marks_count; i++)
        tdm_board_window_dirty(w, w->marks[i]);
    w->marks_count = 0;
    tdm_board_window_paint_marks(w, NULL, now);
    for (int i = 0; i < w->marks_count; i++)
        tdm_board_window_dirty(w, w->marks[i]);
    w->marks_dirty = false;
}

static void compose(struct tdm_board_window *w, tdm_time now, struct tdm_rect r)
{
    cairo_surface_t *base = cairo_image_surface_create_for_data(w->base, CAIRO_FORMAT_RGB24,
                                                                w->width, w->height, w->width * 4);
    cairo_t *cr = cairo_create(w->shown);

    cairo_rectangle(cr, r.x, r.y, r.width, r.height);
    cairo_clip(cr);
    cairo_set_source_surface(cr, base, 0, 0);
    cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
    cairo_paint(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
    tdm_board_window_paint_marks(w, cr, now);
    tdm_board_window_paint_bars(w, cr, &r);
    cairo_destroy(cr);
    cairo_surface_destroy(base);
}

/* @return whether more is to be painted soon. */
static bool paint(struct tdm_board_window *w, tdm_time now)
{
    bool more = draw_base(w);

    if (w->marks_dirty || w->all_dirty)
        dirty_marks(w, now);
    if (w->bars_dirty || w->all_dirty) {
        tdm_board_window_arrange(w, now);
        tdm_board_window_stamp_bars(w);
        w->bars_dirty = false;
    }
    if (w->all_dirty) {
        w->dirty[0] = (struct tdm_rect){0, 0, w->width, w->height};
        w->dirty_count = 1;
    }
    for (int i = 0; i < w->dirty_count; i++)
        compose(w, now, w->dirty[i]);
    if (w->dirty_count)
        tdm_board_window_present(w, w->dirty, w->dirty_count);
    w->dirty_count = 0;
    w->all_dirty = false;
    return more;
}

/* Steps -----------------------------------------------------------------------------------------
 */

static bool fades(const struct tdm_board_window *w)
{
    return w->tools->laser_count || w->trail_count;
}

/* What time alone brings about. @return when there is more of it. */
static tdm_time age(struct tdm_board_window *w, tdm_time now)
{
    tdm_time wake = w->tools_wake;
    bool waits = w->hot >= 0 && w->held < 0 && !w->tip_shown && w->widgets[w->hot].tip;

    if (w->say_until != TDM_NEVER && now >= w->say_until) {
        w->say_until = TDM_NEVER;
        *w->say = 0;
        w->bars_dirty = true;
    }
    wake = tdm_time_min(wake, w->say_until);
    if (waits && now - w->hot_at >= TIP_AFTER) {
        w->tip_shown = true;
        w->bars_dirty = true;
    } else if (waits) {
        wake = tdm_time_min(wake, w->hot_at + TIP_AFTER);
    }
    if (w->ahead && now - w->tools->ink_at >= TDM_BOARD_AHEAD_LIFE)
        w->marks_dirty = true;
    if (w->tools->editing.seq) {
        bool on = (now - w->caret_at) / CARET_PERIOD % 2 == 0;

        if (on != w->caret_on)
            w->marks_dirty = true;
        w->caret_on = on;
        wake = tdm_time_min(wake,
                            w->caret_at + ((now - w->caret_at) / CARET_PERIOD + 1) * CARET_PERIOD);
    }
    uint32_t old = 0;

    while (old < w->trail_count && now - w->trail[old].at > TDM_BOARD_LASER_LIFE)
        old++;
    w->trail_count -= old;
    memmove(w->trail, w->trail + old, sizeof *w->trail * w->trail_count);
    if (fades(w) || old) {
        w->marks_dirty = true;
        wake = tdm_time_min(wake, now + FRAME);
    }
    return wake;
}

static void look_at_document(struct tdm_board_window *w, tdm_time now)
{
    uint64_t mark = tdm_board_mark(w->board);

    if (mark == w->mark)
        return;
    w->mark = mark;
    w->marks_dirty = true;
    tdm_board_window_feed(w);
    tdm_board_window_input(w, now, &(struct tdm_board_in){.kind = TDM_BOARD_IN_REMOTE});
}

tdm_time tdm_board_window_step(struct tdm_board_window *w, tdm_time now)
{
    XEvent event;
    bool more;
    int rounds = 0;

    if (w->broken || w->gone)
        goto closed;
    look_at_document(w, now);
    if (now >= w->tools_wake)
        tdm_board_window_input(w, now, &(struct tdm_board_in){.kind = TDM_BOARD_IN_TIME});
    tdm_time wake;

    do {
        while (!w->broken && !w->gone && XPending(w->display)) {
            (void)XNextEvent(w->display, &event);
            tdm_board_window_event(w, now, &event);
        }
        if (w->broken || w->gone)
            goto closed;
        wake = age(w, now);
        tdm_board_window_set_cursor(w);
        more = paint(w, now);
        /* What came with the answers of the server makes no descriptor readable. */
    } while (!w->broken && XEventsQueued(w->display, QueuedAfterReading) && ++rounds < 8);
    (void)tdm_x_errors_take(TDM_X_WINDOW_GONE);
    if (w->broken)
        goto closed;
    if (w->ahead)
        wake = tdm_time_min(wake, w->tools->ink_at + TDM_BOARD_AHEAD_LIFE);
    return more || rounds == 8 ? now : wake;
closed:
    if (!w->told_closed) {
        w->told_closed = true;
        tdm_board_window_tell(w, &(struct tdm_board_window_event){.kind = TDM_BOARD_WINDOW_CLOSED});
    }
    return TDM_NEVER;
}

int tdm_board_window_fd(const struct tdm_board_window *w)
{
    return ConnectionNumber(w->display);
}

/* What the owner says ---------------------------------------------------------------------------
 */

void tdm_board_window_show(struct tdm_board_window *w, tdm_time now,
                           const struct tdm_board_live *live)
{
    w->marks_dirty = true;
    if (w->there != (live != NULL))
        w->bars_dirty = true;
    w->there = live;
    if (!live)
        return;
    w->bars_dirty = w->bars_dirty || live->presenting != w->live.presenting ||
                    !tdm_board_same(live->page, w->live.page);
    /* Of a trail the newest points come each time: those that are new are kept with their time. */
    if (live->laser_count) {
        const struct tdm_board_live_point *p = &live->laser[live->laser_count - 1];
        double x = (double)p->x / TDM_BOARD_UNIT, y = (double)p->y / TDM_BOARD_UNIT;
        const struct tdm_board_trail *last = w->trail_count ? &w->trail[w->trail_count - 1] : NULL;

        if (live->laser_stroke != w->trail_stroke)
            w->trail_count = 0;
        w->trail_stroke = live->laser_stroke;
        if ((!last || last->x != x || last->y != y) && w->trail_count < TDM_BOARD_TRAIL_MAX)
            w->trail[w->trail_count++] = (struct tdm_board_trail){x, y, now};
    }
    w->live = *live;
    if (w->tools->follows)
        go_along(w, now);
}

void tdm_board_window_peer(struct tdm_board_window *w, enum tdm_board_window_peer peer,
                           const char *name)
{
    w->peer = peer;
    if (name)
        (void)snprintf(w->peer_name, sizeof w->peer_name, "%s", name);
    if (peer != TDM_BOARD_PEER_HERE)
        w->there = false;
    w->bars_dirty = w->marks_dirty = true;
}

bool tdm_board_window_kept(struct tdm_board_window *w, enum tdm_board_window_kept kept,
                           const char *why)
{
    if (kept == w->kept)
        return false;
    w->kept = kept;
    (void)snprintf(w->kept_why, sizeof w->kept_why, "%s", why ? why : "");
    w->bars_dirty = true;
    return true;
}

void tdm_board_window_say(struct tdm_board_window *w, tdm_time now, const char *text)
{
    (void)snprintf(w->say, sizeof w->say, "%s", text);
    if (w->say[0] >= 'a' && w->say[0] <= 'z')
        w->say[0] = (char)(w->say[0] - 'a' + 'A');
    w->say_until = now + SAY_TIME;
    w->bars_dirty = true;
}

void tdm_board_window_place(struct tdm_board_window *w, tdm_time now,
                            const uint8_t hash[TDM_BOARD_HASH_BYTES], uint32_t width,
                            uint32_t height, double x, double y)
{
    struct tdm_board_in in = {
        .kind = TDM_BOARD_IN_IMAGE, .x = x, .y = y, .width = width, .height = height};

    memcpy(in.hash, hash, sizeof in.hash);
    tdm_board_window_input(w, now, &in);
}

void tdm_board_window_picture(struct tdm_board_window *w, const struct tdm_board_picture *picture)
{
    /* One that finds no room stays a frame without a picture. */
    (void)!tdm_board_scene_picture(w->scene, picture);
}

void tdm_board_window_order(struct tdm_board_window *w, tdm_time now,
                            enum tdm_board_command command, uint32_t value)
{
    tdm_board_window_do(w, now, command, value);
}

/* Life ------------------------------------------------------------------------------------------
 */

void tdm_board_window_destroy(struct tdm_board_window *w)
{
    struct tdm_board_window_event event;

    if (!w)
        return;
    while (tdm_board_window_take(w, &event))
        ;
    for (int i = 0; i < TDM_BARS; i++)
        if (w->panels[i].picture)
            cairo_surface_destroy(w->panels[i].picture);
    tdm_board_window_close(w);
    if (w->fonts)
        g_object_unref(w->fonts);
    if (w->cache)
        tdm_board_cache_destroy(w->cache);
    tdm_board_feed_free(&w->feed);
    if (w->scene)
        tdm_board_scene_destroy(w->scene);
    tdm_board_folder_free(&w->files.folder);
    tdm_board_window_forget_picture(w);
    if (w->letters)
        tdm_board_letters_destroy(w->letters);
    free(w->tools);
    free(w->clip);
    free(w->clip_text);
    free(w->bringing.data);
    free(w);
}

static enum tdm_err make_scene(struct tdm_board_window *w, struct tdm_cause *cause)
{
    enum tdm_err err = tdm_board_scene_create(&w->scene, cause);

    if (err == TDM_OK)
        err = tdm_board_letters_create(&w->letters, cause);
    if (err == TDM_OK)
        err = tdm_board_cache_create(&w->cache, w->scene, 0, cause);
    if (err == TDM_OK)
        tdm_board_feed_init(&w->feed, w->scene);
    return err;
}

static void set_up(struct tdm_board_window *w, const struct tdm_board_window_config *config)
{
    w->config = *config;
    w->board = config->board;
    w->theme = config->theme;
    w->hot = w->held = -1;
    w->cursor = -1;
    w->say_until = w->tools_wake = TDM_NEVER;
    w->peer = config->peer ? TDM_BOARD_PEER_AWAY : TDM_BOARD_PEER_NONE;
    (void)snprintf(w->title, sizeof w->title, "%s", config->title ? config->title : "Board");
    (void)snprintf(w->peer_name, sizeof w->peer_name, "%s", config->peer ? config->peer : "");
}

enum tdm_err tdm_board_window_create(struct tdm_board_window **window,
                                     const struct tdm_board_window_config *config, tdm_time now,
                                     struct tdm_cause *cause)
{
    struct tdm_board_window *w = calloc(1, sizeof *w);

    *window = NULL;
    if (w)
        w->tools = malloc(sizeof *w->tools);
    if (!w || !w->tools) {
        free(w);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for a window");
    }
    set_up(w, config);
    enum tdm_err err = make_scene(w, cause);

    if (err == TDM_OK)
        err = tdm_board_window_open(w, cause);
    if (err != TDM_OK) {
        tdm_board_window_destroy(w);
        return err;
    }
    w->fonts = pango_font_map_create_context(pango_cairo_font_map_get_default());
    struct tdm_board_sight sight = tdm_board_window_sight(w);

    tdm_board_tools_init(w->tools, w->board, &sight);
    w->mark = tdm_board_mark(w->board);
    tdm_board_window_input(w, now,
                           &(struct tdm_board_in){.kind = TDM_BOARD_IN_RESIZE,
                                                  .x = w->width / w->scale,
                                                  .y = w->height / w->scale});
    w->all_dirty = w->bars_dirty = true;
    *window = w;
    return TDM_OK;
}
