/* SPDX-License-Identifier: MIT */
#include "engine/base/time_code.h"

#include <string.h>

#define COLUMNS      34 /* 32 data cells between two reference cells. */
#define DATA_BITS    64
#define TIME_BITS    48
#define BLACK        16
#define WHITE        235
#define CONTRAST_MIN 48

static int cell_side(int width)
{
    int side = width / COLUMNS;

    if (side >= 16)
        return side / 16 * 16;
    if (side >= 8)
        return 8;
    return side >= 4 ? 4 : 0;
}

static int side_in(const struct tdm_picture *pic)
{
    return pic->height < TDM_TIME_CODE_HEIGHT_MIN || pic->height < 2 * cell_side(pic->width)
               ? 0
               : cell_side(pic->width);
}

int tdm_time_code_rows(int width)
{
    return 2 * cell_side(width);
}

/* CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xffff. */
static uint16_t check_bits(uint64_t us)
{
    uint32_t crc = 0xffff;

    for (int bit = TIME_BITS - 1; bit >= 0; bit--) {
        uint32_t top = (crc >> 15 ^ (uint32_t)(us >> bit)) & 1;

        crc = (crc << 1 ^ (top ? 0x1021u : 0)) & 0xffff;
    }
    return (uint16_t)crc;
}

/* The colour of a cell by column 0..33 and row 0..1: true is white. */
static bool cell_is_white(uint64_t bits, int column, int row)
{
    if (column == 0)
        return row == 1;
    if (column == COLUMNS - 1)
        return row == 0;
    return bits >> (DATA_BITS - 1 - (row * 32 + column - 1)) & 1;
}

static void draw_row(struct tdm_picture *pic, uint64_t bits, int row, int side)
{
    uint8_t *first = pic->planes[0] + (ptrdiff_t)row * side * pic->strides[0];

    for (int column = 0; column < COLUMNS; column++)
        memset(first + (ptrdiff_t)column * side, cell_is_white(bits, column, row) ? WHITE : BLACK,
               (size_t)side);
    for (int y = 1; y < side; y++)
        memcpy(first + (ptrdiff_t)y * pic->strides[0], first, (size_t)(COLUMNS * side));
}

void tdm_time_code_draw(struct tdm_picture *pic, tdm_time t)
{
    uint64_t us = (uint64_t)(t / TDM_US) & (((uint64_t)1 << TIME_BITS) - 1);
    uint64_t bits = us << 16 | check_bits(us);
    int side = side_in(pic);

    if (!side)
        return;
    draw_row(pic, bits, 0, side);
    draw_row(pic, bits, 1, side);
    for (int plane = 1; plane < 3; plane++)
        for (int y = 0; y < side; y++)
            memset(pic->planes[plane] + (ptrdiff_t)y * pic->strides[plane], 128,
                   (size_t)(COLUMNS * side / 2));
}

/* Mean of the inner half of a cell, where codecs ring least. */
static int cell_mean(const struct tdm_picture *pic, int column, int row, int side)
{
    int margin = side / 4;
    int inner = side - 2 * margin;
    int sum = 0;

    for (int y = 0; y < inner; y++) {
        const uint8_t *at = pic->planes[0] +
                            (ptrdiff_t)(row * side + margin + y) * pic->strides[0] +
                            (ptrdiff_t)column * side + margin;

        for (int x = 0; x < inner; x++)
            sum += at[x];
    }
    return sum / (inner * inner);
}

bool tdm_time_code_read(const struct tdm_picture *pic, tdm_time *t)
{
    int side = side_in(pic);

    if (!side)
        return false;
    int black = cell_mean(pic, 0, 0, side) + cell_mean(pic, COLUMNS - 1, 1, side);
    int white = cell_mean(pic, 0, 1, side) + cell_mean(pic, COLUMNS - 1, 0, side);

    if (white - black < 2 * CONTRAST_MIN)
        return false;
    int middle = (black + white) / 4;
    uint64_t bits = 0;

    for (int i = 0; i < DATA_BITS; i++)
        bits = bits << 1 | (cell_mean(pic, 1 + i % 32, i / 32, side) > middle);
    if (check_bits(bits >> 16) != (uint16_t)bits)
        return false;
    *t = (tdm_time)(bits >> 16) * TDM_US;
    return true;
}
