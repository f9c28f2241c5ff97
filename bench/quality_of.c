/* SPDX-License-Identifier: MIT */
/*
 * How far one raw clip is from another, as the codec bench counts it:
 *
 *     quality_of A.i420 B.i420 WIDTH HEIGHT
 *
 * prints PSNR and SSIM of the planes and over all as JSON. tests/interop/quality.sh compares it
 * with FFmpeg's filters.
 */
#include "measure/quality.h"

#include <stdio.h>
#include <stdlib.h>

static int side(const char *text)
{
    long value = strtol(text, NULL, 10);

    return value >= 16 && value <= TDM_PICTURE_SIDE_MAX && value % 2 == 0 ? (int)value : 0;
}

static void report(const struct tdm_quality *quality, const char *name,
                   double (*figure)(const struct tdm_quality *, int))
{
    printf("  \"%s\": {\"y\": %.6f, \"u\": %.6f, \"v\": %.6f, \"all\": %.6f},\n", name,
           figure(quality, 0), figure(quality, 1), figure(quality, 2),
           figure(quality, TDM_QUALITY_ALL));
}

int main(int argc, char **argv)
{
    struct tdm_quality quality = {0};
    struct tdm_picture pictures[2];
    int width = argc == 5 ? side(argv[3]) : 0, height = argc == 5 ? side(argv[4]) : 0;

    if (!width || !height) {
        fprintf(stderr, "usage: %s A.i420 B.i420 WIDTH HEIGHT\n", argv[0]);
        return 2;
    }
    size_t bytes = tdm_picture_bytes(width, height);
    uint8_t *storage = malloc(2 * bytes);
    FILE *a = fopen(argv[1], "rb"), *b = fopen(argv[2], "rb");

    if (!storage || !a || !b) {
        fprintf(stderr, "cannot read %s and %s\n", argv[1], argv[2]);
        free(storage);
        return 1;
    }
    tdm_picture_over(&pictures[0], storage, width, height);
    tdm_picture_over(&pictures[1], storage + bytes, width, height);
    while (fread(storage, bytes, 1, a) == 1 && fread(storage + bytes, bytes, 1, b) == 1)
        tdm_quality_add(&quality, &pictures[0], &pictures[1]);
    printf("{\n");
    report(&quality, "psnr_db", tdm_quality_psnr_db);
    report(&quality, "ssim", tdm_quality_ssim);
    printf("  \"frames\": %u\n}\n", quality.frames);
    (void)fclose(a);
    (void)fclose(b);
    free(storage);
    return quality.frames > 0 ? 0 : 1;
}
