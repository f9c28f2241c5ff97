/* SPDX-License-Identifier: MIT */
/*
 * Slides of a talk: nothing moves but a pointer, and each 1.5 s everything changes at once. The
 * backgrounds have the soft gradients of photographs, which show blocks first.
 */
#include "measure/scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLIDE_SECONDS 1.5
#define FIRST_SECONDS 0.7 /* So that short clips have a change too. */
#define SLIDES        4
#define BARS          7

struct slide {
    const char *title;
    const char *points[4];
    double red, green, blue; /* Of the background. */
};

static const struct slide slides[SLIDES] = {
    {"What the harbour costs",
     {"Dredging: 2.4 million a year", "Lights and buoys: 310 thousand", "Pilots pay for themselves",
      "Half of it is spent in winter"},
     0.12,
     0.25,
     0.45},
    {"Ships that came, by year",
     {"More of them, and longer ones", "Berths 9 to 14 are full in July",
      "A quarter waits outside for the tide", "Two days in May decide the year"},
     0.4,
     0.18,
     0.28},
    {"Three ways to go on",
     {"Deepen the eastern channel", "Move the ferry to the old quay", "Wait, and pay for tugs",
      "The first costs most, once"},
     0.1,
     0.35,
     0.28},
    {"What we ask for today",
     {"A survey of the sand, by August", "Money for two lights", "A decision in autumn",
      "Questions, please"},
     0.35,
     0.3,
     0.12},
};

struct deck {
    int shown;               /* -1: none yet. */
    cairo_surface_t *behind; /* The slide without the pointer. */
};

static void draw_background(struct tdm_canvas *canvas, const struct slide *slide)
{
    cairo_t *cairo = canvas->pen.cairo;
    double w = canvas->width, h = canvas->height;

    cairo_set_source_rgb(cairo, slide->red, slide->green, slide->blue);
    cairo_paint(cairo);
    for (int i = 0; i < 6; i++) {
        double x = w * (0.5 + 0.45 * sin(i * 2.3 + slide->red * 20)), r = w * (0.2 + 0.06 * i);
        double y = h * (0.5 + 0.5 * cos(i * 1.7 + slide->green * 20));
        cairo_pattern_t *glow = cairo_pattern_create_radial(x, y, 0, x, y, r);

        cairo_pattern_add_color_stop_rgba(glow, 0, 0.4 + slide->red, 0.35 + slide->green,
                                          0.3 + slide->blue, 0.5);
        cairo_pattern_add_color_stop_rgba(glow, 1, slide->red, slide->green, slide->blue, 0);
        cairo_set_source(cairo, glow);
        cairo_paint(cairo);
        cairo_pattern_destroy(glow);
    }
}

static void draw_chart(struct tdm_canvas *canvas, int which)
{
    static const uint32_t colours[] = {0xf4a261, 0xe76f51, 0x2a9d8f, 0xe9c46a, 0x8ecae6};
    double left = canvas->width * 0.58, bottom = canvas->height * 0.8;
    double step = canvas->width * 0.05, top = canvas->height * 0.5;

    for (int i = 0; i < BARS; i++) {
        double part = 0.35 + 0.3 * sin(i * 1.3 + which * 2) + 0.04 * i;

        tdm_pen_box(&canvas->pen, left + i * step, bottom - top * part, step * 0.7, top * part,
                    colours[(i + which) % 5]);
    }
    tdm_pen_box(&canvas->pen, left - 6, bottom, BARS * step + 6, 2, 0xffffff);
}

static void draw_slide(struct tdm_canvas *canvas, int which)
{
    const struct slide *slide = &slides[which];
    const struct tdm_style title = {TDM_FACE_BOLD, canvas->height / 13, 0xffffff};
    const struct tdm_style point = {TDM_FACE_SANS, canvas->height / 25, 0xf2f2ea};
    const struct tdm_style small = {TDM_FACE_SANS, canvas->height / 45, 0xd0d0c8};
    double x = canvas->width * 0.06, y = canvas->height * 0.3;

    draw_background(canvas, slide);
    (void)tdm_pen_text(&canvas->pen, x, canvas->height * 0.09, &title, slide->title,
                       (int)strlen(slide->title));
    for (int i = 0; i < 4; i++, y += canvas->height * 0.12) {
        tdm_pen_box(&canvas->pen, x, y + point.pixels * 0.45, point.pixels * 0.4,
                    point.pixels * 0.4, 0xffc857);
        (void)tdm_pen_paragraph(&canvas->pen, x + point.pixels, y, canvas->width * 0.46, &point,
                                slide->points[i]);
    }
    draw_chart(canvas, which);
    (void)tdm_pen_text(&canvas->pen, x, canvas->height * 0.93, &small, "Harbour board, June", 19);
}

static void keep(struct deck *deck, struct tdm_canvas *canvas)
{
    cairo_t *cairo = cairo_create(deck->behind);

    cairo_set_source_surface(cairo, canvas->surface, 0, 0);
    cairo_paint(cairo);
    cairo_destroy(cairo);
}

/* A pointer that wanders over the slide, as a speaker's does. */
static void draw_pointer(struct tdm_canvas *canvas, double t)
{
    cairo_t *cairo = canvas->pen.cairo;
    double x = canvas->width * (0.4 + 0.2 * sin(t * 1.7)),
           y = canvas->height * (0.5 + 0.2 * cos(t));

    cairo_save(cairo);
    cairo_translate(cairo, round(x), round(y));
    cairo_move_to(cairo, 0, 0);
    cairo_line_to(cairo, 0, 20);
    cairo_line_to(cairo, 5, 15);
    cairo_line_to(cairo, 13, 15);
    cairo_close_path(cairo);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_fill_preserve(cairo);
    cairo_set_source_rgb(cairo, 0, 0, 0);
    cairo_set_line_width(cairo, 1);
    cairo_stroke(cairo);
    cairo_restore(cairo);
}

static void *create(struct tdm_canvas *canvas)
{
    struct deck *deck = calloc(1, sizeof *deck);

    if (!deck)
        return NULL;
    deck->shown = -1;
    deck->behind = cairo_image_surface_create(CAIRO_FORMAT_RGB24, canvas->width, canvas->height);
    return deck;
}

static void destroy(void *scene)
{
    struct deck *deck = scene;

    cairo_surface_destroy(deck->behind);
    free(deck);
}

static void draw(void *scene, struct tdm_canvas *canvas, uint32_t index)
{
    struct deck *deck = scene;
    double t = (double)index / canvas->fps;
    int which = t < FIRST_SECONDS ? 0 : (1 + (int)((t - FIRST_SECONDS) / SLIDE_SECONDS)) % SLIDES;

    if (which != deck->shown) {
        draw_slide(canvas, which);
        keep(deck, canvas);
        deck->shown = which;
    } else {
        cairo_set_source_surface(canvas->pen.cairo, deck->behind, 0, 0);
        cairo_paint(canvas->pen.cairo);
    }
    draw_pointer(canvas, t);
}

const struct tdm_scene_ops tdm_scene_slides = {.create = create, .destroy = destroy, .draw = draw};
