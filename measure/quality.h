/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_QUALITY_H
#define TDM_MEASURE_QUALITY_H

/*
 * How far a decoded picture is from what was encoded: PSNR and SSIM of each plane and over all,
 * counted as FFmpeg's filters count them, so that the figures can be compared with everybody's.
 * Coloured text loses most in the chroma planes, which a figure of the luma alone hides.
 */

#include "engine/base/picture.h"

#include <stdint.h>

#define TDM_QUALITY_ALL    3    /* As a plane: over all three. */
#define TDM_QUALITY_DB_MAX 99.0 /* PSNR of equal pictures, which has no number. */

/** Sums over the pictures so far. Zero-init. */
struct tdm_quality {
    double mse[3];   /* Sum of each picture's mean square error. */
    double ssim[3];  /* Sum of each picture's mean SSIM. */
    double share[3]; /* Of all samples that lie in the plane. */
    uint32_t frames;
};

/** Both of the same sides, at least 16. */
void tdm_quality_add(struct tdm_quality *quality, const struct tdm_picture *source,
                     const struct tdm_picture *decoded);

/** Of the mean error of all pictures; 0 when there were none. `plane` 0-2 or TDM_QUALITY_ALL. */
double tdm_quality_psnr_db(const struct tdm_quality *quality, int plane);

/** The mean of all pictures. */
double tdm_quality_ssim(const struct tdm_quality *quality, int plane);

/** One plane of two pictures. */
struct tdm_plane_pair {
    const uint8_t *a, *b;
    int a_stride, b_stride, width, height;
};

/** Sum of the squared differences. */
uint64_t tdm_plane_square_error(const struct tdm_plane_pair *pair);

/** Mean structural similarity (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13/4, 2004) of windows of
 *  8x8 samples, one each 4 samples, all weights equal. Sides of at least 8. */
double tdm_plane_ssim(const struct tdm_plane_pair *pair);

#endif
