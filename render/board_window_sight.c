/* SPDX-License-Identifier: MIT */
/* What the tools ask about painted shapes and letters, answered by the scene. */
#include "render/board_window_state.h"

#define AT_ONCE 1024 /* Figures that a segment of the eraser crosses. */

static struct tdm_board_id id_of(uint64_t figure)
{
    return (struct tdm_board_id){(uint32_t)(figure >> 32), (uint32_t)figure};
}

void tdm_board_window_feed(struct tdm_board_window *w)
{
    /* What finds no memory is missing until the next time. */
    (void)!tdm_board_feed(&w->feed, w->board, w->page);
}

bool tdm_board_window_figure(struct tdm_board_window *w, struct tdm_board_id id,
                             struct tdm_board_figure *figure)
{
    const struct tdm_board_object *o = tdm_board_find(w->board, id);

    return o && tdm_board_feed_figure(&w->feed, w->board, o, figure) == TDM_OK;
}

static void page(void *arg, struct tdm_board_id page)
{
    struct tdm_board_window *w = arg;

    w->page = page;
}

static bool hit(void *arg, double x, double y, double reach, struct tdm_board_id *id)
{
    struct tdm_board_window *w = arg;

    tdm_board_window_feed(w);
    uint64_t figure = tdm_board_scene_hit(w->scene, x, y, reach);

    *id = id_of(figure);
    return figure != 0;
}

static size_t put_ids(const uint64_t *figures, size_t count, struct tdm_board_id *ids)
{
    for (size_t i = 0; i < count; i++)
        ids[i] = id_of(figures[i]);
    return count;
}

static size_t crossed(void *arg, const double from[2], const double to[2], double reach,
                      struct tdm_board_id *ids, size_t max)
{
    struct tdm_board_window *w = arg;
    uint64_t figures[AT_ONCE];

    tdm_board_window_feed(w);
    return put_ids(
        figures,
        tdm_board_scene_crossed(w->scene, from, to, reach, figures, max < AT_ONCE ? max : AT_ONCE),
        ids);
}

static size_t within(void *arg, const struct tdm_board_frame *box, bool touched,
                     struct tdm_board_id *ids, size_t max)
{
    struct tdm_board_window *w = arg;
    const struct tdm_figure_box figure_box = {box->left, box->top, box->right, box->bottom};

    tdm_board_window_feed(w);
    uint64_t *figures = w->figures;

    return put_ids(figures,
                   tdm_board_scene_within(w->scene, &figure_box, touched, figures,
                                          max < TDM_BOARD_CHOSEN_MAX ? max : TDM_BOARD_CHOSEN_MAX),
                   ids);
}

static bool frame(void *arg, struct tdm_board_id id, struct tdm_board_frame *f)
{
    struct tdm_board_window *w = arg;
    struct tdm_figure_box box;

    tdm_board_window_feed(w);
    if (!tdm_board_scene_frame(w->scene, tdm_board_figure_id(id), &box))
        return false;
    *f = (struct tdm_board_frame){box.left, box.top, box.right, box.bottom};
    return true;
}

static uint32_t text_at(void *arg, struct tdm_board_id id, double x, double y)
{
    struct tdm_board_window *w = arg;
    struct tdm_board_figure figure;

    return tdm_board_window_figure(w, id, &figure)
               ? (uint32_t)tdm_board_text_index(w->letters, &figure, x, y)
               : 0;
}

static uint32_t text_move(void *arg, struct tdm_board_id id, uint32_t at,
                          enum tdm_board_text_move move, double x)
{
    static const enum tdm_board_text_step steps[] = {
        [TDM_BOARD_TEXT_LEFT] = TDM_BOARD_STEP_LEFT,
        [TDM_BOARD_TEXT_RIGHT] = TDM_BOARD_STEP_RIGHT,
        [TDM_BOARD_TEXT_UP] = TDM_BOARD_STEP_UP,
        [TDM_BOARD_TEXT_DOWN] = TDM_BOARD_STEP_DOWN,
        [TDM_BOARD_TEXT_LINE_START] = TDM_BOARD_STEP_LINE_START,
        [TDM_BOARD_TEXT_LINE_END] = TDM_BOARD_STEP_LINE_END,
        [TDM_BOARD_TEXT_WORD_LEFT] = TDM_BOARD_STEP_WORD_LEFT,
        [TDM_BOARD_TEXT_WORD_RIGHT] = TDM_BOARD_STEP_WORD_RIGHT,
        [TDM_BOARD_TEXT_BACK] = TDM_BOARD_STEP_BACK,
        [TDM_BOARD_TEXT_FORWARD] = TDM_BOARD_STEP_FORWARD};
    struct tdm_board_window *w = arg;
    struct tdm_board_figure figure;

    return tdm_board_window_figure(w, id, &figure)
               ? (uint32_t)tdm_board_text_step(w->letters, &figure, at, steps[move], x)
               : at;
}

static double text_x(void *arg, struct tdm_board_id id, uint32_t at)
{
    struct tdm_board_window *w = arg;
    struct tdm_board_figure figure;
    struct tdm_board_caret_place place = {0};

    if (tdm_board_window_figure(w, id, &figure))
        tdm_board_text_caret(w->letters, &figure, at, &place);
    return place.x;
}

static void text_word(void *arg, struct tdm_board_id id, uint32_t at, uint32_t *from, uint32_t *to)
{
    struct tdm_board_window *w = arg;
    struct tdm_board_figure figure;
    size_t begin = at, end = at;

    if (tdm_board_window_figure(w, id, &figure))
        tdm_board_text_word(w->letters, &figure, at, &begin, &end);
    *from = (uint32_t)begin;
    *to = (uint32_t)end;
}

static bool room(void *arg)
{
    struct tdm_board_window *w = arg;

    return w->config.room && w->config.room(w->config.arg);
}

struct tdm_board_sight tdm_board_window_sight(struct tdm_board_window *w)
{
    return (struct tdm_board_sight){.arg = w,
                                    .page = page,
                                    .hit = hit,
                                    .crossed = crossed,
                                    .within = within,
                                    .frame = frame,
                                    .text_at = text_at,
                                    .text_move = text_move,
                                    .text_x = text_x,
                                    .text_word = text_word,
                                    .room = room};
}
