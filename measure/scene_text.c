/* SPDX-License-Identifier: MIT */
/*
 * An editor: a list of files, a white pane in which somebody types, a dark pane beside it that is
 * turned a few lines now and then, a list of suggestions that comes and goes.
 */
#include "measure/corpus.h"
#include "measure/highlight.h"
#include "measure/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_A_KEY 2 /* Picture for picture; a fast typist at 30 a second. */
#define BLINK_FRAMES 15
#define TURN_FRAMES  24 /* The dark pane moves. */
#define TURN_LINES   3
#define POPUP_PERIOD 40
#define POPUP_FROM   18
#define INSERT_ROW   12
#define TREE_SHARE   0.16
#define LINES_A_EM   1.4

static const struct tdm_theme light = {
    .paper = 0xffffff,
    .plain = 0x24292e,
    .keyword = 0xcf222e,
    .string = 0x0a7f3f,
    .number = 0x0550ae,
    .comment = 0x8a8f98,
    .call = 0x8250df,
    .gutter = 0xb0b6be,
    .caret = 0x000000,
    .line = 0xf1f5fb,
};
static const struct tdm_theme dark = {
    .paper = 0x1e1e2e,
    .plain = 0xcdd6f4,
    .keyword = 0xf38ba8,
    .string = 0xa6e3a1,
    .number = 0xfab387,
    .comment = 0x6c7086,
    .call = 0x89b4fa,
    .gutter = 0x45475a,
    .caret = 0xffffff,
    .line = 0x28283c,
};

struct pane {
    double x, y, width;
    int rows;
    const struct tdm_theme *theme;
};

struct editor {
    struct pane left, right;
    double line_height;
    int code_lines;
    int typed_line, typed_size; /* Which line is being typed, and how much of it is there. */
};

static void draw_row(const struct editor *e, struct tdm_canvas *canvas, const struct pane *pane,
                     int row, int number, const char *text, int size, bool current)
{
    struct tdm_pen *pen = &canvas->pen;
    double y = pane->y + row * e->line_height, advance = tdm_pen_advance(canvas->text_pixels);
    const struct tdm_style gutter = {TDM_FACE_MONO, canvas->text_pixels, pane->theme->gutter};
    char digits[16];

    cairo_save(pen->cairo);
    cairo_rectangle(pen->cairo, pane->x, round(y), pane->width, round(e->line_height));
    cairo_clip(pen->cairo);
    tdm_pen_box(pen, pane->x, y, pane->width, e->line_height + 1,
                current ? pane->theme->line : pane->theme->paper);
    (void)snprintf(digits, sizeof digits, "%3d", number);
    (void)tdm_pen_text(pen, pane->x + advance, y + 2, &gutter, digits, (int)strlen(digits));
    (void)tdm_highlight_line(pen, pane->x + 6 * advance, y + 2, canvas->text_pixels, pane->theme,
                             text, size);
    cairo_restore(pen->cairo);
}

static void draw_left(const struct editor *e, struct tdm_canvas *canvas)
{
    int here = INSERT_ROW + e->typed_line;

    for (int row = 0; row < e->left.rows; row++) {
        const char *text = row < INSERT_ROW ? tdm_corpus_code[row]
                           : row <= here
                               ? tdm_corpus_typed[row - INSERT_ROW]
                               : tdm_corpus_code[(row - e->typed_line - 1) % e->code_lines];
        int size = row == here ? e->typed_size : (int)strlen(text);

        draw_row(e, canvas, &e->left, row, row + 1, text, size, row == here);
    }
}

static void draw_right(const struct editor *e, struct tdm_canvas *canvas, int top)
{
    for (int row = 0; row < e->right.rows; row++) {
        const char *text = tdm_corpus_code[(top + row) % e->code_lines];

        draw_row(e, canvas, &e->right, row, top + row + 1, text, (int)strlen(text), false);
    }
}

static void draw_tree(const struct editor *e, struct tdm_canvas *canvas)
{
    struct tdm_pen *pen = &canvas->pen;
    const struct tdm_style file = {TDM_FACE_SANS, canvas->text_pixels - 1, 0x3b4252};
    const struct tdm_style folder = {TDM_FACE_BOLD, canvas->text_pixels - 1, 0x1d4f91};

    tdm_pen_box(pen, 0, 0, canvas->width, canvas->height, 0xe6e9ef);
    for (int i = 0; tdm_corpus_files[i]; i++) {
        const char *name = tdm_corpus_files[i];
        bool inside = name[0] == ' ';
        double y = e->left.y + i * (e->line_height + 2);

        if (i == 2)
            tdm_pen_box(pen, 0, y, e->left.x - 4, e->line_height + 2, 0xc9d8f2);
        (void)tdm_pen_text(pen, inside ? 28 : 12, y + 2, inside ? &file : &folder,
                           name + (inside ? 2 : 0), (int)strlen(name) - (inside ? 2 : 0));
    }
}

static void draw_frame(const struct editor *e, struct tdm_canvas *canvas)
{
    struct tdm_pen *pen = &canvas->pen;
    const char *title = "harbour.ts - harbour - Editor", *status = "main*   Ln 13, Col 4   UTF-8   "
                                                                   "TypeScript   0 errors";
    const struct tdm_style white = {TDM_FACE_SANS, canvas->text_pixels - 1, 0xffffff};
    double bar = e->left.y - 4;

    draw_tree(e, canvas);
    tdm_pen_box(pen, 0, 0, canvas->width, bar, 0x2f3b52);
    (void)tdm_pen_text(pen, 12, 5, &white, title, (int)strlen(title));
    tdm_pen_box(pen, canvas->width - 24, 8, 10, 10, 0xe5534b);
    tdm_pen_box(pen, 0, canvas->height - bar, canvas->width, bar, 0x0a6ebd);
    (void)tdm_pen_text(pen, 12, canvas->height - bar + 4, &white, status, (int)strlen(status));
}

static void *create(struct tdm_canvas *canvas)
{
    struct editor *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    while (tdm_corpus_code[e->code_lines])
        e->code_lines++;
    e->line_height = round(canvas->text_pixels * LINES_A_EM);
    double top = e->line_height + 10, left = round(canvas->width * TREE_SHARE);
    double middle = round(left + (canvas->width - left) * 0.55);
    int rows = (int)((canvas->height - 2 * top) / e->line_height);

    e->left = (struct pane){left, top, middle - left - 4, rows, &light};
    e->right = (struct pane){middle, top, canvas->width - middle, rows, &dark};
    draw_frame(e, canvas);
    tdm_pen_box(&canvas->pen, middle, top, e->right.width, canvas->height - 2 * top + 4,
                dark.paper);
    tdm_pen_box(&canvas->pen, left, top, e->left.width, canvas->height - 2 * top + 4, light.paper);
    draw_left(e, canvas);
    draw_right(e, canvas, 0);
    return e;
}

static void type(struct editor *e, struct tdm_canvas *canvas)
{
    const char *line = tdm_corpus_typed[e->typed_line];

    if (line[e->typed_size]) {
        e->typed_size++;
        return;
    }
    e->typed_size = 0;
    e->typed_line = tdm_corpus_typed[e->typed_line + 1] ? e->typed_line + 1 : 0;
    draw_left(e, canvas); /* What is below moves down. */
}

static void draw_popup(const struct editor *e, struct tdm_canvas *canvas, double x, double y)
{
    static const char *const words[] = {"queue", "queueLimit", "quay", "quayside", "quit"};
    double width = tdm_pen_advance(canvas->text_pixels) * 20;

    tdm_pen_box(&canvas->pen, x - 1, y - 1, width + 2, 5 * e->line_height + 2, 0xa0a8b4);
    for (int i = 0; i < 5; i++) {
        const struct tdm_style style = {TDM_FACE_MONO, canvas->text_pixels,
                                        i ? 0x24292e : 0xffffff};

        tdm_pen_box(&canvas->pen, x, y + i * e->line_height, width, e->line_height,
                    i ? 0xf6f8fa : 0x0969da);
        (void)tdm_pen_text(&canvas->pen, x + 6, y + i * e->line_height + 2, &style, words[i],
                           (int)strlen(words[i]));
    }
}

static void draw(void *scene, struct tdm_canvas *canvas, uint32_t index)
{
    struct editor *e = scene;
    double advance = tdm_pen_advance(canvas->text_pixels);

    if (index % FRAMES_A_KEY == 0)
        type(e, canvas);
    if (index % TURN_FRAMES == TURN_FRAMES - 1)
        draw_right(e, canvas, (int)(index / TURN_FRAMES + 1) * TURN_LINES);
    int row = INSERT_ROW + e->typed_line;
    double x = e->left.x + (6 + e->typed_size) * advance, y = e->left.y + row * e->line_height;
    uint32_t phase = index % POPUP_PERIOD;

    if (phase == 0)
        draw_left(e, canvas); /* The list of suggestions goes. */
    if (row < e->left.rows)
        draw_row(e, canvas, &e->left, row, row + 1, tdm_corpus_typed[e->typed_line], e->typed_size,
                 true);
    if (phase == POPUP_FROM)
        draw_popup(e, canvas, x, y + e->line_height);
    if (index / BLINK_FRAMES % 2 == 0)
        tdm_pen_box(&canvas->pen, x, y + 1, 2, e->line_height - 2, light.caret);
}

static void destroy(void *scene)
{
    free(scene);
}

const struct tdm_scene_ops tdm_scene_text = {.create = create, .destroy = destroy, .draw = draw};
