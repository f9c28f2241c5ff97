/* SPDX-License-Identifier: MIT */
/* Files on a clipboard: names that come are safe, contents stay inside, paths read back. */
#include "collab/clip_files.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[TDM_CLIP_FILE_PATH_MAX], back[TDM_CLIP_FILE_PATH_MAX], line[4096];
    struct tdm_clip_file file;
    size_t at = 0;

    while (tdm_clip_files_next(data, size, &at, &file) == TDM_OK) {
        assert(at <= size && file.data >= data && file.data + file.size <= data + size);
        assert(file.name[0] && file.name[0] != '.' && !strchr(file.name, '/'));
    }
    at = 0;
    while (tdm_clip_files_next_path(data, size, &at, path)) {
        size_t from = 0, length = tdm_clip_files_write_uri(path, line, sizeof line);

        assert(path[0] == '/' && strlen(path) < TDM_CLIP_FILE_PATH_MAX && length > 0);
        assert(tdm_clip_files_next_path((uint8_t *)line, length, &from, back));
        assert(strcmp(path, back) == 0);
    }
    return 0;
}
