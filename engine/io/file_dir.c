/* SPDX-License-Identifier: MIT */
#include "engine/io/file_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBER_MAX 9999

int tdm_dir_open(int dir, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

/* mkdirat below `dir`, its parent resolved as above. */
static int make_one(int dir, const char *path)
{
    char parent[TDM_FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mkdirat(dir, path, 0777) && errno != EEXIST ? -1 : 0;
    (void)snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    int fd = tdm_dir_open(dir, parent, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return -1;
    int failed = mkdirat(fd, slash + 1, 0777) && errno != EEXIST;
    int why = errno;

    (void)close(fd);
    errno = why;
    return failed ? -1 : 0;
}

static int make_parents(int dir, const char *path)
{
    char part[TDM_FILE_PATH_MAX];

    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        (void)snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (make_one(dir, part))
            return -1;
    }
    return 0;
}

int tdm_dir_make(int dir, const char *path)
{
    return make_parents(dir, path) || make_one(dir, path) ? -1 : 0;
}

int tdm_dir_create(int dir, const char *path)
{
    int fd = tdm_dir_open(dir, path, O_RDWR | O_CREAT, 0666);

    if (fd < 0 && errno == ENOENT && make_parents(dir, path) == 0)
        fd = tdm_dir_open(dir, path, O_RDWR | O_CREAT, 0666);
    return fd;
}

int tdm_dir_rename_free(int dir, const char *from, const char *name, char *taken, size_t room)
{
    (void)snprintf(taken, room, "%s", name);
    for (unsigned number = 2; number <= NUMBER_MAX; number++) {
        if (renameat2(dir, from, dir, taken, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EEXIST)
            return -1;
        tdm_file_name_numbered(taken, room, name, number);
    }
    return -1;
}

void tdm_dir_remove(int dir, const char *name)
{
    if (unlinkat(dir, name, 0) == 0 || (errno != EISDIR && errno != EPERM))
        return;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);

    if (!list) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this stream. */
    for (struct dirent *e = readdir(list); e; e = readdir(list))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            tdm_dir_remove(fd, e->d_name);
    (void)closedir(list);
    (void)unlinkat(dir, name, AT_REMOVEDIR);
}

int tdm_fd_read(int fd, void *data, size_t size, uint64_t offset)
{
    uint8_t *at = data;

    while (size) {
        ssize_t got = pread(fd, at, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            memset(at, 0, size);
            return 0;
        }
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

int tdm_fd_write(int fd, const void *data, size_t size, uint64_t offset)
{
    const uint8_t *at = data;

    while (size) {
        ssize_t put = pwrite(fd, at, size, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            errno = put < 0 ? errno : ENOSPC;
            return -1;
        }
        at += put;
        offset += (uint64_t)put;
        size -= (size_t)put;
    }
    return 0;
}
