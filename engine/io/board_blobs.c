/* SPDX-License-Identifier: MIT */
#include "engine/io/board_blobs.h"

#include "engine/io/entropy.h"
#include "engine/io/file_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_ROOM (2 * TDM_SHA256_BYTES + 1)

static void name_of(const uint8_t hash[TDM_SHA256_BYTES], char name[NAME_ROOM])
{
    for (size_t i = 0; i < TDM_SHA256_BYTES; i++)
        (void)snprintf(name + 2 * i, 3, "%02x", hash[i]);
}

static bool hash_of(const char *name, uint8_t hash[TDM_SHA256_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    if (strlen(name) != NAME_ROOM - 1 || strspn(name, digits) != NAME_ROOM - 1)
        return false;
    for (size_t i = 0; i < TDM_SHA256_BYTES; i++)
        hash[i] = (uint8_t)((strchr(digits, name[2 * i]) - digits) << 4 |
                            (strchr(digits, name[2 * i + 1]) - digits));
    return true;
}

static enum tdm_err failed(struct tdm_cause *cause, const char *what, const char *folder)
{
    return tdm_fail(cause, errno == ENOSPC || errno == EDQUOT ? TDM_E_SPACE : TDM_E_SYSTEM,
                    "cannot %s an image in %.140s: %s", what, folder, strerrordesc_np(errno));
}

enum tdm_err tdm_board_blobs_init(struct tdm_board_blobs *b, const char *board,
                                  struct tdm_cause *cause)
{
    if (snprintf(b->folder, sizeof b->folder, "%s.blobs", board) < (int)sizeof b->folder)
        return TDM_OK;
    return tdm_fail(cause, TDM_E_SYSTEM, "the name of %.140s is too long", board);
}

static int open_folder(const struct tdm_board_blobs *b)
{
    return open(b->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool tdm_board_blobs_has(const struct tdm_board_blobs *b, const uint8_t hash[TDM_SHA256_BYTES])
{
    char path[sizeof b->folder + NAME_ROOM + 1], name[NAME_ROOM];
    struct stat s;

    name_of(hash, name);
    (void)snprintf(path, sizeof path, "%s/%s", b->folder, name);
    return lstat(path, &s) == 0 && S_ISREG(s.st_mode);
}

enum tdm_err tdm_board_blobs_put(const struct tdm_board_blobs *b, const void *data, size_t size,
                                 uint8_t hash[TDM_SHA256_BYTES], struct tdm_cause *cause)
{
    char name[NAME_ROOM], beside[NAME_ROOM];
    int folder, fd = -1;
    bool good;

    if (!size || size > TDM_BLOB_MAX)
        return tdm_fail(cause, TDM_E_SPACE, "an image on a board has at most %zu MB",
                        TDM_BLOB_MAX >> 20);
    tdm_sha256(data, size, hash);
    if (tdm_board_blobs_has(b, hash))
        return TDM_OK;
    if (mkdir(b->folder, 0700) != 0 && errno != EEXIST)
        return failed(cause, "keep", b->folder);
    folder = open_folder(b);
    name_of(hash, name);
    (void)snprintf(beside, sizeof beside, "%016llx.new", (unsigned long long)tdm_entropy_u64());
    if (folder >= 0)
        fd = openat(folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    good = fd >= 0 && tdm_fd_write(fd, data, size, 0) == 0 && fdatasync(fd) == 0 &&
           renameat(folder, beside, folder, name) == 0;
    enum tdm_err err = good ? TDM_OK : failed(cause, "keep", b->folder);

    if (good)
        (void)fsync(folder);
    if (fd >= 0 && !good)
        (void)unlinkat(folder, beside, 0);
    if (fd >= 0)
        (void)close(fd);
    if (folder >= 0)
        (void)close(folder);
    return err;
}

static bool read_file(int fd, uint8_t **data, size_t *size)
{
    struct stat s;

    *data = NULL;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || s.st_size <= 0 ||
        (uint64_t)s.st_size > TDM_BLOB_MAX)
        return false;
    *size = (size_t)s.st_size;
    *data = malloc(*size);
    return *data && tdm_fd_read(fd, *data, *size, 0) == 0;
}

static bool is_of(const uint8_t *data, size_t size, const uint8_t hash[TDM_SHA256_BYTES])
{
    uint8_t is[TDM_SHA256_BYTES];

    tdm_sha256(data, size, is);
    return memcmp(is, hash, sizeof is) == 0;
}

enum tdm_err tdm_board_blobs_get(const struct tdm_board_blobs *b,
                                 const uint8_t hash[TDM_SHA256_BYTES], uint8_t **data, size_t *size,
                                 struct tdm_cause *cause)
{
    char name[NAME_ROOM];
    int folder = open_folder(b);
    enum tdm_err err = TDM_OK;

    *data = NULL;
    name_of(hash, name);
    int fd = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0) {
        err = tdm_fail(cause, TDM_E_GONE, "an image of the board is not here yet");
    } else if (!read_file(fd, data, size) || !is_of(*data, *size, hash)) {
        err = tdm_fail(cause, TDM_E_MALFORMED, "an image in %.140s was spoiled and is taken away",
                       b->folder);
        (void)unlinkat(folder, name, 0);
        free(*data);
        *data = NULL;
    }
    if (fd >= 0)
        (void)close(fd);
    if (folder >= 0)
        (void)close(folder);
    return err;
}

uint32_t tdm_board_blobs_sweep(const struct tdm_board_blobs *b,
                               bool (*wanted)(void *arg, const uint8_t hash[TDM_SHA256_BYTES]),
                               void *arg)
{
    uint8_t hash[TDM_SHA256_BYTES];
    uint32_t gone = 0;
    DIR *folder = opendir(b->folder);

    if (!folder)
        return 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this stream. */
    for (struct dirent *e; (e = readdir(folder));) {
        size_t size = strlen(e->d_name);
        bool half = size > 4 && strcmp(e->d_name + size - 4, ".new") == 0;

        if (half || (hash_of(e->d_name, hash) && !wanted(arg, hash)))
            gone += unlinkat(dirfd(folder), e->d_name, 0) == 0 && !half;
    }
    (void)closedir(folder);
    return gone;
}
