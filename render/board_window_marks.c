/* SPDX-License-Identifier: MIT */
/*
 * What belongs to a hand and not to the board: selection and handles, band, guides, caret, laser,
 * ink ahead of the hand; and the other side's cursor, selection and laser.
 *
 * Every mark is painted by one function that is run twice: without a surface it only notes where
 * the mark is, so that what it covers is put back when it goes.
 */
#include "render/board_window_state.h"

#include <math.h>
#include <string.h>

#define PI           3.14159265358979323846
#define ACCENT       0x5b5bd6ff
#define ACCENT_DARK  0x9b99f8ff
#define GUIDE        0xf0306aff
#define LASER_WIDTH  5.0
#define AHEAD_MS     16.0
#define MARKED_BOXES 256
#define SELECTED_MAX 64 /* Objects of a larger selection have no frames of their own. */

struct brush {
    struct tdm_board_window *w;
    cairo_t *cr; /* NULL: only noting. */
    tdm_time now;
};

static void note(const struct brush *b, double left, double top, double right, double bottom)
{
    struct tdm_board_window *w = b->w;
    struct tdm_rect r = {(int)floor(fmax(fmin(left, right), -1e6)) - 2,
                         (int)floor(fmax(fmin(top, bottom), -1e6)) - 2, 0, 0};

    if (b->cr)
        return;
    r.width = (int)ceil(fmin(fmax(left, right), 1e6)) + 3 - r.x;
    r.height = (int)ceil(fmin(fmax(top, bottom), 1e6)) + 3 - r.y;
    r = tdm_rect_both(r, (struct tdm_rect){0, 0, w->width, w->height});
    if (tdm_rect_empty(r))
        return;
    if (w->marks_count == TDM_BOARD_DIRTY_MAX)
        w->marks[w->marks_count - 1] = tdm_rect_around(w->marks[w->marks_count - 1], r);
    else
        w->marks[w->marks_count++] = r;
}

/* The sides of an upright or turned frame, each by itself: its inside stays as it is. */
static void note_outline(const struct brush *b, const double x[4], const double y[4], double pad)
{
    for (int i = 0; i < 4; i++) {
        int next = (i + 1) % 4;
        double dx = x[next] - x[i], dy = y[next] - y[i];
        /* A slanted side in pieces, or its box would be all of the frame. */
        int pieces = fabs(dx) > 40 && fabs(dy) > 40 ? 4 : 1;

        for (int k = 0; k < pieces; k++) {
            double x0 = x[i] + dx * k / pieces, x1 = x[i] + dx * (k + 1) / pieces;
            double y0 = y[i] + dy * k / pieces, y1 = y[i] + dy * (k + 1) / pieces;

            note(b, fmin(x0, x1) - pad, fmin(y0, y1) - pad, fmax(x0, x1) + pad, fmax(y0, y1) + pad);
        }
    }
}

static void to_window(const struct brush *b, double x, double y, double *wx, double *wy)
{
    tdm_board_camera_to_window(&b->w->camera, x, y, wx, wy);
}

static uint32_t accent(const struct tdm_board_window *w)
{
    return w->theme == TDM_THEME_DARK ? ACCENT_DARK : ACCENT;
}

uint32_t tdm_board_window_peer_colour(const struct tdm_board_window *w)
{
    return w->live.colour ? w->live.colour : 0xc2410cff;
}

/* Frames -----------------------------------------------------------------------------------------
 */

static void corners(const struct brush *b, const struct tdm_board_box *box, double grow,
                    double x[4], double y[4])
{
    const double px[4] = {box->x, box->x + box->w, box->x + box->w, box->x};
    const double py[4] = {box->y, box->y, box->y + box->h, box->y + box->h};
    static const int out_x[4] = {-1, 1, 1, -1}, out_y[4] = {-1, -1, 1, 1};
    double middle_x, middle_y;

    to_window(b, box->x + box->w / 2, box->y + box->h / 2, &middle_x, &middle_y);
    for (int i = 0; i < 4; i++) {
        double wx, wy;

        to_window(b, px[i], py[i], &wx, &wy);
        wx += grow * out_x[i] - middle_x;
        wy += grow * out_y[i] - middle_y;
        x[i] = middle_x + wx * cos(box->angle) - wy * sin(box->angle);
        y[i] = middle_y + wx * sin(box->angle) + wy * cos(box->angle);
    }
}

static void frame(const struct brush *b, const struct tdm_board_box *box, double grow,
                  uint32_t colour, double width, bool dashed)
{
    double x[4], y[4], s = b->w->scale;

    corners(b, box, grow * s, x, y);
    note_outline(b, x, y, width * s);
    if (!b->cr)
        return;
    cairo_new_path(b->cr);
    for (int i = 0; i < 4; i++)
        cairo_line_to(b->cr, x[i], y[i]);
    cairo_close_path(b->cr);
    tdm_board_window_source(b->cr, colour);
    cairo_set_line_width(b->cr, width * s);
    if (dashed)
        cairo_set_dash(b->cr, (const double[]){4 * s, 4 * s}, 2, 0);
    cairo_stroke(b->cr);
    cairo_set_dash(b->cr, NULL, 0, 0);
}

/* Of an object, as it stands. */
static bool box_of(const struct tdm_board_window *w, struct tdm_board_id id,
                   struct tdm_board_box *box)
{
    const struct tdm_board_object *o = tdm_board_find(w->board, id);
    struct tdm_board_view view;
    struct tdm_figure_box f;

    if (!o)
        return false;
    tdm_board_read(w->board, o, &view);
    if (view.deleted || !tdm_board_scene_frame(w->scene, tdm_board_figure_id(id), &f))
        return false;
    *box = (struct tdm_board_box){
        f.left, f.top, f.right - f.left, f.bottom - f.top, view.angle * 2 * PI / 65536, false};
    return true;
}

static void handle(const struct brush *b, double x, double y, bool round, bool over)
{
    double s = b->w->scale, side = (over ? 5 : 4) * s;
    uint32_t colour = accent(b->w);

    note(b, x - side, y - side, x + side, y + side);
    if (!b->cr)
        return;
    cairo_new_path(b->cr);
    if (round)
        cairo_arc(b->cr, x, y, side, 0, 2 * PI);
    else
        tdm_board_window_rounded(b->cr, x - side, y - side, 2 * side, 2 * side, 2.2 * s);
    tdm_board_window_source(b->cr, b->w->theme == TDM_THEME_DARK ? 0x1e1e24ff : 0xffffffff);
    cairo_fill_preserve(b->cr);
    tdm_board_window_source(b->cr, colour);
    cairo_set_line_width(b->cr, 1.5 * s);
    cairo_stroke(b->cr);
}

static void selection(const struct brush *b)
{
    const struct tdm_board_tools *t = b->w->tools;
    struct tdm_board_box box;
    double x, y;

    if (!t->selected_count)
        return;
    for (uint32_t i = 0; t->selected_count > 1 && i < t->selected_count && i < SELECTED_MAX; i++)
        if (box_of(b->w, t->selected[i], &box))
            frame(b, &box, 1, (accent(b->w) & ~0xffu) | 0x90, 1, false);
    if (!t->has_box)
        return;
    if (!t->box.line)
        frame(b, &t->box, TDM_BOARD_HANDLE_GAP, accent(b->w), 1.2, t->selected_count > 1);
    if (t->gesture == TDM_BOARD_MOVES)
        return;
    for (int i = TDM_BOARD_HANDLE_NW; i < TDM_BOARD_HANDLES; i++)
        if (tdm_board_tools_handle(t, (enum tdm_board_handle)i, &x, &y)) {
            to_window(b, x, y, &x, &y);
            handle(b, x, y, i >= TDM_BOARD_HANDLE_TURN, (int)t->over == i);
        }
}

static void hover(const struct brush *b)
{
    const struct tdm_board_tools *t = b->w->tools;
    struct tdm_board_box box;

    if (t->gesture != TDM_BOARD_IDLE || !t->hover.seq)
        return;
    for (uint32_t i = 0; i < t->selected_count && i < SELECTED_MAX; i++)
        if (tdm_board_same(t->selected[i], t->hover))
            return;
    if (box_of(b->w, t->hover, &box))
        frame(b, &box, 1, (accent(b->w) & ~0xffu) | 0x70, 1, false);
}

static void band(const struct brush *b)
{
    const struct tdm_board_tools *t = b->w->tools;
    bool text = t->gesture == TDM_BOARD_SHAPES && t->tool == TDM_BOARD_TOOL_TEXT;
    double x0, y0, x1, y1;

    if (t->gesture != TDM_BOARD_BANDS && !text)
        return;
    to_window(b, t->band.left, t->band.top, &x0, &y0);
    to_window(b, t->band.right, t->band.bottom, &x1, &y1);
    note(b, x0, y0, x1, y1);
    if (!b->cr)
        return;
    cairo_rectangle(b->cr, floor(fmin(x0, x1)) + 0.5, floor(fmin(y0, y1)) + 0.5,
                    floor(fabs(x1 - x0)), floor(fabs(y1 - y0)));
    tdm_board_window_source(b->cr, (accent(b->w) & ~0xffu) | 0x18);
    cairo_fill_preserve(b->cr);
    tdm_board_window_source(b->cr, accent(b->w));
    cairo_set_line_width(b->cr, b->w->scale);
    cairo_stroke(b->cr);
}

static void guides(const struct brush *b)
{
    const struct tdm_board_tools *t = b->w->tools;

    for (uint32_t i = 0; i < t->guide_count; i++) {
        double x0, y0, x1, y1;

        to_window(b, t->guides[i].left, t->guides[i].top, &x0, &y0);
        to_window(b, t->guides[i].right, t->guides[i].bottom, &x1, &y1);
        note(b, x0, y0, x1, y1);
        if (!b->cr)
            continue;
        cairo_move_to(b->cr, floor(x0) + 0.5, floor(y0) + 0.5);
        cairo_line_to(b->cr, floor(x1) + 0.5, floor(y1) + 0.5);
        tdm_board_window_source(b->cr, GUIDE);
        cairo_set_line_width(b->cr, b->w->scale);
        cairo_stroke(b->cr);
    }
}

/* Text -------------------------------------------------------------------------------------------
 */

/* A box of the object's own axes, filled. */
static void text_box(const struct brush *b, const struct tdm_board_box *object,
                     const struct tdm_figure_box *box, uint32_t colour)
{
    const double px[4] = {box->left, box->right, box->right, box->left};
    const double py[4] = {box->top, box->top, box->bottom, box->bottom};
    double x[4], y[4], middle_x, middle_y;

    to_window(b, object->x + object->w / 2, object->y + object->h / 2, &middle_x, &middle_y);
    for (int i = 0; i < 4; i++) {
        double wx, wy;

        to_window(b, object->x + px[i], object->y + py[i], &wx, &wy);
        wx -= middle_x;
        wy -= middle_y;
        x[i] = middle_x + wx * cos(object->angle) - wy * sin(object->angle);
        y[i] = middle_y + wx * sin(object->angle) + wy * cos(object->angle);
    }
    note(b, fmin(fmin(x[0], x[1]), fmin(x[2], x[3])), fmin(fmin(y[0], y[1]), fmin(y[2], y[3])),
         fmax(fmax(x[0], x[1]), fmax(x[2], x[3])), fmax(fmax(y[0], y[1]), fmax(y[2], y[3])));
    if (!b->cr)
        return;
    cairo_new_path(b->cr);
    for (int i = 0; i < 4; i++)
        cairo_line_to(b->cr, x[i], y[i]);
    cairo_close_path(b->cr);
    tdm_board_window_source(b->cr, colour);
    cairo_fill(b->cr);
}

static void caret(const struct brush *b, struct tdm_board_id id, uint32_t at, uint32_t colour)
{
    struct tdm_board_window *w = b->w;
    struct tdm_board_figure figure;
    struct tdm_board_caret_place place = {0};
    struct tdm_board_box box;
    double half = 0.8 / w->tools->canvas.zoom;

    if (!box_of(w, id, &box) || !tdm_board_window_figure(w, id, &figure))
        return;
    tdm_board_text_caret(w->letters, &figure, at, &place);
    text_box(
        b, &box,
        &(struct tdm_figure_box){place.x - half, place.y, place.x + half, place.y + place.height},
        colour);
}

static void editing(const struct brush *b)
{
    struct tdm_board_window *w = b->w;
    const struct tdm_board_tools *t = w->tools;
    struct tdm_figure_box boxes[MARKED_BOXES];
    struct tdm_board_figure figure;
    struct tdm_board_box box;
    uint32_t from, to, at;

    if (!t->editing.seq || !box_of(w, t->editing, &box))
        return;
    tdm_board_tools_marked(t, &from, &to, &at);
    if (from != to && tdm_board_window_figure(w, t->editing, &figure)) {
        size_t count = tdm_board_text_selection(w->letters, &figure, from, to, boxes, MARKED_BOXES);

        for (size_t i = 0; i < count; i++)
            text_box(b, &box, &boxes[i], (accent(w) & ~0xffu) | 0x48);
    }
    if (w->caret_on)
        caret(b, t->editing, at, accent(w));
}

/* Laser and ink ----------------------------------------------------------------------------------
 */

static void trail(const struct brush *b, const struct tdm_board_trail *points, uint32_t count,
                  uint32_t colour)
{
    double s = b->w->scale;

    for (uint32_t i = 0; i < count; i++) {
        double age = (double)(b->now - points[i].at) / (double)TDM_BOARD_LASER_LIFE;
        double left = fmin(fmax(1 - age, 0), 1), width = LASER_WIDTH * s * left;
        uint32_t from = i ? i - 1 : 0;
        double x0, y0, x1, y1;

        to_window(b, points[from].x, points[from].y, &x0, &y0);
        to_window(b, points[i].x, points[i].y, &x1, &y1);
        note(b, fmin(x0, x1) - 8 * s, fmin(y0, y1) - 8 * s, fmax(x0, x1) + 8 * s,
             fmax(y0, y1) + 8 * s);
        if (!b->cr)
            continue;
        /* It gets thinner and not fainter: joints would show. */
        cairo_set_line_cap(b->cr, CAIRO_LINE_CAP_ROUND);
        cairo_move_to(b->cr, x0, y0);
        cairo_line_to(b->cr, x1, y1);
        tdm_board_window_source(b->cr, colour);
        cairo_set_line_width(b->cr, width);
        cairo_stroke(b->cr);
        cairo_set_line_cap(b->cr, CAIRO_LINE_CAP_BUTT);
    }
}

/* Where the stroke will be when this frame is seen, while the hand moves. */
static void ahead(const struct brush *b)
{
    struct tdm_board_window *w = b->w;
    const struct tdm_board_tools *t = w->tools;
    struct tdm_board_figure figure;

    if (!b->cr)
        w->ahead = false;
    if (t->gesture != TDM_BOARD_DRAWS || b->now - t->ink_at >= TDM_BOARD_AHEAD_LIFE ||
        !tdm_board_window_figure(w, t->made, &figure))
        return;
    struct tdm_rect r = tdm_board_paint_prediction(b->cr, &w->camera, &figure, AHEAD_MS);

    if (b->cr || tdm_rect_empty(r))
        return;
    w->ahead = true;
    note(b, r.x, r.y, r.x + r.width, r.y + r.height);
}

static void rubber(const struct brush *b)
{
    const struct tdm_board_tools *t = b->w->tools;
    double s = b->w->scale, x = t->at_x * s, y = t->at_y * s;

    if (t->tool != TDM_BOARD_TOOL_ERASER || !t->inside || b->w->on_bar)
        return;
    note(b, x - 9 * s, y - 9 * s, x + 9 * s, y + 9 * s);
    if (!b->cr)
        return;
    cairo_new_path(b->cr);
    cairo_arc(b->cr, x, y, 8 * s, 0, 2 * PI);
    tdm_board_window_source(b->cr, b->w->theme == TDM_THEME_DARK ? 0xffffff30 : 0x00000018);
    cairo_fill_preserve(b->cr);
    tdm_board_window_source(b->cr, b->w->theme == TDM_THEME_DARK ? 0xffffffb0 : 0x000000a0);
    cairo_set_line_width(b->cr, s);
    cairo_stroke(b->cr);
}

/* The other side ---------------------------------------------------------------------------------
 */

static void cursor(const struct brush *b, double x, double y, uint32_t colour, const char *name)
{
    double s = b->w->scale, wide = tdm_board_window_text_width(b->w, name, 12, true);

    wide = fmin(wide, 160);
    note(b, x - 2 * s, y - 2 * s, x + (wide + 34) * s, y + 42 * s);
    if (!b->cr)
        return;
    cairo_save(b->cr);
    cairo_translate(b->cr, x, y);
    cairo_scale(b->cr, s, s);
    cairo_move_to(b->cr, 0, 0);
    cairo_line_to(b->cr, 4.6, 15.4);
    cairo_line_to(b->cr, 8, 8.8);
    cairo_line_to(b->cr, 15.2, 6.4);
    cairo_close_path(b->cr);
    cairo_set_line_join(b->cr, CAIRO_LINE_JOIN_ROUND);
    tdm_board_window_source(b->cr, colour);
    cairo_fill_preserve(b->cr);
    tdm_board_window_source(b->cr, 0xffffffff);
    cairo_set_line_width(b->cr, 1.4);
    cairo_stroke(b->cr);
    if (*name) {
        tdm_board_window_rounded(b->cr, 12, 16, wide + 16, 22, 7);
        tdm_board_window_source(b->cr, colour);
        cairo_fill(b->cr);
        tdm_board_window_source(b->cr, 0xffffffff);
        tdm_board_window_text(b->w, b->cr, name, 12, true, 20, 19, wide + 2);
    }
    cairo_restore(b->cr);
}

static uint32_t byte_of_character(const struct tdm_board_figure *figure, uint32_t character)
{
    uint32_t i = 0;

    for (; i < figure->text_size; i++)
        if (((uint8_t)figure->text[i] & 0xc0) != 0x80 && character-- == 0)
            break;
    return i;
}

static void other(const struct brush *b)
{
    struct tdm_board_window *w = b->w;
    const struct tdm_board_live *live = &w->live;
    uint32_t colour = tdm_board_window_peer_colour(w);
    struct tdm_board_figure figure;
    struct tdm_board_box box;
    double x, y;

    if (!w->there || !tdm_board_same(live->page, w->tools->page))
        return;
    for (int i = 0; i < live->selected_count && i < TDM_BOARD_SELECTED_MAX; i++)
        if (box_of(w, live->selected[i], &box))
            frame(b, &box, 3, colour, 1.4, true);
    if (live->caret_object.seq && tdm_board_window_figure(w, live->caret_object, &figure))
        caret(b, live->caret_object, byte_of_character(&figure, live->caret), colour);
    trail(b, w->trail, w->trail_count, colour);
    if (!live->cursor)
        return;
    to_window(b, (double)live->x / TDM_BOARD_UNIT, (double)live->y / TDM_BOARD_UNIT, &x, &y);
    cursor(b, x, y, colour, *live->name ? live->name : w->peer_name);
}

/* On an empty page: what one may do. */
static void invitation(const struct brush *b)
{
    static const char first[] = "Draw, write, or drop an image here",
                      second[] = "Press ? for all tools and keys";
    struct tdm_board_window *w = b->w;
    double s = w->scale, middle = w->width / s / 2, y = w->height / s * 0.36;
    double wide = tdm_board_window_text_width(w, first, 20, true);
    double wide_too = tdm_board_window_text_width(w, second, 13, false);

    if (tdm_board_scene_count(w->scene) || w->tools->gesture != TDM_BOARD_IDLE ||
        w->tools->editing.seq)
        return;
    note(b, (middle - wide / 2) * s, y * s, (middle + wide / 2) * s, (y + 60) * s);
    if (!b->cr)
        return;
    cairo_save(b->cr);
    cairo_scale(b->cr, s, s);
    tdm_board_window_source(b->cr, w->theme == TDM_THEME_DARK ? 0xffffff90 : 0x00000088);
    tdm_board_window_text(w, b->cr, first, 20, true, floor(middle - wide / 2), floor(y), 0);
    tdm_board_window_text(w, b->cr, second, 13, false, floor(middle - wide_too / 2), floor(y + 36),
                          0);
    cairo_restore(b->cr);
}

/* Around everything while one follows or leads. */
static void rim(const struct brush *b)
{
    struct tdm_board_window *w = b->w;
    bool follows = w->tools->follows && w->there, leads = w->tools->leads && w->there;
    uint32_t colour = follows ? tdm_board_window_peer_colour(w) : accent(w);
    double s = w->scale, line = 3 * s;

    if (!follows && !leads)
        return;
    note(b, 0, 0, w->width, line);
    note(b, 0, w->height - line, w->width, w->height);
    note(b, 0, 0, line, w->height);
    note(b, w->width - line, 0, w->width, w->height);
    if (!b->cr)
        return;
    cairo_rectangle(b->cr, line / 2, line / 2, w->width - line, w->height - line);
    tdm_board_window_source(b->cr, colour);
    cairo_set_line_width(b->cr, line);
    cairo_stroke(b->cr);
}

void tdm_board_window_paint_marks(struct tdm_board_window *w, cairo_t *cr, tdm_time now)
{
    const struct brush b = {w, cr, now};

    invitation(&b);
    hover(&b);
    other(&b);
    guides(&b);
    selection(&b);
    editing(&b);
    band(&b);
    ahead(&b);
    trail(&b, w->tools->laser, w->tools->laser_count, 0xf03e3eff);
    rubber(&b);
    rim(&b);
}
