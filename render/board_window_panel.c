/* SPDX-License-Identifier: MIT */
/* How bars look. Each is painted into a picture of its own when something on it is another. */
#include "render/board_window_look.h"

#include <math.h>
#include <string.h>

#define SHADOW  18.0
#define RADIUS  11.0
#define SHADOWS 14 /* Each a little smaller: a soft edge. */
#define PI      3.14159265358979323846

static const struct tdm_board_palette palettes[] = {
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
                         .shadow = 0x10182802,
                         .press = 0x5b5bd6ff,
                         .press_hot = 0x4a48c4ff,
                         .press_ink = 0xffffffff},
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
                        .shadow = 0x00000007,
                        .press = 0xa3a1f7ff,
                        .press_hot = 0xb8b6ffff,
                        .press_ink = 0x1b1a3aff},
};

const struct tdm_board_palette *tdm_board_window_palette(const struct tdm_board_window *w)
{
    return &palettes[w->theme];
}

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

/* Panels -----------------------------------------------------------------------------------------
 */

static void paint_card(cairo_t *cr, const struct tdm_board_palette *p,
                       const struct tdm_board_panel *panel, enum tdm_board_bar bar)
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
    paint_card(cr, tdm_board_window_palette(w), panel, bar);
    for (int i = panel->first; i < panel->first + panel->count; i++)
        tdm_board_window_paint_widget(w, cr, bar, i);
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
