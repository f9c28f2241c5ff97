/* SPDX-License-Identifier: MIT */

/*
 * A synthetic desktop that plays a script by the time it is told, so that every run has the same
 * pixels: pattern, pattern:still, pattern:typing, pattern:scroll, pattern:drag, pattern:movie (what
 * a camera sees, for 4 s of 5.5). Text is made of invented glyphs. There is
 * one surface, 640 by 360; a window "notes" lies on it, and its rules and picks work as on a real
 * one.
 */

#include "desktop/region.h"
#include "desktop/registry.h"
#include "engine/io/wake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH      640
#define HEIGHT     360
#define CELL_W     8
#define CELL_H     16
#define COLUMNS    (WIDTH / CELL_W)
#define ROWS       (HEIGHT / CELL_H)
#define CURSOR     12
#define NOTES      1u /* The window's id. */
#define PAPER      0xf8f8f8u
#define INK        0x202428u
#define GLYPHS     61
#define EVERY_TYPE (100 * TDM_MS)
#define EVERY_MOVE (33 * TDM_MS)
#define PLAYED     120 /* Turns of the movie, */
#define RESTED     45  /* and after it. */

enum script { STILL, TYPING, SCROLL, DRAG, MOVIE, MIXED };

struct tdm_desktop {
    enum script script;
    tdm_time due; /* 0: before the first step. */
    uint64_t turn;
    struct tdm_desktop_pick pick;
    struct tdm_desktop_rule rules[TDM_DESKTOP_RULES_MAX];
    size_t rule_count;
    struct tdm_desktop_surface surface;
    struct tdm_desktop_window window;
    struct tdm_region dirty;
    uint32_t told;
    struct tdm_desktop_pointer pointer;
    uint32_t cursor[CURSOR * CURSOR];
    uint32_t text_row; /* The text's row that is on top. */
    uint32_t typed;
    int wake_fd;
    uint32_t pixels[WIDTH * HEIGHT];
};

static const struct tdm_rect all = {0, 0, WIDTH, HEIGHT};

static void fill(struct tdm_desktop *d, struct tdm_rect rect, uint32_t colour)
{
    rect = tdm_rect_both(rect, all);
    for (int y = rect.y; y < rect.y + rect.height; y++)
        for (int x = rect.x; x < rect.x + rect.width; x++)
            d->pixels[y * WIDTH + x] = colour;
}

static uint32_t scramble(uint32_t v)
{
    v = (v ^ v >> 16) * 0x7feb352du;
    v = (v ^ v >> 15) * 0x846ca68bu;
    return v ^ v >> 16;
}

/* One of GLYPHS shapes, each 6 by 10 in its cell. */
static void draw_glyph(struct tdm_desktop *d, int column, int row, uint32_t glyph)
{
    const struct tdm_rect cell = {column * CELL_W, row * CELL_H, CELL_W, CELL_H};

    fill(d, cell, PAPER);
    if (glyph % 6 == 0)
        return; /* A space. */
    for (int y = 0; y < 10; y++)
        for (int x = 0; x < 6; x++)
            if (scramble(glyph * 64 + (uint32_t)(y / 2 * 3 + x / 2)) & 1)
                fill(d, (struct tdm_rect){cell.x + 1 + x, cell.y + 3 + y, 1, 1}, INK);
}

static void draw_row(struct tdm_desktop *d, int row)
{
    uint32_t text = d->text_row + (uint32_t)row;

    for (int column = 0; column < COLUMNS; column++)
        draw_glyph(d, column, row,
                   column < 20 + (int)(scramble(text) % 50)
                       ? scramble(text * COLUMNS + (uint32_t)column) % GLYPHS
                       : 0);
}

static void draw_window(struct tdm_desktop *d)
{
    const struct tdm_rect *area = &d->window.area;

    fill(d, *area, 0x3060a0);
    fill(d, (struct tdm_rect){area->x + 2, area->y + 16, area->width - 4, area->height - 18},
         0xfff4c0);
}

static void draw_all(struct tdm_desktop *d)
{
    fill(d, all, PAPER);
    for (int row = 0; row < ROWS; row++)
        draw_row(d, row);
    draw_window(d);
}

static void type(struct tdm_desktop *d)
{
    int column = (int)(d->typed % COLUMNS), row = (int)(d->typed / COLUMNS % 4);

    draw_glyph(d, column, row, 1 + scramble(d->typed) % (GLYPHS - 1));
    tdm_region_add_near(&d->dirty,
                        (struct tdm_rect){column * CELL_W, row * CELL_H, CELL_W, CELL_H});
    d->typed++;
}

static void scroll(struct tdm_desktop *d)
{
    d->text_row++;
    draw_all(d);
    tdm_region_add_near(&d->dirty, all);
}

static void drag(struct tdm_desktop *d)
{
    struct tdm_rect *area = &d->window.area;

    tdm_region_add_near(&d->dirty, *area);
    area->x = 100 + (int)(d->turn * 7 % 300);
    area->y = 60 + (int)(d->turn * 3 % 120);
    draw_all(d);
    tdm_region_add_near(&d->dirty, *area);
    d->told |= TDM_DESKTOP_TOLD_WINDOWS | TDM_DESKTOP_TOLD_POINTER;
    d->pointer.x = area->x + 20;
    d->pointer.y = area->y + 8;
}

/* Smooth, with grain. */
static void show_movie(struct tdm_desktop *d)
{
    static const struct tdm_rect area = {304, 136, 192, 128};
    uint32_t turn = (uint32_t)d->turn;

    if (d->turn % (PLAYED + RESTED) >= PLAYED)
        return;
    for (int y = area.y; y < area.y + area.height; y++)
        for (int x = area.x; x < area.x + area.width; x++) {
            uint32_t at = (uint32_t)(y * WIDTH + x), grain = scramble(turn * 977 + at) % 6;
            uint32_t red = ((uint32_t)x + 3 * turn) % 400 / 2 + grain;
            uint32_t green = ((uint32_t)y + turn) % 300 / 2 + grain;

            d->pixels[at] = red << 16 | green << 8 | (80 + 3 * grain);
        }
    tdm_region_add_near(&d->dirty, area);
}

static void play(struct tdm_desktop *d)
{
    enum script script = d->script;

    if (script == MIXED)
        script = (enum script)(TYPING + d->turn / 30 % 3);
    if (script == TYPING)
        type(d);
    else if (script == SCROLL)
        scroll(d);
    else if (script == DRAG)
        drag(d);
    else if (script == MOVIE)
        show_movie(d);
    d->turn++;
    d->due += script == TYPING ? EVERY_TYPE : EVERY_MOVE;
}

static bool is_part(const char *part, const char *whole)
{
    return strstr(whole, part) != NULL;
}

static void apply_rules(struct tdm_desktop *d)
{
    d->window.never = false;
    for (size_t i = 0; i < d->rule_count; i++)
        if ((*d->rules[i].class_part || *d->rules[i].title_part) &&
            is_part(d->rules[i].class_part, d->window.class_name) &&
            is_part(d->rules[i].title_part, d->window.title))
            d->window.never = true;
    d->told |= TDM_DESKTOP_TOLD_WINDOWS;
    tdm_region_add_near(&d->dirty, all);
}

/* Where the surface is; empty when there is no such thing. */
static struct tdm_rect area_of(const struct tdm_desktop *d, const struct tdm_desktop_pick *pick)
{
    switch (pick->what) {
    case TDM_DESKTOP_OUTPUT:
        return pick->number == 1 ? all : (struct tdm_rect){0, 0, 0, 0};
    case TDM_DESKTOP_WINDOW:
        return pick->window == NOTES ? d->window.area : (struct tdm_rect){0, 0, 0, 0};
    case TDM_DESKTOP_RECT:
        return tdm_rect_both(pick->rect, all);
    case TDM_DESKTOP_ALL:
    default:
        return all;
    }
}

static enum tdm_err select_pick(struct tdm_desktop *d, const struct tdm_desktop_pick *pick,
                                struct tdm_cause *cause)
{
    struct tdm_rect area = area_of(d, pick);

    if (tdm_rect_empty(area))
        return tdm_fail(cause, TDM_E_GONE,
                        "the pattern has one monitor of %dx%d and one window with the id %u", WIDTH,
                        HEIGHT, NOTES);
    d->pick = *pick;
    d->surface.area = area;
    d->surface.generation++;
    d->told |= TDM_DESKTOP_TOLD_SURFACES;
    tdm_region_add_near(&d->dirty, all);
    tdm_wake_signal(d->wake_fd);
    return TDM_OK;
}

static enum tdm_err never(struct tdm_desktop *d, const struct tdm_desktop_rule *rules, size_t count,
                          struct tdm_cause *cause)
{
    if (count > TDM_DESKTOP_RULES_MAX)
        return tdm_fail(cause, TDM_E_SPACE, "at most %d rules for windows that are never shown",
                        TDM_DESKTOP_RULES_MAX);
    for (size_t i = 0; i < count; i++)
        d->rules[i] = rules[i];
    d->rule_count = count;
    apply_rules(d);
    tdm_wake_signal(d->wake_fd);
    return TDM_OK;
}

static void close_desktop(struct tdm_desktop *d)
{
    if (!d)
        return;
    (void)close(d->wake_fd);
    free(d);
}

static bool find_script(const char *name, enum script *script)
{
    static const char *const names[] = {"still", "typing", "scroll", "drag", "movie", ""};

    for (int i = STILL; i <= MIXED; i++)
        if (strcmp(name, names[i]) == 0) {
            *script = (enum script)i;
            return true;
        }
    return false;
}

static enum tdm_err open_desktop(const struct tdm_desktop_config *config,
                                 struct tdm_desktop **desktop, struct tdm_cause *cause)
{
    enum script script;

    if (!find_script(config->argument, &script))
        return tdm_fail(cause, TDM_E_GONE,
                        "no pattern \"%s\": there are still, typing, scroll, drag and movie",
                        config->argument);
    int wake_fd = tdm_wake_open(cause);
    struct tdm_desktop *d = wake_fd < 0 ? NULL : calloc(1, sizeof *d);

    if (!d) {
        if (wake_fd >= 0)
            (void)close(wake_fd);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the desktop: close some programs");
    }
    d->wake_fd = wake_fd;
    d->script = script;
    d->surface = (struct tdm_desktop_surface){
        .id = 1, .scale_percent = 100, .primary = true, .name = "pattern"};
    d->window = (struct tdm_desktop_window){.id = NOTES,
                                            .area = {100, 60, 200, 120},
                                            .active = true,
                                            .class_name = "Notes",
                                            .title = "notes"};
    for (int y = 0; y < CURSOR; y++)
        for (int x = 0; x <= y; x++)
            d->cursor[y * CURSOR + x] = 0xff000000u | (x == 0 || x == y ? 0 : 0xffffffu);
    draw_all(d);
    enum tdm_err err = never(d, config->never, config->never_count, cause);

    if (!err)
        err = select_pick(d, &config->pick, cause);
    d->told |= TDM_DESKTOP_TOLD_SHAPE | TDM_DESKTOP_TOLD_POINTER;
    if (err)
        close_desktop(d);
    else
        *desktop = d;
    return err;
}

static int desktop_fd(const struct tdm_desktop *d)
{
    return d->wake_fd;
}

static void place_pointer(struct tdm_desktop *d)
{
    const struct tdm_rect spot = {d->pointer.x, d->pointer.y, 1, 1};

    d->pointer.surface = 0;
    d->pointer.surface_x = d->pointer.surface_y = 0;
    if (tdm_rect_empty(tdm_rect_both(spot, d->surface.area)))
        return;
    d->pointer.surface = d->surface.id;
    d->pointer.surface_x = d->pointer.x - d->surface.area.x;
    d->pointer.surface_y = d->pointer.y - d->surface.area.y;
}

/* A window that moved takes its surface along. */
static void follow_window(struct tdm_desktop *d)
{
    if (d->pick.what != TDM_DESKTOP_WINDOW || tdm_rect_equal(d->surface.area, d->window.area))
        return;
    d->surface.area = d->window.area;
    d->told |= TDM_DESKTOP_TOLD_SURFACES;
    tdm_region_add_near(&d->dirty, d->surface.area);
}

static enum tdm_err step(struct tdm_desktop *d, tdm_time now, struct tdm_desktop_out *out,
                         struct tdm_cause *cause)
{
    (void)cause;
    *out = (struct tdm_desktop_out){.dirty_at = TDM_NEVER, .hints = true};
    tdm_wake_clear(d->wake_fd);
    if (d->due == 0)
        d->due = now + EVERY_MOVE;
    while (d->script != STILL && d->due <= now)
        play(d);
    follow_window(d);
    place_pointer(d);
    for (size_t i = 0; i < d->dirty.count; i++) {
        struct tdm_rect rect = tdm_rect_both(d->dirty.rects[i], d->surface.area);

        if (tdm_rect_empty(rect))
            continue;
        rect.x -= d->surface.area.x;
        rect.y -= d->surface.area.y;
        out->dirty[out->dirty_count++] =
            (struct tdm_desktop_dirty){.surface = d->surface.id, .rect = rect};
        out->dirty_at = now;
    }
    d->dirty.count = 0;
    out->told = d->told;
    d->told = 0;
    out->wake_at = d->script == STILL ? TDM_NEVER : d->due;
    return TDM_OK;
}

static size_t surfaces(const struct tdm_desktop *d, const struct tdm_desktop_surface **list)
{
    *list = &d->surface;
    return 1;
}

static enum tdm_err grab(struct tdm_desktop *d, const struct tdm_desktop_surface *surface,
                         struct tdm_rect rect, uint8_t *pixels, ptrdiff_t stride,
                         struct tdm_cause *cause)
{
    const struct tdm_rect sides = {0, 0, d->surface.area.width, d->surface.area.height};

    (void)cause;
    if (surface->generation != d->surface.generation || surface->id != d->surface.id ||
        !tdm_rect_equal(surface->area, d->surface.area))
        return TDM_E_AGAIN;
    assert(!tdm_rect_empty(rect) && tdm_rect_equal(tdm_rect_both(rect, sides), rect));
    for (int y = rect.y; y < rect.y + rect.height; y++) {
        uint32_t *row = (uint32_t *)(void *)(pixels + y * stride);

        for (int x = rect.x; x < rect.x + rect.width; x++) {
            const struct tdm_rect here = {surface->area.x + x, surface->area.y + y, 1, 1};
            bool masked = d->window.never && !tdm_rect_empty(tdm_rect_both(here, d->window.area));

            row[x] = masked ? TDM_DESKTOP_GREY : d->pixels[here.y * WIDTH + here.x];
        }
    }
    return TDM_OK;
}

static void cursor(const struct tdm_desktop *d, struct tdm_desktop_cursor *out)
{
    *out = (struct tdm_desktop_cursor){
        .visible = true, .hash = 1, .width = CURSOR, .height = CURSOR, .argb = d->cursor};
}

static void pointer(const struct tdm_desktop *d, struct tdm_desktop_pointer *out)
{
    *out = d->pointer;
}

static size_t windows(const struct tdm_desktop *d, const struct tdm_desktop_window **list)
{
    *list = &d->window;
    return 1;
}

const struct tdm_desktop_ops tdm_pattern_desktop = {
    .kind = "pattern",
    .open = open_desktop,
    .close = close_desktop,
    .fd = desktop_fd,
    .step = step,
    .surfaces = surfaces,
    .grab = grab,
    .cursor = cursor,
    .pointer = pointer,
    .windows = windows,
    .select = select_pick,
    .never = never,
};
