/* SPDX-License-Identifier: MIT */
/* What stands on bars: buttons, colours, letters, rows. */
#include "render/board_window_look.h"

#include <math.h>
#include <string.h>

#define PI     3.14159265358979323846
#define FAMILY "Inter, Cantarell, Noto Sans, DejaVu Sans, Sans"

/* Text -------------------------------------------------------------------------------------------
 */

static PangoLayout *layout_of(struct tdm_board_window *w, const char *text, double size, bool heavy)
{
    PangoLayout *layout = pango_layout_new(w->fonts);
    PangoFontDescription *font = pango_font_description_from_string(FAMILY);

    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_font_description_set_weight(font, heavy ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_text(layout, text, -1);
    return layout;
}

double tdm_board_window_text_width(struct tdm_board_window *w, const char *text, double size,
                                   bool heavy)
{
    PangoLayout *layout = layout_of(w, text, size, heavy);
    int width = 0;

    pango_layout_get_size(layout, &width, NULL);
    g_object_unref(layout);
    return ceil((double)width / PANGO_SCALE);
}

void tdm_board_window_text(struct tdm_board_window *w, cairo_t *cr, const char *text, double size,
                           bool heavy, double x, double y, double width)
{
    PangoLayout *layout = layout_of(w, text, size, heavy);

    if (width > 0) {
        pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    }
    cairo_move_to(cr, x, y);
    pango_cairo_update_layout(cr, layout);
    pango_cairo_show_layout(cr, layout);
    cairo_new_path(cr);
    g_object_unref(layout);
}

/* In the middle of a box. */
static void centred(struct tdm_board_window *w, cairo_t *cr, const char *text, double size,
                    bool heavy, const struct tdm_board_widget *b)
{
    PangoLayout *layout = layout_of(w, text, size, heavy);
    int width, height;

    pango_layout_get_size(layout, &width, &height);
    cairo_move_to(cr, b->x + (b->w - (double)width / PANGO_SCALE) / 2,
                  b->y + (b->h - (double)height / PANGO_SCALE) / 2);
    pango_cairo_update_layout(cr, layout);
    pango_cairo_show_layout(cr, layout);
    cairo_new_path(cr);
    g_object_unref(layout);
}

/* Widgets ----------------------------------------------------------------------------------------
 */

static void paint_button(struct tdm_board_window *w, cairo_t *cr, const struct tdm_board_palette *p,
                         const struct tdm_board_widget *b, bool hot, bool held)
{
    uint32_t ink = b->on ? p->on_ink : p->ink;

    if (b->off)
        ink = (p->faint & ~0xffu) | 0x70;
    if (!b->off && (b->on || hot)) {
        tdm_board_window_source(cr, b->on ? p->on : p->hot);
        tdm_board_window_rounded(cr, b->x, b->y, b->w, b->h, 8);
        cairo_fill(cr);
    }
    tdm_board_window_source(cr, ink);
    if (b->kind == TDM_WIDGET_WORD) {
        centred(w, cr, b->text, 13, b->on, b);
        return;
    }
    double side = b->w * 0.6 - (held ? 1 : 0);

    tdm_board_icon_draw(cr, b->icon, b->x + (b->w - side) / 2, b->y + (b->h - side) / 2, side);
}

/* The one that Enter presses. */
static void paint_heavy(struct tdm_board_window *w, cairo_t *cr, const struct tdm_board_palette *p,
                        const struct tdm_board_widget *b, bool hot)
{
    tdm_board_window_source(cr, b->off ? p->hot : hot ? p->press_hot : p->press);
    tdm_board_window_rounded(cr, b->x, b->y, b->w, b->h, 8);
    cairo_fill(cr);
    tdm_board_window_source(cr, b->off ? p->faint : p->press_ink);
    centred(w, cr, b->text, 13, true, b);
}

/* Text with a line under it in the middle of a box's height. @return where it ends. */
static double beside(struct tdm_board_window *w, cairo_t *cr, const char *text, double x,
                     const struct tdm_board_widget *b, double room)
{
    double wide = fmin(tdm_board_window_text_width(w, text, 13, false), room);

    tdm_board_window_text(w, cr, text, 13, false, x, b->y + (b->h - 17) / 2, room);
    return x + wide;
}

static void paint_row(struct tdm_board_window *w, cairo_t *cr, const struct tdm_board_palette *p,
                      const struct tdm_board_widget *b, bool hot)
{
    const double side = 18, detail = tdm_board_window_text_width(w, b->detail, 13, false);

    if (b->on || hot) {
        tdm_board_window_source(cr, b->on ? p->on : p->hot);
        tdm_board_window_rounded(cr, b->x, b->y, b->w, b->h, 7);
        cairo_fill(cr);
    }
    tdm_board_window_source(cr, b->on ? p->on_ink : p->faint);
    tdm_board_icon_draw(cr, b->icon, b->x + 9, b->y + (b->h - side) / 2, side);
    (void)beside(w, cr, b->detail, b->x + b->w - 10 - detail, b, detail + 2);
    tdm_board_window_source(cr, b->on ? p->on_ink : p->ink);
    (void)beside(w, cr, b->text, b->x + 37, b, b->w - 61 - detail);
}

/* What is typed stands before its caret, and what will be added behind. */
static void paint_field(struct tdm_board_window *w, cairo_t *cr, const struct tdm_board_palette *p,
                        const struct tdm_board_widget *b)
{
    double x = b->x + 12, room = b->w - 24 - tdm_board_window_text_width(w, b->detail, 13, false);

    tdm_board_window_rounded(cr, b->x + 0.5, b->y + 0.5, b->w - 1, b->h - 1, 8);
    tdm_board_window_source(cr, p->accent);
    cairo_set_line_width(cr, 1.4);
    cairo_stroke(cr);
    tdm_board_window_source(cr, p->ink);
    if (*b->text)
        x = beside(w, cr, b->text, x, b, room);
    cairo_rectangle(cr, x + 1, b->y + 9, 1.5, b->h - 18);
    tdm_board_window_source(cr, p->accent);
    cairo_fill(cr);
    tdm_board_window_source(cr, p->faint);
    (void)beside(w, cr, *b->text ? b->detail : b->tip, x + 5, b, b->w - 24);
}

static void paint_colour(struct tdm_board_window *w, cairo_t *cr, const struct tdm_board_palette *p,
                         const struct tdm_board_widget *b, bool hot)
{
    double inset = b->on || hot ? 3 : 2;
    bool none = !(b->value & 0xff);
    uint32_t colour = tdm_board_theme_colour(w->theme, b->value);

    tdm_board_window_rounded(cr, b->x + inset, b->y + inset, b->w - 2 * inset, b->h - 2 * inset, 6);
    tdm_board_window_source(cr, none ? p->card : colour);
    cairo_fill_preserve(cr);
    cairo_set_line_width(cr, 1);
    tdm_board_window_source(cr, (p->ink & ~0xffu) | 0x2c);
    cairo_stroke(cr);
    if (none) {
        cairo_move_to(cr, b->x + b->w - 6, b->y + 6);
        cairo_line_to(cr, b->x + 6, b->y + b->h - 6);
        tdm_board_window_source(cr, 0xe03131ff);
        cairo_set_line_width(cr, 1.6);
        cairo_stroke(cr);
    }
    if (b->on || hot) {
        tdm_board_window_rounded(cr, b->x + 0.5, b->y + 0.5, b->w - 1, b->h - 1, 8);
        cairo_set_line_width(cr, b->on ? 1.8 : 1);
        tdm_board_window_source(cr, b->on ? p->accent : p->faint);
        cairo_stroke(cr);
    }
}

static void paint_slider(cairo_t *cr, const struct tdm_board_palette *p,
                         const struct tdm_board_widget *b)
{
    double middle = b->y + b->h / 2, at = b->x + b->w * b->value / 255.0;

    tdm_board_window_rounded(cr, b->x, middle - 2, b->w, 4, 2);
    tdm_board_window_source(cr, (p->ink & ~0xffu) | 0x26);
    cairo_fill(cr);
    tdm_board_window_rounded(cr, b->x, middle - 2, at - b->x, 4, 2);
    tdm_board_window_source(cr, p->accent);
    cairo_fill(cr);
    cairo_arc(cr, fmin(fmax(at, b->x + 7), b->x + b->w - 7), middle, 7, 0, 2 * PI);
    tdm_board_window_source(cr, 0xffffffff);
    cairo_fill_preserve(cr);
    tdm_board_window_source(cr, p->accent);
    cairo_set_line_width(cr, 2);
    cairo_stroke(cr);
}

/* The first letter of a name, however many bytes it has. */
static void first_letter(const char *name, char room[8])
{
    size_t n = 0;

    do
        room[n] = name[n];
    while (name[n] && ++n < 7 && ((unsigned char)name[n] & 0xc0) == 0x80);
    room[n] = 0;
    if (room[0] >= 'a' && room[0] <= 'z')
        room[0] = (char)(room[0] - 'a' + 'A');
}

static void paint_face(struct tdm_board_window *w, cairo_t *cr, const struct tdm_board_palette *p,
                       const struct tdm_board_widget *b)
{
    char letter[8];

    first_letter(b->text, letter);
    cairo_arc(cr, b->x + b->w / 2, b->y + b->h / 2, b->w / 2, 0, 2 * PI);
    tdm_board_window_source(cr, b->off ? p->faint : b->value);
    cairo_fill(cr);
    tdm_board_window_source(cr, 0xffffffff);
    centred(w, cr, letter, 14, true, b);
    cairo_arc(cr, b->x + b->w - 4, b->y + b->h - 4, 5, 0, 2 * PI);
    tdm_board_window_source(cr, p->card);
    cairo_fill(cr);
    cairo_arc(cr, b->x + b->w - 4, b->y + b->h - 4, 3.6, 0, 2 * PI);
    tdm_board_window_source(cr, b->off ? p->faint : 0x2f9e44ff);
    cairo_fill(cr);
}

static void paint_keys(struct tdm_board_window *w, cairo_t *cr, const struct tdm_board_palette *p,
                       const struct tdm_board_widget *b)
{
    double wide = tdm_board_window_text_width(w, b->text, 11, false) + 12;
    struct tdm_board_widget box = *b;

    box.x = b->x + b->w - wide;
    box.w = wide;
    tdm_board_window_rounded(cr, box.x + 0.5, box.y + 0.5, box.w - 1, box.h - 1, 5);
    tdm_board_window_source(cr, p->hot);
    cairo_fill_preserve(cr);
    tdm_board_window_source(cr, p->edge);
    cairo_set_line_width(cr, 1);
    cairo_stroke(cr);
    tdm_board_window_source(cr, p->faint);
    centred(w, cr, b->text, 11, false, &box);
}

void tdm_board_window_paint_widget(struct tdm_board_window *w, cairo_t *cr, enum tdm_board_bar bar,
                                   int which)
{
    const struct tdm_board_palette *p = tdm_board_window_palette(w);
    const struct tdm_board_widget *b = &w->widgets[which];
    bool hot = which == w->hot;

    switch (b->kind) {
    case TDM_WIDGET_ICON:
    case TDM_WIDGET_WORD:
        if (b->heavy)
            paint_heavy(w, cr, p, b, hot);
        else
            paint_button(w, cr, p, b, hot, which == w->held);
        break;
    case TDM_WIDGET_ROW:
        paint_row(w, cr, p, b, hot);
        break;
    case TDM_WIDGET_FIELD:
        paint_field(w, cr, p, b);
        break;
    case TDM_WIDGET_COLOUR:
        paint_colour(w, cr, p, b, hot);
        break;
    case TDM_WIDGET_SLIDER:
        paint_slider(cr, p, b);
        break;
    case TDM_WIDGET_KEYS:
        paint_keys(w, cr, p, b);
        break;
    case TDM_WIDGET_FACE:
        paint_face(w, cr, p, b);
        break;
    case TDM_WIDGET_RULE:
        cairo_rectangle(cr, b->x, b->y, b->w, b->h);
        tdm_board_window_source(cr, p->edge);
        cairo_fill(cr);
        break;
    case TDM_WIDGET_LABEL:
        tdm_board_window_source(cr, bar == TDM_BAR_TIP ? p->tip_ink : b->off ? p->faint : p->ink);
        tdm_board_window_text(w, cr, b->text,
                              bar == TDM_BAR_TIP                ? 12
                              : b->off                          ? 11.5
                              : b->heavy && bar >= TDM_BAR_HELP ? 17
                                                                : 13,
                              b->heavy, b->x, b->y, b->w + 2);
        break;
    }
}
