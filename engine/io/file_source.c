/* SPDX-License-Identifier: MIT */
#include "engine/io/file_source.h"

#include "engine/io/file_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZERO_HEIGHT_MAX 5

struct member {
    char *path; /* Below the folder; NULL: the file itself. */
    uint64_t start, size;
    struct timespec changed;
    bool folder, program;
};

struct tdm_file_source {
    int root;    /* The file, or its folder. */
    int open_fd; /* Of member `open_index`, in a folder. */
    uint32_t open_index;
    struct tdm_file_desc desc;
    uint8_t *manifest;
    struct member *members;
    uint32_t member_count, member_room;
    tdm_file_hash *nodes, zeros;
    uint32_t hashed, skipped;
    uint8_t block[TDM_FILE_BLOCK_BYTES];
};

static struct member *add_member(struct tdm_file_source *s, const char *path, const struct stat *st)
{
    if (s->member_count == TDM_FILE_ENTRIES_MAX)
        return NULL;
    if (s->member_count == s->member_room) {
        uint32_t room = s->member_room ? 2 * s->member_room : 16;
        struct member *more = realloc(s->members, room * sizeof *more);

        if (!more)
            return NULL;
        s->members = more;
        s->member_room = room;
    }
    struct member *m = &s->members[s->member_count];

    *m = (struct member){.folder = S_ISDIR(st->st_mode),
                         .program = (st->st_mode & 0111) && !S_ISDIR(st->st_mode),
                         .size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
                         .changed = st->st_mtim};
    if (path && !(m->path = strdup(path)))
        return NULL;
    s->member_count++;
    return m;
}

/* Passed over, unless it is there and cannot be read: then the folder is not sent without it. */
static enum tdm_err pass_over(const char *path, struct tdm_cause *cause)
{
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
        return TDM_OK;
    return tdm_fail(cause, TDM_E_GONE, "%s in the folder cannot be read: %s", path,
                    strerrordesc_np(errno));
}

/* A name that is no longer there is passed over; what is no file and no folder is counted. */
static enum tdm_err list(struct tdm_file_source *s, int dir, const char *below, int depth,
                         struct tdm_cause *cause)
{
    DIR *entries = fdopendir(dir);
    enum tdm_err err = TDM_OK;
    bool empty = true;
    struct stat st;

    if (!entries) {
        err = tdm_fail(cause, TDM_E_GONE, "%s cannot be read: %s", *below ? below : "the folder",
                       strerrordesc_np(errno));
        (void)close(dir);
        return err;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this stream. */
    for (struct dirent *e = readdir(entries); e && err == TDM_OK; e = readdir(entries)) {
        char path[TDM_FILE_PATH_MAX];
        int length = snprintf(path, sizeof path, "%s%s%s", below, *below ? "/" : "", e->d_name);

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        empty = false;
        if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
            err = pass_over(path, cause);
            continue;
        }
        s->skipped += !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
        if (length >= (int)sizeof path || depth >= TDM_FILE_DEPTH_MAX ||
            (S_ISREG(st.st_mode) && !add_member(s, path, &st)))
            err = TDM_E_SPACE;
        if (err != TDM_OK || !S_ISDIR(st.st_mode))
            continue;
        int fd = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        err = fd < 0 ? pass_over(path, cause) : list(s, fd, path, depth + 1, cause);
    }
    if (err == TDM_OK && empty && *below && (fstat(dir, &st) || !add_member(s, below, &st)))
        err = TDM_E_SPACE;
    (void)closedir(entries);
    return err;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->path, ((const struct member *)b)->path);
}

static enum tdm_err describe_folder(struct tdm_file_source *s)
{
    size_t room = 1;

    qsort(s->members, s->member_count, sizeof *s->members, by_path);
    for (uint32_t i = 0; i < s->member_count; i++)
        room += 32 + strlen(s->members[i].path);
    if (room > TDM_FILE_MANIFEST_MAX || !(s->manifest = malloc(room)))
        return TDM_E_SPACE;
    struct tdm_writer w = tdm_writer_of(s->manifest, room);

    for (uint32_t i = 0; i < s->member_count; i++) {
        const struct member *m = &s->members[i];
        struct tdm_manifest_entry entry = {.folder = m->folder,
                                           .program = m->program,
                                           .size = m->size,
                                           .date_s = m->changed.tv_sec};

        (void)snprintf(entry.path, sizeof entry.path, "%s", m->path);
        if (tdm_manifest_write(&w, &entry) != TDM_OK)
            return TDM_E_SPACE;
    }
    s->desc.manifest_bytes = (uint32_t)tdm_writer_size(&w);
    s->desc.entries = s->member_count;
    s->desc.size = tdm_manifest_end(s->desc.manifest_bytes);
    for (uint32_t i = 0; i < s->member_count; i++) {
        s->members[i].start = s->desc.size;
        s->desc.size += s->members[i].size;
    }
    return TDM_OK;
}

/* The last part of the path, also of "folder/". */
static void name_of(struct tdm_file_desc *desc, const char *path)
{
    char whole[PATH_MAX];
    const char *real = realpath(path, whole) ? whole : path;
    const char *slash = strrchr(real, '/');
    const char *name = slash && slash[1] ? slash + 1 : real;

    desc->renamed = tdm_file_name_clean(desc->name, name, strlen(name));
}

static const char *type_of(const struct tdm_file_desc *desc)
{
    static const char *const types[][2] = {
        {"txt", "text/plain"},      {"md", "text/markdown"},      {"html", "text/html"},
        {"csv", "text/csv"},        {"pdf", "application/pdf"},   {"zip", "application/zip"},
        {"gz", "application/gzip"}, {"json", "application/json"}, {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},     {"png", "image/png"},         {"gif", "image/gif"},
        {"webp", "image/webp"},     {"svg", "image/svg+xml"},     {"mp3", "audio/mpeg"},
        {"ogg", "audio/ogg"},       {"wav", "audio/wav"},         {"opus", "audio/opus"},
        {"mp4", "video/mp4"},       {"mkv", "video/x-matroska"},  {"webm", "video/webm"},
    };
    const char *extension = tdm_file_name_extension(desc->name);

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcasecmp(extension, types[i][0]) == 0)
            return types[i][1];
    return desc->manifest_bytes ? "inode/directory" : "application/octet-stream";
}

static enum tdm_err describe(struct tdm_file_source *s, const char *path, struct tdm_cause *cause)
{
    struct stat st;

    if (s->root < 0 || fstat(s->root, &st))
        return tdm_fail(cause, TDM_E_GONE, "%s cannot be read: %s", path, strerrordesc_np(errno));
    s->desc.date_s = st.st_mtim.tv_sec;
    name_of(&s->desc, path);
    if (S_ISREG(st.st_mode)) {
        s->desc.size = (uint64_t)st.st_size;
        if (s->desc.size > TDM_FILE_SIZE_MAX || !add_member(s, NULL, &st))
            return tdm_fail(cause, TDM_E_SPACE, "%s is too big to be sent", path);
    } else if (S_ISDIR(st.st_mode)) {
        int dir = fcntl(s->root, F_DUPFD_CLOEXEC, 0);

        enum tdm_err err = dir < 0 ? TDM_E_SPACE : list(s, dir, "", 0, cause);

        if (err == TDM_E_GONE)
            return err;
        if (err != TDM_OK || describe_folder(s) != TDM_OK)
            return tdm_fail(cause, TDM_E_SPACE,
                            "%s has more files, or deeper folders, than can be sent; send parts of "
                            "it, or an archive",
                            path);
        if (!s->member_count)
            return tdm_fail(cause, TDM_E_UNSUPPORTED, "%s is empty: there is nothing to send",
                            path);
    } else {
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "%s is no file and no folder", path);
    }
    (void)snprintf(s->desc.type, sizeof s->desc.type, "%s", type_of(&s->desc));
    return TDM_OK;
}

enum tdm_err tdm_file_source_open(struct tdm_file_source **source, const char *path,
                                  struct tdm_cause *cause)
{
    struct tdm_file_source *s = calloc(1, sizeof *s);

    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for %s", path);
    s->open_fd = -1;
    s->root = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    enum tdm_err err = describe(s, path, cause);

    if (err == TDM_OK) {
        uint32_t blocks = tdm_file_block_count(s->desc.size);

        tdm_file_zeros(0, s->zeros);
        s->nodes = calloc(tdm_file_tree_nodes(blocks) + 1, sizeof *s->nodes);
        if (!s->nodes)
            err = tdm_fail(cause, TDM_E_SYSTEM, "no memory for the hashes of %s", path);
    }
    if (err != TDM_OK) {
        tdm_file_source_close(s);
        return err;
    }
    *source = s;
    return TDM_OK;
}

void tdm_file_source_close(struct tdm_file_source *s)
{
    for (uint32_t i = 0; i < s->member_count; i++)
        free(s->members[i].path);
    if (s->open_fd >= 0)
        (void)close(s->open_fd);
    if (s->root >= 0)
        (void)close(s->root);
    free(s->members);
    free(s->manifest);
    free(s->nodes);
    free(s);
}

/* The member's descriptor, when it is still what was listed. */
static int fd_of(struct tdm_file_source *s, uint32_t index)
{
    const struct member *m = &s->members[index];
    struct stat st;
    int fd = s->root;

    if (m->path) {
        if (s->open_fd >= 0 && s->open_index != index) {
            (void)close(s->open_fd);
            s->open_fd = -1;
        }
        if (s->open_fd < 0)
            s->open_fd = tdm_dir_open(s->root, m->path, O_RDONLY, 0);
        s->open_index = index;
        fd = s->open_fd;
    }
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != m->size ||
        st.st_mtim.tv_sec != m->changed.tv_sec || st.st_mtim.tv_nsec != m->changed.tv_nsec)
        return -1;
    return fd;
}

/* The first member that ends behind `offset`. */
static uint32_t member_at(const struct tdm_file_source *s, uint64_t offset)
{
    uint32_t low = 0, high = s->member_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (s->members[middle].start + s->members[middle].size > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

enum tdm_err tdm_file_source_read(struct tdm_file_source *s, uint8_t *data, uint32_t size,
                                  uint64_t offset)
{
    uint64_t listed = tdm_manifest_end(s->desc.manifest_bytes);

    while (size && offset < listed) {
        *data++ = offset < s->desc.manifest_bytes ? s->manifest[offset] : 0;
        offset++;
        size--;
    }
    for (uint32_t i = member_at(s, offset); size; i++) {
        if (i >= s->member_count)
            return TDM_E_GONE;
        const struct member *m = &s->members[i];
        uint64_t left = m->start + m->size - offset;
        uint32_t step = left < size ? (uint32_t)left : size;
        int fd = step ? fd_of(s, i) : -1;

        if (step && (fd < 0 || tdm_fd_read(fd, data, step, offset - m->start)))
            return TDM_E_GONE;
        data += step;
        offset += step;
        size -= step;
    }
    return TDM_OK;
}

enum tdm_err tdm_file_source_hash(struct tdm_file_source *s, uint32_t blocks,
                                  struct tdm_cause *cause)
{
    uint32_t total = tdm_file_block_count(s->desc.size);

    while (blocks-- && s->hashed < total) {
        uint32_t size = tdm_file_block_size(s->desc.size, s->hashed);

        if (tdm_file_source_read(s, s->block, size, (uint64_t)s->hashed * TDM_FILE_BLOCK_BYTES) !=
            TDM_OK)
            return tdm_fail(cause, TDM_E_GONE,
                            "%s changed, or cannot be read, while it was prepared: send it again",
                            s->desc.name);
        tdm_file_leaf(s->block, size, s->nodes[s->hashed++]);
    }
    if (s->hashed < total)
        return TDM_E_AGAIN;
    tdm_file_tree_build(s->nodes, total, s->desc.root);
    return TDM_OK;
}

const struct tdm_file_desc *tdm_file_source_desc(const struct tdm_file_source *s)
{
    return &s->desc;
}

uint64_t tdm_file_source_hashed(const struct tdm_file_source *s)
{
    uint64_t bytes = (uint64_t)s->hashed * TDM_FILE_BLOCK_BYTES;

    return bytes < s->desc.size ? bytes : s->desc.size;
}

bool tdm_file_source_knows(const struct tdm_file_source *s, uint32_t index, const uint8_t *data)
{
    tdm_file_hash leaf;

    tdm_file_leaf(data, tdm_file_block_size(s->desc.size, index), leaf);
    return memcmp(leaf, s->nodes[index], sizeof leaf) == 0;
}

static bool is_zero(const struct tdm_file_source *s, uint32_t index)
{
    return memcmp(s->nodes[index], s->zeros, sizeof s->zeros) == 0;
}

uint8_t tdm_file_source_prove(struct tdm_file_source *s, uint32_t most,
                              struct tdm_file_place *place, tdm_file_hash proof[TDM_FILE_PROOF_MAX])
{
    uint32_t run = 0;

    place->leaves = tdm_file_block_count(s->desc.size);
    place->height = 0;
    while (run < most && run < 1u << ZERO_HEIGHT_MAX && is_zero(s, place->index + run))
        run++;
    while (place->height < ZERO_HEIGHT_MAX && 2u << place->height <= run &&
           place->index % (2u << place->height) == 0)
        place->height++;
    return tdm_file_tree_proof(s->nodes, place, proof);
}

uint32_t tdm_file_source_skipped(const struct tdm_file_source *s)
{
    return s->skipped;
}
