/* SPDX-License-Identifier: MIT */

/*
 * The picture in front of the camera: a window over a whole display that shows a slowly panning,
 * textured picture with the time of its painting in a strip on top. Runs until it is ended. The
 * default rate of 61 pictures a second drifts through every phase of a 30 or 60 Hz capture, so a
 * run never measures one lucky phase.
 */

#include "bench/blackbox/clock.h"
#include "bench/blackbox/options.h"
#include "bench/blackbox/strip.h"
#include "bench/blackbox/x_picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAN_X_PER_S 60
#define PAN_Y_PER_S 16

struct texture {
    uint32_t *pixels; /* Wraps in both directions. */
    int width, height;
};

static uint32_t hash(uint32_t x, uint32_t y, uint32_t seed)
{
    uint32_t h = x * 0x9e3779b1U ^ y * 0x85ebca77U ^ seed * 0xc2b2ae3dU;
    h ^= h >> 15;
    h *= 0x2c1b3c6dU;
    h ^= h >> 12;
    h *= 0x297a2d39U;
    return h ^ h >> 15;
}

/* Smooth noise, 0..255, with a lattice of `cell` pixels that divides the texture's sides. */
static double noise(const struct texture *t, int x, int y, int cell, uint32_t seed)
{
    int columns = t->width / cell, rows = t->height / cell;
    int cx = x / cell, cy = y / cell;
    double fx = (double)(x % cell) / cell, fy = (double)(y % cell) / cell;
    uint32_t x0 = (uint32_t)cx, x1 = (uint32_t)((cx + 1) % columns);
    uint32_t y0 = (uint32_t)cy, y1 = (uint32_t)((cy + 1) % rows);

    fx = fx * fx * (3 - 2 * fx);
    fy = fy * fy * (3 - 2 * fy);
    double top = (hash(x0, y0, seed) & 255) * (1 - fx) + (hash(x1, y0, seed) & 255) * fx;
    double bottom = (hash(x0, y1, seed) & 255) * (1 - fx) + (hash(x1, y1, seed) & 255) * fx;
    return top * (1 - fy) + bottom * fy;
}

/* Coarse colours, middle structure and a fine grain: something for every band of a codec. */
static bool texture_init(struct texture *t, int width, int height)
{
    *t = (struct texture){.width = (width + 127) / 128 * 128, .height = (height + 127) / 128 * 128};
    t->pixels = malloc((size_t)t->width * (size_t)t->height * sizeof(uint32_t));
    if (!t->pixels)
        return false;
    for (int y = 0; y < t->height; y++) {
        for (int x = 0; x < t->width; x++) {
            double detail = 0.25 * noise(t, x, y, 32, 4) + 0.15 * noise(t, x, y, 8, 5);
            uint32_t colour = 0;
            for (uint32_t channel = 0; channel < 3; channel++) {
                double level = 0.6 * noise(t, x, y, 128, channel + 1) + detail;
                colour = colour << 8 | (uint32_t)level;
            }
            t->pixels[(size_t)y * (size_t)t->width + (size_t)x] = colour;
        }
    }
    return true;
}

/* The texture moved by what has passed since the start, wrapped around. */
static void texture_paint(const struct texture *t, XImage *image, tdm_time passed)
{
    int left = (int)(passed * PAN_X_PER_S / TDM_S % t->width);
    int top = (int)(passed * PAN_Y_PER_S / TDM_S % t->height);

    for (int y = 0; y < image->height; y++) {
        const uint32_t *row = t->pixels + (size_t)((y + top) % t->height) * (size_t)t->width;
        uint8_t *to = (uint8_t *)image->data + (size_t)y * (size_t)image->bytes_per_line;
        int first = t->width - left < image->width ? t->width - left : image->width;

        memcpy(to, row + left, (size_t)first * sizeof *row);
        memcpy(to + (size_t)first * sizeof *row, row, (size_t)(image->width - first) * sizeof *row);
    }
}

#define RAISE_EVERY 61 /* Pictures. */

static Window open_window(Display *display, int width, int height)
{
    XSetWindowAttributes attributes = {.override_redirect = True};
    Window window =
        XCreateWindow(display, DefaultRootWindow(display), 0, 0, (unsigned)width, (unsigned)height,
                      0, CopyFromParent, InputOutput, NULL, CWOverrideRedirect, &attributes);
    XMapRaised(display, window);
    XSync(display, False);
    return window;
}

static void run(struct tdm_x_picture *picture, struct tdm_strip *strip, const struct texture *t,
                double rate_hz)
{
    Display *display = picture->display;
    Window window = open_window(display, picture->image->width, picture->image->height);
    GC gc = XCreateGC(display, window, 0, NULL);
    tdm_time start = clock_now();
    size_t stride = (size_t)picture->image->bytes_per_line;

    for (int64_t n = 0;; n++) {
        clock_sleep_until(start + (tdm_time)((double)n * (double)TDM_S / rate_hz));
        texture_paint(t, picture->image, clock_now() - start);
        tdm_strip_paint(strip, (uint8_t *)picture->image->data, stride, clock_now());
        XShmPutImage(display, window, gc, picture->image, 0, 0, 0, 0,
                     (unsigned)picture->image->width, (unsigned)picture->image->height, False);
        if (n % RAISE_EVERY == 0)
            XRaiseWindow(display, window); /* A peer's own window may have come over it. */
        XSync(display, False);             /* The memory is ours again. */
    }
}

int main(int argc, char **argv)
{
    const char *name = NULL;
    int size[2] = {1280, 720};
    double rate_hz = 61;
    const struct tdm_option options[] = {
        {"--display", "X display; else $DISPLAY", .text = &name},
        {"--size", "pixels, 1280x720", .pair = size},
        {"--rate", "pictures a second, 61", .number = &rate_hz},
        {0},
    };
    tdm_options_read(argc, argv, options);

    struct tdm_strip strip;
    struct texture texture;
    struct tdm_x_picture picture;
    Display *display = XOpenDisplay(name);
    if (!display) {
        fprintf(stderr, "glass_source: cannot open the display %s.\n", XDisplayName(name));
        return 1;
    }
    if (rate_hz <= 0 || size[1] < 64 || !tdm_strip_init(&strip, size[0]) ||
        !texture_init(&texture, size[0], size[1])) {
        fprintf(stderr, "glass_source: no time code fits in %dx%d.\n", size[0], size[1]);
        return 1;
    }
    if (tdm_x_picture_init(&picture, display, (uint32_t)size[0], (uint32_t)size[1]))
        run(&picture, &strip, &texture, rate_hz);
    free(texture.pixels);
    return 1; /* It runs until a signal ends it. */
}
