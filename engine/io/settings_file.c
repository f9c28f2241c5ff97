/* SPDX-License-Identifier: MIT */
#include "engine/io/settings_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum tdm_err failed(struct tdm_cause *cause, const char *what, const char *path)
{
    return tdm_fail(cause, TDM_E_SYSTEM, "cannot %s %.140s (%s): check the folder and its rights",
                    what, path, strerrordesc_np(errno));
}

struct tdm_settings_stamp tdm_settings_look(const char *path)
{
    struct stat s;

    if (stat(path, &s) != 0)
        return (struct tdm_settings_stamp){.size = -1};
    return (struct tdm_settings_stamp){.changed_ns = (int64_t)s.st_mtim.tv_sec * 1000000000 +
                                                     s.st_mtim.tv_nsec,
                                       .inode = s.st_ino,
                                       .size = s.st_size};
}

bool tdm_settings_same(const struct tdm_settings_stamp *a, const struct tdm_settings_stamp *b)
{
    return a->changed_ns == b->changed_ns && a->inode == b->inode && a->size == b->size;
}

static bool read_all(int fd, char *text, size_t capacity, size_t *size)
{
    *size = 0;
    for (;;) {
        ssize_t got = read(fd, text + *size, capacity - *size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        *size += (size_t)got;
        if (*size == capacity) {
            errno = EFBIG;
            return false;
        }
    }
}

enum tdm_err tdm_settings_read(const char *path, char **text, size_t *size,
                               struct tdm_settings_stamp *stamp, struct tdm_cause *cause)
{
    /* First: who changes it behind this look is seen by the next one. */
    struct tdm_settings_stamp seen = tdm_settings_look(path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t capacity = seen.size > 0 ? (size_t)seen.size + 4096 : 4096;
    bool good;

    if (fd < 0 && errno != ENOENT)
        return failed(cause, "read", path);
    if (capacity > TDM_SETTINGS_MAX) {
        (void)close(fd);
        return tdm_fail(cause, TDM_E_SYSTEM, "%.140s is too large for what it should be", path);
    }
    *text = malloc(capacity + 1);
    *size = 0;
    if (!*text) {
        if (fd >= 0)
            (void)close(fd);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for %.140s", path);
    }
    good = fd < 0 || read_all(fd, *text, capacity, size);
    if (fd >= 0)
        (void)close(fd);
    if (!good) {
        free(*text);
        *text = NULL;
        return failed(cause, "read", path);
    }
    (*text)[*size] = '\0';
    if (stamp)
        *stamp = seen;
    return TDM_OK;
}

static enum tdm_err lock(struct tdm_settings_edit *edit, struct tdm_cause *cause)
{
    char name[sizeof edit->path + 8];

    (void)snprintf(name, sizeof name, "%s.lock", edit->path);
    edit->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (edit->lock < 0)
        return failed(cause, "make", name);
    while (flock(edit->lock, LOCK_EX) != 0)
        if (errno != EINTR)
            return failed(cause, "lock", name);
    return TDM_OK;
}

enum tdm_err tdm_settings_begin(struct tdm_settings_edit *edit, const char *path,
                                struct tdm_cause *cause)
{
    char real[PATH_MAX];
    /* A file that is a link elsewhere stays one. */
    const char *target = realpath(path, real) ? real : path;
    enum tdm_err err;

    *edit = (struct tdm_settings_edit){.lock = -1};
    if (strlen(target) + sizeof ".lock" > sizeof edit->path)
        return tdm_fail(cause, TDM_E_SYSTEM, "the name of %.140s is too long", path);
    (void)snprintf(edit->path, sizeof edit->path, "%s", target);
    err = lock(edit, cause);
    if (err == TDM_OK)
        err = tdm_settings_read(edit->path, &edit->text, &edit->size, &edit->stamp, cause);
    if (err != TDM_OK)
        tdm_settings_abandon(edit);
    return err;
}

void tdm_settings_abandon(struct tdm_settings_edit *edit)
{
    free(edit->text);
    edit->text = NULL;
    if (edit->lock >= 0)
        (void)close(edit->lock);
    edit->lock = -1;
}

static bool write_all(int fd, const char *text, size_t size)
{
    while (size) {
        ssize_t written = write(fd, text, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text += written;
        size -= (size_t)written;
    }
    return true;
}

/* The folder's entry too: a rename that is not on the disk is none after a loss of power. */
static void sync_folder(const char *path)
{
    char folder[sizeof((struct tdm_settings_edit *)0)->path];
    char *slash;
    int fd;

    (void)snprintf(folder, sizeof folder, "%s", path);
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

static mode_t mode_of(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 ? s.st_mode & 0777 : 0600;
}

/* The new text beside the old one, on the disk. */
static bool write_beside(const char *path, const char *beside, const char *text, size_t size)
{
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good =
        fd >= 0 && fchmod(fd, mode_of(path)) == 0 && write_all(fd, text, size) && fsync(fd) == 0;

    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good;
}

enum tdm_err tdm_settings_commit(struct tdm_settings_edit *edit, const char *text, size_t size,
                                 struct tdm_cause *cause)
{
    char beside[sizeof edit->path + 8];
    enum tdm_err err = TDM_OK;

    (void)snprintf(beside, sizeof beside, "%s.new", edit->path);
    if (!write_beside(edit->path, beside, text, size)) {
        err = failed(cause, "write", beside);
    } else {
        struct tdm_settings_stamp now = tdm_settings_look(edit->path);

        if (!tdm_settings_same(&now, &edit->stamp))
            err = tdm_fail(cause, TDM_E_AGAIN, "%.140s was changed at the same time", edit->path);
        else if (rename(beside, edit->path) != 0)
            err = failed(cause, "replace", edit->path);
        else
            sync_folder(edit->path);
    }
    if (err != TDM_OK)
        (void)unlink(beside);
    tdm_settings_abandon(edit);
    return err;
}
