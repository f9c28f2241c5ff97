/* SPDX-License-Identifier: MIT */
#include "render/board_image.h"

#include "render/board_scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MOST  ((size_t)1 << 30) /* Of a scene's images. */
#define IMAGES_MOST 4096

const struct tdm_board_image *tdm_board_images_find(const struct tdm_board_images *images,
                                                    const uint8_t *hash)
{
    for (size_t i = 0; i < images->count; i++)
        if (memcmp(images->list[i].hash, hash, TDM_BOARD_HASH_BYTES) == 0)
            return &images->list[i];
    return NULL;
}

static void drop_levels(struct tdm_board_images *images, struct tdm_board_image *image)
{
    for (int i = 0; i < image->level_count; i++) {
        images->bytes -= (size_t)cairo_image_surface_get_stride(image->levels[i]) *
                         (size_t)cairo_image_surface_get_height(image->levels[i]);
        cairo_surface_destroy(image->levels[i]);
    }
    image->level_count = 0;
}

void tdm_board_images_free(struct tdm_board_images *images)
{
    for (size_t i = 0; i < images->count; i++)
        drop_levels(images, &images->list[i]);
    free(images->list);
    *images = (struct tdm_board_images){0};
}

static bool add_level(struct tdm_board_images *images, struct tdm_board_image *image, int width,
                      int height)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);

    if (cairo_surface_status(s) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(s);
        return false;
    }
    image->levels[image->level_count++] = s;
    images->bytes += (size_t)cairo_image_surface_get_stride(s) * (size_t)height;
    return true;
}

/* The mean of four pixels, two channels at a time. */
static uint32_t mean(const uint32_t p[4])
{
    uint32_t even = 0x00020002, odd = 0x00020002;

    for (int i = 0; i < 4; i++) {
        even += p[i] & 0x00ff00ff;
        odd += p[i] >> 8 & 0x00ff00ff;
    }
    return (even >> 2 & 0x00ff00ff) | (odd >> 2 & 0x00ff00ff) << 8;
}

static uint32_t pixel(cairo_surface_t *s, int x, int y)
{
    uint32_t p;
    const uint8_t *data = cairo_image_surface_get_data(s);

    memcpy(&p, data + (ptrdiff_t)y * cairo_image_surface_get_stride(s) + 4 * (ptrdiff_t)x, 4);
    return p;
}

/* Sides of an odd size lose their last pixel by a mean with itself. */
static void halve(cairo_surface_t *from, cairo_surface_t *to)
{
    int from_w = cairo_image_surface_get_width(from), from_h = cairo_image_surface_get_height(from);
    int w = cairo_image_surface_get_width(to), h = cairo_image_surface_get_height(to);
    uint8_t *data = cairo_image_surface_get_data(to);

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int x0 = 2 * x, y0 = 2 * y;
            int x1 = x0 + 1 < from_w ? x0 + 1 : x0, y1 = y0 + 1 < from_h ? y0 + 1 : y0;
            uint32_t four[4] = {pixel(from, x0, y0), pixel(from, x1, y0), pixel(from, x0, y1),
                                pixel(from, x1, y1)};
            uint32_t p = mean(four);

            memcpy(data + (ptrdiff_t)y * cairo_image_surface_get_stride(to) + 4 * (ptrdiff_t)x, &p,
                   4);
        }
    cairo_surface_mark_dirty(to);
}

/* Colours beyond their alpha would overflow where they are blended. */
static uint32_t sound(uint32_t p)
{
    uint32_t a = p >> 24, r = p >> 16 & 255, g = p >> 8 & 255, b = p & 255;

    return a << 24 | (r < a ? r : a) << 16 | (g < a ? g : a) << 8 | (b < a ? b : a);
}

static void copy(const struct tdm_board_picture *from, cairo_surface_t *to)
{
    uint8_t *data = cairo_image_surface_get_data(to);
    ptrdiff_t stride = cairo_image_surface_get_stride(to);

    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++) {
            uint32_t p;

            memcpy(&p, from->pixels + (ptrdiff_t)y * from->stride + 4 * (ptrdiff_t)x, 4);
            p = sound(p);
            memcpy(data + y * stride + 4 * (ptrdiff_t)x, &p, 4);
        }
    cairo_surface_mark_dirty(to);
}

static bool make_levels(struct tdm_board_images *images, struct tdm_board_image *image,
                        const struct tdm_board_picture *picture)
{
    int width = picture->width, height = picture->height;

    if (!add_level(images, image, width, height))
        return false;
    copy(picture, image->levels[0]);
    while ((width > 1 || height > 1) && image->level_count < TDM_BOARD_IMAGE_LEVELS) {
        width = (width + 1) / 2;
        height = (height + 1) / 2;
        if (!add_level(images, image, width, height))
            return false;
        halve(image->levels[image->level_count - 2], image->levels[image->level_count - 1]);
    }
    return true;
}

static struct tdm_board_image *place_for(struct tdm_board_images *images, const uint8_t *hash)
{
    struct tdm_board_image *image =
        (struct tdm_board_image *)(uintptr_t)tdm_board_images_find(images, hash);

    if (image) {
        drop_levels(images, image);
        return image;
    }
    if (images->count == images->room) {
        size_t room = images->room ? 2 * images->room : 16;
        struct tdm_board_image *list = realloc(images->list, room * sizeof *list);

        if (!list)
            return NULL;
        images->list = list;
        images->room = room;
    }
    image = &images->list[images->count++];
    *image = (struct tdm_board_image){0};
    memcpy(image->hash, hash, sizeof image->hash);
    return image;
}

enum tdm_err tdm_board_images_give(struct tdm_board_images *images,
                                   const struct tdm_board_picture *picture)
{
    if (picture->width < 1 || picture->height < 1 || picture->width > TDM_BOARD_IMAGE_SIDE ||
        picture->height > TDM_BOARD_IMAGE_SIDE)
        return TDM_E_MALFORMED;
    size_t bytes = (size_t)picture->width * (size_t)picture->height * 4;

    if (images->bytes + bytes / 2 * 3 > BYTES_MOST || images->count >= IMAGES_MOST)
        return TDM_E_SPACE;
    struct tdm_board_image *image = place_for(images, picture->hash);

    if (!image)
        return TDM_E_SYSTEM;
    if (!make_levels(images, image, picture)) {
        drop_levels(images, image);
        return TDM_E_SYSTEM;
    }
    return TDM_OK;
}

/* The smallest level that has at least the pixels that are shown. */
static cairo_surface_t *level_for(const struct tdm_board_image *image, double wide, double high)
{
    int i = image->level_count - 1;

    while (i > 0 && (cairo_image_surface_get_width(image->levels[i]) < wide ||
                     cairo_image_surface_get_height(image->levels[i]) < high))
        i--;
    return image->levels[i];
}

void tdm_board_image_paint(const struct tdm_board_image *image, cairo_t *cr,
                           const struct tdm_figure_box *box, const uint16_t crop[4], double scale)
{
    double wide = box->right - box->left, high = box->bottom - box->top;
    double left = crop[0] / 65535.0, top = crop[1] / 65535.0;
    double right = crop[2] / 65535.0, bottom = crop[3] / 65535.0;

    if (!(right > left && bottom > top)) {
        left = top = 0;
        right = bottom = 1;
    }
    if (!(wide > 0) || !(high > 0) || image->level_count == 0)
        return;
    /* What the image's full size would take of which the crop shows a part. */
    double full_w = wide / (right - left), full_h = high / (bottom - top);
    cairo_surface_t *s = level_for(image, full_w * scale, full_h * scale);

    cairo_save(cr);
    cairo_rectangle(cr, box->left, box->top, wide, high);
    cairo_clip(cr);
    cairo_translate(cr, box->left - left * full_w, box->top - top * full_h);
    cairo_scale(cr, full_w / cairo_image_surface_get_width(s),
                full_h / cairo_image_surface_get_height(s));
    cairo_set_source_surface(cr, s, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_paint(cr);
    cairo_restore(cr);
}
