/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_JOURNAL_H
#define TDM_COLLAB_BOARD_JOURNAL_H

/*
 * The bytes of a board's journal: a head, then records that are only ever appended, each with its
 * kind, the wall clock of its writing and a CRC. What a record carries is the board's business
 * (operations, a snapshot). Pure: it frames and checks; engine/io/board_file.h has the disk.
 *
 *     head    "TDMBOARD" | version u16 | zero u16 | document u64 u64 | begun u64 | CRC-32
 *     record  0xB5 | kind u8 | zero u16 | size u32 | wall clock, ms u64 | CRC-32 | size bytes
 *
 * All numbers are big-endian; a record's CRC covers its head before the CRC, and its bytes. A file
 * that ends within a record ended in a crash: it is good up to that record. Where a record is
 * spoiled, the scanner looks for the next whole one and tells how many bytes it had to pass over.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_JOURNAL_HEAD_BYTES        40
#define TDM_JOURNAL_RECORD_HEAD_BYTES 20
#define TDM_JOURNAL_RECORD_MAX        ((size_t)64 << 20)
#define TDM_JOURNAL_VERSION           1

enum tdm_journal_kind {
    TDM_JOURNAL_OPS = 1,      /* What tdm_board_ops_since gave. */
    TDM_JOURNAL_SNAPSHOT = 2, /* All of the board until here; what stood before is history. */
    TDM_JOURNAL_SESSION = 3,  /* A program opened it: struct tdm_journal_session. */
    TDM_JOURNAL_CLOSED = 4,   /* It was closed in peace. No bytes. */
    TDM_JOURNAL_COMPACTED = 5 /* History before this was given up. No bytes. */
};

struct tdm_journal_head {
    uint8_t document[16]; /* The board's own name, random. */
    int64_t begun_ms;     /* Unix time. */
    bool spoiled;         /* As it stands, then: what follows shows that it is a board's. */
};

void tdm_journal_head_write(struct tdm_writer *w, const struct tdm_journal_head *head);
/** A head that is not whole counts where a whole record is found behind it. TDM_E_MALFORMED: no
 *  board, or nothing of it is left. TDM_E_UNSUPPORTED: of a newer Tandem. */
enum tdm_err tdm_journal_head_parse(struct tdm_journal_head *head, const uint8_t *data,
                                    size_t size);

struct tdm_journal_record {
    enum tdm_journal_kind kind; /* Others than above are of newer versions: pass them over. */
    int64_t wall_ms;
    const uint8_t *data;
    size_t size;
};

/** Appends a record; the writer's `ok` is false when there is no room. */
void tdm_journal_write(struct tdm_writer *w, const struct tdm_journal_record *record);
/** Only its head, for bytes that the caller appends behind it. */
void tdm_journal_record_head(uint8_t head[TDM_JOURNAL_RECORD_HEAD_BYTES],
                             const struct tdm_journal_record *record);

/** Who draws here: with which actor, in which file. A copy of a file is another file, and a side
 *  that lost its last operations must not number others with their numbers. */
struct tdm_journal_session {
    uint32_t actor;
    uint64_t place; /* Of the file itself: tdm_board_file_place. */
};

#define TDM_JOURNAL_SESSION_BYTES 12

void tdm_journal_session_write(uint8_t data[TDM_JOURNAL_SESSION_BYTES],
                               const struct tdm_journal_session *session);
bool tdm_journal_session_parse(struct tdm_journal_session *session,
                               const struct tdm_journal_record *record);

/** Reads a journal that lies in memory (or is mapped) from its first byte to its last. */
struct tdm_journal_scan {
    const uint8_t *data;
    size_t size;
    size_t at;            /* Of the next record. */
    int64_t wall_ms;      /* Of the last record; never goes back. */
    uint64_t records;     /* Whole ones so far. */
    uint64_t holes;       /* Places with spoiled bytes that whole records follow. */
    uint64_t lost;        /* Bytes of those, and of the tail. */
    size_t good_size;     /* Behind the last whole record: where the next one is to be written. */
    uint64_t search_left; /* Bytes that the search for whole records may still check. */
    bool torn;            /* At the end: bytes that are no whole record. */
};

/** TDM_E_MALFORMED, TDM_E_UNSUPPORTED: as in tdm_journal_head_parse; then nothing is scanned. */
enum tdm_err tdm_journal_scan_init(struct tdm_journal_scan *scan, struct tdm_journal_head *head,
                                   const uint8_t *data, size_t size);
/** The next whole record, whose bytes borrow; false at the end. Work is bounded by the size. */
bool tdm_journal_scan_next(struct tdm_journal_scan *scan, struct tdm_journal_record *record);

#endif
