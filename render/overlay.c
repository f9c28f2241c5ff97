/* SPDX-License-Identifier: MIT */
#include "render/overlay.h"

#include <pango/pangocairo.h>
#include <stdint.h>

#define FONT    "DejaVu Sans Mono, Monospace 13px"
#define PADDING 8
#define BOX     0.62 /* How dark. */

static PangoLayout *lay_out(cairo_t *cr, const char *text)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string(FONT);

    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    pango_font_description_free(font);
    return layout;
}

static cairo_surface_t *make_surface(const char *text, int width_max, int height_max)
{
    cairo_surface_t *probe = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 8, 8);
    cairo_t *cr = cairo_create(probe);
    PangoLayout *layout = lay_out(cr, text);
    int width, height;

    pango_layout_get_pixel_size(layout, &width, &height);
    width += 2 * PADDING;
    height += 2 * PADDING;
    g_object_unref(layout);
    cairo_destroy(cr);
    cairo_surface_destroy(probe);
    return cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width < width_max ? width : width_max,
                                      height < height_max ? height : height_max);
}

/* cairo's colours are multiplied by alpha; SDL's software renderer wants them whole. */
static void unmultiply(cairo_surface_t *surface)
{
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    int stride = cairo_image_surface_get_stride(surface);

    cairo_surface_flush(surface);
    for (int y = 0; y < height; y++) {
        uint8_t *row = cairo_image_surface_get_data(surface) + (ptrdiff_t)y * stride;

        for (int x = 0; x < width; x++, row += 4)
            for (int c = 0; c < 3; c++)
                row[c] = (uint8_t)(row[3] ? row[c] * 255 / row[3] : 0);
    }
}

cairo_surface_t *tdm_overlay_draw(const char *text, int width_max, int height_max)
{
    cairo_surface_t *surface = make_surface(text, width_max, height_max);

    if (cairo_surface_status(surface)) {
        cairo_surface_destroy(surface);
        return NULL;
    }
    cairo_t *cr = cairo_create(surface);
    PangoLayout *layout = lay_out(cr, text);

    cairo_set_source_rgba(cr, 0, 0, 0, BOX);
    cairo_paint(cr);
    cairo_set_source_rgba(cr, 1, 1, 1, 1);
    cairo_move_to(cr, PADDING, PADDING);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
    cairo_destroy(cr);
    unmultiply(surface);
    return surface;
}
