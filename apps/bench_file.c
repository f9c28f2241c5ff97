/* SPDX-License-Identifier: MIT */
#include "apps/bench_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESERVED_BYTES (4 << 20) /* A default run leaves one to two million. */
#define READ_MAX       (64 << 20)

static bool complain(const char *path, int error)
{
    fprintf(stderr,
            "tandem bench: cannot write %.300s (%s): name a file in a folder that is there "
            "and yours, with some room\n",
            path, strerrordesc_np(error));
    return false;
}

/* A device or a pipe is asked by writing a line end, which JSON and HTML may begin with. */
static bool open_in_place(struct bench_file *f)
{
    f->part[0] = 0;
    f->file = fopen(f->path, "w");
    if (!f->file || fputc('\n', f->file) == EOF || fflush(f->file) != 0)
        return complain(f->path, errno);
    return true;
}

bool bench_file_open(struct bench_file *f, const char *path)
{
    struct stat there;
    int error = 0;

    *f = (struct bench_file){.path = NULL};
    if (!path || strcmp(path, "-") == 0)
        return true;
    f->path = path;
    if (stat(path, &there) == 0 && S_ISDIR(there.st_mode))
        return complain(path, EISDIR);
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return open_in_place(f);
    if (snprintf(f->part, sizeof f->part, "%s.part", path) >= (int)sizeof f->part) {
        f->part[0] = 0;
        return complain(path, ENAMETOOLONG);
    }
    f->file = fopen(f->part, "w");
    if (!f->file) {
        error = errno;
        f->part[0] = 0;
        return complain(path, error);
    }
    error = posix_fallocate(fileno(f->file), 0, RESERVED_BYTES);
    if (error == ENOSPC || error == EFBIG || error == EDQUOT) {
        bench_file_close(f);
        return complain(path, error);
    }
    return true;
}

bool bench_file_write(struct bench_file *f, const char *text)
{
    size_t size = strlen(text);
    bool ok;

    if (!f->file)
        return true;
    ok = fwrite(text, 1, size, f->file) == size && fflush(f->file) == 0;
    if (ok && f->part[0])
        ok = ftruncate(fileno(f->file), (off_t)size) == 0 && rename(f->part, f->path) == 0;
    if (!ok)
        return complain(f->path, errno);
    f->part[0] = 0;
    return true;
}

void bench_file_close(struct bench_file *f)
{
    if (f->file)
        (void)fclose(f->file);
    f->file = NULL;
    if (f->part[0])
        (void)unlink(f->part);
    f->part[0] = 0;
}

char *bench_file_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = file ? malloc(READ_MAX + 1) : NULL;
    size_t size = text ? fread(text, 1, READ_MAX + 1, file) : 0;
    bool ok = text && !ferror(file) && size <= READ_MAX;

    if (!ok)
        fprintf(stderr, "tandem bench: cannot read %.300s: %s\n", path,
                size > READ_MAX ? "too large for a report" : strerrordesc_np(errno));
    if (ok)
        text[size] = 0;
    if (file)
        (void)fclose(file);
    if (ok)
        return text;
    free(text);
    return NULL;
}
