/* SPDX-License-Identifier: MIT */
#include "engine/base/picture.h"

#include <string.h>

void tdm_picture_over(struct tdm_picture *pic, void *storage, int width, int height)
{
    uint8_t *at = storage;
    size_t luma = (size_t)width * (size_t)height;

    assert(width > 0 && height > 0 && width % 2 == 0 && height % 2 == 0);
    assert(width <= TDM_PICTURE_SIDE_MAX && height <= TDM_PICTURE_SIDE_MAX);
    *pic = (struct tdm_picture){
        .planes = {at, at + luma, at + luma + luma / 4},
        .strides = {width, width / 2, width / 2},
        .width = width,
        .height = height,
    };
}

static void copy_plane(struct tdm_picture *to, const struct tdm_picture *from, int plane)
{
    int width = plane ? from->width / 2 : from->width;
    int height = plane ? from->height / 2 : from->height;

    for (int row = 0; row < height; row++)
        memcpy(to->planes[plane] + (ptrdiff_t)row * to->strides[plane],
               from->planes[plane] + (ptrdiff_t)row * from->strides[plane], (size_t)width);
}

void tdm_picture_copy(struct tdm_picture *to, const struct tdm_picture *from)
{
    assert(to->width == from->width && to->height == from->height);
    for (int plane = 0; plane < 3; plane++)
        copy_plane(to, from, plane);
    to->captured = from->captured;
    to->frame_id = from->frame_id;
}

void tdm_picture_fill(struct tdm_picture *pic, uint8_t y, uint8_t u, uint8_t v)
{
    const uint8_t values[3] = {y, u, v};

    for (int plane = 0; plane < 3; plane++) {
        int width = plane ? pic->width / 2 : pic->width;
        int height = plane ? pic->height / 2 : pic->height;

        for (int row = 0; row < height; row++)
            memset(pic->planes[plane] + (ptrdiff_t)row * pic->strides[plane], values[plane],
                   (size_t)width);
    }
}
