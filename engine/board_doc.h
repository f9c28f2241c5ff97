/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_DOC_H
#define TDM_ENGINE_BOARD_DOC_H

/*
 * A board as a document: the core of collab/board.h with its memory, the journal, the images beside
 * it and the lock against a second program. One thread owns it (tdm-board, or a command's only
 * one). What is drawn is in the journal within JOURNAL_EVERY of being drawn and on the disk within
 * a second; a full disk is told, and nothing is lost as long as the program runs.
 */

#include "collab/board.h"
#include "engine/base/digest.h"
#include "engine/base/err.h"
#include "engine/base/time.h"

struct tdm_board_doc;

struct tdm_board_doc_config {
    const char *path;        /* NULL: in memory only, for a program that keeps no file. */
    bool create;             /* When it is not there. */
    bool drop;               /* What was so made, and never drawn on, at closing. */
    const uint8_t *document; /* With create: its number, 16 bytes; NULL: a random one. */
    bool read_only;          /* Beside a program that draws in it. */
    bool replay;      /* Read only, and empty at first: tdm_board_doc_replay brings the records. */
    int64_t until_ms; /* Read only, as it was at this Unix time; 0: as it is. */
};

/** What opening found. */
struct tdm_board_doc_found {
    bool created;
    bool was_open;         /* The last program did not close it in peace. */
    uint64_t records, ops; /* Whole ones; operations that were applied. */
    uint64_t holes, lost;  /* Places with spoiled bytes; bytes that were of no use. */
    bool lost_content;     /* Operations may be missing: no snapshot stands behind the last hole. */
    uint64_t refused;      /* Records whose operations the core did not want. */
    int64_t begun_ms, first_ms, last_ms; /* The journal's begin; its history reaches from..to. */
};

/** Errors as of tdm_board_file_open. A spoiled journal opens as far as it is good: see `found`
 *  (which may be NULL). */
enum tdm_err tdm_board_doc_open(struct tdm_board_doc **doc,
                                const struct tdm_board_doc_config *config,
                                struct tdm_board_doc_found *found, struct tdm_cause *cause);
/** Journals what is new, waits for the disk, and gives the lock back. */
void tdm_board_doc_close(struct tdm_board_doc *doc);

/** `taking` is called before what is fresh in the board is taken for the journal: for who sends it,
 *  too. */
void tdm_board_doc_watch(struct tdm_board_doc *doc, void (*taking)(void *arg), void *arg);

/** Its number, by which others know it again. */
void tdm_board_doc_id(const struct tdm_board_doc *doc, uint8_t id[16]);

/** The core, for tools, painting and reading. Whoever edits calls tdm_board_doc_room before, or
 *  repeats what gave TDM_E_SPACE after it. */
struct tdm_board *tdm_board_doc_board(struct tdm_board_doc *doc);
/** Gives the core memory so that `bytes` of edits fit. TDM_E_SPACE: the board is as large as boards
 *  may be. */
enum tdm_err tdm_board_doc_room(struct tdm_board_doc *doc, size_t bytes);

/** Operations of another side or of another journal, with room made for them. */
enum tdm_err tdm_board_doc_apply(struct tdm_board_doc *doc, const uint8_t *ops, size_t size);

/** Journals what came since, when it is time; returns when to call again at the latest (TDM_NEVER:
 *  nothing waits). Cheap when there is nothing. */
tdm_time tdm_board_doc_step(struct tdm_board_doc *doc, tdm_time now);
/** Journals at once and waits for the disk. Errors as of tdm_board_file_append; then what is new
 *  stays in memory and is tried again. */
enum tdm_err tdm_board_doc_save(struct tdm_board_doc *doc, struct tdm_cause *cause);
/** Whether what is drawn reaches the disk; the cause says why not. */
enum tdm_err tdm_board_doc_state(const struct tdm_board_doc *doc, struct tdm_cause *cause);

/** Gives history up: the journal becomes one snapshot, and images that nothing shows go. */
enum tdm_err tdm_board_doc_compact(struct tdm_board_doc *doc, struct tdm_cause *cause);

/** With `replay`: the next record of the journal; false at its end. *wall_ms: when it was written.
 */
bool tdm_board_doc_replay(struct tdm_board_doc *doc, int64_t *wall_ms);

/** Images, by hash, as they came (PNG, JPEG or WebP). Errors as in engine/io/board_blobs.h. */
enum tdm_err tdm_board_doc_blob_put(struct tdm_board_doc *doc, const void *data, size_t size,
                                    uint8_t hash[TDM_SHA256_BYTES], struct tdm_cause *cause);
enum tdm_err tdm_board_doc_blob_get(struct tdm_board_doc *doc, const uint8_t hash[TDM_SHA256_BYTES],
                                    uint8_t **data, size_t *size, struct tdm_cause *cause);
/** How many objects show an image that is not here. */
uint32_t tdm_board_doc_images_missing(struct tdm_board_doc *doc);
bool tdm_board_doc_blob_has(struct tdm_board_doc *doc, const uint8_t hash[TDM_SHA256_BYTES]);

/** Everything of `other` that `doc` has not, with its images. */
enum tdm_err tdm_board_doc_merge(struct tdm_board_doc *doc, struct tdm_board_doc *other,
                                 struct tdm_cause *cause);

#endif
