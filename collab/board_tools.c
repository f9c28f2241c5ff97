/* SPDX-License-Identifier: MIT */
/* One input after the other, and what time brings about. */
#include "collab/board_tools.h"

#include "collab/board_tools_state.h"

#include <math.h>
#include <string.h>

#define INK_BEAT (2 * TDM_MS)
#define TYPING   (1500 * TDM_MS) /* A pause that ends a step of undo. */

void tdm_board_tools_init(struct tdm_board_tools *t, struct tdm_board *board,
                          const struct tdm_board_sight *sight)
{
    memset(t, 0, sizeof *t);
    t->board = board;
    t->sight = *sight;
    t->canvas = (struct tdm_board_canvas){.zoom = 1, .width = 1280, .height = 800};
    t->tool = TDM_BOARD_TOOL_SELECT;
    t->snap = true;
    t->wish_x = NAN;
    t->style = (struct tdm_board_style){.colour = 0x1e1e1eff,
                                        .note_fill = 0xffe58fff,
                                        .marker_colour = 0xffd43bff,
                                        .width = 3 * TDM_BOARD_UNIT,
                                        .marker_width = 18 * TDM_BOARD_UNIT,
                                        .opacity = 255,
                                        .font_size = 24 * TDM_BOARD_UNIT,
                                        .corner = 8 * TDM_BOARD_UNIT};
    const struct tdm_board_object *first = tdm_board_lowest(board, TDM_BOARD_NONE);

    t->page = first ? tdm_board_id_of(first) : TDM_BOARD_FIRST_PAGE;
    sight->page(sight->arg, t->page);
}

void tdm_hand_say(struct tdm_board_tools *t, const char *say)
{
    t->say = say;
    t->asked |= TDM_BOARD_ASK_SAY;
}

void tdm_hand_use(struct tdm_board_tools *t, enum tdm_board_tool tool)
{
    if (tool == TDM_BOARD_TOOL_IMAGE) {
        t->asked |= TDM_BOARD_ASK_IMAGE;
        return;
    }
    tdm_hand_end_gesture(t);
    tdm_hand_edit_end(t);
    if (tool != TDM_BOARD_TOOL_SELECT)
        tdm_hand_select_none(t);
    t->tool = tool;
    t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

void tdm_hand_made(struct tdm_board_tools *t, struct tdm_board_id id)
{
    if (t->tool_stays)
        return;
    t->tool = TDM_BOARD_TOOL_SELECT;
    tdm_hand_select_none(t);
    tdm_hand_select(t, id, true);
    t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

static void follow(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    if (!t->follows || in->area.w <= 0 || in->area.h <= 0)
        return;
    if (!tdm_board_same(in->page, t->page) && tdm_board_find(t->board, in->page))
        tdm_hand_go_to(t, in->page);
    double w = (double)in->area.w / TDM_BOARD_UNIT, h = (double)in->area.h / TDM_BOARD_UNIT;
    struct tdm_board_canvas *c = &t->canvas;

    c->zoom = fmax(TDM_BOARD_ZOOM_MIN, fmin(TDM_BOARD_ZOOM_MAX, fmin(c->width / w, c->height / h)));
    c->x = (double)in->area.x / TDM_BOARD_UNIT - (c->width / c->zoom - w) / 2;
    c->y = (double)in->area.y / TDM_BOARD_UNIT - (c->height / c->zoom - h) / 2;
    tdm_hand_view_moved(t);
    t->follows = true;
}

static void resize(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    t->canvas.width = fmax(1, tdm_board_finite(in->x, TDM_BOARD_PIXEL_MAX));
    t->canvas.height = fmax(1, tdm_board_finite(in->y, TDM_BOARD_PIXEL_MAX));
    t->asked |= TDM_BOARD_ASK_VIEW | TDM_BOARD_ASK_LIVE;
}

/* Somebody else changed the document: what we hold on to may be gone. */
static void remote(struct tdm_board_tools *t)
{
    const struct tdm_board_object *page = tdm_board_find(t->board, t->page);
    struct tdm_board_view view;

    if (page)
        tdm_board_read(t->board, page, &view);
    if (!page || view.deleted) {
        const struct tdm_board_object *first = tdm_board_lowest(t->board, TDM_BOARD_NONE);

        if (first) {
            tdm_hand_say(t, "The other deleted the page");
            tdm_hand_go_to(t, tdm_board_id_of(first));
        }
    }
    tdm_hand_look_again(t);
    t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_BARS;
}

static void dispatch(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    switch (in->kind) {
    case TDM_BOARD_IN_TIME:
        break;
    case TDM_BOARD_IN_DOWN:
    case TDM_BOARD_IN_MOVE:
    case TDM_BOARD_IN_UP:
        tdm_hand_point(t, in);
        break;
    case TDM_BOARD_IN_LEAVE:
        t->inside = false;
        tdm_hand_hover(t);
        t->asked |= TDM_BOARD_ASK_LIVE;
        break;
    case TDM_BOARD_IN_CANCEL:
        t->finger_count = 0;
        t->fingers_left = false;
        tdm_hand_cancel(t);
        break;
    case TDM_BOARD_IN_WHEEL:
        tdm_hand_wheel(t, in);
        break;
    case TDM_BOARD_IN_PINCH:
        tdm_board_canvas_pan(&t->canvas, in->dx, in->dy);
        tdm_board_canvas_zoom(&t->canvas, t->canvas.zoom * tdm_board_finite(in->scale, 100), in->x,
                              in->y);
        tdm_hand_view_moved(t);
        break;
    case TDM_BOARD_IN_KEY:
        tdm_hand_key(t, in);
        break;
    case TDM_BOARD_IN_TEXT:
        if (!tdm_hand_none(t->editing))
            tdm_hand_edit_type(t, in->text, in->size);
        else
            tdm_hand_paste_text(t, in);
        break;
    case TDM_BOARD_IN_COMPOSE:
        t->compose_size = in->size < TDM_BOARD_COMPOSE_MAX ? (uint32_t)in->size : 0;
        if (t->compose_size)
            memcpy(t->compose, in->text, t->compose_size);
        t->asked |= TDM_BOARD_ASK_MARKS;
        break;
    case TDM_BOARD_IN_COMMAND:
        tdm_hand_command(t, in->command, in->value);
        break;
    case TDM_BOARD_IN_RESIZE:
        resize(t, in);
        break;
    case TDM_BOARD_IN_IMAGE:
        tdm_hand_place_image(t, in);
        break;
    case TDM_BOARD_IN_CLIP:
        tdm_hand_paste(t, in);
        break;
    case TDM_BOARD_IN_VIEW:
        follow(t, in);
        break;
    case TDM_BOARD_IN_COPIED:
        tdm_hand_copied(t);
        break;
    case TDM_BOARD_IN_REMOTE:
        remote(t);
        break;
    }
}

/* What was put off. @return when there is more of it. */
static tdm_time catch_up(struct tdm_board_tools *t)
{
    tdm_time wake = tdm_hand_catch_up(t);

    if (t->gesture == TDM_BOARD_DRAWS && t->ink_count) {
        if (t->now - t->ink_put >= INK_BEAT)
            tdm_hand_draw_write(t);
        if (t->ink_count)
            wake = tdm_time_min(wake, t->ink_put + INK_BEAT);
    }
    tdm_hand_laser_age(t);
    if (t->laser_count)
        wake = tdm_time_min(wake, t->now + TDM_BOARD_TOOLS_BEAT);
    if (!tdm_hand_none(t->editing) && t->step_open && t->gesture == TDM_BOARD_IDLE &&
        !t->fresh_text) {
        if (t->now - t->typed_at >= TYPING)
            tdm_hand_close(t);
        else
            wake = tdm_time_min(wake, t->typed_at + TYPING);
    }
    return wake;
}

void tdm_board_tools_step(struct tdm_board_tools *t, tdm_time now, const struct tdm_board_in *in,
                          struct tdm_board_out *out)
{
    t->now = now;
    t->asked = 0;
    t->say = NULL;
    t->command = TDM_BOARD_DO_NOTHING;
    dispatch(t, in);
    out->wake_at = catch_up(t);
    out->asked = t->asked;
    out->command = t->command;
    out->say = t->say;
}

void tdm_board_tools_live(const struct tdm_board_tools *t, struct tdm_board_live *live)
{
    struct tdm_board_area area = tdm_board_canvas_area(&t->canvas);

    live->page = t->page;
    live->cursor = t->inside;
    live->pressed = t->gesture != TDM_BOARD_IDLE && t->gesture != TDM_BOARD_PANS;
    live->tool = (uint8_t)t->tool;
    live->x = tdm_board_unit(t->here_x);
    live->y = tdm_board_unit(t->here_y);
    live->view_x = area.x;
    live->view_y = area.y;
    live->view_w = area.w;
    live->view_h = area.h;
    live->presenting = t->leads;
    live->laser_stroke = t->laser_stroke;
    live->laser_count = 0;
    for (uint32_t i = t->laser_count > TDM_BOARD_LASER_MAX ? t->laser_count - TDM_BOARD_LASER_MAX
                                                           : 0;
         i < t->laser_count; i++)
        live->laser[live->laser_count++] = (struct tdm_board_live_point){
            tdm_board_unit(t->laser[i].x), tdm_board_unit(t->laser[i].y)};
    live->selected_count = 0;
    for (uint32_t i = 0; i < t->selected_count && i < TDM_BOARD_SELECTED_MAX; i++)
        live->selected[live->selected_count++] = t->selected[i];
    live->preview = 0;
    live->caret_object = t->editing;
    live->caret = 0;
    const struct tdm_board_object *o =
        tdm_hand_none(t->editing) ? NULL : tdm_board_find(t->board, t->editing);

    if (o)
        live->caret = tdm_board_caret_index(t->board, o, t->caret);
}
