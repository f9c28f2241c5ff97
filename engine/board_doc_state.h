/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_DOC_STATE_H
#define TDM_ENGINE_BOARD_DOC_STATE_H

/*
 * The inside of engine/board_doc.h, shared by its files: board_doc.c (memory, operations, what goes
 * to the journal), board_doc_open.c (what comes out of it), board_doc_blobs.c (images).
 */

#include "engine/board_doc.h"
#include "engine/io/board_blobs.h"
#include "engine/io/board_file.h"

/* An image of a document that has no file. */
struct tdm_doc_blob {
    struct tdm_doc_blob *next;
    uint8_t hash[TDM_SHA256_BYTES];
    size_t size;
    uint8_t data[];
};

/* Owned by one thread. */
struct tdm_board_doc {
    void *storage;
    struct tdm_board *board; /* In it. */
    void **blocks;           /* Memory of the board's. */
    size_t block_count, given_bytes;
    uint8_t id[16];
    struct tdm_board_file *file; /* NULL: in memory only. */
    uint32_t doubled_count;      /* How often another wrote in our name. */
    bool read_only;
    bool damaged; /* The file lost work that no snapshot behind it has. */
    bool replay;
    void (*taking)(void *arg); /* NULL: nobody watches. */
    void *taking_arg;
    struct tdm_journal_scan scan; /* replay: how far it is. */

    /* What the journal does not have yet. */
    uint8_t *waiting;
    size_t waiting_size, waiting_room;
    size_t fresh_kept;    /* Of what is fresh in the board, that is in `waiting` already. */
    bool left_out;        /* There was too much of it: a snapshot says all. */
    tdm_time since;       /* When the first of it came, as far as a step has seen; TDM_NEVER. */
    bool session;         /* The journal knows of us. */
    size_t grown;         /* Bytes of operations behind the last snapshot, */
    size_t snapshot_size; /* and its own. */
    enum tdm_err err;     /* Why the last record could not be written. */
    struct tdm_cause cause;

    struct tdm_board_blobs blobs; /* With a file. */
    struct tdm_doc_blob *kept;    /* Without. */
    size_t kept_bytes;
};

/* board_doc.c */

enum tdm_err tdm_doc_create(struct tdm_board_doc **doc, struct tdm_cause *cause);
/** Operations, with room made for them; nothing is journaled. */
enum tdm_err tdm_doc_take(struct tdm_board_doc *doc, const uint8_t *ops, size_t size,
                          struct tdm_board_applied *applied);

/* board_doc_blobs.c */

/** Takes away what no object shows. */
void tdm_doc_blobs_sweep(struct tdm_board_doc *doc);
void tdm_doc_blobs_free(struct tdm_board_doc *doc);

#endif
