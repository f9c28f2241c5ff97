/* SPDX-License-Identifier: MIT */
#include "tests/sim/desk.h"

#include <stdlib.h>
#include <string.h>

#define GLYPHS       48
#define GLYPH_WIDTH  7
#define GLYPH_HEIGHT 13
#define LINE         16
#define MARGIN       6
#define TITLE        20
#define INK          0x202428u

struct window {
    int x, y, width, height;
    uint32_t paper, title;
    uint8_t *pixels; /* Width * height * 4. */
    int caret_x, caret_y;
};

struct desk {
    int width, height;
    struct tdm_rng rng;
    uint8_t *pixels, *wallpaper;
    struct window windows[DESK_WINDOWS]; /* The last is on top. */
    uint8_t glyphs[GLYPHS][GLYPH_HEIGHT][GLYPH_WIDTH];
    struct tdm_screen_rect damage[DESK_DAMAGE];
    uint32_t damage_count;
    int video_time;
};

static void put(uint8_t *at, uint32_t colour)
{
    at[0] = (uint8_t)colour;
    at[1] = (uint8_t)(colour >> 8);
    at[2] = (uint8_t)(colour >> 16);
}

static uint32_t mixed(uint32_t a, uint32_t b, int of_a)
{
    uint32_t colour = 0;

    for (int shift = 0; shift < 24; shift += 8) {
        int x = (int)(a >> shift & 0xff), y = (int)(b >> shift & 0xff);

        colour |= (uint32_t)((x * of_a + y * (4 - of_a)) / 4) << shift;
    }
    return colour;
}

static void fill(struct window *w, int x, int y, int width, int height, uint32_t colour)
{
    for (int row = y; row < y + height; row++)
        for (int column = x; column < x + width; column++)
            put(w->pixels + ((ptrdiff_t)row * w->width + column) * 4, colour);
}

static void draw_glyph(const struct desk *d, struct window *w, int glyph, int x, int y)
{
    for (int row = 0; row < GLYPH_HEIGHT && y + row < w->height; row++)
        for (int column = 0; column < GLYPH_WIDTH && x + column < w->width; column++)
            put(w->pixels + ((ptrdiff_t)(y + row) * w->width + x + column) * 4,
                mixed(INK, w->paper, d->glyphs[glyph][row][column]));
}

static void write_line(struct desk *d, struct window *w, int y)
{
    int end = w->width / 3 + (int)tdm_rng_below(&d->rng, (uint32_t)w->width / 2);

    for (int x = MARGIN; x + GLYPH_WIDTH < end; x += GLYPH_WIDTH + 1)
        if (tdm_rng_below(&d->rng, 6))
            draw_glyph(d, w, (int)tdm_rng_below(&d->rng, GLYPHS), x, y);
}

static void write_page(struct desk *d, struct window *w)
{
    fill(w, 0, 0, w->width, TITLE, w->title);
    fill(w, 0, TITLE, w->width, w->height - TITLE, w->paper);
    for (int y = TITLE + 4; y + LINE < w->height; y += LINE)
        write_line(d, w, y);
    w->caret_x = MARGIN;
    w->caret_y = w->height - LINE - 2;
}

/* Smooth waves with a little noise: what a camera sees. */
static void paint_picture(struct desk *d, uint8_t *pixels, int stride, int width, int height,
                          int phase)
{
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            uint32_t noise = tdm_rng_u32(&d->rng);
            int a = (x * 3 + y * 2 + phase * 5) & 511, b = (y * 5 - x + phase * 3) & 511;
            int red = (a < 256 ? a : 511 - a), green = (b < 256 ? b : 511 - b);

            put(pixels + (ptrdiff_t)y * stride + (ptrdiff_t)x * 4,
                (uint32_t)((red * 200 >> 8) + (int)(noise & 15)) << 16 |
                    (uint32_t)((green * 200 >> 8) + (int)(noise >> 4 & 15)) << 8 |
                    (uint32_t)(((red + green) * 100 >> 8) + (int)(noise >> 8 & 15)));
        }
    }
}

static void damage(struct desk *d, int x, int y, int width, int height)
{
    struct tdm_screen_rect *at = &d->damage[d->damage_count];

    if (d->damage_count == DESK_DAMAGE) {
        *--at = (struct tdm_screen_rect){0, 0, d->width, d->height};
        return;
    }
    *at = (struct tdm_screen_rect){x, y, width, height};
    d->damage_count++;
}

/* Everything within a rectangle, from the bottom up. */
static void compose(struct desk *d, int x, int y, int width, int height)
{
    int right = x + width < d->width ? x + width : d->width;
    int bottom = y + height < d->height ? y + height : d->height;

    x = x > 0 ? x : 0;
    y = y > 0 ? y : 0;
    damage(d, x, y, right - x, bottom - y);
    for (int row = y; row < bottom; row++) {
        uint8_t *to = d->pixels + ((ptrdiff_t)row * d->width + x) * 4;

        if (right <= x)
            break;
        memcpy(to, d->wallpaper + ((ptrdiff_t)row * d->width + x) * 4, (size_t)(right - x) * 4);
        for (int i = 0; i < DESK_WINDOWS; i++) {
            const struct window *w = &d->windows[i];
            int from = w->x > x ? w->x : x,
                to_x = w->x + w->width < right ? w->x + w->width : right;

            if (row >= w->y && row < w->y + w->height && to_x > from)
                memcpy(d->pixels + ((ptrdiff_t)row * d->width + from) * 4,
                       w->pixels + ((ptrdiff_t)(row - w->y) * w->width + from - w->x) * 4,
                       (size_t)(to_x - from) * 4);
        }
        for (int column = x; column < right; column++, to += 4)
            to[3] = (uint8_t)tdm_rng_u32(&d->rng);
    }
}

static void compose_part(struct desk *d, const struct window *w, int x, int y, int width,
                         int height)
{
    compose(d, w->x + x, w->y + y, width, height);
}

static void scroll(struct desk *d, struct window *w, int amount)
{
    int text = w->height - TITLE;

    if (amount <= 0 || amount >= text)
        return;
    memmove(w->pixels + (ptrdiff_t)TITLE * w->width * 4,
            w->pixels + (ptrdiff_t)(TITLE + amount) * w->width * 4,
            (size_t)w->width * (size_t)(text - amount) * 4);
    fill(w, 0, w->height - amount, w->width, amount, w->paper);
    for (int y = w->height - amount; y + GLYPH_HEIGHT <= w->height; y += LINE)
        write_line(d, w, y);
    compose_part(d, w, 0, TITLE, w->width, text);
}

static void type(struct desk *d, struct window *w)
{
    draw_glyph(d, w, (int)tdm_rng_below(&d->rng, GLYPHS), w->caret_x, w->caret_y);
    compose_part(d, w, w->caret_x, w->caret_y, GLYPH_WIDTH, GLYPH_HEIGHT);
    w->caret_x += GLYPH_WIDTH + 1;
    if (w->caret_x + GLYPH_WIDTH < w->width - MARGIN)
        return;
    w->caret_x = MARGIN;
    scroll(d, w, LINE);
}

static void drag(struct desk *d, struct window *w)
{
    int x = w->x, y = w->y;

    w->x += (int)tdm_rng_below(&d->rng, 61) - 30;
    w->y += (int)tdm_rng_below(&d->rng, 41) - 20;
    w->x = w->x < 0 ? 0 : w->x > d->width - w->width ? d->width - w->width : w->x;
    w->y = w->y < 0 ? 0 : w->y > d->height - w->height ? d->height - w->height : w->y;
    compose(d, x, y, w->width, w->height);
    compose(d, w->x, w->y, w->width, w->height);
}

static void switch_windows(struct desk *d)
{
    struct window bottom = d->windows[0];

    memmove(d->windows, d->windows + 1, (DESK_WINDOWS - 1) * sizeof bottom);
    d->windows[DESK_WINDOWS - 1] = bottom;
    compose(d, bottom.x, bottom.y, bottom.width, bottom.height);
}

void desk_do(struct desk *d, enum desk_action action, int amount)
{
    struct window *top = &d->windows[DESK_WINDOWS - 1];
    int inner = top->width - 2 * MARGIN - 37, high = top->height - TITLE - 2 * MARGIN - 21;
    uint8_t *inside = top->pixels + ((ptrdiff_t)(TITLE + MARGIN) * top->width + MARGIN) * 4;

    switch (action) {
    case DESK_TYPE:
        type(d, top);
        break;
    case DESK_SCROLL:
        scroll(d, top, amount);
        break;
    case DESK_DRAG:
        drag(d, top);
        break;
    case DESK_SWITCH:
        switch_windows(d);
        break;
    case DESK_PHOTO:
    case DESK_VIDEO:
        d->video_time += action == DESK_VIDEO ? 1 : 40;
        paint_picture(d, inside, top->width * 4, inner, high, d->video_time);
        compose_part(d, top, MARGIN, TITLE + MARGIN, inner, high);
        break;
    case DESK_PAGE:
        write_page(d, top);
        compose_part(d, top, 0, 0, top->width, top->height);
        break;
    case DESK_PRETEND:
    case DESK_ACTIONS:
        damage(d, 0, 0, d->width, d->height);
        break;
    }
}

static bool make_window(struct desk *d, int at)
{
    struct window *w = &d->windows[at];

    w->width = d->width * 2 / 3 + 7 * at;
    w->height = d->height * 3 / 4 - 5 * at;
    w->x = 9 + at * 31 % (d->width - w->width);
    w->y = 5 + at * 23 % (d->height - w->height);
    w->paper = at % 2 ? 0xfdfdfdu : 0x1e1e28u + (uint32_t)at;
    w->title = 0x3060a0u + (uint32_t)at * 0x102010u;
    w->pixels = calloc((size_t)w->width * (size_t)w->height, 4);
    if (w->pixels)
        write_page(d, w);
    return w->pixels;
}

struct desk *desk_create(int width, int height, uint64_t seed)
{
    struct desk *d = calloc(1, sizeof *d);
    bool made = d;

    if (!d)
        return NULL;
    d->width = width;
    d->height = height;
    d->rng = tdm_rng_of(seed);
    for (size_t i = 0; i < sizeof d->glyphs; i++) {
        uint32_t r = tdm_rng_below(&d->rng, 10);

        ((uint8_t *)d->glyphs)[i] = (uint8_t)(r < 6 ? 0 : r < 8 ? 4 : r - 7);
    }
    d->pixels = calloc((size_t)width * (size_t)height, 4);
    d->wallpaper = calloc((size_t)width * (size_t)height, 4);
    for (int i = 0; i < DESK_WINDOWS; i++)
        made = make_window(d, i) && made;
    if (!made || !d->pixels || !d->wallpaper) {
        desk_destroy(d);
        return NULL;
    }
    for (ptrdiff_t i = 0; i < (ptrdiff_t)width * height; i++)
        put(d->wallpaper + i * 4, 0x305070u + (uint32_t)(i / width / 8));
    compose(d, 0, 0, width, height);
    return d;
}

void desk_destroy(struct desk *d)
{
    for (int i = 0; d && i < DESK_WINDOWS; i++)
        free(d->windows[i].pixels);
    if (d) {
        free(d->pixels);
        free(d->wallpaper);
    }
    free(d);
}

const uint8_t *desk_pixels(const struct desk *d)
{
    return d->pixels;
}

uint32_t desk_damage(struct desk *d, struct tdm_screen_rect rects[DESK_DAMAGE])
{
    uint32_t count = d->damage_count;

    memcpy(rects, d->damage, count * sizeof *rects);
    d->damage_count = 0;
    return count;
}
