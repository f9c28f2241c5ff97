/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_BOARD_FILE_H
#define TDM_IO_BOARD_FILE_H

/*
 * A board's journal on the disk. One program writes it, under a lock that ends with the program;
 * others may read what is there. Records are appended with one write each, so that a kill at any
 * moment loses at most a record that was under way; a thread of its own brings them to the disk at
 * least once a second. A write that fails (a full disk) takes back what it wrote in part: the file
 * stays good, and the same record may be written again.
 *
 * One thread calls.
 */

#include "collab/board_journal.h"
#include "engine/base/err.h"
#include "engine/base/time.h"

struct tdm_board_file;

struct tdm_board_file_config {
    const char *path;
    bool read_only; /* No lock, no change. */
    bool create;    /* When it is not there, with this head. */
    bool drop; /* When it was made by this, and nothing was appended to it until it is closed. */
    struct tdm_journal_head head;
};

/**
 * Opens it, or makes it.
 *
 * @return TDM_E_GONE: not there; TDM_E_DENIED: another program has it open, or no rights;
 *         TDM_E_MALFORMED, TDM_E_UNSUPPORTED: no board of ours, left as it is; TDM_E_SYSTEM. With
 *         a cause.
 */
enum tdm_err tdm_board_file_open(struct tdm_board_file **file,
                                 const struct tdm_board_file_config *c, struct tdm_cause *cause);
/** Waits until everything is on the disk. */
void tdm_board_file_close(struct tdm_board_file *file);

/** What was there at the opening: a scan from its begin. Again: from the begin again. */
struct tdm_journal_scan tdm_board_file_scan(const struct tdm_board_file *file);
/** Frees the bytes that scans borrow; further scans find nothing. */
void tdm_board_file_forget(struct tdm_board_file *file);
const struct tdm_journal_head *tdm_board_file_head(const struct tdm_board_file *file);
/** A number of the file itself: another one for a copy of it. */
uint64_t tdm_board_file_place(const struct tdm_board_file *file);
uint64_t tdm_board_file_size(const struct tdm_board_file *file);
const char *tdm_board_file_path(const struct tdm_board_file *file);

/** Cuts a tail off that a crash left; before the first append. */
enum tdm_err tdm_board_file_cut(struct tdm_board_file *file, size_t good_size,
                                struct tdm_cause *cause);
/** TDM_E_SPACE: the disk is full (or a quota); TDM_E_SYSTEM. The file is as it was. */
enum tdm_err tdm_board_file_append(struct tdm_board_file *file,
                                   const struct tdm_journal_record *record,
                                   struct tdm_cause *cause);
/** Waits until everything appended is on the disk. */
enum tdm_err tdm_board_file_sync(struct tdm_board_file *file, struct tdm_cause *cause);
/** TDM_E_SYSTEM when the disk refused what the thread of its own brought there. */
enum tdm_err tdm_board_file_state(struct tdm_board_file *file, struct tdm_cause *cause);

/** The file as it is now gets a second name, its own with ".damaged" behind, which a replacement
 *  leaves alone. One of that name that is there already stays, and this fails. */
enum tdm_err tdm_board_file_keep(struct tdm_board_file *file, struct tdm_cause *cause);

/** Puts a new journal of these records in the old one's place, in one step. After an error the old
 *  one is still there and in use. */
enum tdm_err tdm_board_file_replace(struct tdm_board_file *file,
                                    const struct tdm_journal_record *records, size_t count,
                                    struct tdm_cause *cause);

/** Milliseconds of Unix time. */
int64_t tdm_board_file_wall_ms(void);

#endif
