/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_FILE_STORE_H
#define TDM_IO_FILE_STORE_H

/*
 * The disk of collab/files.h: a worker thread that hashes what is offered, and does the jobs of the
 * transfer core below one folder. Whoever owns the core pushes jobs and pops answers, on one
 * thread, and never waits for a disk; `wake` is called, on the worker thread, when answers wait.
 */

#include "collab/files.h"

#define TDM_FILE_STORE_SOURCES_MAX 64

struct tdm_file_store;

struct tdm_file_store_config {
    const char *dir;      /* Where received files go; borrowed for create. */
    uint64_t quota_bytes; /* Of all that is received; 0: none. */
    const char *origin;   /* From whom, as a URI, for user.xdg.origin.url; NULL: none. Borrowed. */
    void (*wake)(void *arg); /* Must only signal. */
    void *wake_arg;
    bool plain; /* Neither zstd nor deltas. */
};

enum tdm_err tdm_file_store_create(struct tdm_file_store **store,
                                   const struct tdm_file_store_config *config,
                                   struct tdm_cause *cause);
/** Ends the thread after the job that it is at; parts stay. */
void tdm_file_store_destroy(struct tdm_file_store *store);

/** Hashes a file or folder, to be offered; the answer carries `ticket`. TDM_E_SPACE: too many. */
enum tdm_err tdm_file_store_add(struct tdm_file_store *store, uint32_t ticket, const char *path);
/** Bytes hashed of what is being added, and of how many. */
void tdm_file_store_hashing(struct tdm_file_store *store, uint64_t *done, uint64_t *total);

/** Takes a job; there is always room for those that a core can have asked for. */
void tdm_file_store_push(struct tdm_file_store *store, const struct tdm_files_job *job);

struct tdm_file_store_answer {
    bool added; /* Of tdm_file_store_add: ticket, ok, desc, cause. Else `done`. */
    uint32_t ticket;
    bool ok;
    struct tdm_file_desc desc;
    struct tdm_files_done done;
    char name[TDM_FILE_NAME_MAX + 16]; /* FINISH: the name that it got, in the folder. */
    struct tdm_cause cause;            /* Why it failed, where that can be said; else "". */
};

/** false: none waits. */
bool tdm_file_store_pop(struct tdm_file_store *store, struct tdm_file_store_answer *answer);

#endif
