/* SPDX-License-Identifier: MIT */
#include "measure/quality.h"

#include <assert.h>
#include <math.h>

#define BLOCK      4 /* Windows are 2x2 blocks of 4x4 samples: each block is summed once. */
#define BLOCKS_MAX (TDM_PICTURE_SIDE_MAX / BLOCK)
#define WINDOW     64 /* Samples of one. */

uint64_t tdm_plane_square_error(const struct tdm_plane_pair *pair)
{
    uint64_t total = 0;

    for (int y = 0; y < pair->height; y++) {
        const uint8_t *a = pair->a + (ptrdiff_t)y * pair->a_stride;
        const uint8_t *b = pair->b + (ptrdiff_t)y * pair->b_stride;
        uint32_t row = 0; /* At most 4096 * 255^2, which fits. */

        for (int x = 0; x < pair->width; x++) {
            int difference = a[x] - b[x];

            row += (uint32_t)(difference * difference);
        }
        total += row;
    }
    return total;
}

/* Sums over 4x4 samples, one entry a block of a row of blocks. */
struct block_row {
    int32_t a[BLOCKS_MAX], b[BLOCKS_MAX];
    int32_t squares[BLOCKS_MAX]; /* Of both. */
    int32_t product[BLOCKS_MAX];
};

/* Columns first: that loop has no dependency from one sample to the next, so that the compiler
 * makes vectors of it. */
static void sum_blocks(const struct tdm_plane_pair *pair, int block_y, struct block_row *row)
{
    enum { COLUMNS = 256 };
    const uint8_t *a = pair->a + (ptrdiff_t)block_y * BLOCK * pair->a_stride;
    const uint8_t *b = pair->b + (ptrdiff_t)block_y * BLOCK * pair->b_stride;
    int width = pair->width / BLOCK * BLOCK;

    for (int start = 0; start < width; start += COLUMNS) {
        int32_t sum_a[COLUMNS] = {0}, sum_b[COLUMNS] = {0};
        int32_t squares[COLUMNS] = {0}, product[COLUMNS] = {0};
        int count = width - start < COLUMNS ? width - start : COLUMNS;

        for (int y = 0; y < BLOCK; y++) {
            const uint8_t *row_a = a + (ptrdiff_t)y * pair->a_stride + start;
            const uint8_t *row_b = b + (ptrdiff_t)y * pair->b_stride + start;

            for (int x = 0; x < count; x++) {
                sum_a[x] += row_a[x];
                sum_b[x] += row_b[x];
                squares[x] += row_a[x] * row_a[x] + row_b[x] * row_b[x];
                product[x] += row_a[x] * row_b[x];
            }
        }
        for (int x = 0; x < count; x += BLOCK) {
            int block = (start + x) / BLOCK;

            row->a[block] = sum_a[x] + sum_a[x + 1] + sum_a[x + 2] + sum_a[x + 3];
            row->b[block] = sum_b[x] + sum_b[x + 1] + sum_b[x + 2] + sum_b[x + 3];
            row->squares[block] = squares[x] + squares[x + 1] + squares[x + 2] + squares[x + 3];
            row->product[block] = product[x] + product[x + 1] + product[x + 2] + product[x + 3];
        }
    }
}

/* The similarity of one window from its sums. All integers fit: 255^2 * 64^2 is below 2^29. */
static double window(int32_t a, int32_t b, int32_t squares, int32_t product)
{
    const double c1 = 0.01 * 0.01 * 255 * 255 * WINDOW;
    const double c2 = 0.03 * 0.03 * 255 * 255 * WINDOW * (WINDOW - 1);
    int32_t variances = squares * WINDOW - a * a - b * b;
    int32_t covariance = product * WINDOW - a * b;

    return (2.0 * a * b + c1) * (2.0 * covariance + c2) /
           (((double)a * a + (double)b * b + c1) * (variances + c2));
}

double tdm_plane_ssim(const struct tdm_plane_pair *pair)
{
    struct block_row rows[2] = {0};
    int across = pair->width / BLOCK, down = pair->height / BLOCK;
    double sum = 0;

    assert(across >= 2 && across <= BLOCKS_MAX && down >= 2);
    sum_blocks(pair, 0, &rows[0]);
    for (int y = 1; y < down; y++) {
        const struct block_row *above = &rows[(y - 1) & 1], *here = &rows[y & 1];

        sum_blocks(pair, y, &rows[y & 1]);
        for (int x = 0; x + 1 < across; x++)
            sum += window(above->a[x] + above->a[x + 1] + here->a[x] + here->a[x + 1],
                          above->b[x] + above->b[x + 1] + here->b[x] + here->b[x + 1],
                          above->squares[x] + above->squares[x + 1] + here->squares[x] +
                              here->squares[x + 1],
                          above->product[x] + above->product[x + 1] + here->product[x] +
                              here->product[x + 1]);
    }
    return sum / ((double)(across - 1) * (down - 1));
}

void tdm_quality_add(struct tdm_quality *quality, const struct tdm_picture *source,
                     const struct tdm_picture *decoded)
{
    assert(source->width == decoded->width && source->height == decoded->height);
    assert(source->width >= 16 && source->height >= 16);
    for (int plane = 0; plane < 3; plane++) {
        const struct tdm_plane_pair pair = {
            .a = source->planes[plane],
            .b = decoded->planes[plane],
            .a_stride = source->strides[plane],
            .b_stride = decoded->strides[plane],
            .width = plane ? source->width / 2 : source->width,
            .height = plane ? source->height / 2 : source->height,
        };
        double samples = (double)pair.width * pair.height;

        quality->mse[plane] += (double)tdm_plane_square_error(&pair) / samples;
        quality->ssim[plane] += tdm_plane_ssim(&pair);
        quality->share[plane] = samples / (double)tdm_picture_bytes(source->width, source->height);
    }
    quality->frames++;
}

static double mean_of(const double sums[3], const struct tdm_quality *quality, int plane)
{
    double sum = 0;

    if (quality->frames == 0)
        return 0;
    if (plane != TDM_QUALITY_ALL)
        return sums[plane] / quality->frames;
    for (int i = 0; i < 3; i++)
        sum += sums[i] * quality->share[i];
    return sum / quality->frames;
}

double tdm_quality_psnr_db(const struct tdm_quality *quality, int plane)
{
    double mse = mean_of(quality->mse, quality, plane);

    if (quality->frames == 0)
        return 0;
    if (mse <= 0)
        return TDM_QUALITY_DB_MAX;
    return fmin(10 * log10(255.0 * 255.0 / mse), TDM_QUALITY_DB_MAX);
}

double tdm_quality_ssim(const struct tdm_quality *quality, int plane)
{
    return mean_of(quality->ssim, quality, plane);
}
