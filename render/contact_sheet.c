/* SPDX-License-Identifier: MIT */
#include "render/contact_sheet.h"

#include <cairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_MAX     32
#define GAP          6
#define LABEL_HEIGHT 16

struct cell {
    uint32_t *pixels; /* 0x00RRGGBB, cell_width x cell_height. */
    tdm_time at;
};

struct tdm_contact_sheet {
    struct tdm_contact_sheet_config config;
    int cell_height;
    uint32_t cell_count, used;
    tdm_time first, next;
    uint32_t *storage;
    struct cell cells[SIDE_MAX * SIDE_MAX];
};

enum tdm_err tdm_contact_sheet_create(const struct tdm_contact_sheet_config *config,
                                      struct tdm_contact_sheet **sheet, struct tdm_cause *cause)
{
    uint32_t count = config->columns * config->rows;

    assert(config->columns >= 1 && config->columns <= SIDE_MAX);
    assert(config->rows >= 1 && config->rows <= SIDE_MAX && count % 2 == 0);
    assert(config->cell_width >= 16 && config->cell_width <= 1920 && config->interval > 0);
    struct tdm_contact_sheet *s = calloc(1, sizeof *s);

    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the contact sheet");
    s->config = *config;
    s->cell_count = count;
    s->cell_height = config->cell_width * 9 / 16;
    size_t pixels = (size_t)config->cell_width * (size_t)s->cell_height;

    s->storage = calloc(count, pixels * sizeof *s->storage);
    if (!s->storage) {
        free(s);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the contact sheet");
    }
    for (uint32_t i = 0; i < count; i++)
        s->cells[i].pixels = s->storage + i * pixels;
    *sheet = s;
    return TDM_OK;
}

void tdm_contact_sheet_destroy(struct tdm_contact_sheet *sheet)
{
    if (sheet)
        free(sheet->storage);
    free(sheet);
}

static uint32_t clamp(int value)
{
    return (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* BT.601, limited range, in 1/256. */
static uint32_t rgb_of(int y, int u, int v)
{
    int c = 298 * (y - 16) + 128;

    return clamp((c + 409 * (v - 128)) >> 8) << 16 |
           clamp((c - 100 * (u - 128) - 208 * (v - 128)) >> 8) << 8 |
           clamp((c + 516 * (u - 128)) >> 8);
}

/* The mean of up to 4x4 pixels spread over the part of a plane that one small pixel stands for. */
static int mean(const struct tdm_picture *pic, int plane, int x0, int x1, int y0, int y1)
{
    int shift = plane ? 1 : 0;
    int sum = 0, count = 0;
    int step_x = (x1 - x0 + 3) / 4, step_y = (y1 - y0 + 3) / 4;

    step_x = step_x < 1 ? 1 : step_x;
    step_y = step_y < 1 ? 1 : step_y;
    for (int y = y0; y < y1 || y == y0; y += step_y) {
        for (int x = x0; x < x1 || x == x0; x += step_x) {
            sum += pic->planes[plane][(ptrdiff_t)(y >> shift) * pic->strides[plane] + (x >> shift)];
            count++;
        }
    }
    return sum / count;
}

/* Shrinks the picture into `width` x `height`, with black bars. */
static void shrink(const struct tdm_picture *pic, uint32_t *to, int width, int height)
{
    int w = width, h = height;

    if ((int64_t)pic->width * height > (int64_t)pic->height * width)
        h = (int)((int64_t)pic->height * width / pic->width);
    else
        w = (int)((int64_t)pic->width * height / pic->height);
    int left = (width - w) / 2, top = (height - h) / 2;

    memset(to, 0, (size_t)width * (size_t)height * sizeof *to);
    for (int y = 0; y < h; y++) {
        uint32_t *row = to + (ptrdiff_t)(top + y) * width + left;
        int y0 = y * pic->height / h, y1 = (y + 1) * pic->height / h;

        for (int x = 0; x < w; x++) {
            int x0 = x * pic->width / w, x1 = (x + 1) * pic->width / w;

            row[x] = rgb_of(mean(pic, 0, x0, x1, y0, y1), mean(pic, 1, x0, x1, y0, y1),
                            mean(pic, 2, x0, x1, y0, y1));
        }
    }
}

/* Keeps cells 0, 2, 4 ...; the others' storage moves behind them to be used again. */
static void thin(struct tdm_contact_sheet *s)
{
    for (uint32_t i = 1; i < s->used / 2; i++) {
        struct cell *to = s->cells + i, *from = s->cells + (size_t)2 * i;
        struct cell kept = *from;

        *from = *to;
        *to = kept;
    }
    s->used /= 2;
    s->config.interval *= 2;
}

void tdm_contact_sheet_add(struct tdm_contact_sheet *s, const struct tdm_picture *pic, tdm_time now)
{
    if (!s->used)
        s->first = s->next = now;
    if (now < s->next)
        return;
    if (s->used == s->cell_count) {
        thin(s);
        s->next = s->cells[s->used - 1].at + s->config.interval;
        if (now < s->next)
            return;
    }
    struct cell *cell = &s->cells[s->used++];

    shrink(pic, cell->pixels, s->config.cell_width, s->cell_height);
    cell->at = now;
    s->next = now + s->config.interval;
}

static void draw_cell(const struct tdm_contact_sheet *s, cairo_t *cr, uint32_t index)
{
    const struct cell *cell = &s->cells[index];
    int x = GAP + (int)(index % s->config.columns) * (s->config.cell_width + GAP);
    int y = GAP + (int)(index / s->config.columns) * (s->cell_height + LABEL_HEIGHT + GAP);
    int64_t tenths = (cell->at - s->first) / (TDM_S / 10);
    char label[32];
    cairo_surface_t *image = cairo_image_surface_create_for_data(
        (unsigned char *)cell->pixels, CAIRO_FORMAT_RGB24, s->config.cell_width, s->cell_height,
        s->config.cell_width * 4);

    cairo_set_source_surface(cr, image, x, y);
    cairo_paint(cr);
    cairo_surface_destroy(image);
    (void)snprintf(label, sizeof label, "%d:%02d.%d", (int)(tenths / 600), (int)(tenths / 10 % 60),
                   (int)(tenths % 10));
    cairo_set_source_rgb(cr, 0.85, 0.85, 0.85);
    cairo_move_to(cr, x + 2, y + s->cell_height + LABEL_HEIGHT - 4);
    cairo_show_text(cr, label);
}

static enum tdm_err write_png(cairo_surface_t *surface, const char *path, struct tdm_cause *cause)
{
    cairo_status_t status = cairo_surface_write_to_png(surface, path);

    cairo_surface_destroy(surface);
    if (status == CAIRO_STATUS_WRITE_ERROR)
        return tdm_fail(cause, TDM_E_SYSTEM,
                        "cannot write \"%.120s\": does the folder exist, may "
                        "you write there, is the disk full?",
                        path);
    if (status)
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot write \"%.120s\": %s", path,
                        cairo_status_to_string(status));
    return TDM_OK;
}

enum tdm_err tdm_contact_sheet_write(const struct tdm_contact_sheet *s, const char *path,
                                     struct tdm_cause *cause)
{
    uint32_t rows = (s->used + s->config.columns - 1) / s->config.columns;
    int width = GAP + (int)s->config.columns * (s->config.cell_width + GAP);
    int height = GAP + (int)rows * (s->cell_height + LABEL_HEIGHT + GAP);

    if (!s->used)
        return tdm_fail(cause, TDM_E_GONE, "no picture was shown, so there is no contact sheet");
    cairo_surface_t *page = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    cairo_t *cr = cairo_create(page);

    cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
    cairo_paint(cr);
    cairo_select_font_face(cr, "sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, 11);
    for (uint32_t i = 0; i < s->used; i++)
        draw_cell(s, cr, i);
    cairo_destroy(cr);
    return write_png(page, path, cause);
}

enum tdm_err tdm_snapshot_write(const struct tdm_picture *pic, const char *path,
                                struct tdm_cause *cause)
{
    cairo_surface_t *page = cairo_image_surface_create(CAIRO_FORMAT_RGB24, pic->width, pic->height);

    if (cairo_surface_status(page)) {
        cairo_surface_destroy(page);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the picture");
    }
    cairo_surface_flush(page);
    for (int y = 0; y < pic->height; y++) {
        uint8_t *row = cairo_image_surface_get_data(page) +
                       (ptrdiff_t)y * cairo_image_surface_get_stride(page);

        for (int x = 0; x < pic->width; x++) {
            uint32_t pixel = rgb_of(pic->planes[0][(ptrdiff_t)y * pic->strides[0] + x],
                                    pic->planes[1][(ptrdiff_t)(y / 2) * pic->strides[1] + x / 2],
                                    pic->planes[2][(ptrdiff_t)(y / 2) * pic->strides[2] + x / 2]);

            memcpy(row + (ptrdiff_t)4 * x, &pixel, sizeof pixel);
        }
    }
    cairo_surface_mark_dirty(page);
    return write_png(page, path, cause);
}
