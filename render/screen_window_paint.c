/* SPDX-License-Identifier: MIT */
/* The window's picture: the surfaces in their scale, the host's pointer, and what is known of them.
 */
#include "render/screen_window_state.h"

#include <cairo-xlib.h>
#include <pango/pangocairo.h>

#include <stdio.h>
#include <string.h>

#define FONT       "DejaVu Sans 9"
#define MARGIN     8
#define BADGE_SIDE 8 /* Of the dot. */
/* What stands in for pixels, as at the host. */
#define REFUSED_GREY (0x80 / 255.0)

void tdm_screen_window_dirty(struct tdm_screen_window *w, struct tdm_rect area)
{
    area = tdm_rect_both(area, (struct tdm_rect){0, 0, w->width, w->height});
    if (tdm_rect_empty(area))
        return;
    if (w->area_count < TDM_SCREEN_AREAS_MAX)
        w->areas[w->area_count++] = area;
    else
        w->areas[0] = tdm_rect_around(w->areas[0], area);
}

void tdm_screen_window_dirty_all(struct tdm_screen_window *w)
{
    w->area_count = 0;
    tdm_screen_window_dirty(w, (struct tdm_rect){0, 0, w->width, w->height});
}

struct tdm_rect tdm_screen_window_bar(const struct tdm_screen_window *w)
{
    int side = TDM_SCREEN_BAR_HEIGHT;

    return w->full_screen ? (struct tdm_rect){w->width - side, 0, side, side}
                          : (struct tdm_rect){0, w->height - side, w->width, side};
}

static bool is_chosen(const struct tdm_screen_window *w, int index)
{
    return w->chosen < 0 || w->chosen == index;
}

static bool is_shown(const struct tdm_screen_window *w, int index)
{
    return w->copies[index].known && is_chosen(w, index);
}

/* What is too large to be copied: grey, and why. */
static void paint_refused(struct tdm_screen_window *w, cairo_t *cr,
                          const struct tdm_screen_surface *s)
{
    PangoFontDescription *font = pango_font_description_from_string(FONT);
    PangoLayout *layout = pango_cairo_create_layout(cr);
    char words[TDM_SCREEN_NAME_MAX + 64];
    struct tdm_rect place =
        tdm_viewport_to_window(&w->viewport, (struct tdm_rect){s->x, s->y, s->width, s->height});

    (void)snprintf(words, sizeof words, "%.*s: %d x %d is too large to be shown here",
                   TDM_SCREEN_NAME_MAX, s->name, s->width, s->height);
    cairo_save(cr);
    cairo_rectangle(cr, place.x, place.y, place.width, place.height);
    cairo_clip(cr);
    cairo_set_source_rgb(cr, REFUSED_GREY, REFUSED_GREY, REFUSED_GREY);
    cairo_paint(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_move_to(cr, place.x + MARGIN, place.y + MARGIN);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, words, -1);
    pango_layout_set_width(layout, (place.width - 2 * MARGIN) * PANGO_SCALE);
    pango_cairo_show_layout(cr, layout);
    cairo_restore(cr);
    g_object_unref(layout);
    pango_font_description_free(font);
}

static void paint_surfaces(struct tdm_screen_window *w, cairo_t *cr)
{
    const struct tdm_viewport *v = &w->viewport;
    bool whole = v->scale == 1 || v->scale == 2 || v->scale == 3 || v->scale >= 4;

    for (int i = 0; i < w->count; i++) {
        const struct tdm_screen_surface *s = &w->copies[i].surface;

        if (is_chosen(w, i) && !w->copies[i].picture)
            paint_refused(w, cr, s);
        if (!is_shown(w, i))
            continue;
        cairo_save(cr);
        cairo_scale(cr, v->scale, v->scale);
        cairo_translate(cr, s->x - v->left, s->y - v->top);
        cairo_rectangle(cr, 0, 0, s->width, s->height);
        cairo_clip(cr);
        cairo_set_source_surface(cr, w->copies[i].picture, 0, 0);
        cairo_pattern_set_filter(cairo_get_source(cr), whole            ? CAIRO_FILTER_NEAREST
                                                       : v->scale < 0.5 ? CAIRO_FILTER_GOOD
                                                                        : CAIRO_FILTER_BILINEAR);
        cairo_paint(cr);
        if (w->copies[i].ink && !tdm_rect_empty(w->copies[i].ink_extent)) {
            cairo_set_source_surface(cr, w->copies[i].ink, 0, 0);
            cairo_paint(cr);
        }
        cairo_restore(cr);
    }
}

static const struct tdm_screen_copy *pointed_at(const struct tdm_screen_window *w)
{
    for (int i = 0; i < w->count; i++)
        if (w->copies[i].surface.id == w->pointer.at.surface && is_shown(w, i))
            return &w->copies[i];
    return NULL;
}

/* Where the host's pointer stands in the window; empty when it is not to be drawn. */
static struct tdm_rect pointer_place(const struct tdm_screen_window *w, bool acts)
{
    const struct tdm_screen_copy *c = pointed_at(w);
    const struct tdm_screen_cursor *shape = &w->pointer.shape;

    if (!c || !w->pointer.at.visible || !shape->width || (acts && w->inside && !w->ghost))
        return (struct tdm_rect){0, 0, 0, 0};
    return tdm_viewport_to_window(&w->viewport,
                                  (struct tdm_rect){c->surface.x + w->pointer.at.x - shape->hot_x,
                                                    c->surface.y + w->pointer.at.y - shape->hot_y,
                                                    shape->width, shape->height});
}

static void paint_pointer(struct tdm_screen_window *w, cairo_t *cr)
{
    const struct tdm_screen_cursor *shape = &w->pointer.shape;
    const struct tdm_screen_copy *c = pointed_at(w);

    if (tdm_rect_empty(w->pointer_drawn) || !c)
        return;
    cairo_surface_t *picture = cairo_image_surface_create_for_data(
        w->pointer_pixels, CAIRO_FORMAT_ARGB32, shape->width, shape->height, 4 * shape->width);

    cairo_save(cr);
    cairo_scale(cr, w->viewport.scale, w->viewport.scale);
    cairo_translate(cr, c->surface.x + w->pointer.at.x - shape->hot_x - w->viewport.left,
                    c->surface.y + w->pointer.at.y - shape->hot_y - w->viewport.top);
    cairo_set_source_surface(cr, picture, 0, 0);
    cairo_paint(cr);
    cairo_restore(cr);
    cairo_surface_destroy(picture);
}

/* Is any of it to be drawn? */
static bool is_dirty(const struct tdm_screen_window *w, struct tdm_rect place)
{
    for (uint32_t i = 0; i < w->area_count; i++)
        if (!tdm_rect_empty(tdm_rect_both(w->areas[i], place)))
            return true;
    return false;
}

static bool is_exact(const struct tdm_screen_window *w)
{
    bool any = false;

    for (int i = 0; i < w->count; i++) {
        if (is_shown(w, i) && !w->copies[i].exact)
            return false;
        any = any || is_shown(w, i);
    }
    return any;
}

/* The dot and the words; @return where they end. */
static int paint_words(cairo_t *cr, int x, int y, bool exact, const char *words)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string(FONT);
    int width, height;

    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_text(layout, words, -1);
    pango_layout_get_pixel_size(layout, &width, &height);
    if (exact)
        cairo_set_source_rgb(cr, 0.30, 0.78, 0.38);
    else
        cairo_set_source_rgb(cr, 0.95, 0.68, 0.22);
    cairo_arc(cr, x + BADGE_SIDE / 2.0, y + TDM_SCREEN_BAR_HEIGHT / 2.0, BADGE_SIDE / 2.0, 0,
              6.2832);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
    cairo_move_to(cr, x + BADGE_SIDE + MARGIN, y + (TDM_SCREEN_BAR_HEIGHT - height) / 2.0);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
    return x + BADGE_SIDE + MARGIN + width + MARGIN;
}

/* Below the picture; over a full screen only a corner says whether it is exact. */
static void paint_bar(struct tdm_screen_window *w, cairo_t *cr, const char *text)
{
    const struct tdm_screen_copy *one =
        w->chosen >= 0 && w->chosen < w->count ? &w->copies[w->chosen] : NULL;
    bool exact = is_exact(w);
    char words[2 * TDM_SCREEN_TEXT_MAX], which[TDM_SCREEN_NAME_MAX + 32];
    struct tdm_rect bar = tdm_screen_window_bar(w);
    int y = bar.y;

    if (w->full_screen) {
        paint_words(cr, bar.x + MARGIN, y, exact, "");
        return;
    }
    (void)snprintf(which, sizeof which, one && w->count > 1 ? "%.*s, %d of %d" : "%.*s",
                   TDM_SCREEN_NAME_MAX, one ? one->surface.name : "all monitors", w->chosen + 1,
                   w->count);
    (void)snprintf(words, sizeof words, "%s   %s   %d x %d   %.0f %%   %s%s%s",
                   exact ? "exact" : "refining", which, w->viewport.world.width,
                   w->viewport.world.height, w->viewport.scale * 100, text, *text ? "   " : "",
                   w->ghost ? "pointing only (Ctrl+Alt+G)" : "");
    cairo_set_source_rgb(cr, 0.16, 0.17, 0.19);
    cairo_rectangle(cr, 0, y, w->width, TDM_SCREEN_BAR_HEIGHT);
    cairo_fill(cr);
    int end = paint_words(cr, MARGIN, y, exact, w->count ? words : "waiting for the screen");

    int right = tdm_screen_window_paint_buttons(w, cr);

    if (end + 340 < right) {
        PangoLayout *layout = pango_cairo_create_layout(cr);
        PangoFontDescription *font = pango_font_description_from_string(FONT);
        int width, height;

        pango_layout_set_font_description(layout, font);
        pango_font_description_free(font);
        pango_layout_set_text(layout, "Ctrl+Alt: Enter full screen, +/-/0 zoom, C control", -1);
        pango_layout_get_pixel_size(layout, &width, &height);
        cairo_set_source_rgb(cr, 0.55, 0.57, 0.60);
        cairo_move_to(cr, right - width - MARGIN, y + (TDM_SCREEN_BAR_HEIGHT - height) / 2.0);
        pango_cairo_show_layout(cr, layout);
        g_object_unref(layout);
    }
}

/* Pixel by pixel of one surface, with nothing over it: the server copies it. False: it is not. */
static bool copy_area(struct tdm_screen_window *w, struct tdm_rect area)
{
    const struct tdm_viewport *v = &w->viewport;

    if (v->scale != 1 || !tdm_rect_empty(tdm_rect_both(area, w->pointer_drawn)) ||
        !tdm_rect_empty(tdm_rect_both(area, tdm_screen_window_bar(w))))
        return false;
    for (int i = w->count - 1; i >= 0; i--) { /* The last one lies on top. */
        const struct tdm_screen_surface *s = &w->copies[i].surface;
        struct tdm_rect place = {s->x - (int)v->left, s->y - (int)v->top, s->width, s->height};
        struct tdm_rect both = tdm_rect_both(place, area);

        if (!is_chosen(w, i) || tdm_rect_empty(both))
            continue;
        if (!is_shown(w, i) || !tdm_rect_equal(both, area) ||
            !tdm_rect_empty(tdm_rect_both(area, tdm_screen_window_ink_area(w, &w->copies[i]))))
            return false;
        (void)XCopyArea(w->display, w->copies[i].pixmap, w->window, w->gc, area.x - place.x,
                        area.y - place.y, (unsigned)area.width, (unsigned)area.height, area.x,
                        area.y);
        return true;
    }
    return false;
}

/* Most of what changes needs no drawing, and is seen before the rest is drawn. */
static void copy_areas(struct tdm_screen_window *w)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < w->area_count; i++)
        if (!copy_area(w, w->areas[i]))
            w->areas[left++] = w->areas[i];
    if (left < w->area_count) {
        (void)XFlush(w->display);
        cairo_surface_mark_dirty(w->canvas);
    }
    w->area_count = left;
}

void tdm_screen_window_paint(struct tdm_screen_window *w, bool acts, const char *text)
{
    struct tdm_rect pointer = pointer_place(w, acts);

    if (!tdm_rect_equal(pointer, w->pointer_drawn)) {
        tdm_screen_window_dirty(w, w->pointer_drawn);
        tdm_screen_window_dirty(w, pointer);
        w->pointer_drawn = pointer;
    }
    copy_areas(w);
    if (!w->area_count)
        return;
    cairo_t *cr = cairo_create(w->canvas);

    for (uint32_t i = 0; i < w->area_count; i++)
        cairo_rectangle(cr, w->areas[i].x, w->areas[i].y, w->areas[i].width, w->areas[i].height);
    cairo_clip(cr);
    cairo_push_group_with_content(cr, CAIRO_CONTENT_COLOR); /* Nobody sees it half drawn. */
    cairo_set_source_rgb(cr, 0.11, 0.12, 0.13);
    cairo_paint(cr);
    paint_surfaces(w, cr);
    paint_pointer(w, cr);
    if (is_dirty(w, tdm_screen_window_bar(w)))
        paint_bar(w, cr, text);
    cairo_pop_group_to_source(cr);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_flush(w->canvas);
    w->area_count = 0;
}
