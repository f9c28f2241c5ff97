/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_STATE_H
#define TDM_COLLAB_BOARD_STATE_H

/*
 * The inside of a board, for the board_*.c files alone. Actors are numbered in the order in which
 * they came; that order differs between replicas, so what must be the same everywhere compares
 * actors by their names (the u32) and never by these numbers.
 */

#include "collab/board.h"
#include "collab/board_bytes.h"
#include "collab/board_memory.h"
#include "collab/board_node.h"
#include "collab/board_op.h"
#include "engine/base/rng.h"

#define BOARD_ACTOR_SLOTS (2 * TDM_BOARD_ACTORS_MAX)
#define BOARD_SEGMENTS    4096 /* Of the table of objects, */
#define BOARD_SEGMENT     256  /* with so many chains each. */
#define BOARD_HELD_MAX    2048
#define BOARD_ROOM        ((size_t)48 * 1024) /* One operation takes less. */
#define BOARD_STEPS_MAX   256                 /* Of undo. */

/** When and by whom: orders writes, the same way everywhere (board_wins). */
struct board_stamp {
    uint64_t lamport;
    uint32_t seq;
    uint16_t actor; /* Its number here. */
};

struct board_reg {
    uint64_t lamport;
    uint32_t seq;
    uint16_t actor;
    uint16_t prop;
    union {
        int64_t number;
        struct tdm_board_id ref;
        uint8_t *bytes;
    };
    uint16_t size;
    uint8_t kind;
};

struct board_actor {
    uint32_t name;
    uint32_t seq;  /* Everything up to here is known. */
    uint32_t seen; /* The highest number of which there is anything. */
};

/** An object is in three lists and, when it can be seen, in the tree of its page. */
struct tdm_board_object {
    uint32_t name, seq; /* Its id. */
    uint64_t lamport;
    uint16_t actor;
    uint16_t type;
    uint16_t reg_count, reg_room;
    struct board_reg *regs;
    struct tdm_board_object *chain;         /* In the table. */
    struct tdm_board_object *next;          /* In the order in which they came. */
    struct tdm_board_object *newer, *older; /* By change. */
    struct board_node node;                 /* In the tree of `home`. */
    struct tdm_board_object *home;          /* A page, the root, or where lost ones wait. */
    struct board_node *tree;                /* Of those whose home this is. */
    uint64_t changed;
    struct board_stroke *stroke;
    struct board_text *text;
    struct board_entry *undo; /* Entries about this object. */
};

/** An operation of a kind that we do not know; its bytes come behind it. */
struct board_other {
    struct board_node node;
    uint64_t lamport;
    uint32_t seq, span;
    uint16_t actor, size;
    uint8_t kind;
    uint8_t bytes[];
};

/** Records that wait for an operation of another actor. */
struct board_held {
    uint32_t name, seq; /* The record's. */
    uint32_t wait_name, wait_seq;
    uint32_t at, size;
};

/** What one gesture did. */
struct board_step {
    struct board_step *below;
    struct board_entry *entries; /* The last one first. */
};

struct board_steps {
    struct board_step *top;
    uint32_t count;
};

struct tdm_board {
    struct tdm_board_memory memory;

    uint16_t self; /* Of the actors. */
    bool doubled;
    bool patchy, covered;           /* Of a snapshot: a piece did not fit; its end has come. */
    uint32_t actor_count, reserved; /* reserved: that others may not become. */
    struct board_actor actors[TDM_BOARD_ACTORS_MAX];
    uint16_t actor_slots[BOARD_ACTOR_SLOTS]; /* Number + 1; 0: free. */
    uint64_t lamport;                        /* The highest seen. */
    uint64_t own_lamport;                    /* Of our last operation. */
    struct tdm_rng rng;                      /* Balance of trees: the same on no two replicas. */

    struct tdm_board_object root, lost; /* Homes of pages, and of objects whose page is unknown. */
    struct tdm_board_object first_page;
    struct tdm_board_object *first, **last; /* All, as they came. */
    struct tdm_board_object *newest;
    uint64_t mark;
    uint32_t object_count, chains;
    struct tdm_board_object **segments[BOARD_SEGMENTS];
    struct tdm_board_object *segment[BOARD_SEGMENT]; /* The first one. */

    struct board_node *others; /* Operations of kinds that we do not know. */

    struct board_steps undo, redo;
    uint32_t depth;             /* Of begin. */
    bool step_open;             /* The top step takes entries. */
    struct board_steps *moving; /* An undo or redo stopped in the middle: where its step goes. */

    struct tdm_board_figures figures;

    uint32_t held_count;
    size_t held_size;
    struct board_held held_list[BOARD_HELD_MAX];
    uint8_t held[TDM_BOARD_HELD_BYTES];

    size_t fresh_size;
    size_t fresh_record; /* Where the last record stands, when it can be gone on with: */
    uint32_t fresh_seq;  /* by the operation with this number */
    uint64_t fresh_lamport;
    uint8_t fresh[TDM_BOARD_FRESH_BYTES];
    uint8_t scratch[BOARD_OP_MAX];
};

/* Actors (board_actor.c). */
#define BOARD_NO_ACTOR UINT16_MAX
uint16_t board_actor_find(const struct tdm_board *b, uint32_t name);
/** BOARD_NO_ACTOR: too many. */
uint16_t board_actor_take(struct tdm_board *b, uint32_t name);
/** There is something with this number here. */
void board_saw(struct tdm_board *b, uint16_t actor, uint32_t seq);
/** Whether everything of an actor up to `seq` is known. */
bool board_knows(const struct tdm_board *b, struct tdm_board_id id);
/** Which of two writes stands: > 0 the first, < 0 the other; 0: they are the same one. */
int board_stamp_order(const struct tdm_board *b, struct board_stamp a, struct board_stamp other);

/* Objects (board_object.c). */
struct tdm_board_object *board_object(const struct tdm_board *b, struct tdm_board_id id);
/** Makes one that is not there yet. There is room. */
struct tdm_board_object *board_object_make(struct tdm_board *b, uint16_t actor, uint32_t seq,
                                           uint64_t lamport, uint16_t type);
/** Puts one of the caller's storage among the others. */
void board_object_in(struct tdm_board *b, struct tdm_board_object *o);
void board_touch(struct tdm_board *b, struct tdm_board_object *o);
uint32_t board_weight(struct tdm_board *b);

/* Values (board_value.c). */
struct board_reg *board_reg(const struct tdm_board_object *o, uint32_t prop);
struct board_stamp board_stamp_of(const struct board_reg *reg);
/** Writes values whose stamp wins; those that no property takes are left out. There is room. */
void board_write(struct tdm_board *b, struct tdm_board_object *o, struct board_stamp stamp,
                 struct tdm_board_value *values, size_t count);
struct tdm_board_value board_reg_value(const struct board_reg *reg);
/** What stands there, or the default. */
struct tdm_board_value board_value(const struct tdm_board_object *o, uint32_t prop);

/* Pages and what stands on them (board_page.c). */
void board_page_leave(struct tdm_board_object *o);
void board_page_enter(struct tdm_board *b, struct tdm_board_object *o);
/** A page has come that others may have waited for. */
void board_page_found(struct tdm_board *b, struct tdm_board_object *page);
/** None when it is not on one, or in one. */
struct tdm_board_id board_page_of(const struct tdm_board *b, const struct tdm_board_object *o);
struct tdm_board_id board_group_of(const struct tdm_board *b, const struct tdm_board_object *o);

/* One operation (board_perform.c). TDM_E_AGAIN: it needs `wait` first. TDM_E_MALFORMED: it breaks a
 * rule and changes nothing. */
enum tdm_err board_perform(struct tdm_board *b, uint16_t actor, const struct board_op *op,
                           struct tdm_board_id *wait);
/** An operation of a kind that we do not know, once. */
enum tdm_err board_keep(struct tdm_board *b, uint16_t actor, const struct board_op *op);

/* Undo (board_undo.c). All have room. */
/** An object of ours is about to be made, by the operation with this stamp. */
void board_undo_made(struct tdm_board *b, struct tdm_board_object *o);
/** A value is about to be written. */
void board_undo_writes(struct tdm_board *b, struct tdm_board_object *o, uint32_t prop,
                       struct board_stamp stamp);
/** Text came or went: undo marks it as gone, or not. */
void board_undo_text(struct tdm_board *b, struct tdm_board_object *o,
                     const struct board_range *ranges, size_t count, bool gone);
/** Another's write lost against ours: it is what an undo brings back. */
void board_undo_lost(struct tdm_board *b, struct tdm_board_object *o,
                     const struct tdm_board_value *value, struct board_stamp stamp,
                     struct board_stamp against);
void board_undo_forget(struct tdm_board *b);

/* Own operations (board_make.c). */
/** Whether one can be made now: TDM_E_SPACE, TDM_E_AGAIN, TDM_E_DENIED when not. */
enum tdm_err board_ready(struct tdm_board *b, size_t payload, size_t memory);
/** The stamp that it will have. */
struct board_stamp board_next(const struct tdm_board *b);
/** Makes one of what stands in `scratch` and performs it, once it is ready. */
void board_make(struct tdm_board *b, uint8_t kind, uint32_t span, size_t size);
enum tdm_err board_make_set(struct tdm_board *b, struct tdm_board_object *o,
                            const struct tdm_board_value *values, size_t count, bool undo);
enum tdm_err board_make_mark(struct tdm_board *b, struct tdm_board_object *o,
                             const struct board_range *ranges, size_t count, bool gone);

/* Snapshots (board_snapshot.c): the body of a STATE, OTHERS or COVER record. */
enum tdm_err board_snapshot_take(struct tdm_board *b, uint8_t kind, struct tdm_reader *r,
                                 struct tdm_board_applied *applied);

#endif
