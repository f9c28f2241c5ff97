/* SPDX-License-Identifier: MIT */
#include "measure/pen.h"

#include <math.h>
#include <string.h>

#define ADVANCE 0.602 /* Of the em: DejaVu Sans Mono's, and near that of every mono face. */
#define LEADING 1.35  /* From one line to the next, in ems. */

double tdm_pen_advance(int pixels)
{
    return round(pixels * ADVANCE);
}

static bool has_fonts(PangoLayout *layout)
{
    PangoFontFamily **families = NULL;
    int count = 0;

    pango_font_map_list_families(pango_context_get_font_map(pango_layout_get_context(layout)),
                                 &families, &count);
    g_free(families);
    return count > 0;
}

bool tdm_pen_create(struct tdm_pen *pen, cairo_surface_t *surface)
{
    static const char *const names[TDM_FACE_COUNT] = {"DejaVu Sans Mono", "DejaVu Sans",
                                                      "DejaVu Sans Bold"};
    cairo_font_options_t *options = cairo_font_options_create();

    *pen = (struct tdm_pen){.cairo = cairo_create(surface)};
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_ON);
    pen->layout = pango_cairo_create_layout(pen->cairo);
    pango_cairo_context_set_font_options(pango_layout_get_context(pen->layout), options);
    cairo_font_options_destroy(options);
    pen->has_font = has_fonts(pen->layout);
    for (int i = 0; i < TDM_FACE_COUNT; i++)
        pen->faces[i] = pango_font_description_from_string(names[i]);
    return cairo_status(pen->cairo) == CAIRO_STATUS_SUCCESS;
}

void tdm_pen_destroy(struct tdm_pen *pen)
{
    for (int i = 0; i < TDM_FACE_COUNT; i++)
        if (pen->faces[i])
            pango_font_description_free(pen->faces[i]);
    if (pen->layout)
        g_object_unref(pen->layout);
    if (pen->cairo)
        cairo_destroy(pen->cairo);
    *pen = (struct tdm_pen){0};
}

static void set_colour(struct tdm_pen *pen, uint32_t colour)
{
    cairo_set_source_rgb(pen->cairo, (colour >> 16 & 255) / 255.0, (colour >> 8 & 255) / 255.0,
                         (colour & 255) / 255.0);
}

void tdm_pen_box(struct tdm_pen *pen, double x, double y, double width, double height,
                 uint32_t colour)
{
    set_colour(pen, colour);
    cairo_rectangle(pen->cairo, round(x), round(y), round(width), round(height));
    cairo_fill(pen->cairo);
}

static double bar(struct tdm_pen *pen, double x, double y, const struct tdm_style *style,
                  const char *text, int size)
{
    double advance = tdm_pen_advance(style->pixels);

    for (int i = 0; i < size; i++)
        if (text[i] != ' ')
            tdm_pen_box(pen, x + i * advance, y + style->pixels / 3.0, advance - 1,
                        style->pixels / 2.0, style->colour);
    return size * advance;
}

double tdm_pen_text(struct tdm_pen *pen, double x, double y, const struct tdm_style *style,
                    const char *text, int size)
{
    int width, height;

    if (!pen->has_font)
        return bar(pen, x, y, style, text, size);
    pango_font_description_set_absolute_size(pen->faces[style->face],
                                             (double)style->pixels * PANGO_SCALE);
    pango_layout_set_font_description(pen->layout, pen->faces[style->face]);
    pango_layout_set_width(pen->layout, -1);
    pango_layout_set_text(pen->layout, text, size);
    set_colour(pen, style->colour);
    cairo_move_to(pen->cairo, round(x), round(y));
    pango_cairo_show_layout(pen->cairo, pen->layout);
    pango_layout_get_pixel_size(pen->layout, &width, &height);
    return width;
}

/* Bars in lines of the width. */
static double bar_paragraph(struct tdm_pen *pen, double x, double y, double width,
                            const struct tdm_style *style, const char *text)
{
    int per_line = (int)(width / tdm_pen_advance(style->pixels)), size = (int)strlen(text);
    double height = 0;

    for (int at = 0; per_line > 0 && at < size; at += per_line, height += style->pixels * LEADING)
        (void)bar(pen, x, y + height, style, text + at,
                  size - at < per_line ? size - at : per_line);
    return height;
}

double tdm_pen_paragraph(struct tdm_pen *pen, double x, double y, double width,
                         const struct tdm_style *style, const char *text)
{
    int across, height;

    if (!pen->has_font)
        return bar_paragraph(pen, x, y, width, style, text);
    pango_font_description_set_absolute_size(pen->faces[style->face],
                                             (double)style->pixels * PANGO_SCALE);
    pango_layout_set_font_description(pen->layout, pen->faces[style->face]);
    pango_layout_set_width(pen->layout, (int)(width * PANGO_SCALE));
    pango_layout_set_text(pen->layout, text, -1);
    set_colour(pen, style->colour);
    cairo_move_to(pen->cairo, round(x), round(y));
    pango_cairo_show_layout(pen->cairo, pen->layout);
    pango_layout_get_pixel_size(pen->layout, &across, &height);
    return height;
}
