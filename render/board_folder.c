/* SPDX-License-Identifier: MIT */
#include "render/board_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define ENTRIES_MAX 4096 /* Nobody looks through more. */

bool tdm_board_folder_ends(const char *name, const char *ending)
{
    size_t size = strlen(name), end = strlen(ending);

    return size > end && strcasecmp(name + size - end, ending) == 0;
}

static bool wanted(const char *name, const char *const *endings)
{
    for (; *endings; endings++)
        if (tdm_board_folder_ends(name, *endings))
            return true;
    return false;
}

bool tdm_board_folder_path(const struct tdm_board_folder *folder, const char *name,
                           char path[TDM_FOLDER_PATH_MAX])
{
    const char *between = strcmp(folder->path, "/") == 0 ? "" : "/";
    int size = snprintf(path, TDM_FOLDER_PATH_MAX, "%s%s%s", folder->path, between, name);

    return size > 0 && size < TDM_FOLDER_PATH_MAX;
}

static int by_name(const void *a, const void *b)
{
    const struct tdm_board_folder_entry *x = a, *y = b;

    if (x->folder != y->folder)
        return x->folder ? -1 : 1;
    int order = strcasecmp(x->name, y->name);

    return order ? order : strcmp(x->name, y->name);
}

/* One more, if it is to be seen. */
static void add(struct tdm_board_folder *f, const char *name, const char *const *endings)
{
    struct tdm_board_folder_entry *e = &f->entries[f->count];
    char path[TDM_FOLDER_PATH_MAX];
    struct stat s;

    if (name[0] == '.' || strlen(name) >= sizeof e->name || !tdm_board_folder_path(f, name, path) ||
        stat(path, &s) != 0)
        return;
    if (!S_ISDIR(s.st_mode) && !(S_ISREG(s.st_mode) && wanted(name, endings)))
        return;
    (void)snprintf(e->name, sizeof e->name, "%s", name);
    e->folder = S_ISDIR(s.st_mode);
    e->size = e->folder ? 0 : (uint64_t)s.st_size;
    f->count++;
}

static void list(struct tdm_board_folder *f, DIR *dir, const char *const *endings)
{
    const struct dirent *entry;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of directory entries is one thread's. */
    while (f->count < ENTRIES_MAX && (entry = readdir(dir)) != NULL)
        add(f, entry->d_name, endings);
    qsort(f->entries, f->count, sizeof *f->entries, by_name);
}

enum tdm_err tdm_board_folder_read(struct tdm_board_folder *folder, const char *path,
                                   const char *const *endings, struct tdm_cause *cause)
{
    struct tdm_board_folder f = {.count = 0};
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment. */
    const char *home = getenv("HOME");
    char whole[TDM_FOLDER_PATH_MAX];

    if (strcmp(path, "~") == 0 && home)
        path = home;
    if (path[0] != '/' && folder->path[0] && tdm_board_folder_path(folder, path, whole))
        path = whole;
    char *real = realpath(path, NULL);
    DIR *dir = real ? opendir(real) : NULL;

    f.entries = malloc(ENTRIES_MAX * sizeof *f.entries);
    if (!dir || !f.entries || strlen(real) >= sizeof f.path) {
        free(f.entries);
        free(real);
        if (dir)
            (void)closedir(dir);
        return tdm_fail(cause, TDM_E_SYSTEM, "This folder cannot be opened: choose another.");
    }
    (void)snprintf(f.path, sizeof f.path, "%s", real);
    free(real);
    list(&f, dir, endings);
    (void)closedir(dir);
    tdm_board_folder_free(folder);
    *folder = f;
    return TDM_OK;
}

void tdm_board_folder_free(struct tdm_board_folder *folder)
{
    free(folder->entries);
    *folder = (struct tdm_board_folder){.count = 0};
}
