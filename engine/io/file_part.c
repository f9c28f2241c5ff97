/* SPDX-License-Identifier: MIT */
#include "engine/io/file_part.h"

#include "engine/io/file_dir.h"
#include "engine/io/file_tree_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PART_NAME_MAX   (TDM_FILE_NAME_MAX + 32)
#define SAME_PARTS_MAX  9 /* Of one content under one name, that are received at once. */
#define SAME_NAMES_MAX  9 /* Numbered names that are looked at for the same content. */
#define MAP_PAGE_LEAVES 128
#define ROOT_MARK       "user.tandem.root"

struct tdm_file_part {
    int dir, map, old;
    struct tdm_file_desc desc;
    uint32_t total, have;
    bool whole; /* The same content already stands under its name, `name`. */
    char name[PART_NAME_MAX], part_name[PART_NAME_MAX], map_name[PART_NAME_MAX];
    char list_name[PART_NAME_MAX], origin[256];
    uint64_t old_size;
    struct tdm_file_out out; /* Where bytes go: the file, or the tree of a folder. */
    tdm_file_hash zeros;
    uint8_t block[TDM_FILE_BLOCK_BYTES];
};

static enum tdm_files_result result_of_errno(void)
{
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? TDM_FILES_DISK_FULL
                                                                : TDM_FILES_DISK_FAILED;
}

static uint64_t map_place(uint32_t index)
{
    return TDM_FILE_MAP_HEAD + (uint64_t)index * TDM_FILE_HASH_BYTES;
}

static uint32_t list_blocks(const struct tdm_file_part *p)
{
    return tdm_file_block_count(p->desc.manifest_bytes);
}

static bool leaf_at(const struct tdm_file_part *p, uint32_t index, tdm_file_hash leaf)
{
    return tdm_fd_read(p->map, leaf, TDM_FILE_HASH_BYTES, map_place(index)) == 0 &&
           tdm_file_map_has(leaf);
}

/* Whether what the disk holds still is what the map says. */
static bool still_there(struct tdm_file_part *p, uint32_t index)
{
    tdm_file_hash leaf, is;
    uint32_t size = tdm_file_block_size(p->desc.size, index);

    if (!leaf_at(p, index, leaf) ||
        tdm_file_out_read(&p->out, p->block, size, (uint64_t)index * TDM_FILE_BLOCK_BYTES))
        return false;
    tdm_file_leaf(p->block, size, is);
    return memcmp(leaf, is, sizeof is) == 0;
}

/* Blocks of a range that are still there; the others are forgotten. */
static uint32_t recount(struct tdm_file_part *p, uint32_t from, uint32_t to)
{
    static const tdm_file_hash none;
    tdm_file_hash leaf;
    uint32_t have = 0;

    for (uint32_t i = from; i < to; i++) {
        if (still_there(p, i))
            have++;
        else if (leaf_at(p, i, leaf))
            (void)tdm_fd_write(p->map, none, sizeof none, map_place(i));
    }
    return have;
}

/* The manifest is whole: from here on the folder's files have places, and those of an earlier day
 * count. */
static enum tdm_files_result take_list(struct tdm_file_part *p)
{
    if (tdm_file_out_take_list(&p->out, &p->desc) != TDM_OK)
        return TDM_FILES_BAD_MANIFEST;
    p->have = recount(p, 0, p->total);
    return TDM_FILES_OK;
}

static enum tdm_files_result take_up(struct tdm_file_part *p)
{
    uint32_t list = list_blocks(p);

    if (list)
        p->have = recount(p, 0, list);
    if (list && p->have < list)
        return TDM_FILES_OK;
    if (list)
        return take_list(p);
    p->have = recount(p, 0, p->total);
    return TDM_FILES_OK;
}

static void set_names(struct tdm_file_part *p, unsigned number)
{
    const uint8_t *root = p->desc.root;
    char which[16] = "";

    if (number > 1)
        (void)snprintf(which, sizeof which, ".%u", number);
    (void)snprintf(p->part_name, sizeof p->part_name, "%s.%02x%02x%02x%02x%s.part", p->desc.name,
                   root[0], root[1], root[2], root[3], which);
    (void)snprintf(p->map_name, sizeof p->map_name, "%.*s.map", PART_NAME_MAX - 6, p->part_name);
    (void)snprintf(p->list_name, sizeof p->list_name, "%.*s.list", PART_NAME_MAX - 7, p->part_name);
}

/* The map of the part with that number, if nobody else has it. */
static bool take_map(struct tdm_file_part *p, unsigned number, int flags)
{
    struct stat st;

    set_names(p, number);
    p->map = tdm_dir_open(p->dir, p->map_name, flags, 0666);
    if (p->map < 0)
        return false;
    /* Whoever had it may have finished, and removed it, before we had the lock. */
    if (flock(p->map, LOCK_EX | LOCK_NB) == 0 && fstat(p->map, &st) == 0 && st.st_nlink)
        return true;
    (void)close(p->map);
    p->map = -1;
    errno = EWOULDBLOCK;
    return false;
}

/* The first map that nobody else has: a lock keeps a second program, and a second transfer of the
 * same, out. */
static bool lock_map(struct tdm_file_part *p)
{
    for (unsigned number = 1; number <= SAME_PARTS_MAX; number++)
        if (take_map(p, number, O_RDWR | O_CREAT))
            return true;
        else if (errno != EWOULDBLOCK)
            return false;
    return false;
}

/* Drops the part whose map this one holds. */
static void remove_part(struct tdm_file_part *p)
{
    tdm_dir_remove(p->dir, p->part_name);
    tdm_dir_remove(p->dir, p->list_name);
    tdm_dir_remove(p->dir, p->map_name);
    (void)close(p->map);
    p->map = -1;
}

/* Once the file stands there: parts of it that other transfers left are of no use. Those that are
 * still open go when they are closed. */
static void remove_others(struct tdm_file_part *p)
{
    for (unsigned number = 1; number <= SAME_PARTS_MAX; number++)
        if (take_map(p, number, O_RDWR))
            remove_part(p);
}

/* The map of an earlier day, or a new one. */
static enum tdm_files_result open_map(struct tdm_file_part *p, bool *fits, struct tdm_cause *cause)
{
    uint8_t head[TDM_FILE_MAP_HEAD];
    struct tdm_file_desc desc;

    if (!lock_map(p)) {
        (void)tdm_fail(cause, TDM_E_SYSTEM, "%s: %s", p->map_name,
                       errno == EWOULDBLOCK ? "another program receives it now"
                                            : strerrordesc_np(errno));
        return result_of_errno();
    }
    *fits = pread(p->map, head, sizeof head, 0) == (ssize_t)sizeof head &&
            tdm_file_map_parse(&desc, head) == TDM_OK && tdm_file_map_fits(&desc, &p->desc);
    if (*fits)
        return TDM_FILES_OK;
    tdm_file_map_write(&p->desc, head);
    if (ftruncate(p->map, 0) || tdm_fd_write(p->map, head, sizeof head, 0) ||
        ftruncate(p->map, (off_t)map_place(p->total))) {
        (void)tdm_fail(cause, TDM_E_SYSTEM, "%s: %s", p->map_name, strerrordesc_np(errno));
        return result_of_errno();
    }
    return TDM_FILES_OK;
}

static bool file_is_same(struct tdm_file_part *p, int fd)
{
    struct tdm_file_root root;
    tdm_file_hash hash;

    tdm_file_root_init(&root);
    for (uint32_t i = 0; i < p->total; i++) {
        uint32_t size = tdm_file_block_size(p->desc.size, i);

        if (tdm_fd_read(fd, p->block, size, (uint64_t)i * TDM_FILE_BLOCK_BYTES))
            return false;
        tdm_file_leaf(p->block, size, hash);
        tdm_file_root_add(&root, hash);
    }
    tdm_file_root_final(&root, hash);
    return memcmp(hash, p->desc.root, sizeof hash) == 0;
}

/* A folder is known by the mark that it got when it was received. */
static bool folder_is_same(const struct tdm_file_part *p, int fd)
{
    tdm_file_hash mark;

    return fgetxattr(fd, ROOT_MARK, mark, sizeof mark) == (ssize_t)sizeof mark &&
           memcmp(mark, p->desc.root, sizeof mark) == 0;
}

/* The same content under the name or a numbered one: nothing need come. Else what stands under the
 * name is an older version, of which blocks may be told. */
static void look_for_same(struct tdm_file_part *p)
{
    struct stat st;

    (void)snprintf(p->name, sizeof p->name, "%s", p->desc.name);
    for (unsigned number = 2; number <= SAME_NAMES_MAX + 1 && !p->whole; number++) {
        int fd = tdm_dir_open(p->dir, p->name, O_RDONLY, 0);

        if (fd < 0 || fstat(fd, &st)) {
            if (fd >= 0)
                (void)close(fd);
            return;
        }
        if (S_ISREG(st.st_mode) && !p->desc.manifest_bytes)
            p->whole = (uint64_t)st.st_size == p->desc.size && file_is_same(p, fd);
        else if (S_ISDIR(st.st_mode) && p->desc.manifest_bytes)
            p->whole = folder_is_same(p, fd);
        if (!p->whole && p->old < 0 && S_ISREG(st.st_mode) && !p->desc.manifest_bytes &&
            tdm_delta_chunk_count((uint64_t)st.st_size)) {
            p->old = fd;
            p->old_size = (uint64_t)st.st_size;
        } else {
            (void)close(fd);
        }
        if (!p->whole)
            tdm_file_name_numbered(p->name, sizeof p->name, p->desc.name, number);
    }
}

static enum tdm_files_result open_parts(struct tdm_file_part *p, struct tdm_cause *cause)
{
    bool fits = false;
    enum tdm_files_result result = open_map(p, &fits, cause);

    if (result != TDM_FILES_OK)
        return result;
    if (!fits) {
        tdm_dir_remove(p->dir, p->part_name);
        tdm_dir_remove(p->dir, p->list_name);
    }
    struct tdm_file_out_config out = {
        .dir = p->dir, .part_name = p->part_name, .list_name = p->list_name, .desc = &p->desc};

    if (tdm_file_out_open(&p->out, &out)) {
        (void)tdm_fail(cause, TDM_E_SYSTEM, "%s: %s", p->part_name, strerrordesc_np(errno));
        return result_of_errno();
    }
    return fits ? take_up(p) : TDM_FILES_OK;
}

enum tdm_files_result tdm_file_part_open(struct tdm_file_part **part,
                                         const struct tdm_file_part_config *config,
                                         struct tdm_cause *cause)
{
    struct tdm_file_part *p = calloc(1, sizeof *p);

    if (!p)
        return TDM_FILES_DISK_FAILED;
    p->dir = config->dir;
    p->map = p->old = -1;
    tdm_file_out_init(&p->out);
    p->desc = *config->desc;
    p->total = tdm_file_block_count(p->desc.size);
    tdm_file_zeros(0, p->zeros);
    (void)snprintf(p->origin, sizeof p->origin, "%s", config->origin ? config->origin : "");
    look_for_same(p);
    if (p->whole) {
        p->have = p->total;
        *part = p;
        return TDM_FILES_OK;
    }
    enum tdm_files_result result = open_parts(p, cause);

    if (result != TDM_FILES_OK) {
        tdm_file_part_close(p, true);
        return result;
    }
    *part = p;
    return TDM_FILES_OK;
}

void tdm_file_part_close(struct tdm_file_part *p, bool keep)
{
    tdm_file_out_close(&p->out);
    if (!p->whole && p->map >= 0 && keep)
        look_for_same(p); /* Another transfer may have brought it meanwhile. */
    else if (!p->whole && p->map >= 0)
        remove_part(p);
    if (p->whole && p->map >= 0)
        remove_part(p);
    if (p->map >= 0)
        (void)close(p->map);
    if (p->old >= 0)
        (void)close(p->old);
    free(p);
}

uint32_t tdm_file_part_blocks(const struct tdm_file_part *p)
{
    return p->have;
}

uint32_t tdm_file_part_chunks(const struct tdm_file_part *p)
{
    return p->old >= 0 && !p->whole ? tdm_delta_chunk_count(p->old_size) : 0;
}

/* A folder's manifest comes before all else. */
uint32_t tdm_file_part_missing(struct tdm_file_part *p, uint32_t from, uint32_t most,
                               uint32_t *first)
{
    tdm_file_hash page[MAP_PAGE_LEAVES];
    uint32_t end = p->desc.manifest_bytes && !p->out.listed ? list_blocks(p) : p->total;
    uint32_t run = 0;

    for (uint32_t i = from; i < end && !p->whole; i++) {
        uint32_t at = (i - from) % MAP_PAGE_LEAVES, left = end - i;

        if (at == 0 && tdm_fd_read(p->map, page,
                                   (left < MAP_PAGE_LEAVES ? left : MAP_PAGE_LEAVES) * sizeof *page,
                                   map_place(i)))
            return 0;
        if (tdm_file_map_has(page[at])) {
            if (run)
                return run;
            continue;
        }
        if (!run++)
            *first = i;
        if (run == most)
            return run;
    }
    return run;
}

/* A delta's instructions carried out into the block. */
static bool follow(struct tdm_file_part *p, struct tdm_reader r, uint32_t size)
{
    struct tdm_delta_op op;
    uint32_t at = 0;
    enum tdm_err err;

    while ((err = tdm_delta_next(&r, size - at, &op)) == TDM_OK) {
        if (!op.copy)
            memcpy(p->block + at, op.literal, op.size);
        else if (p->old < 0 || op.old_offset + op.size > p->old_size ||
                 tdm_fd_read(p->old, p->block + at, op.size, op.old_offset))
            return false;
        at += op.size;
    }
    return err == TDM_E_GONE && at == size;
}

/* What came, unpacked and proved to be the block that was offered; NULL: it is not. */
static const uint8_t *verified(struct tdm_file_part *p, struct tdm_file_packer *packer,
                               const struct tdm_file_frame *f, const uint8_t *data,
                               tdm_file_hash leaf)
{
    uint32_t size = tdm_file_block_size(p->desc.size, f->index), unpacked = size;
    struct tdm_file_packed packed = {f->encoding, f->size};
    struct tdm_file_proof proof = {data, f->proof_count};
    struct tdm_file_place place = {f->index, p->total, f->height, p->desc.root};
    const uint8_t *bytes = tdm_file_unpack(
        packer, &packed, data + (size_t)f->proof_count * TDM_FILE_HASH_BYTES, &unpacked);
    tdm_file_hash node;

    if (!bytes || !size || (f->height && f->encoding != TDM_FILE_ZEROS))
        return NULL;
    if (f->encoding & TDM_FILE_DELTA) {
        if (!follow(p, tdm_reader_of(bytes, unpacked), size))
            return NULL;
        bytes = p->block;
    }
    tdm_file_leaf(bytes, size, leaf);
    memcpy(node, leaf, sizeof node);
    if (f->height)
        tdm_file_zeros(f->height, node);
    return tdm_file_tree_proves(&place, node, &proof) ? bytes : NULL;
}

enum tdm_files_result tdm_file_part_write(struct tdm_file_part *p, struct tdm_file_packer *packer,
                                          const struct tdm_file_frame *f, const uint8_t *data,
                                          uint32_t *fresh)
{
    tdm_file_hash leaf, before;
    uint32_t list = list_blocks(p);
    const uint8_t *bytes = verified(p, packer, f, data, leaf);

    *fresh = 0;
    if (!bytes)
        return TDM_FILES_WRONG_BYTES;
    if (p->whole || (list && !p->out.listed && f->index + (1u << f->height) > list))
        return TDM_FILES_OK; /* Nobody asked for it yet. */
    for (uint32_t i = f->index; i < f->index + (1u << f->height); i++) {
        uint32_t size = tdm_file_block_size(p->desc.size, i);

        if (leaf_at(p, i, before))
            continue;
        /* The file is as long as it will be: zeros are there already. */
        if ((f->encoding != TDM_FILE_ZEROS &&
             tdm_file_out_write(&p->out, bytes, size, (uint64_t)i * TDM_FILE_BLOCK_BYTES)) ||
            tdm_fd_write(p->map, leaf, TDM_FILE_HASH_BYTES, map_place(i)))
            return result_of_errno();
        ++*fresh;
        p->have++;
    }
    if (!list || p->out.listed || p->have < list)
        return TDM_FILES_OK;
    enum tdm_files_result result = take_list(p);

    *fresh += p->have - list;
    return result;
}

uint32_t tdm_file_part_sign(struct tdm_file_part *p, uint32_t first, uint8_t *data, uint32_t *size)
{
    struct tdm_writer w = tdm_writer_of(data, TDM_FILE_BLOCK_BYTES);
    uint32_t chunk = tdm_delta_chunk_bytes(p->old_size), count = tdm_file_part_chunks(p), done = 0;

    tdm_write_u32(&w, chunk);
    for (uint32_t i = first; i < count && tdm_writer_left(&w) >= TDM_DELTA_SIGNATURE_BYTES; i++) {
        if (tdm_fd_read(p->old, p->block, chunk, (uint64_t)i * chunk))
            break;
        tdm_delta_sign(p->block, chunk, tdm_write_reserve(&w, TDM_DELTA_SIGNATURE_BYTES));
        done++;
    }
    *size = (uint32_t)tdm_writer_size(&w);
    return done;
}

static bool root_is_right(const struct tdm_file_part *p)
{
    struct tdm_file_root root;
    tdm_file_hash hash;

    tdm_file_root_init(&root);
    for (uint32_t i = 0; i < p->total; i++) {
        if (!leaf_at(p, i, hash))
            return false;
        tdm_file_root_add(&root, hash);
    }
    tdm_file_root_final(&root, hash);
    return memcmp(hash, p->desc.root, sizeof hash) == 0;
}

/* From the net, and from whom: for programs that warn before they open it. */
static void mark(const struct tdm_file_part *p)
{
    int fd = tdm_dir_open(p->dir, p->part_name, O_RDONLY, 0);

    if (fd < 0)
        return;
    if (p->origin[0])
        (void)fsetxattr(fd, "user.xdg.origin.url", p->origin, strlen(p->origin), 0);
    if (p->desc.manifest_bytes)
        (void)fsetxattr(fd, ROOT_MARK, p->desc.root, sizeof p->desc.root, 0);
    (void)close(fd);
}

enum tdm_files_result tdm_file_part_finish(struct tdm_file_part *p, char *name, size_t room,
                                           struct tdm_cause *cause)
{
    if (p->whole) {
        (void)snprintf(name, room, "%s", p->name);
        return TDM_FILES_OK;
    }
    if (!root_is_right(p))
        return TDM_FILES_WRONG_BYTES;
    if (tdm_file_out_finish(&p->out, &p->desc)) {
        (void)tdm_fail(cause, TDM_E_SYSTEM, "%s: %s", p->part_name, strerrordesc_np(errno));
        return result_of_errno();
    }
    mark(p);
    if (tdm_dir_rename_free(p->dir, p->part_name, p->desc.name, name, room)) {
        (void)tdm_fail(cause, TDM_E_SYSTEM, "%s: %s", p->desc.name, strerrordesc_np(errno));
        return result_of_errno();
    }
    (void)fsync(p->dir);
    remove_part(p);
    remove_others(p);
    p->whole = true;
    return TDM_FILES_OK;
}
