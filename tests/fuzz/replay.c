/* SPDX-License-Identifier: MIT */
/*
 * Replays a corpus folder through a fuzz target without libFuzzer: every file as it is, then a
 * bounded number of seeded mutations of each, so that the ordinary test run also walks a little
 * further. A crash or a sanitizer report is the failure; an empty folder fails too.
 */

#include "engine/base/rng.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_BYTES_MAX 65536
/* A sanitizer finds in a few what a plain run needs many for, and each takes it long. */
#ifdef __SANITIZE_ADDRESS__
#define MUTATIONS_PER_FILE 50
#else
#define MUTATIONS_PER_FILE 200
#endif

static size_t mutate(uint8_t *data, size_t size, struct tdm_rng *rng)
{
    uint32_t edits = 1 + tdm_rng_below(rng, 4);

    for (uint32_t i = 0; i < edits && size; i++) {
        size_t at = tdm_rng_below(rng, (uint32_t)size);

        switch (tdm_rng_below(rng, 4)) {
        case 0:
            data[at] ^= (uint8_t)(1u << tdm_rng_below(rng, 8));
            break;
        case 1:
            data[at] = (uint8_t)tdm_rng_u32(rng);
            break;
        case 2:
            size = at;
            break;
        default:
            data[at] = tdm_rng_below(rng, 2) ? 0xff : 0;
        }
    }
    return size;
}

/* The input lives in a heap block of its exact size, so that ASan sees the first byte over. */
static void run_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void replay_file(const char *path)
{
    static uint8_t bytes[FILE_BYTES_MAX], work[FILE_BYTES_MAX];
    struct tdm_rng rng = tdm_rng_of(1);
    FILE *file = fopen(path, "rb");

    if (!file) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(1);
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);

    (void)fclose(file);
    run_one(bytes, size);
    for (int i = 0; i < MUTATIONS_PER_FILE; i++) {
        memcpy(work, bytes, size);
        run_one(work, mutate(work, size, &rng));
    }
}

int main(int argc, char **argv)
{
    int count = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;

    if (!folder) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[4096];

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        replay_file(path);
        count++;
    }
    (void)closedir(folder);
    printf("%d corpus files, each with %d mutations\n", count, MUTATIONS_PER_FILE);
    return count ? 0 : 1;
}
