/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_H
#define TDM_COLLAB_BOARD_H

/*
 * The document of a board: pages with objects, edited by several sides at once and always the same
 * on all of them once they have the same operations, in whatever order and how often these came.
 * Pure: no heap (the caller gives blocks), no clock, no entropy.
 *
 * It decides what an edit means and how edits merge (docs/board.md); it does not draw, knows no
 * tools, files or connections. Names, cursors and selections of others are not part of the document
 * (collab/board_wire.h).
 *
 * The usual round of whoever owns a board:
 *
 * - tdm_board_give blocks while tdm_board_room is below TDM_BOARD_ROOM;
 * - edits (begin, add, set, ..., end), or tdm_board_apply of another side's or the journal's bytes;
 * - tdm_board_fresh, what the edits made, to the journal and the link; tdm_board_fresh_done;
 * - tdm_board_changed: what to draw again.
 */

#include "collab/board_object.h"
#include "engine/base/err.h"

#define TDM_BOARD_BLOCK_MIN    ((size_t)64 * 1024)  /* That give takes; 1 MiB is a good size. */
#define TDM_BOARD_ROOM         ((size_t)128 * 1024) /* With so much nearly any edit finds room. */
#define TDM_BOARD_FRESH_BYTES  ((size_t)256 * 1024) /* Own operations waiting to be taken. */
#define TDM_BOARD_HELD_BYTES   ((size_t)256 * 1024) /* Others' that wait for their causes. */
#define TDM_BOARD_ACTORS_MAX   4096
#define TDM_BOARD_PROPS_MAX    64    /* Their numbers are below; unknown ones included. */
#define TDM_BOARD_POINTS_MAX   65536 /* Of a stroke. */
#define TDM_BOARD_INK_MAX      256   /* Points of one tdm_board_ink. */
#define TDM_BOARD_TYPED_MAX    1024  /* Bytes of one tdm_board_text_insert. */
#define TDM_BOARD_TEXT_MAX     32768 /* Characters that one actor may put into one object. */
#define TDM_BOARD_SEQ_MAX      0x7fffffffu
#define TDM_BOARD_DIGEST_BYTES 32

struct tdm_board;        /* collab/board_state.h; tdm_board_bytes_needed of them. */
struct tdm_board_object; /* One that lives as long as its board; it is never freed. */

/* Life ---------------------------------------------------------------------------------------- */

size_t tdm_board_bytes_needed(void);

/**
 * A new, empty document in `storage` (aligned to 16, tdm_board_bytes_needed()).
 *
 * @param actor  Whose edits these will be: random, not 0, and new whenever a document is opened:
 *               numbers that others have and a journal lost must never be given again. A session
 *               without edits leaves no trace of it.
 */
struct tdm_board *tdm_board_init(void *storage, uint32_t actor);

uint32_t tdm_board_actor(const struct tdm_board *b);
/** From now on others may not become more than all but so many: who makes up names must not take
 *  the last one from who comes back to the board later. */
void tdm_board_reserve(struct tdm_board *b, uint32_t actors);
/** From now on edits are another actor's; undo forgets. TDM_E_DENIED: there are too many. */
enum tdm_err tdm_board_become(struct tdm_board *b, uint32_t actor);
/** Somebody else makes operations as us. Edits return TDM_E_DENIED until tdm_board_become. */
bool tdm_board_doubled(const struct tdm_board *b);

/** Memory: aligned to 16, at least TDM_BOARD_BLOCK_MIN, until the board's end. What does not find
 *  room returns TDM_E_SPACE and may be repeated after this. */
void tdm_board_give(struct tdm_board *b, void *block, size_t size);
/** What one edit can still take for certain. */
size_t tdm_board_room(const struct tdm_board *b);

/* Edits. All: TDM_E_SPACE: give a block and repeat. TDM_E_AGAIN: take tdm_board_fresh and repeat.
 * TDM_E_GONE: no such object. TDM_E_MALFORMED: a value of the wrong kind or too long.
 * TDM_E_DENIED: a limit of the document. Nothing has changed then. */

/** What stands between is one step of undo. They may be nested; the outermost counts. */
void tdm_board_begin(struct tdm_board *b);
void tdm_board_end(struct tdm_board *b);

/** A new object. One with a page but without TDM_PROP_ORDER comes on top; a page without, last. */
enum tdm_err tdm_board_add(struct tdm_board *b, enum tdm_board_type type,
                           const struct tdm_board_value *values, size_t count,
                           struct tdm_board_id *id);
/** Values that are there already are not written again. */
enum tdm_err tdm_board_set(struct tdm_board *b, struct tdm_board_id id,
                           const struct tdm_board_value *values, size_t count);
enum tdm_err tdm_board_delete(struct tdm_board *b, struct tdm_board_id id);

/** Appends to a stroke of ours: up to TDM_BOARD_INK_MAX points, each a place relative to the
 *  object's x, y. TDM_E_DENIED: another's, sealed, or full. Not a step of undo by itself. */
enum tdm_err tdm_board_ink(struct tdm_board *b, struct tdm_board_id id,
                           const struct tdm_board_point *points, size_t count);
/** The pen was lifted: no more points, and a checksum over those. */
enum tdm_err tdm_board_seal(struct tdm_board *b, struct tdm_board_id id);

/** Puts text before character `at` (from 0; at most all). Broken UTF-8 is refused; controls other
 *  than line ends and tabs become spaces, characters that turn the direction of others U+FFFD. */
enum tdm_err tdm_board_text_insert(struct tdm_board *b, struct tdm_board_id id, uint32_t at,
                                   const char *text, size_t size);
/** How many characters we may still put into a text, however many of them go again. */
uint32_t tdm_board_text_left(const struct tdm_board *b, struct tdm_board_id id);
enum tdm_err tdm_board_text_delete(struct tdm_board *b, struct tdm_board_id id, uint32_t at,
                                   uint32_t count);

/** A key between two others, for `order`: NULL below: under everything; NULL above: over it.
 *  Between equal ones it comes over both. @return its size, at most TDM_BOARD_ORDER_MAX. */
size_t tdm_board_order_between(const struct tdm_board *b, const struct tdm_board_view *below,
                               const struct tdm_board_view *above,
                               uint8_t key[TDM_BOARD_ORDER_MAX]);

/* Undo and redo of our own steps ----------------------------------------------------------------
 */

struct tdm_board_undone {
    uint32_t changed; /* Values and pieces of text that were put back, */
    uint32_t kept;    /* and that were not, since another has changed them meanwhile. */
};

bool tdm_board_can_undo(const struct tdm_board *b);
bool tdm_board_can_redo(const struct tdm_board *b);
/** `undone` is added to. TDM_E_GONE: nothing to undo. After TDM_E_SPACE or TDM_E_AGAIN repeat: it
 *  goes on. */
enum tdm_err tdm_board_undo(struct tdm_board *b, struct tdm_board_undone *undone);
enum tdm_err tdm_board_redo(struct tdm_board *b, struct tdm_board_undone *undone);

/* Reading ---------------------------------------------------------------------------------------
 */

/** NULL: no such object. Deleted ones are found, too. */
const struct tdm_board_object *tdm_board_find(const struct tdm_board *b, struct tdm_board_id id);
void tdm_board_read(const struct tdm_board *b, const struct tdm_board_object *o,
                    struct tdm_board_view *view);
struct tdm_board_id tdm_board_id_of(const struct tdm_board_object *o);

/** The objects of a page that are not deleted, from the lowest up; of TDM_BOARD_NONE: the pages,
 *  from the first on. NULL behind the last. Groups are among them. */
const struct tdm_board_object *tdm_board_lowest(const struct tdm_board *b,
                                                struct tdm_board_id page);
const struct tdm_board_object *tdm_board_highest(const struct tdm_board *b,
                                                 struct tdm_board_id page);
const struct tdm_board_object *tdm_board_above(const struct tdm_board_object *o);
const struct tdm_board_object *tdm_board_below(const struct tdm_board_object *o);

/** Every object in the order in which they came here, deleted ones, pages and groups included. */
const struct tdm_board_object *tdm_board_first(const struct tdm_board *b);
const struct tdm_board_object *tdm_board_next(const struct tdm_board_object *o);
/** The outermost group around an object; none when there is none. */
struct tdm_board_id tdm_board_outer_group(const struct tdm_board *b,
                                          const struct tdm_board_object *o);

/** Grows with every change. */
uint64_t tdm_board_mark(const struct tdm_board *b);
/** Objects that changed after a mark, the last one first: begin with NULL; NULL behind the last.
 *  Deleted ones, and ones that left a page, are among them. */
const struct tdm_board_object *tdm_board_changed(const struct tdm_board *b, uint64_t mark,
                                                 const struct tdm_board_object *before);

/** Points from the first on; valid until the next edit. */
struct tdm_board_points {
    const void *chunk;
    uint32_t at, left;
    struct tdm_board_point last;
};
struct tdm_board_points tdm_board_points(const struct tdm_board_object *o);
bool tdm_board_point_next(struct tdm_board_points *p, struct tdm_board_point *point);

/** @return how many bytes of UTF-8 the text has; as many whole characters as fit stand in `room`.
 */
size_t tdm_board_text(const struct tdm_board_object *o, char *room, size_t size);

/** A place in a text that stays with its character while others type. */
struct tdm_board_caret {
    struct tdm_board_id after; /* The character before it; none: the begin. */
};
struct tdm_board_caret tdm_board_caret_at(const struct tdm_board *b,
                                          const struct tdm_board_object *o, uint32_t at);
uint32_t tdm_board_caret_index(const struct tdm_board *b, const struct tdm_board_object *o,
                               struct tdm_board_caret caret);

/* Operations ------------------------------------------------------------------------------------
 */

/** Records that edits made and nobody took yet: append them to the journal and send them. They stay
 *  as they are from now on, and what is edited later stands behind them: who comes again need not
 *  take them twice. */
const uint8_t *tdm_board_fresh(struct tdm_board *b, size_t *size);
size_t tdm_board_fresh_size(const struct tdm_board *b);
void tdm_board_fresh_done(struct tdm_board *b);

/** What became of bytes from outside. */
struct tdm_board_applied {
    uint32_t fresh;   /* Operations that were new. */
    uint32_t again;   /* That were there already, */
    uint32_t held;    /* that wait for others, */
    uint32_t refused; /* and that break a rule: they change nothing, on no replica. */
    uint32_t lost;    /* Would have had to wait and found no room: ask for them again. */
};

/**
 * Takes whole records (of tdm_board_fresh, or tdm_board_since), of anybody, in any order.
 *
 * @param applied  Added to; NULL: nobody asks.
 *
 * @return TDM_E_SPACE: a part was applied; give a block and repeat all. TDM_E_MALFORMED: the bytes
 *         are no records from some place on; what stood before has been applied. TDM_E_DENIED: more
 *         actors than a document may have.
 */
enum tdm_err tdm_board_apply(struct tdm_board *b, const uint8_t *data, size_t size,
                             struct tdm_board_applied *applied);

/** Before what another source says: a snapshot that the one before broke off is over. */
void tdm_board_listen(struct tdm_board *b);

/** Up to which operation of each actor all are here. */
struct tdm_board_version {
    uint32_t actor, seq;
};
/** @return how many there are; as many as fit stand in `versions`. */
size_t tdm_board_versions(const struct tdm_board *b, struct tdm_board_version *versions,
                          size_t max);

/** What somebody lacks, in pieces, until `done`. With nothing known it is a compact snapshot. Edits
 *  may come between the calls: they are the caller's to pass on behind it. */
struct tdm_board_since {
    const struct tdm_board_version *known; /* Borrowed for the first call. */
    size_t known_count;
    bool done;
    /* The rest is zero at first, and the board's. */
    uint8_t stage, part;
    const struct tdm_board_object *object;
    const void *piece;
    uint32_t number, cover_count;
    uint32_t known_seq[TDM_BOARD_ACTORS_MAX], cover_seq[TDM_BOARD_ACTORS_MAX];
    uint32_t due_seq[TDM_BOARD_ACTORS_MAX];
};
#define TDM_BOARD_SINCE_MIN ((size_t)32 * 1024)
/** Whole records into `room` of at least TDM_BOARD_SINCE_MIN bytes. @return their size; 0 only when
 *  done. */
size_t tdm_board_since(const struct tdm_board *b, struct tdm_board_since *s, uint8_t *room,
                       size_t size);

/** Equal on replicas that know the same, whatever way they came to it. */
void tdm_board_digest(const struct tdm_board *b, uint8_t digest[TDM_BOARD_DIGEST_BYTES]);

struct tdm_board_figures {
    uint32_t objects, actors; /* Deleted ones included. */
    uint64_t operations;      /* Applied, own ones included. */
    uint64_t refused, lost;
    size_t held_bytes;
    size_t given_bytes, used_bytes;
};
void tdm_board_figures(const struct tdm_board *b, struct tdm_board_figures *figures);

#endif
