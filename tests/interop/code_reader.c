/* SPDX-License-Identifier: MIT */

/*
 * Reads grey pictures from stdin and looks for the time code in each (engine/base/time_code.h):
 * code_reader WIDTHxHEIGHT LEAST. Status 0 when at least LEAST pictures carried a readable code
 * later than the one before. It is how a test knows that a decoded picture is the one that was
 * sent, and not only that packets came.
 */

#include "engine/base/picture.h"
#include "engine/base/time_code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    int width = 0, height = 0;
    char *end = NULL;

    if (argc == 3) {
        width = (int)strtol(argv[1], &end, 10);
        height = *end == 'x' ? (int)strtol(end + 1, &end, 10) : 0;
    }
    if (width < 2 || height < 2 || width % 2 || height % 2 || width > TDM_PICTURE_SIDE_MAX ||
        height > TDM_PICTURE_SIDE_MAX) {
        fprintf(stderr, "code_reader WIDTHxHEIGHT LEAST < grey pictures\n");
        return 2;
    }
    long least = strtol(argv[2], NULL, 10);
    size_t luma_bytes = (size_t)width * (size_t)height;
    uint8_t *storage = malloc(tdm_picture_bytes(width, height));
    if (!storage)
        return 2;
    memset(storage, 128, tdm_picture_bytes(width, height));
    struct tdm_picture picture = {0};
    tdm_picture_over(&picture, storage, width, height);

    long pictures = 0, readable = 0, rising = 0;
    tdm_time last = 0, first = 0;
    while (fread(picture.planes[0], 1, luma_bytes, stdin) == luma_bytes) {
        tdm_time code = 0;
        pictures++;
        if (!tdm_time_code_read(&picture, &code))
            continue;
        readable++;
        rising += code > last;
        first = first ? first : code;
        last = code;
    }
    printf("{\"pictures\": %ld, \"readable\": %ld, \"rising\": %ld, \"span_s\": %.2f}\n", pictures,
           readable, rising, (double)(last - first) / (double)TDM_S);
    free(storage);
    return rising >= least ? 0 : 1;
}
