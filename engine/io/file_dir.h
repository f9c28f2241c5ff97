/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_FILE_DIR_H
#define TDM_IO_FILE_DIR_H

/*
 * Files below one folder and nowhere else: every path is resolved by the kernel with
 * RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS (openat2), so that no name and no
 * link that somebody lays meanwhile leads out. Names are given as collab/file_name.h cleans them.
 * Blocking: for worker threads.
 */

#include "collab/file_name.h"

#include <stdint.h>
#include <sys/types.h>

/** openat2 below `dir`; -1 with errno. */
int tdm_dir_open(int dir, const char *path, int flags, mode_t mode);
/** The same for writing, with the folders in front of it made. */
int tdm_dir_create(int dir, const char *path);
/** The folder `path` and those in front of it. 0, or -1 with errno. */
int tdm_dir_make(int dir, const char *path);

/** Gives `from` a name that is free: `name`, or `name` numbered; never replaces anything. The name
 *  goes to `taken`. 0, or -1 with errno. */
int tdm_dir_rename_free(int dir, const char *from, const char *name, char *taken, size_t room);

/** Removes a file, or a folder with all that is in it; follows no link. */
void tdm_dir_remove(int dir, const char *name);

/** All of it, however often the kernel does less. 0, or -1 with errno; reading stops at the end of
 *  the file and leaves zeros. */
int tdm_fd_read(int fd, void *data, size_t size, uint64_t offset);
int tdm_fd_write(int fd, const void *data, size_t size, uint64_t offset);

#endif
