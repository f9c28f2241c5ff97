/* SPDX-License-Identifier: MIT */
#include "engine/share_clip_files.h"

#include "collab/clip_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (256u << 10)

static enum tdm_err no_memory(struct tdm_cause *cause)
{
    return tdm_fail(cause, TDM_E_SYSTEM, "no memory for files on the clipboard");
}

/* Exactly `size` bytes; a file that shrank meanwhile ends in zeros. */
static bool read_file(int fd, size_t size, struct tdm_share_bytes *to)
{
    uint8_t *room = malloc(CHUNK);
    bool fits = room != NULL;

    while (size && fits) {
        size_t piece = size < CHUNK ? size : CHUNK;
        ssize_t got = read(fd, room, piece);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            memset(room, 0, piece);
        else
            piece = (size_t)got;
        fits = tdm_share_bytes_put(to, room, piece);
        size -= piece;
    }
    free(room);
    return fits;
}

enum tdm_err tdm_clip_files_collect(const uint8_t *list, size_t size, uint32_t bytes_max,
                                    struct tdm_share_bytes *to, struct tdm_cause *cause)
{
    char path[TDM_CLIP_FILE_PATH_MAX];
    uint8_t head[TDM_CLIP_FILES_HEAD];
    size_t at = 0;
    int count = 0;

    tdm_share_bytes_clear(to);
    while (count < TDM_CLIP_FILES_MAX && tdm_clip_files_next_path(list, size, &at, path)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat s;
        bool plain = fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode);

        if (plain && (uint64_t)s.st_size + sizeof head + tdm_share_bytes_size(to) > bytes_max) {
            (void)close(fd);
            return tdm_fail(cause, TDM_E_SPACE,
                            "the files on the clipboard are more than %u MiB: send them with "
                            "`tandem send`",
                            bytes_max >> 20);
        }
        if (plain) {
            const char *slash = strrchr(path, '/');
            size_t used = tdm_clip_files_write_head(slash + 1, (uint32_t)s.st_size, head);

            plain = tdm_share_bytes_put(to, head, used) && read_file(fd, (size_t)s.st_size, to);
            count += plain;
            if (!plain) {
                (void)close(fd);
                return no_memory(cause);
            }
        }
        if (fd >= 0)
            (void)close(fd);
    }
    return count ? TDM_OK
                 : tdm_fail(cause, TDM_E_GONE,
                            "no file on the clipboard can be read; folders go with `tandem send`");
}

/* What stands in the folder, without following anything out of it. */
static void empty(int folder)
{
    DIR *dir = fdopendir(dup(folder));
    const struct dirent *entry;

    /* Its only user is this thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    while (dir && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(folder, entry->d_name, 0);
    if (dir)
        (void)closedir(dir);
}

void tdm_clip_folder_remove(struct tdm_clip_folder *f)
{
    int folder = f->path[0] ? open(f->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

    if (folder >= 0) {
        empty(folder);
        (void)close(folder);
        (void)rmdir(f->path);
    }
    f->path[0] = 0;
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size) {
        ssize_t wrote = write(fd, data, size);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        data += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

/* Under its own name, or the next that is free. Never to be started: it has no right for that. */
static bool write_file(int folder, const struct tdm_clip_file *file, char *name, size_t room)
{
    int fd = -1;

    (void)snprintf(name, room, "%s", file->name);
    for (unsigned number = 2; fd < 0 && number < 2 + TDM_CLIP_FILES_MAX; number++) {
        fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST)
            tdm_file_name_numbered(name, room, file->name, number);
        else if (fd < 0)
            break;
    }
    bool whole = fd >= 0 && write_all(fd, file->data, file->size);

    return fd >= 0 && close(fd) == 0 && whole;
}

static enum tdm_err write_files(const struct tdm_clip_folder *f, int folder, const uint8_t *content,
                                size_t size, struct tdm_share_bytes *list, struct tdm_cause *cause)
{
    char name[TDM_FILE_NAME_MAX + 8], path[sizeof f->path + sizeof name], line[3 * sizeof path];
    struct tdm_clip_file file;
    size_t at = 0;
    enum tdm_err err = TDM_OK;

    for (int count = 0; count < TDM_CLIP_FILES_MAX; count++) {
        err = tdm_clip_files_next(content, size, &at, &file);
        if (err != TDM_OK)
            break;
        if (!write_file(folder, &file, name, sizeof name))
            return tdm_fail(cause, TDM_E_SYSTEM,
                            "files of the clipboard cannot be written to %s: make room there",
                            f->path);
        (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
        size_t used = tdm_clip_files_write_uri(path, line, sizeof line);

        if (!tdm_share_bytes_put(list, (const uint8_t *)line, used))
            return no_memory(cause);
    }
    return err == TDM_E_MALFORMED
               ? tdm_fail(cause, err, "the other side's files on the clipboard are malformed")
               : TDM_OK;
}

enum tdm_err tdm_clip_files_keep(struct tdm_clip_folder *f, const uint8_t *content, size_t size,
                                 struct tdm_share_bytes *list, struct tdm_cause *cause)
{
    tdm_share_bytes_clear(list);
    if (!f->path[0]) {
        (void)snprintf(f->path, sizeof f->path, "/tmp/tandem-clipboard-XXXXXX");
        if (!mkdtemp(f->path)) {
            f->path[0] = 0;
            return tdm_fail(cause, TDM_E_SYSTEM, "no folder for the clipboard's files in /tmp");
        }
    }
    int folder = open(f->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder < 0)
        return tdm_fail(cause, TDM_E_SYSTEM, "the clipboard's folder %s is gone", f->path);
    empty(folder);
    enum tdm_err err = write_files(f, folder, content, size, list, cause);

    if (err != TDM_OK)
        empty(folder);
    (void)close(folder);
    return err;
}
