/* SPDX-License-Identifier: MIT */
/* Tools that make or take away: ink, shapes, notes, images, the eraser; and the laser pointer. */
#include "collab/board_tools_state.h"

#include <math.h>
#include <string.h>

#define NOTE_SIDE    200.0
#define NOTE_MIN     40.0
#define CLOSE        0.4 /* Pixels of the window: nearer points are one. */
#define IMAGE_SHARE  0.6 /* Of the canvas, for an image that is larger. */
#define IMAGE_MIN    8.0
#define ERASER_REACH 8.0
#define CROSSED_MAX  256
#define GAP_MAX_MS   1000

static double eraser_reach(const struct tdm_board_tools *t)
{
    return ERASER_REACH / t->canvas.zoom;
}

/* Ink -------------------------------------------------------------------------------------------
 */

static void put_point(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    tdm_time gap = (t->now - t->ink_at) / TDM_MS;
    struct tdm_board_point p = {
        .x = tdm_board_unit(t->here_x) - tdm_board_unit(t->from_x),
        .y = tdm_board_unit(t->here_y) - tdm_board_unit(t->from_y),
        .pressure = in->device == TDM_DEVICE_MOUSE ? 128 : (uint8_t)(in->pressure >> 8),
        .dt_ms = (uint16_t)(gap < 0            ? 0
                            : gap > GAP_MAX_MS ? GAP_MAX_MS
                                               : gap)};

    if (t->ink_count == TDM_BOARD_WAIT_MAX)
        tdm_hand_draw_write(t);
    if (t->ink_count == TDM_BOARD_WAIT_MAX)
        return; /* There is no room in the document. */
    t->ink[t->ink_count++] = p;
    t->ink_at = t->now;
    t->last_x = t->here_x;
    t->last_y = t->here_y;
}

static void begin_ink(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    bool marker = t->tool == TDM_BOARD_TOOL_MARKER;
    const struct tdm_board_value values[] = {
        tdm_board_ref(TDM_PROP_PAGE, t->page),
        tdm_board_int(TDM_PROP_X, tdm_board_unit(t->here_x)),
        tdm_board_int(TDM_PROP_Y, tdm_board_unit(t->here_y)),
        tdm_board_int(TDM_PROP_COLOUR, marker ? t->style.marker_colour : t->style.colour),
        tdm_board_int(TDM_PROP_WIDTH, marker ? t->style.marker_width : t->style.width),
        tdm_board_int(TDM_PROP_OPACITY, t->style.opacity),
    };

    tdm_hand_open(t);
    t->gesture = TDM_BOARD_DRAWS;
    t->ink_count = 0;
    t->ink_at = t->ink_put = t->now;
    if (!tdm_hand_add(t, marker ? TDM_BOARD_MARKER : TDM_BOARD_PEN, values,
                      sizeof values / sizeof *values, &t->made)) {
        t->gesture = TDM_BOARD_IDLE;
        tdm_hand_close(t);
        return;
    }
    put_point(t, in);
    tdm_hand_draw_write(t);
}

static void draw_ink(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    if (hypot(t->here_x - t->last_x, t->here_y - t->last_y) * t->canvas.zoom < CLOSE)
        return;
    put_point(t, in);
    t->asked |= TDM_BOARD_ASK_MARKS;
}

/* Shapes ----------------------------------------------------------------------------------------
 */

static enum tdm_board_type type_of(enum tdm_board_tool tool)
{
    switch (tool) {
    case TDM_BOARD_TOOL_LINE:
        return TDM_BOARD_LINE;
    case TDM_BOARD_TOOL_ARROW:
        return TDM_BOARD_ARROW;
    case TDM_BOARD_TOOL_RECTANGLE:
        return TDM_BOARD_RECTANGLE;
    case TDM_BOARD_TOOL_ELLIPSE:
        return TDM_BOARD_ELLIPSE;
    case TDM_BOARD_TOOL_NOTE:
        return TDM_BOARD_NOTE;
    default:
        return TDM_BOARD_TEXT;
    }
}

static bool is_line_tool(const struct tdm_board_tools *t)
{
    return t->tool == TDM_BOARD_TOOL_LINE || t->tool == TDM_BOARD_TOOL_ARROW;
}

/* The box from where it began to here: a square or a round angle with shift, about the middle with
 * Alt. */
static void shape_box(struct tdm_board_tools *t, double box[4])
{
    double x = t->here_x, y = t->here_y;
    bool shift = t->mods & TDM_BOARD_SHIFT;

    if (!shift)
        tdm_hand_snap_point(t, &x, &y);
    double dx = x - t->from_x, dy = y - t->from_y;

    if (shift && is_line_tool(t)) {
        tdm_hand_snap_angle(&dx, &dy);
    } else if (shift) {
        double side = fmax(fabs(dx), fabs(dy));

        dx = copysign(side, dx);
        dy = copysign(side, dy);
    }
    box[0] = t->from_x;
    box[1] = t->from_y;
    if (t->mods & TDM_BOARD_ALT) {
        box[0] -= dx;
        box[1] -= dy;
        dx *= 2;
        dy *= 2;
    }
    if (!is_line_tool(t)) {
        box[0] = fmin(box[0], box[0] + dx);
        box[1] = fmin(box[1], box[1] + dy);
        dx = fabs(dx);
        dy = fabs(dy);
    }
    box[2] = dx;
    box[3] = dy;
}

static size_t style_values(const struct tdm_board_tools *t, enum tdm_board_type type,
                           struct tdm_board_value *values)
{
    const struct tdm_board_style *s = &t->style;
    size_t n = 0;

    values[n++] = tdm_board_int(TDM_PROP_COLOUR, type == TDM_BOARD_NOTE ? 0x1e1e1eff : s->colour);
    values[n++] = tdm_board_int(TDM_PROP_OPACITY, s->opacity);
    if (tdm_hand_has_text(type)) {
        values[n++] = tdm_board_int(TDM_PROP_FONT, s->font);
        values[n++] = tdm_board_int(TDM_PROP_FONT_SIZE, s->font_size);
        values[n++] =
            tdm_board_int(TDM_PROP_ALIGN, type == TDM_BOARD_NOTE ? TDM_ALIGN_CENTRE : s->align);
        if (type == TDM_BOARD_NOTE)
            values[n++] = tdm_board_int(TDM_PROP_FILL, s->note_fill);
        return n;
    }
    values[n++] = tdm_board_int(TDM_PROP_WIDTH, s->width);
    values[n++] = tdm_board_int(TDM_PROP_DASH, s->dash);
    if (type == TDM_BOARD_RECTANGLE || type == TDM_BOARD_ELLIPSE)
        values[n++] = tdm_board_int(TDM_PROP_FILL, s->fill);
    if (type == TDM_BOARD_RECTANGLE)
        values[n++] = tdm_board_int(TDM_PROP_CORNER, s->corner);
    return n;
}

static bool add_shape(struct tdm_board_tools *t, const double box[4])
{
    enum tdm_board_type type = type_of(t->tool);
    struct tdm_board_value values[16];
    size_t n = style_values(t, type, values);

    values[n++] = tdm_board_ref(TDM_PROP_PAGE, t->page);
    values[n++] = tdm_board_int(TDM_PROP_X, tdm_board_unit(box[0]));
    values[n++] = tdm_board_int(TDM_PROP_Y, tdm_board_unit(box[1]));
    values[n++] = tdm_board_int(TDM_PROP_W, tdm_board_unit(box[2]));
    values[n++] = tdm_board_int(TDM_PROP_H, tdm_board_unit(box[3]));
    return tdm_hand_add(t, type, values, n, &t->made);
}

static void write_shape(struct tdm_board_tools *t)
{
    double box[4];

    shape_box(t, box);
    if (t->tool == TDM_BOARD_TOOL_TEXT) {
        t->band = (struct tdm_board_frame){box[0], box[1], box[0] + box[2], box[1] + box[3]};
        return;
    }
    tdm_hand_open(t);
    if (tdm_hand_none(t->made)) {
        (void)add_shape(t, box);
        return;
    }
    const struct tdm_board_value values[] = {
        tdm_board_int(TDM_PROP_X, tdm_board_unit(box[0])),
        tdm_board_int(TDM_PROP_Y, tdm_board_unit(box[1])),
        tdm_board_int(TDM_PROP_W, tdm_board_unit(box[2])),
        tdm_board_int(TDM_PROP_H, tdm_board_unit(box[3])),
    };

    (void)tdm_hand_set(t, t->made, values, sizeof values / sizeof *values);
}

static void end_note(struct tdm_board_tools *t)
{
    double box[4] = {t->from_x - NOTE_SIDE / 2, t->from_y - NOTE_SIDE / 2, NOTE_SIDE, NOTE_SIDE};
    struct tdm_board_view view;
    struct tdm_board_id made;

    if (tdm_hand_none(t->made)) {
        tdm_hand_open(t);
        if (!add_shape(t, box))
            return;
    } else if (tdm_hand_read(t, t->made, &view) &&
               (view.w < NOTE_MIN * TDM_BOARD_UNIT || view.h < NOTE_MIN * TDM_BOARD_UNIT)) {
        (void)tdm_hand_set_int(t, t->made, TDM_PROP_W, tdm_board_unit(NOTE_SIDE));
        (void)tdm_hand_set_int(t, t->made, TDM_PROP_H, tdm_board_unit(NOTE_SIDE));
    }
    made = t->made;
    tdm_hand_made(t, made);
    tdm_hand_edit(t, made, true);
}

static void end_shape(struct tdm_board_tools *t)
{
    if (t->tool == TDM_BOARD_TOOL_TEXT) {
        double w = t->moved ? t->band.right - t->band.left : 0;

        t->gesture = TDM_BOARD_IDLE;
        tdm_hand_edit_new(t, t->moved ? t->band.left : t->from_x,
                          t->moved ? t->band.top : t->from_y, w < NOTE_MIN ? 0 : w);
    } else if (t->tool == TDM_BOARD_TOOL_NOTE) {
        end_note(t);
    } else if (!tdm_hand_none(t->made)) {
        tdm_hand_made(t, t->made);
    }
}

/* Eraser and laser ------------------------------------------------------------------------------
 */

static void erase(struct tdm_board_tools *t)
{
    const double from[2] = {t->last_x, t->last_y}, to[2] = {t->here_x, t->here_y};
    struct tdm_board_view view;
    size_t count = t->sight.crossed(t->sight.arg, from, to, eraser_reach(t), t->found, CROSSED_MAX);

    for (size_t i = 0; i < count; i++)
        if (tdm_hand_read(t, t->found[i], &view) && !view.locked) {
            tdm_hand_open(t);
            (void)tdm_hand_delete(t, view.id);
        }
    t->last_x = t->here_x;
    t->last_y = t->here_y;
}

static void shine(struct tdm_board_tools *t)
{
    if (t->laser_count == TDM_BOARD_TRAIL_MAX) {
        memmove(t->laser, t->laser + 1, sizeof *t->laser * (TDM_BOARD_TRAIL_MAX - 1));
        t->laser_count--;
    }
    t->laser[t->laser_count++] = (struct tdm_board_trail){t->here_x, t->here_y, t->now};
    t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

void tdm_hand_laser_age(struct tdm_board_tools *t)
{
    uint32_t old = 0;

    while (old < t->laser_count && t->now - t->laser[old].at > TDM_BOARD_LASER_LIFE)
        old++;
    if (t->laser_count)
        t->asked |= TDM_BOARD_ASK_MARKS;
    if (!old)
        return;
    t->laser_count -= old;
    memmove(t->laser, t->laser + old, sizeof *t->laser * t->laser_count);
    t->asked |= TDM_BOARD_ASK_LIVE;
}

/* The gesture -----------------------------------------------------------------------------------
 */

void tdm_hand_draw_begin(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    if (in->device == TDM_DEVICE_RUBBER || t->tool == TDM_BOARD_TOOL_ERASER) {
        t->gesture = TDM_BOARD_ERASES;
        erase(t);
    } else if (t->tool == TDM_BOARD_TOOL_PEN || t->tool == TDM_BOARD_TOOL_MARKER) {
        begin_ink(t, in);
    } else if (t->tool == TDM_BOARD_TOOL_LASER) {
        t->gesture = TDM_BOARD_POINTS;
        t->laser_count = 0;
        t->laser_stroke++;
        shine(t);
    } else {
        t->gesture = TDM_BOARD_SHAPES;
        tdm_hand_snap_begin(t);
        tdm_hand_snap_point(t, &t->from_x, &t->from_y);
        t->band = (struct tdm_board_frame){t->from_x, t->from_y, t->from_x, t->from_y};
    }
}

void tdm_hand_draw(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    if (t->gesture == TDM_BOARD_DRAWS)
        draw_ink(t, in);
    else if (t->gesture == TDM_BOARD_ERASES)
        erase(t);
    else if (t->gesture == TDM_BOARD_POINTS)
        shine(t);
}

void tdm_hand_draw_write(struct tdm_board_tools *t)
{
    if (t->gesture == TDM_BOARD_SHAPES) {
        write_shape(t);
        return;
    }
    if (t->ink_count && tdm_hand_ink(t, t->made, t->ink, t->ink_count))
        t->ink_count = 0;
    t->ink_put = t->now;
}

void tdm_hand_draw_end(struct tdm_board_tools *t)
{
    if (t->gesture == TDM_BOARD_DRAWS) {
        tdm_hand_draw_write(t);
        (void)tdm_hand_seal(t, t->made);
        t->ink_count = 0;
    } else if (t->gesture == TDM_BOARD_SHAPES) {
        end_shape(t);
    }
}

/* Images ----------------------------------------------------------------------------------------
 */

void tdm_hand_place_image(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    const struct tdm_board_canvas *c = &t->canvas;
    double w = in->width ? in->width : 1, h = in->height ? in->height : 1;
    bool middle = !(in->x >= 0 && in->y >= 0);
    double x = tdm_board_canvas_x(c, middle ? c->width / 2 : in->x);
    double y = tdm_board_canvas_y(c, middle ? c->height / 2 : in->y);
    double most = fmin(IMAGE_SHARE * c->width / c->zoom / w, IMAGE_SHARE * c->height / c->zoom / h);

    if (most < 1) {
        w = fmax(w * most, IMAGE_MIN);
        h = fmax(h * most, IMAGE_MIN);
    }
    const struct tdm_board_value values[] = {
        tdm_board_ref(TDM_PROP_PAGE, t->page),
        tdm_board_int(TDM_PROP_X, tdm_board_unit(x - w / 2)),
        tdm_board_int(TDM_PROP_Y, tdm_board_unit(y - h / 2)),
        tdm_board_int(TDM_PROP_W, tdm_board_unit(w)),
        tdm_board_int(TDM_PROP_H, tdm_board_unit(h)),
        tdm_board_bytes(TDM_PROP_IMAGE, in->hash, TDM_BOARD_HASH_BYTES),
    };
    struct tdm_board_id id;

    tdm_hand_end_gesture(t);
    tdm_hand_edit_end(t);
    tdm_hand_open(t);
    bool added = tdm_hand_add(t, TDM_BOARD_IMAGE, values, sizeof values / sizeof *values, &id);

    tdm_hand_close(t);
    if (!added)
        return;
    t->tool = TDM_BOARD_TOOL_SELECT;
    tdm_hand_select_none(t);
    tdm_hand_select(t, id, true);
}
