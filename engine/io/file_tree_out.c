/* SPDX-License-Identifier: MIT */
#include "engine/io/file_tree_out.h"

#include "engine/io/entropy.h"
#include "engine/io/file_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAME_NAMES_MAX 100 /* Of one folder, after cleaning. */

void tdm_file_out_init(struct tdm_file_out *o)
{
    *o = (struct tdm_file_out){.file = -1, .list = -1, .open_fd = -1};
}

int tdm_file_out_open(struct tdm_file_out *o, const struct tdm_file_out_config *config)
{
    const struct tdm_file_desc *desc = config->desc;

    if (desc->manifest_bytes) {
        if (tdm_dir_make(config->dir, config->part_name))
            return -1;
        o->file = tdm_dir_open(config->dir, config->part_name, O_RDONLY | O_DIRECTORY, 0);
        o->list = tdm_dir_open(config->dir, config->list_name, O_RDWR | O_CREAT, 0666);
        o->contents = tdm_manifest_end(desc->manifest_bytes);
        return o->file < 0 || o->list < 0 ? -1 : 0;
    }
    o->file = tdm_dir_open(config->dir, config->part_name, O_RDWR | O_CREAT, 0666);
    return o->file < 0 || ftruncate(o->file, (off_t)desc->size) ? -1 : 0;
}

void tdm_file_out_close(struct tdm_file_out *o)
{
    for (uint32_t i = 0; i < o->member_count; i++)
        free(o->members[i].path);
    free(o->members);
    if (o->open_fd >= 0)
        (void)close(o->open_fd);
    if (o->file >= 0)
        (void)close(o->file);
    if (o->list >= 0)
        (void)close(o->list);
    tdm_file_out_init(o);
}

static int open_member(struct tdm_file_out *o, uint32_t index)
{
    if (o->open_fd >= 0 && o->open_index == index)
        return o->open_fd;
    if (o->open_fd >= 0)
        (void)close(o->open_fd);
    o->open_fd = tdm_dir_create(o->file, o->members[index].path);
    o->open_index = index;
    return o->open_fd;
}

/* One stretch of the content that lies in one file. */
struct stretch {
    int fd;
    uint64_t offset;
    uint32_t size;
};

static uint32_t member_at(const struct tdm_file_out *o, uint64_t offset)
{
    uint32_t low = 0, high = o->member_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (o->members[middle].start + o->members[middle].size > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int find(struct tdm_file_out *o, uint32_t size, uint64_t offset, struct stretch *s)
{
    *s = (struct stretch){o->file, offset, size};
    if (o->list < 0)
        return 0;
    if (offset < o->contents) {
        s->fd = o->list;
        if (o->contents - offset < size)
            s->size = (uint32_t)(o->contents - offset);
        return 0;
    }
    uint32_t i = member_at(o, offset);

    if (!o->listed || i == o->member_count) {
        errno = EINVAL;
        return -1;
    }
    const struct tdm_file_out_member *m = &o->members[i];
    uint64_t left = m->start + m->size - offset;

    s->fd = open_member(o, i);
    s->offset = offset - m->start;
    s->size = left < size ? (uint32_t)left : size;
    return s->fd < 0 ? -1 : 0;
}

int tdm_file_out_read(struct tdm_file_out *o, uint8_t *data, uint32_t size, uint64_t offset)
{
    struct stretch s;

    for (; size; size -= s.size, data += s.size, offset += s.size)
        if (find(o, size, offset, &s) || tdm_fd_read(s.fd, data, s.size, s.offset))
            return -1;
    return 0;
}

int tdm_file_out_write(struct tdm_file_out *o, const uint8_t *data, uint32_t size, uint64_t offset)
{
    struct stretch s;

    for (; size; size -= s.size, data += s.size, offset += s.size)
        if (find(o, size, offset, &s) || tdm_fd_write(s.fd, data, s.size, s.offset))
            return -1;
    return 0;
}

/* Paths that differ in case alone are the same on some systems, and count as the same here. */
struct name_set {
    uint32_t *buckets; /* Member + 1. */
    uint32_t count;
    uint64_t key; /* Nobody can choose names that share a bucket. */
};

static uint32_t hash_of(const struct name_set *set, const char *path)
{
    uint64_t hash = set->key;

    for (; *path; path++) {
        hash ^= (uint8_t)(*path >= 'A' && *path <= 'Z' ? *path | 0x20 : *path);
        hash *= 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29 ^ set->key;
    }
    return (uint32_t)(hash >> 16);
}

static bool take_name(struct name_set *set, const struct tdm_file_out *o, uint32_t index,
                      const char *path)
{
    uint32_t at = hash_of(set, path) % set->count;

    for (; set->buckets[at]; at = (at + 1) % set->count)
        if (strcasecmp(o->members[set->buckets[at] - 1].path, path) == 0)
            return false;
    set->buckets[at] = index + 1;
    return true;
}

static enum tdm_err add_member(struct tdm_file_out *o, struct name_set *set, uint64_t start,
                               const struct tdm_manifest_entry *entry)
{
    struct tdm_file_out_member *m = &o->members[o->member_count];
    char path[TDM_FILE_PATH_MAX + 16];

    *m = (struct tdm_file_out_member){
        .start = start, .size = entry->size, .date_s = entry->date_s, .folder = entry->folder};
    (void)snprintf(path, sizeof path, "%s", entry->path);
    for (unsigned number = 2; !take_name(set, o, o->member_count, path); number++) {
        if (number > SAME_NAMES_MAX)
            return TDM_E_MALFORMED;
        tdm_file_name_numbered(path, sizeof path, entry->path, number);
    }
    m->path = strlen(path) < TDM_FILE_PATH_MAX ? strdup(path) : NULL;
    if (!m->path)
        return TDM_E_MALFORMED;
    o->member_count++;
    return TDM_OK;
}

enum tdm_err tdm_file_out_take_list(struct tdm_file_out *o, const struct tdm_file_desc *desc)
{
    struct name_set set = {.count = 2 * desc->entries + 1, .key = tdm_entropy_u64()};
    uint8_t *manifest = malloc(desc->manifest_bytes);
    uint64_t start = o->contents;
    struct tdm_manifest_entry entry;
    enum tdm_err err = TDM_E_MALFORMED;

    set.buckets = calloc(set.count, sizeof *set.buckets);
    o->members = calloc(desc->entries + 1, sizeof *o->members);
    if (manifest && set.buckets && o->members &&
        tdm_fd_read(o->list, manifest, desc->manifest_bytes, 0) == 0)
        err = tdm_manifest_check(manifest, desc);
    struct tdm_reader r = tdm_reader_of(manifest, manifest ? desc->manifest_bytes : 0);

    while (err == TDM_OK && tdm_manifest_next(&r, &entry) == TDM_OK) {
        err = add_member(o, &set, start, &entry);
        start += entry.size;
    }
    free(manifest);
    free(set.buckets);
    o->listed = err == TDM_OK;
    return err;
}

static int finish_file(int fd, uint64_t size, int64_t date_s)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)date_s}};

    if (ftruncate(fd, (off_t)size))
        return -1;
    /* A date that the file system cannot hold is no reason to fail. */
    (void)futimens(fd, times);
    return 0;
}

int tdm_file_out_finish(struct tdm_file_out *o, const struct tdm_file_desc *desc)
{
    if (o->list < 0)
        return finish_file(o->file, desc->size, desc->date_s) || fsync(o->file) ? -1 : 0;
    for (uint32_t i = 0; i < o->member_count; i++) {
        const struct tdm_file_out_member *m = &o->members[i];

        if (m->folder ? tdm_dir_make(o->file, m->path)
                      : open_member(o, i) < 0 || finish_file(o->open_fd, m->size, m->date_s))
            return -1;
    }
    return syncfs(o->file);
}
