/* SPDX-License-Identifier: MIT */
/*
 * Two windows: a terminal with the fast coloured output of a build, two lines a picture, and a page
 * of text and pictures that somebody scrolls.
 */
#include "engine/base/rng.h"
#include "measure/corpus.h"
#include "measure/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_A_FRAME  2
#define PAGE_STEP      12 /* Pixels a picture: a wheel that turns at ease. */
#define PAGE_HEIGHTS   3  /* The page's length in those of the window. */
#define LINES_A_EM     1.3
#define TERMINAL_PAPER 0x11141a

struct scroll {
    cairo_surface_t *page;
    struct tdm_rng rng;
    uint32_t line;
    int line_height, top, split;
};

/* One piece of a line of output. */
static double word(struct tdm_canvas *canvas, double x, double y, uint32_t colour, const char *text)
{
    const struct tdm_style style = {TDM_FACE_MONO, canvas->text_pixels, colour};

    (void)tdm_pen_text(&canvas->pen, x, y, &style, text, (int)strlen(text));
    return x + (double)strlen(text) * tdm_pen_advance(canvas->text_pixels);
}

static void output_line(struct scroll *s, struct tdm_canvas *canvas, double y)
{
    static const char *const parts[] = {"hull", "mast", "keel", "sail", "deck", "rudder", "anchor"};
    static const char *const files[] = {"frame", "plank", "rope", "knot", "bolt", "winch", "cleat"};
    const char *part = parts[tdm_rng_below(&s->rng, 7)], *file = files[tdm_rng_below(&s->rng, 7)];
    uint32_t number = tdm_rng_below(&s->rng, 1000), kind = tdm_rng_below(&s->rng, 16);
    char text[96];
    double x = 6;

    s->line++;
    (void)snprintf(text, sizeof text, "[%4u/2810] ", s->line % 2810);
    x = word(canvas, x, y, 0x7f8c98, text);
    if (kind == 0) {
        (void)snprintf(text, sizeof text, "%s/%s_%u.c:%u:%u: ", part, file, number, number % 377,
                       number % 71);
        x = word(canvas, x, y, 0xffffff, text);
        x = word(canvas, x, y, 0xd670d6, "warning: ");
        (void)word(canvas, x, y, 0xe5e5e5, "unused value 'draught'");
    } else if (kind < 4) {
        (void)snprintf(text, sizeof text, "Linking shared library lib%s_%s.so", part, file);
        (void)word(canvas, x, y, 0x23d18b, text);
    } else {
        x = word(canvas, x, y, 0x3b8eea, "Compiling ");
        (void)snprintf(text, sizeof text, "src/%s/%s_%u.c", part, file, number);
        x = word(canvas, x, y, 0xcccccc, text);
        (void)snprintf(text, sizeof text, "  %u.%u s", number % 9, number % 10);
        (void)word(canvas, x, y, number % 9 > 6 ? 0xf5f543 : 0x666f7a, text);
    }
}

/* Moves the terminal's lines up. cairo cannot draw a surface onto itself. */
static void shift_up(struct tdm_canvas *canvas, const struct scroll *s, int rows)
{
    cairo_surface_flush(canvas->surface);
    int stride = cairo_image_surface_get_stride(canvas->surface);
    unsigned char *data = cairo_image_surface_get_data(canvas->surface);

    for (int y = s->top; y + rows < canvas->height; y++)
        memcpy(data + (ptrdiff_t)y * stride, data + (ptrdiff_t)(y + rows) * stride,
               (size_t)(s->split - 2) * 4);
    cairo_surface_mark_dirty(canvas->surface);
}

static void output(struct scroll *s, struct tdm_canvas *canvas, int lines)
{
    int rows = lines * s->line_height;
    cairo_t *cairo = canvas->pen.cairo;

    shift_up(canvas, s, rows);
    cairo_save(cairo);
    cairo_rectangle(cairo, 0, s->top, s->split - 2, canvas->height - s->top);
    cairo_clip(cairo);
    tdm_pen_box(&canvas->pen, 0, canvas->height - rows, s->split - 2, rows, TERMINAL_PAPER);
    for (int i = 0; i < lines; i++)
        output_line(s, canvas, canvas->height - rows + i * s->line_height + 1);
    cairo_restore(cairo);
}

/* Something like a photograph: sky, hills, water with light on it. */
static void draw_photo(cairo_t *cairo, double x, double y, double width, double height, int hue)
{
    cairo_pattern_t *sky = cairo_pattern_create_linear(0, y, 0, y + height);

    cairo_pattern_add_color_stop_rgb(sky, 0, 0.25 + 0.1 * hue, 0.45, 0.8 - 0.1 * hue);
    cairo_pattern_add_color_stop_rgb(sky, 0.6, 0.95, 0.8 - 0.05 * hue, 0.6);
    cairo_pattern_add_color_stop_rgb(sky, 1, 0.1, 0.25 + 0.05 * hue, 0.35);
    cairo_save(cairo);
    cairo_rectangle(cairo, x, y, width, height);
    cairo_clip(cairo);
    cairo_set_source(cairo, sky);
    cairo_paint(cairo);
    cairo_pattern_destroy(sky);
    for (int ridge = 0; ridge < 4; ridge++) {
        double shade = 0.45 - 0.1 * ridge;

        cairo_set_source_rgb(cairo, shade * 0.6, shade, shade * 0.8);
        cairo_move_to(cairo, x, y + height);
        for (int i = 0; i <= 40; i++)
            cairo_line_to(cairo, x + width * i / 40,
                          y + height * (0.45 + 0.12 * ridge +
                                        0.06 * sin(i * (0.3 + 0.2 * ridge) + hue + ridge) +
                                        0.02 * sin(i * 1.9 + ridge)));
        cairo_line_to(cairo, x + width, y + height);
        cairo_fill(cairo);
    }
    cairo_restore(cairo);
}

static void draw_page(struct tdm_pen *pen, int width, int height, int pixels)
{
    const struct tdm_style heading = {TDM_FACE_BOLD, pixels * 2, 0x1a2433};
    const struct tdm_style body = {TDM_FACE_SANS, pixels, 0x222222};
    const struct tdm_style link = {TDM_FACE_SANS, pixels, 0x0b57d0};
    double margin = width * 0.07, inner = width - 2 * margin, y = margin;
    int count = 0, photo = 0;

    tdm_pen_box(pen, 0, 0, width, height, 0xfdfdfb);
    while (tdm_corpus_paragraphs[count])
        count++;
    for (int i = 0; count && y < height; i++) {
        if (i % 3 == 0)
            y += tdm_pen_paragraph(pen, margin, y, inner, &heading,
                                   i % 2 ? "Where the sand moves" : "Letters from the islands") +
                 pixels;
        if (i % 3 == 1) {
            draw_photo(pen->cairo, margin, y, inner, inner * 0.5, photo++);
            y += inner * 0.5 + pixels;
        }
        y += tdm_pen_paragraph(pen, margin, y, inner, &body, tdm_corpus_paragraphs[i % count]) +
             pixels * 0.7;
        y += tdm_pen_paragraph(pen, margin, y, inner, &link, "Read on: tides, charts and nets") +
             pixels;
    }
}

static void destroy(void *scene)
{
    struct scroll *s = scene;

    cairo_surface_destroy(s->page);
    free(s);
}

static void *create(struct tdm_canvas *canvas)
{
    struct scroll *s = calloc(1, sizeof *s);
    const struct tdm_style title = {TDM_FACE_SANS, canvas->text_pixels - 1, 0xffffff};
    struct tdm_pen pen;

    if (!s)
        return NULL;
    s->rng = tdm_rng_of(3);
    s->line_height = (int)round(canvas->text_pixels * LINES_A_EM);
    s->top = s->line_height + 8;
    s->split = canvas->width / 2 & ~1;
    int width = canvas->width - s->split, height = canvas->height * PAGE_HEIGHTS;

    s->page = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    bool good = tdm_pen_create(&pen, s->page);

    if (good)
        draw_page(&pen, width, height, canvas->text_pixels);
    tdm_pen_destroy(&pen);
    if (!good) {
        destroy(s);
        return NULL;
    }
    tdm_pen_box(&canvas->pen, 0, 0, canvas->width, canvas->height, 0x3a4356);
    (void)tdm_pen_text(&canvas->pen, 10, 4, &title, "build - Terminal", 16);
    (void)tdm_pen_text(&canvas->pen, s->split + 10, 4, &title, "Letters from the islands", 24);
    tdm_pen_box(&canvas->pen, 0, s->top, s->split - 2, canvas->height - s->top, TERMINAL_PAPER);
    output(s, canvas, (canvas->height - s->top) / s->line_height);
    return s;
}

static void draw(void *scene, struct tdm_canvas *canvas, uint32_t index)
{
    struct scroll *s = scene;
    cairo_t *cairo = canvas->pen.cairo;
    uint32_t length = (uint32_t)cairo_image_surface_get_height(s->page);
    double offset = index * PAGE_STEP % length;

    output(s, canvas, LINES_A_FRAME);
    cairo_save(cairo);
    cairo_rectangle(cairo, s->split, s->top, canvas->width - s->split, canvas->height - s->top);
    cairo_clip(cairo);
    cairo_set_source_surface(cairo, s->page, s->split, s->top - offset);
    cairo_pattern_set_extend(cairo_get_source(cairo), CAIRO_EXTEND_REPEAT);
    cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
    cairo_paint(cairo);
    cairo_restore(cairo);
}

const struct tdm_scene_ops tdm_scene_scroll = {.create = create, .destroy = destroy, .draw = draw};
