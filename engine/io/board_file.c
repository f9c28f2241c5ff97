/* SPDX-License-Identifier: MIT */
#include "engine/io/board_file.h"

#include "engine/base/digest.h"
#include "engine/io/clock.h"
#include "engine/io/file_dir.h"
#include "engine/io/late_sync.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define JOURNAL_MAX ((size_t)4 << 30)
#define PATH_ROOM   480

struct tdm_board_file {
    char path[PATH_ROOM];
    int fd;
    bool read_only, made;
    bool drop; /* At the end, when nothing was appended. */
    struct tdm_journal_head head;
    uint64_t size;
    uint8_t *there; /* What was there at the opening. */
    size_t there_size;
    struct tdm_late_sync *late; /* NULL: read only. */
};

int64_t tdm_board_file_wall_ms(void)
{
    return (tdm_clock_now() + tdm_clock_wall_offset()) / TDM_MS;
}

static enum tdm_err failed(struct tdm_cause *cause, const char *what, const char *path)
{
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    bool denied = errno == EACCES || errno == EPERM || errno == EROFS;

    if (full)
        return tdm_fail(cause, TDM_E_SPACE,
                        "the disk of %.140s is full: nothing is lost as long as this runs; make "
                        "room and it goes on",
                        path);
    return tdm_fail(cause,
                    errno == ENOENT ? TDM_E_GONE
                    : denied        ? TDM_E_DENIED
                                    : TDM_E_SYSTEM,
                    "cannot %s %.140s: %s", what, path, strerrordesc_np(errno));
}

/* A file's entry in its folder is on the disk only when that is. */
static void sync_folder(const char *path)
{
    char folder[PATH_ROOM];
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

/* --- Opening ---------------------------------------------------------------------------------- */

/* Whether the path still names the file that is open: a compaction may have put another there. */
static bool still_there(int fd, const char *path)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

static enum tdm_err open_locked(struct tdm_board_file *f, bool create, struct tdm_cause *cause)
{
    for (int attempt = 0; attempt < 8; attempt++) {
        f->fd = create ? open(f->path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0600) : -1;
        f->made = f->fd >= 0;
        if (f->fd < 0)
            f->fd = open(f->path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
        if (f->fd < 0)
            return failed(cause, "open", f->path);
        if (flock(f->fd, LOCK_EX | LOCK_NB) != 0)
            return errno == EWOULDBLOCK
                       ? tdm_fail(cause, TDM_E_DENIED,
                                  "%.140s is open in another Tandem: draw there, or close it",
                                  f->path)
                       : failed(cause, "lock", f->path);
        if (still_there(f->fd, f->path))
            return TDM_OK;
        (void)close(f->fd);
        f->fd = -1;
    }
    return tdm_fail(cause, TDM_E_SYSTEM, "%.140s is replaced all the time", f->path);
}

static enum tdm_err read_all(struct tdm_board_file *f, struct tdm_cause *cause)
{
    struct stat s;

    if (fstat(f->fd, &s) != 0)
        return failed(cause, "look at", f->path);
    if (!S_ISREG(s.st_mode))
        return tdm_fail(cause, TDM_E_MALFORMED, "%.140s is no file", f->path);
    if ((uint64_t)s.st_size > JOURNAL_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED, "%.140s is too large for a board", f->path);
    f->size = f->there_size = (size_t)s.st_size;
    f->there = malloc(f->there_size ? f->there_size : 1);
    if (!f->there)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for %.140s", f->path);
    if (f->there_size && tdm_fd_read(f->fd, f->there, f->there_size, 0) != 0)
        return failed(cause, "read", f->path);
    return TDM_OK;
}

static enum tdm_err write_head(struct tdm_board_file *f, int fd, struct tdm_cause *cause)
{
    uint8_t bytes[TDM_JOURNAL_HEAD_BYTES];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

    tdm_journal_head_write(&w, &f->head);
    assert(w.ok);
    if (tdm_fd_write(fd, bytes, sizeof bytes, 0) != 0 || fdatasync(fd) != 0)
        return failed(cause, "write", f->path);
    return TDM_OK;
}

/* A file that is shorter than a head, and begins as one, is a birth that was interrupted. */
static bool never_born(const struct tdm_board_file *f)
{
    uint8_t bytes[TDM_JOURNAL_HEAD_BYTES];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
    struct tdm_journal_head any = {.begun_ms = 0};

    tdm_journal_head_write(&w, &any);
    return f->there_size < sizeof bytes &&
           memcmp(f->there, bytes, f->there_size < 8 ? f->there_size : 8) == 0;
}

static enum tdm_err know(struct tdm_board_file *f, const struct tdm_board_file_config *c,
                         struct tdm_cause *cause)
{
    enum tdm_err err;

    if (c->create && !c->read_only && never_born(f)) {
        f->head = c->head;
        err = write_head(f, f->fd, cause);
        if (err == TDM_OK)
            sync_folder(f->path);
        f->size = TDM_JOURNAL_HEAD_BYTES;
        f->drop = c->drop && f->made && err == TDM_OK;
        free(f->there);
        f->there = NULL;
        f->there_size = 0;
        return err;
    }
    err = tdm_journal_head_parse(&f->head, f->there, f->there_size);
    if (err == TDM_E_UNSUPPORTED)
        return tdm_fail(cause, err, "%.140s was made by a newer Tandem: open it with that",
                        f->path);
    if (err != TDM_OK)
        return tdm_fail(cause, err, "%.140s is no board, or nothing of it is left", f->path);
    return TDM_OK;
}

enum tdm_err tdm_board_file_open(struct tdm_board_file **file,
                                 const struct tdm_board_file_config *c, struct tdm_cause *cause)
{
    struct tdm_board_file *f = calloc(1, sizeof *f);
    enum tdm_err err = TDM_OK;

    if (!f)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for a board");
    f->fd = -1;
    f->read_only = c->read_only;
    if (snprintf(f->path, sizeof f->path, "%s", c->path) + 16 > PATH_ROOM) {
        err = tdm_fail(cause, TDM_E_SYSTEM, "the name of %.140s is too long", c->path);
    } else if (c->read_only) {
        f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (f->fd < 0)
            err = failed(cause, "open", f->path);
    } else {
        err = open_locked(f, c->create, cause);
    }
    if (err == TDM_OK)
        err = read_all(f, cause);
    if (err == TDM_OK)
        err = know(f, c, cause);
    if (err == TDM_OK && !c->read_only)
        err = tdm_late_sync_start(&f->late, f->fd, cause);
    if (err != TDM_OK) {
        tdm_board_file_close(f);
        return err;
    }
    *file = f;
    return TDM_OK;
}

void tdm_board_file_close(struct tdm_board_file *f)
{
    if (!f)
        return;
    tdm_late_sync_stop(f->late);
    /* What was begun and never drawn on. */
    if (f->drop && f->size == TDM_JOURNAL_HEAD_BYTES && still_there(f->fd, f->path))
        (void)unlink(f->path);
    if (f->fd >= 0 && f->late)
        (void)fdatasync(f->fd);
    if (f->fd >= 0)
        (void)close(f->fd);
    free(f->there);
    free(f);
}

/* --- Reading ---------------------------------------------------------------------------------- */

struct tdm_journal_scan tdm_board_file_scan(const struct tdm_board_file *f)
{
    struct tdm_journal_scan scan = {.good_size = TDM_JOURNAL_HEAD_BYTES};
    struct tdm_journal_head head;

    if (f->there && tdm_journal_scan_init(&scan, &head, f->there, f->there_size) != TDM_OK)
        assert(false); /* It was whole when it was opened. */
    return scan;
}

void tdm_board_file_forget(struct tdm_board_file *f)
{
    free(f->there);
    f->there = NULL;
    f->there_size = 0;
}

const struct tdm_journal_head *tdm_board_file_head(const struct tdm_board_file *f)
{
    return &f->head;
}

const char *tdm_board_file_path(const struct tdm_board_file *f)
{
    return f->path;
}

uint64_t tdm_board_file_size(const struct tdm_board_file *f)
{
    return f->size;
}

uint64_t tdm_board_file_place(const struct tdm_board_file *f)
{
    uint8_t digest[TDM_SHA256_BYTES];
    struct statx s = {.stx_ino = 0};
    uint64_t of[5];

    if (statx(f->fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &s) != 0)
        return 0;
    of[0] = s.stx_dev_major;
    of[1] = s.stx_dev_minor;
    of[2] = s.stx_ino;
    of[3] = s.stx_mask & STATX_BTIME ? (uint64_t)s.stx_btime.tv_sec : 0;
    of[4] = s.stx_mask & STATX_BTIME ? s.stx_btime.tv_nsec : 0;
    tdm_sha256(of, sizeof of, digest);
    memcpy(of, digest, sizeof of[0]);
    return of[0];
}

/* --- Writing ---------------------------------------------------------------------------------- */

enum tdm_err tdm_board_file_cut(struct tdm_board_file *f, size_t good_size, struct tdm_cause *cause)
{
    assert(!f->read_only && good_size >= TDM_JOURNAL_HEAD_BYTES && good_size <= f->size);
    if (ftruncate(f->fd, (off_t)good_size) != 0)
        return failed(cause, "mend", f->path);
    f->size = good_size;
    return TDM_OK;
}

/* In one call where the kernel takes it in one; how many bytes were written before an error. */
static bool write_record(int fd, const struct tdm_journal_record *record, uint64_t offset)
{
    uint8_t head[TDM_JOURNAL_RECORD_HEAD_BYTES];
    struct iovec parts[2] = {{head, sizeof head}, {(void *)(uintptr_t)record->data, record->size}};
    ssize_t put;

    tdm_journal_record_head(head, record);
    do
        put = pwritev(fd, parts, 2, (off_t)offset);
    while (put < 0 && errno == EINTR);
    if (put < 0)
        return false;
    size_t done = (size_t)put, in_data = done < sizeof head ? 0 : done - sizeof head;

    if (done < sizeof head && tdm_fd_write(fd, head + done, sizeof head - done, offset + done) != 0)
        return false;
    return tdm_fd_write(fd, record->size ? record->data + in_data : head, record->size - in_data,
                        offset + sizeof head + in_data) == 0;
}

enum tdm_err tdm_board_file_append(struct tdm_board_file *f,
                                   const struct tdm_journal_record *record, struct tdm_cause *cause)
{
    assert(!f->read_only);
    if (!write_record(f->fd, record, f->size)) {
        enum tdm_err err = failed(cause, "write", f->path);

        /* A half record would hide nothing, but the next one goes to the same place anyway. */
        (void)!ftruncate(f->fd, (off_t)f->size);
        return err;
    }
    f->size += TDM_JOURNAL_RECORD_HEAD_BYTES + record->size;
    tdm_late_sync_dirty(f->late);
    return TDM_OK;
}

enum tdm_err tdm_board_file_state(struct tdm_board_file *f, struct tdm_cause *cause)
{
    errno = f->late ? tdm_late_sync_error(f->late) : 0;
    return errno ? failed(cause, "bring to the disk", f->path) : TDM_OK;
}

enum tdm_err tdm_board_file_sync(struct tdm_board_file *f, struct tdm_cause *cause)
{
    if (!f->read_only && fdatasync(f->fd) != 0)
        return failed(cause, "bring to the disk", f->path);
    return tdm_board_file_state(f, cause);
}

/* The new journal at `path`, on the disk and locked; -1 with a cause and nothing there. */
static int write_new(struct tdm_board_file *f, const char *path,
                     const struct tdm_journal_record *records, size_t count, uint64_t *size,
                     enum tdm_err *err, struct tdm_cause *cause)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0) {
        *err = failed(cause, "make", path);
        return -1;
    }
    *err =
        flock(fd, LOCK_EX | LOCK_NB) == 0 ? write_head(f, fd, cause) : failed(cause, "lock", path);
    *size = TDM_JOURNAL_HEAD_BYTES;
    for (size_t i = 0; *err == TDM_OK && i < count; i++) {
        if (!write_record(fd, &records[i], *size))
            *err = failed(cause, "write", path);
        *size += TDM_JOURNAL_RECORD_HEAD_BYTES + records[i].size;
    }
    if (*err == TDM_OK && fdatasync(fd) != 0)
        *err = failed(cause, "bring to the disk", path);
    if (*err == TDM_OK)
        return fd;
    (void)unlink(path);
    (void)close(fd);
    return -1;
}

enum tdm_err tdm_board_file_keep(struct tdm_board_file *f, struct tdm_cause *cause)
{
    char other[PATH_ROOM];

    (void)snprintf(other, sizeof other, "%.464s.damaged", f->path);
    if (link(f->path, other) == 0)
        return TDM_OK;
    return errno == EEXIST ? tdm_fail(cause, TDM_E_DENIED,
                                      "%.140s keeps an earlier one: put it elsewhere first", other)
                           : failed(cause, "keep a copy of", f->path);
}

enum tdm_err tdm_board_file_replace(struct tdm_board_file *f,
                                    const struct tdm_journal_record *records, size_t count,
                                    struct tdm_cause *cause)
{
    char path[PATH_ROOM];
    enum tdm_err err;
    uint64_t size = 0;

    assert(!f->read_only);
    (void)snprintf(path, sizeof path, "%.470s.new", f->path);
    int fd = write_new(f, path, records, count, &size, &err, cause);

    if (fd < 0)
        return err;
    if (rename(path, f->path) != 0) {
        err = failed(cause, "replace", f->path);
        (void)unlink(path);
        (void)close(fd);
        return err;
    }
    sync_folder(f->path);
    tdm_late_sync_switch(f->late, fd);
    (void)close(f->fd);
    f->fd = fd;
    f->size = size;
    return TDM_OK;
}
