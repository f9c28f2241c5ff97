/* SPDX-License-Identifier: MIT */
#include "collab/clip_files.h"

#include "engine/base/bytes.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_BYTES_MAX 255

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* "file:///a%20b" or "file://localhost/a%20b", of this machine. */
static bool path_of(const uint8_t *uri, size_t size, char path[TDM_CLIP_FILE_PATH_MAX])
{
    static const char *const starts[] = {"file:///", "file://localhost/", "file:/"};
    size_t begin = 0, used = 0;

    for (size_t i = 0; i < sizeof starts / sizeof *starts && !begin; i++)
        if (size >= strlen(starts[i]) &&
            strncasecmp((const char *)uri, starts[i], strlen(starts[i])) == 0)
            begin = strlen(starts[i]) - 1;
    if (!begin || (begin == 5 && size > 6 && uri[6] == '/'))
        return false;
    for (size_t i = begin; i < size; i++) {
        int high = uri[i] == '%' && i + 2 < size ? hex(uri[i + 1]) : -1;
        int low = high >= 0 ? hex(uri[i + 2]) : -1;
        uint8_t c = uri[i];

        if (c == '%' && low < 0)
            return false;
        if (c == '%') {
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c == 0 || used + 1 >= TDM_CLIP_FILE_PATH_MAX)
            return false;
        path[used++] = (char)c;
    }
    path[used] = 0;
    return used > 1;
}

bool tdm_clip_files_next_path(const uint8_t *list, size_t size, size_t *at,
                              char path[TDM_CLIP_FILE_PATH_MAX])
{
    while (*at < size) {
        const uint8_t *line = list + *at;
        const uint8_t *end = memchr(line, '\n', size - *at);
        size_t length = end ? (size_t)(end - line) : size - *at;

        *at += length + (end != NULL);
        while (length && (line[length - 1] == '\r' || line[length - 1] == 0))
            length--;
        if (path_of(line, length, path))
            return true;
    }
    return false;
}

size_t tdm_clip_files_write_uri(const char *path, char *to, size_t room)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    size_t used = strlen("file://");

    if (room < used)
        return 0;
    memcpy(to, "file://", used);
    for (; *path; path++) {
        bool as_is = strchr(plain, *path) != NULL;

        if (room - used < 4)
            return 0;
        if (as_is)
            to[used++] = *path;
        else
            used += (size_t)snprintf(to + used, room - used, "%%%02X", (unsigned char)*path);
    }
    if (room - used < 2)
        return 0;
    memcpy(to + used, "\r\n", 2);
    return used + 2;
}

size_t tdm_clip_files_write_head(const char *name, uint32_t size, uint8_t head[TDM_CLIP_FILES_HEAD])
{
    struct tdm_writer w = tdm_writer_of(head, TDM_CLIP_FILES_HEAD);
    size_t length = strnlen(name, NAME_BYTES_MAX);

    tdm_write_u8(&w, (uint8_t)length);
    tdm_write_bytes(&w, name, length);
    tdm_write_u32(&w, size);
    assert(w.ok);
    return tdm_writer_size(&w);
}

enum tdm_err tdm_clip_files_next(const uint8_t *content, size_t size, size_t *at,
                                 struct tdm_clip_file *file)
{
    struct tdm_reader r = tdm_reader_of(content + *at, size - *at);

    if (!tdm_reader_left(&r))
        return TDM_E_AGAIN;
    uint8_t length = tdm_read_u8(&r);
    const uint8_t *name = tdm_read_bytes(&r, length);

    file->size = tdm_read_u32(&r);
    file->data = tdm_read_bytes(&r, r.ok ? file->size : 0);
    if (!r.ok || !length)
        return TDM_E_MALFORMED;
    (void)tdm_file_name_clean(file->name, (const char *)name, length);
    *at = size - tdm_reader_left(&r);
    return TDM_OK;
}
