/* SPDX-License-Identifier: MIT */
/* How bars look. Each is painted into a picture of its own when something on it is another. */
#include "render/board_window_state.h"

#include <math.h>
#include <string.h>

#define SHADOW  18.0
#define RADIUS  11.0
#define SHADOWS 14 /* Each a little smaller: a soft edge. */
#define PI      3.14159265358979323846
#define FAMILY  "Inter, Cantarell, Noto Sans, DejaVu Sans, Sans"

/* Of the bars themselves, per theme. */
struct palette {
    uint32_t card, edge, ink, faint, hot, on, on_ink, accent, tip, tip_ink, shadow;
};

static const struct palette palettes[] = {
    [TDM_THEME_LIGHT] = {.card = 0xffffffff,
                         .edge = 0x1018281a,
                         .ink = 0x24292fff,
                         .faint = 0x6b7280ff,
                         .hot = 0xf1f3f7ff,
                         .on = 0xe3e4fdff,
                         .on_ink = 0x4340c9ff,
                         .accent = 0x5b5bd6ff,
                         .tip = 0x25262eff,
                         .tip_ink = 0xf5f5f7ff,
                         .shadow = 0x10182802},
    [TDM_THEME_DARK] = {.card = 0x24242bff,
                        .edge = 0xffffff1c,
                        .ink = 0xe7e7ecff,
                        .faint = 0x9a9aa8ff,
                        .hot = 0x32323cff,
                        .on = 0x43417aff,
                        .on_ink = 0xd5d3ffff,
                        .accent = 0x8f8df2ff,
                        .tip = 0xe9e9f0ff,
                        .tip_ink = 0x1c1c22ff,
                        .shadow = 0x00000007},
};

void tdm_board_window_source(cairo_t *cr, uint32_t c)
{
    cairo_set_source_rgba(cr, (c >> 24) / 255.0, (c >> 16 & 0xff) / 255.0, (c >> 8 & 0xff) / 255.0,
                          (c & 0xff) / 255.0);
}

void tdm_board_window_rounded(cairo_t *cr, double x, double y, double w, double h, double radius)
{
    radius = fmin(radius, fmin(w, h) / 2);
    cairo_new_sub_path(cr);
    cairo_arc(cr, x + w - radius, y + radius, radius, -PI / 2, 0);
    cairo_arc(cr, x + w - radius, y + h - radius, radius, 0, PI / 2);
    cairo_arc(cr, x + radius, y + h - radius, radius, PI / 2, PI);
    cairo_arc(cr, x + radius, y + radius, radius, PI, 3 * PI / 2);
    cairo_close_path(cr);
}

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

static void paint_button(struct tdm_board_window *w, cairo_t *cr, const struct palette *p,
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

static void paint_colour(struct tdm_board_window *w, cairo_t *cr, const struct palette *p,
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

static void paint_slider(cairo_t *cr, const struct palette *p, const struct tdm_board_widget *b)
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

static void paint_face(struct tdm_board_window *w, cairo_t *cr, const struct palette *p,
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

static void paint_keys(struct tdm_board_window *w, cairo_t *cr, const struct palette *p,
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

static void paint_widget(struct tdm_board_window *w, cairo_t *cr, enum tdm_board_bar bar, int which)
{
    const struct palette *p = &palettes[w->theme];
    const struct tdm_board_widget *b = &w->widgets[which];
    bool hot = which == w->hot;

    switch (b->kind) {
    case TDM_WIDGET_ICON:
    case TDM_WIDGET_WORD:
        paint_button(w, cr, p, b, hot, which == w->held);
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
                              : b->heavy && bar == TDM_BAR_HELP ? 17
                                                                : 13,
                              b->heavy, b->x, b->y, b->w + 2);
        break;
    }
}

/* Panels -----------------------------------------------------------------------------------------
 */

static void paint_card(cairo_t *cr, const struct palette *p, const struct tdm_board_panel *panel,
                       enum tdm_board_bar bar)
{
    double radius = bar == TDM_BAR_NOTICE ? 17 : bar == TDM_BAR_TIP ? 7 : RADIUS;

    for (int i = 0; i < SHADOWS; i++) {
        double grow = (SHADOWS - i) * 0.9;

        tdm_board_window_rounded(cr, panel->x - grow, panel->y - grow + 3, panel->w + 2 * grow,
                                 panel->h + 2 * grow, radius + grow);
        tdm_board_window_source(cr, p->shadow);
        cairo_fill(cr);
    }
    tdm_board_window_rounded(cr, panel->x, panel->y, panel->w, panel->h, radius);
    tdm_board_window_source(cr, bar == TDM_BAR_TIP ? p->tip : p->card);
    cairo_fill(cr);
    tdm_board_window_rounded(cr, panel->x - 0.5, panel->y - 0.5, panel->w + 1, panel->h + 1,
                             radius + 0.5);
    tdm_board_window_source(cr, p->edge);
    cairo_set_line_width(cr, 1);
    cairo_stroke(cr);
}

static void paint_panel(struct tdm_board_window *w, enum tdm_board_bar bar)
{
    struct tdm_board_panel *panel = &w->panels[bar];
    const struct tdm_rect *r = &panel->drawn;

    panel->picture = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, r->width, r->height);
    cairo_t *cr = cairo_create(panel->picture);

    cairo_translate(cr, -r->x, -r->y);
    cairo_scale(cr, w->scale, w->scale);
    paint_card(cr, &palettes[w->theme], panel, bar);
    for (int i = panel->first; i < panel->first + panel->count; i++)
        paint_widget(w, cr, bar, i);
    cairo_destroy(cr);
}

/* FNV-1a: whatever is another on a panel makes another number. */
static uint64_t mix(uint64_t stamp, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): all of it is set. */
        stamp = (stamp ^ bytes[i]) * 0x100000001b3u;
    return stamp;
}

static uint64_t stamp_of(const struct tdm_board_window *w, const struct tdm_board_panel *p)
{
    const int hot = w->hot >= p->first && w->hot < p->first + p->count ? w->hot - p->first : -1;
    const int held = w->held >= p->first && w->held < p->first + p->count ? w->held - p->first : -1;
    const double place[] = {p->x, p->y, p->w, p->h, w->scale};
    const int state[] = {(int)w->theme, hot, held, p->count};
    uint64_t stamp = 0xcbf29ce484222325u;

    stamp = mix(stamp, place, sizeof place);
    stamp = mix(stamp, state, sizeof state);
    return mix(stamp, &w->widgets[p->first], sizeof *w->widgets * (size_t)p->count);
}

void tdm_board_window_stamp_bars(struct tdm_board_window *w)
{
    for (int bar = 0; bar < TDM_BARS; bar++) {
        struct tdm_board_panel *p = &w->panels[bar];
        uint64_t stamp = p->there ? stamp_of(w, p) : 0;

        if (stamp == p->stamp && (p->picture || !p->there))
            continue;
        p->stamp = stamp;
        if (p->picture)
            cairo_surface_destroy(p->picture);
        p->picture = NULL;
        tdm_board_window_dirty(w, p->drawn);
        p->drawn = (struct tdm_rect){0, 0, 0, 0};
        if (!p->there)
            continue;
        p->drawn.x = (int)floor((p->x - SHADOW) * w->scale);
        p->drawn.y = (int)floor((p->y - SHADOW) * w->scale);
        p->drawn.width = (int)ceil((p->w + 2 * SHADOW) * w->scale) + 1;
        p->drawn.height = (int)ceil((p->h + 2 * SHADOW) * w->scale) + 1;
        paint_panel(w, (enum tdm_board_bar)bar);
        tdm_board_window_dirty(w, p->drawn);
    }
}

void tdm_board_window_paint_bars(struct tdm_board_window *w, cairo_t *cr,
                                 const struct tdm_rect *clip)
{
    for (int bar = 0; bar < TDM_BARS; bar++) {
        const struct tdm_board_panel *p = &w->panels[bar];

        if (!p->picture || tdm_rect_empty(tdm_rect_both(p->drawn, *clip)))
            continue;
        cairo_set_source_surface(cr, p->picture, p->drawn.x, p->drawn.y);
        cairo_paint(cr);
    }
}
