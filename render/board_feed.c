/* SPDX-License-Identifier: MIT */
#include "render/board_feed.h"

#include <stdlib.h>
#include <string.h>

#define SHORT_MOST 64 /* Changed objects; with more, the page is read anew. */

void tdm_board_feed_init(struct tdm_board_feed *feed, struct tdm_board_scene *scene)
{
    *feed = (struct tdm_board_feed){.scene = scene};
}

void tdm_board_feed_free(struct tdm_board_feed *feed)
{
    free(feed->points);
    free(feed->text);
    *feed = (struct tdm_board_feed){0};
}

static bool has_points(uint32_t type)
{
    return type == TDM_BOARD_PEN || type == TDM_BOARD_MARKER || type == TDM_BOARD_LINE ||
           type == TDM_BOARD_ARROW;
}

static enum tdm_err read_points(struct tdm_board_feed *feed, const struct tdm_board_object *object,
                                const struct tdm_board_view *view, struct tdm_board_figure *f)
{
    if (view->points > feed->point_room) {
        size_t room = 2 * (size_t)view->points;
        struct tdm_board_point *points = realloc(feed->points, room * sizeof *points);

        if (!points)
            return TDM_E_SYSTEM;
        feed->points = points;
        feed->point_room = room;
    }
    struct tdm_board_points walk = tdm_board_points(object);
    uint32_t count = 0;

    while (count < view->points && tdm_board_point_next(&walk, &feed->points[count]))
        count++;
    f->points = feed->points;
    f->point_count = count;
    return TDM_OK;
}

static enum tdm_err read_text(struct tdm_board_feed *feed, const struct tdm_board_object *object,
                              const struct tdm_board_view *view, struct tdm_board_figure *f)
{
    if (view->text_bytes > feed->text_room) {
        size_t room = 2 * (size_t)view->text_bytes;
        char *text = realloc(feed->text, room);

        if (!text)
            return TDM_E_SYSTEM;
        feed->text = text;
        feed->text_room = room;
    }
    size_t size = tdm_board_text(object, feed->text, feed->text_room);

    f->text = feed->text;
    f->text_size = (uint32_t)(size < feed->text_room ? size : feed->text_room);
    return TDM_OK;
}

static void copy_values(const struct tdm_board_view *view, struct tdm_board_figure *f)
{
    *f = (struct tdm_board_figure){.id = tdm_board_figure_id(view->id),
                                   .version = view->changed,
                                   .type = view->type,
                                   .x = view->x,
                                   .y = view->y,
                                   .w = view->w,
                                   .h = view->h,
                                   .angle = view->angle,
                                   .colour = view->colour,
                                   .fill = view->fill,
                                   .width = view->width,
                                   .corner = view->corner,
                                   .opacity = view->opacity,
                                   .dash = (uint8_t)view->dash,
                                   .font = (uint8_t)view->font,
                                   .align = (uint8_t)view->align,
                                   .head_start = (uint8_t)view->head_start,
                                   .head_end = (uint8_t)view->head_end,
                                   .font_size = view->font_size,
                                   .scale_x = view->scale_x,
                                   .scale_y = view->scale_y,
                                   .sealed = view->sealed,
                                   .image = view->image};
    memcpy(f->crop, view->crop, sizeof f->crop);
}

static enum tdm_err read_figure(struct tdm_board_feed *feed, const struct tdm_board_object *object,
                                const struct tdm_board_view *view, struct tdm_board_figure *f)
{
    copy_values(view, f);
    if (has_points(view->type) && view->points > 0)
        return read_points(feed, object, view, f);
    if ((view->type == TDM_BOARD_TEXT || view->type == TDM_BOARD_NOTE) && view->text_bytes > 0)
        return read_text(feed, object, view, f);
    return TDM_OK;
}

enum tdm_err tdm_board_feed_figure(struct tdm_board_feed *feed, const struct tdm_board *board,
                                   const struct tdm_board_object *object,
                                   struct tdm_board_figure *figure)
{
    struct tdm_board_view view;

    tdm_board_read(board, object, &view);
    return read_figure(feed, object, &view, figure);
}

static void read_ground(struct tdm_board_feed *feed, const struct tdm_board *board)
{
    const struct tdm_board_object *page = tdm_board_find(board, feed->page);
    struct tdm_board_ground ground = {0};
    struct tdm_board_view view;

    if (page) {
        tdm_board_read(board, page, &view);
        ground.colour = view.background;
        ground.step = view.grid;
        ground.pattern = view.grid > 0 ? TDM_GROUND_DOTS : TDM_GROUND_PLAIN;
    }
    tdm_board_scene_ground(feed->scene, &ground);
}

static enum tdm_err read_page(struct tdm_board_feed *feed, const struct tdm_board *board)
{
    const struct tdm_board_object *o = tdm_board_lowest(board, feed->page);
    enum tdm_err err = TDM_OK;

    read_ground(feed, board);
    tdm_board_scene_begin(feed->scene);
    for (; o && err == TDM_OK; o = tdm_board_above(o)) {
        struct tdm_board_view view;
        struct tdm_board_figure f;

        tdm_board_read(board, o, &view);
        const struct tdm_board_figure *there =
            tdm_board_scene_find(feed->scene, tdm_board_figure_id(view.id));

        if (there && there->version == view.changed) /* Its points and text are there, too. */
            copy_values(&view, &f);
        else
            err = read_figure(feed, o, &view, &f);
        if (err == TDM_OK)
            err = tdm_board_scene_put(feed->scene, &f);
    }
    tdm_board_scene_end(feed->scene);
    return err;
}

static bool stands_above(const struct tdm_board_feed *feed, const struct tdm_board_object *o,
                         size_t rank)
{
    const struct tdm_board_object *below = tdm_board_below(o);

    if (rank == 0 || !below)
        return rank == 0 && !below;
    return tdm_board_scene_at(feed->scene, rank - 1)->id ==
           tdm_board_figure_id(tdm_board_id_of(below));
}

/* An object that changed, where it is in the scene and keeps its place there. */
static enum tdm_err change(struct tdm_board_feed *feed, const struct tdm_board *board,
                           const struct tdm_board_object *o)
{
    struct tdm_board_view view;
    struct tdm_board_figure f;
    size_t rank;

    tdm_board_read(board, o, &view);
    if (tdm_board_same(view.id, feed->page)) {
        read_ground(feed, board);
        return TDM_OK;
    }
    bool there = tdm_board_scene_rank(feed->scene, tdm_board_figure_id(view.id), &rank);

    if (view.deleted || !tdm_board_same(view.page, feed->page))
        return there ? TDM_E_GONE : TDM_OK;
    if (!there || !stands_above(feed, o, rank))
        return TDM_E_GONE;
    enum tdm_err err = read_figure(feed, o, &view, &f);

    return err == TDM_OK ? tdm_board_scene_change(feed->scene, &f) : err;
}

static enum tdm_err read_changes(struct tdm_board_feed *feed, const struct tdm_board *board)
{
    const struct tdm_board_object *o = tdm_board_changed(board, feed->mark, NULL);
    enum tdm_err err = TDM_OK;
    int count = 0;

    for (; o && err == TDM_OK; o = tdm_board_changed(board, feed->mark, o))
        err = ++count > SHORT_MOST ? TDM_E_GONE : change(feed, board, o);
    return err == TDM_E_GONE ? read_page(feed, board) : err;
}

enum tdm_err tdm_board_feed(struct tdm_board_feed *feed, const struct tdm_board *board,
                            struct tdm_board_id page)
{
    uint64_t mark = tdm_board_mark(board);
    bool other = !feed->fed || !tdm_board_same(page, feed->page);

    if (!other && mark == feed->mark)
        return TDM_OK;
    feed->page = page;
    enum tdm_err err = other ? read_page(feed, board) : read_changes(feed, board);

    if (err == TDM_OK) {
        feed->mark = mark;
        feed->fed = true;
    }
    return err;
}
