/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_SETTINGS_FILE_H
#define TDM_IO_SETTINGS_FILE_H

/*
 * A text file that people edit and several programs change: read whole, changed under a lock of its
 * own (NAME.lock), and replaced in one step, so that a crash at any point leaves the old text or
 * the new one. An editor that knows nothing of the lock is noticed: its text wins, and the change
 * is to be made again on it. Any thread; blocks on the disk and on other holders of the lock.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TDM_SETTINGS_MAX ((size_t)4 << 20)

/** Which text a file had: another stamp, another text. */
struct tdm_settings_stamp {
    int64_t changed_ns;
    uint64_t inode;
    int64_t size; /* -1: there is no file. */
};

/** The text, ended by a zero, to be freed; "" when there is no file. TDM_E_SYSTEM with a cause. */
enum tdm_err tdm_settings_read(const char *path, char **text, size_t *size,
                               struct tdm_settings_stamp *stamp, struct tdm_cause *cause);
/** Without reading it. */
struct tdm_settings_stamp tdm_settings_look(const char *path);
bool tdm_settings_same(const struct tdm_settings_stamp *a, const struct tdm_settings_stamp *b);

/** A change under way. */
struct tdm_settings_edit {
    char path[512];
    int lock;
    char *text; /* As it is now. */
    size_t size;
    struct tdm_settings_stamp stamp;
};

/** Takes the lock and reads. End it by one of the next two, whatever happens. */
enum tdm_err tdm_settings_begin(struct tdm_settings_edit *edit, const char *path,
                                struct tdm_cause *cause);
/** Replaces the text and gives the lock back. TDM_E_AGAIN: the file changed meanwhile; nothing was
 *  written, begin again. */
enum tdm_err tdm_settings_commit(struct tdm_settings_edit *edit, const char *text, size_t size,
                                 struct tdm_cause *cause);
void tdm_settings_abandon(struct tdm_settings_edit *edit);

#endif
