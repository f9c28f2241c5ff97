/* SPDX-License-Identifier: MIT */
#include "render/board_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT       ((double)TDM_FIGURE_UNIT)
#define SIZE_LEAST 1.0 /* px of letters. */
#define SIZE_MOST  2048.0
#define NOTE_LEAST 4.0 /* px: letters of a note are not made smaller than this to fit. */
#define NOTE_TRIES 7   /* Halvings of the range in which a note's letters are looked for. */
#define LINE_SPACE 1.25

struct tdm_board_letters {
    PangoFontMap *map;
    PangoContext *context;
    PangoFontDescription *fonts[4]; /* By enum tdm_board_font. */
};

static const char *const families[4] = {
    [TDM_FONT_SANS] = "Inter, Noto Sans, DejaVu Sans, sans-serif",
    [TDM_FONT_SERIF] = "Noto Serif, DejaVu Serif, serif",
    [TDM_FONT_MONO] = "JetBrains Mono, Noto Sans Mono, DejaVu Sans Mono, monospace",
    [TDM_FONT_HAND] = "Comic Neue, Noto Sans, DejaVu Sans, sans-serif",
};

enum tdm_err tdm_board_letters_create(struct tdm_board_letters **letters, struct tdm_cause *cause)
{
    struct tdm_board_letters *l = calloc(1, sizeof *l);
    cairo_font_options_t *options = cairo_font_options_create();

    *letters = NULL;
    if (!l) {
        cairo_font_options_destroy(options);
        return tdm_fail(cause, TDM_E_SYSTEM, "There is no memory for the board's letters.");
    }
    l->map = pango_cairo_font_map_new();
    l->context = pango_font_map_create_context(l->map);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(l->context, options);
    pango_cairo_context_set_resolution(l->context, 96);
    pango_context_set_round_glyph_positions(l->context, FALSE);
    pango_context_set_base_dir(l->context, PANGO_DIRECTION_WEAK_LTR);
    cairo_font_options_destroy(options);
    for (int i = 0; i < 4; i++) {
        l->fonts[i] = pango_font_description_new();
        pango_font_description_set_family_static(l->fonts[i], families[i]);
    }
    *letters = l;
    return TDM_OK;
}

void tdm_board_letters_destroy(struct tdm_board_letters *l)
{
    if (!l)
        return;
    for (int i = 0; i < 4; i++)
        pango_font_description_free(l->fonts[i]);
    g_object_unref(l->context);
    g_object_unref(l->map);
    free(l);
}

static double held(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

double tdm_board_lines_padding(const struct tdm_board_figure *note)
{
    double side = fmin(fabs((double)note->w), fabs((double)note->h)) / UNIT;

    return fmin(16, side / 10);
}

static void set_text(PangoLayout *layout, const struct tdm_board_figure *f)
{
    size_t size = f->text_size < TDM_BOARD_LINES_BYTES ? f->text_size : TDM_BOARD_LINES_BYTES;

    if (g_utf8_validate(f->text, (gssize)size, NULL)) {
        pango_layout_set_text(layout, f->text, (int)size);
        return;
    }
    char *valid = g_utf8_make_valid(f->text, (gssize)size);

    pango_layout_set_text(layout, valid, -1);
    g_free(valid);
}

static void set_align(PangoLayout *layout, const struct tdm_board_figure *f)
{
    static const PangoAlignment aligns[] = {PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER,
                                            PANGO_ALIGN_RIGHT};

    pango_layout_set_auto_dir(layout, TRUE);
    pango_layout_set_alignment(layout, aligns[f->align < 3 ? f->align : 0]);
}

static void set_size(struct tdm_board_letters *l, PangoLayout *layout, unsigned font, double size)
{
    PangoFontDescription *d = l->fonts[font < 4 ? font : 0];

    pango_font_description_set_absolute_size(d, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, d);
}

static void measure(PangoLayout *layout, double *width, double *height)
{
    PangoRectangle logical;

    pango_layout_get_extents(layout, NULL, &logical);
    *width = (double)(logical.x + logical.width) / PANGO_SCALE;
    *height = (double)logical.height / PANGO_SCALE;
}

static bool fits(struct tdm_board_letters *l, const struct tdm_board_figure *f,
                 struct tdm_board_lines *lines, double size, double room)
{
    lines->size = size;
    set_size(l, lines->layout, f->font, size);
    measure(lines->layout, &lines->width, &lines->height);
    return lines->height <= room;
}

/* The largest letters up to the wanted ones that fit, or the smallest. */
static void fit_note(struct tdm_board_letters *l, const struct tdm_board_figure *f,
                     struct tdm_board_lines *lines, double size)
{
    double padding = tdm_board_lines_padding(f);
    double wide = fabs((double)f->w) / UNIT - 2 * padding;
    double room = fabs((double)f->h) / UNIT - 2 * padding;
    double least = fmin(NOTE_LEAST, size), most = size;

    pango_layout_set_width(lines->layout, (int)held(wide * PANGO_SCALE, 1, 1e9));
    if (!fits(l, f, lines, size, room) && f->text_size > 0) {
        for (int i = 0; i < NOTE_TRIES; i++) {
            double middle = (least + most) / 2;

            if (fits(l, f, lines, middle, room))
                least = middle;
            else
                most = middle;
        }
        (void)fits(l, f, lines, least, room);
    }
    lines->x = padding;
    lines->y = padding + fmax(0, (room - lines->height) / 2);
}

void tdm_board_lines_make(struct tdm_board_letters *l, const struct tdm_board_figure *f,
                          struct tdm_board_lines *lines)
{
    double size = held(f->font_size / UNIT, SIZE_LEAST, SIZE_MOST);

    *lines = (struct tdm_board_lines){.layout = pango_layout_new(l->context), .size = size};
    set_text(lines->layout, f);
    set_align(lines->layout, f);
    pango_layout_set_wrap(lines->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_line_spacing(lines->layout, (float)LINE_SPACE);
    if (f->type == TDM_BOARD_NOTE) {
        fit_note(l, f, lines, size);
        return;
    }
    set_size(l, lines->layout, f->font, size);
    if (f->w != 0) {
        lines->width = fabs((double)f->w) / UNIT;
        pango_layout_set_width(lines->layout, (int)held(lines->width * PANGO_SCALE, 1, 1e9));
        double needed;

        measure(lines->layout, &needed, &lines->height);
        lines->width = fmax(lines->width, needed);
        return;
    }
    /* As wide as its widest line: alignment is within that. */
    measure(lines->layout, &lines->width, &lines->height);
    pango_layout_set_width(lines->layout, (int)held(ceil(lines->width * PANGO_SCALE), 1, 1e9));
    measure(lines->layout, &lines->width, &lines->height);
}

void tdm_board_lines_free(struct tdm_board_lines *lines)
{
    if (lines->layout)
        g_object_unref(lines->layout);
    *lines = (struct tdm_board_lines){0};
}
